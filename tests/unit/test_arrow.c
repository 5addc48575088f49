/* The Arrow C data and C stream interface: round trips, ownership, what others export, what is refused. */
#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>

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
    cr_expect_str_eq(schema.children[14]->children[0]->dictionary->format, "U");
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

/* ---- arrays that others made ---- */

static int released;

static void note_schema(struct ArrowSchema *s)
{
    released++;
    s->release = NULL;
}

static void note_array(struct ArrowArray *a)
{
    released++;
    a->release = NULL;
}

typedef struct {
    struct ArrowSchema schema, child_schema, dictionary_schema;
    struct ArrowArray array, child, dictionary;
    struct ArrowSchema *schemas[1];
    struct ArrowArray *arrays[1];
    const void *buffers[6], *child_buffers[3], *dictionary_buffers[3];
} foreign;

static void make_foreign(foreign *f, const char *format, int64_t length, int64_t offset, const void *validity,
                         const void *a, const void *b)
{
    memset(f, 0, sizeof *f);
    f->schema = (struct ArrowSchema){.format = format, .name = "x", .release = note_schema};
    f->buffers[0] = validity;
    f->buffers[1] = a;
    f->buffers[2] = b;
    f->array = (struct ArrowArray){.length = length,
                                   .offset = offset,
                                   .null_count = -1,
                                   .n_buffers = b != NULL ? 3 : 2,
                                   .buffers = f->buffers,
                                   .release = note_array};
}

static void add_child(foreign *f, const char *format, int64_t length, const void *validity, const void *data)
{
    f->child_schema = (struct ArrowSchema){.format = format, .name = "item", .release = note_schema};
    f->child_buffers[0] = validity;
    f->child_buffers[1] = data;
    f->child = (struct ArrowArray){.length = length,
                                   .null_count = -1,
                                   .n_buffers = 2,
                                   .buffers = f->child_buffers,
                                   .release = note_array};
    f->schemas[0] = &f->child_schema;
    f->arrays[0] = &f->child;
    f->schema.children = f->schemas;
    f->schema.n_children = 1;
    f->array.children = f->arrays;
    f->array.n_children = 1;
}

static void add_dictionary(foreign *f, const char *format, int64_t length, const void *a, const void *b)
{
    f->dictionary_schema = (struct ArrowSchema){.format = format, .name = "", .release = note_schema};
    f->dictionary_buffers[1] = a;
    f->dictionary_buffers[2] = b;
    f->dictionary = (struct ArrowArray){.length = length,
                                        .n_buffers = b != NULL ? 3 : 2,
                                        .buffers = f->dictionary_buffers,
                                        .release = note_array};
    f->schema.dictionary = &f->dictionary_schema;
    f->array.dictionary = &f->dictionary;
}

/* Import it and print it: "1,NULL,3", or the name of the error. */
static const char *text_of(foreign *f)
{
    static char text[400];
    netfeat_column *col = NULL;
    size_t n = 0;
    int code;

    released = 0;
    text[0] = '\0';
    code = netfeat_column_import_array(ctx, &f->schema, &f->array, opts, &col);
    if (code != 0) {
        cr_expect_geq(released, 2, "moved whatever happens");
        return netfeat_error_name(code);
    }
    for (int64_t i = 0; i < netfeat_column_length(col); i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s", i > 0 ? "," : "");
        if (netfeat_column_is_null(col, i)) {
            n += (size_t)snprintf(text + n, sizeof text - n, "NULL");
        } else {
            size_t length;
            netfeat_column_get_text(col, i, text + n, sizeof text - n, &length);
            n += length;
        }
    }
    netfeat_column_unref(col);
    cr_expect_eq(released, 2, "released when the column is gone");
    return text;
}

static const char *text_of_plain(const char *format, int64_t length, int64_t offset, const void *validity,
                                 const void *a, const void *b)
{
    foreign f;

    make_foreign(&f, format, length, offset, validity, a, b);
    return text_of(&f);
}

Test(arrow, foreign_types_are_converted)
{
    static const uint8_t bits[] = {0xb5, 0x01}; /* 1 0 1 0 1 1 0 1 1 */
    static const int8_t i8[] = {-1, 2, -3, 4};
    static const int16_t i16[] = {-1, 2, -300, 4};
    static const int32_t i32[] = {-1, 2, -70000, 4};
    static const float f32[] = {-1.5f, 2, 0.25f, 4};
    static const int64_t times[] = {1, -2, 3, 4};
    static const int64_t far_times[] = {1, INT64_MAX / 1000, 3, 4};
    static const int32_t o32[] = {0, 1, 1, 4, 6};
    static const char *const abc = "abcdef";
    static const struct {
        const char *format;
        const void *a, *b;
        const char *all, *masked, *from_one; /* 4 rows; with bits; rows 1 .. 3 with bits */
    } rows[] = {
        {"c", i8, NULL, "-1,2,-3,4", "-1,NULL,-3,NULL", "NULL,-3,NULL"},
        {"s", i16, NULL, "-1,2,-300,4", "-1,NULL,-300,NULL", "NULL,-300,NULL"},
        {"i", i32, NULL, "-1,2,-70000,4", "-1,NULL,-70000,NULL", "NULL,-70000,NULL"},
        {"l", times, NULL, "1,-2,3,4", "1,NULL,3,NULL", "NULL,3,NULL"},
        {"f", f32, NULL, "-1.5,2,0.25,4", "-1.5,NULL,0.25,NULL", "NULL,0.25,NULL"},
        {"b", bits, NULL, "1,0,1,0", "1,NULL,1,NULL", "NULL,1,NULL"},
        {"u", o32, abc, "a,,bcd,ef", "a,NULL,bcd,NULL", "NULL,bcd,NULL"},
        {"z", o32, abc, "61,,626364,6566", "61,NULL,626364,NULL", "NULL,626364,NULL"},
        {"tss:", times, NULL,
         "1970-01-01T00:00:01.000000000Z,1969-12-31T23:59:58.000000000Z,1970-01-01T00:00:03.000000000Z,"
         "1970-01-01T00:00:04.000000000Z",
         "1970-01-01T00:00:01.000000000Z,NULL,1970-01-01T00:00:03.000000000Z,NULL",
         "NULL,1970-01-01T00:00:03.000000000Z,NULL"},
        {"tsu:Europe/Berlin", times, NULL,
         "1970-01-01T00:00:00.000001000Z,1969-12-31T23:59:59.999998000Z,1970-01-01T00:00:00.000003000Z,"
         "1970-01-01T00:00:00.000004000Z",
         "1970-01-01T00:00:00.000001000Z,NULL,1970-01-01T00:00:00.000003000Z,NULL",
         "NULL,1970-01-01T00:00:00.000003000Z,NULL"},
        {"tsm:", far_times, NULL, "RANGE",
         "1970-01-01T00:00:00.001000000Z,NULL,1970-01-01T00:00:00.003000000Z,NULL",
         "NULL,1970-01-01T00:00:00.003000000Z,NULL"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_str_eq(text_of_plain(rows[i].format, 4, 0, NULL, rows[i].a, rows[i].b), rows[i].all, "%s",
                         rows[i].format);
        cr_expect_str_eq(text_of_plain(rows[i].format, 4, 0, bits, rows[i].a, rows[i].b), rows[i].masked,
                         "%s", rows[i].format);
        cr_expect_str_eq(text_of_plain(rows[i].format, 3, 1, bits, rows[i].a, rows[i].b), rows[i].from_one,
                         "%s", rows[i].format);
        cr_expect_str_eq(text_of_plain(rows[i].format, 0, 0, NULL, rows[i].a, rows[i].b), "", "%s",
                         rows[i].format);
    }
}

/* What lies under a NULL is not taken over: others leave anything there. */
Test(arrow, null_rows_hold_zeros)
{
    static const uint8_t bits[] = {0x05};
    static const uint64_t u64[] = {1, 77, 3, 88};
    static const int64_t offsets[] = {0, 1, 3, 4, 6};
    netfeat_column *col = NULL;
    foreign f;

    make_foreign(&f, "L", 4, 0, bits, u64, NULL);
    must(netfeat_column_import_array(ctx, &f.schema, &f.array, opts, &col), "import");
    cr_expect_eq(((const uint64_t *)netfeat_column_data(col))[1], 0);
    cr_expect_eq(((const uint64_t *)netfeat_column_data(col))[2], 3);
    netfeat_column_unref(col);
    make_foreign(&f, "U", 4, 0, bits, offsets,
                 "a\xff\xfe"
                 "bcd"); /* not even UTF-8 */
    must(netfeat_column_import_array(ctx, &f.schema, &f.array, opts, &col), "import");
    cr_expect_eq(netfeat_column_offsets(col)[4], 2);
    cr_expect_eq(memcmp(netfeat_column_data(col), "ab", 2), 0);
    netfeat_column_unref(col);
}

Test(arrow, foreign_lists_dictionaries_views)
{
    static const uint8_t bits[] = {0x0b};
    static const int32_t ends[] = {1, 1, 3, 4, 6};
    static const int8_t items[] = {9, 1, 2, 3, 4, 5};
    static const int8_t indexes[] = {1, 0, 7, 1};
    static const int32_t names[] = {0, 2, 5};
    static const int64_t block_size = 30;
    int32_t views[16] = {3, 0, 0, 0, 20, 0, 0, 5, 0, 0, 0, 0, 12, 0, 0, 0};
    foreign f;

    make_foreign(&f, "+l", 4, 0, NULL, ends, NULL);
    add_child(&f, "c", 6, NULL, items);
    cr_expect_str_eq(text_of(&f), "[],[1, 2],[3],[4, 5]");
    make_foreign(&f, "+l", 3, 1, bits, ends, NULL);
    add_child(&f, "c", 6, NULL, items);
    cr_expect_str_eq(text_of(&f), "[1, 2],NULL,[4, 5]");
    make_foreign(&f, "+l", 4, 0, NULL, ends, NULL);
    add_child(&f, "c", 5, NULL, items);
    cr_expect_str_eq(text_of(&f), "FORMAT", "an item too few");

    make_foreign(&f, "c", 4, 0, bits, indexes, NULL);
    add_dictionary(&f, "u", 2, names, "inout");
    cr_expect_str_eq(text_of(&f), "out,in,NULL,out");
    make_foreign(&f, "c", 4, 0, NULL, indexes, NULL);
    add_dictionary(&f, "u", 2, names, "inout");
    cr_expect_str_eq(text_of(&f), "FORMAT", "index 7");
    make_foreign(&f, "c", 2, 0, NULL, indexes, NULL);
    add_dictionary(&f, "i", 2, names, NULL);
    cr_expect_str_eq(text_of(&f), "2,0");

    memcpy(views + 1, "abc", 3);
    memcpy(views + 13, "twelve bytes", 12);
    make_foreign(&f, "vu", 4, 0, bits, views, NULL);
    f.buffers[2] = "....,a block of thirty bytes..";
    f.buffers[3] = &block_size;
    f.array.n_buffers = 4;
    cr_expect_str_eq(text_of(&f), "abc,a block of thirty by,NULL,twelve bytes");
    views[7] = 11; /* one past the block */
    make_foreign(&f, "vu", 4, 0, bits, views, NULL);
    f.buffers[2] = "....,a block of thirty bytes..";
    f.buffers[3] = &block_size;
    f.array.n_buffers = 4;
    cr_expect_str_eq(text_of(&f), "FORMAT");
}

Test(arrow, what_contradicts_itself_is_refused)
{
    static const int64_t back[] = {0, 4, 2, 6};
    static const int64_t negative[] = {-4, 0, 2, 6};
    static const int64_t cut[] = {0, 1, 2, 3};
    static const int32_t values[] = {1, 2, 3};
    static const struct {
        const char *format;
        int64_t length, offset;
        const void *a, *b;
        const char *result;
    } rows[] = {{"U", 3, 0, back, "abcdef", "FORMAT"},
                {"Z", 3, 0, negative, "abcdef", "FORMAT"},
                {"U", 3, 0, cut, "a\xc3\xa9", "FORMAT"},
                {"Z", 3, 0, cut, "a\xc3\xa9", "61,c3,a9"},
                {"U", 1, 0, cut, "\xff", "FORMAT"},
                {"U", 1, 0, NULL, "x", "FORMAT"},
                {"i", -1, 0, values, NULL, "FORMAT"},
                {"i", 1, -1, values, NULL, "FORMAT"},
                {"i", INT64_MAX, 1, values, NULL, "FORMAT"},
                {"i", 3, 0, NULL, NULL, "FORMAT"},
                {"i", 3, 0, values, "third buffer", "FORMAT"},
                {"e", 1, 0, values, NULL, "UNSUPPORTED"},
                {"tdD", 1, 0, values, NULL, "UNSUPPORTED"},
                {"w:7", 1, 0, values, NULL, "UNSUPPORTED"},
                {"+s", 1, 0, values, NULL, "UNSUPPORTED"},
                {"", 1, 0, values, NULL, "UNSUPPORTED"},
                {"d:10,2", 1, 0, values, NULL, "UNSUPPORTED"},
                {"ts", 1, 0, values, NULL, "UNSUPPORTED"}};
    foreign f;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        make_foreign(&f, rows[i].format, rows[i].length, rows[i].offset, NULL, rows[i].a, rows[i].b);
        cr_expect_str_eq(text_of(&f), rows[i].result, "row %zu: %s", i, netfeat_ctx_error_message(ctx));
    }
    make_foreign(&f, "i", 1, 0, NULL, values, NULL);
    f.array.null_count = 1;
    cr_expect_str_eq(text_of(&f), "FORMAT", "NULLs without a bitmap");
    make_foreign(&f, "tdD", 1, 0, NULL, values, NULL);
    text_of(&f);
    cr_expect_str_eq(netfeat_ctx_error_message(ctx), "column x: Arrow type \"tdD\" is not taken");
}

/* ---- streams ---- */

typedef struct {
    int schema_error, next_error, batches;
    foreign f;
} producer;

static int produce_schema(struct ArrowArrayStream *s, struct ArrowSchema *out)
{
    producer *p = s->private_data;

    if (p->schema_error != 0) {
        return p->schema_error;
    }
    *out = (struct ArrowSchema){
        .format = "+s", .n_children = 1, .children = p->f.schemas, .release = note_schema};
    return 0;
}

static int produce_next(struct ArrowArrayStream *s, struct ArrowArray *out)
{
    producer *p = s->private_data;

    if (p->batches-- == 0) {
        memset(out, 0, sizeof *out);
        return p->next_error;
    }
    *out = (struct ArrowArray){.length = 2,
                               .offset = 1,
                               .n_buffers = 1,
                               .buffers = p->f.buffers,
                               .n_children = 1,
                               .children = p->f.arrays,
                               .release = note_array};
    return 0;
}

static const char *produce_error(struct ArrowArrayStream *s)
{
    (void)s;
    return "the producer's reason";
}

static void produce_end(struct ArrowArrayStream *s)
{
    released += 100;
    s->release = NULL;
}

Test(arrow, streams_of_others)
{
    static const int32_t values[] = {1, 2, 3};
    static const struct {
        int schema_error, next_error, batches, code, rows, released;
    } rows[] = {{0, 0, 0, 0, 0, 101},
                {0, 0, 1, 0, 2, 102},
                {0, 0, 5, 0, 10, 106},
                {EIO, 0, 0, NETFEAT_ERR_IO, 0, 100},
                {0, ENOMEM, 3, NETFEAT_ERR_NOMEM, 0, 104}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        producer p = {rows[i].schema_error, rows[i].next_error, rows[i].batches, {.buffers = {NULL}}};
        struct ArrowArrayStream stream = {produce_schema, produce_next, produce_error, produce_end, &p};
        netfeat_table *tab = NULL;
        int code;
        add_child(&p.f, "i", 3, NULL, values);
        released = 0;
        code = netfeat_table_import_stream(ctx, &stream, NULL, &tab);
        cr_expect_eq(code, rows[i].code);
        cr_expect_null(stream.release);
        if (code == 0) {
            cr_expect_eq(netfeat_table_rows(tab), rows[i].rows);
            cr_expect_eq(netfeat_column_length(netfeat_table_column(tab, 0)), rows[i].rows);
            for (int64_t k = 0; k < rows[i].rows; k++) {
                cr_expect_eq(((const int64_t *)netfeat_column_data(netfeat_table_column(tab, 0)))[k],
                             2 + k % 2);
            }
            netfeat_table_unref(tab);
        } else {
            cr_expect_str_eq(netfeat_ctx_error_message(ctx), "the stream failed: the producer's reason");
        }
        cr_expect_eq(released, rows[i].released, "row %zu: %d", i, released);
    }
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
