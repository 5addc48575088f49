/* Columns out of Arrow buffers: text, binary and lists, whose rows are ranges. */
#include <string.h>

#include "base/bitmap.h"
#include "base/checked.h"
#include "base/utf8.h"
#include "export/convert.h"

/* Offset i of a view, rows counted from its first row. */
static int64_t offset_at(const nf_view *v, int bits, int64_t i)
{
    const uint8_t *p = v->offsets.p + (size_t)(v->offset + i) * ((size_t)bits / 8);
    int64_t wide;
    int32_t narrow;

    if (bits == 64) {
        memcpy(&wide, p, sizeof wide);
        return wide;
    }
    memcpy(&narrow, p, sizeof narrow);
    return narrow;
}

/* What the offsets of one view span. */
typedef struct {
    int64_t first, last;
    bool hidden; /* a NULL row has a range of its own */
} span;

/* Ascending, from 0 on, up to at most limit; an array without rows may lack its only offset. */
static int check_offsets(nf_import *in, const nf_view *v, int bits, uint64_t limit, span *ret)
{
    int64_t before;

    memset(ret, 0, sizeof *ret);
    if (v->length == 0) {
        return NETFEAT_OK;
    }
    if (!nf_part_holds(&v->offsets, (size_t)(v->offset + v->length + 1) * ((size_t)bits / 8))) {
        return nf_import_error(in, NETFEAT_ERR_FORMAT, v->offsets.at, "fewer offsets than rows");
    }
    before = offset_at(v, bits, 0);
    ret->first = before;
    for (int64_t i = 1; i <= v->length; i++) {
        int64_t next = offset_at(v, bits, i);
        if (next < before) {
            return nf_import_error(in, NETFEAT_ERR_FORMAT, v->offsets.at, "offsets that go back");
        }
        if (next > before && !nf_view_present(v, i - 1)) {
            ret->hidden = true;
        }
        before = next;
    }
    ret->last = before;
    if (ret->first < 0 || (uint64_t)ret->last > limit) {
        return nf_import_error(in, NETFEAT_ERR_FORMAT, v->offsets.at, "offsets outside of the data");
    }
    return NETFEAT_OK;
}

/* Well-formed as a whole, and no row begins in the middle of a character: then every row is well-formed. */
static int check_utf8(nf_import *in, const uint8_t *data, const int64_t *offsets, int64_t n, int64_t at)
{
    int64_t end = offsets[n];
    bool cut = false;

    if (end == offsets[0]) {
        return NETFEAT_OK;
    }
    for (int64_t i = 0; i < n; i++) {
        cut |= offsets[i] < end && (data[offsets[i]] & 0xc0) == 0x80;
    }
    if (cut || !nf_utf8_valid(data + offsets[0], (size_t)(end - offsets[0]))) {
        return nf_import_error(in, NETFEAT_ERR_FORMAT, at, "text that is not UTF-8");
    }
    return NETFEAT_OK;
}

static bool in_place(const nf_view *views, size_t n, int bits, const span *s)
{
    if (n != 1 || bits != 64 || views[0].length == 0 || s->hidden) {
        return false;
    }
    return views[0].offsets.owner != NULL && (uintptr_t)views[0].offsets.p % sizeof(int64_t) == 0;
}

static void use_offsets(const nf_view *v, nf_column_parts *parts)
{
    parts->offsets_buf = nf_buffer_ref(v->offsets.owner);
    parts->offsets = (const int64_t *)(const void *)v->offsets.p + v->offset;
}

static int new_offsets(nf_import *in, nf_column_parts *parts, int64_t **ret)
{
    int code = nf_import_buffer(in, ((size_t)parts->length + 1) * sizeof(int64_t), &parts->offsets_buf);

    if (code == 0) {
        *ret = (int64_t *)(void *)parts->offsets_buf->data;
        (*ret)[0] = 0;
        parts->offsets = *ret;
    }
    return code;
}

/* ---- text and binary ---- */

/* Offsets of all rows in a new numbering in which NULL rows are empty. */
static int renumber(nf_import *in, const nf_view *views, size_t n, int bits, int64_t *offsets)
{
    int64_t k = 0;
    int64_t total = 0;

    for (size_t i = 0; i < n; i++) {
        for (int64_t row = 0; row < views[i].length; row++) {
            int64_t size = offset_at(&views[i], bits, row + 1) - offset_at(&views[i], bits, row);
            if (nf_view_present(&views[i], row) && !nf_add_i64(total, size, &total)) {
                return nf_import_error(in, NETFEAT_ERR_FORMAT, views[i].offsets.at, "offsets that overflow");
            }
            offsets[++k] = total;
        }
    }
    return NETFEAT_OK;
}

static void copy_rows(const nf_view *v, int bits, const span *s, uint8_t *out)
{
    if (!s->hidden) {
        if (s->last > s->first) {
            memcpy(out, v->data.p + s->first, (size_t)(s->last - s->first));
        }
        return;
    }
    for (int64_t row = 0; row < v->length; row++) {
        int64_t from = offset_at(v, bits, row);
        size_t size = (size_t)(offset_at(v, bits, row + 1) - from);
        if (size > 0 && nf_view_present(v, row)) {
            memcpy(out, v->data.p + from, size);
            out += size;
        }
    }
}

static int copy_bytes(nf_import *in, int bits, const nf_view *views, size_t n, nf_column_parts *parts)
{
    int64_t *offsets = NULL;
    int64_t row = 0;
    int code = new_offsets(in, parts, &offsets);

    code = code != 0 ? code : renumber(in, views, n, bits, offsets);
    code = code != 0 ? code : nf_import_buffer(in, (size_t)offsets[parts->length], &parts->data_buf);
    for (size_t i = 0; code == 0 && i < n; i++) {
        span s;
        code = check_offsets(in, &views[i], bits, views[i].data.size, &s);
        if (code == 0) {
            copy_rows(&views[i], bits, &s, parts->data_buf->data + offsets[row]);
        }
        row += views[i].length;
    }
    if (code == 0) {
        parts->data = parts->data_buf->data;
    }
    return code;
}

int nf_convert_bytes(nf_import *in, const nf_arrow_type *t, nf_view *views, size_t n, nf_column_parts *parts)
{
    span s = {0, 0, false};
    int code = NETFEAT_OK;

    for (size_t i = 0; code == 0 && i < n; i++) {
        code = check_offsets(in, &views[i], t->bits, views[i].data.p != NULL ? views[i].data.size : 0, &s);
    }
    if (code != 0) {
        return code;
    }
    if (in_place(views, n, t->bits, &s) && (views[0].data.owner != NULL || views[0].data.p == NULL)) {
        use_offsets(&views[0], parts);
        /* no bytes at all: any valid address will do */
        parts->data_buf =
            nf_buffer_ref(views[0].data.p != NULL ? views[0].data.owner : views[0].offsets.owner);
        parts->data = views[0].data.p != NULL ? views[0].data.p : views[0].offsets.p;
    } else {
        code = copy_bytes(in, t->bits, views, n, parts);
    }
    if (code == 0 && t->kind == NF_ARROW_TEXT) {
        code = check_utf8(in, parts->data, parts->offsets, parts->length, n > 0 ? views[0].data.at : -1);
    }
    return code;
}

/* ---- views: length, then up to 12 bytes, or 4 bytes, block and offset ---- */

static const uint8_t *view_bytes(const nf_view *v, int64_t row, int64_t *ret_size)
{
    const uint8_t *p = v->data.p + (size_t)(v->offset + row) * 16;
    int32_t size, block, offset;

    memcpy(&size, p, sizeof size);
    *ret_size = size;
    if (size <= 12) {
        return size >= 0 ? p + 4 : NULL;
    }
    memcpy(&block, p + 8, sizeof block);
    memcpy(&offset, p + 12, sizeof offset);
    if (block < 0 || (size_t)block >= v->block_count || offset < 0 ||
        !nf_part_holds(&v->blocks[block], (size_t)offset + (size_t)size)) {
        return NULL;
    }
    return v->blocks[block].p + offset;
}

int nf_convert_views(nf_import *in, const nf_arrow_type *t, nf_view *views, size_t n, nf_column_parts *parts)
{
    int64_t *offsets = NULL;
    int64_t k = 0;
    int64_t total = 0;
    int64_t size;
    int code = new_offsets(in, parts, &offsets);

    for (size_t i = 0; code == 0 && i < n; i++) {
        if (views[i].length > 0 &&
            !nf_part_holds(&views[i].data, (size_t)(views[i].offset + views[i].length) * 16)) {
            return nf_import_error(in, NETFEAT_ERR_FORMAT, views[i].data.at, "fewer values than rows");
        }
        for (int64_t row = 0; row < views[i].length; row++) {
            if (nf_view_present(&views[i], row)) {
                if (view_bytes(&views[i], row, &size) == NULL || !nf_add_i64(total, size, &total)) {
                    return nf_import_error(in, NETFEAT_ERR_FORMAT, views[i].data.at,
                                           "a view outside of the data");
                }
            }
            offsets[++k] = total;
        }
    }
    code = code != 0 ? code : nf_import_buffer(in, (size_t)total, &parts->data_buf);
    if (code != 0) {
        return code;
    }
    k = 0;
    for (size_t i = 0; i < n; i++) {
        for (int64_t row = 0; row < views[i].length; row++, k++) {
            if (offsets[k + 1] > offsets[k]) {
                const uint8_t *p = view_bytes(&views[i], row, &size);
                memcpy(parts->data_buf->data + offsets[k], p, (size_t)size);
            }
        }
    }
    parts->data = parts->data_buf->data;
    return t->kind == NF_ARROW_TEXT
               ? check_utf8(in, parts->data, offsets, parts->length, n > 0 ? views[0].data.at : -1)
               : NETFEAT_OK;
}

/* ---- lists ---- */

/* The items that the rows of one view span, as views of their own (borrowed parts). */
static void items_of(const nf_view *v, const span *s, nf_view *ret)
{
    *ret = *v->item;
    ret->offset += s->first;
    ret->length = s->last - s->first;
}

/* Offsets into the items of all views put behind each other. NULL rows keep the items they had. */
static void renumber_lists(const nf_view *v, int bits, const span *s, int64_t *offsets)
{
    int64_t base = offsets[0];

    for (int64_t row = 0; row < v->length; row++) {
        offsets[row + 1] = base + offset_at(v, bits, row + 1) - s->first;
    }
}

static int convert_items(nf_import *in, const nf_arrow_field *f, nf_view *items, size_t n,
                         nf_column_parts *parts)
{
    return nf_convert(in, f->item, items, n, &parts->child);
}

int nf_convert_list(nf_import *in, const nf_arrow_field *f, nf_view *views, size_t n, nf_column_parts *parts)
{
    nf_view *items = NULL;
    int64_t *offsets = NULL;
    span s = {0, 0, false};
    int code = NETFEAT_OK;

    for (size_t i = 0; i < n; i++) {
        if (views[i].item->length < 0 || views[i].item->offset < 0 || views[i].item->length > NF_ROWS_MAX ||
            views[i].item->offset > NF_ROWS_MAX) {
            return nf_import_error(in, NETFEAT_ERR_FORMAT, -1, "an impossible number of items");
        }
    }
    if (n == 1) {
        code = check_offsets(in, &views[0], f->type.bits, (uint64_t)views[0].item->length, &s);
        s.hidden = false; /* items under NULL rows stay */
        if (code == 0 && in_place(views, n, f->type.bits, &s)) {
            use_offsets(&views[0], parts);
            return convert_items(in, f, views[0].item, 1, parts);
        }
    }
    code = code != 0 ? code : new_offsets(in, parts, &offsets);
    if (code == 0 && n > 0) {
        code = nf_import_take(in, n * sizeof *items);
        items = code == 0 ? nf_alloc_array(in->ctx, n, sizeof *items) : NULL;
        code = code == 0 && items == NULL ? nf_ctx_code(in->ctx) : code;
    }
    for (size_t i = 0; code == 0 && i < n; i++) {
        code = check_offsets(in, &views[i], f->type.bits, (uint64_t)views[i].item->length, &s);
        if (code == 0) {
            items_of(&views[i], &s, &items[i]);
            renumber_lists(&views[i], f->type.bits, &s, offsets);
            offsets += views[i].length;
        }
    }
    code = code != 0 ? code : convert_items(in, f, items, n, parts);
    nf_free(in->ctx, items, n * sizeof *items);
    return code;
}
