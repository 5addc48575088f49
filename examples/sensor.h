/* sensor.h - what netfeat-sensor is made of: sensor.c starts, waits and reports, sensor_rows.c turns packets into
   rows. */
#ifndef EXAMPLES_SENSOR_H
#define EXAMPLES_SENSOR_H

#include <signal.h>

#include <netfeat/netfeat.h>

#include "common.h"
#include "rotate.h"

#define PROGRAM "netfeat-sensor"

enum { PACKETS, FLOWS, FEATURES, OUTPUTS };

struct sensor {
    netfeat_ctx *ctx;
    netfeat_options *opts;
    netfeat_source *src;
    netfeat_flows *flows;   /* NULL: none */
    netfeat_pipeline *pipe; /* NULL: none */
    struct progress progress;
    struct output out[OUTPUTS];
    const char *device, *folder, *pipeline, *user, *columns;
    int directory, link_socket, link_up, missed_fd;
    int64_t missed; /* packets that the device had missed before */
    int wanted;     /* packet columns that are written: the first ones of the table; 0: none */
    int key[2];     /* packet_number and timestamp among the columns */
    int last;       /* the batch before the end */
    double batch_until, report_at;
    int64_t rotate_seconds, rotate_rows, memory_mib, report_seconds;
    int64_t flow_failures, pipeline_failures; /* packets that did not get there */
    int with_flows, no_packets, no_seccomp, help;
};

extern volatile sig_atomic_t stop_wanted, rotate_wanted; /* by a signal */

/* Everything behind the open device. 0, or the exit code after a message. */
int sensor_prepare(struct sensor *s);
/* A batch of what came within a second, or of what the kernel has, if it is the last, into flows and files. 0, or the
   exit code after a message: the device is gone, or there is no memory for one packet. */
int sensor_batch(struct sensor *s);
/* End the flows whose time is over, though no packet came that says so; with all, end all. */
void sensor_expire(struct sensor *s, int all);

#endif
