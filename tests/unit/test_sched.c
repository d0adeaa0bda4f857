/*
 * test_sched.c - turns, priorities, deadlines, profiles.
 */
#include "helpers.h"

#include "deadline.h"
#include "profile.h"

#define MS(n) ((zx_duration_t)(n)*1000000)

static struct cpu *cpu(void)
{
    return &fix.cpu;
}

static zx_profile_info_t by_priority(int32_t priority)
{
    return (zx_profile_info_t){.flags = ZX_PROFILE_INFO_FLAG_PRIORITY, .priority = priority};
}

static zx_profile_info_t by_deadline(zx_duration_t capacity, zx_duration_t relative,
                                     zx_duration_t period)
{
    return (zx_profile_info_t){.flags = ZX_PROFILE_INFO_FLAG_DEADLINE,
                               .deadline_params = {capacity, relative, period}};
}

static void apply(struct thread *thread, zx_profile_info_t info)
{
    struct profile *profile;

    assert_status(profile_create(&info, &profile), ZX_OK);
    assert_status(profile_apply(profile, thread), ZX_OK);
    object_release(&profile->object);
}

/* A thread that spins for ever. Not current, not queued. */
static struct thread *spinner(zx_profile_info_t info)
{
    struct thread *thread = fixture_thread();

    apply(thread, info);
    return thread;
}

/* What guest/loop.c does: the next thread runs until its turn or budget is over, a timer goes off,
 * or it is preempted after `time`. Returns it; NULL: idle. */
static struct thread *run(zx_duration_t time)
{
    struct thread *thread = executor_take(cpu());
    zx_time_t now = hal_now(), end = now + time, next = timerq_next(&cpu()->timers);

    cpu()->current = thread;
    if (thread) {
        executor_begin_turn(cpu(), thread, now);
        if ((thread->deadline || cpu()->ready_mask >> thread->priority) && cpu()->slice_end < end)
            end = cpu()->slice_end;
    }
    if (next < end)
        end = next;
    fixture_advance(end - now);
    cpu()->current = NULL;
    if (thread) {
        thread->runtime += end - now;
        cpu()->preempted = end == now + time;
        executor_end_turn(cpu(), thread, end - now);
    }
    return thread;
}

static void stop(struct thread *thread)
{
    executor_remove(thread);
    end_thread(thread);
}

/* ---- Turns --------------------------------------------------------------------------------- */

static void test_round_robin(void **state)
{
    struct thread *t[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        t[i] = spinner(by_priority(9));
        executor_ready(t[i]);
    }
    for (int i = 0; i < 9; i++)
        assert_ptr_equal(run(MS(100)), t[i % 3]);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(t[i]->runtime, 3 * TIME_SLICE);
        stop(t[i]);
    }
}

static void test_preempted_keeps_its_turn(void **state)
{
    struct thread *a = spinner(by_priority(9)), *b = spinner(by_priority(9)),
                  *high = spinner(by_priority(20));

    (void)state;
    executor_ready(a);
    executor_ready(b);
    assert_ptr_equal(executor_take(cpu()), a);
    cpu()->current = a;
    executor_begin_turn(cpu(), a, hal_now());
    fixture_advance(MS(4));
    executor_ready(high);
    assert_true(cpu()->resched);
    assert_true(cpu()->preempted);
    executor_end_turn(cpu(), a, MS(4));
    cpu()->current = NULL;
    assert_ptr_equal(run(MS(1)), high);
    executor_remove(high);
    assert_ptr_equal(run(MS(100)), a);
    assert_int_equal(a->runtime, MS(6)); /* the rest of the 10 ms */
    assert_ptr_equal(run(MS(100)), b);
    stop(a);
    stop(b);
    stop(high);
}

static void test_yield_goes_to_the_end(void **state)
{
    struct thread *a = spinner(by_priority(9)), *b = spinner(by_priority(9));

    (void)state;
    executor_ready(a);
    executor_ready(b);
    cpu()->current = executor_take(cpu());
    assert_ptr_equal(cpu()->current, a);
    executor_begin_turn(cpu(), a, hal_now());
    executor_yield(a);
    assert_true(cpu()->resched);
    executor_end_turn(cpu(), a, 10);
    cpu()->current = NULL;
    assert_ptr_equal(run(MS(100)), b);
    assert_ptr_equal(run(MS(100)), a);
    assert_int_equal(a->runtime, TIME_SLICE); /* a whole new turn */
    stop(a);
    stop(b);
}

/* Who sleeps just before the end of each turn gets no more turns for that. */
static void test_sleeping_wins_nothing(void **state)
{
    struct thread *a = spinner(by_priority(9)), *b = spinner(by_priority(9));

    (void)state;
    executor_ready(a);
    executor_ready(b);
    for (int i = 0; i < 100; i++) {
        struct thread *thread = run(MS(9));

        if (thread == a) { /* it blocks, and is woken at once */
            executor_remove(a);
            executor_ready(a);
        }
    }
    assert_true(a->runtime <= b->runtime);
    assert_true(a->runtime >= b->runtime * 8 / 10); /* and loses little */
    stop(a);
    stop(b);
}

static void test_equal_shares(void **state)
{
    enum { N = 7 };
    struct thread *t[N];

    (void)state;
    for (int i = 0; i < N; i++) {
        t[i] = spinner(by_priority(16));
        executor_ready(t[i]);
    }
    srand(7);
    for (int i = 0; i < 20000; i++)
        run(1 + rand() % MS(15));
    for (int i = 1; i < N; i++) {
        zx_duration_t difference = t[i]->runtime - t[0]->runtime;

        assert_true(difference > -2 * TIME_SLICE && difference < 2 * TIME_SLICE);
    }
    for (int i = 0; i < N; i++)
        stop(t[i]);
}

/* ---- Deadlines ----------------------------------------------------------------------------- */

static void test_earliest_deadline_first(void **state)
{
    struct thread *late = spinner(by_deadline(MS(1), MS(30), MS(50))),
                  *early = spinner(by_deadline(MS(1), MS(10), MS(50))),
                  *fair = spinner(by_priority(31));

    (void)state;
    executor_ready(fair);
    executor_ready(late);
    executor_ready(early);
    assert_ptr_equal(run(MS(100)), early);
    assert_ptr_equal(run(MS(100)), late);
    assert_ptr_equal(run(MS(100)), fair);
    assert_int_equal(early->runtime, MS(1));
    assert_int_equal(late->runtime, MS(1));
    assert_int_equal(fair->runtime, MS(48)); /* until the next period begins */
    assert_ptr_equal(run(MS(100)), early);
    stop(late);
    stop(early);
    stop(fair);
}

static void test_deadline_preempts(void **state)
{
    struct thread *late = spinner(by_deadline(MS(5), MS(30), MS(50))),
                  *early = spinner(by_deadline(MS(1), MS(10), MS(50))),
                  *high = spinner(by_priority(31));

    (void)state;
    cpu()->current = high;
    cpu()->resched = false;
    executor_ready(late);
    assert_true(cpu()->resched);
    assert_ptr_equal(executor_take(cpu()), late);
    cpu()->current = late;
    executor_begin_turn(cpu(), late, hal_now());
    assert_int_equal(cpu()->slice_end, hal_now() + MS(5));
    executor_ready(high);
    assert_false(cpu()->resched); /* no priority goes before a deadline */
    executor_ready(early);
    assert_true(cpu()->resched);
    cpu()->current = NULL;
    executor_end_turn(cpu(), late, MS(2));
    assert_int_equal(late->deadline->budget, MS(3));
    stop(late);
    stop(early);
    stop(high);
}

/* A thread that has spent its budget does not run, even if the CPU is idle. */
static void test_budget(void **state)
{
    struct thread *t = spinner(by_deadline(MS(3), MS(10), MS(20)));
    zx_time_t begin = hal_now();

    (void)state;
    executor_ready(t);
    for (int period = 0; period < 5; period++) {
        assert_ptr_equal(run(MS(2)), t);
        assert_ptr_equal(run(MS(100)), t);
        assert_int_equal(t->runtime, MS(3) * (period + 1));
        assert_true(t->queued);
        assert_null(run(MS(100)));
        assert_int_equal(hal_now(), begin + MS(20) * (period + 1));
    }
    stop(t);
}

/* Waking up in the same period brings no new budget, in a later one it does. */
static void test_wake_keeps_the_period(void **state)
{
    struct thread *t = spinner(by_deadline(MS(3), MS(10), MS(20)));
    zx_time_t begin = hal_now();

    (void)state;
    executor_ready(t);
    run(MS(2));
    executor_remove(t); /* it sleeps */
    fixture_advance(MS(5));
    executor_ready(t);
    assert_int_equal(t->deadline->budget, MS(1));
    assert_int_equal(t->deadline->start, begin);
    run(MS(100));
    assert_int_equal(t->runtime, MS(3));
    executor_remove(t);
    fixture_advance(MS(30));
    executor_ready(t);
    assert_int_equal(t->deadline->budget, MS(3));
    assert_int_equal(t->deadline->start, hal_now());
    stop(t);
}

/* A schedulable set: every thread gets its whole capacity before each of its deadlines. */
static void test_no_deadline_is_missed(void **state)
{
    static const zx_sched_deadline_params_t params[] = {
        {MS(2), MS(8), MS(8)},   {MS(3), MS(15), MS(15)}, {MS(7), MS(40), MS(40)},
        {MS(5), MS(21), MS(21)}, {MS(1), MS(10), MS(10)}, /* together 96.3% */
    };
    enum { N = sizeof params / sizeof params[0] };
    struct thread *t[N], *fair = spinner(by_priority(31));
    zx_duration_t at_start[N] = {0};
    zx_time_t start[N], end;
    unsigned periods = 0;

    (void)state;
    executor_ready(fair);
    for (int i = 0; i < N; i++) {
        t[i] =
            spinner(by_deadline(params[i].capacity, params[i].relative_deadline, params[i].period));
        executor_ready(t[i]);
        start[i] = t[i]->deadline->start;
    }
    for (end = hal_now() + MS(5000); hal_now() < end;) {
        run(MS(1000));
        for (int i = 0; i < N; i++) {
            if (t[i]->deadline->start == start[i])
                continue;
            assert_int_equal(t[i]->deadline->start, start[i] + params[i].period);
            assert_int_equal(t[i]->runtime - at_start[i], params[i].capacity);
            start[i] = t[i]->deadline->start;
            at_start[i] = t[i]->runtime;
            periods++;
        }
    }
    assert_true(periods > 1500);
    assert_true(fair->runtime > MS(150));
    for (int i = 0; i < N; i++)
        stop(t[i]);
    stop(fair);
}

static void test_extreme_parameters(void **state)
{
    struct thread *t = spinner(by_deadline(1, INT64_MAX, INT64_MAX));

    (void)state;
    executor_ready(t);
    assert_ptr_equal(run(MS(1)), t);
    assert_int_equal(t->runtime, 1);
    assert_null(run(MS(1))); /* for 292 years */
    apply(t, by_priority(1));
    assert_ptr_equal(run(MS(1)), t);
    stop(t);
}

/* ---- Profiles ------------------------------------------------------------------------------ */

static void test_change_while_queued(void **state)
{
    struct thread *a = spinner(by_priority(9)), *b = spinner(by_priority(9));

    (void)state;
    executor_ready(a);
    executor_ready(b);
    apply(b, by_priority(10));
    assert_ptr_equal(executor_take(cpu()), b);
    assert_int_equal(cpu()->ready_mask, 1u << 9);
    apply(a, by_deadline(MS(1), MS(1), MS(10)));
    assert_int_equal(cpu()->ready_mask, 0);
    executor_ready(b);
    assert_ptr_equal(run(MS(100)), a);
    assert_ptr_equal(run(MS(1)), b); /* a waits for its next period ... */
    apply(a, by_priority(11));       /* ... no longer */
    assert_ptr_equal(run(MS(1)), a);
    apply(a, by_deadline(MS(1), MS(1), MS(10)));
    assert_ptr_equal(run(MS(1)), a);
    stop(a);
    stop(b);
}

static void test_change_of_the_current(void **state)
{
    (void)state;
    cpu()->resched = false;
    apply(SELF, by_priority(2));
    assert_true(cpu()->resched); /* whether it goes on is for the queues to say */
    apply(SELF, by_deadline(MS(1), MS(1), MS(1)));
    apply(SELF, by_priority(16));
    assert_null(SELF->deadline);
}

static void test_kill_while_throttled(void **state)
{
    struct thread *t = spinner(by_deadline(MS(1), MS(10), MS(10000)));

    (void)state;
    executor_ready(t);
    run(MS(100));
    assert_null(executor_take(cpu()));
    thread_kill(t);
    assert_ptr_equal(executor_take(cpu()), t);
    assert_false(fixture_run(t));
    assert_int_equal(t->state, THREAD_DEAD);
    assert_status(timerq_next(&cpu()->timers) == ZX_TIME_INFINITE, true);
    object_release(&t->object);
    fix.cpu.current = SELF;
}

static void test_profile_no_memory(void **state)
{
    zx_profile_info_t info = by_deadline(MS(1), MS(2), MS(3));
    struct profile *profile;
    struct thread *t = spinner(by_priority(9));

    (void)state;
    heap_fail_nth(1);
    assert_status(profile_create(&info, &profile), ZX_ERR_NO_MEMORY);
    assert_status(profile_create(&info, &profile), ZX_OK);
    executor_ready(t);
    heap_fail_nth(1);
    assert_status(profile_apply(profile, t), ZX_ERR_NO_MEMORY);
    heap_fail_nth(0);
    assert_null(t->deadline);
    assert_int_equal(t->priority, 9);
    assert_ptr_equal(executor_take(cpu()), t);
    object_release(&profile->object);
    stop(t);
}

static void test_profile_syscalls(void **state)
{
    zx_profile_info_t info = by_priority(5);
    zx_handle_t root, profile, thread;

    (void)state;
    object_ref(&fix.kernel.root_job->object);
    root = fixture_give(&fix.kernel.root_job->object, ZX_DEFAULT_JOB_RIGHTS);
    object_ref(&SELF->object);
    thread = fixture_give(&SELF->object, ZX_DEFAULT_THREAD_RIGHTS);
    fixture_poke(64, &info, sizeof info);
    assert_status(sys_profile_create(SELF, root, 0, U(64), BAD), ZX_ERR_INVALID_ARGS);
    assert_status(sys_profile_create(SELF, root, 0, BAD, U(0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_profile_create(SELF, root, 0, U(64), U(0)), ZX_OK);
    profile = fixture_handle_at(0);
    assert_status(sys_object_set_profile(SELF, thread, profile, 0), ZX_OK);
    assert_int_equal(SELF->priority, 5);
    close_handle(profile);
    SELF->flags |= THREAD_KILLED;
    assert_status(sys_profile_create(SELF, root, 0, U(64), U(0)), ZX_OK);
    assert_status(sys_object_set_profile(SELF, thread, fixture_handle_at(0), 0), ZX_ERR_BAD_STATE);
    SELF->flags = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_round_robin),           TEST(test_preempted_keeps_its_turn),
        TEST(test_yield_goes_to_the_end), TEST(test_sleeping_wins_nothing),
        TEST(test_equal_shares),          TEST(test_earliest_deadline_first),
        TEST(test_deadline_preempts),     TEST(test_budget),
        TEST(test_wake_keeps_the_period), TEST(test_no_deadline_is_missed),
        TEST(test_extreme_parameters),    TEST(test_change_while_queued),
        TEST(test_change_of_the_current), TEST(test_kill_while_throttled),
        TEST(test_profile_no_memory),     TEST(test_profile_syscalls),
    };

    return cmocka_run_group_tests_name("sched", tests, NULL, NULL);
}
