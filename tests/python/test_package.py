"""The package as it is installed: all files, without pandas, and how it finds the library."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import support
from netfeat import _ffi, _library

PACKAGE = support.ROOT / "lib" / "python" / "netfeat"


def python(code, **environment):
    """Output of a fresh interpreter; an environment variable that is None is not set."""
    variables = dict(os.environ, PYTHONPATH=str(PACKAGE.parent), **environment)
    variables = {name: value for name, value in variables.items() if value is not None}
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr


class Package(unittest.TestCase):
    def test_every_file_is_installed(self):
        listed = re.findall(r"'netfeat/([\w.]+\.py)'", (PACKAGE.parent / "meson.build").read_text())
        self.assertEqual(sorted(listed), sorted(path.name for path in PACKAGE.glob("*.py")))

    def test_pandas_is_optional(self):
        code = """
import sys
sys.modules["pandas"] = None
import netfeat, netfeat.notebook
print(len(netfeat.fields()) > 40)
"""
        self.assertEqual(python(code)[:2], (0, "True"))

    def test_star_import(self):
        code = "from netfeat import *\nprint({'read', 'Table', 'fields', 'Error'} <= set(dir()))"
        self.assertEqual(python(code)[:2], (0, "True"))

    def test_exit_with_arrays_alive(self):
        code = """
import netfeat, numpy, sys
keep = netfeat.table({"n": numpy.arange(1000)})["n"].to_numpy()
sys.modules["keep"] = keep
print(int(keep.sum()))
"""
        self.assertEqual(python(code)[:2], (0, "499500"))


class Search(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        shutil.copytree(PACKAGE, self.directory / "netfeat", ignore=shutil.ignore_patterns("*.so*", "__pycache__"))
        self.library = os.path.realpath(_ffi.LIBRARY._name)

    def python(self, code, **environment):
        variables = {name: value for name, value in dict(os.environ, **environment).items() if value is not None}
        variables["PYTHONPATH"] = str(self.directory)
        done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.strip(), done.stderr

    def test_order(self):
        name = "import netfeat._ffi; print(netfeat._ffi.LIBRARY._name)"
        beside = self.directory / "netfeat" / _library.FILE_NAME
        beside.symlink_to(self.library)
        self.assertEqual(self.python(name, NETFEAT_LIBRARY="/nonexistent/libnetfeat.so")[:2], (0, str(beside)))
        beside.unlink()
        self.assertEqual(self.python(name, NETFEAT_LIBRARY=self.library)[:2], (0, self.library))
        code, _, message = self.python(name, NETFEAT_LIBRARY="/nonexistent/libnetfeat.so")
        self.assertEqual(code, 1)
        self.assertIn("NETFEAT_LIBRARY names /nonexistent/libnetfeat.so", message)
        (self.directory / _library.FILE_NAME).symlink_to(self.library)
        self.assertEqual(self.python(name, NETFEAT_LIBRARY=None, LD_LIBRARY_PATH=str(self.directory))[:2],
                         (0, _library.FILE_NAME))

    def test_wrong_library(self):
        (self.directory / "netfeat" / "_library.py").write_text(
            (PACKAGE / "_library.py").read_text().replace("ABI_VERSION = 0", "ABI_VERSION = 999"))
        code, _, message = self.python("import netfeat", NETFEAT_LIBRARY=self.library)
        self.assertEqual(code, 1)
        self.assertIn("has ABI 0, this package needs 999", message)
        other = self.directory / "other.so"
        other.write_bytes(b"not a library")
        code, _, message = self.python("import netfeat", NETFEAT_LIBRARY=str(other))
        self.assertEqual(code, 1)
        self.assertIn("ImportError: cannot load", message)


if __name__ == "__main__":
    support.main()
