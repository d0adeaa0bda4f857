/*
 * Limits that user programs meet. Those with a ZX_ name of Zircon's public headers have its value;
 * ZX_USER_ASPACE_*, ZX_SOCKET_BUFFER_MAX, ZX_PROCESS_MEM_RW_MAX, ZX_JOB_MAX_DEPTH,
 * ZX_PORT_PACKET_LIMIT and ZX_SYSTEM_VERSION_MAX are constants of Zircon's kernel (spring 2020) to
 * which no public header gives a name. Sizes are in bytes.
 */
#ifndef ZIRCON_LIMITS_H
#define ZIRCON_LIMITS_H

#include <zircon/types.h>

#define ZX_WAIT_MANY_MAX_ITEMS     ((size_t)64u)   /* 16 in 2019, 64 in late 2020 */
#define ZX_CHANNEL_MAX_MSG_BYTES   65536u          /* bytes in one message */
#define ZX_CHANNEL_MAX_MSG_HANDLES 64u             /* handles in one message */
#define ZX_FIFO_MAX_SIZE_BYTES     ((size_t)4096u) /* element count times size */
#define ZX_CPU_SET_MAX_CPUS        ((size_t)512u)  /* bits in a zx_cpu_set_t */
#define ZX_LOG_RECORD_MAX          ((size_t)256u)  /* header and text */

#define ZX_MAX_NAME_LEN ((size_t)32u) /* with the NUL; longer names are cut to 31 bytes */

/* One kernel call; zx_cprng_draw itself has no limit. */
#define ZX_CPRNG_DRAW_MAX_LEN        ((size_t)256u)
#define ZX_CPRNG_ADD_ENTROPY_MAX_LEN ((size_t)256u)

#define ZX_DEBUG_WRITE_MAX ((size_t)256u) /* zx_debug_write silently cuts what is longer */

/* Bytes in one zx_process_read_memory or zx_process_write_memory. */
#define ZX_PROCESS_MEM_RW_MAX ((size_t)67108864u)

/* Bytes queued per direction, and the largest datagram. */
#define ZX_SOCKET_BUFFER_MAX ((size_t)257024u)

#define ZX_JOB_MAX_DEPTH 32u /* height of the root job; each level below has one less */

/* Packets of zx_port_queue that may wait in one port; then SHOULD_WAIT. */
#define ZX_PORT_PACKET_LIMIT 2048u

#define ZX_SYSTEM_VERSION_MAX ((size_t)64u) /* the version string of the vDSO, with the NUL */

/* Where a process's root address region begins on x86-64, and its length: to 2^47 less a page. */
#define ZX_USER_ASPACE_BASE ((uint64_t)0x1000000u)
#define ZX_USER_ASPACE_SIZE ((uint64_t)0x7ffffefff000u)

#endif
