/* fmath.h - the two functions that libm computes differently from machine to machine, out of exact IEEE operations
   in a fixed order, so that a model sees the same bits everywhere. Both are within 2 units in the last place. */
#ifndef NF_FEATURE_FMATH_H
#define NF_FEATURE_FMATH_H

#include <math.h>
#include <stdint.h>

/* 2^x for x <= 0. */
static inline double nf_exp2_decay(double x)
{
    double t, p = 1.0;
    int k;

    if (!(x > -1080.0)) {
        return 0.0;
    }
    k = (int)(x - 0.5);
    t = (x - (double)k) * 0.69314718055994530942;
    for (int i = 16; i >= 1; i--) {
        p = 1.0 + p * t / (double)i;
    }
    return ldexp(p, k);
}

/* Base 2 logarithm of n >= 1; exact for powers of two. */
static inline double nf_log2_u64(uint64_t n)
{
    int e;
    double m = frexp((double)n, &e);
    double s, s2, sum = 0.0;

    if (m < 0.70710678118654752440) {
        m *= 2.0;
        e--;
    }
    s = (m - 1.0) / (m + 1.0);
    s2 = s * s;
    for (int i = 23; i >= 1; i -= 2) {
        sum = sum * s2 + 1.0 / (double)i;
    }
    return (double)e + s * sum * 2.88539008177792681472;
}

#endif
