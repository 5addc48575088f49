/* Values of the identity, the counters and the statistics of a flow. */
#include "flow/getters.h"

#include "base/bitmap.h"

#define FILE_SHIFT 40

static const nf_flow_key *key_of(const nf_flow_view *v)
{
    return v->key;
}

/* Side of an end: argument 0 source, 1 destination. */
static size_t end_side(const nf_flow_view *v, int argument)
{
    return argument == 0 ? v->forward : 1U - v->forward;
}

bool nf_get_flow_id(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    (void)argument;
    return nf_give_u64(ret, v->flow->first_position);
}

bool nf_get_parent_id(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    (void)argument;
    if ((v->flow->flags & NF_FLOW_CONTINUED) == 0 || !nf_flow_has(v->config, NF_G_ORIGIN)) {
        return false;
    }
    return nf_give_u64(ret, ((const nf_origin *)nf_flow_read(v->config, v->flow, NF_G_ORIGIN))->parent);
}

bool nf_get_end_reason(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    (void)argument;
    return nf_give_u64(ret, v->flow->reason);
}

bool nf_get_evidence(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    (void)argument;
    return nf_give_u64(ret, v->flow->evidence);
}

bool nf_get_ip(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    return nf_give_bytes(ret, key_of(v)->ip[end_side(v, argument)], 16);
}

bool nf_get_port(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    if ((key_of(v)->kind & NF_KEY_PORTS) == 0) {
        return false;
    }
    return nf_give_u64(ret, key_of(v)->port[end_side(v, argument)]);
}

bool nf_get_protocol(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    (void)argument;
    return nf_give_u64(ret, key_of(v)->protocol);
}

bool nf_get_icmp(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_flow_key *key = key_of(v);

    if ((key->kind & NF_KEY_ICMP) == 0) {
        return false;
    }
    if (argument == 0) {
        return nf_give_u64(ret, key->port[end_side(v, 0)]);
    }
    return nf_give_u64(ret, nf_icmp_answer(key->protocol, (uint8_t)key->port[end_side(v, 0)]) >= 0
                                ? 0U
                                : key->port[end_side(v, 1)]);
}

bool nf_get_ip_version(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    (void)argument;
    return nf_give_u64(ret, nf_ip_is_v4(key_of(v)->ip[0]) ? 4 : 6);
}

bool nf_get_extra(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_flow_key *key = key_of(v);

    if (v->config->key_bytes == NF_KEY_BYTES_SHORT || (key->extra & argument) == 0) {
        return false;
    }
    switch (argument) {
    case NF_KEY_HAS_VLAN:
        return nf_give_u64(ret, key->vlan_id);
    case NF_KEY_HAS_TUNNEL:
        return nf_give_u64(ret, key->tunnel_type);
    case NF_KEY_HAS_TUNNEL_ID:
        return nf_give_u64(ret, key->tunnel_id);
    default:
        return nf_give_u64(ret, key->interface_id);
    }
}

bool nf_get_time(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    bool first = (argument & NF_STATISTIC) == NF_MIN;

    if ((argument & NF_DIRECTION) == NF_BOTH) {
        return (v->flow->flags & NF_FLOW_TIMED) != 0 &&
               nf_give_i64(ret, first ? v->flow->first_time : v->flow->last_time);
    }
    NF_FOR_SIDES(v, argument, side)
    {
        const nf_span *s = (const nf_span *)nf_flow_read(v->config, v->flow, NF_G_SPANS) + side;
        return s->times > 0 && nf_give_i64(ret, first ? s->first : s->last);
    }
    return false;
}

int64_t nf_flow_duration(const nf_flow_view *v)
{
    return (v->flow->flags & NF_FLOW_TIMED) != 0 ? nf_difference(v->flow->last_time, v->flow->first_time) : 0;
}

bool nf_get_duration(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    nf_flow_value first, last;

    if (!nf_get_time(v, argument | NF_MIN, &first) || !nf_get_time(v, argument | NF_MAX, &last)) {
        return false;
    }
    return nf_give_i64(ret, nf_difference(last.i, first.i));
}

/* What 53 bits cannot hold is divided as an integer, with bits to spare and one that stands for the remainder. */
double nf_seconds_exact(int64_t ns)
{
    nf_u128 scaled;
    uint64_t rest;

    scaled = nf_u128_divide(nf_u128_left(nf_u128_of((uint64_t)ns), 40), 1000000000, &rest);
    scaled = nf_u128_make(nf_u128_high(scaled), nf_u128_low(scaled) | (rest != 0));
    return nf_u128_double(scaled) / (double)(UINT64_C(1) << 40);
}

bool nf_get_duration_seconds(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    (void)argument;
    return (v->flow->flags & NF_FLOW_TIMED) != 0 && nf_give_f64(ret, nf_seconds(nf_flow_duration(v)));
}

bool nf_get_position(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    uint64_t position = (argument & 1) != 0 ? v->flow->last_position : v->flow->first_position;

    return nf_give_u64(ret, (argument & 2) != 0 ? position >> FILE_SHIFT
                                                : position & ((UINT64_C(1) << FILE_SHIFT) - 1));
}

nf_counts nf_sum_counts(const nf_flow_view *v, int argument)
{
    const nf_counts *c = nf_flow_read(v->config, v->flow, NF_G_COUNTS);
    nf_counts sum = {0, 0};

    NF_FOR_SIDES(v, argument, side)
    {
        sum.packets += c[side].packets;
        sum.bytes += c[side].bytes;
    }
    return sum;
}

bool nf_get_packets(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    return nf_give_u64(ret, nf_sum_counts(v, argument).packets);
}

bool nf_get_bytes(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    return nf_give_u64(ret, nf_sum_counts(v, argument).bytes);
}

bool nf_get_layer(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_layers *s = nf_flow_read(v->config, v->flow, NF_G_LAYERS);
    int layer = argument & NF_STATISTIC;
    uint64_t sum = 0;

    NF_FOR_SIDES(v, argument, side)
    {
        sum += layer == 4 ? s[side].ip_bytes : layer == 8 ? s[side].l4_bytes : s[side].payload_bytes;
    }
    return nf_give_u64(ret, sum);
}

bool nf_get_fragments(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    (void)argument;
    return nf_give_u64(ret, *(const uint64_t *)nf_flow_read(v->config, v->flow, NF_G_FRAGMENTS));
}

bool nf_get_rate(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    nf_counts c = nf_sum_counts(v, argument);
    int64_t ns = nf_flow_duration(v);
    double n = (double)((argument & NF_STATISTIC) == 4 ? c.packets : c.bytes);

    return ns > 0 && nf_give_f64(ret, n / ((double)ns / 1e9));
}

bool nf_get_ratio(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    uint64_t forward = nf_sum_counts(v, NF_FORWARD).packets;
    uint64_t backward = nf_sum_counts(v, NF_BACKWARD).packets;

    (void)argument;
    return forward > 0 && nf_give_f64(ret, (double)backward / (double)forward);
}

/* ---- statistics ---- */

static void add_extremes(nf_summary *s, int64_t min, int64_t max)
{
    s->min = s->n == 0 || min < s->min ? min : s->min;
    s->max = s->n == 0 || max > s->max ? max : s->max;
}

static void add_sizes(nf_summary *sum, const nf_counts *c, const nf_sizes *s)
{
    if (c->packets > 0) {
        add_extremes(sum, (int64_t)s->min, (int64_t)s->max);
        sum->n += c->packets;
        sum->sum = nf_i128_add(sum->sum, nf_i128_of_u64(c->bytes));
        nf_add_squares(&sum->squares, s->squares);
    }
}

nf_summary nf_sum_sizes(const nf_flow_view *v, int argument)
{
    const nf_counts *c = nf_flow_read(v->config, v->flow, NF_G_COUNTS);
    nf_summary sum = {.n = 0};

    if (nf_flow_has(v->config, NF_G_SIZES_ALL)) { /* nobody asks for a direction */
        nf_counts all = nf_sum_counts(v, NF_BOTH);
        add_sizes(&sum, &all, nf_flow_read(v->config, v->flow, NF_G_SIZES_ALL));
        return sum;
    }
    NF_FOR_SIDES(v, argument, side)
    {
        add_sizes(&sum, &c[side], (const nf_sizes *)nf_flow_read(v->config, v->flow, NF_G_SIZES) + side);
    }
    return sum;
}

nf_summary nf_sum_gaps(const nf_flow_view *v, int argument)
{
    int direction = argument & NF_DIRECTION;
    const nf_gaps *s;
    nf_summary sum = {.n = 0};

    if (direction == NF_BOTH) {
        s = nf_flow_read(v->config, v->flow, NF_G_GAPS_ALL);
    } else {
        s = nf_flow_read(v->config, v->flow, NF_G_GAPS);
        s += direction == NF_FORWARD ? v->forward : 1U - v->forward;
    }
    if (s->times > 1) {
        add_extremes(&sum, s->min, s->max);
        sum.n = s->times - 1;
        sum.sum = nf_i128_difference(s->last, s->first);
        sum.squares = s->squares;
    }
    return sum;
}

nf_summary nf_sum_durations(const nf_durations *d)
{
    nf_summary sum = {d->n, d->sum, d->squares, d->min, d->max};
    return sum;
}

bool nf_statistic(const nf_summary *s, int argument, nf_flow_value *ret)
{
    switch (argument & NF_STATISTIC) {
    case NF_MIN:
        ret->u = (uint64_t)s->min;
        return s->n > 0 && nf_give_i64(ret, s->min);
    case NF_MAX:
        ret->u = (uint64_t)s->max;
        return s->n > 0 && nf_give_i64(ret, s->max);
    case NF_MEAN:
        return s->n > 0 && nf_give_f64(ret, nf_mean(s->sum, s->n));
    case NF_STD:
        return s->n > 1 && nf_give_f64(ret, nf_deviation(s->sum, s->squares, s->n));
    case NF_VARIANCE:
        return s->n > 1 && nf_give_f64(ret, nf_variance(s->sum, s->squares, s->n));
    case NF_SUM:
        ret->u = nf_i128_low(s->sum);
        return s->n > 0 && nf_give_i64(ret, (int64_t)nf_i128_low(s->sum));
    default:
        ret->i = (int64_t)s->n;
        return nf_give_u64(ret, s->n);
    }
}

bool nf_get_size(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    nf_summary s = nf_sum_sizes(v, argument);
    return nf_statistic(&s, argument, ret);
}

bool nf_get_gap(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    nf_summary s = nf_sum_gaps(v, argument);
    return nf_statistic(&s, argument, ret);
}

uint64_t nf_sum_flags(const nf_flow_view *v, int argument, unsigned bit)
{
    const nf_flag_counts *s = nf_flow_read(v->config, v->flow, NF_G_FLAGS);
    uint64_t sum = 0;

    NF_FOR_SIDES(v, argument, side)
    {
        sum += s[side].packets[bit];
    }
    return sum;
}

bool nf_get_flag(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    if (key_of(v)->protocol != NF_PROTOCOL_TCP) {
        return false;
    }
    return nf_give_u64(ret, nf_sum_flags(v, argument, (unsigned)argument >> 2));
}

bool nf_get_ttl(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_ttl *s = nf_flow_read(v->config, v->flow, NF_G_TTL);

    NF_FOR_SIDES(v, argument, side)
    {
        return s[side].seen != 0 &&
               nf_give_u64(ret, (argument & NF_STATISTIC) == NF_MIN ? s[side].min : s[side].max);
    }
    return false;
}

bool nf_get_header(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_headers *s = nf_flow_read(v->config, v->flow, NF_G_HEADERS);
    int what = argument & NF_STATISTIC;
    uint64_t sum = 0;

    NF_FOR_SIDES(v, argument, side)
    {
        sum += what == 4 ? s[side].bytes : what == 8 ? s[side].min : s[side].data_packets;
    }
    return nf_give_u64(ret, sum);
}
