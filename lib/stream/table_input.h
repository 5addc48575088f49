/* table_input.h - a packet table with payload as input. */
#ifndef NF_STREAM_TABLE_INPUT_H
#define NF_STREAM_TABLE_INPUT_H

#include <netfeat/table.h>

#include "table/column.h"

/* The columns that are read; the first NF_TABLE_NEEDED must be there. */
enum {
    NF_TABLE_TIMESTAMP,
    NF_TABLE_PACKET_NUMBER,
    NF_TABLE_PROTOCOL,
    NF_TABLE_SRC_IP,
    NF_TABLE_DST_IP,
    NF_TABLE_SRC_PORT,
    NF_TABLE_DST_PORT,
    NF_TABLE_FLAGS,
    NF_TABLE_SEQ,
    NF_TABLE_ACK,
    NF_TABLE_WINDOW,
    NF_TABLE_LENGTH,
    NF_TABLE_PAYLOAD,
    NF_TABLE_NEEDED,
    NF_TABLE_URGENT = NF_TABLE_NEEDED,
    NF_TABLE_SCALE,
    NF_TABLE_TSVAL,
    NF_TABLE_QUALITY,
    NF_TABLE_OFFSET,
    NF_TABLE_COLUMNS
};

typedef struct {
    netfeat_table *table; /* counted reference; NULL: none */
    const netfeat_column *cols[NF_TABLE_COLUMNS];
    int64_t row;
} nf_table_input;

typedef struct netfeat_streams netfeat_streams;

/* NOTFOUND, TYPE, STATE. */
int nf_table_input_open(netfeat_ctx *ctx, nf_table_input *in, netfeat_table *table);
void nf_table_input_close(nf_table_input *in);
/* Work on the next row: 1, or 0 when there is none left. */
int nf_table_input_step(netfeat_streams *st, nf_table_input *in);

#endif
