/* IP fragments: the table of the specification for IPv4 and IPv6, limits, time-outs, headers, tunnels of fragments. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/context.h"
#include "stream/frag.h"
#include "stream/streams.h"
#include "torture.h"

#define UNIT   8
#define IP4    20
#define IP6    40
#define RAW    101
#define SECOND INT64_C(1000000000)

/* ---- packets ---- */

typedef struct {
    int s, e; /* units of 8 bytes */
    char letter;
    int more;
} fragment;

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* Raw IP packet with the bytes [offset, offset + n) of a datagram; returns its length. */
static uint32_t make4(uint8_t *p, unsigned id, unsigned offset, int more, const void *data, unsigned n)
{
    memset(p, 0, IP4);
    p[0] = 0x45;
    put16(p + 2, IP4 + n);
    put16(p + 4, id);
    put16(p + 6, (more ? 0x2000u : 0u) | offset / 8);
    p[8] = 64;
    p[9] = 17;
    memcpy(p + 12, "\12\0\0\1\12\0\0\2", 8);
    memcpy(p + IP4, data, n);
    return IP4 + n;
}

static uint32_t make6(uint8_t *p, unsigned id, unsigned offset, int more, const void *data, unsigned n)
{
    memset(p, 0, IP6 + 8);
    p[0] = 0x60;
    put16(p + 4, 8 + n);
    p[6] = 44;
    p[7] = 64;
    p[8 + 15] = 1;
    p[24 + 15] = 2;
    p[IP6] = 17;
    put16(p + IP6 + 2, (offset & 0xfff8) | (more ? 1u : 0u));
    put16(p + IP6 + 6, id);
    memcpy(p + IP6 + 8, data, n);
    return IP6 + 8 + n;
}

typedef struct {
    netfeat_ctx *ctx;
    nf_frags *frags;
    uint64_t totals[NF_TOTALS];
    int version;
    int64_t now;
    const uint8_t *whole;
    uint32_t size;
} bench;

static int open_bench(bench *b, netfeat_ctx *ctx, int version, const netfeat_options *opts)
{
    memset(b, 0, sizeof *b);
    b->ctx = ctx;
    b->version = version;
    return nf_frags_new(ctx, opts, b->totals, &b->frags);
}

#define NO_FRAGMENT (-1000)

/* 1 with b->whole, 0, or a code; NO_FRAGMENT. */
static int push(bench *b, unsigned id, unsigned offset, int more, const void *data, unsigned n)
{
    static const nf_decode_config config = {UINT64_MAX, 16};
    uint8_t buffer[70000];
    uint32_t size =
        b->version == 4 ? make4(buffer, id, offset, more, data, n) : make6(buffer, id, offset, more, data, n);
    uint8_t *exact = malloc(size);
    nf_packet pkt;
    int code = NO_FRAGMENT;

    memset(&pkt, 0, sizeof pkt);
    memcpy(exact, buffer, size);
    nf_decode(&config, RAW, exact, size, size, &pkt);
    if (nf_is_fragment(&pkt)) {
        code = nf_frags_add(b->frags, &pkt, exact, b->now, 0, &b->whole, &b->size);
    }
    free(exact);
    return code;
}

static int push_units(bench *b, unsigned id, fragment f)
{
    uint8_t data[UNIT * 16];

    memset(data, f.letter, sizeof data);
    return push(b, id, (unsigned)f.s * UNIT, f.more, data, (unsigned)(f.e - f.s) * UNIT);
}

static netfeat_options *with(netfeat_ctx *ctx, int key, int64_t value)
{
    netfeat_options *opts = NULL;

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, key, value), 0);
    return opts;
}

/* ---- the table ---- */

#define MOST_FRAGMENTS 4

typedef struct {
    const char *name;
    fragment list[MOST_FRAGMENTS];
    int n;
    char out[4][16]; /* by policy */
} fragment_case;

/* A line of tests/stream/fragments.txt. */
static void parse_case(char *line, fragment_case *c)
{
    static const char *const policies[] = {"drop=", "first=", "last=", "bsd="};
    char *list, *out, *word, *rest = NULL;

    memset(c, 0, sizeof *c);
    list = strchr(line, '|');
    out = list != NULL ? strchr(list + 1, '|') : NULL;
    cr_assert_not_null(out, "%s", line);
    *list++ = *out++ = '\0';
    c->name = line;
    for (word = strtok_r(list, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest), c->n++) {
        fragment *f = &c->list[c->n];
        char end;

        cr_assert(c->n < MOST_FRAGMENTS && sscanf(word, "%c[%d,%d)%c", &f->letter, &f->s, &f->e, &end) == 4,
                  "%s", line);
        f->more = end == '+';
    }
    for (int policy = 0; policy < 4; policy++) {
        char *at = strstr(out, policies[policy]);
        cr_assert(at != NULL && sscanf(at + strlen(policies[policy]), "%15s", c->out[policy]) == 1, "%s",
                  line);
        if (strcmp(c->out[policy], "none") == 0) {
            c->out[policy][0] = '\0';
        }
    }
}

static void check_case(netfeat_ctx *ctx, const fragment_case *c, int version, int policy)
{
    netfeat_options *opts = with(ctx, NETFEAT_OPT_STREAM_FRAGMENT_POLICY, policy);
    uint32_t header = version == 4 ? IP4 : IP6;
    char got[16] = "";
    bench b;

    cr_assert_eq(open_bench(&b, ctx, version, opts), 0);
    for (int i = 0; i < c->n; i++) {
        int code = push_units(&b, 7, c->list[i]);
        cr_assert(code >= 0 || code == NO_FRAGMENT);
        if (code == NO_FRAGMENT) { /* the packet is whole as it is */
            memset(got, c->list[i].letter, (size_t)c->list[i].e);
        } else if (code == 1) {
            cr_assert_leq(b.size, header + UNIT * 16);
            for (uint32_t at = header; at < b.size; at += UNIT) {
                got[(at - header) / UNIT] = (char)b.whole[at];
                got[(at - header) / UNIT + 1] = '\0';
            }
        }
    }
    cr_expect_str_eq(got, c->out[version == 6 ? NETFEAT_FRAGMENT_DROP : policy], "%s, IPv%d, policy %d",
                     c->name, version, policy);
    nf_frags_free(b.frags);
    netfeat_options_unref(opts);
}

Test(stream_frag, table_of_the_specification)
{
    FILE *file = fopen(TEST_SOURCE_DIR "/stream/fragments.txt", "r");
    netfeat_ctx *ctx = NULL;
    char line[200];
    int rows = 0, runs = 0;

    cr_assert_not_null(file);
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    while (fgets(line, sizeof line, file) != NULL) {
        fragment_case c;

        if (line[0] == '#') {
            continue;
        }
        parse_case(line, &c);
        rows++;
        for (uint64_t seed = 1; seed <= 3; seed++) {
            nf_ctx_set_secret_seed(ctx, seed);
            for (int policy = 0; policy < 4; policy++, runs += 2) {
                check_case(ctx, &c, 4, policy);
                check_case(ctx, &c, 6, policy);
            }
        }
    }
    printf("# %d rows of fragments (F15 to F18 are odd_fragments_and_limits), %d runs\n", rows, runs);
    cr_expect_geq(rows, 14);
    fclose(file);
    netfeat_ctx_unref(ctx);
}

/* ---- limits, odd fragments ---- */

static void check_oddities(netfeat_ctx *ctx, int version)
{
    uint8_t data[64] = {0};
    bench b;

    cr_assert_eq(open_bench(&b, ctx, version, NULL), 0);
    /* offset 0 and nothing more to come: no fragment */
    cr_expect_eq(push(&b, 1, 0, 0, data, 16), NO_FRAGMENT);
    /* F15: beyond the end of any datagram; what there was of it is dropped, and stays so */
    cr_expect_eq(push(&b, 2, 0, 1, data, 8), 0);
    cr_expect_eq(push(&b, 2, 65528, 0, data, 8), 0);
    cr_expect_eq(push(&b, 2, 8, 0, data, 8), 0);
    cr_expect_eq(b.totals[NF_TOTAL_FRAGMENT_TOO_BIG], 1);
    cr_expect_eq(b.totals[NF_TOTAL_FRAGMENT_DROP_TOO_BIG], 1);
    cr_expect_eq(b.totals[NF_TOTAL_FRAGMENT_TOMB], 1);
    /* F16: the time runs from the first fragment and is not extended */
    b.now = SECOND;
    cr_expect_eq(push(&b, 3, 0, 1, data, 8), 0);
    b.now += version == 4 ? 29 * SECOND : 59 * SECOND;
    cr_expect_eq(push(&b, 3, 16, 0, data, 8), 0);
    b.now += SECOND;
    cr_expect_eq(push(&b, 3, 8, 1, data, 8), 0);
    cr_expect_eq(b.totals[NF_TOTAL_FRAGMENT_TIMEOUT], 1);
    /* F17: lengths that a fragment cannot have */
    cr_expect_eq(push(&b, 4, 0, 1, data, 7), 0);
    cr_expect_eq(b.totals[NF_TOTAL_FRAGMENT_BAD_LENGTH], 1);
    cr_expect_eq(push(&b, 4, 8, 1, data, 0), 0);
    cr_expect_eq(b.totals[NF_TOTAL_FRAGMENT_EMPTY], 1);
    cr_expect_eq(b.totals[NF_TOTAL_FRAGMENT_OK], 0);
    nf_frags_free(b.frags);
}

static void check_limits(netfeat_ctx *ctx, int version)
{
    netfeat_options *opts = with(ctx, NETFEAT_OPT_STREAM_FRAGMENT_MAX_DATAGRAMS, 2);
    uint8_t data[1024] = {0};
    bench b;

    cr_assert_eq(open_bench(&b, ctx, version, opts), 0);
    for (unsigned id = 0; id < 3; id++) { /* F18: the third one drives the first one out */
        b.now++;
        cr_expect_eq(push(&b, id, 0, 1, data, 8), 0);
    }
    cr_expect_eq(b.totals[NF_TOTAL_FRAGMENT_EVICTED], 1);
    cr_expect_eq(push(&b, 1, 8, 0, data, 8), 1);
    cr_expect_eq(push(&b, 2, 8, 0, data, 8), 1);
    nf_frags_free(b.frags);
    netfeat_options_unref(opts);

    opts = with(ctx, NETFEAT_OPT_STREAM_FRAGMENT_MAX_PIECES, 3);
    cr_assert_eq(open_bench(&b, ctx, version, opts), 0);
    for (unsigned i = 0; i < 4; i++) {
        cr_expect_eq(push(&b, 1, 16 * i, 1, data, 8), 0);
    }
    cr_expect_eq(b.totals[NF_TOTAL_FRAGMENT_DROP_PIECES], 1);
    nf_frags_free(b.frags);
    netfeat_options_unref(opts);

    /* a flood of first fragments: the memory stays where it has to, and a whole datagram still gets through */
    opts = with(ctx, NETFEAT_OPT_STREAM_FRAGMENT_MAX_BYTES, 65536);
    cr_assert_eq(open_bench(&b, ctx, version, opts), 0);
    for (unsigned id = 0; id < 5000; id++) {
        cr_expect_eq(push(&b, id & 0xffff, 0, 1, data, 1024), 0);
    }
    cr_expect_eq(push(&b, 60000, 0, 1, data, 8), 0);
    cr_expect_eq(push(&b, 60000, 8, 0, data, 8), 1);
    cr_expect_leq(b.totals[NF_TOTAL_FRAGMENT_BYTES_HIGH], 65536 + 2048);
    cr_expect_gt(b.totals[NF_TOTAL_FRAGMENT_EVICTED], 4900);
    nf_frags_free(b.frags);
    netfeat_options_unref(opts);
}

Test(stream_frag, odd_fragments_and_limits)
{
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (int version = 4; version <= 6; version += 2) {
        check_oddities(ctx, version);
        check_limits(ctx, version);
    }
    netfeat_ctx_unref(ctx);
}

/* ---- headers ---- */

Test(stream_frag, header_of_the_whole)
{
    static const nf_decode_config config = {UINT64_MAX, 16};
    netfeat_ctx *ctx = NULL;
    uint8_t data[32];
    nf_packet pkt;
    bench b;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (int version = 4; version <= 6; version += 2) {
        cr_assert_eq(open_bench(&b, ctx, version, NULL), 0);
        memset(data, 'x', sizeof data);
        memcpy(data, "\x15\xb3\x23\x28\0\x1d\0\0", 8); /* UDP header: 5555 to 9000, 29 bytes */
        cr_expect_eq(push(&b, 9, 24, 0, data + 24, 5), 0);
        cr_assert_eq(push(&b, 9, 0, 1, data, 24), 1);
        memset(&pkt, 0, sizeof pkt);
        nf_decode(&config, RAW, b.whole, b.size, b.size, &pkt);
        cr_expect_not(nf_is_fragment(&pkt));
        cr_expect_eq(pkt.ip_version, version);
        cr_expect_eq(pkt.ip_protocol, 17);
        cr_expect_eq(pkt.src_port, 5555);
        cr_expect_eq(pkt.payload_length, 21);
        cr_expect_eq(pkt.payload_captured, 21);
        cr_expect_eq(pkt.quality & ~(uint32_t)NETFEAT_QUALITY_BAD_L4_CHECKSUM, 0);
        /* the key is free again */
        cr_expect_eq(push(&b, 9, 8, 1, data, 8), 0);
        cr_expect_eq(b.totals[NF_TOTAL_FRAGMENT_TOMB] + b.totals[NF_TOTAL_FRAGMENT_OVERLAP], 0);
        nf_frags_free(b.frags);
    }
    netfeat_ctx_unref(ctx);
}

/* Hop-by-hop, destination options and authentication in front of the fragment header: all stay, the last one names what
   follows the whole. */
Test(stream_frag, behind_other_headers)
{
    enum { HEADERS = IP6 + 8 + 16 + 24, UDP = 29 };
    static const nf_decode_config config = {UINT64_MAX, 16};
    netfeat_ctx *ctx = NULL;
    uint8_t data[UDP] = "\x15\xb3\x23\x28\0\x1d\0\0";
    nf_packet pkt;
    bench b;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    cr_assert_eq(open_bench(&b, ctx, 6, NULL), 0);
    for (int last = 1; last >= 0; last--) {
        unsigned offset = last ? 24 : 0, n = last ? UDP - 24 : 24;
        uint8_t p[HEADERS + 8 + UDP];
        uint8_t *exact = malloc(HEADERS + 8 + n);
        make6(p, 9, offset, !last, data + offset, n);
        memmove(p + HEADERS, p + IP6, 8 + n);
        memset(p + IP6, 0, HEADERS - IP6);
        put16(p + 4, HEADERS - IP6 + 8 + n);
        p[6] = 0;    /* hop-by-hop, of which six bytes are padding */
        p[IP6] = 60; /* destination options */
        p[IP6 + 2] = 1;
        p[IP6 + 3] = 4;
        p[IP6 + 8] = 51; /* authentication */
        p[IP6 + 9] = 1;
        p[IP6 + 10] = 1;
        p[IP6 + 11] = 12;
        p[IP6 + 24] = 44;
        p[IP6 + 25] = 4;
        memcpy(exact, p, HEADERS + 8 + n);
        memset(&pkt, 0, sizeof pkt);
        nf_decode(&config, RAW, exact, HEADERS + 8 + n, HEADERS + 8 + n, &pkt);
        cr_assert(nf_is_fragment(&pkt));
        cr_assert_eq(nf_frags_add(b.frags, &pkt, exact, b.now, 0, &b.whole, &b.size), !last);
        free(exact);
    }
    cr_assert_eq(b.size, HEADERS + UDP);
    cr_expect_arr_eq(b.whole + HEADERS, data, UDP);
    cr_expect_eq(b.whole[IP6 + 24], 17);
    memset(&pkt, 0, sizeof pkt);
    nf_decode(&config, RAW, b.whole, b.size, b.size, &pkt);
    cr_expect_not(nf_is_fragment(&pkt));
    cr_expect_eq(pkt.ip_header_length, HEADERS);
    cr_expect_eq(pkt.src_port, 5555);
    cr_expect_eq(pkt.payload_captured, UDP - 8);
    nf_frags_free(b.frags);
    netfeat_ctx_unref(ctx);
}

/* ---- random fragments against an array of bytes ---- */

/* One datagram cut at random places, shuffled, some of it twice, some never. */
static void random_datagram(bench *b, unsigned id, uint64_t *state)
{
    uint8_t data[2048];
    unsigned cuts[64], n = 0, at = 0, size;
    bool lost = false;
    int out = 0;

#define RANDOM(below)                                                                                        \
    ((unsigned)((*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407) >> 33) % (below))
    size = 9 + RANDOM(2000);
    for (unsigned i = 0; i < size; i++) {
        data[i] = (uint8_t)RANDOM(256);
    }
    while (at < size && n < 60) {
        cuts[n++] = at;
        at += 8 * (1 + RANDOM(40));
    }
    for (unsigned i = n; i-- > 1;) {
        unsigned k = RANDOM(i + 1), swap = cuts[i];
        cuts[i] = cuts[k];
        cuts[k] = swap;
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned end = size;
        for (unsigned k = 0; k < n; k++) {
            end = cuts[k] > cuts[i] && cuts[k] < end ? cuts[k] : end;
        }
        if (n > 1 && RANDOM(200) == 0) {
            lost = true;
            continue;
        }
        for (int times = 1 + (RANDOM(5) == 0 && i + 1 < n); times > 0 && n > 1; times--) {
            int code = push(b, id, cuts[i], end < size, data + cuts[i], end - cuts[i]);
            cr_assert_geq(code, 0);
            if (code == 1) {
                uint32_t header = b->version == 4 ? IP4 : IP6;
                out++;
                cr_assert_eq(b->size, header + size);
                cr_assert_arr_eq(b->whole + header, data, size);
            }
        }
    }
#undef RANDOM
    cr_assert_eq(out, n > 1 && !lost, "id %u", id);
}

Test(stream_frag, random_datagrams)
{
    netfeat_ctx *ctx = NULL;
    uint64_t state = 4711;
    bench b;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (int version = 4; version <= 6; version += 2) {
        cr_assert_eq(open_bench(&b, ctx, version, NULL), 0);
        for (unsigned id = 0; id < 3000; id++) {
            b.now += 10000000;
            random_datagram(&b, id, &state);
        }
        nf_frags_free(b.frags);
    }
    netfeat_ctx_unref(ctx);
}

/* ---- memory runs out ---- */

static int run_tortured(torture *t, void *user)
{
    static const fragment list[] = {
        {2, 3, 'A', 1}, {1, 4, 'X', 1}, {5, 6, 'C', 0}, {0, 1, '.', 1}, {4, 5, 'B', 1}};
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    bench b = {.frags = NULL};
    int code = torture_ctx(t, &ctx);

    (void)user;
    if (code != 0) {
        return code;
    }
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_STREAM_FRAGMENT_POLICY, NETFEAT_FRAGMENT_LAST));
    TRY(t, open_bench(&b, ctx, 4, opts));
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        int done = 0;
        TRY(t, done = push_units(&b, 1, list[i]));
        if (done == 1) {
            torture_saw(t, b.whole, b.size);
        }
    }
out:
    nf_frags_free(b.frags);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
    return code;
}

Test(stream_frag, every_allocation_refused)
{
    uint64_t points = 0;
    const char *wrong = torture_run(run_tortured, NULL, &points);

    cr_expect_null(wrong, "%s", wrong);
    cr_expect_gt(points, 20);
}
