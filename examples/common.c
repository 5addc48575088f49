#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEVICE_WAIT_MS 500 /* a quiet device: write the rows that are there */

static netfeat_ctx *interruptible;

static void on_signal(int number)
{
    (void)number;
    netfeat_ctx_interrupt(interruptible);
}

double example_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int64_t count_of(const netfeat_source *src, int which)
{
    return src != NULL ? netfeat_source_count(src, which) : 0;
}

/* The source counts what is read; of these reports, which come while rows are written, too, only the size of the
   input is taken. */
static int show_progress(void *user, int64_t packets, int64_t bytes, int64_t total)
{
    struct progress *progress = user;
    double t = example_now();

    progress->total = total > 0 ? total : progress->total;
    if (t - progress->last < 0.2 && (progress->shown || total <= 0)) {
        return 0;
    }
    progress->last = t;
    progress->shown = 1;
    packets = progress->packets + count_of(progress->src, NETFEAT_COUNT_DELIVERED);
    bytes = count_of(progress->src, NETFEAT_COUNT_BYTES);
    fprintf(stderr, "\r%" PRId64 " packets, %" PRId64 " MiB, %.0f packets/s", packets,
            (progress->bytes + bytes) >> 20, (double)packets / (t - progress->start));
    if (progress->total > 0) {
        fprintf(stderr, ", %.0f %% of the file", 100.0 * (double)bytes / (double)progress->total);
    }
    fputs("\033[K", stderr);
    return 0;
}

void example_start(netfeat_ctx *ctx, struct progress *progress)
{
    struct sigaction action = {.sa_handler = on_signal};

    interruptible = ctx;
    sigaction(SIGINT, &action, NULL);
    progress->start = progress->last = example_now();
    if (isatty(STDERR_FILENO)) {
        netfeat_ctx_set_progress(ctx, show_progress, progress);
    }
}

int example_option(netfeat_options *opts, char *text)
{
    char *value = strchr(text, '=');
    char *end = NULL;
    int key;

    if (value == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    *value++ = '\0';
    key = netfeat_option_by_name(text);
    if (key < 0 || netfeat_option_kind(key) == NETFEAT_KIND_TEXT) {
        return key < 0 ? key : netfeat_options_set_text(opts, key, value);
    }
    errno = 0;
    int64_t number = strtoll(value, &end, 10);
    return errno != 0 || *value == '\0' || *end != '\0' ? NETFEAT_ERR_ARGUMENT
                                                        : netfeat_options_set_int(opts, key, number);
}

int example_open(netfeat_ctx *ctx, netfeat_options *opts, const char *device, char **paths, int n,
                 netfeat_source **ret)
{
    struct stat st;

    if (device != NULL) {
        netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_WAIT_MS, DEVICE_WAIT_MS);
        return netfeat_source_open_live(ctx, device, opts, ret);
    }
    if (n > 1 || (stat(paths[0], &st) == 0 && S_ISDIR(st.st_mode))) {
        return netfeat_source_open_many(ctx, (const char *const *)paths, (size_t)n, opts, ret);
    }
    return netfeat_source_open_file(ctx, paths[0], opts, ret);
}

int example_key(const char *path, struct key *key)
{
    FILE *file = fopen(path, "rb");
    size_t size = 0;

    if (file != NULL) {
        size = fread(key->bytes, 1, sizeof key->bytes, file);
        size += size == sizeof key->bytes && fgetc(file) != EOF;
        fclose(file);
    } else {
        perror(path);
        return -1;
    }
    if (size != sizeof key->bytes) {
        fprintf(stderr, "%s: a key has %zu bytes\n", path, sizeof key->bytes);
        return -1;
    }
    key->given = 1;
    return 0;
}

int example_anonymize(netfeat_ctx *ctx, const netfeat_options *opts, const struct key *key,
                      netfeat_table **tab)
{
    netfeat_table *other = NULL;
    int code = 0;

    if (key->given) {
        code = netfeat_table_anonymize(ctx, *tab, key->bytes, sizeof key->bytes, opts, &other);
    }
    if (other != NULL) {
        netfeat_table_unref(*tab);
        *tab = other;
    }
    return code;
}

const char *example_out_name(const char *path)
{
    return path != NULL && strcmp(path, "-") != 0 ? path : "standard output";
}

/* A device or a pipe cannot be written under another name first. */
static int write_special(netfeat_ctx *ctx, netfeat_options *opts, const char *path, netfeat_writer **ret)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0) {
        return netfeat_writer_open_file(ctx, path, opts, ret); /* says what is wrong */
    }
    netfeat_options_set_text(opts, NETFEAT_OPT_IO_FORMAT, "csv");
    return netfeat_writer_open_fd(ctx, fd, opts, ret); /* fd stays open as long as the program runs */
}

int example_writer(netfeat_ctx *ctx, netfeat_options *opts, const char *path, netfeat_writer **ret)
{
    struct stat status;

    netfeat_options_set_text(opts, NETFEAT_OPT_IO_ADDRESSES, "text");
    if (path == NULL || strcmp(path, "-") == 0) {
        netfeat_options_set_text(opts, NETFEAT_OPT_IO_FORMAT, path == NULL ? "csv" : "stream");
        return netfeat_writer_open_fd(ctx, STDOUT_FILENO, opts, ret);
    }
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
        return write_special(ctx, opts, path, ret);
    }
    return netfeat_writer_open_file(ctx, path, opts, ret);
}

void example_clear(struct progress *progress)
{
    if (progress->shown) {
        fputs("\r\033[K", stderr);
        progress->shown = 0;
    }
}

void example_finished(struct progress *progress, const netfeat_source *src)
{
    progress->packets += count_of(src, NETFEAT_COUNT_DELIVERED);
    progress->bytes += count_of(src, NETFEAT_COUNT_BYTES);
    progress->total = 0;
    progress->src = NULL;
}

int example_fail(netfeat_ctx *ctx, struct progress *progress, const char *what)
{
    int code = netfeat_ctx_error_code(ctx);
    int64_t packet = netfeat_ctx_error_packet(ctx);
    int64_t offset = netfeat_ctx_error_offset(ctx);

    example_clear(progress);
    fprintf(stderr, "%s: %s: %s: %s", progress->program, what, netfeat_error_name(code),
            netfeat_ctx_error_message(ctx));
    if (packet >= 0) {
        fprintf(stderr, " (packet %" PRId64 ", byte offset %" PRId64 ")", packet, offset);
    } else if (offset >= 0) {
        fprintf(stderr, " (byte offset %" PRId64 ")", offset);
    }
    fputc('\n', stderr);
    return code == NETFEAT_ERR_CANCELLED ? EXIT_INTERRUPTED : EXIT_INPUT;
}

void example_counts(const netfeat_source *src, const char *what)
{
    fprintf(stderr, "%s:", what);
    for (int i = 1; netfeat_source_count_name(i) != NULL; i++) {
        fprintf(stderr, "%s %" PRId64 " %s", i > 1 ? "," : "", netfeat_source_count(src, i),
                netfeat_source_count_name(i));
    }
    fputc('\n', stderr);
}

void example_stats(struct progress *progress, int64_t complete)
{
    double seconds = example_now() - progress->start;

    example_clear(progress);
    fprintf(stderr, "%" PRId64 " packets, %" PRId64 " complete rows, %" PRId64 " dropped as incomplete\n",
            progress->packets, complete, progress->packets - complete);
    fprintf(stderr, "%.3f s, %.0f packets/s, %.1f MB/s\n", seconds, (double)progress->packets / seconds,
            1e-6 * (double)progress->bytes / seconds);
}
