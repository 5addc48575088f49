/* Operations that give a new table: select, join, slice, complete_rows, take. */
#include <assert.h>
#include <string.h>

#include "base/bitmap.h"
#include "table/table.h"

/* What every operation asks of its arguments. */
static int check(netfeat_ctx *ctx, const netfeat_table *tab, const void *list, size_t n, const void *ret,
                 const char *call)
{
    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (tab == NULL || ret == NULL || (list == NULL && n > 0)) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "%s: a pointer is NULL", call);
    }
    return nf_table_check_sealed(ctx, tab, call);
}

static int check_index(netfeat_ctx *ctx, const netfeat_table *tab, int index, const char *call)
{
    if (index < 0 || index >= tab->width) {
        return nf_error(ctx, NETFEAT_ERR_RANGE, "%s: column %d of a table with %d", call, index, tab->width);
    }
    return NETFEAT_OK;
}

int netfeat_table_select(netfeat_ctx *ctx, const netfeat_table *tab, const int *indexes, size_t n,
                         netfeat_table **ret)
{
    netfeat_table *out = NULL;
    int code = check(ctx, tab, indexes, n, ret, "table_select");

    for (size_t i = 0; code == 0 && i < n; i++) {
        code = check_index(ctx, tab, indexes[i], "table_select");
        for (size_t j = 0; code == 0 && j < i; j++) {
            if (indexes[j] == indexes[i]) {
                code = nf_error(ctx, NETFEAT_ERR_ARGUMENT, "table_select: column %d twice", indexes[i]);
            }
        }
    }
    code = code != 0 ? code : nf_table_alloc(ctx, (int)n, &out);
    for (size_t i = 0; code == 0 && i < n; i++) {
        code = nf_table_set_name(out, (int)i, tab->names[indexes[i]]);
        out->cols[i] = netfeat_column_ref(tab->cols[indexes[i]]);
    }
    if (code != 0) {
        netfeat_table_unref(out);
        return code;
    }
    out->rows = tab->rows;
    *ret = out;
    return NETFEAT_OK;
}

int netfeat_table_join(netfeat_ctx *ctx, const netfeat_table *left, const netfeat_table *right,
                       netfeat_table **ret)
{
    netfeat_table *out = NULL;
    int code = check(ctx, left, NULL, 0, ret, "table_join");

    code = code != 0 ? code : check(ctx, right, NULL, 0, ret, "table_join");
    if (code == 0 && left->rows != right->rows) {
        code = nf_error(ctx, NETFEAT_ERR_ARGUMENT, "table_join: %lld rows and %lld rows",
                        (long long)left->rows, (long long)right->rows);
    }
    for (int i = 0; code == 0 && i < right->width; i++) {
        if (netfeat_table_find(left, right->names[i]) >= 0) {
            code = nf_error(ctx, NETFEAT_ERR_ARGUMENT, "table_join: both have a column %s", right->names[i]);
        }
    }
    code = code != 0 ? code : nf_table_alloc(ctx, left->width + right->width, &out);
    for (int i = 0; code == 0 && i < out->width; i++) {
        const netfeat_table *from = i < left->width ? left : right;
        int k = i < left->width ? i : i - left->width;
        code = nf_table_set_name(out, i, from->names[k]);
        out->cols[i] = netfeat_column_ref(from->cols[k]);
    }
    if (code != 0) {
        netfeat_table_unref(out);
        return code;
    }
    out->rows = left->rows;
    *ret = out;
    return NETFEAT_OK;
}

int netfeat_table_slice(netfeat_ctx *ctx, const netfeat_table *tab, int64_t first, int64_t count,
                        netfeat_table **ret)
{
    netfeat_table *out = NULL;
    int code = check(ctx, tab, NULL, 0, ret, "table_slice");

    if (code == 0 && (first < 0 || count < 0 || first > tab->rows || count > tab->rows - first)) {
        code = nf_error(ctx, NETFEAT_ERR_RANGE, "table_slice: %lld rows from row %lld of %lld",
                        (long long)count, (long long)first, (long long)tab->rows);
    }
    code = code != 0 ? code : nf_table_alloc(ctx, tab->width, &out);
    for (int i = 0; code == 0 && i < tab->width; i++) {
        code = nf_table_set_name(out, i, tab->names[i]);
        code = code != 0 ? code : nf_column_slice(ctx, tab->cols[i], first, count, &out->cols[i]);
    }
    if (code != 0) {
        netfeat_table_unref(out);
        return code;
    }
    out->rows = count;
    *ret = out;
    return NETFEAT_OK;
}

/* The rows are within bounds. */
static int take(netfeat_ctx *ctx, const netfeat_table *tab, const int64_t *rows, int64_t n,
                netfeat_table **ret)
{
    netfeat_table *out = NULL;
    int code = nf_table_alloc(ctx, tab->width, &out);

    for (int i = 0; code == 0 && i < tab->width; i++) {
        code = nf_table_set_name(out, i, tab->names[i]);
        code = code != 0 ? code : nf_column_take(ctx, tab->cols[i], rows, n, &out->cols[i]);
    }
    if (code != 0) {
        netfeat_table_unref(out);
        return code;
    }
    out->rows = n;
    *ret = out;
    return NETFEAT_OK;
}

int netfeat_table_take(netfeat_ctx *ctx, const netfeat_table *tab, const int64_t *rows, size_t n,
                       netfeat_table **ret)
{
    int code = check(ctx, tab, rows, n, ret, "table_take");

    if (code == 0 && n > SIZE_MAX / 2) {
        code = nf_error(ctx, NETFEAT_ERR_RANGE, "table_take: too many rows");
    }
    for (size_t i = 0; code == 0 && i < n; i++) {
        if (rows[i] < 0 || rows[i] >= tab->rows) {
            code = nf_error(ctx, NETFEAT_ERR_RANGE, "table_take: row %lld of a table with %lld",
                            (long long)rows[i], (long long)tab->rows);
        }
    }
    return code != 0 ? code : take(ctx, tab, rows, (int64_t)n, ret);
}

/* and &= the column's bitmap. */
static void and_validity(uint8_t *and, const netfeat_column *col)
{
    size_t n = nf_bitmap_bytes(col->length);

    for (size_t i = 0; col->validity != NULL && i < n; i++) {
        and[i] &= col->validity[i];
    }
}

int netfeat_table_complete_rows(netfeat_ctx *ctx, const netfeat_table *tab, const int *indexes, size_t n,
                                netfeat_table **ret)
{
    uint8_t *keep = NULL;
    int64_t *rows = NULL;
    size_t keep_bytes, count = 0;
    int64_t kept;
    int code = check(ctx, tab, indexes, n, ret, "table_complete_rows");

    for (size_t i = 0; code == 0 && i < n; i++) {
        code = check_index(ctx, tab, indexes[i], "table_complete_rows");
    }
    if (code != 0) {
        return code;
    }
    keep_bytes = nf_bitmap_bytes(tab->rows) + 1;
    keep = nf_alloc_zero(ctx, keep_bytes);
    if (keep == NULL) {
        return nf_ctx_code(ctx);
    }
    nf_bitmap_fill(keep, 0, tab->rows, true);
    for (size_t i = 0; i < (n > 0 ? n : (size_t)tab->width); i++) {
        and_validity(keep, tab->cols[n > 0 ? indexes[i] : (int)i]);
    }
    kept = nf_bitmap_count(keep, 0, tab->rows);
    rows = nf_alloc_array(ctx, (size_t)kept + 1, sizeof *rows);
    if (rows == NULL) {
        code = nf_ctx_code(ctx);
        goto out;
    }
    for (int64_t i = 0; i < tab->rows; i++) {
        if (nf_bitmap_get(keep, i)) {
            rows[count++] = i;
        }
    }
    code = take(ctx, tab, rows, kept, ret);
out:
    nf_free(ctx, rows, ((size_t)kept + 1) * sizeof *rows);
    nf_free(ctx, keep, keep_bytes);
    return code;
}
