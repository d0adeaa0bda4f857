/*
 * The system as a whole: facts about it, random numbers, test calls, calls that are not there.
 */
#include "child.h"

TEST(System, Facts)
{
    char version[64] = "";

    EXPECT_TRUE(zx_system_get_num_cpus() >= 1);
    EXPECT_TRUE(zx_system_get_physmem() >= 16 * 1024 * 1024);
    EXPECT_TRUE(zx_system_get_dcache_line_size() > 0);
    EXPECT_OK(zx_system_get_version(version, sizeof(version)));
    EXPECT_TRUE(strnlen(version, sizeof(version)) > 0);
    EXPECT_TRUE(strnlen(version, sizeof(version)) < sizeof(version));
    EXPECT_STATUS(zx_system_get_version(version, sizeof(version) - 1), ZX_ERR_BUFFER_TOO_SMALL);
}

TEST(System, Features)
{
    uint32_t features = 0;

    EXPECT_OK(zx_system_get_features(ZX_FEATURE_KIND_CPU, &features));
    EXPECT_TRUE(features & ZX_HAS_CPU_FEATURES);
    EXPECT_OK(zx_system_get_features(ZX_FEATURE_KIND_HW_BREAKPOINT_COUNT, &features));
    EXPECT_OK(zx_system_get_features(ZX_FEATURE_KIND_HW_WATCHPOINT_COUNT, &features));
    EXPECT_STATUS(zx_system_get_features(99, &features), ZX_ERR_NOT_SUPPORTED);
}

TEST(System, StatusStrings)
{
    EXPECT_EQ(strcmp(zx_status_get_string(ZX_OK), "ZX_OK"), 0);
    EXPECT_EQ(strcmp(zx_status_get_string(ZX_ERR_PEER_CLOSED), "ZX_ERR_PEER_CLOSED"), 0);
    EXPECT_TRUE(zx_status_get_string(-12345) != NULL);
}

TEST(Cprng, Draws)
{
    uint8_t a[64], b[64], large[1000];
    int zeroes = 0;

    zx_cprng_draw(a, sizeof(a));
    zx_cprng_draw(b, sizeof(b));
    EXPECT_TRUE(memcmp(a, b, sizeof(a)) != 0);
    memset(large, 0, sizeof(large));
    zx_cprng_draw(large, sizeof(large)); /* more than one call of the kernel */
    for (size_t i = 0; i < sizeof(large); i++)
        zeroes += large[i] == 0;
    EXPECT_TRUE(zeroes < 50);
    zx_cprng_draw(NULL, 0);
}

TEST(Cprng, AddEntropy)
{
    uint8_t bytes[257] = {1, 2, 3};

    EXPECT_OK(zx_cprng_add_entropy(bytes, 256));
    EXPECT_STATUS(zx_cprng_add_entropy(bytes, 257), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_cprng_add_entropy(UNMAPPED, 16), ZX_ERR_INVALID_ARGS);
}

/* How many arguments are passed, and where, is the calling convention's hardest part. */
TEST(SyscallTest, Sums)
{
    EXPECT_EQ(zx_syscall_test_0(), 0);
    EXPECT_EQ(zx_syscall_test_1(1), 1);
    EXPECT_EQ(zx_syscall_test_2(1, 2), 3);
    EXPECT_EQ(zx_syscall_test_3(1, 2, 3), 6);
    EXPECT_EQ(zx_syscall_test_4(1, 2, 3, 4), 10);
    EXPECT_EQ(zx_syscall_test_5(1, 2, 3, 4, 5), 15);
    EXPECT_EQ(zx_syscall_test_6(1, 2, 3, 4, 5, 6), 21);
    EXPECT_EQ(zx_syscall_test_7(1, 2, 3, 4, 5, 6, 7), 28);
    EXPECT_EQ(zx_syscall_test_8(1, 2, 3, 4, 5, 6, 7, 8), 36);
}

TEST(SyscallTest, Wrapper)
{
    EXPECT_EQ(zx_syscall_test_wrapper(1, 2, 3), 6);
    EXPECT_STATUS(zx_syscall_test_wrapper(-1, 2, 3), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_syscall_test_wrapper(20, 20, 20), ZX_ERR_OUT_OF_RANGE);
}

TEST(SyscallTest, HandleCreate)
{
    zx_handle_t handle = 0x12345;

    EXPECT_OK(zx_syscall_test_handle_create(ZX_OK, &handle));
    EXPECT_EQ(basic_info(handle).type, ZX_OBJ_TYPE_EVENT);
    CLOSE(handle);
    handle = 0x12345;
    EXPECT_STATUS(zx_syscall_test_handle_create(ZX_ERR_UNAVAILABLE, &handle), ZX_ERR_UNAVAILABLE);
    EXPECT_EQ(handle, 0x12345);
}

TEST(Unsupported, Pci)
{
    zx_pcie_device_info_t info;
    zx_handle_t handle;

    EXPECT_STATUS(zx_pci_get_nth_device(root_resource(), 0, &info, &handle), ZX_ERR_NOT_SUPPORTED);
}

TEST(Unsupported, Hypervisor)
{
    zx_handle_t guest, vmar;

    EXPECT_STATUS(zx_guest_create(root_resource(), 0, &guest, &vmar), ZX_ERR_NOT_SUPPORTED);
}

TEST(Unsupported, MemoryTrace)
{
    EXPECT_STATUS(zx_mtrace_control(root_resource(), 0, 0, 0, NULL, 0), ZX_ERR_NOT_SUPPORTED);
}

TEST(Debug, Write)
{
    EXPECT_OK(zx_debug_write("", 0));
    EXPECT_STATUS(zx_debug_write(UNMAPPED, 5), ZX_ERR_INVALID_ARGS);
}

TEST(Debug, ReadNeedsTheRootResource)
{
    size_t actual;
    char byte;

    EXPECT_STATUS(zx_debug_read(zx_process_self(), &byte, 1, &actual), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_debug_read(closed_handle(), &byte, 1, &actual), ZX_ERR_BAD_HANDLE);
}

/* Commands to the machine; there is one, which names a point of the run. */
TEST(Debug, SendCommand)
{
    char text[257];

#define SEND(text) zx_debug_send_command(root_resource(), text, sizeof(text) - 1)
    EXPECT_OK(SEND("marker 1000"));
    EXPECT_OK(SEND("marker 1000 7"));
    EXPECT_OK(SEND("marker 1000 18446744073709551615\n"));
    EXPECT_STATUS(SEND(""), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(SEND("nonsense"), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(SEND("marker "), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(SEND("marker here"));
    EXPECT_STATUS(SEND("marker here and there"), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(SEND("marker 1x"), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(SEND("marker 4294967296"), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(SEND("marker 1 18446744073709551616"), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(SEND("marker 1 2 3"), ZX_ERR_INVALID_ARGS);
#undef SEND
    memset(text, ' ', sizeof(text));
    EXPECT_STATUS(zx_debug_send_command(root_resource(), text, 257), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_debug_send_command(root_resource(), UNMAPPED, 8), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_debug_send_command(zx_process_self(), "marker 1", 8), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_debug_send_command(closed_handle(), "marker 1", 8), ZX_ERR_BAD_HANDLE);
}

/* One record for each CPU, and nothing to tell. */
TEST(System, GuestStatistics)
{
    zx_info_guest_stats_t info[64];
    size_t actual = 0, avail = 0;

    EXPECT_OK(zx_object_get_info(root_resource(), ZX_INFO_GUEST_STATS, info, sizeof(info), &actual,
                                 &avail));
    EXPECT_EQ(actual, zx_system_get_num_cpus());
    EXPECT_EQ(avail, actual);
    EXPECT_EQ(info[0].cpu_number, 0);
    EXPECT_EQ(info[0].vm_entries, 0);
    EXPECT_STATUS(
        zx_object_get_info(zx_process_self(), ZX_INFO_GUEST_STATS, info, sizeof(info), NULL, NULL),
        ZX_ERR_WRONG_TYPE);
}

TEST(System, PowerControl)
{
    EXPECT_OK(zx_system_powerctl(root_resource(), ZX_SYSTEM_POWERCTL_ENABLE_ALL_CPUS, NULL));
    EXPECT_STATUS(zx_system_powerctl(root_resource(), ZX_SYSTEM_POWERCTL_X86_SET_PKG_PL1, NULL),
                  ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_system_powerctl(zx_process_self(), ZX_SYSTEM_POWERCTL_SHUTDOWN, NULL),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_system_powerctl(closed_handle(), ZX_SYSTEM_POWERCTL_SHUTDOWN, NULL),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_system_powerctl(root_resource(), 99, NULL), ZX_ERR_INVALID_ARGS);
}
