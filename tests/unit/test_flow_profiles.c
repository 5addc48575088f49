/* The peers' profiles: their units and quirks, computed by hand from their definitions; the notebook's streams. */
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
TestSuite(flow_profiles, .init = set_up, .fini = tear_down);

#define B(us, f, s, a, n)                                                                                    \
    {                                                                                                        \
        .t = (us)*INT64_C(1000), .from = 'B', .to = 'A', .sport = 1000, .dport = 80, .protocol = TCP,        \
        .flags = f, .seq = s, .ack = a, .payload = n, .window = 500                                          \
    }
#define A(us, f, s, a, n)                                                                                    \
    {                                                                                                        \
        .t = (us)*INT64_C(1000), .from = 'A', .to = 'B', .sport = 80, .dport = 1000, .protocol = TCP,        \
        .flags = f, .seq = s, .ack = a, .payload = n, .window = 600                                          \
    }

Test(flow_profiles, nfstream)
{
    /* ms are cut: 1.9 -> 1, 10.1 -> 10; 5 ms, late, counts as 10 */
    pkt p[] = {B(1900, SYN, 0, 0, 0), A(10100, SYN | ACK, 0, 1, 0), B(5000, ACK | PSH, 1, 1, 10),
               A(30999, ACK, 1, 11, 100)};
    netfeat_table *tab = FLOWS(ctx, "flow.profile=nfstream flow.columns=* flow.first_packets=5", p);

    cr_assert_eq(netfeat_table_rows(tab), 1);
    expect_row(
        tab, 0,
        "id=1\nexpiration_id=0\nsrc_ip=10.0.0.2\nsrc_mac=02:42:00:00:00:42\nsrc_oui=02:42:00\nsrc_port=1000\n"
        "dst_ip=10.0.0.1\ndst_mac=02:41:00:00:00:41\ndst_port=80\nprotocol=6\nip_version=4\nvlan_id="
        "0\ntunnel_id=0\n"
        "bidirectional_first_seen_ms=1\nbidirectional_last_seen_ms=30\nbidirectional_duration_ms=29\n"
        "bidirectional_packets=4\nbidirectional_bytes=326\nsrc2dst_first_seen_ms=1\nsrc2dst_last_seen_ms=10\n"
        "src2dst_duration_ms=9\nsrc2dst_packets=2\nsrc2dst_bytes=118\ndst2src_first_seen_ms=10\ndst2src_last_"
        "seen_ms=30\n"
        "dst2src_duration_ms=20\ndst2src_packets=2\ndst2src_bytes=208");
    /* sizes 54 54 64 154; gaps 9 0 20; src2dst 9; dst2src 20 */
    expect_row(
        tab, 0,
        "bidirectional_min_ps=54\nbidirectional_mean_ps=81.5\nbidirectional_stddev_ps=48.562674281111555\n"
        "bidirectional_max_ps=154\nsrc2dst_stddev_ps=7.0710678118654755\nbidirectional_min_piat_ms=0\n"
        "bidirectional_mean_piat_ms=9.666666666666666\nbidirectional_stddev_piat_ms=10.016652800877813\n"
        "bidirectional_max_piat_ms=20\nsrc2dst_mean_piat_ms=9\nsrc2dst_stddev_piat_ms=0\ndst2src_max_piat_ms="
        "20\n"
        "bidirectional_syn_packets=2\nbidirectional_ack_packets=3\nsrc2dst_psh_packets=1\ndst2src_psh_"
        "packets=0\n"
        "bidirectional_cwr_packets=0\nsplt_direction=[0, 1, 0, 1, -1]\nsplt_ps=[54, 54, 64, 154, -1]\n"
        "splt_piat_ms=[0, 9, 0, 20, -1]");
    netfeat_table_unref(tab);

    /* all ICMP of two hosts is one flow, fragments and strange lengths are left out, ports are 0, lengths wrap,
       nothing sent back is 0; the direction of a flow that goes on is a new one */
    const pkt q[] = {
        {.t = SEC, .from = 'A', .to = 'B', .protocol = ICMP, .icmp_type = 8, .payload = 70000, .vlan = 3},
        {.t = SEC, .from = 'A', .to = 'B', .protocol = ICMP, .icmp_type = 3, .vlan = 3},
        {.t = SEC, .from = 'A', .to = 'B', .protocol = UDP, .sport = 1, .dport = 2, .offset = 8},
        {.t = SEC,
         .from = 'A',
         .to = 'B',
         .protocol = UDP,
         .sport = 1,
         .dport = 2,
         .quality = NETFEAT_QUALITY_IP_LENGTH_ZERO},
        {.t = SEC, .from = 'a', .to = 'b', .protocol = UDP, .sport = 1, .dport = 2, .payload = 100},
        {.t = 121 * SEC - 1, .from = 'A', .to = 'B', .protocol = ICMP, .icmp_type = 8, .vlan = 3},
        {.t = 240 * SEC, .from = 'B', .to = 'A', .protocol = ICMP, .icmp_type = 0, .vlan = 3}};
    tab = FLOWS(ctx, "flow.profile=nfstream flow.length_column=ip_length flow.active_ns=239000000000", q);
    cr_assert_eq(netfeat_table_rows(tab), 3);
    expect_row(tab, 0,
               "src_port=0\nbidirectional_packets=3\nbidirectional_bytes=4548\nvlan_id=3\ndst2src_packets=0\n"
               "dst2src_first_seen_ms=0\ndst2src_mean_ps=0\ndst2src_min_piat_ms=0\nexpiration_id=1");
    expect_row(tab, 1, "ip_version=6\nsrc2dst_bytes=108\nsrc_port=1"); /* IPv6 without its 40 bytes */
    expect_row(tab, 2, "src_ip=10.0.0.2\nexpiration_id=0");
    netfeat_table_unref(tab);

    /* one flow for each tunnel that it knows, one for everything else */
    pkt t[5];
    for (int i = 0; i < 5; i++) {
        t[i] = (pkt){.t = i, .from = 'A', .to = 'B', .sport = 1, .dport = 2, .protocol = UDP, .tunnel_id = i};
        t[i].tunnel = (int[]){0, NETFEAT_TUNNEL_GTP_U, NETFEAT_TUNNEL_GRE, NETFEAT_TUNNEL_CAPWAP,
                              NETFEAT_TUNNEL_GTP_U}[i];
    }
    tab = FLOWS(ctx, "flow.profile=nfstream", t);
    cr_assert_eq(netfeat_table_rows(tab), 3);
    expect_row(tab, 0, "tunnel_id=0\nbidirectional_packets=2");
    expect_row(tab, 1, "tunnel_id=1\nbidirectional_packets=2");
    expect_row(tab, 2, "tunnel_id=2\nbidirectional_packets=1");
    netfeat_table_unref(tab);
}

/* The talk of the corrected and of the old CICFlowMeter, in microseconds. */
static const pkt talk[] = {B(0, SYN, 0, 0, 0),
                           A(100, SYN | ACK, 0, 1, 0),
                           B(200, ACK | PSH, 1, 1, 30),
                           A(400, ACK | NETFEAT_TCP_URG, 1, 31, 70),
                           A(7000400, ACK | FIN, 71, 31, 0),
                           B(7000500, ACK | FIN, 31, 72, 0),
                           A(7000600, ACK, 72, 32, 0)};

Test(flow_profiles, cic_corrected)
{
    netfeat_table *tab = FLOWS(ctx, "flow.profile=cic", talk);

    cr_assert_eq(netfeat_table_rows(tab), 1);
    expect_row(
        tab, 0,
        "Flow ID=10.0.0.2-10.0.0.1-1000-80-6\nSrc IP=10.0.0.2\nSrc Port=1000\nDst Port=80\nProtocol=6\n"
        "Timestamp=1970-01-01T00:00:00.000000000Z\nFlow Duration=7000600\nTotal Fwd Packet=3\nTotal Bwd "
        "packets=4\n"
        "Total Length of Fwd Packet=30\nTotal Length of Bwd Packet=70\nFwd Packet Length Max=30\nFwd Packet "
        "Length Min=0\n"
        "Fwd Packet Length Mean=10\nFwd Packet Length Std=17.320508075688775\nBwd Packet Length Mean=17.5\n"
        "Bwd Packet Length Std=35\nFlow Bytes/s=14.284489900865639\nFlow Packets/s=0.9999142930605948\n"
        "Flow IAT Max=7000000\nFlow IAT Min=100\nFwd IAT Total=7000500\nFwd IAT Max=7000300\nFwd IAT "
        "Min=200\n"
        "Bwd IAT Total=7000500\nBwd IAT Min=200\nFwd PSH Flags=1\nBwd PSH Flags=0\nFwd URG Flags=0\nBwd URG "
        "Flags=1\n"
        "Fwd RST Flags=0\nFwd Header Length=60\nBwd Header Length=80\nPacket Length Min=0\nPacket Length "
        "Max=70\n"
        "Packet Length Mean=14.285714285714286\nPacket Length Std=26.99206232527312\n"
        "Packet Length Variance=728.5714285714286\nFIN Flag Count=2\nSYN Flag Count=2\nACK Flag Count=6\n"
        "Down/Up Ratio=1.3333333333333333\nAverage Packet Size=14.285714285714286\nFwd Segment Size Avg=10");
    /* gaps over 1 s: one; over 5 s: one, behind 400 us of activity; the last period is not counted */
    expect_row(
        tab, 0,
        "Subflow Fwd Packets=3\nSubflow Fwd Bytes=30\nSubflow Bwd Packets=4\nSubflow Bwd Bytes=70\nFWD Init "
        "Win Bytes=500\n"
        "Bwd Init Win Bytes=600\nFwd Act Data Pkts=1\nBwd Act Data Pkts=1\nFwd Seg Size Min=20\nBwd Seg Size "
        "Min=20\n"
        "Active Mean=400\nActive Std=0\nActive Max=400\nActive Min=400\nIdle Mean=7000000\nIdle "
        "Max=7000000\nICMP Code=-1\n"
        "ICMP Type=-1\nTotal TCP Retrans. Count=0\nTotal Connection Flow Time=7000600\nFwd Bytes/Bulk Avg=0");
    netfeat_table_unref(tab);
}

Test(flow_profiles, cic_corrected_rules)
{
    /* a SYN behind the end begins a flow, anything else does not; 120 s cut, strictly, and keep the direction;
       one packet is a flow, its rates are -1; a SYN-ACK first turns it round; repeats are counted */
    const pkt end[] = {B(0, ACK, 5, 5, 0), A(100, RST, 5, 0, 0), B(200, ACK, 5, 5, 0),
                       B(300, SYN | ACK, 9, 9, 0)};
    const pkt cut[] = {B(0, ACK, 5, 5, 0), A(120000000, ACK, 5, 5, 0), A(120000001, ACK, 6, 5, 0),
                       A(120000002, ACK, 6, 5, 0)};
    const pkt udp[] = {{.t = 0, .from = 'B', .to = 'A', .sport = 9, .dport = 8, .protocol = UDP},
                       {.t = 119 * SEC, .from = 'A', .to = 'B', .sport = 8, .dport = 9, .protocol = UDP},
                       {.t = 121 * SEC, .from = 'A', .to = 'B', .sport = 8, .dport = 9, .protocol = UDP},
                       {.t = 300 * SEC, .from = 'A', .to = 'B', .sport = 8, .dport = 9, .protocol = UDP}};
    const pkt icmp[] = {{.t = 0, .from = 'B', .to = 'A', .protocol = ICMP, .icmp_type = 3, .icmp_code = 1}};
    const pkt turned[] = {A(0, SYN | ACK, 5, 5, 0), B(10, ACK, 5, 6, 0)};
    netfeat_table *tab = FLOWS(ctx, "flow.profile=cic", end);

    cr_assert_eq(netfeat_table_rows(tab), 2);
    expect_row(tab, 0, "Total Fwd Packet=2\nTotal Bwd packets=1\nRST Flag Count=1\nBwd RST Flags=1");
    expect_row(tab, 1,
               "Src IP=10.0.0.1\nFlow Bytes/s=-1\nFlow Packets/s=-1\nFwd Packets/s=-1\nFlow IAT Mean=0\nBwd "
               "IAT Std=0");
    netfeat_table_unref(tab);
    tab = FLOWS(ctx, "flow.profile=cic", cut);
    cr_assert_eq(netfeat_table_rows(tab), 2);
    expect_row(tab, 0, "Flow Duration=120000000\nTotal Connection Flow Time=120000000");
    expect_row(tab, 1,
               "Src IP=10.0.0.2\nTotal Fwd Packet=0\nTotal Bwd packets=2\nFlow Duration=1\nTotal Connection "
               "Flow Time=120000002\n"
               "Bwd TCP Retrans. Count=1\nDown/Up Ratio=0");
    netfeat_table_unref(tab);
    tab = FLOWS(ctx, "flow.profile=cic", udp);
    cr_assert_eq(netfeat_table_rows(tab), 3);
    expect_row(tab, 1, "Src IP=10.0.0.2\nTotal Bwd packets=1");
    expect_row(tab, 2, "Src IP=10.0.0.1\nTotal Fwd Packet=1");
    netfeat_table_unref(tab);
    tab = FLOWS(ctx, "flow.profile=cic", icmp);
    expect_row(tab, 0, "ICMP Type=3\nICMP Code=1\nSrc Port=0\nProtocol=1");
    netfeat_table_unref(tab);
    tab = FLOWS(ctx, "flow.profile=cic", turned);
    expect_row(tab, 0, "Src IP=10.0.0.2\nTotal Fwd Packet=1\nTotal Bwd packets=1");
    netfeat_table_unref(tab);
}

Test(flow_profiles, cic_2018)
{
    netfeat_table *tab = FLOWS(ctx, "flow.profile=cic2018", talk);

    /* the first FIN ends the flow; what follows is another one, with roles turned; the first packet is a
       backward one: fwd 30; bwd 0 0 70 0; all lengths with the first again: 0 0 0 30 70 0 */
    cr_assert_eq(netfeat_table_rows(tab), 1); /* B's FIN alone is a flow of one packet, and so is A's ACK */
    expect_row(tab, 0,
               "Flow ID=10.0.0.2-10.0.0.1-1000-80-6\nFlow Duration=7000400\nTotal Fwd Packet=1\nTotal Bwd "
               "packets=4\n"
               "Total Length of Fwd Packet=30\nFwd Packet Length Min=30\nBwd Packet Length Mean=17.5\n"
               "Packet Length Mean=16.666666666666668\nPacket Length Variance=826.6666666666666\nAverage "
               "Packet Size=20\n"
               "Down/Up Ratio=4\nFwd PSH Flags=0\nBwd PSH Flags=0\nSYN Flag Count=1\nFIN Flag Count=0\nACK "
               "Flag Count=0\n"
               "Fwd Bytes/Bulk Avg=0\nSubflow Fwd Packets=0\nFWD Init Win Bytes=-1\nBwd Init Win Bytes=600\n"
               "Fwd Act Data Pkts=1\nActive Mean=-\nIdle Max=-");
    netfeat_table_unref(tab);

    const pkt p[] = {{.t = 0, .from = 'B', .to = 'A', .protocol = GRE, .payload = 9},
                     {.t = 0, .from = 'A', .to = 'B', .protocol = ICMP, .icmp_type = 8},
                     {.t = 5, .from = 'C', .to = 'C', .sport = 4, .dport = 5, .protocol = UDP, .payload = 8},
                     {.t = 5, .from = 'C', .to = 'C', .sport = 5, .dport = 4, .protocol = UDP, .payload = 8}};
    tab = FLOWS(ctx, "flow.profile=cic2018", p);
    cr_assert_eq(netfeat_table_rows(tab), 2);
    expect_row(tab, 0,
               "Protocol=0\nFlow Bytes/s=nan\nFlow Packets/s=inf\nFwd Packets/s=0\nDown/Up Ratio=0\nTotal "
               "Bwd packets=2");
    expect_row(tab, 1, "Total Fwd Packet=1\nTotal Bwd packets=1\nFlow Bytes/s=inf");
    netfeat_table_unref(tab);
}

/* conn_state and history of handshakes and their failures. */
Test(flow_profiles, zeek)
{
    const struct {
        pkt p[8];
        size_t n;
        const char *want;
    } cases[] = {
        {{B(0, SYN, 0, 0, 0)},
         1,
         "conn_state=S0\nhistory=S\nduration=-\norig_bytes=-\nresp_bytes=-\norig_pkts=1\norig_ip_bytes="
         "40\nproto=tcp\nid.orig_p=1000\nid.resp_p=80"},
        {{B(0, SYN, 0, 0, 0), A(500000, RST | ACK, 0, 1, 0)},
         2,
         "conn_state=REJ\nhistory=Sr\nduration=0.5\norig_bytes=0\nresp_bytes=0"},
        {{B(0, SYN, 0, 0, 0), B(9, RST, 1, 0, 0)}, 2, "conn_state=RSTOS0\nhistory=SR"},
        {{B(0, SYN, 0, 0, 0), A(9, SYN | ACK, 0, 1, 0), B(18, ACK, 1, 1, 0), B(20, ACK, 1, 1, 50),
          A(30, ACK, 1, 51, 60)},
         5,
         "conn_state=S1\nhistory=ShADd\norig_bytes=50\nresp_bytes=60\nmissed_bytes=0"},
        {{B(0, SYN, 0, 0, 0), A(9, SYN | ACK, 0, 1, 0), B(18, ACK, 1, 1, 0), B(20, ACK | FIN, 1, 1, 50),
          A(30, ACK | FIN, 1, 52, 60), B(40, ACK, 52, 62, 0)},
         6,
         "conn_state=SF\nhistory=ShAFf\norig_bytes=50\nresp_bytes=60\nmissed_bytes=0"},
        {{B(0, SYN, 0, 0, 0), B(20, FIN, 1, 1, 0)}, 2, "conn_state=SH\nhistory=SF"},
        {{B(0, SYN, 0, 0, 0), A(9, SYN | ACK, 0, 1, 0), B(18, RST, 1, 1, 0)},
         3,
         "conn_state=RSTO\nhistory=ShR"},
        {{B(0, SYN, 0, 0, 0), A(9, SYN | ACK, 0, 1, 0), B(18, ACK, 1, 1, 0), A(20, RST, 1, 1, 0)},
         4,
         "conn_state=RSTR\nhistory=ShAr"},
        {{B(0, SYN, 0, 0, 0), A(9, SYN | ACK, 0, 1, 0), B(18, ACK | FIN, 1, 1, 0)},
         3,
         "conn_state=S2\nhistory=ShF"},
        {{B(0, SYN, 0, 0, 0), A(9, SYN | ACK, 0, 1, 0), A(18, ACK | FIN, 1, 1, 0)},
         3,
         "conn_state=S3\nhistory=Shf"},
        {{A(0, SYN | ACK, 0, 1, 0), A(18, ACK | FIN, 1, 1, 0)},
         2,
         "conn_state=SHR\nhistory=^hf\nid.orig_p=1000"},
        {{A(0, SYN | ACK, 0, 1, 0), A(18, RST, 1, 1, 0)}, 2, "conn_state=RSTRH\nhistory=^hr"},
        {{B(0, ACK, 5, 5, 10), A(9, ACK, 5, 15, 10)},
         2,
         "conn_state=OTH\nhistory=Dd\norig_bytes=10\nresp_bytes=10"},
        /* 100 bytes acknowledged that nobody saw */
        {{B(0, SYN, 0, 0, 0), A(9, SYN | ACK, 0, 1, 0), B(18, ACK, 1, 1, 0), A(20, ACK, 1, 101, 5),
          A(21, ACK, 1, 101, 5)},
         5,
         "conn_state=S1\nhistory=ShAGdt\norig_bytes=100\nmissed_bytes=100"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        netfeat_table *tab = flows_of(ctx, "flow.profile=zeek", cases[i].p, cases[i].n);
        cr_assert_eq(netfeat_table_rows(tab), 1, "case %zu", i);
        expect_row(tab, 0, cases[i].want);
        netfeat_table_unref(tab);
    }
    const pkt p[] = {
        {.t = 0, .from = 'B', .to = 'A', .sport = 9, .dport = 53, .protocol = UDP, .payload = 30},
        {.t = SEC, .from = 'A', .to = 'B', .sport = 53, .dport = 9, .protocol = UDP, .payload = 90},
        {.t = 2, .from = 'B', .to = 'A', .protocol = ICMP, .icmp_type = 8, .payload = 56},
        {.t = 3, .from = 'A', .to = 'B', .protocol = ICMP, .icmp_type = 0, .payload = 56},
        {.t = 61 * SEC, .from = 'A', .to = 'B', .sport = 53, .dport = 9, .protocol = UDP, .payload = 90}};
    netfeat_table *tab = FLOWS(ctx, "flow.profile=zeek", p);
    cr_assert_eq(netfeat_table_rows(tab), 3);
    expect_row(
        tab, 0,
        "proto=udp\nconn_state=SF\nhistory=Dd\norig_bytes=30\nresp_bytes=90\norig_ip_bytes=58\nduration=1");
    expect_row(tab, 1,
               "proto=icmp\nconn_state=OTH\nhistory=-\nid.orig_p=8\nid.resp_p=0\norig_bytes=56\nresp_pkts=1");
    expect_row(tab, 2, "id.orig_h=10.0.0.1\nconn_state=S0");
    netfeat_table_unref(tab);
}

/* ---- streams ---- */

static const char *stream_text(const netfeat_table *tab)
{
    static char text[2000];

    text[0] = '\0';
    for (int64_t row = 0; row < netfeat_table_rows(tab); row++) {
        sprintf(text + strlen(text), "%s>%s %s>%s %s: %s %s %s\n", cell(tab, "Source IP", row),
                cell(tab, "Destination IP", row), cell(tab, "Source Port", row),
                cell(tab, "Destination Port", row), cell(tab, "Protocol", row),
                cell(tab, "Number of Packets", row), cell(tab, "Total Length", row),
                cell(tab, "Duration", row));
    }
    return text;
}

Test(flow_profiles, notebook_streams)
{
    const pkt p[] = {
        {.t = 5 * SEC, .from = 'J', .to = 'B', .sport = 1, .dport = 2, .protocol = TCP},
        {.t = 1 * SEC, .from = 'B', .to = 'J', .sport = 2, .dport = 1, .protocol = UDP, .payload = 10},
        {.t = 2 * SEC, .from = 'B', .to = 'J', .sport = 2, .dport = 1, .protocol = UDP, .payload = 10},
        {.t = 3 * SEC, .from = 'B', .to = 'J', .protocol = ICMP},
        {.t = 500 * MS, .from = 'B', .to = 'J', .sport = 2, .dport = 1, .protocol = UDP, .payload = 10},
        {.t = 9 * SEC, .from = 'B', .to = 'J', .sport = 10, .dport = 1, .protocol = UDP},
        {.t = 9999 * SEC, .from = 'J', .to = 'B', .sport = 1, .dport = 2, .protocol = TCP},
        {.t = 9 * SEC, .from = 'b', .to = 'a', .sport = 10, .dport = 1, .protocol = UDP},
        {.t = 9 * SEC, .from = 'B', .to = 'A', .sport = 10, .dport = 1, .protocol = UDP, .no_time = 1},
        {.t = 9 * SEC},
        {.t = 9 * SEC + INT64_C(1381533734993204891),
         .from = 'b',
         .to = 'a',
         .sport = 10,
         .dport = 1,
         .protocol = UDP},
    };
    /* addresses as text: 10.0.0.10 (J) before 10.0.0.2 (B) */
    const char *want = "10.0.0.10>10.0.0.2 1>2 6: 2 108 9994\n"
                       "10.0.0.2>10.0.0.1 10>1 17: 1 42 -\n"
                       "10.0.0.2>10.0.0.10 2>1 17: 3 156 1.5\n"
                       "10.0.0.2>10.0.0.10 10>1 17: 1 42 0\n"
                       /* ns that a double does not hold are divided before they are rounded: not ...205 */
                       "2001:db8::2>2001:db8::1 10>1 17: 2 124 1381533734.9932048\n";
    netfeat_table *tab = FLOWS(ctx, "flow.profile=notebook", p);
    netfeat_table *in = pkt_table(ctx, p, 0, 11, NULL);
    netfeat_options *opts = flow_options(ctx, "flow.length_column=payload_length flow.order=first");

    cr_expect_str_eq(stream_text(tab), want, "%s", stream_text(tab));
    netfeat_table_unref(tab);
    cr_assert_eq(netfeat_flows_one_way(ctx, in, NULL, &tab), 0);
    cr_expect_str_eq(stream_text(tab), want, "%s", stream_text(tab));
    netfeat_table_unref(tab);
    cr_assert_eq(netfeat_flows_one_way(ctx, in, opts, &tab), 0);
    expect_row(tab, 0, "Total Length=0\nNumber of Packets=2");
    expect_row(tab, 1, "Total Length=30\nNumber of Packets=3");
    netfeat_table_unref(tab);
    netfeat_table_unref(in);
    in = pkt_table(ctx, p, 0, 0, NULL);
    cr_assert_eq(netfeat_flows_one_way(ctx, in, NULL, &tab), 0);
    cr_expect_eq(netfeat_table_rows(tab), 0);
    cr_expect_eq(netfeat_table_width(tab), 8);
    netfeat_table_unref(tab);
    netfeat_table_unref(in);
    netfeat_options_unref(opts);
}

static uint64_t state = 1;
static int dice(int n)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (int)((state >> 33) % (uint64_t)n);
}

/* Both ways to make streams agree, in both orders, with many addresses of both kinds. */
Test(flow_profiles, streams_two_ways)
{
    enum { N = 20000 };
    pkt *p = calloc(N, sizeof *p);
    netfeat_table *in, *a, *b = NULL;

    for (int i = 0; i < N; i++) {
        p[i] = (pkt){.t = dice(1000) * MS,
                     .from = (char)('A' + dice(20)),
                     .to = (char)('A' + dice(20)),
                     .sport = dice(40),
                     .dport = dice(12),
                     .protocol = dice(2) ? TCP : UDP,
                     .payload = dice(300)};
        p[i].no_time = dice(9) == 0;
        if (dice(3) == 0) {
            p[i].from = (char)('a' + dice(20)), p[i].to = (char)('a' + dice(20));
        }
    }
    for (int order = 0; order < 2; order++) {
        const char *text =
            order == 0 ? "flow.profile=notebook flow.order=key" : "flow.profile=notebook flow.order=first";
        for (size_t n = 1; n <= N; n = n == 1 ? 700 : n == 700 ? N : N + 1) {
            netfeat_options *opts = flow_options(ctx, text);
            in = pkt_table(ctx, p, 0, n, NULL);
            a = flows_of(ctx, text, p, n);
            cr_assert_eq(netfeat_flows_one_way(ctx, in, opts, &b), 0);
            cr_expect(n < N || netfeat_table_rows(a) > 10000);
            expect_same(a, b, text);
            netfeat_table_unref(b);
            for (int threads = 2; threads <= 5 && n == N; threads++) {
                cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_FLOW_THREADS, threads), 0);
                cr_assert_eq(netfeat_flows_one_way(ctx, in, opts, &b), 0);
                expect_same(a, b, "threads");
                netfeat_table_unref(b);
            }
            netfeat_table_unref(a);
            netfeat_table_unref(in);
            netfeat_options_unref(opts);
        }
    }
    free(p);
}
