/* Scenarios that read captures, and make packet tables of them. */
#include <fcntl.h>
#include <unistd.h>

#include "faults.h"
#include "scene.h"

enum { BY_NAME, BY_DESCRIPTOR, BY_STDIO };

static const struct {
    const char *file;
    int how;
    const char *filter;
} read_cases[] = {
    {"mixed.pcap", BY_NAME, "tcp or arp"},
    {"notes.pcapng", BY_NAME, ""},
    {"gzip", BY_NAME, ""},
    {"zstd", BY_NAME, ""},
    {"lz4", BY_NAME, ""},
    {"xz", BY_NAME, ""},
    {"bzip2", BY_NAME, ""},
    {"mixed.pcap", BY_DESCRIPTOR, ""},
    {"mixed.pcap", BY_STDIO, "udp"},
};

/* Everything that a source says of its packets. A source that ended in an error says it again. */
static int saw_source(torture *t, netfeat_source *src)
{
    int code;

    for (;;) {
        uint32_t length = 0;
        int64_t v[4] = {0};
        const void *data;
        TRY_LASTING(t, code = netfeat_source_step(src));
        if (code == 0) {
            break;
        }
        data = netfeat_source_packet_data(src, &length);
        v[0] = netfeat_source_packet_number(src);
        v[1] = netfeat_source_packet_time(src, &v[2]);
        v[3] = netfeat_source_packet_wire_length(src);
        torture_saw(t, v, sizeof v);
        torture_saw(t, data, length);
    }
    for (int i = 1; netfeat_source_count_name(i) != NULL; i++) {
        int64_t n = netfeat_source_count(src, i);
        torture_saw(t, &n, sizeof n);
    }
    return 0;
out:
    if (netfeat_source_step(src) != code) {
        torture_note(t, "the error of a source did not last");
    }
    return code;
}

static int open_one(netfeat_ctx *ctx, int how, int fd, FILE *file, const char *path,
                    const netfeat_options *opts, netfeat_source **ret)
{
    if (how == BY_DESCRIPTOR) {
        return netfeat_source_open_fd(ctx, fd, opts, ret);
    }
    if (how == BY_STDIO) {
        rewind(file);
        return netfeat_source_open_stdio(ctx, file, opts, ret);
    }
    return netfeat_source_open_file(ctx, path, opts, ret);
}

int scene_read(torture *t, void *user)
{
    scene *s = user;
    const char *path = scene_path(s, read_cases[s->which].file);
    int how = read_cases[s->which].how;
    int fd = how == BY_DESCRIPTOR ? plain_open(path, O_RDONLY, 0) : -1;
    FILE *file = how == BY_STDIO ? fopen(path, "rb") : NULL;
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    int code = torture_ctx(t, &ctx);

    if (code == 0 && how == BY_STDIO && file == NULL) {
        code = NETFEAT_ERR_NOMEM; /* the heap refused the scenario itself */
    }
    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_BUFFER_BYTES, 4096));
    TRY(t, netfeat_options_set_text(opts, NETFEAT_OPT_SOURCE_FILTER,
                                    s->no_filters ? "" : read_cases[s->which].filter));
    /* what a refused open has read of a descriptor is gone */
    TRY(t, (fd >= 0 ? plain_lseek(fd, 0, SEEK_SET) : 0, open_one(ctx, how, fd, file, path, opts, &src)));
    code = saw_source(t, src);
out:
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    if (fd >= 0) {
        plain_close(fd);
    }
    if (file != NULL) {
        fclose(file);
    }
    return scene_leave(s, ctx, code);
}

/* 0: one after the other, 1: merged, 2: those of a directory. */
int scene_many(torture *t, void *user)
{
    scene *s = user;
    const char *paths[] = {scene_path(s, "mixed.pcap"), scene_path(s, "notes.pcapng"),
                           scene_path(s, "traffic.pcap")};
    const char *const folder[] = {scene_path(s, "folder")};
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MERGE, s->which == 1));
    TRY(t, netfeat_source_open_many(ctx, s->which < 2 ? paths : folder, s->which < 2 ? 3 : 1, opts, &src));
    code = saw_source(t, src);
out:
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    return scene_leave(s, ctx, code);
}

int scene_notes(torture *t, void *user)
{
    scene *s = user;
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_NOTES, 100));
    TRY(t, netfeat_source_open_file(ctx, scene_path(s, "notes.pcapng"), opts, &src));
    code = saw_source(t, src);
    while (code == 0 && netfeat_source_note_next(src) == 1) {
        const char *text = netfeat_source_note_text(src);
        int64_t v[2] = {netfeat_source_note_kind(src), netfeat_source_note_packet(src)};
        torture_saw(t, v, sizeof v);
        torture_saw(t, text, strlen(text));
    }
    for (int64_t i = 0; code == 0 && i < netfeat_source_interface_count(src); i++) {
        const char *name = netfeat_source_interface_name(src, (uint32_t)i);
        torture_saw(t, name, name != NULL ? strlen(name) : 0);
    }
out:
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    return scene_leave(s, ctx, code);
}

int scene_push(torture *t, void *user)
{
    static const uint8_t frame[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6};
    scene *s = user;
    netfeat_ctx *ctx = NULL;
    netfeat_source *src = NULL;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_source_open_push(ctx, 1, NULL, &src));
    for (int i = 0; i < 100; i++) {
        TRY(t, netfeat_source_push(src, i, 60, frame, sizeof frame));
    }
    TRY(t, netfeat_source_push_end(src));
    code = saw_source(t, src);
out:
    netfeat_source_unref(src);
    return scene_leave(s, ctx, code);
}

/* What is made of a packet table's rows and columns. */
static int work_on_table(torture *t, netfeat_ctx *ctx, netfeat_table *tab)
{
    static const char *const names[] = {"ids"};
    static const uint8_t key[32] = {9};
    netfeat_table *a = NULL, *b = NULL, *c = NULL;
    netfeat_column *ids = NULL, *values = NULL, *text = NULL;
    netfeat_column *src_ip = netfeat_table_column(tab, netfeat_table_find(tab, "src_ip"));
    int64_t half = netfeat_table_rows(tab) / 2;
    int code = 0;

    TRY(t, netfeat_table_slice(ctx, tab, 0, half, &a));
    TRY(t, netfeat_table_slice(ctx, tab, half, half, &b));
    TRY(t, netfeat_table_concat(ctx, (const netfeat_table *const[]){b, a}, 2, &c));
    torture_saw_table(t, c);
    a = netfeat_table_unref(a);
    if (netfeat_build_has("anonymize")) {
        TRY(t, netfeat_table_anonymize(ctx, tab, key, sizeof key, NULL, &a));
        torture_saw_table(t, a);
        a = netfeat_table_unref(a);
    }
    TRY(t, netfeat_table_complete_rows(ctx, tab, NULL, 0, &a));
    TRY(t, netfeat_column_dictionary(ctx, src_ip, &ids, &values));
    TRY(t, netfeat_column_to_text(ctx, values, &text));
    c = netfeat_table_unref(c);
    TRY(t, netfeat_table_from_columns(ctx, names, &ids, 1, &c));
    torture_saw_table(t, c);
out:
    netfeat_column_unref(ids);
    netfeat_column_unref(values);
    netfeat_column_unref(text);
    netfeat_table_unref(a);
    netfeat_table_unref(b);
    netfeat_table_unref(c);
    return code;
}

int scene_table(torture *t, void *user)
{
    scene *s = user;
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
    TRY(t, netfeat_source_open_file(ctx, scene_path(s, "traffic.pcap"), opts, &src));
    while (n > 0) {
        TRY_LASTING(t, n = netfeat_table_append_source(tab, src, 37));
    }
    TRY(t, netfeat_table_seal(tab));
    torture_saw_table(t, tab);
    code = work_on_table(t, ctx, tab);
out:
    netfeat_table_unref(tab);
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    return scene_leave(s, ctx, code);
}
