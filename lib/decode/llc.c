/* IEEE 802.3 lengths, IEEE 802.2 LLC and SNAP. */
#include "decode/ethertype.h"

#define LENGTH_MAX      1500 /* IEEE 802.3; 1501 to 1535 are neither length nor type */
#define SAP_IP          0x06
#define SAP_SNAP        0xaa
#define CONTROL_UI      0x03
#define OUI_ETHERNET    0x000000 /* RFC 1042 */
#define OUI_BRIDGE      0x0000f8 /* IEEE 802.1H bridge tunnel encapsulation */
#define SAP_BYTES       3
#define SNAP_BYTES      8
#define NOVELL_CHECKSUM 0xffff /* IPX directly behind the length: no LLC */

nf_layer nf_ether_length(nf_walk *w, uint16_t length)
{
    /* the type in front of a VLAN tag is no type of this frame */
    w->present &= ~NF_BIT(ETHER_TYPE);
    if (length > LENGTH_MAX) {
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
    nf_bound_checked(w, length);
    if (nf_left(w) >= 2 && nf_load_be16(nf_here(w)) == NOVELL_CHECKSUM) {
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
    return NF_LAYER_LLC;
}

static nf_layer snap(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    uint32_t oui;
    uint16_t type;

    if (nf_left(w) < SNAP_BYTES) {
        return nf_stop_short(w, SNAP_BYTES);
    }
    oui = nf_load_be24(p + 3);
    type = nf_load_be16(p + 6);
    if ((oui != OUI_ETHERNET && oui != OUI_BRIDGE) || type < NF_ETHER_MIN) {
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
    w->at += SNAP_BYTES;
    return nf_ether_type(w, pkt, type);
}

nf_layer nf_llc(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);

    if (nf_left(w) < SAP_BYTES) {
        return nf_stop_short(w, SAP_BYTES);
    }
    if (p[0] == SAP_SNAP && p[1] == SAP_SNAP && p[2] == CONTROL_UI) {
        return snap(w, pkt);
    }
    if (p[0] == SAP_IP && p[2] == CONTROL_UI) {
        w->at += SAP_BYTES;
        return NF_LAYER_IPV4;
    }
    return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
}
