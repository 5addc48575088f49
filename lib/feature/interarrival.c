/* Time since the previous row of the same keys. */
#include <string.h>

#include "base/bitmap.h"
#include "base/checked.h"
#include "feature/group.h"
#include "feature/state.h"

typedef struct {
    int64_t time;
    uint64_t row; /* number of the row with that time; NO_ROW: none had one yet */
} last_seen;

#define NO_ROW UINT64_MAX

typedef struct {
    nf_groups groups;
    last_seen *last;
    size_t last_cap;
    uint32_t ready; /* groups that are set */
    bool seconds;
} interarrival;

static int bind(nf_step *step)
{
    interarrival *s = step->state;

    if (step->types[0] != NETFEAT_TYPE_TIME_NS) {
        return nf_type_error(step, 0, "time_ns");
    }
    s->seconds = nf_step_option(step, NETFEAT_OPT_FEATURE_SECONDS) != 0;
    return nf_groups_init(&s->groups, step->ctx, step->types + 1, step->n_inputs - 1,
                          nf_step_option(step, NETFEAT_OPT_FEATURE_NULL_KEY) != 0,
                          nf_step_option(step, NETFEAT_OPT_FEATURE_ON_FULL) != 0,
                          nf_step_option(step, NETFEAT_OPT_FEATURE_MAX_GROUPS));
}

static void close_state(nf_step *step)
{
    interarrival *s = step->state;

    nf_free(step->ctx, s->last, s->last_cap * sizeof *s->last);
    nf_groups_free(&s->groups);
}

static int make_room(netfeat_ctx *ctx, interarrival *s)
{
    void *p = s->last;
    int code = nf_grow(ctx, &p, &s->last_cap, s->groups.count, sizeof *s->last);

    s->last = p;
    for (; code == 0 && s->ready < s->groups.count; s->ready++) {
        s->last[s->ready] = (last_seen){0, NO_ROW};
    }
    return code;
}

static double seconds(int64_t ns)
{
    return (double)ns / 1e9;
}

/* Difference of two rows to out[i]; false when it does not fit. */
static inline bool put_difference(const interarrival *s, int64_t now, int64_t before, void *out, int64_t i)
{
    int64_t diff = 0;

    if (s->seconds) {
        ((double *)out)[i] = seconds(now) - seconds(before);
        return true;
    }
    if (__builtin_sub_overflow(now, before, &diff)) {
        return false;
    }
    ((int64_t *)out)[i] = diff;
    return true;
}

/* The common block: ns, nothing missing; new keys have no row yet. */
static int64_t run_clean(last_seen *restrict last, const uint32_t *restrict ids,
                         const int64_t *restrict times, int64_t first, int n, uint64_t base,
                         int64_t *restrict out, uint8_t *restrict validity)
{
    for (int64_t i = first; i < first + n; i++) {
        last_seen *l = &last[NF_GROUP_ID(ids[i - first])];
        if (l->row == NO_ROW) {
            out[i] = 0;
            nf_bitmap_clear(validity, i);
        } else if (__builtin_sub_overflow(times[i], l->time, &out[i])) {
            return i;
        }
        l->time = times[i];
        l->row = base + (uint64_t)i;
    }
    return -1;
}

static int64_t run_block(interarrival *s, const uint32_t *ids, const netfeat_column *col, int64_t first,
                         int n, uint64_t base, void *out, uint8_t *validity)
{
    const int64_t *times = (const int64_t *)(const void *)col->data;

    if (s->groups.clean && !s->seconds && col->nulls == 0) {
        return run_clean(s->last, ids, times, first, n, base, out, validity);
    }
    for (int64_t i = first; i < first + n; i++) {
        uint32_t id = ids[i - first];
        last_seen *last;
        if (id != NF_GROUP_NONE && (id & NF_GROUP_FRESH) != 0) {
            id = NF_GROUP_ID(id);
            s->last[id] = (last_seen){0, NO_ROW};
        }
        last = id != NF_GROUP_NONE ? &s->last[id] : NULL;
        if (last == NULL || !nf_column_present(col, i) || last->row == NO_ROW) {
            ((int64_t *)out)[i] = 0; /* all bits zero is 0.0, too */
            nf_bitmap_clear(validity, i);
        } else if (!put_difference(s, times[i], last->time, out, i)) {
            return i;
        }
        if (last != NULL && nf_column_present(col, i)) {
            *last = (last_seen){times[i], base + (uint64_t)i};
        }
    }
    return -1;
}

/* The whole table is one group and no time is missing: neighbours, without tables. The first row is done. */
static int64_t run_neighbours(const interarrival *s, const netfeat_column *col, void *out)
{
    const int64_t *restrict times = (const int64_t *)(const void *)col->data;
    int64_t *restrict diff = out;
    double *restrict diff_s = out;
    uint64_t overflow = 0;

    if (s->seconds) {
        for (int64_t i = 1; i < col->length; i++) {
            diff_s[i] = seconds(times[i]) - seconds(times[i - 1]);
        }
        return -1;
    }
    for (int64_t i = 1; i < col->length; i++) {
        uint64_t a = (uint64_t)times[i];
        uint64_t b = (uint64_t)times[i - 1];
        uint64_t d = a - b;
        overflow |= (a ^ b) & (a ^ d);
        diff[i] = (int64_t)d;
    }
    if (overflow >> 63 == 0) {
        return -1;
    }
    for (int64_t i = 1;; i++) {
        int64_t d;
        if (__builtin_sub_overflow(times[i], times[i - 1], &d)) {
            return i;
        }
    }
}

static int run(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, void *data, uint8_t *validity)
{
    interarrival *s = step->state;
    uint64_t base = step->n_ranges > 0 ? step->ranges[step->n_ranges - 1].end - (uint64_t)in[0]->length : 0;
    bool neighbours = step->n_inputs == 1 && in[0]->nulls == 0 && in[0]->length > 0;
    int64_t stop = neighbours ? 1 : in[0]->length;
    int64_t bad = -1;
    uint32_t ids[NF_BLOCK];
    int code = NETFEAT_OK;

    for (int64_t first = 0; code == 0 && bad < 0 && first < stop; first += NF_BLOCK) {
        int n = stop - first < NF_BLOCK ? (int)(stop - first) : NF_BLOCK;
        code = nf_groups_assign(&s->groups, in + 1, first, n, ids);
        code = code != 0 ? code : make_room(ctx, s);
        bad = code != 0 ? bad : run_block(s, ids, in[0], first, n, base, data, validity);
    }
    if (code == 0 && bad < 0 && neighbours) {
        const int64_t *times = (const int64_t *)(const void *)in[0]->data;
        bad = run_neighbours(s, in[0], data);
        s->last[0] = (last_seen){times[in[0]->length - 1], base + (uint64_t)in[0]->length - 1};
    }
    if (code == 0 && bad >= 0) {
        code = nf_error(ctx, NETFEAT_ERR_RANGE, "interarrival: the difference at row %lld exceeds 64 bits",
                        (long long)bad);
    }
    return code;
}

static int apply(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    const interarrival *s = step->state;
    netfeat_column *col = NULL;
    void *data;
    uint8_t *validity;
    int code = nf_column_new(ctx, s->seconds ? NETFEAT_TYPE_F64 : NETFEAT_TYPE_I64, in[0]->length,
                             s->seconds ? "s" : "ns", nf_feature_definition(step->cls->id),
                             netfeat_feature_null_rule(step->cls->id), &col, &data, &validity);

    code = code != 0 ? code : run(ctx, step, in, data, validity);
    if (code != 0) {
        netfeat_column_unref(col);
        return code;
    }
    nf_column_count_nulls(col);
    return nf_outputs_add(out, NULL, col);
}

/* The later row of each key is the one to go on from; which state it is in does not matter. */
static int merge(nf_step *step, const nf_step *other)
{
    interarrival *s = step->state;
    const interarrival *from = other->state;
    int code = NETFEAT_OK;

    for (uint32_t i = 0; code == 0 && i < from->groups.count; i++) {
        uint32_t id = 0;
        uint64_t evicted = s->groups.evicted;
        code = nf_groups_adopt(&s->groups, &from->groups, i, &id);
        code = code != 0 ? code : make_room(step->ctx, s);
        if (code == 0 && s->groups.evicted != evicted) {
            return nf_error(step->ctx, NETFEAT_ERR_LIMIT, "interarrival: the keys of both exceed the limit");
        }
        if (code == 0 && (id & NF_GROUP_FRESH) != 0) {
            id = NF_GROUP_ID(id);
            s->last[id] = from->last[i];
        } else if (code == 0 && from->last[i].row != NO_ROW &&
                   (s->last[id].row == NO_ROW || s->last[id].row < from->last[i].row)) {
            s->last[id] = from->last[i];
        }
    }
    s->groups.evicted += code == 0 ? from->groups.evicted : 0;
    return code;
}

static int save(const nf_step *step, nf_state_writer *w)
{
    const interarrival *s = step->state;
    int code = nf_groups_save(&s->groups, w, "key");

    _Static_assert(sizeof(last_seen) == 2 * sizeof(uint64_t), "pairs of 64-bit numbers");
    return code != 0 ? code
                     : nf_state_put(w, "", "last", NETFEAT_TYPE_U64, s->last, (size_t)s->groups.count * 2);
}

static int load(nf_step *step, nf_state_reader *r)
{
    interarrival *s = step->state;
    void *p = NULL;
    size_t cap = 0;
    int code = nf_groups_load(&s->groups, r, "key");

    if (code == 0) {
        code = nf_state_get_copy(r, "", "last", NETFEAT_TYPE_U64, (int64_t)s->groups.count * 2, &p, &cap);
    }
    if (code == 0 && cap < 2) { /* no group: nothing to keep */
        nf_free(step->ctx, p, cap * sizeof(uint64_t));
    } else if (code == 0) {
        s->last = p;
        s->last_cap = cap / 2;
        s->ready = s->groups.count;
    }
    return code;
}

static int64_t count(const nf_step *step, int which)
{
    const interarrival *s = step->state;

    return which == NETFEAT_COUNT_KEYS ? (int64_t)s->groups.count : (int64_t)s->groups.evicted;
}

const nf_feature_class nf_interarrival_class = {
    .id = NETFEAT_FEATURE_INTERARRIVAL,
    .kind = NF_ACCUMULATOR,
    .min_inputs = 1,
    .max_inputs = NF_INPUTS_MAX,
    .keys_by_equality = true,
    .ordered = true,
    .state_bytes = sizeof(interarrival),
    .bind = bind,
    .close = close_state,
    .apply = apply,
    .merge = merge,
    .save = save,
    .load = load,
    .count = count,
};

int netfeat_feature_interarrival(netfeat_ctx *ctx, const netfeat_table *tab, const int *key, size_t n_key,
                                 const netfeat_options *opts, netfeat_column **ret)
{
    netfeat_column *in[NF_INPUTS_MAX];
    size_t n = 1;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    code = nf_feature_table(ctx, tab);
    code = code != 0 ? code : nf_feature_named(ctx, tab, "timestamp", &in[0]);
    code = code != 0 ? code : nf_feature_keys(ctx, tab, key, n_key, in, &n);
    return code != 0 ? code : nf_feature_run_column(ctx, NETFEAT_FEATURE_INTERARRIVAL, in, n, opts, ret);
}
