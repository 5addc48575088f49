/* Dictionary-encoded arrays become plain columns. */
#include <string.h>

#include "base/bitmap.h"
#include "base/checked.h"
#include "base/order.h"
#include "export/convert.h"
#include "table/builder.h"

/* Index of a row; one that does not fit comes out as UINT64_MAX, which no dictionary has. */
static uint64_t index_at(const nf_view *v, const nf_arrow_type *t, int64_t row)
{
    const uint8_t *p = v->data.p + (size_t)(v->offset + row) * ((size_t)t->bits / 8);
    uint64_t value = 0;
    uint64_t sign = UINT64_C(1) << (t->bits - 1);

    for (size_t i = 0, n = (size_t)t->bits / 8; i < n; i++) { /* in this machine's order */
        value |= (uint64_t)p[i] << 8 * (NF_BIG_ENDIAN ? n - 1 - i : i);
    }
    return t->is_signed && (value & sign) != 0 ? UINT64_MAX : value;
}

static size_t value_size(const netfeat_column *values, int64_t i)
{
    if (values->offsets != NULL) {
        return (size_t)(values->offsets[i + 1] - values->offsets[i]);
    }
    return (size_t)nf_type_width(values->type);
}

/* Every index is inside; what the rows will need. */
static int check(nf_import *in, const nf_arrow_field *f, const nf_view *v, size_t *bytes)
{
    int64_t count = v->dictionary != NULL ? v->dictionary->length : 0;

    if (v->length > 0 &&
        !nf_part_holds(&v->data, (size_t)(v->offset + v->length) * ((size_t)f->index.bits / 8))) {
        return nf_import_error(in, NETFEAT_ERR_FORMAT, v->data.at, "fewer values than rows");
    }
    for (int64_t i = 0; i < v->length; i++) {
        uint64_t index;
        if (!nf_view_present(v, i)) {
            continue;
        }
        index = index_at(v, &f->index, i);
        if (index >= (uint64_t)count) {
            return nf_import_error(in, NETFEAT_ERR_FORMAT, v->data.at, "an index outside of the dictionary");
        }
        if (!nf_add_size(*bytes, value_size(v->dictionary, (int64_t)index), bytes)) {
            return nf_import_error(in, NETFEAT_ERR_LIMIT, -1, "the decoded values exceed the address space");
        }
    }
    return NETFEAT_OK;
}

static int add_value(nf_builder *b, const netfeat_column *values, int64_t i)
{
    if (!nf_column_present(values, i)) {
        return nf_builder_add_null(b);
    }
    if (values->type == NETFEAT_TYPE_BOOL) {
        return nf_builder_add_u64(b, nf_bitmap_get(values->data, i));
    }
    if (values->offsets != NULL) {
        return nf_builder_add_bytes(b, values->data + values->offsets[i], value_size(values, i));
    }
    return nf_builder_add_bytes(b, values->data + (size_t)i * (size_t)b->width, (size_t)b->width);
}

static int decode(const nf_arrow_field *f, const nf_view *v, nf_builder *b)
{
    int code = NETFEAT_OK;

    for (int64_t i = 0; code == 0 && i < v->length; i++) {
        if (nf_view_present(v, i)) {
            code = add_value(b, v->dictionary, (int64_t)index_at(v, &f->index, i));
        } else {
            code = nf_builder_add_null(b);
        }
    }
    return code;
}

int nf_convert_encoded(nf_import *in, const nf_arrow_field *f, nf_view *views, size_t n, netfeat_column **ret)
{
    nf_builder b;
    size_t bytes = 0;
    int64_t rows = 0;
    int code = NETFEAT_OK;

    nf_builder_init(&b, in->ctx, nf_arrow_type_target(&f->type));
    for (size_t i = 0; code == 0 && i < n; i++) {
        code = check(in, f, &views[i], &bytes);
        rows += views[i].length;
    }
    if (code == 0 && nf_type_has_offsets(b.type)) {
        code = nf_import_take(in, bytes);
        code = code != 0 ? code : nf_import_take(in, (size_t)rows * 8);
    } else if (code == 0) {
        code = nf_import_take(in, (size_t)rows * (size_t)(b.width > 0 ? b.width : 1));
    }
    code = code != 0 ? code : nf_builder_reserve(&b, rows, nf_type_has_offsets(b.type) ? bytes : 0);
    for (size_t i = 0; code == 0 && i < n; i++) {
        code = decode(f, &views[i], &b);
    }
    code = code != 0 ? code : nf_builder_finish(&b, NULL, NULL, NULL, ret);
    nf_builder_free(&b);
    return code;
}
