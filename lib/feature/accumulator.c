/* Accumulators: a step that carries state, behind a reference count. */
#include "feature/state.h"

struct netfeat_accumulator {
    nf_ref refs;
    nf_step *step;
};

static netfeat_ctx *ctx_of(const netfeat_accumulator *acc)
{
    return acc->step->ctx;
}

/* Takes the step in any case. */
static int wrap(netfeat_ctx *ctx, nf_step *step, netfeat_accumulator **ret)
{
    netfeat_accumulator *acc = nf_alloc(ctx, sizeof *acc);

    if (acc == NULL) {
        nf_step_free(step);
        return nf_ctx_code(ctx);
    }
    nf_ref_init(&acc->refs);
    acc->step = step;
    *ret = acc;
    return NETFEAT_OK;
}

int netfeat_accumulator_new(netfeat_ctx *ctx, int feature, const char *const *inputs, size_t n,
                            const netfeat_options *opts, netfeat_accumulator **ret)
{
    const nf_feature_class *cls = nf_feature_class_of(feature);
    nf_step *step = NULL;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL || cls == NULL || cls->kind != NF_ACCUMULATOR || (n > 0 && inputs == NULL)) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT,
                        "accumulator_new: feature %d is no accumulator, or a pointer is "
                        "NULL",
                        feature);
    }
    code = nf_step_new(ctx, feature, inputs, n, "", opts, &step);
    return code != 0 ? code : wrap(ctx, step, ret);
}

int netfeat_accumulator_push(netfeat_accumulator *acc, const netfeat_table *tab, netfeat_table **ret)
{
    netfeat_column *in[NF_INPUTS_MAX];
    netfeat_ctx *ctx;
    nf_outputs out;
    int code;

    if (acc == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    ctx = ctx_of(acc);
    if (ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "accumulator_push: ret is NULL");
    }
    code = nf_feature_table(ctx, tab);
    code = code != 0 ? code : nf_step_columns(ctx, acc->step, tab, in);
    if (code != 0) {
        return code;
    }
    nf_outputs_init(&out, ctx);
    code = nf_step_apply(ctx, acc->step, in, &out);
    if (code == 0) {
        code = nf_outputs_table(&out, false, ret);
        acc->step->failed = code != 0;
    }
    nf_outputs_free(&out);
    return code;
}

int netfeat_accumulator_finish(netfeat_accumulator *acc, netfeat_table **ret)
{
    netfeat_ctx *ctx;
    nf_outputs out;
    int code;

    if (acc == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    ctx = ctx_of(acc);
    if (ret == NULL || acc->step->cls->finish == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT,
                        "accumulator_finish: %s has nothing to finish, or ret is NULL",
                        netfeat_feature_name(acc->step->cls->id));
    }
    if (acc->step->failed || !acc->step->bound) {
        return nf_error(ctx, NETFEAT_ERR_STATE, "accumulator_finish: nothing was pushed, or a call failed");
    }
    nf_outputs_init(&out, ctx);
    code = acc->step->cls->finish(ctx, acc->step, &out);
    code = code != 0 ? code : nf_outputs_table(&out, false, ret);
    acc->step->failed = code != 0;
    nf_outputs_free(&out);
    return code;
}

int netfeat_accumulator_merge(netfeat_accumulator *acc, const netfeat_accumulator *other)
{
    if (acc == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (other == NULL) {
        return nf_error(ctx_of(acc), NETFEAT_ERR_ARGUMENT,
                        "accumulator_merge: the other accumulator is NULL");
    }
    return nf_step_merge(acc->step, other->step);
}

int64_t netfeat_accumulator_count(const netfeat_accumulator *acc, int which)
{
    if (acc == NULL || which < NETFEAT_COUNT_ROWS || which > NETFEAT_COUNT_LATE) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (which == NETFEAT_COUNT_ROWS) {
        return (int64_t)acc->step->rows;
    }
    if (!acc->step->bound || acc->step->cls->count == NULL) {
        return 0;
    }
    return acc->step->cls->count(acc->step, which);
}

int netfeat_accumulator_to_table(netfeat_ctx *ctx, const netfeat_accumulator *acc, netfeat_table **ret)
{
    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (acc == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "accumulator_to_table: a pointer is NULL");
    }
    return nf_state_of_step(ctx, acc->step, ret);
}

int netfeat_accumulator_from_table(netfeat_ctx *ctx, const netfeat_table *tab, netfeat_accumulator **ret)
{
    nf_step *step = NULL;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (tab == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "accumulator_from_table: a pointer is NULL");
    }
    code = nf_state_to_step(ctx, tab, NF_ACCUMULATOR, &step);
    return code != 0 ? code : wrap(ctx, step, ret);
}

netfeat_accumulator *netfeat_accumulator_ref(netfeat_accumulator *acc)
{
    if (acc != NULL) {
        nf_ref_get(&acc->refs);
    }
    return acc;
}

netfeat_accumulator *netfeat_accumulator_unref(netfeat_accumulator *acc)
{
    if (acc != NULL && nf_ref_put(&acc->refs)) {
        netfeat_ctx *ctx = netfeat_ctx_ref(ctx_of(acc));
        nf_step_free(acc->step);
        nf_free(ctx, acc, sizeof *acc);
        netfeat_ctx_unref(ctx);
    }
    return NULL;
}
