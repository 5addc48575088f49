/* Rules of lib/decode: link types, Ethernet, VLAN, LLC, ARP, IPv4, IPv6, and the walk over layers. */
#include "decode_check.h"

#define TCP4 IP4("0028", "06") TCP

Test(decode, link_types)
{
    static const packet_case cases[] = {
        {"ethernet", 1, ETH("0800") TCP4, 0,
         "src_mac=020000000001 dst_mac=020000000002 ether_type=800 ip_version=4 src_ip=1.2.3.4 "
         "dst_ip=5.6.7.8 "
         "ip_protocol=6 src_port=1000 dst_port=80 -vlan_id -vlan_outer_id -tunnel_type -tunnel_id "
         "tunnel_depth=0"},
        {"raw 4", 101, TCP4, 0, "-src_mac -ether_type src_ip=1.2.3.4 src_port=1000"},
        {"raw 6", 101, IP6("0014", "06") TCP, 0, "ip_version=6 src_ip=2001:db8::1 src_port=1000"},
        {"raw 12", 12, TCP4, 0, "src_ip=1.2.3.4"},
        {"raw 14", 14, TCP4, 0, "src_ip=1.2.3.4"},
        {"raw other", 101, "5400", 0, "-ip_version quality=800"},
        {"raw empty", 101, "", 20, "-ip_version quality=101"},
        {"ipv4", 228, TCP4, 0, "src_ip=1.2.3.4"},
        {"ipv4 is 6", 228, IP6("0014", "06") TCP, 0, "-ip_version -src_ip quality=200"},
        {"ipv6", 229, IP6("0014", "06") TCP, 0, "src_ip=2001:db8::1"},
        {"ipv6 is 4", 229, TCP4 TCP, 0, "-ip_version -src_ip quality=200"},
        {"null le", 0, "02000000" TCP4, 0, "-src_mac -ether_type src_ip=1.2.3.4"},
        {"null be", 0, "00000002" TCP4, 0, "src_ip=1.2.3.4"},
        {"null 24", 0, "18000000" IP6("0014", "06") TCP, 0, "dst_ip=2001:db8::2"},
        {"null 28", 0, "0000001c" IP6("0014", "06") TCP, 0, "dst_ip=2001:db8::2"},
        {"null 30", 0, "1e000000" IP6("0014", "06") TCP, 0, "dst_ip=2001:db8::2"},
        {"null 10", 0, "0a000000" IP6("0014", "06") TCP, 0, "dst_ip=2001:db8::2"},
        {"null appletalk", 0, "10000000" TCP4, 0, "-ip_version quality=800"},
        {"loop", 108, "00000002" TCP4, 0, "src_ip=1.2.3.4"},
        {"loop 6", 108, "00000018" IP6("0014", "06") TCP, 0, "src_ip=2001:db8::1"},
        {"loop le", 108, "02000000" TCP4, 0, "-ip_version quality=800"},
        {"sll", 113,
         "0000"
         "0001"
         "0006"
         "0200000000010000"
         "0800" TCP4,
         0, "src_mac=020000000001 -dst_mac ether_type=800 src_ip=1.2.3.4"},
        {"sll short address", 113,
         "0000"
         "0001"
         "0004"
         "0200000000010000"
         "86dd" IP6("0014", "06") TCP,
         0, "-src_mac ether_type=86dd src_ip=2001:db8::1"},
        {"sll vlan", 113,
         "0000"
         "0001"
         "0006"
         "0200000000010000"
         "8100"
         "0007"
         "0800" TCP4,
         0, "vlan_id=7 ether_type=800 src_port=1000"},
        {"sll llc", 113,
         "0000"
         "0001"
         "0006"
         "0200000000010000"
         "0004"
         "aaaa03"
         "000000"
         "0800" TCP4,
         0, "ether_type=800 src_port=1000"},
        {"sll novell", 113,
         "0000"
         "0001"
         "0006"
         "0200000000010000"
         "0001"
         "ffff"
         "0022",
         0, "-ether_type src_mac=020000000001 quality=800"},
        {"sll gre", 113,
         "0000"
         "030a"
         "0004"
         "0102030400000000"
         "0800" TCP4,
         0, "-ether_type src_ip=1.2.3.4"},
        {"sll gre 6", 113,
         "0000"
         "030a"
         "0004"
         "0102030400000000"
         "86dd" IP6("0014", "06") TCP,
         0, "-ether_type src_ip=2001:db8::1"},
        {"sll gre other", 113,
         "0000"
         "030a"
         "0004"
         "0102030400000000"
         "880b"
         "0021",
         0, "-ether_type quality=800"},
        {"sll netlink", 113,
         "0004"
         "0338"
         "0000"
         "0000000000000000"
         "0800" TCP4,
         0, "-ether_type quality=800"},
        {"sll radiotap", 113,
         "0000"
         "0323"
         "0006"
         "0200000000010000"
         "0800" TCP4,
         0, "-ether_type quality=800"},
        {"sll frame relay", 113,
         "0000"
         "0302"
         "0000"
         "0200000000010000"
         "0800" TCP4,
         0, "-ether_type quality=800"},
        {"sll2", 276,
         "0800"
         "0000"
         "00000003"
         "0001"
         "00"
         "06"
         "0200000000010000" TCP4,
         0, "src_mac=020000000001 -dst_mac ether_type=800 src_ip=1.2.3.4 src_port=1000"},
        {"sll2 netlink", 276,
         "0800"
         "0000"
         "00000003"
         "0338"
         "00"
         "00"
         "0200000000010000" TCP4,
         0, "-src_mac -ether_type quality=800"},
        {"unknown link", 147, TCP4, 0,
         "link_type=147 frame_length=40 captured_length=40 -ip_version quality=400"},
        {"empty", 1, "", 0, "-src_mac -dst_mac -ether_type quality=120"},
    };
    CHECK_PACKETS(cases);
}

Test(decode, ethernet)
{
    static const packet_case cases[] = {
        {"vlan", 1,
         ETH("8100") "e007"
                     "0800" TCP4,
         0, "vlan_id=7 -vlan_outer_id ether_type=800 src_mac=020000000001 src_port=1000"},
        {"vlan ipv6", 1,
         ETH("8100") "e007"
                     "86dd" IP6("0014", "06") TCP,
         0, "vlan_id=7 ether_type=86dd dst_port=80 ip_header_length=40"},
        {"qinq", 1,
         ETH("88a8") "0005"
                     "8100"
                     "0006"
                     "0800" TCP4,
         0, "vlan_id=6 vlan_outer_id=5 ether_type=800 src_port=1000"},
        {"three tags", 1,
         ETH("9100") "0005"
                     "8100"
                     "0006"
                     "88a8"
                     "0007"
                     "0800" TCP4,
         0, "vlan_id=7 vlan_outer_id=5 src_port=1000"},
        {"9200 is no tag", 1,
         ETH("9200") "0005"
                     "0800" TCP4,
         0, "-vlan_id ether_type=9200 quality=800"},
        {"vlan with length", 1,
         ETH("8100") "0005"
                     "0030"
                     "aaaa03"
                     "000000"
                     "0800" TCP4 "5555",
         0, "vlan_id=5 ether_type=800 src_port=1000 padding_length=2"},
        {"vlan with llc", 1,
         ETH("8100") "0005"
                     "0003"
                     "424203"
                     "000000",
         0, "vlan_id=5 -ether_type quality=800"},
        {"cut in tag", 1, ETH("8100") "0005", 60, "vlan_id=5 ether_type=8100 quality=101"},
        {"cut in address", 1, "0200000000020200", 60,
         "dst_mac=020000000002 -src_mac -ether_type quality=101"},
        {"cut in type", 1, MACS "08", 60, "src_mac=020000000001 -ether_type quality=101"},
        {"mpls", 1, ETH("8847") "0001e140" TCP4, 0, "ether_type=8847 -ip_version quality=800"},
        {"lldp", 1, ETH("88cc") "0207", 0, "ether_type=88cc quality=800"},
        {"snap", 1,
         ETH("0030") "aaaa03"
                     "000000"
                     "0800" TCP4 "00000000",
         0, "ether_type=800 src_port=1000 padding_length=4"},
        {"snap 802.1H", 1,
         ETH("0030") "aaaa03"
                     "0000f8"
                     "0800" TCP4,
         0, "ether_type=800 src_port=1000"},
        {"snap cisco", 1,
         ETH("0010") "aaaa03"
                     "00000c"
                     "2000"
                     "0000000000000000",
         0, "-ether_type quality=800"},
        {"snap vlan", 1,
         ETH("0034") "aaaa03"
                     "000000"
                     "8100"
                     "0009"
                     "0800" TCP4,
         0, "vlan_id=9 src_port=1000"},
        {"snap small type", 1,
         ETH("0010") "aaaa03"
                     "000000"
                     "0005"
                     "0000000000000000",
         0, "-ether_type quality=800"},
        {"llc ip", 1, ETH("002b") "060603" TCP4, 0, "-ether_type src_ip=1.2.3.4 src_port=1000"},
        {"stp", 1,
         ETH("0026") "424203"
                     "0000000000",
         0, "-ether_type quality=820"},
        {"novell", 1,
         ETH("0010") "ffff"
                     "00100000000000000000000000000000",
         0, "-ether_type quality=800"},
        {"length bounds ip", 1,
         ETH("0020") "aaaa03"
                     "000000"
                     "0800" TCP4,
         0,
         "ip_length=40 l4_length=20 src_port=1000 dst_port=80 -tcp_seq padding_length=0 "
         "quality=120"},
        {"length beyond frame", 1,
         ETH("0100") "aaaa03"
                     "000000"
                     "0800" TCP4,
         0, "src_port=1000 quality=20"},
        {"1501 to 1535", 1,
         ETH("05e0") "aaaa03"
                     "000000"
                     "0800" TCP4,
         0, "-ether_type -ip_version quality=800"},
        {"jumbo llc", 1,
         ETH("8870") "aaaa03"
                     "000000"
                     "0800" TCP4,
         0, "ether_type=800 src_port=1000"},
        {"arp", 1,
         ETH("0806") "0001080006040002"
                     "020000000001"
                     "01020304"
                     "020000000002"
                     "05060708",
         0, "ether_type=806 arp_operation=2 -src_ip -dst_ip -ip_version -padding_length"},
        {"rarp", 1,
         ETH("8035") "0001080006040003"
                     "020000000001"
                     "01020304"
                     "020000000002"
                     "05060708",
         0, "arp_operation=3"},
        {"arp cut in addresses", 1,
         ETH("0806") "0001080006040001"
                     "0200",
         18, "arp_operation=1 quality=101"},
        {"arp cut", 1, ETH("0806") "000108000604", 22, "-arp_operation quality=101"},
    };
    CHECK_PACKETS(cases);
}

Test(decode, ipv4)
{
    static const packet_case cases[] = {
        {"fields", 1,
         ETH("0800") "45b8"
                     "002d"
                     "beef"
                     "6000"
                     "3f06"
                     "0000" ADDRESSES TCP HELLO "0000000000",
         0,
         "ip_tos=184 ip_id=48879 ip_flags=3 fragment_offset=0 ip_ttl=63 ip_length=45 ip_header_length=20 "
         "l4_length=25 "
         "payload_length=5 payload=5 padding_length=5 -ipv6_flow_label quality=8"},
        {"reserved bit", 1,
         ETH("0800") "4500"
                     "0028"
                     "0000"
                     "8000"
                     "4006"
                     "0000" ADDRESSES TCP,
         0, "ip_flags=4 src_port=1000"},
        {"options", 1,
         ETH("0800") "4700"
                     "0030"
                     "0102"
                     "4000"
                     "4006"
                     "0000" ADDRESSES "0101010101010100" TCP,
         0, "ip_header_length=28 l4_length=20 payload_length=0 src_port=1000"},
        {"options cut", 1,
         ETH("0800") "4700"
                     "0030"
                     "0102"
                     "4000"
                     "4006"
                     "0000" ADDRESSES "0101",
         26, "ip_header_length=28 l4_length=20 ip_protocol=6 dst_ip=5.6.7.8 -src_port quality=101"},
        {"padding of a snapped frame", 1, ETH("0800") IP4("0028", "06") TCP, 6, "padding_length=6 quality=1"},
        {"length 0", 1, ETH("0800") IP4("0000", "06") TCP HELLO, 0,
         "ip_length=45 l4_length=25 payload_length=5 padding_length=0 quality=10"},
        {"length 0 snapped", 1, ETH("0800") IP4("0000", "06") TCP HELLO, 3000,
         "ip_length=3045 payload_length=3005 payload=5 quality=11"},
        {"length below header", 1, ETH("0800") IP4("0010", "06") TCP, 0,
         "ip_length=16 src_ip=1.2.3.4 l4_length=0 -src_port -payload_length quality=220"},
        {"length within options", 1,
         ETH("0800") "4700"
                     "001a"
                     "0102"
                     "4000"
                     "4006"
                     "0000" ADDRESSES "0101010101010100",
         0, "ip_length=26 l4_length=0 quality=220"},
        {"length beyond frame", 1, ETH("0800") IP4("0100", "06") TCP HELLO, 0,
         "ip_length=256 l4_length=236 payload_length=216 payload=5 padding_length=0 quality=20"},
        {"version", 1,
         ETH("0800") "6500"
                     "0028"
                     "0102"
                     "4000"
                     "4006"
                     "0000" ADDRESSES TCP,
         0, "ether_type=800 -ip_version -src_ip -padding_length quality=200"},
        {"header length", 1,
         ETH("0800") "4400"
                     "0028"
                     "0102"
                     "4000"
                     "4006"
                     "0000" ADDRESSES TCP,
         0, "-ip_version -src_ip quality=200"},
        {"cut in address", 1,
         ETH("0800") "4500"
                     "0028"
                     "0102"
                     "4000"
                     "4006"
                     "0000"
                     "01020304"
                     "0506",
         22,
         "ip_length=40 l4_length=20 l4_offset=34 padding_length=0 src_ip=1.2.3.4 -dst_ip ip_protocol=6 "
         "ip_ttl=64 "
         "quality=101"},
        {"cut in length", 1, ETH("0800") "450000", 37,
         "ip_version=4 ip_tos=0 -ip_length -l4_length quality=101"},
        {"cut before ip", 1, ETH("0800"), 40, "-ip_version quality=101"},
        {"runt", 1,
         ETH("0800") "4500"
                     "0028",
         0, "ip_length=40 -ip_ttl quality=120"},
        {"first fragment", 1,
         ETH("0800") "4500"
                     "0020"
                     "0102"
                     "2000"
                     "4011"
                     "0000" ADDRESSES UDP("0400") "00000000",
         0, "ip_flags=1 fragment_offset=0 src_port=1000 payload_length=4 quality=8"},
        {"later fragment", 1,
         ETH("0800") "4500"
                     "0020"
                     "0102"
                     "2003"
                     "4011"
                     "0000" ADDRESSES UDP("0400") "00000000",
         0, "ip_flags=1 fragment_offset=24 ip_protocol=17 l4_length=12 -src_port -payload_length quality=8"},
        {"last fragment", 1,
         ETH("0800") "4500"
                     "0020"
                     "0102"
                     "1fff"
                     "4011"
                     "0000" ADDRESSES UDP("0400") "00000000",
         0, "ip_flags=0 fragment_offset=65528 -src_port quality=8"},
        {"tiny fragment", 1,
         ETH("0800") "4500"
                     "001c"
                     "0102"
                     "2000"
                     "4006"
                     "0000" ADDRESSES "03e8005000000007",
         0, "src_port=1000 dst_port=80 tcp_seq=7 -tcp_ack -tcp_flags -payload_length quality=108"},
        {"ip in ip", 1, ETH("0800") IP4("003c", "04") TCP4, 0,
         "src_ip=1.2.3.4 ip_protocol=4 l4_length=40 -src_port -payload_length quality=1000"},
        {"gre", 1, ETH("0800") IP4("0018", "2f") "00000800", 0, "ip_protocol=47 quality=1000"},
        {"esp", 1, ETH("0800") IP4("001c", "32") "0000000100000001", 0,
         "ip_protocol=50 l4_length=8 quality=2000"},
        {"ah", 1,
         ETH("0800") IP4("0040", "33") "06040000"
                                       "0000000100000001"
                                       "000000000000000000000000" TCP,
         0, "ip_protocol=6 ip_header_length=44 l4_length=20 src_port=1000 payload_length=0"},
        {"ah too short", 1,
         ETH("0800") IP4("0040", "33") "06000000"
                                       "0000000100000001"
                                       "000000000000000000000000" TCP,
         0, "ip_protocol=51 ip_header_length=20 -src_port quality=200"},
        {"ah beyond datagram", 1,
         ETH("0800") IP4("0020", "33") "06040000"
                                       "0000000100000001",
         0, "ip_protocol=51 l4_length=12 quality=120"},
        {"hop-by-hop is not for ipv4", 1, ETH("0800") IP4("001c", "00") "0600000000000000", 0,
         "ip_protocol=0 quality=1000"},
        {"no next header is not for ipv4", 1, ETH("0800") IP4("0014", "3b"), 0,
         "ip_protocol=59 quality=1000"},
    };
    CHECK_PACKETS(cases);
}

#define EXT(next)                                                                                            \
    next "0001040000"                                                                                        \
         "0000"

Test(decode, ipv6)
{
    static const packet_case cases[] = {
        {"fields", 1,
         ETH("86dd") "6b812345"
                     "0019"
                     "063f" ADDRESSES6 TCP HELLO "ffff",
         0,
         "ip_version=6 src_ip=2001:db8::1 dst_ip=2001:db8::2 ip_tos=184 ipv6_flow_label=74565 ip_ttl=63 "
         "ip_length=65 "
         "ip_header_length=40 l4_length=25 payload_length=5 padding_length=2 -ip_id -ip_flags "
         "-fragment_offset"},
        {"hop-by-hop", 1, ETH("86dd") IP6("001c", "00") EXT("06") TCP, 0,
         "ip_protocol=6 ip_header_length=48 ip_length=68 l4_length=20 src_port=1000"},
        {"routing", 1, ETH("86dd") IP6("001c", "2b") EXT("06") TCP, 0, "ip_protocol=6 src_port=1000"},
        {"destination", 1, ETH("86dd") IP6("001c", "3c") EXT("06") TCP, 0, "ip_protocol=6 src_port=1000"},
        {"mobility", 1, ETH("86dd") IP6("0008", "87") EXT("3b"), 0,
         "ip_protocol=59 ip_header_length=48 l4_length=0"},
        {"hip", 1, ETH("86dd") IP6("0008", "8b") EXT("3b"), 0, "ip_protocol=59"},
        {"shim6", 1, ETH("86dd") IP6("001c", "8c") EXT("06") TCP, 0, "ip_protocol=6 src_port=1000"},
        {"experimental", 1, ETH("86dd") IP6("001c", "fd") EXT("06") TCP, 0, "ip_protocol=253 quality=1000"},
        {"ah", 1,
         ETH("86dd") IP6("002c", "33") "06040000"
                                       "0000000100000001"
                                       "000000000000000000000000" TCP,
         0, "ip_protocol=6 ip_header_length=64 src_port=1000"},
        {"esp", 1, ETH("86dd") IP6("0008", "32") "0000000100000001", 0, "ip_protocol=50 quality=2000"},
        {"no next header", 1, ETH("86dd") IP6("0000", "3b") "0000", 0,
         "ip_protocol=59 l4_length=0 padding_length=2 -payload_length"},
        {"chain", 1,
         ETH("86dd") IP6("0030", "00") EXT("3c") EXT("2b") EXT("3c") EXT("11") UDP("0010") "0000000000000000",
         0, "ip_protocol=17 ip_header_length=72 l4_offset=86 l4_length=16 payload_length=8"},
        {"long extension", 1,
         ETH("86dd") IP6("0018", "3c") "1101"
                                       "000000000000"
                                       "0000000000000000" UDP("0008"),
         0, "ip_protocol=17 ip_header_length=56 payload_length=0"},
        {"extension beyond datagram", 1,
         ETH("86dd") IP6("0008", "3c") "0601"
                                       "000000000000" TCP,
         0, "ip_protocol=60 ip_header_length=40 l4_length=8 quality=120"},
        {"extension cut", 1, ETH("86dd") IP6("001c", "3c") "0600", 26,
         "ip_protocol=60 ip_length=68 l4_length=28 -src_port quality=101"},
        {"depth limit", 1,
         ETH("86dd") IP6("0084", "3c") EXT("3c") EXT("3c") EXT("3c") EXT("3c") EXT("3c") EXT("3c") EXT("3c")
             EXT("3c") EXT("3c") EXT("3c") EXT("3c") EXT("3c") EXT("3c") EXT("06") TCP,
         0, "ip_protocol=6 ip_header_length=152 -src_port quality=4000"},
        {"atomic fragment", 1,
         ETH("86dd") IP6("001c", "2c") "06000000"
                                       "0000abcd" TCP,
         0, "ip_protocol=6 ip_id=43981 ip_flags=0 fragment_offset=0 ip_header_length=48 src_port=1000"},
        {"first fragment", 1,
         ETH("86dd") IP6("001c", "2c") "06000001"
                                       "0000abcd" TCP,
         0, "ip_flags=1 fragment_offset=0 src_port=1000 quality=8"},
        {"later fragment", 1,
         ETH("86dd") IP6("001c", "2c") "060000b9"
                                       "0000abcd" TCP,
         0, "ip_flags=1 fragment_offset=184 ip_protocol=6 l4_length=20 -src_port quality=8"},
        {"udp longer than its first fragment", 1,
         ETH("86dd") IP6("0014", "2c") "11000001"
                                       "0000abcd" UDP("0100") "00000000",
         0, "payload_length=4 quality=8"},
        {"jumbogram", 1,
         ETH("86dd") IP6("0000", "00") "1100"
                                       "c204"
                                       "00011178" UDP("0000"),
         0,
         "ip_length=70048 ip_header_length=48 l4_length=70000 payload_length=69992 payload=69992 "
         "src_port=1000 padding_length=3",
         69995},
        {"jumbogram behind padding", 1,
         ETH("86dd") IP6("0000", "00") "1101"
                                       "0101"
                                       "00"
                                       "00"
                                       "c204"
                                       "00011180"
                                       "0100"
                                       "0000" UDP("0000"),
         0, "ip_length=70056 ip_header_length=56 l4_length=70000 payload_length=69992 padding_length=0",
         69992},
        {"jumbogram beyond frame", 1,
         ETH("86dd") IP6("0000", "00") "1100"
                                       "c204"
                                       "ffffffff" UDP("0000"),
         0, "ip_length=4294967295 l4_length=4294967287 payload=4 quality=20", 4},
        {"jumbo length too small", 1,
         ETH("86dd") IP6("0000", "00") "0600"
                                       "c204"
                                       "0000001c" TCP,
         0, "ip_length=40 l4_length=0 padding_length=28 -src_port quality=120"},
        {"length 0 in a small frame", 1, ETH("86dd") IP6("0000", "06") TCP, 0,
         "ip_length=40 ip_protocol=6 padding_length=20 -src_port quality=120"},
        {"length 0 in a large frame", 1, ETH("86dd") IP6("0000", "06") TCP, 0,
         "ip_length=70060 payload_length=70000 padding_length=0 quality=10", 70000},
        {"length beyond frame", 1, ETH("86dd") IP6("0100", "06") TCP, 0,
         "ip_length=296 payload_length=236 quality=20"},
        {"version", 1,
         ETH("86dd") "40012345"
                     "0014"
                     "0640" ADDRESSES6 TCP,
         0, "-ip_version -src_ip quality=200"},
        {"cut in address", 1,
         ETH("86dd") "60012345"
                     "0014"
                     "0640"
                     "20010db800000000",
         44, "ip_length=60 l4_length=20 l4_offset=54 ip_protocol=6 -src_ip quality=101"},
        {"icmp 4 in 6", 1, ETH("86dd") IP6("0008", "01") "0800000000000000", 0,
         "icmp_type=8 payload_length=0"},
    };
    CHECK_PACKETS(cases);
}

Test(decode, layers_are_limited)
{
    static const packet_case c = {"",
                                  1,
                                  ETH("88a8") "0005"
                                              "8100"
                                              "0006"
                                              "0800" TCP4,
                                  0,
                                  "",
                                  0};
    static const uint64_t gained[] = {NF_MAC_BITS,    NF_BIT(VLAN_ID), NF_BIT(VLAN_OUTER_ID),
                                      NF_BIT(SRC_IP), NF_PORT_BITS,    0};
    uint32_t size;
    uint8_t *data = from_hex(&c, &size);

    for (uint32_t max = 1; max <= 6; max++) {
        nf_decode_config config = {~UINT64_C(0), max};
        nf_packet p;

        nf_decode(&config, 1, data, size, size, &p);
        cr_expect_eq(p.quality, max < 5 ? NETFEAT_QUALITY_DEPTH_LIMIT : 0, "%u: %x", max, p.quality);
        for (uint32_t i = 0; i < 5; i++) {
            cr_expect_eq(p.present & gained[i], i < max ? gained[i] : 0, "%u layers, %u", max, i);
        }
    }
    free(data);
}

Test(decode, frame_lengths_that_contradict)
{
    static const packet_case c = {"", 1, ETH("0800") TCP4, 0, "", 0};
    nf_decode_config config = {~UINT64_C(0), 16};
    uint32_t size;
    uint8_t *data = from_hex(&c, &size);
    nf_packet p;

    /* fewer bytes on the wire than in the file: the bytes that are there count */
    nf_decode(&config, 1, data, size, 10, &p);
    cr_expect_eq(p.quality, NETFEAT_QUALITY_BAD_LENGTH);
    cr_expect_eq(p.frame_length, 10);
    cr_expect_eq(p.src_port, 1000);
    cr_expect_eq(p.padding_length, 0);
    nf_decode(&config, 1, NULL, 0, 0, &p);
    cr_expect_eq(p.present, 0);
    nf_decode(&config, 1, data, size, UINT32_MAX, &p);
    cr_expect_eq(p.quality, NETFEAT_QUALITY_SNAPPED);
    cr_expect_eq(p.padding_length, UINT32_MAX - size);
    free(data);
}

Test(decode, catalogue)
{
    int count = 0, last = 0;

    for (int id = netfeat_field_next(0); id != 0; id = netfeat_field_next(id)) {
        cr_assert_gt(id, last);
        cr_expect_eq(netfeat_field_by_name(netfeat_field_name(id)), id);
        cr_expect(netfeat_field_type(id) >= NETFEAT_TYPE_BOOL && netfeat_field_type(id) <= NETFEAT_TYPE_LIST);
        cr_expect_gt(strlen(netfeat_field_help(id)), 5);
        cr_expect_gt(strlen(netfeat_field_null_rule(id)), 4);
        cr_expect_not_null(netfeat_field_unit(id));
        last = id;
        count++;
    }
    cr_expect_eq(count, 49);
    cr_expect_eq(last, NETFEAT_FIELD_L4_OFFSET);
    cr_expect_eq(netfeat_field_by_name("src_port"), NETFEAT_FIELD_SRC_PORT);
    cr_expect_eq(netfeat_field_type(NETFEAT_FIELD_SRC_IP), NETFEAT_TYPE_BYTES16);
    cr_expect_str_eq(netfeat_field_unit(NETFEAT_FIELD_TIMESTAMP), "ns");
    cr_expect_str_eq(netfeat_field_null_rule(NETFEAT_FIELD_QUALITY), "never");
    cr_expect_eq(netfeat_field_by_name("nothing"), NETFEAT_ERR_NOTFOUND);
    cr_expect_eq(netfeat_field_by_name(NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_field_next(-5), 1);
    cr_expect_eq(netfeat_field_next(INT_MAX), 0);
    static const int unknown[] = {INT_MIN, -1, 0, 50, 63, 64, 1000, INT_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        cr_expect_null(netfeat_field_name(unknown[i]));
        cr_expect_null(netfeat_field_unit(unknown[i]));
        cr_expect_null(netfeat_field_null_rule(unknown[i]));
        cr_expect_null(netfeat_field_help(unknown[i]));
        cr_expect_eq(netfeat_field_type(unknown[i]), NETFEAT_ERR_NOTFOUND);
    }
}
