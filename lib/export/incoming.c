#include "export/incoming.h"

#include <string.h>

bool nf_incoming_is_ours(const nf_arrow_schema *schema)
{
    for (size_t i = 0; i < schema->meta_count; i++) {
        if (strcmp(schema->meta[i].key, "netfeat.version") == 0) {
            return true;
        }
    }
    return false;
}

int nf_incoming_table(netfeat_ctx *ctx, const nf_arrow_schema *schema, netfeat_column *const *cols,
                      int64_t rows, netfeat_table **ret)
{
    const char **names = NULL;
    netfeat_table *tab = NULL;
    int code = NETFEAT_OK;

    if (schema->count > 0) {
        names = nf_alloc_array(ctx, schema->count, sizeof *names);
        if (names == NULL) {
            return nf_ctx_code(ctx);
        }
        for (size_t i = 0; i < schema->count; i++) {
            names[i] = schema->fields[i].name;
        }
        code = netfeat_table_from_columns(ctx, names, cols, schema->count, &tab);
        if (code == NETFEAT_ERR_ARGUMENT) { /* here it is the input that is wrong, not the caller */
            char text[300];
            size_t n = strlen(netfeat_ctx_error_message(ctx));
            n = n < sizeof text - 1 ? n : sizeof text - 1;
            memcpy(text, netfeat_ctx_error_message(ctx), n);
            text[n] = '\0';
            code = nf_error(ctx, NETFEAT_ERR_FORMAT, "%s", text);
        }
    } else {
        code = nf_table_make(ctx, NULL, NULL, 0, rows, &tab);
    }
    for (size_t i = 0; code == 0 && i < schema->meta_count; i++) {
        code = nf_table_set_meta(tab, schema->meta[i].key, schema->meta[i].value);
    }
    nf_free(ctx, names, schema->count * sizeof *names);
    if (code != 0) {
        netfeat_table_unref(tab);
        return code;
    }
    *ret = tab;
    return NETFEAT_OK;
}
