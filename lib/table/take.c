/* Rows of a column picked by number. */
#include <string.h>

#include "base/bitmap.h"
#include "base/checked.h"
#include "table/column.h"

static void take_values(uint8_t *restrict dst, const netfeat_column *col, const int64_t *rows, int64_t n)
{
    size_t width = (size_t)nf_type_width(col->type);

    switch (width) {
#define TAKE(bytes)                                                                                          \
    case bytes:                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                                    \
            memcpy(dst + (size_t)i * (bytes), col->data + (size_t)rows[i] * (bytes), bytes);                 \
        }                                                                                                    \
        break;
        TAKE(1)
        TAKE(2)
        TAKE(4)
        TAKE(6)
        TAKE(8)
        TAKE(16)
#undef TAKE
    default:
        break; /* types without a width are taken in other ways */
    }
}

static int take_bits(netfeat_ctx *ctx, const uint8_t *src, const int64_t *rows, int64_t n, nf_buffer **ret)
{
    int code = nf_new_bitmap(ctx, n, false, ret);

    for (int64_t i = 0; code == 0 && i < n; i++) {
        if (nf_bitmap_get(src, rows[i])) {
            nf_bitmap_set((*ret)->data, i);
        }
    }
    return code;
}

/* Offsets of the rows taken, beginning at 0; *ret_total is the last one. */
static int take_offsets(netfeat_ctx *ctx, const netfeat_column *col, const int64_t *rows, int64_t n,
                        nf_buffer **ret, int64_t *ret_total)
{
    int64_t *offsets;
    int64_t total = 0;
    size_t bytes;
    int code;

    if (!nf_mul_size((size_t)n + 1, sizeof *offsets, &bytes)) {
        return nf_error(ctx, NETFEAT_ERR_NOMEM, "out of memory: %lld rows", (long long)n);
    }
    code = nf_buffer_new(ctx, bytes, ret);
    if (code != 0) {
        return code;
    }
    offsets = (int64_t *)(void *)(*ret)->data;
    for (int64_t i = 0; i < n; i++) {
        offsets[i] = total;
        if (!nf_add_i64(total, col->offsets[rows[i] + 1] - col->offsets[rows[i]], &total)) {
            return nf_error(ctx, NETFEAT_ERR_NOMEM, "out of memory: the rows taken exceed 63 bits of bytes");
        }
    }
    offsets[n] = total;
    *ret_total = total;
    return NETFEAT_OK;
}

static int take_bytes(netfeat_ctx *ctx, const netfeat_column *col, const int64_t *rows, int64_t n,
                      nf_column_parts *parts)
{
    int64_t total = 0;
    int code = take_offsets(ctx, col, rows, n, &parts->offsets_buf, &total);

    if (code == 0) {
        code = nf_buffer_new(ctx, (size_t)total, &parts->data_buf);
    }
    if (code != 0) {
        return code;
    }
    parts->offsets = (const int64_t *)(const void *)parts->offsets_buf->data;
    parts->data = parts->data_buf->data;
    for (int64_t i = 0; i < n; i++) {
        int64_t from = col->offsets[rows[i]];
        size_t size = (size_t)(col->offsets[rows[i] + 1] - from);
        if (size > 0) {
            memcpy(parts->data_buf->data + parts->offsets[i], col->data + from, size);
        }
    }
    return NETFEAT_OK;
}

/* Lists never nest, so this takes from the child at most once. */
static int take_list(netfeat_ctx *ctx, netfeat_column *col, const int64_t *rows, int64_t n,
                     nf_column_parts *parts)
{
    int64_t total = 0;
    int64_t *items = NULL;
    int64_t k = 0;
    int code = take_offsets(ctx, col, rows, n, &parts->offsets_buf, &total);

    if (code != 0) {
        return code;
    }
    parts->offsets = (const int64_t *)(const void *)parts->offsets_buf->data;
    items = nf_alloc_array(ctx, (size_t)total + 1, sizeof *items);
    if (items == NULL) {
        return nf_ctx_code(ctx);
    }
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = col->offsets[rows[i]]; j < col->offsets[rows[i] + 1]; j++) {
            items[k++] = j;
        }
    }
    code = nf_column_take(ctx, col->child, items, total, &parts->child);
    nf_free(ctx, items, ((size_t)total + 1) * sizeof *items);
    return code;
}

int nf_column_take(netfeat_ctx *ctx, netfeat_column *col, const int64_t *rows, int64_t n,
                   netfeat_column **ret)
{
    nf_column_parts parts = {.type = col->type, .length = n, .nulls = col->validity != NULL ? -1 : 0};
    size_t bytes = 0;
    int code = NETFEAT_OK;

    parts.unit = col->unit;
    parts.definition = col->definition;
    parts.null_rule = col->null_rule;
    parts.text_buf = nf_buffer_ref(col->text_buf);
    if (col->type == NETFEAT_TYPE_LIST) {
        code = take_list(ctx, col, rows, n, &parts);
    } else if (nf_type_has_offsets(col->type)) {
        code = take_bytes(ctx, col, rows, n, &parts);
    } else if (col->type == NETFEAT_TYPE_BOOL) {
        code = take_bits(ctx, col->data, rows, n, &parts.data_buf);
    } else {
        code = nf_data_bytes(ctx, col->type, n, &bytes);
        code = code != 0 ? code : nf_buffer_new(ctx, bytes, &parts.data_buf);
        if (code == 0) {
            take_values(parts.data_buf->data, col, rows, n);
        }
    }
    if (code == 0 && col->validity != NULL) {
        code = take_bits(ctx, col->validity, rows, n, &parts.validity_buf);
    }
    if (code != 0) {
        nf_column_drop_parts(&parts);
        return code;
    }
    parts.data = parts.data_buf != NULL ? parts.data_buf->data : NULL;
    parts.validity = parts.validity_buf != NULL ? parts.validity_buf->data : NULL;
    return nf_column_make(ctx, &parts, ret);
}
