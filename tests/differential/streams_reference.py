"""netfeat.notebook.extract_streams against the same function written with pandas, all columns.

Every readable capture of the shared collection and of examples/data, with IPv6 and without: streams of the frame that
pcap_to_dataframe makes (scapy_compare.py is about that frame), of the packet table, and of the engine fed in batches.
"""

import collections
import sys
import warnings

import compare

try:
    import numpy
    import pandas
except ImportError as missing:
    compare.skip("%s is not installed" % missing.name)

import netfeat
from netfeat.notebook import extract_streams, pcap_to_dataframe

KEYS = ["Source IP", "Destination IP", "Source Port", "Destination Port", "Protocol"]
COLUMNS = KEYS + ["Number of Packets", "Total Length", "Duration"]
FIELDS = ["src_ip", "dst_ip", "src_port", "dst_port", "ip_protocol", "timestamp", "captured_length", "l4_offset"]
BATCH = 61
TOOL = "pandas"


def duration(times):
    """Seconds between the first and the last time that is known, by value."""
    known = [time for time in times if time is not None]
    return float(max(known) - min(known)) if known else numpy.nan


def grouped(frame):
    """extract_streams as a notebook has it."""
    frame = frame.dropna(subset=KEYS)
    if not len(frame):
        return pandas.DataFrame({name: [] for name in COLUMNS})
    groups = frame.groupby(KEYS, sort=True)
    streams = groups["Packet Length"].agg(["count", "sum"])
    streams["Duration"] = groups["Timestamp"].agg(duration).astype("f8")
    streams = streams.reset_index()
    streams.columns = COLUMNS
    return streams


def rows_of(frame):
    """Rows as tuples, in order; NaN is None."""
    columns = [[None if value != value else value for value in frame[name].tolist()] for name in COLUMNS]
    return list(zip(*columns))


def in_batches(packets):
    """What the engine gives for the table that extract_streams() would hand to it, in pieces."""
    engine = netfeat.Flows(profile="notebook", length_column="length")
    for first in range(0, len(packets), BATCH):
        engine.feed(packets[first:first + BATCH])
    return engine.end().take()


def differences(view, want, got):
    """Differences of two lists of rows."""
    if len(want) != len(got):
        return [compare.Difference(0, view + ": streams", len(want), len(got), None)]
    return [compare.Difference(number, "%s: %s" % (view, name), theirs, ours, None)
            for number, (left, right) in enumerate(zip(want, got), 1)
            for name, theirs, ours in zip(COLUMNS, left, right) if theirs != ours]


def one(name, limit):
    """Result for one capture; its numbers are those of streams."""
    path = str(compare.captures()[name])
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frames = {"ipv6": pcap_to_dataframe(path), "no ipv6": pcap_to_dataframe(path, ipv6=False)}
    for view, frame in frames.items():
        frame = frame.head(limit) if limit else frame
        want, streams = grouped(frame), extract_streams(frame)
        found += differences(view, rows_of(want), rows_of(streams))
        if len(want) and (list(streams.columns) != COLUMNS or (streams.dtypes != want.dtypes).any()):
            found.append(compare.Difference(0, view + ": dtypes", dict(want.dtypes), dict(streams.dtypes), None))
    packets = netfeat.read(path, columns=FIELDS, tunnels="outermost", on_error="keep")
    packets = packets[:limit] if limit else packets
    want = rows_of(grouped(frames["ipv6"].head(limit) if limit else frames["ipv6"]))
    found += differences("table", want, rows_of(extract_streams(packets)))
    keyed = netfeat.notebook._packets_to_table(packets)  # pylint: disable=protected-access
    whole, pieces = netfeat.flows_one_way(keyed, length_column="length"), in_batches(keyed)
    for column in whole.columns:
        if whole[column].to_list() != pieces[column].to_list():
            found.append(compare.Difference(0, "batches: " + column, "one go", "batches", None))
    return compare.Result(name, len(packets), found, collections.Counter(), None)


def main():
    """The exit code."""
    options = compare.arguments(__doc__, limit=None)
    names = options.captures or list(compare.captures())
    if not names:
        compare.skip("no captures")
    return compare.run(TOOL, one, options, names)


if __name__ == "__main__":
    sys.exit(main())
