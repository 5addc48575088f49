/* Rules of lib/capture for filters, hostile bytes and failing allocations. */
#include <criterion/criterion.h>

#include <pcap/pcap.h>

#include "../support/capture_bytes.h"
#include "capture/filter.h"

static netfeat_ctx *new_ctx(void)
{
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    return ctx;
}

static netfeat_options *with_filter(netfeat_ctx *ctx, const char *text)
{
    netfeat_options *opts = NULL;

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_SOURCE_FILTER, text), 0);
    return opts;
}

/* 20 bytes of IPv4 to protocol, after `link` bytes of zeros or an Ethernet header. */
static void put_ip(bytes *body, unsigned link, unsigned protocol, size_t *ret_n)
{
    static const uint8_t ethernet[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    static const uint8_t cooked[16] = {0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0};
    uint8_t ip[20] = {0x45, 0, 0, 20, 0, 0, 0, 0, 64, (uint8_t)protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
    size_t before = body->n;

    if (link == 1) {
        put_bytes(body, ethernet, sizeof ethernet);
    } else if (link == 113) {
        put_bytes(body, cooked, sizeof cooked);
    }
    put_bytes(body, ip, sizeof ip);
    *ret_n = body->n - before;
}

static void put_ip_block(bytes *b, uint32_t in, unsigned link, unsigned protocol)
{
    bytes ip = {0};
    bytes body = {.big = b->big};
    size_t n;

    put_ip(&ip, link, protocol, &n);
    put32(&body, in);
    put_number(&body, 0, 8);
    put32(&body, n);
    put32(&body, n);
    put_bytes(&body, ip.p, n);
    free(ip.p);
    put_block(b, 6, &body, 0);
}

/* Ethernet, raw IP, cooked, and a link type that no filter knows, three packets each: TCP, UDP, ICMP. */
static bytes mixed_links(bool with_unknown)
{
    static const unsigned links[] = {1, 101, 113, 14, 60000};
    static const unsigned protocols[] = {6, 17, 1};
    bytes b = {0};

    put_section(&b);
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        put_interface(&b, links[i], 0, 6, 0);
    }
    for (size_t k = 0; k < 3; k++) {
        for (uint32_t i = 0; i < (with_unknown && k == 1 ? 5 : 4); i++) {
            put_ip_block(&b, i, links[i], protocols[k]);
        }
    }
    return b;
}

Test(capture_filter, works_on_every_link_type_that_occurs)
{
    static const struct {
        const char *text;
        int64_t delivered;
    } cases[] = {{"", 12},
                 {"tcp", 4},
                 {"udp or icmp", 8},
                 {"ip and ip6", 0},
                 {"arp", 0}, /* impossible on raw IP: no match, no error */
                 {"ether src 02:00:00:00:00:02 or udp", -1},
                 {"len > 20", 6}};
    netfeat_ctx *ctx = new_ctx();
    bytes b = mixed_links(false);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        netfeat_options *opts = with_filter(ctx, cases[i].text);
        outcome o = read_memory(ctx, opts, b.p, b.n, NF_BATCH);
        outcome p = read_pieces(ctx, opts, b.p, b.n, 1);
        outcome f = read_file(ctx, opts, b.p, b.n);

        cr_expect(same(&o, &p) && same(&o, &f), "filter %s", cases[i].text);
        if (cases[i].delivered < 0) {
            cr_expect_eq(o.code, NETFEAT_ERR_UNSUPPORTED);
        } else {
            cr_expect_eq(o.code, 0, "filter %s: %s", cases[i].text, netfeat_ctx_error_message(ctx));
            cr_expect_eq(o.records, 12, "filter %s", cases[i].text);
            cr_expect_eq(o.records - o.filtered, cases[i].delivered, "filter %s: %d", cases[i].text,
                         (int)(o.records - o.filtered));
        }
        netfeat_options_unref(opts);
    }
    free(b.p);
    netfeat_ctx_unref(ctx);
}

Test(capture_filter, failures_are_told_where_they_belong)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_source *src = NULL;
    netfeat_options *opts = with_filter(ctx, "tcp port port 80");
    bytes b = mixed_links(true);
    bytes c = {0};
    nf_record r[NF_BATCH];
    outcome o;

    /* no expression: at open, whatever the format */
    cr_expect_eq(netfeat_source_open_memory(ctx, b.p, b.n, opts, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "tcp port port 80"));
    cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "syntax error"));
    put_pcap(&c, 0xa1b2c3d4, 2, 4, 60000);
    cr_expect_eq(netfeat_source_open_memory(ctx, c.p, c.n, opts, &src), NETFEAT_ERR_ARGUMENT);
    netfeat_options_unref(opts);

    /* not on this link type: pcap at open, pcapng at the first such packet, those before it delivered */
    opts = with_filter(ctx, "udp or tcp");
    cr_expect_eq(netfeat_source_open_memory(ctx, c.p, c.n, opts, &src), NETFEAT_ERR_UNSUPPORTED);
    cr_assert_eq(netfeat_source_open_memory(ctx, b.p, b.n, opts, &src), 0);
    cr_expect_eq(nf_source_next(src, r, NF_BATCH), 8);
    for (int again = 0; again < 2; again++) {
        netfeat_ctx_error_clear(ctx);
        cr_expect_eq(nf_source_next(src, r, NF_BATCH), NETFEAT_ERR_UNSUPPORTED);
        cr_expect_eq(netfeat_ctx_error_packet(ctx), 9);
        cr_expect_eq(netfeat_ctx_error_offset(ctx), netfeat_source_count(src, NETFEAT_COUNT_BYTES));
        cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "link type 60000"), "%s",
                           netfeat_ctx_error_message(ctx));
        cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "udp or tcp"));
    }
    cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_RECORDS), 8);
    netfeat_source_unref(src);
    o = read_memory(ctx, opts, b.p, b.n, 3);
    cr_expect(o.code == NETFEAT_ERR_UNSUPPORTED && o.records == 8 && o.packet == 9);
    netfeat_options_unref(opts);

    /* some expressions work on no Ethernet */
    opts = with_filter(ctx, "type mgt subtype beacon");
    c.n = 0;
    put_pcap(&c, 0xa1b2c3d4, 2, 4, 105);
    put_record(&c, 1, 1, 0, 0);
    o = read_memory(ctx, opts, c.p, c.n, NF_BATCH);
    cr_expect(o.code == 0 && o.records == 1 && o.filtered == 1);
    netfeat_options_unref(opts);
    free(b.p);
    free(c.p);
    netfeat_ctx_unref(ctx);
}

/* libpcap's own answer for every number that a file can carry. */
Test(capture_filter, link_types_map_as_libpcap_maps_them)
{
    for (uint32_t link = 0; link < 400; link++) {
        bytes b = {0};
        char why[PCAP_ERRBUF_SIZE];
        FILE *f;
        pcap_t *p;

        put_pcap(&b, 0xa1b2c3d4, 2, 4, link);
        f = fmemopen(b.p, b.n, "rb");
        cr_assert_not_null(f);
        p = pcap_fopen_offline(f, why);
        cr_assert_not_null(p, "%s", why);
        if (link != 14) { /* raw IP for OpenBSD, unknown to libpcap on other systems */
            cr_expect_eq(nf_filter_dlt((uint16_t)link), pcap_datalink(p), "link type %u: %d", link,
                         pcap_datalink(p));
        }
        pcap_close(p);
        free(b.p);
    }
}

static void put_both(bytes *pcap, bytes *pcapng, bool big)
{
    pcap->big = big;
    pcapng->big = big;
    put_pcap(pcap, 0xa1b2c3d4, 2, 4, 1);
    put_record(pcap, 100, 5, 10, 10);
    put_record(pcap, 101, 0, 0, 0);
    put_section(pcapng);
    put_interface(pcapng, 1, 0, 9, 3);
    put_enhanced(pcapng, 0, 1, 5, 5);
    put_other(pcapng, 5, 9);
    put_simple(pcapng, 5, 5);
    put_obsolete(pcapng, 0, 1, 3, 3);
    pcapng->big = !big;
    put_section(pcapng);
    put_interface(pcapng, 101, 9, 0x8a, 0);
    put_enhanced(pcapng, 0, 1, 5, 5);
}

/* Every byte wrong in many ways: an end, or an error with a position inside the input, and the same by the
 * file. */
Test(capture_filter, every_flipped_byte_is_survived, .timeout = 300)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = with_filter(ctx, "not tcp");

    for (int round = 0; round < 4; round++) {
        bytes pair[2] = {{0}, {0}};
        const bytes *b = &pair[round & 1];

        put_both(&pair[0], &pair[1], round & 2);
        for (size_t at = 0; at < b->n; at++) {
            static const uint8_t masks[] = {1, 2, 4, 8, 16, 32, 64, 128, 0xff, 0x7f};
            for (size_t m = 0; m < sizeof masks; m++) {
                outcome o;
                b->p[at] ^= masks[m];
                o = read_memory(ctx, m % 3 == 0 ? opts : NULL, b->p, b->n, 2);
                cr_assert(o.code == 0 || o.code == NETFEAT_ERR_FORMAT || o.code == NETFEAT_ERR_TRUNCATED ||
                              o.code == NETFEAT_ERR_UNSUPPORTED,
                          "byte %zu mask %x: %d %s", at, masks[m], o.code, netfeat_ctx_error_message(ctx));
                cr_assert(o.offset <= (int64_t)b->n && o.bytes <= (int64_t)b->n);
                if (m == 8) {
                    outcome p = read_pieces(ctx, NULL, b->p, b->n, 1);
                    outcome q = read_memory(ctx, NULL, b->p, b->n, NF_BATCH);
                    cr_assert(same(&p, &q), "byte %zu", at);
                }
                b->p[at] ^= masks[m];
            }
        }
        free(pair[0].p);
        free(pair[1].p);
    }
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

typedef struct {
    int64_t left; /* allocations until one fails; negative: never */
    int64_t live;
} stingy;

static void *stingy_realloc(void *user, void *ptr, size_t old_size, size_t new_size)
{
    stingy *s = user;
    void *p;

    if (new_size == 0) {
        s->live -= ptr != NULL;
        free(ptr);
        return NULL;
    }
    if (s->left == 0) {
        return NULL;
    }
    s->left -= s->left > 0;
    p = realloc(ptr, new_size);
    s->live += ptr == NULL && p != NULL;
    (void)old_size;
    return p;
}

/* After each allocation in turn fails: NOMEM, nothing leaks, and it stays. */
Test(capture_filter, every_allocation_can_fail)
{
    bytes pair[2] = {{0}, {0}};

    put_both(&pair[0], &pair[1], false);
    put_record(&pair[0], 1, 1, 9000, 9000); /* larger than the buffer */
    put_enhanced(&pair[1], 0, 1, 9000, 9000);
    pair[1].big = false;
    for (int way = 0; way < 6; way++) {
        const bytes *b = &pair[way & 1];
        int code = NETFEAT_ERR_NOMEM;

        for (int64_t n = 0; code == NETFEAT_ERR_NOMEM; n++) {
            stingy s = {.left = -1};
            netfeat_ctx *ctx = NULL;
            netfeat_options *opts;
            outcome o;

            cr_assert_lt(n, 100);
            cr_assert_eq(netfeat_ctx_new_alloc(stingy_realloc, &s, &ctx), 0);
            opts = with_filter(ctx, "not udp");
            cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_BUFFER_BYTES, 4096), 0);
            s.left = n;
            o = way < 2   ? read_memory(ctx, opts, b->p, b->n, NF_BATCH)
                : way < 4 ? read_file(ctx, opts, b->p, b->n)
                          : read_pieces(ctx, opts, b->p, b->n, 512);
            code = o.code;
            s.left = -1;
            cr_expect(code == NETFEAT_ERR_NOMEM || code == 0, "%d: %s", code, netfeat_ctx_error_message(ctx));
            cr_expect(code == 0 || netfeat_ctx_error_code(ctx) == NETFEAT_ERR_NOMEM);
            netfeat_options_unref(opts);
            netfeat_ctx_unref(ctx);
            cr_expect_eq(s.live, 0, "way %d, allocation %d", way, (int)n);
            cr_expect(code != 0 || n >= 3);
        }
    }
    free(pair[0].p);
    free(pair[1].p);
}

Test(capture_filter, the_memory_limit_holds_for_the_buffer)
{
    netfeat_ctx *ctx = new_ctx();
    bytes b = {0};
    outcome o;

    put_pcap(&b, 0xa1b2c3d4, 2, 4, 1);
    put_record(&b, 1, 1, 10, 10);
    put_record(&b, 1, 1, 1000000, 1000000);
    netfeat_ctx_set_memory_limit(ctx, netfeat_ctx_memory_used(ctx) + 300000);
    o = read_file(ctx, NULL, b.p, b.n);
    cr_expect(o.code == NETFEAT_ERR_LIMIT && o.records == 1 && o.packet == 2 && o.offset == 50);
    netfeat_ctx_set_memory_limit(ctx, 0);
    o = read_file(ctx, NULL, b.p, b.n);
    cr_expect(o.code == 0 && o.records == 2);
    free(b.p);
    netfeat_ctx_unref(ctx);
}
