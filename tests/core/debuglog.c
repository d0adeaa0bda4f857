/*
 * The debug log.
 */
#include "test.h"

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
