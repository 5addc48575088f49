/* The B+ tree of a segment store. A block is freed when it is empty, not before: nothing is ever moved
   between neighbours. */
#include "stream/order.h"

#include <stdbool.h>
#include <string.h>

#include "stream/store.h"

typedef struct {
    nf_order_block *blocks[NF_ORDER_LEVELS];
    int at[NF_ORDER_LEVELS]; /* which kid was taken */
    int depth;               /* number of blocks; the last one is the leaf */
} path;

/* The last i >= 1 with keys[i] <= key, else 0. */
static int position(const nf_order_block *b, int64_t key)
{
    int i = b->n - 1;

    while (i > 0 && b->keys[i] > key) {
        i--;
    }
    return i;
}

static void descend(const nf_order *order, int64_t key, path *p)
{
    nf_order_block *b = order->root;

    p->depth = 0;
    for (;;) {
        int i = position(b, key);

        assert(p->depth < NF_ORDER_LEVELS);
        p->blocks[p->depth] = b;
        p->at[p->depth++] = i;
        if (b->leaf) {
            return;
        }
        b = b->kids[i];
    }
}

nf_node *nf_order_find(const nf_order *order, int64_t key)
{
    const nf_order_block *b = order->root;
    int i;

    if (b == NULL) {
        return NULL;
    }
    while (!b->leaf) {
        b = b->kids[position(b, key)];
    }
    i = position(b, key);
    return b->keys[i] <= key ? b->kids[i] : ((nf_node *)b->kids[0])->prev;
}

static void put_at(nf_order_block *b, int i, int64_t key, void *kid)
{
    size_t behind = (size_t)(b->n - i);

    memmove(&b->keys[i + 1], &b->keys[i], behind * sizeof b->keys[0]);
    memmove(&b->kids[i + 1], &b->kids[i], behind * sizeof b->kids[0]);
    b->keys[i] = key;
    b->kids[i] = kid;
    b->n++;
}

/* Move the upper half of a full block into a new one. At the right end nearly all stays: offsets mostly grow.
 */
static nf_order_block *split(nf_order_block *b, int i, nf_slab *blocks)
{
    nf_order_block *right = nf_slab_take(blocks);
    int left = i == NF_ORDER_FANOUT ? NF_ORDER_FANOUT - 1 : NF_ORDER_FANOUT / 2;

    right->leaf = b->leaf;
    right->n = b->n - left;
    memcpy(right->keys, &b->keys[left], (size_t)right->n * sizeof b->keys[0]);
    memcpy(right->kids, &b->kids[left], (size_t)right->n * sizeof b->kids[0]);
    b->n = left;
    return right;
}

static nf_order_block *new_root(int leaf, nf_slab *blocks)
{
    nf_order_block *b = nf_slab_take(blocks);

    b->n = 0;
    b->leaf = leaf;
    return b;
}

int nf_order_insert(nf_order *order, int64_t key, nf_node *node, nf_slab *blocks)
{
    path p;
    void *kid = node;
    int taken = 0;
    int level, i;

    if (order->root == NULL) {
        order->root = new_root(1, blocks);
        put_at(order->root, 0, key, kid);
        return 1;
    }
    descend(order, key, &p);
    level = p.depth - 1;
    i = p.at[level] + (p.blocks[level]->keys[p.at[level]] < key);
    for (;;) {
        nf_order_block *b = p.blocks[level];
        nf_order_block *right;

        if (b->n < NF_ORDER_FANOUT) {
            put_at(b, i, key, kid);
            return taken;
        }
        right = split(b, i, blocks);
        taken++;
        if (i > b->n) {
            put_at(right, i - b->n, key, kid);
        } else {
            put_at(b, i, key, kid);
        }
        key = right->keys[0];
        kid = right;
        if (level == 0) {
            nf_order_block *root = new_root(0, blocks);
            put_at(root, 0, b->keys[0], b);
            put_at(root, 1, key, kid);
            order->root = root;
            return taken + 1;
        }
        level--;
        i = p.at[level] + 1;
    }
}

static void take_at(nf_order_block *b, int i)
{
    size_t behind = (size_t)(b->n - i - 1);

    memmove(&b->keys[i], &b->keys[i + 1], behind * sizeof b->keys[0]);
    memmove(&b->kids[i], &b->kids[i + 1], behind * sizeof b->kids[0]);
    b->n--;
}

int nf_order_remove(nf_order *order, int64_t key, nf_slab *blocks)
{
    path p;
    int given = 0;
    int level;

    descend(order, key, &p);
    level = p.depth - 1;
    assert(p.blocks[level]->keys[p.at[level]] == key);
    for (;;) {
        nf_order_block *b = p.blocks[level];

        take_at(b, p.at[level]);
        if (b->n > 0) {
            break;
        }
        nf_slab_give(blocks, b);
        given++;
        if (level == 0) {
            order->root = NULL;
            return given;
        }
        level--;
    }
    while (!order->root->leaf && order->root->n == 1) {
        nf_order_block *only = order->root->kids[0];
        nf_slab_give(blocks, order->root);
        given++;
        order->root = only;
    }
    return given;
}
