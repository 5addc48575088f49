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
from ._export import Writer, from_arrow, load, writer
from ._feature import (
    Accumulator,
    Encoder,
    Pipeline,
    catalogue,
    cumulative,
    cumulative_bytes,
    damped,
    describe,
    direction,
    frequency,
    incomplete_rows,
    interarrival,
    ip_numeric,
    ip_private,
    minmax_scale,
    mirai_syn,
    onehot,
    ordinal,
    payload_entropy,
    payload_histogram,
    port_class,
    ports,
    standard_scale,
    tcp_flags,
    timestamp,
    value_counts,
    window,
)
from ._flow import FlowColumn, Flows, flow_columns, flow_profiles, flows, flows_one_way, save_packets
from ._ffi import C, strings
from ._options import Option, options
from ._push import PushSource
from ._source import Batches, Packet, Source, batches, read
from ._stream import Endpoint, Gap, Stream, StreamEvent, stream_events, stream_table, streams
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
    "AccessError", "Accumulator", "ArgumentError", "Batches", "CancelledError", "Column", "ColumnTypeError",
    "Encoder", "Endpoint", "Error", "Field", "FlowColumn", "Flows", "FormatError", "Gap", "InternalError", "IoError",
    "LimitError", "MissingFileError", "NoMemoryError", "NotFoundError", "Option", "Packet", "Pipeline", "PushSource",
    "RangeError", "Source", "StateError", "Stream", "StreamEvent", "Table", "TruncatedError", "UnsupportedError",
    "Writer", "batches", "catalogue", "concat", "cumulative", "cumulative_bytes", "damped", "describe", "direction",
    "fields", "flow_columns", "flow_profiles", "flows", "flows_one_way", "frequency", "from_arrow", "incomplete_rows",
    "interarrival", "ip_numeric", "ip_private", "load", "minmax_scale", "mirai_syn", "onehot", "options", "ordinal",
    "payload_entropy", "payload_histogram", "port_class", "ports", "read", "standard_scale", "stream_events",
    "stream_table", "streams", "table", "tcp_flags", "timestamp", "value_counts", "version", "window", "writer",
]
