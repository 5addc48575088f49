/* Any number of threads gives the same flows: one call with several, and shards by key that threads count, each with a
   context of its own, merged. Built with -Db_sanitize=thread it says more. */
#include "flow_check.h"

#include <pthread.h>

static netfeat_ctx *ctx;
static pkt *packets;
enum { N = 20000, SHARDED = 3000, THREADS_MAX = 5 }; /* rows */

static uint64_t seed = 3;
static int dice(int n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (int)((seed >> 33) % (uint64_t)n);
}

static void set_up(void)
{
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    packets = calloc(N, sizeof *packets);
    for (int i = 0; i < N; i++) {
        packets[i] = (pkt){.t = i * MS * dice(900),
                           .from = (char)((dice(3) ? 'A' : 'a') + dice(9)),
                           .sport = 1000 + dice(40),
                           .dport = 80,
                           .protocol = dice(4) ? TCP : UDP,
                           .flags = (int[]){SYN, ACK, ACK, ACK | FIN, RST, SYN | ACK}[dice(6)],
                           .seq = (uint32_t)dice(5000),
                           .ack = (uint32_t)dice(5000),
                           .payload = dice(200),
                           .no_time = dice(50) == 0};
        packets[i].to = packets[i].from >= 'a' ? 'z' : 'Z';
        if (dice(2) == 0) {
            char from = packets[i].from;
            int port = packets[i].sport;
            packets[i].from = packets[i].to, packets[i].to = from;
            packets[i].sport = packets[i].dport, packets[i].dport = port;
        }
    }
}

static void tear_down(void)
{
    free(packets);
    netfeat_ctx_unref(ctx);
}
TestSuite(flow_threads, .init = set_up, .fini = tear_down);

Test(flow_threads, one_call)
{
    netfeat_table *in = pkt_table(ctx, packets, 0, N, NULL);
    netfeat_table *alone = NULL;

    for (int order = 0; order < 2; order++) {
        netfeat_options *opts = flow_options(ctx, order == 0 ? "flow.order=key" : "flow.order=first");
        cr_assert_eq(netfeat_flows_one_way(ctx, in, opts, &alone), 0);
        cr_assert_gt(netfeat_table_rows(alone), 500);
        for (int threads = 1; threads <= THREADS_MAX; threads++) {
            netfeat_table *out = NULL;
            cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FLOW_THREADS, threads), 0);
            cr_assert_eq(netfeat_flows_one_way(ctx, in, opts, &out), 0);
            expect_same(alone, out, "one call");
            netfeat_table_unref(out);
        }
        netfeat_table_unref(alone);
        netfeat_options_unref(opts);
    }
    netfeat_table_unref(in);
}

static int stop_at_once(void *user, int64_t rows, int64_t bytes, int64_t total)
{
    (void)rows;
    (void)bytes;
    (void)total;
    ++*(int *)user;
    return 1;
}

/* An interrupted or refused call ends all threads, and the context says why. */
Test(flow_threads, failures)
{
    netfeat_options *opts = flow_options(ctx, "flow.threads=3");
    netfeat_table *in, *out = NULL;
    int called = 0;

    in = pkt_table(ctx, packets, 0, N, NULL);
    netfeat_ctx_set_progress(ctx, stop_at_once, &called);
    cr_expect_eq(netfeat_flows_one_way(ctx, in, opts, &out), NETFEAT_ERR_CANCELLED);
    netfeat_ctx_set_progress(ctx, NULL, NULL);
    cr_expect_eq(called, 1);
    netfeat_ctx_set_memory_limit(ctx, netfeat_ctx_memory_used(ctx) + 3800000); /* not the first request */
    cr_expect_eq(netfeat_flows_one_way(ctx, in, opts, &out), NETFEAT_ERR_LIMIT);
    netfeat_ctx_set_memory_limit(ctx, 0);
    cr_expect_eq(netfeat_flows_one_way(ctx, in, opts, &out), 0);
    netfeat_table_unref(out);
    netfeat_table_unref(in);
    netfeat_options_unref(opts);
}

/* ---- shards ---- */

typedef struct {
    const char *options;
    const netfeat_table *packets;
    netfeat_table *state;
    int code;
    pthread_t thread;
} task;

static void *count_shard(void *user)
{
    task *t = user;
    netfeat_ctx *own = NULL;
    netfeat_options *opts;
    netfeat_flows *fl = NULL;

    t->code = netfeat_ctx_new(&own);
    if (t->code == 0) {
        opts = flow_options(own, t->options);
        t->code = netfeat_flows_new(own, opts, &fl);
        t->code = t->code != 0 ? t->code : netfeat_flows_feed(fl, t->packets, NULL);
        t->code = t->code != 0 ? t->code : netfeat_flows_to_table(fl, &t->state);
        netfeat_flows_unref(fl);
        netfeat_options_unref(opts);
    }
    netfeat_ctx_unref(own);
    return NULL;
}

static netfeat_table *in_threads(const char *options, int threads)
{
    netfeat_options *opts = flow_options(ctx, options);
    netfeat_flows *all = flows_make(ctx, options);
    task tasks[THREADS_MAX] = {{0}};
    netfeat_table *shards[THREADS_MAX];
    uint8_t *mine = malloc(SHARDED);

    for (int i = 0; i < threads; i++) {
        for (int k = 0; k < SHARDED; k++) {
            mine[k] = (packets[k].from + packets[k].to + packets[k].sport + packets[k].dport) % threads == i;
        }
        shards[i] = pkt_table(ctx, packets, 0, SHARDED, mine);
        tasks[i] = (task){.options = options, .packets = shards[i]};
    }
    for (int i = 0; i < threads; i++) {
        cr_assert_eq(pthread_create(&tasks[i].thread, NULL, count_shard, &tasks[i]), 0);
    }
    for (int i = 0; i < threads; i++) {
        netfeat_flows *one = NULL;
        pthread_join(tasks[i].thread, NULL);
        cr_assert_eq(tasks[i].code, 0);
        cr_assert_eq(netfeat_flows_from_table(ctx, opts, tasks[i].state, &one), 0, "%s",
                     netfeat_ctx_error_message(ctx));
        cr_assert_eq(netfeat_flows_merge(all, one), 0, "%s", netfeat_ctx_error_message(ctx));
        netfeat_flows_unref(one);
        netfeat_table_unref(tasks[i].state);
        netfeat_table_unref(shards[i]);
    }
    free(mine);
    netfeat_options_unref(opts);
    return flows_finish(ctx, all);
}

Test(flow_threads, shards_by_key)
{
    static const char *const all[] = {"flow.columns=*",
                                      "flow.columns=* flow.order=key flow.active_ns=60000000000",
                                      "flow.profile=cic", "flow.profile=zeek", "flow.profile=notebook"};

    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
        netfeat_table *alone = flows_of(ctx, all[k], packets, SHARDED);
        cr_assert_gt(netfeat_table_rows(alone), 100);
        for (int threads = 1; threads <= 3; threads++) {
            netfeat_table *out = in_threads(all[k], threads);
            expect_same(alone, out, all[k]);
            netfeat_table_unref(out);
        }
        netfeat_table_unref(alone);
    }
}
