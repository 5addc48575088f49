#include "flow/key.h"

#include <string.h>

/* Eight bytes as a number that compares as they do. */
static uint64_t in_order(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* Whether the end that sends compares higher: by address, then by port. */
static bool sender_is_higher(const nf_flow_key *key)
{
    for (size_t i = 0; i < 16; i += 8) {
        uint64_t from = in_order(key->ip[0] + i);
        uint64_t to = in_order(key->ip[1] + i);
        if (from != to) {
            return from > to;
        }
    }
    return key->port[0] > key->port[1];
}

uint8_t nf_key_order(nf_flow_key *key)
{
    uint64_t from[2], to[2];
    uint16_t port;

    if ((key->kind & NF_KEY_ONE_WAY) != 0 || !sender_is_higher(key)) {
        return 0;
    }
    memcpy(from, key->ip[0], sizeof from);
    memcpy(to, key->ip[1], sizeof to);
    memcpy(key->ip[0], to, sizeof to);
    memcpy(key->ip[1], from, sizeof from);
    port = key->port[0];
    key->port[0] = key->port[1];
    key->port[1] = port;
    return 1;
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
