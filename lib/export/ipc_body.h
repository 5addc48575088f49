/* ipc_body.h - a record batch about to be written: its nodes, and its buffers as pieces of columns. */
#ifndef NF_EXPORT_IPC_BODY_H
#define NF_EXPORT_IPC_BODY_H

#include "export/flatbuf_write.h"
#include "export/out.h"
#include "export/outgoing.h"

typedef struct {
    int64_t length, nulls;
} nf_ipc_node;

typedef struct {
    const void *p;
    size_t size;    /* uncompressed */
    int64_t base;   /* offsets: what each is lowered by */
    uint8_t *block; /* compressed: owned */
    size_t block_size;
    size_t written; /* bytes in the body, without padding */
} nf_ipc_piece;

typedef struct {
    netfeat_ctx *ctx;
    nf_ipc_node *nodes;
    size_t node_count, node_cap;
    nf_ipc_piece *pieces;
    size_t piece_count, piece_cap;
    netfeat_column **slices; /* counted references: items that had to be re-aligned */
    size_t slice_count, slice_cap;
    int64_t rows;
    int codec;
} nf_ipc_body;

void nf_ipc_body_init(nf_ipc_body *b, netfeat_ctx *ctx, int codec, int64_t rows);
void nf_ipc_body_free(nf_ipc_body *b);
/* Rows first .. first + rows - 1 of a column; first is a multiple of 8. */
int nf_ipc_body_add(nf_ipc_body *b, const nf_outgoing *o, int64_t first);
/* Compress if asked, and settle the sizes. */
int nf_ipc_body_seal(nf_ipc_body *b);
/* Bytes with padding. */
size_t nf_ipc_body_size(const nf_ipc_body *b);
/* The RecordBatch table, to which the reference at `from` will point. */
void nf_ipc_body_put(const nf_ipc_body *b, nf_fb *f, size_t from);
int nf_ipc_body_write(const nf_ipc_body *b, nf_out *out);

#endif
