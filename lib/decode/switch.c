/* Ethernet with what switches and their chips put into it: Marvell's DSA (284) and EtherType DSA tags (285), Broadcom's
   tags (281 behind the addresses, 282 in front of them), preambles (ETHERNET_MPACKET, 274). */
#include "decode/ethertype.h"

#define MACS_BYTES      12
#define DSA_BYTES       4
#define EDSA_BYTES      8
#define BRCM_BYTES      4
#define PREAMBLE_BYTES  8
#define DELIMITER_WHOLE 0xd5 /* IEEE 802.3br: an express frame, as all were before */
#define FCS_BYTES       4

/* An Ethernet header with `tag` bytes between its addresses and its type. */
static nf_layer tagged(nf_walk *w, nf_packet *pkt, size_t tag)
{
    const uint8_t *p = nf_here(w);

    if (nf_left(w) >= MACS_BYTES) {
        memcpy(pkt->dst_mac, p, 6);
        memcpy(pkt->src_mac, p + 6, 6);
        w->present |= NF_MAC_BITS;
    }
    if (nf_left(w) < MACS_BYTES + tag + 2) {
        return nf_stop_short(w, MACS_BYTES + tag + 2);
    }
    w->at += MACS_BYTES + tag + 2;
    return nf_ether_type(w, pkt, nf_load_be16(p + MACS_BYTES + tag));
}

nf_layer nf_dsa(nf_walk *w, nf_packet *pkt)
{
    return tagged(w, pkt, DSA_BYTES);
}

nf_layer nf_edsa(nf_walk *w, nf_packet *pkt)
{
    return tagged(w, pkt, EDSA_BYTES);
}

nf_layer nf_brcm_tag(nf_walk *w, nf_packet *pkt)
{
    return tagged(w, pkt, BRCM_BYTES);
}

nf_layer nf_brcm_prepend(nf_walk *w, nf_packet *pkt)
{
    (void)pkt;
    if (nf_left(w) < BRCM_BYTES) {
        return nf_stop_short(w, BRCM_BYTES);
    }
    w->at += BRCM_BYTES;
    return NF_LAYER_ETHERNET;
}

/* The frame's checksum, which follows it, is padding. */
nf_layer nf_mpacket(nf_walk *w, nf_packet *pkt)
{
    (void)pkt;
    if (nf_left(w) < PREAMBLE_BYTES) {
        return nf_stop_short(w, PREAMBLE_BYTES);
    }
    if (nf_here(w)[PREAMBLE_BYTES - 1] != DELIMITER_WHOLE) { /* a piece of a preempted frame */
        return nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
    }
    w->at += PREAMBLE_BYTES;
    if (nf_declared_left(w) >= FCS_BYTES) {
        nf_bound(w, nf_declared_left(w) - FCS_BYTES);
    }
    return NF_LAYER_ETHERNET;
}
