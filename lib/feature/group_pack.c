/* Groups of several key columns, or of texts: keys packed into bytes. And the entry points for any columns. */
#include <assert.h>
#include <string.h>

#include "base/bitmap.h"
#include "feature/group_inside.h"

/* ---- several key columns, text ---- */

static size_t packed_bytes(const nf_groups *g, netfeat_column *const *cols, int64_t row)
{
    size_t size = 0;

    for (int k = 0; k < g->n; k++) {
        if (nf_type_has_offsets(g->types[k])) {
            size += 5 + (size_t)(cols[k]->offsets[row + 1] - cols[k]->offsets[row]);
        } else {
            size += 1 + (size_t)nf_groups_key_width(g->types[k]);
        }
    }
    return size;
}

/* The keys of a row as bytes; false when one of them is NULL and NULL is no key. */
static bool pack(const nf_groups *g, netfeat_column *const *cols, int64_t row, uint8_t *to, size_t *ret_size)
{
    uint8_t *at = to;

    for (int k = 0; k < g->n; k++) {
        const netfeat_column *col = cols[k];
        bool text = nf_type_has_offsets(col->type);
        size_t width = (size_t)nf_groups_key_width(col->type);
        uint8_t *flag = at++;
        bool present = nf_column_present(col, row);

        if (present && text) {
            uint32_t size = (uint32_t)(col->offsets[row + 1] - col->offsets[row]);
            memcpy(at, &size, sizeof size);
            if (size > 0) {
                memcpy(at + sizeof size, col->data + col->offsets[row], size);
            }
            at += sizeof size + size;
        } else if (present && col->type == NETFEAT_TYPE_BOOL) {
            *at++ = nf_bitmap_get(col->data, row);
        } else if (present && col->type == NETFEAT_TYPE_F64) {
            present = nf_groups_f64_key(col->data + (size_t)row * width, at);
            at += width;
        } else if (present) {
            memcpy(at, col->data + (size_t)row * width, width);
            at += width;
        }
        if (!present) {
            if (!g->null_is_key) {
                return false;
            }
            at = flag + 1 + width;
            memset(flag + 1, 0, width);
        }
        *flag = present;
    }
    *ret_size = (size_t)(at - to);
    return true;
}

/* Room for the keys of a row; texts of 4 GiB and more are no keys. */
static int pack_room(netfeat_ctx *ctx, const nf_groups *g, netfeat_column *const *cols, int64_t row,
                     uint8_t **scratch, size_t *cap)
{
    size_t need = packed_bytes(g, cols, row);

    for (int k = 0; k < g->n && need > UINT32_MAX; k++) {
        if (nf_type_has_offsets(g->types[k]) &&
            cols[k]->offsets[row + 1] - cols[k]->offsets[row] > UINT32_MAX) {
            return nf_error(ctx, NETFEAT_ERR_RANGE, "row %lld: a key of 4 GiB or more", (long long)row);
        }
    }
    return need <= *cap ? NETFEAT_OK : nf_groups_grow_bytes(ctx, scratch, cap, need);
}

/* One column of the keys of n rows, `width` bytes each, behind its byte of presence. */
static inline __attribute__((always_inline)) void
pack_column(const uint8_t *restrict from, int n, size_t width, size_t stride, uint8_t *restrict to)
{
    for (int i = 0; i < n; i++) {
        to[(size_t)i * stride] = 1;
        memcpy(to + (size_t)i * stride + 1, from + (size_t)i * width, width);
    }
}

/* Keys of fixed width of n rows; false where that takes looking at each value: NULLs, doubles, bits. */
static bool pack_rows(const nf_groups *g, netfeat_column *const *cols, int64_t first, int n, uint8_t *to)
{
    for (int k = 0; k < g->n; k++) {
        if (cols[k]->nulls > 0 || cols[k]->type == NETFEAT_TYPE_F64 || cols[k]->type == NETFEAT_TYPE_BOOL) {
            return false;
        }
    }
    for (int k = 0; k < g->n; k++) {
        size_t width = (size_t)nf_type_width(cols[k]->type);
        const uint8_t *from = cols[k]->data + (size_t)first * width;
        switch (width) {
#define PACK(bytes)                                                                                          \
    case bytes:                                                                                              \
        pack_column(from, n, bytes, g->stride, to);                                                          \
        break;
            PACK(1)
            PACK(2)
            PACK(4)
            PACK(6)
            PACK(8)
            PACK(16)
#undef PACK
        default:
            assert(width == 16);
        }
        to += 1 + width;
    }
    return true;
}

/* Several columns of fixed width: packed side by side, 64 rows at a time. */
static int assign_fixed(nf_groups *g, netfeat_column *const *cols, int64_t first, int n, uint32_t *ids,
                        bool *ret_done)
{
    int code = nf_groups_grow_bytes(g->ctx, &g->scratch, &g->scratch_cap, NF_PROBE_LANES * g->stride);

    *ret_done = code == 0 && pack_rows(g, cols, first, 0, g->scratch);
    g->clean = *ret_done && !g->evict;
    for (int i = 0; code == 0 && *ret_done && i < n; i += NF_PROBE_LANES) {
        int k = n - i < NF_PROBE_LANES ? n - i : NF_PROBE_LANES;
        pack_rows(g, cols, first + i, k, g->scratch);
        code = nf_groups_assign_bytes(g, g->scratch, k, ids + i);
    }
    return code;
}

static int assign_packed(nf_groups *g, netfeat_column *const *cols, int64_t first, int n, uint32_t *ids)
{
    bool done = false;
    int code = g->stride > 0 ? assign_fixed(g, cols, first, n, ids, &done) : NETFEAT_OK;

    for (int i = 0; code == 0 && !done && i < n; i++) {
        size_t size;
        code = pack_room(g->ctx, g, cols, first + i, &g->scratch, &g->scratch_cap);
        if (code != 0) {
            break;
        }
        if (pack(g, cols, first + i, g->scratch, &size)) {
            code = nf_groups_put(g, g->scratch, size, &ids[i]);
        } else {
            ids[i] = NF_GROUP_NONE;
        }
    }
    return code;
}

/* ---- entry points ---- */

int nf_groups_assign(nf_groups *g, netfeat_column *const *cols, int64_t first, int n, uint32_t *ids)
{
    g->clean = false;
    if (g->n == 0) {
        g->clean = true;
        memset(ids, 0, (size_t)n * sizeof *ids);
        if (n > 0 && g->count == 0) {
            g->count = 1;
            ids[0] = NF_GROUP_FRESH;
        }
        return NETFEAT_OK;
    }
    return nf_groups_is_plain(g) ? nf_groups_assign_plain(g, cols[0], first, n, ids)
                                 : assign_packed(g, cols, first, n, ids);
}

int nf_groups_look_up(netfeat_ctx *ctx, const nf_groups *g, netfeat_column *const *cols, int64_t first, int n,
                      uint32_t *ids)
{
    uint8_t *scratch = NULL;
    size_t cap = 0, size;
    int code = NETFEAT_OK;

    assert(n <= NF_BLOCK && g->n != 0);
    if (nf_groups_is_plain(g)) {
        nf_groups_look_up_plain(g, cols[0], first, n, ids);
        return NETFEAT_OK;
    }
    for (int i = 0; code == 0 && i < n; i++) {
        code = pack_room(ctx, g, cols, first + i, &scratch, &cap);
        if (code == 0) {
            ids[i] =
                pack(g, cols, first + i, scratch, &size) ? nf_groups_find(g, scratch, size) : NF_GROUP_NONE;
        }
    }
    nf_free(ctx, scratch, cap);
    return code;
}
