/*
 * fpu_area.c - what debuggers see of an FPU state.
 */
#include "fpu_area.h"

#include "string.h"

#define SSE_BYTES 256

/* xsave need not write a component that is in its initial state; then memory holds old bytes. */
void fpu_area_view(const void *area, const struct fpu_format *format, struct hal_fpu_view *out)
{
    uint64_t have = COMPONENT_X87 | COMPONENT_SSE;
    const uint8_t *from = area;

    if (format->xsave)
        memcpy(&have, from + FXSAVE_BYTES, sizeof have);
    memset(out, 0, sizeof *out);
    out->fxsave[FXSAVE_FCW] = FCW_INITIAL & 0xff;
    out->fxsave[FXSAVE_FCW + 1] = FCW_INITIAL >> 8;
    if (have & COMPONENT_X87) {
        memcpy(out->fxsave, from, FXSAVE_MXCSR);
        memcpy(out->fxsave + FXSAVE_ST, from + FXSAVE_ST, FXSAVE_XMM - FXSAVE_ST);
    }
    memcpy(out->fxsave + FXSAVE_MXCSR, from + FXSAVE_MXCSR, 8);
    if (have & COMPONENT_SSE)
        memcpy(out->fxsave + FXSAVE_XMM, from + FXSAVE_XMM, SSE_BYTES);
    if (have & COMPONENT_AVX && format->avx_offset)
        memcpy(out->ymm_high, from + format->avx_offset, sizeof out->ymm_high);
}

void fpu_area_change(void *area, const struct fpu_format *format, const struct hal_fpu_view *in)
{
    uint8_t *to = area;
    uint64_t have;
    uint32_t mxcsr;

    memcpy(to, in->fxsave, FXSAVE_BYTES);
    memcpy(&mxcsr, in->fxsave + FXSAVE_MXCSR, sizeof mxcsr);
    mxcsr &= format->mxcsr_mask; /* loading another bit would fault */
    memcpy(to + FXSAVE_MXCSR, &mxcsr, sizeof mxcsr);
    if (!format->xsave)
        return;
    memcpy(&have, to + FXSAVE_BYTES, sizeof have);
    have |= COMPONENT_X87 | COMPONENT_SSE;
    if (format->avx_offset) {
        memcpy(to + format->avx_offset, in->ymm_high, sizeof in->ymm_high);
        have |= COMPONENT_AVX;
    }
    memcpy(to + FXSAVE_BYTES, &have, sizeof have);
}
