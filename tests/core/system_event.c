/*
 * zx_system_get_event: how programs learn about memory pressure.
 */
#include "test.h"

#define OOM      ZX_SYSTEM_EVENT_OUT_OF_MEMORY
#define CRITICAL ZX_SYSTEM_EVENT_MEMORY_PRESSURE_CRITICAL
#define WARNING  ZX_SYSTEM_EVENT_MEMORY_PRESSURE_WARNING
#define NORMAL   ZX_SYSTEM_EVENT_MEMORY_PRESSURE_NORMAL

static zx_handle_t get_event(uint32_t kind)
{
    zx_handle_t event;

    ASSERT_OK(zx_system_get_event(zx_job_default(), kind, &event));
    return event;
}

TEST(SystemEvent, OutOfMemory)
{
    zx_handle_t event = get_event(OOM);

    EXPECT_EQ(basic_info(event).type, ZX_OBJ_TYPE_EVENT);
    EXPECT_EQ(signals_of(event), 0); /* there is enough */
    CLOSE(event);
}

TEST(SystemEvent, PressureIsNormal)
{
    zx_handle_t events[] = {get_event(CRITICAL), get_event(WARNING), get_event(NORMAL)};

    /* Exactly one of them, always. */
    EXPECT_EQ(signals_of(events[0]), 0);
    EXPECT_EQ(signals_of(events[1]), 0);
    EXPECT_EQ(signals_of(events[2]), ZX_EVENT_SIGNALED);
    EXPECT_OK(zx_handle_close_many(events, 3));
}

TEST(SystemEvent, Rights)
{
    for (uint32_t kind = OOM; kind <= NORMAL; kind++) {
        zx_handle_t event = get_event(kind);
        EXPECT_EQ(basic_info(event).rights, ZX_RIGHT_WAIT | ZX_RIGHT_DUPLICATE | ZX_RIGHT_TRANSFER);
        CLOSE(event);
    }
}

TEST(SystemEvent, CannotBeSignaled)
{
    zx_handle_t event = get_event(CRITICAL);

    EXPECT_STATUS(zx_object_signal(event, 0, ZX_EVENT_SIGNALED), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_object_signal(event, 0, ZX_USER_SIGNAL_0), ZX_ERR_ACCESS_DENIED);
    EXPECT_EQ(signals_of(event), 0);
    CLOSE(event);
}

/* Everybody gets the same one. */
TEST(SystemEvent, IsShared)
{
    for (uint32_t kind = OOM; kind <= NORMAL; kind++) {
        zx_handle_t a = get_event(kind), b = get_event(kind);
        EXPECT_EQ(basic_info(a).koid, basic_info(b).koid);
        CLOSE(a);
        CLOSE(b);
    }
}

TEST(SystemEvent, OneForEachKind)
{
    zx_handle_t events[4];

    for (uint32_t i = 0; i < 4; i++) {
        events[i] = get_event(OOM + i);
        for (uint32_t j = 0; j < i; j++)
            EXPECT_TRUE(basic_info(events[i]).koid != basic_info(events[j]).koid);
    }
    EXPECT_OK(zx_handle_close_many(events, 4));
}

/* It lasts as long as the system, whoever holds it. */
TEST(SystemEvent, OutlivesItsHandles)
{
    zx_handle_t event = get_event(NORMAL);
    zx_koid_t koid = basic_info(event).koid;

    CLOSE(event);
    event = get_event(NORMAL);
    EXPECT_EQ(basic_info(event).koid, koid);
    EXPECT_EQ(signals_of(event), ZX_EVENT_SIGNALED);
    CLOSE(event);
}

TEST(SystemEvent, OnlyForTheRootJob)
{
    zx_handle_t job, event;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    for (uint32_t kind = OOM; kind <= NORMAL; kind++)
        EXPECT_STATUS(zx_system_get_event(job, kind, &event), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_system_get_event(closed_handle(), NORMAL, &event), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_system_get_event(zx_process_self(), NORMAL, &event), ZX_ERR_WRONG_TYPE);
    CLOSE(job);
}

TEST(SystemEvent, OutOfMemoryNeedsManageProcess)
{
    zx_handle_t weak = without_rights(zx_job_default(), ZX_RIGHT_MANAGE_PROCESS), event;

    EXPECT_STATUS(zx_system_get_event(weak, OOM, &event), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_system_get_event(weak, NORMAL, &event));
    CLOSE(event);
    CLOSE(weak);
}

TEST(SystemEvent, BadArguments)
{
    zx_handle_t event;

    EXPECT_STATUS(zx_system_get_event(zx_job_default(), 0, &event), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_system_get_event(zx_job_default(), 5, &event), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_system_get_event(zx_job_default(), UINT32_MAX, &event), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_system_get_event(zx_job_default(), NORMAL, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_system_get_event(zx_job_default(), NORMAL, UNMAPPED), ZX_ERR_INVALID_ARGS);
}
