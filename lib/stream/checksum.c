#include "stream/checksum.h"

#include <string.h>

#include "base/cursor.h"
#include "stream/ip6.h"

/* The sum does not depend on the byte order of the additions (RFC 1071, section 2): 8 bytes at a time as they
   lie in memory, the two halves apart. */
static uint64_t sum_words(const uint8_t *data, size_t size)
{
    uint64_t sum = 0;

    for (; size >= 8; data += 8, size -= 8) {
        uint32_t word[2];
        memcpy(word, data, sizeof word);
        sum += (uint64_t)word[0] + word[1];
    }
    if (size > 0) {
        uint32_t word[2] = {0, 0};
        memcpy(word, data, size);
        sum += (uint64_t)word[0] + word[1];
    }
    return sum;
}

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

uint16_t nf_checksum(const uint8_t *data, size_t size, uint32_t start)
{
    uint16_t sum = fold(sum_words(data, size));
    uint8_t bytes[2];

    memcpy(bytes, &sum, sizeof bytes); /* from memory order to network order */
    return fold((uint64_t)nf_load_be16(bytes) + start);
}

bool nf_transport_checksum_bad(const nf_packet *pkt, const uint8_t *data)
{
    const uint8_t *l4;
    uint32_t start;

    if (pkt->l4_length > pkt->captured_length || pkt->l4_offset > pkt->captured_length - pkt->l4_length ||
        (pkt->quality & (NETFEAT_QUALITY_IP_LENGTH_ZERO | NETFEAT_QUALITY_BAD_LENGTH))) {
        return false;
    }
    l4 = data + pkt->l4_offset;
    if (pkt->ip_protocol == 17 && pkt->l4_length >= 8 && nf_load_be16(l4 + 6) == 0) {
        return false; /* not computed */
    }
    if (pkt->ip_version == 6 && nf_ip6_is_routed(data + pkt->l3_offset, pkt->ip_header_length)) {
        return false; /* computed with the last destination */
    }
    start = (uint32_t)nf_checksum(pkt->src_ip + (pkt->ip_version == 4 ? 12 : 0),
                                  pkt->ip_version == 4 ? 4 : 16, 0) +
            nf_checksum(pkt->dst_ip + (pkt->ip_version == 4 ? 12 : 0), pkt->ip_version == 4 ? 4 : 16, 0) +
            pkt->ip_protocol + (pkt->l4_length >> 16) + (pkt->l4_length & 0xffff);
    return nf_checksum(l4, pkt->l4_length, start) != 0xffff;
}
