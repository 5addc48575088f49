/* arrow_abi.h - the three structs of the Arrow C data and C stream interfaces, behind the guards that the
   specification names, so that this header can meet any other definition of them. Layout and flags are those of
   the Arrow Columnar Format documents "The Arrow C data interface" and "The Arrow C stream interface". */
#ifndef NETFEAT_ARROW_ABI_H
#define NETFEAT_ARROW_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE           2
#define ARROW_FLAG_MAP_KEYS_SORTED    4

struct ArrowSchema {
    const char *format; /* the type, as a short string */
    const char *name;
    const char *metadata; /* int32 count, then (int32 length, bytes) twice per pair; native byte order */
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *); /* NULL: released already */
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count; /* -1: not counted */
    int64_t offset;     /* rows to skip in every buffer */
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *); /* NULL: released already */
    void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out); /* 0 or an errno value */
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);    /* released array: the end */
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *); /* NULL: released already */
    void *private_data;
};

#endif

#ifdef __cplusplus
}
#endif

#endif
