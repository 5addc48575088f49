/* Endace's records as a link type (ERF, 197): a header of 16 bytes, extension headers, then what the type says. */
#include "decode/layer.h"

#define ERF_BYTES       16
#define TYPE_EXTENDED   0x80
#define EXTENSION_BYTES 8

static nf_layer type_layer(nf_walk *w, unsigned type)
{
    switch (type) {
    case 1:  /* HDLC over SONET */
    case 10: /* with colour */
        return NF_LAYER_PPP_HDLC;
    case 2:  /* Ethernet */
    case 11: /* with colour */
    case 16: /* with colour and stream */
    case 20: /* with colour and hash */
        if (nf_left(w) < 2) {
            return nf_stop_short(w, 2);
        }
        w->at += 2; /* offset and padding */
        return NF_LAYER_ETHERNET;
    case 22:
        return NF_LAYER_IPV4;
    case 23:
        return NF_LAYER_IPV6;
    default:
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_LINK);
    }
}

nf_layer nf_erf(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t left = nf_left(w), header = ERF_BYTES;
    bool more;

    (void)pkt;
    if (left < ERF_BYTES) {
        return nf_stop_short(w, ERF_BYTES);
    }
    more = (p[8] & TYPE_EXTENDED) != 0;
    while (more) {
        if (left < header + EXTENSION_BYTES) {
            return nf_stop_short(w, header + EXTENSION_BYTES);
        }
        more = (p[header] & TYPE_EXTENDED) != 0;
        header += EXTENSION_BYTES;
    }
    w->at += header;
    return type_layer(w, p[8] & 0x7f);
}
