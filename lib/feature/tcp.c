/* TCP: flag bits as columns, and the mark of Mirai's scanner. */
#include <netfeat/field.h>

#include "base/bitmap.h"
#include "feature/address.h"
#include "feature/feature.h"

static const char *const flag_names[] = {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ae"};

enum { N_FLAGS = sizeof flag_names / sizeof flag_names[0] };

static int bind_flags(nf_step *step)
{
    int type = step->types[0];

    return type == NETFEAT_TYPE_U16 || type == NETFEAT_TYPE_U8 ? NETFEAT_OK
                                                               : nf_type_error(step, 0, "u16 or u8");
}

static int apply_flags(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    int code = NETFEAT_OK;

    for (int k = 0; code == 0 && k < N_FLAGS; k++) {
        netfeat_column *col = NULL;
        uint8_t *data, *validity;
        code = nf_column_new(ctx, NETFEAT_TYPE_BOOL, in[0]->length, "", nf_feature_definition(step->cls->id),
                             netfeat_feature_null_rule(step->cls->id), &col, &data, &validity);
        if (code != 0) {
            break;
        }
        for (int64_t first = 0; first < in[0]->length; first += NF_BLOCK) {
            int n = in[0]->length - first < NF_BLOCK ? (int)(in[0]->length - first) : NF_BLOCK;
            uint64_t flags[NF_BLOCK];
            nf_read_u64(in[0], first, n, flags);
            for (int i = 0; i < n; i++) {
                if ((flags[i] >> k & 1) != 0 && nf_column_present(in[0], first + i)) {
                    nf_bitmap_set(data, first + i);
                }
            }
        }
        nf_copy_validity(validity, in[0]);
        nf_column_count_nulls(col);
        code = nf_outputs_add(out, flag_names[k], col);
    }
    return code;
}

static int bind_mirai(nf_step *step)
{
    if (step->types[0] != NETFEAT_TYPE_U16) {
        return nf_type_error(step, 0, "u16");
    }
    if (step->types[1] != NETFEAT_TYPE_U32) {
        return nf_type_error(step, 1, "u32");
    }
    return step->types[2] == NETFEAT_TYPE_BYTES16 ? NETFEAT_OK : nf_type_error(step, 2, "bytes16");
}

static int apply_mirai(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    const uint16_t *flags = (const uint16_t *)(const void *)in[0]->data;
    const uint32_t *seq = (const uint32_t *)(const void *)in[1]->data;
    netfeat_column *col = NULL;
    uint8_t *data, *validity;
    int code = nf_column_new(ctx, NETFEAT_TYPE_BOOL, in[0]->length, "", nf_feature_definition(step->cls->id),
                             netfeat_feature_null_rule(step->cls->id), &col, &data, &validity);

    if (code != 0) {
        return code;
    }
    for (int64_t i = 0; i < in[0]->length; i++) {
        nf_address dst = nf_address_of(in[2]->data + (size_t)i * 16);
        if (!nf_column_present(in[0], i) || !nf_column_present(in[1], i) || !nf_column_present(in[2], i) ||
            !dst.ipv4) {
            nf_bitmap_clear(validity, i);
        } else if ((flags[i] & (NETFEAT_TCP_SYN | NETFEAT_TCP_ACK)) == NETFEAT_TCP_SYN && seq[i] == dst.lo) {
            nf_bitmap_set(data, i);
        }
    }
    nf_column_count_nulls(col);
    return nf_outputs_add(out, NULL, col);
}

const nf_feature_class nf_tcp_flags_class = {
    .id = NETFEAT_FEATURE_TCP_FLAGS,
    .kind = NF_STATELESS,
    .min_inputs = 1,
    .max_inputs = 1,
    .bind = bind_flags,
    .apply = apply_flags,
};

const nf_feature_class nf_mirai_syn_class = {
    .id = NETFEAT_FEATURE_MIRAI_SYN,
    .kind = NF_STATELESS,
    .min_inputs = 3,
    .max_inputs = 3,
    .bind = bind_mirai,
    .apply = apply_mirai,
};

int netfeat_feature_tcp_flags(netfeat_ctx *ctx, netfeat_column *flags, const netfeat_options *opts,
                              netfeat_table **ret)
{
    return ctx == NULL ? NETFEAT_ERR_ARGUMENT
                       : nf_feature_run(ctx, NETFEAT_FEATURE_TCP_FLAGS, &flags, 1, opts, ret);
}

int netfeat_feature_mirai_syn(netfeat_ctx *ctx, const netfeat_table *tab, const netfeat_options *opts,
                              netfeat_column **ret)
{
    netfeat_column *in[3];
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    code = nf_feature_table(ctx, tab);
    code = code != 0 ? code : nf_feature_named(ctx, tab, "tcp_flags", &in[0]);
    code = code != 0 ? code : nf_feature_named(ctx, tab, "tcp_seq", &in[1]);
    code = code != 0 ? code : nf_feature_named(ctx, tab, "dst_ip", &in[2]);
    return code != 0 ? code : nf_feature_run_column(ctx, NETFEAT_FEATURE_MIRAI_SYN, in, 3, opts, ret);
}
