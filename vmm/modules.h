/* modules.h - boot modules: built in, from files, and the merged boot file system. */
#ifndef ZVMM_MODULES_H
#define ZVMM_MODULES_H

#include "loader.h"

struct modules {
    struct zv_module entries[ZV_BOOT_MODULES];
    uint32_t count;
};

/*
 * For each kind take the file named in `config`, else the module built into the guest, and list
 * it; files and the merged boot file system go to free memory, high but below 4 GiB if possible.
 */
int modules_load(struct modules *modules, const struct zvmm_config *config,
                 const struct loader_image *image, struct memory *memory, struct layout *layout,
                 struct zvmm_error *error);

#endif
