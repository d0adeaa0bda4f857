/*
 * Slices: children that are windows on their parent's own pages.
 */
#include "memory.h"

#define SLICE ZX_VMO_CHILD_SLICE

TEST(VmoSlice, WriteThrough)
{
    zx_handle_t vmo = numbered_vmo(4, 1), slice = child_of(vmo, SLICE, 1, 2);

    EXPECT_EQ(pages_of(slice), 2);
    EXPECT_EQ(word_at(slice, 0), 2);
    set_word(slice, 1, 30);
    EXPECT_EQ(word_at(vmo, 2), 30);
    set_word(vmo, 1, 20);
    EXPECT_EQ(word_at(slice, 0), 20);
    CLOSE(slice);
    CLOSE(vmo);
}

TEST(VmoSlice, Nested)
{
    zx_handle_t vmo = numbered_vmo(6, 1), slice = child_of(vmo, SLICE, 1, 4);
    zx_handle_t inner = child_of(slice, SLICE, 2, 2), innermost = child_of(inner, SLICE, 1, 1);

    EXPECT_EQ(word_at(inner, 0), 4);
    EXPECT_EQ(word_at(innermost, 0), 5);
    set_word(innermost, 0, 50);
    EXPECT_EQ(word_at(vmo, 4), 50);
    EXPECT_EQ(vmo_info(innermost).parent_koid, basic_info(inner).koid);
    CLOSE(slice);
    CLOSE(inner);
    EXPECT_EQ(word_at(innermost, 0), 50);
    CLOSE(vmo);
    EXPECT_EQ(word_at(innermost, 0), 50);
    CLOSE(innermost);
}

TEST(VmoSlice, Bounds)
{
    zx_handle_t vmo = new_vmo(4), slice = child_of(vmo, SLICE, 1, 2), child;
    uint64_t word = 0;

    EXPECT_STATUS(zx_vmo_read(slice, &word, 2 * PAGE, 8), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_write(slice, &word, 2 * PAGE - 4, 8), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_create_child(slice, SLICE, PAGE, 2 * PAGE, &child), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_child(vmo, SLICE, 5 * PAGE, PAGE, &child), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_child(vmo, SLICE, 0, UINT64_MAX, &child), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_child(vmo, SLICE, -PAGE, 2 * PAGE, &child), ZX_ERR_INVALID_ARGS);
    CLOSE(slice);
    CLOSE(vmo);
}

TEST(VmoSlice, OptionsWithIt)
{
    static const uint32_t others[] = {ZX_VMO_CHILD_SNAPSHOT, ZX_VMO_CHILD_RESIZABLE,
                                      ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 0x100};
    zx_handle_t vmo = new_vmo(1), slice;

    for (int i = 0; i < 4; i++)
        EXPECT_STATUS(zx_vmo_create_child(vmo, SLICE | others[i], 0, PAGE, &slice),
                      ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_child(vmo, SLICE, PAGE / 2, PAGE / 2, &slice), ZX_ERR_INVALID_ARGS);
    CLOSE(vmo);
}

/* A slice of a VMO that can shrink would lose its pages. */
TEST(VmoSlice, ResizableParent)
{
    zx_handle_t vmo = new_resizable(2), child, slice;

    EXPECT_STATUS(zx_vmo_create_child(vmo, SLICE, 0, PAGE, &slice), ZX_ERR_NOT_SUPPORTED);
    child = child_of(vmo, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_RESIZABLE, 0, 2);
    EXPECT_STATUS(zx_vmo_create_child(child, SLICE, 0, PAGE, &slice), ZX_ERR_NOT_SUPPORTED);
    CLOSE(child);
    CLOSE(vmo);
}

TEST(VmoSlice, CannotBeResized)
{
    zx_handle_t vmo = new_vmo(2), slice = child_of(vmo, SLICE, 0, 1);

    EXPECT_STATUS(zx_vmo_set_size(slice, 2 * PAGE), ZX_ERR_UNAVAILABLE);
    EXPECT_STATUS(zx_vmo_set_size(slice, 0), ZX_ERR_UNAVAILABLE);
    EXPECT_EQ(pages_of(slice), 1);
    CLOSE(slice);
    CLOSE(vmo);
}

TEST(VmoSlice, Mapped)
{
    zx_handle_t vmo = numbered_vmo(3, 1), slice = child_of(vmo, SLICE, 1, 2);
    zx_vaddr_t at = map_pages(slice, READ_WRITE, 1, 1),
               parent_at = map_pages(vmo, READ_WRITE, 0, 3);

    *word_of(at, 0) = 30;
    EXPECT_EQ(*word_of(parent_at, 2), 30);
    *word_of(parent_at, 2) = 31;
    EXPECT_EQ(*word_of(at, 0), 31);
    EXPECT_EQ(vmo_info(slice).num_mappings, 1);
    EXPECT_EQ(vmo_info(vmo).num_mappings, 1);
    CLOSE(slice);
    CLOSE(vmo);
    unmap_pages(parent_at, 3);
    EXPECT_EQ(*word_of(at, 0), 31);
    unmap_pages(at, 1);
}

/* Operations on a slice's range are operations on its parent's. */
TEST(VmoSlice, CommitAndDecommit)
{
    zx_handle_t vmo = new_vmo(4), slice = child_of(vmo, SLICE, 1, 2);
    zx_vaddr_t at = map_pages(vmo, READ_WRITE, 0, 4);

    EXPECT_OK(commit(slice, 0, 5)); /* what lies behind the slice's end is not its business */
    EXPECT_EQ(committed_pages(vmo), 2);
    EXPECT_EQ(committed_pages(slice), 0);
    *word_of(at, 2) = 3;
    EXPECT_OK(decommit(slice, 1, 1));
    EXPECT_EQ(committed_pages(vmo), 1);
    EXPECT_EQ(*word_of(at, 2), 0);
    EXPECT_STATUS(decommit(slice, 3, 1), ZX_ERR_OUT_OF_RANGE);
    unmap_pages(at, 4);
    CLOSE(slice);
    CLOSE(vmo);
}

TEST(VmoSlice, Zero)
{
    zx_handle_t vmo = numbered_vmo(4, 1), slice = child_of(vmo, SLICE, 1, 2);

    EXPECT_OK(zx_vmo_op_range(slice, ZX_VMO_OP_ZERO, PAGE, 4 * PAGE, NULL, 0));
    EXPECT_EQ(word_at(vmo, 1), 2);
    EXPECT_EQ(word_at(vmo, 2), 0);
    EXPECT_EQ(word_at(vmo, 3), 4); /* behind the slice */
    CLOSE(slice);
    CLOSE(vmo);
}

TEST(VmoSlice, Rights)
{
    zx_handle_t vmo = new_vmo(1), read_only = without_rights(vmo, ZX_RIGHT_WRITE), slice;
    uint64_t word = 0;

    slice = child_of(read_only, SLICE, 0, 1);
    EXPECT_EQ(basic_info(slice).rights, basic_info(read_only).rights);
    EXPECT_STATUS(zx_vmo_write(slice, &word, 0, 8), ZX_ERR_ACCESS_DENIED);
    CLOSE(slice);
    slice = child_of(vmo, SLICE | ZX_VMO_CHILD_NO_WRITE, 0, 1);
    EXPECT_EQ(basic_info(slice).rights, basic_info(vmo).rights & ~ZX_RIGHT_WRITE);
    CLOSE(slice);
    ASSERT_OK(zx_vmo_replace_as_executable(vmo, ZX_HANDLE_INVALID, &vmo));
    slice = child_of(vmo, SLICE, 0, 1);
    EXPECT_EQ(basic_info(slice).rights & ZX_RIGHT_EXECUTE, ZX_RIGHT_EXECUTE);
    CLOSE(slice);
    CLOSE(read_only);
    CLOSE(vmo);
}

TEST(VmoSlice, Contiguous)
{
    zx_handle_t bti = new_bti(), vmo = new_contiguous(4), slice = child_of(vmo, SLICE, 1, 2), pmt;
    zx_paddr_t all, part;

    EXPECT_EQ(vmo_info(slice).flags & ZX_INFO_VMO_CONTIGUOUS, ZX_INFO_VMO_CONTIGUOUS);
    ASSERT_OK(
        zx_bti_pin(bti, ZX_BTI_PERM_READ | ZX_BTI_CONTIGUOUS, vmo, 0, 4 * PAGE, &all, 1, &pmt));
    EXPECT_OK(zx_pmt_unpin(pmt));
    ASSERT_OK(
        zx_bti_pin(bti, ZX_BTI_PERM_READ | ZX_BTI_CONTIGUOUS, slice, 0, 2 * PAGE, &part, 1, &pmt));
    EXPECT_EQ(part, all + PAGE);
    EXPECT_OK(zx_pmt_unpin(pmt));
    CLOSE(slice);
    CLOSE(vmo);
    CLOSE(bti);
}

TEST(VmoSlice, Physical)
{
    zx_handle_t vmo, slice;
    uint64_t word;

    ASSERT_OK(zx_vmo_create_physical(root_resource(), 0xfee00000, 2 * PAGE, &vmo));
    slice = child_of(vmo, SLICE, 1, 1);
    EXPECT_EQ(vmo_info(slice).flags & ZX_INFO_VMO_TYPE_PAGED, 0);
    EXPECT_EQ(vmo_info(slice).cache_policy, ZX_CACHE_POLICY_UNCACHED);
    EXPECT_STATUS(zx_vmo_read(slice, &word, 0, 8), ZX_ERR_NOT_SUPPORTED);
    CLOSE(slice);
    CLOSE(vmo);
}

TEST(VmoSlice, CachePolicy)
{
    zx_handle_t vmo = new_vmo(1), slice;

    ASSERT_OK(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_WRITE_COMBINING));
    EXPECT_STATUS(zx_vmo_create_child(vmo, SLICE, 0, PAGE, &slice), ZX_ERR_BAD_STATE);
    ASSERT_OK(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_CACHED));
    slice = child_of(vmo, SLICE, 0, 1);
    /* Neither a parent nor a child can change it: they would differ. */
    EXPECT_STATUS(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmo_set_cache_policy(slice, ZX_CACHE_POLICY_UNCACHED), ZX_ERR_BAD_STATE);
    CLOSE(slice);
    EXPECT_OK(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED));
    CLOSE(vmo);
}

/* A clone of the parent is not disturbed by writes through a slice. */
TEST(VmoSlice, ClonedParent)
{
    zx_handle_t vmo = numbered_vmo(2, 1), slice = child_of(vmo, SLICE, 0, 2), clone;
    zx_vaddr_t at = map_pages(slice, READ_WRITE, 0, 2);

    *word_of(at, 0) = 10;
    clone = clone_of(vmo, 0, 2);
    *word_of(at, 0) = 11;
    set_word(slice, 1, 20);
    EXPECT_EQ(word_at(clone, 0), 10);
    EXPECT_EQ(word_at(clone, 1), 2);
    EXPECT_EQ(word_at(vmo, 0), 11);
    unmap_pages(at, 2);
    CLOSE(clone);
    CLOSE(slice);
    CLOSE(vmo);
}

/* A mapping that is longer than the slice shows nothing of the parent behind it. */
TEST(VmoSlice, MappedBeyondItsEnd)
{
    zx_handle_t vmo = numbered_vmo(3, 1), slice = child_of(vmo, SLICE, 0, 1);
    zx_vaddr_t at = map_pages(slice, READ_WRITE | ZX_VM_MAP_RANGE, 0, 3);

    EXPECT_EQ(*word_of(at, 0), 1);
    EXPECT_TRUE(read_probe(at + PAGE) != ZX_OK);
    EXPECT_TRUE(write_probe(at + 2 * PAGE) != ZX_OK);
    EXPECT_OK(zx_vmar_op_range(zx_vmar_root_self(), ZX_VMAR_OP_DECOMMIT, at, 3 * PAGE, NULL, 0));
    EXPECT_EQ(*word_of(at, 0), 0);
    EXPECT_EQ(word_at(vmo, 1), 2);
    unmap_pages(at, 3);
    CLOSE(slice);
    CLOSE(vmo);
}

/* A slice of a clone: the clone's pages as they come. */
TEST(VmoSlice, OfAClone)
{
    zx_handle_t vmo = numbered_vmo(2, 1), clone = clone_of(vmo, 0, 2);
    zx_handle_t slice = child_of(clone, SLICE, 1, 1);
    zx_vaddr_t at = map_pages(slice, READ_WRITE, 0, 1);

    EXPECT_EQ(*word_of(at, 0), 2);
    set_word(clone, 1, 20);
    EXPECT_EQ(*word_of(at, 0), 20);
    *word_of(at, 0) = 21;
    EXPECT_EQ(word_at(clone, 1), 21);
    EXPECT_EQ(word_at(vmo, 1), 2);
    unmap_pages(at, 1);
    CLOSE(slice);
    CLOSE(clone);
    CLOSE(vmo);
}
