/*
 * The basic types of the system-call interface (Zircon ABI, March 2020, x86-64), and the few values
 * that belong to them. Widths are fixed: the same numbers cross from user space to the kernel
 * whoever compiled the two. All multi-byte values are little-endian.
 */
#ifndef ZIRCON_TYPES_H
#define ZIRCON_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int32_t zx_status_t;    /* 0 or a negative ZX_ERR_; some calls return a positive count */
typedef uint32_t zx_handle_t;   /* valid in one process only */
typedef uint32_t zx_rights_t;   /* set of ZX_RIGHT_ */
typedef uint32_t zx_signals_t;  /* set of signals; the meaning of a bit depends on the object */
typedef uint32_t zx_obj_type_t; /* ZX_OBJ_TYPE_ */
typedef uint64_t zx_koid_t;     /* names a kernel object for as long as the machine runs */
typedef uint32_t zx_object_info_topic_t;

typedef int64_t zx_time_t;     /* nanoseconds, on the monotonic clock unless said otherwise */
typedef int64_t zx_duration_t; /* nanoseconds */
typedef int64_t zx_ticks_t;    /* cycles of the processor's time stamp counter */
typedef uint32_t zx_clock_t;   /* ZX_CLOCK_ */

typedef uint64_t zx_off_t;
typedef uint64_t zx_vaddr_t;
typedef uint64_t zx_paddr_t;
typedef uint64_t zx_gpaddr_t; /* an address in a guest's physical memory */
typedef uint32_t zx_vm_option_t;

/* A futex is any aligned word in user memory; C++ and C11 atomics of this size work as one. */
typedef int32_t zx_futex_t;

/* The first four bytes of a message that takes part in zx_channel_call. */
typedef uint32_t zx_txid_t;

#define ZX_HANDLE_INVALID ((zx_handle_t)0u)

/* These two bits are set in every valid handle value. */
#define ZX_HANDLE_FIXED_BITS_MASK ((zx_handle_t)0x3u)

#define ZX_KOID_INVALID ((zx_koid_t)0u)
#define ZX_KOID_KERNEL  ((zx_koid_t)1u) /* the kernel itself, as the owner of objects */

/* The first koid given to an object; 63 bits, never used twice. */
#define ZX_KOID_FIRST ((zx_koid_t)1024u)

/* Times that compare as later and earlier than all others. */
#define ZX_TIME_INFINITE      ((zx_time_t)INT64_MAX) /* as a deadline: never */
#define ZX_TIME_INFINITE_PAST ((zx_time_t)INT64_MIN) /* as a deadline: already passed */

/* Page size of the interface: lengths and offsets of memory operations count in these. */
#define ZX_PAGE_SIZE  ((uint64_t)4096u)
#define ZX_PAGE_SHIFT 12u
#define ZX_PAGE_MASK  (ZX_PAGE_SIZE - 1) /* the bits of an address within its page */

#endif
