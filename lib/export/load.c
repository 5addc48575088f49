/* Where the bytes of a table come from: a mapped file, a file read, a descriptor, memory. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <netfeat/export.h>

#include "base/options.h"
#include "base/retry.h"
#include "export/ipc.h"
#include "export/ipc_read.h"
#include "export/outgoing.h"

#define READ_MOST ((size_t)1 << 24) /* per system call */

/* ---- mapped ---- */

typedef struct {
    netfeat_ctx *ctx; /* counted reference */
    void *p;
    size_t size;
} mapping;

static void unmap(void *user)
{
    mapping *m = user;
    netfeat_ctx *ctx = m->ctx;

    munmap(m->p, m->size);
    nf_free(ctx, m, sizeof *m);
    netfeat_ctx_unref(ctx);
}

/* Mapped pages are the file's, not ours: they are not charged to the context. */
static int map_file(netfeat_ctx *ctx, int fd, size_t size, nf_buffer **ret)
{
    mapping *m = nf_alloc(ctx, sizeof *m);
    int code;

    if (m == NULL) {
        return nf_ctx_code(ctx);
    }
    m->size = size;
    m->p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (m->p == MAP_FAILED) {
        nf_free(ctx, m, sizeof *m);
        return nf_error_errno(ctx, errno, "map %zu bytes", size);
    }
    m->ctx = netfeat_ctx_ref(ctx);
    code = nf_buffer_wrap(ctx, m->p, unmap, m, ret);
    if (code != 0) {
        unmap(m);
    }
    return code;
}

/* ---- read ---- */

typedef struct {
    netfeat_ctx *ctx;
    int fd;
    int64_t limit, budget; /* io.max_file_bytes, io.max_memory_bytes */
    size_t expected;       /* size of a regular file, 0 unknown */
    uint8_t *data;
    size_t used, cap;
} input;

/* Up to n more bytes, fewer only at the end of input. 1 all, 0 fewer, or an error. */
static int read_bytes(input *in, size_t n)
{
    size_t end = n < SIZE_MAX - in->used ? in->used + n : SIZE_MAX;

    while (in->used < end) {
        size_t want = end - in->used < READ_MOST ? end - in->used : READ_MOST;
        void *p = in->data;
        ssize_t got;
        int code;
        if (in->used < in->expected) { /* all that is there in one block, and then a look for the end */
            want = in->expected - in->used < want ? in->expected - in->used : want;
        } else if (want > in->used + 65536) { /* a length field is only believed as bytes arrive */
            want = in->used + 65536;
        }
        code = nf_grow(in->ctx, &p, &in->cap, in->used + want, 1);
        in->data = p;
        if (code != 0) {
            return code;
        }
        got = read(in->fd, in->data + in->used, want);
        if (got > 0) {
            in->used += (size_t)got;
        } else if (got == 0) {
            return 0;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd wait = {.fd = in->fd, .events = POLLIN};
            (void)poll(&wait, 1, 200);
        } else if (errno != EINTR) {
            return nf_error_errno(in->ctx, errno, "read");
        }
        if ((int64_t)in->used > in->limit || (int64_t)in->used > in->budget) {
            return nf_error(in->ctx, NETFEAT_ERR_LIMIT, "more input than %s allows",
                            (int64_t)in->used > in->limit ? "io.max_file_bytes" : "io.max_memory_bytes");
        }
        code = nf_checkpoint(in->ctx, -1, (int64_t)in->used, -1);
        if (code != 0) {
            return code;
        }
    }
    return 1;
}

static int read_rest(input *in)
{
    int code = read_bytes(in, SIZE_MAX);
    return code < 0 ? code : NETFEAT_OK;
}

/* One message of a stream behind what was read so far. 1 there may be more, 0 the end, or an error; input that
   ends in the middle is left to the parser to complain of. */
static int read_message(input *in)
{
    size_t start = in->used;
    size_t frame, end;
    uint32_t metadata;
    nf_ipc_message m;
    int code = read_bytes(in, 4);

    if (code == 1 && !nf_ipc_frame(in->data + start, 4, &frame, &metadata)) {
        code = read_bytes(in, 4);
    }
    if (code != 1 || !nf_ipc_frame(in->data + start, in->used - start, &frame, &metadata) || metadata == 0) {
        return code < 0 ? code : 0;
    }
    code = read_bytes(in, metadata);
    if (code != 1) {
        return code;
    }
    code = nf_ipc_message_at(in->ctx, in->data, in->used, start, true, &m, &end);
    if (code < 0) {
        return code;
    }
    return read_bytes(in, end - in->used);
}

static int read_input(input *in)
{
    int code = read_bytes(in, NF_IPC_HEAD_SIZE);

    if (code == 1 && memcmp(in->data, NF_IPC_MAGIC, NF_IPC_MAGIC_SIZE) == 0) {
        return read_rest(in);
    }
    return code;
}

/* A stream began with 8 bytes: an old frame of 4 and half of its metadata, or a frame of 8. */
static int read_stream(input *in)
{
    size_t frame, end;
    uint32_t metadata;
    nf_ipc_message m;
    int code;

    if (in->used < 8 || !nf_ipc_frame(in->data, in->used, &frame, &metadata) || metadata == 0) {
        return NETFEAT_OK;
    }
    code = metadata + frame > in->used ? read_bytes(in, metadata + frame - in->used) : 1;
    if (code == 1) {
        code = nf_ipc_message_at(in->ctx, in->data, in->used, 0, true, &m, &end);
        code = code == 1 && end > in->used ? read_bytes(in, end - in->used) : code;
    }
    while (code == 1) {
        code = read_message(in);
    }
    return code;
}

static int load_input(input *in, const netfeat_options *opts, netfeat_table **ret)
{
    nf_buffer *owner = NULL;
    int code = read_input(in);

    if (code >= 0 &&
        (in->used < NF_IPC_MAGIC_SIZE || memcmp(in->data, NF_IPC_MAGIC, NF_IPC_MAGIC_SIZE) != 0)) {
        code = read_stream(in);
    }
    code = code < 0 ? code : nf_buffer_adopt(in->ctx, in->data, in->cap, &owner);
    if (code != 0) {
        nf_free(in->ctx, in->data, in->cap);
        return code;
    }
    code = nf_ipc_load(in->ctx, owner->data, in->used, owner, opts, ret);
    nf_buffer_unref(owner);
    return code;
}

static void init_input(input *in, netfeat_ctx *ctx, int fd, const netfeat_options *opts)
{
    memset(in, 0, sizeof *in);
    in->ctx = ctx;
    in->fd = fd;
    in->limit = nf_option(opts, NETFEAT_OPT_IO_MAX_FILE_BYTES);
    in->budget = nf_option(opts, NETFEAT_OPT_IO_MAX_MEMORY_BYTES);
}

int netfeat_table_load_fd(netfeat_ctx *ctx, int fd, const netfeat_options *opts, netfeat_table **ret)
{
    input in;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "table_load_fd: ret is NULL");
    }
    init_input(&in, ctx, fd, opts);
    return load_input(&in, opts, ret);
}

/* ---- files ---- */

/* The size is the file's word, not a claim of its contents: one block of it. */
static int read_regular(netfeat_ctx *ctx, int fd, int64_t size, const netfeat_options *opts,
                        netfeat_table **ret)
{
    input in;
    void *block;
    int code;

    init_input(&in, ctx, fd, opts);
    if (size > in.budget) {
        return nf_error(ctx, NETFEAT_ERR_LIMIT, "%lld bytes, io.max_memory_bytes is %lld", (long long)size,
                        (long long)in.budget);
    }
    if (size > 0) {
        in.expected = (size_t)size;
        block = NULL;
        code = nf_grow(ctx, &block, &in.cap, in.expected + 65536, 1);
        if (code != 0) {
            return code;
        }
        in.data = block;
    }
    return load_input(&in, opts, ret);
}

static int load_regular(netfeat_ctx *ctx, int fd, int64_t size, const netfeat_options *opts, bool mapped,
                        netfeat_table **ret)
{
    nf_buffer *owner = NULL;
    int code;

    if (size > nf_option(opts, NETFEAT_OPT_IO_MAX_FILE_BYTES)) {
        return nf_error(ctx, NETFEAT_ERR_LIMIT, "%lld bytes, io.max_file_bytes is %lld", (long long)size,
                        (long long)nf_option(opts, NETFEAT_OPT_IO_MAX_FILE_BYTES));
    }
    if (!mapped || size == 0) {
        return read_regular(ctx, fd, size, opts, ret);
    }
    code = map_file(ctx, fd, (size_t)size, &owner);
    code = code != 0 ? code : nf_ipc_load(ctx, owner->data, (size_t)size, owner, opts, ret);
    nf_buffer_unref(owner);
    return code;
}

int netfeat_table_load_file(netfeat_ctx *ctx, const char *path, const netfeat_options *opts,
                            netfeat_table **ret)
{
    static const char *const words[] = {"mapped", "read", NULL};
    struct stat st;
    int mode, fd, code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (path == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "table_load_file: a pointer is NULL");
    }
    mode = nf_option_word(ctx, opts, NETFEAT_OPT_IO_LOAD_MODE, words);
    if (mode < 0) {
        return mode;
    }
    NF_RETRY(ctx, fd, open(path, O_RDONLY | O_CLOEXEC));
    if (fd < 0 || fstat(fd, &st) != 0) {
        code = nf_error_errno(ctx, errno, "open %.300s", path);
    } else if (S_ISDIR(st.st_mode)) {
        code = nf_error(ctx, NETFEAT_ERR_ARGUMENT, "%.300s is a directory", path);
    } else if (S_ISREG(st.st_mode)) {
        code = load_regular(ctx, fd, st.st_size, opts, mode == 0, ret);
    } else {
        code = netfeat_table_load_fd(ctx, fd, opts, ret);
    }
    if (fd >= 0) {
        close(fd);
    }
    return code;
}

/* ---- memory ---- */

int netfeat_table_load_memory(netfeat_ctx *ctx, const void *data, size_t size, const netfeat_options *opts,
                              netfeat_table **ret)
{
    nf_buffer *owner = NULL;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL || (data == NULL && size > 0)) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "table_load_memory: a pointer is NULL");
    }
    if (size > (uint64_t)nf_option(opts, NETFEAT_OPT_IO_MAX_FILE_BYTES) ||
        size > (uint64_t)nf_option(opts, NETFEAT_OPT_IO_MAX_MEMORY_BYTES)) {
        return nf_error(ctx, NETFEAT_ERR_LIMIT, "%zu bytes, io.max_file_bytes or io.max_memory_bytes is less",
                        size);
    }
    code = nf_buffer_new(ctx, size, &owner);
    if (code != 0) {
        return code;
    }
    if (size > 0) {
        memcpy(owner->data, data, size);
    }
    code = nf_ipc_load(ctx, owner->data, size, owner, opts, ret);
    nf_buffer_unref(owner);
    return code;
}
