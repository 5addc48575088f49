/* One-way flows of a whole table at once. Rows are spread over 1024 parts by the hash of their key; each part
   gathers records until it has a thousand, and then adds them to its flows in one go, while those are in the
   cache. Records go to memory past the cache, which has better things to hold, and which would first read the lines
   that they overwrite: that alone takes longer than everything else that is done for a row. With several threads each
   of them goes through all rows and takes those of its own parts, so that they share nothing but what they read, and
   the context, one at a time. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"
#include "base/options.h"
#include "flow/groups.h"
#include "flow/input.h"
#include "flow/profile.h"
#include "flow/streams.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define PART_BITS     10
#define PARTS         (1U << PART_BITS)
#define GATHERED      1024 /* most records of a part before they are added up: 64 MiB for all parts */
#define AHEAD         8    /* records between asking for an entry and needing it; twice that for its slot */
#define TIMED         (UINT64_C(1) << 63)
#define CHECKPOINT    4096
#define WORKERS_MAX   64    /* the option's */
#define ROWS_A_WORKER 1024  /* fewer are not worth a thread */
#define LARGE_MAP     16384 /* flows in the index of a part */
#define CACHE_BYTES   ((size_t)2 << 20)

/* A row on its way to its part; 64 bytes. */
typedef struct {
    uint64_t key[NF_KEY_WORDS];
    int64_t time;
    uint64_t length; /* | TIMED */
    uint32_t row;
    uint32_t hash; /* upper half; its first PART_BITS bits are the part */
} record;
_Static_assert(sizeof(record) == 64, "one cache line");

/* The columns that a row is read from, once and for all. */
typedef struct {
    const uint8_t *src_ip, *dst_ip, *src_port, *dst_port, *protocol;
    const int64_t *times;
    bool all_present; /* nothing is NULL anywhere */
} row_reader;

typedef struct {
    netfeat_ctx *ctx;
    nf_flow_config config;
    nf_flow_input in;
    row_reader reader;
    const void *secret; /* of the context */
    size_t span;        /* records between parts; odd: their ends must not all fall into one cache set */
    bool past_cache;    /* the records of all parts would not fit into it */
    size_t workers;
    pthread_mutex_t lock; /* of the context, with several workers */
    atomic_bool failed;   /* one of them; the others stop */
} job;

/* What one thread does: the parts whose number leaves `me` when divided by the workers. */
typedef struct {
    job *job;
    size_t me;
    void *block;              /* holds records, which are aligned */
    record *records;          /* job->span for each part */
    uint32_t gathered[PARTS]; /* how many records are there; by part / workers, as the maps */
    nf_map maps[PARTS];
    nf_entries streams; /* of all parts */
    uint32_t *first_rows;
    size_t rows_cap, n; /* elements of first_rows; streams */
} spreader;

/* How many parts a worker has room for. */
static size_t parts_of(const job *j)
{
    return (PARTS + j->workers - 1) / j->workers;
}

/* Around every use of the context. */
static void lock(job *j)
{
    if (j->workers > 1) {
        pthread_mutex_lock(&j->lock);
    }
}

static void unlock(job *j)
{
    if (j->workers > 1) {
        pthread_mutex_unlock(&j->lock);
    }
}

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

static void make_key(const row_reader *r, size_t row, uint64_t key[NF_KEY_WORDS])
{
    uint16_t from, to;

    memcpy(key, r->src_ip + 16 * row, 16);
    memcpy(key + 2, r->dst_ip + 16 * row, 16);
    memcpy(&from, r->src_port + 2 * row, 2);
    memcpy(&to, r->dst_port + 2 * row, 2);
    key[4] = nf_key_word(from, to, r->protocol[row], NF_KEY_PORTS | NF_KEY_ONE_WAY);
}

/* ---- aggregation ---- */

/* The bits below those that chose the part place a record in the part's index. */
static uint64_t map_hash(const record *r)
{
    return (uint64_t)r->hash << (32 + PART_BITS);
}

/* Indexes start with room for a quarter of what a part gathers, and grow by four while they are small: to fill one
   anew costs as much as filling it. */
static int make_room(spreader *s, nf_map *map)
{
    void *rows = s->first_rows;
    uint32_t least = (uint32_t)s->job->span / 4;
    uint32_t more = map->count < LARGE_MAP ? 4 * map->count : map->count;
    int code = NETFEAT_OK;

    lock(s->job);
    if (!nf_map_has_room(map)) {
        code = nf_map_reserve(s->job->ctx, map, more > least ? more + 1 : least + 1);
    }
    code = code != 0 ? code : nf_entries_grow(s->job->ctx, &s->streams, s->n + 1);
    code = code != 0 ? code : nf_grow(s->job->ctx, &rows, &s->rows_cap, s->n + 1, sizeof *s->first_rows);
    unlock(s->job);
    s->first_rows = rows;
    return code;
}

static int add_stream(spreader *s, nf_map *map, const record *r)
{
    bool room = nf_map_has_room(map) && s->n < s->streams.cap && s->n < s->rows_cap;
    int code = room ? NETFEAT_OK : make_room(s, map);
    bool timed = (r->length & TIMED) != 0;
    nf_flow_stream *f;

    if (code != 0) {
        return code;
    }
    f = nf_entries_at(&s->streams, s->n);
    memcpy(f->key, r->key, sizeof f->key);
    f->first_time = timed ? r->time : INT64_MAX;
    f->last_time = timed ? r->time : INT64_MIN;
    f->bytes = r->length & ~TIMED;
    f->packets = 1;
    f->first_row = r->row;
    s->first_rows[s->n] = r->row;
    nf_map_insert(map, map_hash(r), (uint32_t)s->n);
    s->n++;
    return NETFEAT_OK;
}

static nf_flow_stream *find_stream(const spreader *s, const nf_map *map, const record *r)
{
    uint64_t hash = map_hash(r);
    uint64_t pos = nf_map_start(map, hash);
    uint32_t index;

    for (; (index = nf_map_next(map, hash, &pos)) != NF_MAP_NONE; pos++) {
        nf_flow_stream *f = nf_entries_at(&s->streams, index);
        if (nf_key_equal(f->key, r->key, sizeof r->key)) {
            return f;
        }
    }
    return NULL;
}

static void count_record(nf_flow_stream *f, const record *r)
{
    f->packets++;
    f->bytes += r->length & ~TIMED;
    if ((r->length & TIMED) != 0) {
        f->first_time = r->time < f->first_time ? r->time : f->first_time;
        f->last_time = r->time > f->last_time ? r->time : f->last_time;
    }
}

/* The slot of one record, the stream of another that comes before it. */
static void prefetch(const spreader *s, const nf_map *map, const record *slot, const record *stream)
{
    uint64_t pos = nf_map_start(map, map_hash(stream));
    uint32_t index = nf_map_next(map, map_hash(stream), &pos);

    nf_map_prefetch(map, map_hash(slot));
    if (index != NF_MAP_NONE) {
        const uint8_t *f = nf_entries_at(&s->streams, index);
        __builtin_prefetch(f, 1);
        __builtin_prefetch(f + sizeof(nf_flow_stream) - 1, 1);
    }
}

static int aggregate(spreader *s, nf_map *map, const record *records, size_t n)
{
    int code = NETFEAT_OK;

    for (size_t i = 0; code == 0 && i < n; i++) {
        nf_flow_stream *f;
        if (i + 2 * AHEAD < n) {
            __builtin_prefetch(&records[i + 4 * AHEAD < n ? i + 4 * AHEAD : n - 1]);
            prefetch(s, map, &records[i + 2 * AHEAD], &records[i + AHEAD]);
        }
        f = find_stream(s, map, &records[i]);
        if (f != NULL) {
            count_record(f, &records[i]);
        } else {
            code = add_stream(s, map, &records[i]);
        }
    }
    return code;
}

static int add_part(spreader *s, size_t part)
{
    size_t n = s->gathered[part];

    s->gathered[part] = 0;
    return aggregate(s, &s->maps[part], s->records + part * s->job->span, n);
}

/* A whole line; only this thread reads it again. Its halves come out of registers: to load 16 bytes that were just
   stored as 8 and 8 would wait for the store. */
static void write_record(const job *j, record *to, const record *r)
{
#if defined(__SSE2__)
    __m128i *line = (__m128i *)(void *)to;

    if (j->past_cache) {
        _mm_stream_si128(line, _mm_loadu_si128((const __m128i *)(const void *)r->key));
        _mm_stream_si128(line + 1, _mm_loadu_si128((const __m128i *)(const void *)(r->key + 2)));
        _mm_stream_si128(line + 2, _mm_set_epi64x(r->time, (int64_t)r->key[4]));
        _mm_stream_si128(line + 3,
                         _mm_set_epi64x((int64_t)((uint64_t)r->hash << 32 | r->row), (int64_t)r->length));
        return;
    }
#else
    (void)j;
#endif
    *to = *r;
}

/* A row to its part, if it has all keys and the part is ours. */
static int spread_row(spreader *s, int64_t row, uint64_t length)
{
    const job *j = s->job;
    const row_reader *reader = &j->reader;
    bool timed = reader->all_present || nf_column_present(j->in.col[NF_IN_TIMESTAMP], row);
    record r;
    size_t part;

    if (!reader->all_present && !is_complete(&j->in, row)) {
        return NETFEAT_OK;
    }
    make_key(reader, (size_t)row, r.key);
    r.hash = (uint32_t)(nf_hash_words(j->secret, r.key) >> 32);
    part = r.hash >> (32 - PART_BITS);
    if (j->workers > 1) {
        if (part % j->workers != s->me) {
            return NETFEAT_OK;
        }
        part /= j->workers;
    }
    r.time = timed ? reader->times[row] : 0;
    r.length = length | (timed ? TIMED : 0);
    r.row = (uint32_t)row;
    write_record(j, &s->records[part * j->span + s->gathered[part]], &r);
    return ++s->gathered[part] == j->span - 1 ? add_part(s, part) : NETFEAT_OK;
}

/* Rows first .. first + n - 1. */
static int spread_rows(spreader *s, int64_t first, int n)
{
    uint64_t lengths[NF_FLOW_BATCH];
    int64_t wrong = nf_flow_lengths(s->job->in.length, first, n, lengths);
    int code = NETFEAT_OK;

    if (wrong >= 0 || (s->me == 0 && first % CHECKPOINT == 0)) {
        lock(s->job);
        code =
            wrong >= 0 ? nf_flow_length_error(s->job->ctx, wrong) : nf_checkpoint(s->job->ctx, first, 0, -1);
        unlock(s->job);
    }
    for (int i = 0; code == 0 && i < n; i++) {
        code = spread_row(s, first + i, lengths[i]);
    }
    return code;
}

static void group_rows(spreader *s)
{
    job *j = s->job;
    int code = NETFEAT_OK;

    for (int64_t first = 0; code == 0 && first < j->in.rows && !atomic_load(&j->failed);
         first += NF_FLOW_BATCH) {
        int64_t rest = j->in.rows - first;
        code = spread_rows(s, first, rest < NF_FLOW_BATCH ? (int)rest : NF_FLOW_BATCH);
    }
    for (size_t part = 0; code == 0 && part < parts_of(j) && !atomic_load(&j->failed); part++) {
        code = add_part(s, part);
    }
    if (code != 0) {
        atomic_store(&j->failed, true);
    }
}

/* ---- threads ---- */

static void *run(void *spreader_of_mine)
{
    group_rows(spreader_of_mine);
    return NULL;
}

/* The first worker in this thread, each other one in its own; in this one, too, when there are no more. Signals go
   to the threads of the program. */
static int run_all(job *j, spreader *workers)
{
    pthread_t threads[WORKERS_MAX];
    bool running[WORKERS_MAX] = {false};
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (size_t i = 1; i < j->workers; i++) {
        running[i] = pthread_create(&threads[i], NULL, run, &workers[i]) == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    for (size_t i = 0; i < j->workers; i++) {
        if (!running[i]) {
            group_rows(&workers[i]);
        }
    }
    for (size_t i = 1; i < j->workers; i++) {
        if (running[i]) {
            pthread_join(threads[i], NULL);
        }
    }
    return atomic_load(&j->failed) ? nf_ctx_code(j->ctx) : NETFEAT_OK;
}

static int write_streams(job *j, const spreader *workers, netfeat_table **ret)
{
    nf_stream_list lists[WORKERS_MAX];

    for (size_t w = 0; w < j->workers; w++) {
        lists[w] = (nf_stream_list){&workers[w].streams, workers[w].n, workers[w].first_rows};
    }
    return nf_streams_output(j->ctx, &j->config, lists, j->workers, j->in.rows, ret);
}

/* ---- set-up ---- */

static size_t block_bytes(const job *j)
{
    return (parts_of(j) * j->span + 1) * sizeof(record);
}

static int spreader_new(job *j, size_t me, spreader *s)
{
    uintptr_t start;

    s->job = j;
    s->me = me;
    s->streams = nf_entries_make(sizeof(nf_flow_stream));
    s->block = nf_alloc(j->ctx, block_bytes(j));
    start = ((uintptr_t)s->block + sizeof(record) - 1) / sizeof(record) * sizeof(record);
    s->records = (record *)start;
    return s->block != NULL ? NETFEAT_OK : nf_ctx_code(j->ctx);
}

static void spreader_free(spreader *s)
{
    const job *j = s->job;

    for (size_t p = 0; p < PARTS; p++) {
        nf_map_free(j->ctx, &s->maps[p]);
    }
    nf_entries_free(j->ctx, &s->streams);
    nf_free(j->ctx, s->first_rows, s->rows_cap * sizeof *s->first_rows);
    nf_free(j->ctx, s->block, s->block != NULL ? block_bytes(j) : 0);
}

/* Twice what a part can expect, so that a small table needs little memory. */
static size_t span_for(int64_t rows)
{
    uint64_t twice = (uint64_t)rows / PARTS * 2 + 16;
    return (size_t)(twice < GATHERED ? twice : GATHERED) | 1;
}

static int prepare(job *j, const netfeat_table *packets, const netfeat_options *opts)
{
    int code = nf_flow_configure(j->ctx, opts, &nf_profile_notebook, &j->config);

    code = code != 0 ? code : nf_flow_input_open(j->ctx, &j->config, packets, &j->in);
    if (code != 0) {
        return code;
    }
    if (j->in.rows >= NF_MAP_NONE) {
        return nf_error(j->ctx, NETFEAT_ERR_LIMIT, "flows_one_way: more than 2^32 - 2 rows");
    }
    j->reader = make_reader(&j->in);
    j->secret = nf_ctx_secret(j->ctx);
    j->span = span_for(j->in.rows);
    j->workers = (size_t)nf_option(opts, NETFEAT_OPT_FLOW_THREADS);
    if ((uint64_t)j->in.rows / ROWS_A_WORKER < j->workers) {
        j->workers = (size_t)((uint64_t)j->in.rows / ROWS_A_WORKER);
    }
    j->workers = j->workers > 0 ? j->workers : 1;
    j->past_cache = block_bytes(j) > CACHE_BYTES;
    return NETFEAT_OK;
}

static int work(job *j, netfeat_table **ret)
{
    spreader *workers = nf_alloc_zero(j->ctx, j->workers * sizeof *workers);
    int code = NETFEAT_OK;

    if (workers == NULL) {
        return nf_ctx_code(j->ctx);
    }
    for (size_t i = 0; i < j->workers; i++) {
        workers[i].job = j; /* also where nothing else is set up */
        code = code != 0 ? code : spreader_new(j, i, &workers[i]);
    }
    code = code != 0 ? code : run_all(j, workers);
    code = code != 0 ? code : write_streams(j, workers, ret);
    for (size_t i = 0; i < j->workers; i++) {
        spreader_free(&workers[i]);
    }
    nf_free(j->ctx, workers, j->workers * sizeof *workers);
    return code;
}

int netfeat_flows_one_way(netfeat_ctx *ctx, const netfeat_table *packets, const netfeat_options *opts,
                          netfeat_table **ret)
{
    job j = {.ctx = ctx};
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
    pthread_mutex_init(&j.lock, NULL);
    code = prepare(&j, packets, opts);
    code = code != 0 ? code : work(&j, ret);
    pthread_mutex_destroy(&j.lock);
    nf_flow_config_free(ctx, &j.config);
    return code;
}
