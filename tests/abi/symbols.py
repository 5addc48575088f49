#!/usr/bin/env python3
"""Exported symbols = lib/netfeat.map = public headers; each is used by a test, and each that makes something
is tested with failing allocations. (tests/python compares the prototypes of the Python package.)
usage: symbols.py SOURCE_ROOT LIBRARY"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(ROOT / "tests" / "support"))
sys.path.insert(0, str(ROOT / "tests" / "abi"))
import publicapi  # noqa: E402
import tap  # noqa: E402


def nm(library, *options):
    done = subprocess.run(["nm", "-D", *options, library], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def differences(left_name, left, right_name, right):
    for name in sorted(set(left) - set(right)):
        yield "%s is in %s, not in %s" % (name, left_name, right_name)
    for name in sorted(set(right) - set(left)):
        yield "%s is in %s, not in %s" % (name, right_name, left_name)


def exported(library):
    found = {}
    for line in nm(library, "--defined-only", "--with-symbol-versions"):
        kind, name = line.split()[1:3]
        if kind != "A":  # the version node itself
            found[name.split("@")[0]] = name.partition("@")[2].lstrip("@")
    return found


def words(paths):
    found = set()
    for path in paths:
        found |= set(re.findall(r"\bnetfeat_[a-z0-9_]+\b", path.read_text(errors="replace")))
    return found


def main():
    api = publicapi.PublicApi(ROOT)
    mapped = api.map_symbols()
    declared = set(api.prototypes())
    found = exported(sys.argv[2])
    with tap.Plan() as t:
        t.check("no symbol twice in netfeat.map", sorted({s for s in mapped if mapped.count(s) > 1}))
        t.check("headers = netfeat.map", differences("the headers", declared, "netfeat.map", mapped))
        t.check("library = netfeat.map", differences("the library", found, "netfeat.map", mapped))
        t.check("each symbol has a version", [s for s, v in found.items() if not re.fullmatch(r"NETFEAT_\d+\.\d+", v)])
        sources = list((ROOT / "tests").rglob("*.c"))
        t.check("each symbol is used by a C test", sorted(set(mapped) - words(sources)))
        torture = [p for p in sources if 'torture.h"' in p.read_text(errors="replace")]
        torture.append(ROOT / "tests" / "support" / "torture.h")
        t.check("what makes something is tested with failing allocations", sorted(api.makers() - words(torture)))
        features = {s for s in mapped if re.match(r"netfeat_(feature|encoder|accumulator|pipeline)_", s)}
        t.check("each call of the features is tested with failing allocations", sorted(features - words(torture)))


main()
