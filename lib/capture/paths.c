#include "capture/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"

/* Takes the string over, also on failure. size -1: unknown. */
static int add(netfeat_ctx *ctx, nf_paths *p, int64_t max, char *path, int64_t size)
{
    void *list = p->list;
    int code = NETFEAT_OK;

    if ((int64_t)p->count >= max) {
        code = nf_error(ctx, NETFEAT_ERR_LIMIT, "more than %lld files (source.max_files)", (long long)max);
    }
    code = code < 0 ? code : nf_grow(ctx, &list, &p->cap, p->count + 1, sizeof *p->list);
    p->list = list;
    if (code < 0) {
        nf_free(ctx, path, strlen(path) + 1);
        return code;
    }
    p->list[p->count++] = path;
    if (size < 0 || p->total < 0 || !nf_add_i64(p->total, size, &p->total)) {
        p->total = -1;
    }
    return NETFEAT_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One entry of a directory, if it is a file. */
static int add_entry(netfeat_ctx *ctx, nf_paths *p, int64_t max, int dir_fd, const char *dir,
                     const char *name)
{
    size_t length = strlen(dir);
    struct stat st;
    char *path;

    if (name[0] == '.') {
        return NETFEAT_OK;
    }
    if (fstatat(dir_fd, name, &st, 0) !=
        0) { /* gone since, or a link to nowhere: no file; else nobody knows */
        return errno == ENOENT ? NETFEAT_OK : nf_error_errno(ctx, errno, "cannot look at %s/%s", dir, name);
    }
    if (!S_ISREG(st.st_mode)) {
        return NETFEAT_OK;
    }
    path = nf_alloc(ctx, length + strlen(name) + 2);
    if (path == NULL) {
        return nf_ctx_code(ctx);
    }
    memcpy(path, dir, length + 1);
    if (length > 0 && dir[length - 1] != '/') {
        path[length++] = '/';
    }
    memcpy(path + length, name, strlen(name) + 1);
    return add(ctx, p, max, path, (int64_t)st.st_size);
}

static int add_directory(netfeat_ctx *ctx, nf_paths *p, int64_t max, const char *dir)
{
    size_t first = p->count;
    DIR *d = opendir(dir);
    const struct dirent *e;
    int code = NETFEAT_OK;

    if (d == NULL) {
        return nf_error_errno(ctx, errno, "cannot open %s", dir);
    }
    while (code == 0) {
        errno = 0;
        e = readdir(d);
        if (e == NULL) {
            code = errno != 0 ? nf_error_errno(ctx, errno, "cannot read %s", dir) : NETFEAT_OK;
            break;
        }
        code = add_entry(ctx, p, max, dirfd(d), dir, e->d_name);
    }
    closedir(d);
    if (code == 0 && p->count == first) {
        code = nf_error(ctx, NETFEAT_ERR_NOTFOUND, "the directory %s holds no files", dir);
    }
    if (code == 0) {
        qsort(p->list + first, p->count - first, sizeof *p->list, by_name);
    }
    return code;
}

static int add_path(netfeat_ctx *ctx, nf_paths *p, int64_t max, const char *path)
{
    struct stat st = {0};
    char *copy;

    if (strcmp(path, "-") != 0 && stat(path, &st) != 0) {
        return nf_error_errno(ctx, errno, "cannot open %s", path);
    }
    if (S_ISDIR(st.st_mode)) {
        return add_directory(ctx, p, max, path);
    }
    copy = nf_strndup(ctx, path, strlen(path));
    return copy != NULL ? add(ctx, p, max, copy, S_ISREG(st.st_mode) ? (int64_t)st.st_size : -1)
                        : nf_ctx_code(ctx);
}

int nf_paths_open(netfeat_ctx *ctx, const char *const *paths, size_t n, int64_t max, nf_paths *ret)
{
    int code = NETFEAT_OK;

    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; code == 0 && i < n; i++) {
        code = add_path(ctx, ret, max, paths[i]);
    }
    if (code < 0) {
        nf_paths_close(ctx, ret);
    }
    return code;
}

void nf_paths_close(netfeat_ctx *ctx, nf_paths *p)
{
    for (size_t i = 0; i < p->count; i++) {
        nf_free(ctx, p->list[i], strlen(p->list[i]) + 1);
    }
    nf_free(ctx, p->list, p->cap * sizeof *p->list);
    memset(p, 0, sizeof *p);
}
