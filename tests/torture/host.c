/* host - what could take the program down that the library lives in: a closed pipe, a full disk, a file that is cut while
   it is mapped. What is fatal by its nature happens in a child, and is what the headers say. Prints TAP. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netfeat/netfeat.h>

enum { ROWS = 100000 };

static int tests, failures;
static uint64_t numbers[ROWS];
static char dir[] = "/tmp/netfeat-host-XXXXXX";

static void result(int good, const char *what)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, what);
    failures += !good;
}

static netfeat_table *make_table(netfeat_ctx *ctx)
{
    static const char *const name[] = {"n"};
    netfeat_column *col = NULL;
    netfeat_table *tab = NULL;

    for (size_t i = 0; i < ROWS; i++) {
        numbers[i] = i;
    }
    if (netfeat_column_wrap(ctx, NETFEAT_TYPE_U64, ROWS, numbers, NULL, NULL, NULL, &col) != 0 ||
        netfeat_table_from_columns(ctx, name, &col, 1, &tab) != 0) {
        exit(2);
    }
    netfeat_column_unref(col);
    return tab;
}

/* Signal that a child ended by, 0 if by itself with 0, -1 if otherwise. */
static int child_ends(int (*body)(netfeat_ctx *ctx, netfeat_table *tab), netfeat_ctx *ctx, netfeat_table *tab)
{
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        _exit(body(ctx, tab) ? 0 : 1);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        return -1;
    }
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* ---- a pipe whose reader has gone ---- */

static int save_to_closed_pipe(netfeat_ctx *ctx, netfeat_table *tab)
{
    int ends[2];
    int good;

    if (pipe(ends) != 0) {
        return 0;
    }
    close(ends[0]);
    good = netfeat_table_save_fd(ctx, tab, ends[1], NULL) == NETFEAT_ERR_IO &&
           netfeat_ctx_error_errno(ctx) == EPIPE;
    close(ends[1]);
    return good;
}

static int save_with_default_signal(netfeat_ctx *ctx, netfeat_table *tab)
{
    signal(SIGPIPE, SIG_DFL);
    return save_to_closed_pipe(ctx, tab);
}

/* ---- a full disk ---- */

static int save_to_full_device(netfeat_ctx *ctx, netfeat_table *tab)
{
    int fd = open("/dev/full", O_WRONLY);
    int good =
        netfeat_table_save_fd(ctx, tab, fd, NULL) == NETFEAT_ERR_IO && netfeat_ctx_error_errno(ctx) == ENOSPC;

    close(fd);
    return good;
}

/* A file that may not grow any more, at every multiple of 64 KiB: the old one stays. */
static int save_beyond_a_limit(netfeat_ctx *ctx, netfeat_table *tab)
{
    char path[64];
    netfeat_table *back = NULL;
    int good;

    snprintf(path, sizeof path, "%s/limited.arrow", dir);
    signal(SIGXFSZ, SIG_IGN);
    good = netfeat_table_save_file(ctx, tab, path, NULL) == 0;
    for (rlim_t most = 0; good && most < ROWS * sizeof numbers[0]; most += 65536) {
        const struct rlimit limit = {most, RLIM_INFINITY};
        setrlimit(RLIMIT_FSIZE, &limit);
        good = netfeat_table_save_file(ctx, tab, path, NULL) == NETFEAT_ERR_IO &&
               netfeat_ctx_error_errno(ctx) == EFBIG;
        good =
            good && netfeat_table_load_file(ctx, path, NULL, &back) == 0 && netfeat_table_rows(back) == ROWS;
        back = netfeat_table_unref(back);
    }
    return unlink(path) == 0 && good; /* and nothing is beside it: see the rmdir */
}

/* ---- a file that is cut while it is loaded ---- */

static int read_while_cut(netfeat_ctx *ctx, netfeat_table *tab, const char *mode)
{
    char path[64];
    netfeat_options *opts = NULL;
    netfeat_table *back = NULL;
    int good;

    snprintf(path, sizeof path, "%s/cut.arrow", dir);
    good = netfeat_options_new(ctx, &opts) == 0 &&
           netfeat_options_set_text(opts, NETFEAT_OPT_IO_LOAD_MODE, mode) == 0 &&
           netfeat_table_load_file(ctx, path, opts, &back) == 0 && truncate(path, 4096) == 0;
    good = good && memcmp(netfeat_column_data(netfeat_table_column(back, 0)), numbers, sizeof numbers) == 0;
    (void)tab;
    netfeat_table_unref(back);
    netfeat_options_unref(opts);
    return good;
}

static int cut_mapped(netfeat_ctx *ctx, netfeat_table *tab)
{
    signal(SIGBUS, SIG_DFL); /* a sanitizer would report it */
    return read_while_cut(ctx, tab, "mapped");
}

static int cut_read(netfeat_ctx *ctx, netfeat_table *tab)
{
    return read_while_cut(ctx, tab, "read");
}

static void save_for_cutting(netfeat_ctx *ctx, netfeat_table *tab)
{
    char path[64];

    snprintf(path, sizeof path, "%s/cut.arrow", dir);
    if (netfeat_table_save_file(ctx, tab, path, NULL) != 0) {
        exit(2);
    }
}

/* Cut at any place before it is loaded: an error, in both modes. */
static int load_cut_files(netfeat_ctx *ctx, const char *mode)
{
    char path[64];
    netfeat_options *opts = NULL;
    netfeat_table *back = NULL;
    int good;

    snprintf(path, sizeof path, "%s/cut.arrow", dir);
    good = netfeat_options_new(ctx, &opts) == 0 &&
           netfeat_options_set_text(opts, NETFEAT_OPT_IO_LOAD_MODE, mode) == 0;
    for (off_t size = ROWS * (off_t)sizeof numbers[0]; good && size >= 0; size -= 9973) {
        good = truncate(path, size) == 0 && netfeat_table_load_file(ctx, path, opts, &back) < 0 &&
               netfeat_ctx_error_message(ctx)[0] != '\0';
    }
    netfeat_options_unref(opts);
    return good;
}

int main(void)
{
    netfeat_ctx *ctx = NULL;
    netfeat_table *tab;
    char path[64];

    if (mkdtemp(dir) == NULL || netfeat_ctx_new(&ctx) != 0) {
        return 2;
    }
    tab = make_table(ctx);
    signal(SIGPIPE, SIG_IGN);
    result(save_to_closed_pipe(ctx, tab), "closed pipe, SIGPIPE ignored: IO with EPIPE");
    result(child_ends(save_with_default_signal, ctx, tab) == SIGPIPE,
           "closed pipe, SIGPIPE left alone: the signal, as for every program that writes");
    result(save_to_full_device(ctx, tab), "full device: IO with ENOSPC");
    result(child_ends(save_beyond_a_limit, ctx, tab) == 0, "no room for the new file: the old one stays");
    save_for_cutting(ctx, tab);
    result(child_ends(cut_read, ctx, tab) == 0, "cut while loaded, io.load_mode read: nothing happens");
    save_for_cutting(ctx, tab);
    result(child_ends(cut_mapped, ctx, tab) == SIGBUS,
           "cut while loaded, io.load_mode mapped: SIGBUS, as documented");
    save_for_cutting(ctx, tab);
    result(load_cut_files(ctx, "read"), "cut before it is loaded, read");
    save_for_cutting(ctx, tab);
    result(load_cut_files(ctx, "mapped"), "cut before it is loaded, mapped");
    snprintf(path, sizeof path, "%s/cut.arrow", dir);
    unlink(path);
    result(rmdir(dir) == 0, "no file is left behind");
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
    printf("1..%d\n", tests);
    return failures > 0;
}
