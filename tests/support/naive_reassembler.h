/* naive_reassembler.h - for tests: TCP reassembly as simple as it can be, one connection tuple, slow, without
   limits on its own memory: what the library is compared with. */
#ifndef TESTS_NAIVE_REASSEMBLER_H
#define TESTS_NAIVE_REASSEMBLER_H

#include "script.h"

/* The events of a script, as script_run() prints them. */
void naive_run(const script_case *c, script_text *ret_events);
/* The bytes that the segments own of one direction behind a hole: segs[i] = {start, end} in arrival order, each filled
   with the letter 'A' + i; result[offset], '.' where nobody. */
void naive_overlap(int policy, const int (*segs)[2], int n, char *result, int size);

#endif
