/* select.h - order statistics without sorting. */
#ifndef NF_FEATURE_SELECT_H
#define NF_FEATURE_SELECT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Reorder keys[lo .. hi) so that keys[rank] is what sorting would put there, with nothing greater before and
   nothing smaller behind it. Time is linear on any input. */
void nf_select(uint64_t *keys, size_t lo, size_t hi, size_t rank);

/* Doubles (no NaN) and signed integers as keys of the same order, and back. */
static inline uint64_t nf_key_of_f64(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits ^ ((0 - (bits >> 63)) | UINT64_C(1) << 63);
}

static inline double nf_f64_of_key(uint64_t key)
{
    double v;
    key ^= ((key >> 63) - 1) | UINT64_C(1) << 63;
    memcpy(&v, &key, sizeof v);
    return v;
}

#endif
