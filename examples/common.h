/* common.h - what the example programs share: exit codes, Ctrl-C, the progress line, error lines. */
#ifndef EXAMPLES_COMMON_H
#define EXAMPLES_COMMON_H

#include <stdio.h>

#include <netfeat/netfeat.h>

enum { EXIT_INPUT = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

/* What the progress line shows. */
struct progress {
    const char *program;
    int64_t packets, bytes;    /* of the inputs finished so far */
    int64_t total;             /* bytes of the input being read; 0: not known */
    const netfeat_source *src; /* being read; NULL: none */
    double start, last;
    int shown;
};

/* Seconds of a clock that never goes back. */
double example_now(void);
/* Let Ctrl-C stop the running call; when standard error is a terminal, show packets, bytes, rate and share of
   the file there. */
void example_start(netfeat_ctx *ctx, struct progress *progress);
/* NAME=VALUE of any option of the library; cut in two. 0 or an error's code. */
int example_option(netfeat_options *opts, char *text);
/* A source of a device (not NULL), or of n paths, which may be directories. */
int example_open(netfeat_ctx *ctx, netfeat_options *opts, const char *device, char **paths, int n,
                 netfeat_source **ret);
/* A key for pseudonyms, if there is one. */
struct key {
    int given;
    unsigned char bytes[32];
};

/* Read a key from a file that holds nothing else: 0, or -1 after a message. */
int example_key(const char *path, struct key *key);
/* Replace a sealed table by its anonymized one, if there is a key: 0 or an error's code. */
int example_anonymize(netfeat_ctx *ctx, const netfeat_options *opts, const struct key *key,
                      netfeat_table **tab);
/* Output for tables, addresses as text: path NULL is CSV, "-" an Arrow IPC stream on standard output; anything else a
   file, in the format of its ending, or what is there already and is no file. */
int example_writer(netfeat_ctx *ctx, netfeat_options *opts, const char *path, netfeat_writer **ret);
/* What to call it in messages. */
const char *example_out_name(const char *path);
/* Take the progress line away. */
void example_clear(struct progress *progress);
/* One line about the last failure of ctx, with packet number and offset, on standard error; its exit code. */
int example_fail(netfeat_ctx *ctx, struct progress *progress, const char *what);
/* Count a source (NULL: one that could not be opened) among the inputs that are finished. */
void example_finished(struct progress *progress, const netfeat_source *src);
/* The counters of a source in one line on standard error. */
void example_counts(const netfeat_source *src, const char *what);
/* Counts and rate of what is finished, two lines on standard error. */
void example_stats(struct progress *progress, int64_t complete);

#endif
