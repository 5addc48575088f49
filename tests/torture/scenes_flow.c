/* Scenarios of flows and streams. */
#include "scene.h"

/* ---- flows ---- */

/* A failed feed holds the rows before the failure: feed the others. */
static int feed_rest(netfeat_ctx *ctx, netfeat_flows *flows, const netfeat_table *tab)
{
    int64_t done = netfeat_flows_count(flows, NETFEAT_FLOWS_PACKETS);
    netfeat_table *rest = NULL;
    int code = netfeat_table_slice(ctx, tab, done, netfeat_table_rows(tab) - done, &rest);

    code = code != 0 ? code : netfeat_flows_feed(flows, rest, NULL);
    netfeat_table_unref(rest);
    return code;
}

/* The packet columns that the flows ask for, payload and all. */
static int packets_for(torture *t, scene *s, netfeat_ctx *ctx, netfeat_flows *flows, netfeat_table **ret)
{
    char names[2000] = "";
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    int64_t n = 1;
    int code = 0;

    for (int i = 0; netfeat_flows_input_name(flows, i) != NULL; i++) {
        size_t at = strlen(names);
        snprintf(names + at, sizeof names - at, "%s%s", i > 0 ? "," : "", netfeat_flows_input_name(flows, i));
    }
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_text(opts, NETFEAT_OPT_TABLE_COLUMNS, names));
    TRY(t, netfeat_table_new(ctx, opts, ret));
    TRY(t, netfeat_source_open_file(ctx, scene_path(s, "traffic.pcap"), NULL, &src));
    while (n > 0) {
        TRY_LASTING(t, n = netfeat_table_append_source(*ret, src, -1));
    }
    TRY(t, netfeat_table_seal(*ret));
out:
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    return code;
}

/* 0 and up: the profiles, both ways where they are, with all columns; 100: one way. */
static int flow_options(torture *t, netfeat_ctx *ctx, int which, netfeat_options **ret)
{
    const char *profile = netfeat_flow_profile_name(which < 100 ? which : 0);
    int code = 0;

    TRY(t, netfeat_options_new(ctx, ret));
    TRY(t, netfeat_options_set_text(*ret, NETFEAT_OPT_FLOW_PROFILE, profile));
    if (which < 100) {
        TRY(t, netfeat_options_set_text(*ret, NETFEAT_OPT_FLOW_COLUMNS, "*"));
    } else {
        TRY(t, netfeat_options_set_int(*ret, NETFEAT_OPT_FLOW_BIDIRECTIONAL, 0));
    }
out:
    return code;
}

int scene_flows(torture *t, void *user)
{
    scene *s = user;
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_flows *flows = NULL, *again = NULL;
    netfeat_table *packets = NULL, *state = NULL, *out = NULL;
    int code = torture_ctx(t, &ctx);

    code = code != 0 ? code : flow_options(t, ctx, s->which, &opts);
    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_flows_new(ctx, opts, &flows));
    code = packets_for(t, s, ctx, flows, &packets);
    if (code != 0) {
        goto out;
    }
    TRY(t, feed_rest(ctx, flows, packets));
    TRY(t, netfeat_flows_to_table(flows, &state));
    TRY(t, netfeat_flows_from_table(ctx, opts, state, &again));
    TRY(t, netfeat_flows_end(again));
    TRY(t, netfeat_flows_take_all(again, &out));
    torture_saw_table(t, out);
out:
    netfeat_table_unref(out);
    netfeat_table_unref(state);
    netfeat_table_unref(packets);
    netfeat_flows_unref(again);
    netfeat_flows_unref(flows);
    netfeat_options_unref(opts);
    return scene_leave(s, ctx, code);
}

int scene_one_way(torture *t, void *user)
{
    scene *s = user;
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    const netfeat_table *copies[64];
    netfeat_table *many = NULL, *out = NULL;
    size_t n = 0;
    int code = torture_ctx(t, &ctx);

    if (code == 0) {
        for (int64_t rows = 0; rows < 2100 && n < 64; rows += netfeat_table_rows(s->packets)) {
            copies[n++] = s->packets; /* enough for two threads */
        }
        TRY(t, netfeat_options_new(ctx, &opts));
        TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_FLOW_THREADS, 2));
        TRY(t, netfeat_table_concat(ctx, copies, n, &many));
        TRY(t, netfeat_flows_one_way(ctx, many, opts, &out));
        torture_saw_table(t, out);
    }
out:
    netfeat_table_unref(out);
    netfeat_table_unref(many);
    netfeat_options_unref(opts);
    return scene_leave(s, ctx, code);
}

/* ---- streams ---- */

typedef struct {
    int64_t opened, closed;
} seen;

static void saw_event(torture *t, const netfeat_streams *st, seen *n)
{
    size_t size = 0;
    const void *data = netfeat_streams_data(st, &size);
    int64_t v[5] = {netfeat_streams_event(st), (int64_t)netfeat_streams_id(st), netfeat_streams_direction(st),
                    (int64_t)netfeat_streams_offset(st), (int64_t)netfeat_streams_size(st)};

    torture_saw(t, v, sizeof v);
    torture_saw(t, data, size);
    n->opened += v[0] == NETFEAT_STREAM_OPEN;
    n->closed += v[0] == NETFEAT_STREAM_CLOSE;
}

/* All events there are. A refused step loses a packet's payload, or the rest of the source; the handle goes on. */
static int drain(torture *t, scene *s, netfeat_streams *st, seen *n)
{
    int code;

    while ((code = netfeat_streams_step(st)) != 0) {
        if (code == NETFEAT_ERR_NOMEM && !t->all_from_there) {
            s->lossy = 1;
        } else if (code < 0) {
            return code;
        } else {
            saw_event(t, st, n);
        }
    }
    return 0;
}

static int stream_options(torture *t, netfeat_ctx *ctx, int which, netfeat_options **ret)
{
    int code = 0;

    TRY(t, netfeat_options_new(ctx, ret));
    TRY(t, netfeat_options_set_int(*ret, NETFEAT_OPT_STREAM_UDP, 1));
    TRY(t, netfeat_options_set_int(*ret, NETFEAT_OPT_STREAM_RECENT_BYTES, 4096));
    TRY(t, netfeat_options_set_int(*ret, NETFEAT_OPT_STREAM_DELIVER,
                                   which ? NETFEAT_DELIVER_ON_ACK : NETFEAT_DELIVER_CONTIGUOUS));
out:
    return code;
}

int scene_streams(torture *t, void *user)
{
    scene *s = user;
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    netfeat_streams *st = NULL;
    seen n = {0, 0};
    int code = torture_ctx(t, &ctx);

    code = code != 0 ? code : stream_options(t, ctx, s->which, &opts);
    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_streams_new(ctx, opts, &st));
    TRY(t, netfeat_source_open_file(ctx, scene_path(s, "traffic.pcap"), NULL, &src));
    TRY(t, netfeat_streams_feed_source(st, src));
    code = drain(t, s, st, &n);
    if (code == 0 && netfeat_streams_end(st) == 0) {
        code = drain(t, s, st, &n);
        if (code == 0 && n.opened != n.closed) {
            torture_note(t, "a stream was opened, but not closed");
        }
    }
out:
    netfeat_streams_unref(st);
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    return scene_leave(s, ctx, code);
}

/* A call that fails uses the source up: the second try is one from the start. */
static int stream_table(scene *s, netfeat_ctx *ctx, netfeat_table **ret)
{
    netfeat_source *src = NULL;
    int code = netfeat_source_open_file(ctx, scene_path(s, "traffic.pcap"), NULL, &src);

    code = code != 0 ? code : netfeat_stream_table(ctx, src, NULL, ret);
    netfeat_source_unref(src);
    return code;
}

int scene_stream_table(torture *t, void *user)
{
    scene *s = user;
    netfeat_ctx *ctx = NULL;
    netfeat_table *out = NULL;
    int code = torture_ctx(t, &ctx);

    if (code == 0) {
        TRY(t, stream_table(s, ctx, &out));
        torture_saw_table(t, out);
    }
out:
    netfeat_table_unref(out);
    return scene_leave(s, ctx, code);
}

int scene_whole(torture *t, void *user)
{
    scene *s = user;
    netfeat_ctx *ctx = NULL;
    netfeat_source *src = NULL;
    netfeat_streams *st = NULL;
    netfeat_table *tab = NULL;
    int64_t n = 1;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_streams_new(ctx, NULL, &st));
    TRY(t, netfeat_table_new(ctx, NULL, &tab));
    TRY(t, netfeat_source_open_file(ctx, scene_path(s, "traffic.pcap"), NULL, &src));
    while (n != 0) {
        n = netfeat_streams_append_whole(st, src, 37, tab);
        if (n == NETFEAT_ERR_NOMEM && !t->all_from_there && !s->lossy) {
            s->lossy = 1;
        } else if (n < 0) {
            code = (int)n;
            goto out;
        }
    }
    TRY(t, netfeat_table_seal(tab));
    torture_saw_table(t, tab);
out:
    netfeat_table_unref(tab);
    netfeat_streams_unref(st);
    netfeat_source_unref(src);
    return scene_leave(s, ctx, code);
}
