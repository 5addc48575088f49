/* Exact sums, order statistics, and the two functions that replace libm's. */
#include <criterion/criterion.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "feature/exact.h"
#include "feature/fmath.h"
#include "feature/select.h"

static uint64_t random_state = 1;
static uint64_t next(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return random_state ^ random_state >> 29;
}

static nf_f64_sums sums_of(const double *v, int n, int step)
{
    nf_f64_sums s;

    memset(&s, 0, sizeof s);
    for (int i = 0, k = 0; i < n; i++, k = (k + step) % n) {
        nf_f64_sums_add(&s, v[k]);
    }
    return s;
}

Test(feature_exact, doubles)
{
    static const struct {
        double v[5];
        int n;
        double mean, variance;
    } cases[] = {
        {{1, 2, 3, 4, 5}, 5, 3, 2.5},
        {{1e300, 1, -1e300}, 3, 1.0 / 3, HUGE_VAL},
        {{1e16, 1, -1e16, 1}, 4, 0.5, 6.666666666666667e31},
        {{0.1, 0.2, 0.3}, 3, 0.2, 0.009999999999999998},
        {{1e9, 1e9 + 1, 1e9 + 2}, 3, 1e9 + 1, 1},
        {{0, 5e-324, 5e-324, 5e-324}, 4, 5e-324, 0},
        {{DBL_MAX, DBL_MAX}, 2, DBL_MAX, 0},
        {{-7, -7, -7}, 3, -7, 0},
        {{-0.5, -1.5}, 2, -1, 0.5},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int step = 1; step <= (cases[i].n == 4 ? 1 : cases[i].n - 1); step++) {
            nf_f64_sums s = sums_of(cases[i].v, cases[i].n, step);
            double mean = NAN, variance = NAN;
            cr_expect(nf_f64_mean(&s, &mean) && nf_f64_variance(&s, &variance));
            cr_expect_eq(mean, cases[i].mean, "case %zu: %.17g", i, mean);
            cr_expect_eq(variance, cases[i].variance, "case %zu: %.17g", i, variance);
        }
    }
}

Test(feature_exact, order_and_merging_change_nothing)
{
    enum { N = 997 };
    double v[N];
    nf_f64_sums a, b, c;
    double x, y;

    for (int i = 0; i < N; i++) {
        v[i] = ldexp((double)(int64_t)next(), (int)(next() % 200) - 150);
    }
    a = sums_of(v, N, 1);
    b = sums_of(v, N, 313);
    nf_f64_sums_carry(&a);
    nf_f64_sums_carry(&b);
    cr_expect_eq(memcmp(&a, &b, sizeof a), 0);
    b = sums_of(v, 500, 3);
    c = sums_of(v + 500, N - 500, 5);
    nf_f64_sums_merge(&c, &b);
    cr_expect_eq(memcmp(&a, &c, sizeof a), 0);
    nf_f64_sums_add(&c, HUGE_VAL);
    cr_expect(nf_f64_mean(&c, &x) && x == HUGE_VAL);
    cr_expect(!nf_f64_variance(&c, &y));
    nf_f64_sums_add(&c, -HUGE_VAL);
    cr_expect(!nf_f64_mean(&c, &x));
}

Test(feature_exact, integers)
{
    nf_int_sums s = {.count = 0}, t = {.count = 0};
    double v = NAN;

    cr_expect(!nf_int_mean(&s, &v));
    nf_int_sums_add_i64(&s, INT64_MIN);
    cr_expect(nf_int_mean(&s, &v) && v == -0x1p63);
    cr_expect(!nf_int_variance(&s, &v));
    nf_int_sums_add_i64(&s, INT64_MAX);
    cr_expect(nf_int_mean(&s, &v) && v == -0.5);
    cr_expect(nf_int_variance(&s, &v) && v == 0x1p127);
    for (int i = 0; i < 5; i++) { /* squares beyond 128 bits */
        nf_int_sums_add_u64(&t, UINT64_MAX);
    }
    cr_expect(nf_int_variance(&t, &v) && v == 0);
    cr_expect_gt(t.squares_high, 0);
    nf_int_sums_merge(&t, &t);
    cr_expect(nf_int_mean(&t, &v) && v == 0x1p64);
    cr_expect_eq(t.count, 10);
    nf_int_sums u = {.count = 0};
    nf_int_sums_add_many(&u, 3, 4);
    nf_int_sums_add_many(&u, 4294967295U, 1000000);
    cr_expect(nf_int_mean(&u, &v) && v == (12 + 4294967295.0 * 1e6) / 1000004);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

Test(feature_exact, selection)
{
    enum { N = 300 };
    uint64_t keys[N], sorted[N], work[N];

    for (int shape = 0; shape < 6; shape++) {
        for (size_t i = 0; i < N; i++) {
            const uint64_t shapes[] = {next(), next() % 3, i, N - i, 7, i % 2 == 0 ? 0 : UINT64_MAX - i};
            keys[i] = sorted[i] = shapes[shape];
        }
        qsort(sorted, N, sizeof sorted[0], compare);
        for (size_t rank = 0; rank < N; rank++) {
            memcpy(work, keys, sizeof work);
            nf_select(work, 0, N, rank);
            cr_assert_eq(work[rank], sorted[rank], "shape %d rank %zu", shape, rank);
            for (size_t i = 0; i < N; i++) {
                cr_assert(i < rank ? work[i] <= work[rank] : work[i] >= work[rank]);
            }
        }
    }
    static const double in_order[] = {-HUGE_VAL, -1e300, -1, -5e-324, 0, 5e-324, 1, 1e300, HUGE_VAL};
    for (size_t i = 0; i < sizeof in_order / sizeof in_order[0]; i++) {
        cr_expect_eq(nf_f64_of_key(nf_key_of_f64(in_order[i])), in_order[i]);
        cr_expect(i == 0 || nf_key_of_f64(in_order[i - 1]) < nf_key_of_f64(in_order[i]));
    }
}

Test(feature_exact, exp2_and_log2)
{
    for (int i = 0; i < 20000; i++) {
        double x = -(double)(next() >> 11) * 0x1p-53 * (i % 2 == 0 ? 3 : 1000);
        double wanted = exp2(x);
        uint64_t n = next() >> (next() % 63);
        cr_assert_float_eq(nf_exp2_decay(x), wanted, 4 * DBL_EPSILON * wanted, "2^%.17g", x);
        n = n > 0 ? n : 1;
        cr_assert_float_eq(nf_log2_u64(n), log2((double)n), 4e-16 * log2((double)n));
    }
    cr_expect_eq(nf_exp2_decay(0), 1);
    cr_expect_eq(nf_exp2_decay(-10), 0x1p-10);
    cr_expect_eq(nf_exp2_decay(-1e9), 0);
    for (int i = 0; i < 64; i++) {
        cr_expect_eq(nf_log2_u64(UINT64_C(1) << i), i);
    }
}
