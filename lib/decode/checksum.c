/* Checksums: the internet checksum (RFC 1071) of IPv4 headers, TCP, UDP, ICMP and ICMPv6, and SCTP's CRC32c
   (RFC 9260, appendix A). A sender with an offloading network card is captured before the card fills a checksum in:
   0, or the sum of the pseudo header only, is therefore a verdict of its own. */
#include "decode/checksum.h"

#include "decode/ipv4.h"

enum { TCP_AT = 16, UDP_AT = 6, ICMP_AT = 2, SCTP_AT = 8 }; /* where the checksum is in its header */
enum { OPTION_LOOSE_ROUTE = 131, OPTION_STRICT_ROUTE = 137 };

/* The sum of 16-bit words, without its carries; odd bytes count as if a zero followed. */
static uint64_t sum(const uint8_t *p, size_t length)
{
    uint64_t total = 0;
    size_t i = 0;

    for (; i + 4 <= length; i += 4) {
        total += nf_load_be32(p + i);
    }
    if (i + 2 <= length) {
        total += nf_load_be16(p + i);
        i += 2;
    }
    return i < length ? total + (uint32_t)p[i] * 256 : total;
}

static uint16_t fold(uint64_t total)
{
    while (total > UINT16_MAX) {
        total = (total & UINT16_MAX) + (total >> 16);
    }
    return (uint16_t)total;
}

/* A source route: the header's destination is not the one that the transport was summed with. */
static bool has_source_route(const uint8_t *p, size_t length)
{
    size_t at = NF_IPV4_BYTES;

    while (at < length && p[at] != 0) {
        if (p[at] == OPTION_LOOSE_ROUTE || p[at] == OPTION_STRICT_ROUTE) {
            return true;
        }
        if (p[at] == 1) {
            at++;
        } else if (at + 1 < length && p[at + 1] >= 2) {
            at += p[at + 1];
        } else {
            return false;
        }
    }
    return false;
}

void nf_check_ipv4(nf_walk *w, const uint8_t *p, size_t length)
{
    w->other_end = has_source_route(p, length);
    if (fold(sum(p, length)) != UINT16_MAX) {
        w->quality |=
            nf_load_be16(p + 10) == 0 ? NETFEAT_QUALITY_CHECKSUM_OFFLOAD : NETFEAT_QUALITY_BAD_IP_CHECKSUM;
    }
}

static uint64_t pseudo_header(const nf_packet *pkt, uint8_t protocol, uint64_t length)
{
    size_t skip = pkt->ip_version == 4 ? 12 : 0;

    return sum(pkt->src_ip + skip, 16 - skip) + sum(pkt->dst_ip + skip, 16 - skip) + protocol + length;
}

/* `length` bytes at p with the checksum at `at`, summed with a pseudo header, whose sum without the length is
   `pseudo`. */
static uint32_t internet_verdict(const uint8_t *p, uint64_t length, size_t at, uint64_t pseudo)
{
    uint16_t field = nf_load_be16(p + at);

    if (fold(sum(p, (size_t)length) + pseudo + (pseudo != 0 ? length : 0)) == UINT16_MAX) {
        return 0;
    }
    /* segmentation offload: some drivers leave the length out of the sum */
    if (field == 0 || (pseudo != 0 && (field == fold(pseudo + length) || field == fold(pseudo)))) {
        return NETFEAT_QUALITY_CHECKSUM_OFFLOAD;
    }
    return NETFEAT_QUALITY_BAD_L4_CHECKSUM;
}

/* CRC32c, four bits at a time: the remainders of the 16 values (polynomial 0x1edc6f41, reflected). */
static uint32_t crc32c(uint32_t crc, const uint8_t *p, size_t length)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };

    for (size_t i = 0; i < length; i++) {
        crc ^= p[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return crc;
}

static uint32_t sctp_verdict(const uint8_t *p, size_t length)
{
    static const uint8_t zero[4] = {0};
    uint32_t field = nf_load_le32(p + SCTP_AT), crc = UINT32_MAX;

    crc = crc32c(crc, p, SCTP_AT);
    crc = crc32c(crc, zero, sizeof zero);
    crc = ~crc32c(crc, p + SCTP_AT + 4, length - SCTP_AT - 4);
    if (crc == field) {
        return 0;
    }
    return field == 0 ? NETFEAT_QUALITY_CHECKSUM_OFFLOAD : NETFEAT_QUALITY_BAD_L4_CHECKSUM;
}

static uint32_t udp_verdict(const nf_packet *pkt, const uint8_t *p, uint64_t length)
{
    uint64_t own = nf_load_be16(p + 4);

    if (own != 0) {
        length = own; /* at most what the IP length leaves */
    }
    if (nf_load_be16(p + UDP_AT) == 0 && pkt->ip_version == 4) {
        return 0; /* none */
    }
    return internet_verdict(p, length, UDP_AT, pseudo_header(pkt, NF_IP_UDP, 0));
}

void nf_check_transport(nf_walk *w, const nf_packet *pkt, uint32_t captured)
{
    const uint32_t uncertain = NETFEAT_QUALITY_FRAGMENT | NETFEAT_QUALITY_BAD_LENGTH |
                               NETFEAT_QUALITY_HEADER_CUT | NETFEAT_QUALITY_BAD_HEADER;
    const uint8_t *p = w->data + pkt->l4_offset;
    uint64_t length = pkt->l4_length;

    if ((w->quality & uncertain) || w->other_end || !(w->present & NF_BIT(PAYLOAD_LENGTH)) ||
        pkt->l4_offset + length > captured) {
        return;
    }
    switch (pkt->ip_protocol) {
    case NF_IP_TCP:
        w->quality |= internet_verdict(p, length, TCP_AT, pseudo_header(pkt, NF_IP_TCP, 0));
        break;
    case NF_IP_UDP:
        w->quality |= udp_verdict(pkt, p, length);
        break;
    case NF_IP_ICMP:
        w->quality |= internet_verdict(p, length, ICMP_AT, 0);
        break;
    case NF_IP_ICMPV6:
        w->quality |= internet_verdict(p, length, ICMP_AT, pseudo_header(pkt, NF_IP_ICMPV6, 0));
        break;
    case NF_IP_SCTP:
        w->quality |= sctp_verdict(p, (size_t)length);
        break;
    default:
        break;
    }
}
