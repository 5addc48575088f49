/* UDP (RFC 768) and UDP-Lite (RFC 3828). */
#include "decode/ports.h"
#include "decode/tunnel.h"

#define UDP_BYTES    8
#define LENGTH_KNOWN 6 /* with so many bytes */

/* How long the UDP length says that it is, header included; `room`, what the IP length leaves, when it is 0
   to 7, or beyond that. */
static uint64_t datagram_length(nf_walk *w, uint16_t length, uint64_t room)
{
    bool good;

    if (length >= UDP_BYTES && length <= room) {
        return length;
    }
    /* 0 is right in a jumbogram (RFC 2675) and in what segmentation offload leaves; longer than its first
       fragment is any datagram in fragments */
    good = length == 0 ? room > UINT16_MAX || (w->quality & NETFEAT_QUALITY_IP_LENGTH_ZERO)
                       : length > room && (w->quality & NETFEAT_QUALITY_FRAGMENT);
    if (!good) {
        w->quality |= NETFEAT_QUALITY_BAD_LENGTH;
    }
    return room;
}

nf_layer nf_udp(nf_walk *w, nf_packet *pkt)
{
    uint64_t room = nf_declared_left(w);
    size_t left = nf_left(w);

    nf_ports(w, pkt);
    if (left >= LENGTH_KNOWN && room >= UDP_BYTES) {
        nf_payload(w, pkt, UDP_BYTES, datagram_length(w, nf_load_be16(nf_here(w) + 4), room) - UDP_BYTES);
    }
    if (left < UDP_BYTES) {
        return nf_stop_short(w, UDP_BYTES);
    }
    if (nf_tunnel_is_end(w)) {
        return NF_LAYER_DONE;
    }
    w->at += UDP_BYTES;
    nf_bound(w, pkt->payload_length);
    return nf_tunnel_port_layer(w->config, pkt->src_port, pkt->dst_port);
}

/* Its third field is how much the checksum covers, not a length. */
nf_layer nf_udplite(nf_walk *w, nf_packet *pkt)
{
    nf_ports(w, pkt);
    if (nf_left(w) < UDP_BYTES) {
        return nf_stop_short(w, UDP_BYTES);
    }
    nf_payload(w, pkt, UDP_BYTES, nf_declared_left(w) - UDP_BYTES);
    return NF_LAYER_DONE;
}
