/* ipv6.h - the fixed part of an IPv6 header (RFC 8200). */
#ifndef NF_DECODE_IPV6_H
#define NF_DECODE_IPV6_H

#include "decode/ip.h"

#define NF_IPV6_BYTES 40

/* Fields of the 40 bytes at p: those that nearly everybody asks for ... */
static inline void nf_ipv6_ends(nf_packet *pkt, const uint8_t *p)
{
    pkt->ip_version = 6;
    pkt->ip_protocol = p[6];
    memcpy(pkt->src_ip, p + 8, 16);
    memcpy(pkt->dst_ip, p + 24, 16);
}

/* ... and the others (without the lengths). */
static inline void nf_ipv6_details(nf_packet *pkt, const uint8_t *p)
{
    uint32_t word = nf_load_be32(p);

    pkt->ip_tos = (uint8_t)(word >> 20);
    pkt->ipv6_flow_label = word & 0xfffff;
    pkt->ip_ttl = p[7];
}

#endif
