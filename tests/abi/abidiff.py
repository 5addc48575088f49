#!/usr/bin/env python3
"""The library against the stored description of its ABI: nothing that was there may be gone or different.
usage: abidiff.py SOURCE_ROOT LIBRARY

Additions pass (--no-added-syms): a minor release may add. Any other report fails, whatever abidiff's exit code
says it is. The baseline is renewed by tests/abi/update.sh when an ABI number is given up or a release is made."""
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1])
LIBRARY = sys.argv[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import tap  # noqa: E402


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def main():
    baseline = ROOT / "tests" / "abi" / "baseline.abi"
    if shutil.which("abidiff") is None:
        tap.skip_all("no abidiff")
    if ".debug_info" not in run("readelf", "-SW", LIBRARY).stdout:
        tap.skip_all("the library has no debug information: meson setup -Ddebug=true")
    with tap.Plan() as t:
        done = run("abidiff", "--no-added-syms", "--suppressions",
                   str(ROOT / "tests/abi/suppressions.ini"), "--headers-dir1", str(ROOT / "include"),
                   "--headers-dir2", str(ROOT / "include"), str(baseline), LIBRARY)
        report = (done.stdout + done.stderr).splitlines()
        t.check("nothing promised is gone or different",
                ["abidiff ended with %d" % done.returncode] + report[:60] if done.returncode != 0 else [])


main()
