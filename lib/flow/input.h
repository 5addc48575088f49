/* input.h - rows of a packet table as flows see them, a batch at a time. */
#ifndef NF_FLOW_INPUT_H
#define NF_FLOW_INPUT_H

#include "flow/flow.h"

enum {
#define INPUT(suffix, name, type) NF_IN_##suffix,
#include "flow/inputs.def"
#undef INPUT
    NF_INPUTS
};
#define NF_IN(suffix) (UINT32_C(1) << NF_IN_##suffix)
_Static_assert(NF_INPUTS <= 32, "inputs are a set of 32 bits");

typedef struct {
    const netfeat_column *col[NF_INPUTS]; /* borrowed; NULL: not asked for, or optional and not there */
    const netfeat_column *length;         /* NULL: not asked for */
    int64_t rows;
} nf_flow_input;

/* Find the columns that the table of flows needs, and check their types. NOTFOUND and TYPE name the column. */
int nf_flow_input_open(netfeat_ctx *ctx, const nf_flow_config *config, const netfeat_table *packets,
                       nf_flow_input *ret);
/* Rows first .. first + n - 1, n <= NF_FLOW_BATCH, into packets[0 .. n): everything but key, side and hash.
   RANGE with nothing usable in packets. */
int nf_flow_input_read(netfeat_flows *fl, const nf_flow_input *in, int64_t first, int n,
                       nf_flow_packet *packets);
/* Integer values of a column that nf_flow_length_column() gave; NULL rows count 0. The first row with a value that
   is no length, or -1: then nf_flow_length_error() says so. */
int64_t nf_flow_lengths(const netfeat_column *col, int64_t first, int n, uint64_t *ret);
int nf_flow_length_error(netfeat_ctx *ctx, int64_t row);
/* The column to sum, by name: NOTFOUND, TYPE. Borrowed from the table. */
int nf_flow_length_column(netfeat_ctx *ctx, const netfeat_table *packets, const char *name,
                          const netfeat_column **ret);
/* A column by number of input. NOTFOUND, TYPE. */
int nf_flow_input_column(netfeat_ctx *ctx, const netfeat_table *packets, int input,
                         const netfeat_column **ret);

#endif
