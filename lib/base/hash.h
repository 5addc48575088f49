/* hash.h - keyed hashing of table keys: xxHash's XXH3 with a secret that is random per context, so that
   nobody outside can choose keys that collide. Results of the library never depend on the secret. */
#ifndef NF_BASE_HASH_H
#define NF_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

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

static inline uint64_t nf_hash(const void *secret, const void *key, size_t size)
{
    return XXH3_64bits_withSecret(key, size, secret, NF_SECRET_BYTES);
}

#endif
