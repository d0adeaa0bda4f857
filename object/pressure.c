/*
 * pressure.c - memory pressure events.
 */
#include "pressure.h"

#include <hal.h>
#include <zircon/errors.h>
#include <zircon/object.h>
#include <zircon/system.h>

#include "event.h"

#define WORST ZX_SYSTEM_EVENT_OUT_OF_MEMORY
#define BEST  ZX_SYSTEM_EVENT_MEMORY_PRESSURE_NORMAL

/* By kind: the level holds while less than 1/divisor of all frames is free. */
static const uint64_t divisors[] = {
    [ZX_SYSTEM_EVENT_OUT_OF_MEMORY] = 64,
    [ZX_SYSTEM_EVENT_MEMORY_PRESSURE_CRITICAL] = 32,
    [ZX_SYSTEM_EVENT_MEMORY_PRESSURE_WARNING] = 8,
};

/* The level now, coming from `before` (0: from nowhere). */
static uint32_t level_now(uint32_t before)
{
    struct hal_memory_stats memory;
    uint32_t level;

    hal_memory_stats(&memory);
    for (level = WORST; level < BEST; level++) {
        uint64_t limit = memory.total_frames / divisors[level];

        if (before && before <= level)
            limit += memory.total_frames / 256;
        if (memory.free_frames < limit)
            break;
    }
    return level;
}

static struct event **slot_of(struct kernel *kernel, uint32_t kind)
{
    return &kernel->system_events[kind - WORST];
}

static void set_signal(struct kernel *kernel, uint32_t kind, zx_signals_t clear, zx_signals_t set)
{
    struct event *event = *slot_of(kernel, kind);

    if (event)
        object_update_signals(OBJECT(event), clear, set);
}

void pressure_update(struct kernel *kernel)
{
    uint32_t before = kernel->pressure, level = level_now(before);

    if (level == before)
        return;
    kernel->pressure = level;
    if (before)
        set_signal(kernel, before, ZX_EVENT_SIGNALED, 0);
    set_signal(kernel, level, 0, ZX_EVENT_SIGNALED);
}

zx_status_t pressure_event(uint32_t kind, struct event **out)
{
    struct event **slot;

    if (kind < WORST || kind > BEST)
        return ZX_ERR_INVALID_ARGS;
    slot = slot_of(kernel(), kind);
    if (!*slot) {
        zx_status_t status = event_create(slot);

        if (status != ZX_OK)
            return status;
        if (kernel()->pressure == kind)
            object_update_signals(OBJECT(*slot), 0, ZX_EVENT_SIGNALED);
    }
    pressure_update(kernel());
    *out = *slot;
    return ZX_OK;
}
