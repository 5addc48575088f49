/* scene.h - scenarios for torture: each is a small program through the public API, from its inputs to its outputs,
   which is run again and again while allocations or system calls fail.

   A scenario is a torture_case (torture.h) whose user is a scene. It returns 0 or the first error, mixes all that it
   got into its result, and gives everything back, whatever happens. */
#ifndef TESTS_TORTURE_SCENE_H
#define TESTS_TORTURE_SCENE_H

#include <netfeat/arrow_abi.h>
#include <netfeat/netfeat.h>

#include "../support/torture.h"

typedef struct {
    const char *dir;        /* inputs, and the outputs of the scenarios */
    netfeat_table *packets; /* of traffic.pcap, made beforehand with a context of its own */
    int which;              /* of the variants of a scenario */
    int no_filters;         /* leave libpcap's compiler out */
    /* what the last run left */
    char message[512]; /* of its error */
    int error_number;
    int lossy; /* a refused call cost data, as documented: the result may be another one */
    char paths[4][160];
    unsigned at;
} scene;

typedef struct {
    const char *name;
    torture_case body;
    int which;
    const char *target; /* the file in dir that the scenario replaces; NULL: it writes none */
    const char *needs;  /* part that the build may lack (netfeat_build_has); NULL: none */
} scene_case;

/* Ends with a name that is NULL. */
extern const scene_case scene_cases[];

/* dir/name, valid until three more were asked for. */
const char *scene_path(scene *s, const char *name);
/* Make the inputs in a new directory, and remove them. */
void scene_set_up(scene *s, char *dir_template);
void scene_tear_down(scene *s);
/* Remember the first error of the run, then drop the context: the code again. */
int scene_leave(scene *s, netfeat_ctx *ctx, int code);

int scene_read(torture *t, void *user);
int scene_many(torture *t, void *user);
int scene_notes(torture *t, void *user);
int scene_push(torture *t, void *user);
int scene_table(torture *t, void *user);
int scene_flows(torture *t, void *user);
int scene_one_way(torture *t, void *user);
int scene_streams(torture *t, void *user);
int scene_stream_table(torture *t, void *user);
int scene_whole(torture *t, void *user);
int scene_pipeline(torture *t, void *user);
int scene_features(torture *t, void *user);
int scene_windows(torture *t, void *user);
int scene_save(torture *t, void *user);
int scene_writer(torture *t, void *user);
int scene_descriptor(torture *t, void *user);
int scene_load(torture *t, void *user);
int scene_arrow(torture *t, void *user);
int scene_big(torture *t, void *user);

#endif
