/* cursor.h - the one way to read input bytes: a window that never reads past its end.
   A read that does not fit sets the sticky flag `bad`, returns 0 and moves nothing. */
#ifndef NF_BASE_CURSOR_H
#define NF_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
} nf_cursor;

static inline nf_cursor nf_cursor_make(const void *data, size_t size)
{
    nf_cursor c = {(const uint8_t *)data, (const uint8_t *)data + size, false};
    return c;
}

static inline size_t nf_cursor_left(const nf_cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* The next n bytes, or NULL (and bad) when fewer are left. */
static inline const uint8_t *nf_cursor_take(nf_cursor *c, size_t n)
{
    const uint8_t *p = c->at;
    if (n > nf_cursor_left(c)) {
        c->bad = true;
        return NULL;
    }
    c->at += n;
    return p;
}

/* The bytes from offset on without moving, or NULL when offset + n is past the end. Does not set bad. */
static inline const uint8_t *nf_cursor_peek(const nf_cursor *c, size_t offset, size_t n)
{
    size_t left = nf_cursor_left(c);
    return offset <= left && n <= left - offset ? c->at + offset : NULL;
}

/* Give up what lies more than n bytes ahead (a length field said so); never grows. */
static inline void nf_cursor_limit(nf_cursor *c, size_t n)
{
    if (n < nf_cursor_left(c)) {
        c->end = c->at + n;
    }
}

/* Loads of wire integers from bytes already known to be inside. */
static inline uint16_t nf_load_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t nf_load_be24(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t nf_load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t nf_load_be64(const uint8_t *p)
{
    return (uint64_t)nf_load_be32(p) << 32 | nf_load_be32(p + 4);
}

static inline uint16_t nf_load_le16(const uint8_t *p)
{
    return (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t nf_load_le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint64_t nf_load_le64(const uint8_t *p)
{
    return (uint64_t)nf_load_le32(p + 4) << 32 | nf_load_le32(p);
}

static inline uint8_t nf_cursor_u8(nf_cursor *c)
{
    const uint8_t *p = nf_cursor_take(c, 1);
    return p ? p[0] : 0;
}

static inline uint16_t nf_cursor_be16(nf_cursor *c)
{
    const uint8_t *p = nf_cursor_take(c, 2);
    return p ? nf_load_be16(p) : 0;
}

static inline uint32_t nf_cursor_be32(nf_cursor *c)
{
    const uint8_t *p = nf_cursor_take(c, 4);
    return p ? nf_load_be32(p) : 0;
}

#endif
