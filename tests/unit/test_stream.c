/* Streams through their public interface: arguments and states, what can be asked about an event, skipping, policies
   by prefix, UDP, states and histories, offsets beyond 4 GiB. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "script.h"

static netfeat_ctx *new_ctx(void)
{
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    return ctx;
}

static netfeat_streams *new_streams(netfeat_ctx *ctx, int key, int64_t value)
{
    netfeat_options *opts = NULL;
    netfeat_streams *st = NULL;

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    if (key != 0) {
        cr_assert_eq(netfeat_options_set_int(opts, key, value), 0);
    }
    cr_assert_eq(netfeat_streams_new(ctx, opts, &st), 0);
    netfeat_options_unref(opts);
    return st;
}

/* The frames of a script, kept until the program ends a test. */
typedef struct {
    uint8_t frame[4096];
    uint32_t wire, captured;
} frame;

static void feed(netfeat_streams *st, const script_packet *p, frame *f)
{
    f->wire = script_frame(p, false, f->frame, &f->captured);
    cr_assert_eq(netfeat_streams_feed_packet(st, 1, p->time_ns, f->wire, f->frame, f->captured), 0);
}

/* ---- arguments and states ---- */

Test(stream, arguments_and_states)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_streams *st = NULL;
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;
    uint8_t address[16] = {0};
    int port = 0;
    size_t size = 7;

    cr_expect_eq(netfeat_streams_new(NULL, NULL, &st), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_new(ctx, NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_assert_eq(netfeat_streams_new(ctx, NULL, &st), 0);
    cr_expect_eq(netfeat_streams_set_policy(NULL, address, 0, 1), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_set_policy(st, NULL, 0, 1), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_set_policy(st, address, 129, 1), NETFEAT_ERR_RANGE);
    cr_expect_eq(netfeat_streams_set_policy(st, address, -1, 1), NETFEAT_ERR_RANGE);
    cr_expect_eq(netfeat_streams_set_policy(st, address, 8, 8), NETFEAT_ERR_RANGE);
    cr_expect_eq(netfeat_streams_feed_table(NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_feed_table(st, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_feed_source(NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_feed_source(st, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_feed_packet(NULL, 1, 0, 0, NULL, 0), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_feed_packet(st, 1, 0, 9, NULL, 9), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_feed_packet(st, 65536, 0, 0, NULL, 0), NETFEAT_ERR_RANGE);
    cr_expect_eq(netfeat_streams_end(NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_step(NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_run(NULL, NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_skip(NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_skip(st), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_streams_endpoint(NULL, 0, address, &port), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_endpoint(st, 2, address, &port), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_endpoint(st, 0, NULL, &port), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_endpoint(st, 0, address, &port), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_streams_initiator(NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_initiator(st), NETFEAT_ERR_NOTFOUND);
    cr_expect_eq(netfeat_streams_append_whole(NULL, src, -1, tab), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_streams_append_whole(st, src, -1, tab), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_stream_table(NULL, NULL, NULL, &tab), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_stream_table(ctx, NULL, NULL, &tab), NETFEAT_ERR_ARGUMENT);
    /* no event: nothing to say about it */
    cr_expect_eq(netfeat_streams_event(st), 0);
    cr_expect_eq(netfeat_streams_id(st), 0);
    cr_expect_eq(netfeat_streams_packet(st), 0);
    cr_expect_eq(netfeat_streams_first_packet(st), 0);
    cr_expect_eq(netfeat_streams_protocol(st), 0);
    cr_expect_eq(netfeat_streams_reason(st), 0);
    cr_expect_eq(netfeat_streams_size(st), 0);
    cr_expect_null(netfeat_streams_data(st, &size));
    cr_expect_eq(size, 0);
    cr_expect_str_eq(netfeat_streams_state(st), "");
    cr_expect_str_eq(netfeat_streams_history(st), "");
    cr_expect_eq(netfeat_streams_counter(st, 0, 1), 0);
    /* an empty packet is one; input while there is some; after the end there is none */
    cr_expect_eq(netfeat_streams_feed_packet(st, 1, 0, 0, NULL, 0), 0);
    cr_expect_eq(netfeat_streams_feed_packet(st, 1, 0, 0, NULL, 0), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_streams_step(st), 0);
    cr_expect_eq(netfeat_streams_total(st, netfeat_stream_total_by_name("other")), 1);
    cr_expect_eq(netfeat_streams_end(st), 0);
    cr_expect_eq(netfeat_streams_feed_packet(st, 1, 0, 0, NULL, 0), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_streams_step(st), 0);
    cr_expect_eq(netfeat_streams_ref(st), st);
    cr_expect_null(netfeat_streams_unref(st));
    cr_expect_null(netfeat_streams_unref(st));
    cr_expect_null(netfeat_streams_unref(NULL));
    netfeat_ctx_unref(ctx);
}

Test(stream, counters_have_names)
{
    int n = 0;

    for (int which = 1; netfeat_stream_counter_name(which) != NULL; which++, n++) {
        cr_expect_eq(netfeat_stream_counter_by_name(netfeat_stream_counter_name(which)), which);
        cr_expect_gt(strlen(netfeat_stream_counter_help(which)), 5);
    }
    cr_expect_geq(n, 37);
    for (int which = 1; netfeat_stream_total_name(which) != NULL; which++) {
        cr_expect_eq(netfeat_stream_total_by_name(netfeat_stream_total_name(which)), which);
        cr_expect_gt(strlen(netfeat_stream_total_help(which)), 5);
    }
    cr_expect_null(netfeat_stream_counter_name(0));
    cr_expect_null(netfeat_stream_counter_help(10000));
    cr_expect_null(netfeat_stream_total_help(-1));
    cr_expect_eq(netfeat_stream_counter_by_name("nonsense"), NETFEAT_ERR_NOTFOUND);
    cr_expect_eq(netfeat_stream_counter_by_name(NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_stream_total_by_name("nonsense"), NETFEAT_ERR_NOTFOUND);
    cr_expect_eq(netfeat_streams_total(NULL, 1), 0);
}

/* ---- one event ---- */

Test(stream, what_an_event_says)
{
    static const uint8_t client[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1};
    netfeat_ctx *ctx = new_ctx();
    netfeat_streams *st = new_streams(ctx, 0, 0);
    size_t cases = 0, size = 0;
    script_case *c = script_parse("case x\nhs\n< A 1/1 \"hello\"\n> A 1/6 \"abc\"\n", &cases);
    uint8_t address[16];
    frame frames[5];
    int port = 0, data = 0;

    for (size_t i = 0; i < c->n_packets; i++) {
        feed(st, &c->packets[i], &frames[i]);
        while (netfeat_streams_step(st) > 0) {
            cr_expect_eq(netfeat_streams_id(st), 1);
            cr_expect_eq(netfeat_streams_first_packet(st), 1);
            cr_expect_eq(netfeat_streams_packet(st), (int64_t)i + 1);
            cr_expect_eq(netfeat_streams_protocol(st), 6);
            cr_expect_eq(netfeat_streams_initiator(st), 0);
            cr_expect_eq(netfeat_streams_time_ns(st), c->packets[i].time_ns);
            cr_expect_eq(netfeat_streams_first_time_ns(st), c->packets[0].time_ns);
            cr_expect_eq(netfeat_streams_last_time_ns(st), c->packets[i].time_ns);
            cr_assert_eq(netfeat_streams_endpoint(st, 0, address, &port), 0);
            cr_expect_arr_eq(address, client, 16);
            cr_expect_eq(port, 4000);
            cr_assert_eq(netfeat_streams_endpoint(st, 1, address, &port), 0);
            cr_expect_eq(port, 80);
            if (netfeat_streams_event(st) == NETFEAT_STREAM_DATA) {
                const uint8_t *p = netfeat_streams_data(st, &size);
                /* not copied: it lies in the packet */
                cr_expect(p > frames[i].frame && p + size == frames[i].frame + frames[i].captured);
                cr_expect_eq(netfeat_streams_direction(st), data == 0);
                cr_expect_eq(size, data == 0 ? 5 : 3);
                data++;
            }
        }
    }
    cr_expect_eq(data, 2);
    cr_expect_eq(netfeat_streams_end(st), 0);
    cr_assert_eq(netfeat_streams_step(st), 1);
    cr_expect_eq(netfeat_streams_event(st), NETFEAT_STREAM_CLOSE);
    cr_expect_eq(netfeat_streams_packet(st), 0);
    cr_expect_str_eq(netfeat_streams_state(st), "S1");
    cr_expect_str_eq(netfeat_streams_history(st), "ShAdD");
    cr_expect_eq(netfeat_streams_counter(st, 0, netfeat_stream_counter_by_name("segs")), 3);
    cr_expect_eq(netfeat_streams_counter(st, 1, netfeat_stream_counter_by_name("bytes")), 5);
    cr_expect_eq(netfeat_streams_step(st), 0);
    script_free(c, cases);
    netfeat_streams_unref(st);
    netfeat_ctx_unref(ctx);
}

/* ---- skipping, stopping ---- */

typedef struct {
    uint64_t bytes;
    int events, truncated, closed, stop_at;
} watcher;

static int watch(void *user, netfeat_streams *st, int event)
{
    watcher *w = user;

    w->events++;
    /* nothing but questions and skip from here */
    cr_expect_eq(netfeat_streams_step(st), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_streams_run(st, NULL, NULL), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_streams_end(st), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_streams_feed_packet(st, 1, 0, 0, NULL, 0), NETFEAT_ERR_STATE);
    if (event == NETFEAT_STREAM_DATA) {
        w->bytes += netfeat_streams_size(st);
        cr_expect_eq(netfeat_streams_skip(st), 0);
    }
    w->truncated += event == NETFEAT_STREAM_TRUNCATED;
    w->closed += event == NETFEAT_STREAM_CLOSE;
    return w->events == w->stop_at;
}

Test(stream, skip_and_stop)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_streams *st = new_streams(ctx, 0, 0);
    size_t cases = 0;
    script_case *c =
        script_parse("case x\nhs\n> A 1/1 \"abc\"\n> A 10/1 \"later\"\n> A 4/1 \"def\"\n< A 1/4 \"xyz\"\n"
                     "> FA 15/4\n< FA 4/16\n",
                     &cases);
    watcher w = {0};
    frame f;

    for (size_t i = 0; i < c->n_packets; i++) {
        feed(st, &c->packets[i], &f);
        cr_expect_eq(netfeat_streams_run(st, watch, &w), 0);
    }
    cr_expect_eq(w.bytes, 3);
    cr_expect_eq(w.truncated, 2);
    cr_expect_eq(netfeat_streams_end(st), 0);
    w.stop_at = w.events + 1;
    cr_expect_eq(netfeat_streams_run(st, watch, &w), NETFEAT_ERR_CANCELLED);
    cr_expect_eq(w.closed, 1);
    cr_expect_eq(netfeat_streams_run(st, watch, &w), 0);
    script_free(c, cases);
    netfeat_streams_unref(st);
    netfeat_ctx_unref(ctx);
}

/* ---- policies by prefix ---- */

Test(stream, policy_of_the_receiver)
{
    static const uint8_t server[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 0, 2};
    static const char script[] =
        "case x\nhs\n> A 13/1 \"AAAAAAAA\"\n> A 13/1 \"BBBBBBBB\"\n> A 1/1 \"............\"\n";
    netfeat_ctx *ctx = new_ctx();
    size_t cases = 0, size;
    script_case *c = script_parse(script, &cases);

    for (int bits = 0; bits <= 128; bits += 16) {
        netfeat_streams *st = new_streams(ctx, NETFEAT_OPT_STREAM_POLICY, NETFEAT_OVERLAP_FIRST);
        uint8_t other[16];
        char last = 0;
        frame f;

        /* the first 64 bits of every IPv4 address are the same: a longer prefix of another network is no match */
        memcpy(other, server, sizeof other);
        other[15] ^= 1;
        cr_assert_eq(netfeat_streams_set_policy(st, other, 128, NETFEAT_OVERLAP_FIRST), 0);
        cr_assert_eq(netfeat_streams_set_policy(st, server, bits, NETFEAT_OVERLAP_LAST), 0);
        cr_assert_eq(netfeat_streams_set_policy(st, other, bits < 127 ? bits : 0, NETFEAT_OVERLAP_LAST), 0);
        for (size_t i = 0; i < c->n_packets; i++) {
            feed(st, &c->packets[i], &f);
            while (netfeat_streams_step(st) > 0) {
                const char *p = netfeat_streams_data(st, &size);
                last = netfeat_streams_event(st) == NETFEAT_STREAM_DATA ? p[size - 1] : last;
            }
        }
        cr_expect_eq(last, 'B', "%d bits", bits);
        netfeat_streams_unref(st);
    }
    script_free(c, cases);
    netfeat_ctx_unref(ctx);
}

/* ---- UDP ---- */

static uint32_t udp_frame(uint8_t *p, int from_client, const char *text)
{
    unsigned n = (unsigned)strlen(text);

    memset(p, 0, 42);
    memcpy(p + 12, "\x08\x00\x45\0", 4);
    p[17] = (uint8_t)(28 + n);
    p[22] = 64;
    p[23] = 17;
    memcpy(p + 26, from_client ? "\12\0\0\1\12\0\0\2" : "\12\0\0\2\12\0\0\1", 8);
    memcpy(p + 34, from_client ? "\x15\xb3\0\x35" : "\0\x35\x15\xb3", 4);
    p[39] = (uint8_t)(8 + n);
    memcpy(p + 42, text, n);
    return 42 + n;
}

Test(stream, udp_conversations)
{
    static const struct {
        int from_client;
        int64_t second;
        const char *text;
        uint64_t id, offset;
    } list[] = {{1, 0, "query", 1, 0},  {0, 1, "answer", 1, 0}, {0, 2, "more", 1, 6},
                {1, 63, "again", 2, 0}, {1, 64, "", 2, 5},      {0, 65, "late", 2, 0}};
    netfeat_ctx *ctx = new_ctx();
    netfeat_streams *st = new_streams(ctx, NETFEAT_OPT_STREAM_UDP, 1);
    uint8_t packet[100];
    int opened = 0, closed = 0;

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        uint32_t n = udp_frame(packet, list[i].from_client, list[i].text);
        int found = 0;

        cr_assert_eq(netfeat_streams_feed_packet(st, 1, list[i].second * 1000000000, n, packet, n), 0);
        while (netfeat_streams_step(st) > 0) {
            size_t size;
            const char *p = netfeat_streams_data(st, &size);

            opened += netfeat_streams_event(st) == NETFEAT_STREAM_OPEN;
            closed += netfeat_streams_event(st) == NETFEAT_STREAM_CLOSE &&
                      netfeat_streams_reason(st) == NETFEAT_END_TIMEOUT;
            if (netfeat_streams_event(st) == NETFEAT_STREAM_DATAGRAM) {
                found++;
                cr_expect_eq(netfeat_streams_id(st), list[i].id);
                cr_expect_eq(netfeat_streams_offset(st), list[i].offset);
                cr_expect(size == strlen(list[i].text) && (size == 0 || memcmp(p, list[i].text, size) == 0));
                cr_expect_eq(netfeat_streams_protocol(st), 17);
                cr_expect_str_eq(netfeat_streams_state(st), "");
            }
        }
        cr_expect_eq(found, 1, "datagram %zu", i);
    }
    cr_expect_eq(opened, 2);
    cr_expect_eq(closed, 1);
    netfeat_streams_unref(st);
    netfeat_ctx_unref(ctx);
}

/* A wrong checksum is counted and its datagram left out, however many others its stream has; 0 was not computed. */
Test(stream, udp_checksums)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_streams *st = NULL;
    netfeat_options *opts = NULL;
    uint8_t packet[100];
    int seen[2] = {0};

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_STREAM_UDP, 1), 0);
    for (int on = 0; on < 2; on++) {
        cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_STREAM_CHECKSUM,
                                             on ? NETFEAT_CHECKSUM_ON : NETFEAT_CHECKSUM_OFF),
                     0);
        cr_assert_eq(netfeat_streams_new(ctx, opts, &st), 0);
        for (int i = 0; i < 6; i++) {
            uint32_t n = udp_frame(packet, i % 2, "text");

            packet[41] = i % 3 == 0; /* 1 is wrong */
            cr_assert_eq(netfeat_streams_feed_packet(st, 1, i, n, packet, n), 0);
            while (netfeat_streams_step(st) > 0) {
                seen[on] += netfeat_streams_event(st) == NETFEAT_STREAM_DATAGRAM;
            }
        }
        cr_expect_eq(netfeat_streams_total(st, netfeat_stream_total_by_name("bad_csum")), on ? 2 : 0);
        netfeat_streams_unref(st);
    }
    cr_expect_eq(seen[0], 6);
    cr_expect_eq(seen[1], 4);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

/* ---- states and histories ---- */

Test(stream, states_and_histories)
{
    static const struct {
        const char *script, *state, *history;
    } list[] = {
        {"> S 0\n", "S0", "S"},
        {"> S 0\n> S 0 +1\n> S 4000\n", "S0", "SS"},
        {"hs\n> A 1/1 \"a\"\n", "S1", "ShAD"},
        {"hs\n> FA 1/1\n< FA 1/2\n> A 2/2\n", "SF", "ShAFf"},
        {"> S 0\n< RA 0/1\n", "REJ", "Sr"},
        {"hs\n> FA 1/1\n", "S2", "ShAF"},
        {"hs\n< FA 1/1\n", "S3", "ShAf"},
        {"hs\n> R 1/0\n", "RSTO", "ShAR"},
        {"hs\n< R 1/0\n", "RSTR", "ShAr"},
        {"> S 0\n> R 1/0\n", "RSTOS0", "SR"},
        {"< SA 0/1\n< R 1/0\n", "RSTRH", "hr"},
        {"> S 0\n> FA 1/0\n", "SH", "SF"},
        {"< SA 0/1\n< FA 1/1\n", "SHR", "hf"},
        {"> A 500/900 \"abc\"\n< A 900/503\n", "OTH", "Da"},
        {"hs\n< A 1/1 w=0\n> A 1/1 \"a\"\n> A 1/1 \"a\"\n", "S1", "ShAawD"},
        {"hs\n> A 1/1 \"ab\"\n> A 1/1 \"ab\"\n> A 4/1 \"d\"\n", "S1", "ShADTG"},
        {"hs\n> A 1/1 \"ab\" badsum\n", "S1", "ShAC"},
    };
    netfeat_ctx *ctx = new_ctx();

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        script_how how = {ctx, SCRIPT_PACKETS, i % 2 == 1, false};
        char text[512] = "case x\n";
        size_t cases = 0;
        script_case *c = script_parse(strcat(text, list[i].script), &cases);
        script_result r;

        script_run(c, &how, &r);
        cr_expect_null(r.broken, "%s", r.broken);
        cr_expect_str_eq(r.state, list[i].state, "%s: %s", list[i].script, r.state);
        cr_expect_str_eq(r.history, list[i].history, "%s: %s", list[i].script, r.history);
        script_result_free(&r);
        script_free(c, cases);
    }
    netfeat_ctx_unref(ctx);
}

/* ---- long streams ---- */

Test(stream, beyond_4_gib)
{
    netfeat_ctx *ctx = new_ctx();
    script_how how = {ctx, SCRIPT_PACKETS, false, false};
    size_t cases = 0;
    script_case *c = script_parse("case x\nset stream.strict 0\nset stream.depth_bytes 0\nhs\n", &cases);
    script_result r;

    for (uint32_t i = 1; i <= 6; i++) { /* a hole of 1.5 GiB, then its end, each time */
        script_packet *p = script_add(c);
        p->flags = NETFEAT_TCP_ACK;
        p->seq = 1001 + i * 0x60000000u;
        p->ack = 5001;
        p->len = p->captured = 2;
        p->data = (uint8_t *)strdup("ab");
        p->time_ns += i * INT64_C(10000000000);
    }
    script_run(c, &how, &r);
    cr_expect_null(r.broken);
    cr_expect_not_null(strstr(r.events.p, "> gap 8053063682 1610612734 end\n> data 9663676416 \"ab\""), "%s",
                       r.events.p);
    script_result_free(&r);
    script_free(c, cases);
    netfeat_ctx_unref(ctx);
}
