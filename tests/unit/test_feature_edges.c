/* Every feature at its edges: a single row with its numbers by hand, a row in which everything is NULL, no rows; and
   what becomes of NULL by choice. */
#include "feature/port_equal.h"
#include "feature_build.h"

enum { COLUMNS = 13 };
static const char *const names[COLUMNS] = {"timestamp", "frame_length", "src_mac",    "dst_mac",   "src_ip",
                                           "dst_ip",    "src_port",     "dst_port",   "tcp_flags", "tcp_seq",
                                           "payload",   "ip_protocol",  "description"};

/* Row 0: a SYN of Mirai's scanner. Row 1: NULL in every column. */
static netfeat_table *rows(netfeat_ctx *ctx, int64_t first, int64_t n)
{
    netfeat_column *const cols[COLUMNS] = {
        INTS(ctx, TIME_NS, 1000, NA),        INTS(ctx, U32, 60, NA),
        TEXTS(ctx, BYTES6, "abcdef", NULL),  TEXTS(ctx, BYTES6, "ghijkl", NULL),
        IPV4S(ctx, 0x0a000001, NA),          IPV4S(ctx, 0x08080808, NA),
        INTS(ctx, U16, 40000, NA),           INTS(ctx, U16, 23, NA),
        INTS(ctx, U16, NETFEAT_TCP_SYN, NA), INTS(ctx, U32, 0x08080808, NA),
        TEXTS(ctx, BYTES, "ab", NULL),       INTS(ctx, U8, 6, NA),
        TEXTS(ctx, TEXT, "x", NULL),
    };
    netfeat_table *tab = make_table(ctx, COLUMNS, names, cols);
    netfeat_table *out = slice(ctx, tab, first, n);

    netfeat_table_unref(tab);
    return out;
}

static const struct {
    int feature;
    const char *name; /* of the option that is not at its default */
    int64_t value;
    const char *single; /* the first columns of row 0, learned from row 0 */
} cases[] = {
    {NETFEAT_FEATURE_CUMULATIVE, NULL, 0, "60"},
    {NETFEAT_FEATURE_CUMULATIVE_BYTES, NULL, 0, "60"},
    {NETFEAT_FEATURE_IP_NUMERIC, NULL, 0, "0 167772161"},
    {NETFEAT_FEATURE_IP_NUMERIC, "feature.ip_mode", NETFEAT_IP_F64, "167772161"},
    {NETFEAT_FEATURE_IP_NUMERIC, "feature.ip_mode", NETFEAT_IP_UNIT, "0.039062500232830644"},
    {NETFEAT_FEATURE_IP_NUMERIC, "feature.ip_mode", NETFEAT_IP_OCTETS,
     "0 0 0 0 0 0 0 0 0 0 255 255 10 0 0 1"},
    {NETFEAT_FEATURE_FREQUENCY, NULL, 0, "1"},
    {NETFEAT_FEATURE_FREQUENCY, "feature.statistic", NETFEAT_STATISTIC_COUNT, "1"},
    {NETFEAT_FEATURE_TIMESTAMP, NULL, 0, "1e-06"},
    {NETFEAT_FEATURE_TIMESTAMP, "feature.relative", 1, "0"},
    {NETFEAT_FEATURE_INTERARRIVAL, NULL, 0, "-"},
    {NETFEAT_FEATURE_INTERARRIVAL, "feature.seconds", 1, "-"},
    {NETFEAT_FEATURE_ONEHOT, NULL, 0, "1"},
    {NETFEAT_FEATURE_ORDINAL, NULL, 0, "0"},
    {NETFEAT_FEATURE_STANDARD_SCALE, NULL, 0, "-"},
    {NETFEAT_FEATURE_MINMAX_SCALE, NULL, 0, "0"},
    {NETFEAT_FEATURE_TCP_FLAGS, NULL, 0, "0 1 0 0 0 0 0 0 0"},
    {NETFEAT_FEATURE_IP_PRIVATE, NULL, 0, "1"},
    {NETFEAT_FEATURE_DIRECTION, NULL, 0, "1"},
    {NETFEAT_FEATURE_PORT_CLASS, NULL, 0, "1"},
    {NETFEAT_FEATURE_MIRAI_SYN, NULL, 0, "1"},
    {NETFEAT_FEATURE_PAYLOAD_ENTROPY, NULL, 0, "1"},
    {NETFEAT_FEATURE_PAYLOAD_HISTOGRAM, "feature.bins", 2, "2 0"},
    {NETFEAT_FEATURE_DAMPED, NULL, 0, "1 60 0"},
    {NETFEAT_FEATURE_DAMPED, "feature.damped_columns", 115, "1 60 0"},
    {NETFEAT_FEATURE_DAMPED, "feature.damped_profile", 1, "1 60 0"},
};
enum { N_CASES = sizeof cases / sizeof cases[0] };

/* Row 0 of the first `most` columns, separated by blanks. */
static const char *row_text(const netfeat_table *tab, int most)
{
    static char text[4096];
    size_t n = 0;

    text[0] = '\0';
    for (int i = 0; i < netfeat_table_width(tab) && i < most; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i > 0 ? " " : "",
                              as_text(netfeat_table_column(tab, i)));
    }
    return text;
}

static netfeat_pipeline *fitted(netfeat_ctx *ctx, int k, int64_t null)
{
    netfeat_pipeline *pipe = NULL;
    netfeat_options *opts = NULL;
    netfeat_table *one = rows(ctx, 0, 1);

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_NULL, null), 0);
    if (cases[k].name != NULL) {
        cr_assert_eq(netfeat_options_set_int(opts, netfeat_option_by_name(cases[k].name), cases[k].value), 0);
    }
    cr_assert_eq(netfeat_pipeline_new(ctx, &pipe), 0);
    cr_assert_eq(netfeat_pipeline_add(pipe, cases[k].feature, NULL, 0, NULL, opts), 0, "%s",
                 netfeat_ctx_error_message(ctx));
    cr_assert_eq(netfeat_pipeline_fit(pipe, one), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_assert_eq(netfeat_pipeline_seal(pipe), 0, "%s", netfeat_ctx_error_message(ctx));
    netfeat_table_unref(one);
    netfeat_options_unref(opts);
    return pipe;
}

/* What a step makes of n rows from `first` on; the code of the call. */
static int applied(netfeat_ctx *ctx, int k, int64_t null, int64_t first, int64_t n, netfeat_table **ret)
{
    netfeat_pipeline *pipe = fitted(ctx, k, null);
    netfeat_table *tab = rows(ctx, first, n);
    int code = netfeat_pipeline_apply(pipe, tab, ret);

    netfeat_table_unref(tab);
    netfeat_pipeline_unref(pipe);
    return code;
}

Test(feature_edges, single_row_null_row_no_rows)
{
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (int k = 0; k < N_CASES; k++) {
        const char *name = netfeat_feature_name(cases[k].feature);
        netfeat_table *out = NULL;
        int width = 1;

        for (const char *p = cases[k].single; *p != '\0'; p++) {
            width += *p == ' ';
        }
        cr_assert_eq(applied(ctx, k, 0, 0, 1, &out), 0, "%s: %s", name, netfeat_ctx_error_message(ctx));
        cr_expect_str_eq(row_text(out, width), cases[k].single, "%s, one row: %s", name,
                         row_text(out, width));
        out = netfeat_table_unref(out);

        cr_assert_eq(applied(ctx, k, 0, 1, 1, &out), 0, "%s: %s", name, netfeat_ctx_error_message(ctx));
        cr_expect_eq(netfeat_table_rows(out), 1);
        for (int i = 0; i < netfeat_table_width(out); i++) {
            cr_expect_eq(netfeat_column_is_null(netfeat_table_column(out, i), 0), 1, "%s: NULL in, %s out",
                         name, as_text(netfeat_table_column(out, i)));
        }
        out = netfeat_table_unref(out);

        cr_assert_eq(applied(ctx, k, NETFEAT_RESULT_ZERO, 1, 1, &out), 0, "%s",
                     netfeat_ctx_error_message(ctx));
        for (int i = 0; i < netfeat_table_width(out); i++) {
            cr_expect_str_eq(as_text(netfeat_table_column(out, i)), "0", "%s: NULL as zero", name);
        }
        out = netfeat_table_unref(out);
        cr_expect_eq(applied(ctx, k, NETFEAT_RESULT_ERROR, 1, 1, &out), NETFEAT_ERR_RANGE, "%s", name);
        cr_expect_null(out);

        cr_assert_eq(applied(ctx, k, NETFEAT_RESULT_ERROR, 0, 0, &out), 0, "%s: %s", name,
                     netfeat_ctx_error_message(ctx));
        cr_expect_eq(netfeat_table_rows(out), 0);
        cr_expect_geq(netfeat_table_width(out), width, "%s: columns without rows", name);
        netfeat_table_unref(out);
    }
    netfeat_ctx_unref(ctx);
}

/* Every feature is here, or in the test below. */
Test(feature_edges, none_is_forgotten)
{
    static const int tables[] = {NETFEAT_FEATURE_DESCRIBE, NETFEAT_FEATURE_VALUE_COUNTS,
                                 NETFEAT_FEATURE_INCOMPLETE_ROWS, NETFEAT_FEATURE_WINDOW};

    for (int f = netfeat_feature_next(0); f != 0; f = netfeat_feature_next(f)) {
        int found = 0;
        for (int k = 0; k < N_CASES; k++) {
            found |= cases[k].feature == f;
        }
        for (size_t k = 0; k < sizeof tables / sizeof tables[0]; k++) {
            found |= tables[k] == f;
        }
        cr_expect(found, "%s", netfeat_feature_name(f));
    }
}

static void describe_and_count(netfeat_ctx *ctx, int64_t first, int64_t n, const char *described,
                               const char *counted, const char *missing)
{
    static const int length[] = {1};
    netfeat_table *tab = rows(ctx, first, n), *one = NULL, *out = NULL;
    char text[256] = "";
    size_t used = 0;

    cr_assert_eq(netfeat_table_select(ctx, tab, length, 1, &one), 0);
    cr_assert_eq(netfeat_feature_describe(ctx, one, &out), 0);
    for (int i = 1; i < netfeat_table_width(out); i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 1 ? " " : "",
                                 as_text(netfeat_table_column(out, i)));
    }
    cr_expect_str_eq(text, described, "%s", text);
    out = netfeat_table_unref(out);
    cr_assert_eq(netfeat_feature_value_counts(ctx, netfeat_table_column(tab, 1), NULL, &out), 0);
    snprintf(text, sizeof text, "%s", as_text(column_of(out, "value")));
    cr_expect_str_eq(text, counted);
    cr_expect_str_eq(as_text(column_of(out, "share")), counted[0] != '\0' ? "1" : "");
    out = netfeat_table_unref(out);
    cr_assert_eq(netfeat_feature_incomplete_rows(ctx, tab, length, 1, &out), 0);
    cr_expect_str_eq(as_text(column_of(out, "missing")), missing);
    netfeat_table_unref(out);
    netfeat_table_unref(one);
    netfeat_table_unref(tab);
}

static void windows(netfeat_ctx *ctx, int64_t first, int64_t n, const char *wanted)
{
    static const int key[] = {4};
    netfeat_table *tab = rows(ctx, first, n), *out = NULL;
    char text[256] = "";
    size_t used = 0;

    cr_assert_eq(netfeat_feature_window(ctx, tab, 1, 7, key, 1, NULL, &out), 0, "%s",
                 netfeat_ctx_error_message(ctx));
    for (int i = 1; i < netfeat_table_width(out); i++) { /* 0: when it began */
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 1 ? " " : "",
                                 as_text(netfeat_table_column(out, i)));
    }
    cr_expect_str_eq(text, wanted, "%s", text);
    netfeat_table_unref(out);
    netfeat_table_unref(tab);
}

Test(feature_edges, tables_about_tables)
{
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    /* count, nulls, mean, std, min, quartiles, max */
    describe_and_count(ctx, 0, 1, "1 0 60 - 60 60 60 60 60", "60", "0 0 1");
    describe_and_count(ctx, 1, 1, "0 1 - - - - - - -", "", "1 1 1");
    describe_and_count(ctx, 0, 2, "1 1 60 - 60 60 60 60 60", "60", "1 1 2");
    describe_and_count(ctx, 0, 0, "0 0 - - - - - - -", "", "0 0 0");
    /* key, count, sum, mean, std, distinct */
    windows(ctx, 0, 1, "10.0.0.1 1 60 60 - 1");
    windows(ctx, 1, 1, "     ");
    windows(ctx, 0, 0, "     ");
    netfeat_ctx_unref(ctx);
}

/* The kernels of this kind of processor against the plain loop: every value that occurs, one that does not, each length. */
Test(feature_edges, ports_compared_in_registers)
{
#ifdef NF_PORT_EQUAL
    enum { ROWS = 256 };
    static const uint16_t values[] = {0, 1, 22, 23, 255, 256, 0x7fff, 0x8000, 0xff17, 0xffff};
    nf_port_equal_fn *kernels[] = {nf_port_equal_sse2, nf_port_equal_sse2};
    uint16_t ports[ROWS];
    uint32_t random = 1;

    if (__builtin_cpu_supports("avx2")) {
        kernels[1] = nf_port_equal_avx2;
    }
    for (int i = 0; i < ROWS; i++) {
        random = random * 1664525u + 1013904223u;
        ports[i] = values[(random >> 16) % 9]; /* never the last one */
    }
    for (size_t k = 0; k < 2; k++) {
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            for (int n = 0; n <= ROWS; n += 32) {
                uint8_t bits[ROWS / 8 + 1], plain[ROWS / 8 + 1];

                memset(bits, 0xa5, sizeof bits);
                memset(plain, 0xa5, sizeof plain);
                kernels[k](ports, values[v], n, bits);
                for (int i = 0; i < n; i++) {
                    plain[i / 8] =
                        (uint8_t)((plain[i / 8] & ~(1 << i % 8)) | (ports[i] == values[v]) << i % 8);
                }
                cr_expect_arr_eq(bits, plain, sizeof bits, "kernel %zu, port %d, %d rows", k, values[v], n);
            }
        }
    }
    cr_expect(nf_port_equal() == kernels[1]);
#endif
}
