/* netfeat_table_concat: the rows of several tables, one after the other. */
#include <string.h>

#include "base/bitmap.h"
#include "base/checked.h"
#include "table/table.h"

/* The columns that become one; all of the same type. */
typedef struct {
    netfeat_column **cols; /* borrowed */
    size_t n;
    int64_t length;
    bool has_nulls;
} column_list;

static int too_long(netfeat_ctx *ctx)
{
    return nf_error(ctx, NETFEAT_ERR_NOMEM,
                    "out of memory: the tables together exceed what a column can hold");
}

static int measure(netfeat_ctx *ctx, column_list *list)
{
    list->length = 0;
    list->has_nulls = false;
    for (size_t i = 0; i < list->n; i++) {
        if (!nf_add_i64(list->length, list->cols[i]->length, &list->length)) {
            return too_long(ctx);
        }
        list->has_nulls |= list->cols[i]->validity != NULL;
    }
    return NETFEAT_OK;
}

/* dst holds list->length ones. */
static void copy_validity(uint8_t *dst, const column_list *list)
{
    int64_t at = 0;

    for (size_t i = 0; i < list->n; i++) {
        const netfeat_column *col = list->cols[i];
        if (col->validity != NULL) {
            nf_bitmap_copy(dst, at, col->validity, 0, col->length);
        }
        at += col->length;
    }
}

static int concat_fixed(netfeat_ctx *ctx, const column_list *list, netfeat_column **ret)
{
    const netfeat_column *first = list->cols[0];
    size_t width = (size_t)nf_type_width(first->type);
    uint8_t *data = NULL;
    uint8_t *validity = NULL;
    int64_t at = 0;
    int code = nf_column_new(ctx, first->type, list->length, first->unit, first->definition, first->null_rule,
                             ret, &data, list->has_nulls ? &validity : NULL);

    if (code != 0) {
        return code;
    }
    (*ret)->text_buf = nf_buffer_ref(first->text_buf); /* where the strings may live */
    for (size_t i = 0; i < list->n; i++) {
        const netfeat_column *col = list->cols[i];
        if (col->length > 0 && width > 0) {
            memcpy(data + (size_t)at * width, col->data, (size_t)col->length * width);
        } else if (col->length > 0) {
            nf_bitmap_copy(data, at, col->data, 0, col->length);
        }
        at += col->length;
    }
    if (list->has_nulls && list->length > 0) {
        copy_validity(validity, list);
        nf_column_count_nulls(*ret);
    }
    return NETFEAT_OK;
}

/* Offsets and bitmap of TEXT, BYTES and LIST; *ret_total: bytes or child rows. */
static int concat_offsets(netfeat_ctx *ctx, const column_list *list, nf_column_parts *parts,
                          int64_t *ret_total)
{
    size_t bytes, bitmap = nf_bitmap_room(list->length);
    int64_t total = 0;
    int64_t *offsets;
    int code;

    if (list->length == INT64_MAX || !nf_mul_size((size_t)list->length + 1, sizeof *offsets, &bytes)) {
        return too_long(ctx);
    }
    code = nf_buffer_new(ctx, bytes, &parts->offsets_buf);
    if (code == 0 && list->has_nulls) {
        code = nf_buffer_new(ctx, bitmap, &parts->validity_buf);
    }
    if (code != 0) {
        return code;
    }
    if (list->has_nulls && bitmap > 0) {
        memset(parts->validity_buf->data, 0, bitmap);
        nf_bitmap_fill(parts->validity_buf->data, 0, list->length, true);
        copy_validity(parts->validity_buf->data, list);
        parts->validity = parts->validity_buf->data;
    }
    offsets = (int64_t *)(void *)parts->offsets_buf->data;
    parts->offsets = offsets;
    for (size_t i = 0; i < list->n; i++) {
        const netfeat_column *col = list->cols[i];
        int64_t base = total - col->offsets[0]; /* offsets[0] is between 0 and INT64_MAX */
        if (!nf_add_i64(base, col->offsets[col->length], &total)) {
            return too_long(ctx);
        }
        for (int64_t k = 0; k < col->length; k++) {
            *offsets++ = base + col->offsets[k];
        }
    }
    *offsets = total;
    *ret_total = total;
    return NETFEAT_OK;
}

static int concat_bytes(netfeat_ctx *ctx, const column_list *list, nf_column_parts *parts)
{
    int64_t total = 0;
    uint8_t *data;
    int code = concat_offsets(ctx, list, parts, &total);

    code = code != 0 ? code : nf_buffer_new(ctx, (size_t)total, &parts->data_buf);
    if (code != 0) {
        return code;
    }
    data = parts->data_buf->data;
    parts->data = data;
    for (size_t i = 0; i < list->n; i++) {
        const netfeat_column *col = list->cols[i];
        size_t size = (size_t)(col->offsets[col->length] - col->offsets[0]);
        if (size > 0) {
            memcpy(data, col->data + col->offsets[0], size);
            data += size;
        }
    }
    return NETFEAT_OK;
}

static int concat_column(netfeat_ctx *ctx, column_list *list, netfeat_column **ret);

/* Lists never nest, so this leads into concat_column() at most once. */
static int concat_list(netfeat_ctx *ctx, const column_list *list, nf_column_parts *parts)
{
    column_list children = {.n = list->n};
    int64_t total = 0;
    int code = concat_offsets(ctx, list, parts, &total);

    if (code != 0) {
        return code;
    }
    children.cols = nf_alloc_array(ctx, list->n, sizeof(netfeat_column *));
    if (children.cols == NULL) {
        return nf_ctx_code(ctx);
    }
    memset(children.cols, 0, list->n * sizeof *children.cols);
    for (size_t i = 0; code == 0 && i < list->n; i++) {
        const netfeat_column *col = list->cols[i];
        code = nf_column_slice(ctx, col->child, col->offsets[0], col->offsets[col->length] - col->offsets[0],
                               &children.cols[i]);
    }
    code = code != 0 ? code : concat_column(ctx, &children, &parts->child);
    for (size_t i = 0; i < list->n; i++) {
        netfeat_column_unref(children.cols[i]);
    }
    nf_free(ctx, children.cols, list->n * sizeof *children.cols);
    return code;
}

static int concat_column(netfeat_ctx *ctx, column_list *list, netfeat_column **ret)
{
    const netfeat_column *first = list->cols[0];
    nf_column_parts parts = {.type = first->type};
    int code = measure(ctx, list);

    if (code != 0) {
        return code;
    }
    if (!nf_type_has_offsets(first->type)) {
        return concat_fixed(ctx, list, ret);
    }
    code =
        first->type == NETFEAT_TYPE_LIST ? concat_list(ctx, list, &parts) : concat_bytes(ctx, list, &parts);
    if (code != 0) {
        netfeat_column_unref(parts.child);
        nf_buffer_unref(parts.data_buf);
        nf_buffer_unref(parts.validity_buf);
        nf_buffer_unref(parts.offsets_buf);
        return code;
    }
    parts.length = list->length;
    parts.nulls = list->has_nulls ? -1 : 0;
    parts.unit = first->unit;
    parts.definition = first->definition;
    parts.null_rule = first->null_rule;
    parts.text_buf = nf_buffer_ref(first->text_buf);
    return nf_column_make(ctx, &parts, ret);
}

/* ---- do the tables fit together? ---- */

static int check_column(netfeat_ctx *ctx, const char *name, const netfeat_column *a, const netfeat_column *b)
{
    if (a->type != b->type || (a->child != NULL && a->child->type != b->child->type)) {
        return nf_error(ctx, NETFEAT_ERR_TYPE, "table_concat: column %s is %s in one table and %s in another",
                        name, netfeat_type_name(a->type), netfeat_type_name(b->type));
    }
    if (strcmp(a->unit, b->unit) != 0 || strcmp(a->definition, b->definition) != 0) {
        return nf_error(ctx, NETFEAT_ERR_TYPE,
                        "table_concat: column %s means \"%s\" [%s] in one table and \"%s\" [%s] in another",
                        name, a->definition, a->unit, b->definition, b->unit);
    }
    return NETFEAT_OK;
}

static int check_table(netfeat_ctx *ctx, const netfeat_table *first, const netfeat_table *tab)
{
    int code = NETFEAT_OK;

    if (tab == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "table_concat: a table is NULL");
    }
    code = nf_table_check_sealed(ctx, tab, "table_concat");
    if (code == 0 && tab->width != first->width) {
        code = nf_error(ctx, NETFEAT_ERR_ARGUMENT, "table_concat: a table of %d columns and one of %d",
                        first->width, tab->width);
    }
    for (int i = 0; code == 0 && i < tab->width; i++) {
        if (strcmp(tab->names[i], first->names[i]) != 0) {
            code = nf_error(ctx, NETFEAT_ERR_ARGUMENT,
                            "table_concat: column %d is %s in one table and %s in another", i,
                            first->names[i], tab->names[i]);
        } else {
            code = check_column(ctx, tab->names[i], first->cols[i], tab->cols[i]);
        }
    }
    return code;
}

static int check_tables(netfeat_ctx *ctx, const netfeat_table *const *tables, size_t n, int64_t *ret_rows)
{
    int64_t rows = 0;
    int code = NETFEAT_OK;

    for (size_t i = 0; code == 0 && i < n; i++) {
        code = check_table(ctx, tables[0], tables[i]);
        if (code == 0 && !nf_add_i64(rows, tables[i]->rows, &rows)) {
            code = too_long(ctx);
        }
    }
    *ret_rows = rows;
    return code;
}

int netfeat_table_concat(netfeat_ctx *ctx, const netfeat_table *const *tables, size_t n, netfeat_table **ret)
{
    column_list list = {.n = n};
    netfeat_table *out = NULL;
    int64_t rows = 0;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL || (tables == NULL && n > 0) || (n > 0 && tables[0] == NULL)) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "table_concat: a pointer is NULL");
    }
    code = check_tables(ctx, tables, n, &rows);
    code = code != 0 ? code : nf_table_alloc(ctx, n > 0 ? tables[0]->width : 0, &out);
    if (code == 0 && n > 0) {
        list.cols = nf_alloc_array(ctx, n, sizeof(netfeat_column *));
        code = list.cols != NULL ? NETFEAT_OK : nf_ctx_code(ctx);
    }
    for (int i = 0; code == 0 && i < out->width; i++) {
        for (size_t k = 0; k < n; k++) {
            list.cols[k] = tables[k]->cols[i];
        }
        code = nf_table_set_name(out, i, tables[0]->names[i]);
        code = code != 0 ? code : concat_column(ctx, &list, &out->cols[i]);
    }
    nf_free(ctx, list.cols, n * sizeof(netfeat_column *));
    if (code != 0) {
        netfeat_table_unref(out);
        return code;
    }
    out->rows = rows;
    *ret = out;
    return NETFEAT_OK;
}
