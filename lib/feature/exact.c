#include "feature/exact.h"

#include <math.h>
#include <string.h>

/* ---- large numbers: magnitudes, least digit first ---- */

#define DIGITS_MAX 160 /* squares of the sum of doubles, and the places added for a quotient */
#define PLACES     7 /* digits added below before dividing: more than 64 significant bits whatever the divisor */

typedef struct {
    uint32_t d[DIGITS_MAX];
    int n;
} big;

static void trim(big *b)
{
    while (b->n > 0 && b->d[b->n - 1] == 0) {
        b->n--;
    }
}

static void from_u128(big *b, nf_u128 v, uint64_t high)
{
    for (b->n = 0; b->n < 4; v = nf_u128_right(v, 32)) {
        b->d[b->n++] = (uint32_t)nf_u128_low(v);
    }
    b->d[b->n++] = (uint32_t)high;
    b->d[b->n++] = (uint32_t)(high >> 32);
    trim(b);
}

/* Chunks in canonical form, two's complement in base 2^32 with a signed top; returns whether it is negative. */
static bool from_chunks(big *b, const int64_t *chunks, int n)
{
    bool negative = chunks[n - 1] < 0;
    uint64_t carry = 1;

    for (int i = 0; i < n; i++) {
        uint32_t digit = (uint32_t)chunks[i];
        if (negative) {
            carry += (uint64_t)(uint32_t)~digit;
            digit = (uint32_t)carry;
            carry >>= 32;
        }
        b->d[i] = digit;
    }
    b->n = n;
    trim(b);
    return negative;
}

static void multiply(const big *a, const big *b, big *ret)
{
    memset(ret->d, 0, sizeof ret->d);
    for (int i = 0; i < a->n; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < b->n; j++) {
            carry += (uint64_t)a->d[i] * b->d[j] + ret->d[i + j];
            ret->d[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        ret->d[i + b->n] = (uint32_t)carry;
    }
    ret->n = a->n + b->n;
    trim(ret);
}

static bool is_less(const big *a, const big *b)
{
    if (a->n != b->n) {
        return a->n < b->n;
    }
    for (int i = a->n - 1; i >= 0; i--) {
        if (a->d[i] != b->d[i]) {
            return a->d[i] < b->d[i];
        }
    }
    return false;
}

/* a -= b, or 0 where b is larger: no sums of real values are so, but sums out of a file may be. */
static void subtract(big *a, const big *b)
{
    int64_t borrow = 0;

    if (is_less(a, b)) {
        a->n = 0;
        return;
    }

    for (int i = 0; i < a->n; i++) {
        borrow += (int64_t)a->d[i] - (i < b->n ? (int64_t)b->d[i] : 0);
        a->d[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    trim(a);
}

/* a /= divisor; returns whether something was left over. */
static bool divide(big *a, uint64_t divisor)
{
    uint64_t rest = 0;

    for (int i = a->n - 1; i >= 0; i--) {
        nf_u128 part = nf_u128_make(rest >> 32, rest << 32 | a->d[i]);
        a->d[i] = (uint32_t)nf_u128_low(nf_u128_divide(part, divisor, &rest));
    }
    trim(a);
    return rest != 0;
}

/* Nearest double of a * 2^scale, `sticky` saying that a has a fraction. */
static double to_double(const big *a, bool sticky, int scale)
{
    uint64_t top = 0;
    int bits, shift;

    if (a->n == 0) {
        return 0.0;
    }
    bits = 32 * a->n - __builtin_clz(a->d[a->n - 1]);
    shift = bits > 64 ? bits - 64 : 0; /* bits that do not fit into top */
    for (int i = a->n - 1; i >= 0; i--) {
        int at = 32 * i - shift;
        if (at >= 0) {
            top |= (uint64_t)a->d[i] << at;
        } else if (at > -32) {
            top |= (uint64_t)(a->d[i] >> -at);
            sticky = sticky || (a->d[i] & ((UINT32_C(1) << -at) - 1)) != 0;
        } else {
            sticky = sticky || a->d[i] != 0;
        }
    }
    if (bits >=
        64) { /* the lowest of 64 bits is far below a double's last: it may stand for all that was cut */
        top |= sticky;
    }
    return ldexp((double)top, scale + shift);
}

/* Nearest double of a / (x * y) * 2^scale. */
static double quotient(big *a, uint64_t x, uint64_t y, int scale)
{
    bool sticky;

    memmove(a->d + PLACES, a->d, (size_t)a->n * sizeof a->d[0]);
    memset(a->d, 0, PLACES * sizeof a->d[0]);
    a->n = a->n > 0 ? a->n + PLACES : 0;
    sticky = divide(a, x);
    sticky = divide(a, y) || sticky;
    return to_double(a, sticky, scale - 32 * PLACES);
}

/* (n * squares - sum^2) / (n * (n - 1)) * 2^scale */
static double variance(const big *sum, const big *squares, int64_t count, int scale)
{
    big n, a, b;

    from_u128(&n, nf_u128_of((uint64_t)count), 0);
    multiply(squares, &n, &a);
    multiply(sum, sum, &b);
    subtract(&a, &b);
    return quotient(&a, (uint64_t)count, (uint64_t)count - 1, scale);
}

/* ---- integers ---- */

static bool int_sum(const nf_int_sums *s, big *ret)
{
    from_u128(ret, nf_i128_magnitude(s->sum), 0);
    return nf_i128_is_negative(s->sum);
}

bool nf_int_mean(const nf_int_sums *s, double *ret)
{
    big sum;
    bool negative;

    if (s->count < 1) {
        return false;
    }
    negative = int_sum(s, &sum);
    *ret = quotient(&sum, (uint64_t)s->count, 1, 0);
    *ret = negative ? -*ret : *ret;
    return true;
}

bool nf_int_variance(const nf_int_sums *s, double *ret)
{
    big sum, squares;

    if (s->count < 2) {
        return false;
    }
    int_sum(s, &sum);
    from_u128(&squares, s->squares, s->squares_high);
    *ret = variance(&sum, &squares, s->count, 0);
    return true;
}

/* ---- doubles ---- */

#define UNIT (-1074) /* exponent of the smallest double: the last place of the sum */

static void carry(int64_t *chunks, int n)
{
    int64_t up = 0;

    for (int i = 0; i < n - 1; i++) {
        up += chunks[i];
        chunks[i] = up & INT64_C(0xffffffff);
        up >>= 32;
    }
    chunks[n - 1] += up;
}

void nf_f64_sums_carry(nf_f64_sums *s)
{
    carry(s->sum, NF_F64_SUM_CHUNKS);
    carry(s->squares, NF_F64_SQUARE_CHUNKS);
    s->pending = 0;
}

void nf_f64_sums_add(nf_f64_sums *s, double v)
{
    uint64_t bits, m;
    unsigned e, at;
    nf_u128 x;
    int64_t *c;

    memcpy(&bits, &v, sizeof bits);
    m = bits & UINT64_C(0xfffffffffffff);
    e = (unsigned)(bits >> 52) & 0x7ff;
    s->count++;
    if (e == 0x7ff) {
        *(v > 0 ? &s->plus_infinite : &s->minus_infinite) += 1;
        return;
    }
    m |= (uint64_t)(e != 0) << 52;
    at = e != 0 ? e - 1 : 0; /* v = m * 2^(at + UNIT) */

    x = nf_u128_left(nf_u128_of(m), at & 31);
    c = s->sum + (at >> 5);
    if (v < 0) {
        c[0] -= (int64_t)(uint32_t)nf_u128_low(x);
        c[1] -= (int64_t)(nf_u128_low(x) >> 32);
        c[2] -= (int64_t)(uint32_t)nf_u128_high(x);
    } else {
        c[0] += (int64_t)(uint32_t)nf_u128_low(x);
        c[1] += (int64_t)(nf_u128_low(x) >> 32);
        c[2] += (int64_t)(uint32_t)nf_u128_high(x);
    }

    x = nf_u128_product(m, m);
    at *= 2;
    c = s->squares + (at >> 5);
    at &= 31;
    c[4] += at > 22 ? (int64_t)(uint32_t)nf_u128_low(nf_u128_right(x, 128 - at)) : 0;
    x = nf_u128_left(x, at);
    c[0] += (int64_t)(uint32_t)nf_u128_low(x);
    c[1] += (int64_t)(nf_u128_low(x) >> 32);
    c[2] += (int64_t)(uint32_t)nf_u128_high(x);
    c[3] += (int64_t)(nf_u128_high(x) >> 32);
    if (++s->pending == INT64_C(1) << 30) {
        nf_f64_sums_carry(s);
    }
}

void nf_f64_sums_merge(nf_f64_sums *s, const nf_f64_sums *other)
{
    nf_f64_sums theirs = *other;

    nf_f64_sums_carry(s);
    nf_f64_sums_carry(&theirs);
    s->count += theirs.count;
    s->plus_infinite += theirs.plus_infinite;
    s->minus_infinite += theirs.minus_infinite;
    for (int i = 0; i < NF_F64_SUM_CHUNKS; i++) {
        s->sum[i] += theirs.sum[i];
    }
    for (int i = 0; i < NF_F64_SQUARE_CHUNKS; i++) {
        s->squares[i] += theirs.squares[i];
    }
    nf_f64_sums_carry(s);
}

bool nf_f64_mean(nf_f64_sums *s, double *ret)
{
    big sum;
    bool negative;

    if (s->count < 1 || (s->plus_infinite > 0 && s->minus_infinite > 0)) {
        return false;
    }
    if (s->plus_infinite + s->minus_infinite > 0) {
        *ret = s->plus_infinite > 0 ? HUGE_VAL : -HUGE_VAL;
        return true;
    }
    nf_f64_sums_carry(s);
    negative = from_chunks(&sum, s->sum, NF_F64_SUM_CHUNKS);
    *ret = quotient(&sum, (uint64_t)s->count, 1, UNIT);
    *ret = negative ? -*ret : *ret;
    return true;
}

bool nf_f64_variance(nf_f64_sums *s, double *ret)
{
    big sum, squares;

    if (s->count < 2 || s->plus_infinite + s->minus_infinite > 0) {
        return false;
    }
    nf_f64_sums_carry(s);
    from_chunks(&sum, s->sum, NF_F64_SUM_CHUNKS);
    from_chunks(&squares, s->squares, NF_F64_SQUARE_CHUNKS);
    *ret = variance(&sum, &squares, s->count, 2 * UNIT);
    return true;
}
