/* feature.h - one function per feature. Input tables are sealed and never changed; the result is new. NULL in
   gives NULL out unless feature.null says otherwise. Every function here is the short form of an encoder
   (encoder.h) or of an accumulator fed with one batch, and gives the same bits. opts may be NULL. */
#ifndef NETFEAT_FEATURE_H
#define NETFEAT_FEATURE_H

#include <netfeat/base.h>

NETFEAT_BEGIN_DECLS

enum { /* features; numbers and names never change, a changed definition is a new version */
       NETFEAT_FEATURE_CUMULATIVE = 1,
       NETFEAT_FEATURE_CUMULATIVE_BYTES = 2,
       NETFEAT_FEATURE_IP_NUMERIC = 3,
       NETFEAT_FEATURE_FREQUENCY = 4,
       NETFEAT_FEATURE_TIMESTAMP = 5,
       NETFEAT_FEATURE_INTERARRIVAL = 6,
       NETFEAT_FEATURE_ONEHOT = 7,
       NETFEAT_FEATURE_ORDINAL = 8,
       NETFEAT_FEATURE_STANDARD_SCALE = 9,
       NETFEAT_FEATURE_MINMAX_SCALE = 10,
       NETFEAT_FEATURE_DESCRIBE = 11,
       NETFEAT_FEATURE_VALUE_COUNTS = 12,
       NETFEAT_FEATURE_INCOMPLETE_ROWS = 13,
       NETFEAT_FEATURE_TCP_FLAGS = 14,
       NETFEAT_FEATURE_IP_PRIVATE = 15,
       NETFEAT_FEATURE_DIRECTION = 16,
       NETFEAT_FEATURE_PORT_CLASS = 17,
       NETFEAT_FEATURE_MIRAI_SYN = 18,
       NETFEAT_FEATURE_PAYLOAD_ENTROPY = 19,
       NETFEAT_FEATURE_PAYLOAD_HISTOGRAM = 20,
       NETFEAT_FEATURE_WINDOW = 21,
       NETFEAT_FEATURE_DAMPED = 22
};

enum {                       /* feature.ip_mode */
       NETFEAT_IP_HILO = 1,  /* two U64 columns, exact 128 bits */
       NETFEAT_IP_F64 = 2,   /* one F64, nearest double: exact for IPv4, rounded for IPv6 */
       NETFEAT_IP_UNIT = 3,  /* one F64 in [0,1), scaled within its family */
       NETFEAT_IP_OCTETS = 4 /* sixteen U8 columns, network order, IPv4 as ::ffff:a.b.c.d */
};
enum { NETFEAT_RESULT_NULL = 0, NETFEAT_RESULT_ZERO = 1, NETFEAT_RESULT_ERROR = 2 };    /* feature.null */
enum { NETFEAT_UNKNOWN_NULL = 1, NETFEAT_UNKNOWN_ZERO = 2, NETFEAT_UNKNOWN_ERROR = 3 }; /* feature.unknown */
enum { NETFEAT_STATISTIC_SHARE = 1, NETFEAT_STATISTIC_COUNT = 2 }; /* feature.statistic */
enum { NETFEAT_PORTS_NOTEBOOK = 1, NETFEAT_PORTS_SERVICES = 2 };   /* feature.ports */
enum {                                                             /* feature.duplicates */
       NETFEAT_DUPLICATES_REFUSE = 0,                              /* two values of one name are ARGUMENT */
       NETFEAT_DUPLICATES_LAST_WINS =
           1,                        /* one column, in the place of the first, set by the last value only */
       NETFEAT_DUPLICATES_SUFFIX = 2 /* name_value for each of them */
};
enum {
    NETFEAT_DIRECTION_OUTBOUND = 1,
    NETFEAT_DIRECTION_INBOUND = 2,
    NETFEAT_DIRECTION_INSIDE = 3,
    NETFEAT_DIRECTION_OUTSIDE = 4
};
enum { NETFEAT_PORT_WELL_KNOWN = 1, NETFEAT_PORT_REGISTERED = 2, NETFEAT_PORT_EPHEMERAL = 3 };

/* ---- catalogue ---- */

/* Walk all features in ascending order: start with 0, ends with 0. */
NETFEAT_API int netfeat_feature_next(int feature);
/* Number of "cumulative_bytes"; NOTFOUND. */
NETFEAT_API int netfeat_feature_by_name(const char *name);
/* Version of the definition, from 1; NOTFOUND. It is part of every state that is saved. */
NETFEAT_API int netfeat_feature_version(int feature);
/* Each of these is NULL for an unknown feature, "" where there is nothing to say. Static strings. */
NETFEAT_API const char *netfeat_feature_name(int feature);
/* Names of the input columns that are taken when none are named, comma separated. */
NETFEAT_API const char *netfeat_feature_inputs(int feature);
NETFEAT_API const char *netfeat_feature_formula(int feature);
NETFEAT_API const char *netfeat_feature_unit(int feature);
/* What sums are divided by. */
NETFEAT_API const char *netfeat_feature_divisor(int feature);
NETFEAT_API const char *netfeat_feature_null_rule(int feature);
/* Names of the options that change the numbers, comma separated; feature.null works for all of them. */
NETFEAT_API const char *netfeat_feature_options(int feature);

/* ---- running values ---- */

/* Running sum of column `value` within rows of equal key columns (n_key 0: the whole table), in row order,
   this row included. U64 for unsigned columns and BOOL, I64 for I64; F64 for F64, compensated as pandas'
   grouped cumsum is. An integer that does not fit is RANGE, never wrap-around. TYPE (not numeric, a LIST key),
   RANGE (no such column), LIMIT (feature.max_groups), STATE (not sealed). */
NETFEAT_API int netfeat_feature_cumulative(netfeat_ctx *ctx, const netfeat_table *tab, int value,
                                           const int *key, size_t n_key, const netfeat_options *opts,
                                           netfeat_column **ret) NETFEAT_MUST_CHECK;
/* The same for the column frame_length, in bytes; NOTFOUND without one. */
NETFEAT_API int netfeat_feature_cumulative_bytes(netfeat_ctx *ctx, const netfeat_table *tab, const int *key,
                                                 size_t n_key, const netfeat_options *opts,
                                                 netfeat_column **ret) NETFEAT_MUST_CHECK;
/* Column `timestamp` minus that of the previous row of the same keys: I64 ns, or F64 s with feature.seconds.
   NULL for the first row, negative where time went back. Differences beyond 63 bits are RANGE. */
NETFEAT_API int netfeat_feature_interarrival(netfeat_ctx *ctx, const netfeat_table *tab, const int *key,
                                             size_t n_key, const netfeat_options *opts,
                                             netfeat_column **ret) NETFEAT_MUST_CHECK;
/* F64: column `timestamp` in units of unit_ns (1 or more), since 1970 or (relative 1) since the first row that
   has a time. The int64 (relative: the exact difference) is rounded to double, then divided. */
NETFEAT_API int netfeat_feature_timestamp(netfeat_ctx *ctx, const netfeat_table *tab, int64_t unit_ns,
                                          int relative, netfeat_column **ret) NETFEAT_MUST_CHECK;

/* ---- numbers out of one column ---- */

/* Addresses (BYTES16, or TEXT by the rule of Python's ipaddress.ip_interface: a prefix gives the network, what
   does not parse gives 0) as numbers, per feature.ip_mode: columns hi, lo; number; unit; octet_0 .. octet_15. */
NETFEAT_API int netfeat_feature_ip_numeric(netfeat_ctx *ctx, netfeat_column *addr,
                                           const netfeat_options *opts,
                                           netfeat_table **ret) NETFEAT_MUST_CHECK;
/* How often each value occurs in this very column: fit and apply of a FREQUENCY encoder. F64, or U64 with
   feature.statistic 2. */
NETFEAT_API int netfeat_feature_frequency(netfeat_ctx *ctx, netfeat_column *col, const netfeat_options *opts,
                                          netfeat_column **ret) NETFEAT_MUST_CHECK;
/* One BOOL column per value: fit and apply of a ONEHOT encoder. */
NETFEAT_API int netfeat_feature_onehot(netfeat_ctx *ctx, netfeat_column *col, const netfeat_options *opts,
                                       netfeat_table **ret) NETFEAT_MUST_CHECK;
/* U32 rank of each value among the column's values in ascending order: fit and apply of an ORDINAL encoder. */
NETFEAT_API int netfeat_feature_ordinal(netfeat_ctx *ctx, netfeat_column *col, const netfeat_options *opts,
                                        netfeat_column **ret) NETFEAT_MUST_CHECK;
/* F64: fit and apply of a STANDARD_SCALE or MINMAX_SCALE encoder. */
NETFEAT_API int netfeat_feature_standard_scale(netfeat_ctx *ctx, netfeat_column *col,
                                               const netfeat_options *opts,
                                               netfeat_column **ret) NETFEAT_MUST_CHECK;
NETFEAT_API int netfeat_feature_minmax_scale(netfeat_ctx *ctx, netfeat_column *col,
                                             const netfeat_options *opts,
                                             netfeat_column **ret) NETFEAT_MUST_CHECK;
/* Nine BOOL columns fin, syn, rst, psh, ack, urg, ece, cwr, ae out of a U16 (or U8) column of flags. */
NETFEAT_API int netfeat_feature_tcp_flags(netfeat_ctx *ctx, netfeat_column *flags,
                                          const netfeat_options *opts,
                                          netfeat_table **ret) NETFEAT_MUST_CHECK;
/* BOOL: 1 for private addresses (RFC 1918, RFC 4193). BYTES16. */
NETFEAT_API int netfeat_feature_ip_private(netfeat_ctx *ctx, netfeat_column *addr,
                                           const netfeat_options *opts,
                                           netfeat_column **ret) NETFEAT_MUST_CHECK;
/* U8: NETFEAT_DIRECTION_* by the places of source and destination. Both BYTES16. */
NETFEAT_API int netfeat_feature_direction(netfeat_ctx *ctx, netfeat_column *src, netfeat_column *dst,
                                          const netfeat_options *opts,
                                          netfeat_column **ret) NETFEAT_MUST_CHECK;
/* U8: NETFEAT_PORT_* (RFC 6335). U16. */
NETFEAT_API int netfeat_feature_port_class(netfeat_ctx *ctx, netfeat_column *port,
                                           const netfeat_options *opts,
                                           netfeat_column **ret) NETFEAT_MUST_CHECK;
/* BOOL: 1 for a TCP SYN without ACK whose sequence number is the IPv4 destination address, as Mirai's scanner
   sends it. Columns tcp_flags, tcp_seq, dst_ip of the table; NOTFOUND without them. */
NETFEAT_API int netfeat_feature_mirai_syn(netfeat_ctx *ctx, const netfeat_table *tab,
                                          const netfeat_options *opts,
                                          netfeat_column **ret) NETFEAT_MUST_CHECK;
/* F64 bits per byte, 0 to 8: entropy of each value of a BYTES column. NULL for an empty one. */
NETFEAT_API int netfeat_feature_payload_entropy(netfeat_ctx *ctx, netfeat_column *payload,
                                                const netfeat_options *opts,
                                                netfeat_column **ret) NETFEAT_MUST_CHECK;
/* U32: bytes of each value of a BYTES column by byte value, in feature.bins (a power of two) columns bin_0 .. */
NETFEAT_API int netfeat_feature_payload_histogram(netfeat_ctx *ctx, netfeat_column *payload,
                                                  const netfeat_options *opts,
                                                  netfeat_table **ret) NETFEAT_MUST_CHECK;

/* ---- tables about tables ---- */

/* One row per numeric column: name, count, nulls, mean, std, min, q25, q50, q75, max. Sums are exact, mean and
   variance rounded once; NaN counts as NULL. Time columns are described in ns. */
NETFEAT_API int netfeat_feature_describe(netfeat_ctx *ctx, const netfeat_table *tab,
                                         netfeat_table **ret) NETFEAT_MUST_CHECK;
/* value, count (U64), share (F64): most frequent first, ties in ascending order of value. */
NETFEAT_API int netfeat_feature_value_counts(netfeat_ctx *ctx, netfeat_column *col,
                                             const netfeat_options *opts,
                                             netfeat_table **ret) NETFEAT_MUST_CHECK;
/* What netfeat_table_complete_rows() with the same columns would drop: one row per column (n 0: all) with name,
   missing (rows where it is NULL), missing_alone (only it); then a row "any" with the rows that go, and a row
   "all" with the rows of the table. */
NETFEAT_API int netfeat_feature_incomplete_rows(netfeat_ctx *ctx, const netfeat_table *tab,
                                                const int *indexes, size_t n,
                                                netfeat_table **ret) NETFEAT_MUST_CHECK;
/* Tumbling windows of feature.window_ns over column `timestamp`: one row per window and keys, ascending:
   window (TIME_NS, its begin), the key columns, count (rows), sum, mean, std of column `value` (numeric),
   distinct (how many values of column `distinct`, which may be -1: no such output column). Rows without a time
   are left out; values that are NULL or NaN are in `count` only. */
NETFEAT_API int netfeat_feature_window(netfeat_ctx *ctx, const netfeat_table *tab, int value, int distinct,
                                       const int *key, size_t n_key, const netfeat_options *opts,
                                       netfeat_table **ret) NETFEAT_MUST_CHECK;
/* Damped incremental statistics: 100 or 115 F64 columns from the packet table's own columns (catalogue:
   inputs); NOTFOUND without one of them. */
NETFEAT_API int netfeat_feature_damped(netfeat_ctx *ctx, const netfeat_table *tab,
                                       const netfeat_options *opts, netfeat_table **ret) NETFEAT_MUST_CHECK;
/* A port map as a table: value (U16) and name, in order. NETFEAT_PORTS_NOTEBOOK, or NETFEAT_PORTS_SERVICES as
   feature.services_file (opts) lists them now. ARGUMENT, NOTFOUND, IO, LIMIT. */
NETFEAT_API int netfeat_feature_ports(netfeat_ctx *ctx, int ports, const netfeat_options *opts,
                                      netfeat_table **ret) NETFEAT_MUST_CHECK;

NETFEAT_END_DECLS

#endif
