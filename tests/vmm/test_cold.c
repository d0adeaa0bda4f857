/* test_cold.c - the benchmark's way to empty the processor's caches: tests/bench/common/cold.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cold.c"

static unsigned failures;
static bool no_memory;

void run_fail(struct run *run, const char *what, const char *why)
{
    (void)what, (void)why;
    run->failed = true;
    failures++;
}

void run_profile_restart(void)
{
}

char *buffer_map(struct run *run, size_t size)
{
    char *buffer = no_memory ? NULL : aligned_alloc(LINE, size);

    if (buffer)
        memset(buffer, 1, size);
    else
        run_fail(run, "buffer_map", "no memory");
    return buffer;
}

void buffer_unmap(char *buffer, size_t size)
{
    (void)size;
    free(buffer);
}

/* Linux's list of one cache: "1024K"; 0 if there is no such cache. */
static uint64_t cache_of_linux(unsigned i)
{
    char name[80], text[32] = "";
    FILE *file;

    snprintf(name, sizeof(name), "/sys/devices/system/cpu/cpu0/cache/index%u/size", i);
    file = fopen(name, "re");
    if (!file)
        return 0;
    if (!fgets(text, sizeof(text), file))
        text[0] = 0;
    fclose(file);
    return strtoull(text, NULL, 10) * (strchr(text, 'M') ? MIB : KIB);
}

static void test_size_is_what_linux_says(void **state)
{
    uint64_t largest = 0;

    (void)state;
    for (unsigned i = 0; i < MOST_CACHES; i++)
        if (cache_of_linux(i) > largest)
            largest = cache_of_linux(i);
    if (largest == 0 || largest_cache() == 0)
        skip(); /* neither need say it */
    assert_int_equal(largest_cache(), largest);
}

static void test_size_has_limits(void **state)
{
    struct run run = {0};
    struct cold cold = cold_prepare(&run);

    (void)state;
    assert_non_null(cold.memory);
    assert_in_range(cold.size, LEAST_SIZE, MOST_SIZE);
    assert_true(cold.size == MOST_SIZE || cold.size >= 2 * largest_cache());
    cold_free(&cold);
    assert_null(cold.memory);
    cold_free(&cold);
}

static void test_without_memory(void **state)
{
    struct run run = {.marks = {1}};
    struct cold cold;

    (void)state;
    no_memory = true;
    cold = cold_prepare(&run);
    no_memory = false;
    assert_true(run.failed);
    cold_make(&run, &cold);
    assert_int_equal(run.marks[0], 1); /* nothing was done that should not count */
    cold_free(&cold);
}

/* How long it takes to read some lines, one when the one before is there. */
enum { LINES = 512, STRIDE = 37 };

static uint64_t time_to_read(char *lines)
{
    uint64_t begin = run_clock();

    for (unsigned i = 0; i < LINES; i++) {
        (void)*(volatile char *)(lines + (size_t)(i * STRIDE % LINES) * 2 * LINE);
        __asm__ volatile("lfence" ::: "memory");
    }
    return run_clock() - begin;
}

/* Others on this machine only make warm reads slower: the fastest of some counts. */
static void test_caches_are_cold(void **state)
{
    struct run run = {0};
    struct cold cold = cold_prepare(&run);
    char *lines = aligned_alloc(LINE, LINES * 2 * LINE);
    uint64_t warm = UINT64_MAX, after = UINT64_MAX, now;

    (void)state;
    memset(lines, 1, LINES * 2 * LINE);
    for (unsigned i = 0; i < 5; i++) {
        time_to_read(lines);
        now = time_to_read(lines);
        warm = now < warm ? now : warm;
        cold_make(&run, &cold);
        assert_true(run.marks[0] > 0);
        now = time_to_read(lines);
        after = now < after ? now : after;
    }
    print_message("# %u lines: warm %llu ticks, cold %llu\n", LINES, (unsigned long long)warm,
                  (unsigned long long)after);
    assert_true(after > 2 * warm);
    free(lines);
    cold_free(&cold);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size_is_what_linux_says),
        cmocka_unit_test(test_size_has_limits),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_caches_are_cold),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
