/* torture.h - for tests: run something again and again, failing another allocation each time, until it gets
   through. The allocator checks its caller, too: old sizes, double frees, writes past the end, leaks.

   A case makes its own context with torture_ctx(), does its calls, gives everything back and returns 0 or the
   first negative code. Two modes:
   - one allocation fails: TRY() repeats a call that said NOMEM, once; it must succeed then, and the case must
     come to the same result as undisturbed: a failure leaves every handle usable;
   - all allocations from the n-th on fail: TRY() returns the code; the case must end in NOMEM.
   In both, nothing may be left when the case has returned. */
#ifndef TESTS_TORTURE_H
#define TESTS_TORTURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#define TORTURE_MAGIC  UINT64_C(0x70a71e5a110ca7ed)
#define TORTURE_TAIL   0xa5
#define TORTURE_MARGIN 16
#define TORTURE_MOST   100000 /* allocations of one case; a case with more is too large to be run for each */

typedef struct {
    uint64_t calls;      /* requests for memory so far, a resize is one */
    uint64_t fail_at;    /* this one fails, 1-based; 0: none */
    int all_from_there;  /* and every later one */
    uint64_t failed;     /* requests that were refused */
    int64_t live_blocks; /* not given back yet */
    int64_t live_bytes;
    const char *misuse; /* the first thing that the caller did wrong */
    uint64_t result;    /* what the case saw: the same whenever it succeeds */
    int dead;           /* a handle said by its contract that it cannot go on: NOMEM is the end of the case */
} torture;

typedef int (*torture_case)(torture *t, void *user);

typedef struct {
    uint64_t magic;
    size_t size;
} torture_head;

/* Blocks: head, the bytes asked for, a margin that nobody may write. */
static inline void *torture_alloc_block(torture *t, size_t size)
{
    torture_head *head = malloc(sizeof *head + size + TORTURE_MARGIN);

    if (head == NULL) {
        return NULL;
    }
    head->magic = TORTURE_MAGIC;
    head->size = size;
    memset(head + 1, 0xdb, size); /* nothing may count on zeros */
    memset((uint8_t *)(head + 1) + size, TORTURE_TAIL, TORTURE_MARGIN);
    t->live_blocks++;
    t->live_bytes += (int64_t)size;
    return head + 1;
}

static inline void torture_note(torture *t, const char *what)
{
    if (t->misuse == NULL) {
        t->misuse = what;
    }
}

/* The head of a block of the caller, or NULL when the block is not what the caller says. */
static inline torture_head *torture_check(torture *t, void *ptr, size_t size)
{
    torture_head *head = (torture_head *)ptr - 1;
    const uint8_t *tail = (const uint8_t *)ptr + size;

    if (head->magic != TORTURE_MAGIC) {
        torture_note(t, "a block that is not live was given back or resized");
        return NULL;
    }
    if (head->size != size) {
        torture_note(t, "a block was given back or resized with a wrong old size");
        return NULL;
    }
    for (int i = 0; i < TORTURE_MARGIN; i++) {
        if (tail[i] != TORTURE_TAIL) {
            torture_note(t, "a block was written past its end");
            return NULL;
        }
    }
    return head;
}

static inline void torture_free_block(torture *t, torture_head *head)
{
    t->live_blocks--;
    t->live_bytes -= (int64_t)head->size;
    head->magic = 0;
    memset(head + 1, 0xdd, head->size);
    free(head);
}

/* A netfeat_realloc_fn. Every resize moves: a pointer kept from before is found out. */
static inline void *torture_realloc(void *user, void *ptr, size_t old_size, size_t new_size)
{
    torture *t = user;
    torture_head *head = NULL;
    void *p;

    if (ptr != NULL) {
        head = torture_check(t, ptr, old_size);
        if (head == NULL) {
            return NULL;
        }
    } else if (old_size != 0) {
        torture_note(t, "no block, but an old size");
    }
    if (new_size == 0) {
        if (head != NULL) {
            torture_free_block(t, head);
        }
        return NULL;
    }
    t->calls++;
    if (t->fail_at != 0 && (t->calls == t->fail_at || (t->all_from_there && t->calls > t->fail_at))) {
        t->failed++;
        return NULL;
    }
    p = torture_alloc_block(t, new_size);
    t->failed += p == NULL;
    if (p != NULL && head != NULL) {
        memcpy(p, ptr, old_size < new_size ? old_size : new_size);
        torture_free_block(t, head);
    }
    return p;
}

static inline int torture_ctx(torture *t, netfeat_ctx **ret)
{
    int code = netfeat_ctx_new_alloc(torture_realloc, t, ret);

    if (code == NETFEAT_ERR_NOMEM && !t->all_from_there) {
        code = netfeat_ctx_new_alloc(torture_realloc, t, ret);
    }
    return code;
}

/* Evaluate a call that returns int or int64_t; in the first mode a NOMEM is answered by calling again. A call
   must say NOMEM when, and only when, an allocation was refused to it. */
#define TRY(t, call)                                                                                         \
    do {                                                                                                     \
        uint64_t refused_ = (t)->failed;                                                                     \
        int64_t code_ = (int64_t)(call);                                                                     \
        if (code_ == NETFEAT_ERR_NOMEM && (t)->failed == refused_) {                                         \
            torture_note(t, "NOMEM though nothing was refused: " #call);                                     \
        } else if (code_ < 0 && code_ != NETFEAT_ERR_NOMEM && (t)->failed != refused_) {                     \
            torture_note(t, "another code than NOMEM: " #call);                                              \
        }                                                                                                    \
        if (code_ == NETFEAT_ERR_NOMEM && !(t)->all_from_there) {                                            \
            code_ = (int64_t)(call);                                                                         \
        }                                                                                                    \
        if (code_ < 0) {                                                                                     \
            code = (int)code_;                                                                               \
            goto out;                                                                                        \
        }                                                                                                    \
    } while (0)

/* For a call on a source, whose errors last by contract: the second try goes on or says NOMEM again. */
#define TRY_LASTING(t, call)                                                                                 \
    do {                                                                                                     \
        int64_t try_ = (int64_t)(call);                                                                      \
        if (try_ == NETFEAT_ERR_NOMEM && !(t)->all_from_there) {                                             \
            try_ = (int64_t)(call);                                                                          \
            (t)->dead = try_ == NETFEAT_ERR_NOMEM;                                                           \
        }                                                                                                    \
        if (try_ < 0) {                                                                                      \
            code = (int)try_;                                                                                \
            goto out;                                                                                        \
        }                                                                                                    \
    } while (0)

/* For a call on an object that carries state: after NOMEM it goes on, or says STATE from then on, as its header says. */
#define TRY_STATE(t, call)                                                                                   \
    do {                                                                                                     \
        int64_t try_ = (int64_t)(call);                                                                      \
        if (try_ == NETFEAT_ERR_NOMEM && !(t)->all_from_there) {                                             \
            try_ = (int64_t)(call);                                                                          \
            (t)->dead = try_ == NETFEAT_ERR_STATE;                                                           \
        }                                                                                                    \
        if (try_ < 0) {                                                                                      \
            code = (t)->dead ? NETFEAT_ERR_NOMEM : (int)try_;                                                \
            goto out;                                                                                        \
        }                                                                                                    \
    } while (0)

/* Mix what the case sees into its result. */
static inline void torture_saw(torture *t, const void *data, size_t size)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < size; i++) {
        t->result = (t->result ^ p[i]) * UINT64_C(0x100000001b3);
    }
}

/* Names, validity and values of a whole table. */
static inline void torture_saw_table(torture *t, const netfeat_table *tab)
{
    int64_t rows = netfeat_table_rows(tab);

    for (int i = 0; i < netfeat_table_width(tab); i++) {
        const char *name = netfeat_table_name(tab, i);
        netfeat_column *col = netfeat_table_column(tab, i);
        torture_saw(t, name, strlen(name) + 1);
        for (int64_t row = 0; col != NULL && row < rows; row++) {
            char text[128];
            size_t length = 0;
            int there = netfeat_column_get_text(col, row, text, sizeof text, &length);
            torture_saw(t, &there, sizeof there);
            torture_saw(t, text, strlen(text));
        }
    }
    torture_saw(t, &rows, sizeof rows);
}

/* One run; NULL, or what was wrong with it. */
static inline const char *torture_once(torture *t, torture_case body, void *user, uint64_t fail_at, int all,
                                       int *ret_code)
{
    memset(t, 0, sizeof *t);
    t->fail_at = fail_at;
    t->all_from_there = all;
    *ret_code = body(t, user);
    if (t->misuse != NULL) {
        return t->misuse;
    }
    if (t->live_blocks != 0) {
        return "memory was left behind";
    }
    return NULL;
}

/* All runs of a case; NULL, or what went wrong. *ret_points counts the allocations that were made to fail. */
static inline const char *torture_run(torture_case body, void *user, uint64_t *ret_points)
{
    static char text[300];
    torture t;
    int code = 0;
    const char *wrong = torture_once(&t, body, user, 0, 0, &code);
    uint64_t result = t.result;
    uint64_t calls = t.calls;

    if (wrong != NULL || code != 0 || calls == 0 || calls > TORTURE_MOST) {
        snprintf(text, sizeof text, "undisturbed: %s, code %d, %llu allocations", wrong != NULL ? wrong : "-",
                 code, (unsigned long long)calls);
        return text;
    }
    for (int all = 0; all <= 1; all++) {
        for (uint64_t n = 1; n <= calls; n++) {
            wrong = torture_once(&t, body, user, n, all, &code);
            if (wrong == NULL && t.failed == 0) {
                wrong = "fewer allocations than undisturbed";
            } else if (wrong == NULL && code == 0 && t.result != result) {
                wrong = "another result";
            } else if (wrong == NULL && code != 0 && ((!all && !t.dead) || code != NETFEAT_ERR_NOMEM)) {
                wrong = all ? "another code than NOMEM" : "the second try failed, too";
            }
            if (wrong != NULL) {
                snprintf(text, sizeof text, "allocation %llu refused%s: %s (code %d)", (unsigned long long)n,
                         all ? " and all later ones" : "", wrong, code);
                return text;
            }
            *ret_points += 1;
        }
    }
    return NULL;
}

#endif
