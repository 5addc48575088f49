"""Columns out of what pandas and numpy hold: numbers, times, addresses as text; what is missing becomes NULL."""

import ipaddress
import re

import numpy

from . import _column
from ._column import Column, wrap
from ._ffi import C

_INTEGERS = (_column.U8, _column.U16, _column.U32, _column.U64, _column.I64)
_MAC = re.compile(r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}")


def pack_address(text):
    """An IP address in 16 bytes, as the library keeps it."""
    address = ipaddress.ip_address(text)
    return (bytes(10) + b"\xff\xff" + address.packed) if address.version == 4 else address.packed


def _pack_mac(text):
    if _MAC.fullmatch(text) is None:
        raise ValueError("no address: %r" % text)
    return bytes.fromhex(text.replace(":", "").replace("-", ""))


def addresses(codes, texts):
    """n x 16 or n x 6 bytes out of distinct texts and, for each row, which of them it has (-1: none, zeros)."""
    pack = _pack_mac if len(texts) and _MAC.fullmatch(texts[0]) else pack_address
    width = 6 if pack is _pack_mac else 16
    packed = numpy.frombuffer(b"".join(map(pack, texts)) + bytes(width), "u1").reshape(-1, width)
    return numpy.ascontiguousarray(packed[codes])


def field_type(name):
    """Type of the packet table's column of this name, or None."""
    field = C.field_by_name(name.encode()) if isinstance(name, str) else -1
    return C.field_type(field) if field > 0 else None


def _texts(values):
    """n x 16 or n x 6 bytes out of addresses as texts or as so many bytes; and which are there."""
    import pandas  # pylint: disable=import-outside-toplevel

    codes, texts = pandas.factorize(values)
    if all(isinstance(text, bytes) and len(text) == len(texts[0]) for text in texts) and len(texts[0]) in (6, 16):
        width = len(texts[0])
        return numpy.frombuffer(b"".join(texts) + bytes(width), "u1").reshape(-1, width)[codes], codes >= 0
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("values of type %s" % next(type(text).__name__ for text in texts if not isinstance(text, str)))
    try:
        return addresses(codes, list(texts)), codes >= 0
    except ValueError as problem:
        raise TypeError("texts other than addresses (%s)" % problem) from None


def _series(series):
    """(array, valid) of a pandas.Series."""
    import pandas  # pylint: disable=import-outside-toplevel

    if isinstance(series.dtype, pandas.CategoricalDtype):
        codes = series.cat.codes.to_numpy()
        values, valid = _array(series.cat.categories.to_numpy())
        valid = numpy.ones(len(values), bool) if valid is None else valid
        if len(values) == 0:
            return numpy.zeros(len(series)), numpy.zeros(len(series), bool)
        return values[codes], valid[codes] & (codes >= 0)
    if isinstance(series.dtype, pandas.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    missing = series.isna().to_numpy()
    if pandas.api.types.is_extension_array_dtype(series.dtype):
        numbers = series.dtype.name.lower()
        if numbers == "string":
            return _texts(series.to_numpy(object))
        return series.to_numpy("u1" if numbers == "boolean" else numbers, na_value=0), ~missing
    return _array(series.to_numpy())


def _array(values):
    """(array, valid or None) of a numpy array."""
    if values.dtype.kind in "OU":
        present = [value for value in values.tolist() if value is not None and value == value]
        if not present:
            return numpy.zeros(len(values)), numpy.zeros(len(values), bool)
        if not all(isinstance(value, (bool, int, float, numpy.number)) for value in present):
            return _texts(values.astype(object))
        values = numpy.array([numpy.nan if value is None else value for value in values.tolist()], "f8")
    if values.dtype.kind == "b":
        return values.astype("u1"), None
    if values.dtype.kind == "f":
        return values, ~numpy.isnan(values)
    if values.dtype.kind == "M":
        return values, ~numpy.isnat(values)
    return values, None


def _to_integers(values, valid, kind):
    """The values as integers of this type; ValueError when one does not fit."""
    values = values if valid is None else numpy.where(valid, values, numpy.zeros((), values.dtype))
    with numpy.errstate(invalid="ignore"):
        integers = values.astype(_column.DTYPES[kind])
    # back again: 2**63 as a float and 300 as u8 come out different
    same = (integers == values) & ((integers < 0) == (values < 0))
    if not same.all():
        raise ValueError("%s does not fit %s" % (values[~same][0], C.type_name(kind).decode()))
    return integers


def _convert(values, valid, kind):
    """The array for a column of this type."""
    width = _column.ADDRESS_BYTES.get(kind)
    if width is not None or values.ndim == 2:
        if width is not None and values.ndim == 1 and valid is not None and not valid.any():
            return numpy.zeros((len(values), width), "u1")  # all are missing: any type will do
        if width is None or values.ndim != 2 or values.shape[1] != width:
            raise ValueError("no %s" % C.type_name(kind).decode())
        return values
    if (kind == _column.TIME) != (values.dtype.kind == "M"):
        if valid is not None and not valid.any():
            return numpy.zeros(len(values), _column.DTYPES[kind])
        raise ValueError("%s, not %s" % (values.dtype, C.type_name(kind).decode()))
    if kind in _INTEGERS:
        return _to_integers(values, valid, kind)
    return values.astype(_column.DTYPES[kind], copy=False)


def whole(values, valid):
    """Are these floats integers, as pandas keeps integers when some are missing?"""
    if values.dtype.kind != "f":
        return False
    present = values if valid is None else values[valid]
    return bool((present == numpy.rint(present)).all() and (numpy.abs(present) < 2.0**53).all())


def column(values, kind=None, name="", categories=False):
    """Column out of a Column, a pandas.Series or an array.

    kind        its type (NETFEAT_TYPE_*), or None: that of the packet table's column `name` where the values fit it,
                else what the array has; what does not fit is a ValueError
    categories  floats that are whole numbers become integers
    """
    if isinstance(values, Column):
        if kind is None or values._type == kind:  # pylint: disable=protected-access
            return values
        array, valid = values.to_numpy(), values.valid
        if array.dtype == object:
            raise TypeError("column %s is %s, not %s" % (name, values.type, C.type_name(kind).decode()))
    else:
        try:
            array, valid = _series(values) if hasattr(values, "iloc") else _array(numpy.asarray(values))
        except TypeError as problem:
            raise TypeError("column %s holds %s" % (name, problem)) from None
    wanted = kind if kind is not None else field_type(name)
    if wanted in _column.DTYPES:
        try:
            return wrap(_convert(array, valid, wanted), valid)
        except ValueError as problem:
            if kind is not None:
                raise ValueError("column %s: %s" % (name, problem)) from None
    elif kind is not None:
        raise TypeError("column %s: no %s can be made of an array" % (name, C.type_name(kind).decode()))
    if categories and whole(array, valid):
        array = _to_integers(array, valid, _column.I64)
    return wrap(array, valid)
