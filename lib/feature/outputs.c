/* Result columns on their way into a table. */
#include <string.h>

#include "feature/feature.h"

void nf_outputs_init(nf_outputs *out, netfeat_ctx *ctx)
{
    memset(out, 0, sizeof *out);
    out->ctx = ctx;
    out->prefix = "";
    out->name = "";
}

void nf_outputs_free(nf_outputs *out)
{
    for (size_t i = 0; i < out->n; i++) {
        nf_free(out->ctx, out->names[i], strlen(out->names[i]) + 1);
        netfeat_column_unref(out->cols[i]);
    }
    nf_free(out->ctx, out->names, out->names_cap * sizeof *out->names);
    nf_free(out->ctx, out->cols, out->cap * sizeof *out->cols);
    out->n = out->cap = out->names_cap = 0;
    out->names = NULL;
    out->cols = NULL;
}

static char *full_name(nf_outputs *out, const char *suffix)
{
    size_t p = strlen(out->prefix);
    size_t s = strlen(suffix);
    size_t gap = p > 0 && s > 0 ? 1 : 0;
    char *name;

    if (p + s == 0) {
        return nf_strndup(out->ctx, out->name, strlen(out->name));
    }
    name = nf_alloc(out->ctx, p + gap + s + 1);
    if (name != NULL) {
        memcpy(name, out->prefix, p);
        name[p] = '_';
        memcpy(name + p + gap, suffix, s + 1);
    }
    return name;
}

int nf_outputs_add(nf_outputs *out, const char *suffix, netfeat_column *col)
{
    void *names = out->names;
    void *cols = out->cols;
    char *name = NULL;
    int code = nf_grow(out->ctx, &names, &out->names_cap, out->n + 1, sizeof *out->names);

    out->names = names;
    if (code == 0) {
        code = nf_grow(out->ctx, &cols, &out->cap, out->n + 1, sizeof *out->cols);
        out->cols = cols;
    }
    if (code == 0) {
        name = full_name(out, suffix != NULL ? suffix : "");
        code = name != NULL ? NETFEAT_OK : nf_ctx_code(out->ctx);
    }
    if (code != 0) {
        netfeat_column_unref(col);
        return code;
    }
    out->names[out->n] = name;
    out->cols[out->n++] = col;
    return NETFEAT_OK;
}

int nf_outputs_table(nf_outputs *out, bool checked, netfeat_table **ret)
{
    const char *const *names = (const char *const *)out->names;

    if (!checked) {
        return netfeat_table_from_columns(out->ctx, names, out->cols, out->n, ret);
    }
    for (size_t i = 0; i < out->n; i++) {
        netfeat_column_ref(out->cols[i]);
    }
    return nf_table_make(out->ctx, names, out->cols, (int)out->n, 0, ret);
}
