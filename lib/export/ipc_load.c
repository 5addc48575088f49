/* A whole IPC file or stream: schema, dictionaries, batches, then column after column. */
#include <string.h>

#include "base/checked.h"
#include "base/cursor.h"
#include "base/options.h"
#include "export/incoming.h"
#include "export/ipc.h"
#include "export/ipc_read.h"
#include "export/ipc_schema.h"

/* A dictionary as it is at this point of the stream: the arrays that make it up, and the column once it was
   needed. */
typedef struct {
    int64_t id;
    nf_arrow_field values; /* borrows its texts from the first field that uses it */
    nf_ipc_batch *arrays;
    size_t count, cap;
    netfeat_column *column; /* counted reference; NULL: to be made */
} dictionary;

typedef struct {
    netfeat_ctx *ctx;
    const uint8_t *data;
    size_t size;
    nf_buffer *owner;
    nf_import in;
    int64_t max_columns;
    bool has_schema;
    nf_arrow_schema schema;
    dictionary *dictionaries;
    size_t dictionary_count, dictionary_cap;
    nf_ipc_batch *batches;
    size_t count, cap;
    int64_t rows;
} loader;

static void free_loader(loader *l)
{
    for (size_t i = 0; i < l->count; i++) {
        nf_ipc_batch *b = &l->batches[i];
        for (size_t k = 0; k < b->dictionary_count; k++) {
            netfeat_column_unref(b->dictionaries[k]);
        }
        nf_free(l->ctx, b->dictionaries, b->dictionary_count * sizeof *b->dictionaries);
    }
    nf_free(l->ctx, l->batches, l->cap * sizeof *l->batches);
    for (size_t i = 0; i < l->dictionary_count; i++) {
        dictionary *d = &l->dictionaries[i];
        nf_free(l->ctx, d->arrays, d->cap * sizeof *d->arrays);
        netfeat_column_unref(d->column);
    }
    nf_free(l->ctx, l->dictionaries, l->dictionary_cap * sizeof *l->dictionaries);
    nf_arrow_schema_free(&l->schema);
}

/* ---- dictionaries ---- */

static dictionary *find_dictionary(const loader *l, int64_t id)
{
    for (size_t i = 0; i < l->dictionary_count; i++) {
        if (l->dictionaries[i].id == id) {
            return &l->dictionaries[i];
        }
    }
    return NULL;
}

static bool same_type(const nf_arrow_type *a, const nf_arrow_type *b)
{
    return a->kind == b->kind && a->bits == b->bits && a->is_signed == b->is_signed && a->unit == b->unit &&
           a->width == b->width;
}

static int declare_dictionary(loader *l, const nf_arrow_field *f)
{
    dictionary *d = find_dictionary(l, f->dictionary);
    void *list = l->dictionaries;
    int code;

    if (d != NULL) {
        return same_type(&d->values.type, &f->type)
                   ? NETFEAT_OK
                   : nf_error(l->ctx, NETFEAT_ERR_FORMAT, "column %.200s: its dictionary has another type",
                              f->name);
    }
    code = nf_grow(l->ctx, &list, &l->dictionary_cap, l->dictionary_count + 1, sizeof *l->dictionaries);
    l->dictionaries = list;
    if (code != 0) {
        return code;
    }
    d = &l->dictionaries[l->dictionary_count++];
    memset(d, 0, sizeof *d);
    d->id = f->dictionary;
    d->values.name = f->name;
    d->values.type = f->type;
    return NETFEAT_OK;
}

static int declare_dictionaries(loader *l)
{
    int code = NETFEAT_OK;

    for (size_t i = 0; code == 0 && i < l->schema.count; i++) {
        const nf_arrow_field *f = &l->schema.fields[i];
        if (f->encoded) {
            code = declare_dictionary(l, f);
        } else if (f->item != NULL && f->item->encoded) {
            code = declare_dictionary(l, f->item);
        }
    }
    return code;
}

static int read_dictionary(loader *l, nf_ipc_message *m)
{
    int64_t id = nf_fbr_int(&m->f, &m->header, IPC_DICTIONARY_ID, 8, 0);
    bool delta = nf_fbr_uint(&m->f, &m->header, IPC_DICTIONARY_DELTA, 1, 0) != 0;
    nf_fbr_table t = nf_fbr_child(&m->f, &m->header, IPC_DICTIONARY_DATA);
    dictionary *d = find_dictionary(l, id);
    nf_ipc_batch b;
    void *list;
    int code;

    if (m->f.bad || t.pos == 0) {
        return nf_ipc_broken(l->ctx, &m->f, (int64_t)m->at);
    }
    if (d == NULL) {
        return nf_error_at(l->ctx, NETFEAT_ERR_FORMAT, -1, (int64_t)m->at, "no column uses dictionary %lld",
                           (long long)id);
    }
    code = nf_ipc_batch_read(l->ctx, m, &t, l->data, &b);
    if (code != 0) {
        return code;
    }
    if (!delta) {
        d->count = 0;
    }
    list = d->arrays;
    code = nf_grow(l->ctx, &list, &d->cap, d->count + 1, sizeof *d->arrays);
    d->arrays = list;
    if (code == 0) {
        d->arrays[d->count++] = b;
        d->column = netfeat_column_unref(d->column);
    }
    return code;
}

/* The dictionary's values so far, as a column. */
static int make_dictionary(loader *l, dictionary *d)
{
    nf_view *views = NULL;
    int code = NETFEAT_OK;

    if (d->column != NULL) {
        return NETFEAT_OK;
    }
    l->in.column = d->values.name;
    if (d->count > 0) {
        views = nf_alloc_zero(l->ctx, d->count * sizeof *views);
        if (views == NULL) {
            return nf_ctx_code(l->ctx);
        }
    }
    for (size_t i = 0; code == 0 && i < d->count; i++) {
        nf_ipc_batch_rewind(&d->arrays[i]);
        code = nf_ipc_batch_next(&l->in, &d->arrays[i], &d->values, l->owner, &views[i]);
        code = code != 0 ? code : nf_ipc_batch_end(l->ctx, &d->arrays[i]);
    }
    code = code != 0 ? code : nf_import_take(&l->in, 256); /* the column itself: versions are bounded, too */
    code = code != 0 ? code : nf_convert(&l->in, &d->values, views, d->count, &d->column);
    for (size_t i = 0; i < d->count; i++) {
        nf_view_clear(l->ctx, &views[i]);
    }
    nf_free(l->ctx, views, d->count * sizeof *views);
    return code;
}

/* A batch refers to the dictionaries as they are when it comes. */
static int freeze_dictionaries(loader *l, nf_ipc_batch *b)
{
    int code = NETFEAT_OK;

    if (l->dictionary_count == 0) {
        return NETFEAT_OK;
    }
    b->dictionaries = nf_alloc_zero(l->ctx, l->dictionary_count * sizeof *b->dictionaries);
    if (b->dictionaries == NULL) {
        return nf_ctx_code(l->ctx);
    }
    b->dictionary_count = l->dictionary_count;
    for (size_t i = 0; code == 0 && i < l->dictionary_count; i++) {
        code = make_dictionary(l, &l->dictionaries[i]);
        b->dictionaries[i] = netfeat_column_ref(l->dictionaries[i].column);
    }
    return code;
}

/* ---- messages ---- */

static int take_schema(loader *l, nf_fbr *f, const nf_fbr_table *t, size_t at)
{
    int code = nf_ipc_read_schema(l->ctx, f, t, (int64_t)at, l->max_columns, &l->schema);

    code = code != 0 ? code : declare_dictionaries(l);
    l->has_schema = code == 0;
    l->in.zeros = code == 0 && nf_incoming_is_ours(&l->schema);
    return code;
}

static int take_batch(loader *l, nf_ipc_message *m)
{
    void *list = l->batches;
    nf_ipc_batch b;
    int code = nf_ipc_batch_read(l->ctx, m, &m->header, l->data, &b);

    code = code != 0 ? code : nf_grow(l->ctx, &list, &l->cap, l->count + 1, sizeof *l->batches);
    l->batches = list;
    if (code != 0) {
        return code;
    }
    l->batches[l->count++] = b;
    if (!nf_add_i64(l->rows, b.length, &l->rows) || l->rows > NF_ROWS_MAX) {
        return nf_error_at(l->ctx, NETFEAT_ERR_FORMAT, -1, (int64_t)m->at, "an impossible number of rows");
    }
    code = freeze_dictionaries(l, &l->batches[l->count - 1]);
    return code != 0 ? code : nf_checkpoint(l->ctx, l->rows, (int64_t)m->at, (int64_t)l->size);
}

static int unexpected(loader *l, const nf_ipc_message *m)
{
    return nf_error_at(l->ctx, NETFEAT_ERR_FORMAT, -1, (int64_t)m->at, "an unexpected message of kind %d",
                       m->kind);
}

static int read_stream(loader *l)
{
    size_t at = 0;

    while (at < l->size) {
        nf_ipc_message m;
        size_t end;
        int code = nf_ipc_message_at(l->ctx, l->data, l->size, at, false, &m, &end);
        if (code <= 0) {
            if (code == 0 && !l->has_schema) {
                break;
            }
            return code;
        }
        if (!l->has_schema && m.kind == IPC_KIND_SCHEMA) {
            code = take_schema(l, &m.f, &m.header, m.at);
        } else if (l->has_schema && m.kind == IPC_KIND_BATCH) {
            code = take_batch(l, &m);
        } else if (l->has_schema && m.kind == IPC_KIND_DICTIONARY) {
            code = read_dictionary(l, &m);
        } else {
            code = unexpected(l, &m);
        }
        if (code != 0) {
            return code;
        }
        at = end;
    }
    return l->has_schema ? NETFEAT_OK
                         : nf_error_at(l->ctx, NETFEAT_ERR_TRUNCATED, -1, (int64_t)at, "no schema, no table");
}

/* ---- files ---- */

/* The messages that one list of the footer names: in the order of the file, without overlap. */
static int read_blocks(loader *l, const nf_fbr *footer, const nf_fbr_vector *list, int kind)
{
    uint64_t free_from = NF_IPC_HEAD_SIZE;

    for (size_t i = 0; i < list->count; i++) {
        const uint8_t *p = nf_fbr_vec_at(footer, list, i, NF_IPC_BLOCK_SIZE);
        uint64_t at = nf_load_le64(p);
        uint64_t body = nf_load_le64(p + 16);
        nf_ipc_message m;
        size_t end;
        int code;
        if (at < free_from || at >= l->size) {
            return nf_error_at(l->ctx, NETFEAT_ERR_FORMAT, -1, (int64_t)(at & INT64_MAX),
                               "a block outside of the file, or over another one");
        }
        code = nf_ipc_message_at(l->ctx, l->data, l->size, (size_t)at, false, &m, &end);
        if (code < 0) {
            return code;
        }
        if (code == 0 || m.kind != kind || m.body_size != body || m.body - at != nf_load_le32(p + 8)) {
            return nf_error_at(l->ctx, NETFEAT_ERR_FORMAT, -1, (int64_t)at,
                               "a block that is not as the footer says");
        }
        code = kind == IPC_KIND_BATCH ? take_batch(l, &m) : read_dictionary(l, &m);
        if (code != 0) {
            return code;
        }
        free_from = end;
    }
    return NETFEAT_OK;
}

static int read_file(loader *l)
{
    const uint8_t *tail = l->data + l->size - NF_IPC_TAIL_SIZE;
    nf_fbr_vector dictionaries, batches;
    nf_fbr_table t, schema;
    uint32_t size;
    size_t at;
    nf_fbr f;
    int code;

    if (l->size < NF_IPC_HEAD_SIZE + NF_IPC_TAIL_SIZE ||
        memcmp(tail + 4, NF_IPC_MAGIC, NF_IPC_MAGIC_SIZE) != 0) {
        return nf_error_at(l->ctx, NETFEAT_ERR_TRUNCATED, -1, (int64_t)l->size,
                           "an Arrow file without its end: it was cut, or never completed");
    }
    size = nf_load_le32(tail);
    if (size > l->size - NF_IPC_HEAD_SIZE - NF_IPC_TAIL_SIZE) {
        return nf_error_at(l->ctx, NETFEAT_ERR_FORMAT, -1, tail - l->data, "a footer of %lu bytes",
                           (unsigned long)size);
    }
    l->size -= NF_IPC_TAIL_SIZE + (size_t)size; /* messages end before the footer */
    at = l->size;
    nf_fbr_init(&f, l->data + at, size);
    t = nf_fbr_root(&f);
    schema = nf_fbr_child(&f, &t, IPC_FOOTER_SCHEMA);
    dictionaries = nf_fbr_vec(&f, &t, IPC_FOOTER_DICTIONARIES, NF_IPC_BLOCK_SIZE, 8);
    batches = nf_fbr_vec(&f, &t, IPC_FOOTER_BATCHES, NF_IPC_BLOCK_SIZE, 8);
    if (f.bad || schema.pos == 0) {
        return nf_ipc_broken(l->ctx, &f, (int64_t)at);
    }
    code = take_schema(l, &f, &schema, at);
    code = code != 0 ? code : read_blocks(l, &f, &dictionaries, IPC_KIND_DICTIONARY);
    return code != 0 ? code : read_blocks(l, &f, &batches, IPC_KIND_BATCH);
}

/* ---- columns ---- */

static netfeat_column *dictionary_of(const loader *l, const nf_ipc_batch *b, const nf_arrow_field *f)
{
    for (size_t i = 0; i < b->dictionary_count; i++) {
        if (l->dictionaries[i].id == f->dictionary) {
            return netfeat_column_ref(b->dictionaries[i]);
        }
    }
    return NULL;
}

static int load_column(loader *l, const nf_arrow_field *f, nf_view *views, netfeat_column **ret)
{
    int code = NETFEAT_OK;

    l->in.column = f->name;
    memset(views, 0, l->count * sizeof *views);
    for (size_t i = 0; code == 0 && i < l->count; i++) {
        code = nf_ipc_batch_next(&l->in, &l->batches[i], f, l->owner, &views[i]);
        if (code == 0 && f->encoded) {
            views[i].dictionary = dictionary_of(l, &l->batches[i], f);
        } else if (code == 0 && f->item != NULL && f->item->encoded) {
            views[i].item->dictionary = dictionary_of(l, &l->batches[i], f->item);
        }
    }
    code = code != 0 ? code : nf_convert(&l->in, f, views, l->count, ret);
    for (size_t i = 0; i < l->count; i++) {
        nf_view_clear(l->ctx, &views[i]);
    }
    return code;
}

static int load_table(loader *l, netfeat_table **ret)
{
    size_t n = l->schema.count;
    netfeat_column **cols = nf_alloc_zero(l->ctx, (n + 1) * sizeof *cols);
    nf_view *views = cols != NULL ? nf_alloc_zero(l->ctx, (l->count + 1) * sizeof *views) : NULL;
    int code = views != NULL ? NETFEAT_OK : nf_ctx_code(l->ctx);

    for (size_t i = 0; code == 0 && i < n; i++) {
        code = load_column(l, &l->schema.fields[i], views, &cols[i]);
        code = code != 0 ? code : nf_checkpoint(l->ctx, l->rows, -1, -1);
    }
    for (size_t i = 0; code == 0 && i < l->count; i++) {
        code = nf_ipc_batch_end(l->ctx, &l->batches[i]);
    }
    code = code != 0 ? code : nf_incoming_table(l->ctx, &l->schema, cols, l->rows, ret);
    for (size_t i = 0; cols != NULL && i < n; i++) {
        netfeat_column_unref(cols[i]);
    }
    nf_free(l->ctx, views, (l->count + 1) * sizeof *views);
    nf_free(l->ctx, cols, (n + 1) * sizeof *cols);
    return code;
}

int nf_ipc_load(netfeat_ctx *ctx, const uint8_t *data, size_t size, nf_buffer *owner,
                const netfeat_options *opts, netfeat_table **ret)
{
    loader l = {.ctx = ctx, .data = data, .size = size, .owner = owner};
    int code;

    l.in.ctx = ctx;
    l.in.budget = nf_option(opts, NETFEAT_OPT_IO_MAX_MEMORY_BYTES);
    l.max_columns = nf_option(opts, NETFEAT_OPT_IO_MAX_COLUMNS);
    if (size >= NF_IPC_MAGIC_SIZE && memcmp(data, NF_IPC_MAGIC, NF_IPC_MAGIC_SIZE) == 0) {
        code = read_file(&l);
    } else {
        code = read_stream(&l);
    }
    code = code != 0 ? code : load_table(&l, ret);
    free_loader(&l);
    return code;
}
