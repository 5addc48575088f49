/* TCP (RFC 9293). */
#include "decode/tcp.h"

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_SCALE = 3, OPTION_SACK = 4, OPTION_TIMES = 8 };

#define LENGTH_KNOWN 13 /* with so many bytes */

/* Two NOPs and timestamps: nearly every segment of an open connection has just these. */
#define NOP_NOP_TIMES 0x0101080a

static const nf_extent extents[] = {
    {2, NETFEAT_FIELD_SRC_PORT},
    {4, NETFEAT_FIELD_DST_PORT},
    {8, NETFEAT_FIELD_TCP_SEQ},
    {12, NETFEAT_FIELD_TCP_ACK},
    {13, NETFEAT_FIELD_TCP_HEADER_LENGTH},
    {14, NETFEAT_FIELD_TCP_FLAGS},
    {16, NETFEAT_FIELD_TCP_WINDOW},
    {20, NETFEAT_FIELD_TCP_URGENT_POINTER},
};

static void timestamps(nf_packet *pkt, uint64_t *present, uint64_t want, const uint8_t *value)
{
    pkt->tcp_timestamp = nf_load_be32(value);
    pkt->tcp_timestamp_echo = nf_load_be32(value + 4);
    *present |= want & (NF_BIT(TCP_TIMESTAMP) | NF_BIT(TCP_TIMESTAMP_ECHO));
}

/* One option of `length` bytes at p. The first of a kind counts; one of a wrong length is none. */
static void option(nf_packet *pkt, uint64_t *present, uint64_t want, const uint8_t *p, size_t length)
{
    if (p[0] == OPTION_MSS && length == 4 && !(*present & NF_BIT(TCP_MSS))) {
        pkt->tcp_mss = nf_load_be16(p + 2);
        *present |= want & NF_BIT(TCP_MSS);
    } else if (p[0] == OPTION_SCALE && length == 3 && !(*present & NF_BIT(TCP_WINDOW_SCALE))) {
        pkt->tcp_window_scale = p[2];
        *present |= want & NF_BIT(TCP_WINDOW_SCALE);
    } else if (p[0] == OPTION_SACK && length == 2) {
        pkt->tcp_sack_permitted = 1;
        *present |= want & NF_BIT(TCP_SACK_PERMITTED);
    } else if (p[0] == OPTION_TIMES && length == 10 && !(*present & NF_BIT(TCP_TIMESTAMP))) {
        timestamps(pkt, present, want, p + 2);
    }
}

void nf_tcp_options(nf_packet *pkt, uint64_t *present, uint64_t want, const uint8_t *p, size_t length)
{
    size_t at = 0;

    pkt->tcp_sack_permitted = 0;
    if (length == 12 && nf_load_be32(p) == NOP_NOP_TIMES) {
        timestamps(pkt, present, want, p + 4);
        return;
    }
    while (at < length && p[at] != OPTION_END) {
        if (p[at] == OPTION_NOP) {
            at++;
            continue;
        }
        /* a length below 2 or beyond the header: nothing that follows can be trusted */
        if (length - at < 2 || p[at + 1] < 2 || p[at + 1] > length - at) {
            return;
        }
        option(pkt, present, want, p + at, p[at + 1]);
        at += p[at + 1];
    }
}

/* The fixed part is there: payload and options. */
static nf_layer whole(nf_walk *w, nf_packet *pkt)
{
    size_t header = pkt->tcp_header_length, left = nf_left(w);
    size_t options = (header < left ? header : left) - NF_TCP_BYTES;
    uint64_t declared = nf_declared_left(w);

    if (header > declared) {
        /* the first fragment may well end inside the header */
        return nf_stop(w, w->quality & NETFEAT_QUALITY_FRAGMENT ? NETFEAT_QUALITY_HEADER_CUT
                                                                : NETFEAT_QUALITY_BAD_HEADER);
    }
    nf_payload(w, pkt, header, declared - header);
    if (w->want & NF_TCP_OPTION_BITS) {
        nf_tcp_options(pkt, &w->present, w->want, nf_here(w) + NF_TCP_BYTES, options);
        if (header <= left) {
            w->present |= NF_BIT(TCP_SACK_PERMITTED); /* known not to be there, too */
        }
    }
    return header > left ? nf_stop(w, NETFEAT_QUALITY_HEADER_CUT) : NF_LAYER_DONE;
}

nf_layer nf_tcp(nf_walk *w, nf_packet *pkt)
{
    uint8_t copy[NF_TCP_BYTES] = {0};
    size_t have = nf_left(w);

    memcpy(copy, nf_here(w), have < NF_TCP_BYTES ? have : NF_TCP_BYTES);
    nf_tcp_ends(pkt, copy);
    nf_tcp_details(pkt, copy);
    w->present |= nf_extent_bits(extents, sizeof extents / sizeof extents[0], have);
    if (have >= LENGTH_KNOWN && pkt->tcp_header_length < NF_TCP_BYTES) {
        /* what shares its bytes with such a length, and what follows, is no TCP */
        w->present &=
            ~(NF_BIT(TCP_ACK) | NF_BIT(TCP_FLAGS) | NF_BIT(TCP_WINDOW) | NF_BIT(TCP_URGENT_POINTER));
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    if (have >= NF_TCP_BYTES) {
        return whole(w, pkt);
    }
    if (have >= LENGTH_KNOWN && pkt->tcp_header_length <= nf_declared_left(w)) {
        nf_payload(w, pkt, pkt->tcp_header_length, nf_declared_left(w) - pkt->tcp_header_length);
    }
    return nf_stop_short(w, NF_TCP_BYTES);
}
