/* What our tests use of Criterion, without Criterion: for builds in which it cannot run (ThreadSanitizer, MemorySanitizer,
   other processors under emulation). Chosen by -Dplain_criterion=true; ../runner.c holds main(). Each test runs in a process
   of its own, as there; but it ends with exit(), so that what a sanitizer says about leaks makes it fail. */
#ifndef CRITERION_CRITERION_H
#define CRITERION_CRITERION_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int no_option; /* {.no_option = 0, .timeout = 3}: never empty */
    void (*init)(void);
    void (*fini)(void);
    double timeout; /* seconds */
} plain_options;

typedef struct plain_suite {
    const char *name;
    plain_options options;
    struct plain_suite *next;
} plain_suite;

typedef struct plain_test {
    const char *suite, *name;
    void (*run)(void);
    plain_options options;
    struct plain_test *next;
} plain_test;

void plain_add_suite(plain_suite *suite);
void plain_add_test(plain_test *test);
/* Says where and why; with fatal, the test ends here. The text of the caller comes behind `what`, a blank as its first. */
void plain_fail(int fatal, const char *file, int line, const char *what, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void plain_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define TestSuite(suite_, ...)                                                                               \
    static plain_suite suite_##_suite = {#suite_, {.no_option = 0, __VA_ARGS__}, NULL};                      \
    __attribute__((constructor)) static void suite_##_suite_add(void)                                        \
    {                                                                                                        \
        plain_add_suite(&suite_##_suite);                                                                    \
    }                                                                                                        \
    extern int suite_##_suite_end

#define Test(suite_, name_, ...)                                                                             \
    static void suite_##_##name_##_impl(void);                                                               \
    static plain_test suite_##_##name_##_test = {                                                            \
        #suite_, #name_, suite_##_##name_##_impl, {.no_option = 0, __VA_ARGS__}, NULL};                      \
    __attribute__((constructor)) static void suite_##_##name_##_add(void)                                    \
    {                                                                                                        \
        plain_add_test(&suite_##_##name_##_test);                                                            \
    }                                                                                                        \
    static void suite_##_##name_##_impl(void)

#define PLAIN_CHECK(fatal, holds, what, ...)                                                                 \
    ((holds) ? (void)0 : plain_fail(fatal, __FILE__, __LINE__, what, " " __VA_ARGS__))
#define PLAIN_COMPARE(fatal, a, op, b, ...) PLAIN_CHECK(fatal, (a)op(b), #a " " #op " " #b, __VA_ARGS__)
#define PLAIN_TEXT(fatal, a, op, b, ...)                                                                     \
    PLAIN_CHECK(fatal, strcmp((a), (b)) op 0, #a " " #op " " #b, __VA_ARGS__)
#define PLAIN_BYTES(fatal, a, b, size, ...)                                                                  \
    PLAIN_CHECK(fatal, memcmp((a), (b), (size)) == 0, "the bytes of " #a " and " #b, __VA_ARGS__)
#define PLAIN_NEAR(fatal, a, b, epsilon, ...)                                                                \
    PLAIN_CHECK(fatal, fabs((double)(a) - (double)(b)) <= (double)(epsilon), #a " near " #b, __VA_ARGS__)

#define cr_assert(holds, ...)             PLAIN_CHECK(1, holds, #holds, __VA_ARGS__)
#define cr_assert_fail(...)               PLAIN_CHECK(1, 0, "failed", __VA_ARGS__)
#define cr_assert_eq(a, b, ...)           PLAIN_COMPARE(1, a, ==, b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...)          PLAIN_COMPARE(1, a, !=, b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...)           PLAIN_COMPARE(1, a, <, b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...)          PLAIN_COMPARE(1, a, <=, b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...)           PLAIN_COMPARE(1, a, >, b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...)          PLAIN_COMPARE(1, a, >=, b, __VA_ARGS__)
#define cr_assert_null(a, ...)            PLAIN_COMPARE(1, a, ==, NULL, __VA_ARGS__)
#define cr_assert_not_null(a, ...)        PLAIN_COMPARE(1, a, !=, NULL, __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...)       PLAIN_TEXT(1, a, ==, b, __VA_ARGS__)
#define cr_assert_arr_eq(a, b, size, ...) PLAIN_BYTES(1, a, b, size, __VA_ARGS__)
#define cr_assert_float_eq(a, b, e, ...)  PLAIN_NEAR(1, a, b, e, __VA_ARGS__)

#define cr_expect(holds, ...)             PLAIN_CHECK(0, holds, #holds, __VA_ARGS__)
#define cr_expect_not(holds, ...)         PLAIN_CHECK(0, !(holds), "not " #holds, __VA_ARGS__)
#define cr_expect_eq(a, b, ...)           PLAIN_COMPARE(0, a, ==, b, __VA_ARGS__)
#define cr_expect_neq(a, b, ...)          PLAIN_COMPARE(0, a, !=, b, __VA_ARGS__)
#define cr_expect_lt(a, b, ...)           PLAIN_COMPARE(0, a, <, b, __VA_ARGS__)
#define cr_expect_leq(a, b, ...)          PLAIN_COMPARE(0, a, <=, b, __VA_ARGS__)
#define cr_expect_gt(a, b, ...)           PLAIN_COMPARE(0, a, >, b, __VA_ARGS__)
#define cr_expect_geq(a, b, ...)          PLAIN_COMPARE(0, a, >=, b, __VA_ARGS__)
#define cr_expect_null(a, ...)            PLAIN_COMPARE(0, a, ==, NULL, __VA_ARGS__)
#define cr_expect_not_null(a, ...)        PLAIN_COMPARE(0, a, !=, NULL, __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...)       PLAIN_TEXT(0, a, ==, b, __VA_ARGS__)
#define cr_expect_str_neq(a, b, ...)      PLAIN_TEXT(0, a, !=, b, __VA_ARGS__)
#define cr_expect_str_empty(a, ...)       PLAIN_CHECK(0, (a)[0] == '\0', #a " is empty", __VA_ARGS__)
#define cr_expect_str_not_empty(a, ...)   PLAIN_CHECK(0, (a)[0] != '\0', #a " is not empty", __VA_ARGS__)
#define cr_expect_arr_eq(a, b, size, ...) PLAIN_BYTES(0, a, b, size, __VA_ARGS__)
#define cr_expect_float_eq(a, b, e, ...)  PLAIN_NEAR(0, a, b, e, __VA_ARGS__)

#define cr_log_info(...) plain_log(__VA_ARGS__)

#endif
