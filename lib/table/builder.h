/* builder.h - a column while it grows. Values are appended in order; the bitmap exists only once a NULL came.
 */
#ifndef NF_TABLE_BUILDER_H
#define NF_TABLE_BUILDER_H

#include "table/column.h"

typedef struct {
    netfeat_ctx *ctx; /* borrowed: the owner of the builder holds it */
    int type;
    int width;
    int64_t length;
    int64_t nulls;
    uint8_t *data;
    size_t data_used; /* bytes; TEXT and BYTES only: the others derive it from length */
    size_t data_cap;
    uint8_t *validity; /* NULL while nulls is 0; bits behind length are 0 */
    size_t validity_cap;
    int64_t *offsets; /* TEXT, BYTES: length + 1 of them once something was reserved */
    size_t offsets_cap;
} nf_builder;

/* Any type but LIST. Cannot fail: nothing is allocated yet. */
void nf_builder_init(nf_builder *b, netfeat_ctx *ctx, int type);
void nf_builder_free(nf_builder *b);
/* Room for `rows` more rows, and `bytes` more bytes of TEXT or BYTES data. The appends below need it before.
 */
int nf_builder_reserve(nf_builder *b, int64_t rows, size_t bytes);
/* Room for a bitmap over the rows so far and `rows` more. */
int nf_builder_reserve_nulls(nf_builder *b, int64_t rows);

/* Append one row; each reserves its own room. 0 or a negative code, with nothing appended. */
int nf_builder_add_null(nf_builder *b);
int nf_builder_add_u64(nf_builder *b, uint64_t value); /* BOOL and the integers; the value fits (asserted) */
int nf_builder_add_i64(nf_builder *b, int64_t value);  /* I64, TIME_NS */
int nf_builder_add_f64(nf_builder *b, double value);
int nf_builder_add_bytes(nf_builder *b, const void *data, size_t size); /* BYTES16, BYTES6, TEXT, BYTES */

/* TEXT, BYTES: one row out of `size` bytes already written behind data_used, for which room was reserved. */
int nf_builder_add_reserved(nf_builder *b, size_t size);

/* The finished column; the builder is empty afterwards. On failure it is unchanged. Strings are static. */
int nf_builder_finish(nf_builder *b, const char *unit, const char *definition, const char *null_rule,
                      netfeat_column **ret);
/* A LIST column: offsets comes from a builder of type I64 that holds one offset more than there are rows (the
   first is 0). Takes the child's reference in any case. No row is NULL. */
int nf_list_finish(nf_builder *offsets, netfeat_column *child, const char *unit, const char *definition,
                   const char *null_rule, netfeat_column **ret);

#endif
