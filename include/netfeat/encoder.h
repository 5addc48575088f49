/* encoder.h - features that remember: encoders learn, are sealed, and are then applied anywhere; accumulators
   carry their state from batch to batch. Any way of cutting the rows into batches gives the same bits.
   A call that fails after it began to change the state (RANGE, NOMEM, LIMIT) leaves an object that answers STATE
   from then on, because part of a batch would be counted. */
#ifndef NETFEAT_ENCODER_H
#define NETFEAT_ENCODER_H

#include <netfeat/base.h>

NETFEAT_BEGIN_DECLS

/* ---- encoders: FREQUENCY, ONEHOT, ORDINAL, STANDARD_SCALE, MINMAX_SCALE ---- */

/* Encoder of one kind (NETFEAT_FEATURE_*); options are copied. ARGUMENT (no encoder has this number, options
   contradict each other), NOMEM. */
NETFEAT_API int netfeat_encoder_new(netfeat_ctx *ctx, int feature, const netfeat_options *opts,
                                    netfeat_encoder **ret) NETFEAT_MUST_CHECK;
/* Learn from one more column; NULLs are not learned. The first column fixes the type: TYPE for another one.
   STATE (sealed), LIMIT (feature.max_groups), RANGE, NOMEM. */
NETFEAT_API int netfeat_encoder_fit(netfeat_encoder *enc, netfeat_column *col);
/* Learn all that other has learned: the same as having been fitted on its columns, in any order. Both must be
   of the same kind, with the same options, of the same type, neither sealed (STATE); other stays as it is. */
NETFEAT_API int netfeat_encoder_merge(netfeat_encoder *enc, const netfeat_encoder *other);
/* Stop learning; from here on the encoder may be applied by any number of threads. Twice is harmless. LIMIT
   (feature.max_categories). */
NETFEAT_API int netfeat_encoder_seal(netfeat_encoder *enc);
/* Encode a column by what was learned; ctx is the calling thread's. The columns of *ret are named after the
   feature, or after the values (onehot). STATE (not sealed), TYPE (not the type learned), RANGE (a value is
   unknown, or NULL, and the options say error). */
NETFEAT_API int netfeat_encoder_apply(netfeat_ctx *ctx, netfeat_encoder *enc, netfeat_column *col,
                                      netfeat_table **ret) NETFEAT_MUST_CHECK;
/* What was learned, for people. FREQUENCY: value, count, share, most frequent first, ties ascending. ORDINAL:
   value, rank. ONEHOT: value, name. STANDARD_SCALE, MINMAX_SCALE: count, mean, std, min, max. STATE (not
   sealed). */
NETFEAT_API int netfeat_encoder_mapping(netfeat_ctx *ctx, netfeat_encoder *enc,
                                        netfeat_table **ret) NETFEAT_MUST_CHECK;
/* The whole state, sealed or not, as a table that can be saved as any table: columns step, item, type
   and data. Format and definition versions are in it. */
NETFEAT_API int netfeat_encoder_to_table(netfeat_ctx *ctx, const netfeat_encoder *enc,
                                         netfeat_table **ret) NETFEAT_MUST_CHECK;
/* And back; the table may come from a stranger, everything is checked. FORMAT, UNSUPPORTED (another version). */
NETFEAT_API int netfeat_encoder_from_table(netfeat_ctx *ctx, const netfeat_table *tab,
                                           netfeat_encoder **ret) NETFEAT_MUST_CHECK;
NETFEAT_API netfeat_encoder *netfeat_encoder_ref(netfeat_encoder *enc);
NETFEAT_API netfeat_encoder *netfeat_encoder_unref(netfeat_encoder *enc);

/* ---- accumulators: CUMULATIVE, CUMULATIVE_BYTES, INTERARRIVAL, TIMESTAMP, WINDOW, DAMPED ---- */

enum {                            /* counters of an accumulator */
       NETFEAT_COUNT_ROWS = 1,    /* rows pushed */
       NETFEAT_COUNT_KEYS = 2,    /* keys remembered now */
       NETFEAT_COUNT_EVICTED = 3, /* keys forgotten to stay within the limit */
       NETFEAT_COUNT_LATE = 4     /* WINDOW: rows that came after their window was closed */
};

/* inputs: names of the columns that are looked for in every batch (n 0: the catalogue's); for CUMULATIVE the
   value, then the keys; CUMULATIVE_BYTES and INTERARRIVAL: frame_length or timestamp, then the keys; WINDOW:
   timestamp, value, (feature.distinct 1) the column counted, then the keys. ARGUMENT, NOMEM. */
NETFEAT_API int netfeat_accumulator_new(netfeat_ctx *ctx, int feature, const char *const *inputs, size_t n,
                                        const netfeat_options *opts,
                                        netfeat_accumulator **ret) NETFEAT_MUST_CHECK;
/* Feed one sealed table. *ret: one row per row of it, or (WINDOW) one row per window that closed. NOTFOUND (an
   input is missing), TYPE, RANGE, LIMIT, STATE. */
NETFEAT_API int netfeat_accumulator_push(netfeat_accumulator *acc, const netfeat_table *tab,
                                         netfeat_table **ret) NETFEAT_MUST_CHECK;
/* WINDOW: close every window that is open; the windows come as a table, and the state is empty. Other kinds:
   ARGUMENT. */
NETFEAT_API int netfeat_accumulator_finish(netfeat_accumulator *acc, netfeat_table **ret) NETFEAT_MUST_CHECK;
/* Go on as if the rows of both had been pushed into one. Sums and windows merge in any order; INTERARRIVAL and
   TIMESTAMP go by row numbers (feature.first_row), whose ranges must not overlap (ARGUMENT). UNSUPPORTED where
   no merge can be exact: DAMPED, and F64 values. */
NETFEAT_API int netfeat_accumulator_merge(netfeat_accumulator *acc, const netfeat_accumulator *other);
/* NETFEAT_COUNT_*; ARGUMENT. */
NETFEAT_API int64_t netfeat_accumulator_count(const netfeat_accumulator *acc, int which);
/* As for encoders. */
NETFEAT_API int netfeat_accumulator_to_table(netfeat_ctx *ctx, const netfeat_accumulator *acc,
                                             netfeat_table **ret) NETFEAT_MUST_CHECK;
NETFEAT_API int netfeat_accumulator_from_table(netfeat_ctx *ctx, const netfeat_table *tab,
                                               netfeat_accumulator **ret) NETFEAT_MUST_CHECK;
NETFEAT_API netfeat_accumulator *netfeat_accumulator_ref(netfeat_accumulator *acc);
NETFEAT_API netfeat_accumulator *netfeat_accumulator_unref(netfeat_accumulator *acc);

NETFEAT_END_DECLS

#endif
