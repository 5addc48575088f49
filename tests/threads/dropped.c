/* References to everything there is, dropped by eight threads in random order: no byte is left, whoever comes last.
   usage: dropped ROUNDS */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <netfeat/arrow_abi.h>

#include "threads.h"

enum { THINGS = 256, CONNECTIONS = 20 };

typedef void *(*drop_fn)(void *thing);

static struct {
    struct {
        drop_fn drop;
        void *thing;
    } list[THINGS];
    int count;
    void *data;
    size_t size;
    _Atomic int64_t live;
} all;

static void *counting(void *user, void *ptr, size_t old_size, size_t new_size)
{
    void *fresh = NULL;

    (void)user;
    if (new_size == 0) {
        free(ptr);
    } else {
        fresh = realloc(ptr, new_size);
        CHECK(fresh != NULL);
    }
    atomic_fetch_add(&all.live, (int64_t)new_size - (int64_t)old_size);
    return fresh;
}

#define DROP(type)                                                                                           \
    static void *drop_##type(void *thing)                                                                    \
    {                                                                                                        \
        return netfeat_##type##_unref(thing);                                                                \
    }
DROP(ctx)
DROP(options)
DROP(source)
DROP(table)
DROP(column)
DROP(encoder)
DROP(accumulator)
DROP(pipeline)
DROP(flows)
DROP(streams)
DROP(writer)

static void *drop_stream(void *thing)
{
    netfeat_arrow_stream_release(thing);
    free(thing);
    return NULL;
}

static void *drop_array(void *thing)
{
    netfeat_arrow_array_release(thing);
    free(thing);
    return NULL;
}

static void add(drop_fn drop, void *thing)
{
    CHECK(all.count < THINGS && thing != NULL);
    all.list[all.count].drop = drop;
    all.list[all.count++].thing = thing;
}

static void add_table(netfeat_table *tab)
{
    add(drop_table, tab);
    add(drop_column, netfeat_column_ref(netfeat_table_column(tab, netfeat_table_width(tab) - 1)));
}

/* Tables that share columns, and slices of slices. */
static void add_tables(netfeat_ctx *ctx, netfeat_table *tab)
{
    netfeat_table *a = NULL, *b = NULL, *c = NULL;

    MUST(ctx, netfeat_table_slice(ctx, tab, 5, 50, &a));
    MUST(ctx, netfeat_table_slice(ctx, a, 5, 20, &b));
    MUST(ctx, netfeat_table_select(ctx, b, (const int[]){0, 3, 4}, 3, &c));
    add_table(a);
    add_table(b);
    add_table(c);
    for (int i = 0; i < 10; i++) {
        add(drop_table, netfeat_table_ref(tab));
        add(drop_column, netfeat_column_ref(netfeat_table_column(tab, i)));
    }
}

static void add_arrow(netfeat_ctx *ctx, netfeat_table *tab)
{
    struct ArrowArrayStream *stream = malloc(sizeof *stream), again;
    struct ArrowArray *array = malloc(sizeof *array);
    netfeat_table *back = NULL;

    CHECK(stream != NULL && array != NULL);
    MUST(ctx, netfeat_table_export_stream(ctx, tab, NULL, stream));
    MUST(ctx, netfeat_table_export_array(ctx, tab, NULL, NULL, array));
    MUST(ctx, netfeat_table_export_stream(ctx, tab, NULL, &again));
    MUST(ctx, netfeat_table_import_stream(ctx, &again, NULL, &back));
    add(drop_stream, stream);
    add(drop_array, array);
    add_table(back);
}

static void add_features(netfeat_ctx *ctx, netfeat_table *tab)
{
    netfeat_encoder *enc = NULL;
    netfeat_accumulator *acc = NULL;
    netfeat_pipeline *pipe = NULL;
    netfeat_table *out = NULL;
    netfeat_column *col = netfeat_table_column(tab, netfeat_table_find(tab, "dst_ip"));

    MUST(ctx, netfeat_encoder_new(ctx, netfeat_feature_by_name("frequency"), NULL, &enc));
    MUST(ctx, netfeat_encoder_fit(enc, col));
    MUST(ctx, netfeat_encoder_seal(enc));
    MUST(ctx, netfeat_accumulator_new(ctx, netfeat_feature_by_name("cumulative_bytes"), NULL, 0, NULL, &acc));
    MUST(ctx, netfeat_accumulator_push(acc, tab, &out));
    MUST(ctx, netfeat_pipeline_new(ctx, &pipe));
    MUST(ctx, netfeat_pipeline_add(pipe, netfeat_feature_by_name("damped"), NULL, 0, NULL, NULL));
    for (int i = 0; i < 4; i++) {
        add(drop_encoder, netfeat_encoder_ref(enc));
    }
    add(drop_encoder, enc);
    add(drop_accumulator, netfeat_accumulator_ref(acc));
    add(drop_accumulator, acc);
    add(drop_pipeline, netfeat_pipeline_ref(pipe));
    add(drop_pipeline, pipe);
    add_table(out);
}

static void add_engines(netfeat_ctx *ctx, netfeat_table *tab)
{
    netfeat_flows *flows = NULL;
    netfeat_streams *st = NULL;
    netfeat_writer *writer = NULL;

    MUST(ctx, netfeat_flows_new(ctx, NULL, &flows));
    MUST(ctx, netfeat_flows_feed(flows, tab, NULL));
    MUST(ctx, netfeat_streams_new(ctx, NULL, &st));
    MUST(ctx, netfeat_streams_feed_table(st, tab)); /* holds it */
    CHECK(netfeat_streams_step(st) == 1);
    MUST(ctx, netfeat_writer_open_fd(ctx, STDERR_FILENO, NULL, &writer));
    add(drop_flows, flows);
    add(drop_streams, st);
    add(drop_writer, netfeat_writer_ref(writer));
    add(drop_writer, writer);
}

static void make_all(void)
{
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;

    MUST(NULL, netfeat_ctx_new_alloc(counting, NULL, &ctx));
    MUST(ctx, netfeat_options_new(ctx, &opts));
    MUST(ctx, netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_KEEP_PAYLOAD, 1));
    MUST(ctx, netfeat_source_open_memory(ctx, all.data, all.size, opts, &src));
    MUST(ctx, netfeat_table_from_source(ctx, src, opts, &tab));
    add_tables(ctx, tab);
    add_arrow(ctx, tab);
    add_features(ctx, tab);
    add_engines(ctx, tab);
    for (int i = 0; i < 4; i++) {
        add(drop_ctx, netfeat_ctx_ref(ctx));
        add(drop_source, netfeat_source_ref(src));
        add(drop_options, netfeat_options_ref(opts));
    }
    add(drop_ctx, ctx);
    add(drop_source, src);
    add(drop_options, opts);
    add(drop_table, tab);
}

static void shuffle(uint64_t *random)
{
    for (int i = all.count - 1; i > 0; i--) {
        int k = (int)threads_random(random, (uint32_t)i + 1);
        void *thing = all.list[i].thing;
        drop_fn drop = all.list[i].drop;
        all.list[i] = all.list[k];
        all.list[k].thing = thing;
        all.list[k].drop = drop;
    }
}

static void work(int index, void *user)
{
    (void)user;
    for (int i = index; i < all.count; i += THREADS) {
        CHECK(all.list[i].drop(all.list[i].thing) == NULL);
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 50, things = 0;
    uint64_t random = 5;

    all.data = threads_capture(CONNECTIONS, &all.size);
    for (int i = 0; i < rounds; i++) {
        all.count = 0;
        make_all();
        shuffle(&random);
        threads_run(work, NULL);
        things += all.count;
        CHECK(atomic_load(&all.live) == 0);
    }
    free(all.data);
    printf("ok: %d references in %d rounds dropped by %d threads, 0 bytes left\n", things, rounds, THREADS);
    return 0;
}
