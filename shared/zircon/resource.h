/*
 * Resources: the authority to use a range of interrupts, I/O ports or physical memory, or one of
 * the privileged calls (Zircon ABI, March 2020).
 */
#ifndef ZIRCON_RESOURCE_H
#define ZIRCON_RESOURCE_H

#include <zircon/types.h>

typedef uint32_t zx_rsrc_kind_t;

/* Options of zx_resource_create: a kind and flags. */
#define ZX_RSRC_KIND_MMIO       0u
#define ZX_RSRC_KIND_IRQ        1u
#define ZX_RSRC_KIND_IOPORT     2u
#define ZX_RSRC_KIND_HYPERVISOR 3u
#define ZX_RSRC_KIND_ROOT       4u /* stands in for every other kind */
#define ZX_RSRC_KIND_VMEX       5u /* allows zx_vmo_replace_as_executable */
#define ZX_RSRC_KIND_SMC        6u
#define ZX_RSRC_KIND_COUNT      7u
#define ZX_RSRC_FLAG_EXCLUSIVE  0x10000u    /* no other resource may overlap the range */
#define ZX_RSRC_KIND_FIELD      0xffffu     /* the kind stands in the low half of the options */
#define ZX_RSRC_FLAGS_FIELD     0xffff0000u /* the flags in the high half */

#define ZX_RSRC_EXTRACT_KIND(options)  ((options)&ZX_RSRC_KIND_FIELD)
#define ZX_RSRC_EXTRACT_FLAGS(options) ((options)&ZX_RSRC_FLAGS_FIELD)

#endif
