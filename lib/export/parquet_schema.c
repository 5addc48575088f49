/* Parquet metadata of columns. */
#include "export/parquet.h"

#include "export/compress.h"

enum { REPEAT_REQUIRED = 0, REPEAT_OPTIONAL = 1, REPEAT_REPEATED = 2 };

/* The older form of a logical type, for older readers; -1: there is none. */
static int converted_type(int type)
{
    switch (type) {
    case NETFEAT_TYPE_TEXT:
        return 0;
    case NETFEAT_TYPE_LIST:
        return 3;
    case NETFEAT_TYPE_U8:
        return 11;
    case NETFEAT_TYPE_U16:
        return 12;
    case NETFEAT_TYPE_U32:
        return 13;
    case NETFEAT_TYPE_U64:
        return 14;
    default:
        return -1;
    }
}

static void put_empty(nf_thrift *t, int id)
{
    nf_thrift_struct(t, id);
    nf_thrift_end(t);
}

static void put_logical(nf_thrift *t, int type)
{
    int bits = nf_type_width(type) * 8;

    if (type != NETFEAT_TYPE_TIME_NS && converted_type(type) < 0) {
        return;
    }
    nf_thrift_struct(t, 10);
    if (type == NETFEAT_TYPE_TEXT) {
        put_empty(t, 1);
    } else if (type == NETFEAT_TYPE_LIST) {
        put_empty(t, 3);
    } else if (type == NETFEAT_TYPE_TIME_NS) {
        nf_thrift_struct(t, 8);
        nf_thrift_bool(t, 1, false); /* no zone, as in Arrow: readers cut times with one to microseconds */
        nf_thrift_struct(t, 2);
        put_empty(t, 3); /* nanoseconds */
        nf_thrift_end(t);
        nf_thrift_end(t);
    } else {
        nf_thrift_struct(t, 10);
        nf_thrift_byte(t, 1, bits);
        nf_thrift_bool(t, 2, false);
        nf_thrift_end(t);
    }
    nf_thrift_end(t);
}

static void put_leaf(nf_thrift *t, const char *name, int type)
{
    int physical = nf_parquet_physical(type);

    nf_thrift_open(t);
    nf_thrift_i32(t, 1, physical);
    if (physical == PARQUET_FIXED) {
        nf_thrift_i32(t, 2, nf_type_width(type));
    }
    nf_thrift_i32(t, 3, REPEAT_OPTIONAL);
    nf_thrift_text(t, 4, name);
    if (converted_type(type) >= 0) {
        nf_thrift_i32(t, 6, converted_type(type));
    }
    put_logical(t, type);
    nf_thrift_end(t);
}

static void put_group(nf_thrift *t, const char *name, int repetition, size_t children, int type)
{
    nf_thrift_open(t);
    if (repetition != REPEAT_REQUIRED) {
        nf_thrift_i32(t, 3, repetition);
    }
    nf_thrift_text(t, 4, name);
    nf_thrift_i32(t, 5, (int64_t)children);
    if (type != 0) {
        nf_thrift_i32(t, 6, converted_type(type));
        put_logical(t, type);
    }
    nf_thrift_end(t);
}

void nf_parquet_put_schema(nf_thrift *t, int id, const nf_parquet_column *cols, size_t n)
{
    size_t elements = n + 1;

    for (size_t i = 0; i < n; i++) {
        elements += cols[i].type == NETFEAT_TYPE_LIST ? 2 : 0;
    }
    nf_thrift_list(t, id, NF_THRIFT_STRUCT, elements);
    put_group(t, "schema", REPEAT_REQUIRED, n, 0);
    for (size_t i = 0; i < n; i++) {
        if (cols[i].type == NETFEAT_TYPE_LIST) {
            put_group(t, cols[i].name, REPEAT_OPTIONAL, 1, NETFEAT_TYPE_LIST);
            put_group(t, "list", REPEAT_REPEATED, 1, 0);
            put_leaf(t, "element", cols[i].item);
        } else {
            put_leaf(t, cols[i].name, cols[i].type);
        }
    }
}

void nf_parquet_put_chunk(nf_thrift *t, const nf_parquet_column *col, const nf_parquet_chunk *chunk,
                          int codec)
{
    bool list = col->type == NETFEAT_TYPE_LIST;

    nf_thrift_open(t);
    nf_thrift_i64(t, 2, chunk->offset);
    nf_thrift_struct(t, 3);
    nf_thrift_i32(t, 1, nf_parquet_physical(list ? col->item : col->type));
    nf_thrift_list(t, 2, NF_THRIFT_I32, 2);
    nf_thrift_element_i32(t, 0); /* PLAIN */
    nf_thrift_element_i32(t, 3); /* RLE */
    nf_thrift_list(t, 3, NF_THRIFT_BINARY, list ? 3 : 1);
    nf_thrift_element_text(t, col->name);
    if (list) {
        nf_thrift_element_text(t, "list");
        nf_thrift_element_text(t, "element");
    }
    nf_thrift_i32(t, 4, codec == NF_CODEC_ZSTD ? 6 : 0);
    nf_thrift_i64(t, 5, chunk->values);
    nf_thrift_i64(t, 6, chunk->plain);
    nf_thrift_i64(t, 7, chunk->compressed);
    nf_thrift_i64(t, 9, chunk->offset);
    nf_thrift_end(t);
    nf_thrift_end(t);
}
