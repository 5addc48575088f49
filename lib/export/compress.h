/* compress.h - whole buffers through zstd and LZ4 frames. Availability is the build's. */
#ifndef NF_EXPORT_COMPRESS_H
#define NF_EXPORT_COMPRESS_H

#include "base/context.h"

enum { NF_CODEC_NONE = 0, NF_CODEC_LZ4 = 1, NF_CODEC_ZSTD = 2 };

/* Codec that io.compression asks for; `automatic` stands for "auto". ARGUMENT, UNSUPPORTED (not built in). */
int nf_codec_of(netfeat_ctx *ctx, const netfeat_options *opts, int automatic);
bool nf_codec_is_built(int codec);
/* Room that compressed data of this size may need. */
size_t nf_compress_bound(int codec, size_t size);
/* Compressed size in *ret. INTERNAL, NOMEM. */
int nf_compress(netfeat_ctx *ctx, int codec, const void *src, size_t size, void *dst, size_t room,
                size_t *ret);
/* Exactly `want` bytes into dst, out of all of src. FORMAT, UNSUPPORTED, NOMEM. */
int nf_decompress(netfeat_ctx *ctx, int codec, const void *src, size_t size, void *dst, size_t want);
/* Can so many bytes come out of so few? What claims more than the format can give is not worth allocating. */
bool nf_decompress_is_plausible(int codec, size_t size, uint64_t want);

#endif
