/* mutate - small captures with every byte flipped (^ 0xff, ^ 0x01, ^ 0x80) and cut at every place, through the whole
   library: source with notes, packet table with payload, flows, streams and fragments. What it looks for is what
   sanitizers report, runs that do not end, and memory above the limit.
   usage: mutate STRIDE LARGEST FILE|FOLDER...   only every STRIDE-th byte; files of more than LARGEST bytes, and what is no
   file, are left out. Exit code 77 when there is none. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <netfeat/netfeat.h>

#define MEMORY_LIMIT ((uint64_t)64 << 20)
#define RUN_SECONDS  30 /* SIGALRM ends the program: a run that does not end */

typedef struct {
    unsigned long files, flips, cuts, rows, flows, events, errors, limits;
    uint64_t peak;
} counts;

static counts seen;
static unsigned long stride;
static size_t largest;
static int failures;

static void must(int code, const char *what)
{
    if (code < 0) {
        fprintf(stderr, "%s: %s\n", what, netfeat_error_name(code));
        exit(2);
    }
}

/* What an error is on hostile input; anything else is a bug. */
static void judge(int64_t code, const char *path, const char *what)
{
    if (code >= 0) {
        return;
    }
    seen.errors++;
    seen.limits += code == NETFEAT_ERR_LIMIT;
    if (code != NETFEAT_ERR_FORMAT && code != NETFEAT_ERR_TRUNCATED && code != NETFEAT_ERR_UNSUPPORTED &&
        code != NETFEAT_ERR_LIMIT && code != NETFEAT_ERR_RANGE) {
        printf("FAILED %s: %s says %s\n", path, what, netfeat_error_name((int)code));
        failures++;
    }
}

static void read_notes(netfeat_source *src)
{
    while (netfeat_source_note_next(src) == 1) {
        seen.events += netfeat_source_note_text(src) != NULL;
    }
}

static void make_flows(netfeat_ctx *ctx, const netfeat_table *tab, const char *path)
{
    netfeat_flows *fl = NULL;
    netfeat_table *out = NULL;
    int code = netfeat_flows_new(ctx, NULL, &fl);

    code = code < 0 ? code : netfeat_flows_feed(fl, tab, NULL);
    code = code < 0 ? code : netfeat_flows_end(fl);
    code = code < 0 ? code : netfeat_flows_take_all(fl, &out);
    judge(code, path, "flows");
    seen.flows += out != NULL ? (unsigned long)netfeat_table_rows(out) : 0;
    netfeat_table_unref(out);
    netfeat_flows_unref(fl);
}

static void make_table(netfeat_ctx *ctx, const netfeat_options *opts, const uint8_t *data, size_t size,
                       const char *path)
{
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;
    int64_t n = netfeat_source_open_memory(ctx, data, size, opts, &src);

    n = n < 0 ? n : netfeat_table_new(ctx, opts, &tab);
    if (n == 0) {
        while ((n = netfeat_table_append_source(tab, src, -1)) > 0) {
            read_notes(src);
        }
    }
    judge(n, path, "source and table");
    if (tab != NULL) {
        must(netfeat_table_seal(tab), "seal");
        seen.rows += (unsigned long)netfeat_table_rows(tab);
        make_flows(ctx, tab, path);
    }
    netfeat_table_unref(tab);
    netfeat_source_unref(src);
}

static void make_streams(netfeat_ctx *ctx, const netfeat_options *opts, const uint8_t *data, size_t size,
                         const char *path)
{
    netfeat_source *src = NULL;
    netfeat_streams *st = NULL;
    int code = netfeat_source_open_memory(ctx, data, size, opts, &src);

    if (code == 0) {
        must(netfeat_streams_new(ctx, opts, &st), "streams");
        must(netfeat_streams_feed_source(st, src), "feed");
        while ((code = netfeat_streams_step(st)) > 0) {
            seen.events++;
        }
        judge(code, path, "streams");
        must(netfeat_streams_end(st), "end");
        while ((code = netfeat_streams_step(st)) > 0) {
            seen.events++;
        }
        judge(code, path, "streams");
    }
    netfeat_streams_unref(st);
    netfeat_source_unref(src);
}

/* In a block of exactly that size, so that a sanitizer sees the byte behind it. */
static void run(const uint8_t *data, size_t size, const char *path)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;

    must(copy != NULL ? netfeat_ctx_new(&ctx) : NETFEAT_ERR_NOMEM, "context");
    memcpy(copy, data, size);
    netfeat_ctx_set_memory_limit(ctx, MEMORY_LIMIT);
    must(netfeat_options_new(ctx, &opts), "options");
    must(netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_KEEP_PAYLOAD, 1), "payload");
    must(netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_VERIFY_CHECKSUMS, 1), "checksums");
    must(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_NOTES, 16), "notes");
    must(netfeat_options_set_int(opts, NETFEAT_OPT_STREAM_UDP, 1), "UDP");
    must(netfeat_options_set_int(opts, NETFEAT_OPT_STREAM_CHECKSUM, NETFEAT_CHECKSUM_OFF), "checksums");
    alarm(RUN_SECONDS);
    make_table(ctx, opts, copy, size, path);
    make_streams(ctx, opts, copy, size, path);
    netfeat_options_unref(opts);
    if (netfeat_ctx_memory_peak(ctx) > seen.peak) {
        seen.peak = netfeat_ctx_memory_peak(ctx);
    }
    netfeat_ctx_unref(ctx);
    free(copy);
}

static void run_file(const char *path, size_t size)
{
    static const uint8_t masks[] = {0xff, 0x01, 0x80};
    uint8_t *data = malloc(size > 0 ? size : 1);
    FILE *f = fopen(path, "rb");

    if (f == NULL || data == NULL || fread(data, 1, size, f) != size) {
        perror(path);
        exit(2);
    }
    fclose(f);
    run(data, size, path);
    for (size_t at = seen.files % stride; at < size; at += stride) {
        for (size_t m = 0; m < sizeof masks; m++) {
            data[at] ^= masks[m];
            run(data, size, path);
            data[at] ^= masks[m];
            seen.flips++;
        }
        run(data, at, path);
        seen.cuts++;
    }
    seen.files++;
    free(data);
}

static void run_path(const char *path)
{
    struct dirent **entries = NULL;
    struct stat info;
    int n;

    if (stat(path, &info) != 0) {
        perror(path);
        exit(2);
    }
    if (!S_ISDIR(info.st_mode)) {
        if ((size_t)info.st_size <= largest) {
            run_file(path, (size_t)info.st_size);
        }
        return;
    }
    n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        const char *dot = strrchr(entries[i]->d_name, '.');
        char name[4096];
        if (dot != NULL && (strcmp(dot, ".pcap") == 0 || strcmp(dot, ".pcapng") == 0)) {
            snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
            run_path(name);
        }
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: mutate STRIDE LARGEST FILE|FOLDER...\n");
        return 2;
    }
    stride = strtoul(argv[1], NULL, 10);
    stride = stride > 0 ? stride : 1;
    largest = strtoul(argv[2], NULL, 10);
    for (int i = 3; i < argc; i++) {
        run_path(argv[i]);
    }
    printf("%lu captures: %lu flips, %lu cuts; %lu rows, %lu flows, %lu events, %lu errors (%lu of limits), "
           "peak %.3f MiB of %llu allowed, %d failures\n",
           seen.files, seen.flips, seen.cuts, seen.rows, seen.flows, seen.events, seen.errors, seen.limits,
           (double)seen.peak / 1048576, (unsigned long long)(MEMORY_LIMIT >> 20), failures);
    return failures > 0 ? 1 : seen.files > 0 ? 0 : 77;
}
