/* Tables and columns in through the C data and the C stream interface. */
#include <errno.h>
#include <string.h>

#include "base/bitmap.h"
#include "base/checked.h"
#include "base/options.h"
#include "export/arrow_c.h"
#include "export/incoming.h"

/* ---- an array of somebody else, moved into a buffer whose end releases it ---- */

typedef struct {
    netfeat_ctx *ctx; /* counted reference */
    struct ArrowArray array;
} foreign;

static void release_foreign(void *user)
{
    foreign *f = user;
    netfeat_ctx *ctx = f->ctx;

    netfeat_arrow_array_release(&f->array);
    nf_free(ctx, f, sizeof *f);
    netfeat_ctx_unref(ctx);
}

/* Moves *array in any case; on failure it is released. */
static int hold_array(netfeat_ctx *ctx, struct ArrowArray *array, nf_buffer **ret,
                      const struct ArrowArray **ret_array)
{
    foreign *f = nf_alloc_zero(ctx, sizeof *f);
    int code;

    if (f == NULL) {
        netfeat_arrow_array_release(array);
        return nf_ctx_code(ctx);
    }
    f->ctx = netfeat_ctx_ref(ctx);
    f->array = *array;
    array->release = NULL;
    code = nf_buffer_wrap(ctx, f, release_foreign, f, ret);
    if (code != 0) {
        release_foreign(f);
        return code;
    }
    *ret_array = &f->array;
    return NETFEAT_OK;
}

/* ---- views over it ---- */

static nf_part part(const struct ArrowArray *a, int64_t index, nf_buffer *owner)
{
    nf_part p = {.p = a->buffers[index], .size = NF_SIZE_UNKNOWN, .at = -1};

    if (p.p == NULL) {
        p.size = 0;
    } else {
        p.owner = nf_buffer_ref(owner);
    }
    return p;
}

static int check_shape(const nf_import *in, const nf_arrow_field *f, const struct ArrowArray *a)
{
    const nf_arrow_type *t = f->encoded ? &f->index : &f->type;
    bool three = t->kind == NF_ARROW_TEXT || t->kind == NF_ARROW_BINARY;
    int64_t want = t->kind == NF_ARROW_LIST ? 1 : 0;
    bool buffers_fit;

    if (three && t->bits == 0) {
        buffers_fit = a->n_buffers >= 3;
    } else {
        buffers_fit = a->n_buffers == (three ? 3 : 2);
    }
    /* a list has its validity and its offsets: two buffers as well */
    if (!buffers_fit || a->buffers == NULL || a->n_children != want || (want > 0 && a->children == NULL) ||
        (f->encoded && a->dictionary == NULL) || a->release == NULL) {
        return nf_import_error(in, NETFEAT_ERR_FORMAT, -1, "an array that does not fit its schema");
    }
    return NETFEAT_OK;
}

static int read_blocks(const nf_import *in, const struct ArrowArray *a, nf_buffer *owner, nf_view *v)
{
    size_t count = (size_t)a->n_buffers - 3;
    const uint8_t *sizes = a->buffers[a->n_buffers - 1];

    if (count == 0) {
        return NETFEAT_OK;
    }
    if (sizes == NULL) {
        return nf_import_error(in, NETFEAT_ERR_FORMAT, -1, "views without sizes of their blocks");
    }
    v->blocks = nf_alloc_zero(in->ctx, count * sizeof *v->blocks);
    if (v->blocks == NULL) {
        return nf_ctx_code(in->ctx);
    }
    v->block_count = count;
    for (size_t i = 0; i < count; i++) {
        int64_t size;
        memcpy(&size, sizes + i * sizeof size, sizeof size);
        v->blocks[i] = part(a, (int64_t)i + 2, owner);
        if (size < 0) {
            return nf_import_error(in, NETFEAT_ERR_FORMAT, -1, "a block of negative size");
        }
        v->blocks[i].size = v->blocks[i].p != NULL ? (size_t)size : 0;
    }
    return NETFEAT_OK;
}

static int check_nulls(const nf_import *in, const struct ArrowArray *a, const nf_view *v)
{
    if (v->validity.p == NULL && a->null_count > 0) {
        return nf_import_error(in, NETFEAT_ERR_FORMAT, -1, "NULLs without a bitmap");
    }
    return NETFEAT_OK;
}

/* Everything but item and dictionary. */
static int plain_view(const nf_import *in, const nf_arrow_field *f, const struct ArrowArray *a,
                      nf_buffer *owner, nf_view *v)
{
    const nf_arrow_type *t = f->encoded ? &f->index : &f->type;
    int code = check_shape(in, f, a);

    if (code != 0) {
        return code;
    }
    v->length = a->length;
    v->offset = a->offset;
    v->validity = part(a, 0, owner);
    code = check_nulls(in, a, v);
    if (t->kind == NF_ARROW_LIST) {
        v->offsets = part(a, 1, owner);
    } else if ((t->kind == NF_ARROW_TEXT || t->kind == NF_ARROW_BINARY) && t->bits != 0) {
        v->offsets = part(a, 1, owner);
        v->data = part(a, 2, owner);
    } else {
        v->data = part(a, 1, owner);
        if (code == 0 && a->n_buffers >= 3) {
            code = read_blocks(in, a, owner, v);
        }
    }
    return code;
}

/* A view of field f, its dictionary decoded. */
static int leaf_view(nf_import *in, const nf_arrow_field *f, const struct ArrowArray *a, nf_buffer *owner,
                     nf_view *v)
{
    int code = plain_view(in, f, a, owner, v);

    if (code == 0 && f->encoded) {
        nf_arrow_field values = {.type = f->type};
        nf_view dictionary = {.length = 0};
        code = plain_view(in, &values, a->dictionary, owner, &dictionary);
        code = code != 0 ? code : nf_convert(in, &values, &dictionary, 1, &v->dictionary);
        nf_view_clear(in->ctx, &dictionary);
    }
    return code;
}

static int column_view(nf_import *in, const nf_arrow_field *f, const struct ArrowArray *a, nf_buffer *owner,
                       nf_view *v)
{
    int code = leaf_view(in, f, a, owner, v);

    if (code != 0 || f->item == NULL) {
        return code;
    }
    v->item = nf_alloc_zero(in->ctx, sizeof *v->item);
    if (v->item == NULL) {
        return nf_ctx_code(in->ctx);
    }
    return a->children[0] != NULL
               ? leaf_view(in, f->item, a->children[0], owner, v->item)
               : nf_import_error(in, NETFEAT_ERR_FORMAT, -1, "an array that does not fit its schema");
}

/* ---- tables ---- */

typedef struct {
    nf_buffer *owner;
    const struct ArrowArray *array; /* inside owner */
} chunk;

typedef struct {
    netfeat_ctx *ctx;
    nf_arrow_schema schema;
    chunk *chunks;
    size_t count, cap;
    int64_t rows;
} incoming;

static void free_incoming(incoming *t)
{
    for (size_t i = 0; i < t->count; i++) {
        nf_buffer_unref(t->chunks[i].owner);
    }
    nf_free(t->ctx, t->chunks, t->cap * sizeof *t->chunks);
    nf_arrow_schema_free(&t->schema);
}

static int check_struct(netfeat_ctx *ctx, const nf_arrow_schema *schema, const struct ArrowArray *a)
{
    if (a->length < 0 || a->offset < 0 || a->length > NF_ROWS_MAX || a->offset > NF_ROWS_MAX ||
        a->n_children != (int64_t)schema->count || (a->n_children > 0 && a->children == NULL) ||
        a->n_buffers < 0 || a->n_buffers > 1 || (a->n_buffers == 1 && a->buffers == NULL)) {
        return nf_error(ctx, NETFEAT_ERR_FORMAT, "an array that does not fit its schema");
    }
    if (a->null_count != 0 && a->n_buffers == 1 && a->buffers[0] != NULL &&
        nf_bitmap_count(a->buffers[0], a->offset, a->length) != a->length) {
        return nf_error(ctx, NETFEAT_ERR_UNSUPPORTED, "rows that are NULL as a whole");
    }
    for (int64_t i = 0; i < a->n_children; i++) {
        const struct ArrowArray *child = a->children[i];
        if (child == NULL || child->length < a->offset + a->length || child->offset < 0 ||
            child->offset > NF_ROWS_MAX) {
            return nf_error(ctx, NETFEAT_ERR_FORMAT, "column %s is shorter than the table",
                            schema->fields[i].name);
        }
    }
    return NETFEAT_OK;
}

/* Moves *array in any case. */
static int add_chunk(incoming *t, struct ArrowArray *array)
{
    chunk c = {NULL, NULL};
    void *list = t->chunks;
    int code = nf_grow(t->ctx, &list, &t->cap, t->count + 1, sizeof *t->chunks);

    t->chunks = list;
    if (code != 0) {
        netfeat_arrow_array_release(array);
        return code;
    }
    code = hold_array(t->ctx, array, &c.owner, &c.array);
    if (code != 0) {
        return code;
    }
    t->chunks[t->count++] = c;
    code = check_struct(t->ctx, &t->schema, c.array);
    if (code == 0 && !nf_add_i64(t->rows, c.array->length, &t->rows)) {
        code = nf_error(t->ctx, NETFEAT_ERR_FORMAT, "an impossible number of rows");
    }
    return code;
}

static int import_column(nf_import *in, const incoming *t, size_t index, netfeat_column **ret)
{
    const nf_arrow_field *f = &t->schema.fields[index];
    nf_view *views = NULL;
    int code = NETFEAT_OK;

    in->column = f->name;
    if (t->count > 0) {
        views = nf_alloc_zero(in->ctx, t->count * sizeof *views);
        if (views == NULL) {
            return nf_ctx_code(in->ctx);
        }
    }
    for (size_t i = 0; code == 0 && i < t->count; i++) {
        const struct ArrowArray *a = t->chunks[i].array;
        code = column_view(in, f, a->children[index], t->chunks[i].owner, &views[i]);
        views[i].offset += a->offset; /* both were bounded */
        views[i].length = a->length;
    }
    code = code != 0 ? code : nf_convert(in, f, views, t->count, ret);
    for (size_t i = 0; i < t->count; i++) {
        nf_view_clear(in->ctx, &views[i]);
    }
    nf_free(in->ctx, views, t->count * sizeof *views);
    return code;
}

static int import_table(incoming *t, const netfeat_options *opts, netfeat_table **ret)
{
    nf_import in = {.ctx = t->ctx, .budget = nf_option(opts, NETFEAT_OPT_IO_MAX_MEMORY_BYTES)};
    netfeat_column **cols = NULL;
    int code = NETFEAT_OK;

    in.zeros = nf_incoming_is_ours(&t->schema);
    if (t->schema.count > 0) {
        cols = nf_alloc_zero(t->ctx, t->schema.count * sizeof *cols);
        if (cols == NULL) {
            return nf_ctx_code(t->ctx);
        }
    }
    for (size_t i = 0; code == 0 && i < t->schema.count; i++) {
        code = import_column(&in, t, i, &cols[i]);
    }
    code = code != 0 ? code : nf_incoming_table(t->ctx, &t->schema, cols, t->rows, ret);
    for (size_t i = 0; i < t->schema.count; i++) {
        netfeat_column_unref(cols[i]);
    }
    nf_free(t->ctx, cols, t->schema.count * sizeof *cols);
    return code;
}

/* ---- public ---- */

static int64_t max_columns(const netfeat_options *opts)
{
    return nf_option(opts, NETFEAT_OPT_IO_MAX_COLUMNS);
}

int netfeat_table_import_array(netfeat_ctx *ctx, struct ArrowSchema *schema, struct ArrowArray *array,
                               const netfeat_options *opts, netfeat_table **ret)
{
    incoming t = {.ctx = ctx};
    int code = NETFEAT_ERR_ARGUMENT;

    if (ctx != NULL && (schema == NULL || array == NULL || ret == NULL || schema->release == NULL ||
                        array->release == NULL)) {
        code = nf_error(ctx, NETFEAT_ERR_ARGUMENT, "table_import_array: a pointer is NULL or released");
    } else if (ctx != NULL) {
        code = nf_arrow_schema_read(ctx, schema, max_columns(opts), &t.schema);
        code = code != 0 ? code : add_chunk(&t, array);
        code = code != 0 ? code : import_table(&t, opts, ret);
        free_incoming(&t);
    }
    netfeat_arrow_array_release(array);
    netfeat_arrow_schema_release(schema);
    return code;
}

static int import_one(netfeat_ctx *ctx, const struct ArrowSchema *schema, struct ArrowArray *array,
                      const netfeat_options *opts, netfeat_column **ret)
{
    nf_import in = {.ctx = ctx, .budget = nf_option(opts, NETFEAT_OPT_IO_MAX_MEMORY_BYTES)};
    nf_arrow_schema holder;
    nf_buffer *owner = NULL;
    nf_view view = {.length = 0};
    const struct ArrowArray *a;
    int code = nf_arrow_schema_init(&holder, ctx, 1);

    code = code != 0 ? code : nf_arrow_field_read(ctx, schema, &holder.fields[0]);
    code = code != 0 ? code : hold_array(ctx, array, &owner, &a);
    if (code == 0) {
        in.column = holder.fields[0].name;
        code = column_view(&in, &holder.fields[0], a, owner, &view);
        code = code != 0 ? code : nf_convert(&in, &holder.fields[0], &view, 1, ret);
    }
    nf_view_clear(ctx, &view);
    nf_buffer_unref(owner);
    nf_arrow_schema_free(&holder);
    return code;
}

int netfeat_column_import_array(netfeat_ctx *ctx, struct ArrowSchema *schema, struct ArrowArray *array,
                                const netfeat_options *opts, netfeat_column **ret)
{
    int code = NETFEAT_ERR_ARGUMENT;

    if (ctx != NULL && (schema == NULL || array == NULL || ret == NULL || schema->release == NULL ||
                        array->release == NULL)) {
        code = nf_error(ctx, NETFEAT_ERR_ARGUMENT, "column_import_array: a pointer is NULL or released");
    } else if (ctx != NULL) {
        code = import_one(ctx, schema, array, opts, ret);
    }
    netfeat_arrow_array_release(array);
    netfeat_arrow_schema_release(schema);
    return code;
}

static int stream_failed(netfeat_ctx *ctx, struct ArrowArrayStream *in, int error)
{
    const char *text = in->get_last_error != NULL ? in->get_last_error(in) : NULL;

    return nf_error(ctx, error == ENOMEM ? NETFEAT_ERR_NOMEM : NETFEAT_ERR_IO, "the stream failed: %.300s",
                    text != NULL ? text : "no reason given");
}

static int read_stream(incoming *t, struct ArrowArrayStream *in, const netfeat_options *opts)
{
    struct ArrowSchema schema = {.release = NULL};
    int error = in->get_schema(in, &schema);
    int code;

    if (error != 0) {
        return stream_failed(t->ctx, in, error);
    }
    code = nf_arrow_schema_read(t->ctx, &schema, max_columns(opts), &t->schema);
    netfeat_arrow_schema_release(&schema);
    while (code == 0) {
        struct ArrowArray array = {.release = NULL};
        error = in->get_next(in, &array);
        if (error != 0) {
            return stream_failed(t->ctx, in, error);
        }
        if (array.release == NULL) {
            break;
        }
        code = add_chunk(t, &array);
        code = code != 0 ? code : nf_checkpoint(t->ctx, t->rows, -1, -1);
    }
    return code;
}

int netfeat_table_import_stream(netfeat_ctx *ctx, struct ArrowArrayStream *in, const netfeat_options *opts,
                                netfeat_table **ret)
{
    incoming t = {.ctx = ctx};
    struct ArrowArrayStream stream;
    int code;

    if (ctx == NULL || in == NULL || ret == NULL || in->release == NULL) {
        netfeat_arrow_stream_release(in);
        return ctx == NULL ? NETFEAT_ERR_ARGUMENT
                           : nf_error(ctx, NETFEAT_ERR_ARGUMENT,
                                      "table_import_stream: a pointer is NULL or released");
    }
    stream = *in;
    in->release = NULL;
    code = read_stream(&t, &stream, opts);
    /* the arrays live on without their stream */
    netfeat_arrow_stream_release(&stream);
    code = code != 0 ? code : import_table(&t, opts, ret);
    free_incoming(&t);
    return code;
}
