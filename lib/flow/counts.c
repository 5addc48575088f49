/* Groups that add up: counters, sums, extremes, exact sums of squares. All of them merge exactly. */
#include "flow/groups.h"
#include "flow/input.h"

/* ---- counts: updated by the engine itself ---- */

static void merge_counts(const nf_flow_config *config, void *state, const void *later)
{
    nf_counts *a = state;
    const nf_counts *b = later;

    for (size_t i = 0; i < config->sides; i++) {
        a[i].packets += b[i].packets;
        a[i].bytes += b[i].bytes;
    }
}

const nf_flow_group nf_group_counts = {
    .name = "counts", .side_bytes = sizeof(nf_counts), .merge = merge_counts};

/* ---- bytes by layer ---- */

static void update_layers(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_layers *s = (nf_layers *)state + p->book;

    (void)fl;
    (void)f;
    s->ip_bytes += p->ip_length;
    s->l4_bytes += p->l4_length;
    s->payload_bytes += p->payload_length;
}

static void merge_layers(const nf_flow_config *config, void *state, const void *later)
{
    nf_layers *a = state;
    const nf_layers *b = later;

    for (size_t i = 0; i < config->sides; i++) {
        a[i].ip_bytes += b[i].ip_bytes;
        a[i].l4_bytes += b[i].l4_bytes;
        a[i].payload_bytes += b[i].payload_bytes;
    }
}

const nf_flow_group nf_group_layers = {.name = "layers",
                                       .side_bytes = sizeof(nf_layers),
                                       .inputs = NF_IN(IP_LENGTH) | NF_IN(L4_LENGTH) | NF_IN(PAYLOAD_LENGTH),
                                       .update = update_layers,
                                       .merge = merge_layers};

/* ---- sizes; min and max are meant only when there are packets, which nf_counts says ---- */

static void add_size(nf_sizes *s, bool first, uint64_t length)
{
    s->min = first || length < s->min ? length : s->min;
    s->max = first || length > s->max ? length : s->max;
    nf_add_squares(&s->squares, nf_u128_product(length, length));
}

/* b has values, a has some. */
static void merge_size(nf_sizes *a, bool some, const nf_sizes *b)
{
    a->min = !some || b->min < a->min ? b->min : a->min;
    a->max = !some || b->max > a->max ? b->max : a->max;
    nf_add_squares(&a->squares, b->squares);
}

/* Packets of all sides, counted by `state`, that of a group; the counts are merged later than the sizes. */
static const nf_counts *counts_beside(const nf_flow_config *config, const void *state, int group)
{
    size_t back = config->offset[group] - config->offset[NF_G_COUNTS];
    return (const nf_counts *)(const void *)((const uint8_t *)state - back);
}

static uint64_t packets_of(const nf_flow_config *config, const nf_counts *c)
{
    return c[0].packets + (config->sides > 1 ? c[1].packets : 0);
}

/* This packet is counted already. */
static void update_sizes(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    const nf_counts *c = (const nf_counts *)nf_flow_read(&fl->config, f, NF_G_COUNTS) + p->book;
    add_size((nf_sizes *)state + p->book, c->packets == 1, p->length);
}

static void merge_sizes(const nf_flow_config *config, void *state, const void *later)
{
    nf_sizes *a = state;
    const nf_sizes *b = later;
    const nf_counts *na = counts_beside(config, state, NF_G_SIZES);
    const nf_counts *nb = counts_beside(config, later, NF_G_SIZES);

    for (size_t i = 0; i < config->sides; i++) {
        if (nb[i].packets > 0) {
            merge_size(&a[i], na[i].packets > 0, &b[i]);
        }
    }
}

const nf_flow_group nf_group_sizes = {
    .name = "sizes", .side_bytes = sizeof(nf_sizes), .update = update_sizes, .merge = merge_sizes};

static void update_sizes_all(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    const nf_counts *c = nf_flow_read(&fl->config, f, NF_G_COUNTS);
    add_size(state, packets_of(&fl->config, c) == 1, p->length);
}

/* A state that was loaded may count no packets. */
static void merge_sizes_all(const nf_flow_config *config, void *state, const void *later)
{
    bool some = packets_of(config, counts_beside(config, state, NF_G_SIZES_ALL)) > 0;

    if (packets_of(config, counts_beside(config, later, NF_G_SIZES_ALL)) > 0) {
        merge_size(state, some, later);
    }
}

const nf_flow_group nf_group_sizes_all = {
    .name = "sizes_all", .bytes = sizeof(nf_sizes), .update = update_sizes_all, .merge = merge_sizes_all};

/* ---- inter-arrival times ---- */

static void add_gap(nf_gaps *s, int64_t gap)
{
    s->min = s->times == 1 || gap < s->min ? gap : s->min;
    s->max = s->times == 1 || gap > s->max ? gap : s->max;
    nf_add_squares(&s->squares, nf_square(gap));
}

static void add_time(nf_gaps *s, int64_t time)
{
    if (s->times == 0) {
        s->first = time;
    } else {
        add_gap(s, nf_difference(time, s->last));
    }
    s->last = time;
    s->times++;
}

static void update_gaps(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    (void)fl;
    (void)f;
    if (p->timed) {
        add_time((nf_gaps *)state + p->book, p->time);
    }
}

static void merge_gap(nf_gaps *a, const nf_gaps *b)
{
    if (a->times == 0) {
        *a = *b;
    } else if (b->times > 0) {
        add_gap(a, nf_difference(b->first, a->last));
        if (b->times > 1) {
            a->min = b->min < a->min ? b->min : a->min;
            a->max = b->max > a->max ? b->max : a->max;
        }
        nf_add_squares(&a->squares, b->squares);
        a->last = b->last;
        a->times += b->times;
    }
}

static void merge_gaps(const nf_flow_config *config, void *state, const void *later)
{
    for (size_t i = 0; i < config->sides; i++) {
        merge_gap((nf_gaps *)state + i, (const nf_gaps *)later + i);
    }
}

const nf_flow_group nf_group_gaps = {
    .name = "gaps", .side_bytes = sizeof(nf_gaps), .update = update_gaps, .merge = merge_gaps};

static void update_gaps_all(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    (void)fl;
    (void)f;
    if (p->timed) {
        add_time(state, p->time);
    }
}

static void merge_gaps_all(const nf_flow_config *config, void *state, const void *later)
{
    (void)config;
    merge_gap(state, later);
}

const nf_flow_group nf_group_gaps_all = {
    .name = "gaps_all", .bytes = sizeof(nf_gaps), .update = update_gaps_all, .merge = merge_gaps_all};

/* ---- first and last time of each side ---- */

static void update_spans(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_span *s = (nf_span *)state + p->book;

    (void)fl;
    (void)f;
    if (p->timed) {
        s->first = s->times == 0 || p->time < s->first ? p->time : s->first;
        s->last = s->times == 0 || p->time > s->last ? p->time : s->last;
        s->times++;
    }
}

static void merge_spans(const nf_flow_config *config, void *state, const void *later)
{
    nf_span *a = state;
    const nf_span *b = later;

    for (size_t i = 0; i < config->sides; i++) {
        if (b[i].times > 0) {
            a[i].first = a[i].times == 0 || b[i].first < a[i].first ? b[i].first : a[i].first;
            a[i].last = a[i].times == 0 || b[i].last > a[i].last ? b[i].last : a[i].last;
            a[i].times += b[i].times;
        }
    }
}

const nf_flow_group nf_group_spans = {
    .name = "spans", .side_bytes = sizeof(nf_span), .update = update_spans, .merge = merge_spans};

/* ---- TCP flags ---- */

static void update_flags(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_flag_counts *s = (nf_flag_counts *)state + p->book;

    (void)fl;
    (void)f;
    for (unsigned i = 0; p->tcp && i < NF_TCP_FLAGS; i++) {
        s->packets[i] += p->tcp_flags >> i & 1U;
    }
}

static void merge_flags(const nf_flow_config *config, void *state, const void *later)
{
    nf_flag_counts *a = state;
    const nf_flag_counts *b = later;

    for (size_t i = 0; i < config->sides; i++) {
        for (size_t k = 0; k < NF_TCP_FLAGS; k++) {
            a[i].packets[k] += b[i].packets[k];
        }
    }
}

const nf_flow_group nf_group_flags = {.name = "flags",
                                      .side_bytes = sizeof(nf_flag_counts),
                                      .inputs = NF_IN(TCP_FLAGS),
                                      .update = update_flags,
                                      .merge = merge_flags};

/* ---- time to live ---- */

static void update_ttl(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_ttl *s = (nf_ttl *)state + p->book;

    (void)fl;
    (void)f;
    if (p->has_ttl) {
        s->min = s->seen == 0 || p->ttl < s->min ? p->ttl : s->min;
        s->max = s->seen == 0 || p->ttl > s->max ? p->ttl : s->max;
        s->seen = 1;
    }
}

static void merge_ttl(const nf_flow_config *config, void *state, const void *later)
{
    nf_ttl *a = state;
    const nf_ttl *b = later;

    for (size_t i = 0; i < config->sides; i++) {
        if (b[i].seen != 0) {
            a[i].min = a[i].seen == 0 || b[i].min < a[i].min ? b[i].min : a[i].min;
            a[i].max = a[i].seen == 0 || b[i].max > a[i].max ? b[i].max : a[i].max;
            a[i].seen = 1;
        }
    }
}

const nf_flow_group nf_group_ttl = {.name = "ttl",
                                    .side_bytes = sizeof(nf_ttl),
                                    .inputs = NF_IN(IP_TTL),
                                    .update = update_ttl,
                                    .merge = merge_ttl};

/* ---- fragments ---- */

static void update_fragments(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    uint64_t *n = state;

    (void)fl;
    (void)f;
    *n += p->fragment ? 1 : 0;
}

static void merge_fragments(const nf_flow_config *config, void *state, const void *later)
{
    (void)config;
    *(uint64_t *)state += *(const uint64_t *)later;
}

const nf_flow_group nf_group_fragments = {.name = "fragments",
                                          .bytes = sizeof(uint64_t),
                                          .inputs = NF_IN(FRAGMENT_OFFSET),
                                          .update = update_fragments,
                                          .merge = merge_fragments};

/* ---- transport headers ---- */

/* Length of the transport header as the peers count it: 8 bytes for UDP and everything else. */
static uint32_t header_length(const nf_flow_packet *p)
{
    return p->tcp ? p->tcp_header_length : p->fragment ? 0 : 8;
}

static void update_headers(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_headers *s = (nf_headers *)state + p->book;
    uint32_t length = header_length(p);

    (void)fl;
    (void)f;
    s->min = s->packets == 0 || length < s->min ? length : s->min;
    s->bytes += length;
    s->packets++;
    s->data_packets += p->payload_length > 0 ? 1 : 0;
}

static void merge_headers(const nf_flow_config *config, void *state, const void *later)
{
    nf_headers *a = state;
    const nf_headers *b = later;

    for (size_t i = 0; i < config->sides; i++) {
        if (b[i].packets > 0) {
            a[i].min = a[i].packets == 0 || b[i].min < a[i].min ? b[i].min : a[i].min;
            a[i].bytes += b[i].bytes;
            a[i].packets += b[i].packets;
            a[i].data_packets += b[i].data_packets;
        }
    }
}

const nf_flow_group nf_group_headers = {.name = "headers",
                                        .side_bytes = sizeof(nf_headers),
                                        .inputs = NF_IN(TCP_FLAGS) | NF_IN(TCP_HEADER_LENGTH) |
                                                  NF_IN(PAYLOAD_LENGTH),
                                        .update = update_headers,
                                        .merge = merge_headers};

/* ---- link addresses of the first packet ---- */

static void update_link(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_link *s = state;

    (void)fl;
    (void)f;
    s->side = p->side;
    for (size_t i = 0; i < 2; i++) {
        s->present[i] = p->mac[i] != NULL;
        if (p->mac[i] != NULL) {
            memcpy(s->mac[i], p->mac[i], sizeof s->mac[i]);
        }
    }
}

static void merge_nothing(const nf_flow_config *config, void *state, const void *later)
{
    (void)config;
    (void)state;
    (void)later;
}

const nf_flow_group nf_group_link = {.name = "link",
                                     .bytes = sizeof(nf_link),
                                     .inputs = NF_IN(SRC_MAC) | NF_IN(DST_MAC),
                                     .fresh_only = true,
                                     .update = update_link,
                                     .merge = merge_nothing};
