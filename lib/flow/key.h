/* key.h - what makes packets one flow. */
#ifndef NF_FLOW_KEY_H
#define NF_FLOW_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {                     /* kind of a key */
       NF_KEY_PORTS = 1,   /* the ports are ports */
       NF_KEY_ICMP = 2,    /* the ports are type and the type of the answer, or type and code */
       NF_KEY_ONE_WAY = 4, /* side 0 sends: there is no answer of this kind, or flows are one-way */
       NF_KEY_FRAGMENT = 8 /* fragments whose first one is not known */
};
enum { NF_KEY_HAS_VLAN = 1, NF_KEY_HAS_TUNNEL = 2, NF_KEY_HAS_TUNNEL_ID = 4, NF_KEY_HAS_LINK = 8 };

/* Compared and hashed as bytes: no padding, unused parts are 0. */
typedef struct {
    uint8_t ip[2][16];
    uint16_t port[2];
    uint8_t protocol;
    uint8_t kind;
    uint16_t icmp_id;
    /* only with flow.key_vlan, flow.key_tunnel or flow.key_link */
    uint64_t tunnel_id;
    uint32_t interface_id;
    uint16_t vlan_id;
    uint8_t tunnel_type;
    uint8_t extra; /* NF_KEY_HAS_*: NULL differs from 0 */
} nf_flow_key;

#define NF_KEY_BYTES_SHORT offsetof(nf_flow_key, tunnel_id)
_Static_assert(NF_KEY_BYTES_SHORT == 40 && sizeof(nf_flow_key) == 56, "keys have no padding");

#define NF_PROTOCOL_ICMP   1
#define NF_PROTOCOL_TCP    6
#define NF_PROTOCOL_UDP    17
#define NF_PROTOCOL_ICMPV6 58

/* The short key in words. */
#define NF_KEY_WORDS (NF_KEY_BYTES_SHORT / 8)
_Static_assert(offsetof(nf_flow_key, port) == 32, "the last word begins with the ports");

/* The last word, made in a register: what is stored by bytes is slow to load again. */
static inline uint64_t nf_key_word(uint16_t from, uint16_t to, uint8_t protocol, uint8_t kind)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return from | (uint64_t)to << 16 | (uint64_t)protocol << 32 | (uint64_t)kind << 40;
#else
    return (uint64_t)from << 48 | (uint64_t)to << 32 | (uint64_t)protocol << 24 | (uint64_t)kind << 16;
#endif
}

/* The key as its sender sees it (side 0 sends) made independent of who sends; returns the sender's side. */
uint8_t nf_key_order(uint64_t key[NF_KEY_WORDS]);
/* Type of the message that answers an ICMP or ICMPv6 message of this type, or is answered by it; -1 none. */
int nf_icmp_answer(uint8_t protocol, uint8_t type);

/* Whether two keys have the same first bytes; a multiple of 8. */
static inline bool nf_key_equal(const void *a, const void *b, size_t bytes)
{
    uint64_t differ = 0;

    for (size_t i = 0; i < bytes; i += 8) {
        uint64_t x, y;
        memcpy(&x, (const uint8_t *)a + i, sizeof x);
        memcpy(&y, (const uint8_t *)b + i, sizeof y);
        differ |= x ^ y;
    }
    return differ == 0;
}

/* Whether an address is IPv4, kept as ::ffff:a.b.c.d. */
static inline bool nf_ip_is_v4(const uint8_t ip[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(ip, mapped, sizeof mapped) == 0;
}

#endif
