/* xz.c - the xz format, by liblzma. */
#include "capture/unpack.h"

#include "config.h"

#if NF_HAVE_XZ

#include <lzma.h>

#define OTHER_BYTES ((uint64_t)1 << 20) /* what the decoder keeps beside the history */

typedef struct {
    lzma_stream stream;
    lzma_allocator allocator;
} xz_state;

static void *allocate(void *user, size_t n, size_t size)
{
    return nf_unpack_alloc(user, n, size);
}

static void release(void *user, void *p)
{
    nf_unpack_free(user, p);
}

/* One decoder for each stream; begun again, it keeps its memory. */
static int start(nf_unpacker *u)
{
    static const lzma_stream fresh = LZMA_STREAM_INIT;
    xz_state *x = u->state;

    if (x == NULL) {
        x = nf_unpack_alloc(u, 1, sizeof *x);
        if (x == NULL) {
            return NF_UNPACK_NOMEM;
        }
        x->stream = fresh;
        x->allocator = (lzma_allocator){allocate, release, u};
        x->stream.allocator = &x->allocator;
        u->state = x;
    }
    return lzma_stream_decoder(&x->stream, u->limits.max_window + OTHER_BYTES, 0) == LZMA_OK
               ? NF_UNPACK_GO_ON
               : NF_UNPACK_NOMEM;
}

static int run(nf_unpacker *u)
{
    lzma_stream *s = &((xz_state *)u->state)->stream;
    lzma_ret code;

    s->next_in = u->at;
    s->avail_in = (size_t)(u->end - u->at);
    s->next_out = u->out;
    s->avail_out = (size_t)(u->out_end - u->out);
    code = lzma_code(s, LZMA_RUN);
    u->at = s->next_in;
    u->out = s->next_out;
    switch (code) {
    case LZMA_OK:
    case LZMA_BUF_ERROR: /* no progress */
        return NF_UNPACK_GO_ON;
    case LZMA_STREAM_END:
        return NF_UNPACK_MEMBER;
    case LZMA_MEM_ERROR:
        return NF_UNPACK_NOMEM;
    case LZMA_MEMLIMIT_ERROR:
        return NF_UNPACK_WINDOW;
    case LZMA_OPTIONS_ERROR:
        u->why = "a filter or check that liblzma does not know";
        return NF_UNPACK_REFUSED;
    default:
        return NF_UNPACK_CORRUPT;
    }
}

static void stop(nf_unpacker *u)
{
    if (u->state != NULL) {
        lzma_end(&((xz_state *)u->state)->stream);
        nf_unpack_free(u, u->state);
    }
}

const nf_codec nf_codec_xz = {"xz", "liblzma", start, run, stop};

#else

const nf_codec nf_codec_xz = {.name = "xz", .library = "liblzma"};

#endif
