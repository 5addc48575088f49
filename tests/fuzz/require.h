/* require.h - what a fuzz target holds to be true of every input. */
#ifndef FUZZ_REQUIRE_H
#define FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

/* The condition itself is what is said of it. */
#define REQUIRE(holds) require((holds), #holds)

static inline void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

#endif
