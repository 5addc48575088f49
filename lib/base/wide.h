/* wide.h - integers of 128 bits for exact sums: the compiler's where it has them, two halves elsewhere (32-bit machines).
   A plain C expression on nf_u128 or nf_i128 compiles only on the former: use these functions. */
#ifndef NF_BASE_WIDE_H
#define NF_BASE_WIDE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__SIZEOF_INT128__) && !defined(NF_WIDE_IN_HALVES)

__extension__ typedef __int128 nf_i128;
__extension__ typedef unsigned __int128 nf_u128;

static inline nf_u128 nf_u128_of(uint64_t v)
{
    return v;
}

static inline nf_u128 nf_u128_make(uint64_t high, uint64_t low)
{
    return (nf_u128)high << 64 | low;
}

static inline uint64_t nf_u128_low(nf_u128 a)
{
    return (uint64_t)a;
}

static inline uint64_t nf_u128_high(nf_u128 a)
{
    return (uint64_t)(a >> 64);
}

static inline nf_u128 nf_u128_product(uint64_t a, uint64_t b)
{
    return (nf_u128)a * b;
}

/* Modulo 2^128, as are differences. */
static inline nf_u128 nf_u128_add(nf_u128 a, nf_u128 b)
{
    return a + b;
}

static inline nf_u128 nf_u128_subtract(nf_u128 a, nf_u128 b)
{
    return a - b;
}

static inline bool nf_u128_is_less(nf_u128 a, nf_u128 b)
{
    return a < b;
}

/* n below 128. */
static inline nf_u128 nf_u128_left(nf_u128 a, unsigned n)
{
    return a << n;
}

static inline nf_u128 nf_u128_right(nf_u128 a, unsigned n)
{
    return a >> n;
}

static inline nf_u128 nf_u128_divide(nf_u128 a, uint64_t divisor, uint64_t *ret_rest)
{
    *ret_rest = (uint64_t)(a % divisor);
    return a / divisor;
}

/* Nearest double. */
static inline double nf_u128_double(nf_u128 a)
{
    return (double)a;
}

static inline nf_i128 nf_i128_of(int64_t v)
{
    return v;
}

/* The same bits. */
static inline nf_i128 nf_i128_of_bits(nf_u128 a)
{
    return (nf_i128)a;
}

static inline nf_u128 nf_i128_bits(nf_i128 a)
{
    return (nf_u128)a;
}

static inline nf_i128 nf_i128_add(nf_i128 a, nf_i128 b)
{
    return a + b;
}

#else /* two halves */

typedef struct {
    uint64_t low, high;
} nf_u128;
typedef struct {
    nf_u128 bits; /* two's complement */
} nf_i128;

static inline nf_u128 nf_u128_make(uint64_t high, uint64_t low)
{
    nf_u128 a = {low, high};
    return a;
}

static inline nf_u128 nf_u128_of(uint64_t v)
{
    return nf_u128_make(0, v);
}

static inline uint64_t nf_u128_low(nf_u128 a)
{
    return a.low;
}

static inline uint64_t nf_u128_high(nf_u128 a)
{
    return a.high;
}

static inline nf_u128 nf_u128_product(uint64_t a, uint64_t b)
{
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low = a0 * b0;
    uint64_t middle = a1 * b0 + (low >> 32); /* below 2^64: (2^32 - 1)^2 + 2^32 - 1 */
    uint64_t other = a0 * b1 + (uint32_t)middle;

    return nf_u128_make(a1 * b1 + (middle >> 32) + (other >> 32), other << 32 | (uint32_t)low);
}

static inline nf_u128 nf_u128_add(nf_u128 a, nf_u128 b)
{
    uint64_t low = a.low + b.low;

    return nf_u128_make(a.high + b.high + (low < a.low), low);
}

static inline nf_u128 nf_u128_subtract(nf_u128 a, nf_u128 b)
{
    return nf_u128_make(a.high - b.high - (a.low < b.low), a.low - b.low);
}

static inline bool nf_u128_is_less(nf_u128 a, nf_u128 b)
{
    return a.high != b.high ? a.high < b.high : a.low < b.low;
}

static inline nf_u128 nf_u128_left(nf_u128 a, unsigned n)
{
    if (n == 0) {
        return a;
    }
    return n < 64 ? nf_u128_make(a.high << n | a.low >> (64 - n), a.low << n)
                  : nf_u128_make(a.low << (n - 64), 0);
}

static inline nf_u128 nf_u128_right(nf_u128 a, unsigned n)
{
    if (n == 0) {
        return a;
    }
    return n < 64 ? nf_u128_make(a.high >> n, a.low >> n | a.high << (64 - n))
                  : nf_u128_make(0, a.high >> (n - 64));
}

/* Bit by bit: it is done once a value that comes out, not once a packet. */
static inline nf_u128 nf_u128_divide(nf_u128 a, uint64_t divisor, uint64_t *ret_rest)
{
    nf_u128 quotient = nf_u128_make(a.high / divisor, 0);
    uint64_t rest = a.high % divisor;

    for (int i = 63; i >= 0; i--) {
        bool carry = rest >> 63 != 0;
        rest = rest << 1 | (a.low >> i & 1);
        if (carry || rest >= divisor) {
            rest -= divisor;
            quotient.low |= UINT64_C(1) << i;
        }
    }
    *ret_rest = rest;
    return quotient;
}

static inline double nf_u128_double(nf_u128 a)
{
    unsigned shift;
    uint64_t lead;

    if (a.high == 0) {
        return (double)a.low;
    }
    /* 64 leading bits, the rest only as "there is more": a double has 53 */
    shift = 64 - (unsigned)__builtin_clzll(a.high);
    lead = nf_u128_right(a, shift).low;
    return ldexp(
        (double)(lead | (nf_u128_left(a, 128 - shift).high != 0 || nf_u128_left(a, 128 - shift).low != 0)),
        (int)shift);
}

static inline nf_i128 nf_i128_of_bits(nf_u128 a)
{
    nf_i128 v = {a};
    return v;
}

static inline nf_u128 nf_i128_bits(nf_i128 a)
{
    return a.bits;
}

static inline nf_i128 nf_i128_of(int64_t v)
{
    return nf_i128_of_bits(nf_u128_make(v < 0 ? UINT64_MAX : 0, (uint64_t)v));
}

static inline nf_i128 nf_i128_add(nf_i128 a, nf_i128 b)
{
    return nf_i128_of_bits(nf_u128_add(a.bits, b.bits));
}

#endif

static inline bool nf_u128_is_zero(nf_u128 a)
{
    return nf_u128_low(a) == 0 && nf_u128_high(a) == 0;
}

static inline nf_i128 nf_i128_of_u64(uint64_t v)
{
    return nf_i128_of_bits(nf_u128_of(v));
}

static inline bool nf_i128_is_negative(nf_i128 a)
{
    return nf_u128_high(nf_i128_bits(a)) >> 63 != 0;
}

static inline nf_u128 nf_i128_magnitude(nf_i128 a)
{
    nf_u128 bits = nf_i128_bits(a);

    return nf_i128_is_negative(a) ? nf_u128_subtract(nf_u128_of(0), bits) : bits;
}

/* a - b, exact. */
static inline nf_i128 nf_i128_difference(int64_t a, int64_t b)
{
    return nf_i128_of_bits(nf_u128_subtract(nf_i128_bits(nf_i128_of(a)), nf_i128_bits(nf_i128_of(b))));
}

/* It has to fit. */
static inline nf_i128 nf_i128_product(int64_t a, uint64_t b)
{
    nf_u128 product = nf_u128_product(a < 0 ? 0 - (uint64_t)a : (uint64_t)a, b);

    return nf_i128_of_bits(a < 0 ? nf_u128_subtract(nf_u128_of(0), product) : product);
}

/* Towards zero. */
static inline nf_i128 nf_i128_divide(nf_i128 a, uint64_t divisor)
{
    uint64_t rest;
    nf_u128 q = nf_u128_divide(nf_i128_magnitude(a), divisor, &rest);

    return nf_i128_of_bits(nf_i128_is_negative(a) ? nf_u128_subtract(nf_u128_of(0), q) : q);
}

static inline double nf_i128_double(nf_i128 a)
{
    double d = nf_u128_double(nf_i128_magnitude(a));

    return nf_i128_is_negative(a) ? -d : d;
}

/* Its 64 lowest bits. */
static inline uint64_t nf_i128_low(nf_i128 a)
{
    return nf_u128_low(nf_i128_bits(a));
}

static inline bool nf_i128_fits_u64(nf_i128 a)
{
    return nf_u128_high(nf_i128_bits(a)) == 0;
}

static inline bool nf_i128_fits_i64(nf_i128 a)
{
    nf_u128 bits = nf_i128_bits(a);

    return nf_u128_high(bits) == (nf_u128_low(bits) >> 63 != 0 ? UINT64_MAX : 0);
}

#endif
