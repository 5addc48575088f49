/* Saving to and loading from descriptors that do not block: whoever is on the other side may be slow. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "export_check.h"

enum { PIECE = 3000, PAUSES = 40, PAUSE_US = 1000 };

typedef struct {
    int fd;
    uint8_t *data;
    size_t size, cap;
    int failed;
} other_side;

static void pause_now_and_then(int round)
{
    if (round < PAUSES) {
        usleep(PAUSE_US);
    }
}

static void *read_slowly(void *user)
{
    other_side *o = user;
    ssize_t n = 1;

    for (int round = 0; n > 0 && !o->failed; round++) {
        pause_now_and_then(round);
        if (o->cap - o->size < PIECE) {
            o->cap = 2 * o->cap + PIECE;
            o->data = realloc(o->data, o->cap);
        }
        n = o->data != NULL ? read(o->fd, o->data + o->size, PIECE) : -1;
        o->size += n > 0 ? (size_t)n : 0;
        o->failed = n < 0;
    }
    return NULL;
}

static void *write_slowly(void *user)
{
    other_side *o = user;
    size_t at = 0;

    for (int round = 0; at < o->size && !o->failed; round++) {
        ssize_t n;
        pause_now_and_then(round);
        n = write(o->fd, o->data + at, o->size - at < PIECE ? o->size - at : PIECE);
        at += n > 0 ? (size_t)n : 0;
        o->failed = n <= 0;
    }
    close(o->fd);
    return NULL;
}

/* A pipe whose end `ours` does not block; the other end is o's. */
static int open_pipe(other_side *o, int ours)
{
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(fcntl(ends[ours], F_SETFL, O_NONBLOCK), 0);
    o->fd = ends[!ours];
    return ends[ours];
}

Test(nonblock, save_and_load)
{
    static const char *const formats[] = {"arrow", "stream"};

    for (int i = 0; i < 2; i++) {
        netfeat_ctx *ctx = NULL;
        netfeat_options *opts = NULL;
        netfeat_table *tab = NULL, *back = NULL;
        other_side o = {.fd = -1};
        pthread_t thread;
        int fd = open_pipe(&o, 1);

        cr_assert_eq(netfeat_ctx_new(&ctx), 0);
        cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
        cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_IO_FORMAT, formats[i]), 0);
        cr_assert_eq(check_table(ctx, 3000, true, &tab), 0);
        cr_assert_eq(pthread_create(&thread, NULL, read_slowly, &o), 0);
        cr_assert_eq(netfeat_table_save_fd(ctx, tab, fd, opts), 0, "%s", netfeat_ctx_error_message(ctx));
        close(fd);
        cr_assert_eq(pthread_join(thread, NULL), 0);
        close(o.fd);
        cr_assert(!o.failed);
        cr_assert_gt(o.size, 200000, "%zu bytes fit into the pipe", o.size);

        fd = open_pipe(&o, 0);
        cr_assert_eq(pthread_create(&thread, NULL, write_slowly, &o), 0);
        cr_assert_eq(netfeat_table_load_fd(ctx, fd, opts, &back), 0, "%s", netfeat_ctx_error_message(ctx));
        cr_assert_eq(pthread_join(thread, NULL), 0);
        close(fd);
        cr_expect_not(o.failed);
        cr_expect_null(check_same(tab, back, true));
        free(o.data);
        netfeat_table_unref(back);
        netfeat_table_unref(tab);
        netfeat_options_unref(opts);
        netfeat_ctx_unref(ctx);
    }
}
