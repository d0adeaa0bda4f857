/*
 * Physical memory runs out: an error code everywhere, events for who wants to know, and everything
 * as before when it comes back.
 */
#include "child.h"
#include "memory.h"

#include <zircon/system.h>

#define SPARE 24 /* pages that are left for this program itself */

/* To fill a large memory takes long where ring 0 is emulated. */
static void small_machine(void)
{
    if (kmem().total_bytes > 32 << 20)
        SKIP("the machine has more than 32 MiB: run with --memory 16M");
}

/* A VMO that has all the memory but `spare` pages. */
static zx_handle_t hoard(uint64_t spare)
{
    zx_handle_t vmo;

    small_machine();
    vmo = new_vmo(kmem().total_bytes / PAGE);

    EXPECT_STATUS(commit(vmo, 0, kmem().total_bytes / PAGE), ZX_ERR_NO_MEMORY);
    EXPECT_OK(decommit(vmo, 0, spare));
    return vmo;
}

/* What a test commits while memory is short. */
static zx_status_t commit_some(zx_handle_t vmo)
{
    return commit(vmo, 0, 4 * SPARE);
}

TEST(MemoryPressure, Commit)
{
    uint64_t pages = all_vmo_pages();
    zx_handle_t all = hoard(SPARE), vmo = new_vmo(4 * SPARE);

    EXPECT_STATUS(commit_some(vmo), ZX_ERR_NO_MEMORY);
    CLOSE(all);
    EXPECT_OK(commit_some(vmo));
    EXPECT_EQ(committed_pages(vmo), 4 * SPARE);
    CLOSE(vmo);
    EXPECT_EQ(all_vmo_pages(), pages); /* nothing was lost */
}

TEST(MemoryPressure, Write)
{
    static uint8_t bytes[4 * SPARE * 4096];
    zx_handle_t vmo = new_vmo(4 * SPARE), all;

    memset(bytes, 1, sizeof(bytes));
    all = hoard(SPARE);
    EXPECT_STATUS(zx_vmo_write(vmo, bytes, 0, sizeof(bytes)), ZX_ERR_NO_MEMORY);
    EXPECT_OK(zx_vmo_read(vmo, bytes, 0, sizeof(bytes))); /* reading needs none */
    EXPECT_EQ(bytes[0], 1);                               /* as far as it came */
    EXPECT_EQ(bytes[sizeof(bytes) - 1], 0);
    CLOSE(all);
    CLOSE(vmo);
}

static CHILD void writes_pages(zx_handle_t channel, const struct child_calls *calls)
{
    (void)channel;
    for (uint64_t i = 0; i < 8 * SPARE; i++)
        *(volatile uint64_t *)(calls->argument + i * PAGE) = 1;
    calls->process_exit(0);
}

/* A process that faults when there is no page left dies; no other does. */
TEST(MemoryPressure, Fault)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, writes_pages, 0);
    zx_handle_t vmo = new_vmo(8 * SPARE), all;
    zx_vaddr_t at;

    ASSERT_OK(zx_vmar_map(prepared.child.root_vmar, READ_WRITE, 0, vmo, 0, 8 * SPARE * PAGE, &at));
    child_set_argument(&prepared, at);
    all = hoard(4 * SPARE);
    child_run(&prepared);
    EXPECT_EQ(child_wait(&prepared.child), ZX_TASK_RETCODE_EXCEPTION_KILL);
    CLOSE(all);
    EXPECT_TRUE(committed_pages(vmo) > 0 && committed_pages(vmo) < 8 * SPARE);
    child_close(&prepared.child);
    CLOSE(vmo);
}

/* A copy that cannot be made leaves the original, and the snapshot, as they are. */
TEST(MemoryPressure, SnapshotWrite)
{
    zx_handle_t vmo = numbered_vmo(4 * SPARE, 1), clone = clone_of(vmo, 0, 4 * SPARE), all;
    zx_status_t status = ZX_OK;
    uint64_t word = 0, done = 0;

    all = hoard(SPARE);
    for (; done < 4 * SPARE && status == ZX_OK; done += status == ZX_OK)
        status = zx_vmo_write(clone, &word, done * PAGE, sizeof(word));
    EXPECT_STATUS(status, ZX_ERR_NO_MEMORY);
    EXPECT_EQ(word_at(clone, done), done + 1);
    EXPECT_EQ(word_at(clone, done - 1), 0);
    EXPECT_EQ(word_at(vmo, done - 1), done);
    CLOSE(all);
    set_word(clone, done, 5);
    EXPECT_EQ(word_at(vmo, done), done + 1);
    CLOSE(clone);
    CLOSE(vmo);
}

/* Whatever makes objects says so, and what it has made can be undone. */
TEST(MemoryPressure, Objects)
{
    enum { COUNT = 20000 };
    static zx_handle_t events[COUNT];
    zx_status_t status = ZX_OK;
    int count = 0;
    zx_handle_t all;

    memset(events, 1, sizeof(events));
    all = hoard(2);
    while (count < COUNT && (status = zx_event_create(0, &events[count])) == ZX_OK)
        count++;
    EXPECT_STATUS(status, ZX_ERR_NO_MEMORY);
    while (count)
        CLOSE(events[--count]);
    CLOSE(all);
    ASSERT_OK(zx_event_create(0, &events[0]));
    CLOSE(events[0]);
}

TEST(MemoryPressure, ContiguousAndPin)
{
    zx_handle_t bti = new_bti(), all = hoard(SPARE), vmo = new_vmo(64), contiguous, pmt;
    static zx_paddr_t addresses[64];

    EXPECT_STATUS(zx_vmo_create_contiguous(bti, 64 * PAGE, 0, &contiguous), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_bti_pin(bti, ZX_BTI_PERM_READ, vmo, 0, 64 * PAGE, addresses, 64, &pmt),
                  ZX_ERR_NO_MEMORY);
    CLOSE(all);
    pmt = pin_pages(bti, vmo, 0, 64);
    EXPECT_OK(zx_pmt_unpin(pmt));
    EXPECT_OK(decommit(vmo, 0, 64)); /* no pin was left behind */
    CLOSE(vmo);
    CLOSE(bti);
}

/* ---- Events -------------------------------------------------------------------------------- */

struct events {
    zx_handle_t kind[5]; /* by ZX_SYSTEM_EVENT_* */
};

static struct events small_machine_events(void)
{
    struct events e;

    small_machine();
    for (uint32_t i = 1; i <= 4; i++)
        ASSERT_OK(
            zx_system_get_event(zx_get_startup_handle(PA_HND(PA_JOB_DEFAULT, 0)), i, &e.kind[i]));
    return e;
}

static void close_events(struct events *e)
{
    for (int i = 1; i <= 4; i++)
        CLOSE(e->kind[i]);
}

/* Whether this one comes to be signaled, and then no other is. */
static bool only_signaled(const struct events *e, uint32_t kind)
{
    bool only = zx_object_wait_one(e->kind[kind], ZX_EVENT_SIGNALED, soon(), NULL) == ZX_OK;

    for (uint32_t i = 1; i <= 4; i++)
        only &= ((signals_of(e->kind[i]) & ZX_EVENT_SIGNALED) != 0) == (i == kind);
    return only;
}

/* Each level, down and up again. */
TEST(MemoryPressure, Events)
{
    static const uint32_t divisors[] = {[1] = 80, [2] = 40, [3] = 10, [4] = 5};
    struct events e = small_machine_events();
    uint64_t total = kmem().total_bytes / PAGE;
    zx_handle_t vmo = new_vmo(total);

    EXPECT_TRUE(only_signaled(&e, ZX_SYSTEM_EVENT_MEMORY_PRESSURE_NORMAL));
    for (uint32_t kind = 4; kind >= 1; kind--) {
        uint64_t used = committed_pages(vmo), free = kmem().free_bytes / PAGE;

        EXPECT_OK(commit(vmo, 0, used + free - total / divisors[kind]));
        EXPECT_TRUE(only_signaled(&e, kind));
    }
    for (uint32_t kind = 2; kind <= 4; kind++) {
        uint64_t free = kmem().free_bytes / PAGE;

        EXPECT_OK(decommit(vmo, 0, committed_pages(vmo)));
        EXPECT_TRUE(kmem().free_bytes / PAGE > free || kind > 2);
        EXPECT_OK(commit(vmo, 0, kmem().free_bytes / PAGE - total / divisors[kind]));
        EXPECT_TRUE(only_signaled(&e, kind));
    }
    CLOSE(vmo);
    EXPECT_TRUE(only_signaled(&e, ZX_SYSTEM_EVENT_MEMORY_PRESSURE_NORMAL));
    close_events(&e);
}

/* Frees pages from the beginning of `vmo` until `free` are free. */
static void free_up_to(zx_handle_t vmo, uint64_t *from, uint64_t free)
{
    while (kmem().free_bytes / PAGE < free) {
        ASSERT_OK(decommit(vmo, *from, 4));
        *from += 4;
    }
}

/* A little more or less around a limit changes nothing. */
TEST(MemoryPressure, EventsDoNotFlap)
{
    struct events e = small_machine_events();
    uint64_t total = kmem().total_bytes / PAGE, limit = total / 8, from = 0;
    zx_handle_t vmo = new_vmo(total);

    EXPECT_OK(commit(vmo, 0, kmem().free_bytes / PAGE - limit + 8));
    EXPECT_TRUE(only_signaled(&e, ZX_SYSTEM_EVENT_MEMORY_PRESSURE_WARNING));
    free_up_to(vmo, &from, limit + 4); /* above the limit, but barely */
    zx_nanosleep(zx_deadline_after(MS(1)));
    EXPECT_TRUE(only_signaled(&e, ZX_SYSTEM_EVENT_MEMORY_PRESSURE_WARNING));
    free_up_to(vmo, &from, limit + total / 256 + 4);
    EXPECT_TRUE(only_signaled(&e, ZX_SYSTEM_EVENT_MEMORY_PRESSURE_NORMAL));
    CLOSE(vmo);
    close_events(&e);
}
