/* rotate.h - tables into Arrow IPC streams in a directory, one file after the other. A file is written under a hidden
   name and takes its own when it is whole and on the disk: PREFIX-20261124T123240.123456789Z.arrows, after the time of
   its first batch. What cannot be written is counted, the batches before it stay. */
#ifndef EXAMPLES_ROTATE_H
#define EXAMPLES_ROTATE_H

#include <sys/types.h>

#include <netfeat/netfeat.h>

struct output {
    const char *prefix;
    netfeat_ctx *ctx;            /* borrowed */
    const netfeat_options *opts; /* borrowed */
    int directory;               /* borrowed */
    /* the file being written */
    int fd; /* -1: none */
    netfeat_writer *writer;
    char name[80], hidden[96];
    off_t whole;    /* its length up to the last batch that is all there */
    int64_t rows;   /* in those */
    double started; /* example_now() */
    /* all files */
    int64_t files, written, lost,
        failures; /* files that took their names; rows; rows; rows lost at so many times */
    int failing;  /* the last attempt failed */
};

void output_init(struct output *o, const char *prefix, netfeat_ctx *ctx, const netfeat_options *opts,
                 int directory);
/* Add the rows of a sealed table. 0, or -1 if they are lost: counted, and said on standard error when it begins. */
int output_write(struct output *o, const netfeat_table *tab);
/* Finish the file, if there is one. 0, or -1 if its rows are lost, likewise. */
int output_rotate(struct output *o);

#endif
