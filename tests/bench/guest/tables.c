/*
 * tables.c - zbench's rows, in the order in which they run, and the marker.
 */
#include "guest.h"

#include <stdio.h>

/* Faults come first: they want frames that nobody has used. */
const struct row *const row_tables[] = {
    fault_rows, call_rows,   create_rows, channel_rows,  vmo_rows,
    map_rows,   region_rows, clone_rows,  original_rows, copy_rows,
    task_rows,  switch_rows, scale_rows,  user_rows,     NULL,
};

void bench_marker(unsigned id)
{
    zx_handle_t root = zx_get_startup_handle(PA_HND(PA_RESOURCE, 0));
    char text[32];
    int length = snprintf(text, sizeof(text), "marker %u", id);

    zx_debug_send_command(root, text, (size_t)length);
}
