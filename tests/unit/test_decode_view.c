/* Rules of lib/decode: what the configuration makes of tunnels; what ICMP errors quote. */
#include "decode/tunnel.h"
#include "tunnel_packets.h"

Test(decode_view, icmp_errors)
{
    static const packet_case cases[] = {
        {"unreachable", 1,
         ETH("0800") OUT4("0038", "01") "0303000000000000" IP4("0040", "11") DATAGRAM("0035", "002c"), 0,
         "src_ip=10.0.0.1 icmp_src_ip=1.2.3.4 icmp_dst_ip=5.6.7.8 icmp_protocol=17 icmp_src_port=49152 "
         "icmp_dst_port=53 "
         "payload_length=28 -src_port"},
        {"echo", 1,
         ETH("0800") OUT4("0038", "01") "0800000000000000" IP4("0040", "11") DATAGRAM("0035", "002c"), 0,
         "icmp_type=8 -icmp_src_ip -icmp_protocol"},
        {"fragment quoted", 1,
         ETH("0800") OUT4("0038", "01") "0b00000000000000"
                                        "4500"
                                        "0040"
                                        "0102"
                                        "0007"
                                        "4011"
                                        "0000" ADDRESSES DATAGRAM("0035", "002c"),
         0, "icmp_src_ip=1.2.3.4 icmp_protocol=17 -icmp_src_port"},
        {"icmp quoted", 1,
         ETH("0800") OUT4("0038", "01") "0b00000000000000" IP4("0040", "01") "0800000000000000", 0,
         "icmp_protocol=1 -icmp_src_port"},
        {"options quoted", 1,
         ETH("0800") OUT4("003c", "01") "0b00000000000000"
                                        "4600"
                                        "0044"
                                        "0102"
                                        "0000"
                                        "4011"
                                        "0000" ADDRESSES "01010100" DATAGRAM("0035", "002c"),
         0, "icmp_src_port=49152"},
        {"nonsense quoted", 1,
         ETH("0800") OUT4("0024", "01") "0b00000000000000"
                                        "20000000"
                                        "00000000",
         0, "-icmp_src_ip"},
        {"icmpv6", 1,
         ETH("86dd") OUT6("0038", "3a") "0104000000000000" IP6("0014", "06") "03e80050"
                                                                             "00000007",
         0,
         "icmp_src_ip=2001:db8::1 icmp_dst_ip=2001:db8::2 icmp_protocol=6 icmp_src_port=1000 "
         "icmp_dst_port=80"},
        {"icmpv6 with extension", 1,
         ETH("86dd") OUT6("0048", "3a") "0300000000000000" IP6("001c", "00") "2c00010400000000"
                                                                             "06000000"
                                                                             "00000001"
                                                                             "03e80050"
                                                                             "00000007",
         0, "icmp_protocol=6 icmp_src_port=1000"},
        {"icmpv6 later fragment", 1,
         ETH("86dd") OUT6("0040", "3a") "0300000000000000" IP6("001c", "2c") "06000008"
                                                                             "00000001"
                                                                             "03e80050"
                                                                             "00000007",
         0, "icmp_protocol=6 -icmp_src_port"},
        {"icmpv6 echo", 1, ETH("86dd") OUT6("0008", "3a") "8000000000000000", 0, "-icmp_src_ip"},
        {"traffic class", 1,
         ETH("0800") "45ba"
                     "0028"
                     "0102"
                     "4000"
                     "40"
                     "06"
                     "0000" ADDRESSES TCP,
         0, "ip_tos=186 ip_dscp=46 ip_ecn=2"},
        {"traffic class 6", 1,
         ETH("86dd") "6bb00000"
                     "0014"
                     "06"
                     "40" ADDRESSES6 TCP,
         0, "ip_tos=187 ip_dscp=46 ip_ecn=3"},
    };
    CHECK_PACKETS(cases);
}

/* ---- what the configuration changes ---- */

static void decode_hex(const char *hex, const nf_decode_config *config, nf_packet *ret)
{
    packet_case c = {.name = "configured", .hex = hex};
    uint32_t size;
    uint8_t *data = from_hex(&c, &size);

    nf_decode(config, 1, data, size, size, ret);
    free(data);
}

#define VXLAN_ON(port) ETH("0800") OUT4("005a", "11") DATAGRAM(port, "0046") "0800000000000700" FRAME

Test(decode_view, outermost_view)
{
    static const struct {
        const char *hex;
        const char *expect;
    } cases[] = {
        {VXLAN_ON("12b5"), "src_ip=10.0.0.1 dst_port=4789 payload_length=62 tunnel_depth=0 -tunnel_type "
                           "-outer_src_ip src_mac=020000000001"},
        {ETH("0800") OUT4("003c", "04") TCP4,
         "src_ip=10.0.0.1 ip_protocol=4 l4_length=40 tunnel_depth=0 -tunnel_type"},
        {ETH("0800") OUT4("0040", "2f") "00000800" TCP4, "src_ip=10.0.0.1 ip_protocol=47 tunnel_depth=0"},
        {ETH("8847") "00064140" OUT4("003c", "04") TCP4,
         "src_ip=10.0.0.1 tunnel_type=1 tunnel_depth=1 -outer_src_ip"},
    };
    nf_decode_config config = {.want = ~UINT64_C(0), .max_layers = 16, .outermost = true};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        packet_case c = {.name = cases[i].hex, .expect = cases[i].expect};
        nf_packet p;
        decode_hex(cases[i].hex, &config, &p);
        check_expected(&c, &p);
    }
}

Test(decode_view, named_ports)
{
    nf_decode_config config = {.want = ~UINT64_C(0), .max_layers = 16};
    const char *bad = NULL;
    nf_packet p;

    decode_hex(VXLAN_ON("2119"), &config, &p);
    cr_expect_eq(p.tunnel_depth, 0);
    cr_assert(nf_decode_tunnel_ports(&config, "gtp=2153,vxlan=8473", &bad));
    decode_hex(VXLAN_ON("2119"), &config, &p);
    cr_expect_eq(p.tunnel_depth, 1);
    decode_hex(VXLAN_ON("12b5"), &config, &p);
    cr_expect_eq(p.tunnel_depth, 1, "registered ports stay");
    decode_hex(VXLAN_ON("2120"), &config, &p);
    cr_expect_eq(p.tunnel_depth, 0);
    cr_assert(nf_decode_tunnel_ports(&config, "", &bad));
    cr_expect_eq(config.n_ports, 2);
}

Test(decode_view, bad_lists_of_ports)
{
    static const char *const lists[] = {"vxlan",
                                        "vxlan=",
                                        "vxlan=0",
                                        "vxlan=65536",
                                        "vxlan=8473,",
                                        "nothing=1",
                                        "=1",
                                        ",vxlan=1",
                                        "vxlan=1;",
                                        "vxlan=-1",
                                        "vxlan=99999999999999999999",
                                        "vxlan =1"};
    static const char many[] =
        "gtp=1,gtp=2,gtp=3,gtp=4,gtp=5,gtp=6,gtp=7,gtp=8,gtp=9,gtp=10,gtp=11,gtp=12,gtp=13,gtp=14,"
        "gtp=15,gtp=16,gtp=17";
    nf_decode_config config;
    const char *bad = NULL;

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        config = (nf_decode_config){.want = 0};
        bad = NULL;
        cr_expect_not(nf_decode_tunnel_ports(&config, lists[i], &bad), "%s", lists[i]);
        cr_expect(bad >= lists[i] && bad <= lists[i] + strlen(lists[i]), "%s", lists[i]);
    }
    config = (nf_decode_config){.want = 0};
    cr_expect_not(nf_decode_tunnel_ports(&config, many, &bad));
    cr_expect_str_eq(bad, "gtp=17");
}

/* The set for the short way and the function for the loop say the same of every port. */
Test(decode_view, ports_agree)
{
    nf_decode_config config = {.want = 0};
    int count = 0;

    for (uint32_t port = 0; port <= UINT16_MAX; port++) {
        bool listed = nf_tunnel_port_layer(&config, (uint16_t)port, 9) != NF_LAYER_DONE;
        cr_assert_eq(nf_tunnel_port_is_possible(&config, 9, (uint16_t)port), listed, "%u", port);
        cr_assert_eq(nf_tunnel_port_is_possible(&config, (uint16_t)port, 9), listed, "%u", port);
        count += listed;
    }
    cr_expect_eq(count, 12);
}

Test(decode_view, depth_is_limited)
{
    static const uint8_t ip[20] = {0x45, 0, 0, 0, 0, 0, 0, 0, 64, 4, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
    uint8_t packet[20 * 70];
    nf_decode_config config = {.want = ~UINT64_C(0), .max_layers = 16};
    nf_packet p;

    for (size_t i = 0; i < 70; i++) {
        uint16_t length = (uint16_t)(sizeof packet - i * 20);
        memcpy(packet + i * 20, ip, 20);
        packet[i * 20 + 2] = (uint8_t)(length >> 8);
        packet[i * 20 + 3] = (uint8_t)length;
    }
    for (config.max_layers = 1; config.max_layers <= 64; config.max_layers++) {
        nf_decode(&config, 228, packet, sizeof packet, sizeof packet, &p);
        cr_expect_eq(p.tunnel_depth, config.max_layers);
        cr_expect_eq(p.quality, NETFEAT_QUALITY_DEPTH_LIMIT);
    }
}
