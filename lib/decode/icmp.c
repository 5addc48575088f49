/* ICMP (RFC 792) and ICMPv6 (RFC 4443): type, code, identifier. The header is 8 bytes for every type; what is behind
   them is the payload. Errors quote the start of the packet that they are about. */
#include "decode/ipv4.h"
#include "decode/ipv6.h"

#define ICMP_BYTES      8
#define EXTENSION_BYTES 8
#define EXTENSIONS_MAX  8 /* quoted ones that are skipped */

/* Whether messages of this type quote a packet. */
static bool is_error(const nf_packet *pkt)
{
    if (pkt->ip_protocol == NF_IP_ICMPV6) {
        return pkt->icmp_type >= 1 && pkt->icmp_type <= 4;
    }
    switch (pkt->icmp_type) {
    case 3:  /* unreachable */
    case 4:  /* source quench */
    case 5:  /* redirect */
    case 11: /* time exceeded */
    case 12: /* parameter problem */
        return true;
    default:
        return false;
    }
}

/* Whether messages of this type begin with an identifier. */
static bool has_id(const nf_packet *pkt)
{
    if (pkt->ip_protocol == NF_IP_ICMPV6) {
        return pkt->icmp_type == 128 || pkt->icmp_type == 129; /* echo */
    }
    switch (pkt->icmp_type) {
    case 0: /* echo reply, echo */
    case 8:
    case 13: /* timestamp and reply */
    case 14:
    case 15: /* information request and reply */
    case 16:
    case 17: /* address mask request and reply (RFC 950) */
    case 18:
        return true;
    default:
        return false;
    }
}

/* The transport of the quoted packet, at `at` of the `left` bytes at p. */
static void quoted_ports(nf_walk *w, nf_packet *pkt, const uint8_t *p, size_t left, size_t at)
{
    switch (pkt->icmp_protocol) {
    case NF_IP_TCP:
    case NF_IP_UDP:
    case NF_IP_UDPLITE:
    case NF_IP_SCTP:
    case NF_IP_DCCP:
        break;
    default:
        return;
    }
    if (at + 4 <= left) {
        pkt->icmp_src_port = nf_load_be16(p + at);
        pkt->icmp_dst_port = nf_load_be16(p + at + 2);
        w->present |= NF_BIT(ICMP_SRC_PORT) | NF_BIT(ICMP_DST_PORT);
    }
}

static void quoted_ipv4(nf_walk *w, nf_packet *pkt, const uint8_t *p, size_t left)
{
    size_t header = (size_t)(p[0] & 15) * 4;

    if (left < NF_IPV4_BYTES || header < NF_IPV4_BYTES) {
        return;
    }
    nf_ipv4_address(pkt->icmp_src_ip, p + 12);
    nf_ipv4_address(pkt->icmp_dst_ip, p + 16);
    pkt->icmp_protocol = p[9];
    w->present |= NF_BIT(ICMP_SRC_IP) | NF_BIT(ICMP_DST_IP) | NF_BIT(ICMP_PROTOCOL);
    if ((nf_load_be16(p + 6) & 0x1fff) == 0) {
        quoted_ports(w, pkt, p, left, header);
    }
}

static void quoted_ipv6(nf_walk *w, nf_packet *pkt, const uint8_t *p, size_t left)
{
    size_t at = NF_IPV6_BYTES;

    if (left < NF_IPV6_BYTES) {
        return;
    }
    memcpy(pkt->icmp_src_ip, p + 8, 16);
    memcpy(pkt->icmp_dst_ip, p + 24, 16);
    pkt->icmp_protocol = p[6];
    w->present |= NF_BIT(ICMP_SRC_IP) | NF_BIT(ICMP_DST_IP) | NF_BIT(ICMP_PROTOCOL);
    for (int i = 0; i < EXTENSIONS_MAX && left - at >= EXTENSION_BYTES; i++) {
        size_t length = ((size_t)p[at + 1] + 1) * 8;
        if (pkt->icmp_protocol == NF_IP_FRAGMENT) {
            length = EXTENSION_BYTES;
            if ((nf_load_be16(p + at + 2) & 0xfff8) != 0) {
                pkt->icmp_protocol = p[at];
                return; /* no transport header in it */
            }
        } else if (pkt->icmp_protocol != NF_IP_HOP_BY_HOP && pkt->icmp_protocol != NF_IP_ROUTING &&
                   pkt->icmp_protocol != NF_IP_DESTINATION) {
            break;
        }
        if (length > left - at) {
            return;
        }
        pkt->icmp_protocol = p[at];
        at += length;
    }
    quoted_ports(w, pkt, p, left, at);
}

static void quoted_packet(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w) + ICMP_BYTES;
    size_t left = nf_left(w) - ICMP_BYTES;

    if (left > 0 && p[0] >> 4 == 4) {
        quoted_ipv4(w, pkt, p, left);
    } else if (left > 0 && p[0] >> 4 == 6) {
        quoted_ipv6(w, pkt, p, left);
    }
}

nf_layer nf_icmp(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);

    if (nf_left(w) >= 1) {
        pkt->icmp_type = p[0];
        w->present |= NF_BIT(ICMP_TYPE);
    }
    if (nf_left(w) >= 2) {
        pkt->icmp_code = p[1];
        w->present |= NF_BIT(ICMP_CODE);
    }
    if (nf_left(w) < ICMP_BYTES) {
        return nf_stop_short(w, ICMP_BYTES);
    }
    if (has_id(pkt)) {
        pkt->icmp_id = nf_load_be16(p + 4);
        w->present |= NF_BIT(ICMP_ID);
    }
    nf_payload(w, pkt, ICMP_BYTES, nf_declared_left(w) - ICMP_BYTES);
    if ((w->want & NF_QUOTED_BITS) && is_error(pkt)) {
        quoted_packet(w, pkt);
    }
    return NF_LAYER_DONE;
}
