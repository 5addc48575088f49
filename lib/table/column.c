#include "table/column.h"

#include <assert.h>
#include <string.h>

#include "base/bitmap.h"
#include "base/checked.h"

#define TYPES(X)                                                                                             \
    X(BOOL, "bool", 0)                                                                                       \
    X(U8, "u8", 1)                                                                                           \
    X(U16, "u16", 2)                                                                                         \
    X(U32, "u32", 4)                                                                                         \
    X(U64, "u64", 8)                                                                                         \
    X(I64, "i64", 8)                                                                                         \
    X(F64, "f64", 8)                                                                                         \
    X(TIME_NS, "time_ns", 8)                                                                                 \
    X(BYTES16, "bytes16", 16)                                                                                \
    X(TEXT, "text", 0)                                                                                       \
    X(BYTES, "bytes", 0)                                                                                     \
    X(BYTES6, "bytes6", 6)                                                                                   \
    X(LIST, "list", 0)

#define NAME(suffix, name, width)                                                                            \
    case NETFEAT_TYPE_##suffix:                                                                              \
        return name;
#define WIDTH(suffix, name, width)                                                                           \
    case NETFEAT_TYPE_##suffix:                                                                              \
        return width;

const char *netfeat_type_name(int type)
{
    switch (type) {
        TYPES(NAME)
    default:
        return NULL;
    }
}

int nf_type_width(int type)
{
    switch (type) {
        TYPES(WIDTH)
    default:
        return 0;
    }
}

void nf_column_drop_parts(nf_column_parts *parts)
{
    netfeat_column_unref(parts->child);
    nf_buffer_unref(parts->data_buf);
    nf_buffer_unref(parts->validity_buf);
    nf_buffer_unref(parts->offsets_buf);
    nf_buffer_unref(parts->text_buf);
}

int nf_column_make(netfeat_ctx *ctx, nf_column_parts *parts, netfeat_column **ret)
{
    netfeat_column *col = nf_alloc_zero(ctx, sizeof *col);

    if (col == NULL) {
        nf_column_drop_parts(parts);
        return nf_ctx_code(ctx);
    }
    nf_ref_init(&col->refs);
    col->ctx = netfeat_ctx_ref(ctx);
    col->type = parts->type;
    col->length = parts->length;
    col->nulls = parts->nulls;
    col->data = parts->data;
    col->validity = parts->validity;
    col->offsets = parts->offsets;
    col->child = parts->child;
    col->unit = parts->unit != NULL ? parts->unit : "";
    col->definition = parts->definition != NULL ? parts->definition : "";
    col->null_rule = parts->null_rule != NULL ? parts->null_rule : "";
    col->data_buf = parts->data_buf;
    col->validity_buf = parts->validity_buf;
    col->offsets_buf = parts->offsets_buf;
    col->text_buf = parts->text_buf;
    atomic_init(&col->codes, NULL);
    if (col->nulls < 0 || col->validity == NULL) {
        nf_column_count_nulls(col);
    } else if (col->nulls == 0) {
        col->validity = NULL;
        col->validity_buf = nf_buffer_unref(col->validity_buf);
    }
    *ret = col;
    return NETFEAT_OK;
}

void nf_column_count_nulls(netfeat_column *col)
{
    col->nulls = col->validity != NULL ? col->length - nf_bitmap_count(col->validity, 0, col->length) : 0;
    if (col->nulls == 0) {
        col->validity = NULL;
        col->validity_buf = nf_buffer_unref(col->validity_buf);
    }
}

int nf_new_bitmap(netfeat_ctx *ctx, int64_t n, bool fill, nf_buffer **ret)
{
    int code = nf_buffer_new(ctx, nf_bitmap_room(n), ret);
    if (code == 0) {
        memset((*ret)->data, 0, nf_bitmap_room(n));
        if (fill) {
            nf_bitmap_fill((*ret)->data, 0, n, true);
        }
    }
    return code;
}

int nf_data_bytes(netfeat_ctx *ctx, int type, int64_t length, size_t *ret)
{
    if (type == NETFEAT_TYPE_BOOL) {
        *ret = nf_bitmap_room(length);
        return NETFEAT_OK;
    }
    if (!nf_mul_size((size_t)length, (size_t)nf_type_width(type), ret)) {
        return nf_error(ctx, NETFEAT_ERR_NOMEM, "out of memory: a column of %lld rows", (long long)length);
    }
    return NETFEAT_OK;
}

int nf_column_new(netfeat_ctx *ctx, int type, int64_t length, const char *unit, const char *definition,
                  const char *null_rule, netfeat_column **ret, void *ret_data, uint8_t **ret_validity)
{
    nf_column_parts parts = {.type = type, .length = length, .nulls = ret_validity != NULL ? length : 0};
    size_t bytes;
    int code;

    assert(length >= 0 && !nf_type_has_offsets(type));
    parts.unit = unit;
    parts.definition = definition;
    parts.null_rule = null_rule;
    code = nf_data_bytes(ctx, type, length, &bytes);
    if (code == 0) {
        code = nf_buffer_new(ctx, bytes, &parts.data_buf);
    }
    if (code == 0 && ret_validity != NULL && length > 0) {
        code = nf_new_bitmap(ctx, length, true, &parts.validity_buf);
    }
    if (code != 0) {
        nf_column_drop_parts(&parts);
        return code;
    }
    parts.data = parts.data_buf->data;
    parts.validity = parts.validity_buf != NULL ? parts.validity_buf->data : NULL;
    if (type == NETFEAT_TYPE_BOOL && bytes > 0) {
        memset(parts.data_buf->data, 0, bytes);
    }
    memcpy(ret_data, &parts.data_buf->data, sizeof(void *));
    if (ret_validity != NULL) {
        *ret_validity = parts.validity_buf != NULL ? parts.validity_buf->data : parts.data_buf->data;
    }
    return nf_column_make(ctx, &parts, ret);
}

static nf_column_parts parts_of(netfeat_column *col)
{
    nf_column_parts parts = {
        .type = col->type,
        .length = col->length,
        .nulls = col->nulls,
        .data = col->data,
        .validity = col->validity,
        .offsets = col->offsets,
        .child = netfeat_column_ref(col->child),
        .unit = col->unit,
        .definition = col->definition,
        .null_rule = col->null_rule,
        .data_buf = nf_buffer_ref(col->data_buf),
        .validity_buf = nf_buffer_ref(col->validity_buf),
        .offsets_buf = nf_buffer_ref(col->offsets_buf),
        .text_buf = nf_buffer_ref(col->text_buf),
    };
    return parts;
}

/* Bits first .. first + n - 1 of map as a bitmap that starts on a byte: shared when it does so already. */
static int slice_bitmap(netfeat_ctx *ctx, nf_buffer **buf, const uint8_t **map, int64_t first, int64_t n)
{
    nf_buffer *copy;
    int code;

    if ((first & 7) == 0) {
        *map += first >> 3;
        return NETFEAT_OK;
    }
    code = nf_new_bitmap(ctx, n, false, &copy);
    if (code != 0) {
        return code;
    }
    nf_bitmap_copy(copy->data, 0, *map, first, n);
    nf_buffer_unref(*buf);
    *buf = copy;
    *map = copy->data;
    return NETFEAT_OK;
}

int nf_column_slice(netfeat_ctx *ctx, netfeat_column *col, int64_t first, int64_t count, netfeat_column **ret)
{
    nf_column_parts parts = parts_of(col);
    const uint8_t *bits = col->data;
    int code = NETFEAT_OK;

    assert(first >= 0 && count >= 0 && first <= col->length - count);
    parts.length = count;
    if (parts.validity != NULL) {
        parts.nulls = count - nf_bitmap_count(col->validity, first, count);
        code = slice_bitmap(ctx, &parts.validity_buf, &parts.validity, first, count);
    }
    if (code == 0 && col->type == NETFEAT_TYPE_BOOL) {
        code = slice_bitmap(ctx, &parts.data_buf, &bits, first, count);
        parts.data = bits;
    } else if (nf_type_has_offsets(col->type)) {
        parts.offsets += first;
    } else {
        parts.data = col->data + (size_t)first * (size_t)nf_type_width(col->type);
    }
    if (code != 0) {
        nf_column_drop_parts(&parts);
        return code;
    }
    return nf_column_make(ctx, &parts, ret);
}

/* ---- public ---- */

netfeat_column *netfeat_column_ref(netfeat_column *col)
{
    if (col != NULL) {
        nf_ref_get(&col->refs);
    }
    return col;
}

netfeat_column *netfeat_column_unref(netfeat_column *col)
{
    netfeat_ctx *ctx;

    if (col == NULL || !nf_ref_put(&col->refs)) {
        return NULL;
    }
    ctx = col->ctx;
    netfeat_column_unref(col->child); /* one level: lists do not nest */
    netfeat_column_unref(atomic_load_explicit(&col->codes, memory_order_relaxed)); /* theirs have none */
    nf_buffer_unref(col->data_buf);
    nf_buffer_unref(col->validity_buf);
    nf_buffer_unref(col->offsets_buf);
    nf_buffer_unref(col->text_buf);
    nf_free(ctx, col, sizeof *col);
    netfeat_ctx_unref(ctx);
    return NULL;
}

int netfeat_column_type(const netfeat_column *col)
{
    return col != NULL ? col->type : NETFEAT_ERR_ARGUMENT;
}

int64_t netfeat_column_length(const netfeat_column *col)
{
    return col != NULL ? col->length : NETFEAT_ERR_ARGUMENT;
}

int64_t netfeat_column_nulls(const netfeat_column *col)
{
    return col != NULL ? col->nulls : NETFEAT_ERR_ARGUMENT;
}

const char *netfeat_column_unit(const netfeat_column *col)
{
    return col != NULL ? col->unit : "";
}

const char *netfeat_column_definition(const netfeat_column *col)
{
    return col != NULL ? col->definition : "";
}

const char *netfeat_column_null_rule(const netfeat_column *col)
{
    return col != NULL ? col->null_rule : "";
}

const void *netfeat_column_data(const netfeat_column *col)
{
    return col != NULL ? col->data : NULL;
}

int netfeat_column_value_bytes(const netfeat_column *col)
{
    return col != NULL ? nf_type_width(col->type) : 0;
}

const uint8_t *netfeat_column_validity(const netfeat_column *col)
{
    return col != NULL ? col->validity : NULL;
}

const int64_t *netfeat_column_offsets(const netfeat_column *col)
{
    return col != NULL ? col->offsets : NULL;
}

netfeat_column *netfeat_column_child(const netfeat_column *col)
{
    return col != NULL ? col->child : NULL;
}

int netfeat_column_wrap(netfeat_ctx *ctx, int type, int64_t length, const void *data, const uint8_t *validity,
                        netfeat_release_fn release, void *user, netfeat_column **ret)
{
    nf_column_parts parts = {.type = type, .length = length, .nulls = validity != NULL ? -1 : 0};
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL || length < 0 || (data == NULL && length > 0)) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "column_wrap: ret or data is NULL, or length is negative");
    }
    if (nf_type_width(type) == 0) {
        return nf_error(ctx, NETFEAT_ERR_TYPE, "column_wrap takes fixed-width types, not %s",
                        netfeat_type_name(type) != NULL ? netfeat_type_name(type) : "an unknown type");
    }
    code = nf_buffer_wrap(ctx, data, NULL, NULL, &parts.data_buf);
    if (code != 0) {
        return code;
    }
    parts.data = parts.data_buf->data;
    parts.validity = validity;
    code = nf_column_make(ctx, &parts, ret);
    if (code == 0) { /* from here on it cannot fail: hand over the release */
        (*ret)->data_buf->release = release;
        (*ret)->data_buf->user = user;
    }
    return code;
}
