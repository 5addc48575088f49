/* Chains of chunks. Neighbours that fit into one large chunk are put into one, as long as no event points
   into them: no operation moves more than two chunks' bytes. */
#include "stream/chain.h"

#include <assert.h>
#include <string.h>

static nf_chunk *new_chunk(nf_pool *pool, nf_store *store, size_t len)
{
    bool small = len <= NF_CHUNK_SMALL_ROOM;
    nf_chunk *c = nf_slab_take(small ? &pool->small : &pool->large);

    c->next = c->prev = NULL;
    c->pin = 0;
    c->start = c->len = 0;
    c->room = small ? NF_CHUNK_SMALL_ROOM : NF_CHUNK_LARGE_ROOM;
    store->chunks++;
    pool->held += small ? NF_CHUNK_SMALL : NF_CHUNK_LARGE;
    return c;
}

/* A chunk that is in no chain any more. */
static void free_chunk(nf_pool *pool, nf_store *store, nf_chunk *c)
{
    nf_slab *slab = nf_chunk_slab(pool, c);

    store->chunks--;
    pool->held -= slab->size;
    if (c->pin == pool->serial) {
        c->next = pool->spent;
        pool->spent = c;
    } else {
        nf_slab_give(slab, c);
    }
}

static bool pinned(const nf_pool *pool, const nf_chunk *c)
{
    return c->pin == pool->serial;
}

/* Put `by` where c was; c is freed. */
static void replace(nf_pool *pool, nf_store *store, nf_node *node, nf_chunk *c, nf_chunk *by)
{
    by->prev = c->prev;
    by->next = c->next;
    *(c->prev != NULL ? &c->prev->next : &node->head) = by;
    *(c->next != NULL ? &c->next->prev : &node->tail) = by;
    free_chunk(pool, store, c);
}

static void unlink_chunk(nf_pool *pool, nf_store *store, nf_node *node, nf_chunk *c)
{
    *(c->prev != NULL ? &c->prev->next : &node->head) = c->next;
    *(c->next != NULL ? &c->next->prev : &node->tail) = c->prev;
    free_chunk(pool, store, c);
}

static size_t room_behind(const nf_chunk *c)
{
    return (size_t)c->room - c->start - c->len;
}

static void shift(nf_chunk *c, size_t start)
{
    memmove(c->data + start, c->data + c->start, c->len);
    c->start = (uint16_t)start;
}

static void copy_behind(nf_chunk *c, const uint8_t *data, size_t len)
{
    assert(len <= room_behind(c));
    memcpy(c->data + c->start + c->len, data, len);
    c->len = (uint16_t)(c->len + len);
}

static void copy_before(nf_chunk *c, const uint8_t *data, size_t len)
{
    assert(len <= c->start);
    c->start = (uint16_t)(c->start - len);
    c->len = (uint16_t)(c->len + len);
    memcpy(c->data + c->start, data, len);
}

/* A last chunk with room behind its bytes: for `len` bytes if they fit into a large one beside what is there.
 */
static nf_chunk *tail_with_room(nf_pool *pool, nf_store *store, nf_node *node, size_t len)
{
    nf_chunk *tail = node->tail;
    nf_chunk *c;

    if (tail != NULL && !pinned(pool, tail) && room_behind(tail) < len) {
        if (tail->len + len <= tail->room) {
            shift(tail, 0);
        } else if (tail->room == NF_CHUNK_SMALL_ROOM) {
            c = new_chunk(pool, store, NF_CHUNK_LARGE_ROOM);
            copy_behind(c, tail->data + tail->start, tail->len);
            replace(pool, store, node, tail, c);
            tail = c;
        }
    }
    if (tail != NULL && room_behind(tail) > 0) {
        return tail;
    }
    c = new_chunk(pool, store, len);
    c->prev = tail;
    *(tail != NULL ? &tail->next : &node->head) = c;
    node->tail = c;
    return c;
}

void nf_chain_append(nf_pool *pool, nf_store *store, nf_node *node, const uint8_t *data, size_t len)
{
    while (len > 0) {
        nf_chunk *c = tail_with_room(pool, store, node, len);
        size_t n = room_behind(c) < len ? room_behind(c) : len;

        copy_behind(c, data, n);
        data += n;
        len -= n;
    }
}

/* A first chunk with room for `len` bytes in front of its own; NULL if it cannot have that. */
static nf_chunk *head_with_room(nf_pool *pool, nf_store *store, nf_node *node, size_t len)
{
    nf_chunk *head = node->head;
    nf_chunk *c;

    if (head->start >= len) {
        return head;
    }
    if (pinned(pool, head) || head->len + len > NF_CHUNK_LARGE_ROOM) {
        return NULL;
    }
    if (head->len + len > head->room) {
        c = new_chunk(pool, store, NF_CHUNK_LARGE_ROOM);
        copy_behind(c, head->data + head->start, head->len);
        replace(pool, store, node, head, c);
        head = c;
    }
    shift(head, (size_t)head->room - head->len);
    return head;
}

void nf_chain_prepend(nf_pool *pool, nf_store *store, nf_node *node, const uint8_t *data, size_t len)
{
    nf_chunk *c = head_with_room(pool, store, node, len);

    if (c != NULL) {
        copy_before(c, data, len);
        return;
    }
    while (len > 0) {
        size_t n = len < NF_CHUNK_LARGE_ROOM ? len : NF_CHUNK_LARGE_ROOM;

        c = new_chunk(pool, store, n);
        c->start = c->room;
        copy_before(c, data + len - n, n);
        c->next = node->head;
        node->head->prev = c;
        node->head = c;
        len -= n;
    }
}

/* Two neighbours become one, if they fit and may move. */
static void merge(nf_pool *pool, nf_store *store, nf_node *node, nf_chunk *left, nf_chunk *right)
{
    size_t sum = (size_t)left->len + right->len;

    if (sum > NF_CHUNK_LARGE_ROOM || pinned(pool, left) || pinned(pool, right)) {
        return;
    }
    if (sum > left->room && sum > right->room) {
        nf_chunk *c = new_chunk(pool, store, NF_CHUNK_LARGE_ROOM);
        copy_behind(c, left->data + left->start, left->len);
        replace(pool, store, node, left, c);
        left = c;
    }
    if (sum <= left->room && (sum > right->room || left->len >= right->len)) {
        if (room_behind(left) < right->len) {
            shift(left, 0);
        }
        copy_behind(left, right->data + right->start, right->len);
        unlink_chunk(pool, store, node, right);
    } else {
        if (right->start < left->len) {
            shift(right, (size_t)right->room - right->len);
        }
        copy_before(right, left->data + left->start, left->len);
        unlink_chunk(pool, store, node, left);
    }
}

void nf_chain_join(nf_pool *pool, nf_store *store, nf_node *left, nf_node *right)
{
    nf_chunk *last = left->tail, *first = right->head;

    last->next = first;
    first->prev = last;
    left->tail = right->tail;
    right->head = right->tail = NULL;
    merge(pool, store, left, last, first);
}

void nf_chain_split(nf_pool *pool, nf_store *store, nf_node *node, nf_node *right, uint64_t n)
{
    nf_chunk *c = node->head;

    while (n >= c->len) {
        n -= c->len;
        c = c->next;
    }
    right->head = c;
    right->tail = node->tail;
    node->tail = c->prev;
    if (n > 0) {
        nf_chunk *rest = new_chunk(pool, store, (size_t)(c->len - n));

        copy_behind(rest, c->data + c->start + n, (size_t)(c->len - n));
        c->len = (uint16_t)n;
        rest->next = c->next;
        *(rest->next != NULL ? &rest->next->prev : &right->tail) = rest;
        right->head = rest;
        node->tail = c;
        node->tail->next = NULL;
    } else {
        node->tail->next = NULL;
        c->prev = NULL;
    }
}

void nf_chain_drop_first(nf_pool *pool, nf_store *store, nf_node *node, uint64_t n)
{
    while (n > 0 && n >= node->head->len) {
        n -= node->head->len;
        unlink_chunk(pool, store, node, node->head);
    }
    if (n > 0) {
        node->head->start = (uint16_t)(node->head->start + n);
        node->head->len = (uint16_t)(node->head->len - n);
    }
}

void nf_chain_drop_last(nf_pool *pool, nf_store *store, nf_node *node, uint64_t n)
{
    while (n > 0 && n >= node->tail->len) {
        n -= node->tail->len;
        unlink_chunk(pool, store, node, node->tail);
    }
    if (n > 0) {
        node->tail->len = (uint16_t)(node->tail->len - n);
    }
}

static void count_differences(const uint8_t *old, const uint8_t *data, size_t len, int64_t at,
                              nf_overlap *ret)
{
    for (size_t i = 0; i < len; i++) {
        if (old[i] != data[i]) {
            if (ret->conflict == 0) {
                ret->conflict_at = at + (int64_t)i;
            }
            ret->conflict++;
        }
    }
}

void nf_chain_compare(const nf_node *node, int64_t at, const uint8_t *data, size_t len, nf_overlap *ret)
{
    const nf_chunk *c = node->head;
    int64_t pos = node->s;

    while (len > 0) {
        if (pos + c->len > at) {
            const uint8_t *old = c->data + c->start + (at - pos);
            size_t n = (size_t)(pos + c->len - at);

            n = n < len ? n : len;
            if (memcmp(old, data, n) != 0) {
                count_differences(old, data, n, at, ret);
            }
            at += (int64_t)n;
            data += n;
            len -= n;
        }
        pos += c->len;
        c = c->next;
    }
}
