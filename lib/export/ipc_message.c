/* Frames of IPC messages. */
#include "base/cursor.h"
#include "export/ipc.h"
#include "export/ipc_read.h"
#include "export/ipc_schema.h"

bool nf_ipc_frame(const uint8_t *data, size_t size, size_t *ret_frame, uint32_t *ret_metadata)
{
    if (size < 4) {
        return false;
    }
    *ret_metadata = nf_load_le32(data);
    *ret_frame = 4; /* before version 0.15 there was no mark */
    if (*ret_metadata == NF_IPC_CONTINUES) {
        if (size < 8) {
            return false;
        }
        *ret_metadata = nf_load_le32(data + 4);
        *ret_frame = 8;
    }
    return true;
}

static int cut(netfeat_ctx *ctx, size_t at)
{
    return nf_error_at(ctx, NETFEAT_ERR_TRUNCATED, -1, (int64_t)at,
                       "the input ends in the middle of a message");
}

int nf_ipc_message_at(netfeat_ctx *ctx, const uint8_t *data, size_t size, size_t at, bool partial,
                      nf_ipc_message *ret, size_t *ret_end)
{
    nf_fbr_table t;
    int64_t body;
    size_t frame;
    uint32_t metadata;
    uint64_t version;

    if (!nf_ipc_frame(data + at, size - at, &frame, &metadata)) {
        return cut(ctx, at);
    }
    if (metadata == 0) {
        *ret_end = at + frame;
        return 0;
    }
    if (metadata > INT32_MAX) {
        return nf_error_at(ctx, NETFEAT_ERR_FORMAT, -1, (int64_t)at, "metadata of %lu bytes",
                           (unsigned long)metadata);
    }
    if (metadata > size - at - frame) {
        return cut(ctx, at);
    }
    ret->at = at + frame;
    ret->size = metadata;
    nf_fbr_init(&ret->f, data + ret->at, ret->size);
    t = nf_fbr_root(&ret->f);
    version = nf_fbr_uint(&ret->f, &t, IPC_MESSAGE_VERSION, 2, 0);
    ret->kind = (int)nf_fbr_uint(&ret->f, &t, IPC_MESSAGE_KIND, 1, 0);
    ret->header = nf_fbr_child(&ret->f, &t, IPC_MESSAGE_HEADER);
    body = nf_fbr_int(&ret->f, &t, IPC_MESSAGE_BODY, 8, 0);
    if (ret->f.bad || ret->header.pos == 0 || body < 0) {
        return nf_ipc_broken(ctx, &ret->f, (int64_t)ret->at);
    }
    if (version < NF_IPC_VERSION_MIN || version > NF_IPC_VERSION) {
        return nf_error_at(ctx, NETFEAT_ERR_UNSUPPORTED, -1, (int64_t)at,
                           "metadata version V%u, V4 and V5 are read", (unsigned)version + 1);
    }
    ret->body = ret->at + ret->size;
    ret->body_size = size - ret->body;
    if ((uint64_t)body <= ret->body_size) {
        ret->body_size = (size_t)body;
    } else if (!partial) {
        return cut(ctx, at);
    }
    *ret_end = (uint64_t)body < SIZE_MAX - ret->body ? ret->body + (size_t)body : SIZE_MAX;
    return 1;
}
