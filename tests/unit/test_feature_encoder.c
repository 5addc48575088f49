/* Encoders: unknown values, maps of names, mappings, states, misuse. */
#include "feature_build.h"

#include <stdlib.h>
#include <unistd.h>

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

TestSuite(feature_encoder, .init = setup, .fini = teardown);

#define SET(key, value)      cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_##key, value), 0)
#define SET_TEXT(key, value) cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_FEATURE_##key, value), 0)

/* Fitted on one column and sealed; takes the column's reference. */
static netfeat_encoder *fitted(int feature, netfeat_column *col)
{
    netfeat_encoder *enc = NULL;

    cr_assert_eq(netfeat_encoder_new(ctx, feature, opts, &enc), 0);
    cr_assert_eq(netfeat_encoder_fit(enc, col), 0);
    cr_assert_eq(netfeat_encoder_seal(enc), 0, "%s", netfeat_ctx_error_message(ctx));
    netfeat_column_unref(col);
    return enc;
}

/* First column of what the encoder makes of a column, as text. Takes the encoder and the column. */
static const char *encoded(netfeat_encoder *enc, netfeat_column *col)
{
    static char text[4096];
    netfeat_table *out = NULL;
    int code = netfeat_encoder_apply(ctx, enc, col, &out);

    snprintf(text, sizeof text, "%s",
             code == 0 ? as_text(netfeat_table_column(out, 0)) : netfeat_error_name(code));
    netfeat_table_unref(out);
    netfeat_encoder_unref(enc);
    netfeat_column_unref(col);
    return text;
}

Test(feature_encoder, frequency)
{
    const struct {
        int statistic, unknown;
        const char *text;
    } cases[] = {
        {NETFEAT_STATISTIC_SHARE, 0, "0.5 0.25 - -"},
        {NETFEAT_STATISTIC_SHARE, NETFEAT_UNKNOWN_ZERO, "0.5 0.25 0 -"},
        {NETFEAT_STATISTIC_COUNT, NETFEAT_UNKNOWN_NULL, "2 1 - -"},
        {NETFEAT_STATISTIC_COUNT, NETFEAT_UNKNOWN_ZERO, "2 1 0 -"},
        {NETFEAT_STATISTIC_COUNT, NETFEAT_UNKNOWN_ERROR, "RANGE"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SET(STATISTIC, cases[i].statistic);
        SET(UNKNOWN, cases[i].unknown);
        cr_expect_str_eq(encoded(fitted(NETFEAT_FEATURE_FREQUENCY, INTS(ctx, U16, 80, 80, 443, 53, NA)),
                                 INTS(ctx, U16, 80, 53, 1, NA)),
                         cases[i].text);
        cr_expect_str_eq(encoded(fitted(NETFEAT_FEATURE_FREQUENCY, TEXTS(ctx, TEXT, "a", "a", "", "b", NULL)),
                                 TEXTS(ctx, TEXT, "a", "", "c", NULL)),
                         cases[i].text);
        cr_expect_str_eq(encoded(fitted(NETFEAT_FEATURE_FREQUENCY, DOUBLES(ctx, 0.0, -0.0, 1.5, 2, NAN)),
                                 DOUBLES(ctx, -0.0, 2, 7, NAN)),
                         cases[i].text);
        cr_expect_str_eq(
            encoded(fitted(NETFEAT_FEATURE_FREQUENCY, INTS(ctx, U32, 4000000000, 4000000000, 7, 1)),
                    INTS(ctx, U32, 4000000000, 7, 3, NA)),
            cases[i].text);
    }
}

Test(feature_encoder, ordinal_and_mapping)
{
    netfeat_encoder *enc = fitted(NETFEAT_FEATURE_ORDINAL, INTS(ctx, I64, 5, -3, 100, 5));
    netfeat_table *map = NULL;

    cr_assert_eq(netfeat_encoder_mapping(ctx, enc, &map), 0);
    cr_expect_str_eq(as_text(column_of(map, "value")), "-3 5 100");
    cr_expect_str_eq(as_text(column_of(map, "rank")), "0 1 2");
    netfeat_table_unref(map);
    cr_expect_str_eq(encoded(enc, INTS(ctx, I64, 100, -3, 4, NA)), "2 0 - -");
    enc = fitted(NETFEAT_FEATURE_FREQUENCY, TEXTS(ctx, TEXT, "b", "c", "a", "c"));
    cr_assert_eq(netfeat_encoder_mapping(ctx, enc, &map), 0);
    cr_expect_str_eq(as_text(column_of(map, "value")), "c a b");
    cr_expect_str_eq(as_text(column_of(map, "count")), "2 1 1");
    cr_expect_str_eq(as_text(column_of(map, "share")), "0.5 0.25 0.25");
    netfeat_table_unref(map);
    netfeat_encoder_unref(enc);
}

Test(feature_encoder, onehot_learned)
{
    netfeat_encoder *enc = fitted(NETFEAT_FEATURE_ONEHOT, INTS(ctx, U8, 17, 6, 6, NA));
    netfeat_column *col = INTS(ctx, U8, 6, 17, 1, NA);
    netfeat_table *out = NULL;

    cr_assert_eq(netfeat_encoder_apply(ctx, enc, col, &out), 0);
    cr_expect_eq(netfeat_table_width(out), 2);
    cr_expect_str_eq(as_text(column_of(out, "6")), "1 0 0 -");
    cr_expect_str_eq(as_text(column_of(out, "17")), "0 1 0 -");
    netfeat_table_unref(out);
    netfeat_encoder_unref(enc);
    SET(UNKNOWN, NETFEAT_UNKNOWN_NULL);
    cr_expect_str_eq(encoded(fitted(NETFEAT_FEATURE_ONEHOT, INTS(ctx, U8, 17, 6)), netfeat_column_ref(col)),
                     "1 0 - -");
    SET(MAX_CATEGORIES, 1);
    cr_assert_eq(netfeat_encoder_new(ctx, NETFEAT_FEATURE_ONEHOT, opts, &enc), 0);
    cr_assert_eq(netfeat_encoder_fit(enc, col), 0);
    cr_expect_eq(netfeat_encoder_seal(enc), NETFEAT_ERR_LIMIT);
    cr_expect_eq(netfeat_encoder_seal(enc), NETFEAT_ERR_STATE);
    netfeat_encoder_unref(enc);
    netfeat_column_unref(col);
}

Test(feature_encoder, onehot_of_the_notebook)
{
    netfeat_column *ports = INTS(ctx, U16, 132, 135, 443, 1080, 7, NA);
    netfeat_table *out = NULL;

    SET(PORTS, NETFEAT_PORTS_NOTEBOOK);
    cr_expect_eq(netfeat_feature_onehot(ctx, ports, opts, &out), NETFEAT_ERR_ARGUMENT);
    SET(DUPLICATES, NETFEAT_DUPLICATES_LAST_WINS);
    cr_assert_eq(netfeat_feature_onehot(ctx, ports, opts, &out), 0);
    cr_expect_eq(netfeat_table_width(out), 26);
    cr_expect_eq(netfeat_table_find(out, "ICMP"), 0);
    cr_expect_eq(netfeat_table_find(out, "SCTP"), 11); /* where 132 was, set by 135 */
    cr_expect_str_eq(as_text(column_of(out, "SCTP")), "0 1 0 0 0 -");
    cr_expect_str_eq(as_text(column_of(out, "HTTPS")), "0 0 1 0 0 -");
    cr_expect_eq(netfeat_table_find(out, "SOCKS_proxy"), 25);
    out = netfeat_table_unref(out);
    SET(DUPLICATES, NETFEAT_DUPLICATES_SUFFIX);
    SET(NULL, NETFEAT_RESULT_ZERO);
    cr_assert_eq(netfeat_feature_onehot(ctx, ports, opts, &out), 0);
    cr_expect_eq(netfeat_table_width(out), 27);
    cr_expect_str_eq(as_text(column_of(out, "SCTP_132")), "1 0 0 0 0 0");
    cr_expect_str_eq(as_text(column_of(out, "SCTP_135")), "0 1 0 0 0 0");
    out = netfeat_table_unref(out);
    cr_assert_eq(netfeat_feature_ports(ctx, NETFEAT_PORTS_NOTEBOOK, NULL, &out), 0);
    cr_expect_eq(netfeat_table_rows(out), 27);
    netfeat_table_unref(out);
    netfeat_column_unref(ports);
}

/* Long columns without NULLs take another way, by sixteen rows: it sets the same bits. */
Test(feature_encoder, onehot_of_many_rows)
{
    enum { ROWS = 20011 };
    int64_t *ports = malloc(ROWS * sizeof *ports);
    netfeat_column *col;
    netfeat_table *out = NULL;

    for (int i = 0; i < ROWS; i++) {
        ports[i] = i % 3 == 0 ? 443 : i % 5 == 0 ? 135 : i % 65536;
    }
    col = ints(ctx, NETFEAT_TYPE_U16, ports, ROWS);
    SET(PORTS, NETFEAT_PORTS_NOTEBOOK);
    SET(DUPLICATES, NETFEAT_DUPLICATES_SUFFIX);
    cr_assert_eq(netfeat_feature_onehot(ctx, col, opts, &out), 0);
    for (int i = 0; i < ROWS; i++) {
        uint64_t https = 9, sctp = 9, dns = 9;
        cr_assert_eq(netfeat_column_get_u64(column_of(out, "HTTPS"), i, &https), 1);
        cr_assert_eq(netfeat_column_get_u64(column_of(out, "SCTP_135"), i, &sctp), 1);
        cr_assert_eq(netfeat_column_get_u64(column_of(out, "DNS"), i, &dns), 1);
        cr_assert(https == (ports[i] == 443) && sctp == (ports[i] == 135) && dns == (ports[i] == 53),
                  "row %d", i);
    }
    netfeat_table_unref(out);
    netfeat_column_unref(col);
    free(ports);
}

Test(feature_encoder, onehot_of_maps)
{
    static const struct {
        const char *map;
        int code;
    } cases[] = {
        {"70000=far,5=near", 0},           {"5", NETFEAT_ERR_ARGUMENT},
        {"5=", NETFEAT_ERR_ARGUMENT},      {"x=a", NETFEAT_ERR_ARGUMENT},
        {"5=a,5=b", NETFEAT_ERR_ARGUMENT}, {"99999999999999999999=a", NETFEAT_ERR_ARGUMENT},
    };
    netfeat_column *col = INTS(ctx, U32, 70000, 5, 6, NA);
    netfeat_table *out = NULL;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SET_TEXT(MAP, cases[i].map);
        cr_expect_eq(netfeat_feature_onehot(ctx, col, opts, &out), cases[i].code, "%s", cases[i].map);
        if (cases[i].code == 0) {
            cr_expect_str_eq(as_text(column_of(out, "far")), "1 0 0 -");
            cr_expect_str_eq(as_text(column_of(out, "near")), "0 1 0 -");
            out = netfeat_table_unref(out);
        }
    }
    SET(PORTS, NETFEAT_PORTS_NOTEBOOK);
    cr_expect_eq(netfeat_feature_onehot(ctx, col, opts, &out), NETFEAT_ERR_ARGUMENT);
    netfeat_column_unref(col);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    cr_assert_geq(fputs(text, f), 0);
    cr_assert_eq(fclose(f), 0);
}

Test(feature_encoder, services_of_the_system)
{
    char path[] = "/tmp/netfeat-services-XXXXXX";
    int fd = mkstemp(path);
    netfeat_table *out = NULL;

    cr_assert_geq(fd, 0);
    close(fd);
    write_file(path, "# comment\nssh 22/tcp # Secure\nssh-alt\t22/udp\n\nhttp 80/tcp www\nbad "
                     "70000/tcp\nodd\nssh 2222/tcp");
    SET_TEXT(SERVICES_FILE, path);
    cr_assert_eq(netfeat_feature_ports(ctx, NETFEAT_PORTS_SERVICES, opts, &out), 0, "%s",
                 netfeat_ctx_error_message(ctx));
    cr_expect_str_eq(as_text(column_of(out, "value")), "22 80 2222");
    cr_expect_str_eq(as_text(column_of(out, "name")), "ssh http ssh_2222");
    out = netfeat_table_unref(out);
    /* what was read stays with the encoder, also when the file is gone */
    SET(PORTS, NETFEAT_PORTS_SERVICES);
    netfeat_encoder *enc = fitted(NETFEAT_FEATURE_ONEHOT, INTS(ctx, U16, 1)), *again = NULL;
    netfeat_encoder *learning = NULL;
    netfeat_table *unsealed = NULL;
    cr_assert_eq(netfeat_encoder_new(ctx, NETFEAT_FEATURE_ONEHOT, opts, &learning), 0);
    netfeat_column *col = INTS(ctx, U16, 1);
    cr_assert_eq(netfeat_encoder_fit(learning, col), 0);
    netfeat_column_unref(col);
    cr_assert_eq(netfeat_encoder_to_table(ctx, learning, &unsealed), 0);
    cr_assert_eq(unlink(path), 0);
    cr_expect_eq(netfeat_feature_ports(ctx, NETFEAT_PORTS_SERVICES, opts, &out), NETFEAT_ERR_NOTFOUND);
    cr_assert_eq(netfeat_encoder_to_table(ctx, enc, &out), 0);
    cr_assert_eq(netfeat_encoder_from_table(ctx, out, &again), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_expect_str_eq(encoded(again, INTS(ctx, U16, 22, 80)), "1 0");
    netfeat_table_unref(out);
    netfeat_encoder_unref(enc);
    /* and with the state of one that is not sealed: its table opens no file */
    again = NULL;
    cr_assert_eq(netfeat_encoder_from_table(ctx, unsealed, &again), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_assert_eq(netfeat_encoder_seal(again), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_expect_str_eq(encoded(again, INTS(ctx, U16, 22, 80)), "1 0");
    netfeat_table_unref(unsealed);
    netfeat_encoder_unref(learning);
}

Test(feature_encoder, scaling)
{
    netfeat_table *map = NULL;
    netfeat_encoder *enc = fitted(NETFEAT_FEATURE_STANDARD_SCALE, INTS(ctx, U32, 2, 4, 4, 4, 5, 5, 7, 9, NA));

    cr_assert_eq(netfeat_encoder_mapping(ctx, enc, &map), 0);
    cr_expect_str_eq(as_text(column_of(map, "mean")), "5");
    cr_expect_str_eq(as_text(column_of(map, "std")), "2.138089935299395");
    cr_expect_str_eq(as_text(column_of(map, "max")), "9");
    netfeat_table_unref(map);
    cr_expect_str_eq(encoded(enc, INTS(ctx, U32, 5, 9, NA)), "0 1.8708286933869707 -");
    cr_expect_str_eq(encoded(fitted(NETFEAT_FEATURE_STANDARD_SCALE, INTS(ctx, U32, 7)), INTS(ctx, U32, 7)),
                     "-");
    cr_expect_str_eq(encoded(fitted(NETFEAT_FEATURE_STANDARD_SCALE, INTS(ctx, U32, 7, 7)), INTS(ctx, U32, 8)),
                     "1");
    cr_expect_str_eq(
        encoded(fitted(NETFEAT_FEATURE_MINMAX_SCALE, INTS(ctx, I64, -10, 30)), INTS(ctx, I64, 0, 50)),
        "0.25 1.5");
    cr_expect_str_eq(
        encoded(fitted(NETFEAT_FEATURE_MINMAX_SCALE, DOUBLES(ctx, 1, NAN)), DOUBLES(ctx, 3, NAN, NA)),
        "2 - -");
}

Test(feature_encoder, misuse)
{
    netfeat_column *u16 = INTS(ctx, U16, 1, 2), *u32 = INTS(ctx, U32, 1, 2), *text = TEXTS(ctx, TEXT, "a");
    netfeat_encoder *enc = NULL, *other = NULL;
    netfeat_table *out = NULL;

    cr_expect_eq(netfeat_encoder_new(ctx, NETFEAT_FEATURE_CUMULATIVE, NULL, &enc), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_encoder_new(ctx, 999, NULL, &enc), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_encoder_new(NULL, NETFEAT_FEATURE_FREQUENCY, NULL, &enc), NETFEAT_ERR_ARGUMENT);
    cr_assert_eq(netfeat_encoder_new(ctx, NETFEAT_FEATURE_FREQUENCY, NULL, &enc), 0);
    cr_assert_eq(netfeat_encoder_new(ctx, NETFEAT_FEATURE_ORDINAL, NULL, &other), 0);
    cr_expect_eq(netfeat_encoder_apply(ctx, enc, u16, &out), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_encoder_mapping(ctx, enc, &out), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_encoder_fit(enc, u16), 0);
    cr_expect_eq(netfeat_encoder_fit(enc, u32), NETFEAT_ERR_TYPE);
    cr_expect_eq(netfeat_encoder_fit(enc, u16), 0); /* a refused column does no harm */
    cr_expect_eq(netfeat_encoder_merge(enc, other), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_encoder_merge(enc, enc), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_encoder_seal(enc), 0);
    cr_expect_eq(netfeat_encoder_seal(enc), 0);
    cr_expect_eq(netfeat_encoder_fit(enc, u16), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_encoder_apply(ctx, enc, u32, &out), NETFEAT_ERR_TYPE);
    cr_expect_eq(netfeat_encoder_apply(ctx, enc, NULL, &out), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_feature_standard_scale(ctx, text, NULL, NULL), NETFEAT_ERR_ARGUMENT);
    EXPECT_CODE(netfeat_feature_standard_scale(ctx, text, NULL, ret), NETFEAT_ERR_TYPE);
    SET(MAX_GROUPS, 1);
    EXPECT_CODE(netfeat_feature_frequency(ctx, u32, opts, ret), NETFEAT_ERR_LIMIT);
    cr_expect_null(out);
    netfeat_encoder_unref(enc);
    netfeat_encoder_unref(other);
    netfeat_column_unref(u16);
    netfeat_column_unref(u32);
    netfeat_column_unref(text);
}

static void expect_eviction(netfeat_column *key)
{
    static const char *const inputs[] = {"size", "key"};
    netfeat_accumulator *acc = NULL;
    netfeat_column *cols[] = {INTS(ctx, U32, 1, 1, 1, 1, 1, 1, 1), key};
    netfeat_table *tab = make_table(ctx, 2, inputs, cols), *out = NULL;

    cr_assert_eq(netfeat_accumulator_new(ctx, NETFEAT_FEATURE_CUMULATIVE, inputs, 2, opts, &acc), 0);
    cr_assert_eq(netfeat_accumulator_push(acc, tab, &out), 0, "%s", netfeat_ctx_error_message(ctx));
    /* at the first 3 all keys were seen: the hand clears both and takes the first, key 1; then key 2 goes for 1 */
    cr_expect_str_eq(as_text(netfeat_table_column(out, 0)), "1 1 2 1 1 1 2");
    cr_expect_eq(netfeat_accumulator_count(acc, NETFEAT_COUNT_KEYS), 2);
    cr_expect_eq(netfeat_accumulator_count(acc, NETFEAT_COUNT_EVICTED), 3);
    cr_expect_eq(netfeat_accumulator_count(acc, NETFEAT_COUNT_ROWS), 7);
    cr_expect_eq(netfeat_accumulator_count(acc, 99), NETFEAT_ERR_ARGUMENT);
    netfeat_table_unref(out);
    netfeat_table_unref(tab);
    netfeat_accumulator_unref(acc);
}

/* Keys of few bytes have an index of their own. */
Test(feature_encoder, eviction_is_visible_and_bounded)
{
    SET(MAX_GROUPS, 2);
    SET(ON_FULL, 1);
    expect_eviction(INTS(ctx, U64, 1, 2, 1, 3, 1, 2, 1));
    expect_eviction(INTS(ctx, U32, 1, 2, 1, 3, 1, 2, 1));
    expect_eviction(INTS(ctx, U16, 1, 2, 1, 3, 1, 2, 1));
    expect_eviction(INTS(ctx, U8, 1, 2, 1, 3, 1, 2, 1));
}

/* Results and objects outlive what they came from, in any order of release. */
Test(feature_encoder, references)
{
    static const char *const inputs[] = {"size"};
    netfeat_ctx *own = NULL;
    netfeat_encoder *enc = NULL, *enc2;
    netfeat_accumulator *acc = NULL, *acc2;
    netfeat_pipeline *pipe = NULL, *pipe2;
    netfeat_table *tab, *out = NULL;
    netfeat_column *cols[1];

    cr_assert_eq(netfeat_ctx_new(&own), 0);
    cols[0] = INTS(own, U32, 3, 4);
    tab = make_table(own, 1, inputs, cols);
    cr_assert_eq(netfeat_encoder_new(own, NETFEAT_FEATURE_ORDINAL, NULL, &enc), 0);
    cr_assert_eq(netfeat_accumulator_new(own, NETFEAT_FEATURE_CUMULATIVE, inputs, 1, NULL, &acc), 0);
    cr_assert_eq(netfeat_pipeline_new(own, &pipe), 0);
    netfeat_ctx_unref(own);
    cr_assert_eq(netfeat_accumulator_push(acc, tab, &out), 0);
    enc2 = netfeat_encoder_ref(enc);
    acc2 = netfeat_accumulator_ref(acc);
    pipe2 = netfeat_pipeline_ref(pipe);
    cr_expect_eq(enc, enc2);
    cr_expect_null(netfeat_encoder_unref(enc));
    cr_expect_null(netfeat_accumulator_unref(acc));
    cr_expect_null(netfeat_pipeline_unref(pipe));
    cr_expect_eq(netfeat_encoder_seal(enc2), 0);
    cr_expect_eq(netfeat_accumulator_count(acc2, NETFEAT_COUNT_ROWS), 2);
    cr_expect_eq(netfeat_pipeline_steps(pipe2), 0);
    cr_expect_null(netfeat_pipeline_unref(pipe2));
    cr_expect_null(netfeat_encoder_unref(enc2));
    cr_expect_null(netfeat_accumulator_unref(acc2));
    netfeat_table_unref(tab);
    cr_expect_str_eq(as_text(netfeat_table_column(out, 0)), "3 7");
    netfeat_table_unref(out);
    cr_expect_null(netfeat_encoder_ref(NULL));
    cr_expect_null(netfeat_accumulator_unref(NULL));
}
