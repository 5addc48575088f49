/* save_load: a packet table to an Arrow file and back. The file opens at once, whatever its size, and every
   tool that reads Arrow ("Feather v2") opens it, too. usage: save_load CAPTURE FILE.arrow */
#include <stdio.h>
#include <string.h>

#include <netfeat/netfeat.h>

static int extract(netfeat_ctx *ctx, const char *capture, netfeat_table **ret)
{
    netfeat_source *src = NULL;
    int code = netfeat_source_open_file(ctx, capture, NULL, &src);

    code = code != 0 ? code : netfeat_table_from_source(ctx, src, NULL, ret);
    netfeat_source_unref(src);
    return code;
}

/* The first cell that differs, as a message; 0 if there is none. */
static int differs(const netfeat_table *a, const netfeat_table *b)
{
    char x[64], y[64];

    for (int i = 0; i < netfeat_table_width(a); i++) {
        for (int64_t row = 0; row < netfeat_table_rows(a); row++) {
            int there = netfeat_column_get_text(netfeat_table_column(a, i), row, x, sizeof x, NULL);
            if (netfeat_column_get_text(netfeat_table_column(b, i), row, y, sizeof y, NULL) != there ||
                strcmp(x, y) != 0) {
                fprintf(stderr, "save_load: %s, row %lld: %s, %s\n", netfeat_table_name(a, i), (long long)row,
                        x, y);
                return 1;
            }
        }
    }
    return netfeat_table_rows(a) != netfeat_table_rows(b);
}

int main(int argc, char **argv)
{
    netfeat_ctx *ctx = NULL;
    netfeat_table *tab = NULL;
    netfeat_table *back = NULL;
    int code, failed;

    if (argc != 3 || netfeat_ctx_new(&ctx) != 0) {
        fputs("usage: save_load CAPTURE FILE.arrow\n", stderr);
        return 2;
    }
    code = extract(ctx, argv[1], &tab);
    code = code != 0 ? code : netfeat_table_save_file(ctx, tab, argv[2], NULL);
    code = code != 0 ? code : netfeat_table_load_file(ctx, argv[2], NULL, &back);
    if (code != 0) {
        fprintf(stderr, "save_load: %s\n", netfeat_ctx_error_message(ctx));
    }
    failed = code != 0 || differs(tab, back);
    if (!failed) {
        printf("%lld rows, %d columns, %s of libnetfeat %s\n", (long long)netfeat_table_rows(back),
               netfeat_table_width(back), netfeat_table_kind(back),
               netfeat_table_meta(back, "netfeat.version"));
    }
    netfeat_table_unref(back);
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
    return failed;
}
