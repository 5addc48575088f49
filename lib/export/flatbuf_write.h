/* flatbuf_write.h - FlatBuffers, written forwards: tables first, what they refer to behind them. */
#ifndef NF_EXPORT_FLATBUF_WRITE_H
#define NF_EXPORT_FLATBUF_WRITE_H

#include "base/context.h"

typedef struct {
    netfeat_ctx *ctx;
    uint8_t *data;
    size_t used, cap;
    int code; /* first failure; everything after it does nothing */
} nf_fb;

#define NF_FB_SLOTS 8

void nf_fb_init(nf_fb *f, netfeat_ctx *ctx);
void nf_fb_free(nf_fb *f);
/* Begin with a table, as the root. sizes: bytes of each field (1, 2, 4, 8), 0 for one that is absent.
   Returns the table's place; its fields are 0 until set. */
size_t nf_fb_root(nf_fb *f, const uint8_t *sizes, int slots);
/* Another table, to which the reference at `from` will point. */
size_t nf_fb_table(nf_fb *f, size_t from, const uint8_t *sizes, int slots);
/* Place of a field of a table. */
size_t nf_fb_field(const nf_fb *f, size_t table, int slot);
/* Set a field, as wide as its table was told, to a little-endian integer. */
void nf_fb_set(nf_fb *f, size_t table, int slot, uint64_t value, size_t bytes);
/* Vector of `count` zeroed elements; returns the place of the first. */
size_t nf_fb_vector(nf_fb *f, size_t from, size_t count, size_t element, size_t align);
void nf_fb_string(nf_fb *f, size_t from, const char *text);
void nf_fb_put(nf_fb *f, size_t at, uint64_t value, size_t bytes);

#endif
