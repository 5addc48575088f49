/* order.h - a B+ tree over the nodes of a segment store, by start offset: which node starts last at or before
   an offset? Blocks come out of a slab that was filled before, so that an insertion cannot fail. */
#ifndef NF_STREAM_ORDER_H
#define NF_STREAM_ORDER_H

#include <stdint.h>

#include "stream/slab.h"

#define NF_ORDER_FANOUT 15
/* Blocks that one insertion may need: a split on each level, and a root. Whatever the order of insertions and
   removals, a level splits at most once in four splits of the level below: 24 levels are more than 2^46
   insertions in one direction of one stream can build. */
#define NF_ORDER_LEVELS 24

typedef struct nf_node nf_node;

typedef struct {
    int32_t n;
    int32_t leaf;
    int64_t
        keys[NF_ORDER_FANOUT]; /* no smaller key is below kids[i]; keys[0] of an inner block counts as -inf */
    void *kids[NF_ORDER_FANOUT]; /* blocks, or nodes in a leaf */
} nf_order_block;

typedef struct {
    nf_order_block *root;
} nf_order;

/* The last node with key <= key; NULL if there is none. */
nf_node *nf_order_find(const nf_order *order, int64_t key);
/* Insert a node under a key that is not in the tree. blocks holds at least NF_ORDER_LEVELS free blocks.
   Returns how many blocks were taken. */
int nf_order_insert(nf_order *order, int64_t key, nf_node *node, nf_slab *blocks);
/* Remove a key that is in the tree. Returns how many blocks were given back. */
int nf_order_remove(nf_order *order, int64_t key, nf_slab *blocks);

#endif
