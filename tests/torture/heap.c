/* heap.c - malloc and its kin for the whole process, libraries and all, made to fail. Not in sanitizer builds, which bring
   their own. */
#include "heap.h"

#include <errno.h>

heap_plan heap;

#if TORTURE_HEAP

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static int refuses(void)
{
    if (!heap.armed) {
        return 0;
    }
    heap.calls++;
    if (heap.calls != heap.fail_at) {
        return 0;
    }
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return refuses() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return refuses() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    return refuses() ? NULL : __libc_realloc(p, size);
}

#endif
