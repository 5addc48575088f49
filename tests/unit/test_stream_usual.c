/* The short way for usual segments and the steps for all of them: the same events, counters, states and histories. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "base/context.h"
#include "random_script.h"
#include "stream/streams.h"

static void only_the_steps(netfeat_streams *st)
{
    st->config.usual = false;
}

static void expect_same(const script_result *a, const script_result *b, unsigned long number)
{
    cr_assert_eq(a->code, b->code, "script %lu", number);
    cr_assert_null(a->broken, "script %lu: %s", number, a->broken);
    cr_assert_str_eq(a->events.p, b->events.p, "script %lu", number);
    cr_assert_str_eq(a->state, b->state, "script %lu", number);
    cr_assert_str_eq(a->history, b->history, "script %lu", number);
    for (int i = 0; i < 64; i++) {
        cr_assert_eq(a->counters[i], b->counters[i], "script %lu: %s is %llu, by the steps %llu", number,
                     netfeat_stream_counter_name(i), (unsigned long long)a->counters[i],
                     (unsigned long long)b->counters[i]);
    }
    for (int i = 0; i < 64; i++) {
        cr_assert_eq(a->totals[i], b->totals[i], "script %lu: %s is %llu, by the steps %llu", number,
                     netfeat_stream_total_name(i), (unsigned long long)a->totals[i],
                     (unsigned long long)b->totals[i]);
    }
}

Test(stream_usual, random_scripts)
{
    const char *wanted = getenv("NETFEAT_SCRIPTS");
    unsigned long n = wanted != NULL ? strtoul(wanted, NULL, 10) : 6000;
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (unsigned long i = 0; i < n; i++) {
        choices from = {NULL, 0, (i + 1) * UINT64_C(0xbf58476d1ce4e5b9)};
        script_case *c = random_script(&from, i % 3 == 0, i % 50 == 0 ? 1000 : 60);
        script_how how = {ctx, i % 2 == 0 ? SCRIPT_PACKETS : SCRIPT_SOURCE, i % 4 > 1, false, NULL};
        script_result usual, steps;

        script_run(c, &how, &usual);
        how.prepare = only_the_steps;
        script_run(c, &how, &steps);
        expect_same(&usual, &steps, i);
        script_result_free(&usual);
        script_result_free(&steps);
        script_free(c, 1);
    }
    netfeat_ctx_unref(ctx);
}
