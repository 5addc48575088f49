#!/usr/bin/env python3
"""One small capture per link type and per tunnel, and the fields that each of its packets must give.
usage: make_cases.py [FOLDER]     writes FOLDER/*.pcap and FOLDER/expected.tsv (default: beside this file)

Every capture holds the same two packets, TCP over IPv4 and UDP over IPv6 (the second only where the wrapping can carry
it), behind the headers of its case. Needs scapy."""

import pathlib
import struct
import sys

from scapy.contrib.erspan import ERSPAN_II, ERSPAN_III
from scapy.contrib.etherip import EtherIP
from scapy.contrib.geneve import GENEVE
from scapy.contrib.gtp import GTP_U_Header, GTPPDUSessionContainer
from scapy.contrib.macsec import MACsec
from scapy.contrib.mpls import MPLS
from scapy.contrib.nsh import NSH
from scapy.layers.dot11 import Dot11, Dot11QoS, RadioTap
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, IPv6
from scapy.layers.l2 import ARP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Ether, GRE, GRE_PPTP, LLC, SNAP
from scapy.layers.l2tp import L2TP
from scapy.layers.ipsec import AH, ESP
from scapy.layers.ppp import HDLC, PPP, PPPoE
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

SRC, DST = "02:00:00:00:00:01", "02:00:00:00:00:02"
OUTER_SRC, OUTER_DST = "02:00:00:00:00:11", "02:00:00:00:00:12"
V4 = IP(src="192.0.2.1", dst="198.51.100.2", ttl=61, tos=0xB9, id=77, flags="DF") / TCP(
    sport=40000, dport=443, flags="PA", seq=1000, ack=2000, window=512) / Raw(b"hello")
V6 = IPv6(src="2001:db8::1", dst="2001:db8::2", hlim=62, tc=0x2E, fl=0x12345) / UDP(sport=40001, dport=5353) / Raw(b"query")
FIELDS4 = dict(ip_version=4, src_ip="192.0.2.1", dst_ip="198.51.100.2", ip_protocol=6, ip_ttl=61, ip_tos=185, ip_dscp=46,
               ip_ecn=1, ip_id=77, ip_flags=2, ip_length=45, ip_header_length=20, src_port=40000, dst_port=443,
               tcp_flags=24, tcp_seq=1000, tcp_ack=2000, tcp_window=512, tcp_header_length=20, l4_length=25,
               payload_length=5, payload="68656c6c6f", padding_length=0, quality=0)
FIELDS6 = dict(ip_version=6, src_ip="2001:db8::1", dst_ip="2001:db8::2", ip_protocol=17, ip_ttl=62, ip_tos=46, ip_dscp=11,
               ip_ecn=2, ipv6_flow_label=0x12345, ip_length=53, ip_header_length=40, src_port=40001, dst_port=5353,
               l4_length=13, payload_length=5, payload="7175657279", padding_length=0, quality=0)
OUT = dict(outer_src_ip="10.0.0.1", outer_dst_ip="10.0.0.2")
OUT6 = dict(outer_src_ip="fd00::1", outer_dst_ip="fd00::2")
MACS = dict(src_mac=SRC, dst_mac=DST)
NO_TUNNEL = dict(tunnel_type=None, tunnel_depth=0, tunnel_id=None, outer_src_ip=None, outer_dst_ip=None)
TYPES = {"mpls": 1, "pseudowire": 2, "pppoe": 3, "ipv4": 4, "ipv6": 5, "gre": 6, "nvgre": 7, "erspan": 8, "pptp": 9,
         "vxlan": 10, "vxlan_gpe": 11, "geneve": 12, "gtp_u": 13, "teredo": 14, "l2tp": 15, "l2tpv3": 16, "etherip": 17,
         "ayiya": 18, "capwap": 19, "nsh": 20, "pbb": 21, "macsec": 22, "mpls_udp": 23,
         "fabricpath": 24}
LINKTYPE_ETHERNET = 1


class Case:
    """name, link type, and (packet, expected fields) of each packet."""

    def __init__(self, name, link_type):
        self.name, self.link_type, self.packets = name, link_type, []

    def add(self, packet, fields):
        self.packets.append((bytes(packet), dict(fields, link_type=self.link_type, frame_length=len(bytes(packet)),
                                                 captured_length=len(bytes(packet)))))


def ether_of(inner):
    return 0x0800 if inner is V4 else 0x86DD


def both(case, wrap, more, only=None):
    """The two packets behind what wrap(packet) puts in front; `more` is a dict, or gives one for a packet."""
    for inner, fields in ((V4, FIELDS4), (V6, FIELDS6)):
        if only is None or inner is only:
            extra = more(inner) if callable(more) else more
            case.add(wrap(inner), {**NO_TUNNEL, **fields, **extra})
    return case


# ---- links ----

def ether(inner, source=SRC, destination=DST):
    return Ether(src=source, dst=destination, type=ether_of(inner)) / inner


def snap(inner):
    return LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0, code=ether_of(inner)) / inner


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def raw(data):
    return lambda inner: data + bytes(inner)


def typed(before, after=b""):
    """Bytes, an EtherType, bytes, then the packet."""
    return lambda inner: before + struct.pack(">H", ether_of(inner)) + after + bytes(inner)


def family(form, numbers, after=b""):
    return lambda inner: struct.pack(form, numbers[inner is V6]) + after + bytes(inner)


def wlan(inner, **kind):
    return Dot11(type=2, subtype=0, FCfield="to-DS", addr1="02:00:00:00:00:aa", addr2=SRC, addr3=DST, **kind) / snap(inner)


def wlan_qos(inner):
    return Dot11(type=2, subtype=8, FCfield="from-DS", addr1=DST, addr2="02:00:00:00:00:aa", addr3=SRC) / Dot11QoS() / snap(inner)


def wlan_amsdu(inner):
    frame = bytes(snap(inner))
    head = Dot11(type=2, subtype=8, FCfield="to-DS", addr1="02:00:00:00:00:aa", addr2=SRC, addr3="02:00:00:00:00:aa")
    return bytes(head) + b"\x80\x00" + mac(DST) + mac(SRC) + struct.pack(">H", len(frame)) + frame


def with_ether_type(**more):
    return lambda inner: dict(more, ether_type=ether_of(inner))


def serial_links():
    ppp = lambda inner: bytes(HDLC()) + struct.pack(">H", 0x21 if inner is V4 else 0x57) + bytes(inner)
    nlpid = lambda inner: b"\x18\x41\x03" + (b"\xcc" if inner is V4 else b"\x8e") + bytes(inner)
    yield both(Case("link_008_slip", 8), raw(bytes(16)), {})
    yield both(Case("link_009_ppp", 9), ppp, {})
    yield both(Case("link_050_ppp_hdlc", 50), ppp, {})
    yield both(Case("link_051_ppp_ether", 51), lambda i: bytes(PPPoE(sessionid=7) / PPP() / i),
               dict(tunnel_type=TYPES["pppoe"], tunnel_depth=1, tunnel_id=7))
    yield both(Case("link_104_c_hdlc", 104), typed(b"\x0f\x00"), with_ether_type())
    yield both(Case("link_107_frelay", 107), nlpid, {})
    yield both(Case("link_182_mfr", 182), lambda i: b"\xc0\x01" + nlpid(i), {})
    yield both(Case("link_204_ppp_with_dir", 204), lambda i: b"\x01" + ppp(i), {})


def wlan_links():
    avs = struct.pack(">II", 0x80211001, 64) + bytes(56)
    ppi_common = struct.pack("<HHQHHHHBBbb", 2, 20, 0, 1, 22, 2412, 0x480, 0, 0, -40, -90)
    fcs = b"\x01\x02\x03\x04"
    fields = with_ether_type(**MACS)
    with_fcs = lambda inner: {**fields(inner), "padding_length": 4}
    case = both(Case("link_105_ieee802_11", 105), wlan, fields)
    both(case, wlan_qos, fields)
    both(case, wlan_amsdu, fields)
    case.add(Dot11(type=2, subtype=0, FCfield="to-DS+protected", addr1="02:00:00:00:00:aa", addr2=SRC, addr3=DST) / Raw(bytes(24)),
             dict(NO_TUNNEL, **MACS, src_ip=None, quality=0x2000))
    yield case
    yield both(Case("link_119_prism", 119), lambda i: struct.pack("<II", 0x44, 144).ljust(144, b"\0") + bytes(wlan(i)), fields)
    case = both(Case("link_127_radiotap", 127), lambda i: bytes(RadioTap(present="Flags", Flags="FCS")) + bytes(wlan(i)) + fcs, with_fcs)
    yield both(case, lambda i: bytes(RadioTap(present="Rate", Rate=2)) + bytes(wlan(i)), fields)
    yield both(Case("link_163_avs", 163), lambda i: avs + bytes(wlan(i)), fields)
    case = both(Case("link_192_ppi", 192), lambda i: struct.pack("<BBHI", 0, 0, 32, 105) + ppi_common + bytes(wlan(i)) + fcs, with_fcs)
    yield both(case, lambda i: struct.pack("<BBHI", 0, 0, 8, 1) + bytes(ether(i)), fields)


def local_links():
    macs = mac(DST) + mac(SRC)
    fields = with_ether_type(**MACS)
    case = both(Case("link_001_en10mb", 1), ether, fields)
    both(case, lambda i: Ether(src=SRC, dst=DST) / Dot1AD(vlan=7) / Dot1Q(vlan=5, type=ether_of(i)) / i,
         with_ether_type(**MACS, vlan_id=5, vlan_outer_id=7))
    case.add(Ether(src=SRC, dst=DST) / ARP(op=2), dict(NO_TUNNEL, **MACS, ether_type=0x0806, arp_operation=2, src_ip=None, quality=0))
    yield case
    yield both(Case("link_006_ieee802_5", 6), lambda i: b"\x10\x40" + mac(DST) + b"\x82" + mac(SRC)[1:] + b"\x06\x80\x00\x11\x00\x20"
               + bytes(snap(i)), fields)
    yield both(Case("link_007_arcnet_bsd", 7), raw(b"\x01\x02\xd4\x00\x00\x01"), {}, V4)
    yield both(Case("link_010_fddi", 10), lambda i: b"\x50" + macs + bytes(snap(i)), fields)
    yield both(Case("link_100_atm_rfc1483", 100), snap, with_ether_type())
    for number in (19, 106):
        yield both(Case("link_%03d_atm_clip" % number, number), snap, with_ether_type())
    yield both(Case("link_123_sunatm", 123), lambda i: b"\x02\x00\x00\x20" + bytes(snap(i)), with_ether_type())
    yield both(Case("link_129_arcnet_linux", 129), raw(b"\x01\x02\x00\x00\xd4\x00\x00\x01"), {}, V4)
    yield both(Case("link_242_ipoib", 242), typed(bytes(40), b"\0\0"), with_ether_type())
    yield both(Case("link_274_mpacket", 274), lambda i: b"\x55" * 7 + b"\xd5" + bytes(ether(i)) + b"\x01\x02\x03\x04",
               lambda i: dict(fields(i), padding_length=4))
    yield both(Case("link_281_brcm_tag", 281), typed(macs + b"\x40\0\0\x01"), fields)
    yield both(Case("link_282_brcm_prepend", 282), lambda i: b"\x40\0\0\x01" + bytes(ether(i)), fields)
    yield both(Case("link_284_dsa", 284), typed(macs + b"\x40\0\0\x01"), fields)
    yield both(Case("link_285_edsa", 285), typed(macs + b"\xda\xda\0\0\x40\0\0\x01"), fields)


def system_links():
    fields = with_ether_type(**MACS)
    pktap = struct.pack("<III", 108, 1, 1).ljust(108, b"\0")
    erf = struct.pack("<Q", 1 << 32) + struct.pack(">BBHHH", 2, 4, 0, 0, 0) + b"\0\0"
    juniper = b"MGC\x01"
    ppp = lambda inner: bytes(HDLC()) + struct.pack(">H", 0x21 if inner is V4 else 0x57) + bytes(inner)
    nlpid = lambda inner: b"\x18\x41\x03" + (b"\xcc" if inner is V4 else b"\x8e") + bytes(inner)
    yield both(Case("link_000_null", 0), family("<I", (2, 30)), {})
    yield both(Case("link_012_raw", 12), bytes, {})
    yield both(Case("link_014_raw", 14), bytes, {})
    yield both(Case("link_101_raw", 101), bytes, {})
    yield both(Case("link_108_loop", 108), family(">I", (2, 28)), {})
    yield both(Case("link_109_enc", 109), family("<I", (2, 24), bytes(8)), {})
    yield both(Case("link_113_linux_sll", 113), lambda i: CookedLinux(lladdrlen=6, src=mac(SRC) + b"\0\0", proto=ether_of(i)) / i,
               with_ether_type(src_mac=SRC, dst_mac=None))
    yield both(Case("link_117_pflog", 117), lambda i: struct.pack(">BB", 61, 2 if i is V4 else 24) + bytes(62) + bytes(i), {})
    yield both(Case("link_178_juniper_ether", 178), lambda i: juniper + bytes(ether(i)), fields)
    yield both(Case("link_179_juniper_ppp", 179), lambda i: juniper + ppp(i), {})
    yield both(Case("link_180_juniper_frelay", 180), lambda i: juniper + nlpid(i), {})
    yield both(Case("link_181_juniper_chdlc", 181), typed(juniper + b"\x0f\x00"), with_ether_type())
    yield both(Case("link_197_erf", 197), lambda i: erf + bytes(ether(i)), fields)
    yield both(Case("link_226_ipnet", 226), lambda i: struct.pack(">BBHI", 1, 2 if i is V4 else 26, 0, len(i)) + bytes(16) + bytes(i), {})
    yield both(Case("link_228_ipv4", 228), bytes, {}, V4)
    yield both(Case("link_229_ipv6", 229), bytes, {}, V6)
    yield both(Case("link_239_nflog", 239), lambda i: struct.pack(">BBH", 2 if i is V4 else 10, 0, 5) + struct.pack("<HHI", 8, 1, 0)
               + struct.pack("<HHxxxx", 5, 10) + struct.pack("<HH", 4 + len(i), 9) + bytes(i), {})
    yield both(Case("link_258_pktap", 258), lambda i: pktap + bytes(ether(i)), fields)
    yield both(Case("link_276_linux_sll2", 276), lambda i: CookedLinuxV2(lladdrlen=6, src=mac(SRC) + b"\0\0", proto=ether_of(i)) / i,
               with_ether_type(src_mac=SRC, dst_mac=None))
    yield both(Case("link_289_alp", 289), lambda i: struct.pack(">H", len(i)) + bytes(i), {}, V4)
    case = Case("link_147_user0", 147)  # any that is not decoded: link data only
    case.add(V4, dict(NO_TUNNEL, src_ip=None, src_mac=None, quality=0x400))
    yield case


# ---- tunnels: over Ethernet, with addresses of their own where there are any ----

def outer(protocol=None):
    head = Ether(src=OUTER_SRC, dst=OUTER_DST) / IP(src="10.0.0.1", dst="10.0.0.2")
    if protocol is not None:
        head[IP].proto = protocol
    return head


def outer6():
    return Ether(src=OUTER_SRC, dst=OUTER_DST) / IPv6(src="fd00::1", dst="fd00::2")


def udp(port, payload):
    return outer() / UDP(sport=50000, dport=port) / payload


def tunnel(kind, depth=1, number=None, inside=None, **more):
    """Expected fields of a tunnel over IPv4; inside: Ethernet addresses are in it."""
    macs = MACS if inside == "ether" else dict(src_mac=OUTER_SRC, dst_mac=OUTER_DST)
    fields = {**OUT, **macs, "tunnel_type": TYPES[kind], "tunnel_depth": depth, "tunnel_id": number, **more}
    if inside == "ether":
        return lambda inner: dict(fields, ether_type=ether_of(inner))
    return dict(fields, ether_type=0x0800) if "ether_type" not in fields else fields


def lower(kind, number, ether_type=None, inside=None):
    """The same of a tunnel that is not over IP."""
    fields = tunnel(kind, 1, number, inside, outer_src_ip=None, outer_dst_ip=None)
    return fields if inside == "ether" else dict(fields, ether_type=ether_type)


def link_tunnels():
    head = Ether(src=OUTER_SRC, dst=OUTER_DST)
    yield both(Case("tunnel_mpls", 1), lambda i: Ether(src=OUTER_SRC, dst=OUTER_DST, type=0x8847) / MPLS(label=100, s=0) / MPLS(label=200, s=1) / i,
               lower("mpls", 200, 0x8847))
    yield both(Case("tunnel_pseudowire", 1), lambda i: bytes(Ether(src=OUTER_SRC, dst=OUTER_DST, type=0x8847) / MPLS(label=300, s=1))
               + bytes(4) + bytes(ether(i)), lower("pseudowire", 300, inside="ether"))
    yield both(Case("tunnel_pppoe", 1), lambda i: head / PPPoE(sessionid=9) / PPP() / i, lower("pppoe", 9, 0x8864))
    yield both(Case("tunnel_pbb", 1), lambda i: bytes(Ether(src=OUTER_SRC, dst=OUTER_DST, type=0x88E7)) + struct.pack(">I", 4660)
               + bytes(ether(i)), lower("pbb", 4660, inside="ether"))
    yield both(Case("tunnel_fabricpath", 1), lambda i: bytes(Ether(src=OUTER_SRC, dst=OUTER_DST, type=0x8903)) + struct.pack(">H", 5 << 6 | 32)
               + bytes(ether(i)), lower("fabricpath", 5, inside="ether"))
    macsec = lambda i: bytes(Ether(src=OUTER_SRC, dst=OUTER_DST, type=0x88E5) / MACsec(sci=b"\2\0\0\0\0\1\0\1", an=0, E=0, C=0, SC=1, pn=1)
                             ) + struct.pack(">H", ether_of(i)) + bytes(i) + bytes(16)
    case = both(Case("tunnel_macsec", 1), macsec, lambda i: dict(lower("macsec", None, ether_of(i)), padding_length=16))
    case.add(bytes(Ether(src=OUTER_SRC, dst=OUTER_DST, type=0x88E5) / MACsec(sci=b"\2\0\0\0\0\1\0\1", an=0, E=1, C=1, SC=1, pn=2)) + bytes(40),
             dict(NO_TUNNEL, src_mac=OUTER_SRC, ether_type=0x88E5, src_ip=None, quality=0x2000))
    yield case
    yield both(Case("tunnel_nsh", 1), lambda i: Ether(src=OUTER_SRC, dst=OUTER_DST, type=0x894F) / NSH(
        mdtype=1, spi=10, si=255, nextproto=1 if i is V4 else 2) / i, lower("nsh", 10, 0x894F))


def ip_tunnels():
    yield both(Case("tunnel_ip_in_ip", 1), lambda i: outer() / i, lambda i: tunnel("ipv4" if i is V4 else "ipv6"))
    yield both(Case("tunnel_ip_in_ipv6", 1), lambda i: outer6() / i,
               lambda i: dict(tunnel("ipv4" if i is V4 else "ipv6", ether_type=0x86DD), **OUT6))
    case = both(Case("tunnel_gre", 1), lambda i: outer() / GRE(proto=ether_of(i)) / i, tunnel("gre"))
    both(case, lambda i: outer() / GRE(proto=ether_of(i), chksum_present=1, key_present=1, seqnum_present=1, key=9, sequence_number=3) / i,
         tunnel("gre", number=9))
    yield both(case, lambda i: outer() / GRE(proto=0x6558, key_present=1, key=9) / ether(i), tunnel("gre", number=9, inside="ether"))
    yield both(Case("tunnel_nvgre", 1), lambda i: outer() / GRE(proto=0x6558, key_present=1, key=0x12345600) / ether(i),
               tunnel("nvgre", number=0x123456, inside="ether"))
    case = both(Case("tunnel_erspan", 1), lambda i: outer() / GRE(proto=0x88BE) / ether(i), tunnel("erspan", inside="ether"))
    both(case, lambda i: outer() / GRE(proto=0x88BE, seqnum_present=1, sequence_number=1) / ERSPAN_II(session_id=100) / ether(i),
         tunnel("erspan", number=100, inside="ether"))
    yield both(case, lambda i: outer() / GRE(proto=0x22EB, seqnum_present=1, sequence_number=1) / ERSPAN_III(session_id=101) / ether(i),
               tunnel("erspan", number=101, inside="ether"))
    yield both(Case("tunnel_pptp", 1), lambda i: outer(47) / GRE_PPTP(call_id=5, seqnum_present=1, sequence_number=1, payload_len=2 + len(i))
               / Raw(struct.pack(">H", 0x21 if i is V4 else 0x57)) / i, tunnel("pptp", number=5))
    yield both(Case("tunnel_etherip", 1), lambda i: outer(97) / EtherIP() / ether(i), tunnel("etherip", inside="ether"))
    yield both(Case("tunnel_l2tpv3", 1), lambda i: outer(115) / Raw(struct.pack(">II", 7, 0)) / ether(i),
               tunnel("l2tpv3", number=7, inside="ether"))
    yield both(Case("tunnel_mpls_in_ip", 1), lambda i: outer(137) / MPLS(label=400, s=1) / i, tunnel("mpls", number=400))
    case = both(Case("tunnel_ah", 1), lambda i: outer(51) / AH(nh=4 if i is V4 else 41, payloadlen=4, spi=1, seq=1, icv=bytes(12)) / i,
                lambda i: tunnel("ipv4" if i is V4 else "ipv6"))
    case.add(outer() / ESP(spi=4096, seq=1, data=bytes(32)),
             dict(NO_TUNNEL, src_ip="10.0.0.1", ip_protocol=50, src_port=None, quality=0x2000))
    yield case


def udp_tunnels():
    gpe = lambda p: Raw(struct.pack(">BHBI", 0x0C, 0, p, 7 << 8))
    yield both(Case("tunnel_vxlan", 1), lambda i: udp(4789, VXLAN(vni=7) / ether(i)), tunnel("vxlan", number=7, inside="ether"))
    yield both(Case("tunnel_vxlan_gpe", 1), lambda i: udp(4790, gpe(1 if i is V4 else 2) / i), tunnel("vxlan_gpe", number=7))
    yield both(Case("tunnel_geneve", 1), lambda i: udp(6081, GENEVE(vni=8, proto=0x6558, optionlen=2, options=Raw(bytes.fromhex("0102800100000001"))) / ether(i)),
               tunnel("geneve", number=8, inside="ether"))
    case = both(Case("tunnel_gtp_u", 1), lambda i: udp(2152, GTP_U_Header(teid=1234, gtp_type=255) / i), tunnel("gtp_u", number=1234))
    yield both(case, lambda i: udp(2152, GTP_U_Header(teid=1234, gtp_type=255, E=1, next_ex=0x85, seq=1) / GTPPDUSessionContainer(type=1, QFI=9) / i),
               tunnel("gtp_u", number=1234))
    case = both(Case("tunnel_teredo", 1), lambda i: udp(3544, i), tunnel("teredo"), V6)
    yield both(case, lambda i: udp(3544, Raw(bytes.fromhex("00003fff01020304")) / i), tunnel("teredo"), V6)
    yield both(Case("tunnel_l2tp", 1), lambda i: udp(1701, L2TP(hdr=["length"], version=2, tunnel_id=3, session_id=4, len=8 + 4 + len(i)) / HDLC()
                                                    / Raw(struct.pack(">H", 0x21 if i is V4 else 0x57)) / i), tunnel("l2tp", number=3 << 16 | 4))
    yield both(Case("tunnel_l2tpv3_udp", 1), lambda i: udp(1701, Raw(struct.pack(">HHI", 3, 0, 9)) / ether(i)),
               tunnel("l2tpv3", number=9, inside="ether"))
    yield both(Case("tunnel_ayiya", 1), lambda i: udp(5072, Raw(struct.pack(">BBBBI", 0x41, 0x52, 0x11, 4 if i is V4 else 41, 0) + bytes(36)) / i),
               tunnel("ayiya"))
    case = both(Case("tunnel_capwap", 1), lambda i: udp(5247, Raw(struct.pack(">II", 0x00100200, 0)) / ether(i)), tunnel("capwap", inside="ether"))
    yield both(case, lambda i: udp(5247, Raw(struct.pack(">II", 0x00100300, 0)) / wlan(i)), tunnel("capwap", inside="ether"))
    yield both(Case("tunnel_gre_udp", 1), lambda i: udp(4754, GRE(proto=ether_of(i)) / i), tunnel("gre"))
    yield both(Case("tunnel_mpls_udp", 1), lambda i: udp(6635, MPLS(label=500, s=1) / i), tunnel("mpls_udp", number=500))
    case = Case("tunnel_esp_udp", 1)
    case.add(udp(4500, Raw(struct.pack(">II", 4096, 1) + bytes(32))),
             dict(NO_TUNNEL, src_ip="10.0.0.1", dst_port=4500, payload_length=40, quality=0x2000))
    yield case
    yield both(Case("tunnel_in_tunnel", 1), lambda i: udp(4789, VXLAN(vni=7) / Ether(src=SRC, dst=DST) / IP(src="172.16.0.1", dst="172.16.0.2")
                                                         / GRE(proto=ether_of(i)) / i), tunnel("gre", depth=2, **MACS))


def icmp_errors():
    case = Case("icmp_errors", 1)
    case.add(outer() / ICMP(type=3, code=1) / Raw(bytes(V4)[:28]),
             dict(NO_TUNNEL, src_ip="10.0.0.1", icmp_type=3, icmp_code=1, icmp_src_ip="192.0.2.1", icmp_dst_ip="198.51.100.2",
                  icmp_protocol=6, icmp_src_port=40000, icmp_dst_port=443, src_port=None, quality=0))
    case.add(outer6() / ICMPv6DestUnreach(code=4) / V6,
             dict(NO_TUNNEL, src_ip="fd00::1", icmp_type=1, icmp_code=4, icmp_src_ip="2001:db8::1", icmp_dst_ip="2001:db8::2",
                  icmp_protocol=17, icmp_src_port=40001, icmp_dst_port=5353, src_port=None, quality=0))
    yield case


def text(value):
    return "" if value is None else str(value)


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent
    parts = (serial_links, wlan_links, local_links, system_links, link_tunnels, ip_tunnels, udp_tunnels, icmp_errors)
    cases = sorted((case for part in parts for case in part()), key=lambda case: case.name)
    lines = ["# made by make_cases.py: capture, packet, field=value (nothing behind =: NULL)"]
    for case in cases:
        data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, case.link_type)
        for number, (packet, fields) in enumerate(case.packets, 1):
            data += struct.pack("<IIII", 1700000000, number, len(packet), len(packet)) + packet
            lines.append("\t".join([case.name, str(number)] + ["%s=%s" % (name, text(value)) for name, value in sorted(fields.items())]))
        (folder / (case.name + ".pcap")).write_bytes(data)
    (folder / "expected.tsv").write_text("\n".join(lines) + "\n")
    print("%d captures, %d packets" % (len(cases), len(lines) - 1))


main()
