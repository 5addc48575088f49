/* netfeat-score: a pipeline that was fitted and saved elsewhere, applied to captures batch by batch: the same bits as
   in the notebook. A linear model turns its features into a score per packet. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "linear.h"

#define NAMES_MAX 256 /* there are fewer fields */

struct job {
    netfeat_ctx *ctx;
    netfeat_options *opts;
    struct progress progress;
    netfeat_pipeline *pipe;
    netfeat_writer *out;
    struct linear model;
    const char *path;
    const char *names[NAMES_MAX]; /* columns to read; the first two go to the output */
    int complete[NAMES_MAX];      /* indexes of those that must not be NULL */
    int n_names, n_complete, features, help;
};

static const char usage[] =
    "usage: netfeat-score [-m MODEL] [-o FILE] [-f FILTER] [--complete COLUMN,...]\n"
    "                     [--features] PIPELINE INPUT...\n"
    "Applies a saved, sealed pipeline to captures (\"-\": standard input), which are one capture in this\n"
    "order. Writes a row per packet: packet_number, timestamp, the features.\n"
    "  -m MODEL    an Arrow file with one row of numbers, named after features, and \"intercept\": writes\n"
    "              score (intercept + the sum of number * feature, from left to right), probability\n"
    "              1 / (1 + exp(-score)) and decision (1 where score > 0) instead of the features;\n"
    "              NULL where one of those features is\n"
    "  --features  with -m: the features, too\n"
    "  --complete COLUMN,...   leave out packets where one of these columns is NULL\n"
    "  -f FILTER   only packets that match this pcap-filter expression\n"
    "  -o FILE     CSV, or by its ending .arrow, .arrows, .parquet; \"-\": an Arrow IPC stream\n"
    "Exit status: 0 done; 1 the pipeline, the model or an input could not be read to its end (the rows\n"
    "before the error are there) or the output not be written; 2 wrong usage; 130 interrupted.\n";

/* Index of a column to read; -1 if it is no field of packets, but what an earlier step makes. */
static int add_name(struct job *job, const char *name)
{
    int i = 0;

    while (i < job->n_names && strcmp(job->names[i], name) != 0) {
        i++;
    }
    if (i == job->n_names && i < NAMES_MAX && netfeat_field_by_name(name) > 0) {
        job->names[job->n_names++] = name;
    }
    return i < job->n_names ? i : -1;
}

/* The packet tables hold what the pipeline reads, and no more. */
static int choose_columns(struct job *job)
{
    char list[NAMES_MAX * 32] = "";

    for (int i = 0; i < netfeat_pipeline_steps(job->pipe); i++) {
        for (int k = 0; k < netfeat_pipeline_step_inputs(job->pipe, i); k++) {
            add_name(job, netfeat_pipeline_step_input(job->pipe, i, k));
        }
    }
    for (int i = 0; i < job->n_names; i++) {
        strcat(strcat(list, i > 0 ? "," : ""), job->names[i]);
    }
    return netfeat_options_set_text(job->opts, NETFEAT_OPT_TABLE_COLUMNS, list);
}

static int load(struct job *job, const char *path)
{
    netfeat_table *tab = NULL;
    /* somebody may write to the files, or cut them, while they are in use */
    int code = netfeat_options_set_text(job->opts, NETFEAT_OPT_IO_LOAD_MODE, "read");

    code = code != 0 ? code : netfeat_table_load_file(job->ctx, path, job->opts, &tab);
    code = code != 0 ? code : netfeat_pipeline_from_table(job->ctx, tab, &job->pipe);
    code = code != 0 ? code : netfeat_pipeline_reset(job->pipe); /* begin anew, whatever it saw */
    code = code != 0 ? code : choose_columns(job);
    netfeat_table_unref(tab);
    if (code == 0 && job->model.path != NULL) {
        path = job->model.path;
        code = netfeat_table_load_file(job->ctx, path, job->opts, &job->model.weights);
    }
    return code != 0 ? example_fail(job->ctx, &job->progress, path) : 0;
}

/* Rows of packets in, rows of scores out. 0, an error's code, or EXIT_INPUT after a message. */
static int score(struct job *job, const netfeat_table *packets)
{
    netfeat_table *tab = NULL, *features = NULL, *out = NULL, *both = NULL;
    int code =
        job->n_complete > 0
            ? netfeat_table_complete_rows(job->ctx, packets, job->complete, (size_t)job->n_complete, &tab)
            : netfeat_table_slice(job->ctx, packets, 0, netfeat_table_rows(packets), &tab);
    code = code != 0 ? code : netfeat_pipeline_apply(job->pipe, tab, &features);
    code = code != 0 ? code : netfeat_table_select(job->ctx, tab, (const int[]){0, 1}, 2, &out);
    if (code == 0 && (job->model.path == NULL || job->features)) {
        code = netfeat_table_join(job->ctx, out, features, &both);
        netfeat_table_unref(out);
        out = both;
    }
    code = code != 0 || job->model.path == NULL ? code : linear_apply(job->ctx, &job->model, features, &out);
    code = code != 0 ? code : netfeat_writer_write(job->out, out);
    netfeat_table_unref(out);
    netfeat_table_unref(features);
    netfeat_table_unref(tab);
    return code;
}

/* An input, batch by batch; path NULL: a batch of no rows, which gives the output its columns. */
static int score_input(struct job *job, const char *path, int file)
{
    netfeat_source *src = NULL;
    int64_t n = 0;
    int code = 0;

    netfeat_options_set_int(job->opts, NETFEAT_OPT_SOURCE_FILE_INDEX, file);
    code = path != NULL ? netfeat_source_open_file(job->ctx, path, job->opts, &src) : 0;
    job->progress.src = src;
    for (int more = 1; code == 0 && n >= 0 && more; more = src != NULL && !netfeat_source_ended(src)) {
        netfeat_table *tab = NULL;
        code = netfeat_table_new(job->ctx, job->opts, &tab);
        n = code == 0 && src != NULL ? netfeat_table_append_source(tab, src, LINEAR_ROWS) : 0;
        code = code != 0 ? code : netfeat_table_seal(tab);
        code = code != 0 ? code : score(job, tab); /* also the rows before an error */
        netfeat_table_unref(tab);
    }
    code = code == 0 && n < 0 ? (int)n : code;
    code = code < 0 ? example_fail(job->ctx, &job->progress, path != NULL ? path : "pipeline") : code;
    example_finished(&job->progress, src);
    netfeat_source_unref(src);
    return code;
}

/* 0, or nonzero when there is nothing to do but to show the usage. */
static int parse(struct job *job, int argc, char **argv)
{
    struct option longs[] = {
        {"complete", 1, NULL, 'c'}, {"features", 0, &job->features, 1}, {"help", 0, NULL, 'h'}, {0}};
    int code = 0;

    add_name(job, "packet_number");
    add_name(job, "timestamp");
    for (int c; code == 0 && (c = getopt_long(argc, argv, "m:o:f:h", longs, NULL)) != -1;) {
        if (c == 'c') {
            char *rest = NULL;
            for (char *name = strtok_r(optarg, ",", &rest); name != NULL && code == 0;
                 name = strtok_r(NULL, ",", &rest)) {
                job->complete[job->n_complete++] = add_name(job, name);
                code = add_name(job, name) < 0 || job->n_complete == NAMES_MAX;
            }
        } else if (c == 'f') {
            code = netfeat_options_set_text(job->opts, NETFEAT_OPT_SOURCE_FILTER, optarg);
        } else if (c == 'm') {
            job->model.path = optarg;
        } else if (c == 'o') {
            job->path = optarg;
        } else {
            code = c == 'h' || c == '?';
            job->help |= c == 'h';
        }
    }
    return code != 0 || argc - optind < 2;
}

static int run(struct job *job, int argc, char **argv)
{
    int code = parse(job, argc, argv);

    if (code != 0) {
        fputs(usage, job->help ? stdout : stderr);
        return job->help ? 0 : EXIT_USAGE;
    }
    example_start(job->ctx, &job->progress);
    code = load(job, argv[optind]);
    if (code == 0 && example_writer(job->ctx, job->opts, job->path, &job->out) != 0) {
        code = example_fail(job->ctx, &job->progress, example_out_name(job->path));
    }
    code = code != 0 ? code : score_input(job, NULL, 0);
    for (int i = optind + 1; code == 0 && i < argc; i++) {
        code = score_input(job, argv[i], i - optind - 1);
    }
    if (job->out != NULL && netfeat_writer_end(job->out) != 0 && code == 0) {
        code = example_fail(job->ctx, &job->progress, example_out_name(job->path));
    }
    example_clear(&job->progress);
    return code;
}

int main(int argc, char **argv)
{
    static struct job job = {.progress = {.program = "netfeat-score"}};
    int code = EXIT_INPUT;

    if (netfeat_ctx_new(&job.ctx) == 0 && netfeat_options_new(job.ctx, &job.opts) == 0) {
        code = run(&job, argc, argv);
    }
    netfeat_writer_unref(job.out);
    netfeat_table_unref(job.model.weights);
    netfeat_pipeline_unref(job.pipe);
    netfeat_options_unref(job.opts);
    netfeat_ctx_unref(job.ctx);
    return code;
}
