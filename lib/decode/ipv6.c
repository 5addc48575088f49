/* IPv6 (RFC 8200), jumbograms (RFC 2675) included; extension headers are layers of their own. */
#include "decode/ipv6.h"

#define EXTENSION_BYTES 8 /* the shortest extension header */
#define OPTION_PAD1     0
#define OPTION_JUMBO    0xc2
#define JUMBO_MIN       65536
#define OFFSET_MASK     0xfff8
#define MORE_MASK       1

static const nf_extent extents[] = {
    {1, NETFEAT_FIELD_IP_VERSION},  {1, NETFEAT_FIELD_IP_HEADER_LENGTH},
    {2, NETFEAT_FIELD_IP_TOS},      {2, NETFEAT_FIELD_IP_DSCP},
    {2, NETFEAT_FIELD_IP_ECN},      {4, NETFEAT_FIELD_IPV6_FLOW_LABEL},
    {6, NETFEAT_FIELD_IP_LENGTH},   {6, NETFEAT_FIELD_L4_LENGTH},
    {6, NETFEAT_FIELD_L4_OFFSET},   {6, NETFEAT_FIELD_PADDING_LENGTH},
    {7, NETFEAT_FIELD_IP_PROTOCOL}, {8, NETFEAT_FIELD_IP_TTL},
    {24, NETFEAT_FIELD_SRC_IP},     {40, NETFEAT_FIELD_DST_IP},
};

static void all_fields(nf_packet *pkt, const uint8_t *p)
{
    nf_ipv6_ends(pkt, p);
    nf_ipv6_details(pkt, p);
    nf_ip_tos_parts(pkt);
    pkt->ip_header_length = NF_IPV6_BYTES;
}

/* Fewer than 40 bytes. */
static nf_layer fixed_cut(nf_walk *w, nf_packet *pkt)
{
    uint8_t copy[NF_IPV6_BYTES] = {0};
    size_t have = nf_left(w);
    uint64_t room = nf_declared_left(w), payload;

    if (have == 0) {
        return nf_stop_short(w, NF_IPV6_BYTES);
    }
    memcpy(copy, nf_here(w), have);
    if ((copy[0] >> 4) != 6) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    w->present &= ~NF_INNER_BITS;
    all_fields(pkt, copy);
    pkt->l3_offset = (uint32_t)w->at;
    w->present |= nf_extent_bits(extents, sizeof extents / sizeof extents[0], have);
    (void)nf_stop_short(w, NF_IPV6_BYTES);
    if (have >= 6) {
        payload = nf_load_be16(copy + 4);
        nf_ip_bound(w, pkt, NF_IPV6_BYTES + payload, room);
        pkt->l4_offset = (uint32_t)w->at + NF_IPV6_BYTES;
        pkt->l4_length = (uint32_t)payload;
    }
    return NF_LAYER_DONE;
}

/* The jumbo payload option of the hop-by-hop header at p, of which `left` bytes are there; 0 if it has none.
 */
static uint32_t jumbo_option(const uint8_t *p, size_t left)
{
    size_t end = ((size_t)p[1] + 1) * 8;
    size_t at = 2;

    end = end < left ? end : left;
    while (at < end) {
        if (p[at] == OPTION_PAD1) {
            at++;
            continue;
        }
        if (end - at < 2 || (size_t)p[at + 1] + 2 > end - at) {
            return 0;
        }
        if (p[at] == OPTION_JUMBO && p[at + 1] == 4) {
            return nf_load_be32(p + at + 2);
        }
        at += (size_t)p[at + 1] + 2;
    }
    return 0;
}

/* The datagram's length when the payload length is 0: a jumbogram, or nothing behind the header, or
   segmentation offload. */
static uint64_t zero_length(nf_walk *w, const nf_packet *pkt)
{
    uint64_t room = nf_declared_left(w);
    size_t left = nf_left(w) - NF_IPV6_BYTES;
    uint32_t jumbo = 0;

    if (pkt->ip_protocol == NF_IP_HOP_BY_HOP && left >= EXTENSION_BYTES) {
        jumbo = jumbo_option(nf_here(w) + NF_IPV6_BYTES, left);
    }
    if (jumbo >= JUMBO_MIN) {
        return (uint64_t)NF_IPV6_BYTES + jumbo;
    }
    if (jumbo != 0) {
        w->quality |= NETFEAT_QUALITY_BAD_LENGTH;
    } else if (room > NF_IPV6_BYTES + UINT16_MAX) {
        /* segmentation offload leaves 0 where the length does not fit; below that it has no reason to */
        w->quality |= NETFEAT_QUALITY_IP_LENGTH_ZERO;
        return room;
    }
    return NF_IPV6_BYTES;
}

nf_layer nf_ipv6(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    uint64_t room = nf_declared_left(w), length;

    if (nf_left(w) < NF_IPV6_BYTES) {
        return fixed_cut(w, pkt);
    }
    if ((p[0] >> 4) != 6) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER); /* fields of an IP header outside stay */
    }
    w->present &= ~NF_INNER_BITS;
    w->other_end = false;
    all_fields(pkt, p);
    length = (uint64_t)NF_IPV6_BYTES + nf_load_be16(p + 4);
    if (length == NF_IPV6_BYTES) {
        length = zero_length(w, pkt);
    }
    pkt->l3_offset = (uint32_t)w->at;
    nf_ip_bound(w, pkt, length, room);
    w->present |= NF_IP_BITS | NF_BIT(IPV6_FLOW_LABEL);
    nf_ip_advance(w, pkt, NF_IPV6_BYTES);
    return nf_ip_protocol(w, pkt);
}

/* RFC 8200, 4.5. Without offset and M ("atomic", RFC 6946) it is a datagram in one piece. */
static nf_layer fragment(nf_walk *w, nf_packet *pkt, const uint8_t *p)
{
    uint16_t word = nf_load_be16(p + 2);

    pkt->fragment_offset = word & OFFSET_MASK; /* counted in 8 bytes, and shifted by 3 */
    pkt->ip_flags = word & MORE_MASK ? NETFEAT_IP_MORE_FRAGMENTS : 0;
    pkt->ip_id = nf_load_be32(p + 4);
    w->present |= NF_FRAGMENT_BITS;
    if (pkt->fragment_offset != 0 || pkt->ip_flags != 0) {
        w->quality |= NETFEAT_QUALITY_FRAGMENT;
    }
    return pkt->fragment_offset != 0 ? NF_LAYER_DONE : nf_ip_protocol(w, pkt);
}

/* One extension header: its kind is pkt->ip_protocol, and all of them start with the next kind and a length.
 */
nf_layer nf_ipv6_extension(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    bool is_fragment = pkt->ip_protocol == NF_IP_FRAGMENT;
    size_t length;

    if (nf_left(w) < EXTENSION_BYTES) {
        return nf_stop_short(w, EXTENSION_BYTES);
    }
    length = is_fragment ? EXTENSION_BYTES : ((size_t)p[1] + 1) * 8;
    if (nf_left(w) < length) {
        return nf_stop_short(w, length);
    }
    if (pkt->ip_protocol == NF_IP_ROUTING && p[3] != 0) {
        w->other_end = true; /* segments are left: the last of them is the destination */
    }
    pkt->ip_protocol = p[0];
    pkt->ip_header_length += (uint32_t)length;
    nf_ip_advance(w, pkt, length);
    return is_fragment ? fragment(w, pkt, p) : nf_ip_protocol(w, pkt);
}
