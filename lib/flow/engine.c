/* Packets into flows. */
#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "flow/fragments.h"
#include "flow/groups.h"
#include "flow/input.h"
#include "flow/profile.h"

#define CHECKPOINT_BATCHES 64
#define CACHE_LINE         64
#define LINES_AHEAD        32 /* of entries, asked for while one comes: more only wait for each other */
#define FAR_LINKS          (1U << 19) /* fewer links (8 bytes each) are near anyway */

/* ---- the key of a packet ---- */

static void type_icmp(nf_flow_packet *p)
{
    int answer = nf_icmp_answer(p->key.protocol, p->icmp_type);

    p->key.port[0] = p->icmp_type;
    p->key.port[1] = answer >= 0 ? (uint16_t)answer : p->icmp_code;
    p->key.kind = (uint8_t)(answer >= 0 ? NF_KEY_ICMP : NF_KEY_ICMP | NF_KEY_ONE_WAY);
    p->key.icmp_id = answer >= 0 ? p->icmp_id : 0;
}

static void make_key(const nf_flow_config *config, nf_flow_packet *p)
{
    bool ports = (p->key.kind & NF_KEY_PORTS) != 0;
    bool usual = p->key.protocol == NF_PROTOCOL_TCP || p->key.protocol == NF_PROTOCOL_UDP;

    switch (config->profile->keys) {
    case NF_KEYS_TYPED:
        if (!ports && p->icmp) {
            type_icmp(p);
        }
        break;
    case NF_KEYS_COMPLETE:
        p->left_out = p->left_out || !ports;
        break;
    default:
        if (!ports || !usual) {
            p->key.port[0] = p->key.port[1] = 0;
            p->key.kind = 0;
            if (config->profile->keys == NF_KEYS_UNTYPED) {
                p->key.protocol = 0;
            }
        }
        break;
    }
}

/* The key in words, from registers and back. */
static void finish_key(const netfeat_flows *fl, nf_flow_packet *p)
{
    uint64_t words[NF_KEY_WORDS];

    memcpy(words, &p->key, sizeof words);
    if (fl->config.sides == 1) {
        p->key.kind |= NF_KEY_ONE_WAY;
        words[4] |= nf_key_word(0, 0, 0, NF_KEY_ONE_WAY);
        p->side = 0;
    } else {
        p->side = nf_key_order(words);
        memcpy(&p->key, words, sizeof words);
    }
    p->hash = fl->config.key_bytes == sizeof words ? nf_hash_words(fl->secret, words)
                                                   : nf_flow_key_hash(fl, &p->key);
}

/* Part of a datagram in pieces. */
static bool is_piece(const nf_flow_packet *p)
{
    return p->fragment || (p->ip_flags & NETFEAT_IP_MORE_FRAGMENTS) != 0;
}

static int prepare(netfeat_flows *fl, nf_flow_packet *p)
{
    const nf_flow_config *config = &fl->config;
    int code = NETFEAT_OK;

    if (!p->left_out && config->profile->adapt != NULL) {
        p->left_out = !config->profile->adapt(fl, p);
    }
    make_key(config, p);
    if (p->left_out) {
        return NETFEAT_OK;
    }
    if (fl->pieces && fl->fragments != NULL && is_piece(p)) {
        code = nf_fragments_assign(fl, p);
    }
    finish_key(fl, p);
    nf_map_prefetch(&fl->map, p->hash);
    return code;
}

static size_t bytes_to_fetch(const netfeat_flows *fl)
{
    const size_t most = 10 * CACHE_LINE;
    return fl->config.clear_bytes < most ? fl->config.clear_bytes : most;
}

/* The entry that the search will most likely end at, on its way into the cache. */
static void prefetch_entry(const netfeat_flows *fl, nf_flow_packet *p, size_t bytes)
{
    uint32_t index = p->left_out ? NF_MAP_NONE : nf_map_likely(&fl->map, p->hash);

    p->likely = index;
    if (index != NF_MAP_NONE) {
        const uint8_t *entry = fl->entries + (size_t)index * fl->config.stride;
        for (size_t at = 0; at < bytes - 1; at += CACHE_LINE) {
            __builtin_prefetch(entry + at, 1);
        }
        __builtin_prefetch(entry + bytes - 1, 1); /* entries begin anywhere in a line */
        __builtin_prefetch(&fl->links[index], 1);
    }
}

/* Later, when its link has come: those of its neighbours, which change when it moves to the end. */
static void prefetch_neighbours(const netfeat_flows *fl, const nf_flow_packet *p)
{
    if (fl->links_cap > FAR_LINKS && p->likely != NF_MAP_NONE) {
        nf_flow_link link = fl->links[p->likely];
        __builtin_prefetch(&fl->links[link.prev != NF_MAP_NONE ? link.prev : 0], 1);
        __builtin_prefetch(&fl->links[link.next != NF_MAP_NONE ? link.next : 0], 1);
    }
}

/* ---- one packet ---- */

void nf_flow_end(netfeat_flows *fl, uint32_t index, int reason)
{
    nf_flow_at(fl, index)->reason = (uint8_t)reason;
    nf_flow_slot_end(fl, index);
    fl->count[NETFEAT_FLOWS_ENDED]++;
    fl->count[NETFEAT_FLOWS_EVICTED] += reason == NETFEAT_FLOW_END_EVICTED;
}

/* The table is full: the flow that waits longest for a packet ends. */
static void evict(netfeat_flows *fl)
{
    const nf_flow *f = nf_flow_at(fl, fl->open_first);
    int reason = nf_flow_overdue(&fl->config, f, fl->clock);

    if (reason == 0) {
        reason = nf_flow_final_reason(&fl->config, f, NETFEAT_FLOW_END_EVICTED);
    }
    fl->no_merging = true;
    nf_flow_end(fl, fl->open_first, reason);
}

/* The flow goes on where another one was cut. */
static void continue_flow(const netfeat_flows *fl, nf_flow *f, const nf_flow *parent, const nf_flow_packet *p)
{
    const nf_flow_config *config = &fl->config;
    const nf_flow_profile *profile = config->profile;
    bool late = profile->keep_unless_idle && p->key.protocol == NF_PROTOCOL_UDP &&
                nf_difference(p->time, parent->last_time) > config->active;

    f->flags |= NF_FLOW_CONTINUED;
    if (profile->keep_source && !late) {
        f->evidence = parent->evidence;
        f->flags |= parent->flags & NF_FLOW_SOURCE;
    }
    for (uint32_t i = 0; i < config->groups_used; i++) {
        int g = config->update_order[i];
        if (nf_flow_groups[g]->inherit != NULL) {
            nf_flow_groups[g]->inherit(config, nf_flow_state(config, f, g), nf_flow_read(config, parent, g),
                                       parent);
        }
    }
}

static int open_flow(netfeat_flows *fl, const nf_flow_packet *p, uint32_t old, int reason, uint32_t *ret)
{
    int code = nf_flow_slots_ready(fl);
    nf_flow *f;

    if (code != 0) {
        return code;
    }
    if (reason != 0) {
        nf_flow_end(fl, old, reason);
    }
    if (fl->count[NETFEAT_FLOWS_OPEN] >= fl->config.max_open) {
        evict(fl);
    }
    *ret = nf_flow_slot_new(fl, &p->key, p->hash);
    f = nf_flow_at(fl, *ret);
    f->first_position = p->position;
    if (reason == NETFEAT_FLOW_END_ACTIVE) {
        continue_flow(fl, f, nf_flow_at(fl, old), p);
    }
    return NETFEAT_OK;
}

static void note_time(nf_flow *f, int64_t time)
{
    if ((f->flags & NF_FLOW_TIMED) == 0) {
        f->first_time = f->last_time = time;
        f->flags |= NF_FLOW_TIMED;
    } else if (time >= f->last_time) {
        f->last_time = time;
    } else if (time < f->first_time) {
        f->first_time = time;
    }
}

static void count_packet(netfeat_flows *fl, nf_flow *f, nf_flow_packet *p)
{
    const nf_flow_config *config = &fl->config;
    const uint32_t groups = p->fresh ? config->groups_used : config->groups_always;
    nf_counts *counts;

    if (f->evidence == 0 || (p->tcp_flags & NETFEAT_TCP_SYN) != 0) {
        nf_flow_direct(config, f, p);
    }
    p->book = config->profile->book != NULL ? config->profile->book(fl, f, p) : p->side;
    counts = (nf_counts *)nf_flow_state(config, f, NF_G_COUNTS) + p->book;
    counts->packets++;
    counts->bytes += p->length;
    f->last_position = p->position;
    if (p->timed) {
        note_time(f, p->time);
    }
    for (uint32_t i = 0; i < groups; i++) {
        int g = config->update_order[i];
        nf_flow_groups[g]->update(fl, f, nf_flow_state(config, f, g), p);
    }
}

/* Most often the entry that was fetched ahead, unless it has ended since. */
static uint32_t find(const netfeat_flows *fl, const nf_flow_packet *p)
{
    if (p->likely != NF_MAP_NONE) {
        const nf_flow *f = nf_flow_at(fl, p->likely);
        if (f->reason == 0 && nf_flow_has_key(&fl->config, f, &p->key)) {
            return p->likely;
        }
    }
    return nf_flow_find(fl, &p->key, p->hash);
}

static int account(netfeat_flows *fl, nf_flow_packet *p, uint64_t *ret_id)
{
    const nf_flow_config *config = &fl->config;
    uint32_t index;
    nf_flow *f;
    int reason = 0;
    int code;

    if (p->timed) {
        if (config->profile->forced_order && p->time < fl->clock) {
            p->time = fl->clock;
        }
        fl->clock = p->time > fl->clock ? p->time : fl->clock;
    }
    index = find(fl, p);
    if (index != NF_MAP_NONE) {
        f = nf_flow_at(fl, index);
        reason = nf_flow_goes_on(config, f, p) ? 0 : nf_flow_decide(config, f, p);
    }
    p->fresh = index == NF_MAP_NONE || reason != 0;
    if (p->fresh) {
        code = open_flow(fl, p, index, reason, &index);
        if (code != 0) {
            return code;
        }
    } else {
        nf_flow_slot_touch(fl, index);
    }
    f = nf_flow_at(fl, index);
    count_packet(fl, f, p);
    *ret_id = f->first_position;
    return NETFEAT_OK;
}

/* ---- batches ---- */

typedef struct {
    uint64_t *ids; /* NULL: not asked for */
    uint8_t *validity;
} id_output;

static void count_row(netfeat_flows *fl, const nf_flow_packet *p)
{
    fl->position = p->position;
    fl->count[NETFEAT_FLOWS_PACKETS]++;
    fl->count[p->left_out ? NETFEAT_FLOWS_LEFT_OUT : NETFEAT_FLOWS_ACCOUNTED]++;
    if (fl->pieces && fl->fragments != NULL && p->fragment && !p->left_out) {
        bool alone = (p->key.kind & NF_KEY_FRAGMENT) != 0;
        fl->count[alone ? NETFEAT_FLOWS_FRAGMENTS_ALONE : NETFEAT_FLOWS_FRAGMENTS_ASSIGNED]++;
    }
}

/* A first fragment changes what is known of datagrams: packets behind it are not prepared before it is counted, so that
   a feed that fails holds the rows before the failure, and no more. */
static bool is_first_fragment(const netfeat_flows *fl, const nf_flow_packet *p)
{
    return fl->pieces && fl->fragments != NULL && !p->fragment && is_piece(p);
}

/* Packets that are prepared; the first of them is row `row`. */
static int feed_prepared(netfeat_flows *fl, nf_flow_packet *p, int n, int64_t row, const id_output *out)
{
    const size_t bytes = bytes_to_fetch(fl);
    const int ahead = LINES_AHEAD / (int)(bytes / CACHE_LINE + 2);

    for (int i = 0; i < n && i < ahead; i++) {
        prefetch_entry(fl, &p[i], bytes);
    }
    for (int i = 0; i < n; i++) {
        uint64_t id = 0;
        if (i + ahead < n) {
            prefetch_entry(fl, &p[i + ahead], bytes);
        }
        if (i + ahead / 2 < n) {
            prefetch_neighbours(fl, &p[i + ahead / 2]);
        }
        if (!p[i].left_out) {
            int code = account(fl, &p[i], &id);
            if (code != 0) {
                return code;
            }
        }
        count_row(fl, &p[i]);
        if (out->ids != NULL) {
            out->ids[row + i] = id;
            if (p[i].left_out) {
                out->validity[(row + i) >> 3] &= (uint8_t) ~(1U << ((row + i) & 7));
            }
        }
    }
    return NETFEAT_OK;
}

/* Rows first .. first + n - 1. */
static int feed_batch(netfeat_flows *fl, const nf_flow_input *in, int64_t first, int n, const id_output *out)
{
    nf_flow_packet *p = fl->batch;
    int prepared = 0;
    int code = nf_flow_input_read(fl, in, first, n, p);

    while (code == 0 && prepared < n) {
        int start = prepared;
        int done;
        do {
            code = prepare(fl, &p[prepared]);
            prepared += code == 0;
        } while (code == 0 && prepared < n && !is_first_fragment(fl, &p[prepared]));
        done = feed_prepared(fl, p + start, prepared - start, first + start, out);
        if (done != 0) {
            return done;
        }
    }
    return code;
}

static int feed_rows(netfeat_flows *fl, const nf_flow_input *in, const id_output *out)
{
    int batches = 0;

    for (int64_t row = 0; row < in->rows; row += NF_FLOW_BATCH) {
        int64_t rest = in->rows - row;
        int code = feed_batch(fl, in, row, rest < NF_FLOW_BATCH ? (int)rest : NF_FLOW_BATCH, out);
        if (code == 0 && ++batches % CHECKPOINT_BATCHES == 0) {
            code = nf_checkpoint(fl->ctx, (int64_t)fl->count[NETFEAT_FLOWS_PACKETS], 0, -1);
        }
        if (code != 0) {
            return code;
        }
    }
    return NETFEAT_OK;
}

int netfeat_flows_feed(netfeat_flows *fl, const netfeat_table *packets, netfeat_column **ret_flow_ids)
{
    nf_flow_input in;
    netfeat_column *ids = NULL;
    id_output out = {NULL, NULL};
    int code;

    if (fl == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (packets == NULL) {
        return nf_error(fl->ctx, NETFEAT_ERR_ARGUMENT, "flows_feed: packets is NULL");
    }
    if (fl->ended) {
        return nf_error(fl->ctx, NETFEAT_ERR_STATE, "flows_feed: the table of flows has ended");
    }
    code = nf_table_check_sealed(fl->ctx, packets, "flows_feed");
    code = code != 0 ? code : nf_flow_input_open(fl->ctx, &fl->config, packets, &in);
    if (code == 0 && ret_flow_ids != NULL) {
        code = nf_column_new(fl->ctx, NETFEAT_TYPE_U64, packets->rows, "", "flow.flow_id@1",
                             "the packet belongs to no flow", &ids, &out.ids, &out.validity);
    }
    code = code != 0 ? code : feed_rows(fl, &in, &out);
    if (code != 0) {
        netfeat_column_unref(ids);
        return code;
    }
    if (ret_flow_ids != NULL) {
        nf_column_count_nulls(ids);
        *ret_flow_ids = ids;
    }
    return NETFEAT_OK;
}

/* ---- ends without a packet ---- */

int64_t netfeat_flows_expire(netfeat_flows *fl, int64_t now_ns)
{
    int64_t n = 0;
    uint32_t next;

    if (fl == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    fl->clock = now_ns > fl->clock && !fl->config.profile->forced_order ? now_ns : fl->clock;
    for (uint32_t index = fl->open_first; index != NF_MAP_NONE; index = next) {
        int reason = nf_flow_overdue(&fl->config, nf_flow_at(fl, index), now_ns);
        next = fl->links[index].next;
        if (reason != 0) {
            nf_flow_end(fl, index, reason);
            fl->no_merging = true;
            n++;
        }
    }
    return n;
}

int netfeat_flows_end(netfeat_flows *fl)
{
    if (fl == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    for (uint32_t i = fl->open_first; i != NF_MAP_NONE; i = fl->links[i].next) {
        nf_flow *f = nf_flow_at(fl, i);
        f->reason = (uint8_t)nf_flow_final_reason(&fl->config, f, NETFEAT_FLOW_END_INPUT);
    }
    fl->count[NETFEAT_FLOWS_ENDED] += fl->count[NETFEAT_FLOWS_OPEN];
    nf_flow_slots_end_all(fl);
    fl->ended = true;
    return NETFEAT_OK;
}
