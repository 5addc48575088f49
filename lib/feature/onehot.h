/* onehot.h - inside of one-hot encoding. */
#ifndef NF_FEATURE_ONEHOT_H
#define NF_FEATURE_ONEHOT_H

#include "feature/category.h"

#define NF_NO_SLOT UINT32_MAX /* unknown value */
#define NF_ZERO_SLOT                                                                                         \
    (UINT32_MAX - 1) /* known, but without a column of its own: a later value took its name */
#define NF_ONEHOT_SMALL 65536

typedef struct {
    uint64_t value;
    uint32_t slot;
} nf_map_entry;

typedef struct {
    bool mapped; /* by a map; else by what was learned */
    nf_categories cat;
    char *map; /* sealed and mapped: value=name,... */
    size_t map_cap;
    /* sealed */
    uint32_t n; /* columns */
    char **names;
    size_t names_cap;
    uint32_t *slots; /* by number of category, or by value below NF_ONEHOT_SMALL */
    size_t slots_n;
    nf_map_entry *entries; /* mapped: in the map's order */
    size_t n_entries, entries_cap;
    uint32_t *by_value; /* mapped: entries in ascending order of value */
} nf_onehot;

int nf_onehot_apply(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out);

#endif
