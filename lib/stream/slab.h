/* slab.h - a reserve of free blocks of one size: filled before work that must not fail, and kept short. */
#ifndef NF_STREAM_SLAB_H
#define NF_STREAM_SLAB_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/context.h"

typedef struct {
    void *free; /* each free block starts with a pointer to the next */
    uint32_t n_free;
    uint32_t keep; /* so many free blocks are kept; more go back to the context */
    size_t size;
} nf_slab;

static inline void nf_slab_init(nf_slab *slab, size_t size, uint32_t keep)
{
    slab->free = NULL;
    slab->n_free = 0;
    slab->keep = keep;
    slab->size = size;
}

/* At least n free blocks. NOMEM, LIMIT: some may have been added then. */
static inline int nf_slab_reserve(netfeat_ctx *ctx, nf_slab *slab, uint32_t n)
{
    while (slab->n_free < n) {
        void **block = nf_alloc(ctx, slab->size);

        if (block == NULL) {
            return nf_ctx_code(ctx);
        }
        *block = slab->free;
        slab->free = block;
        slab->n_free++;
    }
    return NETFEAT_OK;
}

/* A block that was reserved. */
static inline void *nf_slab_take(nf_slab *slab)
{
    void **block = slab->free;

    assert(block != NULL);
    slab->free = *block;
    slab->n_free--;
    return block;
}

static inline void nf_slab_give(nf_slab *slab, void *block)
{
    *(void **)block = slab->free;
    slab->free = block;
    slab->n_free++;
}

/* More than is to be kept? */
static inline bool nf_slab_is_over(const nf_slab *slab)
{
    return slab->n_free > slab->keep;
}

/* Back to `keep` free blocks; keep 0 empties the slab. */
static inline void nf_slab_trim(netfeat_ctx *ctx, nf_slab *slab, uint32_t keep)
{
    while (slab->n_free > keep) {
        nf_free(ctx, nf_slab_take(slab), slab->size);
    }
}

#endif
