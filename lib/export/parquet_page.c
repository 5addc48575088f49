/* Parquet data pages, version 1: repetition levels, definition levels, values in PLAIN encoding. */
#include <string.h>

#include "base/bitmap.h"
#include "base/order.h"
#include "export/compress.h"
#include "export/parquet.h"

#define PAGE_BYTES ((int64_t)1 << 20) /* about; a single larger value makes a larger page */
#define PAGE_ROWS  (1 << 16)

int nf_bytes_extend(nf_bytes *b, size_t n, uint8_t **ret)
{
    void *p = b->data;
    int code = nf_grow(b->ctx, &p, &b->cap, b->used + n, 1);

    b->data = p;
    if (code == 0) {
        *ret = b->data + b->used;
        b->used += n;
    }
    return code;
}

int nf_bytes_put(nf_bytes *b, const void *data, size_t n)
{
    uint8_t *p;
    int code = n > 0 ? nf_bytes_extend(b, n, &p) : NETFEAT_OK;

    if (code == 0 && n > 0) {
        memcpy(p, data, n);
    }
    return code;
}

int nf_parquet_physical(int type)
{
    switch (type) {
    case NETFEAT_TYPE_BOOL:
        return PARQUET_BOOLEAN;
    case NETFEAT_TYPE_U8:
    case NETFEAT_TYPE_U16:
    case NETFEAT_TYPE_U32:
        return PARQUET_INT32;
    case NETFEAT_TYPE_U64:
    case NETFEAT_TYPE_I64:
    case NETFEAT_TYPE_TIME_NS:
        return PARQUET_INT64;
    case NETFEAT_TYPE_F64:
        return PARQUET_DOUBLE;
    case NETFEAT_TYPE_BYTES16:
    case NETFEAT_TYPE_BYTES6:
        return PARQUET_FIXED;
    default:
        return PARQUET_BYTE_ARRAY;
    }
}

/* ---- values ---- */

static int put_narrow(nf_bytes *out, const netfeat_column *col, int64_t first, int64_t n)
{
    uint8_t *start;
    uint8_t *p;
    int code = nf_bytes_extend(out, (size_t)n * 4, &start);

    if (code != 0) {
        return code;
    }
    p = start;
    for (int64_t i = first; i < first + n; i++) {
        uint32_t value = 0;
        if (nf_column_present(col, i)) {
            size_t width = (size_t)nf_type_width(col->type);
            nf_store_le((uint8_t *)&value, col->data + (size_t)i * width, 1, width);
            memcpy(p, &value, sizeof value);
            p += sizeof value;
        }
    }
    out->used -= (size_t)n * 4 - (size_t)(p - start);
    return NETFEAT_OK;
}

static int put_wide(nf_bytes *out, const netfeat_column *col, int64_t first, int64_t n)
{
    size_t width = (size_t)nf_type_width(col->type);
    size_t unit = col->type == NETFEAT_TYPE_BYTES16 || col->type == NETFEAT_TYPE_BYTES6 ? 1 : width;
    uint8_t *start;
    uint8_t *p;
    int code;

    code = nf_bytes_extend(out, (size_t)n * width, &start);
    if (code != 0) {
        return code;
    }
    if (col->validity == NULL) {
        nf_store_le(start, col->data + (size_t)first * width, (size_t)n * width / unit, unit);
        return NETFEAT_OK;
    }
    p = start;
    for (int64_t i = first; i < first + n; i++) {
        if (nf_column_present(col, i)) {
            nf_store_le(p, col->data + (size_t)i * width, width / unit, unit);
            p += width;
        }
    }
    out->used -= (size_t)n * width - (size_t)(p - start);
    return NETFEAT_OK;
}

static int put_ranges(nf_bytes *out, const netfeat_column *col, int64_t first, int64_t n)
{
    int code = NETFEAT_OK;

    for (int64_t i = first; code == 0 && i < first + n; i++) {
        uint32_t size = (uint32_t)(col->offsets[i + 1] - col->offsets[i]);
        uint32_t stored = nf_le32(size);
        if (nf_column_present(col, i)) {
            code = nf_bytes_put(out, &stored, sizeof stored);
            code = code != 0 ? code : nf_bytes_put(out, col->data + col->offsets[i], size);
        }
    }
    return code;
}

static int put_bools(nf_bytes *out, const netfeat_column *col, int64_t first, int64_t n)
{
    size_t bytes = nf_bitmap_bytes(n);
    uint8_t *p;
    int64_t k = 0;
    int code = nf_bytes_extend(out, bytes, &p);

    if (code != 0) {
        return code;
    }
    memset(p, 0, bytes);
    for (int64_t i = first; i < first + n; i++) {
        if (nf_column_present(col, i)) {
            if (nf_bitmap_get(col->data, i)) {
                nf_bitmap_set(p, k);
            }
            k++;
        }
    }
    out->used -= bytes - nf_bitmap_bytes(k);
    return NETFEAT_OK;
}

/* The present ones of n values. */
static int put_values(nf_bytes *out, const netfeat_column *col, int64_t first, int64_t n)
{
    if (n == 0) {
        return NETFEAT_OK;
    }
    if (col->type == NETFEAT_TYPE_BOOL) {
        return put_bools(out, col, first, n);
    }
    if (col->offsets != NULL) {
        return put_ranges(out, col, first, n);
    }
    return nf_type_width(col->type) < 4 ? put_narrow(out, col, first, n) : put_wide(out, col, first, n);
}

/* ---- levels: size, then runs of equal levels or groups of eight bit-packed ones ---- */

static size_t varint(uint8_t *out, uint64_t value)
{
    size_t n = 0;

    for (; value > 127; value >>= 7) {
        out[n++] = (uint8_t)(value | 128);
    }
    out[n++] = (uint8_t)value;
    return n;
}

static int end_levels(nf_bytes *out, size_t start)
{
    uint32_t size = nf_le32((uint32_t)(out->used - start - 4));

    memcpy(out->data + start, &size, sizeof size);
    return NETFEAT_OK;
}

/* All n levels are `level`. */
static int put_run(nf_bytes *out, int64_t n, uint8_t level)
{
    uint8_t head[4 + 11] = {0};
    size_t start = out->used;
    size_t size = 4;
    int code;

    if (n > 0) {
        size += varint(head + 4, (uint64_t)n << 1);
        head[size++] = level;
    }
    code = nf_bytes_put(out, head, size);
    return code != 0 ? code : end_levels(out, start);
}

/* Levels of one or two bits, packed; `bits` holds them one to a byte. */
static int put_packed(nf_bytes *out, const uint8_t *levels, int64_t n, int width)
{
    uint8_t head[4 + 10] = {0};
    size_t start = out->used;
    size_t groups = ((size_t)n + 7) / 8;
    uint8_t *p;
    int code = nf_bytes_put(out, head, 4 + varint(head + 4, (uint64_t)groups << 1 | 1));

    code = code != 0 ? code : nf_bytes_extend(out, groups * (size_t)width, &p);
    if (code != 0) {
        return code;
    }
    memset(p, 0, groups * (size_t)width);
    for (size_t i = 0; i < (size_t)n; i++) {
        size_t bit = i * (size_t)width;
        p[bit / 8] = (uint8_t)(p[bit / 8] | levels[i] << (bit % 8));
    }
    return end_levels(out, start);
}

/* Definition levels of a plain column: the validity bitmap is their bit-packed form. */
static int put_validity(nf_bytes *out, const netfeat_column *col, int64_t first, int64_t n)
{
    uint8_t head[4 + 10] = {0};
    size_t start = out->used;
    uint8_t *p;
    int code;

    if (col->validity == NULL) {
        return put_run(out, n, 1);
    }
    code = nf_bytes_put(out, head, 4 + varint(head + 4, (uint64_t)nf_bitmap_bytes(n) << 1 | 1));
    code = code != 0 ? code : nf_bytes_extend(out, nf_bitmap_bytes(n), &p);
    if (code != 0) {
        return code;
    }
    memset(p, 0, nf_bitmap_bytes(n));
    nf_bitmap_copy(p, 0, col->validity, first, n);
    return end_levels(out, start);
}

/* ---- pages ---- */

static int write_page(netfeat_writer *w, const nf_bytes *page, int64_t values, nf_bytes *packed,
                      nf_parquet_chunk *chunk)
{
    const uint8_t *data = page->data;
    size_t size = page->used;
    nf_thrift t;
    int code = NETFEAT_OK;

    if (page->used > INT32_MAX) {
        return nf_error(w->ctx, NETFEAT_ERR_LIMIT, "a Parquet page of %zu bytes", page->used);
    }
    if (w->codec != NF_CODEC_NONE) {
        uint8_t *room;
        packed->used = 0;
        code = nf_bytes_extend(packed, nf_compress_bound(w->codec, page->used), &room);
        code = code != 0 ? code : nf_compress(w->ctx, w->codec, data, page->used, room, packed->used, &size);
        data = packed->data;
    }
    if (code == 0 && size > INT32_MAX) {
        code = nf_error(w->ctx, NETFEAT_ERR_LIMIT, "a Parquet page of %zu bytes", size);
    }
    if (code != 0) {
        return code;
    }
    nf_thrift_init(&t, w->ctx);
    nf_thrift_i32(&t, 1, 0); /* data page */
    nf_thrift_i32(&t, 2, (int64_t)page->used);
    nf_thrift_i32(&t, 3, (int64_t)size);
    nf_thrift_struct(&t, 5);
    nf_thrift_i32(&t, 1, values);
    nf_thrift_i32(&t, 2, 0); /* PLAIN */
    nf_thrift_i32(&t, 3, 3); /* levels: RLE */
    nf_thrift_i32(&t, 4, 3);
    nf_thrift_end(&t);
    nf_thrift_end(&t);
    code = t.code != 0 ? t.code : nf_out_write(&w->out, t.data, t.used);
    code = code != 0 ? code : nf_out_write(&w->out, data, size);
    chunk->values += values;
    chunk->plain += (int64_t)(t.used + page->used);
    chunk->compressed += (int64_t)(t.used + size);
    nf_thrift_free(&t);
    return code;
}

/* How many of the rows make a page: as many as fit, a multiple of 8 unless they are the last. */
static int64_t page_rows(const netfeat_column *col, int64_t first, int64_t left)
{
    int64_t most = left < PAGE_ROWS ? left : PAGE_ROWS;
    int64_t n = most;

    if (col->offsets != NULL) {
        const int64_t *o = col->offsets + first;
        for (n = 0; n < most && (n < 8 || o[n] - o[0] < PAGE_BYTES); n++) {
        }
    }
    return n;
}

/* Levels of a list: 0 NULL, 1 empty, 2 an item that is NULL, 3 an item. */
static int put_list_levels(nf_bytes *out, const netfeat_column *col, int64_t first, int64_t rows,
                           int64_t *ret_levels)
{
    int64_t n = 0;
    int64_t most = rows + col->offsets[first + rows] - col->offsets[first];
    uint8_t *repeat = nf_alloc(out->ctx, (size_t)most * 2);
    uint8_t *define;
    int code;

    if (repeat == NULL) {
        return nf_ctx_code(out->ctx);
    }
    define = repeat + most;
    for (int64_t row = first; row < first + rows; row++) {
        int64_t from = col->offsets[row];
        int64_t to = nf_column_present(col, row) ? col->offsets[row + 1] : from;
        if (from == to) {
            repeat[n] = 0;
            define[n++] = nf_column_present(col, row);
        }
        for (int64_t i = from; i < to; i++) {
            repeat[n] = i > from;
            define[n++] = nf_column_present(col->child, i) ? 3 : 2;
        }
    }
    code = put_packed(out, repeat, n, 1);
    code = code != 0 ? code : put_packed(out, define, n, 2);
    nf_free(out->ctx, repeat, (size_t)most * 2);
    *ret_levels = n;
    return code;
}

static int put_list_values(nf_bytes *out, const netfeat_column *col, int64_t first, int64_t rows)
{
    int code = NETFEAT_OK;

    if (col->validity == NULL) {
        return put_values(out, col->child, col->offsets[first],
                          col->offsets[first + rows] - col->offsets[first]);
    }
    if (col->child->type == NETFEAT_TYPE_BOOL) { /* bits cannot be put together range by range */
        int64_t last = first;
        for (int64_t row = first; row < first + rows; row++) {
            if (!nf_column_present(col, row) && col->offsets[row + 1] > col->offsets[row]) {
                return nf_error(out->ctx, NETFEAT_ERR_UNSUPPORTED, "NULL lists that have items of type bool");
            }
            last = row + 1;
        }
        return put_values(out, col->child, col->offsets[first], col->offsets[last] - col->offsets[first]);
    }
    for (int64_t row = first; code == 0 && row < first + rows; row++) {
        if (nf_column_present(col, row)) {
            code = put_values(out, col->child, col->offsets[row], col->offsets[row + 1] - col->offsets[row]);
        }
    }
    return code;
}

int nf_parquet_write_chunk(netfeat_writer *w, const netfeat_column *col, int64_t first, int64_t rows,
                           nf_bytes *page, nf_bytes *packed, nf_parquet_chunk *ret)
{
    int64_t end = first + rows;
    int code = NETFEAT_OK;

    memset(ret, 0, sizeof *ret);
    ret->offset = w->out.position;
    do {
        int64_t n = page_rows(col, first, end - first);
        int64_t levels = n;
        page->used = 0;
        if (col->type == NETFEAT_TYPE_LIST) {
            code = put_list_levels(page, col, first, n, &levels);
            code = code != 0 ? code : put_list_values(page, col, first, n);
        } else {
            code = put_validity(page, col, first, n);
            code = code != 0 ? code : put_values(page, col, first, n);
        }
        code = code != 0 ? code : write_page(w, page, levels, packed, ret);
        first += n;
    } while (code == 0 && first < end);
    return code;
}
