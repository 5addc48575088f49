/* Packets out of scripts, and what a reassembler makes of them. */
#include "script.h"
#include "base/order.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ETHERNET 14
#define IPV4     20
#define TCP      20

/* ---- packets ---- */

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static uint16_t checksum(const uint8_t *p, size_t n, uint32_t sum)
{
    for (size_t i = 0; i < n; i++) {
        sum += (uint32_t)p[i] << (i % 2 ? 0 : 8);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

static uint32_t put_options(const script_packet *p, uint8_t *o)
{
    uint32_t n = 0;

    if (p->scale >= 0) {
        memcpy(o, "\1\3\3", 3);
        o[3] = (uint8_t)p->scale;
        n = 4;
    }
    if (p->has_ts) {
        memcpy(o + n, "\1\1\10\12", 4);
        put32(o + n + 4, p->tsval);
        put32(o + n + 8, p->tsecr);
        n += 12;
    }
    if (p->md5) {
        memset(o + n, 0, 20);
        memcpy(o + n, "\1\1\23\22", 4);
        n += 20;
    }
    return n;
}

uint32_t script_frame(const script_packet *p, bool swap, uint8_t *frame, uint32_t *ret_captured)
{
    uint8_t *ip = frame + ETHERNET, *tcp = ip + IPV4;
    bool high = (p->side == 0) == swap; /* does the sender have the larger address? */
    uint32_t header, l4;
    uint8_t pseudo[12] = {0};

    memset(frame, 0, ETHERNET + IPV4 + TCP);
    put16(frame + 12, 0x0800);
    header = TCP + put_options(p, tcp + TCP);
    l4 = header + p->len;
    ip[0] = 0x45;
    put16(ip + 2, IPV4 + l4);
    ip[8] = 64;
    ip[9] = 6;
    put32(ip + 12, high ? 0xc0a80002 : 0x0a000001);
    put32(ip + 16, high ? 0x0a000001 : 0xc0a80002);
    put16(ip + 10, checksum(ip, IPV4, 0));
    put16(tcp, high ? 80 : 4000);
    put16(tcp + 2, high ? 4000 : 80);
    put32(tcp + 4, p->seq);
    put32(tcp + 8, p->ack);
    tcp[12] = (uint8_t)(header / 4 << 4);
    tcp[13] = (uint8_t)p->flags;
    put16(tcp + 14, (unsigned)p->window);
    put16(tcp + 18, (unsigned)p->urgent);
    if (p->len > 0) {
        memcpy(tcp + header, p->data, p->len);
    }
    memcpy(pseudo, ip + 12, 8);
    pseudo[9] = 6;
    put16(pseudo + 10, l4);
    put16(tcp + 16,
          checksum(tcp, l4, (uint16_t)~checksum(pseudo, sizeof pseudo, 0)) ^ (p->bad_sum ? 0x5555 : 0));
    *ret_captured = ETHERNET + IPV4 + header + (p->captured < p->len ? p->captured : p->len);
    return ETHERNET + IPV4 + l4;
}

/* ---- what comes out ---- */

typedef struct {
    netfeat_streams *st;
    script_result *r;
    uint64_t next[2]; /* where the direction of the present stream stands */
    bool eof[2];
    uint64_t open_id;
    int data_dir; /* direction of a data event still being joined, -1: none */
    uint64_t data_at;
    script_text data;
} collector;

static void finish_data(collector *c)
{
    if (c->data_dir >= 0) {
        script_print(&c->r->events, "%c data %llu ", c->data_dir == 0 ? '>' : '<',
                     (unsigned long long)c->data_at);
        script_print_bytes(&c->r->events, (const uint8_t *)c->data.p, c->data.size);
        script_print(&c->r->events, "\n");
        c->data.size = 0;
        c->data_dir = -1;
    }
}

static void append(script_text *t, const void *data, size_t size)
{
    if (t->size + size > t->cap) {
        t->cap = 2 * (t->size + size) + 64;
        t->p = realloc(t->p, t->cap);
    }
    memcpy(t->p + t->size, data, size);
    t->size += size;
}

static void broken(collector *c, const char *what)
{
    if (c->r->broken == NULL) {
        c->r->broken = what;
    }
}

/* An event that covers [offset, offset + size) of its direction. */
static void tile(collector *c, int dir, uint64_t offset, uint64_t size)
{
    if (offset != c->next[dir]) {
        broken(c, "events of a direction do not tile");
    }
    if (c->eof[dir]) {
        broken(c, "bytes behind the end of a direction");
    }
    c->next[dir] = offset + size;
}

static void on_data(collector *c, int dir, uint64_t offset, const void *data, size_t size)
{
    if (size == 0) {
        broken(c, "an empty data event");
    }
    tile(c, dir, offset, size);
    append(&c->r->bytes[dir], data, size);
    if (c->data_dir != dir || c->data_at + c->data.size != offset) {
        finish_data(c);
        c->data_dir = dir;
        c->data_at = offset;
    }
    append(&c->data, data, size);
}

static void on_close(collector *c)
{
    static const char *const reasons[] = {"?", "fin", "reset", "timeout", "reused", "evicted", "capture"};

    script_print(&c->r->events, "close %s\n", reasons[netfeat_streams_reason(c->st)]);
    snprintf(c->r->state, sizeof c->r->state, "%s", netfeat_streams_state(c->st));
    snprintf(c->r->history, sizeof c->r->history, "%s", netfeat_streams_history(c->st));
    for (int which = 1; netfeat_stream_counter_name(which) != NULL; which++) {
        c->r->counters[which] +=
            netfeat_streams_counter(c->st, 0, which) + netfeat_streams_counter(c->st, 1, which);
    }
    if (netfeat_streams_counter(c->st, 0, netfeat_stream_counter_by_name("delivered_bytes")) +
            netfeat_streams_counter(c->st, 0, netfeat_stream_counter_by_name("gap_bytes")) !=
        c->next[0]) {
        broken(c, "counters do not add up to what was delivered");
    }
    c->open_id = 0;
}

static void on_event(collector *c, int event)
{
    static const char *const gaps[] = {"?", "ack", "timeout", "limit", "memory", "reset", "end"};
    int dir = netfeat_streams_direction(c->st);
    char side = dir == 0 ? '>' : '<';
    unsigned long long offset = netfeat_streams_offset(c->st), length = netfeat_streams_size(c->st);
    size_t size;
    const void *data = netfeat_streams_data(c->st, &size);

    if (event == NETFEAT_STREAM_DATA) {
        on_data(c, dir, offset, data, size);
        return;
    }
    finish_data(c);
    if ((event == NETFEAT_STREAM_OPEN) == (c->open_id != 0)) {
        broken(c, "an event outside of a stream, or a stream in a stream");
    }
    switch (event) {
    case NETFEAT_STREAM_OPEN:
        memset(c->next, 0, sizeof c->next);
        c->eof[0] = c->eof[1] = false;
        c->open_id = netfeat_streams_id(c->st);
        script_print(&c->r->events, "open\n");
        break;
    case NETFEAT_STREAM_GAP:
        tile(c, dir, offset, length);
        script_print(&c->r->events, "%c gap %llu %llu %s\n", side, offset, length,
                     gaps[netfeat_streams_reason(c->st)]);
        break;
    case NETFEAT_STREAM_URGENT:
        tile(c, dir, offset, 1);
        script_print(&c->r->events, "%c urgent %llu ", side, offset);
        script_print_bytes(&c->r->events, data, size);
        script_print(&c->r->events, "\n");
        break;
    case NETFEAT_STREAM_EOF:
        if (c->eof[dir]) {
            broken(c, "a second end of a direction");
        }
        c->eof[dir] = true;
        script_print(&c->r->events, "%c eof %llu\n", side, offset);
        break;
    case NETFEAT_STREAM_RESET:
        script_print(&c->r->events, "%c reset\n", side);
        break;
    case NETFEAT_STREAM_RESET_IGNORED:
        script_print(&c->r->events, "reset_ignored\n");
        break;
    case NETFEAT_STREAM_CONFLICT:
        script_print(&c->r->events, "%c conflict %llu\n", side, length);
        break;
    case NETFEAT_STREAM_TRUNCATED:
        script_print(&c->r->events, "%c truncated %llu\n", side, offset);
        break;
    case NETFEAT_STREAM_DROPPED:
        script_print(&c->r->events, "%c dropped %llu %llu\n", side, offset, length);
        break;
    case NETFEAT_STREAM_CLOSE:
        on_close(c);
        break;
    default:
        broken(c, "an unknown event");
    }
}

/* ---- input ---- */

typedef struct {
    uint8_t *p;
    size_t size, cap;
} file_image;

static void add_record(file_image *f, const script_packet *p, bool swap)
{
    uint32_t captured, wire, fields[4];
    uint64_t at;

#define PCAP_VERSION (NF_BIG_ENDIAN ? 2U << 16 | 4 : 4U << 16 | 2) /* 2.4, two fields of 16 bits */

    if (f->cap - f->size < SCRIPT_HEADERS + p->len + 64) {
        f->cap = 2 * f->cap + SCRIPT_HEADERS + p->len + 64;
        f->p = realloc(f->p, f->cap);
    }
    if (f->size == 0) { /* pcap, nanoseconds, own byte order */
        const uint32_t head[6] = {0xa1b23c4d, PCAP_VERSION, 0, 0, 262144, 1};
        memcpy(f->p, head, sizeof head);
        f->size = sizeof head;
    }
    wire = script_frame(p, swap, f->p + f->size + 16, &captured);
    at = (uint64_t)(p->time_ns + INT64_C(1000000000000000)); /* never negative */
    fields[0] = (uint32_t)(at / 1000000000);
    fields[1] = (uint32_t)(at % 1000000000);
    fields[2] = captured;
    fields[3] = wire;
    memcpy(f->p + f->size, fields, sizeof fields);
    f->size += 16 + captured;
}

static int drain(collector *c, const script_how *how)
{
    int code;

    while ((code = netfeat_streams_step(c->st)) != 0) {
        if (code < 0 && !how->keep_going) {
            return code;
        }
        if (code > 0) {
            on_event(c, netfeat_streams_event(c->st));
        } else if (c->r->code == 0) {
            c->r->code = code;
        }
    }
    return 0;
}

static int feed_packet(collector *c, const script_how *how, const script_packet *p)
{
    uint8_t *frame = malloc(SCRIPT_HEADERS + p->len), *exact;
    uint32_t captured, wire = script_frame(p, how->swap, frame, &captured);
    int code;

    exact = malloc(captured); /* a sanitizer sees the byte behind it */
    memcpy(exact, frame, captured);
    free(frame);
    code = netfeat_streams_feed_packet(c->st, 1, p->time_ns, wire, exact, captured);
    code = code != 0 ? code : drain(c, how);
    free(exact);
    return code;
}

static int make_table(const script_how *how, netfeat_source *src, netfeat_table **ret)
{
    netfeat_options *opts = NULL;
    int code = netfeat_options_new(how->ctx, &opts);

    code = code != 0 ? code : netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_KEEP_PAYLOAD, 1);
    code = code != 0 ? code : netfeat_table_from_source(how->ctx, src, opts, ret);
    netfeat_options_unref(opts);
    return code;
}

static bool is_table(int mode)
{
    return mode == SCRIPT_TABLE || (mode >= SCRIPT_MODES && (mode - SCRIPT_MODES) % 2 == 1);
}

static int feed_image(collector *c, const script_how *how, const file_image *f)
{
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;
    int code = netfeat_source_open_memory(how->ctx, f->p, f->size, NULL, &src);

    if (code == 0 && is_table(how->mode)) {
        code = make_table(how, src, &tab);
        code = code != 0 ? code : netfeat_streams_feed_table(c->st, tab);
    } else if (code == 0) {
        code = netfeat_streams_feed_source(c->st, src);
    }
    netfeat_table_unref(tab);
    netfeat_source_unref(src); /* the handle holds what it needs */
    return code != 0 ? code : drain(c, how);
}

static int feed(collector *c, const script_case *script, const script_how *how)
{
    size_t each = how->mode >= SCRIPT_MODES ? (size_t)(how->mode - SCRIPT_MODES) / 2 : script->n_packets;
    file_image f = {NULL, 0, 0};
    int code = 0;

    for (size_t i = 0; code == 0 && i < script->n_packets; i++) {
        if (how->mode == SCRIPT_PACKETS) {
            code = feed_packet(c, how, &script->packets[i]);
            continue;
        }
        add_record(&f, &script->packets[i], how->swap);
        if ((i + 1) % each == 0 || i + 1 == script->n_packets) {
            code = feed_image(c, how, &f);
            f.size = 0;
        }
    }
    free(f.p);
    return code;
}

static int make_options(const script_case *c, const script_how *how, netfeat_options **ret)
{
    int code = netfeat_options_new(how->ctx, ret);

    for (int i = 0; code == 0 && i < c->n_options; i++) {
        code = netfeat_options_set_int(*ret, c->options[i].key, c->options[i].value);
    }
    return code;
}

void script_run(const script_case *script, const script_how *how, script_result *ret)
{
    netfeat_options *opts = NULL;
    collector c = {.st = NULL, .r = ret, .data_dir = -1};
    int code;

    memset(ret, 0, sizeof *ret);
    script_print(&ret->events, "%s", "");
    code = make_options(script, how, &opts);
    code = code != 0 ? code : netfeat_streams_new(how->ctx, opts, &c.st);
    if (code == 0 && how->prepare != NULL) {
        how->prepare(c.st);
    }
    netfeat_options_unref(opts);
    code = code != 0 ? code : feed(&c, script, how);
    code = code != 0 ? code : netfeat_streams_end(c.st);
    code = code != 0 ? code : drain(&c, how);
    finish_data(&c);
    for (int which = 1; netfeat_stream_total_name(which) != NULL; which++) {
        ret->totals[which] = netfeat_streams_total(c.st, which);
    }
    if (code == 0 && c.open_id != 0) {
        broken(&c, "a stream was not closed");
    }
    if (code == 0 && ret->totals[netfeat_stream_total_by_name("held_bytes")] != 0) {
        broken(&c, "bytes are held after the end");
    }
    ret->code = ret->code != 0 ? ret->code : code;
    netfeat_streams_unref(c.st);
    free(c.data.p);
}

void script_result_free(script_result *r)
{
    free(r->events.p);
    free(r->bytes[0].p);
    free(r->bytes[1].p);
}

int64_t script_count(const script_result *r, const char *name)
{
    int which = netfeat_stream_counter_by_name(name);
    uint64_t n = which > 0 ? r->counters[which] : 0;
    int total = netfeat_stream_total_by_name(name);

    if (which < 0 && total < 0) {
        return -1;
    }
    /* what belongs to no stream is counted by the handle under the same name */
    return (int64_t)(which > 0 && n > 0 ? n : total > 0 ? r->totals[total] : n);
}
