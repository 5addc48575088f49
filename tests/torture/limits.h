/* limits.h - cases that try to exceed a limit; each runs in a process of its own. */
#ifndef TESTS_TORTURE_LIMITS_H
#define TESTS_TORTURE_LIMITS_H

#include "../support/compress.h"

#define MIB ((uint64_t)1 << 20)

extern size_t bomb_mib; /* what a bomb inflates to */

/* Say that the case failed, when it is not so. */
void expect(int good, const char *what, ...) __attribute__((format(printf, 2, 3)));
/* Print the peak, which must be within the limit; an error must have a message. */
void peak(const netfeat_ctx *ctx, const char *what, uint64_t limit, int code);
/* Context with a memory limit (0: none), and options. */
netfeat_ctx *new_ctx(uint64_t limit, netfeat_options **opts);
void set(netfeat_options *opts, int key, int64_t value);
void done(netfeat_ctx *ctx, netfeat_options *opts);

void limits_bombs(void);
void limits_records(void);
void limits_interfaces(void);
void limits_options_and_notes(void);

#endif
