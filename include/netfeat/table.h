/* table.h - the packet table: one row per packet, one column per header field; and operations on any table.
   A table grows until it is sealed, then it is immutable and may be read from any number of threads. */
#ifndef NETFEAT_TABLE_H
#define NETFEAT_TABLE_H

#include <netfeat/base.h>

NETFEAT_BEGIN_DECLS

/* Empty, unsealed packet table with the columns that table.columns and table.keep_payload name. NOTFOUND (no
   such column), ARGUMENT (a column twice; text of table.tunnels or table.tunnel_ports), NOMEM. opts may be NULL. */
NETFEAT_API int netfeat_table_new(netfeat_ctx *ctx, const netfeat_options *opts,
                                  netfeat_table **ret) NETFEAT_MUST_CHECK;
/* Decode one packet into one new row; packet_number counts from 1. A packet that cannot be decoded still
   becomes a row, with NULLs and a reason in quality. link_type is a LINKTYPE_ number (1 = Ethernet), time_ns
   since 1970 UTC. STATE (sealed), LIMIT (table.max_rows), RANGE (link_type is not 16 bits), NOMEM. */
NETFEAT_API int netfeat_table_append_packet(netfeat_table *tab, int link_type, int64_t time_ns,
                                            uint32_t wire_length, const void *data, uint32_t captured_length);
/* Append up to max_packets (negative: all there are now): how many, 0 = none left; or <0, with every row
   before the error kept (the count of rows says how many). The same source cut into any number of calls gives
   the same rows. */
NETFEAT_API int64_t netfeat_table_append_source(netfeat_table *tab, netfeat_source *src, int64_t max_packets);
/* Freeze: reading is allowed from here on, appending is STATE. Sealing twice is harmless. */
NETFEAT_API int netfeat_table_seal(netfeat_table *tab);
/* new + append all + seal. When the input ends in an error the call fails with it and gives no table: to keep
   the rows before the error, make the three calls. */
NETFEAT_API int netfeat_table_from_source(netfeat_ctx *ctx, netfeat_source *src, const netfeat_options *opts,
                                          netfeat_table **ret) NETFEAT_MUST_CHECK;
/* Sealed table out of existing columns of equal length; columns are shared, names copied. ARGUMENT (lengths
   differ, a name is empty, twice, or not UTF-8), NOMEM. n 0 gives a table without columns and rows. */
NETFEAT_API int netfeat_table_from_columns(netfeat_ctx *ctx, const char *const *names,
                                           netfeat_column *const *cols, size_t n,
                                           netfeat_table **ret) NETFEAT_MUST_CHECK;
NETFEAT_API netfeat_table *netfeat_table_ref(netfeat_table *tab);
NETFEAT_API netfeat_table *netfeat_table_unref(netfeat_table *tab);
/* Rows so far; ARGUMENT if tab is NULL. */
NETFEAT_API int64_t netfeat_table_rows(const netfeat_table *tab);
/* Number of columns; ARGUMENT if tab is NULL. */
NETFEAT_API int netfeat_table_width(const netfeat_table *tab);
/* Name of column index, or NULL. Borrowed from the table. */
NETFEAT_API const char *netfeat_table_name(const netfeat_table *tab, int index);
/* Index of the column with this name; NOTFOUND, ARGUMENT. */
NETFEAT_API int netfeat_table_find(const netfeat_table *tab, const char *name);
/* Column index of a sealed table: borrowed, ref it to keep it longer than the table; NULL if there is none or
   the table is not sealed. */
NETFEAT_API netfeat_column *netfeat_table_column(const netfeat_table *tab, int index);
/* What a file said of its table as a whole, under a key such as "netfeat.version" or "netfeat.definitions"; NULL
   if it said nothing. Operations on rows and columns do not carry it over. Borrowed from the table. */
NETFEAT_API const char *netfeat_table_meta(const netfeat_table *tab, const char *key);
/* What the table holds: "table" unless a file said otherwise. Borrowed from the table. */
NETFEAT_API const char *netfeat_table_kind(const netfeat_table *tab);
/* The functions below take sealed tables (STATE otherwise), leave them unchanged and give a new sealed one.
 */
/* Only these columns, in this order; shares them. RANGE, ARGUMENT (an index twice). */
NETFEAT_API int netfeat_table_select(netfeat_ctx *ctx, const netfeat_table *tab, const int *indexes, size_t n,
                                     netfeat_table **ret) NETFEAT_MUST_CHECK;
/* The columns of both, side by side; shares them. ARGUMENT (row counts differ, a name is in both). */
NETFEAT_API int netfeat_table_join(netfeat_ctx *ctx, const netfeat_table *left, const netfeat_table *right,
                                   netfeat_table **ret) NETFEAT_MUST_CHECK;
/* Rows first .. first + count - 1, values shared, not copied. RANGE. */
NETFEAT_API int netfeat_table_slice(netfeat_ctx *ctx, const netfeat_table *tab, int64_t first, int64_t count,
                                    netfeat_table **ret) NETFEAT_MUST_CHECK;
/* Only the rows where none of these columns is NULL (n 0: none of all columns). RANGE. */
NETFEAT_API int netfeat_table_complete_rows(netfeat_ctx *ctx, const netfeat_table *tab, const int *indexes,
                                            size_t n, netfeat_table **ret) NETFEAT_MUST_CHECK;
/* The rows of all tables, one after the other, copied. The tables have the same columns in the same order:
   ARGUMENT (number or names differ), TYPE (a column differs in type, unit or definition). n 0 gives a table
   without columns and rows. */
NETFEAT_API int netfeat_table_concat(netfeat_ctx *ctx, const netfeat_table *const *tables, size_t n,
                                     netfeat_table **ret) NETFEAT_MUST_CHECK;
/* The listed rows, in the listed order (train/test split, shuffle). RANGE. */
NETFEAT_API int netfeat_table_take(netfeat_ctx *ctx, const netfeat_table *tab, const int64_t *rows, size_t n,
                                   netfeat_table **ret) NETFEAT_MUST_CHECK;
/* A table to give away, with pseudonyms that depend on a secret key of 32 bytes. IP addresses: prefix-preserving
   (Crypto-PAn, as published; IPv4-mapped ones as IPv4), so that hosts of one network still are of one. MAC addresses:
   any other; groups stay groups, broadcast stays. Equal addresses get equal pseudonyms wherever the same key is
   used, so that tables still join. Columns of bytes, text and lists (payload above all) are left out unless
   table.keep_payload is 1; all else (times, lengths, ports) is shared as it is. opts may be NULL. ARGUMENT
   (key_bytes is not 32), UNSUPPORTED (built without nettle), NOMEM. */
NETFEAT_API int netfeat_table_anonymize(netfeat_ctx *ctx, const netfeat_table *tab, const void *key,
                                        size_t key_bytes, const netfeat_options *opts,
                                        netfeat_table **ret) NETFEAT_MUST_CHECK;

NETFEAT_END_DECLS

#endif
