/* What an EtherType says about the next header. */
#include "decode/ethertype.h"

nf_layer nf_ether_type(nf_walk *w, nf_packet *pkt, uint16_t type)
{
    if (type < NF_ETHER_MIN) {
        return nf_ether_length(w, type);
    }
    pkt->ether_type = type;
    w->present |= NF_BIT(ETHER_TYPE);
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
    default:
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
}
