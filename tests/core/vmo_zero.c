/*
 * zx_vmo_op_range with ZX_VMO_OP_ZERO.
 */
#include "memory.h"

static zx_status_t zero(zx_handle_t vmo, uint64_t offset, uint64_t length)
{
    return zx_vmo_op_range(vmo, ZX_VMO_OP_ZERO, offset, length, NULL, 0);
}

/* A VMO of pages full of ones. */
static zx_handle_t filled_vmo(uint64_t pages)
{
    zx_handle_t vmo = new_vmo(pages);
    static uint8_t ones[4096];

    memset(ones, 1, sizeof(ones));
    for (uint64_t i = 0; i < pages; i++)
        ASSERT_OK(zx_vmo_write(vmo, ones, i * PAGE, PAGE));
    return vmo;
}

/* Whether [offset, offset + length), and nothing else of `pages`, is zero. */
static bool is_zero_there(zx_handle_t vmo, uint64_t pages, uint64_t offset, uint64_t length)
{
    static uint8_t bytes[4096];

    for (uint64_t i = 0; i < pages; i++) {
        ASSERT_OK(zx_vmo_read(vmo, bytes, i * PAGE, PAGE));
        for (uint64_t n = 0; n < PAGE; n++) {
            bool inside = i * PAGE + n - offset < length;

            if (bytes[n] != (inside ? 0 : 1))
                return false;
        }
    }
    return true;
}

TEST(VmoZero, PartOfAPage)
{
    zx_handle_t vmo = filled_vmo(1);

    EXPECT_OK(zero(vmo, 100, 17));
    EXPECT_TRUE(is_zero_there(vmo, 1, 100, 17));
    EXPECT_EQ(committed_pages(vmo), 1);
    CLOSE(vmo);
}

TEST(VmoZero, AcrossPages)
{
    zx_handle_t vmo = filled_vmo(4);

    EXPECT_OK(zero(vmo, PAGE - 3, 2 * PAGE + 5));
    EXPECT_TRUE(is_zero_there(vmo, 4, PAGE - 3, 2 * PAGE + 5));
    CLOSE(vmo);
}

/* Whole pages are given back. */
TEST(VmoZero, WholePages)
{
    zx_handle_t vmo = filled_vmo(4);

    EXPECT_TRUE(!is_zero_there(vmo, 4, PAGE, 2 * PAGE)); /* touches this program's own pages */
    uint64_t pages = all_vmo_pages();
    EXPECT_OK(zero(vmo, PAGE, 2 * PAGE));
    EXPECT_TRUE(is_zero_there(vmo, 4, PAGE, 2 * PAGE));
    EXPECT_EQ(committed_pages(vmo), 2);
    EXPECT_EQ(all_vmo_pages(), pages - 2);
    CLOSE(vmo);
}

TEST(VmoZero, WhatIsZeroStaysUncommitted)
{
    zx_handle_t vmo = new_vmo(4);

    EXPECT_OK(zero(vmo, 10, 3 * PAGE));
    EXPECT_EQ(committed_pages(vmo), 0);
    CLOSE(vmo);
    vmo = new_vmo(1ull << 28); /* nor does it take time */
    EXPECT_OK(zero(vmo, 1, (1ull << 40) - 2));
    EXPECT_EQ(committed_pages(vmo), 0);
    CLOSE(vmo);
}

TEST(VmoZero, Range)
{
    zx_handle_t vmo = filled_vmo(2);

    EXPECT_OK(zero(vmo, PAGE, UINT64_MAX - 2 * PAGE)); /* cut to the end */
    EXPECT_TRUE(is_zero_there(vmo, 2, PAGE, PAGE));
    EXPECT_OK(zero(vmo, 2 * PAGE, PAGE)); /* begins at the end: nothing */
    EXPECT_OK(zero(vmo, 0, 0));
    EXPECT_STATUS(zero(vmo, 2 * PAGE + 1, 1), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zero(vmo, PAGE, UINT64_MAX), ZX_ERR_OUT_OF_RANGE);
    EXPECT_TRUE(is_zero_there(vmo, 2, PAGE, PAGE));
    CLOSE(vmo);
}

TEST(VmoZero, Rights)
{
    zx_handle_t vmo = filled_vmo(1), weak = without_rights(vmo, ZX_RIGHT_WRITE);

    EXPECT_STATUS(zero(weak, 0, PAGE), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    weak = without_rights(vmo, ZX_RIGHT_READ);
    EXPECT_TRUE(is_zero_there(vmo, 1, 0, 0));
    EXPECT_OK(zero(weak, 0, PAGE));
    CLOSE(weak);
    CLOSE(vmo);
}

/* Mappings show it, and can be written afterwards. */
TEST(VmoZero, Mapped)
{
    zx_handle_t vmo = filled_vmo(2);
    zx_vaddr_t at = map_pages(vmo, READ_WRITE, 0, 2);

    *word_of(at, 0) = *word_of(at, 1) = 5;
    EXPECT_OK(zero(vmo, 0, PAGE + 8));
    EXPECT_EQ(*word_of(at, 0), 0);
    EXPECT_EQ(*word_of(at, 1), 0);
    EXPECT_EQ(*word_of(at + 8, 1), 0x0101010101010101);
    *word_of(at, 0) = 6;
    EXPECT_EQ(word_at(vmo, 0), 6);
    unmap_pages(at, 2);
    CLOSE(vmo);
}

TEST(VmoZero, CloneKeepsParent)
{
    zx_handle_t vmo = filled_vmo(3), clone = clone_of(vmo, 0, 3);

    EXPECT_OK(zero(clone, 10, 2 * PAGE));
    EXPECT_TRUE(is_zero_there(clone, 3, 10, 2 * PAGE));
    EXPECT_TRUE(is_zero_there(vmo, 3, 0, 0));
    CLOSE(vmo);
    EXPECT_TRUE(is_zero_there(clone, 3, 10, 2 * PAGE));
    CLOSE(clone);
}

TEST(VmoZero, ParentKeepsClone)
{
    zx_handle_t vmo = filled_vmo(3), clone = clone_of(vmo, 0, 3);
    zx_vaddr_t at = map_pages(clone, ZX_VM_PERM_READ, 0, 3);

    EXPECT_EQ(*word_of(at, 1), 0x0101010101010101);
    EXPECT_OK(zero(vmo, 0, 3 * PAGE));
    EXPECT_TRUE(is_zero_there(vmo, 3, 0, 3 * PAGE));
    EXPECT_TRUE(is_zero_there(clone, 3, 0, 0));
    EXPECT_EQ(*word_of(at, 1), 0x0101010101010101);
    EXPECT_EQ(committed_pages(vmo), 0);
    EXPECT_EQ(committed_pages(clone), 3); /* nobody else shows them any more */
    unmap_pages(at, 3);
    CLOSE(clone);
    CLOSE(vmo);
}

/* Frames of a contiguous VMO stay; so do pages that a device may write to. */
TEST(VmoZero, ContiguousAndPinned)
{
    zx_handle_t bti = new_bti(), vmo = new_contiguous(2), pmt, clone;
    zx_paddr_t before[2], after[2];

    set_word(vmo, 0, 1);
    clone = clone_of(vmo, 0, 1);
    EXPECT_OK(zero(vmo, 0, 2 * PAGE));
    EXPECT_EQ(committed_pages(vmo), 2);
    EXPECT_EQ(word_at(vmo, 0), 0);
    EXPECT_EQ(word_at(clone, 0), 1);
    CLOSE(clone);
    CLOSE(vmo);
    vmo = filled_vmo(2);
    ASSERT_OK(zx_bti_pin(bti, ZX_BTI_PERM_READ, vmo, 0, 2 * PAGE, before, 2, &pmt));
    EXPECT_OK(zero(vmo, 0, 2 * PAGE));
    EXPECT_EQ(committed_pages(vmo), 2);
    EXPECT_TRUE(is_zero_there(vmo, 2, 0, 2 * PAGE));
    EXPECT_OK(zx_pmt_unpin(pmt));
    ASSERT_OK(zx_bti_pin(bti, ZX_BTI_PERM_READ, vmo, 0, 2 * PAGE, after, 2, &pmt));
    EXPECT_EQ(memcmp(before, after, sizeof(before)), 0);
    EXPECT_OK(zx_pmt_unpin(pmt));
    CLOSE(vmo);
    CLOSE(bti);
}

TEST(VmoZero, OtherKinds)
{
    zx_handle_t vmo = new_vmo(1);

    ASSERT_OK(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED));
    EXPECT_STATUS(zero(vmo, 0, PAGE), ZX_ERR_BAD_STATE);
    CLOSE(vmo);
    ASSERT_OK(zx_vmo_create_physical(root_resource(), 0xfee00000, PAGE, &vmo));
    EXPECT_STATUS(zero(vmo, 0, PAGE), ZX_ERR_NOT_SUPPORTED);
    CLOSE(vmo);
}

/* A page that was cut off and came back is zero already; the rest of the last page is not. */
TEST(VmoZero, Resized)
{
    zx_handle_t vmo = new_resizable(2);

    set_word(vmo, 0, 5);
    set_word(vmo, 1, 6);
    EXPECT_OK(zx_vmo_set_size(vmo, 8)); /* a page */
    EXPECT_OK(zx_vmo_set_size(vmo, 2 * PAGE));
    EXPECT_EQ(word_at(vmo, 0), 5);
    EXPECT_EQ(word_at(vmo, 1), 0);
    EXPECT_OK(zero(vmo, 0, 8));
    EXPECT_EQ(word_at(vmo, 0), 0);
    CLOSE(vmo);
}
