#include "feature/group_inside.h"

#include <assert.h>
#include <string.h>

#include "base/bitmap.h"
#include "base/checked.h"
#include "base/probe.h"

#define LANES NF_PROBE_LANES

/* ---- life ---- */

int nf_groups_init(nf_groups *g, netfeat_ctx *ctx, const int *types, int n, bool null_is_key, bool evict,
                   int64_t limit)
{
    bool variable = false;
    size_t stride = 0;

    memset(g, 0, sizeof *g);
    for (int i = 0; i < n; i++) {
        if (types[i] == NETFEAT_TYPE_LIST) {
            return nf_error(ctx, NETFEAT_ERR_TYPE, "a list is no key");
        }
        variable = variable || nf_type_has_offsets(types[i]);
        stride += (size_t)nf_groups_key_width(types[i]) + (n > 1 ? 1 : 0);
        g->types[i] = types[i];
    }
    if (variable && evict) {
        return nf_error(ctx, NETFEAT_ERR_TYPE, "feature.on_full 1 needs keys of fixed width");
    }
    g->ctx = ctx;
    g->n = n;
    g->null_is_key = null_is_key;
    g->evict = evict;
    g->limit = (uint32_t)limit;
    g->null_id = NF_GROUP_NONE;
    g->stride = variable ? 0 : stride;
    return NETFEAT_OK;
}

void nf_groups_init_bytes(nf_groups *g, netfeat_ctx *ctx, size_t stride, bool evict, int64_t limit)
{
    memset(g, 0, sizeof *g);
    g->ctx = ctx;
    g->n = -1;
    g->evict = evict;
    g->limit = (uint32_t)limit;
    g->null_id = NF_GROUP_NONE;
    g->stride = stride;
}

void nf_groups_free(nf_groups *g)
{
    if (g->ctx == NULL) {
        return;
    }
    nf_map_free(g->ctx, &g->map);
    nf_free(g->ctx, g->keys, g->keys_cap);
    nf_free(g->ctx, g->ends, g->ends_cap * sizeof *g->ends);
    nf_free(g->ctx, g->direct, g->direct_n * sizeof *g->direct);
    nf_free(g->ctx, g->touched, g->touched_cap);
    nf_free(g->ctx, g->scratch, g->scratch_cap);
    memset(g, 0, sizeof *g);
}

const uint8_t *nf_groups_key(const nf_groups *g, uint32_t id, size_t *ret_size)
{
    size_t from;

    if (g->stride > 0) {
        *ret_size = g->stride;
        return g->keys + (size_t)id * g->stride;
    }
    if (g->n == 0) {
        *ret_size = 0;
        return NULL;
    }
    from = id > 0 ? (size_t)g->ends[id - 1] : 0;
    *ret_size = (size_t)g->ends[id] - from;
    return g->keys + from;
}

/* ---- finding and adding ---- */

static uint64_t hash_of(const nf_groups *g, const void *key, size_t size)
{
    return nf_hash(nf_ctx_secret(g->ctx), key, size);
}

static inline uint32_t find(const nf_groups *g, uint64_t hash, const void *key, size_t size)
{
    uint64_t pos = nf_map_start(&g->map, hash);
    uint32_t id;

    for (; (id = nf_map_next(&g->map, hash, &pos)) != NF_MAP_NONE; pos++) {
        size_t k_size;
        const uint8_t *k = nf_groups_key(g, id, &k_size);
        if (k_size == size && memcmp(k, key, size) == 0) {
            return id;
        }
    }
    return NF_GROUP_NONE;
}

uint32_t nf_groups_find(const nf_groups *g, const void *key, size_t size)
{
    return find(g, hash_of(g, key, size), key, size);
}

static int append(nf_groups *g, const void *key, size_t size)
{
    void *p = g->ends;
    size_t need;
    int code = NETFEAT_OK;

    if (!nf_add_size(g->keys_used, size, &need)) {
        return nf_error(g->ctx, NETFEAT_ERR_NOMEM, "out of memory: keys");
    }
    if (size > 0) {
        code = nf_groups_grow_bytes(g->ctx, &g->keys, &g->keys_cap, need);
    }
    if (code == 0 && g->stride == 0 && g->n != 0) {
        code = nf_grow(g->ctx, &p, &g->ends_cap, (size_t)g->count + 1, sizeof *g->ends);
        g->ends = p;
    }
    if (code == 0 && g->evict) {
        code = nf_groups_grow_bytes(g->ctx, &g->touched, &g->touched_cap, (size_t)g->count + 1);
    }
    if (code != 0) {
        return code;
    }
    if (size > 0) {
        memcpy(g->keys + g->keys_used, key, size);
    }
    g->keys_used = need;
    if (g->ends != NULL) {
        g->ends[g->count] = need;
    }
    g->count++;
    return NETFEAT_OK;
}

/* The second-chance victim: the first group from the hand on that was not seen since the hand passed it. */
static uint32_t choose_victim(nf_groups *g)
{
    for (;; g->hand = g->hand + 1 < g->count ? g->hand + 1 : 0) {
        if (g->touched[g->hand] == 0) {
            uint32_t id = g->hand;
            g->hand = g->hand + 1 < g->count ? g->hand + 1 : 0;
            return id;
        }
        g->touched[g->hand] = 0;
    }
}

static uint32_t evict_one(nf_groups *g)
{
    uint32_t id = choose_victim(g);
    const uint8_t *key = g->keys + (size_t)id * g->stride;
    uint64_t hash, pos;
    uint32_t at;

    g->evicted++;
    if (id == g->null_id) {
        g->null_id = NF_GROUP_NONE;
        return id;
    }
    if (g->direct != NULL && g->stride <= sizeof(uint32_t)) {
        uint32_t value = nf_groups_small_value(key, g->stride);
        if (value < g->direct_n && g->direct[value] == id) {
            g->direct[value] = NF_GROUP_NONE;
        }
    }
    hash = hash_of(g, key, g->stride);
    pos = nf_map_start(&g->map, hash);
    for (; (at = nf_map_next(&g->map, hash, &pos)) != NF_MAP_NONE; pos++) {
        if (at == id) {
            nf_map_remove(&g->map, pos);
            break;
        }
    }
    return id;
}

/* Number for a key that is not there; it is not in the map yet. */
int nf_groups_new(nf_groups *g, const void *key, size_t size, uint32_t *ret)
{
    int code;

    if (g->count < g->limit) {
        code = append(g, key, size);
        if (code != 0) {
            return code;
        }
        *ret = g->count - 1;
    } else if (g->evict) {
        *ret = evict_one(g);
        memcpy(g->keys + (size_t)*ret * g->stride, key, size);
    } else {
        return nf_error(g->ctx, NETFEAT_ERR_LIMIT, "more than %u distinct keys (feature.max_groups)",
                        (unsigned)g->limit);
    }
    if (g->evict) {
        g->touched[*ret] = 1;
    }
    return NETFEAT_OK;
}

static int find_or_add(nf_groups *g, uint64_t hash, const void *key, size_t size, uint32_t *ret)
{
    uint32_t id = find(g, hash, key, size);
    int code;

    if (id != NF_GROUP_NONE) {
        nf_groups_touch(g, id);
        *ret = id;
        return NETFEAT_OK;
    }
    if (g->drop && g->count >= g->limit) {
        g->evicted++;
        *ret = NF_GROUP_NONE;
        return NETFEAT_OK;
    }
    code = nf_map_ready_sparse(g->ctx, &g->map);
    code = code != 0 ? code : nf_groups_new(g, key, size, &id);
    if (code == 0) {
        nf_map_insert(&g->map, hash, id);
        *ret = id | NF_GROUP_FRESH;
    }
    return code;
}

int nf_groups_put(nf_groups *g, const void *key, size_t size, uint32_t *ret)
{
    return find_or_add(g, hash_of(g, key, size), key, size, ret);
}

/* The group of NULL in the only key column. */
int nf_groups_null(nf_groups *g, uint32_t *ret)
{
    static const uint8_t zeros[16];
    int code = NETFEAT_OK;

    if (!g->null_is_key) {
        *ret = NF_GROUP_NONE;
        return NETFEAT_OK;
    }
    if (g->null_id != NF_GROUP_NONE) {
        nf_groups_touch(g, g->null_id);
        *ret = g->null_id;
        return NETFEAT_OK;
    }
    code = nf_groups_new(g, zeros, g->stride, ret);
    if (code == 0) {
        g->null_id = *ret;
        *ret |= NF_GROUP_FRESH;
    }
    return code;
}

/* ---- one key column of 6, 8 or 16 bytes ---- */

/* What is not found at once, new keys among it, follows in the order of the rows. */
static inline __attribute__((always_inline)) int assign_lanes(nf_groups *g, const uint8_t *restrict data,
                                                              int n, size_t width, uint32_t *restrict ids)
{
    uint64_t left = ~UINT64_C(0) >> (LANES - n);
    int code = NETFEAT_OK;

    nf_probe_hash(&g->map, nf_ctx_secret(g->ctx), data, n, width, g->hashes);
    if (!g->evict && g->map.count > 0) {
        left = nf_probe_find(&g->map, g->keys, data, n, width, g->hashes, ids);
    }
    for (; code == 0 && left != 0; left &= left - 1) {
        int i = __builtin_ctzll(left);
        code = find_or_add(g, g->hashes[i], data + (size_t)i * width, width, &ids[i]);
        g->clean = g->clean && ids[i] != NF_GROUP_NONE;
    }
    return code;
}

int nf_groups_assign_bytes(nf_groups *g, const uint8_t *data, int n, uint32_t *ids)
{
    switch (g->stride) {
    case 6:
        return assign_lanes(g, data, n, 6, ids);
    case 8:
        return assign_lanes(g, data, n, 8, ids);
    case 16:
        return assign_lanes(g, data, n, 16, ids);
    default:
        return assign_lanes(g, data, n, g->stride, ids);
    }
}

/* With NULLs, or doubles, which have to be made canonical: row by row. */
static int assign_plain_slow(nf_groups *g, const netfeat_column *col, int64_t first, int n, uint32_t *ids)
{
    int code = NETFEAT_OK;

    for (int i = 0; code == 0 && i < n; i++) {
        const uint8_t *key = col->data + (size_t)(first + i) * g->stride;
        uint8_t f64[8];
        bool present = nf_column_present(col, first + i);
        if (present && col->type == NETFEAT_TYPE_F64) {
            present = nf_groups_f64_key(key, f64);
            key = f64;
        }
        code = present ? nf_groups_put(g, key, g->stride, &ids[i]) : nf_groups_null(g, &ids[i]);
    }
    return code;
}

int nf_groups_assign_plain(nf_groups *g, const netfeat_column *col, int64_t first, int n, uint32_t *ids)
{
    int code = NETFEAT_OK;

    if (g->stride < 6) {
        return nf_groups_assign_small(g, col, first, n, ids);
    }
    if (col->nulls > 0 || col->type == NETFEAT_TYPE_F64) {
        return assign_plain_slow(g, col, first, n, ids);
    }
    g->clean = !g->evict;
    for (int i = 0; code == 0 && i < n; i += LANES) {
        int k = n - i < LANES ? n - i : LANES;
        code = nf_groups_assign_bytes(g, col->data + (size_t)(first + i) * g->stride, k, ids + i);
    }
    return code;
}

/* Addresses without NULLs, n <= LANES. */
static void look_up_addresses(const nf_groups *g, const uint8_t *data, int n, uint32_t *ids)
{
    uint64_t hashes[LANES];
    uint64_t left = ~UINT64_C(0) >> (LANES - n);

    nf_probe_hash(&g->map, nf_ctx_secret(g->ctx), data, n, 16, hashes);
    if (g->map.count > 0) {
        left = nf_probe_find(&g->map, g->keys, data, n, 16, hashes, ids);
    }
    for (; left != 0; left &= left - 1) {
        int i = __builtin_ctzll(left);
        ids[i] = find(g, hashes[i], data + (size_t)i * 16, 16);
    }
}

void nf_groups_look_up_plain(const nf_groups *g, const netfeat_column *col, int64_t first, int n,
                             uint32_t *ids)
{
    uint64_t values[NF_BLOCK];

    if (g->stride < 6) {
        nf_read_u64(col, first, n, values);
        for (int i = 0; i < n; i++) {
            ids[i] = nf_column_present(col, first + i) ? nf_groups_look_up_small(g, (uint32_t)values[i])
                                                       : g->null_id;
        }
        return;
    }
    if (col->type == NETFEAT_TYPE_BYTES16 && col->nulls == 0) {
        for (int i = 0; i < n; i += LANES) {
            int k = n - i < LANES ? n - i : LANES;
            look_up_addresses(g, col->data + (size_t)(first + i) * 16, k, ids + i);
        }
        return;
    }
    for (int i = 0; i < n; i++) {
        const uint8_t *key = col->data + (size_t)(first + i) * g->stride;
        uint8_t f64[8];
        bool present = nf_column_present(col, first + i);
        if (present && col->type == NETFEAT_TYPE_F64) {
            present = nf_groups_f64_key(key, f64);
            key = f64;
        }
        ids[i] = !present ? g->null_id : find(g, hash_of(g, key, g->stride), key, g->stride);
    }
}

int nf_groups_adopt(nf_groups *g, const nf_groups *other, uint32_t id, uint32_t *ret)
{
    size_t size;
    const uint8_t *key = nf_groups_key(other, id, &size);

    if (g->n == 0) {
        *ret = g->count == 0 ? NF_GROUP_FRESH : 0;
        g->count = 1;
        return NETFEAT_OK;
    }
    if (id == other->null_id) {
        return nf_groups_null(g, ret);
    }
    if (nf_groups_is_plain(g) && g->stride < 6) {
        return nf_groups_put_small(g, nf_groups_small_value(key, size), ret);
    }
    return nf_groups_put(g, key, size, ret);
}
