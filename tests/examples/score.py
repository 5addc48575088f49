#!/usr/bin/env python3
"""netfeat-score: the same bits as Python has, decisions as scikit-learn takes them, and what it says about bad input.
usage: score.py SOURCE_ROOT PROGRAM      (77: numpy is missing)"""
import csv
import io
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1]).resolve()
PROGRAM = os.path.abspath(sys.argv[2])
SCAN, BENIGN = (str(ROOT / "examples" / "data" / name) for name in ("mirai_scan.pcap", "benign.pcapng"))
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "lib" / "python")]
import tap  # noqa: E402

try:
    import numpy
except ImportError:
    sys.exit(77)
import netfeat  # noqa: E402

STEPS = [("cumulative", ["frame_length", "src_ip"], "src_bytes", {"null": 1}), ("interarrival", (), "gap", {}),
         ("interarrival", ["timestamp", "src_ip"], "src_gap", {"seconds": 1}), ("damped", (), "damped", {}),
         ("frequency", ["dst_port"], "dst_port_share", {"unknown": 2}), ("onehot", ["dst_port"], "to", {"ports": 1, "duplicates": 2}),
         ("standard_scale", ["src_bytes"], "src_bytes_scaled", {}), ("mirai_syn", (), "mirai", {}),
         ("ip_numeric", ["dst_ip"], "dst", {}), ("payload_entropy", (), "entropy", {}), ("tcp_flags", (), "tcp", {})]
WEIGHTS = {"src_bytes_scaled": 0.3, "dst_port_share": 1.7, "intercept": -1.25, "mirai": 2.0}


def run(*arguments, data=None, **options):
    done = subprocess.run([PROGRAM, *map(str, arguments)], input=data, capture_output=True, check=False, timeout=120,
                          **options)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode()


def expect(result, code, out=None, err=None):
    found = []
    if result[0] != code:
        found.append("exit code %d, not %d: %s" % (result[0], code, result[2][-200:]))
    if out is not None and not re.search(out, result[1]):
        found.append("standard output lacks %r: %r" % (out, result[1][-300:]))
    if err is not None and not re.search(err, result[2]):
        found.append("standard error lacks %r: %r" % (err, result[2][-300:]))
    return found


def make(folder):
    """Pipelines and models in files; the fitted pipeline."""
    pipeline = netfeat.Pipeline()
    for feature, inputs, output, options in STEPS:
        pipeline.add(feature, inputs, output, **options)
    pipeline.fit(netfeat.read(SCAN, payload=True))
    pipeline.to_table().save(folder / "open.arrow")
    pipeline.seal()
    pipeline.apply(netfeat.read(SCAN, payload=True)[:100])  # the file remembers these; the program begins anew
    pipeline.to_table().save(folder / "pipeline.arrow")
    weights = {name: numpy.array([value]) for name, value in WEIGHTS.items()}
    netfeat.table(weights).save(folder / "model.arrow")
    netfeat.table(dict(weights, nonsense=numpy.ones(1))).save(folder / "other.arrow")
    netfeat.table({"intercept": numpy.zeros(2)}).save(folder / "two.arrow")
    netfeat.table({"to": numpy.zeros((1, 16), "u1")}).save(folder / "text.arrow")
    netfeat.table({"intercept": numpy.zeros(0)}).save(folder / "none.arrow")
    return pipeline


def bits(table):
    """Name -> type, bytes of the values, which rows are there."""
    return {name: (table[name].type, table[name].to_numpy().tobytes(),
                   None if table[name].valid is None else table[name].valid.tobytes()) for name in table.columns}


def differences(got, want):
    found = [] if got.columns == want.columns else ["columns %s, not %s" % (got.columns, want.columns)]
    ours, theirs = bits(want), bits(got)
    return found + ["column %s differs" % name for name in ours if ours[name] != theirs.get(name)]


def features(folder, pipeline, captures, complete=()):
    """Every column as Python has it, in batches there, in one piece here."""
    tables = [netfeat.read(capture, payload=True) for capture in captures]
    packets = netfeat.concat(tables)
    arguments = []
    if complete:
        packets = packets.complete_rows(complete)
        arguments = ["--complete", ",".join(complete)]
    want = packets[["packet_number", "timestamp"]].join(pipeline.reset().apply(packets))
    found = expect(run(*arguments, "-o", folder / "out.arrow", folder / "pipeline.arrow", *captures), 0, "^$", "^$")
    return found or differences(netfeat.load(folder / "out.arrow"), want)


def text(folder, pipeline):
    """The CSV reads back as the same numbers."""
    table = netfeat.read(SCAN, payload=True)
    want = pipeline.reset().apply(table)
    with open(SCAN, "rb") as file:
        rows = list(csv.DictReader(io.StringIO(run(folder / "pipeline.arrow", "-", data=file.read())[1], newline="")))
    found = [] if len(rows) == len(table) else ["%d rows" % len(rows)]
    for name in ("src_bytes", "gap", "src_gap", "dst_port_share", "src_bytes_scaled", "entropy"):
        column = want[name]
        number = float if column.type == "f64" else int
        got = [number(row[name]) if row[name] else None for row in rows]
        found += [] if got == column.to_list() else ["%s: the CSV differs" % name]
    return found


def score(want, rows):
    """What the model should say, one operation after the other as in linear.c."""
    total = numpy.zeros(rows)
    valid = numpy.ones(rows, bool)
    for name, weight in WEIGHTS.items():
        if name == "intercept":
            total = total + weight
        else:
            total = total + weight * want[name].to_numpy().astype("f8")
            valid &= True if want[name].valid is None else want[name].valid
    return total, valid


def scores(folder, pipeline):
    table = netfeat.read(BENIGN, payload=True)
    want = pipeline.reset().apply(table)
    found = expect(run("--features", "-m", folder / "model.arrow", "-o", folder / "out.arrow", folder / "pipeline.arrow",
                       BENIGN), 0, "^$", "^$")
    got = netfeat.load(folder / "out.arrow")
    total, valid = score(want, len(table))
    found += differences(got.select(got.columns[:-3]), table[["packet_number", "timestamp"]].join(want))
    if not 0 < valid.sum() < len(table):
        found.append("the sample should have rows with and without a score")
    for name in ("score", "probability", "decision"):
        if got[name].valid is None or (got[name].valid != valid).any():
            found.append("%s: the wrong rows are NULL" % name)
    # the last digits of a sum may be rounded otherwise by a compiler that fuses multiply and add
    if not numpy.allclose(got["score"].to_numpy()[valid], total[valid], rtol=1e-12, atol=1e-12):
        found.append("scores differ")
    if not numpy.allclose(got["probability"].to_numpy()[valid], 1 / (1 + numpy.exp(-total[valid])), rtol=1e-12):
        found.append("probabilities differ")
    if (got["decision"].to_numpy()[valid] != (total[valid] > 0)).any():
        found.append("decisions differ")
    only = run("-m", folder / "model.arrow", folder / "pipeline.arrow", BENIGN)
    return found + expect(only, 0, "^packet_number,timestamp,score,probability,decision\r\n1,")


def mistakes(folder):
    """name, arguments, exit code, standard output, standard error"""
    pipeline, model = folder / "pipeline.arrow", folder / "model.arrow"
    data = pipeline.read_bytes()
    (folder / "cut.arrow").write_bytes(data[:len(data) // 2])
    (folder / "garbage.arrow").write_bytes(bytes(range(256)) * 40)
    capture = pathlib.Path(SCAN).read_bytes()
    (folder / "cut.pcap").write_bytes(capture[:100000])
    (folder / "header.pcap").write_bytes(capture[:24])
    old = (folder / "old.csv")
    old.write_text("old")
    yield "help", ["--help"], 0, "^usage: netfeat-score", "^$"
    yield "no arguments", [], 2, "^$", "^usage: "
    yield "no input", [pipeline], 2, "^$", "^usage: "
    yield "unknown option", ["--wrong", pipeline, SCAN], 2, "^$", "usage: "
    yield "unknown column", ["--complete", "src_ip,nonsense", pipeline, SCAN], 2, "^$", "usage: "
    yield "too many columns", ["--complete", ",".join(["src_ip"] * 300), pipeline, SCAN], 2, "^$", "usage: "
    yield "missing pipeline", ["none.such", SCAN], 1, "^$", "netfeat-score: none.such: NOTFOUND: "
    yield "cut pipeline", ["cut.arrow", SCAN], 1, "^$", "cut.arrow: (FORMAT|TRUNCATED): "
    yield "garbage for a pipeline", ["garbage.arrow", SCAN], 1, "^$", "garbage.arrow: (FORMAT|TRUNCATED): "
    yield "a model for a pipeline", [model, SCAN], 1, "^$", "model.arrow: FORMAT: "
    yield "a pipeline that is not sealed", ["open.arrow", SCAN], 1, "^$", "open.arrow: STATE: .*not sealed"
    yield "missing model", ["-m", "none.such", pipeline, SCAN], 1, "^$", "none.such: NOTFOUND: "
    yield "a capture for a model", ["-m", SCAN, pipeline, SCAN], 1, "^$", "FORMAT"
    for name in ("other", "two", "text", "none"):
        yield "model " + name, ["-m", name + ".arrow", pipeline, SCAN], 1, "^$", \
            "^%s.arrow: a model has one row of numbers, named after features: .+\n$" % name
    yield "a bad model leaves the output", ["-m", "two.arrow", "-o", "old.csv", pipeline, SCAN], 1, "^$", "two.arrow: "
    yield "missing capture", [pipeline, "none.pcap"], 1, "^packet_number,[^\n]*\n$", "none.pcap: NOTFOUND: "
    yield "cut capture", ["-m", model, pipeline, "cut.pcap"], 1, r"\r\n1424,[^\n]*\n$", r"TRUNCATED: .*\(packet 1425, byte"
    yield "no packets", ["-m", model, pipeline, "header.pcap"], 0, "^packet_number,timestamp,score,probability,decision\r\n$", "^$"
    yield "bad filter", ["-f", "tcp and and", pipeline, SCAN], 1, None, "ARGUMENT: .*filter"
    yield "filter", ["-f", "tcp", "-m", model, pipeline, SCAN], 0, r"\n4,", "^$"
    yield "nowhere", ["-o", "no/such/folder.csv", pipeline, SCAN], 1, "^$", "no/such/folder.csv: "
    if os.path.exists("/dev/full"):
        yield "full disk", ["-o", "/dev/full", pipeline, SCAN], 1, None, "IO: .*No space left"


def main():
    with tap.Plan() as t, tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        pipeline = make(folder)
        t.check("bits of a capture", features(folder, pipeline, [SCAN]))
        t.check("bits of another", features(folder, pipeline, [BENIGN]))
        t.check("two inputs are one capture", features(folder, pipeline, [BENIGN, SCAN]))
        t.check("complete rows", features(folder, pipeline, [SCAN], ["src_ip", "dst_port", "timestamp"]))
        t.check("numbers in the CSV", text(folder, pipeline))
        t.check("scores", scores(folder, pipeline))
        for what, arguments, code, out, err in mistakes(folder):
            t.check(what, expect(run(*arguments, cwd=folder), code, out, err))
        t.check("the old file is there", [] if (folder / "old.csv").read_text() == "old" else ["it is not"])


main()
