/* arrow_type.h - Arrow's types and fields, from whichever side they come (C interface or IPC metadata). */
#ifndef NF_EXPORT_ARROW_TYPE_H
#define NF_EXPORT_ARROW_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/context.h"
#include "table/table.h"

enum {
    NF_ARROW_BOOL = 1,
    NF_ARROW_INT,
    NF_ARROW_FLOAT,
    NF_ARROW_TIME,
    NF_ARROW_FIXED,
    NF_ARROW_TEXT,
    NF_ARROW_BINARY,
    NF_ARROW_LIST
};

typedef struct {
    int kind;
    int bits; /* INT, FLOAT: of a value; TEXT, BINARY, LIST: of an offset, 0 for views */
    bool is_signed;
    int unit;  /* TIME: 0 s, 1 ms, 2 us, 3 ns */
    int width; /* FIXED: bytes */
} nf_arrow_type;

/* The Arrow type of a column type. */
nf_arrow_type nf_arrow_type_of(int type);
/* The column type that takes values of this Arrow type, or 0. */
int nf_arrow_type_target(const nf_arrow_type *t);
/* Same bytes on both sides? */
bool nf_arrow_type_is_native(const nf_arrow_type *t);
/* Bytes per value of fixed-width types, 0 for the others. */
int nf_arrow_type_width(const nf_arrow_type *t);

/* Format string of the C interface. */
const char *nf_arrow_format(int type);
/* False if it is none of ours. */
bool nf_arrow_format_parse(const char *format, nf_arrow_type *ret);

typedef struct nf_arrow_field {
    char *name;
    nf_arrow_type type; /* of the values, dictionary-encoded or not */
    bool encoded;
    nf_arrow_type index;                 /* when encoded */
    int64_t dictionary;                  /* IPC: its id */
    struct nf_arrow_field *item;         /* LIST */
    char *unit, *definition, *null_rule; /* owned, or NULL */
} nf_arrow_field;

typedef struct {
    netfeat_ctx *ctx; /* borrowed */
    nf_arrow_field *fields;
    size_t count;
    nf_meta *meta; /* owned */
    size_t meta_count, meta_cap;
} nf_arrow_schema;

/* Zeroed fields. */
int nf_arrow_schema_init(nf_arrow_schema *s, netfeat_ctx *ctx, size_t count);
void nf_arrow_schema_free(nf_arrow_schema *s);
int nf_arrow_field_set_name(netfeat_ctx *ctx, nf_arrow_field *f, const void *name, size_t size);
/* One pair of the metadata; keys that are not ours are passed over. FORMAT, LIMIT, NOMEM. */
int nf_arrow_field_add_meta(netfeat_ctx *ctx, nf_arrow_field *f, const void *key, size_t key_size,
                            const void *value, size_t value_size);
int nf_arrow_schema_add_meta(nf_arrow_schema *s, const void *key, size_t key_size, const void *value,
                             size_t value_size);

/* The pairs that are written for a column: at most NF_COLUMN_META of them. */
#define NF_COLUMN_META 4
typedef struct {
    const char *key, *value;
} nf_pair;
size_t nf_column_meta(const netfeat_column *col, nf_pair pairs[NF_COLUMN_META]);
/* The pairs that are written for a table: kind, library version, definitions, and what it carried itself.
   Allocated (nf_table_pairs_free); the texts are borrowed from the table, the last one is owned. */
typedef struct {
    netfeat_ctx *ctx;
    nf_pair *pairs;
    size_t count, cap;
    char *definitions;
    size_t definitions_size;
} nf_table_pairs;
int nf_table_pairs_make(netfeat_ctx *ctx, const netfeat_table *tab, nf_table_pairs *ret);
void nf_table_pairs_free(nf_table_pairs *p);

#endif
