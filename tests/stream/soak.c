/* Soak test: thousands of generated TCP connections at once, with loss (before and behind the tap), duplicates, late
   segments, other boundaries when they are sent again, cut captures, wrong checksums, forged segments, resets, ports used
   again, half-open and one-sided ones. Everything that the library says about them is checked (soak_check.c), and its
   memory after each segment.
   usage: soak SEGMENTS [SEED] */
#include "soak.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLOTS  2000
#define LATE   64 /* segments that the tap has, but says later */
#define PHASE  (1u << 18)
#define SECOND INT64_C(1000000000)
#define WORD   64 /* units that a side may be ahead of what came */

#define FIN NETFEAT_TCP_FIN
#define SYN NETFEAT_TCP_SYN
#define RST NETFEAT_TCP_RST
#define PSH NETFEAT_TCP_PSH
#define ACK NETFEAT_TCP_ACK

/* Room for held bytes, and for records; and what memory may be in use with these: records are kept in blocks that
   double. */
#define MOST_HELD    (INT64_C(1) << 20)
#define MOST_RECORDS (INT64_C(2560) << 10) /* some streams have to be evicted */
#define MOST_MEMORY  (uint64_t)(MOST_HELD + 2 * MOST_RECORDS + (1 << 20))

typedef struct {
    soak s;
    uint64_t random;
    flow *slots[SLOTS];
    unsigned n_slots; /* of them in use in this phase */
    segment late[LATE];
    uint32_t next_client;
    unsigned tap_loss, loss, late_share, wild; /* per 1024 */
    uint64_t baseline, wanted;
} generator;

static uint32_t pick(generator *g, uint32_t below)
{
    g->random ^= g->random << 13;
    g->random ^= g->random >> 7;
    g->random ^= g->random << 17;
    return (uint32_t)(((g->random * UINT64_C(0x2545f4914f6cdd1d) >> 32) * below) >> 32);
}

static bool chance(generator *g, unsigned of_1024)
{
    return pick(g, 1024) < of_1024;
}

/* ---- connections ---- */

static void forget(generator *g, unsigned slot)
{
    flow *f = g->slots[slot];

    f->detached = true;
    g->slots[slot] = NULL;
    if (f->id == 0 && f->held == 0) {
        soak_free(f);
    }
}

static flow *new_flow(generator *g, const flow *again)
{
    flow *f = calloc(1, sizeof *f);
    uint32_t most = 1u << pick(g, 15);

    if (f == NULL) {
        soak_fail(&g->s, NULL, "no memory");
    }
    f->key = (uint64_t)pick(g, UINT32_MAX) << 32 | g->next_client;
    f->client = again != NULL ? again->client : g->next_client++;
    f->port = again != NULL ? again->port : (uint16_t)(1024 + pick(g, 60000));
    f->mute = again == NULL && chance(g, 40);
    f->midstream = again == NULL && chance(g, 20);
    for (int side = 0; side < 2; side++) {
        f->isn[side] = pick(g, UINT32_MAX);
        f->size[side] = pick(g, most + 1);
        f->unit = f->size[side] / CHUNKS + 1 > f->unit ? f->size[side] / CHUNKS + 1 : f->unit;
    }
    f->unit += pick(g, 200);
    for (int side = 0; side < 2; side++) {
        f->seen[side] = calloc(f->size[side] / 64 + 1, sizeof *f->seen[side]);
        if (f->seen[side] == NULL) {
            soak_fail(&g->s, NULL, "no memory");
        }
    }
    return f;
}

/* Both ends are done: other connections, some of them between the same ports. */
static void replace(generator *g, unsigned slot)
{
    flow *f = g->slots[slot];
    bool known =
        f->id == 0 || (f->eof[0] && f->eof[1]) || (f->next[0] > f->start[0] && f->next[1] > f->start[1]);
    flow *next = new_flow(g, known && !f->reset && f->held == 0 && chance(g, 256) ? f : NULL);

    forget(g, slot);
    g->slots[slot] = next;
}

/* ---- segments ---- */

static void feed(generator *g, const segment *seg)
{
    flow *f = seg->f;
    uint64_t used;

    g->s.now += pick(g, 200000);
    if (pick(g, 1 << 14) == 0) {
        g->s.now += pick(g, 3) == 0 ? -SECOND : SECOND / 5;
    }
    soak_feed(&g->s, seg);
    used = netfeat_ctx_memory_used(g->s.ctx) - g->baseline;
    if (used > MOST_MEMORY) {
        soak_fail(&g->s, f, "more memory than allowed");
    }
    if (f->detached && f->id == 0 && f->held == 0) {
        soak_free(f);
    }
}

static void release(generator *g, unsigned i)
{
    segment seg = g->late[i];

    if (seg.f != NULL) {
        g->late[i].f = NULL;
        seg.f->held--;
        feed(g, &seg);
    }
}

/* To the tap, which may lose it, be late with it, or see it twice. True: it is the tap's. */
static void send_segment(generator *g, const segment *seg, bool keep_order)
{
    unsigned i = pick(g, LATE);

    if (!keep_order && chance(g, g->tap_loss)) {
        return;
    }
    if (!keep_order && chance(g, g->late_share)) {
        release(g, i);
        g->late[i] = *seg;
        seg->f->held++;
        return;
    }
    if (chance(g, 8)) {
        seg->f->held++; /* not to be freed between the two */
        feed(g, seg);
        seg->f->held--;
    }
    feed(g, seg);
    if (chance(g, 64)) {
        release(g, i);
    }
}

static segment plain(flow *f, int side, unsigned flags)
{
    segment seg = {f, side, flags, f->sent[side], f->base[!side], 0, 0, false, false};
    return seg;
}

/* Units of that side behind base that are whole in [from, to) have come. */
static void arrive(flow *f, int side, uint32_t from, uint32_t to)
{
    uint32_t size = f->size[side], unit = f->unit, first = f->base[side];

    for (unsigned i = 0; i < WORD && first + i * unit < size; i++) {
        uint32_t start = first + i * unit, end = start + unit < size ? start + unit : size;
        if (from <= start && end <= to) {
            f->got[side] |= UINT64_C(1) << i;
        }
    }
    while (f->got[side] & 1) {
        f->got[side] >>= 1;
        f->base[side] = f->base[side] + unit < size ? f->base[side] + unit : size;
    }
}

/* Bytes: the next ones, or any between a little behind and the most that may be under way. */
static void say(generator *g, flow *f, int side)
{
    uint32_t size = f->size[side], unit = f->unit;
    uint32_t low = f->base[side] > 3 * unit ? f->base[side] - 3 * unit : 0;
    uint32_t high = f->base[side] + WORD * unit < size ? f->base[side] + WORD * unit : size;
    uint32_t from, to, kind = pick(g, 8);
    segment seg = plain(f, side, ACK | (kind & 1 ? PSH : 0u));

    if (size == 0) {
        return;
    }
    from = kind < 4 && f->sent[side] < high ? f->sent[side] : f->base[side];
    from = kind == 6 ? low + pick(g, (high - low) / unit + 1) * unit : from;
    from = kind == 7 ? low + pick(g, high - low) : from; /* no boundary of before */
    to = from + (kind == 7 ? 1 + pick(g, 3 * unit) : unit * (1 + (kind == 6)));
    to = to < high ? to : high;
    to = to - from < MOST_LEN ? to : from + MOST_LEN;
    if (from >= to) {
        return;
    }
    seg.offset = from;
    seg.length = seg.captured = to - from;
    seg.captured = chance(g, 4) ? pick(g, seg.length + 1) : seg.captured;
    f->sent[side] = to > f->sent[side] ? to : f->sent[side];
    if (!f->mute && !chance(g, g->loss)) {
        arrive(f, side, from, to);
    }
    send_segment(g, &seg, false);
}

static void acknowledge(generator *g, flow *f, int side)
{
    segment seg = plain(f, side, ACK);

    seg.ack += f->base[!side] == f->size[!side] && f->fin_acked[!side];
    send_segment(g, &seg, false);
}

/* Nothing of these may have an effect. */
static void forge(generator *g, flow *f, int side)
{
    segment seg = plain(f, side, ACK);

    if (f->id == 0 || f->reset || (f->eof[0] && f->eof[1]) || g->s.now - f->last > SECOND / 4) {
        return; /* its stream could end now */
    }
    seg.garbage = true;
    seg.offset = f->next[side];
    seg.length = seg.captured = 2 + pick(g, 100);
    switch (pick(g, 4)) {
    case 0:
        seg.bad_sum = true;
        break;
    case 1: /* an RST that is not exact */
        seg.flags = RST;
        seg.offset = f->size[side] + 3 + pick(g, 1000);
        seg.length = seg.captured = 0;
        break;
    case 2: /* late, and changed */
        seg.offset -= seg.length;
        if (seg.offset < f->start[side]) {
            return;
        }
        break;
    default: /* far outside of the window, if there is one */
        seg.offset += 400000;
        if (f->in_middle || f->mute || !f->heard[!side]) {
            return;
        }
    }
    feed(g, &seg);
}

static void shake_hands(generator *g, flow *f)
{
    int side = f->handshake == 1;
    segment seg = plain(f, side, f->handshake == 0 ? SYN : f->handshake == 1 ? SYN | ACK : ACK);

    if (f->midstream) {
        f->handshake = 3;
        return;
    }
    f->handshake += f->mute && chance(g, 512) ? 3 : !f->mute;
    send_segment(g, &seg, true);
}

static void reset(generator *g, unsigned slot)
{
    flow *f = g->slots[slot];
    int side = (int)pick(g, 2);
    segment seg = plain(f, side, RST | ACK);

    seg.offset = f->id != 0 ? f->next[side] : f->base[side];
    f->held++;
    send_segment(g, &seg, true);
    if (chance(g, 256)) {
        say(g, f, side); /* it goes on all the same, but nobody listens */
    }
    f->held--;
    replace(g, slot);
}

/* All was said: FIN, again until it is acknowledged. True: both ends are done. */
static bool finish(generator *g, flow *f, int side)
{
    segment seg = plain(f, side, FIN | ACK);

    if (f->fin_acked[0] && f->fin_acked[1]) {
        return true;
    }
    seg.offset = f->size[side];
    if (!chance(g, g->loss) && f->base[side] == f->size[side]) {
        f->fin_acked[side] = true;
    }
    send_segment(g, &seg, false);
    acknowledge(g, f, !side);
    return false;
}

static void act(generator *g, unsigned slot)
{
    flow *f = g->slots[slot];
    int side = f->mute ? 0 : (int)pick(g, 2);

    if (f->handshake < 3) {
        if (f->mute && chance(g, 100)) {
            replace(g, slot);
            return;
        }
        shake_hands(g, f);
        return;
    }
    if (pick(g, 1 << 16) < g->wild) {
        reset(g, slot);
        return;
    }
    if (chance(g, g->wild / 8)) {
        forge(g, f, side);
        return;
    }
    if (f->mute && chance(g, 10)) {
        replace(g, slot);
    } else if (!f->mute && pick(g, 4) == 0) {
        acknowledge(g, f, side);
    } else if (!f->mute && f->base[side] == f->size[side]) {
        if (finish(g, f, side)) {
            replace(g, slot);
        }
    } else {
        say(g, f, side);
    }
}

/* ---- the whole ---- */

/* Other weather from time to time; connections that get no turn go to sleep, and some of them too long. */
static void begin_phase(generator *g)
{
    static const unsigned slots[] = {20, 300, SLOTS}, tap_losses[] = {0, 5, 60}, losses[] = {0, 20, 250};
    static const unsigned late[] = {0, 20, 250}, wild[] = {0, 40, 400};

    g->n_slots = slots[pick(g, 3)];
    g->tap_loss = tap_losses[pick(g, 3)];
    g->loss = losses[pick(g, 3)];
    g->late_share = late[pick(g, 3)];
    g->wild = wild[pick(g, 3)];
    for (unsigned i = 0; i < g->n_slots; i++) {
        if (g->slots[i] == NULL) {
            g->slots[i] = new_flow(g, NULL);
        }
    }
}

static void set(generator *g, netfeat_options *opts, int key, int64_t value)
{
    if (netfeat_options_set_int(opts, key, value) != 0) {
        soak_fail(&g->s, NULL, netfeat_ctx_error_message(g->s.ctx));
    }
}

static void open_streams(generator *g)
{
    netfeat_options *opts = NULL;

    if (netfeat_ctx_new(&g->s.ctx) != 0 || netfeat_options_new(g->s.ctx, &opts) != 0) {
        soak_fail(&g->s, NULL, "no memory");
    }
    set(g, opts, NETFEAT_OPT_STREAM_MAX_TOTAL_BYTES, MOST_HELD);
    set(g, opts, NETFEAT_OPT_STREAM_MAX_STREAM_BYTES, MOST_RECORDS);
    set(g, opts, NETFEAT_OPT_STREAM_MAX_STREAMS, SLOTS * 3 / 2);
    set(g, opts, NETFEAT_OPT_STREAM_MAX_BUFFERED_BYTES, 8192);
    set(g, opts, NETFEAT_OPT_STREAM_ASYNC_BYTES, 4096);
    set(g, opts, NETFEAT_OPT_STREAM_CHECKSUM, NETFEAT_CHECKSUM_ON);
    set(g, opts, NETFEAT_OPT_STREAM_HALF_OPEN_NS, SECOND);
    set(g, opts, NETFEAT_OPT_STREAM_IDLE_NS, 2 * SECOND);
    set(g, opts, NETFEAT_OPT_STREAM_LINGER_NS, SECOND / 10);
    set(g, opts, NETFEAT_OPT_STREAM_GAP_TIMEOUT_NS, SECOND * 3 / 2);
    g->baseline = netfeat_ctx_memory_used(g->s.ctx);
    if (netfeat_streams_new(g->s.ctx, opts, &g->s.st) != 0) {
        soak_fail(&g->s, NULL, netfeat_ctx_error_message(g->s.ctx));
    }
    netfeat_options_unref(opts);
}

static void close_streams(generator *g)
{
    uint64_t left;

    for (unsigned i = 0; i < LATE; i++) {
        release(g, i);
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        if (g->slots[i] != NULL) {
            forget(g, i);
        }
    }
    if (netfeat_streams_end(g->s.st) != 0) {
        soak_fail(&g->s, NULL, netfeat_ctx_error_message(g->s.ctx));
    }
    soak_drain(&g->s);
    for (unsigned i = 0; i < BY_ID; i++) {
        if (g->s.by_id[i] != NULL) {
            soak_fail(&g->s, g->s.by_id[i], "a stream that did not close");
        }
    }
    netfeat_streams_unref(g->s.st);
    left = netfeat_ctx_memory_used(g->s.ctx);
    if (left > g->baseline) { /* the options are gone, too */
        soak_fail(&g->s, NULL, "memory was not given back");
    }
}

static void report(const generator *g)
{
    const soak *s = &g->s;

    printf("%" PRIu64 " segments, %" PRIu64 " streams, %" PRIu64 " bytes right, %" PRIu64 " missing, %" PRIu64
           " resets; peak %.2f MiB of %.0f; %.0f s of processor time\n",
           s->segments, s->streams, s->delivered, s->missing, s->resets,
           (double)(netfeat_ctx_memory_peak(s->ctx) - g->baseline) / (1 << 20),
           (double)MOST_MEMORY / (1 << 20), (double)clock() / CLOCKS_PER_SEC);
    printf("gaps: ack %" PRIu64 ", timeout %" PRIu64 ", limit %" PRIu64 ", memory %" PRIu64 ", reset %" PRIu64
           ", end %" PRIu64 "\n",
           s->gaps[1], s->gaps[2], s->gaps[3], s->gaps[4], s->gaps[5], s->gaps[6]);
    printf("ends: fin %" PRIu64 ", reset %" PRIu64 ", timeout %" PRIu64 ", reused %" PRIu64
           ", evicted %" PRIu64 ", capture %" PRIu64 "\n",
           s->ends[1], s->ends[2], s->ends[3], s->ends[4], s->ends[5], s->ends[6]);
    for (int i = 1; i < 7; i++) {
        if (s->segments >= 10000000 && (s->gaps[i] == 0 || s->ends[i] == 0)) {
            soak_fail(s, NULL, "a reason that never came up: the test tests less than it should");
        }
    }
}

int main(int argc, char **argv)
{
    generator *g = calloc(1, sizeof *g);
    uint64_t phase = 0;

    if (argc < 2 || g == NULL || (g->s.by_id = calloc(BY_ID, sizeof *g->s.by_id)) == NULL) {
        fprintf(stderr, "usage: soak SEGMENTS [SEED]\n");
        return 2;
    }
    g->wanted = strtoull(argv[1], NULL, 10);
    g->random = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1) * UINT64_C(0x9e3779b97f4a7c15) + 1;
    g->s.now = INT64_C(1700000000) * SECOND;
    g->next_client = 0x0a000001;
    open_streams(g);
    while (g->s.segments < g->wanted) {
        if (g->s.segments >= phase) {
            begin_phase(g);
            phase += PHASE;
        }
        act(g, pick(g, g->n_slots));
    }
    close_streams(g);
    report(g);
    netfeat_ctx_unref(g->s.ctx);
    free(g->s.by_id);
    free(g);
    return 0;
}
