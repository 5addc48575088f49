/* soak.h - for the soak test: generated connections, and what the library must make of them. */
#ifndef TESTS_SOAK_H
#define TESTS_SOAK_H

#include <stdbool.h>
#include <stdint.h>

#include <netfeat/netfeat.h>

#define CHUNKS   256  /* most units that a side says */
#define MOST_LEN 1000 /* bytes of a segment */
#define HEADERS  54   /* Ethernet, IPv4, TCP */

/* A connection. Sides: 0 the client. Offsets count from the byte behind the SYN. */
typedef struct flow {
    uint64_t key; /* what it says: soak_bytes() */
    uint32_t isn[2], client, size[2], unit;
    uint16_t port;
    bool mute, midstream; /* nobody answers; its SYN is not seen */
    /* what the two ends do */
    int handshake;               /* segments of it sent */
    uint32_t base[2], sent[2];   /* bytes of that side that came without a hole; that were sent */
    uint64_t got[2];             /* units behind base that came */
    bool fin_acked[2], detached; /* detached: both ends have forgotten it */
    int held;                    /* segments of it that the tap is late with */
    /* what the library knows */
    uint64_t id; /* its stream now, 0: none */
    struct flow *next_by_id;
    int first; /* the side that is direction 0 */
    bool eof[2], reset, heard[2], in_middle;
    bool ended_before;         /* its last gap would be wrong had it ended behind the current segment */
    int64_t last;              /* time */
    int64_t start[2], next[2]; /* offsets */
    uint64_t *seen[2];         /* a bit for each byte that the tap saw and the library has not yet said */
} flow;

/* A segment as the tap saw it. */
typedef struct {
    flow *f;
    int side;
    unsigned flags;
    int64_t offset; /* of its payload */
    int64_t ack;
    uint32_t length, captured;
    bool garbage; /* no byte of the stream: nothing of it may come out */
    bool bad_sum;
} segment;

typedef struct {
    netfeat_ctx *ctx;
    netfeat_streams *st;
    int64_t now;
    flow **by_id; /* lists, by the lower bits of the stream's number */
    const segment *current;
    uint64_t before[MOST_LEN / 64 + 2]; /* the words of its bits in seen, before it */
    int n_before;
    uint64_t segments, delivered, missing, streams, gaps[7], ends[7], resets;
} soak;

#define BY_ID (1u << 14)

/* The bytes [offset, offset + n) of what a side of a connection says. */
void soak_bytes(const flow *f, int side, int64_t offset, uint32_t n, uint8_t *ret);
/* Through the library; everything that comes out is checked. The first mistake ends the program. */
void soak_feed(soak *s, const segment *seg);
void soak_drain(soak *s);
void soak_free(flow *f);
void soak_fail(const soak *s, const flow *f, const char *what);

#endif
