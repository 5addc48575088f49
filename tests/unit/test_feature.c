/* Every feature with numbers computed by hand; NULL, empty table, single row, overflow. */
#include "feature_build.h"

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

TestSuite(feature, .init = setup, .fini = teardown);

#define SET(key, value) cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_##key, value), 0)

static netfeat_table *packets(void)
{
    static const char *const names[] = {"timestamp", "src_ip", "frame_length", "delta", "dst_port"};
    netfeat_column *const cols[] = {
        INTS(ctx, TIME_NS, 1000, 3000, 2000, NA, 7000, 7500),
        IPV4S(ctx, 0x0a000001, 0x0a000002, 0x0a000001, 0x0a000001, NA, 0x0a000002),
        INTS(ctx, U32, 60, 100, 1500, NA, 40, 1),
        INTS(ctx, I64, 5, -7, -5, 1, 2, NA),
        INTS(ctx, U16, 80, 443, 80, 80, NA, 53),
    };
    return make_table(ctx, 5, names, cols);
}

Test(feature, cumulative)
{
    netfeat_table *tab = packets();
    static const int by_ip[] = {1};
    static const int by_ip_port[] = {1, 4};

    EXPECT_COLUMN(ctx, netfeat_feature_cumulative_bytes(ctx, tab, by_ip, 1, NULL, ret),
                  "60 100 1560 - - 101");
    EXPECT_COLUMN(ctx, netfeat_feature_cumulative_bytes(ctx, tab, NULL, 0, NULL, ret),
                  "60 160 1660 - 1700 1701");
    EXPECT_COLUMN(ctx, netfeat_feature_cumulative(ctx, tab, 3, by_ip, 1, NULL, ret), "5 -7 0 1 - -");
    EXPECT_COLUMN(ctx, netfeat_feature_cumulative(ctx, tab, 2, by_ip_port, 2, NULL, ret),
                  "60 100 1560 - - 1");
    SET(NULL_KEY, 1);
    EXPECT_COLUMN(ctx, netfeat_feature_cumulative_bytes(ctx, tab, by_ip, 1, opts, ret),
                  "60 100 1560 - 40 101");
    EXPECT_COLUMN(ctx, netfeat_feature_cumulative(ctx, tab, 2, by_ip_port, 2, opts, ret),
                  "60 100 1560 - 40 1");
    SET(NULL, NETFEAT_RESULT_ZERO);
    EXPECT_COLUMN(ctx, netfeat_feature_cumulative_bytes(ctx, tab, by_ip, 1, opts, ret),
                  "60 100 1560 0 40 101");
    SET(NULL, NETFEAT_RESULT_ERROR);
    EXPECT_CODE(netfeat_feature_cumulative_bytes(ctx, tab, by_ip, 1, opts, ret), NETFEAT_ERR_RANGE);
    SET(NULL, 0);
    SET(MAX_GROUPS, 1);
    EXPECT_CODE(netfeat_feature_cumulative_bytes(ctx, tab, by_ip, 1, opts, ret), NETFEAT_ERR_LIMIT);
    EXPECT_CODE(netfeat_feature_cumulative(ctx, tab, 9, by_ip, 1, NULL, ret), NETFEAT_ERR_RANGE);
    EXPECT_CODE(netfeat_feature_cumulative(ctx, tab, 2, (const int[]){-1}, 1, NULL, ret), NETFEAT_ERR_RANGE);
    EXPECT_CODE(netfeat_feature_cumulative(ctx, tab, 1, by_ip, 1, NULL, ret), NETFEAT_ERR_TYPE);
    EXPECT_CODE(netfeat_feature_cumulative(ctx, NULL, 2, by_ip, 1, NULL, ret), NETFEAT_ERR_ARGUMENT);
    EXPECT_CODE(netfeat_feature_cumulative(NULL, tab, 2, by_ip, 1, NULL, ret), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_feature_cumulative(ctx, tab, 2, by_ip, 1, NULL, NULL), NETFEAT_ERR_ARGUMENT);
    netfeat_table_unref(tab);
}

Test(feature, cumulative_overflow_and_floats)
{
    static const char *const names[] = {"u", "i", "f"};
    netfeat_column *const cols[] = {
        INTS(ctx, U64, INT64_MAX, INT64_MAX, 1, 1), /* 2^64 - 1 fits, one more does not */
        INTS(ctx, I64, INT64_MIN + 1, -1, -1, 5),
        DOUBLES(ctx, 1e16, 1.0, 1.0, NAN),
    };
    netfeat_table *tab = make_table(ctx, 3, names, cols);
    netfeat_table *three = slice(ctx, tab, 0, 3);
    netfeat_table *two = slice(ctx, tab, 0, 2);

    EXPECT_COLUMN(ctx, netfeat_feature_cumulative(ctx, three, 0, NULL, 0, NULL, ret),
                  "9223372036854775807 18446744073709551614 18446744073709551615");
    EXPECT_CODE(netfeat_feature_cumulative(ctx, tab, 0, NULL, 0, NULL, ret), NETFEAT_ERR_RANGE);
    cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "row 3"), "%s", netfeat_ctx_error_message(ctx));
    EXPECT_COLUMN(ctx, netfeat_feature_cumulative(ctx, two, 1, NULL, 0, NULL, ret),
                  "-9223372036854775807 -9223372036854775808");
    EXPECT_CODE(netfeat_feature_cumulative(ctx, three, 1, NULL, 0, NULL, ret), NETFEAT_ERR_RANGE);
    /* compensated: the two ones are not lost; NaN is NULL */
    EXPECT_COLUMN(ctx, netfeat_feature_cumulative(ctx, tab, 2, NULL, 0, NULL, ret),
                  "1e+16 1e+16 10000000000000002 -");
    netfeat_table_unref(two);
    netfeat_table_unref(three);
    netfeat_table_unref(tab);
}

Test(feature, interarrival_and_timestamp)
{
    netfeat_table *tab = packets();
    static const int by_ip[] = {1};
    static const char *const names[] = {"timestamp"};
    netfeat_column *const far[] = {INTS(ctx, TIME_NS, INT64_MIN, INT64_MAX)};
    netfeat_table *extreme = make_table(ctx, 1, names, far);

    EXPECT_COLUMN(ctx, netfeat_feature_interarrival(ctx, tab, NULL, 0, NULL, ret), "- 2000 -1000 - 5000 500");
    EXPECT_COLUMN(ctx, netfeat_feature_interarrival(ctx, tab, by_ip, 1, NULL, ret), "- - 1000 - - 4500");
    SET(SECONDS, 1);
    EXPECT_COLUMN(ctx, netfeat_feature_interarrival(ctx, tab, by_ip, 1, opts, ret), "- - 1e-06 - - 4.5e-06");
    EXPECT_CODE(netfeat_feature_interarrival(ctx, extreme, NULL, 0, NULL, ret), NETFEAT_ERR_RANGE);
    EXPECT_COLUMN(ctx, netfeat_feature_timestamp(ctx, tab, 1000, 0, ret), "1 3 2 - 7 7.5");
    EXPECT_COLUMN(ctx, netfeat_feature_timestamp(ctx, tab, 1000, 1, ret), "0 2 1 - 6 6.5");
    EXPECT_CODE(netfeat_feature_timestamp(ctx, tab, 0, 0, ret), NETFEAT_ERR_RANGE);
    EXPECT_CODE(netfeat_feature_timestamp(ctx, extreme, 1, 1, ret), NETFEAT_ERR_RANGE);
    netfeat_table_unref(extreme);
    netfeat_table_unref(tab);
}

Test(feature, interarrival_without_nulls)
{
    static const char *const names[] = {"timestamp"};
    netfeat_column *const cols[] = {INTS(ctx, TIME_NS, 10, 30, 25, 25)};
    netfeat_table *tab = make_table(ctx, 1, names, cols);
    netfeat_table *one = slice(ctx, tab, 2, 1);
    netfeat_table *none = slice(ctx, tab, 2, 0);

    EXPECT_COLUMN(ctx, netfeat_feature_interarrival(ctx, tab, NULL, 0, NULL, ret), "- 20 -5 0");
    EXPECT_COLUMN(ctx, netfeat_feature_interarrival(ctx, one, NULL, 0, NULL, ret), "-");
    EXPECT_COLUMN(ctx, netfeat_feature_interarrival(ctx, none, NULL, 0, NULL, ret), "");
    netfeat_table_unref(none);
    netfeat_table_unref(one);
    netfeat_table_unref(tab);
}

Test(feature, ip_numeric)
{
    netfeat_column *text = TEXTS(ctx, TEXT, "1.2.3.4", "10.1.2.3/8", "::1", "2001:db8::", "1.2.3.4.5", NULL,
                                 "", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    netfeat_column *bytes = IPV4S(ctx, 0x01020304, NA, 0xffffffff);
    netfeat_table *tab = NULL;

    cr_assert_eq(netfeat_feature_ip_numeric(ctx, text, NULL, &tab), 0);
    cr_expect_str_eq(as_text(column_of(tab, "hi")), "0 0 0 2306139568115548160 0 - 0 18446744073709551615");
    cr_expect_str_eq(as_text(column_of(tab, "lo")), "16909060 167772160 1 0 0 - 0 18446744073709551615");
    tab = netfeat_table_unref(tab);
    SET(IP_MODE, NETFEAT_IP_F64);
    cr_assert_eq(netfeat_feature_ip_numeric(ctx, text, opts, &tab), 0);
    double v = 0;
    cr_expect_eq(netfeat_column_get_f64(column_of(tab, "number"), 3, &v), 1);
    cr_expect_eq(v, 0x20010db8 * 0x1p96);
    cr_expect_eq(netfeat_column_get_f64(column_of(tab, "number"), 7, &v), 1);
    cr_expect_eq(v, 0x1p128);
    tab = netfeat_table_unref(tab);
    SET(IP_MODE, NETFEAT_IP_UNIT);
    cr_assert_eq(netfeat_feature_ip_numeric(ctx, text, opts, &tab), 0);
    cr_expect_eq(netfeat_column_get_f64(column_of(tab, "unit"), 1, &v), 1);
    cr_expect_eq(v, 10.0 / 256);
    cr_expect_eq(netfeat_column_get_f64(column_of(tab, "unit"), 7, &v), 1);
    cr_expect_lt(v, 1.0);
    tab = netfeat_table_unref(tab);
    SET(IP_MODE, NETFEAT_IP_OCTETS);
    cr_assert_eq(netfeat_feature_ip_numeric(ctx, bytes, opts, &tab), 0);
    cr_expect_eq(netfeat_table_width(tab), 16);
    cr_expect_str_eq(as_text(column_of(tab, "octet_0")), "0 - 0");
    cr_expect_str_eq(as_text(column_of(tab, "octet_11")), "255 - 255");
    cr_expect_str_eq(as_text(column_of(tab, "octet_13")), "2 - 255");
    cr_expect_str_eq(as_text(column_of(tab, "octet_15")), "4 - 255");
    tab = netfeat_table_unref(tab);
    SET(NULL, NETFEAT_RESULT_ZERO);
    SET(IP_MODE, NETFEAT_IP_HILO);
    cr_assert_eq(netfeat_feature_ip_numeric(ctx, bytes, opts, &tab), 0);
    cr_expect_str_eq(as_text(column_of(tab, "lo")), "16909060 0 4294967295");
    netfeat_table_unref(tab);
    netfeat_column_unref(bytes);
    netfeat_column_unref(text);
}

Test(feature, places)
{
    netfeat_column *src =
        IPV4S(ctx, 0x0a000001, 0xac100001, 0xac200001, 0xc0a80001, 0x08080808, 0x7f000001, NA);
    netfeat_column *dst =
        IPV4S(ctx, 0x08080808, 0xa9fe0101, 0xc0a80001, 0xe0000001, 0x01010101, 0x08080808, 1);
    netfeat_column *ports = INTS(ctx, U16, 0, 1023, 1024, 49151, 49152, 65535, NA);

    EXPECT_COLUMN(ctx, netfeat_feature_ip_private(ctx, src, NULL, ret), "1 1 0 1 0 0 -");
    EXPECT_COLUMN(ctx, netfeat_feature_direction(ctx, src, dst, NULL, ret), "1 3 2 3 4 1 -");
    EXPECT_COLUMN(ctx, netfeat_feature_port_class(ctx, ports, NULL, ret), "1 1 2 2 3 3 -");
    EXPECT_CODE(netfeat_feature_ip_private(ctx, ports, NULL, ret), NETFEAT_ERR_TYPE);
    EXPECT_CODE(netfeat_feature_direction(ctx, src, NULL, NULL, ret), NETFEAT_ERR_ARGUMENT);
    netfeat_column_unref(src);
    netfeat_column_unref(dst);
    netfeat_column_unref(ports);
}

Test(feature, tcp)
{
    static const char *const names[] = {"tcp_flags", "tcp_seq", "dst_ip"};
    netfeat_column *const cols[] = {
        INTS(ctx, U16, NETFEAT_TCP_SYN, NETFEAT_TCP_SYN | NETFEAT_TCP_ACK, NETFEAT_TCP_SYN, NETFEAT_TCP_AE,
             NA),
        INTS(ctx, U32, 0x0a000001, 0x0a000001, 0x0a000002, 0x0a000001, NA),
        IPV4S(ctx, 0x0a000001, 0x0a000001, 0x0a000001, 0x0a000001, 0x0a000001),
    };
    netfeat_table *tab = make_table(ctx, 3, names, cols);
    netfeat_table *flags = NULL;

    EXPECT_COLUMN(ctx, netfeat_feature_mirai_syn(ctx, tab, NULL, ret), "1 0 0 0 -");
    cr_assert_eq(netfeat_feature_tcp_flags(ctx, netfeat_table_column(tab, 0), NULL, &flags), 0);
    cr_expect_eq(netfeat_table_width(flags), 9);
    cr_expect_str_eq(as_text(column_of(flags, "syn")), "1 1 1 0 -");
    cr_expect_str_eq(as_text(column_of(flags, "ack")), "0 1 0 0 -");
    cr_expect_str_eq(as_text(column_of(flags, "ae")), "0 0 0 1 -");
    netfeat_table_unref(flags);
    netfeat_table_unref(tab);
}

Test(feature, payload)
{
    netfeat_column *p = TEXTS(ctx, BYTES, "aaaa", "ab", "abcdefgh", "aab", "", NULL);
    netfeat_table *bins = NULL;

    EXPECT_COLUMN(ctx, netfeat_feature_payload_entropy(ctx, p, NULL, ret), "0 1 3 0.9182958340544897 - -");
    SET(BINS, 4);
    cr_assert_eq(netfeat_feature_payload_histogram(ctx, p, opts, &bins), 0);
    cr_expect_eq(netfeat_table_width(bins), 4);
    cr_expect_str_eq(as_text(column_of(bins, "bin_1")), "4 2 8 3 0 -");
    cr_expect_str_eq(as_text(column_of(bins, "bin_3")), "0 0 0 0 0 -");
    bins = netfeat_table_unref(bins);
    SET(BINS, 3);
    cr_expect_eq(netfeat_feature_payload_histogram(ctx, p, opts, &bins), NETFEAT_ERR_ARGUMENT);
    cr_assert_eq(netfeat_feature_payload_histogram(ctx, p, NULL, &bins), 0);
    cr_expect_eq(netfeat_table_width(bins), 256);
    cr_expect_str_eq(as_text(column_of(bins, "bin_97")), "4 1 1 2 0 -");
    netfeat_table_unref(bins);
    netfeat_column_unref(p);
}

Test(feature, describe)
{
    static const char *const names[] = {"u16", "u32", "i64", "f64", "ip", "empty", "one"};
    netfeat_column *const cols[] = {
        INTS(ctx, U16, 1, 2, 3, 4),      INTS(ctx, U32, 4000000000, 0, NA, 2),
        INTS(ctx, I64, -10, 10, NA, NA), DOUBLES(ctx, 0.5, NAN, -0.25, 4.0),
        IPV4S(ctx, 1, 2, 3, 4),          INTS(ctx, U8, NA, NA, NA, NA),
        INTS(ctx, BOOL, NA, 1, NA, NA),
    };
    netfeat_table *tab = make_table(ctx, 7, names, cols);
    netfeat_table *d = NULL;

    cr_assert_eq(netfeat_feature_describe(ctx, tab, &d), 0);
    cr_expect_str_eq(as_text(column_of(d, "name")), "u16 u32 i64 f64 empty one");
    cr_expect_str_eq(as_text(column_of(d, "count")), "4 3 2 3 0 1");
    cr_expect_str_eq(as_text(column_of(d, "nulls")), "0 1 2 1 4 3");
    cr_expect_str_eq(as_text(column_of(d, "mean")), "2.5 1333333334 0 1.4166666666666667 - 1");
    cr_expect_str_eq(as_text(column_of(d, "std")),
                     "1.2909944487358056 2309401076.181153 14.142135623730951 2.2684429314693664 - -");
    cr_expect_str_eq(as_text(column_of(d, "min")), "1 0 -10 -0.25 - 1");
    cr_expect_str_eq(as_text(column_of(d, "q25")), "1.75 1 -5 0.125 - 1");
    cr_expect_str_eq(as_text(column_of(d, "q50")), "2.5 2 0 0.5 - 1");
    cr_expect_str_eq(as_text(column_of(d, "q75")), "3.25 2000000001 5 2.25 - 1");
    cr_expect_str_eq(as_text(column_of(d, "max")), "4 4000000000 10 4 - 1");
    netfeat_table_unref(d);
    netfeat_table_unref(tab);
}

Test(feature, counts_and_incomplete_rows)
{
    netfeat_table *tab = packets();
    netfeat_table *out = NULL;
    static const int some[] = {1, 2, 4};

    cr_assert_eq(netfeat_feature_value_counts(ctx, netfeat_table_column(tab, 4), NULL, &out), 0);
    cr_expect_str_eq(as_text(column_of(out, "value")), "80 53 443");
    cr_expect_str_eq(as_text(column_of(out, "count")), "3 1 1");
    cr_expect_str_eq(as_text(column_of(out, "share")), "0.6 0.2 0.2");
    out = netfeat_table_unref(out);
    cr_assert_eq(netfeat_feature_incomplete_rows(ctx, tab, some, 3, &out), 0);
    cr_expect_str_eq(as_text(column_of(out, "name")), "src_ip frame_length dst_port any all");
    cr_expect_str_eq(as_text(column_of(out, "missing")), "1 1 1 2 6");
    cr_expect_str_eq(as_text(column_of(out, "missing_alone")), "0 1 0 1 0");
    out = netfeat_table_unref(out);
    cr_expect_eq(netfeat_feature_incomplete_rows(ctx, tab, (const int[]){1, 1}, 2, &out),
                 NETFEAT_ERR_ARGUMENT);
    netfeat_table_unref(tab);
}

Test(feature, window)
{
    static const char *const names[] = {"timestamp", "host", "size", "port"};
    netfeat_column *const cols[] = {
        INTS(ctx, TIME_NS, 0, 5, 10, 9, -1, NA, 12),
        TEXTS(ctx, TEXT, "b", "a", "a", "b", "a", "a", NULL),
        INTS(ctx, U32, 1, 2, 3, NA, 5, 6, 7),
        INTS(ctx, U16, 80, 81, 80, 82, 80, 80, 80),
    };
    netfeat_table *tab = make_table(ctx, 4, names, cols);
    netfeat_table *out = NULL;
    static const int key[] = {1};

    SET(WINDOW_NS, 10);
    cr_assert_eq(netfeat_feature_window(ctx, tab, 2, 3, key, 1, opts, &out), 0, "%s",
                 netfeat_ctx_error_message(ctx));
    cr_expect_str_eq(as_text(column_of(out, "host")), "a a b a");
    cr_expect_str_eq(as_text(column_of(out, "count")), "1 1 2 1");
    cr_expect_str_eq(as_text(column_of(out, "sum")), "5 2 1 3");
    cr_expect_str_eq(as_text(column_of(out, "mean")), "5 2 1 3");
    cr_expect_str_eq(as_text(column_of(out, "std")), "- - - -");
    cr_expect_str_eq(as_text(column_of(out, "distinct")), "1 1 2 1");
    int64_t start = 0;
    cr_expect_eq(netfeat_column_get_i64(column_of(out, "window"), 0, &start), 1);
    cr_expect_eq(start, -10);
    out = netfeat_table_unref(out);
    SET(WINDOW_NS, 100);
    cr_assert_eq(netfeat_feature_window(ctx, tab, 2, -1, NULL, 0, opts, &out), 0);
    cr_expect_eq(netfeat_table_width(out), 5);
    cr_expect_str_eq(as_text(column_of(out, "count")), "1 5");
    cr_expect_str_eq(as_text(column_of(out, "sum")), "5 13");
    cr_expect_str_eq(as_text(column_of(out, "std")), "- 2.6299556396765835");
    netfeat_table_unref(out);
    netfeat_table_unref(tab);
}

/* Doubles: NaN is as NULL, of which `count` alone takes notice, and what is small beside the sum is not lost. */
Test(feature, window_of_doubles)
{
    static const char *const names[] = {"timestamp", "value"};
    netfeat_column *const cols[] = {
        INTS(ctx, TIME_NS, 0, 1, 2, 3, 10, 11, 12, 20),
        DOUBLES(ctx, 1e16, 1, 1, -1e16, 0.5, NAN, 1.5, NAN),
    };
    netfeat_table *tab = make_table(ctx, 2, names, cols);
    netfeat_table *out = NULL;

    SET(WINDOW_NS, 10);
    cr_assert_eq(netfeat_feature_window(ctx, tab, 1, -1, NULL, 0, opts, &out), 0, "%s",
                 netfeat_ctx_error_message(ctx));
    cr_expect_str_eq(as_text(column_of(out, "count")), "4 3 1");
    cr_expect_str_eq(as_text(column_of(out, "sum")), "2 2 0");
    cr_expect_str_eq(as_text(column_of(out, "mean")), "0.5 1 -");
    cr_expect_str_eq(as_text(column_of(out, "std")), "8.16496580927726e+15 0.7071067811865476 -");
    netfeat_table_unref(out);
    netfeat_table_unref(tab);
}

/* Groups beyond feature.max_groups: an error, or, by option, rows that are not counted. */
Test(feature, window_with_too_many_groups)
{
    static const char *const names[] = {"timestamp", "host", "size"};
    netfeat_column *const cols[] = {
        INTS(ctx, TIME_NS, 0, 1, 2, 3, 4),
        INTS(ctx, U16, 1, 2, 3, 1, 3),
        INTS(ctx, U32, 10, 20, 30, 40, 50),
    };
    netfeat_table *tab = make_table(ctx, 3, names, cols);
    netfeat_table *out = NULL;

    SET(WINDOW_NS, 10);
    SET(MAX_GROUPS, 2);
    cr_expect_eq(netfeat_feature_window(ctx, tab, 2, -1, (const int[]){1}, 1, opts, &out), NETFEAT_ERR_LIMIT);
    SET(ON_FULL, 1);
    cr_assert_eq(netfeat_feature_window(ctx, tab, 2, -1, (const int[]){1}, 1, opts, &out), 0, "%s",
                 netfeat_ctx_error_message(ctx));
    cr_expect_str_eq(as_text(column_of(out, "host")), "1 2");
    cr_expect_str_eq(as_text(column_of(out, "count")), "2 1");
    cr_expect_str_eq(as_text(column_of(out, "sum")), "50 20");
    netfeat_table_unref(out);
    netfeat_table_unref(tab);
}

Test(feature, catalogue)
{
    int n = 0;

    for (int f = netfeat_feature_next(0), last = 0; f != 0; last = f, f = netfeat_feature_next(f)) {
        const char *list = netfeat_feature_options(f);
        cr_expect_gt(f, last);
        cr_expect_eq(netfeat_feature_by_name(netfeat_feature_name(f)), f);
        cr_expect_geq(netfeat_feature_version(f), 1);
        cr_expect_gt(strlen(netfeat_feature_formula(f)), 3);
        cr_expect_gt(strlen(netfeat_feature_null_rule(f)), 3);
        cr_expect_not_null(netfeat_feature_unit(f));
        cr_expect_not_null(netfeat_feature_divisor(f));
        cr_expect_not_null(netfeat_feature_inputs(f));
        while (*list != '\0') { /* every option in the list exists */
            char name[64] = "";
            size_t length = strcspn(list, ",");
            memcpy(name, list, length);
            cr_expect_gt(netfeat_option_by_name(name), 0, "%s", name);
            list += length + (list[length] == ',');
        }
        n++;
    }
    cr_expect_eq(n, 22);
    cr_expect_eq(netfeat_feature_version(999), NETFEAT_ERR_NOTFOUND);
    cr_expect_eq(netfeat_feature_by_name("nonsense"), NETFEAT_ERR_NOTFOUND);
    cr_expect_null(netfeat_feature_formula(0));
}

Test(feature, empty_tables)
{
    netfeat_table *tab = packets();
    netfeat_table *none = slice(ctx, tab, 0, 0);
    netfeat_table *out = NULL;

    EXPECT_COLUMN(ctx, netfeat_feature_cumulative(ctx, none, 2, (const int[]){1}, 1, NULL, ret), "");
    EXPECT_COLUMN(ctx, netfeat_feature_frequency(ctx, netfeat_table_column(none, 4), NULL, ret), "");
    EXPECT_COLUMN(ctx, netfeat_feature_ordinal(ctx, netfeat_table_column(none, 1), NULL, ret), "");
    EXPECT_COLUMN(ctx, netfeat_feature_standard_scale(ctx, netfeat_table_column(none, 2), NULL, ret), "");
    EXPECT_COLUMN(ctx, netfeat_feature_timestamp(ctx, none, 1, 1, ret), "");
    cr_expect_eq(netfeat_feature_onehot(ctx, netfeat_table_column(none, 4), NULL, &out), 0);
    cr_expect_eq(netfeat_table_width(out), 0);
    out = netfeat_table_unref(out);
    cr_expect_eq(netfeat_feature_window(ctx, none, 2, -1, NULL, 0, NULL, &out), 0);
    cr_expect_eq(netfeat_table_rows(out), 0);
    cr_expect_eq(netfeat_table_width(out), 5);
    out = netfeat_table_unref(out);
    cr_expect_eq(netfeat_feature_describe(ctx, none, &out), 0);
    cr_expect_str_eq(as_text(column_of(out, "count")), "0 0 0 0");
    netfeat_table_unref(out);
    netfeat_table_unref(none);
    netfeat_table_unref(tab);
}
