/* Flows: what one batch of rows holds says nothing about the next, and what a column says does not depend on which others
   were asked for. */
#include "flow_traffic.h"

static netfeat_ctx *ctx;

static void set_up(void)
{
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
}

static void tear_down(void)
{
    netfeat_ctx_unref(ctx);
}
TestSuite(flow_batches, .init = set_up, .fini = tear_down);

/* Messages of ICMP and datagrams in pieces in every third block of `block` rows alone, NULL rows in others. */
static pkt *blocks(size_t n, size_t block, uint64_t with)
{
    pkt *p = traffic(n, with, true);

    for (size_t i = 0; i < n; i++) {
        size_t kind = i / block % 3;
        bool piece = p[i].protocol == UDP && (p[i].more || p[i].offset != 0);
        if (kind != 0 && (p[i].protocol == ICMP || piece)) {
            p[i].protocol = UDP;
            p[i].more = p[i].offset = p[i].ip_id = 0;
        }
        if (kind != 1) {
            p[i].no_time = 0;
            p[i].protocol = p[i].protocol == 0 ? TCP : p[i].protocol;
        }
    }
    return p;
}

static netfeat_table *fed_by(const char *options, const pkt *p, size_t n, const size_t *sizes, size_t n_sizes)
{
    netfeat_flows *fl = flows_make(ctx, options);
    size_t at = 0;

    for (size_t k = 0; at < n; k++) {
        size_t size = sizes[k % n_sizes];
        size = size < n - at ? size : n - at;
        flows_eat(ctx, fl, p, at, size, NULL);
        at += size;
    }
    return flows_finish(ctx, fl);
}

Test(flow_batches, lively_and_quiet_ones)
{
    enum { N = 2000 };
    static const char *const options[] = {SETTINGS "flow.columns=*", "flow.profile=cic",
                                          "flow.profile=nfstream", "flow.profile=zeek",
                                          "flow.profile=notebook"};
    static const size_t single[] = {1}, mixed[] = {64, 3, 64, 1, 130, 64, 17, 200};
    static const size_t sizes_of_blocks[] = {64, 40, 7};

    for (size_t b = 0; b < 3; b++) {
        pkt *p = blocks(N, sizes_of_blocks[b], 21 + b);
        for (size_t k = 0; k < sizeof options / sizeof options[0]; k++) {
            netfeat_table *one = fed_by(options[k], p, N, single, 1);
            netfeat_table *several = fed_by(options[k], p, N, mixed, sizeof mixed / sizeof mixed[0]);
            netfeat_table *whole = flows_of(ctx, options[k], p, N);
            cr_expect_gt(netfeat_table_rows(whole), 20);
            expect_same(one, several, options[k]);
            expect_same(one, whole, options[k]);
            netfeat_table_unref(one);
            netfeat_table_unref(several);
            netfeat_table_unref(whole);
        }
        free(p);
    }
}

static void expect_same_column(const netfeat_table *alone, const netfeat_table *all, const char *what)
{
    static char x[4096], y[4096];
    int c = netfeat_table_find(all, netfeat_table_name(alone, 0));

    cr_assert_geq(c, 0, "%s", what);
    cr_assert_eq(netfeat_table_rows(alone), netfeat_table_rows(all), "%s", what);
    for (int64_t row = 0; row < netfeat_table_rows(all); row++) {
        int has_x = netfeat_column_get_text(netfeat_table_column(alone, 0), row, x, sizeof x, NULL);
        int has_y = netfeat_column_get_text(netfeat_table_column(all, c), row, y, sizeof y, NULL);
        if (has_x != has_y || (has_x != 0 && strcmp(x, y) != 0)) {
            cr_assert_fail("%s: row %lld: %s alone, %s among all", what, (long long)row, has_x ? x : "-",
                           has_y ? y : "-");
        }
    }
}

Test(flow_batches, each_column_alone)
{
    enum { N = 400 };
    static const char *const options[] = {
        SETTINGS "flow.profile=flows", SETTINGS "flow.profile=flows flow.bidirectional=0",
        "flow.profile=nfstream",       "flow.profile=cic",
        "flow.profile=cic2018",        "flow.profile=zeek"};
    pkt *p = traffic(N, 33, true);

    for (size_t k = 0; k < sizeof options / sizeof options[0]; k++) {
        char text[512];
        netfeat_table *all;
        snprintf(text, sizeof text, "%s flow.columns=*", options[k]);
        all = flows_of(ctx, text, p, N);
        cr_assert_gt(netfeat_table_rows(all), 20);
        for (int c = 0; c < netfeat_table_width(all); c++) {
            netfeat_options *opts = flow_options(ctx, options[k]);
            netfeat_flows *fl = NULL;
            netfeat_table *alone;
            /* names may hold blanks */
            cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_FLOW_COLUMNS, netfeat_table_name(all, c)),
                         0);
            cr_assert_eq(netfeat_flows_new(ctx, opts, &fl), 0, "%s", netfeat_ctx_error_message(ctx));
            flows_eat(ctx, fl, p, 0, N, NULL);
            alone = flows_finish(ctx, fl);
            snprintf(text, sizeof text, "%s: %s", options[k], netfeat_table_name(all, c));
            expect_same_column(alone, all, text);
            netfeat_table_unref(alone);
            netfeat_options_unref(opts);
        }
        netfeat_table_unref(all);
    }
    free(p);
}
