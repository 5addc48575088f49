/* DCCP (RFC 4340): ports, and a data offset in words of 4 bytes; what is behind it is the payload. */
#include "decode/ports.h"

#define DCCP_BYTES 12 /* the generic header with short sequence numbers */

nf_layer nf_dccp(nf_walk *w, nf_packet *pkt)
{
    size_t header;

    nf_ports(w, pkt);
    if (nf_left(w) < DCCP_BYTES) {
        return nf_stop_short(w, DCCP_BYTES);
    }
    header = (size_t)nf_here(w)[4] * 4;
    if (header < DCCP_BYTES || header > nf_declared_left(w)) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    nf_payload(w, pkt, header, nf_declared_left(w) - header);
    return nf_left(w) < header ? nf_stop_short(w, header) : NF_LAYER_DONE;
}
