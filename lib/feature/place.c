/* Where packets go: private addresses, direction, port class. */
#include "base/bitmap.h"
#include "feature/address.h"
#include "feature/feature.h"

static int bind_addresses(nf_step *step)
{
    for (int i = 0; i < step->n_inputs; i++) {
        if (step->types[i] != NETFEAT_TYPE_BYTES16) {
            return nf_type_error(step, i, "bytes16");
        }
    }
    return NETFEAT_OK;
}

static int bind_port(nf_step *step)
{
    return step->types[0] == NETFEAT_TYPE_U16 ? NETFEAT_OK : nf_type_error(step, 0, "u16");
}

static int new_column(netfeat_ctx *ctx, const nf_step *step, int type, int64_t n, netfeat_column **col,
                      void *data, uint8_t **validity)
{
    return nf_column_new(ctx, type, n, "", nf_feature_definition(step->cls->id),
                         netfeat_feature_null_rule(step->cls->id), col, data, validity);
}

static int apply_private(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    netfeat_column *col = NULL;
    uint8_t *data, *validity;
    int code = new_column(ctx, step, NETFEAT_TYPE_BOOL, in[0]->length, &col, &data, &validity);

    if (code != 0) {
        return code;
    }
    for (int64_t i = 0; i < in[0]->length; i++) {
        if (nf_column_present(in[0], i) &&
            nf_address_is_private(nf_address_of(in[0]->data + (size_t)i * 16))) {
            nf_bitmap_set(data, i);
        }
    }
    nf_copy_validity(validity, in[0]);
    nf_column_count_nulls(col);
    return nf_outputs_add(out, NULL, col);
}

static uint8_t direction(nf_address src, nf_address dst)
{
    bool from = nf_address_is_inside(src);
    bool to = nf_address_is_inside(dst) || nf_address_is_group(dst);

    if (from) {
        return to ? NETFEAT_DIRECTION_INSIDE : NETFEAT_DIRECTION_OUTBOUND;
    }
    return to ? NETFEAT_DIRECTION_INBOUND : NETFEAT_DIRECTION_OUTSIDE;
}

static int apply_direction(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    netfeat_column *col = NULL;
    uint8_t *data, *validity;
    int code = new_column(ctx, step, NETFEAT_TYPE_U8, in[0]->length, &col, &data, &validity);

    if (code != 0) {
        return code;
    }
    for (int64_t i = 0; i < in[0]->length; i++) {
        if (nf_column_present(in[0], i) && nf_column_present(in[1], i)) {
            data[i] = direction(nf_address_of(in[0]->data + (size_t)i * 16),
                                nf_address_of(in[1]->data + (size_t)i * 16));
        } else {
            data[i] = 0;
            nf_bitmap_clear(validity, i);
        }
    }
    nf_column_count_nulls(col);
    return nf_outputs_add(out, NULL, col);
}

static int apply_port(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    const uint16_t *ports = (const uint16_t *)(const void *)in[0]->data;
    netfeat_column *col = NULL;
    uint8_t *data, *validity;
    int code = new_column(ctx, step, NETFEAT_TYPE_U8, in[0]->length, &col, &data, &validity);

    if (code != 0) {
        return code;
    }
    for (int64_t i = 0; i < in[0]->length; i++) {
        uint8_t class = ports[i] < 1024    ? NETFEAT_PORT_WELL_KNOWN
                        : ports[i] < 49152 ? NETFEAT_PORT_REGISTERED
                                           : NETFEAT_PORT_EPHEMERAL;
        data[i] = nf_column_present(in[0], i) ? class : 0;
    }
    nf_copy_validity(validity, in[0]);
    nf_column_count_nulls(col);
    return nf_outputs_add(out, NULL, col);
}

#define CLASS(which, suffix, inputs, bind_fn, apply_fn)                                                      \
    const nf_feature_class nf_##which##_class = {                                                            \
        .id = NETFEAT_FEATURE_##suffix,                                                                      \
        .kind = NF_STATELESS,                                                                                \
        .min_inputs = inputs,                                                                                \
        .max_inputs = inputs,                                                                                \
        .bind = bind_fn,                                                                                     \
        .apply = apply_fn,                                                                                   \
    };
CLASS(ip_private, IP_PRIVATE, 1, bind_addresses, apply_private)
CLASS(direction, DIRECTION, 2, bind_addresses, apply_direction)
CLASS(port_class, PORT_CLASS, 1, bind_port, apply_port)

int netfeat_feature_ip_private(netfeat_ctx *ctx, netfeat_column *addr, const netfeat_options *opts,
                               netfeat_column **ret)
{
    return ctx == NULL ? NETFEAT_ERR_ARGUMENT
                       : nf_feature_run_column(ctx, NETFEAT_FEATURE_IP_PRIVATE, &addr, 1, opts, ret);
}

int netfeat_feature_direction(netfeat_ctx *ctx, netfeat_column *src, netfeat_column *dst,
                              const netfeat_options *opts, netfeat_column **ret)
{
    netfeat_column *in[2] = {src, dst};

    return ctx == NULL ? NETFEAT_ERR_ARGUMENT
                       : nf_feature_run_column(ctx, NETFEAT_FEATURE_DIRECTION, in, 2, opts, ret);
}

int netfeat_feature_port_class(netfeat_ctx *ctx, netfeat_column *port, const netfeat_options *opts,
                               netfeat_column **ret)
{
    return ctx == NULL ? NETFEAT_ERR_ARGUMENT
                       : nf_feature_run_column(ctx, NETFEAT_FEATURE_PORT_CLASS, &port, 1, opts, ret);
}
