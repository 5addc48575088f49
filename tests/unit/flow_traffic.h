/* flow_traffic.h - traffic at random for tests of flows, the same for the same seed. */
#ifndef TESTS_FLOW_TRAFFIC_H
#define TESTS_FLOW_TRAFFIC_H

#include "flow_check.h"

static uint64_t seed;
static inline int dice(int n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (int)((seed >> 33) % (uint64_t)n);
}

/* Traffic of 12 hosts with everything that ends flows, long pauses, fragments, ICMP, packets out of order. */
static inline pkt *traffic(size_t n, uint64_t with, bool fragments)
{
    static const int flags[] = {SYN, SYN | ACK, ACK, ACK, ACK | PSH, ACK | FIN, RST, ACK, ACK};
    pkt *p = calloc(n, sizeof *p);
    int64_t now = 1000 * SEC;

    seed = with;
    for (size_t i = 0; i < n; i++) {
        int kind = dice(20);
        now += dice(30) == 0 ? dice(200) * SEC : dice(2000) * MS;
        p[i] = (pkt){.t = now - (dice(40) == 0 ? dice(3000) * MS : 0),
                     .from = (char)('A' + dice(4)),
                     .to = (char)('E' + dice(4)),
                     .sport = 1000 + dice(3),
                     .dport = 80,
                     .protocol = TCP,
                     .flags = flags[dice(9)],
                     .seq = (uint32_t)dice(400),
                     .ack = (uint32_t)dice(400),
                     .payload = dice(3) * 50,
                     .window = dice(5),
                     .ttl = 50 + dice(9),
                     .byte = dice(256)};
        p[i].no_time = dice(60) == 0;
        if (dice(2) == 0) {
            char host = p[i].from;
            int port = p[i].sport;
            p[i].from = p[i].to, p[i].to = host, p[i].sport = p[i].dport, p[i].dport = port;
        }
        if (kind < 4) {
            p[i].protocol = UDP;
            p[i].ip_id = dice(5);
            p[i].more = fragments && dice(3) == 0;
            p[i].offset = fragments && dice(3) == 0 ? 100 : 0;
        } else if (kind < 6) {
            p[i].protocol = ICMP;
            p[i].icmp_type = (int[]){0, 8, 3}[dice(3)];
        } else if (kind == 6) {
            p[i].protocol = 0;
        }
    }
    return p;
}

#define SETTINGS "flow.active_ns=600000000000 flow.first_packets=4 "

/* A table of flows fed with n packets from the first one on. */
static inline netfeat_flows *slice(netfeat_ctx *ctx, const char *options, const pkt *p, size_t first,
                                   size_t n)
{
    netfeat_flows *fl = flows_make(ctx, options);

    flows_eat(ctx, fl, p, first, n, NULL);
    return fl;
}

#endif
