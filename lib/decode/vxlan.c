/* Overlays of data centres over UDP: VXLAN (RFC 7348), VXLAN-GPE (its generic protocol extension), GENEVE (RFC 8926).
   Their ports do not prove anything: a datagram whose first bytes are no such header is left alone. */
#include "decode/ethertype.h"
#include "decode/tunnel.h"

#define VXLAN_BYTES    8
#define FLAG_ID        0x08
#define GENEVE_BYTES   8
#define GENEVE_CONTROL 0x80

/* Reserved bits are to be ignored, but a sender that sets them is to have sent Ethernet for sure. */
nf_layer nf_vxlan(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);

    if (nf_left(w) < VXLAN_BYTES || !(p[0] & FLAG_ID)) {
        return NF_LAYER_DONE;
    }
    if ((p[0] != FLAG_ID || nf_load_be24(p + 1) != 0 || p[7] != 0) &&
        !nf_looks_like_ethernet(w, VXLAN_BYTES)) {
        return NF_LAYER_DONE;
    }
    w->at += VXLAN_BYTES;
    return nf_tunnel_id(w, pkt, NETFEAT_TUNNEL_VXLAN, nf_load_be24(p + 4), NF_LAYER_ETHERNET);
}

/* Its port says that it has the field for a protocol, also when the flag for it is not set; 0 is Ethernet, as in VXLAN. */
nf_layer nf_vxlan_gpe(nf_walk *w, nf_packet *pkt)
{
    static const nf_layer protocols[] = {NF_LAYER_ETHERNET, NF_LAYER_IPV4, NF_LAYER_IPV6,
                                         NF_LAYER_ETHERNET, NF_LAYER_NSH,  NF_LAYER_MPLS};
    const uint8_t *p = nf_here(w);

    if (nf_left(w) < VXLAN_BYTES || !(p[0] & FLAG_ID) || nf_load_be16(p + 1) != 0 ||
        p[3] >= sizeof protocols / sizeof protocols[0]) {
        return NF_LAYER_DONE;
    }
    w->at += VXLAN_BYTES;
    return nf_tunnel_id(w, pkt, NETFEAT_TUNNEL_VXLAN_GPE, nf_load_be24(p + 4), protocols[p[3]]);
}

nf_layer nf_geneve(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t header;

    if (nf_left(w) < GENEVE_BYTES) {
        return NF_LAYER_DONE;
    }
    header = GENEVE_BYTES + (size_t)(p[0] & 0x3f) * 4; /* options are counted in 4 bytes */
    if (p[0] >> 6 != 0 || (p[1] & 0x3f) != 0 || p[7] != 0 || header > nf_declared_left(w)) {
        return NF_LAYER_DONE;
    }
    switch (nf_load_be16(p + 2)) {
    case NF_ETHER_BRIDGED:
    case NF_ETHER_IPV4:
    case NF_ETHER_IPV6:
    case NF_ETHER_ARP:
    case NF_ETHER_MPLS:
    case NF_ETHER_NSH:
    case NF_ETHER_PPP:
        break;
    default:
        return NF_LAYER_DONE;
    }
    if (nf_left(w) < header) {
        return nf_stop_short(w, header);
    }
    w->at += header;
    if (p[1] & GENEVE_CONTROL) { /* for the end of the tunnel itself */
        return NF_LAYER_DONE;
    }
    return nf_tunnel_id(w, pkt, NETFEAT_TUNNEL_GENEVE, nf_load_be24(p + 4),
                        nf_network_type(w, nf_load_be16(p + 2)));
}
