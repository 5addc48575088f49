/* feature.h - inside of a feature: its class, and the step that binds a class to columns, options and state. An
   encoder, an accumulator and every step of a pipeline is one nf_step. */
#ifndef NF_FEATURE_FEATURE_H
#define NF_FEATURE_FEATURE_H

#include <stdbool.h>

#include <netfeat/encoder.h>
#include <netfeat/feature.h>

#include "base/options.h"
#include "table/table.h"

/* Most inputs of a step: a value, a counted column, a time and the keys. */
#define NF_INPUTS_MAX 20
/* Rows that the kernels take at a time: their scratch arrays stay in the first-level cache. */
#define NF_BLOCK 1024

typedef struct nf_step nf_step;
typedef struct nf_state_writer nf_state_writer;
typedef struct nf_state_reader nf_state_reader;

/* Result columns while they are collected. */
typedef struct {
    netfeat_ctx *ctx;
    const char *prefix; /* borrowed; "" for the feature's own names */
    const char *name;   /* of the feature: the column name where there is neither prefix nor suffix */
    size_t n, cap, names_cap;
    char **names;
    netfeat_column **cols;
} nf_outputs;

void nf_outputs_init(nf_outputs *out, netfeat_ctx *ctx);
void nf_outputs_free(nf_outputs *out);
/* Add a column called prefix, suffix or prefix_suffix; takes its reference, also on failure. */
int nf_outputs_add(nf_outputs *out, const char *suffix, netfeat_column *col);
/* The table of it all; names are checked unless they are known to be distinct. */
int nf_outputs_table(nf_outputs *out, bool checked, netfeat_table **ret);

enum { NF_STATELESS = 0, NF_ENCODER = 1, NF_ACCUMULATOR = 2 };

/* What a feature does. Hooks may be NULL where there is nothing to do. Columns in `in` are as many as the step
   has inputs, of equal length, of the types in step->types. */
typedef struct nf_feature_class {
    int id;
    int kind;
    int min_inputs, max_inputs;
    bool ordered;          /* accumulator whose merge goes by row numbers */
    bool keys_by_equality; /* inputs behind the first are keys, and only which are equal matters */
    bool other_rows;       /* gives tables of another length */
    size_t state_bytes;
    /* Options: contradictions are ARGUMENT. */
    int (*open)(nf_step *step);
    /* Types of the inputs are known now: TYPE when they do not fit; the empty state. */
    int (*bind)(nf_step *step);
    void (*close)(nf_step *step);
    int (*fit)(nf_step *step, netfeat_column *const *in);
    int (*seal)(nf_step *step);
    /* Encoders and stateless features leave the step unchanged; ctx is the caller's. */
    int (*apply)(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out);
    int (*finish)(netfeat_ctx *ctx, nf_step *step, nf_outputs *out);
    int (*merge)(nf_step *step, const nf_step *other);
    int (*mapping)(netfeat_ctx *ctx, nf_step *step, nf_outputs *out);
    int (*save)(const nf_step *step, nf_state_writer *w);
    int (*load)(nf_step *step, nf_state_reader *r);
    /* NETFEAT_COUNT_KEYS and the like */
    int64_t (*count)(const nf_step *step, int which);
} nf_feature_class;

/* Rows first .. end - 1 were pushed. */
typedef struct {
    uint64_t first, end;
} nf_row_range;

struct nf_step {
    netfeat_ctx *ctx; /* counted reference */
    const nf_feature_class *cls;
    netfeat_options *opts; /* a copy of its own */
    int n_inputs;
    char *inputs[NF_INPUTS_MAX];
    char *output; /* "" for the feature's own names */
    int types[NF_INPUTS_MAX];
    bool bound, sealed, failed;
    bool typeless; /* encoder by a given map: needs no column to learn from, and checks types itself */
    void *state;   /* cls->state_bytes, zeroed before open */
    uint64_t rows;
    nf_row_range *ranges; /* ordered classes: ascending, neither touching nor overlapping */
    size_t n_ranges, ranges_cap;
};

/* inputs NULL: unnamed, n of them (the short functions). n 0: the catalogue's. The class checks n. */
int nf_step_new(netfeat_ctx *ctx, int feature, const char *const *inputs, size_t n, const char *output,
                const netfeat_options *opts, nf_step **ret);
void nf_step_free(nf_step *step);
/* Settings of the feature section only: nothing else changes what a feature computes. opts may be NULL. */
int nf_feature_copy_options(netfeat_ctx *ctx, const netfeat_options *opts, netfeat_options **ret);
/* A new step of the same feature, inputs and options, without state; borrow its state where it is sealed. */
int nf_step_clone_empty(netfeat_ctx *ctx, const nf_step *step, nf_step **ret);
int nf_step_fit(nf_step *step, netfeat_column *const *in);
int nf_step_seal(nf_step *step);
int nf_step_apply(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out);
int nf_step_merge(nf_step *step, const nf_step *other);
/* The empty state for inputs of these types. Binding twice to the same types is harmless. */
int nf_step_bind(nf_step *step, netfeat_column *const *in);
int nf_step_bind_types(nf_step *step, const int *types);
/* The columns named by its inputs. NOTFOUND. */
int nf_step_columns(netfeat_ctx *ctx, const nf_step *step, const netfeat_table *tab, netfeat_column **in);
static inline int64_t nf_step_option(const nf_step *step, int key)
{
    return nf_option(step->opts, key);
}
/* "feature.cumulative@1": the definition of result columns. */
const char *nf_feature_definition(int feature);

/* NULL for features that are functions only. */
const nf_feature_class *nf_feature_class_of(int feature);
extern const nf_feature_class nf_cumulative_class, nf_cumulative_bytes_class, nf_ip_numeric_class,
    nf_frequency_class, nf_timestamp_class, nf_interarrival_class, nf_onehot_class, nf_ordinal_class,
    nf_standard_scale_class, nf_minmax_scale_class, nf_tcp_flags_class, nf_ip_private_class,
    nf_direction_class, nf_port_class_class, nf_mirai_syn_class, nf_payload_entropy_class,
    nf_payload_histogram_class, nf_window_class, nf_damped_class;

/* Short forms: step over these columns, fitted on them where it is an encoder; the first column, or the table. */
int nf_feature_run(netfeat_ctx *ctx, int feature, netfeat_column *const *in, size_t n,
                   const netfeat_options *opts, netfeat_table **ret);
int nf_feature_run_column(netfeat_ctx *ctx, int feature, netfeat_column *const *in, size_t n,
                          const netfeat_options *opts, netfeat_column **ret);
/* ARGUMENT (NULL), STATE (not sealed). */
int nf_feature_table(netfeat_ctx *ctx, const netfeat_table *tab);
/* Column index of a sealed table, or an error: ARGUMENT, STATE, RANGE. */
int nf_feature_column(netfeat_ctx *ctx, const netfeat_table *tab, int index, netfeat_column **ret);
/* Checks of the key list; appends the columns to in[*n]. */
int nf_feature_keys(netfeat_ctx *ctx, const netfeat_table *tab, const int *key, size_t n_key,
                    netfeat_column **in, size_t *n);
/* A column by name; NOTFOUND. */
int nf_feature_named(netfeat_ctx *ctx, const netfeat_table *tab, const char *name, netfeat_column **ret);
int nf_type_error(const nf_step *step, int input, const char *wanted);

/* Values first .. first + n - 1 of an integer or BOOL column, widened; NULL rows read as 0. */
void nf_read_u64(const netfeat_column *col, int64_t first, int n, uint64_t *restrict to);
/* The same for every numeric type, rounded to double. */
void nf_read_f64(const netfeat_column *col, int64_t first, int n, double *restrict to);
/* Copy of a column's bitmap into a fresh one (all ones); nothing when there is no NULL. */
void nf_copy_validity(uint8_t *to, const netfeat_column *col);

#endif
