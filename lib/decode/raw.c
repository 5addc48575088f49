/* LINKTYPE_RAW: an IP header of either version, told by its first four bits. */
#include "decode/layer.h"

nf_layer nf_raw(nf_walk *w, nf_packet *pkt)
{
    (void)pkt;
    if (nf_left(w) < 1) {
        return nf_stop_short(w, 1);
    }
    switch (nf_here(w)[0] >> 4) {
    case 4:
        return NF_LAYER_IPV4;
    case 6:
        return NF_LAYER_IPV6;
    default:
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
}
