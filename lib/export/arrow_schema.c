/* ArrowSchema structs: written for our tables, read from others. */
#include <errno.h>
#include <string.h>

#include "export/arrow_c.h"

/* ---- export ---- */

typedef struct {
    netfeat_ctx *ctx; /* counted reference */
    size_t size;
    size_t children;
    struct ArrowSchema *child_structs;
    struct ArrowSchema **child_pointers;
    struct ArrowSchema *dictionary;
} schema_block;

static void release_schema(struct ArrowSchema *s)
{
    schema_block *b = s->private_data;
    netfeat_ctx *ctx = b->ctx;

    for (size_t i = 0; i < b->children; i++) {
        netfeat_arrow_schema_release(b->child_pointers[i]);
    }
    netfeat_arrow_schema_release(b->dictionary);
    s->release = NULL;
    nf_free(ctx, b, b->size);
    netfeat_ctx_unref(ctx);
}

static size_t pairs_size(const nf_pair *pairs, size_t n)
{
    size_t size = sizeof(int32_t);

    for (size_t i = 0; i < n; i++) {
        size += 2 * sizeof(int32_t) + strlen(pairs[i].key) + strlen(pairs[i].value);
    }
    return size;
}

static char *put_text(char *out, const char *text)
{
    int32_t n = (int32_t)strlen(text);

    memcpy(out, &n, sizeof n);
    memcpy(out + sizeof n, text, (size_t)n);
    return out + sizeof n + n;
}

static void put_pairs(char *out, const nf_pair *pairs, size_t n)
{
    int32_t count = (int32_t)n;

    memcpy(out, &count, sizeof count);
    out += sizeof count;
    for (size_t i = 0; i < n; i++) {
        out = put_text(put_text(out, pairs[i].key), pairs[i].value);
    }
}

/* One struct with everything it owns in a single block; the children are empty. */
static int make_schema(netfeat_ctx *ctx, const char *format, const char *name, const nf_pair *pairs,
                       size_t n_pairs, size_t children, bool encoded, struct ArrowSchema *out)
{
    size_t structs = children + (encoded ? 1 : 0);
    size_t meta = n_pairs > 0 ? pairs_size(pairs, n_pairs) : 0;
    size_t size =
        sizeof(schema_block) + structs * sizeof *out + children * sizeof out + meta + strlen(name) + 1;
    schema_block *b = nf_alloc_quiet(ctx, size);
    char *text;

    if (b == NULL) {
        return ENOMEM;
    }
    memset(b, 0, size);
    b->ctx = netfeat_ctx_ref(ctx);
    b->size = size;
    b->children = children;
    b->child_structs = (struct ArrowSchema *)(void *)(b + 1);
    b->child_pointers = (struct ArrowSchema **)(void *)(b->child_structs + structs);
    b->dictionary = encoded ? b->child_structs + children : NULL;
    text = (char *)(b->child_pointers + children);
    for (size_t i = 0; i < children; i++) {
        b->child_pointers[i] = &b->child_structs[i];
    }
    memset(out, 0, sizeof *out);
    if (n_pairs > 0) {
        put_pairs(text, pairs, n_pairs);
        out->metadata = text;
        text += meta;
    }
    memcpy(text, name, strlen(name) + 1);
    out->format = format;
    out->name = text;
    out->flags = ARROW_FLAG_NULLABLE;
    out->n_children = (int64_t)children;
    out->children = children > 0 ? b->child_pointers : NULL;
    out->dictionary = b->dictionary;
    out->release = release_schema;
    out->private_data = b;
    return 0;
}

int nf_arrow_schema_of_column(const nf_outgoing *o, const char *name, struct ArrowSchema *out)
{
    nf_pair pairs[NF_COLUMN_META];
    size_t n = nf_column_meta(o->described, pairs);
    const char *format = o->blocks != NULL ? "vz" : nf_arrow_format(o->col->type);
    int error = make_schema(o->ctx, format, name, pairs, n, o->item != NULL, o->values != NULL, out);

    if (error == 0 && o->item != NULL) {
        error = nf_arrow_schema_of_column(o->item, "item", out->children[0]);
    }
    if (error == 0 && o->values != NULL) {
        error = make_schema(o->ctx, nf_arrow_format(o->values->col->type), "", NULL, 0, 0, false,
                            out->dictionary);
    }
    if (error != 0) {
        netfeat_arrow_schema_release(out);
    }
    return error;
}

int nf_arrow_schema_of_table(const netfeat_table *tab, const nf_outgoing_list *cols,
                             const nf_table_pairs *pairs, struct ArrowSchema *out)
{
    int error = make_schema(tab->ctx, "+s", "", pairs->pairs, pairs->count, cols->count, false, out);

    if (error != 0) {
        return error;
    }
    out->flags = 0; /* a row of the table is never NULL as a whole */
    for (size_t i = 0; error == 0 && i < cols->count; i++) {
        error = nf_arrow_schema_of_column(cols->cols[i], tab->names[i], out->children[i]);
    }
    if (error != 0) {
        netfeat_arrow_schema_release(out);
    }
    return error;
}

/* ---- import ---- */

typedef int (*pair_fn)(void *user, const void *key, size_t key_size, const void *value, size_t value_size);

#define PAIRS_MAX 4096

/* The producer's word is all there is for the size of the block; the counts in it must not be negative. */
static int walk_pairs(netfeat_ctx *ctx, const char *p, pair_fn fn, void *user)
{
    int32_t count, size[2];
    const char *text[2];
    int code = NETFEAT_OK;

    if (p == NULL) {
        return NETFEAT_OK;
    }
    memcpy(&count, p, sizeof count);
    p += sizeof count;
    if (count < 0 || count > PAIRS_MAX) {
        return nf_error(ctx, NETFEAT_ERR_FORMAT, "%d pairs of metadata", (int)count);
    }
    for (int32_t i = 0; code == 0 && i < count; i++) {
        for (int k = 0; k < 2; k++) {
            memcpy(&size[k], p, sizeof size[k]);
            if (size[k] < 0) {
                return nf_error(ctx, NETFEAT_ERR_FORMAT, "metadata of a negative length");
            }
            text[k] = p + sizeof size[k];
            p = text[k] + size[k];
        }
        code = fn(user, text[0], (size_t)size[0], text[1], (size_t)size[1]);
    }
    return code;
}

typedef struct {
    netfeat_ctx *ctx;
    nf_arrow_field *field;
} field_ref;

static int add_field_pair(void *user, const void *key, size_t key_size, const void *value, size_t value_size)
{
    field_ref *r = user;
    return nf_arrow_field_add_meta(r->ctx, r->field, key, key_size, value, value_size);
}

static int add_table_pair(void *user, const void *key, size_t key_size, const void *value, size_t value_size)
{
    return nf_arrow_schema_add_meta(user, key, key_size, value, value_size);
}

static int unsupported(netfeat_ctx *ctx, const char *name, const char *format)
{
    return nf_error(ctx, NETFEAT_ERR_UNSUPPORTED, "column %.200s: Arrow type \"%.64s\" is not taken", name,
                    format);
}

/* Everything but the list's item. */
static int read_plain(netfeat_ctx *ctx, const struct ArrowSchema *s, const char *column, nf_arrow_field *f)
{
    const char *name = s->name != NULL ? s->name : "";
    field_ref r = {ctx, f};
    int code = nf_arrow_field_set_name(ctx, f, name, strlen(name));

    if (code != 0) {
        return code;
    }
    if (s->format == NULL || s->n_children < 0 || (s->n_children > 0 && s->children == NULL)) {
        return nf_error(ctx, NETFEAT_ERR_FORMAT, "column %.200s: an impossible schema", column);
    }
    f->encoded = s->dictionary != NULL;
    if (!nf_arrow_format_parse(s->format, f->encoded ? &f->index : &f->type)) {
        return unsupported(ctx, column, s->format);
    }
    if (f->encoded) {
        const char *format = s->dictionary->format;
        if (f->index.kind != NF_ARROW_INT) {
            return nf_error(ctx, NETFEAT_ERR_FORMAT, "column %.200s: dictionary indexes of type \"%.64s\"",
                            column, s->format);
        }
        if (format == NULL || s->dictionary->dictionary != NULL || !nf_arrow_format_parse(format, &f->type) ||
            f->type.kind == NF_ARROW_LIST) {
            return unsupported(ctx, column, format != NULL ? format : "");
        }
    }
    return walk_pairs(ctx, s->metadata, add_field_pair, &r);
}

int nf_arrow_field_read(netfeat_ctx *ctx, const struct ArrowSchema *s, nf_arrow_field *f)
{
    const char *column = s->name != NULL ? s->name : "";
    int code = read_plain(ctx, s, column, f);

    if (code != 0 || f->type.kind != NF_ARROW_LIST) {
        return code;
    }
    if (s->n_children != 1 || s->children[0] == NULL) {
        return nf_error(ctx, NETFEAT_ERR_FORMAT, "column %.200s: a list without one child", column);
    }
    f->item = nf_alloc_zero(ctx, sizeof *f->item);
    if (f->item == NULL) {
        return nf_ctx_code(ctx);
    }
    code = read_plain(ctx, s->children[0], column, f->item);
    if (code == 0 && f->item->type.kind == NF_ARROW_LIST) {
        return unsupported(ctx, column, "list of lists");
    }
    return code;
}

int nf_arrow_schema_read(netfeat_ctx *ctx, const struct ArrowSchema *s, int64_t max_columns,
                         nf_arrow_schema *ret)
{
    int code = NETFEAT_OK;

    if (s->format == NULL || strcmp(s->format, "+s") != 0 || s->dictionary != NULL) {
        return nf_error(ctx, NETFEAT_ERR_UNSUPPORTED, "a table is a struct (\"+s\"), not \"%.64s\"",
                        s->format != NULL ? s->format : "");
    }
    if (s->n_children < 0 || (s->n_children > 0 && s->children == NULL)) {
        return nf_error(ctx, NETFEAT_ERR_FORMAT, "an impossible schema");
    }
    if (s->n_children > max_columns) {
        return nf_error(ctx, NETFEAT_ERR_LIMIT, "%lld columns, io.max_columns is %lld",
                        (long long)s->n_children, (long long)max_columns);
    }
    code = nf_arrow_schema_init(ret, ctx, (size_t)s->n_children);
    for (size_t i = 0; code == 0 && i < ret->count; i++) {
        code = s->children[i] != NULL ? nf_arrow_field_read(ctx, s->children[i], &ret->fields[i])
                                      : nf_error(ctx, NETFEAT_ERR_FORMAT, "an impossible schema");
    }
    code = code != 0 ? code : walk_pairs(ctx, s->metadata, add_table_pair, ret);
    if (code != 0) {
        nf_arrow_schema_free(ret);
    }
    return code;
}
