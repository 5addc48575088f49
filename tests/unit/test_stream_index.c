/* The index of streams against somebody who knows its secret: a long chain brings a new secret, and no stream is lost. */
#include <criterion/criterion.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "stream/streams.h"

enum { STREAMS = 1300, RAW = 101 };

static const uint8_t server[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};

/* The client's address out of a number. */
static void client_of(uint32_t who, uint8_t ip[16])
{
    memset(ip, 0, 16);
    memset(ip + 10, 0xff, 2);
    ip[12] = 10;
    ip[13] = (uint8_t)(who >> 16);
    ip[14] = (uint8_t)(who >> 8);
    ip[15] = (uint8_t)who;
}

/* Whether the search for a client's stream starts in the first 64th of the index, however large that is. */
static bool is_at_front(const netfeat_streams *st, uint32_t who)
{
    uint8_t ip[16];
    nf_segment seg;

    memset(&seg, 0, sizeof seg);
    client_of(who, ip);
    nf_segment_key(st, &seg, 6, ip, server, 4000, 80);
    return seg.hash >> 58 == 0;
}

static void send_segment(netfeat_streams *st, uint32_t who, unsigned flags, uint32_t seq, const char *text)
{
    uint8_t p[64] = {0x45, [8] = 64, [9] = 6, [20] = 4000 >> 8, 4000 & 255, 0, 80, [32] = 0x50};
    uint32_t n = (uint32_t)strlen(text);
    uint8_t ip[16];

    p[3] = (uint8_t)(40 + n);
    client_of(who, ip);
    memcpy(p + 12, ip + 12, 4);
    memcpy(p + 16, server + 12, 4);
    p[26] = (uint8_t)(seq >> 8);
    p[27] = (uint8_t)seq;
    p[33] = (uint8_t)flags;
    p[34] = 0xff;
    memcpy(p + 40, text, n);
    cr_assert_eq(netfeat_streams_feed_packet(st, RAW, 0, 40 + n, p, 40 + n), 0);
    cr_assert_eq(netfeat_streams_run(st, NULL, NULL), 0);
}

static uint64_t total(const netfeat_streams *st, const char *name)
{
    return netfeat_streams_total(st, netfeat_stream_total_by_name(name));
}

Test(stream_index, long_chain)
{
    static uint32_t clients[STREAMS];
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_streams *st = NULL;
    uint8_t secret[NF_SECRET_BYTES];
    uint32_t n = 0;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_STREAM_CHECKSUM, NETFEAT_CHECKSUM_OFF), 0);
    cr_assert_eq(netfeat_streams_new(ctx, opts, &st), 0);
    memcpy(secret, st->secret, sizeof secret);
    for (uint32_t who = 1; n < STREAMS; who++) {
        if (is_at_front(st, who)) {
            clients[n++] = who;
        }
    }
    for (uint32_t i = 0; i < STREAMS; i++) {
        send_segment(st, clients[i], NETFEAT_TCP_SYN, 100, "");
    }
    cr_expect_eq(total(st, "reseeds"), 1, "as many packets as there are streams come before the next");
    cr_expect_neq(memcmp(secret, st->secret, sizeof secret), 0);
    cr_assert_eq(total(st, "streams"), STREAMS);
    for (uint32_t i = 0; i < STREAMS;
         i++) { /* each is found again: in mid stream it would be opened as a new one */
        send_segment(st, clients[i], NETFEAT_TCP_ACK, 101, "found");
    }
    cr_expect_eq(total(st, "streams"), STREAMS);
    cr_expect_eq(total(st, "reseeds"), 1);
    netfeat_streams_unref(st);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}
