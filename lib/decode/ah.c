/* Authentication header (RFC 4302): walked through like an extension header, in IPv4 too. */
#include "decode/ip.h"

#define AH_MIN 12

nf_layer nf_ah(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t length;

    if (nf_left(w) < AH_MIN) {
        return nf_stop_short(w, AH_MIN);
    }
    length = ((size_t)p[1] + 2) * 4; /* counted in 4 bytes, two less than there are */
    if (length < AH_MIN) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    if (nf_left(w) < length) {
        return nf_stop_short(w, length);
    }
    pkt->ip_protocol = p[0];
    pkt->ip_header_length += (uint32_t)length;
    nf_ip_advance(w, pkt, length);
    return nf_ip_protocol(w, pkt);
}
