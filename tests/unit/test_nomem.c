/*
 * test_nomem.c - every system call, with every one of its allocations failing in turn.
 *
 * A row names a call, a function that prepares what it works on, and its arguments. The call is
 * made again and again in fresh kernels: its first allocation fails, then its second, and so on
 * until it has made fewer. So for the kernel's heap, for frames and for page-table operations, each
 * with room in the handle table and with a full one. A call that fails must answer ZX_ERR_NO_MEMORY
 * and leave the heap, the frames and the handles as they were; one that manages without must
 * succeed. Nothing may be left when the process is gone (fixture_teardown).
 *
 * Calls without a row must be in `without_allocation`, else the last test fails.
 */
#include "test_nomem.h"

/* ---- The rows ------------------------------------------------------------------------------- */

/* ROW(call, case, prepare, arguments, flags) */
/* clang-format off */
#define ROWS(ROW)                                                                                  \
    ROW(bti_create, , make_iommu, (SELF, h[0], 0, 1, U(OUT)), 0)                                   \
    ROW(bti_pin, , make_bti, (SELF, h[1], PIN_PERMS, h[2], 0, 2 * PAGE, U(DATA), 2, U(OUT)),       \
        COMMITS)                                                                                   \
    ROW(channel_create, , nothing, (SELF, 0, U(OUT), U(OUT2)), 0)                                  \
    ROW(channel_read, , make_message,                                                              \
        (SELF, h[1], 0, U(DATA), U(HANDLES), 64, 4, U(OUT), U(OUT2)), 0)                           \
    ROW(channel_read_etc, , make_message,                                                          \
        (SELF, h[1], 0, U(DATA), U(HANDLES), 64, 4, U(OUT), U(OUT2)), 0)                           \
    ROW(channel_write, , make_channel, (SELF, h[0], 0, U(DATA), 64, NONE, 0), 0)                   \
    ROW(channel_write, _large, make_channel, (SELF, h[0], 0, U(DATA), 60000, NONE, 0), 0)          \
    ROW(channel_write, _handles, make_handles, (SELF, h[0], 0, U(DATA), 64, U(HANDLES), 2),        \
        CONSUMES)                                                                                  \
    ROW(channel_write_etc, , make_dispositions, (SELF, h[0], 0, U(DATA), 64, U(HANDLES), 2),       \
        CONSUMES)                                                                                  \
    ROW(channel_call_noretry, , make_call,                                                         \
        (SELF, h[0], 0, ZX_TIME_INFINITE, U(ARGS), U(OUT), U(OUT2)), PARKS)                        \
    ROW(channel_call_finish, , make_answer,                                                        \
        (SELF, ZX_TIME_INFINITE, U(ARGS), U(OUT), U(OUT2)), ENDS)                                  \
    ROW(clock_create, , nothing, (SELF, 0, NONE, U(OUT)), 0)                                       \
    ROW(debuglog_create, , nothing, (SELF, 0, ZX_LOG_FLAG_READABLE, U(OUT)), 0)                    \
    ROW(event_create, , nothing, (SELF, 0, U(OUT)), 0)                                             \
    ROW(eventpair_create, , nothing, (SELF, 0, U(OUT), U(OUT2)), 0)                                \
    ROW(exception_get_process, , make_exception, (SELF, h[0], U(OUT)), 0)                          \
    ROW(exception_get_thread, , make_exception, (SELF, h[0], U(OUT)), 0)                           \
    ROW(fifo_create, , nothing, (SELF, 16, 8, 0, U(OUT), U(OUT2)), 0)                              \
    ROW(futex_requeue, , make_futex, (SELF, U(FUTEX), 0, 0, U(FUTEX + 4), 1, 0), 0)                \
    ROW(futex_requeue_single_owner, , make_futex, (SELF, U(FUTEX), 0, U(FUTEX + 4), 1, 0), 0)      \
    ROW(futex_wait, , nothing, (SELF, U(FUTEX), 0, 0, ZX_TIME_INFINITE), PARKS | KEEPS)            \
    ROW(handle_duplicate, , make_event, (SELF, h[0], ZX_RIGHT_SAME_RIGHTS, U(OUT)), 0)             \
    ROW(handle_replace, , make_event, (SELF, h[0], ZX_RIGHT_SAME_RIGHTS, U(OUT)), CONSUMES)        \
    ROW(interrupt_create, , nothing, (SELF, 0, 0, ZX_INTERRUPT_VIRTUAL, U(OUT)), 0)                \
    ROW(iommu_create, , make_resource, (SELF, h[0], ZX_IOMMU_TYPE_DUMMY, IOMMU_DESC, U(OUT)), 0)   \
    ROW(ktrace_control, , make_resource, (SELF, h[0], KTRACE_ACTION_REWIND, 0, NONE), 0)           \
    ROW(job_create, , make_job, (SELF, h[0], 0, U(OUT)), 0)                                        \
    ROW(object_get_child, , make_job, (SELF, h[0], fix.process->object.koid, 0, U(OUT)), 0)        \
    ROW(object_get_info, , make_job,                                                               \
        (SELF, h[0], ZX_INFO_JOB_PROCESSES, U(DATA), 64, U(OUT), U(OUT2)), 0)                      \
    ROW(object_get_info, _maps, make_self,                                                         \
        (SELF, h[0], ZX_INFO_PROCESS_MAPS, U(DATA), 4096, U(OUT), U(OUT2)), 0)                     \
    ROW(object_set_profile, , make_profile, (SELF, h[0], h[1], 0), 0)                              \
    ROW(object_wait_async, , make_port, (SELF, h[0], h[1], 7, ZX_USER_SIGNAL_0, 0), 0)             \
    ROW(object_wait_many, , make_items, (SELF, U(ARGS), 2, ZX_TIME_INFINITE), PARKS)               \
    ROW(pager_create, , nothing, (SELF, 0, U(OUT)), 0)                                             \
    ROW(pager_create_vmo, , make_pager, (SELF, h[0], 0, h[1], 7, 4 * PAGE, U(OUT)), KEEPS)         \
    ROW(pager_op_range, , make_waiting_reader,                                                     \
        (SELF, h[0], ZX_PAGER_OP_FAIL, h[2], PAGE, PAGE, (uint64_t)ZX_ERR_IO), 0)                  \
    ROW(pager_supply_pages, , make_waiting_reader, (SELF, h[0], h[2], 0, 2 * PAGE, h[3], 0),       \
        COMMITS)                                                                                   \
    ROW(port_create, , nothing, (SELF, 0, U(OUT)), 0)                                              \
    ROW(port_queue, , make_port, (SELF, h[1], U(DATA)), 0)                                         \
    ROW(process_create, , make_job, (SELF, h[0], U(DATA), 4, 0, U(OUT), U(OUT2)), 0)               \
    ROW(process_read_memory, , make_self,                                                          \
        (SELF, h[0], fix.user + DATA, U(DATA + PAGE), 64, U(OUT)), 0)                              \
    ROW(process_start, , make_process, (SELF, h[1], h[2], 0x2000000, 0, h[0], 0), CONSUMES)        \
    ROW(process_write_memory, , make_self,                                                         \
        (SELF, h[0], fix.user + DATA, U(DATA + PAGE), 64, U(OUT)), 0)                              \
    ROW(profile_create, , make_profile_info, (SELF, h[0], 0, U(ARGS), U(OUT)), 0)                  \
    ROW(resource_create, , make_resource,                                                          \
        (SELF, h[0], ZX_RSRC_KIND_MMIO, 0, PAGE, U(DATA), 4, U(OUT)), 0)                           \
    ROW(socket_create, , nothing, (SELF, 0, U(OUT), U(OUT2)), 0)                                   \
    ROW(socket_write, , make_socket, (SELF, h[0], 0, U(DATA), 20000, U(OUT)), 0)                   \
    ROW(socket_write, _datagram, make_datagram_socket, (SELF, h[0], 0, U(DATA), 20000, U(OUT)), 0) \
    ROW(stream_create, , make_vmo, (SELF, ZX_STREAM_CREATE_MASK, h[0], 0, U(OUT)), 0)              \
    ROW(stream_readv, , make_stream, (SELF, h[1], 0, U(ARGS), 2, U(OUT)), COMMITS)                 \
    ROW(stream_readv_at, , make_stream, (SELF, h[1], 0, 0, U(ARGS), 2, U(OUT)), COMMITS)           \
    ROW(stream_writev, , make_stream, (SELF, h[1], 0, U(ARGS), 2, U(OUT)), COMMITS)                \
    ROW(stream_writev_at, , make_stream, (SELF, h[1], 0, 0, U(ARGS), 2, U(OUT)), COMMITS)          \
    ROW(syscall_test_handle_create, , nothing, (SELF, ZX_OK, U(OUT)), 0)                           \
    ROW(system_get_event, , make_job, (SELF, h[0], ZX_SYSTEM_EVENT_OUT_OF_MEMORY, U(OUT)),         \
        KEEPS)                                                                                     \
    ROW(task_create_exception_channel, , make_job, (SELF, h[0], 0, U(OUT)), KEEPS)                 \
    ROW(task_suspend, , make_suspendable, (SELF, h[0], U(OUT)), 0)                                 \
    ROW(task_suspend_token, , make_suspendable, (SELF, h[0], U(OUT)), 0)                           \
    ROW(thread_create, , make_self, (SELF, h[0], U(DATA), 4, 0, U(OUT)), 0)                        \
    ROW(timer_create, , nothing, (SELF, 0, ZX_CLOCK_MONOTONIC, U(OUT)), 0)                         \
    ROW(vmar_allocate, , make_vmar, (SELF, h[0], CAN_MAP_ALL, 0, 8 * PAGE, U(OUT), U(OUT2)), 0)    \
    ROW(vmar_map, , make_vmar, (SELF, h[0], MAP_RW, 0, h[1], 0, 4 * PAGE, U(OUT)), 0)              \
    ROW(vmar_map, _range, make_committed,                                                          \
        (SELF, h[0], MAP_RW | ZX_VM_MAP_RANGE, 0, h[1], 0, 4 * PAGE, U(OUT)), 0)                   \
    ROW(vmar_map, _overwrite, make_mapping,                                                        \
        (SELF, h[0], MAP_RW | ZX_VM_SPECIFIC_OVERWRITE, va + PAGE - root_base(), h[1], 0, PAGE,    \
         U(OUT)), 0)                                                                               \
    ROW(vmar_op_range, , make_mapping,                                                             \
        (SELF, h[0], ZX_VMAR_OP_DECOMMIT, va, 4 * PAGE, NONE, 0), 0)                               \
    ROW(vmar_protect, , make_mapping, (SELF, h[0], ZX_VM_PERM_READ, va + PAGE, PAGE), 0)           \
    ROW(vmar_unmap, , make_mapping, (SELF, h[0], va + PAGE, PAGE), 0)                              \
    ROW(vmo_create, , nothing, (SELF, 8 * PAGE, 0, U(OUT)), 0)                                     \
    ROW(vmo_create_child, , make_written,                                                          \
        (SELF, h[0], ZX_VMO_CHILD_SNAPSHOT, 0, 4 * PAGE, U(OUT)), 0)                               \
    ROW(vmo_create_child, _part, make_written,                                                     \
        (SELF, h[0], ZX_VMO_CHILD_SNAPSHOT, PAGE, 2 * PAGE, U(OUT)), 0)                            \
    ROW(vmo_create_child, _slice, make_fixed_vmo,                                                  \
        (SELF, h[0], ZX_VMO_CHILD_SLICE, 0, 4 * PAGE, U(OUT)), 0)                                  \
    ROW(vmo_create_contiguous, , make_bti, (SELF, h[1], 4 * PAGE, 0, U(OUT)), 0)                   \
    ROW(vmo_create_physical, , make_resource, (SELF, h[0], 0xe0000000, PAGE, U(OUT)), 0)           \
    ROW(vmo_op_range, _commit, make_vmo,                                                           \
        (SELF, h[0], ZX_VMO_OP_COMMIT, 0, 4 * PAGE, NONE, 0), COMMITS)                             \
    ROW(vmo_op_range, _commit_clone, make_clone,                                                   \
        (SELF, h[1], ZX_VMO_OP_COMMIT, 0, 4 * PAGE, NONE, 0), COMMITS)                             \
    ROW(vmo_op_range, _zero, make_clone,                                                           \
        (SELF, h[1], ZX_VMO_OP_ZERO, 100, 2 * PAGE, NONE, 0), COMMITS)                             \
    ROW(vmo_op_range, _decommit, make_written,                                                     \
        (SELF, h[0], ZX_VMO_OP_DECOMMIT, PAGE, PAGE, NONE, 0), 0)                                  \
    ROW(vmo_read, , make_clone, (SELF, h[1], U(DATA), 0, 4 * PAGE), 0)                             \
    ROW(vmo_replace_as_executable, , make_written, (SELF, h[0], 0, U(OUT)), CONSUMES)              \
    ROW(vmo_set_size, _grow, make_clone, (SELF, h[0], 64 * PAGE), 0)                               \
    ROW(vmo_set_size, _shrink, make_clone, (SELF, h[0], PAGE), 0)                                  \
    ROW(vmo_write, , make_vmo, (SELF, h[0], U(DATA), 0, 4 * PAGE), COMMITS)                        \
    ROW(vmo_write, _clone, make_clone, (SELF, h[1], U(DATA), 0, 4 * PAGE), COMMITS)                \
    ROW(vmo_write, _parent, make_clone, (SELF, h[0], U(DATA), 0, 4 * PAGE), COMMITS)
/* clang-format on */

/* Calls that work with what is there. */
static const char *const without_allocation[] = {
    "bti_release_quarantine",
    "clock_adjust",
    "clock_get",
    "clock_get_details",
    "clock_get_monotonic_via_kernel",
    "clock_read",
    "clock_update",
    "cprng_add_entropy",
    "cprng_draw_once",
    "debug_read",
    "debug_send_command",
    "debug_write",
    "debuglog_read",
    "debuglog_write",
    "fifo_read",
    "fifo_write",
    "futex_get_owner",
    "futex_wake",
    "futex_wake_single_owner",
    "handle_close",
    "handle_close_many",
    "interrupt_ack",
    "interrupt_bind",
    "interrupt_destroy",
    "interrupt_trigger",
    "interrupt_wait",
    "job_set_critical",
    "job_set_policy",
    "ktrace_read",
    "ktrace_write",
    "nanosleep",
    "object_get_property",
    "object_set_property",
    "object_signal",
    "object_signal_peer",
    "object_wait_one",
    "pager_detach_vmo",
    "pmt_unpin",
    "port_cancel",
    "port_wait",
    "process_exit",
    "socket_read",
    "socket_shutdown",
    "stream_seek",
    "syscall_test_0",
    "syscall_test_1",
    "syscall_test_2",
    "syscall_test_3",
    "syscall_test_4",
    "syscall_test_5",
    "syscall_test_6",
    "syscall_test_7",
    "syscall_test_8",
    "syscall_test_wrapper",
    "system_powerctl",
    "task_kill",
    "thread_exit",
    "thread_read_state",
    "thread_start",
    "thread_write_state",
    "ticks_get_via_kernel",
    "timer_cancel",
    "timer_set",
    "vmar_destroy",
    "vmo_get_size",
    "vmo_set_cache_policy",
};

#define CALL_FUNCTION(call, case_, prepare, arguments, flags)                                      \
    static int64_t call##case_##_row(void)                                                         \
    {                                                                                              \
        return sys_##call arguments;                                                               \
    }
ROWS(CALL_FUNCTION)

static const struct nomem_row rows[] = {
#define ROW_ENTRY(call, case_, prepare, arguments, flags)                                          \
    {#call, #call #case_, prepare, call##case_##_row, flags},
    ROWS(ROW_ENTRY)};
#define NUM_ROWS (sizeof rows / sizeof rows[0])

/* ---- Running them --------------------------------------------------------------------------- */

static const struct nomem_row *present; /* the row a test is for */

static void test_row(void **state)
{
    (void)state;
    for (int what = 0; what < NOMEM_SOURCES; what++) {
        nomem_run(present, what, false);
        nomem_run(present, what, true);
    }
}

static int set_row(void **state)
{
    present = *state;
    return 0;
}

static bool has_row(const char *name)
{
    for (size_t i = 0; i < NUM_ROWS; i++)
        if (strcmp(rows[i].call, name) == 0)
            return true;
    return false;
}

static bool is_without_allocation(const char *name)
{
    for (size_t i = 0; i < sizeof without_allocation / sizeof without_allocation[0]; i++)
        if (strcmp(without_allocation[i], name) == 0)
            return true;
    return false;
}

/* Every call that has a function is in one of the two lists, and in one only. */
static void test_every_call_is_covered(void **state)
{
    const struct {
        const char *name;
        bool exists;
    } calls[] = {
#define SYSCALL(number, name, ...) {#name, sys_##name != NULL},
#include <zircon/syscalls.def>
    };
    int missing = 0, with_rows = 0, without = 0;

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        bool row = has_row(calls[i].name), free_of_it = is_without_allocation(calls[i].name);

        assert_false(row && free_of_it);
        if (!calls[i].exists)
            continue;
        with_rows += row;
        without += free_of_it;
        missing += !row && !free_of_it;
        if (!row && !free_of_it)
            print_message("# no row for zx_%s\n", calls[i].name);
    }
    print_message("# %d calls with failing allocations (%zu rows), %d without allocation\n",
                  with_rows, NUM_ROWS, without);
    assert_int_equal(missing, 0);
}

int main(void)
{
    struct CMUnitTest tests[NUM_ROWS + 1];

    for (size_t i = 0; i < NUM_ROWS; i++)
        tests[i] = (struct CMUnitTest){
            .name = rows[i].name,
            .test_func = test_row,
            .setup_func = set_row,
            .initial_state = (void *)(uintptr_t)&rows[i],
        };
    tests[NUM_ROWS] = (struct CMUnitTest)cmocka_unit_test(test_every_call_is_covered);
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("nomem", tests, NULL, NULL);
}
