#include "export/thrift.h"

#include <assert.h>
#include <string.h>

void nf_thrift_init(nf_thrift *t, netfeat_ctx *ctx)
{
    memset(t, 0, sizeof *t);
    t->ctx = ctx;
}

void nf_thrift_free(nf_thrift *t)
{
    nf_free(t->ctx, t->data, t->cap);
    nf_thrift_init(t, t->ctx);
}

static void put(nf_thrift *t, const void *data, size_t n)
{
    void *p = t->data;

    if (t->code == 0) {
        t->code = nf_grow(t->ctx, &p, &t->cap, t->used + n, 1);
        t->data = p;
    }
    if (t->code == 0 && n > 0) {
        memcpy(t->data + t->used, data, n);
        t->used += n;
    }
}

static void put_byte(nf_thrift *t, int byte)
{
    uint8_t b = (uint8_t)byte;

    put(t, &b, 1);
}

static void put_varint(nf_thrift *t, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;

    for (; value > 127; value >>= 7) {
        bytes[n++] = (uint8_t)(value | 128);
    }
    bytes[n++] = (uint8_t)value;
    put(t, bytes, n);
}

static void put_zigzag(nf_thrift *t, int64_t value)
{
    put_varint(t, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

/* Fields come in ascending order, less than 16 apart. */
static void field(nf_thrift *t, int id, int type)
{
    int delta = id - t->last[t->depth];

    assert(delta > 0 && delta < 16);
    t->last[t->depth] = id;
    put_byte(t, delta << 4 | type);
}

void nf_thrift_bool(nf_thrift *t, int id, bool value)
{
    field(t, id, value ? NF_THRIFT_TRUE : NF_THRIFT_FALSE);
}

void nf_thrift_byte(nf_thrift *t, int id, int value)
{
    field(t, id, NF_THRIFT_BYTE);
    put_byte(t, value);
}

void nf_thrift_i32(nf_thrift *t, int id, int64_t value)
{
    field(t, id, NF_THRIFT_I32);
    put_zigzag(t, value);
}

void nf_thrift_i64(nf_thrift *t, int id, int64_t value)
{
    field(t, id, NF_THRIFT_I64);
    put_zigzag(t, value);
}

void nf_thrift_text(nf_thrift *t, int id, const char *text)
{
    field(t, id, NF_THRIFT_BINARY);
    nf_thrift_element_text(t, text);
}

void nf_thrift_open(nf_thrift *t)
{
    assert(t->depth + 1 < NF_THRIFT_DEPTH);
    t->last[++t->depth] = 0;
}

void nf_thrift_struct(nf_thrift *t, int id)
{
    field(t, id, NF_THRIFT_STRUCT);
    nf_thrift_open(t);
}

void nf_thrift_end(nf_thrift *t)
{
    put_byte(t, 0);
    t->depth -= t->depth > 0;
}

void nf_thrift_list(nf_thrift *t, int id, int element, size_t count)
{
    field(t, id, NF_THRIFT_LIST);
    if (count < 15) {
        put_byte(t, (int)count << 4 | element);
    } else {
        put_byte(t, 0xf0 | element);
        put_varint(t, count);
    }
}

void nf_thrift_element_i32(nf_thrift *t, int64_t value)
{
    put_zigzag(t, value);
}

void nf_thrift_element_text(nf_thrift *t, const char *text)
{
    size_t n = strlen(text);

    put_varint(t, n);
    put(t, text, n);
}
