#include "feature/pipeline.h"

#include <string.h>

/* ---- life ---- */

int netfeat_pipeline_new(netfeat_ctx *ctx, netfeat_pipeline **ret)
{
    netfeat_pipeline *pipe;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "pipeline_new: ret is NULL");
    }
    pipe = nf_alloc_zero(ctx, sizeof *pipe);
    if (pipe == NULL) {
        return nf_ctx_code(ctx);
    }
    nf_ref_init(&pipe->refs);
    pipe->ctx = netfeat_ctx_ref(ctx);
    *ret = pipe;
    return NETFEAT_OK;
}

netfeat_pipeline *netfeat_pipeline_ref(netfeat_pipeline *pipe)
{
    if (pipe != NULL) {
        nf_ref_get(&pipe->refs);
    }
    return pipe;
}

netfeat_pipeline *netfeat_pipeline_unref(netfeat_pipeline *pipe)
{
    if (pipe != NULL && nf_ref_put(&pipe->refs)) {
        netfeat_ctx *ctx = pipe->ctx;
        for (size_t i = 0; i < pipe->n; i++) {
            nf_step_free(pipe->steps[i]);
        }
        nf_free(ctx, pipe->steps, pipe->cap * sizeof(nf_step *));
        nf_free(ctx, pipe, sizeof *pipe);
        netfeat_ctx_unref(ctx);
    }
    return NULL;
}

/* ---- steps ---- */

static int check_step(const netfeat_pipeline *pipe, const nf_step *step)
{
    if (pipe->fitted || pipe->sealed) {
        return nf_error(pipe->ctx, NETFEAT_ERR_STATE, "pipeline: no more steps once it was fitted");
    }
    if (pipe->n == NF_STEPS_MAX) {
        return nf_error(pipe->ctx, NETFEAT_ERR_LIMIT, "pipeline: more than %d steps", NF_STEPS_MAX);
    }
    if (step->cls->other_rows) {
        return nf_error(pipe->ctx, NETFEAT_ERR_ARGUMENT, "pipeline: %s does not give one row per row",
                        netfeat_feature_name(step->cls->id));
    }
    for (size_t i = 0; step->cls->kind == NF_ENCODER && i < pipe->n; i++) {
        const nf_step *before = pipe->steps[i];
        if (before->cls->kind == NF_ENCODER && strcmp(before->output, step->inputs[0]) == 0) {
            return nf_error(pipe->ctx, NETFEAT_ERR_ARGUMENT,
                            "pipeline: %s would have to learn from what %s encodes",
                            netfeat_feature_name(step->cls->id), netfeat_feature_name(before->cls->id));
        }
    }
    return NETFEAT_OK;
}

int nf_pipeline_add_step(netfeat_pipeline *pipe, nf_step *step)
{
    void *p = pipe->steps;
    int code = check_step(pipe, step);

    if (code == 0) {
        code = nf_grow(pipe->ctx, &p, &pipe->cap, pipe->n + 1, sizeof(nf_step *));
        pipe->steps = p;
    }
    if (code != 0) {
        nf_step_free(step);
        return code;
    }
    pipe->steps[pipe->n++] = step;
    return NETFEAT_OK;
}

int netfeat_pipeline_add(netfeat_pipeline *pipe, int feature, const char *const *inputs, size_t n,
                         const char *output, const netfeat_options *opts)
{
    nf_step *step = NULL;
    int code;

    if (pipe == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (n > 0 && inputs == NULL) {
        return nf_error(pipe->ctx, NETFEAT_ERR_ARGUMENT, "pipeline_add: the inputs are NULL");
    }
    code = nf_step_new(pipe->ctx, feature, inputs, n, output, opts, &step);
    return code != 0 ? code : nf_pipeline_add_step(pipe, step);
}

int netfeat_pipeline_steps(const netfeat_pipeline *pipe)
{
    return pipe != NULL ? (int)pipe->n : NETFEAT_ERR_ARGUMENT;
}

static const nf_step *step_at(const netfeat_pipeline *pipe, int index)
{
    return pipe != NULL && index >= 0 && (size_t)index < pipe->n ? pipe->steps[index] : NULL;
}

int netfeat_pipeline_step_feature(const netfeat_pipeline *pipe, int index)
{
    const nf_step *step = step_at(pipe, index);
    return step != NULL ? step->cls->id : NETFEAT_ERR_RANGE;
}

const char *netfeat_pipeline_step_output(const netfeat_pipeline *pipe, int index)
{
    const nf_step *step = step_at(pipe, index);
    return step != NULL ? step->output : NULL;
}

int netfeat_pipeline_step_inputs(const netfeat_pipeline *pipe, int index)
{
    const nf_step *step = step_at(pipe, index);
    return step != NULL ? step->n_inputs : NETFEAT_ERR_RANGE;
}

const char *netfeat_pipeline_step_input(const netfeat_pipeline *pipe, int index, int input)
{
    const nf_step *step = step_at(pipe, index);
    return step != NULL && input >= 0 && input < step->n_inputs ? step->inputs[input] : NULL;
}

/* ---- running ---- */

static int check(const netfeat_pipeline *pipe, const netfeat_table *tab, bool sealed, const char *call)
{
    int code = nf_feature_table(pipe->ctx, tab);

    if (code == 0 && pipe->failed) {
        code = nf_error(pipe->ctx, NETFEAT_ERR_STATE, "%s: an earlier call failed half-way", call);
    }
    if (code == 0 && pipe->sealed != sealed) {
        code = nf_error(pipe->ctx, NETFEAT_ERR_STATE, "%s: the pipeline is %ssealed", call,
                        sealed ? "not " : "");
    }
    return code;
}

/* Inputs of a step: columns of earlier steps, else of the table. */
static int find_inputs(const netfeat_pipeline *pipe, const nf_step *step, const netfeat_table *tab,
                       const nf_outputs *out, netfeat_column **in)
{
    for (int k = 0; k < step->n_inputs; k++) {
        int code = NETFEAT_OK;
        in[k] = NULL;
        for (size_t i = 0; in[k] == NULL && i < out->n; i++) {
            in[k] = strcmp(out->names[i], step->inputs[k]) == 0 ? out->cols[i] : NULL;
        }
        if (in[k] == NULL) {
            code = nf_feature_named(pipe->ctx, tab, step->inputs[k], &in[k]);
        }
        if (code != 0) {
            return code;
        }
    }
    return NETFEAT_OK;
}

/* May a column of this name come from the step? */
static bool may_give(const nf_step *step, const char *name)
{
    size_t n = strlen(step->output);

    return n == 0 || (strncmp(step->output, name, n) == 0 && (name[n] == '\0' || name[n] == '_'));
}

/* Which steps have to run so that the encoders can learn: the encoders' sources, and theirs. */
static void find_wanted(const netfeat_pipeline *pipe, bool wanted[NF_STEPS_MAX])
{
    for (size_t i = pipe->n; i-- > 0;) {
        const nf_step *step = pipe->steps[i];
        wanted[i] = step->cls->kind == NF_ENCODER;
        for (size_t j = i + 1; j < pipe->n && !wanted[i]; j++) {
            for (int k = 0; wanted[j] && k < pipe->steps[j]->n_inputs; k++) {
                wanted[i] = wanted[i] || may_give(step, pipe->steps[j]->inputs[k]);
            }
        }
    }
}

static int fit_steps(netfeat_pipeline *pipe, const netfeat_table *tab, nf_outputs *out)
{
    netfeat_column *in[NF_INPUTS_MAX];
    bool wanted[NF_STEPS_MAX];
    int code = NETFEAT_OK;

    find_wanted(pipe, wanted);
    for (size_t i = 0; code == 0 && i < pipe->n; i++) {
        nf_step *step = pipe->steps[i];
        if (!wanted[i] || step->typeless) {
            continue;
        }
        code = find_inputs(pipe, step, tab, out, in);
        if (code == 0) {
            code = step->cls->kind == NF_ENCODER ? nf_step_fit(step, in)
                                                 : nf_step_apply(pipe->ctx, step, in, out);
        }
    }
    return code;
}

int netfeat_pipeline_fit(netfeat_pipeline *pipe, const netfeat_table *tab)
{
    nf_outputs out;
    int code;

    if (pipe == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    code = check(pipe, tab, false, "pipeline_fit");
    if (code != 0) {
        return code;
    }
    nf_outputs_init(&out, pipe->ctx);
    pipe->fitted = true;
    code = fit_steps(pipe, tab, &out);
    pipe->failed = code != 0;
    nf_outputs_free(&out);
    return code;
}

static bool same_texts(const nf_step *a, const nf_step *b)
{
    bool same = a->n_inputs == b->n_inputs && strcmp(a->output, b->output) == 0;

    for (int k = 0; same && k < a->n_inputs; k++) {
        same = strcmp(a->inputs[k], b->inputs[k]) == 0;
    }
    return same && a->cls == b->cls;
}

int netfeat_pipeline_merge(netfeat_pipeline *pipe, const netfeat_pipeline *other)
{
    int code = NETFEAT_OK;

    if (pipe == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (other == NULL || other == pipe || other->n != pipe->n) {
        return nf_error(pipe->ctx, NETFEAT_ERR_ARGUMENT, "pipeline_merge: the other has not the same steps");
    }
    if (pipe->failed || other->failed || pipe->sealed || other->sealed) {
        return nf_error(pipe->ctx, NETFEAT_ERR_STATE,
                        "pipeline_merge: one is sealed, or a call of it failed");
    }
    for (size_t i = 0; i < pipe->n; i++) {
        if (!same_texts(pipe->steps[i], other->steps[i])) {
            return nf_error(pipe->ctx, NETFEAT_ERR_ARGUMENT, "pipeline_merge: step %zu is another one", i);
        }
    }
    for (size_t i = 0; code == 0 && i < pipe->n; i++) {
        if (pipe->steps[i]->cls->kind == NF_ENCODER) {
            code = nf_step_merge(pipe->steps[i], other->steps[i]);
            pipe->failed = code != 0 && i > 0;
        }
    }
    pipe->fitted = pipe->fitted || other->fitted;
    return code;
}

/* A fresh state for every step that carries one. All are made before any is exchanged. */
static int empty_accumulators(netfeat_pipeline *pipe)
{
    nf_step *fresh[NF_STEPS_MAX] = {NULL};
    int code = NETFEAT_OK;

    for (size_t i = 0; code == 0 && i < pipe->n; i++) {
        if (pipe->steps[i]->cls->kind == NF_ACCUMULATOR) {
            code = nf_step_clone_empty(pipe->ctx, pipe->steps[i], &fresh[i]);
        }
    }
    for (size_t i = 0; i < pipe->n; i++) {
        if (code != 0) {
            nf_step_free(fresh[i]);
        } else if (fresh[i] != NULL) {
            nf_step_free(pipe->steps[i]);
            pipe->steps[i] = fresh[i];
            pipe->steps[i]->sealed = true;
        }
    }
    return code;
}

int netfeat_pipeline_seal(netfeat_pipeline *pipe)
{
    int code = NETFEAT_OK;

    if (pipe == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (pipe->sealed) {
        return NETFEAT_OK;
    }
    if (pipe->failed || pipe->n == 0) {
        return nf_error(pipe->ctx, NETFEAT_ERR_STATE, "pipeline_seal: no steps, or an earlier call failed");
    }
    code = empty_accumulators(pipe);
    for (size_t i = 0; code == 0 && i < pipe->n; i++) {
        code = nf_step_seal(pipe->steps[i]);
        pipe->failed = code != 0;
    }
    pipe->sealed = code == 0;
    return code;
}

int netfeat_pipeline_reset(netfeat_pipeline *pipe)
{
    int code;

    if (pipe == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (!pipe->sealed) {
        return nf_error(pipe->ctx, NETFEAT_ERR_STATE, "pipeline_reset: the pipeline is not sealed");
    }
    code = empty_accumulators(pipe);
    pipe->failed = pipe->failed && code != 0;
    return code;
}

int netfeat_pipeline_apply(netfeat_pipeline *pipe, const netfeat_table *tab, netfeat_table **ret)
{
    netfeat_column *in[NF_INPUTS_MAX];
    nf_outputs out;
    int code;

    if (pipe == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL) {
        return nf_error(pipe->ctx, NETFEAT_ERR_ARGUMENT, "pipeline_apply: ret is NULL");
    }
    code = check(pipe, tab, true, "pipeline_apply");
    if (code != 0) {
        return code;
    }
    nf_outputs_init(&out, pipe->ctx);
    for (size_t i = 0; code == 0 && i < pipe->n; i++) {
        code = find_inputs(pipe, pipe->steps[i], tab, &out, in);
        code = code != 0 ? code : nf_step_apply(pipe->ctx, pipe->steps[i], in, &out);
    }
    code = code != 0 ? code : nf_outputs_table(&out, pipe->names_checked, ret);
    pipe->names_checked = code == 0;
    pipe->failed = code != 0;
    nf_outputs_free(&out);
    return code;
}

/* ---- state ---- */

int netfeat_pipeline_to_table(netfeat_ctx *ctx, const netfeat_pipeline *pipe, netfeat_table **ret)
{
    nf_state_writer w;
    int code = NETFEAT_OK;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (pipe == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "pipeline_to_table: a pointer is NULL");
    }
    if (pipe->failed) {
        return nf_error(ctx, NETFEAT_ERR_STATE, "pipeline_to_table: an earlier call failed half-way");
    }
    nf_state_writer_init(&w, ctx);
    for (size_t i = 0; code == 0 && i < pipe->n; i++) {
        code = nf_state_put_step(&w, pipe->steps[i]);
    }
    code = code != 0 ? code : nf_state_finish(&w, ret);
    nf_state_writer_free(&w);
    return code;
}

static int read_steps(nf_state_reader *r, netfeat_pipeline *pipe)
{
    uint32_t n = nf_state_steps(r);
    bool sealed = false;
    int code = NETFEAT_OK;

    for (uint32_t i = 0; code == 0 && i < n; i++) {
        nf_step *step = NULL;
        nf_state_select(r, i);
        code = nf_state_get_step(r, &step);
        if (code == 0 && i > 0 && step->sealed != sealed) {
            code = nf_state_bad(r, "some steps are sealed, others are not");
        }
        if (code != 0) {
            nf_step_free(step);
            return code;
        }
        sealed = step->sealed;
        pipe->fitted = false;
        code = nf_pipeline_add_step(pipe, step);
        pipe->names_checked = false;
    }
    pipe->sealed = sealed;
    pipe->fitted = n > 0;
    return code;
}

int netfeat_pipeline_from_table(netfeat_ctx *ctx, const netfeat_table *tab, netfeat_pipeline **ret)
{
    netfeat_pipeline *pipe = NULL;
    nf_state_reader r;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (tab == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "pipeline_from_table: a pointer is NULL");
    }
    code = nf_state_reader_init(&r, ctx, tab);
    code = code != 0 ? code : netfeat_pipeline_new(ctx, &pipe);
    code = code != 0 ? code : read_steps(&r, pipe);
    if (code != 0) {
        netfeat_pipeline_unref(pipe);
        return code;
    }
    *ret = pipe;
    return NETFEAT_OK;
}
