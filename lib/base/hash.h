/* hash.h - keyed hashing of table keys: xxHash's XXH3 with a secret that is random per context, so that
   nobody outside can choose keys that collide. Results of the library never depend on the secret. */
#ifndef NF_BASE_HASH_H
#define NF_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/wide.h"

#define XXH_INLINE_ALL
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wcast-align"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wunused-function"
#include <xxhash.h>
#pragma GCC diagnostic pop

/* XXH3 wants at least 136 bytes of secret. */
#define NF_SECRET_BYTES 192

/* Addresses, the commonest of keys: one wide multiplication under the secret instead of a call. */
static inline uint64_t nf_hash_16(const void *secret, const void *key)
{
    uint64_t s[2], k[2], h;
    nf_u128 product;

    memcpy(s, (const char *)secret + 128, sizeof s);
    memcpy(k, key, sizeof k);
    product = nf_u128_product(k[0] ^ s[0], k[1] ^ s[1]);
    h = nf_u128_low(product) ^ nf_u128_high(product);
    return (h ^ h >> 32) * UINT64_C(0x9E3779B97F4A7C15);
}

/* Both addresses of a packet and what is behind them, in words: the same for each of the three. Out of registers: what
   was just stored in pieces cannot be loaded in words without waiting. */
#define NF_HASH_WORDS 5
static inline uint64_t nf_hash_words(const void *secret, const uint64_t key[NF_HASH_WORDS])
{
    uint64_t s[6], h;
    nf_u128 a, b, c;

    memcpy(s, secret, sizeof s);
    a = nf_u128_product(key[0] ^ s[0], key[1] ^ s[1]);
    b = nf_u128_product(key[2] ^ s[2], key[3] ^ s[3]);
    c = nf_u128_product(key[4] ^ s[4], s[5]);
    h = (nf_u128_low(a) ^ nf_u128_high(a)) + (nf_u128_low(b) ^ nf_u128_high(b)) +
        (nf_u128_low(c) ^ nf_u128_high(c));
    return (h ^ h >> 32) * UINT64_C(0x9E3779B97F4A7C15);
}

static inline uint64_t nf_hash(const void *secret, const void *key, size_t size)
{
    if (size == 16) {
        return nf_hash_16(secret, key);
    }
    return XXH3_64bits_withSecret(key, size, secret, NF_SECRET_BYTES);
}

#endif
