/* Tags between the Ethernet header and what it carries. Tunnels: provider backbone bridges (PBB, IEEE 802.1ah), FabricPath (Cisco), MACsec
   (IEEE 802.1AE) and the network service header (NSH, RFC 8300). No tunnels, but walked through like VLAN tags: VN-Tag
   (Cisco), E-Tag (IEEE 802.1BR), and Cisco's meta data. */
#include "decode/ethertype.h"
#include "decode/tunnel.h"

#define PBB_BYTES           4
#define PBB_ID_MASK         0x00ffffff
#define FABRICPATH_BYTES    2 /* a tree and a time to live */
#define FABRICPATH_TTL_BITS 6
#define SECTAG_BYTES        6
#define SECTAG_ID_BYTES     8
#define SECTAG_HAS_ID       0x20
#define SECTAG_ENCRYPTED    0x0c /* either of E (encrypted) and C (changed) */
#define SECTAG_VERSION      0x80
#define ICV_BYTES           16
#define NSH_BYTES           8
#define VNTAG_BYTES         4
#define ETAG_BYTES          6
#define CMD_BYTES           6

nf_layer nf_pbb(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);

    if (nf_left(w) < PBB_BYTES) {
        return nf_stop_short(w, PBB_BYTES);
    }
    w->at += PBB_BYTES;
    return nf_tunnel_id(w, pkt, NETFEAT_TUNNEL_PBB, nf_load_be32(p) & PBB_ID_MASK, NF_LAYER_ETHERNET);
}

nf_layer nf_fabricpath(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);

    if (nf_left(w) < FABRICPATH_BYTES) {
        return nf_stop_short(w, FABRICPATH_BYTES);
    }
    w->at += FABRICPATH_BYTES;
    return nf_tunnel_id(w, pkt, NETFEAT_TUNNEL_FABRICPATH, nf_load_be16(p) >> FABRICPATH_TTL_BITS,
                        NF_LAYER_ETHERNET);
}

nf_layer nf_macsec(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t header = SECTAG_BYTES;
    uint16_t type;

    if (nf_left(w) < SECTAG_BYTES) {
        return nf_stop_short(w, SECTAG_BYTES);
    }
    if (p[0] & SECTAG_VERSION) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    if (p[0] & SECTAG_ENCRYPTED) {
        return nf_stop(w, NETFEAT_QUALITY_ENCRYPTED);
    }
    header += p[0] & SECTAG_HAS_ID ? SECTAG_ID_BYTES : 0;
    if (nf_left(w) < header + 2) {
        return nf_stop_short(w, header + 2);
    }
    type = nf_load_be16(p + header);
    w->at += header + 2;
    if (nf_declared_left(w) >= ICV_BYTES) { /* the integrity check value ends the frame */
        nf_bound(w, nf_declared_left(w) - ICV_BYTES);
    }
    (void)nf_tunnel(w, pkt, NETFEAT_TUNNEL_MACSEC, NF_LAYER_DONE);
    return nf_ether_type(w, pkt, type);
}

static nf_layer nsh_protocol(nf_walk *w, uint8_t protocol)
{
    switch (protocol) {
    case 1:
        return NF_LAYER_IPV4;
    case 2:
        return NF_LAYER_IPV6;
    case 3:
        return NF_LAYER_ETHERNET;
    case 4:
        return NF_LAYER_NSH;
    case 5:
        return NF_LAYER_MPLS;
    default:
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
}

nf_layer nf_nsh(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t length;

    if (nf_left(w) < NSH_BYTES) {
        return nf_stop_short(w, NSH_BYTES);
    }
    length = (size_t)(p[1] & 0x3f) * 4;
    if (p[0] >> 6 != 0 || length < NSH_BYTES) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    if (nf_left(w) < length) {
        return nf_stop_short(w, length);
    }
    w->at += length;
    return nf_tunnel_id(w, pkt, NETFEAT_TUNNEL_NSH, nf_load_be24(p + 4), nsh_protocol(w, p[3]));
}

/* `bytes` of a tag, then a type. */
static nf_layer tag(nf_walk *w, nf_packet *pkt, size_t bytes)
{
    const uint8_t *p = nf_here(w);

    if (nf_left(w) < bytes + 2) {
        return nf_stop_short(w, bytes + 2);
    }
    w->at += bytes + 2;
    return nf_ether_type(w, pkt, nf_load_be16(p + bytes));
}

nf_layer nf_vntag(nf_walk *w, nf_packet *pkt)
{
    return tag(w, pkt, VNTAG_BYTES);
}

nf_layer nf_etag(nf_walk *w, nf_packet *pkt)
{
    return tag(w, pkt, ETAG_BYTES);
}

nf_layer nf_cmd(nf_walk *w, nf_packet *pkt)
{
    return tag(w, pkt, CMD_BYTES);
}
