/* tunnel.h - what all tunnels share: how a decapsulation is noted, and the UDP ports that tell of one. */
#ifndef NF_DECODE_TUNNEL_H
#define NF_DECODE_TUNNEL_H

#include "decode/layer.h"

/* A tunnel header of this type (NETFEAT_TUNNEL_*) without an id is behind us: note it, and with it the addresses of
   the outermost IP header. Returns next. */
nf_layer nf_tunnel(nf_walk *w, nf_packet *pkt, uint8_t type, nf_layer next);
/* The same with an id. */
nf_layer nf_tunnel_id(nf_walk *w, nf_packet *pkt, uint8_t type, uint64_t id, nf_layer next);

/* Is a tunnel behind the IP header that we are in not to be looked into? */
NF_INLINE bool nf_tunnel_is_end(const nf_walk *w)
{
    return w->config->outermost || (w->config->whole_tunnels && (w->quality & NETFEAT_QUALITY_FRAGMENT) != 0);
}

/* An Ethernet header with a type that we know, and after it what the type says, is `skip` bytes from the current
   header on. For headers that do not say what follows. */
bool nf_looks_like_ethernet(const nf_walk *w, size_t skip);
/* The same for an IP header; its version, or 0. */
unsigned nf_looks_like_ip(const nf_walk *w, size_t skip);

/* The header that UDP datagrams between these ports start with, if it checks out: its handler is to look.
   NF_LAYER_DONE: none. */
nf_layer nf_tunnel_port_layer(const nf_decode_config *config, uint16_t src, uint16_t dst);

/* What UDP ports mean. PORT(number, suffix of NF_LAYER_); IANA service names and port numbers, and 8472, which Linux
   took before VXLAN had a number. */
#define NF_TUNNEL_PORT_LIST(PORT)                                                                            \
    PORT(1701, L2TP)                                                                                         \
    PORT(2152, GTP)                                                                                          \
    PORT(3544, TEREDO)                                                                                       \
    PORT(4500, ESP_UDP)                                                                                      \
    PORT(4754, GRE_UDP)                                                                                      \
    PORT(4789, VXLAN)                                                                                        \
    PORT(4790, VXLAN_GPE)                                                                                    \
    PORT(5072, AYIYA)                                                                                        \
    PORT(5247, CAPWAP)                                                                                       \
    PORT(6081, GENEVE)                                                                                       \
    PORT(6635, MPLS_UDP)                                                                                     \
    PORT(8472, VXLAN)

/* Two steps, both in the short way of decoding: the last six bits of a port, which four ports of five do not pass,
   then the port itself, in a set with one bit for each from the first of them to the last. */
#define NF_TUNNEL_PORT(number, layer) | UINT64_C(1) << (number) % 64
#define NF_TUNNEL_PORT_SIEVE          (UINT64_C(0) NF_TUNNEL_PORT_LIST(NF_TUNNEL_PORT))
#define NF_TUNNEL_PORT_MIN            1694 /* a little lower: no two of them share a byte then */
#define NF_TUNNEL_PORT_MAX            8472
#define NF_TUNNEL_PORT_BYTES          ((NF_TUNNEL_PORT_MAX - NF_TUNNEL_PORT_MIN) / 8 + 1)
extern const uint8_t nf_tunnel_port_set[NF_TUNNEL_PORT_BYTES]; /* tunnel_port.c */

NF_INLINE bool nf_tunnel_port_is_registered(uint16_t port)
{
    uint32_t index = (uint32_t)port - NF_TUNNEL_PORT_MIN;

    return index <= NF_TUNNEL_PORT_MAX - NF_TUNNEL_PORT_MIN &&
           (nf_tunnel_port_set[index / 8] >> index % 8 & 1);
}

/* False: nf_tunnel_port_layer would say DONE. In a few instructions for nearly all ports. */
NF_INLINE bool nf_tunnel_port_is_possible(const nf_decode_config *config, uint16_t src, uint16_t dst)
{
    if (NF_UNLIKELY((NF_TUNNEL_PORT_SIEVE >> src % 64 | NF_TUNNEL_PORT_SIEVE >> dst % 64) & 1)) {
        if (nf_tunnel_port_is_registered(dst) || nf_tunnel_port_is_registered(src)) {
            return true;
        }
    }
    return config->n_ports > 0;
}

#endif
