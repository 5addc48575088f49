/* Which rows would go if rows with NULLs were dropped, and because of which column. */
#include <string.h>

#include "base/bitmap.h"
#include "feature/state.h"

typedef struct {
    uint8_t *any;  /* rows where at least one column is NULL */
    uint8_t *more; /* rows where at least two are */
    size_t bytes;
} absence;

/* 8 rows of a column: 1 = NULL. Bits behind the last row stay 0. */
static uint8_t nulls8(const netfeat_column *col, size_t byte)
{
    int64_t left = col->length - (int64_t)byte * 8;
    unsigned mask = left >= 8 ? 0xff : (1U << left) - 1;

    return col->validity != NULL ? (uint8_t)(~(unsigned)col->validity[byte] & mask) : 0;
}

static void note_column(absence *a, const netfeat_column *col)
{
    for (size_t i = 0; i < a->bytes && col->validity != NULL; i++) {
        uint8_t nulls = nulls8(col, i);
        a->more[i] |= a->any[i] & nulls;
        a->any[i] |= nulls;
    }
}

static uint64_t count_alone(const absence *a, const netfeat_column *col)
{
    uint64_t n = 0;

    for (size_t i = 0; i < a->bytes && col->validity != NULL; i++) {
        n += (uint64_t)__builtin_popcount((unsigned)(nulls8(col, i) & ~a->more[i]));
    }
    return n;
}

typedef struct {
    nf_builder name, missing, alone;
} report;

static int add_line(report *r, const char *name, uint64_t missing, uint64_t alone)
{
    int code = nf_builder_add_bytes(&r->name, name, strlen(name));

    code = code != 0 ? code : nf_builder_add_u64(&r->missing, missing);
    return code != 0 ? code : nf_builder_add_u64(&r->alone, alone);
}

static int finish_report(netfeat_ctx *ctx, report *r, netfeat_table **ret)
{
    static const char *const names[] = {"name", "missing", "missing_alone"};
    nf_builder *const builders[] = {&r->name, &r->missing, &r->alone};
    nf_outputs out;
    int code = NETFEAT_OK;

    nf_outputs_init(&out, ctx);
    for (int i = 0; code == 0 && i < 3; i++) {
        netfeat_column *col = NULL;
        code = nf_builder_finish(builders[i], i > 0 ? "rows" : "",
                                 nf_feature_definition(NETFEAT_FEATURE_INCOMPLETE_ROWS), "never", &col);
        code = code != 0 ? code : nf_outputs_add(&out, names[i], col);
    }
    code = code != 0 ? code : nf_outputs_table(&out, true, ret);
    nf_outputs_free(&out);
    return code;
}

static int make_report(netfeat_ctx *ctx, const netfeat_table *tab, const int *indexes, size_t n, absence *a,
                       netfeat_table **ret)
{
    size_t columns = n > 0 ? n : (size_t)tab->width;
    report r;
    int64_t any, more;
    int code = NETFEAT_OK;

    for (size_t i = 0; i < columns; i++) {
        note_column(a, tab->cols[n > 0 ? indexes[i] : (int)i]);
    }
    nf_builder_init(&r.name, ctx, NETFEAT_TYPE_TEXT);
    nf_builder_init(&r.missing, ctx, NETFEAT_TYPE_U64);
    nf_builder_init(&r.alone, ctx, NETFEAT_TYPE_U64);
    for (size_t i = 0; code == 0 && i < columns; i++) {
        int k = n > 0 ? indexes[i] : (int)i;
        code = add_line(&r, tab->names[k], (uint64_t)tab->cols[k]->nulls, count_alone(a, tab->cols[k]));
    }
    any = nf_bitmap_count(a->any, 0, tab->rows);
    more = nf_bitmap_count(a->more, 0, tab->rows);
    code = code != 0 ? code : add_line(&r, "any", (uint64_t)any, (uint64_t)(any - more));
    code = code != 0 ? code : add_line(&r, "all", (uint64_t)tab->rows, 0);
    code = code != 0 ? code : finish_report(ctx, &r, ret);
    nf_builder_free(&r.name);
    nf_builder_free(&r.missing);
    nf_builder_free(&r.alone);
    return code;
}

int netfeat_feature_incomplete_rows(netfeat_ctx *ctx, const netfeat_table *tab, const int *indexes, size_t n,
                                    netfeat_table **ret)
{
    absence a = {NULL, NULL, 0};
    netfeat_column *col;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL || (n > 0 && indexes == NULL)) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "incomplete_rows: a pointer is NULL");
    }
    code = nf_feature_table(ctx, tab);
    for (size_t i = 0; code == 0 && i < n; i++) {
        code = nf_feature_column(ctx, tab, indexes[i], &col);
        for (size_t j = 0; code == 0 && j < i; j++) {
            if (indexes[i] == indexes[j]) {
                code = nf_error(ctx, NETFEAT_ERR_ARGUMENT, "incomplete_rows: column %d twice", indexes[i]);
            }
        }
    }
    if (code != 0) {
        return code;
    }
    a.bytes = nf_bitmap_bytes(tab->rows);
    a.any = nf_alloc_zero(ctx, a.bytes + 1);
    a.more = a.any != NULL ? nf_alloc_zero(ctx, a.bytes + 1) : NULL;
    code = a.more != NULL ? make_report(ctx, tab, indexes, n, &a, ret) : nf_ctx_code(ctx);
    nf_free(ctx, a.more, a.bytes + 1);
    nf_free(ctx, a.any, a.bytes + 1);
    return code;
}
