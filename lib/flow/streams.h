/* streams.h - one-way flows of a whole table: what is known of one, and the table made of all. */
#ifndef NF_FLOW_STREAMS_H
#define NF_FLOW_STREAMS_H

#include "flow/entries.h"
#include "flow/flow.h"

typedef struct {
    uint64_t key[NF_KEY_WORDS];    /* an nf_flow_key */
    int64_t first_time, last_time; /* lowest and highest; first > last: none of its packets has one */
    uint64_t bytes;
    uint32_t packets;
    uint32_t first_row;
} nf_flow_stream;
_Static_assert(sizeof(nf_flow_stream) == 72, "streams have no padding");

/* Streams as one worker found them. */
typedef struct {
    const nf_entries *entries;
    size_t n;
    const uint32_t *first_rows; /* of each again, to be read without the streams */
} nf_stream_list;

/* Table of the notebook's columns over all streams of lists[0 .. n_lists), in the order that config asks for. rows:
   of the packet table. NOMEM, LIMIT. */
int nf_streams_output(netfeat_ctx *ctx, const nf_flow_config *config, const nf_stream_list *lists,
                      size_t n_lists, int64_t rows, netfeat_table **ret);

#endif
