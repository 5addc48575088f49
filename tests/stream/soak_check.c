/* What the library must make of generated connections: each byte that the tap saw comes out once, in order and right, or
   was late for a gap; no gap holds a byte that had been seen; all streams close. */
#include "soak.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void soak_fail(const soak *s, const flow *f, const char *what)
{
    fprintf(stderr, "segment %" PRIu64 ": %s", s->segments, what);
    if (f != NULL) {
        fprintf(stderr, "; port %u, stream %" PRIu64 ", sides at %" PRId64 " of %u and %" PRId64 " of %u",
                f->port, f->id, f->next[0], f->size[0], f->next[1], f->size[1]);
    }
    fputc('\n', stderr);
    exit(1);
}

/* ---- bytes ---- */

static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

void soak_bytes(const flow *f, int side, int64_t offset, uint32_t n, uint8_t *ret)
{
    uint64_t word = 0, at = (uint64_t)offset;

    for (uint32_t i = 0; i < n; i++, at++) {
        if (i == 0 || at % 8 == 0) {
            word = mix(f->key + 2 * (at / 8) + (uint64_t)side) >> 8 * (at % 8);
        }
        ret[i] = (uint8_t)word;
        word >>= 8;
    }
}

/* ---- which bytes the tap saw ---- */

/* The bits of one word in [from, to). */
static uint64_t mask_of(int64_t word, int64_t from, int64_t to)
{
    uint64_t mask = UINT64_MAX;

    if (from > word * 64) {
        mask &= UINT64_MAX << (from - word * 64);
    }
    if (to < word * 64 + 64) {
        mask &= ~(UINT64_MAX << (to - word * 64));
    }
    return mask;
}

static void mark(flow *f, int side, int64_t from, int64_t to)
{
    from = from > f->next[side] ? from : f->next[side];
    for (int64_t w = from / 64; w * 64 < to; w++) {
        f->seen[side][w] |= mask_of(w, from, to);
    }
}

static bool all_seen(const flow *f, int side, int64_t from, int64_t to)
{
    for (int64_t w = from / 64; w * 64 < to; w++) {
        uint64_t mask = mask_of(w, from, to);
        if ((f->seen[side][w] & mask) != mask) {
            return false;
        }
    }
    return true;
}

static bool any_seen(const flow *f, int side, int64_t from, int64_t to)
{
    for (int64_t w = from / 64; w * 64 < to; w++) {
        if (f->seen[side][w] & mask_of(w, from, to)) {
            return true;
        }
    }
    return false;
}

/* The bytes of the current segment; what was known of them before is kept. */
static void mark_segment(soak *s)
{
    const segment *seg = s->current;
    int64_t first = seg->offset / 64;

    if (seg->garbage || seg->captured == 0 || seg->f->eof[seg->side]) {
        return;
    }
    s->n_before = (int)((seg->offset + seg->captured - 1) / 64 - first) + 1;
    memcpy(s->before, seg->f->seen[seg->side] + first, (size_t)s->n_before * sizeof s->before[0]);
    mark(seg->f, seg->side, seg->offset, seg->offset + seg->captured);
}

/* Time-outs come before the segment that shows what time it is: then it is not yet seen. */
static void unmark_segment(soak *s, const flow *f, int side)
{
    const segment *seg = s->current;

    if (seg != NULL && seg->f == f && seg->side == side && s->n_before > 0) {
        memcpy(seg->f->seen[side] + seg->offset / 64, s->before, (size_t)s->n_before * sizeof s->before[0]);
    }
}

/* ---- events ---- */

static flow *flow_of(const soak *s)
{
    uint64_t id = netfeat_streams_id(s->st);
    flow *f = s->by_id[id % BY_ID];

    while (f != NULL && f->id != id) {
        f = f->next_by_id;
    }
    if (f == NULL) {
        soak_fail(s, f, "an event of a stream that is not open");
    }
    return f;
}

static void on_open(soak *s)
{
    const segment *seg = s->current;
    uint64_t id = netfeat_streams_id(s->st);
    uint8_t address[16];
    int port = 0;
    flow *f = seg != NULL ? seg->f : NULL;

    if (f == NULL || f->id != 0 || netfeat_streams_endpoint(s->st, 0, address, &port) != 0) {
        soak_fail(s, f, "a stream that nobody opens");
    }
    f->next_by_id = s->by_id[id % BY_ID];
    s->by_id[id % BY_ID] = f;
    s->streams++;
    f->id = id;
    f->first = port == f->port ? 0 : 1;
    f->reset = f->heard[0] = f->heard[1] = f->ended_before = false;
    f->in_middle = (seg->flags & (NETFEAT_TCP_SYN | NETFEAT_TCP_ACK)) != NETFEAT_TCP_SYN;
    for (int side = 0; side < 2; side++) {
        f->start[side] = seg->flags & NETFEAT_TCP_SYN ? 0 : side == seg->side ? seg->offset : seg->ack;
        f->next[side] = f->start[side];
        f->eof[side] = false;
        memset(f->seen[side], 0, (f->size[side] / 64 + 1) * sizeof *f->seen[side]);
    }
    mark_segment(s);
}

static void on_data(soak *s, flow *f, int side)
{
    int64_t from = f->start[side] + (int64_t)netfeat_streams_offset(s->st);
    uint8_t expected[65536];
    size_t n;
    const void *data = netfeat_streams_data(s->st, &n);

    if (from != f->next[side] || n == 0 || n > sizeof expected || from + (int64_t)n > f->size[side]) {
        soak_fail(s, f, "data at a wrong place");
    }
    soak_bytes(f, side, from, (uint32_t)n, expected);
    if (memcmp(data, expected, n) != 0) {
        soak_fail(s, f, "wrong bytes");
    }
    if (!all_seen(f, side, from, from + (int64_t)n)) {
        soak_fail(s, f, "bytes that never came");
    }
    f->next[side] += (int64_t)n;
    s->delivered += n;
}

static void on_gap(soak *s, flow *f, int side)
{
    int64_t from = f->start[side] + (int64_t)netfeat_streams_offset(s->st);
    int64_t n = (int64_t)netfeat_streams_size(s->st);
    int reason = netfeat_streams_reason(s->st);

    /* a FIN that the tap did not see, but whose acknowledgement it saw, looks like a byte */
    if (from != f->next[side] || n == 0 || from + n > (int64_t)f->size[side] + 1) {
        soak_fail(s, f, "a gap at a wrong place");
    }
    f->ended_before |= reason == NETFEAT_GAP_END && any_seen(f, side, from, from + n);
    if (reason == NETFEAT_GAP_TIMEOUT || reason == NETFEAT_GAP_ACK || f->ended_before) {
        unmark_segment(s, f, side);
    }
    if (any_seen(f, side, from, from + n)) {
        soak_fail(s, f, "a gap over bytes that came");
    }
    f->next[side] += n;
    s->missing += (uint64_t)n;
    s->gaps[reason]++;
    if (s->current != NULL && s->current->f == f && s->current->side == side && s->n_before > 0) {
        mark_segment(s);
    }
}

static void on_close(soak *s, flow *f)
{
    const segment *seg = s->current;
    flow **at = &s->by_id[f->id % BY_ID];
    int reason = netfeat_streams_reason(s->st);

    if (f->ended_before && reason != NETFEAT_END_TIMEOUT) {
        soak_fail(s, f, "a gap over bytes that came");
    }
    for (int side = 0; side < 2 && !f->reset; side++) {
        if (reason != NETFEAT_END_FIN) {
            unmark_segment(s, f, side);
        }
        if (any_seen(f, side, f->next[side], f->size[side])) {
            soak_fail(s, f, "bytes that never came out");
        }
        if (reason == NETFEAT_END_FIN && f->next[side] != f->size[side]) {
            soak_fail(s, f, "a stream that ended, but not where it ends");
        }
    }
    s->ends[reason]++;
    while (*at != f) {
        at = &(*at)->next_by_id;
    }
    *at = f->next_by_id;
    f->id = 0;
    if (f->detached && f->held == 0 && (seg == NULL || seg->f != f)) {
        soak_free(f);
    }
}

static void on_event(soak *s, int event)
{
    flow *f;
    int side;

    if (event == NETFEAT_STREAM_OPEN) {
        on_open(s);
        return;
    }
    f = flow_of(s);
    side = netfeat_streams_direction(s->st) ^ f->first;
    switch (event) {
    case NETFEAT_STREAM_DATA:
        on_data(s, f, side);
        break;
    case NETFEAT_STREAM_GAP:
        on_gap(s, f, side);
        break;
    case NETFEAT_STREAM_EOF:
        if (f->eof[side] || f->next[side] != f->size[side]) {
            soak_fail(s, f, "the end of a side at a wrong place");
        }
        f->eof[side] = true;
        break;
    case NETFEAT_STREAM_RESET:
        f->reset = true;
        s->resets++;
        break;
    case NETFEAT_STREAM_RESET_IGNORED:
        f->reset = false;
        break;
    case NETFEAT_STREAM_DROPPED:
        if (!f->reset) {
            soak_fail(s, f, "bytes dropped");
        }
        break;
    case NETFEAT_STREAM_CLOSE:
        on_close(s, f);
        break;
    default:
        soak_fail(s, f, "an event that nothing asks for");
    }
}

void soak_drain(soak *s)
{
    int code;

    while ((code = netfeat_streams_step(s->st)) > 0) {
        on_event(s, netfeat_streams_event(s->st));
    }
    if (code < 0) {
        soak_fail(s, NULL, netfeat_ctx_error_message(s->ctx));
    }
}

/* ---- packets ---- */

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static uint16_t checksum(const uint8_t *p, uint32_t n, uint64_t sum)
{
    for (; n >= 4; n -= 4, p += 4) {
        uint32_t word;
        memcpy(&word, p, sizeof word);
        sum += word;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint8_t word[4] = {0};
        uint32_t value;
        word[i] = p[i];
        memcpy(&value, word, sizeof value);
        sum += value;
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

static uint32_t make_packet(const segment *seg, uint8_t *p)
{
    const flow *f = seg->f;
    uint8_t *ip = p + 14, *tcp = ip + 20, pseudo[12] = {0};
    uint32_t length = 20 + seg->length;
    uint16_t sum;

    memset(p, 0, HEADERS);
    p[12] = 8;
    ip[0] = 0x45;
    put16(ip + 2, 20 + length);
    ip[8] = 64;
    ip[9] = 6;
    put32(ip + (seg->side == 0 ? 12 : 16), f->client);
    put32(ip + (seg->side == 0 ? 16 : 12), 0xc0a80001);
    put16(tcp + (seg->side == 0 ? 0 : 2), f->port);
    put16(tcp + (seg->side == 0 ? 2 : 0), 80);
    put32(tcp + 4, f->isn[seg->side] + (seg->flags & NETFEAT_TCP_SYN ? 0 : 1) + (uint32_t)seg->offset);
    if (seg->flags & NETFEAT_TCP_ACK) {
        put32(tcp + 8, f->isn[!seg->side] + 1 + (uint32_t)seg->ack);
    }
    tcp[12] = 0x50;
    tcp[13] = (uint8_t)seg->flags;
    put16(tcp + 14, 65535);
    if (seg->garbage) {
        memset(tcp + 20, 'E', seg->length);
    } else {
        soak_bytes(f, seg->side, seg->offset, seg->length, tcp + 20);
    }
    memcpy(pseudo, ip + 12, 8);
    pseudo[9] = 6;
    put16(pseudo + 10, length);
    sum = checksum(tcp, length, (uint16_t)~checksum(pseudo, sizeof pseudo, 0));
    sum = seg->bad_sum ? (uint16_t)(sum ^ 0x1234) : sum;
    memcpy(tcp + 16, &sum, sizeof sum);
    return 34 + length;
}

void soak_feed(soak *s, const segment *seg)
{
    uint8_t packet[HEADERS + MOST_LEN];
    uint32_t size = make_packet(seg, packet);

    s->segments++;
    s->current = seg;
    s->n_before = 0;
    if (seg->f->id != 0) {
        mark_segment(s);
    }
    if (netfeat_streams_feed_packet(s->st, 1, s->now, size, packet, size - (seg->length - seg->captured)) !=
        0) {
        soak_fail(s, seg->f, netfeat_ctx_error_message(s->ctx));
    }
    soak_drain(s);
    seg->f->last = s->now;
    seg->f->heard[seg->side] |= !seg->garbage;
    s->current = NULL;
}

void soak_free(flow *f)
{
    free(f->seen[0]);
    free(f->seen[1]);
    free(f);
}
