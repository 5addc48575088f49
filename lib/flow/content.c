/* Groups that look at single packets: bytes of the payload, the first packets, the peers' oddities. */
#include "base/hash.h"
#include "flow/groups.h"
#include "flow/input.h"

/* ---- bytes of the captured payload ---- */

static void update_content(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_content *s = (nf_content *)state + p->book;

    (void)fl;
    (void)f;
    for (uint32_t i = 0; i < p->payload_captured; i++) {
        s->count[p->payload[i]]++;
    }
}

static void merge_content(const nf_flow_config *config, void *state, const void *later)
{
    uint64_t *a = state;
    const uint64_t *b = later;

    for (size_t i = 0; i < 256 * config->sides; i++) {
        a[i] += b[i];
    }
}

const nf_flow_group nf_group_content = {.name = "content",
                                        .side_bytes = sizeof(nf_content),
                                        .inputs = NF_IN(PAYLOAD),
                                        .update = update_content,
                                        .merge = merge_content};

/* ---- the first packets ---- */

#define SIDE_BIT (UINT64_C(1) << 63)

static nf_first_packet *first_packets(nf_first *s)
{
    return (nf_first_packet *)(s + 1);
}

static void update_first(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_first *s = state;
    nf_first_packet *e;

    (void)f;
    if (s->n == fl->config.first_packets) {
        return;
    }
    e = &first_packets(s)[s->n++];
    e->gap = s->timed != 0 && p->timed ? nf_difference(p->time, s->last) : 0;
    e->length = (p->length & ~SIDE_BIT) | (p->book != 0 ? SIDE_BIT : 0);
    if (p->timed) {
        if (s->timed == 0) {
            s->begin = p->time;
            s->first_timed = s->n - 1;
        }
        s->last = p->time;
        s->timed = 1;
    }
}

static void merge_first(const nf_flow_config *config, void *state, const void *later)
{
    nf_first *a = state;
    const nf_first *b = later;
    const nf_first_packet *from = (const nf_first_packet *)(b + 1);
    uint32_t before = a->n;
    int64_t boundary = a->timed != 0 && b->timed != 0 ? nf_difference(b->begin, a->last) : 0;

    for (uint32_t i = 0; i < b->n && a->n < config->first_packets; i++) {
        nf_first_packet *e = &first_packets(a)[a->n++];
        *e = from[i];
        e->gap = b->timed != 0 && i == b->first_timed ? boundary : e->gap;
    }
    if (b->timed != 0) {
        a->first_timed = a->timed != 0 ? a->first_timed : before + b->first_timed;
        a->begin = a->timed != 0 ? a->begin : b->begin;
        a->last = b->last;
        a->timed = 1;
    }
}

static bool valid_first(const nf_flow_config *config, const void *state)
{
    return ((const nf_first *)state)->n <= config->first_packets;
}

const nf_flow_group nf_group_first = {.name = "first",
                                      .bytes = sizeof(nf_first),
                                      .update = update_first,
                                      .merge = merge_first,
                                      .valid = valid_first};

/* ---- what CICFlowMeter keeps of single packets ---- */

static void update_cic(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_cic *s = state;

    (void)fl;
    if (p->fresh) {
        s->first_length = p->length;
        s->first_window = p->window;
        s->first_flags = p->tcp_flags;
        s->first_data = p->payload_length > 0;
        s->icmp = p->icmp;
        s->icmp_type = p->icmp ? p->icmp_type : 0;
        s->icmp_code = p->icmp ? p->icmp_code : 0;
        if ((f->flags & NF_FLOW_CONTINUED) == 0) {
            s->connection_begin = p->time;
        }
    }
    if (p->tcp && s->window[p->book] == 0) {
        s->window[p->book] = p->window;
    }
    if (p->tcp && p->book != nf_flow_source(f)) {
        s->last_window = p->window;
    }
}

static void inherit_cic(const nf_flow_config *config, void *state, const void *parent,
                        const nf_flow *parent_flow)
{
    (void)config;
    (void)parent_flow;
    ((nf_cic *)state)->connection_begin = ((const nf_cic *)parent)->connection_begin;
}

const nf_flow_group nf_group_cic = {.name = "cic",
                                    .bytes = sizeof(nf_cic),
                                    .inputs = NF_IN(TCP_FLAGS) | NF_IN(TCP_WINDOW) | NF_IN(PAYLOAD_LENGTH) |
                                              NF_IN(ICMP_TYPE) | NF_IN(ICMP_CODE),
                                    .update = update_cic,
                                    .inherit = inherit_cic};

/* ---- TCP packets seen before: among the last NF_REPEATS of the same sender ---- */

static void update_repeats(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_repeats *s = (nf_repeats *)state + p->book;
    const uint32_t parts[4] = {p->seq, p->ack, p->payload_length, p->window};
    uint64_t mark = XXH3_64bits(parts, sizeof parts);
    uint64_t kept = s->n < NF_REPEATS ? s->n : NF_REPEATS;

    (void)fl;
    (void)f;
    if (!p->tcp) {
        return;
    }
    for (uint64_t i = 0; i < kept; i++) {
        if (s->seen[i] == mark) {
            s->repeated++;
            return;
        }
    }
    s->seen[s->n++ % NF_REPEATS] = mark;
}

const nf_flow_group nf_group_repeats = {.name = "repeats",
                                        .side_bytes = sizeof(nf_repeats),
                                        .inputs = NF_IN(TCP_FLAGS) | NF_IN(TCP_SEQ) | NF_IN(TCP_ACK) |
                                                  NF_IN(TCP_WINDOW) | NF_IN(PAYLOAD_LENGTH),
                                        .tcp_only = true,
                                        .update = update_repeats};

const nf_flow_group *const nf_flow_groups[NF_GROUPS] = {
    [NF_G_COUNTS] = &nf_group_counts,   [NF_G_ORIGIN] = &nf_group_origin,
    [NF_G_LIFE] = &nf_group_life,       [NF_G_LAYERS] = &nf_group_layers,
    [NF_G_SIZES] = &nf_group_sizes,     [NF_G_SIZES_ALL] = &nf_group_sizes_all,
    [NF_G_GAPS] = &nf_group_gaps,       [NF_G_GAPS_ALL] = &nf_group_gaps_all,
    [NF_G_SPANS] = &nf_group_spans,     [NF_G_FLAGS] = &nf_group_flags,
    [NF_G_TTL] = &nf_group_ttl,         [NF_G_FRAGMENTS] = &nf_group_fragments,
    [NF_G_HEADERS] = &nf_group_headers, [NF_G_LINK] = &nf_group_link,
    [NF_G_HISTORY] = &nf_group_history, [NF_G_TCP] = &nf_group_tcp,
    [NF_G_PERIODS] = &nf_group_periods, [NF_G_SUBFLOWS] = &nf_group_subflows,
    [NF_G_BULK] = &nf_group_bulk,       [NF_G_CIC] = &nf_group_cic,
    [NF_G_REPEATS] = &nf_group_repeats, [NF_G_CONTENT] = &nf_group_content,
    [NF_G_FIRST] = &nf_group_first};
