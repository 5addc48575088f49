/* capture_check.h - what holds for whatever bytes are read as a capture: in one go and in small pieces the same records
   come, and memory stays under its limit. */
#ifndef FUZZ_CAPTURE_CHECK_H
#define FUZZ_CAPTURE_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "capture/record.h"
#include "require.h"

#define LIMIT_BYTES  (24 << 20)
#define MOST_RECORDS 100000 /* a small input may unfold to very many */

typedef struct {
    uint64_t digest;
    int64_t records, packet, offset;
    int code;
} outcome;

static void mix(uint64_t *digest, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *digest = (*digest ^ ((const uint8_t *)p)[i]) * UINT64_C(0x100000001b3);
    }
}

static void take_notes(netfeat_source *src, uint64_t *digest)
{
    while (netfeat_source_note_next(src) == 1) {
        const char *text = netfeat_source_note_text(src);
        const void *address = netfeat_source_note_address(src);
        mix(digest, text, strlen(text));
        mix(digest, address, address != NULL ? 16 : 0);
    }
}

static outcome read_all(netfeat_ctx *ctx, const netfeat_options *opts, const uint8_t *data, size_t size,
                        int batch)
{
    outcome o;
    netfeat_source *src = NULL;
    nf_record recs[NF_BATCH];
    uint64_t notes = 0;

    memset(&o, 0, sizeof o);
    o.code = netfeat_source_open_memory(ctx, data, size, opts, &src);
    while (o.code == 0 && o.records < MOST_RECORDS) {
        int64_t left = MOST_RECORDS - o.records;
        int n = nf_source_next(src, recs, batch < left ? batch : (int)left);
        for (int i = 0; i < n; i++) {
            const int64_t v[] = {(int64_t)recs[i].number,
                                 recs[i].time_ns,
                                 recs[i].captured_length,
                                 recs[i].wire_length,
                                 recs[i].interface_id,
                                 recs[i].link_type,
                                 recs[i].flags};
            mix(&o.digest, v, sizeof v);
            mix(&o.digest, recs[i].data, recs[i].captured_length);
        }
        o.records += n > 0 ? n : 0;
        o.code = n < 0 ? n : 0;
        if (n <= 0) {
            break;
        }
        take_notes(src, &notes);
    }
    if (o.code < 0) {
        o.packet = netfeat_ctx_error_packet(ctx);
        o.offset = netfeat_ctx_error_offset(ctx);
    }
    for (uint32_t i = 0; src != NULL && i < netfeat_source_interface_count(src) && i < 100; i++) {
        const char *name = netfeat_source_interface_name(src, i);
        int64_t dropped = 0;
        mix(&notes, name, name != NULL ? strlen(name) : 0);
        require(netfeat_source_interface_dropped(src, i, &dropped) >= 0,
                "an interface has statistics or none");
    }
    netfeat_source_unref(src);
    return o;
}

/* how chooses the size of the pieces and of the buffer, and whether notes are kept. */
static void check_capture(const uint8_t *data, size_t size, uint8_t how)
{
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    outcome whole, pieces;

    if (netfeat_ctx_new(&ctx) != 0) {
        return;
    }
    require(netfeat_ctx_set_memory_limit(ctx, LIMIT_BYTES) == 0, "a limit can be set");
    require(netfeat_options_new(ctx, &opts) == 0, "options can be made");
    require(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_WINDOW_BYTES, 4 << 20) == 0, "window");
    require(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_RATIO, 1) == 0, "ratio");
    whole = read_all(ctx, opts, data, size, NF_BATCH);
    require(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_BUFFER_BYTES, how & 0x80 ? 4096 : 65536) == 0,
            "buffer");
    require(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_NOTES, how >> 6 & 1 ? 10 : 0) == 0, "notes");
    pieces = read_all(ctx, opts, data, size, 1 + (how & 0x3f));
    if (whole.code != NETFEAT_ERR_LIMIT &&
        pieces.code != NETFEAT_ERR_LIMIT) { /* where that comes, buffers decide */
        require(whole.digest == pieces.digest && whole.records == pieces.records, "the same records");
        require(whole.code == pieces.code, "the same end");
    }
    require(netfeat_ctx_memory_peak(ctx) <= LIMIT_BYTES, "memory stays under its limit");
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

#endif
