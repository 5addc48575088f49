#include "rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

void output_init(struct output *o, const char *prefix, netfeat_ctx *ctx, const netfeat_options *opts,
                 int directory)
{
    memset(o, 0, sizeof *o);
    o->prefix = prefix;
    o->ctx = ctx;
    o->opts = opts;
    o->directory = directory;
    o->fd = -1;
}

/* A full disk fails every second: said when it begins and when it is over, counted in between. */
static int lose(struct output *o, int64_t rows, const char *why)
{
    o->lost += rows;
    o->failures++;
    if (!o->failing) {
        fprintf(stderr, "netfeat-sensor: %s: %" PRId64 " rows lost: %s\n", o->prefix, rows, why);
    }
    o->failing = 1;
    return -1;
}

static void set_names(struct output *o)
{
    struct timespec now;
    struct tm tm;
    char text[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(text, sizeof text, "%Y%m%dT%H%M%S", &tm);
    snprintf(o->name, sizeof o->name, "%s-%s.%09ldZ.arrows", o->prefix, text, now.tv_nsec);
    snprintf(o->hidden, sizeof o->hidden, ".%s.part", o->name);
}

static int begin(struct output *o)
{
    set_names(o);
    o->fd = openat(o->directory, o->hidden, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    o->started = example_now();
    o->whole = 0;
    o->rows = 0;
    return o->fd < 0 ? -1 : netfeat_writer_open_fd(o->ctx, o->fd, o->opts, &o->writer);
}

/* Behind the last batch that is all there, the end mark of an IPC stream. Without it, which is when there is no room
   even for that, the file's end is its end. */
static void cut(struct output *o)
{
    static const unsigned char mark[8] = {0xff, 0xff, 0xff, 0xff};

    if (ftruncate(o->fd, o->whole) == 0 &&
        pwrite(o->fd, mark, sizeof mark, o->whole) != (ssize_t)sizeof mark) {
        (void)!ftruncate(o->fd, o->whole);
    }
}

static int sync_fd(int fd)
{
    int code;

    do {
        code = fsync(fd);
    } while (code != 0 && errno == EINTR);
    return code;
}

/* To the disk and to its name; a file without rows goes. */
static int publish(struct output *o)
{
    int kept = o->rows > 0;
    int code = kept ? sync_fd(o->fd) : 0;
    char why[128];

    code = close(o->fd) != 0 ? -1 : code;
    o->fd = -1;
    if (kept && code == 0) {
        code = renameat(o->directory, o->hidden, o->directory, o->name);
    }
    if (code != 0) {
        snprintf(why, sizeof why, "%s", strerror(errno));
    }
    if (!kept || code != 0) {
        (void)unlinkat(o->directory, o->hidden, 0);
        return kept ? lose(o, o->rows, why) : 0;
    }
    (void)sync_fd(o->directory); /* a name that is lost in a crash is no reason to lose the file now */
    o->written += o->rows;
    o->files++;
    return 0;
}

int output_rotate(struct output *o)
{
    if (o->fd < 0) {
        return 0;
    }
    if (o->writer == NULL || netfeat_writer_end(o->writer) != 0) {
        cut(o);
    }
    o->writer = netfeat_writer_unref(o->writer);
    return publish(o);
}

int output_write(struct output *o, const netfeat_table *tab)
{
    int64_t rows = netfeat_table_rows(tab);
    char why[512];
    int code = rows > 0 && o->fd < 0 ? begin(o) : 0;

    if (rows <= 0) {
        return 0;
    }
    if (code != 0 && o->fd < 0) {
        return lose(o, rows, strerror(errno));
    }
    code = code != 0 ? code : netfeat_writer_write(o->writer, tab);
    if (code != 0) {
        snprintf(why, sizeof why, "%s", netfeat_ctx_error_message(o->ctx));
        o->writer = netfeat_writer_unref(o->writer); /* it is of no more use: the rest goes into a new file */
        output_rotate(o);
        return lose(o, rows, why);
    }
    if (o->failing) {
        fprintf(stderr, "netfeat-sensor: %s: written again, %" PRId64 " rows lost in all\n", o->prefix,
                o->lost);
        o->failing = 0;
    }
    o->whole = lseek(o->fd, 0, SEEK_CUR);
    o->rows += rows;
    return 0;
}
