/* A table of a bounded number of addresses. Beyond it the one that came first is forgotten, and judged anew when it comes
   again: what is forgotten depends on the packets alone. */
#include "stream/offload.h"

#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "stream/streams.h"

#define MOST      16384
#define FIRST_BAD 16
#define GOOD      255

typedef struct {
    uint8_t address[16];
    uint8_t bad; /* so many, none of them good; GOOD: one was good */
} endpoint;

struct nf_offload {
    netfeat_ctx *ctx;
    uint64_t *totals; /* of the handle */
    nf_map map;
    endpoint *list; /* a ring once it is full */
    size_t cap;
    uint32_t n, oldest;
};

int nf_offload_new(netfeat_ctx *ctx, uint64_t *totals, nf_offload **ret)
{
    nf_offload *table = nf_alloc_zero(ctx, sizeof *table);

    if (table == NULL) {
        return nf_ctx_code(ctx);
    }
    table->ctx = ctx;
    table->totals = totals;
    *ret = table;
    return NETFEAT_OK;
}

void nf_offload_free(nf_offload *table)
{
    if (table == NULL) {
        return;
    }
    nf_map_free(table->ctx, &table->map);
    nf_free(table->ctx, table->list, table->cap * sizeof *table->list);
    nf_free(table->ctx, table, sizeof *table);
}

static uint64_t hash_of(const nf_offload *table, const uint8_t *address)
{
    return nf_hash(nf_ctx_secret(table->ctx), address, sizeof((endpoint *)NULL)->address);
}

static void forget(nf_offload *table, uint32_t index)
{
    uint64_t hash = hash_of(table, table->list[index].address);
    uint64_t pos = nf_map_start(&table->map, hash);

    while (nf_map_next(&table->map, hash, &pos) != index) {
        pos++;
    }
    nf_map_remove(&table->map, pos);
}

/* A new entry; NULL without memory. */
static endpoint *add(nf_offload *table, const uint8_t *address, uint64_t hash)
{
    uint32_t index = table->n;

    if (index == MOST) {
        index = table->oldest;
        table->oldest = (index + 1) % MOST;
        forget(table, index);
        table->totals[NF_TOTAL_OFFLOAD_FORGOTTEN]++;
    } else if (nf_map_ready(table->ctx, &table->map) != 0 ||
               nf_grow(table->ctx, (void **)&table->list, &table->cap, index + 1, sizeof *table->list) != 0) {
        return NULL;
    } else {
        table->n++;
    }
    nf_map_insert(&table->map, hash, index);
    memcpy(table->list[index].address, address, sizeof table->list[index].address);
    table->list[index].bad = 0;
    return &table->list[index];
}

/* The entry of an address, NULL without memory. */
static endpoint *entry_of(nf_offload *table, const uint8_t *address)
{
    uint64_t hash = hash_of(table, address), pos = nf_map_start(&table->map, hash);
    uint32_t i;

    while ((i = nf_map_next(&table->map, hash, &pos)) != NF_MAP_NONE) {
        if (memcmp(table->list[i].address, address, sizeof table->list[i].address) == 0) {
            return &table->list[i];
        }
        pos++;
    }
    return add(table, address, hash);
}

int nf_offload_note(nf_offload *table, const uint8_t *address, bool bad)
{
    endpoint *e = entry_of(table, address);

    if (e == NULL) {
        return nf_ctx_code(table->ctx);
    }
    if (!bad) {
        e->bad = e->bad < FIRST_BAD ? GOOD : e->bad;
        return 1;
    }
    if (e->bad < FIRST_BAD) {
        e->bad++;
        table->totals[NF_TOTAL_OFFLOAD_ENDPOINTS] += e->bad == FIRST_BAD;
    }
    return e->bad != GOOD;
}
