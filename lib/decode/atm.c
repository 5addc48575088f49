/* ATM: LLC encapsulation (ATM_RFC1483, 100; RFC 2684), classical IP (ATM_CLIP, 106), and the header of Sun's driver
   (SUNATM, 123). */
#include "decode/ethertype.h"

#define SNAP_BYTES   8
#define OUI_BRIDGED  0x0080c2
#define BRIDGED_FCS  0x0001
#define BRIDGED      0x0007
#define BRIDGED_PAD  2
#define SUNATM_BYTES 4
#define SUNATM_LANE  1 /* kinds of traffic, in the lower 4 bits of the flags */
#define SUNATM_LLC   2

static bool is_snap(const nf_walk *w)
{
    const uint8_t *p = nf_here(w);

    return nf_left(w) >= SNAP_BYTES && p[0] == 0xaa && p[1] == 0xaa && p[2] == 0x03;
}

nf_layer nf_atm_llc(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    bool bridged = is_snap(w) && nf_load_be24(p + 3) == OUI_BRIDGED &&
                   (nf_load_be16(p + 6) == BRIDGED || nf_load_be16(p + 6) == BRIDGED_FCS);

    (void)pkt;
    if (!bridged) {
        return NF_LAYER_LLC;
    }
    if (nf_left(w) < SNAP_BYTES + BRIDGED_PAD) {
        return nf_stop_short(w, SNAP_BYTES + BRIDGED_PAD);
    }
    w->at += SNAP_BYTES + BRIDGED_PAD;
    return NF_LAYER_ETHERNET;
}

nf_layer nf_atm_clip(nf_walk *w, nf_packet *pkt)
{
    (void)pkt;
    return is_snap(w) ? NF_LAYER_LLC : NF_LAYER_IPV4;
}

nf_layer nf_sunatm(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);

    (void)pkt;
    if (nf_left(w) < SUNATM_BYTES) {
        return nf_stop_short(w, SUNATM_BYTES);
    }
    w->at += SUNATM_BYTES;
    switch (p[0] & 15) {
    case SUNATM_LLC:
        return NF_LAYER_ATM_LLC;
    case SUNATM_LANE: /* two bytes of the LAN emulation client, then Ethernet */
        if (nf_left(w) < 2) {
            return nf_stop_short(w, 2);
        }
        w->at += 2;
        return NF_LAYER_ETHERNET;
    default:
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
}
