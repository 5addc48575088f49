/* One-hot encoding: of the values learned, or of a given map of numbers to names. */
#include <string.h>

#include "base/bitmap.h"
#include "feature/onehot.h"
#include "feature/ports.h"
#include "feature/state.h"
#include "table/text.h"

static int open_state(nf_step *step)
{
    nf_onehot *s = step->state;
    int64_t ports = nf_step_option(step, NETFEAT_OPT_FEATURE_PORTS);
    bool text = netfeat_options_get_text(step->opts, NETFEAT_OPT_FEATURE_MAP)[0] != '\0';

    if (ports != 0 && text) {
        return nf_error(step->ctx, NETFEAT_ERR_ARGUMENT,
                        "onehot: both feature.ports and feature.map are set");
    }
    s->mapped = ports != 0 || text;
    step->typeless = s->mapped;
    return NETFEAT_OK;
}

static int bind(nf_step *step)
{
    nf_onehot *s = step->state;

    if (step->types[0] == NETFEAT_TYPE_LIST) {
        return nf_type_error(step, 0, "a value");
    }
    return s->mapped ? NETFEAT_OK : nf_categories_init(&s->cat, step, step->types[0]);
}

static void close_state(nf_step *step)
{
    nf_onehot *s = step->state;
    netfeat_ctx *ctx = step->ctx;

    for (size_t i = 0; s->names != NULL && i < s->names_cap; i++) {
        if (s->names[i] != NULL) {
            nf_free(ctx, s->names[i], strlen(s->names[i]) + 1);
        }
    }
    nf_free(ctx, s->names, s->names_cap * sizeof *s->names);
    nf_free(ctx, s->slots, s->slots_n * sizeof *s->slots);
    nf_free(ctx, s->by_value, (s->n_entries + 1) * sizeof *s->by_value);
    nf_free(ctx, s->entries, s->entries_cap * sizeof *s->entries);
    nf_free(ctx, s->map, s->map_cap);
    nf_categories_free(&s->cat);
}

static int fit(nf_step *step, netfeat_column *const *in)
{
    nf_onehot *s = step->state;
    return s->mapped ? NETFEAT_OK : nf_categories_fit(&s->cat, in[0]);
}

static int merge(nf_step *step, const nf_step *other)
{
    nf_onehot *s = step->state;
    const nf_onehot *from = other->state;
    return s->mapped ? NETFEAT_OK : nf_categories_merge(&s->cat, &from->cat);
}

static int too_many(nf_step *step, size_t n)
{
    int64_t max = nf_step_option(step, NETFEAT_OPT_FEATURE_MAX_CATEGORIES);

    if (n > (size_t)max) {
        return nf_error(step->ctx, NETFEAT_ERR_LIMIT,
                        "onehot: more than %lld columns (feature.max_categories)", (long long)max);
    }
    return NETFEAT_OK;
}

/* Room for n names and a slot for each of slots_n values. */
static int make_tables(nf_step *step, uint32_t n, size_t slots_n)
{
    nf_onehot *s = step->state;

    s->names = nf_alloc_zero(step->ctx, ((size_t)n + 1) * sizeof *s->names);
    s->n = n;
    s->names_cap = (size_t)n + 1;
    s->slots = s->names != NULL ? nf_alloc_array(step->ctx, slots_n + 1, sizeof *s->slots) : NULL;
    if (s->slots == NULL) {
        return nf_ctx_code(step->ctx);
    }
    s->slots_n = slots_n + 1;
    for (size_t i = 0; i < s->slots_n; i++) {
        s->slots[i] = NF_NO_SLOT;
    }
    return NETFEAT_OK;
}

/* ---- sealing: learned values ---- */

static int value_name(netfeat_ctx *ctx, const netfeat_column *values, int64_t row, char **ret)
{
    size_t length = 0;

    netfeat_column_get_text(values, row, NULL, 0, &length);
    *ret = nf_alloc(ctx, length + 1);
    if (*ret == NULL) {
        return nf_ctx_code(ctx);
    }
    netfeat_column_get_text(values, row, *ret, length + 1, NULL);
    (*ret)[length] = '\0';
    return NETFEAT_OK;
}

static int seal_learned(nf_step *step)
{
    nf_onehot *s = step->state;
    netfeat_column *values = NULL;
    uint32_t *ids = NULL;
    size_t cap = 0, n = 0;
    int code = nf_categories_list(&s->cat, step->ctx, false, &ids, &cap, &n);

    code = code != 0 ? code : too_many(step, n);
    code = code != 0 ? code : make_tables(step, (uint32_t)n, nf_categories_bound(&s->cat));
    code = code != 0 ? code : nf_categories_column(&s->cat, step->ctx, ids, n, &values);
    for (size_t i = 0; code == 0 && i < n; i++) {
        s->slots[ids[i]] = (uint32_t)i;
        code = value_name(step->ctx, values, (int64_t)i, &s->names[i]);
    }
    netfeat_column_unref(values);
    nf_free(step->ctx, ids, cap * sizeof *ids);
    return code;
}

/* ---- sealing: a map ---- */

static int copy_map(nf_step *step, const char *text)
{
    nf_onehot *s = step->state;

    s->map_cap = strlen(text) + 1;
    s->map = nf_strndup(step->ctx, text, s->map_cap - 1);
    return s->map != NULL ? NETFEAT_OK : nf_ctx_code(step->ctx);
}

static int choose_map(nf_step *step)
{
    nf_onehot *s = step->state;

    switch (nf_step_option(step, NETFEAT_OPT_FEATURE_PORTS)) {
    case NETFEAT_PORTS_NOTEBOOK:
        return copy_map(step, nf_ports_notebook());
    case NETFEAT_PORTS_SERVICES:
        return nf_ports_services(step->ctx,
                                 netfeat_options_get_text(step->opts, NETFEAT_OPT_FEATURE_SERVICES_FILE),
                                 &s->map, &s->map_cap);
    default:
        return copy_map(step, netfeat_options_get_text(step->opts, NETFEAT_OPT_FEATURE_MAP));
    }
}

/* Column that has this name already, or NF_NO_SLOT. */
static uint32_t slot_of_name(const nf_onehot *s, uint32_t n, nf_port_entry e)
{
    for (uint32_t i = 0; i < n; i++) {
        if (strlen(s->names[i]) == e.length && memcmp(s->names[i], e.name, e.length) == 0) {
            return i;
        }
    }
    return NF_NO_SLOT;
}

static char *suffixed_name(netfeat_ctx *ctx, nf_port_entry e)
{
    char digits[NF_TEXT_MAX];
    size_t n = nf_text_u64(digits, e.value);
    char *name = nf_alloc(ctx, e.length + n + 2);

    if (name != NULL) {
        memcpy(name, e.name, e.length);
        name[e.length] = '_';
        memcpy(name + e.length + 1, digits, n + 1);
    }
    return name;
}

/* Does another entry of the map have this name, too? */
static bool is_repeated(netfeat_ctx *ctx, const char *map, nf_port_entry e)
{
    nf_port_entry other;
    int found = 0;

    while (nf_ports_next(ctx, &map, &other) > 0) {
        found += other.length == e.length && memcmp(other.name, e.name, e.length) == 0;
    }
    return found > 1;
}

/* One entry of the map: a new column, or another value for an old one. */
static int add_entry(nf_step *step, nf_port_entry e, uint32_t *n)
{
    nf_onehot *s = step->state;
    int64_t rule = nf_step_option(step, NETFEAT_OPT_FEATURE_DUPLICATES);
    uint32_t slot = slot_of_name(s, *n, e);

    for (size_t i = 0; i < s->n_entries; i++) {
        if (s->entries[i].value == e.value) {
            return nf_error(step->ctx, NETFEAT_ERR_ARGUMENT, "onehot: the map has %llu twice",
                            (unsigned long long)e.value);
        }
    }
    if (slot != NF_NO_SLOT && rule == NETFEAT_DUPLICATES_REFUSE) {
        return nf_error(step->ctx, NETFEAT_ERR_ARGUMENT,
                        "onehot: two values are called %s (feature.duplicates says what to do)",
                        s->names[slot]);
    }
    if (slot != NF_NO_SLOT && rule == NETFEAT_DUPLICATES_LAST_WINS) {
        for (size_t i = 0; i < s->n_entries; i++) {
            s->entries[i].slot = s->entries[i].slot == slot ? NF_ZERO_SLOT : s->entries[i].slot;
        }
    } else {
        slot = (*n)++;
        s->names[slot] = rule == NETFEAT_DUPLICATES_SUFFIX && is_repeated(step->ctx, s->map, e)
                             ? suffixed_name(step->ctx, e)
                             : nf_strndup(step->ctx, e.name, e.length);
        if (s->names[slot] == NULL) {
            return nf_ctx_code(step->ctx);
        }
    }
    s->entries[s->n_entries++] = (nf_map_entry){e.value, slot};
    return NETFEAT_OK;
}

static bool less_entry(const void *user, uint32_t a, uint32_t b)
{
    const nf_onehot *s = user;
    return s->entries[a].value < s->entries[b].value;
}

/* Slots by value: an array for small values, the sorted entries for all. */
static int index_entries(nf_step *step)
{
    nf_onehot *s = step->state;
    size_t n = s->n_entries + 1;
    uint32_t *tmp = nf_alloc_array(step->ctx, n, sizeof *tmp);

    s->by_value = tmp != NULL ? nf_alloc_array(step->ctx, n, sizeof *s->by_value) : NULL;
    if (s->by_value == NULL) {
        nf_free(step->ctx, tmp, n * sizeof *tmp);
        return nf_ctx_code(step->ctx);
    }
    for (uint32_t i = 0; i < s->n_entries; i++) {
        s->by_value[i] = i;
        if (s->entries[i].value < NF_ONEHOT_SMALL) {
            s->slots[s->entries[i].value] = s->entries[i].slot;
        }
    }
    nf_sort_ids(s->by_value, tmp, s->n_entries, less_entry, s);
    nf_free(step->ctx, tmp, n * sizeof *tmp);
    return NETFEAT_OK;
}

static int seal_mapped(nf_step *step)
{
    nf_onehot *s = step->state;
    nf_port_entry e;
    const char *at;
    size_t entries = 0;
    uint32_t n = 0;
    int code = s->map != NULL ? NETFEAT_OK : choose_map(step);

    if (code != 0) {
        return code;
    }
    for (at = s->map; (code = nf_ports_next(step->ctx, &at, &e)) > 0; entries++) {
    }
    code = code != 0 ? code : too_many(step, entries);
    code = code != 0 ? code : make_tables(step, (uint32_t)entries, NF_ONEHOT_SMALL);
    if (code == 0) {
        s->entries = nf_alloc_array(step->ctx, entries + 1, sizeof *s->entries);
        s->entries_cap = s->entries != NULL ? entries + 1 : 0;
        code = s->entries != NULL ? NETFEAT_OK : nf_ctx_code(step->ctx);
    }
    for (at = s->map; code == 0 && nf_ports_next(step->ctx, &at, &e) > 0;) {
        code = add_entry(step, e, &n);
    }
    code = code != 0 ? code : index_entries(step);
    s->n = n;
    return code;
}

static int seal(nf_step *step)
{
    nf_onehot *s = step->state;

    if (s->mapped) {
        return seal_mapped(step);
    }
    return step->bound ? seal_learned(step) : NETFEAT_OK;
}

/* ---- mapping, state ---- */

static int add_names(netfeat_ctx *ctx, const nf_onehot *s, nf_outputs *out)
{
    netfeat_column *col = NULL;
    nf_builder b;
    size_t n = s->mapped ? s->n_entries : s->n;
    int code = NETFEAT_OK;

    nf_builder_init(&b, ctx, NETFEAT_TYPE_TEXT);
    for (size_t i = 0; code == 0 && i < n; i++) {
        uint32_t slot = s->mapped ? s->entries[i].slot : (uint32_t)i;
        code = slot < s->n ? nf_builder_add_bytes(&b, s->names[slot], strlen(s->names[slot]))
                           : nf_builder_add_null(&b);
    }
    code =
        code != 0 ? code : nf_builder_finish(&b, "", "feature.onehot@1", "a later value took the name", &col);
    nf_builder_free(&b);
    return code != 0 ? code : nf_outputs_add(out, "name", col);
}

static int mapping(netfeat_ctx *ctx, nf_step *step, nf_outputs *out)
{
    const nf_onehot *s = step->state;
    netfeat_column *col = NULL;
    uint32_t *ids = NULL;
    uint64_t *values;
    size_t cap = 0, n = 0;
    int code;

    if (s->mapped) {
        code = nf_column_new(ctx, NETFEAT_TYPE_U64, (int64_t)s->n_entries, "", "feature.onehot@1", "never",
                             &col, &values, NULL);
        for (size_t i = 0; code == 0 && i < s->n_entries; i++) {
            values[i] = s->entries[i].value;
        }
    } else {
        code = nf_categories_list(&s->cat, ctx, false, &ids, &cap, &n);
        code = code != 0 ? code : nf_categories_column(&s->cat, ctx, ids, n, &col);
        nf_free(ctx, ids, cap * sizeof *ids);
    }
    code = code != 0 ? code : nf_outputs_add(out, "value", col);
    return code != 0 ? code : add_names(ctx, s, out);
}

/* The services as they are now: the path to them does not travel. */
static int save_services(const nf_step *step, nf_state_writer *w)
{
    char *map = NULL;
    size_t cap = 0;
    int code = nf_ports_services(
        w->ctx, netfeat_options_get_text(step->opts, NETFEAT_OPT_FEATURE_SERVICES_FILE), &map, &cap);

    code = code != 0 ? code : nf_state_put_text(w, "map", map);
    nf_free(w->ctx, map, cap);
    return code;
}

static int save(const nf_step *step, nf_state_writer *w)
{
    const nf_onehot *s = step->state;

    if (s->map != NULL) {
        return nf_state_put_text(w, "map", s->map);
    }
    if (s->mapped) {
        return nf_step_option(step, NETFEAT_OPT_FEATURE_PORTS) == NETFEAT_PORTS_SERVICES
                   ? save_services(step, w)
                   : NETFEAT_OK;
    }
    return step->bound ? nf_categories_save(&s->cat, w) : NETFEAT_OK;
}

static int load(nf_step *step, nf_state_reader *r)
{
    nf_onehot *s = step->state;
    uint64_t sealed = 0;
    int code;

    if (!s->mapped) {
        return nf_categories_load(&s->cat, r);
    }
    if (nf_state_has(r, "map")) {
        return nf_state_get_text(r, "map", &s->map, &s->map_cap);
    }
    code = nf_state_get_u64(r, "", "@sealed", 1, &sealed);
    if (code == 0 && (sealed || nf_step_option(step, NETFEAT_OPT_FEATURE_PORTS) == NETFEAT_PORTS_SERVICES)) {
        code = nf_state_bad(r, "the map is missing");
    }
    return code;
}

const nf_feature_class nf_onehot_class = {
    .id = NETFEAT_FEATURE_ONEHOT,
    .kind = NF_ENCODER,
    .min_inputs = 1,
    .max_inputs = 1,
    .state_bytes = sizeof(nf_onehot),
    .open = open_state,
    .bind = bind,
    .close = close_state,
    .fit = fit,
    .seal = seal,
    .apply = nf_onehot_apply,
    .merge = merge,
    .mapping = mapping,
    .save = save,
    .load = load,
};

int netfeat_feature_onehot(netfeat_ctx *ctx, netfeat_column *col, const netfeat_options *opts,
                           netfeat_table **ret)
{
    return ctx == NULL ? NETFEAT_ERR_ARGUMENT
                       : nf_feature_run(ctx, NETFEAT_FEATURE_ONEHOT, &col, 1, opts, ret);
}
