/* One TCP segment, step by step. */
#include <string.h>

#include <netfeat/field.h>

#include "stream/streams.h"

#define OLD_ACK_BYTES 65536
#define PAWS_LIMIT_NS (INT64_C(24) * 86400 * 1000000000) /* RFC 7323, section 5.5 */
#define CONTROL_FLAGS (NETFEAT_TCP_SYN | NETFEAT_TCP_FIN | NETFEAT_TCP_RST | NETFEAT_TCP_ACK)
#define PAWS_SLACK    1 /* ticks that timestamps may go back */

/* One segment that belongs to a connection: x sent it, y is the peer. */
typedef struct {
    netfeat_streams *st;
    nf_stream *flow;
    nf_conn *conn;
    nf_dir *x, *y;
    const nf_segment *seg;
    int side;
    int64_t offset; /* of the payload in x */
    int64_t acked;  /* in y */
    uint32_t len;   /* of the payload, after checks */
    bool cut;       /* the checks took the end of it away */
} step;

static int32_t difference(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static void count(const step *s, int which)
{
    nf_count(s->st, s->flow, s->side, which, 1);
}

/* ---- ends ---- */

void nf_stream_end(netfeat_streams *st, nf_stream *flow, int reason)
{
    nf_conn *conn = nf_conn_of(flow);
    nf_event *ev;

    if (conn != NULL) {
        if (reason == NETFEAT_END_CAPTURE && conn->state == NF_STATE_CLOSED) {
            reason = NETFEAT_END_FIN;
        } else if (reason == NETFEAT_END_CAPTURE && conn->state == NF_STATE_RESET) {
            reason = NETFEAT_END_RESET;
        }
        for (int d = 0; d < 2 && conn->state != NF_STATE_RESET; d++) {
            nf_dir *dir = &conn->dirs[d];

            nf_drop_syn_data(st, flow, d);
            nf_flush(st, flow, d, NETFEAT_GAP_END);
            if (dir->acked > dir->next && !nf_has(dir, NF_DIR_TRUNCATED)) {
                nf_gap(st, flow, d, NETFEAT_GAP_END);
                nf_pump(st, flow, d, true);
            }
        }
        nf_drop_held(st, flow, 0, 0);
        nf_drop_held(st, flow, 1, 0);
    }
    ev = nf_event_add(st, flow, NETFEAT_STREAM_CLOSE, 0, 0);
    ev->reason = (uint8_t)reason;
    nf_stream_remove(st, flow);
}

static void check_closed(nf_conn *conn)
{
    if (nf_has(&conn->dirs[0], NF_DIR_EOF) && nf_has(&conn->dirs[1], NF_DIR_EOF)) {
        conn->state = NF_STATE_CLOSED;
    }
}

/* ---- acknowledgements ---- */

void nf_acked(netfeat_streams *st, nf_stream *flow, int dir, int64_t offset)
{
    nf_conn *conn = flow->conn;
    nf_dir *y = &conn->dirs[dir];

    if (nf_has(y, NF_DIR_FIN) && offset > conn->ends[dir].fin) {
        offset = conn->ends[dir].fin;
    }
    y->acked = offset > y->acked ? offset : y->acked;
    if (conn->gate && nf_hold_of(conn, dir)->store.first != NULL &&
        nf_hold_of(conn, dir)->store.first->s == y->next && offset > y->next) {
        conn->gate = false;
        conn->state = NF_STATE_EST;
        nf_event_add(st, flow, NETFEAT_STREAM_RESET_IGNORED, dir, y->next);
        nf_count(st, flow, dir, NF_COUNT_RST_IGNORED, 1);
    }
}

/* ---- where the sequence numbers start ---- */

static void lock_isns(const step *s)
{
    nf_conn *conn = s->conn;
    uint32_t ack = s->seg->ack, seq = s->seg->seq;
    int x = s->side, y = !s->side;

    if (!nf_has(s->y, NF_DIR_LOCKED) && nf_is_candidate(conn, y, ack - 1)) {
        nf_lock_isn(conn, y, ack - 1);
    }
    if (!nf_has(s->x, NF_DIR_LOCKED) && nf_has(s->x, NF_DIR_ISN)) {
        nf_lock_isn(conn, x, nf_is_candidate(conn, x, seq - 1) ? seq - 1 : conn->ends[x].isn);
    }
}

/* Picked up in mid stream: the first byte is the one now seen. The base of a side whose peer spoke first is known by
   then: it is what the peer acknowledged, so that a keep-alive's byte is none of the stream. */
static void choose_bases(const step *s)
{
    nf_dir *x = s->x, *y = s->y;

    if (!nf_has(x, NF_DIR_BASE)) {
        x->base = s->seg->seq;
        x->flags |= NF_DIR_BASE;
    }
    if (!nf_has(y, NF_DIR_BASE)) {
        y->base = s->seg->ack;
        y->flags |= NF_DIR_BASE;
    }
}

/* ---- checks: what would the receiver do? ---- */

static bool stale_timestamp(const step *s)
{
    const nf_dir *x = s->x;

    return nf_has(x, NF_DIR_TS_OPT) && nf_has(s->y, NF_DIR_TS_OPT) && s->seg->has_tsval &&
           nf_has(x, NF_DIR_TS) && difference(s->conn->ts_recent[s->side], s->seg->tsval) > PAWS_SLACK &&
           nf_elapsed(s->st->now, s->conn->ts_time[s->side]) < PAWS_LIMIT_NS;
}

static bool check_ack(const step *s)
{
    const nf_dir *y = s->y;
    int64_t window = y->max_window; /* as much can have been under way at once (RFC 5961, 5.2) */

    if ((nf_has(y, NF_DIR_LOCKED) && s->acked < 0) ||
        s->acked < y->acked - (window > OLD_ACK_BYTES ? window : OLD_ACK_BYTES)) {
        count(s, NF_COUNT_OLD_ACK);
        return false;
    }
    if (s->acked > y->max_end + nf_has(y, NF_DIR_FIN)) {
        if (s->st->config.ack_strict || (nf_has(y, NF_DIR_RIGHT) && s->acked > y->right + 1)) {
            count(s, NF_COUNT_ACK_BEYOND);
            return false;
        }
        if (!s->flow->midstream) {
            count(s, NF_COUNT_ACK_UNSEEN);
            s->conn->lossy = true;
        }
    }
    return true;
}

static bool check_window(step *s)
{
    const nf_dir *x = s->x;
    bool no_window = nf_has(x, NF_DIR_WINDOW) && x->window == 0;
    int64_t limit;

    if (s->len == 0 || !nf_has(x, NF_DIR_RIGHT) || s->conn->async) {
        return true;
    }
    limit = x->right + (s->conn->lossy && nf_has(x, NF_DIR_WINDOW) ? x->window : 0);
    if (no_window && s->len <= 1 && s->offset == x->acked && !s->conn->lossy) {
        count(s, NF_COUNT_ZWP);
        s->len = 0;
        s->cut = true;
    } else if (s->offset >= limit && s->offset >= x->next) {
        count(s, NF_COUNT_OOW);
        return false;
    } else if (s->offset + s->len > limit) {
        s->len = limit > s->offset ? (uint32_t)(limit - s->offset) : 0;
        s->cut = true;
        count(s, NF_COUNT_OOW_TRIM);
    }
    return true;
}

static bool check(step *s)
{
    if (!s->st->config.strict) {
        return true;
    }
    if (s->seg->md5 && !nf_has(s->x, NF_DIR_MD5)) {
        count(s, NF_COUNT_AUTH_OPT);
        return false;
    }
    if (stale_timestamp(s)) {
        count(s, NF_COUNT_PAWS);
        return false;
    }
    return check_ack(s) && check_window(s);
}

/* ---- accepted ---- */

/* Of segments with the byte that comes next, or that end before it (RFC 7323, 4.3), and, as Linux does, with no old
   acknowledgement: what comes late or again for nothing must not make segments look old that are still on their way. */
static void update_timestamp(const step *s)
{
    nf_dir *x = s->x;
    uint32_t *recent = &s->conn->ts_recent[s->side];

    if (s->seg->has_tsval && s->offset <= x->next && s->offset + (int64_t)s->len >= x->next &&
        s->acked >= s->y->acked && (!nf_has(x, NF_DIR_TS) || difference(s->seg->tsval, *recent) >= 0)) {
        *recent = s->seg->tsval;
        s->conn->ts_time[s->side] = s->st->now;
        x->flags |= NF_DIR_TS;
    }
}

static void accept(const step *s)
{
    netfeat_streams *st = s->st;
    nf_conn *conn = s->conn;
    const nf_segment *seg = s->seg;
    const nf_syn *syn;

    update_timestamp(s);
    if (conn->state <= NF_STATE_SYN &&
        ((conn->dirs[0].hot[NF_COUNT_SEGS] > 0 && conn->dirs[1].hot[NF_COUNT_SEGS] > 0) ||
         s->flow->midstream)) {
        conn->est = true;
        conn->state = NF_STATE_EST;
    }
    nf_window_update(s->flow, s->side, s->acked, seg->window);
    nf_acked(st, s->flow, !s->side, s->acked);
    nf_pump(st, s->flow, !s->side, false);
    syn = nf_hold_of(conn, s->side)->syn_data;
    if (syn != NULL) {
        nf_resolve_syn_data(st, s->flow, s->side, s->offset == syn->len ? UINT64_MAX : 0);
    }
    if (s->len > 0) {
        nf_data(st, s->flow, s->side, s->offset, seg->data, s->len, seg->captured,
                seg->flags & NETFEAT_TCP_URG ? seg->urgent : -1);
    }
    if ((seg->flags & NETFEAT_TCP_FIN) && !s->cut) {
        nf_fin(st, s->flow, s->side, s->offset + s->len);
    }
    nf_pump(st, s->flow, s->side, false);
    nf_pump(st, s->flow, !s->side, false);
    check_closed(conn);
}

static void ack_step(step *s)
{
    const nf_dir *x = s->x, *y = s->y;

    if (!(s->seg->flags & NETFEAT_TCP_ACK)) {
        count(s, NF_COUNT_NO_ACK_FLAG);
        return;
    }
    if (s->conn->state == NF_STATE_SYN && !nf_has(x, NF_DIR_ISN) && !nf_has(x, NF_DIR_BASE) && s->len == 0 &&
        !(s->seg->flags & NETFEAT_TCP_FIN) && nf_has(y, NF_DIR_ISN) &&
        nf_is_candidate(s->conn, !s->side, s->seg->ack - 1)) {
        count(s, NF_COUNT_EARLY_ACK);
        return;
    }
    lock_isns(s);
    choose_bases(s);
    s->offset = nf_offset(x, s->seg->seq);
    s->acked = nf_offset(y, s->seg->ack);
    if (check(s)) {
        accept(s);
    }
}

/* ---- finding the connection ---- */

/* Is this all there is of a connection, so that its record suffices? */
static bool is_plain_syn(const nf_segment *seg)
{
    return (seg->flags & (NETFEAT_TCP_SYN | NETFEAT_TCP_ACK)) == NETFEAT_TCP_SYN && seg->captured == 0;
}

static void note_segment(netfeat_streams *st, nf_stream *flow, int side, const nf_segment *seg)
{
    nf_dir *x = &flow->conn->dirs[side];

    x->hot[NF_COUNT_SEGS]++;
    x->hot[NF_COUNT_BYTES] += seg->len;
    nf_history_segment(flow, side, seg);
    if (seg->window == 0 && !(seg->flags & (NETFEAT_TCP_SYN | NETFEAT_TCP_RST))) {
        nf_count(st, flow, side, NF_COUNT_ZERO_WINDOW, 1);
    }
}

/* The SYN that is all a half-open record holds. */
static void apply_first_syn(netfeat_streams *st, nf_stream *flow)
{
    nf_segment syn = {
        .flags = NETFEAT_TCP_SYN,
        .seq = flow->syn.seq,
        .tsval = flow->syn.tsval,
        .has_tsval = flow->syn.has_tsval,
        .window = flow->syn.window,
        .scale = flow->syn.scale,
        .md5 = flow->syn.md5,
    };
    int64_t now = st->now;

    st->now = flow->last;
    note_segment(st, flow, 0, &syn);
    nf_syn_step(st, flow, 0, &syn);
    st->now = now;
}

static nf_stream *open_flow(netfeat_streams *st, const nf_segment *seg)
{
    bool syn = (seg->flags & NETFEAT_TCP_SYN) != 0;
    nf_stream *flow;

    if ((seg->flags & NETFEAT_TCP_RST) && !syn) {
        st->totals[NF_TOTAL_RST_NO_FLOW]++;
        return NULL;
    }
    if (!syn && !(seg->flags & CONTROL_FLAGS)) {
        st->totals[NF_TOTAL_NO_ACK_FLAG]++;
        return NULL;
    }
    if (!syn && !st->config.midstream) {
        st->totals[NF_TOTAL_NO_FLOW]++;
        return NULL;
    }
    flow = nf_stream_add(st, seg, syn ? NF_CLASS_HALF_OPEN : NF_CLASS_ONE_SIDED);
    if (flow == NULL) {
        return NULL;
    }
    if (syn) {
        flow->initiator = (seg->flags & NETFEAT_TCP_ACK) != 0;
        flow->syn.seq = seg->seq;
        flow->syn.tsval = seg->tsval;
        flow->syn.has_tsval = seg->has_tsval;
        flow->syn.md5 = seg->md5;
        flow->syn.window = seg->window;
        flow->syn.scale = seg->scale;
    }
    flow->midstream = !syn;
    return flow;
}

/* A plain SYN with a new number on a finished connection starts another one. */
static bool is_reuse(const nf_stream *flow, int side, const nf_segment *seg)
{
    const nf_conn *conn = nf_conn_of(flow);

    return conn != NULL && conn->state >= NF_STATE_CLOSED &&
           (seg->flags & (NETFEAT_TCP_SYN | NETFEAT_TCP_ACK)) == NETFEAT_TCP_SYN &&
           nf_has(&conn->dirs[side], NF_DIR_ISN) && conn->ends[side].isn != seg->seq;
}

/* The connection of a record; built when the second packet comes. NULL on failure. */
static nf_conn *connection(netfeat_streams *st, nf_stream *flow, bool is_new)
{
    if (flow->conn == NULL) {
        if (nf_stream_promote(st, flow) == NULL) {
            return NULL;
        }
        if (!is_new) {
            apply_first_syn(st, flow);
        } else if (flow->midstream) {
            nf_count(st, flow, 0, NF_COUNT_MIDSTREAM, 1);
        }
    }
    return flow->conn;
}

/* A segment with a good checksum and sensible flags; flow is its stream, or NULL. */
static void tcp_steps(netfeat_streams *st, const nf_segment *seg, nf_stream *flow, int side)
{
    bool is_new;
    step s;

    if (flow != NULL && is_reuse(flow, side, seg)) {
        nf_stream_end(st, flow, NETFEAT_END_REUSED);
        flow = NULL;
    }
    is_new = flow == NULL;
    if (is_new) {
        side = 0;
        flow = open_flow(st, seg);
        if (flow == NULL || is_plain_syn(seg)) {
            return;
        }
    }
    s = (step){st, flow, connection(st, flow, is_new), NULL, NULL, seg, side, 0, 0, seg->len, false};
    if (s.conn == NULL) {
        return;
    }
    s.x = &s.conn->dirs[side];
    s.y = &s.conn->dirs[!side];
    flow->last = st->now;
    note_segment(st, flow, side, seg);
    if (seg->flags & NETFEAT_TCP_SYN) {
        nf_syn_step(st, flow, side, seg);
    } else if (seg->flags & NETFEAT_TCP_RST) {
        nf_rst_step(st, flow, side, seg);
    } else {
        ack_step(&s);
    }
    if (flow->alive) {
        nf_stream_touch(st, flow, nf_stream_class(flow));
    }
}

void nf_tcp_segment(netfeat_streams *st, const nf_segment *seg)
{
    int side = 0;
    nf_stream *flow = nf_stream_find(st, seg, &side);
    uint16_t flags = seg->flags;

    if (flow != NULL && nf_usual_segment(st, flow, side, seg)) {
        return;
    }
    if (nf_reserve_packet(st, flow, seg->captured) != 0) {
        nf_fail(st, nf_ctx_code(st->ctx));
        return;
    }
    if (flow != NULL) {
        nf_timers_stream(st, flow);
        flow = flow->alive ? flow : NULL;
    }
    nf_timers_run(st);
    flow = flow != NULL && flow->alive ? flow : NULL;
    if (st->n_events > 0 && nf_reserve_packet(st, flow, seg->captured) != 0) {
        nf_fail(st, nf_ctx_code(st->ctx));
        return;
    }
    if (seg->bad_checksum) {
        st->totals[NF_TOTAL_BAD_CSUM]++;
        if (flow != NULL && flow->conn != NULL) {
            nf_count(st, flow, side, NF_COUNT_BAD_CSUM, 1);
        }
        return;
    }
    if ((flags & NETFEAT_TCP_SYN) && (flags & (NETFEAT_TCP_FIN | NETFEAT_TCP_RST))) {
        st->totals[NF_TOTAL_BAD_FLAGS]++;
        return;
    }
    tcp_steps(st, seg, flow, side);
    if (st->replay != NULL) {
        nf_syn *syn = st->replay;
        nf_segment first = nf_replayed_syn(syn, seg);

        st->replay = NULL;
        tcp_steps(st, &first, NULL, 0);
        flow = nf_stream_find(st, seg, &side);
        tcp_steps(st, seg, flow, side);
        nf_syn_free(st, &syn);
    }
}
