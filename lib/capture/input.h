/* input.h - where the bytes of a capture come from. A backend is a read function with its state, or a block
   of memory; a decompressor is a backend that reads from another one. */
#ifndef NF_CAPTURE_INPUT_H
#define NF_CAPTURE_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/context.h"

/* Message of a failed system call; the text of errno is appended. */
#define NF_READ_FAILED "cannot read the capture"

typedef struct {
    /* Up to size (> 0) further bytes to buf: how many; 0 = the input has ended; <0 error, with the context's
       error set, except CANCELLED: somebody interrupted, no byte is lost, and the caller asks
       nf_checkpoint(). */
    int64_t (*read)(void *user, netfeat_ctx *ctx, void *buf, size_t size);
    /* Give user back. Called once; may be NULL. */
    void (*close)(void *user, netfeat_ctx *ctx);
    void *user;
    const void *memory; /* not NULL: the whole input is here, total bytes, and read is not used */
    int64_t total;      /* bytes from here to the end, -1 if unknown; of a decompressor: compressed ones */
    /* Of a decompressor: compressed bytes consumed so far. NULL: what was read is what was consumed. */
    int64_t (*position)(const void *user);
} nf_input;

/* Path, "-" for standard input. NOTFOUND, PERMISSION, IO, NOMEM, LIMIT. */
int nf_input_open_file(netfeat_ctx *ctx, const char *path, nf_input *ret);
/* Duplicate of a descriptor, from its present position. Same errors. */
int nf_input_open_fd(netfeat_ctx *ctx, int fd, nf_input *ret);
/* The caller's bytes, borrowed. */
nf_input nf_input_memory(const void *data, size_t size);
/* Call close, if there is one; zeroed input is fine. */
void nf_input_close(netfeat_ctx *ctx, nf_input *in);

#endif
