/* Packets cut out of a capture: by the flow they belong to, with what can go wrong. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netfeat/netfeat.h>

#define SAMPLE TEST_SOURCE_DIR "/../examples/data/benign.pcapng"

static netfeat_ctx *ctx;
static char path[] = "/tmp/netfeat-packets-XXXXXX";

static void set_up(void)
{
    int fd = mkstemp(path);

    cr_assert_geq(fd, 0);
    close(fd);
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
}

static void tear_down(void)
{
    netfeat_ctx_unref(ctx);
    unlink(path);
}
TestSuite(packets, .init = set_up, .fini = tear_down);

static netfeat_source *open_sample(void)
{
    netfeat_source *src = NULL;

    cr_assert_eq(netfeat_source_open_file(ctx, SAMPLE, NULL, &src), 0, "%s", netfeat_ctx_error_message(ctx));
    return src;
}

/* Flow ids of all packets of the sample; *ret_flows is the table of its flows. */
static netfeat_column *flow_ids(netfeat_table **ret_flows)
{
    netfeat_table *tab = NULL;
    netfeat_column *ids = NULL;
    netfeat_flows *fl = NULL;
    netfeat_source *src = open_sample();

    cr_assert_eq(netfeat_table_from_source(ctx, src, NULL, &tab), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_assert_eq(netfeat_flows_new(ctx, NULL, &fl), 0);
    cr_assert_eq(netfeat_flows_feed(fl, tab, &ids), 0);
    cr_assert_eq(netfeat_flows_end(fl), 0);
    cr_assert_eq(netfeat_flows_take_all(fl, ret_flows), 0);
    netfeat_flows_unref(fl);
    netfeat_table_unref(tab);
    netfeat_source_unref(src);
    return ids;
}

static int64_t save(const netfeat_column *row_ids, const uint64_t *ids, size_t n)
{
    netfeat_source *src = open_sample();
    int64_t code = netfeat_packets_save_file(ctx, src, row_ids, ids, n, path, NULL);

    netfeat_source_unref(src);
    return code;
}

static netfeat_column *numbers(int64_t n)
{
    netfeat_column *col = NULL;
    uint64_t *values = malloc((size_t)n * sizeof *values);

    for (int64_t i = 0; i < n; i++) {
        values[i] = (uint64_t)i + 1;
    }
    cr_assert_eq(netfeat_column_wrap(ctx, NETFEAT_TYPE_U64, n, values, NULL, free, values, &col), 0);
    return col;
}

static uint64_t cell(const netfeat_table *tab, const char *name, int64_t row)
{
    return (
        (const uint64_t *)netfeat_column_data(netfeat_table_column(tab, netfeat_table_find(tab, name))))[row];
}

/* The packets of the file are those of the sample whose row says one of ids, in order, byte for byte. */
static void expect_packets(const netfeat_column *row_ids, const uint64_t *ids, size_t n)
{
    netfeat_source *all = open_sample();
    netfeat_source *cut = NULL;

    cr_assert_eq(netfeat_source_open_file(ctx, path, NULL, &cut), 0, "%s", netfeat_ctx_error_message(ctx));
    for (int64_t row = 0; netfeat_source_step(all) == 1; row++) {
        bool wanted = false;
        uint32_t size = 0, cut_size = 0;
        int64_t time = 0, cut_time = 0;
        const void *data;
        for (size_t i = 0; i < n; i++) {
            wanted = wanted || (netfeat_column_is_null(row_ids, row) == 0 &&
                                ((const uint64_t *)netfeat_column_data(row_ids))[row] == ids[i]);
        }
        if (!wanted) {
            continue;
        }
        cr_assert_eq(netfeat_source_step(cut), 1);
        data = netfeat_source_packet_data(all, &size);
        cr_expect_arr_eq(netfeat_source_packet_data(cut, &cut_size), data, size);
        cr_expect_eq(cut_size, size);
        cr_expect_eq(netfeat_source_packet_wire_length(cut), netfeat_source_packet_wire_length(all));
        cr_expect_eq(netfeat_source_packet_link_type(cut), netfeat_source_packet_link_type(all));
        netfeat_source_packet_time(all, &time);
        netfeat_source_packet_time(cut, &cut_time);
        cr_expect_eq(cut_time, time);
    }
    cr_expect_eq(netfeat_source_step(cut), 0);
    netfeat_source_unref(all);
    netfeat_source_unref(cut);
}

Test(packets, of_flows)
{
    netfeat_table *flows = NULL;
    netfeat_column *row_ids = flow_ids(&flows);
    uint64_t all = 0;

    for (int64_t row = 0; row < netfeat_table_rows(flows); row += 7) {
        uint64_t ids[2] = {cell(flows, "flow_id", row),
                           cell(flows, "flow_id", netfeat_table_rows(flows) - 1 - row)};
        uint64_t wanted = cell(flows, "packets", row);
        if (ids[0] != ids[1]) {
            wanted += cell(flows, "packets", netfeat_table_rows(flows) - 1 - row);
        }
        cr_expect_eq(save(row_ids, ids, 2), (int64_t)wanted);
        expect_packets(row_ids, ids, 2);
        all += wanted;
    }
    cr_expect_gt(all, 0);
    cr_expect_eq(save(row_ids, NULL, 0), 0); /* a capture without packets */
    expect_packets(row_ids, NULL, 0);
    netfeat_column_unref(row_ids);
    netfeat_table_unref(flows);
}

Test(packets, errors)
{
    const uint64_t one = 1;
    netfeat_table *flows = NULL;
    netfeat_column *row_ids = flow_ids(&flows);
    int64_t rows = netfeat_column_length(row_ids);
    netfeat_column *few = numbers(rows - 1), *many = numbers(rows + 1), *all = numbers(rows);
    netfeat_column *text = NULL;
    netfeat_source *src = open_sample();

    cr_expect_eq(netfeat_packets_save_file(NULL, src, all, &one, 1, path, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_packets_save_file(ctx, NULL, all, &one, 1, path, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_packets_save_file(ctx, src, NULL, &one, 1, path, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_packets_save_file(ctx, src, all, NULL, 1, path, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_packets_save_file(ctx, src, all, &one, 1, NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_column_to_text(ctx, all, &text), 0);
    cr_expect_eq(netfeat_packets_save_file(ctx, src, text, &one, 1, path, NULL), NETFEAT_ERR_TYPE);
    cr_expect_eq(netfeat_packets_save_file(ctx, src, all, &one, 1, "/no/such/folder", NULL),
                 NETFEAT_ERR_NOTFOUND);
    netfeat_source_unref(src);
    cr_expect_eq(save(all, &one, 1), 1);
    cr_expect_eq(save(few, &one, 1), NETFEAT_ERR_RANGE);
    cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "more packets"));
    cr_expect_eq(save(many, &one, 1), NETFEAT_ERR_RANGE);
    cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "ends after"));
    expect_packets(all, &one, 1); /* what failed left the older file as it was */
    netfeat_column_unref(text);
    netfeat_column_unref(few);
    netfeat_column_unref(many);
    netfeat_column_unref(all);
    netfeat_column_unref(row_ids);
    netfeat_table_unref(flows);
}

Test(packets, what_pcap_cannot_say)
{
    const uint64_t ids[3] = {3, 1, 2};
    const struct {
        int64_t time_ns, code;
    } cases[] = {{INT64_C(4294967295999999999), 1},
                 {INT64_C(4294967296000000000), NETFEAT_ERR_RANGE},
                 {5, 1},
                 {-1, NETFEAT_ERR_RANGE}};
    netfeat_column *col = numbers(1);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        netfeat_source *src = NULL;
        cr_assert_eq(netfeat_source_open_push(ctx, 1, NULL, &src), 0);
        cr_assert_eq(netfeat_source_push(src, cases[i].time_ns, 60, "abc", 3), 1);
        cr_assert_eq(netfeat_source_push_end(src), 0);
        cr_expect_eq(netfeat_packets_save_file(ctx, src, col, ids, 3, path, NULL), cases[i].code);
        netfeat_source_unref(src);
    }
    netfeat_column_unref(col);
}

Test(packets, of_two_link_types)
{
    /* SHB; IDB Ethernet; IDB raw IP; a packet of each */
    static const uint8_t capture[] = {
        0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1,  0, 0, 0, 255, 255, 255, 255,
        255,  255,  255,  255,  28, 0, 0, 0, 1,    0,    0,    0,    20, 0, 0, 0, 1,   0,   0,   0,
        0,    0,    0,    0,    20, 0, 0, 0, 1,    0,    0,    0,    20, 0, 0, 0, 101, 0,   0,   0,
        0,    0,    0,    0,    20, 0, 0, 0, 6,    0,    0,    0,    36, 0, 0, 0, 0,   0,   0,   0,
        0,    0,    0,    0,    7,  0, 0, 0, 4,    0,    0,    0,    4,  0, 0, 0, 1,   2,   3,   4,
        36,   0,    0,    0,    6,  0, 0, 0, 36,   0,    0,    0,    1,  0, 0, 0, 0,   0,   0,   0,
        8,    0,    0,    0,    4,  0, 0, 0, 4,    0,    0,    0,    5,  6, 7, 8, 36,  0,   0,   0};
    const uint64_t ids[2] = {1, 2};
    netfeat_column *col = numbers(2);

    for (size_t n = 1; n <= 2; n++) {
        netfeat_source *src = NULL;
        int64_t code;
        cr_assert_eq(netfeat_source_open_memory(ctx, capture, sizeof capture, NULL, &src), 0, "%s",
                     netfeat_ctx_error_message(ctx));
        code = netfeat_packets_save_file(ctx, src, col, ids + 2 - n, n, path, NULL);
        cr_expect_eq(code, n == 1 ? 1 : NETFEAT_ERR_UNSUPPORTED, "%lld %s", (long long)code,
                     netfeat_ctx_error_message(ctx));
        netfeat_source_unref(src);
    }
    netfeat_column_unref(col);
}
