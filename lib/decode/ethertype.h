/* ethertype.h - what an EtherType says about the next header (IEEE 802 numbers). */
#ifndef NF_DECODE_ETHERTYPE_H
#define NF_DECODE_ETHERTYPE_H

#include "decode/layer.h"

enum {
    NF_ETHER_MIN = 0x0600, /* smaller values are no types: lengths, as 802.3 has them up to 1500 */
    NF_ETHER_IPV4 = 0x0800,
    NF_ETHER_ARP = 0x0806,
    NF_ETHER_RARP = 0x8035,
    NF_ETHER_VLAN = 0x8100,
    NF_ETHER_IPV6 = 0x86dd,
    NF_ETHER_BRIDGED = 0x6558, /* transparent Ethernet bridging */
    NF_ETHER_PPP = 0x880b,
    NF_ETHER_MPLS = 0x8847,
    NF_ETHER_MPLS_UPSTREAM = 0x8848,
    NF_ETHER_PPPOE = 0x8864,
    NF_ETHER_JUMBO_LLC = 0x8870,
    NF_ETHER_PROVIDER = 0x88a8,
    NF_ETHER_MACSEC = 0x88e5,
    NF_ETHER_PBB = 0x88e7,
    NF_ETHER_FABRICPATH = 0x8903,
    NF_ETHER_CMD = 0x8909,
    NF_ETHER_VNTAG = 0x8926,
    NF_ETHER_ETAG = 0x893f,
    NF_ETHER_NSH = 0x894f,
    NF_ETHER_QINQ = 0x9100
};

/* A field that is a length below NF_ETHER_MIN (llc.c): an 802.3 frame, of which nothing has an EtherType. */
nf_layer nf_ether_length(nf_walk *w, uint16_t length);

/* The header that a type announces: an EtherType, or where tunnels have the same numbers (ethertype.c). */
nf_layer nf_network_type(nf_walk *w, uint16_t type);
/* The header behind an EtherType field. A type becomes ether_type. */
nf_layer nf_ether_type(nf_walk *w, nf_packet *pkt, uint16_t type);

#endif
