/* convert.h - from Arrow buffers of any origin to columns. Nothing that a buffer says is believed before it was
   checked; what has our layout is used in place when it is in one piece. */
#ifndef NF_EXPORT_CONVERT_H
#define NF_EXPORT_CONVERT_H

#include "export/arrow_type.h"

/* The size of buffers that came without one (C interface). */
#define NF_SIZE_UNKNOWN (SIZE_MAX / 4)
/* More rows than any memory holds, few enough that no product of rows and widths overflows. */
#define NF_ROWS_MAX (INT64_C(1) << (SIZE_MAX > UINT32_MAX ? 56 : 24))

/* A buffer. owner (counted reference) keeps the bytes alive, or is NULL: then they must be copied. */
typedef struct {
    const uint8_t *p; /* NULL: absent */
    size_t size;
    int64_t at; /* offset in the file, for messages; -1 unknown */
    nf_buffer *owner;
} nf_part;

/* One array: rows offset .. offset + length - 1 of its buffers. */
typedef struct nf_view {
    int64_t length;
    int64_t offset;
    nf_part validity;
    nf_part offsets;
    nf_part data;    /* values, bytes, indexes of a dictionary, or 16-byte views */
    nf_part *blocks; /* what views point into; owned array */
    size_t block_count;
    struct nf_view *item;       /* LIST; owned */
    netfeat_column *dictionary; /* when encoded: the values; counted reference */
} nf_view;

/* Release what a view holds. */
void nf_view_clear(netfeat_ctx *ctx, nf_view *v);

/* One load or import. */
typedef struct {
    netfeat_ctx *ctx;
    int64_t budget;     /* bytes that may still be allocated */
    bool zeros;         /* written by this library: the values of NULL rows are zeros already */
    const char *column; /* under way, for messages */
} nf_import;

/* Allocate within the budget: 0, LIMIT, NOMEM. */
int nf_import_take(nf_import *in, size_t bytes);
int nf_import_buffer(nf_import *in, size_t bytes, nf_buffer **ret);
/* Error about the column under way. */
int nf_import_error(const nf_import *in, int code, int64_t at, const char *what);

/* One column out of the arrays views[0 .. n), in this order. They are left as they are, to be cleared by the
   caller. A LIST's items are taken with it. */
int nf_convert(nf_import *in, const nf_arrow_field *f, nf_view *views, size_t n, netfeat_column **ret);

/* ---- between the files of this part ---- */

static inline bool nf_part_holds(const nf_part *part, size_t bytes)
{
    return bytes == 0 || (part->p != NULL && bytes <= part->size);
}

/* Row i (without the view's offset) is present? The bitmap was checked. */
static inline bool nf_view_present(const nf_view *v, int64_t i)
{
    int64_t bit = v->offset + i;
    return v->validity.p == NULL || (v->validity.p[bit >> 3] >> (bit & 7) & 1) != 0;
}

/* Where the column is put together: the values, given the finished bitmap in parts. */
int nf_convert_bytes(nf_import *in, const nf_arrow_type *t, nf_view *views, size_t n, nf_column_parts *parts);
int nf_convert_views(nf_import *in, const nf_arrow_type *t, nf_view *views, size_t n, nf_column_parts *parts);
int nf_convert_list(nf_import *in, const nf_arrow_field *f, nf_view *views, size_t n, nf_column_parts *parts);
int nf_convert_encoded(nf_import *in, const nf_arrow_field *f, nf_view *views, size_t n,
                       netfeat_column **ret);

#endif
