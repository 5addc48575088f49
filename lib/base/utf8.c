#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* Length of the well-formed sequence at p (left > 0 bytes), 0 if there is none. */
static size_t sequence(const uint8_t *p, size_t left)
{
    uint8_t lo = 0x80;
    uint8_t hi = 0xbf;
    size_t n;

    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] < 0xc2 || p[0] > 0xf4) {
        return 0;
    }
    n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (n > left) {
        return 0;
    }
    if (p[0] == 0xe0) {
        lo = 0xa0;
    } else if (p[0] == 0xed) {
        hi = 0x9f;
    } else if (p[0] == 0xf0) {
        lo = 0x90;
    } else if (p[0] == 0xf4) {
        hi = 0x8f;
    }
    if (p[1] < lo || p[1] > hi) {
        return 0;
    }
    for (size_t i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return n;
}

bool nf_utf8_valid(const void *text, size_t size)
{
    const uint8_t *p = text;
    size_t i = 0;

    while (i < size) {
        uint64_t word;
        size_t n;
        if (size - i >= sizeof word) {
            memcpy(&word, p + i, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof word;
                continue;
            }
        }
        n = sequence(p + i, size - i);
        if (n == 0) {
            return false;
        }
        i += n;
    }
    return true;
}
