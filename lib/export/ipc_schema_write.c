#include <string.h>

#include "base/order.h"
#include "export/ipc.h"
#include "export/ipc_schema.h"

static void put_pairs(nf_fb *f, size_t from, const nf_pair *pairs, size_t n)
{
    static const uint8_t sizes[] = {4, 4};
    size_t refs = nf_fb_vector(f, from, n, 4, 4);

    for (size_t i = 0; i < n; i++) {
        size_t t = nf_fb_table(f, refs + 4 * i, sizes, 2);
        nf_fb_string(f, nf_fb_field(f, t, IPC_PAIR_KEY), pairs[i].key);
        nf_fb_string(f, nf_fb_field(f, t, IPC_PAIR_VALUE), pairs[i].value);
    }
}

static void put_int(nf_fb *f, size_t from, int bits, bool is_signed)
{
    static const uint8_t sizes[] = {4, 1};
    size_t t = nf_fb_table(f, from, sizes, 2);

    nf_fb_set(f, t, 0, (uint64_t)bits, 4);
    nf_fb_set(f, t, 1, is_signed, 1);
}

/* The table that describes a type; returns its kind. */
static int put_type(nf_fb *f, size_t from, int type)
{
    static const uint8_t half[] = {2};
    static const uint8_t whole[] = {4};
    nf_arrow_type a = nf_arrow_type_of(type);

    switch (a.kind) {
    case NF_ARROW_INT:
        put_int(f, from, a.bits, a.is_signed);
        return IPC_TYPE_INT;
    case NF_ARROW_FLOAT:
        nf_fb_set(f, nf_fb_table(f, from, half, 1), 0, 2, 2);
        return IPC_TYPE_FLOAT;
    case NF_ARROW_TIME:
        nf_fb_set(f, nf_fb_table(f, from, half, 1), 0, (uint64_t)a.unit, 2);
        return IPC_TYPE_TIMESTAMP;
    case NF_ARROW_FIXED:
        nf_fb_set(f, nf_fb_table(f, from, whole, 1), 0, (uint64_t)a.width, 4);
        return IPC_TYPE_FIXED;
    default:
        nf_fb_table(f, from, NULL, 0);
        return a.kind == NF_ARROW_BOOL     ? IPC_TYPE_BOOL
               : a.kind == NF_ARROW_TEXT   ? IPC_TYPE_LARGE_UTF8
               : a.kind == NF_ARROW_BINARY ? IPC_TYPE_LARGE_BINARY
                                           : IPC_TYPE_LARGE_LIST;
    }
}

static void put_field(nf_fb *f, size_t from, const nf_outgoing *o, const char *name, int64_t id)
{
    static const uint8_t encoding_sizes[] = {8, 4};
    uint8_t sizes[] = {4, 1, 1, 4, o->values != NULL ? 4 : 0, 4, 4};
    nf_pair pairs[NF_COLUMN_META];
    size_t n = nf_column_meta(o->described, pairs);
    size_t t = nf_fb_table(f, from, sizes, 7);
    size_t children;
    int kind;

    nf_fb_string(f, nf_fb_field(f, t, IPC_FIELD_NAME), name);
    nf_fb_set(f, t, IPC_FIELD_NULLABLE, 1, 1);
    kind = put_type(f, nf_fb_field(f, t, IPC_FIELD_TYPE),
                    o->values != NULL ? o->values->col->type : o->col->type);
    nf_fb_set(f, t, IPC_FIELD_KIND, (uint64_t)kind, 1);
    if (o->values != NULL) {
        size_t e = nf_fb_table(f, nf_fb_field(f, t, IPC_FIELD_DICTIONARY), encoding_sizes, 2);
        nf_fb_set(f, e, IPC_ENCODING_ID, (uint64_t)id, 8);
        put_int(f, nf_fb_field(f, e, IPC_ENCODING_INDEX), 32, false);
    }
    /* readers expect the vector of children even when it is empty */
    children = nf_fb_vector(f, nf_fb_field(f, t, IPC_FIELD_CHILDREN), o->item != NULL, 4, 4);
    if (o->item != NULL) {
        put_field(f, children, o->item, "item", id + 1); /* one level: lists do not nest */
    }
    put_pairs(f, nf_fb_field(f, t, IPC_FIELD_META), pairs, n);
}

void nf_ipc_put_schema(nf_fb *f, size_t from, const netfeat_table *tab, const nf_outgoing_list *cols,
                       const nf_table_pairs *pairs)
{
    static const uint8_t sizes[] = {2, 4, 4};
    size_t t = nf_fb_table(f, from, sizes, 3);
    size_t refs = nf_fb_vector(f, nf_fb_field(f, t, IPC_SCHEMA_FIELDS), cols->count, 4, 4);

    nf_fb_set(f, t, IPC_SCHEMA_ENDIAN, NF_BIG_ENDIAN, 2); /* values are as they lie in memory */
    for (size_t i = 0; i < cols->count; i++) {
        put_field(f, refs + 4 * i, cols->cols[i], tab->names[i], 2 * (int64_t)i);
    }
    put_pairs(f, nf_fb_field(f, t, IPC_SCHEMA_META), pairs->pairs, pairs->count);
}
