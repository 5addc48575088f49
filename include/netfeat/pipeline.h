/* pipeline.h - an ordered list of features: fitted once, saved as one table, loaded in a sensor and applied
   batch by batch, with the same bits as over the whole capture. One thread at a time. */
#ifndef NETFEAT_PIPELINE_H
#define NETFEAT_PIPELINE_H

#include <netfeat/base.h>

NETFEAT_BEGIN_DECLS

/* Empty pipeline. */
NETFEAT_API int netfeat_pipeline_new(netfeat_ctx *ctx, netfeat_pipeline **ret) NETFEAT_MUST_CHECK;
/* Add a step: a feature that gives one row per row. inputs: column names, of the input table or of earlier
   steps (n 0: the catalogue's). output: name of its column, or prefix of its columns; NULL or "": the feature's
   own names. An encoder may not read an encoder's output. STATE (fitted already), ARGUMENT, LIMIT (256 steps). */
NETFEAT_API int netfeat_pipeline_add(netfeat_pipeline *pipe, int feature, const char *const *inputs, size_t n,
                                     const char *output, const netfeat_options *opts);
/* The whole list from JSON, for example
   {"version": 1, "steps": [{"feature": "cumulative", "inputs": ["frame_length", "src_ip"],
    "output": "src_ip_total_bytes", "options": {"feature.null_key": 1}}]}
   "inputs", "output" and "options" may be left out. At most 1 MiB and 8 levels. FORMAT with the byte offset. */
NETFEAT_API int netfeat_pipeline_from_json(netfeat_ctx *ctx, const char *text, size_t size,
                                           netfeat_pipeline **ret) NETFEAT_MUST_CHECK;
/* Let every encoder in it learn from one more sealed table. STATE (sealed), NOTFOUND, TYPE, LIMIT. */
NETFEAT_API int netfeat_pipeline_fit(netfeat_pipeline *pipe, const netfeat_table *tab);
/* Learn all that other, of the same steps, has learned. Neither is sealed (STATE). */
NETFEAT_API int netfeat_pipeline_merge(netfeat_pipeline *pipe, const netfeat_pipeline *other);
/* Stop learning, and begin: accumulators are empty now, whatever passed through fit. */
NETFEAT_API int netfeat_pipeline_seal(netfeat_pipeline *pipe);
/* The columns of all steps for one sealed table, in the order of the steps. Accumulators go on from the table
   before. STATE (not sealed). */
NETFEAT_API int netfeat_pipeline_apply(netfeat_pipeline *pipe, const netfeat_table *tab,
                                       netfeat_table **ret) NETFEAT_MUST_CHECK;
/* Back to the moment of sealing: what was learned stays, what passed through apply is forgotten. STATE (not
   sealed). */
NETFEAT_API int netfeat_pipeline_reset(netfeat_pipeline *pipe);
/* Number of steps; ARGUMENT if pipe is NULL. */
NETFEAT_API int netfeat_pipeline_steps(const netfeat_pipeline *pipe);
/* Feature, output name, number of inputs and name of an input of step index; RANGE, or NULL. Borrowed. */
NETFEAT_API int netfeat_pipeline_step_feature(const netfeat_pipeline *pipe, int index);
NETFEAT_API const char *netfeat_pipeline_step_output(const netfeat_pipeline *pipe, int index);
NETFEAT_API int netfeat_pipeline_step_inputs(const netfeat_pipeline *pipe, int index);
NETFEAT_API const char *netfeat_pipeline_step_input(const netfeat_pipeline *pipe, int index, int input);
/* Steps and state, what was learned and what is being carried, as one table (see netfeat_encoder_to_table). */
NETFEAT_API int netfeat_pipeline_to_table(netfeat_ctx *ctx, const netfeat_pipeline *pipe,
                                          netfeat_table **ret) NETFEAT_MUST_CHECK;
/* And back; the table may come from a stranger, everything is checked. FORMAT, UNSUPPORTED (another version). */
NETFEAT_API int netfeat_pipeline_from_table(netfeat_ctx *ctx, const netfeat_table *tab,
                                            netfeat_pipeline **ret) NETFEAT_MUST_CHECK;
NETFEAT_API netfeat_pipeline *netfeat_pipeline_ref(netfeat_pipeline *pipe);
NETFEAT_API netfeat_pipeline *netfeat_pipeline_unref(netfeat_pipeline *pipe);

NETFEAT_END_DECLS

#endif
