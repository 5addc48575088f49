/* BSD loopback: LINKTYPE_NULL (0; address family in the byte order of the capturing machine) and
   LINKTYPE_LOOP (108; in network byte order). */
#include "decode/layer.h"

#define FAMILY_BYTES 4

static nf_layer family_layer(nf_walk *w, uint32_t family)
{
    w->at += FAMILY_BYTES;
    switch (family) {
    case 2: /* AF_INET everywhere */
        return NF_LAYER_IPV4;
    case 10: /* AF_INET6 of Linux */
    case 24: /* NetBSD, OpenBSD, BSD/OS, and Npcap */
    case 28: /* FreeBSD, DragonFly */
    case 30: /* macOS */
        return NF_LAYER_IPV6;
    default:
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
}

nf_layer nf_null(nf_walk *w, nf_packet *pkt)
{
    uint32_t family;

    (void)pkt;
    if (nf_left(w) < FAMILY_BYTES) {
        return nf_stop_short(w, FAMILY_BYTES);
    }
    /* families are small numbers: the other byte order shows in the upper half */
    family = nf_load_le32(nf_here(w));
    return family_layer(w, family > UINT16_MAX ? nf_load_be32(nf_here(w)) : family);
}

nf_layer nf_loop(nf_walk *w, nf_packet *pkt)
{
    (void)pkt;
    if (nf_left(w) < FAMILY_BYTES) {
        return nf_stop_short(w, FAMILY_BYTES);
    }
    return family_layer(w, nf_load_be32(nf_here(w)));
}
