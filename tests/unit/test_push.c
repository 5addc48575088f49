/* Push sources: packets that the caller hands over, and what happens when nobody takes them. */
#include <criterion/criterion.h>

#include "../support/capture_bytes.h"
#include "../support/torture.h"

static netfeat_ctx *new_ctx(void)
{
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    return ctx;
}

static netfeat_source *open_push(netfeat_ctx *ctx, const netfeat_options *opts)
{
    netfeat_source *src = NULL;

    cr_assert_eq(netfeat_source_open_push(ctx, 1, opts, &src), 0, "%s", netfeat_ctx_error_message(ctx));
    return src;
}

Test(push, packets_come_out_as_they_went_in)
{
    enum { N = 5000 };
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;
    netfeat_source *src;
    bytes data = {0};
    nf_record r[NF_BATCH];
    int put = 0;
    int got = 0;
    int64_t total = 0;

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_FILE_INDEX, 9), 0);
    src = open_push(ctx, opts);
    put_data(&data, 300000 + 100, 1); /* the longest packet, at the last of the places it may begin */
    for (int round = 0; got < N;
         round++) { /* in bursts that do not fit the batches in which they are taken */
        int n;
        for (int k = 0; k < round * 17 % 300 && put < N; k++, put++) {
            uint32_t length = put == 777 ? 300000U : (uint32_t)put % 1500;
            cr_assert_eq(
                netfeat_source_push(src, put * 10 - put % 3 * 15, length + 1, data.p + put % 100, length), 1);
            total += length;
        }
        n = nf_source_next(src, r, 1 + round % NF_BATCH);
        cr_assert_geq(n, 0);
        if (put < N) { /* what is borrowed stays, whatever comes in meanwhile */
            cr_assert_eq(netfeat_source_push(src, put * 10 - put % 3 * 15, 6, data.p + put % 100, 5), 1);
            total += 5;
            put++;
        }
        cr_expect(n > 0 || netfeat_source_ended(src) == 0);
        for (int i = 0; i < n; i++, got++) {
            bool late = got > 0 && got * 10 - got % 3 * 15 < (got - 1) * 10 - (got - 1) % 3 * 15;
            cr_assert_eq(r[i].number, (uint64_t)got + 1);
            cr_assert_eq(r[i].time_ns, got * 10 - got % 3 * 15);
            cr_assert_eq(r[i].wire_length, r[i].captured_length + 1);
            cr_assert_eq(r[i].flags, late ? NF_RECORD_TIME_BACKWARDS : 0);
            cr_assert(r[i].link_type == 1 && r[i].interface_id == 0 && r[i].file_index == 9);
            cr_assert_eq(memcmp(r[i].data, data.p + got % 100, r[i].captured_length), 0);
        }
    }
    cr_expect_eq(nf_source_next(src, r, 1), 0);
    cr_expect_eq(netfeat_source_ended(src), 0);
    cr_expect_eq(nf_source_estimate(src), -1);
    cr_expect_eq(netfeat_source_push_end(src), 0);
    cr_expect_eq(netfeat_source_push_end(src), 0);
    cr_expect_eq(netfeat_source_push(src, 0, 0, NULL, 0), NETFEAT_ERR_STATE);
    cr_expect_eq(nf_source_next(src, r, 1), 0);
    cr_expect_eq(netfeat_source_ended(src), 1);
    cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_RECORDS), N);
    cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_SNAPPED), N);
    cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_BYTES), total);
    cr_expect_gt(netfeat_source_count(src, NETFEAT_COUNT_TIME_BACKWARDS), N / 4);
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    free(data.p);
    netfeat_ctx_unref(ctx);
}

Test(push, the_queue_is_bounded)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;
    uint8_t data[1000] = {1};

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_QUEUE_PACKETS, 5), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_QUEUE_BYTES, 3000), 0);
    for (int drop = 0; drop < 2; drop++) {
        int full = drop ? 0 : NETFEAT_ERR_LIMIT;
        netfeat_source *src;

        cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_QUEUE_DROP, drop), 0);
        src = open_push(ctx, opts);
        for (int k = 0; k < 5; k++) {
            cr_expect_eq(netfeat_source_push(src, k, 1, data, 1), 1);
        }
        cr_expect_eq(netfeat_source_push(src, 9, 1, data, 1), full, "packets");
        for (int k = 0; k < 5; k++) {
            cr_expect_eq(netfeat_source_step(src), 1);
        }
        cr_expect_eq(netfeat_source_push(src, 0, 1000, data, 1000), 1);
        cr_expect_eq(netfeat_source_push(src, 0, 1000, data, 1000), 1);
        cr_expect_eq(netfeat_source_push(src, 0, 1000, data, 1000), full, "bytes");
        cr_expect_eq(netfeat_source_step(src), 1);
        cr_expect_eq(netfeat_source_packet_wire_length(src), 1000);
        cr_expect_eq(netfeat_source_push(src, 0, 1000, data, 1000), 1, "room again");
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_QUEUE_DROPPED), drop ? 2 : 0);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_RECORDS), 6);
        netfeat_source_unref(src);
    }
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

Test(push, a_batch_says_how_many_it_took)
{
    static const int64_t times[] = {1, 2, 3, 4};
    static const uint32_t wire[] = {10, 20, 30, 40};
    static const uint32_t captured[] = {1, 0, 3, 4};
    static const void *const data[] = {"a", NULL, "ccc", "dddd"};
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;
    netfeat_source *src;
    int64_t time = 0;
    uint32_t length = 0;

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_QUEUE_PACKETS, 3), 0);
    src = open_push(ctx, opts);
    cr_expect_eq(netfeat_source_push_batch(src, times, wire, data, captured, 4), 3);
    cr_expect_eq(netfeat_source_push_batch(src, times + 3, wire + 3, data + 3, captured + 3, 1),
                 NETFEAT_ERR_LIMIT);
    cr_expect_eq(netfeat_source_push_batch(src, NULL, NULL, NULL, NULL, 0), 0);
    cr_expect_eq(netfeat_source_push_batch(src, times, NULL, data, captured, 1), NETFEAT_ERR_ARGUMENT);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(netfeat_source_step(src), 1);
        cr_expect_eq(netfeat_source_packet_time(src, &time), 1);
        cr_expect_eq(time, times[i]);
        cr_expect_eq(netfeat_source_packet_wire_length(src), wire[i]);
        cr_expect(data[i] == NULL ||
                  memcmp(netfeat_source_packet_data(src, &length), data[i], captured[i]) == 0);
    }
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

Test(push, filters_tables_and_arguments)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    netfeat_source *file = NULL;
    netfeat_table *tab = NULL;
    bytes b = {0};
    uint8_t frame[60] = {0};

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_SOURCE_FILTER, "arp"), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_PACKET_BYTES, 64), 0);
    src = open_push(ctx, opts);
    for (int i = 0; i < 100; i++) {
        frame[12] = 0x08;
        frame[13] = i % 4 == 0 ? 0x06 : 0x00;
        cr_expect_eq(netfeat_source_push(src, i, 60, frame, 60), 1);
    }
    cr_assert_eq(netfeat_table_new(ctx, NULL, &tab), 0);
    cr_expect_eq(netfeat_table_append_source(tab, src, 3), 3);
    cr_expect_eq(netfeat_table_append_source(tab, src, -1), 22);
    cr_expect_eq(netfeat_table_append_source(tab, src, -1), 0);
    cr_expect_eq(netfeat_source_push(src, 100, 60, frame, 65), NETFEAT_ERR_RANGE);
    frame[13] = 0x06;
    cr_expect_eq(netfeat_source_push(src, 100, 60, frame, 60), 1);
    cr_expect_eq(netfeat_table_append_source(tab, src, -1), 1);
    cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_FILTERED), 75);
    cr_expect_eq(netfeat_table_rows(tab), 26);
    netfeat_table_unref(tab);
    cr_expect_eq(netfeat_source_push(src, 0, 1, NULL, 1), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_push(NULL, 0, 0, NULL, 0), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_push_batch(NULL, NULL, NULL, NULL, NULL, 0), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_push_end(NULL), NETFEAT_ERR_ARGUMENT);
    netfeat_source_unref(src);

    put_pcap(&b, 0xa1b2c3d4, 2, 4, 1);
    cr_assert_eq(netfeat_source_open_memory(ctx, b.p, b.n, NULL, &file), 0);
    cr_expect_eq(netfeat_source_push(file, 0, 0, NULL, 0), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_source_push_end(file), NETFEAT_ERR_STATE);
    netfeat_source_unref(file);
    src = NULL;
    cr_expect_eq(netfeat_source_open_push(NULL, 1, NULL, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_push(ctx, 1, NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_push(ctx, -1, NULL, &src), NETFEAT_ERR_RANGE);
    cr_expect_eq(netfeat_source_open_push(ctx, 65536, NULL, &src), NETFEAT_ERR_RANGE);
    cr_expect_eq(netfeat_source_open_push(ctx, 60000, opts, &src), NETFEAT_ERR_UNSUPPORTED);
    cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "link type 60000"));
    cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_SOURCE_FILTER, "no filter"), 0);
    cr_expect_eq(netfeat_source_open_push(ctx, 1, opts, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_null(src);
    netfeat_options_unref(opts);
    free(b.p);
    netfeat_ctx_unref(ctx);
}

static int push_case(torture *t, void *user)
{
    netfeat_ctx *ctx = NULL;
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;
    const bytes *data = user;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        return code;
    }
    TRY(t, netfeat_source_open_push(ctx, 1, NULL, &src));
    TRY(t, netfeat_table_new(ctx, NULL, &tab));
    for (uint32_t i = 0; i < 300; i++) {
        TRY(t, netfeat_source_push(src, i, 1500, data->p, i == 20 ? 200000 : 1000 + i));
        if (i % 100 == 99) {
            TRY(t, netfeat_table_append_source(tab, src, -1));
        }
    }
    TRY(t, netfeat_table_seal(tab));
    torture_saw_table(t, tab);
out:
    netfeat_table_unref(tab);
    netfeat_source_unref(src);
    netfeat_ctx_unref(ctx);
    return code;
}

Test(push, every_allocation_may_fail)
{
    uint64_t points = 0;
    bytes data = {0};
    const char *wrong;

    put_data(&data, 200000, 3);
    wrong = torture_run(push_case, &data, &points);
    cr_expect_null(wrong, "%s", wrong);
    cr_expect_gt(points, 50);
    free(data.p);
}
