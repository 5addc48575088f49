/* Flows: keys, directions, counters and every column of the profile "flows", computed by hand. */
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
TestSuite(flow, .init = set_up, .fini = tear_down);

/* A conversation with a bit of everything: B opens, sends 10 + 20 bytes, A answers 100 and 50 (one segment
   twice, one late), both close. */
static const pkt talk[] = {
    {.t = 1000 * MS,
     .from = 'B',
     .to = 'A',
     .sport = 1000,
     .dport = 80,
     .protocol = TCP,
     .flags = SYN,
     .seq = 99,
     .window = 1000},
    {.t = 1010 * MS,
     .from = 'A',
     .to = 'B',
     .sport = 80,
     .dport = 1000,
     .protocol = TCP,
     .flags = SYN | ACK,
     .seq = 499,
     .ack = 100,
     .window = 2000,
     .ttl = 60},
    {.t = 1030 * MS,
     .from = 'B',
     .to = 'A',
     .sport = 1000,
     .dport = 80,
     .protocol = TCP,
     .flags = ACK,
     .seq = 100,
     .ack = 500,
     .window = 1000},
    {.t = 1040 * MS,
     .from = 'B',
     .to = 'A',
     .sport = 1000,
     .dport = 80,
     .protocol = TCP,
     .flags = ACK | PSH,
     .seq = 100,
     .ack = 500,
     .payload = 10,
     .window = 1000,
     .byte = 'a'},
    {.t = 1050 * MS,
     .from = 'A',
     .to = 'B',
     .sport = 80,
     .dport = 1000,
     .protocol = TCP,
     .flags = ACK,
     .seq = 600,
     .ack = 110,
     .payload = 50,
     .window = 2000,
     .byte = 'b',
     .ttl = 61},
    {.t = 1060 * MS,
     .from = 'A',
     .to = 'B',
     .sport = 80,
     .dport = 1000,
     .protocol = TCP,
     .flags = ACK,
     .seq = 500,
     .ack = 110,
     .payload = 100,
     .window = 0,
     .byte = 'b',
     .ttl = 60},
    {.t = 1070 * MS,
     .from = 'A',
     .to = 'B',
     .sport = 80,
     .dport = 1000,
     .protocol = TCP,
     .flags = ACK,
     .seq = 600,
     .ack = 110,
     .payload = 50,
     .window = 2000,
     .byte = 'b',
     .ttl = 60},
    {.t = 9070 * MS,
     .from = 'B',
     .to = 'A',
     .sport = 1000,
     .dport = 80,
     .protocol = TCP,
     .flags = ACK | FIN,
     .seq = 110,
     .ack = 650,
     .payload = 20,
     .window = 1000,
     .byte = 'a'},
    {.t = 9080 * MS,
     .from = 'A',
     .to = 'B',
     .sport = 80,
     .dport = 1000,
     .protocol = TCP,
     .flags = ACK | FIN,
     .seq = 650,
     .ack = 131,
     .window = 2000,
     .ttl = 60},
    {.t = 9090 * MS,
     .from = 'B',
     .to = 'A',
     .sport = 1000,
     .dport = 80,
     .protocol = TCP,
     .flags = ACK,
     .seq = 131,
     .ack = 651,
     .window = 1000},
};

Test(flow, every_column)
{
    netfeat_table *tab = FLOWS(ctx, "flow.columns=* flow.first_packets=3", talk);

    cr_assert_eq(netfeat_table_rows(tab), 1);
    expect_row(
        tab, 0,
        "flow_id=1\nparent_id=-\nend_reason=4\ndirection_evidence=3\nsrc_ip=10.0.0.2\ndst_ip=10.0.0.1\n"
        "src_port=1000\ndst_port=80\nip_protocol=6\nicmp_type=-\nicmp_code=-\nvlan_id=-\ntunnel_type=-\n"
        "tunnel_id=-\ninterface_id=-\nfirst_time=1970-01-01T00:00:01.000000000Z\n"
        "last_time=1970-01-01T00:00:09.090000000Z\nduration=8090000000\nfirst_packet=1\nlast_packet=10\n"
        "first_file=0\nlast_file=0\nfwd_duration=8090000000\nbwd_duration=8070000000\n"
        "fwd_first_time=1970-01-01T00:00:01.000000000Z\nbwd_first_time=1970-01-01T00:00:01.010000000Z\n"
        "fwd_last_time=1970-01-01T00:00:09.090000000Z\nbwd_last_time=1970-01-01T00:00:09.080000000Z");
    /* frames are 54 bytes and the payload: fwd 5 packets, 30 bytes; bwd 5 packets, 200 bytes */
    expect_row(
        tab, 0,
        "packets=10\nfwd_packets=5\nbwd_packets=5\nbytes=770\nfwd_bytes=300\nbwd_bytes=470\n"
        "ip_bytes=630\nfwd_ip_bytes=230\nbwd_ip_bytes=400\nl4_bytes=430\nfwd_l4_bytes=130\nbwd_l4_bytes=300\n"
        "payload_bytes=230\nfwd_payload_bytes=30\nbwd_payload_bytes=200\nfragments=0\n"
        "packets_per_second=1.2360939431396787\nfwd_packets_per_second=0.6180469715698393\n"
        "bwd_packets_per_second=0.6180469715698393\nbytes_per_second=95.17923362175526\n"
        "fwd_bytes_per_second=37.08281829419036\nbwd_bytes_per_second=58.0964153275649\nbwd_fwd_ratio=1");
    /* lengths 54 54 54 64 104 154 104 74 54 54: mean 77, sum of squares of differences 10150 */
    expect_row(tab, 0,
               "length_min=54\nlength_max=154\nlength_mean=77\nlength_std=33.68151487751767\n"
               "fwd_length_min=54\nfwd_length_max=74\nfwd_length_mean=60\nfwd_length_std=8.94427190999916\n"
               "bwd_length_min=54\nbwd_length_max=154\nbwd_length_mean=94\nbwd_length_std=41.83300132670378");
    /* gaps in ms: all 10 20 10 10 10 10 8000 10 10; fwd 30 10 8030 20; bwd 40 10 10 8010 */
    expect_row(
        tab, 0,
        "iat_min=10000000\niat_max=8000000000\niat_mean=898888888.8888888\niat_std=2662918720.335097\n"
        "fwd_iat_min=10000000\nfwd_iat_max=8030000000\nfwd_iat_mean=2022500000\nfwd_iat_std=4005008322."
        "9210234\n"
        "bwd_iat_min=10000000\nbwd_iat_max=8010000000\nbwd_iat_mean=2017500000\nbwd_iat_std=3995025031."
        "2106934");
    expect_row(tab, 0,
               "fin_packets=2\nfwd_fin_packets=1\nbwd_fin_packets=1\nsyn_packets=2\nfwd_syn_packets=1\nbwd_"
               "syn_packets=1\n"
               "rst_packets=0\npsh_packets=1\nfwd_psh_packets=1\nbwd_psh_packets=0\nack_packets=9\nfwd_ack_"
               "packets=4\n"
               "bwd_ack_packets=5\nurg_packets=0\nece_packets=0\ncwr_packets=0\nae_packets=0\n"
               "fwd_ttl_min=64\nfwd_ttl_max=64\nbwd_ttl_min=60\nbwd_ttl_max=61\nfwd_header_bytes=100\n"
               "bwd_header_bytes=100\nfwd_data_packets=2\nbwd_data_packets=3");
    expect_row(
        tab, 0,
        "fwd_retransmitted_packets=0\nbwd_retransmitted_packets=1\nfwd_retransmitted_bytes=0\n"
        "bwd_retransmitted_bytes=50\nfwd_out_of_order_packets=0\nbwd_out_of_order_packets=1\nfwd_gap_bytes="
        "0\n"
        "bwd_gap_bytes=0\nfwd_zero_window_packets=0\nbwd_zero_window_packets=1\nfwd_initial_window=1000\n"
        "bwd_initial_window=2000\nrtt=30000000\nrtt_server=10000000\nrtt_client=20000000\n"
        "fwd_tcp_state=CLOSED\nbwd_tcp_state=CLOSED\nhistory=ShADdtwFf\nconn_state=SF");
    cr_expect_str_eq(cell(tab, "history", 0), "ShADdtwFf");
    netfeat_table_unref(tab);
}

Test(flow, periods_bulks_and_content)
{
    netfeat_table *tab = FLOWS(ctx, "flow.columns=* flow.first_packets=3", talk);

    /* one gap over 5 s: active 70 ms and 20 ms, idle 8000 ms; also the only gap over 1 s */
    expect_row(
        tab, 0,
        "active_min=20000000\nactive_max=70000000\nactive_mean=45000000\nactive_std=35355339.05932738\n"
        "idle_min=8000000000\nidle_max=8000000000\nidle_mean=8000000000\nidle_std=-\nsubflows=2\n"
        "subflow_packets=5\nfwd_subflow_packets=2.5\nbwd_subflow_packets=2.5\nsubflow_bytes=385\n"
        "fwd_subflow_bytes=150\nbwd_subflow_bytes=235\nfwd_bulks=0\nbwd_bulks=0\nbwd_bulk_packets=0\n"
        "bwd_bulk_bytes=0\nbwd_bulk_duration=0\nfwd_payload_entropy=0\nbwd_payload_entropy=0\n"
        "payload_entropy=0.5586293734521992\nfirst_directions=[0, 1, 0]\nfirst_lengths=[54, 54, 54]\n"
        "first_iats=[0, 10000000, 20000000]");
    cr_expect_not_null(strstr(cell(tab, "payload_byte_counts", 0), " 30, 200, "));
    netfeat_table_unref(tab);

    /* five packets of 100 bytes 100 ms apart: a bulk of 5; then an answer breaks it; then a gap breaks it */
    pkt bulk[14];
    for (int i = 0; i < 14; i++) {
        bulk[i] = (pkt){.t = (i < 10 ? 100 : 300) * i * MS,
                        .from = 'A',
                        .to = 'B',
                        .sport = 1,
                        .dport = 2,
                        .protocol = UDP,
                        .payload = 100};
    }
    bulk[5].from = 'B', bulk[5].to = 'A', bulk[5].sport = 2, bulk[5].dport = 1;
    tab = FLOWS(ctx, "flow.columns=fwd_bulks,fwd_bulk_packets,fwd_bulk_bytes,fwd_bulk_duration,bwd_bulks",
                bulk);
    /* runs: 0-4 (400 ms); 6-9 (300 ms); at 10 a gap of 2.1 s; 10-13 (900 ms) */
    expect_row(
        tab, 0,
        "fwd_bulks=3\nfwd_bulk_packets=13\nfwd_bulk_bytes=1300\nfwd_bulk_duration=1600000000\nbwd_bulks=0");
    netfeat_table_unref(tab);
}

Test(flow, direction_by_evidence)
{
    const pkt first = {.t = SEC,
                       .from = 'A',
                       .to = 'B',
                       .sport = 5,
                       .dport = 6,
                       .protocol = TCP,
                       .flags = ACK,
                       .seq = 11,
                       .ack = 21};
    const pkt syn = {
        .t = SEC, .from = 'B', .to = 'A', .sport = 6, .dport = 5, .protocol = TCP, .flags = SYN, .seq = 20};
    const pkt syn_ack = {.t = SEC,
                         .from = 'A',
                         .to = 'B',
                         .sport = 5,
                         .dport = 6,
                         .protocol = TCP,
                         .flags = SYN | ACK,
                         .seq = 10,
                         .ack = 21};
    const pkt wrong = {
        .t = SEC, .from = 'A', .to = 'B', .sport = 5, .dport = 6, .protocol = TCP, .flags = SYN, .seq = 10};
    const pkt udp = {.t = SEC, .from = 'B', .to = 'A', .sport = 6, .dport = 5, .protocol = UDP};
    const struct {
        pkt p[3];
        size_t n;
        const char *want;
    } cases[] = {
        {{first}, 1, "src_ip=10.0.0.1\ndirection_evidence=1"},
        {{syn}, 1, "src_ip=10.0.0.2\ndirection_evidence=3"},
        {{syn_ack}, 1, "src_ip=10.0.0.2\ndirection_evidence=2"},
        {{syn_ack, syn},
         2,
         "src_ip=10.0.0.2\ndirection_evidence=3\nfwd_packets=1\nbwd_packets=1\nsrc_port=6"},
        {{first, syn}, 2, "src_ip=10.0.0.2\ndirection_evidence=3\nfwd_packets=1\nbwd_packets=1"},
        {{first, syn_ack}, 2, "src_ip=10.0.0.2\ndirection_evidence=2\nfwd_packets=0\nbwd_packets=2"},
        {{syn, wrong}, 2, "src_ip=10.0.0.2\ndirection_evidence=3"}, /* the first of two SYN counts */
        {{udp, first}, 1, "src_ip=10.0.0.2\ndirection_evidence=1"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        netfeat_table *tab = flows_of(ctx, "", cases[i].p, cases[i].n);
        cr_assert_eq(netfeat_table_rows(tab), 1, "case %zu", i);
        expect_row(tab, 0, cases[i].want);
        netfeat_table_unref(tab);
    }
}

Test(flow, icmp_pairs)
{
    const pkt p[] = {
        {.t = 1, .from = 'A', .to = 'B', .protocol = ICMP, .icmp_type = 8, .icmp_id = 7, .payload = 56},
        {.t = 2, .from = 'B', .to = 'A', .protocol = ICMP, .icmp_type = 0, .icmp_id = 7, .payload = 56},
        {.t = 3, .from = 'A', .to = 'B', .protocol = ICMP, .icmp_type = 8, .icmp_id = 9, .payload = 56},
        {.t = 4, .from = 'B', .to = 'A', .protocol = ICMP, .icmp_type = 3, .icmp_code = 1},
        {.t = 5, .from = 'A', .to = 'B', .protocol = ICMP, .icmp_type = 3, .icmp_code = 3},
        {.t = 6, .from = 'B', .to = 'A', .protocol = ICMP, .icmp_type = 3, .icmp_code = 3},
        {.t = 7, .from = 'a', .to = 'b', .protocol = ICMP6, .icmp_type = 135},
        {.t = 8, .from = 'b', .to = 'a', .protocol = ICMP6, .icmp_type = 136},
        {.t = 9, .from = 'A', .to = 'B', .protocol = GRE},
        {.t = 10, .from = 'B', .to = 'A', .protocol = GRE},
        {.t = 11},
    };
    netfeat_flows *fl = flows_make(ctx, "");
    netfeat_table *in = pkt_table(ctx, p, 0, 11, NULL);
    netfeat_column *ids = NULL;
    netfeat_table *tab;
    const int want[11] = {1, 1, 3, 4, 5, 6, 7, 7, 9, 9, 0};

    cr_assert_eq(netfeat_flows_feed(fl, in, &ids), 0);
    for (int i = 0; i < 11; i++) {
        uint64_t id = 0;
        cr_expect_eq(netfeat_column_get_u64(ids, i, &id), want[i] != 0);
        cr_expect_eq(id, (uint64_t)want[i], "packet %d", i + 1);
    }
    cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_PACKETS), 11);
    cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_ACCOUNTED), 10);
    cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_LEFT_OUT), 1);
    cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_OPEN), 7);
    tab = flows_finish(ctx, fl);
    cr_assert_eq(netfeat_table_rows(tab), 7);
    expect_row(tab, 0,
               "flow_id=1\nfwd_packets=1\nbwd_packets=1\nicmp_type=8\nicmp_code=0\nsrc_port=-\ndst_port=-");
    expect_row(tab, 1, "flow_id=3\npackets=1");
    expect_row(tab, 2, "flow_id=4\nicmp_type=3\nicmp_code=1\nsrc_ip=10.0.0.2\nbwd_packets=0");
    expect_row(tab, 3, "flow_id=5\nicmp_type=3\nicmp_code=3\nsrc_ip=10.0.0.1\npackets=1");
    expect_row(tab, 4, "flow_id=6\nsrc_ip=10.0.0.2\npackets=1");
    expect_row(tab, 5, "flow_id=7\nicmp_type=135\npackets=2\nsrc_ip=2001:db8::1");
    expect_row(tab, 6, "flow_id=9\nip_protocol=47\npackets=2\nicmp_type=-\nsrc_port=-");
    netfeat_table_unref(tab);
    netfeat_table_unref(in);
    netfeat_column_unref(ids);
}

Test(flow, key_options)
{
    const pkt base = {.t = 1,
                      .from = 'A',
                      .to = 'B',
                      .sport = 1,
                      .dport = 2,
                      .protocol = UDP,
                      .vlan = 5,
                      .tunnel = 1,
                      .tunnel_id = 77};
    pkt p[6];
    const struct {
        const char *options;
        int flows;
    } cases[] = {{"", 1},
                 {"flow.key_vlan=1", 3},
                 {"flow.key_tunnel=1", 3},
                 {"flow.key_link=1", 2},
                 {"flow.key_vlan=1 flow.key_tunnel=1 flow.key_link=1", 6}};

    for (int i = 0; i < 6; i++) {
        p[i] = base;
        p[i].t = i;
    }
    p[1].vlan = 6, p[2].vlan = 0, p[3].tunnel_id = 78, p[4].tunnel_id = 0, p[5].interface = 1;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char options[200];
        netfeat_table *tab;
        snprintf(options, sizeof options, "flow.columns=* %s", cases[i].options);
        tab = FLOWS(ctx, options, p);
        cr_expect_eq(netfeat_table_rows(tab), cases[i].flows, "%s: %lld", options,
                     (long long)netfeat_table_rows(tab));
        if (cases[i].flows == 6) {
            expect_row(tab, 0, "vlan_id=5\ntunnel_type=1\ntunnel_id=77\ninterface_id=0");
            expect_row(tab, 2, "vlan_id=-");
            expect_row(tab, 4, "tunnel_id=-\ntunnel_type=1");
            expect_row(tab, 5, "interface_id=1");
        }
        netfeat_table_unref(tab);
    }
}

Test(flow, fragments_find_their_flow)
{
    const pkt p[] = {
        {.t = 1,
         .from = 'A',
         .to = 'B',
         .sport = 1,
         .dport = 2,
         .protocol = UDP,
         .payload = 1400,
         .ip_id = 9,
         .more = 1},
        {.t = 2, .from = 'B', .to = 'A', .sport = 2, .dport = 1, .protocol = UDP, .payload = 10, .ip_id = 9},
        {.t = 3,
         .from = 'A',
         .to = 'B',
         .protocol = UDP,
         .payload = 500,
         .ip_id = 9,
         .offset = 1408,
         .more = 1},
        {.t = 4, .from = 'A', .to = 'B', .protocol = UDP, .payload = 500, .ip_id = 9, .offset = 1908},
        {.t = 5, .from = 'A', .to = 'B', .protocol = UDP, .payload = 500, .ip_id = 10, .offset = 1908},
        {.t = 6, .from = 'B', .to = 'A', .protocol = UDP, .payload = 500, .ip_id = 9, .offset = 1908},
    };
    const struct {
        const char *options;
        const char *want;
        int rows, assigned, alone;
    } cases[] = {{"", "packets=4\nfragments=2\nfwd_bytes=2510", 2, 2, 2},
                 {"flow.max_fragments=1", "packets=4\nfragments=2", 2, 2, 2},
                 {"flow.max_fragments=0", "packets=2", 2, 0, 0}};

    for (size_t i = 0; i < 3; i++) {
        char options[200];
        netfeat_flows *fl;
        netfeat_table *tab;
        snprintf(options, sizeof options, "flow.columns=packets,fragments,fwd_bytes,src_port,bytes %s",
                 cases[i].options);
        fl = flows_make(ctx, options);
        flows_eat(ctx, fl, p, 0, 6, NULL);
        cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_FRAGMENTS_ASSIGNED), cases[i].assigned);
        cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_FRAGMENTS_ALONE), cases[i].alone);
        tab = flows_finish(ctx, fl);
        cr_expect_eq(netfeat_table_rows(tab), cases[i].rows);
        expect_row(tab, 0, cases[i].want);
        expect_row(tab, 1, "src_port=-");
        netfeat_table_unref(tab);
    }
}

/* Many first fragments: the table stays at its bound, and the oldest are forgotten. */
Test(flow, fragments_are_bounded)
{
    enum { N = 300, BOUND = 100 };
    pkt *p = calloc(2 * N, sizeof *p);
    netfeat_flows *fl = flows_make(ctx, "flow.max_fragments=100");

    for (int i = 0; i < N; i++) {
        p[i] = (pkt){.t = i,
                     .from = 'A',
                     .to = 'B',
                     .sport = 1,
                     .dport = 2,
                     .protocol = UDP,
                     .ip_id = i + 1,
                     .more = 1};
        p[N + i] = (pkt){.t = N + i, .from = 'A', .to = 'B', .protocol = UDP, .ip_id = i + 1, .offset = 8};
    }
    flows_eat(ctx, fl, p, 0, 2 * N, NULL);
    cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_FRAGMENTS_ASSIGNED), BOUND);
    cr_expect_eq(netfeat_flows_count(fl, NETFEAT_FLOWS_FRAGMENTS_ALONE), N - BOUND);
    netfeat_flows_unref(fl);
    free(p);
}

Test(flow, sequence_oddities)
{
    /* three holes and more: 10 bytes at 100, then every second ten bytes, 6 holes; the first two are given up */
    pkt p[9];
    netfeat_table *tab;

    for (int i = 0; i < 7; i++) {
        p[i] = (pkt){.t = i,
                     .from = 'A',
                     .to = 'B',
                     .sport = 1,
                     .dport = 2,
                     .protocol = TCP,
                     .flags = ACK,
                     .seq = (uint32_t)(100 + 20 * i),
                     .payload = 10,
                     .window = 1};
    }
    p[7] = (pkt){.t = 8,
                 .from = 'A',
                 .to = 'B',
                 .sport = 1,
                 .dport = 2,
                 .protocol = TCP,
                 .flags = ACK,
                 .seq = 205,
                 .payload = 10,
                 .window = 1};
    p[8] = (pkt){.t = 9,
                 .from = 'B',
                 .to = 'A',
                 .sport = 2,
                 .dport = 1,
                 .protocol = TCP,
                 .flags = ACK,
                 .seq = 5,
                 .ack = 240,
                 .window = 1};
    tab = FLOWS(ctx, "flow.columns=*", p);
    /* holes of 10 at 110, 130, .. 210; 205-214 fills 5 of the last; 230 was seen last, 240 is acknowledged */
    expect_row(
        tab, 0,
        "fwd_gap_bytes=65\nfwd_out_of_order_packets=1\nfwd_retransmitted_packets=1\nfwd_retransmitted_bytes="
        "5\n"
        "bwd_gap_bytes=0\nrtt=-\nrtt_server=-\nfwd_tcp_state=PARTIAL\nbwd_tcp_state=PARTIAL\nconn_state=OTH");
    netfeat_table_unref(tab);

    /* numbers wrap round */
    const pkt wrap[] = {
        {.t = 1,
         .from = 'A',
         .to = 'B',
         .sport = 1,
         .dport = 2,
         .protocol = TCP,
         .flags = ACK,
         .seq = 0xfffffff0,
         .payload = 32,
         .window = 1},
        {.t = 2,
         .from = 'A',
         .to = 'B',
         .sport = 1,
         .dport = 2,
         .protocol = TCP,
         .flags = ACK,
         .seq = 16,
         .payload = 32,
         .window = 1},
        {.t = 3,
         .from = 'A',
         .to = 'B',
         .sport = 1,
         .dport = 2,
         .protocol = TCP,
         .flags = ACK,
         .seq = 0xfffffff8,
         .payload = 8,
         .window = 1},
        {.t = 4,
         .from = 'A',
         .to = 'B',
         .sport = 1,
         .dport = 2,
         .protocol = TCP,
         .flags = RST,
         .seq = 77777,
         .payload = 8,
         .window = 0},
    };
    tab = FLOWS(ctx, "flow.columns=*", wrap);
    expect_row(tab, 0,
               "fwd_gap_bytes=0\nfwd_retransmitted_bytes=8\nfwd_zero_window_packets=0\nbwd_gap_bytes=0\nbwd_"
               "initial_window=-\n"
               "history=DTR\nfwd_tcp_state=RESET");
    netfeat_table_unref(tab);
}

Test(flow, times)
{
    const pkt p[] = {
        {.t = 5, .from = 'A', .to = 'B', .sport = 1, .dport = 2, .protocol = UDP, .no_time = 1},
        {.t = 100, .from = 'A', .to = 'B', .sport = 1, .dport = 2, .protocol = UDP},
        {.t = 70, .from = 'A', .to = 'B', .sport = 1, .dport = 2, .protocol = UDP},
        {.t = 90, .from = 'A', .to = 'B', .sport = 1, .dport = 2, .protocol = UDP},
        {.t = 5, .from = 'C', .to = 'B', .sport = 1, .dport = 2, .protocol = UDP, .no_time = 1},
        {.t = INT64_MIN, .from = 'D', .to = 'B', .sport = 1, .dport = 2, .protocol = UDP},
        {.t = INT64_MAX, .from = 'D', .to = 'B', .sport = 1, .dport = 2, .protocol = UDP},
        {.t = INT64_MIN, .from = 'D', .to = 'B', .sport = 1, .dport = 2, .protocol = UDP},
    };
    netfeat_table *tab = FLOWS(ctx, "flow.columns=* flow.idle_ns=0 flow.active_ns=0", p);

    cr_assert_eq(netfeat_table_rows(tab), 3);
    expect_row(tab, 0,
               "packets=4\nduration=30\niat_min=-30\niat_max=20\niat_mean=-5\nfirst_iats=[0, 0, -30, "
               "20]\nactive_max=30\n"
               "fwd_duration=30\nbwd_duration=-\nbwd_iat_min=-\nbwd_ttl_min=-");
    expect_row(tab, 1, "packets=1\nduration=-\nfirst_time=-\niat_min=-\nactive_min=-\nbytes_per_second=-");
    expect_row(tab, 2,
               "duration=9223372036854775807\niat_min=-9223372036854775808\niat_max=9223372036854775807");
    netfeat_table_unref(tab);
}

Test(flow, one_way)
{
    netfeat_table *tab = FLOWS(ctx, "flow.columns=* flow.bidirectional=0", talk);

    cr_assert_eq(netfeat_table_rows(tab), 2);
    expect_row(
        tab, 0,
        "flow_id=1\nsrc_ip=10.0.0.2\nsrc_port=1000\npackets=5\nbytes=300\nend_reason=1\nlength_mean=60\n"
        "iat_mean=2022500000\nfwd_ttl_min=64\nfwd_retransmitted_bytes=0\nfirst_directions=[0, 0, 0, 0, 0]");
    expect_row(tab, 1,
               "flow_id=2\nsrc_ip=10.0.0.1\ndst_port=1000\npackets=5\nbytes=470\nfwd_retransmitted_bytes="
               "50\nfwd_gap_bytes=0");
    cr_expect_eq(netfeat_table_find(tab, "bwd_packets"), NETFEAT_ERR_NOTFOUND);
    netfeat_table_unref(tab);
}
