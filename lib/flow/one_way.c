/* One-way flows of a whole table at once. Rows are spread over 1024 parts by the hash of their key; each part
   gathers records until it has a thousand, and then adds them to its flows in one go, while those are in the
   cache. */
#include <string.h>

#include "base/hash.h"
#include "flow/groups.h"
#include "flow/input.h"
#include "flow/order.h"
#include "flow/output.h"
#include "flow/profile.h"

#define PART_BITS  10
#define PARTS      (1U << PART_BITS)
#define GATHERED   1024 /* most records of a part before they are added up: 64 MiB for all parts */
#define AHEAD      8    /* records between asking for an entry and needing it; twice that for its slot */
#define TIMED      (UINT64_C(1) << 63)
#define CHECKPOINT 4096

/* A row on its way to its part; 64 bytes. */
typedef struct {
    uint64_t key[NF_KEY_BYTES_SHORT / 8];
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
    record *records;          /* span for each part */
    size_t span;              /* odd: the ends of parts must not all fall into one cache set */
    uint32_t gathered[PARTS]; /* how many records are there */
    nf_map maps[PARTS];
    uint8_t *entries; /* of all parts, config.stride apart */
    size_t cap, n;    /* entries */
} spreader;

/* The columns that a row is read from, once and for all. */
typedef struct {
    const uint8_t *src_ip, *dst_ip, *src_port, *dst_port, *protocol;
    const int64_t *times;
    bool all_present; /* nothing is NULL anywhere */
} row_reader;

/* ---- keys ---- */

static row_reader make_reader(const nf_flow_input *in)
{
    static const int needed[] = {NF_IN_SRC_IP,   NF_IN_DST_IP,      NF_IN_SRC_PORT,
                                 NF_IN_DST_PORT, NF_IN_IP_PROTOCOL, NF_IN_TIMESTAMP};
    row_reader r = {.src_ip = in->col[NF_IN_SRC_IP]->data,
                    .dst_ip = in->col[NF_IN_DST_IP]->data,
                    .src_port = in->col[NF_IN_SRC_PORT]->data,
                    .dst_port = in->col[NF_IN_DST_PORT]->data,
                    .protocol = in->col[NF_IN_IP_PROTOCOL]->data,
                    .times = (const int64_t *)(const void *)in->col[NF_IN_TIMESTAMP]->data,
                    .all_present = true};

    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        r.all_present = r.all_present && in->col[needed[i]]->validity == NULL;
    }
    return r;
}

static bool is_complete(const nf_flow_input *in, int64_t row)
{
    return nf_column_present(in->col[NF_IN_SRC_IP], row) && nf_column_present(in->col[NF_IN_DST_IP], row) &&
           nf_column_present(in->col[NF_IN_SRC_PORT], row) &&
           nf_column_present(in->col[NF_IN_DST_PORT], row) &&
           nf_column_present(in->col[NF_IN_IP_PROTOCOL], row);
}

/* The bytes behind the addresses of a key, made in a register: what is stored by bytes is slow to load again. */
static uint64_t word_of(uint16_t from, uint16_t to, uint8_t protocol, uint8_t kind)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return from | (uint64_t)to << 16 | (uint64_t)protocol << 32 | (uint64_t)kind << 40;
#else
    return (uint64_t)from << 48 | (uint64_t)to << 32 | (uint64_t)protocol << 24 | (uint64_t)kind << 16;
#endif
}

static void make_key(const row_reader *r, size_t row, uint64_t key[NF_KEY_BYTES_SHORT / 8])
{
    uint16_t from, to;

    memcpy(key, r->src_ip + 16 * row, 16);
    memcpy(key + 2, r->dst_ip + 16 * row, 16);
    memcpy(&from, r->src_port + 2 * row, 2);
    memcpy(&to, r->dst_port + 2 * row, 2);
    key[4] = word_of(from, to, r->protocol[row], NF_KEY_PORTS | NF_KEY_ONE_WAY);
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
        if (nf_key_equal(f + 1, r->key, sizeof r->key)) {
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

static int add_part(spreader *s, size_t part)
{
    size_t n = s->gathered[part];

    s->gathered[part] = 0;
    return aggregate(s, &s->maps[part], s->records + part * s->span, n);
}

/* Rows first .. first + n - 1 to their parts. */
static int spread_rows(spreader *s, const row_reader *reader, int64_t first, int n)
{
    const void *secret = nf_ctx_secret(s->ctx);
    uint64_t lengths[NF_FLOW_BATCH];
    int code = nf_flow_lengths(s->ctx, s->in.length, first, n, lengths);

    for (int i = 0; code == 0 && i < n; i++) {
        int64_t row = first + i;
        bool timed = reader->all_present || nf_column_present(s->in.col[NF_IN_TIMESTAMP], row);
        record r;
        size_t part;
        if (!reader->all_present && !is_complete(&s->in, row)) {
            continue;
        }
        make_key(reader, (size_t)row, r.key);
        r.hash = (uint32_t)(nf_hash(secret, r.key, sizeof r.key) >> 32);
        r.time = timed ? reader->times[row] : 0;
        r.length = lengths[i] | (timed ? TIMED : 0);
        r.row = (uint32_t)row;
        part = r.hash >> (32 - PART_BITS);
        s->records[part * s->span + s->gathered[part]] = r;
        if (++s->gathered[part] == s->span - 1) {
            code = add_part(s, part);
        }
    }
    return code;
}

static int group_rows(spreader *s)
{
    row_reader reader = make_reader(&s->in);
    int code = NETFEAT_OK;

    for (int64_t first = 0; code == 0 && first < s->in.rows; first += NF_FLOW_BATCH) {
        int64_t rest = s->in.rows - first;
        code = spread_rows(s, &reader, first, rest < NF_FLOW_BATCH ? (int)rest : NF_FLOW_BATCH);
        if (code == 0 && first % CHECKPOINT == 0) {
            code = nf_checkpoint(s->ctx, first, 0, -1);
        }
    }
    for (size_t part = 0; code == 0 && part < PARTS; part++) {
        code = add_part(s, part);
    }
    return code;
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
    nf_free(ctx, s->records, PARTS * s->span * sizeof *s->records);
    nf_flow_config_free(ctx, &s->config);
    nf_free(ctx, s, sizeof *s);
}

/* Twice what a part can expect, so that a small table needs little memory. */
static size_t span_for(int64_t rows)
{
    uint64_t twice = (uint64_t)rows / PARTS * 2 + 16;
    return (size_t)(twice < GATHERED ? twice : GATHERED) | 1;
}

static int prepare(spreader *s, const netfeat_table *packets, const netfeat_options *opts)
{
    int code = nf_flow_configure(s->ctx, opts, &nf_profile_notebook, &s->config);

    code = code != 0 ? code : nf_flow_input_open(s->ctx, &s->config, packets, &s->in);
    if (code != 0) {
        return code;
    }
    if (s->in.rows >= NF_MAP_NONE) {
        return nf_error(s->ctx, NETFEAT_ERR_LIMIT, "flows_one_way: more than 2^32 - 2 rows");
    }
    s->span = span_for(s->in.rows);
    s->records = nf_alloc_array(s->ctx, PARTS * s->span, sizeof *s->records);
    return s->records != NULL ? NETFEAT_OK : nf_ctx_code(s->ctx);
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
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "flows_one_way: a pointer is NULL");
    }
    code = nf_table_check_sealed(ctx, packets, "flows_one_way");
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
