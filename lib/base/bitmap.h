/* bitmap.h - validity bitmaps in Arrow's layout: least significant bit first, 1 = present. */
#ifndef NF_BASE_BITMAP_H
#define NF_BASE_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that hold n bits. */
static inline size_t nf_bitmap_bytes(int64_t n)
{
    return ((size_t)n + 7) / 8;
}

/* Bytes to allocate for n bits, the rest of them zero: consumers of exported columns load whole words, and some
   one byte more than the bits take. */
static inline size_t nf_bitmap_room(int64_t n)
{
    return (nf_bitmap_bytes(n) + 15) & ~(size_t)7;
}

static inline bool nf_bitmap_get(const uint8_t *map, int64_t i)
{
    return map[i >> 3] >> (i & 7) & 1;
}

static inline void nf_bitmap_set(uint8_t *map, int64_t i)
{
    map[i >> 3] = (uint8_t)(map[i >> 3] | 1U << (i & 7));
}

static inline void nf_bitmap_clear(uint8_t *map, int64_t i)
{
    map[i >> 3] = (uint8_t)(map[i >> 3] & ~(1U << (i & 7)));
}

/* How many of the n bits from bit first on are 1. */
int64_t nf_bitmap_count(const uint8_t *map, int64_t first, int64_t n);
/* Copy n bits from bit `from` of src to bit `to` of dst; other bits of dst stay. dst and src must not
 * overlap. */
void nf_bitmap_copy(uint8_t *dst, int64_t to, const uint8_t *src, int64_t from, int64_t n);
/* Set n bits from bit first on to value. */
void nf_bitmap_fill(uint8_t *map, int64_t first, int64_t n, bool value);

#endif
