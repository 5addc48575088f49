/* The C side of the interoperability tests.
   usage: interop_tables make DIRECTORY   tables of every type in every format, and what they hold as JSON
          interop_tables dump FILE        what an Arrow file or stream holds, as the same JSON
   JSON: [{"name", "type", "values": [null | "text" | [...]]}]; numbers as decimals, times as ns, bytes as hex. */
#include <inttypes.h>

#include "../unit/export_check.h"

static void put_string(FILE *out, const char *p, size_t n)
{
    fputc('"', out);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c < 0x20) {
            fprintf(out, "\\u%04x", c);
        } else {
            fputc(c, out);
        }
    }
    fputc('"', out);
}

static void put_value(FILE *out, const netfeat_column *col, int64_t row)
{
    int type = netfeat_column_type(col);
    const uint8_t *data = netfeat_column_data(col);
    size_t width = (size_t)netfeat_column_value_bytes(col);
    char text[1024];
    size_t n = 0;
    int64_t ns;

    if (netfeat_column_is_null(col, row) == 1) {
        fputs("null", out);
        return;
    }
    switch (type) {
    case NETFEAT_TYPE_LIST:
        fputc('[', out);
        for (int64_t i = netfeat_column_offsets(col)[row]; i < netfeat_column_offsets(col)[row + 1]; i++) {
            fputs(i > netfeat_column_offsets(col)[row] ? "," : "", out);
            put_value(out, netfeat_column_child(col), i);
        }
        fputc(']', out);
        return;
    case NETFEAT_TYPE_TIME_NS:
        netfeat_column_get_i64(col, row, &ns);
        fprintf(out, "\"%" PRId64 "\"", ns);
        return;
    case NETFEAT_TYPE_BYTES16:
    case NETFEAT_TYPE_BYTES6:
        for (size_t i = 0; i < width; i++) {
            n += (size_t)snprintf(text + n, sizeof text - n, "%02x", data[(size_t)row * width + i]);
        }
        break;
    default:
        netfeat_column_get_text(col, row, text, sizeof text, &n);
        break;
    }
    put_string(out, text, n);
}

static void put_table(FILE *out, const netfeat_table *tab)
{
    for (int i = 0; i < netfeat_table_width(tab); i++) {
        netfeat_column *col = netfeat_table_column(tab, i);
        fprintf(out, "%s{\"name\":", i > 0 ? ",\n" : "[");
        put_string(out, netfeat_table_name(tab, i), strlen(netfeat_table_name(tab, i)));
        fprintf(out, ",\"type\":\"%s\",\"values\":[", netfeat_type_name(netfeat_column_type(col)));
        for (int64_t row = 0; row < netfeat_table_rows(tab); row++) {
            fputs(row > 0 ? "," : "", out);
            put_value(out, col, row);
        }
        fputs("]}", out);
    }
    fputs(netfeat_table_width(tab) > 0 ? "]\n" : "[]\n", out);
}

static const struct {
    const char *name;
    int rows, first, nulls, batch;
    const char *format, *codec, *addresses;
} cases[] = {{"plain", 50, 0, 0, 0, "arrow", "none", "bytes"},
             {"nulls", 50, 0, 1, 0, "arrow", "none", "bytes"},
             {"empty", 0, 0, 0, 0, "arrow", "none", "bytes"},
             {"slice", 61, 11, 1, 0, "arrow", "none", "bytes"},
             {"batches", 200, 3, 1, 40, "arrow", "none", "bytes"},
             {"zstd", 200, 0, 1, 40, "arrow", "zstd", "bytes"},
             {"lz4", 200, 0, 1, 0, "arrow", "lz4", "bytes"},
             {"text", 100, 0, 1, 40, "arrow", "none", "text"},
             {"stream", 100, 5, 1, 40, "stream", "none", "bytes"},
             {"parquet", 500, 3, 1, 100, "parquet", "auto", "bytes"},
             {"parquet-text", 500, 0, 1, 0, "parquet", "none", "text"},
             {"parquet-full", 50, 0, 0, 0, "parquet", "auto", "bytes"},
             {"parquet-empty", 0, 0, 0, 0, "parquet", "auto", "bytes"},
             {"csv", 200, 3, 1, 0, "csv", "auto", "bytes"}};

/* Addresses as the readers will see them. */
static int with_text(netfeat_ctx *ctx, const netfeat_table *tab, netfeat_table **ret)
{
    netfeat_column *cols[CHECK_COLUMNS];
    const char *names[CHECK_COLUMNS];
    int width = netfeat_table_width(tab), code = 0, n = 0;

    for (; code == 0 && n < width; n++) {
        netfeat_column *col = netfeat_table_column(tab, n), *items = NULL;
        int type = netfeat_column_type(col);
        names[n] = netfeat_table_name(tab, n);
        if (type == NETFEAT_TYPE_BYTES16 || type == NETFEAT_TYPE_BYTES6) {
            code = netfeat_column_to_text(ctx, col, &cols[n]);
        } else if (type == NETFEAT_TYPE_LIST &&
                   netfeat_column_type(netfeat_column_child(col)) == NETFEAT_TYPE_BYTES16) {
            nf_column_parts parts = {.type = type, .length = col->length, .nulls = col->nulls};
            code = netfeat_column_to_text(ctx, col->child, &items);
            parts.child = items;
            parts.offsets = col->offsets;
            parts.validity = col->validity;
            parts.offsets_buf = nf_buffer_ref(col->offsets_buf);
            parts.validity_buf = nf_buffer_ref(col->validity_buf);
            code = code != 0 ? code : nf_column_make(ctx, &parts, &cols[n]);
        } else {
            cols[n] = netfeat_column_ref(col);
        }
    }
    code = code != 0 ? code : netfeat_table_from_columns(ctx, names, cols, (size_t)width, ret);
    while (n-- > 0) {
        netfeat_column_unref(cols[n]);
    }
    return code;
}

static int make_case(netfeat_ctx *ctx, const char *directory, size_t k)
{
    static const int flat[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    netfeat_options *opts = NULL;
    netfeat_table *all = NULL, *tab = NULL, *seen = NULL;
    char path[512];
    FILE *out = NULL;
    int code = netfeat_options_new(ctx, &opts);

    code = code != 0 ? code : check_table(ctx, cases[k].rows + cases[k].first, cases[k].nulls != 0, &all);
    code = code != 0 ? code : netfeat_table_slice(ctx, all, cases[k].first, cases[k].rows, &tab);
    code = code != 0 ? code : netfeat_options_set_text(opts, NETFEAT_OPT_IO_FORMAT, cases[k].format);
    code = code != 0 ? code : netfeat_options_set_text(opts, NETFEAT_OPT_IO_COMPRESSION, cases[k].codec);
    code = code != 0 ? code : netfeat_options_set_text(opts, NETFEAT_OPT_IO_ADDRESSES, cases[k].addresses);
    code = code != 0 ? code : netfeat_options_set_int(opts, NETFEAT_OPT_IO_BATCH_ROWS, cases[k].batch);
    snprintf(path, sizeof path, "%s/%s.%s", directory, cases[k].name, cases[k].format);
    code = code != 0 ? code : netfeat_table_save_file(ctx, tab, path, opts);
    if (code == 0 && strcmp(cases[k].codec, "none") == 0) { /* for readers that have no large lists */
        code = netfeat_table_select(ctx, tab, flat, sizeof flat / sizeof flat[0], &seen);
        snprintf(path, sizeof path, "%s/%s-flat.%s", directory, cases[k].name, cases[k].format);
        code = code != 0 ? code : netfeat_table_save_file(ctx, seen, path, opts);
        seen = netfeat_table_unref(seen);
    }
    if (code == 0 && strcmp(cases[k].addresses, "text") == 0) {
        code = with_text(ctx, tab, &seen);
    } else if (code == 0) {
        seen = netfeat_table_ref(tab);
    }
    snprintf(path, sizeof path, "%s/%s.json", directory, cases[k].name);
    out = code == 0 ? fopen(path, "w") : NULL;
    if (out != NULL) {
        put_table(out, seen);
        fclose(out);
    }
    netfeat_table_unref(seen);
    netfeat_table_unref(tab);
    netfeat_table_unref(all);
    netfeat_options_unref(opts);
    return code != 0 || out != NULL ? code : NETFEAT_ERR_IO;
}

int main(int argc, char **argv)
{
    netfeat_ctx *ctx = NULL;
    netfeat_table *tab = NULL;
    int code = argc == 3 ? netfeat_ctx_new(&ctx) : NETFEAT_ERR_ARGUMENT;

    if (code == 0 && strcmp(argv[1], "make") == 0) {
        for (size_t k = 0; code == 0 && k < sizeof cases / sizeof cases[0]; k++) {
            bool built = strcmp(cases[k].codec, "auto") == 0 || strcmp(cases[k].codec, "none") == 0 ||
                         netfeat_build_has(cases[k].codec) == 1;
            code = built ? make_case(ctx, argv[2], k) : 0;
        }
    } else if (code == 0) {
        code = netfeat_table_load_file(ctx, argv[2], NULL, &tab);
        if (code == 0) {
            put_table(stdout, tab);
        }
    }
    if (code != 0) {
        fprintf(stderr, "interop_tables: %s %s\n", netfeat_error_name(code), netfeat_ctx_error_message(ctx));
    }
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
    return code != 0;
}
