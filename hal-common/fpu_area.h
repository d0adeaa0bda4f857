/*
 * fpu_area.h - the area that FXSAVE and XSAVE (standard form) fill, and the part of it that
 * debuggers see.
 */
#ifndef HAL_COMMON_FPU_AREA_H
#define HAL_COMMON_FPU_AREA_H

#include <stdbool.h>
#include <stdint.h>

#include <hal.h>

#define FXSAVE_BYTES 512
#define XSAVE_HEADER 64 /* bytes behind that: first the components that are not initial */

#define COMPONENT_X87 (1ull << 0)
#define COMPONENT_SSE (1ull << 1)
#define COMPONENT_AVX (1ull << 2)

#define FXSAVE_FCW        0
#define FXSAVE_MXCSR      24
#define FXSAVE_MXCSR_MASK 28
#define FXSAVE_ST         32
#define FXSAVE_XMM        160
#define FCW_INITIAL       0x37f
#define MXCSR_INITIAL     0x1f80
#define MXCSR_MASK_OLD    0xffbfu /* where a processor says 0 */

/* How areas are laid out. */
struct fpu_format {
    bool xsave;          /* there is a header */
    uint32_t avx_offset; /* of the upper halves of ymm0..15; 0: there are none */
    uint32_t mxcsr_mask; /* MXCSR bits that exist */
};

void fpu_area_view(const void *area, const struct fpu_format *format, struct hal_fpu_view *out);

/* Components that the view does not show stay as they are. */
void fpu_area_change(void *area, const struct fpu_format *format, const struct hal_fpu_view *in);

#endif
