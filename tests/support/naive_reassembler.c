/* The naive reassembler: the state machine of TCP in the plainest form. */
#include "naive_reassembler.h"

#include <stdlib.h>
#include <string.h>

#include "naive_model.h"

/* ---- streams ---- */

static void close_stream(model *m, const char *why)
{
    static const char *const finished[] = {[S_CLOSED] = "fin", [S_RESET] = "reset"};

    if (!m->open) {
        return;
    }
    if (strcmp(why, "capture") == 0 && m->state >= S_CLOSED) {
        why = finished[m->state];
    }
    for (int d = 0; d < 2 && m->state != S_RESET; d++) {
        m->d[d].syn_data = NULL;
        naive_flush(m, d, "end");
        if (m->d[d].acked > m->d[d].next && !m->d[d].truncated) {
            naive_gap(m, d, "end");
            naive_pump(m, d, true);
        }
    }
    naive_drop_from(m, 0, 0);
    naive_drop_from(m, 1, 0);
    naive_say(m, -1, "close", NONE, NONE, why);
    m->open = false;
}

static void open_stream(model *m, int side)
{
    for (int d = 0; d < 2; d++) {
        naive_store_free(&m->d[d].store);
        free(m->d[d].urgent);
        memset(&m->d[d], 0, sizeof m->d[d]);
        m->d[d].scale = -1;
        m->d[d].fin = m->d[d].hole_since = m->d[d].acked_since = NONE;
    }
    m->open = true;
    m->first = side;
    m->state = S_NEW;
    m->est = m->lossy = m->async = m->mid = m->gate = m->has_resyn = false;
    m->last = m->now;
    naive_say(m, -1, "open", NONE, NONE, NULL);
}

static void timers(model *m)
{
    int64_t limit;

    if (!m->open) {
        return;
    }
    for (int d = 0; d < 2; d++) {
        direction *x = &m->d[d];

        if (x->acked_since != NONE && m->now - x->acked_since >= m->set.grace) {
            naive_pump(m, d, false);
        }
        if (x->hole_since != NONE && m->now - x->hole_since >= m->set.gap_timeout) {
            if (x->store.n > 0 && x->store.list[0].s > x->next) {
                naive_gap(m, d, "timeout");
            }
            naive_pump(m, d, false);
        }
    }
    if (m->state >= S_CLOSED) {
        if (m->now - m->last > m->set.linger) {
            close_stream(m, m->state == S_CLOSED ? "fin" : "reset");
        }
        return;
    }
    limit = m->est || m->mid ? m->set.idle : m->set.half_open;
    if (m->now - m->last > limit) {
        close_stream(m, "timeout");
    }
}

/* ---- SYN, RST, the rest ---- */

static bool candidate(const direction *d, uint32_t isn)
{
    for (int i = 0; i < d->n_cand; i++) {
        if (d->cand[i] == isn) {
            return true;
        }
    }
    return false;
}

static void set_isn(direction *d, uint32_t isn)
{
    if (!d->has_isn || d->isn != isn) {
        d->has_isn = d->has_base = true;
        d->isn = isn;
        d->base = isn + 1;
    }
}

static void step(model *m, const script_packet *p);

static void on_syn(model *m, int dir, const script_packet *p)
{
    direction *x = &m->d[dir], *y = &m->d[!dir];
    bool ack = (p->flags & A) != 0;
    int64_t edge;

    if (m->est && (x->locked || !x->has_isn)) {
        if (ack && m->has_resyn && m->resyn_dir == !dir && p->ack - 1 == m->resyn.seq) {
            script_packet first = m->resyn;
            first.flags = S;
            first.md5 = false;
            close_stream(m, "reused");
            step(m, &first);
            step(m, p);
            return;
        }
        if (!ack && !(x->has_isn && p->seq == x->isn)) {
            m->has_resyn = true;
            m->resyn_dir = dir;
            m->resyn = *p;
        }
        return;
    }
    if (ack) {
        if (y->n_cand > 0 && !candidate(y, p->ack - 1)) {
            int32_t into = (int32_t)(p->ack - 1 - y->isn);
            if (y->syn_data == NULL || into < 0 || into > (int64_t)y->syn_data->captured) {
                return;
            }
        }
        if (y->n_cand > 0 && candidate(y, p->ack - 1)) {
            set_isn(y, p->ack - 1);
            y->locked = true;
        } else if (y->has_isn) {
            y->locked = true;
        }
        if (!y->has_base) {
            y->base = p->ack;
            y->has_base = m->mid = true;
        }
    }
    if (!candidate(x, p->seq)) {
        if (x->n_cand == 4) {
            memmove(x->cand, x->cand + 1, 3 * sizeof x->cand[0]);
            x->n_cand--;
        }
        x->cand[x->n_cand++] = p->seq;
    }
    set_isn(x, p->seq);
    x->syn = true;
    x->scale = p->scale;
    x->ts_opt = p->has_ts;
    x->md5 = p->md5;
    if (p->has_ts) {
        x->has_ts = true;
        x->ts = p->tsval;
        x->ts_time = m->now;
    }
    m->state = m->state == S_NEW ? S_SYN : m->state;
    edge = (ack ? naive_offset_of(y, p->ack) : 0) + p->window;
    y->window = p->window;
    y->max_window = y->window > y->max_window ? y->window : y->max_window;
    y->right = y->has_right && y->right > edge ? y->right : edge;
    y->has_right = y->has_window = true;
    if (p->len > 0 && p->captured > 0 && !ack) {
        x->syn_data = p;
    }
    if (ack) {
        int64_t ao = naive_offset_of(y, p->ack);
        x->ack_sent = p->ack;
        x->has_ack_sent = true;
        if (y->syn_data != NULL) {
            naive_syn_payload(m, !dir, ao);
        }
        naive_acknowledge(m, !dir, ao);
        if (p->len > 0) {
            naive_payload(m, dir, 0, p->data, p->len, p->captured, -1);
        }
        if (x->syn && y->syn) {
            m->est = true;
            m->state = S_EST;
        }
    }
    naive_pump(m, dir, false);
    naive_pump(m, !dir, false);
}

static void on_rst(model *m, int dir, const script_packet *p)
{
    direction *x = &m->d[dir], *y = &m->d[!dir];
    bool ack = (p->flags & A) != 0, good = false;

    if (!m->est && !m->mid) {
        if (y->has_isn && !x->has_isn) {
            good = ack && p->ack - 1 == y->isn;
        } else if (x->has_isn) {
            good = p->seq == x->isn + 1;
        }
    } else if (!x->has_base) {
        good = ack && y->has_base && naive_offset_of(y, p->ack) == y->max_end;
    } else if (m->state != S_CLOSED) {
        int64_t o = naive_offset_of(x, p->seq);
        good = o == x->next || o == x->acked || (m->lossy && o == x->max_end) || !m->set.strict ||
               (x->fin != NONE && o == x->fin + 1 && (x->eof || x->acked >= x->fin));
    }
    if (!good || m->state == S_RESET) {
        return;
    }
    m->state = S_RESET;
    naive_flush(m, 0, "reset");
    naive_flush(m, 1, "reset");
    naive_say(m, dir, "reset", NONE, NONE, NULL);
    m->gate = m->set.gate != 0;
}

/* What the receiver would do: false to ignore the segment; *len may be cut. */
static bool acceptable(model *m, int dir, const script_packet *p, int64_t o, int64_t ao, int64_t *len)
{
    direction *x = &m->d[dir], *y = &m->d[!dir];
    int64_t window = y->max_window > 65536 ? y->max_window : 65536;

    if (p->md5 && !x->md5) {
        return false;
    }
    if (x->ts_opt && y->ts_opt && p->has_ts && x->has_ts && (int32_t)(x->ts - p->tsval) > 1 &&
        m->now - x->ts_time < 24 * 86400 * SECONDS) {
        return false;
    }
    if ((y->locked && ao < 0) || ao < y->acked - window) {
        return false;
    }
    if (ao > y->max_end + (y->fin != NONE)) {
        if (m->set.ack_strict || (y->has_right && ao > y->right + 1)) {
            return false;
        }
        m->lossy = m->lossy || !m->mid;
    }
    if (*len > 0 && x->has_right && !m->async) {
        int64_t limit = x->right + (m->lossy && x->has_window ? x->window : 0);

        if (x->has_window && x->window == 0 && *len <= 1 && o == x->acked && !m->lossy) {
            *len = 0;
        } else if (o >= limit && o >= x->next) {
            return false;
        } else if (o + *len > limit) {
            *len = limit > o ? limit - o : 0;
        }
    }
    return true;
}

static void on_ack(model *m, int dir, const script_packet *p)
{
    direction *x = &m->d[dir], *y = &m->d[!dir];
    int64_t o, ao, len = p->len, window;
    int scale = 0;

    if (!(p->flags & A) || (m->state == S_SYN && !x->has_isn && !x->has_base && p->len == 0 &&
                            !(p->flags & F) && y->has_isn && candidate(y, p->ack - 1))) {
        return;
    }
    if (!y->locked && candidate(y, p->ack - 1)) {
        set_isn(y, p->ack - 1);
        y->locked = true;
    }
    if (!x->locked && x->n_cand > 0) {
        set_isn(x, candidate(x, p->seq - 1) ? p->seq - 1 : x->isn);
        x->locked = true;
    }
    if (!x->has_base) {
        x->base = p->seq;
        if (y->has_ack_sent && p->len <= 1 && p->seq + 1 == y->ack_sent && !(p->flags & F)) {
            x->base = y->ack_sent;
        }
        x->has_base = true;
    }
    if (!y->has_base) {
        y->base = p->ack;
        y->has_base = true;
    }
    o = naive_offset_of(x, p->seq);
    ao = naive_offset_of(y, p->ack);
    if (m->set.strict && !acceptable(m, dir, p, o, ao, &len)) {
        return;
    }
    if (p->has_ts && o <= x->next && o + len >= x->next && ao >= y->acked &&
        (!x->has_ts || (int32_t)(p->tsval - x->ts) >= 0)) {
        x->has_ts = true;
        x->ts = p->tsval;
        x->ts_time = m->now;
    }
    if (m->state <= S_SYN && ((m->d[0].packets > 0 && m->d[1].packets > 0) || m->mid)) {
        m->est = true;
        m->state = S_EST;
    }
    if (m->mid) {
        scale = 14;
    } else if (x->scale >= 0 && y->scale >= 0) {
        scale = x->scale < 14 ? x->scale : 14;
    }
    window = (int64_t)p->window << scale;
    y->max_window = window > y->max_window ? window : y->max_window;
    if (!y->has_right || ao + window > y->right) {
        y->right = ao + window;
        y->has_right = true;
    }
    if (ao >= y->acked) {
        y->window = window;
        y->has_window = true;
    }
    x->ack_sent = p->ack;
    x->has_ack_sent = true;
    naive_acknowledge(m, !dir, ao);
    naive_pump(m, !dir, false);
    if (x->syn_data != NULL) {
        naive_syn_payload(m, dir, o == x->syn_data->captured ? o : 0);
    }
    if (len > 0) {
        naive_payload(m, dir, o, p->data, len, p->captured < len ? p->captured : len,
                      p->flags & U ? p->urgent : -1);
    }
    if ((p->flags & F) && len == p->len) {
        naive_finish_dir(m, dir, o + len);
    }
    naive_pump(m, dir, false);
    naive_pump(m, !dir, false);
    if (m->d[0].eof && m->d[1].eof) {
        m->state = S_CLOSED;
    }
}

static void step(model *m, const script_packet *p)
{
    bool syn = (p->flags & S) != 0;
    int dir;

    if (m->open && syn && !(p->flags & A) && m->state >= S_CLOSED) {
        const direction *x = &m->d[p->side != m->first];
        if (x->has_isn && x->isn != p->seq) {
            close_stream(m, "reused");
        }
    }
    if (!m->open) {
        if (((p->flags & R) && !syn) || !(p->flags & (S | F | R | A)) || (!syn && !m->set.midstream)) {
            return;
        }
        open_stream(m, p->side);
        m->mid = !syn;
    }
    dir = p->side != m->first;
    m->last = m->now;
    m->d[dir].packets++;
    if (syn) {
        on_syn(m, dir, p);
    } else if (p->flags & R) {
        on_rst(m, dir, p);
    } else {
        on_ack(m, dir, p);
    }
}

/* ---- a script ---- */

static int64_t option(const script_case *c, int key)
{
    int64_t value = 0;

    for (int i = c->n_options; i-- > 0;) {
        if (c->options[i].key == key) {
            return c->options[i].value;
        }
    }
    netfeat_options_get_int(NULL, key, &value);
    return value;
}

static void read_settings(const script_case *c, settings *set)
{
    set->policy = option(c, NETFEAT_OPT_STREAM_POLICY);
    set->deliver = option(c, NETFEAT_OPT_STREAM_DELIVER);
    set->depth = option(c, NETFEAT_OPT_STREAM_DEPTH_BYTES);
    set->max_buffered = option(c, NETFEAT_OPT_STREAM_MAX_BUFFERED_BYTES);
    set->max_segments = option(c, NETFEAT_OPT_STREAM_MAX_SEGMENTS);
    set->half_open = option(c, NETFEAT_OPT_STREAM_HALF_OPEN_NS);
    set->idle = option(c, NETFEAT_OPT_STREAM_IDLE_NS);
    set->linger = option(c, NETFEAT_OPT_STREAM_LINGER_NS);
    set->gap_timeout = option(c, NETFEAT_OPT_STREAM_GAP_TIMEOUT_NS);
    set->grace = option(c, NETFEAT_OPT_STREAM_ACK_GRACE_NS);
    set->midstream = option(c, NETFEAT_OPT_STREAM_MIDSTREAM);
    set->strict = option(c, NETFEAT_OPT_STREAM_STRICT);
    set->ack_strict = option(c, NETFEAT_OPT_STREAM_ACK_STRICT);
    set->checksum = option(c, NETFEAT_OPT_STREAM_CHECKSUM);
    set->urgent = option(c, NETFEAT_OPT_STREAM_URGENT);
    set->gate = option(c, NETFEAT_OPT_STREAM_RESET_GATE);
    set->async_bytes = option(c, NETFEAT_OPT_STREAM_ASYNC_BYTES);
}

void naive_run(const script_case *c, script_text *ret_events)
{
    model *m = calloc(1, sizeof *m);

    m->out = ret_events;
    m->data_dir = -1;
    read_settings(c, &m->set);
    script_print(ret_events, "%s", "");
    for (size_t i = 0; i < c->n_packets; i++) {
        const script_packet *p = &c->packets[i];

        m->now = !m->started || p->time_ns > m->now ? p->time_ns : m->now;
        m->started = true;
        timers(m);
        if ((m->set.checksum != NETFEAT_CHECKSUM_OFF && p->bad_sum) ||
            ((p->flags & S) && (p->flags & (F | R)))) {
            continue;
        }
        step(m, p);
    }
    close_stream(m, "capture");
    naive_finish_data(m);
    for (int d = 0; d < 2; d++) {
        naive_store_free(&m->d[d].store);
        free(m->d[d].urgent);
    }
    free(m->data.p);
    free(m);
}
