/* exact.h - sums that are exact whatever the order of addition: mean and variance are derived from them once, at
   the end, and rounded once. */
#ifndef NF_FEATURE_EXACT_H
#define NF_FEATURE_EXACT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wide.h"

/* Of integers: the sum fits 127 bits and the sum of squares 192 for any 2^63 values of 64 bits. */
typedef struct {
    int64_t count;
    nf_i128 sum;
    nf_u128 squares;
    uint64_t squares_high;
} nf_int_sums;

static inline void nf_int_sums_square(nf_int_sums *s, nf_u128 q)
{
    s->squares = nf_u128_add(s->squares, q);
    s->squares_high += nf_u128_is_less(s->squares, q);
}

static inline void nf_int_sums_add_u64(nf_int_sums *s, uint64_t v)
{
    s->count++;
    s->sum = nf_i128_add(s->sum, nf_i128_of_u64(v));
    nf_int_sums_square(s, nf_u128_product(v, v));
}

static inline void nf_int_sums_add_i64(nf_int_sums *s, int64_t v)
{
    uint64_t m = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    s->count++;
    s->sum = nf_i128_add(s->sum, nf_i128_of(v));
    nf_int_sums_square(s, nf_u128_product(m, m));
}

/* The value v, below 2^32, `times` times. */
static inline void nf_int_sums_add_many(nf_int_sums *s, uint64_t v, uint64_t times)
{
    s->count += (int64_t)times;
    s->sum = nf_i128_add(s->sum, nf_i128_of_bits(nf_u128_product(v, times)));
    nf_int_sums_square(s, nf_u128_product(v * v, times));
}

static inline void nf_int_sums_merge(nf_int_sums *s, const nf_int_sums *other)
{
    s->count += other->count;
    s->sum = nf_i128_add(s->sum, other->sum);
    s->squares_high += other->squares_high;
    nf_int_sums_square(s, other->squares);
}

/* Of doubles: fixed-point numbers that span all exponents, in chunks of 32 bits with room for carries. */
enum { NF_F64_SUM_CHUNKS = 70, NF_F64_SQUARE_CHUNKS = 138 };
typedef struct {
    int64_t count; /* finite values and infinities, not NaN */
    int64_t plus_infinite, minus_infinite;
    int64_t pending; /* additions since the last carry */
    int64_t sum[NF_F64_SUM_CHUNKS];
    int64_t squares[NF_F64_SQUARE_CHUNKS];
} nf_f64_sums;

/* v is not NaN. */
void nf_f64_sums_add(nf_f64_sums *s, double v);
void nf_f64_sums_merge(nf_f64_sums *s, const nf_f64_sums *other);
/* Bring the chunks into their one canonical form. */
void nf_f64_sums_carry(nf_f64_sums *s);

/* Nearest double of sum / count; false when the count is 0 (or infinities cancel). */
bool nf_int_mean(const nf_int_sums *s, double *ret);
bool nf_f64_mean(nf_f64_sums *s, double *ret);
/* Nearest double of the sample variance, divisor n - 1; false when n < 2 (or a value is infinite). */
bool nf_int_variance(const nf_int_sums *s, double *ret);
bool nf_f64_variance(nf_f64_sums *s, double *ret);

#endif
