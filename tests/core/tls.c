/*
 * The program's own thread-local variables: initial values, alignment, addresses, in the first
 * thread and in others.
 */
#include "test.h"

#include <stdint.h>
#include <threads.h>

/* Some in .tdata, some in .tbss, of different sizes and alignments. */
static _Thread_local uint8_t a_byte = 0x12;
static _Thread_local uint16_t a_half = 0x1234;
static _Thread_local uint32_t a_word = 0x12345678;
static _Thread_local uint64_t a_long = 0x123456789abcdef0;
static _Thread_local char text[] = "initial text";
static _Thread_local uint8_t odd_bytes[17] = {1,  2,  3,  4,  5,  6,  7,  8, 9,
                                              10, 11, 12, 13, 14, 15, 16, 17};
static _Thread_local char zero_bytes[201];
static _Thread_local uint64_t zero_long;
static _Thread_local int cleared_array[100];
static _Thread_local uint64_t aligned_data __attribute__((aligned(64))) = 7;
static _Thread_local char aligned_zeroes[3] __attribute__((aligned(32)));
static int global;
static _Thread_local int *a_pointer = &global; /* needs a relocation */
_Thread_local int shared_with_nobody = 5;      /* external linkage */

/* Runs a test's body in the first thread, twice in others, and in the first one again. */
static int runs(void *argument)
{
    (*(void (**)(void))argument)();
    return 0;
}

static void in_several_threads(void (*body)(void))
{
    thrd_t thread;

    body();
    for (int i = 0; i < 2; i++) {
        ASSERT_EQ(thrd_create(&thread, runs, &body), thrd_success);
        thrd_join(thread, NULL);
    }
    body();
}

/* Each body finds the initial values, changes them, and puts them back. */
static void check_scalars(void)
{
    EXPECT_EQ(a_byte, 0x12);
    EXPECT_EQ(a_half, 0x1234);
    EXPECT_EQ(a_word, 0x12345678);
    EXPECT_EQ(a_long, 0x123456789abcdef0);
    a_byte++, a_half++, a_word++, a_long++;
    zx_nanosleep(0);
    EXPECT_EQ(a_byte, 0x13);
    EXPECT_EQ(a_half, 0x1235);
    EXPECT_EQ(a_word, 0x12345679);
    EXPECT_EQ(a_long, 0x123456789abcdef1);
    a_byte--, a_half--, a_word--, a_long--;
}

TEST(ExecutableTls, Scalars)
{
    in_several_threads(check_scalars);
}

static void check_text(void)
{
    EXPECT_EQ(strcmp(text, "initial text"), 0);
    text[0] = 'I';
    EXPECT_EQ(strcmp(text, "Initial text"), 0);
    text[0] = 'i';
}

TEST(ExecutableTls, Arrays)
{
    in_several_threads(check_text);
}

static void check_odd_bytes(void)
{
    for (size_t i = 0; i < sizeof(odd_bytes); i++)
        EXPECT_EQ(odd_bytes[i], i + 1);
    memset(odd_bytes, 0xff, sizeof(odd_bytes));
    for (size_t i = 0; i < sizeof(odd_bytes); i++)
        odd_bytes[i] = (uint8_t)(i + 1);
}

TEST(ExecutableTls, OddSizes)
{
    in_several_threads(check_odd_bytes);
}

static void check_zeroes(void)
{
    for (size_t i = 0; i < sizeof(zero_bytes); i++)
        EXPECT_EQ(zero_bytes[i], 0);
    EXPECT_EQ(zero_long, 0);
    memset(zero_bytes, 0x55, sizeof(zero_bytes));
    zero_long = UINT64_MAX;
    EXPECT_EQ(zero_bytes[200], 0x55);
    memset(zero_bytes, 0, sizeof(zero_bytes));
    zero_long = 0;
}

TEST(ExecutableTls, ZeroedData)
{
    in_several_threads(check_zeroes);
}

static void check_cleared_array(void)
{
    for (int i = 0; i < 100; i++) {
        EXPECT_EQ(cleared_array[i], 0);
        cleared_array[i] = i;
    }
    for (int i = 0; i < 100; i++)
        EXPECT_EQ(cleared_array[i], i);
    memset(cleared_array, 0, sizeof(cleared_array));
}

TEST(ExecutableTls, ZeroedArrays)
{
    in_several_threads(check_cleared_array);
}

static void check_alignment(void)
{
    EXPECT_EQ((uintptr_t)&aligned_data % 64, 0);
    EXPECT_EQ(aligned_data, 7);
}

TEST(ExecutableTls, AlignedData)
{
    in_several_threads(check_alignment);
}

static void check_aligned_zeroes(void)
{
    EXPECT_EQ((uintptr_t)aligned_zeroes % 32, 0);
    EXPECT_EQ(aligned_zeroes[0] | aligned_zeroes[1] | aligned_zeroes[2], 0);
}

TEST(ExecutableTls, AlignedZeroes)
{
    in_several_threads(check_aligned_zeroes);
}

static void check_pointer(void)
{
    EXPECT_TRUE(a_pointer == &global);
}

TEST(ExecutableTls, PointersAreRelocated)
{
    in_several_threads(check_pointer);
}

static void check_external(void)
{
    EXPECT_EQ(shared_with_nobody, 5);
    shared_with_nobody = 6;
    EXPECT_EQ(shared_with_nobody, 6);
    shared_with_nobody = 5;
}

TEST(ExecutableTls, ExternalLinkage)
{
    in_several_threads(check_external);
}

/* ---- Between threads ----------------------------------------------------------------------- */

static int address_of_its_own(void *argument)
{
    *(uint32_t **)argument = &a_word;
    return 0;
}

TEST(ExecutableTls, EachThreadHasItsOwn)
{
    uint32_t *theirs = NULL;
    thrd_t thread;

    ASSERT_EQ(thrd_create(&thread, address_of_its_own, &theirs), thrd_success);
    thrd_join(thread, NULL);
    EXPECT_TRUE(theirs != NULL);
    EXPECT_TRUE(theirs != &a_word);
}

static int changes_another(void *argument)
{
    *(uint32_t *)argument = 99;
    return a_word == 0x12345678;
}

/* A pointer to one may be handed to another thread. */
TEST(ExecutableTls, AddressesAreValidEverywhere)
{
    thrd_t thread;
    int kept = 0;

    ASSERT_EQ(thrd_create(&thread, changes_another, &a_word), thrd_success);
    thrd_join(thread, &kept);
    EXPECT_EQ(a_word, 99);
    EXPECT_TRUE(kept);
    a_word = 0x12345678;
}

static int leaves_changed(void *argument)
{
    int fresh = a_word == 0x12345678 && zero_long == 0;

    (void)argument;
    a_word = zero_long = 1;
    return fresh;
}

/* Memory of a thread that has ended is made new for the next one. */
TEST(ExecutableTls, NothingIsInherited)
{
    for (int i = 0; i < 20; i++) {
        thrd_t thread;
        int fresh = 0;
        ASSERT_EQ(thrd_create(&thread, leaves_changed, NULL), thrd_success);
        thrd_join(thread, &fresh);
        EXPECT_TRUE(fresh);
    }
    EXPECT_EQ(a_word, 0x12345678);
}
