/* window.h - the part of an input that is being parsed: one buffer, small enough to stay in the cache, in
   which records are read in place; or, when the input is memory, that memory itself. */
#ifndef NF_CAPTURE_WINDOW_H
#define NF_CAPTURE_WINDOW_H

#include "capture/input.h"

typedef struct {
    const uint8_t *at;  /* next byte to parse */
    const uint8_t *end; /* end of what has been read */
    int64_t read;       /* bytes of input up to end */
    bool ended;         /* nothing comes after end */
    uint8_t *buf;       /* owned; NULL when the input is memory */
    size_t cap;
    size_t chunk; /* bytes to have in the buffer when no record asks for more */
    nf_input input;
} nf_window;

/* Takes the input over, also on failure. chunk: size of the buffer in bytes. NOMEM, LIMIT. */
int nf_window_open(netfeat_ctx *ctx, nf_window *w, const nf_input *input, size_t chunk);
/* Zeroed window is fine. */
void nf_window_close(netfeat_ctx *ctx, nf_window *w);
/* Make n bytes available at `at`: 1, or 0 = the input ends before; <0 as nf_input.read, NOMEM, LIMIT.
   Pointers into the window die. The buffer grows only when it is full of bytes really read, at most to twice
   of them. */
int nf_window_need(netfeat_ctx *ctx, nf_window *w, size_t n);
/* Pass over *left bytes, counting them down, however many there are: 1, 0, <0 as above. */
int nf_window_skip(netfeat_ctx *ctx, nf_window *w, uint64_t *left);

static inline size_t nf_window_left(const nf_window *w)
{
    return (size_t)(w->end - w->at);
}

/* Offset of `at` in the input. */
static inline int64_t nf_window_offset(const nf_window *w)
{
    return w->read - (w->end - w->at);
}

/* How much of the origin is consumed, in the unit of input.total. */
static inline int64_t nf_window_position(const nf_window *w)
{
    return w->input.position != NULL ? w->input.position(w->input.user) : nf_window_offset(w);
}

#endif
