/* Eight contexts at once, each reading the same capture in batches of its own sizes into rows, flows and streams: all
   come to the same.
   usage: contexts CONNECTIONS ROUNDS */
#include <stdio.h>
#include <stdlib.h>

#include "threads.h"

static struct {
    void *data;
    size_t size;
    int rounds;
    uint64_t rows[THREADS], flows[THREADS], streams[THREADS];
} all;

static void read_all(int index, uint64_t *random)
{
    netfeat_ctx *ctx = NULL;
    netfeat_source *src = NULL;
    netfeat_flows *flows = NULL;
    netfeat_table *parts[4096], *tab = NULL;
    size_t n = 0;

    MUST(NULL, netfeat_ctx_new(&ctx));
    MUST(ctx, netfeat_source_open_memory(ctx, all.data, all.size, NULL, &src));
    MUST(ctx, netfeat_flows_new(ctx, NULL, &flows));
    while (!netfeat_source_ended(src)) {
        CHECK(n < 4096);
        MUST(ctx, netfeat_table_new(ctx, NULL, &parts[n]));
        MUST(ctx, netfeat_table_append_source(parts[n], src, 1 + threads_random(random, 4000)));
        MUST(ctx, netfeat_table_seal(parts[n]));
        MUST(ctx, netfeat_flows_feed(flows, parts[n++], NULL));
    }
    MUST(ctx, netfeat_table_concat(ctx, (const netfeat_table *const *)parts, n, &tab));
    all.rows[index] = threads_digest(tab);
    tab = netfeat_table_unref(tab);
    MUST(ctx, netfeat_flows_end(flows));
    MUST(ctx, netfeat_flows_take_all(flows, &tab));
    all.flows[index] = threads_digest(tab);
    tab = netfeat_table_unref(tab);
    while (n > 0) {
        netfeat_table_unref(parts[--n]);
    }
    netfeat_flows_unref(flows);
    netfeat_source_unref(src);
    src = NULL;
    MUST(ctx, netfeat_source_open_memory(ctx, all.data, all.size, NULL, &src));
    MUST(ctx, netfeat_stream_table(ctx, src, NULL, &tab));
    all.streams[index] = threads_digest(tab);
    netfeat_table_unref(tab);
    netfeat_source_unref(src);
    netfeat_ctx_unref(ctx);
}

static void work(int index, void *user)
{
    uint64_t random = (uint64_t)index;

    (void)user;
    for (int i = 0; i < all.rounds; i++) {
        read_all(index, &random);
    }
}

int main(int argc, char **argv)
{
    all.rounds = argc > 2 ? atoi(argv[2]) : 3;
    all.data = threads_capture(argc > 1 ? atoi(argv[1]) : 2000, &all.size);
    threads_run(work, NULL);
    for (int i = 1; i < THREADS; i++) {
        CHECK(all.rows[i] == all.rows[0] && all.flows[i] == all.flows[0] && all.streams[i] == all.streams[0]);
    }
    free(all.data);
    printf("ok: %d contexts, rows %016llx, flows %016llx, streams %016llx\n", THREADS,
           (unsigned long long)all.rows[0], (unsigned long long)all.flows[0],
           (unsigned long long)all.streams[0]);
    return 0;
}
