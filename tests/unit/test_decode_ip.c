/* Rules of lib/decode: IPv4, IPv6 and its extension headers, AH, fragments, jumbograms. */
#include "decode_check.h"

Test(decode_ip, ipv4)
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
        {"length one beyond frame", 228, IP4("0029", "06") TCP, 0,
         "ip_length=41 payload_length=1 payload=0 quality=20"},
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
        {"unknown protocol", 1, ETH("0800") IP4("0018", "fd") "00000800", 0,
         "ip_protocol=253 l4_length=4 -src_port -payload_length quality=1000"},
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

Test(decode_ip, ipv6)
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
