/* column.h - inside of a column, and the ways to make one. */
#ifndef NF_TABLE_COLUMN_H
#define NF_TABLE_COLUMN_H

#include <stdatomic.h>
#include <stdbool.h>

#include <netfeat/column.h>

#include "table/buffer.h"

struct netfeat_column {
    nf_ref refs;
    netfeat_ctx *ctx; /* counted reference */
    int type;
    int64_t length;
    int64_t nulls;
    const uint8_t *data;     /* inside data_buf; NULL for LIST */
    const uint8_t *validity; /* inside validity_buf; NULL when nulls is 0 */
    const int64_t *offsets;  /* inside offsets_buf; offsets[0] need not be 0 */
    netfeat_column *child;   /* LIST: counted reference */
    const char *unit;        /* static, or inside text_buf; never NULL */
    const char *definition;  /* "packet.src_port@1": what computed it, with the version; "" unknown */
    const char *null_rule;   /* when a row is NULL, in words; "" unknown */
    nf_buffer *data_buf, *validity_buf, *offsets_buf, *text_buf;
    _Atomic(netfeat_column *) codes; /* counted reference; NULL until somebody asks: nf_column_codes() */
};

/* Bytes per value; 0 for BOOL, TEXT, BYTES, LIST and unknown types. */
int nf_type_width(int type);
static inline bool nf_type_has_offsets(int type)
{
    return type == NETFEAT_TYPE_TEXT || type == NETFEAT_TYPE_BYTES || type == NETFEAT_TYPE_LIST;
}
/* Integers, BOOL, F64, TIME_NS: what has a numeric value. */
static inline bool nf_type_is_numeric(int type)
{
    return type >= NETFEAT_TYPE_BOOL && type <= NETFEAT_TYPE_TIME_NS;
}

/* Description of a column out of buffers: takes over (also on failure) the references given; validity_buf may
   be NULL. data, validity and offsets point into the buffers. nulls < 0: counted here; 0 drops the bitmap.
   Everything must have been verified by the caller. Zero-initialise, then fill in. */
typedef struct {
    int type;
    int64_t length;
    int64_t nulls;
    const void *data;
    const uint8_t *validity;
    const int64_t *offsets;
    netfeat_column *child;
    const char *unit, *definition, *null_rule; /* NULL = "" */
    nf_buffer *data_buf, *validity_buf, *offsets_buf, *text_buf;
} nf_column_parts;
int nf_column_make(netfeat_ctx *ctx, nf_column_parts *parts, netfeat_column **ret);
/* Give the references of parts back. */
void nf_column_drop_parts(nf_column_parts *parts);
/* A bitmap of n bits, all `fill`; the bits behind the last are 0. */
int nf_new_bitmap(netfeat_ctx *ctx, int64_t n, bool fill, nf_buffer **ret);
/* Bytes that the values of a fixed-width (or BOOL) column take. */
int nf_data_bytes(netfeat_ctx *ctx, int type, int64_t length, size_t *ret);

/* Fixed-width column (or BOOL) to be filled in by the caller before anybody else sees it: *ret_data gets
   length values (unspecified), *ret_validity (may be NULL: no NULLs) a bitmap of ones. With a bitmap, call
   nf_column_count_nulls() when it is filled. Static strings only. */
int nf_column_new(netfeat_ctx *ctx, int type, int64_t length, const char *unit, const char *definition,
                  const char *null_rule, netfeat_column **ret, void *ret_data, uint8_t **ret_validity);
/* Count the NULLs of a column just filled, and drop its bitmap if there are none. */
void nf_column_count_nulls(netfeat_column *col);

/* Numbers of the distinct values in order of first appearance, U32, NULL where the column is NULL: what
   netfeat_column_dictionary() gives. The column keeps them, 4 bytes a row of its own context, for whoever asks next;
   other threads may look for them meanwhile. For those who work in the column's context, and any type that
   has a dictionary. *ret is a counted reference. NOMEM, LIMIT. */
int nf_column_codes(netfeat_column *col, netfeat_column **ret);
/* Are the numbers worth making: wide values, and the column's own context? */
static inline bool nf_column_wants_codes(const netfeat_ctx *ctx, const netfeat_column *col)
{
    return col->ctx == ctx && (col->type == NETFEAT_TYPE_BYTES16 || col->type == NETFEAT_TYPE_BYTES6 ||
                               col->type == NETFEAT_TYPE_TEXT);
}
/* The numbers when they are there already, or NULL; the column keeps the reference. */
static inline netfeat_column *nf_column_kept_codes(netfeat_column *col)
{
    return atomic_load_explicit(&col->codes, memory_order_acquire);
}
/* Rows first .. first + count - 1; values shared, bitmaps re-aligned when needed. Bounds were checked. */
int nf_column_slice(netfeat_ctx *ctx, netfeat_column *col, int64_t first, int64_t count,
                    netfeat_column **ret);
/* Rows rows[0 .. n); bounds were checked. */
int nf_column_take(netfeat_ctx *ctx, netfeat_column *col, const int64_t *rows, int64_t n,
                   netfeat_column **ret);

static inline bool nf_column_present(const netfeat_column *col, int64_t row)
{
    return col->validity == NULL || (col->validity[row >> 3] >> (row & 7) & 1) != 0;
}

#endif
