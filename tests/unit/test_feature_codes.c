/* Ways that give the same: features by key over the numbers that a column keeps, over the keys themselves, and by an
   accumulator; ports one-hot by comparing and by looking up; value counts either way. */
#include <pthread.h>

#include "feature_random.h"

static const int key_of[][3] = {{4, -1, -1}, {5, -1, -1}, {2, -1, -1}, {14, -1, -1},
                                {4, 5, -1},  {14, 5, 7},  {6, -1, -1}};
enum { N_KEYS = sizeof key_of / sizeof key_of[0] };

static size_t keys_in(int k)
{
    size_t n = 0;

    while (n < 3 && key_of[k][n] >= 0) {
        n++;
    }
    return n;
}

static netfeat_table *one_column(netfeat_ctx *ctx, netfeat_column *col)
{
    static const char *const names[] = {"x"};
    return make_table(ctx, 1, names, &col);
}

/* Running sum and inter-arrival by key k, and value counts of its first column: three tables. */
static void all_of(netfeat_ctx *ctx, const netfeat_table *tab, int k, const netfeat_options *opts,
                   netfeat_table *out[3])
{
    netfeat_column *col = NULL;

    cr_assert_eq(netfeat_feature_cumulative_bytes(ctx, tab, key_of[k], keys_in(k), opts, &col), 0, "%s",
                 netfeat_ctx_error_message(ctx));
    out[0] = one_column(ctx, col);
    cr_assert_eq(netfeat_feature_interarrival(ctx, tab, key_of[k], keys_in(k), opts, &col), 0);
    out[1] = one_column(ctx, col);
    cr_assert_eq(netfeat_feature_value_counts(ctx, netfeat_table_column(tab, key_of[k][0]), opts, &out[2]),
                 0);
}

static void drop(netfeat_table *tabs[3])
{
    for (int i = 0; i < 3; i++) {
        tabs[i] = netfeat_table_unref(tabs[i]);
    }
}

static netfeat_table *pushed(netfeat_ctx *ctx, const netfeat_table *tab, int k, const netfeat_options *opts)
{
    const char *names[4] = {"frame_length"};
    netfeat_accumulator *acc = NULL;
    netfeat_table *out = NULL;

    for (size_t i = 0; i < keys_in(k); i++) {
        names[i + 1] = netfeat_table_name(tab, key_of[k][i]);
    }
    cr_assert_eq(
        netfeat_accumulator_new(ctx, NETFEAT_FEATURE_CUMULATIVE_BYTES, names, keys_in(k) + 1, opts, &acc), 0);
    cr_assert_eq(netfeat_accumulator_push(acc, tab, &out), 0);
    netfeat_accumulator_unref(acc);
    return out;
}

Test(feature_codes, kept_numbers_change_nothing)
{
    static const int rows[] = {0, 1, 63, 64, 65, 3000};
    netfeat_ctx *owner = NULL, *other = NULL;
    netfeat_options *opts = NULL;

    cr_assert_eq(netfeat_ctx_new(&owner), 0);
    cr_assert_eq(netfeat_ctx_new(&other), 0);
    cr_assert_eq(netfeat_options_new(owner, &opts), 0);
    for (int trial = 0; trial < 24; trial++) {
        /* nothing is kept when another context asks first, everything when the owner did */
        netfeat_table *tab =
            random_packets(owner, 100 + (uint64_t)trial, rows[trial % 6], trial % 2 != 0 ? 7 : 0);
        cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_NULL_KEY, trial / 2 % 2), 0);
        for (int k = 0; k < N_KEYS; k++) {
            netfeat_table *plain[3], *first[3], *again[3], *by_push;
            all_of(other, tab, k, opts, plain);
            all_of(owner, tab, k, opts, first);
            all_of(owner, tab, k, opts, again);
            by_push = pushed(other, tab, k, opts);
            for (int i = 0; i < 3; i++) {
                expect_same_table(plain[i], first[i], "made");
                expect_same_table(plain[i], again[i], "kept");
            }
            cr_expect_eq(netfeat_column_nulls(netfeat_table_column(by_push, 0)),
                         netfeat_column_nulls(netfeat_table_column(plain[0], 0)));
            for (int64_t i = 0; i < netfeat_table_rows(tab); i++) {
                const uint64_t *a = netfeat_column_data(netfeat_table_column(by_push, 0));
                const uint64_t *b = netfeat_column_data(netfeat_table_column(plain[0], 0));
                cr_assert_eq(a[i], b[i], "row %d", (int)i);
            }
            netfeat_table_unref(by_push);
            drop(plain);
            drop(first);
            drop(again);
        }
        netfeat_table_unref(tab);
    }
    netfeat_options_unref(opts);
    netfeat_ctx_unref(other);
    netfeat_ctx_unref(owner);
}

/* The dictionary itself, before and after its numbers are kept; a slice keeps its own. */
Test(feature_codes, dictionary)
{
    netfeat_ctx *ctx = NULL;
    netfeat_table *tab, *part, *sums[3];
    static const int columns[] = {2, 4, 14};

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    tab = random_packets(ctx, 5, 500, 6);
    for (int c = 0; c < 3; c++) {
        netfeat_column *ids[2] = {NULL, NULL}, *values[2] = {NULL, NULL};
        for (int i = 0; i < 2; i++) {
            cr_assert_eq(
                netfeat_column_dictionary(ctx, netfeat_table_column(tab, columns[c]), &ids[i], &values[i]),
                0);
            all_of(ctx, tab, columns[c] == 4 ? 0 : columns[c] == 2 ? 2 : 3, NULL, sums);
            drop(sums);
        }
        for (int i = 0; i < 2; i++) {
            netfeat_table *a = one_column(ctx, i == 0 ? ids[0] : values[0]);
            netfeat_table *b = one_column(ctx, i == 0 ? ids[1] : values[1]);
            expect_same_table(a, b, "dictionary");
            netfeat_table_unref(a);
            netfeat_table_unref(b);
        }
        part = slice(ctx, tab, 100, 50);
        cr_assert_eq(
            netfeat_column_dictionary(ctx, netfeat_table_column(part, columns[c]), &ids[0], &values[0]), 0);
        for (int64_t i = 0; i < 50; i++) { /* numbers start anew */
            cr_expect_leq(((const uint32_t *)netfeat_column_data(ids[0]))[i], (uint32_t)i);
        }
        netfeat_column_unref(ids[0]);
        netfeat_column_unref(values[0]);
        netfeat_table_unref(part);
    }
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
}

/* Limits are those of the keys; with eviction, the keys themselves are taken. */
Test(feature_codes, limits)
{
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_table *tab;
    netfeat_column *a = NULL, *b = NULL;
    static const int key[] = {4};
    int64_t addresses;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    tab = random_packets(ctx, 3, 400, 0);
    cr_assert_eq(netfeat_column_dictionary(ctx, netfeat_table_column(tab, 4), &a, &b), 0);
    addresses = netfeat_column_length(b);
    a = netfeat_column_unref(a);
    b = netfeat_column_unref(b);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_MAX_GROUPS, addresses - 1), 0);
    EXPECT_CODE(netfeat_feature_cumulative_bytes(ctx, tab, key, 1, opts, ret), NETFEAT_ERR_LIMIT);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_MAX_GROUPS, 2), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_ON_FULL, 1), 0);
    cr_assert_eq(netfeat_feature_cumulative_bytes(ctx, tab, key, 1, opts, &a), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_MAX_GROUPS, addresses), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_ON_FULL, 0), 0);
    cr_assert_eq(netfeat_feature_cumulative_bytes(ctx, tab, key, 1, opts, &b), 0, "%s",
                 netfeat_ctx_error_message(ctx));
    cr_expect_neq(memcmp(netfeat_column_data(a), netfeat_column_data(b), 400 * 8), 0, "nobody was evicted");
    netfeat_column_unref(a);
    netfeat_column_unref(b);
    netfeat_table_unref(tab);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

/* ---- threads: the owner makes the numbers while others look for them ---- */

static void *by_another(void *user)
{
    const netfeat_table *tab = user;
    netfeat_ctx *ctx = NULL;
    netfeat_table *sums[3];

    if (netfeat_ctx_new(&ctx) != 0) {
        return NULL;
    }
    for (int i = 0; i < 6; i++) {
        all_of(ctx, tab, i % N_KEYS, NULL, sums);
        drop(sums);
    }
    netfeat_ctx_unref(ctx);
    return user;
}

Test(feature_codes, threads)
{
    netfeat_ctx *ctx = NULL;
    netfeat_table *tab, *sums[3];
    pthread_t threads[3];
    void *done = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    tab = random_packets(ctx, 8, 2000, 9);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, by_another, tab), 0);
    }
    for (int k = 0; k < N_KEYS; k++) {
        all_of(ctx, tab, k, NULL, sums);
        drop(sums);
    }
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(pthread_join(threads[i], &done), 0);
        cr_expect_eq(done, tab);
    }
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
}

/* ---- one-hot ---- */

Test(feature_codes, ports_either_way)
{
    static const int rows[] = {1, 15, 16, 31, 32, 33, 100, 8191, 8192, 8224, 8225, 20000};
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    uint64_t random = 9;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_PORTS, NETFEAT_PORTS_NOTEBOOK), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_DUPLICATES, NETFEAT_DUPLICATES_SUFFIX), 0);
    for (size_t t = 0; t < sizeof rows / sizeof rows[0]; t++) {
        nf_builder narrow, wide; /* U16 is compared, U32 is looked up */
        netfeat_column *a, *b;
        netfeat_table *x = NULL, *y = NULL;
        nf_builder_init(&narrow, ctx, NETFEAT_TYPE_U16);
        nf_builder_init(&wide, ctx, NETFEAT_TYPE_U32);
        for (int i = 0; i < rows[t]; i++) {
            uint64_t port =
                next_random(&random) % 4 != 0 ? next_random(&random) % 90 : next_random(&random) % 65536;
            cr_assert_eq(nf_builder_add_u64(&narrow, port), 0);
            cr_assert_eq(nf_builder_add_u64(&wide, port), 0);
        }
        a = finish(&narrow);
        b = finish(&wide);
        cr_assert_eq(netfeat_feature_onehot(ctx, a, opts, &x), 0);
        cr_assert_eq(netfeat_feature_onehot(ctx, b, opts, &y), 0);
        expect_same_table(x, y, "one-hot");
        netfeat_table_unref(x);
        netfeat_table_unref(y);
        netfeat_column_unref(a);
        netfeat_column_unref(b);
    }
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}
