/* Lines of standard input as a column of texts; for each, the number that netfeat_feature_ip_numeric gives it: two words. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "table/builder.h"

static int fill(nf_builder *b)
{
    char line[256];
    int code = 0;

    while (code == 0 && fgets(line, sizeof line, stdin) != NULL) {
        code = nf_builder_add_bytes(b, line, strcspn(line, "\n"));
    }
    return code;
}

int main(void)
{
    netfeat_ctx *ctx = NULL;
    netfeat_column *texts = NULL;
    netfeat_table *tab = NULL;
    nf_builder b;
    int code = netfeat_ctx_new(&ctx);

    if (code != 0) {
        return 1;
    }
    nf_builder_init(&b, ctx, NETFEAT_TYPE_TEXT);
    code = fill(&b);
    code = code != 0 ? code : nf_builder_finish(&b, "", "", "", &texts);
    code = code != 0 ? code : netfeat_feature_ip_numeric(ctx, texts, NULL, &tab);
    for (int64_t i = 0; code == 0 && i < netfeat_table_rows(tab); i++) {
        uint64_t hi = 0, lo = 0;
        netfeat_column_get_u64(netfeat_table_column(tab, netfeat_table_find(tab, "hi")), i, &hi);
        netfeat_column_get_u64(netfeat_table_column(tab, netfeat_table_find(tab, "lo")), i, &lo);
        printf("%" PRIu64 " %" PRIu64 "\n", hi, lo);
    }
    if (code != 0) {
        fprintf(stderr, "%s\n", netfeat_ctx_error_message(ctx));
    }
    nf_builder_free(&b);
    netfeat_table_unref(tab);
    netfeat_column_unref(texts);
    netfeat_ctx_unref(ctx);
    return code != 0;
}
