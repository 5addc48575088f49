/* The packet table: columns chosen, rows whole under any way of cutting the input, limits, failing allocations. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netfeat/netfeat.h>

#include "capture_bytes.h"
#include "torture.h"

#define PACKETS 300

static bytes capture_bytes; /* of the test that runs: each has a process of its own */

/* An Ethernet frame of packet i: TCP, UDP, ARP, a VLAN tag, a fragment, garbage, nothing: all that rows differ in. */
static void put_test_frame(bytes *b, int i)
{
    static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    static const uint8_t options[12] = {2, 4, 5, 180, 1, 3, 3, 7, 4, 2, 1, 1};
    uint16_t payload = (uint16_t)(i * 37 % 200);

    put_bytes(b, macs, sizeof macs);
    if (i % 11 == 3) {
        put16(b, 0x0806);
        put_data(b, 28, (uint32_t)i);
        return;
    }
    if (i % 7 == 2) {
        put16(b, 0x8100);
        put16(b, (uint16_t)(i & 0xfff));
    }
    put16(b, 0x0800);
    if (i % 13 == 5) {
        put_data(b, (size_t)i % 19, (uint32_t)i);
        return;
    }
    put16(b, 0x4500);
    put16(b, (uint64_t)(20 + (i % 2 ? 32 : 8) + payload));
    put16(b, (uint64_t)i);
    put16(b, i % 17 == 4 ? 0x2001 : 0x4000);
    put16(b, (uint64_t)(i % 2 ? 0x4006 : 0x4011));
    put16(b, 0);
    put32(b, (uint64_t)(0x0a000001 + i % 5));
    put32(b, UINT64_C(0xc0a80001) + (uint64_t)i % 3);
    put16(b, (uint64_t)(1024 + i));
    put16(b, i % 3 ? 53 : 80);
    if (i % 2) {
        put32(b, (uint64_t)i * 1000003);
        put32(b, (uint64_t)i);
        put16(b, 0x8012);
        put16(b, 0xffff);
        put32(b, 0);
        put_bytes(b, options, sizeof options);
    } else {
        put16(b, (uint64_t)(8 + payload));
        put16(b, 0);
    }
    put_data(b, payload, (uint32_t)i);
    if (i % 23 == 0) {
        put_data(b, 6, 1); /* link padding */
    }
}

static void make_capture(void)
{
    bytes *b = &capture_bytes;

    put32(b, 0xa1b23c4d);
    put16(b, 2);
    put16(b, 4);
    put32(b, 0);
    put32(b, 0);
    put32(b, 65535);
    put32(b, 1);
    for (int i = 0; i < PACKETS; i++) {
        bytes frame = {.big = true};
        size_t cut;
        put_test_frame(&frame, i);
        cut = i % 29 == 7 ? frame.n / 2 : frame.n;
        put32(b, 1700000000);
        put32(b, (uint64_t)(i % 31 == 8 ? 5 : i * 1000));
        put32(b, cut);
        put32(b, frame.n);
        put_bytes(b, frame.p, cut);
        free(frame.p);
    }
}

static void set_up(void)
{
    make_capture();
}

TestSuite(table, .init = set_up);

static netfeat_ctx *new_ctx(void)
{
    netfeat_ctx *ctx = NULL;
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    return ctx;
}

static netfeat_options *options_of(netfeat_ctx *ctx, const char *columns, int payload)
{
    netfeat_options *opts = NULL;
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_TABLE_COLUMNS, columns), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_KEEP_PAYLOAD, payload), 0);
    return opts;
}

static netfeat_source *memory_source(netfeat_ctx *ctx)
{
    netfeat_source *src = NULL;
    cr_assert_eq(netfeat_source_open_memory(ctx, capture_bytes.p, capture_bytes.n, NULL, &src), 0);
    return src;
}

static void expect_same_rows(const netfeat_table *a, int64_t first, const netfeat_table *b)
{
    cr_assert_eq(netfeat_table_width(a), netfeat_table_width(b));
    for (int c = 0; c < netfeat_table_width(b); c++) {
        int d = netfeat_table_find(a, netfeat_table_name(b, c));
        cr_assert_eq(c, d);
        for (int64_t i = 0; i < netfeat_table_rows(b); i++) {
            static char x[2000], y[2000];
            size_t n = 0, m = 0;
            int p = netfeat_column_get_text(netfeat_table_column(a, c), first + i, x, sizeof x, &n);
            int q = netfeat_column_get_text(netfeat_table_column(b, c), i, y, sizeof y, &m);
            cr_assert(p >= 0 && p == q && n == m && strcmp(x, y) == 0, "%s, row %lld: \"%s\" and \"%s\"",
                      netfeat_table_name(b, c), (long long)(first + i), x, y);
        }
    }
}

/* The whole capture as tables of at most `rows` rows each, each table fed in steps of at most `step` packets. */
static void check_cut(netfeat_ctx *ctx, netfeat_source *src, const netfeat_options *opts,
                      const netfeat_table *whole, int64_t rows, int64_t step)
{
    int64_t done = 0;

    for (;;) {
        netfeat_table *part = NULL;
        int64_t n = 1;
        cr_assert_eq(netfeat_table_new(ctx, opts, &part), 0);
        while (n > 0 && netfeat_table_rows(part) < rows) {
            int64_t left = rows - netfeat_table_rows(part);
            n = netfeat_table_append_source(part, src, left < step ? left : step);
            cr_assert_geq(n, 0);
        }
        cr_assert_eq(netfeat_table_seal(part), 0);
        expect_same_rows(whole, done, part);
        done += netfeat_table_rows(part);
        if (n == 0) {
            netfeat_table_unref(part);
            break;
        }
        netfeat_table_unref(part);
    }
    cr_expect_eq(done, PACKETS);
    netfeat_source_unref(src);
}

static netfeat_source *file_source(netfeat_ctx *ctx, const char *path)
{
    FILE *f = fopen(path, "wb");
    netfeat_source *src = NULL;

    cr_assert_not_null(f);
    cr_assert_eq(fwrite(capture_bytes.p, 1, capture_bytes.n, f), capture_bytes.n);
    fclose(f);
    cr_assert_eq(netfeat_source_open_file(ctx, path, NULL, &src), 0);
    return src;
}

static netfeat_source *pipe_source(netfeat_ctx *ctx, const char *path)
{
    netfeat_source *src = NULL;
    char command[100];
    FILE *p;

    snprintf(command, sizeof command, "cat %s", path);
    p = popen(command, "r");
    cr_assert_not_null(p);
    cr_assert_eq(netfeat_source_open_fd(ctx, fileno(p), NULL, &src), 0);
    return src; /* the pipe ends with the process of the test */
}

Test(table, any_cut_and_any_origin_give_the_same_rows)
{
    static const int64_t cuts[][2] = {{1, 1},    {7, 7},    {64, 64},     {65, 3},
                                      {100, 64}, {1000, 1}, {1000, 1000}, {299, 298}};
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = options_of(ctx, "", 1);
    netfeat_source *src = memory_source(ctx);
    netfeat_table *whole = NULL;
    char path[] = "/tmp/test_table_XXXXXX";
    int fd = mkstemp(path);

    cr_assert_geq(fd, 0);
    close(fd);
    cr_assert_eq(netfeat_table_from_source(ctx, src, opts, &whole), 0);
    cr_expect_eq(netfeat_table_rows(whole), PACKETS);
    cr_expect_eq(netfeat_table_width(whole), 49);
    cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_DELIVERED), PACKETS);
    netfeat_source_unref(src);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        check_cut(ctx, memory_source(ctx), opts, whole, cuts[i][0], cuts[i][1]);
        check_cut(ctx, file_source(ctx, path), opts, whole, cuts[i][0], cuts[i][1]);
    }
    check_cut(ctx, pipe_source(ctx, path), opts, whole, 100, 100);
    unlink(path);
    netfeat_table_unref(whole);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

static int64_t value(const netfeat_table *tab, const char *name, int64_t row)
{
    int64_t v = -1;
    int c = netfeat_table_find(tab, name);
    cr_assert_geq(c, 0, "%s", name);
    return netfeat_column_get_i64(netfeat_table_column(tab, c), row, &v) == 1 ? v : -1;
}

Test(table, rows_say_what_was_in_the_packets)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_source *src = memory_source(ctx);
    netfeat_table *tab = NULL, *complete = NULL;
    int ports[2];
    char text[100];

    cr_assert_eq(netfeat_table_from_source(ctx, src, NULL, &tab), 0);
    cr_expect_eq(netfeat_table_width(tab), 48, "all but payload");
    cr_expect_eq(value(tab, "packet_number", 1), 2);
    cr_expect_eq(value(tab, "timestamp", 1), 1700000000000001000);
    cr_expect_eq(value(tab, "src_port", 1), 1025);
    cr_expect_eq(value(tab, "dst_port", 1), 53);
    cr_expect_eq(value(tab, "tcp_seq", 1), 1000003);
    cr_expect_eq(value(tab, "tcp_mss", 1), 1460);
    cr_expect_eq(value(tab, "payload_length", 1), 37);
    cr_expect_eq(value(tab, "vlan_id", 2), 2);
    cr_expect_eq(value(tab, "vlan_id", 1), -1);
    cr_expect_eq(value(tab, "src_port", 3), -1, "ARP");
    cr_expect_eq(value(tab, "fragment_offset", 4), 8);
    cr_expect_eq(value(tab, "quality", 4), NETFEAT_QUALITY_FRAGMENT);
    cr_expect_eq(value(tab, "quality", 8), NETFEAT_QUALITY_TIME_BACKWARDS);
    cr_expect_eq(value(tab, "padding_length", 0), 6);
    cr_expect(value(tab, "quality", 7) & NETFEAT_QUALITY_SNAPPED);
    netfeat_column_get_text(netfeat_table_column(tab, netfeat_table_find(tab, "src_ip")), 1, text,
                            sizeof text, NULL);
    cr_expect_str_eq(text, "10.0.0.2");
    cr_expect_str_eq(netfeat_column_unit(netfeat_table_column(tab, netfeat_table_find(tab, "timestamp"))),
                     "ns");
    cr_expect_str_eq(netfeat_column_definition(netfeat_table_column(tab, 0)), "packet.packet_number@1");
    ports[0] = netfeat_table_find(tab, "src_port");
    ports[1] = netfeat_table_find(tab, "dst_port");
    cr_assert_eq(netfeat_table_complete_rows(ctx, tab, ports, 2, &complete), 0);
    cr_expect_eq(netfeat_table_rows(complete),
                 PACKETS - netfeat_column_nulls(netfeat_table_column(tab, ports[0])));
    netfeat_table_unref(complete);
    netfeat_table_unref(tab);
    netfeat_source_unref(src);
    netfeat_ctx_unref(ctx);
}

Test(table, chosen_columns_equal_those_of_the_whole_table)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *all = options_of(
        ctx,
        "*,outer_src_ip,outer_dst_ip,icmp_src_ip,icmp_dst_ip,icmp_protocol,icmp_src_port,icmp_dst_port,"
        "ip_dscp,ip_ecn,icmp_id",
        1);
    netfeat_source *src = memory_source(ctx);
    netfeat_table *whole = NULL;

    cr_assert_eq(netfeat_table_from_source(ctx, src, all, &whole), 0);
    netfeat_source_unref(src);
    for (int id = netfeat_field_next(0); id != 0; id = netfeat_field_next(id)) {
        const char *name = netfeat_field_name(id);
        netfeat_options *one = options_of(ctx, name, 0);
        netfeat_table *tab = NULL, *same = NULL;
        int index = netfeat_table_find(whole, name);
        src = memory_source(ctx);
        cr_assert_eq(netfeat_table_from_source(ctx, src, one, &tab), 0);
        cr_assert_eq(netfeat_table_select(ctx, whole, &index, 1, &same), 0);
        expect_same_rows(same, 0, tab);
        netfeat_table_unref(tab);
        netfeat_table_unref(same);
        netfeat_options_unref(one);
        netfeat_source_unref(src);
    }
    netfeat_table_unref(whole);
    netfeat_options_unref(all);
    netfeat_ctx_unref(ctx);
}

Test(table, bad_column_lists_are_refused)
{
    static const struct {
        const char *list;
        int code;
    } cases[] = {{"src_ip,nothing", NETFEAT_ERR_NOTFOUND},
                 {"src_ip,src_ip", NETFEAT_ERR_ARGUMENT},
                 {"src_ip,", NETFEAT_ERR_NOTFOUND},
                 {"*,src_ip", NETFEAT_ERR_ARGUMENT},
                 {"*src_ip", NETFEAT_ERR_NOTFOUND},
                 {",src_ip", NETFEAT_ERR_NOTFOUND},
                 {"src_ip,,dst_ip", NETFEAT_ERR_NOTFOUND},
                 {"src_ip dst_ip", NETFEAT_ERR_NOTFOUND},
                 {" src_ip , dst_ip ", 0},
                 {"   ", 0}};
    netfeat_ctx *ctx = new_ctx();

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        netfeat_options *opts = options_of(ctx, cases[i].list, 0);
        netfeat_table *tab = NULL;
        cr_expect_eq(netfeat_table_new(ctx, opts, &tab), cases[i].code, "\"%s\"", cases[i].list);
        cr_expect((tab != NULL) == (cases[i].code == 0));
        netfeat_table_unref(tab);
        netfeat_options_unref(opts);
    }
    netfeat_ctx_unref(ctx);
}

Test(table, row_limit_loses_nothing)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = options_of(ctx, "packet_number", 0);
    netfeat_source *src = memory_source(ctx);
    netfeat_table *tab = NULL, *rest = NULL;

    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_MAX_ROWS, 100), 0);
    cr_assert_eq(netfeat_table_new(ctx, opts, &tab), 0);
    cr_expect_eq(netfeat_table_append_source(tab, src, 100), 100);
    cr_expect_eq(netfeat_table_append_source(tab, src, -1), NETFEAT_ERR_LIMIT);
    cr_expect_eq(netfeat_ctx_error_packet(ctx), 101);
    cr_expect_eq(netfeat_table_append_packet(tab, 1, 0, 4, "abcd", 4), NETFEAT_ERR_LIMIT);
    cr_expect_eq(netfeat_table_rows(tab), 100);
    cr_assert_eq(netfeat_table_new(ctx, NULL, &rest), 0);
    cr_expect_eq(netfeat_table_append_source(rest, src, -1), PACKETS - 100,
                 "the packet at the limit is not lost");
    cr_assert_eq(netfeat_table_seal(rest), 0);
    cr_expect_eq(value(rest, "packet_number", 0), 101);
    netfeat_table_unref(tab);
    netfeat_table_unref(rest);
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

Test(table, single_packets_and_states)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_table *tab = NULL, *out = NULL;
    netfeat_source *src = memory_source(ctx);

    cr_assert_eq(netfeat_table_new(ctx, NULL, &tab), 0);
    cr_expect_eq(netfeat_table_append_packet(tab, 1, 5, 60, capture_bytes.p + 40, 60), 0);
    cr_expect_eq(netfeat_table_append_packet(tab, 1, 4, 0, NULL, 0), 0);
    cr_expect_eq(netfeat_table_append_packet(tab, 1, 4, 0, NULL, 1), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_append_packet(tab, 65536, 4, 0, "", 0), NETFEAT_ERR_RANGE);
    cr_expect_eq(netfeat_table_append_packet(tab, -1, 4, 0, "", 0), NETFEAT_ERR_RANGE);
    cr_expect_null(netfeat_table_column(tab, 0), "not sealed");
    cr_expect_eq(netfeat_table_slice(ctx, tab, 0, 1, &out), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_table_seal(tab), 0);
    cr_expect_eq(netfeat_table_seal(tab), 0);
    cr_expect_eq(netfeat_table_append_packet(tab, 1, 4, 0, "", 0), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_table_append_source(tab, src, -1), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_table_rows(tab), 2);
    cr_expect_eq(value(tab, "packet_number", 1), 2);
    cr_expect(value(tab, "quality", 1) & NETFEAT_QUALITY_TIME_BACKWARDS);
    cr_expect(value(tab, "quality", 1) & NETFEAT_QUALITY_HEADER_CUT);
    netfeat_ctx_unref(ctx); /* any order of release */
    netfeat_source_unref(src);
    netfeat_table_unref(tab);
}

Test(table, rows_before_an_error_are_kept)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;

    cr_assert_eq(netfeat_source_open_memory(ctx, capture_bytes.p, capture_bytes.n - 3, NULL, &src), 0);
    cr_assert_eq(netfeat_table_new(ctx, NULL, &tab), 0);
    cr_expect_eq(netfeat_table_append_source(tab, src, -1), NETFEAT_ERR_TRUNCATED);
    cr_expect_eq(netfeat_ctx_error_packet(ctx), PACKETS);
    cr_expect_eq(netfeat_table_rows(tab), PACKETS - 1);
    cr_expect_eq(netfeat_table_seal(tab), 0);
    cr_expect_eq(value(tab, "packet_number", PACKETS - 2), PACKETS - 1);
    netfeat_table_unref(tab);
    tab = NULL;
    cr_expect_eq(netfeat_table_from_source(ctx, src, NULL, &tab), NETFEAT_ERR_TRUNCATED);
    cr_expect_null(tab);
    netfeat_source_unref(src);
    netfeat_ctx_unref(ctx);
}

static int torture_table(torture *t, void *user)
{
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL, *part = NULL, *out = NULL;
    netfeat_column *ids = NULL, *values = NULL;
    static const int64_t rows[] = {5, 3, 100};
    static const int columns[] = {2, 0};
    int code = torture_ctx(t, &ctx);

    (void)user;
    if (code != 0) {
        return code;
    }
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_text(opts, NETFEAT_OPT_TABLE_COLUMNS,
                                    "src_ip,dst_port,payload,timestamp,tcp_sack_permitted"));
    TRY(t, netfeat_source_open_memory(ctx, capture_bytes.p, capture_bytes.n, NULL, &src));
    TRY(t, netfeat_table_new(ctx, opts, &tab));
    TRY(t, netfeat_table_append_source(tab, src, 200));
    TRY(t, netfeat_table_append_source(tab, src, -1));
    TRY(t, netfeat_table_append_packet(tab, 1, 77, 60, capture_bytes.p + 40, 60));
    TRY(t, netfeat_table_seal(tab));
    torture_saw_table(t, tab);
    TRY(t, netfeat_table_slice(ctx, tab, 3, 200, &part));
    TRY(t, netfeat_table_take(ctx, part, rows, 3, &out));
    torture_saw_table(t, out);
    out = netfeat_table_unref(out);
    TRY(t, netfeat_table_complete_rows(ctx, part, NULL, 0, &out));
    torture_saw_table(t, out);
    out = netfeat_table_unref(out);
    TRY(t, netfeat_table_select(ctx, part, columns, 2, &out));
    torture_saw_table(t, out);
    TRY(t, netfeat_column_dictionary(ctx, netfeat_table_column(tab, 0), &ids, &values));
    values = netfeat_column_unref(values);
    TRY(t, netfeat_column_to_text(ctx, netfeat_table_column(tab, 0), &values));
    code = 0;
out:
    netfeat_column_unref(ids);
    netfeat_column_unref(values);
    netfeat_table_unref(out);
    netfeat_table_unref(part);
    netfeat_ctx_unref(ctx);
    netfeat_table_unref(tab);
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    return code;
}

Test(table, every_allocation_may_fail)
{
    uint64_t points = 0;
    const char *wrong = torture_run(torture_table, NULL, &points);

    cr_expect_null(wrong, "%s", wrong);
    cr_expect_geq(points, 200);
}

Test(table, memory_limit_is_an_error_and_rows_stay)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = options_of(ctx, "", 1);
    netfeat_source *src = memory_source(ctx);
    netfeat_table *tab = NULL, *whole = NULL;
    int64_t got;

    cr_assert_eq(netfeat_table_from_source(ctx, src, opts, &whole), 0);
    netfeat_source_unref(src);
    src = memory_source(ctx);
    cr_assert_eq(netfeat_table_new(ctx, opts, &tab), 0);
    cr_assert_eq(netfeat_ctx_set_memory_limit(ctx, netfeat_ctx_memory_used(ctx) + 40000), 0);
    got = netfeat_table_append_source(tab, src, -1);
    cr_expect_eq(got, NETFEAT_ERR_LIMIT);
    cr_expect_leq(netfeat_ctx_memory_used(ctx), netfeat_ctx_memory_peak(ctx));
    cr_assert_eq(netfeat_ctx_set_memory_limit(ctx, 0), 0);
    got = netfeat_table_rows(tab);
    cr_expect_eq(netfeat_table_append_source(tab, src, -1), PACKETS - got);
    cr_assert_eq(netfeat_table_seal(tab), 0);
    expect_same_rows(whole, 0, tab);
    netfeat_table_unref(whole);
    netfeat_table_unref(tab);
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}
