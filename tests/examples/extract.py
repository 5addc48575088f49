#!/usr/bin/env python3
"""netfeat-extract from outside: its CSV, its exit codes and messages, on good input and on bad.
usage: extract.py SOURCE_ROOT PROGRAM [--update]

The expected CSVs beside this file were compared with tshark when they were made (tests/examples/check.sh)."""
import csv
import io
import os
import pathlib
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(sys.argv[1]).resolve()
PROGRAM = os.path.abspath(sys.argv[2])
HERE = ROOT / "tests" / "examples"
DATA = ROOT / "examples" / "data"
SCAN, BENIGN = str(DATA / "mirai_scan.pcap"), str(DATA / "benign.pcapng")
sys.path.insert(0, str(ROOT / "tests" / "support"))
import tap  # noqa: E402

COLUMNS = "packet_number,timestamp,src_ip,dst_ip,src_port,dst_port,ip_protocol,frame_length,tcp_flags,tcp_seq,ip_ttl"
GOLDEN = [
    ("scan.csv", ["-n", "60", "-c", COLUMNS, SCAN]),
    ("benign.csv", ["-n", "60", "-c", COLUMNS, BENIGN]),
    ("icmp.csv", ["-f", "icmp or icmp6", "-c", "packet_number,src_ip,icmp_type,icmp_code,payload_length", BENIGN]),
    ("payload.csv", ["--payload", "--filter", "udp", "-n", "6", "-c", "packet_number,src_port,payload", BENIGN]),
    ("both.csv", ["-f", "arp", "-c", "file_index,packet_number,arp_operation,src_mac,timestamp", SCAN, BENIGN]),
]


def run(*arguments, data=None, **options):
    done = subprocess.run([PROGRAM, *arguments], input=data, capture_output=True, check=False, timeout=120, **options)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def expect(result, code, out=None, err=None):
    found = []
    if result[0] != code:
        found.append("exit code %d, not %d" % (result[0], code))
    if out is not None and not re.search(out, result[1]):
        found.append("standard output lacks %r: %r" % (out, result[1][-300:]))
    if err is not None and not re.search(err, result[2]):
        found.append("standard error lacks %r: %r" % (err, result[2][-300:]))
    return found


def same(name, result):
    path = HERE / name
    text = result[1].replace("\r\n", "\n")
    if sys.argv[3:] == ["--update"]:
        path.write_text(text)
    found = expect(result, 0)
    if result[1].count("\r\n") != result[1].count("\n"):
        found.append("RFC 4180 wants CRLF")
    expected = path.read_text() if path.exists() else ""
    if text != expected:
        pairs = zip(text.splitlines() + [""], expected.splitlines() + [""])
        found += ["got  %s\nwant %s" % pair for pair in pairs if pair[0] != pair[1]][:5] or ["lengths differ"]
    return found


def whole_datagrams():
    """A datagram of three fragments, one that lacks its second half, and one that needs none."""
    def ip(ident, place, data):
        return bytes(12) + b"\x08\0" + struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(data), ident, place, 64, 17, 0,
                                                  bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))) + data

    udp = struct.pack(">HHHH", 5000, 9, 8 + 40, 0) + bytes(40)
    frames = [ip(1, 0x2000, udp[:16]), ip(1, 4, udp[32:]), ip(2, 0x2000, udp[:16]), ip(1, 0x2002, udp[16:32]),
              ip(3, 0, udp)]
    image = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(
        struct.pack("<IIII", i, 0, len(frame), len(frame)) + frame for i, frame in enumerate(frames))
    columns = ["-c", "packet_number,dst_port,payload_length", "-"]
    rows = list(csv.reader(io.StringIO(run("--whole", *columns, data=image)[1], newline="")))[1:]
    pieces = list(csv.reader(io.StringIO(run(*columns, data=image)[1], newline="")))[1:]
    found = [] if rows == [["4", "9", "40"], ["5", "9", "40"]] else ["%s" % rows]
    return found + ([] if len(pieces) == 5 and pieces[1][1] == "" else ["without --whole: %s" % pieces])


def csv_shape():
    """Every column but payload, every row as wide as the header."""
    rows = list(csv.reader(io.StringIO(run(SCAN)[1], newline="")))
    found = [] if len(rows) == 3289 else ["%d lines" % len(rows)]
    found += ["row %d has %d cells" % (i, len(row)) for i, row in enumerate(rows) if len(row) != len(rows[0])][:3]
    if "payload" in rows[0] or "packet_number" not in rows[0]:
        found.append("header: %s" % rows[0])
    return found


def inputs_agree():
    """By path, through standard input, with -o, whole or in two parts: the same text."""
    want = run("-c", COLUMNS, BENIGN)[1]
    found = []
    with open(BENIGN, "rb") as f:
        data = f.read()
    if run("-c", COLUMNS, "-", data=data)[1] != want:
        found.append("standard input differs")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "out.csv"
        found += expect(run("-o", str(path), "-c", COLUMNS, BENIGN), 0, out="^$")
        if path.read_bytes().decode() != want:
            found.append("-o differs")
    return found


def outer():
    """--outer: the addresses of the tunnel."""
    vxlan = str(ROOT / "tests" / "cases" / "tunnel_vxlan.pcap")
    return expect(run("-c", "src_ip", vxlan), 0, "^src_ip\r\n192.0.2.1\r\n2001:db8::1\r\n$") + expect(
        run("--outer", "-c", "src_ip", vxlan), 0, "^src_ip\r\n10.0.0.1\r\n10.0.0.1\r\n$")


def anonymized():
    """--anonymize: the published pseudonym of Crypto-PAn's sample; no payload unless asked for."""
    key = bytes((21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16, 216, 152, 143, 131, 121, 121,
                 101, 39, 98, 87, 76, 45, 42, 132, 34, 2))
    packet = bytes.fromhex("4500001c00000000401100000000000000000000") + bytes(8)
    packet = packet[:12] + bytes((128, 11, 68, 132, 129, 118, 74, 4)) + packet[20:24] + b"\0\x08" + packet[26:]
    capture = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101) + struct.pack("<IIII", 0, 0, 28, 28) + packet
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "key"
        path.write_bytes(key)
        arguments = ("--anonymize", str(path), "-c", "src_ip,payload,dst_ip", "-")
        first = run(*arguments, data=capture)
        if first[0] == 2 and "UNSUPPORTED" in first[2]:  # built without nettle
            return []
        return expect(first, 0, "^src_ip,dst_ip\r\n135.242.180.132,134.136.186.123\r\n$") + expect(
            run("--payload", *arguments, data=capture), 0, "^src_ip,payload,dst_ip\r\n135")


def formats(folder):
    """-o: the format follows the ending; "-" is the same stream on standard output; a failure leaves an old file."""
    found = []
    for name, magic in (("x.arrow", b"ARROW1"), ("x.parquet", b"PAR1"), ("x.arrows", b"\xff\xff\xff\xff"),
                        ("x.csv", b"packet_number,")):
        found += expect(run("-o", str(folder / name), SCAN), 0, "^$", "^$")
        if not (folder / name).read_bytes().startswith(magic):
            found.append("%s does not begin with %r" % (name, magic))
    piped = subprocess.run([PROGRAM, "-o", "-", SCAN], stdout=subprocess.PIPE, check=False).stdout
    if piped != (folder / "x.arrows").read_bytes():
        found.append("the stream on standard output is not that of the file")
    before = (folder / "x.csv").read_bytes()
    run("-o", str(folder / "x.csv"), "-c", "nonsense", SCAN)
    if (folder / "x.csv").read_bytes() != before or sorted(os.listdir(folder)) != [
            "x.arrow", "x.arrows", "x.csv", "x.parquet"]:
        found.append("a failure did not leave the folder as it was")
    return found


def damaged(folder):
    """name, arguments, exit code, standard output, standard error"""
    data = pathlib.Path(SCAN).read_bytes()
    files = {
        "cut.pcap": data[:100000],
        "header.pcap": data[:10],
        "empty.pcap": b"",
        "garbage.pcap": bytes(range(256)) * 40,
        "lying.pcap": data[:24 + 16 + 42] + data[40 + 42:40 + 42 + 8] + b"\xff\xff\xff\x7f" * 2 + data[100:],
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    rows = len(run("-c", "packet_number", str(folder / "cut.pcap"))[1].split()) - 1
    yield "missing file", ["nosuch.pcap"], 1, None, "nosuch.pcap: NOTFOUND: .*No such file"
    yield "cut file", ["-c", "packet_number", "cut.pcap"], 1, r"\r\n%d\r\n$" % rows, \
        r"TRUNCATED: .*\(packet %d, byte offset \d+\)\n$" % (rows + 1)
    yield "cut header", ["header.pcap"], 1, None, "TRUNCATED|FORMAT"
    yield "empty file", ["empty.pcap"], 1, None, "TRUNCATED|FORMAT"
    yield "garbage", ["garbage.pcap"], 1, "^packet_number,[^\n]*\r\n$", "FORMAT: "
    yield "lying length", ["-c", "packet_number", "lying.pcap"], 1, "^packet_number\r\n1\r\n$", r"FORMAT: .*\(packet 2,"
    yield "a folder", ["."], 1, None, "netfeat-extract: .: "
    yield "bad column", ["-c", "src_ip,nonsense", SCAN], 2, "^$", 'NOTFOUND: .*"nonsense"'
    yield "column twice", ["-c", "src_ip,src_ip", SCAN], 2, "^$", "ARGUMENT"
    yield "bad filter", ["-f", "tcp and and", SCAN], 1, None, "ARGUMENT: .*filter"
    (folder / "short.key").write_bytes(bytes(31))
    (folder / "long.key").write_bytes(bytes(33))
    yield "short key", ["--anonymize", "short.key", SCAN], 2, "^$", "short.key: a key has 32 bytes"
    yield "long key", ["--anonymize", "long.key", SCAN], 2, "^$", "long.key: a key has 32 bytes"
    yield "no key", ["--anonymize", "none.key", SCAN], 2, "^$", "none.key: "
    yield "no input", [], 2, "^$", "^usage: "
    yield "unknown option", ["--wrong", SCAN], 2, "^$", "usage: "
    yield "bad number", ["-n", "12x", SCAN], 2, "^$", "^usage: "
    yield "no rows", ["-n", "0", "-c", "src_ip", SCAN], 0, "^src_ip\r\n$", "^$"
    yield "help", ["--help"], 0, "^usage: ", "^$"
    yield "output into nowhere", ["-o", "no/such/folder.csv", SCAN], 1, "^$", "no/such/folder.csv: "
    yield "good after bad", ["-c", "file_index", "-n", "2", "nosuch.pcap", SCAN], 1, "\r\n1\r\n1\r\n$", "NOTFOUND"
    yield "statistics", ["--stats", "-o", "/dev/null", "-c", "src_ip,src_port", SCAN], 0, None, \
        r"3288 packets, 3256 complete rows, 32 dropped as incomplete\n.* packets/s"
    if os.path.exists("/dev/full"):
        yield "full disk", ["-o", "/dev/full", SCAN], 1, None, "/dev/full: IO: .*No space left"


def interrupted():
    """Ctrl-C while waiting for more of a pipe."""
    with open(SCAN, "rb") as f:
        head = f.read(65536)
    process = subprocess.Popen([PROGRAM, "-c", "packet_number", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdin.write(head)
    process.stdin.flush()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    try:
        code = process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        return ["does not stop"]
    err = process.stderr.read().decode()
    out = process.stdout.read().decode()
    return expect((code, out, err), 130, out=r"packet_number\r\n1\r\n", err="CANCELLED")


def progress_on_terminal(leader, follower):
    """A progress line when standard error is a terminal, none otherwise."""
    big = pathlib.Path(SCAN).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "big.pcap"
        path.write_bytes(big[:24] + big[24:] * 40)
        process = subprocess.Popen([PROGRAM, "-o", "/dev/null", str(path)], stderr=follower)
        os.close(follower)
        text = b""
        try:
            while True:
                piece = os.read(leader, 4096)
                if not piece:
                    break
                text += piece
        except OSError:  # the other side is gone
            pass
        code = process.wait()
        quiet = run("-o", "/dev/null", str(path))
    found = [] if code == 0 and quiet[2] == "" else ["exit code %d, off a terminal: %r" % (code, quiet[2])]
    if not re.search(rb"\r\d+ packets, \d+ MiB, \d+ packets/s, \d+ % of the file", text):
        found.append("no progress line: %r" % text[-200:])
    return found


def main():
    with tap.Plan() as t, tempfile.TemporaryDirectory() as folder:
        for name, arguments in GOLDEN:
            t.check(name, same(name, run(*arguments)))
        t.check("shape of the CSV", csv_shape())
        t.check("inputs and outputs agree", inputs_agree())
        t.check("outer", outer())
        t.check("whole datagrams", whole_datagrams())
        t.check("anonymize", anonymized())
        for name, arguments, code, out, err in damaged(pathlib.Path(folder)):
            t.check(name, expect(run(*arguments, cwd=folder), code, out, err))
        with tempfile.TemporaryDirectory() as other:
            t.check("formats", formats(pathlib.Path(other)))
        t.check("interrupt", interrupted())
        try:
            leader, follower = pty.openpty()
        except OSError:
            t.skip("progress", "no pseudo-terminals here")
        else:
            t.check("progress", progress_on_terminal(leader, follower))


main()
