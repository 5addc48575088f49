/* Limits of streams: each is kept, what goes is visible, and nothing else goes; time-outs; late copies; checksums of
   hosts that offload. And what is made of whole captures: the stream table, whole datagrams. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "script.h"
#include "torture.h"
#include "base/order.h"

#define SECOND INT64_C(1000000000)
#define SYN    NETFEAT_TCP_SYN
#define ACK    NETFEAT_TCP_ACK

/* ---- many streams ---- */

typedef struct {
    netfeat_ctx *ctx;
    netfeat_options *opts;
    netfeat_streams *st;
    int64_t now;
    uint64_t opened, closed, evicted, timed_out, delivered, gaps[7];
    uint64_t last_evicted; /* id */
} bench;

static void set(bench *b, int key, int64_t value)
{
    cr_assert_eq(netfeat_options_set_int(b->opts, key, value), 0);
}

static void open_bench(bench *b)
{
    memset(b, 0, sizeof *b);
    cr_assert_eq(netfeat_ctx_new(&b->ctx), 0);
    cr_assert_eq(netfeat_options_new(b->ctx, &b->opts), 0);
    set(b, NETFEAT_OPT_STREAM_CHECKSUM, NETFEAT_CHECKSUM_OFF);
}

static void start(bench *b)
{
    cr_assert_eq(netfeat_streams_new(b->ctx, b->opts, &b->st), 0);
}

static void close_bench(bench *b)
{
    netfeat_streams_unref(b->st);
    netfeat_options_unref(b->opts);
    netfeat_ctx_unref(b->ctx);
}

static void drain(bench *b)
{
    int code;

    while ((code = netfeat_streams_step(b->st)) > 0) {
        switch (netfeat_streams_event(b->st)) {
        case NETFEAT_STREAM_OPEN:
            b->opened++;
            break;
        case NETFEAT_STREAM_CLOSE:
            b->closed++;
            b->timed_out += netfeat_streams_reason(b->st) == NETFEAT_END_TIMEOUT;
            if (netfeat_streams_reason(b->st) == NETFEAT_END_EVICTED) {
                b->evicted++;
                b->last_evicted = netfeat_streams_id(b->st);
            }
            break;
        case NETFEAT_STREAM_DATA:
            b->delivered += netfeat_streams_size(b->st);
            break;
        case NETFEAT_STREAM_GAP:
            b->gaps[netfeat_streams_reason(b->st)]++;
            break;
        default:
            break;
        }
    }
    cr_assert_eq(code, 0, "%s", netfeat_ctx_error_message(b->ctx));
}

/* A segment of client number `who` (or of its server), seq and ack relative to 1000 and 5000. */
static void send_segment(bench *b, uint32_t who, int side, unsigned flags, uint32_t seq, uint32_t ack,
                         const char *text)
{
    static uint8_t frame[SCRIPT_FRAME];
    script_packet p = {.side = side, .flags = flags, .window = 65535, .scale = -1};
    uint32_t captured, wire;

    p.seq = seq + (side ? 5000 : 1000);
    p.ack = flags & ACK ? ack + (side ? 1000 : 5000) : 0;
    p.data = (uint8_t *)(uintptr_t)text;
    p.len = p.captured = (uint32_t)strlen(text);
    wire = script_frame(&p, false, frame, &captured);
    /* the client is 10.0.0.1 to 10.x.x.x */
    frame[side ? 30 + 1 : 26 + 1] = (uint8_t)(who >> 16);
    frame[side ? 30 + 2 : 26 + 2] = (uint8_t)(who >> 8);
    frame[side ? 30 + 3 : 26 + 3] = (uint8_t)who;
    cr_assert_eq(netfeat_streams_feed_packet(b->st, 1, b->now, wire, frame, captured), 0);
    drain(b);
}

static void handshake(bench *b, uint32_t who)
{
    send_segment(b, who, 0, SYN, 0, 0, "");
    send_segment(b, who, 1, SYN | ACK, 0, 1, "");
    send_segment(b, who, 0, ACK, 1, 1, "");
}

static uint64_t total(const bench *b, const char *name)
{
    int which = netfeat_stream_total_by_name(name);

    cr_assert_gt(which, 0);
    return netfeat_streams_total(b->st, which);
}

/* A flood of SYNs: half-open streams drive each other out, conversations stay, memory stays. */
Test(stream_limits, syn_flood)
{
    bench b;
    uint64_t before;

    open_bench(&b);
    set(&b, NETFEAT_OPT_STREAM_MAX_HALF_OPEN, 1000);
    set(&b, NETFEAT_OPT_STREAM_MAX_STREAMS, 2000);
    before = netfeat_ctx_memory_used(b.ctx);
    start(&b);
    for (uint32_t who = 1; who <= 64; who++) {
        handshake(&b, who);
    }
    for (uint32_t i = 0; i < 100000; i++) {
        b.now += 1000;
        send_segment(&b, 100 + i, 0, SYN, i, 0, "");
        if (i % 1000 == 0) {
            send_segment(&b, 1 + i / 1000 % 64, 0, ACK, 1 + 4 * (i / 64000), 1, "good");
        }
    }
    cr_expect_eq(total(&b, "evicted_half_open"), 99000);
    cr_expect_eq(total(&b, "evicted_established") + total(&b, "evicted_one_sided"), 0);
    cr_expect_eq(total(&b, "half_open_high"), 1000);
    cr_expect_eq(b.delivered, 400);
    cr_expect_lt(netfeat_ctx_memory_peak(b.ctx) - before, 1 << 20);
    close_bench(&b);
}

/* A full table: closed ones go first, then half-open ones, then one-sided ones, then the one used least recently. */
Test(stream_limits, order_of_eviction)
{
    bench b;

    open_bench(&b);
    set(&b, NETFEAT_OPT_STREAM_MAX_STREAMS, 5);
    set(&b, NETFEAT_OPT_STREAM_LINGER_NS, 1000 * SECOND);
    start(&b);
    handshake(&b, 1);
    handshake(&b, 2);
    send_segment(&b, 3, 0, ACK, 1, 1, "mid"); /* one-sided */
    send_segment(&b, 4, 0, SYN, 0, 0, "");
    handshake(&b, 5);
    send_segment(&b, 5, 0, ACK | NETFEAT_TCP_FIN, 1, 1, "");
    send_segment(&b, 5, 1, ACK | NETFEAT_TCP_FIN, 1, 2, "");
    b.now = 10 * SECOND;
    send_segment(&b, 1, 0, ACK, 1, 1, "used"); /* 2 is now the oldest */
    static const uint64_t expected[] = {5, 4, 3, 2};
    for (uint32_t i = 0; i < 4; i++) {
        handshake(&b, 10 + i);
        cr_expect_eq(b.evicted, i + 1);
        cr_expect_eq(b.last_evicted, expected[i], "%u: %llu", i, (unsigned long long)b.last_evicted);
    }
    cr_expect_eq(total(&b, "streams_high"), 5);
    close_bench(&b);
}

/* Memory for records: as many streams as fit, whatever max_streams says. */
Test(stream_limits, memory_of_records)
{
    bench b;
    uint64_t before;

    open_bench(&b);
    set(&b, NETFEAT_OPT_STREAM_MAX_STREAM_BYTES, 1 << 20);
    before = netfeat_ctx_memory_used(b.ctx);
    start(&b);
    for (uint32_t who = 1; who < 5000; who++) {
        handshake(&b, who);
    }
    cr_expect_gt(total(&b, "evicted_established"), 2000);
    cr_expect_gt(total(&b, "streams_high"), 500);
    /* records come in blocks that double */
    cr_expect_lt(netfeat_ctx_memory_peak(b.ctx) - before, 2 << 20);
    close_bench(&b);
}

/* Held bytes of all streams together: the oldest hole is given up, no byte that came is lost. */
Test(stream_limits, memory_of_held_bytes)
{
    static char text[1001];
    bench b;
    uint64_t before, sent = 0;

    memset(text, 'x', sizeof text - 1);
    open_bench(&b);
    set(&b, NETFEAT_OPT_STREAM_MAX_TOTAL_BYTES, 1 << 20);
    before = netfeat_ctx_memory_used(b.ctx);
    start(&b);
    for (uint32_t who = 1; who <= 300; who++) {
        handshake(&b, who);
    }
    for (uint32_t i = 0; i < 20; i++) {
        for (uint32_t who = 1; who <= 300; who++) {
            b.now += 1000;
            send_segment(&b, who, 0, ACK, 11 + i * 1500, 1, text); /* a hole before each */
            sent += 1000;
        }
    }
    cr_expect_gt(b.gaps[NETFEAT_GAP_MEMORY], 1000);
    cr_expect_eq(b.gaps[NETFEAT_GAP_MEMORY], total(&b, "memory_gaps"));
    cr_expect_leq(total(&b, "held_bytes"), 1 << 20);
    cr_expect_leq(total(&b, "held_bytes_high"), (1 << 20) + 4096);
    cr_expect_lt(netfeat_ctx_memory_peak(b.ctx) - before, (1 << 20) + (1 << 20));
    cr_expect_eq(netfeat_streams_end(b.st), 0);
    drain(&b);
    cr_expect_eq(b.delivered, sent);
    cr_expect_eq(total(&b, "held_bytes"), 0);
    close_bench(&b);
}

/* Nothing waits for a hole, all is held behind gates: whole streams have to go. */
Test(stream_limits, memory_of_gated_bytes)
{
    static char text[1001];
    bench b;

    memset(text, 'x', sizeof text - 1);
    open_bench(&b);
    set(&b, NETFEAT_OPT_STREAM_MAX_TOTAL_BYTES, 1 << 16);
    start(&b);
    for (uint32_t who = 1; who <= 300; who++) {
        send_segment(&b, who, 0, SYN, 0, 0, "");
        send_segment(&b, who, 0, ACK, 1, 1, text);
    }
    cr_expect_gt(total(&b, "evicted_half_open"), 200);
    cr_expect_leq(total(&b, "held_bytes_high"), (1 << 16) + 4096);
    cr_expect_eq(netfeat_streams_end(b.st), 0);
    drain(&b);
    cr_expect_eq(b.delivered, 300000);
    close_bench(&b);
}

/* The same with one stream alone, which cannot make room but by giving its own bytes away. */
Test(stream_limits, memory_of_one_gated_stream)
{
    static char text[1001];
    bench b;

    memset(text, 'x', sizeof text - 1);
    open_bench(&b);
    set(&b, NETFEAT_OPT_STREAM_MAX_TOTAL_BYTES, 1 << 16);
    set(&b, NETFEAT_OPT_STREAM_ASYNC_BYTES, 1 << 20);
    start(&b);
    send_segment(&b, 1, 0, SYN, 0, 0, "");
    for (uint32_t i = 0; i < 200; i++) {
        send_segment(&b, 1, 0, ACK, 1 + 1000 * i, 1, text);
    }
    cr_expect_gt(b.delivered, 0);
    cr_expect_eq(b.evicted, 0);
    cr_expect_leq(total(&b, "held_bytes"), 1 << 16);
    cr_expect_leq(total(&b, "held_bytes_high"), (1 << 16) + 4096);
    cr_expect_eq(netfeat_streams_end(b.st), 0);
    drain(&b);
    cr_expect_eq(b.delivered, 200000);
    cr_expect_eq(b.closed, 1);
    close_bench(&b);
}

/* ---- time ---- */

/* Time-outs of all kinds, found by packets of other streams: at most eight for each packet. */
Test(stream_limits, time_outs_of_others)
{
    bench b;

    open_bench(&b);
    start(&b);
    for (uint32_t who = 1; who <= 20; who++) {
        handshake(&b, who);
        send_segment(&b, who, 0, ACK, 10, 1, "behind a hole");
        send_segment(&b, 100 + who, 0, SYN, 0, 0, "");
        send_segment(&b, 200 + who, 0, ACK, 1, 1, "mid stream");
    }
    b.now = 6 * SECOND; /* 20 holes are due */
    send_segment(&b, 900, 0, SYN, 0, 0, "");
    cr_expect_eq(b.gaps[NETFEAT_GAP_TIMEOUT], 8);
    send_segment(&b, 901, 0, SYN, 0, 0, "");
    send_segment(&b, 902, 0, SYN, 0, 0, "");
    cr_expect_eq(b.gaps[NETFEAT_GAP_TIMEOUT], 20);
    b.now = 31 * SECOND; /* 20 half-open ones */
    for (uint32_t i = 0; i < 4; i++) {
        send_segment(&b, 910 + i, 0, ACK, 1, 1, "");
    }
    cr_expect_eq(b.timed_out, 20);
    b.now = 302 *
            SECOND; /* 20 established, 20 one-sided ones; 3 half-open ones; not those that were seen since */
    for (uint32_t i = 0; i < 8; i++) {
        send_segment(&b, 920 + i, 0, ACK, 1, 1, "");
    }
    cr_expect_eq(b.timed_out, 63);
    cr_expect_eq(b.evicted, 0);
    close_bench(&b);
}

/* Under pressure the times are shorter. */
Test(stream_limits, pressure)
{
    bench b;

    open_bench(&b);
    set(&b, NETFEAT_OPT_STREAM_MAX_HALF_OPEN, 16);
    start(&b);
    for (uint32_t who = 1; who <= 16; who++) {
        send_segment(&b, who, 0, SYN, 0, 0, "");
    }
    b.now = 6 * SECOND;
    send_segment(&b, 50, 0, ACK, 1, 1, "");
    cr_expect_eq(b.timed_out, 2); /* back to seven eighths */
    close_bench(&b);
}

/* ---- late copies ---- */

Test(stream_limits, recent_bytes)
{
    bench b;
    int conflicts = netfeat_stream_counter_by_name("conflict_bytes");

    for (int recent = 0; recent <= 4; recent += 4) {
        open_bench(&b);
        set(&b, NETFEAT_OPT_STREAM_RECENT_BYTES, recent);
        start(&b);
        handshake(&b, 1);
        send_segment(&b, 1, 0, ACK, 1, 1, "abcdef");
        send_segment(&b, 1, 0, ACK, 1, 1, "abcdef");
        send_segment(&b, 1, 0, ACK, 1, 1, "aXcdYf"); /* X is too long ago */
        send_segment(&b, 1, 0, ACK, 5, 1, "eZgh");
        cr_expect_eq(netfeat_streams_end(b.st), 0);
        cr_assert_eq(netfeat_streams_step(b.st), 1);
        cr_expect_eq(netfeat_streams_event(b.st), NETFEAT_STREAM_CLOSE);
        cr_expect_eq(netfeat_streams_counter(b.st, 0, conflicts), recent == 0 ? 0 : 2);
        close_bench(&b);
    }
}

/* ---- checksums ---- */

/* What a host leaves in the field for its network card: the sum of the pseudo header. */
static void leave_to_card(uint8_t *frame, uint32_t l4)
{
    uint32_t sum = 6 + l4;

    for (int i = 26; i < 34; i += 2) {
        sum += (uint32_t)frame[i] << 8 | frame[i + 1];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    frame[50] = (uint8_t)(sum >> 8);
    frame[51] = (uint8_t)sum;
}

static uint64_t deliver_with_checksums(int option, int kind)
{
    size_t cases = 0;
    script_case *c = script_parse("case x\nhs\n> A 1/1 \"one\"\n> A 4/1 \"two\"\n", &cases);
    bench b;
    uint64_t delivered;

    open_bench(&b);
    set(&b, NETFEAT_OPT_STREAM_CHECKSUM, option);
    start(&b);
    for (size_t i = 0; i < c->n_packets; i++) {
        static uint8_t frame[SCRIPT_FRAME];
        uint32_t captured, wire = script_frame(&c->packets[i], false, frame, &captured);

        if (c->packets[i].side == 0 && (kind == 2 || i >= 3)) {
            if (kind > 0) {
                leave_to_card(frame, wire - 34);
            } else {
                frame[50] ^= 0x55; /* damaged, behind good ones */
            }
        }
        cr_assert_eq(netfeat_streams_feed_packet(b.st, 1, c->packets[i].time_ns, wire, frame, captured), 0);
        drain(&b);
    }
    delivered = b.delivered;
    close_bench(&b);
    script_free(c, cases);
    return delivered;
}

Test(stream_limits, checksums)
{
    /* damaged packets of a host whose others are good; offload of some, of all packets */
    static const uint64_t expected[3][3] = {{6, 6, 6}, {0, 0, 0}, {0, 6, 6}};

    for (int option = 0; option < 3; option++) {
        for (int kind = 0; kind < 3; kind++) {
            cr_expect_eq(deliver_with_checksums(option, kind), expected[option][kind], "option %d, kind %d",
                         option, kind);
        }
    }
}

/* ---- whole captures ---- */

#define PCAP_VERSION (NF_BIG_ENDIAN ? 2U << 16 | 4 : 4U << 16 | 2) /* 2.4, two fields of 16 bits */

/* pcap in memory: nanoseconds, Ethernet. */
static size_t make_capture(uint8_t *out, const char *script)
{
    const uint32_t head[6] = {0xa1b23c4d, PCAP_VERSION, 0, 0, 262144, 1};
    size_t cases = 0, size = sizeof head;
    script_case *c = script_parse(script, &cases);

    memcpy(out, head, sizeof head);
    for (size_t i = 0; i < c->n_packets; i++) {
        uint32_t fields[4] = {(uint32_t)(c->packets[i].time_ns / SECOND),
                              (uint32_t)(c->packets[i].time_ns % SECOND)};

        fields[3] = script_frame(&c->packets[i], false, out + size + 16, &fields[2]);
        memcpy(out + size, fields, sizeof fields);
        size += 16 + fields[2];
    }
    script_free(c, cases);
    return size;
}

static const char two_streams[] =
    "case x\n< SA 0/1\n> A 1/1 \"aab\"\n> A 1/1 \"aab\"\n< A 1/4 \"xyz\"\n< FA 4/4\n> FA 4/5\n"
    "> S 9000 +10\n< RA 70000/9001\n";

static uint8_t capture[20000];

static void expect_cell(const netfeat_table *tab, const char *name, int64_t row, const char *expected)
{
    char text[200] = "";
    int col = netfeat_table_find(tab, name);

    cr_assert_geq(col, 0, "%s", name);
    netfeat_column_get_text(netfeat_table_column(tab, col), row, text, sizeof text, NULL);
    cr_expect_str_eq(text, expected, "%s of row %lld is %s", name, (long long)row, text);
}

Test(stream_limits, stream_table)
{
    netfeat_ctx *ctx = NULL;
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;
    size_t size = make_capture(capture, two_streams);

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    cr_assert_eq(netfeat_source_open_memory(ctx, capture, size, NULL, &src), 0);
    cr_assert_eq(netfeat_stream_table(ctx, src, NULL, &tab), 0);
    cr_assert_eq(netfeat_table_rows(tab), 2);
    expect_cell(tab, "stream_id", 0, "1");
    expect_cell(tab, "first_packet", 0, "1");
    expect_cell(tab, "client_ip", 0, "10.0.0.1"); /* the first packet is the server's SYN|ACK */
    expect_cell(tab, "client_port", 0, "4000");
    expect_cell(tab, "server_port", 0, "80");
    expect_cell(tab, "client_delivered_bytes", 0, "3");
    expect_cell(tab, "server_delivered_bytes", 0, "3");
    expect_cell(tab, "client_head", 0, "616162");
    expect_cell(tab, "server_head", 0, "78797a");
    expect_cell(tab, "client_retransmitted_bytes", 0, "3");
    expect_cell(tab, "client_head_entropy", 0, "0.9182958340544894");
    expect_cell(tab, "server_head_entropy", 0, "1.584962500721156");
    expect_cell(tab, "end_reason", 0, "FIN");
    expect_cell(tab, "first_packet", 1, "7");
    expect_cell(tab, "client_ip", 1, "10.0.0.1");
    expect_cell(tab, "end_reason", 1, "RESET");
    expect_cell(tab, "state", 1, "REJ");
    expect_cell(tab, "history", 1, "Sr");
    expect_cell(tab, "client_head_entropy", 1, "");
    netfeat_table_unref(tab);
    netfeat_source_unref(src);
    netfeat_ctx_unref(ctx);
}

static int table_tortured(torture *t, void *user)
{
    size_t size = *(size_t *)user;
    netfeat_ctx *ctx = NULL;
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        return code;
    }
    /* the source is used up by a call that fails: the second try is one from the start */
    for (int try = 0; try < 2 && tab == NULL; try++) {
        code = netfeat_source_open_memory(ctx, capture, size, NULL, &src);
        code = code != 0 ? code : netfeat_stream_table(ctx, src, NULL, &tab);
        src = netfeat_source_unref(src);
    }
    if (tab != NULL) {
        torture_saw_table(t, tab);
    }
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
    return code;
}

Test(stream_limits, stream_table_without_memory)
{
    size_t size = make_capture(capture, two_streams);
    uint64_t points = 0;
    const char *wrong = torture_run(table_tortured, &size, &points);

    cr_expect_null(wrong, "%s", wrong);
    cr_expect_gt(points, 100);
}

/* ---- whole datagrams for the packet table ---- */

/* Cut the Ethernet frame of one record into IP fragments of 16 bytes; returns the new size of the capture. */
static size_t cut_record(uint8_t *out, size_t at, size_t size)
{
    uint8_t rest[4096], frame[1600];
    uint32_t fields[4];
    size_t tail, l4;

    memcpy(fields, out + at, sizeof fields);
    memcpy(frame, out + at + 16, fields[2]);
    tail = size - at - 16 - fields[2];
    memcpy(rest, out + at + 16 + fields[2], tail);
    l4 = fields[2] - 34;
    size = at;
    for (size_t offset = 0; offset < l4; offset += 16) {
        size_t n = l4 - offset < 16 ? l4 - offset : 16;
        uint32_t head[4] = {fields[0], fields[1] + (uint32_t)offset, (uint32_t)(34 + n), (uint32_t)(34 + n)};

        memcpy(out + size, head, sizeof head);
        memcpy(out + size + 16, frame, 34);
        out[size + 16 + 17] = (uint8_t)(20 + n);
        out[size + 16 + 20] = (uint8_t)(offset + n < l4 ? 0x20 : 0);
        out[size + 16 + 21] = (uint8_t)(offset / 8);
        memcpy(out + size + 16 + 34, frame + 34 + offset, n);
        size += 16 + 34 + n;
    }
    memcpy(out + size, rest, tail);
    return size + tail;
}

Test(stream_limits, whole_datagrams)
{
    netfeat_ctx *ctx = NULL;
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;
    netfeat_streams *st = NULL;
    size_t size =
        make_capture(capture, "case x\n> S 0\n< SA 0/1\n> A 1/1 \"payload of a datagram\"\n< A 1/22\n");
    size_t third = 24 + 2 * (16 + 54);

    size = cut_record(capture, third, size);
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    cr_assert_eq(netfeat_source_open_memory(ctx, capture, size, NULL, &src), 0);
    cr_assert_eq(netfeat_streams_new(ctx, NULL, &st), 0);
    cr_assert_eq(netfeat_table_new(ctx, NULL, &tab), 0);
    cr_expect_eq(netfeat_streams_append_whole(st, src, 4, tab), 4);
    cr_expect_eq(netfeat_table_rows(tab), 2); /* two of three fragments wait */
    cr_expect_eq(netfeat_streams_append_whole(st, src, -1, tab), 2);
    cr_assert_eq(netfeat_table_seal(tab), 0);
    cr_assert_eq(netfeat_table_rows(tab), 4);
    expect_cell(tab, "packet_number", 2, "5");
    expect_cell(tab, "payload_length", 2, "21");
    expect_cell(tab, "tcp_seq", 2, "1001");
    expect_cell(tab, "packet_number", 3, "6");
    expect_cell(tab, "tcp_ack", 3, "1022");
    netfeat_table_unref(tab);
    netfeat_streams_unref(st);
    netfeat_source_unref(src);
    netfeat_ctx_unref(ctx);
}
