#!/usr/bin/env python3
"""Make seeds for the fuzz targets out of the sample captures and of captures built here.
usage: make_corpus.py     writes tests/fuzz/corpus/decode, table, capture, flow, filter, options, stream, frag and pipeline (which takes the Python package
and the library of this tree: PYTHONPATH=lib/python NETFEAT_LIBRARY=build/lib/libnetfeat.so)"""
import bz2
import gzip
import hashlib
import json
import lzma
import pathlib
import re
import struct

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent.parent / "examples" / "data"
CASES = HERE.parent / "cases"
LINKS = [int(number) for number in re.findall(
    r"^LINK\((\d+),", (HERE.parent.parent / "lib" / "decode" / "links.def").read_text(), re.M)]


def pcap_records(data):
    at = 24
    while at < len(data):
        seconds, fraction, captured, wire = struct.unpack_from("<IIII", data, at)
        yield data[at + 16:at + 16 + captured]
        at += 16 + captured


def pcapng_records(data):
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 6:
            captured = struct.unpack_from("<I", data, at + 20)[0]
            yield data[at + 28:at + 28 + captured]
        at += length


def kind(packet):
    """What makes a packet worth a seed of its own: its types, flags and whether it has options or payload."""
    ether = packet[12:14]
    if ether == b"\x08\x00":
        header = (packet[14] & 15) * 4
        protocol = packet[23]
        l4 = packet[14 + header:]
    elif ether == b"\x86\xdd":
        protocol, l4, header = packet[20], packet[54:], 40
    else:
        return ether, len(packet)
    if protocol == 6:
        return ether, header, protocol, l4[12], l4[13], len(l4) > (l4[12] >> 4) * 4
    return ether, header, protocol, l4[0] if protocol in (1, 58) else len(l4) > 100


def distinct(packets):
    seen = {}
    for packet in packets:
        seen.setdefault(kind(packet), packet)
    return list(seen.values())


def write(folder, name, data):
    path = HERE / "corpus" / folder
    path.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(data)


def decode_input(link, packet, flags=15):
    """An input of fuzz_decode."""
    return bytes((LINKS.index(link) if link in LINKS else len(LINKS), flags, 0, 0, 0, 0)) + packet


def pcap(order, magic, link, packets):
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for i, packet in enumerate(packets):
        out += struct.pack(order + "IIII", 1700000000 + i, i, len(packet), len(packet) + (i == 1)) + packet
    return out


def block(order, number, body):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", number, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def pcapng(order, packets):
    out = b""
    for section in range(2):
        out += block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
        out += block(order, 1, struct.pack(order + "HHI", 1, 0, 0) + struct.pack(order + "HHBxxxHH", 9, 1, 9, 0, 0))
        out += block(order, 1, struct.pack(order + "HHI", 101, 0, 96) + struct.pack(order + "HH", 0, 0))
        out += block(order, 5, bytes(12))
        for i, packet in enumerate(packets[section::2]):
            head = struct.pack(order + "IIIII", i % 2, 391000, i, len(packet), len(packet))
            out += block(order, 6, head + packet)
        out += block(order, 3, struct.pack(order + "I", len(packets[0])) + packets[0])
        out += block(order, 2, struct.pack(order + "HHIIII", 0, 1, 391000, 9, len(packets[1]), len(packets[1])) + packets[1])
    return out


def option(order, number, value):
    return struct.pack(order + "HH", number, len(value)) + value + bytes(-len(value) % 4)


def talkative(order, packet):
    """A pcapng capture with names, statistics and comments on everything."""
    body = struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)
    out = block(order, 0x0A0D0D0A, body + b"".join(option(order, i, b"text %d" % i) for i in range(1, 5)))
    out += block(order, 1, struct.pack(order + "HHI", 1, 0, 96) + option(order, 2, b"eth0") + option(order, 3, b"uplink") +
                 option(order, 1, b"of the interface") + option(order, 0, b""))
    head = struct.pack(order + "IIIII", 0, 391000, 1, len(packet), len(packet))
    out += block(order, 6, head + packet + bytes(-len(packet) % 4) + option(order, 1, b"of the packet"))
    out += block(order, 4, option(order, 1, bytes([192, 0, 2, 1]) + b"one\0two\0") +
                 option(order, 2, bytes(16) + b"any\0") + option(order, 0, b""))
    return out + block(order, 5, struct.pack(order + "III", 0, 0, 0) + option(order, 5, struct.pack(order + "Q", 3)))


def zstd_stored(data):
    """One frame (RFC 8878) with one block that is not compressed."""
    return (struct.pack("<IBH", 0xFD2FB528, 0x60, len(data) - 256) + struct.pack("<I", len(data) << 3 | 1)[:3] + data)


def lz4_stored(data):
    """One frame with one block that is not compressed; 0x82 is the check sum of the two bytes before it."""
    return struct.pack("<IBBBI", 0x184D2204, 0x60, 0x40, 0x82, len(data) | 1 << 31) + data + bytes(4)


def state_rows(state):
    """A state table as fuzz_pipeline takes it."""
    rows = zip(*(state[name].to_list() for name in ("step", "item", "type", "data")))
    return b"".join(struct.pack("<BB", step, len(item)) + item.encode() + struct.pack("<BH", kind, len(data)) + data
                    for step, item, kind, data in rows)


#: Steps of one pipeline each: feature, inputs, options.
PIPELINES = [
    [("cumulative", ["frame_length", "src_ip"], {"feature.null_key": 1}), ("cumulative_bytes", ["frame_length"], {})],
    [("interarrival", ["timestamp", "src_ip", "dst_port"], {"feature.seconds": 1, "feature.null": 1}),
     ("timestamp", [], {"feature.relative": 1})],
    [("frequency", ["dst_port"], {"feature.unknown": 2}), ("frequency", ["src_ip"], {"feature.statistic": 2}),
     ("ordinal", ["tcp_flags"], {})],
    [("onehot", ["dst_port"], {"feature.map": "23=telnet,80=http"}), ("onehot", ["ip_protocol"], {}),
     ("onehot", ["src_port"], {"feature.ports": 1, "feature.duplicates": 2})],
    [("cumulative_bytes", ["frame_length"], {}), ("standard_scale", ["cumulative_bytes"], {}),
     ("minmax_scale", ["payload_length"], {"feature.null": 1})],
    [("ip_numeric", ["src_ip"], {"feature.ip_mode": 4}), ("ip_private", [], {}), ("direction", [], {}),
     ("port_class", [], {}), ("tcp_flags", [], {}), ("mirai_syn", [], {})],
    [("payload_entropy", [], {}), ("payload_histogram", [], {"feature.bins": 4})],
    [("damped", [], {"feature.damped_streams": 16})],
]


def pipeline_seeds():
    """JSON, and the states of pipelines, encoders and accumulators in each phase of their lives."""
    import netfeat  # pylint: disable=import-outside-toplevel

    table = netfeat.read(str(DATA / "mirai_scan.pcap"), payload=True)[:40]
    for number, steps in enumerate(PIPELINES):
        steps = [{"feature": feature, "inputs": inputs, "output": "" if feature == "cumulative_bytes" else "o%d" % i,
                  "options": options} for i, (feature, inputs, options) in enumerate(steps)]
        text = json.dumps({"version": 1, "steps": steps}, indent=number % 2)
        write("pipeline", "json-%d" % number, b"\0" + text.encode())
        pipeline = netfeat.Pipeline.from_json(text)
        write("pipeline", "new-%d" % number, b"\1" + state_rows(pipeline.to_table()))
        pipeline.fit(table)
        write("pipeline", "fitted-%d" % number, b"\1" + state_rows(pipeline.to_table()))
        pipeline.seal().apply(table)
        write("pipeline", "sealed-%d" % number, b"\1" + state_rows(pipeline.to_table()))
    for name, options in (("frequency", {}), ("onehot", {}), ("ordinal", {}), ("standard_scale", {}), ("minmax_scale", {}),
                          ("onehot", {"ports": 2})):
        encoder = netfeat.Encoder(name, **options).fit(table["dst_port"])
        name += "-ports" if options else ""
        write("pipeline", "encoder-" + name, b"\2" + state_rows(encoder.to_table())[:30000])
        if not options:
            write("pipeline", "sealed-" + name, b"\2" + state_rows(encoder.seal().to_table()))
    for name, inputs, options in (("cumulative", ["frame_length", "dst_ip", "dst_port"], {}), ("interarrival", [], {}),
                                  ("timestamp", [], {"relative": 1}), ("damped", [], {"damped_streams": 16}),
                                  ("window", ["timestamp", "frame_length", "dst_port", "src_ip"],
                                   {"distinct": 1, "window_ns": 10**6, "lateness_ns": 10**6})):
        accumulator = netfeat.Accumulator(name, inputs, **options)
        accumulator.push(table)
        write("pipeline", "accumulator-" + name, b"\3" + state_rows(accumulator.to_table()))


def script_seeds():
    """Bytes that the targets turn into segments and fragments: nothing but dice, in different sizes."""
    for number in range(16):
        for target in ("stream", "frag"):
            dice = bytes(1) + hashlib.shake_128(b"%s %d" % (target.encode(), number)).digest(40 + 60 * number)
            write(target, "dice-%02d" % number, dice)


def flow_packet(hosts, kind, flags, seq=0, ack=0, step=30, payload=0, rest=(0, 0, 0)):
    """A packet of fuzz_flow, 2^step ns behind the one before."""
    return struct.pack("<BBBHHBBBBB", hosts, kind, flags, seq, ack, step, payload, *rest)


def flow_seeds():
    """A connection with everything it needs, others half open, pings, fragments; under each profile and other settings."""
    there, back = 1 | 2 << 2, 2 | 1 << 2
    connection = [flow_packet(there, 0x40, 2, 100), flow_packet(back, 0x20, 18, 500, 101),
                  flow_packet(there, 0x40, 16, 101, 501), flow_packet(there, 0x40, 24, 101, 501, payload=50),
                  flow_packet(back, 0x20, 24, 501, 151, payload=200), flow_packet(there, 0x40, 17, 151, 701),
                  flow_packet(back, 0x20, 17, 701, 152), flow_packet(there, 0x40, 16, 152, 702),
                  flow_packet(there, 0x40, 2, 9000, step=33)]
    reset = [flow_packet(there | 16, 1, 2, 7), flow_packet(back | 16, 1, 20, 0, 8), flow_packet(back | 16, 1, 4, 1)]
    pings = [flow_packet(there, 4, 8, rest=(0, 17, 0)), flow_packet(back, 4, 0, rest=(0, 17, 0)),
             flow_packet(there | 16, 5, 128), flow_packet(back | 16, 5, 129), flow_packet(there, 4, 3)]
    pieces = [flow_packet(there, 3, 0, payload=90, rest=(0, 8, 0)), flow_packet(there, 0x1B, 0, payload=40),
              flow_packet(back, 0x1B, 0, payload=30), flow_packet(there, 3, 0, step=40), flow_packet(0x60, 0, 0)]
    packets = b"".join(connection + reset + pings + pieces)
    for profile in range(6):
        for number, head in enumerate((bytes((0, 0x63, 0, 0, 33, 32, 30, 0, 42, 6)), bytes((0x40, 3, 34, 36, 31, 32, 30, 0, 42, 2)),
                                       bytes((0xC0, 2, 0, 0, 0, 0, 0, 3, 0, 0)), bytes((0x40, 0x1F, 40, 41, 20, 30, 31, 0, 5, 20)))):
            write("flow", "profile-%d-%d" % (profile, number), bytes((head[0] | profile,)) + head[1:] + packets)
    for number in range(8):
        write("flow", "dice-%d" % number, hashlib.shake_128(b"flow %d" % number).digest(10 + 12 * (10 + 12 * number)))


#: Expressions that know many link types and every part of a program.
FILTERS = [
    "", "tcp", "ip and not tcp", "udp port 53 or icmp", "tcp port port 80", "arp", "vlan 5 and ip6", "len > 20",
    "src net 10.0.0.0/8 and tcp dst portrange 20-25", "ether host 02:00:00:00:00:01", "ip6 host 2001:db8::1 or ip broadcast",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not src port 80", "ip[2:2] > 40 and ip[6] & 0x20 = 0", "mpls 100 and pppoes 7",
    "wlan type mgt subtype beacon", "ether proto 0x88cc or stp", "((ip or ip6) and (greater 10 or less 100))", "gateway none",
    "icmp[icmptype] = icmp-echo or icmp6[icmp6type] = 135", "geneve 5 and vlan", "1 + 2 * len / 3 % 5 << 1 ^ 7 = 4 - 1", "outbound",
]

#: Settings of fuzz_options; the first byte says how often memory is refused.
SETTINGS = [
    (0, {}), (0, {"source.filter": "tcp", "table.keep_payload": 1, "flow.profile": "zeek"}),
    (0, {"flow.profile": "cic", "flow.columns": "*", "flow.bidirectional": 1, "flow.idle_ns": 1000}),
    (0, {"flow.profile": "nfstream", "flow.max_open": 1, "stream.policy": "linux"}), (0, {"io.compression": "zstd", "io.format": "stream"}),
    (0, {"io.format": "csv"}), (0, {"io.format": "parquet", "io.compression": "zstd"}),
    (0, {"table.columns": "src_ip, dst_port,timestamp", "table.max_rows": 3, "table.tunnels": "outermost"}),
    (0, {"table.max_layers": 1, "table.tunnel_ports": "vxlan=8473,gtp=2153", "table.verify_checksums": 1}),
    (0, {"stream.max_streams": 1, "stream.policy": "last", "source.buffer_bytes": 4096, "source.max_interfaces": 1}),
] + [(rate, {"table.keep_payload": 1}) for rate in range(2, 13)]


def text_seeds():
    """Filters and settings."""
    for number, text in enumerate(FILTERS):
        write("filter", "text-%02d" % number, text.encode())
    for number, (rate, settings) in enumerate(SETTINGS):
        lines = "".join("%s=%s\n" % pair for pair in settings.items())
        write("options", "settings-%02d" % number, bytes([rate]) + lines.encode())


def main():
    scan = distinct(pcap_records((DATA / "mirai_scan.pcap").read_bytes()))
    benign = distinct(pcapng_records((DATA / "benign.pcapng").read_bytes()))
    packets = [p[:200] for p in scan + benign]
    for i, packet in enumerate(packets):
        write("decode", "packet-%02d" % i, decode_input(1, packet))
        if i % 5 == 0:  # a VLAN tag, two tags, raw IP, cooked
            tag = b"\x81\x00\x20\x05"
            write("decode", "vlan-%02d" % i, decode_input(1, packet[:12] + tag + packet[12:]))
            write("decode", "qinq-%02d" % i,
                  decode_input(1, packet[:12] + b"\x88\xa8\x00\x07" + tag + packet[12:]))
            write("decode", "raw-%02d" % i, decode_input(101, packet[14:]))
            write("decode", "sll-%02d" % i, decode_input(113, bytes(14) + packet[12:]))
    for path in sorted(CASES.glob("*.pcap")):  # a packet of each link type and tunnel; flags by turns
        data = path.read_bytes()
        for number, packet in enumerate(pcap_records(data)):
            if number % 2 == 0:
                flags = 15 + 64 * (number // 2 % 2)
                write("decode", "case-%s-%d" % (path.stem, number),
                      decode_input(struct.unpack_from("<I", data, 20)[0], packet, flags))
    few = packets[:10]
    write("table", "pcap-le-us", b"\x05" + pcap("<", 0xA1B2C3D4, 1, few))
    write("table", "pcap-be-ns", b"\x43" + pcap(">", 0xA1B23C4D, 1, few))
    write("table", "pcap-raw", b"\x80" + pcap("<", 0xA1B2C3D4, 101, [p[14:] for p in few]))
    write("table", "pcapng-le", b"\x02" + pcapng("<", few))
    write("table", "pcapng-be", b"\xc4" + pcapng(">", few))
    plain = pcap("<", 0xA1B2C3D4, 1, few)
    write("capture", "gzip", b"\x03" + gzip.compress(plain[:400], mtime=0) + gzip.compress(plain[400:], mtime=0) + bytes(9))
    write("capture", "bzip2", b"\x84" + bz2.compress(plain))
    write("capture", "xz", b"\x05" + lzma.compress(plain, preset=0))
    write("capture", "zstd", b"\x86" + zstd_stored(plain))
    write("capture", "lz4", b"\x07" + lz4_stored(plain))
    write("capture", "notes-le", b"\x41" + talkative("<", few[0]))
    write("capture", "notes-be", b"\xc2" + talkative(">", few[0]))
    script_seeds()
    flow_seeds()
    text_seeds()
    pipeline_seeds()


main()
