#include "flow/streams.h"

#include <assert.h>
#include <string.h>

#include "base/bitmap.h"
#include "flow/getters.h"
#include "flow/order.h"
#include "flow/profile.h"

#define BLOCK 64 /* streams that stay in the cache while all columns are written */
#define LINE  64

/* The columns of nf_profile_notebook. */
enum { SRC_IP, DST_IP, SRC_PORT, DST_PORT, PROTOCOL, PACKETS, BYTES, DURATION, COLUMNS };

typedef struct {
    netfeat_column *col[COLUMNS];
    uint8_t *data[COLUMNS];
    uint8_t *timed; /* bitmap of DURATION */
} writer;

/* ---- order ---- */

static const nf_flow_stream *stream_at(const nf_stream_list *list, size_t index)
{
    return nf_entries_at(list->entries, index);
}

static void list_as_found(const nf_stream_list *lists, size_t n_lists, const void **order)
{
    for (size_t w = 0; w < n_lists; w++) {
        for (size_t i = 0; i < lists[w].n; i++) {
            *order++ = stream_at(&lists[w], i);
        }
    }
}

/* A bit for each row that is the first one of its stream, and the number of those before each byte of bits: together
   they say where each stream stands, and nothing needs to be sorted. */
typedef struct {
    uint8_t *bits;
    uint32_t *before;
    size_t bytes;
    uint8_t ones[256]; /* in a byte */
} row_ranks;

static void ranks_free(netfeat_ctx *ctx, row_ranks *r)
{
    nf_free(ctx, r->bits, r->bytes);
    nf_free(ctx, r->before, r->bytes * sizeof *r->before);
}

static int ranks_new(netfeat_ctx *ctx, int64_t rows, row_ranks *r)
{
    r->bytes = (size_t)rows / 8 + 1;
    r->before = nf_alloc_array(ctx, r->bytes, sizeof *r->before);
    r->bits = r->before != NULL ? nf_alloc_zero(ctx, r->bytes) : NULL;
    for (unsigned i = 1; i < 256; i++) {
        r->ones[i] = (uint8_t)(r->ones[i / 2] + i % 2);
    }
    return r->bits != NULL ? NETFEAT_OK : nf_ctx_code(ctx);
}

static void rank_rows(row_ranks *r, const nf_stream_list *lists, size_t n_lists)
{
    uint32_t sum = 0;

    for (size_t w = 0; w < n_lists; w++) {
        for (size_t i = 0; i < lists[w].n; i++) {
            uint32_t row = lists[w].first_rows[i];
            r->bits[row / 8] |= (uint8_t)(1U << row % 8);
        }
    }
    for (size_t i = 0; i < r->bytes; i++) {
        r->before[i] = sum;
        sum += r->ones[r->bits[i]];
    }
}

static void list_by_row(const row_ranks *r, const nf_stream_list *lists, size_t n_lists, const void **order)
{
    for (size_t w = 0; w < n_lists; w++) {
        for (size_t i = 0; i < lists[w].n; i++) {
            uint32_t row = lists[w].first_rows[i];
            unsigned below = r->bits[row / 8] & ((1U << row % 8) - 1);
            order[r->before[row / 8] + r->ones[below]] = stream_at(&lists[w], i);
        }
    }
}

static const nf_flow_key *key_of(const void *stream, uint8_t *ret_source)
{
    *ret_source = 0;
    return (const nf_flow_key *)stream;
}

static int make_order(netfeat_ctx *ctx, const nf_flow_config *config, const nf_stream_list *lists,
                      size_t n_lists, int64_t rows, const void **order, size_t n)
{
    row_ranks ranks = {.bits = NULL};
    int code;

    if (config->by_key) {
        list_as_found(lists, n_lists, order);
        return nf_order_rows_by_key(ctx, order, n, key_of);
    }
    code = ranks_new(ctx, rows, &ranks);
    if (code == 0) {
        rank_rows(&ranks, lists, n_lists);
        list_by_row(&ranks, lists, n_lists, order);
    }
    ranks_free(ctx, &ranks);
    return code;
}

/* ---- columns ---- */

#define FILL(column, ctype, value)                                                                           \
    for (size_t i = 0; i < n; i++) {                                                                         \
        const nf_flow_stream *s = streams[i];                                                                \
        ((ctype *)(void *)w->data[column])[row + i] = (ctype)(value);                                        \
    }

static double seconds_of(const nf_flow_stream *s)
{
    return s->first_time > s->last_time ? 0 : nf_seconds(nf_difference(s->last_time, s->first_time));
}

static void write_block(writer *w, const void *const *streams, size_t n, size_t row)
{
    for (int end = 0; end < 2; end++) {
        uint8_t *ips = w->data[end == 0 ? SRC_IP : DST_IP] + 16 * row;
        for (size_t i = 0; i < n; i++) {
            memcpy(ips + 16 * i, ((const nf_flow_key *)streams[i])->ip[end], 16);
        }
    }
    FILL(SRC_PORT, uint16_t, ((const nf_flow_key *)(const void *)s)->port[0])
    FILL(DST_PORT, uint16_t, ((const nf_flow_key *)(const void *)s)->port[1])
    FILL(PROTOCOL, uint8_t, ((const nf_flow_key *)(const void *)s)->protocol)
    FILL(PACKETS, uint64_t, s->packets)
    FILL(BYTES, uint64_t, s->bytes)
    FILL(DURATION, double, seconds_of(s))
    for (size_t i = 0; i < n; i++) {
        const nf_flow_stream *s = streams[i];
        if (s->first_time > s->last_time) {
            nf_bitmap_clear(w->timed, (int64_t)(row + i));
        }
    }
}

/* The next streams, which may lie anywhere, on their way into the cache. */
static void prefetch_block(const void *const *streams, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *s = streams[i];
        __builtin_prefetch(s);
        __builtin_prefetch(s + sizeof(nf_flow_stream) - 1);
    }
}

static void write_all(writer *w, const void *const *order, size_t n)
{
    for (size_t i = 0; i < n; i += BLOCK) {
        size_t rest = n - i;
        size_t ahead = rest > BLOCK ? rest - BLOCK : 0;
        prefetch_block(order + i + (rest - ahead), ahead < BLOCK ? ahead : BLOCK);
        write_block(w, order + i, rest < BLOCK ? rest : BLOCK, i);
    }
}

static int start_columns(netfeat_ctx *ctx, const nf_flow_config *config, size_t n, writer *w)
{
    int code = NETFEAT_OK;

    assert(config->width == COLUMNS);
    for (int c = 0; code == 0 && c < COLUMNS; c++) {
        const nf_flow_column *def = config->columns[c];
        code = nf_column_new(ctx, def->type, (int64_t)n, def->unit, def->definition, def->null_rule,
                             &w->col[c], &w->data[c], c == DURATION ? &w->timed : NULL);
    }
    return code;
}

static int make_table(netfeat_ctx *ctx, const nf_flow_config *config, writer *w, int64_t n,
                      netfeat_table **ret)
{
    const char *names[COLUMNS];

    for (int c = 0; c < COLUMNS; c++) {
        names[c] = config->columns[c]->name;
        netfeat_column_ref(w->col[c]); /* the table takes one over */
    }
    nf_column_count_nulls(w->col[DURATION]);
    return nf_table_make(ctx, names, w->col, COLUMNS, n, ret);
}

static int write_table(netfeat_ctx *ctx, const nf_flow_config *config, const void *const *order, size_t n,
                       netfeat_table **ret)
{
    writer w = {.timed = NULL};
    int code = start_columns(ctx, config, n, &w);

    if (code == 0) {
        write_all(&w, order, n);
        code = make_table(ctx, config, &w, (int64_t)n, ret);
    }
    for (int c = 0; c < COLUMNS; c++) {
        netfeat_column_unref(w.col[c]);
    }
    return code;
}

int nf_streams_output(netfeat_ctx *ctx, const nf_flow_config *config, const nf_stream_list *lists,
                      size_t n_lists, int64_t rows, netfeat_table **ret)
{
    const void **order;
    size_t n = 0;
    int code;

    for (size_t w = 0; w < n_lists; w++) {
        n += lists[w].n;
    }
    order = nf_alloc_array(ctx, n + 1, sizeof *order);
    if (order == NULL) {
        return nf_ctx_code(ctx);
    }
    code = make_order(ctx, config, lists, n_lists, rows, order, n);
    code = code != 0 ? code : write_table(ctx, config, order, n, ret);
    nf_free(ctx, order, (n + 1) * sizeof *order);
    return code;
}
