/* naive_reassembler.h - for tests: TCP reassembly as simple as it can be, one connection tuple, slow, without
   limits on its own memory: what the library is compared with. */
#ifndef TESTS_NAIVE_REASSEMBLER_H
#define TESTS_NAIVE_REASSEMBLER_H

#include "script.h"

/* The events of a script, as script_run() prints them. */
void naive_run(const script_case *c, script_text *ret_events);

#endif
