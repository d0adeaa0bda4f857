/*
 * Getting the boot file system out of the boot image (ZBI).
 */
#ifndef USERBOOT_BOOTDATA_H
#define USERBOOT_BOOTDATA_H

#include <zircon/types.h>

/*
 * An executable VMO that holds the boot file system of the image in zbi, whose BOOTFS item is
 * marked as discarded. vmex is a resource that allows making VMOs executable; it is borrowed, as
 * zbi is. Ends the process if the image has no usable BOOTFS.
 */
zx_handle_t bootdata_take_bootfs(zx_handle_t zbi, zx_handle_t root_vmar, zx_handle_t vmex);

#endif
