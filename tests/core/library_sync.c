/*
 * lib/sync: mutexes, condition variables and completions over futexes.
 */
#include "test.h"

#include <lib/sync/completion.h>
#include <lib/sync/condition.h>
#include <lib/sync/mutex.h>
#include <stdatomic.h>
#include <threads.h>

/* Waits until *word is what is expected; another thread changes it. */
static bool becomes(_Atomic int *word, int expected)
{
    zx_time_t deadline = soon();

    while (*word != expected && zx_clock_get_monotonic() < deadline)
        zx_nanosleep(0);
    return *word == expected;
}

/* ---- Mutex --------------------------------------------------------------------------------- */

#define THREADS 5
#define TURNS   500

static sync_mutex_t mutex = SYNC_MUTEX_INIT;
static int guarded;

static int increments(void *argument)
{
    (void)argument;
    for (int i = 0; i < TURNS; i++) {
        sync_mutex_lock(&mutex);
        int seen = guarded;
        if (i % 100 == 0)
            zx_nanosleep(0); /* so that others try */
        guarded = seen + 1;
        sync_mutex_unlock(&mutex);
    }
    return 0;
}

TEST(SyncMutex, ExcludesOthers)
{
    thrd_t threads[THREADS];

    guarded = 0;
    for (int i = 0; i < THREADS; i++)
        ASSERT_EQ(thrd_create(&threads[i], increments, NULL), thrd_success);
    for (int i = 0; i < THREADS; i++)
        thrd_join(threads[i], NULL);
    EXPECT_EQ(guarded, THREADS * TURNS);
    EXPECT_EQ(mutex.futex, 0);
}

static int tries(void *argument)
{
    zx_status_t status = sync_mutex_trylock(argument);

    if (status == ZX_OK)
        sync_mutex_unlock(argument);
    return status;
}

static int result_of_thread(thrd_start_t function, void *argument)
{
    thrd_t thread;
    int result = 0;

    ASSERT_EQ(thrd_create(&thread, function, argument), thrd_success);
    thrd_join(thread, &result);
    return result;
}

static int locks_in_time(void *argument)
{
    return sync_mutex_timedlock(argument, zx_deadline_after(MS(2)));
}

TEST(SyncMutex, TryAndTimedLock)
{
    sync_mutex_t own = SYNC_MUTEX_INIT;

    EXPECT_STATUS(sync_mutex_trylock(&own), ZX_OK);
    EXPECT_STATUS(result_of_thread(tries, &own), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(result_of_thread(locks_in_time, &own), ZX_ERR_TIMED_OUT);
    sync_mutex_unlock(&own);
    EXPECT_STATUS(result_of_thread(tries, &own), ZX_OK);
    EXPECT_STATUS(sync_mutex_timedlock(&own, 0), ZX_OK); /* free: the deadline does not matter */
    sync_mutex_unlock(&own);
}

struct holder {
    sync_mutex_t mutex;
    _Atomic int stage;
    zx_handle_t thread;
};

static int waits_for_it(void *argument)
{
    struct holder *holder = argument;

    holder->thread = zx_thread_self();
    holder->stage = 1;
    sync_mutex_lock(&holder->mutex);
    holder->stage = 2;
    sync_mutex_unlock(&holder->mutex);
    return 0;
}

/* The kernel knows for whom the others wait. */
TEST(SyncMutex, TellsItsOwner)
{
    struct holder holder = {.mutex = SYNC_MUTEX_INIT};
    zx_koid_t owner = 0;
    thrd_t thread;

    sync_mutex_lock(&holder.mutex);
    ASSERT_EQ(thrd_create(&thread, waits_for_it, &holder), thrd_success);
    EXPECT_TRUE(becomes(&holder.stage, 1));
    EXPECT_TRUE(wait_until_blocked(holder.thread, ZX_THREAD_STATE_BLOCKED_FUTEX));
    EXPECT_OK(zx_futex_get_owner(&holder.mutex.futex, &owner));
    EXPECT_EQ(owner, basic_info(zx_thread_self()).koid);
    sync_mutex_unlock(&holder.mutex);
    thrd_join(thread, NULL);
    EXPECT_EQ(holder.stage, 2);
    EXPECT_OK(zx_futex_get_owner(&holder.mutex.futex, &owner));
    EXPECT_EQ(owner, 0);
}

/* ---- Condition variable -------------------------------------------------------------------- */

static struct {
    sync_mutex_t mutex;
    sync_condition_t changed;
    int turn;
} table;

static int takes_turns(void *argument)
{
    int mine = (int)(intptr_t)argument;

    for (int i = 0; i < 20; i++) {
        sync_mutex_lock(&table.mutex);
        while (table.turn % 3 != mine)
            sync_condition_wait(&table.changed, &table.mutex);
        table.turn++;
        sync_condition_broadcast(&table.changed);
        sync_mutex_unlock(&table.mutex);
    }
    return 0;
}

TEST(SyncCondition, TakingTurns)
{
    thrd_t threads[3];

    table.turn = 0;
    for (intptr_t i = 0; i < 3; i++)
        ASSERT_EQ(thrd_create(&threads[i], takes_turns, (void *)i), thrd_success);
    for (int i = 0; i < 3; i++)
        thrd_join(threads[i], NULL);
    EXPECT_EQ(table.turn, 60);
}

static int signals_once(void *argument)
{
    (void)argument;
    sync_mutex_lock(&table.mutex); /* not before the other one waits */
    table.turn = 100;
    sync_condition_signal(&table.changed);
    sync_mutex_unlock(&table.mutex);
    return 0;
}

TEST(SyncCondition, SignaledOrTimedOut)
{
    thrd_t thread;

    table.turn = 0;
    sync_mutex_lock(&table.mutex);
    EXPECT_STATUS(sync_condition_timedwait(&table.changed, &table.mutex, zx_deadline_after(MS(2))),
                  ZX_ERR_TIMED_OUT);
    EXPECT_STATUS(result_of_thread(tries, &table.mutex), ZX_ERR_BAD_STATE); /* held again */
    ASSERT_EQ(thrd_create(&thread, signals_once, NULL), thrd_success);
    while (table.turn != 100)
        EXPECT_OK(sync_condition_timedwait(&table.changed, &table.mutex, soon()));
    sync_mutex_unlock(&table.mutex);
    thrd_join(thread, NULL);
}

/* ---- Completion ---------------------------------------------------------------------------- */

struct waiter {
    sync_completion_t *completion;
    zx_time_t deadline;
    zx_handle_t self;
    _Atomic int started;
    thrd_t thread;
};

static int waits_for_completion(void *argument)
{
    struct waiter *waiter = argument;

    waiter->self = zx_thread_self();
    waiter->started = 1;
    return sync_completion_wait_deadline(waiter->completion, waiter->deadline);
}

/* Starts a thread and waits until it sleeps on the completion. */
static void start_waiter(struct waiter *waiter, sync_completion_t *completion, zx_time_t deadline)
{
    *waiter = (struct waiter){.completion = completion, .deadline = deadline};
    ASSERT_EQ(thrd_create(&waiter->thread, waits_for_completion, waiter), thrd_success);
    ASSERT_TRUE(becomes(&waiter->started, 1));
    ASSERT_TRUE(wait_until_blocked(waiter->self, ZX_THREAD_STATE_BLOCKED_FUTEX));
}

static zx_status_t join_waiter(const struct waiter *waiter)
{
    int result = 0;

    thrd_join(waiter->thread, &result);
    return result;
}

TEST(SyncCompletion, Initializer)
{
    sync_completion_t completion = SYNC_COMPLETION_INIT;
    static sync_completion_t zeroes;

    EXPECT_TRUE(!sync_completion_signaled(&completion));
    EXPECT_TRUE(!sync_completion_signaled(&zeroes));
    EXPECT_STATUS(sync_completion_wait(&completion, 0), ZX_ERR_TIMED_OUT);
}

TEST(SyncCompletion, AlreadySignaled)
{
    sync_completion_t completion = SYNC_COMPLETION_INIT;

    sync_completion_signal(&completion);
    EXPECT_TRUE(sync_completion_signaled(&completion));
    EXPECT_OK(sync_completion_wait(&completion, 0));
    EXPECT_OK(sync_completion_wait(&completion, ZX_TIME_INFINITE)); /* it stays signaled */
    EXPECT_OK(sync_completion_wait_deadline(&completion, ZX_TIME_INFINITE_PAST));
}

TEST(SyncCompletion, WakesAWaiter)
{
    sync_completion_t completion = SYNC_COMPLETION_INIT;
    struct waiter waiter;

    start_waiter(&waiter, &completion, ZX_TIME_INFINITE);
    sync_completion_signal(&completion);
    EXPECT_OK(join_waiter(&waiter));
}

TEST(SyncCompletion, WakesAllWaiters)
{
    sync_completion_t completion = SYNC_COMPLETION_INIT;
    struct waiter waiters[THREADS];

    for (int i = 0; i < THREADS; i++)
        start_waiter(&waiters[i], &completion, ZX_TIME_INFINITE);
    sync_completion_signal(&completion);
    for (int i = 0; i < THREADS; i++)
        EXPECT_OK(join_waiter(&waiters[i]));
}

TEST(SyncCompletion, TimesOut)
{
    sync_completion_t completion = SYNC_COMPLETION_INIT;
    zx_time_t start = zx_clock_get_monotonic();

    EXPECT_STATUS(sync_completion_wait(&completion, MS(3)), ZX_ERR_TIMED_OUT);
    EXPECT_TRUE(zx_clock_get_monotonic() >= start + MS(3));
    EXPECT_TRUE(!sync_completion_signaled(&completion));
}

/* One gives up, the others are not forgotten. */
TEST(SyncCompletion, OthersOutliveATimeout)
{
    sync_completion_t completion = SYNC_COMPLETION_INIT;
    struct waiter patient;

    start_waiter(&patient, &completion, ZX_TIME_INFINITE);
    EXPECT_STATUS(sync_completion_wait(&completion, MS(1)), ZX_ERR_TIMED_OUT);
    sync_completion_signal(&completion);
    EXPECT_OK(join_waiter(&patient));
}

TEST(SyncCompletion, Reset)
{
    sync_completion_t completion = SYNC_COMPLETION_INIT;

    sync_completion_reset(&completion); /* nothing to undo */
    EXPECT_STATUS(sync_completion_wait(&completion, 0), ZX_ERR_TIMED_OUT);
    sync_completion_signal(&completion);
    sync_completion_reset(&completion);
    EXPECT_TRUE(!sync_completion_signaled(&completion));
    EXPECT_STATUS(sync_completion_wait(&completion, 0), ZX_ERR_TIMED_OUT);
    sync_completion_signal(&completion);
    EXPECT_OK(sync_completion_wait(&completion, 0));
}

/* Resetting does not disturb who waits, and does not lose him. */
TEST(SyncCompletion, ResetWhileAwaited)
{
    sync_completion_t completion = SYNC_COMPLETION_INIT;
    struct waiter waiter;

    start_waiter(&waiter, &completion, ZX_TIME_INFINITE);
    sync_completion_reset(&completion);
    sync_completion_signal(&completion);
    EXPECT_OK(join_waiter(&waiter));
}

/* Who was let go stays let go, even if it has not run since. */
TEST(SyncCompletion, ResetRightAfterSignal)
{
    sync_completion_t completion = SYNC_COMPLETION_INIT;
    struct waiter waiters[THREADS];

    for (int i = 0; i < THREADS; i++)
        start_waiter(&waiters[i], &completion, ZX_TIME_INFINITE);
    sync_completion_signal(&completion);
    sync_completion_reset(&completion);
    for (int i = 0; i < THREADS; i++)
        EXPECT_OK(join_waiter(&waiters[i]));
    EXPECT_TRUE(!sync_completion_signaled(&completion));
}

TEST(SyncCompletion, SignalTwice)
{
    sync_completion_t completion = SYNC_COMPLETION_INIT;
    struct waiter waiter;

    start_waiter(&waiter, &completion, ZX_TIME_INFINITE);
    sync_completion_signal(&completion);
    sync_completion_signal(&completion);
    EXPECT_OK(join_waiter(&waiter));
    sync_completion_reset(&completion); /* once is enough for both */
    EXPECT_TRUE(!sync_completion_signaled(&completion));
}

/* Used over and over by the same two threads. */
TEST(SyncCompletion, PingPong)
{
    sync_completion_t ping = SYNC_COMPLETION_INIT;
    struct waiter waiter;

    for (int i = 0; i < 20; i++) {
        start_waiter(&waiter, &ping, ZX_TIME_INFINITE);
        sync_completion_signal(&ping);
        EXPECT_OK(join_waiter(&waiter));
        sync_completion_reset(&ping);
    }
}

/* The waiters go on sleeping, on another futex. */
TEST(SyncCompletion, SignalRequeue)
{
    sync_completion_t completion = SYNC_COMPLETION_INIT;
    struct waiter waiters[2];
    zx_futex_t futex = 0;
    zx_koid_t owner = 0;
    zx_info_thread_t info;

    for (int i = 0; i < 2; i++)
        start_waiter(&waiters[i], &completion, ZX_TIME_INFINITE);
    sync_completion_signal_requeue(&completion, &futex, zx_thread_self());
    EXPECT_TRUE(sync_completion_signaled(&completion));
    EXPECT_OK(zx_futex_get_owner(&futex, &owner));
    EXPECT_EQ(owner, basic_info(zx_thread_self()).koid);
    for (int i = 0; i < 2; i++) {
        ASSERT_OK(
            zx_object_get_info(waiters[i].self, ZX_INFO_THREAD, &info, sizeof(info), NULL, NULL));
        EXPECT_EQ(info.state, ZX_THREAD_STATE_BLOCKED_FUTEX);
    }
    EXPECT_OK(zx_futex_wake(&futex, 2));
    for (int i = 0; i < 2; i++)
        EXPECT_OK(join_waiter(&waiters[i]));
}

TEST(SyncCompletion, SignalRequeueOfNobody)
{
    sync_completion_t completion = SYNC_COMPLETION_INIT;
    zx_futex_t futex = 0;
    zx_koid_t owner = 99;

    sync_completion_signal_requeue(&completion, &futex, zx_thread_self());
    EXPECT_OK(sync_completion_wait(&completion, 0));
    EXPECT_OK(zx_futex_get_owner(&futex, &owner));
    EXPECT_EQ(owner, 0);
}
