/* capture_build.h - for tests: captures and packets built byte by byte. */
#ifndef TESTS_CAPTURE_BUILD_H
#define TESTS_CAPTURE_BUILD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- containers ---- */

typedef struct {
    uint8_t *p;
    size_t n, cap;
    bool big; /* byte order of what is added */
} bytes;

static inline void put_bytes(bytes *b, const void *p, size_t n)
{
    if (b->n + n > b->cap) {
        b->cap = (b->n + n) * 2;
        b->p = realloc(b->p, b->cap);
    }
    if (n > 0) {
        memcpy(b->p + b->n, p, n);
    }
    b->n += n;
}

static inline void put_number(bytes *b, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(value >> 8 * (b->big ? size - 1 - i : i));
        put_bytes(b, &byte, 1);
    }
}

static inline void put16(bytes *b, uint64_t value)
{
    put_number(b, value, 2);
}

static inline void put32(bytes *b, uint64_t value)
{
    put_number(b, value, 4);
}

/* n bytes that follow from seed. */
static inline void put_data(bytes *b, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++) {
        put_number(b, (i + 1) * 31 + seed * 7, 1);
    }
}

static inline void put_pcap(bytes *b, uint32_t magic, unsigned major, unsigned minor, uint32_t link)
{
    put32(b, magic);
    put16(b, major);
    put16(b, minor);
    put32(b, 0);
    put32(b, 0);
    put32(b, 65535);
    put32(b, link);
}

static inline void put_record(bytes *b, uint32_t seconds, uint32_t fraction, uint32_t captured, uint32_t wire)
{
    put32(b, seconds);
    put32(b, fraction);
    put32(b, captured);
    put32(b, wire);
    put_data(b, captured, captured);
}

/* Block of body bytes; the lengths say `length`, or the truth when it is 0. */
static inline void put_block(bytes *b, uint32_t type, const bytes *body, uint32_t length)
{
    size_t padding = (0 - body->n) % 4;
    uint32_t say = length != 0 ? length : (uint32_t)(12 + body->n + padding);

    put32(b, type);
    put32(b, say);
    put_bytes(b, body->p, body->n);
    put_number(b, 0, padding);
    put32(b, say);
    free(body->p);
}

static inline void put_section(bytes *b)
{
    bytes body = {.big = b->big};

    put32(&body, 0x1a2b3c4d);
    put16(&body, 1);
    put16(&body, 0);
    put_number(&body, UINT64_MAX, 8);
    put_block(b, 0x0a0d0d0a, &body, 0);
}

static inline void put_option(bytes *b, unsigned kind, uint64_t value, size_t size)
{
    put16(b, kind);
    put16(b, size);
    put_number(b, value, size);
    put_number(b, 0, (0 - size) % 4);
}

/* resolution 0x100: no such option. */
static inline void put_interface(bytes *b, unsigned link, uint32_t snaplen, unsigned resolution,
                                 int64_t offset)
{
    bytes body = {.big = b->big};

    put16(&body, link);
    put16(&body, 0);
    put32(&body, snaplen);
    put_option(&body, 2, 0x65746830, 4);
    if (resolution < 0x100) {
        put_option(&body, 9, resolution, 1);
    }
    if (offset != 0) {
        put_option(&body, 14, (uint64_t)offset, 8);
    }
    put_option(&body, 0, 0, 0);
    put_block(b, 1, &body, 0);
}

static inline void put_enhanced(bytes *b, uint32_t in, uint64_t units, uint32_t captured, uint32_t wire)
{
    bytes body = {.big = b->big};

    put32(&body, in);
    put32(&body, units >> 32);
    put32(&body, units & UINT32_MAX);
    put32(&body, captured);
    put32(&body, wire);
    put_data(&body, captured, captured);
    put_number(&body, 0, (0 - body.n) % 4);
    put_option(&body, 2, 0x55, 4);
    put_option(&body, 0, 0, 0);
    put_block(b, 6, &body, 0);
}

static inline void put_obsolete(bytes *b, unsigned in, uint64_t units, uint32_t captured, uint32_t wire)
{
    bytes body = {.big = b->big};

    put16(&body, in);
    put16(&body, 3);
    put32(&body, units >> 32);
    put32(&body, units & UINT32_MAX);
    put32(&body, captured);
    put32(&body, wire);
    put_data(&body, captured, captured);
    put_block(b, 2, &body, 0);
}

static inline void put_simple(bytes *b, uint32_t captured, uint32_t wire)
{
    bytes body = {.big = b->big};

    put32(&body, wire);
    put_data(&body, captured, captured);
    put_block(b, 3, &body, 0);
}

static inline void put_other(bytes *b, uint32_t type, size_t size)
{
    bytes body = {.big = b->big};

    put_data(&body, size, type);
    put_block(b, type, &body, 0);
}

/* ---- packets ---- */

/* One record of a little-endian pcap file that holds `frame`, whole; frees the frame. */
static inline void put_whole_frame(bytes *b, uint32_t seconds, bytes *frame)
{
    put32(b, seconds);
    put32(b, 0);
    put32(b, frame->n);
    put32(b, frame->n);
    put_bytes(b, frame->p, frame->n);
    free(frame->p);
}

static inline void put_ethernet(bytes *b, unsigned ether_type)
{
    static const uint8_t addresses[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};

    b->big = true;
    put_bytes(b, addresses, sizeof addresses);
    put16(b, ether_type);
}

/* Header without options of a datagram with `length` bytes behind it; addresses as numbers. */
static inline void put_ipv4(bytes *b, uint32_t src, uint32_t dst, unsigned protocol, size_t length)
{
    put16(b, 0x4500);
    put16(b, 20 + length);
    put32(b, 0x00074000);
    put16(b, 64 << 8 | protocol);
    put16(b, 0);
    put32(b, src);
    put32(b, dst);
}

static inline void put_tcp(bytes *b, unsigned src_port, unsigned dst_port, unsigned flags, size_t payload)
{
    put16(b, src_port);
    put16(b, dst_port);
    put32(b, 1000);
    put32(b, 2000);
    put16(b, 0x5000 | flags);
    put16(b, 512);
    put32(b, 0);
    put_data(b, payload, src_port);
}

static inline void put_udp(bytes *b, unsigned src_port, unsigned dst_port, size_t payload)
{
    put16(b, src_port);
    put16(b, dst_port);
    put16(b, 8 + payload);
    put16(b, 0);
    put_data(b, payload, src_port);
}

/* A pcap file of n packets on Ethernet: TCP, UDP and ARP in turn, packet i at second i. */
static inline void put_mixed_pcap(bytes *b, unsigned n)
{
    put_pcap(b, 0xa1b2c3d4, 2, 4, 1);
    for (unsigned i = 0; i < n; i++) {
        bytes frame = {0};
        put_ethernet(&frame, i % 3 == 2 ? 0x0806 : 0x0800);
        if (i % 3 == 0) {
            put_ipv4(&frame, 0x0a000001, 0xc6336400 + i % 7, 6, 20 + i % 50);
            put_tcp(&frame, 40000 + i % 100, 80, 0x18, i % 50);
        } else if (i % 3 == 1) {
            put_ipv4(&frame, 0x0a000002, 0xc6336435, 17, 8 + i % 50);
            put_udp(&frame, 50000 + i % 100, 53, i % 50);
        } else {
            put32(&frame, 0x00010800);
            put32(&frame, 0x06040001);
            put_data(&frame, 20, i);
        }
        put_whole_frame(b, i, &frame);
    }
}

#endif
