#include "base/bitmap.h"

#include <string.h>

int64_t nf_bitmap_count(const uint8_t *map, int64_t first, int64_t n)
{
    int64_t count = 0;
    int64_t i = first;
    int64_t end = first + n;

    for (; i < end && (i & 7) != 0; i++) {
        count += nf_bitmap_get(map, i);
    }
    for (; end - i >= 64; i += 64) {
        uint64_t word;
        memcpy(&word, map + (i >> 3), sizeof word);
        count += __builtin_popcountll(word);
    }
    for (; i < end; i++) {
        count += nf_bitmap_get(map, i);
    }
    return count;
}

/* Eight bits of src from bit i on; reads the following byte only when the eight bits reach into it. */
static uint8_t bits8(const uint8_t *src, int64_t i)
{
    unsigned shift = (unsigned)(i & 7);
    unsigned lo = src[i >> 3];
    unsigned hi = shift != 0 ? src[(i >> 3) + 1] : 0;
    return (uint8_t)(lo >> shift | hi << (8 - shift));
}

static void copy_bit(uint8_t *dst, int64_t to, const uint8_t *src, int64_t from)
{
    if (nf_bitmap_get(src, from)) {
        nf_bitmap_set(dst, to);
    } else {
        nf_bitmap_clear(dst, to);
    }
}

void nf_bitmap_copy(uint8_t *dst, int64_t to, const uint8_t *src, int64_t from, int64_t n)
{
    int64_t i = 0;

    for (; i < n && ((to + i) & 7) != 0; i++) {
        copy_bit(dst, to + i, src, from + i);
    }
    if (((from + i) & 7) == 0 && n - i >= 8) {
        memcpy(dst + ((to + i) >> 3), src + ((from + i) >> 3), (size_t)((n - i) >> 3));
        i += (n - i) & ~(int64_t)7;
    }
    for (; n - i >= 8; i += 8) {
        dst[(to + i) >> 3] = bits8(src, from + i);
    }
    for (; i < n; i++) {
        copy_bit(dst, to + i, src, from + i);
    }
}

void nf_bitmap_fill(uint8_t *map, int64_t first, int64_t n, bool value)
{
    int64_t i = first;
    int64_t end = first + n;

    for (; i < end && (i & 7) != 0; i++) {
        value ? nf_bitmap_set(map, i) : nf_bitmap_clear(map, i);
    }
    if (end - i >= 8) {
        memset(map + (i >> 3), value ? 0xff : 0, (size_t)((end - i) >> 3));
        i += (end - i) & ~(int64_t)7;
    }
    for (; i < end; i++) {
        value ? nf_bitmap_set(map, i) : nf_bitmap_clear(map, i);
    }
}
