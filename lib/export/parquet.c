/* Parquet files: row groups of column chunks, and a footer that says where they are. */
#include "export/parquet.h"

#include <string.h>

#include <netfeat/version.h>

#include "base/order.h"
#include "export/compress.h"

#define MAGIC "PAR1"

typedef struct {
    nf_parquet_column *cols;
    size_t width;
    nf_pair *pairs; /* owned copies */
    size_t pair_count, pair_cap;
    nf_thrift groups; /* the row groups, as they will stand in the footer */
    size_t group_count;
    int64_t rows;
    nf_bytes page, packed;
} parquet_state;

static char *copy(netfeat_ctx *ctx, const char *text)
{
    return nf_strndup(ctx, text, strlen(text));
}

static void free_text(netfeat_ctx *ctx, const char *text)
{
    char *p;

    if (text != NULL) {
        memcpy(&p, &text, sizeof p);
        nf_free(ctx, p, strlen(text) + 1);
    }
}

/* ---- row groups ---- */

static int write_group(netfeat_writer *w, const nf_outgoing_list *cols, int64_t first, int64_t rows)
{
    parquet_state *s = w->state;
    nf_thrift *t = &s->groups;
    int64_t bytes = 0;
    int code = NETFEAT_OK;

    nf_thrift_open(t);
    nf_thrift_list(t, 1, NF_THRIFT_STRUCT, cols->count);
    for (size_t i = 0; code == 0 && i < cols->count; i++) {
        nf_parquet_chunk chunk;
        const netfeat_column *col = cols->cols[i]->col;
        netfeat_column *list = NULL;
        /* the items may have another shape than the list has them */
        if (cols->cols[i]->item != NULL && cols->cols[i]->item->col != col->child) {
            nf_column_parts parts = {.type = NETFEAT_TYPE_LIST, .length = col->length, .nulls = col->nulls};
            parts.validity = col->validity;
            parts.offsets = col->offsets;
            parts.validity_buf = nf_buffer_ref(col->validity_buf);
            parts.offsets_buf = nf_buffer_ref(col->offsets_buf);
            parts.child = netfeat_column_ref(cols->cols[i]->item->col);
            code = nf_column_make(w->ctx, &parts, &list);
            col = list;
        }
        code = code != 0 ? code : nf_parquet_write_chunk(w, col, first, rows, &s->page, &s->packed, &chunk);
        netfeat_column_unref(list);
        if (code == 0) {
            nf_parquet_put_chunk(t, &s->cols[i], &chunk, w->codec);
            bytes += chunk.plain;
        }
    }
    if (code != 0) {
        return code;
    }
    nf_thrift_i64(t, 2, bytes);
    nf_thrift_i64(t, 3, rows);
    nf_thrift_end(t);
    s->group_count++;
    s->rows += rows;
    return t->code;
}

static int write_table(netfeat_writer *w, const netfeat_table *tab)
{
    nf_outgoing_list cols;
    int code = nf_outgoing_list_make(w->ctx, tab, &w->shape, &cols);

    if (code != 0) {
        return code;
    }
    for (int64_t first = 0; code == 0 && first < tab->rows; first += w->batch_rows) {
        int64_t left = tab->rows - first;
        code = write_group(w, &cols, first, left < w->batch_rows ? left : w->batch_rows);
        code = code != 0 ? code : nf_checkpoint(w->ctx, first, w->out.position, -1);
    }
    nf_outgoing_list_free(&cols);
    return code;
}

/* ---- beginning and end ---- */

/* Addresses as text are another type here. */
static int written_type(const netfeat_writer *w, const netfeat_column *col)
{
    bool address = col->type == NETFEAT_TYPE_BYTES16 || col->type == NETFEAT_TYPE_BYTES6;

    return address && w->shape.address == NF_ADDRESS_TEXT ? NETFEAT_TYPE_TEXT : col->type;
}

static int copy_columns(netfeat_writer *w, const netfeat_table *tab)
{
    parquet_state *s = w->state;

    if (tab->width == 0) {
        return nf_error(w->ctx, NETFEAT_ERR_UNSUPPORTED, "a Parquet file needs a column");
    }
    s->cols = nf_alloc_zero(w->ctx, (size_t)tab->width * sizeof *s->cols);
    if (s->cols == NULL) {
        return nf_ctx_code(w->ctx);
    }
    s->width = (size_t)tab->width;
    for (size_t i = 0; i < s->width; i++) {
        const netfeat_column *col = tab->cols[i];
        s->cols[i].name = copy(w->ctx, tab->names[i]);
        if (s->cols[i].name == NULL) {
            return nf_ctx_code(w->ctx);
        }
        s->cols[i].type = written_type(w, col);
        s->cols[i].item = col->child != NULL ? written_type(w, col->child) : 0;
    }
    return NETFEAT_OK;
}

static int copy_pairs(netfeat_writer *w, const netfeat_table *tab)
{
    parquet_state *s = w->state;
    nf_table_pairs pairs;
    int code = nf_table_pairs_make(w->ctx, tab, &pairs);

    if (code != 0) {
        return code;
    }
    s->pairs = nf_alloc_zero(w->ctx, pairs.count * sizeof *s->pairs);
    code = s->pairs != NULL ? NETFEAT_OK : nf_ctx_code(w->ctx);
    s->pair_cap = s->pairs != NULL ? pairs.count : 0;
    for (size_t i = 0; code == 0 && i < pairs.count; i++) {
        s->pair_count++;
        s->pairs[i].key = copy(w->ctx, pairs.pairs[i].key);
        s->pairs[i].value = s->pairs[i].key != NULL ? copy(w->ctx, pairs.pairs[i].value) : NULL;
        code = s->pairs[i].value != NULL ? NETFEAT_OK : nf_ctx_code(w->ctx);
    }
    nf_table_pairs_free(&pairs);
    return code;
}

static int begin(netfeat_writer *w, const netfeat_table *tab)
{
    parquet_state *s = nf_alloc_zero(w->ctx, sizeof *s);
    int code;

    if (s == NULL) {
        return nf_ctx_code(w->ctx);
    }
    w->state = s;
    nf_thrift_init(&s->groups, w->ctx);
    s->page.ctx = w->ctx;
    s->packed.ctx = w->ctx;
    code = copy_columns(w, tab);
    code = code != 0 ? code : copy_pairs(w, tab);
    return code != 0 ? code : nf_out_write(&w->out, MAGIC, 4);
}

static void put_footer(const parquet_state *s, nf_thrift *t)
{
    nf_thrift_i32(t, 1, 2);
    nf_parquet_put_schema(t, 2, s->cols, s->width);
    nf_thrift_i64(t, 3, s->rows);
    nf_thrift_list(t, 4, NF_THRIFT_STRUCT, s->group_count);
}

static void put_footer_end(const parquet_state *s, nf_thrift *t)
{
    nf_thrift_list(t, 5, NF_THRIFT_STRUCT, s->pair_count);
    for (size_t i = 0; i < s->pair_count; i++) {
        nf_thrift_open(t);
        nf_thrift_text(t, 1, s->pairs[i].key);
        nf_thrift_text(t, 2, s->pairs[i].value);
        nf_thrift_end(t);
    }
    nf_thrift_text(t, 6, "libnetfeat");
    nf_thrift_end(t);
}

static int end(netfeat_writer *w)
{
    parquet_state *s = w->state;
    nf_thrift head, tail;
    uint32_t size;
    int code;

    nf_thrift_init(&head, w->ctx);
    nf_thrift_init(&tail, w->ctx);
    put_footer(s, &head);
    tail.last[0] = 4; /* it goes on behind the row groups */
    put_footer_end(s, &tail);
    code = head.code != 0 ? head.code : tail.code;
    size = nf_le32((uint32_t)(head.used + s->groups.used + tail.used));
    code = code != 0 ? code : nf_out_write(&w->out, head.data, head.used);
    code = code != 0 ? code : nf_out_write(&w->out, s->groups.data, s->groups.used);
    code = code != 0 ? code : nf_out_write(&w->out, tail.data, tail.used);
    code = code != 0 ? code : nf_out_write(&w->out, &size, sizeof size);
    code = code != 0 ? code : nf_out_write(&w->out, MAGIC, 4);
    nf_thrift_free(&head);
    nf_thrift_free(&tail);
    return code;
}

static void release(netfeat_writer *w)
{
    parquet_state *s = w->state;

    for (size_t i = 0; i < s->width; i++) {
        free_text(w->ctx, s->cols[i].name);
    }
    for (size_t i = 0; i < s->pair_count; i++) {
        free_text(w->ctx, s->pairs[i].key);
        free_text(w->ctx, s->pairs[i].value);
    }
    nf_free(w->ctx, s->cols, s->width * sizeof *s->cols);
    nf_free(w->ctx, s->pairs, s->pair_cap * sizeof *s->pairs);
    nf_thrift_free(&s->groups);
    nf_free(w->ctx, s->page.data, s->page.cap);
    nf_free(w->ctx, s->packed.data, s->packed.cap);
    nf_free(w->ctx, s, sizeof *s);
}

const nf_format nf_format_parquet = {begin, write_table, end, release};
