"""Finds and loads the C library: beside the package, by NETFEAT_LIBRARY, or by the loader, in that order.

A build directory of the source tree that holds the package counts only after NETFEAT_LIBRARY, so that the tests of
one build never run on the library of another.
"""

import ctypes
import os
import pathlib

#: NETFEAT_ABI_VERSION of the headers that _ffi.py was written against.
ABI_VERSION = 0

FILE_NAME = "libnetfeat.so.%d" % ABI_VERSION


def candidates():
    """Paths (or names for the loader) to try, best first."""
    package = pathlib.Path(__file__).resolve().parent
    yield str(package / FILE_NAME)
    if os.environ.get("NETFEAT_LIBRARY"):
        yield os.environ["NETFEAT_LIBRARY"]
    root = package.parents[2] if len(package.parents) > 2 else package
    if (root / "lib" / "LAYERS").is_file():
        yield str(root / "build" / "lib" / FILE_NAME)
    yield FILE_NAME


def load():
    """The library as a ctypes.CDLL, its ABI number checked; ImportError when there is none that fits."""
    for name in candidates():
        if os.sep in name and not os.path.exists(name):
            if name == os.environ.get("NETFEAT_LIBRARY"):
                raise ImportError("NETFEAT_LIBRARY names %s, which does not exist" % name)
            continue
        try:
            library = ctypes.CDLL(name)
            abi = library.netfeat_abi_version
        except (OSError, AttributeError) as problem:
            raise ImportError("cannot load %s: %s" % (name, problem)) from problem
        abi.restype = ctypes.c_uint32
        if abi() != ABI_VERSION:
            raise ImportError("%s has ABI %d, this package needs %d" % (name, abi(), ABI_VERSION))
        return library
    raise AssertionError("candidates() ends with a name for the loader")
