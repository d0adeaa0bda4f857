/*
 * test_vmar.c - address regions, mappings and faults: the rules of section 7 and of the vDSO.
 */
#include "helpers.h"

#include "aspace.h"
#include "vmar.h"
#include "vmo.h"

#define PAGE 4096ull
#define READ ZX_VM_PERM_READ
#define RW   (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)
#define RX   (ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE)
#define CAN_RWX                                                                                    \
    (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE | ZX_VM_CAN_MAP_SPECIFIC)
#define ROOT fix.process->aspace->root

static struct vmo *new_vmo(uint64_t pages)
{
    struct vmo *vmo;

    assert_status(vmo_create(pages * PAGE, 0, &vmo), ZX_OK);
    return vmo;
}

static zx_vaddr_t map(struct vmar *vmar, struct vmo *vmo, uint32_t options, uint64_t offset)
{
    zx_vaddr_t va;

    assert_status(vmar_map(vmar, options, offset, vmo, 0, vmo->size, &va), ZX_OK);
    return va;
}

static zx_status_t poke(zx_vaddr_t va, uint32_t value)
{
    return user_write(fix.process, (struct user_ptr){va}, &value, sizeof value);
}

static zx_status_t peek(zx_vaddr_t va, uint32_t *value)
{
    return user_read(fix.process, value, (struct user_ptr){va}, sizeof *value);
}

static struct vmar *new_vmar(uint32_t options, uint64_t offset, uint64_t pages)
{
    struct vmar *vmar;

    assert_status(vmar_allocate(ROOT, options, offset, pages * PAGE, &vmar), ZX_OK);
    return vmar;
}

static void done(struct vmo *vmo)
{
    object_release(OBJECT(vmo));
}

/* ---- Placement ----------------------------------------------------------------------------- */

static void test_root_covers_user_space(void **state)
{
    struct aspace *aspace;
    struct vmar *vmar;
    uint64_t half =
        (ZX_USER_ASPACE_BASE + ZX_USER_ASPACE_SIZE) / 2 / PAGE * PAGE - ZX_USER_ASPACE_BASE;

    (void)state;
    assert_status(aspace_create(&aspace), ZX_OK);
    assert_int_equal(aspace->root->region.base, 0x1000000);
    assert_int_equal(region_end(&aspace->root->region), 0x7ffffffff000);
    /* What userboot does first: reserve the lower half. */
    assert_status(vmar_allocate(aspace->root, ZX_VM_SPECIFIC, 0, half, &vmar), ZX_OK);
    assert_int_equal(vmar->region.base, ZX_USER_ASPACE_BASE);
    object_release(OBJECT(vmar));
    assert_status(vmar_allocate(aspace->root, 0, 0, ZX_USER_ASPACE_SIZE - half, &vmar), ZX_OK);
    object_release(OBJECT(vmar));
    assert_status(vmar_allocate(aspace->root, 0, 0, PAGE, &vmar), ZX_ERR_NO_MEMORY);
    aspace_destroy(aspace);
}

static void test_placement_errors(void **state)
{
    struct vmar *vmar = new_vmar(CAN_RWX, 0, 16), *plain = new_vmar(ZX_VM_CAN_MAP_READ, 0, 16),
                *sub;
    struct vmo *vmo = new_vmo(4);
    zx_vaddr_t va;

    (void)state;
    assert_status(vmar_allocate(vmar, READ, 0, PAGE, &sub), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_allocate(vmar, ZX_VM_SPECIFIC_OVERWRITE, 0, PAGE, &sub),
                  ZX_ERR_INVALID_ARGS);
    assert_status(vmar_allocate(vmar, 0, 0, PAGE + 1, &sub), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_allocate(vmar, 0, 0, 0, &sub), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_allocate(plain, ZX_VM_CAN_MAP_WRITE, 0, PAGE, &sub), ZX_ERR_ACCESS_DENIED);
    assert_status(vmar_allocate(vmar, 0, PAGE, PAGE, &sub), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_allocate(plain, ZX_VM_SPECIFIC, PAGE, PAGE, &sub), ZX_ERR_ACCESS_DENIED);
    assert_status(vmar_allocate(vmar, ZX_VM_SPECIFIC, 16 * PAGE, PAGE, &sub), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_allocate(vmar, ZX_VM_SPECIFIC, UINT64_MAX & ~0xfffull, PAGE, &sub),
                  ZX_ERR_INVALID_ARGS);
    assert_status(vmar_allocate(vmar, ZX_VM_SPECIFIC, 1, PAGE, &sub), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_allocate(vmar, 9u << 24, 0, PAGE, &sub), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_allocate(vmar, 33u << 24, 0, PAGE, &sub), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_allocate(vmar, ZX_VM_ALIGN_1KB, 0, 16 * PAGE, &sub), ZX_OK);
    object_release(OBJECT(sub));
    assert_status(vmar_allocate(vmar, 0, 0, PAGE, &sub), ZX_ERR_NO_MEMORY);
    assert_status(vmar_allocate(vmar, ZX_VM_SPECIFIC, PAGE, PAGE, &sub), ZX_ERR_NO_MEMORY);
    assert_status(vmar_map(vmar, READ | ZX_VM_SPECIFIC_OVERWRITE, 0, vmo, 0, PAGE, &va),
                  ZX_ERR_INVALID_ARGS); /* part of a sub-VMAR */
    assert_status(vmar_map(plain, RW, 0, vmo, 0, PAGE, &va), ZX_ERR_ACCESS_DENIED);
    assert_status(vmar_map(ROOT, ZX_VM_PERM_WRITE, 0, vmo, 0, PAGE, &va), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_map(ROOT, READ, 0, vmo, 0, 0, &va), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_map(ROOT, READ, 0, vmo, 1, PAGE, &va), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_map(ROOT, READ, 0, vmo, 0 - PAGE, PAGE, &va), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_map(ROOT, READ, 0, vmo, 0, UINT64_MAX, &va), ZX_ERR_INVALID_ARGS);
    assert_status(
        vmar_map(ROOT, READ | ZX_VM_MAP_RANGE | ZX_VM_SPECIFIC_OVERWRITE, 0, vmo, 0, PAGE, &va),
        ZX_ERR_INVALID_ARGS);
    assert_status(vmar_destroy(vmar), ZX_OK);
    assert_status(vmar_destroy(vmar), ZX_ERR_BAD_STATE);
    assert_status(vmar_map(vmar, READ, 0, vmo, 0, PAGE, &va), ZX_ERR_BAD_STATE);
    assert_status(vmar_allocate(vmar, 0, 0, PAGE, &sub), ZX_ERR_BAD_STATE);
    assert_status(vmar_unmap(vmar, vmar->region.base, PAGE), ZX_ERR_BAD_STATE);
    object_release(OBJECT(vmar));
    object_release(OBJECT(plain));
    done(vmo);
}

static void test_random_and_aligned(void **state)
{
    struct vmo *vmo = new_vmo(3);
    zx_vaddr_t first = map(ROOT, vmo, READ, 0), va;
    unsigned same = 0;

    (void)state;
    for (int i = 0; i < 200; i++) {
        va = map(ROOT, vmo, READ, 0);
        same += va == first + (uint64_t)(i + 1) * 3 * PAGE;
        va = map(ROOT, vmo, READ | ZX_VM_ALIGN_1GB, 0);
        assert_int_equal(va & ((1 << 30) - 1), 0);
    }
    assert_in_range(same, 0, 20); /* not one behind the other */
    done(vmo);
}

static void test_upper_limit(void **state)
{
    struct vmo *vmo = new_vmo(4);
    zx_vaddr_t va;

    (void)state;
    for (int i = 0; i < 20; i++) {
        va = map(ROOT, vmo, READ | ZX_VM_OFFSET_IS_UPPER_LIMIT, 1 << 20);
        assert_in_range(va, ROOT->region.base, ROOT->region.base + (1 << 20) - 4 * PAGE);
    }
    assert_status(vmar_map(ROOT, READ | ZX_VM_OFFSET_IS_UPPER_LIMIT, PAGE, vmo, 0, 4 * PAGE, &va),
                  ZX_ERR_NO_MEMORY);
    done(vmo);
}

/* A VMAR is filled to the last page, whatever the order. */
static void test_fills_up(void **state)
{
    struct vmar *vmar = new_vmar(CAN_RWX, 0, 100);
    struct vmo *vmo = new_vmo(1);
    zx_vaddr_t va;

    (void)state;
    for (int i = 0; i < 50; i++) {
        map(vmar, vmo, READ, 0);
        map(vmar, vmo, READ | ZX_VM_COMPACT, 0);
    }
    assert_status(vmar_map(vmar, READ, 0, vmo, 0, PAGE, &va), ZX_ERR_NO_MEMORY);
    assert_status(vmar_unmap(vmar, vmar->region.base + 42 * PAGE, PAGE), ZX_OK);
    assert_int_equal(map(vmar, vmo, READ, 0), vmar->region.base + 42 * PAGE);
    assert_status(vmar_destroy(vmar), ZX_OK);
    assert_int_equal(vmo->mapping_count, 0);
    object_release(OBJECT(vmar));
    done(vmo);
}

/* ---- Unmap, overwrite, destroy -------------------------------------------------------------- */

static void test_unmap_cuts(void **state)
{
    struct vmo *vmo = new_vmo(8);
    zx_vaddr_t va = map(ROOT, vmo, RW, 0);
    uint64_t before = fix.process->aspace->mapped_pages;
    uint32_t value;

    (void)state;
    for (uint32_t i = 0; i < 8; i++)
        assert_status(poke(va + i * PAGE, i + 1), ZX_OK);
    assert_status(vmar_unmap(ROOT, va + 3 * PAGE, 2 * PAGE - 5), ZX_OK); /* middle, rounded up */
    assert_int_equal(vmo->mapping_count, 2);
    assert_status(vmar_unmap(ROOT, va, PAGE), ZX_OK);
    assert_status(vmar_unmap(ROOT, va + 7 * PAGE, PAGE), ZX_OK);
    assert_int_equal(fix.process->aspace->mapped_pages, before - 4);
    for (uint32_t i = 0; i < 8; i++) {
        bool there = i == 1 || i == 2 || i == 5 || i == 6;

        assert_status(peek(va + i * PAGE, &value), there ? ZX_OK : ZX_ERR_INVALID_ARGS);
        if (there)
            assert_int_equal(value, i + 1);
    }
    assert_status(vmar_unmap(ROOT, va, 8 * PAGE), ZX_OK); /* holes do not matter */
    assert_status(vmar_unmap(ROOT, va, 8 * PAGE), ZX_OK); /* nor if nothing is there */
    assert_int_equal(vmo->mapping_count, 0);
    assert_status(vmar_unmap(ROOT, va, 0), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_unmap(ROOT, va + 1, PAGE), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_unmap(ROOT, 0, PAGE), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_unmap(ROOT, va, UINT64_MAX), ZX_ERR_INVALID_ARGS);
    done(vmo);
}

static void test_overwrite(void **state)
{
    struct vmo *a = new_vmo(4), *b = new_vmo(2);
    zx_vaddr_t va = map(ROOT, a, RW, 0);
    uint32_t value;

    (void)state;
    assert_status(poke(va + PAGE, 1), ZX_OK);
    assert_status(poke(va + 3 * PAGE, 3), ZX_OK);
    assert_int_equal(map(ROOT, b, RW | ZX_VM_SPECIFIC_OVERWRITE, va + PAGE - ROOT->region.base),
                     va + PAGE);
    assert_status(peek(va + PAGE, &value), ZX_OK);
    assert_int_equal(value, 0);
    assert_status(peek(va + 3 * PAGE, &value), ZX_OK);
    assert_int_equal(value, 3);
    assert_int_equal(a->mapping_count, 2);
    done(a);
    done(b);
}

static void test_destroy_goes_down(void **state)
{
    enum { DEPTH = 500 };
    struct vmar *vmar = new_vmar(CAN_RWX, 0, DEPTH + 1), *top = vmar, *sub;
    struct vmo *vmo = new_vmo(1);
    zx_vaddr_t va = 0;

    (void)state;
    for (uint64_t i = 0; i < DEPTH; i++) {
        va = map(vmar, vmo, RW | ZX_VM_SPECIFIC, 0);
        assert_status(poke(va, 1), ZX_OK);
        assert_status(vmar_allocate(vmar, CAN_RWX | ZX_VM_SPECIFIC, PAGE, (DEPTH - i) * PAGE, &sub),
                      ZX_OK);
        if (vmar != top)
            object_release(OBJECT(vmar));
        vmar = sub;
    }
    assert_status(vmar_unmap(ROOT, va, PAGE), ZX_ERR_INVALID_ARGS); /* inside a sub-VMAR */
    assert_status(vmar_unmap(ROOT, top->region.base, (DEPTH + 1) * PAGE), ZX_OK);
    assert_null(top->aspace);
    assert_null(vmar->aspace); /* a handle would keep a dead VMAR */
    assert_int_equal(vmo->mapping_count, 0);
    assert_status(poke(va, 1), ZX_ERR_INVALID_ARGS);
    object_release(OBJECT(vmar));
    object_release(OBJECT(top));
    done(vmo);
}

/* ---- Protect ------------------------------------------------------------------------------- */

static void test_protect(void **state)
{
    struct vmo *vmo = new_vmo(6);
    struct vmar *sub;
    zx_vaddr_t va = map(ROOT, vmo, RW, 0);
    uint32_t value;

    (void)state;
    assert_status(vmar_protect(ROOT, ZX_VM_PERM_WRITE, va, PAGE), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_protect(ROOT, READ | ZX_VM_SPECIFIC, va, PAGE), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_protect(ROOT, RX, va, PAGE), ZX_ERR_ACCESS_DENIED);
    assert_status(vmar_protect(ROOT, READ, va + 1, PAGE), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_protect(ROOT, READ, va, 0), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_protect(ROOT, READ, va + 5 * PAGE, 2 * PAGE), ZX_ERR_NOT_FOUND);
    for (uint32_t i = 0; i < 6; i++)
        assert_status(poke(va + i * PAGE, i), ZX_OK);
    assert_status(vmar_protect(ROOT, READ, va + 2 * PAGE, 2 * PAGE), ZX_OK);
    assert_int_equal(vmo->mapping_count, 3);
    for (uint32_t i = 0; i < 6; i++) {
        assert_status(poke(va + i * PAGE, i), i == 2 || i == 3 ? ZX_ERR_INVALID_ARGS : ZX_OK);
        assert_status(peek(va + i * PAGE, &value), ZX_OK);
    }
    assert_status(vmar_protect(ROOT, 0, va + 3 * PAGE, PAGE), ZX_OK);
    assert_status(peek(va + 3 * PAGE, &value), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_protect(ROOT, RW, va, 6 * PAGE), ZX_OK); /* across four mappings */
    for (uint32_t i = 0; i < 6; i++)
        assert_status(poke(va + i * PAGE, i), ZX_OK);
    assert_status(vmar_unmap(ROOT, va, 6 * PAGE), ZX_OK);
    assert_status(vmar_protect(ROOT, READ, va, PAGE), ZX_ERR_NOT_FOUND);
    sub = new_vmar(CAN_RWX, 0, 1);
    assert_status(vmar_protect(ROOT, READ, sub->region.base, PAGE), ZX_ERR_INVALID_ARGS);
    object_release(OBJECT(sub));
    /* CAN_MAP beyond the PERMs. */
    va = map(ROOT, vmo, READ | ZX_VM_CAN_MAP_WRITE, 0);
    assert_status(poke(va, 1), ZX_ERR_INVALID_ARGS);
    assert_status(vmar_protect(ROOT, RW, va, PAGE), ZX_OK);
    assert_status(poke(va, 1), ZX_OK);
    done(vmo);
}

static void test_op_range(void **state)
{
    struct vmo *vmo = new_vmo(4);
    zx_vaddr_t va = map(ROOT, vmo, RW, 0), ro = map(ROOT, vmo, READ, 0);

    (void)state;
    for (uint32_t i = 0; i < 4; i++)
        assert_status(poke(va + i * PAGE, i), ZX_OK);
    assert_status(vmar_op_range(ROOT, ZX_VMAR_OP_DECOMMIT, va + PAGE, 2 * PAGE), ZX_OK);
    assert_int_equal(vmo_attributed_pages(vmo, 0, vmo->size), 2);
    assert_status(vmar_op_range(ROOT, ZX_VMAR_OP_DECOMMIT, ro, PAGE), ZX_ERR_ACCESS_DENIED);
    assert_status(vmar_op_range(ROOT, ZX_VMAR_OP_DECOMMIT, va, 5 * PAGE), ZX_ERR_BAD_STATE);
    assert_status(vmar_op_range(ROOT, ZX_VMAR_OP_DECOMMIT, 0, PAGE), ZX_ERR_OUT_OF_RANGE);
    assert_status(vmar_op_range(ROOT, 1, va, PAGE), ZX_ERR_NOT_SUPPORTED);
    done(vmo);
}

/* ---- Faults -------------------------------------------------------------------------------- */

static void test_fault_results(void **state)
{
    struct aspace *aspace = fix.process->aspace;
    struct vmo *vmo = new_vmo(2);
    zx_vaddr_t va, ro = map(ROOT, vmo, READ, 0);

    (void)state;
    assert_status(vmar_map(ROOT, RW, 0, vmo, 0, 4 * PAGE, &va), ZX_OK);
    assert_status(aspace_fault(aspace, 0, 0), ZX_ERR_NOT_FOUND);
    assert_status(aspace_fault(aspace, UINT64_MAX, HAL_FAULT_WRITE), ZX_ERR_NOT_FOUND);
    assert_status(aspace_fault(aspace, ro, HAL_FAULT_WRITE), ZX_ERR_ACCESS_DENIED);
    assert_status(aspace_fault(aspace, ro, HAL_FAULT_EXECUTE), ZX_ERR_ACCESS_DENIED);
    assert_status(aspace_fault(aspace, va + 2 * PAGE, 0), ZX_ERR_OUT_OF_RANGE);
    assert_status(aspace_fault(aspace, va + PAGE + 5, HAL_FAULT_WRITE), ZX_OK);
    fake_fail_frame(1);
    assert_status(aspace_fault(aspace, va, HAL_FAULT_WRITE), ZX_ERR_NO_MEMORY);
    fake_fail_map(1);
    assert_status(aspace_fault(aspace, va, 0), ZX_ERR_NO_MEMORY);
    assert_status(aspace_fault(aspace, va, 0), ZX_OK);
    done(vmo);
}

/* Reading commits nothing and shows the one zero frame, until somebody writes. */
static void test_zero_pages(void **state)
{
    struct vmo *vmo = new_vmo(20);
    zx_vaddr_t a = map(ROOT, vmo, RW, 0), b = map(ROOT, vmo, READ, 0);
    size_t frames = fake_frames_in_use();
    hal_paddr_t paddr;
    uint32_t value;

    (void)state;
    for (uint64_t i = 0; i < 20; i++) {
        assert_status(peek(a + i * PAGE, &value), ZX_OK);
        assert_status(peek(b + i * PAGE, &value), ZX_OK);
    }
    assert_int_equal(fake_frames_in_use(), frames);
    assert_status(hal_page_table_query(fix.process->aspace->table, b, &paddr, NULL), ZX_OK);
    assert_int_equal(paddr, hal_frame_zero());
    assert_status(poke(a + 3 * PAGE, 7), ZX_OK);
    assert_int_equal(fake_frames_in_use(), frames + 1);
    assert_status(peek(b + 3 * PAGE, &value), ZX_OK);
    assert_int_equal(value, 7);
    value = 8;
    assert_status(vmo_write(vmo, &value, 4 * PAGE, sizeof value), ZX_OK);
    assert_status(peek(b + 4 * PAGE, &value), ZX_OK);
    assert_int_equal(value, 8);
    done(vmo);
}

/* Pages that are there come sixteen at a time. */
static void test_fault_around(void **state)
{
    struct hal_page_table *table = fix.process->aspace->table;
    struct vmo *vmo = new_vmo(64);
    size_t before;
    zx_vaddr_t va;

    (void)state;
    assert_status(vmo_commit(vmo, 0, 64 * PAGE), ZX_OK);
    va = map(ROOT, vmo, RW | ZX_VM_ALIGN_1MB, 0);
    before = fake_mapped_pages(table);
    assert_status(aspace_fault(fix.process->aspace, va + 20 * PAGE, 0), ZX_OK);
    assert_int_equal(fake_mapped_pages(table) - before, 16);
    assert_status(hal_page_table_query(table, va + 31 * PAGE, NULL, NULL), ZX_OK);
    assert_status(hal_page_table_query(table, va + 32 * PAGE, NULL, NULL), ZX_ERR_NOT_FOUND);
    before = fake_mapped_pages(table);
    va = map(ROOT, vmo, RW | ZX_VM_MAP_RANGE, 0);
    assert_int_equal(fake_mapped_pages(table) - before, 64);
    done(vmo);
}

static void test_shrink_unmaps(void **state)
{
    struct vmo *vmo;
    zx_vaddr_t va;
    uint32_t value;

    (void)state;
    assert_status(vmo_create(4 * PAGE, VMO_RESIZABLE, &vmo), ZX_OK);
    va = map(ROOT, vmo, RW, 0);
    assert_status(poke(va + 3 * PAGE, 1), ZX_OK);
    assert_status(vmo_set_size(vmo, PAGE), ZX_OK);
    assert_status(peek(va + 3 * PAGE, &value), ZX_ERR_INVALID_ARGS);
    assert_status(vmo_set_size(vmo, 4 * PAGE), ZX_OK);
    assert_status(peek(va + 3 * PAGE, &value), ZX_OK);
    assert_int_equal(value, 0);
    assert_status(vmar_map(ROOT, READ | ZX_VM_REQUIRE_NON_RESIZABLE, 0, vmo, 0, PAGE, &va),
                  ZX_ERR_NOT_SUPPORTED);
    done(vmo);
}

/* ---- vDSO ---------------------------------------------------------------------------------- */

static void test_vdso_rules(void **state)
{
    struct aspace *aspace = fix.process->aspace;
    struct vmo *vdso = new_vmo(8);
    struct vmar *vmar = new_vmar(CAN_RWX, 0, 16);
    zx_vaddr_t base = vmar->region.base, va;

    (void)state;
    vmo_set_vdso(vdso, 7 * PAGE, 8 * PAGE);
    assert_status(vmar_map(vmar, READ | ZX_VM_SPECIFIC, 0, vdso, 0, 7 * PAGE, &va), ZX_OK);
    assert_int_equal(aspace->vdso_base, 0);
    assert_status(vmar_map(vmar, RX | ZX_VM_SPECIFIC, 7 * PAGE, vdso, 6 * PAGE, PAGE, &va),
                  ZX_ERR_ACCESS_DENIED);
    assert_status(vmar_map(vmar, RX | ZX_VM_SPECIFIC, 7 * PAGE, vdso, 7 * PAGE, 2 * PAGE, &va),
                  ZX_ERR_ACCESS_DENIED);
    assert_status(vmar_map(vmar, RX | ZX_VM_SPECIFIC, 7 * PAGE, vdso, 7 * PAGE, PAGE, &va), ZX_OK);
    assert_int_equal(aspace->vdso_base, base);
    assert_status(vmar_map(vmar, RX, 0, vdso, 7 * PAGE, PAGE, &va), ZX_ERR_ACCESS_DENIED);
    assert_status(vmar_map(vmar, READ, 0, vdso, 0, 8 * PAGE, &va), ZX_OK);
    assert_status(vmar_unmap(vmar, base + 7 * PAGE, PAGE), ZX_ERR_ACCESS_DENIED);
    assert_status(vmar_unmap(vmar, base, 16 * PAGE), ZX_ERR_ACCESS_DENIED);
    assert_status(vmar_protect(vmar, READ, base + 6 * PAGE, 2 * PAGE), ZX_ERR_ACCESS_DENIED);
    assert_status(vmar_op_range(vmar, ZX_VMAR_OP_DECOMMIT, base + 7 * PAGE, PAGE),
                  ZX_ERR_ACCESS_DENIED);
    assert_status(vmar_map(vmar, READ | ZX_VM_SPECIFIC_OVERWRITE, 7 * PAGE, vdso, 0, PAGE, &va),
                  ZX_ERR_ACCESS_DENIED);
    assert_status(vmar_destroy(vmar), ZX_ERR_ACCESS_DENIED);
    assert_status(vmar_unmap(vmar, base, 7 * PAGE), ZX_OK); /* the rest may go */
    object_release(OBJECT(vmar));
    done(vdso);
}

/* ---- System calls -------------------------------------------------------------------------- */

static void test_calls(void **state)
{
    zx_handle_t root, vmar, vmo;
    uint64_t va;

    (void)state;
    object_ref(OBJECT(ROOT));
    root = fixture_give(OBJECT(ROOT), ZX_DEFAULT_VMAR_RIGHTS | ZX_RIGHT_READ | ZX_RIGHT_WRITE);
    assert_status(sys_vmar_allocate(SELF, root, CAN_RWX, 0, 8 * PAGE, U(0), U(8)),
                  ZX_ERR_ACCESS_DENIED); /* no EXECUTE */
    assert_status(sys_vmar_allocate(SELF, root, ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE, 0,
                                    8 * PAGE, U(0), BAD),
                  ZX_ERR_INVALID_ARGS);
    assert_status(sys_vmar_allocate(SELF, root, ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE, 0,
                                    8 * PAGE, U(0), U(8)),
                  ZX_OK);
    vmar = fixture_handle_at(0);
    assert_int_equal(handle_find(fix.process, vmar)->rights,
                     ZX_DEFAULT_VMAR_RIGHTS | ZX_RIGHT_READ | ZX_RIGHT_WRITE);
    assert_status(sys_vmo_create(SELF, 8 * PAGE, 0, U(0)), ZX_OK);
    vmo = fixture_handle_at(0);
    assert_status(sys_vmar_map(SELF, vmar, RW | ZX_VM_CAN_MAP_WRITE, 0, vmo, 0, PAGE, U(0)),
                  ZX_ERR_INVALID_ARGS);
    assert_status(sys_vmar_map(SELF, vmar, RX, 0, vmo, 0, PAGE, U(0)), ZX_ERR_ACCESS_DENIED);
    assert_status(sys_vmar_map(SELF, vmo, RW, 0, vmo, 0, PAGE, U(0)), ZX_ERR_WRONG_TYPE);
    assert_status(sys_vmar_map(SELF, vmar, RW, 0, vmo, 0, 8 * PAGE, BAD), ZX_ERR_INVALID_ARGS);
    assert_status(sys_vmar_map(SELF, vmar, READ, 0, vmo, 0, 8 * PAGE, U(0)), ZX_OK);
    va = u64_at(0);
    assert_status(sys_vmar_protect(SELF, vmar, RW, va, PAGE), ZX_OK);
    assert_status(sys_vmar_op_range(SELF, vmar, ZX_VMAR_OP_DECOMMIT, va, PAGE, U(0), 1),
                  ZX_ERR_INVALID_ARGS);
    assert_status(sys_vmar_unmap(SELF, vmar, va, PAGE), ZX_OK);
    vmo = with_rights(vmo, ZX_RIGHT_READ);
    assert_status(sys_vmar_map(SELF, vmar, READ, 0, vmo, 0, PAGE, U(0)), ZX_ERR_ACCESS_DENIED);
    assert_status(sys_vmar_destroy(SELF, vmar), ZX_OK);
}

/* ---- Queries ------------------------------------------------------------------------------- */

struct lines {
    unsigned count;
    zx_info_maps_t line[8];
};

static void collect(const zx_info_maps_t *record, void *arg)
{
    struct lines *lines = arg;

    if (lines->count < 8)
        lines->line[lines->count] = *record;
    lines->count++;
}

static void count_vmos(const zx_info_vmo_t *record, void *arg)
{
    assert_true(record->flags & ZX_INFO_VMO_VIA_MAPPING);
    ++*(unsigned *)arg;
}

static void test_queries(void **state)
{
    struct aspace *aspace;
    struct vmar *vmar;
    struct vmo *vmo = new_vmo(4);
    struct lines lines = {0};
    zx_info_task_stats_t stats;
    unsigned vmos = 0;
    zx_vaddr_t va;

    (void)state;
    vmo_set_name(vmo, "data");
    assert_status(vmo_commit(vmo, 0, 3 * PAGE), ZX_OK);
    assert_status(aspace_create(&aspace), ZX_OK);
    assert_status(vmar_allocate(aspace->root, CAN_RWX | ZX_VM_SPECIFIC, PAGE, 16 * PAGE, &vmar),
                  ZX_OK);
    assert_status(vmar_map(vmar, RW, 0, vmo, PAGE, 2 * PAGE, &va), ZX_OK);
    assert_status(vmar_map(aspace->root, READ | ZX_VM_SPECIFIC, 64 * PAGE, vmo, 0, PAGE, &va),
                  ZX_OK);
    aspace_visit_maps(aspace, collect, &lines);
    assert_int_equal(lines.count, 5);
    assert_int_equal(lines.line[0].type, ZX_INFO_MAPS_TYPE_ASPACE);
    assert_int_equal(lines.line[1].type, ZX_INFO_MAPS_TYPE_VMAR);
    assert_int_equal(lines.line[1].depth, 1);
    assert_int_equal(lines.line[2].depth, 2);
    assert_int_equal(lines.line[3].type, ZX_INFO_MAPS_TYPE_MAPPING);
    assert_int_equal(lines.line[3].depth, 3);
    assert_string_equal(lines.line[3].name, "data");
    assert_int_equal(lines.line[3].u.mapping.committed_pages, 2);
    assert_int_equal(lines.line[3].u.mapping.vmo_offset, PAGE);
    assert_int_equal(lines.line[4].depth, 2);
    assert_int_equal(lines.line[4].u.mapping.mmu_flags, READ);
    aspace_visit_vmos(aspace, count_vmos, &vmos);
    assert_int_equal(vmos, 2);
    aspace_task_stats(aspace, &stats);
    assert_int_equal(stats.mem_mapped_bytes, 3 * PAGE);
    assert_int_equal(stats.mem_private_bytes, 3 * PAGE);
    map(ROOT, vmo, READ, 0);
    aspace_task_stats(aspace, &stats);
    assert_int_equal(stats.mem_private_bytes, 0);
    assert_int_equal(stats.mem_shared_bytes, 3 * PAGE);
    assert_in_range(stats.mem_scaled_shared_bytes, PAGE, 2 * PAGE);
    object_release(OBJECT(vmar));
    aspace_destroy(aspace);
    done(vmo);
}

/* ---- Hostile values ------------------------------------------------------------------------ */

static uint64_t random_state = 88172645463325252ull;

static uint64_t rnd(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state >> 11;
}

static uint64_t last_va;

/* A number that some check may get wrong. */
static uint64_t odd_value(void)
{
    static const uint64_t values[] = {
        0,
        1,
        PAGE - 1,
        PAGE,
        PAGE + 1,
        2 * PAGE,
        7 * PAGE,
        64 * PAGE,
        1ull << 31,
        1ull << 32,
        1ull << 47,
        1ull << 52,
        1ull << 63,
        UINT64_MAX,
        0 - PAGE,
        0 - 2 * PAGE,
        VMO_MAX_SIZE,
        HAL_USER_TOP,
        HAL_USER_BASE,
        16 * PAGE,
        3 * PAGE,
    };

    switch (rnd() % 8) {
    case 0:
        return last_va + rnd() % 8 * PAGE;
    case 1:
        return rnd() % 16 * PAGE;
    case 2:
        return fix.user + rnd() % USER_BYTES;
    default:
        return values[rnd() % (sizeof values / sizeof values[0])];
    }
}

static uint32_t odd_options(void)
{
    switch (rnd() % 4) {
    case 0:
        return (uint32_t)rnd();
    case 1:
        return 1u << rnd() % 32;
    default:
        return (uint32_t)(rnd() & rnd() & 0x7ff);
    }
}

static zx_handle_t handles[32];

static zx_handle_t any_handle(void)
{
    return handles[rnd() % 32];
}

static void keep(zx_status_t status, size_t at)
{
    zx_handle_t *slot = &handles[1 + rnd() % 31]; /* the root stays */

    if (status != ZX_OK)
        return;
    if (*slot)
        handle_close(fix.process, *slot);
    *slot = fixture_handle_at(at);
}

static void odd_call(void)
{
    zx_handle_t h = any_handle();
    uint64_t a = odd_value(), b = odd_value();
    uint32_t options = odd_options();
    struct user_ptr buffer = {odd_value()};
    zx_status_t status;

    switch (rnd() % 14) {
    case 0:
        keep(
            (zx_status_t)sys_vmo_create(SELF, rnd() % 4 ? rnd() % 64 * PAGE : a, options & 2, U(0)),
            0);
        break;
    case 1:
        keep((zx_status_t)sys_vmo_create_child(SELF, h, options & 0x3d, a, b, U(0)), 0);
        break;
    case 2:
        keep((zx_status_t)sys_vmo_create_child(SELF, h, 0x14, 0, rnd() % 64 * PAGE, U(0)), 0);
        break;
    case 3:
        sys_vmo_read(SELF, h, buffer, a, b);
        break;
    case 4:
        sys_vmo_write(SELF, h, buffer, a, b);
        break;
    case 5:
        sys_vmo_set_size(SELF, h, rnd() % 2 ? a : rnd() % 64 * PAGE);
        break;
    case 6:
        sys_vmo_op_range(SELF, h, options & 15, a, b, NONE, 0);
        break;
    case 7:
        keep((zx_status_t)sys_vmar_allocate(SELF, h, options & ~7u, a, b, U(0), U(8)), 0);
        break;
    case 8:
        status = (zx_status_t)sys_vmar_map(SELF, h, options, rnd() % 2 ? 0 : a, any_handle(),
                                           rnd() % 16 * PAGE, b, U(8));
        if (status == ZX_OK)
            last_va = u64_at(8);
        break;
    case 9:
        if (a > fix.user + USER_BYTES || a + b < a || a + b <= fix.user)
            sys_vmar_unmap(SELF, h, a, b);
        break;
    case 10:
        if (a > fix.user + USER_BYTES || a + b < a || a + b <= fix.user)
            sys_vmar_protect(SELF, h, options & 7, a, b);
        break;
    case 11:
        sys_vmar_op_range(SELF, h, options & 3, a, b, NONE, 0);
        break;
    case 12:
        if (h != handles[0] && rnd() % 16 == 0)
            sys_vmar_destroy(SELF, h);
        sys_vmo_set_cache_policy(SELF, h, options & 7);
        break;
    default:
        aspace_fault(fix.process->aspace, a, options & 7);
        break;
    }
}

/* Whatever user code says, the kernel stands, and nothing is left when the process ends. */
static void test_hostile_values(void **state)
{
    (void)state;
    memset(handles, 0, sizeof handles);
    object_ref(OBJECT(ROOT));
    handles[0] = fixture_give(OBJECT(ROOT), ZX_DEFAULT_VMAR_RIGHTS | ZX_RIGHT_READ |
                                                ZX_RIGHT_WRITE | ZX_RIGHT_EXECUTE);
    for (int i = 0; i < 20000; i++)
        odd_call();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_root_covers_user_space),
        TEST(test_placement_errors),
        TEST(test_random_and_aligned),
        TEST(test_upper_limit),
        TEST(test_fills_up),
        TEST(test_unmap_cuts),
        TEST(test_overwrite),
        TEST(test_destroy_goes_down),
        TEST(test_protect),
        TEST(test_op_range),
        TEST(test_fault_results),
        TEST(test_zero_pages),
        TEST(test_fault_around),
        TEST(test_shrink_unmaps),
        TEST(test_vdso_rules),
        TEST(test_calls),
        TEST(test_queries),
        TEST(test_hostile_values),
    };

    return cmocka_run_group_tests_name("vmar", tests, NULL, NULL);
}
