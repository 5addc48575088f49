/* IPC streams of others that hold views (Arrow columnar format 1.4: a text is 16 bytes, long ones lie in any number of
   blocks): no writer of ours makes them, so they are put together here. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <netfeat/netfeat.h>

#include "base/order.h"
#include "export/flatbuf_write.h"
#include "export/ipc.h"

#define ROWS    4
#define COLUMNS 2
#define LONG    "...a text of more than twelve bytes"

/* What differs between the streams of this test. */
typedef struct {
    uint64_t blocks[COLUMNS]; /* announced for each column */
    int n_counts;             /* columns for which they are announced */
    uint32_t block, offset;   /* where row 1 says that its text lies */
} recipe;

typedef struct {
    uint64_t offset, size;
} span;

static netfeat_ctx *ctx;

static void set_up(void)
{
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
}

static void tear_down(void)
{
    netfeat_ctx_unref(ctx);
}

TestSuite(ipc_views, .init = set_up, .fini = tear_down);

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> 8 * i);
    }
}

/* In a buffer, numbers are in the order that the schema tells: here the machine's. */
static void put_native(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

static void put_field(nf_fb *f, size_t from, const char *name, int type)
{
    static const uint8_t field[] = {4, 1, 1, 4};
    static const uint8_t nothing[] = {0};
    size_t t = nf_fb_table(f, from, field, 4);

    nf_fb_set(f, t, IPC_FIELD_NULLABLE, 1, 1);
    nf_fb_set(f, t, IPC_FIELD_KIND, (uint64_t)type, 1);
    nf_fb_string(f, nf_fb_field(f, t, IPC_FIELD_NAME), name);
    nf_fb_table(f, nf_fb_field(f, t, IPC_FIELD_TYPE), nothing, 1);
}

/* Root of a message; returns where its header is to be linked from. */
static size_t put_message(nf_fb *f, int kind, uint64_t body)
{
    static const uint8_t message[] = {2, 1, 4, 8};
    size_t t;

    nf_fb_init(f, ctx);
    t = nf_fb_root(f, message, 4);
    nf_fb_set(f, t, IPC_MESSAGE_VERSION, NF_IPC_VERSION, 2);
    nf_fb_set(f, t, IPC_MESSAGE_KIND, (uint64_t)kind, 1);
    nf_fb_set(f, t, IPC_MESSAGE_BODY, body, 8);
    return nf_fb_field(f, t, IPC_MESSAGE_HEADER);
}

static void put_schema(nf_fb *f)
{
    static const uint8_t schema[] = {2, 4};
    size_t t = nf_fb_table(f, put_message(f, IPC_KIND_SCHEMA, 0), schema, 2);
    size_t fields = nf_fb_vector(f, nf_fb_field(f, t, IPC_SCHEMA_FIELDS), COLUMNS, 4, 4);

    nf_fb_set(f, t, IPC_SCHEMA_ENDIAN, NF_BIG_ENDIAN, 2);
    put_field(f, fields, "text", IPC_TYPE_UTF8_VIEW);
    put_field(f, fields + 4, "raw", IPC_TYPE_BINARY_VIEW);
}

static void put_batch(nf_fb *f, const recipe *r, const span *buffers, size_t n_buffers, uint64_t body)
{
    static const uint8_t batch[] = {8, 4, 4, 0, 4};
    size_t t = nf_fb_table(f, put_message(f, IPC_KIND_BATCH, body), batch, 5);
    size_t at;

    nf_fb_set(f, t, IPC_BATCH_LENGTH, ROWS, 8);
    at = nf_fb_vector(f, nf_fb_field(f, t, IPC_BATCH_NODES), COLUMNS, 16, 8);
    nf_fb_put(f, at, ROWS, 8);
    nf_fb_put(f, at + 8, 1, 8); /* one NULL */
    nf_fb_put(f, at + 16, ROWS, 8);
    at = nf_fb_vector(f, nf_fb_field(f, t, IPC_BATCH_BUFFERS), n_buffers, 16, 8);
    for (size_t i = 0; i < n_buffers; i++) {
        nf_fb_put(f, at + 16 * i, buffers[i].offset, 8);
        nf_fb_put(f, at + 16 * i + 8, buffers[i].size, 8);
    }
    at = nf_fb_vector(f, nf_fb_field(f, t, IPC_BATCH_VARIADIC), (size_t)r->n_counts, 8, 8);
    for (int i = 0; i < r->n_counts; i++) {
        nf_fb_put(f, at + 8 * (size_t)i, r->blocks[i], 8);
    }
}

static void write_message(int fd, nf_fb *f, const void *body, size_t size)
{
    static const uint8_t zeros[8];
    uint8_t head[8];
    size_t pad = (8 - f->used % 8) % 8;

    cr_assert_eq(f->code, 0);
    put32(head, NF_IPC_CONTINUES);
    put32(head + 4, (uint32_t)(f->used + pad));
    cr_assert_eq(write(fd, head, 8), 8);
    cr_assert_eq(write(fd, f->data, f->used), (ssize_t)f->used);
    cr_assert_eq(write(fd, zeros, pad), (ssize_t)pad);
    cr_assert_eq(write(fd, body, size), (ssize_t)size);
    nf_fb_free(f);
}

/* The column "text": short, long (block 1), NULL, empty. "raw": three bytes each, and no block. */
static int load(const recipe *r, netfeat_table **ret)
{
    static const span buffers[] = {{0, 1}, {64, 64}, {128, 10}, {192, sizeof LONG - 1}, {256, 0}, {256, 64}};
    static uint8_t body[320];
    FILE *file = tmpfile();
    int fd, code;
    nf_fb f;

    cr_assert_not_null(file);
    fd = fileno(file);
    memset(body, 0, sizeof body);
    body[0] = 0x0b;
    put_native(body + 64, 5);
    memcpy(body + 68, "short", 5);
    put_native(body + 80, sizeof LONG - 1 - 3);
    memcpy(body + 84, &LONG[3], 4);
    put_native(body + 88, r->block);
    put_native(body + 92, r->offset);
    memcpy(body + 128, "first block", 10);
    memcpy(body + 192, LONG, sizeof LONG - 1);
    for (int i = 0; i < ROWS; i++) {
        put_native(body + 256 + 16 * i, 3);
        memcpy(body + 256 + 16 * i + 4, "\xff\0z", 3);
    }
    put_schema(&f);
    write_message(fd, &f, "", 0);
    put_batch(&f, r, buffers, sizeof buffers / sizeof buffers[0], sizeof body);
    write_message(fd, &f, body, sizeof body);
    cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
    code = netfeat_table_load_fd(ctx, fd, NULL, ret);
    fclose(file);
    return code;
}

Test(ipc_views, texts_in_blocks)
{
    static const recipe good = {{2, 0}, COLUMNS, 1, 3};
    static const char want[] = "short" LONG;
    netfeat_table *tab = NULL;
    const netfeat_column *col;
    const int64_t *at;

    cr_assert_eq(load(&good, &tab), 0, "%s", netfeat_ctx_error_message(ctx));
    cr_assert_eq(netfeat_table_rows(tab), ROWS);
    col = netfeat_table_column(tab, 0);
    cr_expect_eq(netfeat_column_type(col), NETFEAT_TYPE_TEXT);
    cr_expect_eq(netfeat_column_nulls(col), 1);
    at = netfeat_column_offsets(col);
    cr_assert_eq(at[1], 5);
    cr_assert_eq(at[2], 5 + (int64_t)sizeof LONG - 1 - 3);
    cr_expect_eq(at[ROWS], at[2]);
    cr_expect_eq(memcmp(netfeat_column_data(col), want, 5), 0);
    cr_expect_eq(memcmp((const char *)netfeat_column_data(col) + 5, &LONG[3], sizeof LONG - 1 - 3), 0);
    col = netfeat_table_column(tab, 1);
    cr_expect_eq(netfeat_column_type(col), NETFEAT_TYPE_BYTES);
    cr_expect_eq(netfeat_column_nulls(col), 0);
    cr_expect_eq(netfeat_column_offsets(col)[ROWS], 3 * ROWS);
    cr_expect_eq(memcmp((const char *)netfeat_column_data(col) + 9, "\xff\0z", 3), 0);
    netfeat_table_unref(tab);
}

Test(ipc_views, what_contradicts_itself_is_refused)
{
    static const struct {
        recipe r;
        const char *what;
    } cases[] = {
        {{{2, 0}, COLUMNS, 2, 3}, "no block of that number"},
        {{{2, 0}, COLUMNS, 1, 4}, "one byte past the block"},
        {{{2, 0}, COLUMNS, 1, UINT32_MAX}, "an offset below 0"},
        {{{3, 0}, COLUMNS, 1, 3}, "a block that is a buffer of the next column"},
        {{{2, 1}, COLUMNS, 1, 3}, "one block more than there are buffers"},
        {{{UINT64_MAX, 0}, COLUMNS, 1, 3}, "more blocks than fit into memory"},
        {{{2, 0}, 1, 1, 3}, "a column without a number of blocks"},
        {{{0, 0}, 0, 1, 3}, "no numbers of blocks"},
    };
    uint64_t before = netfeat_ctx_memory_used(ctx);
    netfeat_table *tab = NULL;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_eq(load(&cases[i].r, &tab), NETFEAT_ERR_FORMAT, "%s: %s", cases[i].what,
                     netfeat_ctx_error_message(ctx));
        cr_expect_null(tab);
        cr_expect_eq(netfeat_ctx_memory_used(ctx), before, "%s", cases[i].what);
    }
}
