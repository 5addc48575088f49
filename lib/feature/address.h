/* address.h - addresses as numbers and as places. */
#ifndef NF_FEATURE_ADDRESS_H
#define NF_FEATURE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cursor.h"

typedef struct {
    bool ipv4; /* hi is 0, lo below 2^32 */
    uint64_t hi, lo;
} nf_address;

static inline uint64_t nf_address_half(const uint8_t *p)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t v; /* compilers do not see one load and a swap in eight loads of bytes */
    memcpy(&v, p, sizeof v);
    return __builtin_bswap64(v);
#else
    return (uint64_t)nf_load_be32(p) << 32 | nf_load_be32(p + 4);
#endif
}

/* Out of the 16 bytes of a BYTES16 column. */
static inline nf_address nf_address_of(const uint8_t *p)
{
    nf_address a = {false, nf_address_half(p), nf_address_half(p + 8)};

    if (a.hi == 0 && a.lo >> 32 == 0xffff) {
        a.ipv4 = true;
        a.lo &= UINT64_C(0xffffffff);
    }
    return a;
}

/* Text by the rule of Python's ipaddress.ip_interface: an IPv4 or IPv6 address, with or without a prefix length or
   (IPv4) a net or host mask; the result is the network's address. false: neither, the address is 0. */
bool nf_address_parse(const char *text, size_t size, nf_address *ret);

/* RFC 1918, RFC 4193 */
static inline bool nf_address_is_private(nf_address a)
{
    if (a.ipv4) {
        return a.lo >> 24 == 10 || a.lo >> 20 == 0xac1 || a.lo >> 16 == 0xc0a8;
    }
    return a.hi >> 57 == 0xfc >> 1;
}

/* Private, loopback, link-local. */
static inline bool nf_address_is_inside(nf_address a)
{
    if (a.ipv4) {
        return nf_address_is_private(a) || a.lo >> 24 == 127 || a.lo >> 16 == 0xa9fe;
    }
    return nf_address_is_private(a) || (a.hi == 0 && a.lo == 1) || a.hi >> 54 == 0xfe80 >> 6;
}

/* Multicast, and 255.255.255.255: destinations that do not leave. */
static inline bool nf_address_is_group(nf_address a)
{
    return a.ipv4 ? a.lo >> 28 == 14 || a.lo == UINT64_C(0xffffffff) : a.hi >> 56 == 0xff;
}

#endif
