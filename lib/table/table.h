/* table.h - inside of a table: named columns when sealed, a packet builder while it grows. */
#ifndef NF_TABLE_TABLE_H
#define NF_TABLE_TABLE_H

#include <netfeat/table.h>

#include "capture/record.h"
#include "decode/packet.h"
#include "table/column.h"

typedef struct nf_packet_builder nf_packet_builder;

/* What a table says of itself as a whole ("netfeat.kind" and so on). */
typedef struct {
    char *key, *value; /* owned */
} nf_meta;

struct netfeat_table {
    nf_ref refs;
    netfeat_ctx *ctx; /* counted reference */
    int64_t rows;
    int width;
    char **names;               /* owned */
    netfeat_column **cols;      /* counted references; NULL until sealed */
    nf_packet_builder *growing; /* NULL once sealed */
    nf_meta *meta;
    size_t meta_count, meta_cap;
};

/* meta.c: set or replace a pair before anybody else sees the table; both are copied. */
int nf_table_set_meta(netfeat_table *tab, const char *key, const char *value);
void nf_table_free_meta(netfeat_table *tab);

/* Sealed table over columns of equal length (asserted); the references in cols are taken over, also on
   failure. Names are copied and must be distinct. rows matters only when n is 0. */
int nf_table_make(netfeat_ctx *ctx, const char *const *names, netfeat_column **cols, int n, int64_t rows,
                  netfeat_table **ret);
/* Unsealed table of that width with room for names and columns (all NULL). */
int nf_table_alloc(netfeat_ctx *ctx, int width, netfeat_table **ret);
int nf_table_set_name(netfeat_table *tab, int index, const char *name);
/* 0, or STATE with a message that names the call. */
int nf_table_check_sealed(netfeat_ctx *ctx, const netfeat_table *tab, const char *call);

/* packet_table.c */
void nf_packet_builder_free(netfeat_ctx *ctx, nf_packet_builder *pb);
/* What the options table.* say about decoding, in config (all zero before, but for `want`). ARGUMENT. */
int nf_table_decoding(netfeat_ctx *ctx, const netfeat_options *opts, nf_decode_config *config);
/* One more row out of a record that did not come from a source directly. LIMIT, NOMEM: nothing was appended. The
   table is growing (STATE otherwise, with a message that names the call). */
int nf_table_append_record(netfeat_table *tab, const nf_record *record, const char *call);

#endif
