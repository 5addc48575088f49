"""Captures made by hand, byte by byte, and the exit code that means `skipped`."""

import os
import pathlib
import struct
import sys
import unittest

SKIPPED = 77
ROOT = pathlib.Path(__file__).resolve().parents[2]

BENIGN, SCAN = ROOT / "examples" / "data" / "benign.pcapng", ROOT / "examples" / "data" / "mirai_scan.pcap"

try:
    import numpy  # noqa: F401  # pylint: disable=unused-import
except ImportError:
    sys.exit(SKIPPED)

try:
    import pandas
except ImportError:
    pandas = None

needs_pandas = unittest.skipIf(pandas is None, "pandas is not installed")


def shared():
    """Directory of the shared captures, or None."""
    path = pathlib.Path(os.environ.get("NETFEAT_SHARED", ROOT.parent / "shared"))
    return path if (path / "captures" / "MANIFEST.tsv").is_file() else None


def ethernet(payload, ether_type=0x0800):
    return bytes.fromhex("020000000001020000000002") + struct.pack(">H", ether_type) + payload


def ipv4(payload, protocol, source=(10, 0, 0, 1), destination=(10, 0, 0, 2), flags=0):
    return struct.pack(">BBHHHBBH4B4B", 0x45, 0, 20 + len(payload), 7, flags, 64, protocol, 0, *source,
                       *destination) + payload


def ipv6(payload, protocol, source=1, destination=2):
    return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + bytes.fromhex("20010db8") + bytes(11) + bytes(
        [source]) + bytes.fromhex("20010db8") + bytes(11) + bytes([destination]) + payload


def tcp(payload=b"", source=40000, destination=80, flags=0x18):
    return struct.pack(">HHIIBBHHH", source, destination, 1000, 2000, 0x50, flags, 512, 0, 0) + payload


def udp(payload=b"", source=40000, destination=53):
    return struct.pack(">HHHH", source, destination, 8 + len(payload), 0) + payload


def icmp(payload=b"", kind=8, identifier=1):
    return struct.pack(">BBHHH", kind, 0, 0, identifier, 1) + payload


def arp():
    return struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + bytes(20)


def pcap(packets, nanoseconds=False, link_type=1, start=1700000000):
    """Bytes of a little-endian pcap file; one packet a second and a bit."""
    parts = [struct.pack("<IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)]
    for number, packet in enumerate(packets):
        parts.append(struct.pack("<IIII", start + number, 123456 + number, len(packet), len(packet)))
        parts.append(packet)
    return b"".join(parts)


def mixed_packets():
    """One packet of each kind; MIXED says what they are."""
    return [
        ethernet(ipv4(tcp(b"hello"), 6)),
        ethernet(ipv4(udp(b"query"), 17, source=(10, 0, 0, 3))) + b"\0" * 4,
        ethernet(ipv4(icmp(b"ping"), 1)),
        ethernet(arp(), 0x0806),
        ethernet(ipv6(tcp(b"six"), 6), 0x86DD),
        ethernet(ipv6(icmp(b"six", 128), 58), 0x86DD),
        ethernet(ipv4(b"\1" * 16, 17, flags=0x00B9)),
        ethernet(b"?" * 50, 0x88B5),
        ethernet(ipv4(tcp(), 6, source=(10, 0, 0, 2), destination=(10, 0, 0, 1))) + b"\0" * 6,
    ]


MIXED = ["tcp", "udp", "icmp", "arp", "tcp6", "icmp6", "fragment", "unknown", "padded"]


def many_packets(count):
    """A capture of `count` small packets with a few addresses and many ports."""
    packets = []
    for i in range(count):
        payload = b"x" * (i % 7)
        packets.append(ethernet(ipv4(tcp(payload, 1024 + i % 5000), 6, source=(10, 0, i % 3, i % 250))) if i % 5 else
                       ethernet(arp(), 0x0806))
    return pcap(packets)


def columns_of(table):
    """Everything in a table as plain Python, for comparisons."""
    return {name: (table[name].type, table[name].unit, table[name].to_list()) for name in table.columns}


def main():
    unittest.main(module="__main__", verbosity=1)
