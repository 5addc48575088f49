/* Columns: building, describing, reading, printing, slicing, taking, dictionaries. */
#include <criterion/criterion.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "base/bitmap.h"
#include "table/builder.h"
#include "table/text.h"

static netfeat_ctx *ctx;
static uint64_t empty;

static void set_up(void)
{
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    empty = netfeat_ctx_memory_used(ctx);
}

static void tear_down(void)
{
    cr_expect_eq(netfeat_ctx_memory_used(ctx), empty, "everything was given back");
    netfeat_ctx_unref(ctx);
}

TestSuite(column, .init = set_up, .fini = tear_down);

static const int all_types[] = {
    NETFEAT_TYPE_BOOL,  NETFEAT_TYPE_U8,     NETFEAT_TYPE_U16,     NETFEAT_TYPE_U32,     NETFEAT_TYPE_U64,
    NETFEAT_TYPE_I64,   NETFEAT_TYPE_F64,    NETFEAT_TYPE_TIME_NS, NETFEAT_TYPE_BYTES16, NETFEAT_TYPE_TEXT,
    NETFEAT_TYPE_BYTES, NETFEAT_TYPE_BYTES6, NETFEAT_TYPE_LIST};
enum { N_TYPES = sizeof all_types / sizeof all_types[0] };

/* Row i of every test column: NULL in every third row when asked, else a value made from i. */
static bool row_is_null(int64_t i, bool with_nulls)
{
    return with_nulls && i % 3 == 1;
}

static void add_row(nf_builder *b, int64_t i, bool with_nulls)
{
    char text[40];
    int code;

    if (row_is_null(i, with_nulls)) {
        cr_assert_eq(nf_builder_add_null(b), 0);
        return;
    }
    memset(text, 0, sizeof text);
    snprintf(text, sizeof text, "value %lld", (long long)(i * 7919));
    switch (b->type) {
    case NETFEAT_TYPE_F64:
        code = nf_builder_add_f64(b, (double)i / 3);
        break;
    case NETFEAT_TYPE_TIME_NS:
        code = nf_builder_add_i64(b, i * 1000000007 - 5);
        break;
    case NETFEAT_TYPE_BYTES16:
        code = nf_builder_add_bytes(b, text, 16);
        break;
    case NETFEAT_TYPE_BYTES6:
        code = nf_builder_add_bytes(b, text + 6, 6);
        break;
    case NETFEAT_TYPE_TEXT:
    case NETFEAT_TYPE_BYTES:
        code = nf_builder_add_bytes(b, text, i % 5 == 0 ? 0 : strlen(text));
        break;
    case NETFEAT_TYPE_BOOL:
        code = nf_builder_add_u64(b, i & 1);
        break;
    default:
        code = nf_builder_add_u64(b, (uint64_t)i & 0x7f);
        break;
    }
    cr_assert_eq(code, 0);
}

static netfeat_column *make_column(int type, int64_t rows, bool with_nulls)
{
    netfeat_column *col = NULL;
    nf_builder b;

    if (type == NETFEAT_TYPE_LIST) { /* row i holds i % 4 items */
        int64_t items = 0;
        nf_builder_init(&b, ctx, NETFEAT_TYPE_I64);
        cr_assert_eq(nf_builder_add_i64(&b, 0), 0);
        for (int64_t i = 0; i < rows; i++) {
            items += i % 4;
            cr_assert_eq(nf_builder_add_i64(&b, items), 0);
        }
        cr_assert_eq(
            nf_list_finish(&b, make_column(NETFEAT_TYPE_U16, items, with_nulls), "u", "d", "n", &col), 0);
        return col;
    }
    nf_builder_init(&b, ctx, type);
    for (int64_t i = 0; i < rows; i++) {
        add_row(&b, i, with_nulls);
    }
    cr_assert_eq(nf_builder_finish(&b, "u", "d", "n", &col), 0);
    nf_builder_free(&b);
    return col;
}

static void expect_same_row(netfeat_column *a, int64_t i, netfeat_column *b, int64_t j)
{
    char left[200], right[200];
    size_t n = 0, m = 0;
    int x = netfeat_column_get_text(a, i, left, sizeof left, &n);
    int y = netfeat_column_get_text(b, j, right, sizeof right, &m);

    cr_assert(x >= 0);
    cr_assert_eq(x, y);
    cr_assert_eq(n, m);
    cr_assert_str_eq(left, right);
}

Test(column, slices_and_takes_keep_every_value)
{
    enum { ROWS = 137 };
    srand(3);
    for (int t = 0; t < N_TYPES; t++) {
        for (int nulls = 0; nulls < 2; nulls++) {
            netfeat_column *col = make_column(all_types[t], ROWS, nulls);
            cr_expect_eq(netfeat_column_type(col), all_types[t]);
            cr_expect_str_eq(netfeat_column_unit(col), "u");
            cr_expect_str_eq(netfeat_column_definition(col), "d");
            cr_expect_str_eq(netfeat_column_null_rule(col), "n");
            for (int round = 0; round < 30; round++) {
                netfeat_column *part = NULL, *taken = NULL;
                int64_t first = rand() % (ROWS + 1), count = rand() % (ROWS + 1 - (int)first), missing = 0;
                int64_t rows[50];
                cr_assert_eq(nf_column_slice(ctx, col, first, count, &part), 0);
                cr_assert_eq(netfeat_column_length(part), count);
                for (int64_t i = 0; i < count; i++) {
                    expect_same_row(col, first + i, part, i);
                    missing += netfeat_column_is_null(part, i);
                }
                cr_expect_eq(netfeat_column_nulls(part), missing);
                cr_expect(missing > 0 || netfeat_column_validity(part) == NULL);
                for (int i = 0; count > 0 && i < 50; i++) {
                    rows[i] = rand() % count;
                }
                cr_assert_eq(nf_column_take(ctx, part, rows, count > 0 ? 50 : 0, &taken), 0);
                for (int i = 0; count > 0 && i < 50; i++) {
                    expect_same_row(part, rows[i], taken, i);
                }
                cr_expect_str_eq(netfeat_column_unit(taken), "u");
                netfeat_column_unref(part);
                netfeat_column_unref(taken);
            }
            netfeat_column_unref(col);
        }
    }
}

Test(column, accessors_check_rows_types_and_ranges)
{
    static const int64_t signed_values[] = {-1, INT64_MAX};
    static const uint64_t unsigned_values[] = {0, UINT64_MAX};
    static const uint8_t second_is_null = 1;
    netfeat_column *s = NULL, *u = NULL, *f = make_column(NETFEAT_TYPE_F64, 4, false);
    netfeat_column *text = make_column(NETFEAT_TYPE_TEXT, 4, false);
    int64_t i = 77;
    uint64_t v = 77;
    double d = 77;

    cr_assert_eq(netfeat_column_wrap(ctx, NETFEAT_TYPE_I64, 2, signed_values, NULL, NULL, NULL, &s), 0);
    cr_assert_eq(netfeat_column_wrap(ctx, NETFEAT_TYPE_U64, 2, unsigned_values, NULL, NULL, NULL, &u), 0);
    cr_expect_eq(netfeat_column_get_u64(s, 0, &v), NETFEAT_ERR_RANGE);
    cr_expect_eq(netfeat_column_get_i64(u, 1, &i), NETFEAT_ERR_RANGE);
    cr_expect(i == 77 && v == 77, "untouched on failure");
    cr_expect_eq(netfeat_column_get_i64(s, 1, &i), 1);
    cr_expect_eq(i, INT64_MAX);
    cr_expect_eq(netfeat_column_get_f64(s, 0, &d), 1);
    cr_expect_eq(d, -1.0);
    cr_expect_eq(netfeat_column_get_f64(u, 1, &d), 1);
    cr_expect_eq(d, 18446744073709551616.0);
    cr_expect_eq(netfeat_column_get_i64(f, 0, &i), NETFEAT_ERR_TYPE);
    cr_expect_eq(netfeat_column_get_f64(text, 0, &d), NETFEAT_ERR_TYPE);
    cr_expect_eq(netfeat_column_get_i64(s, 2, &i), NETFEAT_ERR_RANGE);
    cr_expect_eq(netfeat_column_get_i64(s, -1, &i), NETFEAT_ERR_RANGE);
    cr_expect_eq(netfeat_column_get_i64(s, 0, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_column_is_null(NULL, 0), NETFEAT_ERR_ARGUMENT);
    netfeat_column_unref(s);
    cr_assert_eq(
        netfeat_column_wrap(ctx, NETFEAT_TYPE_I64, 2, signed_values, &second_is_null, NULL, NULL, &s), 0);
    i = 77;
    cr_expect_eq(netfeat_column_get_i64(s, 1, &i), 0);
    cr_expect_eq(i, 77);
    cr_expect_eq(netfeat_column_nulls(s), 1);
    netfeat_column_unref(s);
    s = NULL;
    cr_expect_eq(netfeat_column_wrap(ctx, NETFEAT_TYPE_TEXT, 1, "x", NULL, NULL, NULL, &s), NETFEAT_ERR_TYPE);
    cr_expect_eq(netfeat_column_wrap(ctx, NETFEAT_TYPE_U8, -1, "x", NULL, NULL, NULL, &s),
                 NETFEAT_ERR_ARGUMENT);
    cr_expect_null(s);
    netfeat_column_unref(u);
    netfeat_column_unref(f);
    netfeat_column_unref(text);
}

static void count_release(void *user)
{
    ++*(int *)user;
}

Test(column, wrapped_memory_is_released_once_by_the_last_user)
{
    static const uint32_t values[] = {1, 2, 3, 4};
    netfeat_column *col = NULL, *part = NULL;
    int released = 0;

    cr_assert_eq(netfeat_column_wrap(ctx, NETFEAT_TYPE_U32, 4, values, NULL, count_release, &released, &col),
                 0);
    cr_assert_eq(nf_column_slice(ctx, col, 1, 2, &part), 0);
    netfeat_column_unref(col);
    cr_expect_eq(released, 0);
    cr_expect_eq(netfeat_column_data(part), values + 1, "shared, not copied");
    netfeat_column_unref(part);
    cr_expect_eq(released, 1);
    /* refused: the release is not called */
    cr_expect_lt(netfeat_column_wrap(ctx, NETFEAT_TYPE_BOOL, 4, values, NULL, count_release, &released, &col),
                 0);
    cr_expect_eq(released, 1);
}

Test(column, addresses_follow_rfc_5952)
{
    static const struct {
        uint8_t ip[16];
        const char *text;
    } cases[] = {
        {{0}, "::"},
        {{[15] = 1}, "::1"},
        {{[10] = 0xff, 0xff, 192, 0, 2, 255}, "192.0.2.255"},
        {{[10] = 0xff, 0xff, 0, 0, 0, 0}, "0.0.0.0"},
        {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, "2001:db8::1"},
        {{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, "2001:db8:0:1:1:1:1:1"},
        {{0x20, 0x01, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}, "2001:0:0:1::1"},
        {{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1}, "2001:db8::1:0:0:1"},
        {{0xfe, 0x80, [14] = 0}, "fe80::"},
        {{0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0}, "1:2:3:4:5:6:7:0"},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {{[12] = 1, 2, 3, 4}, "::102:304"},
    };
    char buf[NF_TEXT_MAX];
    static const uint8_t mac[6] = {0, 0x1b, 0xff, 9, 0xa0, 0};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_eq(nf_text_ip(buf, cases[i].ip), strlen(cases[i].text));
        cr_expect_str_eq(buf, cases[i].text);
    }
    cr_expect_eq(nf_text_mac(buf, mac), 17);
    cr_expect_str_eq(buf, "00:1b:ff:09:a0:00");
}

Test(column, times_and_numbers_print_exactly)
{
    static const struct {
        int64_t ns;
        const char *text;
    } times[] = {{0, "1970-01-01T00:00:00.000000000Z"},
                 {-1, "1969-12-31T23:59:59.999999999Z"},
                 {951782400000000000, "2000-02-29T00:00:00.000000000Z"},
                 {951868800000000001, "2000-03-01T00:00:00.000000001Z"},
                 {1700000000123456789, "2023-11-14T22:13:20.123456789Z"},
                 {INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
                 {INT64_MIN, "1677-09-21T00:12:43.145224192Z"},
                 {4107542399999999999, "2100-02-28T23:59:59.999999999Z"},
                 {4107542400000000000, "2100-03-01T00:00:00.000000000Z"}};
    static const double doubles[] = {0,       -0.0, 0.1,     1.0 / 3,  1e300,     5e-324,
                                     DBL_MAX, 1e15, 1.5e-10, INFINITY, -INFINITY, 100};
    char buf[NF_TEXT_MAX];

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        cr_expect_eq(nf_text_time(buf, times[i].ns), 30);
        cr_expect_str_eq(buf, times[i].text);
    }
    nf_text_i64(buf, INT64_MIN);
    cr_expect_str_eq(buf, "-9223372036854775808");
    nf_text_u64(buf, UINT64_MAX);
    cr_expect_str_eq(buf, "18446744073709551615");
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++) {
        cr_expect_eq(nf_text_f64(buf, doubles[i]), strlen(buf));
        cr_expect_eq(strtod(buf, NULL), doubles[i], "%s", buf);
    }
    nf_text_f64(buf, 0.1);
    cr_expect_str_eq(buf, "0.1");
    nf_text_f64(buf, NAN);
    cr_expect_str_eq(buf, "nan");
}

Test(column, text_is_cut_at_the_buffer)
{
    netfeat_column *col = make_column(NETFEAT_TYPE_BYTES, 3, true);
    netfeat_column *list = make_column(NETFEAT_TYPE_LIST, 4, true);
    char buf[8] = "xxxxxxx";
    size_t n = 0;

    cr_expect_eq(netfeat_column_get_text(col, 2, buf, sizeof buf, &n), 1);
    cr_expect_eq(n, 2 * strlen("value 15838"));
    cr_expect_str_eq(buf, "76616c7");
    cr_expect_eq(netfeat_column_get_text(col, 1, buf, sizeof buf, &n), 0);
    cr_expect_eq(n, 0);
    cr_expect_str_eq(buf, "");
    cr_expect_eq(netfeat_column_get_text(col, 2, NULL, 0, &n), 1);
    cr_expect_eq(netfeat_column_get_text(col, 2, NULL, 1, &n), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_column_get_text(col, 3, buf, 1, &n), NETFEAT_ERR_RANGE);
    char wide[40];
    cr_expect_eq(netfeat_column_get_text(list, 3, wide, sizeof wide, &n), 1);
    cr_expect_str_eq(wide, "[3, null, 5]");
    cr_expect_eq(netfeat_column_get_text(list, 0, wide, sizeof wide, &n), 1);
    cr_expect_str_eq(wide, "[]");
    netfeat_column_unref(col);
    netfeat_column_unref(list);
}

Test(column, dictionary_gives_back_the_column)
{
    static const int types[] = {NETFEAT_TYPE_U8,      NETFEAT_TYPE_BYTES16, NETFEAT_TYPE_TEXT,
                                NETFEAT_TYPE_TIME_NS, NETFEAT_TYPE_BYTES6,  NETFEAT_TYPE_BYTES};
    netfeat_column *ids = NULL, *values = NULL;

    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        for (int64_t rows = 0; rows <= 500; rows += 250) {
            netfeat_column *col = make_column(types[t], rows, true);
            cr_assert_eq(netfeat_column_dictionary(ctx, col, &ids, &values), 0);
            cr_expect_eq(netfeat_column_type(values), types[t]);
            uint64_t next = 0;
            for (int64_t i = 0; i < rows; i++) {
                uint64_t id = 0;
                int present = netfeat_column_get_u64(ids, i, &id);
                cr_assert_eq(present, !netfeat_column_is_null(col, i));
                if (present) {
                    expect_same_row(col, i, values, (int64_t)id);
                    cr_assert_leq(id, next, "first appearance");
                    next += id == next;
                }
            }
            cr_expect_eq(netfeat_column_length(values), (int64_t)next, "each value once");
            netfeat_column *text = NULL;
            cr_assert_eq(netfeat_column_to_text(ctx, col, &text), 0);
            cr_expect_eq(netfeat_column_type(text), NETFEAT_TYPE_TEXT);
            for (int64_t i = 0; i < rows; i++) {
                expect_same_row(col, i, text, i);
            }
            netfeat_column_unref(text);
            netfeat_column_unref(ids);
            netfeat_column_unref(values);
            netfeat_column_unref(col);
        }
    }
    netfeat_column *list = make_column(NETFEAT_TYPE_LIST, 2, false);
    cr_expect_eq(netfeat_column_dictionary(ctx, list, &ids, &values), NETFEAT_ERR_TYPE);
    netfeat_column_unref(list);
}

Test(column, table_operations)
{
    const char *names[] = {"a", "b", "c"};
    netfeat_column *cols[3] = {make_column(NETFEAT_TYPE_U16, 10, true),
                               make_column(NETFEAT_TYPE_TEXT, 10, false),
                               make_column(NETFEAT_TYPE_F64, 10, false)};
    netfeat_table *tab = NULL, *out = NULL, *other = NULL;
    static const int pick[] = {2, 0}, twice[] = {1, 1}, bad[] = {3};
    static const int64_t rows[] = {9, 0, 9};

    cr_assert_eq(netfeat_table_from_columns(ctx, names, cols, 3, &tab), 0);
    cr_expect_eq(netfeat_table_rows(tab), 10);
    cr_expect_eq(netfeat_table_find(tab, "c"), 2);
    cr_expect_eq(netfeat_table_find(tab, "d"), NETFEAT_ERR_NOTFOUND);
    cr_expect_eq(netfeat_table_column(tab, 1), cols[1]);
    cr_expect_null(netfeat_table_column(tab, 3));
    cr_assert_eq(netfeat_table_select(ctx, tab, pick, 2, &other), 0);
    cr_expect_str_eq(netfeat_table_name(other, 0), "c");
    cr_expect_eq(netfeat_table_column(other, 1), cols[0]);
    cr_expect_eq(netfeat_table_select(ctx, tab, twice, 2, &out), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_select(ctx, tab, bad, 1, &out), NETFEAT_ERR_RANGE);
    cr_expect_eq(netfeat_table_join(ctx, tab, other, &out), NETFEAT_ERR_ARGUMENT);
    cr_assert_eq(netfeat_table_complete_rows(ctx, tab, NULL, 0, &out), 0);
    cr_expect_eq(netfeat_table_rows(out), 7);
    cr_expect_eq(netfeat_column_nulls(netfeat_table_column(out, 0)), 0);
    expect_same_row(netfeat_table_column(out, 1), 1, cols[1], 2);
    netfeat_table_unref(out);
    cr_assert_eq(netfeat_table_complete_rows(ctx, tab, pick, 1, &out), 0);
    cr_expect_eq(netfeat_table_rows(out), 10);
    netfeat_table_unref(out);
    cr_assert_eq(netfeat_table_take(ctx, tab, rows, 3, &out), 0);
    expect_same_row(netfeat_table_column(out, 2), 2, cols[2], 9);
    netfeat_table_unref(out);
    cr_expect_eq(netfeat_table_slice(ctx, tab, 5, 6, &out), NETFEAT_ERR_RANGE);
    cr_expect_eq(netfeat_table_slice(ctx, tab, -1, 1, &out), NETFEAT_ERR_RANGE);
    cr_assert_eq(netfeat_table_slice(ctx, tab, 10, 0, &out), 0);
    cr_expect_eq(netfeat_table_rows(out), 0);
    netfeat_table_unref(out);
    netfeat_table_unref(tab);
    for (int i = 0; i < 3; i++) {
        netfeat_column_unref(cols[i]);
    }
    cr_expect_str_eq(netfeat_table_name(other, 1), "a", "outlives what it came from");
    netfeat_table_unref(other);
}

Test(column, refuses_bad_tables)
{
    const char *names[] = {"a", "a"}, *nameless[] = {"a", ""};
    netfeat_column *cols[2] = {make_column(NETFEAT_TYPE_U8, 2, false),
                               make_column(NETFEAT_TYPE_U8, 3, false)};
    netfeat_column *same[2] = {cols[0], cols[0]};
    netfeat_table *tab = NULL;

    cr_expect_eq(netfeat_table_from_columns(ctx, names, same, 2, &tab), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_from_columns(ctx, nameless, same, 2, &tab), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_from_columns(ctx, (const char *[]){"a", "b"}, cols, 2, &tab),
                 NETFEAT_ERR_ARGUMENT);
    cr_expect_null(tab);
    cr_assert_eq(netfeat_table_from_columns(ctx, NULL, NULL, 0, &tab), 0);
    cr_expect_eq(netfeat_table_rows(tab), 0);
    netfeat_table_unref(tab);
    netfeat_column_unref(cols[0]);
    netfeat_column_unref(cols[1]);
}
