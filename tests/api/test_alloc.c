/* Every public call that can run out of memory, with each of its allocations refused in turn: once, and from
   there on. Nothing leaks, old sizes are right, and a refused call can simply be repeated. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <unistd.h>

#include <netfeat/netfeat.h>

#include "../support/capture_build.h"
#include "../support/torture.h"

#define PACKETS 150 /* more than two of the library's inner batches */

static bytes pcap;
static bytes pcapng;
static char path[] = "/tmp/netfeat-test-XXXXXX";

static void set_up(void)
{
    int fd = mkstemp(path);

    put_mixed_pcap(&pcap, PACKETS);
    put_section(&pcapng);
    for (unsigned i = 0; i < 12; i++) {
        put_interface(&pcapng, i % 2 == 0 ? 1 : 101, 65535, 9, 0);
        put_enhanced(&pcapng, i, i, 60 + i, 60 + i);
    }
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, pcap.p, pcap.n), (ssize_t)pcap.n);
    close(fd);
}

static void tear_down(void)
{
    unlink(path);
    free(pcap.p);
    free(pcapng.p);
}

static int options_case(torture *t, void *user)
{
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    char *text = malloc(5001);
    int code = torture_ctx(t, &ctx);

    (void)user;
    memset(text, 'x', 5000);
    text[5000] = '\0';
    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_MAX_ROWS, 7));
    TRY(t, netfeat_options_set_text(opts, NETFEAT_OPT_TABLE_COLUMNS, "src_ip"));
    TRY(t, netfeat_options_set_text(opts, NETFEAT_OPT_SOURCE_FILTER, text));
    TRY(t, netfeat_options_set_text(opts, NETFEAT_OPT_TABLE_COLUMNS, "src_ip,dst_ip"));
    text[0] = '\0';
    TRY(t, netfeat_options_set_text(opts, NETFEAT_OPT_SOURCE_FILTER, text));
    torture_saw(t, netfeat_options_get_text(opts, NETFEAT_OPT_TABLE_COLUMNS), 14);
out:
    free(text);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
    return code;
}

enum { FROM_FILE, FROM_FD, FROM_MEMORY, FROM_PCAPNG };

static int open_source(netfeat_ctx *ctx, int kind, const netfeat_options *opts, netfeat_source **ret)
{
    int fd;
    int code;

    switch (kind) {
    case FROM_FILE:
        return netfeat_source_open_file(ctx, path, opts, ret);
    case FROM_FD:
        fd = open(path, O_RDONLY);
        code = netfeat_source_open_fd(ctx, fd, opts, ret);
        close(fd);
        return code;
    case FROM_MEMORY:
        return netfeat_source_open_memory(ctx, pcap.p, pcap.n, opts, ret);
    default:
        return netfeat_source_open_memory(ctx, pcapng.p, pcapng.n, opts, ret);
    }
}

/* Step by step, with a filter on every second kind. */
static int source_case(torture *t, void *user)
{
    int kind = *(const int *)user;
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_BUFFER_BYTES, 4096));
    if (kind % 2 == 0) {
        TRY(t, netfeat_options_set_text(opts, NETFEAT_OPT_SOURCE_FILTER, "tcp or arp"));
    }
    TRY(t, open_source(ctx, kind, opts, &src));
    for (code = 1; code > 0;) {
        uint32_t length = 0;
        const void *data;
        TRY_LASTING(t, code = netfeat_source_step(src));
        data = netfeat_source_packet_data(src, &length);
        torture_saw(t, data, length);
    }
    for (int i = 1; netfeat_source_count_name(i) != NULL; i++) {
        int64_t n = netfeat_source_count(src, i);
        torture_saw(t, &n, sizeof n);
    }
out:
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
    return code;
}

/* A packet table in pieces: from a source, and by hand. */
static int append_case(torture *t, void *user)
{
    int kind = *(const int *)user;
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;
    int64_t n = 1;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_KEEP_PAYLOAD, 1));
    TRY(t, netfeat_table_new(ctx, opts, &tab));
    TRY(t, open_source(ctx, kind, opts, &src));
    while (n > 0) {
        if (kind == FROM_PCAPNG) { /* its table of interfaces grows */
            TRY_LASTING(t, n = netfeat_table_append_source(tab, src, 37));
        } else {
            TRY(t, n = netfeat_table_append_source(tab, src, 37));
        }
    }
    for (int i = 0; i < 70; i++) {
        TRY(t, netfeat_table_append_packet(tab, 1, i, 60, pcap.p + 40, 60));
    }
    TRY(t, netfeat_table_seal(tab));
    torture_saw_table(t, tab);
out:
    netfeat_table_unref(tab);
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
    return code;
}

static int from_source_case(torture *t, void *user)
{
    netfeat_ctx *ctx = NULL;
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;
    int code = torture_ctx(t, &ctx);

    (void)user;
    if (code != 0) {
        goto out;
    }
    /* A refused call has used packets up: the next one starts from a new source. */
    do {
        netfeat_source_unref(src);
        src = NULL;
        TRY(t, open_source(ctx, FROM_MEMORY, NULL, &src));
        code = netfeat_table_from_source(ctx, src, NULL, &tab);
    } while (code == NETFEAT_ERR_NOMEM && !t->all_from_there);
    if (code == 0) {
        torture_saw_table(t, tab);
    }
out:
    netfeat_table_unref(tab);
    netfeat_source_unref(src);
    netfeat_ctx_unref(ctx);
    return code;
}

/* A sealed table of four columns over the caller's numbers, one of them with NULLs. */
static int make_table(torture *t, netfeat_ctx *ctx, netfeat_table **ret)
{
    static const uint32_t numbers[40] = {5, 3, 5, 9, 0, 3, 1};
    static const uint8_t validity[5] = {0xf7, 0xff, 0xfe, 0x7f, 0xff};
    static const int types[] = {NETFEAT_TYPE_U32, NETFEAT_TYPE_U16, NETFEAT_TYPE_U64, NETFEAT_TYPE_BYTES16};
    static const char *const names[] = {"a", "b", "c", "d"};
    netfeat_column *cols[4] = {NULL};
    int code = 0;

    for (int i = 0; i < 4; i++) {
        TRY(t,
            netfeat_column_wrap(ctx, types[i], 10, numbers, i == 1 ? validity : NULL, NULL, NULL, &cols[i]));
    }
    TRY(t, netfeat_table_from_columns(ctx, names, cols, 4, ret));
out:
    for (int i = 0; i < 4; i++) {
        netfeat_column_unref(cols[i]);
    }
    return code;
}

static int rows_case(torture *t, void *user)
{
    static const int picked[] = {2, 0};
    static const int rest[] = {1, 3};
    static const int64_t rows[] = {9, 0, 3, 3, 5};
    static const uint8_t key[32] = {7};
    netfeat_ctx *ctx = NULL;
    netfeat_table *tab[9] = {NULL};
    int code = torture_ctx(t, &ctx);

    (void)user;
    if (code != 0) {
        goto out;
    }
    code = make_table(t, ctx, &tab[0]);
    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_table_select(ctx, tab[0], picked, 2, &tab[1]));
    TRY(t, netfeat_table_select(ctx, tab[0], rest, 2, &tab[2]));
    TRY(t, netfeat_table_join(ctx, tab[1], tab[2], &tab[3]));
    TRY(t, netfeat_table_slice(ctx, tab[3], 1, 8, &tab[4]));
    TRY(t, netfeat_table_complete_rows(ctx, tab[4], NULL, 0, &tab[5]));
    TRY(t, netfeat_table_take(ctx, tab[3], rows, 5, &tab[6]));
    TRY(t, netfeat_table_concat(ctx, (const netfeat_table *const[]){tab[3], tab[4], tab[6]}, 3, &tab[7]));
    if (netfeat_build_has("anonymize")) {
        TRY(t, netfeat_table_anonymize(ctx, tab[0], key, sizeof key, NULL, &tab[8]));
    }
    for (int i = 0; i < 9; i++) {
        if (tab[i] != NULL) {
            torture_saw_table(t, tab[i]);
        }
    }
out:
    for (int i = 0; i < 9; i++) {
        netfeat_table_unref(tab[i]);
    }
    netfeat_ctx_unref(ctx);
    return code;
}

static int column_case(torture *t, void *user)
{
    static const char *const names[] = {"ids", "values", "text"};
    netfeat_ctx *ctx = NULL;
    netfeat_table *tab = NULL;
    netfeat_table *out_tab = NULL;
    netfeat_column *col[3] = {NULL};
    int code = torture_ctx(t, &ctx);

    (void)user;
    if (code != 0) {
        goto out;
    }
    code = make_table(t, ctx, &tab);
    if (code != 0) {
        goto out;
    }
    for (int i = 0; i < 4; i++) {
        TRY(t, netfeat_column_dictionary(ctx, netfeat_table_column(tab, i), &col[0], &col[1]));
        TRY(t, netfeat_column_to_text(ctx, netfeat_table_column(tab, i), &col[2]));
        TRY(t, netfeat_table_from_columns(ctx, names, col, 1, &out_tab));
        torture_saw_table(t, out_tab);
        out_tab = netfeat_table_unref(out_tab);
        TRY(t, netfeat_table_from_columns(ctx, names + 1, col + 1, 1, &out_tab));
        torture_saw_table(t, out_tab);
        out_tab = netfeat_table_unref(out_tab);
        TRY(t, netfeat_table_from_columns(ctx, names + 2, col + 2, 1, &out_tab));
        torture_saw_table(t, out_tab);
        out_tab = netfeat_table_unref(out_tab);
        for (int j = 0; j < 3; j++) {
            col[j] = netfeat_column_unref(col[j]);
        }
    }
out:
    for (int j = 0; j < 3; j++) {
        netfeat_column_unref(col[j]);
    }
    netfeat_table_unref(out_tab);
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
    return code;
}

/* A table to a descriptor, and an empty pipeline. A writer that could not write can only be given back. */
static int writer_case(torture *t, void *user)
{
    char name[] = "/tmp/netfeat-test-XXXXXX";
    int fd = mkstemp(name);
    netfeat_ctx *ctx = NULL;
    netfeat_table *tab = NULL;
    netfeat_writer *writer = NULL;
    netfeat_pipeline *pipe = NULL;
    int code = torture_ctx(t, &ctx);

    (void)user;
    unlink(name);
    code = code != 0 ? code : make_table(t, ctx, &tab);
    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_writer_open_fd(ctx, fd, NULL, &writer));
    TRY(t, netfeat_pipeline_new(ctx, &pipe));
    code = netfeat_writer_write(writer, tab);
    code = code != 0 ? code : netfeat_writer_end(writer);
    t->dead = code == NETFEAT_ERR_NOMEM && t->failed > 0;
    if (code == 0) {
        int64_t size = lseek(fd, 0, SEEK_END);
        torture_saw(t, &size, sizeof size);
    }
out:
    close(fd);
    netfeat_pipeline_unref(pipe);
    netfeat_writer_unref(writer);
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
    return code;
}

/* The default allocator has no switch to fail; that this constructor uses it is all there is to say. */
static void default_allocator(void)
{
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    cr_expect_gt(netfeat_ctx_memory_used(ctx), 0);
    netfeat_ctx_unref(ctx);
}

Test(alloc, every_allocation_refused, .init = set_up, .fini = tear_down)
{
    static const struct {
        const char *name;
        torture_case body;
        int kind;
        unsigned least; /* allocations refused in all: a case that shrinks to nothing is found out */
    } cases[] = {
        {"options", options_case, 0, 10},
        {"file", source_case, FROM_FILE, 10},
        {"descriptor", source_case, FROM_FD, 10},
        {"memory", source_case, FROM_MEMORY, 10},
        {"pcapng", source_case, FROM_PCAPNG, 10},
        {"append from file", append_case, FROM_FILE, 100},
        {"append from memory", append_case, FROM_MEMORY, 100},
        {"append from pcapng", append_case, FROM_PCAPNG, 100},
        {"from_source", from_source_case, 0, 100},
        {"rows", rows_case, 0, 50},
        {"columns", column_case, 0, 50},
        {"writer", writer_case, 0, 20},
    };

    default_allocator();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t points = 0;
        int kind = cases[i].kind;
        const char *wrong = torture_run(cases[i].body, &kind, &points);
        cr_expect_null(wrong, "%s: %s", cases[i].name, wrong != NULL ? wrong : "");
        cr_expect_geq(points, cases[i].least, "%s: only %llu allocations", cases[i].name,
                      (unsigned long long)points);
        cr_log_info("%s: %llu", cases[i].name, (unsigned long long)points);
    }
}
