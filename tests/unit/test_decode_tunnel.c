/* Rules of lib/decode: tunnels. */
#include "tunnel_packets.h"

Test(decode_tunnel, below_ip)
{
    static const packet_case cases[] = {
        {"mpls", 1, ETH("8847") "00064140" TCP4, 0,
         INNER "ether_type=8847 tunnel_type=1 tunnel_id=100 tunnel_depth=1 -outer_src_ip"},
        {"mpls stack", 1,
         ETH("8848") "00064040"
                     "000c8140" TCP4,
         0, INNER "tunnel_type=1 tunnel_id=200 tunnel_depth=1"},
        {"mpls explicit null", 1,
         ETH("8847") "00002140"
                     "00002140" TCP4,
         0, "tunnel_id=2 quality=200"},
        {"mpls ipv6", 1, ETH("8847") "00064140" IP6("0014", "06") TCP, 0,
         "src_ip=2001:db8::1 src_port=1000 tunnel_type=1"},
        {"mpls cut", 1, ETH("8847") "00064040", 0, "-tunnel_type quality=120"},
        {"mpls other", 1,
         ETH("8847") "00064140"
                     "10000000",
         0, "tunnel_type=1 -src_ip quality=800"},
        {"pseudowire", 1,
         ETH("8847") "00064140"
                     "00000000" FRAME,
         0, INNER ENDS "tunnel_type=2 tunnel_id=100 tunnel_depth=1"},
        {"pseudowire without control word", 1,
         ETH("8847") "00064140"
                     "004000000002"
                     "040000000001"
                     "0800" TCP4,
         0, INNER "dst_mac=004000000002 tunnel_type=2"},
        {"pseudowire that starts with 4", 1,
         ETH("8847") "00064140"
                     "440000000002"
                     "040000000001"
                     "0800" TCP4,
         0, INNER "dst_mac=440000000002 tunnel_type=2"},
        {"pppoe", 1,
         ETH("8864") "11000007002a"
                     "0021" TCP4,
         0, INNER "ether_type=8864 tunnel_type=3 tunnel_id=7 tunnel_depth=1"},
        {"pppoe padded", 1,
         ETH("8864") "11000007002a"
                     "0021" TCP4 "0000",
         0, "src_port=1000 padding_length=2 tunnel_type=3"},
        {"pppoe length", 1,
         ETH("8864") "1100000700ff"
                     "0021" TCP4,
         0, "src_port=1000 tunnel_type=3 quality=20"},
        {"pppoe version", 1,
         ETH("8864") "21000007002a"
                     "0021" TCP4,
         0, NO_TUNNEL "quality=200"},
        {"pppoe termination", 1, ETH("8864") "11a700070000", 0, NO_TUNNEL "quality=800"},
        {"pbb", 1, ETH("88e7") "00001234" FRAME, 0,
         INNER ENDS "tunnel_type=21 tunnel_id=4660 tunnel_depth=1"},
        {"fabricpath", 1, ETH("8903") "0060" FRAME, 0, INNER ENDS "tunnel_type=24 tunnel_id=1"},
        {"macsec", 1,
         ETH("88e5") "200000000001"
                     "0102030405060001"
                     "0800" TCP4 "000102030405060708090a0b0c0d0e0f",
         0, "src_ip=1.2.3.4 src_port=1000 padding_length=16 tunnel_type=22 -tunnel_id ether_type=800"},
        {"macsec encrypted", 1,
         ETH("88e5") "2c0000000001"
                     "0102030405060001"
                     "8a3c",
         0, NO_TUNNEL "-src_ip quality=2000"},
        {"nsh", 1,
         ETH("894f") "0fc60101"
                     "00000aff"
                     "00000000000000000000000000000000" TCP4,
         0, INNER "tunnel_type=20 tunnel_id=10"},
        {"nsh ethernet", 1,
         ETH("894f") "0fc20203"
                     "00000aff" FRAME,
         0, INNER ENDS "tunnel_type=20 tunnel_id=10"},
        {"nsh version", 1,
         ETH("894f") "4fc20203"
                     "00000aff" FRAME,
         0, NO_TUNNEL "quality=200"},
        {"nsh in nsh", 1,
         ETH("894f") "0fc20204"
                     "00000aff"
                     "0fc20201"
                     "00000bff" TCP4,
         0, INNER "tunnel_depth=2 tunnel_id=11"},
    };
    CHECK_PACKETS(cases);
}

Test(decode_tunnel, over_ip)
{
    static const packet_case cases[] = {
        {"ipv4 in ipv4", 1, ETH("0800") OUT4("003c", "04") TCP4, 0,
         INNER OUTSIDE "ip_protocol=6 tunnel_type=4 -tunnel_id tunnel_depth=1"},
        {"ipv6 in ipv4", 1, ETH("0800") OUT4("0050", "29") IP6("0014", "06") TCP, 0,
         OUTSIDE "src_ip=2001:db8::1 src_port=1000 -ip_id tunnel_type=5"},
        {"ipv4 in ipv6", 1, ETH("86dd") OUT6("0028", "04") TCP4, 0,
         INNER OUTSIDE6 "-ipv6_flow_label tunnel_type=4"},
        {"ipv6 in ipv6", 1, ETH("86dd") OUT6("003c", "29") IP6("0014", "06") TCP, 0,
         OUTSIDE6 "src_ip=2001:db8::1 tunnel_type=5"},
        {"ipv4 in ipv4 in ipv4", 1, ETH("0800") OUT4("0050", "04") IP4("003c", "04") TCP4, 0,
         INNER OUTSIDE "tunnel_depth=2"},
        {"wrong version inside", 1, ETH("0800") OUT4("003c", "29") TCP4, 0,
         "src_ip=10.0.0.1 ip_protocol=41 l4_length=40 -src_port tunnel_type=5 quality=200"},
        {"inner header cut", 1, ETH("0800") OUT4("003c", "04") "4500", 38,
         OUTSIDE "ip_version=4 -src_ip -ip_protocol tunnel_type=4 quality=101"},
        {"nothing of the inner header", 1, ETH("0800") OUT4("003c", "04"), 40,
         "src_ip=10.0.0.1 ip_protocol=4 ip_length=60 tunnel_type=4 quality=101"},
        {"first fragment", 1,
         ETH("0800") "4500"
                     "003c"
                     "0102"
                     "2000"
                     "40"
                     "04"
                     "0000" OUTER IP4("0100", "06") TCP,
         0, "src_ip=1.2.3.4 src_port=1000 payload_length=216 tunnel_type=4 quality=28"},
        {"later fragment", 1,
         ETH("0800") "4500"
                     "003c"
                     "0102"
                     "0005"
                     "40"
                     "04"
                     "0000" OUTER TCP4,
         0, NO_TUNNEL "src_ip=10.0.0.1 ip_protocol=4 -src_port quality=8"},
        {"gre", 1, ETH("0800") OUT4("0040", "2f") "00000800" TCP4, 0,
         INNER OUTSIDE "ether_type=800 tunnel_type=6 -tunnel_id"},
        {"gre with all", 1,
         ETH("0800") OUT4("004c", "2f") "b0000800"
                                        "00000000"
                                        "00000009"
                                        "00000001" TCP4,
         0, INNER "tunnel_type=6 tunnel_id=9"},
        {"gre with routing", 1,
         ETH("0800") OUT4("0050", "2f") "40000800"
                                        "00000000"
                                        "08000004"
                                        "01020304"
                                        "00000000" TCP4,
         0, INNER "tunnel_type=6"},
        {"gre ipv6", 1, ETH("0800") OUT4("0054", "2f") "000086dd" IP6("0014", "06") TCP, 0,
         OUTSIDE "src_ip=2001:db8::1 ether_type=800"},
        {"gre ethernet", 1,
         ETH("0800") OUT4("0052", "2f") "20006558"
                                        "00000007" FRAME,
         0, INNER ENDS "tunnel_type=6 tunnel_id=7"},
        {"nvgre", 1,
         ETH("0800") OUT4("0052", "2f") "20006558"
                                        "00123400" FRAME,
         0, INNER ENDS "tunnel_type=7 tunnel_id=4660"},
        {"gre mpls", 1,
         ETH("0800") OUT4("0044", "2f") "00008847"
                                        "00064140" TCP4,
         0, INNER "tunnel_type=1 tunnel_depth=2"},
        {"gre ppp", 1,
         ETH("0800") OUT4("0042", "2f") "0000880b"
                                        "0021" TCP4,
         0, INNER "tunnel_type=6"},
        {"gre wlan", 1,
         ETH("0800") OUT4("0060", "2f") "00008200"
                                        "0801"
                                        "0000"
                                        "0200000000aa"
                                        "040000000001"
                                        "040000000002"
                                        "3012"
                                        "aaaa03000000"
                                        "0800" TCP4,
         0, INNER ENDS "tunnel_type=6"},
        {"gre keep alive", 1, ETH("0800") OUT4("0018", "2f") "00000000", 0,
         "src_ip=10.0.0.1 tunnel_type=6 quality=800"},
        {"gre version", 1, ETH("0800") OUT4("0040", "2f") "00020800" TCP4, 0, NO_TUNNEL "quality=200"},
        {"wccp", 1, ETH("0800") OUT4("0040", "2f") "0000883e" TCP4, 0, INNER "tunnel_type=6"},
        {"wccp 2", 1,
         ETH("0800") OUT4("0044", "2f") "0000883e"
                                        "00000000" TCP4,
         0, INNER "tunnel_type=6"},
        {"erspan 1", 1, ETH("0800") OUT4("004e", "2f") "000088be" FRAME, 0,
         INNER ENDS "tunnel_type=8 -tunnel_id tunnel_depth=1"},
        {"erspan 2", 1,
         ETH("0800") OUT4("005a", "2f") "100088be"
                                        "00000001"
                                        "10010064"
                                        "00000000" FRAME,
         0, INNER ENDS "tunnel_type=8 tunnel_id=100 tunnel_depth=1"},
        {"erspan 3", 1,
         ETH("0800") OUT4("005e", "2f") "100022eb"
                                        "00000001"
                                        "20010065"
                                        "00000000"
                                        "00000000" FRAME,
         0, INNER ENDS "tunnel_type=8 tunnel_id=101"},
        {"erspan 3 with more", 1,
         ETH("0800") OUT4("0066", "2f") "100022eb"
                                        "00000001"
                                        "20010065"
                                        "00000000"
                                        "00000001"
                                        "0000000000000000" FRAME,
         0, INNER ENDS "tunnel_type=8 tunnel_id=101"},
        {"erspan 3 ip", 1,
         ETH("0800") OUT4("0050", "2f") "100022eb"
                                        "00000001"
                                        "20010065"
                                        "00000000"
                                        "00000800" TCP4,
         0, INNER "tunnel_type=8"},
        {"pptp", 1,
         ETH("0800") OUT4("0050", "2f") "3081880b"
                                        "002c0005"
                                        "00000001"
                                        "00000002"
                                        "ff030021" TCP4,
         0, INNER "tunnel_type=9 tunnel_id=5"},
        {"pptp acknowledgement", 1,
         ETH("0800") OUT4("0020", "2f") "2081880b"
                                        "00000005"
                                        "00000002",
         0, NO_TUNNEL "ip_protocol=47"},
        {"pptp type", 1,
         ETH("0800") OUT4("0020", "2f") "30010800"
                                        "00000005"
                                        "00000002",
         0, NO_TUNNEL "quality=200"},
        {"etherip", 1, ETH("0800") OUT4("004c", "61") "3000" FRAME, 0, INNER ENDS "tunnel_type=17"},
        {"etherip version", 1, ETH("0800") OUT4("004c", "61") "4000" FRAME, 0, NO_TUNNEL "quality=200"},
        {"l2tp 3", 1, ETH("0800") OUT4("004e", "73") "00000007" FRAME, 0,
         INNER ENDS "tunnel_type=16 tunnel_id=7"},
        {"l2tp 3 with cookie", 1,
         ETH("0800") OUT4("0056", "73") "00000007"
                                        "0102030405060708" FRAME,
         0, INNER ENDS "tunnel_type=16"},
        {"l2tp 3 control", 1,
         ETH("0800") OUT4("0020", "73") "00000000"
                                        "c8030000"
                                        "0102",
         0, NO_TUNNEL "quality=20"},
        {"mpls in ip", 1, ETH("0800") OUT4("0040", "89") "00064140" TCP4, 0, INNER OUTSIDE "tunnel_type=1"},
        {"ah", 1,
         ETH("0800") OUT4("0054", "33") "04040000"
                                        "00000001"
                                        "00000001"
                                        "000000000000000000000000" TCP4 "0000",
         0, "src_ip=1.2.3.4 src_port=1000 tunnel_type=4 padding_length=2"},
    };
    CHECK_PACKETS(cases);
}

Test(decode_tunnel, over_udp)
{
    static const packet_case cases[] = {
        {"vxlan", 1, ETH("0800") OUT4("005a", "11") DATAGRAM("12b5", "0046") "0800000000000700" FRAME, 0,
         INNER ENDS OUTSIDE "tunnel_type=10 tunnel_id=7 tunnel_depth=1"},
        {"vxlan on linux", 1,
         ETH("0800") OUT4("005a", "11") DATAGRAM("2118", "0046") "0800000000000700" FRAME, 0,
         INNER ENDS "tunnel_type=10"},
        {"vxlan with policy", 1,
         ETH("0800") OUT4("005a", "11") DATAGRAM("12b5", "0046") "8800001200000700" FRAME, 0,
         INNER "tunnel_type=10 tunnel_id=7"},
        {"vxlan with policy, no ethernet", 1,
         ETH("0800") OUT4("0029", "11") DATAGRAM("12b5", "0015") "8800001200000700" HELLO, 0,
         NO_TUNNEL "src_ip=10.0.0.1 dst_port=4789 payload_length=13"},
        {"no vxlan", 1, ETH("0800") OUT4("005a", "11") DATAGRAM("12b5", "0046") "0000000000000700" FRAME, 0,
         NO_TUNNEL "src_ip=10.0.0.1 dst_port=4789 payload_length=62"},
        {"vxlan arp", 1,
         ETH("0800") OUT4("004e", "11")
             DATAGRAM("12b5", "003a") "0800000000000700" INNER_MACS "0806"
                                      "00010800060400010400000000010102030400000000000005060708",
         0, "arp_operation=1 src_ip=10.0.0.1 dst_port=4789 src_mac=040000000001 tunnel_type=10"},
        {"vxlan gpe", 1, ETH("0800") OUT4("004c", "11") DATAGRAM("12b6", "0038") "0c00000100000700" TCP4, 0,
         INNER "tunnel_type=11 tunnel_id=7"},
        {"vxlan gpe nsh", 1,
         ETH("0800") OUT4("0054", "11") DATAGRAM("12b6", "0040") "0c00000400000700"
                                                                 "0fc20201"
                                                                 "00000aff" TCP4,
         0, INNER "tunnel_type=20 tunnel_depth=2"},
        {"geneve", 1,
         ETH("0800") OUT4("0062", "11") DATAGRAM("17c1", "004e") "0200655800000700"
                                                                 "0102800100000001" FRAME,
         0, INNER ENDS "tunnel_type=12 tunnel_id=7"},
        {"geneve ipv4", 1, ETH("0800") OUT4("004c", "11") DATAGRAM("17c1", "0038") "0000080000000700" TCP4, 0,
         INNER "tunnel_type=12"},
        {"geneve version", 1, ETH("0800") OUT4("004c", "11") DATAGRAM("17c1", "0038") "4000080000000700" TCP4,
         0, NO_TUNNEL "dst_port=6081"},
        {"geneve control", 1, ETH("0800") OUT4("004c", "11") DATAGRAM("17c1", "0038") "0080080000000700" TCP4,
         0, NO_TUNNEL "dst_port=6081"},
        {"gtp", 1, ETH("0800") OUT4("004c", "11") DATAGRAM("0868", "0038") "30ff002800000007" TCP4, 0,
         INNER OUTSIDE "tunnel_type=13 tunnel_id=7"},
        {"gtp with sequence", 1,
         ETH("0800") OUT4("0050", "11") DATAGRAM("0868", "003c") "32ff002c00000007"
                                                                 "00010000" TCP4,
         0, INNER "tunnel_type=13"},
        {"gtp with extensions", 1,
         ETH("0800") OUT4("0058", "11") DATAGRAM("0868", "0044") "34ff003400000007"
                                                                 "00000085"
                                                                 "01100085"
                                                                 "01100000" TCP4,
         0, INNER "tunnel_type=13"},
        {"gtp extension of length 0", 1,
         ETH("0800") OUT4("0054", "11") DATAGRAM("0868", "0040") "34ff003000000007"
                                                                 "00000085"
                                                                 "00100000" TCP4,
         0, NO_TUNNEL "quality=100"},
        {"gtp echo", 1,
         ETH("0800") OUT4("0028", "11") DATAGRAM("0868", "0014") "3201000400000000"
                                                                 "00010000",
         0, NO_TUNNEL "payload_length=12"},
        {"gtp length", 1, ETH("0800") OUT4("004c", "11") DATAGRAM("0868", "0038") "30ff002900000007" TCP4, 0,
         NO_TUNNEL "payload_length=48"},
        {"teredo", 1, ETH("0800") OUT4("0058", "11") DATAGRAM("0dd8", "0044") IP6("0014", "06") TCP, 0,
         OUTSIDE "src_ip=2001:db8::1 src_port=1000 tunnel_type=14"},
        {"teredo with all", 1,
         ETH("0800") OUT4("006d", "11") DATAGRAM("0dd8", "0059") "00010000000000000000000000"
                                                                 "0000"
                                                                 "3fff"
                                                                 "01020304" IP6("0014", "06") TCP,
         0, "src_ip=2001:db8::1 tunnel_type=14"},
        {"teredo with origin", 1,
         ETH("0800") OUT4("0060", "11") DATAGRAM("0dd8", "004c") "0000"
                                                                 "3fff"
                                                                 "01020304" IP6("0014", "06") TCP,
         0, "src_ip=2001:db8::1 tunnel_type=14"},
        {"teredo with authentication", 1,
         ETH("0800") OUT4("0065", "11")
             DATAGRAM("0dd8", "0051") "00010000000000000000000000" IP6("0014", "06") TCP,
         0, "src_ip=2001:db8::1 tunnel_type=14"},
        {"l2tp", 1,
         ETH("0800") OUT4("0050", "11") DATAGRAM("06a5", "003c") "0002"
                                                                 "0003"
                                                                 "0004"
                                                                 "ff030021" TCP4 "0000",
         0, "src_port=1000 tunnel_type=15 tunnel_id=196612 padding_length=2 quality=0"},
        {"l2tp with all", 1,
         ETH("0800") OUT4("0058", "11") DATAGRAM("06a5", "0044") "4a02"
                                                                 "003c"
                                                                 "0003"
                                                                 "0004"
                                                                 "00000000"
                                                                 "0002"
                                                                 "0000"
                                                                 "ff030021" TCP4,
         0, INNER "tunnel_type=15 tunnel_id=196612"},
        {"l2tp control", 1,
         ETH("0800") OUT4("0028", "11") DATAGRAM("06a5", "0014") "c802"
                                                                 "000c"
                                                                 "0003"
                                                                 "0000"
                                                                 "00000000",
         0, NO_TUNNEL "payload_length=12"},
        {"l2tp 3 over udp", 1,
         ETH("0800") OUT4("005a", "11") DATAGRAM("06a5", "0046") "00030000"
                                                                 "00000007" FRAME,
         0, INNER ENDS "tunnel_type=16 tunnel_id=7"},
        {"ayiya", 1,
         ETH("0800") OUT4("0074", "11") DATAGRAM("13d0", "0060") "41111129"
                                                                 "00000000"
                                                                 "00000000000000000000000000000001"
                                                                 "00000000" IP6("0014", "06") TCP,
         0, OUTSIDE "src_ip=2001:db8::1 src_port=1000 tunnel_type=18"},
        {"ayiya heartbeat", 1,
         ETH("0800") OUT4("0074", "11") DATAGRAM("13d0", "0060") "41111029"
                                                                 "00000000"
                                                                 "00000000000000000000000000000001"
                                                                 "00000000" IP6("0014", "06") TCP,
         0, NO_TUNNEL "dst_port=5072"},
        {"capwap ethernet", 1,
         ETH("0800") OUT4("005a", "11") DATAGRAM("147f", "0046") "0010020000000000" FRAME, 0,
         INNER ENDS "tunnel_type=19"},
        {"capwap wlan", 1,
         ETH("0800") OUT4("006c", "11") DATAGRAM("147f", "0058") "0010030000000000"
                                                                 "0801"
                                                                 "0000"
                                                                 "0200000000aa"
                                                                 "040000000001"
                                                                 "040000000002"
                                                                 "3012"
                                                                 "aaaa03000000"
                                                                 "0800" TCP4,
         0, INNER ENDS "tunnel_type=19"},
        {"capwap dtls", 1,
         ETH("0800") OUT4("0024", "11") DATAGRAM("147f", "0010") "01000000"
                                                                 "17feff00",
         0, NO_TUNNEL "dst_port=5247 quality=2000"},
        {"gre over udp", 1, ETH("0800") OUT4("0048", "11") DATAGRAM("1292", "0034") "00000800" TCP4, 0,
         INNER "tunnel_type=6"},
        {"mpls over udp", 1, ETH("0800") OUT4("0048", "11") DATAGRAM("19eb", "0034") "00064140" TCP4, 0,
         INNER "tunnel_type=23 tunnel_id=100"},
        {"esp over udp", 1,
         ETH("0800") OUT4("0028", "11") DATAGRAM("1194", "0014") "00001000"
                                                                 "00000001"
                                                                 "0badcafe",
         0, NO_TUNNEL "dst_port=4500 payload_length=12 quality=2000"},
        {"ike over udp", 1,
         ETH("0800") OUT4("0028", "11") DATAGRAM("1194", "0014") "00000000"
                                                                 "00000001"
                                                                 "0badcafe",
         0, NO_TUNNEL "dst_port=4500"},
        {"source port", 1,
         ETH("0800") OUT4("004c", "11") "0868"
                                        "d000"
                                        "0038"
                                        "0000"
                                        "30ff002800000007" TCP4,
         0, INNER "tunnel_type=13"},
        {"other port", 1,
         ETH("0800") OUT4("004c", "11") "0869"
                                        "d000"
                                        "0038"
                                        "0000"
                                        "30ff002800000007" TCP4,
         0, NO_TUNNEL "src_port=2153"},
        {"udp over ipv6", 1, ETH("86dd") OUT6("0038", "11") DATAGRAM("0868", "0038") "30ff002800000007" TCP4,
         0, INNER OUTSIDE6 "tunnel_type=13"},
        {"quoted by an icmp error", 1,
         ETH("0800") OUT4("0054", "01") "0301000000000000" OUT4("004c", "11")
             DATAGRAM("0868", "0038") "30ff002800000007" TCP,
         0,
         NO_TUNNEL "icmp_type=3 icmp_src_ip=10.0.0.1 icmp_dst_ip=10.0.0.2 icmp_protocol=17 "
                   "icmp_src_port=49152 icmp_dst_port=2152 -src_port"},
    };
    CHECK_PACKETS(cases);
}
