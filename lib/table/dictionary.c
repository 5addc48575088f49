/* Distinct values of a column, and columns as text. */
#include <string.h>

#include "base/bitmap.h"
#include "base/probe.h"
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
    code = nf_map_ready_sparse(d->ctx, &d->map);
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

/* The same for addresses none of which is missing, n <= NF_PROBE_LANES. */
static int encode_addresses(dictionary *d, const uint8_t *data, int n, uint32_t *restrict ids,
                            uint64_t *hashes)
{
    uint64_t left = ~UINT64_C(0) >> (NF_PROBE_LANES - n);
    int code = NETFEAT_OK;

    nf_probe_hash(&d->map, nf_ctx_secret(d->ctx), data, n, 16, hashes);
    if (d->map.count > 0) {
        left = nf_probe_find(&d->map, d->values.data, data, n, 16, hashes, ids);
    }
    for (; code == 0 && left != 0; left &= left - 1) {
        int i = __builtin_ctzll(left);
        value v = {data + (size_t)i * 16, 16};
        code = look_up(d, v, hashes[i], &ids[i]);
    }
    return code;
}

static int encode(dictionary *d, const netfeat_column *col, uint32_t *ids, uint8_t *validity)
{
    bool addresses = col->type == NETFEAT_TYPE_BYTES16 && col->nulls == 0;
    int step = addresses ? NF_PROBE_LANES : AHEAD;
    uint64_t hashes[NF_PROBE_LANES];
    int code = NETFEAT_OK;

    for (int64_t row = 0; code == 0 && row < col->length; row += step) {
        int n = col->length - row < step ? (int)(col->length - row) : step;
        code = addresses ? encode_addresses(d, col->data + (size_t)row * 16, n, ids + row, hashes)
                         : encode_some(d, col, row, n, ids, validity);
    }
    return code;
}

/* Numbers of the values, and the values in d->values. */
static int make_codes(dictionary *d, const netfeat_column *col, netfeat_column **ret)
{
    netfeat_column *ids = NULL;
    uint32_t *data;
    uint8_t *validity;
    int code = nf_column_new(d->ctx, NETFEAT_TYPE_U32, col->length, "", "", "", &ids, &data, &validity);

    nf_builder_init(&d->values, d->ctx, nf_type_width(col->type) > 0 ? col->type : NETFEAT_TYPE_BYTES);
    code = code != 0 ? code : encode(d, col, data, validity);
    if (code != 0) {
        netfeat_column_unref(ids);
        return code;
    }
    nf_column_count_nulls(ids);
    *ret = ids;
    return NETFEAT_OK;
}

static void free_dictionary(dictionary *d)
{
    nf_builder_free(&d->values);
    nf_map_free(d->ctx, &d->map);
}

/* Keep the numbers with their column, unless somebody was faster: then his are taken. */
static netfeat_column *keep_codes(netfeat_column *col, netfeat_column *ids)
{
    netfeat_column *kept = NULL;

    if (atomic_compare_exchange_strong_explicit(&col->codes, &kept, ids, memory_order_acq_rel,
                                                memory_order_acquire)) {
        return netfeat_column_ref(ids);
    }
    netfeat_column_unref(ids);
    return netfeat_column_ref(kept);
}

int nf_column_codes(netfeat_column *col, netfeat_column **ret)
{
    netfeat_column *ids = nf_column_kept_codes(col);
    dictionary d = {.ctx = col->ctx};
    int code;

    if (ids != NULL) {
        *ret = netfeat_column_ref(ids);
        return NETFEAT_OK;
    }
    code = make_codes(&d, col, &ids);
    if (code == 0) {
        *ret = keep_codes(col, ids);
    }
    free_dictionary(&d);
    return code;
}

/* The values that belong to numbers made before: each is where its number appears first. */
static int values_of_codes(const netfeat_column *col, const netfeat_column *ids, nf_builder *values)
{
    const uint32_t *data = (const uint32_t *)(const void *)ids->data;
    int code = NETFEAT_OK;

    for (int64_t row = 0; code == 0 && row < col->length; row++) {
        if (data[row] == (uint32_t)values->length && nf_column_present(ids, row)) {
            value v = value_at(col, row);
            code = nf_builder_add_bytes(values, v.data, v.size);
        }
    }
    return code;
}

int netfeat_column_dictionary(netfeat_ctx *ctx, netfeat_column *col, netfeat_column **ret_ids,
                              netfeat_column **ret_values)
{
    dictionary d = {.ctx = ctx};
    netfeat_column *ids = NULL;
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
    ids = netfeat_column_ref(nf_column_kept_codes(col));
    if (ids != NULL) {
        nf_builder_init(&d.values, ctx, nf_type_width(col->type) > 0 ? col->type : NETFEAT_TYPE_BYTES);
        code = values_of_codes(col, ids, &d.values);
    } else {
        code = make_codes(&d, col, &ids);
    }
    if (code == 0) {
        d.values.type = col->type;
        code = nf_builder_finish(&d.values, "", "", "", ret_values);
    }
    if (code == 0) {
        *ret_ids = ids;
        ids = NULL;
    }
    netfeat_column_unref(ids);
    free_dictionary(&d);
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
