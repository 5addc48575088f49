/* random_script.h - for tests: packet scripts out of random numbers or out of a fuzzer's bytes. */
#ifndef TESTS_RANDOM_SCRIPT_H
#define TESTS_RANDOM_SCRIPT_H

#include "script.h"

/* Where choices come from: bytes as long as there are any, then (seeded != 0) a generator, else zeros. */
typedef struct {
    const uint8_t *bytes;
    size_t size;
    uint64_t seeded;
} choices;

/* A number in 0 .. below - 1. */
unsigned choose(choices *from, unsigned below);

/* A script of at most max_packets: two sides that talk sensibly, or, wild, whatever a hostile sender can do. To be
   freed with script_free(c, 1). */
script_case *random_script(choices *from, bool wild, unsigned max_packets);
/* The script in the notation of tests/stream/cases/README. */
void script_dump(const script_case *c, script_text *ret);

#endif
