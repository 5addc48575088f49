#!/usr/bin/env python3
"""Counts and bytes of bidirectional flows against tshark's TCP and UDP conversations.

usage: flows_conv.py flows_differences.tsv [--list]
Every conversation table of the shared collection, for captures without tunnels: frames and bytes of each direction of
each pair of endpoints. Flows end by nothing but the end of the input, so that there is one for each pair; non-first
fragments have no ports, and are left out on both sides. tshark rounds 10,000 bytes and more down to kB: those sums are
taken from its fields of every packet as well, where these find the same number of frames. The list of differences says for each
that remains which conversation it is and why; a line that explains nothing any more is an error. --list prints what
differs, as lines of the list without a reason. Exit code 77 when there is no collection."""

import collections
import csv
import gzip
import ipaddress
import pathlib
import re
import sys

import compare

try:
    import numpy  # noqa: F401  # pylint: disable=unused-import
except ImportError:
    compare.skip("numpy is not installed")

import netfeat

TCP, UDP = 6, 17
MPLS, PPPOE = 1, 3  # a label or a session below the only IP header: no tunnel as the issue of addresses goes
COLUMNS = ["packet_number", "timestamp", "src_ip", "dst_ip", "src_port", "dst_port", "ip_protocol", "frame_length",
           "icmp_type", "icmp_code", "tunnel_type"]
FLOW = {"profile": "flows", "bidirectional": True, "idle_ns": 0, "active_ns": 0, "end_on_fin_rst": False,
        "max_fragments": 0}
ENDS = ["ip_protocol", "src_ip", "src_port", "dst_ip", "dst_port"]
COUNTS = ["fwd_packets", "fwd_bytes", "bwd_packets", "bwd_bytes"]
UNITS = {"bytes": 1, "kB": 1000, "MB": 1000000}
LINE = re.compile(r"(\S+):(\d+) +<-> (\S+):(\d+) +(\d+) (\d+) (\w+) +(\d+) (\d+) (\w+) ")
SUFFIX = ".conv.txt.gz"

Side = collections.namedtuple("Side", "frames low high")  # bytes are in low .. high


def address(text):
    """Our spelling of an address."""
    value = ipaddress.ip_address(text)
    return str(getattr(value, "ipv4_mapped", None) or value)


def conversations(path):
    """{(protocol, source, destination): Side}; several streams of the same ends together."""
    found, protocol = {}, None
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            if line.endswith(" Conversations\n"):
                protocol = {"TCP": TCP, "UDP": UDP}[line.split()[0]]
            elif "<->" in line:
                parts = LINE.match(line).groups()
                ends = (address(parts[0]), int(parts[1])), (address(parts[2]), int(parts[3]))
                for key, (frames, size, unit) in (((protocol, ends[1], ends[0]), parts[4:7]),
                                                  ((protocol, *ends), parts[7:10])):
                    low = int(size) * UNITS[unit]
                    before = found.get(key, Side(0, 0, 0))
                    found[key] = Side(before.frames + int(frames), before.low + low,
                                      before.high + low + UNITS[unit] - 1)
    return {key: side for key, side in found.items() if side.frames}


def exact(path, sides):
    """The same, with the exact bytes where tshark's fields find the same frames; and how many rounded ones became so."""
    found = collections.defaultdict(lambda: [0, 0])
    if not path.is_file() or all(side.low == side.high for side in sides.values()):
        return sides, 0
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            for protocol, layer in (TCP, "tcp"), (UDP, "udp"):
                if row[layer + ".srcport"] and not row["icmp.type"] and not row["icmpv6.type"]:
                    source, destination = row["ip.src"] or row["ipv6.src"], row["ip.dst"] or row["ipv6.dst"]
                    if source:
                        sums = found[protocol, (address(source), int(row[layer + ".srcport"])),
                                     (address(destination), int(row[layer + ".dstport"]))]
                        sums[0] += 1
                        sums[1] += int(row["frame.len"])
    better = {key: Side(side.frames, found[key][1], found[key][1]) for key, side in sides.items()
              if side.low != side.high and found[key][0] == side.frames and side.low <= found[key][1] <= side.high}
    return {**sides, **better}, len(better)


def flows(path):
    """{(protocol, source, destination): [frames, bytes]}, or None for a capture with tunnels."""
    engine = netfeat.Flows(**FLOW)
    for batch in netfeat.batches(str(path), columns=COLUMNS, on_error="keep"):
        if not {None, MPLS, PPPOE}.issuperset(batch["tunnel_type"].to_list()):
            return None
        engine.feed(batch)
    table, found = engine.end().take(), {}
    for row in zip(*[table[name].to_list() for name in ENDS + COUNTS]):
        protocol, source, destination = row[0], row[1:3], row[3:5]
        if protocol in (TCP, UDP) and source[1] is not None:
            for key, frames, size in (((protocol, source, destination), *row[5:7]),
                                      ((protocol, destination, source), *row[7:9])):
                if frames:
                    before = found.get(key, (0, 0))
                    found[key] = before[0] + frames, before[1] + size
    return found


def name_of(key):
    """tcp 10.0.0.1:80>10.0.0.2:1024"""
    return "%s %s:%d>%s:%d" % ("tcp" if key[0] == TCP else "udp", *key[1], *key[2])


def differences(theirs, ours):
    """(conversation, what differs) of one capture."""
    for key in sorted(set(theirs) | set(ours)):
        want, (frames, size) = theirs.get(key, Side(0, 0, 0)), ours.get(key, (0, 0))
        if frames != want.frames or not want.low <= size <= want.high:
            yield name_of(key), "%d frames, %d bytes; tshark %d, %d to %d" % (frames, size, *want)


def explanations(path):
    """{(capture, conversation): reason}"""
    found = {}
    for number, line in enumerate(pathlib.Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            parts = line.split("\t")
            if len(parts) != 3 or not parts[2] or tuple(parts[:2]) in found:
                raise SystemExit("%s:%d: capture, conversation, reason; each once" % (path, number))
            found[parts[0], parts[1]] = parts[2]
    return found


def main():
    """The exit code."""
    shared, listing = compare.shared(), "--list" in sys.argv[2:]
    tables = sorted((shared / "oracle").glob("**/*" + SUFFIX)) if shared else []
    if not tables:
        compare.skip("no conversation tables")
    explained, used, failures = explanations(sys.argv[1]), set(), 0
    count = collections.Counter()
    for table in tables:
        capture = table.relative_to(shared / "oracle").as_posix()[:-len(SUFFIX)]
        try:
            ours = flows(shared / "captures" / capture)
        except netfeat.UnsupportedError:
            ours = None
        if ours is None:
            count["captures left out: tunnels, or not read by this build"] += 1
            continue
        theirs, better = exact(table.with_name(table.name[:-len(SUFFIX)] + ".tsv.gz"), conversations(table))
        count["captures"] += 1
        count["directions of conversations"] += len(theirs)
        count["rounded byte counts made exact"] += better
        count["byte counts only known to the kB"] += sum(side.low != side.high for side in theirs.values())
        for conversation, what in differences(theirs, ours):
            if (capture, conversation) in explained:
                used.add((capture, conversation))
            else:
                failures += 1
                print("%s\t%s\t%s" % (capture, conversation, "" if listing else what))
    stale = sorted(key for key in set(explained) - used if (shared / "captures" / key[0]).is_file())
    for capture, conversation in stale:
        print("%s: %s is the same: take it off the list" % (capture, conversation))
    print(", ".join("%d %s" % (n, what) for what, n in count.items()))
    print("%d explained differences, %d failures" % (len(used), failures + len(stale)))
    return 1 if failures or stale or not count["captures"] else 0


if __name__ == "__main__":
    sys.exit(main())
