/* bench_nids.h - for bench_stream: libnids beside us, when it is installed. */
#ifndef TESTS_BENCH_NIDS_H
#define TESTS_BENCH_NIDS_H

#include <stdint.h>

/* Processor time in seconds that libnids takes to deliver the bytes of a capture, whole process included; *ret_bytes
   how many. Negative: it cannot. */
double bench_nids(const char *path, uint64_t *ret_bytes);

#endif
