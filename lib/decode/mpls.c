/* MPLS (RFC 3032): a stack of labels, as one header. What is behind its last label nobody says: IP by its first four
   bits, or Ethernet, with or without a control word (pseudowires, RFC 4448). */
#include "decode/tunnel.h"

#define LABEL_BYTES     4
#define LABEL_BOTTOM    0x100
#define LABEL_SHIFT     12
#define CONTROL_BYTES   4
#define EXPLICIT_NULL   0
#define EXPLICIT_NULL_6 2

/* The label at the bottom; the walk is then behind it. False: cut. */
static bool bottom_label(nf_walk *w, uint32_t *ret_label)
{
    size_t left = nf_left(w), at = 0;
    const uint8_t *p = nf_here(w);
    uint32_t entry;

    do {
        if (left - at < LABEL_BYTES) {
            return false;
        }
        entry = nf_load_be32(p + at);
        at += LABEL_BYTES;
    } while (!(entry & LABEL_BOTTOM));
    w->at += at;
    *ret_label = entry >> LABEL_SHIFT;
    return true;
}

static nf_layer below_stack(nf_walk *w, nf_packet *pkt, uint8_t type, uint32_t label)
{
    unsigned first;

    if (nf_left(w) < 1) {
        return nf_stop_short(w, 1);
    }
    first = nf_here(w)[0] >> 4;
    if (label == EXPLICIT_NULL) {
        return nf_tunnel_id(w, pkt, type, label, NF_LAYER_IPV4);
    }
    if (label == EXPLICIT_NULL_6) {
        return nf_tunnel_id(w, pkt, type, label, NF_LAYER_IPV6);
    }
    if (first == 0 && !nf_looks_like_ethernet(w, 0)) {
        if (nf_left(w) < CONTROL_BYTES) {
            return nf_stop_short(w, CONTROL_BYTES);
        }
        w->at += CONTROL_BYTES;
        return nf_tunnel_id(w, pkt, NETFEAT_TUNNEL_PSEUDOWIRE, label, NF_LAYER_ETHERNET);
    }
    if (nf_looks_like_ethernet(w, 0) && nf_looks_like_ip(w, 0) == 0) {
        return nf_tunnel_id(w, pkt, NETFEAT_TUNNEL_PSEUDOWIRE, label, NF_LAYER_ETHERNET);
    }
    if (first == 4 || first == 6) {
        return nf_tunnel_id(w, pkt, type, label, first == 4 ? NF_LAYER_IPV4 : NF_LAYER_IPV6);
    }
    return nf_tunnel_id(w, pkt, type, label, nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK));
}

static nf_layer stack(nf_walk *w, nf_packet *pkt, uint8_t type)
{
    uint32_t label;

    if (!bottom_label(w, &label)) {
        return nf_stop_short(w, nf_left(w) + 1);
    }
    return below_stack(w, pkt, type, label);
}

nf_layer nf_mpls(nf_walk *w, nf_packet *pkt)
{
    return stack(w, pkt, NETFEAT_TUNNEL_MPLS);
}

/* RFC 7510; a stack of labels must lead to IP, or the datagram is something else. */
nf_layer nf_mpls_udp(nf_walk *w, nf_packet *pkt)
{
    size_t before = w->at;
    uint32_t label;

    if (!bottom_label(w, &label) || nf_looks_like_ip(w, 0) == 0) {
        w->at = before;
        return NF_LAYER_DONE;
    }
    return below_stack(w, pkt, NETFEAT_TUNNEL_MPLS_UDP, label);
}
