/* state.h - the state of steps as a table, and back: one row per item, with columns step (U32), item (TEXT), type
   (U8, NETFEAT_TYPE_*) and data (BYTES: an array of that type in the machine's order, or a text). Items that begin
   with @ belong to the step itself. Whoever loads a table believes nothing that was not checked. */
#ifndef NF_FEATURE_STATE_H
#define NF_FEATURE_STATE_H

#include "feature/feature.h"
#include "table/builder.h"

struct nf_state_writer {
    netfeat_ctx *ctx;
    uint32_t step;
    nf_builder steps, items, types, data;
};

struct nf_state_reader {
    netfeat_ctx *ctx;
    const netfeat_table *tab;
    const netfeat_column *steps, *items, *types, *data;
    uint32_t step;
    int64_t first, end; /* rows of this step */
};

void nf_state_writer_init(nf_state_writer *w, netfeat_ctx *ctx);
void nf_state_writer_free(nf_state_writer *w);
/* prefix may be "": the item is then called name, else prefix.name. Texts may be any bytes without NUL. */
int nf_state_put(nf_state_writer *w, const char *prefix, const char *name, int type, const void *data,
                 size_t n);
int nf_state_put_u64(nf_state_writer *w, const char *prefix, const char *name, uint64_t value);
int nf_state_put_text(nf_state_writer *w, const char *name, const char *text);
/* Everything of a step; the writer's step number counts up. */
int nf_state_put_step(nf_state_writer *w, const nf_step *step);
int nf_state_finish(nf_state_writer *w, netfeat_table **ret);

/* Schema and order of the table. FORMAT, STATE. */
int nf_state_reader_init(nf_state_reader *r, netfeat_ctx *ctx, const netfeat_table *tab);
/* Number of steps in the table. */
uint32_t nf_state_steps(const nf_state_reader *r);
/* Turn to a step, 0 .. steps - 1. */
void nf_state_select(nf_state_reader *r, uint32_t step);
/* Array of n elements; not aligned. FORMAT when missing, of another type, or (n given as *n >= 0) of another
   length. */
int nf_state_get(nf_state_reader *r, const char *prefix, const char *name, int type, int64_t *n,
                 const uint8_t **ret);
int nf_state_get_u64(nf_state_reader *r, const char *prefix, const char *name, uint64_t max, uint64_t *ret);
/* A new block of nf_alloc with a copy of the array, of at least one element's size; *ret_cap in elements. */
int nf_state_get_copy(nf_state_reader *r, const char *prefix, const char *name, int type, int64_t n,
                      void **ret, size_t *ret_cap);
/* Owned text, UTF-8 without NUL; free with *ret_cap, its length + 1. */
int nf_state_get_text(nf_state_reader *r, const char *item, char **ret, size_t *ret_cap);
bool nf_state_has(nf_state_reader *r, const char *name);
/* Make the step that is selected. */
int nf_state_get_step(nf_state_reader *r, nf_step **ret);
/* A table of one step, and back; kind NF_ENCODER or NF_ACCUMULATOR. */
int nf_state_of_step(netfeat_ctx *ctx, const nf_step *step, netfeat_table **ret);
int nf_state_to_step(netfeat_ctx *ctx, const netfeat_table *tab, int kind, nf_step **ret);
int nf_state_bad(nf_state_reader *r, const char *what);

#endif
