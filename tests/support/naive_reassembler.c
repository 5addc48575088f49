/* The state machine of TCP reassembly in the plainest form: every held byte is a pair {byte, number of its piece}
   in one array per direction. */
#include "naive_reassembler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE    INT64_MIN
#define SPAN    (1 << 21) /* bytes of a direction that can be held */
#define SECONDS INT64_C(1000000000)

enum { S_NEW, S_SYN, S_EST, S_CLOSING, S_CLOSED, S_RESET };
enum { F = 1, S = 2, R = 4, A = 16, U = 32 };

typedef struct {
    int64_t s, e, os, oe;
} piece;

typedef struct {
    uint8_t *bytes; /* by offset */
    piece *list;    /* ascending */
    int n, cap;
} held;

typedef struct {
    bool has_isn, has_base, locked, has_right, has_window, syn, ts_opt, has_ts, md5, truncated, cut, eof,
        has_ack_sent;
    uint32_t isn, base, cand[4], ack_sent, ts;
    int n_cand, scale, packets;
    int64_t ts_time, next, acked, max_end, right, window, fin, hole_since, acked_since;
    held store;
    uint8_t *urgent; /* by offset: 1 marked */
    const script_packet *syn_data;
} direction;

typedef struct {
    int64_t policy, deliver, depth, max_buffered, max_segments, half_open, idle, linger, gap_timeout, grace,
        midstream, strict, ack_strict, checksum, urgent, gate, async_bytes;
} settings;

typedef struct {
    settings set;
    script_text *out;
    int64_t now;
    bool open, started;
    direction d[2];
    int first; /* network side of direction 0 */
    int state;
    bool est, lossy, async, mid, gate;
    int64_t last;
    bool has_resyn;
    int resyn_dir;
    script_packet resyn;
    int data_dir; /* data event being joined */
    int64_t data_at;
    script_text data;
} model;

/* ---- events ---- */

static void finish_data(model *m)
{
    if (m->data_dir >= 0) {
        script_print(m->out, "%c data %lld ", m->data_dir == 0 ? '>' : '<', (long long)m->data_at);
        script_print_bytes(m->out, (const uint8_t *)m->data.p, m->data.size);
        script_print(m->out, "\n");
    }
    m->data.size = 0;
    m->data_dir = -1;
}

static void say(model *m, int dir, const char *what, int64_t a, int64_t b, const char *more)
{
    finish_data(m);
    if (dir >= 0) {
        script_print(m->out, "%c ", dir == 0 ? '>' : '<');
    }
    script_print(m->out, "%s", what);
    if (a != NONE) {
        script_print(m->out, " %lld", (long long)a);
    }
    if (b != NONE) {
        script_print(m->out, " %lld", (long long)b);
    }
    script_print(m->out, "%s%s\n", more != NULL ? " " : "", more != NULL ? more : "");
}

static void say_data(model *m, int dir, int64_t at, const uint8_t *p, int64_t n)
{
    if (n <= 0) {
        return;
    }
    if (m->data_dir != dir || m->data_at + (int64_t)m->data.size != at) {
        finish_data(m);
        m->data_dir = dir;
        m->data_at = at;
    }
    if (m->data.size + (size_t)n > m->data.cap) {
        m->data.cap = 2 * (m->data.size + (size_t)n);
        m->data.p = realloc(m->data.p, m->data.cap);
    }
    memcpy(m->data.p + m->data.size, p, (size_t)n);
    m->data.size += (size_t)n;
}

/* ---- held bytes ---- */

static bool wins(int64_t policy, int64_t ns, int64_t ne, int64_t s, int64_t e)
{
    switch (policy) {
    case NETFEAT_OVERLAP_FIRST:
        return false;
    case NETFEAT_OVERLAP_LAST:
        return true;
    case NETFEAT_OVERLAP_LINUX:
        return ns < s || (ns == s && ne > e);
    case NETFEAT_OVERLAP_OLD_LINUX:
        return ns < s || (ns == s && ne >= e);
    case NETFEAT_OVERLAP_SOLARIS:
        return ne > e || (ne == e && ns <= s);
    default:
        return ns < s;
    }
}

static void add(held *h, piece p)
{
    int i = h->n;

    if (p.s >= p.e) {
        return;
    }
    if (h->n == h->cap) {
        h->cap = 2 * h->cap + 16;
        h->list = realloc(h->list, (size_t)h->cap * sizeof *h->list);
    }
    for (; i > 0 && h->list[i - 1].s > p.s; i--) {
        h->list[i] = h->list[i - 1];
    }
    h->list[i] = p;
    h->n++;
}

static int64_t total(const held *h)
{
    int64_t sum = 0;

    for (int i = 0; i < h->n; i++) {
        sum += h->list[i].e - h->list[i].s;
    }
    return sum;
}

/* A piece that starts where one and its segment end belongs to that one. */
static void join(held *h)
{
    int n = 0;

    for (int i = 0; i < h->n; i++) {
        piece *last = n > 0 ? &h->list[n - 1] : NULL;
        piece p = h->list[i];

        if (last != NULL && last->e == p.s && last->oe == p.s && p.os == p.s) {
            last->e = p.e;
            last->oe = p.oe;
        } else {
            h->list[n++] = p;
        }
    }
    h->n = n;
}

/* Returns how many bytes conflict. */
static int64_t put(held *h, int64_t s, const uint8_t *data, int64_t len, int64_t os, int64_t oe,
                   int64_t policy)
{
    piece *old = h->list;
    int n = h->n;
    int64_t e = s + len, at = s, conflict = 0;

    if (e > SPAN) {
        fprintf(stderr, "naive_reassembler: offset %lld\n", (long long)e);
        exit(1);
    }
    if (h->bytes == NULL) {
        h->bytes = malloc(SPAN);
    }
    h->list = NULL;
    h->n = h->cap = 0;
    for (int i = 0; i < n; i++) {
        int64_t a = old[i].s > s ? old[i].s : s, b = old[i].e < e ? old[i].e : e;

        if (a >= b) {
            add(h, old[i]);
            continue;
        }
        for (int64_t k = a; k < b; k++) {
            conflict += h->bytes[k] != data[k - s];
        }
        if (wins(policy, os, oe, old[i].os, old[i].oe)) {
            add(h, (piece){old[i].s, a, old[i].os, old[i].oe});
            add(h, (piece){b, old[i].e, old[i].os, old[i].oe});
        } else {
            add(h, old[i]);
            add(h, (piece){at, a, os, oe});
            memcpy(h->bytes + at, data + (at - s), (size_t)(a - at));
            at = b;
        }
    }
    add(h, (piece){at, e, os, oe});
    memcpy(h->bytes + at, data + (at - s), (size_t)(e > at ? e - at : 0));
    join(h);
    free(old);
    return conflict;
}

static void remove_first(held *h)
{
    h->n--;
    memmove(h->list, h->list + 1, (size_t)h->n * sizeof *h->list);
}

void naive_overlap(int policy, const int (*segs)[2], int n, char *result, int size)
{
    held h = {NULL, NULL, 0, 0};
    uint8_t fill[256];

    for (int i = 0; i < n; i++) {
        memset(fill, 'A' + i, sizeof fill);
        put(&h, segs[i][0], fill, segs[i][1] - segs[i][0], segs[i][0], segs[i][1], policy);
    }
    memset(result, '.', (size_t)size);
    for (int i = 0; i < h.n; i++) {
        memcpy(result + h.list[i].s, h.bytes + h.list[i].s, (size_t)(h.list[i].e - h.list[i].s));
    }
    free(h.bytes);
    free(h.list);
}

/* ---- delivery ---- */

static bool gated(const model *m)
{
    return m->gate || !(m->est || m->async || m->mid);
}

static void deliver(model *m, int dir, int64_t end)
{
    direction *x = &m->d[dir];

    for (int64_t at = x->next; at < end; at++) {
        uint8_t byte = x->store.bytes[at];

        if (x->urgent != NULL && x->urgent[at] && m->set.urgent == NETFEAT_URGENT_OUT_OF_BAND) {
            finish_data(m);
            script_print(m->out, "%c urgent %lld ", dir == 0 ? '>' : '<', (long long)at);
            script_print_bytes(m->out, &byte, 1);
            script_print(m->out, "\n");
        } else {
            say_data(m, dir, at, &byte, 1);
        }
    }
    x->next = end;
}

static void truncate_dir(model *m, int dir)
{
    if (!m->d[dir].truncated) {
        m->d[dir].truncated = true;
        say(m, dir, "truncated", m->d[dir].next, NONE, NULL);
    }
}

static bool gap(model *m, int dir, const char *why)
{
    direction *x = &m->d[dir];
    bool by_ack = strcmp(why, "ack") == 0;
    int64_t target = x->store.n > 0 ? x->store.list[0].s : NONE;

    if (target == NONE || (by_ack && target > x->acked)) {
        if ((by_ack || strcmp(why, "end") == 0) && x->acked > x->next) {
            target = x->acked;
        }
    }
    if (target == NONE) {
        return false;
    }
    if (x->fin != NONE && target > x->fin) {
        target = x->fin;
    }
    if (target <= x->next) {
        return false;
    }
    say(m, dir, "gap", x->next, target - x->next, why);
    x->next = target;
    x->hole_since = x->acked_since = NONE;
    m->lossy = true;
    return true;
}

static void pump(model *m, int dir, bool force)
{
    direction *x = &m->d[dir];

    for (int round = 0;; round++, force = false) {
        if (gated(m) && !force) {
            if (m->gate || total(&x->store) <= m->set.async_bytes) {
                if (round == 0) {
                    return;
                }
                break;
            }
            m->async = true;
        }
        while (x->store.n > 0 && x->store.list[0].s == x->next) {
            int64_t limit = x->store.list[0].e;

            if (m->set.deliver == NETFEAT_DELIVER_ON_ACK && !force && limit > x->acked) {
                limit = x->acked;
            }
            if (limit <= x->next) {
                break;
            }
            deliver(m, dir, limit);
            if (limit < x->store.list[0].e) {
                x->store.list[0].s = limit;
            } else {
                remove_first(&x->store);
            }
        }
        if (x->store.n == 0 || x->store.list[0].s <= x->next) {
            x->hole_since = NONE;
        } else if (x->hole_since == NONE) {
            x->hole_since = m->now;
        }
        if (m->set.depth != 0 && x->next >= m->set.depth && x->cut) {
            truncate_dir(m, dir);
        }
        if (x->acked <= x->next || (x->store.n > 0 && x->store.list[0].s == x->next) || x->truncated) {
            x->acked_since = NONE;
            break;
        }
        if (x->acked_since == NONE) {
            x->acked_since = m->now;
        }
        if (m->now - x->acked_since < m->set.grace || !gap(m, dir, "ack")) {
            break;
        }
    }
    if (x->fin != NONE && !x->eof && (x->next >= x->fin || x->truncated)) {
        x->eof = true;
        say(m, dir, "eof", x->fin, NONE, NULL);
    }
}

static void flush(model *m, int dir, const char *why)
{
    pump(m, dir, true);
    while (m->d[dir].store.n > 0 && gap(m, dir, why)) {
        pump(m, dir, true);
    }
}

static void drop_from(model *m, int dir, int64_t from)
{
    held *h = &m->d[dir].store;
    int64_t before = total(h);

    if (h->n > 0 && h->list[0].s > from) {
        from = h->list[0].s;
    }
    while (h->n > 0 && h->list[h->n - 1].s >= from) {
        h->n--;
    }
    if (h->n > 0 && h->list[h->n - 1].e > from) {
        h->list[h->n - 1].e = from;
    }
    if (total(h) < before) {
        say(m, dir, "dropped", from, before - total(h), NULL);
    }
}

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
        flush(m, d, "end");
        if (m->d[d].acked > m->d[d].next && !m->d[d].truncated) {
            gap(m, d, "end");
            pump(m, d, true);
        }
    }
    drop_from(m, 0, 0);
    drop_from(m, 1, 0);
    say(m, -1, "close", NONE, NONE, why);
    m->open = false;
}

static void open_stream(model *m, int side)
{
    for (int d = 0; d < 2; d++) {
        free(m->d[d].store.bytes);
        free(m->d[d].store.list);
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
    say(m, -1, "open", NONE, NONE, NULL);
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
            pump(m, d, false);
        }
        if (x->hole_since != NONE && m->now - x->hole_since >= m->set.gap_timeout) {
            if (x->store.n > 0 && x->store.list[0].s > x->next) {
                gap(m, d, "timeout");
            }
            pump(m, d, false);
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

/* ---- payload ---- */

static int64_t offset_of(const direction *d, uint32_t seq)
{
    return d->next + (int32_t)(seq - (d->base + (uint32_t)(uint64_t)d->next));
}

static void payload(model *m, int dir, int64_t o, const uint8_t *data, int64_t len, int64_t captured,
                    int urgent)
{
    direction *x = &m->d[dir];
    int64_t n = len, s = o, os = o, oe, conflict;

    if (x->fin != NONE && o + n > x->fin) {
        if (o >= x->fin) {
            return;
        }
        n = x->fin - o;
    }
    if (n <= 1 && o == x->next - 1) {
        return;
    }
    if (urgent >= 0 && urgent <= n) {
        int64_t at = o + (urgent > 0 ? urgent : 1) - 1;
        if (x->urgent == NULL) {
            x->urgent = calloc(SPAN, 1);
        }
        if (at >= x->next && at < SPAN) {
            x->urgent[at] = 1;
        }
    }
    x->max_end = o + n > x->max_end ? o + n : x->max_end;
    n = n < captured ? n : captured;
    if (n == 0 || o + n <= x->next) {
        return;
    }
    oe = o + n;
    if (s < x->next) {
        data += x->next - s;
        n -= x->next - s;
        s = x->next;
    }
    if (m->set.depth != 0 && s + n > m->set.depth) {
        n = m->set.depth > s ? m->set.depth - s : 0;
        x->cut = true;
        if (n == 0) {
            if (x->next >= m->set.depth) {
                truncate_dir(m, dir);
            }
            return;
        }
    }
    conflict = put(&x->store, s, data, n, os, oe, m->set.policy);
    if (conflict > 0) {
        say(m, dir, "conflict", conflict, NONE, NULL);
    }
    if (x->hole_since == NONE && x->store.list[0].s > x->next) {
        x->hole_since = m->now;
    }
    pump(m, dir, false);
    while (total(&x->store) > m->set.max_buffered || x->store.n > m->set.max_segments) {
        gap(m, dir, "limit");
        pump(m, dir, true);
    }
}

static void syn_payload(model *m, int dir, int64_t taken)
{
    const script_packet *p = m->d[dir].syn_data;

    m->d[dir].syn_data = NULL;
    taken = taken < 0 ? 0 : taken < p->captured ? taken : p->captured;
    if (taken > 0) {
        payload(m, dir, 0, p->data, taken, taken, -1);
    }
}

static void acknowledge(model *m, int dir, int64_t ao)
{
    direction *y = &m->d[dir];

    if (y->fin != NONE && ao > y->fin) {
        ao = y->fin;
    }
    y->acked = ao > y->acked ? ao : y->acked;
    if (m->gate && y->store.n > 0 && y->store.list[0].s == y->next && ao > y->next) {
        m->gate = false;
        m->state = S_EST;
        say(m, -1, "reset_ignored", NONE, NONE, NULL);
    }
}

static void finish_dir(model *m, int dir, int64_t at)
{
    direction *x = &m->d[dir];

    if (at < x->next || x->fin != NONE) {
        return;
    }
    if (x->max_end > at) {
        drop_from(m, dir, at);
    }
    x->fin = at;
    x->acked = x->acked < at ? x->acked : at;
    x->max_end = at > x->max_end ? at : x->max_end;
    m->state = m->state == S_EST ? S_CLOSING : m->state;
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
    edge = (ack ? offset_of(y, p->ack) : 0) + p->window;
    y->window = p->window;
    y->right = y->has_right && y->right > edge ? y->right : edge;
    y->has_right = y->has_window = true;
    if (p->len > 0 && p->captured > 0 && !ack) {
        x->syn_data = p;
    }
    if (ack) {
        int64_t ao = offset_of(y, p->ack);
        x->ack_sent = p->ack;
        x->has_ack_sent = true;
        if (y->syn_data != NULL) {
            syn_payload(m, !dir, ao);
        }
        acknowledge(m, !dir, ao);
        if (p->len > 0) {
            payload(m, dir, 0, p->data, p->len, p->captured, -1);
        }
        if (x->syn && y->syn) {
            m->est = true;
            m->state = S_EST;
        }
    }
    pump(m, dir, false);
    pump(m, !dir, false);
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
        good = ack && y->has_base && offset_of(y, p->ack) == y->max_end;
    } else if (m->state != S_CLOSED) {
        int64_t o = offset_of(x, p->seq);
        good = o == x->next || o == x->acked || (m->lossy && o == x->max_end) || !m->set.strict ||
               (x->fin != NONE && o == x->fin + 1 && (x->eof || x->acked >= x->fin));
    }
    if (!good || m->state == S_RESET) {
        return;
    }
    m->state = S_RESET;
    flush(m, 0, "reset");
    flush(m, 1, "reset");
    say(m, dir, "reset", NONE, NONE, NULL);
    m->gate = m->set.gate != 0;
}

/* What the receiver would do: false to ignore the segment; *len may be cut. */
static bool acceptable(model *m, int dir, const script_packet *p, int64_t o, int64_t ao, int64_t *len)
{
    direction *x = &m->d[dir], *y = &m->d[!dir];
    int64_t window = y->has_window && y->window > 65536 ? y->window : 65536;

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
    o = offset_of(x, p->seq);
    ao = offset_of(y, p->ack);
    if (m->set.strict && !acceptable(m, dir, p, o, ao, &len)) {
        return;
    }
    if (p->has_ts && o <= x->next && (!x->has_ts || (int32_t)(p->tsval - x->ts) >= 0)) {
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
    acknowledge(m, !dir, ao);
    pump(m, !dir, false);
    if (x->syn_data != NULL) {
        syn_payload(m, dir, o == x->syn_data->captured ? o : 0);
    }
    if (len > 0) {
        payload(m, dir, o, p->data, len, p->captured < len ? p->captured : len,
                p->flags & U ? p->urgent : -1);
    }
    if ((p->flags & F) && len == p->len) {
        finish_dir(m, dir, o + len);
    }
    pump(m, dir, false);
    pump(m, !dir, false);
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
        if (strcmp(c->options[i].name, netfeat_option_name(key)) == 0) {
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
    finish_data(m);
    for (int d = 0; d < 2; d++) {
        free(m->d[d].store.bytes);
        free(m->d[d].store.list);
        free(m->d[d].urgent);
    }
    free(m->data.p);
    free(m);
}
