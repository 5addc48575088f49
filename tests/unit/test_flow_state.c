/* Saved states of tables of flows that are not what they should be. */
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
TestSuite(flow_state, .init = set_up, .fini = tear_down);

static netfeat_table *damaged(const netfeat_table *state, int64_t row, size_t byte, int value, int64_t drop)
{
    static const char *const names[1] = {"state"};
    const netfeat_column *col = netfeat_table_column(state, netfeat_table_find(state, "state"));
    const int64_t *offsets = netfeat_column_offsets(col);
    const uint8_t *data = netfeat_column_data(col);
    netfeat_column *out = NULL;
    netfeat_table *tab = NULL;
    nf_builder b;

    nf_builder_init(&b, ctx, NETFEAT_TYPE_BYTES);
    for (int64_t i = 0; i < netfeat_column_length(col); i++) {
        size_t size = (size_t)(offsets[i + 1] - offsets[i]);
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, data + offsets[i], size);
        if (i == row && byte < size) {
            copy[byte] = (uint8_t)value;
        }
        cr_assert_eq(nf_builder_add_bytes(&b, copy, i == row && drop > 0 ? size - (size_t)drop : size), 0);
        free(copy);
    }
    cr_assert_eq(nf_builder_finish(&b, "", "", "", &out), 0);
    cr_assert_eq(nf_table_make(ctx, names, &out, 1, 0, &tab), 0);
    return tab;
}

/* Every byte of a state, changed: refused, or loaded and then usable. */
Test(flow_state, states_from_strangers)
{
    enum { N = 60 };
    pkt *p = traffic(N, 3, true);
    const char *options[2] = {SETTINGS "flow.columns=*", "flow.profile=cic flow.first_packets=3"};

    for (int k = 0; k < 2; k++) {
        netfeat_options *opts = flow_options(ctx, options[k]);
        netfeat_flows *fl = slice(ctx, options[k], p, 0, N / 2);
        netfeat_table *state = NULL, *tab, *in = pkt_table(ctx, p, N / 2, N / 2, NULL);
        int loaded = 0, refused = 0;
        cr_assert_eq(netfeat_flows_to_table(fl, &state), 0);
        cr_assert_gt(netfeat_table_rows(state), 3);
        for (int64_t row = 0; row < 3; row++) {
            for (size_t byte = 0; byte < 6000; byte += byte < 500 ? 1 : 29) {
                netfeat_flows *other = NULL;
                netfeat_table *out = NULL;
                int code;
                tab = damaged(state, row, byte, (int[]){0xff, 0x01, 0x80, 0x7f}[byte % 4],
                              byte % 97 == 0 ? 8 : 0);
                code = netfeat_flows_from_table(ctx, opts, tab, &other);
                netfeat_table_unref(tab);
                if (code != 0) {
                    cr_assert(code == NETFEAT_ERR_FORMAT || code == NETFEAT_ERR_STATE, "%d", code);
                    refused++;
                    continue;
                }
                loaded++;
                code = netfeat_flows_feed(other, in, NULL);
                cr_assert(code == 0 || code == NETFEAT_ERR_RANGE || code == NETFEAT_ERR_STATE);
                cr_assert_eq(netfeat_flows_end(other), 0);
                cr_assert_eq(netfeat_flows_take_all(other, &out), 0);
                netfeat_table_unref(out);
                netfeat_flows_unref(other);
            }
        }
        cr_expect_gt(loaded, 100);
        cr_expect_gt(refused, 50);
        netfeat_table_unref(in);
        netfeat_table_unref(state);
        netfeat_flows_unref(fl);
        netfeat_options_unref(opts);
    }
    free(p);
}

/* The same structures with another number, then another byte of what every state begins with. */
Test(flow_state, states_of_another_version)
{
    const pkt p[] = {{.t = 0, .from = 'B', .to = 'A', .sport = 1, .dport = 2, .protocol = UDP}};
    const uint16_t one = 1;
    const size_t number = *(const uint8_t *)&one == 1 ? 7 : 0; /* the upper byte of a word */
    const char *const messages[2] = {"state of flows, row 0: saved by another version of the library",
                                     "state of flows, row 0: not a state of flows, or of another byte order"};
    netfeat_flows *fl = slice(ctx, "", p, 0, 1);
    netfeat_table *state = NULL;

    cr_assert_eq(netfeat_flows_to_table(fl, &state), 0);
    for (size_t i = 0; i < 2; i++) {
        netfeat_table *tab = damaged(state, 0, i == 0 ? number : 7 - number, 1, 0);
        netfeat_flows *other = NULL;
        cr_expect_eq(netfeat_flows_from_table(ctx, NULL, tab, &other), NETFEAT_ERR_FORMAT);
        cr_expect_str_eq(netfeat_ctx_error_message(ctx), messages[i]);
        netfeat_table_unref(tab);
    }
    netfeat_table_unref(state);
    netfeat_flows_unref(fl);
}

Test(flow_state, states_of_another_kind)
{
    const pkt p[] = {{.t = 0,
                      .from = 'B',
                      .to = 'A',
                      .sport = 1000,
                      .dport = 80,
                      .protocol = TCP,
                      .flags = SYN,
                      .seq = 1}};
    netfeat_flows *fl = slice(ctx, "", p, 0, 1), *other = NULL;
    netfeat_options *opts = flow_options(ctx, "flow.key_vlan=1");
    netfeat_table *state = NULL, *rows = NULL, *in = pkt_table(ctx, p, 0, 1, NULL);

    cr_assert_eq(netfeat_flows_to_table(fl, &state), 0);
    cr_expect_eq(netfeat_table_rows(state), 2);
    expect_row(state, 1, "flow_id=1");
    cr_expect_eq(netfeat_flows_from_table(ctx, opts, state, &other), NETFEAT_ERR_STATE);
    cr_expect_str_eq(netfeat_ctx_error_message(ctx),
                     "the state was saved with another flow.key_vlan, flow.key_tunnel or flow.key_link");
    cr_expect_eq(netfeat_flows_from_table(ctx, NULL, in, &other), NETFEAT_ERR_NOTFOUND);
    cr_assert_eq(netfeat_table_slice(ctx, state, 1, 1, &rows), 0);
    cr_expect_eq(netfeat_flows_from_table(ctx, NULL, rows, &other), NETFEAT_ERR_FORMAT);
    netfeat_table_unref(rows);
    cr_assert_eq(netfeat_table_slice(ctx, state, 0, 1, &rows), 0);
    cr_expect_eq(netfeat_flows_from_table(ctx, NULL, rows, &other), NETFEAT_ERR_FORMAT);
    netfeat_table_unref(rows);
    cr_expect_null(other);
    netfeat_table_unref(in);
    netfeat_table_unref(state);
    netfeat_options_unref(opts);
    netfeat_flows_unref(fl);
}
