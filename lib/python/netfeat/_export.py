"""Tables for other tools: files (Arrow IPC, Parquet, CSV), and Arrow in memory without copying.

Nothing that is loaded is ever executed: files hold data alone, and every part of them is checked before use.
"""

import ctypes
import os

from . import _context, _options
from ._column import Column
from ._ffi import C, Handle, ptr
from ._table import Table

SECTIONS = ("io",)
SCHEMA, ARRAY, STREAM = 1, 2, 3  # NETFEAT_ARROW_*
_NAMES = {SCHEMA: b"arrow_schema", ARRAY: b"arrow_array", STREAM: b"arrow_array_stream"}
_RELEASE = {SCHEMA: C.arrow_schema_release, ARRAY: C.arrow_array_release, STREAM: C.arrow_stream_release}

_api = ctypes.PyDLL(None)
_capsule_new = _api.PyCapsule_New
_capsule_new.restype = ctypes.py_object
_capsule_new.argtypes = [ptr, ctypes.c_char_p, ptr]
_capsule_pointer = _api.PyCapsule_GetPointer
_capsule_pointer.restype = ptr
_capsule_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
_dying_pointer = ctypes.PYFUNCTYPE(ptr, ptr, ctypes.c_char_p)(("PyCapsule_GetPointer", _api))
_allocate = _api.PyMem_RawCalloc
_allocate.restype = ptr
_allocate.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
_free = _api.PyMem_RawFree
_free.restype = None
_free.argtypes = [ptr]


def _destructor(kind):
    """C function that gives back what a capsule of this kind holds. It stays for ever: capsules may outlive all else."""

    def destroy(capsule, name=_NAMES[kind], release=_RELEASE[kind], pointer_of=_dying_pointer, free=_free):
        address = pointer_of(capsule, name)
        release(address)  # a consumer that took it has left nothing to release
        free(address)

    function = ctypes.PYFUNCTYPE(None, ptr)(destroy)
    _api.Py_IncRef(ctypes.py_object(function))
    return ctypes.cast(function, ptr)


_DESTRUCTORS = {kind: _destructor(kind) for kind in _NAMES}


class _Struct:  # pylint: disable=too-few-public-methods
    """Zeroed memory for one of Arrow's structs, until it goes into a capsule."""

    def __init__(self, kind):
        self._kind = kind
        self.address = _allocate(1, C.arrow_struct_bytes(kind))
        if self.address is None:
            raise MemoryError("no memory for an Arrow struct")

    def capsule(self):
        """The capsule, which owns the memory from now on."""
        capsule = _capsule_new(self.address, _NAMES[self._kind], _DESTRUCTORS[self._kind])
        self.address = None
        return capsule

    def __del__(self):
        if self.address is not None:
            _RELEASE[self._kind](self.address)
            _free(self.address)


def _arrow_options(context, keywords):
    return _options.build(context, dict({"addresses": "text"}, **keywords), SECTIONS)


def arrow_stream(table, **options):
    """Capsule "arrow_array_stream" over the table's own memory.

    addresses="text" (default: dictionary-encoded) or "bytes"; batch_rows=...; binary_view=True: see
    netfeat.options().
    """
    context = _context.current()
    struct = _Struct(STREAM)
    context.check(C.table_export_stream(context, table, _arrow_options(context, options), struct.address))
    return struct.capsule()


def arrow_schema(table):
    """Capsule "arrow_schema" of what arrow_stream() gives."""
    context = _context.current()
    struct = _Struct(SCHEMA)
    context.check(C.table_export_array(context, table, _arrow_options(context, {}), struct.address, None))
    return struct.capsule()


def arrow_array(thing):
    """Capsules "arrow_schema" and "arrow_array" of a table (as one struct array) or of a column."""
    context = _context.current()
    export = C.column_export_array if isinstance(thing, Column) else C.table_export_array
    schema, array = _Struct(SCHEMA), _Struct(ARRAY)
    context.check(export(context, thing, _arrow_options(context, {}), schema.address, array.address))
    return schema.capsule(), array.capsule()


def from_arrow(source, **options):
    """Table out of whatever speaks Arrow's capsule protocol: a table of pyarrow, polars, DuckDB, or pandas 2.2."""
    context = _context.current()
    bag = _options.build(context, options, SECTIONS)
    if hasattr(source, "__arrow_c_stream__"):
        capsule = source.__arrow_c_stream__()
        address = _capsule_pointer(capsule, _NAMES[STREAM])
        return context.make(C.table_import_stream, context, address, bag, wrap=Table)
    if hasattr(source, "__arrow_c_array__"):
        schema, array = source.__arrow_c_array__()
        return context.make(C.table_import_array, context, _capsule_pointer(schema, _NAMES[SCHEMA]),
                            _capsule_pointer(array, _NAMES[ARRAY]), bag, wrap=Table)
    raise TypeError("%s has neither __arrow_c_stream__ nor __arrow_c_array__" % type(source).__name__)


def _target(where):
    """(path, descriptor): one of them is None."""
    if isinstance(where, (str, os.PathLike)):
        return os.fsencode(where), None
    if isinstance(where, int) and not isinstance(where, bool):
        return None, where
    if hasattr(where, "fileno"):
        if hasattr(where, "flush"):
            where.flush()
        return None, where.fileno()
    raise TypeError("a path, a descriptor or a file, not %s" % type(where).__name__)


def save(table, where, **options):
    """Write the table to a path, a descriptor or an open file.

    The format follows the name: .arrow or .feather (Arrow IPC, the format that load() reads back at once), .arrows
    (IPC stream), .parquet, .csv; or format="arrow", "stream", "parquet", "csv". compression="zstd", "lz4" or "none".
    A file takes its name when it is complete: whatever goes wrong, an older one stays as it was.
    """
    path, descriptor = _target(where)
    context = _context.Context()
    bag = _options.build(context, options, SECTIONS)
    if path is not None:
        _context.call(lambda: context.check(C.table_save_file(context, table, path, bag)), context)
    else:
        _context.call(lambda: context.check(C.table_save_fd(context, table, descriptor, bag)), context)


def load(where, **options):
    """Table out of an Arrow IPC file or stream at a path, in a descriptor, an open file, or bytes.

    By default a file is mapped and used in place: it must not be written or cut while the table lives;
    load_mode="read" copies it first.
    """
    context = _context.Context()
    bag = _options.build(context, options, SECTIONS)
    if isinstance(where, (bytes, bytearray, memoryview)):
        data = bytes(where)
        return context.make(C.table_load_memory, context, data, len(data), bag, wrap=Table)
    path, descriptor = _target(where)
    if path is not None:
        return _context.call(lambda: context.make(C.table_load_file, context, path, bag, wrap=Table), context)
    return _context.call(lambda: context.make(C.table_load_fd, context, descriptor, bag, wrap=Table), context)


class Writer:
    """Several tables into one output: the first fixes names and types.

        with netfeat.writer("out.arrow") as writer:
            for batch in netfeat.batches("large.pcap"):
                writer.write(batch)

    Leaving the block by an exception discards the file.
    """

    def __init__(self, where, **options):
        path, descriptor = _target(where)
        self._context = _context.Context()
        bag = _options.build(self._context, options, SECTIONS)
        wrap = lambda pointer: Handle(pointer, C.writer_unref)  # noqa: E731  # pylint: disable=unnecessary-lambda-assignment
        if path is not None:
            self._handle = self._context.make(C.writer_open_file, self._context, path, bag, wrap=wrap)
        else:
            self._handle = self._context.make(C.writer_open_fd, self._context, descriptor, bag, wrap=wrap)

    def write(self, table):
        """Append a table."""
        if not isinstance(table, Table):
            raise TypeError("a netfeat.Table, not %s" % type(table).__name__)
        if self._handle is None:
            raise ValueError("the writer is closed")
        _context.call(lambda: self._context.check(C.writer_write(self._handle, table)), self._context)

    def close(self):
        """Finish the output; a file takes its name now."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            _context.call(lambda: self._context.check(C.writer_end(handle)), self._context)

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _traceback):
        if kind is None:
            self.close()
        self._handle = None


def writer(where, **options):
    """A Writer."""
    return Writer(where, **options)


Table.save = save
Table.arrow_stream = arrow_stream
Table.__arrow_c_stream__ = lambda self, requested_schema=None: arrow_stream(self)  # any schema may be refused
Table.__arrow_c_schema__ = arrow_schema
Table.__arrow_c_array__ = lambda self, requested_schema=None: arrow_array(self)
Column.__arrow_c_array__ = lambda self, requested_schema=None: arrow_array(self)
