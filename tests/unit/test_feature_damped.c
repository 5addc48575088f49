/* Damped statistics: numbers computed by hand, closed forms over random packets, the published code's oddities. */
#include "feature_random.h"

static netfeat_ctx *ctx;
static netfeat_options *opts;

static void setup(void)
{
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
}

static void teardown(void)
{
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

TestSuite(feature_damped, .init = setup, .fini = teardown);

#define SET(key, value) cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_##key, value), 0)

static const char *const names[] = {"timestamp", "frame_length", "src_mac",  "dst_mac",    "src_ip",
                                    "dst_ip",    "src_port",     "dst_port", "ip_protocol"};

static netfeat_column *macs(int n)
{
    nf_builder b;

    nf_builder_init(&b, ctx, NETFEAT_TYPE_BYTES6);
    for (int i = 0; i < n; i++) {
        cr_assert_eq(nf_builder_add_bytes(&b, "\2\0\0\0\0\1", 6), 0);
    }
    return finish(&b);
}

/* A sends at 0 s and 1 s to B, B answers at 1 s, A and B again at 1 s. */
static netfeat_table *conversation(void)
{
    netfeat_column *const cols[] = {
        INTS(ctx, TIME_NS, 0, 1000000000, 1000000000, 1000000000, 1000000000, NA),
        INTS(ctx, U32, 100, 50, 30, 80, 10, 1),
        macs(6),
        macs(6),
        IPV4S(ctx, 1, 1, 2, 1, 2, 1),
        IPV4S(ctx, 2, 2, 1, 2, 1, 2),
        INTS(ctx, U16, 1000, 1000, 80, 1000, 80, 80),
        INTS(ctx, U16, 80, 80, 1000, 80, 1000, 80),
        INTS(ctx, U8, 6, 6, 6, 6, 6, 6),
    };
    return make_table(ctx, 9, names, cols);
}

static void expect_near(const netfeat_table *out, const char *name, const double *wanted, int n)
{
    for (int i = 0; i < n; i++) {
        double v = NAN;
        cr_expect_eq(netfeat_column_get_f64(column_of(out, name), i, &v), 1);
        cr_expect_float_eq(v, wanted[i], 1e-9 * (1 + fabs(wanted[i])), "%s row %d: %.12g, not %.12g", name, i,
                           v, wanted[i]);
    }
}
#define EXPECT_NEAR(out, name, ...)                                                                          \
    expect_near(out, name, (const double[]){__VA_ARGS__},                                                    \
                (int)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))

Test(feature_damped, by_hand)
{
    netfeat_table *tab = conversation();
    netfeat_table *out = NULL;
    double sd = sqrt(376.0);

    cr_assert_eq(netfeat_feature_damped(ctx, tab, NULL, &out), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_expect_eq(netfeat_table_width(out), 100);
    EXPECT_NEAR(out, "hh_l1_weight", 1, 1.5, 1, 2.5, 2);
    EXPECT_NEAR(out, "hh_l1_mean", 100, 200.0 / 3, 30, 72, 20);
    EXPECT_NEAR(out, "hh_l1_variance", 0, 5000.0 / 9, 0, 376, 100);
    EXPECT_NEAR(out, "hh_l1_radius", 0, 5000.0 / 9, 5000.0 / 9, 376, sqrt(376.0 * 376 + 100 * 100));
    EXPECT_NEAR(out, "hh_l1_magnitude", 100, 200.0 / 3, sqrt(900 + 40000.0 / 9), sqrt(72 * 72 + 900),
                sqrt(400 + 72 * 72));
    EXPECT_NEAR(out, "hh_l1_covariance", 0, 0, 0, 0, -80 / 4.5);
    EXPECT_NEAR(out, "hh_l1_pcc", 0, 0, 0, 0, -80 / 4.5 / (10 * sd));
    EXPECT_NEAR(out, "hphp_l1_covariance", 0, 0, 0, 0, -80 / 4.5);
    EXPECT_NEAR(out, "hh_jit_l1_mean", 0, 2.0 / 3, 0, 0.4, 0);
    EXPECT_NEAR(out, "mi_l5_weight", 1, 1 + 1.0 / 32, 1, 2 + 1.0 / 32, 2);
    EXPECT_NEAR(out, "mi_l0_01_weight", 1, 1 + pow(2, -0.01), 1, 2 + pow(2, -0.01), 2);
    cr_expect_eq(netfeat_column_is_null(column_of(out, "hh_l1_pcc"), 5), 1);
    out = netfeat_table_unref(out);
    SET(DAMPED_COLUMNS, 115);
    cr_assert_eq(netfeat_feature_damped(ctx, tab, opts, &out), 0);
    cr_expect_eq(netfeat_table_width(out), 115);
    cr_expect_str_eq(netfeat_table_name(out, 0), "mi_l5_weight");
    cr_expect_str_eq(netfeat_table_name(out, 15), "h_l5_weight");
    cr_expect_str_eq(netfeat_table_name(out, 30), "hh_l5_weight");
    cr_expect_str_eq(netfeat_table_name(out, 65), "hh_jit_l5_weight");
    cr_expect_str_eq(netfeat_table_name(out, 114), "hphp_l0_01_pcc");
    EXPECT_NEAR(out, "h_l1_variance", 0, 5000.0 / 9, 0, 376, 100);
    out = netfeat_table_unref(out);
    SET(DAMPED_COLUMNS, 101);
    cr_expect_eq(netfeat_feature_damped(ctx, tab, opts, &out), NETFEAT_ERR_ARGUMENT);
    netfeat_table_unref(tab);
}

/* Every insertion updates the pair, and the packet updates it again: products and weights count twice. */
Test(feature_damped, as_published)
{
    netfeat_table *tab = conversation();
    netfeat_table *out = NULL;

    SET(DAMPED_PROFILE, 1);
    cr_assert_eq(netfeat_feature_damped(ctx, tab, opts, &out), 0, "%s", netfeat_ctx_error_message(ctx));
    EXPECT_NEAR(out, "hh_l1_mean", 100, 200.0 / 3, 30, 72, 20);
    EXPECT_NEAR(out, "hh_l1_radius", 0, 5000.0 / 9, 5000.0 / 9, 376, sqrt(376.0 * 376 + 100 * 100));
    /* weights of the pair: 1; 0.5 + 2; + 2; + 2; + 2. The last packet adds -80 twice. */
    EXPECT_NEAR(out, "hh_l1_covariance", 0, 0, 0, 0, -160 / 8.5);
    netfeat_table_unref(out);
    netfeat_table_unref(tab);
}

/* Sums of 2^(-lambda age) over all earlier packets of the same source. Times only go forward here. */
Test(feature_damped, closed_form)
{
    enum { ROWS = 400 };
    netfeat_table *tab = random_packets(ctx, 21, ROWS, 0);
    netfeat_column *time = column_of(tab, "timestamp"), *length = column_of(tab, "frame_length");
    netfeat_column *src = column_of(tab, "src_ip");
    int64_t sorted[ROWS];
    netfeat_table *out = NULL, *ordered;
    netfeat_column *cols[9];

    for (int i = 0; i < ROWS; i++) {
        cr_assert_eq(netfeat_column_get_i64(time, i, &sorted[i]), 1);
        sorted[i] = i > 0 && sorted[i] < sorted[i - 1] ? sorted[i - 1] : sorted[i];
    }
    cols[0] = ints(ctx, NETFEAT_TYPE_TIME_NS, sorted, ROWS);
    for (int k = 1; k < 9; k++) {
        cols[k] = netfeat_column_ref(column_of(tab, names[k]));
    }
    ordered = make_table(ctx, 9, names, cols);
    cr_assert_eq(netfeat_feature_damped(ctx, ordered, NULL, &out), 0);
    const uint8_t *ip = netfeat_column_data(src);
    const uint32_t *bytes = netfeat_column_data(length);
    for (int i = 0; i < ROWS; i++) {
        double w = 0, sum = 0, v = 0;
        for (int j = 0; j <= i; j++) {
            if (memcmp(ip + 16 * i, ip + 16 * j, 16) == 0) {
                double f = pow(2, -3.0 * (double)(sorted[i] - sorted[j]) / 1e9);
                w += f;
                sum += f * bytes[j];
            }
        }
        cr_assert_eq(netfeat_column_get_f64(column_of(out, "hh_l3_weight"), i, &v), 1);
        cr_assert_float_eq(v, w, 1e-9 * w);
        cr_assert_eq(netfeat_column_get_f64(column_of(out, "hh_l3_mean"), i, &v), 1);
        cr_assert_float_eq(v, sum / w, 1e-9 * sum / w);
    }
    netfeat_table_unref(out);
    netfeat_table_unref(ordered);
    netfeat_table_unref(tab);
}

Test(feature_damped, bounded)
{
    netfeat_table *tab = random_packets(ctx, 3, 3000, 0);
    netfeat_table *out = NULL;
    netfeat_accumulator *acc = NULL;

    SET(DAMPED_STREAMS, 16);
    cr_assert_eq(netfeat_accumulator_new(ctx, NETFEAT_FEATURE_DAMPED, NULL, 0, opts, &acc), 0);
    cr_assert_eq(netfeat_accumulator_push(acc, tab, &out), 0);
    cr_expect_eq(netfeat_accumulator_count(acc, NETFEAT_COUNT_KEYS), 6 * 16);
    cr_expect_gt(netfeat_accumulator_count(acc, NETFEAT_COUNT_EVICTED), 1000);
    out = netfeat_table_unref(out);
    SET(DAMPED_PROFILE, 1);
    cr_expect_eq(netfeat_feature_damped(ctx, tab, opts, &out), NETFEAT_ERR_LIMIT);
    netfeat_accumulator_unref(acc);
    netfeat_table_unref(tab);
}
