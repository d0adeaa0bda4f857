/*
 * Address regions, continued: placement, overlaps, and mappings that change while they are used.
 */
#include "memory.h"
#include "memory_task.h"

#define CAN_MAP                                                                                    \
    (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE | ZX_VM_CAN_MAP_SPECIFIC)

static zx_handle_t allocate(uint64_t pages, zx_vaddr_t *base)
{
    zx_handle_t vmar;

    ASSERT_OK(zx_vmar_allocate(zx_vmar_root_self(), CAN_MAP, 0, pages * PAGE, &vmar, base));
    return vmar;
}

static void destroy(zx_handle_t vmar)
{
    EXPECT_OK(zx_vmar_destroy(vmar));
    CLOSE(vmar);
}

/* Each power of two that options can ask for, for regions and for mappings. */
TEST(Vmar, Alignments)
{
    zx_handle_t vmo = new_vmo(1), vmar;
    zx_vaddr_t at;

    for (uint32_t log2 = 10; log2 <= 32; log2++) {
        zx_vm_option_t align = log2 << ZX_VM_ALIGN_BASE;

        ASSERT_OK(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | align, 0, vmo, 0, PAGE, &at));
        EXPECT_EQ(at & ((1ull << log2) - 1), 0);
        unmap_pages(at, 1);
        ASSERT_OK(zx_vmar_allocate(zx_vmar_root_self(), CAN_MAP | align, 0, PAGE, &vmar, &at));
        EXPECT_EQ(at & ((1ull << log2) - 1), 0);
        destroy(vmar);
    }
    for (uint32_t log2 = 33; log2 < 36; log2++)
        EXPECT_STATUS(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | log2 << ZX_VM_ALIGN_BASE,
                                  0, vmo, 0, PAGE, &at),
                      ZX_ERR_INVALID_ARGS);
    CLOSE(vmo);
}

/* A place that is asked for must have the alignment that is asked for. */
TEST(Vmar, AlignmentOfSpecificPlaces)
{
    zx_handle_t vmo = new_vmo(1), vmar, inner;
    zx_vaddr_t base, at;

    ASSERT_OK(zx_vmar_allocate(zx_vmar_root_self(), CAN_MAP | ZX_VM_ALIGN_64KB, 0, 32 * PAGE, &vmar,
                               &base));
    EXPECT_STATUS(zx_vmar_map(vmar, ZX_VM_PERM_READ | ZX_VM_SPECIFIC | ZX_VM_ALIGN_64KB, PAGE, vmo,
                              0, PAGE, &at),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_vmar_map(vmar, ZX_VM_PERM_READ | ZX_VM_SPECIFIC | ZX_VM_ALIGN_64KB, 16 * PAGE, vmo,
                          0, PAGE, &at));
    EXPECT_EQ(at, base + 16 * PAGE);
    EXPECT_STATUS(zx_vmar_allocate(vmar, ZX_VM_SPECIFIC | ZX_VM_ALIGN_8KB, PAGE, PAGE, &inner, &at),
                  ZX_ERR_INVALID_ARGS);
    CLOSE(vmo);
    destroy(vmar);
}

/* COMPACT packs, from the bottom. */
TEST(Vmar, Compact)
{
    zx_handle_t vmo = new_vmo(1), vmar;
    zx_vaddr_t base, at;

    vmar = allocate(16, &base);
    for (uint64_t i = 0; i < 16; i++) {
        ASSERT_OK(zx_vmar_map(vmar, ZX_VM_PERM_READ | ZX_VM_COMPACT, 0, vmo, 0, PAGE, &at));
        EXPECT_EQ(at, base + i * PAGE);
    }
    EXPECT_OK(zx_vmar_unmap(vmar, base + 5 * PAGE, 2 * PAGE));
    ASSERT_OK(zx_vmar_map(vmar, ZX_VM_PERM_READ | ZX_VM_COMPACT, 0, vmo, 0, 2 * PAGE, &at));
    EXPECT_EQ(at, base + 5 * PAGE);
    CLOSE(vmo);
    destroy(vmar);
}

/* Overwriting takes what it covers of several mappings and leaves the rest. */
TEST(Vmar, OverwriteSeveral)
{
    zx_handle_t old = numbered_vmo(8, 1), vmo = numbered_vmo(4, 100), vmar;
    zx_vaddr_t base, at;

    vmar = allocate(8, &base);
    for (uint64_t i = 0; i < 8; i += 2)
        ASSERT_OK(
            zx_vmar_map(vmar, READ_WRITE | ZX_VM_SPECIFIC, i * PAGE, old, i * PAGE, 2 * PAGE, &at));
    ASSERT_OK(
        zx_vmar_map(vmar, READ_WRITE | ZX_VM_SPECIFIC_OVERWRITE, 3 * PAGE, vmo, 0, 4 * PAGE, &at));
    for (uint64_t i = 0; i < 8; i++)
        EXPECT_EQ(*word_of(base, i), i >= 3 && i < 7 ? 97 + i : 1 + i);
    EXPECT_EQ(vmo_info(old).num_mappings, 3); /* one is gone, two are shorter */
    CLOSE(vmo);
    CLOSE(old);
    destroy(vmar);
}

/* A sub-region is replaced neither in part nor as a whole by a mapping that asks for room. */
TEST(Vmar, SubRegionsAreInTheWay)
{
    zx_handle_t vmo = new_vmo(4), vmar, inner;
    zx_vaddr_t base, inner_base, at;

    vmar = allocate(8, &base);
    ASSERT_OK(
        zx_vmar_allocate(vmar, CAN_MAP | ZX_VM_SPECIFIC, 2 * PAGE, 4 * PAGE, &inner, &inner_base));
    EXPECT_STATUS(
        zx_vmar_map(vmar, READ_WRITE | ZX_VM_SPECIFIC_OVERWRITE, PAGE, vmo, 0, 2 * PAGE, &at),
        ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_map(vmar, READ_WRITE | ZX_VM_SPECIFIC, 3 * PAGE, vmo, 0, PAGE, &at),
                  ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_vmar_unmap(vmar, base + PAGE, 2 * PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_vmar_map(inner, READ_WRITE | ZX_VM_SPECIFIC, 0, vmo, 0, PAGE, &at));
    EXPECT_STATUS(zx_vmar_protect(vmar, ZX_VM_PERM_READ, inner_base, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_vmar_unmap(vmar, base + PAGE, 6 * PAGE)); /* all of it: it is destroyed */
    EXPECT_STATUS(zx_vmar_unmap(inner, inner_base, PAGE), ZX_ERR_BAD_STATE);
    CLOSE(inner);
    CLOSE(vmo);
    destroy(vmar);
}

/* Protection is checked for all pages before any is changed. */
TEST(Vmar, ProtectIsAllOrNothing)
{
    zx_handle_t vmo = new_vmo(1), read_only = without_rights(vmo, ZX_RIGHT_WRITE), vmar;
    zx_vaddr_t base, at;

    vmar = allocate(4, &base);
    ASSERT_OK(zx_vmar_map(vmar, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 0, vmo, 0, PAGE, &at));
    ASSERT_OK(zx_vmar_map(vmar, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, PAGE, read_only, 0, PAGE, &at));
    EXPECT_STATUS(zx_vmar_protect(vmar, READ_WRITE, base, 2 * PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_TRUE(write_probe(base) != ZX_OK);
    EXPECT_STATUS(zx_vmar_protect(vmar, 0, base, 3 * PAGE), ZX_ERR_NOT_FOUND);
    EXPECT_OK(read_probe(base));
    EXPECT_STATUS(zx_vmar_protect(vmar, ZX_VM_PERM_WRITE, base, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_protect(vmar, ZX_VM_PERM_READ | ZX_VM_COMPACT, base, PAGE),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_vmar_protect(vmar, READ_WRITE, base, PAGE));
    EXPECT_OK(write_probe(base));
    CLOSE(read_only);
    CLOSE(vmo);
    destroy(vmar);
}

/* The address is written only if the call succeeds, and a bad one leaves nothing mapped. */
TEST(Vmar, BadAddressPointerUndoes)
{
    zx_handle_t vmo = new_vmo(1), vmar, inner;
    zx_vaddr_t base, at = 77;

    vmar = allocate(1, &base);
    EXPECT_STATUS(zx_vmar_map(vmar, ZX_VM_PERM_READ, 0, vmo, 0, 2 * PAGE, &at),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(at, 77);
    EXPECT_STATUS(zx_vmar_map(vmar, ZX_VM_PERM_READ, 0, vmo, 0, PAGE, UNMAPPED),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(vmo_info(vmo).num_mappings, 0);
    EXPECT_STATUS(zx_vmar_allocate(vmar, 0, 0, PAGE, &inner, UNMAPPED), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_vmar_map(vmar, ZX_VM_PERM_READ, 0, vmo, 0, PAGE, &at)); /* the place is free */
    CLOSE(vmo);
    destroy(vmar);
}

static zx_status_t writes_until_it_cannot(struct task *task)
{
    while (++*word_of(task->at, 0) != 0)
        ;
    return ZX_ERR_INTERNAL;
}

/* A region that is destroyed under a running thread: the thread faults, nobody else. */
TEST(Vmar, DestroyedWhileInUse)
{
    zx_handle_t vmo = new_vmo(1), vmar;
    zx_vaddr_t base, at;
    struct task t = {.run = writes_until_it_cannot};

    vmar = allocate(1, &base);
    ASSERT_OK(zx_vmar_map(vmar, READ_WRITE | ZX_VM_SPECIFIC, 0, vmo, 0, PAGE, &at));
    t.at = at;
    task_start(&t);
    while (word_at(vmo, 0) == 0)
        zx_nanosleep(zx_deadline_after(MS(1)));
    EXPECT_OK(zx_vmar_destroy(vmar));
    EXPECT_EQ(task_crash(&t), ZX_EXCP_FATAL_PAGE_FAULT);
    EXPECT_TRUE(word_at(vmo, 0) > 0);
    CLOSE(vmar);
    CLOSE(vmo);
}
