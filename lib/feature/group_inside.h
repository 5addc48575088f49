/* group_inside.h - shared by the files that make up groups. */
#ifndef NF_FEATURE_GROUP_INSIDE_H
#define NF_FEATURE_GROUP_INSIDE_H

#include <string.h>

#include "base/order.h"
#include "feature/group.h"

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

static inline int nf_groups_grow_bytes(netfeat_ctx *ctx, uint8_t **ptr, size_t *cap, size_t need)
{
    void *p = *ptr;
    int code = nf_grow(ctx, &p, cap, need, 1);

    *ptr = p;
    return code;
}

static inline void nf_groups_touch(nf_groups *g, uint32_t id)
{
    if (g->evict) {
        g->touched[id] = 1;
    }
}

/* Number for a key that is not there; it is not in the map yet. */
int nf_groups_new(nf_groups *g, const void *key, size_t size, uint32_t *ret);
/* The group of NULL in the only key column. */
int nf_groups_null(nf_groups *g, uint32_t *ret);
/* One key column of 1, 2 or 4 bytes. */
int nf_groups_assign_small(nf_groups *g, const netfeat_column *col, int64_t first, int n, uint32_t *ids);
int nf_groups_put_small(nf_groups *g, uint32_t value, uint32_t *ret);
uint32_t nf_groups_look_up_small(const nf_groups *g, uint32_t value);
/* One plain key column; `first` and n as for nf_groups_assign(). */
int nf_groups_assign_plain(nf_groups *g, const netfeat_column *col, int64_t first, int n, uint32_t *ids);
void nf_groups_look_up_plain(const nf_groups *g, const netfeat_column *col, int64_t first, int n,
                             uint32_t *ids);
/* n <= NF_GROUP_LANES keys of g->stride bytes, one behind the other. */
int nf_groups_assign_bytes(nf_groups *g, const uint8_t *data, int n, uint32_t *ids);
/* Number of a key given as bytes, or NF_GROUP_NONE. */
uint32_t nf_groups_find(const nf_groups *g, const void *key, size_t size);

#endif
