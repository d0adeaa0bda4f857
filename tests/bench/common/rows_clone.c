/*
 * rows_clone.c - snapshots of memory objects: making one, reading or writing all or every eighth
 * page of it, and closing it. Names and steps are Zircon's.
 */
#include "rows.h"

const struct row clone_rows[] = {
    THREE_SIZES("Vmo/Clone", clone_close, .steps = "clone close"),
    MORE_SIZES("Vmo/Clone", clone_close, .steps = "clone close"),
    THREE_SIZES("Vmo/CloneMap", clone_map, .steps = "map clone close unmap"),
    THREE_SIZES("Vmo/Clone/ReadCloneAll", clone_copy, CLONE_READ_STEPS, .flags = 0),
    THREE_SIZES("Vmo/Clone/ReadCloneSome", clone_copy, CLONE_READ_STEPS, .flags = CLONE_SOME),
    THREE_SIZES("Vmo/Clone/WriteCloneAll", clone_copy, CLONE_WRITE_STEPS, .flags = CLONE_WRITE),
    THREE_SIZES("Vmo/Clone/WriteCloneSome", clone_copy, CLONE_WRITE_STEPS,
                .flags = CLONE_WRITE | CLONE_SOME),
    {0},
};
