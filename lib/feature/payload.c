/* Payload bytes: entropy and histogram. */
#include <string.h>

#include "base/bitmap.h"
#include "feature/feature.h"
#include "feature/fmath.h"
#include "table/text.h"

#define LOGS 2048 /* counts up to this have n log2 n ready */

typedef struct {
    double n_log_n[LOGS];
} entropy;

static int bind(nf_step *step)
{
    int type = step->types[0];

    return type == NETFEAT_TYPE_BYTES || type == NETFEAT_TYPE_TEXT ? NETFEAT_OK
                                                                   : nf_type_error(step, 0, "bytes");
}

static int open_entropy(nf_step *step)
{
    entropy *s = step->state;

    for (uint64_t n = 1; n < LOGS; n++) {
        s->n_log_n[n] = (double)n * nf_log2_u64(n);
    }
    return NETFEAT_OK;
}

static void count_bytes(const uint8_t *p, size_t size, uint32_t counts[256])
{
    memset(counts, 0, 256 * sizeof *counts);
    for (size_t i = 0; i < size; i++) {
        counts[p[i]]++;
    }
}

/* log2 N - (sum of c log2 c) / N, in the order of byte values. */
static double entropy_of(const entropy *s, const uint8_t *p, size_t size)
{
    uint32_t counts[256];
    double sum = 0.0;
    double h;

    count_bytes(p, size, counts);
    for (int i = 0; i < 256; i++) {
        uint32_t c = counts[i];
        sum += c < LOGS ? s->n_log_n[c] : (double)c * nf_log2_u64(c);
    }
    h = nf_log2_u64(size) - sum / (double)size;
    return h > 0.0 ? h : 0.0;
}

static int apply_entropy(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    const entropy *s = step->state;
    netfeat_column *col = NULL;
    double *data;
    uint8_t *validity;
    int code = nf_column_new(ctx, NETFEAT_TYPE_F64, in[0]->length, "bits per byte",
                             nf_feature_definition(step->cls->id), netfeat_feature_null_rule(step->cls->id),
                             &col, &data, &validity);

    if (code != 0) {
        return code;
    }
    for (int64_t i = 0; i < in[0]->length; i++) {
        size_t size = (size_t)(in[0]->offsets[i + 1] - in[0]->offsets[i]);
        if (!nf_column_present(in[0], i) || size == 0) {
            data[i] = 0.0;
            nf_bitmap_clear(validity, i);
        } else {
            data[i] = entropy_of(s, in[0]->data + in[0]->offsets[i], size);
        }
    }
    nf_column_count_nulls(col);
    return nf_outputs_add(out, NULL, col);
}

/* ---- histogram ---- */

static int open_histogram(nf_step *step)
{
    int64_t bins = nf_step_option(step, NETFEAT_OPT_FEATURE_BINS);

    if ((bins & (bins - 1)) != 0) {
        return nf_error(step->ctx, NETFEAT_ERR_ARGUMENT, "payload_histogram: %lld bins are no power of two",
                        (long long)bins);
    }
    return NETFEAT_OK;
}

static void fill_histogram(const netfeat_column *in, int bins, uint32_t *const *data)
{
    int width = 256 / bins;

    for (int64_t i = 0; i < in->length; i++) {
        uint32_t counts[256];
        bool present = nf_column_present(in, i);
        count_bytes(in->data + in->offsets[i], present ? (size_t)(in->offsets[i + 1] - in->offsets[i]) : 0,
                    counts);
        for (int k = 0; k < bins; k++) {
            uint32_t sum = 0;
            for (int b = k * width; b < (k + 1) * width; b++) {
                sum += counts[b];
            }
            data[k][i] = sum;
        }
    }
}

/* A value of 4 GiB or more could overflow a bin. */
static int check_sizes(netfeat_ctx *ctx, const netfeat_column *in)
{
    for (int64_t i = 0; i < in->length; i++) {
        if (in->offsets[i + 1] - in->offsets[i] > UINT32_MAX) {
            return nf_error(ctx, NETFEAT_ERR_RANGE, "payload_histogram: row %lld has 4 GiB or more",
                            (long long)i);
        }
    }
    return NETFEAT_OK;
}

static int apply_histogram(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    int bins = (int)nf_step_option(step, NETFEAT_OPT_FEATURE_BINS);
    uint32_t *data[256];
    int code = check_sizes(ctx, in[0]);

    for (int k = 0; code == 0 && k < bins; k++) {
        char name[4 + NF_TEXT_MAX] = "bin_";
        netfeat_column *col = NULL;
        uint8_t *validity;
        code =
            nf_column_new(ctx, NETFEAT_TYPE_U32, in[0]->length, "bytes", nf_feature_definition(step->cls->id),
                          netfeat_feature_null_rule(step->cls->id), &col, &data[k], &validity);
        if (code != 0) {
            break;
        }
        nf_copy_validity(validity, in[0]);
        nf_column_count_nulls(col);
        nf_text_u64(name + 4, (uint64_t)k);
        code = nf_outputs_add(out, name, col);
    }
    if (code == 0) {
        fill_histogram(in[0], bins, data);
    }
    return code;
}

const nf_feature_class nf_payload_entropy_class = {
    .id = NETFEAT_FEATURE_PAYLOAD_ENTROPY,
    .kind = NF_STATELESS,
    .min_inputs = 1,
    .max_inputs = 1,
    .state_bytes = sizeof(entropy),
    .open = open_entropy,
    .bind = bind,
    .apply = apply_entropy,
};

const nf_feature_class nf_payload_histogram_class = {
    .id = NETFEAT_FEATURE_PAYLOAD_HISTOGRAM,
    .kind = NF_STATELESS,
    .min_inputs = 1,
    .max_inputs = 1,
    .open = open_histogram,
    .bind = bind,
    .apply = apply_histogram,
};

int netfeat_feature_payload_entropy(netfeat_ctx *ctx, netfeat_column *payload, const netfeat_options *opts,
                                    netfeat_column **ret)
{
    return ctx == NULL ? NETFEAT_ERR_ARGUMENT
                       : nf_feature_run_column(ctx, NETFEAT_FEATURE_PAYLOAD_ENTROPY, &payload, 1, opts, ret);
}

int netfeat_feature_payload_histogram(netfeat_ctx *ctx, netfeat_column *payload, const netfeat_options *opts,
                                      netfeat_table **ret)
{
    return ctx == NULL ? NETFEAT_ERR_ARGUMENT
                       : nf_feature_run(ctx, NETFEAT_FEATURE_PAYLOAD_HISTOGRAM, &payload, 1, opts, ret);
}
