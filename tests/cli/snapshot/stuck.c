/*
 * stuck.c - a program for zvmm test --deterministic: the test "stuck" waits for ever, "fine" ends.
 */
#include <stdio.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/zircon.h>

int main(void)
{
    zx_handle_t root = zx_get_startup_handle(PA_HND(PA_RESOURCE, 0)), event;
    char name[64];

    puts("stuck\nfine");
    fflush(stdout);
    zx_debug_send_command(root, "marker ready", 12);
    if (!fgets(name, sizeof name, stdin) || zx_event_create(0, &event) != ZX_OK)
        return 1;
    if (!strcmp(name, "stuck\n"))
        zx_object_wait_one(event, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, NULL);
    zx_debug_send_command(root, "marker 4097 0", 13);
    return 0;
}
