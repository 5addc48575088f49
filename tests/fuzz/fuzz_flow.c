/* Fuzz target: bytes become settings and packets, the packets flows. Whatever they are: every packet is in one flow or
   left out, and no more flows are open than may be; batches, and a state saved and loaded on the way, change nothing;
   two shards merge into the whole or are refused; a damaged state is refused or harmless. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "base/context.h"
#include "table/builder.h"
#include "table/table.h"
#include "require.h"

#define HEAD       10 /* bytes of settings */
#define PACKET     12 /* bytes of a packet */
#define PACKETS    400
#define SECRET_ONE 1
#define SECRET_TWO 77

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- packets ---- */

#define COLUMNS                                                                                              \
    C(NUMBER, "packet_number", U64)                                                                          \
    C(TIME, "timestamp", TIME_NS)                                                                            \
    C(SRC, "src_ip", BYTES16)                                                                                \
    C(DST, "dst_ip", BYTES16)                                                                                \
    C(SPORT, "src_port", U16)                                                                                \
    C(DPORT, "dst_port", U16)                                                                                \
    C(PROTO, "ip_protocol", U8)                                                                              \
    C(FRAME, "frame_length", U32)                                                                            \
    C(IPLEN, "ip_length", U32)                                                                               \
    C(L4LEN, "l4_length", U32)                                                                               \
    C(PAYLEN, "payload_length", U32)                                                                         \
    C(FLAGS, "tcp_flags", U16)                                                                               \
    C(SEQ, "tcp_seq", U32)                                                                                   \
    C(ACKNO, "tcp_ack", U32)                                                                                 \
    C(WINDOW, "tcp_window", U16)                                                                             \
    C(HEADER, "tcp_header_length", U8)                                                                       \
    C(TTL, "ip_ttl", U8)                                                                                     \
    C(IPID, "ip_id", U32)                                                                                    \
    C(IPFLAGS, "ip_flags", U8)                                                                               \
    C(OFFSET, "fragment_offset", U32)                                                                        \
    C(ITYPE, "icmp_type", U8)                                                                                \
    C(ICODE, "icmp_code", U8)                                                                                \
    C(IID, "icmp_id", U16)                                                                                   \
    C(QUALITY, "quality", U32)                                                                               \
    C(SMAC, "src_mac", BYTES6)                                                                               \
    C(DMAC, "dst_mac", BYTES6)                                                                               \
    C(VLAN, "vlan_id", U16)                                                                                  \
    C(TUNNEL, "tunnel_type", U8)                                                                             \
    C(TUNNELID, "tunnel_id", U64)                                                                            \
    C(INTERFACE, "interface_id", U32)                                                                        \
    C(PAYLOAD, "payload", BYTES)

#define C(name, text, type) name,
enum { COLUMNS WIDTH };
#undef C

static void add(nf_builder *b, int present, uint64_t value)
{
    int code = !present ? nf_builder_add_null(b) : nf_builder_add_u64(b, value);
    require(code == 0, "a value can be added");
}

static void add_bytes(nf_builder *b, int present, const void *p, size_t n)
{
    require((present ? nf_builder_add_bytes(b, p, n) : nf_builder_add_null(b)) == 0, "bytes can be added");
}

static void address(uint8_t out[16], unsigned host, int v6)
{
    static const uint8_t v4[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    memset(out, 0, 16);
    if (!v6) {
        memcpy(out, v4, sizeof v4);
    }
    out[15] = (uint8_t)host;
}

static void add_packet(nf_builder *b, const uint8_t *p, uint64_t number, int64_t time)
{
    static const uint8_t protocols[8] = {6, 6, 6, 17, 1, 58, 47, 132};
    unsigned protocol = protocols[p[1] & 7];
    int ip = (p[0] & 0x60) != 0x60, later = ip && (p[1] & 0x18) == 0x18;
    int tcp = ip && protocol == 6 && !later, icmp = ip && (protocol == 1 || protocol == 58) && !later;
    int ports = tcp || (ip && (protocol == 17 || protocol == 132) && !later);
    uint32_t payload = p[8] == 255 ? UINT32_MAX : p[8];
    uint32_t scale = p[11] & 1 ? 0x00ffff01 : 1;
    uint8_t ips[2][16], bytes[256], mac[6] = {2, 0, 0, 0, 0, p[0]};

    address(ips[0], p[0] & 3, (p[0] & 16) != 0);
    address(ips[1], p[0] >> 2 & 3, (p[0] & 16) != 0);
    memset(bytes, p[2], sizeof bytes);
    add(&b[NUMBER], 1, number);
    require((p[0] & 0x80 ? nf_builder_add_null(&b[TIME]) : nf_builder_add_i64(&b[TIME], time)) == 0, "time");
    add_bytes(&b[SRC], ip, ips[0], 16);
    add_bytes(&b[DST], ip, ips[1], 16);
    add(&b[SPORT], ports, p[1] >> 5 & 1);
    add(&b[DPORT], ports, p[1] >> 6 & 1);
    add(&b[PROTO], ip, protocol);
    add(&b[FRAME], 1, payload);
    add(&b[IPLEN], ip, payload);
    add(&b[L4LEN], ip, payload);
    add(&b[PAYLEN], ports || icmp, payload);
    add(&b[FLAGS], tcp, p[2] | (p[9] & 1) << 8);
    add(&b[SEQ], tcp, (uint32_t)(p[3] | p[4] << 8) * scale);
    add(&b[ACKNO], tcp, (uint32_t)(p[5] | p[6] << 8) * scale);
    add(&b[WINDOW], tcp, p[9] % 3 * 100);
    add(&b[HEADER], tcp, 20 + p[9] % 41);
    add(&b[TTL], ip, p[9]);
    add(&b[IPID], ip, p[10] % 3);
    add(&b[IPFLAGS], ip, p[10] & 8 ? NETFEAT_IP_MORE_FRAGMENTS : 0);
    add(&b[OFFSET], ip, later ? 8 : 0);
    add(&b[ITYPE], icmp, p[2]);
    add(&b[ICODE], icmp, p[9] & 1);
    add(&b[IID], icmp && (p[10] & 16), p[10] % 5);
    add(&b[QUALITY], 1, p[10] & 32 ? NETFEAT_QUALITY_BAD_L4_CHECKSUM : 0);
    add_bytes(&b[SMAC], ip, mac, 6);
    add_bytes(&b[DMAC], ip && p[9] & 2, mac, 6);
    add(&b[VLAN], p[1] >> 7, p[10] & 1);
    add(&b[TUNNEL], p[11] & 2, 1 + (p[11] >> 7));
    add(&b[TUNNELID], p[11] & 4, p[11] >> 6);
    add(&b[INTERFACE], 1, p[11] >> 3 & 1);
    add_bytes(&b[PAYLOAD], ports || icmp, bytes, payload < sizeof bytes ? payload : 7);
}

/* Packets first .. first + n - 1; their times and numbers go on from those before. */
static netfeat_table *make_table(netfeat_ctx *ctx, const uint8_t *p, size_t first, size_t n)
{
#define C(name, text, type) text,
    static const char *const names[WIDTH] = {COLUMNS};
#undef C
#define C(name, text, type) NETFEAT_TYPE_##type,
    static const int types[WIDTH] = {COLUMNS};
#undef C
    nf_builder b[WIDTH];
    netfeat_column *cols[WIDTH];
    netfeat_table *tab = NULL;
    uint64_t time = 0, number = 0;

    for (int c = 0; c < WIDTH; c++) {
        nf_builder_init(&b[c], ctx, types[c]);
    }
    for (size_t i = 0; i < first + n; i++, p += PACKET) {
        uint64_t step = UINT64_C(1) << (p[7] & 63);
        time += p[7] & 128 ? 0 - step : step;
        number += 1 + (p[10] >> 6);
        if (i >= first) {
            add_packet(b, p, number, (int64_t)time);
        }
    }
    for (int c = 0; c < WIDTH; c++) {
        require(nf_builder_finish(&b[c], "", "", "", &cols[c]) == 0, "a column is made");
    }
    require(nf_table_make(ctx, names, cols, WIDTH, 0, &tab) == 0, "a table is made");
    return tab;
}

/* ---- settings ---- */

static int64_t duration(uint8_t byte)
{
    return byte == 0 ? 0 : INT64_C(1) << (byte % 63);
}

static void set(netfeat_options *opts, int key, int64_t value)
{
    require(netfeat_options_set_int(opts, key, value) == 0, "an option can be set");
}

static netfeat_options *settings(netfeat_ctx *ctx, const uint8_t *p)
{
    netfeat_options *opts = NULL;

    require(netfeat_options_new(ctx, &opts) == 0, "options");
    require(netfeat_options_set_text(opts, NETFEAT_OPT_FLOW_PROFILE, netfeat_flow_profile_name(p[0] % 6)) ==
                0,
            "profile");
    require(netfeat_options_set_text(opts, NETFEAT_OPT_FLOW_COLUMNS, p[0] & 64 ? "*" : "") == 0, "columns");
    require(netfeat_options_set_text(opts, NETFEAT_OPT_FLOW_ORDER, p[0] & 128 ? "key" : "first") == 0,
            "order");
    set(opts, NETFEAT_OPT_FLOW_BIDIRECTIONAL, p[1] & 1);
    set(opts, NETFEAT_OPT_FLOW_END_ON_FIN_RST, p[1] >> 1 & 1);
    set(opts, NETFEAT_OPT_FLOW_KEY_VLAN, p[1] >> 2 & 1);
    set(opts, NETFEAT_OPT_FLOW_KEY_TUNNEL, p[1] >> 3 & 1);
    set(opts, NETFEAT_OPT_FLOW_KEY_LINK, p[1] >> 4 & 1);
    set(opts, NETFEAT_OPT_FLOW_IDLE_NS, p[1] & 32 ? -1 : duration(p[2]));
    set(opts, NETFEAT_OPT_FLOW_ACTIVE_NS, p[1] & 64 ? -1 : duration(p[3]));
    set(opts, NETFEAT_OPT_FLOW_LINGER_NS, duration(p[4]));
    set(opts, NETFEAT_OPT_FLOW_ACTIVITY_NS, duration(p[5]) + 1);
    set(opts, NETFEAT_OPT_FLOW_SUBFLOW_NS, duration(p[6]) + 1);
    set(opts, NETFEAT_OPT_FLOW_MAX_OPEN, p[7] % 16);
    set(opts, NETFEAT_OPT_FLOW_MAX_FRAGMENTS, p[8] % 4);
    set(opts, NETFEAT_OPT_FLOW_FIRST_PACKETS, 1 + p[8] / 4 % 8);
    return opts;
}

/* ---- what is compared ---- */

static uint64_t digest_of(const netfeat_table *tab)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    char text[256];
    size_t length = 0;

    for (int c = 0; c < netfeat_table_width(tab); c++) {
        const netfeat_column *col = netfeat_table_column(tab, c);
        for (int64_t row = 0; row < netfeat_table_rows(tab); row++) {
            int there = netfeat_column_get_text(col, row, text, sizeof text, &length);
            require(there >= 0, "a cell has a text");
            digest = (digest ^ (uint64_t)there ^ length << 8) * UINT64_C(0x100000001b3);
            for (const char *p = text; *p != '\0'; p++) {
                digest = (digest ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
            }
        }
    }
    return digest;
}

static uint64_t finish(netfeat_flows *fl)
{
    netfeat_table *out = NULL;
    uint64_t digest;

    require(netfeat_flows_end(fl) == 0, "flows can be ended");
    require(netfeat_flows_take_all(fl, &out) == 0, "flows can be taken");
    require(netfeat_flows_count(fl, NETFEAT_FLOWS_OPEN) == 0, "none is open at the end");
    digest = digest_of(out);
    netfeat_table_unref(out);
    return digest;
}

static netfeat_flows *new_flows(netfeat_ctx *ctx, const netfeat_options *opts, uint64_t secret)
{
    netfeat_flows *fl = NULL;

    nf_ctx_set_secret_seed(ctx, secret);
    require(netfeat_flows_new(ctx, opts, &fl) == 0, netfeat_ctx_error_message(ctx));
    return fl;
}

static void feed(netfeat_ctx *ctx, netfeat_flows *fl, const uint8_t *p, size_t first, size_t n)
{
    netfeat_table *in = make_table(ctx, p, first, n);
    netfeat_column *ids = NULL;
    int64_t before = netfeat_flows_count(fl, NETFEAT_FLOWS_ACCOUNTED);

    require(netfeat_flows_feed(fl, in, &ids) == 0, netfeat_ctx_error_message(ctx));
    require(netfeat_column_length(ids) - netfeat_column_nulls(ids) ==
                netfeat_flows_count(fl, NETFEAT_FLOWS_ACCOUNTED) - before,
            "a flow id for each packet that is in a flow");
    netfeat_column_unref(ids);
    netfeat_table_unref(in);
}

static uint64_t sum_of(const netfeat_table *tab, const char *name)
{
    int at = netfeat_table_find(tab, name);
    const uint64_t *values = at >= 0 ? netfeat_column_data(netfeat_table_column(tab, at)) : NULL;
    uint64_t sum = 0;

    for (int64_t i = 0; values != NULL && i < netfeat_table_rows(tab); i++) {
        sum += values[i];
    }
    return sum;
}

/* In one piece; *ret_evicted: how many were. */
static uint64_t whole(netfeat_ctx *ctx, const netfeat_options *opts, const uint8_t *p, size_t n,
                      int64_t *ret_evicted)
{
    netfeat_flows *fl = new_flows(ctx, opts, SECRET_ONE);
    int64_t most = 0;
    netfeat_table *out = NULL;
    uint64_t digest, sum;
    int64_t accounted;

    require(netfeat_options_get_int(opts, NETFEAT_OPT_FLOW_MAX_OPEN, &most) == 0, "an option can be read");
    feed(ctx, fl, p, 0, n);
    accounted = netfeat_flows_count(fl, NETFEAT_FLOWS_ACCOUNTED);
    require(netfeat_flows_count(fl, NETFEAT_FLOWS_PACKETS) == (int64_t)n, "packets = rows");
    require(accounted + netfeat_flows_count(fl, NETFEAT_FLOWS_LEFT_OUT) == (int64_t)n,
            "in a flow or left out");
    require(most == 0 || netfeat_flows_count(fl, NETFEAT_FLOWS_OPEN) <= most, "no more are open than may be");
    *ret_evicted = netfeat_flows_count(fl, NETFEAT_FLOWS_EVICTED);
    require(netfeat_flows_end(fl) == 0 && netfeat_flows_take_all(fl, &out) == 0, "flows can be taken");
    sum = sum_of(out, "packets") + sum_of(out, "Number of Packets") + sum_of(out, "bidirectional_packets");
    require(sum == 0 || sum == (uint64_t)accounted, "each packet is in one flow");
    digest = digest_of(out);
    netfeat_table_unref(out);
    netfeat_flows_unref(fl);
    return digest;
}

static netfeat_flows *saved_and_loaded(netfeat_ctx *ctx, const netfeat_options *opts, netfeat_flows *fl)
{
    netfeat_table *state = NULL;
    netfeat_flows *loaded = NULL;

    require(netfeat_flows_to_table(fl, &state) == 0, "the state is a table");
    nf_ctx_set_secret_seed(ctx, SECRET_TWO);
    require(netfeat_flows_from_table(ctx, opts, state, &loaded) == 0, netfeat_ctx_error_message(ctx));
    netfeat_table_unref(state);
    netfeat_flows_unref(fl);
    return loaded;
}

static uint64_t in_batches(netfeat_ctx *ctx, const netfeat_options *opts, const uint8_t *p, size_t n,
                           size_t batch)
{
    netfeat_flows *fl = new_flows(ctx, opts, SECRET_TWO);
    uint64_t digest;

    for (size_t first = 0; first < n; first += batch) {
        feed(ctx, fl, p, first, n - first < batch ? n - first : batch);
        if (first / batch % 4 == 1) {
            fl = saved_and_loaded(ctx, opts, fl);
        }
    }
    digest = finish(fl);
    netfeat_flows_unref(fl);
    return digest;
}

/* The first `cut` packets and the rest, merged; 0 if that was refused. */
static int in_shards(netfeat_ctx *ctx, const netfeat_options *opts, const uint8_t *p, size_t n, size_t cut,
                     int swapped, uint64_t *ret)
{
    netfeat_flows *a = new_flows(ctx, opts, SECRET_ONE), *b = new_flows(ctx, opts, SECRET_TWO);
    int code;

    feed(ctx, a, p, 0, cut);
    feed(ctx, b, p, cut, n - cut);
    code = swapped ? netfeat_flows_merge(b, a) : netfeat_flows_merge(a, b);
    require(code == 0 || code == NETFEAT_ERR_UNSUPPORTED || code == NETFEAT_ERR_STATE ||
                code == NETFEAT_ERR_LIMIT,
            netfeat_ctx_error_message(ctx));
    if (code == 0) {
        *ret = finish(swapped ? b : a);
    }
    netfeat_flows_unref(a);
    netfeat_flows_unref(b);
    return code == 0;
}

/* A state with a byte changed here and there: refused, or a table of flows like any other. */
static void stranger(netfeat_ctx *ctx, const netfeat_options *opts, const uint8_t *p, size_t n, uint64_t dice)
{
    netfeat_flows *fl = new_flows(ctx, opts, SECRET_ONE), *loaded = NULL;
    netfeat_table *state = NULL;
    const netfeat_column *col;
    uint8_t *written;
    int64_t bytes;

    feed(ctx, fl, p, 0, n);
    require(netfeat_flows_to_table(fl, &state) == 0, "the state is a table");
    col = netfeat_table_column(state, netfeat_table_find(state, "state"));
    written = (uint8_t *)(uintptr_t)col->data; /* nobody else holds it */
    bytes = col->offsets[netfeat_table_rows(state)];
    for (int i = 0; i < 3 && bytes > 0; i++) {
        dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407U;
        written[(dice >> 20) % (uint64_t)bytes] ^= (uint8_t)(1U << (dice >> 60 & 7));
    }
    if (netfeat_flows_from_table(ctx, opts, state, &loaded) == 0) {
        netfeat_table *in = make_table(ctx, p, 0, n);
        (void)netfeat_flows_feed(loaded, in, NULL); /* RANGE when the state is said to stand behind it */
        (void)netfeat_flows_merge(fl, loaded);
        (void)netfeat_flows_expire(loaded, (int64_t)dice);
        (void)finish(loaded);
        netfeat_table_unref(in);
    }
    netfeat_flows_unref(loaded);
    netfeat_flows_unref(fl);
    netfeat_table_unref(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts;
    const uint8_t *p = data + HEAD;
    size_t n, cut;
    uint64_t digest, other = 0, hash = UINT64_C(0xcbf29ce484222325);
    int64_t evicted = 0;

    if (size < HEAD + PACKET || netfeat_ctx_new(&ctx) != 0) {
        return 0;
    }
    n = (size - HEAD) / PACKET < PACKETS ? (size - HEAD) / PACKET : PACKETS;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
    }
    opts = settings(ctx, data);
    digest = whole(ctx, opts, p, n, &evicted);
    require(in_batches(ctx, opts, p, n, 1 + data[9] % 70) == digest, "batches give what the whole gives");
    cut = (size_t)(hash >> 32) % (n + 1);
    if (in_shards(ctx, opts, p, n, cut, (int)(hash >> 31 & 1), &other) && evicted == 0) {
        require(other == digest, "shards give what the whole gives");
    }
    stranger(ctx, opts, p, n, hash);
    netfeat_options_unref(opts);
    require(netfeat_ctx_memory_used(ctx) < 65536, "nothing is left");
    netfeat_ctx_unref(ctx);
    return 0;
}
