/* The floor: a reassembler that knows nothing but streams in order. Records are parsed in one buffer that stays in the
   cache, their headers are kept in batches, and the one cache line that a stream needs is fetched while the others of
   its batch are parsed. No check, no limit, no event, nothing held: what a library does beyond that is its price. */
#include "bench_floor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BUFFER     ((size_t)256 << 10)
#define SLOTS      ((size_t)1 << 18) /* streams; a power of two, more than twice as many as the captures have */
#define BATCH      64
#define SYN        2
#define RECORD     16 /* bytes in front of a packet in the file */
#define IPV4_BYTES 54 /* the fewest of a packet that is looked at: Ethernet, IP, TCP */
#define IPV6_BYTES 74

typedef struct {
    uint64_t ip[4];
    uint32_t ports;
} key;

typedef struct {
    key who; /* 40 bytes: the smaller endpoint first */
    uint32_t next[2];
    uint32_t known; /* bits: next is known; 4: the slot is taken */
    uint32_t segments;
    uint64_t bytes;
} stream; /* one cache line */

typedef struct {
    key who;
    uint64_t hash;
    uint32_t seq, len;
    uint8_t side, syn;
} segment;

struct bench_floor {
    stream *streams;
    uint8_t *buffer;
    segment batch[BATCH];
    int n;
    uint64_t bytes;
};

bench_floor *bench_floor_new(void)
{
    bench_floor *f = calloc(1, sizeof *f);

    if (f == NULL) {
        return NULL;
    }
    f->streams = aligned_alloc((size_t)2 << 20, SLOTS * sizeof *f->streams);
    f->buffer = malloc(BUFFER);
    if (f->streams == NULL || f->buffer == NULL) {
        bench_floor_free(f);
        return NULL;
    }
    (void)madvise(f->streams, SLOTS * sizeof *f->streams, MADV_HUGEPAGE);
    memset(f->streams, 0, SLOTS * sizeof *f->streams);
    memset(f->buffer, 0, BUFFER);
    return f;
}

void bench_floor_free(bench_floor *f)
{
    if (f != NULL) {
        free(f->streams);
        free(f->buffer);
        free(f);
    }
}

static unsigned be16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return __builtin_bswap32(v);
}

static uint64_t hash_of(const key *k)
{
    uint64_t h = (k->ip[0] ^ k->ip[2]) * UINT64_C(0x9e3779b97f4a7c15);

    h = (h ^ h >> 29 ^ k->ip[1]) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ h >> 31 ^ k->ip[3] ^ (uint64_t)k->ports << 16) * UINT64_C(0x94d049bb133111eb);
    return h ^ h >> 32;
}

/* Both addresses and ports in an order that does not depend on the direction. */
static void set_key(segment *s, const uint64_t *src, const uint64_t *dst, unsigned src_port,
                    unsigned dst_port)
{
    int order = src[1] != dst[1] ? src[1] > dst[1] : src[0] != dst[0] ? src[0] > dst[0] : src_port > dst_port;

    s->side = (uint8_t)order;
    s->who.ip[order ? 2 : 0] = src[0];
    s->who.ip[order ? 3 : 1] = src[1];
    s->who.ip[order ? 0 : 2] = dst[0];
    s->who.ip[order ? 1 : 3] = dst[1];
    s->who.ports = order ? src_port | dst_port << 16 : dst_port | src_port << 16;
    s->hash = hash_of(&s->who);
}

/* The headers of a frame that is long enough for them. 1: a TCP segment. */
static int read_headers(segment *s, const uint8_t *p)
{
    unsigned type = be16(p + 12), length;
    uint64_t src[2] = {0}, dst[2] = {0};
    const uint8_t *l4;

    if (type == 0x0800 && p[14] == 0x45 && p[23] == 6 && (be16(p + 20) & 0x3fff) == 0) {
        uint32_t ip[2];

        length = be16(p + 16) - 20;
        memcpy(ip, p + 26, sizeof ip);
        src[1] = ip[0];
        dst[1] = ip[1];
        l4 = p + 34;
    } else if (type == 0x86dd && p[20] == 6) {
        length = be16(p + 18);
        memcpy(src, p + 22, sizeof src);
        memcpy(dst, p + 38, sizeof dst);
        l4 = p + 54;
    } else {
        return 0;
    }
    set_key(s, src, dst, be16(l4), be16(l4 + 2));
    s->seq = be32(l4 + 4);
    s->len = length - (l4[12] >> 4) * 4U;
    s->syn = l4[13] & SYN;
    return 1;
}

static int is_same(const key *a, const key *b)
{
    return ((a->ip[0] ^ b->ip[0]) | (a->ip[1] ^ b->ip[1]) | (a->ip[2] ^ b->ip[2]) | (a->ip[3] ^ b->ip[3]) |
            (a->ports ^ b->ports)) == 0;
}

static stream *find(bench_floor *f, const segment *s)
{
    for (size_t i = s->hash & (SLOTS - 1);; i = (i + 1) & (SLOTS - 1)) {
        stream *st = &f->streams[i];

        if (st->known == 0) {
            st->who = s->who;
            st->known = 4;
            return st;
        }
        if (is_same(&st->who, &s->who)) {
            return st;
        }
    }
}

static void in_order(bench_floor *f)
{
    for (int i = 0; i < f->n; i++) {
        const segment *s = &f->batch[i];
        stream *st = find(f, s);
        unsigned bit = 1U << s->side;
        int32_t repeated;

        st->segments++;
        if (s->syn || !(st->known & bit)) {
            st->known |= bit;
            st->next[s->side] = s->seq + (s->syn != 0);
        }
        repeated = (int32_t)(st->next[s->side] - s->seq);
        if (!s->syn && repeated >= 0 && (uint32_t)repeated < s->len) {
            st->bytes += s->len - (uint32_t)repeated;
            f->bytes += s->len - (uint32_t)repeated;
            st->next[s->side] = s->seq + s->len;
        }
    }
    f->n = 0;
}

static void packet(bench_floor *f, const uint8_t *p)
{
    segment *s = &f->batch[f->n];

    if (read_headers(s, p)) {
        __builtin_prefetch(&f->streams[s->hash & (SLOTS - 1)], 1);
        if (++f->n == BATCH) {
            in_order(f);
        }
    }
}

/* All whole records in buffer[0 .. have); returns where they end. */
static size_t records(bench_floor *f, size_t have, int64_t *packets)
{
    const uint8_t *p = f->buffer;
    size_t at = 0;

    while (have - at >= RECORD) {
        uint32_t captured;

        memcpy(&captured, p + at + 8, sizeof captured);
        if (have - at - RECORD < captured) {
            break;
        }
        if (captured >= IPV6_BYTES || (captured >= IPV4_BYTES && p[at + RECORD + 12] == 8)) {
            packet(f, p + at + RECORD);
        }
        at += RECORD + captured;
        ++*packets;
    }
    return at;
}

int64_t bench_floor_run(bench_floor *f, const char *path, uint64_t *ret_bytes)
{
    int fd = open(path, O_RDONLY);
    size_t have = 0;
    int64_t packets = 0;
    ssize_t n;

    memset(f->streams, 0, SLOTS * sizeof *f->streams);
    f->n = 0;
    f->bytes = 0;
    if (fd < 0 || read(fd, f->buffer, 24) != 24) {
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    while ((n = read(fd, f->buffer + have, BUFFER - have)) > 0) {
        size_t used;

        have += (size_t)n;
        used = records(f, have, &packets);
        have -= used;
        memmove(f->buffer, f->buffer + used, have);
    }
    in_order(f);
    close(fd);
    *ret_bytes = f->bytes;
    return n < 0 ? -1 : packets;
}
