/* Packet time as a float. */
#include <string.h>

#include "base/bitmap.h"
#include "feature/state.h"

typedef struct {
    bool relative;
    int64_t unit_ns;
    uint64_t known; /* relative: a first time was seen */
    int64_t first;
    uint64_t row; /* its row number */
} timestamp;

static int open_state(nf_step *step)
{
    timestamp *s = step->state;

    s->relative = nf_step_option(step, NETFEAT_OPT_FEATURE_RELATIVE) != 0;
    s->unit_ns = nf_step_option(step, NETFEAT_OPT_FEATURE_UNIT_NS);
    return NETFEAT_OK;
}

static int bind(nf_step *step)
{
    return step->types[0] == NETFEAT_TYPE_TIME_NS ? NETFEAT_OK : nf_type_error(step, 0, "time_ns");
}

static void find_first(timestamp *s, const nf_step *step, const netfeat_column *col)
{
    const int64_t *times = (const int64_t *)(const void *)col->data;

    for (int64_t i = 0; s->known == 0 && i < col->length; i++) {
        if (nf_column_present(col, i)) {
            s->known = 1;
            s->first = times[i];
            s->row = step->ranges[step->n_ranges - 1].end - (uint64_t)(col->length - i);
        }
    }
}

static int run(netfeat_ctx *ctx, const timestamp *s, const netfeat_column *col, double *restrict out)
{
    const int64_t *restrict times = (const int64_t *)(const void *)col->data;
    double unit = (double)s->unit_ns;

    if (col->nulls == 0 && !s->relative) {
        for (int64_t i = 0; i < col->length; i++) {
            out[i] = (double)times[i] / unit;
        }
        return NETFEAT_OK;
    }
    for (int64_t i = 0; i < col->length; i++) {
        int64_t t = nf_column_present(col, i) ? times[i] : s->relative ? s->first : 0;
        if (s->relative && __builtin_sub_overflow(t, s->first, &t)) {
            return nf_error(ctx, NETFEAT_ERR_RANGE, "timestamp: row %lld is more than 63 bits of ns away",
                            (long long)i);
        }
        out[i] = (double)t / unit;
    }
    return NETFEAT_OK;
}

static int apply(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    timestamp *s = step->state;
    netfeat_column *col = NULL;
    double *data;
    uint8_t *validity;
    int code = nf_column_new(ctx, NETFEAT_TYPE_F64, in[0]->length, s->unit_ns == 1000000000 ? "s" : "",
                             nf_feature_definition(step->cls->id), netfeat_feature_null_rule(step->cls->id),
                             &col, &data, &validity);

    if (code != 0) {
        return code;
    }
    if (s->relative) {
        find_first(s, step, in[0]);
    }
    code = run(ctx, s, in[0], data);
    if (code != 0) {
        netfeat_column_unref(col);
        return code;
    }
    nf_copy_validity(validity, in[0]);
    nf_column_count_nulls(col);
    return nf_outputs_add(out, NULL, col);
}

static int merge(nf_step *step, const nf_step *other)
{
    timestamp *s = step->state;
    const timestamp *from = other->state;

    if (from->known != 0 && (s->known == 0 || from->row < s->row)) {
        s->known = 1;
        s->first = from->first;
        s->row = from->row;
    }
    return NETFEAT_OK;
}

static int save(const nf_step *step, nf_state_writer *w)
{
    const timestamp *s = step->state;
    uint64_t first[3] = {s->known, (uint64_t)s->first, s->row};

    return nf_state_put(w, "", "first", NETFEAT_TYPE_U64, first, 3);
}

static int load(nf_step *step, nf_state_reader *r)
{
    timestamp *s = step->state;
    const uint8_t *data;
    uint64_t first[3];
    int64_t n = 3;
    int code = nf_state_get(r, "", "first", NETFEAT_TYPE_U64, &n, &data);

    if (code != 0) {
        return code;
    }
    memcpy(first, data, sizeof first);
    s->known = first[0] != 0;
    s->first = (int64_t)first[1];
    s->row = first[2];
    return NETFEAT_OK;
}

const nf_feature_class nf_timestamp_class = {
    .id = NETFEAT_FEATURE_TIMESTAMP,
    .kind = NF_ACCUMULATOR,
    .min_inputs = 1,
    .max_inputs = 1,
    .ordered = true,
    .state_bytes = sizeof(timestamp),
    .open = open_state,
    .bind = bind,
    .apply = apply,
    .merge = merge,
    .save = save,
    .load = load,
};

int netfeat_feature_timestamp(netfeat_ctx *ctx, const netfeat_table *tab, int64_t unit_ns, int relative,
                              netfeat_column **ret)
{
    netfeat_options *opts = NULL;
    netfeat_column *in = NULL;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    code = nf_feature_table(ctx, tab);
    code = code != 0 ? code : nf_feature_named(ctx, tab, "timestamp", &in);
    code = code != 0 ? code : netfeat_options_new(ctx, &opts);
    code = code != 0 ? code : netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_UNIT_NS, unit_ns);
    code = code != 0 ? code : netfeat_options_set_int(opts, NETFEAT_OPT_FEATURE_RELATIVE, relative != 0);
    code = code != 0 ? code : nf_feature_run_column(ctx, NETFEAT_FEATURE_TIMESTAMP, &in, 1, opts, ret);
    netfeat_options_unref(opts);
    return code;
}
