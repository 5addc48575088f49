/* ARP (RFC 826) and RARP (RFC 903): the operation. Addresses in ARP are claims, no endpoints of this packet:
   src_ip and dst_ip stay NULL. */
#include "decode/layer.h"

#define FIXED_BYTES 8

nf_layer nf_arp(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t length;

    if (nf_left(w) < FIXED_BYTES) {
        return nf_stop_short(w, FIXED_BYTES);
    }
    pkt->arp_operation = nf_load_be16(p + 6);
    w->present |= NF_BIT(ARP_OPERATION);
    /* two addresses of the link and two of the network */
    length = FIXED_BYTES + 2 * ((size_t)p[4] + p[5]);
    return nf_left(w) < length ? nf_stop_short(w, length) : NF_LAYER_DONE;
}
