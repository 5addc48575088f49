#!/usr/bin/env python3
"""Rules of the tree that a compiler does not check. usage: lint.py SOURCE_ROOT"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zlib

ROOT = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(ROOT / "tests" / "support"))
import tap  # noqa: E402

LINES_MAX = 600
TOP = {"meson.build", "meson_options.txt", "README.md", "LICENSE", "include", "lib", "examples", "tests", "pkgconfig"}
TEXT = {".c", ".h", ".def", ".py", ".sh", ".md", ".build", ".txt", ".map", ""}


def tracked():
    """Files of the tree: what git knows or would add, or everything where there is no git."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = b""
    if shutil.which("git"):
        listed = subprocess.run(command, capture_output=True, check=False).stdout
    if listed:
        paths = [ROOT / p for p in listed.decode().split("\0") if p]
    else:
        paths = [p for p in ROOT.rglob("*")
                 if not re.match(r"(build|\.git/|node_modules)", p.relative_to(ROOT).as_posix())
                 and "__pycache__" not in p.parts]
    return sorted(p for p in paths if p.is_file())


FILES = tracked()


def rel(path):
    return path.relative_to(ROOT).as_posix()


def files(pattern):
    return [p for p in FILES if re.fullmatch(pattern, rel(p))]


def read(path):
    return path.read_text(encoding="utf-8", errors="replace")


def without_comments(text, strings=False):
    """C source with comments (and strings, if asked) blanked out; lines stay where they are."""
    def blank(match):
        found = match.group(0)
        keep = found[0] in "\"'" and not strings
        return found if keep else re.sub(r"[^\n]", " ", found)
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def includes(path):
    return re.findall(r'^\s*#\s*include\s*([<"])([^">]+)[">]', without_comments(read(path)), flags=re.M)


# ---- layers ----

def read_layers():
    """folder -> (rank, folders it may include)"""
    layers = {}
    for line in read(ROOT / "lib" / "LAYERS").splitlines():
        if line.strip() and not line.startswith("#"):
            rank, folder, may = line.split()[:3]
            layers[folder] = (int(rank), set() if may == "-" else set(may.split(",")))
    return layers


def layer_folders():
    layers = read_layers()
    there = {rel(p).split("/")[1] for p in files(r"lib/[^/]+/.*")}
    for folder in sorted(there - set(layers)):
        yield "lib/%s is missing from lib/LAYERS" % folder
    for folder in sorted(set(layers) - there):
        yield "lib/LAYERS names lib/%s, which does not exist" % folder
    for folder, (rank, may) in layers.items():
        for other in sorted(may):
            if other not in layers:
                yield "lib/LAYERS: %s may include %s, which is not a layer" % (folder, other)
            elif layers[other][0] >= rank:
                yield "lib/LAYERS: %s (rank %d) may include %s (rank %d): a sibling, or a cycle" % (
                    folder, rank, other, layers[other][0])


def layer_includes():
    layers = read_layers()
    for path in files(r"lib/[^/]+/.*\.[ch]"):
        folder = rel(path).split("/")[1]
        for bracket, name in includes(path):
            other = name.split("/")[0]
            if bracket == '"' and name == "config.h":
                continue
            if bracket == '"' and "/" not in name:
                yield "%s includes \"%s\": write the folder, too" % (rel(path), name)
            elif bracket == '"' and other != folder and other not in layers.get(folder, (0, set()))[1]:
                yield "%s includes \"%s\", which lib/LAYERS does not allow" % (rel(path), name)
            elif bracket == "<" and name.startswith(("netfeat/", "base/")) and not (ROOT / "include" / name).exists():
                yield "%s includes <%s>, which does not exist" % (rel(path), name)


def include_cycles():
    graph = {}
    for path in files(r"(lib|include)/.*\.[h]"):
        key = rel(path).split("/", 1)[1]
        graph[key] = [name for _, name in includes(path)]
    state = {}

    def walk(node, trail):
        if state.get(node) == "done" or node not in graph:
            return None
        if node in trail:
            return trail[trail.index(node):] + [node]
        for child in graph[node]:
            cycle = walk(child, trail + [node])
            if cycle:
                return cycle
        state[node] = "done"
        return None

    for node in sorted(graph):
        cycle = walk(node, [])
        if cycle:
            yield "includes go round: " + " -> ".join(cycle)
            return


def public_headers_alone():
    standard = {"stddef.h", "stdint.h", "stdio.h"}
    for path in files(r"include/netfeat/.*\.h"):
        for bracket, name in includes(path):
            if bracket != "<" or (name not in standard and not (ROOT / "include" / name).exists()):
                yield "%s includes %s: only public headers and %s" % (rel(path), name, ", ".join(sorted(standard)))


# ---- what stands in two places and must agree ----

def fields_agree():
    listed = re.findall(r'^FIELD\((\w+),\s*(\d+),\s*"(\w+)"', read(ROOT / "lib/decode/fields.def"), flags=re.M)
    header = dict(re.findall(r"NETFEAT_FIELD_(\w+)\s*=\s*(\d+)", without_comments(read(ROOT / "include/netfeat/field.h"))))
    for suffix, number, name in listed:
        if name != suffix.lower():
            yield "fields.def: %s is named \"%s\"" % (suffix, name)
        if header.pop(suffix, None) != number:
            yield "NETFEAT_FIELD_%s is not %s in field.h" % (suffix, number)
    for suffix in header:
        yield "NETFEAT_FIELD_%s is not in fields.def" % suffix
    for what in (1, 2):
        values = [f[what] for f in listed]
        yield from ("fields.def: %s twice" % v for v in sorted({v for v in values if values.count(v) > 1}))


def options_agree():
    listed = re.findall(r'^OPTION_(?:INT|TEXT)\((\w+),\s*(0x[0-9a-fA-F]+),\s*"([\w.]+)"',
                        read(ROOT / "lib/base/options.def"), flags=re.M)
    header = dict(re.findall(r"NETFEAT_OPT_(\w+)\s*=\s*(0x[0-9a-fA-F]+)",
                             without_comments(read(ROOT / "include/netfeat/options.h"))))
    last = 0
    for suffix, number, name in listed:
        if name.replace(".", "_").upper() != suffix:
            yield "options.def: %s is named \"%s\"" % (suffix, name)
        if header.pop(suffix, None) != number:
            yield "NETFEAT_OPT_%s is not %s in options.h" % (suffix, number)
        if int(number, 16) <= last:
            yield "options.def: %s is out of order" % suffix
        last = int(number, 16)
    for suffix in header:
        yield "NETFEAT_OPT_%s is not in options.def" % suffix


def sources_in_meson():
    for path in files(r"lib/[^/]+/.*\.c"):
        build = path.parent / "meson.build"
        if not build.exists() or not re.search(r"'%s'" % re.escape(path.name), read(build)):
            yield "%s is not in %s" % (rel(path), rel(build))
    listed = set(re.findall(r"'(netfeat/[\w.]+)'", read(ROOT / "include/meson.build")))
    there = {rel(p).split("/", 1)[1] for p in files(r"include/netfeat/.*\.h")}
    yield from ("include/meson.build and include/netfeat disagree: " + name for name in sorted(listed ^ there))


def plain_criterion_has_all():
    """What our tests use of Criterion is there in builds without it."""
    plain = set(re.findall(r"#define (cr_\w+)", read(ROOT / "tests/support/plain/criterion/criterion.h")))
    for path in files(r"tests/.*\.[ch]"):
        for name in sorted(set(re.findall(r"\bcr_\w+", without_comments(read(path), strings=True))) - plain):
            yield "%s uses %s, which tests/support/plain does not have" % (rel(path), name)


# ---- style ----

def file_lengths():
    for path in files(r"(lib/.*\.(c|h|py)|tests/.*\.(c|h|py|sh)|examples/.*)"):
        if path.suffix in TEXT:
            lines = read(path).count("\n")
            if lines > LINES_MAX:
                yield "%s has %d lines, more than %d: one file, one purpose" % (rel(path), lines, LINES_MAX)


def calls_of(forbidden, where):
    for path in files(where):
        text = without_comments(read(path), strings=True)
        for number, line in enumerate(text.splitlines(), 1):
            found = re.search(r"(?<![\w.>])(%s)\s*\(" % forbidden, line)
            if found:
                yield "%s:%d calls %s" % (rel(path), number, found.group(1))


def library_manners():
    return calls_of("printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|perror|abort|exit|_exit|alloca|setjmp|longjmp|system|strcpy|strcat"
                    "|sprintf|gets|strerror|rand|srand|random", r"lib/[^/]+/.*\.[ch]")


def no_hidden_state():
    """Functions that keep something for the next call, whichever thread makes it."""
    return calls_of("strtok|localtime|gmtime|asctime|ctime", r"(lib|examples|tests)/.*\.[ch]")


def own_allocator():
    """Memory comes from the context."""
    return calls_of("malloc|calloc|realloc|strdup|strndup|aligned_alloc|posix_memalign", r"lib/(?!base/memory\.c)[^/]+/.*\.c")


def no_mutable_globals():
    """File-scope and function-level statics that are neither const nor functions."""
    for path in files(r"lib/[^/]+/.*\.[ch]"):
        text = without_comments(read(path), strings=True)
        for match in re.finditer(r"^[ \t]*(static\s[^;{}()=]*)(=|;|\[)", text, flags=re.M):
            words = match.group(1)
            if not re.search(r"\b(const|_Thread_local|inline)\b", words):
                yield "%s:%d: %s" % (rel(path), text[:match.start()].count("\n") + 1, " ".join(words.split()))


def clean_text():
    machine = re.compile(r"/(work|farm|root)/|\b(deb|registry)\.[a-z]+\.(org|com)\b")
    for path in FILES:
        if path.suffix not in TEXT or path.name.startswith("benign") or "/fuzz/corpus/" in rel(path):
            continue
        data = path.read_bytes()
        if b"\0" in data:
            continue
        where = rel(path)
        text = data.decode("utf-8", errors="replace")
        if "\ufffd" in text:
            yield "%s is not UTF-8" % where
        if text and not text.endswith("\n"):
            yield "%s does not end in a newline" % where
        for number, line in enumerate(text.splitlines(), 1):
            if line != line.rstrip():
                yield "%s:%d: space or carriage return at the end of the line" % (where, number)
            if "\t" in line:
                yield "%s:%d: tab" % (where, number)
            if machine.search(line):
                yield "%s:%d: path or host of one machine" % (where, number)


def top_level():
    for name in sorted({rel(p).split("/")[0] for p in FILES}):
        if not name.startswith(".") and name not in TOP:
            yield "%s does not belong to the top level" % name


def unfinished():
    for path in files(r"(lib|include|examples)/.*"):
        if path.suffix in TEXT:
            for number, line in enumerate(read(path).splitlines(), 1):
                if re.search(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HACK)\b", line):
                    yield "%s:%d: unfinished" % (rel(path), number)


def saved_state_layout():
    """What a saved state of flows is made of, byte for byte, has a number of its own."""
    text = without_comments(read(ROOT / "lib/flow/groups.h").split("/* ---- the groups as a list ---- */")[0])
    for path in ("flow.h", "key.h", "fragments.c", "state.c"):
        code = without_comments(read(ROOT / "lib/flow" / path))
        text += "".join(re.findall(r"enum\s*\{[^{}]*\}\s*;", code))
        text += "".join(re.findall(r"typedef struct\s*\{[^{}]*\}\s*(?:nf_flow|nf_flow_key|fragment|header)\s*;", code))
    real = format(zlib.crc32("".join(text.split()).encode()), "08x")
    noted = re.search(r"by their sum, ([0-9a-f]{8}),", read(ROOT / "lib/flow/state.c"))
    if not noted or noted.group(1) != real:
        return [f"lib/flow/state.c: what is saved has changed: raise LAYOUT, and note the sum {real}"]
    return []


def layout(tool):
    sources = [str(p) for p in files(r"(lib|include|examples|tests)/.*\.[ch]")]
    done = subprocess.run([tool, "--dry-run", "-Werror", "--ferror-limit=3", *sources], cwd=ROOT, capture_output=True,
                          text=True, check=False)
    return [] if done.returncode == 0 else done.stderr.splitlines()[:40]


def other_machines(compiler):
    """Every source of lib/ read as on a big-endian machine without vectors, 128-bit integers and optional libraries: what
    is compiled there alone has no errors and no warnings, either."""
    options = re.findall(r"config\.set10\('(\w+)'", read(ROOT / "meson.build"))
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "config.h").write_text("".join("#define %s 0\n" % name for name in options))
        command = [compiler, "-std=c11", "-fsyntax-only", "-O1", "-Wall", "-Wextra", "-Wshadow", "-Wundef", "-Wconversion",
                   "-Wno-missing-field-initializers", "-Werror", "-D_DEFAULT_SOURCE", "-I" + folder, "-Iinclude", "-Ilib",
                   "-U__SSE2__", "-U__AVX2__", "-U__SIZEOF_INT128__", "-U__BYTE_ORDER__",
                   "-D__BYTE_ORDER__=__ORDER_BIG_ENDIAN__"]
        for path in files(r"lib/.*\.c"):
            done = subprocess.run(command + [str(path)], cwd=ROOT, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                yield done.stderr


def shell_scripts():
    for path in files(r".*\.sh|\.ci/run"):
        shell = "bash" if "bash" in read(path).splitlines()[0] else "sh"
        done = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            yield done.stderr


def main():
    checks = [layer_folders, layer_includes, include_cycles, public_headers_alone, fields_agree, options_agree,
              sources_in_meson, plain_criterion_has_all, file_lengths, library_manners, no_hidden_state, own_allocator, no_mutable_globals, clean_text,
              saved_state_layout, top_level, unfinished, shell_scripts]
    with tap.Plan() as t:
        for check in checks:
            t.check(check.__name__.replace("_", " "), check())
        tool = shutil.which("clang-format-14")
        if tool:
            t.check("layout", layout(tool))
        else:
            t.skip("layout", "no clang-format-14")
        t.check("other machines", other_machines(shutil.which("gcc") or "cc"))


main()
