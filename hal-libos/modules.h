/* modules.h - boot modules: built in, from files, and the merged boot file system. */
#ifndef HAL_LIBOS_MODULES_H
#define HAL_LIBOS_MODULES_H

#include <hal.h>

/* Puts the modules that the configuration asks for into physical memory. Ends the process if that
 * cannot be done. */
void modules_load(struct hal_boot *boot);

#endif
