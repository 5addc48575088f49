/* Ethernet II and IEEE 802.3 (LINKTYPE_EN10MB): two addresses, then a type or a length. */
#include "decode/ethertype.h"

#define ETHERNET_BYTES 14

nf_layer nf_ethernet(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);

    /* an Ethernet header inside a tunnel replaces the one outside */
    w->present &= ~NF_LINK_BITS;
    if (nf_left(w) >= 6) {
        memcpy(pkt->dst_mac, p, 6);
        w->present |= NF_BIT(DST_MAC);
    }
    if (nf_left(w) >= 12) {
        memcpy(pkt->src_mac, p + 6, 6);
        w->present |= NF_BIT(SRC_MAC);
    }
    if (nf_left(w) < ETHERNET_BYTES) {
        return nf_stop_short(w, ETHERNET_BYTES);
    }
    w->at += ETHERNET_BYTES;
    return nf_ether_type(w, pkt, nf_load_be16(p + 12));
}
