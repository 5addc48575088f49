#include "flow/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "table/text.h"

/* Of fewer flows, a digit is sorted by eight bits, twice: going through 65,536 counts costs more than a second pass
   (measured: they cost the same between 16,000 and 32,000 flows). */
#define FEW 16384

/* digit[i] belongs to flows[i] as they came; perm is the order so far. */
typedef struct {
    netfeat_ctx *ctx;
    size_t n;
    uint32_t *perm, *spare;
    uint16_t *digit;
    uint32_t *start; /* one for each value of `bits` bits */
    unsigned bits;   /* 8 or 16 */
} sorter;

static void sorter_free(sorter *s)
{
    nf_free(s->ctx, s->perm, s->n * sizeof *s->perm);
    nf_free(s->ctx, s->spare, s->n * sizeof *s->spare);
    nf_free(s->ctx, s->digit, s->n * sizeof *s->digit);
    nf_free(s->ctx, s->start, sizeof *s->start << s->bits);
}

static int sorter_new(netfeat_ctx *ctx, size_t n, sorter *s)
{
    memset(s, 0, sizeof *s);
    s->ctx = ctx;
    s->n = n;
    s->bits = n < FEW ? 8 : 16;
    if (n >= UINT32_MAX) {
        return nf_error(ctx, NETFEAT_ERR_LIMIT, "too many flows to sort: %zu", n);
    }
    s->perm = nf_alloc_array(ctx, n, sizeof *s->perm);
    s->spare = s->perm != NULL ? nf_alloc_array(ctx, n, sizeof *s->spare) : NULL;
    s->digit = s->spare != NULL ? nf_alloc_array(ctx, n, sizeof *s->digit) : NULL;
    s->start = s->digit != NULL ? nf_alloc_array(ctx, (size_t)1 << s->bits, sizeof *s->start) : NULL;
    if (s->start == NULL) {
        sorter_free(s);
        return nf_ctx_code(ctx);
    }
    for (size_t i = 0; i < n; i++) {
        s->perm[i] = (uint32_t)i;
    }
    return NETFEAT_OK;
}

/* The part of a flow's digit that is sorted by. */
static uint32_t part_of(const sorter *s, size_t flow, unsigned shift)
{
    return (uint32_t)s->digit[flow] >> shift & ((UINT32_C(1) << s->bits) - 1);
}

/* Sort perm by `bits` bits of the digits, stably. */
static void sort_part(sorter *s, unsigned shift)
{
    uint32_t sum = 0;
    uint32_t *swap = s->perm;

    memset(s->start, 0, sizeof *s->start << s->bits);
    for (size_t i = 0; i < s->n; i++) {
        s->start[part_of(s, i, shift)]++;
    }
    if (s->start[part_of(s, 0, shift)] == s->n) {
        return; /* all alike */
    }
    for (size_t d = 0; d < (size_t)1 << s->bits; d++) {
        uint32_t count = s->start[d];
        s->start[d] = sum;
        sum += count;
    }
    for (size_t i = 0; i < s->n; i++) {
        s->spare[s->start[part_of(s, s->perm[i], shift)]++] = s->perm[i];
    }
    s->perm = s->spare;
    s->spare = swap;
}

/* Sort perm by the digits, stably. */
static void sort_pass(sorter *s)
{
    for (unsigned shift = 0; shift < 16; shift += s->bits) {
        sort_part(s, shift);
    }
}

/* flows in the order of perm. */
static int apply(sorter *s, const void **flows)
{
    const void **sorted = nf_alloc_array(s->ctx, s->n, sizeof *sorted);

    if (sorted == NULL) {
        return nf_ctx_code(s->ctx);
    }
    for (size_t i = 0; i < s->n; i++) {
        sorted[i] = flows[s->perm[i]];
    }
    memcpy(flows, sorted, s->n * sizeof *sorted);
    nf_free(s->ctx, sorted, s->n * sizeof *sorted);
    return NETFEAT_OK;
}

static uint64_t position_of(const nf_flow *f, bool last)
{
    return last ? f->last_position : f->first_position;
}

static int sort_by_position(netfeat_ctx *ctx, const nf_flow **flows, size_t n, bool last)
{
    sorter s;
    uint64_t *keys;
    uint64_t differ = 0;
    bool sorted = true;
    int code;

    for (size_t i = 1; i < n; i++) {
        sorted = sorted && position_of(flows[i - 1], last) <= position_of(flows[i], last);
        differ |= position_of(flows[i - 1], last) ^ position_of(flows[i], last);
    }
    if (sorted) {
        return NETFEAT_OK;
    }
    code = sorter_new(ctx, n, &s);
    if (code != 0) {
        return code;
    }
    keys = nf_alloc_array(ctx, n, sizeof *keys);
    if (keys == NULL) {
        sorter_free(&s);
        return nf_ctx_code(ctx);
    }
    for (size_t i = 0; i < n; i++) {
        keys[i] = position_of(flows[i], last);
    }
    for (unsigned shift = 0; shift < 64; shift += 16) {
        for (size_t i = 0; (differ >> shift & 0xffff) != 0 && i < n; i++) {
            s.digit[i] = (uint16_t)(keys[i] >> shift);
        }
        if ((differ >> shift & 0xffff) != 0) {
            sort_pass(&s);
        }
    }
    code = apply(&s, (const void **)flows);
    nf_free(ctx, keys, n * sizeof *keys);
    sorter_free(&s);
    return code;
}

int nf_order_by_position(netfeat_ctx *ctx, const nf_flow **flows, size_t n)
{
    return sort_by_position(ctx, flows, n, false);
}

int nf_order_by_last_position(netfeat_ctx *ctx, const nf_flow **flows, size_t n)
{
    return sort_by_position(ctx, flows, n, true);
}

/* ---- by key ---- */

/* What rows are sorted by, as numbers that are read once from wherever the keys lie. */
typedef struct {
    uint64_t ends;  /* rank of the source among texts, 32 bits, and of the destination */
    uint64_t ports; /* of the source, 16 bits, and of the destination; protocol, 8 bits */
} sort_key;

static const nf_flow_key *flow_key(const void *flow, uint8_t *ret_source)
{
    *ret_source = nf_flow_source(flow);
    return nf_flow_key_of(flow);
}

static uint64_t ports_of(const nf_flow_key *key, uint8_t source)
{
    bool ports = (key->kind & NF_KEY_PORTS) != 0;
    uint64_t from = ports ? key->port[source] : 0;
    uint64_t to = ports ? key->port[1 - source] : 0;

    return from << 24 | to << 8 | key->protocol;
}

/* Where each octet's text stands among the texts of all octets: "1" < "10" < "100" < "101" ... < "2". As the dot
   and the end of a text compare below every digit, addresses compare as texts just as their octets do, one by
   one, by these numbers. */
static void rank_octets(uint8_t rank[256])
{
    unsigned next = 0;

    for (unsigned a = 0; a < 10; a++) {
        rank[a] = (uint8_t)next++;
        for (unsigned b = 10 * a; a > 0 && b < 10 * a + 10; b++) {
            rank[b] = (uint8_t)next++;
            for (unsigned c = 10 * b; c < 10 * b + 10 && c < 256; c++) {
                rank[c] = (uint8_t)next++;
            }
        }
    }
}

static uint32_t rank_v4(const uint8_t rank[256], const uint8_t ip[16])
{
    return (uint32_t)rank[ip[12]] << 24 | (uint32_t)rank[ip[13]] << 16 | (uint32_t)rank[ip[14]] << 8 |
           rank[ip[15]];
}

/* false: there are other addresses, too. */
static bool read_v4(const void *const *rows, size_t n, nf_order_key key_of, sort_key *keys)
{
    uint8_t rank[256];

    rank_octets(rank);
    for (size_t i = 0; i < n; i++) {
        uint8_t source;
        const nf_flow_key *key = key_of(rows[i], &source);
        if (!nf_ip_is_v4(key->ip[0]) || !nf_ip_is_v4(key->ip[1])) {
            return false;
        }
        keys[i].ends = (uint64_t)rank_v4(rank, key->ip[source]) << 32 | rank_v4(rank, key->ip[1 - source]);
        keys[i].ports = ports_of(key, source);
    }
    return true;
}

/* ---- addresses of any kind: number the distinct ones in the order of their texts ---- */

typedef struct {
    char text[NF_TEXT_MAX]; /* filled up with zeros */
    uint32_t id;
} named;

typedef struct {
    const uint8_t **seen; /* address by id */
    size_t cap, n;
    nf_map map;
    uint32_t *rank; /* by id */
} address_book;

static int compare_named(const void *a, const void *b)
{
    return memcmp(((const named *)a)->text, ((const named *)b)->text, NF_TEXT_MAX);
}

static int number_address(netfeat_ctx *ctx, address_book *book, const uint8_t *ip, uint32_t *ret)
{
    uint64_t hash = nf_hash(nf_ctx_secret(ctx), ip, 16);
    uint64_t pos = nf_map_start(&book->map, hash);
    void *p = book->seen;
    uint32_t id;
    int code;

    for (; (id = nf_map_next(&book->map, hash, &pos)) != NF_MAP_NONE; pos++) {
        if (memcmp(book->seen[id], ip, 16) == 0) {
            *ret = id;
            return NETFEAT_OK;
        }
    }
    code = nf_map_ready(ctx, &book->map);
    code = code != 0 ? code : nf_grow(ctx, &p, &book->cap, book->n + 1, sizeof *book->seen);
    book->seen = p;
    if (code == 0) {
        *ret = (uint32_t)book->n;
        nf_map_insert(&book->map, hash, *ret);
        book->seen[book->n++] = ip;
    }
    return code;
}

static int rank_addresses(netfeat_ctx *ctx, address_book *book)
{
    named *names = nf_alloc_array(ctx, book->n, sizeof *names);

    if (names == NULL) {
        return nf_ctx_code(ctx);
    }
    book->rank = nf_alloc_array(ctx, book->n, sizeof *book->rank);
    if (book->rank == NULL) {
        nf_free(ctx, names, book->n * sizeof *names);
        return nf_ctx_code(ctx);
    }
    memset(names, 0, book->n * sizeof *names);
    for (size_t i = 0; i < book->n; i++) {
        nf_text_ip(names[i].text, book->seen[i]);
        names[i].id = (uint32_t)i;
    }
    qsort(names, book->n, sizeof *names, compare_named);
    for (size_t i = 0; i < book->n; i++) {
        book->rank[names[i].id] = (uint32_t)i;
    }
    nf_free(ctx, names, book->n * sizeof *names);
    return NETFEAT_OK;
}

/* The ends are ids at first, and then the ranks of those. */
static int fill_book(netfeat_ctx *ctx, address_book *book, const void *const *rows, size_t n,
                     nf_order_key key_of, sort_key *keys)
{
    uint32_t from, to;
    int code = NETFEAT_OK;

    for (size_t i = 0; code == 0 && i < n; i++) {
        uint8_t source;
        const nf_flow_key *key = key_of(rows[i], &source);
        code = number_address(ctx, book, key->ip[source], &from);
        code = code != 0 ? code : number_address(ctx, book, key->ip[1 - source], &to);
        if (code == 0) {
            keys[i].ends = (uint64_t)from << 32 | to;
            keys[i].ports = ports_of(key, source);
        }
    }
    code = code != 0 ? code : rank_addresses(ctx, book);
    for (size_t i = 0; code == 0 && i < n; i++) {
        uint64_t ids = keys[i].ends;
        keys[i].ends = (uint64_t)book->rank[ids >> 32] << 32 | book->rank[(uint32_t)ids];
    }
    return code;
}

static int read_any(netfeat_ctx *ctx, const void *const *rows, size_t n, nf_order_key key_of, sort_key *keys)
{
    address_book book = {.n = 0};
    int code = fill_book(ctx, &book, rows, n, key_of, keys);

    nf_free(ctx, book.rank, book.rank != NULL ? book.n * sizeof *book.rank : 0);
    nf_free(ctx, book.seen, book.cap * sizeof *book.seen);
    nf_map_free(ctx, &book.map);
    return code;
}

/* From the least significant digit; those that are all alike decide nothing. */
static void sort_by_keys(sorter *s, const sort_key *keys)
{
    sort_key differ = {0, 0};

    for (size_t i = 1; i < s->n; i++) {
        differ.ends |= keys[i].ends ^ keys[0].ends;
        differ.ports |= keys[i].ports ^ keys[0].ports;
    }
    for (unsigned digit = 0; digit < 8; digit++) { /* four of the ports, then four of the ends */
        unsigned shift = 16 * (digit % 4);
        uint64_t of_all = digit < 4 ? differ.ports : differ.ends;
        if ((of_all >> shift & 0xffff) == 0) {
            continue;
        }
        for (size_t i = 0; i < s->n; i++) {
            s->digit[i] = (uint16_t)((digit < 4 ? keys[i].ports : keys[i].ends) >> shift);
        }
        sort_pass(s);
    }
}

int nf_order_rows_by_key(netfeat_ctx *ctx, const void **rows, size_t n, nf_order_key key_of)
{
    sorter s;
    sort_key *keys;
    int code;

    if (n < 2) {
        return NETFEAT_OK;
    }
    code = sorter_new(ctx, n, &s);
    if (code != 0) {
        return code;
    }
    keys = nf_alloc_array(ctx, n, sizeof *keys);
    code = keys != NULL ? NETFEAT_OK : nf_ctx_code(ctx);
    if (code == 0 && !read_v4(rows, n, key_of, keys)) {
        code = read_any(ctx, rows, n, key_of, keys);
    }
    if (code == 0) {
        sort_by_keys(&s, keys);
        code = apply(&s, rows);
    }
    nf_free(ctx, keys, n * sizeof *keys);
    sorter_free(&s);
    return code;
}

int nf_order_by_key(netfeat_ctx *ctx, const nf_flow **flows, size_t n)
{
    return nf_order_rows_by_key(ctx, (const void **)flows, n, flow_key);
}
