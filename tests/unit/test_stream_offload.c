/* Hosts whose checksums are left to their card: the answers depend on the packets alone, not on the secret of the context, and
   are those of a list that is searched from end to end; however many hosts there are, memory is bounded. */
#include <criterion/criterion.h>

#include <string.h>

#include "base/context.h"
#include "stream/offload.h"
#include "stream/streams.h"

#define MOST 16384 /* hosts that are remembered */

static uint64_t random_state;

static uint32_t next_random(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(random_state >> 33) % below;
}

static void make_address(uint8_t address[16], uint32_t host)
{
    memset(address, 0, 16);
    memcpy(address + 12, &host, sizeof host);
}

/* The plainest form: the last MOST hosts in order of their first packet since they were forgotten. */
typedef struct {
    int32_t place[4 * MOST]; /* of a host in bad, -1: not there */
    uint32_t host[MOST];
    uint8_t bad[MOST];
    uint32_t n;
    uint64_t found, forgotten;
} plain;

static int note(plain *p, uint32_t host, bool bad)
{
    int32_t at = p->place[host];

    if (at < 0) {
        at = (int32_t)(p->n % MOST);
        if (p->n++ >= MOST) {
            p->place[p->host[at]] = -1;
            p->forgotten++;
        }
        p->place[host] = at;
        p->host[at] = host;
        p->bad[at] = 0;
    }
    if (!bad) {
        p->bad[at] = p->bad[at] < 16 ? 255 : p->bad[at];
        return 1;
    }
    if (p->bad[at] < 16) {
        p->bad[at]++;
        p->found += p->bad[at] == 16;
    }
    return p->bad[at] != 255;
}

static void compare(uint64_t secret, uint32_t hosts, int packets)
{
    static plain p;
    uint64_t totals[NF_TOTALS] = {0};
    netfeat_ctx *ctx = NULL;
    nf_offload *table = NULL;

    memset(&p, 0, sizeof p);
    memset(p.place, 0xff, sizeof p.place);
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    nf_ctx_set_secret_seed(ctx, secret);
    cr_assert_eq(nf_offload_new(ctx, totals, &table), 0);
    random_state = 1;
    for (int i = 0; i < packets; i++) {
        uint32_t host = next_random(4) != 0 ? next_random(hosts) : next_random(50); /* some say more */
        bool bad = host % 3 == 0 || (host % 3 == 1 && next_random(20) == 0);
        uint8_t address[16];

        make_address(address, host);
        cr_assert_eq(nf_offload_note(table, address, bad), note(&p, host, bad), "packet %d of %u hosts", i,
                     hosts);
    }
    cr_expect_eq(totals[NF_TOTAL_OFFLOAD_ENDPOINTS], p.found);
    cr_expect_eq(totals[NF_TOTAL_OFFLOAD_FORGOTTEN], p.forgotten);
    cr_expect_eq(p.forgotten > 0, hosts > MOST);
    cr_expect_gt(p.found, 0);
    cr_expect_leq(netfeat_ctx_memory_peak(ctx), 2 << 20);
    nf_offload_free(table);
    netfeat_ctx_unref(ctx);
}

Test(stream_offload, the_packets_alone_decide)
{
    for (uint64_t secret = 1; secret <= 3; secret++) {
        compare(secret, 100, 20000);
        compare(secret, MOST - 1, 200000);
        compare(secret, 4 * MOST, 400000);
    }
}
