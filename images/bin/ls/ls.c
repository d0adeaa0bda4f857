/*
 * ls: the files of the boot file system, all or those whose path begins with the argument.
 */
#include <stdio.h>
#include <string.h>
#include <zircon/zircon.h>
#include <zircon/process.h>
#include <zvmm/bootfs.h>

int main(int argc, char **argv)
{
    const char *prefix = argc > 1 ? argv[1] : "";
    struct bootfs_reader reader;
    struct bootfs_entry entry;
    bool any = false;

    if (argc > 2) {
        fprintf(stderr, "usage: ls [PREFIX]\n");
        return 2;
    }
    zx_status_t status = bootfs_open(&reader, zx_get_startup_handle(PA_HND(PA_VMO_BOOTFS, 0)));
    while (status == ZX_OK && (status = bootfs_next(&reader, &entry)) == ZX_OK) {
        if (strncmp(entry.name, prefix, strlen(prefix)) != 0)
            continue;
        printf("%10u %s\n", entry.size, entry.name);
        any = true;
    }
    if (status != ZX_ERR_STOP) {
        fprintf(stderr, "ls: boot file system: %s\n", zx_status_get_string(status));
        return 1;
    }
    if (!any && *prefix) {
        fprintf(stderr, "ls: %s: not found\n", prefix);
        return 1;
    }
    return 0;
}
