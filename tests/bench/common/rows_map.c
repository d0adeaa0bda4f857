/*
 * rows_map.c - mapping memory objects. VmoMap/ and VmoMapRange/ are Zircon's rows: map, copy the
 * whole of it once, unmap; by the program itself or ("Kernel") by a system call whose buffer it is.
 * Vmar/ are the parts alone. Range: the pages are there after the call.
 */
#include "rows.h"

const struct row map_rows[] = {
    THREE_SIZES("VmoMap/Read", map_copy, .flags = 0),
    THREE_SIZES("VmoMap/Read/Kernel", map_copy, .flags = MAPPED_KERNEL),
    THREE_SIZES("VmoMap/Write", map_copy, .flags = MAPPED_WRITE),
    THREE_SIZES("VmoMap/Write/Kernel", map_copy, .flags = MAPPED_WRITE | MAPPED_KERNEL),
    THREE_SIZES("VmoMapRange/Read", map_copy, .flags = MAPPED_RANGE),
    THREE_SIZES("VmoMapRange/Read/Kernel", map_copy, .flags = MAPPED_RANGE | MAPPED_KERNEL),
    THREE_SIZES("VmoMapRange/Write", map_copy, .flags = MAPPED_RANGE | MAPPED_WRITE),
    THREE_SIZES("VmoMapRange/Write/Kernel", map_copy,
                .flags = MAPPED_RANGE | MAPPED_WRITE | MAPPED_KERNEL),
    THREE_SIZES("Vmar/MapUnmap", map_unmap, .steps = "map unmap"),
    MORE_SIZES("Vmar/MapUnmap", map_unmap, .steps = "map unmap"),
    THREE_SIZES("Vmar/MapRangeUnmap", map_unmap, .steps = "map unmap", .flags = MAPPED_RANGE),
    MORE_SIZES("Vmar/MapRangeUnmap", map_unmap, .steps = "map unmap", .flags = MAPPED_RANGE),
    THREE_SIZES("Vmar/Protect", protect),
    {0},
};
