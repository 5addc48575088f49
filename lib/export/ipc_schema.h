/* ipc_schema.h - schemas as FlatBuffers: written into a message or a footer. */
#ifndef NF_EXPORT_IPC_SCHEMA_H
#define NF_EXPORT_IPC_SCHEMA_H

#include "export/arrow_type.h"
#include "export/flatbuf_read.h"
#include "export/flatbuf_write.h"
#include "export/outgoing.h"

/* The schema of a table, to which the reference at `from` will point. The dictionary of column i has the id
   2 * i, that of its items 2 * i + 1. */
void nf_ipc_put_schema(nf_fb *f, size_t from, const netfeat_table *tab, const nf_outgoing_list *cols,
                       const nf_table_pairs *pairs);

/* Schema of somebody; `at` is where f begins in the input, for messages. On failure *ret is empty. */
int nf_ipc_read_schema(netfeat_ctx *ctx, nf_fbr *f, const nf_fbr_table *t, int64_t at, int64_t max_columns,
                       nf_arrow_schema *ret);
/* The error of a broken buffer. */
int nf_ipc_broken(netfeat_ctx *ctx, const nf_fbr *f, int64_t at);

#endif
