/* GRE (RFC 2784, with the key and the sequence number of RFC 2890 and the routing of RFC 1701), and what it carries:
   NVGRE (RFC 7637), ERSPAN, PPTP (version 1, RFC 2637), Cisco's WCCP. Over UDP: RFC 8086. */
#include "decode/ethertype.h"
#include "decode/tunnel.h"

enum { HAS_CHECKSUM = 0x8000, HAS_ROUTING = 0x4000, HAS_KEY = 0x2000, HAS_SEQUENCE = 0x1000 };
enum { HAS_ACKNOWLEDGEMENT = 0x0080, VERSION = 0x0007 };
enum { TYPE_WCCP = 0x883e, TYPE_ERSPAN = 0x88be, TYPE_ERSPAN_3 = 0x22eb, TYPE_WLAN = 0x8200 };

#define GRE_BYTES         4
#define SOURCE_BYTES      4
#define WCCP_BYTES        4
#define ERSPAN_2_BYTES    8
#define ERSPAN_3_BYTES    12
#define ERSPAN_3_OPTIONAL 8
#define SESSION_MASK      0x03ff
#define PPTP_BYTES        8
#define NVGRE_FIRST       0x1000 /* virtual subnets below are reserved: such a key is a key */

/* What is known of a header. */
typedef struct {
    uint16_t flags, type;
    uint32_t key;
} gre;

static nf_layer tunnel(nf_walk *w, nf_packet *pkt, const gre *g, nf_layer next)
{
    if (g->flags & HAS_KEY) {
        return nf_tunnel_id(w, pkt, NETFEAT_TUNNEL_GRE, g->key, next);
    }
    return nf_tunnel(w, pkt, NETFEAT_TUNNEL_GRE, next);
}

/* Type I has no header of its own: no sequence number in GRE tells it. */
static nf_layer erspan(nf_walk *w, nf_packet *pkt, const gre *g)
{
    const uint8_t *p = nf_here(w);
    size_t header = g->type == TYPE_ERSPAN_3 ? ERSPAN_3_BYTES : ERSPAN_2_BYTES;
    nf_layer next = NF_LAYER_ETHERNET;

    if (g->type == TYPE_ERSPAN && !(g->flags & HAS_SEQUENCE)) {
        return nf_tunnel(w, pkt, NETFEAT_TUNNEL_ERSPAN, next);
    }
    if (nf_left(w) < header) {
        return nf_stop_short(w, header);
    }
    if (g->type == TYPE_ERSPAN_3) {
        unsigned frame_type = nf_load_be16(p + 10) >> 10 & 31;
        if (frame_type == 2) {
            next = NF_LAYER_RAW;
        } else if (frame_type != 0) {
            next = nf_stop(w, NETFEAT_QUALITY_UNKNOWN_NETWORK);
        }
        header += p[11] & 1 ? ERSPAN_3_OPTIONAL : 0;
        if (nf_left(w) < header) {
            return nf_stop_short(w, header);
        }
    }
    w->at += header;
    return nf_tunnel_id(w, pkt, NETFEAT_TUNNEL_ERSPAN, nf_load_be16(p + 2) & SESSION_MASK, next);
}

/* IPv4, with a header of 4 bytes in the second version. */
static nf_layer wccp(nf_walk *w, nf_packet *pkt, const gre *g)
{
    if (nf_left(w) >= 1 && nf_here(w)[0] >> 4 != 4) {
        if (nf_left(w) < WCCP_BYTES) {
            return nf_stop_short(w, WCCP_BYTES);
        }
        w->at += WCCP_BYTES;
    }
    return tunnel(w, pkt, g, NF_LAYER_IPV4);
}

static nf_layer content(nf_walk *w, nf_packet *pkt, const gre *g)
{
    bool only_key = (g->flags & (HAS_CHECKSUM | HAS_ROUTING | HAS_KEY | HAS_SEQUENCE)) == HAS_KEY;

    if (g->type == TYPE_ERSPAN || g->type == TYPE_ERSPAN_3) {
        return erspan(w, pkt, g);
    }
    if (g->type == TYPE_WCCP) {
        return wccp(w, pkt, g);
    }
    if (g->type == NF_ETHER_BRIDGED && only_key && g->key >> 8 >= NVGRE_FIRST) {
        return nf_tunnel_id(w, pkt, NETFEAT_TUNNEL_NVGRE, g->key >> 8, NF_LAYER_ETHERNET);
    }
    if ((g->type & 0xff00) == TYPE_WLAN) { /* Aruba's access points */
        return tunnel(w, pkt, g, NF_LAYER_WLAN);
    }
    return tunnel(w, pkt, g, nf_network_type(w, g->type));
}

/* Source route entries, each with its length, up to one without. */
static bool skip_routing(nf_walk *w)
{
    for (;;) {
        const uint8_t *p = nf_here(w);
        size_t length;
        if (nf_left(w) < SOURCE_BYTES) {
            return false;
        }
        length = (size_t)SOURCE_BYTES + p[3];
        if (nf_left(w) < length) {
            return false;
        }
        w->at += length;
        if (nf_load_be16(p) == 0 && p[3] == 0) {
            return true;
        }
    }
}

/* A call of PPTP: the key is the payload's length and the call. Acknowledgements come without payload. */
static nf_layer pptp(nf_walk *w, nf_packet *pkt, uint16_t flags)
{
    const uint8_t *p = nf_here(w);
    size_t header = PPTP_BYTES + (flags & HAS_SEQUENCE ? 4U : 0U) + (flags & HAS_ACKNOWLEDGEMENT ? 4U : 0U);

    if (nf_left(w) < header) {
        return nf_stop_short(w, header);
    }
    if (!(flags & HAS_KEY) || nf_load_be16(p + 2) != NF_ETHER_PPP) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    if (!(flags & HAS_SEQUENCE)) {
        return NF_LAYER_DONE;
    }
    w->at += header;
    nf_bound_checked(w, nf_load_be16(p + 4));
    return nf_tunnel_id(w, pkt, NETFEAT_TUNNEL_PPTP, nf_load_be16(p + 6), NF_LAYER_PPP);
}

nf_layer nf_gre(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t header = GRE_BYTES, key_at;
    gre g = {0};

    if (nf_left(w) < GRE_BYTES) {
        return nf_stop_short(w, GRE_BYTES);
    }
    g.flags = nf_load_be16(p);
    g.type = nf_load_be16(p + 2);
    if ((g.flags & VERSION) != 0) {
        return (g.flags & VERSION) == 1 ? pptp(w, pkt, g.flags) : nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    header += g.flags & (HAS_CHECKSUM | HAS_ROUTING) ? 4 : 0;
    key_at = header;
    header += g.flags & HAS_KEY ? 4 : 0;
    header += g.flags & HAS_SEQUENCE ? 4 : 0;
    if (nf_left(w) < header) {
        return nf_stop_short(w, header);
    }
    if (g.flags & HAS_KEY) {
        g.key = nf_load_be32(p + key_at);
    }
    w->at += header;
    if ((g.flags & HAS_ROUTING) && !skip_routing(w)) {
        return nf_stop_short(w, nf_left(w) + 1);
    }
    return content(w, pkt, &g);
}

/* IP must follow a plain header, or the datagram is something else. */
nf_layer nf_gre_udp(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t header = GRE_BYTES;
    uint16_t flags;

    (void)pkt;
    if (nf_left(w) < GRE_BYTES) {
        return NF_LAYER_DONE;
    }
    flags = nf_load_be16(p);
    header += flags & HAS_CHECKSUM ? 4 : 0;
    header += flags & HAS_KEY ? 4 : 0;
    header += flags & HAS_SEQUENCE ? 4 : 0;
    if ((flags & ~(HAS_CHECKSUM | HAS_KEY | HAS_SEQUENCE)) != 0) {
        return NF_LAYER_DONE;
    }
    switch (nf_load_be16(p + 2)) {
    case NF_ETHER_IPV4:
    case NF_ETHER_IPV6:
        return nf_looks_like_ip(w, header) != 0 ? NF_LAYER_GRE : NF_LAYER_DONE;
    case NF_ETHER_BRIDGED:
        return nf_looks_like_ethernet(w, header) ? NF_LAYER_GRE : NF_LAYER_DONE;
    default:
        return NF_LAYER_DONE;
    }
}
