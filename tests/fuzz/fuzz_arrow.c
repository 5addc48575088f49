/* Fuzz target: bytes as a program that builds an ArrowSchema and an ArrowArray, true to the interface where
   nobody could check it (the buffers are as long as length and offset say) and wrong everywhere else: types,
   offsets, bitmaps, indexes, views, text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <netfeat/arrow_abi.h>
#include <netfeat/netfeat.h>

#include "require.h"

#define ROWS_MAX  40
#define BYTES_MAX 600

typedef struct {
    const uint8_t *p;
    size_t left;
} input;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t next(input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->p++;
}

static const char *const formats[] = {"b",   "c",    "C",    "s",    "S",    "i", "I",   "l",   "L",  "f",
                                      "g",   "u",    "U",    "vu",   "z",    "Z", "vz",  "+l",  "+L", "w:16",
                                      "w:6", "tss:", "tsm:", "tsu:", "tsn:", "n", "w:7", "tdD", "",   "+s"};
enum { N_FORMATS = sizeof formats / sizeof formats[0] };

typedef struct node {
    struct ArrowSchema schema;
    struct ArrowArray array;
    struct ArrowSchema *schemas[1];
    struct ArrowArray *arrays[1];
    const void *buffers[5];
    void *blocks[5]; /* malloc: the sanitizer knows their ends */
    struct node *child, *dictionary;
} node;

static int live;

static void release_schema(struct ArrowSchema *s)
{
    live--;
    s->release = NULL;
}

static void release_array(struct ArrowArray *a)
{
    live--;
    a->release = NULL;
}

static void fill(input *in, void *p, size_t n)
{
    uint8_t *out = p;

    for (size_t i = 0; i < n; i++) {
        out[i] = next(in);
    }
}

/* Offsets that ascend, mostly, and stay below BYTES_MAX. */
static void fill_offsets(input *in, void *p, size_t n, size_t width)
{
    int64_t at = next(in) & 3;

    for (size_t i = 0; i < n; i++) {
        int64_t value = at;
        memcpy((uint8_t *)p + i * width, &value, width);
        at += next(in) & 7;
        if (next(in) == 0xf0) {
            at -= 9;
        }
    }
}

static void add_buffer(node *x, size_t size)
{
    int64_t k = x->array.n_buffers++;

    x->blocks[k] = malloc(size > 0 ? size : 1);
    REQUIRE(x->blocks[k] != NULL);
    memset(x->blocks[k], 0, size > 0 ? size : 1);
    x->buffers[k] = x->blocks[k];
}

static node *make_node(input *in, int depth, int64_t rows);

static void make_ranges(input *in, node *x, size_t all, const char *format)
{
    size_t width = format[0] == 'U' || format[0] == 'Z' || format[1] == 'L' ? 8 : 4;

    add_buffer(x, (all + 1) * width);
    fill_offsets(in, x->blocks[1], all + 1, width);
    if (format[0] != '+') {
        add_buffer(x, BYTES_MAX);
        fill(in, x->blocks[2], next(in));
    }
}

static void make_views(input *in, node *x, size_t all)
{
    int64_t size = 20 + next(in) % 30;

    add_buffer(x, all * 16);
    for (size_t i = 0; i < all; i++) {
        int32_t view[4] = {next(in) % 24, 0, next(in) & 1 ? 0 : (int8_t)next(in), next(in) % 32};
        memcpy((uint8_t *)x->blocks[1] + i * 16, view, sizeof view);
    }
    add_buffer(x, (size_t)size);
    fill(in, x->blocks[2], (size_t)size);
    add_buffer(x, sizeof size);
    memcpy(x->blocks[3], &size, sizeof size);
}

static void make_values(input *in, node *x, size_t all, const char *format)
{
    if (strchr("uUzZ", format[0]) != NULL && format[0] != '\0') {
        make_ranges(in, x, all, format);
    } else if (format[0] == '+' && format[1] != 's') {
        make_ranges(in, x, all, format);
    } else if (format[0] == 'v') {
        make_views(in, x, all);
    } else {
        add_buffer(x, all * 16);
        fill(in, x->blocks[1], all * (next(in) % 17));
    }
}

static node *make_node(input *in, int depth, int64_t rows)
{
    node *x = calloc(1, sizeof *x);
    const char *format = formats[next(in) % N_FORMATS];
    uint8_t kind = next(in);
    int64_t offset = kind & 7;
    size_t all = (size_t)(rows + offset);

    REQUIRE(x != NULL);
    live += 2;
    x->schema =
        (struct ArrowSchema){.format = format, .name = kind & 8 ? "x" : NULL, .release = release_schema};
    x->array = (struct ArrowArray){
        .length = rows, .offset = offset, .null_count = kind & 16 ? -1 : kind >> 6, .release = release_array};
    x->array.buffers = x->buffers;
    add_buffer(x, all / 8 + 1);
    fill(in, x->blocks[0], all / 8 + 1);
    if (kind & 32) {
        x->buffers[0] = NULL;
    }
    make_values(in, x, all, format);
    if (format[0] == '+' && depth < 2) {
        x->child = make_node(in, depth + 1, BYTES_MAX);
        x->schemas[0] = &x->child->schema;
        x->arrays[0] = &x->child->array;
        x->schema.n_children = x->array.n_children = 1;
        x->schema.children = x->schemas;
        x->array.children = x->arrays;
        x->child->array.length -= next(in);
    } else if (next(in) % 4 == 0 && depth < 2) {
        x->dictionary = make_node(in, depth + 1, next(in) % 16);
        x->schema.dictionary = &x->dictionary->schema;
        x->array.dictionary = &x->dictionary->array;
    }
    return x;
}

static void free_node(node *x)
{
    if (x == NULL) {
        return;
    }
    free_node(x->child);
    free_node(x->dictionary);
    for (int i = 0; i < 5; i++) {
        free(x->blocks[i]);
    }
    free(x);
}

/* Out again and in again: the same. */
static void round_trip(netfeat_ctx *ctx, netfeat_column *col, const netfeat_options *opts)
{
    struct ArrowSchema schema;
    struct ArrowArray array;
    netfeat_column *again = NULL;
    char a[256], b[256];

    REQUIRE(netfeat_column_export_array(ctx, col, opts, &schema, &array) == 0);
    REQUIRE(netfeat_column_import_array(ctx, &schema, &array, opts, &again) == 0);
    REQUIRE(netfeat_column_length(col) == netfeat_column_length(again));
    for (int64_t i = 0; i < netfeat_column_length(col); i++) {
        size_t na, nb;
        REQUIRE(netfeat_column_get_text(col, i, a, sizeof a, &na) ==
                netfeat_column_get_text(again, i, b, sizeof b, &nb));
        REQUIRE(na == nb && strcmp(a, b) == 0);
    }
    netfeat_column_unref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    static netfeat_ctx *ctx; /* for all runs: it is expensive */
    netfeat_options *opts = NULL;
    netfeat_column *col = NULL;
    uint64_t empty;
    node *x;
    int code;

    if (ctx == NULL) {
        REQUIRE(netfeat_ctx_new(&ctx) == 0);
    }
    empty = netfeat_ctx_memory_used(ctx);
    REQUIRE(netfeat_options_new(ctx, &opts) == 0);
    REQUIRE(netfeat_options_set_int(opts, NETFEAT_OPT_IO_BINARY_VIEW, next(&in) & 1) == 0);
    live = 0;
    x = make_node(&in, 0, next(&in) % ROWS_MAX);
    code = netfeat_column_import_array(ctx, &x->schema, &x->array, opts, &col);
    REQUIRE((code == 0) == (col != NULL));
    REQUIRE(code != NETFEAT_ERR_INTERNAL && code != NETFEAT_ERR_STATE && code != NETFEAT_ERR_ARGUMENT);
    REQUIRE(x->schema.release == NULL && x->array.release == NULL);
    if (code == 0) {
        round_trip(ctx, col, opts);
    }
    netfeat_column_unref(col);
    free_node(x);
    netfeat_options_unref(opts);
    REQUIRE(netfeat_ctx_memory_used(ctx) == empty && live >= 0);
    return 0;
}
