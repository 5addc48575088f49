/* When flows end and the next begin: time-outs, FIN, RST, reuse, eviction, expiry; and what they hand on. */
#include "flow_check.h"

static netfeat_ctx *ctx;

static void set_up(void)
{
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
}

static void tear_down(void)
{
    netfeat_ctx_unref(ctx);
}
TestSuite(flow_ends, .init = set_up, .fini = tear_down);

/* From B (the client) and from A, at a time in ms. */
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
#define U(ms)                                                                                                \
    {                                                                                                        \
        .t = (ms)*MS, .from = 'A', .to = 'B', .sport = 1, .dport = 2, .protocol = UDP                        \
    }
#define V(ms)                                                                                                \
    {                                                                                                        \
        .t = (ms)*MS, .from = 'B', .to = 'A', .sport = 2, .dport = 1, .protocol = UDP                        \
    }

/* Reasons and packets of all flows in order: "fin 6, input 1". */
static void expect_flows(const char *options, const pkt *p, size_t n, const char *want)
{
    netfeat_table *tab = flows_of(ctx, options, p, n);
    char text[1000] = "";

    for (int64_t row = 0; row < netfeat_table_rows(tab); row++) {
        sprintf(text + strlen(text), "%s%s %s", row > 0 ? ", " : "",
                netfeat_flow_end_name(atoi(cell(tab, "end_reason", row))), cell(tab, "packets", row));
    }
    cr_expect_str_eq(text, want, "%s: %s, not %s", options, text, want);
    netfeat_table_unref(tab);
}
#define EXPECT(options, packets, want)                                                                       \
    expect_flows(options, packets, sizeof packets / sizeof packets[0], want)

Test(flow_ends, idle_and_active)
{
    const pkt idle[] = {
        U(0),
        V(119999),
        U(239998),
        U(359998),
        {.t = 500000 * MS - 1, .from = 'A', .to = 'B', .sport = 1, .dport = 2, .protocol = UDP, .no_time = 1},
        U(479998)};
    const pkt active[] = {U(0), V(100000), U(150000), U(199999), U(200000), U(399999), U(400000), U(400001)};
    const pkt back[] = {U(100000), U(0), U(219999), U(99999)};

    EXPECT("", idle,
           "idle 3, idle 2, input 1"); /* at 120 s, not below; a packet without a time decides nothing */
    EXPECT("flow.idle_ns=0", idle, "input 6");
    EXPECT("flow.idle_ns=119998999999", idle, "idle 1, idle 1, idle 1, idle 2, input 1");
    EXPECT("flow.idle_ns=0 flow.active_ns=200000000000", active, "active 4, active 2, input 2");
    EXPECT("flow.idle_ns=0 flow.active_ns=200000000000 flow.bidirectional=0", active,
           "active 3, input 1, active 2, input 2");
    EXPECT("", back, "input 4");

    netfeat_table *tab = FLOWS(ctx, "flow.idle_ns=0 flow.active_ns=200000000000", active);
    expect_row(tab, 0, "parent_id=-\nflow_id=1");
    expect_row(tab, 1, "parent_id=1\nflow_id=5");
    expect_row(tab, 2, "parent_id=5\nflow_id=7");
    netfeat_table_unref(tab);
}

/* A flow that goes on keeps its direction, and what is known of the connection. */
Test(flow_ends, continued_flows)
{
    const pkt p[] = {B(0, SYN, 99, 0, 0),        A(10, SYN | ACK, 499, 100, 0),
                     B(20, ACK, 100, 500, 10),   B(30, ACK | FIN, 110, 500, 0),
                     A(1000, ACK, 500, 111, 0),  A(1010, ACK, 500, 111, 20),
                     A(1015, ACK, 500, 111, 20), A(1020, ACK | FIN, 520, 111, 0),
                     B(1030, ACK, 111, 521, 0),  B(7000, ACK, 111, 521, 0)};
    netfeat_table *tab = FLOWS(ctx, "flow.columns=* flow.active_ns=1000000000", p);

    cr_assert_eq(netfeat_table_rows(tab), 3);
    expect_row(tab, 0, "end_reason=3\nfwd_packets=3\nsrc_ip=10.0.0.2\nfwd_tcp_state=CLOSED\nfwd_gap_bytes=0");
    expect_row(
        tab, 1,
        "end_reason=4\nparent_id=1\nsrc_ip=10.0.0.2\ndirection_evidence=3\nfwd_packets=1\nbwd_packets=4\n"
        "bwd_retransmitted_bytes=20\nbwd_gap_bytes=0\nfwd_gap_bytes=0\nrtt=-\nconn_state=SF");
    expect_row(tab, 2, "parent_id=-\nsrc_ip=10.0.0.2\ndirection_evidence=1\nend_reason=1");
    netfeat_table_unref(tab);
}

Test(flow_ends, fin_rst_and_reuse)
{
    const pkt fin[] = {B(0, SYN, 99, 0, 0),          A(1, SYN | ACK, 499, 100, 0),
                       B(2, ACK | FIN, 100, 500, 5), A(3, ACK | FIN, 500, 106, 0),
                       B(4, ACK, 106, 501, 0),       /* closed: both at 3 */ A(4000, ACK, 501, 106, 0),
                       A(5003, ACK, 501, 106, 0),    A(5004, ACK, 501, 106, 0)};
    const pkt half[] = {B(0, SYN, 99, 0, 0), B(2, ACK | FIN, 100, 500, 5), A(3, ACK | FIN, 500, 105, 0),
                        A(9000, ACK, 501, 105, 0)};
    const pkt rst[] = {B(0, SYN, 99, 0, 0), A(1, RST | ACK, 0, 100, 0), B(2, ACK, 100, 1, 0),
                       B(5001, ACK, 100, 1, 0), B(5002, ACK, 100, 1, 0)};
    const pkt again[] = {B(0, SYN, 99, 0, 0), A(1, RST | ACK, 0, 100, 0), B(2, SYN, 99, 0, 0),
                         A(3, RST | ACK, 0, 100, 0)};
    const pkt reuse[] = {B(0, SYN, 99, 0, 0), B(1000, SYN, 99, 0, 0), B(2000, SYN, 98, 0, 0),
                         A(2001, SYN | ACK, 5, 99, 0), B(3000, SYN, 98, 0, 0)};
    const pkt late[] = {A(0, SYN | ACK, 499, 100, 0), B(1, SYN, 99, 0, 0), B(2, ACK, 100, 500, 0)};
    const pkt midstream[] = {B(0, ACK, 100, 500, 5), B(1, SYN, 99, 0, 0), B(2, SYN, 7000, 0, 0)};
    const pkt simultaneous[] = {B(0, SYN, 99, 0, 0), A(1, SYN, 499, 0, 0), B(2, SYN | ACK, 99, 500, 0),
                                A(3, ACK, 500, 100, 0)};

    EXPECT("", fin, "fin 7, input 1"); /* 5003 is 5 s after closing: still lingering */
    EXPECT("flow.linger_ns=0", fin, "fin 5, input 3");
    EXPECT("flow.end_on_fin_rst=0", fin, "input 8");
    EXPECT("flow.bidirectional=0", fin, "input 3, input 5");
    EXPECT("", half, "input 4"); /* the FIN of 106 was never acknowledged */
    EXPECT("", rst, "rst 4, input 1");
    EXPECT("", again, "rst 2, rst 2"); /* a closed connection is over at the next SYN, whatever its number */
    EXPECT("", reuse, "reuse 2, input 3");
    EXPECT("", late, "input 3");
    EXPECT("", midstream, "reuse 2, input 1");
    EXPECT("", simultaneous, "input 4");
}

Test(flow_ends, expire)
{
    const pkt p[] = {
        U(0),
        {.t = 50 * SEC, .from = 'C', .to = 'B', .sport = 1, .dport = 2, .protocol = UDP},
        B(60000, SYN, 1, 0, 0),
        A(60001, RST | ACK, 0, 2, 0),
        {.t = 70 * SEC, .from = 'D', .to = 'B', .sport = 1, .dport = 2, .protocol = UDP, .no_time = 1}};
    netfeat_flows *fl = flows_make(ctx, "");
    netfeat_table *tab = NULL;

    flows_eat(ctx, fl, p, 0, 5, NULL);
    cr_expect_eq(netfeat_flows_expire(fl, 64 * SEC), 0);
    cr_expect_eq(netfeat_flows_take(fl, &tab), 0);
    cr_expect_eq(netfeat_flows_expire(fl, 120 * SEC), 2); /* U, and the reset connection */
    cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_WAITING), 2);
    cr_assert_eq(netfeat_flows_take(fl, &tab), 1);
    cr_assert_eq(netfeat_table_rows(tab), 2);
    expect_row(tab, 0, "end_reason=2\nflow_id=1");
    expect_row(tab, 1, "end_reason=5\nflow_id=3");
    netfeat_table_unref(tab);
    cr_expect_eq(netfeat_flows_take(fl, &tab), 0);
    cr_expect_eq(netfeat_flows_expire(fl, INT64_MIN), 0);
    cr_expect_eq(netfeat_flows_expire(fl, INT64_MAX), 1);
    tab = flows_finish(ctx, fl); /* the one without times never expires */
    cr_assert_eq(netfeat_table_rows(tab), 2);
    expect_row(tab, 0, "end_reason=2\nflow_id=2");
    expect_row(tab, 1, "end_reason=1\nflow_id=5");
    netfeat_table_unref(tab);

    /* without an idle time-out the active one ends flows */
    fl = flows_make(ctx, "flow.idle_ns=0 flow.active_ns=1000000000");
    flows_eat(ctx, fl, p, 0, 1, NULL);
    cr_expect_eq(netfeat_flows_expire(fl, 1000 * MS), 0);
    cr_expect_eq(netfeat_flows_expire(fl, 1001 * MS), 1);
    tab = flows_finish(ctx, fl);
    expect_row(tab, 0, "end_reason=3");
    netfeat_table_unref(tab);
}

/* The flow longest without a packet goes, and comes back as a new one. */
Test(flow_ends, eviction)
{
    pkt p[6];
    const char order[6] = {'A', 'B', 'C', 'A', 'D', 'B'};
    netfeat_flows *fl = flows_make(ctx, "flow.max_open=3");
    netfeat_table *tab;

    for (int i = 0; i < 6; i++) {
        p[i] = (pkt){.t = i * SEC, .from = order[i], .to = 'Z', .sport = 1, .dport = 2, .protocol = UDP};
    }
    flows_eat(ctx, fl, p, 0, 6, NULL);
    cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_OPEN), 3);
    cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_EVICTED), 2);
    cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_ENDED), 2);
    tab = flows_finish(ctx, fl);
    cr_assert_eq(netfeat_table_rows(tab), 5);
    expect_row(tab, 0, "src_ip=10.0.0.1\npackets=2\nend_reason=1");
    expect_row(tab, 1, "src_ip=10.0.0.2\npackets=1\nend_reason=7"); /* at D */
    expect_row(tab, 2, "src_ip=10.0.0.3\npackets=1\nend_reason=7"); /* at B */
    expect_row(tab, 3, "src_ip=10.0.0.4\nend_reason=1");
    expect_row(tab, 4, "src_ip=10.0.0.2\nend_reason=1\nflow_id=6");
    netfeat_table_unref(tab);

    /* one that is overdue ends by its time-out instead */
    for (int i = 0; i < 6; i++) {
        p[i].t = i * 130 * SEC;
    }
    fl = flows_make(ctx, "flow.max_open=1");
    flows_eat(ctx, fl, p, 0, 2, NULL);
    cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_EVICTED), 0);
    tab = flows_finish(ctx, fl);
    expect_row(tab, 0, "end_reason=2");
    netfeat_table_unref(tab);
}

/* Half-open connections, taken as they come: memory stays inside the budget, whatever their number, and one
   conversation that is never idle for long is not touched. */
Test(flow_ends, flood_stays_inside_the_budget)
{
    enum { BATCH = 500, BATCHES = 120, BUDGET = 2 << 20 };
    netfeat_flows *fl = flows_make(ctx, "flow.max_bytes=2097152");
    pkt *p = calloc(BATCH, sizeof *p);
    uint64_t before = netfeat_ctx_memory_used(ctx);
    uint64_t most = 0;
    int64_t rows = 0, evicted = 0;
    netfeat_table *tab = NULL;

    for (int b = 0; b < BATCHES; b++) {
        for (int i = 0; i < BATCH; i++) {
            int k = b * BATCH + i;
            p[i] = (pkt){.t = k * MS / 100,
                         .from = (char)('B' + k % 20),
                         .to = 'A',
                         .sport = 1024 + k / 20,
                         .dport = 80,
                         .protocol = TCP,
                         .flags = SYN,
                         .seq = (uint32_t)k,
                         .number = (uint64_t)k + 1};
        }
        p[0].sport = 7, p[0].from = 'Y', p[0].flags = ACK, p[0].payload = 1;
        netfeat_table *in = pkt_table(ctx, p, 0, BATCH, NULL);
        uint64_t with_input = netfeat_ctx_memory_used(ctx), used;
        cr_assert_eq(netfeat_flows_feed(fl, in, NULL), 0);
        used = netfeat_ctx_memory_used(ctx) - with_input;
        most = netfeat_ctx_memory_used(ctx) - with_input > most ? used : most;
        netfeat_table_unref(in);
        most = netfeat_ctx_memory_used(ctx) - before > most ? netfeat_ctx_memory_used(ctx) - before : most;
        if (netfeat_flows_take(fl, &tab) == 1) {
            for (int64_t row = 0; row < netfeat_table_rows(tab); row++) {
                evicted += atoi(cell(tab, "end_reason", row)) == NETFEAT_FLOW_END_EVICTED;
            }
            rows += netfeat_table_rows(tab);
            netfeat_table_unref(tab);
        }
    }
    cr_expect_lt(most, BUDGET, "%llu", (unsigned long long)most);
    cr_expect_gt(most, BUDGET / 3);
    cr_expect_gt(netfeat_flows_count(fl, NETFEAT_FLOWS_OPEN), 4000);
    cr_expect_eq(evicted, rows);
    cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_EVICTED), evicted);
    tab = flows_finish(ctx, fl);
    rows += netfeat_table_rows(tab);
    cr_expect_eq(rows, BATCHES * (BATCH - 1) + 1);
    expect_row(tab, 0, "flow_id=1\npackets=120");
    netfeat_table_unref(tab);
    free(p);
}

/* A full stop inside a feed: what came before is there, what comes after can be fed again. */
Test(flow_ends, limits_and_cancelling)
{
    enum { N = 5000 };
    pkt *p = calloc(N, sizeof *p);
    netfeat_flows *fl = flows_make(ctx, "");
    netfeat_table *in;

    for (int i = 0; i < N; i++) {
        p[i] = (pkt){.t = i, .from = 'A', .to = 'B', .sport = i + 1, .dport = 2, .protocol = UDP};
    }
    in = pkt_table(ctx, p, 0, N, NULL);
    netfeat_ctx_interrupt(ctx);
    cr_expect_eq(netfeat_flows_feed(fl, in, NULL), NETFEAT_ERR_CANCELLED);
    cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_PACKETS), 4096);
    netfeat_table_unref(in);
    netfeat_ctx_set_memory_limit(ctx, 0);
    in = pkt_table(ctx, p, 4096, N - 4096, NULL);
    cr_expect_eq(netfeat_flows_feed(fl, in, NULL), 0);
    cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_OPEN), N);
    netfeat_flows_unref(fl);

    fl = flows_make(ctx, "");
    netfeat_ctx_set_memory_limit(ctx, netfeat_ctx_memory_used(ctx) + 100000);
    cr_expect_eq(netfeat_flows_feed(fl, in, NULL), NETFEAT_ERR_LIMIT);
    netfeat_ctx_set_memory_limit(ctx, 0);
    int64_t done = netfeat_flows_count(fl, NETFEAT_FLOWS_PACKETS);
    cr_expect(done > 0 && done < N - 4096);
    cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_OPEN), done);
    netfeat_table *rest = NULL;
    cr_assert_eq(netfeat_table_slice(ctx, in, done, N - 4096 - done, &rest), 0);
    cr_expect_eq(netfeat_flows_feed(fl, rest, NULL), 0);
    cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_OPEN), N - 4096);
    netfeat_table_unref(rest);
    netfeat_table_unref(in);
    netfeat_flows_unref(fl);
    free(p);
}
