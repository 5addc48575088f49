/* arena.h - many objects of one size in few large blocks, which the allocator puts on huge pages: objects that are
   reached at random then cost no page walk. Blocks go back when the arena is closed; what matters for limits is how
   many objects are taken. */
#ifndef NF_STREAM_ARENA_H
#define NF_STREAM_ARENA_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/context.h"

#define NF_ARENA_FIRST 16                /* objects of the first block; each further block doubles ... */
#define NF_ARENA_BLOCK ((size_t)4 << 20) /* ... up to this size */
#define NF_ARENA_ALIGN 64

typedef struct nf_arena_block {
    struct nf_arena_block *next;
    size_t bytes;
} nf_arena_block;

typedef struct {
    nf_arena_block *blocks;
    void *free; /* each free object starts with a pointer to the next */
    size_t size, next_bytes;
} nf_arena;

/* size is a multiple of NF_ARENA_ALIGN. */
static inline void nf_arena_init(nf_arena *arena, size_t size)
{
    arena->blocks = NULL;
    arena->free = NULL;
    arena->size = size;
    arena->next_bytes = NF_ARENA_FIRST * size + NF_ARENA_ALIGN;
}

/* A free object, at least. NOMEM, LIMIT. */
static inline int nf_arena_reserve(netfeat_ctx *ctx, nf_arena *arena)
{
    nf_arena_block *block;
    uintptr_t start;

    if (arena->free != NULL) {
        return NETFEAT_OK;
    }
    block = nf_alloc(ctx, arena->next_bytes);
    if (block == NULL) {
        return nf_ctx_code(ctx);
    }
    block->next = arena->blocks;
    block->bytes = arena->next_bytes;
    arena->blocks = block;
    start = ((uintptr_t)(block + 1) + NF_ARENA_ALIGN - 1) & ~(uintptr_t)(NF_ARENA_ALIGN - 1);
    for (size_t left = ((uintptr_t)block + block->bytes - start) / arena->size; left-- > 0;) {
        void **object = (void **)(start + left * arena->size);
        *object = arena->free;
        arena->free = object;
    }
    arena->next_bytes = 2 * arena->next_bytes < NF_ARENA_BLOCK ? 2 * arena->next_bytes : NF_ARENA_BLOCK;
    return NETFEAT_OK;
}

/* An object that was reserved. */
static inline void *nf_arena_take(nf_arena *arena)
{
    void **object = arena->free;

    assert(object != NULL);
    arena->free = *object;
    return object;
}

static inline void nf_arena_give(nf_arena *arena, void *object)
{
    *(void **)object = arena->free;
    arena->free = object;
}

static inline void nf_arena_close(netfeat_ctx *ctx, nf_arena *arena)
{
    while (arena->blocks != NULL) {
        nf_arena_block *block = arena->blocks;
        arena->blocks = block->next;
        nf_free(ctx, block, block->bytes);
    }
    arena->free = NULL;
}

#endif
