#include <netfeat/options.h>

#include <stdlib.h>
#include <string.h>

#include "base/context.h"
#include "base/ref.h"
#include "base/utf8.h"

#define TEXT_MAX ((size_t)1 << 20)

typedef struct {
    int key;
    int kind;
    const char *name;
    int64_t min, max, value;
    const char *text;
    const char *help;
} option_def;

#define OPTION_INT(suffix, key, name, kind, min, max, value, help)                                           \
    {key, NETFEAT_KIND_##kind, name, min, max, value, NULL, help},
#define OPTION_TEXT(suffix, key, name, text, help) {key, NETFEAT_KIND_TEXT, name, 0, 0, 0, text, help},
static const option_def defs[] = {
#include "base/options.def"
};
#undef OPTION_INT
#undef OPTION_TEXT

/* The place of each in the list. */
#define OPTION_INT(suffix, key, name, kind, min, max, value, help) AT_##suffix,
#define OPTION_TEXT(suffix, key, name, text, help)                 AT_##suffix,
enum {
#include "base/options.def"
    N_DEFS
};
#undef OPTION_INT
#undef OPTION_TEXT

/* The header's constants and the list must agree; a key in only one of them does not compile or fails here.
 */
#define OPTION_INT(suffix, key, name, kind, min, max, value, help)                                           \
    _Static_assert(NETFEAT_OPT_##suffix == (key), "key of " name);
#define OPTION_TEXT(suffix, key, name, text, help)                                                           \
    _Static_assert(NETFEAT_OPT_##suffix == (key), "key of " name);
#include "base/options.def"
#undef OPTION_INT
#undef OPTION_TEXT

typedef struct {
    bool set;
    int64_t number;
    char *text; /* owned */
} option_value;

struct netfeat_options {
    nf_ref refs;
    netfeat_ctx *ctx;
    option_value values[N_DEFS];
};

static int find_key(int key)
{
#define OPTION_INT(suffix, number, name, kind, min, max, value, help)                                        \
    case number:                                                                                             \
        return AT_##suffix;
#define OPTION_TEXT(suffix, number, name, text, help)                                                        \
    case number:                                                                                             \
        return AT_##suffix;
    switch (key) {
#include "base/options.def"
    }
#undef OPTION_INT
#undef OPTION_TEXT
    return -1;
}

static void drop_text(netfeat_options *opts, option_value *v)
{
    if (v->text != NULL) {
        nf_free(opts->ctx, v->text, strlen(v->text) + 1);
        v->text = NULL;
    }
}

int netfeat_options_new(netfeat_ctx *ctx, netfeat_options **ret)
{
    netfeat_options *opts;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "options_new: ret is NULL");
    }
    opts = nf_alloc_zero(ctx, sizeof *opts);
    if (opts == NULL) {
        return nf_ctx_code(ctx);
    }
    nf_ref_init(&opts->refs);
    opts->ctx = netfeat_ctx_ref(ctx);
    *ret = opts;
    return NETFEAT_OK;
}

netfeat_options *netfeat_options_ref(netfeat_options *opts)
{
    if (opts != NULL) {
        nf_ref_get(&opts->refs);
    }
    return opts;
}

netfeat_options *netfeat_options_unref(netfeat_options *opts)
{
    netfeat_ctx *ctx;

    if (opts == NULL || !nf_ref_put(&opts->refs)) {
        return NULL;
    }
    ctx = opts->ctx;
    for (int i = 0; i < N_DEFS; i++) {
        drop_text(opts, &opts->values[i]);
    }
    nf_free(ctx, opts, sizeof *opts);
    netfeat_ctx_unref(ctx);
    return NULL;
}

int netfeat_options_set_int(netfeat_options *opts, int key, int64_t value)
{
    int i = find_key(key);

    if (opts == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (i < 0) {
        return nf_error(opts->ctx, NETFEAT_ERR_NOTFOUND, "no option has the key %d", key);
    }
    if (defs[i].kind == NETFEAT_KIND_TEXT) {
        return nf_error(opts->ctx, NETFEAT_ERR_TYPE, "option %s takes a text", defs[i].name);
    }
    if (value < defs[i].min || value > defs[i].max) {
        return nf_error(opts->ctx, NETFEAT_ERR_RANGE, "option %s takes %lld to %lld, not %lld", defs[i].name,
                        (long long)defs[i].min, (long long)defs[i].max, (long long)value);
    }
    opts->values[i].set = true;
    opts->values[i].number = value;
    return NETFEAT_OK;
}

int netfeat_options_set_text(netfeat_options *opts, int key, const char *utf8)
{
    int i = find_key(key);
    size_t length;
    char *copy;

    if (opts == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (i < 0) {
        return nf_error(opts->ctx, NETFEAT_ERR_NOTFOUND, "no option has the key %d", key);
    }
    if (defs[i].kind != NETFEAT_KIND_TEXT) {
        return nf_error(opts->ctx, NETFEAT_ERR_TYPE, "option %s takes a number", defs[i].name);
    }
    if (utf8 == NULL) {
        return nf_error(opts->ctx, NETFEAT_ERR_ARGUMENT, "option %s: the text is NULL", defs[i].name);
    }
    length = strlen(utf8);
    if (length > TEXT_MAX) {
        return nf_error(opts->ctx, NETFEAT_ERR_LIMIT, "option %s: %zu bytes of text, at most %zu",
                        defs[i].name, length, TEXT_MAX);
    }
    if (!nf_utf8_valid(utf8, length)) {
        return nf_error(opts->ctx, NETFEAT_ERR_ARGUMENT, "option %s: the text is not UTF-8", defs[i].name);
    }
    copy = nf_strndup(opts->ctx, utf8, length);
    if (copy == NULL) {
        return nf_ctx_code(opts->ctx);
    }
    drop_text(opts, &opts->values[i]);
    opts->values[i].set = true;
    opts->values[i].text = copy;
    return NETFEAT_OK;
}

int netfeat_options_get_int(const netfeat_options *opts, int key, int64_t *ret)
{
    int i = find_key(key);

    if (ret == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (i < 0) {
        return NETFEAT_ERR_NOTFOUND;
    }
    if (defs[i].kind == NETFEAT_KIND_TEXT) {
        return NETFEAT_ERR_TYPE;
    }
    *ret = opts != NULL && opts->values[i].set ? opts->values[i].number : defs[i].value;
    return NETFEAT_OK;
}

const char *netfeat_options_get_text(const netfeat_options *opts, int key)
{
    int i = find_key(key);

    if (i < 0 || defs[i].kind != NETFEAT_KIND_TEXT) {
        return NULL;
    }
    return opts != NULL && opts->values[i].set ? opts->values[i].text : defs[i].text;
}

int netfeat_option_next(int key)
{
    int best = 0;

    for (int i = 0; i < N_DEFS; i++) {
        if (defs[i].key > key && (best == 0 || defs[i].key < best)) {
            best = defs[i].key;
        }
    }
    return best;
}

int netfeat_option_by_name(const char *name)
{
    for (int i = 0; name != NULL && i < N_DEFS; i++) {
        if (strcmp(defs[i].name, name) == 0) {
            return defs[i].key;
        }
    }
    return NETFEAT_ERR_NOTFOUND;
}

const char *netfeat_option_name(int key)
{
    int i = find_key(key);
    return i >= 0 ? defs[i].name : NULL;
}

const char *netfeat_option_help(int key)
{
    int i = find_key(key);
    return i >= 0 ? defs[i].help : NULL;
}

int netfeat_option_kind(int key)
{
    int i = find_key(key);
    return i >= 0 ? defs[i].kind : NETFEAT_ERR_NOTFOUND;
}

int netfeat_option_range(int key, int64_t *ret_min, int64_t *ret_max, int64_t *ret_default)
{
    int i = find_key(key);

    if (i < 0) {
        return NETFEAT_ERR_NOTFOUND;
    }
    if (defs[i].kind == NETFEAT_KIND_TEXT) {
        return NETFEAT_ERR_TYPE;
    }
    if (ret_min != NULL) {
        *ret_min = defs[i].min;
    }
    if (ret_max != NULL) {
        *ret_max = defs[i].max;
    }
    if (ret_default != NULL) {
        *ret_default = defs[i].value;
    }
    return NETFEAT_OK;
}
