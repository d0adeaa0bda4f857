/*
 * Memory objects: size, reading and writing, operations on ranges, children.
 */
#include "test.h"

#define PAGE ((uint64_t)4096)

static zx_handle_t make_vmo(uint64_t size)
{
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(size, 0, &vmo));
    return vmo;
}

static uint64_t size_of(zx_handle_t vmo)
{
    uint64_t size = 77;

    EXPECT_OK(zx_vmo_get_size(vmo, &size));
    return size;
}

static uint8_t byte_at(zx_handle_t vmo, uint64_t offset)
{
    uint8_t byte = 0xee;

    EXPECT_OK(zx_vmo_read(vmo, &byte, offset, 1));
    return byte;
}

static void set_byte(zx_handle_t vmo, uint64_t offset, uint8_t byte)
{
    EXPECT_OK(zx_vmo_write(vmo, &byte, offset, 1));
}

static uint64_t committed(zx_handle_t vmo)
{
    zx_info_vmo_t info;

    ASSERT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    return info.committed_bytes;
}

TEST(Vmo, Create)
{
    zx_handle_t vmo = make_vmo(PAGE);

    EXPECT_EQ(basic_info(vmo).type, ZX_OBJ_TYPE_VMO);
    EXPECT_EQ(basic_info(vmo).rights, ZX_DEFAULT_VMO_RIGHTS);
    EXPECT_EQ(size_of(vmo), PAGE);
    CLOSE(vmo);
}

TEST(Vmo, SizeIsRoundedUp)
{
    zx_handle_t vmo = make_vmo(1);

    EXPECT_EQ(size_of(vmo), PAGE);
    CLOSE(vmo);
    vmo = make_vmo(PAGE + 1);
    EXPECT_EQ(size_of(vmo), 2 * PAGE);
    CLOSE(vmo);
    vmo = make_vmo(0);
    EXPECT_EQ(size_of(vmo), 0);
    CLOSE(vmo);
}

TEST(Vmo, CreateBadArguments)
{
    zx_handle_t vmo;

    EXPECT_STATUS(zx_vmo_create(PAGE, 0x100, &vmo), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create(UINT64_MAX, 0, &vmo), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_create(PAGE, 0, UNMAPPED), ZX_ERR_INVALID_ARGS);
}

TEST(Vmo, HugeOnesCostNothing)
{
    zx_handle_t vmo = make_vmo(1ull << 40);

    EXPECT_EQ(size_of(vmo), 1ull << 40);
    set_byte(vmo, (1ull << 40) - 1, 5);
    EXPECT_EQ(byte_at(vmo, (1ull << 40) - 1), 5);
    EXPECT_EQ(committed(vmo), PAGE);
    CLOSE(vmo);
}

TEST(Vmo, ReadAndWrite)
{
    zx_handle_t vmo = make_vmo(3 * PAGE);
    static uint8_t out[2 * 4096], in[2 * 4096];

    for (size_t i = 0; i < sizeof(out); i++)
        out[i] = (uint8_t)(i * 13);
    EXPECT_OK(zx_vmo_write(vmo, out, 100, sizeof(out)));
    EXPECT_OK(zx_vmo_read(vmo, in, 100, sizeof(in)));
    EXPECT_EQ(memcmp(in, out, sizeof(in)), 0);
    EXPECT_EQ(byte_at(vmo, 99), 0);
    EXPECT_EQ(byte_at(vmo, 100 + sizeof(out)), 0);
    CLOSE(vmo);
}

TEST(Vmo, NewMemoryIsZero)
{
    zx_handle_t vmo = make_vmo(16 * PAGE);
    uint8_t buffer[256];

    for (uint64_t offset = 0; offset < 16 * PAGE; offset += PAGE / 2) {
        memset(buffer, 0x55, sizeof(buffer));
        ASSERT_OK(zx_vmo_read(vmo, buffer, offset, sizeof(buffer)));
        for (size_t i = 0; i < sizeof(buffer); i++)
            EXPECT_EQ(buffer[i], 0);
    }
    EXPECT_EQ(committed(vmo), 0); /* reading commits nothing */
    CLOSE(vmo);
}

TEST(Vmo, ReadWriteBounds)
{
    zx_handle_t vmo = make_vmo(PAGE);
    uint8_t buffer[16] = {0};

    EXPECT_STATUS(zx_vmo_read(vmo, buffer, PAGE, 1), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_read(vmo, buffer, PAGE - 8, 9), ZX_ERR_OUT_OF_RANGE);
    EXPECT_OK(zx_vmo_read(vmo, buffer, PAGE - 8, 8));
    EXPECT_STATUS(zx_vmo_write(vmo, buffer, PAGE - 8, 9), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_read(vmo, buffer, UINT64_MAX - 4, 8), ZX_ERR_OUT_OF_RANGE);
    EXPECT_OK(zx_vmo_read(vmo, buffer, PAGE, 0));
    EXPECT_OK(zx_vmo_write(vmo, NULL, 0, 0));
    CLOSE(vmo);
}

TEST(Vmo, ReadWriteRights)
{
    zx_handle_t vmo = make_vmo(PAGE), weak;
    uint8_t byte = 0;

    weak = without_rights(vmo, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_vmo_write(weak, &byte, 0, 1), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_vmo_read(weak, &byte, 0, 1));
    CLOSE(weak);
    weak = without_rights(vmo, ZX_RIGHT_READ);
    EXPECT_STATUS(zx_vmo_read(weak, &byte, 0, 1), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_vmo_write(weak, &byte, 0, 1));
    CLOSE(weak);
    EXPECT_STATUS(zx_vmo_read(zx_process_self(), &byte, 0, 1), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_vmo_read(closed_handle(), &byte, 0, 1), ZX_ERR_BAD_HANDLE);
    CLOSE(vmo);
}

TEST(Vmo, BadBuffersFail)
{
    zx_handle_t vmo = make_vmo(PAGE);

    /* Which error is left open: builds of 2020 differ. */
    EXPECT_TRUE(zx_vmo_read(vmo, UNMAPPED, 0, 1) != ZX_OK);
    EXPECT_TRUE(zx_vmo_write(vmo, KERNEL_ADDRESS, 0, 1) != ZX_OK);
    CLOSE(vmo);
}

TEST(VmoResize, GrowsAndShrinks)
{
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(PAGE, ZX_VMO_RESIZABLE, &vmo));
    EXPECT_OK(zx_vmo_set_size(vmo, 3 * PAGE));
    EXPECT_EQ(size_of(vmo), 3 * PAGE);
    set_byte(vmo, 2 * PAGE, 9);
    EXPECT_OK(zx_vmo_set_size(vmo, PAGE + 1));
    EXPECT_EQ(size_of(vmo), 2 * PAGE);
    EXPECT_OK(zx_vmo_set_size(vmo, 3 * PAGE));
    EXPECT_EQ(byte_at(vmo, 2 * PAGE), 0); /* what was cut off is gone */
    EXPECT_OK(zx_vmo_set_size(vmo, 0));
    EXPECT_EQ(size_of(vmo), 0);
    CLOSE(vmo);
}

TEST(VmoResize, NotResizable)
{
    zx_handle_t vmo = make_vmo(PAGE);

    EXPECT_STATUS(zx_vmo_set_size(vmo, 2 * PAGE), ZX_ERR_UNAVAILABLE);
    EXPECT_STATUS(zx_vmo_set_size(vmo, PAGE), ZX_ERR_UNAVAILABLE);
    CLOSE(vmo);
    ASSERT_OK(zx_vmo_create(PAGE, ZX_VMO_RESIZABLE, &vmo));
    EXPECT_STATUS(zx_vmo_set_size(vmo, UINT64_MAX), ZX_ERR_OUT_OF_RANGE);
    zx_handle_t weak = without_rights(vmo, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_vmo_set_size(weak, 0), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    CLOSE(vmo);
}

TEST(VmoOpRange, CommitAndDecommit)
{
    zx_handle_t vmo = make_vmo(4 * PAGE);

    EXPECT_EQ(committed(vmo), 0);
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 0, 3 * PAGE, NULL, 0));
    EXPECT_EQ(committed(vmo), 3 * PAGE);
    set_byte(vmo, PAGE, 7);
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, PAGE, PAGE, NULL, 0));
    EXPECT_EQ(committed(vmo), 2 * PAGE);
    EXPECT_EQ(byte_at(vmo, PAGE), 0);
    CLOSE(vmo);
}

TEST(VmoOpRange, Zero)
{
    zx_handle_t vmo = make_vmo(3 * PAGE);
    uint8_t filled[3 * 4096];

    memset(filled, 0x77, sizeof(filled));
    ASSERT_OK(zx_vmo_write(vmo, filled, 0, sizeof(filled)));
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_ZERO, 100, PAGE, NULL, 0));
    EXPECT_EQ(byte_at(vmo, 99), 0x77);
    EXPECT_EQ(byte_at(vmo, 100), 0);
    EXPECT_EQ(byte_at(vmo, PAGE + 99), 0);
    EXPECT_EQ(byte_at(vmo, PAGE + 100), 0x77);
    /* The part behind the end is left out. */
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_ZERO, 2 * PAGE, 5 * PAGE, NULL, 0));
    EXPECT_EQ(byte_at(vmo, 2 * PAGE), 0);
    CLOSE(vmo);
}

TEST(VmoOpRange, BadArguments)
{
    zx_handle_t vmo = make_vmo(2 * PAGE), weak;

    EXPECT_STATUS(zx_vmo_op_range(vmo, 77, 0, PAGE, NULL, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, PAGE, NULL, 0), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_vmo_op_range(vmo, ZX_VMO_OP_UNLOCK, 0, PAGE, NULL, 0), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 3 * PAGE, PAGE, NULL, 0),
                  ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, PAGE, UINT64_MAX, NULL, 0),
                  ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, 1, PAGE, NULL, 0), ZX_ERR_INVALID_ARGS);
    weak = without_rights(vmo, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_vmo_op_range(weak, ZX_VMO_OP_COMMIT, 0, PAGE, NULL, 0), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_vmo_op_range(weak, ZX_VMO_OP_ZERO, 0, PAGE, NULL, 0), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_vmo_op_range(weak, ZX_VMO_OP_CACHE_SYNC, 0, PAGE, NULL, 0));
    EXPECT_STATUS(zx_vmo_op_range(weak, ZX_VMO_OP_CACHE_SYNC, 0, 0, NULL, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_op_range(weak, ZX_VMO_OP_CACHE_SYNC, PAGE, 2 * PAGE, NULL, 0),
                  ZX_ERR_OUT_OF_RANGE);
    CLOSE(weak);
    CLOSE(vmo);
}

TEST(VmoChild, SnapshotIsTwoWay)
{
    zx_handle_t vmo = make_vmo(2 * PAGE), child;

    set_byte(vmo, 0, 1);
    set_byte(vmo, PAGE, 2);
    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, 2 * PAGE, &child));
    EXPECT_EQ(byte_at(child, 0), 1);
    set_byte(vmo, 0, 11);      /* the child does not see this */
    set_byte(child, PAGE, 22); /* nor the parent this */
    EXPECT_EQ(byte_at(child, 0), 1);
    EXPECT_EQ(byte_at(vmo, PAGE), 2);
    EXPECT_EQ(byte_at(vmo, 0), 11);
    EXPECT_EQ(byte_at(child, PAGE), 22);
    CLOSE(vmo);
    EXPECT_EQ(byte_at(child, 0), 1); /* it outlives the parent */
    CLOSE(child);
}

TEST(VmoChild, AtLeastOnWriteIsASnapshot)
{
    zx_handle_t vmo = make_vmo(PAGE), child;

    set_byte(vmo, 0, 1);
    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 0, PAGE, &child));
    set_byte(vmo, 0, 11);
    EXPECT_EQ(byte_at(child, 0), 1);
    CLOSE(child);
    CLOSE(vmo);
}

TEST(VmoChild, OffsetAndBeyondTheParent)
{
    zx_handle_t vmo = make_vmo(2 * PAGE), child;

    set_byte(vmo, PAGE, 5);
    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, PAGE, 3 * PAGE, &child));
    EXPECT_EQ(size_of(child), 3 * PAGE);
    EXPECT_EQ(byte_at(child, 0), 5);
    EXPECT_EQ(byte_at(child, PAGE), 0);
    set_byte(child, 2 * PAGE, 6);
    EXPECT_EQ(byte_at(child, 2 * PAGE), 6);
    CLOSE(child);
    CLOSE(vmo);
}

TEST(VmoChild, GenerationsOfSnapshots)
{
    enum { COUNT = 12 };
    zx_handle_t vmos[COUNT];

    vmos[0] = make_vmo(PAGE * COUNT);
    for (uint64_t i = 0; i < COUNT; i++)
        set_byte(vmos[0], i * PAGE, 100);
    for (uint64_t i = 1; i < COUNT; i++) {
        ASSERT_OK(
            zx_vmo_create_child(vmos[i - 1], ZX_VMO_CHILD_SNAPSHOT, 0, PAGE * COUNT, &vmos[i]));
        set_byte(vmos[i], i * PAGE, (uint8_t)i);
    }
    /* Generation n has the changes of 1..n; those in the middle go away meanwhile. */
    for (uint64_t n = 0; n < COUNT; n += 2)
        CLOSE(vmos[n]);
    for (uint64_t n = 1; n < COUNT; n += 2) {
        for (uint64_t i = 1; i < COUNT; i++)
            EXPECT_EQ(byte_at(vmos[n], i * PAGE), i <= n ? i : 100);
    }
    for (uint64_t n = 1; n < COUNT; n += 2)
        CLOSE(vmos[n]);
}

TEST(VmoChild, Slice)
{
    zx_handle_t vmo = make_vmo(3 * PAGE), slice;

    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, PAGE, PAGE, &slice));
    set_byte(vmo, PAGE, 3);
    EXPECT_EQ(byte_at(slice, 0), 3); /* the same memory */
    set_byte(slice, 1, 4);
    EXPECT_EQ(byte_at(vmo, PAGE + 1), 4);
    EXPECT_EQ(basic_info(slice).rights, basic_info(vmo).rights);
    CLOSE(slice);
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, 2 * PAGE, 2 * PAGE, &slice),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, 1, PAGE, &slice),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(
        zx_vmo_create_child(vmo, ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &slice),
        ZX_ERR_INVALID_ARGS);
    CLOSE(vmo);
    ASSERT_OK(zx_vmo_create(PAGE, ZX_VMO_RESIZABLE, &vmo));
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, 0, PAGE, &slice),
                  ZX_ERR_NOT_SUPPORTED);
    CLOSE(vmo);
}

TEST(VmoChild, BadArguments)
{
    zx_handle_t vmo = make_vmo(PAGE), child, weak;

    EXPECT_STATUS(zx_vmo_create_child(vmo, 0, 0, PAGE, &child), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_child(vmo, 0x1000, 0, PAGE, &child), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 1, PAGE, &child),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, UINT64_MAX, &child),
                  ZX_ERR_OUT_OF_RANGE);
    weak = without_rights(vmo, ZX_RIGHT_DUPLICATE);
    EXPECT_STATUS(zx_vmo_create_child(weak, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    weak = without_rights(vmo, ZX_RIGHT_READ);
    EXPECT_STATUS(zx_vmo_create_child(weak, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    CLOSE(vmo);
}

TEST(VmoChild, Rights)
{
    zx_handle_t vmo = make_vmo(PAGE), read_only = without_rights(vmo, ZX_RIGHT_WRITE), child;

    ASSERT_OK(zx_vmo_create_child(read_only, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child));
    EXPECT_EQ(basic_info(child).rights & ZX_RIGHT_WRITE, ZX_RIGHT_WRITE);
    EXPECT_EQ(basic_info(child).rights & ZX_RIGHT_EXECUTE, 0);
    CLOSE(child);
    ASSERT_OK(
        zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_NO_WRITE, 0, PAGE, &child));
    EXPECT_EQ(basic_info(child).rights & ZX_RIGHT_WRITE, 0);
    CLOSE(child);
    CLOSE(read_only);
    CLOSE(vmo);
}

TEST(VmoChild, ZeroChildrenSignal)
{
    zx_handle_t vmo = make_vmo(PAGE), child, slice;

    EXPECT_EQ(signals_of(vmo), ZX_VMO_ZERO_CHILDREN);
    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child));
    EXPECT_EQ(signals_of(vmo), 0);
    EXPECT_EQ(signals_of(child), ZX_VMO_ZERO_CHILDREN);
    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, 0, PAGE, &slice));
    CLOSE(child);
    EXPECT_EQ(signals_of(vmo), 0);
    CLOSE(slice);
    EXPECT_EQ(signals_of(vmo), ZX_VMO_ZERO_CHILDREN);
    CLOSE(vmo);
}

TEST(VmoChild, ParentIsKnown)
{
    zx_handle_t vmo = make_vmo(PAGE), child;
    zx_info_vmo_t info;

    ASSERT_OK(zx_object_set_property(vmo, ZX_PROP_NAME, "parent", 6));
    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child));
    ASSERT_OK(zx_object_get_info(child, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.parent_koid, basic_info(vmo).koid);
    EXPECT_EQ(info.koid, basic_info(child).koid);
    EXPECT_EQ(info.flags & ZX_INFO_VMO_IS_COW_CLONE, ZX_INFO_VMO_IS_COW_CLONE);
    EXPECT_EQ(strcmp(info.name, "parent"), 0);
    ASSERT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.num_children, 1);
    EXPECT_EQ(info.size_bytes, PAGE);
    CLOSE(child);
    CLOSE(vmo);
}

TEST(VmoExecutable, Replace)
{
    zx_handle_t vmo = make_vmo(PAGE), executable;

    EXPECT_EQ(basic_info(vmo).rights & ZX_RIGHT_EXECUTE, 0);
    ASSERT_OK(zx_vmo_replace_as_executable(vmo, ZX_HANDLE_INVALID, &executable));
    EXPECT_STATUS(zx_handle_close(vmo), ZX_ERR_BAD_HANDLE);
    EXPECT_EQ(basic_info(executable).rights, ZX_DEFAULT_VMO_RIGHTS | ZX_RIGHT_EXECUTE);
    CLOSE(executable);
    vmo = make_vmo(PAGE);
    ASSERT_OK(zx_vmo_replace_as_executable(vmo, root_resource(), &executable));
    CLOSE(executable);
    vmo = make_vmo(PAGE);
    EXPECT_STATUS(zx_vmo_replace_as_executable(vmo, zx_process_self(), &executable),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_handle_close(vmo), ZX_ERR_BAD_HANDLE); /* closed all the same */
}
