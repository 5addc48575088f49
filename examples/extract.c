/* netfeat-extract: packet captures to CSV (RFC 4180), one row per packet, in batches: memory stays bounded. */
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
    FILE *out;
    int64_t left; /* rows still wanted; negative: all */
    int64_t complete;
    int stats, help, merge;
    char *device; /* NULL: files */
    int files;    /* so far */
    char *cell;
    size_t cell_size;
};

static const char usage[] =
    "usage: netfeat-extract [-o FILE.csv] [-c COLUMN,...] [-f FILTER] [-n ROWS] [--payload] [--stats]\n"
    "                       [--merge] INPUT... | -i DEVICE\n"
    "Writes one CSV row per packet of each INPUT: a pcap or pcapng file, also compressed, a directory of "
    "them,\n"
    "\"-\" for standard input; or of a network device.\n"
    "  -o FILE     write to FILE instead of standard output\n"
    "  -c LIST     these columns, in this order (default: all but payload)\n"
    "  -f FILTER   only packets that match this pcap-filter expression\n"
    "  -n ROWS     stop after so many rows\n"
    "  -i DEVICE   capture from this device until interrupted\n"
    "  --merge     the packets of all inputs in the order of their times\n"
    "  --payload   add the column payload, in hexadecimal\n"
    "  --stats     counts and rate on standard error; a row is complete when none of its cells is empty\n"
    "A NULL is an empty cell. Exit status: 0 done; 1 an input could not be read to its end (the rows before "
    "the\n"
    "error are there) or the output not be written; 2 wrong usage; 130 interrupted.\n";

/* The text of a packet column never needs quotes: numbers, addresses, times, hexadecimal bytes. */
static void write_cell(struct job *job, const netfeat_column *col, int64_t row)
{
    size_t length;

    while (netfeat_column_get_text(col, row, job->cell, job->cell_size, &length) > 0) {
        if (length < job->cell_size) {
            fwrite(job->cell, 1, length, job->out);
            return;
        }
        job->cell = realloc(job->cell, job->cell_size = length + 1);
        if (job->cell == NULL) {
            perror("netfeat-extract");
            exit(EXIT_INPUT);
        }
    }
}

static int write_rows(struct job *job, const netfeat_table *tab)
{
    netfeat_table *complete = NULL;
    int width = netfeat_table_width(tab);
    int code = 0;

    for (int64_t row = 0; row < netfeat_table_rows(tab); row++) {
        for (int i = 0; i < width; i++) {
            write_cell(job, netfeat_table_column(tab, i), row);
            fputs(i + 1 < width ? "," : "\r\n", job->out);
        }
    }
    job->progress.packets += netfeat_table_rows(tab);
    if (job->stats) {
        code = netfeat_table_complete_rows(job->ctx, tab, NULL, 0, &complete);
        job->complete += code == 0 ? netfeat_table_rows(complete) : 0;
        netfeat_table_unref(complete);
    }
    return code;
}

static int extract(struct job *job, netfeat_source *src)
{
    int64_t n = 0;
    int code = 0;

    while (code == 0 && n >= 0 && !netfeat_source_ended(src) && job->left != 0 && !ferror(job->out)) {
        netfeat_table *tab = NULL;
        code = netfeat_table_new(job->ctx, job->opts, &tab);
        if (code == 0) {
            n = netfeat_table_append_source(tab, src,
                                            (uint64_t)job->left < BATCH_ROWS ? job->left : BATCH_ROWS);
            code = netfeat_table_seal(tab);
            job->left -= job->left > 0 ? netfeat_table_rows(tab) : 0;
            code = code != 0 ? code : write_rows(job, tab); /* also those before an error */
        }
        netfeat_table_unref(tab);
    }
    return code == 0 && n < 0 ? (int)n : code;
}

static int extract_input(struct job *job, char **paths, int n)
{
    netfeat_source *src = NULL;
    int code;

    netfeat_options_set_int(job->opts, NETFEAT_OPT_SOURCE_FILE_INDEX, job->files);
    code = example_open(job->ctx, job->opts, job->device, paths, n, &src);
    code = code != 0 ? code : extract(job, src);
    code = code != 0 ? example_fail(job->ctx, &job->progress, n > 1 ? "merge" : paths[0]) : 0;
    job->progress.bytes += src != NULL ? netfeat_source_count(src, NETFEAT_COUNT_BYTES) : 0;
    job->files += src != NULL ? (int)netfeat_source_file_count(src) : 1;
    if (job->stats && src != NULL) {
        example_counts(src, n > 1 ? "merge" : paths[0]);
    }
    netfeat_source_unref(src);
    return code;
}

/* 0, or nonzero when there is nothing to do but to show the usage. */
static int parse(struct job *job, int argc, char **argv, const char **ret_path)
{
    struct option longs[] = {{"payload", 0, NULL, 'p'},
                             {"stats", 0, &job->stats, 1},
                             {"merge", 0, &job->merge, 1},
                             {"help", 0, NULL, 'h'},
                             {NULL, 0, NULL, 0}};
    int code = 0;

    for (int c; code == 0 && (c = getopt_long(argc, argv, "o:c:f:n:i:h", longs, NULL)) != -1;) {
        char *end = NULL;
        if (c == 'o') {
            *ret_path = optarg;
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
    const char *path = NULL;
    int code = parse(job, argc, argv, &path);
    char **inputs = job->device != NULL ? &job->device : argv + optind;
    int n = job->device != NULL ? 1 : argc - optind;
    int step = job->merge ? n : 1;

    if (code != 0) {
        fputs(usage, job->help ? stdout : stderr);
        return job->help ? 0 : EXIT_USAGE;
    }
    job->out = path != NULL ? fopen(path, "w") : stdout;
    if (job->out == NULL) {
        perror(path);
        return EXIT_INPUT;
    }
    example_start(job->ctx, &job->progress);
    code = example_header(job->ctx, job->opts, job->out);
    code = code != 0 ? example_fail(job->ctx, &job->progress, "-c"), EXIT_USAGE : 0;
    for (int i = 0; code <= EXIT_INPUT && i < n; i += step) {
        int one = extract_input(job, inputs + i, step);
        code = one > code ? one : code;
    }
    if (job->stats && code != EXIT_USAGE) {
        example_stats(&job->progress, job->complete);
    }
    example_clear(&job->progress);
    if (ferror(job->out) | fclose(job->out)) {
        fprintf(stderr, "netfeat-extract: %s: write error\n", path != NULL ? path : "standard output");
        code = EXIT_INPUT;
    }
    return code;
}

int main(int argc, char **argv)
{
    struct job job = {.left = -1, .progress = {.program = "netfeat-extract"}};
    int code = EXIT_INPUT;

    if (netfeat_ctx_new(&job.ctx) == 0 && netfeat_options_new(job.ctx, &job.opts) == 0) {
        code = run(&job, argc, argv);
    }
    free(job.cell);
    netfeat_options_unref(job.opts);
    netfeat_ctx_unref(job.ctx);
    return code;
}
