#include "feature/state.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"

#define ROWS_MAX  65536
#define NAME_MAX_ 63
#define FORMAT    "netfeat-state 1"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ORDER "little"
#else
#define ORDER "big"
#endif

/* ---- writing ---- */

void nf_state_writer_init(nf_state_writer *w, netfeat_ctx *ctx)
{
    w->ctx = ctx;
    w->step = 0;
    nf_builder_init(&w->steps, ctx, NETFEAT_TYPE_U32);
    nf_builder_init(&w->items, ctx, NETFEAT_TYPE_TEXT);
    nf_builder_init(&w->types, ctx, NETFEAT_TYPE_U8);
    nf_builder_init(&w->data, ctx, NETFEAT_TYPE_BYTES);
}

void nf_state_writer_free(nf_state_writer *w)
{
    nf_builder_free(&w->steps);
    nf_builder_free(&w->items);
    nf_builder_free(&w->types);
    nf_builder_free(&w->data);
}

/* prefix.name into a buffer of NAME_MAX_ + 1; returns its length. */
static size_t item_name(char *to, const char *prefix, const char *name)
{
    size_t p = strlen(prefix);
    size_t n = strlen(name);

    assert(p + n + 1 <= NAME_MAX_);
    memcpy(to, prefix, p);
    if (p > 0) {
        to[p++] = '.';
    }
    memcpy(to + p, name, n + 1);
    return p + n;
}

static int put_bytes(nf_state_writer *w, const char *item, size_t length, int type, const void *data,
                     size_t size)
{
    int code = nf_builder_add_u64(&w->steps, w->step);

    code = code != 0 ? code : nf_builder_add_bytes(&w->items, item, length);
    code = code != 0 ? code : nf_builder_add_u64(&w->types, (uint64_t)type);
    return code != 0 ? code : nf_builder_add_bytes(&w->data, data, size);
}

int nf_state_put(nf_state_writer *w, const char *prefix, const char *name, int type, const void *data,
                 size_t n)
{
    char item[NAME_MAX_ + 1];
    size_t length = item_name(item, prefix, name);

    return put_bytes(w, item, length, type, data, n * (size_t)nf_type_width(type));
}

int nf_state_put_u64(nf_state_writer *w, const char *prefix, const char *name, uint64_t value)
{
    return nf_state_put(w, prefix, name, NETFEAT_TYPE_U64, &value, 1);
}

int nf_state_put_text(nf_state_writer *w, const char *name, const char *text)
{
    return put_bytes(w, name, strlen(name), NETFEAT_TYPE_TEXT, text, strlen(text));
}

/* Options that travel. A path does not: what it held is in the state, and a stranger's table opens no file. */
static bool is_saved_option(int key)
{
    return key >> 8 == NETFEAT_OPT_FEATURE_NULL >> 8 && key != NETFEAT_OPT_FEATURE_SERVICES_FILE;
}

static int put_options(nf_state_writer *w, const nf_step *step)
{
    int code = NETFEAT_OK;

    for (int key = netfeat_option_next(0); code == 0 && key != 0; key = netfeat_option_next(key)) {
        char item[NAME_MAX_ + 1];
        int64_t value = 0, usual = 0;
        if (!is_saved_option(key)) {
            continue;
        }
        item_name(item, "@option", netfeat_option_name(key));
        if (netfeat_option_kind(key) == NETFEAT_KIND_TEXT) {
            const char *text = netfeat_options_get_text(step->opts, key);
            if (strcmp(text, netfeat_options_get_text(NULL, key)) != 0) {
                code = nf_state_put_text(w, item, text);
            }
            continue;
        }
        value = nf_step_option(step, key);
        netfeat_option_range(key, NULL, NULL, &usual);
        if (value != usual) {
            code = put_bytes(w, item, strlen(item), NETFEAT_TYPE_I64, &value, sizeof value);
        }
    }
    return code;
}

static int put_inputs(nf_state_writer *w, const nf_step *step)
{
    char item[] = "@input.00";
    uint8_t types[NF_INPUTS_MAX];
    int code = NETFEAT_OK;

    for (int i = 0; code == 0 && i < step->n_inputs; i++) {
        item[7] = (char)('0' + i / 10);
        item[8] = (char)('0' + i % 10);
        code = nf_state_put_text(w, item, step->inputs[i]);
        types[i] = (uint8_t)step->types[i];
    }
    if (code == 0 && step->bound) {
        code = nf_state_put(w, "", "@types", NETFEAT_TYPE_U8, types, (size_t)step->n_inputs);
    }
    return code;
}

int nf_state_put_step(nf_state_writer *w, const nf_step *step)
{
    int code;

    if (step->failed) {
        return nf_error(w->ctx, NETFEAT_ERR_STATE, "%s: an earlier call failed half-way",
                        netfeat_feature_name(step->cls->id));
    }
    code = nf_state_put_text(w, "@format", FORMAT);
    code = code != 0 ? code : nf_state_put_text(w, "@order", ORDER);
    code = code != 0 ? code : nf_state_put_text(w, "@feature", nf_feature_definition(step->cls->id));
    code = code != 0 ? code : nf_state_put_text(w, "@output", step->output);
    code = code != 0 ? code : put_inputs(w, step);
    code = code != 0 ? code : put_options(w, step);
    code = code != 0 ? code : nf_state_put_u64(w, "", "@sealed", step->sealed);
    code = code != 0 ? code : nf_state_put_u64(w, "", "@rows", step->rows);
    if (code == 0 && step->n_ranges > 0) {
        code = nf_state_put(w, "", "@ranges", NETFEAT_TYPE_U64, step->ranges, step->n_ranges * 2);
    }
    if (code == 0 && (step->bound || step->typeless) && step->cls->save != NULL) {
        code = step->cls->save(step, w);
    }
    w->step++;
    return code;
}

int nf_state_finish(nf_state_writer *w, netfeat_table **ret)
{
    static const char *const names[] = {"step", "item", "type", "data"};
    nf_builder *const builders[] = {&w->steps, &w->items, &w->types, &w->data};
    netfeat_column *cols[4] = {NULL, NULL, NULL, NULL};
    int code = NETFEAT_OK;

    for (int i = 0; code == 0 && i < 4; i++) {
        code = nf_builder_finish(builders[i], "", "feature.state@1", "never", &cols[i]);
    }
    if (code != 0) {
        for (int i = 0; i < 4; i++) {
            netfeat_column_unref(cols[i]);
        }
        return code;
    }
    return nf_table_make(w->ctx, names, cols, 4, 0, ret);
}

/* ---- reading ---- */

int nf_state_bad(nf_state_reader *r, const char *what)
{
    return nf_error(r->ctx, NETFEAT_ERR_FORMAT, "state table: step %u: %s", (unsigned)r->step, what);
}

static int take_column(nf_state_reader *r, const char *name, int type, const netfeat_column **ret)
{
    int index = netfeat_table_find(r->tab, name);

    if (index < 0 || r->tab->cols[index]->type != type || r->tab->cols[index]->nulls != 0) {
        return nf_error(r->ctx, NETFEAT_ERR_FORMAT,
                        "no state table: column %s is missing, or not as it should be", name);
    }
    *ret = r->tab->cols[index];
    return NETFEAT_OK;
}

static uint32_t step_at(const nf_state_reader *r, int64_t row)
{
    uint32_t step;
    memcpy(&step, r->steps->data + (size_t)row * sizeof step, sizeof step);
    return step;
}

int nf_state_reader_init(nf_state_reader *r, netfeat_ctx *ctx, const netfeat_table *tab)
{
    int code = nf_table_check_sealed(ctx, tab, "state table");

    memset(r, 0, sizeof *r);
    r->ctx = ctx;
    r->tab = tab;
    code = code != 0 ? code : take_column(r, "step", NETFEAT_TYPE_U32, &r->steps);
    code = code != 0 ? code : take_column(r, "item", NETFEAT_TYPE_TEXT, &r->items);
    code = code != 0 ? code : take_column(r, "type", NETFEAT_TYPE_U8, &r->types);
    code = code != 0 ? code : take_column(r, "data", NETFEAT_TYPE_BYTES, &r->data);
    if (code == 0 && tab->rows > ROWS_MAX) {
        code = nf_error(ctx, NETFEAT_ERR_FORMAT, "no state table: %lld rows", (long long)tab->rows);
    }
    for (int64_t i = 0; code == 0 && i < tab->rows; i++) {
        uint32_t before = i > 0 ? step_at(r, i - 1) : 0;
        if (step_at(r, i) != before && step_at(r, i) != before + 1) {
            code = nf_error(ctx, NETFEAT_ERR_FORMAT, "no state table: the steps are out of order");
        }
    }
    return code;
}

uint32_t nf_state_steps(const nf_state_reader *r)
{
    return r->tab->rows > 0 ? step_at(r, r->tab->rows - 1) + 1 : 0;
}

void nf_state_select(nf_state_reader *r, uint32_t step)
{
    r->step = step;
    r->first = 0;
    while (r->first < r->tab->rows && step_at(r, r->first) < step) {
        r->first++;
    }
    r->end = r->first;
    while (r->end < r->tab->rows && step_at(r, r->end) == step) {
        r->end++;
    }
}

static int64_t find_item(const nf_state_reader *r, const char *item)
{
    size_t length = strlen(item);

    for (int64_t i = r->first; i < r->end; i++) {
        int64_t from = r->items->offsets[i];
        if ((size_t)(r->items->offsets[i + 1] - from) == length &&
            memcmp(r->items->data + from, item, length) == 0) {
            return i;
        }
    }
    return -1;
}

bool nf_state_has(nf_state_reader *r, const char *name)
{
    return find_item(r, name) >= 0;
}

int nf_state_get(nf_state_reader *r, const char *prefix, const char *name, int type, int64_t *n,
                 const uint8_t **ret)
{
    char item[NAME_MAX_ + 1];
    size_t width = type == NETFEAT_TYPE_TEXT ? 1 : (size_t)nf_type_width(type);
    int64_t row;
    size_t size;

    item_name(item, prefix, name);
    row = find_item(r, item);
    if (row < 0 || r->types->data[row] != type) {
        return nf_error(r->ctx, NETFEAT_ERR_FORMAT, "state table: step %u: %s is missing, or of another type",
                        (unsigned)r->step, item);
    }
    size = (size_t)(r->data->offsets[row + 1] - r->data->offsets[row]);
    if (size % width != 0 || (*n >= 0 && size / width != (size_t)*n)) {
        return nf_error(r->ctx, NETFEAT_ERR_FORMAT, "state table: step %u: %s has %zu bytes",
                        (unsigned)r->step, item, size);
    }
    *n = (int64_t)(size / width);
    *ret = r->data->data + r->data->offsets[row];
    return NETFEAT_OK;
}

int nf_state_get_u64(nf_state_reader *r, const char *prefix, const char *name, uint64_t max, uint64_t *ret)
{
    const uint8_t *data;
    uint64_t value;
    int64_t n = 1;
    int code = nf_state_get(r, prefix, name, NETFEAT_TYPE_U64, &n, &data);

    if (code != 0) {
        return code;
    }
    memcpy(&value, data, sizeof value);
    if (value > max) {
        return nf_error(r->ctx, NETFEAT_ERR_FORMAT, "state table: step %u: %s is %llu", (unsigned)r->step,
                        name, (unsigned long long)value);
    }
    *ret = value;
    return NETFEAT_OK;
}

int nf_state_get_copy(nf_state_reader *r, const char *prefix, const char *name, int type, int64_t n,
                      void **ret, size_t *ret_cap)
{
    const uint8_t *data;
    size_t width = (size_t)nf_type_width(type);
    void *copy;
    int code = nf_state_get(r, prefix, name, type, &n, &data);

    if (code != 0) {
        return code;
    }
    *ret_cap = n > 0 ? (size_t)n : 1;
    copy = nf_alloc_array(r->ctx, *ret_cap, width);
    if (copy == NULL) {
        return nf_ctx_code(r->ctx);
    }
    if (n > 0) {
        memcpy(copy, data, (size_t)n * width);
    }
    *ret = copy;
    return NETFEAT_OK;
}

int nf_state_get_text(nf_state_reader *r, const char *item, char **ret, size_t *ret_cap)
{
    const uint8_t *data;
    int64_t n = -1;
    int code = nf_state_get(r, "", item, NETFEAT_TYPE_TEXT, &n, &data);

    if (code != 0) {
        return code;
    }
    if ((n > 0 && memchr(data, 0, (size_t)n) != NULL) || !nf_utf8_valid(data, (size_t)n)) {
        return nf_state_bad(r, "a text is not UTF-8");
    }
    *ret_cap = (size_t)n + 1;
    *ret = nf_strndup(r->ctx, n > 0 ? (const char *)data : "", (size_t)n);
    return *ret != NULL ? NETFEAT_OK : nf_ctx_code(r->ctx);
}

static int get_text(nf_state_reader *r, const char *item, char **ret)
{
    size_t cap;
    return nf_state_get_text(r, item, ret, &cap);
}

static void drop_text(nf_state_reader *r, char *text)
{
    if (text != NULL) {
        nf_free(r->ctx, text, strlen(text) + 1);
    }
}

/* UNSUPPORTED when a known item says something else than expected. */
static int expect_text(nf_state_reader *r, const char *item, const char *wanted)
{
    char *text = NULL;
    int code = get_text(r, item, &text);

    if (code == 0 && text != NULL && strcmp(text, wanted) != 0) {
        code = nf_error(r->ctx, NETFEAT_ERR_UNSUPPORTED, "state table: %s is %s, this library reads %s", item,
                        text, wanted);
    }
    drop_text(r, text);
    return code;
}

/* "feature.NAME@VERSION" of a feature of this library in this version. */
static int get_feature(nf_state_reader *r, int *ret)
{
    char *text = NULL;
    int code = get_text(r, "@feature", &text);

    *ret = 0;
    for (int f = netfeat_feature_next(0); code == 0 && f != 0; f = netfeat_feature_next(f)) {
        if (text != NULL && strcmp(nf_feature_definition(f), text) == 0) {
            *ret = f;
        }
    }
    if (code == 0 && *ret == 0) {
        code =
            nf_error(r->ctx, NETFEAT_ERR_UNSUPPORTED, "state table: %s is no feature of this library", text);
    }
    drop_text(r, text);
    return code;
}

static int get_option(nf_state_reader *r, netfeat_options *opts, int key, const char *item)
{
    const uint8_t *data;
    int64_t value, n = 1;
    char *text = NULL;
    int code;

    if (netfeat_option_kind(key) == NETFEAT_KIND_TEXT) {
        code = get_text(r, item, &text);
        code = code != 0 ? code : netfeat_options_set_text(opts, key, text);
        drop_text(r, text);
        return code;
    }
    code = nf_state_get(r, "", item, NETFEAT_TYPE_I64, &n, &data);
    if (code == 0) {
        memcpy(&value, data, sizeof value);
        code = netfeat_options_set_int(opts, key, value);
    }
    return code;
}

static int get_options(nf_state_reader *r, netfeat_options **ret)
{
    netfeat_options *opts = NULL;
    int code = netfeat_options_new(r->ctx, &opts);

    for (int key = netfeat_option_next(0); code == 0 && key != 0; key = netfeat_option_next(key)) {
        char item[NAME_MAX_ + 1];
        if (!is_saved_option(key)) {
            continue;
        }
        item_name(item, "@option", netfeat_option_name(key));
        if (nf_state_has(r, item)) {
            code = get_option(r, opts, key, item);
        }
    }
    if (code != 0) {
        netfeat_options_unref(opts);
        return code == NETFEAT_ERR_RANGE ? nf_state_bad(r, "an option is out of bounds") : code;
    }
    *ret = opts;
    return NETFEAT_OK;
}

static int get_ranges(nf_state_reader *r, nf_step *step)
{
    const uint8_t *data;
    int64_t n = -1;
    int code = nf_state_get(r, "", "@ranges", NETFEAT_TYPE_U64, &n, &data);

    if (code == 0 && (n == 0 || n % 2 != 0)) {
        code = nf_state_bad(r, "row ranges");
    }
    if (code == 0) {
        step->ranges = nf_alloc_array(r->ctx, (size_t)n / 2, sizeof *step->ranges);
        code = step->ranges != NULL ? NETFEAT_OK : nf_ctx_code(r->ctx);
    }
    if (code != 0) {
        return code;
    }
    step->n_ranges = step->ranges_cap = (size_t)n / 2;
    memcpy(step->ranges, data, step->n_ranges * sizeof *step->ranges);
    for (size_t i = 0; i < step->n_ranges; i++) {
        if (step->ranges[i].end < step->ranges[i].first || step->ranges[i].end > INT64_MAX ||
            (i > 0 && step->ranges[i].first <= step->ranges[i - 1].end)) {
            return nf_state_bad(r, "row ranges");
        }
    }
    return NETFEAT_OK;
}

/* Types, state, ranges, flags. */
static int get_state(nf_state_reader *r, nf_step *step)
{
    int types[NF_INPUTS_MAX];
    const uint8_t *data;
    int64_t n = step->n_inputs;
    uint64_t sealed = 0;
    int code = nf_state_get_u64(r, "", "@sealed", 1, &sealed);

    code = code != 0 ? code : nf_state_get_u64(r, "", "@rows", INT64_MAX, &step->rows);
    if (code == 0 && step->cls->ordered && nf_state_has(r, "@ranges")) {
        code = get_ranges(r, step);
    }
    if (code == 0 && nf_state_has(r, "@types")) {
        code = nf_state_get(r, "", "@types", NETFEAT_TYPE_U8, &n, &data);
        for (int i = 0; code == 0 && i < step->n_inputs; i++) {
            types[i] = data[i];
            if (netfeat_type_name(types[i]) == NULL) {
                code = nf_state_bad(r, "unknown type");
            }
        }
        code = code != 0 ? code : nf_step_bind_types(step, types);
    }
    if (code == 0 && (step->bound || step->typeless) && step->cls->load != NULL) {
        code = step->cls->load(step, r);
    }
    if (code == 0 && sealed) {
        code = nf_step_seal(step);
    }
    return code;
}

int nf_state_get_step(nf_state_reader *r, nf_step **ret)
{
    char item[] = "@input.00";
    char *inputs[NF_INPUTS_MAX] = {NULL};
    char *output = NULL;
    netfeat_options *opts = NULL;
    nf_step *step = NULL;
    size_t n = 0;
    int feature = 0;
    int code = expect_text(r, "@format", FORMAT);

    code = code != 0 ? code : expect_text(r, "@order", ORDER);
    code = code != 0 ? code : get_feature(r, &feature);
    code = code != 0 ? code : get_text(r, "@output", &output);
    for (; code == 0 && n < NF_INPUTS_MAX; n++) {
        item[7] = (char)('0' + n / 10);
        item[8] = (char)('0' + n % 10);
        if (!nf_state_has(r, item)) {
            break;
        }
        code = get_text(r, item, &inputs[n]);
    }
    code = code != 0 ? code : get_options(r, &opts);
    if (code == 0) {
        code = nf_step_new(r->ctx, feature, (const char *const *)inputs, n, output, opts, &step);
    }
    code = code != 0 ? code : get_state(r, step);
    for (size_t i = 0; i < NF_INPUTS_MAX; i++) {
        drop_text(r, inputs[i]);
    }
    drop_text(r, output);
    netfeat_options_unref(opts);
    if (code != 0) {
        nf_step_free(step);
        return code;
    }
    *ret = step;
    return NETFEAT_OK;
}

/* ---- one step, one table ---- */

int nf_state_of_step(netfeat_ctx *ctx, const nf_step *step, netfeat_table **ret)
{
    nf_state_writer w;
    int code;

    nf_state_writer_init(&w, ctx);
    code = nf_state_put_step(&w, step);
    code = code != 0 ? code : nf_state_finish(&w, ret);
    nf_state_writer_free(&w);
    return code;
}

int nf_state_to_step(netfeat_ctx *ctx, const netfeat_table *tab, int kind, nf_step **ret)
{
    nf_state_reader r;
    nf_step *step = NULL;
    int code = nf_state_reader_init(&r, ctx, tab);

    if (code == 0 && nf_state_steps(&r) != 1) {
        code =
            nf_error(ctx, NETFEAT_ERR_FORMAT, "state table: %u steps, not one", (unsigned)nf_state_steps(&r));
    }
    if (code == 0) {
        nf_state_select(&r, 0);
        code = nf_state_get_step(&r, &step);
    }
    if (code == 0 && step->cls->kind != kind) {
        code = nf_error(ctx, NETFEAT_ERR_FORMAT, "state table: %s is of another kind",
                        netfeat_feature_name(step->cls->id));
    }
    if (code != 0) {
        nf_step_free(step);
        return code;
    }
    *ret = step;
    return NETFEAT_OK;
}
