/* feature_build.h - for tests of features: small columns and tables in one line each, and looking at results. */
#ifndef TESTS_FEATURE_BUILD_H
#define TESTS_FEATURE_BUILD_H

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "table/builder.h"

#define NA (-99) /* in lists of small numbers: NULL */

static inline netfeat_column *finish(nf_builder *b)
{
    netfeat_column *col = NULL;
    cr_assert_eq(nf_builder_finish(b, "", "", "", &col), 0);
    return col;
}

static inline netfeat_column *ints(netfeat_ctx *ctx, int type, const int64_t *v, int n)
{
    nf_builder b;

    nf_builder_init(&b, ctx, type);
    for (int i = 0; i < n; i++) {
        int code = v[i] == NA ? nf_builder_add_null(&b)
                   : type == NETFEAT_TYPE_TIME_NS || type == NETFEAT_TYPE_I64
                       ? nf_builder_add_i64(&b, v[i])
                       : nf_builder_add_u64(&b, (uint64_t)v[i]);
        cr_assert_eq(code, 0);
    }
    return finish(&b);
}
#define INTS(ctx, type, ...)                                                                                 \
    ints(ctx, NETFEAT_TYPE_##type, (const int64_t[]){__VA_ARGS__},                                           \
         (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))

static inline netfeat_column *doubles(netfeat_ctx *ctx, const double *v, int n)
{
    nf_builder b;

    nf_builder_init(&b, ctx, NETFEAT_TYPE_F64);
    for (int i = 0; i < n; i++) {
        cr_assert_eq(v[i] == NA ? nf_builder_add_null(&b) : nf_builder_add_f64(&b, v[i]), 0);
    }
    return finish(&b);
}
#define DOUBLES(ctx, ...)                                                                                    \
    doubles(ctx, (const double[]){__VA_ARGS__}, (int)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))

/* NULL pointers are NULL. */
static inline netfeat_column *texts(netfeat_ctx *ctx, int type, const char *const *v, int n)
{
    nf_builder b;

    nf_builder_init(&b, ctx, type);
    for (int i = 0; i < n; i++) {
        cr_assert_eq(v[i] == NULL ? nf_builder_add_null(&b) : nf_builder_add_bytes(&b, v[i], strlen(v[i])),
                     0);
    }
    return finish(&b);
}
#define TEXTS(ctx, type, ...)                                                                                \
    texts(ctx, NETFEAT_TYPE_##type, (const char *const[]){__VA_ARGS__},                                      \
          (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))

/* IPv4 addresses as 32-bit numbers; NA is NULL. */
static inline netfeat_column *ipv4s(netfeat_ctx *ctx, const int64_t *v, int n)
{
    nf_builder b;

    nf_builder_init(&b, ctx, NETFEAT_TYPE_BYTES16);
    for (int i = 0; i < n; i++) {
        uint8_t ip[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};
        for (int k = 0; k < 4; k++) {
            ip[12 + k] = (uint8_t)(v[i] >> (24 - 8 * k));
        }
        cr_assert_eq(v[i] == NA ? nf_builder_add_null(&b) : nf_builder_add_bytes(&b, ip, 16), 0);
    }
    return finish(&b);
}
#define IPV4S(ctx, ...)                                                                                      \
    ipv4s(ctx, (const int64_t[]){__VA_ARGS__},                                                               \
          (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))

/* Takes the columns' references. */
static inline netfeat_table *make_table(netfeat_ctx *ctx, int n, const char *const *names,
                                        netfeat_column *const *cols)
{
    netfeat_table *tab = NULL;

    cr_assert_eq(netfeat_table_from_columns(ctx, names, cols, (size_t)n, &tab), 0, "%s",
                 netfeat_ctx_error_message(ctx));
    for (int i = 0; i < n; i++) {
        netfeat_column_unref(cols[i]);
    }
    return tab;
}

/* A column as text, values separated by blanks, NULL as -. */
static inline const char *as_text(const netfeat_column *col)
{
    static char text[4096];
    size_t n = 0;

    text[0] = '\0';
    for (int64_t i = 0; i < netfeat_column_length(col) && n < sizeof text - 200; i++) {
        char value[128];
        int there = netfeat_column_get_text(col, i, value, sizeof value, NULL);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i > 0 ? " " : "", there > 0 ? value : "-");
    }
    return text;
}

static inline netfeat_column *column_of(const netfeat_table *tab, const char *name)
{
    netfeat_column *col = netfeat_table_column(tab, netfeat_table_find(tab, name));
    cr_assert_not_null(col, "no column %s", name);
    return col;
}

/* A one-column result, looked at and given back. */
#define EXPECT_COLUMN(ctx, call, text)                                                                       \
    do {                                                                                                     \
        netfeat_column *col_ = NULL;                                                                         \
        netfeat_column **ret = &col_;                                                                        \
        int code_ = (call);                                                                                  \
        cr_expect_eq(code_, 0, #call ": %s", netfeat_ctx_error_message(ctx));                                \
        if (code_ == 0) {                                                                                    \
            cr_expect_str_eq(as_text(col_), text, #call ": %s", as_text(col_));                              \
        }                                                                                                    \
        netfeat_column_unref(col_);                                                                          \
    } while (0)

/* A failing call leaves its result alone. */
#define EXPECT_CODE(call, wanted)                                                                            \
    do {                                                                                                     \
        netfeat_column *const untouched_ = (netfeat_column *)(void *)&netfeat_version_string;                \
        netfeat_column *col_ = untouched_;                                                                   \
        netfeat_column **ret = &col_;                                                                        \
        int code_ = (call);                                                                                  \
        cr_expect_eq(code_, wanted, #call ": %s", netfeat_error_name(code_));                                \
        cr_expect_eq(col_, untouched_);                                                                      \
    } while (0)

/* Are two tables the same, bit for bit? Names, types, NULLs, values. */
static inline void expect_same_table(const netfeat_table *a, const netfeat_table *b, const char *what)
{
    cr_assert_eq(netfeat_table_width(a), netfeat_table_width(b), "%s: width", what);
    cr_assert_eq(netfeat_table_rows(a), netfeat_table_rows(b), "%s: rows", what);
    for (int i = 0; i < netfeat_table_width(a); i++) {
        netfeat_column *x = netfeat_table_column(a, i);
        netfeat_column *y = netfeat_table_column(b, i);
        size_t width = (size_t)netfeat_column_value_bytes(x);
        cr_assert_str_eq(netfeat_table_name(a, i), netfeat_table_name(b, i), "%s", what);
        cr_assert_eq(netfeat_column_type(x), netfeat_column_type(y), "%s", what);
        cr_assert_eq(netfeat_column_nulls(x), netfeat_column_nulls(y), "%s: nulls of %s", what,
                     netfeat_table_name(a, i));
        for (int64_t row = 0; row < netfeat_table_rows(a); row++) {
            cr_assert_eq(netfeat_column_is_null(x, row), netfeat_column_is_null(y, row), "%s: %s row %lld",
                         what, netfeat_table_name(a, i), (long long)row);
        }
        if (width > 0 && netfeat_table_rows(a) > 0) {
            cr_assert_eq(
                memcmp(netfeat_column_data(x), netfeat_column_data(y), width * (size_t)netfeat_table_rows(a)),
                0, "%s: %s", what, netfeat_table_name(a, i));
        } else {
            for (int64_t row = 0; row < netfeat_table_rows(a); row++) {
                char p[256], q[256];
                netfeat_column_get_text(x, row, p, sizeof p, NULL);
                netfeat_column_get_text(y, row, q, sizeof q, NULL);
                cr_assert_str_eq(p, q, "%s: %s row %lld", what, netfeat_table_name(a, i), (long long)row);
            }
        }
    }
}

/* Rows first .. first + n - 1. */
static inline netfeat_table *slice(netfeat_ctx *ctx, const netfeat_table *tab, int64_t first, int64_t n)
{
    netfeat_table *out = NULL;
    cr_assert_eq(netfeat_table_slice(ctx, tab, first, n, &out), 0);
    return out;
}

#endif
