#include "export/flatbuf_read.h"

#include "base/cursor.h"

void nf_fbr_init(nf_fbr *f, const uint8_t *data, size_t size)
{
    f->data = data;
    f->size = size;
    f->bad = size > INT32_MAX;
    f->bad_at = 0;
}

static bool bad(nf_fbr *f, size_t at)
{
    if (!f->bad) {
        f->bad = true;
        f->bad_at = at;
    }
    return false;
}

/* `bytes` bytes at a multiple of align, inside the buffer. */
static bool inside(nf_fbr *f, size_t at, size_t bytes, size_t align)
{
    if (f->bad || at > f->size || bytes > f->size - at || at % align != 0) {
        return bad(f, at);
    }
    return true;
}

/* Where the 32-bit reference at `at` points; 0 when it is broken. */
static size_t follow(nf_fbr *f, size_t at)
{
    size_t to;

    if (!inside(f, at, 4, 4)) {
        return 0;
    }
    to = nf_load_le32(f->data + at);
    if (to == 0 || to > f->size - at) {
        bad(f, at);
        return 0;
    }
    return at + to;
}

static nf_fbr_table table_at(nf_fbr *f, size_t pos)
{
    static const nf_fbr_table none;
    nf_fbr_table t = {.pos = pos};
    int64_t vtable;

    if (pos == 0 || !inside(f, pos, 4, 4)) {
        return none;
    }
    vtable = (int64_t)pos - (int32_t)nf_load_le32(f->data + pos);
    if (vtable < 0 || !inside(f, (size_t)vtable, 4, 2)) {
        bad(f, pos);
        return none;
    }
    t.vtable = (size_t)vtable;
    t.vtable_size = nf_load_le16(f->data + t.vtable);
    t.size = nf_load_le16(f->data + t.vtable + 2);
    if (t.vtable_size < 4 || t.vtable_size % 2 != 0 || t.size < 4 || !inside(f, t.vtable, t.vtable_size, 2) ||
        !inside(f, pos, t.size, 4)) {
        bad(f, pos);
        return none;
    }
    return t;
}

nf_fbr_table nf_fbr_root(nf_fbr *f)
{
    return table_at(f, follow(f, 0));
}

/* Place of a field, 0 if it is absent. */
static size_t field_at(nf_fbr *f, const nf_fbr_table *t, int slot, size_t bytes)
{
    size_t entry = 4 + 2 * (size_t)slot;
    size_t offset;

    if (f->bad || t->pos == 0 || entry + 2 > t->vtable_size) {
        return 0;
    }
    offset = nf_load_le16(f->data + t->vtable + entry);
    if (offset == 0) {
        return 0;
    }
    if (offset < 4 || offset + bytes > t->size || !inside(f, t->pos + offset, bytes, bytes)) {
        bad(f, t->vtable + entry);
        return 0;
    }
    return t->pos + offset;
}

uint64_t nf_fbr_uint(nf_fbr *f, const nf_fbr_table *t, int slot, size_t bytes, uint64_t otherwise)
{
    size_t at = field_at(f, t, slot, bytes);
    uint64_t value = 0;

    if (at == 0) {
        return otherwise;
    }
    for (size_t i = 0; i < bytes; i++) {
        value |= (uint64_t)f->data[at + i] << (8 * i);
    }
    return value;
}

int64_t nf_fbr_int(nf_fbr *f, const nf_fbr_table *t, int slot, size_t bytes, int64_t otherwise)
{
    uint64_t value = nf_fbr_uint(f, t, slot, bytes, (uint64_t)otherwise);
    unsigned unused = (unsigned)(64 - 8 * bytes);

    return (int64_t)(value << unused) >> unused;
}

nf_fbr_table nf_fbr_child(nf_fbr *f, const nf_fbr_table *t, int slot)
{
    static const nf_fbr_table none;
    size_t at = field_at(f, t, slot, 4);

    return at != 0 ? table_at(f, follow(f, at)) : none;
}

nf_fbr_vector nf_fbr_vec(nf_fbr *f, const nf_fbr_table *t, int slot, size_t element, size_t align)
{
    static const nf_fbr_vector none;
    nf_fbr_vector v;
    size_t at = field_at(f, t, slot, 4);

    at = at != 0 ? follow(f, at) : 0;
    if (at == 0 || !inside(f, at, 4, 4)) {
        return none;
    }
    v.count = nf_load_le32(f->data + at);
    v.pos = at + 4;
    if (v.count > f->size / element || (v.count > 0 && !inside(f, v.pos, v.count * element, align))) {
        bad(f, at);
        return none;
    }
    return v;
}

nf_fbr_table nf_fbr_vec_table(nf_fbr *f, const nf_fbr_vector *v, size_t index)
{
    return table_at(f, follow(f, v->pos + 4 * index));
}

const char *nf_fbr_str(nf_fbr *f, const nf_fbr_table *t, int slot, size_t *ret_size)
{
    nf_fbr_vector v = nf_fbr_vec(f, t, slot, 1, 1);

    *ret_size = v.count;
    if (v.pos == 0) {
        return NULL;
    }
    if (v.pos + v.count >= f->size || f->data[v.pos + v.count] != 0) {
        bad(f, v.pos);
        return NULL;
    }
    return (const char *)f->data + v.pos;
}
