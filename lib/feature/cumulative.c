/* Running sums within keys. */
#include <string.h>

#include "base/bitmap.h"
#include "base/checked.h"
#include "feature/group.h"
#include "feature/state.h"

typedef struct {
    nf_groups groups;
    uint64_t *totals; /* U64, I64 or F64, as the value */
    size_t totals_cap;
    uint32_t ready; /* groups that have a total */
    double *errors; /* F64: what rounding took away, as pandas' compensated sum carries it */
    size_t errors_cap;
    int out_type;
} cumulative;

static int output_type(int type)
{
    switch (type) {
    case NETFEAT_TYPE_BOOL:
    case NETFEAT_TYPE_U8:
    case NETFEAT_TYPE_U16:
    case NETFEAT_TYPE_U32:
    case NETFEAT_TYPE_U64:
        return NETFEAT_TYPE_U64;
    case NETFEAT_TYPE_I64:
    case NETFEAT_TYPE_F64:
        return type;
    default:
        return 0;
    }
}

static int bind(nf_step *step)
{
    cumulative *c = step->state;

    c->out_type = output_type(step->types[0]);
    if (c->out_type == 0) {
        return nf_type_error(step, 0, "a number");
    }
    return nf_groups_init(&c->groups, step->ctx, step->types + 1, step->n_inputs - 1,
                          nf_step_option(step, NETFEAT_OPT_FEATURE_NULL_KEY) != 0,
                          nf_step_option(step, NETFEAT_OPT_FEATURE_ON_FULL) != 0,
                          nf_step_option(step, NETFEAT_OPT_FEATURE_MAX_GROUPS));
}

static void close_state(nf_step *step)
{
    cumulative *c = step->state;

    nf_free(step->ctx, c->totals, c->totals_cap * sizeof *c->totals);
    nf_free(step->ctx, c->errors, c->errors_cap * sizeof *c->errors);
    nf_groups_free(&c->groups);
}

static int make_room(netfeat_ctx *ctx, cumulative *c)
{
    void *p = c->totals;
    int code = nf_grow(ctx, &p, &c->totals_cap, c->groups.count, sizeof *c->totals);

    c->totals = p;
    if (code == 0 && c->groups.count > c->ready) {
        memset(c->totals + c->ready, 0, (c->groups.count - c->ready) * sizeof *c->totals);
        c->ready = c->groups.count;
    }
    if (code == 0 && c->out_type == NETFEAT_TYPE_F64) {
        p = c->errors;
        code = nf_grow(ctx, &p, &c->errors_cap, c->groups.count, sizeof *c->errors);
        c->errors = p;
    }
    return code;
}

/* One loop per type; returns the row whose sum does not fit, or -1. Rows that give nothing are 0 and NULL. */
#define RUN(name, ctype)                                                                                     \
    static int64_t name(ctype *restrict totals, const uint32_t *restrict ids, const ctype *restrict values,  \
                        const netfeat_column *col, int64_t first, int n, ctype *restrict out,                \
                        uint8_t *restrict validity)                                                          \
    {                                                                                                        \
        bool nulls = col->validity != NULL;                                                                  \
        for (int i = 0; i < n; i++) {                                                                        \
            uint32_t id = ids[i];                                                                            \
            if (id == NF_GROUP_NONE || (nulls && !nf_column_present(col, first + i))) {                      \
                if (id != NF_GROUP_NONE && (id & NF_GROUP_FRESH) != 0) {                                     \
                    totals[NF_GROUP_ID(id)] = 0;                                                             \
                }                                                                                            \
                out[i] = 0;                                                                                  \
                nf_bitmap_clear(validity, first + i);                                                        \
                continue;                                                                                    \
            }                                                                                                \
            if ((id & NF_GROUP_FRESH) != 0) {                                                                \
                id = NF_GROUP_ID(id);                                                                        \
                totals[id] = 0;                                                                              \
            }                                                                                                \
            if (__builtin_add_overflow(totals[id], values[i], &totals[id])) {                                \
                return first + i;                                                                            \
            }                                                                                                \
            out[i] = totals[id];                                                                             \
        }                                                                                                    \
        return -1;                                                                                           \
    }
RUN(run_u64, uint64_t)
RUN(run_i64, int64_t)
#undef RUN

/* The common block: 32-bit values, nothing missing; totals of new keys are zero. */
static int64_t run_clean(uint64_t *restrict totals, const uint32_t *restrict ids,
                         const uint32_t *restrict values, int n, uint64_t *restrict out)
{
    uint64_t wrapped = 0;

    for (int i = 0; i < n; i++) {
        uint32_t id = NF_GROUP_ID(ids[i]);
        uint64_t sum = totals[id] + values[i];
        wrapped |= sum < values[i];
        totals[id] = sum;
        out[i] = sum;
    }
    for (int i = 0; i < n && wrapped != 0; i++) {
        if (out[i] < values[i]) {
            return i;
        }
    }
    return -1;
}

static void run_f64(cumulative *c, const uint32_t *ids, const double *values, const netfeat_column *col,
                    int64_t first, int n, double *restrict out, uint8_t *validity)
{
    double *totals = (double *)(void *)c->totals;

    for (int i = 0; i < n; i++) {
        uint32_t id = ids[i];
        double y, t;
        if (id != NF_GROUP_NONE && (id & NF_GROUP_FRESH) != 0) {
            id = NF_GROUP_ID(id);
            totals[id] = 0.0;
            c->errors[id] = 0.0;
        }
        if (id == NF_GROUP_NONE || !nf_column_present(col, first + i) || values[i] != values[i]) {
            out[i] = 0.0;
            nf_bitmap_clear(validity, first + i);
            continue;
        }
        y = values[i] - c->errors[id];
        t = totals[id] + y;
        c->errors[id] = t - totals[id] - y;
        if (c->errors[id] != c->errors[id]) { /* infinities */
            c->errors[id] = 0.0;
        }
        totals[id] = t;
        out[i] = t;
    }
}

/* Any values; returns the row whose sum does not fit, or -1. */
static __attribute__((noinline)) int64_t run_any(cumulative *c, const uint32_t *ids,
                                                 const netfeat_column *col, int64_t first, int n,
                                                 uint64_t *out, uint8_t *validity)
{
    union {
        uint64_t u[NF_BLOCK];
        int64_t i[NF_BLOCK];
        double f[NF_BLOCK];
    } v;

    switch (c->out_type) {
    case NETFEAT_TYPE_F64:
        nf_read_f64(col, first, n, v.f);
        run_f64(c, ids, v.f, col, first, n, (double *)(void *)(out + first), validity);
        return -1;
    case NETFEAT_TYPE_U64:
        nf_read_u64(col, first, n, v.u);
        return run_u64(c->totals, ids, v.u, col, first, n, out + first, validity);
    default:
        nf_read_u64(col, first, n, v.u);
        return run_i64((int64_t *)(void *)c->totals, ids, v.i, col, first, n,
                       (int64_t *)(void *)(out + first), validity);
    }
}

static int run_block(cumulative *c, const uint32_t *ids, const netfeat_column *col, int64_t first, int n,
                     uint64_t *out, uint8_t *validity)
{
    int64_t bad;

    if (c->groups.clean && col->type == NETFEAT_TYPE_U32 && col->nulls == 0) {
        bad = run_clean(c->totals, ids, (const uint32_t *)(const void *)col->data + first, n, out + first);
        bad = bad >= 0 ? first + bad : bad;
    } else {
        bad = run_any(c, ids, col, first, n, out, validity);
    }
    if (bad >= 0) {
        return nf_error(c->groups.ctx, NETFEAT_ERR_RANGE, "cumulative: the sum at row %lld exceeds 64 bits",
                        (long long)bad);
    }
    return NETFEAT_OK;
}

static int apply(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    cumulative *c = step->state;
    netfeat_column *col = NULL;
    uint32_t ids[NF_BLOCK];
    uint64_t *data;
    uint8_t *validity;
    int code = nf_column_new(ctx, c->out_type, in[0]->length, in[0]->unit[0] == 'b' ? "bytes" : "",
                             nf_feature_definition(step->cls->id), netfeat_feature_null_rule(step->cls->id),
                             &col, &data, &validity);

    for (int64_t first = 0; code == 0 && first < in[0]->length; first += NF_BLOCK) {
        int n = in[0]->length - first < NF_BLOCK ? (int)(in[0]->length - first) : NF_BLOCK;
        code = nf_groups_assign(&c->groups, in + 1, first, n, ids);
        code = code != 0 ? code : make_room(ctx, c);
        code = code != 0 ? code : run_block(c, ids, in[0], first, n, data, validity);
    }
    if (code != 0) {
        netfeat_column_unref(col);
        return code;
    }
    nf_column_count_nulls(col);
    return nf_outputs_add(out, NULL, col);
}

/* Add the other's total of one group. */
static bool add_total(cumulative *c, uint32_t id, uint64_t value)
{
    if (c->out_type == NETFEAT_TYPE_U64) {
        return nf_add_u64(c->totals[id], value, &c->totals[id]);
    }
    return nf_add_i64((int64_t)c->totals[id], (int64_t)value, (int64_t *)(void *)&c->totals[id]);
}

static int merge(nf_step *step, const nf_step *other)
{
    cumulative *c = step->state;
    const cumulative *from = other->state;
    int code = NETFEAT_OK;

    if (c->out_type == NETFEAT_TYPE_F64) {
        return nf_error(step->ctx, NETFEAT_ERR_UNSUPPORTED, "cumulative: no merge of f64 sums can be exact");
    }
    for (uint32_t i = 0; code == 0 && i < from->groups.count; i++) {
        uint32_t id = 0;
        uint64_t evicted = c->groups.evicted;
        code = nf_groups_adopt(&c->groups, &from->groups, i, &id);
        code = code != 0 ? code : make_room(step->ctx, c);
        if (code == 0 && c->groups.evicted != evicted) {
            return nf_error(step->ctx, NETFEAT_ERR_LIMIT, "cumulative: the keys of both exceed the limit");
        }
        if (code == 0 && (id & NF_GROUP_FRESH) != 0) {
            id = NF_GROUP_ID(id);
            c->totals[id] = 0;
        }
        if (code == 0 && !add_total(c, id, from->totals[i])) {
            code = nf_error(step->ctx, NETFEAT_ERR_RANGE, "cumulative: a merged sum exceeds 64 bits");
        }
    }
    c->groups.evicted += code == 0 ? from->groups.evicted : 0;
    return code;
}

static int save(const nf_step *step, nf_state_writer *w)
{
    const cumulative *c = step->state;
    int code = nf_groups_save(&c->groups, w, "key");

    code = code != 0 ? code : nf_state_put(w, "", "totals", NETFEAT_TYPE_U64, c->totals, c->groups.count);
    if (code == 0 && c->out_type == NETFEAT_TYPE_F64) {
        code = nf_state_put(w, "", "errors", NETFEAT_TYPE_F64, c->errors, c->groups.count);
    }
    return code;
}

static int load(nf_step *step, nf_state_reader *r)
{
    cumulative *c = step->state;
    void *p = NULL;
    int code = nf_groups_load(&c->groups, r, "key");

    code = code != 0
               ? code
               : nf_state_get_copy(r, "", "totals", NETFEAT_TYPE_U64, c->groups.count, &p, &c->totals_cap);
    if (code == 0) {
        c->totals = p;
        c->ready = c->groups.count;
    }
    if (code == 0 && c->out_type == NETFEAT_TYPE_F64) {
        code = nf_state_get_copy(r, "", "errors", NETFEAT_TYPE_F64, c->groups.count, &p, &c->errors_cap);
        c->errors = code == 0 ? p : NULL;
    }
    return code;
}

static int64_t count(const nf_step *step, int which)
{
    const cumulative *c = step->state;

    return which == NETFEAT_COUNT_KEYS ? (int64_t)c->groups.count : (int64_t)c->groups.evicted;
}

#define CLASS(which, suffix)                                                                                 \
    const nf_feature_class nf_##which##_class = {                                                            \
        .id = NETFEAT_FEATURE_##suffix,                                                                      \
        .kind = NF_ACCUMULATOR,                                                                              \
        .min_inputs = 1,                                                                                     \
        .max_inputs = NF_INPUTS_MAX,                                                                         \
        .keys_by_equality = true,                                                                            \
        .state_bytes = sizeof(cumulative),                                                                   \
        .bind = bind,                                                                                        \
        .close = close_state,                                                                                \
        .apply = apply,                                                                                      \
        .merge = merge,                                                                                      \
        .save = save,                                                                                        \
        .load = load,                                                                                        \
        .count = count,                                                                                      \
    };
CLASS(cumulative, CUMULATIVE)
CLASS(cumulative_bytes, CUMULATIVE_BYTES)

int netfeat_feature_cumulative(netfeat_ctx *ctx, const netfeat_table *tab, int value, const int *key,
                               size_t n_key, const netfeat_options *opts, netfeat_column **ret)
{
    netfeat_column *in[NF_INPUTS_MAX];
    size_t n = 1;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    code = nf_feature_column(ctx, tab, value, &in[0]);
    code = code != 0 ? code : nf_feature_keys(ctx, tab, key, n_key, in, &n);
    return code != 0 ? code : nf_feature_run_column(ctx, NETFEAT_FEATURE_CUMULATIVE, in, n, opts, ret);
}

int netfeat_feature_cumulative_bytes(netfeat_ctx *ctx, const netfeat_table *tab, const int *key, size_t n_key,
                                     const netfeat_options *opts, netfeat_column **ret)
{
    netfeat_column *in[NF_INPUTS_MAX];
    size_t n = 1;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    code = nf_feature_table(ctx, tab);
    code = code != 0 ? code : nf_feature_named(ctx, tab, "frame_length", &in[0]);
    code = code != 0 ? code : nf_feature_keys(ctx, tab, key, n_key, in, &n);
    return code != 0 ? code : nf_feature_run_column(ctx, NETFEAT_FEATURE_CUMULATIVE_BYTES, in, n, opts, ret);
}
