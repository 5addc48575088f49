/* Integers of 128 bits in two halves, against known values and, where the compiler has such integers, against those. */
#define NF_WIDE_IN_HALVES
#include "base/wide.h"

#include <criterion/criterion.h>

static bool is_value(nf_u128 a, uint64_t high, uint64_t low)
{
    return nf_u128_high(a) == high && nf_u128_low(a) == low;
}

Test(wide, known_values)
{
    const nf_u128 most = nf_u128_make(UINT64_MAX, UINT64_MAX);
    uint64_t rest;

    cr_expect(is_value(nf_u128_product(UINT64_MAX, UINT64_MAX), UINT64_MAX - 1, 1));
    cr_expect(is_value(nf_u128_product(UINT64_C(1) << 32, UINT64_C(1) << 32), 1, 0));
    cr_expect(is_value(nf_u128_add(most, nf_u128_of(1)), 0, 0));
    cr_expect(is_value(nf_u128_subtract(nf_u128_of(0), nf_u128_of(1)), UINT64_MAX, UINT64_MAX));
    cr_expect(nf_u128_is_less(nf_u128_of(UINT64_MAX), nf_u128_make(1, 0)));
    cr_expect(!nf_u128_is_less(most, most));
    cr_expect(is_value(nf_u128_left(nf_u128_of(1), 127), UINT64_C(1) << 63, 0));
    cr_expect(is_value(nf_u128_left(nf_u128_of(3), 63), 1, UINT64_C(1) << 63));
    cr_expect(is_value(nf_u128_left(most, 0), UINT64_MAX, UINT64_MAX));
    cr_expect(is_value(nf_u128_right(most, 127), 0, 1));
    cr_expect(is_value(nf_u128_right(nf_u128_make(3, 0), 1), 1, UINT64_C(1) << 63));
    cr_expect(is_value(nf_u128_right(nf_u128_make(5, 0), 64), 0, 5));
    cr_expect(is_value(nf_u128_divide(most, UINT64_MAX, &rest), 1, 1));
    cr_expect_eq(rest, 0);
    cr_expect(is_value(nf_u128_divide(most, 10, &rest), UINT64_C(0x1999999999999999),
                       UINT64_C(0x9999999999999999)));
    cr_expect_eq(rest, 5);
    cr_expect_eq(nf_u128_double(most), 0x1p128);
    cr_expect_eq(nf_u128_double(nf_u128_make(1, 0)), 0x1p64);
    /* half-way between two doubles goes to the even one, and a bit more than that goes up */
    cr_expect_eq(nf_u128_double(nf_u128_make(UINT64_C(1) << 53 | 1, 0)), 0x1p117);
    cr_expect_eq(nf_u128_double(nf_u128_make(UINT64_C(1) << 53 | 1, 1)), 0x1.0000000000001p117);
    cr_expect(nf_u128_is_zero(nf_u128_of(0)) && !nf_u128_is_zero(nf_u128_make(1, 0)));
}

Test(wide, signs)
{
    const nf_i128 least = nf_i128_of_bits(nf_u128_make(UINT64_C(1) << 63, 0));

    cr_expect(nf_i128_is_negative(nf_i128_of(-1)) && !nf_i128_is_negative(nf_i128_of(0)));
    cr_expect(is_value(nf_i128_magnitude(nf_i128_of(INT64_MIN)), 0, UINT64_C(1) << 63));
    cr_expect(is_value(nf_i128_magnitude(least), UINT64_C(1) << 63, 0));
    cr_expect_eq(nf_i128_double(least), -0x1p127);
    cr_expect_eq(nf_i128_double(nf_i128_difference(INT64_MIN, INT64_MAX)), -0x1p64);
    cr_expect_eq((int64_t)nf_i128_low(nf_i128_divide(nf_i128_of(-7), 2)), -3);
    cr_expect_eq((int64_t)nf_i128_low(nf_i128_product(-3, 5)), -15);
    cr_expect_eq((int64_t)nf_i128_low(nf_i128_add(nf_i128_of(-9), nf_i128_of_u64(4))), -5);
    cr_expect(nf_i128_fits_i64(nf_i128_of(INT64_MIN)) && nf_i128_fits_i64(nf_i128_of(INT64_MAX)));
    cr_expect(!nf_i128_fits_i64(nf_i128_of_u64(UINT64_C(1) << 63)));
    cr_expect(!nf_i128_fits_i64(nf_i128_difference(INT64_MIN, 1)));
    cr_expect(nf_i128_fits_u64(nf_i128_of_u64(UINT64_MAX)) && !nf_i128_fits_u64(nf_i128_of(-1)));
}

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 native;

static native of(nf_u128 a)
{
    return (native)nf_u128_high(a) << 64 | nf_u128_low(a);
}

/* Of few and of many bits. */
static nf_u128 any(uint64_t *state)
{
    uint64_t v[2];

    for (int i = 0; i < 2; i++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        v[i] = *state >> (*state >> 58);
    }
    return nf_u128_make(v[0], v[1]);
}

Test(wide, as_the_compiler)
{
    uint64_t state = 1;

    for (int i = 0; i < 200000; i++) {
        nf_u128 a = any(&state), b = any(&state);
        uint64_t divisor = nf_u128_low(any(&state)) | 1, rest;
        unsigned n = (unsigned)(state >> 57);
        cr_assert(of(nf_u128_add(a, b)) == of(a) + of(b));
        cr_assert(of(nf_u128_subtract(a, b)) == of(a) - of(b));
        cr_assert(nf_u128_is_less(a, b) == (of(a) < of(b)));
        cr_assert(of(nf_u128_product(nf_u128_low(a), nf_u128_low(b))) ==
                  (native)nf_u128_low(a) * nf_u128_low(b));
        cr_assert(of(nf_u128_left(a, n)) == of(a) << n);
        cr_assert(of(nf_u128_right(a, n)) == of(a) >> n);
        cr_assert(of(nf_u128_divide(a, divisor, &rest)) == of(a) / divisor);
        cr_assert(rest == of(a) % divisor);
        cr_assert(nf_u128_double(a) == (double)of(a));
    }
}
#endif
