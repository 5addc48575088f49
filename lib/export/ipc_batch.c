/* Record batches: from nodes and buffers to views. */
#include <string.h>

#include "base/cursor.h"
#include "export/compress.h"
#include "export/ipc.h"
#include "export/ipc_read.h"
#include "export/ipc_schema.h"

static int codec_of(netfeat_ctx *ctx, nf_fbr *f, const nf_fbr_table *t, int64_t at, int *ret)
{
    nf_fbr_table c = nf_fbr_child(f, t, IPC_BATCH_COMPRESSION);
    uint64_t codec, method;

    *ret = NF_CODEC_NONE;
    if (c.pos == 0) {
        return NETFEAT_OK;
    }
    codec = nf_fbr_uint(f, &c, 0, 1, IPC_CODEC_LZ4);
    method = nf_fbr_uint(f, &c, 1, 1, 0);
    if (codec > IPC_CODEC_ZSTD || method != 0) {
        return nf_error_at(ctx, NETFEAT_ERR_UNSUPPORTED, -1, at, "compression %u, method %u", (unsigned)codec,
                           (unsigned)method);
    }
    *ret = codec == IPC_CODEC_ZSTD ? NF_CODEC_ZSTD : NF_CODEC_LZ4;
    if (!nf_codec_is_built(*ret)) {
        return nf_error_at(ctx, NETFEAT_ERR_UNSUPPORTED, -1, at, "this build has no %s",
                           codec == IPC_CODEC_ZSTD ? "zstd" : "lz4");
    }
    return NETFEAT_OK;
}

int nf_ipc_batch_read(netfeat_ctx *ctx, const nf_ipc_message *m, const nf_fbr_table *t, const uint8_t *data,
                      nf_ipc_batch *ret)
{
    nf_fbr *f = &ret->f;
    int code;

    memset(ret, 0, sizeof *ret);
    ret->f = m->f;
    ret->at = m->at;
    ret->body = data + m->body;
    ret->body_at = m->body;
    ret->body_size = m->body_size;
    ret->length = nf_fbr_int(f, t, IPC_BATCH_LENGTH, 8, 0);
    ret->nodes = nf_fbr_vec(f, t, IPC_BATCH_NODES, 16, 8);
    ret->buffers = nf_fbr_vec(f, t, IPC_BATCH_BUFFERS, 16, 8);
    ret->variadic = nf_fbr_vec(f, t, IPC_BATCH_VARIADIC, 8, 8);
    code = codec_of(ctx, f, t, (int64_t)m->at, &ret->codec);
    if (code != 0) {
        return code;
    }
    if (f->bad) {
        return nf_ipc_broken(ctx, f, (int64_t)m->at);
    }
    if (ret->length < 0 || ret->length > NF_ROWS_MAX) {
        return nf_error_at(ctx, NETFEAT_ERR_FORMAT, -1, (int64_t)m->at, "a batch of %lld rows",
                           (long long)ret->length);
    }
    return NETFEAT_OK;
}

void nf_ipc_batch_rewind(nf_ipc_batch *b)
{
    b->node = 0;
    b->buffer = 0;
    b->variadic_used = 0;
    b->body_used = 0;
}

static int too_few(const nf_import *in, const nf_ipc_batch *b)
{
    return nf_import_error(in, NETFEAT_ERR_FORMAT, (int64_t)b->at, "the batch has too few nodes or buffers");
}

static int next_node(const nf_import *in, nf_ipc_batch *b, int64_t *ret_length, int64_t *ret_nulls)
{
    const uint8_t *p;

    if (b->node == b->nodes.count) {
        return too_few(in, b);
    }
    p = nf_fbr_vec_at(&b->f, &b->nodes, b->node++, 16);
    *ret_length = (int64_t)nf_load_le64(p);
    *ret_nulls = (int64_t)nf_load_le64(p + 8);
    if (*ret_length < 0 || *ret_length > NF_ROWS_MAX || *ret_nulls < -1 || *ret_nulls > *ret_length) {
        return nf_import_error(in, NETFEAT_ERR_FORMAT, (int64_t)b->at,
                               "an impossible number of rows or NULLs");
    }
    return NETFEAT_OK;
}

/* A compressed buffer: its size before compression, -1 if it is not compressed after all, then the data. */
static int inflate(nf_import *in, const nf_ipc_batch *b, nf_part *part)
{
    nf_buffer *plain = NULL;
    int64_t want;
    int code;

    if (part->size < 8) {
        return nf_import_error(in, NETFEAT_ERR_FORMAT, part->at, "a compressed buffer without its size");
    }
    want = (int64_t)nf_load_le64(part->p);
    part->p += 8;
    part->size -= 8;
    if (want == -1) {
        return NETFEAT_OK;
    }
    if (want < 0 || (uint64_t)want > SIZE_MAX / 2 ||
        !nf_decompress_is_plausible(b->codec, part->size, (uint64_t)want)) {
        return nf_import_error(in, NETFEAT_ERR_FORMAT, part->at, "a compressed buffer of an impossible size");
    }
    code = nf_import_buffer(in, (size_t)want, &plain);
    if (code == 0 && want > 0) {
        code = nf_decompress(in->ctx, b->codec, part->p, part->size, plain->data, (size_t)want);
        if (code != 0) {
            nf_error_locate(in->ctx, -1, part->at);
        }
    }
    nf_buffer_unref(part->owner);
    part->owner = plain;
    part->p = plain != NULL ? plain->data : NULL;
    part->size = code == 0 ? (size_t)want : 0;
    return code;
}

/* Buffers lie in the body in their order and do not overlap: so no byte is looked at more often than once. */
static int next_buffer(nf_import *in, nf_ipc_batch *b, nf_buffer *owner, nf_part *ret)
{
    const uint8_t *p;
    uint64_t offset, size;

    if (b->buffer == b->buffers.count) {
        return too_few(in, b);
    }
    p = nf_fbr_vec_at(&b->f, &b->buffers, b->buffer++, 16);
    offset = nf_load_le64(p);
    size = nf_load_le64(p + 8);
    memset(ret, 0, sizeof *ret);
    ret->at = -1;
    if (size == 0) {
        return NETFEAT_OK;
    }
    if (offset > b->body_size || size > b->body_size - offset || offset < b->body_used) {
        return nf_import_error(in, NETFEAT_ERR_FORMAT, (int64_t)b->at,
                               "a buffer outside of the body, or over another one");
    }
    b->body_used = offset + size;
    ret->p = b->body + offset;
    ret->size = (size_t)size;
    ret->at = (int64_t)(b->body_at + offset);
    ret->owner = nf_buffer_ref(owner);
    return b->codec != NF_CODEC_NONE ? inflate(in, b, ret) : NETFEAT_OK;
}

static int next_blocks(nf_import *in, nf_ipc_batch *b, nf_buffer *owner, nf_view *v)
{
    uint64_t count;
    int code = NETFEAT_OK;

    if (b->variadic_used == b->variadic.count) {
        return too_few(in, b);
    }
    count = nf_load_le64(nf_fbr_vec_at(&b->f, &b->variadic, b->variadic_used++, 8));
    if (count > b->buffers.count - b->buffer) {
        return too_few(in, b);
    }
    if (count == 0) {
        return NETFEAT_OK;
    }
    v->blocks = nf_alloc_zero(in->ctx, (size_t)count * sizeof *v->blocks);
    if (v->blocks == NULL) {
        return nf_ctx_code(in->ctx);
    }
    v->block_count = (size_t)count;
    for (size_t i = 0; code == 0 && i < v->block_count; i++) {
        code = next_buffer(in, b, owner, &v->blocks[i]);
    }
    return code;
}

/* One node with its buffers. */
static int next_leaf(nf_import *in, nf_ipc_batch *b, const nf_arrow_field *f, nf_buffer *owner, nf_view *v)
{
    const nf_arrow_type *t = f->encoded ? &f->index : &f->type;
    bool ranges =
        (t->kind == NF_ARROW_TEXT || t->kind == NF_ARROW_BINARY || t->kind == NF_ARROW_LIST) && t->bits != 0;
    int64_t nulls = 0;
    int code = next_node(in, b, &v->length, &nulls);

    code = code != 0 ? code : next_buffer(in, b, owner, &v->validity);
    if (code != 0) {
        return code;
    }
    if (nulls == 0) { /* whatever the bitmap says */
        nf_buffer_unref(v->validity.owner);
        memset(&v->validity, 0, sizeof v->validity);
    } else if (v->validity.p == NULL && nulls > 0) {
        return nf_import_error(in, NETFEAT_ERR_FORMAT, (int64_t)b->at, "NULLs without a bitmap");
    }
    if (ranges) {
        code = next_buffer(in, b, owner, &v->offsets);
    }
    if (code == 0 && t->kind != NF_ARROW_LIST) {
        code = next_buffer(in, b, owner, &v->data);
    }
    if (code == 0 && !ranges && (t->kind == NF_ARROW_TEXT || t->kind == NF_ARROW_BINARY)) {
        code = next_blocks(in, b, owner, v);
    }
    return code;
}

int nf_ipc_batch_next(nf_import *in, nf_ipc_batch *b, const nf_arrow_field *f, nf_buffer *owner, nf_view *v)
{
    int code = next_leaf(in, b, f, owner, v);

    if (code == 0 && v->length != b->length) {
        return nf_import_error(in, NETFEAT_ERR_FORMAT, (int64_t)b->at,
                               "another number of rows than the batch");
    }
    if (code != 0 || f->item == NULL) {
        return code;
    }
    v->item = nf_alloc_zero(in->ctx, sizeof *v->item);
    if (v->item == NULL) {
        return nf_ctx_code(in->ctx);
    }
    return next_leaf(in, b, f->item, owner, v->item);
}

int nf_ipc_batch_end(netfeat_ctx *ctx, const nf_ipc_batch *b)
{
    if (b->node != b->nodes.count || b->buffer != b->buffers.count) {
        return nf_error_at(ctx, NETFEAT_ERR_FORMAT, -1, (int64_t)b->at,
                           "the batch has too many nodes or buffers");
    }
    return NETFEAT_OK;
}
