/* hostcall.c - one port write a call; the argument structure is in the CPU's own memory. */
#include "hostcall.h"

#include "cpu.h"
#include "machine.h"

static int64_t make(struct zv_call *call, enum zv_call_number number)
{
    call->number = number;
    call->size = sizeof *call;
    __asm__ volatile("outl %0, %w1"
                     :
                     : "a"((uint32_t)machine_paddr(call)), "d"(ZV_CALL_PORT)
                     : "memory");
    return call->result;
}

int64_t hostcall(enum zv_call_number number)
{
    return make(&cpu_this()->call, number);
}

void hostcall_memory(enum zv_memory_op op, uint64_t dst, uint64_t src, uint64_t length)
{
    struct zv_call *call = &cpu_this()->call;

    call->u.memory.op = op;
    call->u.memory.reserved = 0;
    call->u.memory.dst = dst;
    call->u.memory.src = src;
    call->u.memory.length = length;
    if (make(call, ZV_CALL_MEMORY) != ZV_OK)
        hal_panic("the host refused a memory operation");
}
