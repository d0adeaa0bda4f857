/*
 * hypercall.c - the hypercall door: everything the guest asks of zvmm comes through here.
 *
 * The structure is copied out of guest memory once and only the copy is looked at, so a guest that
 * changes it meanwhile gains nothing. Guest addresses in it go through memory_at().
 */
#include <string.h>

#include "console.h"
#include "door.h"
#include "panic.h"
#include "replay/determinism.h"
#include "vm.h"

#define BUFFER_MAX (1ull << 20)

static int64_t call_console_flush(struct zvmm *vm, const struct zv_call *call)
{
    (void)vm; /* run.c empties the ring at every exit, so also at this one */
    (void)call;
    return ZV_OK;
}

static int64_t call_console_write(struct zvmm *vm, const struct zv_call *call)
{
    if (call->u.buffer.length > BUFFER_MAX)
        return ZV_EINVAL;
    const void *from = memory_at(&vm->memory, gpa(call->u.buffer.paddr), call->u.buffer.length);
    if (from == NULL)
        return ZV_EFAULT;
    console_write(vm, from, call->u.buffer.length);
    return ZV_OK;
}

static int64_t call_console_read(struct zvmm *vm, const struct zv_call *call)
{
    if (call->u.buffer.length > BUFFER_MAX)
        return ZV_EINVAL;
    void *to = memory_at(&vm->memory, gpa(call->u.buffer.paddr), call->u.buffer.length);
    if (to == NULL)
        return ZV_EFAULT;
    int64_t result = vm->determinism != NULL
                         ? determinism_console_read(vm, to, call->u.buffer.length)
                         : console_read(vm, to, call->u.buffer.length);
    if (result > 0)
        track_note(vm, call->u.buffer.paddr, (uint64_t)result);
    return result;
}

static int64_t call_timer_arm(struct zvmm *vm, const struct zv_call *call)
{
    if (vm->kvm.irqchip || vm->determinism != NULL)
        return ZV_ENOTSUP;
    timer_arm(vm, call->u.timer.deadline_tsc);
    return ZV_OK;
}

/*
 * Give pages back to the host. Where file pages are mapped over the memory (the guest's own image,
 * modules) dropping a page would bring the file's contents back, so those are overwritten: the
 * layout says which those are.
 */
static int64_t discard(struct zvmm *vm, uint64_t dst, uint64_t length, uint8_t *to)
{
    if (dst % PAGE_BYTES != 0 || length % PAGE_BYTES != 0)
        return ZV_EINVAL;
    if (length == 0)
        return ZV_OK;
    for (uint32_t i = 0; i < vm->layout.count; i++) {
        const struct zv_memory_range *range = &vm->layout.ranges[i];
        if (range->type == ZV_MEM_FREE && dst >= range->base &&
            dst - range->base <= range->length && length <= range->length - (dst - range->base))
            return memory_discard(&vm->memory, gpa(dst), length) == 0 ? ZV_OK : ZV_ENOMEM;
    }
    memset(to, 0, length);
    return ZV_OK;
}

static int64_t call_memory(struct zvmm *vm, const struct zv_call *call)
{
    uint64_t length = call->u.memory.length;
    uint8_t *to = memory_at(&vm->memory, gpa(call->u.memory.dst), length);
    const uint8_t *from;
    if (to == NULL)
        return ZV_EFAULT;
    track_note(vm, call->u.memory.dst, length);
    switch (call->u.memory.op) {
    case ZV_MEMORY_ZERO:
        memset(to, 0, length);
        return ZV_OK;
    case ZV_MEMORY_DISCARD:
        return discard(vm, call->u.memory.dst, length, to);
    case ZV_MEMORY_COPY:
        from = memory_at(&vm->memory, gpa(call->u.memory.src), length);
        if (from == NULL)
            return ZV_EFAULT;
        memmove(to, from, length);
        return ZV_OK;
    default:
        return ZV_EINVAL;
    }
}

static int64_t call_exit(struct zvmm *vm, const struct zv_call *call)
{
    vm_end(vm, ZVMM_END_EXIT, call->u.exit.code);
    return ZV_OK;
}

static int64_t call_panic(struct zvmm *vm, const struct zv_call *call)
{
    console_drain(vm); /* what was printed before the panic comes before the report */
    panic_report_call(vm, call);
    vm_end(vm, ZVMM_END_GUEST, 0);
    return ZV_OK;
}

/* A marker may have a name, which the guest does not terminate. NULL if it has none. */
static const char *marker_name(const struct zv_call *call, char name[ZV_MARKER_NAME_MAX + 1])
{
    uint32_t length = call->u.marker.name_length;
    if (length == 0 || length > ZV_MARKER_NAME_MAX)
        return NULL;
    memcpy(name, call->u.marker.name, length);
    name[length] = '\0';
    return name;
}

static int64_t call_marker(struct zvmm *vm, const struct zv_call *call)
{
    uint32_t id = call->u.marker.id;
    if (vm->config.observer.marker != NULL)
        vm->config.observer.marker(vm->config.observer.context, id, call->u.marker.value);
    uint64_t since = clock_monotonic_ns() - vm->stats.created_ns;
    if (id < ZVMM_STATS_MARKERS && vm->stats.marker_ns[id] == 0)
        vm->stats.marker_ns[id] = since;
    char name[ZV_MARKER_NAME_MAX + 1];
    plan_see_marker(vm, id, call->u.marker.value, marker_name(call, name));
    vm_remark(vm, "marker %u value %llu at %llu us", id, (unsigned long long)call->u.marker.value,
              (unsigned long long)since / 1000);
    if (vm->determinism != NULL)
        determinism_marker(vm, id);
    return ZV_OK;
}

static int64_t call_events(struct zvmm *vm, const struct zv_call *call)
{
    return vm->determinism != NULL ? determinism_events(vm, call) : ZV_ENOTSUP;
}

static int64_t call_stuck(struct zvmm *vm, const struct zv_call *call)
{
    (void)call;
    return vm->determinism != NULL ? determinism_stuck(vm) : ZV_ENOTSUP;
}

typedef int64_t (*handler_t)(struct zvmm *vm, const struct zv_call *call);

static const handler_t handlers[ZV_CALL_NUMBERS] = {
    [ZV_CALL_CONSOLE_FLUSH] = call_console_flush,
    [ZV_CALL_CONSOLE_WRITE] = call_console_write,
    [ZV_CALL_CONSOLE_READ] = call_console_read,
    [ZV_CALL_TIMER_ARM] = call_timer_arm,
    [ZV_CALL_MEMORY] = call_memory,
    [ZV_CALL_EXIT] = call_exit,
    [ZV_CALL_PANIC] = call_panic,
    [ZV_CALL_MARKER] = call_marker,
    [ZV_CALL_EVENTS] = call_events,
    [ZV_CALL_STUCK] = call_stuck,
};

void door_enter(struct zvmm *vm, uint32_t address)
{
    struct zv_call *shared = NULL, call;
    vm->stats.hypercalls++;
    if (address % 8 == 0)
        shared = memory_at(&vm->memory, gpa(address), sizeof(*shared));
    if (shared == NULL) {
        vm_remark(vm, "hypercall at the bad address %#x ignored", address);
        return;
    }
    memcpy(&call, shared, sizeof(call));
    handler_t handler = call.number < ZV_CALL_NUMBERS ? handlers[call.number] : NULL;
    int64_t result = ZV_EINVAL;
    if (handler != NULL && call.size == sizeof(call))
        result = handler(vm, &call);
    *(volatile int64_t *)&shared->result = result;
    track_note(vm, address, sizeof(*shared));
}
