/* A step: feature, inputs, options and state, and the rules that hold for all of them. */
#include <assert.h>
#include <string.h>

#include "base/bitmap.h"
#include "feature/feature.h"

/* ---- making ---- */

/* Settings of the feature section only: nothing else changes what a feature computes. */
static bool is_feature_option(int key)
{
    return key >> 8 == NETFEAT_OPT_FEATURE_NULL >> 8;
}

int nf_feature_copy_options(netfeat_ctx *ctx, const netfeat_options *from, netfeat_options **ret)
{
    netfeat_options *opts = NULL;
    int code = netfeat_options_new(ctx, &opts);

    for (int key = netfeat_option_next(0); code == 0 && from != NULL && key != 0;
         key = netfeat_option_next(key)) {
        int64_t number;
        if (!is_feature_option(key)) {
            continue;
        }
        if (netfeat_option_kind(key) == NETFEAT_KIND_TEXT) {
            code = netfeat_options_set_text(opts, key, netfeat_options_get_text(from, key));
        } else {
            code = netfeat_options_get_int(from, key, &number);
            code = code != 0 ? code : netfeat_options_set_int(opts, key, number);
        }
    }
    if (code != 0) {
        netfeat_options_unref(opts);
        return code;
    }
    *ret = opts;
    return NETFEAT_OK;
}

static int add_input(nf_step *step, const char *name, size_t length)
{
    if (step->n_inputs == NF_INPUTS_MAX) {
        return nf_error(step->ctx, NETFEAT_ERR_ARGUMENT, "%s: more than %d inputs",
                        netfeat_feature_name(step->cls->id), NF_INPUTS_MAX);
    }
    step->inputs[step->n_inputs] = nf_strndup(step->ctx, name, length);
    if (step->inputs[step->n_inputs] == NULL) {
        return nf_ctx_code(step->ctx);
    }
    step->n_inputs++;
    return NETFEAT_OK;
}

static int add_default_inputs(nf_step *step)
{
    const char *list = netfeat_feature_inputs(step->cls->id);
    int code = NETFEAT_OK;

    while (code == 0 && *list != '\0') {
        size_t length = strcspn(list, ",");
        code = add_input(step, list, length);
        list += length + (list[length] == ',' ? 1 : 0);
    }
    return code;
}

static int add_inputs(nf_step *step, const char *const *inputs, size_t n)
{
    int code = NETFEAT_OK;

    if (n == 0) {
        code = add_default_inputs(step);
    }
    for (size_t i = 0; code == 0 && i < n; i++) {
        const char *name = inputs != NULL ? inputs[i] : "?";
        if (name == NULL || name[0] == '\0') {
            return nf_error(step->ctx, NETFEAT_ERR_ARGUMENT, "%s: input %zu has no name",
                            netfeat_feature_name(step->cls->id), i);
        }
        code = add_input(step, name, strlen(name));
    }
    if (code == 0 && (step->n_inputs < step->cls->min_inputs || step->n_inputs > step->cls->max_inputs)) {
        code = nf_error(step->ctx, NETFEAT_ERR_ARGUMENT, "%s takes %d to %d inputs, not %d",
                        netfeat_feature_name(step->cls->id), step->cls->min_inputs, step->cls->max_inputs,
                        step->n_inputs);
    }
    return code;
}

int nf_step_new(netfeat_ctx *ctx, int feature, const char *const *inputs, size_t n, const char *output,
                const netfeat_options *opts, nf_step **ret)
{
    const nf_feature_class *cls = nf_feature_class_of(feature);
    nf_step *step;
    int code;

    if (cls == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "no such feature, or it is a function only: %d", feature);
    }
    step = nf_alloc_zero(ctx, sizeof *step);
    if (step == NULL) {
        return nf_ctx_code(ctx);
    }
    step->ctx = netfeat_ctx_ref(ctx);
    step->cls = cls;
    code = nf_feature_copy_options(ctx, opts, &step->opts);
    code = code != 0 ? code : add_inputs(step, inputs, n);
    if (code == 0) {
        output = output != NULL ? output : "";
        step->output = nf_strndup(ctx, output, strlen(output));
        code = step->output != NULL ? NETFEAT_OK : nf_ctx_code(ctx);
    }
    if (code == 0 && cls->state_bytes > 0) {
        step->state = nf_alloc_zero(ctx, cls->state_bytes);
        code = step->state != NULL ? NETFEAT_OK : nf_ctx_code(ctx);
    }
    if (code == 0 && cls->open != NULL) {
        code = cls->open(step);
    }
    if (code != 0) {
        nf_step_free(step);
        return code;
    }
    *ret = step;
    return NETFEAT_OK;
}

void nf_step_free(nf_step *step)
{
    netfeat_ctx *ctx;

    if (step == NULL) {
        return;
    }
    ctx = step->ctx;
    if (step->state != NULL) {
        if (step->cls->close != NULL) {
            step->cls->close(step);
        }
        nf_free(ctx, step->state, step->cls->state_bytes);
    }
    for (int i = 0; i < step->n_inputs; i++) {
        nf_free(ctx, step->inputs[i], strlen(step->inputs[i]) + 1);
    }
    if (step->output != NULL) {
        nf_free(ctx, step->output, strlen(step->output) + 1);
    }
    nf_free(ctx, step->ranges, step->ranges_cap * sizeof *step->ranges);
    netfeat_options_unref(step->opts);
    nf_free(ctx, step, sizeof *step);
    netfeat_ctx_unref(ctx);
}

int nf_step_clone_empty(netfeat_ctx *ctx, const nf_step *step, nf_step **ret)
{
    return nf_step_new(ctx, step->cls->id, (const char *const *)step->inputs, (size_t)step->n_inputs,
                       step->output, step->opts, ret);
}

/* ---- binding ---- */

int nf_type_error(const nf_step *step, int input, const char *wanted)
{
    return nf_error(step->ctx, NETFEAT_ERR_TYPE, "%s: input %s is %s, wanted is %s",
                    netfeat_feature_name(step->cls->id), step->inputs[input],
                    netfeat_type_name(step->types[input]), wanted);
}

int nf_step_bind_types(nf_step *step, const int *types)
{
    int code;

    assert(!step->bound);
    memcpy(step->types, types, (size_t)step->n_inputs * sizeof *types);
    code = step->cls->bind != NULL ? step->cls->bind(step) : NETFEAT_OK;
    step->bound = code == 0;
    return code;
}

int nf_step_bind(nf_step *step, netfeat_column *const *in)
{
    int types[NF_INPUTS_MAX];

    for (int i = 0; i < step->n_inputs; i++) {
        types[i] = in[i]->type;
    }
    return step->bound ? NETFEAT_OK : nf_step_bind_types(step, types);
}

static int check_types(netfeat_ctx *ctx, const nf_step *step, netfeat_column *const *in)
{
    for (int i = 0; i < step->n_inputs; i++) {
        if (in[i]->type != step->types[i]) {
            return nf_error(ctx, NETFEAT_ERR_TYPE, "%s: input %s was %s and is now %s",
                            netfeat_feature_name(step->cls->id), step->inputs[i],
                            netfeat_type_name(step->types[i]), netfeat_type_name(in[i]->type));
        }
    }
    return NETFEAT_OK;
}

int nf_step_columns(netfeat_ctx *ctx, const nf_step *step, const netfeat_table *tab, netfeat_column **in)
{
    for (int i = 0; i < step->n_inputs; i++) {
        int code = nf_feature_named(ctx, tab, step->inputs[i], &in[i]);
        if (code != 0) {
            return code;
        }
    }
    return NETFEAT_OK;
}

static int check_not_failed(netfeat_ctx *ctx, const nf_step *step)
{
    if (step->failed) {
        return nf_error(ctx, NETFEAT_ERR_STATE, "%s: an earlier call failed half-way",
                        netfeat_feature_name(step->cls->id));
    }
    return NETFEAT_OK;
}

/* ---- learning ---- */

int nf_step_fit(nf_step *step, netfeat_column *const *in)
{
    int code = check_not_failed(step->ctx, step);

    if (code == 0 && step->sealed) {
        code = nf_error(step->ctx, NETFEAT_ERR_STATE, "%s is sealed", netfeat_feature_name(step->cls->id));
    }
    if (code == 0 && step->typeless) {
        return NETFEAT_OK;
    }
    code = code != 0 ? code : nf_step_bind(step, in);
    code = code != 0 ? code : check_types(step->ctx, step, in);
    if (code == 0) {
        code = step->cls->fit(step, in);
        step->failed = code != 0;
    }
    return code;
}

int nf_step_seal(nf_step *step)
{
    int code = check_not_failed(step->ctx, step);

    if (code == 0 && !step->sealed && step->cls->seal != NULL) {
        code = step->cls->seal(step);
        step->failed = code != 0;
    }
    if (code == 0) {
        step->sealed = true;
    }
    return code;
}

/* ---- applying ---- */

/* feature.null: data of NULL rows is zero already, so that dropping the bitmap makes them the value 0. */
static int settle_nulls(netfeat_ctx *ctx, const nf_step *step, nf_outputs *out, size_t from)
{
    int64_t rule = nf_step_option(step, NETFEAT_OPT_FEATURE_NULL);

    for (size_t i = from; i < out->n; i++) {
        netfeat_column *col = out->cols[i];
        if (col->nulls == 0 || rule == NETFEAT_RESULT_NULL) {
            continue;
        }
        if (rule == NETFEAT_RESULT_ERROR) {
            return nf_error(ctx, NETFEAT_ERR_RANGE, "%s: %lld rows of %s are NULL",
                            netfeat_feature_name(step->cls->id), (long long)col->nulls, out->names[i]);
        }
        col->nulls = 0;
        col->validity = NULL;
        col->validity_buf = nf_buffer_unref(col->validity_buf);
    }
    return NETFEAT_OK;
}

static uint64_t next_row(const nf_step *step)
{
    return step->n_ranges > 0 ? step->ranges[step->n_ranges - 1].end
                              : (uint64_t)nf_step_option(step, NETFEAT_OPT_FEATURE_FIRST_ROW);
}

/* Rows that are about to be pushed get numbers. */
static int note_rows(nf_step *step, int64_t n)
{
    uint64_t first = next_row(step);
    void *p = step->ranges;
    int code;

    if (!step->cls->ordered || n == 0) {
        return NETFEAT_OK;
    }
    if (step->n_ranges == 0) {
        code = nf_grow(step->ctx, &p, &step->ranges_cap, 1, sizeof *step->ranges);
        step->ranges = p;
        if (code != 0) {
            return code;
        }
        step->ranges[step->n_ranges++] = (nf_row_range){first, first};
    }
    step->ranges[step->n_ranges - 1].end += (uint64_t)n;
    return NETFEAT_OK;
}

int nf_step_apply(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    bool carries = step->cls->kind == NF_ACCUMULATOR;
    size_t from = out->n;
    int code = check_not_failed(ctx, step);

    if (code == 0 && step->cls->kind == NF_ENCODER && (!step->sealed || !(step->bound || step->typeless))) {
        code = nf_error(ctx, NETFEAT_ERR_STATE, "%s is not sealed, or has seen no column",
                        netfeat_feature_name(step->cls->id));
    }
    if (code == 0 && step->cls->kind != NF_ENCODER) {
        code = nf_step_bind(step, in);
    }
    code = code != 0 || step->typeless ? code : check_types(ctx, step, in);
    if (code != 0) {
        return code;
    }
    out->prefix = step->output;
    out->name = netfeat_feature_name(step->cls->id);
    if (carries) {
        code = note_rows(step, in[0]->length);
    }
    code = code != 0 ? code : step->cls->apply(ctx, step, in, out);
    code = code != 0 ? code : settle_nulls(ctx, step, out, from);
    if (carries) {
        step->rows += (uint64_t)in[0]->length;
        step->failed = code != 0;
    }
    return code;
}

/* ---- merging ---- */

/* Union of the row ranges; ARGUMENT when they overlap. Nothing changes on failure. */
static int merge_ranges(nf_step *step, const nf_step *other)
{
    size_t n = step->n_ranges + other->n_ranges;
    nf_row_range *all;
    size_t i = 0, j = 0, k = 0;

    if (n == 0) {
        return NETFEAT_OK;
    }
    all = nf_alloc_array(step->ctx, n, sizeof *all);
    if (all == NULL) {
        return nf_ctx_code(step->ctx);
    }
    while (i < step->n_ranges || j < other->n_ranges) {
        bool mine =
            j == other->n_ranges || (i < step->n_ranges && step->ranges[i].first < other->ranges[j].first);
        nf_row_range r = mine ? step->ranges[i++] : other->ranges[j++];
        if (k > 0 && r.first < all[k - 1].end) {
            nf_free(step->ctx, all, n * sizeof *all);
            return nf_error(step->ctx, NETFEAT_ERR_ARGUMENT,
                            "%s: both have seen row %llu (feature.first_row)",
                            netfeat_feature_name(step->cls->id), (unsigned long long)r.first);
        }
        if (k > 0 && r.first == all[k - 1].end) {
            all[k - 1].end = r.end;
        } else {
            all[k++] = r;
        }
    }
    nf_free(step->ctx, step->ranges, step->ranges_cap * sizeof *step->ranges);
    step->ranges = all;
    step->ranges_cap = n;
    step->n_ranges = k;
    return NETFEAT_OK;
}

/* Options that may differ between shards. */
static bool is_local_option(int key)
{
    return key == NETFEAT_OPT_FEATURE_FIRST_ROW || key == NETFEAT_OPT_FEATURE_SERVICES_FILE;
}

static bool same_options(const nf_step *a, const nf_step *b)
{
    for (int key = netfeat_option_next(0); key != 0; key = netfeat_option_next(key)) {
        if (!is_feature_option(key) || is_local_option(key)) {
            continue;
        }
        if (netfeat_option_kind(key) == NETFEAT_KIND_TEXT) {
            if (strcmp(netfeat_options_get_text(a->opts, key), netfeat_options_get_text(b->opts, key)) != 0) {
                return false;
            }
        } else if (nf_step_option(a, key) != nf_step_option(b, key)) {
            return false;
        }
    }
    return true;
}

int nf_step_merge(nf_step *step, const nf_step *other)
{
    const char *name = netfeat_feature_name(step->cls->id);
    int code = check_not_failed(step->ctx, step);

    code = code != 0 ? code : check_not_failed(step->ctx, other);
    if (code != 0) {
        return code;
    }
    if (step == other || step->cls != other->cls || step->n_inputs != other->n_inputs ||
        !same_options(step, other)) {
        return nf_error(step->ctx, NETFEAT_ERR_ARGUMENT,
                        "%s: only another state of the same feature and options merges", name);
    }
    if (step->cls->kind == NF_ENCODER && (step->sealed || other->sealed)) {
        return nf_error(step->ctx, NETFEAT_ERR_STATE, "%s: a sealed encoder does not merge", name);
    }
    if (step->cls->merge == NULL) {
        return nf_error(step->ctx, NETFEAT_ERR_UNSUPPORTED, "%s: no merge of two states can be exact", name);
    }
    if (!other->bound) {
        return NETFEAT_OK; /* it has seen nothing */
    }
    if (step->bound &&
        memcmp(step->types, other->types, (size_t)step->n_inputs * sizeof step->types[0]) != 0) {
        return nf_error(step->ctx, NETFEAT_ERR_TYPE, "%s: the inputs are of different types", name);
    }
    code = step->bound ? NETFEAT_OK : nf_step_bind_types(step, other->types);
    code = code != 0 ? code : merge_ranges(step, other);
    if (code == 0) {
        code = step->cls->merge(step, other);
        step->failed = code != 0 && code != NETFEAT_ERR_UNSUPPORTED;
    }
    step->rows += code == 0 ? other->rows : 0;
    return code;
}
