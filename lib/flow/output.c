#include "flow/output.h"

#include "flow/groups.h"

#include <assert.h>
#include <string.h>

#include "base/bitmap.h"
#include "flow/order.h"
#include "flow/profile.h"
#include "table/builder.h"

#define BLOCK 64 /* flows whose entries stay in the cache while all columns are written */

/* One column while it is written: values at known places, or a builder (TEXT), or two (lists). */
typedef struct {
    const nf_flow_column *def;
    netfeat_column *col;
    uint8_t *data;
    uint8_t *validity;
    nf_builder values, offsets;
} writer;

static int append(nf_builder *b, int type, const nf_flow_value *v)
{
    switch (type) {
    case NETFEAT_TYPE_I64:
        return nf_builder_add_i64(b, v->i);
    case NETFEAT_TYPE_F64:
        return nf_builder_add_f64(b, v->f);
    case NETFEAT_TYPE_TEXT:
        return nf_builder_add_bytes(b, v->bytes, v->size);
    default:
        return nf_builder_add_u64(b, v->u);
    }
}

static int write_list(writer *w, nf_flow_view *view)
{
    const nf_flow_column *def = w->def;
    uint32_t n = def->count(view);
    int code = NETFEAT_OK;

    for (view->element = 0; code == 0 && view->element < n; view->element++) {
        nf_flow_value v = {.u = 0};
        code = def->get(view, def->argument, &v) ? append(&w->values, def->type, &v)
                                                 : nf_builder_add_null(&w->values);
    }
    return code != 0 ? code : nf_builder_add_i64(&w->offsets, w->values.length);
}

static void look_at(nf_flow_view *view, const nf_flow *f)
{
    view->flow = f;
    view->key = nf_flow_key_of(f);
    view->forward = nf_flow_source(f);
}

/* Values of one column for n flows, row by row in place. */
#define FILL(ctype, value)                                                                                   \
    for (size_t i = 0; i < n; i++) {                                                                         \
        nf_flow_value v = {.u = 0};                                                                          \
        look_at(view, flows[i]);                                                                             \
        if (!def->get(view, def->argument, &v)) {                                                            \
            v = none;                                                                                        \
            nf_bitmap_clear(w->validity, row + (int64_t)i);                                                  \
        }                                                                                                    \
        ((ctype *)(void *)w->data)[row + (int64_t)i] = (ctype)(value);                                       \
    }

static void fill_bytes(writer *w, nf_flow_view *view, const nf_flow *const *flows, size_t n, int64_t row)
{
    size_t width = (size_t)nf_type_width(w->def->type);

    for (size_t i = 0; i < n; i++) {
        uint8_t *at = w->data + ((size_t)row + i) * width;
        nf_flow_value v = {.u = 0};
        look_at(view, flows[i]);
        if (w->def->get(view, w->def->argument, &v)) {
            memcpy(at, v.bytes, width);
        } else {
            memset(at, 0, width);
            nf_bitmap_clear(w->validity, row + (int64_t)i);
        }
    }
}

static void fill(writer *w, nf_flow_view *view, const nf_flow *const *flows, size_t n, int64_t row)
{
    const nf_flow_column *def = w->def;
    const nf_flow_value none = {.u = 0};

    switch (def->type) {
    case NETFEAT_TYPE_U8:
        FILL(uint8_t, v.u);
        break;
    case NETFEAT_TYPE_U16:
        FILL(uint16_t, v.u);
        break;
    case NETFEAT_TYPE_U32:
        FILL(uint32_t, v.u);
        break;
    case NETFEAT_TYPE_U64:
        FILL(uint64_t, v.u);
        break;
    case NETFEAT_TYPE_I64:
    case NETFEAT_TYPE_TIME_NS:
        FILL(int64_t, v.i);
        break;
    case NETFEAT_TYPE_F64:
        FILL(double, v.f);
        break;
    default:
        fill_bytes(w, view, flows, n, row);
        break;
    }
}

/* A list, or a text: appended. */
static int append_cell(writer *w, nf_flow_view *view)
{
    const nf_flow_column *def = w->def;
    nf_flow_value v = {.u = 0};

    if (def->count != NULL) {
        return write_list(w, view);
    }
    return def->get(view, def->argument, &v) ? append(&w->values, def->type, &v)
                                             : nf_builder_add_null(&w->values);
}

static int start_writer(netfeat_ctx *ctx, const nf_flow_column *def, int64_t rows, writer *w)
{
    w->def = def;
    nf_builder_init(&w->values, ctx, def->type);
    nf_builder_init(&w->offsets, ctx, NETFEAT_TYPE_I64);
    if (def->count != NULL) {
        return nf_builder_add_i64(&w->offsets, 0);
    }
    if (def->type == NETFEAT_TYPE_TEXT) {
        return NETFEAT_OK;
    }
    return nf_column_new(ctx, def->type, rows, def->unit, def->definition, def->null_rule, &w->col, &w->data,
                         &w->validity);
}

static int finish_writer(writer *w)
{
    const nf_flow_column *def = w->def;
    netfeat_column *values = NULL;
    int code;

    if (w->col != NULL) {
        nf_column_count_nulls(w->col);
        return NETFEAT_OK;
    }
    if (def->count == NULL) {
        return nf_builder_finish(&w->values, def->unit, def->definition, def->null_rule, &w->col);
    }
    code = nf_builder_finish(&w->values, def->unit, def->definition, "never", &values);
    return code != 0
               ? code
               : nf_list_finish(&w->offsets, values, def->unit, def->definition, def->null_rule, &w->col);
}

static void free_writer(writer *w)
{
    if (w->def != NULL) {
        nf_builder_free(&w->values);
        nf_builder_free(&w->offsets);
        netfeat_column_unref(w->col);
    }
}

static int write_block(const nf_flow_config *config, writer *writers, const nf_flow *const *flows, size_t n,
                       int64_t row)
{
    nf_flow_view view = {.config = config};
    int code = NETFEAT_OK;

    for (int c = 0; code == 0 && c < config->width; c++) {
        writer *w = &writers[c];
        if (w->col != NULL) {
            fill(w, &view, flows, n, row);
            continue;
        }
        for (size_t i = 0; code == 0 && i < n; i++) {
            look_at(&view, flows[i]);
            code = append_cell(w, &view);
        }
    }
    return code;
}

/* The next flows, which may lie anywhere, on their way into the cache. */
static void prefetch_block(const nf_flow_config *config, const nf_flow *const *flows, size_t n)
{
    size_t bytes = config->clear_bytes < 512 ? config->clear_bytes : 512;

    for (size_t i = 0; i < n; i++) {
        for (size_t at = 0; at < bytes; at += 64) {
            __builtin_prefetch((const uint8_t *)flows[i] + at);
        }
    }
}

static int make_table(netfeat_ctx *ctx, writer *writers, int width, int64_t rows, netfeat_table **ret)
{
    netfeat_table *tab = NULL;
    int code = nf_table_alloc(ctx, width, &tab);

    for (int c = 0; code == 0 && c < width; c++) {
        code = nf_table_set_name(tab, c, writers[c].def->name);
        code = code != 0 ? code : finish_writer(&writers[c]);
        tab->cols[c] = netfeat_column_ref(writers[c].col);
    }
    if (code != 0) {
        netfeat_table_unref(tab);
        return code;
    }
    tab->rows = rows;
    *ret = tab;
    return NETFEAT_OK;
}

int nf_flow_output(netfeat_ctx *ctx, const nf_flow_config *config, const nf_flow *const *flows, size_t n,
                   netfeat_table **ret)
{
    size_t bytes = (size_t)config->width * sizeof(writer) + 1;
    writer *writers = nf_alloc_zero(ctx, bytes);
    int code = NETFEAT_OK;

    if (writers == NULL) {
        return nf_ctx_code(ctx);
    }
    for (int c = 0; code == 0 && c < config->width; c++) {
        code = start_writer(ctx, config->columns[c], (int64_t)n, &writers[c]);
    }
    for (size_t i = 0; code == 0 && i < n; i += BLOCK) {
        size_t rest = n - i;
        size_t ahead = rest > BLOCK ? rest - BLOCK : 0;
        prefetch_block(config, flows + i + (rest - ahead), ahead < BLOCK ? ahead : BLOCK);
        code = write_block(config, writers, flows + i, rest < BLOCK ? rest : BLOCK, (int64_t)i);
    }
    code = code != 0 ? code : make_table(ctx, writers, config->width, (int64_t)n, ret);
    for (int c = 0; c < config->width; c++) {
        free_writer(&writers[c]);
    }
    nf_free(ctx, writers, bytes);
    return code;
}

/* ---- taking ---- */

static void collect_chain(const netfeat_flows *fl, uint32_t index, const nf_flow **list, size_t *n)
{
    for (; index != NF_MAP_NONE; index = fl->links[index].next) {
        list[(*n)++] = nf_flow_at(fl, index);
    }
}

int nf_flow_list(const netfeat_flows *fl, bool open, const nf_flow ***ret, size_t *ret_n)
{
    size_t most = (size_t)(fl->count[NETFEAT_FLOWS_WAITING] + (open ? fl->count[NETFEAT_FLOWS_OPEN] : 0)) + 1;
    const nf_flow **list = nf_alloc_array(fl->ctx, most, sizeof *list);
    size_t n = 0;
    int code;

    if (list == NULL) {
        return nf_ctx_code(fl->ctx);
    }
    if (most == (size_t)fl->used + 1) { /* all that there are: by number, which is nearly their order */
        for (uint32_t i = 0; i < fl->used; i++) {
            list[n++] = nf_flow_at(fl, i);
        }
    } else {
        collect_chain(fl, fl->ended_first, list, &n);
        collect_chain(fl, open ? fl->open_first : NF_MAP_NONE, list, &n);
    }
    assert(n + 1 == most);
    code = nf_order_by_position(fl->ctx, list, n);
    if (code != 0) {
        nf_free(fl->ctx, list, most * sizeof *list);
        return code;
    }
    *ret = list;
    *ret_n = n;
    return NETFEAT_OK;
}

/* Keep only flows with enough packets for the profile. */
static size_t drop_small(const nf_flow_config *config, const nf_flow **list, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        const nf_counts *c = nf_flow_read(config, list[i], NF_G_COUNTS);
        uint64_t packets = c[0].packets + (config->sides > 1 ? c[1].packets : 0);
        if (packets >= config->profile->least_packets) {
            list[kept++] = list[i];
        }
    }
    return kept;
}

static int take(netfeat_flows *fl, netfeat_table **ret)
{
    const nf_flow **list;
    size_t n, kept;
    int code = nf_flow_list(fl, false, &list, &n);

    if (code != 0) {
        return code;
    }
    kept = drop_small(&fl->config, list, n);
    if (fl->config.by_key) {
        code = nf_order_by_key(fl->ctx, list, kept);
    }
    code = code != 0 ? code : nf_flow_output(fl->ctx, &fl->config, list, kept, ret);
    nf_free(fl->ctx, list, (n + 1) * sizeof *list);
    if (code == 0 && n > 0) {
        nf_flow_slots_recycle(fl);
        fl->no_merging = true;
    }
    return code;
}

int netfeat_flows_take(netfeat_flows *fl, netfeat_table **ret)
{
    int code;

    if (fl == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL) {
        return nf_error(fl->ctx, NETFEAT_ERR_ARGUMENT, "flows_take: ret is NULL");
    }
    if (fl->count[NETFEAT_FLOWS_WAITING] == 0) {
        return 0;
    }
    code = take(fl, ret);
    return code != 0 ? code : 1;
}

int netfeat_flows_take_all(netfeat_flows *fl, netfeat_table **ret)
{
    if (fl == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL) {
        return nf_error(fl->ctx, NETFEAT_ERR_ARGUMENT, "flows_take_all: ret is NULL");
    }
    return take(fl, ret);
}
