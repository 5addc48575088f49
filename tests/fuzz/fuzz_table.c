/* Fuzz target: any bytes as a capture, from memory to a table, through the public API. The same input in one
   piece and in batches must give the same rows, the counters must add up, and memory stays under its limit. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "require.h"

#define LIMIT_BYTES (64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t mix_column(uint64_t digest, const netfeat_column *col)
{
    char text[96];
    size_t length = 0;

    for (int64_t row = 0; row < netfeat_column_length(col); row++) {
        int there = netfeat_column_get_text(col, row, text, sizeof text, &length);
        require(there >= 0, "a cell has a text");
        digest = (digest ^ (uint64_t)there ^ length << 8) * UINT64_C(0x100000001b3);
        for (const char *p = text; *p != '\0'; p++) {
            digest = (digest ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
        }
    }
    return digest;
}

/* Digest of all rows, read `batch` at a time; *ret_code is how the input ended. */
static uint64_t read_all(netfeat_ctx *ctx, const netfeat_options *opts, const uint8_t *data, size_t size,
                         int64_t batch, int *ret_code, int64_t *ret_rows)
{
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;
    uint64_t digest = 0;
    int64_t n = 1;

    *ret_rows = 0;
    *ret_code = netfeat_source_open_memory(ctx, data, size, opts, &src);
    if (*ret_code != 0) {
        return 0;
    }
    require(netfeat_table_new(ctx, opts, &tab) == 0, "a table can be made");
    while (n > 0) {
        n = netfeat_table_append_source(tab, src, batch);
    }
    *ret_code = (int)n;
    require(netfeat_table_seal(tab) == 0, "a table can be sealed");
    *ret_rows = netfeat_table_rows(tab);
    require(*ret_rows == netfeat_source_count(src, NETFEAT_COUNT_DELIVERED), "rows = delivered");
    require(netfeat_source_count(src, NETFEAT_COUNT_RECORDS) ==
                netfeat_source_count(src, NETFEAT_COUNT_DELIVERED) +
                    netfeat_source_count(src, NETFEAT_COUNT_FILTERED),
            "records = delivered + filtered");
    for (int i = 0; i < netfeat_table_width(tab); i++) {
        digest = mix_column(digest, netfeat_table_column(tab, i));
    }
    netfeat_table_unref(tab);
    netfeat_source_unref(src);
    return digest;
}

/* The first byte chooses the size of a batch and whether there is a filter. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    uint64_t whole, pieces;
    int64_t whole_rows, pieces_rows;
    int whole_code, pieces_code;

    if (size < 1 || size > 1 << 20 || netfeat_ctx_new(&ctx) != 0) {
        return 0;
    }
    require(netfeat_ctx_set_memory_limit(ctx, LIMIT_BYTES) == 0, "a limit can be set");
    require(netfeat_options_new(ctx, &opts) == 0, "options can be made");
    require(netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_KEEP_PAYLOAD, data[0] >> 6 & 1) == 0, "payload");
    require(netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_MAX_ROWS, 70000) == 0, "rows");
    if (data[0] & 0x80) {
        require(netfeat_options_set_text(opts, NETFEAT_OPT_SOURCE_FILTER, "ip and not tcp") == 0, "filter");
    }
    whole = read_all(ctx, opts, data + 1, size - 1, -1, &whole_code, &whole_rows);
    pieces = read_all(ctx, opts, data + 1, size - 1, 1 + (data[0] & 0x3f), &pieces_code, &pieces_rows);
    require(whole == pieces && whole_rows == pieces_rows && whole_code == pieces_code, "pieces = whole");
    require(netfeat_ctx_memory_peak(ctx) <= LIMIT_BYTES, "memory stays under its limit");
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
    return 0;
}
