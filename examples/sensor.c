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

#include "confine.h"
#include "sensor.h"

#define FLOW_BYTES (INT64_C(128) << 20) /* open flows, unless -O flow.max_bytes says otherwise */

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

volatile sig_atomic_t stop_wanted, rotate_wanted;

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

static int parse(struct sensor *s, int argc, char **argv)
{
    struct option longs[] = {{"user", 1, NULL, 'u'},
                             {"filter", 1, NULL, 'f'},
                             {"pipeline", 1, NULL, 'p'},
                             {"rotate", 1, NULL, 's'},
                             {"rotate-rows", 1, NULL, 'n'},
                             {"memory", 1, NULL, 'm'},
                             {"report", 1, NULL, 'r'},
                             {"flows", 0, &s->with_flows, 1},
                             {"help", 0, NULL, 'h'},
                             {"no-packets", 0, &s->no_packets, 1},
                             {"no-seccomp", 0, &s->no_seccomp, 1},
                             {0}};
    int code = 0;

    for (int c; code == 0 && (c = getopt_long(argc, argv, "i:d:u:f:p:c:O:h", longs, NULL)) != -1;) {
        switch (c) {
        case 0:
            break;
        case 'i':
            s->device = optarg;
            break;
        case 'd':
            s->folder = optarg;
            break;
        case 'u':
            s->user = optarg;
            break;
        case 'p':
            s->pipeline = optarg;
            break;
        case 'c':
            s->columns = optarg;
            break;
        case 'f':
            code = netfeat_options_set_text(s->opts, NETFEAT_OPT_SOURCE_FILTER, optarg);
            break;
        case 'O':
            code = example_option(s->opts, optarg);
            break;
        case 's':
            code = number(optarg, &s->rotate_seconds);
            break;
        case 'n':
            code = number(optarg, &s->rotate_rows);
            break;
        case 'm':
            code = number(optarg, &s->memory_mib);
            break;
        case 'r':
            code = number(optarg, &s->report_seconds);
            break;
        default:
            code = 1;
            s->help = c == 'h';
        }
    }
    if (code == 0 && s->user == NULL && geteuid() == 0) {
        fputs(PROGRAM ": root has to name a user with --user\n", stderr);
        return 1;
    }
    return code != 0 || optind < argc || s->device == NULL || s->folder == NULL;
}

/* ---- at the start ---- */

/* Packets that the device had no room for, which no packet socket knows; negative: it does not say. */
static int64_t missed(const struct sensor *s)
{
    char text[32] = "";

    return s->missed_fd >= 0 && pread(s->missed_fd, text, sizeof text - 1, 0) > 0 ? strtoll(text, NULL, 10)
                                                                                  : -1;
}

/* All that takes rights, or files that cannot be opened later. */
static int open_device(struct sensor *s)
{
    char path[128];

    snprintf(path, sizeof path, "/sys/class/net/%.32s/statistics/rx_missed_errors", s->device);
    s->missed_fd = open(path, O_RDONLY | O_CLOEXEC);
    s->missed = missed(s);
    s->link_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    s->link_up = 1;
    if (netfeat_ctx_set_memory_limit(s->ctx, (uint64_t)s->memory_mib << 20) != 0 ||
        netfeat_source_open_live(s->ctx, s->device, s->opts, &s->src) != 0) {
        return example_fail(s->ctx, &s->progress, s->device);
    }
    return 0;
}

static int confine(struct sensor *s)
{
    static const char *const filter[] = {"none: built without libseccomp", "on"};
    int code = confine_user(PROGRAM, s->user);

    s->directory = code == 0 ? open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (code == 0 && (s->directory < 0 || faccessat(s->directory, ".", W_OK | X_OK, AT_EACCESS) != 0)) {
        perror(s->folder);
        code = -1;
    }
    code = code != 0 ? EXIT_INPUT : sensor_prepare(s);
    if (code == 0) {
        int user = (int)geteuid();
        int kind = s->no_seccomp ? 0 : confine_calls(PROGRAM, s->directory);
        code = kind < 0 ? EXIT_INPUT : 0;
        fprintf(stderr, PROGRAM ": %s open; user %d, system call filter %s\n", s->device, user,
                s->no_seccomp ? "off" : filter[kind > 0]);
    }
    return code;
}

/* ---- until a signal ---- */

static void rotate(struct sensor *s)
{
    double now = example_now();
    int wanted = rotate_wanted;

    rotate_wanted = 0;
    for (int i = 0; i < OUTPUTS; i++) {
        struct output *o = &s->out[i];
        if (wanted || (s->rotate_seconds > 0 && now - o->started >= (double)s->rotate_seconds) ||
            (s->rotate_rows > 0 && o->rows >= s->rotate_rows)) {
            output_rotate(o);
        }
    }
}

static void watch_link(struct sensor *s)
{
    struct ifreq request;
    int up;

    memset(&request, 0, sizeof request);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", s->device);
    if (s->link_socket < 0 || ioctl(s->link_socket, SIOCGIFFLAGS, &request) != 0) {
        return;
    }
    up = (request.ifr_flags & IFF_UP) != 0 && (request.ifr_flags & IFF_RUNNING) != 0;
    if (up != s->link_up) {
        fprintf(stderr, PROGRAM ": %s is %s\n", s->device, up ? "up" : "down; waiting");
        s->link_up = up;
    }
}

static void report(struct sensor *s)
{
    fprintf(stderr, PROGRAM ": %" PRId64 " packets, kernel received %" PRId64 ", dropped %" PRId64,
            netfeat_source_count(s->src, NETFEAT_COUNT_DELIVERED),
            netfeat_source_count(s->src, NETFEAT_COUNT_KERNEL_RECEIVED),
            netfeat_source_count(s->src, NETFEAT_COUNT_KERNEL_DROPPED));
    if (s->missed >= 0) {
        fprintf(stderr, ", device missed %" PRId64, missed(s) - s->missed);
    }
    for (int i = 0; i < OUTPUTS; i++) {
        const struct output *o = &s->out[i];
        if ((i == PACKETS && s->no_packets) || (i == FLOWS && s->flows == NULL) ||
            (i == FEATURES && s->pipe == NULL)) {
            continue;
        }
        fprintf(stderr, "; %s: %" PRId64 " rows in %" PRId64 " files, %" PRId64 " lost", o->prefix,
                o->written, o->files, o->lost);
    }
    if (s->flows != NULL) {
        fprintf(stderr, "; flows open %" PRId64 ", evicted %" PRId64 ", packets left out %" PRId64,
                netfeat_flows_count(s->flows, NETFEAT_FLOWS_OPEN),
                netfeat_flows_count(s->flows, NETFEAT_FLOWS_EVICTED), s->flow_failures);
    }
    if (s->pipe != NULL) {
        fprintf(stderr, "; pipeline packets left out %" PRId64, s->pipeline_failures);
    }
    fprintf(stderr, "; memory %" PRIu64 " KiB, peak %" PRIu64 " KiB\n", netfeat_ctx_memory_used(s->ctx) >> 10,
            netfeat_ctx_memory_peak(s->ctx) >> 10);
}

static int capture(struct sensor *s)
{
    int code = 0;

    s->report_at = example_now() + (double)s->report_seconds;
    while (code == 0 && !stop_wanted) {
        code = sensor_batch(s);
        sensor_expire(s, 0);
        rotate(s);
        watch_link(s);
        if (s->report_seconds > 0 && example_now() >= s->report_at) {
            report(s);
            s->report_at = example_now() + (double)s->report_seconds;
        }
    }
    if (code == 0) {
        s->last = 1;
        code = sensor_batch(s);
    }
    sensor_expire(s, 1);
    for (int i = 0; i < OUTPUTS; i++) {
        output_rotate(&s->out[i]);
    }
    report(s);
    return code;
}

static int run(struct sensor *s, int argc, char **argv)
{
    int code;

    netfeat_options_set_text(s->opts, NETFEAT_OPT_IO_FORMAT, "stream");
    netfeat_options_set_text(s->opts, NETFEAT_OPT_IO_LOAD_MODE, "read");
    netfeat_options_set_int(s->opts, NETFEAT_OPT_FLOW_MAX_BYTES, FLOW_BYTES);
    if (parse(s, argc, argv) != 0) {
        fputs(usage, s->help ? stdout : stderr);
        return s->help ? 0 : EXIT_USAGE;
    }
    catch_signals();
    code = open_device(s);
    code = code != 0 ? code : confine(s);
    return code != 0 ? code : capture(s);
}

int main(int argc, char **argv)
{
    struct sensor sensor = {.progress = {.program = PROGRAM},
                            .directory = -1,
                            .link_socket = -1,
                            .rotate_seconds = 300,
                            .memory_mib = 512,
                            .report_seconds = 60};
    int code = EXIT_INPUT;

    if (netfeat_ctx_new(&sensor.ctx) == 0 && netfeat_options_new(sensor.ctx, &sensor.opts) == 0) {
        code = run(&sensor, argc, argv);
    }
    netfeat_pipeline_unref(sensor.pipe);
    netfeat_flows_unref(sensor.flows);
    netfeat_source_unref(sensor.src);
    netfeat_options_unref(sensor.opts);
    netfeat_ctx_unref(sensor.ctx);
    return code;
}
