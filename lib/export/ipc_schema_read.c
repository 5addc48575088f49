#include <string.h>

#include "base/order.h"
#include "export/ipc.h"
#include "export/ipc_schema.h"

#define PAIRS_MAX 1024 /* of one column, or of the table */

int nf_ipc_broken(netfeat_ctx *ctx, const nf_fbr *f, int64_t at)
{
    return nf_error_at(ctx, NETFEAT_ERR_FORMAT, -1, at + (int64_t)f->bad_at, "broken metadata");
}

typedef struct {
    netfeat_ctx *ctx;
    nf_fbr *f;
    int64_t at;
    const char *column;
} reader;

static int pairs_of(const reader *r, const nf_fbr_table *t, int slot, nf_fbr_vector *ret)
{
    *ret = nf_fbr_vec(r->f, t, slot, 4, 4);
    if (ret->count > PAIRS_MAX) {
        return nf_error_at(r->ctx, NETFEAT_ERR_LIMIT, -1, r->at + (int64_t)ret->pos,
                           "%zu pairs of metadata, at most %d", ret->count, PAIRS_MAX);
    }
    return NETFEAT_OK;
}

/* One pair; false when the buffer is broken. */
static bool pair_at(const reader *r, const nf_fbr_vector *v, size_t i, const char **key, size_t *key_size,
                    const char **value, size_t *value_size)
{
    nf_fbr_table t = nf_fbr_vec_table(r->f, v, i);

    *key = nf_fbr_str(r->f, &t, IPC_PAIR_KEY, key_size);
    *value = nf_fbr_str(r->f, &t, IPC_PAIR_VALUE, value_size);
    *key = *key != NULL ? *key : "";
    *value = *value != NULL ? *value : "";
    return !r->f->bad;
}

static const char *type_name(uint64_t kind)
{
    static const char *const names[] = {"none",
                                        "null",
                                        "int",
                                        "float",
                                        "binary",
                                        "utf8",
                                        "bool",
                                        "decimal",
                                        "date",
                                        "time",
                                        "timestamp",
                                        "interval",
                                        "list",
                                        "struct",
                                        "union",
                                        "fixed-size binary",
                                        "fixed-size list",
                                        "map",
                                        "duration",
                                        "large binary",
                                        "large utf8",
                                        "large list",
                                        "run-end encoded",
                                        "binary view",
                                        "utf8 view",
                                        "list view",
                                        "large list view"};

    return kind < sizeof names / sizeof names[0] ? names[kind] : "unknown";
}

static bool read_int(nf_fbr *f, const nf_fbr_table *t, nf_arrow_type *ret)
{
    ret->kind = NF_ARROW_INT;
    ret->bits = (int)nf_fbr_int(f, t, 0, 4, 0);
    ret->is_signed = nf_fbr_uint(f, t, 1, 1, 0) != 0;
    return ret->bits == 8 || ret->bits == 16 || ret->bits == 32 || ret->bits == 64;
}

/* False if it is no type of ours. */
static bool read_type(nf_fbr *f, const nf_fbr_table *t, uint64_t kind, nf_arrow_type *ret)
{
    uint64_t n;

    memset(ret, 0, sizeof *ret);
    switch (kind) {
    case IPC_TYPE_INT:
        return read_int(f, t, ret);
    case IPC_TYPE_FLOAT:
        n = nf_fbr_uint(f, t, 0, 2, 0);
        ret->kind = NF_ARROW_FLOAT;
        ret->bits = n == 1 ? 32 : 64;
        return n == 1 || n == 2;
    case IPC_TYPE_TIMESTAMP:
        n = nf_fbr_uint(f, t, 0, 2, 0);
        ret->kind = NF_ARROW_TIME;
        ret->unit = (int)(n & 3);
        return n <= 3;
    case IPC_TYPE_FIXED:
        ret->kind = NF_ARROW_FIXED;
        ret->width = (int)nf_fbr_int(f, t, 0, 4, 0);
        return nf_arrow_type_target(ret) != 0;
    case IPC_TYPE_BOOL:
        ret->kind = NF_ARROW_BOOL;
        return true;
    case IPC_TYPE_BINARY:
    case IPC_TYPE_LARGE_BINARY:
    case IPC_TYPE_BINARY_VIEW:
        ret->kind = NF_ARROW_BINARY;
        break;
    case IPC_TYPE_UTF8:
    case IPC_TYPE_LARGE_UTF8:
    case IPC_TYPE_UTF8_VIEW:
        ret->kind = NF_ARROW_TEXT;
        break;
    case IPC_TYPE_LIST:
    case IPC_TYPE_LARGE_LIST:
        ret->kind = NF_ARROW_LIST;
        break;
    default:
        return false;
    }
    ret->bits = kind == IPC_TYPE_BINARY || kind == IPC_TYPE_UTF8 || kind == IPC_TYPE_LIST ? 32
                : kind == IPC_TYPE_BINARY_VIEW || kind == IPC_TYPE_UTF8_VIEW              ? 0
                                                                                          : 64;
    return true;
}

static int read_encoding(const reader *r, const nf_fbr_table *t, nf_arrow_field *field)
{
    nf_fbr_table e = nf_fbr_child(r->f, t, IPC_FIELD_DICTIONARY);
    nf_fbr_table index;

    if (e.pos == 0) {
        return NETFEAT_OK;
    }
    field->encoded = true;
    field->dictionary = nf_fbr_int(r->f, &e, IPC_ENCODING_ID, 8, 0);
    index = nf_fbr_child(r->f, &e, IPC_ENCODING_INDEX);
    if (index.pos == 0) { /* the specification's default */
        field->index = (nf_arrow_type){.kind = NF_ARROW_INT, .bits = 32, .is_signed = true};
    } else if (!read_int(r->f, &index, &field->index)) {
        return nf_error_at(r->ctx, NETFEAT_ERR_FORMAT, -1, r->at + (int64_t)index.pos,
                           "column %.200s: dictionary indexes of %d bits", r->column, field->index.bits);
    }
    return NETFEAT_OK;
}

/* Everything but the item of a list; *ret_children counts the children. */
static int read_plain(reader *r, const nf_fbr_table *t, bool is_column, nf_arrow_field *field,
                      nf_fbr_vector *ret_children)
{
    size_t size;
    const char *name = nf_fbr_str(r->f, t, IPC_FIELD_NAME, &size);
    uint64_t kind = nf_fbr_uint(r->f, t, IPC_FIELD_KIND, 1, 0);
    nf_fbr_table type = nf_fbr_child(r->f, t, IPC_FIELD_TYPE);
    nf_fbr_vector pairs;
    int code;

    if (r->f->bad) {
        return nf_ipc_broken(r->ctx, r->f, r->at);
    }
    code = nf_arrow_field_set_name(r->ctx, field, name != NULL ? name : "", size);
    if (code != 0) {
        return code;
    }
    r->column = is_column ? field->name : r->column;
    if (!read_type(r->f, &type, kind, &field->type)) {
        return nf_error_at(r->ctx, NETFEAT_ERR_UNSUPPORTED, -1, r->at + (int64_t)t->pos,
                           "column %.200s: Arrow type %s is not taken", r->column, type_name(kind));
    }
    code = read_encoding(r, t, field);
    *ret_children = nf_fbr_vec(r->f, t, IPC_FIELD_CHILDREN, 4, 4);
    code = code != 0 ? code : pairs_of(r, t, IPC_FIELD_META, &pairs);
    for (size_t i = 0; code == 0 && i < pairs.count; i++) {
        const char *key, *value;
        size_t key_size, value_size;
        if (!pair_at(r, &pairs, i, &key, &key_size, &value, &value_size)) {
            break;
        }
        code = nf_arrow_field_add_meta(r->ctx, field, key, key_size, value, value_size);
    }
    return code == 0 && r->f->bad ? nf_ipc_broken(r->ctx, r->f, r->at) : code;
}

static int read_field(reader *r, const nf_fbr_table *t, nf_arrow_field *field)
{
    nf_fbr_vector children, none;
    nf_fbr_table child;
    int code = read_plain(r, t, true, field, &children);
    bool list = field->type.kind == NF_ARROW_LIST;

    if (code != 0) {
        return code;
    }
    if (children.count != (list ? 1 : 0)) {
        return nf_error_at(r->ctx, NETFEAT_ERR_FORMAT, -1, r->at + (int64_t)t->pos,
                           "column %.200s has %zu children", r->column, children.count);
    }
    if (!list) {
        return NETFEAT_OK;
    }
    if (field->encoded) {
        return nf_error_at(r->ctx, NETFEAT_ERR_UNSUPPORTED, -1, r->at + (int64_t)t->pos,
                           "column %.200s: a dictionary of lists is not taken", r->column);
    }
    field->item = nf_alloc_zero(r->ctx, sizeof *field->item);
    if (field->item == NULL) {
        return nf_ctx_code(r->ctx);
    }
    child = nf_fbr_vec_table(r->f, &children, 0);
    code = read_plain(r, &child, false, field->item, &none);
    if (code == 0 && (field->item->type.kind == NF_ARROW_LIST || none.count != 0)) {
        return nf_error_at(r->ctx, NETFEAT_ERR_UNSUPPORTED, -1, r->at + (int64_t)child.pos,
                           "column %.200s: lists of lists are not taken", r->column);
    }
    return code;
}

static int read_table_pairs(const reader *r, const nf_fbr_table *t, nf_arrow_schema *ret)
{
    nf_fbr_vector pairs;
    int code = pairs_of(r, t, IPC_SCHEMA_META, &pairs);

    for (size_t i = 0; code == 0 && i < pairs.count; i++) {
        const char *key, *value;
        size_t key_size, value_size;
        if (!pair_at(r, &pairs, i, &key, &key_size, &value, &value_size)) {
            break;
        }
        code = nf_arrow_schema_add_meta(ret, key, key_size, value, value_size);
    }
    return code == 0 && r->f->bad ? nf_ipc_broken(r->ctx, r->f, r->at) : code;
}

int nf_ipc_read_schema(netfeat_ctx *ctx, nf_fbr *f, const nf_fbr_table *t, int64_t at, int64_t max_columns,
                       nf_arrow_schema *ret)
{
    reader r = {ctx, f, at, ""};
    nf_fbr_vector fields = nf_fbr_vec(f, t, IPC_SCHEMA_FIELDS, 4, 4);
    int code;

    if (nf_fbr_uint(f, t, IPC_SCHEMA_ENDIAN, 2, 0) != NF_BIG_ENDIAN) {
        return nf_error_at(ctx, NETFEAT_ERR_UNSUPPORTED, -1, at, "%s-endian data",
                           NF_BIG_ENDIAN ? "little" : "big");
    }
    if (f->bad || t->pos == 0) {
        return nf_ipc_broken(ctx, f, at);
    }
    if (fields.count > (size_t)max_columns) {
        return nf_error_at(ctx, NETFEAT_ERR_LIMIT, -1, at, "%zu columns, io.max_columns is %lld",
                           fields.count, (long long)max_columns);
    }
    code = nf_arrow_schema_init(ret, ctx, fields.count);
    for (size_t i = 0; code == 0 && i < fields.count; i++) {
        nf_fbr_table field = nf_fbr_vec_table(f, &fields, i);
        code = read_field(&r, &field, &ret->fields[i]);
    }
    code = code != 0 ? code : read_table_pairs(&r, t, ret);
    if (code != 0) {
        nf_arrow_schema_free(ret);
    }
    return code;
}
