/* SYN and RST: how a connection starts, is taken for a new one, and is broken off. */
#include <string.h>

#include <netfeat/field.h>

#include "stream/streams.h"

/* ---- initial sequence numbers ---- */

bool nf_is_candidate(const nf_conn *conn, int dir, uint32_t isn)
{
    const nf_ends *e = &conn->ends[dir];

    if (!nf_has(&conn->dirs[dir], NF_DIR_ISN)) { /* the line that they lie in need not be touched */
        return false;
    }
    for (int i = 0; i < e->n_candidates; i++) {
        if (e->candidates[i] == isn) {
            return true;
        }
    }
    return false;
}

static void set_isn(nf_conn *conn, int dir, uint32_t isn)
{
    nf_dir *d = &conn->dirs[dir];

    if (!nf_has(d, NF_DIR_ISN) || conn->ends[dir].isn != isn) {
        conn->ends[dir].isn = isn;
        d->base = isn + 1;
        d->flags |= NF_DIR_ISN | NF_DIR_BASE;
    }
}

void nf_lock_isn(nf_conn *conn, int dir, uint32_t isn)
{
    set_isn(conn, dir, isn);
    conn->dirs[dir].flags |= NF_DIR_LOCKED;
}

static void add_candidate(nf_conn *conn, int dir, uint32_t isn)
{
    nf_ends *e = &conn->ends[dir];

    if (nf_is_candidate(conn, dir, isn)) {
        return;
    }
    if (e->n_candidates == NF_ISNS) {
        memmove(&e->candidates[0], &e->candidates[1], (NF_ISNS - 1) * sizeof e->candidates[0]);
        e->n_candidates--;
    }
    e->candidates[e->n_candidates++] = isn;
}

/* ---- payload on a SYN ---- */

static nf_syn *keep_syn(netfeat_streams *st, const nf_segment *seg, int side)
{
    size_t len = seg->captured;
    nf_syn *syn = nf_alloc(st->ctx, sizeof *syn + len);

    if (syn == NULL) {
        nf_fail(st, nf_ctx_code(st->ctx));
        return NULL;
    }
    st->flow_bytes += sizeof *syn + len;
    syn->len = (uint32_t)len;
    syn->seq = seg->seq;
    syn->tsval = seg->tsval;
    syn->has_tsval = seg->has_tsval;
    syn->window = seg->window;
    syn->scale = seg->scale;
    syn->side = (uint8_t)side;
    syn->packet = seg->packet;
    if (len > 0) {
        memcpy(syn->data, seg->data, len);
    }
    return syn;
}

void nf_syn_free(netfeat_streams *st, nf_syn **syn)
{
    if (*syn != NULL) {
        st->flow_bytes -= sizeof **syn + (*syn)->len;
        nf_free(st->ctx, *syn, sizeof **syn + (*syn)->len);
        *syn = NULL;
    }
}

void nf_resolve_syn_data(netfeat_streams *st, nf_stream *flow, int dir, uint64_t taken)
{
    nf_hold *h = &flow->conn->holds[dir];
    nf_syn *syn = h->syn_data;
    uint32_t n = taken < syn->len ? (uint32_t)taken : syn->len;

    h->syn_data = NULL;
    if (n < syn->len) {
        nf_count(st, flow, dir, NF_COUNT_SYN_DATA_DROPPED, syn->len - n);
    }
    if (n > 0) {
        nf_data(st, flow, dir, 0, syn->data, n, n, -1);
    }
    /* events may point into it */
    syn->next = st->spent_syns;
    st->spent_syns = syn;
}

void nf_drop_syn_data(netfeat_streams *st, nf_stream *flow, int dir)
{
    const nf_syn *syn = nf_hold_of(flow->conn, dir)->syn_data;

    if (syn != NULL) {
        nf_count(st, flow, dir, NF_COUNT_SYN_DATA_DROPPED, syn->len);
        nf_syn_free(st, &flow->conn->holds[dir].syn_data);
    }
}

void nf_syns_collect(netfeat_streams *st)
{
    while (st->spent_syns != NULL) {
        nf_syn *syn = st->spent_syns;
        st->spent_syns = syn->next;
        nf_syn_free(st, &syn);
    }
}

/* ---- SYN ---- */

/* The peer answers the SYN that was seen in an established stream: it was the start of a new one. */
static void reuse(netfeat_streams *st, nf_stream *flow)
{
    nf_syn *syn = flow->conn->resyn;

    nf_count(st, flow, syn->side, NF_COUNT_SYN_REUSE, 1);
    flow->conn->resyn = NULL;
    st->replay = syn;
    nf_stream_end(st, flow, NETFEAT_END_REUSED);
}

/* The SYN to replay before its answer, as a segment. */
nf_segment nf_replayed_syn(const nf_syn *syn, const nf_segment *answer)
{
    nf_segment first = *answer;

    first.swapped = !answer->swapped;
    first.flags = NETFEAT_TCP_SYN;
    first.md5 = false;
    first.seq = syn->seq;
    first.ack = 0;
    first.tsval = syn->tsval;
    first.has_tsval = syn->has_tsval;
    first.window = syn->window;
    first.scale = syn->scale;
    first.data = syn->data;
    first.len = first.captured = syn->len;
    first.packet = syn->packet;
    return first;
}

/* Established: a SYN changes nothing, until it is answered. */
static void syn_in_established(netfeat_streams *st, nf_stream *flow, int side, const nf_segment *seg)
{
    nf_conn *conn = flow->conn;
    const nf_dir *x = &conn->dirs[side];
    bool ack = (seg->flags & NETFEAT_TCP_ACK) != 0;
    bool known = nf_has(x, NF_DIR_ISN) && seg->seq == conn->ends[side].isn;

    if (ack && conn->resyn != NULL && conn->resyn->side == !side && seg->ack - 1 == conn->resyn->seq) {
        reuse(st, flow);
        return;
    }
    nf_count(st, flow, side, known ? NF_COUNT_SYN_RETX : NF_COUNT_SYN_IN_EST, 1);
    if (!ack && !known) {
        nf_syn *syn = keep_syn(st, seg, side);
        if (syn != NULL) {
            nf_syn_free(st, &conn->resyn);
            conn->resyn = syn;
        }
    }
}

/* Does a SYN|ACK answer a SYN of the peer, or a part of the payload on it? */
static bool check_syn_ack(netfeat_streams *st, nf_stream *flow, int side, const nf_segment *seg)
{
    nf_conn *conn = flow->conn;
    nf_dir *y = &conn->dirs[!side];
    uint32_t isn = seg->ack - 1;
    bool answers = nf_is_candidate(conn, !side, isn);

    if (nf_has(y, NF_DIR_ISN) && !answers) {
        const nf_syn *syn = nf_hold_of(conn, !side)->syn_data;
        int32_t into = (int32_t)(isn - conn->ends[!side].isn);
        if (syn == NULL || into < 0 || into > (int64_t)syn->len) {
            nf_count(st, flow, side, NF_COUNT_BAD_SYNACK, 1);
            return false;
        }
    }
    if (answers) {
        nf_lock_isn(conn, !side, isn);
    } else if (nf_has(y, NF_DIR_ISN)) {
        y->flags |= NF_DIR_LOCKED;
    }
    if (!nf_has(y, NF_DIR_BASE)) {
        y->base = seg->ack;
        y->flags |= NF_DIR_BASE;
        flow->midstream = true;
        nf_count(st, flow, side, NF_COUNT_MIDSTREAM, 1);
    }
    return true;
}

/* What a SYN says about its sender. */
static void note_options(netfeat_streams *st, nf_conn *conn, int side, const nf_segment *seg)
{
    nf_dir *x = &conn->dirs[side];

    x->flags |= NF_DIR_SYN | (seg->flags & NETFEAT_TCP_ACK ? NF_DIR_SYN_ACK : NF_DIR_PURE_SYN);
    conn->scale[side] = seg->scale;
    x->flags &= ~(uint32_t)(NF_DIR_TS_OPT | NF_DIR_MD5);
    x->flags |= seg->md5 ? NF_DIR_MD5 : 0;
    if (seg->has_tsval) {
        x->flags |= NF_DIR_TS_OPT | NF_DIR_TS;
        conn->ts_recent[side] = seg->tsval;
        conn->ts_time[side] = st->now;
    }
}

static void syn_ack(netfeat_streams *st, nf_stream *flow, int side, const nf_segment *seg)
{
    nf_conn *conn = flow->conn;
    nf_dir *x = &conn->dirs[side], *y = &conn->dirs[!side];
    int64_t acked = nf_offset(y, seg->ack);

    if (nf_hold_of(conn, !side)->syn_data != NULL) {
        nf_resolve_syn_data(st, flow, !side, acked > 0 ? (uint64_t)acked : 0);
    }
    nf_acked(st, flow, !side, acked);
    if (seg->len > 0) {
        nf_data(st, flow, side, 0, seg->data, seg->len, seg->captured, -1);
    }
    if (nf_has(x, NF_DIR_SYN) && nf_has(y, NF_DIR_SYN)) {
        conn->est = true;
        conn->state = NF_STATE_EST;
    }
}

static void set_edge(nf_dir *y, int64_t edge, uint32_t window)
{
    y->window = window;
    y->max_window = window > y->max_window ? window : y->max_window;
    y->right = nf_has(y, NF_DIR_RIGHT) && y->right > edge ? y->right : edge;
    y->flags |= NF_DIR_RIGHT | NF_DIR_WINDOW;
}

void nf_syn_step(netfeat_streams *st, nf_stream *flow, int side, const nf_segment *seg)
{
    nf_conn *conn = flow->conn;
    nf_dir *x = &conn->dirs[side], *y = &conn->dirs[!side];
    bool ack = (seg->flags & NETFEAT_TCP_ACK) != 0;

    if (conn->est && (nf_has(x, NF_DIR_LOCKED) || !nf_has(x, NF_DIR_ISN))) {
        syn_in_established(st, flow, side, seg);
        return;
    }
    if (nf_has(x, NF_DIR_ISN) && seg->seq != conn->ends[side].isn) {
        nf_count(st, flow, side, NF_COUNT_ISN_CHANGED, 1);
    } else if (nf_has(x, NF_DIR_ISN) && !ack) {
        nf_count(st, flow, side, NF_COUNT_SYN_RETX, 1);
    }
    if (ack && !check_syn_ack(st, flow, side, seg)) {
        return;
    }
    add_candidate(conn, side, seg->seq);
    set_isn(conn, side, seg->seq);
    note_options(st, conn, side, seg);
    conn->state = conn->state == NF_STATE_NEW ? NF_STATE_SYN : conn->state;
    set_edge(y, (ack ? nf_offset(y, seg->ack) : 0) + seg->window, seg->window);
    if (seg->captured > 0 && !ack) {
        nf_syn *syn = keep_syn(st, seg, side);
        if (syn != NULL) {
            nf_hold *h = nf_hold_get(st, conn, side);
            nf_syn_free(st, &h->syn_data);
            h->syn_data = syn;
        }
    }
    if (ack) {
        syn_ack(st, flow, side, seg);
    }
    nf_pump(st, flow, side, false);
    nf_pump(st, flow, !side, false);
}

/* ---- RST ---- */

/* Would the peer obey an RST from `side`? Only at the exact place (RFC 5961, section 3). */
static bool rst_is_exact(const netfeat_streams *st, const nf_stream *flow, int side, const nf_segment *seg)
{
    const nf_conn *conn = flow->conn;
    const nf_dir *x = &conn->dirs[side], *y = &conn->dirs[!side];
    bool ack = (seg->flags & NETFEAT_TCP_ACK) != 0;
    int64_t at;

    if (!conn->est && !flow->midstream) {
        if (nf_has(y, NF_DIR_ISN) && !nf_has(x, NF_DIR_ISN)) {
            return ack && seg->ack - 1 == conn->ends[!side].isn;
        }
        return nf_has(x, NF_DIR_ISN) && seg->seq == conn->ends[side].isn + 1;
    }
    if (!nf_has(x, NF_DIR_BASE)) {
        return ack && nf_has(y, NF_DIR_BASE) && nf_offset(y, seg->ack) == y->max_end;
    }
    if (conn->state == NF_STATE_CLOSED) {
        return false;
    }
    at = nf_offset(x, seg->seq);
    return at == x->next || at == x->acked ||
           (nf_has(x, NF_DIR_FIN) && at == conn->ends[side].fin + 1 &&
            (nf_has(x, NF_DIR_EOF) || x->acked >= conn->ends[side].fin)) ||
           (conn->lossy && at == x->max_end) || !st->config.strict;
}

void nf_rst_step(netfeat_streams *st, nf_stream *flow, int side, const nf_segment *seg)
{
    nf_conn *conn = flow->conn;

    if (seg->len > 0) {
        nf_count(st, flow, side, NF_COUNT_RST_DATA, 1);
    }
    if (!rst_is_exact(st, flow, side, seg)) {
        nf_count(st, flow, side, NF_COUNT_RST_BAD, 1);
        return;
    }
    if (conn->state == NF_STATE_RESET) {
        return;
    }
    conn->state = NF_STATE_RESET;
    conn->reset_by[side] = true;
    nf_flush(st, flow, 0, NETFEAT_GAP_RESET);
    nf_flush(st, flow, 1, NETFEAT_GAP_RESET);
    nf_event_add(st, flow, NETFEAT_STREAM_RESET, side, conn->dirs[side].next);
    conn->gate = st->config.reset_gate;
}
