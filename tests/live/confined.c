/* What netfeat-sensor may and may not do once it is confined: each attempt in a process of its own. TAP.
   usage: confined FOLDER (must be writable) */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* syscall numbers, O_DIRECTORY */
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../examples/confine.h"

#define FRESH (O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)

static int directory;

static int map(int protection)
{
    return mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int make_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return page == MAP_FAILED ? 0 : mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int make_file(void)
{
    int fd = openat(directory, ".confined.part", FRESH, 0600);
    int code = fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 0) == 0 && fsync(fd) == 0 && close(fd) == 0
                   ? 0
                   : -1;

    code = code == 0 ? renameat(directory, ".confined.part", directory, "confined") : code;
    return code == 0 ? unlinkat(directory, "confined", 0) : code;
}

/* Number of the attempt -> 0, or -1 with errno. */
static int attempt(int which)
{
    char *const none[] = {NULL};

    switch (which) {
    case 0:
        return make_file();
    case 1:
        return map(PROT_READ | PROT_WRITE);
    case 2:
        return openat(directory, "confined", O_RDONLY);
    case 3:
        return openat(AT_FDCWD, "/etc/passwd", O_RDONLY);
    case 4:
        return openat(AT_FDCWD, "confined", FRESH, 0600);
    case 5:
        return openat(directory, "confined", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    case 6:
        return socket(AF_INET, SOCK_STREAM, 0);
    case 7:
        return socket(AF_PACKET, SOCK_RAW, 0);
    case 8:
        return map(PROT_READ | PROT_EXEC);
    case 9:
        return make_code();
    case 10:
        return (int)syscall(SYS_kill, 1, SIGTERM);
    case 11:
        return (int)syscall(SYS_clone, 0, 0, 0, 0, 0);
    case 12:
        return (int)syscall(SYS_setresuid, 0, 0, 0);
    case 13:
        return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    case 14:
        return fchmod(directory, 0777);
    case 15:
        return execve("/bin/true", none, none);
    default:
        return connect(0, NULL, 0);
    }
}

static const struct {
    const char *name;
    int wanted; /* 0 allowed, an errno, or minus a signal */
} attempts[] = {
    {"a new file, renamed and removed", 0},
    {"memory", 0},
    {"a file there opened for reading", EPERM},
    {"/etc/passwd", EPERM},
    {"a new file elsewhere", EPERM},
    {"a file overwritten", EPERM},
    {"a TCP socket", EPERM},
    {"a packet socket", EPERM},
    {"executable memory", EPERM},
    {"memory made executable", EPERM},
    {"a signal to others", EPERM},
    {"a new process", EPERM},
    {"another user", EPERM},
    {"prctl", EPERM},
    {"the folder's mode", EPERM},
    {"a program started", -SIGSYS},
    {"a connection", -SIGSYS},
};

static int outcome(int which)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        if (confine_user("confined", NULL) != 0 || confine_calls("confined", directory) != 1) {
            _exit(255);
        }
        _exit(attempt(which) >= 0 ? 0 : errno);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        return 254;
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    int count = (int)(sizeof attempts / sizeof *attempts), failed = 0;

    directory = open(argc > 1 ? argv[1] : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        perror("folder");
        return 1;
    }
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        int got;
        fflush(stdout);
        got = outcome(i);
        failed += got != attempts[i].wanted;
        printf("%sok %d - %s\n", got != attempts[i].wanted ? "not " : "", i + 1, attempts[i].name);
        if (got != attempts[i].wanted) {
            printf("# %d, not %d\n", got, attempts[i].wanted);
        }
    }
    close(directory);
    return failed != 0;
}
