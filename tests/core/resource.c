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
