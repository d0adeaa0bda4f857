/*
 * Features of the processor, for zx_system_get_features (Zircon ABI, March 2020). The answers come
 * from the constants in the vDSO.
 */
#ifndef ZIRCON_FEATURES_H
#define ZIRCON_FEATURES_H

#include <zircon/types.h>

/* Kinds. Others give ZX_ERR_NOT_SUPPORTED, and so does CPU while bit 0 of its word is clear. */
#define ZX_FEATURE_KIND_CPU                 0u
#define ZX_FEATURE_KIND_HW_BREAKPOINT_COUNT 1u
#define ZX_FEATURE_KIND_HW_WATCHPOINT_COUNT 2u

/* Bits of kind CPU. Programs on x86-64 use the CPUID instruction for all else. */
#define ZX_HAS_CPU_FEATURES 0x1u /* set if the word is meaningful; on x86-64 the only bit */

#endif
