/* Linux cooked captures: LINKTYPE_LINUX_SLL (113) and LINKTYPE_LINUX_SLL2 (276). Their protocol field is an
   EtherType or a small number, except on devices whose ARPHRD_ type gives it another meaning. */
#include "decode/ethertype.h"

#define SLL_BYTES  16
#define SLL2_BYTES 20

enum { ARPHRD_FRAME_RELAY = 770, ARPHRD_GRE = 778, ARPHRD_RADIOTAP = 803, ARPHRD_NETLINK = 824 };
enum { PROTOCOL_LLC = 4 };

static nf_layer next_layer(nf_walk *w, nf_packet *pkt, uint16_t device, uint16_t protocol)
{
    switch (device) {
    case ARPHRD_RADIOTAP:
        return NF_LAYER_RADIOTAP;
    case ARPHRD_FRAME_RELAY:
    case ARPHRD_NETLINK:
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    case ARPHRD_GRE: /* a GRE protocol type: no link header was there, hence no EtherType */
        return nf_network_type(w, protocol);
    default:
        break;
    }
    if (protocol == PROTOCOL_LLC) {
        return NF_LAYER_LLC;
    }
    if (protocol < NF_ETHER_MIN) {
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
    return nf_ether_type(w, pkt, protocol);
}

static void source_address(nf_walk *w, nf_packet *pkt, const uint8_t *address, unsigned length)
{
    if (length == 6) {
        memcpy(pkt->src_mac, address, 6);
        w->present |= NF_BIT(SRC_MAC);
    }
}

nf_layer nf_sll(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);

    if (nf_left(w) < SLL_BYTES) {
        return nf_stop_short(w, SLL_BYTES);
    }
    source_address(w, pkt, p + 6, nf_load_be16(p + 4));
    w->at += SLL_BYTES;
    return next_layer(w, pkt, nf_load_be16(p + 2), nf_load_be16(p + 14));
}

nf_layer nf_sll2(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);

    if (nf_left(w) < SLL2_BYTES) {
        return nf_stop_short(w, SLL2_BYTES);
    }
    source_address(w, pkt, p + 12, p[11]);
    w->at += SLL2_BYTES;
    return next_layer(w, pkt, nf_load_be16(p + 8), nf_load_be16(p));
}
