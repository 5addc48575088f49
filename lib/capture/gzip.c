/* gzip.c - gzip (RFC 1952), by zlib. */
#include "capture/unpack.h"

#include "config.h"

#if NF_HAVE_ZLIB

#include <limits.h>

#define ZLIB_CONST
#include <zlib.h>

#define GZIP_ONLY (MAX_WBITS + 16)

static voidpf allocate(voidpf user, uInt n, uInt size)
{
    return nf_unpack_alloc(user, n, size);
}

static void release(voidpf user, voidpf p)
{
    nf_unpack_free(user, p);
}

static int start(nf_unpacker *u)
{
    z_stream *z = u->state;

    if (z != NULL) {
        return inflateReset(z) == Z_OK ? NF_UNPACK_GO_ON : NF_UNPACK_CORRUPT;
    }
    z = nf_unpack_alloc(u, 1, sizeof *z);
    if (z == NULL) {
        return NF_UNPACK_NOMEM;
    }
    *z = (z_stream){.zalloc = allocate, .zfree = release, .opaque = u};
    if (inflateInit2(z, GZIP_ONLY) != Z_OK) {
        nf_unpack_free(u, z);
        return NF_UNPACK_NOMEM;
    }
    u->state = z;
    return NF_UNPACK_GO_ON;
}

static uInt fit(size_t n)
{
    return n < UINT_MAX ? (uInt)n : UINT_MAX;
}

static int run(nf_unpacker *u)
{
    z_stream *z = u->state;
    int code;

    z->next_in = u->at;
    z->avail_in = fit((size_t)(u->end - u->at));
    z->next_out = u->out;
    z->avail_out = fit((size_t)(u->out_end - u->out));
    code = inflate(z, Z_NO_FLUSH);
    u->at = z->next_in;
    u->out = z->next_out;
    switch (code) {
    case Z_OK:
    case Z_BUF_ERROR:
        return NF_UNPACK_GO_ON;
    case Z_STREAM_END:
        return NF_UNPACK_MEMBER;
    case Z_MEM_ERROR:
        return NF_UNPACK_NOMEM;
    default:
        u->why = z->msg;
        return NF_UNPACK_CORRUPT;
    }
}

static void stop(nf_unpacker *u)
{
    if (u->state != NULL) {
        inflateEnd(u->state);
        nf_unpack_free(u, u->state);
    }
}

const nf_codec nf_codec_gzip = {"gzip", "zlib", start, run, stop};

#else

const nf_codec nf_codec_gzip = {.name = "gzip", .library = "zlib"};

#endif
