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
#include "capture_build.h"

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
