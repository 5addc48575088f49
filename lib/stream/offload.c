/* A table of fixed size: one entry per hash value, the newest address stays. Who is forgotten is judged anew. It lies in
   parts that are made when an address first falls into them: whoever sees few hosts pays for few. */
#include "stream/offload.h"

#include <string.h>

#include "base/hash.h"

#define PARTS     128
#define ENTRIES   128 /* of a part */
#define FIRST_BAD 16
#define GOOD      255

typedef struct {
    uint8_t address[16];
    uint8_t bad; /* so many, none of them good; GOOD: one was good */
} endpoint;

struct nf_offload {
    netfeat_ctx *ctx;
    endpoint *parts[PARTS]; /* ENTRIES each, or NULL */
};

int nf_offload_new(netfeat_ctx *ctx, nf_offload **ret)
{
    nf_offload *table = nf_alloc_zero(ctx, sizeof *table);

    if (table == NULL) {
        return nf_ctx_code(ctx);
    }
    table->ctx = ctx;
    *ret = table;
    return NETFEAT_OK;
}

void nf_offload_free(nf_offload *table)
{
    if (table == NULL) {
        return;
    }
    for (int i = 0; i < PARTS; i++) {
        nf_free(table->ctx, table->parts[i], ENTRIES * sizeof *table->parts[i]);
    }
    nf_free(table->ctx, table, sizeof *table);
}

/* The entry of an address, NULL without memory. */
static endpoint *entry_of(nf_offload *table, const uint8_t *address)
{
    uint64_t hash = nf_hash(nf_ctx_secret(table->ctx), address, sizeof((endpoint *)NULL)->address);
    endpoint **part = &table->parts[hash % PARTS], *e;

    if (*part == NULL) {
        *part = nf_alloc_zero(table->ctx, ENTRIES * sizeof **part);
        if (*part == NULL) {
            return NULL;
        }
    }
    e = &(*part)[hash / PARTS % ENTRIES];
    if (memcmp(e->address, address, sizeof e->address) != 0) {
        memcpy(e->address, address, sizeof e->address);
        e->bad = 0;
    }
    return e;
}

int nf_offload_note(nf_offload *table, const uint8_t *address, bool bad, uint64_t *ret_found)
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
        *ret_found += e->bad == FIRST_BAD;
    }
    return e->bad != GOOD;
}
