/* How many nanoseconds a row the features take, over tables in memory like two captures: `mix` (a few thousand
   hosts, skewed) and `scan` (most destinations seen once).
   usage: bench_feature [ROWS] [ROUNDS] [PART OF A NAME]
   Processor time, so that a busy machine may be used: the first pass, the best of ROUNDS warm ones (where a feature goes by
   an address, the column has the numbers of its dictionary then), a bare loop over plain arrays in the same
   rounds, and the floor that such a loop had on another machine. Ratios carry over to other machines, figures do not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <netfeat/netfeat.h>

static uint64_t random_state = 88172645463325252U;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static netfeat_ctx *ctx;

static void check(int code)
{
    if (code < 0) {
        fprintf(stderr, "%s: %s\n", netfeat_error_name(code), netfeat_ctx_error_message(ctx));
        exit(1);
    }
}

/* ---- tables ---- */

enum { TIME, LENGTH, SRC, DST, SPORT, DPORT, PROTOCOL, REAL, SMAC, DMAC, N_COLUMNS };
static const char *const names[N_COLUMNS] = {"timestamp", "frame_length", "src_ip", "dst_ip",  "src_port",
                                             "dst_port",  "ip_protocol",  "real",   "src_mac", "dst_mac"};
static const int types[N_COLUMNS] = {
    NETFEAT_TYPE_TIME_NS, NETFEAT_TYPE_U32, NETFEAT_TYPE_BYTES16, NETFEAT_TYPE_BYTES16, NETFEAT_TYPE_U16,
    NETFEAT_TYPE_U16,     NETFEAT_TYPE_U8,  NETFEAT_TYPE_F64,     NETFEAT_TYPE_BYTES6,  NETFEAT_TYPE_BYTES6};

static void put_ip(uint8_t *to, uint32_t ip)
{
    memset(to, 0, 10);
    to[10] = to[11] = 255;
    for (int k = 0; k < 4; k++) {
        to[12 + k] = (uint8_t)(ip >> (24 - 8 * k));
    }
}

/* A few hosts talk most of the time. */
static uint32_t skewed(uint32_t n)
{
    uint32_t a = (uint32_t)(next_random() % n);
    uint32_t b = (uint32_t)(next_random() % n);
    return (uint32_t)((uint64_t)a * b / n);
}

static void fill(void *const *data, size_t rows, int scan)
{
    static const uint16_t ports[] = {443, 80, 53, 22, 23, 2323, 123, 8080, 1900, 5353};
    int64_t time = INT64_C(1600000000000000000);

    for (size_t i = 0; i < rows; i++) {
        uint32_t src = scan ? 0x0a000000 + skewed(40000) : 0x0a000000 + skewed(4000);
        uint32_t dst = scan ? (uint32_t)next_random() : 0xc0a80000 + skewed(4000);
        time += (int64_t)(next_random() % 20000);
        ((int64_t *)data[TIME])[i] = time;
        ((uint32_t *)data[LENGTH])[i] = scan ? 60 + (uint32_t)(next_random() % 40) : 60 + skewed(1455);
        put_ip((uint8_t *)data[SRC] + 16 * i, src);
        put_ip((uint8_t *)data[DST] + 16 * i, dst);
        ((uint16_t *)data[SPORT])[i] = (uint16_t)(1024 + next_random() % 64000);
        ((uint16_t *)data[DPORT])[i] =
            next_random() % 4 != 0 ? ports[skewed(10)] : (uint16_t)(next_random() % 65536);
        ((uint8_t *)data[PROTOCOL])[i] = next_random() % 5 == 0 ? 17 : 6;
        ((double *)data[REAL])[i] = (double)(int64_t)next_random() * 1e-12;
        memset((uint8_t *)data[SMAC] + 6 * i, (int)(src % 200), 6);
        memset((uint8_t *)data[DMAC] + 6 * i, (int)(dst % 200), 6);
    }
}

static netfeat_table *make_table(size_t rows, int scan)
{
    static const size_t widths[N_COLUMNS] = {8, 4, 16, 16, 2, 2, 1, 8, 6, 6};
    netfeat_column *cols[N_COLUMNS];
    void *data[N_COLUMNS];
    netfeat_table *tab = NULL;

    for (int k = 0; k < N_COLUMNS; k++) {
        data[k] = malloc(rows * widths[k]);
        if (data[k] == NULL) {
            exit(1);
        }
    }
    fill(data, rows, scan);
    for (int k = 0; k < N_COLUMNS; k++) {
        check(netfeat_column_wrap(ctx, types[k], (int64_t)rows, data[k], NULL, free, data[k], &cols[k]));
    }
    check(netfeat_table_from_columns(ctx, names, cols, N_COLUMNS, &tab));
    for (int k = 0; k < N_COLUMNS; k++) {
        netfeat_column_unref(cols[k]);
    }
    return tab;
}

/* ---- features ---- */

typedef struct {
    netfeat_table *tab;
    netfeat_table *ids;    /* src_ip as numbers of a dictionary, frame_length, timestamp */
    netfeat_table *length; /* one column of integers */
    netfeat_table *real;   /* one column of doubles */
    netfeat_options *ports;
} input;

static void dictionary(const input *in)
{
    netfeat_column *ids = NULL, *values = NULL;

    check(netfeat_column_dictionary(ctx, netfeat_table_column(in->tab, SRC), &ids, &values));
    netfeat_column_unref(ids);
    netfeat_column_unref(values);
}

#define COLUMN_FEATURE(name, call)                                                                           \
    static void name(const input *in)                                                                        \
    {                                                                                                        \
        netfeat_column *out = NULL;                                                                          \
        check(call);                                                                                         \
        netfeat_column_unref(out);                                                                           \
    }
#define TABLE_FEATURE(name, call)                                                                            \
    static void name(const input *in)                                                                        \
    {                                                                                                        \
        netfeat_table *out = NULL;                                                                           \
        check(call);                                                                                         \
        netfeat_table_unref(out);                                                                            \
    }
static const int by_src[] = {SRC}, by_dst[] = {DST}, by_id[] = {0},
                 by_tuple[] = {SRC, DST, SPORT, DPORT, PROTOCOL};
COLUMN_FEATURE(cumulative_src, netfeat_feature_cumulative_bytes(ctx, in->tab, by_src, 1, NULL, &out))
COLUMN_FEATURE(cumulative_dst, netfeat_feature_cumulative_bytes(ctx, in->tab, by_dst, 1, NULL, &out))
COLUMN_FEATURE(cumulative_ids, netfeat_feature_cumulative_bytes(ctx, in->ids, by_id, 1, NULL, &out))
COLUMN_FEATURE(cumulative_tuple, netfeat_feature_cumulative_bytes(ctx, in->tab, by_tuple, 5, NULL, &out))
COLUMN_FEATURE(interarrival, netfeat_feature_interarrival(ctx, in->tab, NULL, 0, NULL, &out))
COLUMN_FEATURE(interarrival_ids, netfeat_feature_interarrival(ctx, in->ids, by_id, 1, NULL, &out))
COLUMN_FEATURE(timestamp, netfeat_feature_timestamp(ctx, in->tab, 1000000000, 0, &out))
COLUMN_FEATURE(frequency, netfeat_feature_frequency(ctx, netfeat_table_column(in->tab, DPORT), NULL, &out))
TABLE_FEATURE(onehot, netfeat_feature_onehot(ctx, netfeat_table_column(in->tab, DPORT), in->ports, &out))
TABLE_FEATURE(address, netfeat_feature_ip_numeric(ctx, netfeat_table_column(in->tab, SRC), NULL, &out))
TABLE_FEATURE(describe_u32, netfeat_feature_describe(ctx, in->length, &out))
TABLE_FEATURE(describe_f64, netfeat_feature_describe(ctx, in->real, &out))
COLUMN_FEATURE(scale, netfeat_feature_standard_scale(ctx, netfeat_table_column(in->tab, LENGTH), NULL, &out))
TABLE_FEATURE(counts, netfeat_feature_value_counts(ctx, netfeat_table_column(in->tab, SRC), NULL, &out))
TABLE_FEATURE(window, netfeat_feature_window(ctx, in->tab, LENGTH, DPORT, by_src, 1, NULL, &out))
TABLE_FEATURE(damped, netfeat_feature_damped(ctx, in->tab, NULL, &out))

/* ---- bare loops: what some features cost with plain arrays that are there already ---- */

typedef struct {
    int64_t rows;
    const int64_t *time;
    const uint32_t *length, *id;
    const uint16_t *port;
    const uint8_t *ip;
    uint64_t *out;  /* twice the rows */
    uint64_t *keys; /* 65536 and twice the rows of them */
} arrays;

static void bare_sum(const arrays *restrict a, uint64_t *restrict out, uint64_t *restrict totals)
{
    memset(totals, 0, (size_t)a->rows * sizeof *totals);
    for (int64_t i = 0; i < a->rows; i++) {
        out[i] = totals[a->id[i]] += a->length[i];
    }
}

static void bare_difference(const arrays *restrict a, uint64_t *restrict out, uint64_t *restrict unused)
{
    (void)unused;
    out[0] = 0;
    for (int64_t i = 1; i < a->rows; i++) {
        out[i] = (uint64_t)(a->time[i] - a->time[i - 1]);
    }
}

static void bare_difference_ids(const arrays *restrict a, uint64_t *restrict out, uint64_t *restrict last)
{
    memset(last, 0, (size_t)a->rows * sizeof *last);
    for (int64_t i = 0; i < a->rows; i++) {
        out[i] = (uint64_t)a->time[i] - last[a->id[i]];
        last[a->id[i]] = (uint64_t)a->time[i];
    }
}

static void bare_frequency(const arrays *restrict a, uint64_t *restrict out, uint64_t *restrict counts)
{
    memset(counts, 0, 65536 * sizeof *counts);
    for (int64_t i = 0; i < a->rows; i++) {
        counts[a->port[i]]++;
    }
    for (int k = 0; k < 65536; k++) {
        double share = (double)counts[k] / (double)a->rows;
        memcpy(&counts[k], &share, sizeof share);
    }
    for (int64_t i = 0; i < a->rows; i++) {
        out[i] = counts[a->port[i]];
    }
}

static void bare_address(const arrays *restrict a, uint64_t *restrict out, uint64_t *restrict unused)
{
    (void)unused;
    for (int64_t i = 0; i < a->rows; i++) {
        uint64_t high, low;
        memcpy(&high, a->ip + 16 * i, 8);
        memcpy(&low, a->ip + 16 * i + 8, 8);
        out[i] = __builtin_bswap64(high);
        out[a->rows + i] = __builtin_bswap64(low);
    }
}

static const struct {
    const char *name;
    void (*run)(const input *in);
    double floor[2]; /* mix, scan, on another machine; 0: none was measured */
    int slow;        /* on a tenth of the rows */
    void (*bare)(const arrays *restrict a, uint64_t *restrict out, uint64_t *restrict keys);
} features[] = {
    {"dictionary of src_ip", dictionary, {9, 13}, 0, NULL},
    {"cumulative sum by src_ip", cumulative_src, {17, 24}, 0, NULL},
    {"cumulative sum by dst_ip", cumulative_dst, {0, 0}, 0, NULL},
    {"cumulative sum by ids", cumulative_ids, {0.7, 1.9}, 0, bare_sum},
    {"cumulative sum by 5-tuple", cumulative_tuple, {0, 0}, 0, NULL},
    {"inter-arrival", interarrival, {0.4, 0.6}, 0, bare_difference},
    {"inter-arrival by ids", interarrival_ids, {1.2, 2.6}, 0, bare_difference_ids},
    {"timestamp in seconds", timestamp, {0, 0}, 0, NULL},
    {"frequency of a port", frequency, {0.75, 1.2}, 0, bare_frequency},
    {"value counts of src_ip", counts, {0, 0}, 0, NULL},
    {"one-hot of 27 ports", onehot, {1.7, 1.9}, 0, NULL},
    {"address to number", address, {0.7, 1.0}, 0, bare_address},
    {"describe u32", describe_u32, {0.6, 0.9}, 0, NULL},
    {"describe f64", describe_f64, {17, 18}, 0, NULL},
    {"standard scaling of u32", scale, {0, 0}, 0, NULL},
    {"windows by src_ip, distinct", window, {0, 0}, 1, NULL},
    {"damped statistics, 100", damped, {0, 0}, 1, NULL},
};

static netfeat_table *one_column(const netfeat_table *tab, int index)
{
    netfeat_table *out = NULL;

    check(netfeat_table_select(ctx, tab, &index, 1, &out));
    return out;
}

static input make_input(size_t rows, int scan)
{
    input in;
    netfeat_column *cols[3] = {NULL, NULL, NULL}, *values = NULL;
    static const char *const id_names[] = {"id", "frame_length", "timestamp"};

    in.tab = make_table(rows, scan);
    check(netfeat_column_dictionary(ctx, netfeat_table_column(in.tab, SRC), &cols[0], &values));
    cols[1] = netfeat_table_column(in.tab, LENGTH);
    cols[2] = netfeat_table_column(in.tab, TIME);
    check(netfeat_table_from_columns(ctx, id_names, cols, 3, &in.ids));
    netfeat_column_unref(cols[0]);
    netfeat_column_unref(values);
    in.length = one_column(in.tab, LENGTH);
    in.real = one_column(in.tab, REAL);
    check(netfeat_options_new(ctx, &in.ports));
    check(netfeat_options_set_int(in.ports, NETFEAT_OPT_FEATURE_PORTS, NETFEAT_PORTS_NOTEBOOK));
    check(netfeat_options_set_int(in.ports, NETFEAT_OPT_FEATURE_DUPLICATES, NETFEAT_DUPLICATES_SUFFIX));
    return in;
}

static void drop_input(input *in)
{
    netfeat_table_unref(in->tab);
    netfeat_table_unref(in->ids);
    netfeat_table_unref(in->length);
    netfeat_table_unref(in->real);
    netfeat_options_unref(in->ports);
}

static double passed(double since, double rows)
{
    return (now() - since) / rows;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

/* One feature and its bare loop by turns: nanoseconds a row. */
static void measure(size_t k, const input *in, const arrays *a, int rounds, int scan)
{
    double rows = (double)netfeat_table_rows(in->tab);
    double first = 0, best = 1e9, bare = 1e9, t;

    for (int i = 0; i <= rounds; i++) {
        t = now();
        features[k].run(in);
        t = passed(t, rows);
        first = i == 0 ? t : first;
        best = least(best, t);
        if (features[k].bare != NULL) {
            t = now();
            features[k].bare(a, a->out, a->keys);
            bare = least(bare, passed(t, rows));
        }
    }
    printf("%-28s %8.2f %8.2f", features[k].name, first, best);
    if (features[k].bare != NULL) {
        printf(" %8.2f  x%-4.1f", bare, best / bare);
    } else if (features[k].floor[scan] > 0) {
        printf("%16s", "");
    }
    if (features[k].floor[scan] > 0) {
        printf(" %8.2f  x%.1f", features[k].floor[scan], best / features[k].floor[scan]);
    }
    printf("\n");
    fflush(stdout);
}

static const void *bytes_of(const netfeat_table *tab, int column)
{
    return netfeat_column_data(netfeat_table_column(tab, column));
}

static arrays arrays_of(const input *in)
{
    arrays a = {.rows = netfeat_table_rows(in->tab)};

    a.time = bytes_of(in->tab, TIME);
    a.length = bytes_of(in->tab, LENGTH);
    a.id = bytes_of(in->ids, 0);
    a.port = bytes_of(in->tab, DPORT);
    a.ip = bytes_of(in->tab, SRC);
    a.out = malloc((size_t)a.rows * 2 * sizeof *a.out);
    a.keys = malloc(((size_t)a.rows + 65536) * sizeof *a.keys);
    if (a.out == NULL || a.keys == NULL) {
        exit(1);
    }
    return a;
}

int main(int argc, char **argv)
{
    size_t rows = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    int rounds = argc > 2 ? atoi(argv[2]) : 5;

    check(netfeat_ctx_new(&ctx));
    for (int scan = 0; scan <= 1; scan++) {
        input in = make_input(rows, scan);
        input small = make_input(rows / 10, scan);
        arrays a = arrays_of(&in);
        printf("%s, %zu rows%14s %8s %8s %15s  ns a row\n", scan ? "scan" : "mix ", rows, "first", "best",
               "bare", "floor");
        for (size_t k = 0; k < sizeof features / sizeof features[0]; k++) {
            if (argc <= 3 || strstr(features[k].name, argv[3]) != NULL) {
                measure(k, features[k].slow ? &small : &in, &a, rounds, scan);
            }
        }
        free(a.out);
        free(a.keys);
        drop_input(&in);
        drop_input(&small);
    }
    netfeat_ctx_unref(ctx);
    return 0;
}
