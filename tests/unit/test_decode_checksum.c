/* Rules of lib/decode: verdicts on checksums. The packets, made with scapy, are right; each case writes other bytes
   into one of them. */
#include "decode_check.h"

#define BAD_IP  NETFEAT_QUALITY_BAD_IP_CHECKSUM
#define BAD_L4  NETFEAT_QUALITY_BAD_L4_CHECKSUM
#define OFFLOAD NETFEAT_QUALITY_CHECKSUM_OFFLOAD

static const char tcp4[] = "4500002d0001000040066ab70102030405060708"
                           "03e8005000000000000000005002200037c0000068656c6c6f";
static const char tcp6[] = "600000000019064020010db800000000000000000000000120010db8000000000000000000000002"
                           "03e80050000000000000000050022000ec5e000068656c6c6f";
static const char udp4[] = "450000210001000040116ab80102030405060708"
                           "03e80035000da7d168656c6c6f";
static const char udp6[] = "60000000000d114020010db800000000000000000000000120010db8000000000000000000000002"
                           "03e80035000d5c7068656c6c6f";
static const char icmp4[] = "450000210001000040016ac80102030405060708"
                            "0800b42d0000000068656c6c6f";
static const char icmp6[] = "60000000000d3a4020010db800000000000000000000000120010db8000000000000000000000002"
                            "8000e0700000000068656c6c6f";
static const char sctp4[] = "450000240001000040846a420102030405060708"
                            "03e80050000000006b14854b0b000004";
static const char routed6[] =
    "6000000000252b4020010db800000000000000000000000120010db8000000000000000000000002"
    "110200010000000020010db800000000000000000000000303e80035000d5c6f68656c6c6f";
static const char routed4[] = "47000029000100004011cf960102030405060708"
                              "830704090909090003e80035000da1cd68656c6c6f";

static const struct {
    const char *name;
    const char *hex;
    const char *write; /* hex, at this offset */
    uint32_t at;
    uint32_t missing; /* bytes at the end that were not captured */
    uint32_t quality;
} cases[] = {
    {"tcp", tcp4, "", 0, 0, 0},
    {"tcp payload", tcp4, "69", 40, 0, BAD_L4},
    {"tcp last byte", tcp4, "ff", 44, 0, BAD_L4},
    {"tcp address", tcp4, "02", 12, 0, BAD_L4 | BAD_IP},
    {"tcp ttl", tcp4, "3f", 8, 0, BAD_IP},
    {"header not summed", tcp4, "0000", 10, 0, OFFLOAD},
    {"tcp not summed", tcp4, "0000", 36, 0, OFFLOAD},
    {"tcp pseudo header", tcp4, "1033", 36, 0, OFFLOAD},
    {"tcp pseudo header without length", tcp4, "101a", 36, 0, OFFLOAD},
    {"tcp snapped", tcp4, "ff", 40, 1, NETFEAT_QUALITY_SNAPPED},
    {"tcp snapped, header", tcp4, "3f", 8, 1, NETFEAT_QUALITY_SNAPPED | BAD_IP},
    {"tcp over ipv6", tcp6, "", 0, 0, 0},
    {"tcp over ipv6, address", tcp6, "ff", 30, 0, BAD_L4},
    {"udp", udp4, "", 0, 0, 0},
    {"udp payload", udp4, "69", 28, 0, BAD_L4},
    {"udp without", udp4, "0000", 26, 0, 0},
    {"udp pseudo header", udp4, "1032", 26, 0, OFFLOAD},
    {"udp over ipv6", udp6, "", 0, 0, 0},
    {"udp over ipv6 without", udp6, "0000", 46, 0, OFFLOAD},
    {"udp over ipv6, payload", udp6, "69", 48, 0, BAD_L4},
    {"icmp", icmp4, "", 0, 0, 0},
    {"icmp payload", icmp4, "69", 28, 0, BAD_L4},
    {"icmpv6", icmp6, "", 0, 0, 0},
    {"icmpv6 payload", icmp6, "69", 48, 0, BAD_L4},
    {"sctp", sctp4, "", 0, 0, 0},
    {"sctp chunk", sctp4, "01", 33, 0, BAD_L4},
    {"sctp not summed", sctp4, "00000000", 28, 0, OFFLOAD},
    {"routing header: the destination is its last", routed6, "", 0, 0, 0},
    {"routing header done", routed6, "00", 43, 0, BAD_L4},
    {"source route: no verdict", routed4, "", 0, 0, 0},
    {"source route, header", routed4, "02", 12, 0, BAD_IP},
};

static uint32_t quality_of(const char *hex, const char *write, uint32_t at, uint32_t missing, bool verify)
{
    nf_decode_config config = {.want = 0, .max_layers = 16, .verify_checksums = verify};
    packet_case whole = {.name = hex, .hex = hex}, part = {.name = hex, .hex = write};
    uint32_t size, part_size;
    uint8_t *data = from_hex(&whole, &size), *other = from_hex(&part, &part_size);
    nf_packet p;

    memcpy(data + at, other, part_size);
    nf_decode(&config, 101, data, size - missing, size, &p);
    free(data);
    free(other);
    return p.quality;
}

Test(decode_checksum, verdicts)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t got = quality_of(cases[i].hex, cases[i].write, cases[i].at, cases[i].missing, true);
        cr_expect_eq(got, cases[i].quality, "%s: %x, not %x", cases[i].name, got, cases[i].quality);
        got = quality_of(cases[i].hex, cases[i].write, cases[i].at, cases[i].missing, false);
        cr_expect_eq(got, cases[i].quality & NETFEAT_QUALITY_SNAPPED, "%s, not asked for: %x", cases[i].name,
                     got);
    }
}

/* The innermost transport is what is verified, and every IPv4 header on the way. */
Test(decode_checksum, tunnels)
{
    static const char outer[] = "450000410001000040046aa50102030405060708";
    char hex[sizeof outer + sizeof tcp4];

    snprintf(hex, sizeof hex, "%s%s", outer, tcp4);
    cr_expect_eq(quality_of(hex, "", 0, 0, true), 0);
    cr_expect_eq(quality_of(hex, "3f", 8, 0, true), BAD_IP);
    cr_expect_eq(quality_of(hex, "3f", 28, 0, true), BAD_IP);
    cr_expect_eq(quality_of(hex, "69", 60, 0, true), BAD_L4);
}

/* Any single bit that is wrong is found, in any of the packets. */
Test(decode_checksum, every_bit_of_a_payload)
{
    static const char *const packets[] = {tcp4, tcp6, udp4, udp6, icmp4, icmp6, sctp4};

    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        size_t last = strlen(packets[i]) / 2 - 1;
        char text[3] = {packets[i][2 * last], packets[i][2 * last + 1], 0};
        unsigned value = (unsigned)strtoul(text, NULL, 16);
        for (unsigned bit = 0; bit < 8; bit++) {
            snprintf(text, sizeof text, "%02x", value ^ 1u << bit);
            cr_expect_eq(quality_of(packets[i], text, (uint32_t)last, 0, true), BAD_L4, "%zu, bit %u", i,
                         bit);
        }
    }
}
