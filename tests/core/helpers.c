/*
 * What several suites need.
 */
#include "test.h"

zx_handle_t closed_handle(void)
{
    zx_handle_t handle;

    ASSERT_OK(zx_event_create(0, &handle));
    ASSERT_OK(zx_handle_close(handle));
    return handle;
}

zx_info_handle_basic_t basic_info(zx_handle_t handle)
{
    zx_info_handle_basic_t info;

    ASSERT_OK(zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &info, sizeof(info), NULL, NULL));
    return info;
}

zx_signals_t signals_of(zx_handle_t handle)
{
    zx_signals_t observed = 0;

    /* No signals asked for and a deadline in the past: the call only looks. */
    ASSERT_STATUS(zx_object_wait_one(handle, 0, 0, &observed), ZX_ERR_TIMED_OUT);
    return observed;
}

zx_handle_t without_rights(zx_handle_t handle, zx_rights_t rights)
{
    zx_handle_t result;

    ASSERT_OK(zx_handle_duplicate(handle, basic_info(handle).rights & ~rights, &result));
    return result;
}

zx_handle_t root_resource(void)
{
    return zx_get_startup_handle(PA_HND(PA_RESOURCE, 0));
}

zx_info_kmem_stats_t kmem(void)
{
    zx_info_kmem_stats_t stats;

    ASSERT_OK(
        zx_object_get_info(root_resource(), ZX_INFO_KMEM_STATS, &stats, sizeof(stats), NULL, NULL));
    return stats;
}

bool wait_until_blocked(zx_handle_t thread, uint32_t state)
{
    zx_time_t deadline = soon();
    zx_info_thread_t info;

    while (zx_clock_get_monotonic() < deadline) {
        if (zx_object_get_info(thread, ZX_INFO_THREAD, &info, sizeof(info), NULL, NULL) != ZX_OK)
            return false;
        if (info.state == state)
            return true;
        zx_nanosleep(zx_deadline_after(MS(1)));
    }
    return false;
}

bool is_user_space(uint64_t base, uint64_t length)
{
    if (base >= 0x200000000)
        return (base - 0x200000000) % 0x10000000000 == 0 && length == 0x10000000000 - 0x200000;
    return base == 0x1000000 && length == 0x7ffffefff000;
}
