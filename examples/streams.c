/* netfeat-streams: TCP streams put back in order, one line per stream, with -d one file per direction, with --events
   one JSON object per event. Memory stays bounded whatever the capture holds. */
#define _GNU_SOURCE /* tdestroy */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "sha256.h"

#define MOST_POLICIES 64

struct policy {
    uint8_t address[16];
    int bits, policy;
};

struct job {
    netfeat_ctx *ctx;
    netfeat_options *opts;
    struct progress progress;
    const char *folder;
    int events, udp, help;
    struct policy policies[MOST_POLICIES]; /* by the receiver's address */
    int n_policies;
    void *tuples; /* how often each pair of endpoints was seen: see nth_of() */
};

/* One side of a stream as text. */
struct endpoint {
    uint8_t address[16];
    int port;
    char text[80]; /* 10.0.0.1:80, [2001:db8::1]:80 */
};

struct stream {
    struct endpoint side[2]; /* client, server */
    int client;              /* which endpoint of the library that is */
    int nth;
};

struct tuple {
    uint8_t key[36];
    uint64_t id; /* of the newest stream */
    int nth;
};

static const char usage[] =
    "usage: netfeat-streams [-d DIR] [--policy NAME] [--depth N] [--max-memory N] [--idle S] [--urgent "
    "oob|inline]\n"
    "                       [--events] [--udp] [--set OPTION=VALUE]... INPUT...\n"
    "Puts the TCP streams of each INPUT, a pcap or pcapng file (\"-\": standard input), back in order. "
    "Prints a line\n"
    "per stream: number, client, server, start, end, bytes and missing bytes of both sides, why it ended, "
    "its state.\n"
    "  -d DIR            write the bytes of each direction to a file in DIR; missing bytes are zeros\n"
    "  --policy NAME     first, last, bsd, linux (default), old-linux, solaris, windows: whose bytes count "
    "where\n"
    "                    segments overlap; 10.0.0.0/8=last: for what is sent to these addresses, may be "
    "repeated\n"
    "  --depth N         only the first N bytes of each direction; 0 (default): all\n"
    "  --max-memory N    memory for bytes held out of order, of all streams\n"
    "  --idle S          end a stream after S seconds of silence\n"
    "  --urgent HOW      oob (default): urgent bytes are apart from the others; inline: among them\n"
    "  --events          print events instead, one JSON object a line\n"
    "  --udp             UDP conversations, too; with --events a line with the SHA-256 of each whole "
    "datagram\n"
    "  --set NAME=VALUE  any option of the library that has a number, by its name (stream.max_segments=100)\n"
    "Exit status: 0 done; 1 an input could not be read to its end; 2 wrong usage; 130 interrupted.\n";

/* ---- who talks to whom ---- */

static void describe(netfeat_streams *st, int which, struct endpoint *e)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char address[INET6_ADDRSTRLEN] = "";

    netfeat_streams_endpoint(st, which, e->address, &e->port);
    if (memcmp(e->address, mapped, sizeof mapped) == 0) {
        inet_ntop(AF_INET, e->address + 12, address, sizeof address);
        snprintf(e->text, sizeof e->text, "%s:%d", address, e->port);
    } else {
        inet_ntop(AF_INET6, e->address, address, sizeof address);
        snprintf(e->text, sizeof e->text, "[%s]:%d", address, e->port);
    }
}

static int compare_tuples(const void *a, const void *b)
{
    return memcmp(((const struct tuple *)a)->key, ((const struct tuple *)b)->key,
                  sizeof((struct tuple *)NULL)->key);
}

/* How many streams these two endpoints had before this one. */
static int nth_of(struct job *job, netfeat_streams *st, const struct stream *s)
{
    struct tuple *t = calloc(1, sizeof *t), **found;
    int swap = memcmp(s->side[0].address, s->side[1].address, 16) > 0 ||
               (memcmp(s->side[0].address, s->side[1].address, 16) == 0 && s->side[0].port > s->side[1].port);
    uint64_t id = netfeat_streams_id(st);

    for (int i = 0; t != NULL && i < 2; i++) {
        const struct endpoint *e = &s->side[i ^ swap];
        memcpy(t->key + 18 * i, e->address, 16);
        t->key[18 * i + 16] = (uint8_t)(e->port >> 8);
        t->key[18 * i + 17] = (uint8_t)e->port;
    }
    found = t != NULL ? tsearch(t, &job->tuples, compare_tuples) : NULL;
    if (found == NULL) {
        perror("netfeat-streams");
        exit(EXIT_INPUT);
    }
    if (*found == t) {
        t->id = id;
        return 0;
    }
    free(t);
    if (netfeat_streams_event(st) == NETFEAT_STREAM_OPEN && (*found)->id != id) {
        (*found)->id = id;
        (*found)->nth++;
    }
    return (*found)->nth;
}

static void look_at(struct job *job, netfeat_streams *st, struct stream *s)
{
    s->client = netfeat_streams_initiator(st) == 1;
    describe(st, s->client, &s->side[0]);
    describe(st, !s->client, &s->side[1]);
    s->nth = job->events || job->folder != NULL ? nth_of(job, st, s) : 0;
}

/* ---- one line per stream ---- */

static void print_time(int64_t ns)
{
    time_t seconds = (time_t)(ns >= 0 ? ns / 1000000000 : -((999999999 - ns) / 1000000000));
    struct tm tm;
    char text[32];

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    printf("\t%s.%09dZ", text, (int)(ns - (int64_t)seconds * 1000000000));
}

static const char *reason_of(netfeat_streams *st)
{
    static const char *const gaps[] = {"", "ACK", "TIMEOUT", "LIMIT", "MEMCAP", "RST", "END"};
    static const char *const ends[] = {"", "FIN", "RST", "TIMEOUT", "REUSED", "EVICTED", "CAPTURE"};
    int reason = netfeat_streams_reason(st);

    return netfeat_streams_event(st) == NETFEAT_STREAM_GAP ? gaps[reason] : ends[reason];
}

static void print_stream(netfeat_streams *st, const struct stream *s)
{
    int delivered = netfeat_stream_counter_by_name("delivered_bytes");
    int missing = netfeat_stream_counter_by_name("gap_bytes");

    printf("%" PRIu64 "\t%s\t%s", netfeat_streams_id(st), s->side[0].text, s->side[1].text);
    print_time(netfeat_streams_first_time_ns(st));
    print_time(netfeat_streams_last_time_ns(st));
    for (int i = 0; i < 2; i++) {
        printf("\t%" PRIu64 "\t%" PRIu64, netfeat_streams_counter(st, i ^ s->client, delivered),
               netfeat_streams_counter(st, i ^ s->client, missing));
    }
    printf("\t%s\t%s\n", reason_of(st), netfeat_streams_state(st));
}

/* ---- one file per direction ---- */

static void file_name(const struct job *job, const struct stream *s, int from, char *name, size_t size)
{
    int n = snprintf(name, size, "%s/", job->folder);

    for (int i = 0; i < 2; i++) {
        const struct endpoint *e = &s->side[i == 0 ? from : !from];
        const uint8_t *a = e->address;

        if (e->text[0] == '[') {
            n += snprintf(name + n, size - (size_t)n, "%.*s", (int)strcspn(e->text + 1, "]"), e->text + 1);
        } else {
            n += snprintf(name + n, size - (size_t)n, "%03d.%03d.%03d.%03d", a[12], a[13], a[14], a[15]);
        }
        n += snprintf(name + n, size - (size_t)n, ".%05d%s", e->port, i == 0 ? "-" : "");
    }
    if (s->nth > 0) {
        snprintf(name + n, size - (size_t)n, "c%d", s->nth);
    }
}

/* The bytes of the event to their place in the file; without bytes: an old file of that name goes away. */
static void save(const struct job *job, netfeat_streams *st, const struct stream *s)
{
    int from = netfeat_streams_direction(st) ^ s->client;
    size_t size;
    const char *data = netfeat_streams_data(st, &size);
    off_t at = (off_t)netfeat_streams_offset(st);
    char name[4200];
    int fd;

    file_name(job, s, from, name, sizeof name);
    if (data == NULL) {
        unlink(name);
        file_name(job, s, !from, name, sizeof name);
        unlink(name);
        return;
    }
    fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    while (fd >= 0 && size > 0) {
        ssize_t n = pwrite(fd, data, size, at);
        if (n <= 0) {
            break;
        }
        data += n;
        at += n;
        size -= (size_t)n;
    }
    if (fd < 0 || size > 0 || close(fd) != 0) {
        fprintf(stderr, "netfeat-streams: %s: %s\n", name, strerror(errno));
        exit(EXIT_INPUT);
    }
}

/* ---- events ---- */

static void print_hex(netfeat_streams *st)
{
    size_t size;
    const uint8_t *p = netfeat_streams_data(st, &size);

    fputs("\"hex\":\"", stdout);
    for (size_t i = 0; i < size; i++) {
        putchar("0123456789abcdef"[p[i] >> 4]);
        putchar("0123456789abcdef"[p[i] & 15]);
    }
    putchar('"');
}

static void print_counters(netfeat_streams *st, const struct stream *s)
{
    printf("\"reason\":\"%s\",\"state\":\"%s\",\"history\":\"%s\"", reason_of(st), netfeat_streams_state(st),
           netfeat_streams_history(st));
    for (int i = 0; i < 2; i++) {
        const char *comma = "";
        printf(",\"%s\":{", i == 0 ? "c2s" : "s2c");
        for (int which = 1; netfeat_stream_counter_name(which) != NULL; which++) {
            uint64_t n = netfeat_streams_counter(st, i ^ s->client, which);
            if (n > 0) {
                printf("%s\"%s\":%" PRIu64, comma, netfeat_stream_counter_name(which), n);
                comma = ",";
            }
        }
        putchar('}');
    }
}

static void print_datagram(netfeat_streams *st, const struct stream *s)
{
    int from = netfeat_streams_direction(st) ^ s->client;
    size_t size;
    const void *data = netfeat_streams_data(st, &size);
    char hex[65];

    example_sha256(data, size, hex);
    printf("{\"ev\":\"udp\",\"src\":\"%s\",\"dst\":\"%s\",\"sha256\":\"%s\"}\n", s->side[from].text,
           s->side[!from].text, hex);
}

static void print_event(netfeat_streams *st, const struct stream *s, int event)
{
    static const char *const names[] = {
        [NETFEAT_STREAM_OPEN] = "open",
        [NETFEAT_STREAM_DATA] = "data",
        [NETFEAT_STREAM_GAP] = "gap",
        [NETFEAT_STREAM_CLOSE] = "end",
        [NETFEAT_STREAM_DROPPED] = "dropped",
        [NETFEAT_STREAM_URGENT] = "urg",
        [NETFEAT_STREAM_EOF] = "eof",
        [NETFEAT_STREAM_RESET] = "rst",
        [NETFEAT_STREAM_RESET_IGNORED] = "rst_ignored",
        [NETFEAT_STREAM_CONFLICT] = "conflict",
        [NETFEAT_STREAM_TRUNCATED] = "trunc",
    };

    printf("{\"flow\":\"%s>%s\",\"nth\":%d,", s->side[0].text, s->side[1].text, s->nth);
    if (event != NETFEAT_STREAM_OPEN && event != NETFEAT_STREAM_CLOSE) {
        printf("\"dir\":\"%s\",", netfeat_streams_direction(st) == s->client ? "c2s" : "s2c");
    }
    printf("\"ev\":\"%s\"", names[event]);
    switch (event) {
    case NETFEAT_STREAM_OPEN:
    case NETFEAT_STREAM_RESET:
    case NETFEAT_STREAM_RESET_IGNORED:
        break;
    case NETFEAT_STREAM_CLOSE:
        putchar(',');
        print_counters(st, s);
        break;
    default:
        printf(",\"off\":%" PRIu64, netfeat_streams_offset(st));
    }
    if (event == NETFEAT_STREAM_DATA || event == NETFEAT_STREAM_URGENT) {
        putchar(',');
        print_hex(st);
    } else if (event == NETFEAT_STREAM_GAP || event == NETFEAT_STREAM_CONFLICT ||
               event == NETFEAT_STREAM_DROPPED) {
        printf(",\"len\":%" PRIu64, netfeat_streams_size(st));
    }
    if (event == NETFEAT_STREAM_GAP) {
        printf(",\"reason\":\"%s\"", reason_of(st));
    }
    puts("}");
}

static int on_event(void *user, netfeat_streams *st, int event)
{
    struct job *job = user;
    struct stream s;

    if (!job->events && event != NETFEAT_STREAM_CLOSE && job->folder == NULL) {
        return 0;
    }
    look_at(job, st, &s);
    if (job->folder != NULL &&
        (event == NETFEAT_STREAM_OPEN || event == NETFEAT_STREAM_DATA ||
         (event == NETFEAT_STREAM_DATAGRAM && netfeat_streams_data(st, NULL) != NULL))) {
        save(job, st, &s);
    }
    if (job->events && event == NETFEAT_STREAM_DATAGRAM) {
        print_datagram(st, &s);
    } else if (job->events && netfeat_streams_protocol(st) == IPPROTO_TCP) {
        print_event(st, &s, event);
    } else if (!job->events && event == NETFEAT_STREAM_CLOSE) {
        print_stream(st, &s);
    }
    return ferror(stdout);
}

/* ---- inputs ---- */

static int read_input(struct job *job, const char *path)
{
    netfeat_source *src = NULL;
    netfeat_streams *st = NULL;
    int code = netfeat_source_open_file(job->ctx, path, job->opts, &src);
    int status = 0;

    job->progress.src = src;
    code = code != 0 ? code : netfeat_streams_new(job->ctx, job->opts, &st);
    for (int i = 0; code == 0 && i < job->n_policies; i++) {
        code = netfeat_streams_set_policy(st, job->policies[i].address, job->policies[i].bits,
                                          job->policies[i].policy);
    }
    code = code != 0 ? code : netfeat_streams_feed_source(st, src);
    code = code != 0 ? code : netfeat_streams_run(st, on_event, job);
    if (code != 0) { /* what came before the error still counts */
        status = example_fail(job->ctx, &job->progress, path);
    }
    if (st != NULL && status != EXIT_INTERRUPTED && netfeat_streams_end(st) == 0 &&
        netfeat_streams_run(st, on_event, job) != 0 && status == 0) {
        status = example_fail(job->ctx, &job->progress, path);
    }
    example_finished(&job->progress, src);
    example_clear(&job->progress);
    netfeat_streams_unref(st);
    netfeat_source_unref(src);
    tdestroy(job->tuples, free);
    job->tuples = NULL;
    return status;
}

/* ---- arguments ---- */

static int set_number(struct job *job, int key, const char *text)
{
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || netfeat_options_set_int(job->opts, key, value) != 0) {
        fprintf(stderr, "netfeat-streams: \"%s\" is no value for %s\n", text, netfeat_option_name(key));
        return EXIT_USAGE;
    }
    return 0;
}

static int set_option(struct job *job, const char *text)
{
    char name[64];
    size_t n = strcspn(text, "=");
    int key = NETFEAT_ERR_NOTFOUND;

    if (text[n] == '=' && n < sizeof name) {
        memcpy(name, text, n);
        name[n] = '\0';
        key = netfeat_option_by_name(name);
    }
    if (key < 0) {
        fprintf(stderr, "netfeat-streams: \"%s\" is no option with a value\n", text);
        return EXIT_USAGE;
    }
    return set_number(job, key, text + n + 1);
}

/* Set `key` to the position (from 1) of text in the list. */
static int set_choice(struct job *job, int key, const char *text, const char *const *names)
{
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(text, names[i]) == 0) {
            return netfeat_options_set_int(job->opts, key, i + 1);
        }
    }
    fprintf(stderr, "netfeat-streams: \"%s\" is no value for %s\n", text, netfeat_option_name(key));
    return EXIT_USAGE;
}

/* ADDRESS/BITS=NAME. */
static int set_policy(struct job *job, const char *text, const char *const *names)
{
    struct policy *p = &job->policies[job->n_policies];
    const char *name = strchr(text, '=');
    char address[64], *bits, *end = NULL;
    int ok = name != NULL && job->n_policies < MOST_POLICIES && (size_t)(name - text) < sizeof address;

    if (name == NULL) {
        return set_choice(job, NETFEAT_OPT_STREAM_POLICY, text, names);
    }
    if (ok) {
        snprintf(address, sizeof address, "%.*s", (int)(name - text), text);
        bits = strchr(address, '/');
        p->bits = bits != NULL ? (int)strtol(bits + 1, &end, 10) : 128;
        if (bits != NULL) {
            *bits = '\0';
            ok = end != bits + 1 && *end == '\0';
        }
        memset(p, 0, 10);
        p->address[10] = p->address[11] = 0xff; /* IPv4 as ::ffff:a.b.c.d */
        if (inet_pton(AF_INET, address, p->address + 12) == 1) {
            p->bits += bits != NULL ? 96 : 0;
        } else {
            ok = ok && inet_pton(AF_INET6, address, p->address) == 1;
        }
    }
    for (int i = 0; ok && names[i] != NULL; i++) {
        if (strcmp(name + 1, names[i]) == 0) {
            p->policy = i + 1;
            job->n_policies++;
            return 0;
        }
    }
    fprintf(stderr, "netfeat-streams: \"%s\" is no policy for a prefix\n", text);
    return EXIT_USAGE;
}

static int set_idle(struct job *job, const char *text)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= 9e9)) {
        fprintf(stderr, "netfeat-streams: \"%s\" is no number of seconds\n", text);
        return EXIT_USAGE;
    }
    netfeat_options_set_int(job->opts, NETFEAT_OPT_STREAM_UDP_IDLE_NS, (int64_t)(seconds * 1e9));
    return netfeat_options_set_int(job->opts, NETFEAT_OPT_STREAM_IDLE_NS, (int64_t)(seconds * 1e9));
}

static int parse(struct job *job, int argc, char **argv)
{
    static const char *const policies[] = {"first",     "last",    "bsd",     "linux",
                                           "old-linux", "solaris", "windows", NULL};
    static const char *const urgents[] = {"oob", "inline", NULL};
    static const struct option longs[] = {{"policy", required_argument, NULL, 'p'},
                                          {"depth", required_argument, NULL, 'n'},
                                          {"max-memory", required_argument, NULL, 'm'},
                                          {"idle", required_argument, NULL, 'i'},
                                          {"urgent", required_argument, NULL, 'u'},
                                          {"events", no_argument, NULL, 'e'},
                                          {"udp", no_argument, NULL, 'U'},
                                          {"set", required_argument, NULL, 's'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int status = netfeat_options_set_int(job->opts, NETFEAT_OPT_STREAM_DEPTH_BYTES, 0);
    int c;

    while (status == 0 && (c = getopt_long(argc, argv, "d:h", longs, NULL)) != -1) {
        switch (c) {
        case 'd':
            job->folder = optarg;
            break;
        case 'p':
            status = set_policy(job, optarg, policies);
            break;
        case 'n':
            status = set_number(job, NETFEAT_OPT_STREAM_DEPTH_BYTES, optarg);
            break;
        case 'm':
            status = set_number(job, NETFEAT_OPT_STREAM_MAX_TOTAL_BYTES, optarg);
            break;
        case 'i':
            status = set_idle(job, optarg);
            break;
        case 'u':
            status = set_choice(job, NETFEAT_OPT_STREAM_URGENT, optarg, urgents);
            break;
        case 'e':
            job->events = 1;
            break;
        case 'U':
            job->udp = 1;
            status = netfeat_options_set_int(job->opts, NETFEAT_OPT_STREAM_UDP, 1);
            break;
        case 's':
            status = set_option(job, optarg);
            break;
        case 'h':
            job->help = 1;
            return 0;
        default:
            status = EXIT_USAGE;
        }
    }
    if (status == 0 && optind == argc) {
        fputs(usage, stderr);
        status = EXIT_USAGE;
    }
    return status == 0 ? 0 : EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct job job = {.progress = {.program = "netfeat-streams"}};
    int status =
        netfeat_ctx_new(&job.ctx) != 0 || netfeat_options_new(job.ctx, &job.opts) != 0 ? EXIT_INPUT : 0;

    status = status != 0 ? status : parse(&job, argc, argv);
    if (status == 0 && job.help) {
        fputs(usage, stdout);
    } else if (status == 0) {
        if (job.folder != NULL && mkdir(job.folder, 0777) != 0 && errno != EEXIST) {
            perror(job.folder);
            status = EXIT_INPUT;
        }
        example_start(job.ctx, &job.progress);
        if (!job.events && status == 0) {
            puts("stream\tclient\tserver\tstart\tend\tclient_bytes\tclient_missing\tserver_bytes\tserver_"
                 "missing\t"
                 "reason\tstate");
        }
        for (int i = optind; i < argc && status == 0; i++) {
            status = read_input(&job, argv[i]);
        }
    }
    if (fflush(stdout) != 0 && status == 0) {
        perror("netfeat-streams");
        status = EXIT_INPUT;
    }
    netfeat_options_unref(job.opts);
    netfeat_ctx_unref(job.ctx);
    return status;
}
