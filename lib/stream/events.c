/* Events under way, and counting. */
#include <assert.h>
#include <string.h>

#include "stream/streams.h"

/* Beside the bytes that are held: OPEN, CLOSE, RESET ... of a stream and of the one that takes its place. */
#define FEW_EVENTS 48
/* Of a long payload, every chunk but the last holds more. */
#define CHUNK_AT_LEAST 1024
/* Streams that may start to count something seldom, or to hold something: the packet's, two that take its place, and one
   whose time is over or that is in the way. */
#define FEW_STREAMS 6

/* Events that working on this stream can cause. */
static size_t events_of(const nf_stream *flow)
{
    const nf_conn *conn = flow != NULL ? nf_conn_of(flow) : NULL;
    size_t n = FEW_EVENTS;

    for (int d = 0; conn != NULL && conn->holds != NULL && d < 2; d++) {
        const nf_hold *h = &conn->holds[d];

        /* a held chunk is one DATA, an island one GAP; the new segment may split one and add one */
        n += (size_t)h->store.chunks + h->store.nodes;
        n += h->urgent != NULL ? 2 * (size_t)h->urgent->n : 0;
        n += h->syn_data != NULL ? h->syn_data->len / CHUNK_AT_LEAST : 0;
    }
    return 2 * n;
}

int nf_reserve(netfeat_streams *st, const nf_stream *flow)
{
    size_t need = st->n_events + st->pledged + events_of(flow);
    int code = nf_slab_reserve(st->ctx, &st->rares, FEW_STREAMS);

    code = code != 0 ? code : nf_slab_reserve(st->ctx, &st->holds, FEW_STREAMS);
    if (code != 0 || need <= st->events_cap) {
        return code;
    }
    return nf_grow(st->ctx, (void **)&st->events, &st->events_cap, need, sizeof *st->events);
}

int nf_reserve_packet(netfeat_streams *st, const nf_stream *flow, uint32_t payload)
{
    size_t own = 2 * (size_t)payload / CHUNK_AT_LEAST;
    int code;

    st->pledged = own;
    code = nf_reserve(st, flow);
    st->pledged = code == 0 ? own + events_of(flow) : 0;
    return code;
}

nf_event *nf_event_add(netfeat_streams *st, nf_stream *flow, int type, int dir, int64_t offset)
{
    nf_event *ev = &st->events[st->n_events];

    assert(st->n_events < st->events_cap);
    st->n_events++;
    ev->flow = flow;
    ev->data = NULL;
    ev->size = ev->captured = 0;
    ev->offset = offset;
    ev->time = st->packet_time;
    ev->packet = st->packet;
    ev->type = (uint8_t)type;
    ev->dir = (uint8_t)dir;
    ev->reason = 0;
    return ev;
}

void nf_fail(netfeat_streams *st, int code)
{
    if (st->failure == 0) {
        st->failure = code;
        nf_error_locate(st->ctx, (int64_t)st->packet, -1);
    }
}

static uint64_t *rare_counters(netfeat_streams *st, nf_conn *conn)
{
    if (conn->rare == NULL) {
        conn->rare = nf_slab_take(&st->rares);
        memset(conn->rare, 0, st->rares.size);
        st->flow_bytes += st->rares.size;
    }
    return conn->rare;
}

/* The flag of a direction that stands for a counter, or 0. */
static uint32_t flag_of(int which)
{
    return which == NF_COUNT_MIDSTREAM ? NF_DIR_MIDSTREAM : which == NF_COUNT_ASYNC ? NF_DIR_ASYNC : 0;
}

void nf_count(netfeat_streams *st, nf_stream *flow, int dir, int which, uint64_t n)
{
    nf_conn *conn = nf_conn_of(flow);
    uint64_t *counter;

    assert(which != NF_COUNT_DELIVERED_BYTES);
    if (flag_of(which) != 0) {
        conn->dirs[dir].flags |= flag_of(which);
        return;
    }
    if (which < NF_HOT_COUNTERS) {
        counter = &conn->dirs[dir].hot[which];
    } else {
        counter = rare_counters(st, conn) + dir * NF_RARE_COUNTERS + which - NF_FIRST_RARE;
    }
    *counter = *counter > UINT64_MAX - n ? UINT64_MAX : *counter + n;
    if (which == NF_COUNT_GAPS) {
        nf_history_count(flow, dir, 'g', *counter);
    } else if (which == NF_COUNT_RETX_SEGS) {
        nf_history_count(flow, dir, 't', *counter);
    } else if (which == NF_COUNT_BAD_CSUM) {
        nf_history_count(flow, dir, 'c', *counter);
    } else if (which == NF_COUNT_ZERO_WINDOW) {
        nf_history_count(flow, dir, 'w', *counter);
    }
}

static uint64_t rare_counter(const nf_conn *conn, int dir, int which)
{
    return conn->rare != NULL ? conn->rare[dir * NF_RARE_COUNTERS + which - NF_FIRST_RARE] : 0;
}

static uint64_t udp_counter(const nf_stream *flow, int dir, int which)
{
    switch (which) {
    case NF_COUNT_SEGS:
        return flow->udp_segs[dir];
    case NF_COUNT_BYTES:
    case NF_COUNT_DELIVERED_BYTES:
        return flow->udp_bytes[dir];
    default:
        return 0;
    }
}

uint64_t nf_counter(const nf_stream *flow, int dir, int which)
{
    const nf_conn *conn = nf_conn_of(flow);

    if (flow->key.protocol != NF_PROTOCOL_TCP) {
        return udp_counter(flow, dir, which);
    }
    if (conn == NULL) {
        return which == NF_COUNT_SEGS && dir == 0;
    }
    if (which < NF_HOT_COUNTERS) {
        return conn->dirs[dir].hot[which];
    }
    if (which == NF_COUNT_DELIVERED_BYTES) { /* what is not missing */
        return (uint64_t)conn->dirs[dir].next - rare_counter(conn, dir, NF_COUNT_GAP_BYTES);
    }
    if (flag_of(which) != 0) {
        return (conn->dirs[dir].flags & flag_of(which)) != 0;
    }
    return rare_counter(conn, dir, which);
}
