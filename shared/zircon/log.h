/*
 * The kernel's debug log (Zircon ABI, spring 2020): records that zx_debuglog_read returns, and the
 * flags and severities in them.
 */
#ifndef ZIRCON_LOG_H
#define ZIRCON_LOG_H

#include <zircon/internal/layout.h>
#include <zircon/limits.h>
#include <zircon/types.h>

#define ZX_LOG_FLAG_READABLE 0x40000000u /* option of zx_debuglog_create */

/* Flags of a record. */
#define ZX_LOG_LOCAL      0x10u
#define ZX_LOG_FLAGS_MASK 0x10u /* the flags zx_debuglog_write accepts */

/* Severities; steps of 16, so that a program may use values between. */
#define ZX_LOG_TRACE   0x10u
#define ZX_LOG_DEBUG   0x20u
#define ZX_LOG_INFO    0x30u
#define ZX_LOG_WARNING 0x40u
#define ZX_LOG_ERROR   0x50u
#define ZX_LOG_FATAL   0x60u

/*
 * A record as read. The word at 0 counts records lost to wrap-around in early 2020 and numbers the
 * records later; severity and flags were one 16-bit word of flags in early 2020.
 */
typedef struct zx_log_record {
    uint32_t rollout;
    uint16_t datalen; /* bytes in data */
    uint8_t severity;
    uint8_t flags;
    zx_time_t timestamp;
    zx_koid_t pid;
    zx_koid_t tid;
    char data[]; /* not NUL-terminated */
} zx_log_record_t;
ZX_ABI_SIZE(zx_log_record_t, 32);
ZX_ABI_OFFSET(zx_log_record_t, timestamp, 8);
ZX_ABI_OFFSET(zx_log_record_t, data, 32);

#define ZX_LOG_RECORD_DATA_MAX (ZX_LOG_RECORD_MAX - sizeof(zx_log_record_t))

#endif
