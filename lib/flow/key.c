#include "flow/key.h"

#include <string.h>

uint8_t nf_key_order(nf_flow_key *key)
{
    int cmp;
    uint8_t ip[16];
    uint16_t port;

    if (key->kind & NF_KEY_ONE_WAY) {
        return 0;
    }
    cmp = memcmp(key->ip[0], key->ip[1], sizeof ip);
    if (cmp < 0 || (cmp == 0 && key->port[0] <= key->port[1])) {
        return 0;
    }
    memcpy(ip, key->ip[0], sizeof ip);
    memcpy(key->ip[0], key->ip[1], sizeof ip);
    memcpy(key->ip[1], ip, sizeof ip);
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
