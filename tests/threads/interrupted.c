/* A timer's signal handler interrupts reading, flows, streams and saving at random moments: a call is either done or
   says CANCELLED with everything before kept, and going on gives what an undisturbed run gives.
   usage: interrupted CONNECTIONS ROUNDS */
#define _GNU_SOURCE /* memfd_create, timer_create */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "threads.h"

static struct {
    netfeat_ctx *ctx;
    void *data;
    size_t size;
    timer_t timer;
    uint64_t random;
    uint64_t rows, flows, streams, events;
    int64_t cancelled, signals;
    char path[64];
} t;

static volatile sig_atomic_t fired;

static void on_timer(int number)
{
    (void)number;
    fired++;
    netfeat_ctx_interrupt(t.ctx);
}

/* From now on, once, after up to this many microseconds; 0: not at all. */
static void arm(uint32_t most_us)
{
    struct itimerspec when;

    memset(&when, 0, sizeof when);
    when.it_value.tv_nsec = most_us > 0 ? 1000 + 1000 * (long)threads_random(&t.random, most_us) : 0;
    CHECK(timer_settime(t.timer, 0, &when, NULL) == 0);
}

/* 1 when a call was cancelled, and is to be made again; 0 when it was done. The next interrupt is armed. */
static int again(int64_t code, uint32_t most_us)
{
    if (code == NETFEAT_ERR_CANCELLED) {
        t.cancelled++;
    } else {
        MUST(t.ctx, code);
    }
    if (most_us > 0) {
        arm(most_us);
    }
    return code == NETFEAT_ERR_CANCELLED;
}

static netfeat_source *source(void)
{
    netfeat_source *src = NULL;
    int code;

    do {
        code = netfeat_source_open_memory(t.ctx, t.data, t.size, NULL, &src);
    } while (again(code, 0));
    return src;
}

/* Rows so far never become fewer, and in the end they are all. */
static netfeat_table *rows(uint32_t us)
{
    netfeat_source *src = source();
    netfeat_table *tab = NULL;
    int64_t before = 0, code;

    MUST(t.ctx, netfeat_table_new(t.ctx, NULL, &tab));
    arm(us);
    do {
        code = netfeat_table_append_source(tab, src, -1);
        CHECK(netfeat_table_rows(tab) >= before);
        CHECK(netfeat_table_rows(tab) == netfeat_source_count(src, NETFEAT_COUNT_DELIVERED));
        before = netfeat_table_rows(tab);
    } while (again(code, us));
    arm(0);
    MUST(t.ctx, netfeat_table_seal(tab));
    netfeat_source_unref(src);
    return tab;
}

static uint64_t flows(netfeat_table *tab, uint32_t us)
{
    netfeat_flows *flows = NULL;
    netfeat_table *rest = NULL, *out = NULL;
    int64_t fed = 0, n = netfeat_table_rows(tab);
    uint64_t h;
    int code;

    MUST(t.ctx, netfeat_flows_new(t.ctx, NULL, &flows));
    arm(us);
    do {
        do {
            rest = netfeat_table_unref(rest);
            code = netfeat_table_slice(t.ctx, tab, fed, n - fed, &rest);
        } while (again(code, 0));
        code = netfeat_flows_feed(flows, rest, NULL);
        CHECK(netfeat_flows_count(flows, NETFEAT_FLOWS_PACKETS) >= fed);
        fed = netfeat_flows_count(flows, NETFEAT_FLOWS_PACKETS);
    } while (again(code, us));
    CHECK(fed == n);
    MUST(t.ctx, netfeat_flows_end(flows));
    do {
        code = netfeat_flows_take_all(flows, &out);
    } while (again(code, us));
    arm(0);
    h = threads_digest(out);
    netfeat_table_unref(out);
    netfeat_table_unref(rest);
    netfeat_flows_unref(flows);
    return h;
}

/* Events, one by one. */
static uint64_t streams(uint32_t us)
{
    netfeat_source *src = source();
    netfeat_streams *st = NULL;
    uint64_t h = 1;
    int code;

    MUST(t.ctx, netfeat_streams_new(t.ctx, NULL, &st));
    MUST(t.ctx, netfeat_streams_feed_source(st, src));
    netfeat_source_unref(src);
    for (int ended = 0;;) {
        if (us > 0 && threads_random(&t.random, 64) == 0) {
            arm(us);
        }
        code = netfeat_streams_step(st);
        if (code == 1) {
            h = h * 31 + (uint64_t)netfeat_streams_event(st) * 7 + netfeat_streams_offset(st);
            h = h * 31 + netfeat_streams_size(st) + netfeat_streams_id(st);
        } else if (!again(code, 0) && ended) {
            break;
        } else if (code == 0) {
            MUST(t.ctx, netfeat_streams_end(st));
            ended = 1;
        }
    }
    arm(0);
    netfeat_streams_unref(st);
    return h;
}

/* A table of streams is made whole or not at all. */
static uint64_t stream_table(uint32_t us)
{
    netfeat_table *tab = NULL;
    uint64_t h;
    int code;

    for (int tries = 0;; tries++) {
        netfeat_source *src = source();
        arm(tries < 20 ? us : 0); /* there is no going on: at last it has to be left alone */
        code = netfeat_stream_table(t.ctx, src, NULL, &tab);
        netfeat_source_unref(src);
        if (!again(code, 0)) {
            break;
        }
        CHECK(tab == NULL);
    }
    arm(0);
    h = threads_digest(tab);
    netfeat_table_unref(tab);
    return h;
}

/* The old file stays until the new one is whole. */
static void save(netfeat_table *small, netfeat_table *large, uint32_t us)
{
    netfeat_options *opts = NULL;
    int code;

    MUST(t.ctx, netfeat_options_new(t.ctx, &opts));
    MUST(t.ctx, netfeat_options_set_int(opts, NETFEAT_OPT_IO_SYNC, 0));
    MUST(t.ctx, netfeat_options_set_int(opts, NETFEAT_OPT_IO_BATCH_ROWS, 1024));
    MUST(t.ctx, netfeat_table_save_file(t.ctx, small, t.path, opts));
    for (int tries = 0;; tries++) {
        netfeat_table *back = NULL;
        arm(tries < 20 ? us : 0);
        code = netfeat_table_save_file(t.ctx, large, t.path, opts);
        arm(0);
        if (!again(code, 0)) {
            break;
        }
        while (again(netfeat_table_load_file(t.ctx, t.path, NULL, &back), 0)) {
        }
        CHECK(netfeat_table_rows(back) == netfeat_table_rows(small));
        netfeat_table_unref(back);
    }
    netfeat_options_unref(opts);
}

static void one_round(void)
{
    uint32_t us = 1 + threads_random(&t.random, 4000);
    netfeat_table *tab = rows(us), *small = NULL;

    CHECK(threads_digest(tab) == t.rows);
    CHECK(flows(tab, us) == t.flows);
    CHECK(streams(us) == t.events);
    CHECK(stream_table(us) == t.streams);
    while (again(netfeat_table_slice(t.ctx, tab, 0, 10, &small), 0)) {
    }
    save(small, tab, us);
    netfeat_table_unref(small);
    netfeat_table_unref(tab);
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? atoi(argv[2]) : 20;
    struct sigaction action;
    struct sigevent event;
    netfeat_table *tab;

    memset(&action, 0, sizeof action);
    memset(&event, 0, sizeof event);
    action.sa_handler = on_timer;
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGALRM;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && timer_create(CLOCK_MONOTONIC, &event, &t.timer) == 0);
    snprintf(t.path, sizeof t.path, "/tmp/netfeat-interrupted-%d.arrow", (int)getpid());
    MUST(NULL, netfeat_ctx_new(&t.ctx));
    t.random = 11;
    t.data = threads_capture(argc > 1 ? atoi(argv[1]) : 10000, &t.size);
    tab = rows(0);
    t.rows = threads_digest(tab);
    t.flows = flows(tab, 0);
    netfeat_table_unref(tab);
    t.events = streams(0);
    t.streams = stream_table(0);
    for (int i = 0; i < rounds; i++) {
        one_round();
    }
    CHECK(t.cancelled > rounds); /* or nothing was tested */
    printf("ok: %d rounds, %d signals, %lld calls cancelled and gone on with\n", rounds, (int)fired,
           (long long)t.cancelled);
    unlink(t.path);
    timer_delete(t.timer);
    free(t.data);
    netfeat_ctx_unref(t.ctx);
    return 0;
}
