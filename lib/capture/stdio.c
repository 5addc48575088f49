/* stdio.c - captures from a FILE of the C library. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "capture/reader.h"

/* A FILE gives what was asked for or waits: smaller pieces wait less. */
#define PIECE ((size_t)64 << 10)

static int64_t stdio_read(void *user, netfeat_ctx *ctx, void *buf, size_t size)
{
    FILE *file = user;

    while (!nf_interrupted(ctx)) {
        size_t n;

        errno = 0;
        n = fread(buf, 1, size < PIECE ? size : PIECE, file);
        if (n > 0 || !ferror(file)) {
            return (int64_t)n;
        }
        if (errno != EINTR) {
            return nf_error_errno(ctx, errno != 0 ? errno : EIO, NF_READ_FAILED);
        }
        clearerr(file);
    }
    return NETFEAT_ERR_CANCELLED;
}

/* What a regular file holds from here on, -1 for all else. */
static int64_t bytes_left(FILE *file)
{
    struct stat st;
    int fd = fileno(file);
    off_t at;

    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return -1;
    }
    at = ftello(file);
    return at >= 0 && at <= st.st_size ? (int64_t)(st.st_size - at) : -1;
}

int netfeat_source_open_stdio(netfeat_ctx *ctx, FILE *file, const netfeat_options *opts, netfeat_source **ret)
{
    nf_input in = {0};

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (file == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "source_open_stdio: %s is NULL",
                        file == NULL ? "file" : "ret");
    }
    in.read = stdio_read;
    in.user = file;
    in.total = bytes_left(file);
    return nf_source_open(ctx, &in, opts, ret);
}
