/*
 * cat: prints files of the boot file system; without arguments, what is typed up to Ctrl-D.
 */
#include <stdio.h>
#include <zircon/zircon.h>
#include <zircon/process.h>
#include <zvmm/bootfs.h>

#define CTRL_D 4

static zx_status_t print_file(zx_handle_t bootfs, const char *name)
{
    static char buffer[4096];
    struct bootfs_entry entry;

    zx_status_t status = bootfs_find(bootfs, name, &entry);
    for (uint32_t done = 0; status == ZX_OK && done < entry.size;) {
        uint32_t size = entry.size - done < sizeof(buffer) ? entry.size - done : sizeof(buffer);
        status = zx_vmo_read(bootfs, buffer, entry.offset + done, size);
        if (status == ZX_OK)
            fwrite(buffer, 1, size, stdout);
        done += size;
    }
    return status;
}

int main(int argc, char **argv)
{
    zx_handle_t bootfs = zx_get_startup_handle(PA_HND(PA_VMO_BOOTFS, 0));
    int result = 0, c;

    if (argc == 1) {
        while ((c = getchar()) != EOF && c != CTRL_D)
            putchar(c);
    }
    for (int i = 1; i < argc; i++) {
        zx_status_t status = print_file(bootfs, argv[i]);
        if (status == ZX_OK)
            continue;
        fprintf(stderr, "cat: %s: %s\n", argv[i],
                status == ZX_ERR_NOT_FOUND ? "not found" : zx_status_get_string(status));
        result = 1;
    }
    return result;
}
