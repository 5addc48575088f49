/* compress.h - for tests: bytes compressed with whatever libraries the build has. */
#ifndef TESTS_COMPRESS_H
#define TESTS_COMPRESS_H

#include <stdlib.h>

#include "capture_bytes.h"
#include "config.h"

#if NF_HAVE_ZLIB
#include <zlib.h>
#endif
#if NF_HAVE_ZSTD
#include <zstd.h>
#endif
#if NF_HAVE_LZ4
#include <lz4frame.h>
#endif
#if NF_HAVE_XZ
#include <lzma.h>
#endif
#if NF_HAVE_BZIP2
#include <bzlib.h>
#endif

/* Append in compressed as one member. window: bytes of history where the format lets one choose, 0 = usual. */
typedef void (*compress_fn)(bytes *out, const void *in, size_t n, unsigned window_log);

#if NF_HAVE_ZLIB
static inline void compress_gzip(bytes *out, const void *in, size_t n, unsigned window_log)
{
    z_stream z = {0};
    size_t most;
    uint8_t *p;

    (void)window_log;
    if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        abort();
    }
    most = deflateBound(&z, n);
    p = malloc(most);
    z.next_in = (Bytef *)(uintptr_t)in;
    z.avail_in = (uInt)n;
    z.next_out = p;
    z.avail_out = (uInt)most;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
        abort();
    }
    put_bytes(out, p, most - z.avail_out);
    deflateEnd(&z);
    free(p);
}
#endif

#if NF_HAVE_ZSTD
static inline void compress_zstd(bytes *out, const void *in, size_t n, unsigned window_log)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    size_t most = ZSTD_compressBound(n) + 64;
    uint8_t *p = malloc(most);
    ZSTD_inBuffer from = {in, n, 0};
    ZSTD_outBuffer to = {p, most, 0};

    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    if (window_log != 0) {
        ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, (int)window_log);
    }
    while (from.pos < from.size) { /* its size is not told beforehand: the window stays what it is */
        ZSTD_compressStream2(c, &to, &from, ZSTD_e_continue);
    }
    if (ZSTD_compressStream2(c, &to, &from, ZSTD_e_end) != 0) {
        abort();
    }
    put_bytes(out, p, to.pos);
    ZSTD_freeCCtx(c);
    free(p);
}
#endif

#if NF_HAVE_LZ4
static inline void compress_lz4(bytes *out, const void *in, size_t n, unsigned window_log)
{
    LZ4F_preferences_t prefs = {0};
    size_t most;
    size_t size;
    uint8_t *p;

    (void)window_log;
    prefs.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    prefs.frameInfo.blockSizeID = LZ4F_max64KB;
    most = LZ4F_compressFrameBound(n, &prefs);
    p = malloc(most);
    size = LZ4F_compressFrame(p, most, in, n, &prefs);
    if (LZ4F_isError(size)) {
        abort();
    }
    put_bytes(out, p, size);
    free(p);
}
#endif

#if NF_HAVE_XZ
static inline void compress_xz(bytes *out, const void *in, size_t n, unsigned window_log)
{
    lzma_options_lzma options;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    size_t most = lzma_stream_buffer_bound(n);
    size_t size = 0;
    uint8_t *p = malloc(most);

    lzma_lzma_preset(&options, 0);
    if (window_log != 0) {
        options.dict_size = 1U << window_log;
    }
    if (lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC64, NULL, in, n, p, &size, most) != LZMA_OK) {
        abort();
    }
    put_bytes(out, p, size);
    free(p);
}
#endif

#if NF_HAVE_BZIP2
static inline void compress_bzip2(bytes *out, const void *in, size_t n, unsigned window_log)
{
    unsigned size = (unsigned)(n + n / 100 + 600);
    char *p = malloc(size);

    (void)window_log;
    if (BZ2_bzBuffToBuffCompress(p, &size, (char *)(uintptr_t)in, (unsigned)n, 1, 0, 0) != BZ_OK) {
        abort();
    }
    put_bytes(out, p, size);
    free(p);
}
#endif

static const struct {
    const char *name;
    compress_fn compress;
} compressors[] = {
#if NF_HAVE_ZLIB
    {"gzip", compress_gzip},
#endif
#if NF_HAVE_ZSTD
    {"zstd", compress_zstd},
#endif
#if NF_HAVE_LZ4
    {"lz4", compress_lz4},
#endif
#if NF_HAVE_XZ
    {"xz", compress_xz},
#endif
#if NF_HAVE_BZIP2
    {"bzip2", compress_bzip2},
#endif
    {NULL, NULL}, /* also where there is none */
};

#endif
