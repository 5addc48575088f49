/* arrow_c.h - the C interfaces' structs, inside. */
#ifndef NF_EXPORT_ARROW_C_H
#define NF_EXPORT_ARROW_C_H

#include <netfeat/arrow_abi.h>
#include <netfeat/export.h>

#include "export/arrow_type.h"
#include "export/outgoing.h"

/* Fill *out; 0 or an errno value, as callbacks of the interface return it. They may run in other threads and
   leave the context's error alone. *out is released on failure. */
int nf_arrow_schema_of_column(const nf_outgoing *o, const char *name, struct ArrowSchema *out);
int nf_arrow_schema_of_table(const netfeat_table *tab, const nf_outgoing_list *cols,
                             const nf_table_pairs *pairs, struct ArrowSchema *out);

/* From a schema of somebody else. On failure *ret is empty (schema), or to be freed by its owner (field). */
int nf_arrow_field_read(netfeat_ctx *ctx, const struct ArrowSchema *s, nf_arrow_field *f);
int nf_arrow_schema_read(netfeat_ctx *ctx, const struct ArrowSchema *s, int64_t max_columns,
                         nf_arrow_schema *ret);

#endif
