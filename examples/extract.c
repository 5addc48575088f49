/* netfeat-extract: packet captures to CSV, Arrow or Parquet, one row per packet, in batches: memory stays bounded. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common.h"

#define BATCH_ROWS 4096

struct job {
    netfeat_ctx *ctx;
    netfeat_options *opts;
    struct progress progress;
    const char *path; /* NULL: CSV to standard output */
    netfeat_writer *out;
    int64_t left; /* rows still wanted; negative: all */
    int64_t complete;
    int stats, help, merge, whole;
    struct key key;
    char *device; /* NULL: files */
    int files;    /* so far */
    int out_failed;
};

static const char usage[] =
    "usage: netfeat-extract [-o FILE] [-c COLUMN,...] [-f FILTER] [-n ROWS] [--payload] [--stats]\n"
    "                       [--merge] [--outer] [--whole] [--anonymize KEYFILE] INPUT... | -i DEVICE\n"
    "Writes one row per packet of each INPUT: a pcap or pcapng file, also compressed, a directory\n"
    "of them, \"-\" for standard input; or of a network device. NULL is an empty cell in CSV.\n"
    "  -o FILE     CSV, or by its ending .arrow, .arrows (Arrow IPC), .parquet; \"-\": an Arrow IPC\n"
    "              stream on standard output (without -o: CSV)\n"
    "  -c LIST     these columns, in this order (default: all but payload)\n"
    "  -f, --filter FILTER   only packets that match this pcap-filter expression\n"
    "  -n ROWS     stop after so many rows\n"
    "  -i DEVICE   capture from this device until interrupted\n"
    "  --merge     the packets of all inputs in the order of their times\n"
    "  --outer     the outermost IP header of packets in tunnels, not the innermost\n"
    "  --whole     IP datagrams put together from their fragments: one row, not one per fragment\n"
    "  --anonymize KEYFILE   pseudonyms for addresses by the 32 secret bytes of this file, no payload\n"
    "  --payload   add the column payload (CSV: in hexadecimal)\n"
    "  --stats     counts and rate on standard error; a row without an empty cell is complete\n"
    "Exit status: 0 done; 1 an input could not be read to its end (the rows before the error are\n"
    "there) or the output not be written; 2 wrong usage; 130 interrupted.\n";

static int write_rows(struct job *job, const netfeat_table *tab)
{
    netfeat_table *complete = NULL;
    int code = netfeat_writer_write(job->out, tab);

    job->out_failed = code != 0;
    if (code == 0 && job->stats) {
        code = netfeat_table_complete_rows(job->ctx, tab, NULL, 0, &complete);
        job->complete += code == 0 ? netfeat_table_rows(complete) : 0;
        netfeat_table_unref(complete);
    }
    return code;
}

/* Open the output, with the names of the columns in it: they are there even when no row follows. */
static int open_output(struct job *job)
{
    netfeat_table *tab = NULL;
    int code = netfeat_table_new(job->ctx, job->opts, &tab);

    code = code != 0 ? code : netfeat_table_seal(tab);
    code = code != 0 ? code : example_anonymize(job->ctx, job->opts, &job->key, &tab);
    if (code != 0) {
        netfeat_table_unref(tab);
        return example_fail(job->ctx, &job->progress, "-c"), EXIT_USAGE;
    }
    code = example_writer(job->ctx, job->opts, job->path, &job->out);
    code = code != 0 ? code : netfeat_writer_write(job->out, tab);
    netfeat_table_unref(tab);
    return code != 0 ? example_fail(job->ctx, &job->progress, example_out_name(job->path)) : 0;
}

static int extract(struct job *job, netfeat_source *src)
{
    netfeat_streams *whole = NULL; /* puts fragments together */
    int64_t n = 0;
    int code = job->whole ? netfeat_streams_new(job->ctx, job->opts, &whole) : 0;

    while (code == 0 && n >= 0 && !netfeat_source_ended(src) && job->left != 0) {
        netfeat_table *tab = NULL;
        code = netfeat_table_new(job->ctx, job->opts, &tab);
        if (code == 0) {
            int64_t most = (uint64_t)job->left < BATCH_ROWS ? job->left : BATCH_ROWS;
            n = whole != NULL ? netfeat_streams_append_whole(whole, src, most, tab)
                              : netfeat_table_append_source(tab, src, most);
            code = netfeat_table_seal(tab);
            code = code != 0 ? code : example_anonymize(job->ctx, job->opts, &job->key, &tab);
            job->left -= job->left > 0 ? netfeat_table_rows(tab) : 0;
            code = code != 0 ? code : write_rows(job, tab); /* also those before an error */
        }
        netfeat_table_unref(tab);
    }
    netfeat_streams_unref(whole);
    return code == 0 && n < 0 ? (int)n : code;
}

static int extract_input(struct job *job, char **paths, int n)
{
    const char *what = n > 1 ? "merge" : paths[0];
    netfeat_source *src = NULL;
    int code;

    netfeat_options_set_int(job->opts, NETFEAT_OPT_SOURCE_FILE_INDEX, job->files);
    code = example_open(job->ctx, job->opts, job->device, paths, n, &src);
    job->progress.src = src;
    code = code != 0 ? code : extract(job, src);
    if (code != 0) {
        what = job->out_failed ? example_out_name(job->path) : what;
        code = example_fail(job->ctx, &job->progress, what);
    }
    example_finished(&job->progress, src);
    job->files += src != NULL ? (int)netfeat_source_file_count(src) : 1;
    if (job->stats && src != NULL) {
        example_counts(src, what);
    }
    netfeat_source_unref(src);
    return code;
}

/* 0, or nonzero when there is nothing to do but to show the usage. */
static int parse(struct job *job, int argc, char **argv)
{
    struct option longs[] = {
        {"payload", 0, NULL, 'p'},    {"stats", 0, &job->stats, 1}, {"merge", 0, &job->merge, 1},
        {"whole", 0, &job->whole, 1}, {"outer", 0, NULL, 't'},      {"anonymize", 1, NULL, 'a'},
        {"filter", 1, NULL, 'f'},     {"help", 0, NULL, 'h'},       {NULL, 0, NULL, 0}};
    int code = 0;

    for (int c; code == 0 && (c = getopt_long(argc, argv, "o:c:f:n:i:h", longs, NULL)) != -1;) {
        char *end = NULL;
        if (c == 'o') {
            job->path = optarg;
        } else if (c == 'c' || c == 'f') {
            int key = c == 'c' ? NETFEAT_OPT_TABLE_COLUMNS : NETFEAT_OPT_SOURCE_FILTER;
            code = netfeat_options_set_text(job->opts, key, optarg);
        } else if (c == 'n') {
            job->left = strtoll(optarg, &end, 10);
            code = *optarg == '\0' || *end != '\0' || job->left < 0;
        } else if (c == 'i') {
            job->device = optarg;
        } else if (c == 'p') {
            code = netfeat_options_set_int(job->opts, NETFEAT_OPT_TABLE_KEEP_PAYLOAD, 1);
        } else if (c == 't') {
            code = netfeat_options_set_text(job->opts, NETFEAT_OPT_TABLE_TUNNELS, "outermost");
        } else if (c == 'a') {
            code = example_key(optarg, &job->key);
        } else {
            code = c == 'h' || c == '?';
            job->help = c == 'h';
        }
    }
    netfeat_options_set_int(job->opts, NETFEAT_OPT_SOURCE_MERGE, job->merge);
    return code != 0 || (optind == argc) != (job->device != NULL);
}

static int run(struct job *job, int argc, char **argv)
{
    int code = parse(job, argc, argv);
    char **inputs = job->device != NULL ? &job->device : argv + optind;
    int n = job->device != NULL ? 1 : argc - optind;
    int step = job->merge ? n : 1;

    if (code != 0) {
        fputs(usage, job->help ? stdout : stderr);
        return job->help ? 0 : EXIT_USAGE;
    }
    example_start(job->ctx, &job->progress);
    code = open_output(job);
    if (code != 0) {
        return code;
    }
    for (int i = 0; code <= EXIT_INPUT && i < n; i += step) {
        int one = extract_input(job, inputs + i, step);
        code = one > code ? one : code;
    }
    if (netfeat_writer_end(job->out) != 0 && code == 0) { /* a write that failed was reported already */
        code = example_fail(job->ctx, &job->progress, example_out_name(job->path));
    }
    if (job->stats) {
        example_stats(&job->progress, job->complete);
    }
    example_clear(&job->progress);
    return code;
}

int main(int argc, char **argv)
{
    struct job job = {.left = -1, .progress = {.program = "netfeat-extract"}};
    int code = EXIT_INPUT;

    if (netfeat_ctx_new(&job.ctx) == 0 && netfeat_options_new(job.ctx, &job.opts) == 0) {
        code = run(&job, argc, argv);
    }
    netfeat_writer_unref(job.out);
    netfeat_options_unref(job.opts);
    netfeat_ctx_unref(job.ctx);
    return code;
}
