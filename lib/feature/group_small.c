/* Groups of one key column of 1, 2 or 4 bytes: by an array as far as the values are small. */
#include <assert.h>
#include <string.h>

#include "base/bitmap.h"
#include "feature/group_inside.h"

#define DIRECT_TOP ((size_t)1 << 24)
#define DIRECT_GAP 1024 /* a table of 4-byte values grows this far beyond twice the number of groups */

static int grow_direct(nf_groups *g, size_t n)
{
    uint32_t *p = nf_resize(g->ctx, g->direct, g->direct_n * sizeof *p, n * sizeof *p);

    if (p == NULL) {
        return nf_ctx_code(g->ctx);
    }
    memset(p + g->direct_n, 0xff, (n - g->direct_n) * sizeof *p);
    g->direct = p;
    g->direct_n = n;
    return NETFEAT_OK;
}

/* Small values, such as the ids of a dictionary, deserve an array; scattered ones do not. */
static int make_direct_room(nf_groups *g, uint32_t value, bool *ret_direct)
{
    size_t dense = ((size_t)g->count + DIRECT_GAP) * 2;
    int code = NETFEAT_OK;

    if (g->direct_n == 0 && g->stride < 4) {
        code = grow_direct(g, g->stride == 1 ? 256 : 65536);
    } else if (value >= g->direct_n && value < dense && value < DIRECT_TOP) {
        code = grow_direct(g, dense < DIRECT_TOP ? dense : DIRECT_TOP);
    }
    *ret_direct = value < g->direct_n;
    return code;
}

/* First sight of a value as far as the array knows. */
int nf_groups_put_small(nf_groups *g, uint32_t value, uint32_t *ret)
{
    const uint8_t *key = nf_groups_small_key(&value, g->stride);
    bool direct = false;
    int code = make_direct_room(g, value, &direct);

    if (code != 0) {
        return code;
    }
    if (direct && g->direct[value] != NF_GROUP_NONE) {
        *ret = g->direct[value];
        nf_groups_touch(g, *ret);
        return NETFEAT_OK;
    }
    if (direct && g->map.count == 0) {
        code = nf_groups_new(g, key, g->stride, ret);
        if (code == 0) {
            g->direct[value] = *ret;
            g->same += value == *ret && value == g->same;
            *ret |= NF_GROUP_FRESH;
        }
        return code;
    }
    if (direct) { /* it may be in the map, from before the array reached it */
        *ret = nf_groups_find(g, key, g->stride);
        if (*ret == NF_GROUP_NONE) {
            code = nf_groups_new(g, key, g->stride, ret);
            g->direct[value] = code == 0 ? *ret : NF_GROUP_NONE;
            *ret |= NF_GROUP_FRESH;
        } else {
            nf_groups_touch(g, *ret);
            g->direct[value] = *ret;
        }
        return code;
    }
    return nf_groups_put(g, key, g->stride, ret);
}

/* A look-up per row; returns whether all values are known. */
#define LOOK_UP(name, ctype)                                                                                 \
    static bool name(const uint32_t *restrict direct, size_t direct_n, const uint8_t *restrict data, int n,  \
                     uint32_t *restrict ids)                                                                 \
    {                                                                                                        \
        uint32_t unknown = 0;                                                                                \
        for (int i = 0; i < n; i++) {                                                                        \
            ctype v;                                                                                         \
            uint32_t id;                                                                                     \
            memcpy(&v, data + (size_t)i * sizeof v, sizeof v);                                               \
            id = v < direct_n ? direct[v] : NF_GROUP_NONE;                                                   \
            unknown |= id >> 31; /* numbers have 31 bits */                                                  \
            ids[i] = id;                                                                                     \
        }                                                                                                    \
        return unknown == 0;                                                                                 \
    }
LOOK_UP(look_up_u8, uint8_t)
LOOK_UP(look_up_u16, uint16_t)
LOOK_UP(look_up_u32, uint32_t)
#undef LOOK_UP

/* Numbers of a block without NULLs, NF_GROUP_NONE for new values; returns whether there is none of these. */
static bool look_up_block(const nf_groups *g, const netfeat_column *col, int64_t first, int n, uint32_t *ids)
{
    const uint8_t *data = col->data + (size_t)first * g->stride;

    switch (g->stride) {
    case 1:
        return look_up_u8(g->direct, g->direct_n, data, n, ids);
    case 2:
        return look_up_u16(g->direct, g->direct_n, data, n, ids);
    default:
        return look_up_u32(g->direct, g->direct_n, data, n, ids);
    }
}

/* With NULLs, or remembering who was seen. */
static __attribute__((noinline)) int assign_any(nf_groups *g, const netfeat_column *col, int64_t first, int n,
                                                uint32_t *restrict ids)
{
    uint64_t values[NF_BLOCK];
    int code = NETFEAT_OK;

    assert(n <= NF_BLOCK);
    nf_read_u64(col, first, n, values);
    for (int i = 0; code == 0 && i < n; i++) {
        uint32_t id = values[i] < g->direct_n ? g->direct[values[i]] : NF_GROUP_NONE;
        if (!nf_column_present(col, first + i)) {
            code = nf_groups_null(g, &ids[i]);
        } else if (id != NF_GROUP_NONE) {
            nf_groups_touch(g, id);
            ids[i] = id;
        } else {
            code = nf_groups_put_small(g, (uint32_t)values[i], &ids[i]);
        }
    }
    return code;
}

/* Values that go on where the numbers end, 0, 1, 2, as those of a dictionary do, each sooner or later: no looking up, new
   or not. *ret_done rows from the first were such; the others are left alone. */
static int assign_next(nf_groups *g, const uint8_t *restrict data, int n, uint32_t *restrict ids,
                       int *ret_done)
{
    size_t most = (size_t)g->count + (size_t)n;
    uint32_t next = g->count;
    uint32_t *restrict keys;
    bool direct;
    int code = NETFEAT_OK;
    int i;

    *ret_done = 0;
    if (most > g->limit || most > DIRECT_TOP) {
        return NETFEAT_OK;
    }
    if (most > g->direct_n) {
        code = make_direct_room(g, (uint32_t)most - 1, &direct);
    }
    code = code != 0 ? code : nf_groups_grow_bytes(g->ctx, &g->keys, &g->keys_cap, most * sizeof *keys);
    if (code != 0 || most > g->direct_n) {
        return code;
    }
    keys = (uint32_t *)(void *)g->keys;
    for (i = 0; i < n; i++) {
        uint32_t value, fresh;
        memcpy(&value, data + (size_t)i * sizeof value, sizeof value);
        if (value > next) {
            break;
        }
        fresh = (uint32_t)(value == next);
        ids[i] = value | fresh << 31;
        keys[next] = next; /* for nothing when it is not new, but always in the same place */
        g->direct[next] = next;
        next += fresh;
    }
    if (next < g->direct_n) {
        g->direct[next] = NF_GROUP_NONE;
    }
    g->count = g->same = next;
    g->keys_used = next * sizeof *keys;
    *ret_done = i;
    return NETFEAT_OK;
}

/* The same when none is new: nothing to do but to see that. */
static bool all_below(const uint8_t *restrict data, int n, uint32_t count, uint32_t *restrict ids)
{
    uint32_t above = 0;

    memcpy(ids, data, (size_t)n * sizeof *ids);
    for (int i = 0; i < n; i++) {
        above |= (uint32_t)(ids[i] >= count);
    }
    return above == 0;
}

int nf_groups_assign_small(nf_groups *g, const netfeat_column *col, int64_t first, int n, uint32_t *ids)
{
    bool known;
    int code = NETFEAT_OK;
    int done = 0;

    if (col->nulls > 0 || g->evict || col->type == NETFEAT_TYPE_BOOL) {
        return assign_any(g, col, first, n, ids);
    }
    g->clean = true;
    if (g->stride == 4 && g->same == g->count && g->map.count == 0 && !g->drop) {
        const uint8_t *data = col->data + (size_t)first * 4;
        if (all_below(data, n, g->count, ids)) {
            return NETFEAT_OK;
        }
        code = assign_next(g, data, n, ids, &done);
    }
    known = code != 0 || done == n || look_up_block(g, col, first + done, n - done, ids + done);
    for (int i = done; code == 0 && !known && i < n; i++) { /* the new ones, in order */
        if (ids[i] == NF_GROUP_NONE) {
            uint64_t value;
            nf_read_u64(col, first + i, 1, &value);
            code = nf_groups_put_small(g, (uint32_t)value, &ids[i]);
            g->clean = g->clean && ids[i] != NF_GROUP_NONE;
        }
    }
    return code;
}

uint32_t nf_groups_look_up_small(const nf_groups *g, uint32_t value)
{
    const uint8_t *key = nf_groups_small_key(&value, g->stride);
    uint32_t id = value < g->direct_n ? g->direct[value] : NF_GROUP_NONE;

    if (id == NF_GROUP_NONE && g->map.count > 0) {
        id = nf_groups_find(g, key, g->stride);
    }
    return id;
}
