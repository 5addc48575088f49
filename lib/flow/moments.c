#include "flow/moments.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* 256 bits, least significant limb first. */
typedef struct {
    uint64_t limb[4];
} wide;

static wide multiply(nf_u128 a, nf_u128 b)
{
    uint64_t x[2] = {nf_u128_low(a), nf_u128_high(a)};
    uint64_t y[2] = {nf_u128_low(b), nf_u128_high(b)};
    wide w = {{0, 0, 0, 0}};

    for (size_t i = 0; i < 2; i++) {
        uint64_t carry = 0;
        for (size_t j = 0; j < 2; j++) {
            nf_u128 t = nf_u128_add(nf_u128_product(x[i], y[j]), nf_u128_of(w.limb[i + j]));
            t = nf_u128_add(t, nf_u128_of(carry));
            w.limb[i + j] = nf_u128_low(t);
            carry = nf_u128_high(t);
        }
        w.limb[i + 2] = carry;
    }
    return w;
}

/* a - b; false if that is negative (sums of squares that reached their end). */
static bool subtract(wide *a, const wide *b)
{
    uint64_t borrow = 0;

    for (size_t i = 0; i < 4; i++) {
        nf_u128 t = nf_u128_subtract(nf_u128_of(a->limb[i]), nf_u128_of(b->limb[i]));
        t = nf_u128_subtract(t, nf_u128_of(borrow));
        a->limb[i] = nf_u128_low(t);
        borrow = nf_u128_high(t) & 1;
    }
    return borrow == 0;
}

/* Nearest double but for the last bit: 64 leading bits, the rest only as "there is more". */
static double to_double(const wide *w)
{
    int top = 3;
    int shift;
    uint64_t lead;
    bool more = false;

    while (top > 0 && w->limb[top] == 0) {
        top--;
    }
    if (top == 0) {
        return (double)w->limb[0];
    }
    shift = __builtin_clzll(w->limb[top]);
    lead = w->limb[top] << shift;
    if (shift > 0) {
        lead |= w->limb[top - 1] >> (64 - shift);
        more = w->limb[top - 1] << shift != 0;
    } else {
        more = w->limb[top - 1] != 0;
    }
    for (int i = 0; i < top - 1; i++) {
        more = more || w->limb[i] != 0;
    }
    return ldexp((double)(lead | (more ? 1U : 0U)), 64 * top - shift);
}

double nf_mean(nf_i128 sum, uint64_t n)
{
    return nf_i128_double(sum) / (double)n;
}

double nf_variance(nf_i128 sum, nf_u128 squares, uint64_t n)
{
    nf_u128 magnitude = nf_i128_magnitude(sum);
    wide total = multiply(squares, nf_u128_of(n));
    wide square = multiply(magnitude, magnitude);

    if (!subtract(&total, &square)) {
        return 0;
    }
    return to_double(&total) / nf_u128_double(nf_u128_product(n, n - 1));
}

double nf_deviation(nf_i128 sum, nf_u128 squares, uint64_t n)
{
    return sqrt(nf_variance(sum, squares, n));
}
