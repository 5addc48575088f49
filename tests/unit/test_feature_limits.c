/* Features at the ends of what their types hold: numbers by hand, or the error that the header promises; never a
   value that wrapped around. */
#include <float.h>

#include "feature_build.h"

static netfeat_ctx *ctx;
static netfeat_options *opts;

static void start(void)
{
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
}

static void stop(void)
{
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

TestSuite(feature_limits, .init = start, .fini = stop);

#define SET(key, value) cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_##key, value), 0)
#define MOST_U64        ((int64_t)-1) /* 2^64 - 1, for columns of U64 */

static netfeat_table *times_of_hosts(int64_t a, int64_t b, int64_t c)
{
    static const char *const names[] = {"timestamp", "host", "size"};
    netfeat_column *const cols[] = {INTS(ctx, TIME_NS, a, b, c), IPV4S(ctx, 1, 2, 1),
                                    INTS(ctx, U32, 1, 2, 4)};
    return make_table(ctx, 3, names, cols);
}

Test(feature_limits, times)
{
    netfeat_table *ends = times_of_hosts(INT64_MIN, 0, INT64_MAX);
    netfeat_table *near = times_of_hosts(INT64_MAX - 1, 0, INT64_MAX);
    netfeat_table *down = times_of_hosts(-1, INT64_MAX, INT64_MIN);
    static const int host[] = {1};

    EXPECT_CODE(netfeat_feature_interarrival(ctx, ends, host, 1, NULL, ret), NETFEAT_ERR_RANGE);
    cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "row 2"), "%s", netfeat_ctx_error_message(ctx));
    EXPECT_CODE(netfeat_feature_interarrival(ctx, down, NULL, 0, NULL, ret), NETFEAT_ERR_RANGE);
    EXPECT_COLUMN(ctx, netfeat_feature_interarrival(ctx, near, NULL, 0, NULL, ret),
                  "- -9223372036854775806 9223372036854775807");
    EXPECT_COLUMN(ctx, netfeat_feature_interarrival(ctx, near, host, 1, NULL, ret), "- - 1");
    EXPECT_COLUMN(ctx, netfeat_feature_interarrival(ctx, down, host, 1, NULL, ret),
                  "- - -9223372036854775807");
    SET(SECONDS, 1); /* 2 * 9223372036.854776: no integer is in the way */
    EXPECT_COLUMN(ctx, netfeat_feature_interarrival(ctx, ends, host, 1, opts, ret), "- - 18446744073.709553");
    EXPECT_COLUMN(ctx, netfeat_feature_timestamp(ctx, ends, 1000000000, 0, ret),
                  "-9223372036.854776 0 9223372036.854776");
    EXPECT_COLUMN(ctx, netfeat_feature_timestamp(ctx, ends, INT64_MAX, 0, ret), "-1 0 1");
    EXPECT_COLUMN(ctx, netfeat_feature_timestamp(ctx, near, 1, 1, ret), "0 -9.223372036854776e+18 1");
    EXPECT_CODE(netfeat_feature_timestamp(ctx, ends, 1, 1, ret), NETFEAT_ERR_RANGE);
    EXPECT_CODE(netfeat_feature_timestamp(ctx, ends, -1, 0, ret), NETFEAT_ERR_RANGE);
    netfeat_table_unref(ends);
    netfeat_table_unref(near);
    netfeat_table_unref(down);
}

static int window_code(const netfeat_table *tab, int64_t window, netfeat_table **ret)
{
    SET(WINDOW_NS, window);
    return netfeat_feature_window(ctx, tab, 2, -1, NULL, 0, opts, ret);
}

Test(feature_limits, window_begins)
{
    netfeat_table *ends = times_of_hosts(INT64_MIN, 0, INT64_MAX);
    netfeat_table *late = times_of_hosts(-1, 0, INT64_MAX);
    netfeat_table *out = NULL;

    /* -2^63 is no multiple of 10: its window begins before the first time there is */
    cr_expect_eq(window_code(ends, 10, &out), NETFEAT_ERR_RANGE);
    cr_expect_null(out);
    cr_assert_eq(window_code(ends, INT64_C(1) << 62, &out), 0); /* 2^62 divides it */
    cr_expect_str_eq(as_text(column_of(out, "sum")), "1 2 4");
    cr_expect_eq(((const int64_t *)netfeat_column_data(column_of(out, "window")))[0], INT64_MIN);
    cr_expect_eq(((const int64_t *)netfeat_column_data(column_of(out, "window")))[2], INT64_C(1) << 62);
    out = netfeat_table_unref(out);
    cr_assert_eq(window_code(late, INT64_MAX, &out), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_expect_str_eq(as_text(column_of(out, "count")), "1 1 1");
    cr_expect_eq(((const int64_t *)netfeat_column_data(column_of(out, "window")))[0], -INT64_MAX);
    netfeat_table_unref(out);
    netfeat_table_unref(ends);
    netfeat_table_unref(late);
}

/* sum, mean, std of one window */
static void expect_window(netfeat_column *values, const char *wanted)
{
    static const char *const names[] = {"timestamp", "value"};
    netfeat_column *const cols[] = {INTS(ctx, TIME_NS, 0, 1, 2), values};
    netfeat_table *tab = make_table(ctx, 2, names, cols);
    netfeat_table *out = NULL;
    char text[300] = "";
    int code = netfeat_feature_window(ctx, tab, 1, -1, NULL, 0, NULL, &out);

    if (code == 0) {
        snprintf(text, sizeof text, "%s", as_text(column_of(out, "sum")));
        snprintf(text + strlen(text), sizeof text - strlen(text), " %s", as_text(column_of(out, "mean")));
        snprintf(text + strlen(text), sizeof text - strlen(text), " %s", as_text(column_of(out, "std")));
    } else {
        snprintf(text, sizeof text, "%s", netfeat_error_name(code));
    }
    cr_expect_str_eq(text, wanted, "%s", text);
    netfeat_table_unref(out);
    netfeat_table_unref(tab);
}

Test(feature_limits, window_sums)
{
    expect_window(INTS(ctx, U64, MOST_U64, 0, 0),
                  "18446744073709551615 6.148914691236517e+18 1.0650232656628343e+19");
    expect_window(INTS(ctx, U64, MOST_U64, 1, 0), "RANGE");
    expect_window(INTS(ctx, I64, INT64_MAX, 0, INT64_MIN), "-1 -0.3333333333333333 9.223372036854776e+18");
    expect_window(INTS(ctx, I64, INT64_MIN, -1, 0), "RANGE");
}

static const char *described(netfeat_column *col)
{
    static char text[512];
    static const char *const names[] = {"x"};
    netfeat_table *tab = make_table(ctx, 1, names, &col);
    netfeat_table *out = NULL;

    cr_assert_eq(netfeat_feature_describe(ctx, tab, &out), 0);
    text[0] = '\0';
    for (int i = 1; i < netfeat_table_width(out); i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 1 ? " " : "",
                 as_text(netfeat_table_column(out, i)));
    }
    netfeat_table_unref(out);
    netfeat_table_unref(tab);
    return text;
}

Test(feature_limits, describe)
{
    /* count, nulls, mean, std, min, quartiles, max; the deviation of two values is their distance over sqrt(2) */
    static const double far[] = {-DBL_MAX, DBL_MAX};
    const char *text = described(INTS(ctx, U64, 0, MOST_U64));

    cr_expect_str_eq(text,
                     "2 0 9.223372036854776e+18 1.3043817825332783e+19 0 4.611686018427388e+18 "
                     "9.223372036854776e+18 1.3835058055282164e+19 1.8446744073709552e+19",
                     "%s", text);
    /* the ends are rounded to double before what is between them is taken */
    text = described(INTS(ctx, I64, INT64_MIN, INT64_MAX));
    cr_expect_str_eq(text,
                     "2 0 -0.5 1.3043817825332783e+19 -9.223372036854776e+18 -4.611686018427388e+18 0 "
                     "4.611686018427388e+18 9.223372036854776e+18",
                     "%s", text);
    text = described(doubles(ctx, far, 2));
    cr_expect_str_eq(text,
                     "2 0 0 inf -1.7976931348623157e+308 -8.988465674311579e+307 0 8.988465674311579e+307 "
                     "1.7976931348623157e+308",
                     "%s", text);
    text = described(DOUBLES(ctx, INFINITY, 1.0, -INFINITY));
    cr_expect_str_eq(text, "3 0 - - -inf -inf 1 inf inf", "%s", text);
}

static const char *scaled(int (*call)(netfeat_ctx *, netfeat_column *, const netfeat_options *,
                                      netfeat_column **),
                          netfeat_column *col)
{
    static char text[256];
    netfeat_column *out = NULL;

    cr_assert_eq(call(ctx, col, NULL, &out), 0);
    snprintf(text, sizeof text, "%s", as_text(out));
    netfeat_column_unref(out);
    netfeat_column_unref(col);
    return text;
}

Test(feature_limits, scaling)
{
    static const double far[] = {-DBL_MAX, 0.0, DBL_MAX};

    cr_expect_str_eq(scaled(netfeat_feature_minmax_scale, INTS(ctx, U64, 0, MOST_U64)), "0 1");
    cr_expect_str_eq(scaled(netfeat_feature_minmax_scale, INTS(ctx, I64, INT64_MIN, 0, INT64_MAX)),
                     "0 0.5 1");
    cr_expect_str_eq(scaled(netfeat_feature_minmax_scale, doubles(ctx, far, 3)), "0 0.5 1");
    cr_expect_str_eq(scaled(netfeat_feature_standard_scale, INTS(ctx, U64, 0, MOST_U64)),
                     "-0.7071067811865475 0.7071067811865475");
    cr_expect_str_eq(scaled(netfeat_feature_standard_scale, INTS(ctx, I64, INT64_MIN, INT64_MAX)),
                     "-0.7071067811865475 0.7071067811865475");
    /* the deviation is DBL_MAX, but its square is no double: nothing can be said */
    cr_expect_str_eq(scaled(netfeat_feature_standard_scale, doubles(ctx, far, 3)), "- - -");
    cr_expect_str_eq(scaled(netfeat_feature_minmax_scale, DOUBLES(ctx, INFINITY, 1.0)), "- 0");
}

static const char *listed(netfeat_column *col)
{
    static char text[512];
    netfeat_table *out = NULL;

    cr_assert_eq(netfeat_feature_value_counts(ctx, col, NULL, &out), 0);
    snprintf(text, sizeof text, "%s: ", as_text(column_of(out, "count")));
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s", as_text(column_of(out, "value")));
    netfeat_table_unref(out);
    netfeat_column_unref(col);
    return text;
}

/* Ascending order of values of each type, where it could go by the wrong sign or the wrong end. */
Test(feature_limits, order_of_values)
{
    cr_expect_str_eq(listed(INTS(ctx, U64, MOST_U64, INT64_MIN, 0, 1, 0)),
                     "2 1 1 1: 0 1 9223372036854775808 18446744073709551615");
    cr_expect_str_eq(listed(INTS(ctx, I64, INT64_MAX, 0, INT64_MIN, -1, INT64_MAX)),
                     "2 1 1 1: 9223372036854775807 -9223372036854775808 -1 0");
    cr_expect_str_eq(listed(INTS(ctx, U32, 4294967295, 65536, 255)), "1 1 1: 255 65536 4294967295");
    cr_expect_str_eq(listed(DOUBLES(ctx, 1.5, -INFINITY, -0.0, 0.0, INFINITY, -1e-300, NAN)),
                     "2 1 1 1 1: 0 -inf -1e-300 1.5 inf");
    cr_expect_str_eq(listed(TEXTS(ctx, BYTES6,
                                  "b\xff"
                                  "aaaa",
                                  "baaaaa", "aaaaab")),
                     "1 1 1: 61:61:61:61:61:62 62:61:61:61:61:61 62:ff:61:61:61:61");
    cr_expect_str_eq(listed(IPV4S(ctx, 0xffffffff, 1, 0x80000000)),
                     "1 1 1: 0.0.0.1 128.0.0.0 255.255.255.255");
    cr_expect_str_eq(listed(TEXTS(ctx, TEXT, "b", "", "ab", "a", "b")), "2 1 1 1: b  a ab");
    netfeat_column *signs = INTS(ctx, I64, 1, INT64_MIN, -1);
    EXPECT_COLUMN(ctx, netfeat_feature_ordinal(ctx, signs, NULL, ret), "2 0 1");
    netfeat_column_unref(signs);
}

/* A stream that sleeps for all of time is as good as new; nothing becomes NaN or infinite. */
Test(feature_limits, damped_sleeps)
{
    static const char *const names[] = {"timestamp", "frame_length", "src_mac",  "dst_mac",    "src_ip",
                                        "dst_ip",    "src_port",     "dst_port", "ip_protocol"};
    netfeat_column *const cols[] = {
        INTS(ctx, TIME_NS, INT64_MIN, INT64_MAX, INT64_MIN, INT64_MAX),
        INTS(ctx, U32, 60, 4294967295, 1, 100),
        TEXTS(ctx, BYTES6, "aaaaaa", "aaaaaa", "aaaaaa", "aaaaaa"),
        TEXTS(ctx, BYTES6, "bbbbbb", "bbbbbb", "bbbbbb", "bbbbbb"),
        IPV4S(ctx, 1, 1, 1, 1),
        IPV4S(ctx, 2, 2, 2, 2),
        INTS(ctx, U16, 1, 1, 1, 1),
        INTS(ctx, U16, 2, 2, 2, 2),
        INTS(ctx, U8, 6, 6, 6, 6),
    };
    netfeat_table *tab = make_table(ctx, 9, names, cols);

    for (int64_t profile = 0; profile <= 1; profile++) {
        netfeat_table *out = NULL;
        SET(DAMPED_PROFILE, profile);
        cr_assert_eq(netfeat_feature_damped(ctx, tab, opts, &out), 0, "%s", netfeat_ctx_error_message(ctx));
        for (int i = 0; i < netfeat_table_width(out); i++) {
            const double *v = netfeat_column_data(netfeat_table_column(out, i));
            for (int row = 0; row < 4; row++) {
                cr_expect(isfinite(v[row]), "profile %d: %s, row %d: %g", (int)profile,
                          netfeat_table_name(out, i), row, v[row]);
            }
        }
        const double *weight = netfeat_column_data(netfeat_table_column(out, 0));
        const double *mean = netfeat_column_data(netfeat_table_column(out, 1));
        cr_expect(fabs(weight[1] - 1.0) < 1e-15, "%.17g", weight[1]);
        cr_expect(fabs(mean[1] - 4294967295.0) < 1e-5, "%.17g", mean[1]);
        netfeat_table_unref(out);
    }
    netfeat_table_unref(tab);
}

Test(feature_limits, bits_and_addresses)
{
    static const char *const names[] = {"tcp_flags", "tcp_seq", "dst_ip"};
    netfeat_column *const cols[] = {INTS(ctx, U16, 2, 65535, 2), INTS(ctx, U32, 4294967295, 4294967295, 0),
                                    IPV4S(ctx, 0xffffffff, 0xffffffff, 0)};
    netfeat_table *tab = make_table(ctx, 3, names, cols), *out = NULL;
    netfeat_column *ports = INTS(ctx, U16, 0, 1023, 1024, 49151, 49152, 65535);

    EXPECT_COLUMN(ctx, netfeat_feature_mirai_syn(ctx, tab, NULL, ret), "1 0 1");
    cr_assert_eq(netfeat_feature_tcp_flags(ctx, netfeat_table_column(tab, 0), NULL, &out), 0);
    cr_expect_eq(netfeat_table_width(out), 9);
    for (int i = 0; i < 9; i++) {
        cr_expect_str_eq(as_text(netfeat_table_column(out, i)), i == 1 ? "1 1 1" : "0 1 0", "%s",
                         netfeat_table_name(out, i));
    }
    EXPECT_COLUMN(ctx, netfeat_feature_port_class(ctx, ports, NULL, ret), "1 1 2 2 3 3");
    netfeat_column_unref(ports);
    netfeat_table_unref(out);
    netfeat_table_unref(tab);
}
