/* Flows: choosing columns, mistakes of the caller, the catalogue. */
#include "flow_check.h"

static netfeat_ctx *ctx;

static void set_up(void)
{
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
}

static void tear_down(void)
{
    netfeat_ctx_unref(ctx);
}
TestSuite(flow_calls, .init = set_up, .fini = tear_down);

static const pkt talk[10] = {
    {.t = 0, .from = 'B', .to = 'A', .sport = 1000, .dport = 80, .protocol = TCP, .flags = SYN, .seq = 99},
    {.t = 1,
     .from = 'A',
     .to = 'B',
     .sport = 80,
     .dport = 1000,
     .protocol = TCP,
     .flags = SYN | ACK,
     .ack = 100},
    {.t = 2,
     .from = 'B',
     .to = 'A',
     .sport = 1000,
     .dport = 80,
     .protocol = TCP,
     .flags = ACK,
     .seq = 100,
     .payload = 30},
    {.t = 3,
     .from = 'A',
     .to = 'B',
     .sport = 80,
     .dport = 1000,
     .protocol = TCP,
     .flags = ACK,
     .seq = 1,
     .payload = 100},
    {.t = 4,
     .from = 'A',
     .to = 'B',
     .sport = 80,
     .dport = 1000,
     .protocol = TCP,
     .flags = ACK,
     .seq = 101,
     .payload = 100},
    {.t = 5, .from = 'B', .to = 'A', .sport = 1000, .dport = 80, .protocol = TCP, .flags = ACK, .seq = 130},
    {.t = 6, .from = 'B', .to = 'A', .sport = 1000, .dport = 80, .protocol = TCP, .flags = ACK, .seq = 130},
    {.t = 7, .from = 'B', .to = 'A', .sport = 1000, .dport = 80, .protocol = TCP, .flags = ACK, .seq = 130},
    {.t = 8, .from = 'B', .to = 'A', .sport = 1000, .dport = 80, .protocol = TCP, .flags = ACK, .seq = 130},
    {.t = 9, .from = 'B', .to = 'A', .sport = 1000, .dport = 80, .protocol = TCP, .flags = ACK, .seq = 130},
};

Test(flow_calls, chosen_columns_and_mistakes)
{
    const struct {
        const char *options;
        int code;
        const char *message;
    } cases[] = {
        {"flow.profile=netflow", NETFEAT_ERR_NOTFOUND, "no profile of flows is called \"netflow\""},
        {"flow.columns=packets,nothing", NETFEAT_ERR_NOTFOUND, "profile flows has no column \"nothing\""},
        {"flow.columns=packets,", NETFEAT_ERR_NOTFOUND, "profile flows has no column \"\""},
        {"flow.columns=packets,packets", NETFEAT_ERR_ARGUMENT, "column packets is asked for twice"},
        {"flow.columns=rtt flow.bidirectional=0", NETFEAT_ERR_ARGUMENT,
         "column rtt needs flows of both directions"},
        {"flow.order=size", NETFEAT_ERR_ARGUMENT, "flow.order is \"size\", not first or key"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        netfeat_options *opts = flow_options(ctx, cases[i].options);
        netfeat_flows *fl = NULL;
        cr_expect_eq(netfeat_flows_new(ctx, opts, &fl), cases[i].code);
        cr_expect_str_eq(netfeat_ctx_error_message(ctx), cases[i].message);
        cr_expect_null(fl);
        netfeat_options_unref(opts);
    }
    netfeat_table *tab = FLOWS(ctx, "flow.columns=bytes,packets", talk);
    cr_expect_eq(netfeat_table_width(tab), 2);
    cr_expect_str_eq(netfeat_table_name(tab, 0), "bytes");
    cr_expect_str_eq(netfeat_column_definition(netfeat_table_column(tab, 0)), "flow.bytes@1");
    cr_expect_str_eq(netfeat_column_unit(netfeat_table_column(tab, 0)), "bytes");
    netfeat_table_unref(tab);
    tab = FLOWS(ctx, "flow.columns=bytes,length_max flow.length_column=payload_length", talk);
    expect_row(tab, 0, "bytes=230\nlength_max=100");
    netfeat_table_unref(tab);
}

/* A length may be an integer of any width; what is below 0, or above 2^63 - 1, is refused with its row. */
Test(flow_calls, lengths_of_every_integer_type)
{
    static const int types[] = {NETFEAT_TYPE_U8, NETFEAT_TYPE_U16, NETFEAT_TYPE_U32, NETFEAT_TYPE_U64,
                                NETFEAT_TYPE_I64};
    netfeat_options *opts = flow_options(ctx, "flow.columns=bytes flow.length_column=size");

    for (size_t i = 0; i < sizeof types / sizeof types[0] + 1; i++) {
        bool bad = i == sizeof types / sizeof types[0];
        netfeat_table *packets = NULL, *size = NULL, *both = NULL, *out = NULL;
        netfeat_column *col = NULL;
        netfeat_flows *fl = NULL;
        nf_builder b;

        nf_builder_init(&b, ctx, bad ? NETFEAT_TYPE_I64 : types[i]);
        for (int row = 0; row < 2; row++) {
            int value = bad && row == 1 ? -1 : 100 + row;
            cr_assert_eq(b.type == NETFEAT_TYPE_I64 ? nf_builder_add_i64(&b, value)
                                                    : nf_builder_add_u64(&b, (uint64_t)value),
                         0);
        }
        cr_assert_eq(nf_builder_finish(&b, "", "", "", &col), 0);
        cr_assert_eq(netfeat_table_from_columns(ctx, (const char *const[]){"size"}, &col, 1, &size), 0);
        packets = pkt_table(ctx, talk + 3, 0, 2, NULL);
        cr_assert_eq(netfeat_table_join(ctx, packets, size, &both), 0);
        cr_assert_eq(netfeat_flows_new(ctx, opts, &fl), 0);
        if (bad) {
            cr_expect_eq(netfeat_flows_feed(fl, both, NULL), NETFEAT_ERR_RANGE);
            cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "row 1 has a length that is negative"));
        } else {
            cr_assert_eq(netfeat_flows_feed(fl, both, NULL), 0, "%s", netfeat_ctx_error_message(ctx));
            cr_assert_eq(netfeat_flows_end(fl), 0);
            cr_assert_eq(netfeat_flows_take_all(fl, &out), 0);
            expect_row(out, 0, "bytes=201");
        }
        netfeat_table_unref(out);
        netfeat_flows_unref(fl);
        netfeat_table_unref(both);
        netfeat_table_unref(size);
        netfeat_table_unref(packets);
        netfeat_column_unref(col);
    }
    netfeat_options_unref(opts);
}

static netfeat_table *without(netfeat_table *tab, const char *name)
{
    int keep[PKT_WIDTH];
    size_t n = 0;
    netfeat_table *out = NULL;

    for (int i = 0; i < PKT_WIDTH; i++) {
        if (strcmp(netfeat_table_name(tab, i), name) != 0) {
            keep[n++] = i;
        }
    }
    cr_assert_eq(netfeat_table_select(ctx, tab, keep, n, &out), 0);
    return out;
}

Test(flow_calls, feed_checks_its_columns)
{
    netfeat_table *all = pkt_table(ctx, talk, 0, 10, NULL);
    netfeat_table *none = pkt_table(ctx, talk, 0, 0, NULL);
    netfeat_table *tab = NULL;
    const struct {
        const char *options, *missing, *message;
    } cases[] = {
        {"", "src_ip", "flows need the packet column src_ip"},
        {"", "tcp_seq", "flows need the packet column tcp_seq"},
        {"", "frame_length", "no packet column frame_length (flow.length_column)"},
        {"flow.columns=payload_entropy", "payload", "flows need the packet column payload"},
        {"flow.key_vlan=1", "vlan_id", "flows need the packet column vlan_id"},
        {"flow.end_on_fin_rst=0 flow.max_fragments=0", "icmp_type", "flows need the packet column icmp_type"},
        {"flow.length_column=payload", "",
         "packet column payload (flow.length_column) is of type bytes, no integer"},
        {"flow.profile=nfstream", "quality", "flows need the packet column quality"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        netfeat_flows *fl = flows_make(ctx, cases[i].options);
        tab = without(all, cases[i].missing);
        int code = netfeat_flows_feed(fl, tab, NULL);
        cr_expect(code == NETFEAT_ERR_NOTFOUND || code == NETFEAT_ERR_TYPE);
        cr_expect_str_eq(netfeat_ctx_error_message(ctx), cases[i].message);
        netfeat_table_unref(tab);
        netfeat_flows_unref(fl);
    }
    /* the columns that are named are enough; the first of them cannot be left out */
    for (size_t i = 0; i < 4; i++) {
        static const char *const options[4] = {"", "flow.profile=notebook", "flow.profile=cic",
                                               "flow.columns=*"};
        netfeat_flows *some = flows_make(ctx, options[i]);
        int indexes[PKT_WIDTH], n = 0;
        for (const char *name; (name = netfeat_flows_input_name(some, n)) != NULL; n++) {
            indexes[n] = netfeat_table_find(all, name);
            cr_assert_geq(indexes[n], 0, "%s", name);
        }
        cr_assert_gt(n, 6);
        cr_assert_eq(netfeat_table_select(ctx, all, indexes, (size_t)n, &tab), 0);
        cr_expect_eq(netfeat_flows_feed(some, tab, NULL), 0, "%s", netfeat_ctx_error_message(ctx));
        netfeat_table_unref(tab);
        netfeat_flows_unref(some);
    }
    cr_expect_null(netfeat_flows_input_name(NULL, 0));
    /* what no chosen column needs may be missing; numbers of rows stand in for numbers of packets */
    netfeat_flows *fl = flows_make(ctx, "flow.end_on_fin_rst=0 flow.max_fragments=0");
    tab = without(all, "packet_number");
    cr_expect_eq(netfeat_flows_feed(fl, tab, NULL), 0);
    netfeat_table_unref(tab);
    tab = without(all, "tcp_flags");
    cr_expect_eq(netfeat_flows_feed(fl, none, NULL), 0);
    cr_expect_eq(netfeat_flows_feed(fl, tab, NULL), NETFEAT_ERR_RANGE); /* 1 comes after 10 */
    cr_expect_str_eq(netfeat_ctx_error_message(ctx),
                     "packet 1 comes after packet 10: number several inputs by source.file_index");
    netfeat_table_unref(tab);
    tab = flows_finish(ctx, fl);
    expect_row(tab, 0, "flow_id=1\nlast_packet=10\ndirection_evidence=1");
    netfeat_table_unref(tab);
    netfeat_table_unref(all);
    netfeat_table_unref(none);
}

Test(flow_calls, calls_check_their_arguments)
{
    netfeat_flows *fl = flows_make(ctx, "");
    netfeat_table *tab = NULL, *growing = NULL;

    cr_expect_eq(netfeat_flows_new(NULL, NULL, &fl), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_flows_new(ctx, NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_flows_feed(NULL, NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_flows_feed(fl, NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_flows_expire(NULL, 0), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_flows_end(NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_flows_take(NULL, &tab), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_flows_take(fl, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_flows_take_all(fl, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_flows_count(NULL, 1), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_flows_count(fl, 0), NETFEAT_ERR_NOTFOUND);
    cr_expect_eq(netfeat_flows_count(fl, 99), NETFEAT_ERR_NOTFOUND);
    cr_expect_eq(netfeat_flows_to_table(NULL, &tab), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_flows_to_table(fl, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_flows_from_table(ctx, NULL, NULL, &fl), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_flows_merge(fl, fl), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_flows_merge(NULL, fl), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_flows_one_way(NULL, NULL, NULL, &tab), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_flows_one_way(ctx, NULL, NULL, &tab), NETFEAT_ERR_ARGUMENT);
    cr_assert_eq(netfeat_table_new(ctx, NULL, &growing), 0);
    cr_expect_eq(netfeat_flows_feed(fl, growing, NULL), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_flows_one_way(ctx, growing, NULL, &tab), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_flows_take(fl, &tab), 0);
    cr_expect_null(tab);
    cr_expect_eq(netfeat_flows_end(fl), 0);
    cr_expect_eq(netfeat_flows_end(fl), 0);
    cr_assert_eq(netfeat_table_seal(growing), 0);
    cr_expect_eq(netfeat_flows_feed(fl, growing, NULL), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_flows_take_all(fl, &tab), 0);
    cr_expect_eq(netfeat_table_rows(tab), 0);
    netfeat_table_unref(tab);
    netfeat_table_unref(growing);
    cr_expect_eq(netfeat_flows_ref(fl), fl);
    cr_expect_null(netfeat_flows_unref(fl));
    cr_expect_null(netfeat_flows_unref(fl));
    cr_expect_null(netfeat_flows_unref(NULL));
    cr_expect_null(netfeat_flows_ref(NULL));
}

Test(flow_calls, catalogue)
{
    int profiles = 0;

    for (const char *name; (name = netfeat_flow_profile_name(profiles)) != NULL; profiles++) {
        int columns = 0;
        for (const char *col; (col = netfeat_flow_column_name(name, columns)) != NULL; columns++) {
            for (int k = 0; k < columns; k++) {
                cr_expect_str_neq(col, netfeat_flow_column_name(name, k));
            }
            cr_expect_not_null(netfeat_type_name(netfeat_flow_column_type(name, columns)));
            cr_expect_not_null(netfeat_flow_column_unit(name, columns));
            cr_expect_gt(strlen(netfeat_flow_column_null_rule(name, columns)), 3);
            cr_expect_gt(strlen(netfeat_flow_column_help(name, columns)), 3, "%s", col);
        }
        cr_expect_geq(columns, 8);
        cr_expect_null(netfeat_flow_column_name(name, -1));
        cr_expect_eq(netfeat_flow_column_type(name, columns), NETFEAT_ERR_NOTFOUND);
        cr_expect_null(netfeat_flow_column_help(name, columns));
    }
    cr_expect_eq(profiles, 6);
    cr_expect_str_eq(netfeat_flow_profile_name(0), "flows");
    cr_expect_eq(netfeat_flow_column_type("flows", 0), NETFEAT_TYPE_U64);
    cr_expect_null(netfeat_flow_column_name("nothing", 0));
    cr_expect_null(netfeat_flow_column_name(NULL, 0));
    for (int i = 1; i <= 7; i++) {
        cr_expect_not_null(netfeat_flow_end_name(i));
    }
    cr_expect_str_eq(netfeat_flow_end_name(NETFEAT_FLOW_END_REUSE), "reuse");
    cr_expect_null(netfeat_flow_end_name(0));
    cr_expect_null(netfeat_flow_end_name(8));
    cr_expect_str_eq(netfeat_flow_evidence_name(NETFEAT_FLOW_BY_SYN), "syn");
    cr_expect_null(netfeat_flow_evidence_name(-1));
    cr_expect_str_eq(netfeat_flows_count_name(NETFEAT_FLOWS_EVICTED), "evicted");
    cr_expect_null(netfeat_flows_count_name(NETFEAT_FLOWS_EVICTED + 1));
}
