/* incoming.h - the last step of every load and import. */
#ifndef NF_EXPORT_INCOMING_H
#define NF_EXPORT_INCOMING_H

#include "export/convert.h"

/* Does it say that this library wrote it? Then NULL rows are believed to hold zeros, and values are all that
   hangs on it, never memory. */
bool nf_incoming_is_ours(const nf_arrow_schema *schema);
/* Table out of converted columns, which it shares; names and metadata from the schema. rows matters only
   without columns. FORMAT (names that no table may have), NOMEM. */
int nf_incoming_table(netfeat_ctx *ctx, const nf_arrow_schema *schema, netfeat_column *const *cols,
                      int64_t rows, netfeat_table **ret);

#endif
