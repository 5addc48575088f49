/* probe.h - keys of one width, side by side, looked up in a map 64 at a time: all are hashed, their slots fetched, the
   keys that the slots name fetched, and then all compared. The cache misses of 64 keys overlap, and nothing in
   between depends on what the processor guesses. */
#ifndef NF_BASE_PROBE_H
#define NF_BASE_PROBE_H

#include <string.h>

#include "base/hash.h"
#include "base/map.h"

#define NF_PROBE_LANES 64

static inline uint64_t nf_probe_word(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* 0 when two keys are equal. */
static inline __attribute__((always_inline)) uint64_t nf_probe_differ(const uint8_t *a, const uint8_t *b,
                                                                      size_t width)
{
    if (width == 16) {
        return (nf_probe_word(a) ^ nf_probe_word(b)) | (nf_probe_word(a + 8) ^ nf_probe_word(b + 8));
    }
    if (width == 8) {
        return nf_probe_word(a) ^ nf_probe_word(b);
    }
    return (uint64_t)(memcmp(a, b, width) != 0);
}

/* The two slots that a hash looks at first: the entry of the one whose tag is equal, where most known keys are; or 0
   and *ret_none 1. */
static inline uint32_t nf_probe_guess(const nf_map *map, uint64_t hash, uint64_t *ret_none)
{
    uint64_t tag = hash >> 32;
    uint64_t home = tag >> (32 - map->bits);
    uint64_t a = map->slots[home];
    uint64_t b = map->slots[(home + 1) & ((UINT64_C(1) << map->bits) - 1)];
    uint64_t first = -(uint64_t)(a >> 32 == tag);
    uint64_t slot = (a & first) | (b & ~first);
    uint64_t none = (uint64_t)(slot >> 32 != tag) | (uint64_t)((uint32_t)slot == NF_MAP_NONE);

    *ret_none = none;
    return (uint32_t)slot & (uint32_t)(none - 1);
}

/* Hashes of n <= NF_PROBE_LANES keys; their slots are under way. */
static inline __attribute__((always_inline)) void nf_probe_hash(const nf_map *map, const void *secret,
                                                                const uint8_t *restrict data, int n,
                                                                size_t width, uint64_t *restrict hashes)
{
    for (int i = 0; i < n; i++) {
        hashes[i] = nf_hash(secret, data + (size_t)i * width, width);
        nf_map_prefetch(map, hashes[i]);
    }
}

/* ids[i] for the keys of a map that is not empty, `known` being the keys of its entries side by side. Returns a bit
   for each key that is still to be looked for, in the order of the keys: new, or away from its place. */
static inline __attribute__((always_inline)) uint64_t
nf_probe_find(const nf_map *map, const uint8_t *restrict known, const uint8_t *restrict data, int n,
              size_t width, const uint64_t *restrict hashes, uint32_t *restrict ids)
{
    const nf_map m = *map;
    uint64_t left = 0;

    for (int i = 0; i < n; i++) {
        uint64_t none;
        ids[i] = nf_probe_guess(&m, hashes[i], &none);
        left |= none << i;
        __builtin_prefetch(known + (size_t)ids[i] * width);
    }
    for (int i = 0; i < n; i++) {
        uint64_t d = nf_probe_differ(known + (size_t)ids[i] * width, data + (size_t)i * width, width);
        left |= (uint64_t)(d != 0) << i;
    }
    return left;
}

#endif
