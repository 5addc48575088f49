/* Writers: which format, what the settings ask for, and that all tables look alike. */
#include "export/writer.h"

#include <string.h>
#include <strings.h>

#include "base/options.h"
#include "export/compress.h"

#define COMPRESSED_BATCH_ROWS (INT64_C(1) << 20)

enum { FORMAT_AUTO, FORMAT_ARROW, FORMAT_STREAM, FORMAT_PARQUET, FORMAT_CSV };

static int format_of_name(const char *path)
{
    const char *dot = strrchr(path, '.');

    if (dot == NULL) {
        return FORMAT_ARROW;
    }
    if (strcasecmp(dot, ".parquet") == 0) {
        return FORMAT_PARQUET;
    }
    if (strcasecmp(dot, ".csv") == 0) {
        return FORMAT_CSV;
    }
    return strcasecmp(dot, ".arrows") == 0 ? FORMAT_STREAM : FORMAT_ARROW;
}

static int choose_format(netfeat_writer *w, const char *path, const netfeat_options *opts)
{
    static const char *const words[] = {"auto", "arrow", "stream", "parquet", "csv", NULL};
    static const nf_format *const formats[] = {NULL, &nf_format_arrow, &nf_format_stream, &nf_format_parquet,
                                               &nf_format_csv};
    int format = nf_option_word(w->ctx, opts, NETFEAT_OPT_IO_FORMAT, words);

    if (format < 0) {
        return format;
    }
    if (format == FORMAT_AUTO) {
        format = path != NULL ? format_of_name(path) : FORMAT_STREAM;
    }
    w->format = formats[format];
    w->codec = nf_codec_of(w->ctx, opts, format == FORMAT_PARQUET ? NF_CODEC_ZSTD : NF_CODEC_NONE);
    if (w->codec < 0) {
        return w->codec;
    }
    if (w->codec == NF_CODEC_LZ4 && format == FORMAT_PARQUET) {
        return nf_error(w->ctx, NETFEAT_ERR_UNSUPPORTED, "Parquet files are written with zstd, not with lz4");
    }
    if (w->codec != NF_CODEC_NONE && format == FORMAT_CSV) {
        return nf_error(w->ctx, NETFEAT_ERR_UNSUPPORTED, "CSV files are not written compressed");
    }
    w->batch_rows = nf_option_batch_rows(
        opts, format == FORMAT_PARQUET || w->codec != NF_CODEC_NONE ? COMPRESSED_BATCH_ROWS : 0);
    return NETFEAT_OK;
}

static int read_options(netfeat_writer *w, const char *path, const netfeat_options *opts)
{
    static const char *const times[] = {"iso", "ns", NULL};
    int code = choose_format(w, path, opts);
    int word;

    code = code != 0 ? code : nf_shape_of(w->ctx, opts, &w->shape);
    if (code != 0) {
        return code;
    }
    w->shape.views = false; /* files hold LargeBinary */
    word = nf_option_word(w->ctx, opts, NETFEAT_OPT_IO_TIMES, times);
    w->times_as_ns = word == 1;
    return word < 0 ? word : NETFEAT_OK;
}

static int open_writer(netfeat_ctx *ctx, const char *path, int fd, const netfeat_options *opts, bool single,
                       netfeat_writer **ret)
{
    netfeat_writer *w = nf_alloc_zero(ctx, sizeof *w);
    int code;

    if (w == NULL) {
        return nf_ctx_code(ctx);
    }
    nf_ref_init(&w->refs);
    w->ctx = netfeat_ctx_ref(ctx);
    w->out.ctx = ctx;
    w->out.fd = -1;
    w->out.directory = -1;
    w->single = single;
    code = read_options(w, path, opts);
    if (code == 0 && path != NULL) {
        code = nf_out_open_file(&w->out, ctx, path, (int)nf_option(opts, NETFEAT_OPT_IO_FILE_MODE),
                                nf_option(opts, NETFEAT_OPT_IO_SYNC) != 0);
    } else if (code == 0) {
        code = nf_out_open_fd(&w->out, ctx, fd);
    }
    if (code != 0) {
        netfeat_writer_unref(w);
        return code;
    }
    /* what only Arrow's dictionaries can say, and only when no second table follows */
    if (w->shape.address == NF_ADDRESS_DICTIONARY &&
        (!single || (w->format != &nf_format_arrow && w->format != &nf_format_stream))) {
        w->shape.address = NF_ADDRESS_TEXT;
    }
    *ret = w;
    return NETFEAT_OK;
}

int netfeat_writer_open_file(netfeat_ctx *ctx, const char *path, const netfeat_options *opts,
                             netfeat_writer **ret)
{
    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (path == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "writer_open_file: a pointer is NULL");
    }
    return open_writer(ctx, path, -1, opts, false, ret);
}

int netfeat_writer_open_fd(netfeat_ctx *ctx, int fd, const netfeat_options *opts, netfeat_writer **ret)
{
    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "writer_open_fd: ret is NULL");
    }
    return open_writer(ctx, NULL, fd, opts, false, ret);
}

/* ---- the same columns in every table ---- */

static int item_type(const netfeat_column *col)
{
    return col->child != NULL ? col->child->type : 0;
}

static int remember_columns(netfeat_writer *w, const netfeat_table *tab)
{
    if (tab->width == 0) {
        return NETFEAT_OK;
    }
    w->columns = nf_alloc_zero(w->ctx, (size_t)tab->width * sizeof *w->columns);
    if (w->columns == NULL) {
        return nf_ctx_code(w->ctx);
    }
    w->width = (size_t)tab->width;
    for (size_t i = 0; i < w->width; i++) {
        nf_writer_column *c = &w->columns[i];
        c->name = nf_strndup(w->ctx, tab->names[i], strlen(tab->names[i]));
        if (c->name == NULL) {
            return nf_ctx_code(w->ctx);
        }
        c->type = tab->cols[i]->type;
        c->item = item_type(tab->cols[i]);
    }
    return NETFEAT_OK;
}

static int compare_columns(const netfeat_writer *w, const netfeat_table *tab)
{
    if ((size_t)tab->width != w->width) {
        return nf_error(w->ctx, NETFEAT_ERR_TYPE, "a table with %d columns after one with %zu", tab->width,
                        w->width);
    }
    for (size_t i = 0; i < w->width; i++) {
        const nf_writer_column *c = &w->columns[i];
        if (strcmp(c->name, tab->names[i]) != 0 || c->type != tab->cols[i]->type ||
            c->item != item_type(tab->cols[i])) {
            return nf_error(w->ctx, NETFEAT_ERR_TYPE, "column %zu was %.100s (%s), now it is %.100s (%s)", i,
                            c->name, netfeat_type_name(c->type), tab->names[i],
                            netfeat_type_name(tab->cols[i]->type));
        }
    }
    return NETFEAT_OK;
}

static int write_table(netfeat_writer *w, const netfeat_table *tab)
{
    int code = NETFEAT_OK;

    if (!w->begun) {
        w->begun = true;
        code = remember_columns(w, tab);
        code = code != 0 ? code : w->format->begin(w, tab);
    }
    return code != 0 ? code : w->format->write(w, tab);
}

int netfeat_writer_write(netfeat_writer *w, const netfeat_table *tab)
{
    int code;

    if (w == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (tab == NULL) {
        return nf_error(w->ctx, NETFEAT_ERR_ARGUMENT, "writer_write: the table is NULL");
    }
    if (w->failed || w->ended) {
        return nf_error(w->ctx, NETFEAT_ERR_STATE, "writer_write: the writer has %s",
                        w->failed ? "failed" : "ended");
    }
    code = nf_table_check_sealed(w->ctx, tab, "writer_write");
    if (code == 0 && w->begun) {
        code = compare_columns(w, tab);
    }
    if (code == 0) {
        code = write_table(w, tab);
        w->failed = code != 0;
    }
    return code;
}

int netfeat_writer_end(netfeat_writer *w)
{
    int code;

    if (w == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (w->failed || w->ended || !w->begun) {
        return nf_error(w->ctx, NETFEAT_ERR_STATE, "writer_end: %s",
                        w->failed  ? "the writer has failed"
                        : w->ended ? "the writer has ended"
                                   : "no table was written");
    }
    w->ended = true;
    code = w->format->end(w);
    code = code != 0 ? code : nf_out_finish(&w->out);
    w->failed = code != 0;
    nf_out_close(&w->out);
    return code;
}

netfeat_writer *netfeat_writer_ref(netfeat_writer *w)
{
    if (w != NULL) {
        nf_ref_get(&w->refs);
    }
    return w;
}

netfeat_writer *netfeat_writer_unref(netfeat_writer *w)
{
    netfeat_ctx *ctx;

    if (w == NULL || !nf_ref_put(&w->refs)) {
        return NULL;
    }
    ctx = w->ctx;
    if (w->state != NULL) {
        w->format->release(w);
    }
    nf_out_close(&w->out);
    for (size_t i = 0; i < w->width; i++) {
        if (w->columns[i].name != NULL) {
            nf_free(ctx, w->columns[i].name, strlen(w->columns[i].name) + 1);
        }
    }
    nf_free(ctx, w->columns, w->width * sizeof *w->columns);
    nf_free(ctx, w, sizeof *w);
    netfeat_ctx_unref(ctx);
    return NULL;
}

static int save(netfeat_ctx *ctx, const netfeat_table *tab, const char *path, int fd,
                const netfeat_options *opts)
{
    netfeat_writer *w = NULL;
    int code = nf_table_check_sealed(ctx, tab, "table_save");

    code = code != 0 ? code : open_writer(ctx, path, fd, opts, true, &w);
    code = code != 0 ? code : netfeat_writer_write(w, tab);
    code = code != 0 ? code : netfeat_writer_end(w);
    netfeat_writer_unref(w);
    return code;
}

int netfeat_table_save_file(netfeat_ctx *ctx, const netfeat_table *tab, const char *path,
                            const netfeat_options *opts)
{
    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (tab == NULL || path == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "table_save_file: a pointer is NULL");
    }
    return save(ctx, tab, path, -1, opts);
}

int netfeat_table_save_fd(netfeat_ctx *ctx, const netfeat_table *tab, int fd, const netfeat_options *opts)
{
    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (tab == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "table_save_fd: the table is NULL");
    }
    return save(ctx, tab, NULL, fd, opts);
}
