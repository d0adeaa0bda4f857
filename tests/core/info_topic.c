/*
 * The rules that all topics of zx_object_get_info share.
 */
#include "info_topic.h"

#define PAGE 4096u
#define FILL 0x5a

/* Room for the records of any topic; the counts of large ones are checked against it. */
static char records[128 * 1024] __attribute__((aligned(16)));

zx_handle_t info_of_this_process(void)
{
    return zx_process_self();
}

zx_handle_t info_of_this_thread(void)
{
    return zx_thread_self();
}

void info_keep(zx_handle_t handle)
{
    (void)handle;
}

static zx_status_t ask(const struct info_topic *topic, zx_handle_t handle, void *buffer,
                       size_t size, size_t *actual, size_t *available)
{
    return zx_object_get_info(handle, topic->topic, buffer, size, actual, available);
}

/* How many records there are, of which two at least if there may be many. */
static size_t count_records(const struct info_topic *topic, zx_handle_t handle)
{
    size_t available = 0;

    ASSERT_OK(ask(topic, handle, records, sizeof(records), NULL, &available));
    ASSERT_TRUE(available >= (topic->many ? 2 : 1));
    ASSERT_TRUE(available * topic->record_size < sizeof(records));
    return available;
}

void info_fills_in_everything(const struct info_topic *topic)
{
    zx_handle_t handle = topic->open();
    size_t count = count_records(topic, handle), actual = 99, available = 99;

    memset(records, FILL, sizeof(records));
    EXPECT_OK(ask(topic, handle, records, sizeof(records), &actual, &available));
    EXPECT_EQ(actual, count);
    EXPECT_EQ(available, count);
    EXPECT_EQ(records[count * topic->record_size], FILL); /* nothing behind them */
    if (topic->many) {
        /* As many as fit: all but the last. */
        memset(records, FILL, sizeof(records));
        EXPECT_OK(ask(topic, handle, records, count * topic->record_size - 1, &actual, &available));
        EXPECT_EQ(actual, count - 1);
        EXPECT_EQ(available, count);
        EXPECT_EQ(records[(count - 1) * topic->record_size], FILL);
    }
    topic->close(handle);
}

void info_bad_handle(const struct info_topic *topic)
{
    size_t actual = 99, available = 99;

    EXPECT_STATUS(ask(topic, closed_handle(), records, sizeof(records), &actual, &available),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(ask(topic, ZX_HANDLE_INVALID, records, sizeof(records), &actual, &available),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_EQ(actual, 99);
    EXPECT_EQ(available, 99);
}

void info_wrong_type(const struct info_topic *topic)
{
    zx_handle_t right = topic->open(), event;

    ASSERT_OK(zx_event_create(0, &event));
    zx_handle_t others[] = {zx_process_self(), zx_thread_self(), zx_job_default(),
                            zx_vmar_root_self(), event};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (basic_info(others[i]).type != basic_info(right).type)
            EXPECT_STATUS(ask(topic, others[i], records, sizeof(records), NULL, NULL),
                          ZX_ERR_WRONG_TYPE);
    }
    CLOSE(event);
    topic->close(right);
}

void info_needs_the_right(const struct info_topic *topic)
{
    zx_handle_t handle = topic->open(), weak = without_rights(handle, topic->right), strong;

    EXPECT_STATUS(ask(topic, weak, records, sizeof(records), NULL, NULL), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    /* ... and no other. */
    ASSERT_OK(zx_handle_duplicate(handle, topic->right, &strong));
    EXPECT_OK(ask(topic, strong, records, sizeof(records), NULL, NULL));
    CLOSE(strong);
    topic->close(handle);
}

void info_counts_are_optional(const struct info_topic *topic)
{
    zx_handle_t handle = topic->open();
    size_t count = count_records(topic, handle), actual = 99, available = 99;

    EXPECT_OK(ask(topic, handle, records, sizeof(records), NULL, NULL));
    EXPECT_OK(ask(topic, handle, records, sizeof(records), &actual, NULL));
    EXPECT_EQ(actual, count);
    EXPECT_OK(ask(topic, handle, records, sizeof(records), NULL, &available));
    EXPECT_EQ(available, count);
    topic->close(handle);
}

void info_bad_actual(const struct info_topic *topic)
{
    zx_handle_t handle = topic->open();

    EXPECT_STATUS(ask(topic, handle, records, sizeof(records), UNMAPPED, NULL),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(ask(topic, handle, records, sizeof(records), KERNEL_ADDRESS, NULL),
                  ZX_ERR_INVALID_ARGS);
    topic->close(handle);
}

void info_bad_available(const struct info_topic *topic)
{
    zx_handle_t handle = topic->open();

    EXPECT_STATUS(ask(topic, handle, records, sizeof(records), NULL, UNMAPPED),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(ask(topic, handle, records, sizeof(records), NULL, KERNEL_ADDRESS),
                  ZX_ERR_INVALID_ARGS);
    topic->close(handle);
}

/* One page of memory with nothing behind it. */
struct lonely_page {
    zx_handle_t vmar;
    zx_vaddr_t address;
};

static struct lonely_page map_lonely_page(zx_vm_option_t permissions)
{
    struct lonely_page page;
    zx_vaddr_t start;
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(PAGE, 0, &vmo));
    ASSERT_OK(zx_vmar_allocate(zx_vmar_root_self(),
                               ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_SPECIFIC, 0,
                               2 * PAGE, &page.vmar, &start));
    ASSERT_OK(zx_vmar_map(page.vmar, ZX_VM_SPECIFIC | permissions, 0, vmo, 0, PAGE, &page.address));
    CLOSE(vmo);
    return page;
}

static void unmap_lonely_page(const struct lonely_page *page)
{
    EXPECT_OK(zx_vmar_destroy(page->vmar));
    CLOSE(page->vmar);
}

void info_bad_buffer(const struct info_topic *topic)
{
    struct lonely_page page = map_lonely_page(ZX_VM_PERM_READ);
    zx_handle_t handle = topic->open();
    void *bad[] = {NULL, UNMAPPED, KERNEL_ADDRESS, (void *)page.address};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        /* With HANDLE_TABLE, no buffer asks for the count instead. */
        if (!bad[i] && topic->topic == ZX_INFO_HANDLE_TABLE)
            continue;
        EXPECT_STATUS(ask(topic, handle, bad[i], topic->record_size, NULL, NULL),
                      ZX_ERR_INVALID_ARGS);
    }
    topic->close(handle);
    unmap_lonely_page(&page);
}

void info_buffer_ends_early(const struct info_topic *topic)
{
    struct lonely_page page = map_lonely_page(ZX_VM_PERM_READ | ZX_VM_PERM_WRITE);
    zx_handle_t handle = topic->open();
    char *last = (char *)page.address + PAGE - topic->record_size;

    EXPECT_OK(ask(topic, handle, last, topic->record_size, NULL, NULL));
    EXPECT_STATUS(ask(topic, handle, last + 1, topic->record_size, NULL, NULL),
                  ZX_ERR_INVALID_ARGS);
    topic->close(handle);
    unmap_lonely_page(&page);
}

void info_unaligned_buffer(const struct info_topic *topic)
{
    zx_handle_t handle = topic->open();
    static char aligned[512];

    ASSERT_TRUE(topic->record_size < sizeof(aligned) - 1);
    memset(records, FILL, sizeof(aligned));
    ASSERT_OK(ask(topic, handle, records + 1, topic->record_size, NULL, NULL));
    EXPECT_EQ(records[0], FILL);
    EXPECT_EQ(records[1 + topic->record_size], FILL);
    memset(aligned, FILL, sizeof(aligned));
    EXPECT_TRUE(memcmp(records + 1, aligned, topic->record_size) != 0);
    topic->close(handle);
}

void info_too_small(const struct info_topic *topic)
{
    zx_handle_t handle = topic->open();
    size_t count = count_records(topic, handle);

    for (size_t size = 0; size < topic->record_size; size += topic->record_size - 1) {
        size_t actual = 99, available = 99;
        EXPECT_STATUS(ask(topic, handle, records, size, &actual, &available),
                      topic->many ? ZX_OK : ZX_ERR_BUFFER_TOO_SMALL);
        EXPECT_EQ(actual, 0);
        EXPECT_EQ(available, count);
    }
    topic->close(handle);
}
