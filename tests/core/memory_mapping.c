/*
 * Mappings as the processor sees them: what may be done is done, everything else is an exception of
 * the thread.
 */
#include "memory.h"
#include "memory_task.h"

#define READ_EXECUTE (ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE)

/* Whether a thread can do it; otherwise it gets a fatal page fault. */
static bool can(zx_status_t (*what)(struct task *), zx_vaddr_t at)
{
    struct task t = {.run = what, .at = at};
    zx_signals_t observed = 0;

    task_start(&t);
    ASSERT_OK(zx_object_wait_one(t.exceptions, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED, soon(),
                                 &observed));
    if (!(observed & ZX_CHANNEL_READABLE)) {
        EXPECT_STATUS(task_end(&t), ZX_OK);
        return true;
    }
    EXPECT_EQ(task_crash(&t), ZX_EXCP_FATAL_PAGE_FAULT);
    return false;
}

/* A VMO that may be executed; it begins with a return instruction. */
static zx_handle_t executable_vmo(void)
{
    zx_handle_t vmo = numbered_vmo(1, 0xc3);

    ASSERT_OK(zx_vmo_replace_as_executable(vmo, ZX_HANDLE_INVALID, &vmo));
    return vmo;
}

TEST(MemoryMapping, ReadOnly)
{
    zx_handle_t vmo = new_vmo(1);
    zx_vaddr_t at = map_pages(vmo, ZX_VM_PERM_READ, 0, 1);

    EXPECT_TRUE(can(reads_memory, at));
    EXPECT_TRUE(!can(writes_memory, at));
    EXPECT_TRUE(!can(calls_memory, at));
    unmap_pages(at, 1);
    CLOSE(vmo);
}

TEST(MemoryMapping, ReadWrite)
{
    zx_handle_t vmo = new_vmo(1);
    zx_vaddr_t at = map_pages(vmo, READ_WRITE, 0, 1);

    EXPECT_TRUE(can(writes_memory, at));
    EXPECT_TRUE(can(reads_memory, at));
    set_word(vmo, 0, 0xc3);
    EXPECT_TRUE(!can(calls_memory, at));
    unmap_pages(at, 1);
    CLOSE(vmo);
}

TEST(MemoryMapping, ReadExecute)
{
    zx_handle_t vmo = executable_vmo();
    zx_vaddr_t at = map_pages(vmo, READ_EXECUTE, 0, 1);

    EXPECT_TRUE(can(calls_memory, at));
    EXPECT_TRUE(can(reads_memory, at));
    EXPECT_TRUE(!can(writes_memory, at));
    unmap_pages(at, 1);
    CLOSE(vmo);
}

/* A mapping without permissions keeps the place. */
TEST(MemoryMapping, NoPermissions)
{
    zx_handle_t vmo = new_vmo(1);
    zx_vaddr_t at = map_pages(vmo, 0, 0, 1);

    EXPECT_TRUE(!can(reads_memory, at));
    EXPECT_TRUE(!can(writes_memory, at));
    EXPECT_OK(zx_vmar_protect(zx_vmar_root_self(), READ_WRITE, at, PAGE));
    EXPECT_TRUE(can(writes_memory, at));
    EXPECT_OK(zx_vmar_protect(zx_vmar_root_self(), 0, at, PAGE));
    EXPECT_TRUE(!can(reads_memory, at));
    unmap_pages(at, 1);
    CLOSE(vmo);
}

/* Pages that were written already are affected, too, in every direction of change. */
TEST(MemoryMapping, Protect)
{
    zx_handle_t vmo = executable_vmo();
    zx_vaddr_t at = map_pages(vmo, READ_WRITE, 0, 1);

    *word_of(at, 0) = 0xc3;
    EXPECT_OK(zx_vmar_protect(zx_vmar_root_self(), ZX_VM_PERM_READ, at, PAGE));
    EXPECT_TRUE(!can(writes_memory, at));
    EXPECT_TRUE(!can(calls_memory, at));
    EXPECT_OK(zx_vmar_protect(zx_vmar_root_self(), READ_EXECUTE, at, PAGE));
    EXPECT_TRUE(can(calls_memory, at));
    EXPECT_TRUE(!can(writes_memory, at));
    EXPECT_OK(zx_vmar_protect(zx_vmar_root_self(), READ_WRITE, at, PAGE));
    EXPECT_TRUE(can(writes_memory, at));
    EXPECT_TRUE(!can(calls_memory, at));
    unmap_pages(at, 1);
    CLOSE(vmo);
}

TEST(MemoryMapping, BeyondTheVmo)
{
    zx_handle_t vmo = new_vmo(1);
    zx_vaddr_t at = map_pages(vmo, READ_WRITE, 0, 2);

    EXPECT_TRUE(can(writes_memory, at));
    EXPECT_TRUE(!can(reads_memory, at + PAGE));
    EXPECT_TRUE(!can(writes_memory, at + PAGE));
    unmap_pages(at, 2);
    EXPECT_TRUE(!can(reads_memory, at));
    CLOSE(vmo);
}

/* Only part of a mapping goes. */
TEST(MemoryMapping, UnmappedPart)
{
    zx_handle_t vmo = numbered_vmo(3, 1);
    zx_vaddr_t at = map_pages(vmo, READ_WRITE, 0, 3);

    *word_of(at, 1) = 20;
    unmap_pages(at + PAGE, 1);
    EXPECT_TRUE(can(writes_memory, at));
    EXPECT_TRUE(!can(reads_memory, at + PAGE));
    EXPECT_TRUE(can(writes_memory, at + 2 * PAGE));
    EXPECT_EQ(word_at(vmo, 1), 20);
    unmap_pages(at, 3);
    CLOSE(vmo);
}

/* Two mappings of one VMO with different permissions. */
TEST(MemoryMapping, EachItsOwn)
{
    zx_handle_t vmo = executable_vmo();
    zx_vaddr_t writable = map_pages(vmo, READ_WRITE, 0, 1);
    zx_vaddr_t code = map_pages(vmo, READ_EXECUTE, 0, 1);

    *word_of(writable, 0) = 0xc3;
    EXPECT_TRUE(can(calls_memory, code));
    EXPECT_TRUE(!can(calls_memory, writable));
    EXPECT_TRUE(!can(writes_memory, code));
    unmap_pages(writable, 1);
    EXPECT_TRUE(can(calls_memory, code));
    unmap_pages(code, 1);
    CLOSE(vmo);
}
