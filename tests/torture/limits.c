/* limits - what an attacker can make grow, and that it does not: each case tries to exceed a limit and prints the peak, as
   the context counts it and as the kernel saw it (VmHWM, of the case's own process). Prints TAP.
   usage: limits [MIB_OF_BOMBS]   bytes that each bomb inflates to (default 256 MiB). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netfeat/arrow_abi.h>

#include "limits.h"

size_t bomb_mib = 256;
static int wrong; /* in this case */

void expect(int good, const char *what, ...)
{
    if (!good) {
        va_list args;
        va_start(args, what);
        printf("# FAILED: ");
        vprintf(what, args);
        printf("\n");
        va_end(args);
        wrong++;
    }
}

/* In MiB; -1 where the kernel does not say. */
static double resident_peak(void)
{
    char line[256];
    FILE *f = fopen("/proc/self/status", "r");
    double kib = -1024;

    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            kib = atof(line + 6);
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    return kib / 1024;
}

void peak(const netfeat_ctx *ctx, const char *what, uint64_t limit, int code)
{
    uint64_t bytes = netfeat_ctx_memory_peak(ctx);

    printf("# %-44s %-9s peak %9.3f MiB, allowed %8.1f MiB, VmHWM %7.1f MiB\n", what,
           netfeat_error_name(code), (double)bytes / (double)MIB, (double)limit / (double)MIB,
           resident_peak());
    expect(bytes <= limit, "%s: the peak is above what is allowed", what);
    expect(code == 0 || netfeat_ctx_error_message(ctx)[0] != '\0', "%s: no message", what);
}

netfeat_ctx *new_ctx(uint64_t limit, netfeat_options **opts)
{
    netfeat_ctx *ctx = NULL;

    if (netfeat_ctx_new(&ctx) != 0 || netfeat_options_new(ctx, opts) != 0) {
        exit(2);
    }
    netfeat_ctx_set_memory_limit(ctx, limit);
    return ctx;
}

void set(netfeat_options *opts, int key, int64_t value)
{
    expect(netfeat_options_set_int(opts, key, value) == 0, "option %x", (unsigned)key);
}

void done(netfeat_ctx *ctx, netfeat_options *opts)
{
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

/* A TCP or UDP frame of host i. */
static size_t make_frame(uint8_t out[200], uint32_t i, unsigned protocol, unsigned fragment, unsigned flags,
                         uint32_t seq, size_t payload)
{
    bytes f = {0};
    size_t n;

    put_ethernet(&f, 0x0800);
    put_ipv4(&f, 0x0a000000 + i, 0xc6336401, protocol, (protocol == 6 ? 20 : 8) + payload);
    f.p[14 + 4] = (uint8_t)(i >> 8);
    f.p[14 + 5] = (uint8_t)i;
    f.p[14 + 6] = (uint8_t)(fragment >> 8);
    f.p[14 + 7] = (uint8_t)fragment;
    if (protocol == 6) {
        put_tcp(&f, 1024 + i % 60000, 80, flags, payload);
        for (int b = 0; b < 4; b++) {
            f.p[14 + 20 + 4 + b] = (uint8_t)(seq >> (24 - 8 * b));
        }
    } else {
        put_udp(&f, 1024 + i % 60000, 53, payload);
    }
    n = f.n < 200 ? f.n : 200;
    memcpy(out, f.p, n);
    free(f.p);
    return n;
}

/* ---- tables ---- */

static void context_and_table(void)
{
    netfeat_options *opts;
    netfeat_ctx *ctx = new_ctx(16 * MIB, &opts);
    netfeat_table *tab = NULL;
    uint8_t frame[200];
    size_t n = make_frame(frame, 1, 17, 0, 0, 0, 100);
    int code;

    set(opts, NETFEAT_OPT_TABLE_KEEP_PAYLOAD, 1);
    code = netfeat_table_new(ctx, opts, &tab);
    for (int64_t i = 0; code == 0 && i < 10000000; i++) {
        code = netfeat_table_append_packet(tab, 1, i, (uint32_t)n, frame, (uint32_t)n);
    }
    expect(code == NETFEAT_ERR_LIMIT, "a table beyond the memory limit: %d", code);
    peak(ctx, "table, memory limit of the context", 16 * MIB, code);
    expect(netfeat_table_rows(tab) > 10000, "rows stay");
    netfeat_table_unref(tab);
    set(opts, NETFEAT_OPT_TABLE_MAX_ROWS, 1000);
    code = netfeat_table_new(ctx, opts, &tab);
    for (int64_t i = 0; code == 0 && i < 2000; i++) {
        code = netfeat_table_append_packet(tab, 1, i, (uint32_t)n, frame, (uint32_t)n);
    }
    expect(code == NETFEAT_ERR_LIMIT && netfeat_table_rows(tab) == 1000, "table.max_rows");
    netfeat_table_unref(tab);
    done(ctx, opts);
}

/* ---- flows ---- */

static void flows(void)
{
    netfeat_options *opts, *none;
    netfeat_ctx *ctx = new_ctx(0, &opts);
    netfeat_ctx *packets_ctx = new_ctx(0, &none);
    netfeat_flows *fl = NULL;
    char columns[2000] = "";
    int code;

    set(opts, NETFEAT_OPT_FLOW_MAX_BYTES, 1 << 20);
    code = netfeat_flows_new(ctx, opts, &fl);
    for (int i = 0; netfeat_flows_input_name(fl, i) != NULL;
         i++) { /* without numbers, rows are counted over all tables */
        const char *name = netfeat_flows_input_name(fl, i);
        if (strcmp(name, "packet_number") != 0 && strcmp(name, "file_index") != 0) {
            size_t at = strlen(columns);
            snprintf(columns + at, sizeof columns - at, "%s%s", at > 0 ? "," : "", name);
        }
    }
    expect(netfeat_options_set_text(none, NETFEAT_OPT_TABLE_COLUMNS, columns) == 0, "columns");
    for (uint32_t i = 0; code == 0 && i < 300000;) {
        netfeat_table *tab = NULL, *out = NULL;
        code = netfeat_table_new(packets_ctx, none, &tab);
        for (int k = 0; code == 0 && k < 1000; k++, i++) {
            uint8_t frame[200];
            size_t n = make_frame(frame, i, 17, 0, 0, 0, 0);
            code = netfeat_table_append_packet(tab, 1, i, (uint32_t)n, frame, (uint32_t)n);
        }
        netfeat_table_seal(tab);
        code = code != 0 ? code : netfeat_flows_feed(fl, tab, NULL);
        code = code != 0 ? code : netfeat_flows_take(fl, &out);
        code = code > 0 ? 0 : code;
        netfeat_table_unref(tab);
        netfeat_table_unref(out);
    }
    expect(code == 0 && netfeat_flows_count(fl, NETFEAT_FLOWS_EVICTED) > 200000, "evictions are visible: %d",
           code);
    /* besides the open ones: those of a feed that wait to be taken, and their table */
    peak(ctx, "flows, 300,000 hosts, flow.max_bytes 1 MiB", 3 * MIB, code);
    netfeat_flows_unref(fl);
    done(ctx, opts);
    done(packets_ctx, none);
}

/* ---- streams and fragments ---- */

static void stream_flood(const char *what, netfeat_options *opts, netfeat_ctx *ctx, uint32_t packets,
                         unsigned protocol, unsigned fragment, unsigned flags, size_t payload,
                         uint64_t allowed)
{
    netfeat_streams *st = NULL;
    int code = netfeat_streams_new(ctx, opts, &st);

    for (uint32_t i = 0; code == 0 && i < packets; i++) {
        uint8_t frame[200];
        size_t n =
            make_frame(frame, i % 1000000, protocol, fragment, flags, 1000 + (i / 1000) * 200, payload);
        code = netfeat_streams_feed_packet(st, 1, i, (uint32_t)n, frame, (uint32_t)n);
        while (code == 0 && (code = netfeat_streams_step(st)) > 0) {
            code = 0;
        }
    }
    expect(code == 0, "%s: %d, %s", what, code, netfeat_ctx_error_message(ctx));
    peak(ctx, what, allowed, code);
    netfeat_streams_unref(st);
    done(ctx, opts);
}

static netfeat_ctx *stream_ctx(netfeat_options **opts)
{
    netfeat_ctx *ctx = new_ctx(0, opts);

    set(*opts, NETFEAT_OPT_STREAM_CHECKSUM, NETFEAT_CHECKSUM_OFF);
    set(*opts, NETFEAT_OPT_STREAM_MAX_STREAM_BYTES, 1 << 20);
    set(*opts, NETFEAT_OPT_STREAM_MAX_TOTAL_BYTES, 1 << 20);
    set(*opts, NETFEAT_OPT_STREAM_FRAGMENT_MAX_BYTES, 1 << 20);
    return ctx;
}

static void streams(void)
{
    netfeat_options *opts;
    netfeat_ctx *ctx = stream_ctx(&opts);

    stream_flood("streams, 500,000 SYNs, 1 MiB of records", opts, ctx, 500000, 6, 0, 2, 0, 2 * MIB);
    ctx = stream_ctx(&opts);
    set(opts, NETFEAT_OPT_STREAM_MIDSTREAM, 1);
    stream_flood("streams, 500,000 segments behind holes, 1+1 MiB", opts, ctx, 500000, 6, 0, 0x18, 100,
                 4 * MIB);
    ctx = stream_ctx(&opts);
    stream_flood("fragments, 500,000 first ones, 1 MiB", opts, ctx, 500000, 17, 0x2000, 0, 64, 2 * MIB);
    ctx = stream_ctx(&opts);
    stream_flood("fragments, 500,000 later ones, 1 MiB", opts, ctx, 500000, 17, 0x2008, 0, 64, 2 * MIB);
}

/* ---- dictionaries ---- */

static void dictionaries(void)
{
    enum { VALUES = 200000 };
    static const char *const names[] = {"frame_length", "key"};
    static uint32_t values[VALUES];
    netfeat_options *opts;
    netfeat_ctx *outside = new_ctx(0, &opts);
    netfeat_ctx *ctx;
    netfeat_column *col = NULL;
    netfeat_table *tab = NULL, *out = NULL;
    netfeat_encoder *enc = NULL;
    netfeat_accumulator *acc = NULL;
    netfeat_column *cols[2];
    int code;

    for (uint32_t i = 0; i < VALUES; i++) {
        values[i] = i * 2654435761U;
    }
    code = netfeat_column_wrap(outside, NETFEAT_TYPE_U32, VALUES, values, NULL, NULL, NULL, &col);
    cols[0] = cols[1] = col;
    code = code != 0 ? code : netfeat_table_from_columns(outside, names, cols, 2, &tab);
    expect(code == 0, "table");
    netfeat_options_unref(opts);
    ctx = new_ctx(0, &opts);
    set(opts, NETFEAT_OPT_FEATURE_MAX_GROUPS, 1000);
    code = netfeat_encoder_new(ctx, NETFEAT_FEATURE_ORDINAL, opts, &enc);
    code = code != 0 ? code : netfeat_encoder_fit(enc, col);
    expect(code == NETFEAT_ERR_LIMIT, "feature.max_groups: %d", code);
    peak(ctx, "encoder, 200,000 values, max_groups 1,000", MIB, code);
    set(opts, NETFEAT_OPT_FEATURE_ON_FULL, 1);
    code = netfeat_accumulator_new(ctx, NETFEAT_FEATURE_CUMULATIVE, names, 2, opts, &acc);
    code = code != 0 ? code : netfeat_accumulator_push(acc, tab, &out);
    expect(code == 0 && netfeat_accumulator_count(acc, NETFEAT_COUNT_KEYS) <= 1000 &&
               netfeat_accumulator_count(acc, NETFEAT_COUNT_EVICTED) >= VALUES - 1000,
           "keys are forgotten, and counted: %d", code);
    peak(ctx, "accumulator that forgets, and 200,000 results", MIB + VALUES * 9, code); /* and a bitmap */
    netfeat_ctx_set_memory_limit(ctx, MIB);
    netfeat_column_unref(cols[0]);
    netfeat_table_unref(out);
    netfeat_accumulator_unref(acc);
    netfeat_encoder_unref(enc);
    netfeat_table_unref(tab);
    done(ctx, opts);
    netfeat_ctx_unref(outside);
}

/* ---- texts ---- */

/* n times a, then the rest. */
static char *repeat(const char *a, size_t n, const char *rest)
{
    size_t length = strlen(a);
    char *text = malloc(n * length + strlen(rest) + 1);

    for (size_t i = 0; i < n; i++) {
        memcpy(text + i * length, a, length);
    }
    strcpy(text + n * length, rest);
    return text;
}

static void filters(void)
{
    static const struct {
        const char *what, *part, *rest;
        size_t n;
        int code; /* when it is not too long */
    } cases[] = {
        {"filter of 8 MiB", "tcp or ", "udp", 1200000, 0},
        {"filter, 100,000 parentheses", "(", "tcp", 100000, 0},
        {"filter, 16,000 parentheses", "(", "tcp", 16000, NETFEAT_ERR_ARGUMENT},
        {"filter, 16,000 negations", "!", "tcp", 16000, NETFEAT_ERR_ARGUMENT},
        {"filter, 1,000 negations", "!", "tcp", 1000, 0},
        {"filter, 900 hosts", "host 10.0.0.1 or ", "udp", 900, 0},
        {"filter, 1,000 hosts", "host 10.0.0.1 or ", "udp", 1000, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        netfeat_options *opts;
        netfeat_ctx *ctx = new_ctx(64 * MIB, &opts);
        netfeat_source *src = NULL;
        char *text = repeat(cases[i].part, cases[i].n, cases[i].rest);
        int code = netfeat_options_set_text(opts, NETFEAT_OPT_SOURCE_FILTER, text);
        code = code != 0 ? code : netfeat_source_open_push(ctx, 1, opts, &src);
        expect(strlen(text) > 16384 ? code == NETFEAT_ERR_LIMIT : code == cases[i].code, "%s: %d",
               cases[i].what, code);
        peak(ctx, cases[i].what, 64 * MIB, code);
        free(text);
        netfeat_source_unref(src);
        done(ctx, opts);
    }
}

static void json(void)
{
    static const char deep[] = "{\"version\":1,\"steps\":";
    static const struct {
        const char *what, *part;
        size_t n;
    } cases[] = {
        {"JSON, 500,000 levels", "[", 500000},
        {"JSON, objects in objects", "{\"a\":", 100000},
        {"JSON of 4 MiB", " ", 4 << 20},
        {"JSON, 40,000 steps", "{\"feature\":\"mirai_syn\"},", 40000},
        {"JSON, a name of 900,000 bytes", "x", 900000},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        netfeat_options *opts;
        netfeat_ctx *ctx = new_ctx(0, &opts);
        netfeat_pipeline *pipe = NULL;
        char *body = repeat(cases[i].part, cases[i].n, "");
        size_t size = sizeof deep + strlen(body) + 64;
        char *text = malloc(size);
        int code;
        snprintf(text, size, i == 3 ? "%s[%s]}" : i == 4 ? "%s[{\"feature\":\"%s\"}]}" : "%s%s", deep, body);
        code = netfeat_pipeline_from_json(ctx, text, strlen(text), &pipe);
        expect(code == NETFEAT_ERR_FORMAT || code == NETFEAT_ERR_LIMIT, "%s: %d", cases[i].what, code);
        peak(ctx, cases[i].what, 2 * MIB, code);
        free(body);
        free(text);
        done(ctx, opts);
    }
}

/* ---- tables of others ---- */

static void leave(struct ArrowSchema *s)
{
    s->release = NULL;
}

static void leave_array(struct ArrowArray *a)
{
    a->release = NULL;
}

/* A schema of lists in lists in lists. */
static void nested_schema(void)
{
    enum { DEPTH = 200000 };
    struct ArrowSchema *levels = calloc(DEPTH, sizeof *levels);
    struct ArrowSchema **children = calloc(DEPTH, sizeof *children);
    struct ArrowArray *arrays = calloc(DEPTH, sizeof *arrays);
    struct ArrowArray **array_children = calloc(DEPTH, sizeof *array_children);
    static const void *buffers[2];
    netfeat_options *opts;
    netfeat_ctx *ctx = new_ctx(0, &opts);
    netfeat_table *tab = NULL;
    int code;

    for (int i = 0; i < DEPTH; i++) {
        int last = i == DEPTH - 1;
        children[i] = &levels[last ? i : i + 1];
        array_children[i] = &arrays[last ? i : i + 1];
        levels[i].format = i == 0 ? "+s" : last ? "C" : "+L";
        levels[i].name = "deep";
        levels[i].n_children = last ? 0 : 1;
        levels[i].children = &children[i];
        levels[i].release = leave;
        arrays[i].n_buffers = 2;
        arrays[i].buffers = buffers;
        arrays[i].n_children = last ? 0 : 1;
        arrays[i].children = &array_children[i];
        arrays[i].release = leave_array;
    }
    code = netfeat_table_import_array(ctx, &levels[0], &arrays[0], opts, &tab);
    expect(code < 0, "a schema of 200,000 levels: %d", code);
    peak(ctx, "Arrow schema of 200,000 levels", MIB, code);
    free(levels);
    free(children);
    free(arrays);
    free(array_children);
    done(ctx, opts);
}

/* A file of many columns, and one of much that is alike: saved without limits, loaded with them. */
static void table_files(void)
{
    enum { COLUMNS = 5000, ROWS = 8 << 20 };
    char path[] = "/tmp/netfeat-limits-XXXXXX";
    int fd = mkstemp(path);
    netfeat_options *opts, *bounded;
    netfeat_ctx *outside = new_ctx(0, &opts);
    netfeat_ctx *ctx = new_ctx(0, &bounded);
    uint64_t *zeros = calloc(ROWS, sizeof *zeros);
    netfeat_column *cols[COLUMNS], *big = NULL;
    char(*text)[8] = calloc(COLUMNS, sizeof *text);
    const char *names[COLUMNS];
    netfeat_table *tab = NULL, *back = NULL;
    int code = netfeat_column_wrap(outside, NETFEAT_TYPE_U64, 1, zeros, NULL, NULL, NULL, &cols[0]);

    for (int i = 0; i < COLUMNS; i++) {
        snprintf(text[i], sizeof text[i], "c%d", i);
        names[i] = text[i];
        cols[i] = cols[0];
    }
    set(opts, NETFEAT_OPT_IO_SYNC, 0);
    code = code != 0 ? code : netfeat_table_from_columns(outside, names, cols, COLUMNS, &tab);
    code = code != 0 ? code : netfeat_table_save_file(outside, tab, path, opts);
    expect(code == 0, "wide table: %s", netfeat_ctx_error_message(outside));
    code = netfeat_table_load_file(ctx, path, bounded, &back);
    expect(code == NETFEAT_ERR_LIMIT, "io.max_columns: %d", code);
    peak(ctx, "table file of 5,000 columns", 4 * MIB, code);
    netfeat_table_unref(tab);
    netfeat_column_unref(cols[0]);
    done(ctx, bounded);

    ctx = new_ctx(8 * MIB, &bounded);
    tab = NULL;
    code = netfeat_column_wrap(outside, NETFEAT_TYPE_U64, ROWS, zeros, NULL, NULL, NULL, &big);
    code = code != 0 ? code : netfeat_table_from_columns(outside, names, &big, 1, &tab);
    if (netfeat_build_has("zstd")) {
        code = code != 0 ? code : netfeat_options_set_text(opts, NETFEAT_OPT_IO_COMPRESSION, "zstd");
        set(opts, NETFEAT_OPT_IO_BATCH_ROWS, 0);
        code = code != 0 ? code : netfeat_table_save_file(outside, tab, path, opts);
        expect(code == 0, "bomb: %s", netfeat_ctx_error_message(outside));
        code = netfeat_table_load_file(ctx, path, bounded, &back);
        expect(code == NETFEAT_ERR_LIMIT, "a table that inflates to 64 MiB: %d", code);
        peak(ctx, "table file that inflates to 64 MiB", 8 * MIB, code);
    }
    netfeat_table_unref(tab);
    netfeat_column_unref(big);
    free(zeros);
    free(text);
    close(fd);
    unlink(path);
    done(ctx, bounded);
    done(outside, opts);
}

static const struct {
    const char *name;
    void (*body)(void);
} cases[] = {
    {"context and table", context_and_table},
    {"flows", flows},
    {"streams and fragments", streams},
    {"dictionaries", dictionaries},
    {"decompression bombs", limits_bombs},
    {"records", limits_records},
    {"interfaces", limits_interfaces},
    {"options and notes", limits_options_and_notes},
    {"filters", filters},
    {"JSON", json},
    {"nested Arrow schema", nested_schema},
    {"table files", table_files},
};

int main(int argc, char **argv)
{
    int failures = 0;
    int n = (int)(sizeof cases / sizeof cases[0]);

    bomb_mib = argc > 1 ? strtoul(argv[1], NULL, 10) : bomb_mib;
    printf("1..%d\n", n);
    for (int i = 0; i < n; i++) {
        int status = 0;
        pid_t pid;
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            cases[i].body();
            exit(wrong != 0);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid) {
            return 2;
        }
        printf("%s %d - %s", status == 0 ? "ok" : "not ok", i + 1, cases[i].name);
        printf(WIFSIGNALED(status) ? ": signal %d\n" : "\n", WTERMSIG(status));
        failures += status != 0;
    }
    return failures > 0;
}
