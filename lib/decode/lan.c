/* Local networks other than Ethernet: FDDI (10), token ring (IEEE802_5, 6), ARCNET (7 as BSDs, 129 as Linux captures
   it; RFC 1201, RFC 1051). */
#include "decode/layer.h"

#define FDDI_BYTES         13
#define FDDI_LLC           0x50 /* frame control, in the bits of 0xf0 */
#define RING_BYTES         14
#define RING_LLC           0x40 /* frame control, in the bits of 0xc0 */
#define RING_ROUTED        0x80 /* in the source address: routing follows */
#define ROUTE_LENGTH       0x1f
#define ARCNET_BYTES       3
#define ARCNET_LINUX_BYTES 5
#define ARCNET_EXCEPTION   0xff

static void addresses(nf_walk *w, nf_packet *pkt, const uint8_t *p)
{
    memcpy(pkt->dst_mac, p, 6);
    memcpy(pkt->src_mac, p + 6, 6);
    w->present |= NF_MAC_BITS;
}

nf_layer nf_fddi(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);

    if (nf_left(w) < FDDI_BYTES) {
        return nf_stop_short(w, FDDI_BYTES);
    }
    addresses(w, pkt, p + 1);
    w->at += FDDI_BYTES;
    return (p[0] & 0xf0) == FDDI_LLC ? NF_LAYER_LLC : nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
}

nf_layer nf_token_ring(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t header = RING_BYTES;

    if (nf_left(w) < RING_BYTES) {
        return nf_stop_short(w, RING_BYTES);
    }
    addresses(w, pkt, p + 2);
    pkt->src_mac[0] &= (uint8_t)~RING_ROUTED;
    if (p[8] & RING_ROUTED) {
        if (nf_left(w) < RING_BYTES + 2) {
            return nf_stop_short(w, RING_BYTES + 2);
        }
        header += p[RING_BYTES] & ROUTE_LENGTH;
        if (nf_left(w) < header) {
            return nf_stop_short(w, header);
        }
    }
    w->at += header;
    return (p[1] & 0xc0) == RING_LLC ? NF_LAYER_LLC : nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
}

/* Behind the type: RFC 1201 has a flag for fragments and a sequence number, RFC 1051 nothing. */
static nf_layer arcnet_type(nf_walk *w, uint8_t type)
{
    const uint8_t *p = nf_here(w);
    size_t skip = 3;

    switch (type) {
    case 212: /* IP, RFC 1201 */
    case 213: /* ARP */
        break;
    case 240: /* IP, RFC 1051 */
        return NF_LAYER_IPV4;
    case 241: /* ARP */
        return NF_LAYER_ARP;
    default:
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
    if (nf_left(w) >= 1 && p[0] == ARCNET_EXCEPTION) { /* fill bytes first */
        skip += 4;
    }
    if (nf_left(w) < skip) {
        return nf_stop_short(w, skip);
    }
    if (p[skip - 3] != 0) { /* in fragments */
        w->quality |= NETFEAT_QUALITY_FRAGMENT;
        if (!(p[skip - 3] & 1)) { /* not the first */
            return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
        }
    }
    w->at += skip;
    return type == 212 ? NF_LAYER_IPV4 : NF_LAYER_ARP;
}

nf_layer nf_arcnet(nf_walk *w, nf_packet *pkt)
{
    uint8_t type;

    (void)pkt;
    if (nf_left(w) < ARCNET_BYTES) {
        return nf_stop_short(w, ARCNET_BYTES);
    }
    type = nf_here(w)[2];
    w->at += ARCNET_BYTES;
    return arcnet_type(w, type);
}

/* Two bytes more before the type; the fragments are put together already, but flag and sequence number are there. */
nf_layer nf_arcnet_linux(nf_walk *w, nf_packet *pkt)
{
    uint8_t type;

    (void)pkt;
    if (nf_left(w) < ARCNET_LINUX_BYTES) {
        return nf_stop_short(w, ARCNET_LINUX_BYTES);
    }
    type = nf_here(w)[4];
    w->at += ARCNET_LINUX_BYTES;
    return arcnet_type(w, type);
}
