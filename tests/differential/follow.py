#!/usr/bin/env python3
"""Reassembled bytes against tshark's "follow stream", byte for byte.

usage: follow.py SOURCE_ROOT NETFEAT_STREAMS follow_differences.tsv
Every follow table of the shared collection ($NETFEAT_SHARED/oracle or SOURCE_ROOT/../shared/oracle), stream by
stream: length and SHA-256 of both directions. The list of differences says for each that remains which stream it is
and why; a line that explains nothing any more is an error. Exit code 77 when there is no collection."""
import collections
import csv
import hashlib
import json
import os
import pathlib
import subprocess
import sys

ROOT, PROGRAM, EXPLAINED = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], pathlib.Path(sys.argv[3])
SHARED = pathlib.Path(os.environ.get("NETFEAT_SHARED", ROOT.parent / "shared"))
# As tshark sees it: the first copy wins, no checksums, nothing is given up.
OPTIONS = ["--events", "--policy", "first", "--urgent", "inline", "--set", "stream.checksum=0",
           "--set", "stream.idle_ns=%d" % (9 * 10**18), "--set", "stream.half_open_ns=%d" % (9 * 10**18),
           "--set", "stream.linger_ns=%d" % (9 * 10**18), "--set", "stream.gap_timeout_ns=%d" % (9 * 10**18),
           "--set", "stream.ack_grace_ns=%d" % (9 * 10**18)]


def streams_of(capture):
    """{(client, server): [[bytes, missing] per direction, ...]} in the order of opening."""
    run = subprocess.run([PROGRAM, *OPTIONS, str(capture)], capture_output=True, check=False)
    if b": UNSUPPORTED: " in run.stderr:
        return None
    found = collections.defaultdict(list)
    for line in run.stdout.splitlines():
        ev = json.loads(line)
        ends = ev["flow"].split(">")
        key = tuple(sorted(ends))
        while len(found[key]) <= ev["nth"]:
            found[key].append({ends[0]: [bytearray(), 0], ends[1]: [bytearray(), 0]})
        if ev["ev"] in ("data", "urg", "gap"):
            side = found[key][ev["nth"]][ends[0] if ev["dir"] == "c2s" else ends[1]]
            if ev["ev"] == "gap":
                side[1] += ev["len"]
            else:
                side[0] += bytes.fromhex(ev["hex"])
    return found


def digest(data):
    return hashlib.sha256(data).hexdigest() if data else "-"


def compare(capture, table):
    """(streams compared, bytes of them, [(stream number, what differs), ...]); None: this build does not read it."""
    found, seen, rows, size = streams_of(capture), collections.Counter(), 0, 0
    different = []
    if found is None:
        print("%s: skipped, this build does not read it" % capture.name)
        return None
    for row in csv.DictReader(table.open(), delimiter="\t"):
        rows += 1
        key = tuple(sorted((row["client"], row["server"])))
        nth = seen[key]
        seen[key] += 1
        wanted = ((int(row["client_bytes"]), row["client_sha256"]), (int(row["server_bytes"]), row["server_sha256"]))
        size += wanted[0][0] + wanted[1][0]
        got = ((0, "-"), (0, "-"))
        if nth < len(found[key]):
            sides = found[key][nth]
            got = tuple((len(sides[end][0]), digest(sides[end][0])) for end in (row["client"], row["server"]))
        if got != wanted:
            different.append((row["stream"], "%s>%s: %s bytes, wanted %s" % (
                row["client"], row["server"], [g[0] for g in got], [w[0] for w in wanted])))
    return rows, size, different


def main():
    tables = sorted((SHARED / "oracle").glob("**/*.follow.tsv")) if (SHARED / "oracle").is_dir() else []
    if not tables:
        print("no follow tables in", SHARED / "oracle")
        return 77
    explained = {}
    for line in EXPLAINED.read_text().splitlines():
        if line and not line.startswith("#"):
            path, stream, reason = line.split("\t")
            explained[path, stream] = reason
    used, failures, rows, size, read = set(), 0, 0, 0, 0
    for table in tables:
        path = table.relative_to(SHARED / "oracle").as_posix()[:-len(".follow.tsv")]
        result = compare(SHARED / "captures" / path, table)
        if result is None:
            used.update(key for key in explained if key[0] == path)
            continue
        read += 1
        rows += result[0]
        size += result[1]
        for stream, what in result[2]:
            if (path, stream) in explained:
                used.add((path, stream))
            else:
                failures += 1
                print("%s: stream %s: %s" % (path, stream, what))
    for path, stream in sorted(set(explained) - used):
        failures += 1
        print("%s: stream %s is the same: take it off the list" % (path, stream))
    print("%d of %d captures, %d streams, %d bytes: %d streams equal, %d explained differences, %d failures" % (
        read, len(tables), rows, size, rows - len(used) - failures, len(used), failures))
    return 1 if failures else 0


sys.exit(main())
