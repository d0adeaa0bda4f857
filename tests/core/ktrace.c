/*
 * The kernel trace.
 */
#include "raw_thread.h"

#include <stdlib.h>
#include <zircon/ktrace.h>

#define TRACE_MAX (1u << 20)

static zx_status_t control(uint32_t action, uint32_t options)
{
    return zx_ktrace_control(root_resource(), action, options, NULL);
}

/* All that is in the buffer; *length is how much. */
static uint8_t *read_trace(size_t *length)
{
    uint8_t *trace = malloc(TRACE_MAX);
    size_t there = 0;

    ASSERT_TRUE(trace != NULL);
    ASSERT_OK(zx_ktrace_read(root_resource(), NULL, 0, 0, &there));
    ASSERT_OK(zx_ktrace_read(root_resource(), trace, 0, TRACE_MAX, length));
    EXPECT_EQ(*length, there);
    return trace;
}

/* The next record of that tag behind `after` (NULL: the first), or NULL. */
static const ktrace_rec_32b_t *find(const uint8_t *trace, size_t length, uint32_t tag,
                                    const void *after)
{
    for (size_t at = 0; at + 16 <= length;) {
        const ktrace_rec_32b_t *record = (const void *)(trace + at);

        if (KTRACE_LEN(record->tag) < 16)
            break;
        if (record->tag == tag && (const void *)record > after)
            return record;
        at += KTRACE_LEN(record->tag);
    }
    return NULL;
}

static bool has_name(const uint8_t *trace, size_t length, uint32_t tag, uint64_t id,
                     const char *name)
{
    const void *record = NULL;

    while ((record = find(trace, length, tag, record))) {
        const ktrace_rec_name_t *named = record;
        if (named->id == (uint32_t)id && strcmp(named->name, name) == 0)
            return true;
    }
    return false;
}

TEST(Ktrace, BeginsWithVersionAndTicks)
{
    size_t length;
    uint8_t *trace;

    ASSERT_OK(control(KTRACE_ACTION_REWIND, 0));
    trace = read_trace(&length);
    const ktrace_rec_32b_t *record = (const void *)trace;
    EXPECT_EQ(record[0].tag, KTRACE_TAG_VERSION);
    EXPECT_EQ(record[0].a, KTRACE_VERSION);
    EXPECT_EQ(record[1].tag, KTRACE_TAG_TICKS_PER_MS);
    EXPECT_EQ(record[1].a | (uint64_t)record[1].b << 32, (uint64_t)zx_ticks_per_second() / 1000);
    EXPECT_TRUE(has_name(trace, length, KTRACE_TAG_SYSCALL_NAME, 6, "channel_write"));
    free(trace);
}

static void exits(uintptr_t unused1, uintptr_t unused2)
{
    (void)unused1;
    (void)unused2;
    zx_thread_exit();
}

/* A thread's life: named, created, started, switched to, gone; and in that order. */
TEST(Ktrace, Tasks)
{
    uint32_t self = (uint32_t)basic_info(zx_process_self()).koid, tid;
    char name[ZX_MAX_NAME_LEN];
    size_t length;

    ASSERT_OK(zx_object_get_property(zx_process_self(), ZX_PROP_NAME, name, sizeof(name)));
    ASSERT_OK(control(KTRACE_ACTION_REWIND, 0));
    ASSERT_OK(control(KTRACE_ACTION_START, KTRACE_GRP_TASKS | KTRACE_GRP_SCHEDULER));
    struct raw_thread t = raw_run(exits, 0, 0);
    tid = (uint32_t)basic_info(t.handle).koid;
    raw_join(&t);
    ASSERT_OK(control(KTRACE_ACTION_STOP, 0));
    uint8_t *trace = read_trace(&length);

    EXPECT_TRUE(has_name(trace, length, KTRACE_TAG_PROC_NAME, self, name));
    EXPECT_TRUE(has_name(trace, length, KTRACE_TAG_THREAD_NAME, tid, "raw"));
    const uint32_t order[] = {KTRACE_TAG_THREAD_CREATE, KTRACE_TAG_THREAD_START,
                              KTRACE_TAG_CONTEXT_SWITCH, KTRACE_TAG_THREAD_EXIT};
    const ktrace_rec_32b_t *record = NULL;
    uint64_t then = 0;
    for (int i = 0; i < 4; i++) {
        do
            record = find(trace, length, order[i], record);
        while (record && record->a != tid);
        ASSERT_TRUE(record != NULL);
        EXPECT_TRUE(record->ts >= then);
        then = record->ts;
    }
    EXPECT_EQ(record->tid, tid);                                              /* it exits itself */
    EXPECT_TRUE(find(trace, length, KTRACE_TAG_SYSCALL_ENTER, NULL) == NULL); /* not asked for */
    free(trace);
}

TEST(Ktrace, SystemCalls)
{
    size_t length;
    zx_handle_t event;

    ASSERT_OK(control(KTRACE_ACTION_REWIND, 0));
    ASSERT_OK(control(KTRACE_ACTION_START, KTRACE_GRP_SYSCALL));
    ASSERT_OK(zx_event_create(0, &event));
    CLOSE(event);
    ASSERT_OK(control(KTRACE_ACTION_STOP, 0));
    ASSERT_OK(zx_event_create(0, &event)); /* not recorded any more */
    CLOSE(event);
    uint8_t *trace = read_trace(&length);
    const ktrace_rec_32b_t *record = NULL;
    int enters = 0, exits_ = 0;
    while ((record = find(trace, length, KTRACE_TAG_SYSCALL_ENTER, record)))
        enters += record->tid >> 8 == 25; /* event_create */
    while ((record = find(trace, length, KTRACE_TAG_SYSCALL_EXIT, record)))
        exits_ += record->tid >> 8 == 25;
    EXPECT_EQ(enters, 1);
    EXPECT_EQ(exits_, 1);
    free(trace);
}

TEST(Ktrace, PageFaults)
{
    zx_vaddr_t at;
    zx_handle_t vmo;
    size_t length;

    ASSERT_OK(zx_vmo_create(4096, 0, &vmo));
    ASSERT_OK(
        zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, 4096, &at));
    ASSERT_OK(control(KTRACE_ACTION_REWIND, 0));
    ASSERT_OK(control(KTRACE_ACTION_START, KTRACE_GRP_VM));
    *(volatile uint8_t *)(at + 5) = 1;
    ASSERT_OK(control(KTRACE_ACTION_STOP, 0));
    uint8_t *trace = read_trace(&length);
    const ktrace_rec_32b_t *record = NULL;
    do
        record = find(trace, length, KTRACE_TAG_PAGE_FAULT, record);
    while (record && ((uint64_t)record->a << 32 | record->b) != at + 5);
    EXPECT_TRUE(record != NULL);
    free(trace);
    EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), at, 4096));
    CLOSE(vmo);
}

TEST(Ktrace, Probes)
{
    char name[ZX_MAX_NAME_LEN] = "core-tests: probe";
    int32_t id = zx_ktrace_control(root_resource(), KTRACE_ACTION_NEW_PROBE, 0, name);
    size_t length;

    ASSERT_TRUE(id > 0);
    EXPECT_EQ(zx_ktrace_control(root_resource(), KTRACE_ACTION_NEW_PROBE, 0, name), id);
    EXPECT_STATUS(zx_ktrace_write(root_resource(), (uint32_t)id, 1, 2), ZX_ERR_UNAVAILABLE);
    ASSERT_OK(control(KTRACE_ACTION_REWIND, 0));
    ASSERT_OK(control(KTRACE_ACTION_START, KTRACE_GRP_PROBE));
    EXPECT_OK(zx_ktrace_write(root_resource(), (uint32_t)id, 0x1234, 0x56789abc));
    ASSERT_OK(control(KTRACE_ACTION_STOP, 0));
    uint8_t *trace = read_trace(&length);
    EXPECT_TRUE(has_name(trace, length, KTRACE_TAG_PROBE_NAME, (uint32_t)id, name));
    const ktrace_rec_32b_t *record = find(trace, length, KTRACE_TAG_PROBE((uint32_t)id), NULL);
    ASSERT_TRUE(record != NULL);
    EXPECT_EQ(record->a, 0x1234);
    EXPECT_EQ(record->b, 0x56789abc);
    EXPECT_EQ(record->tid, (uint32_t)basic_info(zx_thread_self()).koid);
    EXPECT_TRUE(find(trace, length, KTRACE_TAG_PROBE((uint32_t)id), record) == NULL);
    free(trace);
}

/* Full is full: nothing is overwritten, nothing runs over. */
TEST(Ktrace, StopsWhenFull)
{
    zx_status_t status = ZX_OK;
    size_t before, after, count = 0;

    ASSERT_OK(control(KTRACE_ACTION_REWIND, 0));
    ASSERT_OK(control(KTRACE_ACTION_START, KTRACE_GRP_PROBE));
    while ((status = zx_ktrace_write(root_resource(), 7, 0, 0)) == ZX_OK && count < TRACE_MAX / 24)
        count++;
    EXPECT_STATUS(status, ZX_ERR_UNAVAILABLE);
    EXPECT_TRUE(count > 1000);
    ASSERT_OK(zx_ktrace_read(root_resource(), NULL, 0, 0, &before));
    EXPECT_STATUS(zx_ktrace_write(root_resource(), 7, 0, 0), ZX_ERR_UNAVAILABLE);
    ASSERT_OK(zx_ktrace_read(root_resource(), NULL, 0, 0, &after));
    EXPECT_EQ(before, after);
    uint8_t *trace = read_trace(&after);
    EXPECT_EQ(((const ktrace_rec_32b_t *)(const void *)trace)->tag, KTRACE_TAG_VERSION);
    free(trace);
    EXPECT_OK(control(KTRACE_ACTION_STOP, 0));
    EXPECT_OK(control(KTRACE_ACTION_REWIND, 0));
}

TEST(Ktrace, ReadsInPieces)
{
    uint8_t whole[256], piece[64];
    size_t length, actual;

    ASSERT_OK(control(KTRACE_ACTION_STOP, 0));
    ASSERT_OK(control(KTRACE_ACTION_REWIND, 0));
    ASSERT_OK(zx_ktrace_read(root_resource(), NULL, 0, 0, &length));
    ASSERT_TRUE(length > sizeof(whole));
    ASSERT_OK(zx_ktrace_read(root_resource(), whole, 0, sizeof(whole), &actual));
    EXPECT_EQ(actual, sizeof(whole));
    for (uint32_t at = 0; at < sizeof(whole); at += sizeof(piece)) {
        EXPECT_OK(zx_ktrace_read(root_resource(), piece, at, sizeof(piece), &actual));
        EXPECT_EQ(memcmp(piece, whole + at, sizeof(piece)), 0);
    }
    EXPECT_OK(
        zx_ktrace_read(root_resource(), piece, (uint32_t)length - 16, sizeof(piece), &actual));
    EXPECT_EQ(actual, 16);
    EXPECT_OK(zx_ktrace_read(root_resource(), piece, (uint32_t)length, sizeof(piece), &actual));
    EXPECT_EQ(actual, 0);
    EXPECT_OK(zx_ktrace_read(root_resource(), piece, UINT32_MAX, SIZE_MAX, &actual));
    EXPECT_EQ(actual, 0);
}

TEST(Ktrace, BadArguments)
{
    uint8_t byte;
    size_t actual;

    EXPECT_STATUS(zx_ktrace_read(zx_process_self(), &byte, 0, 1, &actual), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_ktrace_read(closed_handle(), &byte, 0, 1, &actual), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_ktrace_control(zx_process_self(), KTRACE_ACTION_STOP, 0, NULL),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_ktrace_write(closed_handle(), 1, 0, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(control(0, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(control(99, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(control(KTRACE_ACTION_START, 0x1000), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(control(KTRACE_ACTION_NEW_PROBE, 0), ZX_ERR_INVALID_ARGS); /* no name */
    EXPECT_STATUS(zx_ktrace_control(root_resource(), KTRACE_ACTION_NEW_PROBE, 0, UNMAPPED),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_ktrace_write(root_resource(), 0x800, 0, 0), ZX_ERR_INVALID_ARGS);
    ASSERT_OK(control(KTRACE_ACTION_REWIND, 0));
    EXPECT_STATUS(zx_ktrace_read(root_resource(), KERNEL_ADDRESS, 0, 16, &actual),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_ktrace_read(root_resource(), &byte, 0, 1, UNMAPPED), ZX_ERR_INVALID_ARGS);
}
