/* chain.h - the bytes of a node: a chain of chunks. Everything that takes a chunk needs it in reserve: see
   reserve() in store.c. */
#ifndef NF_STREAM_CHAIN_H
#define NF_STREAM_CHAIN_H

#include "stream/store.h"

#define NF_CHUNK_SMALL_ROOM (NF_CHUNK_SMALL - offsetof(nf_chunk, data))
#define NF_CHUNK_LARGE_ROOM (NF_CHUNK_LARGE - offsetof(nf_chunk, data))

static inline nf_slab *nf_chunk_slab(nf_pool *pool, const nf_chunk *c)
{
    return c->room == NF_CHUNK_SMALL_ROOM ? &pool->small : &pool->large;
}

/* Bytes behind the last, or in front of the first one. */
void nf_chain_append(nf_pool *pool, nf_store *store, nf_node *node, const uint8_t *data, size_t len);
void nf_chain_prepend(nf_pool *pool, nf_store *store, nf_node *node, const uint8_t *data, size_t len);
/* The bytes of `right` behind those of `left`; right has no chunk afterwards. */
void nf_chain_join(nf_pool *pool, nf_store *store, nf_node *left, nf_node *right);
/* All but the first n bytes of a node to another one, which has none. 0 < n < length. */
void nf_chain_split(nf_pool *pool, nf_store *store, nf_node *node, nf_node *right, uint64_t n);
/* n bytes less, at either end. */
void nf_chain_drop_first(nf_pool *pool, nf_store *store, nf_node *node, uint64_t n);
void nf_chain_drop_last(nf_pool *pool, nf_store *store, nf_node *node, uint64_t n);
/* Compare bytes [at, at + len) of the node with data; add to ret->conflict and set conflict_at if it is the
   first one. */
void nf_chain_compare(const nf_node *node, int64_t at, const uint8_t *data, size_t len, nf_overlap *ret);

#endif
