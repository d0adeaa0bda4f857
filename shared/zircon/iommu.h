/*
 * IOMMU descriptions, the argument of zx_iommu_create (Zircon ABI, March 2020).
 */
#ifndef ZIRCON_IOMMU_H
#define ZIRCON_IOMMU_H

#include <zircon/internal/layout.h>
#include <zircon/types.h>

#define ZX_IOMMU_TYPE_DUMMY   0u
#define ZX_IOMMU_TYPE_INTEL   1u
#define ZX_IOMMU_MAX_DESC_LEN ((size_t)4096u)

typedef struct zx_iommu_desc_dummy {
    uint8_t reserved;
} zx_iommu_desc_dummy_t;
ZX_ABI_SIZE(zx_iommu_desc_dummy_t, 1);

/* zx_iommu_desc_intel_scope.type */
#define ZX_IOMMU_INTEL_SCOPE_ENDPOINT 0u
#define ZX_IOMMU_INTEL_SCOPE_BRIDGE   1u

typedef struct zx_iommu_desc_intel_scope {
    uint8_t type;
    uint8_t start_bus;
    uint8_t num_hops;    /* valid elements of dev_func */
    uint8_t dev_func[5]; /* device << 3 | function, on the way from start_bus */
} zx_iommu_desc_intel_scope_t;
ZX_ABI_SIZE(zx_iommu_desc_intel_scope_t, 8);
ZX_ABI_OFFSET(zx_iommu_desc_intel_scope_t, dev_func, 3);

/* Memory to stay mapped for some devices; scope_bytes of scopes follow each record. */
typedef struct zx_iommu_desc_intel_reserved_memory {
    uint64_t base_addr;
    uint64_t len;
    uint8_t scope_bytes;
    uint8_t _reserved[7];
} zx_iommu_desc_intel_reserved_memory_t;
ZX_ABI_SIZE(zx_iommu_desc_intel_reserved_memory_t, 24);
ZX_ABI_OFFSET(zx_iommu_desc_intel_reserved_memory_t, scope_bytes, 16);

/* Followed by scope_bytes of scopes, then reserved_memory_bytes of reserved-memory records. */
typedef struct zx_iommu_desc_intel {
    zx_paddr_t register_base;
    uint16_t pci_segment;
    bool whole_segment; /* all devices of the segment but those of the scopes */
    uint8_t scope_bytes;
    uint16_t reserved_memory_bytes;
    uint8_t _reserved[2];
} zx_iommu_desc_intel_t;
ZX_ABI_SIZE(zx_iommu_desc_intel_t, 16);
ZX_ABI_OFFSET(zx_iommu_desc_intel_t, scope_bytes, 11);

#endif
