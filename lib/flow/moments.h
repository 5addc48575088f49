/* moments.h - sums kept exactly in 128 bits; mean and deviation are derived once, at the end, so that no order
   of addition, no batch and no shard can change a bit. */
#ifndef NF_FLOW_MOMENTS_H
#define NF_FLOW_MOMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wide.h"

/* a - b, held at the ends of the range: times of a hostile capture may be anything. */
static inline int64_t nf_difference(int64_t a, int64_t b)
{
    int64_t d;

    if (__builtin_sub_overflow(a, b, &d)) {
        return a < b ? INT64_MIN : INT64_MAX;
    }
    return d;
}

/* a + b, likewise. */
static inline int64_t nf_total(int64_t a, int64_t b)
{
    int64_t t;

    if (__builtin_add_overflow(a, b, &t)) {
        return a < 0 ? INT64_MIN : INT64_MAX;
    }
    return t;
}

/* Sum of squares: stays at its maximum once it would pass it, whatever the order of addition. */
static inline void nf_add_squares(nf_u128 *sum, nf_u128 more)
{
    *sum = nf_u128_add(*sum, more);
    if (nf_u128_is_less(*sum, more)) {
        *sum = nf_u128_make(UINT64_MAX, UINT64_MAX);
    }
}

static inline nf_u128 nf_square(int64_t x)
{
    uint64_t a = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
    return nf_u128_product(a, a);
}

/* A sum that was loaded: far enough from its ends that no number of packets can reach them. */
static inline bool nf_sum_is_sane(nf_i128 sum)
{
    return nf_u128_high(nf_i128_magnitude(sum)) < UINT64_C(1) << (120 - 64);
}

/* sum / n; n > 0. */
double nf_mean(nf_i128 sum, uint64_t n);
/* Sample variance out of n > 1 values: (n * squares - sum^2) / (n * (n - 1)), the difference taken exactly. */
double nf_variance(nf_i128 sum, nf_u128 squares, uint64_t n);
/* Its square root. */
double nf_deviation(nf_i128 sum, nf_u128 squares, uint64_t n);

#endif
