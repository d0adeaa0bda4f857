/*
 * What drivers use (Zircon ABI, spring 2020): interrupts, bus transaction initiators and calls to
 * the secure monitor.
 */
#ifndef ZIRCON_DEVICE_H
#define ZIRCON_DEVICE_H

#include <zircon/internal/layout.h>
#include <zircon/types.h>

/* --- Interrupts --- */

/* Options of zx_interrupt_create: one mode, REMAP_IRQ, or VIRTUAL alone. */
#define ZX_INTERRUPT_REMAP_IRQ       0x1u
#define ZX_INTERRUPT_MODE_DEFAULT    0x0u
#define ZX_INTERRUPT_MODE_EDGE_LOW   0x2u
#define ZX_INTERRUPT_MODE_EDGE_HIGH  0x4u
#define ZX_INTERRUPT_MODE_LEVEL_LOW  0x6u
#define ZX_INTERRUPT_MODE_LEVEL_HIGH 0x8u
#define ZX_INTERRUPT_MODE_EDGE_BOTH  0xau
#define ZX_INTERRUPT_MODE_MASK       0xeu
#define ZX_INTERRUPT_VIRTUAL         0x10u /* triggered by software, see zx_interrupt_trigger */

#define ZX_INTERRUPT_BIND   0u /* option of zx_interrupt_bind */
#define ZX_INTERRUPT_UNBIND 1u /* option of zx_interrupt_bind */

#define ZX_INTERRUPT_SLOT_USER 62u
#define ZX_INTERRUPT_MAX_SLOTS 62u
#define ZX_PCI_INTERRUPT_SLOT  0u

#define ZX_MSI_MODE_MSI_X 0x1u /* option of zx_msi_create, mid-2020 */

/* --- Bus transaction initiators: options of zx_bti_pin --- */

#define ZX_BTI_PERM_READ    0x1u
#define ZX_BTI_PERM_WRITE   0x2u
#define ZX_BTI_PERM_EXECUTE 0x4u
#define ZX_BTI_COMPRESS     0x8u  /* one address per minimum-contiguity block */
#define ZX_BTI_CONTIGUOUS   0x10u /* one address for the whole of a contiguous memory object */

/* --- Secure monitor --- */

typedef struct zx_smc_parameters {
    uint32_t func_id;
    uint8_t padding1[4];
    uint64_t arg1;
    uint64_t arg2;
    uint64_t arg3;
    uint64_t arg4;
    uint64_t arg5;
    uint64_t arg6;
    uint16_t client_id;
    uint16_t secure_os_id;
    uint8_t padding2[4];
} zx_smc_parameters_t;
ZX_ABI_SIZE(zx_smc_parameters_t, 64);
ZX_ABI_OFFSET(zx_smc_parameters_t, arg5, 40);
ZX_ABI_OFFSET(zx_smc_parameters_t, secure_os_id, 58);

typedef struct zx_smc_result {
    uint64_t arg0;
    uint64_t arg1;
    uint64_t arg2;
    uint64_t arg3;
    uint64_t arg6;
} zx_smc_result_t;
ZX_ABI_SIZE(zx_smc_result_t, 40);
ZX_ABI_OFFSET(zx_smc_result_t, arg6, 32);

#endif
