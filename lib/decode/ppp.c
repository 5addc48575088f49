/* PPP (RFC 1661, numbers: IANA ppp-numbers) on its link types: PPP (9), PPP_HDLC (50, RFC 1662 framing or Cisco's
   HDLC), PPP_WITH_DIR (204, a byte for the direction in front). */
#include "decode/layer.h"

#define PROTOCOL_ODD 1 /* the last bit of a protocol number: set in its last byte only */
#define ALL_STATIONS 0xff
#define UNNUMBERED   0x03
#define CISCO_ONE    0x0f
#define CISCO_ALL    0x8f

static nf_layer protocol_layer(nf_walk *w, uint16_t protocol)
{
    switch (protocol) {
    case 0x0021:
        return NF_LAYER_IPV4;
    case 0x0057:
        return NF_LAYER_IPV6;
    case 0x0281: /* unicast */
    case 0x0283: /* multicast */
        return NF_LAYER_MPLS;
    case 0x0053: /* encrypted (RFC 1968), 0x55 on one link of a bundle */
    case 0x0055:
    case 0x00fd: /* compressed (RFC 1962), which MPPE (RFC 3078) takes for its encryption */
    case 0x00fb:
        return nf_stop(w, NETFEAT_QUALITY_ENCRYPTED);
    default:
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
}

nf_layer nf_ppp(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t left = nf_left(w), at = 0;
    uint16_t protocol;

    (void)pkt;
    if (left >= 2 && p[0] == ALL_STATIONS && p[1] == UNNUMBERED) { /* peers may agree to leave them out */
        at = 2;
    }
    if (left < at + 1 || (!(p[at] & PROTOCOL_ODD) && left < at + 2)) {
        return nf_stop_short(w, at + 2);
    }
    protocol = p[at++];
    if (!(protocol & PROTOCOL_ODD)) {
        protocol = (uint16_t)(protocol << 8 | p[at++]);
    }
    w->at += at;
    return protocol_layer(w, protocol);
}

nf_layer nf_ppp_hdlc(nf_walk *w, nf_packet *pkt)
{
    uint8_t address = nf_left(w) > 0 ? nf_here(w)[0] : 0;

    (void)pkt;
    return address == CISCO_ONE || address == CISCO_ALL ? NF_LAYER_CHDLC : NF_LAYER_PPP;
}

nf_layer nf_ppp_with_dir(nf_walk *w, nf_packet *pkt)
{
    (void)pkt;
    if (nf_left(w) < 1) {
        return nf_stop_short(w, 1);
    }
    w->at += 1;
    return NF_LAYER_PPP;
}
