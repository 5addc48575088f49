#include "feature/select.h"

#define PATIENCE 24 /* rounds with guessed pivots; then the range of keys is halved each time */

/* Move keys below pivot (or equal to it, if with_equal) to the front, without branches; returns where they end. */
static size_t partition(uint64_t *keys, size_t lo, size_t hi, uint64_t pivot, int with_equal)
{
    size_t to = lo;

    if (with_equal) {
        for (size_t i = lo; i < hi; i++) {
            uint64_t v = keys[i];
            keys[i] = keys[to];
            keys[to] = v;
            to += v <= pivot;
        }
    } else {
        for (size_t i = lo; i < hi; i++) {
            uint64_t v = keys[i];
            keys[i] = keys[to];
            keys[to] = v;
            to += v < pivot;
        }
    }
    return to;
}

static uint64_t median_of_3(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t lo = a < b ? a : b;
    uint64_t hi = a < b ? b : a;

    return c < lo ? lo : c > hi ? hi : c;
}

/* Half-way between the least and the greatest key, rounded down. */
static uint64_t middle(const uint64_t *keys, size_t lo, size_t hi)
{
    uint64_t least = keys[lo], most = keys[lo];

    for (size_t i = lo; i < hi; i++) {
        least = keys[i] < least ? keys[i] : least;
        most = keys[i] > most ? keys[i] : most;
    }
    return least + (most - least) / 2;
}

/* A guess from nine places, near the wanted rank when the range is long. */
static uint64_t guess(const uint64_t *keys, size_t lo, size_t hi)
{
    size_t step = (hi - lo) / 9;
    const uint64_t *p = keys + lo;

    if (step == 0) {
        return median_of_3(p[0], p[(hi - lo) / 2], p[hi - lo - 1]);
    }
    return median_of_3(median_of_3(p[0], p[step], p[2 * step]),
                       median_of_3(p[3 * step], p[4 * step], p[5 * step]),
                       median_of_3(p[6 * step], p[7 * step], p[8 * step]));
}

void nf_select(uint64_t *keys, size_t lo, size_t hi, size_t rank)
{
    for (int round = 0; hi - lo > 1; round++) {
        uint64_t pivot = round < PATIENCE ? guess(keys, lo, hi) : middle(keys, lo, hi);
        size_t below = partition(keys, lo, hi, pivot, 0);
        size_t upto;
        if (rank < below) {
            hi = below;
            continue;
        }
        upto = partition(keys, below, hi, pivot, 1);
        if (rank < upto) {
            return; /* in the run of keys equal to the pivot */
        }
        lo = upto;
    }
}
