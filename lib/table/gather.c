#include "table/gather.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/bitmap.h"

#define MEMBER_BYTES(member) sizeof(((nf_packet *)0)->member)

#define FIELD(suffix, id, name, type, member, unit, null_rule, help)                                         \
    [id] = {offsetof(nf_packet, member), sizeof(null_rule) == sizeof "never" && (null_rule)[0] == 'n' &&     \
                                             (null_rule)[1] == 'e' && (null_rule)[4] == 'r'},
static const struct {
    uint16_t offset;
    bool always;
} fields[NF_FIELD_COUNT] = {
#include "decode/fields.def"
};
#undef FIELD

bool nf_field_is_nullable(int field)
{
    return !fields[field].always;
}

/* Which of the n packets have the field: bit i for packet i. */
static uint64_t presence(const nf_packet *pkts, int n, int field)
{
    uint64_t word = 0;

    for (int i = 0; i < n; i++) {
        word |= (pkts[i].present >> field & 1) << i;
    }
    return word;
}

/* n <= 64 bits behind bit `at`; the bits from there on were 0, and 16 bytes of room are behind at's byte. */
static void append_bits(uint8_t *map, int64_t at, uint64_t bits, int n)
{
    uint8_t *p = map + (at >> 3);
    unsigned shift = (unsigned)(at & 7);

    if (n < 64) {
        bits &= (UINT64_C(1) << n) - 1;
    }
    for (int i = 0; i < 8; i++) {
        p[i] = (uint8_t)(p[i] | (bits << shift) >> (8 * i));
    }
    if (shift != 0) {
        p[8] = (uint8_t)(p[8] | bits >> (64 - shift));
    }
}

#define COPY(type)                                                                                           \
    do {                                                                                                     \
        type *restrict out = (type *)(void *)dst;                                                            \
        for (int i = 0; i < n; i++) {                                                                        \
            memcpy(&out[i], from + (size_t)i * sizeof(nf_packet), sizeof *out);                              \
        }                                                                                                    \
        if (bits != everyone) {                                                                              \
            for (int i = 0; i < n; i++) {                                                                    \
                out[i] = bits >> i & 1 ? out[i] : (type)0;                                                   \
            }                                                                                                \
        }                                                                                                    \
    } while (0)

static void copy_wide(uint8_t *restrict dst, const uint8_t *from, int n, uint64_t bits, size_t width)
{
    for (int i = 0; i < n; i++) {
        if (bits >> i & 1) {
            memcpy(dst + (size_t)i * width, from + (size_t)i * sizeof(nf_packet), width);
        } else {
            memset(dst + (size_t)i * width, 0, width);
        }
    }
}

static void copy_16(uint8_t *restrict dst, const uint8_t *from, int n)
{
    for (int i = 0; i < n; i++) {
        memcpy(dst + (size_t)i * 16, from + (size_t)i * sizeof(nf_packet), 16);
    }
}

static void copy_values(uint8_t *dst, const uint8_t *from, int n, uint64_t bits, uint64_t everyone, int width)
{
    switch (width) {
    case 1:
        COPY(uint8_t);
        break;
    case 2:
        COPY(uint16_t);
        break;
    case 4:
        COPY(uint32_t);
        break;
    case 8:
        COPY(uint64_t);
        break;
    case 16:
        if (bits == everyone) {
            copy_16(dst, from, n);
        } else {
            copy_wide(dst, from, n, bits, 16);
        }
        break;
    default:
        copy_wide(dst, from, n, bits, (size_t)width);
        break;
    }
}

static void copy_payload(nf_builder *b, const nf_packet *pkts, int n, uint64_t bits)
{
    for (int i = 0; i < n; i++) {
        if (bits >> i & 1 && pkts[i].payload_captured > 0) {
            memcpy(b->data + b->data_used, pkts[i].payload, pkts[i].payload_captured);
            b->data_used += pkts[i].payload_captured;
        }
        b->offsets[b->length + i + 1] = (int64_t)b->data_used;
    }
}

static void copy_bools(nf_builder *b, const uint8_t *from, int n, uint64_t bits)
{
    for (int i = 0; i < n; i++) {
        if (bits >> i & 1 && from[(size_t)i * sizeof(nf_packet)] != 0) {
            nf_bitmap_set(b->data, b->length + i);
        }
    }
}

void nf_gather(nf_builder *b, int field, const nf_packet *pkts, int n, uint64_t all, uint64_t any)
{
    const uint8_t *from = (const uint8_t *)pkts + fields[field].offset;
    uint64_t everyone = n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
    uint64_t bits;

    if (fields[field].always || (all >> field & 1)) {
        bits = everyone;
    } else if (!(any >> field & 1)) {
        bits = 0;
    } else {
        bits = presence(pkts, n, field);
    }
    if (b->type == NETFEAT_TYPE_BYTES) {
        copy_payload(b, pkts, n, bits);
    } else if (b->type == NETFEAT_TYPE_BOOL) {
        copy_bools(b, from, n, bits);
    } else {
        copy_values(b->data + (size_t)b->length * (size_t)b->width, from, n, bits, everyone, b->width);
    }
    if (b->validity != NULL) {
        append_bits(b->validity, b->length, bits, n);
        b->nulls += n - __builtin_popcountll(bits);
    } else {
        assert(bits == everyone);
    }
    b->length += n;
}
