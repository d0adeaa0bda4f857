/*
 * The debug log.
 */
#include "test.h"

#include <zircon/port.h>

#define READABLE 0x40000000u

static const zx_log_record_t *record_in(const void *buffer)
{
    return buffer;
}

/* Reads until a record of ours comes, or there are no more. */
static bool find_record(zx_handle_t log, const char *text, char *buffer, size_t size)
{
    zx_status_t status;

    while ((status = zx_debuglog_read(log, 0, buffer, size)) > 0) {
        const zx_log_record_t *record = record_in(buffer);
        if (record->datalen == strlen(text) && memcmp(record->data, text, record->datalen) == 0)
            return true;
    }
    EXPECT_STATUS(status, ZX_ERR_SHOULD_WAIT);
    return false;
}

TEST(Debuglog, WriteAndRead)
{
    static const char text[] = "core-tests: a line";
    char buffer[ZX_LOG_RECORD_MAX];
    zx_handle_t log;

    ASSERT_OK(zx_debuglog_create(root_resource(), READABLE, &log));
    EXPECT_EQ(basic_info(log).type, ZX_OBJ_TYPE_LOG);
    EXPECT_OK(zx_debuglog_write(log, 0, text, sizeof(text) - 1));
    EXPECT_EQ(signals_of(log) & ZX_LOG_READABLE, ZX_LOG_READABLE);
    EXPECT_TRUE(find_record(log, text, buffer, sizeof(buffer)));
    EXPECT_EQ(record_in(buffer)->pid, basic_info(zx_process_self()).koid);
    EXPECT_EQ(record_in(buffer)->tid, basic_info(zx_thread_self()).koid);
    EXPECT_TRUE(record_in(buffer)->timestamp > 0);
    EXPECT_TRUE(record_in(buffer)->timestamp <= zx_clock_get_monotonic());
    CLOSE(log);
}

TEST(Debuglog, EachReaderSeesEverything)
{
    static const char text[] = "core-tests: for both";
    char buffer[ZX_LOG_RECORD_MAX];
    zx_handle_t a, b;

    ASSERT_OK(zx_debuglog_create(root_resource(), READABLE, &a));
    ASSERT_OK(zx_debuglog_create(root_resource(), READABLE, &b));
    EXPECT_OK(zx_debuglog_write(a, 0, text, sizeof(text) - 1));
    EXPECT_TRUE(find_record(a, text, buffer, sizeof(buffer)));
    EXPECT_TRUE(find_record(b, text, buffer, sizeof(buffer)));
    CLOSE(a);
    CLOSE(b);
}

TEST(Debuglog, LongRecordsAreCut)
{
    char text[400], buffer[ZX_LOG_RECORD_MAX];
    zx_handle_t log;

    memset(text, 'l', sizeof(text));
    ASSERT_OK(zx_debuglog_create(root_resource(), READABLE, &log));
    EXPECT_OK(zx_debuglog_write(log, 0, text, sizeof(text)));
    bool found = false;
    while (zx_debuglog_read(log, 0, buffer, sizeof(buffer)) > 0)
        found |= record_in(buffer)->datalen >= 200 && record_in(buffer)->data[0] == 'l';
    EXPECT_TRUE(found);
    CLOSE(log);
}

/* A reader that is too slow is told how many records it has missed, and only once. */
TEST(Debuglog, CountsWhatWasMissed)
{
    enum { COUNT = 500 };
    char text[200], buffer[ZX_LOG_RECORD_MAX];
    unsigned missed = 0, seen = 0;
    zx_handle_t log;

    memset(text, 'm', sizeof(text));
    ASSERT_OK(zx_debuglog_create(root_resource(), READABLE, &log));
    while (zx_debuglog_read(log, 0, buffer, sizeof(buffer)) > 0)
        ; /* what was there before */
    for (int i = 0; i < COUNT; i++)
        ASSERT_OK(zx_debuglog_write(log, 0, text, sizeof(text)));
    for (; zx_debuglog_read(log, 0, buffer, sizeof(buffer)) > 0; seen++) {
        EXPECT_TRUE(seen == 0 || record_in(buffer)->rollout == 0);
        missed += record_in(buffer)->rollout;
    }
    EXPECT_TRUE(missed > 0 && seen > 0);
    EXPECT_EQ(missed + seen, COUNT);
    EXPECT_EQ(signals_of(log) & ZX_LOG_READABLE, 0);
    CLOSE(log);
}

/* A reader that waits is woken by the next record. */
TEST(Debuglog, WakesAReader)
{
    char buffer[ZX_LOG_RECORD_MAX];
    zx_handle_t log, port;
    zx_port_packet_t packet;

    ASSERT_OK(zx_debuglog_create(root_resource(), READABLE, &log));
    while (zx_debuglog_read(log, 0, buffer, sizeof(buffer)) > 0)
        ;
    ASSERT_OK(zx_port_create(0, &port));
    ASSERT_OK(zx_object_wait_async(log, port, 5, ZX_LOG_READABLE, 0));
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    EXPECT_OK(zx_debuglog_write(log, 0, "wake", 4));
    EXPECT_OK(zx_port_wait(port, soon(), &packet));
    EXPECT_EQ(packet.key, 5);
    EXPECT_TRUE(find_record(log, "wake", buffer, sizeof(buffer)));
    CLOSE(port);
    CLOSE(log);
}

TEST(Debuglog, Rights)
{
    char buffer[ZX_LOG_RECORD_MAX];
    zx_handle_t log;

    ASSERT_OK(zx_debuglog_create(ZX_HANDLE_INVALID, 0, &log)); /* anybody may write */
    EXPECT_STATUS(zx_debuglog_read(log, 0, buffer, sizeof(buffer)), ZX_ERR_ACCESS_DENIED);
    zx_handle_t weak = without_rights(log, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_debuglog_write(weak, 0, "x", 1), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    CLOSE(log);
}

TEST(Debuglog, BadArguments)
{
    char buffer[ZX_LOG_RECORD_MAX];
    zx_handle_t log;

    EXPECT_STATUS(zx_debuglog_create(root_resource(), 1, &log), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_debuglog_create(zx_process_self(), 0, &log), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_debuglog_create(closed_handle(), 0, &log), ZX_ERR_BAD_HANDLE);
    ASSERT_OK(zx_debuglog_create(root_resource(), READABLE, &log));
    EXPECT_STATUS(zx_debuglog_write(log, 0xff000000, "x", 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_debuglog_write(log, 0, UNMAPPED, 4), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_debuglog_read(log, 1, buffer, sizeof(buffer)), ZX_ERR_INVALID_ARGS);
    CLOSE(log);
}
