/* Windows going out, merging, and as state. */
#include <math.h>
#include <string.h>

#include "feature/window.h"

/* ---- giving out ---- */

static int64_t window_of(const nf_windows *s, uint32_t id)
{
    size_t size;
    const uint8_t *key = nf_groups_key(&s->groups, id, &size);
    int64_t number;

    memcpy(&number, key + (s->groups.n > 1 || s->groups.stride == 0 ? 1 : 0), sizeof number);
    return number;
}

typedef struct {
    nf_builder start, count, sum, mean, std, distinct;
} columns;

static int add_sum(const nf_windows *s, nf_builder *b, const nf_window_cell *c)
{
    if (s->mode == NF_WINDOW_DOUBLE) {
        return nf_builder_add_f64(b, c->sum_f64);
    }
    if (s->mode == NF_WINDOW_SIGNED) {
        return !nf_i128_fits_i64(c->sums.sum)
                   ? nf_error(b->ctx, NETFEAT_ERR_RANGE, "window: a sum exceeds 64 bits")
                   : nf_builder_add_i64(b, (int64_t)nf_i128_low(c->sums.sum));
    }
    return !nf_i128_fits_u64(c->sums.sum)
               ? nf_error(b->ctx, NETFEAT_ERR_RANGE, "window: a sum exceeds 64 bits")
               : nf_builder_add_u64(b, nf_i128_low(c->sums.sum));
}

static int add_moments(const nf_windows *s, columns *c, const nf_window_cell *from)
{
    double mean = from->mean;
    double variance = 0.0;
    bool has_mean = from->sums.count > 0;
    bool has_variance = from->sums.count > 1;
    int code;

    if (s->mode == NF_WINDOW_DOUBLE) {
        variance = has_variance ? from->m2 / (double)(from->sums.count - 1) : 0.0;
    } else {
        has_mean = nf_int_mean(&from->sums, &mean);
        has_variance = nf_int_variance(&from->sums, &variance);
    }
    code = has_mean ? nf_builder_add_f64(&c->mean, mean) : nf_builder_add_null(&c->mean);
    if (code != 0) {
        return code;
    }
    return has_variance ? nf_builder_add_f64(&c->std, sqrt(variance)) : nf_builder_add_null(&c->std);
}

static int add_line(const nf_windows *s, columns *c, uint32_t id)
{
    const nf_window_cell *from = &s->cells[id];
    int64_t start;
    int code;

    if (__builtin_mul_overflow(window_of(s, id), s->length, &start)) {
        return nf_error(c->start.ctx, NETFEAT_ERR_RANGE, "window: a window begins before the year 1677");
    }
    code = nf_builder_add_i64(&c->start, start);
    code = code != 0 ? code : nf_builder_add_u64(&c->count, from->rows);
    code = code != 0 ? code : add_sum(s, &c->sum, from);
    code = code != 0 ? code : add_moments(s, c, from);
    return code != 0 ? code : nf_builder_add_u64(&c->distinct, from->distinct);
}

static int finish_column(nf_outputs *out, const char *name, nf_builder *b, const char *unit)
{
    netfeat_column *col = NULL;
    int code = nf_builder_finish(b, unit, nf_feature_definition(NETFEAT_FEATURE_WINDOW),
                                 netfeat_feature_null_rule(NETFEAT_FEATURE_WINDOW), &col);

    return code != 0 ? code : nf_outputs_add(out, name, col);
}

static int key_columns(netfeat_ctx *ctx, const nf_step *step, const uint32_t *ids, size_t n, nf_outputs *out)
{
    const nf_windows *s = step->state;
    int code = NETFEAT_OK;

    for (int k = s->first_key; code == 0 && k < step->n_inputs; k++) {
        netfeat_column *col = NULL;
        code = nf_groups_column(&s->groups, ctx, k - s->first_key + 1, ids, n, &col);
        code = code != 0 ? code : nf_outputs_add(out, step->inputs[k], col);
    }
    return code;
}

static void init_columns(columns *c, netfeat_ctx *ctx, int mode)
{
    nf_builder_init(&c->start, ctx, NETFEAT_TYPE_TIME_NS);
    nf_builder_init(&c->count, ctx, NETFEAT_TYPE_U64);
    nf_builder_init(&c->sum, ctx,
                    mode == NF_WINDOW_DOUBLE   ? NETFEAT_TYPE_F64
                    : mode == NF_WINDOW_SIGNED ? NETFEAT_TYPE_I64
                                               : NETFEAT_TYPE_U64);
    nf_builder_init(&c->mean, ctx, NETFEAT_TYPE_F64);
    nf_builder_init(&c->std, ctx, NETFEAT_TYPE_F64);
    nf_builder_init(&c->distinct, ctx, NETFEAT_TYPE_U64);
}

static void free_columns(columns *c)
{
    nf_builder_free(&c->start);
    nf_builder_free(&c->count);
    nf_builder_free(&c->sum);
    nf_builder_free(&c->mean);
    nf_builder_free(&c->std);
    nf_builder_free(&c->distinct);
}

/* Lines of these groups, in this order. */
static int write_groups(netfeat_ctx *ctx, const nf_step *step, const uint32_t *ids, size_t n, nf_outputs *out)
{
    const nf_windows *s = step->state;
    columns c;
    int code = NETFEAT_OK;

    init_columns(&c, ctx, s->mode);
    for (size_t i = 0; code == 0 && i < n; i++) {
        code = add_line(s, &c, ids[i]);
    }
    code = code != 0 ? code : finish_column(out, "window", &c.start, "ns");
    code = code != 0 ? code : key_columns(ctx, step, ids, n, out);
    code = code != 0 ? code : finish_column(out, "count", &c.count, "rows");
    code = code != 0 ? code : finish_column(out, "sum", &c.sum, "");
    code = code != 0 ? code : finish_column(out, "mean", &c.mean, "");
    code = code != 0 ? code : finish_column(out, "std", &c.std, "");
    if (code == 0 && s->counts_distinct) {
        code = finish_column(out, "distinct", &c.distinct, "values");
    }
    free_columns(&c);
    return code;
}

static bool less_group(const void *user, uint32_t a, uint32_t b)
{
    const nf_windows *s = user;
    return nf_groups_compare(&s->groups, a, b) < 0;
}

/* Group `id` of `other` into s, with what it counted; *ret is its number there. */
static int take_over(netfeat_ctx *ctx, nf_windows *s, const nf_groups *groups, const nf_window_cell *cells,
                     uint32_t id, uint32_t *ret)
{
    int code = nf_groups_adopt(&s->groups, groups, id, ret);

    code = code != 0 ? code : nf_windows_make_room(ctx, s);
    if (code != 0) {
        return code;
    }
    if (*ret == NF_GROUP_NONE) {
        return nf_error(ctx, NETFEAT_ERR_LIMIT, "window: the groups of both exceed the limit");
    }
    if ((*ret & NF_GROUP_FRESH) != 0) {
        *ret = NF_GROUP_ID(*ret);
        s->cells[*ret] = cells[id];
        s->cells[*ret].distinct = 0;
    } else {
        s->cells[*ret].rows += cells[id].rows;
        nf_int_sums_merge(&s->cells[*ret].sums, &cells[id].sums);
    }
    return NETFEAT_OK;
}

/* Pairs of group and value follow their groups, whose new numbers are in map. A pair is 1, the group, and the rest. */
static int take_pairs(netfeat_ctx *ctx, nf_windows *s, const nf_groups *pairs, const uint32_t *map)
{
    uint8_t *key = NULL;
    size_t cap = 0;
    int code = NETFEAT_OK;

    for (uint32_t i = 0; code == 0 && i < pairs->count; i++) {
        void *p = key;
        uint32_t id, pair;
        size_t size;
        const uint8_t *from = nf_groups_key(pairs, i, &size);
        memcpy(&id, from + 1, sizeof id);
        if (map[id] == NF_GROUP_NONE) {
            continue;
        }
        code = nf_grow(ctx, &p, &cap, size, 1);
        key = p;
        if (code == 0) {
            memcpy(key, from, size);
            memcpy(key + 1, &map[id], sizeof id);
            code = nf_groups_put(&s->pairs, key, size, &pair);
        }
        if (code == 0 && pair == NF_GROUP_NONE) {
            code = nf_error(ctx, NETFEAT_ERR_LIMIT, "window: the distinct values of both exceed the limit");
        } else if (code == 0) {
            s->cells[map[id]].distinct += (pair & NF_GROUP_FRESH) != 0;
        }
    }
    nf_free(ctx, key, cap);
    return code;
}

/* All groups of `from` whose window is not below `open`. */
static int take_groups(netfeat_ctx *ctx, nf_windows *s, const nf_windows *from, int64_t open)
{
    size_t n = (size_t)from->groups.count + 1;
    uint32_t *map = nf_alloc_array(ctx, n, sizeof *map);
    int code = map != NULL ? NETFEAT_OK : nf_ctx_code(ctx);

    for (uint32_t i = 0; code == 0 && i < from->groups.count; i++) {
        map[i] = NF_GROUP_NONE;
        if (window_of(from, i) >= open) {
            code = take_over(ctx, s, &from->groups, from->cells, i, &map[i]);
        }
    }
    if (code == 0 && s->counts_distinct) {
        code = take_pairs(ctx, s, &from->pairs, map);
    }
    nf_free(ctx, map, n * sizeof *map);
    return code;
}

/* Forget the windows below `open`; the others keep their order. */
static int drop_closed(netfeat_ctx *ctx, nf_step *step, int64_t open)
{
    nf_windows *s = step->state;
    nf_windows old = *s;
    int code;

    memset(&s->groups, 0, sizeof s->groups);
    memset(&s->pairs, 0, sizeof s->pairs);
    s->cells = NULL;
    s->cells_cap = 0;
    code = nf_windows_init_groups(step, &s->groups, &s->pairs);
    s->groups.evicted = old.groups.evicted;
    s->pairs.evicted = old.pairs.evicted;
    code = code != 0 ? code : take_groups(ctx, s, &old, open);
    nf_groups_free(&old.groups);
    nf_groups_free(&old.pairs);
    nf_free(ctx, old.cells, old.cells_cap * sizeof *old.cells);
    return code;
}

/* Write all windows below `open`, ascending, and forget them. */
int nf_windows_close(netfeat_ctx *ctx, nf_step *step, bool all, int64_t open, nf_outputs *out)
{
    nf_windows *s = step->state;
    size_t cap = (size_t)s->groups.count + 1;
    uint32_t *ids = nf_alloc_array(ctx, cap, sizeof *ids);
    uint32_t *tmp = ids != NULL ? nf_alloc_array(ctx, cap, sizeof *tmp) : NULL;
    size_t n = 0;
    int code = tmp != NULL ? NETFEAT_OK : nf_ctx_code(ctx);

    for (uint32_t i = 0; code == 0 && i < s->groups.count; i++) {
        if (all || window_of(s, i) < open) {
            ids[n++] = i;
        }
    }
    if (code == 0) {
        nf_sort_ids(ids, tmp, n, less_group, s);
        code = write_groups(ctx, step, ids, n, out);
    }
    if (code == 0 && n > 0) {
        code = drop_closed(ctx, step, all ? INT64_MAX : open);
    }
    nf_free(ctx, tmp, cap * sizeof *tmp);
    nf_free(ctx, ids, cap * sizeof *ids);
    return code;
}

int nf_windows_finish(netfeat_ctx *ctx, nf_step *step, nf_outputs *out)
{
    int code = nf_windows_close(ctx, step, true, 0, out);

    step->failed = code != 0;
    return code;
}

/* ---- merging, state ---- */

int nf_windows_merge(nf_step *step, const nf_step *other)
{
    nf_windows *s = step->state;
    const nf_windows *from = other->state;
    int code;

    if (s->mode == NF_WINDOW_DOUBLE || s->lateness >= 0) {
        return nf_error(step->ctx, NETFEAT_ERR_UNSUPPORTED,
                        "window: no merge of f64 values, or of states that close "
                        "windows (feature.lateness_ns), can be exact");
    }
    code = take_groups(step->ctx, s, from, INT64_MIN);
    s->clock = from->has_clock && (!s->has_clock || from->clock > s->clock) ? from->clock : s->clock;
    s->has_clock = s->has_clock || from->has_clock;
    s->groups.evicted += from->groups.evicted;
    s->pairs.evicted += from->pairs.evicted;
    return code;
}

int nf_windows_save(const nf_step *step, nf_state_writer *w)
{
    const nf_windows *s = step->state;
    uint64_t head[3] = {s->has_clock, (uint64_t)s->clock, s->late};
    int code = nf_groups_save(&s->groups, w, "window");

    code = code != 0 ? code : nf_state_put(w, "", "clock", NETFEAT_TYPE_U64, head, 3);
    code = code != 0 ? code
                     : nf_state_put(w, "", "cells", NETFEAT_TYPE_U64, s->cells, s->groups.count * CELL_WORDS);
    return code != 0 || !s->counts_distinct ? code : nf_groups_save(&s->pairs, w, "pair");
}

/* Every pair belongs to a group. */
static int check_pairs(const nf_windows *s, nf_state_reader *r)
{
    for (uint32_t i = 0; i < s->pairs.count; i++) {
        size_t size;
        uint32_t id;
        memcpy(&id, nf_groups_key(&s->pairs, i, &size) + 1, sizeof id);
        if (id >= s->groups.count) {
            return nf_state_bad(r, "a value belongs to no window");
        }
    }
    return NETFEAT_OK;
}

int nf_windows_load(nf_step *step, nf_state_reader *r)
{
    nf_windows *s = step->state;
    const uint8_t *head_bytes, *cells;
    uint64_t head[3];
    int64_t three = 3, words;
    int code = nf_groups_load(&s->groups, r, "window");

    code = code != 0 ? code : nf_state_get(r, "", "clock", NETFEAT_TYPE_U64, &three, &head_bytes);
    words = (int64_t)(s->groups.count * CELL_WORDS);
    code = code != 0 ? code : nf_state_get(r, "", "cells", NETFEAT_TYPE_U64, &words, &cells);
    code = code != 0 ? code : nf_windows_make_room(step->ctx, s);
    if (code == 0 && s->counts_distinct) {
        code = nf_groups_load(&s->pairs, r, "pair");
        code = code != 0 ? code : check_pairs(s, r);
    }
    if (code != 0) {
        return code;
    }
    memcpy(head, head_bytes, sizeof head);
    s->has_clock = head[0] != 0;
    s->clock = (int64_t)head[1];
    s->late = head[2];
    if (s->groups.count > 0) {
        memcpy(s->cells, cells, s->groups.count * sizeof *s->cells);
    }
    for (uint32_t i = 0; i < s->groups.count; i++) {
        if (s->cells[i].sums.count < 0) {
            return nf_state_bad(r, "a count is out of bounds");
        }
    }
    return NETFEAT_OK;
}
