/* Fuzz target: a script of bytes becomes a pcapng file whose blocks and options have right lengths and padding in one
   byte order, but where the script says otherwise: what plain bytes seldom get past. */
#include "capture_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST 65536 /* bytes of a file */

typedef struct {
    const uint8_t *in;
    size_t left;
    uint8_t *out;
    size_t n;
    int big; /* byte order of the section */
} writer;

static uint8_t take(writer *w)
{
    if (w->left == 0) {
        return 0;
    }
    w->left--;
    return *w->in++;
}

static void put(writer *w, const void *bytes, size_t n)
{
    if (n <= MOST - w->n) {
        memcpy(w->out + w->n, bytes, n);
        w->n += n;
    }
}

static void put16(writer *w, unsigned v)
{
    const uint8_t bytes[2] = {(uint8_t)(w->big ? v >> 8 : v), (uint8_t)(w->big ? v : v >> 8)};
    put(w, bytes, sizeof bytes);
}

static void put32(writer *w, uint32_t v)
{
    put16(w, w->big ? v >> 16 : v & 0xffff);
    put16(w, w->big ? v & 0xffff : v >> 16);
}

/* n bytes of the script, filled up to four. */
static void put_padded(writer *w, size_t n)
{
    for (size_t i = 0; i < (n + 3) / 4 * 4; i++) {
        uint8_t byte = i < n ? take(w) : 0;
        put(w, &byte, 1);
    }
}

static void set32(writer *w, size_t at, uint32_t v)
{
    size_t end = w->n;

    if (at + 4 <= end) {
        w->n = at;
        put32(w, v);
        w->n = end;
    }
}

/* Up to seven, of which some are longer than they say. The numbers that have a meaning in some block come often. */
static void put_options(writer *w, unsigned count)
{
    static const uint16_t codes[] = {1,  2,  3,  4,  5,  6,    7,    8,     9,
                                     10, 11, 12, 13, 14, 2988, 2989, 19372, 0x8001};

    for (unsigned i = 0; i < count; i++) {
        unsigned code = take(w), length = take(w);
        size_t n = length % 32;
        put16(w, code < 0xf0 ? codes[code % (sizeof codes / sizeof codes[0])] : code << 8 | length);
        put16(w, (unsigned)n + (length > 0xf8 ? length : 0));
        put_padded(w, n);
    }
    if (count > 0 && count % 2 == 1) {
        put32(w, 0);
    }
}

/* Records of names: type, length, address and text. */
static void put_names(writer *w, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned type = take(w) % 5, n = take(w) % 40;
        put16(w, type);
        put16(w, n);
        put_padded(w, n);
    }
    put32(w, 0);
}

static void put_section(writer *w)
{
    uint8_t how = take(w);

    w->big = how & 1;
    put32(w, UINT32_C(0x0a0d0d0a));
    put32(w, 0);
    put32(w, UINT32_C(0x1a2b3c4d));
    put16(w, how & 2 ? 1 : how >> 4);
    put16(w, how & 4 ? 0 : how >> 5);
    put32(w, UINT32_MAX);
    put32(w, UINT32_MAX);
}

static void put_packet(writer *w, unsigned type, uint8_t how)
{
    uint32_t captured = take(w), wire = captured + (how >> 5) * 16;

    if (type == 3) {
        put32(w, how & 1 ? captured : wire);
        put_padded(w, captured);
        return;
    }
    if (type == 2) {
        put16(w, take(w) % 4);
        put16(w, how & 1 ? 0xffff : take(w));
    } else {
        put32(w, take(w) % 4);
    }
    put32(w, take(w));
    put32(w, (uint32_t)take(w) << 24 | take(w));
    put32(w, how & 8 ? captured : captured + take(w));
    put32(w, wire);
    put_padded(w, captured);
}

/* Its own length at both ends, unless the script says otherwise. */
static void put_block(writer *w)
{
    static const uint32_t types[] = {1, 6, 3, 2, 4, 5, 10, 0xbad, 0x40000bad, 1, 6, 6, 9, 0x80000001, 6};
    uint8_t kind = take(w), how = take(w);
    uint32_t type = types[kind % (sizeof types / sizeof types[0])];
    size_t start = w->n;

    if (kind >= 0xf8) {
        put_section(w);
    } else {
        put32(w, type);
        put32(w, 0);
        if (type == 1) {
            put16(w, how & 1 ? take(w) : 1);
            put16(w, 0);
            put32(w, how & 8 ? 0 : take(w));
        } else if (type == 6 || type == 3 || type == 2) {
            put_packet(w, type, how);
        } else if (type == 4) {
            put_names(w, how & 7);
        } else if (type == 5) {
            put32(w, take(w) % 4);
            put32(w, take(w));
            put32(w, (uint32_t)take(w) << 16);
        } else {
            put_padded(w, take(w) % 64);
        }
    }
    if (type != 3 || kind >= 0xf8) {
        put_options(w, how & 7);
    }
    if (w->n - start < 8) { /* the file is full */
        return;
    }
    set32(w, start + 4, (uint32_t)(w->n - start) + 4 + (how == 0xee ? take(w) : 0));
    put32(w, (uint32_t)(w->n - start) + 4 + (how == 0xef ? take(w) : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    writer w = {data, size, NULL, 0, 0};
    uint8_t how = take(&w), *exact;

    w.out = malloc(MOST);
    if (w.out == NULL) {
        return 0;
    }
    put_section(&w);
    set32(&w, 4, 28);
    put32(&w, 28);
    while (w.left > 0 && w.n < MOST) {
        put_block(&w);
    }
    exact = realloc(w.out, w.n);
    if (exact != NULL) {
        check_capture(exact, w.n, how);
    }
    free(exact != NULL ? exact : w.out);
    return 0;
}
