/* Tables and columns out through the C data and the C stream interface. Nothing is copied: every array holds a
   reference to the column behind it, and the consumer's release gives it back. */
#include <errno.h>
#include <string.h>

#include "base/bitmap.h"
#include "base/options.h"
#include "export/arrow_c.h"

/* DuckDB, when it takes in a stream by ADBC, writes past the end of its vectors when a dictionary-encoded column
   has more rows than one of them (version 1.5). Smaller batches cost nothing here: they share the memory. */
#define DICTIONARY_BATCH_ROWS 2048

size_t netfeat_arrow_struct_bytes(int which)
{
    switch (which) {
    case NETFEAT_ARROW_SCHEMA:
        return sizeof(struct ArrowSchema);
    case NETFEAT_ARROW_ARRAY:
        return sizeof(struct ArrowArray);
    case NETFEAT_ARROW_STREAM:
        return sizeof(struct ArrowArrayStream);
    default:
        return 0;
    }
}

void netfeat_arrow_stream_release(struct ArrowArrayStream *s)
{
    if (s != NULL && s->release != NULL) {
        s->release(s);
    }
}

void netfeat_arrow_array_release(struct ArrowArray *a)
{
    if (a != NULL && a->release != NULL) {
        a->release(a);
    }
}

void netfeat_arrow_schema_release(struct ArrowSchema *s)
{
    if (s != NULL && s->release != NULL) {
        s->release(s);
    }
}

/* ---- arrays ---- */

typedef struct {
    netfeat_ctx *ctx; /* counted reference */
    nf_outgoing *col; /* counted reference; NULL for the table itself */
    size_t size;
    size_t children;
    struct ArrowArray *child_structs;
    struct ArrowArray **child_pointers;
    struct ArrowArray *dictionary;
    const void **buffers;
} array_block;

static void release_array(struct ArrowArray *a)
{
    array_block *b = a->private_data;
    netfeat_ctx *ctx = b->ctx;

    for (size_t i = 0; i < b->children; i++) {
        netfeat_arrow_array_release(b->child_pointers[i]);
    }
    netfeat_arrow_array_release(b->dictionary);
    nf_outgoing_unref(b->col);
    a->release = NULL;
    nf_free(ctx, b, b->size);
    netfeat_ctx_unref(ctx);
}

/* A struct with room for buffers, children and dictionary in one block, all of them empty. */
static int make_array(netfeat_ctx *ctx, size_t buffers, size_t children, bool encoded, struct ArrowArray *out)
{
    size_t structs = children + (encoded ? 1 : 0);
    size_t size = sizeof(array_block) + structs * sizeof *out + (children + buffers) * sizeof(void *);
    array_block *b = nf_alloc_quiet(ctx, size);

    if (b == NULL) {
        return ENOMEM;
    }
    memset(b, 0, size);
    b->ctx = netfeat_ctx_ref(ctx);
    b->size = size;
    b->children = children;
    b->child_structs = (struct ArrowArray *)(void *)(b + 1);
    b->child_pointers = (struct ArrowArray **)(void *)(b->child_structs + structs);
    b->buffers = (const void **)(void *)(b->child_pointers + children);
    b->dictionary = encoded ? b->child_structs + children : NULL;
    for (size_t i = 0; i < children; i++) {
        b->child_pointers[i] = &b->child_structs[i];
    }
    memset(out, 0, sizeof *out);
    out->n_buffers = (int64_t)buffers;
    out->n_children = (int64_t)children;
    out->buffers = b->buffers;
    out->children = children > 0 ? b->child_pointers : NULL;
    out->dictionary = b->dictionary;
    out->release = release_array;
    out->private_data = b;
    return 0;
}

static size_t buffers_of(const nf_outgoing *o)
{
    if (o->blocks != NULL) {
        return 3 + o->block_count;
    }
    return o->col->type == NETFEAT_TYPE_TEXT || o->col->type == NETFEAT_TYPE_BYTES ? 3 : 2;
}

/* Rows from `first`, a multiple of 8, on: the buffers can begin there, and no offset is needed. */
static void set_buffers(const nf_outgoing *o, int64_t first, const void **buffers)
{
    static const uint8_t nothing[16];
    const netfeat_column *col = o->col;
    size_t n = 0;

    buffers[n++] = col->validity != NULL ? col->validity + (first >> 3) : NULL;
    if (o->blocks != NULL) {
        buffers[n++] = o->views != NULL ? o->views + (size_t)first * 16 : nothing;
        for (size_t i = 0; i < o->block_count; i++) {
            buffers[n++] = o->blocks[i].p;
        }
        buffers[n++] = o->sizes;
        return;
    }
    if (col->offsets != NULL) {
        buffers[n++] = col->offsets + first;
    }
    if (col->type == NETFEAT_TYPE_BOOL) {
        buffers[n++] = col->data + (first >> 3);
    } else if (col->type == NETFEAT_TYPE_TEXT || col->type == NETFEAT_TYPE_BYTES) {
        buffers[n++] = col->data;
    } else if (col->type != NETFEAT_TYPE_LIST) {
        buffers[n++] = col->data + (size_t)first * (size_t)nf_type_width(col->type);
    }
}

static int column_array(nf_outgoing *o, int64_t first, int64_t count, struct ArrowArray *out)
{
    const netfeat_column *col = o->col;
    int error = make_array(o->ctx, buffers_of(o), o->item != NULL, o->values != NULL, out);

    if (error != 0) {
        return error;
    }
    ((array_block *)out->private_data)->col = nf_outgoing_ref(o);
    out->length = count;
    out->null_count = col->validity != NULL ? count - nf_bitmap_count(col->validity, first, count) : 0;
    set_buffers(o, first, out->buffers);
    if (o->item != NULL) {
        error = column_array(o->item, 0, o->item->col->length, out->children[0]);
    }
    if (error == 0 && o->values != NULL) {
        error = column_array(o->values, 0, o->values->col->length, out->dictionary);
    }
    if (error != 0) {
        netfeat_arrow_array_release(out);
    }
    return error;
}

static int table_array(netfeat_ctx *ctx, const nf_outgoing_list *cols, int64_t first, int64_t count,
                       struct ArrowArray *out)
{
    int error = make_array(ctx, 1, cols->count, false, out);

    if (error != 0) {
        return error;
    }
    out->length = count;
    for (size_t i = 0; error == 0 && i < cols->count; i++) {
        error = column_array(cols->cols[i], first, count, out->children[i]);
    }
    if (error != 0) {
        netfeat_arrow_array_release(out);
    }
    return error;
}

/* ---- stream ---- */

typedef struct {
    netfeat_ctx *ctx;   /* counted reference */
    netfeat_table *tab; /* counted reference */
    nf_outgoing_list cols;
    nf_table_pairs pairs;
    int64_t next, batch;
    bool begun; /* a table without rows still gives one batch */
    const char *error;
} stream_state;

static void free_stream(stream_state *s)
{
    netfeat_ctx *ctx = s->ctx;

    nf_outgoing_list_free(&s->cols);
    nf_table_pairs_free(&s->pairs);
    netfeat_table_unref(s->tab);
    nf_free(ctx, s, sizeof *s);
    netfeat_ctx_unref(ctx);
}

static void stream_release(struct ArrowArrayStream *stream)
{
    free_stream(stream->private_data);
    stream->release = NULL;
}

static int stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    stream_state *s = stream->private_data;
    int error = nf_arrow_schema_of_table(s->tab, &s->cols, &s->pairs, out);

    s->error = error != 0 ? "out of memory" : NULL;
    return error;
}

static int stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    stream_state *s = stream->private_data;
    int64_t left = s->tab->rows - s->next;
    int error;

    if (left == 0 && s->begun) {
        memset(out, 0, sizeof *out);
        return 0;
    }
    if (s->batch > 0 && left > s->batch) {
        left = s->batch;
    }
    error = table_array(s->ctx, &s->cols, s->next, left, out);
    s->error = error != 0 ? "out of memory" : NULL;
    if (error == 0) {
        s->begun = true;
        s->next += left;
    }
    return error;
}

static const char *stream_error(struct ArrowArrayStream *stream)
{
    const stream_state *s = stream->private_data;
    return s->error;
}

/* What every export asks of its arguments, and the shape wanted. */
static int begin(netfeat_ctx *ctx, const void *what, const netfeat_options *opts, const void *out,
                 const char *call, nf_shape *shape)
{
    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (what == NULL || out == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "%s: a pointer is NULL", call);
    }
    return nf_shape_of(ctx, opts, shape);
}

static int out_of_memory(netfeat_ctx *ctx)
{
    return nf_error(ctx, NETFEAT_ERR_NOMEM, "out of memory, or of the memory limit");
}

int netfeat_table_export_stream(netfeat_ctx *ctx, netfeat_table *tab, const netfeat_options *opts,
                                struct ArrowArrayStream *out)
{
    nf_shape shape;
    stream_state *s;
    int code = begin(ctx, tab, opts, out, "table_export_stream", &shape);

    code = code != 0 ? code : nf_table_check_sealed(ctx, tab, "table_export_stream");
    if (code != 0) {
        return code;
    }
    s = nf_alloc_zero(ctx, sizeof *s);
    if (s == NULL) {
        return nf_ctx_code(ctx);
    }
    s->ctx = netfeat_ctx_ref(ctx);
    s->cols.ctx = ctx;
    s->pairs.ctx = ctx;
    s->tab = netfeat_table_ref(tab);
    s->batch = nf_option_batch_rows(opts, shape.address == NF_ADDRESS_DICTIONARY ? DICTIONARY_BATCH_ROWS : 0);
    code = nf_outgoing_list_make(ctx, tab, &shape, &s->cols);
    code = code != 0 ? code : nf_table_pairs_make(ctx, tab, &s->pairs);
    if (code != 0) {
        free_stream(s);
        return code;
    }
    memset(out, 0, sizeof *out);
    out->get_schema = stream_schema;
    out->get_next = stream_next;
    out->get_last_error = stream_error;
    out->release = stream_release;
    out->private_data = s;
    return NETFEAT_OK;
}

int netfeat_table_export_array(netfeat_ctx *ctx, netfeat_table *tab, const netfeat_options *opts,
                               struct ArrowSchema *out_schema, struct ArrowArray *out_array)
{
    nf_outgoing_list cols = {.ctx = ctx};
    nf_table_pairs pairs = {.ctx = ctx};
    struct ArrowSchema schema = {.release = NULL};
    nf_shape shape;
    int error = 0;
    int code = begin(ctx, tab, opts, out_schema != NULL ? (void *)out_schema : (void *)out_array,
                     "table_export_array", &shape);

    code = code != 0 ? code : nf_table_check_sealed(ctx, tab, "table_export_array");
    if (code != 0) {
        return code;
    }
    code = nf_outgoing_list_make(ctx, tab, &shape, &cols);
    code = code != 0 ? code : nf_table_pairs_make(ctx, tab, &pairs);
    if (code == 0 && out_schema != NULL) {
        error = nf_arrow_schema_of_table(tab, &cols, &pairs, &schema);
    }
    if (code == 0 && error == 0 && out_array != NULL) {
        error = table_array(ctx, &cols, 0, tab->rows, out_array);
    }
    if (error != 0) {
        netfeat_arrow_schema_release(&schema);
        code = out_of_memory(ctx);
    }
    if (code == 0 && out_schema != NULL) {
        *out_schema = schema;
    }
    nf_table_pairs_free(&pairs);
    nf_outgoing_list_free(&cols);
    return code;
}

int netfeat_column_export_array(netfeat_ctx *ctx, netfeat_column *col, const netfeat_options *opts,
                                struct ArrowSchema *out_schema, struct ArrowArray *out_array)
{
    struct ArrowSchema schema = {.release = NULL};
    nf_outgoing *o = NULL;
    nf_shape shape;
    int error = 0;
    int code = begin(ctx, col, opts, out_schema != NULL ? (void *)out_schema : (void *)out_array,
                     "column_export_array", &shape);

    code = code != 0 ? code : nf_outgoing_new(ctx, col, &shape, &o);
    if (code != 0) {
        return code;
    }
    if (out_schema != NULL) {
        error = nf_arrow_schema_of_column(o, "", &schema);
    }
    if (error == 0 && out_array != NULL) {
        error = column_array(o, 0, col->length, out_array);
    }
    nf_outgoing_unref(o);
    if (error != 0) {
        netfeat_arrow_schema_release(&schema);
        return out_of_memory(ctx);
    }
    if (out_schema != NULL) {
        *out_schema = schema;
    }
    return NETFEAT_OK;
}
