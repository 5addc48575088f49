/* How fast streams are put together: a whole capture, counting bytes, beside libpcap's loop; and what a segment costs
   in orders that a hostile sender would choose, beside the same segments in order.
   usage: bench_stream MAKE_CAPTURES FOLDER [MIB] [SEGMENTS] [ROUNDS]
   The goals are meant for captures of 1 GiB: smaller ones have as many streams, so that fewer packets pay for each. That of
   a scan is an eighth of it.
   Best of ROUNDS, in processor time: other work on the machine should not count. Goals are printed, never enforced. */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <netfeat/netfeat.h>

#include "bench_floor.h"
#ifdef HAVE_NIDS
#include "bench_nids.h"
#endif

#define FRAME 55 /* Ethernet, IPv4, TCP, one byte */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void fail(netfeat_ctx *ctx)
{
    fprintf(stderr, "%s\n", netfeat_ctx_error_message(ctx));
    exit(1);
}

/* ---- a whole capture ---- */

static int64_t libpcap_loop(const char *path)
{
    char error[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *data;
    pcap_t *p = pcap_open_offline(path, error);
    int64_t n = 0;

    if (p == NULL) {
        die(path);
    }
    while (pcap_next_ex(p, &header, &data) == 1) {
        n++;
    }
    pcap_close(p);
    return n;
}

typedef struct {
    uint64_t packets, streams, delivered, gaps;
    uint64_t peak;
} counts;

static void set(netfeat_ctx *ctx, netfeat_options *opts, int key, int64_t value)
{
    if (netfeat_options_set_int(opts, key, value) != 0) {
        fail(ctx);
    }
}

static counts count(netfeat_ctx *ctx, netfeat_source *src, const netfeat_options *opts)
{
    netfeat_streams *st = NULL;
    counts c = {0};
    int code;

    if (netfeat_streams_new(ctx, opts, &st) != 0 || netfeat_streams_feed_source(st, src) != 0 ||
        netfeat_streams_end(st) != 0) {
        fail(ctx);
    }
    while ((code = netfeat_streams_step(st)) > 0) {
        switch (netfeat_streams_event(st)) {
        case NETFEAT_STREAM_DATA:
            c.delivered += netfeat_streams_size(st);
            break;
        case NETFEAT_STREAM_GAP:
            c.gaps++;
            break;
        case NETFEAT_STREAM_OPEN:
            c.streams++;
            break;
        default:
            break;
        }
    }
    if (code < 0) {
        fail(ctx);
    }
    c.packets = netfeat_streams_total(st, netfeat_stream_total_by_name("packets"));
    c.peak = netfeat_ctx_memory_peak(ctx);
    netfeat_streams_unref(st);
    return c;
}

static double count_file(const char *path, int checksum, int rounds, counts *ret)
{
    double best = 1e9;

    for (int i = 0; i < rounds; i++) {
        netfeat_ctx *ctx = NULL;
        netfeat_options *opts = NULL;
        netfeat_source *src = NULL;
        double start = now();

        if (netfeat_ctx_new(&ctx) != 0 || netfeat_options_new(ctx, &opts) != 0 ||
            netfeat_source_open_file(ctx, path, NULL, &src) != 0) {
            fail(ctx);
        }
        set(ctx, opts, NETFEAT_OPT_STREAM_CHECKSUM, checksum);
        *ret = count(ctx, src, opts);
        netfeat_source_unref(src);
        netfeat_options_unref(opts);
        netfeat_ctx_unref(ctx);
        best = now() - start < best ? now() - start : best;
    }
    return best;
}

/* Ours with checksums off is what libnids is compared with: both put everything in order, neither checks sums. */
static void compare_nids(const char *path, int64_t packets, double ours, int rounds)
{
#ifdef HAVE_NIDS
    double best = 1e9;
    uint64_t bytes = 0;

    for (int i = 0; i < rounds; i++) {
        double took = bench_nids(path, &bytes);
        if (took < 0) {
            printf("  libnids does not read it\n");
            return;
        }
        best = took < best ? took : best;
    }
    printf("  libnids                    %8.1f ns a packet: %.2f x as fast with checksums off (>= 2.5: %s); "
           "%" PRIu64 " bytes\n",
           1e9 * best / (double)packets, best / ours, best >= 2.5 * ours ? "met" : "missed", bytes);
#else
    (void)path, (void)packets, (void)ours, (void)rounds;
    printf("  libnids was not there when this was built (Debian: libnids-dev)\n");
#endif
}

/* In seconds; and what it counted. */
static double measure_floor(const char *path, int rounds, uint64_t *ret_bytes)
{
    bench_floor *f = bench_floor_new();
    double best = 1e9;

    if (f == NULL) {
        die("floor");
    }
    for (int i = 0; i < rounds; i++) {
        double start = now();

        if (bench_floor_run(f, path, ret_bytes) < 0) {
            die(path);
        }
        best = now() - start < best ? now() - start : best;
    }
    bench_floor_free(f);
    return best;
}

static void bench_file(const char *program, const char *folder, const char *kind, int mib, int rounds)
{
    static const char *const names[] = {"checksums off", "checksums on", "checksums auto (default)"};
    char command[8192], path[4096];
    double pcap = 1e9, unchecked = 0, least;
    uint64_t least_bytes = 0;
    int64_t n = 0;

    snprintf(path, sizeof path, "%s/bench-stream-%s.pcap", folder, kind);
    snprintf(command, sizeof command, "'%s' %s %d '%s'", program, kind, mib, path);
    if (system(command) != 0) {
        die(command);
    }
    for (int i = 0; i < rounds; i++) {
        double start = now();
        n = libpcap_loop(path);
        pcap = now() - start < pcap ? now() - start : pcap;
    }
    printf("\n%s: %" PRId64 " packets; libpcap's counting loop %.1f ns a packet\n", kind, n,
           1e9 * pcap / (double)n);
    least = measure_floor(path, rounds, &least_bytes);
    printf("  floor by hand, in order    %8.1f ns a packet, %.2f x libpcap; %" PRIu64 " bytes\n",
           1e9 * least / (double)n, least / pcap, least_bytes);
    for (int checksum = 0; checksum <= 2; checksum++) {
        counts c;
        double best = count_file(path, checksum, rounds, &c);

        printf("  %-26s %8.1f ns a packet, %.2f x libpcap (<= 0.7: %s), %.2f x the floor; %" PRIu64
               " streams, %" PRIu64 " bytes, peak %.1f MiB\n",
               names[checksum], 1e9 * best / (double)n, best / pcap, best <= 0.7 * pcap ? "met" : "missed",
               best / least, c.streams, c.delivered, (double)c.peak / (1 << 20));
        unchecked = checksum == 0 ? best : unchecked;
    }
    if (strcmp(kind, "talk") == 0) { /* it follows what begins with a handshake */
        compare_nids(path, n, unchecked, rounds);
    }
    unlink(path);
}

/* ---- orders of arrival ---- */

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static uint8_t *add_frame(uint8_t *p, uint32_t number, int from_client, unsigned flags, uint32_t seq,
                          uint32_t ack, int payload)
{
    uint32_t length = FRAME - 1 + (uint32_t)payload;
    uint32_t record[4] = {1 + number / 10000000, number % 10000000 / 10, length, length};

    memcpy(p, record, sizeof record);
    p += sizeof record;
    memset(p, 0, FRAME);
    p[12] = 8;
    p[14] = 0x45;
    p[17] = (uint8_t)(40 + payload);
    p[22] = 64;
    p[23] = 6;
    memcpy(p + 26, from_client ? "\12\0\0\1\12\0\0\2" : "\12\0\0\2\12\0\0\1", 8);
    memcpy(p + 34, from_client ? "\20\0\0\120" : "\0\120\20\0", 4);
    put32(p + 38, seq);
    put32(p + 42, ack);
    p[46] = 0x50;
    p[47] = (uint8_t)flags;
    p[48] = p[49] = 0xff;
    p[54] = (uint8_t)seq;
    return p + length;
}

static uint32_t scattered(uint32_t i, uint32_t n)
{
    /* a permutation: n is a power of two */
    i = (i * 2654435761u + 12345u) & (n - 1);
    i ^= i >> 7;
    return (i * 2246822519u) & (n - 1);
}

/* All segments but the first one in that order, then the first. */
static size_t make_order(uint8_t *out, const char *order, uint32_t n)
{
    static const uint32_t head[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1};
    uint8_t *p = out;
    uint32_t number = 0;

    memcpy(p, head, sizeof head);
    p += sizeof head;
    p = add_frame(p, number++, 1, NETFEAT_TCP_SYN, 0, 0, 0);
    p = add_frame(p, number++, 0, NETFEAT_TCP_SYN | NETFEAT_TCP_ACK, 0, 1, 0);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = order[0] == 'i'   ? i
                      : order[0] == 'd' ? n - 1 - i
                      : order[0] == 'e' ? (i < n / 2 ? 2 * i + 1 : 2 * (i - n / 2))
                                        : scattered(i, n);
        p = add_frame(p, number++, 1, NETFEAT_TCP_ACK, 1 + at, 1, 1);
    }
    return (size_t)(p - out);
}

static double run_order(const uint8_t *data, size_t size, int policy, int unlimited, int rounds, counts *ret)
{
    double best = 1e9;

    for (int i = 0; i < rounds; i++) {
        netfeat_ctx *ctx = NULL;
        netfeat_options *opts = NULL;
        netfeat_source *src = NULL;
        double start = now();

        if (netfeat_ctx_new(&ctx) != 0 || netfeat_options_new(ctx, &opts) != 0 ||
            netfeat_source_open_memory(ctx, data, size, NULL, &src) != 0) {
            fail(ctx);
        }
        set(ctx, opts, NETFEAT_OPT_STREAM_CHECKSUM, NETFEAT_CHECKSUM_OFF);
        set(ctx, opts, NETFEAT_OPT_STREAM_POLICY, policy);
        set(ctx, opts, NETFEAT_OPT_STREAM_STRICT, 0);
        set(ctx, opts, NETFEAT_OPT_STREAM_GAP_TIMEOUT_NS, INT64_MAX);
        if (unlimited) {
            set(ctx, opts, NETFEAT_OPT_STREAM_MAX_SEGMENTS, 1 << 30);
            set(ctx, opts, NETFEAT_OPT_STREAM_MAX_BUFFERED_BYTES, 1 << 30);
            set(ctx, opts, NETFEAT_OPT_STREAM_MAX_TOTAL_BYTES, INT64_C(1) << 32);
            set(ctx, opts, NETFEAT_OPT_STREAM_DEPTH_BYTES, 0);
        }
        *ret = count(ctx, src, opts);
        netfeat_source_unref(src);
        netfeat_options_unref(opts);
        netfeat_ctx_unref(ctx);
        best = now() - start < best ? now() - start : best;
    }
    return best;
}

static void bench_orders(uint32_t n, int rounds)
{
    static const char *const orders[] = {"in order", "descending", "even, then odd", "random"};
    static const char *const settings[] = {"default limits, policy linux", "no limits, policy linux",
                                           "no limits, policy first"};
    uint8_t *data = malloc((size_t)(n + 8) * (FRAME + 16));

    if (data == NULL) {
        die("malloc");
    }
    for (int setting = 0; setting < 3; setting++) {
        double in_order = 0;

        printf("\n%u segments of one byte, %s\n", n, settings[setting]);
        for (int i = 0; i < 4; i++) {
            size_t size = make_order(data, orders[i], n);
            counts c;
            double best = run_order(data, size, setting == 2 ? NETFEAT_OVERLAP_FIRST : NETFEAT_OVERLAP_LINUX,
                                    setting > 0, rounds, &c);

            in_order = i == 0 ? best : in_order;
            printf("  %-16s %8.1f ns a segment, %5.2f x in order (<= 3: %s); %" PRIu64 " bytes, %" PRIu64
                   " gaps, peak %.1f MiB\n",
                   orders[i], 1e9 * best / n, best / in_order, best <= 3 * in_order ? "met" : "missed",
                   c.delivered, c.gaps, (double)c.peak / (1 << 20));
        }
    }
    free(data);
}

int main(int argc, char **argv)
{
    int mib = argc > 3 ? atoi(argv[3]) : 1024;
    int segments = argc > 4 ? atoi(argv[4]) : 1 << 20;
    int rounds = argc > 5 ? atoi(argv[5]) : 5;

    if (argc < 3 || mib < 1 || segments < 2 || (segments & (segments - 1)) != 0 || rounds < 1) {
        fprintf(stderr,
                "usage: bench_stream MAKE_CAPTURES FOLDER [MIB] [SEGMENTS, a power of two] [ROUNDS]\n");
        return 2;
    }
    bench_orders((uint32_t)segments, rounds);
    bench_file(argv[1], argv[2], "mix", mib, rounds);
    bench_file(argv[1], argv[2], "talk", mib, rounds);
    bench_file(argv[1], argv[2], "scan", mib / 8 + 1, rounds);
    return 0;
}
