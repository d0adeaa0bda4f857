/*
 * The frame of the conformance tests.
 *
 *     TEST(Channel, Create)
 *     {
 *         ...
 *         ASSERT_OK(zx_channel_create(0, &a, &b));
 *         EXPECT_STATUS(zx_channel_write(a, 0, NULL, 0, NULL, 0), ZX_ERR_PEER_CLOSED);
 *     }
 *
 * EXPECT_ records a failure and goes on; ASSERT_ also ends the test, or, in a thread that the test
 * made, that thread. Handles that a failing test leaves open stay open.
 */
#ifndef CORE_TEST_H
#define CORE_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zircon/zircon.h>
#include <zircon/process.h>

struct test {
    const char *suite;
    const char *name;
    const char *file;
    int line;
    void (*run)(void);
};

#define TEST(suite_, name_)                                                                        \
    static void test_##suite_##_##name_(void);                                                     \
    static const struct test entry_##suite_##_##name_                                              \
        __attribute__((section("core_tests"), used, aligned(8))) = {                               \
            #suite_, #name_, __FILE__, __LINE__, test_##suite_##_##name_};                         \
    static void test_##suite_##_##name_(void)

/* Ends the test as skipped. */
#define SKIP(reason) test_skip(reason)

#define EXPECT_TRUE(condition)                                                                     \
    ((condition) ? (void)0 : test_failed(__FILE__, __LINE__, false, "%s", #condition))
#define ASSERT_TRUE(condition)                                                                     \
    ((condition) ? (void)0 : test_failed(__FILE__, __LINE__, true, "%s", #condition))

/* Compares integers; the second is what is expected. */
#define COMPARE_(actual, expected, fatal)                                                          \
    do {                                                                                           \
        long long actual_ = (long long)(actual), expected_ = (long long)(expected);                \
        if (actual_ != expected_)                                                                  \
            test_failed(__FILE__, __LINE__, fatal,                                                 \
                        "%s is %lld (%#llx), expected %s, %lld (%#llx)", #actual, actual_,         \
                        actual_, #expected, expected_, expected_);                                 \
    } while (0)
#define EXPECT_EQ(actual, expected) COMPARE_(actual, expected, false)
#define ASSERT_EQ(actual, expected) COMPARE_(actual, expected, true)

#define STATUS_(call, expected, fatal)                                                             \
    do {                                                                                           \
        zx_status_t actual_ = (call), expected_ = (expected);                                      \
        if (actual_ != expected_)                                                                  \
            test_failed(__FILE__, __LINE__, fatal, "%s returned %s (%d), expected %s", #call,      \
                        zx_status_get_string(actual_), actual_, zx_status_get_string(expected_));  \
    } while (0)
#define EXPECT_STATUS(call, expected) STATUS_(call, expected, false)
#define ASSERT_STATUS(call, expected) STATUS_(call, expected, true)
#define EXPECT_OK(call)               STATUS_(call, ZX_OK, false)
#define ASSERT_OK(call)               STATUS_(call, ZX_OK, true)

void test_failed(const char *file, int line, bool fatal, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void test_skip(const char *reason) __attribute__((noreturn));

/* --- Helpers --- */

#define MS(n)      ((zx_duration_t)(n)*1000000)
#define SECONDS(n) ((zx_duration_t)(n)*1000000000)

/* When a wait that is expected to end is given up. */
static inline zx_time_t soon(void)
{
    return zx_deadline_after(SECONDS(20));
}

/* Closes a handle and checks that it could be closed. */
#define CLOSE(handle) EXPECT_OK(zx_handle_close(handle))

/* A handle value that was valid once and is not now. */
zx_handle_t closed_handle(void);

/* What object_get_info(HANDLE_BASIC) says; fails the test if it fails. */
zx_info_handle_basic_t basic_info(zx_handle_t handle);

/* The signals of an object at this moment. */
zx_signals_t signals_of(zx_handle_t handle);

/* A duplicate of handle with all its rights but these. */
zx_handle_t without_rights(zx_handle_t handle, zx_rights_t rights);

/* An address that is not mapped, and one in the kernel's half. */
#define UNMAPPED       ((void *)0x10)
#define KERNEL_ADDRESS ((void *)0xffff800000000000)

zx_handle_t root_resource(void);

/* What the kernel says of the machine's memory. */
zx_info_kmem_stats_t kmem(void);

/*
 * Waits until a thread is blocked in a call of that kind (ZX_THREAD_STATE_BLOCKED_...).
 */
bool wait_until_blocked(zx_handle_t thread, uint32_t state);

/* Whether a root VMAR's range is what it must be: all of user space, or, in the LibOS, a slice of
 * the host's (docs/libos.md). */
bool is_user_space(uint64_t base, uint64_t length);

#endif
