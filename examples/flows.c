/* netfeat-flows: packet captures to flows, one row per flow, as CSV, Arrow or Parquet. Reads in batches and writes
   flows as they end: memory is bounded by flow.max_bytes, whatever the size of the capture. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

#define BATCH_ROWS 65536
#define STREAMS    "notebook" /* profile */

struct job {
    netfeat_ctx *ctx;
    netfeat_options *opts;
    struct progress progress;
    netfeat_flows *flows;
    netfeat_writer *out;
    const char *path; /* NULL: standard output */
    int64_t rows;
    int stats, bidirectional, help;
};

static const char usage[] =
    "usage: netfeat-flows [-o FILE] [--profile NAME] [--bidirectional] [-c COLUMN,...] [-f FILTER] [-O "
    "NAME=VALUE]\n"
    "                     [--stats] INPUT...\n"
    "Writes one row per flow of all INPUTs together, pcap or pcapng files in the order of capture (\"-\": "
    "standard\n"
    "input). Without --profile and --bidirectional: one-way streams as the notebook has them.\n"
    "  -o FILE          write to FILE, in the format that its name ends in (.csv, .arrow, .parquet); else "
    "CSV to\n"
    "                   standard output\n"
    "  --profile NAME   notebook, flows, nfstream, cic, cic2018 or zeek\n"
    "  --bidirectional  both directions of a conversation are one flow (in nfstream, cic, cic2018 and zeek "
    "they "
    "are\n"
    "                   anyway); alone it means --profile flows\n"
    "  -c LIST          these columns, in this order (\"*\": all that the profile has)\n"
    "  -f FILTER        only packets that match this pcap-filter expression\n"
    "  -O NAME=VALUE    any option of the library, as flow.idle_ns=0\n"
    "  --stats          counts and rate on standard error\n"
    "  -h, --help       this text\n"
    "Exit status: 0 done; 1 an input could not be read to its end (its flows up to there are written) or the "
    "output\n"
    "not be written; 2 wrong usage; 130 interrupted.\n";

/* ---- command line ---- */

/* Streams go one way: with --bidirectional there is another profile, or one of that name is asked for in vain. */
static int go_both_ways(struct job *job, const char *profile)
{
    int code = 0;

    if (strcmp(netfeat_options_get_text(job->opts, NETFEAT_OPT_FLOW_PROFILE), STREAMS) == 0) {
        code = profile != NULL ? NETFEAT_ERR_ARGUMENT
                               : netfeat_options_set_text(job->opts, NETFEAT_OPT_FLOW_PROFILE, "flows");
    }
    return code != 0 ? code : netfeat_options_set_int(job->opts, NETFEAT_OPT_FLOW_BIDIRECTIONAL, 1);
}

/* 0 or nonzero for wrong usage. */
static int parse(struct job *job, int argc, char **argv)
{
    struct option longs[] = {{"profile", 1, NULL, 'p'},
                             {"bidirectional", 0, &job->bidirectional, 1},
                             {"stats", 0, &job->stats, 1},
                             {"help", 0, NULL, 'h'},
                             {NULL, 0, NULL, 0}};
    const char *profile = NULL;
    int code = netfeat_options_set_text(job->opts, NETFEAT_OPT_FLOW_PROFILE, STREAMS);

    netfeat_options_set_int(job->opts, NETFEAT_OPT_FLOW_BIDIRECTIONAL, 0);
    for (int c; code == 0 && (c = getopt_long(argc, argv, "o:p:c:f:O:h", longs, NULL)) != -1;) {
        if (c == 'h') {
            job->help = code = 1;
        } else if (c == 'o') {
            job->path = optarg;
        } else if (c == 'p') {
            profile = optarg;
            code = netfeat_options_set_text(job->opts, NETFEAT_OPT_FLOW_PROFILE, optarg);
        } else if (c == 'c' || c == 'f') {
            int key = c == 'c' ? NETFEAT_OPT_FLOW_COLUMNS : NETFEAT_OPT_SOURCE_FILTER;
            code = netfeat_options_set_text(job->opts, key, optarg);
        } else if (c == 'O') {
            code = example_option(job->opts, optarg);
        } else {
            code = c == '?';
        }
    }
    if (code == 0 && job->bidirectional) {
        code = go_both_ways(job, profile);
    }
    return code != 0 || optind == argc;
}

/* The packet tables hold the columns that flows are made of, and no others. */
static int choose_columns(struct job *job)
{
    char list[2048] = "";
    const char *name;

    for (int i = 0; (name = netfeat_flows_input_name(job->flows, i)) != NULL; i++) {
        if (strlen(list) + strlen(name) + 2 > sizeof list) {
            return NETFEAT_ERR_LIMIT;
        }
        strcat(strcat(list, i > 0 ? "," : ""), name);
    }
    return netfeat_options_set_text(job->opts, NETFEAT_OPT_TABLE_COLUMNS, list);
}

/* ---- packets in, flows out ---- */

/* Write the flows that have ended; with all, at least the names of the columns. */
static int write_flows(struct job *job, int all)
{
    netfeat_table *tab = NULL;
    int code;

    if (all) {
        code = netfeat_flows_take_all(job->flows, &tab);
    } else {
        code = netfeat_flows_take(job->flows, &tab);
        if (code <= 0) {
            return code;
        }
        code = 0;
    }
    code = code != 0 ? code : netfeat_writer_write(job->out, tab);
    job->rows += code == 0 ? netfeat_table_rows(tab) : 0;
    netfeat_table_unref(tab);
    return code;
}

static int feed(struct job *job, netfeat_source *src)
{
    int64_t n = 1;
    int code = 0;

    while (code == 0 && n > 0) {
        netfeat_table *tab = NULL;
        code = netfeat_table_new(job->ctx, job->opts, &tab);
        if (code == 0) {
            n = netfeat_table_append_source(tab, src, BATCH_ROWS);
            code = netfeat_table_seal(tab);
            code =
                code != 0 ? code : netfeat_flows_feed(job->flows, tab, NULL); /* also rows before an error */
            code = code != 0 ? code : write_flows(job, 0);
        }
        netfeat_table_unref(tab);
    }
    return code == 0 && n < 0 ? (int)n : code;
}

static int feed_input(struct job *job, const char *path, int index)
{
    netfeat_source *src = NULL;
    int code;

    netfeat_options_set_int(job->opts, NETFEAT_OPT_SOURCE_FILE_INDEX, index);
    code = netfeat_source_open_file(job->ctx, path, job->opts, &src);
    job->progress.src = src;
    code = code != 0 ? code : feed(job, src);
    code = code != 0 ? example_fail(job->ctx, &job->progress, path) : 0;
    example_finished(&job->progress, src);
    if (job->stats && src != NULL) {
        example_counts(src, path);
    }
    netfeat_source_unref(src);
    return code;
}

static int finish(struct job *job)
{
    int code = netfeat_flows_end(job->flows);

    code = code != 0 ? code : write_flows(job, job->rows == 0);
    code = code != 0 ? code : netfeat_writer_end(job->out);
    return code != 0 ? example_fail(job->ctx, &job->progress, example_out_name(job->path)) : 0;
}

static void print_stats(struct job *job)
{
    example_stats(&job->progress, job->progress.packets);
    for (int which = 1; netfeat_flows_count_name(which) != NULL; which++) {
        fprintf(stderr, "%s%s %lld", which > 1 ? ", " : "flows: ", netfeat_flows_count_name(which),
                (long long)netfeat_flows_count(job->flows, which));
    }
    fputc('\n', stderr);
}

static int run(struct job *job, int argc, char **argv)
{
    int code = 0;

    if (parse(job, argc, argv) != 0) {
        fputs(usage, job->help ? stdout : stderr);
        return job->help ? 0 : EXIT_USAGE;
    }
    example_start(job->ctx, &job->progress);
    if (netfeat_flows_new(job->ctx, job->opts, &job->flows) != 0 || choose_columns(job) != 0) {
        example_fail(job->ctx, &job->progress, "flows");
        return EXIT_USAGE;
    }
    if (example_writer(job->ctx, job->opts, job->path, &job->out) != 0) {
        return example_fail(job->ctx, &job->progress, example_out_name(job->path));
    }
    for (int i = 0; code <= EXIT_INPUT && optind + i < argc; i++) {
        int one = feed_input(job, argv[optind + i], i);
        code = one > code ? one : code;
    }
    if (code <= EXIT_INPUT) {
        int one = finish(job);
        code = one > code ? one : code;
    }
    example_clear(&job->progress);
    if (job->stats) {
        print_stats(job);
    }
    return code;
}

int main(int argc, char **argv)
{
    struct job job = {.progress = {.program = "netfeat-flows"}};
    int code = EXIT_INPUT;

    if (netfeat_ctx_new(&job.ctx) == 0 && netfeat_options_new(job.ctx, &job.opts) == 0) {
        code = run(&job, argc, argv);
    }
    netfeat_writer_unref(job.out);
    netfeat_flows_unref(job.flows);
    netfeat_options_unref(job.opts);
    netfeat_ctx_unref(job.ctx);
    return code;
}
