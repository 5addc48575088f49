/* memory.h - the default allocator: malloc for small blocks; large ones are mapped, aligned to huge pages and
   grown by moving page tables, never bytes. */
#ifndef NF_BASE_MEMORY_H
#define NF_BASE_MEMORY_H

#include <stddef.h>

/* A netfeat_realloc_fn; user is not used. */
void *nf_default_realloc(void *user, void *ptr, size_t old_size, size_t new_size);

#endif
