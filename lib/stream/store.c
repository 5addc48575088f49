/* The segment store: who owns the bytes that two segments claim, and where the bytes are kept. */
#include "stream/store.h"

#include <assert.h>
#include <string.h>

#include <netfeat/stream.h>

#include "stream/chain.h"

#define KEEP_NODES  64
#define KEEP_SMALL  64
#define KEEP_LARGE  16
#define KEEP_BLOCKS 48

bool nf_policy_new_wins(int policy, int64_t ns, int64_t ne, int64_t s, int64_t e)
{
    switch (policy) {
    case NETFEAT_OVERLAP_LAST:
        return true;
    case NETFEAT_OVERLAP_BSD:
    case NETFEAT_OVERLAP_WINDOWS:
        return ns < s;
    case NETFEAT_OVERLAP_LINUX:
        return ns < s || (ns == s && ne > e);
    case NETFEAT_OVERLAP_OLD_LINUX:
        return ns < s || (ns == s && ne >= e);
    case NETFEAT_OVERLAP_SOLARIS:
        return ne > e || (ne == e && ns <= s);
    default: /* NETFEAT_OVERLAP_FIRST */
        return false;
    }
}

/* ---- pool ---- */

void nf_pool_init(nf_pool *pool, netfeat_ctx *ctx)
{
    pool->ctx = ctx;
    nf_slab_init(&pool->nodes, sizeof(nf_node), KEEP_NODES);
    nf_slab_init(&pool->small, NF_CHUNK_SMALL, KEEP_SMALL);
    nf_slab_init(&pool->large, NF_CHUNK_LARGE, KEEP_LARGE);
    nf_slab_init(&pool->blocks, sizeof(nf_order_block), KEEP_BLOCKS);
    pool->held = 0;
    pool->spent = NULL;
    pool->serial = 1;
}

static void trim(nf_pool *pool, bool all)
{
    nf_slab_trim(pool->ctx, &pool->nodes, all ? 0 : pool->nodes.keep);
    nf_slab_trim(pool->ctx, &pool->small, all ? 0 : pool->small.keep);
    nf_slab_trim(pool->ctx, &pool->large, all ? 0 : pool->large.keep);
    nf_slab_trim(pool->ctx, &pool->blocks, all ? 0 : pool->blocks.keep);
}

void nf_pool_tidy(nf_pool *pool)
{
    while (pool->spent != NULL) {
        nf_chunk *c = pool->spent;
        pool->spent = c->next;
        nf_slab_give(nf_chunk_slab(pool, c), c);
    }
    trim(pool, false);
}

void nf_pool_free(nf_pool *pool)
{
    assert(pool->held == 0);
    nf_pool_collect(pool);
    trim(pool, true);
}

/* ---- nodes ---- */

/* Index a node under its first offset. */
static void enter(nf_pool *pool, nf_store *store, nf_node *node)
{
    node->key = node->s;
    pool->held +=
        (uint64_t)nf_order_insert(&store->order, node->key, node, &pool->blocks) * pool->blocks.size;
}

static void leave(nf_pool *pool, nf_store *store, const nf_node *node)
{
    pool->held -= (uint64_t)nf_order_remove(&store->order, node->key, &pool->blocks) * pool->blocks.size;
}

/* A node without chunks behind `left` (NULL: in front of all). */
static nf_node *add_node(nf_pool *pool, nf_store *store, nf_node *left, int64_t s, int64_t e, int64_t os,
                         int64_t oe)
{
    nf_node *node = nf_slab_take(&pool->nodes);

    node->prev = left;
    node->next = left != NULL ? left->next : store->first;
    *(left != NULL ? &left->next : &store->first) = node;
    *(node->next != NULL ? &node->next->prev : &store->last) = node;
    node->head = node->tail = NULL;
    node->s = s;
    node->e = e;
    node->os = os;
    node->oe = oe;
    store->nodes++;
    pool->held += pool->nodes.size;
    enter(pool, store, node);
    return node;
}

/* Remove a node whose chunks are gone. */
static void remove_node(nf_pool *pool, nf_store *store, nf_node *node)
{
    assert(node->head == NULL);
    leave(pool, store, node);
    *(node->prev != NULL ? &node->prev->next : &store->first) = node->next;
    *(node->next != NULL ? &node->next->prev : &store->last) = node->prev;
    store->nodes--;
    pool->held -= pool->nodes.size;
    nf_slab_give(&pool->nodes, node);
}

/* Bytes from offset `to` on, and up to offset `from`, are lost to another segment. */
static void cut_right(nf_pool *pool, nf_store *store, nf_node *node, int64_t to)
{
    store->bytes -= (uint64_t)(node->e - to);
    nf_chain_drop_last(pool, store, node, (uint64_t)(node->e - to));
    node->e = to;
}

static void cut_left(nf_pool *pool, nf_store *store, nf_node *node, int64_t from)
{
    store->bytes -= (uint64_t)(from - node->s);
    nf_chain_drop_first(pool, store, node, (uint64_t)(from - node->s));
    leave(pool, store, node);
    node->s = from;
    enter(pool, store, node);
}

static void kill(nf_pool *pool, nf_store *store, nf_node *node)
{
    store->bytes -= (uint64_t)(node->e - node->s);
    nf_chain_drop_first(pool, store, node, (uint64_t)(node->e - node->s));
    remove_node(pool, store, node);
}

/* Two nodes out of one; both keep the arrival extent. */
static void split(nf_pool *pool, nf_store *store, nf_node *node, int64_t at)
{
    nf_node *right = add_node(pool, store, node, at, node->e, node->os, node->oe);

    nf_chain_split(pool, store, node, right, (uint64_t)(at - node->s));
    node->e = at;
}

/* The common bytes [a, b) now belong to another segment. */
static void lose(nf_pool *pool, nf_store *store, nf_node *node, int64_t a, int64_t b)
{
    if (a > node->s) {
        if (b < node->e) {
            split(pool, store, node, b);
        }
        cut_right(pool, store, node, a);
    } else if (b < node->e) {
        cut_left(pool, store, node, b);
    } else {
        kill(pool, store, node);
    }
}

/* ---- put ---- */

typedef struct {
    int64_t s, e, os, oe;
    const uint8_t *data;
    int policy;
} segment;

/* The last node that starts at or before offset. */
static nf_node *find(const nf_store *store, int64_t offset)
{
    if (store->last == NULL || store->last->s <= offset) {
        return store->last;
    }
    if (store->first->s > offset) {
        return NULL;
    }
    return nf_order_find(&store->order, offset);
}

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* With these policies it does not matter who brought the bytes: whatever touches becomes one node. */
static bool merges_all(int policy)
{
    return policy == NETFEAT_OVERLAP_FIRST || policy == NETFEAT_OVERLAP_LAST;
}

/* New bytes [s, e), which are nobody else's, behind `left`: part of a neighbour that they continue, or a node of
   their own. A segment continues a node that ends, and whose segment ended, where it starts: so does a receiver
   that keeps one buffer for both. Returns the node that has them now; it may have taken in the next one, too. */
static nf_node *add_piece(nf_pool *pool, nf_store *store, nf_node *left, const segment *seg, int64_t s,
                          int64_t e)
{
    nf_node *right = left != NULL ? left->next : store->first;
    bool all = merges_all(seg->policy);
    bool extends = left != NULL && left->e == s && (all || (left->oe == s && seg->os == s));
    bool precedes = right != NULL && right->s == e && all;
    const uint8_t *data = seg->data + (s - seg->s);
    size_t len = (size_t)(e - s);

    store->bytes += len;
    if (extends) {
        nf_chain_append(pool, store, left, data, len);
        left->e = e;
        left->oe = seg->oe;
        if (precedes) {
            nf_chain_join(pool, store, left, right);
            left->e = right->e;
            left->oe = right->oe;
            remove_node(pool, store, right);
        }
        return left;
    }
    if (precedes) {
        nf_chain_prepend(pool, store, right, data, len);
        leave(pool, store, right);
        right->s = s;
        right->os = seg->os;
        enter(pool, store, right);
        return right;
    }
    left = add_node(pool, store, left, s, e, seg->os, seg->oe);
    nf_chain_append(pool, store, left, data, len);
    return left;
}

/* Everything that placing the segment among the nodes from `node` on may need, so that it cannot fail
 * half-way.
 */
static int reserve(nf_pool *pool, const segment *seg, const nf_node *node)
{
    uint32_t pieces = 1, cuts = 0;
    size_t larges = (size_t)(seg->e - seg->s) / NF_CHUNK_LARGE_ROOM;
    int code;

    for (; node != NULL && node->s < seg->e; node = node->next) {
        if (nf_policy_new_wins(seg->policy, seg->os, seg->oe, node->os, node->oe)) {
            cuts++;
        } else {
            pieces++;
        }
    }
    assert(larges < UINT32_MAX / 2);
    code = nf_slab_reserve(pool->ctx, &pool->nodes, pieces + cuts);
    code = code != 0 ? code : nf_slab_reserve(pool->ctx, &pool->small, pieces + cuts);
    code =
        code != 0 ? code : nf_slab_reserve(pool->ctx, &pool->large, (uint32_t)larges + 2 * pieces + cuts + 1);
    code = code != 0 ? code
                     : nf_slab_reserve(pool->ctx, &pool->blocks, 2 * (pieces + 2 * cuts) + NF_ORDER_LEVELS);
    return code;
}

int nf_store_put(nf_pool *pool, nf_store *store, int64_t s, const uint8_t *data, size_t len, int64_t os,
                 int64_t oe, int policy, nf_overlap *ret)
{
    segment seg = {s, s + (int64_t)len, os, oe, data, policy};
    nf_node *left = find(store, s);
    nf_node *node = left == NULL ? store->first : left->e > s ? left : left->next;
    int64_t at = s; /* bytes before it have found their owner */
    int code;

    assert(len > 0);
    code = reserve(pool, &seg, node);
    if (code != 0) {
        return code;
    }
    memset(ret, 0, sizeof *ret);
    if (node == left && left != NULL) {
        left = left->prev;
    }
    while (node != NULL && node->s < seg.e) {
        int64_t a = max64(node->s, s), b = min64(node->e, seg.e);
        nf_node *next = node->next;

        ret->overlap += (uint64_t)(b - a);
        nf_chain_compare(node, a, data + (a - s), (size_t)(b - a), ret);
        if (nf_policy_new_wins(policy, os, oe, node->os, node->oe)) {
            bool stays = a > node->s;
            lose(pool, store, node, a, b);
            left = stays ? node : left;
        } else {
            left = at < a ? add_piece(pool, store, left, &seg, at, a) : node;
            left = left->e > a ? left : node;
            at = b;
        }
        node = next;
    }
    if (at < seg.e) {
        add_piece(pool, store, left, &seg, at, seg.e);
    }
    return NETFEAT_OK;
}

/* ---- taking ---- */

nf_chunk *nf_store_take(nf_pool *pool, nf_store *store)
{
    nf_node *node = store->first;
    nf_chunk *c = node->head;

    node->head = c->next;
    *(c->next != NULL ? &c->next->prev : &node->tail) = NULL;
    node->s += c->len;
    store->bytes -= c->len;
    store->chunks--;
    pool->held -= nf_chunk_slab(pool, c)->size;
    c->next = pool->spent;
    pool->spent = c;
    if (node->head == NULL) {
        remove_node(pool, store, node);
    }
    return c;
}

const uint8_t *nf_store_take_part(nf_pool *pool, nf_store *store, size_t n)
{
    nf_node *node = store->first;
    nf_chunk *c = node->head;
    const uint8_t *bytes = c->data + c->start;

    assert(n < c->len);
    c->pin = pool->serial;
    c->start = (uint16_t)(c->start + n);
    c->len = (uint16_t)(c->len - n);
    node->s += (int64_t)n;
    store->bytes -= n;
    return bytes;
}

void nf_store_cut(nf_pool *pool, nf_store *store, int64_t from)
{
    while (store->last != NULL && store->last->s >= from) {
        kill(pool, store, store->last);
    }
    if (store->last != NULL && store->last->e > from) {
        cut_right(pool, store, store->last, from);
    }
}

void nf_store_clear(nf_pool *pool, nf_store *store)
{
    while (store->first != NULL) {
        kill(pool, store, store->first);
    }
}
