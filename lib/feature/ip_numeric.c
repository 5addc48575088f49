/* Addresses as numbers. */
#include <math.h>
#include <string.h>

#include "base/bitmap.h"
#include "feature/address.h"
#include "feature/feature.h"

static int bind(nf_step *step)
{
    int type = step->types[0];

    return type == NETFEAT_TYPE_BYTES16 || type == NETFEAT_TYPE_TEXT
               ? NETFEAT_OK
               : nf_type_error(step, 0, "bytes16 or text");
}

static inline nf_address read_address(const netfeat_column *col, int64_t i)
{
    nf_address a = {false, 0, 0};

    if (!nf_column_present(col, i)) {
        return a;
    }
    if (col->type == NETFEAT_TYPE_BYTES16) {
        return nf_address_of(col->data + (size_t)i * 16);
    }
    nf_address_parse((const char *)col->data + col->offsets[i],
                     (size_t)(col->offsets[i + 1] - col->offsets[i]), &a);
    return a;
}

/* Nearest double of hi * 2^64 + lo: a bit below the 64 that are kept stands for all that were cut. */
static double to_double(nf_address a)
{
    int shift;
    uint64_t top;

    if (a.hi == 0) {
        return (double)a.lo;
    }
    shift = __builtin_clzll(a.hi);
    top = shift > 0 ? a.hi << shift | a.lo >> (64 - shift) : a.hi;
    top |= (shift > 0 ? a.lo << shift : a.lo) != 0;
    return ldexp((double)top, 64 - shift);
}

static double to_unit(nf_address a)
{
    double v = ldexp(to_double(a), a.ipv4 ? -32 : -128);

    return v < 1.0 ? v : 1.0 - 0x1p-53; /* the nearest double below, where rounding reached 1 */
}

static int new_column(netfeat_ctx *ctx, const netfeat_column *in, int type, netfeat_column **col, void *data)
{
    uint8_t *validity;
    int code = nf_column_new(ctx, type, in->length, "", nf_feature_definition(NETFEAT_FEATURE_IP_NUMERIC),
                             netfeat_feature_null_rule(NETFEAT_FEATURE_IP_NUMERIC), col, data, &validity);

    if (code == 0) {
        nf_copy_validity(validity, in);
        nf_column_count_nulls(*col);
    }
    return code;
}

/* BYTES16 without NULLs: the loop that most tables take. */
static void halves_of_bytes(const uint8_t *restrict from, int64_t n, uint64_t *restrict hi,
                            uint64_t *restrict lo)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t h = nf_address_half(from + 16 * i);
        uint64_t l = nf_address_half(from + 16 * i + 8);
        hi[i] = h;
        lo[i] = h == 0 && l >> 32 == 0xffff ? l & UINT64_C(0xffffffff) : l;
    }
}

static int add_halves(netfeat_ctx *ctx, const netfeat_column *in, nf_outputs *out)
{
    netfeat_column *hi = NULL, *lo = NULL;
    uint64_t *h = NULL, *l = NULL;
    int code = new_column(ctx, in, NETFEAT_TYPE_U64, &hi, &h);

    code = code != 0 ? code : new_column(ctx, in, NETFEAT_TYPE_U64, &lo, &l);
    if (code != 0) {
        netfeat_column_unref(hi);
        return code;
    }
    if (in->type == NETFEAT_TYPE_BYTES16 && in->nulls == 0) {
        halves_of_bytes(in->data, in->length, h, l);
    } else {
        for (int64_t i = 0; i < in->length; i++) {
            nf_address a = read_address(in, i);
            h[i] = a.hi;
            l[i] = a.lo;
        }
    }
    code = nf_outputs_add(out, "hi", hi);
    if (code != 0) {
        netfeat_column_unref(lo);
        return code;
    }
    return nf_outputs_add(out, "lo", lo);
}

static int add_double(netfeat_ctx *ctx, const netfeat_column *in, bool unit, nf_outputs *out)
{
    netfeat_column *col = NULL;
    double *data;
    int code = new_column(ctx, in, NETFEAT_TYPE_F64, &col, &data);

    if (code != 0) {
        return code;
    }
    for (int64_t i = 0; i < in->length; i++) {
        nf_address a = read_address(in, i);
        data[i] = unit ? to_unit(a) : to_double(a);
    }
    return nf_outputs_add(out, unit ? "unit" : "number", col);
}

static int add_octet(netfeat_ctx *ctx, const netfeat_column *in, int k, nf_outputs *out)
{
    char name[] = "octet_00";
    netfeat_column *col = NULL;
    uint8_t *data;
    int code = new_column(ctx, in, NETFEAT_TYPE_U8, &col, &data);

    if (code != 0) {
        return code;
    }
    for (int64_t i = 0; i < in->length; i++) {
        nf_address a = read_address(in, i);
        uint64_t lo = a.ipv4 ? a.lo | UINT64_C(0xffff00000000) : a.lo;
        data[i] = (uint8_t)((k < 8 ? a.hi : lo) >> (8 * (7 - k % 8)));
    }
    if (k < 10) {
        name[6] = (char)('0' + k);
        name[7] = '\0';
    } else {
        name[6] = '1';
        name[7] = (char)('0' + k - 10);
    }
    return nf_outputs_add(out, name, col);
}

static int apply(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    int64_t mode = nf_step_option(step, NETFEAT_OPT_FEATURE_IP_MODE);
    int code = NETFEAT_OK;

    switch (mode) {
    case NETFEAT_IP_HILO:
        return add_halves(ctx, in[0], out);
    case NETFEAT_IP_OCTETS:
        for (int k = 0; code == 0 && k < 16; k++) {
            code = add_octet(ctx, in[0], k, out);
        }
        return code;
    default:
        return add_double(ctx, in[0], mode == NETFEAT_IP_UNIT, out);
    }
}

const nf_feature_class nf_ip_numeric_class = {
    .id = NETFEAT_FEATURE_IP_NUMERIC,
    .kind = NF_STATELESS,
    .min_inputs = 1,
    .max_inputs = 1,
    .bind = bind,
    .apply = apply,
};

int netfeat_feature_ip_numeric(netfeat_ctx *ctx, netfeat_column *addr, const netfeat_options *opts,
                               netfeat_table **ret)
{
    return ctx == NULL ? NETFEAT_ERR_ARGUMENT
                       : nf_feature_run(ctx, NETFEAT_FEATURE_IP_NUMERIC, &addr, 1, opts, ret);
}
