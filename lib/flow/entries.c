#include "flow/entries.h"

/* A full chunk is this, or down to half of it. */
#define CHUNK_BYTES ((size_t)8 << 20)
#define LEAST       64

nf_entries nf_entries_make(size_t stride)
{
    nf_entries e = {.stride = stride};

    while (stride << (e.shift + 1) <= CHUNK_BYTES) {
        e.shift++;
    }
    return e;
}

static size_t full_chunk(const nf_entries *e)
{
    return (size_t)1 << e->shift;
}

/* Elements in the last chunk. */
static size_t last_chunk(const nf_entries *e)
{
    return e->n_chunks == 0 ? full_chunk(e) : e->cap - (e->n_chunks - 1) * full_chunk(e);
}

static int add_chunk(netfeat_ctx *ctx, nf_entries *e, size_t elements)
{
    void *list = e->chunks;
    int code = nf_grow(ctx, &list, &e->chunks_cap, e->n_chunks + 1, sizeof *e->chunks);
    uint8_t *chunk;

    e->chunks = list;
    if (code != 0) {
        return code;
    }
    chunk = nf_alloc_array(ctx, elements, e->stride);
    if (chunk == NULL) {
        return nf_ctx_code(ctx);
    }
    e->chunks[e->n_chunks++] = chunk;
    e->cap += elements;
    return NETFEAT_OK;
}

static int extend_chunk(netfeat_ctx *ctx, nf_entries *e, size_t elements)
{
    size_t old = last_chunk(e);
    uint8_t *chunk = nf_resize(ctx, e->chunks[e->n_chunks - 1], old * e->stride, elements * e->stride);

    if (chunk == NULL) {
        return nf_ctx_code(ctx);
    }
    e->chunks[e->n_chunks - 1] = chunk;
    e->cap += elements - old;
    return NETFEAT_OK;
}

/* What the chunk that starts at `base` should hold: twice what is there while that is little, else all that it can. */
static size_t chunk_size(const nf_entries *e, size_t base, size_t want)
{
    size_t size = base > 0 || 2 * e->cap > full_chunk(e) / 2 ? full_chunk(e) : 2 * e->cap;

    size = size < LEAST ? LEAST : size;
    size = size > want - base ? size : want - base;
    return size < full_chunk(e) ? size : full_chunk(e);
}

int nf_entries_grow(netfeat_ctx *ctx, nf_entries *e, size_t want)
{
    int code = NETFEAT_OK;

    while (code == 0 && e->cap < want) {
        bool full = last_chunk(e) == full_chunk(e);
        size_t base = full ? e->cap : e->cap - last_chunk(e);
        size_t size = chunk_size(e, base, want);
        code = full ? add_chunk(ctx, e, size) : extend_chunk(ctx, e, size);
    }
    return code;
}

void nf_entries_free(netfeat_ctx *ctx, nf_entries *e)
{
    for (size_t i = 0; i < e->n_chunks; i++) {
        size_t elements = i + 1 < e->n_chunks ? full_chunk(e) : last_chunk(e);
        nf_free(ctx, e->chunks[i], elements * e->stride);
    }
    nf_free(ctx, e->chunks, e->chunks_cap * sizeof *e->chunks);
    e->chunks = NULL;
    e->n_chunks = e->chunks_cap = e->cap = 0;
}
