/* shared_context.h - one context for all executions of a fuzz target: making one costs more than a small input. What an
   execution took from it must be back at its end. */
#ifndef TESTS_FUZZ_SHARED_CONTEXT_H
#define TESTS_FUZZ_SHARED_CONTEXT_H

#include <netfeat/context.h>

#include "require.h"

static uint64_t shared_context_empty; /* bytes of a context that owns nothing */

static inline netfeat_ctx *shared_context(void)
{
    static netfeat_ctx *ctx;

    if (ctx == NULL) {
        REQUIRE(netfeat_ctx_new(&ctx) == 0);
        shared_context_empty = netfeat_ctx_memory_used(ctx);
    }
    return ctx;
}

/* At the end of an execution. */
static inline void shared_context_returned(void)
{
    REQUIRE(netfeat_ctx_memory_used(shared_context()) == shared_context_empty);
}

#endif
