/* parquet.h - inside of the Parquet writer: pages in one file, metadata in the other. */
#ifndef NF_EXPORT_PARQUET_H
#define NF_EXPORT_PARQUET_H

#include "export/thrift.h"
#include "export/writer.h"

/* Physical types of parquet.thrift. */
enum {
    PARQUET_BOOLEAN = 0,
    PARQUET_INT32 = 1,
    PARQUET_INT64 = 2,
    PARQUET_DOUBLE = 5,
    PARQUET_BYTE_ARRAY = 6,
    PARQUET_FIXED = 7
};

/* Values of one column in one row group, as they will be told of in the footer. */
typedef struct {
    int64_t values; /* NULLs included */
    int64_t offset; /* of the first page */
    int64_t plain, compressed;
} nf_parquet_chunk;

/* A growing block of bytes. */
typedef struct {
    netfeat_ctx *ctx;
    uint8_t *data;
    size_t used, cap;
} nf_bytes;

int nf_bytes_put(nf_bytes *b, const void *data, size_t n);
/* n more bytes of unspecified contents: *ret is the first. */
int nf_bytes_extend(nf_bytes *b, size_t n, uint8_t **ret);

int nf_parquet_physical(int type);
/* Rows first .. first + rows - 1 of a column as pages. page and packed are scratch. */
int nf_parquet_write_chunk(netfeat_writer *w, const netfeat_column *col, int64_t first, int64_t rows,
                           nf_bytes *page, nf_bytes *packed, nf_parquet_chunk *ret);

/* What the footer says of the columns: everything but the row groups. */
typedef struct {
    char *name; /* owned */
    int type;   /* as it is written */
    int item;
} nf_parquet_column;

void nf_parquet_put_schema(nf_thrift *t, int id, const nf_parquet_column *cols, size_t n);
void nf_parquet_put_chunk(nf_thrift *t, const nf_parquet_column *col, const nf_parquet_chunk *chunk,
                          int codec);

#endif
