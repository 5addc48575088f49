/* layer.h - how a packet is walked, one header after the other, without recursion. A handler decodes the
   header at `at`, moves `at` behind it and says what kind of header comes next. */
#ifndef NF_DECODE_LAYER_H
#define NF_DECODE_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "decode/packet.h"

/* Kinds of headers, out of layers.def. */
typedef enum {
    NF_LAYER_DONE,
#define LAYER(suffix, handler) NF_LAYER_##suffix,
#include "decode/layers.def"
#undef LAYER
    NF_LAYER_COUNT
} nf_layer;

/* Where the walk stands. Offsets count from the packet's first captured byte. */
typedef struct {
    const uint8_t *data;
    size_t at;  /* the next header; at <= end */
    size_t end; /* captured bytes that belong to the current layer; end <= declared */
    uint64_t
        declared; /* where the current layer ends by the lengths in the headers; may lie beyond the capture */
    uint64_t frame; /* where the frame ends on the wire */
    const nf_decode_config *config;
    uint64_t want;
    uint64_t present;
    uint32_t quality;
    bool wlan_padded; /* the IEEE 802.11 header is filled up to 4 bytes (radiotap.c) */
    bool other_end;   /* the transport's checksum is not over the addresses of the IP header (checksum.c) */
} nf_walk;

#define NF_LIKELY(x)   __builtin_expect(!!(x), 1)
#define NF_UNLIKELY(x) __builtin_expect(!!(x), 0)
/* For the few functions whose parameters must become constants. */
#define NF_INLINE static inline __attribute__((always_inline))

/* Fields by group: set, or forgotten, together. */
#define NF_MAC_BITS  (NF_BIT(SRC_MAC) | NF_BIT(DST_MAC))
#define NF_LINK_BITS (NF_MAC_BITS | NF_BIT(ETHER_TYPE) | NF_BIT(VLAN_ID) | NF_BIT(VLAN_OUTER_ID))
#define NF_IP_BITS                                                                                           \
    (NF_BIT(IP_VERSION) | NF_BIT(SRC_IP) | NF_BIT(DST_IP) | NF_BIT(IP_PROTOCOL) | NF_BIT(IP_TTL) |           \
     NF_TOS_BITS | NF_BIT(IP_LENGTH) | NF_BIT(IP_HEADER_LENGTH) | NF_BIT(L4_LENGTH) |                        \
     NF_BIT(PADDING_LENGTH) | NF_BIT(L4_OFFSET))
#define NF_FRAGMENT_BITS (NF_BIT(IP_ID) | NF_BIT(IP_FLAGS) | NF_BIT(FRAGMENT_OFFSET))
#define NF_PORT_BITS     (NF_BIT(SRC_PORT) | NF_BIT(DST_PORT))
#define NF_PAYLOAD_BITS  (NF_BIT(PAYLOAD_LENGTH) | NF_BIT(PAYLOAD))
#define NF_TCP_DETAIL_BITS                                                                                   \
    (NF_BIT(TCP_SEQ) | NF_BIT(TCP_ACK) | NF_BIT(TCP_WINDOW) | NF_BIT(TCP_URGENT_POINTER))
#define NF_TCP_BITS (NF_PORT_BITS | NF_BIT(TCP_FLAGS) | NF_BIT(TCP_HEADER_LENGTH) | NF_TCP_DETAIL_BITS)
#define NF_TCP_OPTION_BITS                                                                                   \
    (NF_BIT(TCP_MSS) | NF_BIT(TCP_WINDOW_SCALE) | NF_BIT(TCP_SACK_PERMITTED) | NF_BIT(TCP_TIMESTAMP) |       \
     NF_BIT(TCP_TIMESTAMP_ECHO))
#define NF_ICMP_BITS (NF_BIT(ICMP_TYPE) | NF_BIT(ICMP_CODE) | NF_QUOTED_BITS)
#define NF_QUOTED_BITS                                                                                       \
    (NF_BIT(ICMP_SRC_IP) | NF_BIT(ICMP_DST_IP) | NF_BIT(ICMP_PROTOCOL) | NF_BIT(ICMP_SRC_PORT) |             \
     NF_BIT(ICMP_DST_PORT))
#define NF_TOS_PART_BITS (NF_BIT(IP_DSCP) | NF_BIT(IP_ECN))
#define NF_TOS_BITS      (NF_BIT(IP_TOS) | NF_TOS_PART_BITS)
/* What an IP header inside another one replaces. */
#define NF_INNER_BITS                                                                                        \
    (NF_IP_BITS | NF_FRAGMENT_BITS | NF_BIT(IPV6_FLOW_LABEL) | NF_TCP_BITS | NF_TCP_OPTION_BITS |            \
     NF_ICMP_BITS | NF_PAYLOAD_BITS)

/* Captured bytes from the current header on. */
static inline size_t nf_left(const nf_walk *w)
{
    return w->end - w->at;
}

/* Bytes from the current header on by the lengths in the headers. */
static inline uint64_t nf_declared_left(const nf_walk *w)
{
    return w->declared - w->at;
}

static inline const uint8_t *nf_here(const nf_walk *w)
{
    return w->data + w->at;
}

/* The current layer ends `length` bytes after the current header, or where it ended already by its captured
 * bytes. */
static inline void nf_bound(nf_walk *w, uint64_t length)
{
    w->declared = w->at + length;
    if (w->declared < w->end) {
        w->end = (size_t)w->declared;
    }
}

/* The same by a length in a header, which may be too large. */
static inline void nf_bound_checked(nf_walk *w, uint64_t length)
{
    if (length > nf_declared_left(w)) {
        w->quality |= NETFEAT_QUALITY_BAD_LENGTH;
    } else {
        nf_bound(w, length);
    }
}

/* Decoding ends here, because of the NETFEAT_QUALITY_* bits in `why`. */
static inline nf_layer nf_stop(nf_walk *w, uint32_t why)
{
    w->quality |= why;
    return NF_LAYER_DONE;
}

/* Decoding ends, because of a header of `need` bytes fewer are there: cut by the capture, or declared too
   short. The first fragment of a datagram may end inside a header. */
static inline nf_layer nf_stop_short(nf_walk *w, size_t need)
{
    if (nf_declared_left(w) < need && !(w->quality & NETFEAT_QUALITY_FRAGMENT)) {
        w->quality |= NETFEAT_QUALITY_BAD_LENGTH;
    }
    return nf_stop(w, NETFEAT_QUALITY_HEADER_CUT);
}

/* A field of a header, and how many bytes of the header must be there to know it. */
typedef struct {
    uint8_t bytes;
    uint8_t field; /* NETFEAT_FIELD_* */
} nf_extent;

/* The bits of those fields that `have` bytes of the header hold. */
static inline uint64_t nf_extent_bits(const nf_extent *list, size_t n, size_t have)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < n; i++) {
        if (list[i].bytes <= have) {
            bits |= UINT64_C(1) << list[i].field;
        }
    }
    return bits;
}

/* The payload of `length` bytes starts `header` bytes after the current header's first byte. */
static inline void nf_payload(nf_walk *w, nf_packet *pkt, size_t header, uint64_t length)
{
    size_t left = nf_left(w);
    size_t skip = header < left ? header : left;
    size_t there = left - skip;

    pkt->payload = nf_here(w) + skip;
    pkt->payload_length = (uint32_t)length;
    pkt->payload_captured = there < length ? (uint32_t)there : (uint32_t)length;
    w->present |= NF_PAYLOAD_BITS;
}

#define NF_LINK_EN10MB 1

/* The part of nf_decode that walks over any packet: sets present, quality and the fields that it finds. */
void nf_decode_layers(const nf_decode_config *config, uint32_t link_type, const uint8_t *data,
                      uint32_t captured, uint32_t wire, nf_packet *pkt);

/* The kind of header that packets of this link type start with; NF_LAYER_DONE for unknown ones. */
nf_layer nf_link_layer(uint32_t link_type);
/* The same for a link type that a header names. */
nf_layer nf_inner_link(nf_walk *w, uint32_t link_type);

/* The handlers, each in its protocol's file. */
#define LAYER(suffix, handler) nf_layer nf_##handler(nf_walk *w, nf_packet *pkt);
#include "decode/layers.def"
#undef LAYER

#endif
