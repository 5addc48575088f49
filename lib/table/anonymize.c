/* A table for others: addresses become pseudonyms, what is free text or bytes is left out. */
#include <string.h>

#include "base/options.h"
#include "table/pseudonym.h"
#include "table/table.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void replace(const nf_pseudonyms *ps, int type, uint8_t *value)
{
    if (type == NETFEAT_TYPE_BYTES6) {
        nf_pseudonym_mac(ps, value);
    } else if (memcmp(value, mapped_prefix, sizeof mapped_prefix) == 0) {
        nf_pseudonym_address(ps, value + sizeof mapped_prefix, 4);
    } else {
        nf_pseudonym_address(ps, value, 16);
    }
}

/* Every row's value out of the distinct ones, whose pseudonyms are made once. NULL rows hold zeros. */
static void fill(const nf_pseudonyms *ps, const netfeat_column *ids, const netfeat_column *values,
                 uint8_t *work, uint8_t *out)
{
    size_t width = (size_t)nf_type_width(values->type);

    if (values->length > 0) {
        memcpy(work, values->data, (size_t)values->length * width);
    }
    for (int64_t i = 0; i < values->length; i++) {
        replace(ps, values->type, work + (size_t)i * width);
    }
    for (int64_t row = 0; row < ids->length; row++) {
        uint32_t id;
        memcpy(&id, ids->data + (size_t)row * sizeof id, sizeof id);
        if (nf_column_present(ids, row)) {
            memcpy(out + (size_t)row * width, work + (size_t)id * width, width);
        } else {
            memset(out + (size_t)row * width, 0, width);
        }
    }
}

/* col with pseudonyms, described as it is. */
static int replaced_column(netfeat_ctx *ctx, const nf_pseudonyms *ps, netfeat_column *col,
                           netfeat_column **ret)
{
    size_t width = (size_t)nf_type_width(col->type);
    netfeat_column *ids = NULL, *values = NULL;
    nf_column_parts parts = {.type = col->type, .length = col->length, .nulls = col->nulls};
    nf_buffer *work = NULL;
    int code = netfeat_column_dictionary(ctx, col, &ids, &values);

    if (code == 0) {
        code = nf_buffer_new(ctx, (size_t)values->length * width, &work);
    }
    if (code == 0) {
        code = nf_buffer_new(ctx, (size_t)col->length * width, &parts.data_buf);
    }
    if (code == 0) {
        fill(ps, ids, values, work->data, parts.data_buf->data);
        parts.data = parts.data_buf->data;
        parts.validity = col->validity;
        parts.validity_buf = nf_buffer_ref(col->validity_buf);
        parts.text_buf = nf_buffer_ref(col->text_buf);
        parts.unit = col->unit;
        parts.definition = col->definition;
        parts.null_rule = col->null_rule;
        code = nf_column_make(ctx, &parts, ret);
    }
    nf_buffer_unref(work);
    netfeat_column_unref(ids);
    netfeat_column_unref(values);
    return code;
}

static int check(netfeat_ctx *ctx, const netfeat_table *tab, const void *key, size_t key_bytes,
                 netfeat_table **ret)
{
    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (tab == NULL || key == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "table_anonymize: a pointer is NULL");
    }
    if (key_bytes != NF_PSEUDONYM_KEY) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "table_anonymize: a key of %zu bytes, not %d", key_bytes,
                        NF_PSEUDONYM_KEY);
    }
    return nf_table_check_sealed(ctx, tab, "table_anonymize");
}

static int columns(netfeat_ctx *ctx, const netfeat_table *tab, const nf_pseudonyms *ps, bool keep,
                   netfeat_table *out)
{
    int code = NETFEAT_OK, n = 0;

    for (int i = 0; code == 0 && i < tab->width; i++) {
        netfeat_column *col = tab->cols[i];
        if (nf_type_has_offsets(col->type) && !keep) {
            continue;
        }
        code = nf_table_set_name(out, n, tab->names[i]);
        if (code == 0 && (col->type == NETFEAT_TYPE_BYTES16 || col->type == NETFEAT_TYPE_BYTES6)) {
            code = replaced_column(ctx, ps, col, &out->cols[n]);
        } else if (code == 0) {
            out->cols[n] = netfeat_column_ref(col);
        }
        n++;
    }
    return code;
}

int netfeat_table_anonymize(netfeat_ctx *ctx, const netfeat_table *tab, const void *key, size_t key_bytes,
                            const netfeat_options *opts, netfeat_table **ret)
{
    bool keep = nf_option(opts, NETFEAT_OPT_TABLE_KEEP_PAYLOAD) != 0;
    nf_pseudonyms *ps = NULL;
    netfeat_table *out = NULL;
    int width = 0;
    int code = check(ctx, tab, key, key_bytes, ret);

    for (int i = 0; code == 0 && i < tab->width; i++) {
        width += keep || !nf_type_has_offsets(tab->cols[i]->type);
    }
    code = code != 0 ? code : nf_pseudonyms_new(ctx, key, &ps);
    code = code != 0 ? code : nf_table_alloc(ctx, width, &out);
    code = code != 0 ? code : columns(ctx, tab, ps, keep, out);
    if (code == 0) {
        out->rows = tab->rows;
        *ret = out;
        out = NULL;
    }
    nf_pseudonyms_free(ctx, ps);
    netfeat_table_unref(out);
    return code;
}
