/* pieces.h - the received parts of one datagram, in order and without overlap. */
#ifndef NF_STREAM_PIECES_H
#define NF_STREAM_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/context.h"

/* The bytes of one fragment; pieces of it share them. */
typedef struct {
    uint32_t refs, size;
    uint8_t data[];
} nf_frag_block;

typedef struct {
    uint32_t s, e;   /* its bytes */
    uint32_t os, oe; /* of the fragment that brought it */
    nf_frag_block *block;
} nf_piece;

typedef struct {
    nf_piece *list;
    size_t cap;
    uint32_t n;
} nf_pieces;

/* How much of [s, e) is there already; of that, *ret_conflict bytes are different. */
uint32_t nf_pieces_overlap(const nf_pieces *p, uint32_t s, uint32_t e, const uint8_t *data,
                           uint64_t *ret_conflict);
/* Add bytes [s, e), not empty; policy NETFEAT_FRAGMENT_* (DROP: they overlap nothing). *memory is kept up to
   date. NOMEM, LIMIT: nothing was changed. */
int nf_pieces_add(netfeat_ctx *ctx, nf_pieces *p, uint32_t s, uint32_t e, const uint8_t *data, int policy,
                  uint64_t *memory);
void nf_pieces_clear(netfeat_ctx *ctx, nf_pieces *p, uint64_t *memory);
/* Do they cover [0, total)? */
bool nf_pieces_complete(const nf_pieces *p, uint32_t total);
void nf_pieces_copy(const nf_pieces *p, uint8_t *to);
/* Behind the last one. */
static inline uint32_t nf_pieces_end(const nf_pieces *p)
{
    return p->n > 0 ? p->list[p->n - 1].e : 0;
}

#endif
