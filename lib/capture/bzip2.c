/* bzip2.c - the bzip2 format, by libbz2. Its blocks have at most 900,000 bytes, which bounds the memory. */
#include "capture/unpack.h"

#include "config.h"

#if NF_HAVE_BZIP2

#include <limits.h>

#include <bzlib.h>

static void *allocate(void *user, int n, int size)
{
    return n >= 0 && size >= 0 ? nf_unpack_alloc(user, (size_t)n, (size_t)size) : NULL;
}

static void release(void *user, void *p)
{
    nf_unpack_free(user, p);
}

static int start(nf_unpacker *u)
{
    bz_stream *z = u->state;

    if (z == NULL) {
        z = nf_unpack_alloc(u, 1, sizeof *z);
        if (z == NULL) {
            return NF_UNPACK_NOMEM;
        }
        u->state = z;
    } else {
        BZ2_bzDecompressEnd(z);
    }
    *z = (bz_stream){.bzalloc = allocate, .bzfree = release, .opaque = u};
    return BZ2_bzDecompressInit(z, 0, 0) == BZ_OK ? NF_UNPACK_GO_ON : NF_UNPACK_NOMEM;
}

static unsigned fit(size_t n)
{
    return n < UINT_MAX ? (unsigned)n : UINT_MAX;
}

static int run(nf_unpacker *u)
{
    bz_stream *z = u->state;
    int code;

    z->next_in = (char *)(uintptr_t)u->at; /* not written to, but declared without const */
    z->avail_in = fit((size_t)(u->end - u->at));
    z->next_out = (char *)u->out;
    z->avail_out = fit((size_t)(u->out_end - u->out));
    code = BZ2_bzDecompress(z);
    u->at = (const uint8_t *)z->next_in;
    u->out = (uint8_t *)z->next_out;
    switch (code) {
    case BZ_OK:
        return NF_UNPACK_GO_ON;
    case BZ_STREAM_END:
        return NF_UNPACK_MEMBER;
    case BZ_MEM_ERROR:
        return NF_UNPACK_NOMEM;
    default:
        return NF_UNPACK_CORRUPT;
    }
}

static void stop(nf_unpacker *u)
{
    if (u->state != NULL) {
        BZ2_bzDecompressEnd(u->state); /* says no when Init failed, which is fine */
        nf_unpack_free(u, u->state);
    }
}

const nf_codec nf_codec_bzip2 = {"bzip2", "libbz2", start, run, stop};

#else

const nf_codec nf_codec_bzip2 = {.name = "bzip2", .library = "libbz2"};

#endif
