/* How fast captures become packet tables, beside reading the bytes and libpcap's loop, in one run.
   usage: bench_ingest MAKE_CAPTURES FOLDER [MIB] [ROUNDS]
   Each way of reading runs in a process of its own: a first pass, then ROUNDS more; best and median of those, the
   first beside them, and the highest resident memory. The page cache is warm. Goals are printed, never enforced:
   what is met depends on the machine. */
#include <fcntl.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <netfeat/netfeat.h>

#define BLOCK      (256 << 10)
#define BATCH_ROWS 16384
#define ROUNDS_MAX 50
#define COLUMNS                                                                                              \
    "timestamp,frame_length,src_ip,dst_ip,ip_protocol,src_port,dst_port,tcp_flags,ip_ttl,ip_length"

typedef struct {
    double first, best, median; /* seconds */
    int64_t packets, bytes;
    long resident_kib; /* highest, less what the process had before it began */
} result;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- ways of reading: each returns the number of packets ---- */

static int64_t plain_read(const char *path)
{
    static char buffer[BLOCK];
    int fd = open(path, O_RDONLY);
    ssize_t n = 1;

    while (fd >= 0 && n > 0) {
        n = read(fd, buffer, sizeof buffer);
    }
    if (fd < 0 || n < 0) {
        die(path);
    }
    close(fd);
    return 0;
}

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

static void fail(netfeat_ctx *ctx)
{
    fprintf(stderr, "%s\n", netfeat_ctx_error_message(ctx));
    exit(1);
}

static int64_t ingest(const char *path, int64_t batch, int payload)
{
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    int64_t rows = 0;
    int64_t n = 1;

    if (netfeat_ctx_new(&ctx) != 0 || netfeat_options_new(ctx, &opts) != 0 ||
        netfeat_options_set_text(opts, NETFEAT_OPT_TABLE_COLUMNS, COLUMNS) != 0 ||
        netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_KEEP_PAYLOAD, payload) != 0 ||
        netfeat_source_open_file(ctx, path, opts, &src) != 0) {
        fail(ctx);
    }
    while (n > 0) {
        netfeat_table *tab = NULL;
        if (netfeat_table_new(ctx, opts, &tab) != 0) {
            fail(ctx);
        }
        n = netfeat_table_append_source(tab, src, batch);
        if (n < 0 || netfeat_table_seal(tab) != 0) {
            fail(ctx);
        }
        rows += n;
        netfeat_table_unref(tab);
    }
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
    return rows;
}

static int64_t batches(const char *path)
{
    return ingest(path, BATCH_ROWS, 0);
}

static int64_t whole(const char *path)
{
    return ingest(path, -1, 0);
}

static int64_t with_payload(const char *path)
{
    return ingest(path, BATCH_ROWS, 1);
}

/* ---- measuring ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static long highest_resident(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static result measure_here(int64_t (*way)(const char *), const char *path, int rounds)
{
    result r = {0};
    double seconds[ROUNDS_MAX];
    long before = highest_resident();
    double start = now();

    r.packets = way(path);
    r.first = now() - start;
    for (int i = 0; i < rounds; i++) {
        start = now();
        way(path);
        seconds[i] = now() - start;
    }
    qsort(seconds, (size_t)rounds, sizeof seconds[0], compare);
    r.best = seconds[0];
    r.median = seconds[rounds / 2];
    r.resident_kib = highest_resident() - before;
    return r;
}

/* In a child, so that memory and caches of one way do not help the next. */
static result measure(int64_t (*way)(const char *), const char *path, int rounds)
{
    result r = {0};
    struct stat info;
    int ends[2];
    int status = 1;
    pid_t child;

    fflush(stdout);
    if (pipe(ends) != 0) {
        die("pipe");
    }
    child = fork();
    if (child < 0) {
        die("fork");
    }
    if (child == 0) {
        r = measure_here(way, path, rounds);
        _exit(write(ends[1], &r, sizeof r) == (ssize_t)sizeof r ? 0 : 1);
    }
    close(ends[1]);
    if (read(ends[0], &r, sizeof r) != (ssize_t)sizeof r || waitpid(child, &status, 0) != child ||
        status != 0 || stat(path, &info) != 0) {
        die("a measurement failed");
    }
    close(ends[0]);
    r.bytes = info.st_size;
    return r;
}

static void make_capture(const char *program, const char *kind, int mib, const char *path)
{
    char command[8192];

    snprintf(command, sizeof command, "'%s' %s %d '%s'", program, kind, mib, path);
    if (system(command) != 0) {
        die(command);
    }
}

/* ---- the report ---- */

typedef struct {
    double times_read, times_pcap; /* goals; 0: none */
} goal;

static void print_row(const char *name, const result *r, int64_t packets, const result *plain,
                      const result *pcap, goal g)
{
    double ns = 1e9 / (double)packets;

    printf("  %-26s %8.1f %8.1f %8.1f %8.0f %7.2f %7.2f %7.1f", name, r->best * ns, r->median * ns,
           r->first * ns, 1e-6 * (double)r->bytes / r->best, r->best / plain->best, pcap->best / r->best,
           (double)r->resident_kib / 1024);
    if (g.times_read > 0) {
        printf("   <= %.1f x read(): %s", g.times_read,
               r->best <= g.times_read * plain->best ? "met" : "missed");
    }
    if (g.times_pcap > 0) {
        printf("   >= %.1f x faster than libpcap: %s", g.times_pcap,
               r->best * g.times_pcap <= pcap->best ? "met" : "missed");
    }
    printf("\n");
}

static void bench(const char *program, const char *folder, int is_mix, int mib, int rounds)
{
    static const goal none = {0, 0};
    const char *kind = is_mix ? "mix" : "scan";
    char path[4096];
    char path_ng[4096];
    char kind_ng[16];
    result plain, pcap, batched, kept, payload, ng;
    double column_bytes = 8 + 4 + 16 + 16 + 1 + 2 + 2 + 2 + 1 + 4 + 10.0 / 8; /* with a bitmap each */

    snprintf(path, sizeof path, "%s/bench-%s.pcap", folder, kind);
    snprintf(path_ng, sizeof path_ng, "%s/bench-%s.pcapng", folder, kind);
    snprintf(kind_ng, sizeof kind_ng, "%s-ng", kind);
    make_capture(program, kind, mib, path);
    plain = measure(plain_read, path, rounds);
    pcap = measure(libpcap_loop, path, rounds);
    batched = measure(batches, path, rounds);
    kept = measure(whole, path, rounds);
    payload = measure(with_payload, path, rounds);
    unlink(path);
    make_capture(program, kind_ng, mib, path_ng);
    ng = measure(batches, path_ng, rounds);
    unlink(path_ng);
    if (batched.packets != pcap.packets || kept.packets != pcap.packets || payload.packets != pcap.packets) {
        fprintf(stderr, "libpcap and netfeat count differently\n");
        exit(1);
    }
    printf("\n%s: %" PRId64 " packets, %" PRId64 " bytes a packet\n", kind, pcap.packets,
           pcap.bytes / pcap.packets - 16);
    printf("  %-26s %8s %8s %8s %8s %7s %7s %7s\n", "", "best ns", "median", "first", "MB/s", "x read",
           "pcap x", "MiB");
    print_row("read(), 256 KiB buffer", &plain, pcap.packets, &plain, &pcap, none);
    print_row("libpcap pcap_next_ex", &pcap, pcap.packets, &plain, &pcap, none);
    print_row("10 columns, batches", &batched, pcap.packets, &plain, &pcap,
              is_mix ? (goal){1.3, 3.5} : (goal){3.5, 5});
    print_row("10 columns, whole table", &kept, pcap.packets, &plain, &pcap, (goal){is_mix ? 1.6 : 5, 0});
    print_row("10 columns + payload", &payload, pcap.packets, &plain, &pcap, (goal){is_mix ? 2.0 : 0, 0});
    print_row("10 columns, pcapng", &ng, ng.packets, &plain, &pcap, none);
    printf("  pcapng %.2f x pcap a packet (<= 1.25: %s); batches %.1f MiB (<= 16: %s); whole table %.2f x "
           "its columns "
           "(<= 1.1: %s)\n",
           ng.best / (double)ng.packets / (batched.best / (double)batched.packets),
           ng.best / (double)ng.packets <= 1.25 * batched.best / (double)batched.packets ? "met" : "missed",
           (double)batched.resident_kib / 1024, batched.resident_kib <= 16 << 10 ? "met" : "missed",
           1024.0 * (double)kept.resident_kib / (column_bytes * (double)kept.packets),
           1024.0 * (double)kept.resident_kib <= 1.1 * column_bytes * (double)kept.packets ? "met"
                                                                                           : "missed");
}

int main(int argc, char **argv)
{
    int mib = argc > 3 ? atoi(argv[3]) : 256;
    int rounds = argc > 4 ? atoi(argv[4]) : 5;

    if (argc < 3 || mib < 1 || rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench_ingest MAKE_CAPTURES FOLDER [MIB] [ROUNDS]\n");
        return 2;
    }
    printf("libnetfeat %s, %d MiB a capture, best and median of %d, ns a packet; columns: %s\n",
           netfeat_version_string(), mib, rounds, COLUMNS);
    for (int is_mix = 1; is_mix >= 0; is_mix--) {
        bench(argv[1], argv[2], is_mix, mib, rounds);
    }
    return 0;
}
