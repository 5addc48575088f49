/* Fields and schemas with their metadata: what is read of it, what is written. */
#include <string.h>

#include <netfeat/version.h>

#include "base/utf8.h"
#include "export/arrow_type.h"

#define META_VALUE_MAX ((size_t)1 << 20)
#define META_PAIRS_MAX 256

static const char prefix[] = "netfeat.";
#define PREFIX_SIZE (sizeof prefix - 1)

static void free_text(netfeat_ctx *ctx, char *text)
{
    if (text != NULL) {
        nf_free(ctx, text, strlen(text) + 1);
    }
}

static void free_field(netfeat_ctx *ctx, nf_arrow_field *f)
{
    free_text(ctx, f->name);
    free_text(ctx, f->unit);
    free_text(ctx, f->definition);
    free_text(ctx, f->null_rule);
}

int nf_arrow_schema_init(nf_arrow_schema *s, netfeat_ctx *ctx, size_t count)
{
    memset(s, 0, sizeof *s);
    s->ctx = ctx;
    if (count > 0) {
        s->fields = nf_alloc_zero(ctx, count * sizeof *s->fields);
        if (s->fields == NULL) {
            return nf_ctx_code(ctx);
        }
    }
    s->count = count;
    return NETFEAT_OK;
}

void nf_arrow_schema_free(nf_arrow_schema *s)
{
    for (size_t i = 0; i < s->count; i++) {
        nf_arrow_field *item = s->fields[i].item;
        if (item != NULL) {
            free_field(s->ctx, item);
            nf_free(s->ctx, item, sizeof *item);
        }
        free_field(s->ctx, &s->fields[i]);
    }
    nf_free(s->ctx, s->fields, s->count * sizeof *s->fields);
    for (size_t i = 0; i < s->meta_count; i++) {
        free_text(s->ctx, s->meta[i].key);
        free_text(s->ctx, s->meta[i].value);
    }
    nf_free(s->ctx, s->meta, s->meta_cap * sizeof *s->meta);
    memset(s, 0, sizeof *s);
}

/* Copy of a text from outside, as a C string. */
static int copy_text(netfeat_ctx *ctx, const void *text, size_t size, const char *what, char **ret)
{
    if (size > META_VALUE_MAX) {
        return nf_error(ctx, NETFEAT_ERR_LIMIT, "%s of %zu bytes, at most %zu", what, size, META_VALUE_MAX);
    }
    if (!nf_utf8_valid(text, size) || (size > 0 && memchr(text, 0, size) != NULL)) {
        return nf_error(ctx, NETFEAT_ERR_FORMAT, "%s is not UTF-8 text", what);
    }
    *ret = nf_strndup(ctx, size > 0 ? text : "", size);
    return *ret != NULL ? NETFEAT_OK : nf_ctx_code(ctx);
}

int nf_arrow_field_set_name(netfeat_ctx *ctx, nf_arrow_field *f, const void *name, size_t size)
{
    return copy_text(ctx, name, size, "a column name", &f->name);
}

static bool is_key(const void *key, size_t size, const char *name)
{
    return size == strlen(name) && memcmp(key, name, size) == 0;
}

int nf_arrow_field_add_meta(netfeat_ctx *ctx, nf_arrow_field *f, const void *key, size_t key_size,
                            const void *value, size_t value_size)
{
    char **slot;

    if (is_key(key, key_size, "netfeat.unit")) {
        slot = &f->unit;
    } else if (is_key(key, key_size, "netfeat.definition")) {
        slot = &f->definition;
    } else if (is_key(key, key_size, "netfeat.null_rule")) {
        slot = &f->null_rule;
    } else {
        return NETFEAT_OK;
    }
    free_text(ctx, *slot);
    *slot = NULL;
    return copy_text(ctx, value, value_size, "metadata of a column", slot);
}

int nf_arrow_schema_add_meta(nf_arrow_schema *s, const void *key, size_t key_size, const void *value,
                             size_t value_size)
{
    void *list = s->meta;
    nf_meta *m;
    int code;

    if (key_size <= PREFIX_SIZE || memcmp(key, prefix, PREFIX_SIZE) != 0) {
        return NETFEAT_OK;
    }
    if (s->meta_count == META_PAIRS_MAX) {
        return nf_error(s->ctx, NETFEAT_ERR_LIMIT, "more than %d pairs of metadata", META_PAIRS_MAX);
    }
    code = nf_grow(s->ctx, &list, &s->meta_cap, s->meta_count + 1, sizeof *s->meta);
    s->meta = list;
    if (code != 0) {
        return code;
    }
    m = &s->meta[s->meta_count];
    memset(m, 0, sizeof *m);
    s->meta_count++;
    code = copy_text(s->ctx, key, key_size, "a key of metadata", &m->key);
    return code != 0 ? code : copy_text(s->ctx, value, value_size, "metadata of the table", &m->value);
}

/* ---- what is written ---- */

size_t nf_column_meta(const netfeat_column *col, nf_pair pairs[NF_COLUMN_META])
{
    size_t n = 0;

    pairs[n++] = (nf_pair){"netfeat.type", netfeat_type_name(col->type)};
    if (col->unit[0] != '\0') {
        pairs[n++] = (nf_pair){"netfeat.unit", col->unit};
    }
    if (col->definition[0] != '\0') {
        pairs[n++] = (nf_pair){"netfeat.definition", col->definition};
    }
    if (col->null_rule[0] != '\0') {
        pairs[n++] = (nf_pair){"netfeat.null_rule", col->null_rule};
    }
    return n;
}

/* Is this definition that of an earlier column? */
static bool seen_before(const netfeat_table *tab, int index)
{
    for (int i = 0; i < index; i++) {
        if (strcmp(tab->cols[i]->definition, tab->cols[index]->definition) == 0) {
            return true;
        }
    }
    return false;
}

/* The distinct definitions of the columns, one a line. */
static int join_definitions(nf_table_pairs *p, const netfeat_table *tab)
{
    size_t size = 1;
    char *out;

    for (int i = 0; i < tab->width; i++) {
        size += strlen(tab->cols[i]->definition) + 1;
    }
    p->definitions = nf_alloc(p->ctx, size);
    if (p->definitions == NULL) {
        return nf_ctx_code(p->ctx);
    }
    p->definitions_size = size;
    out = p->definitions;
    for (int i = 0; i < tab->width; i++) {
        size_t n = strlen(tab->cols[i]->definition);
        if (n > 0 && !seen_before(tab, i)) {
            if (out > p->definitions) {
                *out++ = '\n';
            }
            memcpy(out, tab->cols[i]->definition, n);
            out += n;
        }
    }
    *out = '\0';
    return NETFEAT_OK;
}

int nf_table_pairs_make(netfeat_ctx *ctx, const netfeat_table *tab, nf_table_pairs *ret)
{
    int code;

    memset(ret, 0, sizeof *ret);
    ret->ctx = ctx;
    code = join_definitions(ret, tab);
    if (code == 0) {
        ret->cap = tab->meta_count + 3;
        ret->pairs = nf_alloc_array(ctx, ret->cap, sizeof *ret->pairs);
        code = ret->pairs != NULL ? NETFEAT_OK : nf_ctx_code(ctx);
    }
    if (code != 0) {
        nf_table_pairs_free(ret);
        return code;
    }
    ret->pairs[ret->count++] = (nf_pair){"netfeat.kind", netfeat_table_kind(tab)};
    ret->pairs[ret->count++] = (nf_pair){"netfeat.version", netfeat_version_string()};
    ret->pairs[ret->count++] = (nf_pair){"netfeat.definitions", ret->definitions};
    for (size_t i = 0; i < tab->meta_count; i++) {
        const nf_meta *m = &tab->meta[i];
        if (strcmp(m->key, "netfeat.kind") != 0 && strcmp(m->key, "netfeat.version") != 0 &&
            strcmp(m->key, "netfeat.definitions") != 0) {
            ret->pairs[ret->count++] = (nf_pair){m->key, m->value};
        }
    }
    return NETFEAT_OK;
}

void nf_table_pairs_free(nf_table_pairs *p)
{
    nf_free(p->ctx, p->pairs, p->cap * sizeof *p->pairs);
    nf_free(p->ctx, p->definitions, p->definitions_size);
    memset(p, 0, sizeof *p);
}
