#include "world.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char old_text[] = "what was there before\n";

/* Entries of a directory, without . and .. */
static int count_entries(const char *path)
{
    DIR *dir = opendir(path);
    int n = 0;

    if (dir == NULL) {
        perror(path);
        exit(2);
    }
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    }
    closedir(dir);
    return n;
}

static uint8_t *read_target(scene *s, const scene_case *c, size_t *ret_size)
{
    FILE *f = fopen(scene_path(s, c->target), "rb");
    uint8_t *data = NULL;
    size_t got;

    *ret_size = 0;
    if (f == NULL) {
        return NULL;
    }
    do {
        data = realloc(data, *ret_size + 65536);
        got = data != NULL ? fread(data + *ret_size, 1, 65536, f) : 0;
        *ret_size += got;
    } while (got > 0);
    fclose(f);
    return data;
}

void world_prepare(scene *s, const scene_case *c)
{
    FILE *f;

    if (c->target == NULL) {
        return;
    }
    f = fopen(scene_path(s, c->target), "wb");
    if (f == NULL || fwrite(old_text, 1, sizeof old_text - 1, f) != sizeof old_text - 1 || fclose(f) != 0) {
        perror(c->target);
        exit(2);
    }
}

void world_learn(world *w, scene *s, const scene_case *c)
{
    memset(w, 0, sizeof *w);
    w->descriptors = count_entries("/proc/self/fd");
    w->files = count_entries(s->dir);
    if (c->target != NULL) {
        w->target = read_target(s, c, &w->target_size);
    }
}

static int look_at_target(const world *w, scene *s, const scene_case *c)
{
    size_t size;
    uint8_t *data;
    int what = TARGET_OTHER;

    if (c->target == NULL) {
        return TARGET_NONE;
    }
    data = read_target(s, c, &size);
    if (data != NULL && size == sizeof old_text - 1 && memcmp(data, old_text, size) == 0) {
        what = TARGET_OLD;
    } else if (data != NULL && size == w->target_size && memcmp(data, w->target, size) == 0) {
        what = TARGET_NEW;
    }
    free(data);
    return what;
}

const char *world_check(const world *w, scene *s, const scene_case *c, int *ret_target)
{
    *ret_target = look_at_target(w, s, c);
    if (*ret_target == TARGET_OTHER) {
        return "the old file is damaged";
    }
    if (count_entries(s->dir) != w->files) {
        return "a file was left behind";
    }
    return count_entries("/proc/self/fd") != w->descriptors ? "a descriptor was left open" : NULL;
}

void world_clean(scene *s)
{
    DIR *dir = opendir(s->dir);

    for (const struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL; e = readdir(dir)) {
        if (strncmp(e->d_name, ".netfeat-", 9) == 0) {
            unlink(scene_path(s, e->d_name));
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

void world_forget(world *w)
{
    free(w->target);
    memset(w, 0, sizeof *w);
}
