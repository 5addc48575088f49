#include "random_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES 20000

typedef struct {
    uint32_t isn;
    unsigned size;  /* of what it has to say */
    unsigned top;   /* what was sent of it */
    unsigned acked; /* the last acknowledgement it sent */
    uint32_t ts;
    bool stamps;
    int scale;
    int window;
} talker;

typedef struct {
    choices *from;
    script_case *c;
    talker side[2];
    bool wild, large, slow;
} maker;

/* What the sides say; the same in every script. */
static uint8_t patterns[2][MOST_BYTES + 4096];

static void make_patterns(void)
{
    static bool made;

    for (int s = 0; s < 2 && !made; s++) {
        uint32_t mix = 12345u + (uint32_t)s;

        for (size_t i = 0; i < sizeof patterns[s]; i++) {
            mix = mix * 1664525u + 1013904223u;
            patterns[s][i] = (uint8_t)(mix >> 24);
        }
    }
    made = true;
}

unsigned choose(choices *from, unsigned below)
{
    if (from->size > 0) {
        unsigned value = from->bytes[0];
        size_t n = below > 256 && from->size > 1 ? 2 : 1;

        value |= n > 1 ? (unsigned)from->bytes[1] << 8 : 0;
        from->bytes += n;
        from->size -= n;
        return value % below;
    }
    if (from->seeded == 0) {
        return 0;
    }
    from->seeded ^= from->seeded << 13;
    from->seeded ^= from->seeded >> 7;
    from->seeded ^= from->seeded << 17;
    return (unsigned)((from->seeded * UINT64_C(0x9e3779b97f4a7c15)) >> 33) % below;
}

static bool one_in(maker *m, unsigned n)
{
    return choose(m->from, n) == n - 1;
}

/* ---- settings ---- */

static void choose_options(maker *m)
{
    static const int depths[] = {1048576, 0, 50, 5};
    static const int buffered[] = {1048576, 20, 0, 4000};
    static const int segments[] = {3072, 3, 1, 20};
    script_case *c = m->c;

    script_set(c, NETFEAT_OPT_STREAM_POLICY, 1 + (int)choose(m->from, 7));
    script_set(c, NETFEAT_OPT_STREAM_DELIVER, one_in(m, 4) ? 2 : 1);
    script_set(c, NETFEAT_OPT_STREAM_DEPTH_BYTES, one_in(m, 4) ? depths[choose(m->from, 4)] : 0);
    script_set(c, NETFEAT_OPT_STREAM_MAX_BUFFERED_BYTES,
               one_in(m, 4) ? buffered[choose(m->from, 4)] : 1048576);
    script_set(c, NETFEAT_OPT_STREAM_MAX_SEGMENTS, one_in(m, 4) ? segments[choose(m->from, 4)] : 3072);
    if (m->wild) {
        script_set(c, NETFEAT_OPT_STREAM_ASYNC_BYTES, one_in(m, 2) ? (int)choose(m->from, 60) : 16384);
        script_set(c, NETFEAT_OPT_STREAM_CHECKSUM, NETFEAT_CHECKSUM_ON);
        script_set(c, NETFEAT_OPT_STREAM_STRICT, !one_in(m, 5));
        script_set(c, NETFEAT_OPT_STREAM_ACK_STRICT, one_in(m, 5));
        script_set(c, NETFEAT_OPT_STREAM_RESET_GATE, !one_in(m, 5));
        script_set(c, NETFEAT_OPT_STREAM_URGENT, one_in(m, 4) ? 2 : 1);
        script_set(c, NETFEAT_OPT_STREAM_MIDSTREAM, !one_in(m, 8));
    }
}

/* ---- packets ---- */

static script_packet *packet(maker *m, int side, unsigned flags, uint32_t seq, uint32_t ack)
{
    static const int steps[] = {0, 0, 0, 0, 1, 10, 100, 200, 1500, 3000};
    script_packet *p = script_add(m->c);
    talker *t = &m->side[side];

    m->c->time_ns += (int64_t)steps[choose(m->from, sizeof steps / sizeof steps[0])] * 1000000;
    if (m->slow && one_in(m, 12)) {
        m->c->time_ns += (int64_t)(one_in(m, 2) ? 302 : 31) * 1000000000;
    }
    p->time_ns = m->c->time_ns;
    p->side = side;
    p->flags = flags;
    p->seq = t->isn + seq;
    p->ack = flags & NETFEAT_TCP_ACK ? m->side[!side].isn + ack : 0;
    p->window = t->window;
    if (t->stamps) {
        p->has_ts = true;
        p->tsval = t->ts += choose(m->from, 3);
    }
    return p;
}

static void fill(script_packet *p, unsigned offset, unsigned len)
{
    p->len = p->captured = len;
    p->data = malloc(len + 1);
    memcpy(p->data, patterns[p->side] + offset, len);
}

static void handshake(maker *m)
{
    unsigned kind = m->wild ? choose(m->from, 8) : 0;
    script_packet *p;

    if (kind == 7) {
        return; /* mid stream */
    }
    p = packet(m, 0, NETFEAT_TCP_SYN, 0, 0);
    p->scale = m->side[0].scale;
    if (m->wild && one_in(m, 8)) {
        fill(p, 0, 1 + choose(m->from, 9));
    }
    if (kind == 6) {
        return; /* nobody answers */
    }
    p = packet(m, 1, NETFEAT_TCP_SYN | NETFEAT_TCP_ACK, 0,
               1 + (p->len > 0 ? choose(m->from, p->len + 1) : 0));
    p->scale = m->side[1].scale;
    if (kind != 5) {
        packet(m, 0, NETFEAT_TCP_ACK, 1, 1);
    }
}

static unsigned near(maker *m, unsigned at, unsigned back, unsigned ahead, unsigned limit)
{
    unsigned shift = choose(m->from, back + ahead + 1);

    at += shift;
    at = at > back ? at - back : 0;
    return at < limit ? at : limit;
}

static void data(maker *m, int side)
{
    talker *t = &m->side[side];
    unsigned most = m->large ? 3000 : 40;
    unsigned offset = one_in(m, 3) ? near(m, t->top, most, most, t->size) : t->top;
    unsigned len = 1 + choose(m->from, most);
    script_packet *p;

    if (!m->wild && one_in(m, 2)) {
        offset = near(m, t->top, 0, 2 * most, t->size); /* one lost, or out of order */
    }
    len = len < t->size - offset ? len : t->size - offset;
    if (len == 0) {
        return;
    }
    p = packet(m, side, NETFEAT_TCP_ACK | (one_in(m, 4) ? NETFEAT_TCP_PSH : 0u), 1 + offset,
               1 + m->side[side].acked);
    fill(p, offset, len);
    t->top = offset + len > t->top ? offset + len : t->top;
    if (!m->wild) {
        return;
    }
    if (one_in(m, 10)) {
        p->data[choose(m->from, len)] ^= (uint8_t)(1 + choose(m->from, 255));
    }
    if (one_in(m, 12)) {
        p->flags |= NETFEAT_TCP_URG;
        p->urgent = (int)choose(m->from, len + 3);
    }
    if (one_in(m, 20)) {
        p->captured = choose(m->from, len + 1);
    }
}

static void acknowledge(maker *m, int side)
{
    talker *peer = &m->side[!side];

    m->side[side].acked =
        near(m, peer->top, m->large ? 4000 : 60, m->wild && one_in(m, 6) ? 30 : 0, peer->size + 2);
    packet(m, side, NETFEAT_TCP_ACK, 1 + m->side[side].top, 1 + m->side[side].acked);
}

static void fin(maker *m, int side, bool early)
{
    unsigned at = early ? near(m, m->side[side].top, 20, 20, m->side[side].size) : m->side[side].size;
    script_packet *p = packet(m, side, NETFEAT_TCP_FIN | NETFEAT_TCP_ACK, 1 + at, 1 + m->side[side].acked);

    if (early && one_in(m, 2) && at < m->side[side].size) {
        fill(p, at, 1 + choose(m->from, 9) % (m->side[side].size - at));
    }
}

/* What nobody sends who means well. */
static void mischief(maker *m, int side)
{
    talker *t = &m->side[side];
    unsigned top = 1 + near(m, t->top, 3, 3, t->size), acked = 1 + t->acked;
    script_packet *p;

    switch (choose(m->from, 14)) {
    case 0:
        packet(m, side, NETFEAT_TCP_RST | (one_in(m, 2) ? NETFEAT_TCP_ACK : 0u),
               one_in(m, 2) ? 1 + t->top : top, acked);
        break;
    case 1:
        packet(m, side, NETFEAT_TCP_SYN, one_in(m, 2) ? 0 : 50000 + choose(m->from, 3), 0);
        break;
    case 2: /* a new connection on the same ports */
        packet(m, side, NETFEAT_TCP_SYN, 90000, 0);
        t->isn += 90000;
        m->side[!side].isn += 70000;
        t->top = t->acked = m->side[!side].top = m->side[!side].acked = 0;
        packet(m, !side, NETFEAT_TCP_SYN | NETFEAT_TCP_ACK, 0, 1);
        break;
    case 3:
        packet(m, side, NETFEAT_TCP_SYN | NETFEAT_TCP_ACK, choose(m->from, 3) * 7, 1 + choose(m->from, 4));
        break;
    case 4:
        p = packet(m, side, choose(m->from, 64), top, acked);
        fill(p, 0, choose(m->from, 6));
        break;
    case 5:
        p = packet(m, side, NETFEAT_TCP_ACK, top, acked + choose(m->from, 3) * 40000);
        fill(p, top - 1, 4);
        break;
    case 6:
        p = packet(m, side, NETFEAT_TCP_ACK, top + 60000 + choose(m->from, 9000), acked);
        fill(p, 0, 4);
        break;
    case 7:
        p = packet(m, side, NETFEAT_TCP_ACK, top, acked);
        p->bad_sum = true;
        fill(p, 0, 4);
        break;
    case 8:
        p = packet(m, side, NETFEAT_TCP_ACK, top, acked);
        p->md5 = true;
        fill(p, 0, 4);
        break;
    case 9:
        p = packet(m, side, NETFEAT_TCP_ACK, top, acked);
        p->has_ts = true;
        p->tsval = t->ts - choose(m->from, 4);
        fill(p, 0, 4);
        break;
    case 10:
        t->window = one_in(m, 2) ? 0 : one_in(m, 2) ? 65535 : (int)choose(m->from, 200);
        packet(m, side, NETFEAT_TCP_ACK, 1 + t->top, acked);
        break;
    case 11: /* keep-alive, or a probe of a window */
        p = packet(m, side, NETFEAT_TCP_ACK, t->top + choose(m->from, 2), acked);
        fill(p, 0, choose(m->from, 2));
        break;
    case 12:
        p = packet(m, side, NETFEAT_TCP_ACK, (uint32_t)0 - choose(m->from, 500), acked);
        fill(p, 0, 1 + choose(m->from, 9));
        break;
    default:
        p = packet(m, side, NETFEAT_TCP_ACK, top, acked);
        p->time_ns -= 1000000000;
        fill(p, top - 1, 3);
    }
}

static void talk(maker *m)
{
    int side = (int)choose(m->from, 4) == 0;

    switch (choose(m->from, m->wild ? 10 : 6)) {
    case 0:
    case 1:
    case 2:
    case 3:
        data(m, side);
        break;
    case 4:
    case 5:
        acknowledge(m, !side);
        break;
    case 6:
        data(m, !side);
        break;
    case 7:
        if (one_in(m, 3)) {
            fin(m, side, one_in(m, 2));
        }
        break;
    default:
        mischief(m, side);
    }
}

script_case *random_script(choices *from, bool wild, unsigned max_packets)
{
    maker *m = calloc(1, sizeof *m);
    script_case *c = calloc(1, sizeof *c);
    unsigned n;

    make_patterns();
    m->from = from;
    m->c = c;
    m->wild = wild;
    choose_options(m);
    m->large = one_in(m, 6);
    m->slow = wild && one_in(m, 4);
    for (int s = 0; s < 2; s++) {
        talker *t = &m->side[s];

        t->isn = one_in(m, 3) ? 0u - choose(m->from, 400) : choose(m->from, 60000) * 71583u;
        t->size = 1 + choose(m->from, m->large ? MOST_BYTES : 400);
        t->ts = 1000;
        t->stamps = wild && one_in(m, 3);
        t->scale = wild && one_in(m, 3) ? (int)choose(m->from, 16) : -1;
        t->window = 65535;
    }
    handshake(m);
    n = 1 + choose(from, max_packets - 6);
    while (c->n_packets < n) {
        unsigned before = (unsigned)c->n_packets;
        talk(m);
        n -= before == c->n_packets; /* said nothing */
    }
    if (!wild) {
        fin(m, 0, false);
        packet(m, 1, NETFEAT_TCP_ACK, 1 + m->side[1].top, 2 + m->side[0].size);
    }
    free(m);
    return c;
}

void script_dump(const script_case *c, script_text *ret)
{
    static const char letters[] = "FSRPAU";

    script_print(ret, "case dump\nisn 0 0\n");
    for (int i = 0; i < c->n_options; i++) {
        script_print(ret, "set %s %lld\n", netfeat_option_name(c->options[i].key),
                     (long long)c->options[i].value);
    }
    for (size_t i = 0; i < c->n_packets; i++) {
        const script_packet *p = &c->packets[i];

        script_print(ret, "%c ", p->side == 0 ? '>' : '<');
        for (int k = 0; k < 6; k++) {
            if (p->flags >> k & 1) {
                script_print(ret, "%c", letters[k]);
            }
        }
        script_print(ret, "%s %u/%u ", p->flags == 0 ? "0" : "", p->seq, p->ack);
        if (p->len > 0) {
            script_print_bytes(ret, p->data, p->len);
        }
        script_print(ret, " @%.9f w=%d", (double)p->time_ns / 1e9, p->window);
        if (p->captured < p->len) {
            script_print(ret, " cap=%u", p->captured);
        }
        if (p->scale >= 0) {
            script_print(ret, " ws=%d", p->scale);
        }
        if (p->has_ts) {
            script_print(ret, " ts=%u/%u", p->tsval, p->tsecr);
        }
        script_print(ret, " urg=%d%s%s\n", p->urgent, p->md5 ? " md5" : "", p->bad_sum ? " badsum" : "");
    }
}
