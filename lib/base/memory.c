/* On a virtual machine a first touch of a fresh 4 KiB page costs microseconds; whole tables are therefore
   kept in blocks aligned to 2 MiB with MADV_HUGEPAGE, and grow by mremap() to an aligned address, which keeps
   them huge. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mremap */
#endif
#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__linux__) && !NF_PLAIN_MALLOC && UINTPTR_MAX > 0xffffffffU
#include <sys/mman.h>

#define HUGE_PAGE  ((size_t)2 << 20)
#define MAPPED_MIN ((size_t)4 << 20)

static bool is_mapped(size_t size)
{
    return size >= MAPPED_MIN;
}

static size_t mapped_size(size_t size)
{
    return (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
}

/* An address range of that many bytes that starts on a huge page; PROT_NONE until used. */
static void *reserve_aligned(size_t bytes)
{
    uintptr_t start;
    uintptr_t aligned;
    uint8_t *p;

    if (bytes > SIZE_MAX - 2 * HUGE_PAGE) {
        return NULL;
    }
    p = mmap(NULL, bytes + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        return NULL;
    }
    start = (uintptr_t)p;
    aligned = (start + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
    if (aligned > start) {
        munmap(p, aligned - start);
    }
    munmap(p + (aligned - start) + bytes, HUGE_PAGE - (aligned - start));
    return p + (aligned - start);
}

static void *map_block(size_t size)
{
    size_t bytes = mapped_size(size);
    void *p = reserve_aligned(bytes);

    if (p == NULL) {
        return NULL;
    }
    if (mprotect(p, bytes, PROT_READ | PROT_WRITE) != 0) {
        munmap(p, bytes);
        return NULL;
    }
    (void)madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

static void *resize_mapped(void *ptr, size_t old_size, size_t new_size)
{
    size_t old_bytes = mapped_size(old_size);
    size_t new_bytes = mapped_size(new_size);
    void *target;
    void *p;

    if (old_bytes == new_bytes) {
        return ptr;
    }
    if (new_bytes < old_bytes) {
        munmap((uint8_t *)ptr + new_bytes, old_bytes - new_bytes);
        return ptr;
    }
    p = mremap(ptr, old_bytes, new_bytes, 0);
    if (p == MAP_FAILED) {
        target = reserve_aligned(new_bytes);
        if (target == NULL) {
            return NULL;
        }
        p = mremap(ptr, old_bytes, new_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, target);
        if (p == MAP_FAILED) {
            munmap(target, new_bytes);
            return NULL;
        }
    }
    (void)madvise(p, new_bytes, MADV_HUGEPAGE);
    return p;
}

static void release(void *ptr, size_t size)
{
    if (is_mapped(size)) {
        munmap(ptr, mapped_size(size));
    } else {
        free(ptr);
    }
}

void *nf_default_realloc(void *user, void *ptr, size_t old_size, size_t new_size)
{
    void *p;

    (void)user;
    if (new_size == 0) {
        if (ptr != NULL) {
            release(ptr, old_size);
        }
        return NULL;
    }
    if (ptr != NULL && is_mapped(old_size) && is_mapped(new_size)) {
        return resize_mapped(ptr, old_size, new_size);
    }
    if (!is_mapped(new_size) && (ptr == NULL || !is_mapped(old_size))) {
        return realloc(ptr, new_size);
    }
    p = is_mapped(new_size) ? map_block(new_size) : malloc(new_size);
    if (p != NULL && ptr != NULL) {
        memcpy(p, ptr, old_size < new_size ? old_size : new_size);
        release(ptr, old_size);
    }
    return p;
}

#else

void *nf_default_realloc(void *user, void *ptr, size_t old_size, size_t new_size)
{
    (void)user;
    (void)old_size;
    if (new_size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, new_size);
}

#endif
