#include "stream/table_input.h"

#include <string.h>

#include <netfeat/field.h>

#include "stream/feed.h"
#include "table/table.h"

static const int fields[NF_TABLE_COLUMNS] = {
    [NF_TABLE_TIMESTAMP] = NETFEAT_FIELD_TIMESTAMP,
    [NF_TABLE_PACKET_NUMBER] = NETFEAT_FIELD_PACKET_NUMBER,
    [NF_TABLE_PROTOCOL] = NETFEAT_FIELD_IP_PROTOCOL,
    [NF_TABLE_SRC_IP] = NETFEAT_FIELD_SRC_IP,
    [NF_TABLE_DST_IP] = NETFEAT_FIELD_DST_IP,
    [NF_TABLE_SRC_PORT] = NETFEAT_FIELD_SRC_PORT,
    [NF_TABLE_DST_PORT] = NETFEAT_FIELD_DST_PORT,
    [NF_TABLE_FLAGS] = NETFEAT_FIELD_TCP_FLAGS,
    [NF_TABLE_SEQ] = NETFEAT_FIELD_TCP_SEQ,
    [NF_TABLE_ACK] = NETFEAT_FIELD_TCP_ACK,
    [NF_TABLE_WINDOW] = NETFEAT_FIELD_TCP_WINDOW,
    [NF_TABLE_LENGTH] = NETFEAT_FIELD_PAYLOAD_LENGTH,
    [NF_TABLE_PAYLOAD] = NETFEAT_FIELD_PAYLOAD,
    [NF_TABLE_URGENT] = NETFEAT_FIELD_TCP_URGENT_POINTER,
    [NF_TABLE_SCALE] = NETFEAT_FIELD_TCP_WINDOW_SCALE,
    [NF_TABLE_TSVAL] = NETFEAT_FIELD_TCP_TIMESTAMP,
    [NF_TABLE_QUALITY] = NETFEAT_FIELD_QUALITY,
    [NF_TABLE_OFFSET] = NETFEAT_FIELD_FRAGMENT_OFFSET,
};

int nf_table_input_open(netfeat_ctx *ctx, nf_table_input *in, netfeat_table *table)
{
    int code = nf_table_check_sealed(ctx, table, "streams_feed_table");

    if (code != 0) {
        return code;
    }
    for (int i = 0; i < NF_TABLE_COLUMNS; i++) {
        const char *name = netfeat_field_name(fields[i]);
        int at = netfeat_table_find(table, name);

        in->cols[i] = at >= 0 ? netfeat_table_column(table, at) : NULL;
        if (i < NF_TABLE_NEEDED && in->cols[i] == NULL) {
            return nf_error(ctx, NETFEAT_ERR_NOTFOUND, "the table has no column %s", name);
        }
        if (in->cols[i] != NULL && in->cols[i]->type != netfeat_field_type(fields[i])) {
            return nf_error(ctx, NETFEAT_ERR_TYPE, "column %s is of type %s", name,
                            netfeat_type_name(in->cols[i]->type));
        }
    }
    in->table = netfeat_table_ref(table);
    in->row = 0;
    return NETFEAT_OK;
}

void nf_table_input_close(nf_table_input *in)
{
    in->table = netfeat_table_unref(in->table);
}

static bool has(const nf_table_input *in, int col)
{
    return in->cols[col] != NULL && nf_column_present(in->cols[col], in->row);
}

/* The value of an unsigned column of 1 to 8 bytes; 0 if it is NULL or not there. */
static uint64_t number(const nf_table_input *in, int col)
{
    const netfeat_column *c = in->cols[col];
    const uint8_t *p;

    if (!has(in, col)) {
        return 0;
    }
    p = c->data + in->row * nf_type_width(c->type);
    switch (nf_type_width(c->type)) {
    case 1:
        return *p;
    case 2:
        return *(const uint16_t *)(const void *)p;
    case 4:
        return *(const uint32_t *)(const void *)p;
    default:
        return *(const uint64_t *)(const void *)p;
    }
}

static void fill_segment(const netfeat_streams *st, const nf_table_input *in, nf_segment *seg)
{
    const netfeat_column *payload = in->cols[NF_TABLE_PAYLOAD];
    const int64_t *offsets = payload->offsets;

    memset(seg, 0, sizeof *seg);
    nf_segment_key(st, seg, (int)number(in, NF_TABLE_PROTOCOL),
                   in->cols[NF_TABLE_SRC_IP]->data + 16 * in->row,
                   in->cols[NF_TABLE_DST_IP]->data + 16 * in->row, (uint16_t)number(in, NF_TABLE_SRC_PORT),
                   (uint16_t)number(in, NF_TABLE_DST_PORT));
    seg->flags = (uint16_t)number(in, NF_TABLE_FLAGS);
    seg->window = (uint16_t)number(in, NF_TABLE_WINDOW);
    seg->urgent = (uint16_t)number(in, NF_TABLE_URGENT);
    seg->seq = (uint32_t)number(in, NF_TABLE_SEQ);
    seg->ack = (uint32_t)number(in, NF_TABLE_ACK);
    seg->has_tsval = has(in, NF_TABLE_TSVAL);
    seg->tsval = (uint32_t)number(in, NF_TABLE_TSVAL);
    seg->scale = has(in, NF_TABLE_SCALE) ? (int8_t)(number(in, NF_TABLE_SCALE) & 0x7f) : -1;
    seg->len = (uint32_t)number(in, NF_TABLE_LENGTH);
    seg->data = payload->data + offsets[in->row];
    seg->captured = (uint32_t)(offsets[in->row + 1] - offsets[in->row]);
    seg->captured = seg->captured < seg->len ? seg->captured : seg->len;
    seg->packet = number(in, NF_TABLE_PACKET_NUMBER);
}

/* Everything that a stream needs is in this row. */
static bool is_usable(const nf_table_input *in)
{
    for (int i = NF_TABLE_PROTOCOL; i < NF_TABLE_NEEDED; i++) {
        bool of_tcp = i >= NF_TABLE_FLAGS && i <= NF_TABLE_WINDOW;

        if (!has(in, i) && !(of_tcp && number(in, NF_TABLE_PROTOCOL) == NF_PROTOCOL_UDP)) {
            return false;
        }
    }
    return true;
}

int nf_table_input_step(netfeat_streams *st, nf_table_input *in)
{
    uint32_t quality;
    nf_segment seg;

    if (in->row >= netfeat_table_rows(in->table)) {
        nf_table_input_close(in);
        return 0;
    }
    quality = (uint32_t)number(in, NF_TABLE_QUALITY);
    st->totals[NF_TOTAL_PACKETS]++;
    nf_feed_clock(st, number(in, NF_TABLE_PACKET_NUMBER), has(in, NF_TABLE_TIMESTAMP),
                  (int64_t)number(in, NF_TABLE_TIMESTAMP));
    if ((quality & NETFEAT_QUALITY_FRAGMENT) || number(in, NF_TABLE_OFFSET) > 0) {
        st->totals[NF_TOTAL_FRAGMENTS]++;
        st->totals[NF_TOTAL_FRAGMENTS_SKIPPED]++;
    } else if (is_usable(in)) {
        fill_segment(st, in, &seg);
        nf_feed_segment(st, &seg,
                        quality & NETFEAT_QUALITY_BAD_L4_CHECKSUM ? NF_CHECKSUM_BAD : NF_CHECKSUM_GOOD);
    } else {
        st->totals[NF_TOTAL_OTHER]++;
    }
    in->row++;
    return 1;
}
