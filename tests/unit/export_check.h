/* export_check.h - tables of every type for the export tests, and comparing them. */
#ifndef TESTS_EXPORT_CHECK_H
#define TESTS_EXPORT_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netfeat/arrow_abi.h>
#include <netfeat/netfeat.h>

#include "table/builder.h"
#include "table/table.h"

#define CHECK_COLUMNS 16

/* Deterministic numbers. */
static inline uint64_t check_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static const char *const check_texts[] = {
    "",
    "a",
    "plain text",
    "with,comma",
    "with \"quotes\"",
    "two\nlines",
    "gr\xc3\xb6\xc3\x9f\x65",
    "\xe2\x82\xac",
    "\xf0\x9f\x90\x8d snake",
    "a text that is longer than twelve bytes, so that no view holds it"};

static inline int check_add_value(nf_builder *b, int type, uint64_t r)
{
    uint8_t bytes[32];
    double f = (double)(int64_t)r / 1048576.0;

    switch (type) {
    case NETFEAT_TYPE_BOOL:
        return nf_builder_add_u64(b, r & 1);
    case NETFEAT_TYPE_U8:
        return nf_builder_add_u64(b, r & 0xff);
    case NETFEAT_TYPE_U16:
        return nf_builder_add_u64(b, r & 0xffff);
    case NETFEAT_TYPE_U32:
        return nf_builder_add_u64(b, r & 0xffffffff);
    case NETFEAT_TYPE_U64:
        return nf_builder_add_u64(b, r);
    case NETFEAT_TYPE_I64:
    case NETFEAT_TYPE_TIME_NS:
        return nf_builder_add_i64(b, (int64_t)r);
    case NETFEAT_TYPE_F64:
        return nf_builder_add_f64(b, f);
    case NETFEAT_TYPE_BYTES16:
        memset(bytes, 0, sizeof bytes);
        bytes[10] = bytes[11] = r & 4 ? 0xff : 0;
        bytes[12] = 10;
        bytes[15] = (uint8_t)(r >> 8 & 7);
        return nf_builder_add_bytes(b, bytes, 16);
    case NETFEAT_TYPE_BYTES6:
        memset(bytes, (int)(r >> 5 & 3), sizeof bytes);
        return nf_builder_add_bytes(b, bytes, 6);
    case NETFEAT_TYPE_TEXT:
        return nf_builder_add_bytes(b, check_texts[r % 10], strlen(check_texts[r % 10]));
    default:
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = (uint8_t)(r >> (i % 8));
        }
        return nf_builder_add_bytes(b, bytes, r >> 20 & 31);
    }
}

/* A column of any type but LIST; every fourth row or so is NULL if nulls is set. */
static inline int check_column(netfeat_ctx *ctx, int type, int64_t rows, bool nulls, uint64_t seed,
                               netfeat_column **ret)
{
    uint64_t state = seed;
    nf_builder b;
    int code = 0;

    nf_builder_init(&b, ctx, type);
    for (int64_t i = 0; code == 0 && i < rows; i++) {
        uint64_t r = check_random(&state);
        code = nulls && (r >> 33 & 3) == 0 ? nf_builder_add_null(&b) : check_add_value(&b, type, r);
    }
    code = code != 0 ? code : nf_builder_finish(&b, "packets", "test.column@7", "one row in four", ret);
    nf_builder_free(&b);
    return code;
}

/* A list column; NULL rows are empty. */
static inline int check_list(netfeat_ctx *ctx, int item, int64_t rows, bool nulls, uint64_t seed,
                             netfeat_column **ret)
{
    uint64_t state = seed + 1;
    nf_column_parts parts = {.type = NETFEAT_TYPE_LIST, .length = rows, .nulls = -1};
    int64_t *offsets = NULL;
    int code = nf_buffer_new(ctx, ((size_t)rows + 1) * 8, &parts.offsets_buf);

    code = code != 0 ? code : nf_buffer_new(ctx, (size_t)rows / 8 + 1, &parts.validity_buf);
    if (code == 0) {
        offsets = (int64_t *)(void *)parts.offsets_buf->data;
        memset(parts.validity_buf->data, 0, (size_t)rows / 8 + 1);
        offsets[0] = 0;
        for (int64_t i = 0; i < rows; i++) {
            uint64_t r = check_random(&state);
            bool null = nulls && (r & 3) == 0;
            offsets[i + 1] = offsets[i] + (null ? 0 : (int64_t)(r >> 8 & 3));
            parts.validity_buf->data[i >> 3] =
                (uint8_t)(parts.validity_buf->data[i >> 3] | (null ? 0 : 1) << (i & 7));
        }
        code = check_column(ctx, item, offsets[rows], nulls, seed + 2, &parts.child);
    }
    if (code != 0) {
        nf_buffer_unref(parts.offsets_buf);
        nf_buffer_unref(parts.validity_buf);
        return code;
    }
    parts.offsets = offsets;
    parts.unit = "packets";
    parts.definition = "test.column@7";
    parts.null_rule = "one list in four";
    parts.validity = parts.validity_buf->data;
    return nf_column_make(ctx, &parts, ret);
}

/* One column of each type, and three of lists. */
static inline int check_table(netfeat_ctx *ctx, int64_t rows, bool nulls, netfeat_table **ret)
{
    static const int items[] = {NETFEAT_TYPE_U32, NETFEAT_TYPE_TEXT, NETFEAT_TYPE_BYTES16, NETFEAT_TYPE_BOOL};
    netfeat_column *cols[CHECK_COLUMNS] = {NULL};
    char names[CHECK_COLUMNS][24];
    const char *list[CHECK_COLUMNS];
    int n = 0, code = 0;

    for (int type = NETFEAT_TYPE_BOOL; code == 0 && type <= NETFEAT_TYPE_BYTES6; type++, n++) {
        snprintf(names[n], sizeof names[n], "%s", netfeat_type_name(type));
        code = check_column(ctx, type, rows, nulls, (uint64_t)type, &cols[n]);
    }
    for (size_t i = 0; code == 0 && i < sizeof items / sizeof items[0]; i++, n++) {
        snprintf(names[n], sizeof names[n], "list_%s", netfeat_type_name(items[i]));
        code = check_list(ctx, items[i], rows, nulls, 100 + i, &cols[n]);
    }
    for (int i = 0; i < n; i++) {
        list[i] = names[i];
    }
    code = code != 0 ? code : netfeat_table_from_columns(ctx, list, cols, (size_t)n, ret);
    for (int i = 0; i < CHECK_COLUMNS; i++) {
        netfeat_column_unref(cols[i]);
    }
    return code;
}

/* NULL when equal in all that a reader can see, else what differs. */
static inline const char *check_same_column(const netfeat_column *a, const netfeat_column *b)
{
    static char text[200];
    char va[512], vb[512];

    if (netfeat_column_type(a) != netfeat_column_type(b) ||
        netfeat_column_length(a) != netfeat_column_length(b) ||
        netfeat_column_nulls(a) != netfeat_column_nulls(b)) {
        snprintf(text, sizeof text, "type %d %d, rows %lld %lld, nulls %lld %lld", netfeat_column_type(a),
                 netfeat_column_type(b), (long long)netfeat_column_length(a),
                 (long long)netfeat_column_length(b), (long long)netfeat_column_nulls(a),
                 (long long)netfeat_column_nulls(b));
        return text;
    }
    for (int64_t i = 0; i < netfeat_column_length(a); i++) {
        size_t na, nb;
        int ra = netfeat_column_get_text(a, i, va, sizeof va, &na);
        int rb = netfeat_column_get_text(b, i, vb, sizeof vb, &nb);
        size_t width = (size_t)netfeat_column_value_bytes(a);
        bool bytes_differ = width > 0 && memcmp((const uint8_t *)a->data + (size_t)i * width,
                                                (const uint8_t *)b->data + (size_t)i * width, width) != 0;
        if (ra != rb || na != nb || strcmp(va, vb) != 0 || bytes_differ) {
            snprintf(text, sizeof text, "row %lld: %d %.60s, %d %.60s", (long long)i, ra, va, rb, vb);
            return text;
        }
    }
    return NULL;
}

static inline const char *check_same(const netfeat_table *a, const netfeat_table *b, bool described)
{
    static char text[300];

    if (netfeat_table_rows(a) != netfeat_table_rows(b) || netfeat_table_width(a) != netfeat_table_width(b)) {
        return "another number of rows or columns";
    }
    for (int i = 0; i < netfeat_table_width(a); i++) {
        const netfeat_column *x = netfeat_table_column(a, i), *y = netfeat_table_column(b, i);
        const char *wrong = check_same_column(x, y);
        if (wrong == NULL && strcmp(netfeat_table_name(a, i), netfeat_table_name(b, i)) != 0) {
            wrong = "names";
        }
        if (wrong == NULL && described &&
            (strcmp(x->unit, y->unit) != 0 || strcmp(x->definition, y->definition) != 0 ||
             strcmp(x->null_rule, y->null_rule) != 0)) {
            wrong = "descriptions";
        }
        if (wrong != NULL) {
            snprintf(text, sizeof text, "column %s: %s", netfeat_table_name(a, i), wrong);
            return text;
        }
    }
    return NULL;
}

#endif
