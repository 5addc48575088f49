/* Random packet scripts against the naive reassembler, and overlaps against a live kernel's answers.
   NETFEAT_SCRIPTS=N runs N scripts instead of a few thousand. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/context.h"
#include "naive_reassembler.h"
#include "random_script.h"

static void compare(const script_case *c, netfeat_ctx *ctx, unsigned long number)
{
    script_how how = {ctx,
                      number % 16 == 15   ? SCRIPT_SOURCES(7)
                      : number % 16 == 14 ? SCRIPT_SOURCE
                                          : SCRIPT_PACKETS,
                      number % 2 == 1, false};
    script_text events = {NULL, 0, 0}, dump = {NULL, 0, 0};
    script_result r;

    naive_run(c, &events);
    script_run(c, &how, &r);
    if (r.code != 0 || r.broken != NULL || strcmp(events.p, r.events.p) != 0) {
        script_dump(c, &dump);
        cr_assert_fail("script %lu: code %d, %s\n%s--- library\n%s--- naive\n%s", number, r.code,
                       r.broken != NULL ? r.broken : "", dump.p, r.events.p, events.p);
    }
    script_result_free(&r);
    free(events.p);
}

Test(stream_model, random_scripts)
{
    const char *wanted = getenv("NETFEAT_SCRIPTS");
    unsigned long n = wanted != NULL ? strtoul(wanted, NULL, 10) : 6000;
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (unsigned long i = 0; i < n; i++) {
        choices from = {NULL, 0, (i + 1) * UINT64_C(0x9e3779b97f4a7c15)};
        script_case *c = random_script(&from, i % 3 != 0, i % 50 == 0 ? 1000 : 60);
        nf_ctx_set_secret_seed(ctx, i);
        compare(c, ctx, i);
        script_free(c, 1);
    }
    printf("# %lu random scripts, no difference to the naive reassembler\n", n);
    netfeat_ctx_unref(ctx);
}

/* ---- overlaps ---- */

#define UNIT 3
#define BASE 1 /* units of the hole in front */

typedef struct {
    int s, e;
} interval;

static void add_segment(script_case *c, int s, int e, char letter)
{
    script_packet *p = script_add(c);

    p->flags = NETFEAT_TCP_ACK | NETFEAT_TCP_PSH;
    p->seq = c->isn[0] + 1 + (uint32_t)s;
    p->ack = c->isn[1] + 1;
    p->len = p->captured = (uint32_t)(e - s);
    p->data = malloc(p->len);
    memset(p->data, letter, p->len);
}

/* A hole, then these segments, then everything else filled with dots: who owns the units? */
static void ask(netfeat_ctx *ctx, int policy, const interval *segs, int n, int unit, int shift, char *answer)
{
    size_t cases = 0;
    script_case *c = script_parse("case overlap\nset stream.max_segments 1000\nhs\n", &cases);
    script_how how = {ctx, SCRIPT_PACKETS, false, false};
    script_result r;
    int last = 0, hole = BASE * unit + shift;

    script_set(c, NETFEAT_OPT_STREAM_POLICY, policy);
    for (int i = 0; i < n; i++) {
        add_segment(c, hole + segs[i].s * unit, hole + segs[i].e * unit, (char)('A' + i));
        last = segs[i].e > last ? segs[i].e : last;
    }
    add_segment(c, 0, hole, '.');
    for (int at = 0; at < last;
         at++) { /* a copy of what is there changes nothing; what is missing comes now */
        add_segment(c, hole + at * unit, hole + (at + 1) * unit, '.');
    }
    script_run(c, &how, &r);
    cr_assert(r.code == 0 && r.broken == NULL && r.bytes[0].size == (size_t)(hole + last * unit), "%s",
              r.events.p);
    for (int at = 0; at < last; at++) {
        const char *p = r.bytes[0].p + hole + at * unit;
        for (int k = 1; k < unit; k++) {
            cr_assert_eq(p[k], p[0]);
        }
        answer[at] = p[0];
    }
    answer[last] = '\0';
    script_result_free(&r);
    script_free(c, cases);
}

/* The nine ways in which two segments can overlap, shifted by 0 to 63 bytes: a Linux receiver's answer. */
Test(stream_model, linux_pairs)
{
    static const struct {
        interval a, b;
        const char *answer;
    } pairs[] = {
        {{1, 3}, {1, 3}, ".AA"}, {{1, 3}, {1, 2}, ".AA"}, {{1, 3}, {1, 4}, ".BBB"},
        {{1, 3}, {2, 3}, ".AA"}, {{1, 3}, {0, 3}, "BBB"}, {{0, 3}, {1, 2}, "AAA"},
        {{1, 2}, {0, 3}, "BBB"}, {{1, 3}, {0, 2}, "BBA"}, {{0, 2}, {1, 3}, "AAB"},
    };
    netfeat_ctx *ctx = NULL;
    char answer[8];

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        for (int shift = 0; shift < 64; shift++) {
            interval segs[2] = {pairs[i].a, pairs[i].b};
            ask(ctx, NETFEAT_OVERLAP_LINUX, segs, 2, 8, shift, answer);
            cr_expect_str_eq(answer, pairs[i].answer, "pair %zu, shift %d", i, shift);
        }
    }
    netfeat_ctx_unref(ctx);
}

/* All triples on a grid of five units, as a Linux 6.18 receiver answered them. */
Test(stream_model, linux_triples)
{
    FILE *f = fopen(TEST_SOURCE_DIR "/stream/linux_triples.txt", "r");
    interval list[15];
    netfeat_ctx *ctx = NULL;
    int n = 0, asked = 0, same = 0;
    char answer[8], kernel[8], line[256];

    cr_assert_not_null(f);
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (int s = 0; s < 5; s++) {
        for (int e = s + 1; e <= 5; e++) {
            list[n++] = (interval){s, e};
        }
    }
    for (int i = 0; i < 3; i++) {
        cr_assert_not_null(fgets(line, sizeof line, f)); /* what the file says about itself */
    }
    for (int i = 0; i < 15 * 15 * 15; i++) {
        interval segs[3] = {list[i / 225], list[i / 15 % 15], list[i % 15]};
        cr_assert_eq(fscanf(f, "%7s", kernel), 1);
        ask(ctx, NETFEAT_OVERLAP_LINUX, segs, 3, UNIT, 0, answer);
        asked++;
        same += strcmp(answer, kernel) == 0;
    }
    fclose(f);
    netfeat_ctx_unref(ctx);
    printf("# %d of %d triples as a Linux 6.18 receiver answered: %.2f %%\n", same, asked,
           100.0 * same / asked);
    cr_expect_geq(same * 1000, asked * 990, "%d of %d", same, asked);
}
