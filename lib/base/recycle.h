/* recycle.h - freed blocks kept for the next batch, or the next whole table, so that tables made one after the other
   do not touch fresh pages each time: those have to be cleared first, which takes longer than writing them. Of small
   blocks a few are kept for good. Large ones are kept for as long as the system has no other use for them: whoever
   hands one over has told it so (nf_default_idle()). Thread-safe without locks: small sizes have slots of their own,
   filled and emptied by one exchange; a large one is claimed by its size. */
#ifndef NF_BASE_RECYCLE_H
#define NF_BASE_RECYCLE_H

#include <stdatomic.h>
#include <stddef.h>

#define NF_RECYCLE_MIN     ((size_t)32 << 10)
#define NF_RECYCLE_MAX     ((size_t)8 << 20)  /* 8 doublings of it: the largest block kept */
#define NF_RECYCLE_TOTAL   ((size_t)12 << 20) /* all blocks kept, in bytes */
#define NF_RECYCLE_CLASSES (8 * 16 + 1)
#define NF_RECYCLE_SLOTS   32 /* a table has that many columns of one width */
#define NF_RECYCLE_LARGE   256
#define NF_RECYCLE_STEP    ((size_t)2 << 20) /* sizes above NF_RECYCLE_MAX are multiples of it */
#define NF_RECYCLE_MOST    ((size_t)1 << 30) /* all large blocks kept, in bytes */

typedef struct {
    _Atomic size_t size; /* 0: nothing here; 1: somebody is at it */
    void *block;
} nf_recycled;

typedef struct {
    _Atomic(void *) slots[NF_RECYCLE_CLASSES][NF_RECYCLE_SLOTS];
    _Atomic size_t total;
    nf_recycled large[NF_RECYCLE_LARGE];
    _Atomic size_t large_total;
} nf_recycler;

/* What a request for size bytes really takes, so that near sizes fit each other: at most 1/16 or 2 MiB more. */
size_t nf_recycle_round(size_t size);
/* A kept block of that (rounded) size, or NULL. */
void *nf_recycle_take(nf_recycler *r, size_t size);
/* Keep a block of that (rounded) size; 0 if there is no room: the caller has to free it. */
int nf_recycle_put(nf_recycler *r, void *block, size_t size);
/* The same for large blocks: those that nf_default_idle() takes. */
void *nf_recycle_take_large(nf_recycler *r, size_t size);
int nf_recycle_put_large(nf_recycler *r, void *block, size_t size);
/* Any kept block with its size, for freeing; NULL when there is none. */
void *nf_recycle_drain(nf_recycler *r, size_t *ret_size);

#endif
