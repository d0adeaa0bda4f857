/*
 * Many of everything. The full numbers need a machine of 1 GiB (`--memory 1G`: tests/libos/scale.t
 * and tests/rig/guest.t); smaller machines do the same with few.
 */
#include "child.h"
#include "memory.h"
#include "raw_thread.h"

#include <cpuid.h>
#include <stdatomic.h>
#include <stdio.h>

/* `many` on a machine of 1 GiB or more, else a hundredth of it. */
static uint64_t scaled(uint64_t many)
{
    return zx_system_get_physmem() >= 1000ull << 20 ? many : many / 100;
}

/* Bytes of kernel memory in use. */
static uint64_t kernel_bytes(void)
{
    zx_info_kmem_stats_t stats;

    ASSERT_OK(
        zx_object_get_info(root_resource(), ZX_INFO_KMEM_STATS, &stats, sizeof(stats), NULL, NULL));
    return stats.total_heap_bytes - stats.free_heap_bytes;
}

/* Bytes of memory that nobody uses. */
static uint64_t free_bytes(void)
{
    zx_info_kmem_stats_t stats;

    ASSERT_OK(
        zx_object_get_info(root_resource(), ZX_INFO_KMEM_STATS, &stats, sizeof(stats), NULL, NULL));
    return stats.free_bytes;
}

/* ---- Threads that wait ---------------------------------------------------------------------- */

/* What a thread's registers take: general ones and the state that XSAVE keeps, in a block of memory
 * of its own, which is a power of two. */
static uint64_t register_bytes(void)
{
    unsigned eax, ebx, ecx, edx;
    uint64_t block = 1024;

    if (!__get_cpuid_count(0xd, 0, &eax, &ebx, &ecx, &edx))
        ebx = 0;
    while (block < ebx)
        block *= 2;
    return sizeof(zx_thread_state_general_regs_t) + block;
}

#define WAITER_STACK 512u
#define ONCE         (128u << 10) /* page tables, and how much the heap takes at a time */
#define WAKE         ZX_USER_SIGNAL_0

static _Atomic uint64_t woken;

static void waits_once(uintptr_t event, uintptr_t unused)
{
    (void)unused;
    if (zx_object_wait_one((zx_handle_t)event, WAKE, ZX_TIME_INFINITE, NULL) == ZX_OK)
        atomic_fetch_add(&woken, 1);
    zx_thread_exit();
}

/* Starts a thread; no handle to it remains. */
static void start_waiter(zx_handle_t event, zx_vaddr_t stack)
{
    zx_handle_t thread;

    ASSERT_OK(zx_thread_create(zx_process_self(), "waiter", 6, 0, &thread));
    ASSERT_OK(zx_thread_start(thread, (uintptr_t)waits_once, stack + WAITER_STACK - 8, event, 0));
    CLOSE(thread);
}

static size_t thread_count(void)
{
    size_t there = 0;

    EXPECT_OK(
        zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_THREADS, NULL, 0, NULL, &there));
    return there;
}

static void wait_for_threads(size_t count)
{
    while (thread_count() != count)
        zx_nanosleep(zx_deadline_after(MS(1)));
}

/* Each costs its registers and at most 1 KiB, and one signal wakes them all. */
TEST(Scale, BlockedThreads)
{
    uint64_t count = scaled(100000), pages = (count * WAITER_STACK + PAGE - 1) / PAGE;
    zx_handle_t event, stacks = new_vmo(pages);
    zx_vaddr_t at = map_pages(stacks, READ_WRITE, 0, pages);
    size_t others = thread_count();
    uint64_t before, free_before, each;

    woken = 0;
    ASSERT_OK(zx_event_create(0, &event));
    before = kernel_bytes();
    free_before = free_bytes();
    for (uint64_t i = 0; i < count; i++)
        start_waiter(event, at + i * WAITER_STACK);
    zx_nanosleep(0); /* the last ones come to their wait */
    zx_nanosleep(zx_deadline_after(MS(1)));
    EXPECT_EQ(thread_count(), others + count);
    each = (free_before - free_bytes() - committed_pages(stacks) * PAGE) / count;
    printf("# %llu threads: %llu bytes each, registers take %llu\n", (unsigned long long)count,
           (unsigned long long)each, (unsigned long long)register_bytes());
    EXPECT_TRUE(each <= register_bytes() + 1024 + ONCE / count);
    EXPECT_OK(zx_object_signal(event, 0, WAKE));
    wait_for_threads(others);
    EXPECT_EQ(woken, count);
    EXPECT_TRUE(kernel_bytes() < before + count * 8); /* nothing is left but the heap's reserve */
    CLOSE(event);
    unmap_pages(at, pages);
    CLOSE(stacks);
}

/* ---- A process that has a lot ---------------------------------------------------------------- */

#define CHANNELS 4u /* a channel that is too full is an exception */

/* Has `argument` handles and a tenth as many messages of 64 handles each, and says so. */
static CHILD void hoards(zx_handle_t channel, const struct child_calls *calls)
{
    uint64_t count = calls->argument;
    zx_handle_t handles[64], near, far;
    zx_status_t status = ZX_OK;

    for (uint64_t i = 0; i < count; i++)
        status |= calls->event_create(0, &near);
    for (uint64_t i = 0; i < CHANNELS; i++) {
        status |= calls->channel_create(0, &near, &far);
        for (uint64_t message = 0; message < count / 10 / CHANNELS; message++) {
            for (uint64_t h = 0; h < 64; h++)
                status |= calls->event_create(0, &handles[h]);
            status |= calls->channel_write(near, 0, NULL, 0, handles, 64);
        }
    }
    calls->channel_write(channel, 0, &status, sizeof(status), NULL, 0);
    for (;;)
        calls->nanosleep(ZX_TIME_INFINITE);
}

static CHILD void sleeps(zx_handle_t unused, const struct child_calls *calls)
{
    (void)unused;
    for (;;)
        calls->nanosleep(ZX_TIME_INFINITE);
}

/* More threads for a child that has not run yet; `entry` is where `sleeps` is there. */
static void start_sleepers(const struct prepared_child *prepared, uint64_t count)
{
    uint64_t pages = (count * WAITER_STACK + PAGE - 1) / PAGE;
    zx_vaddr_t entry = prepared->entry + (uintptr_t)sleeps - (uintptr_t)hoards, at;
    zx_handle_t stacks = new_vmo(pages), thread;

    ASSERT_OK(zx_vmar_map(prepared->child.root_vmar, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, stacks,
                          0, pages * PAGE, &at));
    CLOSE(stacks);
    for (uint64_t i = 0; i < count; i++) {
        ASSERT_OK(zx_thread_create(prepared->child.process, "sleeper", 7, 0, &thread));
        ASSERT_OK(
            zx_thread_start(thread, entry, at + (i + 1) * WAITER_STACK - 8, 0, prepared->calls));
        CLOSE(thread);
    }
}

/* How often this thread could run before the process was gone. */
static uint64_t turns_until_dead(zx_handle_t process)
{
    uint64_t turns = 0;

    while (zx_object_wait_one(process, ZX_PROCESS_TERMINATED, zx_deadline_after(1000), NULL) !=
           ZX_OK)
        turns++;
    return turns;
}

/* 10,000 threads, 100,000 handles, 10,000 messages with 64 handles each: all is given back, and
 * others run meanwhile. */
TEST(Scale, KillOfALargeProcess)
{
    uint64_t handles = scaled(100000), before = kernel_bytes(), turns;
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, hoards, handles);
    zx_status_t status = ZX_ERR_INTERNAL;

    child_run(&prepared);
    start_sleepers(&prepared, handles / 10);
    ASSERT_OK(
        zx_object_wait_one(prepared.child.channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL));
    ASSERT_OK(
        zx_channel_read(prepared.child.channel, 0, &status, NULL, sizeof(status), 0, NULL, NULL));
    EXPECT_OK(status);
    EXPECT_TRUE(kernel_bytes() > before + handles * 8 * 40);
    EXPECT_OK(zx_task_kill(prepared.child.process));
    turns = turns_until_dead(prepared.child.process);
    if (handles >= 100000) /* else it is over in a step or two */
        EXPECT_TRUE(turns >= 20);
    child_close(&prepared.child);
    EXPECT_TRUE(kernel_bytes() < before + handles);
}
