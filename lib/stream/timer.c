/* Time-outs on the clock of the packets. All of a kind are equally long, so that each kind is one list in the
   order of time, and only its head can be due. */
#include "base/checked.h"
#include "stream/streams.h"

#define MAX_EXPIRIES 8 /* per packet: no loop over a jump of the clock */

/* ---- lists of directions ---- */

/* Of a direction that waits. */
static nf_wait *wait_at(const netfeat_streams *st, uint32_t dir, int kind)
{
    return &nf_stream_at(st, dir / 2)->conn->holds[dir % 2].waits[kind];
}

static int64_t wait_time(const netfeat_streams *st, int kind)
{
    return kind == NF_WAIT_ACK ? st->config.ack_grace_ns : st->config.gap_timeout_ns;
}

static void list(netfeat_streams *st, nf_wait *w, uint32_t dir, int kind)
{
    nf_list *l = &st->waiting[kind];

    w->prev = l->tail;
    w->next = NF_NONE;
    *(l->tail != NF_NONE ? &wait_at(st, l->tail, kind)->next : &l->head) = dir;
    l->tail = dir;
    l->count++;
    nf_timers_note(st, w->since, wait_time(st, kind));
}

static void unlist(netfeat_streams *st, nf_conn *conn, int dir, int kind)
{
    uint32_t listed = (uint32_t)NF_DIR_LISTED << kind;
    nf_list *l = &st->waiting[kind];
    const nf_wait *w;

    if (!nf_has(&conn->dirs[dir], listed)) {
        return;
    }
    conn->dirs[dir].flags &= ~listed;
    w = &conn->holds[dir].waits[kind];
    *(w->prev != NF_NONE ? &wait_at(st, w->prev, kind)->next : &l->head) = w->next;
    *(w->next != NF_NONE ? &wait_at(st, w->next, kind)->prev : &l->tail) = w->prev;
    l->count--;
}

void nf_wait_start(netfeat_streams *st, nf_stream *flow, int dir, int kind)
{
    nf_conn *conn = flow->conn;

    if (!nf_has(&conn->dirs[dir], (uint32_t)NF_DIR_WAITS << kind)) {
        nf_wait *w = &nf_hold_get(st, conn, dir)->waits[kind];

        conn->dirs[dir].flags |= (uint32_t)(NF_DIR_WAITS | NF_DIR_LISTED) << kind;
        w->since = st->now;
        list(st, w, 2 * flow->index + (uint32_t)dir, kind);
    }
}

void nf_wait_end(netfeat_streams *st, nf_conn *conn, int dir, int kind)
{
    unlist(st, conn, dir, kind);
    conn->dirs[dir].flags &= ~((uint32_t)NF_DIR_WAITS << kind);
}

/* ---- expiry ---- */

static bool wait_due(const netfeat_streams *st, const nf_conn *conn, int dir, int kind)
{
    return nf_has(&conn->dirs[dir], (uint32_t)NF_DIR_WAITS << kind) &&
           nf_elapsed(st->now, conn->holds[dir].waits[kind].since) >= wait_time(st, kind);
}

static void expire_wait(netfeat_streams *st, nf_stream *flow, int dir, int kind)
{
    nf_conn *conn = flow->conn;
    const nf_node *first = nf_hold_of(conn, dir)->store.first;

    unlist(st, conn, dir, kind);
    if (kind == NF_WAIT_HOLE && first != NULL && first->s > conn->dirs[dir].next) {
        nf_gap(st, flow, dir, NETFEAT_GAP_TIMEOUT);
    }
    nf_pump(st, flow, dir, false);
}

void nf_timers_pressure(netfeat_streams *st)
{
    const nf_stream_config *c = &st->config;
    bool full = st->n_flows > c->max_streams - c->max_streams / 8;
    bool flooded = st->classes[NF_CLASS_HALF_OPEN].count > c->max_half_open - c->max_half_open / 8;

    if (full != st->full || flooded != st->flooded) {
        st->full = full;
        st->flooded = flooded;
        st->quiet_until = INT64_MIN; /* other times hold from now on */
    }
}

int64_t nf_timeout_of(const netfeat_streams *st, int class_id)
{
    const nf_stream_config *c = &st->config;

    switch (class_id) {
    case NF_CLASS_HALF_OPEN:
    case NF_CLASS_ASYNC:
        return st->full || st->flooded ? c->half_open_pressure_ns : c->half_open_ns;
    case NF_CLASS_CLOSED:
    case NF_CLASS_RESET:
        return c->linger_ns;
    case NF_CLASS_UDP:
        return c->udp_idle_ns;
    default:
        return st->full ? c->idle_pressure_ns : c->idle_ns;
    }
}

static bool flow_due(const netfeat_streams *st, const nf_stream *flow)
{
    return nf_elapsed(st->now, flow->last) > nf_timeout_of(st, flow->class_id);
}

static int reason_of(const nf_stream *flow)
{
    return flow->class_id == NF_CLASS_CLOSED  ? NETFEAT_END_FIN
           : flow->class_id == NF_CLASS_RESET ? NETFEAT_END_RESET
                                              : NETFEAT_END_TIMEOUT;
}

void nf_timers_stream(netfeat_streams *st, nf_stream *flow)
{
    const nf_conn *conn = nf_conn_of(flow);

    for (int d = 0; conn != NULL && d < 2; d++) {
        for (int kind = NF_WAITS; kind-- > 0;) {
            if (wait_due(st, conn, d, kind)) {
                expire_wait(st, flow, d, kind);
            }
        }
    }
    if (flow_due(st, flow)) {
        nf_stream_end(st, flow, reason_of(flow));
    }
}

static bool reserve(netfeat_streams *st, const nf_stream *flow)
{
    if (nf_reserve(st, flow) != 0) {
        nf_fail(st, nf_ctx_code(st->ctx));
        return false;
    }
    return true;
}

static bool expire_one(netfeat_streams *st)
{
    for (int kind = NF_WAITS; kind-- > 0;) {
        uint32_t dir = st->waiting[kind].head;

        nf_stream *flow = dir != NF_NONE ? nf_stream_at(st, dir / 2) : NULL;

        if (flow != NULL && wait_due(st, flow->conn, (int)(dir % 2), kind)) {
            if (!reserve(st, flow)) {
                return false;
            }
            expire_wait(st, flow, (int)(dir % 2), kind);
            return true;
        }
    }
    for (int c = 0; c < NF_CLASSES; c++) {
        nf_stream *flow = st->classes[c].head != NF_NONE ? nf_stream_at(st, st->classes[c].head) : NULL;
        if (flow != NULL && flow_due(st, flow)) {
            if (!reserve(st, flow)) {
                return false;
            }
            nf_stream_end(st, flow, reason_of(flow));
            return true;
        }
    }
    return false;
}

/* The first time at which the head of a list can be due, as things are. */
static void look_forward(netfeat_streams *st)
{
    st->quiet_until = INT64_MAX;
    for (int kind = 0; kind < NF_WAITS; kind++) {
        if (st->waiting[kind].head != NF_NONE) {
            nf_timers_note(st, wait_at(st, st->waiting[kind].head, kind)->since, wait_time(st, kind));
        }
    }
    for (int c = 0; c < NF_CLASSES; c++) {
        if (st->classes[c].head != NF_NONE) {
            nf_timers_note(st, nf_stream_at(st, st->classes[c].head)->last, nf_timeout_of(st, c));
        }
    }
}

void nf_timers_note(netfeat_streams *st, int64_t since, int64_t time_out)
{
    int64_t at;

    if (nf_add_i64(since, time_out, &at) && at < st->quiet_until) {
        st->quiet_until = at;
    }
}

void nf_timers_expire(netfeat_streams *st)
{
    int64_t packet_time = st->packet_time;
    int i = 0;

    st->packet_time = st->now;
    while (i < MAX_EXPIRIES && expire_one(st)) {
        i++;
    }
    st->packet_time = packet_time;
    if (i < MAX_EXPIRIES && st->failure == 0) {
        look_forward(st);
    }
}
