#!/usr/bin/env python3
"""Flows of captures in shards, merged: the same as those of the whole, or refused with a reason.

usage: flows_shards.py [--limit N] [--full] [--jobs N] [CAPTURE...]
Each capture of the shared collection and of our own samples, up to --limit packets of it, is cut at random into shards
by time, and divided into shards by key, for several settings; the shards are merged in random order (neighbours, where
cut by time), some of them by way of their saved state. Shards by key must never be refused. Without the collection the
samples alone are taken."""

import collections
import multiprocessing
import random
import re
import sys
import zlib

import compare

try:
    import numpy
except ImportError:
    compare.skip("numpy is not installed")

import netfeat

#: What the later part of a flow cannot say without the earlier one: netfeat/flow.h, netfeat_flows_merge().
ALONE = re.compile("retransmitted|out_of_order|gap_bytes|zero_window|initial_window|rtt|tcp_state|history|conn_state|"
                   "active_|idle_|bulk")
TWO_WAYS = re.compile("fwd_|bwd_|direction")
SECOND = 1000000000
#: name -> (options, ways of cutting that may be refused, ways that may not)
SETTINGS = {
    "two-way": ({"columns": None}, ["time"], ["key"]),
    "two-way, short time-outs": ({"columns": None, "idle_ns": SECOND, "active_ns": 3 * SECOND}, ["time"], ["key"]),
    "two-way, no time-outs": ({"columns": None, "idle_ns": 0, "active_ns": 0, "end_on_fin_rst": False,
                               "max_fragments": 0}, [], ["time", "key"]),
    "one-way": ({"columns": None, "bidirectional": False}, ["time"], ["key"]),
    "two-way, all columns": ({"columns": "*"}, ["time"], ["key"]),
    "notebook": ({"profile": "notebook"}, [], ["time", "key"]),
    "nfstream": ({"profile": "nfstream"}, ["time", "key"], []),
    "cic": ({"profile": "cic"}, ["time"], ["key"]),
    "zeek": ({"profile": "zeek"}, ["time"], ["key"]),
}


def complete(options):
    """The options with the columns that may be merged, where all of those are meant."""
    if options.get("columns", "*") is not None:
        return options
    names = [column.name for column in netfeat.flow_columns() if not ALONE.search(column.name)]
    if not options.get("bidirectional", True):
        names = [name for name in names if not TWO_WAYS.search(name)]
    return {**options, "columns": ",".join(names)}


def content(table):
    """Something that is equal for equal tables."""
    return [(name, [str(value) for value in table[name].to_list()]) for name in table.columns]


def pair_of(table):
    """A number for each row: the same for both directions between two hosts."""
    ends = [[zlib.crc32(str(value).encode()) if value is not None else None for value in table[name].to_list()]
            for name in ("src_ip", "dst_ip")]
    return numpy.array([0 if a is None or b is None else a ^ b for a, b in zip(*ends)], dtype=numpy.uint32)


def cut(table, way, rng):
    """Shards of a table."""
    n = len(table)
    k = rng.randint(2, 4)
    if way == "key":
        part = pair_of(table) % k
        return [table.take(numpy.nonzero(part == i)[0]) for i in range(k)]
    ends = sorted(rng.randint(0, n) for _ in range(k - 1))
    return [table.slice(a, b - a) for a, b in zip([0] + ends, ends + [n])]


def flows_of(table, options, rng):
    """Table of flows that was fed with a shard, as it is or loaded from its state, ended or not."""
    made = netfeat.Flows(**options)
    made.feed(table)
    if rng.random() < 0.3:
        made.end()
    if rng.random() < 0.3:
        made = netfeat.Flows.from_table(made.to_table(), **options)
    return made


def merged(shards, way, rng):
    """All of them in one: any two if cut by key, neighbours if cut by time."""
    shards = list(shards)
    while len(shards) > 1:
        i = rng.randrange(len(shards) - 1)
        j = rng.choice([x for x in range(len(shards)) if x != i]) if way == "key" else i + 1
        low, high = min(i, j), max(i, j)
        a, b = (shards[i], shards[j]) if rng.random() < 0.5 else (shards[j], shards[i])
        shards[low] = a.merge(b)
        del shards[high]
    return shards[0].end().take()


def check(name, path, limit):
    """(what was done: Counter, failures)"""
    rng, count, failures = random.Random(zlib.crc32(name.encode())), collections.Counter(), []
    for setting, (options, may, must) in SETTINGS.items():
        options = complete(options)
        batches = netfeat.batches(str(path), rows=limit, on_error="keep",
                                  columns=netfeat.Flows(**options).inputs)
        table = next(iter(batches), None)
        if table is None:
            continue
        whole = content(netfeat.flows(table, **options))
        for way in may + must:
            shards = [flows_of(shard, options, rng) for shard in cut(table, way, rng)]
            try:
                same = content(merged(shards, way, rng)) == whole
                count["%s by %s: same" % (setting, way)] += 1
                if not same:
                    failures.append("%s: %s by %s differs" % (name, setting, way))
            except netfeat.UnsupportedError as error:
                count["%s by %s: refused" % (setting, way)] += 1
                if way in must:
                    failures.append("%s: %s by %s: %s" % (name, setting, way, error))
    return count, failures


def main():
    """The exit code."""
    options = compare.arguments(__doc__, 1000)
    paths = compare.captures()
    names = options.captures or sorted(paths)
    count, failures = collections.Counter(), []
    with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
        for done, wrong in pool.starmap(
                check, [(name, paths[name], options.limit or 1 << 20) for name in names], 4):
            count += done
            failures += wrong
    for what in sorted(count):
        print("%6d %s" % (count[what], what))
    for what in failures[:options.show]:
        print("DIFFERENT " + what)
    exact = [what for what in count if what.endswith("time: same")]
    print("%d captures, %d merged, %d refused, %d failures" % (
        len(names), sum(n for what, n in count.items() if what.endswith("same")),
        sum(n for what, n in count.items() if what.endswith("refused")), len(failures)))
    return 1 if failures or not exact else 0


if __name__ == "__main__":
    sys.exit(main())
