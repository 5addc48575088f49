/* Tables through DuckDB: its C library takes our ArrowArrayStream by ADBC, answers in SQL, and gives a stream that
   we import again; and it reads our Parquet and CSV files.
   usage: interop_duckdb LIBDUCKDB DIRECTORY    prints TAP; DIRECTORY as made by interop_tables */
#include <dlfcn.h>

#include "../unit/export_check.h"

/* ADBC 1.0, as its C interface lays it out: a driver is a table of functions. */
#define ADBC_VERSION_1_0 1000000
typedef struct {
    char *message;
    int32_t vendor_code;
    char sqlstate[5];
    void (*release)(void *error);
    void *private_data, *private_driver;
} adbc_error;
typedef struct {
    void *private_data, *private_driver;
} adbc_handle;
typedef void (*any_fn)(void);
typedef struct {
    void *private_data, *private_manager;
    any_fn release;
    uint8_t (*database_init)(adbc_handle *, adbc_error *);
    uint8_t (*database_new)(adbc_handle *, adbc_error *);
    uint8_t (*database_set_option)(adbc_handle *, const char *, const char *, adbc_error *);
    uint8_t (*database_release)(adbc_handle *, adbc_error *);
    any_fn commit, get_info, get_objects, get_table_schema, get_table_types;
    uint8_t (*connection_init)(adbc_handle *, adbc_handle *, adbc_error *);
    uint8_t (*connection_new)(adbc_handle *, adbc_error *);
    any_fn connection_set_option, read_partition;
    uint8_t (*connection_release)(adbc_handle *, adbc_error *);
    any_fn rollback, bind;
    uint8_t (*bind_stream)(adbc_handle *, struct ArrowArrayStream *, adbc_error *);
    uint8_t (*execute_query)(adbc_handle *, struct ArrowArrayStream *, int64_t *, adbc_error *);
    any_fn execute_partitions, get_parameter_schema;
    uint8_t (*statement_new)(adbc_handle *, adbc_handle *, adbc_error *);
    any_fn prepare;
    uint8_t (*statement_release)(adbc_handle *, adbc_error *);
    uint8_t (*statement_set_option)(adbc_handle *, const char *, const char *, adbc_error *);
    uint8_t (*set_sql_query)(adbc_handle *, const char *, adbc_error *);
    any_fn more[64]; /* of later versions */
} adbc_driver;

static netfeat_ctx *ctx;
static adbc_driver driver;
static adbc_handle database, connection;
static int tests, failures;

static void ok(bool holds, const char *what, const char *wrong)
{
    tests++;
    failures += !holds;
    printf("%s %d - %s\n", holds ? "ok" : "not ok", tests, what);
    if (!holds && wrong != NULL) {
        printf("# %s\n", wrong);
    }
}

static void need(uint8_t status, const adbc_error *e, const char *what)
{
    if (status != 0) {
        printf("Bail out! %s: %u %s\n", what, status, e->message != NULL ? e->message : "");
        exit(1);
    }
}

static void need_code(int code, const char *what)
{
    if (code != 0) {
        printf("Bail out! %s: %s %s\n", what, netfeat_error_name(code), netfeat_ctx_error_message(ctx));
        exit(1);
    }
}

static void ingest(netfeat_table *tab, const char *name, const netfeat_options *opts)
{
    struct ArrowArrayStream stream;
    adbc_handle statement = {NULL, NULL};
    adbc_error e = {.message = NULL};

    need_code(netfeat_table_export_stream(ctx, tab, opts, &stream), "export");
    need(driver.statement_new(&connection, &statement, &e), &e, "statement");
    need(driver.statement_set_option(&statement, "adbc.ingest.target_table", name, &e), &e, "target");
    need(driver.bind_stream(&statement, &stream, &e), &e, "bind");
    need(driver.execute_query(&statement, NULL, NULL, &e), &e, "ingest");
    need(driver.statement_release(&statement, &e), &e, "release");
}

static int query(const char *sql, netfeat_table **ret)
{
    struct ArrowArrayStream stream = {.release = NULL};
    adbc_handle statement = {NULL, NULL};
    adbc_error e = {.message = NULL};
    int64_t rows = 0;
    int code;

    need(driver.statement_new(&connection, &statement, &e), &e, "statement");
    need(driver.set_sql_query(&statement, sql, &e), &e, sql);
    need(driver.execute_query(&statement, &stream, &rows, &e), &e, sql);
    code = netfeat_table_import_stream(ctx, &stream, NULL, ret);
    need(driver.statement_release(&statement, &e), &e, "release");
    return code;
}

/* Bytes of a value whose type DuckDB knows only as BLOB. */
static bool same_bytes(const netfeat_column *want, const netfeat_column *got, int64_t row)
{
    size_t width = (size_t)netfeat_column_value_bytes(want);
    const int64_t *o = netfeat_column_offsets(got);

    return o != NULL && (size_t)(o[row + 1] - o[row]) == width &&
           memcmp((const uint8_t *)netfeat_column_data(want) + (size_t)row * width,
                  (const uint8_t *)netfeat_column_data(got) + o[row], width) == 0;
}

static const char *compare_column(const netfeat_column *want, const netfeat_column *got, int64_t rows)
{
    static char text[600];
    char a[256], b[256];
    bool blob = netfeat_column_value_bytes(want) != 0 && netfeat_column_type(got) == NETFEAT_TYPE_BYTES;

    for (int64_t row = 0; row < rows; row++) {
        int ra = netfeat_column_get_text(want, row, a, sizeof a, NULL);
        int rb = netfeat_column_get_text(got, row, b, sizeof b, NULL);
        if (ra != rb || (ra == 1 && blob ? !same_bytes(want, got, row) : strcmp(a, b) != 0)) {
            snprintf(text, sizeof text, "row %lld: %d %s, DuckDB says %d %s", (long long)row, ra, a, rb, b);
            return text;
        }
    }
    return NULL;
}

/* A list of addresses comes back as a list of BLOBs: compare the items. */
static const char *compare(const netfeat_table *want, const netfeat_table *got)
{
    static char text[800];
    int64_t rows = netfeat_table_rows(want);

    if (netfeat_table_rows(got) != rows || netfeat_table_width(got) != netfeat_table_width(want)) {
        snprintf(text, sizeof text, "%lld rows, %d columns", (long long)netfeat_table_rows(got),
                 netfeat_table_width(got));
        return text;
    }
    for (int i = 0; i < netfeat_table_width(want); i++) {
        netfeat_column *a = netfeat_table_column(want, i), *b = netfeat_table_column(got, i);
        const netfeat_column *x = netfeat_column_child(a), *y = netfeat_column_child(b);
        const char *wrong;
        if (x != NULL && y != NULL && netfeat_column_type(x) == NETFEAT_TYPE_BYTES16 &&
            netfeat_column_type(y) == NETFEAT_TYPE_BYTES) {
            int64_t from = netfeat_column_offsets(a)[0];
            netfeat_column *items = NULL;
            need_code(nf_column_slice(ctx, netfeat_column_child(a), from,
                                      netfeat_column_offsets(a)[rows] - from, &items),
                      "slice");
            wrong = netfeat_column_length(items) == netfeat_column_length(y)
                        ? compare_column(items, y, netfeat_column_length(items))
                        : "another number of items";
            netfeat_column_unref(items);
        } else {
            wrong = compare_column(a, b, rows);
        }
        if (wrong != NULL) {
            snprintf(text, sizeof text, "column %s: %s", netfeat_table_name(want, i), wrong);
            return text;
        }
    }
    return NULL;
}

static void through_duckdb(int64_t rows, bool nulls, int64_t first, int64_t batch, const char *addresses,
                           bool views)
{
    static int number;
    netfeat_options *opts = NULL;
    netfeat_table *all = NULL, *tab = NULL, *got = NULL;
    char name[32], sql[100], what[200];
    const char *wrong;

    snprintf(name, sizeof name, "t%d", number++);
    snprintf(what, sizeof what,
             "ingest and select: %lld rows from %lld, nulls %d, batches of %lld, addresses as %s%s",
             (long long)rows, (long long)first, nulls, (long long)batch, addresses, views ? ", views" : "");
    need_code(netfeat_options_new(ctx, &opts), "options");
    need_code(netfeat_options_set_int(opts, NETFEAT_OPT_IO_BATCH_ROWS, batch), "option");
    need_code(netfeat_options_set_int(opts, NETFEAT_OPT_IO_BINARY_VIEW, views), "option");
    need_code(netfeat_options_set_text(opts, NETFEAT_OPT_IO_ADDRESSES, addresses), "option");
    need_code(check_table(ctx, rows + first, nulls, &all), "make");
    need_code(netfeat_table_slice(ctx, all, first, rows, &tab), "slice");
    ingest(tab, name, opts);
    snprintf(sql, sizeof sql, "SELECT * FROM %s", name);
    need_code(query(sql, &got), sql);
    wrong = compare(tab, got);
    ok(wrong == NULL, what, wrong);
    netfeat_table_unref(got);
    netfeat_table_unref(tab);
    netfeat_table_unref(all);
    netfeat_options_unref(opts);
}

/* Numbers that SQL computes, beside the same computed here: the data mean the same to both. */
static void aggregates(void)
{
    netfeat_table *tab = NULL, *got = NULL;
    uint64_t sum = 0, present = 0, value;
    int64_t answers[2] = {-1, -1};

    need_code(check_table(ctx, 5000, true, &tab), "make");
    ingest(tab, "sums", NULL);
    for (int64_t row = 0; row < 5000; row++) {
        if (netfeat_column_get_u64(netfeat_table_column(tab, 2), row, &value) == 1) {
            sum += value;
            present++;
        }
    }
    need_code(query("SELECT CAST(sum(u16) AS BIGINT), count(u16) FROM sums WHERE u16 IS NOT NULL", &got),
              "query");
    netfeat_column_get_i64(netfeat_table_column(got, 0), 0, &answers[0]);
    netfeat_column_get_i64(netfeat_table_column(got, 1), 0, &answers[1]);
    ok(answers[0] == (int64_t)sum && answers[1] == (int64_t)present, "sum and count", NULL);
    netfeat_table_unref(got);
    netfeat_table_unref(tab);
}

static void reads_file(const char *directory, const char *file, const char *reader, int64_t rows,
                       int64_t first, bool nulls, bool bytes)
{
    netfeat_table *all = NULL, *tab = NULL, *got = NULL;
    char sql[700], what[200];
    const char *wrong;

    snprintf(sql, sizeof sql, "SELECT * FROM %s('%s/%s')", reader, directory, file);
    snprintf(what, sizeof what, "%s reads %s", reader, file);
    need_code(check_table(ctx, rows + first, nulls, &all), "make");
    need_code(netfeat_table_slice(ctx, all, first, rows, &tab), "slice");
    need_code(query(sql, &got), sql);
    if (bytes) {
        wrong = compare(tab, got);
    } else { /* what text says of values, types are DuckDB's guess: numbers and names are enough */
        wrong = netfeat_table_rows(got) == rows
                    ? compare_column(netfeat_table_column(tab, 3), netfeat_table_column(got, 3), rows)
                    : "another number of rows";
        wrong = wrong != NULL
                    ? wrong
                    : compare_column(netfeat_table_column(tab, 8), netfeat_table_column(got, 8), rows);
    }
    ok(wrong == NULL, what, wrong);
    netfeat_table_unref(got);
    netfeat_table_unref(tab);
    netfeat_table_unref(all);
}

static void open_database(const char *library)
{
    void *so = dlopen(library, RTLD_NOW);
    uint8_t (*init)(int, void *, adbc_error *);
    adbc_error e = {.message = NULL};
    void *symbol = so != NULL ? dlsym(so, "duckdb_adbc_init") : NULL;

    if (symbol == NULL) {
        printf("Bail out! %s\n", dlerror());
        exit(1);
    }
    memcpy(&init, &symbol, sizeof init);
    need(init(ADBC_VERSION_1_0, &driver, &e), &e, "init");
    need(driver.database_new(&database, &e), &e, "database");
    need(driver.database_init(&database, &e), &e, "database");
    need(driver.connection_new(&connection, &e), &e, "connection");
    need(driver.connection_init(&connection, &database, &e), &e, "connection");
}

int main(int argc, char **argv)
{
    adbc_error e = {.message = NULL};
    uint64_t used;

    if (argc != 3 || netfeat_ctx_new(&ctx) != 0) {
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    used = netfeat_ctx_memory_used(ctx);
    open_database(argv[1]);
    through_duckdb(300, false, 0, 0, "bytes", false);
    through_duckdb(300, true, 0, 0, "bytes", false);
    through_duckdb(300, true, 0, 64, "bytes", false);
    through_duckdb(300, true, 13, 64, "text", false);
    through_duckdb(300, true, 13, 0, "text", true);
    through_duckdb(300, true, 13, 64, "bytes", true);
    through_duckdb(0, false, 0, 0, "bytes", false);
    through_duckdb(0, false, 0, 0, "text", true);
    through_duckdb(1, true, 0, 0, "bytes", false);
    through_duckdb(5000, true, 5, 0, "text", false); /* more than one of DuckDB's vectors */
    through_duckdb(9000, true, 0, 3000, "bytes", false);
    aggregates();
    reads_file(argv[2], "parquet.parquet", "read_parquet", 500, 3, true, true);
    reads_file(argv[2], "parquet-text.parquet", "read_parquet", 500, 0, true, true);
    reads_file(argv[2], "parquet-full.parquet", "read_parquet", 50, 0, false, true);
    reads_file(argv[2], "parquet-empty.parquet", "read_parquet", 0, 0, false, true);
    reads_file(argv[2], "csv.csv", "read_csv", 200, 3, true, false);
    need(driver.connection_release(&connection, &e), &e, "close");
    need(driver.database_release(&database, &e), &e, "close");
    ok(netfeat_ctx_memory_used(ctx) == used, "everything was given back", NULL);
    netfeat_ctx_unref(ctx);
    printf("1..%d\n", tests);
    return failures != 0;
}
