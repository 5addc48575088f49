/* Frequency and ordinal encoding: one number per category. And value counts. */
#include <string.h>

#include "base/bitmap.h"
#include "feature/category.h"
#include "feature/state.h"

typedef struct {
    nf_categories cat;
    bool count;       /* the statistic is the count; ranks and counts are integers */
    uint32_t codes_n; /* sealed: what each category becomes; 0 in shares and counts says unknown */
    double *shares;
    uint64_t *numbers;
} codes;

static int bind_codes(nf_step *step)
{
    codes *s = step->state;

    if (step->types[0] == NETFEAT_TYPE_LIST) {
        return nf_type_error(step, 0, "a value");
    }
    s->count = step->cls->id == NETFEAT_FEATURE_FREQUENCY &&
               nf_step_option(step, NETFEAT_OPT_FEATURE_STATISTIC) == NETFEAT_STATISTIC_COUNT;
    return nf_categories_init(&s->cat, step, step->types[0]);
}

static void close_codes(nf_step *step)
{
    codes *s = step->state;

    nf_free(step->ctx, s->shares, s->codes_n * sizeof *s->shares);
    nf_free(step->ctx, s->numbers, s->codes_n * sizeof *s->numbers);
    nf_categories_free(&s->cat);
}

static int fit_codes(nf_step *step, netfeat_column *const *in)
{
    codes *s = step->state;
    return nf_categories_fit(&s->cat, in[0]);
}

static int merge_codes(nf_step *step, const nf_step *other)
{
    codes *s = step->state;
    const codes *from = other->state;
    return nf_categories_merge(&s->cat, &from->cat);
}

static int save_codes(const nf_step *step, nf_state_writer *w)
{
    const codes *s = step->state;
    return nf_categories_save(&s->cat, w);
}

static int load_codes(nf_step *step, nf_state_reader *r)
{
    codes *s = step->state;
    return nf_categories_load(&s->cat, r);
}

static void share_of_each(const nf_categories *cat, double *restrict shares, uint32_t n)
{
    double total = (double)nf_categories_total(cat);

    for (uint32_t i = 0; i < n; i++) {
        uint64_t c = nf_categories_count(cat, i);
        shares[i] = c > 0 ? (double)c / total : 0.0;
    }
}

static int seal_frequency(nf_step *step)
{
    codes *s = step->state;
    uint32_t n = step->bound ? nf_categories_bound(&s->cat) : 0;

    if (n == 0) {
        return NETFEAT_OK;
    }
    if (s->count) {
        s->numbers = nf_alloc_array(step->ctx, n, sizeof *s->numbers);
        s->codes_n = s->numbers != NULL ? n : 0;
        for (uint32_t i = 0; i < s->codes_n; i++) {
            s->numbers[i] = nf_categories_count(&s->cat, i);
        }
        return s->numbers != NULL ? NETFEAT_OK : nf_ctx_code(step->ctx);
    }
    s->shares = nf_alloc_array(step->ctx, n, sizeof *s->shares);
    if (s->shares == NULL) {
        return nf_ctx_code(step->ctx);
    }
    s->codes_n = n;
    share_of_each(&s->cat, s->shares, n);
    return NETFEAT_OK;
}

static int seal_ordinal(nf_step *step)
{
    codes *s = step->state;
    uint32_t bound = step->bound ? nf_categories_bound(&s->cat) : 0;
    uint32_t *ids;
    size_t cap, n;
    int code;

    if (bound == 0) {
        return NETFEAT_OK;
    }
    code = nf_categories_list(&s->cat, step->ctx, false, &ids, &cap, &n);
    if (code != 0) {
        return code;
    }
    s->numbers = nf_alloc_zero(step->ctx, bound * sizeof *s->numbers);
    s->codes_n = s->numbers != NULL ? bound : 0;
    for (size_t i = 0; s->numbers != NULL && i < n; i++) {
        s->numbers[ids[i]] = i;
    }
    nf_free(step->ctx, ids, cap * sizeof *ids);
    return s->numbers != NULL ? NETFEAT_OK : nf_ctx_code(step->ctx);
}

/* ---- applying ---- */

/* Row `i` has no code: NULL stays NULL, an unknown value goes by the rule. */
static int no_code(netfeat_ctx *ctx, const nf_step *step, netfeat_column *col, int64_t i, uint8_t *validity)
{
    int rule = nf_unknown_rule(step, NETFEAT_UNKNOWN_NULL);

    if (nf_has_value(col, i) && rule == NETFEAT_UNKNOWN_ERROR) {
        return nf_unknown_error(ctx, step, col, i);
    }
    if (!nf_has_value(col, i) || rule == NETFEAT_UNKNOWN_NULL) {
        nf_bitmap_clear(validity, i);
    }
    return NETFEAT_OK;
}

static int apply_block(netfeat_ctx *ctx, nf_step *step, netfeat_column *col, int64_t first, int n, void *out,
                       uint8_t *validity)
{
    const codes *s = step->state;
    uint32_t ids[NF_BLOCK];
    int code = nf_categories_look_up(ctx, &s->cat, col, first, n, ids);

    for (int i = 0; code == 0 && i < n; i++) {
        bool known = ids[i] != NF_GROUP_NONE;
        if (s->shares != NULL) {
            ((double *)out)[first + i] = known ? s->shares[ids[i]] : 0.0;
        } else if (s->count) {
            ((uint64_t *)out)[first + i] = known ? s->numbers[ids[i]] : 0;
        } else {
            ((uint32_t *)out)[first + i] = known ? (uint32_t)s->numbers[ids[i]] : 0;
        }
        if (!known) {
            code = no_code(ctx, step, col, first + i, validity);
        }
    }
    return code;
}

/* Ports to shares, the common case: a look-up per row. Returns whether every value is known. */
static bool shares_of_ports(const double *restrict shares, const uint16_t *restrict ports, int n,
                            double *restrict out)
{
    bool known = true;

    for (int i = 0; i < n; i++) {
        double v = shares[ports[i]];
        out[i] = v;
        known &= v != 0.0;
    }
    return known;
}

static int apply_codes(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    const codes *s = step->state;
    bool ordinal = step->cls->id == NETFEAT_FEATURE_ORDINAL;
    bool ports = step->types[0] == NETFEAT_TYPE_U16 && in[0]->nulls == 0 && s->shares != NULL;
    int type = ordinal ? NETFEAT_TYPE_U32 : s->count ? NETFEAT_TYPE_U64 : NETFEAT_TYPE_F64;
    netfeat_column *col = NULL;
    void *data;
    uint8_t *validity;
    int code =
        nf_column_new(ctx, type, in[0]->length, s->count ? "rows" : "", nf_feature_definition(step->cls->id),
                      netfeat_feature_null_rule(step->cls->id), &col, &data, &validity);

    for (int64_t first = 0; code == 0 && first < in[0]->length; first += NF_BLOCK) {
        int n = in[0]->length - first < NF_BLOCK ? (int)(in[0]->length - first) : NF_BLOCK;
        if (ports && shares_of_ports(s->shares, (const uint16_t *)(const void *)in[0]->data + first, n,
                                     (double *)data + first)) {
            continue;
        }
        code = apply_block(ctx, step, in[0], first, n, data, validity);
    }
    if (code != 0) {
        netfeat_column_unref(col);
        return code;
    }
    nf_column_count_nulls(col);
    return nf_outputs_add(out, NULL, col);
}

/* ---- what was learned ---- */

static int add_counts(const nf_categories *cat, netfeat_ctx *ctx, const uint32_t *ids, size_t n,
                      nf_outputs *out)
{
    const char *definition = nf_feature_definition(NETFEAT_FEATURE_VALUE_COUNTS);
    double total = (double)nf_categories_total(cat);
    netfeat_column *counts = NULL, *shares = NULL;
    uint64_t *count;
    double *share;
    int code =
        nf_column_new(ctx, NETFEAT_TYPE_U64, (int64_t)n, "rows", definition, "never", &counts, &count, NULL);

    if (code != 0) {
        return code;
    }
    for (size_t i = 0; i < n; i++) {
        count[i] = nf_categories_count(cat, ids[i]);
    }
    code = nf_outputs_add(out, "count", counts);
    code = code != 0 ? code
                     : nf_column_new(ctx, NETFEAT_TYPE_F64, (int64_t)n, "", definition, "never", &shares,
                                     &share, NULL);
    if (code != 0) {
        return code;
    }
    for (size_t i = 0; i < n; i++) {
        share[i] = (double)nf_categories_count(cat, ids[i]) / total;
    }
    return nf_outputs_add(out, "share", shares);
}

static int add_ranks(netfeat_ctx *ctx, size_t n, nf_outputs *out)
{
    netfeat_column *ranks = NULL;
    uint32_t *rank;
    int code = nf_column_new(ctx, NETFEAT_TYPE_U32, (int64_t)n, "",
                             nf_feature_definition(NETFEAT_FEATURE_ORDINAL), "never", &ranks, &rank, NULL);

    if (code != 0) {
        return code;
    }
    for (size_t i = 0; i < n; i++) {
        rank[i] = (uint32_t)i;
    }
    return nf_outputs_add(out, "rank", ranks);
}

static int mapping_codes(netfeat_ctx *ctx, nf_step *step, nf_outputs *out)
{
    const codes *s = step->state;
    bool ordinal = step->cls->id == NETFEAT_FEATURE_ORDINAL;
    netfeat_column *values = NULL;
    uint32_t *ids = NULL;
    size_t cap = 0, n = 0;
    int code = nf_categories_list(&s->cat, ctx, !ordinal, &ids, &cap, &n);

    if (code != 0) {
        return code;
    }
    code = nf_categories_column(&s->cat, ctx, ids, n, &values);
    code = code != 0 ? code : nf_outputs_add(out, "value", values);
    if (code == 0) {
        code = ordinal ? add_ranks(ctx, n, out) : add_counts(&s->cat, ctx, ids, n, out);
    }
    nf_free(ctx, ids, cap * sizeof *ids);
    return code;
}

#define CLASS(which, suffix, seal_fn)                                                                        \
    const nf_feature_class nf_##which##_class = {                                                            \
        .id = NETFEAT_FEATURE_##suffix,                                                                      \
        .kind = NF_ENCODER,                                                                                  \
        .min_inputs = 1,                                                                                     \
        .max_inputs = 1,                                                                                     \
        .state_bytes = sizeof(codes),                                                                        \
        .bind = bind_codes,                                                                                  \
        .close = close_codes,                                                                                \
        .fit = fit_codes,                                                                                    \
        .seal = seal_fn,                                                                                     \
        .apply = apply_codes,                                                                                \
        .merge = merge_codes,                                                                                \
        .mapping = mapping_codes,                                                                            \
        .save = save_codes,                                                                                  \
        .load = load_codes,                                                                                  \
    };
CLASS(frequency, FREQUENCY, seal_frequency)
CLASS(ordinal, ORDINAL, seal_ordinal)

int netfeat_feature_frequency(netfeat_ctx *ctx, netfeat_column *col, const netfeat_options *opts,
                              netfeat_column **ret)
{
    return ctx == NULL ? NETFEAT_ERR_ARGUMENT
                       : nf_feature_run_column(ctx, NETFEAT_FEATURE_FREQUENCY, &col, 1, opts, ret);
}

int netfeat_feature_ordinal(netfeat_ctx *ctx, netfeat_column *col, const netfeat_options *opts,
                            netfeat_column **ret)
{
    return ctx == NULL ? NETFEAT_ERR_ARGUMENT
                       : nf_feature_run_column(ctx, NETFEAT_FEATURE_ORDINAL, &col, 1, opts, ret);
}

int netfeat_feature_value_counts(netfeat_ctx *ctx, netfeat_column *col, const netfeat_options *opts,
                                 netfeat_table **ret)
{
    netfeat_column *kept = NULL;
    nf_step *step = NULL;
    nf_outputs out;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (col == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "value_counts: a pointer is NULL");
    }
    nf_outputs_init(&out, ctx);
    code = nf_step_new(ctx, NETFEAT_FEATURE_FREQUENCY, NULL, 1, "", opts, &step);
    if (code == 0 && nf_column_wants_codes(ctx, col)) {
        code = nf_column_codes(col, &kept); /* fitting finds them with the column */
    }
    code = code != 0 ? code : nf_step_fit(step, &col);
    code = code != 0 ? code : mapping_codes(ctx, step, &out);
    code = code != 0 ? code : nf_outputs_table(&out, true, ret);
    nf_outputs_free(&out);
    nf_step_free(step);
    netfeat_column_unref(kept);
    return code;
}
