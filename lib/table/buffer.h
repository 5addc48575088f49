/* buffer.h - reference-counted memory behind columns: allocated by the context, or somebody else's with a
 * release. */
#ifndef NF_TABLE_BUFFER_H
#define NF_TABLE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include <netfeat/column.h>

#include "base/context.h"
#include "base/ref.h"

typedef struct nf_buffer {
    nf_ref refs;
    netfeat_ctx *ctx; /* counted reference */
    uint8_t *data;
    size_t size; /* allocated size; 0 for foreign memory */
    netfeat_release_fn release;
    void *user;
} nf_buffer;

/* New buffer of size bytes (0 is fine: data is then a valid pointer to nothing), contents unspecified. */
int nf_buffer_new(netfeat_ctx *ctx, size_t size, nf_buffer **ret);
/* Take over a block of nf_alloc(); on failure the caller keeps it. size 0 and data NULL is fine. */
int nf_buffer_adopt(netfeat_ctx *ctx, void *data, size_t size, nf_buffer **ret);
/* Foreign memory; release(user) is called when the last reference goes (not on failure). */
int nf_buffer_wrap(netfeat_ctx *ctx, const void *data, netfeat_release_fn release, void *user,
                   nf_buffer **ret);
nf_buffer *nf_buffer_ref(nf_buffer *buf);
nf_buffer *nf_buffer_unref(nf_buffer *buf);

#endif
