/* foreign.h - calls into libraries that a sanitizer did not see being built. */
#ifndef NF_BASE_FOREIGN_H
#define NF_BASE_FOREIGN_H

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define NF_FOREIGN_BEGIN() __msan_scoped_disable_interceptor_checks()
#define NF_FOREIGN_END()   __msan_scoped_enable_interceptor_checks()
#endif
#endif

/* Between the two, MemorySanitizer does not judge what a foreign library passes to the C library: it did not see that
   memory being written. */
#ifndef NF_FOREIGN_BEGIN
#define NF_FOREIGN_BEGIN() ((void)0)
#define NF_FOREIGN_END()   ((void)0)
#endif

#endif
