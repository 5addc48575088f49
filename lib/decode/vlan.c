/* VLAN tags (IEEE 802.1Q, 802.1ad, and the older 0x9100): priority and id, then the type of what follows. */
#include "decode/ethertype.h"

#define ID_MASK 0x0fff

nf_layer nf_vlan(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);

    if (nf_left(w) < 2) {
        return nf_stop_short(w, 4);
    }
    if ((w->present & NF_BIT(VLAN_ID)) && !(w->present & NF_BIT(VLAN_OUTER_ID))) {
        pkt->vlan_outer_id = pkt->vlan_id;
        w->present |= NF_BIT(VLAN_OUTER_ID);
    }
    pkt->vlan_id = nf_load_be16(p) & ID_MASK;
    w->present |= NF_BIT(VLAN_ID);
    if (nf_left(w) < 4) {
        return nf_stop_short(w, 4);
    }
    w->at += 4;
    return nf_ether_type(w, pkt, nf_load_be16(p + 2));
}
