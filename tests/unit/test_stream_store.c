/* The segment store against an array of bytes: thousands of islands, every policy, taking from the front; the shape of
   its chains; what it charges. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "naive_store.h"
#include "stream/chain.h"
#include "stream/store.h"

#define MOST (1 << 20) /* where bytes are put */

static uint64_t state;

static unsigned pick(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % below;
}

/* Nodes, extents and bytes are the same; chains hold what the node says and are not longer than they must be. */
static void compare(const nf_pool *pool, const nf_store *store, const naive_store *naive)
{
    const nf_node *node = store->first, *before = NULL;
    uint64_t bytes = 0;
    uint32_t chunks = 0, nodes = 0;

    for (int i = 0; i < naive->n; i++, nodes++) {
        int64_t at = naive->list[i].s;

        cr_assert_not_null(node);
        cr_assert(node->s == at && node->e == naive->list[i].e && node->os == naive->list[i].os &&
                      node->oe == naive->list[i].oe && node->prev == before && node->key <= node->s,
                  "node %d: [%lld, %lld) of [%lld, %lld)", i, (long long)node->s, (long long)node->e,
                  (long long)node->os, (long long)node->oe);
        for (const nf_chunk *c = node->head; c != NULL; c = c->next, chunks++) {
            cr_assert(c->len > 0 && c->start + c->len <= c->room);
            cr_assert_eq(memcmp(c->data + c->start, naive->bytes + at, c->len), 0);
            cr_assert(c->next == NULL ? node->tail == c : c->next->prev == c);
            at += c->len;
        }
        cr_assert_eq(at, node->e);
        bytes += (uint64_t)(node->e - node->s);
        before = node;
        node = node->next;
    }
    cr_assert_null(node);
    cr_assert(store->bytes == bytes && store->chunks == chunks && store->nodes == nodes &&
              store->last == before);
    cr_assert_geq(pool->held, nodes * sizeof(nf_node) + chunks * NF_CHUNK_SMALL);
}

static void put(nf_pool *pool, nf_store *store, naive_store *naive, int64_t s, size_t len, int64_t os,
                int policy)
{
    uint8_t data[9000];
    int64_t conflict;
    nf_overlap overlap;

    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)((s + (int64_t)i) * 7 + (pick(20) == 0));
    }
    conflict = naive_put(naive, s, data, (int64_t)len, os, s + (int64_t)len, policy);
    cr_assert_eq(nf_store_put(pool, store, s, data, len, os, s + (int64_t)len, policy, &overlap), 0);
    cr_assert_eq(overlap.conflict, (uint64_t)conflict);
}

static void take(nf_pool *pool, nf_store *store, naive_store *naive)
{
    naive_piece *first = &naive->list[0];
    size_t len = store->first->head->len;

    if (len > 1 && pick(3) == 0) {
        size_t n = 1 + pick((unsigned)len - 1);
        const uint8_t *p = nf_store_take_part(pool, store, n);
        cr_assert_eq(memcmp(p, naive->bytes + first->s, n), 0);
        first->s += (int64_t)n;
        return;
    }
    const nf_chunk *c = nf_store_take(pool, store);
    cr_assert_eq(memcmp(c->data + c->start, naive->bytes + first->s, c->len), 0);
    first->s += c->len;
    if (first->s == first->e) {
        naive_remove_first(naive);
    }
}

static void random_run(netfeat_ctx *ctx, int policy, int rounds, unsigned span, unsigned most)
{
    nf_pool pool;
    nf_store store = {.nodes = 0};
    naive_store naive = {.n = 0};
    int64_t next = 0;

    nf_pool_init(&pool, ctx);
    for (int i = 0; i < rounds; i++) {
        unsigned what = pick(100);

        if (what < 97) {
            int64_t s = next + 1 + pick(span);
            size_t len = 1 + pick(pick(10) == 0 ? most : 20);
            put(&pool, &store, &naive, s, len, s - (pick(8) == 0 && s > 4 ? 3 : 0), policy);
        } else if (what < 98 && naive.n > 0) {
            int64_t from = naive.list[naive.n - 1].s + (int64_t)pick(3) - 1;
            nf_store_cut(&pool, &store, from);
            while (naive.n > 0 && naive.list[naive.n - 1].s >= from) {
                naive.n--;
            }
            if (naive.n > 0 && naive.list[naive.n - 1].e > from) {
                naive.list[naive.n - 1].e = from;
            }
        } else {
            for (unsigned n = pick(40); n > 0 && naive.n > 0; n--) {
                take(&pool, &store, &naive);
            }
            next = naive.n > 0 && naive.list[0].s > next ? naive.list[0].s : next;
        }
        if (pick(5) == 0) {
            nf_pool_collect(&pool);
        }
        if (i % 50 == 0) {
            compare(&pool, &store, &naive);
        }
        next = next > MOST ? MOST : next;
    }
    compare(&pool, &store, &naive);
    nf_store_clear(&pool, &store);
    cr_assert(store.bytes == 0 && store.first == NULL && pool.held == 0);
    nf_pool_free(&pool);
    naive_store_free(&naive);
}

Test(stream_store, random_against_an_array)
{
    netfeat_ctx *ctx = NULL;
    uint64_t before;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    before = netfeat_ctx_memory_used(ctx);
    for (int policy = NETFEAT_OVERLAP_FIRST; policy <= NETFEAT_OVERLAP_WINDOWS; policy++) {
        state = (uint64_t)policy + 99;
        random_run(ctx, policy, 2000, 300, 60);
        random_run(ctx, policy, 3000, 60000, 300);
        random_run(ctx, policy, 1000, 60000, 9000);
    }
    cr_expect_eq(netfeat_ctx_memory_used(ctx), before);
    netfeat_ctx_unref(ctx);
}

/* Orders of arrival that a list would not survive; everything comes out in the end. */
static void arrive(netfeat_ctx *ctx, int policy, const char *order, int64_t n)
{
    nf_pool pool;
    nf_store store = {.nodes = 0};
    nf_overlap overlap;
    int64_t at = 1;

    nf_pool_init(&pool, ctx);
    for (int64_t i = 0; i < n; i++) {
        int64_t s = 1 + (order[0] == 'd'   ? n - 1 - i
                         : order[0] == 'e' ? (i < n / 2 ? 2 * i : 2 * (i - n / 2) + 1)
                                           : i * 7919 % n);
        uint8_t byte = (uint8_t)(s * 31);
        cr_assert_eq(nf_store_put(&pool, &store, s, &byte, 1, s, s + 1, policy, &overlap), 0);
        nf_pool_collect(&pool);
    }
    cr_assert_eq(store.bytes, (uint64_t)n);
    if (policy == NETFEAT_OVERLAP_FIRST) { /* everything has grown together */
        cr_expect_eq(store.nodes, 1);
        cr_expect_leq(store.chunks, 2 * (uint64_t)n / NF_CHUNK_LARGE_ROOM + 1);
    }
    while (store.first != NULL) {
        const nf_chunk *c = nf_store_take(&pool, &store);
        for (int i = 0; i < c->len; i++, at++) {
            cr_assert_eq(c->data[c->start + i], (uint8_t)(at * 31));
        }
        nf_pool_collect(&pool);
    }
    cr_expect_eq(at, n + 1);
    cr_expect_eq(pool.held, 0);
    nf_pool_free(&pool);
}

Test(stream_store, orders_of_arrival)
{
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (int policy = NETFEAT_OVERLAP_FIRST; policy <= NETFEAT_OVERLAP_LINUX; policy += 3) {
        arrive(ctx, policy, "descending", 100000);
        arrive(ctx, policy, "even, odd", 100000);
        arrive(ctx, policy, "scattered", 100000);
    }
    netfeat_ctx_unref(ctx);
}
