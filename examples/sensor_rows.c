#include "sensor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define BATCH_ROWS    16384
#define BATCH_SECONDS 1.0                 /* a batch waits no longer for packets */
#define LAST_SECONDS  0.2                 /* what the kernel has when the end has come */
#define LATE_NS       INT64_C(2000000000) /* a packet comes no later than this after its time */
#define NAMES_BYTES   8192

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
static int choose_columns(struct sensor *s)
{
    char list[NAMES_BYTES] = "*";
    const char *name;
    netfeat_table *tab = NULL;
    int code = 0;

    if (s->columns != NULL) {
        snprintf(list, sizeof list, "%s", s->columns);
    }
    code = netfeat_options_set_text(s->opts, NETFEAT_OPT_TABLE_COLUMNS, list);
    code = code != 0 ? code : netfeat_table_new(s->ctx, s->opts, &tab);
    s->wanted = netfeat_table_width(tab);
    code = code != 0 ? code : add_name(list, tab, "packet_number");
    code = code != 0 ? code : add_name(list, tab, "timestamp");
    for (int i = 0; code == 0 && s->flows != NULL && (name = netfeat_flows_input_name(s->flows, i)) != NULL;
         i++) {
        code = add_name(list, tab, name);
    }
    for (int i = 0; code == 0 && s->pipe != NULL && i < netfeat_pipeline_steps(s->pipe); i++) {
        for (int k = 0; code == 0 && k < netfeat_pipeline_step_inputs(s->pipe, i); k++) {
            code = add_name(list, tab, netfeat_pipeline_step_input(s->pipe, i, k));
        }
    }
    netfeat_table_unref(tab);
    return code != 0 ? code : netfeat_options_set_text(s->opts, NETFEAT_OPT_TABLE_COLUMNS, list);
}

static int load_pipeline(struct sensor *s)
{
    netfeat_table *tab = NULL;
    int code = netfeat_table_load_file(s->ctx, s->pipeline, s->opts, &tab);

    code = code != 0 ? code : netfeat_pipeline_from_table(s->ctx, tab, &s->pipe);
    code = code != 0 ? code : netfeat_pipeline_reset(s->pipe); /* begin anew, whatever it saw */
    netfeat_table_unref(tab);
    return code;
}

/* ---- packets in, files out ---- */

/* A part of the work failed for a batch: counted, said the first time. */
static void skip(struct sensor *s, const char *what, int64_t rows, int64_t *count)
{
    if (*count == 0) {
        fprintf(stderr, PROGRAM ": %s: %" PRId64 " packets left out: %s\n", what, rows,
                netfeat_ctx_error_message(s->ctx));
    }
    *count += rows;
}

static int write_packets(struct sensor *s, const netfeat_table *tab)
{
    int columns[NAMES_BYTES / 2];
    netfeat_table *chosen = NULL;
    int code;

    for (int i = 0; i < s->wanted; i++) {
        columns[i] = i;
    }
    code = netfeat_table_select(s->ctx, tab, columns, (size_t)s->wanted, &chosen);
    if (code == 0) {
        output_write(&s->out[PACKETS], chosen);
    }
    netfeat_table_unref(chosen);
    return code;
}

static int write_features(struct sensor *s, const netfeat_table *tab)
{
    netfeat_table *features = NULL, *keys = NULL, *both = NULL;
    int code = netfeat_pipeline_apply(s->pipe, tab, &features);

    code = code != 0 ? code : netfeat_table_select(s->ctx, tab, s->key, 2, &keys);
    code = code != 0 ? code : netfeat_table_join(s->ctx, keys, features, &both);
    if (code == 0) {
        output_write(&s->out[FEATURES], both);
    }
    netfeat_table_unref(both);
    netfeat_table_unref(keys);
    netfeat_table_unref(features);
    return code;
}

/* Flows that ended. Where that fails they wait, and are taken another time. */
static void write_flows(struct sensor *s)
{
    netfeat_table *tab = NULL;
    int code = netfeat_flows_take(s->flows, &tab);

    if (code > 0) {
        output_write(&s->out[FLOWS], tab);
    } else if (code < 0) {
        example_fail(s->ctx, &s->progress, "flows");
    }
    netfeat_table_unref(tab);
}

static int process(struct sensor *s, netfeat_table *tab)
{
    int64_t rows = netfeat_table_rows(tab);
    int code = 0, first = 0;

    if (s->flows != NULL) {
        int64_t before = netfeat_flows_count(s->flows, NETFEAT_FLOWS_PACKETS);
        first = netfeat_flows_feed(s->flows, tab, NULL);
        if (first != 0) {
            skip(s, "flows", rows - (netfeat_flows_count(s->flows, NETFEAT_FLOWS_PACKETS) - before),
                 &s->flow_failures);
        }
        write_flows(s);
    }
    if (s->pipe != NULL && (code = write_features(s, tab)) != 0) {
        skip(s, "pipeline", rows, &s->pipeline_failures);
        first = first != 0 ? first : code;
    }
    if (!s->no_packets && (code = write_packets(s, tab)) != 0) {
        skip(s, "packets", rows, &s->out[PACKETS].lost);
        first = first != 0 ? first : code;
    }
    return first;
}

/* A batch without rows goes all the way: what does not fit together shows now, not with the first packet. */
static int rehearse(struct sensor *s)
{
    netfeat_table *tab = NULL;
    int code = netfeat_table_new(s->ctx, s->opts, &tab);

    code = code != 0 ? code : netfeat_table_seal(tab);
    s->key[0] = netfeat_table_find(tab, "packet_number");
    s->key[1] = netfeat_table_find(tab, "timestamp");
    code = code != 0 ? code : process(s, tab);
    netfeat_table_unref(tab);
    return code;
}

int sensor_prepare(struct sensor *s)
{
    static const char *const prefixes[] = {"packets", "flows", "features"};
    const char *what = s->pipeline;
    int code = s->pipeline != NULL ? load_pipeline(s) : 0;

    if (code == 0) {
        what = "set-up";
        code = s->with_flows ? netfeat_flows_new(s->ctx, s->opts, &s->flows) : 0;
        code = code != 0 ? code : choose_columns(s);
    }
    for (int i = 0; i < OUTPUTS; i++) {
        output_init(&s->out[i], prefixes[i], s->ctx, s->opts, s->directory);
    }
    code = code != 0 ? code : rehearse(s);
    return code != 0 ? example_fail(s->ctx, &s->progress, what) : 0;
}

/* Called by the library while it waits for packets and after each bundle of them. */
static int enough(void *user, int64_t packets, int64_t bytes, int64_t total)
{
    const struct sensor *s = user;

    (void)packets;
    (void)bytes;
    (void)total;
    return ((stop_wanted || rotate_wanted) && !s->last) || example_now() >= s->batch_until;
}

int sensor_batch(struct sensor *s)
{
    netfeat_table *tab = NULL;
    int64_t rows = 0;
    int code = netfeat_table_new(s->ctx, s->opts, &tab);

    if (code == 0) {
        s->batch_until = example_now() + (s->last ? LAST_SECONDS : BATCH_SECONDS);
        netfeat_ctx_set_progress(s->ctx, enough, s);
        int64_t n = netfeat_table_append_source(tab, s->src, BATCH_ROWS);
        netfeat_ctx_set_progress(s->ctx, NULL, NULL);
        rows = netfeat_table_rows(tab);
        code = n < 0 && n != NETFEAT_ERR_CANCELLED ? (int)n : 0;
    }
    if (rows > 0) { /* a full memory is empty again then; a device that is gone says so again */
        code = netfeat_table_seal(tab);
        if (code == 0) {
            process(s, tab);
        }
    }
    code = code != 0 ? example_fail(s->ctx, &s->progress, s->device) : 0;
    netfeat_table_unref(tab);
    return code;
}

void sensor_expire(struct sensor *s, int all)
{
    struct timespec now;

    if (s->flows == NULL) {
        return;
    }
    if (all) {
        netfeat_flows_end(s->flows);
    } else {
        clock_gettime(CLOCK_REALTIME, &now);
        netfeat_flows_expire(s->flows, (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec - LATE_NS);
    }
    write_flows(s);
}
