#include "base/recycle.h"

#include <stdbool.h>

static bool is_kept(size_t size)
{
    return size >= NF_RECYCLE_MIN && size <= NF_RECYCLE_MAX;
}

/* The sixteenth part of the power of two at or below size: sizes between two powers of two fall into 16 classes. */
static size_t step_of(size_t size)
{
    size_t step = NF_RECYCLE_MIN / 16;

    while (step * 32 <= size) {
        step *= 2;
    }
    return step;
}

size_t nf_recycle_round(size_t size)
{
    size_t step;

    if (!is_kept(size)) {
        return size;
    }
    step = step_of(size);
    return (size + step - 1) / step * step;
}

/* Class of a rounded size. */
static size_t class_of(size_t size)
{
    size_t octave = 0;

    for (size_t step = NF_RECYCLE_MIN / 16; step < step_of(size); step *= 2) {
        octave++;
    }
    return octave * 16 + (size / step_of(size) - 16);
}

static size_t size_of_class(size_t class)
{
    return (NF_RECYCLE_MIN / 16 << class / 16) * (16 + class % 16);
}

void *nf_recycle_take(nf_recycler *r, size_t size)
{
    _Atomic(void *) *slots;

    if (!is_kept(size)) {
        return NULL;
    }
    slots = r->slots[class_of(size)];
    for (int i = 0; i < NF_RECYCLE_SLOTS; i++) {
        void *block = NULL;
        if (atomic_load_explicit(&slots[i], memory_order_relaxed) != NULL) { /* cheaper than an exchange */
            block = atomic_exchange(&slots[i], NULL);
        }
        if (block != NULL) {
            atomic_fetch_sub(&r->total, size);
            return block;
        }
    }
    return NULL;
}

int nf_recycle_put(nf_recycler *r, void *block, size_t size)
{
    _Atomic(void *) *slots;

    if (!is_kept(size)) {
        return 0;
    }
    if (atomic_fetch_add(&r->total, size) + size <= NF_RECYCLE_TOTAL) {
        slots = r->slots[class_of(size)];
        for (int i = 0; i < NF_RECYCLE_SLOTS; i++) {
            void *none = NULL;
            if (atomic_load_explicit(&slots[i], memory_order_relaxed) == NULL &&
                atomic_compare_exchange_strong(&slots[i], &none, block)) {
                return 1;
            }
        }
    }
    atomic_fetch_sub(&r->total, size);
    return 0;
}

void *nf_recycle_drain(nf_recycler *r, size_t *ret_size)
{
    if (atomic_load(&r->total) == 0) { /* a context that kept none need not look for them */
        return NULL;
    }
    for (size_t class = 0; class < NF_RECYCLE_CLASSES; class ++) {
        void *block = nf_recycle_take(r, size_of_class(class));
        if (block != NULL) {
            *ret_size = size_of_class(class);
            return block;
        }
    }
    return NULL;
}
