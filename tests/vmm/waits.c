/*
 * waits: a program for the guest, to be snapshotted. One thread stands in each kind of wait that
 * the kernel has, one computes with live floating-point registers, one timer is about to fire and
 * one is far away. Then it sets the marker "waits", ends every wait, and says what each thread got.
 * It exits with 0 only if all of that is right.
 *
 *     waits         one thread waits for console input, which has to come after the marker: "xyz"
 *     waits half    console input "abc" is there; one byte is read before the marker, the rest
 * after
 */
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/zircon.h>

#define MS(n)      ((n)*1000000ll)
#define FAR_AWAY   (MS(1000) * 1000)
#define PAGE_BYTES 4096u

static int failures;

static void check(bool right, const char *what)
{
    if (right)
        return;
    printf("wrong: %s\n", what);
    failures++;
}

static void must(zx_status_t status, const char *what)
{
    if (status == ZX_OK)
        return;
    printf("cannot %s: %d\n", what, status);
    zx_process_exit(2);
}

static zx_handle_t root_resource(void)
{
    return zx_get_startup_handle(PA_HND(PA_RESOURCE, 0));
}

/* ---- What is waited on ----------------------------------------------------------------------- */

static zx_handle_t event_one, event_many[2], port, call[2], interrupt, pager, paged_vmo, page_port;
static volatile const uint8_t *paged_page;
static atomic_int futex_word;
static atomic_ulong counter;
static atomic_bool counted;
static char line[8];

static zx_status_t waits_for_one(void)
{
    return zx_object_wait_one(event_one, ZX_USER_SIGNAL_0, ZX_TIME_INFINITE, NULL);
}

static zx_status_t waits_for_many(void)
{
    zx_wait_item_t items[] = {{event_many[0], ZX_USER_SIGNAL_0, 0},
                              {event_many[1], ZX_USER_SIGNAL_1, 0}};
    zx_status_t status = zx_object_wait_many(items, 2, zx_deadline_after(FAR_AWAY));

    return status == ZX_OK && items[1].pending & ZX_USER_SIGNAL_1 ? ZX_OK : ZX_ERR_INTERNAL;
}

static zx_status_t waits_at_port(void)
{
    zx_port_packet_t packet;
    zx_status_t status = zx_port_wait(port, ZX_TIME_INFINITE, &packet);

    return status == ZX_OK && packet.key == 5 ? ZX_OK : ZX_ERR_INTERNAL;
}

static zx_status_t calls(void)
{
    char question[8] = "....ask", answer[8] = "";
    uint32_t bytes, handles;
    zx_channel_call_args_t args = {.wr_bytes = question,
                                   .wr_num_bytes = sizeof(question),
                                   .rd_bytes = answer,
                                   .rd_num_bytes = sizeof(answer)};
    zx_status_t status = zx_channel_call(call[0], 0, ZX_TIME_INFINITE, &args, &bytes, &handles);

    return status == ZX_OK && strcmp(answer + 4, "yes") == 0 ? ZX_OK : ZX_ERR_INTERNAL;
}

static zx_status_t waits_at_futex(void)
{
    return zx_futex_wait((const zx_futex_t *)&futex_word, 0, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
}

static zx_status_t waits_for_interrupt(void)
{
    zx_time_t stamp = 0;
    zx_status_t status = zx_interrupt_wait(interrupt, &stamp);

    return status == ZX_OK && stamp == 77 ? ZX_OK : ZX_ERR_INTERNAL;
}

static zx_status_t reads_page(void)
{
    uint8_t byte = 0;
    zx_status_t status = zx_vmo_read(paged_vmo, &byte, 0, 1);

    return status == ZX_OK && byte == 42 ? ZX_OK : ZX_ERR_INTERNAL;
}

static zx_status_t touches_page(void)
{
    return paged_page[PAGE_BYTES] == 42 ? ZX_OK : ZX_ERR_INTERNAL;
}

static zx_status_t breaks(void)
{
    __asm__ volatile("int3");
    return ZX_OK;
}

static zx_status_t counts(void)
{
    while (!counted)
        counter++;
    return ZX_OK;
}

static zx_status_t reads_console(void)
{
    size_t actual = 0;
    zx_status_t status = zx_debug_read(root_resource(), line, sizeof(line), &actual);

    return status == ZX_OK && actual == 4 && memcmp(line, "xyz\n", 4) == 0 ? ZX_OK
                                                                           : ZX_ERR_INTERNAL;
}

static zx_time_t wake_time;

static zx_status_t sleeps(void)
{
    zx_status_t status = zx_nanosleep(wake_time);

    return status == ZX_OK && zx_clock_get_monotonic() >= wake_time ? ZX_OK : ZX_ERR_INTERNAL;
}

/* ---- The threads ----------------------------------------------------------------------------- */

enum {
    ONE,
    MANY,
    PORT,
    CALL,
    FUTEX,
    INTERRUPT,
    READ,
    TOUCH,
    BREAK,
    SUSPEND,
    CONSOLE,
    SLEEP,
    WAITS
};

static struct waiter {
    const char *name;
    zx_status_t (*run)(void);
    uint32_t state; /* in which it is, at the marker */
    thrd_t thread;
    _Atomic zx_handle_t handle;
    zx_status_t status;
} waiters[WAITS] = {
    [ONE] = {"object_wait_one", waits_for_one, ZX_THREAD_STATE_BLOCKED_WAIT_ONE},
    [MANY] = {"object_wait_many", waits_for_many, ZX_THREAD_STATE_BLOCKED_WAIT_MANY},
    [PORT] = {"port_wait", waits_at_port, ZX_THREAD_STATE_BLOCKED_PORT},
    [CALL] = {"channel_call", calls, ZX_THREAD_STATE_BLOCKED_CHANNEL},
    [FUTEX] = {"futex_wait", waits_at_futex, ZX_THREAD_STATE_BLOCKED_FUTEX},
    [INTERRUPT] = {"interrupt_wait", waits_for_interrupt, ZX_THREAD_STATE_BLOCKED_INTERRUPT},
    [READ] = {"page, in a call", reads_page, ZX_THREAD_STATE_BLOCKED_PAGER},
    [TOUCH] = {"page, in a fault", touches_page, ZX_THREAD_STATE_BLOCKED_PAGER},
    [BREAK] = {"exception", breaks, ZX_THREAD_STATE_BLOCKED_EXCEPTION},
    [SUSPEND] = {"suspended", counts, ZX_THREAD_STATE_SUSPENDED},
    [CONSOLE] = {"debug_read", reads_console, ZX_THREAD_STATE_BLOCKED},
    [SLEEP] = {"nanosleep", sleeps, ZX_THREAD_STATE_BLOCKED_SLEEPING},
};

static int run_waiter(void *argument)
{
    struct waiter *waiter = argument;

    waiter->handle = zx_thread_self();
    waiter->status = waiter->run();
    return 0;
}

static void start(struct waiter *waiter)
{
    if (thrd_create(&waiter->thread, run_waiter, waiter) != thrd_success)
        must(ZX_ERR_NO_MEMORY, "start a thread");
    while (waiter->handle == ZX_HANDLE_INVALID)
        thrd_yield();
}

static void wait_for_state(struct waiter *waiter)
{
    zx_info_thread_t info = {.state = 0};

    while (info.state != waiter->state) {
        must(zx_object_get_info(waiter->handle, ZX_INFO_THREAD, &info, sizeof(info), NULL, NULL),
             "ask for a thread's state");
        zx_nanosleep(zx_deadline_after(MS(1)));
    }
}

static void join(struct waiter *waiter)
{
    thrd_join(waiter->thread, NULL);
    printf("%s: %s\n", waiter->name, waiter->status == ZX_OK ? "right" : "wrong");
    check(waiter->status == ZX_OK, waiter->name);
}

/* ---- Floating point that is always live -------------------------------------------------------
 */

static atomic_bool computing;

/* Patterns in the x87 stack and in all SSE registers over a loop, until told to stop. */
static int computes(void *argument)
{
    uint64_t pattern[2] = {0x0123456789abcdef, 0xfedcba9876543210}, found[2][2];
    int64_t integer = 1234567, back;
    int wrong = 0;

    while (computing) {
        __asm__ volatile("fildll %3\n"
                         "movups (%4), %%xmm0; movaps %%xmm0, %%xmm7; movaps %%xmm0, %%xmm15\n"
                         "mov $200000, %%eax\n"
                         "1: dec %%eax; jnz 1b\n"
                         "movups %%xmm7, %0; movups %%xmm15, %1\n"
                         "fistpll %2"
                         : "=m"(found[0]), "=m"(found[1]), "=m"(back)
                         : "m"(integer), "r"(pattern), "m"(pattern)
                         : "rax", "cc", "xmm0", "xmm7", "xmm15", "st");
        wrong += back != integer || memcmp(found[0], pattern, sizeof(pattern)) != 0 ||
                 memcmp(found[1], pattern, sizeof(pattern)) != 0;
    }
    *(int *)argument = wrong;
    return 0;
}

/* ---- The whole ------------------------------------------------------------------------------- */

static zx_handle_t exceptions, suspend_token, soon_timer, far_timer;
static zx_time_t far_deadline;

static void make_objects(void)
{
    zx_vaddr_t at;

    must(zx_event_create(0, &event_one), "create an event");
    must(zx_event_create(0, &event_many[0]), "create an event");
    must(zx_event_create(0, &event_many[1]), "create an event");
    must(zx_port_create(0, &port), "create a port");
    must(zx_channel_create(0, &call[0], &call[1]), "create a channel");
    must(zx_interrupt_create(ZX_HANDLE_INVALID, 0, ZX_INTERRUPT_VIRTUAL, &interrupt),
         "create an interrupt");
    must(zx_pager_create(0, &pager), "create a pager");
    must(zx_port_create(0, &page_port), "create a port");
    must(zx_pager_create_vmo(pager, 0, page_port, 0, 2 * PAGE_BYTES, &paged_vmo), "create a VMO");
    must(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ, 0, paged_vmo, 0, 2 * PAGE_BYTES, &at),
         "map it");
    paged_page = (const uint8_t *)at;
    must(zx_task_create_exception_channel(zx_process_self(), 0, &exceptions), "catch exceptions");
    must(zx_timer_create(ZX_TIMER_SLACK_LATE, ZX_CLOCK_MONOTONIC, &soon_timer), "create a timer");
    must(zx_timer_create(ZX_TIMER_SLACK_LATE, ZX_CLOCK_MONOTONIC, &far_timer), "create a timer");
}

static void supply_pages(void)
{
    uint8_t bytes[PAGE_BYTES];
    zx_handle_t vmo;

    memset(bytes, 42, sizeof(bytes));
    must(zx_vmo_create(2 * PAGE_BYTES, 0, &vmo), "create a VMO");
    must(zx_vmo_write(vmo, bytes, 0, PAGE_BYTES), "fill it");
    must(zx_vmo_write(vmo, bytes, PAGE_BYTES, PAGE_BYTES), "fill it");
    must(zx_pager_supply_pages(pager, paged_vmo, 0, 2 * PAGE_BYTES, vmo, 0), "supply pages");
}

static void answer_call(void)
{
    char message[8];
    uint32_t bytes, handles;

    must(zx_channel_read(call[1], 0, message, NULL, sizeof(message), 0, &bytes, &handles),
         "read the question");
    memcpy(message + 4, "yes", 4);
    must(zx_channel_write(call[1], 0, message, sizeof(message), NULL, 0), "answer");
}

static void handle_exception(void)
{
    zx_exception_info_t info;
    zx_handle_t exception;
    uint32_t bytes, handles, handled = ZX_EXCEPTION_STATE_HANDLED;

    must(zx_channel_read(exceptions, 0, &info, &exception, sizeof(info), 1, &bytes, &handles),
         "read the exception");
    must(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &handled, sizeof(handled)),
         "handle it");
    must(zx_handle_close(exception), "handle it");
}

static void end_waits(void)
{
    zx_port_packet_t packet = {.key = 5, .type = ZX_PKT_TYPE_USER};

    must(zx_object_signal(event_one, 0, ZX_USER_SIGNAL_0), "signal");
    must(zx_object_signal(event_many[1], 0, ZX_USER_SIGNAL_1), "signal");
    must(zx_port_queue(port, &packet), "queue a packet");
    answer_call();
    futex_word = 1;
    must(zx_futex_wake((const zx_futex_t *)&futex_word, 1), "wake");
    must(zx_interrupt_trigger(interrupt, 0, 77), "trigger");
    supply_pages();
    handle_exception();
    counted = true;
    must(zx_handle_close(suspend_token), "resume");
}

static void send_marker(void)
{
    static const char command[] = "marker waits";

    fflush(stdout);
    must(zx_debug_send_command(root_resource(), command, strlen(command)), "set the marker");
}

static void look_at_timers(void)
{
    zx_info_timer_t info;

    must(zx_object_wait_one(soon_timer, ZX_TIMER_SIGNALED, ZX_TIME_INFINITE, NULL), "wait");
    check(zx_clock_get_monotonic() >= wake_time, "the timer fired early");
    must(zx_object_get_info(far_timer, ZX_INFO_TIMER, &info, sizeof(info), NULL, NULL), "ask");
    check(info.deadline == far_deadline, "the far timer has moved");
    check(zx_clock_get_monotonic() < far_deadline, "time has jumped");
    printf("timers: seen\n");
}

/* What stands still is made first; then what is under way, so that it still is at the marker. */
static void stand_and_go(bool console)
{
    thrd_t computer;
    int wrong = 0;

    for (int i = 0; i < SLEEP; i++)
        if (i != CONSOLE || console)
            start(&waiters[i]);
    must(zx_task_suspend_token(waiters[SUSPEND].handle, &suspend_token), "suspend");
    for (int i = 0; i < SLEEP; i++)
        if (i != CONSOLE || console)
            wait_for_state(&waiters[i]);
    computing = true;
    thrd_create(&computer, computes, &wrong);
    wake_time = zx_deadline_after(MS(200));
    far_deadline = zx_deadline_after(FAR_AWAY);
    must(zx_timer_set(far_timer, far_deadline, 0), "set a timer");
    must(zx_timer_set(soon_timer, wake_time, 0), "set a timer");
    start(&waiters[SLEEP]);
    zx_nanosleep(zx_deadline_after(MS(20)));
    send_marker();

    end_waits();
    look_at_timers();
    for (int i = 0; i < WAITS; i++)
        if (i != CONSOLE || console)
            join(&waiters[i]);
    computing = false;
    thrd_join(computer, NULL);
    printf("registers: %s\n", wrong == 0 ? "right" : "wrong");
    check(wrong == 0, "floating point");
}

static void read_half(void)
{
    size_t actual;

    must(zx_debug_read(root_resource(), line, 1, &actual), "read the console");
    check(actual == 1 && line[0] == 'a', "the first byte");
}

static void read_rest(void)
{
    size_t actual = 0;

    must(zx_debug_read(root_resource(), line, sizeof(line), &actual), "read the console");
    check(actual == 3 && memcmp(line, "bc\n", 3) == 0, "the rest of the line");
    printf("line: the rest is %.2s\n", line);
}

int main(int argc, char **argv)
{
    bool half = argc > 1 && strcmp(argv[1], "half") == 0;

    printf("before\n");
    make_objects();
    if (half)
        read_half();
    stand_and_go(!half);
    if (half)
        read_rest();
    printf("%d wrong\n", failures);
    return failures != 0;
}
