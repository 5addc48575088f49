/* tcp.h - the fixed part of a TCP header (RFC 9293). */
#ifndef NF_DECODE_TCP_H
#define NF_DECODE_TCP_H

#include "decode/layer.h"

#define NF_TCP_BYTES 20

/* Set tcp_sack_permitted, and the option fields that the `length` bytes of options at p hold; *present gets
   the bits of what was there (tcp.c). */
void nf_tcp_options(nf_packet *pkt, uint64_t *present, uint64_t want, const uint8_t *p, size_t length);

/* Fields of the 20 bytes at p: those that nearly everybody asks for ... */
static inline void nf_tcp_ends(nf_packet *pkt, const uint8_t *p)
{
    uint32_t word = nf_load_be16(p + 12);

    pkt->src_port = nf_load_be16(p);
    pkt->dst_port = nf_load_be16(p + 2);
    pkt->tcp_flags = word & 0x1ff; /* in the order of NETFEAT_TCP_* */
    pkt->tcp_header_length = (uint8_t)(word >> 12 << 2);
}

/* ... and the others. */
static inline void nf_tcp_details(nf_packet *pkt, const uint8_t *p)
{
    pkt->tcp_seq = nf_load_be32(p + 4);
    pkt->tcp_ack = nf_load_be32(p + 8);
    pkt->tcp_window = nf_load_be16(p + 14);
    pkt->tcp_urgent_pointer = nf_load_be16(p + 18);
}

#endif
