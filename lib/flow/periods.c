/* Groups about time: active and idle periods, subflows, bulks. */
#include "flow/groups.h"
#include "flow/input.h"

/* ---- active and idle periods ---- */

static void add_duration(nf_durations *d, int64_t ns)
{
    d->min = d->n == 0 || ns < d->min ? ns : d->min;
    d->max = d->n == 0 || ns > d->max ? ns : d->max;
    d->sum = nf_i128_add(d->sum, nf_i128_of(ns));
    nf_add_squares(&d->squares, nf_square(ns));
    d->n++;
}

static void update_periods(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_periods *s = state;
    bool fresh;

    (void)f;
    if (!p->timed) {
        return;
    }
    fresh = s->times == 0 || nf_difference(p->time, s->end) > fl->config.activity;
    if (fresh && s->times > 0) {
        if (s->end > s->begin) {
            add_duration(&s->active, nf_difference(s->end, s->begin));
        }
        add_duration(&s->idle, nf_difference(p->time, s->end));
    }
    if (fresh) {
        s->begin = p->time;
    }
    /* where time goes back, the period is from its earliest to its latest packet */
    s->begin = p->time < s->begin ? p->time : s->begin;
    s->end = fresh || p->time > s->end ? p->time : s->end;
    s->times++;
}

static bool valid_periods(const nf_flow_config *config, const void *state)
{
    const nf_periods *s = state;

    (void)config;
    return nf_sum_is_sane(s->active.sum) && nf_sum_is_sane(s->idle.sum);
}

const nf_flow_group nf_group_periods = {
    .name = "periods", .bytes = sizeof(nf_periods), .update = update_periods, .valid = valid_periods};

/* ---- subflows ---- */

static void update_subflows(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_subflows *s = state;

    (void)f;
    if (!p->timed) {
        return;
    }
    if (s->times == 0) {
        s->first = p->time;
    } else if (nf_difference(p->time, s->last) > fl->config.subflow) {
        s->gaps++;
    }
    s->last = p->time;
    s->times++;
}

static void merge_subflows(const nf_flow_config *config, void *state, const void *later)
{
    nf_subflows *a = state;
    const nf_subflows *b = later;

    if (a->times == 0) {
        *a = *b;
    } else if (b->times > 0) {
        a->gaps += b->gaps + (nf_difference(b->first, a->last) > config->subflow ? 1 : 0);
        a->last = b->last;
        a->times += b->times;
    }
}

const nf_flow_group nf_group_subflows = {
    .name = "subflows", .bytes = sizeof(nf_subflows), .update = update_subflows, .merge = merge_subflows};

/* ---- bulks: at least four packets with payload of one side, none of the other between, no long gap ---- */

#define BULK_PACKETS 4

static void begin_run(nf_bulk *s, const nf_flow_packet *p)
{
    s->begin = s->last = p->time;
    s->run_packets = 1;
    s->run_bytes = p->payload_length;
}

static void update_bulk(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_bulk *s = (nf_bulk *)state + p->book;
    const nf_bulk *other = (const nf_bulk *)state + !p->book;

    (void)f;
    if (p->payload_length == 0 || !p->timed) {
        return;
    }
    if (s->run_packets == 0 || (fl->config.sides > 1 && other->run_packets > 0 && other->last > s->begin) ||
        nf_difference(p->time, s->last) > fl->config.subflow) {
        begin_run(s, p);
        return;
    }
    s->run_packets++;
    s->run_bytes += p->payload_length;
    if (s->run_packets == BULK_PACKETS) {
        s->bulks++;
        s->packets += BULK_PACKETS;
        s->bytes += s->run_bytes;
        s->duration = nf_total(s->duration, nf_difference(p->time, s->begin));
    } else if (s->run_packets > BULK_PACKETS) {
        s->packets++;
        s->bytes += p->payload_length;
        s->duration = nf_total(s->duration, nf_difference(p->time, s->last));
    }
    s->last = p->time;
}

const nf_flow_group nf_group_bulk = {
    .name = "bulk", .side_bytes = sizeof(nf_bulk), .inputs = NF_IN(PAYLOAD_LENGTH), .update = update_bulk};
