/* window.h - inside of tumbling windows. */
#ifndef NF_FEATURE_WINDOW_H
#define NF_FEATURE_WINDOW_H

#include "feature/exact.h"
#include "feature/group.h"
#include "feature/state.h"

enum { NF_WINDOW_UNSIGNED = 1, NF_WINDOW_SIGNED = 2, NF_WINDOW_DOUBLE = 3 };

/* What is known of one window and key. Plain 64-bit numbers, saved as they are. */
typedef struct {
    uint64_t rows;
    uint64_t distinct;
    nf_int_sums sums; /* integers; count counts the values of any type */
    double sum_f64, sum_error, mean, m2;
} nf_window_cell;

#define CELL_WORDS (sizeof(nf_window_cell) / sizeof(uint64_t))
_Static_assert(sizeof(nf_window_cell) % sizeof(uint64_t) == 0, "cells are saved as words");

typedef struct {
    int mode;
    bool counts_distinct;
    int first_key; /* input */
    int64_t length, lateness;
    bool has_clock;
    int64_t clock; /* latest time so far */
    uint64_t late;
    nf_groups groups; /* window number, keys */
    nf_groups pairs;  /* group, value: each once */
    nf_window_cell *cells;
    size_t cells_cap;
} nf_windows;

/* Empty groups, as for a fresh state. */
int nf_windows_init_groups(const nf_step *step, nf_groups *groups, nf_groups *pairs);
/* A cell for every group. */
int nf_windows_make_room(netfeat_ctx *ctx, nf_windows *s);
/* Write all windows, or those below number `open`, in ascending order of window and keys, and forget them. */
int nf_windows_close(netfeat_ctx *ctx, nf_step *step, bool all, int64_t open, nf_outputs *out);
int nf_windows_finish(netfeat_ctx *ctx, nf_step *step, nf_outputs *out);
int nf_windows_merge(nf_step *step, const nf_step *other);
int nf_windows_save(const nf_step *step, nf_state_writer *w);
int nf_windows_load(nf_step *step, nf_state_reader *r);

#endif
