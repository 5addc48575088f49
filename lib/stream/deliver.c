/* From the store to the caller: what may be delivered, what is declared missing, where a direction ends. */
#include <assert.h>
#include <string.h>

#include "stream/streams.h"

bool nf_gated(const nf_stream *flow)
{
    const nf_conn *conn = flow->conn;

    return conn->gate || !(conn->est || conn->async || flow->midstream);
}

/* ---- bytes ---- */

static void remember(netfeat_streams *st, nf_conn *conn, int dir, const uint8_t *data, size_t len)
{
    size_t size = (size_t)st->config.recent_bytes;
    const nf_dir *d = &conn->dirs[dir];
    nf_recent *r = nf_hold_of(conn, dir)->recent;

    if (r == NULL) {
        r = nf_hold_get(st, conn, dir)->recent = nf_alloc(st->ctx, sizeof *r + size);
        if (r == NULL) {
            nf_fail(st, nf_ctx_code(st->ctx));
            return;
        }
        st->flow_bytes += sizeof *r + size;
        r->held = 0;
        r->end = d->next;
    }
    if (r->end != d->next) { /* a gap lies between */
        r->held = 0;
        r->end = d->next;
    }
    for (size_t i = len > size ? len - size : 0; i < len; i++) {
        r->data[(uint64_t)(d->next + (int64_t)i) % size] = data[i];
    }
    r->end += (int64_t)len;
    r->held = r->held + len < size ? r->held + len : size;
}

static void emit(netfeat_streams *st, nf_stream *flow, int dir, int type, int64_t offset, const uint8_t *data,
                 size_t len)
{
    nf_event *ev;

    if (len > 0) {
        ev = nf_event_add(st, flow, type, dir, offset);
        ev->data = data;
        ev->size = len;
    }
}

static void emit_around_urgent(netfeat_streams *st, nf_stream *flow, int dir, const uint8_t *data, size_t len)
{
    nf_urgent *u = nf_hold_of(flow->conn, dir)->urgent;
    int64_t at = flow->conn->dirs[dir].next, end = at + (int64_t)len;
    uint32_t used = 0;

    while (used < u->n && u->at[used] < end) {
        int64_t mark = u->at[used++];

        if (mark >= at) {
            emit(st, flow, dir, NETFEAT_STREAM_DATA, at, data, (size_t)(mark - at));
            data += mark - at;
            emit(st, flow, dir, NETFEAT_STREAM_URGENT, mark, data, 1);
            nf_count(st, flow, dir, NF_COUNT_URG_BYTES, 1);
            data++;
            at = mark + 1;
        }
    }
    memmove(u->at, u->at + used, (u->n - used) * sizeof u->at[0]);
    u->n -= used;
    emit(st, flow, dir, NETFEAT_STREAM_DATA, at, data, (size_t)(end - at));
}

void nf_deliver(netfeat_streams *st, nf_stream *flow, int dir, const uint8_t *data, size_t len)
{
    nf_dir *d = &flow->conn->dirs[dir];
    const nf_urgent *urgent = nf_hold_of(flow->conn, dir)->urgent;

    if (urgent != NULL && urgent->n > 0) {
        emit_around_urgent(st, flow, dir, data, len);
    } else {
        emit(st, flow, dir, NETFEAT_STREAM_DATA, d->next, data, len);
    }
    if (st->config.recent_bytes != 0) {
        remember(st, flow->conn, dir, data, len);
    }
    d->next += (int64_t)len;
}

/* The nodes that start at `next`, as far as they may go. */
static void deliver_held(netfeat_streams *st, nf_stream *flow, int dir, bool force)
{
    const nf_dir *d = &flow->conn->dirs[dir];
    nf_store *store = flow->conn->holds != NULL ? &flow->conn->holds[dir].store : NULL;
    bool on_ack = st->config.deliver == NETFEAT_DELIVER_ON_ACK && !force;

    while (store != NULL && store->first != NULL && store->first->s == d->next) {
        size_t len = store->first->head->len;

        if (on_ack && d->acked - d->next < (int64_t)len) {
            if (d->acked <= d->next) {
                return;
            }
            len = (size_t)(d->acked - d->next);
            nf_deliver(st, flow, dir, nf_store_take_part(&st->pool, store, len), len);
            return;
        }
        const nf_chunk *c = nf_store_take(&st->pool, store);
        nf_deliver(st, flow, dir, c->data + c->start, len);
    }
}

/* ---- gaps ---- */

bool nf_gap(netfeat_streams *st, nf_stream *flow, int dir, int reason)
{
    nf_conn *conn = flow->conn;
    nf_dir *d = &conn->dirs[dir];
    const nf_hold *h = nf_hold_of(conn, dir);
    int64_t target = h->store.first != NULL ? h->store.first->s : d->next;
    nf_event *ev;

    if (h->store.first == NULL || (reason == NETFEAT_GAP_ACK && target > d->acked)) {
        if ((reason == NETFEAT_GAP_ACK || reason == NETFEAT_GAP_END) && d->acked > d->next) {
            target = d->acked;
        }
    }
    if (nf_has(d, NF_DIR_FIN) && target > conn->ends[dir].fin) {
        target = conn->ends[dir].fin;
    }
    if (target <= d->next) {
        return false;
    }
    ev = nf_event_add(st, flow, NETFEAT_STREAM_GAP, dir, d->next);
    ev->size = (uint64_t)(target - d->next);
    ev->reason = (uint8_t)reason;
    nf_count(st, flow, dir, NF_COUNT_GAPS, 1);
    nf_count(st, flow, dir, NF_COUNT_GAP_BYTES, ev->size);
    d->next = target;
    conn->lossy = true;
    nf_wait_stop(st, conn, dir, NF_WAIT_HOLE);
    nf_wait_stop(st, conn, dir, NF_WAIT_ACK);
    if (h->urgent != NULL) {
        uint32_t n = 0;
        while (n < h->urgent->n && h->urgent->at[n] < target) {
            n++;
        }
        memmove(h->urgent->at, h->urgent->at + n, (h->urgent->n - n) * sizeof h->urgent->at[0]);
        h->urgent->n -= n;
    }
    return true;
}

void nf_drop_held(netfeat_streams *st, nf_stream *flow, int dir, int64_t offset)
{
    nf_conn *conn = flow->conn;
    nf_store *store;
    uint64_t before;
    nf_event *ev;

    if (conn->holds == NULL) {
        return;
    }
    store = &conn->holds[dir].store;
    before = store->bytes;
    if (store->first != NULL && store->first->s > offset) {
        offset = store->first->s;
    }
    nf_store_cut(&st->pool, store, offset);
    if (store->bytes < before) {
        ev = nf_event_add(st, flow, NETFEAT_STREAM_DROPPED, dir, offset);
        ev->size = before - store->bytes;
    }
}

void nf_truncate(netfeat_streams *st, nf_stream *flow, int dir)
{
    nf_dir *d = &flow->conn->dirs[dir];

    if (!nf_has(d, NF_DIR_TRUNCATED)) {
        d->flags |= NF_DIR_TRUNCATED;
        nf_event_add(st, flow, NETFEAT_STREAM_TRUNCATED, dir, d->next);
    }
}

void nf_skip_direction(netfeat_streams *st, nf_stream *flow, int dir)
{
    nf_conn *conn = flow->conn;

    if (conn->holds != NULL) {
        nf_store_clear(&st->pool, &conn->holds[dir].store);
    }
    nf_wait_stop(st, conn, dir, NF_WAIT_HOLE);
    nf_wait_stop(st, conn, dir, NF_WAIT_ACK);
    conn->dirs[dir].flags |= NF_DIR_CUT | NF_DIR_SKIPPED;
    nf_truncate(st, flow, dir);
}

/* ---- pump ---- */

static void watch_hole(netfeat_streams *st, nf_stream *flow, int dir)
{
    nf_conn *conn = flow->conn;
    const nf_node *first = nf_hold_of(conn, dir)->store.first;

    if (first != NULL && first->s > conn->dirs[dir].next) {
        nf_wait_start(st, flow, dir, NF_WAIT_HOLE);
    } else {
        nf_wait_stop(st, conn, dir, NF_WAIT_HOLE);
    }
}

/* Bytes that the peer acknowledged are missing: wait, or declare the gap. True if it did that. */
static bool acked_hole(netfeat_streams *st, nf_stream *flow, int dir)
{
    nf_conn *conn = flow->conn;
    const nf_dir *d = &conn->dirs[dir];
    const nf_node *first = nf_hold_of(conn, dir)->store.first;
    bool next_is_held = first != NULL && first->s == d->next;

    if (d->acked <= d->next || next_is_held || nf_has(d, NF_DIR_TRUNCATED)) {
        nf_wait_stop(st, conn, dir, NF_WAIT_ACK);
        return false;
    }
    nf_wait_start(st, flow, dir, NF_WAIT_ACK);
    if (nf_elapsed(st->now, conn->holds[dir].waits[NF_WAIT_ACK].since) < st->config.ack_grace_ns) {
        return false;
    }
    return nf_gap(st, flow, dir, NETFEAT_GAP_ACK);
}

void nf_pump_held(netfeat_streams *st, nf_stream *flow, int dir, bool force)
{
    nf_conn *conn = flow->conn;
    nf_dir *d = &conn->dirs[dir];
    bool first = true;

    for (;; force = false, first = false) {
        if (nf_gated(flow) && !force) {
            if (conn->gate || nf_hold_of(conn, dir)->store.bytes <= st->config.async_bytes) {
                if (first) {
                    return;
                }
                break;
            }
            conn->async = true;
            nf_count(st, flow, dir, NF_COUNT_ASYNC, 1);
        }
        deliver_held(st, flow, dir, force);
        watch_hole(st, flow, dir);
        if (d->next >= nf_depth(st, d) && nf_has(d, NF_DIR_CUT)) {
            nf_truncate(st, flow, dir);
        }
        if (!acked_hole(st, flow, dir)) {
            break;
        }
    }
    if (nf_has(d, NF_DIR_FIN) && !nf_has(d, NF_DIR_EOF) &&
        (d->next >= conn->ends[dir].fin || nf_has(d, NF_DIR_TRUNCATED))) {
        d->flags |= NF_DIR_EOF;
        nf_event_add(st, flow, NETFEAT_STREAM_EOF, dir, conn->ends[dir].fin);
    }
}

void nf_flush(netfeat_streams *st, nf_stream *flow, int dir, int reason)
{
    const nf_conn *conn = flow->conn;

    nf_pump(st, flow, dir, true);
    while (nf_hold_of(conn, dir)->store.first != NULL && nf_gap(st, flow, dir, reason)) {
        nf_pump(st, flow, dir, true);
    }
}
