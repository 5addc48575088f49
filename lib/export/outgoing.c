#include "export/outgoing.h"

#include <assert.h>
#include <string.h>

#include "base/options.h"

int nf_option_word(netfeat_ctx *ctx, const netfeat_options *opts, int key, const char *const *words)
{
    const char *text = netfeat_options_get_text(opts, key);

    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], text) == 0) {
            return i;
        }
    }
    return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "option %s: unknown word \"%.32s\"", netfeat_option_name(key),
                    text);
}

int64_t nf_option_batch_rows(const netfeat_options *opts, int64_t otherwise)
{
    int64_t rows = nf_option(opts, NETFEAT_OPT_IO_BATCH_ROWS);

    return rows != 0 ? (rows + 7) & ~(int64_t)7 : otherwise;
}

int nf_shape_of(netfeat_ctx *ctx, const netfeat_options *opts, nf_shape *ret)
{
    static const char *const words[] = {"bytes", "text", NULL};
    int word = nf_option_word(ctx, opts, NETFEAT_OPT_IO_ADDRESSES, words);

    if (word < 0) {
        return word;
    }
    ret->address = word == 1 ? NF_ADDRESS_DICTIONARY : NF_ADDRESS_BYTES;
    ret->views = nf_option(opts, NETFEAT_OPT_IO_BINARY_VIEW) != 0;
    return NETFEAT_OK;
}

nf_outgoing *nf_outgoing_ref(nf_outgoing *o)
{
    nf_ref_get(&o->refs);
    return o;
}

nf_outgoing *nf_outgoing_unref(nf_outgoing *o)
{
    netfeat_ctx *ctx;

    if (o == NULL || !nf_ref_put(&o->refs)) {
        return NULL;
    }
    ctx = o->ctx;
    nf_free(ctx, o->views, (size_t)o->col->length * 16);
    nf_free(ctx, o->sizes, o->block_count * sizeof *o->sizes);
    nf_free(ctx, o->blocks, o->block_count * sizeof *o->blocks);
    netfeat_column_unref(o->described);
    netfeat_column_unref(o->col);
    nf_outgoing_unref(o->values); /* one level: dictionaries and lists do not nest */
    nf_outgoing_unref(o->item);
    nf_free(ctx, o, sizeof *o);
    netfeat_ctx_unref(ctx);
    return NULL;
}

static int make(netfeat_ctx *ctx, netfeat_column *col, nf_outgoing **ret)
{
    nf_outgoing *o = nf_alloc_zero(ctx, sizeof *o);

    if (o == NULL) {
        return nf_ctx_code(ctx);
    }
    nf_ref_init(&o->refs);
    o->ctx = netfeat_ctx_ref(ctx);
    o->described = netfeat_column_ref(col);
    o->col = netfeat_column_ref(col);
    *ret = o;
    return NETFEAT_OK;
}

/* ---- addresses as text ---- */

static int encode(nf_outgoing *o)
{
    netfeat_column *ids = NULL;
    netfeat_column *values = NULL;
    netfeat_column *texts = NULL;
    int code = netfeat_column_dictionary(o->ctx, o->col, &ids, &values);

    code = code != 0 ? code : netfeat_column_to_text(o->ctx, values, &texts);
    code = code != 0 ? code : make(o->ctx, texts, &o->values);
    if (code == 0) {
        netfeat_column_unref(o->col);
        o->col = netfeat_column_ref(ids);
    }
    netfeat_column_unref(ids);
    netfeat_column_unref(values);
    netfeat_column_unref(texts);
    return code;
}

static int print(nf_outgoing *o)
{
    netfeat_column *text = NULL;
    int code = netfeat_column_to_text(o->ctx, o->col, &text);

    if (code == 0) {
        netfeat_column_unref(o->col);
        o->col = text;
    }
    return code;
}

static bool is_address(const netfeat_column *col)
{
    return col->type == NETFEAT_TYPE_BYTES16 || col->type == NETFEAT_TYPE_BYTES6;
}

/* ---- views over the bytes that the column has ---- */

/* Cut the bytes at row boundaries into blocks of at most INT32_MAX; blocks NULL: only count them. */
static int cut_blocks(netfeat_ctx *ctx, const netfeat_column *col, nf_block *blocks, size_t *ret_count)
{
    int64_t start = col->offsets[0];
    size_t n = 0;

    for (int64_t i = 0; i < col->length; i++) {
        int64_t size = col->offsets[i + 1] - col->offsets[i];
        if (size > INT32_MAX) {
            return nf_error(ctx, NETFEAT_ERR_LIMIT, "a value of %lld bytes does not fit a view",
                            (long long)size);
        }
        if (col->offsets[i + 1] - start > INT32_MAX) {
            if (blocks != NULL) {
                blocks[n] = (nf_block){col->data + start, col->offsets[i] - start};
            }
            n++;
            start = col->offsets[i];
        }
    }
    if (blocks != NULL) {
        blocks[n] = (nf_block){col->data + start, col->offsets[col->length] - start};
    }
    *ret_count = n + 1;
    return NETFEAT_OK;
}

static void put_view(uint8_t *out, const uint8_t *p, int64_t bytes, size_t block, int64_t offset)
{
    int32_t size = (int32_t)bytes;
    int32_t place[2] = {(int32_t)block, (int32_t)offset};

    memset(out, 0, 16);
    memcpy(out, &size, sizeof size);
    if (size <= 12) {
        memcpy(out + 4, p, (size_t)size);
    } else {
        memcpy(out + 4, p, 4);
        memcpy(out + 8, place, sizeof place);
    }
}

static int make_views(nf_outgoing *o)
{
    const netfeat_column *col = o->col;
    size_t count = 0, block = 0;
    int code = cut_blocks(o->ctx, col, NULL, &count);

    if (code != 0) {
        return code;
    }
    o->blocks = nf_alloc_array(o->ctx, count, sizeof *o->blocks);
    o->sizes = o->blocks != NULL ? nf_alloc_array(o->ctx, count, sizeof *o->sizes) : NULL;
    if (o->sizes == NULL) {
        nf_free(o->ctx, o->blocks, count * sizeof *o->blocks);
        o->blocks = NULL;
        return nf_ctx_code(o->ctx);
    }
    o->block_count = count;
    code = cut_blocks(o->ctx, col, o->blocks, &count);
    for (size_t i = 0; i < count; i++) {
        o->sizes[i] = o->blocks[i].size;
    }
    if (col->length == 0) {
        return code;
    }
    o->views = nf_alloc_array(o->ctx, (size_t)col->length, 16);
    if (o->views == NULL) {
        return nf_ctx_code(o->ctx);
    }
    for (int64_t i = 0; i < col->length; i++) {
        const uint8_t *p = col->data + col->offsets[i];
        int64_t size = col->offsets[i + 1] - col->offsets[i];
        while (p + size > o->blocks[block].p + o->blocks[block].size) {
            block++;
        }
        put_view(o->views + (size_t)i * 16, p, size, block, p - o->blocks[block].p);
    }
    return NETFEAT_OK;
}

int nf_outgoing_new(netfeat_ctx *ctx, netfeat_column *col, const nf_shape *shape, nf_outgoing **ret)
{
    nf_outgoing *o = NULL;
    int code = make(ctx, col, &o);

    if (code != 0) {
        return code;
    }
    if (col->type == NETFEAT_TYPE_LIST) {
        /* no dictionaries in lists: DuckDB takes their indexes for those of the first items */
        nf_shape plain = {shape->address != NF_ADDRESS_BYTES ? NF_ADDRESS_TEXT : NF_ADDRESS_BYTES, false};
        assert(col->child->type != NETFEAT_TYPE_LIST);
        code = nf_outgoing_new(ctx, col->child, &plain, &o->item);
    } else if (is_address(col) && shape->address == NF_ADDRESS_DICTIONARY) {
        code = encode(o);
    } else if (is_address(col) && shape->address == NF_ADDRESS_TEXT) {
        code = print(o);
    } else if (shape->views && col->type == NETFEAT_TYPE_BYTES) {
        code = make_views(o);
    }
    if (code != 0) {
        nf_outgoing_unref(o);
        return code;
    }
    *ret = o;
    return NETFEAT_OK;
}

int nf_outgoing_list_make(netfeat_ctx *ctx, const netfeat_table *tab, const nf_shape *shape,
                          nf_outgoing_list *ret)
{
    int code = NETFEAT_OK;

    memset(ret, 0, sizeof *ret);
    ret->ctx = ctx;
    if (tab->width > 0) {
        ret->cols = nf_alloc_zero(ctx, (size_t)tab->width * sizeof *ret->cols);
        if (ret->cols == NULL) {
            return nf_ctx_code(ctx);
        }
        ret->count = (size_t)tab->width;
    }
    for (size_t i = 0; code == 0 && i < ret->count; i++) {
        code = nf_outgoing_new(ctx, tab->cols[i], shape, &ret->cols[i]);
    }
    if (code != 0) {
        nf_outgoing_list_free(ret);
    }
    return code;
}

void nf_outgoing_list_free(nf_outgoing_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        nf_outgoing_unref(list->cols[i]);
    }
    nf_free(list->ctx, list->cols, list->count * sizeof *list->cols);
    memset(list, 0, sizeof *list);
}
