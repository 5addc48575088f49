/* Distinct values of a column, and columns as text. */
#include <string.h>

#include "base/bitmap.h"
#include "base/hash.h"
#include "base/map.h"
#include "table/builder.h"
#include "table/text.h"

#define AHEAD 16 /* rows that are looked up together */

typedef struct {
    const uint8_t *data;
    size_t size;
} value;

static value value_at(const netfeat_column *col, int64_t row)
{
    size_t width = (size_t)nf_type_width(col->type);
    value v;

    if (width > 0) {
        v.data = col->data + (size_t)row * width;
        v.size = width;
    } else {
        v.data = col->data + col->offsets[row];
        v.size = (size_t)(col->offsets[row + 1] - col->offsets[row]);
    }
    return v;
}

typedef struct {
    netfeat_ctx *ctx;
    nf_map map;
    nf_builder values;
} dictionary;

static value known(const dictionary *d, uint32_t id)
{
    value v;

    if (d->values.width > 0) {
        v.size = (size_t)d->values.width;
        v.data = d->values.data + (size_t)id * v.size;
    } else {
        v.data = d->values.data + d->values.offsets[id];
        v.size = (size_t)(d->values.offsets[id + 1] - d->values.offsets[id]);
    }
    return v;
}

/* Id of a value, new or known. */
static int look_up(dictionary *d, value v, uint64_t hash, uint32_t *ret)
{
    uint64_t pos = nf_map_start(&d->map, hash);
    uint32_t id;
    int code;

    for (; (id = nf_map_next(&d->map, hash, &pos)) != NF_MAP_NONE; pos++) {
        value k = known(d, id);
        if (k.size == v.size && memcmp(k.data, v.data, v.size) == 0) {
            *ret = id;
            return NETFEAT_OK;
        }
    }
    code = nf_map_ready(d->ctx, &d->map);
    if (code == 0) {
        code = nf_builder_add_bytes(&d->values, v.data, v.size);
    }
    if (code == 0) {
        *ret = (uint32_t)(d->values.length - 1);
        nf_map_insert(&d->map, hash, *ret);
    }
    return code;
}

static bool same_value(value a, value b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* Rows first .. first + n - 1, n <= AHEAD: hash all, then look up all, so that the memory that the map touches
   is under way before it is needed. */
static int encode_some(dictionary *d, const netfeat_column *col, int64_t first, int n, uint32_t *restrict ids,
                       uint8_t *validity)
{
    const void *secret = nf_ctx_secret(d->ctx);
    value values[AHEAD];
    uint64_t hashes[AHEAD];
    value last = {NULL, 0};
    uint32_t id = 0;
    int code = NETFEAT_OK;

    for (int k = 0; k < n; k++) {
        if (nf_column_present(col, first + k)) {
            values[k] = value_at(col, first + k);
            hashes[k] = nf_hash(secret, values[k].data, values[k].size);
            nf_map_prefetch(&d->map, hashes[k]);
        }
    }
    for (int k = 0; code == 0 && k < n; k++) {
        int64_t row = first + k;
        if (!nf_column_present(col, row)) {
            ids[row] = 0;
            nf_bitmap_clear(validity, row);
            continue;
        }
        if (last.data == NULL || !same_value(values[k], last)) { /* neighbours are often equal */
            code = look_up(d, values[k], hashes[k], &id);
            last = values[k];
        }
        ids[row] = id;
    }
    return code;
}

static int encode(dictionary *d, const netfeat_column *col, uint32_t *ids, uint8_t *validity)
{
    int code = NETFEAT_OK;

    for (int64_t row = 0; code == 0 && row < col->length; row += AHEAD) {
        int64_t left = col->length - row;
        code = encode_some(d, col, row, left < AHEAD ? (int)left : AHEAD, ids, validity);
    }
    return code;
}

int netfeat_column_dictionary(netfeat_ctx *ctx, netfeat_column *col, netfeat_column **ret_ids,
                              netfeat_column **ret_values)
{
    dictionary d = {.ctx = ctx};
    netfeat_column *ids = NULL;
    uint32_t *id_data;
    uint8_t *validity;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (col == NULL || ret_ids == NULL || ret_values == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "column_dictionary: a pointer is NULL");
    }
    if (col->type == NETFEAT_TYPE_BOOL || col->type == NETFEAT_TYPE_LIST) {
        return nf_error(ctx, NETFEAT_ERR_TYPE, "column_dictionary does not take %s columns",
                        netfeat_type_name(col->type));
    }
    nf_builder_init(&d.values, ctx, nf_type_width(col->type) > 0 ? col->type : NETFEAT_TYPE_BYTES);
    code = nf_column_new(ctx, NETFEAT_TYPE_U32, col->length, "", "", "", &ids, &id_data, &validity);
    if (code == 0) {
        code = encode(&d, col, id_data, validity);
    }
    if (code == 0) {
        nf_column_count_nulls(ids);
        d.values.type = col->type;
        code = nf_builder_finish(&d.values, "", "", "", ret_values);
    }
    if (code == 0) {
        *ret_ids = ids;
        ids = NULL;
    }
    netfeat_column_unref(ids);
    nf_builder_free(&d.values);
    nf_map_free(ctx, &d.map);
    return code;
}

/* Append row `row` of col to b, a TEXT builder, as text of any length. */
static int add_text(nf_builder *b, const netfeat_column *col, int64_t row)
{
    size_t length = 0;
    int code = NETFEAT_OK;

    netfeat_column_get_text(col, row, NULL, 0, &length);
    code = nf_builder_reserve(b, 1, length + 1); /* get_text adds a NUL, which the next row overwrites */
    if (code != 0) {
        return code;
    }
    netfeat_column_get_text(col, row, (char *)b->data + b->data_used, length + 1, NULL);
    return nf_builder_add_reserved(b, length);
}

int netfeat_column_to_text(netfeat_ctx *ctx, netfeat_column *col, netfeat_column **ret)
{
    char text[NF_TEXT_MAX];
    nf_builder b;
    int code = NETFEAT_OK;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (col == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "column_to_text: a pointer is NULL");
    }
    if (col->type == NETFEAT_TYPE_TEXT) {
        *ret = netfeat_column_ref(col);
        return NETFEAT_OK;
    }
    nf_builder_init(&b, ctx, NETFEAT_TYPE_TEXT);
    for (int64_t i = 0; code == 0 && i < col->length; i++) {
        if (!nf_column_present(col, i)) {
            code = nf_builder_add_null(&b);
        } else if (nf_type_has_offsets(col->type)) {
            code = add_text(&b, col, i);
        } else {
            code = nf_builder_add_bytes(&b, text, nf_text_value(text, col, i));
        }
    }
    if (code == 0) {
        code = nf_builder_finish(&b, "", "", "", ret);
    }
    nf_builder_free(&b);
    return code;
}
