/* Fuzz target: bytes become IP fragments of a few datagrams, out of order, overlapping, contradicting each other; what
   comes out is compared with a model that keeps one owner per byte. Fragments whose bytes are not fields of the script
   come from the rest of the input, raw, into a reassembler. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/context.h"
#include "stream/frag.h"
#include "stream/streams.h"
#include "shared_context.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DATAGRAMS 4
#define MOST      256 /* bytes of a datagram here: 15 units of 8 in front of 15 more and 3 */
#define TIMEOUT   INT64_C(30000000000)

/* One datagram: for each byte its value, the start of the fragment it came from, and whether it is there. */
typedef struct {
    int used, dead;
    int64_t first;
    unsigned total, end; /* nothing is there from end on */
    uint8_t value[MOST], there[MOST];
    unsigned start[MOST], serial[MOST];
} naive_datagram;

typedef struct {
    naive_datagram list[DATAGRAMS];
    int policy;
    unsigned max_pieces, serial;
} naive;

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static uint32_t make_packet(uint8_t *p, int version, unsigned id, unsigned offset, int more,
                            const uint8_t *data, unsigned n)
{
    uint32_t header = version == 4 ? 20 : 48;

    memset(p, 0, header);
    if (version == 4) {
        p[0] = 0x45;
        put16(p + 2, 20 + n);
        put16(p + 4, id);
        put16(p + 6, (more ? 0x2000u : 0u) | offset / 8);
        p[9] = 253;
        p[12] = 10;
        p[16] = 11;
    } else {
        p[0] = 0x60;
        put16(p + 4, 8 + n);
        p[6] = 44;
        p[23] = 1;
        p[39] = 2;
        p[40] = 253;
        put16(p + 42, offset | (more ? 1u : 0u));
        put16(p + 46, id);
    }
    memcpy(p + header, data, n);
    return header + n;
}

/* Pieces as the library counts them: runs of bytes of the same fragment. */
static unsigned count_pieces(const naive_datagram *d)
{
    unsigned n = 0;

    for (unsigned i = 0; i < d->end; i++) {
        n += d->there[i] && (i == 0 || !d->there[i - 1] || d->serial[i] != d->serial[i - 1]);
    }
    return n;
}

/* 1 complete, 0 not. */
static int naive_add(naive *m, unsigned id, unsigned s, int more, const uint8_t *data, unsigned n,
                     int64_t now)
{
    naive_datagram *d = &m->list[id];
    unsigned e = s + n, covered = 0;

    if (n == 0 || (more && n % 8 != 0)) {
        return 0;
    }
    if (!d->used) {
        memset(d->there, 0, sizeof d->there);
        d->dead = 0;
        d->total = d->end = 0;
        d->used = 1;
        d->first = now;
    }
    if (d->dead) {
        return 0;
    }
    for (unsigned i = s; i < e; i++) {
        covered += d->there[i];
    }
    if (more ? d->total != 0 && e > d->total : (d->total != 0 && d->total != e) || d->end > e) {
        d->dead = 1;
        return 0;
    }
    if (covered > 0 && m->policy == NETFEAT_FRAGMENT_DROP) {
        d->dead = covered < n;
        return 0;
    }
    m->serial++;
    for (unsigned i = s; i < e; i++) {
        if (!d->there[i] || m->policy == NETFEAT_FRAGMENT_LAST ||
            (m->policy == NETFEAT_FRAGMENT_BSD && s < d->start[i])) {
            d->there[i] = 1;
            d->value[i] = data[i - s];
            d->start[i] = s;
            d->serial[i] = m->serial;
        }
    }
    d->total = more ? d->total : e;
    d->end = e > d->end ? e : d->end;
    if (count_pieces(d) > m->max_pieces) {
        d->dead = 1;
        return 0;
    }
    for (unsigned i = 0; i < d->total; i++) {
        if (!d->there[i]) {
            return 0;
        }
    }
    return d->total != 0;
}

static void naive_expire(naive *m, int64_t now, int64_t timeout)
{
    for (int i = 0; i < DATAGRAMS; i++) {
        if (m->list[i].used && now - m->list[i].first >= timeout) {
            m->list[i].used = 0;
        }
    }
}

/* A fragment of three to five bytes of input; how many were used. */
static size_t one_fragment(nf_frags *frags, naive *m, int version, int64_t *now, const uint8_t *p,
                           size_t left)
{
    static const nf_decode_config config = {.want = UINT64_MAX, .max_layers = 16};
    uint8_t bytes[MOST], packet[MOST + 48], *exact;
    unsigned id = p[0] & 3, units = p[1] & 15, n = (p[2] & 15) * 8;
    int more = (p[0] & 4) == 0, expected, code;
    const uint8_t *whole = NULL;
    uint32_t size, whole_size = 0, header = version == 4 ? 20 : 40;
    nf_packet pkt;

    if (p[0] & 8) {
        n += p[2] >> 6; /* no multiple of 8 */
    }
    if ((p[0] & 0x70) == 0x70) {
        *now += (int64_t)(p[1] >> 6) * 11000000000;
    }
    for (unsigned i = 0; i < n; i++) {
        bytes[i] = (uint8_t)(p[0] * 31 + p[1] + i * (left & 1 ? 7 : 3));
    }
    if (units == 0 && !more) {
        return 3; /* no fragment */
    }
    size = make_packet(packet, version, id, units * 8, more, bytes, n);
    exact = malloc(size);
    memcpy(exact, packet, size);
    memset(&pkt, 0, sizeof pkt);
    nf_decode(&config, 101, exact, size, size, &pkt);
    require(nf_is_fragment(&pkt), "a fragment is decoded as one");
    naive_expire(m, *now, version == 4 ? TIMEOUT : 2 * TIMEOUT);
    expected = naive_add(m, id, units * 8, more, bytes, n, *now);
    code = nf_frags_add(frags, &pkt, exact, *now, 0, &whole, &whole_size);
    free(exact);
    require(code == expected, "both say whether the datagram is complete");
    if (code == 1) {
        require(whole_size == header + m->list[id].total, "the length of the whole");
        require(memcmp(whole + header, m->list[id].value, m->list[id].total) == 0, "the bytes of the whole");
        m->list[id].used = 0;
    }
    return 3;
}

static void raw_packets(netfeat_ctx *ctx, const uint8_t *p, size_t left)
{
    netfeat_options *opts = NULL;
    netfeat_streams *st = NULL;
    int64_t now = 0;

    require(netfeat_options_new(ctx, &opts) == 0 &&
                netfeat_options_set_int(opts, NETFEAT_OPT_STREAM_UDP, 1) == 0 &&
                netfeat_streams_new(ctx, opts, &st) == 0,
            "a reassembler");
    while (left > 2) {
        size_t size = p[0] < left - 1 ? p[0] : left - 1;
        uint8_t *exact = malloc(size + 1);

        memcpy(exact, p + 1, size);
        now += p[0] * INT64_C(10000000);
        require(netfeat_streams_feed_packet(st, 101, now, (uint32_t)size, exact, (uint32_t)size) == 0,
                "feed");
        require(netfeat_streams_run(st, NULL, NULL) == 0, "run");
        free(exact);
        p += size + 1;
        left -= size + 1;
    }
    require(netfeat_streams_end(st) == 0 && netfeat_streams_run(st, NULL, NULL) == 0, "end");
    netfeat_streams_unref(st);
    netfeat_options_unref(opts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static naive m;
    uint64_t totals[NF_TOTALS] = {0};
    netfeat_ctx *ctx = shared_context();
    netfeat_options *opts = NULL;
    nf_frags *frags = NULL;
    int64_t now = 0;
    int version;

    if (size < 2) {
        return 0;
    }
    require(netfeat_options_new(ctx, &opts) == 0, "options");
    for (int i = 0; i < DATAGRAMS; i++) {
        m.list[i].used = 0; /* what else counts is cleared with the first fragment */
    }
    m.serial = 0;
    version = data[0] & 1 ? 6 : 4;
    m.max_pieces = data[0] & 2 ? 256 : 5;
    m.policy = version == 6 ? NETFEAT_FRAGMENT_DROP : data[0] >> 2 & 3;
    netfeat_options_set_int(opts, NETFEAT_OPT_STREAM_FRAGMENT_POLICY, data[0] >> 2 & 3);
    netfeat_options_set_int(opts, NETFEAT_OPT_STREAM_FRAGMENT_MAX_PIECES, m.max_pieces);
    require(nf_frags_new(ctx, opts, totals, &frags) == 0, "a table of fragments");
    if (data[0] & 0x80) {
        raw_packets(ctx, data + 1, size - 1);
    } else {
        for (size_t at = 1; size - at >= 3;) {
            at += one_fragment(frags, &m, version, &now, data + at, size - at);
        }
    }
    nf_frags_free(frags);
    netfeat_options_unref(opts);
    shared_context_returned();
    return 0;
}
