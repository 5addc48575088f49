#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* getrandom, O_DIRECTORY */
#endif
#include "export/out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/retry.h"

#define CHECKPOINT_BYTES ((int64_t)1 << 24)

static void init(nf_out *o, netfeat_ctx *ctx)
{
    memset(o, 0, sizeof *o);
    o->ctx = ctx;
    o->fd = -1;
    o->directory = -1;
}

static int make_buffer(nf_out *o)
{
    o->buffer = nf_alloc(o->ctx, NF_OUT_BUFFER);
    return o->buffer != NULL ? NETFEAT_OK : nf_ctx_code(o->ctx);
}

/* Directory and last part of the path; a link is followed, so that the file it names is the one replaced. */
static int open_directory(nf_out *o, const char *path)
{
    char resolved[PATH_MAX];
    char parent[PATH_MAX] = ".";
    const char *full = realpath(path, resolved);
    const char *slash, *base;
    struct stat st;

    if (full == NULL &&
        errno != ENOENT) { /* not to know where a link leads is no reason to replace the link */
        return nf_error_errno(o->ctx, errno, "look for %.300s", path);
    }
    full = full != NULL ? full : path;
    slash = strrchr(full, '/');
    base = slash != NULL ? slash + 1 : full;
    if (*base == '\0' || strlen(full) >= sizeof parent) {
        return nf_error(o->ctx, NETFEAT_ERR_ARGUMENT, "%.300s is no name for a file", path);
    }
    if (slash != NULL) {
        size_t n = slash == full ? 1 : (size_t)(slash - full);
        memcpy(parent, full, n);
        parent[n] = '\0';
    }
    NF_RETRY(o->ctx, o->directory, open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (o->directory < 0) {
        return nf_error_errno(o->ctx, errno, "directory of %.300s", path);
    }
    if (fstatat(o->directory, base, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT) {
            return nf_error_errno(o->ctx, errno, "look at %.300s", path);
        }
    } else if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)) {
        return nf_error(o->ctx, NETFEAT_ERR_ARGUMENT, "%.300s is not a regular file", path);
    }
    o->name = nf_strndup(o->ctx, base, strlen(base));
    return o->name != NULL ? NETFEAT_OK : nf_ctx_code(o->ctx);
}

static int open_temporary(nf_out *o, int mode, const char *path)
{
    for (int attempt = 0; attempt < 16; attempt++) {
        uint64_t number;
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) {
            number = (uint64_t)getpid() << 8 | (uint64_t)attempt;
        }
        snprintf(o->temporary, sizeof o->temporary, ".netfeat-%016llx.tmp", (unsigned long long)number);
        NF_RETRY(o->ctx, o->fd,
                 openat(o->directory, o->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                        (mode_t)mode));
        if (o->fd >= 0 || errno != EEXIST) {
            break;
        }
    }
    if (o->fd < 0) {
        o->temporary[0] = '\0';
        return nf_error_errno(o->ctx, errno, "create a file beside %.300s", path);
    }
    return NETFEAT_OK;
}

int nf_out_open_file(nf_out *o, netfeat_ctx *ctx, const char *path, int mode, bool sync)
{
    int code;

    init(o, ctx);
    o->sync = sync;
    code = open_directory(o, path);
    code = code != 0 ? code : make_buffer(o);
    code = code != 0 ? code : open_temporary(o, mode, path);
    if (code != 0) {
        nf_out_close(o);
    }
    return code;
}

int nf_out_open_fd(nf_out *o, netfeat_ctx *ctx, int fd)
{
    int code;

    init(o, ctx);
    o->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    code = o->fd >= 0 ? make_buffer(o) : nf_error_errno(ctx, errno, "descriptor %d", fd);
    if (code != 0) {
        nf_out_close(o);
    }
    return code;
}

/* A descriptor that does not block is waited for. */
static int wait_writable(nf_out *o)
{
    struct pollfd p = {.fd = o->fd, .events = POLLOUT};

    if (poll(&p, 1, 200) < 0 && errno != EINTR) {
        return nf_error_errno(o->ctx, errno, "write");
    }
    return nf_interrupted(o->ctx) ? nf_checkpoint(o->ctx, -1, o->position, -1) : NETFEAT_OK;
}

static int write_all(nf_out *o, const uint8_t *p, size_t size)
{
    while (size > 0) {
        size_t part = size < (size_t)CHECKPOINT_BYTES ? size : (size_t)CHECKPOINT_BYTES;
        ssize_t n = write(o->fd, p, part);
        int code = NETFEAT_OK;
        if (n > 0) {
            p += n;
            size -= (size_t)n;
            code = size > 0 ? nf_checkpoint(o->ctx, -1, o->position, -1) : NETFEAT_OK;
        } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            code = wait_writable(o);
        } else if (n < 0 && errno == EINTR) {
            code = nf_interrupted(o->ctx) ? nf_checkpoint(o->ctx, -1, o->position, -1) : NETFEAT_OK;
        } else {
            code = nf_error_errno(o->ctx, n < 0 ? errno : EIO, "write");
        }
        if (code != 0) {
            return code;
        }
    }
    return NETFEAT_OK;
}

int nf_out_flush(nf_out *o)
{
    size_t n = o->used;

    o->used = 0;
    return n > 0 ? write_all(o, o->buffer, n) : NETFEAT_OK;
}

int nf_out_reserve(nf_out *o, size_t size)
{
    return size <= NF_OUT_BUFFER - o->used ? NETFEAT_OK : nf_out_flush(o);
}

int nf_out_write(nf_out *o, const void *data, size_t size)
{
    int code;

    if (size == 0) {
        return NETFEAT_OK;
    }
    if (size > NF_OUT_BUFFER - o->used) {
        code = nf_out_flush(o);
        if (code != 0) {
            return code;
        }
    }
    if (size >= NF_OUT_BUFFER) {
        code = write_all(o, data, size);
        o->position += (int64_t)size;
        return code;
    }
    memcpy(o->buffer + o->used, data, size);
    nf_out_advance(o, size);
    return NETFEAT_OK;
}

int nf_out_zeros(nf_out *o, size_t size)
{
    static const uint8_t zeros[64];
    int code = NETFEAT_OK;

    while (code == 0 && size > 0) {
        size_t n = size < sizeof zeros ? size : sizeof zeros;
        code = nf_out_write(o, zeros, n);
        size -= n;
    }
    return code;
}

static int close_fd(nf_out *o)
{
    int fd = o->fd;

    o->fd = -1;
    /* interrupted, it is closed all the same (POSIX.1-2024: or being closed); what was written is on the disk by now,
       or was never promised to be */
    return close(fd) == 0 || errno == EINTR || errno == EINPROGRESS ? NETFEAT_OK
                                                                    : nf_error_errno(o->ctx, errno, "close");
}

/* Too late for an interrupt: the file has its name. */
static int sync_directory(nf_out *o)
{
    int done;

    do {
        done = fsync(o->directory);
    } while (done != 0 && errno == EINTR);
    return done == 0 || errno == EINVAL ? NETFEAT_OK
                                        : nf_error_errno(o->ctx, errno, "fsync of the directory");
}

int nf_out_finish(nf_out *o)
{
    int code = nf_out_flush(o);

    if (code != 0 || o->name == NULL) {
        return code;
    }
    if (o->sync) {
        int done;
        NF_RETRY(o->ctx, done, fsync(o->fd));
        if (done != 0) {
            return nf_error_errno(o->ctx, errno, "fsync");
        }
    }
    code = close_fd(o);
    if (code == 0 && renameat(o->directory, o->temporary, o->directory, o->name) != 0) {
        code = nf_error_errno(o->ctx, errno, "rename to %.200s", o->name);
    }
    if (code == 0) {
        o->temporary[0] = '\0';
        code = o->sync ? sync_directory(o) : NETFEAT_OK;
    }
    return code;
}

void nf_out_close(nf_out *o)
{
    if (o->fd >= 0) {
        close(o->fd);
    }
    if (o->temporary[0] != '\0') {
        unlinkat(o->directory, o->temporary, 0);
    }
    if (o->directory >= 0) {
        close(o->directory);
    }
    if (o->name != NULL) {
        nf_free(o->ctx, o->name, strlen(o->name) + 1);
    }
    nf_free(o->ctx, o->buffer, NF_OUT_BUFFER);
    init(o, o->ctx);
}
