#!/usr/bin/python3
"""Every code cell of the notebook that the library was made for, run twice: on netfeat.notebook, and on the helpers as
they were with scapy and pandas. Each frame that the cells make is compared column by column; then the numbers of the
C features with the columns of those frames. 77: the notebook, the captures or a tool is not there.
usage: seed_notebook.py"""

import contextlib
import io
import os
import pathlib
import re
import sys
import tempfile
import warnings

SKIPPED = 77
ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("NETFEAT_SHARED", ROOT.parent / "shared"))
IMPORT = "from utils.pcap import pcap_to_dataframe, extract_streams"
KEYS = ["Source IP", "Destination IP", "Source Port", "Destination Port", "Protocol"]
FRAMES = ["malicious_df", "benign_df", "malicious_stream_df", "benign_stream_df", "malicious_features",
          "benign_features", "malicious_protocol_one_hot", "benign_protocol_one_hot"]

try:
    import matplotlib
    import numpy
    import pandas

    import netfeat
    import scapy_reference
    from netfeat import notebook
except ImportError as problem:
    print("skipped:", problem)
    sys.exit(SKIPPED)
matplotlib.use("Agg")
warnings.filterwarnings("ignore")


def notebook_cells():
    """The code cells: what follows a line "In [None]:", up to the text of the next cell."""
    seeds = sorted((SHARED / "seed").glob("*.txt"))
    if not seeds:
        print("skipped: the notebook is not there")
        sys.exit(SKIPPED)
    cells = []
    for part in re.split(r"^In \[None\]:\n", seeds[0].read_text(), flags=re.M)[1:]:
        lines = part.split("\n")
        while lines:  # text of the next cell begins at the first line that is no Python any more
            try:
                compile("\n".join(lines), "cell", "exec")
                break
            except SyntaxError:
                lines.pop()
        code = "\n".join(lines)
        cut = re.search(r"^#{1,6} (?=[A-Z])(?!Define|Convert|Copy|Save|First|remove|For )[^\n]*\n(?![^\n]*\S)", code, flags=re.M)
        cells.append(code[:cut.start()] if cut else code)
    return cells


def reference_frame(path):
    """pcap_to_dataframe with scapy."""
    rows = [row.values for row in scapy_reference.rows(path)]
    frame = pandas.DataFrame(rows, columns=scapy_reference.COLUMNS, dtype=object)
    for name in ("Source Port", "Destination Port", "Packet Length", "Protocol"):
        frame[name] = pandas.to_numeric(frame[name])
    return frame


def reference_streams(frame):
    groups = frame.groupby(KEYS)
    out = groups["Packet Length"].agg(["count", "sum"])
    out.columns = ["Number of Packets", "Total Length"]
    out["Duration"] = groups["Timestamp"].agg(lambda times: float(max(times) - min(times))).astype("f8")
    return out.reset_index()


def run(cells, paths, replacement, names):
    """The notebook's variables after all its cells, with the import line and the paths changed and nothing else."""
    space = dict(names)
    with contextlib.redirect_stdout(io.StringIO()):
        for i, cell in enumerate(cells):
            code = cell.replace(IMPORT, replacement)
            for old, new in paths.items():
                code = code.replace('"%s"' % old, repr(new))
            exec(compile(code, "cell %d" % (i + 1), "exec"), space)  # pylint: disable=exec-used
    return space


def paths_of(malicious, benign, folder):
    paths = {"../data/mirai.pcap": malicious, "../data/benign.pcapng": benign}
    for name in ("mirai", "benign", "mirai_stream", "benign_stream", "malicious_features_numeric",
                 "benign_features_numeric", "malicious_features", "benign_features"):
        paths["../data/%s.pkl" % name] = os.path.join(folder, name + ".pkl")
    return paths


#: The cells send each time through a float on its way to nanoseconds, which costs up to one unit in the last place of
#: seconds since 1970 on either side; the library rounds the exact time once.
TIME_SLACK = {"Timestamp": 2 * numpy.spacing(1.7e9), "Interarrival": 4 * numpy.spacing(1.7e9)}


def close(ours, theirs, slack=0):
    """Equal values; floats to one unit in the last place, or to `slack`."""
    missing = pandas.isna(theirs)
    if not (pandas.isna(ours) == missing).all():
        return False
    ours, theirs = ours[~missing], theirs[~missing]
    if theirs.dtype.kind == "f" or ours.dtype.kind == "f":
        a, b = ours.astype("f8").to_numpy(), theirs.astype("f8").to_numpy()
        return bool((numpy.abs(a - b) <= numpy.maximum(numpy.spacing(numpy.maximum(numpy.abs(a), numpy.abs(b))), slack)).all())
    return bool((ours.to_numpy() == theirs.to_numpy()).all())


def compare_frames(ours, theirs):
    wrong = []
    for name in FRAMES:
        left, right = ours[name], theirs[name]
        if list(left.columns) != list(right.columns) or not left.index.equals(right.index):
            wrong.append("%s: other columns or rows" % name)
            continue
        for k, column in enumerate(left.columns):
            if column == "Payload" and name.endswith("_df"):
                continue  # compared by scapy_compare.py; scapy's own form of it is no bytes
            if not close(left.iloc[:, k], right.iloc[:, k]):
                wrong.append("%s: %s" % (name, column))
    return wrong


def compare_features(path, frame):
    """The C features of the same packets against the columns that the cells made."""
    packets = netfeat.read(path, columns=["timestamp", "captured_length", "ip_version", "src_ip", "dst_ip", "src_port",
                                          "dst_port", "ip_protocol", "l4_offset"])
    proto, version = packets["ip_protocol"].to_numpy(), packets["ip_version"].to_numpy()
    complete = numpy.isin(proto, (6, 17)) & (version == 4) & (packets["src_port"].to_numpy(numpy.nan) >= 0)
    rows = packets.take(complete)
    length = rows["captured_length"].to_numpy().astype("i8") - rows["l4_offset"].to_numpy()
    rows = rows.join(netfeat.table({"length": length.astype("u4")}))
    onehot = netfeat.onehot(rows["dst_port"], ports=1, duplicates=1)
    columns = {
        "src_ip_total_bytes": netfeat.cumulative(rows, "length", ["src_ip"]),
        "dst_ip_total_bytes": netfeat.cumulative(rows, "length", ["dst_ip"]),
        "Numeric Source IP": netfeat.ip_numeric(rows["src_ip"], ip_mode=2)["number"],
        "Numeric Destination IP": netfeat.ip_numeric(rows["dst_ip"], ip_mode=2)["number"],
        "dst_port_freq_encoded": netfeat.frequency(rows["dst_port"]),
        "Timestamp": netfeat.timestamp(rows),
        "Interarrival": netfeat.interarrival(rows, seconds=1),
        **{name: onehot[name] for name in onehot.columns},
    }
    wrong = []
    for name, column in columns.items():
        values = pandas.Series(column.to_numpy(numpy.nan).astype("f8"), index=frame.index)
        if not close(values, frame[name].astype("f8"), TIME_SLACK.get(name, 0)):
            wrong.append("feature %s" % name)
    described = netfeat.describe(netfeat.table({n: columns[n] for n in ("src_ip_total_bytes", "Timestamp")}))
    numbers = frame[["src_ip_total_bytes", "Timestamp"]].describe()
    for k, name in enumerate(numbers.columns):
        for ours, theirs in (("count", "count"), ("min", "min"), ("q25", "25%"), ("q50", "50%"), ("q75", "75%"),
                             ("max", "max")):
            if abs(float(described[ours].to_list()[k]) - numbers[name][theirs]) > TIME_SLACK.get(name, 0):
                wrong.append("describe %s %s" % (name, theirs))
        for ours, theirs in (("mean", "mean"), ("std", "std")):  # pandas adds up in floats: not exact itself
            if not numpy.isclose(described[ours].to_list()[k], numbers[name][theirs], rtol=1e-9):
                wrong.append("describe %s %s" % (name, theirs))
    return wrong


def main():
    cells = notebook_cells()
    ours_samples = [str(ROOT / "examples/data/mirai_scan.pcap"), str(ROOT / "examples/data/benign.pcapng")]
    pairs = [ours_samples]
    shared = SHARED / "captures" / "wireshark-ml-nids"
    if (shared / "attack.pcapng").is_file():
        pairs.append([str(shared / "attack.pcapng"), str(shared / "benign.pcapng")])
    failed = 0
    for malicious, benign in pairs:
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "data"))
            paths = paths_of(malicious, benign, folder)
            ours = run(cells, paths, "from netfeat.notebook import pcap_to_dataframe, extract_streams\n"
                       "import functools\npcap_to_dataframe = functools.partial(pcap_to_dataframe, ipv6=False)", {})
            theirs = run(cells, paths, "", {"pcap_to_dataframe": reference_frame, "extract_streams": reference_streams})
        wrong = compare_frames(ours, theirs)
        wrong += compare_features(malicious, ours["malicious_features"])
        wrong += compare_features(benign, ours["benign_features"])
        print("%s, %s: %d cells, %d and %d rows%s" % (
            pathlib.Path(malicious).name, pathlib.Path(benign).name, len(cells), len(ours["malicious_df"]),
            len(ours["benign_df"]), "".join("\n  differs: " + line for line in wrong)))
        failed += bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
