/*
 * object_get_info, names, properties, object_get_child: the rules all topics share.
 */
#include "test.h"

static zx_handle_t make_event(void)
{
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    return event;
}

TEST(ObjectGetInfo, BufferTooSmall)
{
    zx_handle_t event = make_event();
    zx_info_handle_basic_t info;
    size_t actual = 99, available = 99;

    EXPECT_STATUS(zx_object_get_info(event, ZX_INFO_HANDLE_BASIC, &info, sizeof(info) - 1, &actual,
                                     &available),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_EQ(actual, 0);
    EXPECT_EQ(available, 1);
    EXPECT_STATUS(zx_object_get_info(event, ZX_INFO_HANDLE_BASIC, NULL, 0, NULL, NULL),
                  ZX_ERR_BUFFER_TOO_SMALL);
    CLOSE(event);
}

TEST(ObjectGetInfo, LargerBuffer)
{
    zx_handle_t event = make_event();
    char buffer[sizeof(zx_info_handle_basic_t) + 8];
    size_t actual = 99, available = 99;

    memset(buffer, 0x55, sizeof(buffer));
    EXPECT_OK(zx_object_get_info(event, ZX_INFO_HANDLE_BASIC, buffer, sizeof(buffer), &actual,
                                 &available));
    EXPECT_EQ(actual, 1);
    EXPECT_EQ(available, 1);
    EXPECT_EQ(buffer[sizeof(zx_info_handle_basic_t)], 0x55);
    CLOSE(event);
}

TEST(ObjectGetInfo, UnknownTopic)
{
    zx_handle_t event = make_event();
    char buffer[64];

    EXPECT_STATUS(zx_object_get_info(event, 0xffff, buffer, sizeof(buffer), NULL, NULL),
                  ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_object_get_info(event, ZX_INFO_NONE, buffer, sizeof(buffer), NULL, NULL),
                  ZX_ERR_NOT_SUPPORTED);
    CLOSE(event);
}

TEST(ObjectGetInfo, BadPointers)
{
    zx_handle_t event = make_event();
    zx_info_handle_basic_t info;

    EXPECT_STATUS(
        zx_object_get_info(event, ZX_INFO_HANDLE_BASIC, UNMAPPED, sizeof(info), NULL, NULL),
        ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(
        zx_object_get_info(event, ZX_INFO_HANDLE_BASIC, &info, sizeof(info), UNMAPPED, NULL),
        ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(
        zx_object_get_info(event, ZX_INFO_HANDLE_BASIC, &info, sizeof(info), NULL, KERNEL_ADDRESS),
        ZX_ERR_INVALID_ARGS);
    CLOSE(event);
}

TEST(ObjectGetInfo, WrongType)
{
    zx_handle_t event = make_event();
    char buffer[256];

    EXPECT_STATUS(zx_object_get_info(event, ZX_INFO_PROCESS, buffer, sizeof(buffer), NULL, NULL),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_object_get_info(event, ZX_INFO_THREAD, buffer, sizeof(buffer), NULL, NULL),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(
        zx_object_get_info(event, ZX_INFO_JOB_CHILDREN, buffer, sizeof(buffer), NULL, NULL),
        ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_object_get_info(event, ZX_INFO_VMAR, buffer, sizeof(buffer), NULL, NULL),
                  ZX_ERR_WRONG_TYPE);
    CLOSE(event);
}

TEST(ObjectGetInfo, ArrayTopics)
{
    size_t actual = 99, available = 0;
    zx_koid_t koids[64];

    /* As many as fit, none without a buffer; all are counted. */
    EXPECT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_THREADS, NULL, 0, &actual,
                                 &available));
    EXPECT_EQ(actual, 0);
    EXPECT_TRUE(available >= 1);
    EXPECT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_THREADS, koids, sizeof(koids),
                                 &actual, &available));
    EXPECT_EQ(actual, available);
    bool found = false;
    for (size_t i = 0; i < actual; i++)
        found |= koids[i] == basic_info(zx_thread_self()).koid;
    EXPECT_TRUE(found);
}

TEST(ObjectGetInfo, KernelMemoryNeedsTheRootResource)
{
    zx_info_kmem_stats_t stats = {0};

    EXPECT_OK(
        zx_object_get_info(root_resource(), ZX_INFO_KMEM_STATS, &stats, sizeof(stats), NULL, NULL));
    EXPECT_TRUE(stats.total_bytes > stats.free_bytes);
    EXPECT_TRUE(stats.free_bytes > 0);
    EXPECT_STATUS(zx_object_get_info(zx_process_self(), ZX_INFO_KMEM_STATS, &stats, sizeof(stats),
                                     NULL, NULL),
                  ZX_ERR_WRONG_TYPE);
}

TEST(ObjectProperty, Name)
{
    static const char name[] = "a vmo";
    char read[ZX_MAX_NAME_LEN];
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(4096, 0, &vmo));
    EXPECT_OK(zx_object_set_property(vmo, ZX_PROP_NAME, name, sizeof(name) - 1));
    memset(read, 0x55, sizeof(read));
    EXPECT_OK(zx_object_get_property(vmo, ZX_PROP_NAME, read, sizeof(read)));
    EXPECT_EQ(strcmp(read, name), 0);
    EXPECT_EQ(read[ZX_MAX_NAME_LEN - 1], 0);
    CLOSE(vmo);
}

TEST(ObjectProperty, NameIsTruncated)
{
    char name[40], read[ZX_MAX_NAME_LEN];
    zx_handle_t vmo;

    memset(name, 'x', sizeof(name));
    ASSERT_OK(zx_vmo_create(4096, 0, &vmo));
    EXPECT_OK(zx_object_set_property(vmo, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT_OK(zx_object_get_property(vmo, ZX_PROP_NAME, read, sizeof(read)));
    EXPECT_EQ(strnlen(read, sizeof(read)), ZX_MAX_NAME_LEN - 1);
    CLOSE(vmo);
}

TEST(ObjectProperty, NameOfTheUnnamed)
{
    zx_handle_t a, b;
    char read[ZX_MAX_NAME_LEN];

    ASSERT_OK(zx_socket_create(0, &a, &b)); /* has property rights, but no name */
    memset(read, 0x55, sizeof(read));
    EXPECT_OK(zx_object_get_property(a, ZX_PROP_NAME, read, sizeof(read)));
    EXPECT_EQ(read[0], 0);
    EXPECT_STATUS(zx_object_set_property(a, ZX_PROP_NAME, "x", 1), ZX_ERR_NOT_SUPPORTED);
    CLOSE(a);
    CLOSE(b);
}

TEST(ObjectProperty, BadArguments)
{
    char read[ZX_MAX_NAME_LEN];
    zx_handle_t vmo, weak;

    ASSERT_OK(zx_vmo_create(4096, 0, &vmo));
    EXPECT_STATUS(zx_object_get_property(vmo, ZX_PROP_NAME, NULL, sizeof(read)),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_get_property(vmo, ZX_PROP_NAME, read, sizeof(read) - 1),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_STATUS(zx_object_get_property(vmo, ZX_PROP_NAME, UNMAPPED, sizeof(read)),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_get_property(vmo, 0x7777, read, sizeof(read)), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_get_property(closed_handle(), ZX_PROP_NAME, read, sizeof(read)),
                  ZX_ERR_BAD_HANDLE);
    weak = without_rights(vmo, ZX_RIGHT_GET_PROPERTY | ZX_RIGHT_SET_PROPERTY);
    EXPECT_STATUS(zx_object_get_property(weak, ZX_PROP_NAME, read, sizeof(read)),
                  ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_object_set_property(weak, ZX_PROP_NAME, "x", 1), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    CLOSE(vmo);
}

TEST(ObjectProperty, VdsoBase)
{
    uintptr_t base = 0;

    EXPECT_OK(zx_object_get_property(zx_process_self(), ZX_PROP_PROCESS_VDSO_BASE_ADDRESS, &base,
                                     sizeof(base)));
    EXPECT_TRUE(base != 0);
    EXPECT_TRUE(base % ZX_PAGE_SIZE == 0);
    EXPECT_EQ(memcmp((const void *)base, "\177ELF", 4), 0);
    EXPECT_TRUE((uintptr_t)zx_handle_close > base);
    EXPECT_STATUS(zx_object_set_property(zx_process_self(), ZX_PROP_PROCESS_VDSO_BASE_ADDRESS,
                                         &base, sizeof(base)),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_get_property(zx_job_default(), ZX_PROP_PROCESS_VDSO_BASE_ADDRESS, &base,
                                         sizeof(base)),
                  ZX_ERR_WRONG_TYPE);
}

TEST(ObjectProperty, DebugAddressIsSetOnce)
{
    zx_handle_t process, vmar;
    uintptr_t address = 0;

    ASSERT_OK(zx_process_create(zx_job_default(), "p", 1, 0, &process, &vmar));
    EXPECT_STATUS(
        zx_object_set_property(process, ZX_PROP_PROCESS_DEBUG_ADDR, &address, sizeof(address)),
        ZX_ERR_INVALID_ARGS);
    address = 0x123000;
    EXPECT_OK(
        zx_object_set_property(process, ZX_PROP_PROCESS_DEBUG_ADDR, &address, sizeof(address)));
    EXPECT_STATUS(
        zx_object_set_property(process, ZX_PROP_PROCESS_DEBUG_ADDR, &address, sizeof(address)),
        ZX_ERR_ACCESS_DENIED);
    address = 0;
    EXPECT_OK(
        zx_object_get_property(process, ZX_PROP_PROCESS_DEBUG_ADDR, &address, sizeof(address)));
    EXPECT_EQ(address, 0x123000);
    CLOSE(vmar);
    CLOSE(process);
}

TEST(ObjectProperty, FsBaseOnlyOfTheCallingThread)
{
    zx_handle_t thread;
    uintptr_t address = 0x1000000;

    ASSERT_OK(zx_thread_create(zx_process_self(), "t", 1, 0, &thread));
    EXPECT_STATUS(zx_object_set_property(thread, ZX_PROP_REGISTER_FS, &address, sizeof(address)),
                  ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(
        zx_object_set_property(zx_process_self(), ZX_PROP_REGISTER_FS, &address, sizeof(address)),
        ZX_ERR_WRONG_TYPE);
    address = 0x8000000000000000;
    EXPECT_STATUS(
        zx_object_set_property(zx_thread_self(), ZX_PROP_REGISTER_FS, &address, sizeof(address)),
        ZX_ERR_INVALID_ARGS);
    CLOSE(thread);
}

TEST(ObjectProperty, GsBase)
{
    static uint64_t words[] = {11, 22};
    uintptr_t address = (uintptr_t)words;
    uint64_t value;

    ASSERT_OK(
        zx_object_set_property(zx_thread_self(), ZX_PROP_REGISTER_GS, &address, sizeof(address)));
    zx_nanosleep(zx_deadline_after(MS(1))); /* it survives a switch */
    __asm__ volatile("mov %%gs:8, %0" : "=r"(value));
    EXPECT_EQ(value, 22);
    address = 0;
    EXPECT_OK(
        zx_object_set_property(zx_thread_self(), ZX_PROP_REGISTER_GS, &address, sizeof(address)));
}

TEST(ObjectChild, ThreadOfProcess)
{
    zx_koid_t koid = basic_info(zx_thread_self()).koid;
    zx_handle_t thread;

    ASSERT_OK(zx_object_get_child(zx_process_self(), koid, ZX_RIGHT_SAME_RIGHTS, &thread));
    EXPECT_EQ(basic_info(thread).koid, koid);
    EXPECT_EQ(basic_info(thread).related_koid, basic_info(zx_process_self()).koid);
    CLOSE(thread);
    EXPECT_STATUS(
        zx_object_get_child(zx_process_self(), ZX_KOID_INVALID, ZX_RIGHT_SAME_RIGHTS, &thread),
        ZX_ERR_NOT_FOUND);
}

TEST(ObjectChild, ProcessAndJobOfJob)
{
    zx_handle_t job, child_job, process, vmar, found;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    ASSERT_OK(zx_job_create(job, 0, &child_job));
    ASSERT_OK(zx_process_create(job, "p", 1, 0, &process, &vmar));
    ASSERT_OK(zx_object_get_child(job, basic_info(process).koid, ZX_RIGHT_SAME_RIGHTS, &found));
    EXPECT_EQ(basic_info(found).koid, basic_info(process).koid);
    EXPECT_EQ(basic_info(found).related_koid, basic_info(job).koid);
    CLOSE(found);
    ASSERT_OK(zx_object_get_child(job, basic_info(child_job).koid, ZX_RIGHT_SAME_RIGHTS, &found));
    EXPECT_EQ(basic_info(found).koid, basic_info(child_job).koid);
    EXPECT_EQ(basic_info(found).related_koid, basic_info(job).koid);
    CLOSE(found);
    CLOSE(vmar);
    CLOSE(process);
    CLOSE(child_job);
    CLOSE(job);
}

TEST(ObjectChild, Rights)
{
    zx_koid_t koid = basic_info(zx_thread_self()).koid;
    zx_handle_t weak = without_rights(zx_process_self(), ZX_RIGHT_ENUMERATE), found;

    EXPECT_STATUS(zx_object_get_child(weak, koid, ZX_RIGHT_SAME_RIGHTS, &found),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    weak = without_rights(zx_process_self(), ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_object_get_child(weak, koid, ZX_RIGHT_WRITE, &found), ZX_ERR_ACCESS_DENIED);
    ASSERT_OK(zx_object_get_child(weak, koid, ZX_RIGHT_READ, &found));
    EXPECT_EQ(basic_info(found).rights, ZX_RIGHT_READ);
    CLOSE(found);
    CLOSE(weak);
}

/* What this machine has not. */
TEST(ObjectProperty, NoHardwareTrace)
{
    uint64_t value;

    EXPECT_STATUS(zx_object_get_property(zx_process_self(), ZX_PROP_PROCESS_HW_TRACE_CONTEXT_ID,
                                         &value, sizeof(value)),
                  ZX_ERR_NOT_SUPPORTED);
}

/* There are no objects of message-signalled interrupts, so whatever is asked is something else. */
TEST(ObjectGetInfo, NothingIsAnMsi)
{
    zx_info_msi_t info;

    EXPECT_STATUS(
        zx_object_get_info(zx_process_self(), ZX_INFO_MSI, &info, sizeof(info), NULL, NULL),
        ZX_ERR_WRONG_TYPE);
}
