/* torture - runs every scenario with each of its allocations, or each of its system calls, refused.
   usage: torture allocations|calls|heap [STRIDE [NAME]]
   heap: the C library's own, which libpcap and the compression libraries use.
   STRIDE: only every STRIDE-th point, from another one on for each scenario (default 1: all). NAME: only scenarios whose
   name begins so. Prints how many points were survived; exit code 1 when one was not. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strerrorname_np */
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "heap.h"
#include "world.h"

static unsigned long stride = 1;
static int wrong;

static void complain(const scene_case *c, const char *how, uint64_t n, const char *what, int code,
                     const scene *s)
{
    printf("FAILED %s, %s %llu: %s (%s, \"%s\"%s%s)\n", c->name, how, (unsigned long long)n, what,
           netfeat_error_name(code), s->message, faults.hit != NULL ? ", " : "",
           faults.hit != NULL ? faults.hit : "");
    wrong++;
}

/* One run of a scenario on a clean table. */
static const char *run(torture *t, scene *s, const scene_case *c, uint64_t allocation, int all, int *ret_code)
{
    const char *what;

    s->which = c->which;
    s->lossy = 0;
    s->message[0] = '\0';
    world_prepare(s, c);
    faults.calls = 0;
    faults.refused = 0;
    faults.renamed = 0;
    faults.file_failed = 0;
    s->error_number = 0;
    faults.hit = NULL;
    s->no_filters = heap.no_filters;
    heap.calls = 0;
    heap.armed = 1;
    faults.armed = 1;
    what = torture_once(t, c->body, s, allocation, all, ret_code);
    faults.armed = 0;
    heap.armed = 0;
    if (what != NULL && strncmp(what, "NOMEM though", 12) == 0 &&
        (faults.refused > 0 || c->body == scene_big)) {
        what = NULL; /* something was refused, if not by the allocator that counts */
    }
    return what;
}

/* The run that all others are compared with. */
static int learn(torture *t, scene *s, const scene_case *c, world *w)
{
    int code = 0;
    const char *what = run(t, s, c, 0, 0, &code);

    if (what != NULL || code != 0) {
        complain(c, "undisturbed", 0, what != NULL ? what : "it failed", code, s);
        return 0;
    }
    world_learn(w, s, c);
    return 1;
}

/* ---- allocations ---- */

static const char *judge_allocation(const torture *t, const scene *s, int all, int code, uint64_t result,
                                    int target)
{
    if (t->failed == 0) {
        return "fewer allocations than undisturbed";
    }
    if (code == 0) {
        return t->result != result && !s->lossy ? "another result"
               : target == TARGET_OLD           ? "nothing was saved"
                                                : NULL;
    }
    if (code != NETFEAT_ERR_NOMEM) {
        return "another code than NOMEM";
    }
    if (!all && !t->dead) {
        return "the second try failed, too";
    }
    return s->message[0] == '\0' && !t->dead && t->calls > 1 ? "an error without a message" : NULL;
}

static uint64_t refuse_allocations(scene *s, const scene_case *c, unsigned long first)
{
    uint64_t points = 0;
    world w;
    torture t;

    if (!learn(&t, s, c, &w)) {
        return 0;
    }
    for (int all = 0; all <= 1; all++) {
        uint64_t result = t.result;
        uint64_t calls = t.calls;
        for (uint64_t n = 1 + first % stride; n <= calls; n += stride) {
            torture again;
            int code = 0, target = 0;
            const char *what = run(&again, s, c, n, all, &code);
            what = what != NULL ? what : world_check(&w, s, c, &target);
            what = what != NULL ? what : judge_allocation(&again, s, all, code, result, target);
            if (what != NULL) {
                complain(c, all ? "from allocation" : "allocation", n, what, code, s);
            }
            points++;
        }
    }
    world_forget(&w);
    return points;
}

/* ---- system calls ---- */

static const struct {
    int error, code;
} errors[] = {
    {EIO, NETFEAT_ERR_IO},       {ENOSPC, NETFEAT_ERR_IO}, {EINTR, NETFEAT_ERR_IO},
    {ENOMEM, NETFEAT_ERR_NOMEM}, {EMFILE, NETFEAT_ERR_IO}, {EACCES, NETFEAT_ERR_PERMISSION},
};

/* The allocator maps memory: whatever the reason, there is none. */
static int is_memory(const char *call)
{
    return call != NULL &&
           (strcmp(call, "mmap64") == 0 || strcmp(call, "mremap") == 0 || strcmp(call, "mprotect") == 0);
}

static const char *judge_call(const torture *t, const scene *s, size_t e, int code, uint64_t result,
                              int target)
{
    if (code == 0) {
        return t->result != result ? "another result" : target == TARGET_OLD ? "nothing was saved" : NULL;
    }
    if (errors[e].error == EINTR && faults.hit_waits) {
        return "an interrupted call was not repeated";
    }
    if (code != errors[e].code && !(code == NETFEAT_ERR_NOMEM && is_memory(faults.hit))) {
        return "another code than documented";
    }
    if (s->message[0] == '\0') {
        return "an error without a message";
    }
    if (s->error_number != errors[e].error && !is_memory(faults.hit)) {
        return "another errno";
    }
    /* what fails later than the renaming: the fsync of the directory, and what the scenario does with the new file */
    return (target == TARGET_NEW) != (faults.renamed != 0) ? "failed, but the old file is gone" : NULL;
}

static void one_call(scene *s, const scene_case *c, const world *w, uint64_t n, size_t e, uint64_t result)
{
    torture t;
    int code = 0, target = 0;
    const char *what;

    faults.fail_at = n;
    faults.error = errors[e].error;
    what = run(&t, s, c, 0, 1, &code);

    what = what != NULL ? what : world_check(w, s, c, &target);
    what = what != NULL ? what : judge_call(&t, s, e, code, result, target);
    if (what != NULL) {
        char how[64];
        snprintf(how, sizeof how, "%s from call", strerrorname_np(errors[e].error));
        complain(c, how, n, what, code, s);
    }
}

/* Everything fails from there on: nothing leaks; a temporary file may stay, because removing it fails, too. */
static void all_calls(scene *s, const scene_case *c, const world *w, uint64_t n)
{
    torture t;
    int code = 0, target = 0;
    const char *what;

    faults.fail_at = n;
    faults.error = EIO;
    faults.all = 1;
    what = run(&t, s, c, 0, 1, &code);
    faults.all = 0;
    world_clean(s);
    what = what != NULL ? what : world_check(w, s, c, &target);
    if (what != NULL) {
        complain(c, "all from call", n, what, code, s);
    }
}

/* Signals between all calls, and bytes that come one by one, change nothing. */
static void same_result(scene *s, const scene_case *c, const world *w, uint64_t result, const char *how)
{
    torture t;
    int code = 0, target = 0;
    const char *what = run(&t, s, c, 0, 1, &code);

    what = what != NULL ? what : world_check(w, s, c, &target);
    if (what == NULL && (code != 0 || t.result != result || target == TARGET_OLD)) {
        what = "another result";
    }
    if (what != NULL) {
        complain(c, how, 0, what, code, s);
    }
}

static uint64_t refuse_calls(scene *s, const scene_case *c, unsigned long first)
{
    uint64_t points = 0, calls;
    world w;
    torture t;

    memset(&faults, 0, sizeof faults);
    if (!learn(&t, s, c, &w)) {
        return 0;
    }
    calls = faults.calls;
    for (uint64_t n = 1 + first % stride; n <= calls; n += stride) {
        for (size_t e = 0; e < sizeof errors / sizeof errors[0]; e++) {
            one_call(s, c, &w, n, e, t.result);
        }
        all_calls(s, c, &w, n);
        points += sizeof errors / sizeof errors[0] + 1;
    }
    memset(&faults, 0, sizeof faults);
    faults.interruptions = EINTR;
    same_result(s, c, &w, t.result, "interruptions");
    if (c->body != scene_features) { /* a services file is never a pipe of the caller */
        faults.interruptions = EAGAIN;
        same_result(s, c, &w, t.result, "no bytes yet");
    }
    faults.interruptions = 0;
    faults.piece = strncmp(c->name, "big", 3) == 0 ? 4099 : 1;
    same_result(s, c, &w, t.result, "small pieces");
    faults.piece = 0;
    world_forget(&w);
    return points + 3;
}

/* ---- the heap, of all libraries ----

   The compiler of libpcap (1.10.3) crashes when it gets no memory for its optimiser: filters stay out of this. */

static uint64_t refuse_heap(scene *s, const scene_case *c, unsigned long first)
{
    uint64_t points = 0, calls;
    world w;
    torture t;

    heap.no_filters = 1;
    if (!learn(&t, s, c, &w)) {
        return 0;
    }
    calls = heap.calls;
    for (uint64_t n = 1 + first % stride; n <= calls; n += stride) {
        torture again;
        int code = 0, target = 0;
        const char *what;
        heap.fail_at = n;
        what = run(&again, s, c, 0, 1, &code);
        heap.fail_at = 0;
        if (what != NULL && strncmp(what, "NOMEM though", 12) == 0) {
            what = NULL; /* it was refused to another library */
        }
        what = what != NULL ? what : world_check(&w, s, c, &target);
        if (what == NULL && code != 0 && code != NETFEAT_ERR_NOMEM) {
            what = "another code than NOMEM";
        } else if (what == NULL && code == 0 && again.result != t.result) {
            what = "another result";
        }
        if (what != NULL) {
            complain(c, "malloc", n, what, code, s);
        }
        points++;
    }
    world_forget(&w);
    return points;
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/netfeat-torture-XXXXXX";
    const char *only = argc > 3 ? argv[3] : "";
    uint64_t (*refuse)(scene *, const scene_case *, unsigned long) =
        argc < 2                              ? NULL
        : strcmp(argv[1], "allocations") == 0 ? refuse_allocations
        : strcmp(argv[1], "calls") == 0       ? refuse_calls
        : strcmp(argv[1], "heap") == 0        ? refuse_heap
                                              : NULL;
    uint64_t points = 0;
    unsigned scenarios = 0;
    scene s;

    if (refuse == NULL || argc > 4) {
        fprintf(stderr, "usage: torture allocations|calls|heap [STRIDE [NAME]]\n");
        return 2;
    }
    stride = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    stride = stride > 0 ? stride : 1;
    scene_set_up(&s, dir);
    for (int i = 0; scene_cases[i].name != NULL; i++) {
        uint64_t n;
        if (strncmp(scene_cases[i].name, only, strlen(only)) != 0) {
            continue;
        }
        if (refuse != refuse_calls && scene_cases[i].body == scene_big) {
            continue; /* it has an allocator that cannot be told to fail */
        }
        if (scene_cases[i].needs != NULL && netfeat_build_has(scene_cases[i].needs) != 1) {
            printf("%-28s left out: this build has no %s\n", scene_cases[i].name, scene_cases[i].needs);
            continue;
        }
        n = refuse(&s, &scene_cases[i], (unsigned long)i);
        printf("%-28s %6llu\n", scene_cases[i].name, (unsigned long long)n);
        fflush(stdout);
        points += n;
        scenarios++;
    }
    scene_tear_down(&s);
    printf("%s: %u scenarios, %llu points, %d not survived\n", argv[1], scenarios, (unsigned long long)points,
           wrong);
    return wrong > 0 || points == 0;
}
