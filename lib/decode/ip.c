/* What both versions of IP share: the end of a datagram, and what protocol numbers say about the next header.
 */
#include "decode/ip.h"
#include "decode/tunnel.h"

void nf_ip_bound(nf_walk *w, nf_packet *pkt, uint64_t length, uint64_t room)
{
    uint64_t frame_left = w->frame - w->at;

    if (length > room) {
        w->quality |= NETFEAT_QUALITY_BAD_LENGTH;
    }
    nf_bound(w, length);
    pkt->ip_length = length < UINT32_MAX ? (uint32_t)length : UINT32_MAX;
    pkt->padding_length = length < frame_left ? (uint32_t)(frame_left - length) : 0;
}

void nf_ip_advance(nf_walk *w, nf_packet *pkt, size_t bytes)
{
    uint64_t left;

    w->at += bytes;
    left = nf_declared_left(w);
    pkt->l4_offset = (uint32_t)w->at;
    pkt->l4_length = left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}

static nf_layer ipv6_only(nf_walk *w, const nf_packet *pkt)
{
    if (pkt->ip_version == 6) {
        return NF_LAYER_IPV6_EXTENSION;
    }
    return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_PROTOCOL);
}

/* The header of a tunnel, of which an IP header was outside. */
static nf_layer tunnel(nf_walk *w, nf_packet *pkt)
{
    if (nf_tunnel_is_end(w)) {
        return NF_LAYER_DONE;
    }
    switch (pkt->ip_protocol) {
    case NF_IP_IPV4:
        return nf_tunnel(w, pkt, NETFEAT_TUNNEL_IPV4, NF_LAYER_IPV4);
    case NF_IP_IPV6:
        return nf_tunnel(w, pkt, NETFEAT_TUNNEL_IPV6, NF_LAYER_IPV6);
    case NF_IP_GRE:
        return NF_LAYER_GRE;
    case NF_IP_ETHERIP:
        return NF_LAYER_ETHERIP;
    case NF_IP_L2TP:
        return NF_LAYER_L2TP_IP;
    default:
        return NF_LAYER_MPLS;
    }
}

nf_layer nf_ip_protocol(nf_walk *w, nf_packet *pkt)
{
    switch (pkt->ip_protocol) {
    case NF_IP_TCP:
        return NF_LAYER_TCP;
    case NF_IP_UDP:
        return NF_LAYER_UDP;
    case NF_IP_ICMP:
    case NF_IP_ICMPV6:
        return NF_LAYER_ICMP;
    case NF_IP_UDPLITE:
        return NF_LAYER_UDPLITE;
    case NF_IP_SCTP:
        return NF_LAYER_SCTP;
    case NF_IP_DCCP:
        return NF_LAYER_DCCP;
    case NF_IP_AH:
        return NF_LAYER_AH;
    case NF_IP_ESP:
        return nf_stop(w, NETFEAT_QUALITY_ENCRYPTED);
    case NF_IP_HOP_BY_HOP:
    case NF_IP_ROUTING:
    case NF_IP_FRAGMENT:
    case NF_IP_DESTINATION:
    case NF_IP_MOBILITY:
    case NF_IP_HIP:
    case NF_IP_SHIM6:
        return ipv6_only(w, pkt);
    case NF_IP_IPV4:
    case NF_IP_IPV6:
    case NF_IP_GRE:
    case NF_IP_ETHERIP:
    case NF_IP_L2TP:
    case NF_IP_MPLS:
        return tunnel(w, pkt);
    case NF_IP_NO_NEXT:
        return pkt->ip_version == 6 ? NF_LAYER_DONE : nf_stop(w, NETFEAT_QUALITY_UNKNOWN_PROTOCOL);
    default:
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_PROTOCOL);
    }
}
