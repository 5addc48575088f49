/* Sealed tables, columns and encoders are read by eight threads at once, each with a context of its own: every operation
   gives what it gave in one thread.
   usage: shared CONNECTIONS ROUNDS */
#define _GNU_SOURCE /* memfd_create */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <netfeat/arrow_abi.h>

#include "threads.h"

enum { ENCODERS = 5, JOBS = 12 };

static struct {
    netfeat_table *tab;      /* with payload */
    netfeat_table *pipeline; /* saved */
    netfeat_encoder *encoders[ENCODERS];
    uint64_t wanted[JOBS];
    int rounds;
} shared;

static const struct {
    const char *feature, *column;
} learned[ENCODERS] = {{"frequency", "dst_ip"},
                       {"onehot", "ip_protocol"},
                       {"ordinal", "src_port"},
                       {"standard_scale", "frame_length"},
                       {"minmax_scale", "tcp_seq"}};

static netfeat_column *column(const char *name)
{
    netfeat_column *col = netfeat_table_column(shared.tab, netfeat_table_find(shared.tab, name));

    CHECK(col != NULL);
    return col;
}

/* Digest of a table, which is given back. */
static uint64_t done(netfeat_table *tab)
{
    uint64_t h = threads_digest(tab);

    netfeat_table_unref(tab);
    return h;
}

static uint64_t done_column(netfeat_column *col)
{
    uint64_t h = threads_digest_column(col);

    netfeat_column_unref(col);
    return h;
}

static uint64_t job_rows(netfeat_ctx *ctx)
{
    netfeat_table *a = NULL, *b = NULL, *c = NULL;
    int64_t rows[64], n = netfeat_table_rows(shared.tab);
    uint64_t h;

    MUST(ctx, netfeat_table_slice(ctx, shared.tab, n / 3, n / 3, &a));
    for (int i = 0; i < 64; i++) {
        rows[i] = n - 1 - i * (n / 64);
    }
    MUST(ctx, netfeat_table_take(ctx, shared.tab, rows, 64, &b));
    MUST(ctx, netfeat_table_concat(ctx, (const netfeat_table *const[]){a, b}, 2, &c));
    netfeat_table_unref(a);
    h = done(b);
    return h ^ done(c);
}

static uint64_t job_columns(netfeat_ctx *ctx)
{
    netfeat_table *a = NULL, *b = NULL, *c = NULL, *d = NULL;
    uint64_t h;

    MUST(ctx, netfeat_table_select(ctx, shared.tab, (const int[]){0, 4, 5}, 3, &a));
    MUST(ctx, netfeat_table_select(ctx, shared.tab, (const int[]){6, 7}, 2, &b));
    MUST(ctx, netfeat_table_join(ctx, a, b, &c));
    MUST(ctx, netfeat_table_complete_rows(ctx, shared.tab, (const int[]){7, 8, 9}, 3, &d));
    netfeat_table_unref(b);
    netfeat_table_unref(a);
    h = done(c);
    return h ^ done(d);
}

static uint64_t job_text(netfeat_ctx *ctx)
{
    netfeat_column *ids = NULL, *values = NULL, *text = NULL;
    uint64_t h;

    MUST(ctx, netfeat_column_dictionary(ctx, column("src_ip"), &ids, &values));
    MUST(ctx, netfeat_column_to_text(ctx, column("dst_ip"), &text));
    h = done_column(ids);
    h ^= 3 * done_column(values);
    return h ^ 5 * done_column(text);
}

static uint64_t job_features(netfeat_ctx *ctx)
{
    const int key = netfeat_table_find(shared.tab, "src_ip");
    netfeat_column *a = NULL, *b = NULL, *c = NULL;
    netfeat_table *flags = NULL;
    uint64_t h;

    MUST(ctx, netfeat_feature_cumulative_bytes(ctx, shared.tab, &key, 1, NULL, &a));
    MUST(ctx, netfeat_feature_interarrival(ctx, shared.tab, &key, 1, NULL, &b));
    MUST(ctx, netfeat_feature_payload_entropy(ctx, column("payload"), NULL, &c));
    MUST(ctx, netfeat_feature_tcp_flags(ctx, column("tcp_flags"), NULL, &flags));
    h = done_column(a);
    h ^= 3 * done_column(b);
    h ^= 5 * done_column(c);
    return h ^ done(flags);
}

static uint64_t job_encoders(netfeat_ctx *ctx)
{
    uint64_t h = 0;

    for (int i = 0; i < ENCODERS; i++) {
        netfeat_table *out = NULL, *mapping = NULL, *saved = NULL;
        netfeat_encoder *enc = netfeat_encoder_ref(shared.encoders[i]);
        MUST(ctx, netfeat_encoder_apply(ctx, enc, column(learned[i].column), &out));
        MUST(ctx, netfeat_encoder_mapping(ctx, enc, &mapping));
        MUST(ctx, netfeat_encoder_to_table(ctx, enc, &saved));
        h = 31 * h + done(out);
        h = 31 * h + done(mapping);
        h = 31 * h + done(saved);
        netfeat_encoder_unref(enc);
    }
    return h;
}

static uint64_t job_pipeline(netfeat_ctx *ctx)
{
    netfeat_pipeline *pipe = NULL;
    netfeat_table *out = NULL;

    MUST(ctx, netfeat_pipeline_from_table(ctx, shared.pipeline, &pipe));
    MUST(ctx, netfeat_pipeline_apply(pipe, shared.tab, &out));
    netfeat_pipeline_unref(pipe);
    return done(out);
}

static uint64_t job_flows(netfeat_ctx *ctx)
{
    netfeat_options *opts = NULL;
    netfeat_flows *flows = NULL;
    netfeat_table *a = NULL, *b = NULL;
    uint64_t h;

    MUST(ctx, netfeat_options_new(ctx, &opts));
    MUST(ctx, netfeat_options_set_int(opts, NETFEAT_OPT_FLOW_THREADS, 3));
    MUST(ctx, netfeat_flows_new(ctx, NULL, &flows));
    MUST(ctx, netfeat_flows_feed(flows, shared.tab, NULL));
    MUST(ctx, netfeat_flows_end(flows));
    MUST(ctx, netfeat_flows_take_all(flows, &a));
    MUST(ctx, netfeat_flows_one_way(ctx, shared.tab, opts, &b));
    netfeat_flows_unref(flows);
    netfeat_options_unref(opts);
    h = done(a);
    return h ^ done(b);
}

static uint64_t job_streams(netfeat_ctx *ctx)
{
    netfeat_streams *st = NULL;
    uint64_t h = 1;
    int code;

    MUST(ctx, netfeat_streams_new(ctx, NULL, &st));
    MUST(ctx, netfeat_streams_feed_table(st, shared.tab));
    MUST(ctx, netfeat_streams_end(st));
    while ((code = netfeat_streams_step(st)) == 1) {
        h = h * 31 + (uint64_t)netfeat_streams_event(st) * 7 + netfeat_streams_offset(st) +
            netfeat_streams_size(st);
    }
    MUST(ctx, code);
    netfeat_streams_unref(st);
    return h;
}

static uint64_t job_arrow(netfeat_ctx *ctx)
{
    struct ArrowArrayStream stream;
    netfeat_table *back = NULL;

    MUST(ctx, netfeat_table_export_stream(ctx, shared.tab, NULL, &stream));
    MUST(ctx, netfeat_table_import_stream(ctx, &stream, NULL, &back));
    return done(back);
}

static uint64_t job_file(netfeat_ctx *ctx)
{
    int fd = memfd_create("shared", MFD_CLOEXEC);
    netfeat_table *back = NULL;

    CHECK(fd >= 0);
    MUST(ctx, netfeat_table_save_fd(ctx, shared.tab, fd, NULL));
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    MUST(ctx, netfeat_table_load_fd(ctx, fd, NULL, &back));
    close(fd);
    return done(back);
}

static uint64_t job_references(netfeat_ctx *ctx)
{
    (void)ctx;
    for (int i = 0; i < 1000; i++) {
        netfeat_table *tab = netfeat_table_ref(shared.tab);
        netfeat_column *col = netfeat_column_ref(netfeat_table_column(tab, i % 8));
        netfeat_table_unref(tab);
        CHECK(netfeat_column_length(col) == netfeat_table_rows(shared.tab));
        netfeat_column_unref(col);
    }
    return 1;
}

static uint64_t job_read(netfeat_ctx *ctx)
{
    (void)ctx;
    return threads_digest(shared.tab);
}

static uint64_t (*const jobs[JOBS])(netfeat_ctx *) = {
    job_read,     job_rows,  job_columns, job_text,  job_features, job_encoders,
    job_pipeline, job_flows, job_streams, job_arrow, job_file,     job_references};

static void work(int index, void *user)
{
    netfeat_ctx *ctx = NULL;

    (void)user;
    MUST(NULL, netfeat_ctx_new(&ctx));
    for (int i = 0; i < shared.rounds * JOBS; i++) {
        int which = (i * 5 + index * 7) % JOBS; /* not all the same at a time */
        CHECK(jobs[which](ctx) == shared.wanted[which]);
    }
    netfeat_ctx_unref(ctx);
}

static void make_shared(netfeat_ctx *ctx, int connections)
{
    const char *const inputs[] = {"dst_ip"};
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    netfeat_pipeline *pipe = NULL;
    size_t size;
    void *data = threads_capture(connections, &size);

    MUST(ctx, netfeat_options_new(ctx, &opts));
    MUST(ctx, netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_KEEP_PAYLOAD, 1));
    MUST(ctx, netfeat_source_open_memory(ctx, data, size, opts, &src));
    MUST(ctx, netfeat_table_from_source(ctx, src, opts, &shared.tab));
    netfeat_source_unref(src);
    free(data);
    for (int i = 0; i < ENCODERS; i++) {
        netfeat_encoder *enc = NULL;
        MUST(ctx, netfeat_encoder_new(ctx, netfeat_feature_by_name(learned[i].feature), NULL, &enc));
        MUST(ctx, netfeat_encoder_fit(enc, column(learned[i].column)));
        MUST(ctx, netfeat_encoder_seal(enc));
        shared.encoders[i] = enc;
    }
    MUST(ctx, netfeat_pipeline_new(ctx, &pipe));
    MUST(ctx, netfeat_pipeline_add(pipe, netfeat_feature_by_name("cumulative_bytes"), NULL, 0, NULL, NULL));
    MUST(ctx, netfeat_pipeline_add(pipe, netfeat_feature_by_name("frequency"), inputs, 1, "share", NULL));
    MUST(ctx, netfeat_pipeline_add(pipe, netfeat_feature_by_name("damped"), NULL, 0, "d", NULL));
    MUST(ctx, netfeat_pipeline_fit(pipe, shared.tab));
    MUST(ctx, netfeat_pipeline_seal(pipe));
    MUST(ctx, netfeat_pipeline_to_table(ctx, pipe, &shared.pipeline));
    netfeat_pipeline_unref(pipe);
    netfeat_options_unref(opts);
}

int main(int argc, char **argv)
{
    netfeat_ctx *ctx = NULL;

    shared.rounds = argc > 2 ? atoi(argv[2]) : 3;
    MUST(NULL, netfeat_ctx_new(&ctx));
    make_shared(ctx, argc > 1 ? atoi(argv[1]) : 500);
    for (int i = 0; i < JOBS; i++) {
        shared.wanted[i] = jobs[i](ctx);
    }
    threads_run(work, NULL);
    printf("ok: %d rounds of %d operations in %d threads\n", shared.rounds, JOBS, THREADS);
    for (int i = 0; i < ENCODERS; i++) {
        netfeat_encoder_unref(shared.encoders[i]);
    }
    netfeat_table_unref(shared.pipeline);
    netfeat_table_unref(shared.tab);
    netfeat_ctx_unref(ctx);
    return 0;
}
