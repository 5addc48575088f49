/* offload.h - hosts whose checksums are computed by their network card, behind the point of capture: those of
   which the first 16 packets are all bad. */
#ifndef NF_STREAM_OFFLOAD_H
#define NF_STREAM_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/context.h"

typedef struct nf_offload nf_offload;

int nf_offload_new(netfeat_ctx *ctx, nf_offload **ret);
void nf_offload_free(netfeat_ctx *ctx, nf_offload *table);
/* A packet of this address had a bad checksum or a good one: true if bad ones are to be believed in from now
   on. *ret_found is added 1 when that was found out just now. */
bool nf_offload_note(nf_offload *table, const uint8_t *address, bool bad, uint64_t *ret_found);

#endif
