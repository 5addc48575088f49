/* IP fragments whose datagram is itself a fragment, in tunnels of IP in IP (RFC 2003): two levels are put together, the
   third is counted; and fragments that come as rows of a table, or that nobody wants. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#define IP4        20
#define IP_IN_IP   4
#define UDP        17
#define RAW        101
#define PAYLOAD    100
#define CUT        32 /* bytes of the first part of whatever is cut: an IP header and more */
#define MOST       8  /* packets */
#define MOST_BYTES 256

typedef struct {
    uint8_t bytes[MOST_BYTES];
    uint32_t size;
} packet;

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* Bytes [offset, offset + n) of a datagram in an IPv4 packet. */
static void make(packet *ret, int protocol, unsigned id, unsigned offset, int more, const uint8_t *data,
                 unsigned n)
{
    uint8_t *p = ret->bytes;

    memset(p, 0, IP4);
    p[0] = 0x45;
    put16(p + 2, IP4 + n);
    put16(p + 4, id);
    put16(p + 6, (more ? 0x2000u : 0u) | offset / 8);
    p[8] = 64;
    p[9] = (uint8_t)protocol;
    memcpy(p + 12, "\12\0\0\1\12\0\0\2", 8);
    memcpy(p + IP4, data, n);
    ret->size = IP4 + n;
}

/* A datagram in two fragments. */
static void cut(packet *ret, int protocol, unsigned id, const uint8_t *data, unsigned n)
{
    make(&ret[0], protocol, id, 0, 1, data, CUT);
    make(&ret[1], protocol, id, CUT, 0, data + CUT, n - CUT);
}

/* One UDP datagram, cut at so many levels of tunnels: 2^levels packets. */
static int make_packets(packet *ret, int levels)
{
    uint8_t udp[8 + PAYLOAD];
    packet before[MOST];
    int n = 2;

    memset(udp, 0, 8);
    put16(udp, 4000);
    put16(udp + 2, 53);
    put16(udp + 4, sizeof udp);
    for (unsigned i = 0; i < PAYLOAD; i++) {
        udp[8 + i] = (uint8_t)(i * 7);
    }
    cut(ret, UDP, 1, udp, sizeof udp);
    for (int level = 1; level < levels; level++) {
        memcpy(before, ret, (size_t)n * sizeof *ret);
        for (int i = 0; i < n; i++) {
            cut(&ret[2 * i], IP_IN_IP, (unsigned)(100 * level + i), before[i].bytes, before[i].size);
        }
        n *= 2;
    }
    return n;
}

static netfeat_streams *new_streams(netfeat_ctx *ctx, int fragments)
{
    netfeat_options *opts = NULL;
    netfeat_streams *st = NULL;

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_STREAM_UDP, 1), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_STREAM_FRAGMENTS, fragments), 0);
    cr_assert_eq(netfeat_streams_new(ctx, opts, &st), 0);
    netfeat_options_unref(opts);
    return st;
}

static uint64_t total(const netfeat_streams *st, const char *name)
{
    return netfeat_streams_total(st, netfeat_stream_total_by_name(name));
}

/* The datagrams that came out; each must be the whole one. */
static int count_whole(void *user, netfeat_streams *st, int event)
{
    const uint8_t *data;
    size_t size;

    if (event == NETFEAT_STREAM_DATAGRAM) {
        data = netfeat_streams_data(st, &size);
        cr_assert_eq(size, PAYLOAD);
        cr_assert_eq(netfeat_streams_size(st), PAYLOAD);
        for (unsigned i = 0; i < PAYLOAD; i++) {
            cr_assert_eq(data[i], (uint8_t)(i * 7));
        }
        ++*(int *)user;
    }
    return 0;
}

/* Feeds an exact copy, so that a byte too many is seen by the sanitizers. */
static void feed(netfeat_streams *st, const packet *p, int *ret_whole)
{
    uint8_t *exact = malloc(p->size);

    memcpy(exact, p->bytes, p->size);
    cr_assert_eq(netfeat_streams_feed_packet(st, RAW, 1000, p->size, exact, p->size), 0);
    cr_assert_eq(netfeat_streams_run(st, count_whole, ret_whole), 0);
    free(exact);
}

/* Every order of the packets of two levels gives the datagram once, with its last packet. */
Test(stream_nested, two_levels_in_any_order)
{
    packet packets[MOST];
    int n = make_packets(packets, 2);
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(n, 4);
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (int code = 0; code < 256; code++) {
        int order[4] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6}, whole = 0;
        netfeat_streams *st;

        if (((1 << order[0]) | (1 << order[1]) | (1 << order[2]) | (1 << order[3])) != 15) {
            continue;
        }
        st = new_streams(ctx, 1);
        for (int i = 0; i < n; i++) {
            cr_expect_eq(whole, 0);
            feed(st, &packets[order[i]], &whole);
        }
        cr_expect_eq(whole, 1);
        cr_expect_eq(total(st, "fragments"), 6, "four packets, and two that were in them");
        cr_expect_eq(total(st, "fragment_ok"), 3);
        cr_expect_eq(total(st, "fragment_nested"), 0);
        netfeat_streams_unref(st);
    }
    netfeat_ctx_unref(ctx);
}

/* Feeds packets of that many levels and expects no datagram; the handle, for its totals. */
static netfeat_streams *feed_in_vain(netfeat_ctx *ctx, int levels, int fragments)
{
    packet packets[MOST];
    int n = make_packets(packets, levels), whole = 0;
    netfeat_streams *st = new_streams(ctx, fragments);

    for (int i = 0; i < n; i++) {
        feed(st, &packets[i], &whole);
    }
    cr_expect_eq(whole, 0);
    return st;
}

Test(stream_nested, the_third_level_is_counted)
{
    netfeat_ctx *ctx = NULL;
    netfeat_streams *st;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    st = feed_in_vain(ctx, 3, 1);
    cr_expect_eq(total(st, "fragment_nested"), 2, "of the two datagrams that hold halves of the innermost");
    cr_expect_eq(total(st, "fragment_ok"), 6);
    netfeat_streams_unref(st);
    netfeat_ctx_unref(ctx);
}

Test(stream_nested, not_wanted)
{
    netfeat_ctx *ctx = NULL;
    netfeat_streams *st;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    st = feed_in_vain(ctx, 2, 0);
    cr_expect_eq(total(st, "fragments"), 4);
    cr_expect_eq(total(st, "fragments_skipped"), 4);
    netfeat_streams_unref(st);
    netfeat_ctx_unref(ctx);
}

/* Rows of fragments have no payload: they are counted, and what is whole beside them comes. */
Test(stream_nested, rows_of_a_table)
{
    packet packets[MOST];
    uint8_t udp[8 + PAYLOAD];
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_table *tab = NULL;
    netfeat_streams *st;
    int n = make_packets(packets, 1), whole = 0;

    memcpy(udp, packets[0].bytes + IP4, CUT);
    memcpy(udp + CUT, packets[1].bytes + IP4, sizeof udp - CUT);
    make(&packets[n++], UDP, 2, 0, 0, udp, sizeof udp);
    make(&packets[n++], 47, 3, 0, 0, udp, sizeof udp); /* of no stream */
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_KEEP_PAYLOAD, 1), 0);
    cr_assert_eq(netfeat_table_new(ctx, opts, &tab), 0);
    for (int i = 0; i < n; i++) {
        cr_assert_eq(netfeat_table_append_packet(tab, RAW, 1000 + i, packets[i].size, packets[i].bytes,
                                                 packets[i].size),
                     0);
    }
    cr_assert_eq(netfeat_table_seal(tab), 0);
    st = new_streams(ctx, 1);
    cr_assert_eq(netfeat_streams_feed_table(st, tab), 0);
    cr_assert_eq(netfeat_streams_run(st, count_whole, &whole), 0);
    cr_expect_eq(whole, 1);
    cr_expect_eq(total(st, "packets"), 4);
    cr_expect_eq(total(st, "fragments"), 2);
    cr_expect_eq(total(st, "fragments_skipped"), 2);
    cr_expect_eq(total(st, "datagrams"), 1);
    cr_expect_eq(total(st, "other"), 1);
    netfeat_streams_unref(st);
    netfeat_table_unref(tab);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

/* The column's value in row 0, -1 if it is NULL. */
static int64_t number(const netfeat_table *tab, const char *column)
{
    uint64_t value = 0;
    int known = netfeat_column_get_u64(netfeat_table_column(tab, netfeat_table_find(tab, column)), 0, &value);

    return known == 1 ? (int64_t)value : -1;
}

/* A table of whole datagrams out of packets of that many levels. */
static netfeat_table *whole_table(netfeat_ctx *ctx, netfeat_streams *st, int levels, int *ret_packets)
{
    packet packets[MOST];
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;
    int n = make_packets(packets, levels);

    cr_assert_eq(netfeat_source_open_push(ctx, RAW, NULL, &src), 0);
    for (int i = 0; i < n; i++) {
        cr_assert_eq(netfeat_source_push(src, 1000 + i, packets[i].size, packets[i].bytes, packets[i].size),
                     1);
    }
    cr_assert_eq(netfeat_source_push_end(src), 0);
    cr_assert_eq(netfeat_table_new(ctx, NULL, &tab), 0);
    cr_assert_eq(netfeat_streams_append_whole(st, src, -1, tab), n);
    cr_assert_eq(netfeat_table_seal(tab), 0);
    netfeat_source_unref(src);
    *ret_packets = n;
    return tab;
}

/* The same datagram as a row of a table, whether it comes in one packet or in four; of three levels, what the two outer
   ones give. */
Test(stream_nested, whole_rows)
{
    netfeat_ctx *ctx = NULL;
    int n;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (int levels = 1; levels <= 3; levels++) {
        netfeat_streams *st = new_streams(ctx, 1);
        netfeat_table *tab = whole_table(ctx, st, levels, &n);

        if (levels < 3) {
            cr_assert_eq(netfeat_table_rows(tab), 1);
            cr_expect_eq(number(tab, "packet_number"), n, "of the packet that completed it");
            cr_expect_eq(number(tab, "payload_length"), PAYLOAD);
        } else {
            cr_expect_eq(netfeat_table_rows(tab), 2);
        }
        cr_expect_eq(total(st, "fragment_nested"), levels < 3 ? 0 : 2);
        netfeat_table_unref(tab);
        netfeat_streams_unref(st);
    }
    netfeat_ctx_unref(ctx);
}
