/* Time per packet of flows over packet tables in memory, beside a loop that only reads the same columns; and a
   flood of half-open connections, with a budget and without.
     bench_flow [PACKETS [WHAT]]     packets of each input, default 2,000,000; only lines that hold WHAT
   Every figure is processor time, the best of five passes; nothing is asserted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <netfeat/netfeat.h>

#define PASSES      5
#define BATCH_ROWS  65536
#define FLOOD       10000000
#define FLOOD_BYTES (INT64_C(256) << 20)

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
        in.data[c] = calloc((size_t)rows, (size_t)columns[c].width);
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

static void report(const char *input_name, const char *what, double seconds, int64_t packets)
{
    printf("%-6s %-52s %7.1f ns a packet\n", input_name, what, seconds * 1e9 / (double)packets);
    fflush(stdout);
}

/* Feed; then end and take, apart. */
static void time_flows(const char *name, const char *what, const input *in, const char *profile,
                       const char *cols, int two_way)
{
    netfeat_options *opts = NULL;
    double best = 1e9, best_take = 1e9;
    int64_t flows = 0;
    double bytes = 0;

    if (!is_wanted(name, what)) {
        return;
    }
    opts = options(profile, cols, two_way, INT64_C(4) << 30);
    for (int pass = 0; pass < PASSES; pass++) {
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
        best = mid - start < best ? mid - start : best;
        best_take = now() - mid < best_take ? now() - mid : best_take;
        flows = netfeat_table_rows(out);
        netfeat_table_unref(out);
        netfeat_flows_unref(fl);
    }
    report(name, what, best, in->rows);
    printf("%-6s   %lld flows, %.0f bytes each; end and take %.0f ns a flow\n", name, (long long)flows,
           bytes / (double)flows, best_take * 1e9 / (double)flows);
    netfeat_options_unref(opts);
}

static void time_streams(const char *name, const input *in, const char *order)
{
    netfeat_options *opts = NULL;
    double best = 1e9;
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
        best = now() - start < best ? now() - start : best;
        netfeat_table_unref(out);
    }
    report(name, what, best, in->rows);
    netfeat_options_unref(opts);
}

static void time_input(const char *name, int64_t rows, int64_t flows, int scan)
{
    input in = make_input(rows, flows, scan, 1);
    double best = 1e9;

    for (int pass = 0; pass < PASSES; pass++) {
        double t = read_columns(&in);
        best = t < best ? t : best;
    }
    report(name, "reading the columns", best, rows);
    time_streams(name, &in, "first");
    time_streams(name, &in, "key");
    time_flows(name, "one-way, streaming (notebook)", &in, "notebook", "", 0);
    time_flows(name, "one-way, streaming (flows)", &in, "flows", "", 0);
    time_flows(name, "two-way, time-outs", &in, "flows", "", 1);
    time_flows(
        name, "two-way, time-outs, length and iat statistics", &in, "flows",
        "flow_id,packets,bytes,length_mean,length_std,length_min,length_max,iat_mean,iat_std,iat_min,iat_max",
        1);
    free_input(&in);
}

/* A SYN flood in batches, taken as it goes: the peak of memory, and time per packet. */
static void time_flood(const char *what, int64_t bytes)
{
    netfeat_options *opts = NULL;
    netfeat_flows *fl = NULL;
    double spent = 0;
    uint64_t peak = 0;
    int64_t taken = 0;

    if (!is_wanted("flood", what)) {
        return;
    }
    opts = options("flows", "", 1, bytes);
    check(netfeat_flows_new(ctx, opts, &fl), "new");
    for (int64_t done = 0; done < FLOOD; done += BATCH_ROWS) {
        input in = make_input(BATCH_ROWS, INT64_C(1) << 40, 1, (uint64_t)done + 1);
        netfeat_table *out = NULL;
        double start;
        start = now();
        check(netfeat_flows_feed(fl, in.table, NULL), "feed");
        spent += now() - start;
        peak = netfeat_ctx_memory_used(ctx) > peak ? netfeat_ctx_memory_used(ctx) : peak;
        start = now();
        if (netfeat_flows_take(fl, &out) > 0) {
            taken += netfeat_table_rows(out);
        }
        spent += now() - start;
        netfeat_table_unref(out);
        free_input(&in);
    }
    printf("flood  %-36s %7.1f ns a packet, %lld open, %lld evicted and taken, %.0f MiB\n", what,
           spent * 1e9 / FLOOD, (long long)netfeat_flows_count(fl, NETFEAT_FLOWS_OPEN), (long long)taken,
           (double)peak / 1048576);
    netfeat_flows_unref(fl);
    netfeat_options_unref(opts);
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
    time_flood("without eviction", INT64_C(8) << 30);
    time_flood("budget of 256 MiB", FLOOD_BYTES);
    netfeat_ctx_unref(ctx);
    return 0;
}
