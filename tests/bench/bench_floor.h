/* bench_floor.h - for bench_stream: what a machine can do at most, written by hand for nothing else. */
#ifndef TESTS_BENCH_FLOOR_H
#define TESTS_BENCH_FLOOR_H

#include <stdint.h>

typedef struct bench_floor bench_floor;

/* Its memory, all of it there and touched. NULL without memory. */
bench_floor *bench_floor_new(void);
void bench_floor_free(bench_floor *f);
/* Put the TCP streams of a pcap file of Ethernet frames in order as long as they are in order; returns how many packets
   there were, *ret_bytes the payload in order. Negative: it cannot be read. */
int64_t bench_floor_run(bench_floor *f, const char *path, uint64_t *ret_bytes);

#endif
