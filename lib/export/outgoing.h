/* outgoing.h - a column in the shape in which it leaves: as it is, as text, as dictionary-encoded text, or as views. */
#ifndef NF_EXPORT_OUTGOING_H
#define NF_EXPORT_OUTGOING_H

#include "table/table.h"

/* Part of a view's data, small enough for 32-bit offsets. */
typedef struct {
    const uint8_t *p;
    int64_t size;
} nf_block;

typedef struct nf_outgoing {
    nf_ref refs;
    netfeat_ctx *ctx;           /* counted reference */
    netfeat_column *described;  /* counted reference: the column that the metadata speaks of */
    netfeat_column *col;        /* counted reference: values, or indexes when encoded */
    struct nf_outgoing *values; /* encoded: the dictionary */
    struct nf_outgoing *item;   /* LIST */
    uint8_t *views;             /* 16 bytes per row, or NULL */
    int64_t *sizes;             /* of the blocks */
    nf_block *blocks;
    size_t block_count;
} nf_outgoing;

enum { NF_ADDRESS_BYTES, NF_ADDRESS_DICTIONARY, NF_ADDRESS_TEXT };

typedef struct {
    int address; /* NF_ADDRESS_* */
    bool views;
} nf_shape;

/* What io.addresses (text: as a dictionary) and io.binary_view ask for. ARGUMENT for an unknown word. */
int nf_shape_of(netfeat_ctx *ctx, const netfeat_options *opts, nf_shape *ret);
int nf_outgoing_new(netfeat_ctx *ctx, netfeat_column *col, const nf_shape *shape, nf_outgoing **ret);
nf_outgoing *nf_outgoing_ref(nf_outgoing *o);
nf_outgoing *nf_outgoing_unref(nf_outgoing *o);

/* All columns of a table. Zero-initialised is empty. */
typedef struct {
    netfeat_ctx *ctx;
    nf_outgoing **cols;
    size_t count;
} nf_outgoing_list;
int nf_outgoing_list_make(netfeat_ctx *ctx, const netfeat_table *tab, const nf_shape *shape,
                          nf_outgoing_list *ret);
void nf_outgoing_list_free(nf_outgoing_list *list);

/* One of the words of a text option, by its place in `words` (NULL at the end); ARGUMENT. */
int nf_option_word(netfeat_ctx *ctx, const netfeat_options *opts, int key, const char *const *words);
/* Rows per batch: io.batch_rows as a multiple of 8; `otherwise` when it is 0. */
int64_t nf_option_batch_rows(const netfeat_options *opts, int64_t otherwise);

#endif
