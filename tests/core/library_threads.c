/*
 * The user library's threads: C11's and POSIX' threads, mutexes, condition variables, barriers and
 * what belongs to a thread alone.
 */
#define _GNU_SOURCE
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <threads.h>
#include <time.h>

static int returns_argument(void *argument)
{
    return (int)(intptr_t)argument;
}

TEST(C11Thread, CreateAndJoin)
{
    thrd_t threads[10];

    for (intptr_t i = 0; i < 10; i++)
        ASSERT_EQ(thrd_create(&threads[i], returns_argument, (void *)(i * 3)), thrd_success);
    for (int i = 0; i < 10; i++) {
        int result = -1;
        EXPECT_EQ(thrd_join(threads[i], &result), thrd_success);
        EXPECT_EQ(result, i * 3);
    }
}

static _Atomic int detached_runs;

static int counts_itself(void *argument)
{
    (void)argument;
    detached_runs++;
    return 0;
}

TEST(C11Thread, Detach)
{
    zx_time_t deadline = soon();
    thrd_t thread;

    detached_runs = 0;
    for (int i = 0; i < 20; i++) {
        ASSERT_EQ(thrd_create(&thread, counts_itself, NULL), thrd_success);
        EXPECT_EQ(thrd_detach(thread), thrd_success);
    }
    while (detached_runs < 20 && zx_clock_get_monotonic() < deadline)
        thrd_yield();
    EXPECT_EQ(detached_runs, 20);
}

static void wait_until_alone(void)
{
    zx_time_t deadline = soon();
    size_t threads = 0;

    while (threads != 1 && zx_clock_get_monotonic() < deadline) {
        thrd_yield();
        ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_THREADS, NULL, 0, NULL,
                                     &threads));
    }
    ASSERT_EQ(threads, 1);
}

/* Stacks and handles are given back: this many threads at once would not fit. */
TEST(C11Thread, LeaksNothing)
{
    zx_info_process_handle_stats_t before, after;

    wait_until_alone(); /* detached threads of other cases may not be gone yet */
    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_HANDLE_STATS, &before,
                                 sizeof(before), NULL, NULL));
    for (intptr_t i = 0; i < 100; i++) {
        thrd_t thread;
        ASSERT_EQ(thrd_create(&thread, returns_argument, NULL), thrd_success);
        thrd_join(thread, NULL);
    }
    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_HANDLE_STATS, &after,
                                 sizeof(after), NULL, NULL));
    EXPECT_EQ(after.handle_count[ZX_OBJ_TYPE_THREAD], before.handle_count[ZX_OBJ_TYPE_THREAD]);
    EXPECT_EQ(after.handle_count[ZX_OBJ_TYPE_VMO], before.handle_count[ZX_OBJ_TYPE_VMO]);
}

static _Thread_local int own = 5;
static _Thread_local char own_zero[100];

static int changes_its_own(void *argument)
{
    EXPECT_EQ(own, 5);
    EXPECT_EQ(own_zero[99], 0);
    own = (int)(intptr_t)argument;
    own_zero[99] = 1;
    zx_nanosleep(zx_deadline_after(MS(2)));
    EXPECT_EQ(own, (int)(intptr_t)argument);
    return 0;
}

TEST(C11Thread, ThreadLocalData)
{
    thrd_t threads[5];

    own = 77;
    for (intptr_t i = 0; i < 5; i++)
        ASSERT_EQ(thrd_create(&threads[i], changes_its_own, (void *)i), thrd_success);
    for (int i = 0; i < 5; i++)
        thrd_join(threads[i], NULL);
    EXPECT_EQ(own, 77);
    own = 5;
}

static mtx_t shared_lock;
static int shared_count;

static int increments(void *argument)
{
    (void)argument;
    for (int i = 0; i < 3000; i++) {
        mtx_lock(&shared_lock);
        int seen = shared_count;
        if (i % 1000 == 0)
            zx_nanosleep(0); /* so that others try */
        shared_count = seen + 1;
        mtx_unlock(&shared_lock);
    }
    return 0;
}

TEST(C11Mutex, ExcludesOthers)
{
    thrd_t threads[6];

    shared_count = 0;
    ASSERT_EQ(mtx_init(&shared_lock, mtx_plain), thrd_success);
    for (int i = 0; i < 6; i++)
        ASSERT_EQ(thrd_create(&threads[i], increments, NULL), thrd_success);
    for (int i = 0; i < 6; i++)
        thrd_join(threads[i], NULL);
    EXPECT_EQ(shared_count, 6 * 3000);
    mtx_destroy(&shared_lock);
}

static int tries_to_lock(void *argument)
{
    return mtx_trylock(argument);
}

TEST(C11Mutex, TryAndRecursive)
{
    mtx_t lock;
    thrd_t thread;
    int result;

    ASSERT_EQ(mtx_init(&lock, mtx_plain | mtx_recursive), thrd_success);
    EXPECT_EQ(mtx_lock(&lock), thrd_success);
    EXPECT_EQ(mtx_lock(&lock), thrd_success);
    EXPECT_EQ(mtx_unlock(&lock), thrd_success);
    ASSERT_EQ(thrd_create(&thread, tries_to_lock, &lock), thrd_success);
    thrd_join(thread, &result);
    EXPECT_EQ(result, thrd_busy);
    EXPECT_EQ(mtx_unlock(&lock), thrd_success);
    ASSERT_EQ(thrd_create(&thread, tries_to_lock, &lock), thrd_success);
    thrd_join(thread, &result);
    EXPECT_EQ(result, thrd_success);
}

TEST(C11Mutex, TimesOut)
{
    struct timespec time;
    pthread_mutexattr_t attributes;
    pthread_mutex_t lock;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    ASSERT_EQ(pthread_mutex_init(&lock, &attributes), 0);
    EXPECT_EQ(pthread_mutex_lock(&lock), 0);
    EXPECT_EQ(pthread_mutex_lock(&lock), EDEADLK);
    EXPECT_EQ(pthread_mutex_unlock(&lock), 0);
    EXPECT_EQ(pthread_mutex_unlock(&lock), EPERM);

    mtx_t plain;
    ASSERT_EQ(mtx_init(&plain, mtx_timed), thrd_success);
    EXPECT_EQ(mtx_lock(&plain), thrd_success);
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_nsec += 5000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    EXPECT_EQ(mtx_timedlock(&plain, &time), thrd_timedout);
    EXPECT_EQ(mtx_unlock(&plain), thrd_success);
}

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int turn;
} table = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void *takes_turns(void *argument)
{
    int mine = (int)(intptr_t)argument;

    for (int i = 0; i < 20; i++) {
        pthread_mutex_lock(&table.lock);
        while (table.turn % 3 != mine)
            pthread_cond_wait(&table.changed, &table.lock);
        table.turn++;
        pthread_cond_broadcast(&table.changed);
        pthread_mutex_unlock(&table.lock);
    }
    return NULL;
}

TEST(ConditionalVariable, TakingTurns)
{
    pthread_t threads[3];

    table.turn = 0;
    for (intptr_t i = 0; i < 3; i++)
        ASSERT_EQ(pthread_create(&threads[i], NULL, takes_turns, (void *)i), 0);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(pthread_join(threads[i], NULL), 0);
    EXPECT_EQ(table.turn, 60);
}

TEST(ConditionalVariable, TimesOut)
{
    struct timespec time = {0};

    pthread_mutex_lock(&table.lock);
    EXPECT_EQ(pthread_cond_timedwait(&table.changed, &table.lock, &time), ETIMEDOUT);
    pthread_mutex_unlock(&table.lock);
}

static void *posts(void *argument)
{
    for (int i = 0; i < 50; i++)
        sem_post(argument);
    return NULL;
}

TEST(Semaphore, PostAndWait)
{
    pthread_t threads[2];
    sem_t sem;
    int value = -1;

    ASSERT_EQ(sem_init(&sem, 0, 0), 0);
    EXPECT_EQ(sem_trywait(&sem), -1);
    EXPECT_EQ(errno, EAGAIN);
    for (int i = 0; i < 2; i++)
        ASSERT_EQ(pthread_create(&threads[i], NULL, posts, &sem), 0);
    for (int i = 0; i < 100; i++)
        EXPECT_EQ(sem_wait(&sem), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    sem_getvalue(&sem, &value);
    EXPECT_EQ(value, 0);
}

static _Atomic int once_runs, destroyed_values;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static int guarded;

static void run_once(void)
{
    zx_nanosleep(zx_deadline_after(MS(2)));
    once_runs++;
}

static void destroy_value(void *value)
{
    destroyed_values += (int)(intptr_t)value;
}

static void *uses_everything(void *argument)
{
    pthread_once(&once, run_once);
    EXPECT_EQ(once_runs, 1);
    EXPECT_TRUE(pthread_getspecific(key) == NULL);
    pthread_setspecific(key, argument);
    for (int i = 0; i < 200; i++) {
        if (i % 10 == 0) {
            pthread_rwlock_wrlock(&rwlock);
            guarded++;
            pthread_rwlock_unlock(&rwlock);
        } else {
            pthread_rwlock_rdlock(&rwlock);
            EXPECT_TRUE(guarded >= 0);
            pthread_rwlock_unlock(&rwlock);
        }
    }
    EXPECT_TRUE(pthread_getspecific(key) == argument);
    return argument;
}

TEST(Pthread, OnceKeysAndReadersWriters)
{
    pthread_t threads[5];

    ASSERT_EQ(pthread_key_create(&key, destroy_value), 0);
    destroyed_values = guarded = 0;
    for (intptr_t i = 0; i < 5; i++)
        ASSERT_EQ(pthread_create(&threads[i], NULL, uses_everything, (void *)(i + 1)), 0);
    for (intptr_t i = 0; i < 5; i++) {
        void *result;
        EXPECT_EQ(pthread_join(threads[i], &result), 0);
        EXPECT_EQ((intptr_t)result, i + 1);
    }
    EXPECT_EQ(destroyed_values, 1 + 2 + 3 + 4 + 5);
    EXPECT_EQ(guarded, 5 * 20);
    pthread_key_delete(key);
}

static void set_flag(void *flag)
{
    *(int *)flag = 1;
}

static void *exits_early(void *argument)
{
    pthread_cleanup_push(set_flag, argument);
    pthread_exit((void *)9);
    pthread_cleanup_pop(0);
    return NULL;
}

TEST(Pthread, ExitRunsCleanups)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *result;
    int flag = 0;

    pthread_attr_init(&attributes);
    EXPECT_EQ(pthread_attr_setstacksize(&attributes, 65536), 0);
    ASSERT_EQ(pthread_create(&thread, &attributes, exits_early, &flag), 0);
    EXPECT_EQ(pthread_setname_np(thread, "named"), 0);
    EXPECT_EQ(pthread_join(thread, &result), 0);
    EXPECT_EQ((intptr_t)result, 9);
    EXPECT_EQ(flag, 1);
}

static thread_local int initialised = 4711;
static thread_local char zeroed[300];
static pthread_key_t left_over;

/* NULL if everything of the thread's own has its initial value. */
static void *leaves_traces(void *argument)
{
    bool fresh = initialised == 4711 && zeroed[0] == 0 && zeroed[299] == 0 && errno == 0 &&
                 pthread_getspecific(left_over) == NULL;

    initialised = errno = 1;
    memset(zeroed, 1, sizeof(zeroed));
    pthread_setspecific(left_over, argument);
    return fresh ? NULL : argument;
}

/* A stack is used again, what the first thread left in it is not seen. */
TEST(Pthread, MemoryIsUsedAgain)
{
    pthread_t threads[20], first;
    void *result = &first;

    ASSERT_EQ(pthread_key_create(&left_over, NULL), 0);
    ASSERT_EQ(pthread_create(&first, NULL, leaves_traces, &left_over), 0);
    EXPECT_EQ(pthread_join(first, &result), 0);
    EXPECT_TRUE(result == NULL);
    ASSERT_EQ(pthread_create(&threads[0], NULL, leaves_traces, &left_over), 0);
    EXPECT_TRUE(threads[0] == first);
    EXPECT_EQ(pthread_join(threads[0], &result), 0);
    EXPECT_TRUE(result == NULL);
    for (int i = 0; i < 20; i++) /* more than are kept */
        ASSERT_EQ(pthread_create(&threads[i], NULL, leaves_traces, &left_over), 0);
    for (int i = 0; i < 20; i++) {
        EXPECT_EQ(pthread_join(threads[i], &result), 0);
        EXPECT_TRUE(result == NULL);
    }
    EXPECT_EQ(pthread_key_delete(left_over), 0);
}

/* ---- More of C11 --------------------------------------------------------------------------- */

static int exits_with(void *argument)
{
    thrd_exit((int)(intptr_t)argument + 1);
}

TEST(C11Thread, Exit)
{
    thrd_t thread;
    int result = 0;

    ASSERT_EQ(thrd_create(&thread, exits_with, (void *)41), thrd_success);
    EXPECT_EQ(thrd_join(thread, &result), thrd_success);
    EXPECT_EQ(result, 42);
}

static int is_current(void *argument)
{
    thrd_t *self = argument;

    *self = thrd_current();
    return thrd_equal(*self, thrd_current());
}

TEST(C11Thread, CurrentAndEqual)
{
    thrd_t thread, seen;
    int result = 0;

    ASSERT_EQ(thrd_create(&thread, is_current, &seen), thrd_success);
    EXPECT_EQ(thrd_join(thread, &result), thrd_success);
    EXPECT_TRUE(result);
    EXPECT_TRUE(thrd_equal(thread, seen));
    EXPECT_TRUE(!thrd_equal(thread, thrd_current()));
}

static mtx_t static_lock; /* all zeroes are a mutex */

TEST(C11Mutex, StaticAndPlain)
{
    thrd_t thread;
    int result;

    EXPECT_EQ(mtx_trylock(&static_lock), thrd_success);
    ASSERT_EQ(thrd_create(&thread, tries_to_lock, &static_lock), thrd_success);
    thrd_join(thread, &result);
    EXPECT_EQ(result, thrd_busy);
    EXPECT_EQ(mtx_unlock(&static_lock), thrd_success);
}

struct held {
    mtx_t lock;
    zx_handle_t owner;
    _Atomic int stage;
};

static int takes_it_too(void *argument)
{
    struct held *held = argument;

    held->owner = zx_thread_self();
    held->stage = 1;
    EXPECT_EQ(mtx_lock(&held->lock), thrd_success);
    held->stage = 2;
    EXPECT_EQ(mtx_unlock(&held->lock), thrd_success);
    return 0;
}

/* Who finds it taken sleeps, and is woken by the one who gives it back. */
TEST(C11Mutex, WaitersSleep)
{
    struct held held = {.stage = 0};
    zx_time_t deadline = soon();
    thrd_t thread;

    ASSERT_EQ(mtx_init(&held.lock, mtx_plain), thrd_success);
    EXPECT_EQ(mtx_lock(&held.lock), thrd_success);
    ASSERT_EQ(thrd_create(&thread, takes_it_too, &held), thrd_success);
    while (held.stage != 1 && zx_clock_get_monotonic() < deadline)
        zx_nanosleep(0);
    EXPECT_TRUE(wait_until_blocked(held.owner, ZX_THREAD_STATE_BLOCKED_FUTEX));
    EXPECT_EQ(held.stage, 1);
    EXPECT_EQ(mtx_unlock(&held.lock), thrd_success);
    thrd_join(thread, NULL);
    EXPECT_EQ(held.stage, 2);
    mtx_destroy(&held.lock);
}

static struct {
    mtx_t lock;
    cnd_t changed;
    int waiting, go, gone;
} crowd;

static int waits_for_go(void *argument)
{
    (void)argument;
    mtx_lock(&crowd.lock);
    crowd.waiting++;
    while (crowd.go == 0)
        cnd_wait(&crowd.changed, &crowd.lock);
    if (crowd.go > 0)
        crowd.go--;
    crowd.gone++;
    mtx_unlock(&crowd.lock);
    return 0;
}

static int gone_after(int count)
{
    zx_time_t deadline = soon();
    int gone = 0;

    while (gone < count && zx_clock_get_monotonic() < deadline) {
        mtx_lock(&crowd.lock);
        gone = crowd.gone;
        mtx_unlock(&crowd.lock);
        zx_nanosleep(0);
    }
    return gone;
}

TEST(ConditionalVariable, SignalWakesOneAndBroadcastAll)
{
    thrd_t threads[4];
    zx_time_t deadline = soon();
    int waiting = 0;

    memset(&crowd, 0, sizeof(crowd));
    for (int i = 0; i < 4; i++)
        ASSERT_EQ(thrd_create(&threads[i], waits_for_go, NULL), thrd_success);
    while (waiting < 4 && zx_clock_get_monotonic() < deadline) {
        mtx_lock(&crowd.lock);
        waiting = crowd.waiting;
        mtx_unlock(&crowd.lock);
        zx_nanosleep(0);
    }
    EXPECT_EQ(waiting, 4);
    mtx_lock(&crowd.lock);
    crowd.go = 1;
    mtx_unlock(&crowd.lock);
    EXPECT_EQ(cnd_signal(&crowd.changed), thrd_success);
    EXPECT_EQ(gone_after(1), 1);
    mtx_lock(&crowd.lock);
    crowd.go = -1; /* for all */
    mtx_unlock(&crowd.lock);
    EXPECT_EQ(cnd_broadcast(&crowd.changed), thrd_success);
    EXPECT_EQ(gone_after(4), 4);
    for (int i = 0; i < 4; i++)
        thrd_join(threads[i], NULL);
}

/* ---- More of POSIX ------------------------------------------------------------------------- */

static void *returns_it(void *argument)
{
    return argument;
}

TEST(Pthread, JoinGivesTheResult)
{
    pthread_t threads[8];

    for (intptr_t i = 0; i < 8; i++)
        ASSERT_EQ(pthread_create(&threads[i], NULL, returns_it, (void *)(i * 7)), 0);
    for (intptr_t i = 0; i < 8; i++) {
        void *result = NULL;
        EXPECT_EQ(pthread_join(threads[i], &result), 0);
        EXPECT_EQ((intptr_t)result, i * 7);
    }
}

static _Atomic int detached_ran;

static void *counts_detached(void *argument)
{
    (void)argument;
    detached_ran++;
    return NULL;
}

TEST(Pthread, CreatedDetached)
{
    pthread_attr_t attributes;
    zx_time_t deadline = soon();
    pthread_t thread;

    detached_ran = 0;
    pthread_attr_init(&attributes);
    EXPECT_EQ(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED), 0);
    for (int i = 0; i < 5; i++)
        ASSERT_EQ(pthread_create(&thread, &attributes, counts_detached, NULL), 0);
    while (detached_ran < 5 && zx_clock_get_monotonic() < deadline)
        sched_yield();
    EXPECT_EQ(detached_ran, 5);
}

static void *uses_much_stack(void *argument)
{
    volatile char large[200 * 1024];

    for (size_t i = 0; i < sizeof(large); i += 4096)
        large[i] = (char)i;
    return large[4096] == 0 ? argument : NULL;
}

TEST(Pthread, StackSize)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *result = NULL;
    size_t size = 0;

    pthread_attr_init(&attributes);
    EXPECT_EQ(pthread_attr_setstacksize(&attributes, 512 * 1024), 0);
    EXPECT_EQ(pthread_attr_getstacksize(&attributes, &size), 0);
    EXPECT_EQ(size, 512 * 1024);
    ASSERT_EQ(pthread_create(&thread, &attributes, uses_much_stack, &size), 0);
    EXPECT_EQ(pthread_join(thread, &result), 0);
    EXPECT_TRUE(result == &size);
}

static void *locks_for_reading(void *argument)
{
    int error = pthread_rwlock_tryrdlock(argument);

    if (error == 0)
        pthread_rwlock_unlock(argument);
    return (void *)(intptr_t)error;
}

static int other_can_read(pthread_rwlock_t *lock)
{
    pthread_t thread;
    void *result = NULL;

    ASSERT_EQ(pthread_create(&thread, NULL, locks_for_reading, lock), 0);
    pthread_join(thread, &result);
    return (int)(intptr_t)result;
}

TEST(Pthread, ReadersShareWritersDoNot)
{
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

    EXPECT_EQ(pthread_rwlock_rdlock(&lock), 0);
    EXPECT_EQ(other_can_read(&lock), 0);
    EXPECT_EQ(pthread_rwlock_trywrlock(&lock), EBUSY);
    EXPECT_EQ(pthread_rwlock_unlock(&lock), 0);
    EXPECT_EQ(pthread_rwlock_wrlock(&lock), 0);
    EXPECT_EQ(other_can_read(&lock), EBUSY);
    EXPECT_EQ(pthread_rwlock_unlock(&lock), 0);
    EXPECT_EQ(other_can_read(&lock), 0);
    EXPECT_EQ(pthread_rwlock_destroy(&lock), 0);
}

static pthread_key_t tls_keys[3];
static _Atomic int tls_destroyed;

/* A destructor that stores a value again gets another round. */
static void destroys_again(void *value)
{
    tls_destroyed++;
    if ((intptr_t)value > 1)
        pthread_setspecific(tls_keys[1], (void *)((intptr_t)value - 1));
}

static void *sets_all_keys(void *argument)
{
    (void)argument;
    EXPECT_EQ(pthread_setspecific(tls_keys[0], (void *)1), 0);
    EXPECT_EQ(pthread_setspecific(tls_keys[1], (void *)3), 0);
    EXPECT_TRUE(pthread_getspecific(tls_keys[2]) == NULL); /* no value, no destructor */
    return NULL;
}

TEST(PthreadTls, Destructors)
{
    pthread_t thread;

    tls_destroyed = 0;
    for (int i = 0; i < 3; i++)
        ASSERT_EQ(pthread_key_create(&tls_keys[i], destroys_again), 0);
    ASSERT_EQ(pthread_create(&thread, NULL, sets_all_keys, NULL), 0);
    EXPECT_EQ(pthread_join(thread, NULL), 0);
    EXPECT_EQ(tls_destroyed, 1 + 3);
    EXPECT_TRUE(pthread_getspecific(tls_keys[0]) == NULL); /* that was the other thread's */
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(pthread_key_delete(tls_keys[i]), 0);
}

/* ---- Barriers ------------------------------------------------------------------------------ */

#define PARTY 5

static struct {
    pthread_barrier_t barrier;
    _Atomic int before, after, serial;
} party;

static void *comes_through_once(void *argument)
{
    (void)argument;
    party.before++;
    int result = pthread_barrier_wait(&party.barrier);
    EXPECT_EQ(party.before, PARTY); /* nobody is through before all have come */
    if (result == PTHREAD_BARRIER_SERIAL_THREAD)
        party.serial++;
    else
        EXPECT_EQ(result, 0);
    party.after++;
    return NULL;
}

TEST(PThreadBarrier, LetsAllThroughTogether)
{
    pthread_t threads[PARTY];

    party.before = party.after = party.serial = 0;
    ASSERT_EQ(pthread_barrier_init(&party.barrier, NULL, PARTY), 0);
    for (int i = 0; i < PARTY; i++)
        ASSERT_EQ(pthread_create(&threads[i], NULL, comes_through_once, NULL), 0);
    for (int i = 0; i < PARTY; i++)
        pthread_join(threads[i], NULL);
    EXPECT_EQ(party.after, PARTY);
    EXPECT_EQ(party.serial, 1);
    EXPECT_EQ(pthread_barrier_destroy(&party.barrier), 0);
}

TEST(PThreadBarrier, ForOneIsNone)
{
    pthread_barrier_t barrier;

    EXPECT_EQ(pthread_barrier_init(&barrier, NULL, 0), EINVAL);
    ASSERT_EQ(pthread_barrier_init(&barrier, NULL, 1), 0);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(pthread_barrier_wait(&barrier), PTHREAD_BARRIER_SERIAL_THREAD);
    EXPECT_EQ(pthread_barrier_destroy(&barrier), 0);
}

#define ROUNDS 50

static void *comes_through_often(void *argument)
{
    _Atomic int *counts = argument;

    for (int round = 0; round < ROUNDS; round++) {
        counts[round]++;
        int result = pthread_barrier_wait(&party.barrier);
        EXPECT_EQ(counts[round], PARTY);
        if (result == PTHREAD_BARRIER_SERIAL_THREAD)
            party.serial++;
    }
    return NULL;
}

/* No round waits for, or lets go, threads of the next. */
TEST(PThreadBarrier, ManyRounds)
{
    static _Atomic int counts[ROUNDS];
    pthread_t threads[PARTY];

    party.serial = 0;
    memset((void *)counts, 0, sizeof(counts));
    ASSERT_EQ(pthread_barrier_init(&party.barrier, NULL, PARTY), 0);
    for (int i = 0; i < PARTY; i++)
        ASSERT_EQ(pthread_create(&threads[i], NULL, comes_through_often, (void *)counts), 0);
    for (int i = 0; i < PARTY; i++)
        pthread_join(threads[i], NULL);
    EXPECT_EQ(party.serial, ROUNDS);
    EXPECT_EQ(pthread_barrier_destroy(&party.barrier), 0);
}
