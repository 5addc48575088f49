/* ip.h - what an IP protocol number says about the next header, for both versions (IANA protocol numbers). */
#ifndef NF_DECODE_IP_H
#define NF_DECODE_IP_H

#include "decode/layer.h"

enum {
    NF_IP_HOP_BY_HOP = 0,
    NF_IP_ICMP = 1,
    NF_IP_IPV4 = 4,
    NF_IP_TCP = 6,
    NF_IP_UDP = 17,
    NF_IP_DCCP = 33,
    NF_IP_IPV6 = 41,
    NF_IP_ROUTING = 43,
    NF_IP_FRAGMENT = 44,
    NF_IP_GRE = 47,
    NF_IP_ESP = 50,
    NF_IP_AH = 51,
    NF_IP_ICMPV6 = 58,
    NF_IP_NO_NEXT = 59,
    NF_IP_DESTINATION = 60,
    NF_IP_ETHERIP = 97,
    NF_IP_L2TP = 115,
    NF_IP_SCTP = 132,
    NF_IP_MOBILITY = 135,
    NF_IP_UDPLITE = 136,
    NF_IP_MPLS = 137,
    NF_IP_HIP = 139,
    NF_IP_SHIM6 = 140
};

/* DSCP and ECN, the two parts of ip_tos. */
static inline void nf_ip_tos_parts(nf_packet *pkt)
{
    pkt->ip_dscp = pkt->ip_tos >> 2;
    pkt->ip_ecn = pkt->ip_tos & 3;
}

/* The header that pkt->ip_protocol announces. */
nf_layer nf_ip_protocol(nf_walk *w, nf_packet *pkt);
/* The IP header at `at` says that its datagram has `length` bytes; `room` is what the layer outside has for
   it. Ends the layer there, and gives what is behind it to padding_length. */
void nf_ip_bound(nf_walk *w, nf_packet *pkt, uint64_t length, uint64_t room);
/* `bytes` of IP headers are behind us: what follows belongs to the transport. */
void nf_ip_advance(nf_walk *w, nf_packet *pkt, size_t bytes);

#endif
