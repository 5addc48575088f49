"""pcap_to_dataframe as a notebook would write it with scapy: the reference that netfeat.notebook is compared with."""

import collections
import logging
import warnings

logging.getLogger("scapy").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore")

# pylint: disable=wrong-import-position
from scapy.all import ICMP, IP, TCP, UDP, IPv6, PcapReader, conf  # noqa: E402
from scapy.error import Scapy_Exception as NotACapture  # noqa: E402

conf.debug_dissector = 0

COLUMNS = ["Timestamp", "Source IP", "Destination IP", "Source Port", "Destination Port", "Payload", "Packet Length",
           "Protocol"]
ANY_SIZE = 1 << 31  # scapy cuts packets at 65535 bytes unless told

#: values: the eight columns; layers: names, outermost first; rebuilt: scapy's bytes are not those that it read;
#: ip_headers: quoted ones in ICMP errors do not count.
Row = collections.namedtuple("Row", "values layers rebuilt ip_headers")


def layers_of(packet):
    """The layers of a packet, outermost first."""
    found = []
    while packet:
        found.append(packet)
        packet = packet.payload
    return found


def first(layers, *kinds):
    """The first layer that is exactly of one of these kinds (TCPerror is no TCP), or None."""
    return next((layer for layer in layers if type(layer) in kinds), None)


def link_padding(ip):
    """Bytes behind the datagram by its own length."""
    if ip is None:
        return 0
    declared = ip.plen if isinstance(ip, IPv6) else ip.len
    if not declared:  # segmentation offload, jumbogram: no length
        return 0
    return max(len(ip) - declared - (40 if isinstance(ip, IPv6) else 0), 0)


def payload_of(header, ip):
    """Bytes behind a TCP, UDP or ICMP header, without link padding and what UDP's own length leaves out."""
    payload = bytes(header.payload)
    payload = payload[:max(len(payload) - link_padding(ip), 0)]
    if isinstance(header, UDP) and header.len is not None and header.len >= 8:
        payload = payload[:header.len - 8]
    return payload


def row(packet):
    """Row of one packet."""
    layers = layers_of(packet)
    ip = first(layers, IP)
    header = first(layers, TCP) or first(layers, UDP) or first(layers, ICMP)
    has_ports = isinstance(header, (TCP, UDP))
    values = [
        packet.time,
        ip.src if ip else None,
        ip.dst if ip else None,
        header.sport if has_ports else None,
        header.dport if has_ports else None,
        payload_of(header, first(layers, IP, IPv6)) if header else None,
        len(header) if header else len(packet),
        ip.proto if ip else None,
    ]
    return Row(values, tuple(type(layer).__name__ for layer in layers), bytes(packet) != packet.original,
               sum(type(layer) in (IP, IPv6) for layer in layers))


def rows(path, limit=None):
    """Rows of a capture, at most `limit`; as scapy does, a damaged file just ends."""
    result = []
    with PcapReader(path) as reader:
        while limit is None or len(result) < limit:
            try:
                packet = reader.read_packet(size=ANY_SIZE)
            except EOFError:
                break
            result.append(row(packet))
    return result
