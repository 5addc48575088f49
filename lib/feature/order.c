/* Numbers of groups in order of 64-bit words: by digits, in as many passes as there are bytes that differ. */
#include <string.h>

#include "feature/group.h"

typedef struct {
    uint64_t word;
    uint32_t id;
} item;

typedef struct {
    uint32_t of[8][256];
} histograms;

static void count_bytes(const item *items, size_t n, histograms *h)
{
    memset(h, 0, sizeof *h);
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < 8; k++) {
            h->of[k][items[i].word >> (8 * k) & 255]++;
        }
    }
}

/* One pass, stable, by byte k. */
static void pass(const item *restrict from, item *restrict to, size_t n, int k, const uint32_t *counts)
{
    uint32_t at[256];
    uint32_t sum = 0;

    for (int v = 0; v < 256; v++) {
        at[v] = sum;
        sum += counts[v];
    }
    for (size_t i = 0; i < n; i++) {
        to[at[from[i].word >> (8 * k) & 255]++] = from[i];
    }
}

int nf_sort_by_word(netfeat_ctx *ctx, uint32_t *ids, size_t n, nf_word_fn word, const void *user)
{
    item *items, *from, *to;
    histograms h;

    if (n <= 1) {
        return NETFEAT_OK;
    }
    items = nf_alloc_array(ctx, 2 * n, sizeof *items);
    if (items == NULL) {
        return nf_ctx_code(ctx);
    }
    from = items;
    to = items + n;
    for (size_t i = 0; i < n; i++) {
        from[i] = (item){word(user, ids[i]), ids[i]};
    }
    count_bytes(from, n, &h);
    for (int k = 0; k < 8; k++) {
        if (h.of[k][from[0].word >> (8 * k) & 255] < n) { /* not all the same */
            item *swap = from;
            pass(from, to, n, k, h.of[k]);
            from = to;
            to = swap;
        }
    }
    for (size_t i = 0; i < n; i++) {
        ids[i] = from[i].id;
    }
    nf_free(ctx, items, 2 * n * sizeof *items);
    return NETFEAT_OK;
}
