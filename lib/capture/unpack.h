/* unpack.h - compressed inputs: a decompressor is an input that reads from another one. What all formats share is in
   unpack.c, what a library wants in the file of its format. */
#ifndef NF_CAPTURE_UNPACK_H
#define NF_CAPTURE_UNPACK_H

#include "capture/window.h"

/* How a step of a codec ends. */
enum {
    NF_UNPACK_GO_ON,   /* did what could be done with the input and the room there is */
    NF_UNPACK_MEMBER,  /* a member (stream, frame) is complete; another one may follow */
    NF_UNPACK_CORRUPT, /* the bytes are not right */
    NF_UNPACK_NOMEM,   /* nf_unpack_alloc() refused */
    NF_UNPACK_WINDOW,  /* more history wanted than max_window */
    NF_UNPACK_REFUSED  /* right, but the library cannot do it */
};

typedef struct {
    uint64_t max_window; /* bytes of history */
    uint64_t max_ratio;  /* 0: no bound */
    size_t chunk;        /* bytes of the window's buffer */
} nf_unpack_limits;

typedef struct nf_unpacker nf_unpacker;

typedef struct {
    const char *name;
    const char *library;          /* what a build without it lacks */
    int (*start)(nf_unpacker *u); /* before each member; NULL: not in this build */
    int (*run)(nf_unpacker *u);   /* consume at..end, fill out..out_end, as far as either goes */
    void (*stop)(nf_unpacker *u); /* give state back; start may have failed */
} nf_codec;

struct nf_unpacker {
    const nf_codec *codec;
    netfeat_ctx *ctx;
    void *state; /* the codec's */
    const uint8_t *at, *end;
    uint8_t *out, *out_end;
    bool last;       /* nothing comes behind end */
    const char *why; /* static text of the library about CORRUPT and REFUSED, or NULL */
    nf_unpack_limits limits;
    /* the rest is unpack.c's */
    int refusal;   /* code of the allocation that failed */
    int pending;   /* NF_UNPACK_* to report when what came before it has been taken */
    bool begun;    /* a member was there */
    bool between;  /* not inside a member */
    bool padding;  /* zeros were seen behind a member */
    uint64_t made; /* bytes, decompressed */
    int64_t read;  /* bytes of input up to end */
    uint8_t *buf;  /* owned; NULL when the input is memory */
    size_t cap;
    nf_input input;
};

extern const nf_codec nf_codec_gzip, nf_codec_zstd, nf_codec_lz4, nf_codec_xz, nf_codec_bzip2;

/* The codec whose data begins like this, or NULL. */
const nf_codec *nf_unpack_find(const uint8_t *p, size_t size);
/* Put a decompressor between the window and its input; what the window holds already is its first input. On failure
   the window is closed or as it was: it can be closed. UNSUPPORTED (not in this build), NOMEM, LIMIT. */
int nf_unpack_open(netfeat_ctx *ctx, nf_window *w, const nf_codec *codec, const nf_unpack_limits *limits);

/* For the libraries' allocation hooks, on the context's allocator; free needs no size. */
void *nf_unpack_alloc(nf_unpacker *u, size_t n, size_t size);
void nf_unpack_free(nf_unpacker *u, void *p);

#endif
