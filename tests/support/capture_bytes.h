/* capture_bytes.h - for tests: captures built byte by byte, and everything a source says about one, as one
 * value. */
#ifndef TESTS_CAPTURE_BYTES_H
#define TESTS_CAPTURE_BYTES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netfeat/netfeat.h>

#include "capture/record.h"

/* ---- building ---- */

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

/* ---- reading ---- */

/* All that comes out of a source: equal inputs must give equal values, however the bytes arrive. */
typedef struct {
    uint64_t digest; /* of every member and byte of every record */
    int64_t records, filtered, bytes, other, sections, interfaces, snapped, backwards;
    int64_t packet, offset; /* of the error */
    int code;
    int open_code;
} outcome;

static inline void mix(uint64_t *digest, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *digest = (*digest ^ ((const uint8_t *)p)[i]) * UINT64_C(0x100000001b3);
    }
}

static inline void mix_record(uint64_t *digest, const nf_record *r)
{
    const int64_t v[] = {(int64_t)r->number, r->time_ns,   r->captured_length, r->wire_length,
                         r->interface_id,    r->link_type, r->flags,           r->file_index};
    mix(digest, v, sizeof v);
    mix(digest, r->data, r->captured_length);
}

/* Read to the end in calls of at most max records, and give the source back. */
static inline outcome drain(netfeat_ctx *ctx, int open_code, netfeat_source *src, int max)
{
    outcome o = {.digest = 0xcbf29ce484222325, .packet = -1, .offset = -1, .open_code = open_code};
    nf_record recs[NF_BATCH];
    int n = 0;

    while (open_code == 0 && (n = nf_source_next(src, recs, max)) > 0) {
        for (int i = 0; i < n; i++) {
            mix_record(&o.digest, &recs[i]);
        }
    }
    o.code = open_code != 0 ? open_code : n;
    if (o.code < 0) {
        o.packet = netfeat_ctx_error_packet(ctx);
        o.offset = netfeat_ctx_error_offset(ctx);
    }
    if (open_code == 0) {
        o.records = netfeat_source_count(src, NETFEAT_COUNT_RECORDS);
        o.filtered = netfeat_source_count(src, NETFEAT_COUNT_FILTERED);
        o.bytes = netfeat_source_count(src, NETFEAT_COUNT_BYTES);
        o.other = netfeat_source_count(src, NETFEAT_COUNT_OTHER_BLOCKS);
        o.sections = netfeat_source_count(src, NETFEAT_COUNT_SECTIONS);
        o.interfaces = netfeat_source_count(src, NETFEAT_COUNT_INTERFACES);
        o.snapped = netfeat_source_count(src, NETFEAT_COUNT_SNAPPED);
        o.backwards = netfeat_source_count(src, NETFEAT_COUNT_TIME_BACKWARDS);
        if (netfeat_source_count(src, NETFEAT_COUNT_DELIVERED) + o.filtered != o.records) {
            o.code = 99; /* an invariant is broken: no test expects this */
        }
    }
    netfeat_source_unref(src);
    return o;
}

static inline outcome read_memory(netfeat_ctx *ctx, const netfeat_options *opts, const void *p, size_t n,
                                  int max)
{
    netfeat_source *src = NULL;
    void *copy = malloc(n + 1); /* exactly as long as it says: reading past it is seen */
    uint8_t *end = (uint8_t *)copy + 1;
    outcome o;
    int code;

    memcpy(end, p, n);
    code = netfeat_source_open_memory(ctx, end, n, opts, &src);
    o = drain(ctx, code, src, max);
    free(copy);
    return o;
}

typedef struct {
    int fd;
    const uint8_t *p;
    size_t n, piece;
} feeder;

static inline void *feed(void *user)
{
    feeder *f = user;

    for (size_t i = 0; i < f->n; i += f->piece) {
        size_t size = f->n - i < f->piece ? f->n - i : f->piece;
        if (send(f->fd, f->p + i, size, MSG_NOSIGNAL) < 0) {
            break;
        }
    }
    close(f->fd);
    return NULL;
}

/* Through a socket that is fed `piece` bytes at a time; 1: each read gives exactly one (a longer message
   would lose what does not fit the reader's buffer). */
static inline outcome read_pieces(netfeat_ctx *ctx, const netfeat_options *opts, const void *p, size_t n,
                                  size_t piece)
{
    netfeat_source *src = NULL;
    int fds[2];
    pthread_t thread;
    feeder f = {0, p, n, piece};
    outcome o;
    int code;

    if (socketpair(AF_UNIX, piece == 1 ? SOCK_SEQPACKET : SOCK_STREAM, 0, fds) != 0) {
        abort();
    }
    f.fd = fds[1];
    if (pthread_create(&thread, NULL, feed, &f) != 0) {
        abort();
    }
    code = netfeat_source_open_fd(ctx, fds[0], opts, &src);
    close(fds[0]);
    o = drain(ctx, code, src, NF_BATCH);
    pthread_join(thread, NULL);
    return o;
}

/* Path of a new temporary file with these bytes; the caller unlinks it. */
static inline void write_temporary(char path[32], const void *p, size_t n)
{
    int fd;

    strcpy(path, "/tmp/netfeat-test-XXXXXX");
    fd = mkstemp(path);
    if (fd < 0 || write(fd, p, n) != (ssize_t)n) {
        abort();
    }
    close(fd);
}

static inline outcome read_file(netfeat_ctx *ctx, const netfeat_options *opts, const void *p, size_t n)
{
    netfeat_source *src = NULL;
    char path[32];
    outcome o;
    int code;

    write_temporary(path, p, n);
    code = netfeat_source_open_file(ctx, path, opts, &src);
    o = drain(ctx, code, src, NF_BATCH);
    unlink(path);
    return o;
}

static inline bool same(const outcome *a, const outcome *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

#endif
