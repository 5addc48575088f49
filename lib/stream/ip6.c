#include "stream/ip6.h"

#define FIXED_BYTES 40
#define ROUTING     43
#define FRAGMENT    44
#define AUTH        51

/* The next header of kind `kind`; 0 if there is none before the headers end. */
static size_t find(const uint8_t *ip, size_t size, uint8_t kind, size_t *ret_next)
{
    size_t at = FIXED_BYTES, next = 6;

    while (size >= 8 && at <= size - 8) {
        uint8_t type = ip[next];

        if (type == kind) {
            *ret_next = next;
            return at;
        }
        next = at;
        if (type == FRAGMENT) {
            at += 8;
        } else if (type == AUTH) {
            at += ((size_t)ip[at + 1] + 2) * 4;
        } else {
            at += ((size_t)ip[at + 1] + 1) * 8;
        }
    }
    return 0;
}

size_t nf_ip6_find_fragment(const uint8_t *ip, size_t size, size_t *ret_next)
{
    return find(ip, size, FRAGMENT, ret_next);
}

bool nf_ip6_is_routed(const uint8_t *ip, size_t size)
{
    size_t next;
    size_t at = find(ip, size, ROUTING, &next);

    return at != 0 && ip[at + 3] > 0;
}
