#include "export/compress.h"

#include <stdint.h>
#include <string.h>

#include "config.h"

#if NF_HAVE_ZSTD
#include <zstd.h>
#include <zstd_errors.h>
#endif
#if NF_HAVE_LZ4
#define LZ4F_STATIC_LINKING_ONLY /* codes of errors: exported, but declared only so */
#include <lz4frame.h>
#endif

#include "export/outgoing.h"

#define ZSTD_LEVEL 1

bool nf_codec_is_built(int codec)
{
    return codec == NF_CODEC_NONE || (codec == NF_CODEC_LZ4 && NF_HAVE_LZ4) ||
           (codec == NF_CODEC_ZSTD && NF_HAVE_ZSTD);
}

int nf_codec_of(netfeat_ctx *ctx, const netfeat_options *opts, int automatic)
{
    static const char *const words[] = {"none", "lz4", "zstd", "auto", NULL};
    int codec = nf_option_word(ctx, opts, NETFEAT_OPT_IO_COMPRESSION, words);

    if (codec == 3) {
        return nf_codec_is_built(automatic) ? automatic : NF_CODEC_NONE;
    }
    if (codec >= 0 && !nf_codec_is_built(codec)) {
        return nf_error(ctx, NETFEAT_ERR_UNSUPPORTED, "this build has no %s",
                        codec == NF_CODEC_ZSTD ? "zstd" : "lz4");
    }
    return codec;
}

size_t nf_compress_bound(int codec, size_t size)
{
#if NF_HAVE_ZSTD
    if (codec == NF_CODEC_ZSTD) {
        return ZSTD_compressBound(size);
    }
#endif
#if NF_HAVE_LZ4
    if (codec == NF_CODEC_LZ4) {
        return LZ4F_compressFrameBound(size, NULL);
    }
#endif
    (void)codec;
    return size;
}

int nf_compress(netfeat_ctx *ctx, int codec, const void *src, size_t size, void *dst, size_t room,
                size_t *ret)
{
#if NF_HAVE_ZSTD
    if (codec == NF_CODEC_ZSTD) {
        *ret = ZSTD_compress(dst, room, src, size, ZSTD_LEVEL);
        return !ZSTD_isError(*ret) ? NETFEAT_OK
                                   : nf_error(ctx, NETFEAT_ERR_NOMEM, "zstd: %s", ZSTD_getErrorName(*ret));
    }
#endif
#if NF_HAVE_LZ4
    if (codec == NF_CODEC_LZ4) {
        *ret = LZ4F_compressFrame(dst, room, src, size, NULL);
        return !LZ4F_isError(*ret) ? NETFEAT_OK
                                   : nf_error(ctx, NETFEAT_ERR_NOMEM, "lz4: %s", LZ4F_getErrorName(*ret));
    }
#endif
    (void)src;
    (void)size;
    (void)dst;
    (void)room;
    (void)ret;
    return nf_error(ctx, NETFEAT_ERR_INTERNAL, "codec %d", codec);
}

#if NF_HAVE_LZ4
static int decompress_lz4(netfeat_ctx *ctx, const uint8_t *src, size_t size, uint8_t *dst, size_t want)
{
    LZ4F_dctx *d = NULL;
    size_t hint = 1, in = 0, out = 0;
    int code = NETFEAT_OK;

    if (LZ4F_isError(LZ4F_createDecompressionContext(&d, LZ4F_VERSION))) {
        return nf_error(ctx, NETFEAT_ERR_NOMEM, "out of memory: lz4");
    }
    while (hint != 0 && code == 0) {
        size_t room = want - out;
        size_t take = size - in;
        hint = LZ4F_decompress(d, dst + out, &room, src + in, &take, NULL);
        in += take;
        out += room;
        if (LZ4F_isError(hint) && LZ4F_getErrorCode(hint) == LZ4F_ERROR_allocation_failed) {
            code = nf_error(ctx, NETFEAT_ERR_NOMEM, "out of memory: lz4");
        } else if (LZ4F_isError(hint) || (hint != 0 && room == 0 && take == 0)) {
            code = nf_error(ctx, NETFEAT_ERR_FORMAT, "LZ4 data is damaged");
        }
    }
    LZ4F_freeDecompressionContext(d);
    if (code == 0 && (out != want || in != size)) {
        code = nf_error(ctx, NETFEAT_ERR_FORMAT, "LZ4 data of another size than announced");
    }
    return code;
}
#endif

int nf_decompress(netfeat_ctx *ctx, int codec, const void *src, size_t size, void *dst, size_t want)
{
#if NF_HAVE_ZSTD
    if (codec == NF_CODEC_ZSTD) {
        size_t got = ZSTD_decompress(dst, want, src, size);
        if (ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation) {
            return nf_error(ctx, NETFEAT_ERR_NOMEM, "out of memory: zstd");
        }
        return !ZSTD_isError(got) && got == want ? NETFEAT_OK
                                                 : nf_error(ctx, NETFEAT_ERR_FORMAT, "zstd data is damaged");
    }
#endif
#if NF_HAVE_LZ4
    if (codec == NF_CODEC_LZ4) {
        return decompress_lz4(ctx, src, size, dst, want);
    }
#endif
    (void)codec;
    (void)src;
    (void)size;
    (void)dst;
    (void)want;
    return nf_error(ctx, NETFEAT_ERR_UNSUPPORTED, "this build does not read the compression of the file");
}

/* An LZ4 byte gives at most 255 bytes; a zstd block of 4 bytes at most 128 KiB (RFC 8878, 3.1.1.2). */
bool nf_decompress_is_plausible(int codec, size_t size, uint64_t want)
{
    uint64_t factor = codec == NF_CODEC_LZ4 ? 255 : 131072;

    return want / factor <= size;
}
