/*
 * The user library: heap, threads and locks, formatted output, time. It is what other tests stand
 * on.
 */
#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
#include <zvmm/launch.h>

/* Compilers know malloc and may assume that it succeeds; these they do not know. */
static void *(*volatile opaque_malloc)(size_t) = malloc;
static void *(*volatile opaque_calloc)(size_t, size_t) = calloc;

TEST(Malloc, SizesAndContents)
{
    enum { COUNT = 300 };
    static unsigned char *blocks[COUNT];
    static size_t sizes[COUNT];

    for (size_t i = 0; i < COUNT; i++) {
        sizes[i] = (i * i * 7) % 3000 + (i % 50 == 0 ? 100000 : 0);
        blocks[i] = malloc(sizes[i]);
        ASSERT_TRUE(blocks[i] != NULL);
        EXPECT_EQ((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], (int)i, sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i += 2)
        free(blocks[i]);
    for (size_t i = 0; i < COUNT; i += 2) {
        blocks[i] = malloc(sizes[i]);
        memset(blocks[i], (int)i, sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < sizes[i]; j += 97)
            EXPECT_EQ(blocks[i][j], (unsigned char)i);
        free(blocks[i]);
    }
    free(NULL);
}

TEST(Malloc, Realloc)
{
    unsigned char *block = NULL;

    for (size_t size = 1; size < 300000; size = size * 3 / 2 + 1) {
        block = realloc(block, size);
        ASSERT_TRUE(block != NULL);
        block[size - 1] = (unsigned char)size;
        EXPECT_EQ(block[0], 1);
    }
    block = realloc(block, 1);
    EXPECT_EQ(block[0], 1);
    free(block);
}

TEST(Malloc, CallocIsZero)
{
    for (size_t size = 8; size < 200000; size *= 2) {
        unsigned char *dirty = malloc(size);
        memset(dirty, 0xff, size);
        free(dirty);
        unsigned char *block = calloc(size / 8, 8);
        for (size_t i = 0; i < size; i++)
            EXPECT_EQ(block[i], 0);
        free(block);
    }
    errno = 0;
    EXPECT_TRUE(opaque_calloc(SIZE_MAX / 2, 3) == NULL);
    EXPECT_EQ(errno, ENOMEM);
}

TEST(Malloc, Aligned)
{
    for (size_t alignment = 8; alignment <= 65536; alignment *= 2) {
        void *block = NULL;
        EXPECT_EQ(posix_memalign(&block, alignment, 100), 0);
        EXPECT_EQ((uintptr_t)block % alignment, 0);
        memset(block, 1, 100);
        free(block);
    }
}

TEST(Malloc, TooMuch)
{
    errno = 0;
    EXPECT_TRUE(opaque_malloc((size_t)1 << 60) == NULL);
    EXPECT_EQ(errno, ENOMEM);
    EXPECT_TRUE(opaque_malloc(SIZE_MAX) == NULL);
}

static int allocates(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;

    for (int i = 0; i < 2000; i++) {
        size_t size = (size_t)rand_r(&seed) % 2000 + 1;
        unsigned char *block = malloc(size);
        memset(block, (int)seed, size);
        EXPECT_EQ(block[size - 1], (unsigned char)seed);
        free(block);
    }
    return 0;
}

TEST(Malloc, InManyThreads)
{
    thrd_t threads[4];

    for (uintptr_t i = 0; i < 4; i++)
        ASSERT_EQ(thrd_create(&threads[i], allocates, (void *)(i + 1)), thrd_success);
    for (int i = 0; i < 4; i++)
        thrd_join(threads[i], NULL);
}

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

/* Stacks and handles are given back: this many threads at once would not fit. */
TEST(C11Thread, LeaksNothing)
{
    zx_info_process_handle_stats_t before, after;

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

TEST(Stdio, Formats)
{
    char text[128];

    snprintf(text, sizeof(text), "%d %5s %-5s| %08x %lld %c %%", -7, "ab", "cd", 0xbeef,
             123456789012345ll, 'z');
    EXPECT_EQ(strcmp(text, "-7    ab cd   | 0000beef 123456789012345 z %"), 0);
    snprintf(text, sizeof(text), "%.3f %g %e %a", 3.14159, 0.0001, 12345.678, 1.0);
    EXPECT_EQ(strcmp(text, "3.142 0.0001 1.234568e+04 0x1p+0"), 0);
    const char *volatile long_text = "truncated";
    EXPECT_EQ(snprintf(text, 4, "%s", long_text), 9);
    EXPECT_EQ(strcmp(text, "tru"), 0);
    int a = 0, b = 0;
    EXPECT_EQ(sscanf("12 0x34", "%d %i", &a, &b), 2);
    EXPECT_EQ(a, 12);
    EXPECT_EQ(b, 0x34);
}

TEST(Stdio, MemoryStream)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    ASSERT_TRUE(stream != NULL);
    for (int i = 0; i < 1000; i++)
        fprintf(stream, "%d,", i);
    fputc('!', stream);
    EXPECT_EQ(fclose(stream), 0);
    EXPECT_EQ(size, 3891);
    EXPECT_EQ(text[size - 1], '!');
    free(text);
}

TEST(Libc, Environment)
{
    EXPECT_EQ(setenv("CORE_TESTS", "1", 1), 0);
    EXPECT_TRUE(getenv("CORE_TESTS") != NULL);
    EXPECT_EQ(unsetenv("CORE_TESTS"), 0);
    EXPECT_TRUE(getenv("CORE_TESTS") == NULL);
    EXPECT_TRUE(setlocale(LC_ALL, "C") != NULL);
    EXPECT_EQ(sysconf(_SC_PAGESIZE), 4096);
}

TEST(Libc, Time)
{
    struct timespec start, end, pause = {.tv_nsec = 3000000};
    struct tm tm;
    time_t zero = 86400;
    char text[32];

    EXPECT_EQ(clock_gettime(CLOCK_MONOTONIC, &start), 0);
    EXPECT_EQ(nanosleep(&pause, NULL), 0);
    EXPECT_EQ(clock_gettime(CLOCK_MONOTONIC, &end), 0);
    EXPECT_TRUE((end.tv_sec - start.tv_sec) * 1000000000 + end.tv_nsec - start.tv_nsec >= 3000000);
    gmtime_r(&zero, &tm);
    strftime(text, sizeof(text), "%Y-%m-%d", &tm);
    EXPECT_EQ(strcmp(text, "1970-01-02"), 0);
    EXPECT_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start), -1);
    EXPECT_EQ(errno, EINVAL);
}

static int by_value(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

TEST(Libc, SortAndSearch)
{
    int values[100], wanted = 42;

    for (int i = 0; i < 100; i++)
        values[i] = (i * 37) % 100;
    qsort(values, 100, sizeof(int), by_value);
    for (int i = 0; i < 100; i++)
        EXPECT_EQ(values[i], i);
    EXPECT_TRUE(bsearch(&wanted, values, 100, sizeof(int), by_value) == &values[42]);
}

TEST(Launch, RunsAProgram)
{
    const char *const argv[] = {"core-tests", "--list", "No.SuchTest", NULL}; /* prints nothing */
    const struct launch_args args = {.program = "core-tests", .argv = argv};
    zx_handle_t process;
    int64_t code = -1;

    ASSERT_OK(zx_launch(&args, &process));
    EXPECT_OK(zx_launch_wait(process, &code));
    EXPECT_EQ(code, 2);
    CLOSE(process);
}

TEST(Launch, NotFound)
{
    const struct launch_args args = {.program = "no such program"};
    zx_handle_t process;

    EXPECT_STATUS(zx_launch(&args, &process), ZX_ERR_NOT_FOUND);
}
