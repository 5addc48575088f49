/* Rules of lib/decode: TCP, UDP, UDP-Lite, SCTP, DCCP, ICMP and ICMPv6. */
#include "decode_check.h"

#define TIMES                                                                                                \
    "0101080a"                                                                                               \
    "0000abcd"                                                                                               \
    "00001234"

Test(decode_transport, tcp)
{
    static const packet_case cases[] = {
        {"fields", 1,
         ETH("0800") IP4("002d", "06") "03e80050"
                                       "89abcdef"
                                       "fedcba98"
                                       "5118"
                                       "1234"
                                       "0000"
                                       "00ff" HELLO,
         0,
         "src_port=1000 dst_port=80 tcp_seq=2309737967 tcp_ack=4275878552 tcp_flags=280 tcp_window=4660 "
         "tcp_urgent_pointer=255 tcp_header_length=20 tcp_sack_permitted=0 -tcp_mss -tcp_timestamp "
         "payload_length=5 "
         "payload=5 l4_length=25 -icmp_type"},
        {"reserved bits are no flags", 1, ETH("0800") IP4("0028", "06") TCP_WIDE("5eff"), 0, "tcp_flags=255"},
        {"times", 1, ETH("0800") IP4("0039", "06") TCP_WIDE("8010") TIMES HELLO, 0,
         "tcp_header_length=32 tcp_timestamp=43981 tcp_timestamp_echo=4660 tcp_sack_permitted=0 "
         "payload_length=5"},
        {"syn", 1,
         ETH("0800") IP4("003c", "06") TCP_WIDE("a002") "020405b4"
                                                        "0402"
                                                        "080a0000abcd00001234"
                                                        "01"
                                                        "030307",
         0,
         "tcp_mss=1460 tcp_window_scale=7 tcp_sack_permitted=1 tcp_timestamp=43981 tcp_timestamp_echo=4660"},
        {"first of a kind", 1,
         ETH("0800") IP4("0034", "06") TCP_WIDE("8002") "020405b4"
                                                        "02040001"
                                                        "030307"
                                                        "01",
         0, "tcp_mss=1460 tcp_window_scale=7"},
        {"end of options", 1,
         ETH("0800") IP4("0030", "06") TCP_WIDE("7002") "00"
                                                        "020405b4"
                                                        "0402"
                                                        "01",
         0, "-tcp_mss tcp_sack_permitted=0"},
        {"wrong length", 1,
         ETH("0800") IP4("0030", "06") TCP_WIDE("7002") "020305"
                                                        "030307"
                                                        "0101",
         0, "-tcp_mss tcp_window_scale=7"},
        {"scale of a wrong length", 1,
         ETH("0800") IP4("0030", "06") TCP_WIDE("7002") "03040700"
                                                        "01010101",
         0, "-tcp_window_scale"},
        {"option length 0", 1,
         ETH("0800") IP4("0030", "06") TCP_WIDE("7002") "fe00"
                                                        "0402"
                                                        "01010101",
         0, "tcp_sack_permitted=0"},
        {"option length 1", 1,
         ETH("0800") IP4("0030", "06") TCP_WIDE("7002") "fe01"
                                                        "0402"
                                                        "01010101",
         0, "tcp_sack_permitted=0"},
        {"option beyond header", 1,
         ETH("0800") IP4("0030", "06") TCP_WIDE("6002") "01010204"
                                                        "05b40000",
         0, "-tcp_mss payload_length=4"},
        {"option without length", 1, ETH("0800") IP4("002c", "06") TCP_WIDE("6002") "01010102", 0,
         "-tcp_mss"},
        {"header length 16", 1, ETH("0800") IP4("0028", "06") TCP_WIDE("4002"), 0,
         "src_port=1000 dst_port=80 tcp_seq=7 tcp_header_length=16 -tcp_ack -tcp_flags -tcp_window "
         "-payload_length "
         "quality=200"},
        {"header beyond segment", 1, ETH("0800") IP4("0028", "06") TCP_WIDE("f002"), 0,
         "src_port=1000 tcp_ack=9 tcp_flags=2 tcp_header_length=60 tcp_window=65535 -payload_length "
         "-tcp_sack_permitted "
         "quality=200"},
        {"header beyond first fragment", 1,
         ETH("0800") "4500"
                     "0028"
                     "0102"
                     "2000"
                     "4006"
                     "0000" ADDRESSES TCP_WIDE("f002"),
         0, "tcp_flags=2 -payload_length quality=108"},
        {"segment too short", 1, ETH("0800") IP4("0020", "06") TCP, 0,
         "src_port=1000 tcp_seq=7 tcp_ack=9 -tcp_header_length -tcp_flags -payload_length padding_length=8 "
         "quality=120"},
        {"no segment", 1, ETH("0800") IP4("0014", "06") TCP, 0,
         "l4_length=0 -src_port padding_length=20 quality=120"},
        {"cut behind ports", 1, ETH("0800") IP4("05dc", "06") "03e80050", 1476,
         "src_port=1000 dst_port=80 -tcp_seq -payload_length l4_length=1480 quality=101"},
        {"cut in ports", 1, ETH("0800") IP4("05dc", "06") "03e800", 1477,
         "src_port=1000 -dst_port quality=101"},
        {"cut behind flags", 1,
         ETH("0800") IP4("05dc", "06") "03e80050"
                                       "00000007"
                                       "00000009"
                                       "5002",
         1466,
         "tcp_ack=9 tcp_flags=2 tcp_header_length=20 -tcp_window payload_length=1460 payload=0 quality=101"},
        {"cut in options", 1,
         ETH("0800") IP4("05dc", "06") TCP_WIDE("a002") "020405b4"
                                                        "04",
         1455,
         "tcp_mss=1460 -tcp_sack_permitted tcp_header_length=40 payload_length=1440 payload=0 quality=101"},
        {"cut behind an option", 1, ETH("0800") IP4("05dc", "06") TCP_WIDE("a002") "0402", 1458,
         "tcp_sack_permitted=1 quality=101"},
        {"snapped payload", 1, ETH("0800") IP4("05dc", "06") TCP HELLO, 1455,
         "payload_length=1460 payload=5 padding_length=0 tcp_sack_permitted=0 quality=1"},
    };
    CHECK_PACKETS(cases);
}

Test(decode_transport, udp)
{
    static const packet_case cases[] = {
        {"udp", 1, ETH("0800") IP4("0021", "11") UDP("000d") HELLO "000000", 0,
         "src_port=1000 dst_port=53 l4_length=13 payload_length=5 payload=5 padding_length=3 -tcp_flags "
         "-tcp_header_length -tcp_sack_permitted"},
        {"udp over ipv6", 1, ETH("86dd") IP6("000d", "11") UDP("000d") HELLO, 0,
         "dst_port=53 payload_length=5"},
        {"shorter than ip", 1, ETH("0800") IP4("0021", "11") UDP("000a") HELLO, 0,
         "l4_length=13 payload_length=2 payload=2"},
        {"longer than ip", 1, ETH("0800") IP4("0021", "11") UDP("0100") HELLO, 0,
         "payload_length=5 quality=20"},
        {"length 0", 1, ETH("0800") IP4("0021", "11") UDP("0000") HELLO, 0, "payload_length=5 quality=20"},
        {"length 0, offload", 1, ETH("0800") IP4("0000", "11") UDP("0000") HELLO, 0,
         "payload_length=5 quality=10"},
        {"ip length 0", 1, ETH("0800") IP4("0000", "11") UDP("000d") HELLO "000000", 0,
         "ip_length=36 payload_length=5 quality=10"},
        {"length 7", 1, ETH("0800") IP4("0021", "11") UDP("0007") HELLO, 0, "payload_length=5 quality=20"},
        {"too short", 1, ETH("0800") IP4("001a", "11") UDP("0008"), 0,
         "src_port=1000 dst_port=53 -payload_length padding_length=2 quality=120"},
        {"cut in ports", 1, ETH("0800") IP4("0021", "11") "03e800", 10,
         "src_port=1000 -dst_port quality=101"},
        {"cut in checksum", 1,
         ETH("0800") IP4("0021", "11") "03e80035"
                                       "000d"
                                       "00",
         6, "payload_length=5 payload=0 quality=101"},
        {"snapped", 1, ETH("0800") IP4("0021", "11") UDP("000a") "6865", 3,
         "payload_length=2 payload=2 quality=1"},
        {"udp-lite", 1, ETH("0800") IP4("0021", "88") UDP("0008") HELLO, 0,
         "ip_protocol=136 src_port=1000 dst_port=53 payload_length=5"},
        {"udp-lite too short", 1,
         ETH("0800") IP4("001a", "88") "03e80035"
                                       "0000",
         0, "dst_port=53 quality=120"},
    };
    CHECK_PACKETS(cases);
}

Test(decode_transport, others)
{
    static const packet_case cases[] = {
        {"sctp", 1,
         ETH("0800") IP4("0025", "84") "03e80050"
                                       "00000001"
                                       "00000000" HELLO,
         0, "ip_protocol=132 src_port=1000 dst_port=80 payload_length=5 l4_length=17"},
        {"sctp cut", 1,
         ETH("0800") IP4("0025", "84") "03e80050"
                                       "0000",
         11, "src_port=1000 dst_port=80 -payload_length quality=101"},
        {"dccp", 1,
         ETH("0800") IP4("0029", "21") "03e80050"
                                       "04000000"
                                       "01000000"
                                       "00000000" HELLO,
         0, "src_port=1000 dst_port=80 payload_length=5"},
        {"dccp offset 2", 1,
         ETH("0800") IP4("0029", "21") "03e80050"
                                       "02000000"
                                       "01000000"
                                       "00000000" HELLO,
         0, "src_port=1000 -payload_length quality=200"},
        {"dccp offset beyond", 1,
         ETH("0800") IP4("0029", "21") "03e80050"
                                       "06000000"
                                       "01000000"
                                       "00000000" HELLO,
         0, "-payload_length quality=200"},
        {"dccp cut", 1,
         ETH("0800") IP4("0029", "21") "03e80050"
                                       "04000000"
                                       "01000000"
                                       "00",
         8, "payload_length=5 payload=0 quality=101"},
        {"icmp", 1,
         ETH("0800") IP4("0021", "01") "0800"
                                       "0000"
                                       "00010002" HELLO "ff",
         0, "icmp_type=8 icmp_code=0 icmp_id=1 payload_length=5 l4_length=13 padding_length=1 -src_port"},
        {"icmp error", 1,
         ETH("0800") IP4("0038", "01") "0303"
                                       "0000"
                                       "00000000" IP4("0028", "06") "03e80050"
                                                                    "00000007",
         0, "icmp_type=3 icmp_code=3 src_ip=1.2.3.4 payload_length=28 -src_port -dst_port -icmp_id"},
        {"icmp cut", 1, ETH("0800") IP4("0021", "01") "0b", 12,
         "icmp_type=11 -icmp_code -payload_length quality=101"},
        {"icmp too short", 1, ETH("0800") IP4("0018", "01") "0b010000", 0,
         "icmp_type=11 icmp_code=1 quality=120"},
        {"icmpv6", 1,
         ETH("86dd") IP6("000d", "3a") "8000"
                                       "0000"
                                       "00010002" HELLO,
         0, "icmp_type=128 icmp_code=0 icmp_id=1 payload_length=5"},
        {"icmpv6 neighbour", 1,
         ETH("86dd") IP6("000d", "3a") "8700"
                                       "0000"
                                       "00010002" HELLO,
         0, "icmp_type=135 payload_length=5 -icmp_id"},
        {"icmp timestamp reply", 1,
         ETH("0800") IP4("0021", "01") "0e00"
                                       "0000"
                                       "fffe0002" HELLO,
         0, "icmp_type=14 icmp_id=65534 payload_length=5"},
    };
    CHECK_PACKETS(cases);
}
