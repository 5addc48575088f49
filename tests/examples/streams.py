#!/usr/bin/env python3
"""netfeat-streams: what it prints, writes and says about bad input.
usage: streams.py SOURCE_ROOT NETFEAT_STREAMS"""
import collections
import csv
import io
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1]).resolve()
PROGRAM = os.path.abspath(sys.argv[2])
BENIGN = str(ROOT / "examples" / "data" / "benign.pcapng")
sys.path.insert(0, str(ROOT / "tests" / "support"))
import tap  # noqa: E402

POLICIES = ("first", "last", "bsd", "linux", "old-linux", "solaris", "windows")


def run(*arguments, data=None):
    done = subprocess.run([PROGRAM, *arguments], input=data, capture_output=True, check=False, timeout=120)
    return done.returncode, done.stdout, done.stderr.decode()


def lines(*arguments):
    code, out, err = run(*arguments)
    if code != 0:
        raise AssertionError((code, err))
    return list(csv.DictReader(io.StringIO(out.decode()), delimiter="\t"))


def events(*arguments):
    code, out, err = run("--events", *arguments)
    if code != 0:
        raise AssertionError((code, err))
    return [json.loads(line) for line in out.splitlines()]


def directions():
    """{(sender, receiver, nth): bytes} out of the events."""
    found = collections.defaultdict(bytes)
    for ev in events(BENIGN):
        if ev["ev"] == "data":
            ends = ev["flow"].split(">")
            key = (*(ends if ev["dir"] == "c2s" else ends[::-1]), ev["nth"])
            if ev["off"] != len(found[key]):
                raise AssertionError("%s: data at %d after %d bytes" % (key, ev["off"], len(found[key])))
            found[key] += bytes.fromhex(ev["hex"])
    return found


def differs(got, wanted):
    return [] if got == wanted else ["%.400r" % (got,), "wanted %.400r" % (wanted,)]


def counted():
    """The bytes of the lines are those of the events."""
    wanted = collections.Counter()
    for (sender, receiver, _), data in directions().items():
        wanted[frozenset((sender, receiver))] += len(data)
    got = collections.Counter()
    for row in lines(BENIGN):
        got[frozenset((row["client"], row["server"]))] += int(row["client_bytes"]) + int(row["server_bytes"])
    return differs({k: n for k, n in got.items() if n}, {k: n for k, n in wanted.items() if n})


def files(folder):
    """A file for each direction, named like tcpflow's, with the bytes of the events."""
    code, _, err = run("-d", folder, BENIGN)
    paths = sorted(pathlib.Path(folder).iterdir())
    wrong = [] if code == 0 else ["%d %s" % (code, err)]
    wrong += ["%s" % path.name for path in paths if not re.search(r"\.\d{5}-.*\.\d{5}", path.name)]
    return wrong + differs(sorted(path.read_bytes() for path in paths), sorted(data for data in directions().values() if data))


def datagrams():
    found = [ev for ev in events("--udp", BENIGN) if ev["ev"] == "udp"]
    return [] if found and all(re.fullmatch(r"[0-9a-f]{64}", ev["sha256"]) for ev in found) else ["%.200r" % found]


def depth():
    wanted = sum(min(10, len(data)) for data in directions().values())
    return differs(sum(len(ev["hex"]) // 2 for ev in events("--depth", "10", BENIGN) if ev["ev"] == "data"), wanted)


def receivers():
    """Two segments behind a hole that contradict each other, to a receiver with a policy of its own."""
    frames = []
    for flags, seq, text, back in ((2, 0, b"", 0), (18, 0, b"", 1), (16, 1, b"", 0), (16, 5, b"AAAA", 0), (16, 5, b"BBBB", 0),
                                   (16, 1, b"....", 0)):
        ends, ports = (b"\x0a\0\0\x01", b"\x0a\0\0\x02"), (4000, 80)
        tcp = struct.pack(">HHIIBBHHH", ports[back], ports[1 - back], seq, 1 if flags & 16 else 0, 0x50, flags, 65535, 0, 0)
        frames.append(bytes(12) + b"\x08\0" + struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(text), 0, 0, 64, 6, 0) +
                      ends[back] + ends[1 - back] + tcp + text)
    image = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(
        struct.pack("<IIII", i, 0, len(frame), len(frame)) + frame for i, frame in enumerate(frames))
    wrong = []
    for arguments, wanted in (((), b"....AAAA"), (("--policy", "last"), b"....BBBB"),
                              (("--policy", "10.0.0.0/24=last"), b"....BBBB"), (("--policy", "10.0.0.2=last"), b"....BBBB"),
                              (("--policy", "10.0.0.1=last"), b"....AAAA"), (("--policy", "::/0=last"), b"....BBBB")):
        found = run("--events", "--set", "stream.checksum=0", *arguments, "-", data=image)
        data = b"".join(bytes.fromhex(ev["hex"]) for ev in map(json.loads, found[1].splitlines()) if ev["ev"] == "data")
        wrong += differs((arguments, data), (arguments, wanted))
    return wrong


def says(code, part, *arguments, data=None, out=None):
    got = run(*arguments, data=data)
    fits = got[0] == code and part in got[2] and (out is None or (out in got[1] if out else got[1] == b""))
    return [] if fits else ["%.500r" % (got,)]


def cut():
    """What came before the cut is there, then the error with its place."""
    data = pathlib.Path(BENIGN).read_bytes()
    code, out, err = run("-", data=data[: len(data) // 2])
    return [] if code == 1 and "TRUNCATED" in err and out.count(b"\n") > 1 else ["%.300r" % ((code, out, err),)]


def main():
    with tap.Plan() as t, tempfile.TemporaryDirectory() as folder:
        t.check("bytes of lines and events", counted())
        t.check("files", files(folder))
        t.check("datagrams", datagrams())
        t.check("depth", depth())
        for policy in POLICIES:
            t.check("policy " + policy, differs(lines("--policy", policy, BENIGN), lines(BENIGN)))
        t.check("policy of a receiver", receivers())
        t.check("urgent inline", differs(lines("--urgent", "inline", BENIGN), lines(BENIGN)))
        t.check("memory, idle time, an option by its name", differs(
            lines("--max-memory", "1000000", "--idle", "1000", "--set", "stream.max_segments=100", BENIGN), lines(BENIGN)))
        t.check("standard input", differs(run("-", data=pathlib.Path(BENIGN).read_bytes())[1], run(BENIGN)[1]))
        t.check("help", says(0, "", "--help", out=b"usage: netfeat-streams"))
        for name, arguments in (("no input", ()), ("unknown option", ("--no-such", BENIGN)), ("unknown policy", ("--policy", "best", BENIGN)),
                                ("no prefix", ("--policy", "10.0.0.0/8/9=last", BENIGN)), ("no policy", ("--policy", "10.0.0.0/8=best", BENIGN)),
                                ("no number", ("--depth", "many", BENIGN)), ("neither way", ("--urgent", "maybe", BENIGN)),
                                ("no such option", ("--set", "stream.nosuch=1", BENIGN))):
            t.check(name, says(2, "", *arguments, out=b""))
        t.check("no such file", says(1, "no-such.pcap", "no-such.pcap"))
        t.check("no such folder", says(1, "no/such/folder", "-d", folder + "/no/such/folder", BENIGN))
        t.check("no capture", says(1, "FORMAT", "-", data=b"this is no capture at all, whatever it may look like"))
        t.check("cut", cut())


main()
