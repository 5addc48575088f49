#!/usr/bin/env python3
"""Each public header compiles alone, without a warning, as C90 to C17 and C++98 to C++17.
usage: headers.py SOURCE_ROOT"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(ROOT / "tests" / "support"))
sys.path.insert(0, str(ROOT / "tests" / "abi"))
import publicapi  # noqa: E402
import tap  # noqa: E402

COMPILERS = [
    ("gcc", "c", ["c90", "c99", "c11", "c17"], ["-Wstrict-prototypes", "-Wold-style-definition"]),
    ("clang-14", "c", ["c90", "c17"], ["-Wstrict-prototypes"]),
    ("g++", "c++", ["c++98", "c++11", "c++14", "c++17"], []),
    ("clang++-14", "c++", ["c++98", "c++17"], []),
]
STRICT = ["-pedantic", "-Wall", "-Wextra", "-Wundef", "-Wshadow", "-Wno-long-long", "-Werror", "-fsyntax-only"]


def compile_alone(tool, language, standard, extra, headers, folder):
    """One file per header, each including it twice (its guard works); all in one run."""
    sources = []
    for header in headers:
        source = folder / (header.stem + (".c" if language == "c" else ".cc"))
        source.write_text("#include <netfeat/%s>\n#include <netfeat/%s>\nextern int netfeat_test_dummy;\n"
                          % (header.name, header.name))
        sources.append(str(source))
    done = subprocess.run([tool, "-std=" + standard, *STRICT, *extra, "-I", str(ROOT / "include"), *sources],
                          capture_output=True, text=True, check=False)
    return done.stderr.splitlines()[:20] if done.returncode else []


def umbrella(api):
    """Every header is reached from netfeat.h, but for the structs of the Arrow C interfaces: who uses those may
    have them from elsewhere."""
    reached, todo = set(), ["netfeat.h"]
    while todo:
        name = todo.pop()
        if name in api.text and name not in reached:
            reached.add(name)
            todo += re.findall(r"#include <netfeat/([\w.]+)>", api.text[name])
    return ["netfeat.h does not lead to " + h.name for h in api.headers
            if h.name not in reached | {"arrow_abi.h"}]


def signatures(api):
    """Rule 1 of the API: nothing in a signature whose size or calling convention depends on the compiler; the
    structs of the Arrow C interfaces, whose layout is a standard, are passed by pointer."""
    for name, line in sorted(api.prototypes().items()):
        line = re.sub(r"struct (ArrowSchema|ArrowArray|ArrowArrayStream) \*", "void *", line)
        line = re.sub(r"struct Arrow\w+ \*", "", line)  # by pointer, laid down in another specification
        if re.search(r"\b(enum|struct|union|bool|_Bool|long|short|off_t|time_t|va_list)\b|\.\.\.", line):
            yield "%s: %s" % (name, line)


def main():
    api = publicapi.PublicApi(ROOT)
    with tap.Plan() as t, tempfile.TemporaryDirectory() as folder:
        t.check("the umbrella covers all", umbrella(api))
        t.check("signatures", signatures(api))
        for tool, language, standards, extra in COMPILERS:
            for standard in standards:
                name = "%s %s" % (tool, standard)
                if shutil.which(tool):
                    t.check(name, compile_alone(tool, language, standard, extra, api.headers, pathlib.Path(folder)))
                elif tool in ("gcc", "g++"):
                    t.skip(name, "no " + tool)


main()
