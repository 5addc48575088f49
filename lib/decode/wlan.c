/* IEEE 802.11 (LINKTYPE_IEEE802_11, 105). src_mac and dst_mac are the ends of the frame, not of the radio link: which
   of its addresses they are depends on the bits "to DS" and "from DS". Frames for management and control have no
   network layer; data frames have LLC, A-MSDUs a header for each of the frames in it (the first is decoded). */
#include "decode/layer.h"

enum { TYPE_MANAGEMENT = 0, TYPE_CONTROL = 1, TYPE_DATA = 2 };
enum { TO_DS = 0x01, FROM_DS = 0x02, MORE_FRAGMENTS = 0x04, PROTECTED = 0x40, HT_CONTROL = 0x80 };
enum { SUBTYPE_NO_DATA = 4, SUBTYPE_QOS = 8 };
enum { CONTROL_BAR = 8, CONTROL_BLOCK_ACK = 9, CONTROL_PS_POLL = 10, CONTROL_RTS = 11, CONTROL_CF_END = 14 };
enum { CONTROL_CF_END_ACK = 15 };

#define QOS_AMSDU      0x80
#define ADDRESS1       4
#define ADDRESS2       10
#define ADDRESS3       16
#define SEQUENCE       22
#define ADDRESS4       24
#define HEADER_BYTES   24
#define SUBFRAME_BYTES 14

#define NONE SIZE_MAX

/* The two addresses at these offsets, as far as they were captured. */
static void addresses(nf_walk *w, nf_packet *pkt, size_t dst, size_t src)
{
    const uint8_t *p = nf_here(w);

    w->present &= ~NF_LINK_BITS; /* a frame inside a tunnel replaces the one outside */
    if (dst != NONE && nf_left(w) >= dst + 6) {
        memcpy(pkt->dst_mac, p + dst, 6);
        w->present |= NF_BIT(DST_MAC);
    }
    if (src != NONE && nf_left(w) >= src + 6) {
        memcpy(pkt->src_mac, p + src, 6);
        w->present |= NF_BIT(SRC_MAC);
    }
}

/* The first frame in an A-MSDU, whose own addresses count. */
static nf_layer amsdu(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    uint16_t length;

    if (nf_left(w) < SUBFRAME_BYTES) {
        return nf_stop_short(w, SUBFRAME_BYTES);
    }
    addresses(w, pkt, 0, 6);
    length = nf_load_be16(p + 12);
    w->at += SUBFRAME_BYTES;
    nf_bound_checked(w, length);
    return NF_LAYER_LLC;
}

static nf_layer data(nf_walk *w, nf_packet *pkt, unsigned subtype, uint8_t flags)
{
    static const struct {
        uint8_t dst, src;
    } ends[] = {{ADDRESS1, ADDRESS2}, {ADDRESS3, ADDRESS2}, {ADDRESS1, ADDRESS3}, {ADDRESS3, ADDRESS4}};
    const uint8_t *p = nf_here(w);
    unsigned way = flags & (TO_DS | FROM_DS);
    size_t header = HEADER_BYTES, qos_at = 0;

    addresses(w, pkt, ends[way].dst, ends[way].src);
    if (way == (TO_DS | FROM_DS)) {
        header += 6;
    }
    if (subtype & SUBTYPE_QOS) {
        qos_at = header;
        header += flags & HT_CONTROL ? 6 : 2;
    }
    if (w->wlan_padded) {
        header = (header + 3) & ~(size_t)3;
    }
    if (nf_left(w) < header) {
        return nf_stop_short(w, header);
    }
    w->at += header;
    if (subtype & SUBTYPE_NO_DATA) {
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
    if (flags & PROTECTED) {
        return nf_stop(w, NETFEAT_QUALITY_ENCRYPTED);
    }
    if ((flags & MORE_FRAGMENTS) || (p[SEQUENCE] & 15) != 0) {
        w->quality |= NETFEAT_QUALITY_FRAGMENT;
        if ((p[SEQUENCE] & 15) != 0) {
            return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
        }
    }
    return qos_at != 0 && (p[qos_at] & QOS_AMSDU) ? amsdu(w, pkt) : NF_LAYER_LLC;
}

/* Frames for control: a receiver, and in some kinds a transmitter. */
static bool has_transmitter(unsigned subtype)
{
    switch (subtype) {
    case CONTROL_BAR:
    case CONTROL_BLOCK_ACK:
    case CONTROL_PS_POLL:
    case CONTROL_RTS:
    case CONTROL_CF_END:
    case CONTROL_CF_END_ACK:
        return true;
    default:
        return false;
    }
}

nf_layer nf_wlan(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    unsigned subtype;

    if (nf_left(w) < ADDRESS1) {
        return nf_stop_short(w, ADDRESS1);
    }
    if ((p[0] & 3) != 0) { /* version */
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    subtype = p[0] >> 4;
    switch (p[0] >> 2 & 3) {
    case TYPE_DATA:
        return data(w, pkt, subtype, p[1]);
    case TYPE_MANAGEMENT:
        addresses(w, pkt, ADDRESS1, ADDRESS2);
        break;
    case TYPE_CONTROL:
        addresses(w, pkt, ADDRESS1, has_transmitter(subtype) ? ADDRESS2 : NONE);
        break;
    default:
        break;
    }
    return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
}
