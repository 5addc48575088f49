#!/usr/bin/env python3
"""examples/python/duckdb_sql.py against the same questions answered without DuckDB.

usage: sql.py SOURCE_ROOT LIBDUCKDB      prints TAP"""
import collections
import csv
import io
import pathlib
import subprocess
import sys

ROOT, LIBRARY = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import tap  # noqa: E402

import netfeat  # noqa: E402

SCAN, BENIGN = (str(ROOT / "examples" / "data" / name) for name in ("mirai_scan.pcap", "benign.pcapng"))


def run(*arguments):
    done = subprocess.run([sys.executable, str(ROOT / "examples" / "python" / "duckdb_sql.py"), *arguments],
                          capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout, done.stderr


def answer(sql, *captures):
    code, out, err = run("--library", LIBRARY, sql, *captures)
    return list(csv.DictReader(io.StringIO(out))) if code == 0 else [code, err]


def differs(got, wanted):
    return [] if got == wanted else ["%r" % got, "wanted %r" % wanted]


def scanners():
    """Who asks for Telnet at how many addresses."""
    packets = netfeat.read(SCAN, columns=["src_ip", "dst_ip", "dst_port"])
    targets = collections.defaultdict(set)
    for src, dst, port in zip(*(packets[name].to_list() for name in packets.columns)):
        if port in (23, 2323):
            targets[src].add(dst)
    wanted = sorted(((len(found), str(src)) for src, found in targets.items()), key=lambda x: (-x[0], x[1]))
    return differs(
        answer("SELECT src_ip, count(DISTINCT dst_ip) AS n FROM packets WHERE dst_port IN (23, 2323) "
               "GROUP BY src_ip ORDER BY n DESC, src_ip", SCAN),
        [{"src_ip": src, "n": str(n)} for n, src in wanted])


def sums():
    """Counts, NULLs and times of two captures."""
    packets = netfeat.read([SCAN, BENIGN], columns=["timestamp", "frame_length", "src_port"])
    length, port = packets["frame_length"].to_list(), packets["src_port"].to_list()
    return differs(
        answer("SELECT count(*) AS n, count(src_port) AS ports, CAST(sum(frame_length) AS BIGINT) AS bytes, "
               "CAST(epoch_ns(min(timestamp)) AS BIGINT) AS first FROM packets", SCAN, BENIGN),
        [{"n": str(len(length)), "ports": str(sum(p is not None for p in port)), "bytes": str(sum(length)),
          "first": str(min(packets["timestamp"].to_list()))}])


def says(part, *arguments):
    code, out, err = run(*arguments)
    return [] if code == 1 and out == "" and part in err and "Traceback" not in err else [code, out, err]


with tap.Plan() as t:
    t.check("scanners", scanners())
    t.check("sums", sums())
    t.check("wrong SQL", says("Parser Error", "--library", LIBRARY, "SELEC 1", SCAN))
    t.check("no library", says("no-such.so", "--library", "no-such.so", "SELECT 1", SCAN))
    t.check("no capture", says("no-such.pcap", "--library", LIBRARY, "SELECT 1", "no-such.pcap"))
    t.check("a type that no table has", says("d:38,0", "--library", LIBRARY,
                                             "SELECT sum(frame_length) AS s FROM packets", SCAN))
