#!/usr/bin/python3
"""The notebook's features against pandas and numpy on the same frame, in the same run: nanoseconds a row, best of some
rounds, and how many times the library is faster. Times of the processor: a busy machine may be used.
usage: bench_pandas.py [ROWS [ROUNDS]]      without pandas every row says that it was skipped

What pandas gets is prepared beforehand where the notebook has it ready, addresses as text for example: as Table.to_pandas()
makes them, where equal cells are one object, and ("own texts") with a text of its own in each cell, as frames built row by
row have it. A column of addresses numbers its values when a feature first goes by it, and keeps the numbers; "first
use" has a column that nobody used before. `mix` has a few thousand hosts, skewed; in `scan` most destinations are seen once. apply is timed on a part
of the rows."""

import ipaddress
import sys
import time

import numpy

import netfeat

try:
    import pandas
except ImportError:
    pandas = None

APPLY_ROWS = 20000
PORTS = dict(zip(netfeat.ports("notebook")["value"].to_list(), netfeat.ports("notebook")["name"].to_list()))


def addresses(numbers):
    """n x 16 bytes, IPv4."""
    packed = numpy.zeros((len(numbers), 16), "u1")
    packed[:, 10:12] = 255
    packed[:, 12:] = numbers[:, None].astype("u8") >> numpy.array([24, 16, 8, 0], "u8") & 255
    return packed


def capture(rows, scan):
    """A packet table like a capture's."""
    random = numpy.random.default_rng(1)

    def skewed(n):
        return (random.random(rows) * random.random(rows) * n).astype("i8")

    ports = numpy.array([443, 80, 53, 22, 23, 2323, 123, 8080, 1900, 5353], "u2")[skewed(10)]
    ports = numpy.where(random.random(rows) < 0.25, random.integers(0, 65536, rows), ports).astype("u2")
    return netfeat.table({
        "timestamp": (1600000000 * 10**9 + numpy.cumsum(random.integers(0, 20000, rows))).view("M8[ns]"),
        "frame_length": (60 + (random.integers(0, 40, rows) if scan else skewed(1455))).astype("u4"),
        "src_ip": addresses(0x0A000000 + skewed(40000 if scan else 4000)),
        "dst_ip": addresses(random.integers(1 << 24, 0xE0000000, rows) if scan else 0xC0A80000 + skewed(4000)),
        "src_port": random.integers(1024, 65536, rows).astype("u2"), "dst_port": ports,
        "ip_protocol": numpy.where(random.random(rows) < 0.2, 17, 6).astype("u1"), "real": random.normal(size=rows)})


def ip_to_number(text):
    """As notebooks do it, row by row."""
    try:
        return int(ipaddress.ip_interface(text).network.network_address)
    except ValueError:
        return 0


def onehot_by_apply(frame):
    return pandas.DataFrame({name: frame.dst_port.apply(lambda port, wanted=value: 1 if port == wanted else 0)
                             for value, name in PORTS.items()})


def onehot_by_columns(frame):
    ports = frame.dst_port.to_numpy()
    return {name: ports == value for value, name in PORTS.items()}


def onehot_as_frame(frame):
    return pandas.DataFrame({name: (frame.dst_port == value).astype(int) for value, name in PORTS.items()})


def own_texts(series):
    """The same texts, each an object of its own."""
    return pandas.Series([text[:1] + text[1:] for text in series], dtype=object)


def timed(function, rows, rounds):
    best = None
    for _ in range(rounds):
        begin = time.process_time()
        function()
        taken = (time.process_time() - begin) * 1e9 / rows
        best = taken if best is None or taken < best else best
    return best


def cases(table, frame):
    """name, ours, theirs, do they need a part of the rows only (apply)"""
    part = None if frame is None else frame[:APPLY_ROWS]
    ids = netfeat.table({"id": table["src_ip"].dictionary()[0], "frame_length": table["frame_length"],
                         "timestamp": table["timestamp"]})
    numbers = None if frame is None else pandas.DataFrame({
        "id": ids["id"].to_numpy(), "frame_length": frame.frame_length, "timestamp": frame.timestamp})
    own = None if frame is None else pandas.DataFrame({
        "src_ip": own_texts(frame.src_ip), "frame_length": frame.frame_length, "timestamp": frame.timestamp})
    tuple5 = ["src_ip", "dst_ip", "src_port", "dst_port", "ip_protocol"]
    yield "running sum by src_ip", lambda: netfeat.cumulative_bytes(table, ["src_ip"]), \
        lambda: frame.groupby("src_ip").frame_length.cumsum(), False
    yield "running sum, first use", lambda: netfeat.cumulative_bytes(table[1:], ["src_ip"]), \
        lambda: frame.groupby("src_ip").frame_length.cumsum(), False
    yield "running sum, own texts", lambda: netfeat.cumulative_bytes(table, ["src_ip"]), \
        lambda: own.groupby("src_ip").frame_length.cumsum(), False
    yield "running sum by dst_ip", lambda: netfeat.cumulative_bytes(table, ["dst_ip"]), \
        lambda: frame.groupby("dst_ip").frame_length.cumsum(), False
    yield "running sum by numbers", lambda: netfeat.cumulative_bytes(ids, ["id"]), \
        lambda: numbers.groupby("id").frame_length.cumsum(), False
    yield "inter-arrival", lambda: netfeat.interarrival(table), lambda: frame.timestamp.diff(), False
    yield "inter-arrival by src_ip", lambda: netfeat.interarrival(table, ["src_ip"]), \
        lambda: frame.groupby("src_ip").timestamp.diff(), False
    yield "inter-arrival, first use", lambda: netfeat.interarrival(table[1:], ["src_ip"]), \
        lambda: frame.groupby("src_ip").timestamp.diff(), False
    yield "inter-arrival, own texts", lambda: netfeat.interarrival(table, ["src_ip"]), \
        lambda: own.groupby("src_ip").timestamp.diff(), False
    yield "inter-arrival by numbers", lambda: netfeat.interarrival(ids, ["id"]), \
        lambda: numbers.groupby("id").timestamp.diff(), False
    yield "seconds since 1970", lambda: netfeat.timestamp(table), \
        lambda: frame.timestamp.astype("i8") / 10**9, False
    yield "frequency of dst_port", lambda: netfeat.frequency(table["dst_port"]), \
        lambda: frame.dst_port.map(frame.dst_port.value_counts(normalize=True).to_dict()), False
    yield "27 ports, numpy by column", lambda: netfeat.onehot(table["dst_port"], ports=1, duplicates=1), \
        lambda: onehot_by_columns(frame), False
    yield "27 ports, pandas by column", lambda: netfeat.onehot(table["dst_port"], ports=1, duplicates=1), \
        lambda: onehot_as_frame(frame), False
    yield "27 ports, apply", lambda: netfeat.onehot(table["dst_port"], ports=1, duplicates=1), \
        lambda: onehot_by_apply(part), True
    yield "address to number, apply", lambda: netfeat.ip_numeric(table["src_ip"]), \
        lambda: part.src_ip.apply(ip_to_number), True
    yield "describe frame_length", lambda: netfeat.describe(table[["frame_length"]]), \
        lambda: frame[["frame_length"]].describe(), False
    yield "describe floats", lambda: netfeat.describe(table[["real"]]), lambda: frame[["real"]].describe(), False
    yield "one row per 5-tuple", lambda: netfeat.flows_one_way(table, length_column="frame_length"), \
        lambda: frame.groupby(tuple5).agg({"frame_length": ["count", "sum"], "timestamp": ["min", "max"]}), False
    yield "value counts of src_ip", lambda: netfeat.value_counts(table["src_ip"]), lambda: frame.src_ip.value_counts(), False


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 500000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    for scan in (False, True):
        table = capture(rows, scan)
        frame = None if pandas is None else table.to_pandas()
        print("%s, %d rows%15s %10s  ns a row" % ("scan" if scan else "mix", rows, "netfeat", "pandas"))
        for name, ours, theirs, apply in cases(table, frame):
            ns = timed(ours, rows, rounds + 1)
            if pandas is None:
                print("%-27s %8.2f %10s" % (name, ns, "skipped: pandas is not installed"))
                continue
            other = timed(theirs, min(APPLY_ROWS, rows) if apply else rows, 1 if apply else rounds)
            print("%-27s %8.2f %10.2f  %8.1f x" % (name, ns, other, other / ns))
        few = table[["timestamp", "frame_length", "src_ip", "dst_port", "ip_protocol"]]
        if pandas is not None:
            print("%-27s %8.2f" % ("to_pandas, src_ip as text", timed(few.to_pandas, rows, rounds + 1)))
            print("%-27s %8.2f" % ("to_pandas, src_ip category",
                                   timed(lambda: few.to_pandas(addresses="category"), rows, rounds + 1)))
        sys.stdout.flush()


main()
