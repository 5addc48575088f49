/* Every public call of the feature headers with every allocation refused once, and from there on. Functions succeed
   on the second try; an object that was changing its state may say STATE from then on, as its header says. */
#include "feature_random.h"

#include "torture.h"

enum { ROWS = 40 };

/* The input is made with a context of its own, which never fails. */
typedef struct {
    netfeat_table *tab;
    int which;
} input;

static void saw_column(torture *t, netfeat_column *col)
{
    int64_t n = netfeat_column_length(col);
    torture_saw(t, netfeat_column_data(col), (size_t)n * (size_t)netfeat_column_value_bytes(col));
    torture_saw(t, as_text(col), strlen(as_text(col)));
}

/* ---- functions that give a column ---- */

static int column_functions(torture *t, void *user)
{
    const input *in = user;
    const netfeat_table *tab = in->tab;
    static const int keys[] = {4, 14};
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_column *col = NULL;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        return code;
    }
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_NULL_KEY, 1));
    switch (in->which) {
    case 0:
        TRY(t, netfeat_feature_cumulative(ctx, tab, 1, keys, 2, opts, &col));
        break;
    case 1:
        TRY(t, netfeat_feature_cumulative_bytes(ctx, tab, keys, 1, NULL, &col));
        break;
    case 2:
        TRY(t, netfeat_feature_cumulative(ctx, tab, 13, keys + 1, 1, NULL, &col));
        break;
    case 3:
        TRY(t, netfeat_feature_interarrival(ctx, tab, keys, 1, opts, &col));
        break;
    case 4:
        TRY(t, netfeat_feature_timestamp(ctx, tab, 1000, 1, &col));
        break;
    case 5:
        TRY(t, netfeat_feature_frequency(ctx, column_of(tab, "src_ip"), NULL, &col));
        break;
    case 6:
        TRY(t, netfeat_feature_ordinal(ctx, column_of(tab, "word"), NULL, &col));
        break;
    case 7:
        TRY(t, netfeat_feature_standard_scale(ctx, column_of(tab, "real"), NULL, &col));
        break;
    case 8:
        TRY(t, netfeat_feature_minmax_scale(ctx, column_of(tab, "signed"), NULL, &col));
        break;
    case 9:
        TRY(t, netfeat_feature_ip_private(ctx, column_of(tab, "src_ip"), NULL, &col));
        break;
    case 10:
        TRY(t,
            netfeat_feature_direction(ctx, column_of(tab, "src_ip"), column_of(tab, "dst_ip"), NULL, &col));
        break;
    case 11:
        TRY(t, netfeat_feature_port_class(ctx, column_of(tab, "dst_port"), NULL, &col));
        break;
    case 12:
        TRY(t, netfeat_feature_mirai_syn(ctx, tab, NULL, &col));
        break;
    default:
        TRY(t, netfeat_feature_payload_entropy(ctx, column_of(tab, "payload"), NULL, &col));
    }
    saw_column(t, col);
out:
    netfeat_column_unref(col);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
    return code;
}

/* ---- a table of the context that computes: its columns keep what was found out about them ---- */

static int own_table(torture *t, void *user)
{
    const input *in = user;
    static const char *const names[] = {"src_ip", "frame_length", "timestamp"};
    static const int key[] = {0};
    netfeat_ctx *ctx = NULL;
    netfeat_column *cols[3] = {NULL, NULL, NULL}, *out = NULL;
    netfeat_table *tab = NULL, *counts = NULL;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        return code;
    }
    for (int i = 0; i < 3; i++) {
        const netfeat_column *from = column_of(in->tab, names[i]);
        TRY(t, netfeat_column_wrap(ctx, netfeat_column_type(from), ROWS, netfeat_column_data(from), NULL,
                                   NULL, NULL, &cols[i]));
    }
    TRY(t, netfeat_table_from_columns(ctx, names, cols, 3, &tab));
    TRY(t, netfeat_feature_cumulative_bytes(ctx, tab, key, 1, NULL, &out));
    saw_column(t, out);
    out = netfeat_column_unref(out);
    TRY(t, netfeat_feature_interarrival(ctx, tab, key, 1, NULL, &out));
    saw_column(t, out);
    TRY(t, netfeat_feature_value_counts(ctx, cols[0], NULL, &counts));
    torture_saw_table(t, counts);
out:
    netfeat_table_unref(counts);
    netfeat_column_unref(out);
    netfeat_table_unref(tab);
    for (int i = 0; i < 3; i++) {
        netfeat_column_unref(cols[i]);
    }
    netfeat_ctx_unref(ctx);
    return code;
}

/* ---- what never needs memory: the catalogue, while every allocation fails or none ---- */

static int catalogue(torture *t, void *user)
{
    netfeat_ctx *ctx = NULL;
    int code = torture_ctx(t, &ctx);

    (void)user;
    if (code != 0) {
        return code;
    }
    for (int f = netfeat_feature_next(0); f != 0; f = netfeat_feature_next(f)) {
        const char *const texts[] = {netfeat_feature_name(f),    netfeat_feature_inputs(f),
                                     netfeat_feature_formula(f), netfeat_feature_unit(f),
                                     netfeat_feature_divisor(f), netfeat_feature_null_rule(f),
                                     netfeat_feature_options(f)};
        int version = netfeat_feature_version(f);
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
            torture_saw(t, texts[i], strlen(texts[i]));
        }
        torture_saw(t, &version, sizeof version);
        code = netfeat_feature_by_name(texts[0]) == f ? 0 : NETFEAT_ERR_NOTFOUND;
        if (code != 0) {
            break;
        }
    }
    netfeat_ctx_unref(ctx);
    return code;
}

/* ---- functions that give a table ---- */

static int table_functions(torture *t, void *user)
{
    const input *in = user;
    const netfeat_table *tab = in->tab;
    static const int keys[] = {4, 14};
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_table *out = NULL;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        return code;
    }
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_DUPLICATES, NETFEAT_DUPLICATES_SUFFIX));
    TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_BINS, 4));
    switch (in->which) {
    case 0:
        TRY(t, netfeat_feature_ip_numeric(ctx, column_of(tab, "src_ip"), NULL, &out));
        break;
    case 1:
        TRY(t, netfeat_feature_onehot(ctx, column_of(tab, "word"), NULL, &out));
        break;
    case 2:
        TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_PORTS, NETFEAT_PORTS_NOTEBOOK));
        TRY(t, netfeat_feature_onehot(ctx, column_of(tab, "dst_port"), opts, &out));
        break;
    case 3:
        TRY(t, netfeat_feature_tcp_flags(ctx, column_of(tab, "tcp_flags"), NULL, &out));
        break;
    case 4:
        TRY(t, netfeat_feature_payload_histogram(ctx, column_of(tab, "payload"), opts, &out));
        break;
    case 5:
        TRY(t, netfeat_feature_describe(ctx, tab, &out));
        break;
    case 6:
        TRY(t, netfeat_feature_value_counts(ctx, column_of(tab, "src_ip"), NULL, &out));
        break;
    case 7:
        TRY(t, netfeat_feature_incomplete_rows(ctx, tab, NULL, 0, &out));
        break;
    case 8:
        TRY(t, netfeat_feature_window(ctx, tab, 1, 7, keys, 2, opts, &out));
        break;
    case 9:
        TRY(t, netfeat_feature_damped(ctx, tab, NULL, &out));
        break;
    case 10:
        TRY(t, netfeat_feature_ports(ctx, NETFEAT_PORTS_NOTEBOOK, NULL, &out));
        break;
    default:
        TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_DAMPED_PROFILE, 1));
        TRY(t, netfeat_feature_damped(ctx, tab, opts, &out));
    }
    torture_saw_table(t, out);
out:
    netfeat_table_unref(out);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
    return code;
}

/* ---- encoders ---- */

static const struct {
    int feature;
    const char *column;
} encoder_cases[] = {
    {NETFEAT_FEATURE_FREQUENCY, "dst_port"},  {NETFEAT_FEATURE_FREQUENCY, "word"},
    {NETFEAT_FEATURE_ONEHOT, "ip_protocol"},  {NETFEAT_FEATURE_ORDINAL, "src_ip"},
    {NETFEAT_FEATURE_STANDARD_SCALE, "real"},
};

static int encoders(torture *t, void *user)
{
    const input *in = user;
    netfeat_column *col = column_of(in->tab, encoder_cases[in->which].column);
    netfeat_ctx *ctx = NULL;
    netfeat_encoder *a = NULL, *b = NULL, *again = NULL;
    netfeat_table *state = NULL, *out = NULL, *mapping = NULL;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        return code;
    }
    TRY(t, netfeat_encoder_new(ctx, encoder_cases[in->which].feature, NULL, &a));
    TRY(t, netfeat_encoder_new(ctx, encoder_cases[in->which].feature, NULL, &b));
    TRY_STATE(t, netfeat_encoder_fit(a, col));
    TRY_STATE(t, netfeat_encoder_fit(b, col));
    TRY_STATE(t, netfeat_encoder_merge(a, b));
    TRY(t, netfeat_encoder_to_table(ctx, a, &state));
    TRY(t, netfeat_encoder_from_table(ctx, state, &again));
    TRY_STATE(t, netfeat_encoder_seal(again));
    TRY(t, netfeat_encoder_apply(ctx, again, col, &out));
    TRY(t, netfeat_encoder_mapping(ctx, again, &mapping));
    torture_saw_table(t, out);
    torture_saw_table(t, mapping);
    netfeat_encoder_unref(netfeat_encoder_ref(again));
out:
    netfeat_table_unref(mapping);
    netfeat_table_unref(out);
    netfeat_table_unref(state);
    netfeat_encoder_unref(again);
    netfeat_encoder_unref(b);
    netfeat_encoder_unref(a);
    netfeat_ctx_unref(ctx);
    return code;
}

/* ---- accumulators ---- */

static const struct {
    int feature;
    const char *inputs[4];
    size_t n;
} accumulator_cases[] = {
    {NETFEAT_FEATURE_CUMULATIVE, {"frame_length", "src_ip"}, 2},
    {NETFEAT_FEATURE_CUMULATIVE, {"real", "word", "dst_port"}, 3},
    {NETFEAT_FEATURE_INTERARRIVAL, {"timestamp", "dst_mac"}, 2},
    {NETFEAT_FEATURE_TIMESTAMP, {NULL}, 0},
    {NETFEAT_FEATURE_WINDOW, {"timestamp", "signed", "src_ip"}, 3},
    {NETFEAT_FEATURE_DAMPED, {NULL}, 0},
};

/* Kinds that do not merge are left as they are. */
static int merge_if_exact(netfeat_accumulator *a, const netfeat_accumulator *b)
{
    int code = netfeat_accumulator_merge(a, b);
    return code == NETFEAT_ERR_UNSUPPORTED ? 0 : code;
}

static int accumulators(torture *t, void *user)
{
    const input *in = user;
    int window = accumulator_cases[in->which].feature == NETFEAT_FEATURE_WINDOW;
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_accumulator *a = NULL, *b = NULL, *again = NULL;
    int64_t counted;
    netfeat_table *first = NULL, *second = NULL, *third = NULL, *state = NULL, *rest = NULL;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        return code;
    }
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_accumulator_new(ctx, accumulator_cases[in->which].feature,
                                   accumulator_cases[in->which].inputs, accumulator_cases[in->which].n, opts,
                                   &a));
    TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_FIRST_ROW, ROWS));
    TRY(t, netfeat_accumulator_new(ctx, accumulator_cases[in->which].feature,
                                   accumulator_cases[in->which].inputs, accumulator_cases[in->which].n, opts,
                                   &b));
    TRY_STATE(t, netfeat_accumulator_push(a, in->tab, &first));
    TRY_STATE(t, netfeat_accumulator_push(b, in->tab, &second));
    TRY_STATE(t, merge_if_exact(a, b));
    TRY(t, netfeat_accumulator_to_table(ctx, a, &state));
    TRY(t, netfeat_accumulator_from_table(ctx, state, &again));
    TRY_STATE(t, netfeat_accumulator_push(again, in->tab, &third));
    torture_saw_table(t, third);
    netfeat_accumulator_unref(netfeat_accumulator_ref(again));
    counted = netfeat_accumulator_count(again, NETFEAT_COUNT_KEYS);
    torture_saw(t, &counted, sizeof counted);
    if (window) {
        TRY_STATE(t, netfeat_accumulator_finish(again, &rest));
        torture_saw_table(t, rest);
    }
out:
    netfeat_table_unref(rest);
    netfeat_table_unref(state);
    netfeat_table_unref(third);
    netfeat_table_unref(second);
    netfeat_table_unref(first);
    netfeat_accumulator_unref(again);
    netfeat_accumulator_unref(b);
    netfeat_accumulator_unref(a);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
    return code;
}

/* ---- pipelines ---- */

static void saw_text(torture *t, const char *text)
{
    torture_saw(t, text, strlen(text));
}

static void saw_steps(torture *t, const netfeat_pipeline *pipe)
{
    for (int i = 0; i < netfeat_pipeline_steps(pipe); i++) {
        saw_text(t, netfeat_feature_name(netfeat_pipeline_step_feature(pipe, i)));
        saw_text(t, netfeat_pipeline_step_output(pipe, i));
        for (int k = 0; k < netfeat_pipeline_step_inputs(pipe, i); k++) {
            saw_text(t, netfeat_pipeline_step_input(pipe, i, k));
        }
    }
}

static int pipelines(torture *t, void *user)
{
    static const char json[] =
        "{\"version\":1,\"steps\":["
        "{\"feature\":\"cumulative\",\"inputs\":[\"frame_length\",\"src_ip\"],\"output\":\"sum\"},"
        "{\"feature\":\"standard_scale\",\"inputs\":[\"sum\"]},"
        "{\"feature\":\"onehot\",\"options\":{\"feature.map\":\"80=a,443=b\"}}]}";
    static const char *const word[] = {"word"};
    const input *in = user;
    netfeat_ctx *ctx = NULL;
    netfeat_pipeline *a = NULL, *b = NULL, *again = NULL, *empty = NULL;
    netfeat_table *state = NULL, *out = NULL;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        return code;
    }
    TRY(t, netfeat_pipeline_new(ctx, &empty));
    TRY(t, netfeat_pipeline_from_json(ctx, json, sizeof json - 1, &a));
    TRY(t, netfeat_pipeline_from_json(ctx, json, sizeof json - 1, &b));
    TRY(t, netfeat_pipeline_add(a, NETFEAT_FEATURE_ORDINAL, word, 1, "rank", NULL));
    TRY(t, netfeat_pipeline_add(b, NETFEAT_FEATURE_ORDINAL, word, 1, "rank", NULL));
    TRY_STATE(t, netfeat_pipeline_fit(a, in->tab));
    TRY_STATE(t, netfeat_pipeline_fit(b, in->tab));
    TRY_STATE(t, netfeat_pipeline_merge(a, b));
    TRY_STATE(t, netfeat_pipeline_seal(a));
    TRY_STATE(t, netfeat_pipeline_apply(a, in->tab, &out));
    out = netfeat_table_unref(out);
    TRY(t, netfeat_pipeline_reset(a));
    TRY(t, netfeat_pipeline_to_table(ctx, a, &state));
    TRY(t, netfeat_pipeline_from_table(ctx, state, &again));
    TRY_STATE(t, netfeat_pipeline_apply(again, in->tab, &out));
    torture_saw_table(t, out);
    netfeat_pipeline_unref(netfeat_pipeline_ref(again));
    saw_steps(t, again);
out:
    netfeat_table_unref(out);
    netfeat_table_unref(state);
    netfeat_pipeline_unref(again);
    netfeat_pipeline_unref(empty);
    netfeat_pipeline_unref(b);
    netfeat_pipeline_unref(a);
    netfeat_ctx_unref(ctx);
    return code;
}

/* points: allocations that were refused, one after the other */
static void run_all(torture_case body, const char *name, int cases, uint64_t at_least)
{
    netfeat_ctx *ctx = NULL;
    uint64_t points = 0;
    input in = {NULL, 0};

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    in.tab = random_packets(ctx, 17, ROWS, 9);
    for (in.which = 0; in.which < cases; in.which++) {
        const char *wrong = torture_run(body, &in, &points);
        cr_expect_null(wrong, "%s %d: %s", name, in.which, wrong != NULL ? wrong : "");
    }
    cr_expect_gt(points, at_least);
    netfeat_table_unref(in.tab);
    netfeat_ctx_unref(ctx);
}

Test(feature_alloc, functions)
{
    run_all(column_functions, "column function", 14, 50);
    run_all(own_table, "own table", 1, 50);
    run_all(table_functions, "table function", 12, 50);
}

Test(feature_alloc, encoders)
{
    run_all(encoders, "encoder", 5, 50);
}

Test(feature_alloc, accumulators)
{
    run_all(accumulators, "accumulator", 6, 50);
}

Test(feature_alloc, pipelines)
{
    run_all(pipelines, "pipeline", 1, 50);
    run_all(catalogue, "catalogue", 1, 0);
}
