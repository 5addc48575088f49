/* world.h - what must be so after a scenario, whatever failed in it: no descriptor is left open, no file is left beside
   the inputs, and the file that it replaces is the old one or the new one. */
#ifndef TESTS_TORTURE_WORLD_H
#define TESTS_TORTURE_WORLD_H

#include "scene.h"

typedef struct {
    int files, descriptors;
    uint8_t *target; /* the new contents of the target */
    size_t target_size;
} world;

enum { TARGET_NONE, TARGET_OLD, TARGET_NEW, TARGET_OTHER };

/* Put old contents where the scenario writes. */
void world_prepare(scene *s, const scene_case *c);
/* Remember how it is after a run without failures. */
void world_learn(world *w, scene *s, const scene_case *c);
/* NULL, or what is wrong. *ret_target: TARGET_*. */
const char *world_check(const world *w, scene *s, const scene_case *c, int *ret_target);
/* Remove what a temporary file left, after a failure that nobody can clean up behind. */
void world_clean(scene *s);
void world_forget(world *w);

#endif
