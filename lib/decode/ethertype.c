/* What an EtherType says about the next header. */
#include "decode/ethertype.h"

nf_layer nf_network_type(nf_walk *w, uint16_t type)
{
    switch (type) {
    case NF_ETHER_IPV4:
        return NF_LAYER_IPV4;
    case NF_ETHER_IPV6:
        return NF_LAYER_IPV6;
    case NF_ETHER_ARP:
    case NF_ETHER_RARP:
        return NF_LAYER_ARP;
    case NF_ETHER_VLAN:
    case NF_ETHER_PROVIDER:
    case NF_ETHER_QINQ:
        return NF_LAYER_VLAN;
    case NF_ETHER_JUMBO_LLC:
        return NF_LAYER_LLC;
    case NF_ETHER_MPLS:
    case NF_ETHER_MPLS_UPSTREAM:
        return NF_LAYER_MPLS;
    case NF_ETHER_PPPOE:
        return NF_LAYER_PPPOE;
    case NF_ETHER_PPP:
        return NF_LAYER_PPP;
    case NF_ETHER_BRIDGED:
        return NF_LAYER_ETHERNET;
    case NF_ETHER_PBB:
        return NF_LAYER_PBB;
    case NF_ETHER_FABRICPATH:
        return NF_LAYER_FABRICPATH;
    case NF_ETHER_MACSEC:
        return NF_LAYER_MACSEC;
    case NF_ETHER_NSH:
        return NF_LAYER_NSH;
    case NF_ETHER_CMD:
        return NF_LAYER_CMD;
    case NF_ETHER_VNTAG:
        return NF_LAYER_VNTAG;
    case NF_ETHER_ETAG:
        return NF_LAYER_ETAG;
    default:
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
}

nf_layer nf_ether_type(nf_walk *w, nf_packet *pkt, uint16_t type)
{
    if (type < NF_ETHER_MIN) {
        return nf_ether_length(w, type);
    }
    pkt->ether_type = type;
    w->present |= NF_BIT(ETHER_TYPE);
    return nf_network_type(w, type);
}
