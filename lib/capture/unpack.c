#include "capture/unpack.h"

#include <stdalign.h>
#include <string.h>

#include "base/checked.h"

#define IDLE_MOST  4                    /* steps in which nothing moves: the libraries need one or two */
#define RATIO_FROM (UINT64_C(64) << 20) /* small outputs may have any ratio: they cost nothing */

/* ---- memory of the libraries ---- */

typedef union {
    size_t size;
    max_align_t align;
} block_head;

void *nf_unpack_alloc(nf_unpacker *u, size_t n, size_t size)
{
    block_head *head = NULL;
    size_t bytes;

    if (nf_mul_size(n, size, &bytes) && nf_add_size(bytes, sizeof *head, &bytes)) {
        head = nf_alloc(u->ctx, bytes);
    }
    if (head == NULL) {
        u->refusal = nf_ctx_code(u->ctx) == NETFEAT_ERR_LIMIT ? NETFEAT_ERR_LIMIT : NETFEAT_ERR_NOMEM;
        return NULL;
    }
    head->size = bytes;
    return head + 1;
}

void nf_unpack_free(nf_unpacker *u, void *p)
{
    if (p != NULL) {
        block_head *head = (block_head *)p - 1;
        nf_free(u->ctx, head, head->size);
    }
}

/* ---- the input ---- */

static int64_t unpack_position(const void *user)
{
    const nf_unpacker *u = user;
    return u->read - (u->end - u->at);
}

static int report(nf_unpacker *u, int status)
{
    const char *name = u->codec->name;
    long long at = (long long)unpack_position(u);

    switch (status) {
    case NF_UNPACK_NOMEM:
        return nf_error(u->ctx, u->refusal != 0 ? u->refusal : NETFEAT_ERR_NOMEM,
                        "no memory to decompress %s data%s", name,
                        u->refusal == NETFEAT_ERR_LIMIT ? " within the memory limit" : "");
    case NF_UNPACK_WINDOW:
        return nf_error(u->ctx, NETFEAT_ERR_LIMIT,
                        "the %s data needs more history than the %llu bytes of source.max_window_bytes", name,
                        (unsigned long long)u->limits.max_window);
    case NF_UNPACK_REFUSED:
        return nf_error(u->ctx, NETFEAT_ERR_UNSUPPORTED, "the %s data cannot be decompressed: %s", name,
                        u->why != NULL ? u->why : "unknown variant");
    default:
        return nf_error(u->ctx, NETFEAT_ERR_FORMAT, "the %s data is corrupt%s%s (near compressed byte %lld)",
                        name, u->why != NULL ? ": " : "", u->why != NULL ? u->why : "", at);
    }
}

static int check_ratio(nf_unpacker *u)
{
    uint64_t taken = (uint64_t)unpack_position(u) + 1;

    if (u->limits.max_ratio != 0 && u->made > RATIO_FROM && u->made / taken >= u->limits.max_ratio) {
        return nf_error(u->ctx, NETFEAT_ERR_LIMIT,
                        "the %s data grows to more than %llu times its size (source.max_ratio)",
                        u->codec->name, (unsigned long long)u->limits.max_ratio);
    }
    return NETFEAT_OK;
}

/* Have input at hand, unless it has ended. */
static int refill(nf_unpacker *u)
{
    int64_t got;

    if (u->at != u->end || u->last) {
        return NETFEAT_OK;
    }
    got = u->input.read(u->input.user, u->ctx, u->buf, u->cap);
    if (got < 0) {
        return (int)got;
    }
    u->last = got == 0;
    u->at = u->buf;
    u->end = u->buf + got;
    u->read += got;
    return NETFEAT_OK;
}

/* Between members: pass over zeros, with which tapes and block devices are filled up. NF_UNPACK_MEMBER at the end of
   the input. */
static int begin_member(nf_unpacker *u)
{
    int status;

    while (u->begun && u->at < u->end && *u->at == 0) {
        u->at++;
        u->padding = true;
    }
    if (u->at == u->end) {
        return u->last ? NF_UNPACK_MEMBER : NF_UNPACK_GO_ON;
    }
    if (u->padding) {
        u->why = "something follows the padding";
        return NF_UNPACK_CORRUPT;
    }
    status = u->codec->start(u);
    u->begun = true;
    u->between = status != NF_UNPACK_GO_ON;
    return status;
}

/* One step; NF_UNPACK_MEMBER: the end of all. */
static int advance(nf_unpacker *u)
{
    int status;

    if (u->between) {
        status = begin_member(u);
        if (status != NF_UNPACK_GO_ON || u->between) {
            return status;
        }
    }
    status = u->codec->run(u);
    if (status == NF_UNPACK_MEMBER) {
        u->between = true;
        return NF_UNPACK_GO_ON;
    }
    return status;
}

static int64_t unpack_read(void *user, netfeat_ctx *ctx, void *buf, size_t size)
{
    nf_unpacker *u = user;
    int idle = 0;
    int code = check_ratio(u);

    if (code < 0) {
        return code;
    }
    u->out = buf;
    u->out_end = u->out + size;
    while (u->pending == NF_UNPACK_GO_ON && !nf_interrupted(ctx)) {
        const uint8_t *before;
        bool was_between = u->between;

        code = refill(u);
        if (code < 0) {
            return code;
        }
        before = u->at;
        u->pending = advance(u);
        if (u->out != buf) {
            u->made += (uint64_t)(u->out - (uint8_t *)buf);
            return u->out - (uint8_t *)buf;
        }
        idle = u->at == before && u->between == was_between ? idle + 1 : 0;
        if (u->pending == NF_UNPACK_GO_ON && idle >= IDLE_MOST) {
            if (u->last && u->at == u->end) {
                return nf_error(ctx, NETFEAT_ERR_TRUNCATED,
                                "the %s data ends too early, after %lld compressed bytes", u->codec->name,
                                (long long)unpack_position(u));
            }
            u->pending = NF_UNPACK_CORRUPT;
        }
    }
    if (u->pending == NF_UNPACK_GO_ON) {
        return NETFEAT_ERR_CANCELLED;
    }
    return u->pending == NF_UNPACK_MEMBER ? 0 : report(u, u->pending);
}

static void unpack_close(void *user, netfeat_ctx *ctx)
{
    nf_unpacker *u = user;

    u->codec->stop(u);
    nf_free(ctx, u->buf, u->cap);
    nf_input_close(ctx, &u->input);
    nf_free(ctx, u, sizeof *u);
}

/* ---- opening ---- */

const nf_codec *nf_unpack_find(const uint8_t *p, size_t size)
{
    static const struct {
        uint8_t bytes[6];
        uint8_t size;
        const nf_codec *codec;
    } magics[] = {
        {{0x1f, 0x8b}, 2, &nf_codec_gzip},
        {{0x28, 0xb5, 0x2f, 0xfd}, 4, &nf_codec_zstd},
        {{0x50, 0x2a, 0x4d, 0x18},
         4,
         &nf_codec_zstd}, /* a skippable frame, with which parallel writers begin */
        {{0x04, 0x22, 0x4d, 0x18}, 4, &nf_codec_lz4},
        {{0xfd, '7', 'z', 'X', 'Z', 0}, 6, &nf_codec_xz},
        {{'B', 'Z', 'h'}, 3, &nf_codec_bzip2},
    };

    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        if (size >= magics[i].size && memcmp(p, magics[i].bytes, magics[i].size) == 0) {
            return magics[i].codec;
        }
    }
    return NULL;
}

int nf_unpack_open(netfeat_ctx *ctx, nf_window *w, const nf_codec *codec, const nf_unpack_limits *limits)
{
    nf_input in = {0};
    nf_unpacker *u;

    if (codec->start == NULL) {
        return nf_error_at(ctx, NETFEAT_ERR_UNSUPPORTED, -1, 0,
                           "%s format is not supported: this library was built without %s", codec->name,
                           codec->library);
    }
    u = nf_alloc_zero(ctx, sizeof *u);
    if (u == NULL) {
        return nf_ctx_code(ctx);
    }
    u->codec = codec;
    u->ctx = ctx;
    u->limits = *limits;
    u->between = true;
    u->at = w->at;
    u->end = w->end;
    u->read = w->read;
    u->last = w->ended;
    u->buf = w->buf;
    u->cap = w->cap;
    u->input = w->input;
    in.read = unpack_read;
    in.close = unpack_close;
    in.user = u;
    in.total = w->input.total;
    in.position = unpack_position;
    return nf_window_open(ctx, w, &in, limits->chunk);
}
