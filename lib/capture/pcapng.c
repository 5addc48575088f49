/* pcapng.c - pcapng files, draft-ietf-opsawg-pcapng. */
#include "capture/reader.h"

#include <string.h>

#include "base/wide.h"

#define BLOCK_SECTION   0x0a0d0d0aU
#define BLOCK_INTERFACE 1U
#define BLOCK_PACKET    2U /* obsolete */
#define BLOCK_SIMPLE    3U
#define BLOCK_NAMES     4U
#define BLOCK_STATS     5U
#define BLOCK_ENHANCED  6U

#define SECTION_BYTES   28U /* of the smallest block of each kind */
#define INTERFACE_BYTES 20U
#define PACKET_BYTES    32U
#define SIMPLE_BYTES    16U
#define BLOCK_BYTES     12U
#define HEAD_BYTES      8U /* type and length in front of every block */
#define TAIL_BYTES      4U /* length again behind it */

#define OPTION_END      0U
#define OPTION_TSRESOL  9U
#define OPTION_TSOFFSET 14U
#define MAX_OPTIONS     ((uint32_t)16 << 20) /* bytes of a block beside packet data; as other readers have it */
#define MAX_NOTES       ((uint32_t)1 << 20) /* bytes of a block of names or statistics that is looked into */
#define QUIET_BLOCKS    4096U

#define NS_PER_SECOND 1000000000

enum { AT_END = 0, GOT_RECORD = 1, GO_ON = 2 }; /* what a block was */

/* A length that is not a multiple of 4 is padded to one: some writers forgot to say so. */
static inline uint64_t padded(uint32_t length)
{
    return ((uint64_t)length + 3) & ~UINT64_C(3);
}

/* ---- time ---- */

static uint64_t power_of_10(unsigned exponent)
{
    uint64_t p = 1;

    while (exponent-- > 0) {
        p *= 10;
    }
    return p;
}

/* Exact, then rounded down to the ns; false when it does not fit int64. */
static bool to_ns(const nf_interface *in, uint64_t units, int64_t *ret)
{
    unsigned exponent = in->resolution & 0x7f;
    nf_u128 ns;
    nf_i128 sum;

    if (in->resolution & 0x80) {
        ns = nf_u128_right(nf_u128_product(units, NS_PER_SECOND), exponent);
    } else if (exponent <= 9) {
        ns = nf_u128_product(units, power_of_10(9 - exponent));
    } else {
        /* 10^20 is more than any count of units */
        ns = nf_u128_of(exponent <= 28 ? units / power_of_10(exponent - 9) : 0);
    }
    sum = nf_i128_add(nf_i128_of_bits(ns), nf_i128_product(in->offset_s, NS_PER_SECOND));
    if (!nf_i128_fits_i64(sum)) {
        return false;
    }
    *ret = (int64_t)nf_i128_low(sum);
    return true;
}

/* The short way from units to ns, where there is one. */
static void set_multiplier(nf_interface *in)
{
    int64_t offset = 0;

    in->multiplier = 0;
    if (in->resolution <= 9 && !__builtin_mul_overflow(in->offset_s, NS_PER_SECOND, &offset)) {
        in->multiplier = power_of_10(9U - in->resolution);
        in->offset_ns = offset;
        in->limit = (uint64_t)(INT64_MAX - (offset > 0 ? offset : 0)) / in->multiplier;
    }
}

static inline bool convert(const nf_interface *in, uint64_t units, int64_t *ret)
{
    if (in->multiplier != 0 && units <= in->limit) {
        *ret = (int64_t)(units * in->multiplier) + in->offset_ns;
        return true;
    }
    return to_ns(in, units, ret);
}

/* ---- enhanced packet blocks that are complete in the window, the bulk of every file ---- */

NF_COPIED int fill(netfeat_source *src, nf_record *recs, int max, const bool big)
{
    const nf_pcapng *f = &src->pcapng;
    const nf_interface *list = f->list;
    const size_t count = f->count;
    const uint8_t *p = src->window.at;
    const uint8_t *end = src->window.end;
    const uint32_t base = f->base;
    const uint32_t max_packet = src->max_packet_bytes;
    const uint32_t file_index = src->file_index;
    uint64_t number = (uint64_t)nf_source_records(src);
    int64_t last = src->last_time;
    int64_t snapped = 0;
    int64_t backwards = 0;
    int n = 0;

    while (n < max && (size_t)(end - p) >= PACKET_BYTES && nf_load32(p, big) == BLOCK_ENHANCED) {
        nf_record *r = &recs[n];
        uint32_t length = nf_load32(p + 4, big);
        uint32_t in = nf_load32(p + 8, big);
        uint64_t both = nf_load64(p + 20, big); /* one load, as in pcap.c */
        uint32_t captured = (uint32_t)(big ? both >> 32 : both);
        uint32_t wire = (uint32_t)(big ? both : both >> 32);
        int64_t time = 0;

        if (length > (size_t)(end - p) || length < PACKET_BYTES || length % 4 != 0 || in >= count ||
            captured > length - PACKET_BYTES || captured > max_packet || length - captured > MAX_OPTIONS ||
            nf_load32(p + length - TAIL_BYTES, big) != length) {
            break;
        }
        if (convert(&list[in], (uint64_t)nf_load32(p + 12, big) << 32 | nf_load32(p + 16, big), &time)) {
            r->flags = time < last ? NF_RECORD_TIME_BACKWARDS : 0;
            backwards += time < last;
            last = time;
        } else {
            r->flags = NF_RECORD_NO_TIME;
        }
        r->data = p + 28;
        r->number = ++number;
        r->time_ns = time;
        r->captured_length = captured;
        r->wire_length = wire;
        r->interface_id = base + in;
        r->file_index = file_index;
        r->link_type = list[in].link_type;
        snapped += captured < wire;
        p += length;
        n++;
    }
    src->window.at = p;
    src->last_time = last;
    src->batch_snapped = snapped;
    src->batch_backwards = backwards;
    return n;
}

/* ---- one block of any kind, with a reason when it is not right ---- */

static int bad(netfeat_source *src, const char *what, uint32_t value)
{
    return nf_source_fail(src, NETFEAT_ERR_FORMAT, nf_window_offset(&src->window), "pcapng: %s (%u)", what,
                          value);
}

/* nf_source_need() inside the block at the window's start, which the input must not end in. */
static int need(netfeat_source *src, size_t n)
{
    int code = nf_source_need(src, n);
    return code != 0 ? code : nf_source_cut(src, nf_window_offset(&src->window));
}

/* Is the length behind the block the one in front of it? Either may have been rounded up by the writer. */
static bool tail_agrees(const uint8_t *tail, uint32_t length, bool big)
{
    uint32_t again = nf_load32(tail, big);
    return again == length || again == padded(length);
}

/* Pass over the rest of the block at the window's start, in this call and, when interrupted, the next ones.
 */
static int begin_skip(netfeat_source *src, uint32_t length)
{
    nf_pcapng *f = &src->pcapng;

    f->skip = padded(length) - TAIL_BYTES;
    f->skip_length = length;
    f->skip_start = nf_window_offset(&src->window);
    f->skipping = true;
    return GO_ON;
}

static int end_skip(netfeat_source *src)
{
    nf_pcapng *f = &src->pcapng;
    int code;

    do {
        code = nf_window_skip(src->ctx, &src->window, &f->skip);
        if (code > 0) {
            code = nf_window_need(src->ctx, &src->window, TAIL_BYTES);
        }
    } while (code == NETFEAT_ERR_CANCELLED && (code = nf_source_checkpoint(src)) == 0);
    if (code == 0) {
        return nf_source_cut(src, f->skip_start);
    }
    if (code < 0) {
        return nf_error_locate(src->ctx, nf_source_records(src) + 1, f->skip_start);
    }
    if (!tail_agrees(src->window.at, f->skip_length, f->big)) {
        return nf_source_fail(src, NETFEAT_ERR_FORMAT, f->skip_start,
                              "pcapng: the lengths before and behind a block differ (%u, %u)", f->skip_length,
                              nf_load32(src->window.at, f->big));
    }
    src->window.at += TAIL_BYTES;
    f->skipping = false;
    return GO_ON;
}

/* Section header: a new byte order, and interfaces are counted from 0 again. */
static int take_section(netfeat_source *src)
{
    nf_pcapng *f = &src->pcapng;
    const uint8_t *p;
    uint32_t order;
    uint32_t length;
    bool big;
    int code = need(src, 24);

    if (code < 0) {
        return code;
    }
    p = src->window.at;
    order = nf_load_le32(p + 8);
    if (order != 0x1a2b3c4d && order != 0x4d3c2b1a) {
        return bad(src, "the byte-order magic of a section is wrong", order);
    }
    big = order == 0x4d3c2b1a;
    length = nf_load32(p + 4, big);
    if (length < SECTION_BYTES) {
        return bad(src, "a section header block is too short", length);
    }
    /* 1.2 was written by mistake for what 1.0 says */
    if (nf_load16(p + 12, big) != 1 || (nf_load16(p + 14, big) != 0 && nf_load16(p + 14, big) != 2)) {
        return nf_source_fail(src, NETFEAT_ERR_UNSUPPORTED, nf_window_offset(&src->window),
                              "pcapng version %u.%u is not supported", nf_load16(p + 12, big),
                              nf_load16(p + 14, big));
    }
    if (src->notes.max > 0 && length <= MAX_OPTIONS) {
        code = need(src, (size_t)padded(length));
        code = code < 0 ? code
                        : nf_pcapng_section_notes(
                              src, nf_cursor_make(src->window.at + 24, length - SECTION_BYTES), big);
        if (code < 0) {
            return code;
        }
    }
    f->big = big;
    f->base += (uint32_t)f->count;
    f->count = 0;
    src->counts[NETFEAT_COUNT_SECTIONS]++;
    return begin_skip(src, length);
}

/* The options of an interface that say how to read its time stamps; NULL is none, else what is wrong with
 * them. */
static const char *read_options(nf_interface *in, nf_cursor c, bool big)
{
    while (nf_cursor_left(&c) >= 4) {
        const uint8_t *head = nf_cursor_take(&c, 4);
        unsigned kind = nf_load16(head, big);
        unsigned length = nf_load16(head + 2, big);
        const uint8_t *value;

        if (kind == OPTION_END) {
            return NULL;
        }
        value = nf_cursor_take(&c, length);
        if (value == NULL) {
            return "an interface option reaches past its block";
        }
        if ((kind == OPTION_TSRESOL && length != 1) || (kind == OPTION_TSOFFSET && length != 8)) {
            return "an interface option about time stamps has the wrong length";
        }
        if (kind == OPTION_TSRESOL) {
            in->resolution = value[0];
        } else if (kind == OPTION_TSOFFSET) {
            in->offset_s = (int64_t)nf_load64(value, big);
        }
        if (nf_cursor_left(&c) >= (0U - length) % 4) {
            (void)nf_cursor_take(&c, (0U - length) % 4);
        }
    }
    return NULL;
}

static int take_interface(netfeat_source *src, uint32_t length)
{
    nf_pcapng *f = &src->pcapng;
    nf_interface in = {0};
    void *list = f->list;
    const uint8_t *p;
    const char *wrong;
    int code;

    if (length < INTERFACE_BYTES || length > MAX_OPTIONS) {
        return bad(src, "an interface description block has an impossible length", length);
    }
    code = need(src, (size_t)padded(length));
    if (code < 0) {
        return code;
    }
    p = src->window.at;
    if (!tail_agrees(p + padded(length) - TAIL_BYTES, length, f->big)) {
        return bad(src, "the lengths before and behind an interface description block differ", length);
    }
    if (f->base + f->count >= f->max_interfaces) {
        return nf_source_fail(src, NETFEAT_ERR_LIMIT, nf_window_offset(&src->window),
                              "more than %u interfaces", f->max_interfaces);
    }
    in.link_type = nf_load16(p + 8, f->big);
    in.snaplen = nf_load32(p + 12, f->big);
    in.resolution = 6;
    wrong = read_options(&in, nf_cursor_make(p + 16, length - INTERFACE_BYTES), f->big);
    if (wrong != NULL) {
        return bad(src, wrong, length);
    }
    set_multiplier(&in);
    code = nf_grow(src->ctx, &list, &f->cap, f->count + 1, sizeof *f->list);
    f->list = list;
    if (code < 0) {
        return nf_error_locate(src->ctx, nf_source_records(src) + 1, nf_window_offset(&src->window));
    }
    code = nf_interfaces_add(src->ctx, &src->interfaces, in.link_type, in.snaplen);
    code = code < 0 ? code
                    : nf_pcapng_interface_notes(
                          src, nf_cursor_make(src->window.at + 16, length - INTERFACE_BYTES), f->big);
    if (code < 0) {
        return nf_error_locate(src->ctx, nf_source_records(src) + 1, nf_window_offset(&src->window));
    }
    f->list[f->count++] = in;
    src->counts[NETFEAT_COUNT_INTERFACES]++;
    src->window.at += padded(length);
    return GO_ON;
}

/* What the three kinds of packet blocks say in their own ways. */
typedef struct {
    uint32_t in, captured, wire;
    uint32_t data; /* offset in the block */
    bool has_time;
    uint64_t units;
} packet_head;

static packet_head read_head(const nf_pcapng *f, const uint8_t *p, uint32_t type, uint32_t length)
{
    packet_head h = {0};

    if (type == BLOCK_SIMPLE) {
        h.data = 12;
        h.wire = nf_load32(p + 8, f->big);
        h.captured = (uint32_t)padded(length) - SIMPLE_BYTES;
        if (h.captured > h.wire) {
            h.captured = h.wire;
        }
        if (f->count > 0 && f->list[0].snaplen != 0 && h.captured > f->list[0].snaplen) {
            h.captured = f->list[0].snaplen;
        }
        return h;
    }
    h.data = 28;
    h.in = type == BLOCK_PACKET ? nf_load16(p + 8, f->big) : nf_load32(p + 8, f->big);
    h.has_time = true;
    h.units = (uint64_t)nf_load32(p + 12, f->big) << 32 | nf_load32(p + 16, f->big);
    h.captured = nf_load32(p + 20, f->big);
    h.wire = nf_load32(p + 24, f->big);
    return h;
}

static void store(netfeat_source *src, const packet_head *h, nf_record *r)
{
    const nf_pcapng *f = &src->pcapng;

    memset(r, 0, sizeof *r);
    r->flags = NF_RECORD_NO_TIME;
    if (h->has_time && convert(&f->list[h->in], h->units, &r->time_ns)) {
        r->flags = r->time_ns < src->last_time ? NF_RECORD_TIME_BACKWARDS : 0;
        src->last_time = r->time_ns;
    }
    r->data = src->window.at + h->data;
    r->number = (uint64_t)nf_source_records(src) + 1;
    r->captured_length = h->captured;
    r->wire_length = h->wire;
    r->interface_id = f->base + h->in;
    r->file_index = src->file_index;
    r->link_type = f->list[h->in].link_type;
    src->batch_snapped = r->captured_length < r->wire_length;
    src->batch_backwards = (r->flags & NF_RECORD_TIME_BACKWARDS) != 0;
}

static int take_packet(netfeat_source *src, uint32_t type, uint32_t length, nf_record *rec)
{
    const nf_pcapng *f = &src->pcapng;
    uint32_t least = type == BLOCK_SIMPLE ? SIMPLE_BYTES : PACKET_BYTES;
    packet_head h;
    int code;

    if (length < least) {
        return bad(src, "a packet block is too short", length);
    }
    code = need(src, least - TAIL_BYTES);
    if (code < 0) {
        return code;
    }
    h = read_head(f, src->window.at, type, length);
    if (h.in >= f->count) {
        return bad(src, "a packet block names an interface that was not described", h.in);
    }
    if (h.captured > src->max_packet_bytes) {
        return bad(src, "a packet claims more captured bytes than allowed", h.captured);
    }
    if (h.captured > padded(length) - least) {
        return bad(src, "the captured length does not fit the packet block", h.captured);
    }
    if (padded(length) - h.captured > MAX_OPTIONS) {
        return bad(src, "a packet block is too long for its packet", length);
    }
    code = need(src, (size_t)padded(length));
    if (code < 0) {
        return code;
    }
    if (!tail_agrees(src->window.at + padded(length) - TAIL_BYTES, length, f->big)) {
        return bad(src, "the lengths before and behind a packet block differ", length);
    }
    store(src, &h, rec);
    if (src->notes.max > 0 && type != BLOCK_SIMPLE) {
        size_t options = h.data + (size_t)padded(h.captured);
        size_t tail = length - TAIL_BYTES;

        code = options < tail
                   ? nf_pcapng_packet_notes(src, nf_cursor_make(src->window.at + options, tail - options),
                                            f->big, rec)
                   : NETFEAT_OK;
        if (code < 0) {
            return code;
        }
    }
    src->window.at += padded(length);
    return GOT_RECORD;
}

/* Read what is wanted of a block that holds no packet; it is passed over then. */
static int take_notes(netfeat_source *src, uint32_t type, uint32_t length)
{
    bool wanted = type == BLOCK_STATS || (type == BLOCK_NAMES && src->notes.max > 0);
    bool big = src->pcapng.big;
    nf_cursor c;
    int code;

    if (!wanted || length > MAX_NOTES) {
        return NETFEAT_OK;
    }
    code = need(src, (size_t)padded(length));
    if (code < 0) {
        return code;
    }
    c = nf_cursor_make(src->window.at + HEAD_BYTES, length - BLOCK_BYTES);
    if (type == BLOCK_NAMES) {
        return nf_pcapng_names(src, c, big);
    }
    nf_pcapng_statistics(src, c, big);
    return NETFEAT_OK;
}

static int take_block(netfeat_source *src, nf_record *rec)
{
    nf_pcapng *f = &src->pcapng;
    uint32_t type;
    uint32_t length;
    int code;

    if (f->skipping) {
        return end_skip(src);
    }
    code = nf_source_need(src, HEAD_BYTES);
    if (code <= 0) {
        return code < 0 || nf_window_left(&src->window) == 0
                   ? code
                   : nf_source_cut(src, nf_window_offset(&src->window));
    }
    type = nf_load32(src->window.at, f->big);
    length = nf_load32(src->window.at + 4, f->big);
    if (type == BLOCK_SECTION) {
        return take_section(src);
    }
    if (length < BLOCK_BYTES) {
        return bad(src, "a block is too short", length);
    }
    switch (type) {
    case BLOCK_ENHANCED:
    case BLOCK_PACKET:
    case BLOCK_SIMPLE:
        return take_packet(src, type, length, rec);
    case BLOCK_INTERFACE:
        return take_interface(src, length);
    default:
        code = take_notes(src, type, length);
        if (code < 0) {
            return code;
        }
        src->counts[NETFEAT_COUNT_OTHER_BLOCKS]++;
        return begin_skip(src, length);
    }
}

static int pcapng_next_records(netfeat_source *src, nf_record *recs, int max)
{
    nf_pcapng *f = &src->pcapng;

    for (;;) {
        int code;
        int n = 0;

        if (!f->skipping && src->notes.max == 0) { /* comments are seen on the other way */
            n = f->big ? fill(src, recs, max, true) : fill(src, recs, max, false);
        }
        if (n > 0) {
            return n;
        }
        code = take_block(src, recs);
        if (code != GO_ON) {
            return code;
        }
        if (++f->quiet >= QUIET_BLOCKS) {
            f->quiet = 0;
            code = nf_source_checkpoint(src);
            if (code < 0) {
                return code;
            }
        }
    }
}

int nf_pcapng_open(netfeat_source *src)
{
    int code = nf_source_need(src, SECTION_BYTES);

    if (code <= 0) {
        return code < 0 ? code
                        : nf_error_at(src->ctx, NETFEAT_ERR_TRUNCATED, -1, 0,
                                      "the capture ends in the middle of its pcapng section header");
    }
    src->next = pcapng_next_records;
    code = take_section(src);
    return code < 0 ? code : NETFEAT_OK;
}

void nf_pcapng_close(netfeat_source *src)
{
    nf_pcapng *f = &src->pcapng;

    nf_free(src->ctx, f->list, f->cap * sizeof *f->list);
}
