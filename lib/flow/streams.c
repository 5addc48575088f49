/* One-way flows of a whole table at once. Rows are first spread over 256 parts by the hash of their key, then
   each part is aggregated in a table that stays in the cache, however many flows there are. */
#include <string.h>

#include "base/hash.h"
#include "flow/groups.h"
#include "flow/input.h"
#include "flow/order.h"
#include "flow/output.h"
#include "flow/profile.h"

#define PART_BITS  8
#define PARTS      (1U << PART_BITS)
#define AHEAD      8 /* records between asking for an entry and needing it; twice that for its slot */
#define CHUNK      ((size_t)1 << 19) /* rows: 32 MiB of records, used again, cost less than fresh pages for all */
#define TIMED      (UINT64_C(1) << 63)
#define CHECKPOINT 64

/* A row on its way to its part; 64 bytes. */
typedef struct {
    uint8_t key[NF_KEY_BYTES_SHORT];
    int64_t time;
    uint64_t length; /* | TIMED */
    uint32_t row;
    uint32_t hash; /* upper half; its first PART_BITS bits are the part */
} record;
_Static_assert(sizeof(record) == 64, "one cache line");

typedef struct {
    netfeat_ctx *ctx;
    nf_flow_config config;
    nf_flow_input in;
    size_t chunk; /* rows at a time */
    record *records;
    uint32_t *hashes;
    size_t start[PARTS + 1];
    size_t at[PARTS];
    uint8_t *entries;   /* of all parts, config.stride apart */
    size_t cap, n;      /* entries */
    nf_map maps[PARTS]; /* only the first is used, again and again, when all rows are one chunk */
    int64_t done;
} spreader;

/* ---- keys ---- */

static bool is_complete(const nf_flow_input *in, int64_t row)
{
    return nf_column_present(in->col[NF_IN_SRC_IP], row) && nf_column_present(in->col[NF_IN_DST_IP], row) &&
           nf_column_present(in->col[NF_IN_SRC_PORT], row) &&
           nf_column_present(in->col[NF_IN_DST_PORT], row) &&
           nf_column_present(in->col[NF_IN_IP_PROTOCOL], row);
}

static void make_key(const nf_flow_input *in, int64_t row, uint8_t key[NF_KEY_BYTES_SHORT])
{
    memcpy(key, in->col[NF_IN_SRC_IP]->data + 16 * row, 16);
    memcpy(key + 16, in->col[NF_IN_DST_IP]->data + 16 * row, 16);
    memcpy(key + 32, in->col[NF_IN_SRC_PORT]->data + 2 * row, 2);
    memcpy(key + 34, in->col[NF_IN_DST_PORT]->data + 2 * row, 2);
    key[36] = in->col[NF_IN_IP_PROTOCOL]->data[row];
    key[37] = NF_KEY_PORTS | NF_KEY_ONE_WAY;
    key[38] = key[39] = 0;
}

/* Hashes of rows first .. first + n - 1, and how many go to each part; 0 for a row that is left out, which
   no other row has. */
static void hash_rows(spreader *s, int64_t first, size_t n)
{
    const void *secret = nf_ctx_secret(s->ctx);
    uint8_t key[NF_KEY_BYTES_SHORT];

    memset(s->start, 0, sizeof s->start);
    for (size_t i = 0; i < n; i++) {
        uint32_t hash = 0;
        if (is_complete(&s->in, first + (int64_t)i)) {
            make_key(&s->in, first + (int64_t)i, key);
            hash = (uint32_t)(nf_hash(secret, key, sizeof key) >> 32);
            hash = hash != 0 ? hash : 1;
            s->start[(hash >> (32 - PART_BITS)) + 1]++;
        }
        s->hashes[i] = hash;
    }
    for (size_t p = 0; p < PARTS; p++) {
        s->start[p + 1] += s->start[p];
        s->at[p] = s->start[p];
    }
}

/* Rows to their parts. */
static int spread_rows(spreader *s, int64_t first, size_t n)
{
    const netfeat_column *time = s->in.col[NF_IN_TIMESTAMP];
    const int64_t *times = (const int64_t *)(const void *)time->data;
    uint64_t lengths[NF_FLOW_BATCH];

    for (size_t base = 0; base < n; base += NF_FLOW_BATCH) {
        int batch = n - base < NF_FLOW_BATCH ? (int)(n - base) : NF_FLOW_BATCH;
        int code = nf_flow_lengths(s->ctx, s->in.length, first + (int64_t)base, batch, lengths);
        if (code == 0 && base / NF_FLOW_BATCH % CHECKPOINT == 0) {
            code = nf_checkpoint(s->ctx, s->done + (int64_t)base, 0, -1);
        }
        if (code != 0) {
            return code;
        }
        for (size_t i = base; i < base + (size_t)batch; i++) {
            int64_t row = first + (int64_t)i;
            bool timed = nf_column_present(time, row);
            record *r;
            if (s->hashes[i] == 0) {
                continue;
            }
            r = &s->records[s->at[s->hashes[i] >> (32 - PART_BITS)]++];
            make_key(&s->in, row, r->key);
            r->time = timed ? times[row] : 0;
            r->length = lengths[i - base] | (timed ? TIMED : 0);
            r->row = (uint32_t)row;
            r->hash = s->hashes[i];
        }
    }
    return NETFEAT_OK;
}

/* ---- aggregation ---- */

/* The bits below those that chose the part place a record in the part's index. */
static uint64_t map_hash(const record *r)
{
    return (uint64_t)r->hash << (32 + PART_BITS);
}

static nf_flow *entry_at(const spreader *s, size_t index)
{
    return (nf_flow *)(void *)(s->entries + index * s->config.stride);
}

static int add_entry(spreader *s, nf_map *map, const record *r, nf_flow **ret)
{
    void *entries = s->entries;
    int code = nf_map_ready(s->ctx, map);
    nf_flow *f;

    code = code != 0 ? code : nf_grow(s->ctx, &entries, &s->cap, s->n + 1, s->config.stride);
    s->entries = entries;
    if (code != 0) {
        return code;
    }
    f = entry_at(s, s->n);
    memset(f, 0, s->config.clear_bytes);
    memcpy(f + 1, r->key, sizeof r->key);
    f->first_position = r->row;
    nf_map_insert(map, map_hash(r), (uint32_t)s->n);
    s->n++;
    *ret = f;
    return NETFEAT_OK;
}

static nf_flow *find_entry(const spreader *s, const nf_map *map, const record *r)
{
    uint64_t hash = map_hash(r);
    uint64_t pos = nf_map_start(map, hash);
    uint32_t index;

    for (; (index = nf_map_next(map, hash, &pos)) != NF_MAP_NONE; pos++) {
        nf_flow *f = entry_at(s, index);
        if (memcmp(f + 1, r->key, sizeof r->key) == 0) {
            return f;
        }
    }
    return NULL;
}

static void count_record(const spreader *s, nf_flow *f, const record *r)
{
    nf_counts *c = nf_flow_state(&s->config, f, NF_G_COUNTS);
    bool timed = (r->length & TIMED) != 0;
    bool first = (f->flags & NF_FLOW_TIMED) == 0;

    c->packets++;
    c->bytes += r->length & ~TIMED;
    f->last_position = r->row;
    if (timed) {
        f->first_time = first || r->time < f->first_time ? r->time : f->first_time;
        f->last_time = first || r->time > f->last_time ? r->time : f->last_time;
        f->flags |= NF_FLOW_TIMED;
    }
}

/* The slot of one record, the entry of another that comes before it. */
static void prefetch(const spreader *s, const nf_map *map, const record *slot, const record *entry)
{
    uint64_t pos = nf_map_start(map, map_hash(entry));
    uint32_t index = nf_map_next(map, map_hash(entry), &pos);

    nf_map_prefetch(map, map_hash(slot));
    if (index != NF_MAP_NONE) {
        __builtin_prefetch(entry_at(s, index), 1);
        __builtin_prefetch(entry_at(s, index) + 1, 1);
    }
}

static int aggregate(spreader *s, nf_map *map, const record *records, size_t n)
{
    int code = NETFEAT_OK;

    for (size_t i = 0; code == 0 && i < n; i++) {
        nf_flow *f;
        if (i + 2 * AHEAD < n) {
            prefetch(s, map, &records[i + 2 * AHEAD], &records[i + AHEAD]);
        }
        f = find_entry(s, map, &records[i]);
        code = f != NULL ? NETFEAT_OK : add_entry(s, map, &records[i], &f);
        if (code == 0) {
            count_record(s, f, &records[i]);
        }
    }
    return code;
}

static int group_rows(spreader *s)
{
    bool once = s->in.rows <= (int64_t)s->chunk;

    for (int64_t first = 0; first < s->in.rows; first += (int64_t)s->chunk) {
        int64_t rest = s->in.rows - first;
        size_t n = rest < (int64_t)s->chunk ? (size_t)rest : s->chunk;
        int code;
        hash_rows(s, first, n);
        code = spread_rows(s, first, n);
        for (size_t p = 0; code == 0 && p < PARTS; p++) {
            nf_map *map = &s->maps[once ? 0 : p];
            code = aggregate(s, map, s->records + s->start[p], s->start[p + 1] - s->start[p]);
            if (once) {
                nf_map_clear(map);
            }
        }
        if (code != 0) {
            return code;
        }
        s->done += (int64_t)n;
    }
    return NETFEAT_OK;
}

static int write_flows(spreader *s, netfeat_table **ret)
{
    const nf_flow **list;
    int code;

    list = nf_alloc_array(s->ctx, s->n + 1, sizeof *list);
    if (list == NULL) {
        return nf_ctx_code(s->ctx);
    }
    for (size_t i = 0; i < s->n; i++) {
        list[i] = entry_at(s, i);
    }
    code = s->config.by_key ? nf_order_by_key(s->ctx, list, s->n) : nf_order_by_position(s->ctx, list, s->n);
    code = code != 0 ? code : nf_flow_output(s->ctx, &s->config, list, s->n, ret);
    nf_free(s->ctx, list, (s->n + 1) * sizeof *list);
    return code;
}

/* ---- set-up ---- */

static void spreader_free(spreader *s)
{
    netfeat_ctx *ctx = s->ctx;

    for (size_t p = 0; p < PARTS; p++) {
        nf_map_free(ctx, &s->maps[p]);
    }
    nf_free(ctx, s->entries, s->cap * s->config.stride);
    nf_free(ctx, s->records, s->chunk * sizeof *s->records);
    nf_free(ctx, s->hashes, s->chunk * sizeof *s->hashes);
    nf_flow_config_free(ctx, &s->config);
    nf_free(ctx, s, sizeof *s);
}

static int prepare(spreader *s, const netfeat_table *packets, const netfeat_options *opts)
{
    int code = nf_flow_configure(s->ctx, opts, &nf_profile_notebook, &s->config);

    code = code != 0 ? code : nf_flow_input_open(s->ctx, &s->config, packets, &s->in);
    if (code != 0) {
        return code;
    }
    if (s->in.rows >= NF_MAP_NONE) {
        return nf_error(s->ctx, NETFEAT_ERR_LIMIT, "streams: more than 2^32 - 2 rows");
    }
    s->chunk = (size_t)s->in.rows < CHUNK ? (size_t)s->in.rows + 1 : CHUNK;
    s->records = nf_alloc_array(s->ctx, s->chunk, sizeof *s->records);
    s->hashes = s->records != NULL ? nf_alloc_array(s->ctx, s->chunk, sizeof *s->hashes) : NULL;
    return s->hashes != NULL ? NETFEAT_OK : nf_ctx_code(s->ctx);
}

int netfeat_flows_one_way(netfeat_ctx *ctx, const netfeat_table *packets, const netfeat_options *opts,
                          netfeat_table **ret)
{
    spreader *s;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (packets == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "streams: a pointer is NULL");
    }
    code = nf_table_check_sealed(ctx, packets, "streams");
    if (code != 0) {
        return code;
    }
    s = nf_alloc_zero(ctx, sizeof *s);
    if (s == NULL) {
        return nf_ctx_code(ctx);
    }
    s->ctx = ctx;
    code = prepare(s, packets, opts);
    code = code != 0 ? code : group_rows(s);
    code = code != 0 ? code : write_flows(s, ret);
    spreader_free(s);
    return code;
}
