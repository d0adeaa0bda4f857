/*
 * Futexes: waiting, waking, requeueing, owners.
 */
#include "test.h"

#include <stdatomic.h>
#include <threads.h>

/* A thread that waits on a futex and notes the result. */
struct waiter {
    thrd_t thread;
    zx_futex_t *futex;
    int32_t value;
    zx_handle_t owner;
    zx_time_t deadline;
    _Atomic zx_handle_t handle; /* of the thread */
    _Atomic int ended;
    zx_status_t status;
};

static int wait_on_futex(void *argument)
{
    struct waiter *w = argument;

    w->handle = zx_thread_self();
    w->status = zx_futex_wait(w->futex, w->value, w->owner, w->deadline);
    w->ended = 1;
    return 0;
}

static void start_waiter(struct waiter *w, zx_futex_t *futex, zx_handle_t owner)
{
    *w = (struct waiter){.futex = futex, .value = *futex, .owner = owner, .deadline = soon()};
    ASSERT_EQ(thrd_create(&w->thread, wait_on_futex, w), thrd_success);
    while (w->handle == ZX_HANDLE_INVALID)
        zx_nanosleep(zx_deadline_after(MS(1)));
    ASSERT_TRUE(wait_until_blocked(w->handle, ZX_THREAD_STATE_BLOCKED_FUTEX));
}

static void expect_woken(struct waiter *w)
{
    thrd_join(w->thread, NULL);
    EXPECT_OK(w->status);
}

static void expect_asleep(const struct waiter *w)
{
    zx_nanosleep(zx_deadline_after(MS(2)));
    EXPECT_EQ(w->ended, 0);
}

static zx_koid_t owner_of(const zx_futex_t *futex)
{
    zx_koid_t koid = 77;

    EXPECT_OK(zx_futex_get_owner(futex, &koid));
    return koid;
}

TEST(Futex, WaitValueDiffers)
{
    zx_futex_t futex = 1;

    EXPECT_STATUS(zx_futex_wait(&futex, 2, ZX_HANDLE_INVALID, ZX_TIME_INFINITE), ZX_ERR_BAD_STATE);
}

TEST(Futex, WaitTimesOut)
{
    zx_futex_t futex = 1;
    zx_time_t deadline = zx_deadline_after(MS(5));

    EXPECT_STATUS(zx_futex_wait(&futex, 1, ZX_HANDLE_INVALID, deadline), ZX_ERR_TIMED_OUT);
    EXPECT_TRUE(zx_clock_get_monotonic() >= deadline);
    EXPECT_STATUS(zx_futex_wait(&futex, 1, ZX_HANDLE_INVALID, 0), ZX_ERR_TIMED_OUT);
}

TEST(Futex, WaitBadAddress)
{
    zx_futex_t futex = 1;

    EXPECT_STATUS(zx_futex_wait(NULL, 1, ZX_HANDLE_INVALID, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_wait((zx_futex_t *)((char *)&futex + 1), 1, ZX_HANDLE_INVALID, 0),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_wait(UNMAPPED, 1, ZX_HANDLE_INVALID, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_wait(KERNEL_ADDRESS, 1, ZX_HANDLE_INVALID, 0), ZX_ERR_INVALID_ARGS);
}

TEST(Futex, WakeNobody)
{
    zx_futex_t futex = 1;

    EXPECT_OK(zx_futex_wake(&futex, 1));
    EXPECT_OK(zx_futex_wake(&futex, 0));
    EXPECT_OK(zx_futex_wake(UNMAPPED, 1)); /* the memory need not be there */
    EXPECT_STATUS(zx_futex_wake(NULL, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_wake((zx_futex_t *)((char *)&futex + 2), 1), ZX_ERR_INVALID_ARGS);
}

TEST(Futex, WakeOne)
{
    static zx_futex_t futex = 1;
    struct waiter w;

    start_waiter(&w, &futex, ZX_HANDLE_INVALID);
    EXPECT_OK(zx_futex_wake(&futex, 1));
    expect_woken(&w);
}

TEST(Futex, WakeInTheOrderOfWaiting)
{
    static zx_futex_t futex = 1;
    struct waiter first, second;

    start_waiter(&first, &futex, ZX_HANDLE_INVALID);
    start_waiter(&second, &futex, ZX_HANDLE_INVALID);
    EXPECT_OK(zx_futex_wake(&futex, 1));
    expect_woken(&first);
    expect_asleep(&second);
    EXPECT_OK(zx_futex_wake(&futex, 1));
    expect_woken(&second);
}

TEST(Futex, WakeMany)
{
    static zx_futex_t futex = 1;
    struct waiter w[5];

    for (int i = 0; i < 5; i++)
        start_waiter(&w[i], &futex, ZX_HANDLE_INVALID);
    EXPECT_OK(zx_futex_wake(&futex, 3));
    for (int i = 0; i < 3; i++)
        expect_woken(&w[i]);
    expect_asleep(&w[3]);
    expect_asleep(&w[4]);
    EXPECT_OK(zx_futex_wake(&futex, UINT32_MAX));
    expect_woken(&w[3]);
    expect_woken(&w[4]);
}

TEST(Futex, WakeOnlyThatAddress)
{
    static zx_futex_t futexes[2] = {1, 1};
    struct waiter w;

    start_waiter(&w, &futexes[0], ZX_HANDLE_INVALID);
    EXPECT_OK(zx_futex_wake(&futexes[1], UINT32_MAX));
    expect_asleep(&w);
    EXPECT_OK(zx_futex_wake(&futexes[0], UINT32_MAX));
    expect_woken(&w);
}

TEST(Futex, TimedOutWaiterIsNotWoken)
{
    static zx_futex_t futex = 1;
    struct waiter w;

    EXPECT_STATUS(zx_futex_wait(&futex, 1, ZX_HANDLE_INVALID, zx_deadline_after(MS(2))),
                  ZX_ERR_TIMED_OUT);
    start_waiter(&w, &futex, ZX_HANDLE_INVALID);
    EXPECT_OK(zx_futex_wake(&futex, 1));
    expect_woken(&w);
}

TEST(FutexRequeue, WakesAndMoves)
{
    static zx_futex_t from = 1, to = 2;
    struct waiter w[4];

    for (int i = 0; i < 4; i++)
        start_waiter(&w[i], &from, ZX_HANDLE_INVALID);
    EXPECT_OK(zx_futex_requeue(&from, 1, 1, &to, 2, ZX_HANDLE_INVALID));
    expect_woken(&w[0]);
    expect_asleep(&w[1]);
    EXPECT_OK(zx_futex_wake(&to, UINT32_MAX));
    expect_woken(&w[1]);
    expect_woken(&w[2]);
    expect_asleep(&w[3]);
    EXPECT_OK(zx_futex_wake(&from, UINT32_MAX));
    expect_woken(&w[3]);
}

TEST(FutexRequeue, BadArguments)
{
    static zx_futex_t from = 1, to = 2;

    EXPECT_STATUS(zx_futex_requeue(NULL, 1, 1, &to, 1, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_requeue(&from, 1, 1, NULL, 1, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_requeue(&from, 1, 1, &from, 1, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_requeue((zx_futex_t *)((char *)&from + 1), 1, 1, &to, 1, 0),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_requeue(&from, 1, 1, (zx_futex_t *)((char *)&to + 1), 1, 0),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_requeue(UNMAPPED, 1, 1, &to, 1, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_requeue(&from, 1, 5, &to, 1, 0), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_futex_requeue(&from, 1, 1, &to, 1, closed_handle()), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_futex_requeue(&from, 1, 1, &to, 1, zx_process_self()), ZX_ERR_WRONG_TYPE);
}

TEST(FutexRequeue, SetsTheNewOwner)
{
    static zx_futex_t from = 1, to = 2;
    struct waiter w;

    start_waiter(&w, &from, ZX_HANDLE_INVALID);
    EXPECT_OK(zx_futex_requeue(&from, 0, 1, &to, 1, zx_thread_self()));
    EXPECT_EQ(owner_of(&to), basic_info(zx_thread_self()).koid);
    EXPECT_OK(zx_futex_wake(&to, 1));
    expect_woken(&w);
    EXPECT_EQ(owner_of(&to), 0);
    /* Nobody moves: nobody owns. */
    EXPECT_OK(zx_futex_requeue(&from, 0, 1, &to, 1, zx_thread_self()));
    EXPECT_EQ(owner_of(&to), 0);
}

TEST(FutexOwner, NoneAtFirst)
{
    zx_futex_t futex = 1;

    EXPECT_EQ(owner_of(&futex), 0);
    EXPECT_STATUS(zx_futex_get_owner(NULL, NULL), ZX_ERR_INVALID_ARGS);
}

TEST(FutexOwner, SetByWait)
{
    static zx_futex_t futex = 1;
    struct waiter w;

    start_waiter(&w, &futex, zx_thread_self());
    EXPECT_EQ(owner_of(&futex), basic_info(zx_thread_self()).koid);
    EXPECT_OK(zx_futex_wake(&futex, 0)); /* wakes nobody, yet the owner is cleared */
    EXPECT_EQ(owner_of(&futex), 0);
    EXPECT_OK(zx_futex_wake(&futex, 1));
    expect_woken(&w);
}

TEST(FutexOwner, ClearedByAWaitWithout)
{
    static zx_futex_t futex = 1;
    struct waiter first, second;

    start_waiter(&first, &futex, zx_thread_self());
    EXPECT_EQ(owner_of(&futex), basic_info(zx_thread_self()).koid);
    start_waiter(&second, &futex, ZX_HANDLE_INVALID);
    EXPECT_EQ(owner_of(&futex), 0);
    EXPECT_OK(zx_futex_wake(&futex, UINT32_MAX));
    expect_woken(&first);
    expect_woken(&second);
}

TEST(FutexOwner, ClearedWhenTheLastWaiterTimesOut)
{
    static zx_futex_t futex = 1;
    struct waiter w = {.futex = &futex,
                       .value = 1,
                       .owner = zx_thread_self(),
                       .deadline = zx_deadline_after(MS(20))};

    ASSERT_EQ(thrd_create(&w.thread, wait_on_futex, &w), thrd_success);
    thrd_join(w.thread, NULL);
    EXPECT_STATUS(w.status, ZX_ERR_TIMED_OUT);
    EXPECT_EQ(owner_of(&futex), 0);
}

TEST(FutexOwner, WakeSingleOwner)
{
    static zx_futex_t futex = 1;
    struct waiter first, second;

    start_waiter(&first, &futex, ZX_HANDLE_INVALID);
    start_waiter(&second, &futex, ZX_HANDLE_INVALID);
    EXPECT_OK(zx_futex_wake_single_owner(&futex));
    expect_woken(&first);
    EXPECT_OK(zx_futex_wake_single_owner(&futex));
    expect_woken(&second);
    EXPECT_EQ(owner_of(&futex), 0);
}

TEST(FutexOwner, BadOwners)
{
    zx_futex_t futex = 1;
    zx_handle_t thread;

    EXPECT_STATUS(zx_futex_wait(&futex, 1, closed_handle(), 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_futex_wait(&futex, 1, zx_process_self(), 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_futex_wait(&futex, 1, zx_thread_self(), 0), ZX_ERR_INVALID_ARGS);
    ASSERT_OK(zx_thread_create(zx_process_self(), "t", 1, 0, &thread));
    EXPECT_STATUS(zx_futex_wait(&futex, 1, thread, 0), ZX_ERR_INVALID_ARGS); /* not started */
    CLOSE(thread);
    /* The value is looked at first. */
    EXPECT_STATUS(zx_futex_wait(&futex, 2, closed_handle(), 0), ZX_ERR_BAD_STATE);
}
