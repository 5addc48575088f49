/* The Arrow C data and C stream interface, and Arrow in pipes: round trips, ownership, failing allocations. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <unistd.h>

#include "export_check.h"
#include "../support/torture.h"

static netfeat_ctx *ctx;
static netfeat_options *opts;
static uint64_t empty;

static void set_up(void)
{
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    empty = netfeat_ctx_memory_used(ctx);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
}

static void tear_down(void)
{
    netfeat_options_unref(opts);
    cr_expect_eq(netfeat_ctx_memory_used(ctx), empty, "everything was given back");
    netfeat_ctx_unref(ctx);
}

TestSuite(arrow, .init = set_up, .fini = tear_down);

static void must(int code, const char *what)
{
    cr_assert_eq(code, 0, "%s: %d %s", what, code, netfeat_ctx_error_message(ctx));
}

Test(arrow, every_type_comes_back)
{
    static const int64_t batches[] = {0, 8, 40};
    static const int64_t sizes[] = {0, 1, 9, 205};

    for (size_t k = 0; k < 3 * 4 * 2 * 2; k++) {
        int64_t rows = sizes[k / 4 % 4];
        bool nulls = k & 1, views = k & 2;
        struct ArrowArrayStream stream;
        netfeat_table *tab = NULL, *slice = NULL, *back = NULL;
        const char *wrong;
        must(check_table(ctx, rows, nulls, &tab), "make");
        must(netfeat_table_slice(ctx, tab, rows / 3, rows - rows / 3, &slice), "slice");
        netfeat_table_unref(tab);
        must(netfeat_options_set_int(opts, NETFEAT_OPT_IO_BATCH_ROWS, batches[k / 16]), "option");
        must(netfeat_options_set_int(opts, NETFEAT_OPT_IO_BINARY_VIEW, views), "option");
        must(netfeat_table_export_stream(ctx, slice, opts, &stream), "export");
        must(netfeat_table_import_stream(ctx, &stream, opts, &back), "import");
        cr_expect_null(stream.release);
        wrong = check_same(slice, back, true);
        cr_expect_null(wrong, "case %zu: %s", k, wrong);
        cr_expect_str_eq(netfeat_table_meta(back, "netfeat.kind"), "table");
        netfeat_table_unref(back);
        netfeat_table_unref(slice);
    }
}

/* In place both ways: the very same addresses. */
Test(arrow, nothing_is_copied)
{
    struct ArrowSchema schema;
    struct ArrowArray array;
    netfeat_table *tab = NULL, *back = NULL;

    must(check_table(ctx, 1000, true, &tab), "make");
    must(netfeat_table_export_array(ctx, tab, NULL, &schema, &array), "export");
    cr_expect_str_eq(schema.format, "+s");
    cr_expect_eq(schema.n_children, netfeat_table_width(tab));
    cr_expect_eq(array.length, 1000);
    must(netfeat_table_import_array(ctx, &schema, &array, NULL, &back), "import");
    cr_expect(schema.release == NULL && array.release == NULL, "moved");
    for (int i = 0; i < netfeat_table_width(tab); i++) {
        netfeat_column *a = netfeat_table_column(tab, i), *b = netfeat_table_column(back, i);
        cr_expect_eq(netfeat_column_data(a), netfeat_column_data(b), "%s", netfeat_table_name(tab, i));
        cr_expect_eq(netfeat_column_validity(a), netfeat_column_validity(b));
        cr_expect_eq(netfeat_column_offsets(a), netfeat_column_offsets(b));
    }
    tab = netfeat_table_unref(tab); /* the memory stays with whoever still has it */
    must(check_table(ctx, 1000, true, &tab), "make");
    cr_expect_null(check_same(tab, back, true));
    netfeat_table_unref(back);
    netfeat_table_unref(tab);
}

Test(arrow, formats_names_metadata)
{
    static const char *const formats[] = {
        "b", "C", "S", "I", "L", "l", "g", "tsn:", "w:16", "U", "Z", "w:6", "+L", "+L", "+L", "+L"};
    struct ArrowSchema schema;
    struct ArrowArray array;
    netfeat_table *tab = NULL;
    int32_t pairs;

    must(check_table(ctx, 20, true, &tab), "make");
    must(netfeat_table_export_array(ctx, tab, NULL, &schema, NULL), "schema alone");
    for (int64_t i = 0; i < schema.n_children; i++) {
        cr_expect_str_eq(schema.children[i]->format, formats[i]);
        cr_expect_str_eq(schema.children[i]->name, netfeat_table_name(tab, (int)i));
        cr_expect_eq(schema.children[i]->flags, ARROW_FLAG_NULLABLE);
        memcpy(&pairs, schema.children[i]->metadata, sizeof pairs);
        cr_expect_eq(pairs, 4, "type, unit, definition, NULL rule");
    }
    netfeat_arrow_schema_release(&schema);
    cr_expect_null(schema.release);
    netfeat_arrow_schema_release(&schema);

    must(netfeat_options_set_text(opts, NETFEAT_OPT_IO_ADDRESSES, "text"), "option");
    must(netfeat_table_export_array(ctx, tab, opts, &schema, &array), "addresses as text");
    cr_expect_str_eq(schema.children[8]->format, "I");
    cr_assert_not_null(schema.children[8]->dictionary);
    cr_expect_str_eq(schema.children[8]->dictionary->format, "U");
    cr_expect_str_eq(schema.children[11]->dictionary->format, "U");
    cr_expect_null(schema.children[14]->children[0]->dictionary, "items of lists are plain text");
    cr_expect_str_eq(schema.children[14]->children[0]->format, "U");
    cr_expect_leq(array.children[8]->dictionary->length, 16);
    netfeat_arrow_schema_release(&schema);
    netfeat_arrow_array_release(&array);
    netfeat_table_unref(tab);

    cr_expect_eq(netfeat_arrow_struct_bytes(NETFEAT_ARROW_SCHEMA), sizeof(struct ArrowSchema));
    cr_expect_eq(netfeat_arrow_struct_bytes(NETFEAT_ARROW_ARRAY), sizeof(struct ArrowArray));
    cr_expect_eq(netfeat_arrow_struct_bytes(NETFEAT_ARROW_STREAM), sizeof(struct ArrowArrayStream));
    cr_expect_eq(netfeat_arrow_struct_bytes(4), 0);
    netfeat_arrow_stream_release(NULL);
    netfeat_arrow_array_release(NULL);
    netfeat_arrow_schema_release(NULL);
}

static void *release_elsewhere(void *user)
{
    struct ArrowArray *moved = user;

    for (int i = 15; i >= 0; i--) {
        moved[i].release(&moved[i]);
    }
    return NULL;
}

/* Children moved out of their parent, released in another thread, after everything else is gone. */
Test(arrow, any_order_any_thread)
{
    struct ArrowArrayStream stream;
    struct ArrowArray batch, moved[16];
    struct ArrowSchema schema;
    netfeat_table *tab = NULL;
    pthread_t thread;
    uint64_t sum = 0;

    must(check_table(ctx, 100, true, &tab), "make");
    must(netfeat_options_set_int(opts, NETFEAT_OPT_IO_BATCH_ROWS, 64), "option");
    must(netfeat_table_export_stream(ctx, tab, opts, &stream), "export");
    tab = netfeat_table_unref(tab);
    cr_expect_eq(stream.get_schema(&stream, &schema), 0);
    netfeat_arrow_schema_release(&schema);
    cr_expect_eq(stream.get_schema(&stream, &schema), 0, "as often as wanted");
    cr_expect_eq(stream.get_next(&stream, &batch), 0);
    cr_expect_eq(batch.length, 64);
    for (int i = 0; i < 16; i++) {
        moved[i] = *batch.children[i];
        batch.children[i]->release = NULL;
    }
    batch.release(&batch);
    cr_expect_eq(stream.get_next(&stream, &batch), 0);
    cr_expect_eq(batch.length, 36);
    cr_expect_null(stream.get_last_error(&stream));
    stream.release(&stream);
    netfeat_arrow_schema_release(&schema);
    batch.release(&batch);
    for (int64_t i = 0; i < moved[4].length; i++) {
        sum += ((const uint64_t *)moved[4].buffers[1])[i];
    }
    cr_expect_neq(sum, 0);
    cr_assert_eq(pthread_create(&thread, NULL, release_elsewhere, moved), 0);
    pthread_join(thread, NULL);
}

/* A reader at the other end of a pipe has each table as soon as it was written. */
Test(arrow, pipes_do_not_wait)
{
    netfeat_table *tab = NULL, *back = NULL;
    netfeat_writer *w = NULL;
    char data[65536];
    size_t used = 0;
    int ends[2];

    must(check_table(ctx, 20, true, &tab), "make");
    cr_assert_eq(pipe(ends), 0);
    must(netfeat_writer_open_fd(ctx, ends[1], NULL, &w), "open");
    for (int i = 1; i <= 2; i++) {
        must(netfeat_writer_write(w, tab), "write");
        ssize_t n = read(ends[0], data + used, sizeof data - used);
        cr_assert_gt(n, 0);
        used += (size_t)n;
        must(netfeat_table_load_memory(ctx, data, used, NULL, &back), "load what is there");
        cr_expect_eq(netfeat_table_rows(back), 20 * i);
        back = netfeat_table_unref(back);
    }
    netfeat_writer_unref(w);
    netfeat_table_unref(tab);
    close(ends[0]);
    close(ends[1]);
}

Test(arrow, arguments)
{
    struct ArrowArrayStream stream = {.release = NULL};
    struct ArrowArray array = {.release = NULL};
    struct ArrowSchema schema = {.release = NULL};
    netfeat_table *tab = NULL, *growing = NULL;
    netfeat_column *col = NULL;

    must(check_table(ctx, 1, false, &tab), "make");
    must(netfeat_table_new(ctx, NULL, &growing), "make");
    cr_expect_eq(netfeat_table_export_stream(NULL, tab, NULL, &stream), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_export_stream(ctx, NULL, NULL, &stream), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_export_stream(ctx, tab, NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_export_stream(ctx, growing, NULL, &stream), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_table_export_array(ctx, tab, NULL, NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_column_export_array(ctx, NULL, NULL, &schema, &array), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_import_stream(ctx, &stream, NULL, &tab), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_import_stream(ctx, NULL, NULL, &tab), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_import_array(ctx, &schema, &array, NULL, &tab), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_column_import_array(ctx, &schema, &array, NULL, &col), NETFEAT_ERR_ARGUMENT);
    must(netfeat_options_set_text(opts, NETFEAT_OPT_IO_ADDRESSES, "binary"), "option");
    cr_expect_eq(netfeat_table_export_stream(ctx, tab, opts, &stream), NETFEAT_ERR_ARGUMENT);
    cr_expect_null(netfeat_table_meta(tab, "netfeat.kind"));
    cr_expect_null(netfeat_table_meta(NULL, "netfeat.kind"));
    cr_expect_str_eq(netfeat_table_kind(tab), "table");
    must(netfeat_options_set_text(opts, NETFEAT_OPT_IO_ADDRESSES, "bytes"), "option");
    must(netfeat_options_set_int(opts, NETFEAT_OPT_IO_MAX_COLUMNS, 3), "option");
    must(netfeat_table_export_stream(ctx, tab, opts, &stream), "export");
    cr_expect_eq(netfeat_table_import_stream(ctx, &stream, opts, &tab), NETFEAT_ERR_LIMIT);
    netfeat_table_unref(growing);
    netfeat_table_unref(tab);
}

static int torture_stream(torture *t, void *user)
{
    struct ArrowArrayStream stream = {.release = NULL};
    struct ArrowSchema schema = {.release = NULL};
    struct ArrowArray array = {.release = NULL};
    netfeat_ctx *c = NULL;
    netfeat_options *o = NULL;
    netfeat_table *tab = NULL, *back = NULL;
    int code = torture_ctx(t, &c);

    (void)user;
    if (code != 0) {
        return code;
    }
    TRY(t, check_table(c, 9, true, &tab));
    TRY(t, netfeat_options_new(c, &o));
    TRY(t, netfeat_options_set_int(o, NETFEAT_OPT_IO_BATCH_ROWS, 8));
    TRY(t, netfeat_options_set_int(o, NETFEAT_OPT_IO_BINARY_VIEW, 1));
    TRY(t, netfeat_options_set_text(o, NETFEAT_OPT_IO_ADDRESSES, "text"));
    TRY(t, netfeat_table_export_array(c, tab, o, &schema, &array));
    netfeat_arrow_schema_release(&schema);
    netfeat_arrow_array_release(&array);
    TRY(t, netfeat_table_export_stream(c, tab, o, &stream));
    code = netfeat_table_import_stream(c, &stream, o, &back);
    if (code == NETFEAT_ERR_NOMEM && !t->all_from_there) { /* the stream is gone: make another */
        TRY(t, netfeat_table_export_stream(c, tab, o, &stream));
        code = netfeat_table_import_stream(c, &stream, o, &back);
    }
    if (code == 0) {
        torture_saw_table(t, back);
    }
out:
    netfeat_arrow_stream_release(&stream);
    netfeat_table_unref(back);
    netfeat_table_unref(tab);
    netfeat_options_unref(o);
    netfeat_ctx_unref(c);
    return code;
}

Test(arrow, every_allocation_fails_once, .timeout = 100)
{
    uint64_t points = 0;
    const char *wrong = torture_run(torture_stream, NULL, &points);

    cr_expect_null(wrong, "%s", wrong);
    cr_expect_gt(points, 300);
}
