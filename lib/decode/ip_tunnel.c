/* Small tunnels over IP or UDP: EtherIP (RFC 3378), Teredo (RFC 4380), AYIYA (draft-massar-v6ops-ayiya), the data channel
   of CAPWAP (RFC 5415), and ESP over UDP (RFC 3948), which says that what follows is encrypted. */
#include "decode/tunnel.h"

#define ETHERIP_BYTES   2
#define ETHERIP_VERSION 0x3000
#define TEREDO_AUTH     0x0001
#define TEREDO_ORIGIN   0x0000
#define AUTH_BYTES      13 /* type, two lengths, nonce, confirmation */
#define ORIGIN_BYTES    8
#define AYIYA_BYTES     8
#define AYIYA_FORWARD   1
#define CAPWAP_BYTES    8
#define CAPWAP_DTLS     0x01
#define FLAG_NATIVE     0x0100 /* in the third and fourth byte: frames of the radio, not of Ethernet */
#define FLAG_FRAGMENT   0x0080
#define FLAG_KEEP_ALIVE 0x0008
#define BINDING_WLAN    1

nf_layer nf_etherip(nf_walk *w, nf_packet *pkt)
{
    if (nf_left(w) < ETHERIP_BYTES) {
        return nf_stop_short(w, ETHERIP_BYTES);
    }
    if (nf_load_be16(nf_here(w)) != ETHERIP_VERSION) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    w->at += ETHERIP_BYTES;
    return nf_tunnel(w, pkt, NETFEAT_TUNNEL_ETHERIP, NF_LAYER_ETHERNET);
}

/* Perhaps authentication, perhaps where a packet came from, then IPv6 that fills the datagram. */
nf_layer nf_teredo(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t left = nf_left(w), at = 0;

    if (left >= at + 4 && nf_load_be16(p + at) == TEREDO_AUTH) {
        at += (size_t)AUTH_BYTES + p[2] + p[3];
    }
    if (left >= at + 2 && nf_load_be16(p + at) == TEREDO_ORIGIN) {
        at += ORIGIN_BYTES;
    }
    if (nf_looks_like_ip(w, at) != 6) {
        return NF_LAYER_DONE;
    }
    w->at += at;
    return nf_tunnel(w, pkt, NETFEAT_TUNNEL_TEREDO, NF_LAYER_IPV6);
}

nf_layer nf_ayiya(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t header;

    if (nf_left(w) < AYIYA_BYTES || (p[2] & 15) != AYIYA_FORWARD) {
        return NF_LAYER_DONE;
    }
    /* an identity of 2^n bytes, and a signature counted in 4 bytes */
    header = AYIYA_BYTES + ((size_t)1 << (p[0] >> 4)) + (size_t)(p[1] >> 4) * 4;
    switch (p[3]) {
    case 4:
    case 41:
        if (nf_looks_like_ip(w, header) != (p[3] == 4 ? 4U : 6U)) {
            return NF_LAYER_DONE;
        }
        w->at += header;
        return nf_tunnel(w, pkt, NETFEAT_TUNNEL_AYIYA, NF_LAYER_RAW);
    default:
        return NF_LAYER_DONE;
    }
}

/* Some controllers send the first two bytes of IEEE 802.11 frames in the wrong order: those are left alone. */
nf_layer nf_capwap(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t header;
    unsigned binding;
    uint16_t flags;

    if (nf_left(w) < CAPWAP_BYTES || p[0] >> 4 != 0) {
        return NF_LAYER_DONE;
    }
    if ((p[0] & 15) == CAPWAP_DTLS) {
        return nf_stop(w, nf_load_be24(p + 1) == 0 ? NETFEAT_QUALITY_ENCRYPTED : 0);
    }
    header = (size_t)(p[1] >> 3) * 4;
    flags = nf_load_be16(p + 2);
    binding = flags >> 9 & 31;
    if ((p[0] & 15) != 0 || header < CAPWAP_BYTES || nf_left(w) < header ||
        (flags & (FLAG_FRAGMENT | FLAG_KEEP_ALIVE)) != 0) {
        return NF_LAYER_DONE;
    }
    if (!(flags & FLAG_NATIVE)) {
        if (!nf_looks_like_ethernet(w, header)) {
            return NF_LAYER_DONE;
        }
        w->at += header;
        return nf_tunnel(w, pkt, NETFEAT_TUNNEL_CAPWAP, NF_LAYER_ETHERNET);
    }
    if (binding != BINDING_WLAN || nf_left(w) < header + 2 || (p[header] & 3) != 0) {
        return NF_LAYER_DONE;
    }
    w->at += header;
    return nf_tunnel(w, pkt, NETFEAT_TUNNEL_CAPWAP, NF_LAYER_WLAN);
}

/* Zeros are IKE's marker, a single byte keeps the NAT alive, the first 255 indices are reserved. */
nf_layer nf_esp_udp(nf_walk *w, nf_packet *pkt)
{
    (void)pkt;
    if (nf_left(w) < 8 || nf_load_be32(nf_here(w)) <= 255) {
        return NF_LAYER_DONE;
    }
    return nf_stop(w, NETFEAT_QUALITY_ENCRYPTED);
}
