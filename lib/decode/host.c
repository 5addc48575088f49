/* Headers that an operating system writes in front of what it saw: NFLOG (239, Linux), PKTAP (258, macOS), IPNET (226,
   Solaris), ENC (109) and PFLOG (117, the BSDs), SLIP (8), IP over InfiniBand (IPOIB, 242). */
#include "decode/ethertype.h"

#define NFLOG_BYTES   4
#define NFLOG_PAYLOAD 9
#define PKTAP_MIN     108
#define PKTAP_PACKET  1
#define IPNET_BYTES   24
#define ENC_BYTES     12
#define PFLOG_MIN     4
#define SLIP_BYTES    16
#define IPOIB_BYTES   44
#define IPOIB_TYPE    40

/* Address families as the BSDs, macOS, Linux and Solaris number them. */
static nf_layer family_layer(nf_walk *w, uint32_t family)
{
    switch (family) {
    case 2:
        return NF_LAYER_IPV4;
    case 10:
    case 24:
    case 26:
    case 28:
    case 30:
        return NF_LAYER_IPV6;
    default:
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
}

/* Family, version, resource; then attributes of length and type in the byte order of the capturing machine, filled up to
   4 bytes. Their lengths tell which order that is: the first is a small number. */
nf_layer nf_nflog(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t left = nf_left(w), at = NFLOG_BYTES;
    bool big;

    (void)pkt;
    if (left < NFLOG_BYTES + 4) {
        return nf_stop_short(w, NFLOG_BYTES + 4);
    }
    if (p[1] != 0) { /* version */
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    big = nf_load_le16(p + at + 2) > 0xff; /* types are small numbers */
    while (left - at >= 4) {
        size_t length = big ? nf_load_be16(p + at) : nf_load_le16(p + at);
        unsigned type = big ? nf_load_be16(p + at + 2) : nf_load_le16(p + at + 2);
        if (length < 4) {
            return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
        }
        if (type == NFLOG_PAYLOAD) {
            w->at += at + 4;
            nf_bound_checked(w, length - 4);
            return family_layer(w, p[0]);
        }
        length = (length + 3) & ~(size_t)3;
        if (length > left - at) {
            return nf_stop_short(w, at + length);
        }
        at += length;
    }
    return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
}

nf_layer nf_pktap(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t length;

    (void)pkt;
    if (nf_left(w) < PKTAP_MIN) {
        return nf_stop_short(w, PKTAP_MIN);
    }
    length = nf_load_le32(p);
    if (length < PKTAP_MIN) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    if (nf_left(w) < length) {
        return nf_stop_short(w, length);
    }
    w->at += length;
    if (nf_load_le32(p + 4) != PKTAP_PACKET) {
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
    return nf_inner_link(w, nf_load_le32(p + 8));
}

nf_layer nf_ipnet(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);

    (void)pkt;
    if (nf_left(w) < IPNET_BYTES) {
        return nf_stop_short(w, IPNET_BYTES);
    }
    w->at += IPNET_BYTES;
    return family_layer(w, p[1]);
}

nf_layer nf_enc(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    uint32_t family;

    (void)pkt;
    if (nf_left(w) < ENC_BYTES) {
        return nf_stop_short(w, ENC_BYTES);
    }
    family = nf_load_le32(p); /* in the byte order of the capturing machine */
    w->at += ENC_BYTES;
    return family_layer(w, family > UINT16_MAX ? nf_load_be32(p) : family);
}

/* Its length, family, action and reason, each a byte, names, numbers; filled up to 4 bytes. */
nf_layer nf_pflog(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t length;

    (void)pkt;
    if (nf_left(w) < PFLOG_MIN) {
        return nf_stop_short(w, PFLOG_MIN);
    }
    length = ((size_t)p[0] + 3) & ~(size_t)3;
    if (length < PFLOG_MIN) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    if (nf_left(w) < length) {
        return nf_stop_short(w, length);
    }
    w->at += length;
    return family_layer(w, p[1]);
}

/* Direction (0 in, 1 out), and what compression (RFC 1144) made of the header. */
nf_layer nf_slip(nf_walk *w, nf_packet *pkt)
{
    (void)pkt;
    if (nf_left(w) < SLIP_BYTES) {
        return nf_stop_short(w, SLIP_BYTES);
    }
    if (nf_here(w)[0] > 1) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    w->at += SLIP_BYTES;
    return NF_LAYER_RAW;
}

/* A global route header, an EtherType, and two reserved bytes. */
nf_layer nf_ipoib(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);

    if (nf_left(w) < IPOIB_BYTES) {
        return nf_stop_short(w, IPOIB_BYTES);
    }
    w->at += IPOIB_BYTES;
    if (nf_load_be16(p + IPOIB_TYPE) < NF_ETHER_MIN) {
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
    return nf_ether_type(w, pkt, nf_load_be16(p + IPOIB_TYPE));
}
