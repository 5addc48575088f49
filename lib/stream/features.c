/* The stream table: one row per stream. Column names start with client_ or server_ where both sides have one; the
   client is who opened the connection, or, when no SYN was seen, who sent the first packet. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/options.h"
#include "stream/feed.h"
#include "table/builder.h"
#include "table/table.h"

/* What a stream leaves behind; side 0 is the client. */
typedef struct {
    uint64_t id, first_packet;
    int64_t first_time, last_time;
    uint8_t ip[2][16];
    uint16_t port[2];
    uint8_t protocol, end_reason;
    bool has_initiator, midstream;
    const char *state; /* static */
    char history[NF_HISTORY];
    uint64_t counters[2][16];
    uint8_t *head[2]; /* head_size bytes; owned */
    uint32_t head_size[2];
} row;

/* The first bytes of a stream that is still open; by the number of its record. */
typedef struct {
    uint8_t *bytes; /* head_bytes for each direction */
    uint32_t size[2];
} head;

typedef struct {
    netfeat_ctx *ctx;
    uint32_t head_bytes;
    row *rows;
    size_t n_rows, rows_cap;
    head *heads;
    size_t n_heads, heads_cap;
} collector;

/* Columns that count something of each side: name behind client_ or server_, counter. */
#define SIDE_COUNTERS(X)                                                                                     \
    X(0, "segments", SEGS, "")                                                                               \
    X(1, "payload_bytes", BYTES, "bytes")                                                                    \
    X(2, "delivered_bytes", DELIVERED_BYTES, "bytes")                                                        \
    X(3, "gaps", GAPS, "")                                                                                   \
    X(4, "gap_bytes", GAP_BYTES, "bytes")                                                                    \
    X(5, "retransmitted_segments", RETX_SEGS, "")                                                            \
    X(6, "retransmitted_bytes", RETX_BYTES, "bytes")                                                         \
    X(7, "out_of_order_segments", OOO_SEGS, "")                                                              \
    X(8, "overlap_bytes", OVERLAP_BYTES, "bytes")                                                            \
    X(9, "conflict_bytes", CONFLICT_BYTES, "bytes")

#define COUNTER_OF(i, name, counter, unit) NF_COUNT_##counter,
static const int side_counters[] = {SIDE_COUNTERS(COUNTER_OF)};
enum { N_SIDE_COUNTERS = sizeof side_counters / sizeof side_counters[0] };

/* ---- collecting ---- */

static int open_row(collector *c, const nf_event *ev)
{
    size_t index = ev->flow->index;
    int code = nf_grow(c->ctx, (void **)&c->rows, &c->rows_cap, c->n_rows + 1, sizeof *c->rows);

    code = code != 0 ? code : nf_grow(c->ctx, (void **)&c->heads, &c->heads_cap, index + 1, sizeof *c->heads);
    if (code != 0) {
        return code;
    }
    for (; c->n_heads <= index; c->n_heads++) {
        memset(&c->heads[c->n_heads], 0, sizeof c->heads[0]);
    }
    assert(c->n_rows == ev->flow->id - 1);
    memset(&c->rows[c->n_rows++], 0, sizeof c->rows[0]);
    return NETFEAT_OK;
}

static int keep_head(collector *c, const nf_event *ev, size_t size)
{
    head *h = &c->heads[ev->flow->index];
    uint32_t left = c->head_bytes - h->size[ev->dir];

    if (left == 0 || size == 0) {
        return NETFEAT_OK;
    }
    if (h->bytes == NULL) {
        h->bytes = nf_alloc(c->ctx, 2 * (size_t)c->head_bytes);
        if (h->bytes == NULL) {
            return nf_ctx_code(c->ctx);
        }
    }
    size = size < left ? size : left;
    memcpy(h->bytes + (size_t)ev->dir * c->head_bytes + h->size[ev->dir], ev->data, size);
    h->size[ev->dir] += (uint32_t)size;
    return NETFEAT_OK;
}

static void drop_head(collector *c, head *h)
{
    nf_free(c->ctx, h->bytes, 2 * (size_t)c->head_bytes);
    memset(h, 0, sizeof *h);
}

static int close_row(collector *c, const nf_event *ev)
{
    const nf_stream *flow = ev->flow;
    const nf_conn *conn = nf_conn_of(flow);
    head *h = &c->heads[flow->index];
    row *r = &c->rows[flow->id - 1];
    int client = flow->initiator > 0;

    r->id = flow->id;
    r->first_packet = flow->first_packet;
    r->first_time = flow->first_time;
    r->last_time = flow->last > flow->first_time ? flow->last : flow->first_time;
    r->protocol = flow->key.protocol;
    r->end_reason = ev->reason;
    r->has_initiator = flow->initiator >= 0;
    r->midstream = flow->midstream;
    r->state = nf_conn_state(flow);
    memcpy(r->history,
           conn != NULL                            ? conn->history
           : flow->key.protocol == NF_PROTOCOL_TCP ? "S"
                                                   : "",
           conn != NULL ? sizeof r->history : 2);
    for (int side = 0; side < 2; side++) {
        int dir = side ^ client;
        int k = dir != flow->swapped;

        memcpy(r->ip[side], flow->key.ip[k], sizeof r->ip[side]);
        r->port[side] = flow->key.port[k];
        for (int i = 0; i < N_SIDE_COUNTERS; i++) {
            r->counters[side][i] = nf_counter(flow, dir, side_counters[i]);
        }
        if (h->size[dir] > 0) {
            r->head[side] = nf_alloc(c->ctx, h->size[dir]);
            if (r->head[side] == NULL) {
                return nf_ctx_code(c->ctx);
            }
            r->head_size[side] = h->size[dir];
            memcpy(r->head[side], h->bytes + (size_t)dir * c->head_bytes, h->size[dir]);
        }
    }
    drop_head(c, h);
    return NETFEAT_OK;
}

static int collect(collector *c, netfeat_streams *st)
{
    int code;

    while ((code = netfeat_streams_step(st)) > 0) {
        const nf_event *ev = &st->events[st->at_event];

        code = NETFEAT_OK;
        if (ev->type == NETFEAT_STREAM_OPEN) {
            code = open_row(c, ev);
        } else if (ev->type == NETFEAT_STREAM_CLOSE) {
            code = close_row(c, ev);
        } else if (ev->type == NETFEAT_STREAM_DATA || ev->type == NETFEAT_STREAM_URGENT) {
            code = keep_head(c, ev, (size_t)ev->size);
        } else if (ev->type == NETFEAT_STREAM_DATAGRAM) {
            code = keep_head(c, ev, (size_t)ev->captured);
        }
        if (code != 0) {
            return code;
        }
    }
    return code;
}

static void free_collector(collector *c)
{
    for (size_t i = 0; i < c->n_rows; i++) {
        nf_free(c->ctx, c->rows[i].head[0], c->rows[i].head_size[0]);
        nf_free(c->ctx, c->rows[i].head[1], c->rows[i].head_size[1]);
    }
    for (size_t i = 0; i < c->n_heads; i++) {
        drop_head(c, &c->heads[i]);
    }
    nf_free(c->ctx, c->rows, c->rows_cap * sizeof *c->rows);
    nf_free(c->ctx, c->heads, c->heads_cap * sizeof *c->heads);
}

/* ---- columns ---- */

enum {
    COL_ID,
    COL_FIRST_PACKET,
    COL_PROTOCOL,
    COL_CLIENT_IP,
    COL_CLIENT_PORT,
    COL_SERVER_IP,
    COL_SERVER_PORT,
    COL_FIRST_TIME,
    COL_LAST_TIME,
    COL_SYN_SEEN,
    COL_MIDSTREAM,
    COL_END_REASON,
    COL_STATE,
    COL_HISTORY,
    COL_HEAD,                       /* client, server */
    COL_ENTROPY = COL_HEAD + 2,     /* client, server */
    COL_COUNTERS = COL_ENTROPY + 2, /* client and server in turn */
    N_COLUMNS = COL_COUNTERS + 2 * (int)N_SIDE_COUNTERS
};

typedef struct {
    const char *name;
    int type;
    const char *unit, *definition, *null_rule;
} column_def;

#define BOTH(i, name, counter, unit)                                                                         \
    [COL_COUNTERS + 2 * (i)] = {"client_" name, NETFEAT_TYPE_U64, unit, "stream.client_" name "@1",          \
                                "never"},                                                                    \
                        [COL_COUNTERS + 2 * (i) + 1] = {"server_" name, NETFEAT_TYPE_U64, unit,              \
                                                        "stream.server_" name "@1", "never"},
#define ONE(col, name, type, unit, null_rule)                                                                \
    [col] = {name, NETFEAT_TYPE_##type, unit, "stream." name "@1", null_rule},

static const column_def defs[N_COLUMNS] = {
    ONE(COL_ID, "stream_id", U64, "", "never") ONE(COL_FIRST_PACKET, "first_packet", U64, "", "never")
        ONE(COL_PROTOCOL, "protocol", U8, "", "never") ONE(COL_CLIENT_IP, "client_ip", BYTES16, "", "never")
            ONE(COL_CLIENT_PORT, "client_port", U16, "", "never")
                ONE(COL_SERVER_IP, "server_ip", BYTES16, "", "never")
                    ONE(COL_SERVER_PORT, "server_port", U16, "", "never") ONE(COL_FIRST_TIME, "first_time",
                                                                              TIME_NS, "ns", "never")
                        ONE(COL_LAST_TIME, "last_time", TIME_NS, "ns", "never")
                            ONE(COL_SYN_SEEN, "syn_seen", BOOL, "", "never")
                                ONE(COL_MIDSTREAM, "midstream", BOOL, "", "never")
                                    ONE(COL_END_REASON, "end_reason", TEXT, "", "never")
                                        ONE(COL_STATE, "state", TEXT, "", "not TCP")
                                            ONE(COL_HISTORY, "history", TEXT, "", "not TCP")
                                                ONE(COL_HEAD, "client_head", BYTES, "bytes", "never")
                                                    ONE(COL_HEAD + 1, "server_head", BYTES, "bytes", "never")
                                                        ONE(COL_ENTROPY, "client_head_entropy", F64,
                                                            "bits per byte", "no payload")
                                                            ONE(COL_ENTROPY + 1, "server_head_entropy", F64,
                                                                "bits per byte", "no payload")
                                                                SIDE_COUNTERS(BOTH)};

/* Shannon entropy of n bytes: log2(n) - sum(c * log2(c)) / n. */
static double entropy(const uint8_t *p, uint32_t n)
{
    uint32_t counts[256] = {0};
    double sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        counts[p[i]]++;
    }
    for (int i = 0; i < 256; i++) {
        sum += counts[i] > 1 ? counts[i] * log2(counts[i]) : 0;
    }
    return log2(n) - sum / n;
}

static int add_text(nf_builder *b, const row *r, const char *text)
{
    return r->protocol == NF_PROTOCOL_TCP ? nf_builder_add_bytes(b, text, strlen(text))
                                          : nf_builder_add_null(b);
}

static int add_side(nf_builder *b, const row *r, int col)
{
    int side = (col - COL_HEAD) % 2;

    if (col >= COL_COUNTERS) {
        return nf_builder_add_u64(b, r->counters[(col - COL_COUNTERS) % 2][(col - COL_COUNTERS) / 2]);
    }
    if (col < COL_ENTROPY) {
        return nf_builder_add_bytes(b, r->head_size[side] > 0 ? r->head[side] : (const void *)"",
                                    r->head_size[side]);
    }
    return r->head_size[side] > 0 ? nf_builder_add_f64(b, entropy(r->head[side], r->head_size[side]))
                                  : nf_builder_add_null(b);
}

static int add_value(nf_builder *b, const row *r, int col)
{
    static const char *const reasons[] = {"", "FIN", "RESET", "TIMEOUT", "REUSED", "EVICTED", "CAPTURE"};

    switch (col) {
    case COL_ID:
        return nf_builder_add_u64(b, r->id);
    case COL_FIRST_PACKET:
        return nf_builder_add_u64(b, r->first_packet);
    case COL_PROTOCOL:
        return nf_builder_add_u64(b, r->protocol);
    case COL_CLIENT_IP:
    case COL_SERVER_IP:
        return nf_builder_add_bytes(b, r->ip[col == COL_SERVER_IP], 16);
    case COL_CLIENT_PORT:
    case COL_SERVER_PORT:
        return nf_builder_add_u64(b, r->port[col == COL_SERVER_PORT]);
    case COL_FIRST_TIME:
        return nf_builder_add_i64(b, r->first_time);
    case COL_LAST_TIME:
        return nf_builder_add_i64(b, r->last_time);
    case COL_SYN_SEEN:
        return nf_builder_add_u64(b, r->has_initiator);
    case COL_MIDSTREAM:
        return nf_builder_add_u64(b, r->midstream);
    case COL_END_REASON:
        return nf_builder_add_bytes(b, reasons[r->end_reason], strlen(reasons[r->end_reason]));
    case COL_STATE:
        return add_text(b, r, r->state);
    case COL_HISTORY:
        return add_text(b, r, r->history);
    default:
        return add_side(b, r, col);
    }
}

static int make_column(const collector *c, int col, netfeat_column **ret)
{
    nf_builder b;
    int code;

    nf_builder_init(&b, c->ctx, defs[col].type);
    code = nf_builder_reserve(&b, (int64_t)c->n_rows, 0);
    for (size_t i = 0; code == 0 && i < c->n_rows; i++) {
        code = add_value(&b, &c->rows[i], col);
    }
    if (code == 0) {
        code = nf_builder_finish(&b, defs[col].unit, defs[col].definition, defs[col].null_rule, ret);
    }
    nf_builder_free(&b);
    return code;
}

static int make_table(const collector *c, netfeat_table **ret)
{
    const char *names[N_COLUMNS];
    netfeat_column *cols[N_COLUMNS] = {NULL};
    int n = 0, code = NETFEAT_OK;

    for (; code == 0 && n < N_COLUMNS; n++) {
        names[n] = defs[n].name;
        code = make_column(c, n, &cols[n]);
    }
    if (code == 0) {
        return nf_table_make(c->ctx, names, cols, N_COLUMNS, (int64_t)c->n_rows, ret);
    }
    for (int i = 0; i < n; i++) {
        netfeat_column_unref(cols[i]);
    }
    return code;
}

int netfeat_stream_table(netfeat_ctx *ctx, netfeat_source *src, const netfeat_options *opts,
                         netfeat_table **ret)
{
    collector c = {.ctx = ctx};
    netfeat_streams *st = NULL;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (src == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "stream_table: %s is NULL",
                        src == NULL ? "the source" : "ret");
    }
    c.head_bytes = (uint32_t)nf_option(opts, NETFEAT_OPT_STREAM_HEAD_BYTES);
    code = netfeat_streams_new(ctx, opts, &st);
    code = code != 0 ? code : netfeat_streams_feed_source(st, src);
    code = code != 0 ? code : netfeat_streams_end(st);
    code = code != 0 ? code : collect(&c, st);
    code = code != 0 ? code : make_table(&c, ret);
    netfeat_streams_unref(st);
    free_collector(&c);
    return code;
}
