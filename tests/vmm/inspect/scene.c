/*
 * scene: a machine in a known state, for the tests of zvmm inspect. It makes a thread for each kind
 * of wait, a job with a deadlocked pair of processes, memory objects with clones, a port, a timer
 * and a log line; when everything has come to rest it names the point with marker 7 and ends.
 *
 *     ./zvmm guest.elf --bootfs DIR --snapshot-at=marker:7 -o scene.zsnap -- scene
 *
 * With "changed" it does a little more after marker 6 and before marker 7: what zvmm diff shows.
 * With "stay" it sleeps after the marker instead of ending.
 */
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/ktrace.h>
#include <zircon/zircon.h>
#include <zvmm/launch.h>

enum { PAGES = 8, MAX_THREADS = 16 };

static zx_handle_t event, event2, port, channel[2], timer, interrupt, pager, paged, root;
static zx_futex_t futex = 5;
static zx_handle_t thread_handles[MAX_THREADS];
static atomic_uint started;

static void check(zx_status_t status, const char *what)
{
    if (status == ZX_OK)
        return;
    fprintf(stderr, "scene: %s: %s\n", what, zx_status_get_string(status));
    exit(1);
}

static void name_it(zx_handle_t object, const char *name)
{
    check(zx_object_set_property(object, ZX_PROP_NAME, name, strlen(name)), "set_property");
}

/* ---- Waits --------------------------------------------------------------------------------- */

static int wait_one(void *name)
{
    (void)name;
    return zx_object_wait_one(event, ZX_EVENT_SIGNALED, zx_deadline_after(ZX_HOUR(1)), NULL);
}

static int wait_many(void *name)
{
    zx_wait_item_t items[] = {{.handle = event, .waitfor = ZX_USER_SIGNAL_3},
                              {.handle = channel[0], .waitfor = ZX_CHANNEL_READABLE}};

    (void)name;
    return zx_object_wait_many(items, 2, ZX_TIME_INFINITE);
}

static int wait_port(void *name)
{
    zx_port_packet_t packet;

    (void)name;
    return zx_port_wait(port, ZX_TIME_INFINITE, &packet);
}

static int wait_futex(void *name)
{
    (void)name;
    return zx_futex_wait(&futex, 5, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
}

static int wait_sleep(void *name)
{
    (void)name;
    return zx_nanosleep(zx_deadline_after(ZX_HOUR(2)));
}

static int wait_interrupt(void *name)
{
    (void)name;
    return zx_interrupt_wait(interrupt, NULL);
}

static int wait_page(void *name)
{
    char byte;

    (void)name;
    return zx_vmo_read(paged, &byte, ZX_PAGE_SIZE, 1);
}

static int wait_exception(void *name)
{
    zx_handle_t exceptions;

    (void)name;
    check(zx_task_create_exception_channel(zx_thread_self(), 0, &exceptions),
          "create_exception_channel");
    __builtin_trap();
    return 0;
}

static const struct {
    const char *name;
    int (*run)(void *);
} waits[] = {
    {"w-one", wait_one},     {"w-many", wait_many},       {"w-port", wait_port},
    {"w-futex", wait_futex}, {"w-sleep", wait_sleep},     {"w-interrupt", wait_interrupt},
    {"w-page", wait_page},   {"w-fault", wait_exception}, {"w-stopped", wait_sleep},
};

enum { WAITS = sizeof(waits) / sizeof(waits[0]) };

static int begin(void *argument)
{
    unsigned i = (unsigned)(uintptr_t)argument;

    name_it(zx_thread_self(), waits[i].name);
    thread_handles[i] = zx_thread_self();
    started++;
    return waits[i].run(NULL);
}

static void until_blocked(zx_handle_t thread)
{
    zx_info_thread_t info;

    for (;;) {
        check(zx_object_get_info(thread, ZX_INFO_THREAD, &info, sizeof(info), NULL, NULL),
              "get_info");
        if ((info.state & 0xff) == ZX_THREAD_STATE_BLOCKED)
            return;
        zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
    }
}

static void start_waits(void)
{
    zx_handle_t token, pages_port;

    check(zx_event_create(0, &event), "event_create");
    check(zx_event_create(0, &event2), "event_create");
    check(zx_port_create(0, &port), "port_create");
    check(zx_channel_create(0, &channel[0], &channel[1]), "channel_create");
    check(zx_interrupt_create(root, 0, ZX_INTERRUPT_VIRTUAL, &interrupt), "interrupt_create");
    check(zx_port_create(0, &pages_port), "port_create");
    check(zx_pager_create(0, &pager), "pager_create");
    check(zx_pager_create_vmo(pager, 0, pages_port, 0x99, PAGES * ZX_PAGE_SIZE, &paged),
          "pager_create_vmo");
    for (unsigned i = 0; i < WAITS; i++) {
        thrd_t thread;
        if (thrd_create(&thread, begin, (void *)(uintptr_t)i) != thrd_success)
            check(ZX_ERR_NO_RESOURCES, "thrd_create");
        while (started == i)
            zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
    }
    for (unsigned i = 0; i < WAITS; i++)
        until_blocked(thread_handles[i]);
    check(zx_task_suspend(thread_handles[WAITS - 1], &token), "suspend");
    check(
        zx_object_wait_one(thread_handles[WAITS - 1], ZX_THREAD_SUSPENDED, ZX_TIME_INFINITE, NULL),
        "wait_one");
}

/* ---- The pair ------------------------------------------------------------------------------ */

static void until_process_blocked(zx_handle_t process)
{
    zx_koid_t koid;
    zx_handle_t thread;
    size_t count = 0;

    while (count == 0)
        check(
            zx_object_get_info(process, ZX_INFO_PROCESS_THREADS, &koid, sizeof(koid), &count, NULL),
            "get_info");
    check(zx_object_get_child(process, koid, ZX_RIGHT_SAME_RIGHTS, &thread), "get_child");
    until_blocked(thread);
    zx_handle_close(thread);
}

static zx_handle_t start_half(zx_handle_t job, const char *name, zx_handle_t client,
                              zx_handle_t server)
{
    const char *const argv[] = {"pair", name, NULL};
    const struct launch_handle handles[] = {{client, PA_HND(PA_USER0, 0)},
                                            {server, PA_HND(PA_USER0, 1)}};
    const struct launch_args args = {
        .program = "pair", .argv = argv, .job = job, .handles = handles, .handle_count = 2};
    zx_handle_t process;

    check(zx_launch(&args, &process), "launch");
    return process;
}

/* Each has the client end of a channel to the other. */
static zx_handle_t start_pair(void)
{
    zx_handle_t job, to_b[2], to_a[2], processes[2];

    check(zx_job_create(zx_job_default(), 0, &job), "job_create");
    name_it(job, "workshop");
    check(zx_channel_create(0, &to_a[0], &to_a[1]), "channel_create");
    check(zx_channel_create(0, &to_b[0], &to_b[1]), "channel_create");
    processes[0] = start_half(job, "alice", to_b[0], to_a[1]);
    processes[1] = start_half(job, "bob", to_a[0], to_b[1]);
    until_process_blocked(processes[0]);
    until_process_blocked(processes[1]);
    return job;
}

/* ---- Memory, port, timer ------------------------------------------------------------------- */

static void write_pages(zx_handle_t vmo, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++)
        check(zx_vmo_write(vmo, "page", i * ZX_PAGE_SIZE, 5), "vmo_write");
}

static zx_handle_t make_memory(void)
{
    zx_handle_t original, copy;
    zx_vaddr_t address;

    check(zx_vmo_create(PAGES * ZX_PAGE_SIZE, 0, &original), "vmo_create");
    name_it(original, "original");
    write_pages(original, 0, 3);
    check(zx_vmo_create_child(original, ZX_VMO_CHILD_SNAPSHOT, 0, PAGES * ZX_PAGE_SIZE, &copy),
          "create_child");
    name_it(copy, "copy");
    write_pages(copy, 5, 1);
    check(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ, 0, copy, 0, PAGES * ZX_PAGE_SIZE,
                      &address),
          "vmar_map");
    return original;
}

static void make_queue(void)
{
    zx_handle_t full;
    zx_port_packet_t packet = {.key = 0x77, .type = ZX_PKT_TYPE_USER};

    check(zx_port_create(0, &full), "port_create");
    check(zx_port_queue(full, &packet), "port_queue");
    check(zx_object_wait_async(event2, full, 0x88, ZX_EVENT_SIGNALED, 0), "wait_async");
}

/* Enough of them, in such an order, that the kernel's heap holds them out of order. */
static void set_timers(void)
{
    static const uint8_t hours[] = {9, 6, 8, 4, 7, 5, 3};

    for (unsigned i = 0; i < sizeof(hours); i++) {
        check(zx_timer_create(0, ZX_CLOCK_MONOTONIC, &timer), "timer_create");
        check(zx_timer_set(timer, zx_deadline_after(ZX_HOUR(hours[i])), 0), "timer_set");
    }
}

static void log_line(void)
{
    zx_handle_t log;

    check(zx_debuglog_create(root, 0, &log), "debuglog_create");
    check(zx_debuglog_write(log, 0, "the scene is set", 16), "debuglog_write");
}

int main(int argc, char *argv[])
{
    root = zx_get_startup_handle(PA_HND(PA_RESOURCE, 0));
    start_waits();
    zx_handle_t job = start_pair();
    zx_handle_t original = make_memory();
    make_queue();
    set_timers();
    log_line();
    if (argc > 1 && strcmp(argv[1], "changed") == 0) {
        zx_handle_t extra;
        check(zx_debug_send_command(root, "marker 6", 8), "marker");
        check(zx_ktrace_control(root, KTRACE_ACTION_START, 0, NULL), "ktrace_control");
        check(zx_event_create(0, &extra), "event_create");
        check(zx_object_signal(event2, 0, ZX_USER_SIGNAL_0), "signal");
        write_pages(original, 1, 1);
        write_pages(original, 6, 1);
        zx_handle_close(timer);
    }
    check(zx_debug_send_command(root, "marker 7", 8), "marker");
    if (argc > 1 && strcmp(argv[1], "stay") == 0) {
        puts("set");
        fflush(stdout);
        zx_nanosleep(ZX_TIME_INFINITE);
    }
    zx_task_kill(job);
    return 0;
}
