/* heap.h - the C library's heap, made to fail: what libpcap, zstd and the others take from it. */
#ifndef TESTS_TORTURE_HEAP_H
#define TESTS_TORTURE_HEAP_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int no_filters;   /* the scenarios use none */
    int armed;        /* 0: everything goes through and nothing is counted */
    uint64_t calls;   /* so far */
    uint64_t fail_at; /* this one fails, 1-based; 0: none */
} heap_plan;

extern heap_plan heap;

#endif
