#include "flow_floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define PART_BITS 8
#define PARTS     (1U << PART_BITS)
#define BATCH     64
#define AHEAD     6 /* records between asking for an entry and needing it; twice that for its slot */
#define LINE      64

/* A row on its way to its part: one cache line. */
typedef struct {
    uint64_t key[5], time;
    uint32_t length, hash;
    uint64_t row;
} record;
_Static_assert(sizeof(record) == LINE, "one cache line");

typedef struct {
    uint64_t key[5], packets, bytes, low, high;
} flow;

/* An index of 8-byte slots (hash, number of the flow) over flows in the order of their first packets. */
typedef struct {
    uint64_t *slots;
    flow *flows;
    unsigned bits;    /* 1 << bits slots */
    unsigned skipped; /* leading bits of hashes that are all alike */
    size_t n;
    uint32_t *first_rows; /* of each flow, if wanted */
} flow_index;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

uint8_t *floor_memory(size_t bytes)
{
    const size_t page = (size_t)2 << 20;
    uint8_t *p;

    if (bytes < page) {
        return calloc(1, bytes);
    }
    bytes = (bytes + page - 1) / page * page;
    p = aligned_alloc(page, bytes);
    if (p == NULL) {
        fputs("flow_floor: out of memory\n", stderr);
        exit(1);
    }
    (void)madvise(p, bytes, MADV_HUGEPAGE);
    memset(p, 0, bytes);
    return p;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static void read_row(const floor_input *in, int64_t i, record *r)
{
    uint16_t from, to;

    memcpy(r->key, in->src + 16 * i, 16);
    memcpy(r->key + 2, in->dst + 16 * i, 16);
    memcpy(&from, in->src_port + 2 * i, 2);
    memcpy(&to, in->dst_port + 2 * i, 2);
    memcpy(&r->time, in->time + 8 * i, 8);
    memcpy(&r->length, in->length + 4 * i, 4);
    r->key[4] = from | (uint64_t)to << 16 | (uint64_t)in->protocol[i] << 32;
    r->hash = (uint32_t)(mix(mix(r->key[0] ^ UINT64_C(0x9e3779b97f4a7c15),
                                 r->key[1] ^ UINT64_C(0xbf58476d1ce4e5b9)) ^
                                 r->key[4],
                             mix(r->key[2] ^ UINT64_C(0x94d049bb133111eb),
                                 r->key[3] ^ UINT64_C(0x2545f4914f6cdd1d)) ^
                                 UINT64_C(0xd6e8feb86659fd93)) >>
                         32);
    r->row = (uint64_t)i;
}

static int is_same(const uint64_t *a, const uint64_t *b)
{
    return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4])) == 0;
}

static uint32_t home_of(const flow_index *x, uint32_t hash)
{
    return hash << x->skipped >> (32 - x->bits);
}

static void clear_index(flow_index *x, size_t flows)
{
    x->bits = 4;
    while (UINT64_C(3) << x->bits >> 2 < flows) {
        x->bits++;
    }
    memset(x->slots, 0xff, sizeof *x->slots << x->bits);
}

static void add_record(flow_index *x, const record *r)
{
    uint32_t at = home_of(x, r->hash);
    uint64_t slot;
    flow *f;

    while (slot = x->slots[at],
           (uint32_t)slot != UINT32_MAX &&
               (slot >> 32 != r->hash || !is_same(x->flows[(uint32_t)slot].key, r->key))) {
        at = (at + 1) & ((1U << x->bits) - 1);
    }
    if ((uint32_t)slot == UINT32_MAX) {
        x->slots[at] = (uint64_t)r->hash << 32 | x->n;
        f = &x->flows[x->n++];
        memcpy(f->key, r->key, sizeof f->key);
        f->packets = 1;
        f->bytes = r->length;
        f->low = f->high = r->time;
        if (x->first_rows != NULL) {
            x->first_rows[x->n - 1] = (uint32_t)r->row;
        }
        return;
    }
    f = &x->flows[(uint32_t)slot];
    f->packets++;
    f->bytes += r->length;
    f->low = r->time < f->low ? r->time : f->low;
    f->high = r->time > f->high ? r->time : f->high;
}

static void fetch_slot(const flow_index *x, const record *r)
{
    __builtin_prefetch(&x->slots[home_of(x, r->hash)]);
}

static void fetch_entry(const flow_index *x, const record *r)
{
    uint32_t number = (uint32_t)x->slots[home_of(x, r->hash)];

    if (number != UINT32_MAX) {
        __builtin_prefetch(&x->flows[number], 1);
        __builtin_prefetch((const uint8_t *)&x->flows[number] + LINE, 1);
    }
}

/* ---- partitioned ---- */

/* A whole line to memory, without reading it first; out of registers, not out of halves just stored. */
static void write_past_cache(record *to, const record *r)
{
#if defined(__SSE2__)
    __m128i *line = (__m128i *)(void *)to;

    _mm_stream_si128(line, _mm_loadu_si128((const __m128i *)(const void *)r->key));
    _mm_stream_si128(line + 1, _mm_loadu_si128((const __m128i *)(const void *)(r->key + 2)));
    _mm_stream_si128(line + 2, _mm_set_epi64x((int64_t)r->time, (int64_t)r->key[4]));
    _mm_stream_si128(line + 3,
                     _mm_set_epi64x((int64_t)r->row, (int64_t)((uint64_t)r->hash << 32 | r->length)));
#else
    *to = *r;
#endif
}

static void spread(const floor_input *in, record *records, size_t span, size_t filled[PARTS])
{
    for (int64_t i = 0; i < in->rows; i++) {
        record r;
        size_t part;
        read_row(in, i, &r);
        part = r.hash >> (32 - PART_BITS);
        if (filled[part] == span) {
            fputs("flow_floor: the keys are too uneven for this program\n", stderr);
            exit(1);
        }
        write_past_cache(&records[part * span + filled[part]++], &r);
    }
}

static void add_part(flow_index *x, const record *r, size_t n)
{
    clear_index(x, n);
    for (size_t i = 0; i < n; i++) {
        if (i + 2 * AHEAD < n) {
            fetch_slot(x, &r[i + 2 * AHEAD]);
            fetch_entry(x, &r[i + AHEAD]);
        }
        add_record(x, &r[i]);
    }
}

double floor_partitioned(const floor_input *in, int passes, size_t *ret_flows)
{
    size_t n = (size_t)in->rows;
    size_t span = n / PARTS * 5 / 4 + 1001;
    record *records = (record *)(void *)floor_memory(PARTS * span * sizeof *records);
    flow_index x = {.slots = (uint64_t *)(void *)floor_memory(span * 3 * sizeof *x.slots + LINE),
                    .flows = (flow *)(void *)floor_memory(n * sizeof *x.flows),
                    .skipped = PART_BITS};
    double best = 1e9;

    for (int pass = 0; pass < passes; pass++) {
        size_t filled[PARTS] = {0};
        double start = now();
        x.n = 0;
        spread(in, records, span, filled);
        for (size_t p = 0; p < PARTS; p++) {
            add_part(&x, records + p * span, filled[p]);
        }
        best = now() - start < best ? now() - start : best;
    }
    *ret_flows = x.n;
    free(records);
    free(x.slots);
    free(x.flows);
    return best;
}

/* ---- partitioned, with a table ---- */

/* Pages that nobody has touched, huge ones where the system has them; give them back with munmap(). */
static void *fresh_memory(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        fputs("flow_floor: out of memory\n", stderr);
        exit(1);
    }
    (void)madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

/* Flows in the order of their first rows: a bit for each such row, and how many are set before each word. */
static void order_flows(const flow_index *x, size_t rows, uint64_t *bits, uint32_t *before, uint32_t *order)
{
    uint32_t n = 0;

    memset(bits, 0, (rows / 64 + 1) * sizeof *bits);
    for (size_t i = 0; i < x->n; i++) {
        bits[x->first_rows[i] / 64] |= UINT64_C(1) << x->first_rows[i] % 64;
    }
    for (size_t w = 0; w <= rows / 64; w++) {
        before[w] = n;
        n += (uint32_t)__builtin_popcountll(bits[w]);
    }
    for (size_t i = 0; i < x->n; i++) {
        uint32_t row = x->first_rows[i];
        uint64_t below = bits[row / 64] & ((UINT64_C(1) << row % 64) - 1);
        order[before[row / 64] + (uint32_t)__builtin_popcountll(below)] = (uint32_t)i;
    }
}

#define FLOW_BYTES 61 /* of a row: two addresses, two ports, protocol, packets, bytes, duration */

static void write_columns(const flow_index *x, const uint32_t *order, uint8_t *block)
{
    uint8_t *src = block, *dst = src + 16 * x->n, *packets = dst + 16 * x->n, *bytes = packets + 8 * x->n;
    uint8_t *duration = bytes + 8 * x->n, *ports = duration + 8 * x->n, *protocol = ports + 4 * x->n;

    for (size_t i = 0; i < x->n; i++) {
        const flow *f = &x->flows[order[i]];
        const flow *later = &x->flows[order[i + 4 * AHEAD < x->n ? i + 4 * AHEAD : i]];
        double seconds = (double)(f->high - f->low) * 1e-9;
        __builtin_prefetch(later);
        __builtin_prefetch((const uint8_t *)later + LINE);
        memcpy(src + 16 * i, f->key, 16);
        memcpy(dst + 16 * i, f->key + 2, 16);
        memcpy(packets + 8 * i, &f->packets, 8);
        memcpy(bytes + 8 * i, &f->bytes, 8);
        memcpy(duration + 8 * i, &seconds, 8);
        memcpy(ports + 2 * i, &f->key[4], 2);
        memcpy(ports + 2 * x->n + 2 * i, (const uint8_t *)&f->key[4] + 2, 2);
        protocol[i] = (uint8_t)(f->key[4] >> 32);
    }
}

double floor_partitioned_table(const floor_input *in, int passes, size_t flows)
{
    size_t n = (size_t)in->rows, words = n / 64 + 1;
    size_t span = n / PARTS * 5 / 4 + 1001;
    record *records = (record *)(void *)floor_memory(PARTS * span * sizeof *records);
    uint64_t *bits = (uint64_t *)(void *)floor_memory(words * sizeof *bits);
    uint32_t *before = (uint32_t *)(void *)floor_memory(words * sizeof *before);
    uint32_t *order = (uint32_t *)(void *)floor_memory(flows * sizeof *order);
    flow_index x = {.slots = (uint64_t *)(void *)floor_memory(span * 3 * sizeof *x.slots + LINE),
                    .first_rows = (uint32_t *)(void *)floor_memory(flows * sizeof *x.first_rows),
                    .skipped = PART_BITS};
    double best = 1e9;

    for (int pass = 0; pass < passes; pass++) {
        size_t filled[PARTS] = {0};
        double start = now();
        void *columns = fresh_memory(flows * FLOW_BYTES);
        x.flows = fresh_memory(flows * sizeof *x.flows);
        x.n = 0;
        spread(in, records, span, filled);
        for (size_t p = 0; p < PARTS; p++) {
            add_part(&x, records + p * span, filled[p]);
        }
        order_flows(&x, n, bits, before, order);
        write_columns(&x, order, columns);
        munmap(x.flows, flows * sizeof *x.flows);
        munmap(columns, flows * FLOW_BYTES);
        best = now() - start < best ? now() - start : best;
    }
    free(records);
    free(bits);
    free(before);
    free(order);
    free(x.slots);
    free(x.first_rows);
    return best;
}

/* ---- streaming ---- */

static void add_batch(const floor_input *in, int64_t first, int n, flow_index *x, record *batch)
{
    for (int i = 0; i < n; i++) {
        read_row(in, first + i, &batch[i]);
        fetch_slot(x, &batch[i]);
    }
    for (int i = 0; i < n; i++) {
        fetch_entry(x, &batch[i]);
    }
    for (int i = 0; i < n; i++) {
        add_record(x, &batch[i]);
    }
}

double floor_streaming(const floor_input *in, int passes, size_t flows)
{
    record batch[BATCH];
    flow_index x = {.slots = (uint64_t *)(void *)floor_memory(flows * 3 * sizeof *x.slots + 16 * LINE),
                    .flows = (flow *)(void *)floor_memory(flows * sizeof *x.flows)};
    double best = 1e9;

    for (int pass = 0; pass < passes; pass++) {
        double start = now();
        x.n = 0;
        clear_index(&x, flows);
        for (int64_t first = 0; first < in->rows; first += BATCH) {
            int64_t rest = in->rows - first;
            add_batch(in, first, rest < BATCH ? (int)rest : BATCH, &x, batch);
        }
        best = now() - start < best ? now() - start : best;
    }
    free(x.slots);
    free(x.flows);
    return best;
}
