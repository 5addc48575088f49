/* Columns out of Arrow buffers: rows, bitmaps, values of fixed width. */
#include "export/convert.h"

#include <string.h>

#include "base/bitmap.h"
#include "base/checked.h"

static void clear_part(nf_part *part)
{
    nf_buffer_unref(part->owner);
    memset(part, 0, sizeof *part);
}

static void clear_one(netfeat_ctx *ctx, nf_view *v)
{
    clear_part(&v->validity);
    clear_part(&v->offsets);
    clear_part(&v->data);
    for (size_t i = 0; i < v->block_count; i++) {
        clear_part(&v->blocks[i]);
    }
    nf_free(ctx, v->blocks, v->block_count * sizeof *v->blocks);
    netfeat_column_unref(v->dictionary);
}

void nf_view_clear(netfeat_ctx *ctx, nf_view *v)
{
    if (v->item != NULL) {
        clear_one(ctx, v->item);
        nf_free(ctx, v->item, sizeof *v->item);
    }
    clear_one(ctx, v);
    memset(v, 0, sizeof *v);
}

int nf_import_take(nf_import *in, size_t bytes)
{
    if (bytes > (size_t)INT64_MAX || (int64_t)bytes > in->budget) {
        return nf_error(in->ctx, NETFEAT_ERR_LIMIT,
                        "column %s: %zu more bytes would exceed io.max_memory_bytes", in->column, bytes);
    }
    in->budget -= (int64_t)bytes;
    return NETFEAT_OK;
}

int nf_import_buffer(nf_import *in, size_t bytes, nf_buffer **ret)
{
    int code = nf_import_take(in, bytes);
    return code != 0 ? code : nf_buffer_new(in->ctx, bytes, ret);
}

int nf_import_error(const nf_import *in, int code, int64_t at, const char *what)
{
    return nf_error_at(in->ctx, code, -1, at, "column %s: %s", in->column, what);
}

/* ---- rows and bitmaps ---- */

static int count_rows(nf_import *in, const nf_view *views, size_t n, int64_t *ret)
{
    int64_t total = 0;

    for (size_t i = 0; i < n; i++) {
        const nf_view *v = &views[i];
        if (v->length < 0 || v->offset < 0 || v->length > NF_ROWS_MAX || v->offset > NF_ROWS_MAX ||
            !nf_add_i64(total, v->length, &total) || total > NF_ROWS_MAX) {
            return nf_import_error(in, NETFEAT_ERR_FORMAT, -1, "an impossible number of rows");
        }
        if (v->validity.p != NULL && !nf_part_holds(&v->validity, nf_bitmap_bytes(v->offset + v->length))) {
            return nf_import_error(in, NETFEAT_ERR_FORMAT, v->validity.at,
                                   "the bitmap is shorter than the rows");
        }
    }
    *ret = total;
    return NETFEAT_OK;
}

/* A zeroed bitmap of n bits, padded to whole bytes. */
static int new_bitmap(nf_import *in, int64_t n, nf_buffer **ret)
{
    int code = nf_import_buffer(in, nf_bitmap_room(n), ret);
    if (code == 0) {
        memset((*ret)->data, 0, nf_bitmap_room(n));
    }
    return code;
}

static int take_validity(nf_import *in, const nf_view *views, size_t n, nf_column_parts *parts)
{
    int64_t at = 0;
    int code;

    parts->nulls = 0;
    for (size_t i = 0; i < n; i++) {
        const nf_view *v = &views[i];
        if (v->validity.p != NULL) {
            parts->nulls += v->length - nf_bitmap_count(v->validity.p, v->offset, v->length);
        }
    }
    if (parts->nulls == 0) {
        return NETFEAT_OK;
    }
    if (n == 1 && (views[0].offset & 7) == 0 && views[0].validity.owner != NULL) {
        parts->validity_buf = nf_buffer_ref(views[0].validity.owner);
        parts->validity = views[0].validity.p + (views[0].offset >> 3);
        return NETFEAT_OK;
    }
    code = new_bitmap(in, parts->length, &parts->validity_buf);
    if (code != 0) {
        return code;
    }
    for (size_t i = 0; i < n; i++) {
        const nf_view *v = &views[i];
        if (v->validity.p != NULL) {
            nf_bitmap_copy(parts->validity_buf->data, at, v->validity.p, v->offset, v->length);
        } else {
            nf_bitmap_fill(parts->validity_buf->data, at, v->length, true);
        }
        at += v->length;
    }
    parts->validity = parts->validity_buf->data;
    return NETFEAT_OK;
}

/* ---- fixed width ---- */

static void zero_nulls(uint8_t *data, size_t width, const uint8_t *validity, int64_t n)
{
    for (int64_t i = 0; validity != NULL && i < n; i++) {
        if ((i & 7) == 0 && n - i >= 8 && validity[i >> 3] == 0xff) {
            i += 7;
        } else if (!nf_bitmap_get(validity, i)) {
            memset(data + (size_t)i * width, 0, width);
        }
    }
}

/* NULL rows of foreign columns may hold anything; ours hold zeros, so such a column has to be copied. */
static bool usable_in_place(const nf_import *in, const nf_view *views, size_t n, const nf_column_parts *parts)
{
    return n == 1 && views[0].data.owner != NULL && (in->zeros || parts->nulls == 0);
}

static int take_same(nf_import *in, size_t width, nf_view *views, size_t n, nf_column_parts *parts)
{
    size_t align = width & (0 - width) & 15;
    uint8_t *out;
    int code;

    if (usable_in_place(in, views, n, parts)) {
        const uint8_t *p = views[0].data.p + (size_t)views[0].offset * width;
        if ((uintptr_t)p % (align < 8 && align != 0 ? align : 8) == 0) {
            parts->data_buf = nf_buffer_ref(views[0].data.owner);
            parts->data = p;
            return NETFEAT_OK;
        }
    }
    code = nf_import_buffer(in, (size_t)parts->length * width, &parts->data_buf);
    if (code != 0) {
        return code;
    }
    parts->data = parts->data_buf->data;
    out = parts->data_buf->data;
    for (size_t i = 0; i < n; i++) {
        size_t bytes = (size_t)views[i].length * width;
        if (bytes > 0) {
            memcpy(out, views[i].data.p + (size_t)views[i].offset * width, bytes);
        }
        out += bytes;
    }
    zero_nulls(parts->data_buf->data, width, parts->validity, parts->length);
    return NETFEAT_OK;
}

#define WIDEN(type)                                                                                          \
    for (int64_t i = 0; i < n; i++) {                                                                        \
        type value;                                                                                          \
        memcpy(&value, p + (size_t)i * sizeof value, sizeof value);                                          \
        out[i] = value;                                                                                      \
    }

static void widen_integers(int64_t *out, const uint8_t *p, int64_t n, int bits)
{
    if (bits == 8) {
        WIDEN(int8_t)
    } else if (bits == 16) {
        WIDEN(int16_t)
    } else {
        WIDEN(int32_t)
    }
}

static void widen_floats(double *out, const uint8_t *p, int64_t n)
{
    WIDEN(float)
}

/* First row whose time does not fit, or -1. */
static int64_t scale_times(int64_t *out, const uint8_t *p, const nf_view *v, int unit)
{
    static const int64_t factors[] = {1000000000, 1000000, 1000, 1};

    for (int64_t i = 0; i < v->length; i++) {
        int64_t value;
        memcpy(&value, p + (size_t)i * sizeof value, sizeof value);
        if (!nf_mul_i64(value, factors[unit], &out[i]) && nf_view_present(v, i)) {
            return i;
        }
    }
    return -1;
}

/* Signed integers, floats and times of another width or unit: eight bytes each here. */
static int take_converted(nf_import *in, const nf_arrow_type *t, nf_view *views, size_t n,
                          nf_column_parts *parts)
{
    size_t width = (size_t)nf_arrow_type_width(t);
    uint8_t *out;
    int code = nf_import_buffer(in, (size_t)parts->length * 8, &parts->data_buf);

    if (code != 0) {
        return code;
    }
    parts->data = parts->data_buf->data;
    out = parts->data_buf->data;
    for (size_t i = 0; i < n; i++) {
        const nf_view *v = &views[i];
        const uint8_t *p;
        if (v->length == 0) {
            continue;
        }
        p = v->data.p + (size_t)v->offset * width;
        if (t->kind == NF_ARROW_FLOAT) {
            widen_floats((double *)(void *)out, p, v->length);
        } else if (t->kind == NF_ARROW_INT) {
            widen_integers((int64_t *)(void *)out, p, v->length, t->bits);
        } else if (scale_times((int64_t *)(void *)out, p, v, t->unit) >= 0) {
            return nf_import_error(in, NETFEAT_ERR_RANGE, v->data.at,
                                   "a time is outside of what nanoseconds in 64 bits reach");
        }
        out += (size_t)v->length * 8;
    }
    zero_nulls(parts->data_buf->data, 8, parts->validity, parts->length);
    return NETFEAT_OK;
}

static int take_fixed(nf_import *in, const nf_arrow_type *t, nf_view *views, size_t n, nf_column_parts *parts)
{
    size_t width = (size_t)nf_arrow_type_width(t);

    for (size_t i = 0; i < n; i++) {
        if (views[i].length > 0 &&
            !nf_part_holds(&views[i].data, (size_t)(views[i].offset + views[i].length) * width)) {
            return nf_import_error(in, NETFEAT_ERR_FORMAT, views[i].data.at, "fewer values than rows");
        }
    }
    return nf_arrow_type_is_native(t) ? take_same(in, width, views, n, parts)
                                      : take_converted(in, t, views, n, parts);
}

static int take_bools(nf_import *in, nf_view *views, size_t n, nf_column_parts *parts)
{
    int64_t at = 0;
    int code;

    for (size_t i = 0; i < n; i++) {
        if (views[i].length > 0 &&
            !nf_part_holds(&views[i].data, nf_bitmap_bytes(views[i].offset + views[i].length))) {
            return nf_import_error(in, NETFEAT_ERR_FORMAT, views[i].data.at, "fewer values than rows");
        }
    }
    if (usable_in_place(in, views, n, parts) && (views[0].offset & 7) == 0) {
        parts->data_buf = nf_buffer_ref(views[0].data.owner);
        parts->data = views[0].data.p + (views[0].offset >> 3);
        return NETFEAT_OK;
    }
    code = new_bitmap(in, parts->length, &parts->data_buf);
    if (code != 0) {
        return code;
    }
    parts->data = parts->data_buf->data;
    for (size_t i = 0; i < n; i++) {
        nf_bitmap_copy(parts->data_buf->data, at, views[i].data.p, views[i].offset, views[i].length);
        at += views[i].length;
    }
    for (size_t i = 0; parts->validity != NULL && i < nf_bitmap_bytes(parts->length); i++) {
        parts->data_buf->data[i] &= parts->validity[i];
    }
    return NETFEAT_OK;
}

/* ---- the column ---- */

/* Unit, definition and NULL rule, one behind the other. */
static int take_texts(nf_import *in, const nf_arrow_field *f, nf_column_parts *parts)
{
    const char *texts[] = {f->unit, f->definition, f->null_rule};
    const char **slots[] = {&parts->unit, &parts->definition, &parts->null_rule};
    size_t size = 0;
    char *out;
    int code;

    for (int i = 0; i < 3; i++) {
        size += texts[i] != NULL ? strlen(texts[i]) + 1 : 0;
    }
    if (size == 0) {
        return NETFEAT_OK;
    }
    code = nf_import_buffer(in, size, &parts->text_buf);
    out = code == 0 ? (char *)parts->text_buf->data : NULL;
    for (int i = 0; code == 0 && i < 3; i++) {
        if (texts[i] != NULL) {
            size_t n = strlen(texts[i]) + 1;
            memcpy(out, texts[i], n);
            *slots[i] = out;
            out += n;
        }
    }
    return code;
}

static int take_values(nf_import *in, const nf_arrow_field *f, nf_view *views, size_t n,
                       nf_column_parts *parts)
{
    switch (f->type.kind) {
    case NF_ARROW_BOOL:
        return take_bools(in, views, n, parts);
    case NF_ARROW_TEXT:
    case NF_ARROW_BINARY:
        return f->type.bits == 0 ? nf_convert_views(in, &f->type, views, n, parts)
                                 : nf_convert_bytes(in, &f->type, views, n, parts);
    case NF_ARROW_LIST:
        return nf_convert_list(in, f, views, n, parts);
    default:
        return take_fixed(in, &f->type, views, n, parts);
    }
}

static void drop_parts(nf_column_parts *parts)
{
    netfeat_column_unref(parts->child);
    nf_buffer_unref(parts->data_buf);
    nf_buffer_unref(parts->validity_buf);
    nf_buffer_unref(parts->offsets_buf);
    nf_buffer_unref(parts->text_buf);
}

int nf_convert(nf_import *in, const nf_arrow_field *f, nf_view *views, size_t n, netfeat_column **ret)
{
    nf_column_parts parts = {.type = nf_arrow_type_target(&f->type)};
    netfeat_column *plain = NULL;
    int code = count_rows(in, views, n, &parts.length);

    if (code == 0 && f->encoded) {
        /* decoded values have no description yet: the parts are taken from them */
        code = nf_convert_encoded(in, f, views, n, &plain);
        if (code == 0) {
            parts.nulls = plain->nulls;
            parts.data = plain->data;
            parts.validity = plain->validity;
            parts.offsets = plain->offsets;
            parts.data_buf = nf_buffer_ref(plain->data_buf);
            parts.validity_buf = nf_buffer_ref(plain->validity_buf);
            parts.offsets_buf = nf_buffer_ref(plain->offsets_buf);
            netfeat_column_unref(plain);
        }
    } else if (code == 0) {
        code = take_validity(in, views, n, &parts);
        code = code != 0 ? code : take_values(in, f, views, n, &parts);
    }
    code = code != 0 ? code : take_texts(in, f, &parts);
    if (code != 0) {
        drop_parts(&parts);
        return code;
    }
    return nf_column_make(in->ctx, &parts, ret);
}
