/* CSV: the text of every type, quoting, NULLs, times, long values. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export_check.h"

static netfeat_ctx *ctx;
static netfeat_options *opts;

static void set_up(void)
{
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_IO_FORMAT, "csv"), 0);
}

static void tear_down(void)
{
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

TestSuite(csv, .init = set_up, .fini = tear_down);

/* The file that the table becomes; to be freed. */
static char *csv_of(const netfeat_table *tab, size_t *ret_size)
{
    char path[] = "/tmp/netfeat-csv-XXXXXX";
    int fd = mkstemp(path);
    struct stat st;
    char *text;

    cr_assert_geq(fd, 0);
    unlink(path);
    cr_assert_eq(netfeat_table_save_fd(ctx, tab, fd, opts), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_assert_eq(fstat(fd, &st), 0);
    text = calloc((size_t)st.st_size + 1, 1);
    cr_assert_eq(pread(fd, text, (size_t)st.st_size, 0), st.st_size);
    close(fd);
    *ret_size = (size_t)st.st_size;
    return text;
}

static netfeat_column *texts(int type, const char *const *values, size_t n)
{
    netfeat_column *col = NULL;
    nf_builder b;

    nf_builder_init(&b, ctx, type);
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(values[i] == NULL ? nf_builder_add_null(&b)
                                       : nf_builder_add_bytes(&b, values[i], strlen(values[i])),
                     0);
    }
    cr_assert_eq(nf_builder_finish(&b, "", "", "", &col), 0);
    return col;
}

Test(csv, cells)
{
    static const char *const words[] = {"plain",      NULL,           "",       "a,b",
                                        "say \"hi\"", "two\r\nlines", " space", "=1+1"};
    const char *names[] = {"n", "a \"name\", quoted"};
    netfeat_column *cols[2] = {NULL, texts(NETFEAT_TYPE_TEXT, words, 8)};
    netfeat_table *tab = NULL;
    nf_builder b;
    size_t size;
    char *got;

    nf_builder_init(&b, ctx, NETFEAT_TYPE_I64);
    for (int i = 0; i < 8; i++) {
        cr_assert_eq(i == 3 ? nf_builder_add_null(&b) : nf_builder_add_i64(&b, -i), 0);
    }
    cr_assert_eq(nf_builder_finish(&b, "", "", "", &cols[0]), 0);
    cr_assert_eq(netfeat_table_from_columns(ctx, names, cols, 2, &tab), 0);
    got = csv_of(tab, &size);
    cr_expect_str_eq(got, "n,\"a \"\"name\"\", quoted\"\r\n0,plain\r\n-1,\r\n-2,\"\"\r\n,\"a,b\"\r\n"
                          "-4,\"say \"\"hi\"\"\"\r\n-5,\"two\r\nlines\"\r\n-6,\" space\"\r\n-7,=1+1\r\n");
    free(got);
    netfeat_table_unref(tab);
    netfeat_column_unref(cols[0]);
    netfeat_column_unref(cols[1]);
}

/* Take the CSV apart by the rules of the format, and compare with the text of every cell. */
Test(csv, every_type)
{
    netfeat_table *tab = NULL;
    size_t size;
    char *got, *p;
    char want[512], cell[512];

    cr_assert_eq(check_table(ctx, 300, true, &tab), 0);
    got = csv_of(tab, &size);
    p = strstr(got, "\r\n") + 2;
    for (int64_t row = 0; row < 300; row++) {
        for (int i = 0; i < netfeat_table_width(tab); i++) {
            size_t n = 0;
            bool quoted = *p == '"';
            int present = netfeat_column_get_text(netfeat_table_column(tab, i), row, want, sizeof want, NULL);
            p += quoted;
            while (quoted ? *p != '"' || p[1] == '"' : *p != ',' && *p != '\r') {
                p += quoted && *p == '"';
                cell[n++] = *p++;
            }
            cell[n] = '\0';
            p += quoted;
            cr_assert_str_eq(cell, want, "row %lld, %s", (long long)row, netfeat_table_name(tab, i));
            cr_assert_eq(present, n > 0 || quoted, "NULL is an empty cell, an empty text is not");
            cr_assert_eq(*p, i + 1 < netfeat_table_width(tab) ? ',' : '\r');
            p++;
        }
        cr_assert_eq(*p++, '\n');
    }
    cr_expect_eq((size_t)(p - got), size);
    free(got);
    netfeat_table_unref(tab);
}

Test(csv, times_and_lone_nulls)
{
    static const char *const one_null[] = {NULL};
    const char *names[] = {"t"};
    netfeat_column *col = NULL;
    netfeat_table *tab = NULL;
    int64_t *values;
    size_t size;
    char *got;

    cr_assert_eq(nf_column_new(ctx, NETFEAT_TYPE_TIME_NS, 2, "ns", "", "", &col, &values, NULL), 0);
    values[0] = 1500000000123456789;
    values[1] = -1;
    cr_assert_eq(netfeat_table_from_columns(ctx, names, &col, 1, &tab), 0);
    got = csv_of(tab, &size);
    cr_expect_str_eq(got, "t\r\n2017-07-14T02:40:00.123456789Z\r\n1969-12-31T23:59:59.999999999Z\r\n");
    free(got);
    cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_IO_TIMES, "ns"), 0);
    got = csv_of(tab, &size);
    cr_expect_str_eq(got, "t\r\n1500000000123456789\r\n-1\r\n");
    free(got);
    netfeat_table_unref(tab);
    netfeat_column_unref(col);
    /* a line of nothing would be skipped by readers */
    col = texts(NETFEAT_TYPE_TEXT, one_null, 1);
    cr_assert_eq(netfeat_table_from_columns(ctx, names, &col, 1, &tab), 0);
    got = csv_of(tab, &size);
    cr_expect_str_eq(got, "t\r\n\"\"\r\n");
    free(got);
    netfeat_table_unref(tab);
    netfeat_column_unref(col);
    cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_IO_COMPRESSION, "zstd"), 0);
    cr_assert_eq(check_table(ctx, 1, false, &tab), 0);
    cr_expect_eq(netfeat_table_save_fd(ctx, tab, 1, opts), NETFEAT_ERR_UNSUPPORTED);
    netfeat_table_unref(tab);
}

/* Values larger than the buffer of the output, in the middle of smaller ones. */
Test(csv, long_values)
{
    enum { LONG = 700001 };
    const char *names[] = {"text", "bytes"};
    netfeat_column *cols[2];
    netfeat_table *tab = NULL;
    char *value = malloc(LONG + 1);
    const char *values[3] = {"first", value, "last"};
    size_t size, quotes = 0;
    char *got;

    for (size_t i = 0; i < LONG; i++) {
        value[i] = i % 1000 == 0 ? '"' : (char)('a' + i % 26);
        quotes += i % 1000 == 0;
    }
    value[LONG] = '\0';
    cols[0] = texts(NETFEAT_TYPE_TEXT, values, 3);
    cols[1] = texts(NETFEAT_TYPE_BYTES, values, 3);
    cr_assert_eq(netfeat_table_from_columns(ctx, names, cols, 2, &tab), 0);
    got = csv_of(tab, &size);
    cr_expect_eq(size, strlen("text,bytes\r\nfirst,6669727374\r\n") + 2 + LONG + quotes + 1 + 2 * LONG + 2 +
                           strlen("last,6c617374\r\n"));
    cr_expect_not_null(strstr(got, "\r\nlast,6c617374\r\n"));
    free(got);
    free(value);
    netfeat_table_unref(tab);
    netfeat_column_unref(cols[0]);
    netfeat_column_unref(cols[1]);
}
