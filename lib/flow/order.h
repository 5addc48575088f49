/* order.h - sorting many rows by radix: stable, linear, and without a comparison that could be slow on purpose.
 */
#ifndef NF_FLOW_ORDER_H
#define NF_FLOW_ORDER_H

#include "flow/flow.h"

/* Sort flows[0 .. n) ascending by the position of their first or last packet. NOMEM, LIMIT. */
int nf_order_by_position(netfeat_ctx *ctx, const nf_flow **flows, size_t n);
int nf_order_by_last_position(netfeat_ctx *ctx, const nf_flow **flows, size_t n);
/* Sort them ascending by source, destination (both as text, compared byte by byte), ports (none is 0) and
   protocol; equal ones keep their order. NOMEM, LIMIT. */
int nf_order_by_key(netfeat_ctx *ctx, const nf_flow **flows, size_t n);
/* The same for rows of any kind: key_of tells the key of one, and which side of it is the source. */
typedef const nf_flow_key *(*nf_order_key)(const void *row, uint8_t *ret_source);
int nf_order_rows_by_key(netfeat_ctx *ctx, const void **rows, size_t n, nf_order_key key_of);

#endif
