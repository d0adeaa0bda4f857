/*
 * core-tests: conformance tests of the system calls, run inside the guest. Expectations come from
 * the ABI's rules, not from what the kernel happens to do. Output is TAP.
 *
 *     core-tests [--list] [PATTERN...]      PATTERN: Suite.Name, with * and ?
 *     core-tests --serve LABEL [PATTERN...] for zvmm test: list the names, set the marker LABEL,
 * read one name, run that test, set marker 4097 with the result
 */
#include "test.h"

#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>

extern const struct test __start_core_tests[] __attribute__((visibility("hidden")));
extern const struct test __stop_core_tests[] __attribute__((visibility("hidden")));

/* The test that runs. */
static struct {
    _Atomic int failures;
    const char *skipped;
    thrd_t thread;
    jmp_buf end;
} current;

void test_failed(const char *file, int line, bool fatal, const char *format, ...)
{
    const char *slash = strrchr(file, '/');
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    printf("# %s:%d: %s\n", slash ? slash + 1 : file, line, text);
    atomic_fetch_add(&current.failures, 1);
    if (!fatal)
        return;
    if (thrd_current() != current.thread)
        thrd_exit(1);
    longjmp(current.end, 1);
}

void test_skip(const char *reason)
{
    current.skipped = reason;
    longjmp(current.end, 1);
}

/* Returns whether it passed, was skipped or failed. */
enum result { PASSED, FAILED, SKIPPED };

static enum result run_test(const struct test *test)
{
    current.failures = 0;
    current.skipped = NULL;
    current.thread = thrd_current();
    if (setjmp(current.end) == 0)
        test->run();
    if (current.failures > 0)
        return FAILED;
    return current.skipped ? SKIPPED : PASSED;
}

/* A pattern that begins with ! takes away what it matches. */
static bool is_wanted(const struct test *test, int pattern_count, char **patterns)
{
    char name[128];
    bool wanted = pattern_count == 0 || patterns[0][0] == '!';

    snprintf(name, sizeof(name), "%s.%s", test->suite, test->name);
    for (int i = 0; i < pattern_count; i++) {
        bool negative = patterns[i][0] == '!';

        if (fnmatch(patterns[i] + negative, name, 0) == 0)
            wanted = !negative;
    }
    return wanted;
}

/* In the order of the sources, whatever the compiler and linker made of it. */
static int by_place(const void *a, const void *b)
{
    const struct test *x = *(const struct test *const *)a, *y = *(const struct test *const *)b;
    int order = strcmp(x->file, y->file);

    return order ? order : x->line - y->line;
}

static void send_marker(const char *format, ...)
{
    char text[128] = "marker ";
    va_list arguments;

    fflush(stdout);
    va_start(arguments, format);
    vsnprintf(text + strlen(text), sizeof(text) - strlen(text), format, arguments);
    va_end(arguments);
    zx_debug_send_command(root_resource(), text, strlen(text));
}

/* The machine is kept at the marker and put back to it after each test. */
static int serve(const char *label, const struct test **tests, size_t count)
{
    static const int results[] = {[PASSED] = 0, [FAILED] = 1, [SKIPPED] = 77};
    char wanted[128] = "", name[128];
    int result = 2;

    send_marker("%s", label);
    if (!fgets(wanted, sizeof(wanted), stdin))
        return 2;
    wanted[strcspn(wanted, "\r\n")] = '\0';
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "%s.%s", tests[i]->suite, tests[i]->name);
        if (strcmp(name, wanted) == 0)
            result = results[run_test(tests[i])];
    }
    if (result == 77)
        printf("# %s\n", current.skipped);
    send_marker("4097 %d", result);
    return result;
}

int main(int argc, char **argv)
{
    bool serving = argc > 2 && strcmp(argv[1], "--serve") == 0;
    bool list = serving || (argc > 1 && strcmp(argv[1], "--list") == 0);
    int first = serving ? 3 : list ? 2 : 1, counts[3] = {0};
    size_t total = (size_t)(__stop_core_tests - __start_core_tests), wanted = 0;
    const struct test **tests = calloc(total, sizeof(*tests));

    if (!tests) {
        printf("Bail out! no memory\n");
        return 1;
    }
    for (size_t i = 0; i < total; i++) {
        if (is_wanted(&__start_core_tests[i], argc - first, argv + first))
            tests[wanted++] = &__start_core_tests[i];
    }
    qsort(tests, wanted, sizeof(*tests), by_place);
    if (wanted == 0 && argc > first) {
        if (!list)
            printf("1..0 # SKIP no test matches\n");
        return 2;
    }
    if (!list)
        printf("1..%zu\n", wanted);
    for (size_t i = 0; i < wanted; i++) {
        const struct test *test = tests[i];
        if (list) {
            printf("%s.%s\n", test->suite, test->name);
            continue;
        }
        enum result result = run_test(test);
        counts[result]++;
        printf("%sok %zu - %s.%s%s%s\n", result == FAILED ? "not " : "", i + 1, test->suite,
               test->name, result == SKIPPED ? " # SKIP " : "",
               result == SKIPPED ? current.skipped : "");
    }
    if (serving)
        return serve(argv[2], tests, wanted);
    if (!list)
        printf("# passed %d failed %d skipped %d\n", counts[PASSED], counts[FAILED],
               counts[SKIPPED]);
    free(tests);
    return counts[FAILED] > 0;
}
