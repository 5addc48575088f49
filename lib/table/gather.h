/* gather.h - from decoded headers to columns: one tight loop per column and batch. */
#ifndef NF_TABLE_GATHER_H
#define NF_TABLE_GATHER_H

#include "decode/packet.h"
#include "table/builder.h"

/* Append field `field` of pkts[0 .. n), n <= 64, to b. Room was reserved: rows, bitmap (if the builder has
   one or any of the packets lacks the field), payload bytes. all and any: the bits present in every, in at
   least one packet. */
void nf_gather(nf_builder *b, int field, const nf_packet *pkts, int n, uint64_t all, uint64_t any);
/* Whether the field may be NULL at all. */
bool nf_field_is_nullable(int field);

#endif
