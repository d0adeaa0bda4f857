/*
 * fault-in.c - which calls have effects before their copies, and what they copy.
 *
 * Not here: calls that only read user memory before they act, that only tell something, and that
 * take an object back when its handle cannot be returned.
 */
#include "fault-in.h"

#include "syscalls.h"

enum number {
#define SYSCALL(number, name, ...) NUMBER_##name = number,
#include <zircon/syscalls.def>
};

#define MAX_AREAS 4
#define ONE       0xff /* struct area.count: there is no count argument */

/* Memory that a call uses: `unit` bytes at pointer argument `at`, times argument `count`. */
struct area {
    uint8_t at, count;
    bool write;
    uint32_t unit; /* 0 ends a row */
    uint32_t most; /* a larger count is refused by the call, or is more than it uses */
    bool narrow;   /* the count has 32 bits; the register may have others above them */
};

struct row {
    uint32_t number;
    zx_status_t (*also)(struct process *process, const uint64_t *arguments);
    struct area areas[MAX_AREAS];
};

#define READS(at_, count_, unit_, most_)                                                           \
    {                                                                                              \
        at_, count_, false, unit_, most_, false                                                    \
    }
#define WRITES(at_, count_, unit_, most_)                                                          \
    {                                                                                              \
        at_, count_, true, unit_, most_, false                                                     \
    }
#define READS32(at_, count_, unit_, most_)                                                         \
    {                                                                                              \
        at_, count_, false, unit_, most_, true                                                     \
    }
#define WRITES32(at_, count_, unit_, most_)                                                        \
    {                                                                                              \
        at_, count_, true, unit_, most_, true                                                      \
    }
#define WRITES_ONE(at_, type_)                                                                     \
    {                                                                                              \
        at_, ONE, true, sizeof(type_), 1, false                                                    \
    }

#define BYTES   ZX_CHANNEL_MAX_MSG_BYTES
#define HANDLES ZX_CHANNEL_MAX_MSG_HANDLES
#define STREAM  (1u << 20) /* more than a socket, a log or the console moves at once */

static zx_status_t fifo_data(struct process *process, const uint64_t *arguments, bool write)
{
    uint64_t length;

    if (__builtin_mul_overflow(arguments[1], arguments[3], &length) ||
        length > ZX_FIFO_MAX_SIZE_BYTES)
        length = ZX_FIFO_MAX_SIZE_BYTES;
    return user_fault_in(process, (struct user_ptr){arguments[2]}, length, write);
}

static zx_status_t fifo_read(struct process *process, const uint64_t *arguments)
{
    return fifo_data(process, arguments, true);
}

static zx_status_t fifo_write(struct process *process, const uint64_t *arguments)
{
    return fifo_data(process, arguments, false);
}

/* What a zx_channel_call_args_t points to. */
static zx_status_t call_buffers(struct process *process, struct user_ptr user_args)
{
    zx_channel_call_args_t args;
    zx_status_t status = user_fault_in(process, user_args, sizeof args, false);

    if (status != ZX_OK || user_read(process, &args, user_args, sizeof args) != ZX_OK)
        return status;

    const struct {
        const void *at;
        uint64_t length, most;
        bool write;
    } buffers[] = {
        {args.wr_bytes, args.wr_num_bytes, BYTES, false},
        {args.wr_handles, args.wr_num_handles * sizeof(zx_handle_t), HANDLES * sizeof(zx_handle_t),
         false},
        {args.rd_bytes, args.rd_num_bytes, BYTES, true},
        {args.rd_handles, args.rd_num_handles * sizeof(zx_handle_t), HANDLES * sizeof(zx_handle_t),
         true},
    };

    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0] && status == ZX_OK; i++) {
        uint64_t length = buffers[i].length < buffers[i].most ? buffers[i].length : buffers[i].most;

        status = user_fault_in(process, (struct user_ptr){(zx_vaddr_t)buffers[i].at}, length,
                               buffers[i].write);
    }
    return status;
}

static zx_status_t call_noretry(struct process *process, const uint64_t *arguments)
{
    return call_buffers(process, (struct user_ptr){arguments[3]});
}

static zx_status_t call_finish(struct process *process, const uint64_t *arguments)
{
    return call_buffers(process, (struct user_ptr){arguments[1]});
}

static const struct row rows[] = {
    {NUMBER_channel_read,
     NULL,
     {WRITES32(2, 4, 1, BYTES), WRITES32(3, 5, sizeof(zx_handle_t), HANDLES),
      WRITES_ONE(6, uint32_t), WRITES_ONE(7, uint32_t)}},
    {NUMBER_channel_read_etc,
     NULL,
     {WRITES32(2, 4, 1, BYTES), WRITES32(3, 5, sizeof(zx_handle_info_t), HANDLES),
      WRITES_ONE(6, uint32_t), WRITES_ONE(7, uint32_t)}},
    {NUMBER_channel_write,
     NULL,
     {READS32(2, 3, 1, BYTES), READS32(4, 5, sizeof(zx_handle_t), HANDLES)}},
    {NUMBER_channel_write_etc,
     NULL,
     {READS32(2, 3, 1, BYTES), WRITES32(4, 5, sizeof(zx_handle_disposition_t), HANDLES)}},
    {NUMBER_channel_call_noretry, call_noretry, {WRITES_ONE(4, uint32_t), WRITES_ONE(5, uint32_t)}},
    {NUMBER_channel_call_finish, call_finish, {WRITES_ONE(2, uint32_t), WRITES_ONE(3, uint32_t)}},
    {NUMBER_debug_read, NULL, {WRITES(1, 2, 1, STREAM), WRITES_ONE(3, size_t)}},
    {NUMBER_debug_write, NULL, {READS(0, 1, 1, STREAM)}},
    {NUMBER_debuglog_read, NULL, {WRITES(2, 3, 1, STREAM)}},
    {NUMBER_fifo_read, fifo_read, {WRITES_ONE(4, size_t)}},
    {NUMBER_fifo_write, fifo_write, {WRITES_ONE(4, size_t)}},
    {NUMBER_handle_close_many, NULL, {READS(0, 1, sizeof(zx_handle_t), STREAM)}},
    {NUMBER_handle_replace, NULL, {WRITES_ONE(2, zx_handle_t)}},
    {NUMBER_interrupt_wait, NULL, {WRITES_ONE(1, zx_time_t)}},
    {NUMBER_object_wait_one, NULL, {WRITES_ONE(3, zx_signals_t)}},
    {NUMBER_object_wait_many, NULL, {WRITES(0, 1, sizeof(zx_wait_item_t), ZX_WAIT_MANY_MAX_ITEMS)}},
    {NUMBER_port_wait, NULL, {WRITES_ONE(2, zx_port_packet_t)}},
    {NUMBER_socket_read, NULL, {WRITES(2, 3, 1, STREAM), WRITES_ONE(4, size_t)}},
    {NUMBER_socket_write, NULL, {READS(2, 3, 1, STREAM), WRITES_ONE(4, size_t)}},
    {NUMBER_stream_readv, NULL, {WRITES_ONE(4, size_t)}},
    {NUMBER_stream_writev, NULL, {WRITES_ONE(4, size_t)}},
    {NUMBER_stream_writev_at, NULL, {WRITES_ONE(5, size_t)}},
    {NUMBER_stream_seek, NULL, {WRITES_ONE(3, zx_off_t)}},
    {NUMBER_vmo_replace_as_executable, NULL, {WRITES_ONE(2, zx_handle_t)}},
};

static zx_status_t fault_in_area(struct process *process, const uint64_t *arguments,
                                 const struct area *area)
{
    uint64_t count = area->count == ONE ? 1 : arguments[area->count];

    if (area->narrow)
        count = (uint32_t)count;
    if (count > area->most)
        count = area->most;
    return user_fault_in(process, (struct user_ptr){arguments[area->at]}, count * area->unit,
                         area->write);
}

zx_status_t fault_in_arguments(struct thread *thread, uint32_t number)
{
    const struct hal_regs *regs = &thread->context.regs;
    const uint64_t arguments[8] = {regs->rdi, regs->rsi, regs->rdx, regs->r10,
                                   regs->r8,  regs->r9,  regs->r12, regs->r13};
    const struct row *row = rows, *end = rows + sizeof rows / sizeof rows[0];
    zx_status_t status = ZX_OK;

    while (row < end && row->number != number)
        row++;
    if (row == end)
        return ZX_OK;
    if (row->also)
        status = row->also(thread->process, arguments);
    for (int i = 0; i < MAX_AREAS && row->areas[i].unit && status == ZX_OK; i++)
        status = fault_in_area(thread->process, arguments, &row->areas[i]);
    return status;
}
