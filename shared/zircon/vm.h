/*
 * Virtual memory (Zircon ABI, March 2020; later options as marked): options of address regions and
 * mappings, of memory objects and their children, cache policies, and range operations.
 */
#ifndef ZIRCON_VM_H
#define ZIRCON_VM_H

#include <zircon/types.h>

/* --- Address regions and mappings --- */

#define ZX_VM_PERM_READ             ((zx_vm_option_t)0x1u)
#define ZX_VM_PERM_WRITE            ((zx_vm_option_t)0x2u)
#define ZX_VM_PERM_EXECUTE          ((zx_vm_option_t)0x4u)
#define ZX_VM_COMPACT               ((zx_vm_option_t)0x8u)  /* place close to existing mappings */
#define ZX_VM_SPECIFIC              ((zx_vm_option_t)0x10u) /* at the given offset, or fail */
#define ZX_VM_SPECIFIC_OVERWRITE    ((zx_vm_option_t)0x20u) /* likewise, replacing mappings */
#define ZX_VM_CAN_MAP_SPECIFIC      ((zx_vm_option_t)0x40u)
#define ZX_VM_CAN_MAP_READ          ((zx_vm_option_t)0x80u)
#define ZX_VM_CAN_MAP_WRITE         ((zx_vm_option_t)0x100u)
#define ZX_VM_CAN_MAP_EXECUTE       ((zx_vm_option_t)0x200u)
#define ZX_VM_MAP_RANGE             ((zx_vm_option_t)0x400u)  /* enter existing pages now */
#define ZX_VM_REQUIRE_NON_RESIZABLE ((zx_vm_option_t)0x800u)  /* of the memory object */
#define ZX_VM_ALLOW_FAULTS          ((zx_vm_option_t)0x1000u) /* access may fault */
#define ZX_VM_OFFSET_IS_UPPER_LIMIT ((zx_vm_option_t)0x2000u) /* mid-2020 */

/* The alignment's log2, 10 to 32, stands in bits 24..31 of the options. */
#define ZX_VM_ALIGN_BASE  ((zx_vm_option_t)24u)
#define ZX_VM_ALIGN_1KB   ((zx_vm_option_t)0xa000000u)
#define ZX_VM_ALIGN_2KB   ((zx_vm_option_t)0xb000000u)
#define ZX_VM_ALIGN_4KB   ((zx_vm_option_t)0xc000000u)
#define ZX_VM_ALIGN_8KB   ((zx_vm_option_t)0xd000000u)
#define ZX_VM_ALIGN_16KB  ((zx_vm_option_t)0xe000000u)
#define ZX_VM_ALIGN_32KB  ((zx_vm_option_t)0xf000000u)
#define ZX_VM_ALIGN_64KB  ((zx_vm_option_t)0x10000000u)
#define ZX_VM_ALIGN_128KB ((zx_vm_option_t)0x11000000u)
#define ZX_VM_ALIGN_256KB ((zx_vm_option_t)0x12000000u)
#define ZX_VM_ALIGN_512KB ((zx_vm_option_t)0x13000000u)
#define ZX_VM_ALIGN_1MB   ((zx_vm_option_t)0x14000000u)
#define ZX_VM_ALIGN_2MB   ((zx_vm_option_t)0x15000000u)
#define ZX_VM_ALIGN_4MB   ((zx_vm_option_t)0x16000000u)
#define ZX_VM_ALIGN_8MB   ((zx_vm_option_t)0x17000000u)
#define ZX_VM_ALIGN_16MB  ((zx_vm_option_t)0x18000000u)
#define ZX_VM_ALIGN_32MB  ((zx_vm_option_t)0x19000000u)
#define ZX_VM_ALIGN_64MB  ((zx_vm_option_t)0x1a000000u)
#define ZX_VM_ALIGN_128MB ((zx_vm_option_t)0x1b000000u)
#define ZX_VM_ALIGN_256MB ((zx_vm_option_t)0x1c000000u)
#define ZX_VM_ALIGN_512MB ((zx_vm_option_t)0x1d000000u)
#define ZX_VM_ALIGN_1GB   ((zx_vm_option_t)0x1e000000u)
#define ZX_VM_ALIGN_2GB   ((zx_vm_option_t)0x1f000000u)
#define ZX_VM_ALIGN_4GB   ((zx_vm_option_t)0x20000000u)

/* zx_vmar_op_range */
#define ZX_VMAR_OP_DECOMMIT  2u
#define ZX_VMAR_OP_MAP_RANGE 3u /* later in 2020 */

/* --- Memory objects --- */

/* zx_vmo_create; bit 0 had a meaning before 2020. */
#define ZX_VMO_RESIZABLE 0x2u

/* zx_vmo_op_range */
#define ZX_VMO_OP_COMMIT                 1u
#define ZX_VMO_OP_DECOMMIT               2u
#define ZX_VMO_OP_LOCK                   3u /* not supported in 2020 */
#define ZX_VMO_OP_UNLOCK                 4u /* not supported in 2020 */
#define ZX_VMO_OP_CACHE_SYNC             6u
#define ZX_VMO_OP_CACHE_INVALIDATE       7u
#define ZX_VMO_OP_CACHE_CLEAN            8u
#define ZX_VMO_OP_CACHE_CLEAN_INVALIDATE 9u
#define ZX_VMO_OP_ZERO                   10u

/* zx_vmo_create_child */
#define ZX_VMO_CHILD_SNAPSHOT                   0x1u /* copy-on-write as of now */
#define ZX_VMO_CHILD_RESIZABLE                  0x4u
#define ZX_VMO_CHILD_SLICE                      0x8u  /* a window on the parent's own pages */
#define ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE 0x10u /* may follow the parent until then */
#define ZX_VMO_CHILD_NO_WRITE                   0x20u /* no WRITE right; with SLICE */
#define ZX_VMO_CHILD_COPY_ON_WRITE              0x10u /* older name of the same option */

/* zx_vmo_set_cache_policy */
#define ZX_CACHE_POLICY_CACHED          0u
#define ZX_CACHE_POLICY_UNCACHED        1u
#define ZX_CACHE_POLICY_UNCACHED_DEVICE 2u
#define ZX_CACHE_POLICY_WRITE_COMBINING 3u
#define ZX_CACHE_POLICY_MASK            3u

/* zx_pager_op_range */
#define ZX_PAGER_OP_FAIL 1u /* the data argument is the error status, sign-extended */

/* --- Processor caches: zx_cache_flush, which never enters the kernel --- */

#define ZX_CACHE_FLUSH_INSN       0x1u
#define ZX_CACHE_FLUSH_DATA       0x2u
#define ZX_CACHE_FLUSH_INVALIDATE 0x4u

#endif
