/*
 * Threads: creating, starting, ending, suspending, their state and information.
 */
#include "child.h"

#include <stdatomic.h>
#include <threads.h>

#define STACK_SIZE 0x4000

/* A thread without a library: a mapped stack and a function that ends with zx_thread_exit. */
struct raw_thread {
    zx_handle_t handle;
    zx_vaddr_t stack;
};

static struct raw_thread make_raw(void)
{
    struct raw_thread t;
    zx_handle_t vmo;

    ASSERT_OK(zx_thread_create(zx_process_self(), "raw", 3, 0, &t.handle));
    ASSERT_OK(zx_vmo_create(STACK_SIZE, 0, &vmo));
    ASSERT_OK(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0,
                          STACK_SIZE, &t.stack));
    CLOSE(vmo);
    return t;
}

static zx_status_t start_raw(const struct raw_thread *t, void (*function)(uintptr_t, uintptr_t),
                             uintptr_t argument1, uintptr_t argument2)
{
    return zx_thread_start(t->handle, (uintptr_t)function, t->stack + STACK_SIZE - 8, argument1,
                           argument2);
}

static void wait_and_close(struct raw_thread *t)
{
    EXPECT_OK(zx_object_wait_one(t->handle, ZX_THREAD_TERMINATED, soon(), NULL));
    CLOSE(t->handle);
    EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), t->stack, STACK_SIZE));
}

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
    struct raw_thread t = make_raw();
    volatile uintptr_t word = 0;

    ASSERT_OK(start_raw(&t, stores_arguments, (uintptr_t)&word, 0x123456789abcdef0));
    EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_TERMINATED, soon(), NULL));
    EXPECT_EQ(word, 0x123456789abcdef0);
    EXPECT_EQ(thread_info(t.handle).state, ZX_THREAD_STATE_DEAD);
    EXPECT_EQ(signals_of(t.handle), ZX_THREAD_TERMINATED);
    wait_and_close(&t);
}

TEST(Thread, StartTwice)
{
    struct raw_thread t = make_raw();

    ASSERT_OK(start_raw(&t, sleeps_until, (uintptr_t)zx_deadline_after(MS(20)), 0));
    EXPECT_STATUS(start_raw(&t, exits, 0, 0), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_TERMINATED, soon(), NULL));
    EXPECT_STATUS(start_raw(&t, exits, 0, 0), ZX_ERR_BAD_STATE);
    wait_and_close(&t);
}

TEST(Thread, StartBadArguments)
{
    struct raw_thread t = make_raw();
    zx_handle_t weak = without_rights(t.handle, ZX_RIGHT_MANAGE_THREAD);

    EXPECT_STATUS(zx_thread_start(weak, (uintptr_t)exits, t.stack + STACK_SIZE - 8, 0, 0),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    EXPECT_STATUS(zx_thread_start(closed_handle(), (uintptr_t)exits, 0, 0, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_thread_start(zx_process_self(), (uintptr_t)exits, 0, 0, 0), ZX_ERR_WRONG_TYPE);
    ASSERT_OK(start_raw(&t, exits, 0, 0));
    wait_and_close(&t);
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
        threads[i] = make_raw();
        ASSERT_OK(start_raw(&threads[i], stores_arguments, (uintptr_t)&words[i], i + 1));
    }
    for (uintptr_t i = 0; i < COUNT; i++) {
        wait_and_close(&threads[i]);
        EXPECT_EQ(words[i], i + 1);
    }
}

TEST(Thread, StatesWhileBlocked)
{
    struct raw_thread t = make_raw();

    ASSERT_OK(start_raw(&t, sleeps_until, (uintptr_t)zx_deadline_after(SECONDS(1)), 0));
    EXPECT_TRUE(wait_until_blocked(t.handle, ZX_THREAD_STATE_BLOCKED_SLEEPING));
    EXPECT_EQ(signals_of(t.handle), ZX_THREAD_RUNNING); /* blocked is running, too */
    EXPECT_EQ(thread_info(t.handle).wait_exception_channel_type, ZX_EXCEPTION_CHANNEL_TYPE_NONE);
    wait_and_close(&t);
}

/* A thread that never makes a call does not keep the others from running. */
TEST(Thread, SpinnersArePreempted)
{
    struct raw_thread a = make_raw(), b = make_raw();
    static _Atomic uint64_t words_a[2], words_b[2];

    ASSERT_OK(start_raw(&a, counts, (uintptr_t)words_a, 0));
    ASSERT_OK(start_raw(&b, counts, (uintptr_t)words_b, 0));
    for (int i = 0; i < 5; i++) {
        uint64_t before_a = words_a[0], before_b = words_b[0];
        zx_nanosleep(zx_deadline_after(MS(100)));
        EXPECT_TRUE(words_a[0] > before_a);
        EXPECT_TRUE(words_b[0] > before_b);
    }
    words_a[1] = words_b[1] = 1;
    wait_and_close(&a);
    wait_and_close(&b);
}

TEST(Thread, RegistersSurviveBeingPreempted)
{
    struct raw_thread spinner = make_raw();
    static _Atomic uint64_t words[2];
    uint64_t bad = 0;

    words[0] = words[1] = 0;
    ASSERT_OK(start_raw(&spinner, counts, (uintptr_t)words, 0));
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
    wait_and_close(&spinner);
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

TEST(ThreadSuspend, StopsAndResumes)
{
    struct raw_thread t = make_raw();
    static _Atomic uint64_t words[2];
    zx_handle_t token;

    words[0] = words[1] = 0;
    ASSERT_OK(start_raw(&t, counts, (uintptr_t)words, 0));
    zx_status_t status = zx_task_suspend_token(t.handle, &token);
    if (status != ZX_ERR_NOT_SUPPORTED) {
        EXPECT_OK(status);
        EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_SUSPENDED, soon(), NULL));
        EXPECT_EQ(thread_info(t.handle).state, ZX_THREAD_STATE_SUSPENDED);
        uint64_t before = words[0];
        zx_nanosleep(zx_deadline_after(MS(20)));
        EXPECT_EQ(words[0], before);
        CLOSE(token);
        EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_RUNNING, soon(), NULL));
    }
    words[1] = 1;
    wait_and_close(&t);
    if (status == ZX_ERR_NOT_SUPPORTED)
        SKIP("this kernel has no zx_task_suspend_token");
}

TEST(ThreadInfo, Stats)
{
    zx_info_thread_stats_t stats = {.total_runtime = -1};

    EXPECT_OK(zx_object_get_info(zx_thread_self(), ZX_INFO_THREAD_STATS, &stats, sizeof(stats),
                                 NULL, NULL));
    EXPECT_TRUE(stats.total_runtime >= 0);
    EXPECT_TRUE(stats.last_scheduled_cpu < zx_system_get_num_cpus());
}

TEST(ThreadInfo, Rights)
{
    zx_handle_t weak = without_rights(zx_thread_self(), ZX_RIGHT_INSPECT);
    zx_info_thread_t info;

    EXPECT_STATUS(zx_object_get_info(weak, ZX_INFO_THREAD, &info, sizeof(info), NULL, NULL),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
}

TEST(ThreadState, OnlyOfTheStopped)
{
    zx_thread_state_general_regs_t regs;
    zx_status_t status =
        zx_thread_read_state(zx_thread_self(), ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof(regs));

    if (status == ZX_ERR_NOT_SUPPORTED)
        SKIP("this kernel has no zx_thread_read_state");
    EXPECT_STATUS(status, ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_thread_read_state(zx_thread_self(), 99, &regs, sizeof(regs)),
                  ZX_ERR_INVALID_ARGS);
}
