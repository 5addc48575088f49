#!/usr/bin/env python3
"""README.md is true: its C and Python programs run and print what it says, its table of columns is the one in
lib/decode/fields.def, its link types are those of lib/decode/links.def, the files that it names exist. tests/README.md
names every suite, and its table of limits is made from lib/base/options.def.
usage: readme.py SOURCE_ROOT BUILD_ROOT     or     readme.py SOURCE_ROOT --update   (writes both)"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(sys.argv[1]).resolve()
README = ROOT / "README.md"
LINKS = re.compile(r"(<!-- links: .*? -->\n).*?(<!-- end of links -->)", re.S)
TABLE = re.compile(r"(<!-- columns: .*? -->\n).*?(<!-- end of columns -->)", re.S)
TESTS = ROOT / "tests" / "README.md"
LIMITS = re.compile(r"(<!-- limits: .*? -->\n).*?(<!-- end of limits -->)", re.S)
# Options whose names do not begin with max_, but which bound what input can make grow.
MORE_LIMITS = {"source.snaplen", "source.queue_packets", "source.queue_bytes", "source.kernel_buffer_bytes",
               "feature.damped_streams", "stream.depth_bytes", "stream.async_bytes", "stream.recent_bytes", "stream.head_bytes"}
sys.path.insert(0, str(ROOT / "tests" / "support"))
import tap  # noqa: E402


def columns():
    """The table of columns, in Markdown."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "lib/decode/fields.def").read_text(), flags=re.S)
    lines = ["| column | type | unit | meaning | NULL |", "|---|---|---|---|---|"]
    for arguments in re.findall(r"^FIELD\((.*?)\)$", text, flags=re.M | re.S):
        strings = re.findall(r'"((?:\\.|[^"\\])*)"', arguments)
        outside = [word.strip() for word in re.sub(r'"(?:\\.|[^"\\])*"', '""', arguments).split(",")]
        name, unit, null_rule, meaning = strings[0], strings[1], strings[2], strings[3]
        lines.append("| `%s` | %s | %s | %s | %s |" % (name, outside[3].lower(), unit, meaning.replace("|", "\\|"), null_rule))
    return "\n".join(lines) + "\n"


def links():
    """The decoded link types."""
    listed = re.findall(r'^LINK\((\d+), "(.*?)"', (ROOT / "lib/decode/links.def").read_text(), flags=re.M)
    return textwrap.fill(", ".join("%s (%s)" % (name, number) for number, name in listed), 128, break_on_hyphens=False) + ".\n"


def number(text):
    """Value of a constant of C: 16, INT64_C(1) << 40, INT64_MAX."""
    plain = re.sub(r"U?INT\d+_C\((\d+)\)", r"\1", text.strip())
    return "%d" % eval(plain, {"__builtins__": {}}, {"INT64_MAX": 2**63 - 1, "INT32_MAX": 2**31 - 1, "UINT32_MAX": 2**32 - 1})


def limits():
    """The options that are limits, in Markdown."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "lib/base/options.def").read_text(), flags=re.S)
    lines = ["| option | default | what it bounds |", "|---|---|---|"]
    option = r'^OPTION_INT\(\w+, 0x\w+, "([\w.]+)", \w+, [^,]+, [^,]+, ([^,"]+),\s*((?:"[^"]*"\s*)+)\)$'
    for name, default, parts in re.findall(option, text, flags=re.M):
        if re.search(r"[._]max_", name) or name in MORE_LIMITS:
            meaning = "".join(re.findall(r'"([^"]*)"', parts))
            lines.append("| `%s` | %s | %s |" % (name, number(default), meaning.replace("|", "\\|")))
    return "\n".join(lines) + "\n"


def suites_missing():
    """Folders of tests/ that tests/README.md does not name."""
    folders = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir() and not p.name.startswith((".", "__"))}
    return sorted(folders - set(re.findall(r"^\| `(\w+)/` \|", TESTS.read_text(), flags=re.M)))


def blocks(language):
    """(program, expected output) of each fenced block of that language that is followed by one of text."""
    return re.findall(r"```%s\n(.*?)```\n\n```text\n(.*?)```" % language, README.read_text(), flags=re.S)


def run(*command, **environment):
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=dict(os.environ, **environment),
                          check=False)
    return done.returncode, done.stdout, done.stderr


def differences(result, expected):
    if result[0] != 0:
        return ["exit code %d" % result[0], result[1], result[2]]
    return [] if result[1] == expected else ["printed:", result[1], "README says:", expected]


def c_program(source, expected, library):
    with tempfile.TemporaryDirectory() as folder:
        path, exe = pathlib.Path(folder) / "quick.c", str(pathlib.Path(folder) / "quick")
        path.write_text(source)
        built = run("cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-I", "include", str(path), "-L", str(library.parent),
                    "-lnetfeat", "-Wl,-rpath," + str(library.parent), "-o", exe)
        return differences(built, "") or differences(run(exe), expected)


def python_program(source, expected, library):
    return differences(run(sys.executable, "-c", source, NETFEAT_LIBRARY=str(library),
                           PYTHONPATH=str(ROOT / "lib" / "python")), expected)


def files_exist():
    named = re.findall(r"(?:examples|tests|include|lib|build)/[\w./-]*[\w/]", README.read_text())
    return sorted({n for n in named if not n.startswith("build/") and not (ROOT / n).exists()})


def main():
    text = README.read_text()
    if sys.argv[2] == "--update":
        text = TABLE.sub(lambda m: m.group(1) + columns() + m.group(2), text)
        README.write_text(LINKS.sub(lambda m: m.group(1) + links() + m.group(2), text))
        TESTS.write_text(LIMITS.sub(lambda m: m.group(1) + limits() + m.group(2), TESTS.read_text()))
        return
    library = pathlib.Path(sys.argv[2]) / "lib" / "libnetfeat.so"
    found = TABLE.search(text)
    with tap.Plan() as t:
        t.check("table of columns", [] if found and columns() in found.group(0)
                else ["run tests/readme/readme.py . --update"])
        listed = LINKS.search(text)
        t.check("list of link types", [] if listed and links() in listed.group(0)
                else ["run tests/readme/readme.py . --update"])
        bounded = LIMITS.search(TESTS.read_text())
        t.check("table of limits", [] if bounded and limits() in bounded.group(0) and limits().count("\n") > 30
                else ["run tests/readme/readme.py . --update"])
        t.check("every suite is described", suites_missing())
        t.check("files exist", files_exist())
        for language, runner in (("c", c_program), ("python", python_program)):
            programs = blocks(language)
            t.check("there is a program in " + language, [] if programs else ["none with its output"])
            if language == "python" and run(sys.executable, "-c", "import numpy, pandas")[0] != 0:
                t.skip("the program in python", "no numpy or pandas")
                continue
            for source, expected in programs:
                t.check("the program in " + language, runner(source, expected, library))


main()
