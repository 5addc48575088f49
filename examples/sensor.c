/* netfeat-sensor: packets, flows and the features of a saved pipeline from a network device, into Arrow files that
   appear when they are whole. Opens the device, gives up its rights and most system calls, and only then looks at a
   packet. Memory is bounded; what is lost is counted and said. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "confine.h"
#include "rotate.h"

#define PROGRAM       "netfeat-sensor"
#define BATCH_ROWS    16384
#define BATCH_SECONDS 1.0                 /* a batch waits no longer for packets */
#define LATE_NS       INT64_C(2000000000) /* a packet comes no later than this after its time */
#define FLOW_BYTES    (INT64_C(128) << 20)
#define NAMES_BYTES   8192

enum { PACKETS, FLOWS, FEATURES, OUTPUTS };

struct job {
    netfeat_ctx *ctx;
    netfeat_options *opts;
    netfeat_source *src;
    netfeat_flows *flows;   /* NULL: none */
    netfeat_pipeline *pipe; /* NULL: none */
    struct progress progress;
    struct output out[OUTPUTS];
    const char *device, *folder, *pipeline, *user, *columns;
    int directory, link_socket, link_up;
    int wanted; /* packet columns that are written: the first ones of the table; 0: none */
    int key[2]; /* packet_number and timestamp among the columns */
    double batch_until, report_at;
    int64_t rotate_seconds, rotate_rows, memory_mib, report_seconds;
    int64_t flow_failures, pipeline_failures; /* packets that did not get there */
    int with_flows, no_packets, no_seccomp, help;
};

static const char usage[] =
    "usage: netfeat-sensor -i DEVICE -d DIR [--user USER] [-f FILTER] [--flows] [--pipeline FILE]\n"
    "                      [--no-packets] [-c COLUMN,...] [--rotate SECONDS] [--rotate-rows N]\n"
    "                      [--memory MIB] [--report SECONDS] [-O NAME=VALUE] [--no-seccomp]\n"
    "Captures until SIGINT or SIGTERM; writes Arrow IPC streams (.arrows) into DIR, each of which takes\n"
    "its name when it is whole: packets-TIME, flows-TIME, features-TIME.\n"
    "  -i DEVICE          the network device\n"
    "  -d DIR             an existing directory that USER can write to\n"
    "  --user USER        who to be once the device is open; root has to say it, even to stay root\n"
    "  -f, --filter EXPR  only packets that match this pcap-filter expression\n"
    "  --flows            also one row per flow; rules and columns: -O flow.profile=..., flow.columns=...\n"
    "  --pipeline FILE    also the features of this saved pipeline, with packet_number and timestamp\n"
    "  --no-packets       no packets-TIME\n"
    "  -c LIST            these packet columns (default: all but payload and the optional ones)\n"
    "  --rotate SECONDS   begin new files after so long (default 300), after N rows, and at SIGHUP\n"
    "  --rotate-rows N\n"
    "  --memory MIB       most memory of the library, the kernel's buffer included (default 512)\n"
    "  --report SECONDS   what was seen, written and lost, on standard error (default 60)\n"
    "  -O NAME=VALUE      any option of the library, as flow.max_bytes=33554432\n"
    "  --no-seccomp       no filter for system calls\n"
    "Exit status: 0 stopped by a signal; 1 the device is gone, or something at the start; 2 wrong usage.\n";

/* ---- signals ---- */

static volatile sig_atomic_t stop_wanted, rotate_wanted;

static void on_signal(int number)
{
    if (number == SIGHUP) {
        rotate_wanted = 1;
    } else {
        stop_wanted = 1;
    }
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    tzset(); /* later it could not read its file */
}

/* ---- command line ---- */

static int number(const char *text, int64_t *ret)
{
    char *end = NULL;

    errno = 0;
    *ret = strtoll(text, &end, 10);
    return errno != 0 || end == text || *end != '\0' || *ret < 0;
}

static int parse(struct job *job, int argc, char **argv)
{
    struct option longs[] = {{"user", 1, NULL, 'u'},
                             {"filter", 1, NULL, 'f'},
                             {"pipeline", 1, NULL, 'p'},
                             {"rotate", 1, NULL, 's'},
                             {"rotate-rows", 1, NULL, 'n'},
                             {"memory", 1, NULL, 'm'},
                             {"report", 1, NULL, 'r'},
                             {"flows", 0, &job->with_flows, 1},
                             {"help", 0, NULL, 'h'},
                             {"no-packets", 0, &job->no_packets, 1},
                             {"no-seccomp", 0, &job->no_seccomp, 1},
                             {0}};
    int code = 0;

    for (int c; code == 0 && (c = getopt_long(argc, argv, "i:d:u:f:p:c:O:h", longs, NULL)) != -1;) {
        switch (c) {
        case 0:
            break;
        case 'i':
            job->device = optarg;
            break;
        case 'd':
            job->folder = optarg;
            break;
        case 'u':
            job->user = optarg;
            break;
        case 'p':
            job->pipeline = optarg;
            break;
        case 'c':
            job->columns = optarg;
            break;
        case 'f':
            code = netfeat_options_set_text(job->opts, NETFEAT_OPT_SOURCE_FILTER, optarg);
            break;
        case 'O':
            code = example_option(job->opts, optarg);
            break;
        case 's':
            code = number(optarg, &job->rotate_seconds);
            break;
        case 'n':
            code = number(optarg, &job->rotate_rows);
            break;
        case 'm':
            code = number(optarg, &job->memory_mib);
            break;
        case 'r':
            code = number(optarg, &job->report_seconds);
            break;
        default:
            code = 1;
            job->help = c == 'h';
        }
    }
    if (code == 0 && job->user == NULL && geteuid() == 0) {
        fputs(PROGRAM ": root has to name a user with --user\n", stderr);
        return 1;
    }
    return code != 0 || optind < argc || job->device == NULL || job->folder == NULL;
}

/* ---- at the start ---- */

/* Put a name behind the list, unless the table has that column already. */
static int add_name(char *list, const netfeat_table *tab, const char *name)
{
    const char *at = list;
    size_t n = strlen(name);

    while ((at = strstr(at, name)) != NULL &&
           ((at != list && at[-1] != ',') || (at[n] != ',' && at[n] != '\0'))) {
        at += n;
    }
    if (at != NULL || netfeat_table_find(tab, name) >= 0 || netfeat_field_by_name(name) <= 0) {
        return 0;
    }
    if (strlen(list) + n + 2 > NAMES_BYTES) {
        return NETFEAT_ERR_LIMIT;
    }
    strcat(strcat(list, ","), name);
    return 0;
}

/* First the columns to be written, then what flows and pipeline need beside them. */
static int choose_columns(struct job *job)
{
    char list[NAMES_BYTES] = "*";
    const char *name;
    netfeat_table *tab = NULL;
    int code = 0;

    if (job->columns != NULL) {
        snprintf(list, sizeof list, "%s", job->columns);
    }
    code = netfeat_options_set_text(job->opts, NETFEAT_OPT_TABLE_COLUMNS, list);
    code = code != 0 ? code : netfeat_table_new(job->ctx, job->opts, &tab);
    job->wanted = netfeat_table_width(tab);
    code = code != 0 ? code : add_name(list, tab, "packet_number");
    code = code != 0 ? code : add_name(list, tab, "timestamp");
    for (int i = 0;
         code == 0 && job->flows != NULL && (name = netfeat_flows_input_name(job->flows, i)) != NULL; i++) {
        code = add_name(list, tab, name);
    }
    for (int i = 0; code == 0 && job->pipe != NULL && i < netfeat_pipeline_steps(job->pipe); i++) {
        for (int k = 0; code == 0 && k < netfeat_pipeline_step_inputs(job->pipe, i); k++) {
            code = add_name(list, tab, netfeat_pipeline_step_input(job->pipe, i, k));
        }
    }
    netfeat_table_unref(tab);
    return code != 0 ? code : netfeat_options_set_text(job->opts, NETFEAT_OPT_TABLE_COLUMNS, list);
}

static int load_pipeline(struct job *job)
{
    netfeat_table *tab = NULL;
    int code = netfeat_table_load_file(job->ctx, job->pipeline, job->opts, &tab);

    code = code != 0 ? code : netfeat_pipeline_from_table(job->ctx, tab, &job->pipe);
    code = code != 0 ? code : netfeat_pipeline_reset(job->pipe); /* begin anew, whatever it saw */
    netfeat_table_unref(tab);
    return code;
}

/* What is there while the device still has all rights. */
static int open_device(struct job *job)
{
    job->link_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    job->link_up = 1;
    if (netfeat_ctx_set_memory_limit(job->ctx, (uint64_t)job->memory_mib << 20) != 0 ||
        netfeat_source_open_live(job->ctx, job->device, job->opts, &job->src) != 0) {
        return example_fail(job->ctx, &job->progress, job->device);
    }
    return 0;
}

static int process(struct job *job, netfeat_table *tab);

/* A batch without rows goes all the way: what does not fit together shows now, not with the first packet. */
static int rehearse(struct job *job)
{
    netfeat_table *tab = NULL;
    int code = netfeat_table_new(job->ctx, job->opts, &tab);

    code = code != 0 ? code : netfeat_table_seal(tab);
    job->key[0] = netfeat_table_find(tab, "packet_number");
    job->key[1] = netfeat_table_find(tab, "timestamp");
    code = code != 0 ? code : process(job, tab);
    netfeat_table_unref(tab);
    return code;
}

static int prepare(struct job *job)
{
    static const char *const prefixes[] = {"packets", "flows", "features"};
    const char *what = job->pipeline;
    int code = job->pipeline != NULL ? load_pipeline(job) : 0;

    if (code == 0) {
        what = "set-up";
        code = job->with_flows ? netfeat_flows_new(job->ctx, job->opts, &job->flows) : 0;
        code = code != 0 ? code : choose_columns(job);
    }
    for (int i = 0; i < OUTPUTS; i++) {
        output_init(&job->out[i], prefixes[i], job->ctx, job->opts, job->directory);
    }
    code = code != 0 ? code : rehearse(job);
    return code != 0 ? example_fail(job->ctx, &job->progress, what) : 0;
}

static int confine(struct job *job)
{
    static const char *const filter[] = {"none: built without libseccomp", "on"};
    int code = confine_user(PROGRAM, job->user);

    job->directory = code == 0 ? open(job->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (code == 0 && (job->directory < 0 || faccessat(job->directory, ".", W_OK | X_OK, AT_EACCESS) != 0)) {
        perror(job->folder);
        code = -1;
    }
    code = code != 0 ? EXIT_INPUT : prepare(job);
    if (code == 0) {
        int kind = job->no_seccomp ? 0 : confine_calls(PROGRAM, job->directory);
        code = kind < 0 ? EXIT_INPUT : 0;
        fprintf(stderr, PROGRAM ": %s open; user %d, system call filter %s\n", job->device, (int)geteuid(),
                job->no_seccomp ? "off" : filter[kind > 0]);
    }
    return code;
}

/* ---- packets in, files out ---- */

/* A part of the work failed for a batch: counted, said the first time. */
static void skip(struct job *job, const char *what, int64_t rows, int64_t *count)
{
    if (*count == 0) {
        fprintf(stderr, PROGRAM ": %s: %" PRId64 " packets left out: %s\n", what, rows,
                netfeat_ctx_error_message(job->ctx));
    }
    *count += rows;
}

static int write_packets(struct job *job, const netfeat_table *tab)
{
    int columns[NAMES_BYTES / 2];
    netfeat_table *chosen = NULL;
    int code;

    for (int i = 0; i < job->wanted; i++) {
        columns[i] = i;
    }
    code = netfeat_table_select(job->ctx, tab, columns, (size_t)job->wanted, &chosen);
    if (code == 0) {
        output_write(&job->out[PACKETS], chosen);
    }
    netfeat_table_unref(chosen);
    return code;
}

static int write_features(struct job *job, const netfeat_table *tab)
{
    netfeat_table *features = NULL, *keys = NULL, *both = NULL;
    int code = netfeat_pipeline_apply(job->pipe, tab, &features);

    code = code != 0 ? code : netfeat_table_select(job->ctx, tab, job->key, 2, &keys);
    code = code != 0 ? code : netfeat_table_join(job->ctx, keys, features, &both);
    if (code == 0) {
        output_write(&job->out[FEATURES], both);
    }
    netfeat_table_unref(both);
    netfeat_table_unref(keys);
    netfeat_table_unref(features);
    return code;
}

static void write_flows(struct job *job)
{
    netfeat_table *tab = NULL;

    if (netfeat_flows_take(job->flows, &tab) > 0) {
        output_write(&job->out[FLOWS], tab);
    }
    netfeat_table_unref(tab);
}

static int process(struct job *job, netfeat_table *tab)
{
    int64_t rows = netfeat_table_rows(tab);
    int code = 0, first = 0;

    if (job->flows != NULL) {
        int64_t before = netfeat_flows_count(job->flows, NETFEAT_FLOWS_PACKETS);
        first = netfeat_flows_feed(job->flows, tab, NULL);
        if (first != 0) {
            skip(job, "flows", rows - (netfeat_flows_count(job->flows, NETFEAT_FLOWS_PACKETS) - before),
                 &job->flow_failures);
        }
        write_flows(job);
    }
    if (job->pipe != NULL && (code = write_features(job, tab)) != 0) {
        skip(job, "pipeline", rows, &job->pipeline_failures);
        first = first != 0 ? first : code;
    }
    if (!job->no_packets && (code = write_packets(job, tab)) != 0) {
        skip(job, "packets", rows, &job->out[PACKETS].lost);
        first = first != 0 ? first : code;
    }
    return first;
}

/* Called by the library while it waits for packets and after each bundle of them. */
static int enough(void *user, int64_t packets, int64_t bytes, int64_t total)
{
    const struct job *job = user;

    (void)packets;
    (void)bytes;
    (void)total;
    return stop_wanted || rotate_wanted || example_now() >= job->batch_until;
}

/* A batch of what came within BATCH_SECONDS. 0, or the exit code: the device is gone, or no memory for one packet. */
static int next_batch(struct job *job)
{
    netfeat_table *tab = NULL;
    int64_t n = 0, rows = 0;
    int code = netfeat_table_new(job->ctx, job->opts, &tab);

    if (code == 0) {
        job->batch_until = example_now() + BATCH_SECONDS;
        netfeat_ctx_set_progress(job->ctx, enough, job);
        n = netfeat_table_append_source(tab, job->src, BATCH_ROWS);
        netfeat_ctx_set_progress(job->ctx, NULL, NULL);
        rows = netfeat_table_rows(tab);
    }
    code = code == 0 && n < 0 && n != NETFEAT_ERR_CANCELLED ? (int)n : code;
    if (code != 0) {
        code = example_fail(job->ctx, &job->progress, job->device);
    }
    if (rows > 0 && netfeat_table_seal(tab) == 0) {
        process(job, tab);
        code = 0; /* a full memory is empty again; a device that is gone says so again */
    }
    netfeat_table_unref(tab);
    return code;
}

static void expire(struct job *job)
{
    struct timespec now;

    if (job->flows != NULL) {
        clock_gettime(CLOCK_REALTIME, &now);
        netfeat_flows_expire(job->flows, (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec - LATE_NS);
        write_flows(job);
    }
}

static void rotate(struct job *job)
{
    double now = example_now();

    for (int i = 0; i < OUTPUTS; i++) {
        struct output *o = &job->out[i];
        if (rotate_wanted || (job->rotate_seconds > 0 && now - o->started >= (double)job->rotate_seconds) ||
            (job->rotate_rows > 0 && o->rows >= job->rotate_rows)) {
            output_rotate(o);
        }
    }
    rotate_wanted = 0;
}

static void watch_link(struct job *job)
{
    struct ifreq request;
    int up;

    memset(&request, 0, sizeof request);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", job->device);
    if (job->link_socket < 0 || ioctl(job->link_socket, SIOCGIFFLAGS, &request) != 0) {
        return;
    }
    up = (request.ifr_flags & IFF_UP) != 0 && (request.ifr_flags & IFF_RUNNING) != 0;
    if (up != job->link_up) {
        fprintf(stderr, PROGRAM ": %s is %s\n", job->device, up ? "up" : "down; waiting");
        job->link_up = up;
    }
}

static void report(struct job *job)
{
    fprintf(stderr, PROGRAM ": %" PRId64 " packets, kernel received %" PRId64 ", dropped %" PRId64,
            netfeat_source_count(job->src, NETFEAT_COUNT_DELIVERED),
            netfeat_source_count(job->src, NETFEAT_COUNT_KERNEL_RECEIVED),
            netfeat_source_count(job->src, NETFEAT_COUNT_KERNEL_DROPPED));
    for (int i = 0; i < OUTPUTS; i++) {
        const struct output *o = &job->out[i];
        fprintf(stderr, "; %s: %" PRId64 " rows in %" PRId64 " files, %" PRId64 " lost", o->prefix,
                o->written, o->files, o->lost);
    }
    if (job->flows != NULL) {
        fprintf(stderr, "; flows open %" PRId64 ", evicted %" PRId64 ", packets left out %" PRId64,
                netfeat_flows_count(job->flows, NETFEAT_FLOWS_OPEN),
                netfeat_flows_count(job->flows, NETFEAT_FLOWS_EVICTED), job->flow_failures);
    }
    if (job->pipe != NULL) {
        fprintf(stderr, "; pipeline packets left out %" PRId64, job->pipeline_failures);
    }
    fprintf(stderr, "; memory %" PRIu64 " KiB, peak %" PRIu64 " KiB\n",
            netfeat_ctx_memory_used(job->ctx) >> 10, netfeat_ctx_memory_peak(job->ctx) >> 10);
}

static int capture(struct job *job)
{
    int code = 0;

    job->report_at = example_now() + (double)job->report_seconds;
    while (code == 0 && !stop_wanted) {
        code = next_batch(job);
        expire(job);
        rotate(job);
        watch_link(job);
        if (job->report_seconds > 0 && example_now() >= job->report_at) {
            report(job);
            job->report_at = example_now() + (double)job->report_seconds;
        }
    }
    if (job->flows != NULL && netfeat_flows_end(job->flows) == 0) {
        write_flows(job);
    }
    for (int i = 0; i < OUTPUTS; i++) {
        output_rotate(&job->out[i]);
    }
    report(job);
    return code;
}

static int run(struct job *job, int argc, char **argv)
{
    int code;

    netfeat_options_set_text(job->opts, NETFEAT_OPT_IO_FORMAT, "stream");
    netfeat_options_set_text(job->opts, NETFEAT_OPT_IO_LOAD_MODE, "read");
    netfeat_options_set_int(job->opts, NETFEAT_OPT_FLOW_MAX_BYTES, FLOW_BYTES);
    if (parse(job, argc, argv) != 0) {
        fputs(usage, job->help ? stdout : stderr);
        return job->help ? 0 : EXIT_USAGE;
    }
    catch_signals();
    code = open_device(job);
    code = code != 0 ? code : confine(job);
    return code != 0 ? code : capture(job);
}

int main(int argc, char **argv)
{
    struct job job = {.progress = {.program = PROGRAM},
                      .directory = -1,
                      .link_socket = -1,
                      .rotate_seconds = 300,
                      .memory_mib = 512,
                      .report_seconds = 60};
    int code = EXIT_INPUT;

    if (netfeat_ctx_new(&job.ctx) == 0 && netfeat_options_new(job.ctx, &job.opts) == 0) {
        code = run(&job, argc, argv);
    }
    netfeat_pipeline_unref(job.pipe);
    netfeat_flows_unref(job.flows);
    netfeat_source_unref(job.src);
    netfeat_options_unref(job.opts);
    netfeat_ctx_unref(job.ctx);
    return code;
}
