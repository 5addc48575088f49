/* Two shards into one table: flows of both, walked in the order of the input, are put together where one pass
   would not have cut them. What one pass would have decided is asked of the same function that decides for
   packets; wherever the later shard, which did not know the earlier one, may have decided otherwise, the merge
   is refused. */
#include <string.h>

#include "flow/fragments.h"
#include "flow/groups.h"
#include "flow/order.h"
#include "flow/profile.h"

#define MIXED 4 /* the other shard has a part in it, or in the flow that it continues */

typedef struct {
    netfeat_flows *out;
    const nf_flow_config *config;
    uint8_t *shard;         /* by entry of out: where its last part came from, 1 or 2; | MIXED */
    size_t cap;             /* of shard */
    const nf_flow *refused; /* the flow that cannot be merged, and why */
    const char *reason;
    const char *group;
} merger;

static int refuse(merger *m, const nf_flow *f, const char *reason)
{
    m->refused = f;
    m->reason = reason;
    return NETFEAT_ERR_UNSUPPORTED;
}

static bool is_tcp(const nf_flow *f)
{
    return nf_flow_key_of(f)->protocol == NF_PROTOCOL_TCP;
}

/* The first packet of a flow, as far as deciding needs it. */
static nf_flow_packet first_packet(const nf_flow_config *config, const nf_flow *f)
{
    nf_flow_packet p = {.position = f->first_position};

    if (nf_flow_has(config, NF_G_ORIGIN)) {
        p.timed = (f->flags & NF_FLOW_ARRIVAL) != 0;
        p.time = ((const nf_origin *)nf_flow_read(config, f, NF_G_ORIGIN))->arrival;
    }
    if (nf_flow_has(config, NF_G_LIFE)) {
        const nf_life *life = nf_flow_read(config, f, NF_G_LIFE);
        p.side = life->first_side;
        p.tcp = life->first_tcp != 0;
        p.tcp_flags = life->first_flags;
        p.seq = life->first_seq;
    }
    return p;
}

/* ---- would the later shard have decided alike? ---- */

/* A SYN behind the first packet, and a flow ended by one, were judged by the number the later shard knew. */
static bool syn_is_doubtful(const nf_life *earlier, const nf_life *later)
{
    const uint8_t known = NF_LIFE_ISN | NF_LIFE_GUESS;

    for (size_t i = 0; i < 2; i++) {
        if ((earlier->known[i] & known) != 0 &&
            ((later->known[i] & known) == 0 || earlier->side[i].isn != later->side[i].isn)) {
            return true;
        }
    }
    return false;
}

/* Whether packets of r may lie where one pass would no longer have counted them to the connection. */
static bool outlives(const nf_flow_config *config, const nf_life *merged, const nf_flow *r)
{
    return merged->closed_timed != 0 && (r->flags & NF_FLOW_TIMED) != 0 &&
           nf_difference(r->last_time, merged->closed_time) > config->linger;
}

/* Whether the later shard took another packet for the first FIN of a side. */
static bool fin_is_another(const nf_life *merged, const nf_life *later)
{
    for (size_t i = 0; i < 2; i++) {
        if ((later->known[i] & NF_LIFE_FIN) != 0 && later->side[i].fin_end != merged->side[i].fin_end) {
            return true;
        }
    }
    return false;
}

static const char *closing_doubt(const nf_flow_config *config, const nf_flow *t, const nf_flow *r)
{
    const nf_life *a = nf_flow_read(config, t, NF_G_LIFE);
    const nf_life *b = nf_flow_read(config, r, NF_G_LIFE);
    bool by_syn = r->reason == NETFEAT_FLOW_END_REUSE || r->reason == NETFEAT_FLOW_END_ACTIVE;
    nf_life merged = *a, without = *a, fins = *b;

    if (config->profile->close == NF_CLOSE_LINGER && a->closed == 0 && !nf_life_follows(a, b)) {
        return "its acknowledgements jump";
    }
    nf_group_life.merge(config, &merged, b);
    /* a closed connection is over at any SYN, whatever its number; what the active time-out cut may have been
       ended by a SYN */
    if ((b->syns != 0 || (by_syn && merged.closed == 0)) && syn_is_doubtful(a, b)) {
        return "a SYN in the later shard depends on the earlier one";
    }
    if (b->closed == NETFEAT_FLOW_END_FIN && fin_is_another(&merged, b)) {
        return "a FIN of the earlier shard counts, not that which ended it in the later one";
    }
    if (merged.closed == 0 || (a->closed == 0 && !nf_life_bears_on(a, &merged))) {
        return NULL; /* not closed, or closed by what the later shard saw itself */
    }
    fins.closed = 0;
    nf_group_life.merge(config, &without, &fins);
    if (a->closed == 0 && b->closed == NETFEAT_FLOW_END_RST && without.closed != 0) {
        return "FIN and RST fall into the later shard";
    }
    if (b->closed == 0 && r->reason == NETFEAT_FLOW_END_ACTIVE) {
        return "the later shard cut it by the active time-out after its end";
    }
    if (b->closed != 0 && r->reason == b->closed && merged.closed_time > b->closed_time) {
        return "the later shard saw its end at an earlier time";
    }
    if (b->syns != 0 || b->closed_timed > merged.closed_timed || outlives(config, &merged, r)) {
        return "the end of the connection falls into the later shard";
    }
    return NULL;
}

static const char *time_doubt(const nf_flow_config *config, const nf_flow *t, const nf_flow *r)
{
    bool idle = config->idle_tcp != NF_NEVER || config->idle_other != NF_NEVER;
    bool ended = r->reason != 0 && r->reason != NETFEAT_FLOW_END_INPUT;
    int64_t first, age;

    if ((t->flags & NF_FLOW_TIMED) == 0 || ((r->flags & NF_FLOW_TIMED) == 0 && !ended)) {
        return NULL;
    }
    if ((idle || config->active != NF_NEVER) && (r->flags & NF_FLOW_ARRIVAL) == 0) {
        return "its first packet in the later shard has no time";
    }
    if ((r->flags & NF_FLOW_TIMED) == 0) {
        return NULL;
    }
    if (idle && t->last_time > r->last_time) {
        return "time goes back across the cut";
    }
    first = t->first_time < r->first_time ? t->first_time : r->first_time;
    age = nf_difference(r->last_time, first);
    if (config->active != NF_NEVER &&
        (age > config->active || (age == config->active && !config->profile->active_strict))) {
        return "the active time-out falls into the later shard";
    }
    return NULL;
}

/* A group that can only be made from the packets themselves. */
static int check_groups(merger *m, const nf_flow *r, bool joined)
{
    for (int g = 0; g < NF_GROUPS; g++) {
        const nf_flow_group *group = nf_flow_groups[g];
        bool needs = joined ? group->merge == NULL : group->merge == NULL && group->inherit != NULL;
        if (nf_flow_has(m->config, g) && needs && (!group->tcp_only || is_tcp(r))) {
            m->group = group->name;
            return refuse(m, r, "columns cannot be merged across a cut in time: they need the group");
        }
    }
    return NETFEAT_OK;
}

static int check_join(merger *m, const nf_flow *t, const nf_flow *r)
{
    const char *doubt = time_doubt(m->config, t, r);
    int code = check_groups(m, r, true);

    if (code != 0) {
        return code;
    }
    if ((r->flags & NF_FLOW_CONTINUED) != 0) {
        return refuse(m, r, "it continues a flow of the other shard");
    }
    if (doubt == NULL && m->config->close && is_tcp(r)) {
        doubt = closing_doubt(m->config, t, r);
    }
    return doubt != NULL ? refuse(m, r, doubt) : NETFEAT_OK;
}

/* ---- putting together ---- */

static void merge_evidence(nf_flow *t, const nf_flow *r)
{
    if (r->evidence > t->evidence) {
        t->evidence = r->evidence;
        t->flags = (uint8_t)((t->flags & ~NF_FLOW_SOURCE) | (r->flags & NF_FLOW_SOURCE));
    }
}

/* r behind t: t becomes both. The counts come last: other groups look at them. */
static void join(const nf_flow_config *config, nf_flow *t, const nf_flow *r)
{
    for (int g = NF_GROUPS - 1; g >= 0; g--) {
        if (nf_flow_has(config, g) && nf_flow_groups[g]->merge != NULL) {
            nf_flow_groups[g]->merge(config, nf_flow_state(config, t, g), nf_flow_read(config, r, g));
        }
    }
    if (config->profile->source == NF_SOURCE_EVIDENCE) {
        merge_evidence(t, r);
    }
    if ((r->flags & NF_FLOW_TIMED) != 0) {
        bool first = (t->flags & NF_FLOW_TIMED) == 0;
        t->first_time = first || r->first_time < t->first_time ? r->first_time : t->first_time;
        t->last_time = first || r->last_time > t->last_time ? r->last_time : t->last_time;
        t->flags |= NF_FLOW_TIMED;
    }
    t->last_position = r->last_position;
    t->reason = r->reason != 0 ? (uint8_t)nf_flow_final_reason(config, t, r->reason) : 0;
}

/* t, or a part of it, is from the other shard; its active time-out cut it where r goes on. */
static int take_over(merger *m, nf_flow *r, const nf_flow *t)
{
    const nf_flow_config *config = m->config;
    nf_life before;
    int code = check_groups(m, r, false);

    if (code == 0 && (config->profile->book != NULL || config->profile->keep_unless_idle)) {
        code = refuse(m, r, "its direction depends on the earlier shard");
    }
    if (code != 0) {
        return code;
    }
    if (config->close && is_tcp(r)) {
        const nf_life *a = nf_flow_read(config, t, NF_G_LIFE);
        nf_life *b = nf_flow_state(config, r, NF_G_LIFE);
        const char *doubt;
        before = *b;
        doubt = closing_doubt(config, t, r);
        if (doubt != NULL) {
            return refuse(m, r, doubt);
        }
        memcpy(b->side, a->side, sizeof b->side);
        memcpy(b->known, a->known, sizeof b->known);
        b->closed = b->closed_timed = 0;
        b->closed_time = 0;
        b->syns = 0;
        nf_group_life.merge(config, b, &before);
        b->syns = before.syns;
        r->reason = r->reason != 0 ? (uint8_t)nf_flow_final_reason(config, r, r->reason) : 0;
    }
    r->flags |= NF_FLOW_CONTINUED;
    if (config->profile->keep_source && t->evidence >= r->evidence) {
        r->evidence = t->evidence;
        r->flags = (uint8_t)((r->flags & ~NF_FLOW_SOURCE) | (t->flags & NF_FLOW_SOURCE));
    }
    return NETFEAT_OK;
}

/* ---- the walk ---- */

static int place(merger *m, const nf_flow *r, uint8_t shard, const nf_flow *parent, bool foreign)
{
    uint32_t index;
    uint64_t parent_id = parent != NULL ? parent->first_position : 0;
    ptrdiff_t parent_at = parent != NULL ? (const uint8_t *)parent - m->out->entries : 0;
    void *p = m->shard;
    nf_flow *f;
    int code = nf_flow_insert(m->out, r, &index);

    code = code != 0 ? code : nf_grow(m->out->ctx, &p, &m->cap, (size_t)index + 1, 1);
    m->shard = p;
    if (code != 0) {
        return code;
    }
    m->shard[index] = (uint8_t)(foreign ? shard | MIXED : shard);
    f = nf_flow_at(m->out, index);
    if (parent != NULL && nf_flow_has(m->config, NF_G_ORIGIN)) {
        ((nf_origin *)nf_flow_state(m->config, f, NF_G_ORIGIN))->parent = parent_id;
    }
    return foreign ? take_over(m, f, (const nf_flow *)(const void *)(m->out->entries + parent_at))
                   : NETFEAT_OK;
}

static void end_tail(merger *m, uint32_t tail, int reason)
{
    nf_flow_at(m->out, tail)->reason = (uint8_t)reason;
    nf_flow_slot_end(m->out, tail);
}

/* Next flow in the order of the input. */
static int add(merger *m, const nf_flow *r, uint8_t shard)
{
    netfeat_flows *out = m->out;
    nf_flow_packet p = first_packet(m->config, r);
    uint32_t tail;
    nf_flow *t;
    int reason;
    int code;

    memcpy(&p.key, nf_flow_key_of(r), m->config->key_bytes);
    tail = nf_flow_find(out, &p.key, nf_flow_key_hash(out, &p.key));
    if (tail == NF_MAP_NONE) {
        return place(m, r, shard, NULL, false);
    }
    t = nf_flow_at(out, tail);
    if ((m->shard[tail] & ~MIXED) == shard) { /* the shard itself decided between the two */
        bool mixed = (m->shard[tail] & MIXED) != 0;
        bool goes_on = t->reason == NETFEAT_FLOW_END_ACTIVE;
        end_tail(m, tail, t->reason);
        return place(m, r, shard, goes_on ? t : NULL, goes_on && mixed);
    }
    if (t->last_position >= r->first_position) {
        return refuse(m, r, "packets of its key are in both shards by turns");
    }
    reason = nf_flow_decide(m->config, t, &p);
    if (reason != 0) {
        if ((r->flags & NF_FLOW_CONTINUED) != 0) {
            return refuse(m, r, "it continues a flow of the other shard");
        }
        end_tail(m, tail, reason);
        return place(m, r, shard, reason == NETFEAT_FLOW_END_ACTIVE ? t : NULL,
                     reason == NETFEAT_FLOW_END_ACTIVE);
    }
    code = check_join(m, t, r);
    if (code == 0) {
        join(m->config, t, r);
        m->shard[tail] = shard | MIXED;
    }
    return code;
}

static int walk(merger *m, const nf_flow **a, size_t na, const nf_flow **b, size_t nb)
{
    size_t i = 0, j = 0;
    int code = NETFEAT_OK;

    while (code == 0 && (i < na || j < nb)) {
        bool from_a = j == nb || (i < na && a[i]->first_position < b[j]->first_position);
        if (i < na && j < nb && a[i]->first_position == b[j]->first_position) {
            return refuse(m, a[i], "its first packet is in both shards");
        }
        code = from_a ? add(m, a[i], 1) : add(m, b[j], 2);
        i += from_a;
        j += !from_a;
    }
    return code;
}

/* ---- whole tables ---- */

static int check_tables(const netfeat_flows *a, const netfeat_flows *b)
{
    const char *name = nf_flow_config_difference(&a->config, &b->config);

    if (name != NULL) {
        return nf_error(a->ctx, NETFEAT_ERR_STATE, "the two tables of flows differ in %s", name);
    }
    if (a->no_merging || b->no_merging) {
        return nf_error(
            a->ctx, NETFEAT_ERR_STATE,
            "flows of a shard were taken, evicted or expired: their rest cannot be merged exactly");
    }
    if ((a->count[NETFEAT_FLOWS_FRAGMENTS_ALONE] > 0 && nf_fragments_count(b->fragments) > 0) ||
        (b->count[NETFEAT_FLOWS_FRAGMENTS_ALONE] > 0 && nf_fragments_count(a->fragments) > 0)) {
        return nf_error(a->ctx, NETFEAT_ERR_UNSUPPORTED,
                        "fragments of one shard may belong to datagrams of the other");
    }
    return NETFEAT_OK;
}

static bool is_older(const nf_fragments *a, uint32_t i, const nf_fragments *b, uint32_t j)
{
    return j == NF_MAP_NONE ||
           (i != NF_MAP_NONE && nf_fragments_position(a, i) < nf_fragments_position(b, j));
}

/* The datagrams of both, by age. Of neighbours in time each shard knew what the whole would have known of its fragments, or
   check_tables() refuses; shards side by side did if the whole would have forgotten none and found none in both. */
static int merge_fragments(netfeat_flows *out, const netfeat_flows *a, const netfeat_flows *b, bool beside)
{
    const nf_fragments *of_a = a->fragments, *of_b = b->fragments;
    uint32_t i = nf_fragments_next(of_a, NF_MAP_NONE), j = nf_fragments_next(of_b, NF_MAP_NONE);
    uint8_t bytes[NF_FRAGMENT_BYTES];
    int code = NETFEAT_OK;

    while (code == 0 && (i != NF_MAP_NONE || j != NF_MAP_NONE)) {
        if (is_older(of_a, i, of_b, j)) {
            nf_fragments_save(of_a, i, bytes);
            i = nf_fragments_next(of_a, i);
        } else {
            nf_fragments_save(of_b, j, bytes);
            j = nf_fragments_next(of_b, j);
        }
        code = nf_fragments_load(out, bytes);
    }
    if (code == 0 && beside &&
        nf_fragments_count(out->fragments) < nf_fragments_count(of_a) + nf_fragments_count(of_b) &&
        a->count[NETFEAT_FLOWS_FRAGMENTS_ASSIGNED] + b->count[NETFEAT_FLOWS_FRAGMENTS_ASSIGNED] > 0) {
        return nf_error(a->ctx, NETFEAT_ERR_UNSUPPORTED,
                        "datagrams of one shard may have displaced those of the other");
    }
    return code;
}

/* Flows that only the end of a shard ended are open again, unless the whole has ended. */
static void finish(netfeat_flows *out, const netfeat_flows *a, const netfeat_flows *b)
{
    for (uint32_t i = out->open_first; i != NF_MAP_NONE; i = out->links[i].next) {
        nf_flow_at(out, i)->reason = 0;
    }
    for (int i = NETFEAT_FLOWS_PACKETS; i <= NETFEAT_FLOWS_EVICTED; i++) {
        if (i != NETFEAT_FLOWS_OPEN && i != NETFEAT_FLOWS_WAITING && i != NETFEAT_FLOWS_ENDED) {
            out->count[i] = a->count[i] + b->count[i];
        }
    }
    out->count[NETFEAT_FLOWS_ENDED] = out->count[NETFEAT_FLOWS_WAITING];
    out->clock = a->clock > b->clock ? a->clock : b->clock;
    out->position = a->position > b->position ? a->position : b->position;
    if (a->ended) {
        (void)netfeat_flows_end(out);
    }
}

/* flows gets what out holds; out is left with the old contents, to be released. */
static void exchange(netfeat_flows *flows, netfeat_flows *out)
{
    netfeat_flows keep = *flows;

    flows->entries = out->entries;
    flows->links = out->links;
    flows->cap = out->cap;
    flows->links_cap = out->links_cap;
    flows->used = out->used;
    flows->free = out->free;
    flows->open_first = out->open_first;
    flows->open_last = out->open_last;
    flows->ended_first = out->ended_first;
    flows->ended_last = out->ended_last;
    flows->map = out->map;
    flows->fragments = out->fragments;
    flows->clock = out->clock;
    flows->position = out->position;
    memcpy(flows->count, out->count, sizeof flows->count);
    flows->ended = out->ended;
    out->entries = keep.entries;
    out->links = keep.links;
    out->cap = keep.cap;
    out->links_cap = keep.links_cap;
    out->map = keep.map;
    out->fragments = keep.fragments;
}

/* Where late packets get the latest time of all, each shard used its own: the same one if the later shard begins
   behind the earlier one, in the order of the input and in time. later: its flows. */
static int check_forced_order(merger *m, const netfeat_flows *earlier, const nf_flow **later, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (later[i]->first_position <= earlier->position) {
            return refuse(m, later[i],
                          "the shards lie side by side, and the profile forces all times into order");
        }
        if ((later[i]->flags & NF_FLOW_TIMED) != 0 && later[i]->first_time < earlier->clock) {
            return refuse(m, later[i], "time goes back across the cut");
        }
    }
    return NETFEAT_OK;
}

static int explain(netfeat_ctx *ctx, const merger *m, int code)
{
    if (m->reason == NULL) {
        return code;
    }
    return nf_error_at(ctx, NETFEAT_ERR_UNSUPPORTED, (int64_t)(m->refused->first_position & INT64_MAX), -1,
                       "flow %llu: %s%s%s", (unsigned long long)m->refused->first_position, m->reason,
                       m->group != NULL ? " " : "", m->group != NULL ? m->group : "");
}

static int merge_into(netfeat_flows *out, const netfeat_flows *a, const netfeat_flows *b)
{
    merger m = {.out = out, .config = &out->config};
    const nf_flow **list[2] = {NULL, NULL};
    size_t n[2] = {0, 0};
    int later = a->position <= b->position;
    const netfeat_flows *earlier = later != 0 ? a : b;
    int code = nf_flow_list(a, true, &list[0], &n[0]);
    bool beside;

    code = code != 0 ? code : nf_flow_list(b, true, &list[1], &n[1]);
    beside = code == 0 && n[later] > 0 && list[later][0]->first_position <= earlier->position;
    if (code == 0 && m.config->profile->forced_order) {
        code = check_forced_order(&m, earlier, list[later], n[later]);
    }
    code = code != 0 ? code : walk(&m, list[0], n[0], list[1], n[1]);
    code = explain(a->ctx, &m, code);
    if (code == 0 && out->count[NETFEAT_FLOWS_OPEN] > out->config.max_open) {
        code = nf_error(a->ctx, NETFEAT_ERR_LIMIT, "together the shards have more open flows than %lu",
                        (unsigned long)out->config.max_open);
    }
    code = code != 0 ? code : nf_flow_relink(out);
    code = code != 0 || out->fragments == NULL ? code : merge_fragments(out, a, b, beside);
    for (size_t i = 0; i < 2; i++) {
        nf_free(i == 0 ? a->ctx : b->ctx, list[i], list[i] != NULL ? (n[i] + 1) * sizeof *list[i] : 0);
    }
    nf_free(out->ctx, m.shard, m.cap);
    return code;
}

int netfeat_flows_merge(netfeat_flows *flows, const netfeat_flows *other)
{
    netfeat_flows *out;
    int code;

    if (flows == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (other == NULL || other == flows) {
        return nf_error(flows->ctx, NETFEAT_ERR_ARGUMENT, "flows_merge: other is NULL or the same table");
    }
    code = check_tables(flows, other);
    if (code != 0) {
        return code;
    }
    out = nf_flows_alloc_like(flows);
    if (out == NULL) {
        return nf_ctx_code(flows->ctx);
    }
    code = merge_into(out, flows, other);
    if (code == 0) {
        finish(out, flows, other);
        exchange(flows, out);
    }
    netfeat_flows_unref(out);
    return code;
}
