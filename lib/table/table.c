#include "table/table.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"

#define WIDTH_MAX 16384 /* names are compared pairwise */

static void table_free(netfeat_table *tab)
{
    netfeat_ctx *ctx = tab->ctx;
    size_t n = (size_t)tab->width;

    for (size_t i = 0; i < n; i++) {
        if (tab->names != NULL && tab->names[i] != NULL) {
            nf_free(ctx, tab->names[i], strlen(tab->names[i]) + 1);
        }
        if (tab->cols != NULL) {
            netfeat_column_unref(tab->cols[i]);
        }
    }
    nf_free(ctx, tab->names, n * sizeof *tab->names);
    nf_free(ctx, tab->cols, n * sizeof *tab->cols);
    nf_packet_builder_free(ctx, tab->growing);
    nf_table_free_meta(tab);
    nf_free(ctx, tab, sizeof *tab);
    netfeat_ctx_unref(ctx);
}

int nf_table_alloc(netfeat_ctx *ctx, int width, netfeat_table **ret)
{
    netfeat_table *tab = nf_alloc_zero(ctx, sizeof *tab);

    if (tab == NULL) {
        return nf_ctx_code(ctx);
    }
    nf_ref_init(&tab->refs);
    tab->ctx = netfeat_ctx_ref(ctx);
    tab->width = width;
    if (width > 0) {
        tab->names = nf_alloc_zero(ctx, (size_t)width * sizeof *tab->names);
        tab->cols = tab->names != NULL ? nf_alloc_zero(ctx, (size_t)width * sizeof *tab->cols) : NULL;
        if (tab->cols == NULL) {
            table_free(tab);
            return nf_ctx_code(ctx);
        }
    }
    *ret = tab;
    return NETFEAT_OK;
}

int nf_table_set_name(netfeat_table *tab, int index, const char *name)
{
    tab->names[index] = nf_strndup(tab->ctx, name, strlen(name));
    return tab->names[index] != NULL ? NETFEAT_OK : nf_ctx_code(tab->ctx);
}

int nf_table_make(netfeat_ctx *ctx, const char *const *names, netfeat_column **cols, int n, int64_t rows,
                  netfeat_table **ret)
{
    netfeat_table *tab = NULL;
    int code = nf_table_alloc(ctx, n, &tab);

    for (int i = 1; i < n; i++) {
        assert(cols[i]->length == cols[0]->length);
    }
    for (int i = 0; i < n; i++) {
        if (code == 0) {
            code = nf_table_set_name(tab, i, names[i]);
        }
        if (tab != NULL) {
            tab->cols[i] = cols[i];
        } else {
            netfeat_column_unref(cols[i]);
        }
    }
    if (code != 0) {
        netfeat_table_unref(tab);
        return code;
    }
    tab->rows = n > 0 ? cols[0]->length : rows;
    *ret = tab;
    return NETFEAT_OK;
}

int nf_table_check_sealed(netfeat_ctx *ctx, const netfeat_table *tab, const char *call)
{
    if (tab->growing != NULL) {
        return nf_error(ctx, NETFEAT_ERR_STATE, "%s: the table is not sealed", call);
    }
    return NETFEAT_OK;
}

static int check_names(netfeat_ctx *ctx, const char *const *names, netfeat_column *const *cols, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (names[i] == NULL || names[i][0] == '\0' || !nf_utf8_valid(names[i], strlen(names[i]))) {
            return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "column %zu has no name, or one that is not UTF-8", i);
        }
        if (cols[i] == NULL) {
            return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "column %s is NULL", names[i]);
        }
        if (cols[i]->length != cols[0]->length) {
            return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "column %s has %lld rows, column %s has %lld",
                            names[i], (long long)cols[i]->length, names[0], (long long)cols[0]->length);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(names[i], names[j]) == 0) {
                return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "two columns are called %s", names[i]);
            }
        }
    }
    return NETFEAT_OK;
}

int netfeat_table_from_columns(netfeat_ctx *ctx, const char *const *names, netfeat_column *const *cols,
                               size_t n, netfeat_table **ret)
{
    netfeat_table *tab = NULL;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL || (n > 0 && (names == NULL || cols == NULL)) || n > WIDTH_MAX) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT,
                        "table_from_columns: a pointer is NULL, or too many columns");
    }
    code = check_names(ctx, names, cols, n);
    if (code == 0) {
        code = nf_table_alloc(ctx, (int)n, &tab);
    }
    for (size_t i = 0; code == 0 && i < n; i++) {
        code = nf_table_set_name(tab, (int)i, names[i]);
        tab->cols[i] = netfeat_column_ref(cols[i]);
    }
    if (code != 0) {
        netfeat_table_unref(tab);
        return code;
    }
    tab->rows = n > 0 ? cols[0]->length : 0;
    *ret = tab;
    return NETFEAT_OK;
}

netfeat_table *netfeat_table_ref(netfeat_table *tab)
{
    if (tab != NULL) {
        nf_ref_get(&tab->refs);
    }
    return tab;
}

netfeat_table *netfeat_table_unref(netfeat_table *tab)
{
    if (tab != NULL && nf_ref_put(&tab->refs)) {
        table_free(tab);
    }
    return NULL;
}

int64_t netfeat_table_rows(const netfeat_table *tab)
{
    return tab != NULL ? tab->rows : NETFEAT_ERR_ARGUMENT;
}

int netfeat_table_width(const netfeat_table *tab)
{
    return tab != NULL ? tab->width : NETFEAT_ERR_ARGUMENT;
}

const char *netfeat_table_name(const netfeat_table *tab, int index)
{
    return tab != NULL && index >= 0 && index < tab->width ? tab->names[index] : NULL;
}

int netfeat_table_find(const netfeat_table *tab, const char *name)
{
    if (tab == NULL || name == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    for (int i = 0; i < tab->width; i++) {
        if (strcmp(tab->names[i], name) == 0) {
            return i;
        }
    }
    return NETFEAT_ERR_NOTFOUND;
}

netfeat_column *netfeat_table_column(const netfeat_table *tab, int index)
{
    if (tab == NULL || index < 0 || index >= tab->width) {
        return NULL;
    }
    return tab->cols[index];
}
