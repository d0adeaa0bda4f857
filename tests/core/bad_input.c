/*
 * Every call with one argument wrong at a time. A row of the table is a call that works (or fails
 * for a reason that lies behind all arguments); what is tried follows from the kind of each
 * argument:
 *
 *   - a handle that is closed, of another type, without the right;
 *   - each option bit that does not exist;
 *   - a pointer that is NULL, not mapped, in the kernel, around the end of memory or, where the
 *     kernel writes, read-only.
 *
 * Afterwards the process has as many handles as before. A row or a mention in `elsewhere` exists
 * for each call of <zircon/syscalls.def>.
 */
#include "test.h"

#include <zircon/internal/args.h>

enum kind {
    VALUE_ARG,
    HANDLE_ARG,  /* made by make; of a certain type, with a right */
    OBJECT_ARG,  /* the same, of any type */
    OPTIONS_ARG, /* value; bits outside of mask do not exist */
    IN_ARG,
    OUT_ARG,
    OUT_HANDLE_ARG,
    OPTIONAL_ARG, /* like OUT, or NULL */
    POINTER_ARG,  /* valid, but not looked at in this call */
};

struct argument {
    enum kind kind;
    uint64_t value;
    zx_handle_t (*make)(void);
    zx_rights_t right; /* any of these will do */
    uint32_t mask;
    zx_status_t status; /* for options that do not exist */
};

typedef zx_status_t (*call_t)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                              uint64_t);

struct row {
    const char *name;
    call_t call;
    zx_status_t status; /* of the call as it stands here */
    struct argument arguments[8];
};

/* ---- Objects to call with ------------------------------------------------------------------ */

/* The other ends of pairs, and what else is closed after a call. */
static zx_handle_t others[16];
static size_t other_count;

static void also_close(zx_handle_t handle)
{
    ASSERT_TRUE(other_count < sizeof(others) / sizeof(others[0]));
    others[other_count++] = handle;
}

#define MAKER(name, create)                                                                        \
    static zx_handle_t name(void)                                                                  \
    {                                                                                              \
        zx_handle_t handle = ZX_HANDLE_INVALID, other = ZX_HANDLE_INVALID;                         \
                                                                                                   \
        ASSERT_OK(create);                                                                         \
        if (other != ZX_HANDLE_INVALID)                                                            \
            also_close(other);                                                                     \
        return handle;                                                                             \
    }

static zx_profile_info_t profile_info = {.flags = ZX_PROFILE_INFO_FLAG_PRIORITY, .priority = 16};

MAKER(channel, zx_channel_create(0, &handle, &other))
MAKER(socket, zx_socket_create(0, &handle, &other))
MAKER(fifo, zx_fifo_create(4, 4, 0, &handle, &other))
MAKER(eventpair, zx_eventpair_create(0, &handle, &other))
MAKER(event, zx_event_create(0, &handle))
MAKER(port, zx_port_create(0, &handle))
MAKER(interrupt_port, zx_port_create(ZX_PORT_BIND_TO_INTERRUPT, &handle))
MAKER(interrupt, zx_interrupt_create(ZX_HANDLE_INVALID, 0, ZX_INTERRUPT_VIRTUAL, &handle))
MAKER(timer, zx_timer_create(0, ZX_CLOCK_MONOTONIC, &handle))
MAKER(clock, zx_clock_create(0, NULL, &handle))
MAKER(vmo, zx_vmo_create(4096, ZX_VMO_RESIZABLE, &handle))
MAKER(job, zx_job_create(zx_job_default(), 0, &handle))
MAKER(process, zx_process_create(zx_job_default(), "p", 1, 0, &handle, &other))
MAKER(thread, zx_thread_create(zx_process_self(), "t", 1, 0, &handle))
MAKER(debuglog, zx_debuglog_create(ZX_HANDLE_INVALID, ZX_LOG_FLAG_READABLE, &handle))
MAKER(profile, zx_profile_create(zx_job_default(), 0, &profile_info, &handle))
MAKER(this_process, zx_handle_duplicate(zx_process_self(), ZX_RIGHT_SAME_RIGHTS, &handle))
MAKER(root_job, zx_handle_duplicate(zx_job_default(), ZX_RIGHT_SAME_RIGHTS, &handle))
MAKER(resource, zx_handle_duplicate(root_resource(), ZX_RIGHT_SAME_RIGHTS, &handle))
MAKER(stream, zx_vmo_create(4096, 0, &other) ||
                  zx_stream_create(ZX_STREAM_MODE_READ | ZX_STREAM_MODE_WRITE, other, 0, &handle))

static zx_handle_t vmar(void)
{
    zx_handle_t handle;
    zx_vaddr_t address;

    ASSERT_OK(zx_vmar_allocate(zx_vmar_root_self(), ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE, 0,
                               16 * 4096, &handle, &address));
    return handle;
}

/* ---- The table ----------------------------------------------------------------------------- */

static char input[4096] __attribute__((aligned(4096))); /* zeroes */
static char output[8][4096];                            /* one for each argument */
static zx_clock_update_args_v1_t clock_value = {.value = 1};
static zx_iovec_t vector = {output[7], 8};

#define V(v)                                                                                       \
    {                                                                                              \
        .kind = VALUE_ARG, .value = (v)                                                            \
    }
#define H(make_, right_)                                                                           \
    {                                                                                              \
        .kind = HANDLE_ARG, .make = make_, .right = right_                                         \
    }
#define ANY(make_, right_)                                                                         \
    {                                                                                              \
        .kind = OBJECT_ARG, .make = make_, .right = right_                                         \
    }
#define OPTIONS(v, m) OPTIONS_OR(v, m, ZX_ERR_INVALID_ARGS)
#define OPTIONS_OR(v, m, s)                                                                        \
    {                                                                                              \
        .kind = OPTIONS_ARG, .value = (v), .mask = (m), .status = s                                \
    }
#define IN IN_AT(input)
#define IN_AT(place)                                                                               \
    {                                                                                              \
        .kind = IN_ARG, .value = (uintptr_t)(place)                                                \
    }
#define OUT                                                                                        \
    {                                                                                              \
        .kind = OUT_ARG                                                                            \
    }
#define OUT_HANDLE                                                                                 \
    {                                                                                              \
        .kind = OUT_HANDLE_ARG                                                                     \
    }
#define OPTIONAL                                                                                   \
    {                                                                                              \
        .kind = OPTIONAL_ARG                                                                       \
    }
#define POINTER                                                                                    \
    {                                                                                              \
        .kind = POINTER_ARG                                                                        \
    }

#define READ    ZX_RIGHT_READ
#define WRITE   ZX_RIGHT_WRITE
#define SAME    ZX_RIGHT_SAME_RIGHTS
#define VERSION ZX_CLOCK_ARGS_VERSION(1)

/* clang-format off */
#define ROW(name, status, ...) {#name, (call_t)(uintptr_t)zx_##name, status, {__VA_ARGS__}}
static const struct row rows[] = {
    ROW(channel_create, ZX_OK, OPTIONS(0, 0), OUT_HANDLE, OUT_HANDLE),
    ROW(channel_read, ZX_ERR_SHOULD_WAIT, H(channel, READ),
        OPTIONS_OR(0, ZX_CHANNEL_READ_MAY_DISCARD, ZX_ERR_NOT_SUPPORTED), POINTER, POINTER, V(8),
        V(1), POINTER, POINTER),
    ROW(channel_read_etc, ZX_ERR_SHOULD_WAIT, H(channel, READ),
        OPTIONS_OR(0, ZX_CHANNEL_READ_MAY_DISCARD, ZX_ERR_NOT_SUPPORTED), POINTER, POINTER, V(8),
        V(1), POINTER, POINTER),
    ROW(channel_write, ZX_OK, H(channel, WRITE), OPTIONS(0, 0), IN, V(8), POINTER, V(0)),
    ROW(channel_write_etc, ZX_OK, H(channel, WRITE), OPTIONS(0, 0), IN, V(8), POINTER, V(0)),
    ROW(clock_get, ZX_OK, V(ZX_CLOCK_MONOTONIC), OUT),
    ROW(clock_adjust, ZX_ERR_ACCESS_DENIED, H(resource, 0), V(ZX_CLOCK_MONOTONIC), V(0)),
    ROW(clock_create, ZX_OK, OPTIONS(0, 5), V(0), OUT_HANDLE),
    ROW(clock_read, ZX_OK, H(clock, READ), OUT),
    ROW(clock_get_details, ZX_OK, H(clock, READ), V(VERSION), OUT),
    ROW(clock_update, ZX_OK, H(clock, WRITE), V(VERSION | ZX_CLOCK_UPDATE_OPTION_VALUE_VALID),
        IN_AT(&clock_value)),
    ROW(cprng_add_entropy, ZX_OK, IN, V(16)),
    ROW(debug_read, ZX_OK, H(resource, 0), POINTER, V(0), OUT),
    ROW(debug_write, ZX_OK, POINTER, V(0)),
    ROW(debuglog_create, ZX_OK, H(resource, 0), OPTIONS(0, ZX_LOG_FLAG_READABLE), OUT_HANDLE),
    ROW(debuglog_write, ZX_OK, H(debuglog, WRITE), OPTIONS(0, ZX_LOG_FLAGS_MASK), IN, V(1)),
    ROW(event_create, ZX_OK, OPTIONS(0, 0), OUT_HANDLE),
    ROW(eventpair_create, ZX_OK, OPTIONS_OR(0, 0, ZX_ERR_NOT_SUPPORTED), OUT_HANDLE, OUT_HANDLE),
    ROW(fifo_create, ZX_OK, V(4), V(4), V(0), OUT_HANDLE, OUT_HANDLE),
    ROW(fifo_read, ZX_ERR_SHOULD_WAIT, H(fifo, READ), V(4), POINTER, V(1), POINTER),
    ROW(fifo_write, ZX_OK, H(fifo, WRITE), V(4), IN, V(1), OPTIONAL),
    ROW(futex_wait, ZX_ERR_BAD_STATE, IN, V(1), V(0), V(0)),
    ROW(futex_requeue, ZX_OK, IN, V(0), V(0), POINTER, V(0), V(0)),
    ROW(futex_requeue_single_owner, ZX_OK, IN, V(0), POINTER, V(0), V(0)),
    ROW(futex_get_owner, ZX_OK, POINTER, OPTIONAL),
    ROW(handle_duplicate, ZX_OK, ANY(event, ZX_RIGHT_DUPLICATE), V(SAME), OUT_HANDLE),
    ROW(handle_replace, ZX_OK, ANY(event, 0), V(SAME), OUT_HANDLE),
    ROW(interrupt_ack, ZX_ERR_BAD_STATE, H(interrupt, WRITE)),
    ROW(interrupt_bind, ZX_OK, H(interrupt, READ), H(interrupt_port, WRITE), V(0),
        OPTIONS(ZX_INTERRUPT_BIND, ZX_INTERRUPT_UNBIND)),
    ROW(interrupt_create, ZX_OK, V(0), V(0), OPTIONS(ZX_INTERRUPT_VIRTUAL, ZX_INTERRUPT_VIRTUAL),
        OUT_HANDLE),
    ROW(interrupt_destroy, ZX_OK, H(interrupt, 0)),
    ROW(interrupt_trigger, ZX_OK, H(interrupt, ZX_RIGHT_SIGNAL), OPTIONS(0, 0), V(1)),
    ROW(job_create, ZX_OK, H(job, ZX_RIGHT_MANAGE_JOB | WRITE), OPTIONS(0, 0), OUT_HANDLE),
    ROW(job_set_policy, ZX_OK, H(job, ZX_RIGHT_SET_POLICY), OPTIONS(0, 1), V(ZX_JOB_POL_BASIC_V1),
        IN, V(1)),
    ROW(job_set_critical, ZX_ERR_INVALID_ARGS, H(job, ZX_RIGHT_DESTROY), V(0),
        H(process, ZX_RIGHT_WAIT)),
    ROW(object_wait_one, ZX_ERR_TIMED_OUT, ANY(event, ZX_RIGHT_WAIT), V(8), V(0), OPTIONAL),
    ROW(object_wait_async, ZX_OK, ANY(event, ZX_RIGHT_WAIT), H(port, WRITE), V(0), V(8),
        OPTIONS(0, ZX_WAIT_ASYNC_TIMESTAMP)),
    ROW(object_signal, ZX_OK, ANY(event, ZX_RIGHT_SIGNAL), OPTIONS(0, ZX_EVENT_SIGNAL_MASK),
        OPTIONS(0, ZX_EVENT_SIGNAL_MASK)),
    ROW(object_signal_peer, ZX_OK, ANY(eventpair, ZX_RIGHT_SIGNAL_PEER),
        OPTIONS(0, ZX_EVENT_SIGNAL_MASK), OPTIONS(0, ZX_EVENT_SIGNAL_MASK)),
    ROW(object_get_property, ZX_OK, ANY(vmo, ZX_RIGHT_GET_PROPERTY), V(ZX_PROP_NAME), OUT, V(32)),
    ROW(object_set_property, ZX_OK, ANY(vmo, ZX_RIGHT_SET_PROPERTY), V(ZX_PROP_NAME), IN, V(32)),
    ROW(object_get_info, ZX_OK, ANY(event, 0), V(ZX_INFO_HANDLE_BASIC), OUT,
        V(sizeof(zx_info_handle_basic_t)), OPTIONAL, OPTIONAL),
    ROW(object_get_child, ZX_ERR_NOT_FOUND, ANY(this_process, ZX_RIGHT_ENUMERATE), V(0), V(SAME),
        POINTER),
    ROW(object_set_profile, ZX_OK, H(thread, ZX_RIGHT_MANAGE_THREAD),
        H(profile, ZX_RIGHT_APPLY_PROFILE), V(0)),
    ROW(pager_create, ZX_OK, OPTIONS(0, 0), OUT_HANDLE),
    ROW(port_create, ZX_OK, OPTIONS(0, ZX_PORT_BIND_TO_INTERRUPT), OUT_HANDLE),
    ROW(port_queue, ZX_OK, H(port, WRITE), IN),
    ROW(port_wait, ZX_ERR_TIMED_OUT, H(port, READ), V(0), POINTER),
    ROW(port_cancel, ZX_ERR_NOT_FOUND, H(port, WRITE), ANY(event, ZX_RIGHT_WAIT), V(0)),
    ROW(process_create, ZX_OK, H(job, ZX_RIGHT_MANAGE_PROCESS | WRITE), IN, V(1), OPTIONS(0, 0),
        OUT_HANDLE, OUT_HANDLE),
    ROW(process_start, ZX_ERR_ACCESS_DENIED, H(process, WRITE), H(thread, WRITE), V(0), V(0), V(0),
        V(0)),
    ROW(process_read_memory, ZX_OK, H(this_process, READ), V((uintptr_t)input), OUT, V(8), OUT),
    ROW(process_write_memory, ZX_OK, H(this_process, WRITE), V((uintptr_t)output[6]), IN, V(8),
        OUT),
    ROW(profile_create, ZX_OK, H(root_job, ZX_RIGHT_MANAGE_PROCESS), OPTIONS(0, 0),
        IN_AT(&profile_info), OUT_HANDLE),
    ROW(resource_create, ZX_OK, H(resource, WRITE),
        OPTIONS(ZX_RSRC_KIND_IRQ, 7 | ZX_RSRC_FLAG_EXCLUSIVE), V(3), V(1), IN, V(1), OUT_HANDLE),
    ROW(socket_create, ZX_OK, OPTIONS(0, ZX_SOCKET_DATAGRAM), OUT_HANDLE, OUT_HANDLE),
    ROW(socket_write, ZX_OK, H(socket, WRITE), OPTIONS(0, 0), IN, V(8), OPTIONAL),
    ROW(socket_read, ZX_ERR_SHOULD_WAIT, H(socket, READ), OPTIONS(0, ZX_SOCKET_PEEK), POINTER, V(8),
        POINTER),
    ROW(socket_shutdown, ZX_OK, H(socket, WRITE), OPTIONS(0, 3)),
    ROW(stream_create, ZX_OK, OPTIONS(ZX_STREAM_MODE_READ, 3), H(vmo, READ), V(0), OUT_HANDLE),
    ROW(stream_writev, ZX_OK, H(stream, WRITE), OPTIONS(0, ZX_STREAM_APPEND), IN_AT(&vector), V(1),
        OPTIONAL),
    ROW(stream_writev_at, ZX_OK, H(stream, WRITE), OPTIONS(0, 0), V(0), IN_AT(&vector), V(1),
        OPTIONAL),
    ROW(stream_readv, ZX_OK, H(stream, READ), OPTIONS(0, 0), IN_AT(&vector), V(1), OPTIONAL),
    ROW(stream_readv_at, ZX_OK, H(stream, READ), OPTIONS(0, 0), V(0), IN_AT(&vector), V(1),
        OPTIONAL),
    ROW(stream_seek, ZX_OK, H(stream, READ | WRITE), V(0), V(0), OPTIONAL),
    ROW(system_get_event, ZX_OK, H(root_job, 0), V(4), OUT_HANDLE),
    ROW(system_powerctl, ZX_ERR_INVALID_ARGS, H(resource, 0), V(99), V(0)),
    ROW(task_suspend, ZX_OK, ANY(thread, WRITE), OUT_HANDLE),
    ROW(task_suspend_token, ZX_OK, ANY(thread, WRITE), OUT_HANDLE),
    ROW(task_create_exception_channel, ZX_OK, ANY(process, ZX_RIGHT_INSPECT),
        OPTIONS(0, ZX_EXCEPTION_CHANNEL_DEBUGGER), OUT_HANDLE),
    ROW(task_kill, ZX_OK, ANY(process, ZX_RIGHT_DESTROY)),
    ROW(thread_create, ZX_OK, H(process, ZX_RIGHT_MANAGE_THREAD), IN, V(1), OPTIONS(0, 0),
        OUT_HANDLE),
    ROW(thread_start, ZX_ERR_INVALID_ARGS, H(thread, ZX_RIGHT_MANAGE_THREAD), V(1), V(0), V(0),
        V(0)),
    ROW(thread_read_state, ZX_ERR_BAD_STATE, H(thread, READ), V(0), POINTER, V(4096)),
    ROW(thread_write_state, ZX_ERR_BAD_STATE, H(thread, WRITE), V(0), POINTER, V(4096)),
    ROW(timer_create, ZX_OK, OPTIONS(0, 3), V(ZX_CLOCK_MONOTONIC), OUT_HANDLE),
    ROW(timer_set, ZX_OK, H(timer, WRITE), V(0), V(0)),
    ROW(timer_cancel, ZX_OK, H(timer, WRITE)),
    ROW(vmar_allocate, ZX_OK, H(vmar, READ), V(ZX_VM_CAN_MAP_READ), V(0), V(4096), OUT_HANDLE, OUT),
    ROW(vmar_destroy, ZX_OK, H(vmar, 0)),
    ROW(vmar_map, ZX_OK, H(vmar, READ), V(ZX_VM_PERM_READ), V(0), H(vmo, ZX_RIGHT_MAP), V(0),
        V(4096), OUT),
    ROW(vmar_unmap, ZX_ERR_INVALID_ARGS, H(vmar, 0), V(4096), V(4096)),
    ROW(vmar_protect, ZX_ERR_INVALID_ARGS, H(vmar, READ), V(ZX_VM_PERM_READ), V(4096), V(4096)),
    ROW(vmar_op_range, ZX_ERR_OUT_OF_RANGE, H(vmar, 0), V(ZX_VMO_OP_DECOMMIT), V(4096), V(4096),
        V(0), V(0)),
    ROW(vmo_create, ZX_OK, V(4096), OPTIONS(0, ZX_VMO_RESIZABLE), OUT_HANDLE),
    ROW(vmo_read, ZX_OK, H(vmo, READ), OUT, V(0), V(8)),
    ROW(vmo_write, ZX_OK, H(vmo, WRITE), IN, V(0), V(8)),
    ROW(vmo_get_size, ZX_OK, H(vmo, 0), OUT),
    ROW(vmo_set_size, ZX_OK, H(vmo, WRITE), V(8192)),
    ROW(vmo_op_range, ZX_OK, H(vmo, WRITE), V(ZX_VMO_OP_COMMIT), V(0), V(4096), V(0), V(0)),
    ROW(vmo_create_child, ZX_OK, H(vmo, ZX_RIGHT_DUPLICATE), OPTIONS(ZX_VMO_CHILD_SNAPSHOT, 0x3f),
        V(0), V(4096), OUT_HANDLE),
    ROW(vmo_set_cache_policy, ZX_OK, H(vmo, ZX_RIGHT_MAP), OPTIONS(0, 3)),
    ROW(vmo_replace_as_executable, ZX_OK, ANY(vmo, 0), V(0), OUT_HANDLE),
};
/* clang-format on */

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* Calls that say no to everybody; and those whose bad input is tried in a suite of their own. */
#define UNSUPPORTED(name)                                                                          \
    {                                                                                              \
#name, (call_t)(uintptr_t)zx_##name, ZX_ERR_NOT_SUPPORTED,                                 \
        {                                                                                          \
        }                                                                                          \
    }
static const struct row unsupported[] = {
    UNSUPPORTED(guest_create),
    UNSUPPORTED(guest_set_trap),
    UNSUPPORTED(vcpu_create),
    UNSUPPORTED(vcpu_resume),
    UNSUPPORTED(vcpu_interrupt),
    UNSUPPORTED(vcpu_read_state),
    UNSUPPORTED(vcpu_write_state),
    UNSUPPORTED(ioports_request),
    UNSUPPORTED(ioports_release),
    UNSUPPORTED(pc_firmware_tables),
    UNSUPPORTED(pci_get_nth_device),
    UNSUPPORTED(pci_enable_bus_master),
    UNSUPPORTED(pci_reset_device),
    UNSUPPORTED(pci_config_read),
    UNSUPPORTED(pci_config_write),
    UNSUPPORTED(pci_cfg_pio_rw),
    UNSUPPORTED(pci_get_bar),
    UNSUPPORTED(pci_map_interrupt),
    UNSUPPORTED(pci_query_irq_mode),
    UNSUPPORTED(pci_set_irq_mode),
    UNSUPPORTED(framebuffer_get_info),
    UNSUPPORTED(framebuffer_set_range),
    UNSUPPORTED(smc_call),
    UNSUPPORTED(system_mexec),
    UNSUPPORTED(system_mexec_payload_get),
    UNSUPPORTED(msi_allocate),
    UNSUPPORTED(msi_create),
    UNSUPPORTED(mtrace_control),
    UNSUPPORTED(interrupt_bind_vcpu),
};

static const struct {
    const char *call, *suite;
} elsewhere[] = {
    {"bti_create", "Bti"},
    {"bti_pin", "Bti"},
    {"bti_release_quarantine", "Bti"},
    {"debug_send_command", "Debug"},
    {"debuglog_read", "Debuglog"},
    {"exception_get_process", "ExceptionObject"},
    {"exception_get_thread", "ExceptionObject"},
    {"futex_wake", "Futex"},
    {"futex_wake_single_owner", "FutexOwner"},
    {"handle_close", "HandleClose"},
    {"handle_close_many", "HandleClose"},
    {"interrupt_wait", "Interrupt"},
    {"iommu_create", "Bti"},
    {"ktrace_control", "Ktrace"},
    {"ktrace_read", "Ktrace"},
    {"ktrace_write", "Ktrace"},
    {"nanosleep", "Time"},
    {"object_wait_many", "ObjectWaitMany"},
    {"pager_create_vmo", "Pager"},
    {"pager_detach_vmo", "Pager"},
    {"pager_op_range", "Pager"},
    {"pager_supply_pages", "Pager"},
    {"pci_add_subtract_io_range", "Unsupported"},
    {"pci_init", "Unsupported"},
    {"pmt_unpin", "Bti"},
    {"process_exit", "Process"},
    {"thread_exit", "Thread"},
    {"vmo_create_contiguous", "Bti"},
    {"vmo_create_physical", "Vmo"},
};

/* ---- Making one call ----------------------------------------------------------------------- */

/* The arguments of a row as it stands: fresh objects, good pointers. */
static void prepare(const struct row *row, uint64_t a[static 8])
{
    for (int i = 0; i < 8; i++) {
        const struct argument *argument = &row->arguments[i];
        switch (argument->kind) {
        case HANDLE_ARG:
        case OBJECT_ARG:
            a[i] = argument->make();
            break;
        case OUT_HANDLE_ARG:
            memset(output[i], 0, sizeof(zx_handle_t));
            /* fall through */
        case OUT_ARG:
        case OPTIONAL_ARG:
        case POINTER_ARG:
            a[i] = (uintptr_t)output[i];
            break;
        default:
            a[i] = argument->value;
        }
    }
}

static void close_if_valid(zx_handle_t handle)
{
    zx_info_handle_basic_t info;

    if (zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &info, sizeof(info), NULL, NULL) != ZX_OK)
        return;
    if (info.type == ZX_OBJ_TYPE_VMAR)
        zx_vmar_destroy(handle);
    zx_handle_close(handle);
}

static size_t handle_count(void)
{
    size_t count = 0;

    EXPECT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_HANDLE_TABLE, NULL, 0, &count, NULL));
    return count;
}

/* Calls with argument `which` replaced (none if it is negative) and expects a status. */
static void try_call(const struct row *row, int which, uint64_t value, zx_status_t expected,
                     const char *what)
{
    size_t before = handle_count();
    uint64_t a[8];
    zx_handle_t good[8] = {0};

    prepare(row, a);
    for (int i = 0; i < 8; i++) {
        if (row->arguments[i].kind == HANDLE_ARG || row->arguments[i].kind == OBJECT_ARG)
            good[i] = (zx_handle_t)a[i];
    }
    if (which >= 0)
        a[which] = value;
    zx_status_t status = row->call(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
    if (status != expected)
        test_failed(__FILE__, __LINE__, false, "zx_%s, argument %d %s: %s, expected %s", row->name,
                    which, what, zx_status_get_string(status), zx_status_get_string(expected));
    for (int i = 0; i < 8; i++) {
        close_if_valid(good[i]);
        if (row->arguments[i].kind == OUT_HANDLE_ARG && i != which && status == ZX_OK)
            close_if_valid(*(zx_handle_t *)output[i]);
    }
    while (other_count > 0)
        close_if_valid(others[--other_count]);
    if (handle_count() != before)
        test_failed(__FILE__, __LINE__, false, "zx_%s, argument %d %s: %zu handles became %zu",
                    row->name, which, what, before, handle_count());
}

#define FOR_EACH_ARGUMENT(row, i)                                                                  \
    for (const struct row *row = rows; row < rows + ROW_COUNT; row++)                              \
        for (int i = 0; i < 8; i++)

/* ---- Tests --------------------------------------------------------------------------------- */

/* The rows are what they claim to be. */
TEST(BadInput, OtherwiseTheyWork)
{
    for (const struct row *row = rows; row < rows + ROW_COUNT; row++)
        try_call(row, -1, 0, row->status, "as it stands");
}

TEST(BadInput, EveryCallIsTried)
{
    static const struct {
        const char *name;
        int flags;
    } calls[] = {
#define SYSCALL(number, name, ret, flags, ...) {#name, flags},
#include <zircon/syscalls.def>
    };

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        bool found = calls[i].flags & (SC_INTERNAL | SC_TEST);
        for (size_t j = 0; j < ROW_COUNT; j++)
            found |= strcmp(calls[i].name, rows[j].name) == 0;
        for (size_t j = 0; j < sizeof(unsupported) / sizeof(unsupported[0]); j++)
            found |= strcmp(calls[i].name, unsupported[j].name) == 0;
        for (size_t j = 0; j < sizeof(elsewhere) / sizeof(elsewhere[0]); j++)
            found |= strcmp(calls[i].name, elsewhere[j].call) == 0;
        if (!found)
            test_failed(__FILE__, __LINE__, false, "nobody tries zx_%s", calls[i].name);
    }
}

TEST(BadInput, BadHandles)
{
    FOR_EACH_ARGUMENT(row, i)
    {
        enum kind kind = row->arguments[i].kind;
        if (kind != HANDLE_ARG && kind != OBJECT_ARG)
            continue;
        try_call(row, i, closed_handle(), ZX_ERR_BAD_HANDLE, "a closed handle");
        try_call(row, i, 0xfffffffc, ZX_ERR_BAD_HANDLE, "no handle at all");
        /* Without a resource a log can be written to. */
        if (strcmp(row->name, "debuglog_create") != 0)
            try_call(row, i, ZX_HANDLE_INVALID, ZX_ERR_BAD_HANDLE, "handle 0");
    }
}

TEST(BadInput, WrongTypes)
{
    zx_handle_t wrong;

    ASSERT_OK(zx_event_create(0, &wrong));
    FOR_EACH_ARGUMENT(row, i)
    {
        if (row->arguments[i].kind == HANDLE_ARG)
            try_call(row, i, wrong, ZX_ERR_WRONG_TYPE, "an event");
    }
    CLOSE(wrong);
}

TEST(BadInput, MissingRights)
{
    FOR_EACH_ARGUMENT(row, i)
    {
        const struct argument *argument = &row->arguments[i];
        if (argument->right == 0)
            continue;
        size_t before = other_count;
        zx_handle_t strong = argument->make(), weak;
        ASSERT_OK(zx_handle_replace(strong, basic_info(strong).rights & ~argument->right, &weak));
        zx_handle_t peer = other_count > before ? others[--other_count] : ZX_HANDLE_INVALID;
        try_call(row, i, weak, ZX_ERR_ACCESS_DENIED, "without the right");
        close_if_valid(weak);
        close_if_valid(peer);
    }
}

TEST(BadInput, UnknownOptions)
{
    FOR_EACH_ARGUMENT(row, i)
    {
        const struct argument *argument = &row->arguments[i];
        if (argument->kind != OPTIONS_ARG)
            continue;
        for (int bit = 0; bit < 32; bit++) {
            if (!(argument->mask >> bit & 1))
                try_call(row, i, argument->value | 1u << bit, argument->status, "an unknown bit");
        }
    }
}

static bool is_pointer(enum kind kind)
{
    return kind == IN_ARG || kind == OUT_ARG || kind == OUT_HANDLE_ARG || kind == OPTIONAL_ARG;
}

TEST(BadInput, BadPointers)
{
    FOR_EACH_ARGUMENT(row, i)
    {
        enum kind kind = row->arguments[i].kind;
        if (!is_pointer(kind))
            continue;
        if (kind != OPTIONAL_ARG)
            try_call(row, i, 0, ZX_ERR_INVALID_ARGS, "NULL");
        try_call(row, i, (uintptr_t)UNMAPPED, ZX_ERR_INVALID_ARGS, "that is not mapped");
        try_call(row, i, (uintptr_t)KERNEL_ADDRESS, ZX_ERR_INVALID_ARGS, "in the kernel");
        try_call(row, i, 0x7fffffffffff, ZX_ERR_INVALID_ARGS, "at the end of user memory");
        try_call(row, i, UINT64_MAX, ZX_ERR_INVALID_ARGS, "at the end of memory");
        try_call(row, i, 0x4000000000000000, ZX_ERR_INVALID_ARGS, "that is not canonical");
    }
}

TEST(BadInput, OptionalPointers)
{
    FOR_EACH_ARGUMENT(row, i)
    {
        if (row->arguments[i].kind == OPTIONAL_ARG)
            try_call(row, i, 0, row->status, "NULL, which is fine");
    }
}

/* The kernel does not write where the program itself could not. */
TEST(BadInput, ReadOnlyOutput)
{
    zx_vaddr_t page;
    zx_handle_t memory;
    char bytes[16], zeroes[16] = {0};

    ASSERT_OK(zx_vmo_create(4096, 0, &memory));
    ASSERT_OK(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ, 0, memory, 0, 4096, &page));
    FOR_EACH_ARGUMENT(row, i)
    {
        enum kind kind = row->arguments[i].kind;
        if (kind == OUT_ARG || kind == OUT_HANDLE_ARG || kind == OPTIONAL_ARG)
            try_call(row, i, page, ZX_ERR_INVALID_ARGS, "to read-only memory");
    }
    ASSERT_OK(zx_vmo_read(memory, bytes, 0, sizeof(bytes)));
    EXPECT_EQ(memcmp(bytes, zeroes, sizeof(bytes)), 0);
    EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), page, 4096));
    CLOSE(memory);
}

/* An address that is valid for the first byte only. */
TEST(BadInput, BuffersThatEndEarly)
{
    zx_handle_t memory, region;
    zx_vaddr_t start, page;

    ASSERT_OK(zx_vmo_create(4096, 0, &memory));
    ASSERT_OK(zx_vmar_allocate(zx_vmar_root_self(),
                               ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_SPECIFIC, 0,
                               2 * 4096, &region, &start));
    ASSERT_OK(zx_vmar_map(region, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_SPECIFIC, 0, memory, 0,
                          4096, &page));
    FOR_EACH_ARGUMENT(row, i)
    {
        const struct argument *argument = &row->arguments[i];
        /* Names and entries of one byte end in time. */
        bool one_byte = argument->kind == IN_ARG && i + 1 < 8 && row->arguments[i + 1].value == 1 &&
                        argument->value == (uintptr_t)input;
        if (is_pointer(argument->kind) && !one_byte)
            try_call(row, i, page + 4095, ZX_ERR_INVALID_ARGS, "of which one byte is mapped");
    }
    EXPECT_OK(zx_vmar_destroy(region));
    CLOSE(region);
    CLOSE(memory);
}

TEST(BadInput, UnsupportedCallsSaySo)
{
    for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++)
        EXPECT_STATUS(unsupported[i].call(0, 0, 0, 0, 0, 0, 0, 0), ZX_ERR_NOT_SUPPORTED);
}
