/* damped.h - inside of damped statistics: streams of one sender, and pairs of two. */
#ifndef NF_FEATURE_DAMPED_H
#define NF_FEATURE_DAMPED_H

#include "feature/group.h"
#include "feature/state.h"

enum { NF_DECAYS = 5 }; /* lambda 5, 3, 1, 0.1, 0.01 per second */
enum { NF_DAMPED_COLUMNS_MAX = 115 };

/* Weight, sum and sum of squares for each lambda, as they were at time `last`. */
typedef struct {
    int64_t last; /* ns */
    double w[NF_DECAYS], sum[NF_DECAYS], squares[NF_DECAYS];
} nf_damped_stream;

/* Sum of products of residues and its weight, and each side's last residue. */
typedef struct {
    int64_t last;
    double products[NF_DECAYS], w[NF_DECAYS], residue[2][NF_DECAYS];
} nf_damped_pair;

/* Profile 1: which pairs a stream has, in order of creation; numbers plus one, 0 is none. */
typedef struct {
    uint32_t first, last;
} nf_damped_list;
typedef struct {
    uint32_t stream[2];
    uint32_t next[2];
} nf_damped_link;

typedef struct {
    nf_groups groups;
    nf_damped_stream *streams;
    size_t cap;
    nf_damped_list *lists;
    size_t lists_cap;
} nf_stream_table;

typedef struct {
    nf_groups groups;
    nf_damped_pair *pairs;
    size_t cap;
    nf_damped_link *links;
    size_t links_cap;
} nf_pair_table;

typedef struct {
    bool kitsune; /* profile 1 */
    bool wide;    /* 115 columns */
    nf_stream_table mi, host, jitter, socket;
    nf_pair_table hosts, sockets;
} nf_damped;

/* Fresh columns in the order of a layout, for the caller to fill in. */
int nf_damped_add_columns(netfeat_ctx *ctx, const nf_step *step, int64_t rows, nf_outputs *out, double **data,
                          uint8_t **validity);
void nf_damped_init_tables(nf_step *step);
void nf_damped_free_tables(nf_step *step);
int nf_damped_stream_room(netfeat_ctx *ctx, nf_stream_table *t, bool lists);
int nf_damped_pair_room(netfeat_ctx *ctx, nf_pair_table *t, bool links);
int nf_damped_save(const nf_step *step, nf_state_writer *w);
int nf_damped_load(nf_step *step, nf_state_reader *r);
int64_t nf_damped_count(const nf_step *step, int which);

#endif
