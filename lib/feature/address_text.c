/* Addresses out of text, by the rule of Python's ipaddress.ip_interface (3.11). */
#include "feature/address.h"

typedef struct {
    const char *at;
    size_t size;
} span;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Decimal digits only, of a value up to max; leading zeros are fine. */
static bool parse_decimal(span s, unsigned max, unsigned *ret)
{
    unsigned v = 0;

    for (size_t i = 0; i < s.size; i++) {
        if (!is_digit(s.at[i])) {
            return false;
        }
        v = v > max ? v : v * 10 + (unsigned)(s.at[i] - '0');
    }
    *ret = v;
    return s.size > 0 && v <= max;
}

/* Part of s up to sep, or all of it; s moves behind the separator. */
static span split(span *s, char sep, bool *found)
{
    const char *p = s->size > 0 ? memchr(s->at, sep, s->size) : NULL;
    span part = {s->at, p != NULL ? (size_t)(p - s->at) : s->size};

    *found = p != NULL;
    s->at += part.size + (p != NULL ? 1 : 0);
    s->size -= part.size + (p != NULL ? 1 : 0);
    return part;
}

/* Four decimal octets of one to three digits without leading zeros. */
static bool parse_ipv4(span s, uint32_t *ret)
{
    uint32_t ip = 0;

    for (int i = 0; i < 4; i++) {
        bool more;
        unsigned octet;
        span part = split(&s, '.', &more);
        if (more != (i < 3) || part.size > 3 || (part.size > 1 && part.at[0] == '0') ||
            !parse_decimal(part, 255, &octet)) {
            return false;
        }
        ip = ip << 8 | octet;
    }
    *ret = ip;
    return true;
}

static bool parse_hextet(span s, uint16_t *ret)
{
    unsigned v = 0;

    if (s.size == 0 || s.size > 4) {
        return false;
    }
    for (size_t i = 0; i < s.size; i++) {
        char c = s.at[i];
        if (is_digit(c)) {
            v = v << 4 | (unsigned)(c - '0');
        } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
            v = v << 4 | (unsigned)((c | 0x20) - 'a' + 10);
        } else {
            return false;
        }
    }
    *ret = (uint16_t)v;
    return true;
}

#define PARTS 10 /* nine parts are legal; the tenth is there to notice too many */

/* The parts between colons; a dotted quad at the end counts as two of them. Returns their number, 0 if bad. */
static int split_ipv6(span s, span parts[PARTS], uint32_t *quad, bool *has_quad)
{
    bool more = true;
    int n = 0;

    while (more && n < PARTS) {
        parts[n++] = split(&s, ':', &more);
    }
    if (more || n < 3) {
        return 0;
    }
    *has_quad = parts[n - 1].size > 0 && memchr(parts[n - 1].at, '.', parts[n - 1].size) != NULL;
    if (*has_quad && !parse_ipv4(parts[n - 1], quad)) {
        return 0;
    }
    return n + (*has_quad ? 1 : 0);
}

/* Number of parts before and after a "::"; false where the colons do not make sense. */
static bool place_gap(const span *parts, int n, bool has_quad, int *hi, int *lo)
{
    int skip = -1;
    bool last_empty = !has_quad && parts[n - 1].size == 0;

    for (int i = 1; i < n - (has_quad ? 2 : 1); i++) {
        if (parts[i].size == 0 && skip >= 0) {
            return false;
        }
        skip = parts[i].size == 0 ? i : skip;
    }
    if (skip < 0) {
        *hi = n;
        *lo = 0;
        return n == 8 && parts[0].size > 0 && !last_empty;
    }
    *hi = skip;
    *lo = n - skip - 1;
    if (parts[0].size == 0 && --*hi > 0) {
        return false;
    }
    if (last_empty && --*lo > 0) {
        return false;
    }
    return *hi + *lo < 8;
}

static bool parse_ipv6(span s, nf_address *ret)
{
    span parts[PARTS + 1];
    uint16_t words[8] = {0};
    uint32_t quad = 0;
    bool has_quad = false;
    int n, hi, lo;

    n = split_ipv6(s, parts, &quad, &has_quad);
    if (n == 0 || n > 9 || !place_gap(parts, n, has_quad, &hi, &lo)) {
        return false;
    }
    for (int i = 0; i < hi + lo; i++) {
        int from = i < hi ? i : n - (hi + lo) + i; /* part */
        int to = i < hi ? i : 8 - (hi + lo) + i;   /* word */
        if (has_quad && from >= n - 2) {
            words[to] = (uint16_t)(from == n - 2 ? quad >> 16 : quad);
        } else if (!parse_hextet(parts[from], &words[to])) {
            return false;
        }
    }
    ret->ipv4 = false;
    ret->hi = ret->lo = 0;
    for (int i = 0; i < 4; i++) {
        ret->hi = ret->hi << 16 | words[i];
        ret->lo = ret->lo << 16 | words[i + 4];
    }
    return true;
}

/* Length of a run of ones from the top, or false when m mixes ones and zeros. */
static bool mask_length(uint32_t m, unsigned *ret)
{
    unsigned ones = 0;

    while (ones < 32 && (m >> (31 - ones) & 1) != 0) {
        ones++;
    }
    *ret = ones;
    return ones == 32 || m << ones == 0;
}

/* "24", "255.255.255.0", or a host mask "0.0.0.255". */
static bool parse_ipv4_mask(span s, unsigned *ret)
{
    uint32_t m;

    if (parse_decimal(s, 32, ret)) {
        return true;
    }
    return parse_ipv4(s, &m) && (mask_length(m, ret) || mask_length(~m, ret));
}

static bool parse_ipv4_interface(span addr, span mask, bool masked, nf_address *ret)
{
    uint32_t ip;
    unsigned length = 32;

    if (!parse_ipv4(addr, &ip) || (masked && !parse_ipv4_mask(mask, &length))) {
        return false;
    }
    ret->ipv4 = true;
    ret->hi = 0;
    ret->lo = length == 0 ? 0 : ip & UINT32_MAX << (32 - length);
    return true;
}

static bool parse_ipv6_interface(span addr, span mask, bool masked, nf_address *ret)
{
    unsigned length = 128;
    bool scoped;
    span ip = split(&addr, '%', &scoped);

    if ((scoped && (addr.size == 0 || memchr(addr.at, '%', addr.size) != NULL)) || !parse_ipv6(ip, ret) ||
        (masked && !parse_decimal(mask, 128, &length))) {
        return false;
    }
    if (length <= 64) {
        ret->hi &= length == 0 ? 0 : UINT64_MAX << (64 - length);
        ret->lo = 0;
    } else if (length < 128) {
        ret->lo &= UINT64_MAX << (128 - length);
    }
    return true;
}

bool nf_address_parse(const char *text, size_t size, nf_address *ret)
{
    span mask = {text, size};
    bool masked = false;
    span addr = split(&mask, '/', &masked);

    *ret = (nf_address){false, 0, 0};
    if (masked && mask.size > 0 && memchr(mask.at, '/', mask.size) != NULL) {
        return false;
    }
    if (parse_ipv4_interface(addr, mask, masked, ret) || parse_ipv6_interface(addr, mask, masked, ret)) {
        return true;
    }
    *ret = (nf_address){false, 0, 0};
    return false;
}
