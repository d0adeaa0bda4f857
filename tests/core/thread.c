/*
 * Threads: creating, starting, ending, and what of a thread the scheduler keeps.
 */
#include "child.h"
#include "raw_thread.h"

#include <stdatomic.h>
#include <threads.h>

static zx_info_thread_t thread_info(zx_handle_t thread)
{
    zx_info_thread_t info;

    ASSERT_OK(zx_object_get_info(thread, ZX_INFO_THREAD, &info, sizeof(info), NULL, NULL));
    return info;
}

static void stores_arguments(uintptr_t place, uintptr_t value)
{
    *(volatile uintptr_t *)place = value;
    zx_thread_exit();
}

static void exits(uintptr_t argument1, uintptr_t argument2)
{
    (void)argument1;
    (void)argument2;
    zx_thread_exit();
}

static void sleeps_until(uintptr_t deadline, uintptr_t unused)
{
    (void)unused;
    zx_nanosleep((zx_time_t)deadline);
    zx_thread_exit();
}

/* Counts up until told to stop; place: two words, the counter and the request to stop. */
static void counts(uintptr_t place, uintptr_t unused)
{
    _Atomic uint64_t *words = (_Atomic uint64_t *)place;

    (void)unused;
    while (!words[1])
        words[0]++;
    zx_thread_exit();
}

TEST(Thread, Create)
{
    zx_handle_t thread;
    char name[ZX_MAX_NAME_LEN];

    ASSERT_OK(zx_thread_create(zx_process_self(), "my thread", 9, 0, &thread));
    EXPECT_EQ(basic_info(thread).type, ZX_OBJ_TYPE_THREAD);
    EXPECT_EQ(basic_info(thread).rights, ZX_DEFAULT_THREAD_RIGHTS);
    EXPECT_EQ(basic_info(thread).related_koid, basic_info(zx_process_self()).koid);
    EXPECT_OK(zx_object_get_property(thread, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT_EQ(strcmp(name, "my thread"), 0);
    EXPECT_EQ(thread_info(thread).state, ZX_THREAD_STATE_NEW);
    CLOSE(thread);
}

TEST(Thread, CreateBadArguments)
{
    zx_handle_t thread, weak;

    EXPECT_STATUS(zx_thread_create(zx_process_self(), "t", 1, 1, &thread), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_thread_create(zx_job_default(), "t", 1, 0, &thread), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_thread_create(closed_handle(), "t", 1, 0, &thread), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_thread_create(zx_process_self(), UNMAPPED, 1, 0, &thread),
                  ZX_ERR_INVALID_ARGS);
    weak = without_rights(zx_process_self(), ZX_RIGHT_MANAGE_THREAD);
    EXPECT_STATUS(zx_thread_create(weak, "t", 1, 0, &thread), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
}

TEST(Thread, RunsWithItsArguments)
{
    struct raw_thread t = raw_make();
    volatile uintptr_t word = 0;

    ASSERT_OK(raw_start(&t, stores_arguments, (uintptr_t)&word, 0x123456789abcdef0));
    EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_TERMINATED, soon(), NULL));
    EXPECT_EQ(word, 0x123456789abcdef0);
    EXPECT_EQ(thread_info(t.handle).state, ZX_THREAD_STATE_DEAD);
    EXPECT_EQ(signals_of(t.handle), ZX_THREAD_TERMINATED);
    raw_join(&t);
}

TEST(Thread, StartTwice)
{
    struct raw_thread t = raw_make();

    ASSERT_OK(raw_start(&t, sleeps_until, (uintptr_t)zx_deadline_after(MS(20)), 0));
    EXPECT_STATUS(raw_start(&t, exits, 0, 0), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_TERMINATED, soon(), NULL));
    EXPECT_STATUS(raw_start(&t, exits, 0, 0), ZX_ERR_BAD_STATE);
    raw_join(&t);
}

TEST(Thread, StartBadArguments)
{
    struct raw_thread t = raw_make();
    zx_handle_t weak = without_rights(t.handle, ZX_RIGHT_MANAGE_THREAD);

    EXPECT_STATUS(zx_thread_start(weak, (uintptr_t)exits, t.stack + RAW_STACK_SIZE - 8, 0, 0),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    EXPECT_STATUS(zx_thread_start(closed_handle(), (uintptr_t)exits, 0, 0, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_thread_start(zx_process_self(), (uintptr_t)exits, 0, 0, 0), ZX_ERR_WRONG_TYPE);
    ASSERT_OK(raw_start(&t, exits, 0, 0));
    raw_join(&t);
}

TEST(Thread, NotInAnUnstartedProcess)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, child_exits, 0);

    EXPECT_STATUS(
        zx_thread_start(prepared.child.thread, prepared.entry, prepared.stack_pointer, 0, 0),
        ZX_ERR_BAD_STATE);
    CLOSE(prepared.its_channel);
    child_close(&prepared.child);
}

TEST(Thread, NotInADeadProcess)
{
    struct child child = child_start(ZX_HANDLE_INVALID, child_exits, 0);
    zx_handle_t thread;

    child_wait(&child);
    EXPECT_STATUS(zx_thread_create(child.process, "t", 1, 0, &thread), ZX_ERR_BAD_STATE);
    child_close(&child);
}

TEST(Thread, ManyAtOnce)
{
    enum { COUNT = 50 };
    static struct raw_thread threads[COUNT];
    static volatile uintptr_t words[COUNT];

    for (uintptr_t i = 0; i < COUNT; i++) {
        threads[i] = raw_make();
        ASSERT_OK(raw_start(&threads[i], stores_arguments, (uintptr_t)&words[i], i + 1));
    }
    for (uintptr_t i = 0; i < COUNT; i++) {
        raw_join(&threads[i]);
        EXPECT_EQ(words[i], i + 1);
    }
}

static uint64_t kernel_heap_used(void)
{
    zx_info_kmem_stats_t stats = kmem();

    return stats.total_heap_bytes - stats.free_heap_bytes;
}

/* The kernel has nothing left of a thread that has ended. */
TEST(Thread, LeavesNothing)
{
    enum { COUNT = 100, LESS_THAN_A_THREAD = 256 };
    struct raw_thread t = raw_run(exits, 0, 0);
    uint64_t before;

    raw_join(&t);
    before = kernel_heap_used();
    for (int i = 0; i < COUNT; i++) {
        t = raw_run(exits, 0, 0);
        raw_join(&t);
    }
    EXPECT_TRUE(kernel_heap_used() < before + COUNT * LESS_THAN_A_THREAD);
}

TEST(Thread, StatesWhileBlocked)
{
    struct raw_thread t = raw_make();

    ASSERT_OK(raw_start(&t, sleeps_until, (uintptr_t)zx_deadline_after(SECONDS(1)), 0));
    EXPECT_TRUE(wait_until_blocked(t.handle, ZX_THREAD_STATE_BLOCKED_SLEEPING));
    EXPECT_EQ(signals_of(t.handle), ZX_THREAD_RUNNING); /* blocked is running, too */
    EXPECT_EQ(thread_info(t.handle).wait_exception_channel_type, ZX_EXCEPTION_CHANNEL_TYPE_NONE);
    raw_join(&t);
}

/* A thread that never makes a call does not keep the others from running. */
TEST(Thread, SpinnersArePreempted)
{
    struct raw_thread a = raw_make(), b = raw_make();
    static _Atomic uint64_t words_a[2], words_b[2];

    ASSERT_OK(raw_start(&a, counts, (uintptr_t)words_a, 0));
    ASSERT_OK(raw_start(&b, counts, (uintptr_t)words_b, 0));
    for (int i = 0; i < 5; i++) {
        uint64_t before_a = words_a[0], before_b = words_b[0];
        zx_time_t end = soon();
        while ((words_a[0] == before_a || words_b[0] == before_b) && zx_clock_get_monotonic() < end)
            zx_nanosleep(zx_deadline_after(MS(1)));
        EXPECT_TRUE(words_a[0] > before_a);
        EXPECT_TRUE(words_b[0] > before_b);
    }
    words_a[1] = words_b[1] = 1;
    raw_join(&a);
    raw_join(&b);
}

TEST(Thread, RegistersSurviveBeingPreempted)
{
    struct raw_thread spinner = raw_make();
    static _Atomic uint64_t words[2];
    uint64_t bad = 0;

    words[0] = words[1] = 0;
    ASSERT_OK(raw_start(&spinner, counts, (uintptr_t)words, 0));
    zx_time_t deadline = zx_deadline_after(MS(200));
    while (zx_clock_get_monotonic() < deadline) {
        __asm__ volatile("mov $0x1111, %%rbx; mov $0x2222, %%rcx; mov $0x3333, %%rdx\n"
                         "mov $0x4444, %%rsi; mov $0x5555, %%rdi; mov $0x6666, %%r8\n"
                         "mov $0x7777, %%r9; mov $0x8888, %%r10; mov $0x9999, %%r11\n"
                         "mov $0xaaaa, %%r12; mov $0xbbbb, %%r13; mov $0xcccc, %%r14\n"
                         "mov $0xdddd, %%r15; mov $2000000, %%rax\n"
                         "1: dec %%rax; jnz 1b\n"
                         "xor $0x1111, %%rbx; xor $0x2222, %%rcx; xor $0x3333, %%rdx\n"
                         "xor $0x4444, %%rsi; xor $0x5555, %%rdi; xor $0x6666, %%r8\n"
                         "xor $0x7777, %%r9; xor $0x8888, %%r10; xor $0x9999, %%r11\n"
                         "xor $0xaaaa, %%r12; xor $0xbbbb, %%r13; xor $0xcccc, %%r14\n"
                         "xor $0xdddd, %%r15\n"
                         "or %%rbx, %%rax; or %%rcx, %%rax; or %%rdx, %%rax; or %%rsi, %%rax\n"
                         "or %%rdi, %%rax; or %%r8, %%rax; or %%r9, %%rax; or %%r10, %%rax\n"
                         "or %%r11, %%rax; or %%r12, %%rax; or %%r13, %%rax; or %%r14, %%rax\n"
                         "or %%r15, %%rax\n"
                         "or %%rax, %0"
                         : "+m"(bad)
                         :
                         : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
                           "r12", "r13", "r14", "r15", "cc");
    }
    EXPECT_EQ(bad, 0);
    words[1] = 1;
    raw_join(&spinner);
}

TEST(Thread, CalleeSavedRegistersSurviveCalls)
{
    uint64_t bad = 0;

    for (int i = 0; i < 20; i++) {
        zx_time_t deadline = i % 2 ? 0 : zx_deadline_after(MS(1));
        __asm__ volatile("mov $0x1111, %%rbx; mov $0xaaaa, %%r12; mov $0xbbbb, %%r13\n"
                         "mov $0xcccc, %%r14; mov $0xdddd, %%r15\n"
                         "sub $256, %%rsp; mov %%rsp, %%rax; and $-16, %%rsp; push %%rax\n"
                         "push %%rax; call *%2; pop %%rsp; add $256, %%rsp\n"
                         "xor $0x1111, %%rbx; xor $0xaaaa, %%r12; xor $0xbbbb, %%r13\n"
                         "xor $0xcccc, %%r14; xor $0xdddd, %%r15\n"
                         "or %%r12, %%rbx; or %%r13, %%rbx; or %%r14, %%rbx; or %%r15, %%rbx\n"
                         "mov %%rbx, %0"
                         : "=S"(bad), "+D"(deadline)
                         : "d"(zx_nanosleep)
                         : "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                           "r15", "cc", "memory");
        EXPECT_EQ(bad, 0);
    }
}

TEST(Thread, Names)
{
    char long_name[64], name[ZX_MAX_NAME_LEN];
    zx_handle_t thread;

    memset(long_name, 'n', sizeof(long_name));
    ASSERT_OK(zx_thread_create(zx_process_self(), long_name, sizeof(long_name), 0, &thread));
    EXPECT_OK(zx_object_get_property(thread, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT_EQ(strlen(name), ZX_MAX_NAME_LEN - 1);
    EXPECT_OK(zx_object_set_property(thread, ZX_PROP_NAME, "renamed", 7));
    EXPECT_OK(zx_object_get_property(thread, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT_EQ(strcmp(name, "renamed"), 0);
    CLOSE(thread);
    ASSERT_OK(zx_thread_create(zx_process_self(), "", 0, 0, &thread));
    EXPECT_OK(zx_object_get_property(thread, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT_EQ(name[0], 0);
    CLOSE(thread);
}

/* It can be started at nothing; it faults there. */
TEST(Thread, StartAtZero)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, child_sleeps, 0);
    zx_handle_t thread;

    ASSERT_OK(zx_thread_create(prepared.child.process, "t", 1, 0, &thread));
    child_run(&prepared);
    EXPECT_OK(zx_thread_start(thread, 0, 0, 0, 0));
    EXPECT_EQ(child_wait(&prepared.child), ZX_TASK_RETCODE_EXCEPTION_KILL);
    CLOSE(thread);
    child_close(&prepared.child);
}

TEST(Thread, StartOutsideOfUserMemory)
{
    static const zx_vaddr_t bad[] = {0xffff800000000000, 0x800000000000, 0x7ffffffff000 + 0x1000,
                                     UINT64_MAX, 1};
    struct raw_thread t = raw_make();

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        EXPECT_STATUS(zx_thread_start(t.handle, bad[i], 0, 0, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(thread_info(t.handle).state, ZX_THREAD_STATE_NEW);
    ASSERT_OK(raw_start(&t, exits, 0, 0)); /* none of them was a start */
    raw_join(&t);
}

/* Stores the registers at the first argument and goes on where its last word says. */
static __attribute__((naked)) void stores_registers(uintptr_t place __attribute__((unused)),
                                                    uintptr_t unused __attribute__((unused)))
{
    __asm__("mov %rax, 0(%rdi); mov %rbx, 8(%rdi); mov %rcx, 16(%rdi); mov %rdx, 24(%rdi)\n"
            "mov %rbp, 32(%rdi); mov %rsp, 40(%rdi); mov %r8, 48(%rdi); mov %r9, 56(%rdi)\n"
            "mov %r10, 64(%rdi); mov %r11, 72(%rdi); mov %r12, 80(%rdi); mov %r13, 88(%rdi)\n"
            "mov %r14, 96(%rdi); mov %r15, 104(%rdi); mov %rsi, 112(%rdi); jmp *120(%rdi)");
}

/* All registers but the arguments and the stack pointer begin as 0: nothing leaks. */
TEST(Thread, RegistersAtTheStart)
{
    struct raw_thread t = raw_make();
    static uint64_t words[16];

    memset(words, 0x55, sizeof(words));
    words[15] = (uintptr_t)zx_thread_exit;
    ASSERT_OK(raw_start(&t, stores_registers, (uintptr_t)words, 0x1234));
    EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_TERMINATED, soon(), NULL));
    for (int i = 0; i < 14; i++) {
        if (i != 5)
            EXPECT_EQ(words[i], 0);
    }
    EXPECT_EQ(words[5], t.stack + RAW_STACK_SIZE - 8);
    EXPECT_EQ(words[14], 0x1234);
    raw_join(&t);
}

/* Its last handle is gone before it begins, and it runs all the same. */
TEST(Thread, RunsWithoutAHandle)
{
    struct raw_thread t = raw_make();
    static volatile uintptr_t word;
    zx_time_t deadline = soon();

    word = 0;
    ASSERT_OK(raw_start(&t, stores_arguments, (uintptr_t)&word, 5));
    CLOSE(t.handle);
    while (word != 5 && zx_clock_get_monotonic() < deadline)
        zx_nanosleep(0);
    EXPECT_EQ(word, 5);
    /* Its stack may be in use still: it is left where it is. */
}

TEST(Thread, NeverStartedLeavesWithItsLastHandle)
{
    zx_handle_t thread, again;
    zx_koid_t koid;

    ASSERT_OK(zx_thread_create(zx_process_self(), "t", 1, 0, &thread));
    koid = basic_info(thread).koid;
    ASSERT_OK(zx_object_get_child(zx_process_self(), koid, ZX_RIGHT_SAME_RIGHTS, &again));
    CLOSE(again);
    CLOSE(thread);
    EXPECT_STATUS(zx_object_get_child(zx_process_self(), koid, ZX_RIGHT_SAME_RIGHTS, &again),
                  ZX_ERR_NOT_FOUND);
}

TEST(Thread, CannotBeKilled)
{
    struct raw_thread t = raw_make();

    EXPECT_STATUS(zx_task_kill(t.handle), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_task_kill(zx_thread_self()), ZX_ERR_WRONG_TYPE);
    ASSERT_OK(raw_start(&t, exits, 0, 0));
    raw_join(&t);
}

TEST(Thread, SignalsThroughItsLife)
{
    struct raw_thread t = raw_make();
    _Atomic uint64_t words[2] = {0, 0};

    EXPECT_EQ(signals_of(t.handle), 0);
    ASSERT_OK(raw_start(&t, counts, (uintptr_t)words, 0));
    EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_RUNNING, soon(), NULL));
    EXPECT_EQ(signals_of(t.handle), ZX_THREAD_RUNNING);
    words[1] = 1;
    EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_TERMINATED, soon(), NULL));
    EXPECT_EQ(signals_of(t.handle), ZX_THREAD_TERMINATED);
    raw_join(&t);
}

/* User signals are there for whoever wants to use them. */
TEST(Thread, UserSignals)
{
    struct raw_thread t = raw_make();

    EXPECT_OK(zx_object_signal(t.handle, 0, ZX_USER_SIGNAL_5));
    EXPECT_EQ(signals_of(t.handle), ZX_USER_SIGNAL_5);
    EXPECT_STATUS(zx_object_signal(t.handle, 0, ZX_THREAD_TERMINATED), ZX_ERR_INVALID_ARGS);
    ASSERT_OK(raw_start(&t, exits, 0, 0));
    raw_join(&t);
}
