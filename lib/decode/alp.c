/* ATSC 3.0 link layer (LINKTYPE_ATSC_ALP, 289; A/330): whole IPv4 packets, with or without an additional header.
   Segments, concatenations and other kinds are not decoded. */
#include "decode/layer.h"

#define ALP_MIN       2
#define TYPE_IPV4     0
#define SEGMENTED     0x10
#define LONG_HEADER   0x08
#define HAS_ID        0x02 /* in the additional header: a sub-stream id */
#define HAS_EXTENSION 0x01

nf_layer nf_alp(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t header = ALP_MIN, length;

    (void)pkt;
    if (nf_left(w) < ALP_MIN) {
        return nf_stop_short(w, ALP_MIN);
    }
    if (p[0] >> 5 != TYPE_IPV4 || (p[0] & SEGMENTED)) {
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
    length = nf_load_be16(p) & 0x7ff;
    if (p[0] & LONG_HEADER) {
        if (nf_left(w) < ALP_MIN + 1) {
            return nf_stop_short(w, ALP_MIN + 1);
        }
        length |= (size_t)(p[2] >> 3) << 11;
        header = ALP_MIN + 1 + (p[2] & HAS_ID ? 1 : 0);
        if (p[2] & HAS_EXTENSION) {
            return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
        }
    }
    if (nf_left(w) < header) {
        return nf_stop_short(w, header);
    }
    w->at += header;
    nf_bound_checked(w, length);
    return NF_LAYER_IPV4;
}
