/* fmath.h - the two functions that libm computes differently from machine to machine, out of exact IEEE operations
   in a fixed order, so that a model sees the same bits everywhere. Both are within 2 units in the last place. */
#ifndef NF_FEATURE_FMATH_H
#define NF_FEATURE_FMATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* 2^x for x <= 0: powers of two times a Taylor polynomial on [-1/2, 1/2]. */
static inline double nf_exp2_decay(double x)
{
    static const double c[14] = {/* ln(2)^k / k! */
                                 0x1.0000000000000p+0,  0x1.62e42fefa39efp-1,  0x1.ebfbdff82c58fp-3,
                                 0x1.c6b08d704a0c0p-5,  0x1.3b2ab6fba4e77p-7,  0x1.5d87fe78a6731p-10,
                                 0x1.430912f86c787p-13, 0x1.ffcbfc588b0c7p-17, 0x1.62c0223a5c824p-20,
                                 0x1.b5253d395e7c4p-24, 0x1.e4cf5158b8ecap-28, 0x1.e8cac7351bb25p-32,
                                 0x1.c3bd650fc2986p-36, 0x1.816193166d0f9p-40};
    double f, p;
    int64_t k;
    uint64_t bits;

    if (!(x > -1080.0)) {
        return 0.0;
    }
    k = (int64_t)(x - 0.5);
    f = x - (double)k;
    p = c[13];
    for (int i = 12; i >= 0; i--) {
        p = p * f + c[i];
    }
    if (k < -1000) {
        return ldexp(p, (int)k);
    }
    bits = (uint64_t)(k + 1023) << 52;
    memcpy(&f, &bits, sizeof f);
    return p * f;
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
