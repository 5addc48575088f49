/* A table of fixed size: one entry per hash value, the newest address stays. Who is forgotten is judged anew.
 */
#include "stream/offload.h"

#include <string.h>

#include "base/hash.h"

#define ENTRIES   16384
#define FIRST_BAD 16
#define GOOD      255

typedef struct {
    uint8_t address[16];
    uint8_t bad; /* so many, none of them good; GOOD: one was good */
} endpoint;

struct nf_offload {
    const void *secret;
    endpoint endpoints[ENTRIES];
};

int nf_offload_new(netfeat_ctx *ctx, nf_offload **ret)
{
    nf_offload *table = nf_alloc_zero(ctx, sizeof *table);

    if (table == NULL) {
        return nf_ctx_code(ctx);
    }
    table->secret = nf_ctx_secret(ctx);
    *ret = table;
    return NETFEAT_OK;
}

void nf_offload_free(netfeat_ctx *ctx, nf_offload *table)
{
    nf_free(ctx, table, sizeof *table);
}

bool nf_offload_note(nf_offload *table, const uint8_t *address, bool bad, uint64_t *ret_found)
{
    endpoint *e = &table->endpoints[nf_hash(table->secret, address, sizeof e->address) % ENTRIES];

    if (memcmp(e->address, address, sizeof e->address) != 0) {
        memcpy(e->address, address, sizeof e->address);
        e->bad = 0;
    }
    if (!bad) {
        e->bad = e->bad < FIRST_BAD ? GOOD : e->bad;
        return true;
    }
    if (e->bad < FIRST_BAD) {
        e->bad++;
        *ret_found += e->bad == FIRST_BAD;
    }
    return e->bad != GOOD;
}
