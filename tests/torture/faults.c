#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "faults.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

fault_plan faults;

enum { NEVER_WAITS, WAITS, MOVES }; /* may it be interrupted; does it move bytes, too */

static int fails(const char *name, int waits)
{
    if (!faults.armed) {
        return 0;
    }
    faults.calls++;
    if (faults.interruptions != 0 && (faults.interruptions == EINTR ? waits : waits == MOVES) &&
        faults.waited++ % 2 == 0) {
        errno = faults.interruptions;
        return 1;
    }
    if (faults.fail_at == 0 || faults.calls < faults.fail_at ||
        (faults.calls > faults.fail_at && !faults.all)) {
        return 0;
    }
    faults.hit = name;
    faults.hit_waits = waits;
    faults.refused += faults.error == ENOMEM;
    errno = faults.error;
    return 1;
}

static size_t piece(size_t size)
{
    return faults.armed && faults.piece != 0 && size > faults.piece ? faults.piece : size;
}

/* WRAP(result, name, parameters, arguments, may be interrupted, result of a failure) */
#define WRAP(type, name, parameters, arguments, waits, failure)                                              \
    type __real_##name parameters;                                                                           \
    type __wrap_##name parameters;                                                                           \
    type __wrap_##name parameters                                                                            \
    {                                                                                                        \
        return fails(#name, waits) ? failure : __real_##name arguments;                                      \
    }

WRAP(int, fstat64, (int fd, struct stat *st), (fd, st), 0, -1)
WRAP(int, stat64, (const char *path, struct stat *st), (path, st), 0, -1)
WRAP(int, fstatat64, (int dir, const char *path, struct stat *st, int flags), (dir, path, st, flags), 0, -1)
WRAP(off_t, lseek64, (int fd, off_t offset, int whence), (fd, offset, whence), 0, -1)
WRAP(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags), 0, -1)
WRAP(int, poll, (struct pollfd * p, nfds_t n, int ms), (p, n, ms), 1, -1)
WRAP(char *, realpath, (const char *path, char *to), (path, to), 0, NULL)
WRAP(char *, __realpath_chk, (const char *path, char *to, size_t size), (path, to, size), 0, NULL)
WRAP(ssize_t, read, (int fd, void *to, size_t size), (fd, to, piece(size)), MOVES, -1)
WRAP(ssize_t, write, (int fd, const void *from, size_t size), (fd, from, piece(size)), MOVES, -1)
WRAP(DIR *, opendir, (const char *path), (path), 0, NULL)
WRAP(struct dirent *, readdir64, (DIR * dir), (dir), 0, NULL)
WRAP(off_t, ftello64, (FILE * file), (file), 0, -1)
WRAP(int, mprotect, (void *p, size_t size, int prot), (p, size, prot), 0, -1)
WRAP(int, munmap, (void *p, size_t size), (p, size), 0, -1)
WRAP(int, madvise, (void *p, size_t size, int advice), (p, size, advice), 0, -1)
WRAP(void *, mmap64, (void *p, size_t size, int prot, int flags, int fd, off_t offset),
     (p, size, prot, flags, fd, offset), 0, (void *)-1)
WRAP(int, posix_fadvise64, (int fd, off_t offset, off_t size, int advice), (fd, offset, size, advice), 0,
     errno)

/* Its failure is its result. */
WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *user),
     (thread, attributes, start, user), 0, EAGAIN)

/* As Linux has it, the descriptor is gone even if close says that it failed. */
#define WRAP_CLOSE(name, parameters, arguments, waits)                                                       \
    int __real_##name parameters;                                                                            \
    int __wrap_##name parameters;                                                                            \
    int __wrap_##name parameters                                                                             \
    {                                                                                                        \
        int bad = fails(#name, waits);                                                                       \
        int error = errno;                                                                                   \
        int code = __real_##name arguments;                                                                  \
        errno = bad ? error : errno;                                                                         \
        return bad ? -1 : code;                                                                              \
    }

WRAP_CLOSE(close, (int fd), (fd), 1)
WRAP_CLOSE(closedir, (DIR * dir), (dir), 0)

int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    int code = fails("renameat", 0) ? -1 : __real_renameat(from_dir, from, to_dir, to);

    faults.renamed |= code == 0;
    return code;
}

/* The disk is left in peace: what fsync does on it is not to be seen from here. */
int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
    (void)fd;
    return fails("fsync", 1) ? -1 : 0;
}

/* ---- what takes a variable number of arguments, or tells errors in another way ---- */

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __real_openat64(int dir, const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...);
int __real_fcntl64(int fd, int what, ...);
int __wrap_fcntl64(int fd, int what, ...);
void *__real_mremap(void *p, size_t from, size_t to, int flags, ...);
void *__wrap_mremap(void *p, size_t from, size_t to, int flags, ...);
size_t __real_fread(void *to, size_t size, size_t n, FILE *file);
size_t __wrap_fread(void *to, size_t size, size_t n, FILE *file);
int __real_ferror(FILE *file);
int __wrap_ferror(FILE *file);
void __real_clearerr(FILE *file);
void __wrap_clearerr(FILE *file);
ssize_t __wrap_getrandom(void *to, size_t size, unsigned flags);

static int mode_of(int flags, va_list args)
{
    return flags & O_CREAT ? va_arg(args, int) : 0;
}

int __wrap_open64(const char *path, int flags, ...)
{
    va_list args;
    int mode;

    va_start(args, flags);
    mode = mode_of(flags, args);
    va_end(args);
    return fails("open", 1) ? -1 : __real_open64(path, flags, mode);
}

int __wrap_openat64(int dir, const char *path, int flags, ...)
{
    va_list args;
    int mode;

    va_start(args, flags);
    mode = mode_of(flags, args);
    va_end(args);
    return fails("openat", 1) ? -1 : __real_openat64(dir, path, flags, mode);
}

int __wrap_fcntl64(int fd, int what, ...)
{
    va_list args;
    int number;

    va_start(args, what);
    number = va_arg(args, int);
    va_end(args);
    return fails("fcntl", 0) ? -1 : __real_fcntl64(fd, what, number);
}

void *__wrap_mremap(void *p, size_t from, size_t to, int flags, ...)
{
    va_list args;
    void *target;

    va_start(args, flags);
    target = va_arg(args, void *);
    va_end(args);
    return fails("mremap", 0) ? (void *)-1 : __real_mremap(p, from, to, flags, target);
}

/* A FILE that failed says so until it is cleared. */
size_t __wrap_fread(void *to, size_t size, size_t n, FILE *file)
{
    if (fails("fread", 1)) {
        faults.file_failed = 1;
        return 0;
    }
    return __real_fread(to, size, piece(n), file);
}

int __wrap_ferror(FILE *file)
{
    return faults.file_failed ? 1 : __real_ferror(file);
}

void __wrap_clearerr(FILE *file)
{
    faults.file_failed = 0;
    __real_clearerr(file);
}

/* The same numbers in every run, so that hashes, and with them the sizes of tables, are the same. */
ssize_t __wrap_getrandom(void *to, size_t size, unsigned flags)
{
    (void)flags;
    if (fails("getrandom", 1)) {
        return -1;
    }
    memset(to, (int)(faults.calls + 1), size);
    return (ssize_t)size;
}

/* ---- for tests ---- */

int plain_open(const char *path, int flags, int mode)
{
    return __real_open64(path, flags, mode);
}

int plain_close(int fd)
{
    return __real_close(fd);
}

off_t plain_lseek(int fd, off_t offset, int whence)
{
    return __real_lseek64(fd, offset, whence);
}
