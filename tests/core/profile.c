/*
 * Profiles and scheduling.
 */
#include "child.h"
#include "raw_thread.h"

#include <stdatomic.h>

#define PRIORITY ZX_PROFILE_INFO_FLAG_PRIORITY
#define DEADLINE ZX_PROFILE_INFO_FLAG_DEADLINE
#define CPU_MASK ZX_PROFILE_INFO_FLAG_CPU_MASK

static zx_profile_info_t with_priority(int32_t priority)
{
    zx_profile_info_t info;

    memset(&info, 0, sizeof(info));
    info.flags = PRIORITY;
    info.priority = priority;
    return info;
}

static zx_profile_info_t with_deadline(zx_duration_t capacity, zx_duration_t relative_deadline,
                                       zx_duration_t period)
{
    zx_profile_info_t info;

    memset(&info, 0, sizeof(info));
    info.flags = DEADLINE;
    info.deadline_params.capacity = capacity;
    info.deadline_params.relative_deadline = relative_deadline;
    info.deadline_params.period = period;
    return info;
}

static zx_profile_info_t with_mask(uint64_t mask)
{
    zx_profile_info_t info;

    memset(&info, 0, sizeof(info));
    info.flags = CPU_MASK;
    info.cpu_affinity_mask.mask[0] = mask;
    return info;
}

static zx_status_t try_create(zx_profile_info_t info)
{
    zx_handle_t profile;
    zx_status_t status = zx_profile_create(zx_job_default(), 0, &info, &profile);

    if (status == ZX_OK)
        CLOSE(profile);
    return status;
}

static zx_handle_t create(zx_profile_info_t info)
{
    zx_handle_t profile;

    ASSERT_OK(zx_profile_create(zx_job_default(), 0, &info, &profile));
    return profile;
}

static void apply(zx_handle_t thread, zx_profile_info_t info)
{
    zx_handle_t profile = create(info);

    ASSERT_OK(zx_object_set_profile(thread, profile, 0));
    CLOSE(profile);
}

static uint64_t affinity_of(zx_handle_t thread)
{
    zx_info_thread_t info;

    ASSERT_OK(zx_object_get_info(thread, ZX_INFO_THREAD, &info, sizeof(info), NULL, NULL));
    return info.cpu_affinity_mask.mask[0];
}

static zx_duration_t runtime_of(zx_handle_t thread)
{
    zx_info_thread_stats_t info;

    ASSERT_OK(zx_object_get_info(thread, ZX_INFO_THREAD_STATS, &info, sizeof(info), NULL, NULL));
    return info.total_runtime;
}

/* ---- Creating ------------------------------------------------------------------------------ */

TEST(SchedulerProfile, Create)
{
    zx_handle_t profile = create(with_priority(ZX_PRIORITY_DEFAULT));

    EXPECT_EQ(basic_info(profile).type, ZX_OBJ_TYPE_PROFILE);
    EXPECT_EQ(basic_info(profile).rights, ZX_DEFAULT_PROFILE_RIGHTS);
    CLOSE(profile);
}

TEST(SchedulerProfile, CreateNeedsTheRootJob)
{
    zx_profile_info_t info = with_priority(ZX_PRIORITY_DEFAULT);
    zx_handle_t profile, job, weak = without_rights(zx_job_default(), ZX_RIGHT_MANAGE_PROCESS);

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    EXPECT_STATUS(zx_profile_create(job, 0, &info, &profile), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_profile_create(weak, 0, &info, &profile), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_profile_create(closed_handle(), 0, &info, &profile), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_profile_create(zx_process_self(), 0, &info, &profile), ZX_ERR_WRONG_TYPE);
    CLOSE(weak);
    CLOSE(job);
}

TEST(SchedulerProfile, CreateBadArguments)
{
    zx_profile_info_t info = with_priority(ZX_PRIORITY_DEFAULT);
    zx_handle_t profile;

    EXPECT_STATUS(zx_profile_create(zx_job_default(), 1, &info, &profile), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_profile_create(zx_job_default(), 0, NULL, &profile), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_profile_create(zx_job_default(), 0, UNMAPPED, &profile), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_profile_create(zx_job_default(), 0, &info, UNMAPPED), ZX_ERR_INVALID_ARGS);
}

TEST(SchedulerProfile, Flags)
{
    zx_profile_info_t info = with_deadline(MS(1), MS(2), MS(3));

    info.flags = 0;
    EXPECT_STATUS(try_create(info), ZX_ERR_INVALID_ARGS);
    info.flags = 8;
    EXPECT_STATUS(try_create(info), ZX_ERR_INVALID_ARGS);
    info.flags = DEADLINE | 8;
    EXPECT_STATUS(try_create(info), ZX_ERR_INVALID_ARGS);
    info.flags = DEADLINE | PRIORITY;
    EXPECT_STATUS(try_create(info), ZX_ERR_INVALID_ARGS);
    info.flags = DEADLINE | CPU_MASK;
    EXPECT_OK(try_create(info));
    info.flags = CPU_MASK;
    EXPECT_OK(try_create(info));
    info = with_priority(3);
    info.flags |= CPU_MASK;
    EXPECT_OK(try_create(info));
}

TEST(SchedulerProfile, Priorities)
{
    for (int32_t priority = ZX_PRIORITY_LOWEST; priority <= (int32_t)ZX_PRIORITY_HIGHEST;
         priority++)
        EXPECT_OK(try_create(with_priority(priority)));
    EXPECT_STATUS(try_create(with_priority(-1)), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(try_create(with_priority(32)), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(try_create(with_priority(INT32_MAX)), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(try_create(with_priority(INT32_MIN)), ZX_ERR_INVALID_ARGS);
}

TEST(SchedulerProfile, DeadlineParameters)
{
    EXPECT_OK(try_create(with_deadline(1, 1, 1)));
    EXPECT_OK(try_create(with_deadline(MS(2), MS(4), MS(10))));
    EXPECT_OK(try_create(with_deadline(1, INT64_MAX, INT64_MAX)));
    EXPECT_STATUS(try_create(with_deadline(0, MS(1), MS(1))), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(try_create(with_deadline(-1, MS(1), MS(1))), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(try_create(with_deadline(MS(2), MS(1), MS(3))), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(try_create(with_deadline(MS(1), MS(3), MS(2))), ZX_ERR_INVALID_ARGS);
}

/* ---- Applying ------------------------------------------------------------------------------ */

TEST(SchedulerProfile, SetBadArguments)
{
    zx_handle_t profile = create(with_priority(ZX_PRIORITY_DEFAULT)), weak;

    EXPECT_STATUS(zx_object_set_profile(closed_handle(), profile, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_object_set_profile(zx_thread_self(), closed_handle(), 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_object_set_profile(zx_process_self(), profile, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_object_set_profile(zx_thread_self(), zx_thread_self(), 0), ZX_ERR_WRONG_TYPE);
    weak = without_rights(profile, ZX_RIGHT_APPLY_PROFILE);
    EXPECT_STATUS(zx_object_set_profile(zx_thread_self(), weak, 0), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    weak = without_rights(zx_thread_self(), ZX_RIGHT_MANAGE_THREAD);
    EXPECT_STATUS(zx_object_set_profile(weak, profile, 0), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    EXPECT_OK(zx_object_set_profile(zx_thread_self(), profile, 99)); /* options are not looked at */
    CLOSE(profile);
}

static void exits(uintptr_t argument1, uintptr_t argument2)
{
    (void)argument1;
    (void)argument2;
    zx_thread_exit();
}

TEST(SchedulerProfile, OnThreadsInAnyState)
{
    zx_handle_t profile = create(with_priority(ZX_PRIORITY_LOW));
    struct raw_thread t = raw_make();

    EXPECT_OK(zx_object_set_profile(t.handle, profile, 0)); /* not started */
    ASSERT_OK(raw_start(&t, exits, 0, 0));
    EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_TERMINATED, soon(), NULL));
    EXPECT_STATUS(zx_object_set_profile(t.handle, profile, 0), ZX_ERR_BAD_STATE);
    raw_join(&t);
    CLOSE(profile);
}

TEST(SchedulerProfile, Affinity)
{
    struct raw_thread t = raw_make();

    EXPECT_TRUE(affinity_of(t.handle) != 0);
    apply(t.handle, with_mask(1));
    EXPECT_EQ(affinity_of(t.handle), 1);
    apply(t.handle, with_mask(0xf0f0f0f1ffffffff)); /* 32 bits are used */
    EXPECT_EQ(affinity_of(t.handle), 0xffffffff);
    apply(t.handle, with_priority(ZX_PRIORITY_LOW)); /* leaves it alone */
    EXPECT_EQ(affinity_of(t.handle), 0xffffffff);
    ASSERT_OK(raw_start(&t, exits, 0, 0));
    raw_join(&t);
}

/* ---- Scheduling ---------------------------------------------------------------------------- */

#define SPINNERS 3

/*
 * What threads that compete note down. The host may take the CPU away at any moment and for long,
 * and the kernel counts that time as the running thread's. So nothing here is judged by elapsed
 * time where turns can be counted instead; "at most" is judged by `used`, which leaves out what the
 * host took, and "at least" by the kernel's figure, which has it in.
 */
static struct {
    _Atomic bool stop;
    _Atomic int latest; /* who ran last */
    struct {
        _Atomic uint64_t loops;
        _Atomic uint64_t turns; /* taken from another spinner */
        _Atomic zx_ticks_t used;
    } of[SPINNERS];
} race;

/* A loop that took longer than this was interrupted. */
static zx_ticks_t loop_ticks(void)
{
    return zx_ticks_per_second() / 20000;
}

static void spins(uintptr_t index, uintptr_t longest)
{
    zx_ticks_t then = zx_ticks_get();

    while (!race.stop) {
        zx_ticks_t now = zx_ticks_get();

        if (now - then < (zx_ticks_t)longest)
            race.of[index].used += now - then;
        if (race.latest != (int)index) {
            race.latest = (int)index;
            race.of[index].turns++;
        }
        race.of[index].loops++;
        then = now;
    }
    zx_thread_exit();
}

static void race_reset(void)
{
    memset(&race, 0, sizeof(race));
    race.latest = -1;
}

static zx_duration_t used_by(int index)
{
    return race.of[index].used * SECONDS(1) / zx_ticks_per_second();
}

/* The test itself runs above the spinners while they compete. */
static void spinners_start(struct raw_thread *t, const zx_profile_info_t *infos)
{
    apply(zx_thread_self(), with_priority(ZX_PRIORITY_HIGHEST));
    race_reset();
    for (int i = 0; i < SPINNERS; i++) {
        t[i] = raw_make();
        apply(t[i].handle, infos[i]);
    }
    for (int i = 0; i < SPINNERS; i++)
        ASSERT_OK(raw_start(&t[i], spins, i, loop_ticks()));
}

static void spinners_end(struct raw_thread *t)
{
    race.stop = true;
    for (int i = 0; i < SPINNERS; i++)
        raw_join(&t[i]);
    apply(zx_thread_self(), with_priority(ZX_PRIORITY_DEFAULT));
}

/* What a spinner has had of the CPU. */
struct share {
    zx_duration_t used; /* without what the host took */
    zx_duration_t ran;  /* as the kernel counts */
};

/* Lets spinners with these profiles compete for a while and says what each one had, and how long
 * it really was. */
static zx_duration_t compete(const zx_profile_info_t *infos, zx_duration_t time,
                             struct share *shares)
{
    zx_time_t start = zx_clock_get_monotonic();
    struct raw_thread t[SPINNERS];
    zx_duration_t elapsed;

    spinners_start(t, infos);
    zx_nanosleep(zx_deadline_after(time));
    for (int i = 0; i < SPINNERS; i++)
        shares[i] = (struct share){used_by(i), runtime_of(t[i].handle)};
    elapsed = zx_clock_get_monotonic() - start;
    spinners_end(t);
    return elapsed;
}

/*
 * For what cannot be counted: a host under load may still spoil a figure, so it has to be right
 * once in a number of tries; the exact ones are checked with a clock that does not go astray
 * (tests/unit/test_sched.c).
 */
#define TRIES 60

static void expect_sometime(bool (*once)(void))
{
    for (int i = 0; i < TRIES; i++) {
        if (once())
            return;
    }
    EXPECT_TRUE(!"right in one of the tries");
}

TEST(SchedulerProfile, HigherPrioritiesGoFirst)
{
    const zx_profile_info_t infos[SPINNERS] = {with_priority(5), with_priority(6),
                                               with_priority(4)};
    zx_time_t deadline = soon();
    struct raw_thread t[SPINNERS];

    spinners_start(t, infos);
    while (race.of[1].loops < 10000 && zx_clock_get_monotonic() < deadline)
        zx_nanosleep(zx_deadline_after(MS(20)));
    EXPECT_TRUE(race.of[1].loops >= 10000);
    EXPECT_EQ(race.of[0].loops, 0);
    EXPECT_EQ(race.of[2].loops, 0);
    spinners_end(t);
}

/* Threads of one priority take turns. */
TEST(SchedulerProfile, EqualPrioritiesShare)
{
    const zx_profile_info_t infos[SPINNERS] = {with_priority(8), with_priority(8),
                                               with_priority(8)};
    zx_time_t deadline = soon();
    struct raw_thread t[SPINNERS];
    uint64_t least, most;

    spinners_start(t, infos);
    do {
        zx_nanosleep(zx_deadline_after(MS(50)));
        least = UINT64_MAX;
        most = 0;
        for (int i = 0; i < SPINNERS; i++) {
            least = race.of[i].turns < least ? race.of[i].turns : least;
            most = race.of[i].turns > most ? race.of[i].turns : most;
        }
    } while (most < 10 && zx_clock_get_monotonic() < deadline);
    EXPECT_TRUE(most >= 10);
    EXPECT_TRUE(least >= most / 2); /* a turn that the host took whole is not seen */
    spinners_end(t);
}

static bool preempted_share(void)
{
    const zx_profile_info_t infos[SPINNERS] = {with_priority(8), with_priority(8),
                                               with_deadline(MS(1) / 2, MS(2), MS(3))};
    struct share share[SPINNERS];

    compete(infos, MS(200), share);
    return share[0].ran > MS(20) && share[1].ran > MS(20) && share[0].ran < 2 * share[1].ran &&
           share[1].ran < 2 * share[0].ran;
}

/* The turn of a thread is not over because others wake up above it. */
TEST(SchedulerProfile, PreemptionDoesNotCostTheTurn)
{
    expect_sometime(preempted_share);
}

/* A thread had its capacity in most of its periods, and in none of them more. */
static bool kept(const struct share *share, zx_duration_t capacity, zx_duration_t period,
                 zx_duration_t elapsed)
{
    zx_duration_t least = capacity * (elapsed / period) / 2;
    zx_duration_t most = capacity * (elapsed / period + 2);

    return share->ran > least && share->used < most;
}

static bool deadlines_are_kept(void)
{
    const zx_profile_info_t infos[SPINNERS] = {with_deadline(MS(5), MS(20), MS(20)),
                                               with_deadline(MS(2), MS(10), MS(20)),
                                               with_priority(ZX_PRIORITY_DEFAULT)};
    struct share share[SPINNERS];
    zx_duration_t elapsed = compete(infos, MS(200), share);

    return kept(&share[0], MS(5), MS(20), elapsed) && kept(&share[1], MS(2), MS(20), elapsed) &&
           share[2].ran > elapsed / 4;
}

/* A thread of a deadline profile runs for its capacity in each period, and for no more. */
TEST(SchedulerProfile, DeadlineThreadsGetTheirShare)
{
    expect_sometime(deadlines_are_kept);
}

static bool budgets_are_kept(void)
{
    const zx_profile_info_t infos[SPINNERS] = {with_deadline(MS(1), MS(10), MS(20)),
                                               with_deadline(MS(1), MS(10), MS(20)),
                                               with_deadline(MS(1), MS(10), MS(20))};
    struct share share[SPINNERS];
    zx_duration_t elapsed = compete(infos, MS(100), share);

    return kept(&share[0], MS(1), MS(20), elapsed) && kept(&share[1], MS(1), MS(20), elapsed) &&
           kept(&share[2], MS(1), MS(20), elapsed);
}

/* Even when nobody else wants the CPU. */
TEST(SchedulerProfile, DeadlineThreadsAreLimited)
{
    expect_sometime(budgets_are_kept);
}

/* What a spinner uses in the next 40 ms. */
static zx_duration_t uses(void)
{
    zx_duration_t before = used_by(0);

    zx_nanosleep(zx_deadline_after(MS(40)));
    return used_by(0) - before;
}

static bool changes_at_once(void)
{
    struct raw_thread t = raw_make();
    zx_duration_t as_deadline, as_priority, as_deadline_again;

    apply(zx_thread_self(), with_priority(ZX_PRIORITY_HIGHEST));
    apply(t.handle, with_deadline(MS(1), MS(500), MS(500)));
    race_reset();
    ASSERT_OK(raw_start(&t, spins, 0, loop_ticks()));
    as_deadline = uses();
    apply(t.handle, with_priority(ZX_PRIORITY_LOWEST)); /* it was waiting for its next period */
    as_priority = uses();
    apply(t.handle, with_deadline(MS(1), MS(500), MS(500)));
    as_deadline_again = uses();
    race.stop = true;
    apply(t.handle, with_priority(ZX_PRIORITY_DEFAULT));
    raw_join(&t);
    apply(zx_thread_self(), with_priority(ZX_PRIORITY_DEFAULT));
    return as_deadline < MS(5) && as_priority > MS(5) && as_deadline_again < MS(5);
}

TEST(SchedulerProfile, ChangesTakeEffectAtOnce)
{
    expect_sometime(changes_at_once);
}

/* A thread dies while it waits for its next period. */
TEST(SchedulerProfile, KillOfAThrottledThread)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, child_spins, 0);

    apply(prepared.child.thread, with_deadline(MS(1), SECONDS(100), SECONDS(100)));
    child_run(&prepared);
    zx_nanosleep(zx_deadline_after(MS(5)));
    EXPECT_OK(zx_task_kill(prepared.child.process));
    EXPECT_EQ(child_wait(&prepared.child), ZX_TASK_RETCODE_SYSCALL_KILL);
    child_close(&prepared.child);
}
