/* zstd.c - zstd frames (RFC 8878), by libzstd. The function that takes an allocator is exported, but declared only
   for those who ask for what may change. */
#include "capture/unpack.h"

#include "config.h"

#if NF_HAVE_ZSTD

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

/* A call that fails gives nothing of what it has decompressed, be it a whole frame. Fed with no more than it asks for,
   the library goes block by block, and what is good comes out. It asks for a block with the header of the next one, which
   may be what is wrong: that is fed by itself. */
#define FIRST_BYTES  4 /* the magic number */
#define HEADER_BYTES 3 /* of a block */

typedef struct {
    ZSTD_DCtx *d;
    size_t feed; /* bytes for the next call */
} zstd_state;

static void *allocate(void *user, size_t size)
{
    return nf_unpack_alloc(user, 1, size);
}

static void release(void *user, void *p)
{
    nf_unpack_free(user, p);
}

static int window_log(uint64_t bytes)
{
    int log = 0;

    while (bytes >>= 1) {
        log++;
    }
    return log;
}

static int start(nf_unpacker *u)
{
    const ZSTD_customMem memory = {allocate, release, u};
    zstd_state *z = u->state;

    if (z != NULL) {
        z->feed = FIRST_BYTES;
        return ZSTD_isError(ZSTD_DCtx_reset(z->d, ZSTD_reset_session_only)) ? NF_UNPACK_CORRUPT
                                                                            : NF_UNPACK_GO_ON;
    }
    z = nf_unpack_alloc(u, 1, sizeof *z);
    if (z == NULL) {
        return NF_UNPACK_NOMEM;
    }
    u->state = z;
    z->feed = FIRST_BYTES;
    z->d = ZSTD_createDCtx_advanced(memory);
    if (z->d == NULL) {
        return NF_UNPACK_NOMEM;
    }
    return ZSTD_isError(ZSTD_DCtx_setParameter(z->d, ZSTD_d_windowLogMax, window_log(u->limits.max_window)))
               ? NF_UNPACK_REFUSED
               : NF_UNPACK_GO_ON;
}

static int failure(nf_unpacker *u, size_t code)
{
    u->why = ZSTD_getErrorName(code);
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_memory_allocation:
        return NF_UNPACK_NOMEM;
    case ZSTD_error_frameParameter_windowTooLarge:
        return NF_UNPACK_WINDOW;
    case ZSTD_error_version_unsupported:
    case ZSTD_error_frameParameter_unsupported:
    case ZSTD_error_dictionary_wrong:
        return NF_UNPACK_REFUSED;
    default:
        return NF_UNPACK_CORRUPT;
    }
}

static int run(nf_unpacker *u)
{
    zstd_state *z = u->state;
    ZSTD_inBuffer in = {u->at, (size_t)(u->end - u->at), 0};
    ZSTD_outBuffer out = {u->out, (size_t)(u->out_end - u->out), 0};
    size_t code;

    if (in.size > z->feed) {
        in.size = z->feed;
    }
    code = ZSTD_decompressStream(z->d, &out, &in);
    u->at += in.pos;
    u->out += out.pos;
    if (ZSTD_isError(code)) {
        return failure(u, code);
    }
    z->feed = code > HEADER_BYTES ? code - HEADER_BYTES : code;
    return code == 0 ? NF_UNPACK_MEMBER : NF_UNPACK_GO_ON;
}

static void stop(nf_unpacker *u)
{
    zstd_state *z = u->state;

    if (z != NULL) {
        ZSTD_freeDCtx(z->d);
        nf_unpack_free(u, z);
    }
}

const nf_codec nf_codec_zstd = {"zstd", "libzstd", start, run, stop};

#else

const nf_codec nf_codec_zstd = {.name = "zstd", .library = "libzstd"};

#endif
