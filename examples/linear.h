/* linear.h - a linear model in an Arrow file: one row of numbers, named after features, and "intercept". */
#ifndef EXAMPLES_LINEAR_H
#define EXAMPLES_LINEAR_H

#include <netfeat/netfeat.h>

#define LINEAR_ROWS 1024

struct linear {
    const char *path; /* NULL: no model */
    netfeat_table *weights;
    double score[LINEAR_ROWS], probability[LINEAR_ROWS];
    uint8_t decision[LINEAR_ROWS], valid[LINEAR_ROWS / 8];
};

/* Put score (intercept + the sum of weight * feature, from left to right), probability (1 / (1 + exp(-score))) and
   decision (1 where score > 0) to the right of *tab, NULL where a feature is. The columns look into model: they are
   gone with the next call. At most LINEAR_ROWS rows. 0, an error's code, or 1 after a message: the model does not
   fit. */
int linear_apply(netfeat_ctx *ctx, struct linear *model, const netfeat_table *features, netfeat_table **tab);

#endif
