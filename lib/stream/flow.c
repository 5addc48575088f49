/* The table of streams: records in chunks, an index by key, lists by class, and eviction. */
#include <assert.h>
#include <string.h>

#include "stream/streams.h"

#define FIRST_CHUNK 256
#define CHUNK       32768 /* FIRST_CHUNK << (DOUBLINGS - 1) */
#define DOUBLINGS   8

static const int evict_order[] = {NF_CLASS_CLOSED,    NF_CLASS_RESET, NF_CLASS_HALF_OPEN, NF_CLASS_ASYNC,
                                  NF_CLASS_ONE_SIDED, NF_CLASS_UDP,   NF_CLASS_EST};
static const int evict_total[NF_CLASSES] = {
    [NF_CLASS_HALF_OPEN] = NF_TOTAL_EVICTED_HALF_OPEN,
    [NF_CLASS_ASYNC] = NF_TOTAL_EVICTED_ONE_SIDED,
    [NF_CLASS_ONE_SIDED] = NF_TOTAL_EVICTED_ONE_SIDED,
    [NF_CLASS_EST] = NF_TOTAL_EVICTED_ESTABLISHED,
    [NF_CLASS_CLOSED] = NF_TOTAL_EVICTED_CLOSED,
    [NF_CLASS_RESET] = NF_TOTAL_EVICTED_CLOSED,
    [NF_CLASS_UDP] = NF_TOTAL_EVICTED_UDP,
};

static void high_water(netfeat_streams *st, int total, uint64_t now)
{
    if (st->totals[total] < now) {
        st->totals[total] = now;
    }
}

/* ---- records ---- */

int nf_streams_open(netfeat_streams *st)
{
    memcpy(st->secret, nf_ctx_secret(st->ctx), sizeof st->secret);
    for (int i = 0; i < NF_CLASSES; i++) {
        st->classes[i].head = st->classes[i].tail = NF_NONE;
    }
    for (int i = 0; i < NF_WAITS; i++) {
        st->waiting[i].head = st->waiting[i].tail = NF_NONE;
    }
    st->free_flow = st->spent_flow = st->oldest = st->newest = NF_NONE;
    nf_arena_init(&st->conns, sizeof(nf_conn));
    nf_slab_init(&st->rares, 2 * NF_RARE_COUNTERS * sizeof(uint64_t), 16);
    nf_slab_init(&st->holds, 2 * sizeof(nf_hold), 16);
    return NETFEAT_OK;
}

/* Chunks of records double until they are large enough for huge pages. */
static uint32_t chunk_records(size_t n)
{
    return n == 0 ? FIRST_CHUNK : n < DOUBLINGS ? (uint32_t)FIRST_CHUNK << (n - 1) : CHUNK;
}

static size_t chunk_bytes(size_t n)
{
    return chunk_records(n) * sizeof(nf_stream) + NF_ARENA_ALIGN;
}

/* The first record of chunk n > 0. */
static uint32_t chunk_start(size_t n)
{
    return n <= DOUBLINGS ? (uint32_t)FIRST_CHUNK << (n - 1) : (uint32_t)(n - DOUBLINGS + 1) * CHUNK;
}

nf_stream *nf_stream_at(const netfeat_streams *st, uint32_t index)
{
    size_t n = 0;

    if (index >= CHUNK) {
        n = DOUBLINGS - 1 + index / CHUNK;
    } else if (index >= FIRST_CHUNK) {
        n = (size_t)(32 - __builtin_clz(index / FIRST_CHUNK));
    }
    return &st->chunks[n].records[n > 0 ? index - chunk_start(n) : index];
}

static int add_chunk(netfeat_streams *st)
{
    size_t n = st->n_chunks;
    uint32_t first = n == 0 ? 0 : chunk_start(n);
    nf_stream *chunk;
    void *block;
    int code = nf_grow(st->ctx, (void **)&st->chunks, &st->chunks_cap, n + 1, sizeof *st->chunks);

    if (code != 0) {
        return code;
    }
    block = nf_alloc(st->ctx, chunk_bytes(n));
    if (block == NULL) {
        return nf_ctx_code(st->ctx);
    }
    chunk = (nf_stream *)(((uintptr_t)block + NF_ARENA_ALIGN - 1) & ~(uintptr_t)(NF_ARENA_ALIGN - 1));
    for (uint32_t i = chunk_records(n); i-- > 0;) {
        chunk[i].index = first + i;
        chunk[i].next = st->free_flow;
        chunk[i].alive = false;
        st->free_flow = chunk[i].index;
    }
    st->chunks[st->n_chunks++] = (nf_record_chunk){chunk, block};
    return NETFEAT_OK;
}

static void free_attached(netfeat_streams *st, void *block, size_t bytes)
{
    if (block != NULL) {
        nf_free(st->ctx, block, bytes);
        st->flow_bytes -= bytes;
    }
}

static void free_syn(netfeat_streams *st, nf_syn *syn)
{
    free_attached(st, syn, syn != NULL ? sizeof *syn + syn->len : 0);
}

static void free_holds(netfeat_streams *st, nf_conn *conn)
{
    for (int d = 0; d < 2; d++) {
        nf_hold *h = &conn->holds[d];
        nf_store_clear(&st->pool, &h->store);
        free_attached(st, h->urgent, sizeof *h->urgent);
        free_syn(st, h->syn_data);
        free_attached(st, h->recent, sizeof *h->recent + (size_t)st->config.recent_bytes);
    }
    nf_slab_give(&st->holds, conn->holds);
    st->flow_bytes -= st->holds.size;
}

static void free_conn(netfeat_streams *st, nf_conn *conn)
{
    if (conn->holds != NULL) {
        free_holds(st, conn);
    }
    if (conn->rare != NULL) {
        nf_slab_give(&st->rares, conn->rare);
        st->flow_bytes -= st->rares.size;
    }
    free_syn(st, conn->resyn);
    nf_arena_give(&st->conns, conn);
    st->flow_bytes -= sizeof *conn;
}

static void free_record(netfeat_streams *st, nf_stream *flow)
{
    nf_conn *conn = nf_conn_of(flow);

    if (conn != NULL) {
        free_conn(st, conn);
    }
    flow->next = st->free_flow;
    st->free_flow = flow->index;
    st->flow_bytes -= sizeof *flow;
}

void nf_streams_collect(netfeat_streams *st)
{
    while (st->spent_flow != NF_NONE) {
        nf_stream *flow = nf_stream_at(st, st->spent_flow);
        st->spent_flow = flow->next;
        free_record(st, flow);
    }
    nf_slab_trim(st->ctx, &st->rares, st->rares.keep);
    nf_slab_trim(st->ctx, &st->holds, st->holds.keep);
}

void nf_streams_close(netfeat_streams *st)
{
    nf_streams_collect(st);
    while (st->oldest != NF_NONE) {
        nf_stream *flow = nf_stream_at(st, st->oldest);
        st->oldest = flow->newer;
        free_record(st, flow);
    }
    nf_arena_close(st->ctx, &st->conns);
    nf_slab_trim(st->ctx, &st->rares, 0);
    nf_slab_trim(st->ctx, &st->holds, 0);
    for (size_t i = 0; i < st->n_chunks; i++) {
        nf_free(st->ctx, st->chunks[i].block, chunk_bytes(i));
    }
    nf_free(st->ctx, st->chunks, st->chunks_cap * sizeof *st->chunks);
    nf_map_free(st->ctx, &st->map);
}

/* ---- lists ---- */

static void list_append(netfeat_streams *st, nf_stream *flow, int class_id)
{
    nf_list *list = &st->classes[class_id];

    flow->class_id = (uint8_t)class_id;
    flow->listed = st->now;
    flow->prev = list->tail;
    flow->next = NF_NONE;
    *(list->tail != NF_NONE ? &nf_stream_at(st, list->tail)->next : &list->head) = flow->index;
    list->tail = flow->index;
    list->count++;
    nf_timers_pressure(st);
    nf_timers_note(st, st->now, nf_timeout_of(st, class_id));
}

static void list_remove(netfeat_streams *st, nf_stream *flow)
{
    nf_list *list = &st->classes[flow->class_id];

    *(flow->prev != NF_NONE ? &nf_stream_at(st, flow->prev)->next : &list->head) = flow->next;
    *(flow->next != NF_NONE ? &nf_stream_at(st, flow->next)->prev : &list->tail) = flow->prev;
    list->count--;
    nf_timers_pressure(st);
}

void nf_stream_touch(netfeat_streams *st, nf_stream *flow, int class_id)
{
    /* moving it means touching its neighbours, which nothing else needs: not for every packet */
    if (flow->class_id == class_id &&
        nf_elapsed(st->now, flow->listed) < nf_timeout_of(st, class_id) / NF_LIST_GRAIN) {
        return;
    }
    list_remove(st, flow);
    list_append(st, flow, class_id);
    if (class_id == NF_CLASS_HALF_OPEN) {
        high_water(st, NF_TOTAL_HALF_OPEN_HIGH, st->classes[class_id].count);
    }
}

int nf_stream_class(const nf_stream *flow)
{
    const nf_conn *conn = nf_conn_of(flow);

    if (flow->key.protocol == NF_PROTOCOL_UDP) {
        return NF_CLASS_UDP;
    }
    if (conn == NULL) {
        return NF_CLASS_HALF_OPEN;
    }
    if (conn->state == NF_STATE_CLOSED) {
        return NF_CLASS_CLOSED;
    }
    if (conn->state == NF_STATE_RESET) {
        return NF_CLASS_RESET;
    }
    if (!conn->est && !flow->midstream) {
        return conn->async ? NF_CLASS_ASYNC : NF_CLASS_HALF_OPEN;
    }
    if (conn->dirs[0].hot[NF_COUNT_SEGS] == 0 || conn->dirs[1].hot[NF_COUNT_SEGS] == 0) {
        return NF_CLASS_ONE_SIDED;
    }
    return NF_CLASS_EST;
}

/* ---- opening and closing ---- */

bool nf_streams_evict(netfeat_streams *st, const nf_stream *keep)
{
    for (size_t i = 0; i < sizeof evict_order / sizeof evict_order[0]; i++) {
        uint32_t index = st->classes[evict_order[i]].head;
        nf_stream *flow = index != NF_NONE ? nf_stream_at(st, index) : NULL;

        if (flow != NULL && flow == keep) {
            flow = flow->next != NF_NONE ? nf_stream_at(st, flow->next) : NULL;
        }
        if (flow != NULL) {
            if (nf_reserve(st, flow) != 0) {
                nf_fail(st, nf_ctx_code(st->ctx));
                return false;
            }
            st->totals[evict_total[evict_order[i]]]++;
            nf_stream_end(st, flow, NETFEAT_END_EVICTED);
            return true;
        }
    }
    return false;
}

/* Ended streams whose events are under way still have their records, so the memory limit counts on what the
   next packet will find free. */
static bool over_memory(const netfeat_streams *st)
{
    return st->flow_bytes + nf_map_bytes(&st->map) > st->config.max_stream_bytes;
}

int nf_streams_make_room(netfeat_streams *st, int class_id)
{
    const nf_list *half_open = &st->classes[NF_CLASS_HALF_OPEN];

    if (class_id == NF_CLASS_HALF_OPEN && half_open->count >= st->config.max_half_open) {
        nf_stream *flow = nf_stream_at(st, half_open->head);
        if (nf_reserve(st, flow) != 0) {
            return nf_ctx_code(st->ctx);
        }
        st->totals[NF_TOTAL_EVICTED_HALF_OPEN]++;
        nf_stream_end(st, flow, NETFEAT_END_EVICTED);
    }
    if (st->n_flows >= st->config.max_streams || (over_memory(st) && st->n_flows > 0)) {
        return nf_streams_evict(st, NULL) || st->failure == 0 ? NETFEAT_OK : st->failure;
    }
    return NETFEAT_OK;
}

static void fill_record(netfeat_streams *st, nf_stream *flow, const nf_segment *seg)
{
    uint32_t index = flow->index;

    memset(flow, 0, sizeof *flow);
    flow->index = index;
    flow->key = seg->key;
    flow->swapped = seg->swapped;
    flow->id = ++st->ids;
    flow->first_packet = seg->packet;
    flow->first_time = st->packet_time;
    flow->last = st->now;
    flow->initiator = -1;
    flow->alive = true;
}

nf_stream *nf_stream_add(netfeat_streams *st, const nf_segment *seg, int class_id)
{
    nf_stream *flow;
    int code = nf_streams_make_room(st, class_id);

    code = code != 0 ? code : nf_reserve(st, NULL);
    code = code != 0 ? code : nf_map_ready(st->ctx, &st->map);
    if (code == 0 && st->free_flow == NF_NONE) {
        code = add_chunk(st);
    }
    if (code != 0) {
        nf_fail(st, code);
        return NULL;
    }
    flow = nf_stream_at(st, st->free_flow);
    st->free_flow = flow->next;
    fill_record(st, flow, seg);
    st->flow_bytes += sizeof *flow;
    flow->older = st->newest;
    flow->newer = NF_NONE;
    *(st->newest != NF_NONE ? &nf_stream_at(st, st->newest)->newer : &st->oldest) = flow->index;
    st->newest = flow->index;
    list_append(st, flow, class_id);
    nf_index_add(st, flow);
    st->n_flows++;
    st->totals[NF_TOTAL_STREAMS]++;
    high_water(st, NF_TOTAL_STREAMS_HIGH, st->n_flows);
    high_water(st, NF_TOTAL_STREAM_BYTES_HIGH, st->flow_bytes);
    high_water(st, NF_TOTAL_HALF_OPEN_HIGH, st->classes[NF_CLASS_HALF_OPEN].count);
    nf_event_add(st, flow, NETFEAT_STREAM_OPEN, 0, 0);
    return flow;
}

void nf_stream_remove(netfeat_streams *st, nf_stream *flow)
{
    assert(flow->alive);
    nf_index_remove(st, flow);
    list_remove(st, flow);
    *(flow->older != NF_NONE ? &nf_stream_at(st, flow->older)->newer : &st->oldest) = flow->newer;
    *(flow->newer != NF_NONE ? &nf_stream_at(st, flow->newer)->older : &st->newest) = flow->older;
    for (int d = 0; d < 2 && nf_conn_of(flow) != NULL; d++) {
        nf_wait_stop(st, flow->conn, d, NF_WAIT_HOLE);
        nf_wait_stop(st, flow->conn, d, NF_WAIT_ACK);
    }
    flow->alive = false;
    st->n_flows--;
    flow->next = st->spent_flow;
    st->spent_flow = flow->index;
}

/* ---- connections ---- */

/* The policy of segments that go to an address. */
static int policy_for(const netfeat_streams *st, const uint8_t *address)
{
    int policy = st->config.policy, best = -1;

    for (size_t i = 0; i < st->n_prefixes; i++) {
        const nf_prefix *p = &st->prefixes[i];
        size_t whole = p->bits / 8;
        unsigned rest = p->bits % 8;

        if ((int)p->bits > best && memcmp(address, p->address, whole) == 0 &&
            (rest == 0 || ((address[whole] ^ p->address[whole]) >> (8 - rest)) == 0)) {
            best = p->bits;
            policy = p->policy;
        }
    }
    return policy;
}

nf_conn *nf_stream_promote(netfeat_streams *st, nf_stream *flow)
{
    nf_conn *conn;
    int code = nf_arena_reserve(st->ctx, &st->conns);

    if (code != 0) {
        nf_fail(st, code);
        return NULL;
    }
    conn = nf_arena_take(&st->conns);
    memset(conn, 0, sizeof *conn);
    for (int d = 0; d < 2; d++) {
        conn->scale[d] = -1;
        conn->dirs[d].flags = flow->skip ? NF_DIR_SKIPPED : 0;
        conn->policy[d] = (uint8_t)policy_for(st, flow->key.ip[(d == 0) != flow->swapped]);
    }
    flow->conn = conn;
    st->flow_bytes += sizeof *conn;
    high_water(st, NF_TOTAL_STREAM_BYTES_HIGH, st->flow_bytes);
    return conn;
}

const nf_hold nf_holds_nothing;

nf_hold *nf_hold_get(netfeat_streams *st, nf_conn *conn, int dir)
{
    if (conn->holds == NULL) {
        conn->holds = nf_slab_take(&st->holds);
        memset(conn->holds, 0, st->holds.size);
        st->flow_bytes += st->holds.size;
    }
    return &conn->holds[dir];
}
