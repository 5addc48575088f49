/* flow_floor.h - what grouping packets by their five keys costs at least on the machine at hand: count, sum of
   lengths, lowest and highest time of each one-way flow, by hand. All memory is there and was touched, the number
   of flows is known, nothing can fail, keys are compared in full, and, but where that is said, no table is made of the
   result. */
#ifndef FLOW_FLOOR_H
#define FLOW_FLOOR_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t rows;
    const uint8_t *src, *dst;           /* 16 bytes each */
    const uint8_t *src_port, *dst_port; /* 2 */
    const uint8_t *protocol;            /* 1 */
    const uint8_t *time, *length;       /* 8, 4 */
} floor_input;

/* Zeros, on huge pages where the system has them: as the library keeps the columns that it reads. */
uint8_t *floor_memory(size_t bytes);
/* Rows written to 256 parts by the hash of their key, past the cache; then each part added up in the cache.
   Seconds of processor time, the best of `passes`; the number of flows. */
double floor_partitioned(const floor_input *in, int passes, size_t *ret_flows);
/* The same, and a table of the flows in the order of their first packets, with the columns of the profile "notebook"; flows
   and columns lie in pages that are fresh in each pass, as those of a result are. */
double floor_partitioned_table(const floor_input *in, int passes, size_t flows);
/* As they come: 64 rows are hashed, their slots fetched ahead, then their entries. */
double floor_streaming(const floor_input *in, int passes, size_t flows);

#endif
