/* Parquet: the file is taken apart by a reader made for this test - footer, page headers, levels, values - and
   every value compared. Other readers do the same in tests/interop. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bitmap.h"
#include "base/cursor.h"
#include "base/order.h"
#include "export/compress.h"
#include "export_check.h"
#include "table/text.h"

static netfeat_ctx *ctx;
static netfeat_options *opts;
static uint64_t empty;

static void set_up(void)
{
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    empty = netfeat_ctx_memory_used(ctx);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_IO_FORMAT, "parquet"), 0);
}

static void tear_down(void)
{
    netfeat_options_unref(opts);
    cr_expect_eq(netfeat_ctx_memory_used(ctx), empty, "everything was given back");
    netfeat_ctx_unref(ctx);
}

TestSuite(parquet, .init = set_up, .fini = tear_down);

/* ---- Thrift, compact: every field is reported with the path of ids that leads to it ---- */

typedef struct {
    nf_cursor c;
    void (*fn)(void *user, const int *path, int depth, int64_t number, const uint8_t *text, size_t size);
    void *user;
} thrift;

static uint64_t varint(nf_cursor *c)
{
    uint64_t value = 0;
    uint8_t byte;
    int shift = 0;

    do {
        byte = nf_cursor_u8(c);
        value |= (uint64_t)(byte & 127) << shift;
        shift += 7;
    } while (byte & 128 && shift < 64);
    return value;
}

static void read_struct(thrift *t, int *path, int depth);

static void read_value(thrift *t, int type, int *path, int depth)
{
    const uint8_t *text = NULL;
    int64_t number = 0;
    size_t size = 0;

    cr_assert_lt(depth, 12);
    if (type == 1 || type == 2) {
        number = type == 1;
    } else if (type == 3) {
        number = (int8_t)nf_cursor_u8(&t->c);
    } else if (type == 5 || type == 6) {
        uint64_t z = varint(&t->c);
        number = (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
    } else if (type == 8) {
        size = (size_t)varint(&t->c);
        text = nf_cursor_take(&t->c, size);
    } else if (type == 9) {
        uint8_t head = nf_cursor_u8(&t->c);
        size_t n = head >> 4;
        n = n == 15 ? (size_t)varint(&t->c) : n;
        for (size_t i = 0; i < n; i++) {
            path[depth] = (int)i;
            read_value(t, head & 15, path, depth + 1);
        }
        number = (int64_t)n;
    } else {
        cr_assert_eq(type, 12);
        read_struct(t, path, depth);
    }
    cr_assert(!t->c.bad);
    t->fn(t->user, path, depth, number, text, size);
}

static void read_struct(thrift *t, int *path, int depth)
{
    int last = 0;

    for (;;) {
        uint8_t head = nf_cursor_u8(&t->c);
        if (head == 0) {
            return;
        }
        cr_assert_neq(head >> 4, 0, "ids are less than 16 apart");
        last += head >> 4;
        path[depth] = last;
        read_value(t, head & 15, path, depth + 1);
    }
}

/* ---- the footer ---- */

typedef struct {
    int64_t values, offset, compressed, plain, codec, type;
} chunk;

typedef struct {
    int64_t rows, groups, elements, pairs;
    chunk chunks[64][CHECK_COLUMNS];
    int64_t group_rows[64];
    int physical[64];
    char names[64][32];
    bool is_kind;
} footer;

static void take_footer(void *user, const int *p, int depth, int64_t number, const uint8_t *text, size_t size)
{
    footer *f = user;

    if (depth == 1 && p[0] == 3) {
        f->rows = number;
    } else if (depth == 1 && p[0] == 2) {
        f->elements = number;
    } else if (depth == 1 && p[0] == 4) {
        f->groups = number;
    } else if (depth == 1 && p[0] == 5) {
        f->pairs = number;
    } else if (depth == 3 && p[0] == 2 && p[2] == 1) {
        f->physical[p[1]] = (int)number;
    } else if (depth == 3 && p[0] == 2 && p[2] == 4) {
        snprintf(f->names[p[1]], sizeof f->names[0], "%.*s", (int)size, (const char *)text);
    } else if (depth == 3 && p[0] == 4 && p[2] == 3) {
        f->group_rows[p[1]] = number;
    } else if (depth == 3 && p[0] == 5 && p[2] == 1) {
        f->is_kind |= size == 12 && memcmp(text, "netfeat.kind", 12) == 0;
    } else if (depth == 6 && p[0] == 4 && p[2] == 1 && p[4] == 3) {
        chunk *c = &f->chunks[p[1]][p[3]];
        int64_t *slots[] = {NULL,       &c->type,  NULL,           NULL, &c->codec,
                            &c->values, &c->plain, &c->compressed, NULL, &c->offset};
        if (p[5] < 10 && slots[p[5]] != NULL) {
            *slots[p[5]] = number;
        }
    }
}

static void take_page(void *user, const int *p, int depth, int64_t number, const uint8_t *text, size_t size)
{
    int64_t *page = user; /* plain size, compressed size, values, encoding */

    (void)text;
    (void)size;
    if (depth == 1 && (p[0] == 2 || p[0] == 3)) {
        page[p[0] - 2] = number;
    } else if (depth == 2 && p[0] == 5 && p[1] <= 2) {
        page[p[1] + 1] = number;
    }
}

/* ---- levels and values ---- */

/* n levels of `width` bits each. */
static void read_levels(nf_cursor *c, uint8_t *levels, int64_t n, int width)
{
    const uint8_t *size = nf_cursor_take(c, 4);
    nf_cursor in = nf_cursor_make(nf_cursor_take(c, nf_load_le32(size)), nf_load_le32(size));
    int64_t k = 0;

    while (k < n) {
        uint64_t head = varint(&in);
        if (head & 1) {
            const uint8_t *p = nf_cursor_take(&in, (size_t)(head >> 1) * (size_t)width);
            cr_assert_not_null(p);
            for (uint64_t i = 0; i < (head >> 1) * 8 && k < n; i++) {
                levels[k++] =
                    (uint8_t)(p[i * (size_t)width / 8] >> (i * (size_t)width % 8) & ((1 << width) - 1));
            }
        } else {
            uint8_t value = nf_cursor_u8(&in);
            for (uint64_t i = 0; i < head >> 1 && k < n; i++) {
                levels[k++] = value;
            }
        }
        cr_assert(!in.bad);
    }
    cr_expect_eq(nf_cursor_left(&in), 0);
}

/* The next value, as the text that a column of that type would give it. */
static void next_value(nf_cursor *c, int type, int64_t *bit, char *text, size_t room)
{
    size_t width = (size_t)nf_type_width(type);
    uint8_t bytes[64] = {0};
    netfeat_column col = {.type = type, .length = 1, .data = bytes};
    int64_t offsets[2] = {0, 0};

    if (type == NETFEAT_TYPE_BOOL) {
        cr_assert_lt(*bit / 8, (int64_t)nf_cursor_left(c));
        bytes[0] = nf_bitmap_get(c->at, (*bit)++);
    } else if (width > 0) {
        const uint8_t *p = nf_cursor_take(c, width < 4 ? 4 : width);
        cr_assert_not_null(p);
        size_t unit = type == NETFEAT_TYPE_BYTES16 || type == NETFEAT_TYPE_BYTES6 ? 1 : width;
        nf_store_le(bytes, p, width / unit, unit); /* and back */
    } else {
        size_t size = nf_load_le32(nf_cursor_take(c, 4));
        col.data = nf_cursor_take(c, size);
        cr_assert_not_null(col.data);
        offsets[1] = (int64_t)size;
        col.offsets = offsets;
    }
    netfeat_column_get_text(&col, 0, text, room, NULL);
}

static void check_flat(nf_cursor *c, const netfeat_column *col, int64_t *row, int64_t n)
{
    uint8_t *levels = malloc((size_t)n + 1);
    int64_t bit = 0;
    char want[512], got[512];

    read_levels(c, levels, n, 1);
    for (int64_t i = 0; i < n; i++, (*row)++) {
        int present = netfeat_column_get_text(col, *row, want, sizeof want, NULL);
        cr_assert_eq(levels[i], present, "row %lld", (long long)*row);
        if (present) {
            next_value(c, col->type, &bit, got, sizeof got);
            cr_assert_str_eq(got, want, "row %lld", (long long)*row);
        }
    }
    free(levels);
}

static void check_list_page(nf_cursor *c, const netfeat_column *col, int64_t *row, int64_t n)
{
    uint8_t *repeat = malloc((size_t)n + 1), *define = malloc((size_t)n + 1);
    int64_t bit = 0;
    char want[512], got[512];

    read_levels(c, repeat, n, 1);
    read_levels(c, define, n, 2);
    for (int64_t i = 0; i < n; (*row)++) {
        size_t at = 0;
        int present = netfeat_column_get_text(col, *row, want, sizeof want, NULL);
        cr_assert_eq(repeat[i], 0);
        cr_assert_eq(define[i] > 0, present);
        got[0] = '\0';
        at += (size_t)snprintf(got, sizeof got, "%s", present ? "[" : "");
        for (bool first = true; i < n && (first || repeat[i] == 1); first = false, i++) {
            if (define[i] >= 2) {
                at += (size_t)snprintf(got + at, sizeof got - at, "%s", first ? "" : ", ");
                snprintf(got + at, sizeof got - at, "null");
                if (define[i] == 3) {
                    next_value(c, col->child->type, &bit, got + at, sizeof got - at);
                }
                at += strlen(got + at);
            }
        }
        snprintf(got + at, sizeof got - at, "%s", present ? "]" : "");
        cr_assert_str_eq(got, want, "row %lld", (long long)*row);
    }
    free(repeat);
    free(define);
}

static void check_chunk(const uint8_t *data, const netfeat_column *col, const chunk *ch, int64_t first,
                        int64_t rows)
{
    int64_t row = first, values = 0, plain_total = 0;
    size_t at = (size_t)ch->offset;

    do {
        int64_t page[4] = {0, 0, 0, -1};
        int path[16];
        thrift t = {nf_cursor_make(data + at, (size_t)ch->compressed), take_page, page};
        uint8_t *plain;
        nf_cursor c;
        size_t head;
        read_struct(&t, path, 0);
        head = (size_t)(t.c.at - (data + at));
        cr_assert_eq(page[3], 0, "PLAIN");
        plain = malloc((size_t)page[0] + 1);
        if (ch->codec == 6) {
            cr_assert_eq(nf_decompress(ctx, NF_CODEC_ZSTD, t.c.at, (size_t)page[1], plain, (size_t)page[0]),
                         0);
        } else {
            cr_assert_eq(page[0], page[1]);
            memcpy(plain, t.c.at, (size_t)page[0]);
        }
        c = nf_cursor_make(plain, (size_t)page[0]);
        (col->type == NETFEAT_TYPE_LIST ? check_list_page : check_flat)(&c, col, &row, page[2]);
        values += page[2];
        plain_total += (int64_t)head + page[0];
        at += head + (size_t)page[1];
        free(plain);
    } while (row < first + rows);
    cr_expect_eq(row, first + rows);
    cr_expect_eq(values, ch->values);
    cr_expect_eq(plain_total, ch->plain);
    cr_expect_eq((int64_t)at - ch->offset, ch->compressed);
}

static void check_file(const netfeat_table *tab, int64_t groups)
{
    char path[] = "/tmp/netfeat-parquet-XXXXXX";
    footer *f = calloc(1, sizeof *f);
    struct stat st;
    int fd = mkstemp(path);
    int ids[16];
    uint8_t *data;
    size_t size, end;
    int64_t first = 0;
    thrift t;

    unlink(path);
    cr_assert_eq(netfeat_table_save_fd(ctx, tab, fd, opts), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_assert_eq(fstat(fd, &st), 0);
    data = malloc((size_t)st.st_size);
    cr_assert_eq(pread(fd, data, (size_t)st.st_size, 0), st.st_size);
    close(fd);
    end = (size_t)st.st_size;
    cr_assert(memcmp(data, "PAR1", 4) == 0 && memcmp(data + end - 4, "PAR1", 4) == 0);
    size = nf_load_le32(data + end - 8);
    t = (thrift){nf_cursor_make(data + end - 8 - size, size), take_footer, f};
    read_struct(&t, ids, 0);
    cr_expect_eq(nf_cursor_left(&t.c), 0);
    cr_expect_eq(f->rows, netfeat_table_rows(tab));
    cr_expect_eq(f->groups, groups);
    cr_expect(f->is_kind && f->pairs == 3);
    for (int64_t g = 0; g < f->groups; g++) {
        for (int i = 0; i < netfeat_table_width(tab); i++) {
            check_chunk(data, netfeat_table_column(tab, i), &f->chunks[g][i], first, f->group_rows[g]);
        }
        first += f->group_rows[g];
    }
    cr_expect_eq(first, f->rows);
    free(data);
    free(f);
}

Test(parquet, every_type)
{
    static const struct {
        int64_t rows, batch, groups;
    } cases[] = {{0, 0, 0}, {1, 0, 1}, {8, 8, 1}, {205, 0, 1}, {205, 50, 4}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0] * 4; i++) {
        netfeat_table *tab = NULL, *slice = NULL;
        const char *codec = i & 1 ? "none" : "auto";
        int64_t rows = cases[i / 4].rows;
        cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_IO_COMPRESSION, codec), 0);
        cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_IO_BATCH_ROWS, cases[i / 4].batch), 0);
        cr_assert_eq(check_table(ctx, rows + 3, i & 2, &tab), 0);
        cr_assert_eq(netfeat_table_slice(ctx, tab, 3, rows, &slice), 0);
        check_file(slice, cases[i / 4].groups);
        netfeat_table_unref(slice);
        netfeat_table_unref(tab);
    }
}

/* More than a page holds, in rows and in bytes. */
Test(parquet, many_pages)
{
    const char *names[] = {"number", "text"};
    netfeat_column *cols[2] = {NULL, NULL};
    netfeat_table *tab = NULL;
    nf_builder b;
    char text[400];

    cr_assert_eq(check_column(ctx, NETFEAT_TYPE_U16, 70001, true, 1, &cols[0]), 0);
    nf_builder_init(&b, ctx, NETFEAT_TYPE_TEXT);
    for (int i = 0; i < 70001; i++) {
        int n = snprintf(text, sizeof text, "%0*d", 20 + i % 300, i);
        cr_assert_eq(nf_builder_add_bytes(&b, text, (size_t)n), 0);
    }
    cr_assert_eq(nf_builder_finish(&b, "", "", "", &cols[1]), 0);
    cr_assert_eq(netfeat_table_from_columns(ctx, names, cols, 2, &tab), 0);
    check_file(tab, 1);
    netfeat_table_unref(tab);
    netfeat_column_unref(cols[0]);
    netfeat_column_unref(cols[1]);
}

Test(parquet, refusals)
{
    netfeat_table *tab = NULL;

    cr_assert_eq(netfeat_table_from_columns(ctx, NULL, NULL, 0, &tab), 0);
    cr_expect_eq(netfeat_table_save_fd(ctx, tab, 1, opts), NETFEAT_ERR_UNSUPPORTED, "a file needs a column");
    cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_IO_COMPRESSION, "lz4"), 0);
    cr_expect_eq(netfeat_table_save_fd(ctx, tab, 1, opts), NETFEAT_ERR_UNSUPPORTED);
    cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_IO_COMPRESSION, "snappy"), 0);
    cr_expect_eq(netfeat_table_save_fd(ctx, tab, 1, opts), NETFEAT_ERR_ARGUMENT);
    netfeat_table_unref(tab);
}
