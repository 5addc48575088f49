#include "table/builder.h"

#include <assert.h>
#include <string.h>

#include "base/bitmap.h"
#include "base/checked.h"

void nf_builder_init(nf_builder *b, netfeat_ctx *ctx, int type)
{
    assert(type != NETFEAT_TYPE_LIST);
    memset(b, 0, sizeof *b);
    b->ctx = ctx;
    b->type = type;
    b->width = nf_type_width(type);
}

void nf_builder_free(nf_builder *b)
{
    nf_free(b->ctx, b->data, b->data_cap);
    nf_free(b->ctx, b->validity, b->validity_cap);
    nf_free(b->ctx, b->offsets, b->offsets_cap * sizeof *b->offsets);
    nf_builder_init(b, b->ctx, b->type);
}

static int grow_bytes(netfeat_ctx *ctx, uint8_t **ptr, size_t *cap, size_t need)
{
    void *p = *ptr;
    int code = nf_grow(ctx, &p, cap, need, 1);

    *ptr = p;
    return code;
}

static bool bytes_needed(const nf_builder *b, size_t rows, size_t bytes, size_t *ret)
{
    if (b->width > 0) {
        return nf_mul_size(rows, (size_t)b->width, ret);
    }
    if (b->type == NETFEAT_TYPE_BOOL) {
        *ret = nf_bitmap_room((int64_t)rows);
        return true;
    }
    return nf_add_size(b->data_used, bytes, ret) && *ret <= SIZE_MAX / 2;
}

int nf_builder_reserve(nf_builder *b, int64_t rows, size_t bytes)
{
    int64_t total;
    size_t need;
    size_t before = b->data_cap;
    int code;

    if (!nf_add_i64(b->length, rows, &total) || !bytes_needed(b, (size_t)total, bytes, &need)) {
        return nf_error(b->ctx, NETFEAT_ERR_NOMEM, "out of memory: %lld more rows", (long long)rows);
    }
    code = grow_bytes(b->ctx, &b->data, &b->data_cap, need);
    if (code == 0 && b->type == NETFEAT_TYPE_BOOL) {
        memset(b->data + before, 0, b->data_cap - before);
    }
    if (code == 0 && nf_type_has_offsets(b->type)) {
        void *p = b->offsets;
        code = nf_grow(b->ctx, &p, &b->offsets_cap, (size_t)total + 1, sizeof *b->offsets);
        b->offsets = p;
        if (code == 0 && b->length == 0) {
            b->offsets[0] = 0;
        }
    }
    if (code == 0 && b->validity != NULL) {
        code = nf_builder_reserve_nulls(b, rows);
    }
    return code;
}

int nf_builder_reserve_nulls(nf_builder *b, int64_t rows)
{
    bool fresh = b->validity == NULL;
    size_t before = b->validity_cap;
    /* whole words, so that a batch of bits may be stored as one or two */
    size_t need = nf_bitmap_room(b->length + rows);
    int code = grow_bytes(b->ctx, &b->validity, &b->validity_cap, need);

    if (code != 0) {
        return code;
    }
    memset(b->validity + before, 0, b->validity_cap - before);
    if (fresh) {
        nf_bitmap_fill(b->validity, 0, b->length, true);
    }
    return NETFEAT_OK;
}

static void note_present(nf_builder *b)
{
    if (b->validity != NULL) {
        nf_bitmap_set(b->validity, b->length);
    }
}

static void end_row(nf_builder *b)
{
    b->length++;
    if (b->offsets != NULL) {
        b->offsets[b->length] = (int64_t)b->data_used;
    }
}

int nf_builder_add_null(nf_builder *b)
{
    int code = nf_builder_reserve(b, 1, 0);

    code = code != 0 ? code : nf_builder_reserve_nulls(b, 1);
    if (code != 0) {
        return code;
    }
    if (b->width > 0) {
        memset(b->data + (size_t)b->length * (size_t)b->width, 0, (size_t)b->width);
    }
    b->nulls++;
    end_row(b);
    return NETFEAT_OK;
}

static int add_fixed(nf_builder *b, const void *value)
{
    int code = nf_builder_reserve(b, 1, 0);

    if (code == 0) {
        memcpy(b->data + (size_t)b->length * (size_t)b->width, value, (size_t)b->width);
        note_present(b);
        end_row(b);
    }
    return code;
}

int nf_builder_add_u64(nf_builder *b, uint64_t value)
{
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    int code;

    switch (b->type) {
    case NETFEAT_TYPE_BOOL:
        code = nf_builder_reserve(b, 1, 0);
        if (code == 0) {
            if (value != 0) {
                nf_bitmap_set(b->data, b->length);
            }
            note_present(b);
            end_row(b);
        }
        return code;
    case NETFEAT_TYPE_U8:
        assert(value == u8);
        return add_fixed(b, &u8);
    case NETFEAT_TYPE_U16:
        assert(value == u16);
        return add_fixed(b, &u16);
    case NETFEAT_TYPE_U32:
        assert(value == u32);
        return add_fixed(b, &u32);
    default:
        assert(b->type == NETFEAT_TYPE_U64 || b->type == NETFEAT_TYPE_I64);
        return add_fixed(b, &value);
    }
}

int nf_builder_add_i64(nf_builder *b, int64_t value)
{
    assert(b->type == NETFEAT_TYPE_I64 || b->type == NETFEAT_TYPE_TIME_NS);
    return add_fixed(b, &value);
}

int nf_builder_add_f64(nf_builder *b, double value)
{
    assert(b->type == NETFEAT_TYPE_F64);
    return add_fixed(b, &value);
}

int nf_builder_add_bytes(nf_builder *b, const void *data, size_t size)
{
    int code;

    if (b->width > 0) {
        assert(size == (size_t)b->width);
        return add_fixed(b, data);
    }
    code = nf_builder_reserve(b, 1, size);
    if (code != 0) {
        return code;
    }
    if (size > 0) {
        memcpy(b->data + b->data_used, data, size);
    }
    return nf_builder_add_reserved(b, size);
}

int nf_builder_add_reserved(nf_builder *b, size_t size)
{
    assert(b->width == 0 && size <= b->data_cap - b->data_used);
    b->data_used += size;
    note_present(b);
    end_row(b);
    return NETFEAT_OK;
}

/* ---- finish ---- */

/* Give back what was reserved too much; a failure to shrink is none. */
static void shrink(netfeat_ctx *ctx, uint8_t **ptr, size_t *cap, size_t used)
{
    void *p;

    if (*cap == used) {
        return;
    }
    if (used == 0) {
        nf_free(ctx, *ptr, *cap);
        *ptr = NULL;
        *cap = 0;
        return;
    }
    p = nf_resize(ctx, *ptr, *cap, used);
    if (p != NULL) {
        *ptr = p;
        *cap = used;
    } else {
        netfeat_ctx_error_clear(ctx);
    }
}

static size_t bytes_used(const nf_builder *b)
{
    if (b->width > 0) {
        return (size_t)b->length * (size_t)b->width;
    }
    if (b->type == NETFEAT_TYPE_BOOL) {
        return b->length > 0 ? nf_bitmap_room(b->length) : 0;
    }
    return b->data_used;
}

/* The data block and the offsets block become buffers; their memory stays with the builder until all have. */
static int adopt_all(nf_builder *b, nf_buffer **data, nf_buffer **validity, nf_buffer **offsets)
{
    int code = nf_buffer_adopt(b->ctx, b->data, b->data_cap, data);

    if (code == 0 && b->nulls > 0) {
        code = nf_buffer_adopt(b->ctx, b->validity, b->validity_cap, validity);
    }
    if (code == 0 && b->offsets != NULL) {
        code = nf_buffer_adopt(b->ctx, b->offsets, b->offsets_cap * sizeof *b->offsets, offsets);
    }
    return code;
}

static void disown(nf_buffer *buf)
{
    if (buf != NULL) {
        buf->size = 0;
        nf_buffer_unref(buf);
    }
}

int nf_builder_finish(nf_builder *b, const char *unit, const char *definition, const char *null_rule,
                      netfeat_column **ret)
{
    nf_column_parts parts = {.type = b->type, .length = b->length, .nulls = b->nulls};
    uint8_t *offsets;
    size_t offsets_cap;
    int code = NETFEAT_OK;

    if (nf_type_has_offsets(b->type) && b->offsets == NULL) {
        code = nf_builder_reserve(b, 0, 0);
    }
    if (code != 0) {
        return code;
    }
    shrink(b->ctx, &b->data, &b->data_cap, bytes_used(b));
    shrink(b->ctx, &b->validity, &b->validity_cap, b->nulls > 0 ? nf_bitmap_room(b->length) : 0);
    if (b->offsets != NULL) {
        offsets = (uint8_t *)b->offsets;
        offsets_cap = b->offsets_cap * sizeof *b->offsets;
        shrink(b->ctx, &offsets, &offsets_cap, ((size_t)b->length + 1) * sizeof *b->offsets);
        b->offsets = (int64_t *)(void *)offsets;
        b->offsets_cap = offsets_cap / sizeof *b->offsets;
    }
    code = adopt_all(b, &parts.data_buf, &parts.validity_buf, &parts.offsets_buf);
    if (code == 0) {
        parts.unit = unit;
        parts.definition = definition;
        parts.null_rule = null_rule;
        parts.data = parts.data_buf->data;
        parts.validity = b->nulls > 0 ? b->validity : NULL;
        parts.offsets = b->offsets;
        /* one more reference each: should the last step fail, the memory goes back to the builder */
        nf_buffer_ref(parts.data_buf);
        nf_buffer_ref(parts.validity_buf);
        nf_buffer_ref(parts.offsets_buf);
        nf_column_parts own = parts;
        code = nf_column_make(b->ctx, &own, ret);
    }
    if (code != 0) {
        disown(parts.data_buf);
        disown(parts.validity_buf);
        disown(parts.offsets_buf);
        return code;
    }
    nf_buffer_unref(parts.data_buf);
    nf_buffer_unref(parts.validity_buf);
    nf_buffer_unref(parts.offsets_buf);
    nf_builder_init(b, b->ctx, b->type);
    return NETFEAT_OK;
}

int nf_list_finish(nf_builder *offsets, netfeat_column *child, const char *unit, const char *definition,
                   const char *null_rule, netfeat_column **ret)
{
    nf_column_parts parts = {.type = NETFEAT_TYPE_LIST, .length = offsets->length - 1, .child = child};
    netfeat_column *ends = NULL;
    int code;

    assert(offsets->type == NETFEAT_TYPE_I64 && offsets->length > 0);
    code = nf_builder_finish(offsets, NULL, NULL, NULL, &ends);
    if (code != 0) {
        netfeat_column_unref(child);
        return code;
    }
    parts.unit = unit;
    parts.definition = definition;
    parts.null_rule = null_rule;
    parts.offsets_buf = nf_buffer_ref(ends->data_buf);
    parts.offsets = (const int64_t *)(const void *)ends->data;
    netfeat_column_unref(ends);
    return nf_column_make(offsets->ctx, &parts, ret);
}
