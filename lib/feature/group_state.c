/* Groups: their keys as columns, in order, saved and loaded. */
#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "feature/group_inside.h"
#include "feature/state.h"

typedef struct {
    bool present;
    const uint8_t *data;
    size_t size;
} key_field;

static size_t field_width(int type)
{
    return type == NETFEAT_TYPE_BOOL ? 1 : (size_t)nf_type_width(type);
}

/* Key column k of a group. The key is well formed. */
static key_field get_field(const nf_groups *g, uint32_t id, int k)
{
    size_t size;
    const uint8_t *at = nf_groups_key(g, id, &size);
    key_field f = {id != g->null_id, at, size};

    if (g->n == 1 && g->stride > 0) {
        return f;
    }
    for (int i = 0;; i++) {
        f.present = *at++ != 0;
        f.size = field_width(g->types[i]);
        if (f.present && f.size == 0) {
            uint32_t length;
            memcpy(&length, at, sizeof length);
            at += sizeof length;
            f.size = length;
        }
        f.data = at;
        if (i == k) {
            return f;
        }
        at += f.size;
    }
}

#define COMPARE(ctype)                                                                                       \
    do {                                                                                                     \
        ctype x, y;                                                                                          \
        memcpy(&x, a.data, sizeof x);                                                                        \
        memcpy(&y, b.data, sizeof y);                                                                        \
        return (x > y) - (x < y);                                                                            \
    } while (0)

static int compare_fields(int type, key_field a, key_field b)
{
    size_t n = a.size < b.size ? a.size : b.size;
    int c;

    switch (type) {
    case NETFEAT_TYPE_U16:
        COMPARE(uint16_t);
    case NETFEAT_TYPE_U32:
        COMPARE(uint32_t);
    case NETFEAT_TYPE_U64:
        COMPARE(uint64_t);
    case NETFEAT_TYPE_I64:
    case NETFEAT_TYPE_TIME_NS:
        COMPARE(int64_t);
    case NETFEAT_TYPE_F64:
        COMPARE(double);
    default:
        c = n > 0 ? memcmp(a.data, b.data, n) : 0;
        return c != 0 ? c : (a.size > b.size) - (a.size < b.size);
    }
}

bool nf_groups_has_words(const nf_groups *g)
{
    return g->n == 1 && g->stride > 0 && g->null_id == NF_GROUP_NONE;
}

uint64_t nf_groups_word(const nf_groups *g, uint32_t id, int which)
{
    const uint8_t *key = g->keys + (size_t)id * g->stride;
    uint64_t v = 0;

    if (g->types[0] == NETFEAT_TYPE_BYTES16 || g->types[0] == NETFEAT_TYPE_BYTES6) {
        size_t from = which == 0 ? 0 : 8;
        for (size_t i = from; i < from + 8; i++) {
            v = v << 8 | (i < g->stride ? key[i] : 0);
        }
        return v;
    }
    if (which == 0) {
        v = g->stride <= 4 ? nf_groups_small_value(key, g->stride) : 0;
        if (g->stride == 8) {
            memcpy(&v, key, sizeof v);
        }
        switch (g->types[0]) {
        case NETFEAT_TYPE_I64:
        case NETFEAT_TYPE_TIME_NS:
            v ^= UINT64_C(1) << 63;
            break;
        case NETFEAT_TYPE_F64:
            v = v >> 63 != 0 ? ~v : v | UINT64_C(1) << 63;
            break;
        default:
            break;
        }
    }
    return v;
}

int nf_groups_compare(const nf_groups *g, uint32_t a, uint32_t b)
{
    for (int k = 0; k < g->n; k++) {
        key_field x = get_field(g, a, k);
        key_field y = get_field(g, b, k);
        int c = x.present && y.present ? compare_fields(g->types[k], x, y) : (int)x.present - (int)y.present;
        if (c != 0) {
            return c;
        }
    }
    return 0;
}

int nf_groups_column(const nf_groups *g, netfeat_ctx *ctx, int k, const uint32_t *ids, size_t n,
                     netfeat_column **ret)
{
    nf_builder b;
    int code = NETFEAT_OK;

    nf_builder_init(&b, ctx, g->types[k]);
    for (size_t i = 0; code == 0 && i < n; i++) {
        key_field f = get_field(g, ids[i], k);
        int64_t i64;
        double f64;
        if (!f.present) {
            code = nf_builder_add_null(&b);
        } else if (g->types[k] == NETFEAT_TYPE_BOOL || g->types[k] == NETFEAT_TYPE_U8) {
            code = nf_builder_add_u64(&b, f.data[0]);
        } else if (g->types[k] == NETFEAT_TYPE_U16 || g->types[k] == NETFEAT_TYPE_U32) {
            code = nf_builder_add_u64(&b, nf_groups_small_value(f.data, f.size));
        } else if (g->types[k] == NETFEAT_TYPE_F64) {
            memcpy(&f64, f.data, sizeof f64);
            code = nf_builder_add_f64(&b, f64);
        } else if (f.size == sizeof i64 && !nf_type_has_offsets(g->types[k])) {
            memcpy(&i64, f.data, sizeof i64);
            code = g->types[k] == NETFEAT_TYPE_U64 ? nf_builder_add_u64(&b, (uint64_t)i64)
                                                   : nf_builder_add_i64(&b, i64);
        } else {
            code = nf_builder_add_bytes(&b, f.data, f.size);
        }
    }
    code = code != 0 ? code : nf_builder_finish(&b, "", "feature.key@1", "NULL was a key", ret);
    nf_builder_free(&b);
    return code;
}

/* ---- saving ---- */

int nf_groups_save(const nf_groups *g, nf_state_writer *w, const char *prefix)
{
    uint64_t head[4] = {g->count, g->null_id, g->hand, g->evicted};
    int code = nf_state_put(w, prefix, "groups", NETFEAT_TYPE_U64, head, 4);

    code = code != 0 ? code : nf_state_put(w, prefix, "keys", NETFEAT_TYPE_U8, g->keys, g->keys_used);
    if (code == 0 && g->stride == 0 && g->n != 0) {
        code = nf_state_put(w, prefix, "ends", NETFEAT_TYPE_U64, g->ends, g->count);
    }
    if (code == 0 && g->evict) {
        code = nf_state_put(w, prefix, "touched", NETFEAT_TYPE_U8, g->touched, g->count);
    }
    return code;
}

/* ---- loading ---- */

/* Are these bytes the key of a row? */
static bool well_formed(const nf_groups *g, const uint8_t *key, size_t size)
{
    const uint8_t *at = key;
    const uint8_t *end = key + size;

    for (int k = 0; k < g->n; k++) {
        size_t width = field_width(g->types[k]);
        bool present = true;
        double f64;
        if (g->n > 1 || g->stride == 0) {
            if (at == end || *at > 1 || (*at == 0 && !g->null_is_key)) {
                return false;
            }
            present = *at++ != 0;
        }
        if (present && width == 0) {
            uint32_t length;
            if ((size_t)(end - at) < sizeof length) {
                return false;
            }
            memcpy(&length, at, sizeof length);
            at += sizeof length;
            if ((size_t)(end - at) < length ||
                (g->types[k] == NETFEAT_TYPE_TEXT && !nf_utf8_valid(at, length))) {
                return false;
            }
            width = length;
        }
        if ((size_t)(end - at) < width || (present && g->types[k] == NETFEAT_TYPE_BOOL && *at > 1)) {
            return false;
        }
        if (present && g->types[k] == NETFEAT_TYPE_F64) {
            memcpy(&f64, at, sizeof f64);
            if (f64 != f64) {
                return false;
            }
        }
        at += width;
    }
    return g->n < 0 ? g->stride == 0 || size == g->stride : at == end;
}

/* One by one through the ordinary way, so that the index is whole and every key is there once. */
static int add_keys(nf_groups *g, nf_state_reader *r, const uint8_t *keys, const uint8_t *ends,
                    int64_t key_bytes, uint32_t count, uint32_t null_id)
{
    size_t at = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t end = (uint64_t)at + g->stride;
        uint32_t id = NF_GROUP_NONE;
        nf_groups one = *g; /* the key is read through a borrowed view */
        int code;
        if (ends != NULL) {
            memcpy(&end, ends + (size_t)i * sizeof end, sizeof end);
        }
        if (end < at || end > (uint64_t)key_bytes || !well_formed(g, keys + at, (size_t)end - at)) {
            return nf_state_bad(r, "a key is malformed");
        }
        one.count = 1;
        one.null_id = i == null_id ? 0 : NF_GROUP_NONE;
        one.keys = (uint8_t *)(uintptr_t)(keys + at);
        uint64_t one_end = end - at;
        one.ends = ends != NULL ? &one_end : NULL;
        code = nf_groups_adopt(g, &one, 0, &id);
        if (code != 0) {
            return code;
        }
        if (id != (i | NF_GROUP_FRESH)) {
            return nf_state_bad(r, "a key is there twice");
        }
        at = (size_t)end;
    }
    return at == (size_t)key_bytes ? NETFEAT_OK : nf_state_bad(r, "keys of another length");
}

int nf_groups_load(nf_groups *g, nf_state_reader *r, const char *prefix)
{
    const uint8_t *head_bytes, *keys, *ends = NULL, *touched = NULL;
    uint64_t head[4];
    int64_t n = 4, key_bytes = -1, count;
    int code = nf_state_get(r, prefix, "groups", NETFEAT_TYPE_U64, &n, &head_bytes);

    if (code != 0) {
        return code;
    }
    memcpy(head, head_bytes, sizeof head);
    if (head[0] > g->limit || (head[1] != NF_GROUP_NONE && head[1] >= head[0]) ||
        (head[1] != NF_GROUP_NONE && !(g->n == 1 && g->stride > 0 && g->null_is_key)) ||
        (head[2] != 0 && head[2] >= head[0]) || (g->n == 0 && head[0] > 1)) {
        return nf_state_bad(r, "numbers of groups");
    }
    count = (int64_t)head[0];
    code = nf_state_get(r, prefix, "keys", NETFEAT_TYPE_U8, &key_bytes, &keys);
    if (code == 0 && g->stride == 0 && g->n != 0) {
        code = nf_state_get(r, prefix, "ends", NETFEAT_TYPE_U64, &count, &ends);
    }
    if (code == 0 && g->evict) {
        code = nf_state_get(r, prefix, "touched", NETFEAT_TYPE_U8, &count, &touched);
    }
    if (code != 0) {
        return code;
    }
    code = g->n == 0 && key_bytes != 0
               ? nf_state_bad(r, "keys of another length")
               : add_keys(g, r, keys, ends, key_bytes, (uint32_t)count, (uint32_t)head[1]);
    if (code == 0 && g->evict && count > 0) {
        for (int64_t i = 0; i < count; i++) {
            g->touched[i] = touched[i] != 0;
        }
    }
    g->hand = (uint32_t)head[2];
    g->evicted = head[3];
    return code;
}

/* ---- sorting ---- */

static void merge_runs(const uint32_t *from, uint32_t *to, size_t lo, size_t mid, size_t hi, nf_less_fn less,
                       const void *user)
{
    size_t i = lo, j = mid;

    for (size_t k = lo; k < hi; k++) {
        if (i < mid && (j >= hi || !less(user, from[j], from[i]))) {
            to[k] = from[i++];
        } else {
            to[k] = from[j++];
        }
    }
}

void nf_sort_ids(uint32_t *ids, uint32_t *tmp, size_t n, nf_less_fn less, const void *user)
{
    uint32_t *from = ids;
    uint32_t *to = tmp;

    for (size_t width = 1; width < n; width *= 2) {
        for (size_t lo = 0; lo < n; lo += 2 * width) {
            size_t mid = lo + width < n ? lo + width : n;
            size_t hi = lo + 2 * width < n ? lo + 2 * width : n;
            merge_runs(from, to, lo, mid, hi, less, user);
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != ids && n > 0) {
        memcpy(ids, from, n * sizeof *ids);
    }
}
