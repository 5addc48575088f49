/* Key/value pairs of a table as a whole. */
#include <string.h>

#include "table/table.h"

static nf_meta *find(const netfeat_table *tab, const char *key)
{
    for (size_t i = 0; i < tab->meta_count; i++) {
        if (strcmp(tab->meta[i].key, key) == 0) {
            return &tab->meta[i];
        }
    }
    return NULL;
}

static int add(netfeat_table *tab, const char *key, char *value)
{
    void *list = tab->meta;
    char *copy;
    int code = nf_grow(tab->ctx, &list, &tab->meta_cap, tab->meta_count + 1, sizeof *tab->meta);

    tab->meta = list;
    if (code != 0) {
        return code;
    }
    copy = nf_strndup(tab->ctx, key, strlen(key));
    if (copy == NULL) {
        return nf_ctx_code(tab->ctx);
    }
    tab->meta[tab->meta_count].key = copy;
    tab->meta[tab->meta_count++].value = value;
    return NETFEAT_OK;
}

int nf_table_set_meta(netfeat_table *tab, const char *key, const char *value)
{
    nf_meta *known = find(tab, key);
    char *copy = nf_strndup(tab->ctx, value, strlen(value));
    int code = NETFEAT_OK;

    if (copy == NULL) {
        return nf_ctx_code(tab->ctx);
    }
    if (known != NULL) {
        nf_free(tab->ctx, known->value, strlen(known->value) + 1);
        known->value = copy;
        return NETFEAT_OK;
    }
    code = add(tab, key, copy);
    if (code != 0) {
        nf_free(tab->ctx, copy, strlen(copy) + 1);
    }
    return code;
}

void nf_table_free_meta(netfeat_table *tab)
{
    for (size_t i = 0; i < tab->meta_count; i++) {
        nf_free(tab->ctx, tab->meta[i].key, strlen(tab->meta[i].key) + 1);
        nf_free(tab->ctx, tab->meta[i].value, strlen(tab->meta[i].value) + 1);
    }
    nf_free(tab->ctx, tab->meta, tab->meta_cap * sizeof *tab->meta);
}

const char *netfeat_table_meta(const netfeat_table *tab, const char *key)
{
    const nf_meta *m = tab != NULL && key != NULL ? find(tab, key) : NULL;
    return m != NULL ? m->value : NULL;
}

const char *netfeat_table_kind(const netfeat_table *tab)
{
    const char *kind = netfeat_table_meta(tab, "netfeat.kind");
    return kind != NULL ? kind : "table";
}
