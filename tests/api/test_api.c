/* The promises of the public API, seen from outside: arguments are checked, results untouched on failure, any
   order of release is legal, catalogues describe themselves, errors say where. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netfeat/netfeat.h>

#include "../support/capture_build.h"

#define ARGUMENT NETFEAT_ERR_ARGUMENT

static netfeat_ctx *new_ctx(void)
{
    netfeat_ctx *ctx = NULL;
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    return ctx;
}

static netfeat_table *new_table(netfeat_ctx *ctx, unsigned packets)
{
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;
    bytes b = {0};

    put_mixed_pcap(&b, packets);
    cr_assert_eq(netfeat_source_open_memory(ctx, b.p, b.n, NULL, &src), 0);
    cr_assert_eq(netfeat_table_from_source(ctx, src, NULL, &tab), 0);
    netfeat_source_unref(src);
    free(b.p);
    return tab;
}

/* Functions that take nothing but handles, given none. */
Test(api, null_handles)
{
    char text[8] = "x";
    int64_t i64 = 77;
    uint64_t u64 = 77;
    double f64 = 77;
    uint32_t length = 77;

    cr_expect_eq(netfeat_ctx_new(NULL), ARGUMENT);
    cr_expect_eq(netfeat_ctx_new_alloc(NULL, NULL, NULL), ARGUMENT);
    cr_expect_null(netfeat_ctx_ref(NULL));
    cr_expect_null(netfeat_ctx_unref(NULL));
    netfeat_ctx_set_log(NULL, NULL, NULL, 0);
    netfeat_ctx_set_progress(NULL, NULL, NULL);
    netfeat_ctx_interrupt(NULL);
    netfeat_ctx_error_clear(NULL);
    cr_expect_eq(netfeat_ctx_set_memory_limit(NULL, 1), ARGUMENT);
    cr_expect_eq(netfeat_ctx_memory_used(NULL), 0);
    cr_expect_eq(netfeat_ctx_memory_peak(NULL), 0);
    cr_expect_eq(netfeat_ctx_error_code(NULL), 0);
    cr_expect_str_empty(netfeat_ctx_error_message(NULL));
    cr_expect_eq(netfeat_ctx_error_packet(NULL), -1);
    cr_expect_eq(netfeat_ctx_error_offset(NULL), -1);
    cr_expect_eq(netfeat_ctx_error_errno(NULL), 0);

    cr_expect_null(netfeat_options_ref(NULL));
    cr_expect_null(netfeat_options_unref(NULL));
    cr_expect_eq(netfeat_options_set_int(NULL, NETFEAT_OPT_TABLE_MAX_ROWS, 1), ARGUMENT);
    cr_expect_eq(netfeat_options_set_text(NULL, NETFEAT_OPT_SOURCE_FILTER, ""), ARGUMENT);
    cr_expect_eq(netfeat_options_get_int(NULL, NETFEAT_OPT_TABLE_MAX_ROWS, NULL), ARGUMENT);
    cr_expect_lt(netfeat_option_by_name(NULL), 0);
    cr_expect_eq(netfeat_build_has(NULL), 0);
    cr_expect_lt(netfeat_field_by_name(NULL), 0);

    cr_expect_eq(netfeat_source_step(NULL), ARGUMENT);
    cr_expect_eq(netfeat_source_ended(NULL), ARGUMENT);
    cr_expect_eq(netfeat_source_count(NULL, NETFEAT_COUNT_RECORDS), ARGUMENT);
    cr_expect_eq(netfeat_source_packet_number(NULL), 0);
    cr_expect_lt(netfeat_source_packet_time(NULL, &i64), 0);
    cr_expect_eq(netfeat_source_packet_wire_length(NULL), 0);
    cr_expect_null(netfeat_source_packet_data(NULL, &length));
    cr_expect_leq(netfeat_source_packet_link_type(NULL), 0);
    cr_expect_eq(netfeat_source_packet_interface(NULL), 0);
    cr_expect_null(netfeat_source_ref(NULL));
    cr_expect_null(netfeat_source_unref(NULL));

    cr_expect_null(netfeat_column_ref(NULL));
    cr_expect_null(netfeat_column_unref(NULL));
    cr_expect_eq(netfeat_column_type(NULL), ARGUMENT);
    cr_expect_eq(netfeat_column_length(NULL), ARGUMENT);
    cr_expect_eq(netfeat_column_nulls(NULL), ARGUMENT);
    cr_expect_str_empty(netfeat_column_unit(NULL));
    cr_expect_str_empty(netfeat_column_definition(NULL));
    cr_expect_str_empty(netfeat_column_null_rule(NULL));
    cr_expect_null(netfeat_column_data(NULL));
    cr_expect_leq(netfeat_column_value_bytes(NULL), 0);
    cr_expect_null(netfeat_column_validity(NULL));
    cr_expect_null(netfeat_column_offsets(NULL));
    cr_expect_null(netfeat_column_child(NULL));
    cr_expect_eq(netfeat_column_is_null(NULL, 0), ARGUMENT);
    cr_expect_eq(netfeat_column_get_i64(NULL, 0, &i64), ARGUMENT);
    cr_expect_eq(netfeat_column_get_u64(NULL, 0, &u64), ARGUMENT);
    cr_expect_eq(netfeat_column_get_f64(NULL, 0, &f64), ARGUMENT);
    cr_expect_eq(netfeat_column_get_text(NULL, 0, text, sizeof text, NULL), ARGUMENT);

    cr_expect_null(netfeat_encoder_ref(NULL));
    cr_expect_null(netfeat_encoder_unref(NULL));
    cr_expect_null(netfeat_accumulator_ref(NULL));
    cr_expect_null(netfeat_accumulator_unref(NULL));
    cr_expect_null(netfeat_pipeline_ref(NULL));
    cr_expect_null(netfeat_pipeline_unref(NULL));
    cr_expect_null(netfeat_writer_ref(NULL));
    cr_expect_null(netfeat_writer_unref(NULL));

    cr_expect_null(netfeat_table_ref(NULL));
    cr_expect_null(netfeat_table_unref(NULL));
    cr_expect_eq(netfeat_table_append_packet(NULL, 1, 0, 1, "", 1), ARGUMENT);
    cr_expect_eq(netfeat_table_append_source(NULL, NULL, 1), ARGUMENT);
    cr_expect_eq(netfeat_table_seal(NULL), ARGUMENT);
    cr_expect_eq(netfeat_table_rows(NULL), ARGUMENT);
    cr_expect_eq(netfeat_table_width(NULL), ARGUMENT);
    cr_expect_null(netfeat_table_name(NULL, 0));
    cr_expect_eq(netfeat_table_find(NULL, "x"), ARGUMENT);
    cr_expect_null(netfeat_table_column(NULL, 0));
    cr_expect(i64 == 77 && u64 == 77 && f64 == 77 && text[0] == 'x', "results are untouched");
}

/* Calls that make something: each of their pointers missing in turn; *ret stays as it was. */
Test(api, null_arguments)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_table *tab = new_table(ctx, 5);
    netfeat_column *col = netfeat_table_column(tab, 0);
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    const char *const names[] = {"a"};
    const netfeat_table *tables[] = {tab};
    const int index = 0;
    const int64_t row = 0;
    netfeat_options *no_opts = NULL;
    netfeat_source *no_src = NULL;
    netfeat_column *no_col = NULL;
    netfeat_column *no_col2 = NULL;
    netfeat_table *no_tab = NULL;

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    int codes[] = {
        netfeat_options_new(NULL, &no_opts),
        netfeat_options_new(ctx, NULL),
        netfeat_options_set_text(opts, NETFEAT_OPT_SOURCE_FILTER, NULL),
        netfeat_options_get_int(opts, NETFEAT_OPT_TABLE_MAX_ROWS, NULL),
        netfeat_source_open_file(NULL, "x", NULL, &no_src),
        netfeat_source_open_file(ctx, NULL, NULL, &no_src),
        netfeat_source_open_file(ctx, "x", NULL, NULL),
        netfeat_source_open_fd(NULL, 0, NULL, &no_src),
        netfeat_source_open_fd(ctx, -1, NULL, &no_src),
        netfeat_source_open_fd(ctx, 0, NULL, NULL),
        netfeat_source_open_memory(NULL, "x", 1, NULL, &no_src),
        netfeat_source_open_memory(ctx, NULL, 1, NULL, &no_src),
        netfeat_source_open_memory(ctx, "x", 1, NULL, NULL),
        netfeat_column_wrap(NULL, NETFEAT_TYPE_U8, 1, "x", NULL, NULL, NULL, &no_col),
        netfeat_column_wrap(ctx, NETFEAT_TYPE_U8, 1, NULL, NULL, NULL, NULL, &no_col),
        netfeat_column_wrap(ctx, NETFEAT_TYPE_U8, -1, "x", NULL, NULL, NULL, &no_col),
        netfeat_column_wrap(ctx, NETFEAT_TYPE_U8, 1, "x", NULL, NULL, NULL, NULL),
        netfeat_column_dictionary(NULL, col, &no_col, &no_col2),
        netfeat_column_dictionary(ctx, NULL, &no_col, &no_col2),
        netfeat_column_dictionary(ctx, col, NULL, &no_col2),
        netfeat_column_dictionary(ctx, col, &no_col, NULL),
        netfeat_column_to_text(NULL, col, &no_col),
        netfeat_column_to_text(ctx, NULL, &no_col),
        netfeat_column_to_text(ctx, col, NULL),
        netfeat_table_new(NULL, NULL, &no_tab),
        netfeat_table_new(ctx, NULL, NULL),
        (int)netfeat_table_append_source(tab, NULL, 1),
        netfeat_table_append_packet(tab, 1, 0, 9, NULL, 9),
        netfeat_table_from_source(NULL, src, NULL, &no_tab),
        netfeat_table_from_source(ctx, NULL, NULL, &no_tab),
        netfeat_table_from_source(ctx, src, NULL, NULL),
        netfeat_table_from_columns(NULL, names, &col, 1, &no_tab),
        netfeat_table_from_columns(ctx, NULL, &col, 1, &no_tab),
        netfeat_table_from_columns(ctx, names, NULL, 1, &no_tab),
        netfeat_table_from_columns(ctx, names, &no_col, 1, &no_tab),
        netfeat_table_from_columns(ctx, names, &col, 1, NULL),
        netfeat_table_find(tab, NULL),
        netfeat_table_select(NULL, tab, &index, 1, &no_tab),
        netfeat_table_select(ctx, NULL, &index, 1, &no_tab),
        netfeat_table_select(ctx, tab, NULL, 1, &no_tab),
        netfeat_table_select(ctx, tab, &index, 1, NULL),
        netfeat_table_join(NULL, tab, tab, &no_tab),
        netfeat_table_join(ctx, NULL, tab, &no_tab),
        netfeat_table_join(ctx, tab, NULL, &no_tab),
        netfeat_table_join(ctx, tab, tab, &no_tab), /* every name twice */
        netfeat_table_join(ctx, tab, tab, NULL),
        netfeat_table_slice(NULL, tab, 0, 1, &no_tab),
        netfeat_table_slice(ctx, NULL, 0, 1, &no_tab),
        netfeat_table_slice(ctx, tab, 0, 1, NULL),
        netfeat_table_complete_rows(NULL, tab, &index, 1, &no_tab),
        netfeat_table_complete_rows(ctx, NULL, &index, 1, &no_tab),
        netfeat_table_complete_rows(ctx, tab, NULL, 1, &no_tab),
        netfeat_table_complete_rows(ctx, tab, &index, 1, NULL),
        netfeat_table_take(NULL, tab, &row, 1, &no_tab),
        netfeat_table_take(ctx, NULL, &row, 1, &no_tab),
        netfeat_table_take(ctx, tab, NULL, 1, &no_tab),
        netfeat_table_take(ctx, tab, &row, 1, NULL),
        netfeat_table_anonymize(NULL, tab, &row, 32, NULL, &no_tab),
        netfeat_table_anonymize(ctx, NULL, &row, 32, NULL, &no_tab),
        netfeat_table_anonymize(ctx, tab, NULL, 32, NULL, &no_tab),
        netfeat_table_anonymize(ctx, tab, &row, 32, NULL, NULL),
        netfeat_table_anonymize(ctx, tab, &row, sizeof row, NULL, &no_tab),
        netfeat_table_concat(NULL, tables, 1, &no_tab),
        netfeat_table_concat(ctx, NULL, 1, &no_tab),
        netfeat_table_concat(ctx, (const netfeat_table *const[]){NULL}, 1, &no_tab),
        netfeat_table_concat(ctx, tables, 1, NULL),
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        cr_expect_eq(codes[i], ARGUMENT, "call %zu gave %d", i, codes[i]);
    }
    cr_expect(no_opts == NULL && no_src == NULL && no_col == NULL && no_col2 == NULL && no_tab == NULL);
    cr_expect_neq(netfeat_ctx_error_code(ctx), 0);
    cr_expect_str_not_empty(netfeat_ctx_error_message(ctx));
    netfeat_options_unref(opts);
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
}

static int64_t live;

static void *counting(void *user, void *ptr, size_t old_size, size_t new_size)
{
    (void)user;
    live += (int64_t)new_size - (int64_t)old_size;
    if (new_size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, new_size);
}

/* Handles given back in every order of the five: what is left keeps working, and nothing stays behind. */
Test(api, any_order_of_release)
{
    bytes b = {0};

    put_mixed_pcap(&b, 200);
    for (int order = 0; order < 120; order++) {
        netfeat_ctx *ctx = NULL;
        netfeat_options *opts = NULL;
        netfeat_source *src = NULL;
        netfeat_table *tab = NULL;
        netfeat_column *col = NULL;
        int left[] = {0, 1, 2, 3, 4};
        int rest = order;

        cr_assert_eq(netfeat_ctx_new_alloc(counting, NULL, &ctx), 0);
        cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
        cr_assert_eq(netfeat_source_open_memory(ctx, b.p, b.n, opts, &src), 0);
        cr_assert_eq(netfeat_table_new(ctx, opts, &tab), 0);
        cr_assert_eq(netfeat_table_append_source(tab, src, 100), 100);
        cr_assert_eq(netfeat_table_seal(tab), 0);
        col = netfeat_column_ref(netfeat_table_column(tab, netfeat_table_find(tab, "dst_port")));
        for (int n = 5; n > 0; n--) {
            int at = rest % n;
            rest /= n;
            switch (left[at]) {
            case 0:
                ctx = netfeat_ctx_unref(ctx);
                break;
            case 1:
                opts = netfeat_options_unref(opts);
                break;
            case 2:
                cr_expect_eq(netfeat_source_step(src), 1);
                src = netfeat_source_unref(src);
                break;
            case 3:
                cr_expect_eq(netfeat_table_rows(tab), 100);
                tab = netfeat_table_unref(tab);
                break;
            default: {
                uint64_t port = 0;
                cr_expect_eq(netfeat_column_get_u64(col, 0, &port), 1);
                cr_expect_eq(port, 80);
                col = netfeat_column_unref(col);
            }
            }
            left[at] = left[n - 1];
        }
        cr_assert_eq(live, 0, "order %d leaves %lld bytes", order, (long long)live);
    }
    free(b.p);
}

/* References: an object lives until its last one is given back. */
Test(api, references)
{
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    netfeat_table *tab;
    bytes b = {0};

    cr_assert_eq(netfeat_ctx_new_alloc(counting, NULL, &ctx), 0);
    put_mixed_pcap(&b, 3);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_source_open_memory(ctx, b.p, b.n, NULL, &src), 0);
    tab = new_table(ctx, 3);
    cr_expect_eq(netfeat_ctx_ref(ctx), ctx);
    cr_expect_eq(netfeat_options_ref(opts), opts);
    cr_expect_eq(netfeat_source_ref(src), src);
    cr_expect_eq(netfeat_table_ref(tab), tab);
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_MAX_ROWS, 5), 0);
        cr_expect_eq(netfeat_source_step(src), 1);
        cr_expect_eq(netfeat_table_rows(tab), 3);
        cr_expect_gt(netfeat_ctx_memory_used(ctx), 0);
        cr_expect_geq(netfeat_ctx_memory_peak(ctx), netfeat_ctx_memory_used(ctx));
        netfeat_options_unref(opts);
        netfeat_source_unref(src);
        netfeat_table_unref(tab);
        netfeat_ctx_unref(ctx);
    }
    cr_expect_eq(live, 0);
    free(b.p);
}

/* The catalogues walk in order, and every name leads back to its number. */
Test(api, catalogues)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;
    int n = 0;

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    for (int key = netfeat_option_next(0), last = 0; key != 0;
         last = key, key = netfeat_option_next(key), n++) {
        int64_t min = 1;
        int64_t max = 0;
        int64_t value = 7;
        int64_t now = 8;
        cr_expect_gt(key, last);
        cr_expect_eq(netfeat_option_by_name(netfeat_option_name(key)), key);
        cr_expect_gt(strlen(netfeat_option_help(key)), 10);
        if (netfeat_option_kind(key) == NETFEAT_KIND_TEXT) {
            cr_expect_eq(netfeat_option_range(key, NULL, NULL, NULL), NETFEAT_ERR_TYPE);
            cr_expect_eq(netfeat_options_set_int(opts, key, 1), NETFEAT_ERR_TYPE);
            cr_expect_not_null(netfeat_options_get_text(opts, key));
            continue;
        }
        cr_expect_eq(netfeat_option_range(key, &min, &max, &value), 0);
        cr_expect(min <= value && value <= max, "%s", netfeat_option_name(key));
        cr_expect_eq(netfeat_options_get_int(NULL, key, &now), 0);
        cr_expect_eq(now, value);
        cr_expect_eq(netfeat_options_set_int(opts, key, max), 0);
        cr_expect_eq(netfeat_options_set_int(opts, key, min), 0);
        cr_expect(min == INT64_MIN || netfeat_options_set_int(opts, key, min - 1) == NETFEAT_ERR_RANGE);
        cr_expect(max == INT64_MAX || netfeat_options_set_int(opts, key, max + 1) == NETFEAT_ERR_RANGE);
        cr_expect_eq(netfeat_options_get_int(opts, key, &now), 0);
        cr_expect_eq(now, min);
        cr_expect_eq(netfeat_options_set_text(opts, key, "x"), NETFEAT_ERR_TYPE);
    }
    cr_expect_geq(n, 9);
    cr_expect_eq(netfeat_options_set_int(opts, 1, 1), NETFEAT_ERR_NOTFOUND);
    cr_expect_eq(netfeat_option_kind(1), NETFEAT_ERR_NOTFOUND);
    cr_expect_null(netfeat_option_name(1));
    n = 0;
    for (int id = netfeat_field_next(0), last = 0; id != 0; last = id, id = netfeat_field_next(id), n++) {
        cr_expect_gt(id, last);
        cr_expect_eq(netfeat_field_by_name(netfeat_field_name(id)), id);
        cr_expect_not_null(netfeat_type_name(netfeat_field_type(id)));
        cr_expect_not_null(netfeat_field_unit(id));
        cr_expect_gt(strlen(netfeat_field_null_rule(id)), 3);
        cr_expect_gt(strlen(netfeat_field_help(id)), 3);
    }
    cr_expect_geq(n, 48);
    cr_expect_null(netfeat_field_name(0));
    cr_expect_null(netfeat_field_name(-1));
    cr_expect_null(netfeat_field_help(1 << 30));
    cr_expect_null(netfeat_type_name(0));
    cr_expect_eq(netfeat_version_number(), NETFEAT_VERSION_NUMBER);
    cr_expect_eq(netfeat_abi_version(), NETFEAT_ABI_VERSION);
    cr_expect_str_not_empty(netfeat_version_string());
    cr_expect_eq(netfeat_build_has("filter"), 1);
    cr_expect_eq(netfeat_build_has("teleport"), 0);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

/* Row operations, checked against the rows they came from. */
Test(api, row_operations)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_table *tab = new_table(ctx, 300);
    netfeat_table *complete = NULL;
    netfeat_table *slice = NULL;
    netfeat_table *taken = NULL;
    netfeat_table *both = NULL;
    netfeat_table *narrow = NULL;
    const int64_t rows[] = {299, 0, 150};
    int ports[] = {netfeat_table_find(tab, "src_port"), netfeat_table_find(tab, "dst_port")};
    int number = netfeat_table_find(tab, "packet_number");
    uint64_t value = 0;
    char text[32];

    cr_expect_eq(netfeat_table_rows(tab), 300);
    cr_expect_eq(netfeat_column_nulls(netfeat_table_column(tab, ports[0])), 100);
    cr_expect_eq(netfeat_table_complete_rows(ctx, tab, ports, 2, &complete), 0);
    cr_expect_eq(netfeat_table_rows(complete), 200);
    cr_expect_eq(netfeat_column_nulls(netfeat_table_column(complete, ports[0])), 0);
    cr_expect_eq(netfeat_table_slice(ctx, tab, 120, 60, &slice), 0);
    cr_expect_eq(netfeat_column_get_u64(netfeat_table_column(slice, number), 0, &value), 1);
    cr_expect_eq(value, 121);
    cr_expect_eq(netfeat_table_take(ctx, tab, rows, 3, &taken), 0);
    cr_expect_eq(netfeat_column_get_u64(netfeat_table_column(taken, number), 2, &value), 1);
    cr_expect_eq(value, 151);
    cr_expect_eq(netfeat_table_concat(ctx, (const netfeat_table *const[]){slice, taken}, 2, &both), 0);
    cr_expect_eq(netfeat_table_rows(both), 63);
    cr_expect_eq(netfeat_column_get_u64(netfeat_table_column(both, number), 60, &value), 1);
    cr_expect_eq(value, 300);
    cr_expect_eq(netfeat_table_select(ctx, tab, ports, 2, &narrow), 0);
    cr_expect_eq(netfeat_table_width(narrow), 2);
    cr_expect_str_eq(netfeat_table_name(narrow, 1), "dst_port");
    cr_expect_null(netfeat_table_name(narrow, 2));
    cr_expect_null(netfeat_table_column(narrow, -1));
    cr_expect_eq(netfeat_column_get_text(netfeat_table_column(tab, netfeat_table_find(tab, "dst_ip")), 1,
                                         text, sizeof text, NULL),
                 1);
    cr_expect_str_eq(text, "198.51.100.53");

    cr_expect_eq(netfeat_table_slice(ctx, tab, 299, 2, &slice), NETFEAT_ERR_RANGE);
    cr_expect_eq(netfeat_table_slice(ctx, tab, -1, 1, &slice), NETFEAT_ERR_RANGE);
    cr_expect_eq(netfeat_table_take(ctx, tab, (const int64_t[]){300}, 1, &taken), NETFEAT_ERR_RANGE);
    cr_expect_eq(netfeat_table_select(ctx, tab, (const int[]){9999}, 1, &narrow), NETFEAT_ERR_RANGE);
    cr_expect_eq(netfeat_table_append_packet(tab, 1, 0, 1, "x", 1), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_table_find(tab, "no such column"), NETFEAT_ERR_NOTFOUND);
    netfeat_ctx_unref(ctx);
    netfeat_table_unref(complete);
    netfeat_table_unref(slice);
    netfeat_table_unref(taken);
    netfeat_table_unref(both);
    netfeat_table_unref(narrow);
    netfeat_table_unref(tab);
}

static int stop_at_once(void *user, int64_t packets, int64_t byte_count, int64_t total)
{
    int *calls = user;
    (void)packets, (void)byte_count, (void)total;
    return ++*calls >= 2;
}

/* Stopping, limits and damage: the code, the rows before it, the place. */
Test(api, errors_say_where)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;
    netfeat_options *opts = NULL;
    bytes b = {0};
    int calls = 0;

    put_mixed_pcap(&b, 100000);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_TABLE_COLUMNS, "packet_number"), 0);

    cr_assert_eq(netfeat_source_open_memory(ctx, b.p, b.n - 5, NULL, &src), 0);
    cr_assert_eq(netfeat_table_new(ctx, opts, &tab), 0);
    cr_expect_eq(netfeat_table_append_source(tab, src, -1), NETFEAT_ERR_TRUNCATED);
    cr_expect_eq(netfeat_table_rows(tab), 99999);
    cr_expect_eq(netfeat_ctx_error_packet(ctx), 100000);
    cr_expect_gt(netfeat_ctx_error_offset(ctx), 0);
    cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_DELIVERED), 99999);
    src = netfeat_source_unref(src);
    tab = netfeat_table_unref(tab);

    cr_assert_eq(netfeat_source_open_memory(ctx, b.p, b.n, NULL, &src), 0);
    cr_assert_eq(netfeat_table_new(ctx, opts, &tab), 0);
    netfeat_ctx_set_progress(ctx, stop_at_once, &calls);
    cr_expect_eq(netfeat_table_append_source(tab, src, -1), NETFEAT_ERR_CANCELLED);
    netfeat_ctx_set_progress(ctx, NULL, NULL);
    netfeat_ctx_interrupt(ctx);
    cr_expect_eq(netfeat_table_append_source(tab, src, -1), NETFEAT_ERR_CANCELLED);
    cr_expect_geq(netfeat_table_append_source(tab, src, -1), 1);
    cr_expect_eq(netfeat_table_rows(tab), 100000, "a stopped call goes on where it stopped");
    cr_expect_eq(netfeat_table_append_source(tab, src, -1), 0);
    src = netfeat_source_unref(src);
    tab = netfeat_table_unref(tab);

    cr_assert_eq(netfeat_ctx_set_memory_limit(ctx, netfeat_ctx_memory_used(ctx) + 600000), 0);
    cr_assert_eq(netfeat_source_open_memory(ctx, b.p, b.n, NULL, &src), 0);
    cr_assert_eq(netfeat_table_new(ctx, opts, &tab), 0);
    cr_expect_eq(netfeat_table_append_source(tab, src, -1), NETFEAT_ERR_LIMIT);
    cr_expect_gt(netfeat_table_rows(tab), 1000);
    cr_assert_eq(netfeat_ctx_set_memory_limit(ctx, 0), 0);
    cr_expect_gt(netfeat_table_append_source(tab, src, -1), 0);
    cr_expect_eq(netfeat_table_rows(tab), 100000, "a limit that was lifted loses nothing");
    netfeat_source_unref(src);
    netfeat_table_unref(tab);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
    free(b.p);
}
