/* Order of flows against a plain sort of the same keys, for few and for many of them. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "base/context.h"
#include "feature_random.h"
#include "flow/order.h"
#include "table/text.h"

typedef struct {
    nf_flow flow;
    nf_flow_key key;
} entry;

static netfeat_ctx *ctx;

static void set_up(void)
{
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
}

static void tear_down(void)
{
    netfeat_ctx_unref(ctx);
}
TestSuite(flow_order, .init = set_up, .fini = tear_down);

/* Few different values of everything, so that later parts of the key decide, too. */
static void fill(entry *e, uint64_t *dice, int version)
{
    memset(e, 0, sizeof *e);
    e->flow.first_position = (uint64_t)next_random(dice) << 20 | next_random(dice) % 3;
    e->flow.last_position = next_random(dice) % 70000;
    e->flow.flags = next_random(dice) % 2 ? NF_FLOW_SOURCE : 0;
    for (int side = 0; side < 2; side++) {
        uint8_t *ip = e->key.ip[side];
        if (version == 4 || next_random(dice) % 4 == 0) {
            memset(ip + 10, 0xff, 2);
            ip[12] = 10;
            ip[14] = (uint8_t)(next_random(dice) % 2);
            ip[15] = (uint8_t)next_random(dice);
        } else {
            ip[0] = 0x20;
            ip[7] = (uint8_t)(next_random(dice) % 3);
            ip[15] = (uint8_t)next_random(dice);
        }
        e->key.port[side] = (uint16_t)(next_random(dice) % 3 == 0 ? 256 : next_random(dice) % 700);
    }
    e->key.protocol = next_random(dice) % 2 ? 6 : 17;
    e->key.kind = NF_KEY_PORTS;
}

static int compare_uint(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* Where the flows came from decides between equal ones: all orders are stable. */
static int compare_place(const void *a, const void *b)
{
    return compare_uint((uintptr_t) * (const nf_flow *const *)a, (uintptr_t) * (const nf_flow *const *)b);
}

static int compare_first(const void *a, const void *b)
{
    const nf_flow *f = *(const nf_flow *const *)a, *g = *(const nf_flow *const *)b;
    int order = compare_uint(f->first_position, g->first_position);
    return order != 0 ? order : compare_place(a, b);
}

static int compare_last(const void *a, const void *b)
{
    const nf_flow *f = *(const nf_flow *const *)a, *g = *(const nf_flow *const *)b;
    int order = compare_uint(f->last_position, g->last_position);
    return order != 0 ? order : compare_place(a, b);
}

/* The side of the key that is the source (0) or the destination (1). */
static int side_of(const nf_flow *f, int end)
{
    return (f->flags & NF_FLOW_SOURCE) != 0 ? !end : end;
}

static int compare_key(const void *a, const void *b)
{
    const nf_flow *f = *(const nf_flow *const *)a, *g = *(const nf_flow *const *)b;
    const nf_flow_key *k = nf_flow_key_of(f), *l = nf_flow_key_of(g);
    char x[NF_TEXT_MAX], y[NF_TEXT_MAX];
    int order = 0;

    for (int end = 0; end < 2 && order == 0; end++) {
        nf_text_ip(x, k->ip[side_of(f, end)]);
        nf_text_ip(y, l->ip[side_of(g, end)]);
        order = strcmp(x, y);
    }
    for (int end = 0; end < 2 && order == 0; end++) {
        order = compare_uint(k->port[side_of(f, end)], l->port[side_of(g, end)]);
    }
    order = order != 0 ? order : compare_uint(k->protocol, l->protocol);
    return order != 0 ? order : compare_place(a, b);
}

Test(flow_order, equals_a_plain_sort)
{
    static const size_t sizes[] = {0, 1, 2, 3, 100, 300, 16383, 16384, 20000};
    static const struct {
        int (*ours)(netfeat_ctx *, const nf_flow **, size_t);
        int (*plain)(const void *, const void *);
        int version;
    } orders[] = {{nf_order_by_position, compare_first, 4},
                  {nf_order_by_last_position, compare_last, 4},
                  {nf_order_by_key, compare_key, 4},
                  {nf_order_by_key, compare_key, 6}};
    const uint64_t before = netfeat_ctx_memory_used(ctx);
    uint64_t dice = 7;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t n = sizes[i], bytes = (n + 1) * sizeof(nf_flow *);
        entry *entries = calloc(n + 1, sizeof *entries);
        const nf_flow **list = malloc(bytes), **expected = malloc(bytes);
        for (size_t o = 0; o < sizeof orders / sizeof orders[0]; o++) {
            for (size_t k = 0; k < n; k++) {
                fill(&entries[k], &dice, orders[o].version);
                expected[k] = list[k] = &entries[k].flow;
            }
            qsort(expected, n, sizeof *expected, orders[o].plain);
            cr_assert_eq(orders[o].ours(ctx, list, n), 0);
            cr_assert(n == 0 || memcmp(list, expected, n * sizeof *list) == 0, "order %zu of %zu flows", o,
                      n);
        }
        free(expected);
        free(list);
        free(entries);
    }
    cr_assert_eq(netfeat_ctx_memory_used(ctx), before);
}
