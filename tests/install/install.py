#!/usr/bin/env python3
"""Installs into an empty folder, then is a user of it: pkg-config, C, C++, ctypes, the Python package, the
program. usage: install.py SOURCE_ROOT BUILD_ROOT MESON PREFIX"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1])
BUILD, MESON, PREFIX = sys.argv[2:5]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import tap  # noqa: E402

SAMPLE = ROOT / "examples" / "data" / "mirai_scan.pcap"
CTYPES = """
import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
lib.netfeat_version_string.restype = ctypes.c_char_p
ctx = ctypes.c_void_p()
assert lib.netfeat_ctx_new(ctypes.byref(ctx)) == 0 and ctx.value
lib.netfeat_ctx_unref.restype, lib.netfeat_ctx_unref.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
assert lib.netfeat_ctx_unref(ctx) is None
print(lib.netfeat_version_string().decode())
"""


class Installed:
    def __init__(self, folder):
        self.folder = folder
        self.prefix = folder / PREFIX.lstrip("/")
        self.library = sorted(self.prefix.rglob("libnetfeat.so"))
        self.env = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=str(folder), PKG_CONFIG_PATH="")
        pc = sorted(self.prefix.rglob("netfeat.pc"))
        if pc:
            self.env["PKG_CONFIG_PATH"] = str(pc[0].parent)
        if self.library:
            self.env["LD_LIBRARY_PATH"] = str(self.library[0].parent)

    def run(self, *command, **options):
        done = subprocess.run(command, capture_output=True, text=True, env=dict(self.env, **options), check=False)
        return done.returncode, done.stdout, done.stderr


def problems(result, pattern=""):
    code, out, err = result
    if code != 0:
        return ["exit code %d" % code, out, err]
    return [] if re.search(pattern, out) else ["%r is not in: %s" % (pattern, out)]


def consumer(there, compiler, language, standard):
    flags = there.run("pkg-config", "--cflags", "--libs", "netfeat")
    if flags[0] != 0:
        return problems(flags)
    exe = str(there.folder / ("consumer-" + standard))
    built = there.run(compiler, "-x", language, "-std=" + standard, "-Wall", "-Wextra", "-pedantic", "-Werror",
                      str(ROOT / "tests/install/consumer.c"), "-x", "none", *shlex.split(flags[1]), "-o", exe)
    return problems(built) or problems(there.run(exe), r"198\.51\.100\.53")


def traces(there):
    """Paths of the source or build tree in what was installed."""
    needles = [str(ROOT).encode(), BUILD.encode()]
    for path in there.prefix.rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            if any(needle in data for needle in needles):
                yield "%s names the tree it was built in" % path.relative_to(there.folder)


def pc_file(there):
    text = pathlib.Path(there.env["PKG_CONFIG_PATH"], "netfeat.pc").read_text()
    if "Requires.private" in text:
        yield "Requires.private drags in what libpcap needs: " + text
    if there.run("pkg-config", "--modversion", "netfeat")[0] != 0:
        yield "pkg-config does not find it"


def headers(there):
    installed = {p.name for p in (there.prefix / "include" / "netfeat").glob("*")}
    return sorted(installed ^ {p.name for p in (ROOT / "include" / "netfeat").glob("*.h")})


def main():
    with tap.Plan() as t, tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*shlex.split(MESON), "install", "-C", BUILD, "--no-rebuild", "--strip", "--destdir", folder],
                              capture_output=True, text=True, check=False)
        t.check("install", problems((done.returncode, done.stdout, done.stderr)))
        there = Installed(pathlib.Path(folder))
        if not there.library or not there.env["PKG_CONFIG_PATH"]:
            t.check("library and .pc file are there", ["not found under " + PREFIX])
            return
        t.check("headers", headers(there))
        t.check("pkg-config file", pc_file(there))
        t.check("no trace of the build tree", traces(there))
        for compiler, language, standards in (("cc", "c", ("c99", "c17")), ("c++", "c++", ("c++98", "c++17"))):
            for standard in standards:
                if shutil.which(compiler):
                    t.check("consumer in " + standard, consumer(there, compiler, language, standard))
                else:
                    t.skip("consumer in " + standard, "no " + compiler)
        t.check("ctypes", problems(there.run(sys.executable, "-c", CTYPES, str(there.library[0])), r"^\d+\.\d+\.\d+$"))
        program = there.prefix / "bin" / "netfeat-extract"
        if program.exists():
            t.check("netfeat-extract", problems(there.run(str(program), "-n", "1", "-c", "src_ip", str(SAMPLE)), "src_ip"))
        package = sorted(there.prefix.rglob("netfeat/__init__.py"))
        if package and subprocess.run([sys.executable, "-c", "import numpy"], check=False, capture_output=True).returncode == 0:
            code = "import netfeat, sys; print(len(netfeat.read(sys.argv[1])))"
            t.check("Python package", problems(there.run(sys.executable, "-c", code, str(SAMPLE), LD_LIBRARY_PATH="",
                                                         PYTHONPATH=str(package[0].parent.parent)), "^3288$"))
        else:
            t.skip("Python package", "no package, or no numpy")


main()
