/* The public face of reassembly: handles, input, stepping through the events. */
#include <assert.h>
#include <string.h>

#include "base/options.h"
#include "stream/feed.h"
#include "stream/streams.h"

#define MAX_PREFIXES 1024

/* ---- open and close ---- */

static void read_config(nf_stream_config *c, const netfeat_options *opts)
{
    c->policy = (int)nf_option(opts, NETFEAT_OPT_STREAM_POLICY);
    c->deliver = (int)nf_option(opts, NETFEAT_OPT_STREAM_DELIVER);
    c->urgent = (int)nf_option(opts, NETFEAT_OPT_STREAM_URGENT);
    c->checksum = (int)nf_option(opts, NETFEAT_OPT_STREAM_CHECKSUM);
    c->midstream = nf_option(opts, NETFEAT_OPT_STREAM_MIDSTREAM) != 0;
    c->strict = nf_option(opts, NETFEAT_OPT_STREAM_STRICT) != 0;
    c->ack_strict = nf_option(opts, NETFEAT_OPT_STREAM_ACK_STRICT) != 0;
    c->reset_gate = nf_option(opts, NETFEAT_OPT_STREAM_RESET_GATE) != 0;
    c->tcp = nf_option(opts, NETFEAT_OPT_STREAM_TCP) != 0;
    c->udp = nf_option(opts, NETFEAT_OPT_STREAM_UDP) != 0;
    c->fragments = nf_option(opts, NETFEAT_OPT_STREAM_FRAGMENTS) != 0;
    c->depth = nf_option(opts, NETFEAT_OPT_STREAM_DEPTH_BYTES);
    c->depth = c->depth != 0 ? c->depth : INT64_MAX;
    c->max_buffered = (uint64_t)nf_option(opts, NETFEAT_OPT_STREAM_MAX_BUFFERED_BYTES);
    c->max_segments = (uint64_t)nf_option(opts, NETFEAT_OPT_STREAM_MAX_SEGMENTS);
    c->max_total = (uint64_t)nf_option(opts, NETFEAT_OPT_STREAM_MAX_TOTAL_BYTES);
    c->max_stream_bytes = (uint64_t)nf_option(opts, NETFEAT_OPT_STREAM_MAX_STREAM_BYTES);
    c->async_bytes = (uint64_t)nf_option(opts, NETFEAT_OPT_STREAM_ASYNC_BYTES);
    c->recent_bytes = (uint64_t)nf_option(opts, NETFEAT_OPT_STREAM_RECENT_BYTES);
    c->max_streams = (uint32_t)nf_option(opts, NETFEAT_OPT_STREAM_MAX_STREAMS);
    c->max_half_open = (uint32_t)nf_option(opts, NETFEAT_OPT_STREAM_MAX_HALF_OPEN);
    c->half_open_ns = nf_option(opts, NETFEAT_OPT_STREAM_HALF_OPEN_NS);
    c->half_open_pressure_ns = nf_option(opts, NETFEAT_OPT_STREAM_HALF_OPEN_PRESSURE_NS);
    c->idle_ns = nf_option(opts, NETFEAT_OPT_STREAM_IDLE_NS);
    c->idle_pressure_ns = nf_option(opts, NETFEAT_OPT_STREAM_IDLE_PRESSURE_NS);
    c->linger_ns = nf_option(opts, NETFEAT_OPT_STREAM_LINGER_NS);
    c->gap_timeout_ns = nf_option(opts, NETFEAT_OPT_STREAM_GAP_TIMEOUT_NS);
    c->ack_grace_ns = nf_option(opts, NETFEAT_OPT_STREAM_ACK_GRACE_NS);
    c->udp_idle_ns = nf_option(opts, NETFEAT_OPT_STREAM_UDP_IDLE_NS);
    c->usual = c->deliver == NETFEAT_DELIVER_CONTIGUOUS && c->recent_bytes == 0;
}

static void destroy(netfeat_streams *st)
{
    netfeat_ctx *ctx = st->ctx;

    nf_syns_collect(st);
    nf_streams_close(st);
    nf_pool_free(&st->pool);
    nf_feed_close(st);
    nf_free(ctx, st->events, st->events_cap * sizeof *st->events);
    nf_free(ctx, st->prefixes, st->prefixes_cap * sizeof *st->prefixes);
    nf_free(ctx, st, sizeof *st);
    netfeat_ctx_unref(ctx);
}

int netfeat_streams_new(netfeat_ctx *ctx, const netfeat_options *opts, netfeat_streams **ret)
{
    netfeat_streams *st;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "streams_new: ret is NULL");
    }
    st = nf_alloc_zero(ctx, sizeof *st);
    if (st == NULL) {
        return nf_ctx_code(ctx);
    }
    nf_ref_init(&st->refs);
    st->ctx = netfeat_ctx_ref(ctx);
    read_config(&st->config, opts);
    nf_pool_init(&st->pool, ctx);
    nf_streams_open(st);
    code = nf_feed_open(st, opts);
    if (code != 0) {
        destroy(st);
        return code;
    }
    *ret = st;
    return NETFEAT_OK;
}

netfeat_streams *netfeat_streams_ref(netfeat_streams *st)
{
    if (st != NULL) {
        nf_ref_get(&st->refs);
    }
    return st;
}

netfeat_streams *netfeat_streams_unref(netfeat_streams *st)
{
    if (st != NULL && nf_ref_put(&st->refs)) {
        destroy(st);
    }
    return NULL;
}

/* ---- settings and input ---- */

static int check_free(netfeat_streams *st, const char *call)
{
    if (st->busy) {
        return nf_error(st->ctx, NETFEAT_ERR_STATE, "%s: called from the callback", call);
    }
    return NETFEAT_OK;
}

int netfeat_streams_set_policy(netfeat_streams *st, const void *address, int prefix_bits, int policy)
{
    nf_prefix *p;
    int code;

    if (st == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (address == NULL) {
        return nf_error(st->ctx, NETFEAT_ERR_ARGUMENT, "streams_set_policy: address is NULL");
    }
    if (prefix_bits < 0 || prefix_bits > 128 || policy < NETFEAT_OVERLAP_FIRST ||
        policy > NETFEAT_OVERLAP_WINDOWS) {
        return nf_error(st->ctx, NETFEAT_ERR_RANGE, "streams_set_policy: %s",
                        prefix_bits < 0 || prefix_bits > 128 ? "a prefix has 0 to 128 bits"
                                                             : "no such policy");
    }
    if (st->n_prefixes >= MAX_PREFIXES) {
        return nf_error(st->ctx, NETFEAT_ERR_LIMIT, "streams_set_policy: more than %d prefixes",
                        MAX_PREFIXES);
    }
    code = check_free(st, "streams_set_policy");
    code = code != 0
               ? code
               : nf_grow(st->ctx, (void **)&st->prefixes, &st->prefixes_cap, st->n_prefixes + 1, sizeof *p);
    if (code != 0) {
        return code;
    }
    p = &st->prefixes[st->n_prefixes++];
    memcpy(p->address, address, sizeof p->address);
    p->bits = (uint8_t)prefix_bits;
    p->policy = (uint8_t)policy;
    return NETFEAT_OK;
}

static int check_feed(netfeat_streams *st, const char *call)
{
    int code = check_free(st, call);

    if (code == 0 && st->ending) {
        code = nf_error(st->ctx, NETFEAT_ERR_STATE, "%s: the end was announced", call);
    }
    if (code == 0 && (nf_feed_pending(st) || st->n_events > 0)) {
        code = nf_error(st->ctx, NETFEAT_ERR_STATE, "%s: earlier input is not used up", call);
    }
    return code;
}

int netfeat_streams_feed_table(netfeat_streams *st, netfeat_table *packets)
{
    int code;

    if (st == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (packets == NULL) {
        return nf_error(st->ctx, NETFEAT_ERR_ARGUMENT, "streams_feed_table: the table is NULL");
    }
    code = check_feed(st, "streams_feed_table");
    return code != 0 ? code : nf_table_input_open(st->ctx, &st->input->table, packets);
}

int netfeat_streams_feed_source(netfeat_streams *st, netfeat_source *src)
{
    int code;

    if (st == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (src == NULL) {
        return nf_error(st->ctx, NETFEAT_ERR_ARGUMENT, "streams_feed_source: the source is NULL");
    }
    code = check_feed(st, "streams_feed_source");
    if (code == 0) {
        st->input->source = netfeat_source_ref(src);
    }
    return code;
}

int netfeat_streams_feed_packet(netfeat_streams *st, int link_type, int64_t time_ns, uint32_t wire_length,
                                const void *data, uint32_t captured_length)
{
    nf_record *r;
    int code;

    if (st == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (data == NULL && captured_length > 0) {
        return nf_error(st->ctx, NETFEAT_ERR_ARGUMENT, "streams_feed_packet: data is NULL");
    }
    if (link_type < 0 || link_type > UINT16_MAX) {
        return nf_error(st->ctx, NETFEAT_ERR_RANGE, "streams_feed_packet: link type %d", link_type);
    }
    code = check_feed(st, "streams_feed_packet");
    if (code != 0) {
        return code;
    }
    r = &st->input->records[0];
    memset(r, 0, sizeof *r);
    r->data = data != NULL ? data : (const void *)"";
    r->number = ++st->input->n_pushed;
    r->time_ns = time_ns;
    r->captured_length = captured_length;
    r->wire_length = wire_length;
    r->link_type = (uint16_t)link_type;
    st->input->pushed = true;
    return NETFEAT_OK;
}

int netfeat_streams_end(netfeat_streams *st)
{
    int code;

    if (st == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    code = check_free(st, "streams_end");
    if (code == 0) {
        st->ending = true;
    }
    return code;
}

/* ---- stepping ---- */

/* The events of the last packet are done with: nothing refers to what they pointed into. */
static void collect(netfeat_streams *st)
{
    st->n_events = st->at_event = st->pledged = 0;
    st->current = false;
    nf_pool_collect(&st->pool);
    if (st->spent_syns != NULL) {
        nf_syns_collect(st);
    }
    if (st->spent_flow != NF_NONE) {
        nf_streams_collect(st);
    }
}

/* Close the stream that opened first: 1, or 0 when none is left. */
static int close_oldest(netfeat_streams *st)
{
    nf_stream *flow;
    int code;

    if (st->oldest == NF_NONE) {
        return 0;
    }
    flow = nf_stream_at(st, st->oldest);
    st->packet = 0;
    st->packet_time = st->now;
    code = nf_reserve(st, flow);
    if (code != 0) {
        return code;
    }
    nf_stream_end(st, flow, NETFEAT_END_CAPTURE);
    return 1;
}

/* The work of the next packet, or of the end. */
static int work(netfeat_streams *st)
{
    if (nf_feed_pending(st)) {
        int code = nf_feed_step(st);
        if (code != 0 || nf_feed_pending(st)) {
            return code;
        }
    }
    return st->ending ? close_oldest(st) : 0;
}

static int step(netfeat_streams *st)
{
    if (st->current) {
        st->at_event++;
        st->current = false;
    }
    for (;;) {
        int code;

        if (st->at_event < st->n_events) {
            st->current = true;
            return 1;
        }
        collect(st);
        if (st->failure != 0) {
            code = st->failure;
            st->failure = 0;
            return code;
        }
        code = work(st);
        if (code <= 0) {
            return code;
        }
    }
}

int netfeat_streams_step(netfeat_streams *st)
{
    int code;

    if (st == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    code = check_free(st, "streams_step");
    return code != 0 ? code : step(st);
}

int netfeat_streams_run(netfeat_streams *st, netfeat_stream_fn fn, void *user)
{
    int code;

    if (st == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    code = check_free(st, "streams_run");
    if (code != 0) {
        return code;
    }
    while ((code = step(st)) > 0) {
        if (fn != NULL) {
            int stop;

            st->busy = true;
            stop = fn(user, st, st->events[st->at_event].type);
            st->busy = false;
            if (stop != 0) {
                return nf_error(st->ctx, NETFEAT_ERR_CANCELLED, "streams_run: the callback asked to stop");
            }
        }
    }
    return code;
}

int netfeat_streams_skip(netfeat_streams *st)
{
    nf_stream *flow;
    int code;

    if (st == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (!st->current) {
        return nf_error(st->ctx, NETFEAT_ERR_STATE, "streams_skip: there is no current event");
    }
    code = nf_reserve(st, NULL);
    if (code != 0) {
        return code;
    }
    flow = st->events[st->at_event].flow;
    flow->skip = true;
    for (int d = 0; nf_conn_of(flow) != NULL && flow->alive && d < 2; d++) {
        nf_skip_direction(st, flow, d);
    }
    return NETFEAT_OK;
}
