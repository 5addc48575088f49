/* The short way for what nearly every segment is: payload that comes next, or an acknowledgement alone, in an established
   connection that holds nothing and waits for nothing. Whatever else a segment is, this declines and leaves everything as
   it was, and the steps of segment.c do it. Both give the same for the same segment; tests hold them to it. */
#include <netfeat/field.h>

#include "stream/streams.h"

/* Of a direction that is about to end, of which no more is wanted, or that waits. */
#define SPECIAL                                                                                              \
    (NF_DIR_FIN | NF_DIR_CUT | NF_DIR_TRUNCATED | NF_DIR_SKIPPED | NF_DIR_WAITS << NF_WAIT_HOLE |            \
     NF_DIR_WAITS << NF_WAIT_ACK)
#define CONTROL (NETFEAT_TCP_SYN | NETFEAT_TCP_FIN | NETFEAT_TCP_RST | NETFEAT_TCP_URG | NETFEAT_TCP_ACK)

/* Its numbers are known for good: there is nothing to choose between. */
static bool is_settled(const nf_dir *d)
{
    return nf_has(d, NF_DIR_BASE) && (d->flags & (NF_DIR_ISN | NF_DIR_LOCKED)) != NF_DIR_ISN &&
           !nf_has(d, SPECIAL);
}

static bool holds_nothing(const nf_conn *conn)
{
    for (int d = 0; conn->holds != NULL && d < 2; d++) {
        const nf_hold *h = &conn->holds[d];

        if (h->store.first != NULL || h->syn_data != NULL || (h->urgent != NULL && h->urgent->n > 0)) {
            return false;
        }
    }
    return true;
}

static bool is_usual_segment(const nf_segment *seg)
{
    return (seg->flags & CONTROL) == NETFEAT_TCP_ACK && !seg->bad_checksum && !seg->md5 && seg->window != 0 &&
           seg->captured >= seg->len;
}

/* Nothing happens at this time: no time-out, and the stream stays where it is in its list. */
static bool is_quiet(const netfeat_streams *st, const nf_stream *flow)
{
    return st->now < st->quiet_until &&
           nf_elapsed(st->now, flow->listed) < nf_timeout_of(st, flow->class_id) / NF_LIST_GRAIN;
}

/* Established, with nothing held; and neither its class nor its history changes with this segment. */
static bool is_usual_stream(const nf_stream *flow, int side, const nf_segment *seg)
{
    const nf_conn *conn = flow->conn;
    const nf_dir *x, *y;

    if (conn == NULL || conn->state != NF_STATE_EST || !conn->est || conn->gate || !holds_nothing(conn) ||
        !(conn->history_once[side] & (seg->len > 0 ? NF_ONCE_DATA : NF_ONCE_ACK))) {
        return false;
    }
    x = &conn->dirs[side];
    y = &conn->dirs[!side];
    return is_settled(x) && is_settled(y) && x->hot[NF_COUNT_SEGS] > 0 &&
           flow->class_id == (y->hot[NF_COUNT_SEGS] > 0 ? NF_CLASS_EST : NF_CLASS_ONE_SIDED);
}

/* Payload is inside the window and before the depth; an acknowledgement says what was delivered (which after a gap need
   not have been seen), and not less than the one before; the timestamp does not go back. */
static bool is_expected(const netfeat_streams *st, const nf_conn *conn, int side, const nf_segment *seg,
                        int64_t acked)
{
    const nf_dir *x = &conn->dirs[side], *y = &conn->dirs[!side];
    int64_t end = x->next + seg->len;

    if (nf_offset(x, seg->seq) != x->next || x->acked > x->next || acked < y->acked || acked > y->next ||
        acked > y->max_end) {
        return false;
    }
    if (seg->has_tsval && nf_has(x, NF_DIR_TS) && (int32_t)(seg->tsval - conn->ts_recent[side]) < 0) {
        return false;
    }
    return seg->len == 0 || (end <= st->config.depth && (!nf_has(x, NF_DIR_WINDOW) || x->window != 0) &&
                             (!nf_has(x, NF_DIR_RIGHT) || end <= x->right));
}

static void take(netfeat_streams *st, nf_stream *flow, int side, const nf_segment *seg, int64_t acked)
{
    nf_conn *conn = flow->conn;
    nf_dir *x = &conn->dirs[side], *y = &conn->dirs[!side];

    flow->last = st->now;
    x->hot[NF_COUNT_SEGS]++;
    x->hot[NF_COUNT_BYTES] += seg->len;
    if (seg->has_tsval) {
        conn->ts_recent[side] = seg->tsval;
        conn->ts_time[side] = st->now;
        x->flags |= NF_DIR_TS;
    }
    nf_window_update(flow, side, acked, seg->window);
    y->acked = acked;
    if (seg->len > 0) {
        nf_event *ev = nf_event_add(st, flow, NETFEAT_STREAM_DATA, side, x->next);

        ev->data = seg->data;
        ev->size = seg->len;
        x->next += seg->len;
        x->max_end = x->next > x->max_end ? x->next : x->max_end;
    }
}

bool nf_usual_segment(netfeat_streams *st, nf_stream *flow, int side, const nf_segment *seg)
{
    int64_t acked;

    if (!st->config.usual || st->n_events >= st->events_cap || !is_usual_segment(seg) ||
        !is_usual_stream(flow, side, seg) || !is_quiet(st, flow)) {
        return false;
    }
    acked = nf_offset(&flow->conn->dirs[!side], seg->ack);
    if (!is_expected(st, flow->conn, side, seg, acked)) {
        return false;
    }
    take(st, flow, side, seg, acked);
    return true;
}
