"""The packet table against the fields that tshark 4.0 finds in the same captures.

The shared collection brings tshark's fields along; for the captures of examples/data tshark itself is asked. Headers
are compared as long as no tunnel is involved: tshark's columns then mix the headers of several layers.
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
UNKNOWN_LINK, UNKNOWN_NETWORK = 0x400, 0x800
TCP, UDP, ICMP, ICMP6, SCTP, AH, UDP_LITE = 6, 17, 1, 58, 132, 51, 136
TUNNELS = {4, 41, 47, 55, 94, 97, 98, 108, 112, 115, 137, 143}

FIELDS = """frame.number frame.time_epoch frame.len frame.cap_len frame.encap_type eth.type vlan.id ip.version ip.src ip.dst
ip.proto ip.len ip.ttl ip.flags.mf ip.frag_offset ipv6.src ipv6.dst ipv6.nxt ipv6.hlim tcp.srcport tcp.dstport tcp.flags
tcp.seq_raw tcp.ack_raw tcp.window_size_value tcp.len tcp.hdr_len udp.srcport udp.dstport udp.length sctp.srcport
sctp.dstport icmp.type icmp.code icmpv6.type""".split()
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
           "vlan_outer_id", "tunnel_depth", "ip_version", "src_ip", "dst_ip", "ip_protocol", "ip_length", "ip_ttl",
           "ip_flags", "fragment_offset", "src_port", "dst_port", "tcp_flags", "tcp_seq", "tcp_ack", "tcp_window",
           "tcp_header_length", "icmp_type", "icmp_code", "payload_length", "l4_length", "quality"]

LAST_NS = 2**63 - 1


def _fraction_overflows(theirs, ours):
    """More than a second of fraction: tshark computes it in 32 bits and prints it behind the point as it is."""
    if ours["timestamp"] is None or not theirs["frame.time_epoch"]:
        return False
    seconds, _, fraction = theirs["frame.time_epoch"].partition(".")
    rest = ours["timestamp"] - int(seconds) * 10**9
    return rest >= 10**9 and (rest - int(fraction)) % 2**32 == 0


TCP_COLUMNS = {"tcp_flags", "tcp_seq", "tcp_ack", "tcp_window", "tcp_header_length", "payload_length"}
IP_COLUMNS = set(IPV4.values()) | set(IPV6.values())
#: name -> (our columns that may differ, when: tshark's row, our row). differences.tsv says why.
RULES = {
    "time-range": ({"timestamp"}, lambda theirs, ours: ours["timestamp"] is None and ours["quality"] & NO_TIME
                   and nanoseconds(theirs["frame.time_epoch"]) > LAST_NS),
    "time-fraction": ({"timestamp"}, _fraction_overflows),
    "pseudo-header": (set(FRAME.values()), lambda theirs, ours: ours["quality"] & UNKNOWN_LINK),
    "ah": ({"ip_protocol"}, lambda theirs, ours: number(theirs["ip.proto"]) == AH),
    "header-cut": ({"dst_ip", "src_port", "dst_port", "icmp_type", "icmp_code"} | TCP_COLUMNS,
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
    if ours["tunnel_depth"]:
        return pairs, "tunnel"
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


def fields_of(name, path):
    """tshark's fields as lines of text, or None."""
    stored = compare.shared() / "oracle" / (name + ".tsv.gz") if compare.shared() else path
    if stored.suffix == ".gz" and stored.is_file():
        with gzip.open(stored, "rt", encoding="utf-8", newline="") as file:
            return file.readlines()
    if not shutil.which("tshark"):
        return None
    command = ["tshark", "-r", str(path), "-n", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o",
               "tcp.desegment_tcp_streams:FALSE", "-T", "fields", "-E", "header=y", "-E", "occurrence=f"]
    for field in FIELDS:
        command += ["-e", field]
    output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return output.stdout.splitlines(keepends=True)


def one(name, limit):
    """Result for one capture."""
    path = compare.captures()[name]
    stored = fields_of(name, path)
    if stored is None:
        return compare.Result(name, 0, [], {"capture without an oracle": 1}, None)
    lines = [line for line in csv.DictReader(stored, delimiter="\t", quoting=csv.QUOTE_NONE)
             if line["frame.encap_type"]]  # tshark counts pcapng blocks that are no packets
    table = netfeat.read(path, columns=COLUMNS, on_error="keep")
    if not len(table) and table.errors and lines:
        return compare.Result(name, 0, [], {}, str(table.errors[0]))
    rows = zip(*[table[column].to_list() for column in COLUMNS])
    differences, skipped = [], collections.Counter()
    if len(lines) != len(table):
        differences.append(compare.Difference(len(table) + 1, "rows", len(lines), len(table),
                                              None if lines else "refused"))
    count = 0
    for theirs, row in itertools.islice(zip(lines, rows), limit):
        count += 1
        ours = derived(dict(zip(COLUMNS, row)))
        pairs, reason = expected(theirs, ours)
        if reason:
            skipped["only the frame: " + reason] += 1
        for column, value in pairs:
            if ours[column] != value:
                differences.append(compare.Difference(count, column, value, ours[column],
                                                      rule_for(column, theirs, ours)))
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
