/* Standard and min-max scaling. */
#include <math.h>
#include <string.h>

#include "base/bitmap.h"
#include "feature/exact.h"
#include "feature/state.h"

typedef struct {
    bool f64;
    bool is_signed;
    nf_int_sums ints;
    nf_f64_sums doubles;
    /* extremes: doubles, or integers with the sign bit turned so that they compare unsigned */
    double least_f64, most_f64;
    uint64_t least, most;
    /* sealed: (value * factor - offset) / divisor */
    bool ready;
    double factor, offset, divisor;
} scale;

#define SIGN (UINT64_C(1) << 63)

static int bind(nf_step *step)
{
    scale *s = step->state;
    int type = step->types[0];

    if (!nf_type_is_numeric(type)) {
        return nf_type_error(step, 0, "a number");
    }
    s->f64 = type == NETFEAT_TYPE_F64;
    s->is_signed = type == NETFEAT_TYPE_I64 || type == NETFEAT_TYPE_TIME_NS;
    s->least_f64 = HUGE_VAL;
    s->most_f64 = -HUGE_VAL;
    s->least = UINT64_MAX;
    return NETFEAT_OK;
}

static void fit_f64(scale *s, const netfeat_column *col)
{
    for (int64_t i = 0; i < col->length; i++) {
        double v;
        memcpy(&v, col->data + (size_t)i * sizeof v, sizeof v);
        if (!nf_column_present(col, i) || v != v) {
            continue;
        }
        nf_f64_sums_add(&s->doubles, v);
        s->least_f64 = v < s->least_f64 ? v : s->least_f64;
        s->most_f64 = v > s->most_f64 ? v : s->most_f64;
    }
}

static void fit_ints(scale *s, const netfeat_column *col)
{
    uint64_t turn = s->is_signed ? SIGN : 0;
    uint64_t values[NF_BLOCK];

    for (int64_t first = 0; first < col->length; first += NF_BLOCK) {
        int n = col->length - first < NF_BLOCK ? (int)(col->length - first) : NF_BLOCK;
        nf_read_u64(col, first, n, values);
        for (int i = 0; i < n; i++) {
            uint64_t v = values[i] ^ turn;
            if (!nf_column_present(col, first + i)) {
                continue;
            }
            if (s->is_signed) {
                nf_int_sums_add_i64(&s->ints, (int64_t)values[i]);
            } else {
                nf_int_sums_add_u64(&s->ints, values[i]);
            }
            s->least = v < s->least ? v : s->least;
            s->most = v > s->most ? v : s->most;
        }
    }
}

static int fit(nf_step *step, netfeat_column *const *in)
{
    scale *s = step->state;

    if (s->f64) {
        fit_f64(s, in[0]);
    } else {
        fit_ints(s, in[0]);
    }
    return NETFEAT_OK;
}

static int merge(nf_step *step, const nf_step *other)
{
    scale *s = step->state;
    const scale *from = other->state;

    nf_int_sums_merge(&s->ints, &from->ints);
    nf_f64_sums_merge(&s->doubles, &from->doubles);
    s->least = from->least < s->least ? from->least : s->least;
    s->most = from->most > s->most ? from->most : s->most;
    s->least_f64 = from->least_f64 < s->least_f64 ? from->least_f64 : s->least_f64;
    s->most_f64 = from->most_f64 > s->most_f64 ? from->most_f64 : s->most_f64;
    return NETFEAT_OK;
}

static int64_t count_of(const scale *s)
{
    return s->f64 ? s->doubles.count : s->ints.count;
}

static double extreme(const scale *s, bool most)
{
    uint64_t v = most ? s->most : s->least;

    if (s->f64) {
        return most ? s->most_f64 : s->least_f64;
    }
    return s->is_signed ? (double)(int64_t)(v ^ SIGN) : (double)v;
}

static bool moments(scale *s, double *mean, double *deviation)
{
    double variance = 0.0;
    bool known;

    *mean = 0.0;
    if (s->f64) {
        known = nf_f64_mean(&s->doubles, mean);
        known = nf_f64_variance(&s->doubles, &variance) && known;
    } else {
        known = nf_int_mean(&s->ints, mean);
        known = nf_int_variance(&s->ints, &variance) && known;
    }
    *deviation = sqrt(variance);
    return known && isfinite(*deviation);
}

static int seal(nf_step *step)
{
    scale *s = step->state;

    s->factor = 1.0;
    if (step->cls->id == NETFEAT_FEATURE_STANDARD_SCALE) {
        s->ready = moments(s, &s->offset, &s->divisor);
    } else if (count_of(s) > 0) {
        s->ready = true;
        s->offset = extreme(s, false);
        s->divisor = extreme(s, true) - s->offset;
        if (!isfinite(s->divisor)) { /* halves, whose distance is a double where the ends are */
            s->factor = 0.5;
            s->offset *= 0.5;
            s->divisor = extreme(s, true) * 0.5 - s->offset;
        }
    }
    s->divisor = s->divisor != 0.0 ? s->divisor : 1.0;
    return NETFEAT_OK;
}

static int apply(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    const scale *s = step->state;
    double values[NF_BLOCK];
    netfeat_column *col = NULL;
    double *data;
    uint8_t *validity;
    int code = nf_column_new(ctx, NETFEAT_TYPE_F64, in[0]->length, "", nf_feature_definition(step->cls->id),
                             netfeat_feature_null_rule(step->cls->id), &col, &data, &validity);

    if (code != 0) {
        return code;
    }
    for (int64_t first = 0; first < in[0]->length; first += NF_BLOCK) {
        int n = in[0]->length - first < NF_BLOCK ? (int)(in[0]->length - first) : NF_BLOCK;
        nf_read_f64(in[0], first, n, values);
        for (int i = 0; i < n; i++) {
            data[first + i] = (values[i] * s->factor - s->offset) / s->divisor;
        }
        for (int i = 0; i < n; i++) {
            if (!s->ready || !nf_column_present(in[0], first + i) || data[first + i] != data[first + i]) {
                data[first + i] = 0.0;
                nf_bitmap_clear(validity, first + i);
            }
        }
    }
    nf_column_count_nulls(col);
    return nf_outputs_add(out, NULL, col);
}

static int add_number(netfeat_ctx *ctx, nf_outputs *out, const char *name, double value, bool known)
{
    netfeat_column *col = NULL;
    double *data;
    uint8_t *validity;
    int code = nf_column_new(ctx, NETFEAT_TYPE_F64, 1, "", "feature.scale@1",
                             "not enough values were learned", &col, &data, &validity);

    if (code != 0) {
        return code;
    }
    data[0] = known ? value : 0.0;
    if (!known) {
        nf_bitmap_clear(validity, 0);
    }
    nf_column_count_nulls(col);
    return nf_outputs_add(out, name, col);
}

static int mapping(netfeat_ctx *ctx, nf_step *step, nf_outputs *out)
{
    scale copy = *(const scale *)step->state; /* deriving brings sums into canonical form */
    bool any = count_of(&copy) > 0;
    double mean, deviation;
    bool known = moments(&copy, &mean, &deviation);
    int code = add_number(ctx, out, "count", (double)count_of(&copy), true);

    code = code != 0 ? code : add_number(ctx, out, "mean", mean, any);
    code = code != 0 ? code : add_number(ctx, out, "std", deviation, known);
    code = code != 0 ? code : add_number(ctx, out, "min", extreme(&copy, false), any);
    return code != 0 ? code : add_number(ctx, out, "max", extreme(&copy, true), any);
}

/* ---- state ---- */

static int save(const nf_step *step, nf_state_writer *w)
{
    scale copy = *(const scale *)step->state;
    const nf_int_sums *n = &copy.ints;
    uint64_t ints[8] = {(uint64_t)n->count,
                        nf_u128_low(nf_i128_bits(n->sum)),
                        nf_u128_high(nf_i128_bits(n->sum)),
                        nf_u128_low(n->squares),
                        nf_u128_high(n->squares),
                        n->squares_high,
                        copy.least,
                        copy.most};
    double extremes[2] = {copy.least_f64, copy.most_f64};
    int64_t counts[3];
    int code;

    if (!copy.f64) {
        return nf_state_put(w, "", "sums", NETFEAT_TYPE_U64, ints, 8);
    }
    nf_f64_sums_carry(&copy.doubles);
    counts[0] = copy.doubles.count;
    counts[1] = copy.doubles.plus_infinite;
    counts[2] = copy.doubles.minus_infinite;
    code = nf_state_put(w, "", "counts", NETFEAT_TYPE_I64, counts, 3);
    code = code != 0 ? code : nf_state_put(w, "", "extremes", NETFEAT_TYPE_F64, extremes, 2);
    code =
        code != 0 ? code : nf_state_put(w, "", "sum", NETFEAT_TYPE_I64, copy.doubles.sum, NF_F64_SUM_CHUNKS);
    return code != 0
               ? code
               : nf_state_put(w, "", "squares", NETFEAT_TYPE_I64, copy.doubles.squares, NF_F64_SQUARE_CHUNKS);
}

/* Chunks in canonical form, the last one small: sums of at most 2^63 doubles. */
static bool are_chunks(const int64_t *chunks, int n)
{
    for (int i = 0; i < n - 1; i++) {
        if (chunks[i] < 0 || chunks[i] > INT64_C(0xffffffff)) {
            return false;
        }
    }
    return chunks[n - 1] >= -1 && chunks[n - 1] <= 0;
}

static int load_f64(scale *s, nf_state_reader *r)
{
    const uint8_t *counts, *extremes, *sum, *squares;
    int64_t n3 = 3, n2 = 2, n_sum = NF_F64_SUM_CHUNKS, n_squares = NF_F64_SQUARE_CHUNKS, c[3];
    double e[2];
    int code = nf_state_get(r, "", "counts", NETFEAT_TYPE_I64, &n3, &counts);

    code = code != 0 ? code : nf_state_get(r, "", "extremes", NETFEAT_TYPE_F64, &n2, &extremes);
    code = code != 0 ? code : nf_state_get(r, "", "sum", NETFEAT_TYPE_I64, &n_sum, &sum);
    code = code != 0 ? code : nf_state_get(r, "", "squares", NETFEAT_TYPE_I64, &n_squares, &squares);
    if (code != 0) {
        return code;
    }
    memcpy(c, counts, sizeof c);
    memcpy(e, extremes, sizeof e);
    memcpy(s->doubles.sum, sum, sizeof s->doubles.sum);
    memcpy(s->doubles.squares, squares, sizeof s->doubles.squares);
    if (c[0] < 0 || c[1] < 0 || c[2] < 0 || c[1] > c[0] || c[2] > c[0] - c[1] || e[0] != e[0] ||
        e[1] != e[1] || !are_chunks(s->doubles.sum, NF_F64_SUM_CHUNKS) ||
        !are_chunks(s->doubles.squares, NF_F64_SQUARE_CHUNKS) ||
        s->doubles.squares[NF_F64_SQUARE_CHUNKS - 1] < 0) {
        return nf_state_bad(r, "sums are out of bounds");
    }
    s->doubles.count = c[0];
    s->doubles.plus_infinite = c[1];
    s->doubles.minus_infinite = c[2];
    s->least_f64 = e[0];
    s->most_f64 = e[1];
    return NETFEAT_OK;
}

static int load(nf_step *step, nf_state_reader *r)
{
    scale *s = step->state;
    const uint8_t *data;
    uint64_t v[8];
    int64_t n = 8;
    int code;

    if (s->f64) {
        return load_f64(s, r);
    }
    code = nf_state_get(r, "", "sums", NETFEAT_TYPE_U64, &n, &data);
    if (code != 0) {
        return code;
    }
    memcpy(v, data, sizeof v);
    if (v[0] > INT64_MAX) {
        return nf_state_bad(r, "sums are out of bounds");
    }
    s->ints.count = (int64_t)v[0];
    s->ints.sum = nf_i128_of_bits(nf_u128_make(v[2], v[1]));
    s->ints.squares = nf_u128_make(v[4], v[3]);
    s->ints.squares_high = v[5];
    s->least = v[6];
    s->most = v[7];
    return NETFEAT_OK;
}

#define CLASS(which, suffix)                                                                                 \
    const nf_feature_class nf_##which##_class = {                                                            \
        .id = NETFEAT_FEATURE_##suffix,                                                                      \
        .kind = NF_ENCODER,                                                                                  \
        .min_inputs = 1,                                                                                     \
        .max_inputs = 1,                                                                                     \
        .state_bytes = sizeof(scale),                                                                        \
        .bind = bind,                                                                                        \
        .fit = fit,                                                                                          \
        .seal = seal,                                                                                        \
        .apply = apply,                                                                                      \
        .merge = merge,                                                                                      \
        .mapping = mapping,                                                                                  \
        .save = save,                                                                                        \
        .load = load,                                                                                        \
    };
CLASS(standard_scale, STANDARD_SCALE)
CLASS(minmax_scale, MINMAX_SCALE)

int netfeat_feature_standard_scale(netfeat_ctx *ctx, netfeat_column *col, const netfeat_options *opts,
                                   netfeat_column **ret)
{
    return ctx == NULL ? NETFEAT_ERR_ARGUMENT
                       : nf_feature_run_column(ctx, NETFEAT_FEATURE_STANDARD_SCALE, &col, 1, opts, ret);
}

int netfeat_feature_minmax_scale(netfeat_ctx *ctx, netfeat_column *col, const netfeat_options *opts,
                                 netfeat_column **ret)
{
    return ctx == NULL ? NETFEAT_ERR_ARGUMENT
                       : nf_feature_run_column(ctx, NETFEAT_FEATURE_MINMAX_SCALE, &col, 1, opts, ret);
}
