/* lz4.c - the lz4 frame format, by liblz4. A frame's blocks have at most 4 MiB, which bounds the memory. The
   functions that take an allocator and give codes are exported, but declared only for those who ask. */
#include "capture/unpack.h"

#include "config.h"

#if NF_HAVE_LZ4

#define LZ4F_STATIC_LINKING_ONLY
#include <lz4frame.h>

/* A call that fails gives nothing of what it has decompressed. Fed with no more than it asks for, the library goes block
   by block, and what is good comes out. It asks for a block with the header of the next one, which may be what is wrong:
   that is fed by itself. */
#define FIRST_BYTES  7 /* of a frame's header, the smallest */
#define HEADER_BYTES 4 /* of a block */

typedef struct {
    LZ4F_dctx *d;
    size_t feed; /* bytes for the next call */
} lz4_state;

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

    lz4_state *z = u->state;

    if (z == NULL) {
        z = nf_unpack_alloc(u, 1, sizeof *z);
        if (z == NULL) {
            return NF_UNPACK_NOMEM;
        }
        u->state = z;
        z->d = LZ4F_createDecompressionContext_advanced(memory, LZ4F_VERSION);
    }
    z->feed = FIRST_BYTES;
    return z->d != NULL ? NF_UNPACK_GO_ON : NF_UNPACK_NOMEM;
}

static int run(nf_unpacker *u)
{
    lz4_state *z = u->state;
    size_t left = (size_t)(u->end - u->at);
    size_t taken = left < z->feed ? left : z->feed;
    size_t made = (size_t)(u->out_end - u->out);
    size_t code = LZ4F_decompress(z->d, u->out, &made, u->at, &taken, NULL);

    if (LZ4F_isError(code)) {
        u->why = LZ4F_getErrorName(code);
        return LZ4F_getErrorCode(code) == LZ4F_ERROR_allocation_failed ? NF_UNPACK_NOMEM : NF_UNPACK_CORRUPT;
    }
    u->at += taken;
    u->out += made;
    z->feed = code > HEADER_BYTES ? code - HEADER_BYTES : code;
    return code == 0 ? NF_UNPACK_MEMBER : NF_UNPACK_GO_ON;
}

static void stop(nf_unpacker *u)
{
    lz4_state *z = u->state;

    if (z != NULL) {
        LZ4F_freeDecompressionContext(z->d);
        nf_unpack_free(u, z);
    }
}

const nf_codec nf_codec_lz4 = {"lz4", "liblz4", start, run, stop};

#else

const nf_codec nf_codec_lz4 = {.name = "lz4", .library = "liblz4"};

#endif
