#include "export/flatbuf_write.h"

#include <assert.h>
#include <string.h>

#define SIZE_LIMIT ((size_t)1 << 30)

void nf_fb_init(nf_fb *f, netfeat_ctx *ctx)
{
    memset(f, 0, sizeof *f);
    f->ctx = ctx;
}

void nf_fb_free(nf_fb *f)
{
    nf_free(f->ctx, f->data, f->cap);
    nf_fb_init(f, f->ctx);
}

/* `bytes` zeroed bytes, placed so that the address behind the first `head` of them is a multiple of align. */
static size_t grow(nf_fb *f, size_t head, size_t bytes, size_t align)
{
    size_t pad = (align - (f->used + head) % align) % align;
    size_t at = f->used + pad;
    void *p = f->data;

    if (f->code == 0 && (bytes > SIZE_LIMIT || at + bytes > SIZE_LIMIT)) {
        f->code = nf_error(f->ctx, NETFEAT_ERR_LIMIT, "metadata above %zu bytes", SIZE_LIMIT);
    }
    if (f->code == 0) {
        f->code = nf_grow(f->ctx, &p, &f->cap, at + bytes, 1);
        f->data = p;
    }
    if (f->code != 0) {
        return 0;
    }
    memset(f->data + f->used, 0, at + bytes - f->used);
    f->used = at + bytes;
    return at;
}

void nf_fb_put(nf_fb *f, size_t at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; f->code == 0 && i < bytes; i++) {
        f->data[at + i] = (uint8_t)(value >> (8 * i));
    }
}

static void link_to(nf_fb *f, size_t from, size_t to)
{
    nf_fb_put(f, from, to - from, 4);
}

/* Vtable and table. The table begins 4 bytes before a multiple of 8, and larger fields come first: each is
   aligned. */
static size_t make_table(nf_fb *f, const uint8_t *sizes, int slots)
{
    uint16_t place[NF_FB_SLOTS] = {0};
    uint16_t end = 4;
    size_t vtable, table;

    assert(slots <= NF_FB_SLOTS);
    for (int size = 8; size > 0; size /= 2) {
        for (int i = 0; i < slots; i++) {
            if (sizes[i] == size) {
                place[i] = end;
                end = (uint16_t)(end + size);
            }
        }
    }
    vtable = grow(f, 0, 4 + 2 * (size_t)slots, 2);
    table = grow(f, 4, end, 8);
    nf_fb_put(f, vtable, 4 + 2 * (uint64_t)slots, 2);
    nf_fb_put(f, vtable + 2, end, 2);
    for (int i = 0; i < slots; i++) {
        nf_fb_put(f, vtable + 4 + 2 * (size_t)i, place[i], 2);
    }
    nf_fb_put(f, table, table - vtable, 4);
    return table;
}

size_t nf_fb_root(nf_fb *f, const uint8_t *sizes, int slots)
{
    size_t table;

    grow(f, 0, 4, 8);
    table = make_table(f, sizes, slots);
    link_to(f, 0, table);
    return table;
}

size_t nf_fb_table(nf_fb *f, size_t from, const uint8_t *sizes, int slots)
{
    size_t table = make_table(f, sizes, slots);

    link_to(f, from, table);
    return table;
}

size_t nf_fb_field(const nf_fb *f, size_t table, int slot)
{
    size_t vtable;

    if (f->code != 0) {
        return 0;
    }
    vtable = table - ((size_t)f->data[table] | (size_t)f->data[table + 1] << 8);
    return table + f->data[vtable + 4 + 2 * (size_t)slot];
}

void nf_fb_set(nf_fb *f, size_t table, int slot, uint64_t value, size_t bytes)
{
    nf_fb_put(f, nf_fb_field(f, table, slot), value, bytes);
}

size_t nf_fb_vector(nf_fb *f, size_t from, size_t count, size_t element, size_t align)
{
    size_t at =
        grow(f, 4, 4 + (count < SIZE_LIMIT / 32 ? count * element : SIZE_LIMIT), align < 4 ? 4 : align);

    nf_fb_put(f, at, count, 4);
    link_to(f, from, at);
    return at + 4;
}

void nf_fb_string(nf_fb *f, size_t from, const char *text)
{
    size_t n = strlen(text);
    size_t at = grow(f, 0, 4 + (n < SIZE_LIMIT ? n : SIZE_LIMIT) + 1, 4);

    nf_fb_put(f, at, n, 4);
    if (f->code == 0) {
        memcpy(f->data + at + 4, text, n);
    }
    link_to(f, from, at);
}
