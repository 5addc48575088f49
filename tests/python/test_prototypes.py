"""The table of prototypes in _ffi.py says what the headers say: same functions, same types.

With --print: the lines for _ffi.py of functions that it lacks.
"""

import ctypes
import re
import sys
import unittest

import support
from netfeat import _column, _ffi, _library, _options, _progress

INCLUDE = support.ROOT / "include" / "netfeat"

VALUES = {"int": ("i32", ctypes.c_int), "uint32_t": ("u32", ctypes.c_uint32), "int64_t": ("i64", ctypes.c_int64),
          "uint64_t": ("u64", ctypes.c_uint64), "double": ("f64", ctypes.c_double),
          "size_t": ("size", ctypes.c_size_t), "void": ("None", None)}
CALLBACKS = {"netfeat_%s_fn" % name: name + "_fn" for name in ("realloc", "log", "progress", "release", "stream")}


def headers():
    for path in sorted(INCLUDE.glob("*.h")):
        source = re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.S)
        yield path.name, re.sub(r"^#.*(\\\n.*)*$", "", source, flags=re.M)


def spelling(declaration, is_result=False):
    """How _ffi.py spells a parameter ("int64_t *ret_min") or a result ("const char *")."""
    declaration = declaration.strip()
    if not is_result:
        declaration, name = re.fullmatch(r"(.*?)(\w+)(?:\[\])?", declaration, re.S).groups()
        if declaration.strip() == "" or name in VALUES:  # a parameter without a name
            raise AssertionError("cannot read " + name)
    else:
        name = ""
    words = declaration.replace("const", " ").replace("struct", " ").split("*")
    base, stars = words[0].strip(), len(words) - 1
    if base in CALLBACKS and stars == 0:
        return CALLBACKS[base]
    if stars == 0:
        return VALUES[base][0]
    if name.startswith("ret") and stars == 2:
        return "out(ptr)"
    if name.startswith("ret") and base in VALUES and base != "void":
        return "out(%s)" % VALUES[base][0]
    if base == "char" and stars == 1:
        return "text"
    return "ptr"


def declared(source=None):
    """name -> (result, [parameters]) as spelled in _ffi.py, over one header or all."""
    found = {}
    sources = [text for _, text in headers()] if source is None else [source]
    pattern = r"NETFEAT_API\s+([\w\s]+?[\s*]+)(netfeat_\w+)\s*\(([^;]*?)\)\s*(?:NETFEAT_MUST_CHECK)?\s*;"
    for text in sources:
        for result, name, parameters in re.findall(pattern, text):
            parameters = [] if parameters.strip() == "void" else parameters.split(",")
            found[name] = (spelling(result, True), [spelling(parameter) for parameter in parameters])
    return found


def resolve(word):
    return eval(word, {}, vars(_ffi))  # pylint: disable=eval-used


class Prototypes(unittest.TestCase):
    def test_the_headers_were_read(self):
        declarations = sum(source.count("NETFEAT_API") for _, source in headers())
        defines = 4  # of NETFEAT_API itself; preprocessor lines are gone already
        self.assertIn(len(declared()), (declarations, declarations - defines))
        self.assertGreater(len(declared()), 90)

    def test_same_functions(self):
        self.assertEqual(sorted(_ffi.PROTOTYPES), sorted(declared()))

    def test_same_types(self):
        for name, (result, parameters) in declared().items():
            with self.subTest(name):
                self.assertEqual(_ffi.PROTOTYPES[name],
                                 (None if result == "None" else resolve(result), [resolve(p) for p in parameters]))

    def test_callbacks(self):
        found = 0
        for _, source in headers():
            for result, star, name, parameters in re.findall(
                    r"typedef\s+(\w+)\s+(\*?)\(\*(netfeat_\w+_fn)\)\(([^)]*)\)", source):
                callback = getattr(_ffi, CALLBACKS[name])
                result = "ptr" if star else spelling(result, True)
                self.assertEqual(callback._restype_, resolve(result))
                self.assertEqual(list(callback._argtypes_), [resolve(spelling(p)) for p in parameters.split(",")])
                found += 1
        self.assertEqual(found, len(CALLBACKS))

    def test_constants(self):
        source = "".join(text for _, text in headers())
        constants = {name: int(value, 0)
                     for name, value in re.findall(r"\bNETFEAT_(\w+)\s*=\s*(-?\w+)\s*[,}\n]", source)}
        names = {"IP": "BYTES16", "MAC": "BYTES6", "TIME": "TIME_NS"}
        types = [name for name in constants if name.startswith("TYPE_")]
        self.assertEqual(len(types), 13)
        for name in ("BOOL", "U8", "U16", "U32", "U64", "I64", "F64", "TIME", "IP", "TEXT", "BYTES", "MAC", "LIST"):
            self.assertEqual(getattr(_column, name), constants["TYPE_" + names.get(name, name)])
        for name in ("BOOL", "INT", "TEXT"):
            self.assertEqual(getattr(_options, name), constants["KIND_" + name])
        self.assertEqual(_progress.CANCELLED, constants["ERR_CANCELLED"])
        abi = re.search(r"#define NETFEAT_ABI_VERSION (\d+)", (INCLUDE / "version.h").read_text())
        self.assertEqual(_library.ABI_VERSION, int(abi.group(1)))

    def test_every_error_has_a_class(self):
        from netfeat import _error
        source = (INCLUDE / "error.h").read_text()
        names = re.findall(r"NETFEAT_ERR_(\w+) = ", source)
        self.assertEqual(sorted(_error.BY_NAME), sorted(names))
        self.assertEqual(len(set(_error.BY_NAME.values())), len(names))


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        for header, source in headers():
            missing = [(name, *types) for name, types in declared(source).items() if name not in _ffi.PROTOTYPES]
            if missing:
                print("    # " + header)
            for function, restype, argtypes in missing:
                print('    "%s": (%s, [%s]),' % (function, restype, ", ".join(argtypes)))
    else:
        support.main()
