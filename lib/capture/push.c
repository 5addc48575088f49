/* push.c - sources into which the caller puts packets. */
#include "base/options.h"
#include "capture/queue.h"

struct nf_push {
    nf_queue queue;
    uint16_t link_type;
    bool drops; /* when the queue is full */
};

static int push_next_records(netfeat_source *src, nf_record *recs, int max)
{
    return nf_queue_next(src, &src->push->queue, src->push->link_type, recs, max);
}

void nf_push_close(netfeat_ctx *ctx, nf_push *p)
{
    if (p != NULL) {
        nf_queue_close(ctx, &p->queue);
        nf_free(ctx, p, sizeof *p);
    }
}

int netfeat_source_open_push(netfeat_ctx *ctx, int link_type, const netfeat_options *opts,
                             netfeat_source **ret)
{
    netfeat_source *src = NULL;
    nf_push *p;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "source_open_push: ret is NULL");
    }
    if (link_type < 0 || link_type > UINT16_MAX) {
        return nf_error(ctx, NETFEAT_ERR_RANGE, "source_open_push: link type %d", link_type);
    }
    code = nf_source_new(ctx, opts, &src);
    if (code < 0) {
        return code;
    }
    p = nf_alloc_zero(ctx, sizeof *p);
    code = p != NULL ? nf_interfaces_add(ctx, &src->interfaces, (uint16_t)link_type, 0) : nf_ctx_code(ctx);
    code = code < 0 ? code : nf_filter_prepare(ctx, &src->filter, (uint16_t)link_type);
    src->push = p;
    if (code < 0) {
        netfeat_source_unref(src);
        return code;
    }
    p->link_type = (uint16_t)link_type;
    p->drops = nf_option(opts, NETFEAT_OPT_SOURCE_QUEUE_DROP) != 0;
    p->queue.max_packets = nf_option(opts, NETFEAT_OPT_SOURCE_QUEUE_PACKETS);
    p->queue.max_bytes = (uint64_t)nf_option(opts, NETFEAT_OPT_SOURCE_QUEUE_BYTES);
    src->more = true;
    src->next = push_next_records;
    src->counts[NETFEAT_COUNT_INTERFACES] = 1;
    *ret = src;
    return NETFEAT_OK;
}

static int check_push(const netfeat_source *src, const char *call)
{
    if (src->push == NULL) {
        return nf_error(src->ctx, NETFEAT_ERR_STATE, "%s: not a push source", call);
    }
    if (!src->more) {
        return nf_error(src->ctx, NETFEAT_ERR_STATE, "%s: the source was ended", call);
    }
    return NETFEAT_OK;
}

/* 1 taken, 0 dropped, <0 not taken. */
static int push_packet(netfeat_source *src, int64_t time_ns, uint32_t wire_length, const void *data,
                       uint32_t captured_length)
{
    nf_push *p = src->push;
    int code;

    if (data == NULL && captured_length > 0) {
        return nf_error(src->ctx, NETFEAT_ERR_ARGUMENT, "source_push: data is NULL");
    }
    if (captured_length > src->max_packet_bytes) {
        return nf_error(src->ctx, NETFEAT_ERR_RANGE,
                        "source_push: %u captured bytes, more than the %u allowed", captured_length,
                        src->max_packet_bytes);
    }
    code = nf_queue_put(src->ctx, &p->queue, time_ns, wire_length, data, captured_length);
    if (code != 0) {
        return code;
    }
    if (!p->drops) {
        return nf_error(src->ctx, NETFEAT_ERR_LIMIT,
                        "the queue of the source is full: %lld packets, %llu bytes (source.queue_packets, "
                        "source.queue_bytes)",
                        (long long)p->queue.packets, (unsigned long long)p->queue.bytes);
    }
    src->counts[NETFEAT_COUNT_QUEUE_DROPPED]++;
    return 0;
}

int netfeat_source_push(netfeat_source *src, int64_t time_ns, uint32_t wire_length, const void *data,
                        uint32_t captured_length)
{
    int code;

    if (src == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    code = check_push(src, "source_push");
    return code < 0 ? code : push_packet(src, time_ns, wire_length, data, captured_length);
}

int64_t netfeat_source_push_batch(netfeat_source *src, const int64_t *times_ns, const uint32_t *wire_lengths,
                                  const void *const *data, const uint32_t *captured_lengths, size_t n)
{
    int code;

    if (src == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    code = check_push(src, "source_push_batch");
    if (code < 0) {
        return code;
    }
    if (n > 0 && (times_ns == NULL || wire_lengths == NULL || data == NULL || captured_lengths == NULL)) {
        return nf_error(src->ctx, NETFEAT_ERR_ARGUMENT, "source_push_batch: an array is NULL");
    }
    for (size_t i = 0; i < n; i++) {
        code = push_packet(src, times_ns[i], wire_lengths[i], data[i], captured_lengths[i]);
        if (code < 0) {
            return i > 0 ? (int64_t)i : code;
        }
    }
    return (int64_t)n;
}

int netfeat_source_push_end(netfeat_source *src)
{
    if (src == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (src->push == NULL) {
        return nf_error(src->ctx, NETFEAT_ERR_STATE, "source_push_end: not a push source");
    }
    src->more = false;
    return NETFEAT_OK;
}
