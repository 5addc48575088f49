"""Tables: named columns of equal length, immutable, in the library's memory."""

import ctypes

import numpy

from . import _context, _options, _pandas
from ._column import Column, wrap
from ._ffi import C, Handle, strings

_PREVIEW_ROWS = 5
_PREVIEW_WIDTH = 120


def check_key(key):
    """The secret of pseudonyms as bytes, or None."""
    if key is not None and not isinstance(key, (bytes, bytearray, memoryview)):
        raise TypeError("a key of 32 bytes, not %s" % type(key).__name__)
    return None if key is None else bytes(key)


class Table:
    """len(t), t.columns, t["src_port"], t[["src_ip", "dst_ip"]], t[10:20], t.to_pandas(), ...

    errors    what was wrong with the inputs, when netfeat.read(..., on_error="keep") read it
    counters  of the inputs: how many records were read, delivered, filtered, ...; {} when it was not read
    """

    def __init__(self, pointer, errors=(), counters=None):
        """Takes over the reference to a sealed table."""
        self._handle = Handle(pointer, C.table_unref)
        self._as_parameter_ = self._handle
        self.errors = tuple(errors)
        self.counters = dict(counters or {})

    def __len__(self):
        return C.table_rows(self)

    @property
    def columns(self):
        """The columns' names, in order."""
        return [strings(C.table_name, self, i) for i in range(C.table_width(self))]

    def __iter__(self):
        return iter(self.columns)

    def __contains__(self, name):
        return isinstance(name, str) and C.table_find(self, name.encode()) >= 0

    def _index(self, name):
        index = C.table_find(self, name.encode())
        if index < 0:
            raise KeyError(name)
        return index

    def _indexes(self, names):
        if isinstance(names, str):
            raise TypeError("a list of names, not one name")
        indexes = [self._index(name) for name in names]
        return (ctypes.c_int * len(indexes))(*indexes), len(indexes)

    def __getitem__(self, key):
        if isinstance(key, str):
            return Column(C.column_ref(C.table_column(self, self._index(key))))
        if isinstance(key, slice):
            first, last, step = key.indices(len(self))
            if step != 1:
                return self.take(numpy.arange(first, last, step, dtype="i8"))
            return self.slice(first, last - first)
        if isinstance(key, (list, tuple)):
            return self.select(key)
        raise TypeError("a name, a list of names, or a slice of rows; for rows by number use take()")

    def _make(self, function, *arguments):
        context = _context.current()
        return context.make(function, context, self, *arguments, wrap=Table)

    def select(self, names):
        """Only these columns, in this order; shared."""
        return self._make(C.table_select, *self._indexes(names))

    def slice(self, first, count=None):
        """`count` rows from row `first` on (all when None); shared. Both are cut at the end of the table."""
        first = min(max(first, 0), len(self))
        rest = len(self) - first
        return self._make(C.table_slice, first, rest if count is None else min(max(count, 0), rest))

    def head(self, rows=5):
        """The first rows."""
        return self.slice(0, rows)

    def take(self, rows):
        """The rows with these numbers, in this order; or those where an array of bool is true."""
        rows = numpy.asarray(rows)
        if rows.dtype == bool:
            if rows.shape != (len(self),):
                raise ValueError("%d flags for %d rows" % (rows.size, len(self)))
            rows = numpy.flatnonzero(rows)
        elif rows.size and rows.dtype.kind not in "iu":
            raise TypeError("row numbers are integers, not %s" % rows.dtype)
        rows = numpy.ascontiguousarray(rows.ravel(), "i8")
        return self._make(C.table_take, rows.ctypes.data, len(rows))

    def complete_rows(self, names=None):
        """Only the rows where none of these columns (None: none of all) is NULL."""
        if names is None:
            return self._make(C.table_complete_rows, None, 0)
        indexes, count = self._indexes(names)
        return self if count == 0 else self._make(C.table_complete_rows, indexes, count)

    def anonymize(self, key, payload=False):
        """The table with pseudonyms for its addresses, to give away. key: 32 secret bytes.

        IP addresses keep their common prefixes (Crypto-PAn), MAC addresses do not; the same key gives the same
        pseudonyms, so that tables still join. Payload, texts and lists are left out unless payload is true; times,
        lengths and ports stay as they are.
        """
        key = check_key(key)
        if key is None:
            raise TypeError("a key of 32 bytes, not None")
        context = _context.current()
        opts = _options.build(context, {"keep_payload": bool(payload)}, ("table",))
        return context.make(C.table_anonymize, context, self, key, len(key), opts, wrap=Table)

    def join(self, other):
        """The columns of both side by side; shared."""
        if not isinstance(other, Table):
            raise TypeError("a netfeat.Table, not %s" % type(other).__name__)
        return self._make(C.table_join, other)

    def to_pandas(self, nullable=False, addresses="text", copy=True):
        """The table as a pandas.DataFrame.

        nullable   False: as pandas makes them, a number that may be missing is a float64 with NaN (exact up to
                   2**53); True: pandas' nullable types, exact, missing is pandas.NA
        addresses  "text" (objects), "category" (smaller and faster), or "bytes" (as in the table)
        copy       False: share numbers and times with the table where possible, read-only

        Times are datetime64[ns], UTC without a zone, NaT where missing. Texts, addresses and payloads: None.
        """
        return _pandas.frame(self, nullable, addresses, copy)

    def _preview(self):
        names = self.columns
        rows = range(min(len(self), _PREVIEW_ROWS))
        lines = [""] * (len(rows) + 1)
        shown = 0
        for name in names:
            column = self[name]
            cells = [name] + ["" if column.text(row, 30) is None else column.text(row, 30) for row in rows]
            width = max(map(len, cells))
            if shown and len(lines[0]) + width + 2 > _PREVIEW_WIDTH:
                break
            lines = [line + ("  " if shown else "") + cell.rjust(width) for line, cell in zip(lines, cells)]
            shown += 1
        if len(self) > len(rows):
            lines.append("...")
        if shown < len(names):
            lines.append("and: " + ", ".join(names[shown:]))
        return lines

    def __repr__(self):
        title = "<netfeat.Table: %d rows, %d columns>" % (len(self), len(self.columns))
        return "\n".join([title] + self._preview())

    def __copy__(self):
        return self

    def __deepcopy__(self, _memo):
        return self


def concat(tables, errors=(), counters=None):
    """The rows of all tables, one after the other; the tables have the same columns."""
    tables = list(tables)
    if not all(isinstance(table, Table) for table in tables):
        raise TypeError("a list of netfeat.Table")
    handles = (ctypes.c_void_p * len(tables))(*[table._handle._as_parameter_ for table in tables])
    context = _context.current()
    return context.make(C.table_concat, context, handles, len(tables),
                        wrap=lambda pointer: Table(pointer, errors, counters))


def table(columns):
    """A table out of {name: Column or numpy array}; arrays are shared where their layout allows it, so do not write
    to them afterwards."""
    made = {name: column if isinstance(column, Column) else wrap(column) for name, column in columns.items()}
    names = (ctypes.c_char_p * len(made))(*[name.encode() for name in made])
    handles = (ctypes.c_void_p * len(made))(*[column._handle._as_parameter_ for column in made.values()])
    context = _context.current()
    return context.make(C.table_from_columns, context, names, handles, len(made), wrap=Table)
