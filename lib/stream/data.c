/* Payload of one segment: what is new of it goes to the caller or into the store. */
#include <assert.h>
#include <string.h>

#include "stream/streams.h"

/* What is left of a segment's payload. */
typedef struct {
    int64_t s, e;
    const uint8_t *data;
} payload;

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- urgent marks ---- */

static void mark_urgent(netfeat_streams *st, nf_stream *flow, int dir, int64_t at)
{
    nf_hold *h = nf_hold_get(st, flow->conn, dir);
    nf_urgent *u = h->urgent;
    uint32_t i;

    if (u == NULL) {
        u = nf_alloc(st->ctx, sizeof *u);
        if (u == NULL) {
            nf_fail(st, nf_ctx_code(st->ctx));
            return;
        }
        st->flow_bytes += sizeof *u;
        u->n = 0;
        h->urgent = u;
    }
    for (i = u->n; i > 0 && u->at[i - 1] >= at; i--) {
        if (u->at[i - 1] == at) {
            return;
        }
    }
    if (u->n == NF_URGENT_MARKS) {
        nf_count(st, flow, dir, NF_COUNT_URG_DROPPED, 1);
        return;
    }
    memmove(&u->at[i + 1], &u->at[i], (u->n - i) * sizeof u->at[0]);
    u->at[i] = at;
    u->n++;
}

/* ---- late copies ---- */

/* Bytes [s, e) were delivered already: are they the same? Only as far as stream.recent_bytes reach. */
static void compare_recent(netfeat_streams *st, nf_stream *flow, int dir, int64_t s, int64_t e,
                           const uint8_t *data)
{
    const nf_recent *r = nf_hold_of(flow->conn, dir)->recent;
    int64_t from = s, first = 0;
    uint64_t n = 0;
    nf_event *ev;

    if (r == NULL) {
        return;
    }
    if (from < r->end - (int64_t)r->held) {
        from = r->end - (int64_t)r->held;
    }
    for (int64_t i = from; i < e && i < r->end; i++) {
        if (r->data[(uint64_t)i % st->config.recent_bytes] != data[i - s]) {
            first = n == 0 ? i : first;
            n++;
        }
    }
    if (n > 0) {
        nf_count(st, flow, dir, NF_COUNT_CONFLICT_BYTES, n);
        ev = nf_event_add(st, flow, NETFEAT_STREAM_CONFLICT, dir, first);
        ev->size = n;
    }
}

static void count_repeated(netfeat_streams *st, nf_stream *flow, int dir, int64_t s, int64_t e,
                           const uint8_t *data)
{
    nf_count(st, flow, dir, NF_COUNT_RETX_BYTES, (uint64_t)(e - s));
    nf_count(st, flow, dir, NF_COUNT_RETX_SEGS, 1);
    compare_recent(st, flow, dir, s, e, data);
}

/* ---- limits ---- */

/* The hole that has waited longest, of whatever stream, is given up; streams go where nothing waits for a
 * hole.
 */
void nf_enforce_total(netfeat_streams *st, nf_stream *flow, int dir)
{
    while (st->pool.held > st->config.max_total) {
        uint32_t oldest = st->waiting[NF_WAIT_HOLE].head;

        if (oldest != NF_NONE) {
            nf_stream *other = nf_stream_at(st, oldest / 2);
            int d = (int)(oldest % 2);

            if (nf_reserve(st, other) != 0) {
                nf_fail(st, nf_ctx_code(st->ctx));
                return;
            }
            st->totals[NF_TOTAL_MEMORY_GAPS] += nf_gap(st, other, d, NETFEAT_GAP_MEMORY);
            nf_pump(st, other, d, true);
        } else if (!nf_streams_evict(st, flow)) {
            nf_flush(st, flow, dir, NETFEAT_GAP_MEMORY);
            nf_flush(st, flow, !dir, NETFEAT_GAP_MEMORY);
            return;
        }
    }
}

static void enforce_direction(netfeat_streams *st, nf_stream *flow, int dir)
{
    const nf_store *store = &nf_hold_of(flow->conn, dir)->store;

    while (store->bytes > st->config.max_buffered || store->nodes > st->config.max_segments) {
        nf_gap(st, flow, dir, NETFEAT_GAP_LIMIT);
        nf_pump(st, flow, dir, true);
    }
}

/* ---- into the store ---- */

/* Nothing waits in front of these bytes or in their place, and nothing holds them back. */
static bool goes_straight(const netfeat_streams *st, const nf_stream *flow, int dir, const payload *p)
{
    const nf_node *first = nf_hold_of(flow->conn, dir)->store.first;

    return p->s == flow->conn->dirs[dir].next && (first == NULL || first->s >= p->e) &&
           st->config.deliver == NETFEAT_DELIVER_CONTIGUOUS && !nf_gated(flow);
}

static void store(netfeat_streams *st, nf_stream *flow, int dir, const payload *p, int64_t os, int64_t oe)
{
    nf_conn *conn = flow->conn;
    nf_hold *h = nf_hold_get(st, conn, dir);
    nf_overlap overlap;
    nf_event *ev;
    int code = nf_store_put(&st->pool, &h->store, p->s, p->data, (size_t)(p->e - p->s), os, oe,
                            conn->policy[dir], &overlap);

    if (code != 0) {
        nf_fail(st, code);
        return;
    }
    if (overlap.overlap > 0) {
        nf_count(st, flow, dir, NF_COUNT_OVERLAP_BYTES, overlap.overlap);
    }
    if (overlap.conflict > 0) {
        nf_count(st, flow, dir, NF_COUNT_CONFLICT_BYTES, overlap.conflict);
        ev = nf_event_add(st, flow, NETFEAT_STREAM_CONFLICT, dir, overlap.conflict_at);
        ev->size = overlap.conflict;
    }
    if (h->store.first->s > conn->dirs[dir].next) {
        nf_wait_start(st, flow, dir, NF_WAIT_HOLE);
    }
    if (st->totals[NF_TOTAL_HELD_BYTES_HIGH] < st->pool.held) {
        st->totals[NF_TOTAL_HELD_BYTES_HIGH] = st->pool.held;
    }
}

/* Nothing behind the depth. False if nothing is left. */
static bool cut_at_depth(netfeat_streams *st, nf_stream *flow, int dir, payload *p)
{
    nf_dir *d = &flow->conn->dirs[dir];
    int64_t depth = nf_depth(st, d);

    if (p->e <= depth) {
        return true;
    }
    d->flags |= NF_DIR_CUT;
    p->e = depth;
    if (p->s < p->e) {
        return true;
    }
    if (d->next >= depth) {
        nf_truncate(st, flow, dir);
    }
    return false;
}

/* Payload that is new at least in part, or of which nothing was captured. `os` is where its segment starts. */
static void new_bytes(netfeat_streams *st, nf_stream *flow, int dir, payload p, int64_t os)
{
    nf_dir *d = &flow->conn->dirs[dir];
    int64_t oe = p.e;

    if (p.s < d->next) {
        count_repeated(st, flow, dir, p.s, d->next, p.data);
        p.data += d->next - p.s;
        p.s = d->next;
    }
    if (p.s > d->next) {
        nf_count(st, flow, dir, NF_COUNT_OOO_SEGS, 1);
    }
    if (!cut_at_depth(st, flow, dir, &p) || p.s == p.e) {
        return;
    }
    if (goes_straight(st, flow, dir, &p)) {
        nf_deliver(st, flow, dir, p.data, (size_t)(p.e - p.s));
        nf_pump(st, flow, dir, false);
        return;
    }
    store(st, flow, dir, &p, os, oe);
    nf_pump(st, flow, dir, false);
    enforce_direction(st, flow, dir);
    nf_enforce_total(st, flow, dir);
}

void nf_data(netfeat_streams *st, nf_stream *flow, int dir, int64_t offset, const uint8_t *data, uint32_t len,
             uint32_t captured, int urgent)
{
    nf_conn *conn = flow->conn;
    nf_dir *d = &conn->dirs[dir];
    payload p = {offset, offset + len, data};

    if (nf_has(d, NF_DIR_FIN) && p.e > conn->ends[dir].fin) {
        nf_count(st, flow, dir, NF_COUNT_DATA_AFTER_FIN, 1);
        if (offset >= conn->ends[dir].fin) {
            return;
        }
        p.e = conn->ends[dir].fin;
    }
    if (conn->state == NF_STATE_RESET) {
        nf_count(st, flow, dir, NF_COUNT_DATA_AFTER_RST, 1);
    }
    if (p.e - p.s <= 1 && p.s == d->next - 1) {
        nf_count(st, flow, dir, NF_COUNT_KEEPALIVE, 1);
        return;
    }
    if (offset < 0) {
        nf_count(st, flow, dir, NF_COUNT_BEFORE_BASE, 1);
    }
    if (urgent >= 0 && urgent <= p.e - p.s && st->config.urgent == NETFEAT_URGENT_OUT_OF_BAND) {
        int64_t at = offset + (urgent > 0 ? urgent : 1) - 1;
        if (at >= d->next) {
            mark_urgent(st, flow, dir, at);
        }
    }
    d->max_end = p.e > d->max_end ? p.e : d->max_end;
    if (p.e - p.s > captured) {
        p.e = min64(p.e, p.s + captured);
        nf_count(st, flow, dir, NF_COUNT_SNAP_CUT, 1);
    }
    if (p.e <= d->next) {
        if (p.e > p.s) {
            count_repeated(st, flow, dir, p.s, p.e, data);
        }
        return;
    }
    new_bytes(st, flow, dir, p, offset);
}

void nf_fin(netfeat_streams *st, nf_stream *flow, int dir, int64_t offset)
{
    nf_conn *conn = flow->conn;
    nf_dir *d = &conn->dirs[dir];

    d->flags |= NF_DIR_FIN_SEEN;
    if (offset < d->next) {
        nf_count(st, flow, dir, NF_COUNT_FIN_OLD, 1);
        return;
    }
    if (nf_has(d, NF_DIR_FIN)) {
        if (offset != conn->ends[dir].fin) {
            nf_count(st, flow, dir, NF_COUNT_FIN_MOVED, 1);
        }
        return;
    }
    if (d->max_end > offset) {
        nf_count(st, flow, dir, NF_COUNT_FIN_BEFORE_DATA, 1);
        nf_drop_held(st, flow, dir, offset);
    }
    d->acked = d->acked < offset ? d->acked : offset;
    d->flags |= NF_DIR_FIN;
    conn->ends[dir].fin = offset;
    d->max_end = offset > d->max_end ? offset : d->max_end;
    if (conn->state == NF_STATE_EST) {
        conn->state = NF_STATE_CLOSING;
    }
}
