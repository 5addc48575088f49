/* ipv4.h - the fixed part of an IPv4 header (RFC 791). */
#ifndef NF_DECODE_IPV4_H
#define NF_DECODE_IPV4_H

#include "decode/ip.h"

#define NF_IPV4_BYTES 20

/* ::ffff:a.b.c.d, in two stores */
static inline void nf_ipv4_address(uint8_t *mapped, const uint8_t *address)
{
    uint8_t low[8] = {0, 0, 0xff, 0xff};

    memcpy(low + 4, address, 4);
    memset(mapped, 0, 8);
    memcpy(mapped + 8, low, 8);
}

/* Fields of the 20 bytes at p: those that nearly everybody asks for ... */
static inline void nf_ipv4_ends(nf_packet *pkt, const uint8_t *p)
{
    pkt->ip_version = 4;
    pkt->ip_protocol = p[9];
    nf_ipv4_address(pkt->src_ip, p + 12);
    nf_ipv4_address(pkt->dst_ip, p + 16);
}

/* ... and the others (without the lengths and the parts of ip_tos). */
static inline void nf_ipv4_details(nf_packet *pkt, const uint8_t *p)
{
    uint32_t word = nf_load_be32(p + 4);

    pkt->ip_tos = p[1];
    pkt->ip_id = word >> 16;
    pkt->ip_flags = (uint8_t)(word >> 13 & 7); /* the bits are in the order of NETFEAT_IP_* */
    pkt->fragment_offset = (word & 0x1fff) * 8;
    pkt->ip_ttl = p[8];
}

#endif
