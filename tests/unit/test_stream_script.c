/* The packet scripts of tests/stream/cases: the same events for both directions, any way of feeding the packets, and
   any hash secret; and when memory runs out, no more than the documented harm. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "naive_reassembler.h"
#include "script.h"
#include "torture.h"

#define CASES TEST_SOURCE_DIR "/stream/cases"

static const char *const policies[] = {"", "first", "last", "bsd", "linux", "oldlinux", "solaris", "windows"};

static int policy_number(const char *name)
{
    for (int i = 1; i < 8; i++) {
        if (strcmp(policies[i], name) == 0) {
            return i;
        }
    }
    cr_assert_fail("unknown policy %s", name);
    return 0;
}

/* A table knows nothing of checksums that were not asked for, nor of every TCP option. */
static bool fits_table(const script_case *c)
{
    for (size_t i = 0; i < c->n_packets; i++) {
        if (c->packets[i].bad_sum || c->packets[i].md5) {
            return false;
        }
    }
    return true;
}

typedef struct {
    size_t cases, mirrored, runs, policies;
} tally;

static void check_bytes(const script_case *c, script_how how, int dir, const script_bytes *b)
{
    script_case with_policy = *c;
    script_result r;

    script_set(&with_policy, NETFEAT_OPT_STREAM_POLICY, policy_number(b->policy));
    script_run(&with_policy, &how, &r);
    cr_expect(r.code == 0 && r.broken == NULL && r.bytes[dir].size == (size_t)b->from + strlen(b->text) &&
                  memcmp(r.bytes[dir].p + b->from, b->text, strlen(b->text)) == 0,
              "%s, policy %s, mode %d, swap %d, direction %d: code %d, %s\n%s", c->name, b->policy, how.mode,
              how.swap, dir, r.code, r.broken != NULL ? r.broken : "", r.events.p);
    script_result_free(&r);
}

static void check_events(const script_case *c, script_how how)
{
    const char *expected = c->expected != NULL ? c->expected : "";
    script_result r;

    script_run(c, &how, &r);
    cr_expect(r.code == 0 && r.broken == NULL && strcmp(r.events.p, expected) == 0,
              "%s, mode %d, swap %d: code %d, %s\n%sexpected\n%s", c->name, how.mode, how.swap, r.code,
              r.broken != NULL ? r.broken : "", r.events.p, expected);
    for (int i = 0; i < c->n_counts; i++) {
        cr_expect_eq(script_count(&r, c->counts[i].name), c->counts[i].value, "%s, mode %d: %s is %lld",
                     c->name, how.mode, c->counts[i].name, (long long)script_count(&r, c->counts[i].name));
    }
    script_result_free(&r);
}

static void check_case(const script_case *c, script_how how, int dir, tally *t)
{
    for (int k = 0; k < c->n_bytes; k++) {
        check_bytes(c, how, dir, &c->bytes[k]);
    }
    if (c->n_bytes == 0) {
        check_events(c, how);
    }
    t->runs += c->n_bytes > 0 ? (size_t)c->n_bytes : 1;
}

/* One packet at a time, all at once, in batches of each size; as packets of a source and as rows of a table. */
static void check_batches(const script_case *c, netfeat_ctx *ctx, bool swap, int dir, tally *t)
{
    for (size_t n = 0; n < 2 * c->n_packets + 2; n++) {
        int mode = n < SCRIPT_MODES ? (int)n : n % 2 == 0 ? SCRIPT_SOURCES(n / 2) : SCRIPT_TABLES(n / 2);
        script_how how = {ctx, mode, swap, false};

        if (fits_table(c) || (mode != SCRIPT_TABLE && (mode < SCRIPT_MODES || n % 2 == 0))) {
            check_case(c, how, dir, t);
        }
    }
}

Test(stream_script, every_case_in_every_way)
{
    tally t = {0};

    for (uint64_t seed = 1; seed <= 2; seed++) {
        size_t n = 0;
        script_case *cases = script_load(CASES, &n);
        netfeat_ctx *ctx = NULL;

        cr_assert_eq(netfeat_ctx_new(&ctx), 0);
        nf_ctx_set_secret_seed(ctx, seed);
        t.cases = n;
        for (size_t i = 0; i < n; i++) {
            check_batches(&cases[i], ctx, seed == 2, 0, &t);
            if (script_mirror(&cases[i])) {
                check_batches(&cases[i], ctx, seed == 2, 1, &t);
                t.mirrored += seed == 1;
            }
            t.policies += seed == 1 ? (size_t)cases[i].n_bytes : 0;
        }
        netfeat_ctx_unref(ctx);
        script_free(cases, n);
    }
    printf("# %zu cases, either address being the larger one; %zu of them also the other way round; %zu "
           "answers of "
           "policies; %zu runs\n",
           t.cases, t.mirrored, t.policies, t.runs);
    cr_expect_geq(t.cases, 92);
    cr_expect_geq(t.mirrored, 60);
    cr_expect_geq(t.policies, 70);
}

/* What the tests compare with must itself say what the table says. */
Test(stream_script, the_naive_reassembler_agrees)
{
    size_t n = 0;
    script_case *cases = script_load(CASES, &n);

    for (size_t i = 0; i < n; i++) {
        script_text events = {NULL, 0, 0};
        if (cases[i].n_bytes == 0 && strstr(cases[i].name, "table-only") == NULL) {
            naive_run(&cases[i], &events);
            cr_expect_str_eq(events.p, cases[i].expected != NULL ? cases[i].expected : "", "%s",
                             cases[i].name);
        }
        free(events.p);
    }
    script_free(cases, n);
}

/* ---- memory runs out ---- */

typedef struct {
    const script_case *c;
    int mode;
    const char *broken;
} torture_user;

/* One refusal: the reassembler goes on, its events tile, everything is given back. All refused: it says NOMEM. */
static int run_tortured(torture *t, void *user)
{
    torture_user *u = user;
    netfeat_ctx *ctx = NULL;
    script_result r;
    script_how how = {NULL, u->mode, false, !t->all_from_there};
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        return code;
    }
    nf_ctx_set_secret_seed(ctx, 1);
    how.ctx = ctx;
    script_run(u->c, &how, &r);
    u->broken = r.broken;
    code = r.code;
    script_result_free(&r);
    netfeat_ctx_unref(ctx);
    return code;
}

static uint64_t torture_one(torture_user *u)
{
    torture t;
    int code;
    const char *wrong = torture_once(&t, run_tortured, u, 0, 0, &code);
    uint64_t calls = t.calls, points = 0;

    cr_assert(wrong == NULL && code == 0, "%s: %s, code %d", u->c->name, wrong != NULL ? wrong : "", code);
    for (int all = 0; all <= 1; all++) {
        for (uint64_t at = 1; at <= calls; at++) {
            u->broken = NULL;
            wrong = torture_once(&t, run_tortured, u, at, all, &code);
            wrong = wrong != NULL ? wrong : u->broken;
            cr_expect(wrong == NULL && (code == 0 || code == NETFEAT_ERR_NOMEM) && t.failed > 0,
                      "%s, allocation %llu refused%s: %s, code %d", u->c->name, (unsigned long long)at,
                      all ? " and all later ones" : "", wrong != NULL ? wrong : "", code);
            points++;
        }
    }
    return points;
}

Test(stream_script, every_allocation_refused)
{
    size_t n = 0;
    script_case *cases = script_load(CASES, &n);
    uint64_t points = 0;

    for (size_t i = 0; i < n; i++) {
        torture_user u = {&cases[i], i % 4 == 3 ? SCRIPT_SOURCE : SCRIPT_PACKETS, NULL};
        points += torture_one(&u);
    }
    cr_log_info("%llu points", (unsigned long long)points);
    cr_expect_geq(points, 2000);
    script_free(cases, n);
}
