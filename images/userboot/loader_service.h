/*
 * The loader service: for a program that names a dynamic linker (PT_INTERP), userboot loads that
 * linker instead, hands it the program's file, and then gives it the libraries it asks for
 * (fuchsia.ldsvc.Loader).
 */
#ifndef USERBOOT_LOADER_SERVICE_H
#define USERBOOT_LOADER_SERVICE_H

#include <zvmm/bootfs.h>
#include "new_process.h"
#include "options.h"

struct loader_service {
    zx_handle_t channel; /* ZX_HANDLE_INVALID: nobody to serve */
    zx_handle_t bootfs;  /* borrowed until the service starts, then its own */
    const struct options *options;
    char config[64]; /* folder below lib/ to look in first, "" for none */
    bool exclusive;  /* and do not look in lib/ itself */
};

/*
 * Loads the dynamic linker that the program's headers name into p and sends it its message. The
 * service's options and bootfs are set. Ends userboot if anything fails.
 */
void loader_service_start(struct loader_service *service, struct new_process *p,
                          const struct bootfs_entry *program, const struct elf_headers *headers,
                          zx_handle_t root_resource);

/* Serves until the dynamic linker has finished. */
void loader_service_run(struct loader_service *service);

#endif
