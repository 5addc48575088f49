/* Encoders: a step that learns, behind a reference count. */
#include "feature/state.h"

struct netfeat_encoder {
    nf_ref refs;
    nf_step *step;
};

static netfeat_ctx *ctx_of(const netfeat_encoder *enc)
{
    return enc->step->ctx;
}

/* Takes the step in any case. */
static int wrap(netfeat_ctx *ctx, nf_step *step, netfeat_encoder **ret)
{
    netfeat_encoder *enc = nf_alloc(ctx, sizeof *enc);

    if (enc == NULL) {
        nf_step_free(step);
        return nf_ctx_code(ctx);
    }
    nf_ref_init(&enc->refs);
    enc->step = step;
    *ret = enc;
    return NETFEAT_OK;
}

int netfeat_encoder_new(netfeat_ctx *ctx, int feature, const netfeat_options *opts, netfeat_encoder **ret)
{
    const nf_feature_class *cls = nf_feature_class_of(feature);
    nf_step *step = NULL;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL || cls == NULL || cls->kind != NF_ENCODER) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "encoder_new: feature %d is no encoder, or ret is NULL",
                        feature);
    }
    code = nf_step_new(ctx, feature, NULL, 1, "", opts, &step);
    return code != 0 ? code : wrap(ctx, step, ret);
}

int netfeat_encoder_fit(netfeat_encoder *enc, netfeat_column *col)
{
    if (enc == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (col == NULL) {
        return nf_error(ctx_of(enc), NETFEAT_ERR_ARGUMENT, "encoder_fit: the column is NULL");
    }
    return nf_step_fit(enc->step, &col);
}

int netfeat_encoder_merge(netfeat_encoder *enc, const netfeat_encoder *other)
{
    if (enc == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (other == NULL) {
        return nf_error(ctx_of(enc), NETFEAT_ERR_ARGUMENT, "encoder_merge: the other encoder is NULL");
    }
    return nf_step_merge(enc->step, other->step);
}

int netfeat_encoder_seal(netfeat_encoder *enc)
{
    return enc != NULL ? nf_step_seal(enc->step) : NETFEAT_ERR_ARGUMENT;
}

int netfeat_encoder_apply(netfeat_ctx *ctx, netfeat_encoder *enc, netfeat_column *col, netfeat_table **ret)
{
    nf_outputs out;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (enc == NULL || col == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "encoder_apply: a pointer is NULL");
    }
    nf_outputs_init(&out, ctx);
    code = nf_step_apply(ctx, enc->step, &col, &out);
    code = code != 0 ? code : nf_outputs_table(&out, false, ret);
    nf_outputs_free(&out);
    return code;
}

int netfeat_encoder_mapping(netfeat_ctx *ctx, netfeat_encoder *enc, netfeat_table **ret)
{
    nf_outputs out;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (enc == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "encoder_mapping: a pointer is NULL");
    }
    if (!enc->step->sealed || !(enc->step->bound || enc->step->typeless)) {
        return nf_error(ctx, NETFEAT_ERR_STATE,
                        "encoder_mapping: the encoder is not sealed, or has seen no column");
    }
    nf_outputs_init(&out, ctx);
    code = enc->step->cls->mapping(ctx, enc->step, &out);
    code = code != 0 ? code : nf_outputs_table(&out, true, ret);
    nf_outputs_free(&out);
    return code;
}

int netfeat_encoder_to_table(netfeat_ctx *ctx, const netfeat_encoder *enc, netfeat_table **ret)
{
    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (enc == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "encoder_to_table: a pointer is NULL");
    }
    return nf_state_of_step(ctx, enc->step, ret);
}

int netfeat_encoder_from_table(netfeat_ctx *ctx, const netfeat_table *tab, netfeat_encoder **ret)
{
    nf_step *step = NULL;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (tab == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "encoder_from_table: a pointer is NULL");
    }
    code = nf_state_to_step(ctx, tab, NF_ENCODER, &step);
    return code != 0 ? code : wrap(ctx, step, ret);
}

netfeat_encoder *netfeat_encoder_ref(netfeat_encoder *enc)
{
    if (enc != NULL) {
        nf_ref_get(&enc->refs);
    }
    return enc;
}

netfeat_encoder *netfeat_encoder_unref(netfeat_encoder *enc)
{
    if (enc != NULL && nf_ref_put(&enc->refs)) {
        netfeat_ctx *ctx = netfeat_ctx_ref(ctx_of(enc));
        nf_step_free(enc->step);
        nf_free(ctx, enc, sizeof *enc);
        netfeat_ctx_unref(ctx);
    }
    return NULL;
}
