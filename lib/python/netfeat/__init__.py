"""netfeat: packet captures become feature tables.

    import netfeat

    table = netfeat.read("capture.pcapng")
    table["dst_port"].to_numpy()
    table.complete_rows(["src_ip", "dst_ip", "src_port", "dst_port"]).to_pandas()

netfeat.fields() lists the columns, netfeat.options() the settings.
"""

import collections

from ._column import Column
from ._error import (
    AccessError,
    ArgumentError,
    CancelledError,
    ColumnTypeError,
    Error,
    FormatError,
    InternalError,
    IoError,
    LimitError,
    MissingFileError,
    NoMemoryError,
    NotFoundError,
    RangeError,
    StateError,
    TruncatedError,
    UnsupportedError,
)
from ._ffi import C, strings
from ._options import Option, options
from ._source import Batches, Packet, Source, batches, read
from ._table import Table, concat, table

#: Version of the library that is running.
version = strings(C.version_string)
__version__ = version

Field = collections.namedtuple("Field", "id name type unit null_rule help")


def fields():
    """The columns that a packet table can have."""
    found = []
    field = C.field_next(0)
    while field > 0:
        found.append(Field(field, strings(C.field_name, field), strings(C.type_name, C.field_type(field)),
                           strings(C.field_unit, field), strings(C.field_null_rule, field),
                           strings(C.field_help, field)))
        field = C.field_next(field)
    return found


__all__ = [
    "AccessError", "ArgumentError", "Batches", "CancelledError", "Column", "ColumnTypeError", "Error", "Field",
    "FormatError", "InternalError", "IoError", "LimitError", "MissingFileError", "NoMemoryError", "NotFoundError",
    "Option", "Packet", "RangeError", "Source", "StateError", "Table", "TruncatedError", "UnsupportedError",
    "batches", "concat", "fields", "options", "read", "table", "version",
]
