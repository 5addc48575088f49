/* recycle.h - a few freed blocks kept for the next batch, so that tables made one after the other do not touch fresh
   pages each time. Thread-safe without locks: each size has slots of its own, filled and emptied by one exchange. */
#ifndef NF_BASE_RECYCLE_H
#define NF_BASE_RECYCLE_H

#include <stdatomic.h>
#include <stddef.h>

#define NF_RECYCLE_MIN     ((size_t)32 << 10)
#define NF_RECYCLE_MAX     ((size_t)8 << 20)  /* 8 doublings of it: the largest block kept */
#define NF_RECYCLE_TOTAL   ((size_t)12 << 20) /* all blocks kept, in bytes */
#define NF_RECYCLE_CLASSES (8 * 16 + 1)
#define NF_RECYCLE_SLOTS   32 /* a table has that many columns of one width */

typedef struct {
    _Atomic(void *) slots[NF_RECYCLE_CLASSES][NF_RECYCLE_SLOTS];
    _Atomic size_t total;
} nf_recycler;

/* What a request for size bytes really takes, so that near sizes fit each other: at most 1/16 more. */
size_t nf_recycle_round(size_t size);
/* A kept block of that (rounded) size, or NULL. */
void *nf_recycle_take(nf_recycler *r, size_t size);
/* Keep a block of that (rounded) size; 0 if there is no room: the caller has to free it. */
int nf_recycle_put(nf_recycler *r, void *block, size_t size);
/* Any kept block with its size, for freeing; NULL when there is none. */
void *nf_recycle_drain(nf_recycler *r, size_t *ret_size);

#endif
