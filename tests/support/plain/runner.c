/* main() of the tests under -Dplain_criterion=true.
   usage: PROGRAM [--tap=-] [--filter SUITE/NAME] [--list] [--no-fork]
   The pattern of --filter is one of fnmatch(3), as Criterion's. With --no-fork, one process for all: for a debugger, where the
   first failed assertion is the end. PLAIN_TIMEOUT in the environment multiplies the timeouts of the tests. */
#include <criterion/criterion.h>

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

static plain_suite *suites;
static plain_test *tests;
static int failures; /* of the test that runs */

void plain_add_suite(plain_suite *suite)
{
    suite->next = suites;
    suites = suite;
}

/* Behind the others: in the order of the file. */
void plain_add_test(plain_test *test)
{
    plain_test **at = &tests;

    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = test;
}

void plain_fail(int fatal, const char *file, int line, const char *what, const char *format, ...)
{
    va_list args;

    failures++;
    printf("# %s:%d: does not hold: %s:", file, line, what);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    if (fatal) {
        fflush(NULL);
        _exit(1);
    }
}

void plain_log(const char *format, ...)
{
    va_list args;

    printf("# ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

static const plain_options *suite_options(const char *name)
{
    static const plain_options none;

    for (const plain_suite *suite = suites; suite != NULL; suite = suite->next) {
        if (strcmp(suite->name, name) == 0) {
            return &suite->options;
        }
    }
    return &none;
}

static void run(const plain_test *test)
{
    const plain_options *suite = suite_options(test->suite);
    void (*const calls[])(void) = {suite->init, test->options.init, test->run, test->options.fini,
                                   suite->fini};

    failures = 0;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (calls[i] != NULL) {
            calls[i]();
        }
    }
}

static unsigned timeout_of(const plain_test *test)
{
    const char *text = getenv("PLAIN_TIMEOUT");
    double factor = text != NULL ? strtod(text, NULL) : 1;
    double own = test->options.timeout > 0 ? test->options.timeout : suite_options(test->suite)->timeout;

    return own > 0 && factor > 0 ? (unsigned)ceil(own * factor) : 0;
}

/* Whether it passed. */
static bool run_in_child(const plain_test *test)
{
    int status = 0;
    pid_t child, ended;

    fflush(NULL);
    child = fork();
    if (child < 0) {
        perror("fork");
        return false;
    }
    if (child == 0) {
        alarm(timeout_of(test));
        run(test);
        exit(failures > 0);
    }
    do {
        ended = waitpid(child, &status, 0);
    } while (ended < 0 && errno == EINTR);
    if (ended == child && WIFSIGNALED(status)) {
        printf("# %s::%s: signal %d\n", test->suite, test->name, WTERMSIG(status));
    }
    return ended == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int usage(const char *program)
{
    fprintf(stderr, "usage: %s [--tap=-] [--filter SUITE/NAME] [--list] [--no-fork]\n", program);
    return 2;
}

/* The pattern matches SUITE/NAME. */
static bool is_asked_for(const plain_test *test, const char *filter)
{
    char name[512];

    snprintf(name, sizeof name, "%s/%s", test->suite, test->name);
    return filter == NULL || fnmatch(filter, name, 0) == 0;
}

int main(int argc, char **argv)
{
    const char *filter = NULL;
    bool list = false, forks = true;
    int count = 0, failed = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--filter") == 0 && i + 1 < argc) {
            filter = argv[++i];
        } else if (strncmp(argv[i], "--filter=", 9) == 0) {
            filter = argv[i] + 9;
        } else if (strcmp(argv[i], "--list") == 0) {
            list = true;
        } else if (strcmp(argv[i], "--no-fork") == 0) {
            forks = false;
        } else if (strcmp(argv[i], "--tap=-") != 0) {
            return usage(argv[0]);
        }
    }
    for (const plain_test *test = tests; test != NULL; test = test->next) {
        bool passed = true;
        if (!is_asked_for(test, filter)) {
            continue;
        }
        count++;
        if (list) {
            printf("%s/%s\n", test->suite, test->name);
            continue;
        }
        if (forks) {
            passed = run_in_child(test);
        } else {
            run(test);
            passed = failures == 0;
        }
        failed += !passed;
        printf("%sok %d - %s::%s\n", passed ? "" : "not ", count, test->suite, test->name);
    }
    if (!list) {
        printf("1..%d\n# %d passed, %d failed\n", count, count - failed, failed);
    }
    return failed > 0 || count == 0;
}
