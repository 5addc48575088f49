#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* setresuid, setgroups */
#endif
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

static int complain(const char *program, const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", program, what, strerror(errno));
    return -1;
}

static int become(const char *program, const char *user)
{
    const struct passwd *pw;

    errno = 0;
    pw = getpwnam(user);
    if (pw == NULL) {
        errno = errno != 0 ? errno : ENOENT;
        return complain(program, user);
    }
    if (pw->pw_uid == geteuid() && pw->pw_uid == getuid()) {
        return 0;
    }
    if (initgroups(user, pw->pw_gid) != 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0) {
        return complain(program, user);
    }
    if (pw->pw_uid != 0 && setuid(0) == 0) {
        errno = EPERM;
        return complain(program, "root can be had back");
    }
    return 0;
}

/* What executed files could give. It may be out of reach, which is fine: no_new_privs keeps it from coming back. */
static void drop_bounding_set(void)
{
    for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
        (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    }
}

static int drop_capabilities(const char *program)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    const struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &head, none) != 0) {
        return complain(program, "capabilities");
    }
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : complain(program, "no_new_privs");
}

int confine_user(const char *program, const char *user)
{
    drop_bounding_set(); /* while there is the capability to do it */
    if (user != NULL && become(program, user) != 0) {
        return -1;
    }
    return drop_capabilities(program);
}

#ifdef HAVE_SECCOMP

static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(pwrite64),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(fsync),
    SCMP_SYS(ftruncate),
    SCMP_SYS(lseek),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(getsockopt),
    SCMP_SYS(munmap),
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(getrandom),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(mremap),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(gettimeofday),
    /* where time and file offsets have 32 bits */
    SCMP_SYS(_llseek),
    SCMP_SYS(ftruncate64),
    SCMP_SYS(ppoll_time64),
    SCMP_SYS(clock_gettime64),
    SCMP_SYS(futex_time64),
};

/* What the program has no business with, ever: whoever tries is not the program. */
static const int deadly[] = {
    SCMP_SYS(execve),           SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_vm_readv), SCMP_SYS(connect),  SCMP_SYS(bind),   SCMP_SYS(bpf),
    SCMP_SYS(init_module),
};

static int add_lists(scmp_filter_ctx filter)
{
    int code = 0;

    for (size_t i = 0; code == 0 && i < sizeof allowed / sizeof *allowed; i++) {
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    }
    for (size_t i = 0; code == 0 && i < sizeof deadly / sizeof *deadly; i++) {
        code = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
    }
    return code;
}

/* No memory that is written becomes code. */
static int add_memory(scmp_filter_ctx filter)
{
    static const int calls[] = {SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect)};
    int code = 0;

    for (size_t i = 0; code == 0 && i < sizeof calls / sizeof *calls; i++) {
        code =
            seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    }
    return code;
}

/* New files only, and nothing is opened for reading. */
static int add_files(scmp_filter_ctx filter, int directory)
{
    const struct scmp_arg_cmp here = SCMP_A0(SCMP_CMP_EQ, (uint32_t)directory);
    const struct scmp_arg_cmp there = SCMP_A2(SCMP_CMP_EQ, (uint32_t)directory);
    const scmp_datum_t fresh = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    int code =
        seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 2, here,
                         SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_EXCL | O_NOFOLLOW, fresh));

    code = code != 0 ? code : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(renameat), 2, here, there);
    code = code != 0 ? code : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(renameat2), 2, here, there);
    return code != 0 ? code : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(unlinkat), 1, here);
}

/* A second descriptor for what is open, and whether the device is up. */
static int add_questions(scmp_filter_ctx filter)
{
    static const int calls[] = {SCMP_SYS(fcntl), SCMP_SYS(fcntl64)};
    int code =
        seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, SIOCGIFFLAGS));

    for (size_t i = 0; code == 0 && i < sizeof calls / sizeof *calls; i++) {
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 1, SCMP_A1(SCMP_CMP_EQ, F_DUPFD_CLOEXEC));
    }
    return code;
}

int confine_calls(const char *program, int directory)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int code = filter != NULL ? add_lists(filter) : -ENOMEM;

    code = code != 0 ? code : add_memory(filter);
    code = code != 0 ? code : add_files(filter, directory);
    code = code != 0 ? code : add_questions(filter);
    code = code != 0 ? code : seccomp_load(filter);
    seccomp_release(filter);
    if (code != 0) {
        errno = -code;
        return complain(program, "system call filter");
    }
    return 1;
}

#else

int confine_calls(const char *program, int directory)
{
    (void)program;
    (void)directory;
    return 0;
}

#endif
