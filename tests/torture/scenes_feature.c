/* Scenarios of features: fit, save, load and apply a pipeline of every kind of step; whole tables; windows. */
#include "scene.h"

/* Two of the library's many kinds of state each, and every feature that gives a row for a row. */
static const char pipeline_json[] =
    "{\"version\":1,\"steps\":["
    "{\"feature\":\"cumulative\",\"inputs\":[\"frame_length\",\"src_ip\"],\"output\":\"sum\"},"
    "{\"feature\":\"cumulative_bytes\"},{\"feature\":\"interarrival\"},{\"feature\":\"timestamp\",\"output\":"
    "\"seconds\"},"
    "{\"feature\":\"frequency\",\"inputs\":[\"src_ip\"]},{\"feature\":\"ordinal\",\"inputs\":[\"dst_port\"]},"
    "{\"feature\":\"onehot\",\"inputs\":[\"ip_protocol\"]},{\"feature\":\"standard_scale\",\"inputs\":["
    "\"sum\"]},"
    "{\"feature\":\"minmax_scale\",\"inputs\":[\"frame_length\"]},{\"feature\":\"tcp_flags\"},"
    "{\"feature\":\"ip_numeric\",\"inputs\":[\"src_ip\"]},{\"feature\":\"ip_private\",\"inputs\":[\"dst_ip\"]"
    "},"
    "{\"feature\":\"direction\"},{\"feature\":\"port_class\",\"inputs\":[\"src_port\"]},{\"feature\":\"mirai_"
    "syn\"},"
    "{\"feature\":\"payload_entropy\"},"
    "{\"feature\":\"payload_histogram\",\"options\":{\"feature.bins\":4}},{\"feature\":\"damped\"}]}";

/* Learned in one object, applied in another that came out of a file. */
static int serve(torture *t, scene *s, netfeat_ctx *ctx, const netfeat_table *state)
{
    netfeat_options *opts = NULL;
    netfeat_table *back = NULL, *out = NULL;
    netfeat_pipeline *pipe = NULL;
    int code = 0;

    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_text(opts, NETFEAT_OPT_IO_LOAD_MODE, s->which ? "read" : "mapped"));
    TRY(t, netfeat_table_save_file(ctx, state, scene_path(s, "model.arrow"), opts));
    TRY(t, netfeat_table_load_file(ctx, scene_path(s, "model.arrow"), opts, &back));
    TRY(t, netfeat_pipeline_from_table(ctx, back, &pipe));
    TRY_STATE(t, netfeat_pipeline_apply(pipe, s->packets, &out));
    torture_saw_table(t, out);
out:
    netfeat_table_unref(out);
    netfeat_table_unref(back);
    netfeat_pipeline_unref(pipe);
    netfeat_options_unref(opts);
    return code;
}

int scene_pipeline(torture *t, void *user)
{
    scene *s = user;
    netfeat_ctx *ctx = NULL;
    netfeat_pipeline *a = NULL, *b = NULL;
    netfeat_table *state = NULL;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_pipeline_from_json(ctx, pipeline_json, sizeof pipeline_json - 1, &a));
    TRY(t, netfeat_pipeline_from_json(ctx, pipeline_json, sizeof pipeline_json - 1, &b));
    TRY_STATE(t, netfeat_pipeline_fit(a, s->packets));
    TRY_STATE(t, netfeat_pipeline_fit(b, s->packets));
    TRY_STATE(t, netfeat_pipeline_merge(a, b));
    TRY_STATE(t, netfeat_pipeline_seal(a));
    TRY(t, netfeat_pipeline_to_table(ctx, a, &state));
    code = serve(t, s, ctx, state);
out:
    netfeat_table_unref(state);
    netfeat_pipeline_unref(a);
    netfeat_pipeline_unref(b);
    return scene_leave(s, ctx, code);
}

/* Tables about tables, and the system's services. */
int scene_features(torture *t, void *user)
{
    scene *s = user;
    netfeat_column *ports = netfeat_table_column(s->packets, netfeat_table_find(s->packets, "dst_port"));
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_table *out[5] = {NULL};
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_text(opts, NETFEAT_OPT_FEATURE_SERVICES_FILE, scene_path(s, "services")));
    TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_PORTS, NETFEAT_PORTS_SERVICES));
    TRY(t, netfeat_feature_ports(ctx, NETFEAT_PORTS_SERVICES, opts, &out[0]));
    TRY(t, netfeat_feature_onehot(ctx, ports, opts, &out[1]));
    TRY(t, netfeat_feature_describe(ctx, s->packets, &out[2]));
    TRY(t, netfeat_feature_value_counts(ctx, ports, NULL, &out[3]));
    TRY(t, netfeat_feature_incomplete_rows(ctx, s->packets, NULL, 0, &out[4]));
    for (int i = 0; i < 5; i++) {
        torture_saw_table(t, out[i]);
    }
out:
    for (int i = 0; i < 5; i++) {
        netfeat_table_unref(out[i]);
    }
    netfeat_options_unref(opts);
    return scene_leave(s, ctx, code);
}

/* Windows in two batches, the state saved and loaded between them. */
int scene_windows(torture *t, void *user)
{
    static const char *const inputs[] = {"timestamp", "frame_length", "src_ip"};
    scene *s = user;
    netfeat_ctx *ctx = NULL;
    netfeat_accumulator *a = NULL, *b = NULL;
    netfeat_table *first = NULL, *state = NULL, *second = NULL, *rest = NULL;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_accumulator_new(ctx, NETFEAT_FEATURE_WINDOW, inputs, 3, NULL, &a));
    TRY_STATE(t, netfeat_accumulator_push(a, s->packets, &first));
    TRY(t, netfeat_accumulator_to_table(ctx, a, &state));
    TRY(t, netfeat_accumulator_from_table(ctx, state, &b));
    TRY_STATE(t, netfeat_accumulator_push(b, s->packets, &second));
    TRY_STATE(t, netfeat_accumulator_finish(b, &rest));
    torture_saw_table(t, second);
    torture_saw_table(t, rest);
out:
    netfeat_table_unref(first);
    netfeat_table_unref(state);
    netfeat_table_unref(second);
    netfeat_table_unref(rest);
    netfeat_accumulator_unref(a);
    netfeat_accumulator_unref(b);
    return scene_leave(s, ctx, code);
}
