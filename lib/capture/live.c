/* live.c - packets from network devices, by libpcap. */
#include "base/options.h"
#include "capture/queue.h"

#include "config.h"

#if NF_HAVE_LIVE

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include <pcap/pcap.h>

#define WAIT_MS       50 /* how long an interrupt from another thread may go unnoticed */
#define DISPATCH      256
#define NS_PER_SECOND INT64_C(1000000000)

struct nf_live {
    pcap_t *pcap;
    nf_queue queue; /* what one look at the device brought */
    uint16_t link_type;
    uint32_t unit;   /* ns in a unit of its time stamps */
    int64_t wait_ns; /* 0: for ever */
    size_t charged;
    int failed; /* code of the packet that could not be kept, 0: none */
    netfeat_ctx *ctx;
    unsigned seen[3]; /* libpcap's counters when last looked at: 32 bits that wrap */
    int64_t counts[3];
};

/* ---- errors ---- */

static int map_status(netfeat_ctx *ctx, const char *device, int status, const char *detail)
{
    int code = NETFEAT_ERR_IO;

    switch (status) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
        code = NETFEAT_ERR_NOTFOUND;
        break;
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        code = NETFEAT_ERR_PERMISSION;
        break;
    case PCAP_ERROR_RFMON_NOTSUP:
    case PCAP_ERROR_CANTSET_TSTAMP_TYPE:
        code = NETFEAT_ERR_UNSUPPORTED;
        break;
    default:
        break;
    }
    if (status == PCAP_ERROR || detail[0] == '\0' || strcmp(detail, pcap_statustostr(status)) == 0) {
        return nf_error(ctx, code, "cannot capture from %s: %s", device,
                        detail[0] != '\0' ? detail : pcap_statustostr(status));
    }
    return nf_error(ctx, code, "cannot capture from %s: %s: %s", device, pcap_statustostr(status), detail);
}

/* ---- packets ---- */

static void take_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *data)
{
    nf_live *l = (nf_live *)user;
    int64_t time_ns = (int64_t)header->ts.tv_sec * NS_PER_SECOND + (int64_t)header->ts.tv_usec * l->unit;
    int code;

    if (l->failed != 0) {
        return;
    }
    code = nf_queue_put(l->ctx, &l->queue, time_ns, header->len, data, header->caplen);
    if (code < 0) {
        l->failed = code;
        pcap_breakloop(l->pcap);
    }
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

/* A packet may be there, or time has passed. */
static void wait_for_packet(const nf_live *l, int64_t left_ns)
{
    struct pollfd p = {pcap_get_selectable_fd(l->pcap), POLLIN, 0};
    int64_t ms = (left_ns + NS_PER_SECOND / 1000 - 1) / (NS_PER_SECOND / 1000);

    (void)poll(&p, p.fd >= 0 ? 1 : 0, ms < WAIT_MS ? (int)ms : WAIT_MS);
}

static int look(netfeat_source *src)
{
    nf_live *l = src->live;
    int n = pcap_dispatch(l->pcap, DISPATCH, take_packet, (u_char *)l);

    if (n < 0 && n != PCAP_ERROR_BREAK) {
        return nf_source_fail(src, NETFEAT_ERR_IO, src->queued_bytes, "the live capture failed: %s",
                              pcap_geterr(l->pcap));
    }
    return NETFEAT_OK;
}

static int live_next_records(netfeat_source *src, nf_record *recs, int max)
{
    nf_live *l = src->live;
    int64_t until = l->wait_ns > 0 ? now_ns() + l->wait_ns : INT64_MAX;

    for (;;) {
        int64_t left;
        int n = nf_queue_next(src, &l->queue, l->link_type, recs, max);

        if (n > 0) {
            return n;
        }
        if (l->failed != 0) { /* what came before that packet is delivered */
            return nf_source_fail(src, l->failed, src->queued_bytes, "no memory to keep a captured packet");
        }
        n = nf_source_checkpoint(src);
        n = n < 0 ? n : look(src);
        if (n < 0) {
            return n;
        }
        if (l->queue.packets > 0 || l->failed != 0) {
            continue;
        }
        left = l->wait_ns > 0 ? until - now_ns() : INT64_MAX / 2;
        if (left <= 0) {
            return 0;
        }
        if (!nf_interrupted(src->ctx)) {
            wait_for_packet(l, left);
        }
    }
}

int64_t nf_live_count(nf_live *l, int which)
{
    struct pcap_stat stat;
    int i = which - NETFEAT_COUNT_KERNEL_RECEIVED;

    if (pcap_stats(l->pcap, &stat) == 0) {
        const unsigned now[3] = {stat.ps_recv, stat.ps_drop, stat.ps_ifdrop};
        for (int k = 0; k < 3; k++) {
            l->counts[k] += now[k] - l->seen[k];
            l->seen[k] = now[k];
        }
    }
    return l->counts[i];
}

/* ---- opening ---- */

void nf_live_close(netfeat_ctx *ctx, nf_live *l)
{
    if (l != NULL) {
        if (l->pcap != NULL) {
            pcap_close(l->pcap);
        }
        nf_queue_close(ctx, &l->queue);
        nf_uncharge(ctx, l->charged);
        nf_free(ctx, l, sizeof *l);
    }
}

static int activate(netfeat_ctx *ctx, nf_live *l, const char *device, const netfeat_options *opts)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    size_t buffer = (size_t)nf_option(opts, NETFEAT_OPT_SOURCE_KERNEL_BUFFER_BYTES);
    int status = nf_charge(ctx, buffer);

    if (status < 0) {
        return status;
    }
    l->charged = buffer;
    l->pcap = pcap_create(device, why);
    if (l->pcap == NULL) {
        return map_status(ctx, device, PCAP_ERROR, why);
    }
    pcap_set_snaplen(l->pcap, (int)nf_option(opts, NETFEAT_OPT_SOURCE_SNAPLEN));
    pcap_set_promisc(l->pcap, (int)nf_option(opts, NETFEAT_OPT_SOURCE_PROMISCUOUS));
    pcap_set_immediate_mode(l->pcap, (int)nf_option(opts, NETFEAT_OPT_SOURCE_IMMEDIATE));
    pcap_set_timeout(l->pcap, (int)nf_option(opts, NETFEAT_OPT_SOURCE_KERNEL_TIMEOUT_MS));
    pcap_set_buffer_size(l->pcap, (int)buffer);
    (void)pcap_set_tstamp_precision(l->pcap, PCAP_TSTAMP_PRECISION_NANO); /* else it stays at microseconds */
    status = pcap_activate(l->pcap);
    if (status < 0) {
        return map_status(ctx, device, status, pcap_geterr(l->pcap));
    }
    if (status > 0) {
        nf_log(ctx, NETFEAT_LOG_WARN, "%s: %s", device, pcap_statustostr(status));
    }
    if (pcap_setnonblock(l->pcap, 1, why) != 0) {
        return map_status(ctx, device, PCAP_ERROR, why);
    }
    l->unit = pcap_get_tstamp_precision(l->pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
    l->link_type = nf_filter_link_type(pcap_datalink(l->pcap));
    return NETFEAT_OK;
}

/* The kernel filters; where it cannot, libpcap does. */
static int set_filter(netfeat_source *src, const char *device)
{
    nf_live *l = src->live;
    struct bpf_program program;
    int code = nf_filter_prepare(src->ctx, &src->filter, l->link_type);

    if (code < 0 || src->filter.text == NULL) {
        return code;
    }
    if (pcap_compile(l->pcap, &program, src->filter.text, 1, PCAP_NETMASK_UNKNOWN) != 0 &&
        pcap_compile(l->pcap, &program, src->filter.text, 0, PCAP_NETMASK_UNKNOWN) != 0) {
        return nf_error(src->ctx, NETFEAT_ERR_UNSUPPORTED, "the filter does not work on %s: %s", device,
                        pcap_geterr(l->pcap));
    }
    code = pcap_setfilter(l->pcap, &program) == 0
               ? NETFEAT_OK
               : nf_error(src->ctx, NETFEAT_ERR_IO, "cannot set the filter on %s: %s", device,
                          pcap_geterr(l->pcap));
    pcap_freecode(&program);
    nf_filter_close(src->ctx, &src->filter);
    return code;
}

static int open_live(netfeat_source *src, const char *device, const netfeat_options *opts)
{
    nf_live *l = nf_alloc_zero(src->ctx, sizeof *l);
    int code;

    if (l == NULL) {
        return nf_ctx_code(src->ctx);
    }
    src->live = l;
    l->ctx = src->ctx;
    l->queue.max_packets = INT64_MAX; /* bounded by what one look brings */
    l->queue.max_bytes = UINT64_MAX;
    l->wait_ns = nf_option(opts, NETFEAT_OPT_SOURCE_WAIT_MS) * (NS_PER_SECOND / 1000);
    code = activate(src->ctx, l, device, opts);
    code = code < 0 ? code : set_filter(src, device);
    code = code < 0 ? code
                    : nf_interfaces_add(src->ctx, &src->interfaces, l->link_type,
                                        (uint32_t)nf_option(opts, NETFEAT_OPT_SOURCE_SNAPLEN));
    code = code < 0 ? code : nf_text_set(src->ctx, &src->interfaces.list[0].name, device, strlen(device));
    src->more = true;
    src->next = live_next_records;
    src->counts[NETFEAT_COUNT_INTERFACES] = 1;
    return code;
}

#else

static int open_live(netfeat_source *src, const char *device, const netfeat_options *opts)
{
    (void)opts;
    return nf_error(src->ctx, NETFEAT_ERR_UNSUPPORTED,
                    "cannot capture from %s: this library was built without it", device);
}

void nf_live_close(netfeat_ctx *ctx, nf_live *l)
{
    (void)ctx;
    (void)l;
}

int64_t nf_live_count(nf_live *l, int which)
{
    (void)l;
    (void)which;
    return 0;
}

#endif

int netfeat_source_open_live(netfeat_ctx *ctx, const char *device, const netfeat_options *opts,
                             netfeat_source **ret)
{
    netfeat_source *src = NULL;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (device == NULL || device[0] == '\0' || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "source_open_live: %s",
                        ret == NULL ? "ret is NULL" : "no device is named");
    }
    code = nf_source_new(ctx, opts, &src);
    code = code < 0 ? code : open_live(src, device, opts);
    if (code < 0) {
        netfeat_source_unref(src);
        return code;
    }
    *ret = src;
    return NETFEAT_OK;
}
