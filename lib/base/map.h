/* map.h - open-addressing index: hash -> number of an entry in a dense array that the caller owns.
   A slot is 8 bytes, a 32-bit tag (the hash's upper half) and a 32-bit entry number; entries stay in order of
   arrival and never move when the index grows. Linear probing, load at most 3/4, removal by backward shift.
 */
#ifndef NF_BASE_MAP_H
#define NF_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/context.h"

#define NF_MAP_NONE UINT32_MAX

typedef struct {
    uint64_t *slots; /* tag << 32 | entry; entry NF_MAP_NONE = empty */
    uint32_t bits;   /* 1 << bits slots; 0 = nothing allocated */
    uint32_t count;
} nf_map;

/* Zero-initialised is a valid empty map. */
void nf_map_free(netfeat_ctx *ctx, nf_map *map);
/* Room for `count` entries in all without further growth. NOMEM, LIMIT. */
int nf_map_reserve(netfeat_ctx *ctx, nf_map *map, uint32_t count);
/* Forget all entries, keep the memory. */
void nf_map_clear(nf_map *map);
/* Remove the entry at the position that nf_map_next() stopped at. */
void nf_map_remove(nf_map *map, uint64_t pos);

static inline size_t nf_map_bytes(const nf_map *map)
{
    return map->bits != 0 ? sizeof(uint64_t) << map->bits : 0;
}

/* Where the search for hash begins; then call nf_map_next until it returns NF_MAP_NONE or an entry that is
 * equal. */
static inline uint64_t nf_map_start(const nf_map *map, uint64_t hash)
{
    return map->bits != 0 ? (hash >> 32) >> (32 - map->bits) : 0;
}

/* Next entry whose tag matches, with *pos on its slot; NF_MAP_NONE with *pos on the free slot when there is
   none. To go on after an entry that was not equal, add 1 to *pos first. */
static inline uint32_t nf_map_next(const nf_map *map, uint64_t hash, uint64_t *pos)
{
    uint64_t mask;
    uint32_t tag = (uint32_t)(hash >> 32);

    if (map->bits == 0) {
        return NF_MAP_NONE;
    }
    mask = (UINT64_C(1) << map->bits) - 1;
    for (uint64_t p = *pos & mask;; p = (p + 1) & mask) {
        uint64_t slot = map->slots[p];
        if ((uint32_t)slot == NF_MAP_NONE || (uint32_t)(slot >> 32) == tag) {
            *pos = p;
            return (uint32_t)slot;
        }
    }
}

/* The same from the start, for what need not be certain: most often the first slot has the tag, or nobody has. */
static inline uint32_t nf_map_likely(const nf_map *map, uint64_t hash)
{
    uint64_t pos, slot;

    if (map->bits == 0) {
        return NF_MAP_NONE;
    }
    pos = (hash >> 32) >> (32 - map->bits);
    slot = map->slots[pos];
    if ((uint32_t)slot == NF_MAP_NONE || slot >> 32 == hash >> 32) {
        return (uint32_t)slot;
    }
    return nf_map_next(map, hash, &pos);
}

/* Insert without looking for an equal one; room must have been reserved. */
void nf_map_insert(nf_map *map, uint64_t hash, uint32_t entry);
static inline bool nf_map_has_room(const nf_map *map)
{
    return map->bits != 0 && map->count < (UINT64_C(3) << map->bits >> 2);
}

/* Make sure one more entry fits. */
static inline int nf_map_ready(netfeat_ctx *ctx, nf_map *map)
{
    return nf_map_has_room(map) ? NETFEAT_OK : nf_map_reserve(ctx, map, map->count + 1);
}

/* The same, with half of the slots free: nearly every entry is in its own slot or the next. */
static inline int nf_map_ready_sparse(netfeat_ctx *ctx, nf_map *map)
{
    if (map->bits != 0 && map->count < UINT64_C(1) << map->bits >> 1) {
        return NETFEAT_OK;
    }
    return nf_map_reserve(ctx, map, map->bits != 0 ? (uint32_t)(UINT64_C(3) << map->bits >> 2) + 1 : 1);
}

static inline void nf_map_prefetch(const nf_map *map, uint64_t hash)
{
    if (map->bits != 0) {
        __builtin_prefetch(&map->slots[nf_map_start(map, hash)]);
    }
}

#endif
