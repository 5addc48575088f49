/* fragments.h - which flow the fragments of a datagram belong to: only the first one has ports. A table of
   bounded size; the datagram whose first fragment was seen longest ago makes room. */
#ifndef NF_FLOW_FRAGMENTS_H
#define NF_FLOW_FRAGMENTS_H

#include "flow/flow.h"

int nf_fragments_new(netfeat_ctx *ctx, uint32_t max, nf_fragments **ret);
void nf_fragments_free(netfeat_ctx *ctx, nf_fragments *fr);
/* p->key is the key as its sender sees it, with ports if p is a first fragment. Remember a first fragment; give
   the others the key of theirs, or the kind NF_KEY_FRAGMENT when it is not known. NOMEM. */
int nf_fragments_assign(netfeat_flows *fl, nf_flow_packet *p);
/* How many datagrams are remembered. */
uint32_t nf_fragments_count(const nf_fragments *fr);
/* The next younger one; of NF_MAP_NONE the oldest, after the youngest, or without a table, NF_MAP_NONE. */
uint32_t nf_fragments_next(const nf_fragments *fr, uint32_t index);
/* Of its first fragment in the input. */
uint64_t nf_fragments_position(const nf_fragments *fr, uint32_t index);
/* One of them, and the way to put it back, the oldest first, for saving and loading. */
#define NF_FRAGMENT_BYTES 72
void nf_fragments_save(const nf_fragments *fr, uint32_t index, uint8_t ret[NF_FRAGMENT_BYTES]);
int nf_fragments_load(netfeat_flows *fl, const uint8_t bytes[NF_FRAGMENT_BYTES]);

#endif
