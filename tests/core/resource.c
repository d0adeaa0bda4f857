/*
 * Resources.
 */
#include "test.h"

static zx_info_resource_t resource_info(zx_handle_t resource)
{
    zx_info_resource_t info;

    ASSERT_OK(zx_object_get_info(resource, ZX_INFO_RESOURCE, &info, sizeof(info), NULL, NULL));
    return info;
}

TEST(Resource, Root)
{
    zx_info_resource_t info = resource_info(root_resource());

    EXPECT_EQ(basic_info(root_resource()).type, ZX_OBJ_TYPE_RESOURCE);
    EXPECT_EQ(info.kind, ZX_RSRC_KIND_ROOT);
    EXPECT_EQ(info.base, 0);
    EXPECT_EQ(info.size, 0);
    EXPECT_EQ(strcmp(info.name, "root"), 0);
}

TEST(Resource, Create)
{
    zx_handle_t resource;

    ASSERT_OK(zx_resource_create(root_resource(), ZX_RSRC_KIND_IRQ, 3, 4, "irqs", 4, &resource));
    zx_info_resource_t info = resource_info(resource);
    EXPECT_EQ(info.kind, ZX_RSRC_KIND_IRQ);
    EXPECT_EQ(info.base, 3);
    EXPECT_EQ(info.size, 4);
    EXPECT_EQ(strcmp(info.name, "irqs"), 0);
    CLOSE(resource);
}

TEST(Resource, CreateBadArguments)
{
    zx_handle_t resource, child;

    EXPECT_STATUS(zx_resource_create(closed_handle(), ZX_RSRC_KIND_IRQ, 0, 1, "", 0, &resource),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_resource_create(zx_process_self(), ZX_RSRC_KIND_IRQ, 0, 1, "", 0, &resource),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_resource_create(root_resource(), 77, 0, 1, "", 0, &resource),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(
        zx_resource_create(root_resource(), ZX_RSRC_KIND_IRQ | 0x80000, 0, 1, "", 0, &resource),
        ZX_ERR_INVALID_ARGS);
    ASSERT_OK(zx_resource_create(root_resource(), ZX_RSRC_KIND_IRQ, 8, 8, "", 0, &resource));
    EXPECT_STATUS(zx_resource_create(resource, ZX_RSRC_KIND_MMIO, 8, 1, "", 0, &child),
                  ZX_ERR_ACCESS_DENIED); /* of another kind */
    EXPECT_STATUS(zx_resource_create(resource, ZX_RSRC_KIND_IRQ, 7, 2, "", 0, &child),
                  ZX_ERR_ACCESS_DENIED); /* outside */
    EXPECT_OK(zx_resource_create(resource, ZX_RSRC_KIND_IRQ, 9, 2, "", 0, &child));
    CLOSE(child);
    CLOSE(resource);
}

TEST(Resource, WrongKindIsRefused)
{
    zx_handle_t resource, log;

    ASSERT_OK(zx_resource_create(root_resource(), ZX_RSRC_KIND_IRQ, 0, 1, "", 0, &resource));
    EXPECT_STATUS(zx_debuglog_create(resource, 0, &log), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_system_powerctl(resource, ZX_SYSTEM_POWERCTL_SHUTDOWN, NULL),
                  ZX_ERR_WRONG_TYPE);
    CLOSE(resource);
}

static zx_status_t create(zx_handle_t parent, uint32_t options, uint64_t base, uint64_t size,
                          zx_handle_t *resource)
{
    return zx_resource_create(parent, options, base, size, "r", 1, resource);
}

/* Far from anything that anybody might really want. */
#define FAR 0x123450000000u

TEST(Resource, ExclusiveRangesDoNotOverlap)
{
    const uint32_t exclusive = ZX_RSRC_KIND_MMIO | ZX_RSRC_FLAG_EXCLUSIVE;
    zx_handle_t first, other;

    ASSERT_OK(create(root_resource(), exclusive, FAR, 0x2000, &first));
    EXPECT_EQ(resource_info(first).flags, ZX_RSRC_FLAG_EXCLUSIVE);
    EXPECT_STATUS(create(root_resource(), exclusive, FAR, 0x2000, &other), ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(create(root_resource(), exclusive, FAR + 0x1fff, 2, &other), ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(create(root_resource(), exclusive, FAR - 1, 2, &other), ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(create(root_resource(), ZX_RSRC_KIND_MMIO, FAR + 0x1000, 1, &other),
                  ZX_ERR_NOT_FOUND);
    EXPECT_OK(create(root_resource(), exclusive, FAR + 0x2000, 0x1000, &other)); /* next to it */
    CLOSE(other);
    EXPECT_OK(create(root_resource(), ZX_RSRC_KIND_SMC | ZX_RSRC_FLAG_EXCLUSIVE, FAR, 1, &other));
    CLOSE(other); /* of another kind */
    CLOSE(first);
    EXPECT_OK(create(root_resource(), exclusive, FAR + 1, 0x2000, &other)); /* it is free again */
    CLOSE(other);
}

TEST(Resource, SharedRangesOverlap)
{
    zx_handle_t a, b, exclusive;

    ASSERT_OK(create(root_resource(), ZX_RSRC_KIND_MMIO, FAR, 0x1000, &a));
    ASSERT_OK(create(root_resource(), ZX_RSRC_KIND_MMIO, FAR + 0x800, 0x1000, &b));
    EXPECT_STATUS(
        create(root_resource(), ZX_RSRC_KIND_MMIO | ZX_RSRC_FLAG_EXCLUSIVE, FAR, 1, &exclusive),
        ZX_ERR_NOT_FOUND);
    CLOSE(a);
    CLOSE(b);
}

TEST(Resource, ExclusiveOnlyFromTheRoot)
{
    zx_handle_t parent, child;

    ASSERT_OK(create(root_resource(), ZX_RSRC_KIND_MMIO, FAR, 0x1000, &parent));
    EXPECT_STATUS(create(parent, ZX_RSRC_KIND_MMIO | ZX_RSRC_FLAG_EXCLUSIVE, FAR, 1, &child),
                  ZX_ERR_INVALID_ARGS);
    CLOSE(parent);
    ASSERT_OK(
        create(root_resource(), ZX_RSRC_KIND_MMIO | ZX_RSRC_FLAG_EXCLUSIVE, FAR, 0x1000, &parent));
    EXPECT_STATUS(create(parent, ZX_RSRC_KIND_MMIO, FAR, 1, &child), ZX_ERR_INVALID_ARGS);
    CLOSE(parent);
}

/* Kinds that are a permission and no range. */
TEST(Resource, KindsWithoutARange)
{
    static const uint32_t kinds[] = {ZX_RSRC_KIND_HYPERVISOR, ZX_RSRC_KIND_VMEX, ZX_RSRC_KIND_ROOT};
    zx_handle_t resource;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        EXPECT_STATUS(create(root_resource(), kinds[i], 0, 1, &resource), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(create(root_resource(), kinds[i], 1, 0, &resource), ZX_ERR_INVALID_ARGS);
        ASSERT_OK(create(root_resource(), kinds[i], 0, 0, &resource));
        EXPECT_EQ(resource_info(resource).kind, kinds[i]);
        CLOSE(resource);
    }
}

TEST(Resource, RangesThatAreNone)
{
    zx_handle_t resource;

    EXPECT_STATUS(create(root_resource(), ZX_RSRC_KIND_MMIO, FAR, 0, &resource),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(create(root_resource(), ZX_RSRC_KIND_MMIO, UINT64_MAX, 2, &resource),
                  ZX_ERR_INVALID_ARGS);
}

TEST(Resource, CreateNeedsWrite)
{
    zx_handle_t weak = without_rights(root_resource(), ZX_RIGHT_WRITE), resource;

    EXPECT_STATUS(create(weak, ZX_RSRC_KIND_IRQ, 0, 1, &resource), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
}

TEST(Resource, CreateBadPointers)
{
    zx_handle_t resource;

    EXPECT_STATUS(
        zx_resource_create(root_resource(), ZX_RSRC_KIND_IRQ, 0, 1, UNMAPPED, 4, &resource),
        ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_resource_create(root_resource(), ZX_RSRC_KIND_IRQ, 0, 1, "", 0, UNMAPPED),
                  ZX_ERR_INVALID_ARGS);
    ASSERT_OK(zx_resource_create(root_resource(), ZX_RSRC_KIND_IRQ, 0, 1, NULL, 0, &resource));
    EXPECT_EQ(strcmp(resource_info(resource).name, ""), 0);
    CLOSE(resource);
}

TEST(Resource, LongNameIsTruncated)
{
    char long_name[64];
    zx_handle_t resource;

    memset(long_name, 'r', sizeof(long_name));
    ASSERT_OK(zx_resource_create(root_resource(), ZX_RSRC_KIND_IRQ, 0, 1, long_name,
                                 sizeof(long_name), &resource));
    EXPECT_EQ(strlen(resource_info(resource).name), ZX_MAX_NAME_LEN - 1);
    CLOSE(resource);
}

/* A VMEX resource is good for marking memory executable, and for nothing else. */
TEST(Resource, VmexIsEnoughForExecutableMemory)
{
    zx_handle_t vmex, irq, vmo, log;

    ASSERT_OK(create(root_resource(), ZX_RSRC_KIND_VMEX, 0, 0, &vmex));
    ASSERT_OK(create(root_resource(), ZX_RSRC_KIND_IRQ, 0, 1, &irq));
    ASSERT_OK(zx_vmo_create(4096, 0, &vmo));
    EXPECT_OK(zx_vmo_replace_as_executable(vmo, vmex, &vmo));
    EXPECT_EQ(basic_info(vmo).rights, ZX_DEFAULT_VMO_RIGHTS | ZX_RIGHT_EXECUTE);
    CLOSE(vmo);
    ASSERT_OK(zx_vmo_create(4096, 0, &vmo));
    EXPECT_STATUS(zx_vmo_replace_as_executable(vmo, irq, &vmo), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_debuglog_create(vmex, 0, &log), ZX_ERR_WRONG_TYPE);
    CLOSE(irq);
    CLOSE(vmex);
}
