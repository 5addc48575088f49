#!/usr/bin/env python3
"""netfeat-flows: its flows against the packets that netfeat-extract prints, its formats, and what it says about bad input.
usage: flows.py SOURCE_ROOT NETFEAT_FLOWS NETFEAT_EXTRACT"""
import collections
import csv
import io
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1]).resolve()
PROGRAM, EXTRACT = map(os.path.abspath, sys.argv[2:4])
SCAN, BENIGN = (str(ROOT / "examples" / "data" / name) for name in ("mirai_scan.pcap", "benign.pcapng"))
sys.path.insert(0, str(ROOT / "tests" / "support"))
import tap  # noqa: E402

KEYS = ["src_ip", "dst_ip", "src_port", "dst_port", "ip_protocol"]
PROFILES = {"notebook": "Number of Packets", "flows": "packets", "nfstream": "bidirectional_packets",
            "cic": "Total Fwd Packet", "cic2018": "Total Fwd Packet", "zeek": "orig_pkts"}


def run(*arguments, program=PROGRAM, data=None):
    done = subprocess.run([program, *arguments], input=data, capture_output=True, check=False, timeout=120)
    return done.returncode, done.stdout, done.stderr.decode()


def rows(*arguments):
    code, out, err = run(*arguments)
    if code != 0:
        raise AssertionError((code, err))
    return list(csv.DictReader(io.StringIO(out.decode())))


def packets(*captures):
    """Packets of each one-way stream, counted here."""
    count = collections.Counter()
    for capture in captures:
        _, out, _ = run("-c", ",".join(KEYS), capture, program=EXTRACT)
        for row in csv.DictReader(io.StringIO(out.decode())):
            if row["src_port"] and row["ip_protocol"] in ("6", "17"):
                count[tuple(row[key] for key in KEYS)] += 1
    return count


def differs(got, wanted):
    return [] if got == wanted else ["%.300r" % (got,), "wanted %.300r" % (wanted,)]


def one_way(*captures):
    got = {tuple(list(row.values())[:5]): int(row["Number of Packets"]) for row in rows(*captures)}
    return differs(got, dict(packets(*captures)))


def both_ways():
    """Every packet of a pair of endpoints is in one of its flows."""
    wanted, got = collections.Counter(), collections.Counter()
    for (src, dst, sport, dport, protocol), n in packets(BENIGN).items():
        wanted[frozenset(((src, sport), (dst, dport))), protocol] += n
    for row in rows("--bidirectional", "-c", ",".join(KEYS) + ",packets", BENIGN):
        if row["ip_protocol"] in ("6", "17"):
            ends = frozenset(((row["src_ip"], row["src_port"]), (row["dst_ip"], row["dst_port"])))
            got[ends, row["ip_protocol"]] += int(row["packets"])
    return differs(got, wanted)


def profile(name, column):
    found = rows("--profile", name, BENIGN)
    return [] if found and column in found[0] else ["%d rows, columns %s" % (len(found), list(found[0]) if found else "")]


def columns(*arguments):
    code, out, err = run(*arguments, SCAN)
    return out.decode().partition("\n")[0].split(",") if code == 0 else [code, err]


def options():
    """--profile and --bidirectional are options of the library, too; whichever way they are set."""
    zeek, both, one = columns("--profile", "zeek"), columns("--bidirectional"), columns("--profile", "flows")
    wrong = differs(columns("-O", "flow.profile=zeek"), zeek) + differs(columns("--bidirectional", "--profile", "zeek"), zeek)
    wrong += differs(columns("-O", "flow.bidirectional=1", "--profile", "flows"), both)
    wrong += differs(columns("--bidirectional", "-O", "flow.profile=flows"), both)
    wrong += differs(columns("--profile", "flows", "-O", "flow.bidirectional=0"), one)
    return wrong + ([] if "fwd_packets" in both and "fwd_packets" not in one else ["%s, %s" % (both, one)])


def formats(folder):
    wrong = []
    _, want, _ = run("--bidirectional", BENIGN)
    for ending, first in (("csv", want[:64]), ("arrow", b"ARROW1"), ("arrows", b"\xff\xff\xff\xff"), ("parquet", b"PAR1")):
        path = folder / ("flows." + ending)
        code, out, err = run("--bidirectional", "-o", str(path), BENIGN)
        if (code, out, err) != (0, b"", "") or not path.read_bytes().startswith(first):
            wrong.append("%s: %s" % (ending, (code, out, err)))
    return wrong + differs((folder / "flows.csv").read_bytes(), want)


def says(code, part, *arguments, data=None, out=None):
    got = run(*arguments, data=data)
    fits = got[0] == code and part in got[2] and (out is None or (out in got[1] if out else got[1] == b""))
    return [] if fits else ["%.500r" % (got,)]


def cut():
    """Flows up to the cut are written, then the error comes with its place."""
    data = pathlib.Path(BENIGN).read_bytes()
    code, out, err = run("-", data=data[: len(data) // 2])
    return [] if code == 1 and "TRUNCATED" in err and "packet" in err and out.count(b"\n") > 5 else ["%.300r" % ((code, out, err),)]


def main():
    with tap.Plan() as t, tempfile.TemporaryDirectory() as folder:
        t.check("one way", one_way(BENIGN))
        t.check("one way, two inputs together", one_way(SCAN, BENIGN))
        t.check("both ways", both_ways())
        for name, column in PROFILES.items():
            t.check("profile " + name, profile(name, column))
        t.check("options", options())
        t.check("streams are one way", says(2, "usage: ", "--bidirectional", "--profile", "notebook", BENIGN, out=b""))
        t.check("formats", formats(pathlib.Path(folder)))
        t.check("filter", differs([row["Destination Port"] for row in rows("-f", "udp dst port 53", BENIGN)],
                                  [k[3] for k in sorted(packets(BENIGN)) if k[3:] == ("53", "17")]))
        t.check("standard input", differs(run("-", data=pathlib.Path(BENIGN).read_bytes())[1], run(BENIGN)[1]))
        t.check("help", says(0, "", "--help", out=b"usage: netfeat-flows"))
        t.check("statistics", says(0, "1067 packets", "--stats", BENIGN))
        t.check("no input", says(2, "usage: ", out=b""))
        t.check("unknown option", says(2, "usage: ", "--no-such", BENIGN, out=b""))
        t.check("unknown profile", says(2, "nosuch", "--profile", "nosuch", BENIGN, out=b""))
        t.check("unknown column", says(2, "nosuch", "-c", "nosuch", BENIGN, out=b""))
        t.check("bad filter", says(1, "no such filter", "-f", "no such filter", BENIGN))
        t.check("no such file", says(1, "no-such.pcap", "no-such.pcap"))
        t.check("no capture", says(1, "FORMAT", "-", data=b"this is no capture at all, whatever it may look like"))
        t.check("no such folder", says(1, "no-such-folder", "-o", "no-such-folder/x.csv", BENIGN, out=b""))
        t.check("cut", cut())


main()
