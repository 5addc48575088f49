/* usual.h - the short way for what nearly every packet is: Ethernet, perhaps one VLAN tag, IP without options
   or fragments, TCP or UDP, every length as it should be. Whatever else a packet is, this declines, and the
   loop over layers does it. Both give the same for the same packet; tests hold them to it. Fields outside
   `want` are not stored, by groups: storing is most of the cost. */
#ifndef NF_DECODE_USUAL_H
#define NF_DECODE_USUAL_H

#include "decode/ethertype.h"
#include "decode/ip.h"
#include "decode/ipv4.h"
#include "decode/ipv6.h"
#include "decode/tcp.h"
#include "decode/tunnel.h"

#define NF_USUAL_LAYERS 4 /* the most headers that it decodes */
#define NF_USUAL_BYTES                                                                                       \
    38 /* the fewest that it takes: with a VLAN tag and the fixed part of an IPv4 header                     \
        */

/* What is known of a packet when its link header is done. */
typedef struct {
    const uint8_t *data;
    const nf_decode_config *config;
    uint64_t want;
    uint64_t link_bits; /* what the link header gave */
    uint32_t captured, wire;
    uint32_t at; /* of the IP header */
} nf_usual;

/* The last step: `length` bytes of transport at p, of which `left` were captured, have a header of `header`
 * bytes. */
NF_INLINE void nf_usual_finish(nf_packet *pkt, const nf_usual *u, uint64_t bits, const uint8_t *p,
                               uint32_t header, uint32_t left, uint32_t length)
{
    pkt->payload = p + header;
    pkt->payload_length = length - header;
    pkt->payload_captured = (left < length ? left : length) - header;
    if (u->want & NF_MAC_BITS) {
        memcpy(pkt->dst_mac, u->data, 6);
        memcpy(pkt->src_mac, u->data + 6, 6);
    }
    pkt->present = u->want & (u->link_bits | bits | NF_IP_BITS | NF_PAYLOAD_BITS);
    pkt->quality = u->captured < u->wire ? NETFEAT_QUALITY_SNAPPED : 0;
}

/* The TCP header at p, `length` bytes with its payload, of which `left` were captured. False: declined. */
NF_INLINE bool nf_usual_tcp(nf_packet *pkt, const nf_usual *u, uint64_t bits, const uint8_t *p, uint32_t left,
                            uint32_t length)
{
    uint32_t header;

    if (NF_UNLIKELY(left < NF_TCP_BYTES)) {
        return false;
    }
    nf_tcp_ends(pkt, p);
    header = pkt->tcp_header_length;
    if (NF_UNLIKELY(header < NF_TCP_BYTES || header > left)) {
        return false;
    }
    if (u->want & NF_TCP_DETAIL_BITS) {
        nf_tcp_details(pkt, p);
    }
    nf_usual_finish(pkt, u, bits | NF_TCP_BITS | NF_BIT(TCP_SACK_PERMITTED), p, header, left, length);
    if (u->want & NF_TCP_OPTION_BITS) {
        nf_tcp_options(pkt, &pkt->present, u->want, p + NF_TCP_BYTES, header - NF_TCP_BYTES);
    }
    return true;
}

/* The same for UDP, `room` bytes by the IP length. */
NF_INLINE bool nf_usual_udp(nf_packet *pkt, const nf_usual *u, uint64_t bits, const uint8_t *p, uint32_t left,
                            uint32_t room)
{
    const uint32_t header = 8;
    uint32_t length;

    if (NF_UNLIKELY(left < header)) {
        return false;
    }
    length = nf_load_be16(p + 4);
    if (NF_UNLIKELY(length < header || length > room)) {
        return false;
    }
    pkt->src_port = nf_load_be16(p);
    pkt->dst_port = nf_load_be16(p + 2);
    nf_usual_finish(pkt, u, bits | NF_PORT_BITS, p, header, left, length);
    return !nf_tunnel_port_is_possible(u->config, pkt->src_port, pkt->dst_port); /* last: fewer registers */
}

/* Behind an IP header of `header` bytes that says `length` for the datagram. */
NF_INLINE bool nf_usual_transport(nf_packet *pkt, const nf_usual *u, uint64_t bits, uint8_t protocol,
                                  uint32_t header, uint32_t length)
{
    const uint8_t *p = u->data + u->at + header;
    uint32_t room = u->wire - u->at, left = u->captured - u->at;

    if (NF_UNLIKELY(length <= header || length > room)) {
        return false;
    }
    left = (left < length ? left : length) - header;
    pkt->ip_length = length;
    pkt->ip_header_length = header;
    pkt->l4_length = length - header;
    pkt->padding_length = room - length;
    pkt->l3_offset = u->at;
    pkt->l4_offset = u->at + header;
    if (protocol == NF_IP_TCP) {
        return nf_usual_tcp(pkt, u, bits, p, left, length - header);
    }
    if (protocol == NF_IP_UDP) {
        return nf_usual_udp(pkt, u, bits, p, left, length - header);
    }
    return false;
}

/* At least 20 bytes were captured from the IP header on. */
NF_INLINE bool nf_usual_ipv4(nf_packet *pkt, const nf_usual *u)
{
    const uint8_t *p = u->data + u->at;
    uint8_t protocol = p[9]; /* before anything is stored, which might change it for all the compiler knows */

    if (NF_UNLIKELY(p[0] != 0x45 || (nf_load_be16(p + 6) & 0x3fff) != 0)) {
        return false;
    }
    nf_ipv4_ends(pkt, p);
    if (u->want & (NF_FRAGMENT_BITS | NF_BIT(IP_TTL) | NF_TOS_BITS)) {
        nf_ipv4_details(pkt, p);
    }
    if (u->want & NF_TOS_PART_BITS) {
        nf_ip_tos_parts(pkt);
    }
    return nf_usual_transport(pkt, u, NF_FRAGMENT_BITS, protocol, NF_IPV4_BYTES, nf_load_be16(p + 2));
}

NF_INLINE bool nf_usual_ipv6(nf_packet *pkt, const nf_usual *u)
{
    const uint8_t *p = u->data + u->at;

    if (NF_UNLIKELY(u->captured - u->at < NF_IPV6_BYTES || (p[0] >> 4) != 6)) {
        return false;
    }
    nf_ipv6_ends(pkt, p);
    nf_ipv6_details(pkt, p);
    if (u->want & NF_TOS_PART_BITS) {
        nf_ip_tos_parts(pkt);
    }
    return nf_usual_transport(pkt, u, NF_BIT(IPV6_FLOW_LABEL), p[6], NF_IPV6_BYTES,
                              (uint32_t)NF_IPV6_BYTES + nf_load_be16(p + 4));
}

#endif
