/* out.h - where bytes are written: a buffered descriptor, or a file that appears when it is complete. */
#ifndef NF_EXPORT_OUT_H
#define NF_EXPORT_OUT_H

#include "base/context.h"

#define NF_OUT_BUFFER ((size_t)1 << 18)

typedef struct {
    netfeat_ctx *ctx; /* borrowed */
    int fd;
    uint8_t *buffer; /* NF_OUT_BUFFER bytes */
    size_t used;
    int64_t position; /* bytes given so far */
    /* files only */
    int directory;
    char *name; /* in the directory; owned */
    char temporary[40];
    bool sync;
} nf_out;

/* On failure nothing is left behind. mode: before the umask. */
int nf_out_open_file(nf_out *o, netfeat_ctx *ctx, const char *path, int mode, bool sync);
/* The descriptor is duplicated. */
int nf_out_open_fd(nf_out *o, netfeat_ctx *ctx, int fd);
int nf_out_write(nf_out *o, const void *data, size_t size);
int nf_out_zeros(nf_out *o, size_t size);
/* At least `size` (at most NF_OUT_BUFFER) free bytes at buffer + used, to be filled by the caller, who then
   calls nf_out_advance. */
int nf_out_reserve(nf_out *o, size_t size);
static inline void nf_out_advance(nf_out *o, size_t size)
{
    o->used += size;
    o->position += (int64_t)size;
}
/* What is buffered is handed to the kernel. */
int nf_out_flush(nf_out *o);
/* Everything out; a file is synced and takes its name. Close follows in any case. */
int nf_out_finish(nf_out *o);
/* Release; a file not finished is removed. Zero-initialised with fd -1 and directory -1 is closed. */
void nf_out_close(nf_out *o);

#endif
