/* context.h - memory, log, progress, interruption. A context and everything born from it belong to one thread
   at a time, except sealed tables, columns, and the functions that say so. */
#ifndef NETFEAT_CONTEXT_H
#define NETFEAT_CONTEXT_H

#include <netfeat/base.h>

NETFEAT_BEGIN_DECLS

/* new_size 0 frees; ptr NULL (old_size 0) allocates; returns NULL on failure and then leaves ptr alone.
   Blocks are aligned for any type. Must be thread-safe if sealed tables are released by other threads. */
typedef void *(*netfeat_realloc_fn)(void *user, void *ptr, size_t old_size, size_t new_size);
/* text is one finished line of UTF-8 without a newline, valid during the call only. */
typedef void (*netfeat_log_fn)(void *user, int level, const char *text);
/* Called every few thousand packets with the totals of the running call: packets so far, bytes of input so
   far, and bytes of input in all (-1: unknown). Nonzero stops the call with NETFEAT_ERR_CANCELLED. */
typedef int (*netfeat_progress_fn)(void *user, int64_t packets, int64_t bytes, int64_t total_bytes);

enum { NETFEAT_LOG_ERROR = 1, NETFEAT_LOG_WARN = 2, NETFEAT_LOG_INFO = 3, NETFEAT_LOG_DEBUG = 4 };

/* New context on malloc and free. *ret holds one reference. NOMEM, ARGUMENT (ret is NULL). */
NETFEAT_API int netfeat_ctx_new(netfeat_ctx **ret) NETFEAT_MUST_CHECK;
/* Same, with every allocation of this context and its children going through fn (NULL: malloc and free). */
NETFEAT_API int netfeat_ctx_new_alloc(netfeat_realloc_fn fn, void *user,
                                      netfeat_ctx **ret) NETFEAT_MUST_CHECK;
/* Add a reference; returns its argument. NULL stays NULL. Thread-safe, as is every _ref and _unref. */
NETFEAT_API netfeat_ctx *netfeat_ctx_ref(netfeat_ctx *ctx);
/* Drop a reference; always returns NULL. Children keep the context alive, so the order does not matter. */
NETFEAT_API netfeat_ctx *netfeat_ctx_unref(netfeat_ctx *ctx);
/* Send messages up to max_level (NETFEAT_LOG_*) to fn; fn NULL (the default) means silence. */
NETFEAT_API void netfeat_ctx_set_log(netfeat_ctx *ctx, netfeat_log_fn fn, void *user, int max_level);
/* Install or remove (fn NULL) the progress callback. Calling into the context from it is a STATE error. */
NETFEAT_API void netfeat_ctx_set_progress(netfeat_ctx *ctx, netfeat_progress_fn fn, void *user);
/* Make the running call, or the next one that can take long, return NETFEAT_ERR_CANCELLED; that answer uses
   the request up. Safe from a signal handler and from any thread. NULL does nothing. */
NETFEAT_API void netfeat_ctx_interrupt(netfeat_ctx *ctx);
/* Upper bound in bytes on all live memory of this context; 0 = none (default). A call that would exceed it
   fails with NETFEAT_ERR_LIMIT. ARGUMENT if ctx is NULL. */
NETFEAT_API int netfeat_ctx_set_memory_limit(netfeat_ctx *ctx, uint64_t bytes);
/* Live bytes now. 0 if ctx is NULL. */
NETFEAT_API uint64_t netfeat_ctx_memory_used(const netfeat_ctx *ctx);
/* Highest live bytes so far. 0 if ctx is NULL. */
NETFEAT_API uint64_t netfeat_ctx_memory_peak(const netfeat_ctx *ctx);

NETFEAT_END_DECLS

#endif
