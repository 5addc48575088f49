/* category.h - the distinct values of a column and how often each occurs. Numbers of categories: for BOOL, U8 and
   U16 the value itself, for other types in order of arrival; whoever lists them asks for an order of values. */
#ifndef NF_FEATURE_CATEGORY_H
#define NF_FEATURE_CATEGORY_H

#include <string.h>

#include "feature/group.h"

typedef struct {
    netfeat_ctx *ctx;
    int type;
    uint32_t small_n; /* BOOL, U8, U16: how many values there can be; 0 for other types */
    uint64_t *small;  /* twice small_n counts: even and odd rows, so that equal neighbours do not wait */
    nf_groups groups; /* other types */
    uint64_t *counts;
    size_t counts_cap;
} nf_categories;

int nf_categories_init(nf_categories *cat, nf_step *step, int type);
void nf_categories_free(nf_categories *cat);
int nf_categories_fit(nf_categories *cat, netfeat_column *col);
int nf_categories_merge(nf_categories *cat, const nf_categories *other);
int nf_categories_save(const nf_categories *cat, nf_state_writer *w);
int nf_categories_load(nf_categories *cat, nf_state_reader *r);

/* Numbers are below this. */
static inline uint32_t nf_categories_bound(const nf_categories *cat)
{
    return cat->small_n > 0 ? cat->small_n : cat->groups.count;
}
uint64_t nf_categories_count(const nf_categories *cat, uint32_t id);
/* Rows counted in all. */
uint64_t nf_categories_total(const nf_categories *cat);
/* All categories, most frequent first and ties in ascending order of value, or just ascending. *ret has room for
   *ret_cap numbers; free it with nf_free. */
int nf_categories_list(const nf_categories *cat, netfeat_ctx *ctx, bool by_count, uint32_t **ret,
                       size_t *ret_cap, size_t *ret_n);
/* Their values as a column of the learned type. */
int nf_categories_column(const nf_categories *cat, netfeat_ctx *ctx, const uint32_t *ids, size_t n,
                         netfeat_column **ret);
/* Numbers of the values of some rows; NF_GROUP_NONE where unknown or NULL. */
int nf_categories_look_up(netfeat_ctx *ctx, const nf_categories *cat, netfeat_column *col, int64_t first,
                          int n, uint32_t *ids);

/* Is there a value? NaN is none. */
static inline bool nf_has_value(const netfeat_column *col, int64_t row)
{
    double v;

    if (!nf_column_present(col, row)) {
        return false;
    }
    if (col->type != NETFEAT_TYPE_F64) {
        return true;
    }
    memcpy(&v, col->data + (size_t)row * sizeof v, sizeof v);
    return v == v;
}

/* What unknown values become, NETFEAT_UNKNOWN_*: feature.unknown, or `usual` where it is 0. */
int nf_unknown_rule(const nf_step *step, int usual);
/* Error for the first unknown value. */
int nf_unknown_error(netfeat_ctx *ctx, const nf_step *step, netfeat_column *col, int64_t row);

#endif
