/* What must not change a bit: the size of the batches, the secret of the hash, saving and loading in between,
   the shards and the order in which they are merged. And merges that must be refused. */
#include "flow_traffic.h"

#include <stdint.h>

static netfeat_ctx *ctx;

static void set_up(void)
{
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
}

static void tear_down(void)
{
    netfeat_ctx_unref(ctx);
}
TestSuite(flow_merge, .init = set_up, .fini = tear_down);

/* Columns whose state knows of no direction when they are alone. */
#define NO_DIRECTION "flow_id,length_min,length_max,length_mean,length_std,iat_min,iat_max,iat_mean,iat_std"

static const char *const everything[] = {SETTINGS "flow.columns=*",
                                         SETTINGS "flow.columns=* flow.bidirectional=0",
                                         "flow.profile=nfstream flow.columns=*",
                                         "flow.profile=cic",
                                         "flow.profile=cic2018",
                                         "flow.profile=zeek",
                                         "flow.profile=notebook",
                                         SETTINGS "flow.columns=* flow.max_open=7",
                                         "flow.columns=" NO_DIRECTION,
                                         "flow.bidirectional=0 flow.columns=" NO_DIRECTION};

Test(flow_merge, batches_secrets_and_states)
{
    enum { N = 1500 };
    pkt *p = traffic(N, 7, true);
    const size_t sizes[] = {1, 7, 64, 1000};

    for (size_t k = 0; k < sizeof everything / sizeof everything[0]; k++) {
        netfeat_table *whole = flows_of(ctx, everything[k], p, N);
        cr_assert_gt(netfeat_table_rows(whole), 20);
        for (size_t s = 0; s < 4; s++) {
            netfeat_options *opts = flow_options(ctx, everything[k]);
            netfeat_flows *fl;
            netfeat_table *out;
            nf_ctx_set_secret_seed(ctx, s);
            fl = flows_make(ctx, everything[k]);
            for (size_t i = 0; i < N; i += sizes[s]) {
                flows_eat(ctx, fl, p, i, N - i < sizes[s] ? N - i : sizes[s], NULL);
                if (s > 0 && i / sizes[s] % 5 == 0) { /* through a table, and on */
                    netfeat_table *saved = NULL;
                    netfeat_flows *loaded = NULL;
                    cr_assert_eq(netfeat_flows_to_table(fl, &saved), 0);
                    nf_ctx_set_secret_seed(ctx, 100 + i);
                    cr_assert_eq(netfeat_flows_from_table(ctx, opts, saved, &loaded), 0, "%s",
                                 netfeat_ctx_error_message(ctx));
                    netfeat_flows_unref(fl);
                    netfeat_table_unref(saved);
                    fl = loaded;
                }
            }
            out = flows_finish(ctx, fl);
            expect_same(whole, out, everything[k]);
            netfeat_table_unref(out);
            netfeat_options_unref(opts);
        }
        netfeat_table_unref(whole);
    }
    free(p);
}

/* ---- shards by key ---- */

static int shard_of(const pkt *p, int shards)
{
    if (p->protocol != TCP && p->protocol != UDP) {
        return (p->from + p->to) % shards;
    }
    return (int)((unsigned)(p->from + p->to + p->sport + p->dport + p->protocol) % (unsigned)shards);
}

static netfeat_flows *shard(const char *options, const pkt *p, size_t n, int which, int shards)
{
    uint8_t *mine = calloc(n, 1);
    netfeat_flows *fl = flows_make(ctx, options);

    for (size_t i = 0; i < n; i++) {
        mine[i] = shard_of(&p[i], shards) == which;
    }
    flows_eat(ctx, fl, p, 0, n, mine);
    free(mine);
    return fl;
}

Test(flow_merge, shards_by_key)
{
    enum { N = 1500, SHARDS = 4 };
    const int orders[3][SHARDS] = {{0, 1, 2, 3}, {3, 1, 0, 2}, {2, 3, 1, 0}};
    pkt *p = traffic(N, 11, false);

    for (size_t k = 0; k < sizeof everything / sizeof everything[0]; k++) {
        netfeat_table *whole;
        if (strstr(everything[k], "max_open") != NULL) { /* who has to go depends on all keys */
            continue;
        }
        whole = flows_of(ctx, everything[k], p, N);
        if (strstr(everything[k], "nfstream") != NULL) { /* all its flows share one clock */
            netfeat_flows *a = shard(everything[k], p, N, 0, SHARDS),
                          *b = shard(everything[k], p, N, 1, SHARDS);
            cr_expect_eq(netfeat_flows_merge(a, b), NETFEAT_ERR_UNSUPPORTED);
            cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "lie side by side"));
            netfeat_flows_unref(a);
            netfeat_flows_unref(b);
            netfeat_table_unref(whole);
            continue;
        }
        for (int o = 0; o < 3; o++) {
            netfeat_flows *fl[SHARDS];
            netfeat_table *out;
            for (int i = 0; i < SHARDS; i++) {
                fl[i] = shard(everything[k], p, N, orders[o][i], SHARDS);
                if (o == 1 && i > 0) {
                    cr_assert_eq(netfeat_flows_end(fl[i]), 0); /* an end of a shard is none of the whole */
                }
            }
            if (o == 2) { /* (0 + 1) + (2 + 3) */
                cr_assert_eq(netfeat_flows_merge(fl[2], fl[3]), 0, "%s", netfeat_ctx_error_message(ctx));
                cr_assert_eq(netfeat_flows_merge(fl[0], fl[1]), 0);
                cr_assert_eq(netfeat_flows_merge(fl[0], fl[2]), 0);
            } else {
                for (int i = 1; i < SHARDS; i++) {
                    cr_assert_eq(netfeat_flows_merge(fl[0], fl[i]), 0, "%s", netfeat_ctx_error_message(ctx));
                }
            }
            cr_expect_eq(netfeat_flows_count(fl[0], NETFEAT_FLOWS_PACKETS), N);
            for (int i = 1; i < SHARDS; i++) {
                netfeat_flows_unref(fl[i]);
            }
            out = flows_finish(ctx, fl[0]);
            expect_same(whole, out, everything[k]);
            netfeat_table_unref(out);
        }
        netfeat_table_unref(whole);
    }
    free(p);
}

/* ---- shards by time ---- */

/* The columns that cannot be merged across a cut in time, by a part of their names: they need what every packet
   said, with what was known before it. */
static const char *const whole_only[] = {"retransmitted_", "out_of_order_", "gap_bytes", "zero_window_",
                                         "initial_window", "rtt",           "tcp_state", "history",
                                         "conn_state",     "active_",       "idle_",     "bulk"};

static bool is_mergeable(const char *column)
{
    for (size_t i = 0; i < sizeof whole_only / sizeof whole_only[0]; i++) {
        if (strstr(column, whole_only[i]) != NULL) {
            return false;
        }
    }
    return true;
}

/* Options with all the other columns. */
static const char *mergeable(const char *options)
{
    static char text[2][8192];
    static int next;
    char *at = text[next++ % 2];
    const char *name;

    strcat(strcpy(at, options), " flow.columns=flow_id");
    for (int i = 1; (name = netfeat_flow_column_name("flows", i)) != NULL; i++) {
        cr_assert_lt(strlen(at) + strlen(name) + 2, sizeof text[0]);
        if (is_mergeable(name)) {
            strcat(strcat(at, ","), name);
        }
    }
    return at;
}

static const struct {
    const char *options; /* without a profile: and all columns that can be merged */
    int exact;           /* 1: never to be refused */
} by_time[] = {
    {SETTINGS "flow.end_on_fin_rst=0 flow.idle_ns=0 flow.active_ns=0", 1},
    {"flow.profile=notebook", 1},
    {SETTINGS, 0},
    {SETTINGS "flow.linger_ns=60000000000", 0},
    {SETTINGS "flow.active_ns=100000000000 flow.end_on_fin_rst=0", 0},
    {SETTINGS "flow.active_ns=20000000000", 0},
    {SETTINGS "flow.active_ns=5000000000 flow.linger_ns=1000000000", 0},
    {"flow.profile=nfstream flow.columns=* flow.first_packets=4", 0},
    {"flow.profile=flows flow.end_on_fin_rst=0 flow.idle_ns=0 flow.active_ns=0 flow.columns=" NO_DIRECTION,
     1},
};
enum { BY_TIME = sizeof by_time / sizeof by_time[0] };

/* Packets 0 .. cut - 1, cut .. cut + 29 and the rest in three tables, merged; 0, or the refusal of a merge. */
static int merge_three(const char *options, const pkt *p, size_t n, size_t cut, netfeat_flows **ret)
{
    netfeat_flows *a = slice(ctx, options, p, 0, cut);
    netfeat_flows *b = slice(ctx, options, p, cut, 30);
    netfeat_flows *c = slice(ctx, options, p, cut + 30, n - cut - 30);
    int code;

    if (cut % 2 == 0) { /* c first, and into the later one */
        code = netfeat_flows_merge(c, b);
        code = code != 0 ? code : netfeat_flows_merge(c, a);
        netfeat_flows_unref(a);
        a = c;
    } else {
        code = netfeat_flows_merge(a, b);
        code = code != 0 ? code : netfeat_flows_merge(a, c);
        netfeat_flows_unref(c);
    }
    netfeat_flows_unref(b);
    *ret = a;
    return code;
}

/* Three shards at many cuts, each a part of one capture or a file of its own: the exact result, or a refusal. */
Test(flow_merge, shards_by_time)
{
    enum { N = 240 };
    int merged[BY_TIME] = {0}, refused[BY_TIME] = {0};

    for (uint64_t with = 1; with <= 6; with++) {
        pkt *p = traffic(N, with, false);
        for (size_t cut = 5; cut < N - 40; cut += 23) {
            for (size_t i = 0; i < N && with % 2 == 0; i++) {
                p[i].file = i < cut ? 0 : i < cut + 30 ? 1 : 2;
                p[i].number = i - (i < cut ? 0 : i < cut + 30 ? cut : cut + 30) + 1;
            }
            for (size_t k = 0; k < BY_TIME; k++) {
                const char *options = by_time[k].options;
                netfeat_table *whole;
                netfeat_flows *all;
                options = strstr(options, "profile") != NULL ? options : mergeable(options);
                whole = flows_of(ctx, options, p, N);
                if (merge_three(options, p, N, cut, &all) == 0) {
                    netfeat_table *out = flows_finish(ctx, all);
                    expect_same(whole, out, options);
                    netfeat_table_unref(out);
                    merged[k]++;
                } else {
                    cr_assert_eq(netfeat_ctx_error_code(ctx), NETFEAT_ERR_UNSUPPORTED);
                    cr_assert(!by_time[k].exact, "%s", netfeat_ctx_error_message(ctx));
                    netfeat_flows_unref(all);
                    refused[k]++;
                }
                netfeat_table_unref(whole);
            }
        }
        free(p);
    }
    for (int k = 0; k < BY_TIME; k++) {
        cr_expect_gt(merged[k], 1, "%d: merged %d, refused %d", k, merged[k], refused[k]);
        cr_expect(by_time[k].exact || refused[k] > 0, "%d: merged %d, refused %d", k, merged[k], refused[k]);
    }
}

/* Where no flow goes over the cut, nothing stands in the way: all columns of every profile. */
Test(flow_merge, shards_with_a_pause_between)
{
    enum { N = 300, CUT = 170 };
    pkt *p = traffic(N, 5, false);

    for (size_t i = 0; i < N; i++) {
        p[i].no_time = 0;
        p[i].t += i < CUT ? 0 : 9999 * SEC;
    }
    for (size_t k = 0; k < sizeof everything / sizeof everything[0]; k++) {
        bool keeps = strstr(everything[k], "cic") != NULL; /* without a time-out for idle flows */
        const char *options = strstr(everything[k], "max_open") != NULL ? everything[1] : everything[k];
        netfeat_flows *a = slice(ctx, options, p, 0, CUT), *b = slice(ctx, options, p, CUT, N - CUT);
        int code = netfeat_flows_merge(k % 2 == 0 ? a : b, k % 2 == 0 ? b : a);
        if (keeps) {
            cr_expect_eq(code, NETFEAT_ERR_UNSUPPORTED, "%s", options);
        } else {
            netfeat_table *whole = flows_of(ctx, options, p, N);
            netfeat_table *out;
            cr_assert_eq(code, 0, "%s: %s", options, netfeat_ctx_error_message(ctx));
            out = flows_finish(ctx, netfeat_flows_ref(k % 2 == 0 ? a : b));
            expect_same(whole, out, options);
            netfeat_table_unref(out);
            netfeat_table_unref(whole);
        }
        netfeat_flows_unref(a);
        netfeat_flows_unref(b);
    }
    free(p);
}

#define B(ms, f, s, a, n)                                                                                    \
    {                                                                                                        \
        .t = (ms)*MS, .from = 'B', .to = 'A', .sport = 1000, .dport = 80, .protocol = TCP, .flags = f,       \
        .seq = s, .ack = a, .payload = n, .window = 9                                                        \
    }
#define A(ms, f, s, a, n)                                                                                    \
    {                                                                                                        \
        .t = (ms)*MS, .from = 'A', .to = 'B', .sport = 80, .dport = 1000, .protocol = TCP, .flags = f,       \
        .seq = s, .ack = a, .payload = n, .window = 9                                                        \
    }

/* An ordinary connection may be cut anywhere. */
Test(flow_merge, a_connection_cut_anywhere)
{
    const pkt p[] = {B(0, SYN, 99, 0, 0),           A(10, SYN | ACK, 499, 100, 0),
                     B(20, ACK, 100, 500, 0),       B(30, ACK, 100, 500, 10),
                     A(40, ACK, 500, 110, 100),     B(50, ACK | FIN, 110, 600, 0),
                     A(60, ACK | FIN, 600, 111, 0), B(70, ACK, 111, 601, 0),
                     B(10000, SYN, 5000, 0, 0),     A(10010, RST | ACK, 0, 5001, 0)};
    const char *options = mergeable(""), *name;
    netfeat_table *whole = FLOWS(ctx, options, p);

    cr_assert_eq(netfeat_table_rows(whole), 2);
    for (size_t cut = 1; cut < 10; cut++) {
        netfeat_flows *a = slice(ctx, options, p, 0, cut);
        netfeat_flows *b = slice(ctx, options, p, cut, 10 - cut);
        netfeat_table *out;
        cr_assert_eq(netfeat_flows_merge(a, b), 0, "cut %zu: %s", cut, netfeat_ctx_error_message(ctx));
        netfeat_flows_unref(b);
        out = flows_finish(ctx, a);
        expect_same(whole, out, "cut");
        netfeat_table_unref(out);
    }
    netfeat_table_unref(whole);
    for (int i = 0; (name = netfeat_flow_column_name("flows", i)) != NULL; i++) {
        char one[100];
        netfeat_flows *a, *b;
        snprintf(one, sizeof one, "flow.columns=%s", name);
        a = slice(ctx, one, p, 0, 5), b = slice(ctx, one, p, 5, 5);
        cr_expect_eq(netfeat_flows_merge(a, b), is_mergeable(name) ? 0 : NETFEAT_ERR_UNSUPPORTED, "%s", name);
        netfeat_flows_unref(a);
        netfeat_flows_unref(b);
    }
}

/* The active time-out and a cut fall between the two FINs: the connection is closed when the first FIN of each side
   came, which the later shard alone cannot know, and the packet behind the linger is a flow of its own. */
Test(flow_merge, closed_across_the_active_time_out)
{
    const pkt p[] = {B(0, ACK, 100, 500, 10),          A(1000, ACK, 500, 110, 0),
                     B(18000, ACK | FIN, 110, 500, 0),                                   /* cut */
                     A(21000, ACK | FIN, 500, 111, 0), B(22000, ACK | FIN, 110, 501, 0), /* cut */
                     B(26500, ACK, 111, 501, 0)};
    const char *options = mergeable("flow.active_ns=20000000000 flow.linger_ns=5000000000");
    netfeat_table *whole = FLOWS(ctx, options, p), *out;
    netfeat_flows *a = slice(ctx, options, p, 0, 3), *b = slice(ctx, options, p, 3, 2),
                  *c = slice(ctx, options, p, 5, 1);

    cr_assert_eq(netfeat_table_rows(whole), 3);
    cr_expect_str_eq(cell(whole, "end_reason", 0), "3", "active time-out");
    cr_expect_str_eq(cell(whole, "end_reason", 1), "4", "FIN");
    cr_assert_eq(netfeat_flows_merge(a, b), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_assert_eq(netfeat_flows_merge(a, c), 0, "%s", netfeat_ctx_error_message(ctx));
    netfeat_flows_unref(b);
    netfeat_flows_unref(c);
    out = flows_finish(ctx, a);
    expect_same(whole, out, "closed");
    netfeat_table_unref(out);
    netfeat_table_unref(whole);
}

/* Two inputs, and what is said of them when they are put together. */
Test(flow_merge, refusals)
{
    const struct {
        const char *options, *other;
        pkt p[6];
        size_t n, cut;
        int code;
        const char *message;
    } cases[] = {
        {"flow.columns=packets,gap", "", {B(0, ACK, 1, 1, 0)}, 1, 1, 0, ""}, /* not a case: see below */
        {"",
         "flow.idle_ns=5",
         {B(0, ACK, 1, 1, 0)},
         1,
         1,
         NETFEAT_ERR_STATE,
         "the two tables of flows differ in flow.idle_ns"},
        {"",
         "flow.profile=zeek",
         {B(0, ACK, 1, 1, 0)},
         1,
         1,
         NETFEAT_ERR_STATE,
         "the two tables of flows differ in flow.profile"},
        {"",
         "flow.columns=iat_min",
         {B(0, ACK, 1, 1, 0)},
         1,
         1,
         NETFEAT_ERR_STATE,
         "the two tables of flows differ in flow.columns"},
        {"flow.profile=nfstream",
         NULL,
         {B(10, ACK, 1, 1, 0), B(9, ACK, 1, 1, 0)},
         2,
         1,
         NETFEAT_ERR_UNSUPPORTED,
         "flow 2: time goes back across the cut"},
        {"flow.columns=fwd_gap_bytes",
         NULL,
         {B(0, ACK, 1, 1, 0), B(1, ACK, 1, 1, 0)},
         2,
         1,
         NETFEAT_ERR_UNSUPPORTED,
         "flow 2: columns cannot be merged across a cut in time: they need the group tcp"},
        {"flow.columns=active_min",
         NULL,
         {B(0, ACK, 1, 1, 0), B(1, ACK, 1, 1, 0)},
         2,
         1,
         NETFEAT_ERR_UNSUPPORTED,
         "flow 2: columns cannot be merged across a cut in time: they need the group periods"},
        {"flow.active_ns=1000000000",
         NULL,
         {B(0, ACK, 1, 1, 0), B(900, ACK, 1, 1, 0), B(1800, ACK, 1, 1, 0)},
         3,
         1,
         NETFEAT_ERR_UNSUPPORTED,
         "flow 2: the active time-out falls into the later shard"},
        {"",
         NULL,
         {B(0, ACK, 1, 1, 0), A(1, RST, 1, 1, 0), B(2, ACK, 1, 1, 0), B(6000, ACK, 1, 1, 0)},
         4,
         2,
         NETFEAT_ERR_UNSUPPORTED,
         "flow 3: the end of the connection falls into the later shard"},
        {"",
         NULL,
         {B(0, ACK, 1, 1, 0), B(1, ACK, 1, 1, 0), B(2, SYN, 0, 1, 0), B(3, SYN, 77, 1, 0)},
         4,
         1,
         0,
         ""},
        {"",
         NULL,
         {B(0, ACK, 5, 1, 0), B(1, ACK, 1, 1, 0), B(2, SYN, 0, 1, 0)},
         3,
         1,
         NETFEAT_ERR_UNSUPPORTED,
         "flow 2: a SYN in the later shard depends on the earlier one"},
        {"",
         NULL,
         {B(1000, ACK, 1, 1, 0), B(10, ACK, 1, 1, 0)},
         2,
         1,
         NETFEAT_ERR_UNSUPPORTED,
         "flow 2: time goes back across the cut"},
    };

    for (size_t i = 1; i < sizeof cases / sizeof cases[0]; i++) {
        netfeat_flows *a = slice(ctx, cases[i].options, cases[i].p, 0, cases[i].cut);
        netfeat_flows *b = slice(ctx, cases[i].other != NULL ? cases[i].other : cases[i].options, cases[i].p,
                                 cases[i].cut, cases[i].n - cases[i].cut);
        int64_t open = netfeat_flows_count(a, NETFEAT_FLOWS_OPEN);
        int code = netfeat_flows_merge(a, b);
        cr_expect_eq(code, cases[i].code, "case %zu: %d", i, code);
        if (code != 0) {
            cr_expect_str_eq(netfeat_ctx_error_message(ctx), cases[i].message, "case %zu: %s", i,
                             netfeat_ctx_error_message(ctx));
            cr_expect_eq(netfeat_flows_count(a, NETFEAT_FLOWS_OPEN), open);
        }
        netfeat_flows_unref(a);
        netfeat_flows_unref(b);
    }
}

Test(flow_merge, refusals_of_state)
{
    const pkt p[] = {
        {.t = 1, .from = 'A', .to = 'B', .sport = 1, .dport = 2, .protocol = UDP, .ip_id = 5, .more = 1},
        {.t = 2, .from = 'A', .to = 'B', .protocol = UDP, .ip_id = 5, .offset = 8},
        {.t = 3, .from = 'A', .to = 'C', .sport = 1, .dport = 2, .protocol = UDP},
        {.t = 4, .from = 'A', .to = 'B', .sport = 1, .dport = 2, .protocol = UDP}};
    netfeat_flows *a = slice(ctx, "", p, 0, 1), *b = slice(ctx, "", p, 1, 1);
    netfeat_table *out = NULL;
    uint8_t first[4] = {1, 0, 0, 1}, second[4] = {0, 0, 1, 0}, between[4] = {0, 1, 1, 0};

    cr_expect_eq(netfeat_flows_merge(a, b), NETFEAT_ERR_UNSUPPORTED);
    cr_expect_str_eq(netfeat_ctx_error_message(ctx),
                     "fragments of one shard may belong to datagrams of the other");
    netfeat_flows_unref(b);
    netfeat_flows_unref(a);

    a = slice(ctx, "", p, 0, 3), b = slice(ctx, "", p, 3, 1);
    cr_expect_eq(netfeat_flows_expire(b, INT64_MAX), 1);
    cr_expect_eq(netfeat_flows_merge(a, b), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_flows_merge(b, a), NETFEAT_ERR_STATE);
    netfeat_flows_unref(b);
    b = slice(ctx, "", p, 3, 1);
    netfeat_flows_end(b);
    cr_expect_eq(netfeat_flows_take(b, &out), 1);
    cr_expect_eq(netfeat_flows_merge(a, b), NETFEAT_ERR_STATE);
    netfeat_table_unref(out);
    netfeat_flows_unref(b);
    netfeat_flows_unref(a);

    /* the fragment table goes along */
    a = flows_make(ctx, ""), b = flows_make(ctx, "");
    flows_eat(ctx, a, p, 0, 1, NULL);
    flows_eat(ctx, b, p, 0, 4, second);
    cr_expect_eq(netfeat_flows_merge(b, a), 0);
    netfeat_flows_unref(a);
    pkt more = p[1];
    more.number = 9;
    flows_eat(ctx, b, &more, 0, 1, NULL);
    cr_expect_eq(netfeat_flows_count(b, NETFEAT_FLOWS_FRAGMENTS_ASSIGNED), 1);
    netfeat_flows_unref(b);

    /* packets of one key by turns; the same packet twice */
    a = flows_make(ctx, "flow.max_fragments=0"), b = flows_make(ctx, "flow.max_fragments=0");
    pkt q[4] = {p[3], p[3], p[3], p[3]};
    flows_eat(ctx, a, q, 0, 4, first);
    flows_eat(ctx, b, q, 0, 4, between);
    cr_expect_eq(netfeat_flows_merge(a, b), NETFEAT_ERR_UNSUPPORTED);
    cr_expect_str_eq(netfeat_ctx_error_message(ctx),
                     "flow 2: packets of its key are in both shards by turns");
    netfeat_flows_unref(b);
    b = flows_make(ctx, "flow.max_fragments=0");
    flows_eat(ctx, b, q, 0, 1, NULL);
    cr_expect_eq(netfeat_flows_merge(a, b), NETFEAT_ERR_UNSUPPORTED);
    netfeat_flows_unref(b);
    netfeat_flows_unref(a);

    a = slice(ctx, "flow.max_open=1", p, 2, 1), b = slice(ctx, "flow.max_open=1", p, 3, 1);
    cr_expect_eq(netfeat_flows_merge(a, b), NETFEAT_ERR_LIMIT);
    netfeat_flows_unref(b);
    netfeat_flows_unref(a);
}
