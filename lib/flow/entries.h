/* entries.h - many elements of one size, known by number, in chunks. Only the last chunk ever moves, while it is not
   yet full: growing copies nothing else. */
#ifndef NF_FLOW_ENTRIES_H
#define NF_FLOW_ENTRIES_H

#include "base/context.h"

typedef struct {
    uint8_t **chunks; /* full ones hold 1 << shift elements each, the last one the rest of cap */
    size_t n_chunks, chunks_cap;
    size_t cap; /* elements */
    size_t stride;
    unsigned shift;
} nf_entries;

/* stride: bytes of an element, not 0. Nothing is allocated yet; zero-initialised is as good to be freed. */
nf_entries nf_entries_make(size_t stride);
/* Room for at least `want` elements: a few more while chunks are small, whole chunks then. NOMEM, LIMIT. */
int nf_entries_grow(netfeat_ctx *ctx, nf_entries *e, size_t want);
void nf_entries_free(netfeat_ctx *ctx, nf_entries *e);

static inline void *nf_entries_at(const nf_entries *e, size_t index)
{
    return e->chunks[index >> e->shift] + (index & (((size_t)1 << e->shift) - 1)) * e->stride;
}

#endif
