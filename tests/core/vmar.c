/*
 * Address regions and mappings.
 */
#include "test.h"

#define PAGE       ((uint64_t)4096)
#define READ_WRITE (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)
#define CAN_MAP_ALL                                                                                \
    (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE | ZX_VM_CAN_MAP_SPECIFIC)

struct region {
    zx_handle_t vmar;
    zx_vaddr_t base;
};

/* Sixteen pages of address space in which anything may be mapped. */
static struct region make_region(void)
{
    struct region r;

    ASSERT_OK(zx_vmar_allocate(zx_vmar_root_self(), CAN_MAP_ALL, 0, 16 * PAGE, &r.vmar, &r.base));
    return r;
}

static void destroy(struct region r)
{
    EXPECT_OK(zx_vmar_destroy(r.vmar));
    CLOSE(r.vmar);
}

static zx_handle_t make_vmo(uint64_t size)
{
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(size, 0, &vmo));
    return vmo;
}

/* Whether the kernel can read and write there: a copy that fails tells, and nobody dies. */
static bool readable(zx_vaddr_t address)
{
    zx_handle_t vmo = make_vmo(PAGE);
    zx_status_t status = zx_vmo_write(vmo, (const void *)address, 0, 1);

    CLOSE(vmo);
    return status == ZX_OK;
}

static bool writable(zx_vaddr_t address)
{
    zx_handle_t vmo = make_vmo(PAGE);
    zx_status_t status = zx_vmo_read(vmo, (void *)address, 0, 1);

    CLOSE(vmo);
    return status == ZX_OK;
}

TEST(Vmar, Allocate)
{
    struct region r = make_region();
    zx_info_vmar_t info;

    EXPECT_EQ(basic_info(r.vmar).type, ZX_OBJ_TYPE_VMAR);
    EXPECT_EQ(basic_info(r.vmar).rights,
              ZX_DEFAULT_VMAR_RIGHTS | ZX_RIGHT_READ | ZX_RIGHT_WRITE | ZX_RIGHT_EXECUTE);
    ASSERT_OK(zx_object_get_info(r.vmar, ZX_INFO_VMAR, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.base, r.base);
    EXPECT_EQ(info.len, 16 * PAGE);
    EXPECT_EQ(r.base % PAGE, 0);
    EXPECT_TRUE(!readable(r.base));
    destroy(r);
}

TEST(Vmar, RootIsTheUsersAddressSpace)
{
    zx_info_vmar_t info;

    ASSERT_OK(
        zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, &info, sizeof(info), NULL, NULL));
    EXPECT_TRUE(is_user_space(info.base, info.len));
}

TEST(Vmar, AllocateSpecific)
{
    struct region r = make_region();
    zx_handle_t inner, other;
    zx_vaddr_t address;

    ASSERT_OK(zx_vmar_allocate(r.vmar, CAN_MAP_ALL | ZX_VM_SPECIFIC, 4 * PAGE, 4 * PAGE, &inner,
                               &address));
    EXPECT_EQ(address, r.base + 4 * PAGE);
    EXPECT_STATUS(
        zx_vmar_allocate(r.vmar, CAN_MAP_ALL | ZX_VM_SPECIFIC, 7 * PAGE, PAGE, &other, &address),
        ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_vmar_allocate(r.vmar, CAN_MAP_ALL | ZX_VM_SPECIFIC, 15 * PAGE, 2 * PAGE,
                                   &other, &address),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_allocate(r.vmar, CAN_MAP_ALL | ZX_VM_SPECIFIC, 1, PAGE, &other, &address),
                  ZX_ERR_INVALID_ARGS);
    CLOSE(inner);
    destroy(r);
}

TEST(Vmar, AllocateBadArguments)
{
    struct region r = make_region();
    zx_handle_t inner;
    zx_vaddr_t address;

    EXPECT_STATUS(zx_vmar_allocate(r.vmar, 0, 0, 0, &inner, &address), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_allocate(r.vmar, 0, 0, 1, &inner, &address), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_allocate(r.vmar, 0, PAGE, PAGE, &inner, &address),
                  ZX_ERR_INVALID_ARGS); /* an offset without SPECIFIC */
    EXPECT_STATUS(zx_vmar_allocate(r.vmar, ZX_VM_PERM_READ, 0, PAGE, &inner, &address),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_allocate(r.vmar, 0, 0, 17 * PAGE, &inner, &address),
                  ZX_ERR_INVALID_ARGS); /* more than the region has */
    EXPECT_STATUS(zx_vmar_allocate(r.vmar, 0, 0, PAGE, UNMAPPED, &address), ZX_ERR_INVALID_ARGS);
    destroy(r);
}

TEST(Vmar, Full)
{
    struct region r = make_region();
    zx_handle_t inner, other, vmo = make_vmo(PAGE);
    zx_vaddr_t address;

    ASSERT_OK(zx_vmar_allocate(r.vmar, 0, 0, 10 * PAGE, &inner, &address));
    EXPECT_STATUS(zx_vmar_allocate(r.vmar, 0, 0, 10 * PAGE, &other, &address), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_vmar_map(r.vmar, ZX_VM_PERM_READ, 0, vmo, 0, 10 * PAGE, &address),
                  ZX_ERR_NO_MEMORY);
    CLOSE(vmo);
    CLOSE(inner);
    destroy(r);
}

/* All of a region can be used up page by page, wherever the kernel likes to put things. */
TEST(Vmar, EveryPageCanBeFound)
{
    struct region r = make_region();
    zx_handle_t vmo = make_vmo(PAGE);
    zx_vaddr_t address;

    for (int i = 0; i < 16; i++)
        ASSERT_OK(zx_vmar_map(r.vmar, ZX_VM_PERM_READ, 0, vmo, 0, PAGE, &address));
    EXPECT_STATUS(zx_vmar_map(r.vmar, ZX_VM_PERM_READ, 0, vmo, 0, PAGE, &address),
                  ZX_ERR_NO_MEMORY);
    CLOSE(vmo);
    destroy(r);
}

TEST(Vmar, ChildrenCannotDoMore)
{
    struct region r = make_region();
    zx_handle_t inner, innermost, vmo = make_vmo(PAGE);
    zx_vaddr_t address;

    ASSERT_OK(zx_vmar_allocate(r.vmar, ZX_VM_CAN_MAP_READ, 0, 4 * PAGE, &inner, &address));
    EXPECT_STATUS(zx_vmar_allocate(inner, ZX_VM_CAN_MAP_WRITE, 0, PAGE, &innermost, &address),
                  ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_vmar_map(inner, READ_WRITE, 0, vmo, 0, PAGE, &address), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_vmar_map(inner, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 0, vmo, 0, PAGE, &address),
                  ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_vmar_map(inner, ZX_VM_PERM_READ, 0, vmo, 0, PAGE, &address));
    CLOSE(vmo);
    CLOSE(inner);
    destroy(r);
}

TEST(Vmar, MapReadWrite)
{
    struct region r = make_region();
    zx_handle_t vmo = make_vmo(2 * PAGE);
    zx_vaddr_t address;
    uint64_t word = 0;

    ASSERT_OK(zx_vmar_map(r.vmar, READ_WRITE, 0, vmo, 0, 2 * PAGE, &address));
    EXPECT_TRUE(address >= r.base && address + 2 * PAGE <= r.base + 16 * PAGE);
    *(volatile uint64_t *)(address + PAGE) = 0x1122334455667788;
    EXPECT_OK(zx_vmo_read(vmo, &word, PAGE, sizeof(word)));
    EXPECT_EQ(word, 0x1122334455667788);
    word = 99;
    EXPECT_OK(zx_vmo_write(vmo, &word, 0, sizeof(word)));
    EXPECT_EQ(*(volatile uint64_t *)address, 99);
    CLOSE(vmo);
    EXPECT_EQ(*(volatile uint64_t *)address, 99); /* the mapping keeps it alive */
    destroy(r);
}

TEST(Vmar, MapTwice)
{
    struct region r = make_region();
    zx_handle_t vmo = make_vmo(PAGE);
    zx_vaddr_t one, two;
    zx_info_vmo_t info;

    ASSERT_OK(zx_vmar_map(r.vmar, READ_WRITE, 0, vmo, 0, PAGE, &one));
    ASSERT_OK(zx_vmar_map(r.vmar, ZX_VM_PERM_READ, 0, vmo, 0, PAGE, &two));
    EXPECT_TRUE(one != two);
    *(volatile int *)one = 7;
    EXPECT_EQ(*(volatile int *)two, 7);
    ASSERT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.num_mappings, 2);
    EXPECT_TRUE(writable(one));
    EXPECT_TRUE(!writable(two));
    CLOSE(vmo);
    destroy(r);
}

TEST(Vmar, MapAtAnOffsetOfTheVmo)
{
    struct region r = make_region();
    zx_handle_t vmo = make_vmo(4 * PAGE);
    zx_vaddr_t address;
    uint8_t byte = 5;

    ASSERT_OK(zx_vmo_write(vmo, &byte, 2 * PAGE, 1));
    ASSERT_OK(zx_vmar_map(r.vmar, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 3 * PAGE, vmo, 2 * PAGE, PAGE,
                          &address));
    EXPECT_EQ(address, r.base + 3 * PAGE);
    EXPECT_EQ(*(volatile uint8_t *)address, 5);
    CLOSE(vmo);
    destroy(r);
}

TEST(Vmar, MapBadArguments)
{
    struct region r = make_region();
    zx_handle_t vmo = make_vmo(PAGE);
    zx_vaddr_t address;

    EXPECT_STATUS(zx_vmar_map(r.vmar, ZX_VM_PERM_READ, 0, vmo, 0, 0, &address),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_map(r.vmar, ZX_VM_PERM_READ, PAGE, vmo, 0, PAGE, &address),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_map(r.vmar, ZX_VM_PERM_READ, 0, vmo, 1, PAGE, &address),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_map(r.vmar, ZX_VM_PERM_WRITE, 0, vmo, 0, PAGE, &address),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(
        zx_vmar_map(r.vmar, ZX_VM_PERM_READ | ZX_VM_CAN_MAP_READ, 0, vmo, 0, PAGE, &address),
        ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_map(r.vmar, ZX_VM_PERM_READ | ZX_VM_MAP_RANGE | ZX_VM_SPECIFIC_OVERWRITE,
                              0, vmo, 0, PAGE, &address),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_map(r.vmar, ZX_VM_PERM_READ, 0, r.vmar, 0, PAGE, &address),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_vmar_map(vmo, ZX_VM_PERM_READ, 0, vmo, 0, PAGE, &address), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_vmar_map(r.vmar, ZX_VM_PERM_READ, 0, vmo, 0, 17 * PAGE, &address),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_map(r.vmar, ZX_VM_PERM_READ, 0, vmo, 0, PAGE, UNMAPPED),
                  ZX_ERR_INVALID_ARGS);
    CLOSE(vmo);
    destroy(r);
}

TEST(Vmar, MapRights)
{
    struct region r = make_region();
    zx_handle_t vmo = make_vmo(PAGE), weak;
    zx_vaddr_t address;

    weak = without_rights(vmo, ZX_RIGHT_MAP);
    EXPECT_STATUS(zx_vmar_map(r.vmar, ZX_VM_PERM_READ, 0, weak, 0, PAGE, &address),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    weak = without_rights(vmo, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_vmar_map(r.vmar, READ_WRITE, 0, weak, 0, PAGE, &address),
                  ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_vmar_map(r.vmar, ZX_VM_PERM_READ, 0, weak, 0, PAGE, &address));
    EXPECT_STATUS(zx_vmar_protect(r.vmar, READ_WRITE, address, PAGE), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    EXPECT_STATUS(
        zx_vmar_map(r.vmar, ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, 0, vmo, 0, PAGE, &address),
        ZX_ERR_ACCESS_DENIED);
    weak = without_rights(r.vmar, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_vmar_map(weak, READ_WRITE, 0, vmo, 0, PAGE, &address), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    CLOSE(vmo);
    destroy(r);
}

TEST(Vmar, SpecificOverwrite)
{
    struct region r = make_region();
    zx_handle_t one = make_vmo(3 * PAGE), two = make_vmo(PAGE);
    zx_vaddr_t address;
    uint8_t byte = 1;

    for (uint64_t i = 0; i < 3; i++)
        ASSERT_OK(zx_vmo_write(one, &byte, i * PAGE, 1));
    ASSERT_OK(zx_vmar_map(r.vmar, READ_WRITE | ZX_VM_SPECIFIC, 0, one, 0, 3 * PAGE, &address));
    EXPECT_STATUS(zx_vmar_map(r.vmar, READ_WRITE | ZX_VM_SPECIFIC, PAGE, two, 0, PAGE, &address),
                  ZX_ERR_NO_MEMORY);
    EXPECT_OK(
        zx_vmar_map(r.vmar, READ_WRITE | ZX_VM_SPECIFIC_OVERWRITE, PAGE, two, 0, PAGE, &address));
    EXPECT_EQ(*(volatile uint8_t *)r.base, 1);
    EXPECT_EQ(*(volatile uint8_t *)(r.base + PAGE), 0);
    EXPECT_EQ(*(volatile uint8_t *)(r.base + 2 * PAGE), 1);
    CLOSE(one);
    CLOSE(two);
    destroy(r);
}

TEST(Vmar, MapRangeFillsIn)
{
    struct region r = make_region();
    zx_handle_t vmo = make_vmo(2 * PAGE);
    zx_vaddr_t address;
    uint8_t byte = 9;

    ASSERT_OK(zx_vmo_write(vmo, &byte, PAGE, 1));
    ASSERT_OK(zx_vmar_map(r.vmar, READ_WRITE | ZX_VM_MAP_RANGE, 0, vmo, 0, 2 * PAGE, &address));
    EXPECT_EQ(*(volatile uint8_t *)(address + PAGE), 9);
    EXPECT_EQ(*(volatile uint8_t *)address, 0);
    *(volatile uint8_t *)address = 4;
    EXPECT_OK(zx_vmo_read(vmo, &byte, 0, 1));
    EXPECT_EQ(byte, 4);
    CLOSE(vmo);
    destroy(r);
}

TEST(Vmar, MappedCloneIsPrivate)
{
    struct region r = make_region();
    zx_handle_t vmo = make_vmo(PAGE), child;
    zx_vaddr_t original, copy;

    ASSERT_OK(zx_vmar_map(r.vmar, READ_WRITE, 0, vmo, 0, PAGE, &original));
    *(volatile int *)original = 1;
    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child));
    ASSERT_OK(zx_vmar_map(r.vmar, READ_WRITE, 0, child, 0, PAGE, &copy));
    *(volatile int *)original = 2; /* a page that was mapped writable before the snapshot */
    EXPECT_EQ(*(volatile int *)copy, 1);
    *(volatile int *)copy = 3;
    EXPECT_EQ(*(volatile int *)original, 2);
    CLOSE(child);
    CLOSE(vmo);
    destroy(r);
}

TEST(Vmar, Unmap)
{
    struct region r = make_region();
    zx_handle_t vmo = make_vmo(3 * PAGE);
    zx_vaddr_t address;

    ASSERT_OK(zx_vmar_map(r.vmar, READ_WRITE | ZX_VM_SPECIFIC, 0, vmo, 0, 3 * PAGE, &address));
    EXPECT_OK(zx_vmar_unmap(r.vmar, address + PAGE, PAGE));
    EXPECT_TRUE(readable(address));
    EXPECT_TRUE(!readable(address + PAGE));
    EXPECT_TRUE(readable(address + 2 * PAGE));
    EXPECT_OK(zx_vmar_unmap(r.vmar, address, 3 * PAGE)); /* holes are fine */
    EXPECT_OK(zx_vmar_unmap(r.vmar, address, 3 * PAGE)); /* so is nothing at all */
    EXPECT_TRUE(!readable(address));
    CLOSE(vmo);
    destroy(r);
}

TEST(Vmar, UnmapBadArguments)
{
    struct region r = make_region();

    EXPECT_STATUS(zx_vmar_unmap(r.vmar, r.base, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_unmap(r.vmar, r.base + 1, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_unmap(r.vmar, r.base - PAGE, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_unmap(r.vmar, r.base, 17 * PAGE), ZX_ERR_INVALID_ARGS);
    destroy(r);
}

TEST(Vmar, UnmapAndChildRegions)
{
    struct region r = make_region();
    zx_handle_t inner;
    zx_vaddr_t address;

    ASSERT_OK(zx_vmar_allocate(r.vmar, CAN_MAP_ALL | ZX_VM_SPECIFIC, 2 * PAGE, 2 * PAGE, &inner,
                               &address));
    EXPECT_STATUS(zx_vmar_unmap(r.vmar, r.base + 3 * PAGE, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_vmar_unmap(r.vmar, r.base, 16 * PAGE)); /* covers it: it is destroyed */
    EXPECT_STATUS(zx_vmar_destroy(inner), ZX_ERR_BAD_STATE);
    CLOSE(inner);
    destroy(r);
}

TEST(Vmar, Protect)
{
    struct region r = make_region();
    zx_handle_t vmo = make_vmo(3 * PAGE);
    zx_vaddr_t address;

    ASSERT_OK(zx_vmar_map(r.vmar, READ_WRITE, 0, vmo, 0, 3 * PAGE, &address));
    *(volatile int *)(address + PAGE) = 5;
    EXPECT_OK(zx_vmar_protect(r.vmar, ZX_VM_PERM_READ, address + PAGE, PAGE));
    EXPECT_TRUE(writable(address));
    EXPECT_TRUE(!writable(address + PAGE));
    EXPECT_TRUE(readable(address + PAGE));
    EXPECT_TRUE(writable(address + 2 * PAGE));
    EXPECT_OK(zx_vmar_protect(r.vmar, 0, address, 3 * PAGE));
    EXPECT_TRUE(!readable(address));
    EXPECT_OK(zx_vmar_protect(r.vmar, READ_WRITE, address, 3 * PAGE));
    EXPECT_EQ(*(volatile int *)(address + PAGE), 5);
    *(volatile int *)(address + PAGE) = 6;
    CLOSE(vmo);
    destroy(r);
}

TEST(Vmar, ProtectBadArguments)
{
    struct region r = make_region();
    zx_handle_t vmo = make_vmo(2 * PAGE);
    zx_vaddr_t address;

    ASSERT_OK(zx_vmar_map(r.vmar, READ_WRITE | ZX_VM_SPECIFIC, 0, vmo, 0, 2 * PAGE, &address));
    EXPECT_STATUS(zx_vmar_protect(r.vmar, ZX_VM_PERM_WRITE, address, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_protect(r.vmar, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, address, PAGE),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_protect(r.vmar, ZX_VM_PERM_READ, address, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_protect(r.vmar, ZX_VM_PERM_READ, address + 1, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_protect(r.vmar, ZX_VM_PERM_READ, r.base - PAGE, PAGE),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_protect(r.vmar, ZX_VM_PERM_READ, address, 3 * PAGE), ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(zx_vmar_protect(r.vmar, ZX_VM_PERM_READ, address + 2 * PAGE, PAGE),
                  ZX_ERR_NOT_FOUND);
    EXPECT_TRUE(writable(address)); /* nothing was changed on the way */
    CLOSE(vmo);
    destroy(r);
}

TEST(Vmar, Destroy)
{
    struct region r = make_region();
    zx_handle_t inner, vmo = make_vmo(PAGE);
    zx_vaddr_t address, mapped;

    ASSERT_OK(zx_vmar_allocate(r.vmar, CAN_MAP_ALL, 0, 4 * PAGE, &inner, &address));
    ASSERT_OK(zx_vmar_map(inner, READ_WRITE, 0, vmo, 0, PAGE, &mapped));
    EXPECT_TRUE(readable(mapped));
    EXPECT_OK(zx_vmar_destroy(r.vmar));
    EXPECT_TRUE(!readable(mapped));
    EXPECT_STATUS(zx_vmar_destroy(r.vmar), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmar_destroy(inner), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmar_map(inner, READ_WRITE, 0, vmo, 0, PAGE, &mapped), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmar_unmap(r.vmar, r.base, PAGE), ZX_ERR_BAD_STATE);
    CLOSE(vmo);
    CLOSE(inner);
    CLOSE(r.vmar);
}

TEST(Vmar, ClosingAHandleUnmapsNothing)
{
    struct region r = make_region();
    zx_handle_t vmo = make_vmo(PAGE);
    zx_vaddr_t address;

    ASSERT_OK(zx_vmar_map(r.vmar, READ_WRITE, 0, vmo, 0, PAGE, &address));
    CLOSE(vmo);
    CLOSE(r.vmar);
    *(volatile int *)address = 3;
    EXPECT_EQ(*(volatile int *)address, 3);
    EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), r.base, 16 * PAGE));
}

TEST(Vmar, ShrinkingAVmoUnmapsItsTail)
{
    struct region r = make_region();
    zx_vaddr_t address;
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(2 * PAGE, ZX_VMO_RESIZABLE, &vmo));
    ASSERT_OK(zx_vmar_map(r.vmar, READ_WRITE, 0, vmo, 0, 2 * PAGE, &address));
    *(volatile int *)(address + PAGE) = 3;
    ASSERT_OK(zx_vmo_set_size(vmo, PAGE));
    EXPECT_TRUE(readable(address));
    EXPECT_TRUE(!readable(address + PAGE));
    ASSERT_OK(zx_vmo_set_size(vmo, 2 * PAGE));
    EXPECT_EQ(*(volatile int *)(address + PAGE), 0);
    CLOSE(vmo);
    destroy(r);
}

TEST(Vmar, TheVdsoIsProtected)
{
    uintptr_t function = (uintptr_t)zx_handle_close & ~(PAGE - 1);
    zx_handle_t vmo = make_vmo(PAGE), vdso;
    zx_info_vmar_t root;
    zx_vaddr_t address;

    ASSERT_OK(
        zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, &root, sizeof(root), NULL, NULL));
    EXPECT_STATUS(zx_vmar_unmap(zx_vmar_root_self(), function, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_vmar_protect(zx_vmar_root_self(), ZX_VM_PERM_READ, function, PAGE),
                  ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_vmar_map(zx_vmar_root_self(), READ_WRITE | ZX_VM_SPECIFIC_OVERWRITE,
                              function - root.base, vmo, 0, PAGE, &address),
                  ZX_ERR_ACCESS_DENIED);
    vdso = zx_get_startup_handle(PA_HND(PA_VMO_VDSO, 0));
    uint64_t size;
    ASSERT_OK(zx_vmo_get_size(vdso, &size));
    /* A second executable mapping is refused; one to read is not. */
    EXPECT_STATUS(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, 0, vdso,
                              size - PAGE, PAGE, &address),
                  ZX_ERR_ACCESS_DENIED);
    ASSERT_OK(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ, 0, vdso, 0, size, &address));
    EXPECT_EQ(memcmp((const void *)address, "\177ELF", 4), 0);
    EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), address, size));
    CLOSE(vmo);
}

TEST(Vmar, OpRange)
{
    struct region r = make_region();
    zx_handle_t vmo = make_vmo(2 * PAGE);
    zx_vaddr_t address;

    ASSERT_OK(zx_vmar_map(r.vmar, READ_WRITE | ZX_VM_SPECIFIC, 0, vmo, 0, 2 * PAGE, &address));
    *(volatile int *)address = 3;
    EXPECT_OK(zx_vmar_op_range(r.vmar, ZX_VMAR_OP_DECOMMIT, address, PAGE, NULL, 0));
    EXPECT_EQ(*(volatile int *)address, 0);
    EXPECT_STATUS(zx_vmar_op_range(r.vmar, 77, address, PAGE, NULL, 0), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_vmar_op_range(r.vmar, ZX_VMAR_OP_DECOMMIT, address, 0, NULL, 0),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_op_range(r.vmar, ZX_VMAR_OP_DECOMMIT, address + 8 * PAGE, PAGE, NULL, 0),
                  ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmar_op_range(r.vmar, ZX_VMAR_OP_DECOMMIT, r.base - PAGE, PAGE, NULL, 0),
                  ZX_ERR_OUT_OF_RANGE);
    CLOSE(vmo);
    destroy(r);
}
