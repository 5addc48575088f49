#include "stream/checksum.h"

#include <string.h>

#include "base/cursor.h"
#include "stream/ip6.h"

#define LANES 8
#define STEP  ((size_t)LANES * 4)

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

static uint64_t halves(uint64_t word)
{
    return (uint32_t)word + (word >> 32);
}

/* Of fewer than STEP bytes. */
static uint64_t sum_few(const uint8_t *data, size_t size)
{
    uint64_t sum = 0, word;

    for (; size >= sizeof word; data += sizeof word, size -= sizeof word) {
        memcpy(&word, data, sizeof word);
        sum += halves(word);
    }
    if (size > 0) {
        word = 0;
        memcpy(&word, data, size);
        sum += halves(word);
    }
    return sum;
}

/* Of the last `rest` of size >= STEP bytes: the last STEP of them, without those that were summed before. They lie at the
   other places of their words when rest is odd, which swaps the bytes of the sum. */
static uint64_t sum_rest(const uint8_t *data, size_t size, size_t rest)
{
    static const uint8_t kept[2 * STEP] = {
        [STEP] = 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255,          255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    };
    uint64_t words[STEP / 8], mask[STEP / 8], sum = 0;

    memcpy(words, data + size - STEP, sizeof words);
    memcpy(mask, kept + rest, sizeof mask);
    for (size_t i = 0; i < STEP / 8; i++) {
        sum += halves(words[i] & mask[i]);
    }
    if (rest % 2 != 0) {
        uint16_t folded = fold(sum);
        sum = (uint16_t)(folded << 8 | folded >> 8);
    }
    return sum;
}

/* The sum does not depend on the byte order of the additions (RFC 1071, section 2): words of 32 bits as they lie in
   memory, several at a time. */
static uint64_t sum_words(const uint8_t *data, size_t size)
{
    uint64_t lanes[LANES] = {0}, sum = 0;
    size_t at = 0;

    if (size < STEP) {
        return sum_few(data, size);
    }
    for (; size - at >= STEP; at += STEP) {
        uint32_t words[LANES];
        memcpy(words, data + at, sizeof words);
        for (int i = 0; i < LANES; i++) {
            lanes[i] += words[i];
        }
    }
    for (int i = 0; i < LANES; i++) {
        sum += lanes[i];
    }
    return at < size ? sum + sum_rest(data, size, size - at) : sum;
}

uint16_t nf_checksum(const uint8_t *data, size_t size, uint32_t start)
{
    uint16_t sum = fold(sum_words(data, size));
    uint8_t bytes[2];

    memcpy(bytes, &sum, sizeof bytes); /* from memory order to network order */
    return fold((uint64_t)nf_load_be16(bytes) + start);
}

/* Sum of the pseudo header without the length. */
static uint32_t pseudo_header(const nf_packet *pkt)
{
    size_t skip = pkt->ip_version == 4 ? 12 : 0;

    return (uint32_t)nf_checksum(pkt->src_ip + skip, sizeof pkt->src_ip - skip, 0) +
           nf_checksum(pkt->dst_ip + skip, sizeof pkt->dst_ip - skip, 0) + pkt->ip_protocol;
}

/* Cards want to find the sum of the pseudo header, with the length or, for segments they are to cut, without. */
static bool is_partial(const nf_packet *pkt, const uint8_t *l4, uint32_t pseudo)
{
    uint16_t field = nf_load_be16(l4 + (pkt->ip_protocol == 17 ? 6 : 16));

    return field == fold((uint64_t)pseudo + pkt->l4_length) || field == fold(pseudo);
}

int nf_transport_checksum(const nf_packet *pkt, const uint8_t *data)
{
    const uint8_t *l4;
    uint32_t pseudo;

    if (pkt->l4_length > pkt->captured_length || pkt->l4_offset > pkt->captured_length - pkt->l4_length ||
        pkt->l4_length < (pkt->ip_protocol == 17 ? 8 : 20) ||
        (pkt->quality & (NETFEAT_QUALITY_IP_LENGTH_ZERO | NETFEAT_QUALITY_BAD_LENGTH))) {
        return NF_CHECKSUM_GOOD;
    }
    l4 = data + pkt->l4_offset;
    if (pkt->ip_protocol == 17 && nf_load_be16(l4 + 6) == 0) {
        return NF_CHECKSUM_GOOD; /* not computed */
    }
    if (pkt->ip_version == 6 && nf_ip6_is_routed(data + pkt->l3_offset, pkt->ip_header_length)) {
        return NF_CHECKSUM_GOOD; /* computed with the last destination */
    }
    pseudo = pseudo_header(pkt);
    if (nf_checksum(l4, pkt->l4_length, pseudo + (pkt->l4_length >> 16) + (pkt->l4_length & 0xffff)) ==
        0xffff) {
        return NF_CHECKSUM_GOOD;
    }
    return is_partial(pkt, l4, pseudo) ? NF_CHECKSUM_PARTIAL : NF_CHECKSUM_BAD;
}
