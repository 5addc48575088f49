/* Fuzz target: any bytes as an Arrow IPC file or stream. What loads is read in full, saved, and must load again
   as the same table. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <netfeat/netfeat.h>

#include "table/table.h"
#include "require.h"

#define MEMORY ((int64_t)1 << 26)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t text_sum(const netfeat_table *tab)
{
    uint64_t sum = 14695981039346656037U;

    for (int i = 0; i < netfeat_table_width(tab); i++) {
        netfeat_column *col = netfeat_table_column(tab, i);
        int64_t nulls = 0;
        REQUIRE(netfeat_column_length(col) == netfeat_table_rows(tab));
        for (int64_t row = 0; row < netfeat_table_rows(tab); row++) {
            char text[64];
            size_t length = 0;
            int present = netfeat_column_get_text(col, row, text, sizeof text, &length);
            REQUIRE(present == 0 || present == 1);
            nulls += !present;
            for (size_t k = 0; text[k] != '\0'; k++) {
                sum = (sum ^ (uint8_t)text[k]) * 1099511628211U;
            }
            sum = (sum ^ length) * 1099511628211U;
        }
        REQUIRE(nulls == netfeat_column_nulls(col));
    }
    return sum;
}

static void save_and_load(netfeat_ctx *ctx, const netfeat_table *tab, const netfeat_options *opts,
                          uint64_t sum)
{
    netfeat_table *again = NULL;
    char unused;
    int fd;

    if (netfeat_table_rows(tab) > 500 || netfeat_table_width(tab) > 50) {
        return;
    }
    fd = memfd_create("fuzz_ipc", MFD_CLOEXEC);
    REQUIRE(fd >= 0);
    REQUIRE(netfeat_table_save_fd(ctx, tab, fd, opts) == 0);
    REQUIRE(lseek(fd, 0, SEEK_SET) == 0);
    REQUIRE(netfeat_table_load_fd(ctx, fd, opts, &again) == 0);
    REQUIRE(netfeat_table_rows(again) == netfeat_table_rows(tab) && text_sum(again) == sum);
    REQUIRE(read(fd, &unused, 1) == 0);
    netfeat_table_unref(again);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static netfeat_ctx *ctx; /* for all runs: it is expensive */
    netfeat_options *opts = NULL;
    netfeat_table *tab = NULL;
    uint64_t empty;
    int code;

    if (ctx == NULL) {
        REQUIRE(netfeat_ctx_new(&ctx) == 0);
    }
    empty = netfeat_ctx_memory_used(ctx);
    REQUIRE(netfeat_options_new(ctx, &opts) == 0);
    REQUIRE(netfeat_options_set_int(opts, NETFEAT_OPT_IO_MAX_MEMORY_BYTES, MEMORY) == 0);
    REQUIRE(netfeat_options_set_int(opts, NETFEAT_OPT_IO_MAX_COLUMNS, 200) == 0);
    code = netfeat_table_load_memory(ctx, data, size, opts, &tab);
    REQUIRE(code <= 0 && (code == 0) == (tab != NULL));
    REQUIRE(code != NETFEAT_ERR_INTERNAL && code != NETFEAT_ERR_ARGUMENT && code != NETFEAT_ERR_STATE);
    /* the memory limit holds whatever the bytes claim; descriptions and handles come on top */
    REQUIRE(netfeat_ctx_memory_peak(ctx) < (uint64_t)MEMORY * 2);
    if (code == 0 && netfeat_table_rows(tab) < 100000) {
        uint64_t sum = text_sum(tab);
        if (size < 65536) {
            save_and_load(ctx, tab, opts, sum);
        }
    }
    netfeat_table_unref(tab);
    netfeat_options_unref(opts);
    REQUIRE(netfeat_ctx_memory_used(ctx) == empty);
    return 0;
}
