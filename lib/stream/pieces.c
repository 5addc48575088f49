#include "stream/pieces.h"

#include <assert.h>
#include <string.h>

#include <netfeat/stream.h>

/* The first piece that ends behind offset. */
static uint32_t find(const nf_pieces *p, uint32_t offset)
{
    uint32_t low = 0, high = p->n;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (p->list[mid].e > offset) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return low;
}

static uint32_t max32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t min32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static const uint8_t *bytes_of(const nf_piece *piece, uint32_t at)
{
    return piece->block->data + (at - piece->os);
}

uint32_t nf_pieces_overlap(const nf_pieces *p, uint32_t s, uint32_t e, const uint8_t *data,
                           uint64_t *ret_conflict)
{
    uint32_t covered = 0;

    *ret_conflict = 0;
    for (uint32_t i = find(p, s); i < p->n && p->list[i].s < e; i++) {
        uint32_t a = max32(p->list[i].s, s), b = min32(p->list[i].e, e);
        const uint8_t *old = bytes_of(&p->list[i], a);

        covered += b - a;
        for (uint32_t k = 0; k < b - a; k++) {
            *ret_conflict += old[k] != data[a - s + k];
        }
    }
    return covered;
}

static void drop_block(netfeat_ctx *ctx, nf_frag_block *block, uint64_t *memory)
{
    if (--block->refs == 0) {
        *memory -= sizeof *block + block->size;
        nf_free(ctx, block, sizeof *block + block->size);
    }
}

static bool new_wins(int policy, uint32_t ns, uint32_t s)
{
    return policy == NETFEAT_FRAGMENT_LAST || (policy == NETFEAT_FRAGMENT_BSD && ns < s);
}

static void put(nf_pieces *p, uint32_t i, uint32_t s, uint32_t e, uint32_t os, uint32_t oe,
                nf_frag_block *block)
{
    memmove(&p->list[i + 1], &p->list[i], (size_t)(p->n - i) * sizeof p->list[0]);
    p->list[i] = (nf_piece){s, e, os, oe, block};
    p->n++;
    block->refs++;
}

/* The bytes [a, b) of piece i now belong to another fragment. Returns how many pieces are left of it. */
static uint32_t lose(netfeat_ctx *ctx, nf_pieces *p, uint32_t i, uint32_t a, uint32_t b, uint64_t *memory)
{
    nf_piece *piece = &p->list[i];
    nf_piece old = *piece;

    if (a > old.s && b < old.e) {
        piece->e = a;
        put(p, i + 1, b, old.e, old.os, old.oe, old.block);
        return 2;
    }
    if (a > old.s) {
        piece->e = a;
        return 1;
    }
    if (b < old.e) {
        piece->s = b;
        return 1;
    }
    drop_block(ctx, old.block, memory);
    memmove(piece, piece + 1, (size_t)(p->n - i - 1) * sizeof *piece);
    p->n--;
    return 0;
}

/* Room for the list, and the block of the new bytes with one reference; NULL on failure. */
static nf_frag_block *prepare(netfeat_ctx *ctx, nf_pieces *p, uint32_t size, uint64_t *memory)
{
    size_t before = p->cap;
    nf_frag_block *block;
    /* the new bytes may fill every gap between the old pieces, and split one of them */
    int code = nf_grow(ctx, (void **)&p->list, &p->cap, 2 * (size_t)p->n + 2, sizeof p->list[0]);

    if (code != 0) {
        return NULL;
    }
    *memory += (p->cap - before) * sizeof p->list[0];
    block = nf_alloc(ctx, sizeof *block + size);
    if (block != NULL) {
        block->refs = 1;
        block->size = size;
        *memory += sizeof *block + size;
    }
    return block;
}

int nf_pieces_add(netfeat_ctx *ctx, nf_pieces *p, uint32_t s, uint32_t e, const uint8_t *data, int policy,
                  uint64_t *memory)
{
    nf_frag_block *block = prepare(ctx, p, e - s, memory);
    uint32_t i, at = s; /* bytes before `at` have found their owner */

    if (block == NULL) {
        return nf_ctx_code(ctx);
    }
    memcpy(block->data, data, e - s);
    for (i = find(p, s); i < p->n && p->list[i].s < e;) {
        uint32_t a = max32(p->list[i].s, s), b = min32(p->list[i].e, e);

        if (new_wins(policy, s, p->list[i].os)) {
            if (a > p->list[i].s) { /* what is left in front stays before the new bytes */
                lose(ctx, p, i, a, b, memory);
                i++;
            } else if (lose(ctx, p, i, a, b, memory) > 0) {
                break;
            }
            continue;
        }
        if (at < a) {
            put(p, i, at, a, s, e, block);
            i++;
        }
        at = b;
        i++;
    }
    if (at < e) {
        put(p, i, at, e, s, e, block);
    }
    drop_block(ctx, block, memory);
    return NETFEAT_OK;
}

void nf_pieces_clear(netfeat_ctx *ctx, nf_pieces *p, uint64_t *memory)
{
    for (uint32_t i = 0; i < p->n; i++) {
        drop_block(ctx, p->list[i].block, memory);
    }
    *memory -= p->cap * sizeof p->list[0];
    nf_free(ctx, p->list, p->cap * sizeof p->list[0]);
    memset(p, 0, sizeof *p);
}

bool nf_pieces_complete(const nf_pieces *p, uint32_t total)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < p->n; i++) {
        if (p->list[i].s != at) {
            return false;
        }
        at = p->list[i].e;
    }
    return at == total;
}

void nf_pieces_copy(const nf_pieces *p, uint8_t *to)
{
    for (uint32_t i = 0; i < p->n; i++) {
        memcpy(to + p->list[i].s, bytes_of(&p->list[i], p->list[i].s), p->list[i].e - p->list[i].s);
    }
}
