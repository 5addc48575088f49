#include "export/ipc_body.h"

#include <string.h>

#include "base/bitmap.h"
#include "base/order.h"
#include "export/compress.h"
#include "export/ipc.h"

#define NO_BASE INT64_MIN

void nf_ipc_body_init(nf_ipc_body *b, netfeat_ctx *ctx, int codec, int64_t rows)
{
    memset(b, 0, sizeof *b);
    b->ctx = ctx;
    b->codec = codec;
    b->rows = rows;
}

void nf_ipc_body_free(nf_ipc_body *b)
{
    for (size_t i = 0; i < b->piece_count; i++) {
        nf_free(b->ctx, b->pieces[i].block, b->pieces[i].block_size);
    }
    for (size_t i = 0; i < b->slice_count; i++) {
        netfeat_column_unref(b->slices[i]);
    }
    nf_free(b->ctx, b->nodes, b->node_cap * sizeof *b->nodes);
    nf_free(b->ctx, b->pieces, b->piece_cap * sizeof *b->pieces);
    nf_free(b->ctx, b->slices, b->slice_cap * sizeof *b->slices);
    nf_ipc_body_init(b, b->ctx, b->codec, b->rows);
}

static int add_node(nf_ipc_body *b, int64_t length, int64_t nulls)
{
    void *list = b->nodes;
    int code = nf_grow(b->ctx, &list, &b->node_cap, b->node_count + 1, sizeof *b->nodes);

    b->nodes = list;
    if (code == 0) {
        b->nodes[b->node_count++] = (nf_ipc_node){length, nulls};
    }
    return code;
}

static int add_piece(nf_ipc_body *b, const void *p, size_t size, int64_t base)
{
    void *list = b->pieces;
    int code = nf_grow(b->ctx, &list, &b->piece_cap, b->piece_count + 1, sizeof *b->pieces);

    b->pieces = list;
    if (code == 0) {
        b->pieces[b->piece_count++] = (nf_ipc_piece){.p = p, .size = size, .base = base};
    }
    return code;
}

static int keep_slice(nf_ipc_body *b, netfeat_column *slice)
{
    void *list = b->slices;
    int code = nf_grow(b->ctx, &list, &b->slice_cap, b->slice_count + 1, sizeof *b->slices);

    b->slices = list;
    if (code != 0) {
        netfeat_column_unref(slice);
        return code;
    }
    b->slices[b->slice_count++] = slice;
    return NETFEAT_OK;
}

/* Node, bitmap and values of a column that is no list; of a list only node, bitmap and offsets. */
static int add_column(nf_ipc_body *b, const netfeat_column *col, int64_t first, int64_t rows)
{
    int64_t nulls = 0;
    int64_t from = 0, to = 0;
    int code;

    if (col->validity != NULL) {
        nulls = rows - nf_bitmap_count(col->validity, first, rows);
    }
    code = add_node(b, rows, nulls);
    if (code == 0 && nulls > 0) {
        code = add_piece(b, col->validity + (first >> 3), nf_bitmap_bytes(rows), NO_BASE);
    } else if (code == 0) {
        code = add_piece(b, NULL, 0, NO_BASE);
    }
    if (code == 0 && col->offsets != NULL) {
        from = col->offsets[first];
        to = col->offsets[first + rows];
        code = add_piece(b, col->offsets + first, ((size_t)rows + 1) * sizeof *col->offsets,
                         from != 0 ? from : NO_BASE);
    }
    if (code != 0 || col->type == NETFEAT_TYPE_LIST) {
        return code;
    }
    if (col->offsets != NULL) {
        return add_piece(b, col->data + from, (size_t)(to - from), NO_BASE);
    }
    if (col->type == NETFEAT_TYPE_BOOL) {
        return add_piece(b, col->data + (first >> 3), nf_bitmap_bytes(rows), NO_BASE);
    }
    return add_piece(b, col->data + (size_t)first * (size_t)nf_type_width(col->type),
                     (size_t)rows * (size_t)nf_type_width(col->type), NO_BASE);
}

int nf_ipc_body_add(nf_ipc_body *b, const nf_outgoing *o, int64_t first)
{
    netfeat_column *items;
    int64_t from, to;
    int code = add_column(b, o->col, first, b->rows);

    if (code != 0 || o->item == NULL) {
        return code;
    }
    from = o->col->offsets[first];
    to = o->col->offsets[first + b->rows];
    if ((from & 7) == 0) {
        return add_column(b, o->item->col, from, to - from);
    }
    code = nf_column_slice(b->ctx, o->item->col, from, to - from, &items);
    code = code != 0 ? code : keep_slice(b, items);
    return code != 0 ? code : add_column(b, items, 0, to - from);
}

static void lower_offsets(int64_t *out, const nf_ipc_piece *p, size_t first, size_t n)
{
    const int64_t *in = (const int64_t *)p->p + first;

    for (size_t i = 0; i < n; i++) {
        out[i] = in[i] - p->base;
    }
}

/* Size before compression, then the data; where compression does not pay, -1 and the data as it is. */
static int compress_piece(nf_ipc_body *b, nf_ipc_piece *p)
{
    size_t room = nf_compress_bound(b->codec, p->size);
    uint64_t prefix = nf_le64(p->size);
    const void *src = p->p;
    int64_t *lowered = NULL;
    size_t size = 0;
    int code = NETFEAT_OK;

    if (p->size == 0) {
        return NETFEAT_OK;
    }
    room = room > p->size ? room : p->size;
    if (p->base != NO_BASE) {
        lowered = nf_alloc(b->ctx, p->size);
        if (lowered == NULL) {
            return nf_ctx_code(b->ctx);
        }
        lower_offsets(lowered, p, 0, p->size / sizeof *lowered);
        src = lowered;
    }
    p->block = nf_alloc(b->ctx, room + sizeof prefix);
    if (p->block == NULL) {
        code = nf_ctx_code(b->ctx);
        goto out;
    }
    p->block_size = room + sizeof prefix;
    code = nf_compress(b->ctx, b->codec, src, p->size, p->block + sizeof prefix, room, &size);
    if (code == 0 && size >= p->size) {
        prefix = UINT64_MAX;
        size = p->size;
        memcpy(p->block + sizeof prefix, src, size);
    }
    memcpy(p->block, &prefix, sizeof prefix);
    p->written = size + sizeof prefix;
    if (code == 0 &&
        p->written < p->block_size / 2) { /* most of the room is not needed while others compress */
        void *less = nf_resize(b->ctx, p->block, p->block_size, p->written);
        if (less != NULL) {
            p->block = less;
            p->block_size = p->written;
        } else {
            netfeat_ctx_error_clear(b->ctx); /* not to give room back is no failure */
        }
    }
out:
    nf_free(b->ctx, lowered, p->size);
    return code;
}

int nf_ipc_body_seal(nf_ipc_body *b)
{
    int code = NETFEAT_OK;

    for (size_t i = 0; code == 0 && i < b->piece_count; i++) {
        if (b->codec != NF_CODEC_NONE) {
            code = compress_piece(b, &b->pieces[i]);
            code = code != 0 ? code : nf_checkpoint(b->ctx, -1, -1, -1);
        } else {
            b->pieces[i].written = b->pieces[i].size;
        }
    }
    return code;
}

static size_t padded(size_t size)
{
    return (size + NF_IPC_ALIGNMENT - 1) & ~(size_t)(NF_IPC_ALIGNMENT - 1);
}

size_t nf_ipc_body_size(const nf_ipc_body *b)
{
    size_t size = 0;

    for (size_t i = 0; i < b->piece_count; i++) {
        size += padded(b->pieces[i].written);
    }
    return size;
}

void nf_ipc_body_put(const nf_ipc_body *b, nf_fb *f, size_t from)
{
    static const uint8_t compression_sizes[] = {1, 1};
    uint8_t sizes[] = {8, 4, 4, b->codec != NF_CODEC_NONE ? 4 : 0};
    size_t t = nf_fb_table(f, from, sizes, 4);
    size_t at, place = 0;

    nf_fb_set(f, t, IPC_BATCH_LENGTH, (uint64_t)b->rows, 8);
    at = nf_fb_vector(f, nf_fb_field(f, t, IPC_BATCH_NODES), b->node_count, 16, 8);
    for (size_t i = 0; i < b->node_count; i++) {
        nf_fb_put(f, at + 16 * i, (uint64_t)b->nodes[i].length, 8);
        nf_fb_put(f, at + 16 * i + 8, (uint64_t)b->nodes[i].nulls, 8);
    }
    at = nf_fb_vector(f, nf_fb_field(f, t, IPC_BATCH_BUFFERS), b->piece_count, 16, 8);
    for (size_t i = 0; i < b->piece_count; i++) {
        nf_fb_put(f, at + 16 * i, place, 8);
        nf_fb_put(f, at + 16 * i + 8, b->pieces[i].written, 8);
        place += padded(b->pieces[i].written);
    }
    if (b->codec != NF_CODEC_NONE) {
        size_t c = nf_fb_table(f, nf_fb_field(f, t, IPC_BATCH_COMPRESSION), compression_sizes, 2);
        nf_fb_set(f, c, 0, b->codec == NF_CODEC_ZSTD ? IPC_CODEC_ZSTD : IPC_CODEC_LZ4, 1);
    }
}

/* Offsets are lowered on the way, a part at a time. */
static int write_offsets(const nf_ipc_piece *p, nf_out *out)
{
    int64_t part[512];
    size_t count = p->size / sizeof part[0];
    int code = NETFEAT_OK;

    for (size_t i = 0; code == 0 && i < count; i += 512) {
        size_t n = count - i < 512 ? count - i : 512;
        lower_offsets(part, p, i, n);
        code = nf_out_write(out, part, n * sizeof part[0]);
    }
    return code;
}

int nf_ipc_body_write(const nf_ipc_body *b, nf_out *out)
{
    int code = NETFEAT_OK;

    for (size_t i = 0; code == 0 && i < b->piece_count; i++) {
        const nf_ipc_piece *p = &b->pieces[i];
        if (p->block != NULL) {
            code = nf_out_write(out, p->block, p->written);
        } else if (p->base != NO_BASE) {
            code = write_offsets(p, out);
        } else {
            code = nf_out_write(out, p->p, p->written);
        }
        code = code != 0 ? code : nf_out_zeros(out, padded(p->written) - p->written);
    }
    return code;
}
