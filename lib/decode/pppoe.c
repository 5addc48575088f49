/* PPPoE session stage (RFC 2516): EtherType 0x8864, and LINKTYPE_PPP_ETHER (51). */
#include "decode/tunnel.h"

#define PPPOE_BYTES  6
#define VERSION_TYPE 0x11
#define CODE_SESSION 0

nf_layer nf_pppoe(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    uint16_t length;

    if (nf_left(w) < PPPOE_BYTES) {
        return nf_stop_short(w, PPPOE_BYTES);
    }
    if (p[0] != VERSION_TYPE) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    if (p[1] != CODE_SESSION) { /* discovery */
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
    length = nf_load_be16(p + 4);
    w->at += PPPOE_BYTES;
    nf_bound_checked(w, length);
    return nf_tunnel_id(w, pkt, NETFEAT_TUNNEL_PPPOE, nf_load_be16(p + 2), NF_LAYER_PPP);
}
