/* decode_check.h - decode packets written in hex, and compare fields written as text. */
#ifndef DECODE_CHECK_H
#define DECODE_CHECK_H

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netfeat/column.h>
#include <netfeat/error.h>

#include "decode/layer.h"

/* Parts of packets, in hex. */
#define MACS      "020000000002020000000001"
#define ETH(type) MACS type
#define ADDRESSES                                                                                            \
    "01020304"                                                                                               \
    "05060708"
#define IP4(length, p)                                                                                       \
    "4500" length "0102"                                                                                     \
    "4000"                                                                                                   \
    "40" p "0000" ADDRESSES
#define ADDRESSES6                                                                                           \
    "20010db8000000000000000000000001"                                                                       \
    "20010db8000000000000000000000002"
#define IP6(length, p) "60012345" length p "40" ADDRESSES6
#define TCP                                                                                                  \
    "03e80050"                                                                                               \
    "00000007"                                                                                               \
    "00000009"                                                                                               \
    "5002"                                                                                                   \
    "ffff"                                                                                                   \
    "0000"                                                                                                   \
    "0000"
#define TCP_WIDE(w)                                                                                          \
    "03e80050"                                                                                               \
    "00000007"                                                                                               \
    "00000009" w "ffff"                                                                                      \
    "0000"                                                                                                   \
    "0000"
#define UDP(length) "03e80035" length "0000"
#define HELLO       "68656c6c6f"
#define TCP4        IP4("0028", "06") TCP

#define CHECKSUM_QUALITIES                                                                                   \
    (uint32_t)(NETFEAT_QUALITY_BAD_IP_CHECKSUM | NETFEAT_QUALITY_BAD_L4_CHECKSUM |                           \
               NETFEAT_QUALITY_CHECKSUM_OFFLOAD)

/* What a packet must become: `expect` is a list of "field=value" and "-field" (NULL); quality is 0 if not
 * given. */
typedef struct {
    const char *name;
    uint32_t link_type;
    const char *hex;
    uint32_t cut; /* bytes on the wire that were not captured */
    const char *expect;
    uint32_t filled; /* further bytes behind those of hex */
} packet_case;

static inline uint8_t *from_hex(const packet_case *c, uint32_t *ret_size)
{
    size_t digits = strlen(c->hex), n = digits / 2;
    uint8_t *data = malloc(n + c->filled + 1);

    cr_assert_eq(digits % 2, 0, "%s: odd number of digits", c->name);
    for (size_t i = 0; i < n; i++) {
        char two[3] = {c->hex[2 * i], c->hex[2 * i + 1], 0};
        cr_assert(isxdigit((unsigned char)two[0]) && isxdigit((unsigned char)two[1]), "%s: %s", c->name, two);
        data[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    memset(data + n, 0x5a, c->filled);
    *ret_size = (uint32_t)(n + c->filled);
    return data;
}

static inline int field_text(const nf_packet *p, int id, char *buf, size_t size)
{
    uint64_t number = 0;
    const uint8_t *bytes = NULL;
    int type = netfeat_field_type(id);

    switch (id) {
#define FIELD(suffix, id, name, type, member, unit, null_rule, help)                                         \
    case id:                                                                                                 \
        FIELD_##type(p->member);                                                                             \
        break;
#define FIELD_NUMBER(member)  number = (uint64_t)(member)
#define FIELD_U8(member)      FIELD_NUMBER(member)
#define FIELD_U16(member)     FIELD_NUMBER(member)
#define FIELD_U32(member)     FIELD_NUMBER(member)
#define FIELD_U64(member)     FIELD_NUMBER(member)
#define FIELD_BOOL(member)    FIELD_NUMBER(member)
#define FIELD_TIME_NS(member) FIELD_NUMBER(member)
#define FIELD_BYTES(member)   number = p->payload_captured
#define FIELD_BYTES6(member)  bytes = (member)
#define FIELD_BYTES16(member) bytes = (member)
#include "decode/fields.def"
#undef FIELD
    default:
        return -1;
    }
    if (type == NETFEAT_TYPE_BYTES16) {
        static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        bool v4 = memcmp(bytes, mapped, 12) == 0;
        inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? bytes + 12 : bytes, buf, (socklen_t)size);
    } else if (type == NETFEAT_TYPE_BYTES6) {
        snprintf(buf, size, "%02x%02x%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4],
                 bytes[5]);
    } else {
        snprintf(buf, size,
                 id == NETFEAT_FIELD_QUALITY || id == NETFEAT_FIELD_ETHER_TYPE ? "%" PRIx64 : "%" PRIu64,
                 number);
    }
    return 0;
}

static inline bool never_null(int id)
{
    return strcmp(netfeat_field_null_rule(id), "never") == 0;
}

static inline void check_expected(const packet_case *c, const nf_packet *p)
{
    char *list = strdup(c->expect), *rest = NULL, got[64];
    bool quality_given = strstr(c->expect, "quality=") != NULL;

    for (char *word = strtok_r(list, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        bool null = word[0] == '-';
        char *value = null ? NULL : strchr(word, '=');
        int id;

        cr_assert(null || value != NULL, "%s: %s", c->name, word);
        if (value != NULL) {
            *value++ = 0;
        }
        id = netfeat_field_by_name(word + null);
        cr_assert_gt(id, 0, "%s: %s", c->name, word);
        if (null) {
            cr_expect_not(p->present >> id & 1, "%s: %s should be NULL", c->name, word + 1);
            continue;
        }
        cr_expect(never_null(id) || (p->present >> id & 1), "%s: %s is NULL", c->name, word);
        cr_assert_eq(field_text(p, id, got, sizeof got), 0);
        cr_expect_str_eq(got, value, "%s: %s is %s, not %s", c->name, word, got, value);
    }
    if (!quality_given) {
        cr_expect_eq(p->quality, 0, "%s: quality is %x", c->name, p->quality);
    }
    free(list);
}

/* Both say the same, as far as it is wanted. */
static inline void check_same(const char *name, uint64_t want, const nf_packet *a, const nf_packet *b)
{
    char text_a[64], text_b[64];

    cr_assert_eq(a->present & want, b->present & want, "%s: present %" PRIx64 ", %" PRIx64, name,
                 a->present & want, b->present & want);
    cr_assert_eq(a->quality, b->quality, "%s: quality %x, %x", name, a->quality, b->quality);
    for (int id = netfeat_field_next(0); id != 0; id = netfeat_field_next(id)) {
        if ((a->present & want) >> id & 1) {
            field_text(a, id, text_a, sizeof text_a);
            field_text(b, id, text_b, sizeof text_b);
            cr_assert_str_eq(text_a, text_b, "%s: %s %s, %s", name, netfeat_field_name(id), text_a, text_b);
        }
    }
    if (a->present & want & NF_BIT(L4_LENGTH)) {
        cr_assert_eq(a->l4_offset, b->l4_offset, "%s: l4_offset", name);
    }
    if (a->present & want & NF_BIT(IP_VERSION)) {
        cr_assert_eq(a->l3_offset, b->l3_offset, "%s: l3_offset", name);
    }
    if (a->present & want & NF_BIT(PAYLOAD)) {
        cr_assert_eq(a->payload, b->payload, "%s: payload", name);
    }
}

/* Decode size bytes in a block of just that size: what holds for every packet. */
static inline void check_any(const char *name, uint32_t link_type, const uint8_t *bytes, uint32_t size,
                             uint32_t wire, nf_packet *ret)
{
    static const uint64_t wants[] = {0,
                                     NF_BIT(IP_DSCP),
                                     NF_BIT(ICMP_PROTOCOL) | NF_BIT(OUTER_DST_IP),
                                     NF_PORT_BITS | NF_BIT(SRC_IP) | NF_BIT(DST_IP) | NF_BIT(IP_VERSION),
                                     NF_BIT(TCP_MSS) | NF_BIT(TCP_SACK_PERMITTED),
                                     NF_BIT(IP_TTL) | NF_BIT(L4_LENGTH),
                                     NF_MAC_BITS | NF_BIT(TCP_SEQ) | NF_PAYLOAD_BITS};
    nf_decode_config config = {.want = ~UINT64_C(0), .max_layers = 16};
    uint8_t *block = malloc(size);
    nf_packet other;

    memset(ret, 0xa5, sizeof *ret);
    if (size > 0) {
        memcpy(block, bytes, size);
    }
    nf_decode(&config, link_type, block, size, wire, ret);
    cr_assert_eq(ret->captured_length, size);
    cr_assert_eq(ret->frame_length, wire);
    cr_assert_eq(ret->link_type, link_type);
    cr_assert_eq(ret->tunnel_depth > 0, ret->present >> NETFEAT_FIELD_TUNNEL_TYPE & 1, "%s", name);
    cr_assert_eq(ret->present >> NETFEAT_FIELD_PAYLOAD & 1, ret->present >> NETFEAT_FIELD_PAYLOAD_LENGTH & 1);
    if (ret->present & NF_BIT(PAYLOAD)) {
        cr_assert(ret->payload >= block && ret->payload + ret->payload_captured <= block + size, "%s", name);
        cr_assert_leq(ret->payload_captured, ret->payload_length, "%s", name);
        cr_assert_leq(ret->payload_length, ret->l4_length, "%s", name);
    }
    /* the short way and the loop agree, and nothing depends on what was there before or is wanted besides */
    other = *ret;
    memset(&other, 0x3c, offsetof(nf_packet, link_type));
    nf_decode_layers(&config, link_type, block, size, wire, &other);
    check_same(name, config.want, ret, &other);
    for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++) {
        config.want = wants[i];
        memset(&other, 0x3c, sizeof other);
        nf_decode(&config, link_type, block, size, wire, &other);
        cr_assert_eq(other.present & ~wants[i], 0, "%s: unwanted %" PRIx64, name, other.present);
        check_same(name, wants[i], ret, &other);
    }
    /* other ways to decode: bounds, and the rules that hold for each of them */
    config.want = ~UINT64_C(0);
    config.verify_checksums = true;
    nf_decode(&config, link_type, block, size, wire, &other);
    cr_assert_eq(other.present, ret->present, "%s: verified", name);
    cr_assert_eq(other.quality & ~CHECKSUM_QUALITIES, ret->quality, "%s: verified", name);
    config.verify_checksums = false;
    config.outermost = true;
    nf_decode(&config, link_type, block, size, wire, &other);
    cr_assert_eq(other.present & NF_BIT(OUTER_SRC_IP), 0, "%s: outermost", name);
    cr_assert_leq(other.tunnel_depth, ret->tunnel_depth, "%s: outermost", name);
    if (ret->tunnel_depth == 0) {
        other.quality = ret->quality; /* that of a tunnel's header may be in one of them only */
        check_same(name, config.want, ret, &other);
    } else if (ret->present & NF_BIT(OUTER_SRC_IP)) {
        cr_assert_eq(memcmp(other.src_ip, ret->outer_src_ip, 16), 0, "%s: outermost", name);
        cr_assert_eq(memcmp(other.dst_ip, ret->outer_dst_ip, 16), 0, "%s: outermost", name);
    }
    free(block);
}

/* The packet at every captured length: declared lengths stay, and the bytes that are gone are missed. */
static inline void check_cut(const packet_case *c, const uint8_t *data, uint32_t size, const nf_packet *whole)
{
    nf_packet p;

    for (uint32_t n = 0; n < size; n += n < 200 ? 1 : 997) {
        check_any(c->name, c->link_type, data, n, size + c->cut, &p);
        cr_assert(p.quality & NETFEAT_QUALITY_SNAPPED, "%s", c->name);
        if ((p.present & whole->present & NF_BIT(PAYLOAD_LENGTH)) && p.l4_offset == whole->l4_offset) {
            cr_assert_eq(p.payload_length, whole->payload_length, "%s at %u", c->name, n);
        }
        if ((p.present & whole->present & NF_BIT(PADDING_LENGTH)) && p.l3_offset == whole->l3_offset &&
            !(p.quality & NETFEAT_QUALITY_IP_LENGTH_ZERO) && whole->ip_length <= UINT16_MAX + 40) {
            cr_assert_eq(p.ip_length, whole->ip_length, "%s at %u", c->name, n);
            cr_assert_eq(p.padding_length, whole->padding_length, "%s at %u", c->name, n);
        }
    }
}

/* The packet with every byte of its first 200 changed. */
static inline void check_flipped(const packet_case *c, uint8_t *data, uint32_t size)
{
    static const uint8_t masks[] = {0xff, 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80};
    nf_packet p;

    for (uint32_t i = 0; i < size && i < 200; i++) {
        for (size_t m = 0; m < sizeof masks; m++) {
            data[i] ^= masks[m];
            check_any(c->name, c->link_type, data, size, size + c->cut, &p);
            data[i] ^= masks[m];
        }
    }
}

static inline void check_packets(const packet_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const packet_case *c = &cases[i];
        uint32_t size;
        uint8_t *data = from_hex(c, &size);
        nf_packet p;

        check_any(c->name, c->link_type, data, size, size + c->cut, &p);
        check_expected(c, &p);
        check_cut(c, data, size, &p);
        check_flipped(c, data, size);
        free(data);
    }
}

#define CHECK_PACKETS(cases) check_packets(cases, sizeof(cases) / sizeof((cases)[0]))

#endif
