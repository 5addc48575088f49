/* Time per packet of flows over packet tables in memory, beside floors of the same run (flow_floor.h); and a
   flood of 10 million half-open connections, with a budget and without (which takes 3 GiB).
     bench_flow [PACKETS [WHAT]]     packets of each input, default 2,000,000; only lines that hold WHAT
   Every figure is processor time, the best of five passes in one process, with the first pass beside it; nothing
   is asserted. Beside each figure stands how many times its floor it takes, and a goal for that. Goals are set in
   ns on a reference machine, where the partitioned floor takes 15 ns for mix and 16 for scan, the streaming one
   33 to 60 and 120 to 140; as memory differs between machines they are printed as ratios of those figures:
   partitioned 30 / 15; streaming 60 / 33 for mix, 200 / 130 for scan; two-way with statistics 120 / 33 for mix,
   150 / 130 for scan, both of the streaming floor, which has neither two ways nor statistics. One more floor makes
   the table that netfeat_flows_one_way() makes, in fresh pages as it does. Tables of flows are timed as made anew for
   each pass, with pages that the system has to clear, and going on, with those they have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <netfeat/netfeat.h>

#include "flow_floor.h"

#define PASSES     5
#define BATCH_ROWS 65536
#define FLOOD      10000000
#define MIB        (INT64_C(1) << 20)

static netfeat_ctx *ctx;
static const char *wanted = "";

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(int64_t code, const char *what)
{
    if (code < 0) {
        fprintf(stderr, "bench_flow: %s: %s\n", what, netfeat_ctx_error_message(ctx));
        exit(1);
    }
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* ---- inputs ---- */

enum {
    NUMBER,
    TIME,
    SRC,
    DST,
    SPORT,
    DPORT,
    PROTO,
    FRAME,
    IPLEN,
    L4LEN,
    PAYLEN,
    FLAGS,
    SEQ,
    ACKNO,
    IPID,
    IPFLAGS,
    FRAGOFF,
    ITYPE,
    ICODE,
    COLUMNS
};
static const struct {
    const char *name;
    int type, width;
} columns[COLUMNS] = {{"packet_number", NETFEAT_TYPE_U64, 8},   {"timestamp", NETFEAT_TYPE_TIME_NS, 8},
                      {"src_ip", NETFEAT_TYPE_BYTES16, 16},     {"dst_ip", NETFEAT_TYPE_BYTES16, 16},
                      {"src_port", NETFEAT_TYPE_U16, 2},        {"dst_port", NETFEAT_TYPE_U16, 2},
                      {"ip_protocol", NETFEAT_TYPE_U8, 1},      {"frame_length", NETFEAT_TYPE_U32, 4},
                      {"ip_length", NETFEAT_TYPE_U32, 4},       {"l4_length", NETFEAT_TYPE_U32, 4},
                      {"payload_length", NETFEAT_TYPE_U32, 4},  {"tcp_flags", NETFEAT_TYPE_U16, 2},
                      {"tcp_seq", NETFEAT_TYPE_U32, 4},         {"tcp_ack", NETFEAT_TYPE_U32, 4},
                      {"ip_id", NETFEAT_TYPE_U32, 4},           {"ip_flags", NETFEAT_TYPE_U8, 1},
                      {"fragment_offset", NETFEAT_TYPE_U32, 4}, {"icmp_type", NETFEAT_TYPE_U8, 1},
                      {"icmp_code", NETFEAT_TYPE_U8, 1}};

typedef struct {
    int64_t rows;
    uint8_t *data[COLUMNS];
    netfeat_table *table;
} input;

static void put(input *in, int column, int64_t row, uint64_t value)
{
    memcpy(in->data[column] + (size_t)row * (size_t)columns[column].width, &value,
           (size_t)columns[column].width);
}

static void put_ip(input *in, int column, int64_t row, uint32_t address)
{
    uint8_t ip[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    for (int i = 0; i < 4; i++) {
        ip[12 + i] = (uint8_t)(address >> (24 - 8 * i));
    }
    memcpy(in->data[column] + 16 * row, ip, 16);
}

static void free_input(input *in)
{
    netfeat_table_unref(in->table);
    for (int c = 0; c < COLUMNS; c++) {
        free(in->data[c]);
    }
}

/* mix: flows conversations of two sides, packets of 60 to 1514 bytes; scan: every packet opens one of flows. */
static input make_input(int64_t rows, int64_t flows, int scan, uint64_t first_number)
{
    const char *names[COLUMNS];
    netfeat_column *cols[COLUMNS];
    uint8_t *none = calloc(1, (size_t)rows / 8 + 1);
    input in = {.rows = rows};
    uint64_t seed = 42 + first_number;

    for (int c = 0; c < COLUMNS; c++) {
        in.data[c] = floor_memory((size_t)rows * (size_t)columns[c].width);
    }
    for (int64_t i = 0; i < rows; i++) {
        uint64_t r = next_random(&seed);
        uint64_t flow = r % (uint64_t)flows;
        int back = !scan && (r >> 40 & 1) != 0;
        uint32_t client = (uint32_t)(0x0a000000 + flow % 65536);
        uint32_t server = (uint32_t)(0xc0a80000 + flow * 2654435761U % 16777216);
        uint64_t payload = scan ? 0 : (r >> 44) % 1460;
        put(&in, NUMBER, i, first_number + (uint64_t)i);
        put(&in, TIME, i, (first_number + (uint64_t)i) * 1000);
        put_ip(&in, back ? DST : SRC, i, client);
        put_ip(&in, back ? SRC : DST, i, server);
        put(&in, back ? DPORT : SPORT, i, 1024 + flow / 65536 % 60000);
        put(&in, back ? SPORT : DPORT, i, scan ? 23 : 443);
        put(&in, PROTO, i, 6);
        put(&in, FRAME, i, 54 + payload);
        put(&in, IPLEN, i, 40 + payload);
        put(&in, L4LEN, i, 20 + payload);
        put(&in, PAYLEN, i, payload);
        put(&in, FLAGS, i, scan ? NETFEAT_TCP_SYN : NETFEAT_TCP_ACK);
        put(&in, SEQ, i, scan ? flow : r & 0xffffffff);
        put(&in, ACKNO, i, 0);
    }
    for (int c = 0; c < COLUMNS; c++) {
        names[c] = columns[c].name;
        check(netfeat_column_wrap(ctx, columns[c].type, rows, in.data[c],
                                  c == ITYPE || c == ICODE ? none : NULL, NULL, NULL, &cols[c]),
              "wrap");
    }
    check(netfeat_table_from_columns(ctx, names, cols, COLUMNS, &in.table), "table");
    for (int c = 0; c < COLUMNS; c++) {
        netfeat_column_unref(cols[c]);
    }
    return in; /* the bitmap of the two columns lives as long as the program */
}

/* ---- what is timed ---- */

static netfeat_options *options(const char *profile, const char *cols, int two_way, int64_t bytes)
{
    netfeat_options *opts = NULL;

    check(netfeat_options_new(ctx, &opts), "options");
    check(netfeat_options_set_text(opts, NETFEAT_OPT_FLOW_PROFILE, profile), "profile");
    check(netfeat_options_set_text(opts, NETFEAT_OPT_FLOW_COLUMNS, cols), "columns");
    check(netfeat_options_set_text(opts, NETFEAT_OPT_FLOW_ORDER, "first"), "order");
    check(netfeat_options_set_int(opts, NETFEAT_OPT_FLOW_BIDIRECTIONAL, two_way), "two-way");
    check(netfeat_options_set_int(opts, NETFEAT_OPT_FLOW_MAX_BYTES, bytes), "bytes");
    return opts;
}

static double read_columns(const input *in)
{
    double start = now();
    uint64_t sum = 0;

    for (int64_t i = 0; i < in->rows; i++) {
        uint64_t words[4];
        memcpy(words, in->data[SRC] + 16 * i, 16);
        memcpy(words + 2, in->data[DST] + 16 * i, 16);
        sum += words[0] ^ words[1] ^ words[2] ^ words[3] ^ in->data[SPORT][2 * i] ^ in->data[DPORT][2 * i] ^
               in->data[PROTO][i] ^ in->data[TIME][8 * i] ^ in->data[FRAME][4 * i];
    }
    return sum == 1 ? 0 : now() - start;
}

static int is_wanted(const char *input_name, const char *what)
{
    char line[128];

    snprintf(line, sizeof line, "%s %s", input_name, what);
    return strstr(line, wanted) != NULL;
}

/* Passes over one input: the first one, and the best. */
typedef struct {
    double first, best;
    int n;
} timing;

static void add_pass(timing *t, double seconds)
{
    t->first = t->n == 0 ? seconds : t->first;
    t->best = t->n == 0 || seconds < t->best ? seconds : t->best;
    t->n++;
}

/* What rows are compared with, and the goals as ratios. */
typedef struct {
    double partitioned, table, streaming; /* seconds */
    double partitioned_goal, streaming_goal, two_way_goal;
} floors;

static void report(const char *input_name, const char *what, double seconds, int64_t packets)
{
    printf("%-6s %-52s %7.1f ns a packet\n", input_name, what, seconds * 1e9 / (double)packets);
    fflush(stdout);
}

static void report_ratio(const char *input_name, const char *what, timing t, int64_t packets, double floor,
                         double goal)
{
    printf("%-6s %-52s %7.1f ns a packet, first %.0f; %.2f x floor (goal %.2f)\n", input_name, what,
           t.best * 1e9 / (double)packets, t.first * 1e9 / (double)packets, t.best / floor, goal);
    fflush(stdout);
}

/* Feed; then end and take, apart. */
static void time_flows(const char *name, const char *what, const input *in, netfeat_options *opts,
                       double floor, double goal)
{
    timing feed = {.n = 0}, take = {.n = 0};
    int64_t flows = 0;
    double bytes = 0;

    for (int pass = 0; pass < PASSES && is_wanted(name, what); pass++) {
        netfeat_flows *fl = NULL;
        netfeat_table *out = NULL;
        uint64_t before = netfeat_ctx_memory_used(ctx);
        double start, mid;
        check(netfeat_flows_new(ctx, opts, &fl), "new");
        start = now();
        check(netfeat_flows_feed(fl, in->table, NULL), "feed");
        mid = now();
        bytes = (double)(netfeat_ctx_memory_used(ctx) - before);
        check(netfeat_flows_end(fl), "end");
        check(netfeat_flows_take_all(fl, &out), "take");
        add_pass(&take, now() - mid);
        add_pass(&feed, mid - start);
        flows = netfeat_table_rows(out);
        netfeat_table_unref(out);
        netfeat_flows_unref(fl);
    }
    if (feed.n > 0) {
        report_ratio(name, what, feed, in->rows, floor, goal);
        printf("%-6s   %lld flows, %.0f bytes each; end and take %.0f ns a flow, first %.0f\n", name,
               (long long)flows, bytes / (double)flows, take.best * 1e9 / (double)flows,
               take.first * 1e9 / (double)flows);
    }
    netfeat_options_unref(opts);
}

/* A table of flows that goes on, as in a sensor: after each pass its flows are over and taken, and their memory is used
   again. The packets have no numbers, which would have to rise. */
static void time_going_on(const char *name, const char *what, const input *in, netfeat_options *opts,
                          double floor, double goal)
{
    int rest[COLUMNS - 1];
    netfeat_table *packets = NULL;
    netfeat_flows *fl = NULL;
    timing feed = {.n = 0};

    if (!is_wanted(name, what)) {
        netfeat_options_unref(opts);
        return;
    }
    for (int c = 1; c < COLUMNS; c++) {
        rest[c - 1] = c;
    }
    check(netfeat_table_select(ctx, in->table, rest, COLUMNS - 1, &packets), "select");
    check(netfeat_flows_new(ctx, opts, &fl), "new");
    for (int pass = 0; pass < PASSES + 1; pass++) {
        netfeat_table *out = NULL;
        double start = now();
        check(netfeat_flows_feed(fl, packets, NULL), "feed");
        add_pass(&feed, now() - start);
        check(netfeat_flows_expire(fl, INT64_MAX / 2), "expire");
        check(netfeat_flows_take_all(fl, &out), "take");
        netfeat_table_unref(out);
    }
    report_ratio(name, what, feed, in->rows, floor, goal);
    netfeat_flows_unref(fl);
    netfeat_table_unref(packets);
    netfeat_options_unref(opts);
}

static double wall(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void time_threads(const char *name, const input *in, int threads)
{
    netfeat_options *opts = NULL;
    double best = 1e9;
    char what[64];

    snprintf(what, sizeof what, "one-way, partitioned, %d threads, by the wall clock", threads);
    if (!is_wanted(name, what)) {
        return;
    }
    opts = options("notebook", "", 0, INT64_C(1) << 30);
    check(netfeat_options_set_int(opts, NETFEAT_OPT_FLOW_THREADS, threads), "threads");
    for (int pass = 0; pass < PASSES; pass++) {
        netfeat_table *out = NULL;
        double start = wall();
        check(netfeat_flows_one_way(ctx, in->table, opts, &out), "streams");
        best = wall() - start < best ? wall() - start : best;
        netfeat_table_unref(out);
    }
    report(name, what, best, in->rows);
    netfeat_options_unref(opts);
}

static void time_streams(const char *name, const input *in, const char *order, const floors *fl)
{
    netfeat_options *opts = NULL;
    timing t = {.n = 0};
    char what[64];

    snprintf(what, sizeof what, "one-way, partitioned, with its table (order %s)", order);
    if (!is_wanted(name, what)) {
        return;
    }
    opts = options("notebook", "", 0, INT64_C(1) << 30);
    check(netfeat_options_set_text(opts, NETFEAT_OPT_FLOW_ORDER, order), "order");
    for (int pass = 0; pass < PASSES; pass++) {
        netfeat_table *out = NULL;
        double start = now();
        check(netfeat_flows_one_way(ctx, in->table, opts, &out), "streams");
        add_pass(&t, now() - start);
        netfeat_table_unref(out);
    }
    report_ratio(name, what, t, in->rows, fl->partitioned, fl->partitioned_goal);
    printf("%-6s   %.2f x the floor with its table\n", name, t.best / fl->table);
    netfeat_options_unref(opts);
}

static floors time_floors(const char *name, const input *in, int scan)
{
    floor_input columns_of = {in->rows,        in->data[SRC],   in->data[DST],  in->data[SPORT],
                              in->data[DPORT], in->data[PROTO], in->data[TIME], in->data[FRAME]};
    floors fl = {.partitioned_goal = 30.0 / 15,
                 .streaming_goal = scan ? 200.0 / 130 : 60.0 / 33,
                 .two_way_goal = scan ? 150.0 / 130 : 120.0 / 33};
    size_t flows = 0;

    fl.partitioned = floor_partitioned(&columns_of, PASSES, &flows);
    fl.table = floor_partitioned_table(&columns_of, PASSES, flows);
    fl.streaming = floor_streaming(&columns_of, PASSES, flows);
    report(name, "floor: partitioned by hand, no table", fl.partitioned, in->rows);
    report(name, "floor: partitioned by hand, with its table", fl.table, in->rows);
    report(name, "floor: streaming by hand, no table", fl.streaming, in->rows);
    return fl;
}

static void time_input(const char *name, int64_t rows, int64_t flows, int scan)
{
    const int64_t bytes = INT64_C(4) << 30;
    const char *statistics =
        "flow_id,packets,bytes,length_mean,length_std,length_min,length_max,iat_mean,iat_std,iat_min,iat_max";
    input in = make_input(rows, flows, scan, 1);
    timing t = {.n = 0};
    floors fl;

    for (int pass = 0; pass < PASSES; pass++) {
        add_pass(&t, read_columns(&in));
    }
    report(name, "reading the columns", t.best, rows);
    fl = time_floors(name, &in, scan);
    time_streams(name, &in, "first", &fl);
    time_streams(name, &in, "key", &fl);
    time_threads(name, &in, 1);
    time_threads(name, &in, 2);
    time_flows(name, "one-way, streaming (notebook)", &in, options("notebook", "", 0, bytes), fl.streaming,
               fl.streaming_goal);
    time_flows(name, "one-way, streaming (flows)", &in, options("flows", "", 0, bytes), fl.streaming,
               fl.streaming_goal);
    time_flows(name, "two-way, time-outs", &in, options("flows", "", 1, bytes), fl.streaming,
               fl.two_way_goal);
    time_flows(name, "two-way, time-outs, length and iat statistics", &in,
               options("flows", statistics, 1, bytes), fl.streaming, fl.two_way_goal);
    time_going_on(name, "one-way, going on (flows)", &in, options("flows", "", 0, bytes), fl.streaming,
                  fl.streaming_goal);
    time_going_on(name, "two-way, time-outs, going on", &in, options("flows", "", 1, bytes), fl.streaming,
                  fl.two_way_goal);
    time_going_on(name, "two-way, time-outs, length and iat, going on", &in,
                  options("flows", statistics, 1, bytes), fl.streaming, fl.two_way_goal);
    free_input(&in);
}

/* A SYN flood in batches, taken as it goes: the peak of memory, and time per packet; 0 if it was not wanted. */
static double time_flood(const char *what, int64_t bytes, double without)
{
    netfeat_options *opts = NULL;
    netfeat_flows *fl = NULL;
    double fed = 0, taken = 0;
    uint64_t peak = 0;

    if (!is_wanted("flood", what)) {
        return 0;
    }
    opts = options("flows", "", 1, bytes);
    check(netfeat_flows_new(ctx, opts, &fl), "new");
    for (int64_t done = 0; done < FLOOD; done += BATCH_ROWS) {
        int64_t rows = FLOOD - done < BATCH_ROWS ? FLOOD - done : BATCH_ROWS;
        input in = make_input(rows, INT64_C(1) << 40, 1, (uint64_t)done + 1);
        netfeat_table *out = NULL;
        double start = now(), mid;
        check(netfeat_flows_feed(fl, in.table, NULL), "feed");
        peak = netfeat_ctx_memory_used(ctx) > peak ? netfeat_ctx_memory_used(ctx) : peak;
        mid = now();
        fed += mid - start;
        check(netfeat_flows_take(fl, &out), "take");
        taken += now() - mid;
        netfeat_table_unref(out);
        free_input(&in);
    }
    printf("flood  %-22s %6.1f ns a packet to feed", what, fed * 1e9 / FLOOD);
    if (without > 0) {
        printf(" (%.2f of that without)", fed / without);
    }
    printf(", %5.1f to take; %lld open, %lld evicted; at most %.0f MiB\n", taken * 1e9 / FLOOD,
           (long long)netfeat_flows_count(fl, NETFEAT_FLOWS_OPEN),
           (long long)netfeat_flows_count(fl, NETFEAT_FLOWS_EVICTED), (double)peak / (double)MIB);
    fflush(stdout);
    netfeat_flows_unref(fl);
    netfeat_options_unref(opts);
    return fed;
}

static void time_floods(void)
{
    double without = time_flood("no eviction", 8192 * MIB, 0);

    (void)time_flood("budget of 1 GiB", 1024 * MIB, without);
    (void)time_flood("budget of 256 MiB", 256 * MIB, without);
}

int main(int argc, char **argv)
{
    int64_t rows = argc > 1 ? strtoll(argv[1], NULL, 10) : 2000000;

    wanted = argc > 2 ? argv[2] : "";
    if (rows <= 0 || netfeat_ctx_new(&ctx) != 0) {
        fputs("usage: bench_flow [PACKETS [WHAT]]\n", stderr);
        return 2;
    }
    time_input("mix", rows, 100000, 0);
    time_input("scan", rows, rows, 1);
    time_floods();
    netfeat_ctx_unref(ctx);
    return 0;
}
