/*
 * Ports and their packets (Zircon ABI, March 2020). A packet is 48 bytes: the key that the receiver
 * chose, the kind, and 32 bytes that depend on the kind.
 */
#ifndef ZIRCON_PORT_H
#define ZIRCON_PORT_H

#include <zircon/internal/layout.h>
#include <zircon/types.h>

/* Option of zx_port_create: interrupts may be bound to the port. */
#define ZX_PORT_BIND_TO_INTERRUPT 0x1u

/* Options of zx_object_wait_async. */
#define ZX_WAIT_ASYNC_ONCE      0u
#define ZX_WAIT_ASYNC_TIMESTAMP 1u /* fill in the packet's timestamp */

/* port_packet.type */
#define ZX_PKT_TYPE_USER         0u
#define ZX_PKT_TYPE_SIGNAL_ONE   1u
#define ZX_PKT_TYPE_GUEST_BELL   3u
#define ZX_PKT_TYPE_GUEST_MEM    4u
#define ZX_PKT_TYPE_GUEST_IO     5u
#define ZX_PKT_TYPE_GUEST_VCPU   6u
#define ZX_PKT_TYPE_INTERRUPT    7u
#define ZX_PKT_TYPE_PAGE_REQUEST 9u
#define ZX_PKT_TYPE_MASK         0xffu /* the other bits of type are zero in 2020 */

/* USER: whatever zx_port_queue was given. */
typedef union zx_packet_user {
    uint64_t u64[4];
    uint32_t u32[8];
    uint16_t u16[16];
    uint8_t c8[32];
} zx_packet_user_t;
ZX_ABI_SIZE(zx_packet_user_t, 32);

/* SIGNAL_ONE: the condition of a zx_object_wait_async came true. */
typedef struct zx_packet_signal {
    zx_signals_t trigger;  /* what was waited for */
    zx_signals_t observed; /* the object's signals then */
    uint64_t count;        /* messages queued, if a channel became readable; otherwise 1 */
    uint64_t timestamp;    /* nanoseconds, if asked for; otherwise 0 */
    uint64_t reserved1;
} zx_packet_signal_t;
ZX_ABI_SIZE(zx_packet_signal_t, 32);
ZX_ABI_OFFSET(zx_packet_signal_t, timestamp, 16);

/* GUEST_BELL: a guest wrote to a bell trap. */
typedef struct zx_packet_guest_bell {
    zx_gpaddr_t addr;
    uint64_t reserved0;
    uint64_t reserved1;
    uint64_t reserved2;
} zx_packet_guest_bell_t;
ZX_ABI_SIZE(zx_packet_guest_bell_t, 32);

/* GUEST_MEM: a guest touched a memory trap; the instruction is for the receiver to decode. */
typedef struct zx_packet_guest_mem {
    zx_gpaddr_t addr;
    uint8_t inst_len; /* valid bytes in inst_buf */
    uint8_t inst_buf[15];
    uint8_t default_operand_size; /* bytes, 2 or 4 */
    uint8_t reserved[7];
} zx_packet_guest_mem_t;
ZX_ABI_SIZE(zx_packet_guest_mem_t, 32);
ZX_ABI_OFFSET(zx_packet_guest_mem_t, default_operand_size, 24);

/* GUEST_IO: a guest used a trapped port. */
typedef struct zx_packet_guest_io {
    uint16_t port;
    uint8_t access_size; /* bytes: 1, 2 or 4 */
    bool input;
    union {
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;
        uint8_t data[4];
    }; /* valid if not input */
    uint64_t reserved0;
    uint64_t reserved1;
    uint64_t reserved2;
} zx_packet_guest_io_t;
ZX_ABI_SIZE(zx_packet_guest_io_t, 32);
ZX_ABI_OFFSET(zx_packet_guest_io_t, data, 4);
ZX_ABI_OFFSET(zx_packet_guest_io_t, data, 4);

/* GUEST_VCPU: a virtual CPU sent an interrupt to others, or asks to start one. */
#define ZX_PKT_GUEST_VCPU_INTERRUPT 0u
#define ZX_PKT_GUEST_VCPU_STARTUP   1u

typedef struct zx_packet_guest_vcpu {
    union {
        struct {
            uint64_t mask; /* of virtual CPUs */
            uint8_t vector;
            uint8_t padding1[7];
        } interrupt;
        struct {
            uint64_t id;
            zx_gpaddr_t entry;
        } startup;
    };
    uint8_t type; /* ZX_PKT_GUEST_VCPU_ */
    uint8_t padding1[7];
    uint64_t reserved;
} zx_packet_guest_vcpu_t;
ZX_ABI_SIZE(zx_packet_guest_vcpu_t, 32);
ZX_ABI_OFFSET(zx_packet_guest_vcpu_t, interrupt.vector, 8);
ZX_ABI_OFFSET(zx_packet_guest_vcpu_t, startup.entry, 8);
ZX_ABI_OFFSET(zx_packet_guest_vcpu_t, type, 16);

/* INTERRUPT: a bound interrupt fired. */
typedef struct zx_packet_interrupt {
    zx_time_t timestamp;
    uint64_t reserved0;
    uint64_t reserved1;
    uint64_t reserved2;
} zx_packet_interrupt_t;
ZX_ABI_SIZE(zx_packet_interrupt_t, 32);

/* PAGE_REQUEST: a pager is asked for pages. */
#define ZX_PAGER_VMO_READ     0u
#define ZX_PAGER_VMO_COMPLETE 1u

typedef struct zx_packet_page_request {
    uint16_t command; /* ZX_PAGER_VMO_ */
    uint16_t flags;
    uint32_t reserved0;
    uint64_t offset; /* bytes, page-aligned, like length */
    uint64_t length;
    uint64_t reserved1;
} zx_packet_page_request_t;
ZX_ABI_SIZE(zx_packet_page_request_t, 32);
ZX_ABI_OFFSET(zx_packet_page_request_t, length, 16);

typedef struct zx_port_packet {
    uint64_t key;
    uint32_t type; /* ZX_PKT_TYPE_ */
    zx_status_t status;
    union {
        zx_packet_user_t user;
        zx_packet_signal_t signal;
        zx_packet_guest_bell_t guest_bell;
        zx_packet_guest_mem_t guest_mem;
        zx_packet_guest_io_t guest_io;
        zx_packet_guest_vcpu_t guest_vcpu;
        zx_packet_interrupt_t interrupt;
        zx_packet_page_request_t page_request;
    };
} zx_port_packet_t;
ZX_ABI_SIZE(zx_port_packet_t, 48);
ZX_ABI_OFFSET(zx_port_packet_t, status, 12);
ZX_ABI_OFFSET(zx_port_packet_t, user, 16);

#endif
