/* flatbuf_read.h - FlatBuffers of anybody, every access checked against the bounds and alignment of the
   format. A broken buffer sets a sticky flag; what is read after that is absent, zero or empty. */
#ifndef NF_EXPORT_FLATBUF_READ_H
#define NF_EXPORT_FLATBUF_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *data;
    size_t size; /* below 2^31 */
    bool bad;
    size_t bad_at; /* where it was found */
} nf_fbr;

/* A table; pos 0 (never a table's place) means absent. */
typedef struct {
    size_t pos;
    size_t vtable;
    size_t vtable_size;
    size_t size;
} nf_fbr_table;

typedef struct {
    size_t pos; /* of the first element */
    size_t count;
} nf_fbr_vector;

void nf_fbr_init(nf_fbr *f, const uint8_t *data, size_t size);
nf_fbr_table nf_fbr_root(nf_fbr *f);
/* Scalar of that many bytes, or `otherwise` if the field is absent. */
uint64_t nf_fbr_uint(nf_fbr *f, const nf_fbr_table *t, int slot, size_t bytes, uint64_t otherwise);
int64_t nf_fbr_int(nf_fbr *f, const nf_fbr_table *t, int slot, size_t bytes, int64_t otherwise);
nf_fbr_table nf_fbr_child(nf_fbr *f, const nf_fbr_table *t, int slot);
/* count 0 if absent. */
nf_fbr_vector nf_fbr_vec(nf_fbr *f, const nf_fbr_table *t, int slot, size_t element, size_t align);
/* Element of a vector of tables; index is inside. */
nf_fbr_table nf_fbr_vec_table(nf_fbr *f, const nf_fbr_vector *v, size_t index);
/* Bytes and length of a string; NULL if absent. */
const char *nf_fbr_str(nf_fbr *f, const nf_fbr_table *t, int slot, size_t *ret_size);
/* Bytes of element index of a vector of structs. */
static inline const uint8_t *nf_fbr_vec_at(const nf_fbr *f, const nf_fbr_vector *v, size_t index,
                                           size_t element)
{
    return f->data + v->pos + index * element;
}

#endif
