"""Tables as pandas frames."""

import numpy

from . import _column

_NULLABLE = {_column.U8: "u1", _column.U16: "u2", _column.U32: "u4", _column.U64: "u8", _column.I64: "i8"}


def _addresses(pandas, column, how):
    if how == "text":
        return column.to_strings()
    if how == "category":
        codes, texts = column.codes()
        return pandas.Categorical.from_codes(codes, categories=pandas.Index(texts, dtype=object))
    if how == "bytes":
        width = column.to_numpy().shape[1]
        data = column.to_numpy().tobytes()
        values = _column.object_array([data[i:i + width] for i in range(0, len(data), width)])
        valid = column.valid
        if valid is not None:
            values[~valid] = None
        return values
    raise ValueError('addresses are "text", "category" or "bytes", not %r' % (how,))


def _nullable(pandas, kind, values, valid):
    mask = numpy.zeros(len(values), bool) if valid is None else ~valid
    if kind == _column.BOOL:
        return pandas.arrays.BooleanArray(values, mask)
    if kind == _column.F64:
        return pandas.arrays.FloatingArray(values, mask)
    return pandas.arrays.IntegerArray(values, mask)


def _plain(kind, values, valid):
    if valid is None:
        return values
    if kind == _column.BOOL:
        values = values.astype(object)
        values[~valid] = None
    else:
        values = values.astype("f8")
        values[~valid] = numpy.nan
    return values


def _series(pandas, column, nullable, addresses, copy):
    kind = column._type  # pylint: disable=protected-access
    if kind in _column.ADDRESS_BYTES:
        return _addresses(pandas, column, addresses)
    values = column.to_numpy()
    if values.dtype == object:
        return values
    if copy and not values.flags.writeable:
        values = values.copy()
    valid = column.valid
    if kind == _column.TIME:
        if valid is not None:
            values = values if values.flags.writeable else values.copy()
            values[~valid] = numpy.datetime64("NaT")
        return values
    if nullable:
        return _nullable(pandas, kind, values, valid)
    return _plain(kind, values, valid)


def frame(table, nullable, addresses, copy):
    """See Table.to_pandas()."""
    import pandas  # pylint: disable=import-outside-toplevel

    columns = {name: _series(pandas, table[name], nullable, addresses, copy) for name in table.columns}
    return pandas.DataFrame(columns, index=pandas.RangeIndex(len(table)), copy=False)
