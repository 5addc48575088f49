/* Two shards at random and the whole: merged they are the same, or refused. What is remembered of fragments, which
   acknowledgement is the highest, which end of a connection came first.
   NETFEAT_SCRIPTS=N runs N connections instead of some thousands. */
#include "flow_traffic.h"

#include <stdint.h>

static netfeat_ctx *ctx;

static void set_up(void)
{
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
}

static void tear_down(void)
{
    netfeat_ctx_unref(ctx);
}
TestSuite(flow_shards, .init = set_up, .fini = tear_down);

/* Datagrams in pieces between few hosts, their numbers used again and again. No piece comes without a first fragment of
   its datagram in its own shard: which shard, says `part`. */
static pkt *pieces(size_t n, uint64_t with, size_t cut, uint8_t *part)
{
    pkt *p = calloc(n, sizeof *p);
    bool seen[2][3][5] = {{{false}}};

    seed = with;
    for (size_t i = 0; i < n; i++) {
        int pair = dice(3), id = dice(1 + (int)(with % 5)), shard = cut > 0 ? i >= cut : pair % 2;
        bool later = seen[shard][pair][id] && dice(with % 3 == 0 ? 20 : 2) == 0;
        p[i] = (pkt){.t = (int64_t)i * MS,
                     .from = (char)('A' + pair),
                     .to = 'E',
                     .sport = 1000 + dice(3),
                     .dport = 53,
                     .protocol = UDP,
                     .ip_id = id,
                     .more = !later,
                     .offset = later ? 100 : 0,
                     .payload = 10};
        seen[shard][pair][id] = true;
        part[i] = (uint8_t)shard;
    }
    return p;
}

static netfeat_flows *part_of(const char *options, const pkt *p, size_t n, const uint8_t *part, int which)
{
    uint8_t mine[400];
    netfeat_flows *fl = flows_make(ctx, options);

    for (size_t i = 0; i < n; i++) {
        mine[i] = part[i] == which;
    }
    flows_eat(ctx, fl, p, 0, n, mine);
    return fl;
}

/* As many datagrams are remembered as the option says, whether they are in one shard or two; where that cannot be known,
   the merge is refused. With fragments that follow, fed to what was merged. */
Test(flow_shards, fragments_of_shards)
{
    enum { N = 60, MORE = 20 };
    int merged[2] = {0}, refused[2] = {0};

    for (uint64_t with = 1; with <= 200; with++) {
        uint8_t part[N + MORE];
        size_t by_time = (size_t)(with % 2);
        pkt *p = pieces(N + MORE, with, by_time ? 10 + (size_t)(with % 40) : 0, part);
        char options[256];
        netfeat_flows *a, *b;
        int code;

        snprintf(options, sizeof options,
                 "flow.end_on_fin_rst=0 flow.idle_ns=0 flow.active_ns=0 flow.max_fragments=%d "
                 "flow.columns=flow_id,packets,fragments,src_port,last_packet",
                 (int)(1 + with / 2 % 16));
        a = part_of(options, p, N, part, with / 4 % 2 ? 1 : 0);
        b = part_of(options, p, N, part, with / 4 % 2 ? 0 : 1);
        code = netfeat_flows_merge(a, b);
        if (code == 0) {
            netfeat_table *whole = flows_of(ctx, options, p, N + MORE), *out;
            flows_eat(ctx, a, p, N, MORE, NULL);
            out = flows_finish(ctx, netfeat_flows_ref(a));
            expect_same(whole, out, options);
            netfeat_table_unref(whole);
            netfeat_table_unref(out);
            merged[by_time]++;
        } else {
            cr_assert_eq(code, NETFEAT_ERR_UNSUPPORTED);
            cr_expect(strstr(netfeat_ctx_error_message(ctx), "fragments of one shard") != NULL ||
                          strstr(netfeat_ctx_error_message(ctx), "datagrams of one shard") != NULL,
                      "%s", netfeat_ctx_error_message(ctx));
            refused[by_time]++;
        }
        netfeat_flows_unref(a);
        netfeat_flows_unref(b);
        free(p);
    }
    cr_expect(merged[0] > 20 && merged[1] > 20 && refused[0] > 20 && refused[1] > 10,
              "merged %d and %d, refused %d and %d", merged[0], merged[1], refused[0], refused[1]);
}

/* A connection whose numbers jump by quarters of their circle, or (tame) go on by little, with a FIN of each side and a SYN
   behind them: whether it was over by then depends on which number counts as the highest. */
static size_t talk_that_jumps(pkt *p, uint64_t with, bool tame)
{
    static const uint32_t steps[] = {0,        1,       7, 1U << 29, (1U << 30) - 1, 1U << 30, (1U << 31) - 1,
                                     1U << 31, 3U << 30};
    uint32_t number[2];
    size_t n = 0;

    seed = with;
    number[0] = (uint32_t)dice(1000);
    number[1] = (uint32_t)dice(1000) << 22;
    for (int i = 0; i < 14; i++) {
        int side = dice(2);
        int fin = i > 5 && dice(4) == 0 ? FIN : 0;
        number[!side] += steps[dice(tame ? 3 : 9)];
        p[n++] = (pkt){.t = i * MS,
                       .from = side == 0 ? 'A' : 'B',
                       .to = side == 0 ? 'B' : 'A',
                       .sport = side == 0 ? 1000 : 80,
                       .dport = side == 0 ? 80 : 1000,
                       .protocol = TCP,
                       .flags = ACK | fin,
                       .seq = number[side],
                       .ack = number[!side] + (dice(8) == 0 ? 1 : 0)};
        number[side] += fin != 0;
    }
    p[n++] = (pkt){.t = SEC,
                   .from = 'A',
                   .to = 'B',
                   .sport = 1000,
                   .dport = 80,
                   .protocol = TCP,
                   .flags = SYN,
                   .seq = 5};
    return n;
}

Test(flow_shards, acknowledgements_that_jump)
{
    const char *options = "flow.columns=flow_id,packets,end_reason,last_packet";
    int merged[2] = {0}, refused[2] = {0}, closed = 0;

    for (uint64_t with = 1; with <= 20000; with++) {
        bool tame = with % 2 == 0;
        pkt p[16];
        size_t n = talk_that_jumps(p, with, tame), cut = 1 + (size_t)(with / 2 % (n - 2));
        netfeat_flows *a = slice(ctx, options, p, 0, cut), *b = slice(ctx, options, p, cut, n - cut);
        int code = netfeat_flows_merge(with % 3 == 0 ? b : a, with % 3 == 0 ? a : b);

        if (code == 0) {
            netfeat_table *whole = flows_of(ctx, options, p, n);
            netfeat_table *out = flows_finish(ctx, netfeat_flows_ref(with % 3 == 0 ? b : a));
            expect_same(whole, out, options);
            closed += strcmp(cell(whole, "end_reason", 0), cell(whole, "end_reason", 1)) != 0 ? 1 : 0;
            netfeat_table_unref(whole);
            netfeat_table_unref(out);
            merged[tame]++;
        } else {
            cr_assert_eq(code, NETFEAT_ERR_UNSUPPORTED);
            refused[tame]++;
        }
        netfeat_flows_unref(a);
        netfeat_flows_unref(b);
    }
    cr_expect(merged[0] > 100 && merged[1] > 2000 && refused[0] > 2000 && refused[1] > 500 && closed > 500,
              "merged %d and %d, refused %d and %d, closed %d", merged[0], merged[1], refused[0], refused[1],
              closed);
}

/* One connection of random flags, small numbers that meet each other, pauses that time-outs fall into. */
static size_t talk_that_ends(pkt *p, uint64_t with, size_t n)
{
    static const int flags[] = {ACK, ACK,       ACK, ACK,       ACK | FIN,       ACK | FIN, FIN,
                                RST, RST | ACK, SYN, SYN | ACK, SYN | FIN | ACK, 0};
    static const int64_t pauses[] = {MS, MS, MS, 500 * MS, 3 * SEC, 20 * SEC, 200 * SEC, -SEC};
    int64_t now = 1000 * SEC;

    seed = with;
    for (size_t i = 0; i < n; i++) {
        int side = dice(2);
        now += pauses[dice(with % 4 == 0 ? 8 : 4)];
        p[i] = (pkt){.t = now,
                     .from = side == 0 ? 'A' : 'B',
                     .to = side == 0 ? 'B' : 'A',
                     .sport = side == 0 ? 1000 : 80,
                     .dport = side == 0 ? 80 : 1000,
                     .protocol = TCP,
                     .flags = flags[dice(13)],
                     .seq = (uint32_t)dice(4),
                     .ack = (uint32_t)dice(5),
                     .payload = dice(2),
                     .no_time = dice(30) == 0};
    }
    return n;
}

/* Sender, flags, numbers and milliseconds of each packet, with a bar at the cut. */
static const char *script_of(const pkt *p, size_t n, size_t cut)
{
    static char text[1024];
    int at = 0;

    for (size_t i = 0; i < n; i++) {
        at += snprintf(text + at, sizeof text - (size_t)at, " %s%c%s%s%s%s seq %u ack %u len %d t %lld%s",
                       i == cut ? "| " : "", p[i].from, p[i].flags & SYN ? "S" : "",
                       p[i].flags & FIN ? "F" : "", p[i].flags & RST ? "R" : "", p[i].flags & ACK ? "." : "",
                       p[i].seq, p[i].ack, p[i].payload, (long long)(p[i].t / MS), p[i].no_time ? "-" : "");
    }
    return text;
}

Test(flow_shards, connections_that_end)
{
    static const char *const rules[] = {"",
                                        "flow.linger_ns=1000000000",
                                        "flow.active_ns=30000000000",
                                        "flow.idle_ns=0 flow.active_ns=0",
                                        "flow.idle_ns=0 flow.linger_ns=0",
                                        "flow.profile=zeek flow.columns=ts,duration,orig_pkts,resp_pkts"};
    enum { N = 9 };
    const char *more = getenv("NETFEAT_SCRIPTS");
    uint64_t rounds = more != NULL ? strtoull(more, NULL, 10) : 20000;
    uint64_t merged = 0;

    for (uint64_t with = 1; with <= rounds; with++) {
        char options[256];
        pkt p[N];
        size_t n = talk_that_ends(p, with, 3 + (size_t)(with % (N - 2))),
               cut = 1 + (size_t)((with >> 3) % (n - 1));
        netfeat_flows *a, *b;
        snprintf(options, sizeof options, "%s %s",
                 strstr(rules[with % 6], "profile") == NULL
                     ? "flow.columns=flow_id,packets,end_reason,last_packet,direction_evidence,parent_id"
                     : "",
                 rules[with % 6]);
        a = slice(ctx, options + strspn(options, " "), p, 0, cut);
        b = slice(ctx, options + strspn(options, " "), p, cut, n - cut);
        if (netfeat_flows_merge(a, b) == 0) {
            netfeat_table *whole = flows_of(ctx, options + strspn(options, " "), p, n);
            netfeat_table *out = flows_finish(ctx, netfeat_flows_ref(a));
            char what[1500];
            snprintf(what, sizeof what, "%s:%s", options, script_of(p, n, cut));
            expect_same(whole, out, what);
            netfeat_table_unref(whole);
            netfeat_table_unref(out);
            merged++;
        }
        netfeat_flows_unref(a);
        netfeat_flows_unref(b);
    }
    cr_expect(merged > rounds / 10 && merged < rounds * 9 / 10, "merged %llu", (unsigned long long)merged);
}
