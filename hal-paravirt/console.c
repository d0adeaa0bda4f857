/*
 * console.c - output through the shared ring, input by hypercall.
 *
 * zvmm empties the ring at every exit, so most output costs no exit of its own: the doorbell is
 * for a ring that is more than half full and for text that has waited 10 ms (timer.c).
 */
#include "console.h"

#include "clock.h"
#include "cpu.h"
#include "hostcall.h"
#include "machine.h"
#include "pmem.h"
#include "timer.h"
#include "virtual.h"

#define FLUSH_AFTER_NS 10000000u

/* Where ring 0 is emulated, a text of this length is written sooner by the host. */
#define SLOW_DIRECT_BYTES 192u

static struct {
    uint64_t flush_tsc; /* output must not stay in the ring for longer; or TIMER_NEVER */
    uint64_t input_tsc; /* deterministic mode: when the input comes that was asked for */
    bool input_asked;  /* a read found nothing: wait for zvmm's event before asking again */
    bool input_closed; /* end of input; it stays so */
} console = {.flush_tsc = TIMER_NEVER, .input_tsc = TIMER_NEVER};

static void set_deadlines(uint64_t flush_tsc, uint64_t input_tsc)
{
    console.flush_tsc = flush_tsc;
    console.input_tsc = input_tsc;
    timer_set_console(flush_tsc < input_tsc ? flush_tsc : input_tsc);
}

static uint32_t ring_used(void)
{
    return machine.shared->out_head - machine.shared->out_tail;
}

void console_flushed(void)
{
    if (console.flush_tsc != TIMER_NEVER)
        set_deadlines(TIMER_NEVER, console.input_tsc);
}

void hal_console_flush(void)
{
    console_flushed();
    if (ring_used() > 0)
        hostcall(ZV_CALL_CONSOLE_FLUSH);
}

static void write_direct(const char *text, size_t length)
{
    struct zv_call *call = &cpu_this()->call;
    size_t part;

    for (; length > 0; text += part, length -= part) {
        part = length < 1 << 20 ? length : 1 << 20;
        call->u.buffer.paddr = machine_paddr(text);
        call->u.buffer.length = part;
        hostcall(ZV_CALL_CONSOLE_WRITE);
    }
    console_flushed();
}

/* Copies at most up to the end of the ring's room or its wrap; the number of bytes. */
static size_t append(const char *text, size_t length)
{
    uint32_t head = machine.shared->out_head;
    uint32_t at = head % ZV_CONSOLE_RING;
    uint32_t room = ZV_CONSOLE_RING - ring_used();
    size_t part = length < room ? length : room;

    if (part > ZV_CONSOLE_RING - at)
        part = ZV_CONSOLE_RING - at;
    pmem_move((void *)&machine.shared->out[at], text, part);
    __atomic_store_n(&machine.shared->out_head, head + (uint32_t)part, __ATOMIC_RELEASE);
    return part;
}

void hal_console_write(const char *text, size_t length)
{
    size_t part;

    if (machine_slow_ring0() && length >= SLOW_DIRECT_BYTES) {
        write_direct(text, length);
        return;
    }
    for (; length > 0; text += part, length -= part) {
        part = append(text, length);
        if (ring_used() <= ZV_CONSOLE_RING / 2)
            continue;
        hal_console_flush();
        if (part == 0 && ring_used() == ZV_CONSOLE_RING)
            return; /* a host that does not take output: text is lost, the kernel goes on */
    }
    if (ring_used() > 0 && console.flush_tsc == TIMER_NEVER)
        set_deadlines(clock_now() + machine.info->tsc_hz / (1000000000u / FLUSH_AFTER_NS),
                      console.input_tsc);
}

void console_expire(uint64_t now)
{
    if (console.input_tsc <= now) {
        set_deadlines(console.flush_tsc, TIMER_NEVER);
        machine.shared->events |= ZV_EVENT_CONSOLE_INPUT;
    }
    if (console.flush_tsc <= now)
        hal_console_flush();
}

void console_note_input(void)
{
    console.input_asked = false;
}

zx_status_t hal_console_read(char *buffer, size_t length, size_t *actual)
{
    struct zv_call *call = &cpu_this()->call;
    int64_t result;

    *actual = 0;
    if (console.input_closed)
        return ZX_ERR_PEER_CLOSED;
    if (console.input_asked && !(machine.shared->events & ZV_EVENT_CONSOLE_INPUT))
        return ZX_OK;
    /* Set before the call: input that comes after zvmm has looked must raise the event. */
    machine.shared->in_wanted = 1;
    call->u.buffer.paddr = machine_paddr(buffer);
    call->u.buffer.length = length < 1 << 20 ? length : 1 << 20;
    result = hostcall(ZV_CALL_CONSOLE_READ);
    console.input_asked = result == 0;
    if (machine.deterministic) {
        set_deadlines(console.flush_tsc, result == 0 ? machine.shared->input_tsc : TIMER_NEVER);
        virtual_input(result);
    }
    if (result < 0) {
        console.input_closed = true;
        return ZX_ERR_PEER_CLOSED;
    }
    *actual = (size_t)result;
    return ZX_OK;
}
