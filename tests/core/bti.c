/*
 * Bus transaction initiators and pinned memory.
 */
#include "memory.h"

#include <zircon/device.h>
#include <zircon/iommu.h>

static zx_info_bti_t bti_info(zx_handle_t bti)
{
    zx_info_bti_t info;

    ASSERT_OK(zx_object_get_info(bti, ZX_INFO_BTI, &info, sizeof(info), NULL, NULL));
    return info;
}

TEST(Bti, Create)
{
    zx_iommu_desc_dummy_t nothing = {0};
    zx_handle_t iommu, bti;

    EXPECT_STATUS(
        zx_iommu_create(closed_handle(), ZX_IOMMU_TYPE_DUMMY, &nothing, sizeof(nothing), &iommu),
        ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_iommu_create(root_resource(), ZX_IOMMU_TYPE_DUMMY, &nothing, 0, &iommu),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_iommu_create(root_resource(), ZX_IOMMU_TYPE_DUMMY, &nothing, 5000, &iommu),
                  ZX_ERR_INVALID_ARGS);
    ASSERT_OK(
        zx_iommu_create(root_resource(), ZX_IOMMU_TYPE_DUMMY, &nothing, sizeof(nothing), &iommu));
    EXPECT_STATUS(zx_bti_create(iommu, 1, 0, &bti), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_bti_create(zx_process_self(), 0, 0, &bti), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_bti_create(closed_handle(), 0, 0, &bti), ZX_ERR_BAD_HANDLE);
    ASSERT_OK(zx_bti_create(iommu, 0, 0xdeadbeef, &bti));
    EXPECT_EQ(basic_info(bti).type, ZX_OBJ_TYPE_BTI);
    EXPECT_EQ(basic_info(bti).rights, ZX_DEFAULT_BTI_RIGHTS);
    EXPECT_EQ(bti_info(bti).minimum_contiguity, PAGE);
    CLOSE(iommu);
    CLOSE(bti);
}

TEST(Bti, PinBadArguments)
{
    zx_handle_t bti = new_bti(), vmo = new_vmo(2), pmt;
    zx_paddr_t at[3];
    const uint32_t read = ZX_BTI_PERM_READ;

    EXPECT_STATUS(zx_bti_pin(bti, read, vmo, 1, PAGE, at, 1, &pmt), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_bti_pin(bti, read, vmo, 0, 1, at, 1, &pmt), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_bti_pin(bti, read, vmo, 0, 0, at, 0, &pmt), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_bti_pin(bti, 0x1000, vmo, 0, PAGE, at, 1, &pmt), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_bti_pin(bti, read, vmo, 0, 2 * PAGE, at, 1, &pmt), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_bti_pin(bti, read, vmo, 0, 2 * PAGE, at, 3, &pmt), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_bti_pin(bti, read, vmo, PAGE, 2 * PAGE, at, 2, &pmt), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_bti_pin(bti, read, vmo, -PAGE, 2 * PAGE, at, 2, &pmt), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_bti_pin(bti, read, vmo, 0, PAGE, UNMAPPED, 1, &pmt), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_bti_pin(bti, read, vmo, 0, PAGE, at, 1, UNMAPPED), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_bti_pin(vmo, read, vmo, 0, PAGE, at, 1, &pmt), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_bti_pin(bti, read, bti, 0, PAGE, at, 1, &pmt), ZX_ERR_WRONG_TYPE);
    EXPECT_EQ(bti_info(bti).pmo_count, 0); /* nothing is left of all that */
    CLOSE(vmo);
    CLOSE(bti);
}

TEST(Bti, PinRights)
{
    zx_handle_t bti = new_bti(), vmo = new_vmo(1), weak, pmt;
    zx_paddr_t at;

    weak = without_rights(vmo, ZX_RIGHT_READ);
    EXPECT_STATUS(zx_bti_pin(bti, ZX_BTI_PERM_READ, weak, 0, PAGE, &at, 1, &pmt),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    weak = without_rights(vmo, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_bti_pin(bti, ZX_BTI_PERM_WRITE, weak, 0, PAGE, &at, 1, &pmt),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    weak = without_rights(vmo, ZX_RIGHT_MAP);
    EXPECT_STATUS(zx_bti_pin(bti, ZX_BTI_PERM_READ, weak, 0, PAGE, &at, 1, &pmt),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    weak = without_rights(bti, ZX_RIGHT_MAP);
    EXPECT_STATUS(zx_bti_pin(weak, ZX_BTI_PERM_READ, vmo, 0, PAGE, &at, 1, &pmt),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    CLOSE(vmo);
    CLOSE(bti);
}

/* Pinning commits, and what is pinned stays where it is. */
TEST(Bti, PinnedPagesStay)
{
    zx_handle_t bti = new_bti(), vmo = new_resizable(4), pmt, again;
    zx_paddr_t at[2], other[2];

    ASSERT_OK(zx_bti_pin(bti, ZX_BTI_PERM_WRITE, vmo, PAGE, 2 * PAGE, at, 2, &pmt));
    EXPECT_EQ(committed_pages(vmo), 2);
    EXPECT_EQ((at[0] | at[1]) % PAGE, 0);
    EXPECT_TRUE(at[0] != at[1]);
    EXPECT_STATUS(decommit(vmo, 0, 2), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(decommit(vmo, 2, 2), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmo_set_size(vmo, 2 * PAGE), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_vmo_set_size(vmo, 3 * PAGE));
    EXPECT_OK(decommit(vmo, 0, 1));
    set_word(vmo, 1, 9);
    ASSERT_OK(zx_bti_pin(bti, ZX_BTI_PERM_READ, vmo, PAGE, 2 * PAGE, other, 2, &again));
    EXPECT_EQ(memcmp(at, other, sizeof(at)), 0);
    EXPECT_OK(zx_pmt_unpin(pmt));
    EXPECT_STATUS(decommit(vmo, 1, 1), ZX_ERR_BAD_STATE); /* once pinned still */
    EXPECT_OK(zx_pmt_unpin(again));
    EXPECT_OK(decommit(vmo, 1, 2));
    CLOSE(vmo);
    CLOSE(bti);
}

/* A PMT keeps its pages, whoever closes the VMO. */
TEST(Bti, PinKeepsVmo)
{
    uint64_t pages = all_vmo_pages();
    zx_handle_t bti = new_bti(), vmo = new_vmo(3), pmt = pin_pages(bti, vmo, 0, 3);

    CLOSE(vmo);
    EXPECT_EQ(all_vmo_pages(), pages + 3);
    EXPECT_EQ(bti_info(bti).pmo_count, 1);
    EXPECT_OK(zx_pmt_unpin(pmt));
    EXPECT_EQ(all_vmo_pages(), pages);
    EXPECT_EQ(bti_info(bti).pmo_count, 0);
    CLOSE(bti);
}

/* A PMT that is closed without being unpinned: a device may still be at it. */
TEST(Bti, Quarantine)
{
    uint64_t pages = all_vmo_pages();
    zx_handle_t bti = new_bti(), vmo = new_vmo(2), pmt = pin_pages(bti, vmo, 0, 2), weak;

    CLOSE(pmt);
    CLOSE(vmo);
    EXPECT_EQ(bti_info(bti).quarantine_count, 1);
    EXPECT_EQ(bti_info(bti).pmo_count, 1);
    EXPECT_EQ(all_vmo_pages(), pages + 2);
    weak = without_rights(bti, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_bti_release_quarantine(weak), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    EXPECT_OK(zx_bti_release_quarantine(bti));
    EXPECT_EQ(bti_info(bti).quarantine_count, 0);
    EXPECT_EQ(bti_info(bti).pmo_count, 0);
    EXPECT_EQ(all_vmo_pages(), pages);
    EXPECT_OK(zx_bti_release_quarantine(bti));
    CLOSE(bti);
}

/* The handle of zx_pmt_unpin goes whatever it is. */
TEST(Bti, UnpinConsumes)
{
    zx_handle_t bti = new_bti(), vmo = new_vmo(1), pmt = pin_pages(bti, vmo, 0, 1), event;

    EXPECT_EQ(basic_info(pmt).type, ZX_OBJ_TYPE_PMT);
    EXPECT_OK(zx_pmt_unpin(pmt));
    EXPECT_STATUS(zx_pmt_unpin(pmt), ZX_ERR_BAD_HANDLE);
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_pmt_unpin(event), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_handle_close(event), ZX_ERR_BAD_HANDLE);
    CLOSE(vmo);
    CLOSE(bti);
}

TEST(Bti, Contiguous)
{
    zx_handle_t bti = new_bti(), vmo, plain = new_vmo(4), pmt;
    zx_paddr_t at[4], first;

    EXPECT_STATUS(zx_vmo_create_contiguous(bti, 0, 0, &vmo), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_contiguous(bti, PAGE, 11, &vmo), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_contiguous(bti, PAGE, 64, &vmo), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_contiguous(bti, 1ull << 40, 0, &vmo), ZX_ERR_NO_MEMORY);
    ASSERT_OK(zx_vmo_create_contiguous(bti, 3 * PAGE + 1, 16, &vmo));
    EXPECT_EQ(committed_pages(vmo), 4);
    EXPECT_EQ(word_at(vmo, 3), 0);
    EXPECT_STATUS(decommit(vmo, 0, 1), ZX_ERR_NOT_SUPPORTED);
    ASSERT_OK(zx_bti_pin(bti, ZX_BTI_PERM_READ, vmo, 0, 4 * PAGE, at, 4, &pmt));
    EXPECT_EQ(at[0] % 0x10000, 0);
    for (int i = 1; i < 4; i++)
        EXPECT_EQ(at[i], at[0] + i * PAGE);
    EXPECT_OK(zx_pmt_unpin(pmt));
    ASSERT_OK(zx_bti_pin(bti, ZX_BTI_PERM_READ | ZX_BTI_CONTIGUOUS, vmo, PAGE, 2 * PAGE, &first, 1,
                         &pmt));
    EXPECT_EQ(first, at[1]);
    EXPECT_OK(zx_pmt_unpin(pmt));
    EXPECT_STATUS(zx_bti_pin(bti, ZX_BTI_PERM_READ | ZX_BTI_CONTIGUOUS | ZX_BTI_COMPRESS, vmo, 0,
                             PAGE, &first, 1, &pmt),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(
        zx_bti_pin(bti, ZX_BTI_PERM_READ | ZX_BTI_CONTIGUOUS, plain, 0, PAGE, &first, 1, &pmt),
        ZX_ERR_INVALID_ARGS);
    CLOSE(plain);
    CLOSE(vmo);
    CLOSE(bti);
}
