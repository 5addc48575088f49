/* Every column of every profile, computed by hand from the definitions, out of one conversation in which no two
   numbers of the same kind are alike: a direction or a flag taken for another one shows. */
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
TestSuite(flow_columns, .init = set_up, .fini = tear_down);

#define URG NETFEAT_TCP_URG
#define ECE NETFEAT_TCP_ECE
#define CWR NETFEAT_TCP_CWR
#define AE  NETFEAT_TCP_AE
/* A packet of the source and one of the destination. */
#define F(ms, f, s, a, n, w, o)                                                                              \
    {                                                                                                        \
        .t = (ms)*MS, .from = 'B', .to = 'A', .sport = 1000, .dport = 80, .protocol = TCP, .flags = f,       \
        .seq = s, .ack = a, .payload = n, .window = w, .options = o, .byte = 3, .vlan = 7,                   \
        .tunnel = NETFEAT_TUNNEL_GTP_U                                                                       \
    }
#define R(ms, f, s, a, n, w, o)                                                                              \
    {                                                                                                        \
        .t = (ms)*MS, .from = 'A', .to = 'B', .sport = 80, .dport = 1000, .protocol = TCP, .flags = f,       \
        .seq = s, .ack = a, .payload = n, .window = w, .options = o, .byte = 250, .vlan = 7,                 \
        .tunnel = NETFEAT_TUNNEL_GTP_U                                                                       \
    }
#define TALK 23

/* Time in ms, flags, numbers, payload, window, options. Packets with the flags, of 14 forward and 9 backward:
   FIN 1 4, SYN 2 1, RST 3 7, PSH 7 5, ACK 12 9, URG 6 3, ECE 4 2, CWR 5 6, AE 9 8.
   Payloads forward 10 20 30 40 60, 5 6 7 8 9 25, 0 0 0; backward 100 200 300 400 500, 3, 50 50 2.
   Headers forward 40 and 13 of 32, backward 5 of 24 and 4 of 28. Frames: 34, header and payload.
   Gaps in ms forward 100 200 300 80 7120 100 100 100 300 400 10700 100 100; backward 100 200 300 500 7200 10000
   900 100; both 100 200 300 80 20 100 200 300 500 6000 100 100 100 300 400 200 10000 500 100 100 200 100.
   Sums are exact; a quotient and its root are rounded one after the other. */
static const pkt talk[TALK] = {
    F(1000, SYN | PSH | CWR | AE, 1000, 0, 10, 0, 20),
    F(1100, SYN | PSH | CWR | AE, 1010, 0, 20, 502, 12),
    F(1300, PSH | ACK | CWR | AE, 1030, 5000, 30, 503, 12),
    F(1600, PSH | ACK | CWR | AE, 1060, 5000, 40, 504, 12),
    F(1680, PSH | ACK | CWR | AE, 1100, 5000, 60, 505, 12),
    R(1700, SYN | PSH | ACK | AE, 5000, 1160, 100, 701, 4),
    R(1800, PSH | ACK | ECE | AE, 5100, 1160, 200, 702, 8),
    R(2000, RST | PSH | ACK | ECE | AE, 5300, 1160, 300, 703, 4),
    R(2300, RST | PSH | ACK | CWR | AE, 5600, 1160, 400, 704, 8),
    R(2800, RST | PSH | ACK | CWR | AE, 6000, 1160, 500, 705, 4),
    F(8800, PSH | ACK | AE, 1160, 6500, 5, 506, 12),
    F(8900, PSH | ACK | AE, 1165, 6500, 6, 507, 12),
    F(9000, ACK | ECE | AE, 1171, 6500, 7, 508, 12),
    F(9100, ACK | URG | ECE | AE, 1178, 6500, 8, 509, 12),
    F(9400, ACK | URG | ECE, 1186, 6500, 9, 510, 12),
    F(9800, ACK | URG | ECE, 1195, 6500, 25, 511, 12),
    R(10000, FIN | RST | ACK | CWR | AE, 6500, 1220, 3, 706, 8),
    R(20000, FIN | RST | ACK | URG | CWR | AE, 6503, 1220, 50, 707, 4),
    F(20500, RST | ACK | URG, 1220, 6553, 0, 512, 12),
    F(20600, RST | ACK | URG, 1220, 6553, 0, 512, 12),
    F(20700, FIN | RST | ACK | URG, 1220, 6553, 0, 512, 12),
    R(20900, FIN | RST | ACK | URG | CWR | AE, 6503, 1220, 50, 707, 8),
    R(21000, FIN | RST | ACK | URG | CWR, 6603, 1220, 2, 709, 4),
};

/* Two gaps over 5 s: active 1800, 1200 and 1000 ms, idle 6000 and 10000; also those over 1 s: 3 subflows.
   Bulks: forward 5 packets in 680 ms and 6 in 1000 ms, backward 5 in 1100 ms; the last 4 have less than 4 with
   payload. What flags say about the end is left aside. */
Test(flow_columns, flows)
{
    netfeat_table *tab = FLOWS(ctx, "flow.columns=* flow.end_on_fin_rst=0", talk);

    cr_assert_eq(netfeat_table_rows(tab), 1);
    expect_row(
        tab, 0,
        "first_time=1970-01-01T00:00:01.000000000Z\nlast_time=1970-01-01T00:00:21.000000000Z\n"
        "duration=20000000000\nfwd_first_time=1970-01-01T00:00:01.000000000Z\n"
        "fwd_last_time=1970-01-01T00:00:20.700000000Z\nfwd_duration=19700000000\n"
        "bwd_first_time=1970-01-01T00:00:01.700000000Z\nbwd_last_time=1970-01-01T00:00:21.000000000Z\n"
        "bwd_duration=19300000000\npackets=23\nbytes=3295\nip_bytes=2973\nl4_bytes=2513\n"
        "payload_bytes=1825\nfwd_packets=14\nfwd_bytes=1152\nfwd_ip_bytes=956\nfwd_l4_bytes=676\n"
        "fwd_payload_bytes=220\nbwd_packets=9\nbwd_bytes=2143\nbwd_ip_bytes=2017\nbwd_l4_bytes=1837\n"
        "bwd_payload_bytes=1605\npackets_per_second=1.15\nbytes_per_second=164.75\n"
        "fwd_packets_per_second=0.7\nfwd_bytes_per_second=57.6\nbwd_packets_per_second=0.45\n"
        "bwd_bytes_per_second=107.15\nbwd_fwd_ratio=0.6428571428571429\nlength_min=60\nlength_max=558\n"
        "length_mean=143.2608695652174\nlength_std=135.73912726968874\nfwd_length_min=66\n"
        "fwd_length_max=126\nfwd_length_mean=82.28571428571429\nfwd_length_std=17.52110187713692\n"
        "bwd_length_min=60\nbwd_length_max=558\nbwd_length_mean=238.11111111111111\n"
        "bwd_length_std=183.14641986976187\niat_min=20000000\niat_max=10000000000\n"
        "iat_mean=909090909.0909091\niat_std=2380425950.4609056\nfwd_iat_min=80000000\n"
        "fwd_iat_max=10700000000\nfwd_iat_mean=1515384615.3846154\nfwd_iat_std=3363749434.2489686\n"
        "bwd_iat_min=100000000\nbwd_iat_max=10000000000\nbwd_iat_mean=2412500000\n"
        "bwd_iat_std=3900343391.4757524\nfin_packets=5\nfwd_fin_packets=1\nbwd_fin_packets=4\n"
        "syn_packets=3\nfwd_syn_packets=2\nbwd_syn_packets=1\nrst_packets=10\nfwd_rst_packets=3\n"
        "bwd_rst_packets=7\npsh_packets=12\nfwd_psh_packets=7\nbwd_psh_packets=5\nack_packets=21\n"
        "fwd_ack_packets=12\nbwd_ack_packets=9\nurg_packets=9\nfwd_urg_packets=6\nbwd_urg_packets=3\n"
        "ece_packets=6\nfwd_ece_packets=4\nbwd_ece_packets=2\ncwr_packets=11\nfwd_cwr_packets=5\n"
        "bwd_cwr_packets=6\nae_packets=17\nfwd_ae_packets=9\nbwd_ae_packets=8\nfwd_header_bytes=456\n"
        "fwd_data_packets=11\nfwd_initial_window=0\nbwd_header_bytes=232\nbwd_data_packets=9\n"
        "bwd_initial_window=701\nactive_min=1000000000\nactive_max=1800000000\n"
        "active_mean=1333333333.3333333\nactive_std=416333199.89322656\nidle_min=6000000000\n"
        "idle_max=10000000000\nidle_mean=8000000000\nidle_std=2828427124.74619\nsubflows=3\n"
        "subflow_packets=7.666666666666667\nsubflow_bytes=1098.3333333333333\n"
        "fwd_subflow_packets=4.666666666666667\nfwd_subflow_bytes=384\nbwd_subflow_packets=3\n"
        "bwd_subflow_bytes=714.3333333333334\nfwd_bulks=2\nfwd_bulk_packets=11\nfwd_bulk_bytes=220\n"
        "fwd_bulk_duration=1680000000\nbwd_bulks=1\nbwd_bulk_packets=5\nbwd_bulk_bytes=1500\n"
        "bwd_bulk_duration=1100000000");
#define ZEROS_6  "0, 0, 0, 0, 0, 0, "
#define ZEROS_60 ZEROS_6 ZEROS_6 ZEROS_6 ZEROS_6 ZEROS_6 ZEROS_6 ZEROS_6 ZEROS_6 ZEROS_6 ZEROS_6
    /* 220 times 3, 1605 times 250 */
    expect_row(tab, 0,
               "payload_byte_counts=[0, 0, 0, 220, " ZEROS_60 ZEROS_60 ZEROS_60 ZEROS_60 ZEROS_6
               "1605, 0, 0, 0, 0, 0]\n"
               "payload_entropy=0.5309338685994333");
    netfeat_table_unref(tab);
}

/* The sizes are those of the frames, the times whole ms. */
Test(flow_columns, nfstream)
{
    netfeat_table *tab = FLOWS(ctx, "flow.profile=nfstream flow.columns=* flow.first_packets=7", talk);

    cr_assert_eq(netfeat_table_rows(tab), 1);
    expect_every(
        "nfstream", tab, 0,
        "id=1\nexpiration_id=0\nsrc_ip=10.0.0.2\nsrc_mac=02:42:00:00:00:42\nsrc_oui=02:42:00\n"
        "src_port=1000\ndst_ip=10.0.0.1\ndst_mac=02:41:00:00:00:41\ndst_oui=02:41:00\ndst_port=80\n"
        "protocol=6\nip_version=4\nvlan_id=7\ntunnel_id=1\nbidirectional_first_seen_ms=1000\n"
        "bidirectional_last_seen_ms=21000\nbidirectional_duration_ms=20000\nbidirectional_packets=23\n"
        "bidirectional_bytes=3295\nsrc2dst_first_seen_ms=1000\nsrc2dst_last_seen_ms=20700\n"
        "src2dst_duration_ms=19700\nsrc2dst_packets=14\nsrc2dst_bytes=1152\ndst2src_first_seen_ms=1700\n"
        "dst2src_last_seen_ms=21000\ndst2src_duration_ms=19300\ndst2src_packets=9\ndst2src_bytes=2143\n"
        "bidirectional_min_ps=60\nbidirectional_mean_ps=143.2608695652174\n"
        "bidirectional_stddev_ps=135.73912726968874\nbidirectional_max_ps=558\nsrc2dst_min_ps=66\n"
        "src2dst_mean_ps=82.28571428571429\nsrc2dst_stddev_ps=17.52110187713692\nsrc2dst_max_ps=126\n"
        "dst2src_min_ps=60\ndst2src_mean_ps=238.11111111111111\ndst2src_stddev_ps=183.14641986976187\n"
        "dst2src_max_ps=558\nbidirectional_min_piat_ms=20\nbidirectional_mean_piat_ms=909.0909090909091\n"
        "bidirectional_stddev_piat_ms=2380.425950460906\nbidirectional_max_piat_ms=10000\n"
        "src2dst_min_piat_ms=80\nsrc2dst_mean_piat_ms=1515.3846153846155\n"
        "src2dst_stddev_piat_ms=3363.7494342489686\nsrc2dst_max_piat_ms=10700\ndst2src_min_piat_ms=100\n"
        "dst2src_mean_piat_ms=2412.5\ndst2src_stddev_piat_ms=3900.343391475752\ndst2src_max_piat_ms=10000\n"
        "bidirectional_syn_packets=3\nbidirectional_cwr_packets=11\nbidirectional_ece_packets=6\n"
        "bidirectional_urg_packets=9\nbidirectional_ack_packets=21\nbidirectional_psh_packets=12\n"
        "bidirectional_rst_packets=10\nbidirectional_fin_packets=5\nsrc2dst_syn_packets=2\n"
        "src2dst_cwr_packets=5\nsrc2dst_ece_packets=4\nsrc2dst_urg_packets=6\nsrc2dst_ack_packets=12\n"
        "src2dst_psh_packets=7\nsrc2dst_rst_packets=3\nsrc2dst_fin_packets=1\ndst2src_syn_packets=1\n"
        "dst2src_cwr_packets=6\ndst2src_ece_packets=2\ndst2src_urg_packets=3\ndst2src_ack_packets=9\n"
        "dst2src_psh_packets=5\ndst2src_rst_packets=7\ndst2src_fin_packets=4\n"
        "splt_direction=[0, 0, 0, 0, 0, 1, 1]\nsplt_ps=[84, 86, 96, 106, 126, 158, 262]\n"
        "splt_piat_ms=[0, 100, 200, 300, 80, 20, 100]");
    netfeat_table_unref(tab);
}

/* The sizes are those of the payload, the times us. The last active period is not counted; subflows are gaps over
   1 s. A window of 0 is passed over. Seen before: two forward packets, one backward. Behind RST and FIN only a
   SYN would begin a flow. */
Test(flow_columns, cic)
{
    netfeat_table *tab = FLOWS(ctx, "flow.profile=cic flow.columns=*", talk);

    cr_assert_eq(netfeat_table_rows(tab), 1);
    expect_every(
        "cic", tab, 0,
        "Flow ID=10.0.0.2-10.0.0.1-1000-80-6\nSrc IP=10.0.0.2\nSrc Port=1000\nDst IP=10.0.0.1\n"
        "Dst Port=80\nProtocol=6\nTimestamp=1970-01-01T00:00:01.000000000Z\nFlow Duration=20000000\n"
        "Total Fwd Packet=14\nTotal Bwd packets=9\nTotal Length of Fwd Packet=220\n"
        "Total Length of Bwd Packet=1605\nFwd Packet Length Max=60\nFwd Packet Length Min=0\n"
        "Fwd Packet Length Mean=15.714285714285714\nFwd Packet Length Std=17.591206594504808\n"
        "Bwd Packet Length Max=500\nBwd Packet Length Min=2\nBwd Packet Length Mean=178.33333333333334\n"
        "Bwd Packet Length Std=183.29893616712565\nFlow Bytes/s=91.25\nFlow Packets/s=1.15\n"
        "Flow IAT Mean=909090.9090909091\nFlow IAT Std=2380425.9504609057\nFlow IAT Max=10000000\n"
        "Flow IAT Min=20000\nFwd IAT Total=19700000\nFwd IAT Mean=1515384.6153846155\n"
        "Fwd IAT Std=3363749.4342489685\nFwd IAT Max=10700000\nFwd IAT Min=80000\nBwd IAT Total=19300000\n"
        "Bwd IAT Mean=2412500\nBwd IAT Std=3900343.391475752\nBwd IAT Max=10000000\nBwd IAT Min=100000\n"
        "Fwd PSH Flags=7\nBwd PSH Flags=5\nFwd URG Flags=6\nBwd URG Flags=3\nFwd RST Flags=3\n"
        "Bwd RST Flags=7\nFwd Header Length=456\nBwd Header Length=232\nFwd Packets/s=0.7\n"
        "Bwd Packets/s=0.45\nPacket Length Min=0\nPacket Length Max=500\n"
        "Packet Length Mean=79.34782608695652\nPacket Length Std=137.78824619870096\n"
        "Packet Length Variance=18985.600790513832\nFIN Flag Count=5\nSYN Flag Count=3\nRST Flag Count=10\n"
        "PSH Flag Count=12\nACK Flag Count=21\nURG Flag Count=9\nCWR Flag Count=11\nECE Flag Count=6\n"
        "Down/Up Ratio=0.6428571428571429\nAverage Packet Size=79.34782608695652\n"
        "Fwd Segment Size Avg=15.714285714285714\nBwd Segment Size Avg=178.33333333333334\n"
        "Fwd Bytes/Bulk Avg=110\nFwd Packet/Bulk Avg=5.5\nFwd Bulk Rate Avg=130.95238095238096\n"
        "Bwd Bytes/Bulk Avg=1500\nBwd Packet/Bulk Avg=5\nBwd Bulk Rate Avg=1363.6363636363635\n"
        "Subflow Fwd Packets=7\nSubflow Fwd Bytes=110\nSubflow Bwd Packets=4.5\nSubflow Bwd Bytes=802.5\n"
        "FWD Init Win Bytes=502\nBwd Init Win Bytes=701\nFwd Act Data Pkts=11\nBwd Act Data Pkts=9\n"
        "Fwd Seg Size Min=32\nBwd Seg Size Min=24\nActive Mean=1500000\nActive Std=424264.0687119285\n"
        "Active Max=1800000\nActive Min=1200000\nIdle Mean=8000000\nIdle Std=2828427.12474619\n"
        "Idle Max=10000000\nIdle Min=6000000\nICMP Code=-1\nICMP Type=-1\nFwd TCP Retrans. Count=2\n"
        "Bwd TCP Retrans. Count=1\nTotal TCP Retrans. Count=3\nTotal Connection Flow Time=20000000");
    netfeat_table_unref(tab);
}

/* The first packet is booked as a backward one: lengths forward 20 30 40 60 5 6 7 8 9 25 0 0 0, backward 10 100 200
   300 400 500 3 50 50 2; the lengths of both have its 10 once more; gaps forward 200 300 80 7120 100 100 100 300
   400 10700 100 100, backward 700 100 200 300 500 7200 10000 900 100. Flags are its own: SYN PSH CWR. */
Test(flow_columns, cic2018)
{
    pkt p[TALK];
    pkt other[2] = {talk[1], talk[5]};
    netfeat_table *tab;

    memcpy(p, talk, sizeof p);
    for (size_t i = 0; i < TALK - 1; i++) {
        p[i].flags &= ~FIN; /* the first one would end the flow */
    }
    tab = FLOWS(ctx, "flow.profile=cic2018 flow.columns=*", p);
    cr_assert_eq(netfeat_table_rows(tab), 1);
    expect_every(
        "cic2018", tab, 0,
        "Flow ID=10.0.0.2-10.0.0.1-1000-80-6\nSrc IP=10.0.0.2\nSrc Port=1000\nDst IP=10.0.0.1\n"
        "Dst Port=80\nProtocol=6\nTimestamp=1970-01-01T00:00:01.000000000Z\nFlow Duration=20000000\n"
        "Total Fwd Packet=13\nTotal Bwd packets=10\nTotal Length of Fwd Packet=210\n"
        "Total Length of Bwd Packet=1615\nFwd Packet Length Max=60\nFwd Packet Length Min=0\n"
        "Fwd Packet Length Mean=16.153846153846153\nFwd Packet Length Std=18.229308607506\n"
        "Bwd Packet Length Max=500\nBwd Packet Length Min=2\nBwd Packet Length Mean=161.5\n"
        "Bwd Packet Length Std=180.82849455891747\nFlow Bytes/s=91.25\nFlow Packets/s=1.15\n"
        "Flow IAT Mean=909090.9090909091\nFlow IAT Std=2380425.9504609057\nFlow IAT Max=10000000\n"
        "Flow IAT Min=20000\nFwd IAT Total=19600000\nFwd IAT Mean=1633333.3333333333\n"
        "Fwd IAT Std=3485130.317984298\nFwd IAT Max=10700000\nFwd IAT Min=80000\nBwd IAT Total=20000000\n"
        "Bwd IAT Mean=2222222.222222222\nBwd IAT Std=3692823.370328514\nBwd IAT Max=10000000\n"
        "Bwd IAT Min=100000\nFwd PSH Flags=0\nBwd PSH Flags=1\nFwd URG Flags=0\nBwd URG Flags=0\n"
        "Fwd Header Length=416\nBwd Header Length=272\nFwd Packets/s=0.65\nBwd Packets/s=0.5\n"
        "Packet Length Min=0\nPacket Length Max=500\nPacket Length Mean=76.45833333333333\n"
        "Packet Length Std=135.50099603890826\nPacket Length Variance=18360.519927536232\n"
        "FIN Flag Count=0\nSYN Flag Count=1\nRST Flag Count=0\nPSH Flag Count=1\nACK Flag Count=0\n"
        "URG Flag Count=0\nCWR Flag Count=1\nECE Flag Count=0\nDown/Up Ratio=0\n"
        "Average Packet Size=79.78260869565217\nFwd Segment Size Avg=16.153846153846153\n"
        "Bwd Segment Size Avg=161.5\nFwd Bytes/Bulk Avg=0\nFwd Packet/Bulk Avg=0\nFwd Bulk Rate Avg=0\n"
        "Bwd Bytes/Bulk Avg=0\nBwd Packet/Bulk Avg=0\nBwd Bulk Rate Avg=0\nSubflow Fwd Packets=0\n"
        "Subflow Fwd Bytes=0\nSubflow Bwd Packets=0\nSubflow Bwd Bytes=0\nFWD Init Win Bytes=-1\n"
        "Bwd Init Win Bytes=709\nFwd Act Data Pkts=10\nFwd Seg Size Min=32\nActive Mean=-\nActive Std=-\n"
        "Active Max=-\nActive Min=-\nIdle Mean=-\nIdle Std=-\nIdle Max=-\nIdle Min=-");
    netfeat_table_unref(tab);

    other[0].flags = RST | ACK | URG | ECE; /* all the others; RST ends nothing */
    tab = FLOWS(ctx, "flow.profile=cic2018", other);
    cr_assert_eq(netfeat_table_rows(tab), 1);
    expect_row(
        tab, 0,
        "Fwd PSH Flags=0\nBwd PSH Flags=0\nFwd URG Flags=0\nBwd URG Flags=1\nFIN Flag Count=0\n"
        "SYN Flag Count=0\nRST Flag Count=1\nPSH Flag Count=0\nACK Flag Count=1\nURG Flag Count=1\n"
        "CWR Flag Count=0\nECE Flag Count=1\nTotal Fwd Packet=0\nTotal Bwd packets=2\nFwd Packet Length "
        "Max=0\nFwd IAT Mean=0\nFwd Seg Size Min=0");
    netfeat_table_unref(tab);
}

/* 60 bytes of the responder, 100 that nobody saw, 40; all of them acknowledged. IP headers of 20 bytes, TCP of 20:
   6 packets with 50 bytes, 4 with 100. */
Test(flow_columns, zeek)
{
    const pkt p[] = {F(1000, SYN, 99, 0, 0, 9, 0),          R(1010, SYN | ACK, 499, 100, 0, 9, 0),
                     F(1020, ACK, 100, 500, 0, 9, 0),       F(1030, ACK | PSH, 100, 500, 50, 9, 0),
                     R(1040, ACK, 500, 150, 60, 9, 0),      R(1050, ACK, 660, 150, 40, 9, 0),
                     F(1060, ACK, 150, 700, 0, 9, 0),       F(1070, ACK | FIN, 150, 700, 0, 9, 0),
                     R(1080, ACK | FIN, 700, 151, 0, 9, 0), F(2500, ACK, 151, 701, 0, 9, 0)};
    netfeat_table *tab = FLOWS(ctx, "flow.profile=zeek flow.columns=*", p);

    cr_assert_eq(netfeat_table_rows(tab), 1);
    expect_every("zeek", tab, 0,
                 "ts=1970-01-01T00:00:01.000000000Z\nid.orig_h=10.0.0.2\nid.orig_p=1000\nid.resp_h=10.0.0.1\n"
                 "id.resp_p=80\nproto=tcp\nduration=1.5\norig_bytes=50\nresp_bytes=200\nconn_state=SF\n"
                 "missed_bytes=100\nhistory=ShADdgFf\norig_pkts=6\norig_ip_bytes=290\nresp_pkts=4\n"
                 "resp_ip_bytes=260");
    netfeat_table_unref(tab);
}

/* One way: the 14 packets of B, 9 of A; a frame is 34 bytes, the TCP header and the payload. */
Test(flow_columns, notebook)
{
    netfeat_table *tab = FLOWS(ctx, "flow.profile=notebook flow.columns=*", talk);

    cr_assert_eq(netfeat_table_rows(tab), 2);
    expect_every(
        "notebook", tab, 0,
        "Source IP=10.0.0.1\nDestination IP=10.0.0.2\nSource Port=80\nDestination Port=1000\nProtocol=6\n"
        "Number of Packets=9\nTotal Length=2143\nDuration=19.3");
    expect_every(
        "notebook", tab, 1,
        "Source IP=10.0.0.2\nDestination IP=10.0.0.1\nSource Port=1000\nDestination Port=80\nProtocol=6\n"
        "Number of Packets=14\nTotal Length=1152\nDuration=19.7");
    netfeat_table_unref(tab);
}

/* What the talks above do not show: the letters of Zeek's history and the states of the ends. */
Test(flow_columns, histories)
{
    const struct {
        pkt p[11];
        size_t n;
        const char *want;
    } cases[] = {
        /* both open at once */
        {{F(0, SYN, 99, 0, 0, 9, 0), R(1, SYN, 499, 0, 0, 9, 0), F(2, SYN | ACK, 99, 500, 0, 9, 0),
          R(3, SYN | ACK, 499, 100, 0, 9, 0)},
         4,
         "history=SsHh\nconn_state=S1\nfwd_tcp_state=ESTABLISHED\nbwd_tcp_state=ESTABLISHED"},
        /* two of SYN, FIN and RST: I with FIN and RST, else Q */
        {{F(0, SYN | FIN, 99, 0, 0, 9, 0), R(1, SYN | RST, 499, 0, 0, 9, 0)},
         2,
         "history=Qq\nconn_state=RSTR\nfwd_tcp_state=CLOSED\nbwd_tcp_state=RESET"},
        {{F(0, ACK, 99, 499, 0, 0, 0), R(1, ACK, 499, 99, 0, 9, 0), F(2, FIN | RST, 99, 0, 0, 9, 0),
          R(3, FIN | RST, 499, 0, 0, 9, 0)},
         4,
         "history=WAaIi\nconn_state=REJ\nfwd_tcp_state=RESET\nbwd_tcp_state=RESET"},
        /* the 1st and the 10th window of 0 */
        {{F(0, ACK, 99, 9, 0, 0, 0), F(1, ACK, 99, 9, 0, 0, 0), F(2, ACK, 99, 9, 0, 0, 0),
          F(3, ACK, 99, 9, 0, 0, 0), F(4, ACK, 99, 9, 0, 0, 0), F(5, ACK, 99, 9, 0, 0, 0),
          F(6, ACK, 99, 9, 0, 0, 0), F(7, ACK, 99, 9, 0, 0, 0), F(8, ACK, 99, 9, 0, 0, 0),
          F(9, ACK, 99, 9, 0, 0, 0), F(10, ACK, 99, 9, 0, 0, 0)},
         11,
         "history=WAW\nconn_state=OTH\nfwd_tcp_state=PARTIAL\nbwd_tcp_state=INACTIVE\nfwd_zero_window_"
         "packets="
         "11"},
        /* again with another number, not with the same; FIN by the number behind its bytes */
        {{F(0, SYN, 99, 0, 0, 9, 0), R(1, RST, 0, 0, 0, 9, 0), R(2, RST, 0, 0, 0, 9, 0),
          R(3, RST, 7, 0, 0, 9, 0)},
         4,
         "history=Srr\nconn_state=REJ\nfwd_tcp_state=SYN_SENT\nbwd_tcp_state=RESET"},
        {{F(0, FIN, 100, 0, 5, 9, 0), F(1, FIN, 105, 0, 0, 9, 0), F(2, FIN, 105, 0, 1, 9, 0)},
         3,
         "history=FF\nconn_state=SH\nfwd_tcp_state=CLOSED\nbwd_tcp_state=INACTIVE"},
        {{F(0, SYN, 99, 0, 0, 9, 0)}, 1, "fwd_tcp_state=SYN_SENT\nbwd_tcp_state=INACTIVE"},
        /* two SYN-ACKs: the first one is the answer, the sender of the second is taken for the originator */
        {{R(0, SYN | ACK, 499, 100, 0, 9, 0), F(1, SYN | ACK, 99, 500, 0, 9, 0)},
         2,
         "history=^hH\nconn_state=OTH\nfwd_tcp_state=SYN_ACK_SENT\nbwd_tcp_state=ESTABLISHED"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        netfeat_table *tab = flows_of(ctx, "flow.columns=*", cases[i].p, cases[i].n);

        cr_assert_eq(netfeat_table_rows(tab), 1, "case %zu", i);
        expect_row(tab, 0, cases[i].want);
        netfeat_table_unref(tab);
    }
}
