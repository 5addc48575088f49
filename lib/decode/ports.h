/* ports.h - the two ports that UDP, UDP-Lite, SCTP and DCCP headers start with. */
#ifndef NF_DECODE_PORTS_H
#define NF_DECODE_PORTS_H

#include "decode/layer.h"

/* Those of the ports that were captured. */
static inline void nf_ports(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);

    if (nf_left(w) >= 2) {
        pkt->src_port = nf_load_be16(p);
        w->present |= NF_BIT(SRC_PORT);
    }
    if (nf_left(w) >= 4) {
        pkt->dst_port = nf_load_be16(p + 2);
        w->present |= NF_BIT(DST_PORT);
    }
}

#endif
