/* Pipelines: from JSON, fitted, saved, loaded, applied in batches; hostile JSON and hostile state tables. */
#include "feature_random.h"

#include <stdlib.h>

static const char JSON[] =
    "{\"version\": 1, \"steps\": [\n"
    "  {\"feature\": \"cumulative\", \"inputs\": [\"frame_length\", \"src_ip\"], \"output\": \"src_bytes\","
    "   \"options\": {\"feature.null_key\": true}},\n"
    "  {\"feature\": \"interarrival\", \"options\": {\"feature.seconds\": 1}},\n"
    "  {\"feature\": \"timestamp\", \"output\": \"t\"},\n"
    "  {\"feature\": \"ip_numeric\", \"inputs\": [\"dst_ip\"], \"output\": \"dst\"},\n"
    "  {\"feature\": \"frequency\", \"inputs\": [\"dst_port\"], \"output\": \"port_share\"},\n"
    "  {\"feature\": \"onehot\", \"options\": {\"feature.ports\": 1, \"feature.duplicates\": 1}},\n"
    "  {\"feature\": \"onehot\", \"inputs\": [\"ip_protocol\"], \"output\": \"protocol\"},\n"
    "  {\"feature\": \"standard_scale\", \"inputs\": [\"src_bytes\"], \"output\": \"scaled\"},\n"
    "  {\"feature\": \"minmax_scale\", \"inputs\": [\"real\"]},\n"
    "  {\"feature\": \"ordinal\", \"inputs\": [\"word\"], \"output\": \"w\\u00f6rd\"},\n"
    "  {\"feature\": \"damped\", \"output\": \"kit\"},\n"
    "  {\"feature\": \"payload_entropy\", \"options\": {}},\n"
    "  {\"feature\": \"mirai_syn\", \"inputs\": []} ] }\n";

static netfeat_pipeline *from_json(netfeat_ctx *ctx, const char *text)
{
    netfeat_pipeline *pipe = NULL;
    cr_assert_eq(netfeat_pipeline_from_json(ctx, text, strlen(text), &pipe), 0, "%s",
                 netfeat_ctx_error_message(ctx));
    return pipe;
}

static netfeat_table *apply(netfeat_ctx *ctx, netfeat_pipeline *pipe, const netfeat_table *tab)
{
    netfeat_table *out = NULL;
    cr_assert_eq(netfeat_pipeline_apply(pipe, tab, &out), 0, "%s", netfeat_ctx_error_message(ctx));
    return out;
}

static netfeat_pipeline *through_table(netfeat_ctx *ctx, netfeat_pipeline *pipe)
{
    netfeat_table *state = NULL, *again = NULL;
    netfeat_pipeline *copy = NULL;

    cr_assert_eq(netfeat_pipeline_to_table(ctx, pipe, &state), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_assert_eq(netfeat_pipeline_from_table(ctx, state, &copy), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_assert_eq(netfeat_pipeline_to_table(ctx, copy, &again), 0);
    expect_same_table(state, again, "state of a pipeline");
    netfeat_table_unref(state);
    netfeat_table_unref(again);
    netfeat_pipeline_unref(pipe);
    return copy;
}

/* Escapes of JSON strings in the name of an output; what is no character is refused. */
Test(feature_pipeline, escapes)
{
    static const struct {
        const char *json, *name; /* NULL: refused */
    } cases[] = {{"\\u0041\\u007a", "Az"},
                 {"\\u00e9\\u00E9", "\xc3\xa9\xc3\xa9"},
                 {"\\u20ac", "\xe2\x82\xac"},
                 {"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
                 {"\\udbff\\udfff.", "\xf4\x8f\xbf\xbf."},
                 {"a\\/\\\"\\\\b", "a/\"\\b"},
                 {"\\ud83d", NULL},
                 {"\\ud83dx\\ude00", NULL},
                 {"\\ud83d\\n", NULL},
                 {"\\ud83d\\u0041", NULL},
                 {"\\ud83d\\ue000", NULL},
                 {"\\ude00", NULL},
                 {"\\u12g4", NULL},
                 {"\\u12", NULL}};
    netfeat_ctx *ctx = NULL;
    netfeat_pipeline *pipe = NULL;
    char text[200];

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int n = snprintf(text, sizeof text,
                         "{\"version\":1,\"steps\":[{\"feature\":\"timestamp\",\"output\":\"%s\"}]}",
                         cases[i].json);
        int code = netfeat_pipeline_from_json(ctx, text, (size_t)n, &pipe);
        cr_assert_eq(code, cases[i].name != NULL ? 0 : NETFEAT_ERR_FORMAT, "%s: %s", cases[i].json,
                     netfeat_ctx_error_message(ctx));
        if (code == 0) {
            cr_expect_str_eq(netfeat_pipeline_step_output(pipe, 0), cases[i].name);
        }
        pipe = netfeat_pipeline_unref(pipe);
    }
    netfeat_ctx_unref(ctx);
}

Test(feature_pipeline, train_save_serve)
{
    netfeat_ctx *ctx = NULL;
    netfeat_pipeline *pipe, *shard;
    netfeat_table *parts[100];
    netfeat_table *whole, *served, *again;
    size_t n = 0;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    netfeat_table *train = random_packets(ctx, 1, 1500, 9), *live = random_packets(ctx, 2, 1000, 9);
    netfeat_table *a = slice(ctx, train, 0, 600), *b = slice(ctx, train, 600, 900);
    pipe = from_json(ctx, JSON);
    cr_expect_eq(netfeat_pipeline_steps(pipe), 13);
    cr_expect_eq(netfeat_pipeline_step_feature(pipe, 0), NETFEAT_FEATURE_CUMULATIVE);
    cr_expect_str_eq(netfeat_pipeline_step_output(pipe, 9), "w\xc3\xb6rd");
    cr_expect_eq(netfeat_pipeline_step_inputs(pipe, 12), 3);
    cr_expect_str_eq(netfeat_pipeline_step_input(pipe, 0, 1), "src_ip");
    cr_expect_null(netfeat_pipeline_step_input(pipe, 0, 2));
    cr_expect_eq(netfeat_pipeline_apply(pipe, live, &whole), NETFEAT_ERR_STATE);
    cr_assert_eq(netfeat_pipeline_fit(pipe, a), 0, "%s", netfeat_ctx_error_message(ctx));
    pipe = through_table(ctx, pipe); /* in the middle of the training, too */
    cr_assert_eq(netfeat_pipeline_fit(pipe, b), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_assert_eq(netfeat_pipeline_seal(pipe), 0);
    cr_expect_eq(netfeat_pipeline_fit(pipe, b), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_pipeline_add(pipe, NETFEAT_FEATURE_TIMESTAMP, NULL, 0, "x", NULL),
                 NETFEAT_ERR_STATE);
    whole = apply(ctx, pipe, live);
    cr_expect_eq(netfeat_table_width(whole), 4 + 1 + 26 + 2 + 4 + 100 + 2 - 0, "%d",
                 netfeat_table_width(whole));
    cr_expect_geq(netfeat_table_find(whole, "scaled"), 0);
    cr_expect_geq(netfeat_table_find(whole, "dst_lo"), 0);
    cr_expect_geq(netfeat_table_find(whole, "HTTPS"), 0);
    cr_expect_geq(netfeat_table_find(whole, "protocol_17"), 0);
    cr_expect_geq(netfeat_table_find(whole, "kit_hh_l0_01_pcc"), 0);
    cr_assert_eq(netfeat_pipeline_reset(pipe), 0);
    for (int64_t first = 0; first < 1000; first += 13) {
        netfeat_table *batch = slice(ctx, live, first, first + 13 > 1000 ? 1000 - first : 13);
        parts[n++] = apply(ctx, pipe, batch);
        netfeat_table_unref(batch);
        if (n % 20 == 3) {
            pipe = through_table(ctx, pipe);
        }
    }
    served = stack(ctx, parts, n);
    expect_same_table(whole, served, "served in batches");
    netfeat_table_unref(served);
    cr_assert_eq(netfeat_pipeline_reset(pipe), 0);
    again = apply(ctx, pipe, live);
    expect_same_table(whole, again, "after a reset");
    netfeat_table_unref(again);
    netfeat_pipeline_unref(pipe);

    /* trained in shards: all but the scaling of a running sum, which depends on the rows before */
    pipe = from_json(
        ctx, "{\"version\":1,\"steps\":[{\"feature\":\"frequency\"},{\"feature\":\"minmax_scale\"}]}");
    shard = from_json(
        ctx, "{\"version\":1,\"steps\":[{\"feature\":\"frequency\"},{\"feature\":\"minmax_scale\"}]}");
    cr_assert_eq(netfeat_pipeline_fit(pipe, b), 0);
    cr_assert_eq(netfeat_pipeline_fit(shard, a), 0);
    cr_assert_eq(netfeat_pipeline_merge(pipe, shard), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_assert_eq(netfeat_pipeline_seal(pipe), 0);
    served = apply(ctx, pipe, live);
    cr_expect_eq(netfeat_pipeline_merge(pipe, shard), NETFEAT_ERR_STATE);
    const double *x = netfeat_column_data(column_of(served, "frequency"));
    const double *y = netfeat_column_data(column_of(whole, "port_share"));
    cr_expect_eq(memcmp(x, y, 1000 * sizeof *x), 0);
    netfeat_table_unref(served);
    netfeat_pipeline_unref(shard);
    netfeat_pipeline_unref(pipe);
    netfeat_table_unref(whole);
    netfeat_table_unref(a);
    netfeat_table_unref(b);
    netfeat_table_unref(train);
    netfeat_table_unref(live);
    netfeat_ctx_unref(ctx);
}

Test(feature_pipeline, bad_json)
{
    static const struct {
        const char *text;
        int code;
        int offset; /* -1: not looked at */
    } cases[] = {
        {"", NETFEAT_ERR_FORMAT, 0},
        {"[]", NETFEAT_ERR_FORMAT, 0},
        {"{}", NETFEAT_ERR_FORMAT, 1},
        {"{\"version\":1}", NETFEAT_ERR_FORMAT, -1},
        {"{\"version\":2,\"steps\":[]}", NETFEAT_ERR_UNSUPPORTED, -1},
        {"{\"version\":1,\"steps\":[]}", 0, -1},
        {"{\"version\":1,\"steps\":[]} x", NETFEAT_ERR_FORMAT, 25},
        {"{\"version\":1,\"steps\":[],}", NETFEAT_ERR_FORMAT, -1},
        {"{\"version\":1,\"version\":1,\"steps\":[]}", NETFEAT_ERR_FORMAT, -1},
        {"{\"version\":1.5,\"steps\":[]}", NETFEAT_ERR_FORMAT, -1},
        {"{\"version\":01,\"steps\":[]}", NETFEAT_ERR_FORMAT, -1},
        {"{\"version\":1,\"steps\":[{}]}", NETFEAT_ERR_FORMAT, -1},
        {"{\"version\":1,\"steps\":[{\"feature\":\"nonsense\"}]}", NETFEAT_ERR_FORMAT, -1},
        {"{\"version\":1,\"steps\":[{\"feature\":\"describe\"}]}", NETFEAT_ERR_ARGUMENT, -1},
        {"{\"version\":1,\"steps\":[{\"feature\":\"window\"}]}", NETFEAT_ERR_ARGUMENT, -1},
        {"{\"version\":1,\"steps\":[{\"feature\":\"timestamp\",\"inputs\":[\"a\",\"b\"]}]}",
         NETFEAT_ERR_ARGUMENT, -1},
        {"{\"version\":1,\"steps\":[{\"feature\":\"timestamp\",\"inputs\":[\"a\",]}]}", NETFEAT_ERR_FORMAT,
         -1},
        {"{\"version\":1,\"steps\":[{\"feature\":\"timestamp\",\"inputs\":[\"a\" \"b\"]}]}",
         NETFEAT_ERR_FORMAT, -1},
        {"{\"version\":1,\"steps\":[{\"feature\":\"timestamp\",\"extra\":1}]}", NETFEAT_ERR_FORMAT, -1},
        {"{\"version\":1,\"steps\":[{\"feature\":\"timestamp\",\"options\":{\"table.max_rows\":1}}]}",
         NETFEAT_ERR_FORMAT, -1},
        {"{\"version\":1,\"steps\":[{\"feature\":\"timestamp\",\"options\":{\"feature.unit_ns\":0}}]}",
         NETFEAT_ERR_RANGE, -1},
        {"{\"version\":1,\"steps\":[{\"feature\":\"timestamp\",\"output\":\"\\u0000\"}]}", NETFEAT_ERR_FORMAT,
         -1},
        {"{\"version\":1,\"steps\":[{\"feature\":\"timestamp\",\"output\":\"\\ud800x\"}]}",
         NETFEAT_ERR_FORMAT, -1},
        {"{\"version\":1,\"steps\":[{\"feature\":\"timestamp\",\"output\":\"\\q\"}]}", NETFEAT_ERR_FORMAT,
         -1},
        {"{\"version\":1,\"steps\":[{\"feature\":\"timestamp\",\"output\":\"a\nb\"}]}", NETFEAT_ERR_FORMAT,
         -1},
        {"{\"version\":1,\"steps\":[{\"feature\":\"timestamp\",\"output\":\"\xff\"}]}", NETFEAT_ERR_FORMAT,
         -1},
        {"{\"version\":99999999999999999999,\"steps\":[]}", NETFEAT_ERR_FORMAT, -1},
    };
    netfeat_ctx *ctx = NULL;
    netfeat_pipeline *pipe = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_eq(netfeat_pipeline_from_json(ctx, cases[i].text, strlen(cases[i].text), &pipe),
                     cases[i].code, "%s: %s", cases[i].text, netfeat_ctx_error_message(ctx));
        if (cases[i].offset >= 0) {
            cr_expect_eq(netfeat_ctx_error_offset(ctx), cases[i].offset, "%s", cases[i].text);
        }
        pipe = netfeat_pipeline_unref(pipe);
    }
    for (size_t n = 0; n < strlen(JSON) - 1; n++) { /* every cut of a good text is a bad one, or whole */
        const char *brace = strrchr(JSON, '}');
        int code = netfeat_pipeline_from_json(ctx, JSON, n, &pipe);
        cr_expect_eq(code == 0, n > (size_t)(brace - JSON), "cut at %zu", n);
        pipe = netfeat_pipeline_unref(pipe);
    }
    netfeat_ctx_unref(ctx);
}

Test(feature_pipeline, misuse)
{
    static const char *const share[] = {"share"};
    netfeat_ctx *ctx = NULL;
    netfeat_pipeline *pipe = NULL;
    netfeat_table *out = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    netfeat_table *tab = random_packets(ctx, 4, 50, 0);
    cr_assert_eq(netfeat_pipeline_new(ctx, &pipe), 0);
    cr_expect_eq(netfeat_pipeline_seal(pipe), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_pipeline_add(pipe, NETFEAT_FEATURE_FREQUENCY, NULL, 0, "share", NULL), 0);
    cr_expect_eq(netfeat_pipeline_add(pipe, NETFEAT_FEATURE_MINMAX_SCALE, share, 1, NULL, NULL),
                 NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_pipeline_add(pipe, NETFEAT_FEATURE_PORT_CLASS, NULL, 0, "share", NULL), 0);
    cr_expect_eq(netfeat_pipeline_add(pipe, NETFEAT_FEATURE_DESCRIBE, NULL, 0, "d", NULL),
                 NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_pipeline_fit(pipe, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_pipeline_fit(pipe, tab), 0);
    cr_expect_eq(netfeat_pipeline_seal(pipe), 0);
    cr_expect_eq(netfeat_pipeline_apply(pipe, tab, &out),
                 NETFEAT_ERR_ARGUMENT); /* two columns called share */
    cr_expect_eq(netfeat_pipeline_apply(pipe, tab, &out), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_pipeline_reset(pipe), 0);
    cr_expect_eq(netfeat_pipeline_apply(pipe, tab, &out), NETFEAT_ERR_ARGUMENT);
    cr_expect_null(out);
    netfeat_pipeline_unref(pipe);
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
}

/* A copy of a state table with one byte of its data changed, or its data cut. */
static netfeat_table *damaged(netfeat_ctx *ctx, const netfeat_table *state, uint64_t *random)
{
    static const char *const names[] = {"step", "item", "type", "data"};
    netfeat_column *data = column_of(state, "data");
    const int64_t *offsets = netfeat_column_offsets(data);
    int64_t rows = netfeat_table_rows(state);
    int64_t victim = next_random(random) % (unsigned)rows;
    netfeat_column *cols[4];
    nf_builder b;

    nf_builder_init(&b, ctx, NETFEAT_TYPE_BYTES);
    for (int64_t i = 0; i < rows; i++) {
        size_t size = (size_t)(offsets[i + 1] - offsets[i]);
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, (const uint8_t *)netfeat_column_data(data) + offsets[i], size);
        if (i == victim && size > 0) {
            if (next_random(random) % 4 == 0) {
                size -= 1 + next_random(random) % size;
            } else {
                copy[next_random(random) % size] = (uint8_t)(next_random(random) % 3 * 127);
            }
        }
        cr_assert_eq(nf_builder_add_bytes(&b, copy, size), 0);
        free(copy);
    }
    for (int i = 0; i < 3; i++) {
        cols[i] = netfeat_column_ref(column_of(state, names[i]));
    }
    cols[3] = finish(&b);
    return make_table(ctx, 4, names, cols);
}

/* Whatever a stranger sends: refused, or a pipeline that works or fails cleanly. The sanitizers watch. */
Test(feature_pipeline, hostile_states)
{
    netfeat_ctx *ctx = NULL;
    netfeat_table *state = NULL, *out = NULL;
    uint64_t random = 99;
    int refused = 0, accepted = 0;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    netfeat_table *tab = random_packets(ctx, 1, 60, 9);
    netfeat_pipeline *pipe = from_json(ctx, JSON);
    cr_assert_eq(netfeat_pipeline_fit(pipe, tab), 0);
    cr_assert_eq(netfeat_pipeline_seal(pipe), 0);
    netfeat_table_unref(apply(ctx, pipe, tab));
    cr_assert_eq(netfeat_pipeline_to_table(ctx, pipe, &state), 0);
    for (int i = 0; i < 3000; i++) {
        netfeat_table *bad = damaged(ctx, state, &random);
        netfeat_pipeline *copy = NULL;
        int code = netfeat_pipeline_from_table(ctx, bad, &copy);
        if (code == 0) {
            accepted++;
            if (netfeat_pipeline_apply(copy, tab, &out) == 0) {
                out = netfeat_table_unref(out);
            }
        } else {
            refused++;
            cr_expect_null(copy);
        }
        netfeat_pipeline_unref(copy);
        netfeat_table_unref(bad);
    }
    cr_expect_gt(refused, 300);
    cr_expect_gt(accepted, 300);
    cr_expect_eq(netfeat_pipeline_from_table(ctx, tab, &pipe), NETFEAT_ERR_FORMAT);
    netfeat_encoder *enc = NULL;
    cr_expect_eq(netfeat_encoder_from_table(ctx, state, &enc), NETFEAT_ERR_FORMAT);
    netfeat_table_unref(state);
    netfeat_pipeline_unref(pipe);
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
}
