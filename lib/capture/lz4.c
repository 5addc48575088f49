/* lz4.c - the lz4 frame format, by liblz4. A frame's blocks have at most 4 MiB, which bounds the memory. The
   functions that take an allocator and give codes are exported, but declared only for those who ask. */
#include "capture/unpack.h"

#include "config.h"

#if NF_HAVE_LZ4

#define LZ4F_STATIC_LINKING_ONLY
#include <lz4frame.h>

static void *allocate(void *user, size_t size)
{
    return nf_unpack_alloc(user, 1, size);
}

static void release(void *user, void *p)
{
    nf_unpack_free(user, p);
}

static int start(nf_unpacker *u)
{
    const LZ4F_CustomMem memory = {.customAlloc = allocate, .customFree = release, .opaqueState = u};

    if (u->state == NULL) {
        u->state = LZ4F_createDecompressionContext_advanced(memory, LZ4F_VERSION);
    }
    return u->state != NULL ? NF_UNPACK_GO_ON : NF_UNPACK_NOMEM;
}

static int run(nf_unpacker *u)
{
    size_t taken = (size_t)(u->end - u->at);
    size_t made = (size_t)(u->out_end - u->out);
    size_t code = LZ4F_decompress(u->state, u->out, &made, u->at, &taken, NULL);

    if (LZ4F_isError(code)) {
        u->why = LZ4F_getErrorName(code);
        return LZ4F_getErrorCode(code) == LZ4F_ERROR_allocation_failed ? NF_UNPACK_NOMEM : NF_UNPACK_CORRUPT;
    }
    u->at += taken;
    u->out += made;
    return code == 0 ? NF_UNPACK_MEMBER : NF_UNPACK_GO_ON;
}

static void stop(nf_unpacker *u)
{
    LZ4F_freeDecompressionContext(u->state);
}

const nf_codec nf_codec_lz4 = {"lz4", "liblz4", start, run, stop};

#else

const nf_codec nf_codec_lz4 = {.name = "lz4", .library = "liblz4"};

#endif
