/* The Internet checksum of every length at every alignment, against the sum of RFC 1071 word by word. */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "stream/checksum.h"

static uint16_t word_by_word(const uint8_t *data, size_t size, uint32_t start)
{
    uint64_t sum = start;

    for (size_t i = 0; i < size; i++) {
        sum += i % 2 != 0 ? data[i] : (uint32_t)data[i] << 8;
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

static uint8_t byte_of(int kind)
{
    return (uint8_t)(kind == 0 ? 0 : kind == 1 ? 0xff : kind == 2 ? rand() % 8 == 0 : rand() >> 7);
}

Test(stream_checksum, every_length)
{
    uint8_t data[1600];

    srand(1);
    for (int kind = 0; kind < 4; kind++) {
        for (size_t i = 0; i < sizeof data; i++) {
            data[i] = byte_of(kind);
        }
        for (size_t size = 0; size <= 1500; size++) {
            for (size_t at = 0; at < 9; at++) {
                uint32_t start = (uint32_t)size * 3;
                cr_assert_eq(nf_checksum(data + at, size, start), word_by_word(data + at, size, start),
                             "%zu bytes at %zu", size, at);
            }
        }
    }
}
