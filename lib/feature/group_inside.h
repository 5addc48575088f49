/* group_inside.h - shared by the files that make up groups. */
#ifndef NF_FEATURE_GROUP_INSIDE_H
#define NF_FEATURE_GROUP_INSIDE_H

#include <string.h>

#include "base/order.h"
#include "feature/group.h"

#define NF_GROUP_LANES 64 /* rows whose hashes and slots are under way at the same time */

static inline int nf_groups_key_width(int type)
{
    return type == NETFEAT_TYPE_BOOL ? 1 : nf_type_width(type);
}

/* One key column of fixed width is stored as it is; anything else with a byte of presence per column. */
static inline bool nf_groups_is_plain(const nf_groups *g)
{
    return g->n == 1 && g->stride > 0;
}

/* Keys of 1, 2 or 4 bytes as numbers: where in a number they lie. */
static inline const uint8_t *nf_groups_small_key(const uint32_t *value, size_t stride)
{
    return (const uint8_t *)value + (NF_BIG_ENDIAN ? sizeof *value - stride : 0);
}

static inline uint32_t nf_groups_small_value(const uint8_t *key, size_t stride)
{
    uint32_t value = 0;

    memcpy((uint8_t *)&value + (NF_BIG_ENDIAN ? sizeof value - stride : 0), key, stride);
    return value;
}

/* -0.0 and 0.0 are one value, and every NaN is NULL. */
static inline bool nf_groups_f64_key(const uint8_t *from, uint8_t to[8])
{
    double v;

    memcpy(&v, from, sizeof v);
    v = v == 0.0 ? 0.0 : v;
    memcpy(to, &v, sizeof v);
    return v == v;
}

/* One plain key column; `first` and n as for nf_groups_assign(). */
int nf_groups_assign_plain(nf_groups *g, const netfeat_column *col, int64_t first, int n, uint32_t *ids);
void nf_groups_look_up_plain(const nf_groups *g, const netfeat_column *col, int64_t first, int n,
                             uint32_t *ids);
/* n <= NF_GROUP_LANES keys of g->stride bytes, one behind the other. */
int nf_groups_assign_bytes(nf_groups *g, const uint8_t *data, int n, uint32_t *ids);
/* Number of a key given as bytes, or NF_GROUP_NONE. */
uint32_t nf_groups_find(const nf_groups *g, const void *key, size_t size);

#endif
