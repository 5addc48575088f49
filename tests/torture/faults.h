/* faults.h - the system calls of lib/, made to fail: every call of one of these functions in the program is redirected
   by the linker (--wrap) to a function of faults.c, which counts it and lets it through, or not. */
#ifndef TESTS_TORTURE_FAULTS_H
#define TESTS_TORTURE_FAULTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    int armed;         /* 0: everything goes through and nothing is counted */
    uint64_t calls;    /* so far */
    uint64_t fail_at;  /* this one fails, 1-based; 0: none */
    int all;           /* and every later one */
    int error;         /* errno that it fails with */
    size_t piece;      /* most bytes that a read or write moves; 0: no bound */
    int interruptions; /* every second call that may say so says EINTR or EAGAIN, whichever this is; 0: none */
    uint64_t waited;   /* calls that might have said so */
    const char *hit;   /* function that failed last; NULL: none */
    int hit_waits;     /* it may be interrupted: POSIX lists EINTR */
    uint64_t refused;  /* ENOMEM given */
    int renamed;       /* renameat went through */
    int file_failed;   /* a FILE has its error mark */
} fault_plan;

extern fault_plan faults;

/* For tests: past the plan. */
int plain_open(const char *path, int flags, int mode);
int plain_close(int fd);
off_t plain_lseek(int fd, off_t offset, int whence);

#endif
