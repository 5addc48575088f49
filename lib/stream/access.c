/* Looking at the current event, its stream, and the counters. */
#include <string.h>

#include "base/context.h"
#include "stream/streams.h"

static const nf_event *current(const netfeat_streams *st)
{
    return st != NULL && st->current ? &st->events[st->at_event] : NULL;
}

int netfeat_streams_event(const netfeat_streams *st)
{
    const nf_event *ev = current(st);
    return ev != NULL ? ev->type : 0;
}

uint64_t netfeat_streams_id(const netfeat_streams *st)
{
    const nf_event *ev = current(st);
    return ev != NULL ? ev->flow->id : 0;
}

int64_t netfeat_streams_first_packet(const netfeat_streams *st)
{
    const nf_event *ev = current(st);
    return ev != NULL ? (int64_t)ev->flow->first_packet : 0;
}

int64_t netfeat_streams_packet(const netfeat_streams *st)
{
    const nf_event *ev = current(st);
    return ev != NULL ? (int64_t)ev->packet : 0;
}

int netfeat_streams_direction(const netfeat_streams *st)
{
    const nf_event *ev = current(st);
    return ev != NULL ? ev->dir : 0;
}

uint64_t netfeat_streams_offset(const netfeat_streams *st)
{
    const nf_event *ev = current(st);
    return ev != NULL ? (uint64_t)ev->offset : 0;
}

uint64_t netfeat_streams_size(const netfeat_streams *st)
{
    const nf_event *ev = current(st);
    return ev != NULL ? ev->size : 0;
}

int64_t netfeat_streams_time_ns(const netfeat_streams *st)
{
    const nf_event *ev = current(st);
    return ev != NULL ? ev->time : 0;
}

const void *netfeat_streams_data(const netfeat_streams *st, size_t *ret_size)
{
    const nf_event *ev = current(st);
    size_t size = 0;

    if (ev != NULL && ev->data != NULL) {
        size = (size_t)(ev->type == NETFEAT_STREAM_DATAGRAM ? ev->captured : ev->size);
    }
    if (ret_size != NULL) {
        *ret_size = size;
    }
    return ev != NULL ? ev->data : NULL;
}

int netfeat_streams_reason(const netfeat_streams *st)
{
    const nf_event *ev = current(st);
    return ev != NULL ? ev->reason : 0;
}

int netfeat_streams_protocol(const netfeat_streams *st)
{
    const nf_event *ev = current(st);
    return ev != NULL ? ev->flow->key.protocol : 0;
}

int netfeat_streams_endpoint(const netfeat_streams *st, int endpoint, void *ret_address16, int *ret_port)
{
    const nf_event *ev = current(st);
    int i;

    if (st == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret_address16 == NULL || ret_port == NULL || endpoint < 0 || endpoint > 1) {
        return nf_error(st->ctx, NETFEAT_ERR_ARGUMENT, "streams_endpoint: %s",
                        endpoint < 0 || endpoint > 1 ? "an endpoint is 0 or 1" : "ret is NULL");
    }
    if (ev == NULL) {
        return nf_error(st->ctx, NETFEAT_ERR_STATE, "streams_endpoint: there is no current event");
    }
    i = endpoint != ev->flow->swapped;
    memcpy(ret_address16, ev->flow->key.ip[i], sizeof ev->flow->key.ip[i]);
    *ret_port = ev->flow->key.port[i];
    return NETFEAT_OK;
}

int netfeat_streams_initiator(const netfeat_streams *st)
{
    const nf_event *ev = current(st);

    if (st == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    return ev != NULL && ev->flow->initiator >= 0 ? ev->flow->initiator : NETFEAT_ERR_NOTFOUND;
}

int64_t netfeat_streams_first_time_ns(const netfeat_streams *st)
{
    const nf_event *ev = current(st);
    return ev != NULL ? ev->flow->first_time : 0;
}

int64_t netfeat_streams_last_time_ns(const netfeat_streams *st)
{
    const nf_event *ev = current(st);
    return ev != NULL ? ev->flow->last : 0;
}

const char *netfeat_streams_state(const netfeat_streams *st)
{
    const nf_event *ev = current(st);
    return ev != NULL ? nf_conn_state(ev->flow) : "";
}

const char *netfeat_streams_history(const netfeat_streams *st)
{
    const nf_event *ev = current(st);

    if (ev == NULL || ev->flow->key.protocol != NF_PROTOCOL_TCP) {
        return "";
    }
    return ev->flow->conn != NULL ? ev->flow->conn->history : "S";
}

/* ---- counters ---- */

typedef struct {
    const char *name, *help;
} counter_def;

#define COUNTER(suffix, name, help) {name, help},
static const counter_def counters[] = {
#include "stream/counters.def"
};
#undef COUNTER

#define TOTAL(suffix, name, help) {name, help},
static const counter_def totals[] = {
#include "stream/totals.def"
};
#undef TOTAL

static const counter_def *def_at(const counter_def *defs, int n, int which)
{
    return which >= 1 && which <= n ? &defs[which - 1] : NULL;
}

static int def_by_name(const counter_def *defs, int n, const char *name)
{
    if (name == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    for (int i = 0; i < n; i++) {
        if (strcmp(defs[i].name, name) == 0) {
            return i + 1;
        }
    }
    return NETFEAT_ERR_NOTFOUND;
}

uint64_t netfeat_streams_counter(const netfeat_streams *st, int direction, int which)
{
    const nf_event *ev = current(st);

    if (ev == NULL || direction < 0 || direction > 1 || which < 1 || which > NF_COUNTERS) {
        return 0;
    }
    return nf_counter(ev->flow, direction, which - 1);
}

const char *netfeat_stream_counter_name(int which)
{
    const counter_def *def = def_at(counters, NF_COUNTERS, which);
    return def != NULL ? def->name : NULL;
}

const char *netfeat_stream_counter_help(int which)
{
    const counter_def *def = def_at(counters, NF_COUNTERS, which);
    return def != NULL ? def->help : NULL;
}

int netfeat_stream_counter_by_name(const char *name)
{
    return def_by_name(counters, NF_COUNTERS, name);
}

uint64_t netfeat_streams_total(const netfeat_streams *st, int which)
{
    if (st == NULL || which < 1 || which > NF_TOTALS) {
        return 0;
    }
    return which - 1 == NF_TOTAL_HELD_BYTES ? st->pool.held : st->totals[which - 1];
}

const char *netfeat_stream_total_name(int which)
{
    const counter_def *def = def_at(totals, NF_TOTALS, which);
    return def != NULL ? def->name : NULL;
}

const char *netfeat_stream_total_help(int which)
{
    const counter_def *def = def_at(totals, NF_TOTALS, which);
    return def != NULL ? def->help : NULL;
}

int netfeat_stream_total_by_name(const char *name)
{
    return def_by_name(totals, NF_TOTALS, name);
}
