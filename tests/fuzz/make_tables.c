/* Make seeds for fuzz_ipc: small files and streams of every type, plain and compressed.
   usage: make_tables DIRECTORY    (tests/fuzz/corpus/ipc) */
#include "../unit/export_check.h"

static const struct {
    const char *name, *format, *codec, *addresses;
    int rows, batch, nulls;
} seeds[] = {
    {"file", "arrow", "none", "bytes", 5, 0, 1},        {"empty", "arrow", "none", "bytes", 0, 0, 0},
    {"file-text", "arrow", "none", "text", 9, 0, 1},    {"file-batches", "arrow", "none", "bytes", 20, 8, 1},
    {"file-zstd", "arrow", "zstd", "bytes", 40, 16, 1}, {"stream", "stream", "none", "bytes", 9, 0, 0},
    {"stream-lz4", "stream", "lz4", "text", 40, 16, 1}, {"stream-text", "stream", "none", "text", 3, 0, 1}};

static int make(netfeat_ctx *ctx, const char *directory, size_t i)
{
    netfeat_options *opts = NULL;
    netfeat_table *all = NULL, *tab = NULL;
    int columns[CHECK_COLUMNS];
    size_t n = 0;
    char path[512];
    int code;

    snprintf(path, sizeof path, "%s/%s", directory, seeds[i].name);
    code = netfeat_options_new(ctx, &opts);
    code = code != 0 ? code : netfeat_options_set_text(opts, NETFEAT_OPT_IO_FORMAT, seeds[i].format);
    code = code != 0 ? code : netfeat_options_set_text(opts, NETFEAT_OPT_IO_COMPRESSION, seeds[i].codec);
    code = code != 0 ? code : netfeat_options_set_text(opts, NETFEAT_OPT_IO_ADDRESSES, seeds[i].addresses);
    code = code != 0 ? code : netfeat_options_set_int(opts, NETFEAT_OPT_IO_BATCH_ROWS, seeds[i].batch);
    code = code != 0 ? code : check_table(ctx, seeds[i].rows, seeds[i].nulls != 0, &all);
    for (int k = (int)i % 3; k < CHECK_COLUMNS;
         k += 3) { /* a third of the columns: small seeds, quick runs */
        columns[n++] = k;
    }
    code = code != 0 ? code : netfeat_table_select(ctx, all, columns, n, &tab);
    code = code != 0 ? code : netfeat_table_save_file(ctx, tab, path, opts);
    netfeat_table_unref(tab);
    netfeat_table_unref(all);
    netfeat_options_unref(opts);
    return code;
}

int main(int argc, char **argv)
{
    netfeat_ctx *ctx = NULL;
    int code = argc == 2 ? netfeat_ctx_new(&ctx) : NETFEAT_ERR_ARGUMENT;

    for (size_t i = 0; code == 0 && i < sizeof seeds / sizeof seeds[0]; i++) {
        code = make(ctx, argv[1], i);
    }
    if (code != 0) {
        fprintf(stderr, "make_tables: %s %s\n", netfeat_error_name(code), netfeat_ctx_error_message(ctx));
    }
    netfeat_ctx_unref(ctx);
    return code != 0;
}
