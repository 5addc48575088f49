/* pcap.c - classic pcap files, draft-ietf-opsawg-pcap. */
#include "capture/reader.h"

#define FILE_HEADER     24
#define RECORD_HEADER   16
#define MODIFIED_HEADER 24 /* a1b2cd34: interface index, protocol and packet type follow */
#define NS_PER_SECOND   INT64_C(1000000000)

typedef struct {
    uint32_t captured, wire;
} lengths;

static inline lengths load_lengths(const nf_pcap *f, const uint8_t *p, bool big, bool plain)
{
    /* One load for both: every record waits for this one, and a vector register, which compilers like to copy
       two neighbours through, makes it wait twice as long. */
    uint64_t both = nf_load64(p + 8, big);
    lengths n = {(uint32_t)(big ? both >> 32 : both), (uint32_t)(big ? both : both >> 32)};

    if (!plain && (f->always_swapped || (f->maybe_swapped && n.captured > n.wire))) {
        lengths swapped = {n.wire, n.captured};
        return swapped;
    }
    return n;
}

/* The records that are complete in the window. `big` and `plain` (16-byte headers, lengths in order) are
   constants in every copy of this loop. */
NF_COPIED int fill(netfeat_source *src, nf_record *recs, int max, const bool big, const bool plain)
{
    const nf_pcap *f = &src->pcap;
    const uint8_t *p = src->window.at;
    const uint8_t *end = src->window.end;
    const size_t header = plain ? RECORD_HEADER : f->header;
    const uint32_t max_packet = src->max_packet_bytes;
    const int64_t unit = f->unit;
    const uint16_t link_type = f->link_type;
    const uint32_t file_index = src->file_index;
    uint64_t number = (uint64_t)nf_source_records(src);
    int64_t last = src->last_time;
    int64_t snapped = 0;
    int64_t backwards = 0;
    int n = 0;

    while (n < max && (size_t)(end - p) >= header) {
        nf_record *r = &recs[n];
        lengths len = load_lengths(f, p, big, plain);
        int64_t time;

        if (len.captured > max_packet || len.captured > (size_t)(end - p) - header) {
            break;
        }
        time = (int64_t)nf_load32(p, big) * NS_PER_SECOND + (int64_t)nf_load32(p + 4, big) * unit;
        r->data = p + header;
        r->number = ++number;
        r->time_ns = time;
        r->captured_length = len.captured;
        r->wire_length = len.wire;
        r->interface_id = 0;
        r->file_index = file_index;
        r->link_type = link_type;
        r->flags = time < last ? NF_RECORD_TIME_BACKWARDS : 0;
        backwards += time < last;
        snapped += len.captured < len.wire;
        last = time;
        p += header + len.captured;
        n++;
    }
    src->window.at = p;
    src->last_time = last;
    src->batch_snapped = snapped;
    src->batch_backwards = backwards;
    return n;
}

static int fill_any(netfeat_source *src, nf_record *recs, int max)
{
    const nf_pcap *f = &src->pcap;
    bool plain = f->header == RECORD_HEADER && !f->always_swapped && !f->maybe_swapped;

    if (plain) {
        return f->big ? fill(src, recs, max, true, true) : fill(src, recs, max, false, true);
    }
    return f->big ? fill(src, recs, max, true, false) : fill(src, recs, max, false, false);
}

/* Get the next record into the window: 1, 0 = there is none, <0. */
static int fetch(netfeat_source *src)
{
    const nf_pcap *f = &src->pcap;
    int64_t start = nf_window_offset(&src->window);
    lengths len;
    int code = nf_source_need(src, f->header);

    if (code <= 0) {
        return code < 0 || nf_window_left(&src->window) == 0 ? code : nf_source_cut(src, start);
    }
    len = load_lengths(f, src->window.at, f->big, false);
    if (len.captured > src->max_packet_bytes) {
        return nf_source_fail(src, NETFEAT_ERR_FORMAT, start,
                              "packet %lld claims %u captured bytes, more than the %u allowed",
                              (long long)(nf_source_records(src) + 1), len.captured, src->max_packet_bytes);
    }
    code = nf_source_need(src, (size_t)f->header + len.captured);
    return code != 0 ? code : nf_source_cut(src, start);
}

static int pcap_next_records(netfeat_source *src, nf_record *recs, int max)
{
    for (;;) {
        int code;
        int n = fill_any(src, recs, max);

        if (n > 0) {
            return n;
        }
        code = fetch(src);
        if (code <= 0) {
            return code;
        }
    }
}

int nf_pcap_open(netfeat_source *src, uint32_t magic, bool big)
{
    nf_pcap *f = &src->pcap;
    unsigned major;
    unsigned minor;
    const uint8_t *p;
    int code = nf_source_need(src, FILE_HEADER);

    if (code <= 0) {
        return code < 0 ? code
                        : nf_error_at(src->ctx, NETFEAT_ERR_TRUNCATED, -1, 0,
                                      "the capture ends in the middle of its pcap file header");
    }
    p = src->window.at;
    major = nf_load16(p + 4, big);
    minor = nf_load16(p + 6, big);
    if (major != 2 && !(major == 543 && minor == 0)) {
        return nf_error_at(src->ctx, NETFEAT_ERR_UNSUPPORTED, -1, 4, "pcap version %u.%u is not supported",
                           major, minor);
    }
    f->big = big;
    f->header = magic == 0xa1b2cd34 ? MODIFIED_HEADER : RECORD_HEADER;
    f->unit = magic == 0xa1b23c4d ? 1 : 1000;
    f->link_type = (uint16_t)nf_load32(p + 20, big); /* the upper half tells of frame check sequences */
    /* The lengths changed places with version 2.3, not in every writer at once; DG/UX (543.0) never did. */
    f->always_swapped = major == 543 || minor < 3;
    f->maybe_swapped = major == 2 && minor == 3;
    src->window.at += FILE_HEADER;
    src->counts[NETFEAT_COUNT_SECTIONS] = 1;
    src->counts[NETFEAT_COUNT_INTERFACES] = 1;
    src->next = pcap_next_records;
    code = nf_interfaces_add(src->ctx, &src->interfaces, f->link_type, nf_load32(p + 16, big));
    return code < 0 ? code : nf_filter_prepare(src->ctx, &src->filter, f->link_type);
}
