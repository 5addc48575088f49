#include "feature/category.h"

#include <string.h>

#include "base/bitmap.h"
#include "feature/state.h"
#include "table/text.h"

int nf_categories_init(nf_categories *cat, nf_step *step, int type)
{
    cat->ctx = step->ctx;
    cat->type = type;
    switch (type) {
    case NETFEAT_TYPE_BOOL:
        cat->small_n = 2;
        break;
    case NETFEAT_TYPE_U8:
        cat->small_n = 256;
        break;
    case NETFEAT_TYPE_U16:
        cat->small_n = 65536;
        break;
    default:
        return nf_groups_init(&cat->groups, step->ctx, &type, 1, false, false,
                              nf_step_option(step, NETFEAT_OPT_FEATURE_MAX_GROUPS));
    }
    cat->small = nf_alloc_zero(step->ctx, (size_t)cat->small_n * 2 * sizeof *cat->small);
    return cat->small != NULL ? NETFEAT_OK : nf_ctx_code(step->ctx);
}

void nf_categories_free(nf_categories *cat)
{
    if (cat->ctx != NULL) {
        nf_free(cat->ctx, cat->small, (size_t)cat->small_n * 2 * sizeof *cat->small);
        nf_free(cat->ctx, cat->counts, cat->counts_cap * sizeof *cat->counts);
        nf_groups_free(&cat->groups);
    }
}

/* ---- learning ---- */

static void count_small(uint64_t *restrict small, uint32_t small_n, const netfeat_column *col)
{
    const uint16_t *restrict u16 = (const uint16_t *)(const void *)col->data;
    uint64_t *restrict odd = small + small_n;
    uint64_t values[NF_BLOCK];
    int64_t i = 0;

    if (col->type == NETFEAT_TYPE_U16 && col->nulls == 0) {
        for (; i + 1 < col->length; i += 2) {
            small[u16[i]]++;
            odd[u16[i + 1]]++;
        }
    }
    while (i < col->length) {
        int n = col->length - i < NF_BLOCK ? (int)(col->length - i) : NF_BLOCK;
        nf_read_u64(col, i, n, values);
        for (int k = 0; k < n; k++) {
            small[values[k]] += nf_column_present(col, i + k);
        }
        i += n;
    }
}

static int make_room(nf_categories *cat)
{
    void *p = cat->counts;
    int code = nf_grow(cat->ctx, &p, &cat->counts_cap, cat->groups.count, sizeof *cat->counts);

    cat->counts = p;
    return code;
}

/* n rows, each of which counts as many times; ids has room for n. */
static int fit_block(nf_categories *cat, netfeat_column *col, int64_t first, int n, uint64_t weight,
                     uint32_t *ids)
{
    int code = nf_groups_assign(&cat->groups, &col, first, n, ids);

    code = code != 0 ? code : make_room(cat);
    for (int i = 0; code == 0 && i < n; i++) {
        if (ids[i] == NF_GROUP_NONE) {
            continue;
        }
        if ((ids[i] & NF_GROUP_FRESH) != 0) {
            cat->counts[NF_GROUP_ID(ids[i])] = 0;
        }
        cat->counts[NF_GROUP_ID(ids[i])] += weight;
    }
    return code;
}

/* The numbers of the column's dictionary are known: count these, and look up each value once, in order of first
   appearance, as the other way does. */
static int fit_codes(nf_categories *cat, netfeat_column *col, netfeat_column *codes)
{
    const uint32_t *restrict ids = (const uint32_t *)(const void *)codes->data;
    uint64_t *counts;
    uint32_t top = 0;
    uint32_t next = 0;
    uint32_t id;
    int code = NETFEAT_OK;

    for (int64_t i = 0; i < col->length; i++) {
        top = ids[i] > top ? ids[i] : top;
    }
    counts = nf_alloc_zero(cat->ctx, ((size_t)top + 1) * sizeof *counts);
    if (counts == NULL) {
        return nf_ctx_code(cat->ctx);
    }
    for (int64_t i = 0; i < col->length; i++) {
        counts[ids[i]] += nf_column_present(codes, i);
    }
    for (int64_t i = 0; code == 0 && i < col->length && next <= top; i++) {
        if (ids[i] == next && nf_column_present(codes, i)) {
            code = fit_block(cat, col, i, 1, counts[next], &id);
            next++;
        }
    }
    nf_free(cat->ctx, counts, ((size_t)top + 1) * sizeof *counts);
    return code;
}

int nf_categories_fit(nf_categories *cat, netfeat_column *col)
{
    netfeat_column *codes = nf_column_kept_codes(col);
    uint32_t ids[NF_BLOCK];
    int code = NETFEAT_OK;

    if (cat->small != NULL) {
        count_small(cat->small, cat->small_n, col);
        return NETFEAT_OK;
    }
    if (codes != NULL) {
        return fit_codes(cat, col, codes);
    }
    for (int64_t first = 0; code == 0 && first < col->length; first += NF_BLOCK) {
        int n = col->length - first < NF_BLOCK ? (int)(col->length - first) : NF_BLOCK;
        code = fit_block(cat, col, first, n, 1, ids);
    }
    return code;
}

int nf_categories_merge(nf_categories *cat, const nf_categories *other)
{
    int code = NETFEAT_OK;

    for (uint32_t i = 0; cat->small != NULL && i < 2 * cat->small_n; i++) {
        cat->small[i] += other->small[i];
    }
    for (uint32_t i = 0; code == 0 && cat->small == NULL && i < other->groups.count; i++) {
        uint32_t id = 0;
        code = nf_groups_adopt(&cat->groups, &other->groups, i, &id);
        code = code != 0 ? code : make_room(cat);
        if (code == 0) {
            uint64_t before = (id & NF_GROUP_FRESH) != 0 ? 0 : cat->counts[id];
            cat->counts[NF_GROUP_ID(id)] = before + other->counts[i];
        }
    }
    return code;
}

/* ---- asking ---- */

uint64_t nf_categories_count(const nf_categories *cat, uint32_t id)
{
    return cat->small != NULL ? cat->small[id] + cat->small[cat->small_n + id] : cat->counts[id];
}

uint64_t nf_categories_total(const nf_categories *cat)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < nf_categories_bound(cat); i++) {
        total += nf_categories_count(cat, i);
    }
    return total;
}

static bool less_value(const void *user, uint32_t a, uint32_t b)
{
    const nf_categories *cat = user;
    return nf_groups_compare(&cat->groups, a, b) < 0;
}

static uint64_t high_word(const void *user, uint32_t id)
{
    const nf_categories *cat = user;
    return nf_groups_word(&cat->groups, id, 0);
}

static uint64_t low_word(const void *user, uint32_t id)
{
    const nf_categories *cat = user;
    return nf_groups_word(&cat->groups, id, 1);
}

static uint64_t falling_count(const void *user, uint32_t id)
{
    return ~nf_categories_count(user, id);
}

/* By value. Small ones are in this order as they are. */
static int sort_by_value(const nf_categories *cat, netfeat_ctx *ctx, uint32_t *ids, size_t n)
{
    uint32_t *tmp;
    int code;

    if (cat->small != NULL || n < 2) {
        return NETFEAT_OK;
    }
    if (nf_groups_has_words(&cat->groups)) {
        code = nf_sort_by_word(ctx, ids, n, low_word, cat);
        return code != 0 ? code : nf_sort_by_word(ctx, ids, n, high_word, cat);
    }
    tmp = nf_alloc_array(ctx, n, sizeof *tmp);
    if (tmp == NULL) {
        return nf_ctx_code(ctx);
    }
    nf_sort_ids(ids, tmp, n, less_value, cat);
    nf_free(ctx, tmp, n * sizeof *tmp);
    return NETFEAT_OK;
}

int nf_categories_list(const nf_categories *cat, netfeat_ctx *ctx, bool by_count, uint32_t **ret,
                       size_t *ret_cap, size_t *ret_n)
{
    uint32_t bound = nf_categories_bound(cat);
    size_t cap = (size_t)bound + 1;
    uint32_t *ids = nf_alloc_array(ctx, cap, sizeof *ids);
    size_t n = 0;
    int code;

    if (ids == NULL) {
        return nf_ctx_code(ctx);
    }
    for (uint32_t i = 0; i < bound; i++) {
        if (nf_categories_count(cat, i) > 0) {
            ids[n++] = i;
        }
    }
    code = sort_by_value(cat, ctx, ids, n);
    code = code == 0 && by_count ? nf_sort_by_word(ctx, ids, n, falling_count, cat) : code;
    if (code != 0) {
        nf_free(ctx, ids, cap * sizeof *ids);
        return code;
    }
    *ret = ids;
    *ret_cap = cap;
    *ret_n = n;
    return NETFEAT_OK;
}

int nf_categories_column(const nf_categories *cat, netfeat_ctx *ctx, const uint32_t *ids, size_t n,
                         netfeat_column **ret)
{
    nf_builder b;
    int code = NETFEAT_OK;

    if (cat->small == NULL) {
        return nf_groups_column(&cat->groups, ctx, 0, ids, n, ret);
    }
    nf_builder_init(&b, ctx, cat->type);
    for (size_t i = 0; code == 0 && i < n; i++) {
        code = nf_builder_add_u64(&b, ids[i]);
    }
    code = code != 0 ? code : nf_builder_finish(&b, "", "feature.key@1", "never", ret);
    nf_builder_free(&b);
    return code;
}

int nf_categories_look_up(netfeat_ctx *ctx, const nf_categories *cat, netfeat_column *col, int64_t first,
                          int n, uint32_t *ids)
{
    uint64_t values[NF_BLOCK];

    if (cat->small == NULL) {
        return nf_groups_look_up(ctx, &cat->groups, &col, first, n, ids);
    }
    nf_read_u64(col, first, n, values);
    for (int i = 0; i < n; i++) {
        bool known = nf_column_present(col, first + i) && nf_categories_count(cat, (uint32_t)values[i]) > 0;
        ids[i] = known ? (uint32_t)values[i] : NF_GROUP_NONE;
    }
    return NETFEAT_OK;
}

/* ---- saving ---- */

/* Sparse, ascending, so that equal states are equal tables. */
static int save_small(const nf_categories *cat, nf_state_writer *w)
{
    nf_builder values, counts;
    int code = NETFEAT_OK;

    nf_builder_init(&values, w->ctx, NETFEAT_TYPE_U32);
    nf_builder_init(&counts, w->ctx, NETFEAT_TYPE_U64);
    for (uint32_t i = 0; code == 0 && i < cat->small_n; i++) {
        if (nf_categories_count(cat, i) > 0) {
            code = nf_builder_add_u64(&values, i);
            code = code != 0 ? code : nf_builder_add_u64(&counts, nf_categories_count(cat, i));
        }
    }
    code = code != 0 ? code
                     : nf_state_put(w, "", "values", NETFEAT_TYPE_U32, values.data, (size_t)values.length);
    code = code != 0 ? code
                     : nf_state_put(w, "", "counts", NETFEAT_TYPE_U64, counts.data, (size_t)counts.length);
    nf_builder_free(&values);
    nf_builder_free(&counts);
    return code;
}

int nf_categories_save(const nf_categories *cat, nf_state_writer *w)
{
    int code;

    if (cat->small != NULL) {
        return save_small(cat, w);
    }
    code = nf_groups_save(&cat->groups, w, "value");
    return code != 0 ? code : nf_state_put(w, "", "counts", NETFEAT_TYPE_U64, cat->counts, cat->groups.count);
}

static int load_small(nf_categories *cat, nf_state_reader *r)
{
    const uint8_t *values = NULL, *counts = NULL;
    int64_t n = -1;
    int code = nf_state_get(r, "", "values", NETFEAT_TYPE_U32, &n, &values);

    code = code != 0 ? code : nf_state_get(r, "", "counts", NETFEAT_TYPE_U64, &n, &counts);
    for (int64_t i = 0; code == 0 && i < n; i++) {
        uint32_t value;
        memcpy(&value, values + (size_t)i * sizeof value, sizeof value);
        if (value >= cat->small_n || cat->small[value] != 0) {
            return nf_state_bad(r, "a value is out of bounds, or there twice");
        }
        memcpy(&cat->small[value], counts + (size_t)i * sizeof(uint64_t), sizeof(uint64_t));
    }
    return code;
}

/* Counts are at least 1 and their sum is a number of rows. */
static int check_counts(const nf_categories *cat, nf_state_reader *r)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < nf_categories_bound(cat); i++) {
        uint64_t c = nf_categories_count(cat, i);
        if (c > (uint64_t)INT64_MAX - total || (c == 0 && cat->small == NULL)) {
            return nf_state_bad(r, "a count is out of bounds");
        }
        total += c;
    }
    return NETFEAT_OK;
}

int nf_categories_load(nf_categories *cat, nf_state_reader *r)
{
    void *p = NULL;
    int code;

    if (cat->small != NULL) {
        code = load_small(cat, r);
        return code != 0 ? code : check_counts(cat, r);
    }
    code = nf_groups_load(&cat->groups, r, "value");
    if (code == 0) {
        code = nf_state_get_copy(r, "", "counts", NETFEAT_TYPE_U64, cat->groups.count, &p, &cat->counts_cap);
    }
    if (code == 0) {
        cat->counts = p;
        code = check_counts(cat, r);
    }
    return code;
}

/* ---- unknown values ---- */

int nf_unknown_rule(const nf_step *step, int usual)
{
    int rule = (int)nf_step_option(step, NETFEAT_OPT_FEATURE_UNKNOWN);
    return rule != 0 ? rule : usual;
}

int nf_unknown_error(netfeat_ctx *ctx, const nf_step *step, netfeat_column *col, int64_t row)
{
    char text[NF_TEXT_MAX];

    netfeat_column_get_text(col, row, text, sizeof text, NULL);
    return nf_error(ctx, NETFEAT_ERR_RANGE, "%s: row %lld: %s was not learned",
                    netfeat_feature_name(step->cls->id), (long long)row, text);
}
