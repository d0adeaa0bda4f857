/*
 * test_debug.c - resources, the debug log, the console calls.
 */
#include "helpers.h"

#include <zircon/log.h>
#include <zircon/resource.h>

#include "debug.h"
#include "debuglog.h"
#include "resource.h"

enum { OUT0 = 0, NAME = 32, TEXT = 0x100, RECORD = 0x400, ACTUAL = 0x800 };

static zx_handle_t root_handle(void)
{
    object_ref(&fix.kernel.root_resource->object);
    return fixture_give(&fix.kernel.root_resource->object, ZX_DEFAULT_RESOURCE_RIGHTS);
}

/* ---- Resources ----------------------------------------------------------------------------- */

static int64_t create(zx_handle_t parent, uint32_t options, uint64_t base, uint64_t size,
                      zx_handle_t *out)
{
    int64_t status = sys_resource_create(SELF, parent, options, base, size, U(NAME), 5, U(OUT0));

    if (status == ZX_OK && out)
        *out = fixture_handle_at(OUT0);
    return status;
}

static void test_resource_create(void **state)
{
    zx_handle_t root = root_handle(), mmio, part, exclusive;

    (void)state;
    fixture_poke(NAME, "hello", 5);
    assert_status(create(3, 0, 0, 1, NULL), ZX_ERR_BAD_HANDLE);
    assert_status(create(new_event(ZX_RIGHT_WRITE), 0, 0, 1, NULL), ZX_ERR_WRONG_TYPE);
    assert_status(create(root, ZX_RSRC_KIND_COUNT, 0, 1, NULL), ZX_ERR_INVALID_ARGS);
    assert_status(create(root, 0x20000, 0, 1, NULL), ZX_ERR_INVALID_ARGS);
    assert_status(create(root, ZX_RSRC_KIND_MMIO, 0, 0, NULL), ZX_ERR_INVALID_ARGS);
    assert_status(create(root, ZX_RSRC_KIND_MMIO, UINT64_MAX, 2, NULL), ZX_ERR_INVALID_ARGS);
    assert_status(create(root, ZX_RSRC_KIND_ROOT, 0, 1, NULL), ZX_ERR_INVALID_ARGS);
    assert_status(create(root, ZX_RSRC_KIND_VMEX, 0, 0, NULL), ZX_OK);
    assert_status(create(root, ZX_RSRC_KIND_MMIO, 0x1000, 0x1000, &mmio), ZX_OK);
    assert_status(create(mmio, ZX_RSRC_KIND_MMIO, 0x1800, 0x800, &part), ZX_OK);
    assert_status(create(mmio, ZX_RSRC_KIND_MMIO, 0x1800, 0x801, NULL), ZX_ERR_ACCESS_DENIED);
    assert_status(create(mmio, ZX_RSRC_KIND_MMIO, 0xfff, 2, NULL), ZX_ERR_ACCESS_DENIED);
    assert_status(create(mmio, ZX_RSRC_KIND_IRQ, 0x1000, 1, NULL), ZX_ERR_ACCESS_DENIED);
    assert_status(create(mmio, ZX_RSRC_KIND_ROOT, 0, 0, NULL), ZX_ERR_ACCESS_DENIED);
    assert_status(create(mmio, ZX_RSRC_KIND_MMIO | ZX_RSRC_FLAG_EXCLUSIVE, 0x1000, 1, NULL),
                  ZX_ERR_INVALID_ARGS);
    assert_status(create(root, ZX_RSRC_KIND_MMIO | ZX_RSRC_FLAG_EXCLUSIVE, 0x1fff, 1, NULL),
                  ZX_ERR_NOT_FOUND);
    assert_status(create(root, ZX_RSRC_KIND_MMIO | ZX_RSRC_FLAG_EXCLUSIVE, 0x2000, 16, &exclusive),
                  ZX_OK);
    assert_status(create(root, ZX_RSRC_KIND_MMIO, 0x200f, 1, NULL), ZX_ERR_NOT_FOUND);
    assert_status(create(root, ZX_RSRC_KIND_IRQ, 0x2000, 1, NULL), ZX_OK);
    assert_status(create(exclusive, ZX_RSRC_KIND_MMIO, 0x2000, 1, NULL), ZX_ERR_INVALID_ARGS);
    close_handle(exclusive);
    assert_status(create(root, ZX_RSRC_KIND_MMIO, 0x2000, 1, NULL), ZX_OK);
    root = with_rights(root, ZX_RIGHT_DUPLICATE);
    assert_status(create(root, ZX_RSRC_KIND_MMIO, 0, 1, NULL), ZX_ERR_ACCESS_DENIED);
}

static void test_resource_check(void **state)
{
    zx_handle_t root = root_handle(), irq, vmex;
    zx_info_resource_t info = {0};

    (void)state;
    fixture_poke(NAME, "irqs!", 5);
    assert_status(create(root, ZX_RSRC_KIND_IRQ, 10, 5, &irq), ZX_OK);
    assert_status(create(root, ZX_RSRC_KIND_VMEX, 0, 0, &vmex), ZX_OK);
    assert_status(resource_check(fix.process, root, ZX_RSRC_KIND_SMC, 7, 7), ZX_OK);
    assert_status(resource_check(fix.process, vmex, ZX_RSRC_KIND_VMEX, 0, 0), ZX_OK);
    assert_status(resource_check(fix.process, vmex, ZX_RSRC_KIND_ROOT, 0, 0), ZX_ERR_WRONG_TYPE);
    assert_status(resource_check(fix.process, irq, ZX_RSRC_KIND_IRQ, 14, 1), ZX_OK);
    assert_status(resource_check(fix.process, irq, ZX_RSRC_KIND_IRQ, 14, 2), ZX_ERR_OUT_OF_RANGE);
    assert_status(resource_check(fix.process, irq, ZX_RSRC_KIND_IRQ, 12, UINT64_MAX),
                  ZX_ERR_OUT_OF_RANGE);
    assert_status(resource_check(fix.process, irq, ZX_RSRC_KIND_MMIO, 14, 1), ZX_ERR_WRONG_TYPE);
    assert_status(resource_check(fix.process, 0, ZX_RSRC_KIND_IRQ, 14, 1), ZX_ERR_BAD_HANDLE);
    object_of(irq)->ops->get_info(object_of(irq), &info);
    assert_int_equal(info.kind, ZX_RSRC_KIND_IRQ);
    assert_int_equal(info.base, 10);
    assert_int_equal(info.size, 5);
    assert_string_equal(info.name, "irqs!");
    heap_fail_nth(1);
    assert_status(create(root, ZX_RSRC_KIND_IRQ, 10, 5, NULL), ZX_ERR_NO_MEMORY);
}

/* ---- The debug log ------------------------------------------------------------------------- */

struct record {
    union {
        zx_log_record_t header;
        struct {
            char padding[sizeof(zx_log_record_t)];
            char text[ZX_LOG_RECORD_DATA_MAX + 1];
        };
    };
};

static zx_handle_t new_log(uint32_t options)
{
    assert_status(sys_debuglog_create(SELF, 0, options, U(OUT0)), ZX_OK);
    return fixture_handle_at(OUT0);
}

static int64_t read_log(zx_handle_t log, struct record *record)
{
    int64_t n = sys_debuglog_read(SELF, log, 0, U(RECORD), ZX_LOG_RECORD_MAX);

    memset(record, 0, sizeof *record);
    if (n > 0)
        fixture_peek(RECORD, record, (size_t)n);
    return n;
}

static void test_log(void **state)
{
    zx_handle_t log, writer;
    struct record record;

    (void)state;
    klog(ZX_LOG_WARNING, "number %d", 42);
    assert_non_null(strstr(fake_console(), "> number 42\n"));
    assert_non_null(strstr(fake_console(), "[00001.000] "));
    fake_console_clear();
    klog(ZX_LOG_INFO, "quiet");
    assert_string_equal(fake_console(), "");
    log = new_log(ZX_LOG_FLAG_READABLE);
    writer = new_log(0);
    assert_int_equal(signals_of(log), ZX_LOG_READABLE | ZX_LOG_WRITABLE);
    assert_int_equal(signals_of(writer), ZX_LOG_WRITABLE);
    assert_status(read_log(writer, &record), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(read_log(log, &record), 32 + 9);
    assert_string_equal(record.text, "number 42");
    assert_int_equal(record.header.severity, ZX_LOG_WARNING);
    assert_int_equal(record.header.pid, fix.process->object.koid);
    assert_int_equal(record.header.tid, SELF->object.koid);
    assert_int_equal(record.header.timestamp, hal_now());
    assert_int_equal(record.header.rollout, 0);
    assert_int_equal(read_log(log, &record), 32 + 5);
    assert_int_equal(signals_of(log), ZX_LOG_WRITABLE);
    assert_status(read_log(log, &record), ZX_ERR_SHOULD_WAIT);

    fixture_poke(TEXT, "from user", 9);
    assert_status(sys_debuglog_write(SELF, writer, 0x20, U(TEXT), 9), ZX_ERR_INVALID_ARGS);
    assert_status(sys_debuglog_write(SELF, writer, ZX_LOG_LOCAL, BAD, 9), ZX_ERR_INVALID_ARGS);
    assert_status(sys_debuglog_write(SELF, writer, ZX_LOG_LOCAL, U(TEXT), 9), ZX_OK);
    assert_string_equal(fake_console(), "");
    assert_int_equal(signals_of(log), ZX_LOG_READABLE | ZX_LOG_WRITABLE);
    assert_int_equal(sys_debuglog_read(SELF, log, 0, U(RECORD), 36), 36); /* the rest is cut */
    fix.kernel.verbose = true;
    assert_status(sys_debuglog_write(SELF, writer, 0, U(TEXT), 1000), ZX_OK);
    assert_non_null(strstr(fake_console(), "> from user"));
    assert_int_equal(read_log(log, &record), ZX_LOG_RECORD_MAX);
    assert_status(sys_debuglog_read(SELF, log, 1, U(RECORD), 36), ZX_ERR_INVALID_ARGS);
}

/* Writing never waits: a slow reader is told how many records it has missed. */
static void test_log_overrun(void **state)
{
    zx_handle_t log = new_log(ZX_LOG_FLAG_READABLE);
    struct record record;
    uint32_t got = 0;
    int last = -1;

    (void)state;
    for (int i = 0; i < 1000; i++)
        klog(ZX_LOG_INFO, "record %d %.*s", i, i % 50,
             "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    for (; read_log(log, &record) > 0; got++) {
        int i = atoi(record.text + 7);

        assert_int_equal(record.header.rollout, got == 0 ? i : 0);
        assert_true(got == 0 || i == last + 1);
        last = i;
    }
    assert_int_equal(last, 999);
    assert_in_range(got, 30, 90);
}

static void test_log_create(void **state)
{
    zx_handle_t root = root_handle();

    (void)state;
    assert_status(sys_debuglog_create(SELF, root, 0, U(OUT0)), ZX_OK);
    assert_status(sys_debuglog_create(SELF, root, 1, U(OUT0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_debuglog_create(SELF, 3, 0, U(OUT0)), ZX_ERR_BAD_HANDLE);
    assert_status(sys_debuglog_create(SELF, new_event(0), 0, U(OUT0)), ZX_ERR_WRONG_TYPE);
    heap_fail_nth(1);
    assert_status(sys_debuglog_create(SELF, 0, 0, U(OUT0)), ZX_ERR_NO_MEMORY);
}

/* ---- The console --------------------------------------------------------------------------- */

static void test_debug_write(void **state)
{
    char text[300];

    (void)state;
    memset(text, 'x', sizeof text);
    fixture_poke(TEXT, text, sizeof text);
    assert_status(sys_debug_write(SELF, U(TEXT), 3), ZX_OK);
    assert_string_equal(fake_console(), "xxx");
    assert_status(sys_debug_write(SELF, U(TEXT), 300), ZX_OK);
    assert_int_equal(strlen(fake_console()), 259);
    assert_status(sys_debug_write(SELF, BAD, 3), ZX_ERR_INVALID_ARGS);
}

static int64_t read_as(struct thread *thread, zx_handle_t root, size_t size)
{
    return AS(thread, sys_debug_read(thread, root, U(TEXT), size, U(ACTUAL)));
}

static void test_debug_read(void **state)
{
    struct thread *one = fixture_thread(), *two = fixture_thread();
    zx_handle_t root = root_handle();
    char text[8] = "";

    (void)state;
    assert_status(read_as(SELF, new_event(0), 4), ZX_ERR_WRONG_TYPE);
    assert_status(read_as(SELF, root, 0), ZX_OK);
    fake_console_input("ab\rc", false);
    assert_status(read_as(SELF, root, 3), ZX_OK);
    assert_int_equal(u64_at(ACTUAL), 3);
    fixture_peek(TEXT, text, 3);
    assert_string_equal(text, "ab\n");
    assert_status(read_as(SELF, root, 300), ZX_OK);
    assert_int_equal(u64_at(ACTUAL), 1);
    /* Two readers: both wake, one finds nothing and waits again. */
    read_as(one, root, 8);
    read_as(two, root, 8);
    assert_int_equal(one->state, THREAD_BLOCKED);
    fake_console_input("z", false);
    console_input_ready();
    fixture_settle_all();
    assert_status(fixture_result(one), ZX_OK);
    assert_int_equal(two->state, THREAD_BLOCKED);
    thread_suspend(two);
    fixture_settle_all();
    assert_status(fixture_result(two), ZX_ERR_INTERNAL_INTR_RETRY);
    thread_resume(two);
    fixture_settle_all();
    read_as(two, root, 8);
    fake_console_input("", true);
    console_input_ready();
    fixture_settle_all();
    assert_status(fixture_result(two), ZX_ERR_PEER_CLOSED);
    assert_status(read_as(SELF, root, 8), ZX_ERR_PEER_CLOSED);
    end_thread(one);
    end_thread(two);
}

static int64_t command(zx_handle_t root, const char *text)
{
    fixture_poke(TEXT, text, strlen(text));
    return sys_debug_send_command(SELF, root, U(TEXT), strlen(text));
}

static void test_debug_command(void **state)
{
    zx_handle_t root = root_handle();

    (void)state;
    assert_status(command(root, "marker 7"), ZX_OK);
    assert_status(command(root, "marker 4294967295 18446744073709551615\n"), ZX_OK);
    assert_status(command(root, "marker 4294967296"), ZX_ERR_INVALID_ARGS);
    assert_status(command(root, "marker 1 18446744073709551616"), ZX_ERR_INVALID_ARGS);
    assert_status(command(root, "marker"), ZX_ERR_INVALID_ARGS);
    assert_status(command(root, "marker "), ZX_ERR_INVALID_ARGS);
    assert_status(command(root, "marker 1 x"), ZX_ERR_INVALID_ARGS);
    assert_status(command(root, "marker 1 2 3"), ZX_ERR_INVALID_ARGS);
    assert_status(command(root, "marker ready\n"), ZX_OK);
    assert_status(command(root, "marker ready steady"), ZX_ERR_INVALID_ARGS);
    assert_status(command(root, "marker \n"), ZX_ERR_INVALID_ARGS);
    assert_status(command(root, "halt"), ZX_ERR_INVALID_ARGS);
    assert_status(sys_debug_send_command(SELF, root, U(TEXT), 257), ZX_ERR_INVALID_ARGS);
    assert_status(sys_debug_send_command(SELF, root, BAD, 8), ZX_ERR_INVALID_ARGS);
    assert_status(command(new_event(0), "marker 7"), ZX_ERR_WRONG_TYPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_resource_create), TEST(test_resource_check), TEST(test_log),
        TEST(test_log_overrun),     TEST(test_log_create),     TEST(test_debug_write),
        TEST(test_debug_read),      TEST(test_debug_command),
    };

    return cmocka_run_group_tests_name("debug", tests, NULL, NULL);
}
