/* The short forms: one call over whole columns. And reading columns of any numeric type. */
#include <assert.h>
#include <string.h>

#include "base/bitmap.h"
#include "feature/feature.h"

int nf_feature_named(netfeat_ctx *ctx, const netfeat_table *tab, const char *name, netfeat_column **ret)
{
    int index = netfeat_table_find(tab, name);

    if (index < 0) {
        return nf_error(ctx, NETFEAT_ERR_NOTFOUND, "the table has no column %s", name);
    }
    *ret = tab->cols[index];
    return NETFEAT_OK;
}

int nf_feature_table(netfeat_ctx *ctx, const netfeat_table *tab)
{
    if (tab == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "the table is NULL");
    }
    return nf_table_check_sealed(ctx, tab, "feature");
}

int nf_feature_column(netfeat_ctx *ctx, const netfeat_table *tab, int index, netfeat_column **ret)
{
    int code = nf_feature_table(ctx, tab);

    if (code == 0 && (index < 0 || index >= tab->width)) {
        code = nf_error(ctx, NETFEAT_ERR_RANGE, "column %d of a table with %d", index, tab->width);
    }
    if (code == 0) {
        *ret = tab->cols[index];
    }
    return code;
}

int nf_feature_keys(netfeat_ctx *ctx, const netfeat_table *tab, const int *key, size_t n_key,
                    netfeat_column **in, size_t *n)
{
    if (n_key > 0 && key == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "the list of keys is NULL");
    }
    if (n_key > NF_INPUTS_MAX - *n) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "more than %zu keys", NF_INPUTS_MAX - *n);
    }
    for (size_t i = 0; i < n_key; i++) {
        int code = nf_feature_column(ctx, tab, key[i], &in[*n]);
        if (code != 0) {
            return code;
        }
        (*n)++;
    }
    return NETFEAT_OK;
}

/* Where all that matters of a key is which rows are equal, the numbers of its dictionary do as well, and the column keeps
   them for the next feature. A single key has them made, when the column belongs to the same context; several take
   what is there. *ret is NULL when the key is to be used itself. */
static int codes_of_key(netfeat_ctx *ctx, netfeat_column *key, bool make, netfeat_column **ret)
{
    if (make && nf_column_wants_codes(ctx, key)) {
        return nf_column_codes(key, ret);
    }
    *ret = netfeat_column_ref(nf_column_kept_codes(key));
    return NETFEAT_OK;
}

/* A step that ends with these rows. */
static int run_once(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, size_t n, nf_outputs *out)
{
    netfeat_column *codes[NF_INPUTS_MAX] = {NULL};
    netfeat_column *used[NF_INPUTS_MAX];
    bool replace = step->cls->keys_by_equality && nf_step_option(step, NETFEAT_OPT_FEATURE_ON_FULL) == 0;
    int code = NETFEAT_OK;

    for (size_t i = 0; code == 0 && i < n; i++) {
        code = replace && i > 0 ? codes_of_key(ctx, in[i], n == 2, &codes[i]) : NETFEAT_OK;
        used[i] = codes[i] != NULL ? codes[i] : in[i];
    }
    if (code == 0 && step->cls->kind == NF_ENCODER) {
        code = nf_step_fit(step, used);
        code = code != 0 ? code : nf_step_seal(step);
    }
    code = code != 0 ? code : nf_step_apply(ctx, step, used, out);
    for (size_t i = 0; i < n; i++) {
        netfeat_column_unref(codes[i]);
    }
    return code;
}

static int run(netfeat_ctx *ctx, int feature, netfeat_column *const *in, size_t n,
               const netfeat_options *opts, nf_outputs *out)
{
    nf_step *step = NULL;
    int code = NETFEAT_OK;

    for (size_t i = 0; i < n; i++) {
        if (in[i] == NULL) {
            return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "%s: a column is NULL", netfeat_feature_name(feature));
        }
        if (in[i]->length != in[0]->length) {
            return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "%s: columns of %lld and %lld rows",
                            netfeat_feature_name(feature), (long long)in[0]->length,
                            (long long)in[i]->length);
        }
    }
    code = nf_step_new(ctx, feature, NULL, n, "", opts, &step);
    code = code != 0 ? code : run_once(ctx, step, in, n, out);
    out->prefix = "";
    nf_step_free(step);
    return code;
}

int nf_feature_run(netfeat_ctx *ctx, int feature, netfeat_column *const *in, size_t n,
                   const netfeat_options *opts, netfeat_table **ret)
{
    nf_outputs out;
    int code;

    if (ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "%s: ret is NULL", netfeat_feature_name(feature));
    }
    nf_outputs_init(&out, ctx);
    code = run(ctx, feature, in, n, opts, &out);
    code = code != 0 ? code : nf_outputs_table(&out, false, ret);
    nf_outputs_free(&out);
    return code;
}

int nf_feature_run_column(netfeat_ctx *ctx, int feature, netfeat_column *const *in, size_t n,
                          const netfeat_options *opts, netfeat_column **ret)
{
    nf_outputs out;
    int code;

    if (ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "%s: ret is NULL", netfeat_feature_name(feature));
    }
    nf_outputs_init(&out, ctx);
    code = run(ctx, feature, in, n, opts, &out);
    if (code == 0) {
        *ret = netfeat_column_ref(out.cols[0]);
    }
    nf_outputs_free(&out);
    return code;
}

/* ---- reading ---- */

#define READ(ctype, to_type)                                                                                 \
    for (int i = 0; i < n; i++) {                                                                            \
        ctype v;                                                                                             \
        memcpy(&v, col->data + (size_t)(first + i) * sizeof v, sizeof v);                                    \
        to[i] = (to_type)v;                                                                                  \
    }                                                                                                        \
    break;

void nf_read_u64(const netfeat_column *col, int64_t first, int n, uint64_t *restrict to)
{
    switch (col->type) {
    case NETFEAT_TYPE_BOOL:
        for (int i = 0; i < n; i++) {
            to[i] = nf_bitmap_get(col->data, first + i);
        }
        break;
    case NETFEAT_TYPE_U8:
        READ(uint8_t, uint64_t)
    case NETFEAT_TYPE_U16:
        READ(uint16_t, uint64_t)
    case NETFEAT_TYPE_U32:
        READ(uint32_t, uint64_t)
    default:
        assert(col->type == NETFEAT_TYPE_U64 || col->type == NETFEAT_TYPE_I64 ||
               col->type == NETFEAT_TYPE_TIME_NS);
        memcpy(to, col->data + (size_t)first * sizeof *to, (size_t)n * sizeof *to);
    }
}

void nf_read_f64(const netfeat_column *col, int64_t first, int n, double *restrict to)
{
    switch (col->type) {
    case NETFEAT_TYPE_BOOL:
        for (int i = 0; i < n; i++) {
            to[i] = nf_bitmap_get(col->data, first + i) ? 1.0 : 0.0;
        }
        break;
    case NETFEAT_TYPE_U8:
        READ(uint8_t, double)
    case NETFEAT_TYPE_U16:
        READ(uint16_t, double)
    case NETFEAT_TYPE_U32:
        READ(uint32_t, double)
    case NETFEAT_TYPE_U64:
        READ(uint64_t, double)
    case NETFEAT_TYPE_F64:
        READ(double, double)
    default:
        assert(col->type == NETFEAT_TYPE_I64 || col->type == NETFEAT_TYPE_TIME_NS);
        READ(int64_t, double)
    }
}

void nf_copy_validity(uint8_t *to, const netfeat_column *col)
{
    if (col->validity != NULL) {
        memcpy(to, col->validity, nf_bitmap_bytes(col->length));
    }
}
