/* The two IPC formats: a stream of messages, and the file that adds magic numbers and a footer to it. */
#include <string.h>

#include "base/order.h"
#include "export/compress.h"
#include "export/ipc.h"
#include "export/ipc_body.h"
#include "export/ipc_schema.h"
#include "export/writer.h"

typedef struct {
    int64_t offset;
    uint32_t metadata;
    int64_t body;
} block;

typedef struct {
    block *list;
    size_t count, cap;
} blocks;

typedef struct {
    nf_fb footer; /* begun with the schema; a stream has none */
    size_t footer_table;
    blocks dictionaries, batches;
} ipc_state;

/* Write a finished message: mark, size, metadata padded so that the body is aligned. */
static int write_message(nf_out *out, const nf_fb *f, block *ret)
{
    size_t end = (size_t)out->position + 8 + f->used;
    size_t pad = (NF_IPC_ALIGNMENT - end % NF_IPC_ALIGNMENT) % NF_IPC_ALIGNMENT;
    uint32_t metadata = (uint32_t)(f->used + pad);
    uint32_t head[2] = {NF_IPC_CONTINUES, nf_le32(metadata)};
    int code;

    if (f->code != 0) {
        return f->code;
    }
    ret->offset = out->position;
    ret->metadata = metadata + 8;
    code = nf_out_write(out, head, sizeof head);
    code = code != 0 ? code : nf_out_write(out, f->data, f->used);
    return code != 0 ? code : nf_out_zeros(out, pad);
}

/* A message up to its header, to which the place returned refers. */
static size_t begin_message(nf_fb *f, netfeat_ctx *ctx, int kind, size_t body)
{
    static const uint8_t sizes[] = {2, 1, 4, 8};
    size_t t;

    nf_fb_init(f, ctx);
    t = nf_fb_root(f, sizes, 4);
    nf_fb_set(f, t, IPC_MESSAGE_VERSION, NF_IPC_VERSION, 2);
    nf_fb_set(f, t, IPC_MESSAGE_KIND, (uint64_t)kind, 1);
    nf_fb_set(f, t, IPC_MESSAGE_BODY, body, 8);
    return nf_fb_field(f, t, IPC_MESSAGE_HEADER);
}

static int note_block(netfeat_ctx *ctx, blocks *b, block one)
{
    void *list = b->list;
    int code = nf_grow(ctx, &list, &b->cap, b->count + 1, sizeof *b->list);

    b->list = list;
    if (code == 0) {
        b->list[b->count++] = one;
    }
    return code;
}

/* ---- batches ---- */

static int write_body(netfeat_writer *w, nf_ipc_body *body, int kind, int64_t id, blocks *list)
{
    static const uint8_t dictionary_sizes[] = {8, 4, 1};
    block one = {0, 0, 0};
    nf_fb f;
    size_t header;
    int code = nf_ipc_body_seal(body);

    if (code != 0) {
        return code;
    }
    one.body = (int64_t)nf_ipc_body_size(body);
    header = begin_message(&f, w->ctx, kind, (size_t)one.body);
    if (kind == IPC_KIND_DICTIONARY) {
        size_t t = nf_fb_table(&f, header, dictionary_sizes, 3);
        nf_fb_set(&f, t, IPC_DICTIONARY_ID, (uint64_t)id, 8);
        header = nf_fb_field(&f, t, IPC_DICTIONARY_DATA);
    }
    nf_ipc_body_put(body, &f, header);
    code = write_message(&w->out, &f, &one);
    code = code != 0 ? code : nf_ipc_body_write(body, &w->out);
    nf_fb_free(&f);
    return code != 0 ? code : note_block(w->ctx, list, one);
}

static int write_batch(netfeat_writer *w, const nf_outgoing_list *cols, int64_t first, int64_t rows)
{
    ipc_state *s = w->state;
    nf_ipc_body body;
    int code = NETFEAT_OK;

    nf_ipc_body_init(&body, w->ctx, w->codec, rows);
    for (size_t i = 0; code == 0 && i < cols->count; i++) {
        code = nf_ipc_body_add(&body, cols->cols[i], first);
    }
    code = code != 0 ? code : write_body(w, &body, IPC_KIND_BATCH, 0, &s->batches);
    nf_ipc_body_free(&body);
    return code;
}

static int write_dictionary(netfeat_writer *w, const nf_outgoing *values, int64_t id)
{
    ipc_state *s = w->state;
    nf_ipc_body body;
    int code;

    nf_ipc_body_init(&body, w->ctx, w->codec, values->col->length);
    code = nf_ipc_body_add(&body, values, 0);
    code = code != 0 ? code : write_body(w, &body, IPC_KIND_DICTIONARY, id, &s->dictionaries);
    nf_ipc_body_free(&body);
    return code;
}

static int write_dictionaries(netfeat_writer *w, const nf_outgoing_list *cols)
{
    int code = NETFEAT_OK;

    for (size_t i = 0; code == 0 && i < cols->count; i++) {
        const nf_outgoing *o = cols->cols[i];
        if (o->values != NULL) {
            code = write_dictionary(w, o->values, 2 * (int64_t)i);
        } else if (o->item != NULL && o->item->values != NULL) {
            code = write_dictionary(w, o->item->values, 2 * (int64_t)i + 1);
        }
    }
    return code;
}

static int write_table(netfeat_writer *w, const netfeat_table *tab)
{
    nf_outgoing_list cols;
    int64_t batch = w->batch_rows > 0 && w->batch_rows < tab->rows ? w->batch_rows : tab->rows;
    int code = nf_outgoing_list_make(w->ctx, tab, &w->shape, &cols);

    if (code != 0) {
        return code;
    }
    code = write_dictionaries(w, &cols);
    if (code == 0 && tab->rows == 0) {
        code = write_batch(w, &cols, 0, 0);
    }
    for (int64_t first = 0; code == 0 && first < tab->rows; first += batch) {
        code = write_batch(w, &cols, first, tab->rows - first < batch ? tab->rows - first : batch);
        code = code != 0 ? code : nf_checkpoint(w->ctx, first, w->out.position, -1);
    }
    nf_outgoing_list_free(&cols);
    return code;
}

/* ---- beginning and end ---- */

static void begin_footer(netfeat_writer *w, const netfeat_table *tab, const nf_outgoing_list *cols,
                         const nf_table_pairs *pairs)
{
    static const uint8_t sizes[] = {2, 4, 4, 4};
    ipc_state *s = w->state;
    nf_fb *f = &s->footer;

    s->footer_table = nf_fb_root(f, sizes, 4);
    nf_fb_set(f, s->footer_table, IPC_FOOTER_VERSION, NF_IPC_VERSION, 2);
    nf_ipc_put_schema(f, nf_fb_field(f, s->footer_table, IPC_FOOTER_SCHEMA), tab, cols, pairs);
}

static int begin(netfeat_writer *w, const netfeat_table *tab, bool file)
{
    static const uint8_t head[NF_IPC_HEAD_SIZE] = NF_IPC_MAGIC;
    nf_outgoing_list cols = {.ctx = w->ctx};
    nf_table_pairs pairs = {.ctx = w->ctx};
    block unused;
    nf_fb f;
    int code;

    w->state = nf_alloc_zero(w->ctx, sizeof(ipc_state));
    if (w->state == NULL) {
        return nf_ctx_code(w->ctx);
    }
    nf_fb_init(&((ipc_state *)w->state)->footer, w->ctx);
    nf_fb_init(&f, w->ctx);
    code = nf_outgoing_list_make(w->ctx, tab, &w->shape, &cols);
    code = code != 0 ? code : nf_table_pairs_make(w->ctx, tab, &pairs);
    if (code == 0 && file) {
        begin_footer(w, tab, &cols, &pairs);
        code = nf_out_write(&w->out, head, sizeof head);
    }
    if (code == 0) {
        nf_ipc_put_schema(&f, begin_message(&f, w->ctx, IPC_KIND_SCHEMA, 0), tab, &cols, &pairs);
        code = write_message(&w->out, &f, &unused);
    }
    nf_fb_free(&f);
    nf_table_pairs_free(&pairs);
    nf_outgoing_list_free(&cols);
    return code;
}

static int begin_file(netfeat_writer *w, const netfeat_table *tab)
{
    return begin(w, tab, true);
}

static int begin_stream(netfeat_writer *w, const netfeat_table *tab)
{
    return begin(w, tab, false);
}

/* Who reads the other end has each table at once. */
static int write_stream(netfeat_writer *w, const netfeat_table *tab)
{
    int code = write_table(w, tab);

    return code != 0 ? code : nf_out_flush(&w->out);
}

static int end_stream(netfeat_writer *w)
{
    static const uint32_t mark[2] = {NF_IPC_CONTINUES, 0};

    return nf_out_write(&w->out, mark, sizeof mark);
}

static void put_blocks(nf_fb *f, size_t from, const blocks *b)
{
    size_t at = nf_fb_vector(f, from, b->count, NF_IPC_BLOCK_SIZE, 8);

    for (size_t i = 0; i < b->count; i++, at += NF_IPC_BLOCK_SIZE) {
        nf_fb_put(f, at, (uint64_t)b->list[i].offset, 8);
        nf_fb_put(f, at + 8, b->list[i].metadata, 4);
        nf_fb_put(f, at + 16, (uint64_t)b->list[i].body, 8);
    }
}

static int end_file(netfeat_writer *w)
{
    ipc_state *s = w->state;
    nf_fb *f = &s->footer;
    uint32_t size;
    int code = end_stream(w);

    put_blocks(f, nf_fb_field(f, s->footer_table, IPC_FOOTER_DICTIONARIES), &s->dictionaries);
    put_blocks(f, nf_fb_field(f, s->footer_table, IPC_FOOTER_BATCHES), &s->batches);
    code = code != 0 ? code : f->code;
    if (code != 0) {
        return code;
    }
    size = nf_le32((uint32_t)f->used);
    code = nf_out_write(&w->out, f->data, f->used);
    code = code != 0 ? code : nf_out_write(&w->out, &size, sizeof size);
    return code != 0 ? code : nf_out_write(&w->out, NF_IPC_MAGIC, NF_IPC_MAGIC_SIZE);
}

static void release(netfeat_writer *w)
{
    ipc_state *s = w->state;

    nf_fb_free(&s->footer);
    nf_free(w->ctx, s->dictionaries.list, s->dictionaries.cap * sizeof(block));
    nf_free(w->ctx, s->batches.list, s->batches.cap * sizeof(block));
    nf_free(w->ctx, s, sizeof *s);
}

const nf_format nf_format_arrow = {begin_file, write_table, end_file, release};
const nf_format nf_format_stream = {begin_stream, write_stream, end_stream, release};
