/* pipeline.h - inside of a pipeline. */
#ifndef NF_FEATURE_PIPELINE_H
#define NF_FEATURE_PIPELINE_H

#include <netfeat/pipeline.h>

#include "feature/state.h"

#define NF_STEPS_MAX 256

struct netfeat_pipeline {
    nf_ref refs;
    netfeat_ctx *ctx; /* counted reference */
    size_t n, cap;
    nf_step **steps;
    bool fitted, sealed, failed;
    bool names_checked; /* the names of all outputs were found to be distinct */
};

/* Takes the step in any case. STATE, LIMIT, ARGUMENT. */
int nf_pipeline_add_step(netfeat_pipeline *pipe, nf_step *step);

#endif
