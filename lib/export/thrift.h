/* thrift.h - Thrift's compact protocol, the part that Parquet metadata needs, written. */
#ifndef NF_EXPORT_THRIFT_H
#define NF_EXPORT_THRIFT_H

#include "base/context.h"

enum {
    NF_THRIFT_TRUE = 1,
    NF_THRIFT_FALSE = 2,
    NF_THRIFT_BYTE = 3,
    NF_THRIFT_I32 = 5,
    NF_THRIFT_I64 = 6,
    NF_THRIFT_BINARY = 8,
    NF_THRIFT_LIST = 9,
    NF_THRIFT_STRUCT = 12
};

#define NF_THRIFT_DEPTH 8

typedef struct {
    netfeat_ctx *ctx;
    uint8_t *data;
    size_t used, cap;
    int last[NF_THRIFT_DEPTH]; /* id of the last field written, per struct that is open */
    int depth;
    int code; /* first failure; everything after it does nothing */
} nf_thrift;

/* Open for the fields of the outermost struct. */
void nf_thrift_init(nf_thrift *t, netfeat_ctx *ctx);
void nf_thrift_free(nf_thrift *t);
void nf_thrift_bool(nf_thrift *t, int id, bool value);
void nf_thrift_byte(nf_thrift *t, int id, int value);
void nf_thrift_i32(nf_thrift *t, int id, int64_t value);
void nf_thrift_i64(nf_thrift *t, int id, int64_t value);
void nf_thrift_text(nf_thrift *t, int id, const char *text);
/* A struct as a field; its fields follow, then nf_thrift_end. */
void nf_thrift_struct(nf_thrift *t, int id);
/* A list as a field; its elements follow (structs: nf_thrift_open). */
void nf_thrift_list(nf_thrift *t, int id, int element, size_t count);
/* A struct as an element of a list. */
void nf_thrift_open(nf_thrift *t);
/* End of a struct: also of the outermost, once. */
void nf_thrift_end(nf_thrift *t);
/* Elements of lists. */
void nf_thrift_element_i32(nf_thrift *t, int64_t value);
void nf_thrift_element_text(nf_thrift *t, const char *text);

#endif
