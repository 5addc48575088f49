/* order.h - integers of this machine as bytes of a file, least significant first. */
#ifndef NF_BASE_ORDER_H
#define NF_BASE_ORDER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NF_BIG_ENDIAN 0
#elif __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define NF_BIG_ENDIAN 1
#else
#error "neither little- nor big-endian"
#endif

/* The value that lies in memory as v does in the other order, on machines of that order. */
static inline uint32_t nf_le32(uint32_t v)
{
    return NF_BIG_ENDIAN ? __builtin_bswap32(v) : v;
}

static inline uint64_t nf_le64(uint64_t v)
{
    return NF_BIG_ENDIAN ? __builtin_bswap64(v) : v;
}

/* n numbers of `width` bytes, integers or floating-point, from this machine's order. */
static inline void nf_store_le(uint8_t *to, const uint8_t *from, size_t n, size_t width)
{
    if (!NF_BIG_ENDIAN) {
        memcpy(to, from, n * width);
        return;
    }
    for (size_t i = 0; i < n * width; i += width) {
        for (size_t k = 0; k < width; k++) {
            to[i + k] = from[i + width - 1 - k];
        }
    }
}

#endif
