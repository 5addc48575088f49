/* output.h - flows into a table. */
#ifndef NF_FLOW_OUTPUT_H
#define NF_FLOW_OUTPUT_H

#include "flow/flow.h"

/* Sealed table with the configured columns, one row per flow in this order. Flows that the profile drops for
   having too few packets must have been taken out. NOMEM. */
int nf_flow_output(netfeat_ctx *ctx, const nf_flow_config *config, const nf_flow *const *flows, size_t n,
                   netfeat_table **ret);

#endif
