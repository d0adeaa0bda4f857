/*
 * PCI (Zircon ABI, spring 2020): the description of the bus that the platform driver hands to the
 * kernel with zx_pci_init, and what device drivers get back.
 */
#ifndef ZIRCON_PCI_H
#define ZIRCON_PCI_H

#include <zircon/internal/layout.h>
#include <zircon/types.h>

#define ZX_PCI_MAX_BUSSES                256u
#define ZX_PCI_MAX_DEVICES_PER_BUS       32u
#define ZX_PCI_MAX_FUNCTIONS_PER_DEVICE  8u
#define ZX_PCI_MAX_LEGACY_IRQ_PINS       4u
#define ZX_PCI_MAX_MSI_IRQS              32u
#define ZX_PCI_MAX_MSIX_IRQS             2048u
#define ZX_PCI_MAX_BAR_REGS              6u
#define ZX_PCI_MAX_IRQS                  224u
#define ZX_PCI_BASE_CONFIG_SIZE          256u
#define ZX_PCI_EXTENDED_CONFIG_SIZE      4096u
#define ZX_PCI_NO_IRQ_MAPPING            0xffffffffu /* a pin that is not connected */
#define ZX_PCI_INIT_ARG_MAX_ECAM_WINDOWS 2u

/* addr_windows[].cfg_space_type */
#define PCI_CFG_SPACE_TYPE_PIO     0u
#define PCI_CFG_SPACE_TYPE_MMIO    1u
#define PCI_CFG_SPACE_TYPE_DW_ROOT 2u
#define PCI_CFG_SPACE_TYPE_DW_DS   3u

/* The argument of zx_pci_init; its length counts the address windows that follow. */
typedef struct zx_pci_init_arg {
    uint32_t dev_pin_to_global_irq[ZX_PCI_MAX_DEVICES_PER_BUS][ZX_PCI_MAX_FUNCTIONS_PER_DEVICE]
                                  [ZX_PCI_MAX_LEGACY_IRQ_PINS];
    uint32_t num_irqs;
    struct {
        uint32_t global_irq;
        bool level_triggered;
        bool active_high;
        uint8_t padding1[2];
    } irqs[ZX_PCI_MAX_IRQS];
    uint32_t addr_window_count;
    struct {
        uint64_t base;
        uint64_t size;
        uint8_t bus_start;
        uint8_t bus_end; /* inclusive */
        uint8_t cfg_space_type;
        bool has_ecam;
        uint8_t padding1[4];
    } addr_windows[];
} zx_pci_init_arg_t;
ZX_ABI_SIZE(zx_pci_init_arg_t, 5896);
ZX_ABI_OFFSET(zx_pci_init_arg_t, num_irqs, 4096);
ZX_ABI_OFFSET(zx_pci_init_arg_t, irqs, 4100);
ZX_ABI_OFFSET(zx_pci_init_arg_t, addr_window_count, 5892);
ZX_ABI_OFFSET(zx_pci_init_arg_t, addr_windows, 5896);
ZX_ABI_ASSERT(sizeof(((zx_pci_init_arg_t *)0)->addr_windows[0]) == 24, "size of an address window");

#define ZX_PCI_INIT_ARG_MAX_SIZE                                                                   \
    (sizeof(zx_pci_init_arg_t) +                                                                   \
     sizeof(((zx_pci_init_arg_t *)0)->addr_windows[0]) * ZX_PCI_INIT_ARG_MAX_ECAM_WINDOWS)
ZX_ABI_ASSERT(ZX_PCI_INIT_ARG_MAX_SIZE == 5944, "longest zx_pci_init argument");

typedef struct zx_pcie_device_info {
    uint16_t vendor_id;
    uint16_t device_id;
    uint8_t base_class;
    uint8_t sub_class;
    uint8_t program_interface;
    uint8_t revision_id;
    uint8_t bus_id;
    uint8_t dev_id;
    uint8_t func_id;
    uint8_t padding1;
} zx_pcie_device_info_t;
ZX_ABI_SIZE(zx_pcie_device_info_t, 12);
ZX_ABI_OFFSET(zx_pcie_device_info_t, revision_id, 7);
ZX_ABI_OFFSET(zx_pcie_device_info_t, func_id, 10);

/* pci_bar.type */
#define ZX_PCI_BAR_TYPE_UNUSED 0u
#define ZX_PCI_BAR_TYPE_MMIO   1u
#define ZX_PCI_BAR_TYPE_PIO    2u

typedef struct zx_pci_bar {
    uint32_t id;
    uint32_t type; /* ZX_PCI_BAR_TYPE_ */
    size_t size;
    union {
        uint64_t addr;      /* PIO: first port */
        zx_handle_t handle; /* MMIO: a memory object */
    };
} zx_pci_bar_t;
ZX_ABI_SIZE(zx_pci_bar_t, 24);
ZX_ABI_OFFSET(zx_pci_bar_t, size, 8);
ZX_ABI_OFFSET(zx_pci_bar_t, handle, 16);

/* Modes of zx_pci_query_irq_mode and zx_pci_set_irq_mode. */
typedef uint32_t zx_pci_irq_mode_t;
#define ZX_PCIE_IRQ_MODE_DISABLED 0u
#define ZX_PCIE_IRQ_MODE_LEGACY   1u
#define ZX_PCIE_IRQ_MODE_MSI      2u
#define ZX_PCIE_IRQ_MODE_MSI_X    3u

#endif
