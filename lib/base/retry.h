/* retry.h - system calls that a signal may interrupt. */
#ifndef NF_BASE_RETRY_H
#define NF_BASE_RETRY_H

#include <errno.h>

#include "base/context.h"

/* result = call, again after a signal, unless that came with an interrupt of the context: then it fails with EINTR,
   which nf_error_errno() makes CANCELLED. */
#define NF_RETRY(ctx, result, call)                                                                          \
    do {                                                                                                     \
        (result) = (call);                                                                                   \
    } while ((result) < 0 && errno == EINTR && !nf_interrupted(ctx))

#endif
