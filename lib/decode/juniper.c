/* Juniper's link types whose packets have no cookie that depends on the hardware: JUNIPER_ETHER (178), _PPP (179),
   _FRELAY (180), _CHDLC (181). A magic number, flags, perhaps extensions, then the packet. */
#include "decode/layer.h"

#define JUNIPER_BYTES   4
#define MAGIC           0x4d4743
#define FLAG_NO_LINK    0x02
#define FLAG_EXTENSIONS 0x80
#define FAMILY_BYTES    4

static nf_layer header(nf_walk *w, nf_layer next)
{
    const uint8_t *p = nf_here(w);
    size_t length = JUNIPER_BYTES;

    if (nf_left(w) < JUNIPER_BYTES) {
        return nf_stop_short(w, JUNIPER_BYTES);
    }
    if (nf_load_be24(p) != MAGIC) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    if (p[3] & FLAG_EXTENSIONS) {
        if (nf_left(w) < JUNIPER_BYTES + 2) {
            return nf_stop_short(w, JUNIPER_BYTES + 2);
        }
        length += (size_t)2 + nf_load_be16(p + JUNIPER_BYTES);
    }
    if (p[3] & FLAG_NO_LINK) { /* a family in place of the link header */
        length += FAMILY_BYTES;
        next = NF_LAYER_RAW;
    }
    if (nf_left(w) < length) {
        return nf_stop_short(w, length);
    }
    w->at += length;
    return next;
}

nf_layer nf_juniper_ether(nf_walk *w, nf_packet *pkt)
{
    (void)pkt;
    return header(w, NF_LAYER_ETHERNET);
}

nf_layer nf_juniper_ppp(nf_walk *w, nf_packet *pkt)
{
    (void)pkt;
    return header(w, NF_LAYER_PPP);
}

nf_layer nf_juniper_frelay(nf_walk *w, nf_packet *pkt)
{
    (void)pkt;
    return header(w, NF_LAYER_FRELAY);
}

nf_layer nf_juniper_chdlc(nf_walk *w, nf_packet *pkt)
{
    (void)pkt;
    return header(w, NF_LAYER_CHDLC);
}
