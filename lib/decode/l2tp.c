/* L2TP: version 2 (RFC 2661) over UDP with PPP in it; version 3 (RFC 3931) over UDP or IP. Both ends of version 3 know
   from their control channel whether a cookie (4 or 8 bytes) and a sublayer (4 bytes) follow the session id, and what
   comes then: here it is whatever makes sense there. */
#include "decode/tunnel.h"

enum { CONTROL = 0x8000, HAS_LENGTH = 0x4000, HAS_SEQUENCE = 0x0800, HAS_OFFSET = 0x0200 };
enum { RESERVED = 0x34f0, VERSION = 0x000f };

#define SESSION_BYTES 4
#define UDP_BYTES     4 /* flags, version, reserved: version 3 over UDP has them in front of the session */
#define COOKIE_MAX    12

/* The session id is at `at` from here on. */
static nf_layer version_3(nf_walk *w, nf_packet *pkt, size_t at)
{
    const uint8_t *p = nf_here(w);
    uint32_t session;

    if (nf_left(w) < at + SESSION_BYTES) {
        return NF_LAYER_DONE;
    }
    session = nf_load_be32(p + at);
    if (session == 0) { /* control */
        return NF_LAYER_DONE;
    }
    at += SESSION_BYTES;
    for (size_t skip = 0; skip <= COOKIE_MAX; skip += 4) {
        nf_layer next = NF_LAYER_DONE;
        if (nf_looks_like_ethernet(w, at + skip)) {
            next = NF_LAYER_ETHERNET;
        } else if (nf_looks_like_ip(w, at + skip) != 0) {
            next = NF_LAYER_RAW;
        }
        if (next != NF_LAYER_DONE) {
            w->at += at + skip;
            return nf_tunnel_id(w, pkt, NETFEAT_TUNNEL_L2TPV3, session, next);
        }
    }
    return NF_LAYER_DONE;
}

nf_layer nf_l2tp_ip(nf_walk *w, nf_packet *pkt)
{
    return version_3(w, pkt, 0);
}

/* Protocol numbers are odd, and even in the upper of two bytes. */
static bool looks_like_ppp(const nf_walk *w, size_t at)
{
    const uint8_t *p = nf_here(w) + at;
    size_t left = nf_left(w) - at;

    if (left < 2) {
        return nf_declared_left(w) == at; /* nothing at all keeps a session alive */
    }
    return (p[0] == 0xff && p[1] == 0x03) || (p[0] & 1) != 0 || (p[1] & 1) != 0;
}

/* How long the header of a version 2 message is; 0 if it does not check out. */
static size_t header_length(const nf_walk *w, const uint8_t *p, uint16_t flags)
{
    size_t header = 6 + (flags & HAS_LENGTH ? 2U : 0U) + (flags & HAS_SEQUENCE ? 4U : 0U);

    if ((flags & HAS_LENGTH) &&
        (nf_left(w) < 4 || nf_load_be16(p + 2) > nf_declared_left(w) || nf_load_be16(p + 2) < header)) {
        return 0;
    }
    if (flags & HAS_OFFSET) {
        header += 2;
        if (nf_left(w) < header) {
            return 0;
        }
        header += nf_load_be16(p + header - 2);
    }
    return nf_left(w) >= header && looks_like_ppp(w, header) ? header : 0;
}

nf_layer nf_l2tp(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t header, ids;
    uint16_t flags;

    if (nf_left(w) < 2) {
        return NF_LAYER_DONE;
    }
    flags = nf_load_be16(p);
    if ((flags & RESERVED) != 0 || (flags & CONTROL)) {
        return NF_LAYER_DONE;
    }
    if ((flags & VERSION) == 3) {
        return version_3(w, pkt, UDP_BYTES);
    }
    header = (flags & VERSION) == 2 ? header_length(w, p, flags) : 0;
    if (header == 0) {
        return NF_LAYER_DONE;
    }
    if (flags & HAS_LENGTH) {
        nf_bound(w, nf_load_be16(p + 2));
    }
    if (header > nf_left(w)) {
        return nf_stop_short(w, header);
    }
    ids = flags & HAS_LENGTH ? 4 : 2;
    w->at += header;
    return nf_tunnel_id(w, pkt, NETFEAT_TUNNEL_L2TP, nf_load_be32(p + ids), NF_LAYER_PPP);
}
