/* Rules of lib/decode: link types, each with its number. Two packets to the link: one with a transport behind it,
   and what its header can say otherwise. */
#include "decode_check.h"

#define SNAP(type) "aaaa03000000" type
#define WLAN_TO_AP                                                                                           \
    "0801"                                                                                                   \
    "0000"                                                                                                   \
    "0200000000aa"                                                                                           \
    "020000000001"                                                                                           \
    "020000000002"                                                                                           \
    "3012"
#define ENDS "src_mac=020000000001 dst_mac=020000000002 "
#define SEEN "src_ip=1.2.3.4 dst_ip=5.6.7.8 src_port=1000 dst_port=80 padding_length=0 "
#define GRH  "60000000001c11400000000000000000000000000000000000000000000000000000000000000000"
#define PKTAP(dlt)                                                                                           \
    "6c000000"                                                                                               \
    "01000000" dlt "000000"                                                                                  \
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"       \
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"

Test(decode_link, serial_lines)
{
    static const packet_case cases[] = {
        {"ppp", 9, "ff030021" TCP4, 0, SEEN "-ether_type -src_mac"},
        {"ppp bare", 9, "0021" TCP4, 0, SEEN},
        {"ppp short", 9, "21" TCP4, 0, SEEN},
        {"ppp ipv6", 9, "ff030057" IP6("0014", "06") TCP, 0, "src_ip=2001:db8::1 src_port=1000"},
        {"ppp lcp", 9, "ff03c02101010004", 0, "-ip_version quality=800"},
        {"ppp compressed", 9, "ff0300fd9001", 0, "quality=2000"},
        {"ppp encrypted", 9, "ff0300539001", 0, "quality=2000"},
        {"ppp mpls", 9,
         "ff030281"
         "000640ff"
         "00065140" TCP4,
         0, SEEN "tunnel_type=1 tunnel_id=101"},
        {"ppp hdlc", 50, "ff030021" TCP4, 0, SEEN},
        {"ppp hdlc as cisco", 50, "0f000800" TCP4, 0, SEEN "ether_type=800"},
        {"ppp pppoe", 51,
         "110000070016"
         "0021" IP4("0014", "fd") "00",
         0, "tunnel_type=3 tunnel_depth=1 tunnel_id=7 src_ip=1.2.3.4 padding_length=1 quality=1000"},
        {"ppp with direction", 204, "01ff030021" TCP4, 0, SEEN},
        {"cisco hdlc", 104, "8f000800" TCP4, 0, SEEN "ether_type=800"},
        {"cisco with vlan", 104,
         "0f008100"
         "00050800" TCP4,
         0, "-vlan_id -src_ip quality=800"},
        {"cisco slarp", 104, "8f00803500000002", 0, "-arp_operation -ether_type quality=800"},
        {"cisco mpls", 104,
         "0f008847"
         "00064140" TCP4,
         0, SEEN "tunnel_type=1 tunnel_id=100"},
        {"frame relay", 107, "184103cc" TCP4, 0, SEEN},
        {"frame relay long address", 107,
         "18400041"
         "03cc" TCP4,
         0, SEEN},
        {"frame relay ipv6", 107, "1841038e" IP6("0014", "06") TCP, 0, "src_ip=2001:db8::1"},
        {"frame relay snap", 107,
         "184103"
         "0080"
         "000000"
         "0800" TCP4,
         0, SEEN "ether_type=800"},
        {"frame relay bridged", 107,
         "184103"
         "0080"
         "0080c2"
         "0007" ETH("0800") TCP4,
         0, SEEN ENDS},
        {"frame relay cisco", 107, "18410800" TCP4, 0, SEEN "ether_type=800"},
        {"frame relay lmi", 107,
         "00010308"
         "0075",
         0, "quality=800"},
        {"multilink whole", 182,
         "c001"
         "184103cc" TCP4,
         0, SEEN},
        {"multilink piece", 182,
         "8001"
         "184103cc" TCP4,
         0, "-src_ip quality=800"},
        {"slip direction", 8, "02000000000000000000000000000000" TCP4, 0, "-src_ip quality=200"},
        {"slip", 8,
         "00"
         "00"
         "0000000000000000000000000000" TCP4,
         0, SEEN},
    };
    CHECK_PACKETS(cases);
}

Test(decode_link, wlan)
{
    static const packet_case cases[] = {
        {"to the access point", 105, WLAN_TO_AP "" SNAP("0800") TCP4, 0, SEEN ENDS "ether_type=800"},
        {"from the access point", 105,
         "0802"
         "0000"
         "020000000002"
         "0200000000aa"
         "020000000001"
         "3012" SNAP("0800") TCP4,
         0, SEEN ENDS},
        {"among stations", 105,
         "0800"
         "0000"
         "020000000002"
         "020000000001"
         "0200000000aa"
         "3012" SNAP("0800") TCP4,
         0, SEEN ENDS},
        {"four addresses", 105,
         "0803"
         "0000"
         "0200000000aa"
         "0200000000bb"
         "020000000002"
         "3012"
         "020000000001" SNAP("0800") TCP4,
         0, SEEN ENDS},
        {"qos", 105,
         "8801"
         "0000"
         "0200000000aa"
         "020000000001"
         "020000000002"
         "3012"
         "0600" SNAP("0800") TCP4,
         0, SEEN ENDS},
        {"qos with ht control", 105,
         "8881"
         "0000"
         "0200000000aa"
         "020000000001"
         "020000000002"
         "3012"
         "0600"
         "00000000" SNAP("0800") TCP4,
         0, SEEN ENDS},
        {"amsdu", 105,
         "8801"
         "0000"
         "0200000000aa"
         "0200000000bb"
         "0200000000aa"
         "3012"
         "8000" MACS "0030" SNAP("0800") TCP4 "0000"
                                              "020000000009",
         0, "src_ip=1.2.3.4 src_port=1000 padding_length=8 " ENDS},
        {"null", 105,
         "4801"
         "0000"
         "0200000000aa"
         "020000000001"
         "020000000002"
         "3012",
         0, ENDS "quality=800"},
        {"protected", 105,
         "0841"
         "0000"
         "0200000000aa"
         "020000000001"
         "020000000002"
         "3012"
         "0102030405060708",
         0, ENDS "-src_ip quality=2000"},
        {"first fragment", 105,
         "0805"
         "0000"
         "0200000000aa"
         "020000000001"
         "020000000002"
         "3012" SNAP("0800") TCP4,
         0, ENDS SEEN "quality=8"},
        {"later fragment", 105,
         "0801"
         "0000"
         "0200000000aa"
         "020000000001"
         "020000000002"
         "3112" SNAP("0800") TCP4,
         0, ENDS "-src_ip quality=808"},
        {"beacon", 105,
         "8000"
         "0000"
         "ffffffffffff"
         "020000000001"
         "020000000001"
         "3012"
         "0000",
         0, "src_mac=020000000001 dst_mac=ffffffffffff quality=800"},
        {"acknowledgement", 105,
         "d400"
         "0000"
         "020000000002",
         0, "dst_mac=020000000002 -src_mac quality=800"},
        {"request to send", 105,
         "b400"
         "0000"
         "020000000002"
         "020000000001",
         0, ENDS "quality=800"},
        {"extension", 105,
         "0c00"
         "0000"
         "020000000002"
         "020000000001",
         0, "-dst_mac quality=800"},
        {"version", 105,
         "0901"
         "0000"
         "0200000000aa"
         "020000000001"
         "020000000002"
         "3012",
         0, "quality=200"},
    };
    CHECK_PACKETS(cases);
}

Test(decode_link, in_front_of_wlan)
{
    static const packet_case cases[] = {
        {"radiotap", 127,
         "0000"
         "0800"
         "00000000" WLAN_TO_AP SNAP("0800") TCP4,
         0, SEEN ENDS},
        {"radiotap with checksum", 127,
         "0000"
         "1200"
         "03000000"
         "0000000000000000"
         "10"
         "00" WLAN_TO_AP SNAP("0800") TCP4 "01020304",
         0, "src_port=1000 payload_length=0 padding_length=4 " ENDS},
        {"radiotap with more words", 127,
         "0000"
         "0e00"
         "02000080"
         "00000000"
         "10"
         "00" WLAN_TO_AP SNAP("0800") TCP4 "01020304",
         0, "src_port=1000 padding_length=4 " ENDS},
        {"radiotap with padding", 127,
         "0000"
         "0a00"
         "02000000"
         "20"
         "00"
         "8801"
         "0000"
         "0200000000aa"
         "020000000001"
         "020000000002"
         "3012"
         "0600"
         "0000" SNAP("0800") TCP4,
         0, SEEN ENDS},
        {"radiotap version", 127,
         "0100"
         "0800"
         "00000000" WLAN_TO_AP,
         0, "-src_mac quality=200"},
        {"radiotap length", 127,
         "0000"
         "0700"
         "00000000" WLAN_TO_AP,
         0, "-src_mac quality=200"},
        {"avs", 163,
         "80211001"
         "0000000c"
         "00000000" WLAN_TO_AP SNAP("0800") TCP4,
         0, SEEN ENDS},
        {"avs magic", 163,
         "80221001"
         "0000000c"
         "00000000",
         0, "quality=200"},
        {"prism as avs", 119,
         "80211001"
         "0000000c"
         "00000000" WLAN_TO_AP SNAP("0800") TCP4,
         0, SEEN ENDS},
        {"prism magic", 119,
         "80221001"
         "0000000c"
         "00000000",
         0, "quality=200"},
        {"ppi", 192,
         "00000800"
         "69000000" WLAN_TO_AP SNAP("0800") TCP4,
         0, SEEN ENDS},
        {"ppi with checksum", 192,
         "00002000"
         "69000000"
         "0200"
         "1400"
         "0000000000000000"
         "0100"
         "00000000000000000000" WLAN_TO_AP SNAP("0800") TCP4 "01020304",
         0, "src_port=1000 padding_length=4 " ENDS},
        {"ppi ethernet", 192,
         "00000800"
         "01000000" ETH("0800") TCP4,
         0, SEEN ENDS},
        {"ppi unknown", 192,
         "00000800"
         "93000000" ETH("0800") TCP4,
         0, "-src_ip quality=400"},
        {"ppi length", 192,
         "00000700"
         "69000000",
         0, "quality=200"},
    };
    static const packet_case prism = {"prism", 119,
                                      "44000000"
                                      "90000000",
                                      0, "-src_ip quality=120"};
    CHECK_PACKETS(cases);
    check_packets(&prism, 1);
}

Test(decode_link, local_networks)
{
    static const packet_case cases[] = {
        {"fddi", 10, "50" MACS SNAP("0800") TCP4, 0, SEEN ENDS "ether_type=800"},
        {"fddi smt", 10, "41" MACS "0102", 0, ENDS "quality=800"},
        {"token ring", 6, "1040" MACS SNAP("0800") TCP4, 0, SEEN ENDS},
        {"token ring with route", 6,
         "1040"
         "020000000002"
         "820000000001"
         "0680"
         "0011"
         "0020" SNAP("0800") TCP4,
         0, SEEN ENDS},
        {"token ring mac", 6, "1000" MACS "0102", 0, ENDS "quality=800"},
        {"arcnet", 7,
         "0102d4"
         "00"
         "0001" TCP4,
         0, SEEN "-src_mac"},
        {"arcnet filled", 7,
         "0102d4"
         "ff"
         "ffffff"
         "00"
         "0001" TCP4,
         0, SEEN},
        {"arcnet later fragment", 7,
         "0102d4"
         "02"
         "0001" TCP4,
         0, "-src_ip quality=808"},
        {"arcnet rfc 1051", 7, "0102f0" TCP4, 0, SEEN},
        {"arcnet other", 7,
         "0102cd"
         "0102",
         0, "quality=800"},
        {"arcnet linux", 129,
         "0102"
         "0000"
         "d4"
         "00"
         "0001" TCP4,
         0, SEEN},
        {"atm", 100, SNAP("0800") TCP4, 0, SEEN "ether_type=800"},
        {"atm bridged", 100,
         "aaaa03"
         "0080c2"
         "0007"
         "0000" ETH("0800") TCP4,
         0, SEEN ENDS},
        {"atm classical", 106, SNAP("0800") TCP4, 0, SEEN},
        {"atm classical bare", 19, TCP4, 0, SEEN},
        {"sun atm", 123,
         "02"
         "00"
         "0020" SNAP("0800") TCP4,
         0, SEEN},
        {"sun atm lane", 123,
         "01"
         "00"
         "0020"
         "0001" ETH("0800") TCP4,
         0, SEEN ENDS},
        {"sun atm signalling", 123,
         "06"
         "00"
         "0005"
         "09",
         0, "quality=800"},
        {"ip over infiniband", 242, GRH "08000000" TCP4, 0, SEEN "ether_type=800"},
        {"infiniband", 247, GRH, 0, "-src_ip quality=400"},
    };
    CHECK_PACKETS(cases);
}

Test(decode_link, systems_and_switches)
{
    static const packet_case cases[] = {
        {"nflog", 239,
         "02000000"
         "0800"
         "0100"
         "00000000"
         "0500"
         "0200"
         "41000000"
         "2c00"
         "0900" TCP4,
         0, SEEN "-ether_type"},
        {"nflog big-endian", 239,
         "0a000000"
         "0040"
         "0009" IP6("0014", "06") TCP,
         0, "src_ip=2001:db8::1 quality=0"},
        {"nflog bridged", 239,
         "07000000"
         "0008"
         "0009"
         "01020304",
         0, "quality=800"},
        {"nflog length", 239,
         "02000000"
         "0300"
         "0900"
         "01020304",
         0, "quality=200"},
        {"nflog version", 239,
         "02010000"
         "0800"
         "0900"
         "01020304",
         0, "quality=200"},
        {"pktap ethernet", 258, PKTAP("01") ETH("0800") TCP4, 0, SEEN ENDS},
        {"pktap raw", 258, PKTAP("0c") TCP4, 0, SEEN},
        {"ipnet", 226,
         "01020000"
         "00000028"
         "000000000000000000000000"
         "00000000" TCP4,
         0, SEEN},
        {"ipnet ipv6", 226,
         "011a0000"
         "0000003c"
         "000000000000000000000000"
         "00000000" IP6("0014", "06") TCP,
         0, "src_ip=2001:db8::1"},
        {"enc", 109,
         "02000000"
         "00000001"
         "00000000" TCP4,
         0, SEEN},
        {"enc big-endian", 109,
         "00000018"
         "00000001"
         "00000000" IP6("0014", "06") TCP,
         0, "src_ip=2001:db8::1"},
        {"pflog", 117,
         "09020000"
         "00000000"
         "00000000" TCP4,
         0, SEEN},
        {"pflog length", 117, "00020000" TCP4, 0, "quality=200"},
        {"erf ethernet", 197,
         "0000000000000000"
         "02"
         "04"
         "0000"
         "0000"
         "0036"
         "0000" ETH("0800") TCP4,
         0, SEEN ENDS},
        {"erf extended", 197,
         "0000000000000000"
         "82"
         "04"
         "0000"
         "0000"
         "0036"
         "0100000000000000"
         "0000" ETH("0800") TCP4,
         0, SEEN ENDS},
        {"erf ipv4", 197,
         "0000000000000000"
         "16"
         "04"
         "0000"
         "0000"
         "0028" TCP4,
         0, SEEN},
        {"erf hdlc", 197,
         "0000000000000000"
         "01"
         "04"
         "0000"
         "0000"
         "002c"
         "0f000800" TCP4,
         0, SEEN},
        {"erf infiniband", 197,
         "0000000000000000"
         "15"
         "04"
         "0000"
         "0000"
         "0028"
         "00",
         0, "quality=400"},
        {"juniper ethernet", 178, "4d474301" ETH("0800") TCP4, 0, SEEN ENDS},
        {"juniper extended", 178,
         "4d474380"
         "0003"
         "010102" ETH("0800") TCP4,
         0, SEEN ENDS},
        {"juniper without link", 178,
         "4d474302"
         "00000002" TCP4,
         0, SEEN},
        {"juniper magic", 178, "4d474401" ETH("0800"), 0, "quality=200"},
        {"juniper ppp", 179,
         "4d474301"
         "ff030021" TCP4,
         0, SEEN},
        {"juniper frame relay", 180,
         "4d474301"
         "184103cc" TCP4,
         0, SEEN},
        {"juniper cisco hdlc", 181,
         "4d474301"
         "0f000800" TCP4,
         0, SEEN},
        {"dsa", 284,
         MACS "40000001"
              "0800" TCP4,
         0, SEEN ENDS},
        {"ethertype dsa", 285,
         MACS "dada0000"
              "40000001"
              "0800" TCP4,
         0, SEEN ENDS},
        {"broadcom", 281,
         MACS "40000001"
              "0800" TCP4,
         0, SEEN ENDS},
        {"broadcom in front", 282, "40000001" ETH("0800") TCP4, 0, SEEN ENDS},
        {"mpacket", 274, "55555555555555d5" ETH("0800") TCP4 "01020304", 0,
         "src_ip=1.2.3.4 src_port=1000 padding_length=4 " ENDS},
        {"mpacket piece", 274, "55555555555555e6" ETH("0800") TCP4, 0, "quality=800"},
        {"alp", 289, "0028" TCP4, 0, SEEN},
        {"alp with header", 289,
         "0828"
         "00" TCP4,
         0, SEEN},
        {"alp signalling", 289,
         "8028"
         "00",
         0, "quality=800"},
    };
    CHECK_PACKETS(cases);
}

Test(decode_link, tags)
{
    static const packet_case cases[] = {
        {"vn-tag", 1,
         ETH("8926") "00010002"
                     "0800" TCP4,
         0, SEEN ENDS "ether_type=800 tunnel_depth=0"},
        {"e-tag", 1,
         ETH("893f") "000000010000"
                     "0800" TCP4,
         0, SEEN ENDS "ether_type=800"},
        {"meta data", 1,
         ETH("8909") "010100010064"
                     "0800" TCP4,
         0, SEEN ENDS "ether_type=800"},
    };
    CHECK_PACKETS(cases);
}
