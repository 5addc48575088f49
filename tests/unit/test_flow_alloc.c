/* Every call on flows with each of its allocations refused in turn, once and from there on; and the exact sums
   that the statistics rest on. */
#include "flow_check.h"

#include <math.h>

#include "../support/torture.h"
#include "flow/moments.h"

static pkt *packets;
enum { N = 130 };

static void set_up(void)
{
    uint64_t seed = 5;

    packets = calloc(N, sizeof *packets);
    for (int i = 0; i < N; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1;
        packets[i] = (pkt){.t = i * SEC,
                           .from = (char)('A' + (seed >> 40) % 9),
                           .to = (char)((seed >> 50) % 3 == 0 ? 'a' + (seed >> 30) % 9 : 'S'),
                           .sport = (int)(seed >> 33) % 50,
                           .dport = 80,
                           .protocol = i % 3 == 0 ? UDP : TCP,
                           .flags = ACK,
                           .seq = (uint32_t)i,
                           .payload = i % 7,
                           .byte = i,
                           .ip_id = i,
                           .more = i % 5 == 0};
        packets[i].to = packets[i].from >= 'a' ? 'a' : packets[i].to;
    }
}

static void tear_down(void)
{
    free(packets);
}
TestSuite(flow_alloc, .init = set_up, .fini = tear_down);

static const char *const all_columns[] = {
    "packet_number", "timestamp",         "src_ip",     "dst_ip",    "src_port",       "dst_port",
    "ip_protocol",   "frame_length",      "ip_length",  "l4_length", "payload_length", "tcp_flags",
    "tcp_seq",       "tcp_ack",           "tcp_window", "ip_ttl",    "icmp_type",      "icmp_code",
    "payload",       "tcp_header_length", "ip_flags",   "ip_id",     "src_mac",        "fragment_offset",
    "dst_mac",       "vlan_id",           "quality"};

/* The packets as a table of this context: columns over the memory of another one. */
static int make_input(torture *t, netfeat_ctx *ctx, const netfeat_table *from, netfeat_table **ret)
{
    netfeat_column *cols[64];
    const char *names[64];
    size_t n = sizeof all_columns / sizeof all_columns[0];
    int code = 0;

    for (size_t i = 0; i < n; i++) {
        names[i] = all_columns[i];
        cols[i] = netfeat_table_column(from, netfeat_table_find(from, names[i]));
    }
    TRY(t, netfeat_table_from_columns(ctx, names, cols, n, ret));
out:
    return code;
}

static int flows_case(torture *t, void *user)
{
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_flows *a = NULL, *b = NULL, *c = NULL;
    netfeat_table *in = NULL, *first = NULL, *second = NULL, *state = NULL, *out = NULL;
    netfeat_column *ids = NULL;
    int code = torture_ctx(t, &ctx);

    if (code == 0) {
        code = make_input(t, ctx, user, &in);
    }
    if (code != 0) {
        goto out;
    }
    nf_ctx_set_secret_seed(ctx, 1); /* the same number of allocations in every run */
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_text(opts, NETFEAT_OPT_FLOW_COLUMNS,
                                    "flow_id,parent_id,src_ip,dst_port,packets,length_std,iat_mean,first_"
                                    "lengths,history,payload_entropy"));
    TRY(t, netfeat_options_set_text(opts, NETFEAT_OPT_FLOW_ORDER, "key"));
    TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_FLOW_FIRST_PACKETS, 3));
    TRY(t, netfeat_flows_new(ctx, opts, &a));
    TRY(t, netfeat_flows_new(ctx, opts, &b));
    TRY(t, netfeat_table_slice(ctx, in, 0, 0, &first));
    TRY(t, netfeat_flows_feed(a, first, &ids));
    /* a feed that was refused memory is gone on with where it stopped */
    for (int64_t done = 0; done < N;) {
        int64_t before = netfeat_flows_count(a, NETFEAT_FLOWS_PACKETS);
        TRY(t, netfeat_table_slice(ctx, in, before, N - before, &second));
        code = netfeat_flows_feed(a, second, NULL);
        done = netfeat_flows_count(a, NETFEAT_FLOWS_PACKETS);
        second = netfeat_table_unref(second);
        if (code != 0 && (code != NETFEAT_ERR_NOMEM || t->all_from_there || t->failed == 0)) {
            goto out;
        }
        code = 0;
    }
    TRY(t, netfeat_flows_to_table(a, &state));
    TRY(t, netfeat_flows_from_table(ctx, opts, state, &c));
    TRY(t, netfeat_flows_merge(b, c));
    TRY(t, netfeat_flows_end(b));
    TRY(t, netfeat_flows_take(b, &out));
    torture_saw_table(t, out);
    out = netfeat_table_unref(out);
    TRY(t, netfeat_flows_end(a));
    TRY(t, netfeat_flows_take_all(a, &out));
    torture_saw_table(t, out);
    out = netfeat_table_unref(out);
    TRY(t, netfeat_flows_one_way(ctx, in, opts, &out));
    torture_saw_table(t, out);
out:
    netfeat_column_unref(ids);
    netfeat_table_unref(first);
    netfeat_table_unref(second);
    netfeat_table_unref(state);
    netfeat_table_unref(out);
    netfeat_table_unref(in);
    netfeat_flows_unref(a);
    netfeat_flows_unref(b);
    netfeat_flows_unref(c);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
    return code;
}

/* flow.columns names flows' columns; the notebook has others: its own case. */
static int streams_case(torture *t, void *user)
{
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_table *in = NULL, *out = NULL;
    int code = torture_ctx(t, &ctx);

    if (code == 0) {
        code = make_input(t, ctx, user, &in);
    }
    if (code == 0) {
        nf_ctx_set_secret_seed(ctx, 1);
        TRY(t, netfeat_options_new(ctx, &opts));
        TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_FLOW_THREADS, 2)); /* with enough rows */
        TRY(t, netfeat_flows_one_way(ctx, in, opts, &out));
        torture_saw_table(t, out);
    }
out:
    netfeat_options_unref(opts);
    netfeat_table_unref(out);
    netfeat_table_unref(in);
    netfeat_ctx_unref(ctx);
    return code;
}

/* Rows enough for two threads, of few streams. */
static netfeat_table *few_streams(netfeat_ctx *ctx)
{
    enum { ROWS = 2100 };
    pkt *p = malloc(ROWS * sizeof *p);
    netfeat_table *tab;

    for (int i = 0; i < ROWS; i++) {
        p[i] = packets[i % 11];
        p[i].t = i;
    }
    tab = pkt_table(ctx, p, 0, ROWS, NULL);
    free(p);
    return tab;
}

Test(flow_alloc, every_allocation_refused)
{
    netfeat_ctx *ctx = NULL;
    netfeat_table *tab, *many;
    uint64_t points = 0;
    const char *wrong;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    tab = pkt_table(ctx, packets, 0, N, NULL);
    many = few_streams(ctx);
    wrong = torture_run(streams_case, tab, &points);
    cr_expect_null(wrong, "streams: %s", wrong);
    wrong = torture_run(streams_case, many, &points);
    cr_expect_null(wrong, "streams, two threads: %s", wrong);
    wrong = torture_run(flows_case, tab, &points);
    cr_expect_null(wrong, "flows: %s", wrong);
    cr_expect_gt(points, 150);
    netfeat_table_unref(tab);
    netfeat_table_unref(many);
    netfeat_ctx_unref(ctx);
}

static bool is_same(nf_u128 a, nf_u128 b)
{
    return nf_u128_high(a) == nf_u128_high(b) && nf_u128_low(a) == nf_u128_low(b);
}

static double variance(int64_t sum, uint64_t squares, uint64_t n)
{
    return nf_variance(nf_i128_of(sum), nf_u128_of(squares), n);
}

Test(flow_alloc, moments_are_exact)
{
    const nf_u128 most = nf_u128_make(UINT64_MAX, UINT64_MAX);
    nf_u128 sum = nf_u128_subtract(most, nf_u128_of(5));
    const uint64_t big = UINT64_C(1) << 62;
    nf_u128 squares = nf_u128_add(nf_u128_product(big, big), nf_u128_product(big + 2, big + 2));
    nf_i128 total = nf_i128_of_u64(big + big + 2);

    cr_expect_eq(nf_difference(INT64_MIN, 1), INT64_MIN);
    cr_expect_eq(nf_difference(INT64_MAX, -1), INT64_MAX);
    cr_expect_eq(nf_difference(5, 7), -2);
    cr_expect_eq(nf_total(INT64_MAX, 1), INT64_MAX);
    cr_expect_eq(nf_total(INT64_MIN, -1), INT64_MIN);
    nf_add_squares(&sum, nf_u128_of(3));
    cr_expect(is_same(sum, nf_u128_subtract(most, nf_u128_of(2))));
    nf_add_squares(&sum, nf_u128_of(3));
    cr_expect(is_same(sum, most));
    nf_add_squares(&sum, nf_u128_of(3));
    cr_expect(is_same(sum, most));
    cr_expect(is_same(nf_square(INT64_MIN), nf_u128_make(big, 0)));
    cr_expect_eq(nf_mean(nf_i128_of(-7), 2), -3.5);
    cr_expect_eq(variance(3, 5, 2), 0.5); /* 1, 2 */
    cr_expect_eq(variance(-3, 5, 2), 0.5);
    cr_expect_eq(variance(0, 0, 5), 0);
    cr_expect_eq(variance(10, 0, 5), 0); /* impossible sums: never negative */
    /* 2^62, 2^62 + 2: where doubles, and 64 bits, lose the difference */
    cr_expect_eq(nf_variance(total, squares, 2), 2);
    cr_expect_eq(nf_deviation(total, squares, 2), sqrt(2));
    /* a hundred million values, half 0 and half 10^15 (11 days): far beyond what 128 bits hold of n times the squares */
    const uint64_t n = 100000000, value = UINT64_C(1000000000000000);
    nf_u128 square = nf_u128_product(value, value); /* times n / 2 */
    squares = nf_u128_add(nf_u128_product(nf_u128_low(square), n / 2),
                          nf_u128_make(nf_u128_low(nf_u128_product(nf_u128_high(square), n / 2)), 0));
    cr_expect_float_eq(nf_deviation(nf_i128_product((int64_t)value, n / 2), squares, n) / 1e15, 0.5, 1e-8);
}
