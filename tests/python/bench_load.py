#!/usr/bin/python3
"""Loading a saved table against pandas.read_pickle of the same frame: seconds, best and median of five, in one run.
usage: bench_load.py [ROWS]"""

import os
import statistics
import sys
import tempfile
import time

import numpy
import pandas

import netfeat


def timed(function, repeat=5):
    seconds = []
    for _ in range(repeat):
        begin = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - begin)
    return min(seconds), statistics.median(seconds)


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
    number = numpy.arange(rows)
    address = numpy.zeros((rows, 16), "u1")
    address[:, 10:12] = 255
    address[:, 12:] = (number[:, None] * 2654435761 >> numpy.array([0, 8, 16, 24])) & 255
    table = netfeat.table({
        "timestamp": number * 1000000 + 1700000000 * 10**9, "src_port": (number % 65536).astype("u2"),
        "dst_port": (number * 7 % 65536).astype("u2"), "frame_length": (number % 1500).astype("u4"),
        "src_ip": address, "flags": (number % 256).astype("u1")})
    frame = table.to_pandas()
    with tempfile.TemporaryDirectory() as folder:
        arrow, pickled = os.path.join(folder, "t.arrow"), os.path.join(folder, "t.pkl")
        table.save(arrow)
        frame.to_pickle(pickled)
        plain = frame.drop(columns="src_ip")
        plain.to_pickle(pickled + ".numbers")
        ours = timed(lambda: netfeat.load(arrow))
        copied = timed(lambda: netfeat.load(arrow, load_mode="read"))
        theirs = timed(lambda: pandas.read_pickle(pickled))
        numbers = timed(lambda: pandas.read_pickle(pickled + ".numbers"))
    for name, (best, median) in (("netfeat.load, mapped", ours), ("netfeat.load, read", copied),
                                 ("pandas.read_pickle, numbers only", numbers),
                                 ("pandas.read_pickle, with text addresses", theirs)):
        print("%-42s best %9.3f ms  median %9.3f ms  %8.1f x" % (name, best * 1e3, median * 1e3, median / ours[1]))


main()
