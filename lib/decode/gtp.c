/* GTP-U version 1 (3GPP TS 29.281): user packets of mobile networks. Its other messages are left alone. */
#include "decode/tunnel.h"

#define GTP_BYTES      8
#define OPTIONAL_BYTES 4
#define VERSION_1_GTP  0x30 /* version 1, and GTP rather than GTP' */
#define VERSION_MASK   0xf0
#define HAS_OPTIONAL   0x07 /* any of: next extension header, sequence number, N-PDU number */
#define HAS_EXTENSION  0x04
#define MESSAGE_PACKET 255

/* Walk over the extension headers; the first's type is at `at` - 1. False: they are not there whole. */
static bool skip_extensions(const nf_walk *w, size_t *at)
{
    const uint8_t *p = nf_here(w);
    size_t left = nf_left(w);

    while (p[*at - 1] != 0) {
        size_t length;
        if (*at >= left) {
            return false;
        }
        length = (size_t)p[*at] * 4;
        if (length == 0 || length > left - *at) {
            return false;
        }
        *at += length;
    }
    return true;
}

nf_layer nf_gtp(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t header = GTP_BYTES;
    uint64_t length;

    if (nf_left(w) < GTP_BYTES || (p[0] & VERSION_MASK) != VERSION_1_GTP || p[1] != MESSAGE_PACKET) {
        return NF_LAYER_DONE;
    }
    length = (uint64_t)GTP_BYTES + nf_load_be16(p + 2);
    if (length > nf_declared_left(w)) {
        return NF_LAYER_DONE;
    }
    if (p[0] & HAS_OPTIONAL) {
        header += OPTIONAL_BYTES;
        if (length < header) {
            return NF_LAYER_DONE;
        }
        if (nf_left(w) < header) {
            return nf_stop_short(w, header);
        }
        if ((p[0] & HAS_EXTENSION) && !skip_extensions(w, &header)) {
            return nf_stop(w, NETFEAT_QUALITY_HEADER_CUT);
        }
    }
    if (length < header) {
        return NF_LAYER_DONE;
    }
    nf_bound(w, length);
    w->at += header;
    return nf_tunnel_id(w, pkt, NETFEAT_TUNNEL_GTP_U, nf_load_be32(p + 4), NF_LAYER_RAW);
}
