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

static _Atomic bool stop;

static void spins(uintptr_t unused1, uintptr_t unused2)
{
    (void)unused1;
    (void)unused2;
    while (!stop)
        ;
    zx_thread_exit();
}

#define SPINNERS 3

/* Lets spinners with these profiles compete for a while and says how long each one ran. The test
 * itself runs above them. */
static void compete(const zx_profile_info_t *infos, zx_duration_t time, zx_duration_t *ran)
{
    struct raw_thread t[SPINNERS];

    apply(zx_thread_self(), with_priority(ZX_PRIORITY_HIGHEST));
    stop = false;
    for (int i = 0; i < SPINNERS; i++) {
        t[i] = raw_make();
        apply(t[i].handle, infos[i]);
    }
    for (int i = 0; i < SPINNERS; i++)
        ASSERT_OK(raw_start(&t[i], spins, 0, 0));
    zx_nanosleep(zx_deadline_after(time));
    for (int i = 0; i < SPINNERS; i++)
        ran[i] = runtime_of(t[i].handle);
    stop = true;
    for (int i = 0; i < SPINNERS; i++)
        raw_join(&t[i]);
    apply(zx_thread_self(), with_priority(ZX_PRIORITY_DEFAULT));
}

/*
 * The host may take the CPU away for longer than a budget, and that time counts as the running
 * thread's. So a figure has to be right once in a number of tries; the exact ones are checked with
 * a clock that does not go astray (tests/unit/test_sched.c).
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

static bool between(zx_duration_t value, zx_duration_t low, zx_duration_t high)
{
    return value > low && value < high;
}

static bool highest_runs(void)
{
    const zx_profile_info_t infos[SPINNERS] = {with_priority(5), with_priority(6),
                                               with_priority(4)};
    zx_duration_t ran[SPINNERS];

    compete(infos, MS(60), ran);
    return ran[1] > MS(40) && ran[0] < MS(2) && ran[2] < MS(2);
}

TEST(SchedulerProfile, HigherPrioritiesGoFirst)
{
    expect_sometime(highest_runs);
}

static bool all_share(void)
{
    const zx_profile_info_t infos[SPINNERS] = {with_priority(8), with_priority(8),
                                               with_priority(8)};
    zx_duration_t ran[SPINNERS];

    compete(infos, MS(180), ran);
    return between(ran[0], MS(35), MS(85)) && between(ran[1], MS(35), MS(85)) &&
           between(ran[2], MS(35), MS(85));
}

TEST(SchedulerProfile, EqualPrioritiesShare)
{
    expect_sometime(all_share);
}

static bool preempted_share(void)
{
    const zx_profile_info_t infos[SPINNERS] = {with_priority(8), with_priority(8),
                                               with_deadline(MS(1) / 2, MS(2), MS(3))};
    zx_duration_t ran[SPINNERS];

    compete(infos, MS(200), ran);
    return ran[0] > MS(20) && ran[1] > MS(20) && ran[0] < 2 * ran[1] && ran[1] < 2 * ran[0];
}

/* The turn of a thread is not over because others wake up above it. */
TEST(SchedulerProfile, PreemptionDoesNotCostTheTurn)
{
    expect_sometime(preempted_share);
}

static bool deadlines_are_kept(void)
{
    const zx_profile_info_t infos[SPINNERS] = {with_deadline(MS(5), MS(20), MS(20)),
                                               with_deadline(MS(2), MS(10), MS(20)),
                                               with_priority(ZX_PRIORITY_DEFAULT)};
    zx_duration_t ran[SPINNERS];

    compete(infos, MS(200), ran);
    return between(ran[0], MS(25), MS(75)) && between(ran[1], MS(10), MS(40)) && ran[2] > MS(60);
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
    zx_duration_t ran[SPINNERS];

    compete(infos, MS(100), ran);
    return between(ran[0], MS(2), MS(15)) && between(ran[1], MS(2), MS(15)) &&
           between(ran[2], MS(2), MS(15));
}

/* Even when nobody else wants the CPU. */
TEST(SchedulerProfile, DeadlineThreadsAreLimited)
{
    expect_sometime(budgets_are_kept);
}

static bool changes_at_once(void)
{
    struct raw_thread t = raw_make();
    zx_duration_t as_deadline, as_priority, as_deadline_again;

    apply(zx_thread_self(), with_priority(ZX_PRIORITY_HIGHEST));
    apply(t.handle, with_deadline(MS(1), MS(500), MS(500)));
    stop = false;
    ASSERT_OK(raw_start(&t, spins, 0, 0));
    zx_nanosleep(zx_deadline_after(MS(40)));
    as_deadline = runtime_of(t.handle);
    apply(t.handle, with_priority(ZX_PRIORITY_LOWEST)); /* it was waiting for its next period */
    zx_nanosleep(zx_deadline_after(MS(40)));
    as_priority = runtime_of(t.handle) - as_deadline;
    apply(t.handle, with_deadline(MS(1), MS(500), MS(500)));
    zx_nanosleep(zx_deadline_after(MS(40)));
    as_deadline_again = runtime_of(t.handle) - as_priority - as_deadline;
    stop = true;
    apply(t.handle, with_priority(ZX_PRIORITY_DEFAULT));
    raw_join(&t);
    apply(zx_thread_self(), with_priority(ZX_PRIORITY_DEFAULT));
    return as_deadline < MS(20) && as_priority > MS(20) && as_deadline_again < MS(20);
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
