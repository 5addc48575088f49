#include "base/map.h"

#include <assert.h>
#include <string.h>

#define MIN_BITS 4
#define MAX_BITS 32

static const uint64_t EMPTY = NF_MAP_NONE;

static uint64_t home_of(const nf_map *map, uint64_t slot)
{
    return (slot >> 32) >> (32 - map->bits);
}

static void put(nf_map *map, uint64_t slot)
{
    uint64_t mask = (UINT64_C(1) << map->bits) - 1;
    uint64_t p = home_of(map, slot);

    while ((uint32_t)map->slots[p] != NF_MAP_NONE) {
        p = (p + 1) & mask;
    }
    map->slots[p] = slot;
}

void nf_map_free(netfeat_ctx *ctx, nf_map *map)
{
    nf_free(ctx, map->slots, nf_map_bytes(map));
    memset(map, 0, sizeof *map);
}

void nf_map_clear(nf_map *map)
{
    if (map->bits != 0) {
        memset(map->slots, 0xff, nf_map_bytes(map));
    }
    map->count = 0;
}

int nf_map_reserve(netfeat_ctx *ctx, nf_map *map, uint32_t count)
{
    nf_map bigger = {NULL, MIN_BITS, map->count};

    while (bigger.bits < MAX_BITS && count > (UINT64_C(3) << bigger.bits >> 2)) {
        bigger.bits++;
    }
    if (count > (UINT64_C(3) << bigger.bits >> 2)) {
        return nf_error(ctx, NETFEAT_ERR_LIMIT, "too many distinct keys: %u", (unsigned)count);
    }
    if (bigger.bits <= map->bits) {
        return NETFEAT_OK;
    }
    bigger.slots = nf_alloc(ctx, nf_map_bytes(&bigger));
    if (bigger.slots == NULL) {
        return nf_ctx_code(ctx);
    }
    memset(bigger.slots, 0xff, nf_map_bytes(&bigger));
    for (uint64_t i = 0; map->bits != 0 && i < UINT64_C(1) << map->bits; i++) {
        if ((uint32_t)map->slots[i] != NF_MAP_NONE) {
            put(&bigger, map->slots[i]);
        }
    }
    nf_free(ctx, map->slots, nf_map_bytes(map));
    *map = bigger;
    return NETFEAT_OK;
}

void nf_map_insert(nf_map *map, uint64_t hash, uint32_t entry)
{
    assert(map->bits != 0 && entry != NF_MAP_NONE);
    put(map, (hash >> 32 << 32) | entry);
    map->count++;
}

void nf_map_remove(nf_map *map, uint64_t pos)
{
    uint64_t mask = (UINT64_C(1) << map->bits) - 1;
    uint64_t hole = pos & mask;

    for (uint64_t p = (hole + 1) & mask; (uint32_t)map->slots[p] != NF_MAP_NONE; p = (p + 1) & mask) {
        uint64_t home = home_of(map, map->slots[p]);
        if (((p - home) & mask) >= ((p - hole) & mask)) { /* its home is not between the hole and itself */
            map->slots[hole] = map->slots[p];
            hole = p;
        }
    }
    map->slots[hole] = EMPTY;
    map->count--;
}
