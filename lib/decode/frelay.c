/* Frame relay (LINKTYPE_FRELAY, 107) with RFC 2427 or Cisco encapsulation, and whole frames of a multilink bundle
   (LINKTYPE_MFR, 182; FRF.16). */
#include "decode/ethertype.h"

#define ADDRESS_LAST 1 /* bit: no further byte of the address follows */
#define ADDRESS_MIN  2
#define ADDRESS_MAX  4
#define UNNUMBERED   0x03
#define NLPID_IPV4   0xcc
#define NLPID_IPV6   0x8e
#define NLPID_SNAP   0x80
#define OUI_ETHERNET 0x000000
#define OUI_BRIDGED  0x0080c2
#define BRIDGED_FCS  0x0001 /* IEEE 802.3 with its checksum */
#define BRIDGED      0x0007 /* without */
#define SNAP_BYTES   5
#define MFR_BYTES    2
#define MFR_BEGIN    0x80
#define MFR_END      0x40
#define MFR_CONTROL  0x20

/* OUI and type, behind the NLPID. */
static nf_layer snap(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    uint16_t type;

    if (nf_left(w) < SNAP_BYTES) {
        return nf_stop_short(w, SNAP_BYTES);
    }
    type = nf_load_be16(p + 3);
    w->at += SNAP_BYTES;
    if (nf_load_be24(p) == OUI_BRIDGED && (type == BRIDGED || type == BRIDGED_FCS)) {
        return NF_LAYER_ETHERNET;
    }
    if (nf_load_be24(p) == OUI_ETHERNET && type >= NF_ETHER_MIN) {
        return nf_ether_type(w, pkt, type);
    }
    return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
}

nf_layer nf_frelay(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t left = nf_left(w), at = ADDRESS_MIN;

    while (at < ADDRESS_MAX && at <= left && !(p[at - 1] & ADDRESS_LAST)) {
        at++;
    }
    if (left < at + 2) {
        return nf_stop_short(w, at + 2);
    }
    if (p[at] != UNNUMBERED) { /* Cisco: an EtherType follows */
        w->at += at + 2;
        if (nf_load_be16(p + at) < NF_ETHER_MIN) {
            return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
        }
        return nf_ether_type(w, pkt, nf_load_be16(p + at));
    }
    at++;
    if (p[at] == 0 && at + 1 < left) { /* padding, to align what follows */
        at++;
    }
    w->at += at + 1;
    switch (p[at]) {
    case NLPID_IPV4:
        return NF_LAYER_IPV4;
    case NLPID_IPV6:
        return NF_LAYER_IPV6;
    case NLPID_SNAP:
        return snap(w, pkt);
    default:
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
}

nf_layer nf_mfr(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);

    (void)pkt;
    if (nf_left(w) < MFR_BYTES) {
        return nf_stop_short(w, MFR_BYTES);
    }
    w->at += MFR_BYTES;
    if ((p[0] & (MFR_BEGIN | MFR_END | MFR_CONTROL)) != (MFR_BEGIN | MFR_END)) {
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
    return NF_LAYER_FRELAY;
}
