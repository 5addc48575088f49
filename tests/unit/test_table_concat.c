/* netfeat_table_concat: every type, NULLs at bit positions that do not line up, sliced inputs, refusals, and
   every allocation failing in turn. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "table/builder.h"

enum { N_TYPES = 13 };

static const int scalar_types[] = {NETFEAT_TYPE_BOOL,  NETFEAT_TYPE_U8,      NETFEAT_TYPE_U16,
                                   NETFEAT_TYPE_U32,   NETFEAT_TYPE_U64,     NETFEAT_TYPE_I64,
                                   NETFEAT_TYPE_F64,   NETFEAT_TYPE_TIME_NS, NETFEAT_TYPE_TEXT,
                                   NETFEAT_TYPE_BYTES, NETFEAT_TYPE_BYTES6,  NETFEAT_TYPE_BYTES16};

/* Row r of any column made here is NULL when r % 5 == 3 (and nulls is wanted). */
static void add_value(nf_builder *b, int64_t r)
{
    uint8_t bytes[16];
    size_t size = b->type == NETFEAT_TYPE_BYTES6 ? 6 : b->type == NETFEAT_TYPE_BYTES16 ? 16 : (size_t)(r % 4);

    memset(bytes, 'a' + (int)(r % 26), sizeof bytes);
    switch (b->type) {
    case NETFEAT_TYPE_F64:
        cr_assert_eq(nf_builder_add_f64(b, (double)r / 4), 0);
        break;
    case NETFEAT_TYPE_I64:
    case NETFEAT_TYPE_TIME_NS:
        cr_assert_eq(nf_builder_add_i64(b, -r), 0);
        break;
    case NETFEAT_TYPE_TEXT:
    case NETFEAT_TYPE_BYTES:
    case NETFEAT_TYPE_BYTES6:
    case NETFEAT_TYPE_BYTES16:
        cr_assert_eq(nf_builder_add_bytes(b, bytes, size), 0);
        break;
    default:
        cr_assert_eq(nf_builder_add_u64(b, (uint64_t)(b->type == NETFEAT_TYPE_BOOL ? r % 3 == 0 : r % 251)),
                     0);
    }
}

static netfeat_column *make_column(netfeat_ctx *ctx, int type, int64_t first, int64_t n, int nulls)
{
    netfeat_column *col = NULL;
    nf_builder b;

    nf_builder_init(&b, ctx, type);
    for (int64_t r = first; r < first + n; r++) {
        if (nulls && r % 5 == 3) {
            cr_assert_eq(nf_builder_add_null(&b), 0);
        } else {
            add_value(&b, r);
        }
    }
    cr_assert_eq(nf_builder_finish(&b, "unit", "test.column@1", "sometimes", &col), 0);
    return col;
}

/* Row r is the list r, r + 1, ... of r % 3 items. */
static netfeat_column *make_list(netfeat_ctx *ctx, int64_t first, int64_t n)
{
    netfeat_column *col = NULL;
    netfeat_column *child = NULL;
    nf_builder offsets, items;

    nf_builder_init(&offsets, ctx, NETFEAT_TYPE_I64);
    nf_builder_init(&items, ctx, NETFEAT_TYPE_U32);
    cr_assert_eq(nf_builder_add_i64(&offsets, 0), 0);
    for (int64_t r = first; r < first + n; r++) {
        for (int64_t k = 0; k < r % 3; k++) {
            cr_assert_eq(nf_builder_add_u64(&items, (uint64_t)(r + k)), 0);
        }
        cr_assert_eq(nf_builder_add_i64(&offsets, items.length), 0);
    }
    cr_assert_eq(nf_builder_finish(&items, "", "", "", &child), 0);
    cr_assert_eq(nf_list_finish(&offsets, child, "unit", "test.column@1", "never", &col), 0);
    return col;
}

/* One column of each type; rows first .. first + n - 1 of an endless table. */
static netfeat_table *make_table(netfeat_ctx *ctx, int64_t first, int64_t n, int nulls)
{
    netfeat_column *cols[N_TYPES];
    const char *names[N_TYPES];
    netfeat_table *tab = NULL;

    for (int i = 0; i < N_TYPES - 1; i++) {
        cols[i] = make_column(ctx, scalar_types[i], first, n, nulls);
        names[i] = netfeat_type_name(scalar_types[i]);
    }
    cols[N_TYPES - 1] = make_list(ctx, first, n);
    names[N_TYPES - 1] = "list";
    cr_assert_eq(netfeat_table_from_columns(ctx, names, cols, N_TYPES, &tab), 0);
    for (int i = 0; i < N_TYPES; i++) {
        netfeat_column_unref(cols[i]);
    }
    return tab;
}

static void expect_equal(const netfeat_table *a, const netfeat_table *b, int line)
{
    char x[64], y[64];

    cr_assert_eq(netfeat_table_rows(a), netfeat_table_rows(b), "line %d", line);
    cr_assert_eq(netfeat_table_width(a), netfeat_table_width(b), "line %d", line);
    for (int i = 0; i < netfeat_table_width(a); i++) {
        netfeat_column *p = netfeat_table_column(a, i);
        netfeat_column *q = netfeat_table_column(b, i);
        cr_expect_str_eq(netfeat_table_name(a, i), netfeat_table_name(b, i));
        cr_expect_eq(netfeat_column_nulls(p), netfeat_column_nulls(q), "line %d, %s", line,
                     netfeat_table_name(a, i));
        cr_expect_str_eq(netfeat_column_unit(p), netfeat_column_unit(q));
        cr_expect_str_eq(netfeat_column_definition(p), netfeat_column_definition(q));
        cr_expect_str_eq(netfeat_column_null_rule(p), netfeat_column_null_rule(q));
        for (int64_t r = 0; r < netfeat_table_rows(a); r++) {
            int present = netfeat_column_get_text(p, r, x, sizeof x, NULL);
            cr_assert_eq(present, netfeat_column_get_text(q, r, y, sizeof y, NULL));
            cr_assert_str_eq(x, y, "line %d, %s, row %lld", line, netfeat_table_name(a, i), (long long)r);
        }
    }
}

Test(table_concat, gives_the_whole_back)
{
    static const struct {
        int64_t cuts[4]; /* of 100 rows */
        int sliced;      /* the pieces are slices of the whole, not tables of their own */
        int nulls;
    } cases[] = {
        {{0, 0, 0, 0}, 0, 1},     {{1, 9, 64, 65}, 0, 1},    {{7, 8, 8, 100}, 0, 1},
        {{33, 34, 50, 99}, 1, 1}, {{13, 13, 77, 100}, 1, 1}, {{5, 6, 7, 8}, 0, 0},
    };

    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        const int64_t bounds[] = {0,  cases[c].cuts[0], cases[c].cuts[1], cases[c].cuts[2], cases[c].cuts[3],
                                  100};
        netfeat_ctx *ctx = NULL;
        netfeat_table *pieces[5] = {NULL};
        netfeat_table *whole, *joined = NULL;

        cr_assert_eq(netfeat_ctx_new(&ctx), 0);
        whole = make_table(ctx, 0, 100, cases[c].nulls);
        for (size_t i = 0; i < 5; i++) {
            int64_t n = bounds[i + 1] - bounds[i];
            if (cases[c].sliced) {
                cr_assert_eq(netfeat_table_slice(ctx, whole, bounds[i], n, &pieces[i]), 0);
            } else {
                pieces[i] = make_table(ctx, bounds[i], n, cases[c].nulls);
            }
        }
        cr_assert_eq(netfeat_table_concat(ctx, (const netfeat_table *const *)pieces, 5, &joined), 0);
        for (size_t i = 0; i < 5; i++) {
            netfeat_table_unref(pieces[i]);
        }
        expect_equal(joined, whole, (int)c);
        netfeat_table_unref(joined);
        netfeat_table_unref(whole);
        cr_expect_null(netfeat_ctx_unref(ctx));
    }
}

Test(table_concat, edges_and_refusals)
{
    netfeat_ctx *ctx = NULL;
    netfeat_table *tab, *other, *out = NULL, *growing = NULL;
    netfeat_column *col;
    const char *name = "u8";
    const int index[] = {1, 2};

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    cr_assert_eq(netfeat_table_concat(ctx, NULL, 0, &out), 0);
    cr_expect_eq(netfeat_table_rows(out), 0);
    cr_expect_eq(netfeat_table_width(out), 0);
    out = netfeat_table_unref(out);

    tab = make_table(ctx, 0, 10, 1);
    const netfeat_table *pair[2] = {tab, NULL};
    cr_expect_eq(netfeat_table_concat(NULL, pair, 1, &out), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_concat(ctx, pair, 1, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_concat(ctx, NULL, 1, &out), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_concat(ctx, pair, 2, &out), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_concat(ctx, pair + 1, 1, &out), NETFEAT_ERR_ARGUMENT);
    cr_assert_eq(netfeat_table_concat(ctx, pair, 1, &out), 0);
    expect_equal(out, tab, __LINE__);
    out = netfeat_table_unref(out);

    cr_assert_eq(netfeat_table_select(ctx, tab, index, 2, &other), 0); /* fewer columns */
    pair[1] = other;
    cr_expect_eq(netfeat_table_concat(ctx, pair, 2, &out), NETFEAT_ERR_ARGUMENT);
    netfeat_table_unref(other);

    cr_assert_eq(netfeat_table_new(ctx, NULL, &growing), 0);
    pair[1] = growing;
    cr_expect_eq(netfeat_table_concat(ctx, pair, 2, &out), NETFEAT_ERR_STATE);
    netfeat_table_unref(growing);
    netfeat_table_unref(tab);

    /* same name, but another type, another definition */
    col = make_column(ctx, NETFEAT_TYPE_U8, 0, 10, 0);
    cr_assert_eq(netfeat_table_from_columns(ctx, &name, &col, 1, &tab), 0);
    pair[0] = tab;
    netfeat_column_unref(col);
    for (int i = 0; i < 2; i++) {
        nf_builder b;
        nf_builder_init(&b, ctx, i == 0 ? NETFEAT_TYPE_U16 : NETFEAT_TYPE_U8);
        cr_assert_eq(nf_builder_finish(&b, "unit", i == 0 ? "test.column@1" : "test.column@2", "", &col), 0);
        cr_assert_eq(netfeat_table_from_columns(ctx, &name, &col, 1, &other), 0);
        netfeat_column_unref(col);
        pair[1] = other;
        cr_expect_eq(netfeat_table_concat(ctx, pair, 2, &out), NETFEAT_ERR_TYPE);
        netfeat_table_unref(other);
    }
    name = "u9";
    col = netfeat_column_ref(netfeat_table_column(tab, 0));
    cr_assert_eq(netfeat_table_from_columns(ctx, &name, &col, 1, &other), 0);
    netfeat_column_unref(col);
    pair[1] = other;
    cr_expect_eq(netfeat_table_concat(ctx, pair, 2, &out), NETFEAT_ERR_ARGUMENT);
    cr_expect_null(out);
    netfeat_table_unref(other);
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
}

typedef struct {
    int64_t until_failure; /* negative: never */
} failing;

static void *failing_realloc(void *user, void *ptr, size_t old_size, size_t new_size)
{
    failing *f = user;

    (void)old_size;
    if (new_size == 0) {
        free(ptr);
        return NULL;
    }
    if (f->until_failure >= 0 && f->until_failure-- == 0) {
        return NULL;
    }
    return realloc(ptr, new_size);
}

Test(table_concat, every_allocation_may_fail)
{
    failing f = {-1};
    netfeat_ctx *ctx = NULL;
    netfeat_table *pieces[2], *out = NULL;
    uint64_t before;
    int64_t k = 0;
    int code;

    cr_assert_eq(netfeat_ctx_new_alloc(failing_realloc, &f, &ctx), 0);
    pieces[0] = make_table(ctx, 0, 20, 1);
    pieces[1] = make_table(ctx, 20, 20, 1);
    before = netfeat_ctx_memory_used(ctx);
    do {
        f.until_failure = k++;
        code = netfeat_table_concat(ctx, (const netfeat_table *const *)pieces, 2, &out);
        f.until_failure = -1;
        if (code != 0) {
            cr_assert_eq(code, NETFEAT_ERR_NOMEM);
            cr_assert_null(out);
            cr_assert_eq(netfeat_ctx_memory_used(ctx), before);
        }
    } while (code != 0);
    cr_expect_gt(k, 40); /* at least three blocks a column */
    netfeat_table_unref(out);
    netfeat_table_unref(pieces[0]);
    netfeat_table_unref(pieces[1]);
    netfeat_ctx_unref(ctx);
}
