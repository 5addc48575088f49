#include "table/buffer.h"

#include <string.h>

static int make(netfeat_ctx *ctx, void *data, size_t size, nf_buffer **ret)
{
    nf_buffer *buf = nf_alloc_zero(ctx, sizeof *buf);

    if (buf == NULL) {
        return nf_ctx_code(ctx);
    }
    nf_ref_init(&buf->refs);
    buf->ctx = netfeat_ctx_ref(ctx);
    buf->data = data != NULL ? data : (uint8_t *)buf; /* no bytes, but a valid address */
    buf->size = size;
    *ret = buf;
    return NETFEAT_OK;
}

int nf_buffer_adopt(netfeat_ctx *ctx, void *data, size_t size, nf_buffer **ret)
{
    return make(ctx, data, size, ret);
}

int nf_buffer_new(netfeat_ctx *ctx, size_t size, nf_buffer **ret)
{
    void *data = NULL;
    int code;

    if (size > 0) {
        data = nf_alloc(ctx, size);
        if (data == NULL) {
            return nf_ctx_code(ctx);
        }
    }
    code = make(ctx, data, size, ret);
    if (code != 0) {
        nf_free(ctx, data, size);
    }
    return code;
}

int nf_buffer_wrap(netfeat_ctx *ctx, const void *data, netfeat_release_fn release, void *user,
                   nf_buffer **ret)
{
    void *bytes;
    int code;

    memcpy(&bytes, &data, sizeof bytes); /* read-only from here on: columns never write */
    code = make(ctx, bytes, 0, ret);
    if (code == 0) {
        (*ret)->release = release;
        (*ret)->user = user;
    }
    return code;
}

nf_buffer *nf_buffer_ref(nf_buffer *buf)
{
    if (buf != NULL) {
        nf_ref_get(&buf->refs);
    }
    return buf;
}

nf_buffer *nf_buffer_unref(nf_buffer *buf)
{
    netfeat_ctx *ctx;

    if (buf == NULL || !nf_ref_put(&buf->refs)) {
        return NULL;
    }
    ctx = buf->ctx;
    if (buf->size > 0) {
        nf_free(ctx, buf->data, buf->size);
    }
    if (buf->release != NULL) {
        buf->release(buf->user);
    }
    nf_free(ctx, buf, sizeof *buf);
    netfeat_ctx_unref(ctx);
    return NULL;
}
