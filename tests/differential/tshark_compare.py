"""The packet table against the fields that tshark 4.0 finds in the same captures.

Two comparisons. The outermost view against the first occurrence of each field, which the shared collection brings along
(for the captures of examples/data tshark itself is asked). And where packets are in tunnels, or quoted by ICMP errors, the
innermost view against the last occurrence, for which tshark is asked; its frame.protocols tells which headers are there.
"""

import collections
import csv
import gzip
import ipaddress
import itertools
import shutil
import subprocess
import sys

import compare

try:
    import numpy  # noqa: F401  # pylint: disable=unused-import
except ImportError:
    compare.skip("numpy is not installed")

import netfeat

NO_TIME, FRAGMENT, BAD_LENGTH, HEADER_CUT, BAD_HEADER = 0x4, 0x8, 0x20, 0x100, 0x200  # NETFEAT_QUALITY_*
UNKNOWN_LINK, UNKNOWN_NETWORK, DEPTH_LIMIT = 0x400, 0x800, 0x4000
TCP, UDP, ICMP, ICMP6, SCTP, AH, UDP_LITE = 6, 17, 1, 58, 132, 51, 136
TUNNELS = {4, 41, 47, 55, 94, 97, 98, 108, 112, 115, 137, 143}

FIELDS = """frame.number frame.time_epoch frame.len frame.cap_len frame.encap_type eth.type vlan.id ip.version ip.src ip.dst
ip.proto ip.len ip.ttl ip.flags.mf ip.frag_offset ipv6.src ipv6.dst ipv6.nxt ipv6.hlim tcp.srcport tcp.dstport tcp.flags
tcp.seq_raw tcp.ack_raw tcp.window_size_value tcp.len tcp.hdr_len udp.srcport udp.dstport udp.length sctp.srcport
sctp.dstport icmp.type icmp.code icmpv6.type""".split()
#: Asked for besides, for the innermost view.
LAST_FIELDS = """frame.protocols mpls.label pppoe.session_id gre.key gre.key.call_id erspan.spanid vxlan.vni geneve.vni gtp.teid
nsh.spi""".split()
#: tunnel_type -> tshark's field with its id
TUNNEL_IDS = {1: "mpls.label", 2: "mpls.label", 3: "pppoe.session_id", 6: "gre.key", 8: "erspan.spanid", 9: "gre.key.call_id",
              10: "vxlan.vni", 12: "geneve.vni", 13: "gtp.teid", 20: "nsh.spi", 23: "mpls.label"}
#: What tshark calls the transports, in frame.protocols.
PROTOCOLS = {"tcp": TCP, "udp": UDP, "udplite": UDP_LITE, "sctp": SCTP, "icmp": ICMP, "icmpv6": ICMP6}
QUOTED = {"ip.src": "icmp_src_ip", "ip.dst": "icmp_dst_ip", "ipv6.src": "icmp_src_ip", "ipv6.dst": "icmp_dst_ip"}
#: tshark's field -> our column, by the transport protocol of the packet.
TRANSPORT = {
    TCP: {"tcp.srcport": "src_port", "tcp.dstport": "dst_port", "tcp.flags": "tcp_flags", "tcp.seq_raw": "tcp_seq",
          "tcp.ack_raw": "tcp_ack", "tcp.window_size_value": "tcp_window", "tcp.hdr_len": "tcp_header_length",
          "tcp.len": "payload_length"},
    UDP: {"udp.srcport": "src_port", "udp.dstport": "dst_port", "udp.length": "udp_length"},
    UDP_LITE: {"udp.srcport": "src_port", "udp.dstport": "dst_port"},
    SCTP: {"sctp.srcport": "src_port", "sctp.dstport": "dst_port"},
    ICMP: {"icmp.type": "icmp_type", "icmp.code": "icmp_code"},
    ICMP6: {"icmpv6.type": "icmp_type"},
}
IPV4 = {"ip.src": "src_ip", "ip.dst": "dst_ip", "ip.proto": "ip_protocol", "ip.len": "ip_length", "ip.ttl": "ip_ttl",
        "ip.flags.mf": "more_fragments", "ip.frag_offset": "fragment_offset"}
IPV6 = {"ipv6.src": "src_ip", "ipv6.dst": "dst_ip", "ipv6.hlim": "ip_ttl"}
FRAME = {"frame.time_epoch": "timestamp", "frame.len": "frame_length",
         "frame.cap_len": "captured_length"}
COLUMNS = ["packet_number", "timestamp", "frame_length", "captured_length", "link_type", "ether_type", "vlan_id",
           "vlan_outer_id", "tunnel_type", "tunnel_depth", "ip_version", "src_ip", "dst_ip", "ip_protocol", "ip_length", "ip_ttl",
           "ip_flags", "fragment_offset", "src_port", "dst_port", "tcp_flags", "tcp_seq", "tcp_ack", "tcp_window",
           "tcp_header_length", "icmp_type", "icmp_code", "payload_length", "l4_length", "quality"]

LAST_COLUMNS = COLUMNS + ["tunnel_id", "outer_src_ip", "icmp_src_ip", "icmp_dst_ip", "icmp_src_port",
                          "icmp_dst_port"]

LAST_NS = 2**63 - 1


def _fraction_overflows(theirs, ours):
    """More than a second of fraction: tshark computes it in 32 bits and prints it behind the point as it is."""
    if ours["timestamp"] is None or not theirs["frame.time_epoch"]:
        return False
    seconds, _, fraction = theirs["frame.time_epoch"].partition(".")
    rest = ours["timestamp"] - int(seconds) * 10**9
    return rest >= 10**9 and (rest - int(fraction)) % 2**32 == 0


TCP_COLUMNS = {"tcp_flags", "tcp_seq", "tcp_ack", "tcp_window", "tcp_header_length", "payload_length"}
IP_COLUMNS = set(IPV4.values()) | set(IPV6.values()) | {"ip_version"}
SLIP, PSEUDO_LINKS = 8, {123, 197, 204}
#: Tags and tunnels with an EtherType, perhaps a whole Ethernet header, behind them.
TYPED = {"0x88e7", "0x8903", "0x893f", "0x8909", "0x8926", "0x88e5", "0x8847", "0x9100"}
PSEUDOWIRE, PBB, MACSEC, FABRICPATH = 2, 21, 22, 24
#: name -> (our columns that may differ, when: tshark's row, our row). differences.tsv says why.
RULES = {
    "time-range": ({"timestamp"}, lambda theirs, ours: ours["timestamp"] is None and ours["quality"] & NO_TIME
                   and nanoseconds(theirs["frame.time_epoch"]) > LAST_NS),
    "time-fraction": ({"timestamp"}, _fraction_overflows),
    "pseudo-header": (set(FRAME.values()), lambda theirs, ours: ours["quality"] & UNKNOWN_LINK or ours["link_type"] in PSEUDO_LINKS),
    "slip": (IP_COLUMNS | {"src_port", "dst_port"} | TCP_COLUMNS, lambda theirs, ours: ours["link_type"] == SLIP),
    "frame-inside": ({"ether_type", "first_vlan", "vlan_id"}, lambda theirs, ours: theirs["eth.type"] in TYPED
                     and (ours["tunnel_type"] in (PSEUDOWIRE, PBB, MACSEC, FABRICPATH) or ours["tunnel_depth"] == 0)),
    "ah": ({"ip_protocol"}, lambda theirs, ours: number(theirs["ip.proto"]) == AH),
    "header-cut": (IP_COLUMNS | {"src_port", "dst_port", "icmp_type", "icmp_code"} | TCP_COLUMNS,
                   lambda theirs, ours: ours["quality"] & HEADER_CUT),
    "bad-header": (IP_COLUMNS | TCP_COLUMNS | {"src_port", "dst_port"},
                   lambda theirs, ours: ours["quality"] & BAD_HEADER),
    "fragment-length": ({"udp_length", "payload_length"}, lambda theirs, ours: ours["quality"] & FRAGMENT),
    "bad-length": ({"payload_length", "udp_length"}, lambda theirs, ours: ours["quality"] & BAD_LENGTH),
    "frame-31-bits": ({"frame_length"}, lambda theirs, ours: number(theirs["frame.len"]) == 2**31 - 1
                      and ours["frame_length"] >= 2**31),
}


def number(text):
    """Number in tshark's spelling, None for nothing."""
    return int(text, 0) if text else None


def nanoseconds(text):
    """1528348178.370001000 -> ns."""
    if not text:
        return None
    seconds, _, fraction = text.partition(".")
    value = int(fraction.ljust(9, "0"))
    return int(seconds) * 10**9 + (-value if seconds.startswith("-") else value)


def address(text):
    """Our spelling of an address (mapped IPv4 as a dotted quad)."""
    if ":" not in text:
        return text or None
    value = ipaddress.IPv6Address(text)
    return str(value.ipv4_mapped or value)


def convert(field, text):
    """tshark's text as our value."""
    if field == "frame.time_epoch":
        return nanoseconds(text)
    if field.endswith((".src", ".dst")):
        return address(text)
    if field == "ip.frag_offset":
        return number(text) * 8 if text else None
    if field == "tcp.flags":
        return number(text) & 0x1FF if text else None
    return number(text)


def expected(theirs, ours):
    """(our column, tshark's value) pairs to compare for one packet, or the reason why its headers are left out."""
    pairs = [(column, convert(field, theirs[field])) for field, column in FRAME.items()]
    if ours["quality"] & UNKNOWN_LINK:
        return pairs, "link type not decoded"
    if ours["quality"] & UNKNOWN_NETWORK and (theirs["ip.src"] or theirs["ipv6.src"] or theirs["vlan.id"]):
        return pairs, "a header between link and network that is not decoded"
    if ours["vlan_id"] is None and ours["link_type"] == 1 and theirs["eth.type"]:  # LLC/SNAP has another name
        pairs.append(("ether_type", number(theirs["eth.type"])))
    if ours["ip_protocol"] not in TUNNELS:
        pairs.append(("vlan_id" if theirs["eth.type"] == "0x88a8" else "first_vlan", number(theirs["vlan.id"])))
    if ours["ip_version"] is None or ours["ip_version"] == 4:
        pairs += [(column, convert(field, theirs[field])) for field, column in IPV4.items()]
    if ours["ip_version"] is None or ours["ip_version"] == 6:
        pairs += [(column, convert(field, theirs[field])) for field, column in IPV6.items()]
    protocol = ours["ip_protocol"]
    if protocol in TUNNELS:
        return pairs, None
    pairs += [(column, convert(field, theirs[field])) for field, column in TRANSPORT.get(protocol, {}).items()]
    return pairs, None


def innermost(theirs, ours):
    """The same for the last occurrence of everything."""
    headers = theirs["frame.protocols"].split(":")
    quoting = [i for i, name in enumerate(headers[:-1]) if name in ("icmp", "icmpv6")
               and any(later in ("ip", "ipv6") for later in headers[i + 1:])]
    if quoting and ours["ip_protocol"] in (ICMP, ICMP6):
        versions = [name for name in headers[quoting[-1]:] if name in ("ip", "ipv6")]
        return [(column, convert(field, theirs[field])) for field, column in QUOTED.items()
                if field.startswith(versions[0] + ".")] if len(versions) == 1 else [], None
    if not ours["tunnel_depth"]:
        return [], None
    if ours["quality"] & DEPTH_LIMIT:
        return [], "deeper than table.max_layers"
    version = ([None] + [name for name in headers if name in ("ip", "ipv6")])[-1]
    pairs = [("ip_version", {"ip": 4, "ipv6": 6}.get(version))]
    if version is not None:
        pairs += [(column, convert(field, theirs[field])) for field, column in (IPV4 if version == "ip" else IPV6).items()]
    transports = [PROTOCOLS[name] for name in headers if name in PROTOCOLS]
    if transports and transports[-1] == ours["ip_protocol"]:
        pairs += [(column, convert(field, theirs[field])) for field, column in TRANSPORT[transports[-1]].items()]
    elif ours["src_port"] is not None:
        pairs.append(("ip_protocol", transports[-1] if transports else None))
    if ours["tunnel_type"] in TUNNEL_IDS:
        pairs.append(("tunnel_id", number(theirs[TUNNEL_IDS[ours["tunnel_type"]]])))
    return pairs, None


def derived(ours):
    """Our row with what tshark counts differently."""
    flags = ours["ip_flags"]
    ours["more_fragments"] = None if flags is None else flags & 1
    ours["first_vlan"] = ours["vlan_id"] if ours["vlan_outer_id"] is None else ours["vlan_outer_id"]
    ours["udp_length"] = None if ours["payload_length"] is None else ours["payload_length"] + 8
    return ours


def rule_for(column, theirs, ours):
    """Name of the first rule that allows this column to differ, or None."""
    for name, (columns, applies) in RULES.items():
        if column in columns and applies(theirs, ours):
            return name
    return None


def ask(path, fields, occurrence, limit=None):
    """tshark's fields as lines of text."""
    command = ["tshark", "-r", str(path), "-n", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o",
               "tcp.desegment_tcp_streams:FALSE", "-T", "fields", "-E", "header=y", "-E", "occurrence=" + occurrence]
    if limit is not None:
        command += ["-c", str(limit)]
    for field in fields:
        command += ["-e", field]
    output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return output.stdout.splitlines(keepends=True)


def fields_of(name, path):
    """The first occurrence of tshark's fields, or None."""
    stored = compare.shared() / "oracle" / (name + ".tsv.gz") if compare.shared() else path
    if stored.suffix == ".gz" and stored.is_file():
        with gzip.open(stored, "rt", encoding="utf-8", newline="") as file:
            return file.readlines()
    return ask(path, FIELDS, "f") if shutil.which("tshark") else None


def packets(lines):
    """Rows of tshark; it counts pcapng blocks that are no packets."""
    return [line for line in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if line["frame.encap_type"]]


def differences_in(lines, table, columns, pairs_of, limit):
    """(packets, differences, skipped) of one view."""
    differences, skipped, count = [], collections.Counter(), 0
    rows = zip(*[table[column].to_list() for column in columns])
    for theirs, row in itertools.islice(zip(lines, rows), limit):
        count += 1
        ours = derived(dict(zip(columns, row)))
        pairs, reason = pairs_of(theirs, ours)
        if reason:
            skipped["only the frame: " + reason] += 1
        for column, value in pairs:
            if ours[column] != value:
                differences.append(compare.Difference(count, column, value, ours[column],
                                                      rule_for(column, theirs, ours)))
    return count, differences, skipped


def one(name, limit):
    """Result for one capture."""
    path = compare.captures()[name]
    stored = fields_of(name, path)
    if stored is None:
        return compare.Result(name, 0, [], {"capture without an oracle": 1}, None)
    lines = packets(stored)
    table = netfeat.read(path, columns=COLUMNS, tunnels="outermost", on_error="keep")
    if not len(table) and table.errors and lines:
        return compare.Result(name, 0, [], {}, str(table.errors[0]))
    count, differences, skipped = differences_in(lines, table, COLUMNS, expected, limit)
    if len(lines) != len(table):
        differences.append(compare.Difference(len(table) + 1, "rows", len(lines), len(table),
                                              None if lines else "refused"))
    table = netfeat.read(path, columns=LAST_COLUMNS, on_error="keep")
    if shutil.which("tshark") and (any(table["tunnel_depth"].to_list()) or any(table["icmp_src_ip"].to_list())):
        lines = packets(ask(path, FIELDS + LAST_FIELDS, "l", limit))
        _, more, left_out = differences_in(lines, table, LAST_COLUMNS, innermost, limit)
        differences += [found._replace(column="last " + found.column) for found in more]
        skipped.update(left_out)
    return compare.Result(name, count, differences, skipped, None)


def main():
    """The exit code."""
    options = compare.arguments(__doc__, limit=2000)
    names = options.captures or [name for name in compare.captures()
                                 if not name.startswith("examples/") or shutil.which("tshark")]
    if not names:
        compare.skip("no captures, or no tshark for our own")
    return compare.run("tshark", one, options, names)


if __name__ == "__main__":
    sys.exit(main())
