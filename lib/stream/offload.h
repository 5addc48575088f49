/* offload.h - hosts whose checksums are computed by their network card, behind the point of capture: those of
   which the first 16 packets are all bad. Until one was good or 16 were bad, nothing is held against a host: were its
   packets ignored meanwhile, the start of every such capture would be lost. */
#ifndef NF_STREAM_OFFLOAD_H
#define NF_STREAM_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/context.h"

typedef struct nf_offload nf_offload;

/* totals, NF_TOTALS of them, lives as long as the table. */
int nf_offload_new(netfeat_ctx *ctx, uint64_t *totals, nf_offload **ret);
void nf_offload_free(nf_offload *table);
/* A packet of this address had a bad checksum or a good one: 1 if it is to be taken all the same, 0 if not, or an error
   code. */
int nf_offload_note(nf_offload *table, const uint8_t *address, bool bad);

#endif
