/* store.h - the segments of one direction that wait for a hole to be filled: nodes that never overlap, in
   order of their offsets. A node keeps its bytes, in a chain of chunks, and its arrival extent: where the
   segment that brought it started and ended. Segments that continue each other become one node. */
#ifndef NF_STREAM_STORE_H
#define NF_STREAM_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream/order.h"
#include "stream/slab.h"

#define NF_CHUNK_SMALL 184 /* with its node: 256 bytes for an island of one byte */
#define NF_CHUNK_LARGE 2048

/* Bytes of a node, from data[start] on. Two neighbours in a chain never fit into one large chunk together, so
   that a chain is short. */
typedef struct nf_chunk nf_chunk;
struct nf_chunk {
    nf_chunk *next, *prev;
    uint32_t pin; /* an event points into it while the packet with this serial number is worked on */
    uint16_t start, len;
    uint16_t room; /* bytes of data[] */
    uint8_t data[];
};

struct nf_node {
    nf_node *prev, *next;
    nf_chunk *head, *tail;
    int64_t s, e;   /* its bytes */
    int64_t os, oe; /* arrival extent */
    int64_t key;    /* in the order; <= s, and < s only when the first bytes were taken */
};

typedef struct {
    nf_order order;
    nf_node *first, *last;
    uint64_t bytes; /* payload */
    uint32_t nodes;
    uint32_t chunks;
} nf_store;

/* What all stores of a handle share. */
typedef struct {
    netfeat_ctx *ctx;
    nf_slab nodes, small, large, blocks;
    uint64_t held;   /* bytes of the nodes, chunks and blocks in stores */
    nf_chunk *spent; /* delivered chunks that events point into; given back by nf_pool_collect() */
    uint32_t serial; /* of the packet being worked on */
} nf_pool;

void nf_pool_init(nf_pool *pool, netfeat_ctx *ctx);
void nf_pool_free(nf_pool *pool);
/* The events are gone: give back what they pointed into, and more than is kept in reserve. */
void nf_pool_tidy(nf_pool *pool);
/* The same, and start the work on the next packet: for most there is nothing to give back. */
static inline void nf_pool_collect(nf_pool *pool)
{
    pool->serial = pool->serial == UINT32_MAX ? 1 : pool->serial + 1;
    if (pool->spent != NULL || nf_slab_is_over(&pool->nodes) || nf_slab_is_over(&pool->small) ||
        nf_slab_is_over(&pool->large) || nf_slab_is_over(&pool->blocks)) {
        nf_pool_tidy(pool);
    }
}

/* What became of the bytes of one segment. */
typedef struct {
    uint64_t overlap, conflict; /* bytes that were there already; of them, with another value */
    int64_t conflict_at;        /* the first such offset */
} nf_overlap;

/* Put bytes [s, s + len) of a segment with arrival extent [os, oe) into the store, with the policy
   NETFEAT_OVERLAP_*. NOMEM, LIMIT: nothing was changed. len > 0. */
int nf_store_put(nf_pool *pool, nf_store *store, int64_t s, const uint8_t *data, size_t len, int64_t os,
                 int64_t oe, int policy, nf_overlap *ret);
/* The first chunk of the first node, whole: removed from the store and kept until nf_pool_collect(). */
nf_chunk *nf_store_take(nf_pool *pool, nf_store *store);
/* The first n bytes of the first chunk (fewer than it has) count as taken; the chunk stays and its bytes do
   not move before nf_pool_collect(). */
const uint8_t *nf_store_take_part(nf_pool *pool, nf_store *store, size_t n);
/* Forget what is held from offset `from` on, or all. */
void nf_store_cut(nf_pool *pool, nf_store *store, int64_t from);
void nf_store_clear(nf_pool *pool, nf_store *store);

/* Does a segment that came as [ns, ne) take bytes from one that came earlier as [s, e)? */
bool nf_policy_new_wins(int policy, int64_t ns, int64_t ne, int64_t s, int64_t e);

#endif
