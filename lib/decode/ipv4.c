/* IPv4 (RFC 791). */
#include "decode/checksum.h"
#include "decode/ipv4.h"

static const nf_extent extents[] = {
    {1, NETFEAT_FIELD_IP_VERSION}, {1, NETFEAT_FIELD_IP_HEADER_LENGTH}, {2, NETFEAT_FIELD_IP_TOS},
    {2, NETFEAT_FIELD_IP_DSCP},    {2, NETFEAT_FIELD_IP_ECN},           {4, NETFEAT_FIELD_IP_LENGTH},
    {4, NETFEAT_FIELD_L4_LENGTH},  {4, NETFEAT_FIELD_L4_OFFSET},        {4, NETFEAT_FIELD_PADDING_LENGTH},
    {6, NETFEAT_FIELD_IP_ID},      {8, NETFEAT_FIELD_IP_FLAGS},         {8, NETFEAT_FIELD_FRAGMENT_OFFSET},
    {9, NETFEAT_FIELD_IP_TTL},     {10, NETFEAT_FIELD_IP_PROTOCOL},     {16, NETFEAT_FIELD_SRC_IP},
    {20, NETFEAT_FIELD_DST_IP},
};

static void all_fields(nf_packet *pkt, const uint8_t *p)
{
    nf_ipv4_ends(pkt, p);
    nf_ipv4_details(pkt, p);
    nf_ip_tos_parts(pkt);
    pkt->ip_header_length = (uint32_t)(p[0] & 15) * 4;
}

static bool valid(uint8_t first)
{
    return (first >> 4) == 4 && (first & 15) >= 5;
}

/* A total length of 0 or below the header length: the length to go by. */
static uint64_t odd_length(nf_walk *w, uint16_t total)
{
    if (total != 0) {
        w->quality |= NETFEAT_QUALITY_BAD_LENGTH;
        return total;
    }
    w->quality |= NETFEAT_QUALITY_IP_LENGTH_ZERO;
    return nf_declared_left(w);
}

/* Where the transport would start; the header need not be there whole. */
static void place_transport(const nf_walk *w, nf_packet *pkt)
{
    uint64_t left = nf_declared_left(w);

    pkt->l4_offset = (uint32_t)w->at + pkt->ip_header_length;
    pkt->l4_length = pkt->ip_header_length < left ? (uint32_t)(left - pkt->ip_header_length) : 0;
}

/* A header that is longer than its datagram, or than what was captured of it. */
static nf_layer options_cut(nf_walk *w, nf_packet *pkt)
{
    place_transport(w, pkt);
    if (pkt->ip_header_length > nf_declared_left(w)) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_LENGTH | NETFEAT_QUALITY_BAD_HEADER);
    }
    return nf_stop(w, NETFEAT_QUALITY_HEADER_CUT);
}

/* Fewer than 20 bytes. */
static nf_layer fixed_cut(nf_walk *w, nf_packet *pkt)
{
    uint8_t copy[NF_IPV4_BYTES] = {0};
    size_t have = nf_left(w);
    uint64_t room = nf_declared_left(w);

    if (have == 0) {
        return nf_stop_short(w, NF_IPV4_BYTES);
    }
    memcpy(copy, nf_here(w), have);
    if (!valid(copy[0])) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    w->present &= ~NF_INNER_BITS;
    all_fields(pkt, copy);
    pkt->l3_offset = (uint32_t)w->at;
    w->present |= nf_extent_bits(extents, sizeof extents / sizeof extents[0], have);
    (void)nf_stop_short(w, NF_IPV4_BYTES);
    if (have >= 4) {
        uint16_t total = nf_load_be16(copy + 2);
        uint64_t length = total < pkt->ip_header_length ? odd_length(w, total) : total;

        nf_ip_bound(w, pkt, length, room);
        place_transport(w, pkt);
    }
    return NF_LAYER_DONE;
}

nf_layer nf_ipv4(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    uint64_t room = nf_declared_left(w), length;

    if (nf_left(w) < NF_IPV4_BYTES) {
        return fixed_cut(w, pkt);
    }
    if (!valid(p[0])) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER); /* fields of an IP header outside stay */
    }
    w->present &= ~NF_INNER_BITS;
    all_fields(pkt, p);
    length = nf_load_be16(p + 2);
    if (length < pkt->ip_header_length) {
        length = odd_length(w, (uint16_t)length);
    }
    pkt->l3_offset = (uint32_t)w->at;
    nf_ip_bound(w, pkt, length, room);
    w->present |= NF_IP_BITS | NF_FRAGMENT_BITS;
    if (pkt->ip_header_length > nf_left(w)) {
        return options_cut(w, pkt);
    }
    if (w->config->verify_checksums) {
        nf_check_ipv4(w, p, pkt->ip_header_length);
    }
    nf_ip_advance(w, pkt, pkt->ip_header_length);
    if (pkt->fragment_offset != 0 || (pkt->ip_flags & NETFEAT_IP_MORE_FRAGMENTS)) {
        w->quality |= NETFEAT_QUALITY_FRAGMENT;
        if (pkt->fragment_offset != 0) {
            return NF_LAYER_DONE;
        }
    }
    return nf_ip_protocol(w, pkt);
}
