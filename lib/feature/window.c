/* Tumbling windows on the packet clock: count, sum, mean, deviation, distinct values per key. A window and its keys
   are one group, whose first key is the window's number. */
#include <string.h>

#include "base/bitmap.h"
#include "feature/window.h"

/* ---- life ---- */

static int open_state(nf_step *step)
{
    nf_windows *s = step->state;

    s->counts_distinct = nf_step_option(step, NETFEAT_OPT_FEATURE_DISTINCT) != 0;
    s->length = nf_step_option(step, NETFEAT_OPT_FEATURE_WINDOW_NS);
    s->lateness = nf_step_option(step, NETFEAT_OPT_FEATURE_LATENESS_NS);
    s->first_key = s->counts_distinct ? 3 : 2;
    if (step->n_inputs < s->first_key) {
        return nf_error(step->ctx, NETFEAT_ERR_ARGUMENT, "window: feature.distinct needs a third input");
    }
    return NETFEAT_OK;
}

static int value_mode(int type)
{
    if (type == NETFEAT_TYPE_F64) {
        return NF_WINDOW_DOUBLE;
    }
    if (type == NETFEAT_TYPE_I64) {
        return NF_WINDOW_SIGNED;
    }
    return nf_type_is_numeric(type) && type != NETFEAT_TYPE_TIME_NS ? NF_WINDOW_UNSIGNED : 0;
}

/* Empty groups, as for a fresh state. */
int nf_windows_init_groups(const nf_step *step, nf_groups *groups, nf_groups *pairs)
{
    const nf_windows *s = step->state;
    int64_t limit = nf_step_option(step, NETFEAT_OPT_FEATURE_MAX_GROUPS);
    bool drop = nf_step_option(step, NETFEAT_OPT_FEATURE_ON_FULL) != 0;
    int types[NF_INPUTS_MAX + 1] = {NETFEAT_TYPE_I64};
    int pair[2] = {NETFEAT_TYPE_U32, 0};
    int n = step->n_inputs - s->first_key;
    int code;

    memcpy(types + 1, step->types + s->first_key, (size_t)n * sizeof types[0]);
    code = nf_groups_init(groups, step->ctx, types, n + 1,
                          nf_step_option(step, NETFEAT_OPT_FEATURE_NULL_KEY) != 0, false, limit);
    groups->drop = drop;
    if (code == 0 && s->counts_distinct) {
        pair[1] = step->types[2];
        code = nf_groups_init(pairs, step->ctx, pair, 2, false, false, limit);
        pairs->drop = drop;
    }
    return code;
}

static int bind(nf_step *step)
{
    nf_windows *s = step->state;

    if (step->types[0] != NETFEAT_TYPE_TIME_NS) {
        return nf_type_error(step, 0, "time_ns");
    }
    s->mode = value_mode(step->types[1]);
    return s->mode != 0 ? nf_windows_init_groups(step, &s->groups, &s->pairs)
                        : nf_type_error(step, 1, "a number");
}

static void close_state(nf_step *step)
{
    nf_windows *s = step->state;

    nf_groups_free(&s->groups);
    nf_groups_free(&s->pairs);
    nf_free(step->ctx, s->cells, s->cells_cap * sizeof *s->cells);
}

int nf_windows_make_room(netfeat_ctx *ctx, nf_windows *s)
{
    void *p = s->cells;
    int code = nf_grow(ctx, &p, &s->cells_cap, s->groups.count, sizeof *s->cells);

    s->cells = p;
    return code;
}

/* ---- which window ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Windows below this number are closed. */
static int64_t closed_below(const nf_windows *s)
{
    int64_t t;

    if (s->lateness < 0 || !s->has_clock || __builtin_sub_overflow(s->clock, s->lateness, &t)) {
        return INT64_MIN;
    }
    return floor_div(t, s->length);
}

/* Window number of every row; NULL where there is no time, or where the row comes too late. Moves the clock. */
static int number_rows(netfeat_ctx *ctx, nf_windows *s, const netfeat_column *time, netfeat_column **ret)
{
    const int64_t *times = (const int64_t *)(const void *)time->data;
    int64_t *numbers;
    uint8_t *validity;
    int code = nf_column_new(ctx, NETFEAT_TYPE_I64, time->length, "", "", "", ret, &numbers, &validity);

    for (int64_t i = 0; code == 0 && i < time->length; i++) {
        numbers[i] = 0;
        if (!nf_column_present(time, i)) {
            nf_bitmap_clear(validity, i);
            continue;
        }
        numbers[i] = floor_div(times[i], s->length);
        if (numbers[i] < closed_below(s)) {
            s->late++;
            numbers[i] = 0;
            nf_bitmap_clear(validity, i);
            continue;
        }
        s->clock = !s->has_clock || times[i] > s->clock ? times[i] : s->clock;
        s->has_clock = true;
    }
    if (code == 0) {
        nf_column_count_nulls(*ret);
    }
    return code;
}

/* ---- counting ---- */

static void add_double(nf_window_cell *c, double v)
{
    double y = v - c->sum_error;
    double t = c->sum_f64 + y;
    double delta = v - c->mean;

    c->sum_error = t - c->sum_f64 - y;
    c->sum_f64 = t;
    c->sums.count++;
    c->mean += delta / (double)c->sums.count;
    c->m2 += delta * (v - c->mean);
}

static void add_values(nf_windows *s, const netfeat_column *col, int64_t first, int n, uint32_t *ids)
{
    uint64_t u[NF_BLOCK];
    double d[NF_BLOCK];

    if (s->mode == NF_WINDOW_DOUBLE) {
        nf_read_f64(col, first, n, d);
    } else {
        nf_read_u64(col, first, n, u);
    }
    for (int i = 0; i < n; i++) {
        nf_window_cell *c;
        if (ids[i] == NF_GROUP_NONE) {
            continue;
        }
        c = &s->cells[NF_GROUP_ID(ids[i])];
        if ((ids[i] & NF_GROUP_FRESH) != 0) {
            memset(c, 0, sizeof *c);
            ids[i] = NF_GROUP_ID(ids[i]);
        }
        c->rows++;
        if (!nf_column_present(col, first + i)) {
            continue;
        }
        if (s->mode == NF_WINDOW_UNSIGNED) {
            nf_int_sums_add_u64(&c->sums, u[i]);
        } else if (s->mode == NF_WINDOW_SIGNED) {
            nf_int_sums_add_i64(&c->sums, (int64_t)u[i]);
        } else if (d[i] == d[i]) {
            add_double(c, d[i]);
        }
    }
}

/* cols: window numbers, value, counted, keys; no row lacks a number. */
static int count_block(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *cols, int64_t first, int n,
                       uint32_t *ids, uint8_t *validity)
{
    nf_windows *s = step->state;
    netfeat_column *keys[NF_INPUTS_MAX + 1];
    int code;

    keys[0] = cols[0];
    memcpy(keys + 1, cols + s->first_key, (size_t)(step->n_inputs - s->first_key) * sizeof keys[0]);
    code = nf_groups_assign(&s->groups, keys, first, n, ids + first);
    code = code != 0 ? code : nf_windows_make_room(ctx, s);
    if (code != 0) {
        return code;
    }
    add_values(s, cols[1], first, n, ids + first);
    for (int i = 0; i < n; i++) {
        if (ids[first + i] == NF_GROUP_NONE) {
            nf_bitmap_clear(validity, first + i);
        }
    }
    return NETFEAT_OK;
}

/* The ids are a column now: a pair of group and value that is new is one more distinct value. */
static int count_distinct(nf_windows *s, netfeat_column *ids, netfeat_column *values)
{
    const uint32_t *id = (const uint32_t *)(const void *)ids->data;
    netfeat_column *const cols[2] = {ids, values};
    uint32_t pairs[NF_BLOCK];
    int code = NETFEAT_OK;

    for (int64_t first = 0; code == 0 && first < ids->length; first += NF_BLOCK) {
        int n = ids->length - first < NF_BLOCK ? (int)(ids->length - first) : NF_BLOCK;
        code = nf_groups_assign(&s->pairs, cols, first, n, pairs);
        for (int i = 0; code == 0 && i < n; i++) {
            if (pairs[i] != NF_GROUP_NONE && (pairs[i] & NF_GROUP_FRESH) != 0) {
                s->cells[id[first + i]].distinct++;
            }
        }
    }
    return code;
}

static int count_rows(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *cols)
{
    nf_windows *s = step->state;
    netfeat_column *ids = NULL;
    uint32_t *id;
    uint8_t *validity;
    int code = nf_column_new(ctx, NETFEAT_TYPE_U32, cols[0]->length, "", "", "", &ids, &id, &validity);

    for (int64_t first = 0; code == 0 && first < cols[0]->length; first += NF_BLOCK) {
        int n = cols[0]->length - first < NF_BLOCK ? (int)(cols[0]->length - first) : NF_BLOCK;
        code = count_block(ctx, step, cols, first, n, id, validity);
    }
    if (code == 0) {
        nf_column_count_nulls(ids);
    }
    if (code == 0 && s->counts_distinct) {
        code = count_distinct(s, ids, cols[2]);
    }
    netfeat_column_unref(ids);
    return code;
}

/* Only rows that have a window; all columns are taken when some have none. */
static int count_numbered(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *cols)
{
    netfeat_column *kept[NF_INPUTS_MAX] = {NULL};
    int64_t n = cols[0]->length - cols[0]->nulls;
    int64_t *rows;
    int64_t k = 0;
    int code = NETFEAT_OK;

    if (cols[0]->nulls == 0) {
        return count_rows(ctx, step, cols);
    }
    rows = nf_alloc_array(ctx, (size_t)n + 1, sizeof *rows);
    if (rows == NULL) {
        return nf_ctx_code(ctx);
    }
    for (int64_t i = 0; i < cols[0]->length; i++) {
        if (nf_column_present(cols[0], i)) {
            rows[k++] = i;
        }
    }
    for (int i = 0; code == 0 && i < step->n_inputs; i++) {
        code = nf_column_take(ctx, cols[i], rows, n, &kept[i]);
    }
    code = code != 0 ? code : count_rows(ctx, step, kept);
    for (int i = 0; i < step->n_inputs; i++) {
        netfeat_column_unref(kept[i]);
    }
    nf_free(ctx, rows, ((size_t)n + 1) * sizeof *rows);
    return code;
}

/* ---- the class ---- */

static int apply(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    nf_windows *s = step->state;
    netfeat_column *cols[NF_INPUTS_MAX];
    netfeat_column *numbers = NULL;
    int code = number_rows(ctx, s, in[0], &numbers);

    memcpy(cols, in, (size_t)step->n_inputs * sizeof cols[0]);
    cols[0] = numbers;
    code = code != 0 ? code : count_numbered(ctx, step, cols);
    netfeat_column_unref(numbers);
    return code != 0 ? code : nf_windows_close(ctx, step, false, closed_below(s), out);
}

static int64_t count(const nf_step *step, int which)
{
    const nf_windows *s = step->state;

    switch (which) {
    case NETFEAT_COUNT_KEYS:
        return (int64_t)s->groups.count;
    case NETFEAT_COUNT_EVICTED:
        return (int64_t)(s->groups.evicted + s->pairs.evicted);
    default:
        return (int64_t)s->late;
    }
}

const nf_feature_class nf_window_class = {
    .id = NETFEAT_FEATURE_WINDOW,
    .kind = NF_ACCUMULATOR,
    .min_inputs = 2,
    .max_inputs = NF_INPUTS_MAX,
    .other_rows = true,
    .state_bytes = sizeof(nf_windows),
    .open = open_state,
    .bind = bind,
    .close = close_state,
    .apply = apply,
    .finish = nf_windows_finish,
    .merge = nf_windows_merge,
    .save = nf_windows_save,
    .load = nf_windows_load,
    .count = count,
};

/* All rows at once: no window closes before the end. */
static int run_once(netfeat_ctx *ctx, netfeat_column *const *in, const char *const *names, size_t n,
                    bool distinct, const netfeat_options *opts, netfeat_table **ret)
{
    netfeat_options *own = NULL;
    nf_step *step = NULL;
    nf_outputs none, out;
    int code = nf_feature_copy_options(ctx, opts, &own);

    nf_outputs_init(&none, ctx);
    nf_outputs_init(&out, ctx);
    code = code != 0 ? code : netfeat_options_set_int(own, NETFEAT_OPT_FEATURE_DISTINCT, distinct);
    code = code != 0 ? code : netfeat_options_set_int(own, NETFEAT_OPT_FEATURE_LATENESS_NS, -1);
    code = code != 0 ? code : nf_step_new(ctx, NETFEAT_FEATURE_WINDOW, names, n, "", own, &step);
    code = code != 0 ? code : nf_step_apply(ctx, step, in, &none);
    code = code != 0 ? code : nf_windows_finish(ctx, step, &out);
    code = code != 0 ? code : nf_outputs_table(&out, false, ret);
    nf_outputs_free(&none);
    nf_outputs_free(&out);
    nf_step_free(step);
    netfeat_options_unref(own);
    return code;
}

int netfeat_feature_window(netfeat_ctx *ctx, const netfeat_table *tab, int value, int distinct,
                           const int *key, size_t n_key, const netfeat_options *opts, netfeat_table **ret)
{
    netfeat_column *in[NF_INPUTS_MAX];
    const char *names[NF_INPUTS_MAX];
    size_t n = 0;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    code =
        ret != NULL ? nf_feature_table(ctx, tab) : nf_error(ctx, NETFEAT_ERR_ARGUMENT, "window: ret is NULL");
    code = code != 0 ? code : nf_feature_named(ctx, tab, "timestamp", &in[0]);
    code = code != 0 ? code : nf_feature_column(ctx, tab, value, &in[1]);
    if (code == 0 && distinct >= 0) {
        code = nf_feature_column(ctx, tab, distinct, &in[2]);
    }
    if (code != 0) {
        return code;
    }
    names[n++] = "timestamp";
    names[n++] = tab->names[value];
    if (distinct >= 0) {
        names[n++] = tab->names[distinct];
    }
    code = nf_feature_keys(ctx, tab, key, n_key, in, &n);
    for (size_t i = 0; code == 0 && i < n_key; i++) {
        names[n - n_key + i] = tab->names[key[i]];
    }
    return code != 0 ? code : run_once(ctx, in, names, n, distinct >= 0, opts, ret);
}
