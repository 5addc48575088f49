/* Count, mean, deviation, quartiles of every numeric column. */
#include <math.h>
#include <string.h>

#include "base/bitmap.h"
#include "feature/exact.h"
#include "feature/select.h"
#include "feature/state.h"

#define BINS_MAX 65536 /* integers in a range this small are counted, not selected */

enum { MEAN, STD, MIN, Q25, Q50, Q75, MAX, N_NUMBERS };
static const char *const number_names[N_NUMBERS] = {"mean", "std", "min", "q25", "q50", "q75", "max"};

typedef struct {
    int64_t count;
    double number[N_NUMBERS];
    bool known[N_NUMBERS];
} summary;

static void set(summary *s, int which, bool known, double value)
{
    s->known[which] = known;
    s->number[which] = known ? value : 0.0;
}

/* Linear interpolation between two neighbours at distance t of the first, as numpy does it. */
static double between(double a, double b_minus_a, double b, double t)
{
    if (!isfinite(b_minus_a)) { /* the distance is no double: half of it is, unless an end is infinite */
        double half = b * 0.5 - a * 0.5;
        if (isfinite(half)) {
            return 2.0 * (t >= 0.5 ? b * 0.5 - half * (1.0 - t) : a * 0.5 + half * t);
        }
        return t > 0.0 ? a * (1.0 - t) + b * t : a;
    }
    return t >= 0.5 ? b - b_minus_a * (1.0 - t) : a + b_minus_a * t;
}

/* Rank of quartile k of n values, and the fraction beyond it. */
static size_t quartile_rank(int k, size_t n, double *fraction)
{
    double at = (double)(n - 1) * (0.25 * (double)k);
    size_t rank = (size_t)at;

    *fraction = at - (double)rank;
    return rank;
}

/* ---- integers in a small range ---- */

/* The value at a rank, and the next one, out of counts. */
static void find_rank(const uint32_t *bins, size_t n_bins, size_t rank, uint64_t *at, uint64_t *next)
{
    size_t seen = 0;
    size_t i = 0;

    while (i < n_bins && seen + bins[i] <= rank) {
        seen += bins[i++];
    }
    *at = i;
    if (seen + bins[i] <= rank + 1) {
        for (i++; i < n_bins - 1 && bins[i] == 0; i++) {
        }
    }
    *next = i < n_bins ? i : *at;
}

static void summarise_bins(const uint32_t *bins, size_t n_bins, uint64_t least, summary *s)
{
    nf_int_sums sums = {.count = 0};
    double mean = 0.0, variance = 0.0;
    bool known;

    for (size_t i = 0; i < n_bins; i++) {
        if (bins[i] != 0) {
            nf_int_sums_add_many(&sums, least + i, bins[i]);
        }
    }
    s->count = sums.count;
    known = nf_int_mean(&sums, &mean);
    set(s, MEAN, known, mean);
    known = nf_int_variance(&sums, &variance);
    set(s, STD, known, sqrt(variance));
    for (int k = 0; k <= 4 && s->count > 0; k++) {
        double t;
        uint64_t a, b;
        size_t rank = quartile_rank(k, (size_t)s->count, &t);
        find_rank(bins, n_bins, rank, &a, &b);
        b = rank + 1 < (size_t)s->count ? b : a;
        set(s, MIN + k, true, between((double)(least + a), (double)(b - a), (double)(least + b), t));
    }
}

/* ---- anything else: keys ---- */

/* The difference of two values that are given as keys is exact for integers, and one rounding for doubles. */
static double value_of(int type, uint64_t key)
{
    switch (type) {
    case NETFEAT_TYPE_F64:
        return nf_f64_of_key(key);
    case NETFEAT_TYPE_I64:
    case NETFEAT_TYPE_TIME_NS:
        return (double)(int64_t)(key ^ UINT64_C(1) << 63);
    default:
        return (double)key;
    }
}

static void quartiles_of_keys(int type, uint64_t *keys, size_t n, summary *s)
{
    static const int order[] = {2, 1, 3}; /* the median cuts the keys for the other two */
    size_t median = 0;

    for (int i = 0; i < 3; i++) {
        int k = order[i];
        double t, a, b, d;
        size_t rank = quartile_rank(k, n, &t);
        uint64_t next = UINT64_MAX;
        if (k == 2) {
            nf_select(keys, 0, n, rank);
            median = rank;
        } else if (rank != median) {
            nf_select(keys, k == 1 ? 0 : median + 1, k == 1 ? median : n, rank);
        }
        for (size_t j = rank + 1; t > 0.0 && j < n; j++) {
            next = keys[j] < next ? keys[j] : next;
            if (j == median && k == 1) { /* what is behind is not smaller */
                break;
            }
        }
        next = t > 0.0 ? next : keys[rank];
        a = value_of(type, keys[rank]);
        b = value_of(type, next);
        d = type == NETFEAT_TYPE_F64 ? b - a : (double)(next - keys[rank]);
        d = between(a, d, b, t);
        set(s, MIN + k, d == d, d); /* between two infinities there is nothing */
    }
}

static void summarise_keys(int type, uint64_t *keys, size_t n, uint64_t least, uint64_t most, summary *s)
{
    if (n == 0) {
        return;
    }
    set(s, MIN, true, value_of(type, least));
    set(s, MAX, true, value_of(type, most));
    quartiles_of_keys(type, keys, n, s);
}

/* Keys of the values that are there; sums on the way. */
static size_t collect_f64(const netfeat_column *col, uint64_t *restrict keys, nf_f64_sums *sums)
{
    size_t n = 0;

    for (int64_t i = 0; i < col->length; i++) {
        double v;
        memcpy(&v, col->data + (size_t)i * sizeof v, sizeof v);
        if (nf_column_present(col, i) && v == v) {
            nf_f64_sums_add(sums, v);
            keys[n++] = nf_key_of_f64(v);
        }
    }
    return n;
}

static size_t collect_ints(const netfeat_column *col, uint64_t *restrict keys, nf_int_sums *sums)
{
    bool is_signed = col->type == NETFEAT_TYPE_I64 || col->type == NETFEAT_TYPE_TIME_NS;
    uint64_t turn = is_signed ? UINT64_C(1) << 63 : 0;
    uint64_t values[NF_BLOCK];
    size_t count = 0;

    for (int64_t first = 0; first < col->length; first += NF_BLOCK) {
        int n = col->length - first < NF_BLOCK ? (int)(col->length - first) : NF_BLOCK;
        nf_read_u64(col, first, n, values);
        for (int i = 0; i < n; i++) {
            if (!nf_column_present(col, first + i)) {
                continue;
            }
            if (is_signed) {
                nf_int_sums_add_i64(sums, (int64_t)values[i]);
            } else {
                nf_int_sums_add_u64(sums, values[i]);
            }
            keys[count++] = values[i] ^ turn;
        }
    }
    return count;
}

static int describe_by_keys(netfeat_ctx *ctx, const netfeat_column *col, summary *s)
{
    size_t cap = (size_t)col->length + 1;
    uint64_t *keys = nf_alloc_array(ctx, cap, sizeof *keys);
    nf_f64_sums *sums = keys != NULL ? nf_alloc_zero(ctx, sizeof *sums) : NULL;
    nf_int_sums ints = {.count = 0};
    uint64_t least = UINT64_MAX, most = 0;
    double mean = 0.0, variance = 0.0;
    bool known;
    size_t n;

    if (sums == NULL) {
        nf_free(ctx, keys, cap * sizeof *keys);
        return nf_ctx_code(ctx);
    }
    if (col->type == NETFEAT_TYPE_F64) {
        n = collect_f64(col, keys, sums);
        known = nf_f64_mean(sums, &mean);
        set(s, MEAN, known, mean);
        known = nf_f64_variance(sums, &variance);
        set(s, STD, known, sqrt(variance));
    } else {
        n = collect_ints(col, keys, &ints);
        known = nf_int_mean(&ints, &mean);
        set(s, MEAN, known, mean);
        known = nf_int_variance(&ints, &variance);
        set(s, STD, known, sqrt(variance));
    }
    s->count = (int64_t)n;
    for (size_t i = 0; i < n; i++) {
        least = keys[i] < least ? keys[i] : least;
        most = keys[i] > most ? keys[i] : most;
    }
    summarise_keys(col->type, keys, n, least, most, s);
    nf_free(ctx, sums, sizeof *sums);
    nf_free(ctx, keys, cap * sizeof *keys);
    return NETFEAT_OK;
}

/* ---- choosing ---- */

/* Least value and number of values up to the greatest; false when the range is too large to count, or empty. */
static bool small_range(const netfeat_column *col, uint64_t *ret_least, size_t *ret_bins)
{
    uint64_t least = UINT64_MAX, most = 0;

    if (col->type == NETFEAT_TYPE_U32 && col->nulls == 0) {
        const uint32_t *v = (const uint32_t *)(const void *)col->data;
        uint32_t lo = UINT32_MAX, hi = 0;
        for (int64_t i = 0; i < col->length; i++) {
            lo = v[i] < lo ? v[i] : lo;
            hi = v[i] > hi ? v[i] : hi;
        }
        least = lo;
        most = hi;
    } else if (col->type >= NETFEAT_TYPE_BOOL && col->type <= NETFEAT_TYPE_U16) {
        least = 0;
        most = col->type == NETFEAT_TYPE_U16 ? 65535 : 255;
    } else if (col->type == NETFEAT_TYPE_U32) {
        for (int64_t i = 0; i < col->length; i++) {
            uint32_t v;
            memcpy(&v, col->data + (size_t)i * sizeof v, sizeof v);
            if (nf_column_present(col, i)) {
                least = v < least ? v : least;
                most = v > most ? v : most;
            }
        }
    }
    *ret_least = least;
    *ret_bins = least <= most && most - least < BINS_MAX ? (size_t)(most - least) + 1 : 0;
    return *ret_bins > 0 && col->length <= UINT32_MAX;
}

/* Two arrays of counts by turns, so that equal neighbours do not wait for each other. */
static void fill_bins(const netfeat_column *col, uint64_t least, uint32_t *restrict even,
                      uint32_t *restrict odd)
{
    uint64_t values[NF_BLOCK];
    int64_t first = 0;

    if (col->type == NETFEAT_TYPE_U32 && col->nulls == 0) {
        const uint32_t *v = (const uint32_t *)(const void *)col->data;
        uint32_t base = (uint32_t)least;
        for (; first + 1 < col->length; first += 2) {
            even[v[first] - base]++;
            odd[v[first + 1] - base]++;
        }
    }
    while (first < col->length) {
        int n = col->length - first < NF_BLOCK ? (int)(col->length - first) : NF_BLOCK;
        nf_read_u64(col, first, n, values);
        for (int i = 0; i < n; i++) {
            if (nf_column_present(col, first + i)) {
                even[values[i] - least]++;
            }
        }
        first += n;
    }
}

static int describe_column(netfeat_ctx *ctx, const netfeat_column *col, summary *s)
{
    uint64_t least;
    size_t n;
    uint32_t *bins;

    memset(s, 0, sizeof *s);
    if (!small_range(col, &least, &n)) {
        return describe_by_keys(ctx, col, s);
    }
    bins = nf_alloc_zero(ctx, 2 * n * sizeof *bins);
    if (bins == NULL) {
        return nf_ctx_code(ctx);
    }
    fill_bins(col, least, bins, bins + n);
    for (size_t i = 0; i < n; i++) {
        bins[i] += bins[n + i];
    }
    summarise_bins(bins, n, least, s);
    nf_free(ctx, bins, 2 * n * sizeof *bins);
    return NETFEAT_OK;
}

/* ---- the table ---- */

static int finish_table(netfeat_ctx *ctx, nf_builder *names, nf_builder *counts, nf_builder *numbers,
                        netfeat_table **ret)
{
    static const char *const count_names[] = {"count", "nulls"};
    const char *definition = nf_feature_definition(NETFEAT_FEATURE_DESCRIBE);
    const char *rule = netfeat_feature_null_rule(NETFEAT_FEATURE_DESCRIBE);
    netfeat_column *col = NULL;
    nf_outputs out;
    int code;

    nf_outputs_init(&out, ctx);
    code = nf_builder_finish(names, "", definition, "never", &col);
    code = code != 0 ? code : nf_outputs_add(&out, "name", col);
    for (int i = 0; code == 0 && i < 2; i++) {
        code = nf_builder_finish(&counts[i], "rows", definition, "never", &col);
        code = code != 0 ? code : nf_outputs_add(&out, count_names[i], col);
    }
    for (int i = 0; code == 0 && i < N_NUMBERS; i++) {
        code = nf_builder_finish(&numbers[i], "", definition, rule, &col);
        code = code != 0 ? code : nf_outputs_add(&out, number_names[i], col);
    }
    code = code != 0 ? code : nf_outputs_table(&out, true, ret);
    nf_outputs_free(&out);
    return code;
}

static int add_row(nf_builder *names, nf_builder *counts, nf_builder *numbers, const char *name, int64_t rows,
                   const summary *s)
{
    int code = nf_builder_add_bytes(names, name, strlen(name));

    code = code != 0 ? code : nf_builder_add_u64(&counts[0], (uint64_t)s->count);
    code = code != 0 ? code : nf_builder_add_u64(&counts[1], (uint64_t)(rows - s->count));
    for (int i = 0; code == 0 && i < N_NUMBERS; i++) {
        code = s->known[i] ? nf_builder_add_f64(&numbers[i], s->number[i]) : nf_builder_add_null(&numbers[i]);
    }
    return code;
}

int netfeat_feature_describe(netfeat_ctx *ctx, const netfeat_table *tab, netfeat_table **ret)
{
    nf_builder names, counts[2], numbers[N_NUMBERS];
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    code = ret != NULL ? nf_feature_table(ctx, tab)
                       : nf_error(ctx, NETFEAT_ERR_ARGUMENT, "describe: ret is NULL");
    if (code != 0) {
        return code;
    }
    nf_builder_init(&names, ctx, NETFEAT_TYPE_TEXT);
    nf_builder_init(&counts[0], ctx, NETFEAT_TYPE_U64);
    nf_builder_init(&counts[1], ctx, NETFEAT_TYPE_U64);
    for (int i = 0; i < N_NUMBERS; i++) {
        nf_builder_init(&numbers[i], ctx, NETFEAT_TYPE_F64);
    }
    for (int i = 0; code == 0 && i < tab->width; i++) {
        summary s;
        if (nf_type_is_numeric(tab->cols[i]->type)) {
            code = describe_column(ctx, tab->cols[i], &s);
            code = code != 0 ? code : add_row(&names, counts, numbers, tab->names[i], tab->rows, &s);
        }
    }
    code = code != 0 ? code : finish_table(ctx, &names, counts, numbers, ret);
    nf_builder_free(&names);
    nf_builder_free(&counts[0]);
    nf_builder_free(&counts[1]);
    for (int i = 0; i < N_NUMBERS; i++) {
        nf_builder_free(&numbers[i]);
    }
    return code;
}
