#include "capture/window.h"

#include <string.h>

int nf_window_open(netfeat_ctx *ctx, nf_window *w, const nf_input *input, size_t chunk)
{
    memset(w, 0, sizeof *w);
    w->input = *input;
    if (input->memory != NULL) {
        w->at = input->memory;
        w->end = w->at + input->total;
        w->read = input->total;
        w->ended = true;
        return NETFEAT_OK;
    }
    w->buf = nf_alloc(ctx, chunk);
    if (w->buf == NULL) {
        nf_input_close(ctx, &w->input);
        return nf_ctx_code(ctx);
    }
    w->cap = chunk;
    w->chunk = chunk;
    w->at = w->buf;
    w->end = w->buf;
    return NETFEAT_OK;
}

void nf_window_close(netfeat_ctx *ctx, nf_window *w)
{
    nf_free(ctx, w->buf, w->cap);
    nf_input_close(ctx, &w->input);
    memset(w, 0, sizeof *w);
}

/* Room for more bytes behind the `left` ones that are there and stand at the front. */
static int make_room(netfeat_ctx *ctx, nf_window *w, size_t left, size_t n)
{
    size_t want = n / 2 > w->cap ? w->cap * 2 : n;
    uint8_t *p;

    if (left < w->cap) {
        return NETFEAT_OK;
    }
    p = nf_resize(ctx, w->buf, w->cap, want);
    if (p == NULL) {
        return nf_ctx_code(ctx);
    }
    w->buf = p;
    w->cap = want;
    w->at = p;
    w->end = p + left;
    return NETFEAT_OK;
}

int nf_window_need(netfeat_ctx *ctx, nf_window *w, size_t n)
{
    size_t left = nf_window_left(w);

    while (left < n) {
        size_t target =
            n > w->chunk ? n : w->chunk; /* a buffer that had to grow is not filled again without need */
        int64_t got;
        int code;

        if (w->ended) {
            return 0;
        }
        if (w->at != w->buf) {
            memmove(w->buf, w->at, left);
            w->at = w->buf;
            w->end = w->buf + left;
        }
        code = make_room(ctx, w, left, n);
        if (code < 0) {
            return code;
        }
        got = w->input.read(w->input.user, ctx, w->buf + left, (target < w->cap ? target : w->cap) - left);
        if (got < 0) {
            return (int)got;
        }
        w->ended = got == 0;
        w->end += got;
        w->read += got;
        left += (size_t)got;
    }
    return 1;
}

int nf_window_skip(netfeat_ctx *ctx, nf_window *w, uint64_t *left)
{
    for (;;) {
        size_t here = nf_window_left(w);
        int more;

        if (here > *left) {
            here = (size_t)*left;
        }
        w->at += here;
        *left -= here;
        if (*left == 0) {
            return 1;
        }
        more = nf_window_need(ctx, w, 1);
        if (more <= 0) {
            return more;
        }
    }
}
