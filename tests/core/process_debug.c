/*
 * What debuggers need of processes: other processes' memory, and the properties through which a
 * program's loader talks to them.
 */
#include "child.h"

#define PAGE 4096u

/* A running process with two pages of known contents mapped one behind the other. */
struct debuggee {
    struct child child;
    zx_handle_t vmos[2];
    zx_vaddr_t address;
};

static struct debuggee make_debuggee(zx_vm_option_t permissions)
{
    struct debuggee d = {.child = child_start(ZX_HANDLE_INVALID, child_sleeps, 0)};
    zx_handle_t region;
    zx_vaddr_t start, mapped;

    ASSERT_OK(zx_vmar_allocate(d.child.root_vmar,
                               ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_SPECIFIC, 0,
                               4 * PAGE, &region, &start));
    for (size_t i = 0; i < 2; i++) {
        char bytes[16];
        memset(bytes, 'a' + (int)i, sizeof(bytes));
        ASSERT_OK(zx_vmo_create(PAGE, 0, &d.vmos[i]));
        ASSERT_OK(zx_vmo_write(d.vmos[i], bytes, 0, sizeof(bytes)));
        ASSERT_OK(zx_vmo_write(d.vmos[i], bytes, PAGE - sizeof(bytes), sizeof(bytes)));
        ASSERT_OK(zx_vmar_map(region, ZX_VM_SPECIFIC | permissions, i * PAGE, d.vmos[i], 0, PAGE,
                              &mapped));
    }
    CLOSE(region);
    d.address = start;
    return d;
}

static void close_debuggee(struct debuggee *d)
{
    CLOSE(d->vmos[0]);
    CLOSE(d->vmos[1]);
    child_close(&d->child);
}

static zx_status_t read_memory(const struct debuggee *d, zx_vaddr_t address, void *buffer,
                               size_t size, size_t *actual)
{
    return zx_process_read_memory(d->child.process, address, buffer, size, actual);
}

static zx_status_t write_memory(const struct debuggee *d, zx_vaddr_t address, const void *buffer,
                                size_t size, size_t *actual)
{
    return zx_process_write_memory(d->child.process, address, buffer, size, actual);
}

TEST(ProcessDebug, ReadsToTheEndOfOneMapping)
{
    struct debuggee d = make_debuggee(ZX_VM_PERM_READ | ZX_VM_PERM_WRITE);
    char buffer[32] = "";
    size_t actual = 0;

    EXPECT_OK(read_memory(&d, d.address + PAGE - 16, buffer, sizeof(buffer), &actual));
    EXPECT_EQ(actual, 16);
    EXPECT_EQ(buffer[15], 'a');
    EXPECT_EQ(buffer[16], 0);
    EXPECT_OK(read_memory(&d, d.address + PAGE, buffer, 4, &actual));
    EXPECT_EQ(actual, 4);
    EXPECT_EQ(buffer[0], 'b');
    close_debuggee(&d);
}

TEST(ProcessDebug, Write)
{
    struct debuggee d = make_debuggee(ZX_VM_PERM_READ | ZX_VM_PERM_WRITE);
    char buffer[8] = "";
    size_t actual = 0;

    EXPECT_OK(write_memory(&d, d.address + 4, "1234567", 8, &actual));
    EXPECT_EQ(actual, 8);
    ASSERT_OK(zx_vmo_read(d.vmos[0], buffer, 4, sizeof(buffer)));
    EXPECT_EQ(strcmp(buffer, "1234567"), 0);
    EXPECT_OK(write_memory(&d, d.address + PAGE - 4, "1234567", 8, &actual));
    EXPECT_EQ(actual, 4);
    close_debuggee(&d);
}

/* A debugger sets breakpoints in code that the program itself cannot write to. */
TEST(ProcessDebug, WriteToReadOnlyMemory)
{
    struct debuggee d = make_debuggee(ZX_VM_PERM_READ);
    size_t actual = 0;
    char byte = 0;

    EXPECT_OK(write_memory(&d, d.address, "x", 1, &actual));
    EXPECT_EQ(actual, 1);
    ASSERT_OK(zx_vmo_read(d.vmos[0], &byte, 0, 1));
    EXPECT_EQ(byte, 'x');
    close_debuggee(&d);
}

TEST(ProcessDebug, WriteBadArguments)
{
    struct debuggee d = make_debuggee(ZX_VM_PERM_READ | ZX_VM_PERM_WRITE);
    zx_handle_t weak = without_rights(d.child.process, ZX_RIGHT_WRITE);
    char byte = 0;
    size_t actual = 0;

    EXPECT_STATUS(write_memory(&d, d.address, NULL, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(write_memory(&d, d.address, "x", 0, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(write_memory(&d, d.address, &byte, (64u << 20) + 1, &actual),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(write_memory(&d, d.address, UNMAPPED, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(write_memory(&d, (uintptr_t)UNMAPPED, "x", 1, &actual), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(write_memory(&d, d.address + 2 * PAGE, "x", 1, &actual), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_process_write_memory(weak, d.address, "x", 1, &actual), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_process_write_memory(closed_handle(), d.address, "x", 1, &actual),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_process_write_memory(zx_thread_self(), d.address, "x", 1, &actual),
                  ZX_ERR_WRONG_TYPE);
    ASSERT_OK(zx_vmo_read(d.vmos[0], &byte, 0, 1));
    EXPECT_EQ(byte, 'a');
    CLOSE(weak);
    close_debuggee(&d);
}

TEST(ProcessDebug, NotTheVdso)
{
    struct debuggee d = make_debuggee(ZX_VM_PERM_READ);
    uintptr_t base = 0, ours = 0;
    size_t actual;
    char byte = 0;

    ASSERT_OK(zx_object_get_property(d.child.process, ZX_PROP_PROCESS_VDSO_BASE_ADDRESS, &base,
                                     sizeof(base)));
    ASSERT_OK(zx_object_get_property(zx_process_self(), ZX_PROP_PROCESS_VDSO_BASE_ADDRESS, &ours,
                                     sizeof(ours)));
    uintptr_t call = (uintptr_t)zx_nanosleep - ours + base;
    EXPECT_OK(read_memory(&d, call, &byte, 1, &actual));
    EXPECT_EQ(byte, *(const char *)(uintptr_t)zx_nanosleep);
    EXPECT_STATUS(write_memory(&d, call, &byte, 1, &actual), ZX_ERR_ACCESS_DENIED);
    close_debuggee(&d);
}

TEST(ProcessDebug, OnlyOfTheLiving)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, child_exits, 0);
    zx_handle_t process = prepared.child.process;
    size_t actual;
    char byte = 0;

    EXPECT_STATUS(zx_process_read_memory(process, prepared.calls, &byte, 1, &actual),
                  ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_process_write_memory(process, prepared.calls, &byte, 1, &actual),
                  ZX_ERR_BAD_STATE);
    child_run(&prepared);
    child_wait(&prepared.child);
    EXPECT_STATUS(zx_process_read_memory(process, prepared.calls, &byte, 1, &actual),
                  ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_process_write_memory(process, prepared.calls, &byte, 1, &actual),
                  ZX_ERR_BAD_STATE);
    child_close(&prepared.child);
}

/* ---- Properties ---------------------------------------------------------------------------- */

static zx_status_t set_debug_address(zx_handle_t process, uintptr_t value)
{
    return zx_object_set_property(process, ZX_PROP_PROCESS_DEBUG_ADDR, &value, sizeof(value));
}

static uintptr_t debug_address(zx_handle_t process)
{
    uintptr_t value = 99;

    EXPECT_OK(zx_object_get_property(process, ZX_PROP_PROCESS_DEBUG_ADDR, &value, sizeof(value)));
    return value;
}

/* It is set once, by the program's loader; before, a debugger may ask to be told. */
TEST(ProcessDebugUtils, DebugAddress)
{
    zx_handle_t process, vmar;

    ASSERT_OK(zx_process_create(zx_job_default(), "p", 1, 0, &process, &vmar));
    EXPECT_EQ(debug_address(process), 0);
    EXPECT_STATUS(set_debug_address(process, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(set_debug_address(process, ZX_PROCESS_DEBUG_ADDR_BREAK_ON_SET));
    EXPECT_EQ(debug_address(process), ZX_PROCESS_DEBUG_ADDR_BREAK_ON_SET);
    EXPECT_OK(set_debug_address(process, 0x12345000));
    EXPECT_STATUS(set_debug_address(process, 0x54321000), ZX_ERR_ACCESS_DENIED);
    EXPECT_EQ(debug_address(process), 0x12345000);
    CLOSE(vmar);
    CLOSE(process);
}

TEST(ProcessDebugUtils, BreakOnLoad)
{
    zx_handle_t process, vmar;
    uintptr_t value = 0x1234567;

    ASSERT_OK(zx_process_create(zx_job_default(), "p", 1, 0, &process, &vmar));
    EXPECT_OK(
        zx_object_set_property(process, ZX_PROP_PROCESS_BREAK_ON_LOAD, &value, sizeof(value)));
    value = 0;
    EXPECT_OK(
        zx_object_get_property(process, ZX_PROP_PROCESS_BREAK_ON_LOAD, &value, sizeof(value)));
    EXPECT_EQ(value, 0x1234567);
    EXPECT_OK(zx_object_set_property(process, ZX_PROP_PROCESS_BREAK_ON_LOAD, &(uintptr_t){0},
                                     sizeof(value))); /* any value, as often as one likes */
    CLOSE(vmar);
    CLOSE(process);
}
