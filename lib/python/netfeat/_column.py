"""Columns: views of the library's memory as numpy arrays, and as Python objects."""

import ctypes

import numpy

from . import _context
from ._ffi import C, Handle, ptr, release_fn, strings

BOOL, U8, U16, U32, U64, I64, F64, TIME, IP, TEXT, BYTES, MAC, LIST = range(1, 14)  # NETFEAT_TYPE_*

#: numpy's type for each fixed-width type; addresses have one more dimension.
DTYPES = {U8: "u1", U16: "<u2", U32: "<u4", U64: "<u8", I64: "<i8", F64: "<f8", TIME: "<M8[ns]", IP: "u1", MAC: "u1"}
ADDRESS_BYTES = {IP: 16, MAC: 6}

_SHARED = object()


class _Memory:  # pylint: disable=too-few-public-methods
    """What numpy keeps as the base of an array: memory, and the handle that keeps it alive."""

    def __init__(self, owner, address, shape, dtype):
        self._owner = owner
        self.__array_interface__ = {"data": (address, True), "shape": shape, "typestr": dtype, "version": 3}


def view(owner, address, shape, dtype):
    """Read-only array over memory that lives as long as owner."""
    if not address or 0 in shape:
        array = numpy.empty(shape, dtype)
        array.flags.writeable = False
        return array
    return numpy.asarray(_Memory(owner, address, shape, dtype))


def object_array(values):
    """One-dimensional array of a list of objects, whatever they are."""
    try:
        return numpy.fromiter(values, object, len(values))  # many times faster than assignment
    except ValueError:  # before numpy 1.23
        array = numpy.empty(len(values), object)
        for i, value in enumerate(values):
            array[i] = value
        return array


class Column:
    """One immutable column. NULL is not a value: see `valid`."""

    def __init__(self, pointer):
        """Takes over the reference."""
        self._handle = Handle(pointer, C.column_unref)
        self._as_parameter_ = self._handle
        self._type = C.column_type(self._handle)
        self._length = C.column_length(self._handle)

    @classmethod
    def _borrowed(cls, pointer):
        return cls(C.column_ref(pointer))

    def __len__(self):
        return self._length

    @property
    def type(self):
        """Name of the type: "u16", "bytes16", "time_ns", ..."""
        return strings(C.type_name, self._type)

    @property
    def unit(self):
        """ "bytes", "ns", ... or "" """
        return strings(C.column_unit, self._handle)

    @property
    def definition(self):
        """What computed it, with the version: "packet.src_port@1"."""
        return strings(C.column_definition, self._handle)

    @property
    def null_rule(self):
        """When a row is NULL, in words."""
        return strings(C.column_null_rule, self._handle)

    @property
    def nulls(self):
        """How many rows are NULL."""
        return C.column_nulls(self._handle)

    @property
    def valid(self):
        """Array of bool, False where the row is NULL; None when no row is."""
        address = C.column_validity(self._handle)
        if address is None:
            return None
        bits = view(self._handle, address, ((len(self) + 7) // 8,), "u1")
        return numpy.unpackbits(bits, count=len(self), bitorder="little").view(bool)

    @property
    def offsets(self):
        """TEXT, BYTES and LIST: the len + 1 offsets into `data` or into the rows of `child`, shared; else None."""
        address = C.column_offsets(self._handle)
        return None if address is None else view(self._handle, address, (len(self) + 1,), "<i8")

    @property
    def child(self):
        """The items of a LIST column, else None."""
        pointer = C.column_child(self._handle)
        return None if pointer is None else Column._borrowed(pointer)

    @property
    def data(self):
        """TEXT and BYTES: all bytes in one array of u1, shared, for `offsets` to point into."""
        if self._type not in (TEXT, BYTES):
            raise TypeError("a %s column has values, not bytes: use to_numpy()" % self.type)
        return view(self._handle, C.column_data(self._handle), (int(self.offsets[-1]),), "u1")

    def to_numpy(self, null=_SHARED):
        """The values as an array.

        Without an argument numbers, times (datetime64[ns], UTC) and addresses (n x 16 or n x 6 bytes) share the
        library's memory, read-only, nothing is copied, and **rows that are NULL hold zeros**: see `valid`. BOOL
        is unpacked; TEXT, BYTES and LIST become arrays of objects, with None where NULL.

        With null=..., a copy with this value where NULL: numpy.nan makes floats of numbers.
        """
        if self._type in (TEXT, BYTES, LIST):
            return self._objects(None if null is _SHARED else null)
        values = self._shared()
        if null is _SHARED:
            return values
        valid = self.valid
        if isinstance(null, float) and self._type not in (F64, TIME):
            values = values.astype("f8")
        elif null is None:
            values = values.astype(object)
        else:
            values = values.copy()
        if valid is not None:
            values[~valid] = null
        return values

    def _shared(self):
        address = C.column_data(self._handle)
        if self._type == BOOL:
            bits = view(self._handle, address, ((len(self) + 7) // 8,), "u1")
            return numpy.unpackbits(bits, count=len(self), bitorder="little").view(bool)
        shape = (len(self), ADDRESS_BYTES[self._type]) if self._type in ADDRESS_BYTES else (len(self),)
        return view(self._handle, address, shape, DTYPES[self._type])

    def masked(self):
        """The values as a numpy.ma.MaskedArray that shares them; NULL rows are masked."""
        values = self.to_numpy()
        valid = self.valid
        mask = numpy.ma.nomask if valid is None else ~valid
        if values.ndim > 1 and valid is not None:
            mask = numpy.repeat(mask[:, None], values.shape[1], axis=1)
        return numpy.ma.MaskedArray(values, mask)

    def _objects(self, null):
        offsets = self.offsets.tolist()
        if self._type == LIST:
            items = self.child.to_numpy()
            array = object_array([items[a:b] for a, b in zip(offsets, offsets[1:])])
        else:
            data = self.data.tobytes()
            if self._type == BYTES:
                array = object_array([data[a:b] for a, b in zip(offsets, offsets[1:])])
            elif data.isascii():
                data = data.decode("ascii")
                array = object_array([data[a:b] for a, b in zip(offsets, offsets[1:])])
            else:
                array = object_array([data[a:b].decode() for a, b in zip(offsets, offsets[1:])])
        valid = self.valid
        if valid is not None:
            array[~valid] = null
        return array

    def dictionary(self):
        """(ids, values): each distinct value once, in order of appearance, and which of them each row has."""
        context = _context.current()
        ids, values = ptr(), ptr()
        context.check(C.column_dictionary(context, self, ctypes.byref(ids), ctypes.byref(values)))
        return Column(ids.value), Column(values.value)

    def to_text(self):
        """The column as TEXT, each value as it is printed."""
        context = _context.current()
        return context.make(C.column_to_text, context, self, wrap=Column)

    def to_strings(self):
        """The column as an array of str, None where NULL; fast where values repeat, as addresses do."""
        if self._type in (TEXT, LIST, BOOL):
            return self.to_text().to_numpy()
        codes, texts = self.codes()
        return numpy.append(texts, None)[codes]

    def codes(self):
        """(codes, texts): for each row the index of its text, or -1 where NULL; the texts are distinct."""
        ids, values = self.dictionary()
        codes = ids.to_numpy().astype("i8" if len(values) > 0x7FFFFFFF else "i4")
        valid = ids.valid
        if valid is not None:
            codes[~valid] = -1
        return codes, values.to_text().to_numpy()

    def to_list(self):
        """Python objects: int, float, str, bytes, bool, None; addresses as text, times as int (ns since 1970)."""
        if self._type in ADDRESS_BYTES:
            return self.to_strings().tolist()
        if self._type == LIST:
            return [None if value is None else value.tolist() for value in self.to_numpy()]
        values = self.to_numpy()
        if self._type == TIME:
            values = values.view("i8")
        values = values.tolist()
        valid = self.valid if self._type not in (TEXT, BYTES) else None
        if valid is None:
            return values
        return [value if present else None for value, present in zip(values, valid.tolist())]

    def text(self, row, limit=64):
        """One value as text of at most `limit` bytes, None where NULL."""
        buffer = ctypes.create_string_buffer(limit + 1)
        row = range(len(self))[row]
        if C.column_get_text(self, row, buffer, len(buffer), None) == 0:
            return None
        return buffer.value.decode(errors="ignore")

    def __repr__(self):
        shown = [str(self.text(row)) for row in range(min(len(self), 6))]
        more = ", ..." if len(self) > 6 else ""
        return "<netfeat.Column %s, %d rows, %d NULL: %s%s>" % (
            self.type, len(self), self.nulls, ", ".join(shown), more)

    def __copy__(self):
        return self

    def __deepcopy__(self, _memo):
        return self


# ---- columns over numpy's memory ----

_borrowed = {}  # id of a wrapped buffer -> the arrays that it consists of


@release_fn
def _give_back(key):
    _borrowed.pop(key, None)


_CODES = {"u1": U8, "u2": U16, "u4": U32, "u8": U64, "i8": I64, "f8": F64, "M8": TIME}


def _prepare(values):
    """(type, array in the library's layout)"""
    array = numpy.asarray(values)
    if array.ndim == 2 and array.dtype == numpy.uint8 and array.shape[1] in (6, 16):
        return (IP if array.shape[1] == 16 else MAC), numpy.ascontiguousarray(array)
    if array.ndim != 1:
        raise TypeError("a column has one dimension (addresses: n x 16 or n x 6 bytes), not %d" % array.ndim)
    if array.dtype.kind == "M":
        array = array.astype("<M8[ns]", copy=False)
    elif array.dtype.kind == "i":
        array = array.astype("<i8", copy=False)
    elif array.dtype.kind == "f":
        array = array.astype("<f8", copy=False)
    elif array.dtype.kind == "u":
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    else:
        raise TypeError("no column type for %s" % array.dtype)
    return _CODES[array.dtype.str[1:3]], numpy.ascontiguousarray(array)


def wrap(values, valid=None):
    """Column over an array, shared where the layout allows it; valid: array of bool, False where NULL.

    Do not write to the array afterwards. Floats become f64, signed integers i64, datetime64 time_ns.
    """
    kind, array = _prepare(values)
    bits = None
    if valid is not None:
        valid = numpy.asarray(valid, bool)
        if valid.shape != array.shape[:1]:
            raise ValueError("%d values and %d flags" % (len(array), len(valid)))
        bits = numpy.packbits(valid, bitorder="little")
        array = array.copy()
        array[~valid] = numpy.zeros((), array.dtype)
    context = _context.current()
    key = id(array)
    _borrowed[key] = (array, bits)
    try:
        return context.make(C.column_wrap, context, kind, len(array), array.ctypes.data,
                            bits.ctypes.data if bits is not None and len(bits) else None, _give_back, key, wrap=Column)
    except BaseException:
        _borrowed.pop(key, None)
        raise
