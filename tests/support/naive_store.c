#include "naive_store.h"

#include <stdbool.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

static bool wins(int64_t policy, int64_t ns, int64_t ne, int64_t s, int64_t e)
{
    switch (policy) {
    case NETFEAT_OVERLAP_FIRST:
        return false;
    case NETFEAT_OVERLAP_LAST:
        return true;
    case NETFEAT_OVERLAP_LINUX:
        return ns < s || (ns == s && ne > e);
    case NETFEAT_OVERLAP_OLD_LINUX:
        return ns < s || (ns == s && ne >= e);
    case NETFEAT_OVERLAP_SOLARIS:
        return ne > e || (ne == e && ns <= s);
    default:
        return ns < s;
    }
}

static void add(naive_store *h, naive_piece p)
{
    int i = h->n;

    if (p.s >= p.e) {
        return;
    }
    if (h->n == h->cap) {
        h->cap = 2 * h->cap + 16;
        h->list = realloc(h->list, (size_t)h->cap * sizeof *h->list);
    }
    for (; i > 0 && h->list[i - 1].s > p.s; i--) {
        h->list[i] = h->list[i - 1];
    }
    h->list[i] = p;
    h->n++;
}

int64_t naive_total(const naive_store *h)
{
    int64_t sum = 0;

    for (int i = 0; i < h->n; i++) {
        sum += h->list[i].e - h->list[i].s;
    }
    return sum;
}

/* The piece that starts at `fresh` is new and starts where its segment did: it belongs to the one that it continues.
   Without owners, everything that touches is one. */
static void join(naive_store *h, int64_t fresh, bool all)
{
    int n = 0;

    for (int i = 0; i < h->n; i++) {
        naive_piece *last = n > 0 ? &h->list[n - 1] : NULL;
        naive_piece p = h->list[i];

        if (last != NULL && last->e == p.s && (all || (last->oe == p.s && p.s == fresh))) {
            last->e = p.e;
            last->oe = p.oe;
        } else {
            h->list[n++] = p;
        }
    }
    h->n = n;
}

/* Returns how many bytes conflict. */
int64_t naive_put(naive_store *h, int64_t s, const uint8_t *data, int64_t len, int64_t os, int64_t oe,
                  int64_t policy)
{
    naive_piece *old = h->list;
    int n = h->n;
    int64_t e = s + len, at = s, conflict = 0, fresh = -1;

    if (e > NAIVE_SPAN) {
        fprintf(stderr, "naive_store: offset %lld\n", (long long)e);
        exit(1);
    }
    if (e > h->room) {
        h->room = 2 * e;
        h->bytes = realloc(h->bytes, (size_t)h->room);
    }
    h->list = NULL;
    h->n = h->cap = 0;
    for (int i = 0; i < n; i++) {
        int64_t a = old[i].s > s ? old[i].s : s, b = old[i].e < e ? old[i].e : e;

        if (a >= b) {
            add(h, old[i]);
            continue;
        }
        for (int64_t k = a; k < b; k++) {
            conflict += h->bytes[k] != data[k - s];
        }
        if (wins(policy, os, oe, old[i].os, old[i].oe)) {
            add(h, (naive_piece){old[i].s, a, old[i].os, old[i].oe});
            add(h, (naive_piece){b, old[i].e, old[i].os, old[i].oe});
        } else {
            add(h, old[i]);
            add(h, (naive_piece){at, a, os, oe});
            fresh = at < a && at == os ? at : fresh;
            memcpy(h->bytes + at, data + (at - s), (size_t)(a - at));
            at = b;
        }
    }
    add(h, (naive_piece){at, e, os, oe});
    fresh = at < e && at == os ? at : fresh;
    memcpy(h->bytes + at, data + (at - s), (size_t)(e > at ? e - at : 0));
    join(h, fresh, policy == NETFEAT_OVERLAP_FIRST || policy == NETFEAT_OVERLAP_LAST);
    free(old);
    return conflict;
}

void naive_remove_first(naive_store *h)
{
    h->n--;
    memmove(h->list, h->list + 1, (size_t)h->n * sizeof *h->list);
}

void naive_store_free(naive_store *h)
{
    free(h->bytes);
    free(h->list);
}
