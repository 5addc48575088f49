#!/usr/bin/env python3
"""What netfeat-sensor left in a folder, against the capture that was replayed to it; used by sensor.sh.
usage: sensor.py fit CAPTURE PIPELINE                   make the pipeline
       sensor.py same CAPTURE TIMES PIPELINE FOLDER     all files are those of the capture, replayed so many times
       sensor.py rows FOLDER [ROWS]                     every file loads; print the packets in them, or compare"""
import collections
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib" / "python"))
import netfeat  # noqa: E402

SENT = ["frame_length", "captured_length", "src_mac", "src_ip", "dst_ip", "src_port", "dst_port", "tcp_seq", "payload_length",
        "ip_ttl", "tcp_flags", "quality"]


def files(folder, prefix):
    return [netfeat.load(str(path), load_mode="read") for path in sorted(pathlib.Path(folder).glob(prefix + "-*.arrows"))]


def joined(folder, prefix):
    return netfeat.concat(files(folder, prefix))


def values(table):
    return {name: table[name].to_list() for name in table.columns}


def equal(what, left, right):
    if list(left) != list(right):
        sys.exit("%s: columns %s, not %s" % (what, list(left), list(right)))
    for name in left:
        if left[name] != right[name]:
            at = next((i for i, pair in enumerate(zip(left[name], right[name])) if pair[0] != pair[1]), -1)
            sys.exit("%s: %s differs at %d of %d and %d" % (what, name, at, len(left[name]), len(right[name])))


def by_flow(table):
    columns = values(table)
    order = sorted(range(len(table)), key=columns["flow_id"].__getitem__)
    return {name: [column[i] for i in order] for name, column in columns.items()}


def totals(table, times=1):
    """Packets and bytes of each pair of endpoints, whichever way, however many flows they are."""
    count = collections.Counter()
    lists = [table[name].to_list() for name in ("src_ip", "src_port", "dst_ip", "dst_port", "packets", "bytes")]
    for source, sport, target, dport, packets, size in zip(*lists):
        ends = tuple(sorted(((source, sport), (target, dport))))
        count[ends, "packets"] += packets * times
        count[ends, "bytes"] += size * times
    return count


def fit(capture, where):
    table = netfeat.read(capture)
    pipeline = netfeat.Pipeline()
    pipeline.add("cumulative", ["frame_length", "src_ip"], "src_bytes")
    pipeline.add("interarrival", ["timestamp", "src_ip"], "src_gap_ns")
    pipeline.add("frequency", ["dst_port"], "dst_port_share", unknown=2)
    pipeline.add("damped", (), "damped")
    pipeline.add("payload_entropy", (), "entropy")  # a column that is not written
    pipeline.fit(netfeat.read(capture, columns="*,payload")[:len(table) // 2]).seal()
    pipeline.to_table().save(where)


def same(capture, times, where, folder):
    packets = joined(folder, "packets")
    sent = values(netfeat.read(capture, columns=",".join(SENT)))
    equal("packets", {name: packets[name].to_list() for name in SENT}, {name: sent[name] * times for name in SENT})
    equal("packet numbers", {"": packets["packet_number"].to_list()}, {"": list(range(1, len(packets) + 1))})
    flows = joined(folder, "flows")
    equal("flows", by_flow(flows), by_flow(netfeat.flows(packets)))
    if totals(flows) != totals(netfeat.flows(capture), times):
        sys.exit("flows: packets or bytes of a flow are not those that were sent")
    pipeline = netfeat.Pipeline.from_table(netfeat.load(where))
    pipeline.reset()
    features = joined(folder, "features")
    payload = netfeat.read(capture, columns="payload")
    whole = packets.join(netfeat.concat([payload] * times))
    wanted = values(whole[["packet_number", "timestamp"]])
    wanted.update(values(pipeline.apply(whole)))
    equal("features", values(features), wanted)
    print("%d packets, %d flows, %d values of features, bit by bit" %
          (len(packets), len(flows), len(features) * len(features.columns)))


def rows(folder, wanted=None):
    found = sum(map(len, files(folder, "packets")))
    for path in pathlib.Path(folder).glob("*.arrows"):
        netfeat.load(str(path), load_mode="read")
    if wanted is not None and found != int(wanted):
        sys.exit("%d rows in the files, not %s" % (found, wanted))
    print(found)


if __name__ == "__main__":
    if sys.argv[1] == "fit":
        fit(*sys.argv[2:])
    elif sys.argv[1] == "same":
        same(sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
    else:
        rows(*sys.argv[2:])
