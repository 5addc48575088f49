/* One-hot encoding at work: one bit in one of many columns. */
#include <string.h>

#include "base/bitmap.h"
#include "feature/onehot.h"
#include "feature/port_equal.h"

#define COMPARE_MAX 64   /* columns up to which comparing beats looking up */
#define PIECE       8192 /* rows that stay in the cache while all columns look at them; a multiple of 32 */

/* The columns under construction: bits, and one bitmap of NULLs for all. */
typedef struct {
    uint32_t n;
    uint8_t **bits; /* one array for each column */
    nf_buffer **buffers;
    nf_buffer *validity;
} grid;

static void free_grid(netfeat_ctx *ctx, grid *g)
{
    for (uint32_t i = 0; g->buffers != NULL && i < g->n; i++) {
        nf_buffer_unref(g->buffers[i]);
    }
    nf_free(ctx, g->buffers, ((size_t)g->n + 1) * sizeof *g->buffers);
    nf_free(ctx, g->bits, ((size_t)g->n + 1) * sizeof *g->bits);
    nf_buffer_unref(g->validity);
}

static int make_grid(netfeat_ctx *ctx, uint32_t n, int64_t rows, grid *g)
{
    size_t bytes = nf_bitmap_bytes(rows);
    int code;

    g->n = n;
    g->buffers = nf_alloc_zero(ctx, ((size_t)n + 1) * sizeof *g->buffers);
    g->bits = g->buffers != NULL ? nf_alloc_zero(ctx, ((size_t)n + 1) * sizeof *g->bits) : NULL;
    code = g->bits != NULL ? nf_buffer_new(ctx, bytes, &g->validity) : nf_ctx_code(ctx);
    if (code == 0 && bytes > 0) {
        memset(g->validity->data, 0, bytes);
        nf_bitmap_fill(g->validity->data, 0, rows, true);
    }
    for (uint32_t i = 0; code == 0 && i < n; i++) {
        code = nf_buffer_new(ctx, bytes, &g->buffers[i]);
        if (code == 0) {
            g->bits[i] = g->buffers[i]->data;
            if (bytes > 0) {
                memset(g->bits[i], 0, bytes);
            }
        }
    }
    return code;
}

static uint32_t slot_of_value(const nf_onehot *s, uint64_t value)
{
    size_t lo = 0, hi = s->n_entries;

    if (value < NF_ONEHOT_SMALL) {
        return s->slots[value];
    }
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->entries[s->by_value[mid]].value < value) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < s->n_entries && s->entries[s->by_value[lo]].value == value ? s->entries[s->by_value[lo]].slot
                                                                           : NF_NO_SLOT;
}

/* Slots of a block of rows; NULL gives NF_NO_SLOT. */
static int find_slots(netfeat_ctx *ctx, const nf_onehot *s, netfeat_column *col, int64_t first, int n,
                      uint32_t *slots)
{
    uint64_t values[NF_BLOCK];
    int code;

    if (s->mapped) {
        nf_read_u64(col, first, n, values);
        for (int i = 0; i < n; i++) {
            slots[i] = nf_column_present(col, first + i) ? slot_of_value(s, values[i]) : NF_NO_SLOT;
        }
        return NETFEAT_OK;
    }
    code = nf_categories_look_up(ctx, &s->cat, col, first, n, slots);
    for (int i = 0; code == 0 && i < n; i++) {
        slots[i] = slots[i] != NF_GROUP_NONE ? s->slots[slots[i]] : NF_NO_SLOT;
    }
    return code;
}

static int set_bits(netfeat_ctx *ctx, const nf_step *step, netfeat_column *col, int64_t first, int n,
                    const uint32_t *restrict slots, grid *g)
{
    int rule = nf_unknown_rule(step, NETFEAT_UNKNOWN_ZERO);
    bool unusual = rule != NETFEAT_UNKNOWN_ZERO || col->nulls > 0 || col->type == NETFEAT_TYPE_F64;

    for (int i = 0; i < n; i++) {
        if (slots[i] < g->n) {
            nf_bitmap_set(g->bits[slots[i]], first + i);
        } else if (unusual && slots[i] == NF_NO_SLOT) {
            bool present = nf_has_value(col, first + i);
            if (present && rule == NETFEAT_UNKNOWN_ERROR) {
                return nf_unknown_error(ctx, step, col, first + i);
            }
            if (!present || rule == NETFEAT_UNKNOWN_NULL) {
                nf_bitmap_clear(g->validity->data, first + i);
            }
        }
    }
    return NETFEAT_OK;
}

/* Ports without NULLs, unknown ones being 0: the common case, without the detour over slots. */
static void set_port_bits(const uint32_t *restrict slots, const uint16_t *restrict ports, int64_t first,
                          int64_t rows, grid *g)
{
    for (int64_t i = first; i < rows; i++) {
        uint32_t slot = slots[ports[i]];
        if (slot < g->n) {
            nf_bitmap_set(g->bits[slot], i);
        }
    }
}

#ifdef NF_PORT_EQUAL
/* A few columns: each looks at the same piece of the ports, n of them, a multiple of 32. */
static void compare_ports(const nf_onehot *s, const uint16_t *ports, int64_t first, int64_t n, const grid *g)
{
    nf_port_equal_fn *equal = nf_port_equal();

    for (size_t k = 0; k < s->n_entries; k++) {
        uint32_t slot = s->entries[k].slot;
        if (slot >= g->n || s->entries[k].value >= NF_ONEHOT_SMALL) {
            continue;
        }
        equal(ports + first, (uint16_t)s->entries[k].value, n, g->bits[slot] + (first >> 3));
    }
}
#endif

static void encode_ports(const nf_onehot *s, const uint16_t *ports, int64_t rows, grid *g)
{
    int64_t done = 0;
#ifdef NF_PORT_EQUAL
    int64_t end = s->n_entries <= COMPARE_MAX ? rows & ~(int64_t)31 : 0;
    for (; done < end; done += PIECE) {
        compare_ports(s, ports, done, end - done < PIECE ? end - done : PIECE, g);
    }
    done = end;
#endif
    set_port_bits(s->slots, ports, done, rows, g);
}

static int add_columns(netfeat_ctx *ctx, const nf_step *step, grid *g, int64_t rows, nf_outputs *out)
{
    const nf_onehot *s = step->state;
    int64_t nulls = rows - nf_bitmap_count(g->validity->data, 0, rows);
    int code = NETFEAT_OK;

    for (uint32_t i = 0; code == 0 && i < g->n; i++) {
        nf_column_parts parts = {.type = NETFEAT_TYPE_BOOL, .length = rows, .nulls = nulls};
        netfeat_column *col = NULL;
        parts.data = g->bits[i];
        parts.data_buf = nf_buffer_ref(g->buffers[i]);
        parts.validity = nulls > 0 ? g->validity->data : NULL;
        parts.validity_buf = nulls > 0 ? nf_buffer_ref(g->validity) : NULL;
        parts.definition = nf_feature_definition(step->cls->id);
        parts.null_rule = netfeat_feature_null_rule(step->cls->id);
        code = nf_column_make(ctx, &parts, &col);
        code = code != 0 ? code : nf_outputs_add(out, s->names[i], col);
    }
    return code;
}

static int check_mapped_type(netfeat_ctx *ctx, const netfeat_column *col)
{
    if (!nf_type_is_numeric(col->type) || col->type == NETFEAT_TYPE_F64) {
        return nf_error(ctx, NETFEAT_ERR_TYPE, "onehot: a map of numbers does not fit a %s column",
                        netfeat_type_name(col->type));
    }
    return NETFEAT_OK;
}

int nf_onehot_apply(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    const nf_onehot *s = step->state;
    netfeat_column *col = in[0];
    bool ports = s->mapped && col->type == NETFEAT_TYPE_U16 && col->nulls == 0 &&
                 nf_unknown_rule(step, NETFEAT_UNKNOWN_ZERO) == NETFEAT_UNKNOWN_ZERO;
    uint32_t slots[NF_BLOCK];
    grid g = {0, NULL, NULL, NULL};
    int code = s->mapped ? check_mapped_type(ctx, col) : NETFEAT_OK;

    code = code != 0 ? code : make_grid(ctx, s->n, col->length, &g);
    if (code == 0 && ports) {
        encode_ports(s, (const uint16_t *)(const void *)col->data, col->length, &g);
    }
    for (int64_t first = 0; code == 0 && !ports && first < col->length; first += NF_BLOCK) {
        int n = col->length - first < NF_BLOCK ? (int)(col->length - first) : NF_BLOCK;
        code = find_slots(ctx, s, col, first, n, slots);
        code = code != 0 ? code : set_bits(ctx, step, col, first, n, slots, &g);
    }
    code = code != 0 ? code : add_columns(ctx, step, &g, col->length, out);
    free_grid(ctx, &g);
    return code;
}
