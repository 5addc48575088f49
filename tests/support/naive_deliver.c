/* The naive reassembler: payload, what is delivered of it, and gaps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "naive_model.h"

/* ---- events ---- */

void naive_finish_data(model *m)
{
    if (m->data_dir >= 0) {
        script_print(m->out, "%c data %lld ", m->data_dir == 0 ? '>' : '<', (long long)m->data_at);
        script_print_bytes(m->out, (const uint8_t *)m->data.p, m->data.size);
        script_print(m->out, "\n");
    }
    m->data.size = 0;
    m->data_dir = -1;
}

void naive_say(model *m, int dir, const char *what, int64_t a, int64_t b, const char *more)
{
    naive_finish_data(m);
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
        naive_finish_data(m);
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

/* ---- delivery ---- */

static bool gated(const model *m)
{
    return m->gate || !(m->est || m->async || m->mid);
}

static bool is_urgent(const direction *x, int64_t at)
{
    for (int i = 0; i < x->n_urgent; i++) {
        if (x->urgent[i] == at) {
            return true;
        }
    }
    return false;
}

static void deliver(model *m, int dir, int64_t end)
{
    direction *x = &m->d[dir];

    for (int64_t at = x->next; at < end; at++) {
        uint8_t byte = x->store.bytes[at];

        if (is_urgent(x, at) && m->set.urgent == NETFEAT_URGENT_OUT_OF_BAND) {
            naive_finish_data(m);
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
        naive_say(m, dir, "truncated", m->d[dir].next, NONE, NULL);
    }
}

bool naive_gap(model *m, int dir, const char *why)
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
    naive_say(m, dir, "gap", x->next, target - x->next, why);
    x->next = target;
    x->hole_since = x->acked_since = NONE;
    m->lossy = true;
    return true;
}

void naive_pump(model *m, int dir, bool force)
{
    direction *x = &m->d[dir];

    for (int round = 0;; round++, force = false) {
        if (gated(m) && !force) {
            if (m->gate || naive_total(&x->store) <= m->set.async_bytes) {
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
                naive_remove_first(&x->store);
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
        if (m->now - x->acked_since < m->set.grace || !naive_gap(m, dir, "ack")) {
            break;
        }
    }
    if (x->fin != NONE && !x->eof && (x->next >= x->fin || x->truncated)) {
        x->eof = true;
        naive_say(m, dir, "eof", x->fin, NONE, NULL);
    }
}

void naive_flush(model *m, int dir, const char *why)
{
    naive_pump(m, dir, true);
    while (m->d[dir].store.n > 0 && naive_gap(m, dir, why)) {
        naive_pump(m, dir, true);
    }
}

void naive_drop_from(model *m, int dir, int64_t from)
{
    naive_store *h = &m->d[dir].store;
    int64_t before = naive_total(h);

    if (h->n > 0 && h->list[0].s > from) {
        from = h->list[0].s;
    }
    while (h->n > 0 && h->list[h->n - 1].s >= from) {
        h->n--;
    }
    if (h->n > 0 && h->list[h->n - 1].e > from) {
        h->list[h->n - 1].e = from;
    }
    if (naive_total(h) < before) {
        naive_say(m, dir, "dropped", from, before - naive_total(h), NULL);
    }
}

/* ---- payload ---- */

int64_t naive_offset_of(const direction *d, uint32_t seq)
{
    return d->next + (int32_t)(seq - (d->base + (uint32_t)(uint64_t)d->next));
}

void naive_payload(model *m, int dir, int64_t o, const uint8_t *data, int64_t len, int64_t captured,
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
        if (at >= x->next) {
            x->urgent = realloc(x->urgent, (size_t)(x->n_urgent + 1) * sizeof *x->urgent);
            x->urgent[x->n_urgent++] = at;
        }
    }
    x->max_end = o + n > x->max_end ? o + n : x->max_end;
    n = n < captured ? n : captured;
    if (o + n <= x->next) {
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
    if (n == 0) {
        return;
    }
    conflict = naive_put(&x->store, s, data, n, os, oe, m->set.policy);
    if (conflict > 0) {
        naive_say(m, dir, "conflict", conflict, NONE, NULL);
    }
    if (x->hole_since == NONE && x->store.list[0].s > x->next) {
        x->hole_since = m->now;
    }
    naive_pump(m, dir, false);
    while (naive_total(&x->store) > m->set.max_buffered || x->store.n > m->set.max_segments) {
        naive_gap(m, dir, "limit");
        naive_pump(m, dir, true);
    }
}

void naive_syn_payload(model *m, int dir, int64_t taken)
{
    const script_packet *p = m->d[dir].syn_data;

    m->d[dir].syn_data = NULL;
    taken = taken < 0 ? 0 : taken < p->captured ? taken : p->captured;
    if (taken > 0) {
        naive_payload(m, dir, 0, p->data, taken, taken, -1);
    }
}

void naive_acknowledge(model *m, int dir, int64_t ao)
{
    direction *y = &m->d[dir];

    if (y->fin != NONE && ao > y->fin) {
        ao = y->fin;
    }
    y->acked = ao > y->acked ? ao : y->acked;
    if (m->gate && y->store.n > 0 && y->store.list[0].s == y->next && ao > y->next) {
        m->gate = false;
        m->state = S_EST;
        naive_say(m, -1, "reset_ignored", NONE, NONE, NULL);
    }
}

void naive_finish_dir(model *m, int dir, int64_t at)
{
    direction *x = &m->d[dir];

    if (at < x->next || x->fin != NONE) {
        return;
    }
    if (x->max_end > at) {
        naive_drop_from(m, dir, at);
    }
    x->fin = at;
    x->acked = x->acked < at ? x->acked : at;
    x->max_end = at > x->max_end ? at : x->max_end;
    m->state = m->state == S_EST ? S_CLOSING : m->state;
}
