/* Fuzz target: hostile text and hostile state. What becomes a pipeline, an encoder or an accumulator is used,
   saved, loaded and saved again: the two states are the same, and so is what comes out of both.
   The first byte says what follows: 0 the JSON of a pipeline; 1, 2, 3 the state of a pipeline, an encoder, an
   accumulator, row by row: step, length, item, type, length (two bytes), data. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "feature/state.h"
#include "require.h"

#define LIMIT_BYTES (64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An error that the input may cause; the caller was right. */
static int is_fair(int code)
{
    return code == 0 || (code < 0 && code != NETFEAT_ERR_INTERNAL);
}

static uint64_t digest(const netfeat_table *tab)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    char text[128];
    size_t length = 0;

    for (int i = 0; i < netfeat_table_width(tab); i++) {
        netfeat_column *col = netfeat_table_column(tab, i);
        require(netfeat_column_length(col) == netfeat_table_rows(tab), "columns are as long as the table");
        for (int64_t row = 0; row < netfeat_table_rows(tab); row++) {
            int there = netfeat_column_get_text(col, row, text, sizeof text, &length);
            require(there >= 0, "a cell has a text");
            sum = (sum ^ (uint64_t)there ^ length << 8) * UINT64_C(0x100000001b3);
            for (const char *p = text; *p != '\0'; p++) {
                sum = (sum ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
            }
        }
    }
    return sum;
}

/* ---- what is applied: a few packets with everything in them ---- */

static netfeat_table *make_packets(netfeat_ctx *ctx)
{
    static const uint8_t packet[] = {
        2,    0,  0,   0,  0,   1, 2, 0, 0,  0, 0,    2, 8,  0, /* IPv4, TCP SYN to port 23, sequence number = destination */
        0x45, 0,  0,   44, 0,   7, 0, 0, 64, 6, 0,    0, 10, 0, 0, 1, 198, 51, 100, 9,   0x9c, 0x40,
        0,    23, 198, 51, 100, 9, 0, 0, 0,  0, 0x50, 2, 2,  0, 0, 0, 0,   0,  'l', 's', '\r', '\n'};
    uint8_t data[sizeof packet];
    netfeat_options *opts = NULL;
    netfeat_table *tab = NULL;

    require(netfeat_options_new(ctx, &opts) == 0, "options can be made");
    require(netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_KEEP_PAYLOAD, 1) == 0, "payload");
    require(netfeat_table_new(ctx, opts, &tab) == 0, "a table can be made");
    for (int i = 0; i < 9; i++) {
        memcpy(data, packet, sizeof packet);
        data[29] = (uint8_t)(i % 3);      /* source */
        data[37] = (uint8_t)(23 + i % 2); /* port */
        data[12] = i == 5 ? 0x88 : 8;     /* no IP */
        require(netfeat_table_append_packet(tab, 1,
                                            INT64_C(1700000000000000000) + i * 1000003 - (i == 7) * 5000000,
                                            (uint32_t)sizeof data + (uint32_t)i, data, sizeof data) >= 0,
                "a packet can be appended");
    }
    require(netfeat_table_seal(tab) == 0, "a table can be sealed");
    netfeat_options_unref(opts);
    return tab;
}

/* ---- state tables ---- */

static netfeat_table *state_table(netfeat_ctx *ctx, const uint8_t *data, size_t size)
{
    nf_state_writer w;
    netfeat_table *tab = NULL;
    int code = 0;

    nf_state_writer_init(&w, ctx);
    while (code == 0 && size >= 5 && size - 5 >= data[1]) {
        size_t item = data[1], length = data[item + 3] | (size_t)data[item + 4] << 8;
        length = length > size - 5 - item ? size - 5 - item : length;
        code = nf_builder_add_u64(&w.steps, data[0]);
        code = code != 0 ? code : nf_builder_add_bytes(&w.items, data + 2, item);
        code = code != 0 ? code : nf_builder_add_u64(&w.types, data[item + 2]);
        code = code != 0 ? code : nf_builder_add_bytes(&w.data, data + item + 5, length);
        data += 5 + item + length;
        size -= 5 + item + length;
    }
    require(code == 0 && nf_state_finish(&w, &tab) == 0, "a state table can be made");
    nf_state_writer_free(&w);
    return tab;
}

/* ---- objects ---- */

/* Twice the same input: the same output, or the same error. */
static void same_output(int code, netfeat_table *out, int other_code, netfeat_table *other)
{
    require(is_fair(code) && code == other_code, "the same code from both");
    require(code != 0 ||
                (netfeat_table_width(out) == netfeat_table_width(other) && digest(out) == digest(other)),
            "the same output from both");
    netfeat_table_unref(out);
    netfeat_table_unref(other);
}

/* The object, saved, loaded and saved again; NULL when it is one that cannot be saved. */
#define THROUGH_TABLE(kind)                                                                                  \
    static netfeat_##kind *kind##_through_table(netfeat_ctx *ctx, netfeat_##kind *object)                    \
    {                                                                                                        \
        netfeat_table *state = NULL, *again = NULL;                                                          \
        netfeat_##kind *copy = NULL;                                                                         \
        int code = netfeat_##kind##_to_table(ctx, object, &state);                                           \
        require(is_fair(code), "saving works or says why not");                                              \
        if (code == 0) {                                                                                     \
            code = netfeat_##kind##_from_table(ctx, state, &copy);                                           \
            require(code == 0 || code == NETFEAT_ERR_NOMEM || code == NETFEAT_ERR_LIMIT,                     \
                    netfeat_ctx_error_message(ctx));                                                         \
        }                                                                                                    \
        if (code == 0) {                                                                                     \
            require(netfeat_##kind##_to_table(ctx, copy, &again) == 0, "what was loaded can be saved");      \
            require(digest(state) == digest(again), "the state is the same");                                \
        }                                                                                                    \
        netfeat_table_unref(state);                                                                          \
        netfeat_table_unref(again);                                                                          \
        return copy;                                                                                         \
    }
THROUGH_TABLE(pipeline)
THROUGH_TABLE(encoder)
THROUGH_TABLE(accumulator)

static void use_pipeline(netfeat_ctx *ctx, netfeat_pipeline *pipe, const netfeat_table *packets)
{
    netfeat_pipeline *copy;

    require(is_fair(netfeat_pipeline_fit(pipe, packets)), "fit"); /* STATE when it was sealed already */
    copy = pipeline_through_table(ctx, pipe);
    if (copy != NULL) {
        int code = netfeat_pipeline_seal(pipe), other = netfeat_pipeline_seal(copy);
        require(is_fair(code) && code == other, "sealing both");
        for (int i = 0; i < 2 && code == 0; i++) {
            netfeat_table *a = NULL, *b = NULL;
            code = netfeat_pipeline_apply(pipe, packets, &a);
            other = netfeat_pipeline_apply(copy, packets, &b);
            same_output(code, a, other, b);
        }
        require(is_fair(netfeat_pipeline_reset(pipe)), "reset");
    }
    netfeat_pipeline_unref(copy);
}

static void use_encoder(netfeat_ctx *ctx, netfeat_encoder *enc, const netfeat_table *packets)
{
    netfeat_encoder *copy = encoder_through_table(ctx, enc);
    int code, other;

    if (copy == NULL) {
        return;
    }
    for (int i = 0; i < netfeat_table_width(packets); i++) {
        netfeat_column *col = netfeat_table_column(packets, i);
        require(is_fair(netfeat_encoder_fit(enc, col)) && is_fair(netfeat_encoder_fit(copy, col)), "fit");
    }
    code = netfeat_encoder_seal(enc);
    other = netfeat_encoder_seal(copy);
    require(is_fair(code) && code == other, "sealing both");
    for (int i = 0; i < netfeat_table_width(packets) && code == 0; i++) {
        netfeat_column *col = netfeat_table_column(packets, i);
        netfeat_table *a = NULL, *b = NULL;
        int one = netfeat_encoder_apply(ctx, enc, col, &a);
        int two = netfeat_encoder_apply(ctx, copy, col, &b);
        same_output(one, a, two, b);
    }
    netfeat_encoder_unref(copy);
}

static void use_accumulator(netfeat_ctx *ctx, netfeat_accumulator *acc, const netfeat_table *packets)
{
    netfeat_accumulator *copy = accumulator_through_table(ctx, acc);
    netfeat_table *a = NULL, *b = NULL;
    int code, other;

    if (copy == NULL) {
        return;
    }
    code = netfeat_accumulator_push(acc, packets, &a);
    other = netfeat_accumulator_push(copy, packets, &b);
    same_output(code, a, other, b);
    a = b = NULL;
    code = netfeat_accumulator_finish(acc, &a);
    other = netfeat_accumulator_finish(copy, &b);
    same_output(code, a, other, b);
    require(is_fair(netfeat_accumulator_merge(acc, copy)), "merge");
    netfeat_accumulator_unref(copy);
}

static void use(netfeat_ctx *ctx, int kind, const uint8_t *data, size_t size, const netfeat_table *packets)
{
    netfeat_pipeline *pipe = NULL;
    netfeat_encoder *enc = NULL;
    netfeat_accumulator *acc = NULL;
    netfeat_table *state = kind == 0 ? NULL : state_table(ctx, data, size);
    int code;

    if (kind == 0) {
        code = netfeat_pipeline_from_json(ctx, (const char *)data, size, &pipe);
    } else if (kind == 1) {
        code = netfeat_pipeline_from_table(ctx, state, &pipe);
    } else if (kind == 2) {
        code = netfeat_encoder_from_table(ctx, state, &enc);
    } else {
        code = netfeat_accumulator_from_table(ctx, state, &acc);
    }
    require(is_fair(code) && (code == 0) == (pipe != NULL || enc != NULL || acc != NULL),
            "an object or an error");
    if (pipe != NULL) {
        use_pipeline(ctx, pipe, packets);
    } else if (enc != NULL) {
        use_encoder(ctx, enc, packets);
    } else if (acc != NULL) {
        use_accumulator(ctx, acc, packets);
    }
    netfeat_pipeline_unref(pipe);
    netfeat_encoder_unref(enc);
    netfeat_accumulator_unref(acc);
    netfeat_table_unref(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    netfeat_ctx *ctx = NULL;
    netfeat_table *packets;

    if (size < 1 || size > 1 << 16 || netfeat_ctx_new(&ctx) != 0) {
        return 0;
    }
    /* a JSON text is the user's own: it may name any file as services database, which is not for a fuzzer */
    if ((data[0] & 3) == 0 && memmem(data, size, "services", 8) != NULL) {
        netfeat_ctx_unref(ctx);
        return 0;
    }
    require(netfeat_ctx_set_memory_limit(ctx, LIMIT_BYTES) == 0, "a limit can be set");
    packets = make_packets(ctx);
    use(ctx, data[0] & 3, data + 1, size - 1, packets);
    netfeat_table_unref(packets);
    require(netfeat_ctx_memory_peak(ctx) <= LIMIT_BYTES, "memory stays under its limit");
    netfeat_ctx_unref(ctx);
    return 0;
}
