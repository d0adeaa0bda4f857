/* watch.c - watchpoints: by debug registers, or by looking at the values after each step. */
#include <string.h>

#include "gdb/session.h"
#include "vm.h"

bool watch_fill_registers(const struct gdb *gdb, struct kvm_guest_debug *debug)
{
    unsigned used = 0;
    debug->arch.debugreg[7] = 0x400;
    for (unsigned i = 0; i < gdb->points.count && used < 4; i++) {
        const struct point *point = &gdb->points.points[i];
        if (!point->active || point->kind == POINT_SOFTWARE ||
            !(point->kind == POINT_HARDWARE ? gdb->hardware.execute : gdb->hardware.watch))
            continue;
        uint64_t type = point->kind == POINT_HARDWARE ? 0 : point->kind == POINT_WRITE ? 1 : 3;
        uint64_t size = point->length == 8 ? 2 : point->length - 1;
        if (point->kind == POINT_HARDWARE)
            size = 0;
        debug->arch.debugreg[used] = point->address;
        debug->arch.debugreg[7] |= 2ull << (2 * used) | (type | size << 2) << (16 + 4 * used);
        used++;
    }
    return used != 0;
}

static bool is_watched_by_hand(const struct gdb *gdb, const struct point *point)
{
    return point->active && point->kind == POINT_WRITE && !gdb->hardware.watch;
}

bool watch_by_hand(const struct gdb *gdb, bool *user)
{
    bool any = false;
    *user = false;
    for (unsigned i = 0; i < gdb->points.count; i++) {
        const struct point *point = &gdb->points.points[i];
        if (!is_watched_by_hand(gdb, point))
            continue;
        any = true;
        *user = *user || point->address >> 63 == 0;
    }
    return any;
}

bool watch_find_changed(struct gdb *gdb, uint64_t *address)
{
    for (unsigned i = 0; i < gdb->points.count; i++) {
        struct point *point = &gdb->points.points[i];
        uint64_t value = 0, length = point->length < 8 ? point->length : 8;
        const void *at =
            is_watched_by_hand(gdb, point) ? memory_at(&gdb->vm->memory, point->at, length) : NULL;
        if (at == NULL)
            continue;
        memcpy(&value, at, length);
        if (value == point->value)
            continue;
        point->value = value;
        *address = point->address;
        return true;
    }
    return false;
}
