/*
 * What the memory suites share.
 */
#include "memory.h"

#include <zircon/device.h>
#include <zircon/iommu.h>

#define MAX_PINNED 64

zx_handle_t new_vmo(uint64_t pages)
{
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(pages * PAGE, 0, &vmo));
    return vmo;
}

zx_handle_t new_resizable(uint64_t pages)
{
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(pages * PAGE, ZX_VMO_RESIZABLE, &vmo));
    return vmo;
}

zx_handle_t numbered_vmo(uint64_t pages, uint64_t first)
{
    zx_handle_t vmo = new_vmo(pages);

    for (uint64_t i = 0; i < pages; i++)
        set_word(vmo, i, first + i);
    return vmo;
}

zx_handle_t child_of(zx_handle_t vmo, uint32_t options, uint64_t first, uint64_t pages)
{
    zx_handle_t child;

    ASSERT_OK(zx_vmo_create_child(vmo, options, first * PAGE, pages * PAGE, &child));
    return child;
}

zx_handle_t clone_of(zx_handle_t vmo, uint64_t first, uint64_t pages)
{
    return child_of(vmo, ZX_VMO_CHILD_SNAPSHOT, first, pages);
}

uint64_t pages_of(zx_handle_t vmo)
{
    uint64_t size;

    ASSERT_OK(zx_vmo_get_size(vmo, &size));
    return size / PAGE;
}

zx_info_vmo_t vmo_info(zx_handle_t vmo)
{
    zx_info_vmo_t info;

    ASSERT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    return info;
}

uint64_t committed_pages(zx_handle_t vmo)
{
    return vmo_info(vmo).committed_bytes / PAGE;
}

uint64_t all_vmo_pages(void)
{
    return kmem().vmo_bytes / PAGE;
}

uint64_t word_at(zx_handle_t vmo, uint64_t page)
{
    uint64_t word;

    ASSERT_OK(zx_vmo_read(vmo, &word, page * PAGE, sizeof(word)));
    return word;
}

void set_word(zx_handle_t vmo, uint64_t page, uint64_t word)
{
    ASSERT_OK(zx_vmo_write(vmo, &word, page * PAGE, sizeof(word)));
}

zx_status_t commit(zx_handle_t vmo, uint64_t first, uint64_t pages)
{
    return zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, first * PAGE, pages * PAGE, NULL, 0);
}

zx_status_t decommit(zx_handle_t vmo, uint64_t first, uint64_t pages)
{
    return zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, first * PAGE, pages * PAGE, NULL, 0);
}

zx_vaddr_t map_pages(zx_handle_t vmo, zx_vm_option_t options, uint64_t first, uint64_t pages)
{
    zx_vaddr_t address;

    ASSERT_OK(
        zx_vmar_map(zx_vmar_root_self(), options, 0, vmo, first * PAGE, pages * PAGE, &address));
    return address;
}

void unmap_pages(zx_vaddr_t address, uint64_t pages)
{
    EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), address, pages * PAGE));
}

zx_status_t read_probe(zx_vaddr_t address)
{
    zx_handle_t vmo = new_vmo(1);
    zx_status_t status = zx_vmo_write(vmo, (const void *)address, 0, 1);

    CLOSE(vmo);
    return status;
}

zx_status_t write_probe(zx_vaddr_t address)
{
    zx_handle_t vmo = new_vmo(1);
    zx_status_t status = zx_vmo_read(vmo, (void *)address, 0, 1);

    CLOSE(vmo);
    return status;
}

zx_handle_t new_bti(void)
{
    zx_iommu_desc_dummy_t nothing = {0};
    zx_handle_t iommu, bti;

    ASSERT_OK(
        zx_iommu_create(root_resource(), ZX_IOMMU_TYPE_DUMMY, &nothing, sizeof(nothing), &iommu));
    ASSERT_OK(zx_bti_create(iommu, 0, 0, &bti));
    CLOSE(iommu);
    return bti;
}

zx_handle_t new_contiguous(uint64_t pages)
{
    zx_handle_t bti = new_bti(), vmo;

    ASSERT_OK(zx_vmo_create_contiguous(bti, pages * PAGE, 0, &vmo));
    CLOSE(bti);
    return vmo;
}

zx_handle_t pin_pages(zx_handle_t bti, zx_handle_t vmo, uint64_t first, uint64_t pages)
{
    zx_paddr_t addresses[MAX_PINNED];
    zx_handle_t pmt;

    ASSERT_TRUE(pages <= MAX_PINNED);
    ASSERT_OK(zx_bti_pin(bti, ZX_BTI_PERM_READ | ZX_BTI_PERM_WRITE, vmo, first * PAGE, pages * PAGE,
                         addresses, pages, &pmt));
    return pmt;
}
