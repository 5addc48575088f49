/* naive_store.h - for tests: held segments in the plainest form: one array of bytes, and a list of who owns which part
   of it. */
#ifndef TESTS_NAIVE_STORE_H
#define TESTS_NAIVE_STORE_H

#include <stddef.h>
#include <stdint.h>

/* Where bytes of a direction that are held may end. A script of 1000 packets may move what a side calls its start by 90,000
   with each. */
#define NAIVE_SPAN (1 << 27)

typedef struct {
    int64_t s, e, os, oe; /* what is left of a segment, and what it was */
} naive_piece;

typedef struct {
    uint8_t *bytes; /* by offset */
    int64_t room;
    naive_piece *list; /* ascending */
    int n, cap;
} naive_store;

/* Returns how many bytes conflict with held ones. */
int64_t naive_put(naive_store *h, int64_t s, const uint8_t *data, int64_t len, int64_t os, int64_t oe,
                  int64_t policy);
int64_t naive_total(const naive_store *h);
void naive_remove_first(naive_store *h);
void naive_store_free(naive_store *h);

#endif
