/* context.h - what the layers above need of a context: memory, the error slot, log, progress, interruption.
 */
#ifndef NF_BASE_CONTEXT_H
#define NF_BASE_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netfeat/context.h>
#include <netfeat/error.h>
#include <netfeat/options.h>

/* Memory. Every block is given back with the size it was asked for. Each allocating call returns NULL on
   failure after setting the context's error (NOMEM, or LIMIT when the context's memory limit is in the way);
   the caller returns nf_ctx_code(ctx). Size 0 is an assertion failure: ask for what you need. */
void *nf_alloc(netfeat_ctx *ctx, size_t size);
void *nf_alloc_zero(netfeat_ctx *ctx, size_t size);
/* Same as nf_alloc, but leaves the error slot alone: for callbacks that other threads may make. */
void *nf_alloc_quiet(netfeat_ctx *ctx, size_t size);
/* n * size with the product checked. */
void *nf_alloc_array(netfeat_ctx *ctx, size_t n, size_t size);
/* Grow or shrink; on failure ptr stays valid. old_size 0 with ptr NULL allocates. new_size must not be 0. */
void *nf_resize(netfeat_ctx *ctx, void *ptr, size_t old_size, size_t new_size);
/* NULL is fine. Thread-safe. */
void nf_free(netfeat_ctx *ctx, void *ptr, size_t size);
/* Charge or give back memory that does not come from the allocator (a mapped file). LIMIT like nf_alloc. */
int nf_charge(netfeat_ctx *ctx, size_t size);
void nf_uncharge(netfeat_ctx *ctx, size_t size);
/* Owned copy of a string of length n, NUL added; free with nf_free(ctx, s, n + 1). */
char *nf_strndup(netfeat_ctx *ctx, const char *s, size_t n);

/* Grow *ptr, an array of *cap elements of `size` bytes, so that it holds at least `need`; 0 or a negative
 * code. */
int nf_grow(netfeat_ctx *ctx, void **ptr, size_t *cap, size_t need, size_t size);

/* Error slot: each returns code, so that a failing line reads `return nf_error(ctx, NETFEAT_ERR_…, "…")`.
   The message is one line without a full stop; packet and offset are -1 when unknown. */
int nf_error(netfeat_ctx *ctx, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
int nf_error_at(netfeat_ctx *ctx, int code, int64_t packet, int64_t offset, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Same with errno; the code is NOTFOUND, PERMISSION or IO, as errno says. The text of errno is appended. */
int nf_error_errno(netfeat_ctx *ctx, int error_number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Add where it happened to the failure already in the slot; returns its code. */
int nf_error_locate(netfeat_ctx *ctx, int64_t packet, int64_t offset);
/* A failure again that was in the slot before, or in another context's. error_number is not appended. */
int nf_error_again(netfeat_ctx *ctx, int code, int error_number, int64_t packet, int64_t offset,
                   const char *message);
/* Put "name: " in front of the message in the slot, unless the name is in it already; returns its code. */
int nf_error_name(netfeat_ctx *ctx, const char *name);
/* Code now in the slot; NETFEAT_ERR_INTERNAL if there is none (so that a failure is never lost). */
int nf_ctx_code(const netfeat_ctx *ctx);

/* Finished line to the log callback, if any and if level is wanted. */
void nf_log(netfeat_ctx *ctx, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Called by every loop that can take long, every few thousand packets: 0, or CANCELLED (error slot set) when
   the caller was interrupted or the progress callback said stop. total_bytes -1: unknown. */
int nf_checkpoint(netfeat_ctx *ctx, int64_t packets, int64_t bytes, int64_t total_bytes);
/* Just the interrupt flag, for waits; does not use the request up. */
bool nf_interrupted(const netfeat_ctx *ctx);

/* Random secret (NF_SECRET_BYTES) of this context for keyed hashing, see hash.h. */
const void *nf_ctx_secret(const netfeat_ctx *ctx);
/* Replace the secret (tests: results must not depend on it). */
void nf_ctx_set_secret_seed(netfeat_ctx *ctx, uint64_t seed);

#endif
