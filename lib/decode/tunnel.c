/* How a decapsulation is noted, and what the first bytes behind an odd header may be. */
#include "decode/tunnel.h"

#include "decode/ethertype.h"

nf_layer nf_tunnel(nf_walk *w, nf_packet *pkt, uint8_t type, nf_layer next)
{
    if ((w->present & NF_BIT(SRC_IP)) && !(w->present & NF_BIT(OUTER_SRC_IP))) {
        memcpy(pkt->outer_src_ip, pkt->src_ip, sizeof pkt->outer_src_ip);
        memcpy(pkt->outer_dst_ip, pkt->dst_ip, sizeof pkt->outer_dst_ip);
        w->present |= NF_BIT(OUTER_SRC_IP) | NF_BIT(OUTER_DST_IP);
    }
    pkt->tunnel_depth++; /* of at most 64 layers */
    pkt->tunnel_type = type;
    w->present |= NF_BIT(TUNNEL_TYPE);
    w->present &= ~NF_BIT(TUNNEL_ID);
    return next;
}

nf_layer nf_tunnel_id(nf_walk *w, nf_packet *pkt, uint8_t type, uint64_t id, nf_layer next)
{
    next = nf_tunnel(w, pkt, type, next);
    pkt->tunnel_id = id;
    w->present |= NF_BIT(TUNNEL_ID);
    return next;
}

unsigned nf_looks_like_ip(const nf_walk *w, size_t skip)
{
    const uint8_t *p = nf_here(w) + skip;
    size_t left = nf_left(w);
    uint64_t room = nf_declared_left(w);

    if (left < skip + 20) {
        return 0;
    }
    room -= skip;
    if (p[0] >> 4 == 4) {
        return (p[0] & 15) >= 5 && nf_load_be16(p + 2) >= 20 && nf_load_be16(p + 2) <= room ? 4 : 0;
    }
    return p[0] >> 4 == 6 && 40 + (uint64_t)nf_load_be16(p + 4) <= room ? 6 : 0;
}

bool nf_looks_like_ethernet(const nf_walk *w, size_t skip)
{
    const uint8_t *p = nf_here(w) + skip;

    if (nf_left(w) < skip + 18) {
        return false;
    }
    switch (nf_load_be16(p + 12)) {
    case NF_ETHER_IPV4:
        return p[14] >> 4 == 4;
    case NF_ETHER_IPV6:
        return p[14] >> 4 == 6;
    case NF_ETHER_ARP:
        return nf_load_be16(p + 14) == 1; /* hardware: Ethernet */
    case NF_ETHER_VLAN:
    case NF_ETHER_PROVIDER:
    case NF_ETHER_MPLS:
    case NF_ETHER_PPPOE:
        return true;
    default:
        return false;
    }
}
