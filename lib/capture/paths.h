/* paths.h - the files that a list of paths stands for. */
#ifndef NF_CAPTURE_PATHS_H
#define NF_CAPTURE_PATHS_H

#include "base/context.h"

typedef struct {
    char **list; /* owned strings */
    size_t count, cap;
    int64_t total; /* bytes of all of them, -1 if unknown */
} nf_paths;

/* Each path, in order; in place of a directory its regular files, by name, without hidden ones and without what is in
   its own directories. NOTFOUND (also: a directory without files), PERMISSION, IO, LIMIT (more than max), NOMEM. On
   failure nothing is left. */
int nf_paths_open(netfeat_ctx *ctx, const char *const *paths, size_t n, int64_t max, nf_paths *ret);
void nf_paths_close(netfeat_ctx *ctx, nf_paths *p);

#endif
