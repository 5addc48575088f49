/* column.h - one immutable, contiguous column in Arrow layout; NULLs live in a bitmap, never in magic values.
   A column may be read from any number of threads; row accessors never touch the context's error. */
#ifndef NETFEAT_COLUMN_H
#define NETFEAT_COLUMN_H

#include <netfeat/base.h>

NETFEAT_BEGIN_DECLS

enum { /* column types; values never change */
       NETFEAT_TYPE_BOOL = 1,
       NETFEAT_TYPE_U8 = 2,
       NETFEAT_TYPE_U16 = 3,
       NETFEAT_TYPE_U32 = 4,
       NETFEAT_TYPE_U64 = 5,
       NETFEAT_TYPE_I64 = 6,
       NETFEAT_TYPE_F64 = 7,
       NETFEAT_TYPE_TIME_NS = 8, /* int64, ns since 1970-01-01 UTC */
       NETFEAT_TYPE_BYTES16 = 9, /* IP address in network order, IPv4 as ::ffff:a.b.c.d */
       NETFEAT_TYPE_TEXT = 10,   /* UTF-8 with 64-bit offsets */
       NETFEAT_TYPE_BYTES = 11,  /* binary with 64-bit offsets */
       NETFEAT_TYPE_BYTES6 = 12, /* MAC address */
       NETFEAT_TYPE_LIST = 13    /* sequences of another type, 64-bit offsets into a child column */
};

/* Called once, when the last user of a wrapped buffer is gone; possibly from another thread. */
typedef void (*netfeat_release_fn)(void *user);

/* Add a reference; returns its argument. NULL stays NULL. */
NETFEAT_API netfeat_column *netfeat_column_ref(netfeat_column *col);
/* Drop a reference; always returns NULL. */
NETFEAT_API netfeat_column *netfeat_column_unref(netfeat_column *col);
/* NETFEAT_TYPE_*; ARGUMENT if col is NULL. */
NETFEAT_API int netfeat_column_type(const netfeat_column *col);
/* Number of rows; ARGUMENT if col is NULL. */
NETFEAT_API int64_t netfeat_column_length(const netfeat_column *col);
/* How many of the rows are NULL; ARGUMENT if col is NULL. */
NETFEAT_API int64_t netfeat_column_nulls(const netfeat_column *col);
/* "ns", "bytes", ... or "" (also if col is NULL). Borrowed from the column. */
NETFEAT_API const char *netfeat_column_unit(const netfeat_column *col);
/* What computed it, with the version of its definition ("packet.src_port@1"), or "". Borrowed from the
 * column. */
NETFEAT_API const char *netfeat_column_definition(const netfeat_column *col);
/* When a row of it is NULL, in words, or "". Borrowed from the column. */
NETFEAT_API const char *netfeat_column_null_rule(const netfeat_column *col);
/* First value; rows are value_bytes apart (BOOL: bit-packed; NULL rows hold zeros). NULL if col is NULL or a
   LIST. Borrowed: valid as long as the column lives. */
NETFEAT_API const void *netfeat_column_data(const netfeat_column *col);
/* Bytes per value; 0 for BOOL, TEXT, BYTES, LIST. */
NETFEAT_API int netfeat_column_value_bytes(const netfeat_column *col);
/* Bitmap, least significant bit first, 1 = present; a NULL pointer says that no row is NULL. Borrowed. */
NETFEAT_API const uint8_t *netfeat_column_validity(const netfeat_column *col);
/* length + 1 offsets into data (TEXT, BYTES) or into the child's rows (LIST); NULL otherwise. Borrowed. */
NETFEAT_API const int64_t *netfeat_column_offsets(const netfeat_column *col);
/* Child column of a LIST, else NULL. Borrowed. */
NETFEAT_API netfeat_column *netfeat_column_child(const netfeat_column *col);
/* 1 the row is NULL, 0 it is present, RANGE, ARGUMENT. */
NETFEAT_API int netfeat_column_is_null(const netfeat_column *col, int64_t row);
/* 1 value stored in *ret, 0 the row is NULL (*ret untouched), TYPE, RANGE (row, or the value does not fit).
   Integers, BOOL and TIME_NS; F64 only through get_f64, which takes every numeric type and rounds to the
   nearest double. */
NETFEAT_API int netfeat_column_get_i64(const netfeat_column *col, int64_t row, int64_t *ret);
NETFEAT_API int netfeat_column_get_u64(const netfeat_column *col, int64_t row, uint64_t *ret);
NETFEAT_API int netfeat_column_get_f64(const netfeat_column *col, int64_t row, double *ret);
/* Any type as text: addresses as RFC 5952 prints them (IPv4-mapped as dotted quad), MAC as aa:bb:cc:dd:ee:ff,
   times as ISO 8601 UTC with nine decimals, F64 shortest form that reads back, BYTES as lower-case hex, BOOL
   0/1, LIST as [a, b]. Writes at most size bytes, NUL included, cut at size; *ret_length (may be NULL) is the
   full length without NUL. 1 stored, 0 the row is NULL (buf holds ""), RANGE, ARGUMENT. */
NETFEAT_API int netfeat_column_get_text(const netfeat_column *col, int64_t row, char *buf, size_t size,
                                        size_t *ret_length);
/* Column over the caller's fixed-width buffer, without copying; its bytes stay as they are while the column lives, which
   may keep what it once found out about them. validity may be NULL. release(user), if
   given, is called once when the buffer is no longer used; not when this call fails. TYPE for BOOL and offset
   types, ARGUMENT, NOMEM. Rows that the bitmap marks NULL should hold zeros. */
NETFEAT_API int netfeat_column_wrap(netfeat_ctx *ctx, int type, int64_t length, const void *data,
                                    const uint8_t *validity, netfeat_release_fn release, void *user,
                                    netfeat_column **ret) NETFEAT_MUST_CHECK;
/* The distinct values of a column and which of them each row has: *ret_ids is U32, an index into *ret_values,
   NULL where col is NULL; *ret_values holds each distinct value once, in order of first appearance.
   Fixed-width types, TEXT and BYTES; TYPE for BOOL and LIST, LIMIT above 2^32 - 2 distinct values, NOMEM. */
NETFEAT_API int netfeat_column_dictionary(netfeat_ctx *ctx, netfeat_column *col, netfeat_column **ret_ids,
                                          netfeat_column **ret_values) NETFEAT_MUST_CHECK;
/* The column as TEXT, each value printed as by netfeat_column_get_text; NULL stays NULL. A TEXT column is
 * shared. */
NETFEAT_API int netfeat_column_to_text(netfeat_ctx *ctx, netfeat_column *col,
                                       netfeat_column **ret) NETFEAT_MUST_CHECK;
/* "u16" for NETFEAT_TYPE_U16 and so on, or NULL. Static string. */
NETFEAT_API const char *netfeat_type_name(int type);

NETFEAT_END_DECLS

#endif
