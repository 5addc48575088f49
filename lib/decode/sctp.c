/* SCTP (RFC 9260): the common header; its chunks are the payload. */
#include "decode/ports.h"

#define SCTP_BYTES 12

nf_layer nf_sctp(nf_walk *w, nf_packet *pkt)
{
    nf_ports(w, pkt);
    if (nf_left(w) < SCTP_BYTES) {
        return nf_stop_short(w, SCTP_BYTES);
    }
    nf_payload(w, pkt, SCTP_BYTES, nf_declared_left(w) - SCTP_BYTES);
    return NF_LAYER_DONE;
}
