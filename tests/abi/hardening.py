#!/usr/bin/env python3
"""Reads the hardening back from the built library, and what it depends on.
usage: hardening.py SOURCE_ROOT LIBRARY ABI_VERSION"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1])
LIBRARY, ABI_VERSION = sys.argv[2:4]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import tap  # noqa: E402

NEEDED = {"libc.so.6", "libm.so.6", "libpcap.so.0.8", "libz.so.1", "libzstd.so.1", "liblz4.so.1", "liblzma.so.5", "libbz2.so.1.0", "libnettle.so.8", "libpthread.so.0"}


def readelf(*options):
    return subprocess.run(["readelf", "-W", *options, LIBRARY], capture_output=True, text=True, check=True).stdout


def undefined():
    lines = subprocess.run(["nm", "-D", "--undefined-only", LIBRARY], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1].split("@")[0] for line in lines.splitlines()}


def without_landing_pad():
    """Exported functions that do not begin with endbr64. (The note that the linker makes of it is lost where
    the C library's start files carry none, as on Debian 12.)"""
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", LIBRARY], capture_output=True, text=True,
                          check=True).stdout
    starts = re.findall(r"^[0-9a-f]+ <(netfeat_\w+)>:\n\s*[0-9a-f]+:\s+(\w+)", code, flags=re.M)
    return [name for name, first in starts if first != "endbr64"] if starts else ["no function found"]


def main():
    dynamic, segments, symbols = readelf("-d"), readelf("-l"), undefined()
    machine = readelf("-h")
    needed = set(re.findall(r"\(NEEDED\).*\[(.*?)\]", dynamic))
    writable = [line for line in segments.splitlines() if re.search(r"LOAD.*\bRWE\b|GNU_STACK.*RWE", line)]
    with tap.Plan() as t:
        t.check("soname", [] if "[libnetfeat.so.%s]" % ABI_VERSION in dynamic else [dynamic])
        t.check("relro", [] if "GNU_RELRO" in segments else ["no GNU_RELRO segment"])
        t.check("bind now", [] if re.search(r"BIND_NOW|FLAGS.*\bNOW\b", dynamic) else ["no BIND_NOW"])
        t.check("no executable stack or writable code", writable)
        t.check("dlopen is allowed (ctypes)", ["NODLOPEN is set"] if "NODLOPEN" in dynamic else [])
        t.check("no text relocations", ["TEXTREL"] if "TEXTREL" in dynamic else [])
        t.check("no run path", re.findall(r".*\((?:RPATH|RUNPATH)\).*", dynamic))
        t.check("stack protector", [] if "__stack_chk_fail" in symbols else ["no __stack_chk_fail"])
        t.check("fortify", [] if any(s.endswith("_chk") and s != "__stack_chk_fail" for s in symbols)
                else ["no fortified call"])
        if "X86-64" in machine:
            t.check("control-flow protection", without_landing_pad())
        t.check("needs only known libraries", sorted(needed - NEEDED))
        t.check("undefined symbols look like a C library's", sorted(s for s in symbols if re.match(r"(nf_|netfeat_)", s)))
        t.check("neither prints nor exits", sorted(symbols & {
            "printf", "__printf_chk", "puts", "putchar", "abort", "exit", "_exit", "perror", "stdout", "stderr"}))


main()
