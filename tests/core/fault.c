/*
 * Faults: a program that does something wrong dies, alone, and says why.
 */
#include "child.h"

static CHILD void reads_there(zx_handle_t channel, const struct child_calls *calls)
{
    (void)channel;
    *(volatile int *)calls->argument;
    calls->process_exit(0);
}

static CHILD void writes_there(zx_handle_t channel, const struct child_calls *calls)
{
    (void)channel;
    *(volatile int *)calls->argument = 1;
    calls->process_exit(0);
}

static CHILD void jumps_there(zx_handle_t channel, const struct child_calls *calls)
{
    (void)channel;
    ((void (*)(void))calls->argument)();
    calls->process_exit(0);
}

static CHILD void executes_undefined(zx_handle_t channel, const struct child_calls *calls)
{
    (void)channel;
    __asm__ volatile("ud2");
    calls->process_exit(0);
}

static CHILD void executes_hlt(zx_handle_t channel, const struct child_calls *calls)
{
    (void)channel;
    __asm__ volatile("hlt");
    calls->process_exit(0);
}

static CHILD void divides_by_zero(zx_handle_t channel, const struct child_calls *calls)
{
    (void)channel;
    __asm__ volatile("xor %%ecx, %%ecx; mov $1, %%eax; cdq; idiv %%ecx" ::: "rax", "rcx", "rdx");
    calls->process_exit(0);
}

static CHILD void overflows_its_stack(zx_handle_t channel, const struct child_calls *calls)
{
    (void)channel;
    (void)calls;
    __asm__ volatile("1: push %rax; jmp 1b");
}

static CHILD void writes_its_code(zx_handle_t channel, const struct child_calls *calls)
{
    (void)channel;
    __asm__ volatile("lea 0(%%rip), %%rax; movb $0x90, (%%rax)" ::: "rax", "memory");
    calls->process_exit(0);
}

/* Without the vDSO: the kernel must not do what is asked. */
static CHILD void makes_a_bare_syscall(zx_handle_t channel, const struct child_calls *calls)
{
    uint64_t result;

    (void)channel;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(97), "D"(calls->argument)
                     : "rcx", "r11", "memory");
    for (;;)
        calls->nanosleep(ZX_TIME_INFINITE);
}

static void expect_death(child_function_t function, uint64_t argument)
{
    struct child child = child_start(ZX_HANDLE_INVALID, function, argument);

    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_EXCEPTION_KILL);
    child_close(&child);
    /* And the rest goes on. */
    child = child_start(ZX_HANDLE_INVALID, child_exits, 33);
    EXPECT_EQ(child_wait(&child), 33);
    child_close(&child);
}

TEST(Fault, ReadUnmapped)
{
    expect_death(reads_there, 0);
    expect_death(reads_there, 0x1000000);
}

TEST(Fault, ReadKernelAddress)
{
    expect_death(reads_there, 0xffffffff80000000);
    expect_death(reads_there, 0xffff800000000000);
    expect_death(reads_there, 0xffffffffffffffff);
}

TEST(Fault, ReadNonCanonical)
{
    expect_death(reads_there, 0x8000000000000000);
    expect_death(reads_there, 0x0000800000000000);
}

TEST(Fault, WriteUnmapped)
{
    expect_death(writes_there, 0);
}

TEST(Fault, WriteKernelAddress)
{
    expect_death(writes_there, 0xffffffff80000000);
}

TEST(Fault, WriteCode)
{
    expect_death(writes_its_code, 0);
}

TEST(Fault, JumpNowhere)
{
    expect_death(jumps_there, 0);
    expect_death(jumps_there, 0xffffffff80000000);
    expect_death(jumps_there, 0x8000000000000000);
}

static CHILD void jumps_to_its_stack(zx_handle_t channel, const struct child_calls *calls)
{
    volatile unsigned char code[] = {0xc3}; /* ret */

    (void)channel;
    ((void (*)(void))(uintptr_t)code)();
    calls->process_exit(0);
}

TEST(Fault, ExecuteData)
{
    expect_death(jumps_to_its_stack, 0);
}

TEST(Fault, UndefinedInstruction)
{
    expect_death(executes_undefined, 0);
}

TEST(Fault, PrivilegedInstruction)
{
    expect_death(executes_hlt, 0);
}

TEST(Fault, DivideByZero)
{
    expect_death(divides_by_zero, 0);
}

TEST(Fault, StackOverflow)
{
    expect_death(overflows_its_stack, 0);
}

TEST(Fault, SyscallOutsideTheVdso)
{
    expect_death(makes_a_bare_syscall, 5);
}

TEST(Fault, ThreadsOfADyingProcessDie)
{
    zx_handle_t job;
    struct child children[4];

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    for (int i = 0; i < 4; i++)
        children[i] = child_start(job, i % 2 ? child_sleeps : reads_there, 0);
    EXPECT_EQ(child_wait(&children[0]), ZX_TASK_RETCODE_EXCEPTION_KILL);
    EXPECT_EQ(child_wait(&children[2]), ZX_TASK_RETCODE_EXCEPTION_KILL);
    /* Their neighbours in the job live. */
    EXPECT_EQ(signals_of(children[1].process) & ZX_PROCESS_TERMINATED, 0);
    ASSERT_OK(zx_task_kill(job));
    EXPECT_EQ(child_wait(&children[1]), ZX_TASK_RETCODE_SYSCALL_KILL);
    EXPECT_EQ(child_wait(&children[3]), ZX_TASK_RETCODE_SYSCALL_KILL);
    for (int i = 0; i < 4; i++)
        child_close(&children[i]);
    CLOSE(job);
}

/* A mapping that is longer than its memory object: the part behind the end cannot be touched. */
static CHILD void reads_behind_a_vmo(zx_handle_t channel, const struct child_calls *calls)
{
    uint64_t address = 0;

    calls->object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL);
    calls->channel_read(channel, 0, &address, NULL, sizeof(address), 0, NULL, NULL);
    *(volatile int *)address;          /* inside */
    *(volatile int *)(address + 4096); /* behind */
    calls->process_exit(0);
}

TEST(Fault, BehindTheVmo)
{
    struct child child = child_start(ZX_HANDLE_INVALID, reads_behind_a_vmo, 0);
    zx_vaddr_t address;
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(4096, 0, &vmo));
    ASSERT_OK(zx_vmar_map(child.root_vmar, ZX_VM_PERM_READ, 0, vmo, 0, 2 * 4096, &address));
    ASSERT_OK(zx_channel_write(child.channel, 0, &address, sizeof(address), NULL, 0));
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_EXCEPTION_KILL);
    CLOSE(vmo);
    child_close(&child);
}
