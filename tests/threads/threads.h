/* threads.h - what the thread tests share: plain programs, because Criterion does not start under ThreadSanitizer. They
   print one line per check and end with 1 at the first thing that is wrong. */
#ifndef TESTS_THREADS_H
#define TESTS_THREADS_H

#include <netfeat/netfeat.h>

#define THREADS 8

#define MUST(ctx, call)                                                                                      \
    do {                                                                                                     \
        int must_code = (int)(call);                                                                         \
        if (must_code < 0) {                                                                                 \
            threads_fail(ctx, __FILE__, __LINE__, #call, must_code);                                         \
        }                                                                                                    \
    } while (0)
#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            threads_fail(NULL, __FILE__, __LINE__, #condition, 0);                                           \
        }                                                                                                    \
    } while (0)

/* Say what went wrong, and end the program. */
_Noreturn void threads_fail(netfeat_ctx *ctx, const char *file, int line, const char *what, int code);
/* Numbers that depend on the seed alone. */
uint32_t threads_random(uint64_t *state, uint32_t below);
/* A pcap file in memory, to be freed: TCP connections, each with a handshake, data both ways, a FIN. */
void *threads_capture(int connections, size_t *ret_size);
/* One number for everything in a table: names, types, NULLs, values. */
uint64_t threads_digest(const netfeat_table *tab);
uint64_t threads_digest_column(const netfeat_column *col);
/* Run work(index, user) in THREADS threads at once. */
void threads_run(void (*work)(int index, void *user), void *user);

#endif
