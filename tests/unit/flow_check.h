/* flow_check.h - for tests of flows: packet tables written down as rows, and short ways to look at results. */
#ifndef TESTS_FLOW_CHECK_H
#define TESTS_FLOW_CHECK_H

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "base/context.h"
#include "table/builder.h"
#include "table/table.h"

#define MS  INT64_C(1000000)
#define SEC INT64_C(1000000000)
#define FIN NETFEAT_TCP_FIN
#define SYN NETFEAT_TCP_SYN
#define RST NETFEAT_TCP_RST
#define PSH NETFEAT_TCP_PSH
#define ACK NETFEAT_TCP_ACK
enum { TCP = 6, UDP = 17, ICMP = 1, ICMP6 = 58, GRE = 47 };

/* One packet. Upper-case hosts are 10.0.0.<letter - 'A' + 1>, lower-case ones 2001:db8::<letter - 'a' + 1>. */
typedef struct {
    int64_t t; /* ns */
    char from, to;
    int sport, dport; /* TCP and UDP only */
    int protocol;     /* 0: not IP at all */
    int flags;
    uint32_t seq, ack;
    int payload; /* bytes; all of them are `byte` */
    int options; /* bytes behind the 20 of a TCP header */
    int window;
    int byte;
    int ttl; /* 0: 64 */
    int icmp_type, icmp_code, icmp_id;
    int ip_id, more; /* more: more fragments follow */
    int offset;      /* bytes; not 0: no ports */
    int vlan;        /* 0: none */
    int interface;
    int tunnel;    /* type; 0: none */
    int tunnel_id; /* 0: none */
    int quality;
    int no_time;
    uint64_t number; /* 0: counted on */
    int file;
} pkt;

#define PKT_COLUMNS                                                                                          \
    C(0, "packet_number", U64)                                                                               \
    C(1, "file_index", U32)                                                                                  \
    C(2, "timestamp", TIME_NS)                                                                               \
    C(3, "src_ip", BYTES16)                                                                                  \
    C(4, "dst_ip", BYTES16)                                                                                  \
    C(5, "src_port", U16)                                                                                    \
    C(6, "dst_port", U16)                                                                                    \
    C(7, "ip_protocol", U8)                                                                                  \
    C(8, "frame_length", U32)                                                                                \
    C(9, "ip_length", U32)                                                                                   \
    C(10, "l4_length", U32)                                                                                  \
    C(11, "payload_length", U32)                                                                             \
    C(12, "tcp_flags", U16)                                                                                  \
    C(13, "tcp_seq", U32)                                                                                    \
    C(14, "tcp_ack", U32)                                                                                    \
    C(15, "tcp_window", U16)                                                                                 \
    C(16, "tcp_header_length", U8)                                                                           \
    C(17, "ip_ttl", U8)                                                                                      \
    C(18, "ip_id", U32)                                                                                      \
    C(19, "ip_flags", U8)                                                                                    \
    C(20, "fragment_offset", U32)                                                                            \
    C(21, "icmp_type", U8)                                                                                   \
    C(22, "icmp_code", U8)                                                                                   \
    C(23, "icmp_id", U16)                                                                                    \
    C(24, "quality", U32)                                                                                    \
    C(25, "src_mac", BYTES6)                                                                                 \
    C(26, "dst_mac", BYTES6)                                                                                 \
    C(27, "vlan_id", U16)                                                                                    \
    C(28, "tunnel_type", U8)                                                                                 \
    C(29, "tunnel_id", U64)                                                                                  \
    C(30, "interface_id", U32)                                                                               \
    C(31, "payload", BYTES)
enum { PKT_WIDTH = 32 };

static inline void pkt_address(char host, uint8_t ip[16])
{
    static const uint8_t v4[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 0};
    static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8};

    memcpy(ip, host >= 'a' ? v6 : v4, 16);
    ip[15] = (uint8_t)(host >= 'a' ? host - 'a' + 1 : host - 'A' + 1);
}

static inline void pkt_add(nf_builder *b, bool present, uint64_t value)
{
    int code = present ? b->type == NETFEAT_TYPE_TIME_NS ? nf_builder_add_i64(b, (int64_t)value)
                                                         : nf_builder_add_u64(b, value)
                       : nf_builder_add_null(b);
    cr_assert_eq(code, 0);
}

static inline void pkt_add_bytes(nf_builder *b, bool present, const void *bytes, size_t n)
{
    cr_assert_eq(present ? nf_builder_add_bytes(b, bytes, n) : nf_builder_add_null(b), 0);
}

/* Addresses, ports and lengths of one packet. */
static inline void pkt_row(nf_builder *b, const pkt *p, uint64_t number)
{
    bool ip = p->protocol != 0;
    bool first = p->offset == 0;
    bool tcp = p->protocol == TCP && first, ports = (tcp || (p->protocol == UDP && first));
    bool icmp = (p->protocol == ICMP || p->protocol == ICMP6) && first;
    uint32_t l4 = (uint32_t)p->payload + (tcp ? 20 + (uint32_t)p->options : ports || icmp ? 8 : 0);
    uint32_t ip_header = p->from >= 'a' ? 40 : 20;
    uint8_t src[16], dst[16], bytes[2048], mac[6] = {2, 0, 0, 0, 0, 0};

    pkt_address(p->from, src);
    pkt_address(p->to, dst);
    memset(bytes, p->byte, sizeof bytes);
    pkt_add(&b[0], true, p->number != 0 ? p->number : number);
    pkt_add(&b[1], true, (uint64_t)p->file);
    pkt_add(&b[2], !p->no_time, (uint64_t)p->t);
    pkt_add_bytes(&b[3], ip, src, 16);
    pkt_add_bytes(&b[4], ip, dst, 16);
    pkt_add(&b[5], ports, (uint64_t)p->sport);
    pkt_add(&b[6], ports, (uint64_t)p->dport);
    pkt_add(&b[7], ip, (uint64_t)p->protocol);
    pkt_add(&b[8], true, ip ? 14 + ip_header + l4 : 60);
    pkt_add(&b[9], ip, ip_header + l4);
    pkt_add(&b[10], ip, l4);
    pkt_add(&b[11], ports || icmp, (uint64_t)p->payload);
    pkt_add(&b[12], tcp, (uint64_t)p->flags);
    pkt_add(&b[13], tcp, p->seq);
    pkt_add(&b[14], tcp, p->ack);
    pkt_add(&b[15], tcp, (uint64_t)p->window);
    pkt_add(&b[16], tcp, 20 + (uint64_t)p->options);
    pkt_add(&b[17], ip, p->ttl != 0 ? (uint64_t)p->ttl : 64);
    pkt_add(&b[18], ip, (uint64_t)p->ip_id);
    pkt_add(&b[19], ip, p->more ? NETFEAT_IP_MORE_FRAGMENTS : 0);
    pkt_add(&b[20], ip, (uint64_t)p->offset);
    pkt_add(&b[21], icmp, (uint64_t)p->icmp_type);
    pkt_add(&b[22], icmp, (uint64_t)p->icmp_code);
    pkt_add(&b[23], icmp && p->icmp_id != 0, (uint64_t)p->icmp_id);
    pkt_add(&b[24], true, (uint64_t)p->quality);
    mac[1] = mac[5] = (uint8_t)p->from;
    pkt_add_bytes(&b[25], ip, mac, 6);
    mac[1] = mac[5] = (uint8_t)p->to;
    pkt_add_bytes(&b[26], ip, mac, 6);
    pkt_add(&b[27], p->vlan != 0, (uint64_t)p->vlan);
    pkt_add(&b[28], p->tunnel != 0, (uint64_t)p->tunnel);
    pkt_add(&b[29], p->tunnel_id != 0, (uint64_t)p->tunnel_id);
    pkt_add(&b[30], true, (uint64_t)p->interface);
    pkt_add_bytes(&b[31], ports || icmp, bytes,
                  (size_t)p->payload < sizeof bytes ? (size_t)p->payload : sizeof bytes);
}

/* Rows first .. first + n - 1 of packets, numbered from first + 1 on, where which[i] is 1 (which NULL: all). */
static inline netfeat_table *pkt_table(netfeat_ctx *ctx, const pkt *packets, size_t first, size_t n,
                                       const uint8_t *which)
{
    static const char *const names[PKT_WIDTH] = {
#define C(i, name, type) [i] = name,
        PKT_COLUMNS
#undef C
    };
    static const int types[PKT_WIDTH] = {
#define C(i, name, type) [i] = NETFEAT_TYPE_##type,
        PKT_COLUMNS
#undef C
    };
    nf_builder b[PKT_WIDTH];
    netfeat_column *cols[PKT_WIDTH];
    netfeat_table *tab = NULL;

    for (int c = 0; c < PKT_WIDTH; c++) {
        nf_builder_init(&b[c], ctx, types[c]);
    }
    for (size_t i = first; i < first + n; i++) {
        if (which == NULL || which[i]) {
            pkt_row(b, &packets[i], i + 1);
        }
    }
    for (int c = 0; c < PKT_WIDTH; c++) {
        cr_assert_eq(nf_builder_finish(&b[c], "", "", "", &cols[c]), 0);
    }
    cr_assert_eq(nf_table_make(ctx, names, cols, PKT_WIDTH, 0, &tab), 0);
    return tab;
}

/* ---- options in one line: "flow.profile=zeek flow.idle_ns=0 flow.columns=packets,bytes" ---- */

static inline netfeat_options *flow_options(netfeat_ctx *ctx, const char *text)
{
    netfeat_options *opts = NULL;
    char *copy = strdup(text), *rest = NULL;

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) { /* in threads, too */
        char *value = strchr(word, '=');
        int key;
        *value++ = '\0';
        key = netfeat_option_by_name(word);
        cr_assert_gt(key, 0, "no option %s", word);
        if (netfeat_option_kind(key) == NETFEAT_KIND_TEXT) {
            cr_assert_eq(netfeat_options_set_text(opts, key, value), 0);
        } else {
            cr_assert_eq(netfeat_options_set_int(opts, key, strtoll(value, NULL, 10)), 0, "%s", word);
        }
    }
    free(copy);
    return opts;
}

static inline netfeat_flows *flows_make(netfeat_ctx *ctx, const char *options)
{
    netfeat_options *opts = flow_options(ctx, options);
    netfeat_flows *fl = NULL;

    cr_assert_eq(netfeat_flows_new(ctx, opts, &fl), 0, "%s", netfeat_ctx_error_message(ctx));
    netfeat_options_unref(opts);
    return fl;
}

static inline void flows_eat(netfeat_ctx *ctx, netfeat_flows *fl, const pkt *packets, size_t first, size_t n,
                             const uint8_t *which)
{
    netfeat_table *tab = pkt_table(ctx, packets, first, n, which);

    cr_assert_eq(netfeat_flows_feed(fl, tab, NULL), 0, "%s", netfeat_ctx_error_message(ctx));
    netfeat_table_unref(tab);
}

static inline netfeat_table *flows_finish(netfeat_ctx *ctx, netfeat_flows *fl)
{
    netfeat_table *out = NULL;

    cr_assert_eq(netfeat_flows_end(fl), 0);
    cr_assert_eq(netfeat_flows_take_all(fl, &out), 0, "%s", netfeat_ctx_error_message(ctx));
    netfeat_flows_unref(fl);
    return out;
}

static inline netfeat_table *flows_of(netfeat_ctx *ctx, const char *options, const pkt *packets, size_t n)
{
    netfeat_flows *fl = flows_make(ctx, options);

    flows_eat(ctx, fl, packets, 0, n, NULL);
    return flows_finish(ctx, fl);
}
#define FLOWS(ctx, options, packets) flows_of(ctx, options, packets, sizeof(packets) / sizeof(packets)[0])

/* A cell as text, "-" for NULL. */
static inline const char *cell(const netfeat_table *tab, const char *name, int64_t row)
{
    static char text[8][4096];
    static int next;
    char *buf = text[next++ % 8];
    int column = netfeat_table_find(tab, name);

    cr_assert_geq(column, 0, "no column %s", name);
    cr_assert_lt(row, netfeat_table_rows(tab));
    if (netfeat_column_get_text(netfeat_table_column(tab, column), row, buf, 4096, NULL) == 0) {
        strcpy(buf, "-");
    }
    return buf;
}

/* Several cells of a row against "name=value name=value ..."; a value may hold no blanks but '_' for them. */
static inline void expect_row(const netfeat_table *tab, int64_t row, const char *wanted)
{
    char *copy = strdup(wanted);
    char *state = NULL;

    for (char *word = strtok_r(copy, "\n", &state); word != NULL; word = strtok_r(NULL, "\n", &state)) {
        char *value = strchr(word, '=');
        cr_assert_not_null(value, "%s", word);
        *value++ = '\0';
        cr_expect_str_eq(cell(tab, word, row), value, "row %lld, %s: %s, not %s", (long long)row, word,
                         cell(tab, word, row), value);
    }
    free(copy);
}

/* As expect_row, and that no column which the profile offers is left out. */
static inline void expect_every(const char *profile, const netfeat_table *tab, int64_t row,
                                const char *wanted)
{
    const char *name;

    for (int i = 0; (name = netfeat_flow_column_name(profile, i)) != NULL; i++) {
        size_t n = strlen(name);
        const char *at = wanted;
        while (at != NULL && (strncmp(at, name, n) != 0 || at[n] != '=')) {
            at = strchr(at, '\n');
            at = at != NULL ? at + 1 : NULL;
        }
        cr_expect_not_null(at, "profile %s: no value of column %s is expected", profile, name);
    }
    expect_row(tab, row, wanted);
}

static inline void expect_same(const netfeat_table *a, const netfeat_table *b, const char *what)
{
    static char x[4096], y[4096];

    cr_assert_eq(netfeat_table_width(a), netfeat_table_width(b), "%s", what);
    cr_assert_eq(netfeat_table_rows(a), netfeat_table_rows(b), "%s: %lld and %lld rows", what,
                 (long long)netfeat_table_rows(a), (long long)netfeat_table_rows(b));
    for (int c = 0; c < netfeat_table_width(a); c++) {
        const char *name = netfeat_table_name(a, c);
        cr_assert_str_eq(name, netfeat_table_name(b, c));
        for (int64_t row = 0; row < netfeat_table_rows(a); row++) {
            int has_x = netfeat_column_get_text(netfeat_table_column(a, c), row, x, sizeof x, NULL);
            int has_y = netfeat_column_get_text(netfeat_table_column(b, c), row, y, sizeof y, NULL);
            if (has_x != has_y || (has_x != 0 && strcmp(x, y) != 0)) {
                cr_assert_fail("%s: row %lld, %s: %s and %s", what, (long long)row, name, has_x ? x : "-",
                               has_y ? y : "-");
            }
        }
    }
}

#endif
