/* Fuzz target: any settings, any capture, and memory that is refused: a capture becomes a packet table, flows, streams and
   a file. Whatever the settings, every call returns a code that they, the capture or the memory may cause, the memory limit
   holds, and everything is given back.
   Input: a byte that chooses how often memory is refused (0: never); then lines "name=value" up to an empty line; then the
   capture, if it is empty one of a few packets. Which requests are refused is decided by a hash of the input. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <netfeat/netfeat.h>

#include "require.h"

#define LIMIT_BYTES  (96 << 20)
#define LONGEST_LINE 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- memory ---- */

typedef struct {
    uint64_t state;
    uint64_t one_in; /* 0: none is refused */
    uint64_t refused;
    int64_t live;
} memory;

static uint64_t next(memory *m)
{
    m->state ^= m->state << 13;
    m->state ^= m->state >> 7;
    m->state ^= m->state << 17;
    return m->state;
}

/* A netfeat_realloc_fn. In front of each block stands its size. */
static void *refusing(void *user, void *ptr, size_t old_size, size_t new_size)
{
    memory *m = user;
    size_t *head = ptr != NULL ? (size_t *)((char *)ptr - 16) : NULL;
    size_t *made = NULL;

    require(head == NULL ? old_size == 0 : *head == old_size, "blocks are given back with their size");
    if (new_size > 0) {
        made = m->one_in > 0 && next(m) % m->one_in == 0 ? NULL : malloc(new_size + 16);
        if (made == NULL) {
            m->refused++;
            return NULL;
        }
        *made = new_size;
        m->live += (int64_t)new_size;
        if (head != NULL) {
            memcpy((char *)made + 16, ptr, old_size < new_size ? old_size : new_size);
        }
    }
    m->live -= (int64_t)old_size;
    free(head);
    return made != NULL ? (char *)made + 16 : NULL;
}

/* ---- settings ---- */

/* What names a file or a device is the user's own, not a fuzzer's. */
static int is_for_the_user_alone(int key)
{
    return key == NETFEAT_OPT_FEATURE_SERVICES_FILE;
}

static void set(netfeat_options *opts, const char *name, const char *value)
{
    int key = netfeat_option_by_name(name);
    int code = 0;

    if (key <= 0 || is_for_the_user_alone(key)) {
        return;
    }
    if (netfeat_option_kind(key) == NETFEAT_KIND_TEXT) {
        code = netfeat_options_set_text(opts, key, value);
    } else {
        int64_t min, max, usual, got = 0, wanted = strtoll(value, NULL, 0);
        require(netfeat_option_range(key, &min, &max, &usual) == 0, "an option has a range");
        code = netfeat_options_set_int(opts, key, wanted);
        require((code == 0) <= (wanted >= min && wanted <= max), "the range holds");
        require(netfeat_options_get_int(opts, key, &got) == 0 && got >= min && got <= max,
                "it reads in range");
    }
    require(code == 0 || code == NETFEAT_ERR_RANGE || code == NETFEAT_ERR_ARGUMENT ||
                code == NETFEAT_ERR_NOMEM || code == NETFEAT_ERR_LIMIT,
            "setting an option");
}

/* The lines; returns how many bytes they took. */
static size_t set_all(netfeat_options *opts, const uint8_t *data, size_t size)
{
    size_t at = 0;

    while (at < size && data[at] != '\n') {
        char line[LONGEST_LINE + 1];
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t length = end != NULL ? (size_t)(end - data) - at : size - at;
        char *value;

        if (length <= LONGEST_LINE) {
            memcpy(line, data + at, length);
            line[length] = '\0';
            value = strchr(line, '=');
            if (value != NULL) {
                *value = '\0';
                set(opts, line, value + 1);
            }
        }
        at += length + (end != NULL);
    }
    return at < size ? at + 1 : at;
}

/* ---- what is done with them ---- */

/* The caller was right: the settings, the capture or the memory were not. */
static int is_fair(int64_t code)
{
    return code >= 0 || (code != NETFEAT_ERR_INTERNAL && code != NETFEAT_ERR_STATE);
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> 8 * i);
    }
}

/* Six packets of a connection with data in both directions, the third one as two fragments. */
static size_t usual_capture(uint8_t *to)
{
    static const uint8_t frame[] = {2,  0,    0,  0, 0,    1,    2, 0,  0, 0,   0,   2,    8,   0, 0x45,
                                    0,  0,    44, 0, 7,    0,    0, 64, 6, 0,   0,   10,   0,   0, 1,
                                    10, 0,    0,  2, 0x9c, 0x40, 0, 23, 0, 0,   0,   1,    0,   0, 0,
                                    0,  0x50, 2,  2, 0,    0,    0, 0,  0, 'l', 's', '\r', '\n'};
    static const uint8_t head[24] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0,
                                     0,    0,    0,    0,    0, 0, 0, 4, 0, 1};
    size_t at = sizeof head;

    memcpy(to, head, sizeof head);
    for (uint32_t i = 0; i < 6; i++) {
        uint8_t *p = to + at + 16;
        put32(to + at, 1700000000 + i);
        put32(to + at + 4, 1000 * i);
        put32(to + at + 8, sizeof frame);
        put32(to + at + 12, sizeof frame);
        memcpy(p, frame, sizeof frame);
        if (i % 2 == 1) { /* the other way */
            memcpy(p + 26, frame + 30, 4);
            memcpy(p + 30, frame + 26, 4);
            memcpy(p + 34, frame + 36, 2);
            memcpy(p + 36, frame + 34, 2);
        }
        p[47] = i < 2 ? (i == 0 ? 2 : 18) : i == 5 ? 17 : 24;
        p[41] = (uint8_t)(1 + (i > 0) + 4 * (i / 2));
        p[20] = i == 2 ? 0x20 : i == 3 ? 0 : 0x40;
        at += 16 + sizeof frame;
    }
    return at;
}

static netfeat_table *packets(netfeat_ctx *ctx, const netfeat_options *opts, const uint8_t *capture,
                              size_t size)
{
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;
    int64_t code = netfeat_source_open_memory(ctx, capture, size, opts, &src);

    require(is_fair(code), "opening a source");
    code = code != 0 ? code : netfeat_table_new(ctx, opts, &tab);
    for (int i = 0; code >= 0 && i < 1000; i++) {
        code = netfeat_table_append_source(tab, src, 500);
        if (code == 0) {
            break;
        }
    }
    require(is_fair(code), "reading packets");
    netfeat_source_unref(src);
    if (tab != NULL) {
        code = netfeat_table_seal(tab);
        require(is_fair(code), "sealing a table");
        if (code != 0) {
            tab = netfeat_table_unref(tab);
        }
    }
    return tab;
}

static void make_flows(netfeat_ctx *ctx, const netfeat_options *opts, const netfeat_table *tab)
{
    netfeat_flows *flows = NULL;
    netfeat_table *out = NULL;
    int code = netfeat_flows_new(ctx, opts, &flows);

    require(is_fair(code) && (code == 0) == (flows != NULL), "flows");
    for (int i = 0; code == 0 && i < 3; i++) { /* a failure leaves them usable */
        require(is_fair(netfeat_flows_feed(flows, tab, NULL)), "feeding flows");
    }
    if (code == 0) {
        require(is_fair(netfeat_flows_end(flows)), "ending flows");
        code = netfeat_flows_take_all(flows, &out);
        require(is_fair(code) && (code != 0 || out != NULL), "taking flows");
    }
    netfeat_table_unref(out);
    netfeat_flows_unref(flows);
}

static void make_streams(netfeat_ctx *ctx, const netfeat_options *opts, const uint8_t *capture, size_t size)
{
    netfeat_source *src = NULL;
    netfeat_table *out = NULL;
    int code = netfeat_source_open_memory(ctx, capture, size, opts, &src);

    code = code != 0 ? code : netfeat_stream_table(ctx, src, opts, &out);
    require(is_fair(code) && (code == 0) == (out != NULL), "a table of streams");
    netfeat_table_unref(out);
    netfeat_source_unref(src);
}

static void save_and_load(netfeat_ctx *ctx, const netfeat_options *opts, const netfeat_table *tab)
{
    netfeat_table *again = NULL;
    int fd = memfd_create("fuzz_options", MFD_CLOEXEC);
    int code;

    require(fd >= 0, "a file in memory");
    code = netfeat_table_save_fd(ctx, tab, fd, opts);
    require(is_fair(code), "saving");
    if (code == 0) {
        require(lseek(fd, 0, SEEK_SET) == 0, "back to its begin");
        code = netfeat_table_load_fd(ctx, fd, opts, &again); /* CSV and Parquet are not loaded */
        require(is_fair(code) && (code == 0) == (again != NULL), "loading");
        require(code != 0 || netfeat_table_rows(again) == netfeat_table_rows(tab), "as many rows");
    }
    netfeat_table_unref(again);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memory m = {.state = 0x9e3779b97f4a7c15};
    uint8_t usual[1024];
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_table *tab;
    size_t used;

    if (size < 1 || size > 1 << 16) {
        return 0;
    }
    for (size_t i = 0; i < size; i++) {
        m.state = (m.state ^ data[i]) * UINT64_C(0x100000001b3);
    }
    m.state |= 1;
    m.one_in = (data[0] & 15) == 0 ? 0 : UINT64_C(1) << ((data[0] & 15) % 12 + 1);
    if (netfeat_ctx_new_alloc(refusing, &m, &ctx) != 0) {
        require(m.refused > 0 && m.live == 0, "a context fails for want of memory only");
        return 0;
    }
    require(netfeat_ctx_set_memory_limit(ctx, LIMIT_BYTES) == 0, "a limit can be set");
    if (netfeat_options_new(ctx, &opts) == 0) {
        used = 1 + set_all(opts, data + 1, size - 1);
        if (used == size) {
            size = usual_capture(usual);
            data = usual;
            used = 0;
        }
        tab = packets(ctx, opts, data + used, size - used);
        if (tab != NULL) {
            make_flows(ctx, opts, tab);
            save_and_load(ctx, opts, tab);
        }
        make_streams(ctx, opts, data + used, size - used);
        netfeat_table_unref(tab);
    }
    netfeat_options_unref(opts);
    require(netfeat_ctx_memory_peak(ctx) <= LIMIT_BYTES, "memory stays under its limit");
    netfeat_ctx_unref(ctx);
    require(m.live == 0, "everything is given back");
    return 0;
}
