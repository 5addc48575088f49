#include "capture/input.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long an interrupt may go unnoticed while a pipe is silent. */
#define WAIT_MS 100

typedef struct {
    int fd;
    bool waits; /* a read may block for long: poll first */
} fd_input;

/* False: nothing to read yet, look at the interrupt flag again. */
static bool readable(int fd)
{
    struct pollfd p = {fd, POLLIN, 0};
    int n = poll(&p, 1, WAIT_MS);

    return n > 0 || (n < 0 && errno != EINTR); /* what poll does not like, read will name */
}

static int64_t fd_read(void *user, netfeat_ctx *ctx, void *buf, size_t size)
{
    fd_input *in = user;

    if (size > INT_MAX) {
        size = INT_MAX;
    }
    while (!nf_interrupted(ctx)) {
        ssize_t n;

        if (in->waits && !readable(in->fd)) {
            continue;
        }
        n = read(in->fd, buf, size);
        if (n >= 0) {
            return n;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            in->waits = true;
        } else if (errno != EINTR) {
            return nf_error_errno(ctx, errno, NF_READ_FAILED);
        }
    }
    return NETFEAT_ERR_CANCELLED;
}

static void fd_close(void *user, netfeat_ctx *ctx)
{
    fd_input *in = user;

    close(in->fd);
    nf_free(ctx, in, sizeof *in);
}

/* Takes fd over, also on failure. name is for messages only. */
static int adopt(netfeat_ctx *ctx, int fd, const char *name, nf_input *ret)
{
    struct stat st;
    fd_input *in = NULL;
    off_t at;
    int code = NETFEAT_OK;

    if (fstat(fd, &st) != 0) {
        code = nf_error_errno(ctx, errno, "cannot look at %s", name);
        goto fail;
    }
    if (S_ISDIR(st.st_mode)) {
        code = nf_error_errno(ctx, EISDIR, "cannot read %s", name);
        goto fail;
    }
    in = nf_alloc(ctx, sizeof *in);
    if (in == NULL) {
        code = nf_ctx_code(ctx);
        goto fail;
    }
    in->fd = fd;
    in->waits = !S_ISREG(st.st_mode);
    memset(ret, 0, sizeof *ret);
    ret->read = fd_read;
    ret->close = fd_close;
    ret->user = in;
    ret->total = -1;
    if (S_ISREG(st.st_mode)) {
        at = lseek(fd, 0, SEEK_CUR);
        ret->total = at >= 0 && at <= st.st_size ? st.st_size - at : -1;
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    return NETFEAT_OK;
fail:
    close(fd);
    return code;
}

int nf_input_open_fd(netfeat_ctx *ctx, int fd, nf_input *ret)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (copy < 0) {
        return nf_error_errno(ctx, errno, "cannot use descriptor %d", fd);
    }
    return adopt(ctx, copy, fd == STDIN_FILENO ? "standard input" : "the descriptor", ret);
}

int nf_input_open_file(netfeat_ctx *ctx, const char *path, nf_input *ret)
{
    int fd;

    if (strcmp(path, "-") == 0) {
        return nf_input_open_fd(ctx, STDIN_FILENO, ret);
    }
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY); /* a FIFO waits for its writer here */
        if (fd < 0 && errno == EINTR && nf_interrupted(ctx)) {
            return nf_checkpoint(ctx, 0, 0, -1);
        }
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return nf_error_errno(ctx, errno, "cannot open %s", path);
    }
    return adopt(ctx, fd, path, ret);
}

nf_input nf_input_memory(const void *data, size_t size)
{
    nf_input in = {0};

    in.memory = data != NULL ? data : "";
    in.total = (int64_t)size;
    return in;
}

void nf_input_close(netfeat_ctx *ctx, nf_input *in)
{
    if (in->close != NULL) {
        in->close(in->user, ctx);
    }
    memset(in, 0, sizeof *in);
}
