/* Arrow arrays and streams that others made: every type that is taken, what is converted, what is refused. */
#include <criterion/criterion.h>

#include <errno.h>

#include "export_check.h"

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

TestSuite(arrow_import, .init = set_up, .fini = tear_down);

static void must(int code, const char *what)
{
    cr_assert_eq(code, 0, "%s: %d %s", what, code, netfeat_ctx_error_message(ctx));
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

Test(arrow_import, foreign_types_are_converted)
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
Test(arrow_import, null_rows_hold_zeros)
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

Test(arrow_import, foreign_lists_dictionaries_views)
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

Test(arrow_import, what_contradicts_itself_is_refused)
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

Test(arrow_import, streams_of_others)
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
