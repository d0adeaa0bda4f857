/*
 * The user library: heap, formatted output, time. It is what other tests stand on.
 */
#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <locale.h>
#include <stdarg.h>
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
