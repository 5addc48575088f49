/* Rules of lib/decode: link types, Ethernet, VLAN, LLC, ARP, the walk over layers, the catalogue of fields. */
#include "decode_check.h"

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
         "2001"
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
         "0000"
         "0000"
         "0800"
         "00000000"
         "0802"
         "0000"
         "020000000002"
         "020000000003"
         "020000000001"
         "0000"
         "aaaa03"
         "000000"
         "0800" TCP4,
         0, "ether_type=800 dst_mac=020000000002 src_mac=020000000001 src_port=1000"},
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
        {"arp cut in last address", 1,
         ETH("0806") "0001080006040001"
                     "020000000001"
                     "01020304"
                     "020000000002"
                     "050607",
         1, "arp_operation=1 quality=101"},
        {"arp cut", 1, ETH("0806") "000108000604", 22, "-arp_operation quality=101"},
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
    cr_expect_eq(count, 59);
    cr_expect_eq(last, NETFEAT_FIELD_ICMP_ID);
    cr_expect_eq(netfeat_field_by_name("src_port"), NETFEAT_FIELD_SRC_PORT);
    cr_expect_eq(netfeat_field_type(NETFEAT_FIELD_SRC_IP), NETFEAT_TYPE_BYTES16);
    cr_expect_str_eq(netfeat_field_unit(NETFEAT_FIELD_TIMESTAMP), "ns");
    cr_expect_str_eq(netfeat_field_null_rule(NETFEAT_FIELD_QUALITY), "never");
    cr_expect_eq(netfeat_field_by_name("nothing"), NETFEAT_ERR_NOTFOUND);
    cr_expect_eq(netfeat_field_by_name(NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_field_next(-5), 1);
    cr_expect_eq(netfeat_field_next(INT_MAX), 0);
    static const int unknown[] = {INT_MIN, -1, 0, 60, 63, 64, 1000, INT_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        cr_expect_null(netfeat_field_name(unknown[i]));
        cr_expect_null(netfeat_field_unit(unknown[i]));
        cr_expect_null(netfeat_field_null_rule(unknown[i]));
        cr_expect_null(netfeat_field_help(unknown[i]));
        cr_expect_eq(netfeat_field_type(unknown[i]), NETFEAT_ERR_NOTFOUND);
    }
}
