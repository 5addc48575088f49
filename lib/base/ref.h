/* ref.h - atomic reference counts. */
#ifndef NF_BASE_REF_H
#define NF_BASE_REF_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    _Atomic uint32_t count;
} nf_ref;

static inline void nf_ref_init(nf_ref *r)
{
    atomic_init(&r->count, 1);
}

static inline void nf_ref_get(nf_ref *r)
{
    uint32_t before = atomic_fetch_add_explicit(&r->count, 1, memory_order_relaxed);
    assert(before > 0 && before < UINT32_MAX);
    (void)before;
}

/* True when this was the last reference: everything other threads did with the object is visible then. */
static inline bool nf_ref_put(nf_ref *r)
{
    uint32_t before = atomic_fetch_sub_explicit(&r->count, 1, memory_order_acq_rel);
    assert(before > 0);
    return before == 1;
}

#endif
