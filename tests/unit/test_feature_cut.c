/* However rows are cut into batches and shards, in whatever order shards are merged, whatever the hash secret: the
   same bits. */
#include "feature_random.h"

#include "base/context.h"

enum { ROWS = 2500, PARTS_MAX = 4000 };

typedef struct {
    int feature;
    const char *inputs[8];
    int option, value;
    int first_row_matters;
    int mergeable;
} accumulator_case;

static const accumulator_case accumulators[] = {
    {NETFEAT_FEATURE_CUMULATIVE, {"frame_length", "src_ip"}, 0, 0, 0, 1},
    {NETFEAT_FEATURE_CUMULATIVE, {"signed", "word"}, 0, 0, 0, 1},
    {NETFEAT_FEATURE_CUMULATIVE,
     {"frame_length", "src_ip", "dst_port", "word"},
     NETFEAT_OPT_FEATURE_NULL_KEY,
     1,
     0,
     1},
    {NETFEAT_FEATURE_CUMULATIVE, {"real", "dst_port"}, 0, 0, 0, 0},
    {NETFEAT_FEATURE_CUMULATIVE, {"frame_length", "real"}, NETFEAT_OPT_FEATURE_NULL_KEY, 1, 0, 1},
    {NETFEAT_FEATURE_CUMULATIVE, {"frame_length", "src_mac", "dst_mac"}, 0, 0, 0, 1},
    {NETFEAT_FEATURE_CUMULATIVE_BYTES, {"frame_length"}, 0, 0, 0, 1},
    {NETFEAT_FEATURE_CUMULATIVE, {"frame_length", "tcp_seq"}, 0, 0, 0, 1},
    {NETFEAT_FEATURE_INTERARRIVAL, {"timestamp"}, 0, 0, 1, 1},
    {NETFEAT_FEATURE_INTERARRIVAL, {"timestamp", "src_ip", "dst_ip"}, NETFEAT_OPT_FEATURE_NULL_KEY, 1, 1, 1},
    {NETFEAT_FEATURE_INTERARRIVAL, {"timestamp", "ip_protocol"}, NETFEAT_OPT_FEATURE_SECONDS, 1, 1, 1},
    {NETFEAT_FEATURE_TIMESTAMP, {"timestamp"}, NETFEAT_OPT_FEATURE_RELATIVE, 1, 1, 1},
    {NETFEAT_FEATURE_DAMPED, {NULL}, NETFEAT_OPT_FEATURE_DAMPED_COLUMNS, 115, 0, 0},
    {NETFEAT_FEATURE_DAMPED, {NULL}, NETFEAT_OPT_FEATURE_DAMPED_STREAMS, 16, 0, 0},
    {NETFEAT_FEATURE_DAMPED, {NULL}, NETFEAT_OPT_FEATURE_DAMPED_PROFILE, 1, 0, 0},
};
enum { N_ACCUMULATORS = sizeof accumulators / sizeof accumulators[0] };

static size_t inputs_of(const accumulator_case *c)
{
    size_t n = 0;
    while (n < 8 && c->inputs[n] != NULL) {
        n++;
    }
    return n;
}

static netfeat_accumulator *new_accumulator(netfeat_ctx *ctx, const accumulator_case *c, int64_t first_row)
{
    netfeat_options *opts = NULL;
    netfeat_accumulator *acc = NULL;

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    if (c->option != 0) {
        cr_assert_eq(netfeat_options_set_int(opts, c->option, c->value), 0);
    }
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_FIRST_ROW, first_row), 0);
    cr_assert_eq(netfeat_accumulator_new(ctx, c->feature, c->inputs, inputs_of(c), opts, &acc), 0, "%s",
                 netfeat_ctx_error_message(ctx));
    netfeat_options_unref(opts);
    return acc;
}

static netfeat_table *push(netfeat_ctx *ctx, netfeat_accumulator *acc, const netfeat_table *tab)
{
    netfeat_table *out = NULL;
    cr_assert_eq(netfeat_accumulator_push(acc, tab, &out), 0, "%s", netfeat_ctx_error_message(ctx));
    return out;
}

/* Save and load in the middle of it: goes on as if nothing had been. */
static netfeat_accumulator *through_table(netfeat_ctx *ctx, netfeat_accumulator *acc)
{
    netfeat_table *state = NULL, *again = NULL;
    netfeat_accumulator *copy = NULL;

    cr_assert_eq(netfeat_accumulator_to_table(ctx, acc, &state), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_assert_eq(netfeat_accumulator_from_table(ctx, state, &copy), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_assert_eq(netfeat_accumulator_to_table(ctx, copy, &again), 0);
    expect_same_table(state, again, "state");
    netfeat_table_unref(state);
    netfeat_table_unref(again);
    netfeat_accumulator_unref(acc);
    return copy;
}

/* Batches of `most` rows at most (exactly, unless random). */
static netfeat_table *in_batches(netfeat_ctx *ctx, const accumulator_case *c, const netfeat_table *tab,
                                 int most, uint64_t *random)
{
    netfeat_accumulator *acc = new_accumulator(ctx, c, 0);
    netfeat_table *parts[PARTS_MAX];
    netfeat_table *out;
    size_t n = 0;

    for (int64_t first = 0; first < ROWS;) {
        int64_t rows = random != NULL ? (int64_t)(next_random(random) % (unsigned)most) : (int64_t)most;
        netfeat_table *batch;
        rows = rows > ROWS - first ? ROWS - first : rows;
        batch = slice(ctx, tab, first, rows);
        cr_assert_lt(n, PARTS_MAX);
        parts[n++] = push(ctx, acc, batch);
        netfeat_table_unref(batch);
        first += rows;
        if (n % 700 == 1) {
            acc = through_table(ctx, acc);
        }
    }
    out = stack(ctx, parts, n);
    netfeat_accumulator_unref(acc);
    return out;
}

Test(feature_cut, batches)
{
    netfeat_ctx *ctx = NULL;
    uint64_t random = 11;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (int k = 0; k < N_ACCUMULATORS; k++) {
        const accumulator_case *c = &accumulators[k];
        netfeat_table *tab = random_packets(ctx, (uint64_t)k + 1, ROWS, k % 2 == 0 ? 9 : 0);
        netfeat_table *whole = in_batches(ctx, c, tab, ROWS, NULL);
        static const int sizes[] = {1, 7, 1000};
        for (int i = 0; i < 4; i++) {
            netfeat_table *cut;
            nf_ctx_set_secret_seed(ctx, (uint64_t)i * 77 + 5);
            cut = i < 3 ? in_batches(ctx, c, tab, sizes[i], NULL) : in_batches(ctx, c, tab, 60, &random);
            expect_same_table(whole, cut, netfeat_feature_name(c->feature));
            netfeat_table_unref(cut);
        }
        netfeat_table_unref(whole);
        netfeat_table_unref(tab);
    }
    netfeat_ctx_unref(ctx);
}

/* The table in shards at random places; their states merged in random order; then one more table pushed. */
static netfeat_table *after_merge(netfeat_ctx *ctx, const accumulator_case *c, const netfeat_table *tab,
                                  const netfeat_table *next, uint64_t *random)
{
    netfeat_accumulator *shards[5];
    int64_t cuts[6] = {0, 300, 700, 1500, 2100, ROWS};
    netfeat_table *out;
    int n = 5;

    for (int i = 1; i < 5; i++) {
        cuts[i] += next_random(random) % 300;
    }
    for (int i = 0; i < 5; i++) {
        netfeat_table *part = slice(ctx, tab, cuts[i], cuts[i + 1] - cuts[i]);
        shards[i] = new_accumulator(ctx, c, cuts[i]);
        netfeat_table_unref(push(ctx, shards[i], part));
        netfeat_table_unref(part);
    }
    while (n > 1) {
        int i = (int)(next_random(random) % (unsigned)n);
        netfeat_accumulator *a = shards[i];
        shards[i] = shards[--n];
        i = (int)(next_random(random) % (unsigned)n);
        cr_assert_eq(netfeat_accumulator_merge(shards[i], a), 0, "%s", netfeat_ctx_error_message(ctx));
        netfeat_accumulator_unref(a);
    }
    cr_expect_eq(netfeat_accumulator_count(shards[0], NETFEAT_COUNT_ROWS), ROWS);
    out = push(ctx, shards[0], next);
    netfeat_accumulator_unref(shards[0]);
    return out;
}

Test(feature_cut, shards_of_accumulators)
{
    netfeat_ctx *ctx = NULL;
    uint64_t random = 5;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (int k = 0; k < N_ACCUMULATORS; k++) {
        const accumulator_case *c = &accumulators[k];
        netfeat_table *tab = random_packets(ctx, (uint64_t)k + 31, ROWS, k % 2 == 0 ? 0 : 7);
        netfeat_table *next = random_packets(ctx, (uint64_t)k + 77, 400, 5);
        netfeat_accumulator *whole = new_accumulator(ctx, c, 0), *twin = new_accumulator(ctx, c, 0);
        netfeat_table *expected;
        netfeat_table_unref(push(ctx, whole, tab));
        netfeat_table_unref(push(ctx, twin, tab));
        if (!c->mergeable) {
            cr_expect_eq(netfeat_accumulator_merge(whole, twin), NETFEAT_ERR_UNSUPPORTED);
        } else if (c->first_row_matters) {
            cr_expect_eq(netfeat_accumulator_merge(whole, twin), NETFEAT_ERR_ARGUMENT);
        }
        expected = push(ctx, whole, next);
        for (int i = 0; i < 5 && c->mergeable; i++) {
            netfeat_table *got = after_merge(ctx, c, tab, next, &random);
            expect_same_table(expected, got, netfeat_feature_name(c->feature));
            netfeat_table_unref(got);
        }
        netfeat_table_unref(expected);
        netfeat_accumulator_unref(whole);
        netfeat_accumulator_unref(twin);
        netfeat_table_unref(next);
        netfeat_table_unref(tab);
    }
    netfeat_ctx_unref(ctx);
}

static const struct {
    int feature;
    const char *column;
    int option, value;
} encoders[] = {
    {NETFEAT_FEATURE_FREQUENCY, "dst_port", 0, 0},
    {NETFEAT_FEATURE_FREQUENCY, "src_ip", 0, 0},
    {NETFEAT_FEATURE_FREQUENCY, "word", NETFEAT_OPT_FEATURE_STATISTIC, NETFEAT_STATISTIC_COUNT},
    {NETFEAT_FEATURE_ONEHOT, "ip_protocol", 0, 0},
    {NETFEAT_FEATURE_ONEHOT, "word", NETFEAT_OPT_FEATURE_UNKNOWN, NETFEAT_UNKNOWN_NULL},
    {NETFEAT_FEATURE_ORDINAL, "src_ip", 0, 0},
    {NETFEAT_FEATURE_ORDINAL, "signed", 0, 0},
    {NETFEAT_FEATURE_ORDINAL, "real", 0, 0},
    {NETFEAT_FEATURE_STANDARD_SCALE, "frame_length", 0, 0},
    {NETFEAT_FEATURE_STANDARD_SCALE, "real", 0, 0},
    {NETFEAT_FEATURE_STANDARD_SCALE, "signed", 0, 0},
    {NETFEAT_FEATURE_MINMAX_SCALE, "real", 0, 0},
    {NETFEAT_FEATURE_MINMAX_SCALE, "timestamp", 0, 0},
};
enum { N_ENCODERS = sizeof encoders / sizeof encoders[0] };

static netfeat_encoder *new_encoder(netfeat_ctx *ctx, int k)
{
    netfeat_options *opts = NULL;
    netfeat_encoder *enc = NULL;

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    if (encoders[k].option != 0) {
        cr_assert_eq(netfeat_options_set_int(opts, encoders[k].option, encoders[k].value), 0);
    }
    cr_assert_eq(netfeat_encoder_new(ctx, encoders[k].feature, opts, &enc), 0);
    netfeat_options_unref(opts);
    return enc;
}

static void fit_rows(netfeat_ctx *ctx, netfeat_encoder *enc, int k, const netfeat_table *tab, int64_t first,
                     int64_t n)
{
    netfeat_table *part = slice(ctx, tab, first, n);
    cr_assert_eq(netfeat_encoder_fit(enc, column_of(part, encoders[k].column)), 0, "%s",
                 netfeat_ctx_error_message(ctx));
    netfeat_table_unref(part);
}

/* Shards fitted apart, each in batches of its own, merged in random order, then through a table. */
static netfeat_encoder *merged_encoder(netfeat_ctx *ctx, int k, const netfeat_table *tab, uint64_t *random)
{
    netfeat_encoder *parts[6];
    netfeat_encoder *again = NULL;
    netfeat_table *state = NULL;
    int n = 6;

    for (int i = 0; i < 6; i++) {
        parts[i] = new_encoder(ctx, k);
    }
    for (int64_t first = 0; first < ROWS;) {
        int64_t rows = 1 + next_random(random) % 90;
        rows = rows > ROWS - first ? ROWS - first : rows;
        fit_rows(ctx, parts[next_random(random) % 6], k, tab, first, rows);
        first += rows;
    }
    while (n > 1) {
        int i = (int)(next_random(random) % (unsigned)n);
        netfeat_encoder *a = parts[i];
        parts[i] = parts[--n];
        i = (int)(next_random(random) % (unsigned)n);
        cr_assert_eq(netfeat_encoder_merge(parts[i], a), 0, "%s", netfeat_ctx_error_message(ctx));
        netfeat_encoder_unref(a);
    }
    cr_assert_eq(netfeat_encoder_to_table(ctx, parts[0], &state), 0);
    cr_assert_eq(netfeat_encoder_from_table(ctx, state, &again), 0, "%s", netfeat_ctx_error_message(ctx));
    netfeat_table_unref(state);
    netfeat_encoder_unref(parts[0]);
    return again;
}

Test(feature_cut, shards_of_encoders)
{
    netfeat_ctx *ctx = NULL;
    uint64_t random = 3;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (int k = 0; k < N_ENCODERS; k++) {
        netfeat_table *tab = random_packets(ctx, (uint64_t)k + 3, ROWS, k % 2 == 0 ? 8 : 0);
        netfeat_table *other = random_packets(ctx, (uint64_t)k + 300, 500, 6);
        netfeat_encoder *whole = new_encoder(ctx, k);
        netfeat_table *a = NULL, *b = NULL, *map_a = NULL, *map_b = NULL;
        fit_rows(ctx, whole, k, tab, 0, ROWS);
        cr_assert_eq(netfeat_encoder_seal(whole), 0, "%s", netfeat_ctx_error_message(ctx));
        cr_assert_eq(netfeat_encoder_apply(ctx, whole, column_of(other, encoders[k].column), &a), 0);
        cr_assert_eq(netfeat_encoder_mapping(ctx, whole, &map_a), 0);
        for (int i = 0; i < 3; i++) {
            netfeat_encoder *merged = merged_encoder(ctx, k, tab, &random);
            cr_assert_eq(netfeat_encoder_seal(merged), 0);
            cr_assert_eq(netfeat_encoder_apply(ctx, merged, column_of(other, encoders[k].column), &b), 0);
            cr_assert_eq(netfeat_encoder_mapping(ctx, merged, &map_b), 0);
            expect_same_table(a, b, encoders[k].column);
            expect_same_table(map_a, map_b, encoders[k].column);
            map_b = netfeat_table_unref(map_b);
            b = netfeat_table_unref(b);
            netfeat_encoder_unref(merged);
        }
        netfeat_table_unref(map_a);
        netfeat_table_unref(a);
        netfeat_encoder_unref(whole);
        netfeat_table_unref(other);
        netfeat_table_unref(tab);
    }
    netfeat_ctx_unref(ctx);
}

/* Windows: closed ones come out as the clock passes; together they are the same for any batches. */
static netfeat_table *windows_in_batches(netfeat_ctx *ctx, const netfeat_table *tab, int64_t lateness,
                                         int64_t most, int64_t *late)
{
    static const char *const inputs[] = {"timestamp", "frame_length", "dst_port", "src_ip", "word"};
    netfeat_options *opts = NULL;
    netfeat_accumulator *acc = NULL;
    netfeat_table *parts[PARTS_MAX];
    size_t n = 0;

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_WINDOW_NS, 5000000), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_LATENESS_NS, lateness), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_DISTINCT, 1), 0);
    cr_assert_eq(netfeat_accumulator_new(ctx, NETFEAT_FEATURE_WINDOW, inputs, 5, opts, &acc), 0);
    for (int64_t first = 0; first < ROWS; first += most) {
        netfeat_table *batch = slice(ctx, tab, first, most > ROWS - first ? ROWS - first : most);
        parts[n++] = push(ctx, acc, batch);
        netfeat_table_unref(batch);
        if (n % 500 == 3) {
            acc = through_table(ctx, acc);
        }
    }
    cr_assert_eq(netfeat_accumulator_finish(acc, &parts[n]), 0);
    *late = netfeat_accumulator_count(acc, NETFEAT_COUNT_LATE);
    cr_expect_eq(netfeat_accumulator_count(acc, NETFEAT_COUNT_KEYS), 0);
    netfeat_options_unref(opts);
    netfeat_accumulator_unref(acc);
    return stack(ctx, parts, n + 1);
}

Test(feature_cut, windows)
{
    netfeat_ctx *ctx = NULL;
    static const int64_t lateness[] = {-1, 0, 100000000};

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    netfeat_table *tab = random_packets(ctx, 8, ROWS, 20);
    for (int i = 0; i < 3; i++) {
        int64_t late = 0, late_cut = 0;
        netfeat_table *whole = windows_in_batches(ctx, tab, lateness[i], ROWS, &late);
        cr_expect_gt(netfeat_table_rows(whole), 1000);
        cr_expect_eq(late > 0, lateness[i] == 0);
        for (int64_t size = 1; size <= 1000; size *= 10) {
            netfeat_table *cut = windows_in_batches(ctx, tab, lateness[i], size, &late_cut);
            expect_same_table(whole, cut, "windows");
            cr_expect_eq(late, late_cut);
            netfeat_table_unref(cut);
        }
        netfeat_table_unref(whole);
    }
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
}

Test(feature_cut, shards_of_windows)
{
    static const char *const inputs[] = {"timestamp", "signed", "src_port", "dst_ip"};
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_accumulator *acc[4] = {NULL};
    netfeat_table *a = NULL, *b = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    netfeat_table *tab = random_packets(ctx, 9, ROWS, 15);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_DISTINCT, 1), 0);
    for (int i = 0; i < 4; i++) {
        netfeat_table *part =
            i < 3 ? slice(ctx, tab, i * 800, i < 2 ? 800 : ROWS - 1600) : netfeat_table_ref(tab);
        cr_assert_eq(netfeat_accumulator_new(ctx, NETFEAT_FEATURE_WINDOW, inputs, 4, opts, &acc[i]), 0);
        netfeat_table_unref(push(ctx, acc[i], part));
        netfeat_table_unref(part);
    }
    cr_assert_eq(netfeat_accumulator_merge(acc[2], acc[0]), 0);
    cr_assert_eq(netfeat_accumulator_merge(acc[1], acc[2]), 0);
    cr_assert_eq(netfeat_accumulator_finish(acc[3], &a), 0);
    cr_assert_eq(netfeat_accumulator_finish(acc[1], &b), 0);
    expect_same_table(a, b, "windows");
    cr_expect_gt(netfeat_table_rows(a), 100);
    netfeat_table_unref(a);
    netfeat_table_unref(b);
    for (int i = 0; i < 4; i++) {
        netfeat_accumulator_unref(acc[i]);
    }
    netfeat_options_unref(opts);
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
}
