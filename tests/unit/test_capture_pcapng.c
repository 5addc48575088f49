/* Rules of lib/capture for pcapng: blocks, sections, interfaces, time resolutions, lies. */
#include <criterion/criterion.h>

#include "../support/capture_bytes.h"
#include "base/cursor.h"

static netfeat_ctx *new_ctx(void)
{
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    return ctx;
}

/* Every kind of block, two sections of opposite byte order. */
static bytes all_blocks(bool big)
{
    bytes b = {.big = big};

    put_section(&b);
    put_interface(&b, 1, 0, 0x100, 0);
    put_interface(&b, 101, 40, 9, 0);
    put_enhanced(&b, 1, 5, 7, 7);
    put_other(&b, 4, 20);
    put_simple(&b, 40, 1500);
    put_obsolete(&b, 0, 3, 9, 90);
    put_other(&b, 0xbad, 0);
    b.big = !big;
    put_section(&b);
    put_interface(&b, 113, 16, 0x100, 1000);
    put_simple(&b, 16, 60);
    put_enhanced(&b, 0, UINT64_C(0x100000002), 0, 0);
    return b;
}

Test(capture_pcapng, every_kind_of_block)
{
    static const nf_record want[] = {
        /* data, number, time, captured, wire, interface, link, flags */
        {NULL, 1, 5, 7, 7, 1, 101, 0},
        {NULL, 2, 0, 40, 1500, 0, 1, NF_RECORD_NO_TIME},
        {NULL, 3, 3000, 9, 90, 0, 1, 0},
        {NULL, 4, 0, 16, 60, 2, 113, NF_RECORD_NO_TIME},
        {NULL, 5, 5294967298000, 0, 0, 2, 113, 0},
    };
    netfeat_ctx *ctx = new_ctx();

    for (int big = 0; big < 2; big++) {
        bytes b = all_blocks(big);
        netfeat_source *src = NULL;
        nf_record r;
        int64_t time = 42;

        cr_assert_eq(netfeat_source_open_memory(ctx, b.p, b.n, NULL, &src), 0);
        for (size_t i = 0; i < 5; i++) {
            cr_assert_eq(nf_source_next(src, &r, 1), 1, "%s", netfeat_ctx_error_message(ctx));
            cr_expect_eq(r.number, want[i].number);
            cr_expect_eq(r.time_ns, want[i].time_ns, "record %zu: %lld", i + 1, (long long)r.time_ns);
            cr_expect_eq(r.captured_length, want[i].captured_length);
            cr_expect_eq(r.wire_length, want[i].wire_length);
            cr_expect_eq(r.interface_id, want[i].interface_id);
            cr_expect_eq(r.link_type, want[i].link_type);
            cr_expect_eq(r.flags, want[i].flags);
            cr_expect(r.captured_length == 0 || r.data[0] == (uint8_t)(31 + r.captured_length * 7));
        }
        cr_expect_eq(nf_source_next(src, &r, 1), 0);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_SECTIONS), 2);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_INTERFACES), 3);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_OTHER_BLOCKS), 2);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_SNAPPED), 3);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_BYTES), (int64_t)b.n);
        netfeat_source_unref(src);

        cr_assert_eq(netfeat_source_open_memory(ctx, b.p, b.n, NULL, &src), 0);
        cr_assert_eq(netfeat_source_step(src), 1);
        cr_expect(netfeat_source_packet_time(src, &time) == 1 && time == 5);
        cr_expect_eq(netfeat_source_packet_interface(src), 1);
        cr_assert_eq(netfeat_source_step(src), 1);
        cr_expect(netfeat_source_packet_time(src, &time) == 0 && time == 5);
        cr_expect_eq(netfeat_source_packet_link_type(src), 1);
        netfeat_source_unref(src);
        free(b.p);
    }
    netfeat_ctx_unref(ctx);
}

Test(capture_pcapng, resolutions_are_exact)
{
    static const struct {
        unsigned resolution;
        int64_t offset;
        uint64_t units;
        bool fits;
        int64_t time;
    } cases[] = {
        {0x100, 0, 1700000000123456, true, 1700000000123456000},
        {6, 0, 1700000000123456, true, 1700000000123456000},
        {9, 0, 1700000000123456789, true, 1700000000123456789},
        {0, 0, 1700000000, true, 1700000000000000000},
        {3, 5, 1, true, 5001000000},
        {6, -3, 1, true, -2999999000},
        {9, 0, INT64_MAX, true, INT64_MAX},
        {9, 0, (uint64_t)INT64_MAX + 1, false, 0},
        {9, -1, (uint64_t)INT64_MAX + 1000000000, true, INT64_MAX},
        {9, 1, INT64_MAX, false, 0},
        {6, 0, UINT64_MAX, false, 0},
        {0, 0, UINT64_MAX, false, 0},
        {12, 0, 1700000000123456789, true, 1700000000123456},
        {28, 0, UINT64_MAX, true, 1},
        {29, 0, UINT64_MAX, true, 0},
        {127, 0, UINT64_MAX, true, 0},
        {127, 7, UINT64_MAX, true, 7000000000},
        {0x80, 0, 3, true, 3000000000},
        {0x80 | 1, 0, 3, true, 1500000000},
        {0x80 | 30, 0, 1825361100824182784, true, 1700000000022521972},
        {0x80 | 32, 0, UINT64_MAX, true, 4294967295999999999},
        {0x80 | 64, 1, UINT64_MAX, true, 1999999999},
        {0x80 | 127, 0, UINT64_MAX, true, 0},
        {0x80, 0, UINT64_MAX, false, 0},
        {6, INT64_MIN, 0, false, 0},
        {6, INT64_MAX, UINT64_MAX, false, 0},
        {0x80 | 127, INT64_MIN, UINT64_MAX, false, 0},
    };
    netfeat_ctx *ctx = new_ctx();

    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        bytes b = {.big = i & 1};
        nf_record r[2];
        netfeat_source *src = NULL;

        put_section(&b);
        put_interface(&b, 1, 0, cases[i / 2].resolution, cases[i / 2].offset);
        put_enhanced(&b, 0, cases[i / 2].units, 4, 4);
        put_obsolete(&b, 0, cases[i / 2].units, 4, 4);
        cr_assert_eq(netfeat_source_open_memory(ctx, b.p, b.n, NULL, &src), 0);
        for (int k = 0; k < 2; k++) {
            cr_assert_eq(nf_source_next(src, r, 1), 1, "%s", netfeat_ctx_error_message(ctx));
            cr_expect_eq(r[0].flags, cases[i / 2].fits ? 0 : NF_RECORD_NO_TIME, "case %zu", i / 2);
            cr_expect_eq(r[0].time_ns, cases[i / 2].time, "case %zu: %lld", i / 2, (long long)r[0].time_ns);
        }
        netfeat_source_unref(src);
        free(b.p);
    }
    netfeat_ctx_unref(ctx);
}

Test(capture_pcapng, time_backwards_skips_what_has_no_time)
{
    netfeat_ctx *ctx = new_ctx();
    bytes b = {0};
    nf_record r;
    netfeat_source *src = NULL;
    static const int flags[] = {0, NF_RECORD_NO_TIME, NF_RECORD_TIME_BACKWARDS, NF_RECORD_NO_TIME, 0};

    put_section(&b);
    put_interface(&b, 1, 0, 6, 0);
    put_enhanced(&b, 0, 100, 4, 4);
    put_simple(&b, 4, 4);
    put_enhanced(&b, 0, 99, 4, 4);
    put_enhanced(&b, 0, UINT64_MAX, 4, 4);
    put_enhanced(&b, 0, 99, 4, 4);
    cr_assert_eq(netfeat_source_open_memory(ctx, b.p, b.n, NULL, &src), 0);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        cr_assert_eq(nf_source_next(src, &r, 1), 1);
        cr_expect_eq(r.flags, flags[i], "record %zu", i + 1);
    }
    cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_TIME_BACKWARDS), 1);
    netfeat_source_unref(src);
    free(b.p);
    netfeat_ctx_unref(ctx);
}

Test(capture_pcapng, a_cut_at_every_byte)
{
    netfeat_ctx *ctx = new_ctx();

    for (int big = 0; big < 2; big++) {
        bytes b = all_blocks(big);

        for (size_t n = 0; n <= b.n; n++) {
            outcome o = read_memory(ctx, NULL, b.p, n, NF_BATCH);
            outcome p = read_pieces(ctx, NULL, b.p, n, 1);
            int64_t records = 0;
            size_t at = 0;
            bool flip = big; /* the section that `at` is in is big-endian */

            cr_expect(same(&o, &p), "%zu bytes", n);
            if (n < 28) {
                cr_expect_eq(o.open_code, NETFEAT_ERR_TRUNCATED, "%zu bytes", n);
                continue;
            }
            for (;;) { /* whole blocks, by the lengths behind them */
                const uint8_t *block = b.p + at;
                uint32_t type, length;
                if (n - at < 12) {
                    break;
                }
                if (nf_load_be32(block) == 0x0a0d0d0a) { /* in either order */
                    flip = block[8] == 0x1a;
                }
                type = flip ? nf_load_be32(block) : nf_load_le32(block);
                length = flip ? nf_load_be32(block + 4) : nf_load_le32(block + 4);
                if (length > n - at) {
                    break;
                }
                records += type == 2 || type == 3 || type == 6;
                at += length;
            }
            cr_expect_eq(o.records, records, "%zu bytes", n);
            cr_expect_eq(o.code, n == at ? 0 : NETFEAT_ERR_TRUNCATED, "%zu bytes", n);
            if (o.code < 0) {
                cr_expect_eq(o.packet, records + 1, "%zu bytes", n);
                cr_expect_eq(o.offset, (int64_t)at, "%zu bytes", n);
            }
        }
        free(b.p);
    }
    netfeat_ctx_unref(ctx);
}

Test(capture_pcapng, lies_are_format_errors_at_their_place)
{
    enum { SECTION = 0, INTERFACE = 28, FIRST = INTERFACE + 48, SECOND = FIRST + 52, LAST = SECOND + 20 };
    static const struct {
        size_t at; /* this byte .. */
        uint8_t value;
        int64_t records, offset;
        int code;
    } cases[] = {
        {SECTION + 8, 0x11, 0, SECTION, NETFEAT_ERR_FORMAT},     /* byte-order magic */
        {SECTION + 4, 24, 0, SECTION, NETFEAT_ERR_FORMAT},       /* shorter than a section header */
        {SECTION + 4, 32, 0, SECTION, NETFEAT_ERR_FORMAT},       /* lengths differ */
        {SECTION + 12, 2, 0, SECTION, NETFEAT_ERR_UNSUPPORTED},  /* version 2.0 */
        {SECTION + 14, 1, 0, SECTION, NETFEAT_ERR_UNSUPPORTED},  /* version 1.1 */
        {SECTION + 14, 2, 3, -1},                                /* version 1.2 is 1.0 */
        {SECTION + 16, 9, 3, -1},                                /* the section's length is not used */
        {INTERFACE + 4, 16, 0, INTERFACE, NETFEAT_ERR_FORMAT},   /* shorter than an interface description */
        {INTERFACE + 4, 52, 0, INTERFACE, NETFEAT_ERR_FORMAT},   /* lengths differ */
        {INTERFACE + 7, 1, 0, INTERFACE, NETFEAT_ERR_FORMAT},    /* over 16 MiB */
        {INTERFACE + 44, 16, 0, INTERFACE, NETFEAT_ERR_FORMAT},  /* lengths differ */
        {INTERFACE + 18, 200, 0, INTERFACE, NETFEAT_ERR_FORMAT}, /* an option past the block's end */
        {INTERFACE + 26, 2, 0, INTERFACE, NETFEAT_ERR_FORMAT},   /* if_tsresol of two bytes */
        {INTERFACE + 36, 0, 3, -1},                              /* end of options comes early */
        {FIRST + 4, 28, 0, FIRST, NETFEAT_ERR_FORMAT},           /* shorter than a packet block */
        {FIRST + 4, 56, 0, FIRST, NETFEAT_ERR_FORMAT},           /* lengths differ */
        {FIRST + 8, 1, 0, FIRST, NETFEAT_ERR_FORMAT},            /* no such interface */
        {FIRST + 20, 21, 0, FIRST, NETFEAT_ERR_FORMAT},          /* captured length past the block's end */
        {FIRST + 23, 0xff, 0, FIRST, NETFEAT_ERR_FORMAT},        /* far past it */
        {FIRST + 48, 0, 0, FIRST, NETFEAT_ERR_FORMAT},           /* lengths differ */
        {FIRST, 0, 2, -1},                                       /* just an unknown block */
        {FIRST + 7, 0xff, 0, FIRST, NETFEAT_ERR_FORMAT},         /* too long for its packet */
        {SECOND + 4, 8, 1, SECOND, NETFEAT_ERR_FORMAT},          /* shorter than a block */
        {SECOND + 4, 12, 1, SECOND, NETFEAT_ERR_FORMAT},         /* shorter than a simple packet block */
        {SECOND + 16, 24, 1, SECOND, NETFEAT_ERR_FORMAT},        /* lengths differ */
        {SECOND, 0x77, 2, -1},                                   /* unknown block */
        {LAST + 6, 0x01, 2, LAST, NETFEAT_ERR_TRUNCATED},        /* 64 KiB that are not there */
    };
    netfeat_ctx *ctx = new_ctx();
    bytes b = {0};

    put_section(&b);
    {
        bytes body = {0};
        put16(&body, 1);
        put16(&body, 0);
        put32(&body, 0);
        put_option(&body, 2, 0x65746830, 4);
        put_option(&body, 9, 6, 1);
        put_option(&body, 3, 0, 4);
        put_option(&body, 0, 0, 0);
        put_block(&b, 1, &body, 0);
    }
    cr_assert_eq(b.n, FIRST);
    put_enhanced(&b, 0, 1, 8, 8);
    cr_assert_eq(b.n, SECOND);
    put_simple(&b, 4, 4);
    cr_assert_eq(b.n, LAST);
    put_enhanced(&b, 0, 1, 8, 8);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t old = b.p[cases[i].at];
        outcome o;
        outcome p;

        b.p[cases[i].at] = cases[i].value;
        o = read_memory(ctx, NULL, b.p, b.n, NF_BATCH);
        cr_expect_eq(o.code, cases[i].code, "case %zu: %d %s", i, o.code, netfeat_ctx_error_message(ctx));
        cr_expect_eq(o.records, cases[i].records, "case %zu: %d", i, (int)o.records);
        cr_expect_eq(o.offset, cases[i].offset, "case %zu: %d", i, (int)o.offset);
        cr_expect_eq(o.packet, o.code < 0 ? o.records + 1 : -1, "case %zu", i);
        p = read_pieces(ctx, NULL, b.p, b.n, 1);
        cr_expect(same(&o, &p), "case %zu by the byte", i);
        b.p[cases[i].at] = old;
    }
    free(b.p);
    netfeat_ctx_unref(ctx);
}

Test(capture_pcapng, more_lies)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;
    bytes b = {0};
    bytes body = {0};
    outcome o;

    put_section(&b);
    put_simple(&b, 4, 4); /* no interface at all */
    o = read_memory(ctx, NULL, b.p, b.n, NF_BATCH);
    cr_expect(o.code == NETFEAT_ERR_FORMAT && o.offset == 28 && o.records == 0);

    b.n = 28; /* interfaces do not outlive their section */
    put_interface(&b, 1, 0, 6, 0);
    put_section(&b);
    put_enhanced(&b, 0, 1, 4, 4);
    o = read_memory(ctx, NULL, b.p, b.n, NF_BATCH);
    cr_expect(o.code == NETFEAT_ERR_FORMAT && o.records == 0 && o.sections == 2 && o.interfaces == 1);

    b.n = 28;
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_INTERFACES, 3), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_PACKET_BYTES, 64), 0);
    for (int i = 0; i < 3; i++) {
        put_interface(&b, 1, 0, 6, 0);
        put_enhanced(&b, (uint32_t)(i % 2), 1, 64, 64);
        if (i == 1) {
            put_section(&b);
        }
    }
    o = read_memory(ctx, opts, b.p, b.n, NF_BATCH);
    cr_expect(o.code == 0 && o.records == 3 && o.interfaces == 3, "%s", netfeat_ctx_error_message(ctx));
    put_enhanced(&b, 0, 1, 65, 65);
    o = read_memory(ctx, opts, b.p, b.n, NF_BATCH);
    cr_expect(o.code == NETFEAT_ERR_FORMAT && o.records == 3);
    put_interface(&b, 1, 0, 6, 0);
    o = read_memory(ctx, NULL, b.p, b.n, NF_BATCH);
    cr_expect(o.code == 0 && o.records == 4 && o.interfaces == 4);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_PACKET_BYTES, 65), 0);
    o = read_memory(ctx, opts, b.p, b.n, NF_BATCH);
    cr_expect(o.code == NETFEAT_ERR_LIMIT && o.records == 4 && o.interfaces == 3);

    /* a length that is no multiple of 4, padded all the same: by block, by tail, by both */
    b.n = 28;
    put_interface(&b, 1, 0, 6, 0);
    for (uint32_t way = 0; way < 3; way++) {
        body = (bytes){0};
        put32(&body, 0);
        put32(&body, 0);
        put32(&body, 7);
        put32(&body, 5);
        put32(&body, 5);
        put_data(&body, 5, 5);
        put_block(&b, 6, &body, way == 1 ? 40 : 37);
        if (way == 2) {
            b.p[b.n - 4] = 40;
        }
    }
    body = (bytes){0};
    put_data(&body, 3, 1);
    put_block(&b, 0x77, &body, 15);
    o = read_memory(ctx, NULL, b.p, b.n, NF_BATCH);
    cr_expect(o.code == 0 && o.records == 3 && o.other == 1 && o.bytes == (int64_t)b.n, "%d at %d: %s",
              o.code, (int)o.offset, netfeat_ctx_error_message(ctx));
    netfeat_options_unref(opts);
    free(b.p);
    netfeat_ctx_unref(ctx);
}

Test(capture_pcapng, a_huge_block_is_passed_over_without_memory)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;
    bytes b = {0};
    outcome want;
    outcome o;
    uint64_t before;
    size_t hole;

    put_section(&b);
    put_interface(&b, 1, 0, 9, 0);
    put_enhanced(&b, 0, 1, 100, 100);
    hole = b.n;
    put_other(&b, 0xb16, 3000000);
    for (uint32_t i = 0; i < 300; i++) {
        put_enhanced(&b, 0, i, i * 31 % 200 + (i == 77 ? 9000 : 0), 300);
        if (i % 50 == 0) {
            put_simple(&b, i, i);
            put_interface(&b, 1, 0, 6, 0);
        }
    }
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_BUFFER_BYTES, 4096), 0);
    before = netfeat_ctx_memory_used(ctx);
    o = read_file(ctx, opts, b.p, b.n);
    cr_expect_lt(netfeat_ctx_memory_peak(ctx), before + 32768);
    want = read_memory(ctx, NULL, b.p, b.n, NF_BATCH);
    cr_expect(same(&o, &want));
    cr_expect_eq(o.records, 307);
    cr_expect_eq(o.code, 0);
    for (int k = 0; k < 5; k++) {
        cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_BUFFER_BYTES, 4099 + 1001 * k), 0);
        o = read_pieces(ctx, opts, b.p, b.n, (size_t)(3777 + 611 * k));
        cr_expect(same(&o, &want), "buffer %d", 4099 + 1001 * k);
    }
    o = read_file(ctx, opts, b.p, hole + 2000000); /* cut in the huge block */
    cr_expect(o.code == NETFEAT_ERR_TRUNCATED && o.records == 1 && o.offset == (int64_t)hole &&
              o.packet == 2);
    b.p[hole + 3000008]++; /* the length behind it */
    o = read_file(ctx, opts, b.p, b.n);
    cr_expect(o.code == NETFEAT_ERR_FORMAT && o.records == 1 && o.offset == (int64_t)hole);
    netfeat_options_unref(opts);
    free(b.p);
    netfeat_ctx_unref(ctx);
}

/* The conformance files that golang-github-google-gopacket-dev installs, each in both byte orders. */
Test(capture_pcapng, conformance_files_say_the_same_in_both_byte_orders)
{
    static const char dir[] = "/usr/share/gocode/src/github.com/google/gopacket/pcapgo/tests";
    static const struct {
        int number;
        int records, sections, interfaces;
    } files[] = {
        {1, 4, 1, 1},   {2, 0, 1, 0},   {3, 0, 1, 1},   {4, 4, 1, 2},   {5, 4, 1, 2},   {6, 5, 1, 2},
        {7, 1, 1, 1},   {8, 4, 1, 2},   {9, 2, 1, 1},   {10, 4, 1, 1},  {11, 4, 1, 1},  {12, 4, 1, 1},
        {13, 0, 1, 1},  {14, 0, 1, 3},  {15, 0, 1, 1},  {16, 4, 1, 1},  {17, 0, 1, 0},  {18, 4, 1, 1},
        {100, 5, 1, 3}, {101, 4, 1, 3}, {102, 5, 1, 3}, {200, 0, 3, 3}, {201, 4, 3, 5}, {202, 8, 3, 5},
    };
    netfeat_ctx *ctx = new_ctx();

    for (size_t i = 0; i < sizeof files / sizeof files[0] && access(dir, R_OK) == 0; i++) {
        outcome o[2];

        for (int big = 0; big < 2; big++) {
            netfeat_source *src = NULL;
            char path[128];
            int code;

            snprintf(path, sizeof path, "%s/%s/test%03d.pcapng", dir, big ? "be" : "le", files[i].number);
            code = netfeat_source_open_file(ctx, path, NULL, &src);
            o[big] = drain(ctx, code, src, NF_BATCH);
        }
        cr_expect(same(&o[0], &o[1]), "file %d", files[i].number);
        cr_expect_eq(o[0].code, 0, "file %d", files[i].number);
        cr_expect_eq(o[0].records, files[i].records, "file %d: %d", files[i].number, (int)o[0].records);
        cr_expect_eq(o[0].sections, files[i].sections, "file %d: %d", files[i].number, (int)o[0].sections);
        cr_expect_eq(o[0].interfaces, files[i].interfaces, "file %d: %d", files[i].number,
                     (int)o[0].interfaces);
    }
    netfeat_ctx_unref(ctx);
}

Test(capture_pcapng, quiet_blocks_can_be_interrupted)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_source *src = NULL;
    bytes b = {0};
    nf_record r;

    put_section(&b);
    for (int i = 0; i < 10000; i++) {
        put_other(&b, 0xb16, 4);
    }
    put_interface(&b, 1, 0, 9, 0);
    put_enhanced(&b, 0, 1, 4, 4);
    cr_assert_eq(netfeat_source_open_memory(ctx, b.p, b.n, NULL, &src), 0);
    netfeat_ctx_interrupt(ctx);
    cr_expect_eq(nf_source_next(src, &r, 1), NETFEAT_ERR_CANCELLED);
    cr_expect_eq(nf_source_next(src, &r, 1), 1);
    cr_expect_eq(nf_source_next(src, &r, 1), 0);
    cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_OTHER_BLOCKS), 10000);
    netfeat_source_unref(src);
    free(b.p);
    netfeat_ctx_unref(ctx);
}
