#include "flow/key.h"

#include <string.h>

/* Eight bytes as a number that compares as they do. */
static uint64_t in_order(uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* A word with its first two ports, which change places. */
static uint64_t swap_ports(uint64_t word)
{
    const uint64_t both = nf_key_word(UINT16_MAX, UINT16_MAX, 0, 0);
    const uint64_t first = nf_key_word(UINT16_MAX, 0, 0, 0);
    const uint64_t second = both ^ first;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (word & ~both) | (word & first) << 16 | (word & second) >> 16;
#else
    return (word & ~both) | (word & first) >> 16 | (word & second) << 16;
#endif
}

/* Whether the end that sends compares higher: by address, then by port. */
static bool sender_is_higher(const uint64_t key[NF_KEY_WORDS])
{
    uint16_t port[2];

    if (key[0] != key[2]) {
        return in_order(key[0]) > in_order(key[2]);
    }
    if (key[1] != key[3]) {
        return in_order(key[1]) > in_order(key[3]);
    }
    memcpy(port, &key[4], sizeof port);
    return port[0] > port[1];
}

/* Without a branch: which end sends is anybody's guess. */
uint8_t nf_key_order(uint64_t key[NF_KEY_WORDS])
{
    bool one_way = (key[4] & nf_key_word(0, 0, 0, NF_KEY_ONE_WAY)) != 0;
    uint64_t higher = !one_way & sender_is_higher(key);
    uint64_t mask = higher != 0 ? UINT64_MAX : 0;

    for (size_t i = 0; i < 2; i++) {
        uint64_t differ = (key[i] ^ key[i + 2]) & mask;
        key[i] ^= differ;
        key[i + 2] ^= differ;
    }
    key[4] ^= (key[4] ^ swap_ports(key[4])) & mask;
    return (uint8_t)higher;
}

/* Pairs of RFC 792, 950, 1256 (ICMP) and RFC 2710, 4443, 4620, 4861, 6275 (ICMPv6). */
int nf_icmp_answer(uint8_t protocol, uint8_t type)
{
    static const uint8_t v4[][2] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}, {10, 9}};
    static const uint8_t v6[][2] = {{128, 129}, {130, 131}, {133, 134}, {135, 136},
                                    {139, 140}, {144, 145}, {146, 147}};
    const uint8_t(*pairs)[2] = protocol == NF_PROTOCOL_ICMP ? v4 : v6;
    size_t n = protocol == NF_PROTOCOL_ICMP ? sizeof v4 / sizeof v4[0] : sizeof v6 / sizeof v6[0];

    for (size_t i = 0; i < n; i++) {
        if (pairs[i][0] == type) {
            return pairs[i][1];
        }
        if (pairs[i][1] == type) {
            return pairs[i][0];
        }
    }
    return -1;
}
