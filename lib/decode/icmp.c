/* ICMP (RFC 792) and ICMPv6 (RFC 4443): type and code. The header is 8 bytes for every type; what is behind
   them is the payload. */
#include "decode/layer.h"

#define ICMP_BYTES 8

nf_layer nf_icmp(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);

    if (nf_left(w) >= 1) {
        pkt->icmp_type = p[0];
        w->present |= NF_BIT(ICMP_TYPE);
    }
    if (nf_left(w) >= 2) {
        pkt->icmp_code = p[1];
        w->present |= NF_BIT(ICMP_CODE);
    }
    if (nf_left(w) < ICMP_BYTES) {
        return nf_stop_short(w, ICMP_BYTES);
    }
    nf_payload(w, pkt, ICMP_BYTES, nf_declared_left(w) - ICMP_BYTES);
    return NF_LAYER_DONE;
}
