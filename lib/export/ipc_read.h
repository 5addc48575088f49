/* ipc_read.h - IPC files and streams out of memory. */
#ifndef NF_EXPORT_IPC_READ_H
#define NF_EXPORT_IPC_READ_H

#include "export/convert.h"
#include "export/flatbuf_read.h"

/* A message whose frame was checked: metadata and body are inside the input. */
typedef struct {
    size_t at; /* of the metadata */
    size_t size;
    size_t body;
    size_t body_size;
    int kind; /* IPC_KIND_*, or another one of the format */
    nf_fbr f; /* over the metadata */
    nf_fbr_table header;
} nf_ipc_message;

/* Size of the frame at the beginning of data: *ret_frame (4 or 8) bytes before the metadata of *ret_metadata
   bytes; 0 of it is the end of a stream. False: fewer bytes than needed to tell. */
bool nf_ipc_frame(const uint8_t *data, size_t size, size_t *ret_frame, uint32_t *ret_metadata);
/* The message at `at`, which ends at *ret_end. Body bytes may be missing if partial is set (then the body is
   what is there, and *ret_end where it would end). 1 a message, 0 the end mark, TRUNCATED, FORMAT,
   UNSUPPORTED. */
int nf_ipc_message_at(netfeat_ctx *ctx, const uint8_t *data, size_t size, size_t at, bool partial,
                      nf_ipc_message *ret, size_t *ret_end);

/* Table out of data, which owner keeps alive (counted reference of the caller's, shared by the columns). */
int nf_ipc_load(netfeat_ctx *ctx, const uint8_t *data, size_t size, nf_buffer *owner,
                const netfeat_options *opts, netfeat_table **ret);

/* ---- between the files of the reader ---- */

/* A record batch: its vectors, and how far its columns were taken. */
typedef struct {
    nf_fbr f;
    size_t at; /* of the metadata in the input */
    const uint8_t *body;
    size_t body_at, body_size;
    int64_t length;
    int codec;
    nf_fbr_vector nodes, buffers, variadic;
    size_t node, buffer, variadic_used;
    uint64_t body_used;
    netfeat_column *
        *dictionaries; /* counted references; by number of the dictionary; NULL if there are none */
    size_t dictionary_count;
} nf_ipc_batch;

/* The vectors of a RecordBatch table t of message m. */
int nf_ipc_batch_read(netfeat_ctx *ctx, const nf_ipc_message *m, const nf_fbr_table *t, const uint8_t *data,
                      nf_ipc_batch *ret);
/* Forget how far it was taken. */
void nf_ipc_batch_rewind(nf_ipc_batch *b);
/* The next column of the batch as a view, item included; encoded fields get no dictionary yet. v is zeroed; on
   failure it is to be cleared all the same. */
int nf_ipc_batch_next(nf_import *in, nf_ipc_batch *b, const nf_arrow_field *f, nf_buffer *owner, nf_view *v);
/* All nodes and buffers were taken? */
int nf_ipc_batch_end(netfeat_ctx *ctx, const nf_ipc_batch *b);

#endif
