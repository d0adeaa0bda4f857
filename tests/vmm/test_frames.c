/* test_frames.c - the reserve of frames between one boot and the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/frames.h"

enum { COUNT = 8, GIVEN = 3, TURNS = 200 };

static unsigned char *first_page(const struct frames *frames)
{
    return (unsigned char *)(((uintptr_t)frames->base + FRAMES_PAGE - 1) & -(uintptr_t)FRAMES_PAGE);
}

/* Which huge pages are held, as bits. A part of one counts as the whole. */
static unsigned held_pages(const struct frames *frames)
{
    static unsigned char resident[FRAMES_PAGE / 4096];
    unsigned held = 0;
    for (size_t i = 0; i < frames->count; i++) {
        assert_int_equal(mincore(first_page(frames) + i * FRAMES_PAGE, FRAMES_PAGE, resident), 0);
        held |= (memchr(resident, 1, sizeof(resident)) != NULL ? 1u : 0u) << i;
    }
    return held;
}

static void test_exchange(void **state)
{
    struct frames frames;
    unsigned given[COUNT] = {0}, last = 0, changes = 0;
    int cpu = sched_getcpu();
    (void)state;
    frames_begin(&frames, COUNT, 1);
    assert_int_equal(held_pages(&frames), (1u << COUNT) - 1);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        frames_exchange(&frames, cpu, GIVEN);
        unsigned held = held_pages(&frames);
        assert_int_equal(__builtin_popcount(held), COUNT - GIVEN);
        changes += held != last;
        last = held;
        for (size_t i = 0; i < COUNT; i++)
            given[i] += (held >> i & 1) == 0;
    }
    /* Each in TURNS * GIVEN / COUNT turns, give or take; a repetition in one of 56. */
    assert_in_range(changes, TURNS * 9 / 10, TURNS);
    for (size_t i = 0; i < COUNT; i++)
        assert_in_range(given[i], TURNS * GIVEN / COUNT / 2, TURNS * GIVEN / COUNT * 3 / 2);
    frames_end(&frames);
}

static void test_another_number_each_time(void **state)
{
    struct frames frames;
    (void)state;
    frames_begin(&frames, COUNT, 2);
    frames_exchange(&frames, sched_getcpu(), 5);
    assert_int_equal(__builtin_popcount(held_pages(&frames)), COUNT - 5);
    frames_exchange(&frames, sched_getcpu(), 1);
    assert_int_equal(__builtin_popcount(held_pages(&frames)), COUNT - 1);
    frames_exchange(&frames, sched_getcpu(), COUNT + 1);
    assert_int_equal(held_pages(&frames), 0);
    frames_end(&frames);
}

static void test_leaves_the_process_where_it_was(void **state)
{
    struct frames frames;
    cpu_set_t before, after;
    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
    frames_begin(&frames, COUNT, 3);
    frames_exchange(&frames, sched_getcpu(), GIVEN);
    assert_int_equal(sched_getaffinity(0, sizeof(after), &after), 0);
    assert_true(CPU_EQUAL(&before, &after));
    frames_end(&frames);
}

static void test_is_not_inherited(void **state)
{
    struct frames frames;
    int status;
    (void)state;
    frames_begin(&frames, 1, 4);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        unsigned char resident;
        _exit(mincore(first_page(&frames), 1, &resident) == 0 ? 1 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    frames_end(&frames);
}

static void test_limits(void **state)
{
    struct frames frames;
    (void)state;
    frames_begin(&frames, 0, 5);
    frames_exchange(&frames, sched_getcpu(), GIVEN);
    frames_end(&frames);
    frames_exchange(&frames, sched_getcpu(), GIVEN); /* there is none any more */
    assert_null(frames.base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exchange),
        cmocka_unit_test(test_another_number_each_time),
        cmocka_unit_test(test_leaves_the_process_where_it_was),
        cmocka_unit_test(test_is_not_inherited),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
