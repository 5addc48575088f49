"""Drop-in for the helper module of a threat hunter's notebook, which built its frames with scapy and pandas.

    from netfeat.notebook import pcap_to_dataframe, extract_streams
"""

import decimal
import warnings

import numpy

from . import _flow, _frame, _source
from ._column import object_array, wrap
from ._steps import (
    describe,
    drop_incomplete,
    frequency_encoding,
    interarrival,
    numeric_address,
    one_hot_ports,
    seconds,
    time_column,
    total_bytes,
)
from ._table import Table, table as make_table

__all__ = ["describe", "drop_incomplete", "extract_streams", "frequency_encoding", "interarrival", "numeric_address",
           "one_hot_ports", "pcap_to_dataframe", "seconds", "total_bytes"]

TCP, UDP, ICMP = 6, 17, 1

_COLUMNS = ["timestamp", "captured_length", "ip_version", "src_ip", "dst_ip", "ip_protocol", "src_port", "dst_port",
            "icmp_type", "l4_offset", "payload"]


def _valid(column):
    valid = column.valid
    return numpy.ones(len(column), bool) if valid is None else valid


def _times(column):
    """Seconds since 1970 as decimal.Decimal, with six digits where they are exact, else with nine."""
    values = column.to_numpy().view("i8")
    digits = 9
    if not (values % 1000).any():
        values, digits = values // 1000, 6
    unit = decimal.Decimal((0, (1,), -digits))
    with decimal.localcontext(decimal.Context(prec=40)):  # 40: every product is exact
        times = object_array([decimal.Decimal(value) * unit for value in values.tolist()])
    times[~_valid(column)] = None
    return times


def _numbers(values, present):
    """int64, or float64 with NaN when something is missing: as pandas makes them of a list with None."""
    if present.all():
        return values.astype("i8")
    numbers = values.astype("f8")
    numbers[~present] = numpy.nan
    return numbers


def _masked(objects, present):
    objects[~present] = None
    return objects


#: ICMP messages whose fields go on behind the first 8 bytes (RFC 792, RFC 950): type -> how many bytes more.
_LONG_ICMP = {13: 12, 14: 12, 17: 4, 18: 4}


def _payloads(table, headed, icmp):
    payloads = _masked(table["payload"].to_numpy(), headed)
    kinds = table["icmp_type"].to_numpy()
    for row in numpy.flatnonzero(icmp & numpy.isin(kinds, list(_LONG_ICMP))):
        if payloads[row] is not None:
            payloads[row] = payloads[row][_LONG_ICMP[kinds[row]]:]
    return payloads


def pcap_to_dataframe(path, ipv6=True):
    """One row per packet of a capture, in file order, as a pandas.DataFrame.

    Timestamp       decimal.Decimal, seconds since 1970, exact
    Source IP, Destination IP       text, None without an IP header
    Source Port, Destination Port   of TCP or UDP, otherwise missing
    Payload         bytes behind the TCP, UDP or ICMP header without link padding; None without such a header
    Packet Length   bytes from the first byte of the TCP, UDP or ICMP header to the end of the captured frame; for
                    other packets the frame's captured length
    Protocol        IP protocol number (IPv6: behind the extension headers), missing without an IP header

    Of a packet in a tunnel, the columns are those of the outermost IP header, and the payload is the tunnel's.

    ipv6=False leaves addresses and Protocol of IPv6 packets missing, exactly as scapy's IP layer has it. Numbers are
    int64, or float64 with NaN where one is missing. A damaged capture gives the packets before the damage, and a
    warning.
    """
    import pandas  # pylint: disable=import-outside-toplevel

    table = _source.read(path, columns=_COLUMNS, tunnels="outermost", on_error="keep")
    for problem in table.errors:
        warnings.warn(str(problem), stacklevel=2)
    version = table["ip_version"].to_numpy()
    protocol = table["ip_protocol"].to_numpy()
    captured = table["captured_length"].to_numpy().astype("i8")
    addressed = _valid(table["ip_version"]) & ((version == 4) | ipv6)
    ports = _valid(table["src_port"]) & numpy.isin(protocol, (TCP, UDP))
    icmp = _valid(table["icmp_type"]) & (version == 4) & (protocol == ICMP)
    headed = (ports | icmp) & _valid(table["l4_offset"])
    return pandas.DataFrame({
        "Timestamp": _times(table["timestamp"]),
        "Source IP": _masked(table["src_ip"].to_strings(), addressed),
        "Destination IP": _masked(table["dst_ip"].to_strings(), addressed),
        "Source Port": _numbers(table["src_port"].to_numpy(), ports),
        "Destination Port": _numbers(table["dst_port"].to_numpy(), ports),
        "Payload": _payloads(table, headed, icmp),
        "Packet Length": numpy.where(headed, captured - table["l4_offset"].to_numpy(), captured),
        "Protocol": _numbers(protocol, addressed),
    }, copy=False)


_KEYS = ["Source IP", "Destination IP", "Source Port", "Destination Port", "Protocol"]


def _addresses(series):
    """n x 16 bytes out of texts; each distinct text is parsed once."""
    return _frame.addresses(*series.factorize())


def _frame_to_table(frame):
    complete = frame.dropna(subset=_KEYS)
    return make_table({
        "src_ip": _addresses(complete["Source IP"]), "dst_ip": _addresses(complete["Destination IP"]),
        "src_port": complete["Source Port"].to_numpy().astype("u2"),
        "dst_port": complete["Destination Port"].to_numpy().astype("u2"),
        "ip_protocol": complete["Protocol"].to_numpy().astype("u1"),
        "timestamp": time_column(complete["Timestamp"]),
        "length": complete["Packet Length"].to_numpy().astype("u4")})


def _packets_to_table(packets):
    """The packets of a table that have all keys, which is those of TCP and UDP, with the notebook's Packet Length."""
    headed = _valid(packets["src_port"]) & numpy.isin(packets["ip_protocol"].to_numpy(), (TCP, UDP))
    length = packets["captured_length"].to_numpy().astype("i8") - packets["l4_offset"].to_numpy()
    keys = packets[["src_ip", "dst_ip", "src_port", "dst_port", "ip_protocol", "timestamp"]]
    length = wrap(numpy.where(headed, length, 0).astype("u4"), headed)
    return keys.join(make_table({"length": length})).complete_rows(keys.columns[:5] + ["length"])


def extract_streams(packets):
    """One row per source, destination, ports and protocol, as a pandas.DataFrame: one direction of a conversation.

    packets is a frame that pcap_to_dataframe() made, whole or in part, or a packet table. Rows with a missing key are
    left out; order: ascending by the five keys, addresses as text. Columns: the keys, Number of Packets, Total Length
    (sum of Packet Length), Duration (float seconds, last minus first time).
    """
    is_table = isinstance(packets, Table)
    streams = _flow.flows_one_way(_packets_to_table(packets) if is_table else _frame_to_table(packets),
                                  length_column="length").to_pandas()
    for name in streams.columns[2:7]:
        streams[name] = streams[name].astype("i8")
    if not is_table:
        for name in _KEYS[2:]:  # ports that could be missing are floats in such a frame, and stay so
            streams[name] = streams[name].astype(packets[name].dtype)
    return streams
