/* Scenarios of tables on disk and in other programs' memory, and the list of all scenarios. */
#include <fcntl.h>
#include <unistd.h>

#include "faults.h"
#include "scene.h"

/* ---- saving ---- */

static const struct {
    const char *target, *compression;
} save_cases[] = {
    {"out.arrow", "none"},   {"out.arrow", "zstd"},   {"out.arrow", "lz4"}, {"out.arrows", "none"},
    {"out.parquet", "zstd"}, {"out.parquet", "none"}, {"out.csv", "none"},
};

static int save_options(torture *t, netfeat_ctx *ctx, const char *compression, netfeat_options **ret)
{
    int code = 0;

    TRY(t, netfeat_options_new(ctx, ret));
    TRY(t, netfeat_options_set_text(*ret, NETFEAT_OPT_IO_COMPRESSION, compression));
    TRY(t, netfeat_options_set_int(*ret, NETFEAT_OPT_IO_BATCH_ROWS, 32));
    TRY(t, netfeat_options_set_text(*ret, NETFEAT_OPT_IO_ADDRESSES, "text"));
out:
    return code;
}

int scene_save(torture *t, void *user)
{
    scene *s = user;
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    int code = torture_ctx(t, &ctx);

    code = code != 0 ? code : save_options(t, ctx, save_cases[s->which].compression, &opts);
    if (code == 0) {
        TRY(t, netfeat_table_save_file(ctx, s->packets, scene_path(s, save_cases[s->which].target), opts));
    }
out:
    netfeat_options_unref(opts);
    return scene_leave(s, ctx, code);
}

/* Two tables into one file. A writer that could not write can only be given back. */
int scene_writer(torture *t, void *user)
{
    scene *s = user;
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_writer *w = NULL;
    int code = torture_ctx(t, &ctx);

    code = code != 0 ? code : save_options(t, ctx, save_cases[s->which].compression, &opts);
    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_writer_open_file(ctx, scene_path(s, save_cases[s->which].target), opts, &w));
    code = netfeat_writer_write(w, s->packets);
    code = code != 0 ? code : netfeat_writer_write(w, s->packets);
    code = code != 0 ? code : netfeat_writer_end(w);
    t->dead = code == NETFEAT_ERR_NOMEM;
    scene_leave(s, netfeat_ctx_ref(ctx), code);
    if (code != 0 && netfeat_writer_write(w, s->packets) != NETFEAT_ERR_STATE) {
        torture_note(t, "a writer went on after it had failed");
    }
out:
    netfeat_writer_unref(w);
    netfeat_options_unref(opts);
    return scene_leave(s, ctx, code);
}

/* To a descriptor, which a refused call leaves with a part of the table. */
int scene_descriptor(torture *t, void *user)
{
    scene *s = user;
    int fd = plain_open(scene_path(s, "out.arrows"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    netfeat_ctx *ctx = NULL;
    netfeat_table *back = NULL;
    int code = torture_ctx(t, &ctx);

    if (code == 0) {
        TRY(t, ftruncate(fd, 0) + (int)plain_lseek(fd, 0, SEEK_SET) +
                   netfeat_table_save_fd(ctx, s->packets, fd, NULL));
        TRY(t, (plain_lseek(fd, 0, SEEK_SET), netfeat_table_load_fd(ctx, fd, NULL, &back)));
        torture_saw_table(t, back);
    }
out:
    plain_close(fd);
    netfeat_table_unref(back);
    return scene_leave(s, ctx, code);
}

/* ---- loading ---- */

/* 0 mapped, 1 read, 2 a stream, compressed; 3 a stream from a descriptor; 4 a file, compressed by lz4. */
int scene_load(torture *t, void *user)
{
    scene *s = user;
    const char *path = scene_path(s, s->which < 2   ? "saved.arrow"
                                     : s->which < 4 ? "packed.arrows"
                                                    : "packed.arrow");
    int fd = s->which == 3 ? plain_open(path, O_RDONLY, 0) : -1;
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_table *tab = NULL;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_text(opts, NETFEAT_OPT_IO_LOAD_MODE, s->which == 0 ? "mapped" : "read"));
    if (fd >= 0) {
        TRY(t, (plain_lseek(fd, 0, SEEK_SET), netfeat_table_load_fd(ctx, fd, opts, &tab)));
    } else {
        TRY(t, netfeat_table_load_file(ctx, path, opts, &tab));
    }
    torture_saw_table(t, tab);
out:
    if (fd >= 0) {
        plain_close(fd);
    }
    netfeat_table_unref(tab);
    netfeat_options_unref(opts);
    return scene_leave(s, ctx, code);
}

/* Blocks that the library's own allocator maps: the only scenario that runs on it. 0: their size is known, 1: they
   grow as bytes come. */
int scene_big(torture *t, void *user)
{
    scene *s = user;
    int fd = plain_open(scene_path(s, "big.arrow"), O_RDONLY, 0);
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_table *tab = NULL;
    int code = netfeat_ctx_new(&ctx);

    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_text(opts, NETFEAT_OPT_IO_LOAD_MODE, "read"));
    if (s->which == 0) {
        TRY(t, netfeat_table_load_file(ctx, scene_path(s, "big.arrow"), opts, &tab));
    } else {
        TRY(t, netfeat_table_load_fd(ctx, fd, opts, &tab));
    }
    torture_saw(t, netfeat_column_data(netfeat_table_column(tab, 0)), 4096);
out:
    plain_close(fd);
    netfeat_table_unref(tab);
    netfeat_options_unref(opts);
    return scene_leave(s, ctx, code);
}

/* ---- Arrow in memory ---- */

/* Out as a stream and in again; imported structs are released whatever happens. */
static int through_stream(netfeat_ctx *ctx, netfeat_table *tab, const netfeat_options *opts,
                          netfeat_table **ret)
{
    struct ArrowArrayStream stream;
    int code = netfeat_table_export_stream(ctx, tab, opts, &stream);

    return code != 0 ? code : netfeat_table_import_stream(ctx, &stream, opts, ret);
}

static int through_array(netfeat_ctx *ctx, netfeat_table *tab, const netfeat_options *opts,
                         netfeat_table **ret)
{
    struct ArrowSchema schema;
    struct ArrowArray array;
    int code = netfeat_table_export_array(ctx, tab, opts, &schema, &array);

    return code != 0 ? code : netfeat_table_import_array(ctx, &schema, &array, opts, ret);
}

static int through_column(netfeat_ctx *ctx, netfeat_column *col, netfeat_column **ret)
{
    struct ArrowSchema schema;
    struct ArrowArray array;
    int code = netfeat_column_export_array(ctx, col, NULL, &schema, &array);

    return code != 0 ? code : netfeat_column_import_array(ctx, &schema, &array, NULL, ret);
}

int scene_arrow(torture *t, void *user)
{
    scene *s = user;
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_table *tab[2] = {NULL};
    netfeat_column *col = NULL;
    int code = torture_ctx(t, &ctx);

    code = code != 0 ? code : save_options(t, ctx, "none", &opts);
    if (code != 0) {
        goto out;
    }
    TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_IO_BINARY_VIEW, s->which));
    TRY(t, through_stream(ctx, s->packets, opts, &tab[0]));
    TRY(t, through_array(ctx, s->packets, opts, &tab[1]));
    TRY(t, through_column(ctx, netfeat_table_column(s->packets, 0), &col));
    torture_saw_table(t, tab[0]);
    torture_saw_table(t, tab[1]);
out:
    netfeat_column_unref(col);
    netfeat_table_unref(tab[0]);
    netfeat_table_unref(tab[1]);
    netfeat_options_unref(opts);
    return scene_leave(s, ctx, code);
}

/* ---- all of them ---- */

const scene_case scene_cases[] = {
    {"read pcap", scene_read, 0, NULL, NULL},
    {"read pcapng", scene_read, 1, NULL, NULL},
    {"read gzip", scene_read, 2, NULL, "zlib"},
    {"read zstd", scene_read, 3, NULL, "zstd"},
    {"read lz4", scene_read, 4, NULL, "lz4"},
    {"read xz", scene_read, 5, NULL, "xz"},
    {"read bzip2", scene_read, 6, NULL, "bzip2"},
    {"read descriptor", scene_read, 7, NULL, NULL},
    {"read FILE", scene_read, 8, NULL, NULL},
    {"read many", scene_many, 0, NULL, NULL},
    {"merge many", scene_many, 1, NULL, NULL},
    {"read folder", scene_many, 2, NULL, NULL},
    {"notes", scene_notes, 0, NULL, NULL},
    {"push", scene_push, 0, NULL, NULL},
    {"packet table", scene_table, 0, NULL, NULL},
    {"flows", scene_flows, 0, NULL, NULL},
    {"flows notebook", scene_flows, 1, NULL, NULL},
    {"flows nfstream", scene_flows, 2, NULL, NULL},
    {"flows cic", scene_flows, 3, NULL, NULL},
    {"flows cic2018", scene_flows, 4, NULL, NULL},
    {"flows zeek", scene_flows, 5, NULL, NULL},
    {"flows one way", scene_flows, 100, NULL, NULL},
    {"one-way flows in one go", scene_one_way, 0, NULL, NULL},
    {"streams", scene_streams, 0, NULL, NULL},
    {"streams on acknowledgement", scene_streams, 1, NULL, NULL},
    {"stream table", scene_stream_table, 0, NULL, NULL},
    {"whole datagrams", scene_whole, 0, NULL, NULL},
    {"pipeline, mapped", scene_pipeline, 0, "model.arrow", NULL},
    {"pipeline, read", scene_pipeline, 1, "model.arrow", NULL},
    {"tables about tables", scene_features, 0, NULL, NULL},
    {"windows", scene_windows, 0, NULL, NULL},
    {"save arrow", scene_save, 0, "out.arrow", NULL},
    {"save arrow zstd", scene_save, 1, "out.arrow", "zstd"},
    {"save arrow lz4", scene_save, 2, "out.arrow", "lz4"},
    {"save stream", scene_save, 3, "out.arrows", NULL},
    {"save parquet", scene_save, 4, "out.parquet", "zstd"},
    {"save parquet plain", scene_save, 5, "out.parquet", NULL},
    {"save csv", scene_save, 6, "out.csv", NULL},
    {"write arrow", scene_writer, 0, "out.arrow", NULL},
    {"write stream", scene_writer, 3, "out.arrows", NULL},
    {"write parquet", scene_writer, 4, "out.parquet", "zstd"},
    {"write csv", scene_writer, 6, "out.csv", NULL},
    {"save to descriptor", scene_descriptor, 0, NULL, NULL},
    {"load mapped", scene_load, 0, NULL, NULL},
    {"load read", scene_load, 1, NULL, NULL},
    {"load stream", scene_load, 2, NULL, NULL},
    {"load descriptor", scene_load, 3, NULL, NULL},
    {"load lz4", scene_load, 4, NULL, "lz4"},
    {"arrow in memory", scene_arrow, 0, NULL, NULL},
    {"arrow views", scene_arrow, 1, NULL, NULL},
    {"big blocks", scene_big, 0, NULL, NULL},
    {"big blocks that grow", scene_big, 1, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL},
};
