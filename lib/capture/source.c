/* source.c - the public face of sources: opening, counting, filtering, one packet at a time or many. */
#include "capture/reader.h"

#include <assert.h>
#include <string.h>

#include "base/options.h"

#define CHECK_RECORDS 4096 /* between two looks at the interrupt flag */

/* ---- what the readers need ---- */

int64_t nf_source_bytes(const netfeat_source *src)
{
    if (src->many != NULL) {
        return nf_many_count(src->many, NETFEAT_COUNT_BYTES, src->counts);
    }
    return src->push != NULL || src->live != NULL ? src->queued_bytes : nf_window_position(&src->window);
}

int64_t nf_source_total(const netfeat_source *src)
{
    return src->many != NULL ? nf_many_total(src->many) : src->window.input.total;
}

int nf_source_checkpoint(netfeat_source *src)
{
    src->checked = nf_source_records(src);
    if (src->outer != NULL) {
        src = src->outer;
    }
    return nf_checkpoint(src->ctx, nf_source_records(src), nf_source_bytes(src), nf_source_total(src));
}

int nf_source_need(netfeat_source *src, size_t n)
{
    int code;

    do {
        code = nf_window_need(src->ctx, &src->window, n);
    } while (code == NETFEAT_ERR_CANCELLED && (code = nf_source_checkpoint(src)) == 0);
    if (code < 0) {
        return nf_error_locate(src->ctx, nf_source_records(src) + 1, nf_window_offset(&src->window));
    }
    return code;
}

/* ---- failures that stay ---- */

static void remember_failure(netfeat_source *src)
{
    netfeat_ctx *ctx = src->ctx;
    const char *message = netfeat_ctx_error_message(ctx);
    size_t n = strnlen(message, sizeof src->failure.message - 1);

    src->failure.code = nf_ctx_code(ctx);
    src->failure.error_number = netfeat_ctx_error_errno(ctx);
    src->failure.packet = netfeat_ctx_error_packet(ctx);
    src->failure.offset = netfeat_ctx_error_offset(ctx);
    memcpy(src->failure.message, message, n);
    src->failure.message[n] = '\0';
}

static int repeat_failure(netfeat_source *src)
{
    return nf_error_again(src->ctx, src->failure.code, src->failure.error_number, src->failure.packet,
                          src->failure.offset, src->failure.message);
}

/* ---- open and close ---- */

static void destroy(netfeat_source *src)
{
    netfeat_ctx *ctx = src->ctx;

    nf_pcapng_close(src);
    nf_interfaces_close(ctx, &src->interfaces);
    nf_notes_close(ctx, &src->notes);
    nf_filter_close(ctx, &src->filter);
    nf_window_close(ctx, &src->window);
    nf_push_close(ctx, src->push);
    nf_live_close(ctx, src->live);
    nf_many_close(ctx, src->many);
    nf_free(ctx, src, sizeof *src);
    netfeat_ctx_unref(ctx);
}

int nf_source_new(netfeat_ctx *ctx, const netfeat_options *opts, netfeat_source **ret)
{
    netfeat_source *src = nf_alloc_zero(ctx, sizeof *src);
    int code;

    if (src == NULL) {
        return nf_ctx_code(ctx);
    }
    nf_ref_init(&src->refs);
    src->ctx = netfeat_ctx_ref(ctx);
    src->file_index = (uint32_t)nf_option(opts, NETFEAT_OPT_SOURCE_FILE_INDEX);
    src->max_packet_bytes = (uint32_t)nf_option(opts, NETFEAT_OPT_SOURCE_MAX_PACKET_BYTES);
    src->unpack.max_window = (uint64_t)nf_option(opts, NETFEAT_OPT_SOURCE_MAX_WINDOW_BYTES);
    src->unpack.max_ratio = (uint64_t)nf_option(opts, NETFEAT_OPT_SOURCE_MAX_RATIO);
    src->unpack.chunk = (size_t)nf_option(opts, NETFEAT_OPT_SOURCE_BUFFER_BYTES);
    src->pcapng.max_interfaces = (uint32_t)nf_option(opts, NETFEAT_OPT_SOURCE_MAX_INTERFACES);
    src->notes.max = (size_t)nf_option(opts, NETFEAT_OPT_SOURCE_MAX_NOTES);
    src->last_time = INT64_MIN;
    src->window.input.total = -1;
    code = nf_filter_open(ctx, &src->filter, netfeat_options_get_text(opts, NETFEAT_OPT_SOURCE_FILTER),
                          nf_option(opts, NETFEAT_OPT_SOURCE_MAX_FILTER_BYTES));
    if (code < 0) {
        destroy(src);
        return code;
    }
    *ret = src;
    return NETFEAT_OK;
}

int nf_source_open(netfeat_ctx *ctx, nf_input *in, const netfeat_options *opts, netfeat_source **ret)
{
    netfeat_source *src = NULL;
    int code = nf_source_new(ctx, opts, &src);

    if (code < 0) {
        nf_input_close(ctx, in);
        return code;
    }
    code = nf_window_open(ctx, &src->window, in, src->unpack.chunk);
    code = code < 0 ? code : nf_format_open(src);
    if (code < 0) {
        destroy(src);
        return code;
    }
    *ret = src;
    return NETFEAT_OK;
}

int netfeat_source_open_file(netfeat_ctx *ctx, const char *path, const netfeat_options *opts,
                             netfeat_source **ret)
{
    nf_input in;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (path == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "source_open_file: %s is NULL",
                        path == NULL ? "path" : "ret");
    }
    code = nf_input_open_file(ctx, path, &in);
    return code < 0 ? code : nf_source_open(ctx, &in, opts, ret);
}

int netfeat_source_open_fd(netfeat_ctx *ctx, int fd, const netfeat_options *opts, netfeat_source **ret)
{
    nf_input in;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (fd < 0 || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "source_open_fd: %s",
                        fd < 0 ? "fd is negative" : "ret is NULL");
    }
    code = nf_input_open_fd(ctx, fd, &in);
    return code < 0 ? code : nf_source_open(ctx, &in, opts, ret);
}

int netfeat_source_open_memory(netfeat_ctx *ctx, const void *data, size_t size, const netfeat_options *opts,
                               netfeat_source **ret)
{
    nf_input in;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if ((data == NULL && size > 0) || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "source_open_memory: %s is NULL",
                        ret == NULL ? "ret" : "data");
    }
    if (size > PTRDIFF_MAX) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "source_open_memory: no memory has %zu bytes", size);
    }
    in = nf_input_memory(data, size);
    return nf_source_open(ctx, &in, opts, ret);
}

netfeat_source *netfeat_source_ref(netfeat_source *src)
{
    if (src != NULL) {
        nf_ref_get(&src->refs);
    }
    return src;
}

netfeat_source *netfeat_source_unref(netfeat_source *src)
{
    if (src != NULL && nf_ref_put(&src->refs)) {
        destroy(src);
    }
    return NULL;
}

/* ---- records ---- */

static void count(netfeat_source *src, int records, int delivered, int64_t snapped, int64_t backwards)
{
    src->counts[NETFEAT_COUNT_RECORDS] += records;
    src->counts[NETFEAT_COUNT_DELIVERED] += delivered;
    src->counts[NETFEAT_COUNT_FILTERED] += records - delivered;
    src->counts[NETFEAT_COUNT_SNAPPED] += snapped;
    src->counts[NETFEAT_COUNT_TIME_BACKWARDS] += backwards;
}

/* Of n records, move those that match to the front: how many. When the filter cannot tell, the records from
   there on are as if they had never been read, and the failure is kept for the next call. */
static int sift(netfeat_source *src, nf_record *recs, int n)
{
    int64_t snapped = 0;
    int64_t backwards = 0;
    int kept = 0;
    int i = 0;

    for (; i < n; i++) {
        int match = nf_filter_match(src->ctx, &src->filter, &recs[i]);

        if (match < 0) {
            src->window.at = recs[i].data; /* a batch lies in one window */
            nf_error_locate(src->ctx, (int64_t)recs[i].number, nf_window_offset(&src->window));
            remember_failure(src);
            netfeat_ctx_error_clear(src->ctx);
            break;
        }
        backwards += (recs[i].flags & NF_RECORD_TIME_BACKWARDS) != 0;
        if (match > 0) {
            snapped += recs[i].captured_length < recs[i].wire_length;
            recs[kept++] = recs[i];
        }
    }
    count(src, i, kept, snapped, backwards);
    return kept;
}

/* Records that were given back: counted already. */
static int deliver_unread(netfeat_source *src, nf_record *recs, int max)
{
    int n = src->unread_end - src->unread_at;

    n = n < max ? n : max;
    memcpy(recs, src->unread + src->unread_at, (size_t)n * sizeof *recs);
    src->unread_at += n;
    return n;
}

static int next_records(netfeat_source *src, nf_record *recs, int max)
{
    assert(max >= 1 && max <= NF_BATCH);
    if (src->unread_at < src->unread_end) {
        return deliver_unread(src, recs, max);
    }
    for (;;) {
        int n;

        if (src->failure.code != 0) {
            return repeat_failure(src);
        }
        if (src->ended) {
            return 0;
        }
        if (nf_source_records(src) - src->checked >= CHECK_RECORDS) {
            n = nf_source_checkpoint(src);
            if (n < 0) {
                return n;
            }
        }
        n = src->next(src, recs, max);
        if (n == 0) {
            src->ended = !src->more;
            return 0;
        }
        if (n < 0) {
            if (n != NETFEAT_ERR_CANCELLED) {
                remember_failure(src);
            }
            return n;
        }
        if (src->filter.text == NULL) {
            count(src, n, n, src->batch_snapped, src->batch_backwards);
            return n;
        }
        n = sift(src, recs, n);
        if (n > 0) {
            return n;
        }
    }
}

int nf_source_next(netfeat_source *src, nf_record *ret_records, int max)
{
    src->has_current = false;
    return next_records(src, ret_records, max);
}

void nf_source_unread(netfeat_source *src, const nf_record *records, int n)
{
    /* what a batch did not take of an earlier one that was given back is still behind it */
    int left = src->unread_end - src->unread_at;

    assert(n > 0 && n + left <= NF_BATCH);
    memmove(src->unread + n, src->unread + src->unread_at, (size_t)left * sizeof *records);
    memcpy(src->unread, records, (size_t)n * sizeof *records);
    src->unread_at = 0;
    src->unread_end = n + left;
}

netfeat_ctx *nf_source_ctx(const netfeat_source *src)
{
    return src->ctx;
}

int64_t nf_source_estimate(const netfeat_source *src)
{
    const nf_window *w = &src->window;
    double delivered = (double)src->counts[NETFEAT_COUNT_DELIVERED];
    int64_t done = nf_source_bytes(src);
    int64_t total = nf_source_total(src);
    double estimate;

    if (total < 0 || done <= 0 || nf_source_records(src) == 0) {
        return -1;
    }
    if (src->ended) {
        return 0;
    }
    estimate = total > done ? (double)(total - done) * delivered / (double)done : 0;
    if (w->input.position != NULL) { /* decompressed, but not looked at yet */
        estimate += (double)nf_window_left(w) * delivered / (double)nf_window_offset(w);
    }
    return estimate < 9e18 ? (int64_t)estimate : INT64_MAX;
}

int netfeat_source_step(netfeat_source *src)
{
    int n;

    if (src == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    src->has_current = false;
    n = next_records(src, &src->current, 1);
    src->has_current = n > 0;
    return n;
}

int netfeat_source_ended(const netfeat_source *src)
{
    return src != NULL ? src->ended : NETFEAT_ERR_ARGUMENT;
}

/* ---- the current packet ---- */

static const nf_record *current(const netfeat_source *src)
{
    return src != NULL && src->has_current ? &src->current : NULL;
}

int64_t netfeat_source_packet_number(const netfeat_source *src)
{
    const nf_record *r = current(src);
    return r != NULL ? (int64_t)r->number : 0;
}

int netfeat_source_packet_time(const netfeat_source *src, int64_t *ret_ns)
{
    const nf_record *r = current(src);

    if (src == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret_ns == NULL) {
        return nf_error(src->ctx, NETFEAT_ERR_ARGUMENT, "source_packet_time: ret is NULL");
    }
    if (r == NULL) {
        return nf_error(src->ctx, NETFEAT_ERR_STATE, "source_packet_time: there is no current packet");
    }
    if (r->flags & NF_RECORD_NO_TIME) {
        return 0;
    }
    *ret_ns = r->time_ns;
    return 1;
}

uint32_t netfeat_source_packet_wire_length(const netfeat_source *src)
{
    const nf_record *r = current(src);
    return r != NULL ? r->wire_length : 0;
}

const void *netfeat_source_packet_data(const netfeat_source *src, uint32_t *ret_captured_length)
{
    const nf_record *r = current(src);

    if (ret_captured_length != NULL) {
        *ret_captured_length = r != NULL ? r->captured_length : 0;
    }
    return r != NULL ? r->data : NULL;
}

int netfeat_source_packet_link_type(const netfeat_source *src)
{
    const nf_record *r = current(src);
    return r != NULL ? r->link_type : 0;
}

uint32_t netfeat_source_packet_interface(const netfeat_source *src)
{
    const nf_record *r = current(src);
    return r != NULL ? r->interface_id : 0;
}

uint32_t netfeat_source_packet_file(const netfeat_source *src)
{
    const nf_record *r = current(src);
    return r != NULL ? r->file_index : 0;
}

/* ---- counters ---- */

int64_t netfeat_source_count(const netfeat_source *src, int which)
{
    if (src == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (which == NETFEAT_COUNT_BYTES) {
        return nf_source_bytes(src);
    }
    if (netfeat_source_count_name(which) == NULL) {
        return nf_error(src->ctx, NETFEAT_ERR_NOTFOUND, "no counter has the number %d", which);
    }
    if (src->many != NULL) {
        return nf_many_count(src->many, which, src->counts);
    }
    if (src->live != NULL && which >= NETFEAT_COUNT_KERNEL_RECEIVED &&
        which <= NETFEAT_COUNT_INTERFACE_DROPPED) {
        return nf_live_count(src->live, which);
    }
    return src->counts[which];
}

const char *netfeat_source_count_name(int which)
{
    static const char *const names[] = {
        [NETFEAT_COUNT_RECORDS] = "records",
        [NETFEAT_COUNT_DELIVERED] = "delivered",
        [NETFEAT_COUNT_FILTERED] = "filtered",
        [NETFEAT_COUNT_BYTES] = "bytes",
        [NETFEAT_COUNT_OTHER_BLOCKS] = "other_blocks",
        [NETFEAT_COUNT_SECTIONS] = "sections",
        [NETFEAT_COUNT_INTERFACES] = "interfaces",
        [NETFEAT_COUNT_SNAPPED] = "snapped",
        [NETFEAT_COUNT_TIME_BACKWARDS] = "time_backwards",
        [NETFEAT_COUNT_KERNEL_RECEIVED] = "kernel_received",
        [NETFEAT_COUNT_KERNEL_DROPPED] = "kernel_dropped",
        [NETFEAT_COUNT_INTERFACE_DROPPED] = "interface_dropped",
        [NETFEAT_COUNT_QUEUE_DROPPED] = "queue_dropped",
        [NETFEAT_COUNT_NOTES_DROPPED] = "notes_dropped",
    };
    return which > 0 && which < (int)(sizeof names / sizeof names[0]) ? names[which] : NULL;
}
