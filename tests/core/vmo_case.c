/*
 * VMOs: sizes, properties, mappings of them, ranges, cache policies, executability.
 */
#include "memory.h"

TEST(VmoTestCase, SizesRoundUp)
{
    static const uint64_t sizes[] = {0, 1, 4095, 4096, 4097, 8191, 8192, 0x123456};

    for (int i = 0; i < 8; i++) {
        uint64_t size;
        zx_handle_t vmo;

        ASSERT_OK(zx_vmo_create(sizes[i], 0, &vmo));
        EXPECT_OK(zx_vmo_get_size(vmo, &size));
        EXPECT_EQ(size, (sizes[i] + PAGE - 1) / PAGE * PAGE);
        CLOSE(vmo);
    }
}

TEST(VmoTestCase, ResizeRoundsUp)
{
    zx_handle_t vmo = new_resizable(0);

    for (uint64_t size = 1; size <= 5 * PAGE; size += 1365) {
        EXPECT_OK(zx_vmo_set_size(vmo, size));
        EXPECT_EQ(pages_of(vmo), (size + PAGE - 1) / PAGE);
    }
    CLOSE(vmo);
}

TEST(VmoTestCase, GetSizeBadArguments)
{
    zx_handle_t vmo = new_vmo(1), weak = without_rights(vmo, ~(zx_rights_t)0);
    uint64_t size;

    EXPECT_OK(zx_vmo_get_size(weak, &size)); /* needs no right */
    EXPECT_STATUS(zx_vmo_get_size(vmo, UNMAPPED), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_get_size(zx_process_self(), &size), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_vmo_get_size(closed_handle(), &size), ZX_ERR_BAD_HANDLE);
    CLOSE(weak);
    CLOSE(vmo);
}

TEST(VmoTestCase, LargestSize)
{
    zx_handle_t vmo;

    EXPECT_STATUS(zx_vmo_create(UINT64_MAX - PAGE, 0, &vmo), ZX_ERR_OUT_OF_RANGE);
    ASSERT_OK(zx_vmo_create(1ull << 62, ZX_VMO_RESIZABLE, &vmo));
    set_word(vmo, (1ull << 50) - 1, 5);
    EXPECT_EQ(word_at(vmo, (1ull << 50) - 1), 5);
    EXPECT_STATUS(zx_vmo_set_size(vmo, UINT64_MAX), ZX_ERR_OUT_OF_RANGE);
    EXPECT_EQ(pages_of(vmo), 1ull << 50);
    EXPECT_EQ(committed_pages(vmo), 1);
    CLOSE(vmo);
}

TEST(VmoTestCase, ContentSize)
{
    zx_handle_t vmo;
    uint64_t size = 0;

    ASSERT_OK(zx_vmo_create(100, ZX_VMO_RESIZABLE, &vmo));
    EXPECT_OK(zx_object_get_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, &size, sizeof(size)));
    EXPECT_EQ(size, 100);
    size = 50;
    EXPECT_OK(zx_object_set_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, &size, sizeof(size)));
    size = 0;
    EXPECT_OK(zx_object_get_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, &size, sizeof(size)));
    EXPECT_EQ(size, 50);
    EXPECT_EQ(pages_of(vmo), 1);
    EXPECT_STATUS(zx_object_get_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, &size, 4),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_STATUS(
        zx_object_get_property(zx_process_self(), ZX_PROP_VMO_CONTENT_SIZE, &size, sizeof(size)),
        ZX_ERR_WRONG_TYPE);
    CLOSE(vmo);
}

/* ---- Read and write ------------------------------------------------------------------------ */

/* Lengths that wrap, and ranges that begin behind the end. */
TEST(VmoTestCase, ReadWriteBadLengths)
{
    zx_handle_t vmo = new_vmo(1);
    char byte = 0;

    EXPECT_STATUS(zx_vmo_read(vmo, &byte, 0, SIZE_MAX), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_write(vmo, &byte, 0, SIZE_MAX), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_read(vmo, &byte, UINT64_MAX, 2), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_read(vmo, &byte, PAGE + 1, 0), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_write(vmo, &byte, PAGE + 1, 0), ZX_ERR_OUT_OF_RANGE);
    EXPECT_EQ(committed_pages(vmo), 0);
    CLOSE(vmo);
}

/* Every start and length around page borders. */
TEST(VmoTestCase, ReadWriteAroundBorders)
{
    zx_handle_t vmo = new_vmo(3);
    static uint8_t image[3 * 4096], bytes[3 * 4096];

    for (uint64_t start = PAGE - 2; start <= PAGE + 2; start++) {
        for (uint64_t end = 2 * PAGE - 2; end <= 2 * PAGE + 2; end++) {
            memset(image + start, (int)(start + end), end - start);
            ASSERT_OK(zx_vmo_write(vmo, image + start, start, end - start));
            ASSERT_OK(zx_vmo_read(vmo, bytes, 0, sizeof(bytes)));
            ASSERT_EQ(memcmp(bytes, image, sizeof(image)), 0);
        }
    }
    CLOSE(vmo);
}

/* The user's side of the copy is memory of the same VMO. */
TEST(VmoTestCase, CopyOntoItself)
{
    zx_handle_t vmo = numbered_vmo(2, 1);
    zx_vaddr_t at = map_pages(vmo, READ_WRITE, 0, 2);

    EXPECT_OK(zx_vmo_read(vmo, (void *)(at + PAGE), 0, PAGE));
    EXPECT_EQ(*word_of(at, 1), 1);
    *word_of(at, 1) = 7;
    EXPECT_OK(zx_vmo_write(vmo, (const void *)(at + PAGE), 0, PAGE));
    EXPECT_EQ(word_at(vmo, 0), 7);
    unmap_pages(at, 2);
    CLOSE(vmo);
}

/* A buffer that ends in unmapped memory: what lies before is copied. */
TEST(VmoTestCase, CopyUpToABadPage)
{
    zx_handle_t vmo = numbered_vmo(2, 1), target = new_vmo(2);
    zx_vaddr_t at = map_pages(target, READ_WRITE, 0, 2);

    unmap_pages(at + PAGE, 1);
    EXPECT_TRUE(zx_vmo_read(vmo, (void *)at, 0, 2 * PAGE) != ZX_OK);
    EXPECT_EQ(*word_of(at, 0), 1);
    EXPECT_OK(zx_vmar_protect(zx_vmar_root_self(), ZX_VM_PERM_READ, at, PAGE));
    EXPECT_TRUE(zx_vmo_read(vmo, (void *)at, PAGE, PAGE) != ZX_OK);
    EXPECT_EQ(*word_of(at, 0), 1);
    unmap_pages(at, 1);
    CLOSE(target);
    CLOSE(vmo);
}

TEST(VmoTestCase, ReadWriteUncached)
{
    zx_handle_t vmo = new_vmo(1);
    uint64_t word = 0;

    ASSERT_OK(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED));
    EXPECT_STATUS(zx_vmo_read(vmo, &word, 0, 8), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmo_write(vmo, &word, 0, 8), ZX_ERR_BAD_STATE);
    CLOSE(vmo);
}

TEST(VmoTestCase, Physical)
{
    zx_handle_t vmo;
    uint64_t word = 0;

    EXPECT_STATUS(zx_vmo_create_physical(closed_handle(), 0xfee00000, PAGE, &vmo),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_vmo_create_physical(root_resource(), 0xfee00000, 0, &vmo),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_physical(root_resource(), 0xfee00001, PAGE, &vmo),
                  ZX_ERR_INVALID_ARGS);
    ASSERT_OK(zx_vmo_create_physical(root_resource(), 0xfee00000, PAGE, &vmo));
    EXPECT_EQ(vmo_info(vmo).flags & ZX_INFO_VMO_TYPE_PAGED, 0);
    EXPECT_EQ(vmo_info(vmo).cache_policy, ZX_CACHE_POLICY_UNCACHED);
    EXPECT_STATUS(zx_vmo_read(vmo, &word, 0, 8), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_vmo_set_size(vmo, PAGE), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(commit(vmo, 0, 1), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(decommit(vmo, 0, 1), ZX_ERR_NOT_SUPPORTED);
    CLOSE(vmo);
}

/* A device's memory is nothing that a system call copies from or to. */
TEST(VmoTestCase, PhysicalUserPointer)
{
    zx_handle_t device, vmo = new_vmo(1);
    zx_vaddr_t at;

    ASSERT_OK(zx_vmo_create_physical(root_resource(), 0xfee00000, PAGE, &device));
    at = map_pages(device, READ_WRITE, 0, 1);
    EXPECT_STATUS(zx_vmo_read(vmo, (void *)at, 0, 8), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_write(vmo, (void *)at, 0, 8), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_get_size(vmo, (uint64_t *)at), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_set_property(vmo, ZX_PROP_NAME, (void *)at, 4), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_wait((zx_futex_t *)at, 0, ZX_HANDLE_INVALID, 0), ZX_ERR_INVALID_ARGS);
    unmap_pages(at, 1);
    CLOSE(device);
    CLOSE(vmo);
}

/* ---- Mapped -------------------------------------------------------------------------------- */

/* Reading what was never written shows zeros and costs nothing; the first write costs a page. */
TEST(VmoTestCase, FirstTouch)
{
    zx_handle_t vmo = new_vmo(64);
    zx_vaddr_t at = map_pages(vmo, READ_WRITE, 0, 64);

    for (uint64_t i = 0; i < 64; i++)
        ASSERT_EQ(*word_of(at, i), 0);
    EXPECT_EQ(committed_pages(vmo), 0);
    for (uint64_t i = 0; i < 64; i += 2)
        *word_of(at, i) = i + 1;
    EXPECT_EQ(committed_pages(vmo), 32);
    for (uint64_t i = 0; i < 64; i++)
        ASSERT_EQ(word_at(vmo, i), i % 2 ? 0 : i + 1);
    unmap_pages(at, 64);
    CLOSE(vmo);
}

/* A page written by call shows in a mapping that showed zeros before. */
TEST(VmoTestCase, WriteShowsInMapping)
{
    zx_handle_t vmo = new_vmo(2);
    zx_vaddr_t one = map_pages(vmo, ZX_VM_PERM_READ, 0, 2), two = map_pages(vmo, READ_WRITE, 0, 2);

    EXPECT_EQ(*word_of(one, 1), 0);
    set_word(vmo, 1, 5);
    EXPECT_EQ(*word_of(one, 1), 5);
    *word_of(two, 0) = 6;
    EXPECT_EQ(*word_of(one, 0), 6);
    unmap_pages(two, 2);
    unmap_pages(one, 2);
    CLOSE(vmo);
}

TEST(VmoTestCase, GrowingUnderAMapping)
{
    zx_handle_t vmo = new_resizable(1);
    zx_vaddr_t at = map_pages(vmo, READ_WRITE, 0, 3);

    EXPECT_TRUE(read_probe(at + PAGE) != ZX_OK);
    EXPECT_OK(zx_vmo_set_size(vmo, 3 * PAGE));
    *word_of(at, 2) = 4;
    EXPECT_EQ(word_at(vmo, 2), 4);
    unmap_pages(at, 3);
    CLOSE(vmo);
}

TEST(VmoTestCase, ShrinkingToNothing)
{
    uint64_t pages = all_vmo_pages();
    zx_handle_t vmo = new_resizable(40);

    EXPECT_OK(commit(vmo, 0, 40));
    EXPECT_EQ(all_vmo_pages(), pages + 40);
    EXPECT_OK(zx_vmo_set_size(vmo, 0));
    EXPECT_EQ(all_vmo_pages(), pages);
    EXPECT_EQ(pages_of(vmo), 0);
    CLOSE(vmo);
}

TEST(VmoTestCase, MappingCountAndShareCount)
{
    zx_handle_t vmo = new_vmo(1);
    zx_vaddr_t one = map_pages(vmo, ZX_VM_PERM_READ, 0, 1);
    zx_vaddr_t two = map_pages(vmo, ZX_VM_PERM_READ, 0, 1);

    EXPECT_EQ(vmo_info(vmo).num_mappings, 2);
    EXPECT_EQ(vmo_info(vmo).share_count, 1); /* one address space */
    unmap_pages(one, 1);
    unmap_pages(two, 1);
    EXPECT_EQ(vmo_info(vmo).num_mappings, 0);
    EXPECT_EQ(vmo_info(vmo).share_count, 0);
    CLOSE(vmo);
}

TEST(VmoTestCase, RequireNonResizable)
{
    zx_handle_t fixed = new_vmo(1), resizable = new_resizable(1);
    zx_vaddr_t at;

    EXPECT_STATUS(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_REQUIRE_NON_RESIZABLE, 0,
                              resizable, 0, PAGE, &at),
                  ZX_ERR_NOT_SUPPORTED);
    at = map_pages(fixed, ZX_VM_PERM_READ | ZX_VM_REQUIRE_NON_RESIZABLE, 0, 1);
    unmap_pages(at, 1);
    at = map_pages(resizable, ZX_VM_PERM_READ | ZX_VM_ALLOW_FAULTS, 0, 1);
    unmap_pages(at, 1);
    CLOSE(resizable);
    CLOSE(fixed);
}

/* ---- Ranges -------------------------------------------------------------------------------- */

TEST(VmoTestCase, CommitUnaligned)
{
    zx_handle_t vmo = new_vmo(4);

    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, PAGE + 100, PAGE, NULL, 0));
    EXPECT_EQ(committed_pages(vmo), 2); /* every page that the range touches */
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 0, 0, NULL, 0));
    EXPECT_EQ(committed_pages(vmo), 2);
    EXPECT_OK(commit(vmo, 3, 100)); /* the part behind the end is left out */
    EXPECT_EQ(committed_pages(vmo), 3);
    CLOSE(vmo);
}

/* Committed pages are zero and their content is kept by committing again. */
TEST(VmoTestCase, CommitKeepsContent)
{
    zx_handle_t vmo = new_vmo(2);

    set_word(vmo, 0, 5);
    EXPECT_OK(commit(vmo, 0, 2));
    EXPECT_EQ(word_at(vmo, 0), 5);
    EXPECT_EQ(word_at(vmo, 1), 0);
    CLOSE(vmo);
}

TEST(VmoTestCase, Decommit)
{
    uint64_t pages = all_vmo_pages();
    zx_handle_t vmo = numbered_vmo(4, 1);
    zx_vaddr_t at = map_pages(vmo, READ_WRITE, 0, 4);

    EXPECT_EQ(*word_of(at, 1), 2);
    EXPECT_OK(decommit(vmo, 1, 2));
    EXPECT_EQ(all_vmo_pages(), pages + 2);
    EXPECT_EQ(*word_of(at, 1), 0);
    *word_of(at, 1) = 9;
    EXPECT_EQ(word_at(vmo, 1), 9);
    EXPECT_EQ(word_at(vmo, 0), 1);
    EXPECT_STATUS(zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, 0, 100, NULL, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(decommit(vmo, 3, 100));
    EXPECT_STATUS(decommit(vmo, 5, 1), ZX_ERR_OUT_OF_RANGE);
    unmap_pages(at, 4);
    CLOSE(vmo);
}

TEST(VmoTestCase, DecommitRights)
{
    zx_handle_t vmo = numbered_vmo(1, 1), weak = without_rights(vmo, ZX_RIGHT_WRITE);

    EXPECT_STATUS(decommit(weak, 0, 1), ZX_ERR_ACCESS_DENIED);
    EXPECT_EQ(word_at(weak, 0), 1);
    CLOSE(weak);
    CLOSE(vmo);
}

TEST(VmoTestCase, CacheOperations)
{
    static const uint32_t reading[] = {ZX_VMO_OP_CACHE_SYNC, ZX_VMO_OP_CACHE_CLEAN,
                                       ZX_VMO_OP_CACHE_CLEAN_INVALIDATE};
    zx_handle_t vmo = new_vmo(2), weak = without_rights(vmo, ZX_RIGHT_READ);

    for (int i = 0; i < 3; i++) {
        EXPECT_OK(zx_vmo_op_range(vmo, reading[i], 5, PAGE, NULL, 0));
        EXPECT_STATUS(zx_vmo_op_range(weak, reading[i], 0, PAGE, NULL, 0), ZX_ERR_ACCESS_DENIED);
        EXPECT_STATUS(zx_vmo_op_range(vmo, reading[i], 0, 0, NULL, 0), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_vmo_op_range(vmo, reading[i], PAGE, PAGE + 1, NULL, 0),
                      ZX_ERR_OUT_OF_RANGE);
        EXPECT_STATUS(zx_vmo_op_range(vmo, reading[i], PAGE, UINT64_MAX, NULL, 0),
                      ZX_ERR_OUT_OF_RANGE);
    }
    EXPECT_OK(zx_vmo_op_range(weak, ZX_VMO_OP_CACHE_INVALIDATE, 0, PAGE, NULL, 0));
    CLOSE(weak);
    CLOSE(vmo);
}

TEST(VmoTestCase, CachePolicy)
{
    zx_handle_t vmo = new_vmo(1), weak = without_rights(vmo, ZX_RIGHT_MAP);
    zx_vaddr_t at;

    EXPECT_STATUS(zx_vmo_set_cache_policy(vmo, 4), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_set_cache_policy(weak, ZX_CACHE_POLICY_UNCACHED), ZX_ERR_ACCESS_DENIED);
    for (uint32_t policy = 0; policy <= 3; policy++) {
        EXPECT_OK(zx_vmo_set_cache_policy(vmo, policy));
        EXPECT_EQ(vmo_info(vmo).cache_policy, policy);
    }
    at = map_pages(vmo, READ_WRITE, 0, 1);
    EXPECT_STATUS(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_CACHED), ZX_ERR_BAD_STATE);
    *word_of(at, 0) = 1;
    unmap_pages(at, 1);
    /* Pages that were used uncached keep it so. */
    EXPECT_STATUS(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_CACHED), ZX_ERR_BAD_STATE);
    CLOSE(weak);
    CLOSE(vmo);
}

TEST(VmoTestCase, CachePolicyOfRelatives)
{
    zx_handle_t vmo = new_vmo(1), clone = clone_of(vmo, 0, 1);

    EXPECT_STATUS(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmo_set_cache_policy(clone, ZX_CACHE_POLICY_UNCACHED), ZX_ERR_BAD_STATE);
    CLOSE(clone);
    EXPECT_OK(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED));
    CLOSE(vmo);
}

/* From cached, pages that are there may change; a pin forbids it. */
TEST(VmoTestCase, CachePolicyOfCommittedPages)
{
    zx_handle_t bti = new_bti(), vmo = numbered_vmo(1, 5), pmt = pin_pages(bti, vmo, 0, 1);

    EXPECT_STATUS(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_pmt_unpin(pmt));
    EXPECT_OK(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED));
    zx_vaddr_t at = map_pages(vmo, ZX_VM_PERM_READ, 0, 1);
    EXPECT_EQ(*word_of(at, 0), 5);
    unmap_pages(at, 1);
    CLOSE(vmo);
    CLOSE(bti);
}

/* ---- Rights -------------------------------------------------------------------------------- */

TEST(VmoTestCase, NewVmosAreNotExecutable)
{
    zx_handle_t vmo = new_vmo(1), executable, weak;
    zx_vaddr_t at;

    EXPECT_STATUS(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, 0, vmo, 0,
                              PAGE, &at),
                  ZX_ERR_ACCESS_DENIED);
    weak = without_rights(vmo, ZX_RIGHT_WRITE);
    ASSERT_OK(zx_vmo_replace_as_executable(weak, ZX_HANDLE_INVALID, &executable));
    EXPECT_EQ(basic_info(executable).rights & (ZX_RIGHT_WRITE | ZX_RIGHT_EXECUTE),
              ZX_RIGHT_EXECUTE);
    at = map_pages(executable, ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, 0, 1);
    unmap_pages(at, 1);
    EXPECT_EQ(basic_info(vmo).rights, ZX_DEFAULT_VMO_RIGHTS); /* the other handle is as it was */
    CLOSE(executable);
    CLOSE(vmo);
}

TEST(VmoTestCase, ReplaceAsExecutableBadArguments)
{
    zx_handle_t event, executable, vmo = new_vmo(1);

    EXPECT_STATUS(zx_vmo_replace_as_executable(closed_handle(), ZX_HANDLE_INVALID, &executable),
                  ZX_ERR_BAD_HANDLE);
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_vmo_replace_as_executable(event, ZX_HANDLE_INVALID, &executable),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_close(event), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_vmo_replace_as_executable(vmo, closed_handle(), &executable),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_close(vmo), ZX_ERR_BAD_HANDLE);
}
