/* memory.h - the default allocator: malloc for small blocks; large ones are mapped, aligned to huge pages and
   grown by moving page tables, never bytes. */
#ifndef NF_BASE_MEMORY_H
#define NF_BASE_MEMORY_H

#include <stddef.h>

/* Sanitizers and valgrind watch malloc and free: there, nothing is mapped and nothing is kept for later. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(NETFEAT_PLAIN_MALLOC)
#define NF_PLAIN_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define NF_PLAIN_MALLOC 1
#endif
#endif
#ifndef NF_PLAIN_MALLOC
#define NF_PLAIN_MALLOC 0
#endif

/* A netfeat_realloc_fn; user is not used. */
void *nf_default_realloc(void *user, void *ptr, size_t old_size, size_t new_size);

#endif
