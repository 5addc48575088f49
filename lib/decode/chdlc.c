/* Cisco HDLC (LINKTYPE_C_HDLC, 104): address, control, and an EtherType. */
#include "decode/ethertype.h"

#define CHDLC_BYTES 4
#define TYPE_SLARP  0x8035 /* Cisco's, where Ethernet has RARP */

nf_layer nf_chdlc(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    uint16_t type;

    if (nf_left(w) < CHDLC_BYTES) {
        return nf_stop_short(w, CHDLC_BYTES);
    }
    type = nf_load_be16(p + 2);
    w->at += CHDLC_BYTES;
    if (type == TYPE_SLARP || type == NF_ETHER_VLAN || type < NF_ETHER_MIN) {
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
    return nf_ether_type(w, pkt, type);
}
