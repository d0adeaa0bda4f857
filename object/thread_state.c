/*
 * thread_state.c - the registers of a stopped thread in ABI form.
 */
#include "thread_state.h"

#include <zircon/errors.h>

#include "string.h"
#include "thread.h"

/* Offsets in the FXSAVE image (AMD64 Architecture Programmer's Manual, volume 2, 11.4.4). */
#define FXSAVE_FCW   0
#define FXSAVE_FSW   2
#define FXSAVE_FTW   4
#define FXSAVE_FOP   6
#define FXSAVE_FIP   8
#define FXSAVE_FDP   16
#define FXSAVE_MXCSR 24
#define FXSAVE_ST    32
#define FXSAVE_XMM   160

/* CF PF AF ZF SF TF DF OF NT AC ID. */
#define RFLAGS_USER 0x244dd5ull
#define RFLAGS_TF   0x100ull

/* DR6: B0-3, BD, BS can be set, the others read as one or zero; so in DR7: L0-3, G0-3, LE, GE, RW
 * and LEN. GD would stop the kernel. */
#define DR6_USER       0xe00full
#define DR6_FIXED      0xffff0ff0ull
#define DR7_USER       0xffff03ffull
#define DR7_FIXED      0x400ull
#define DR7_RW(dr7, n) ((dr7) >> (16 + 4 * (n)) & 3)
#define DR7_RW_IO      2

size_t thread_state_size(uint32_t kind)
{
    static const uint16_t sizes[] = {
        [ZX_THREAD_STATE_GENERAL_REGS] = sizeof(zx_thread_state_general_regs_t),
        [ZX_THREAD_STATE_FP_REGS] = sizeof(zx_thread_state_fp_regs_t),
        [ZX_THREAD_STATE_VECTOR_REGS] = sizeof(zx_thread_state_vector_regs_t),
        [ZX_THREAD_STATE_DEBUG_REGS] = sizeof(zx_thread_state_debug_regs_t),
        [ZX_THREAD_STATE_SINGLE_STEP] = sizeof(zx_thread_state_single_step_t),
    };

    return kind < sizeof sizes / sizeof sizes[0] ? sizes[kind] : 0;
}

/* ---- General ------------------------------------------------------------------------------- */

_Static_assert(sizeof(struct hal_regs) == sizeof(zx_thread_state_general_regs_t) &&
                   offsetof(struct hal_regs, rflags) ==
                       offsetof(zx_thread_state_general_regs_t, rflags),
               "hal_regs has the ABI's order");

static zx_status_t write_general(struct thread *thread, const zx_thread_state_general_regs_t *in)
{
    struct hal_regs *regs = &thread->context.regs;
    uint64_t kept = regs->rflags & ~RFLAGS_USER;

    if (in->rip >= HAL_USER_TOP || in->fs_base >= HAL_USER_TOP || in->gs_base >= HAL_USER_TOP)
        return ZX_ERR_INVALID_ARGS;
    memcpy(regs, in, sizeof *regs);
    regs->rflags = kept | (in->rflags & RFLAGS_USER);
    return ZX_OK;
}

/* ---- Floating point and vectors ------------------------------------------------------------ */

static void read_fp(struct thread *thread, zx_thread_state_fp_regs_t *out)
{
    struct hal_fpu_view view;

    hal_context_get_fpu(&thread->context, &view);
    memset(out, 0, sizeof *out);
    memcpy(&out->fcw, view.fxsave + FXSAVE_FCW, sizeof out->fcw);
    memcpy(&out->fsw, view.fxsave + FXSAVE_FSW, sizeof out->fsw);
    out->ftw = view.fxsave[FXSAVE_FTW];
    memcpy(&out->fop, view.fxsave + FXSAVE_FOP, sizeof out->fop);
    memcpy(&out->fip, view.fxsave + FXSAVE_FIP, sizeof out->fip);
    memcpy(&out->fdp, view.fxsave + FXSAVE_FDP, sizeof out->fdp);
    memcpy(out->st, view.fxsave + FXSAVE_ST, sizeof out->st);
}

static void write_fp(struct thread *thread, const zx_thread_state_fp_regs_t *in)
{
    struct hal_fpu_view view;

    hal_context_get_fpu(&thread->context, &view);
    memcpy(view.fxsave + FXSAVE_FCW, &in->fcw, sizeof in->fcw);
    memcpy(view.fxsave + FXSAVE_FSW, &in->fsw, sizeof in->fsw);
    view.fxsave[FXSAVE_FTW] = in->ftw;
    memcpy(view.fxsave + FXSAVE_FOP, &in->fop, sizeof in->fop);
    memcpy(view.fxsave + FXSAVE_FIP, &in->fip, sizeof in->fip);
    memcpy(view.fxsave + FXSAVE_FDP, &in->fdp, sizeof in->fdp);
    memcpy(view.fxsave + FXSAVE_ST, in->st, sizeof in->st);
    hal_context_set_fpu(&thread->context, &view);
}

/* The first 16 registers, 256 bits each; the rest of the record reads as zero. */
static void read_vector(struct thread *thread, zx_thread_state_vector_regs_t *out)
{
    struct hal_fpu_view view;

    hal_context_get_fpu(&thread->context, &view);
    memset(out, 0, sizeof *out);
    for (int i = 0; i < 16; i++) {
        memcpy(&out->zmm[i].v[0], view.fxsave + FXSAVE_XMM + 16 * i, 16);
        memcpy(&out->zmm[i].v[2], view.ymm_high + 16 * i, 16);
    }
    memcpy(&out->mxcsr, view.fxsave + FXSAVE_MXCSR, sizeof out->mxcsr);
}

static void write_vector(struct thread *thread, const zx_thread_state_vector_regs_t *in)
{
    struct hal_fpu_view view;

    hal_context_get_fpu(&thread->context, &view);
    for (int i = 0; i < 16; i++) {
        memcpy(view.fxsave + FXSAVE_XMM + 16 * i, &in->zmm[i].v[0], 16);
        memcpy(view.ymm_high + 16 * i, &in->zmm[i].v[2], 16);
    }
    memcpy(view.fxsave + FXSAVE_MXCSR, &in->mxcsr, sizeof in->mxcsr);
    hal_context_set_fpu(&thread->context, &view);
}

/* ---- Debugging ----------------------------------------------------------------------------- */

_Static_assert(sizeof(struct hal_debug_regs) == sizeof(zx_thread_state_debug_regs_t),
               "hal_debug_regs has the ABI's order");

static zx_status_t read_debug(struct thread *thread, zx_thread_state_debug_regs_t *out)
{
    struct hal_debug_regs regs;
    zx_status_t status = hal_context_get_debug(&thread->context, &regs);

    if (status == ZX_OK)
        memcpy(out, &regs, sizeof *out);
    return status;
}

static zx_status_t write_debug(struct thread *thread, const zx_thread_state_debug_regs_t *in)
{
    struct hal_debug_regs regs;

    for (int i = 0; i < 4; i++) {
        if (in->dr[i] >= HAL_USER_TOP || DR7_RW(in->dr7, i) == DR7_RW_IO)
            return ZX_ERR_INVALID_ARGS;
    }
    memcpy(&regs, in, sizeof regs);
    regs.dr6 = (in->dr6 & DR6_USER) | DR6_FIXED;
    regs.dr7 = (in->dr7 & DR7_USER) | DR7_FIXED;
    return hal_context_set_debug(&thread->context, &regs);
}

static zx_status_t write_single_step(struct thread *thread, zx_thread_state_single_step_t on)
{
    uint64_t *rflags = &thread->context.regs.rflags;

    if (on > 1)
        return ZX_ERR_INVALID_ARGS;
    *rflags = on ? *rflags | RFLAGS_TF : *rflags & ~RFLAGS_TF;
    return ZX_OK;
}

/* ---- Any kind ------------------------------------------------------------------------------ */

zx_status_t thread_state_read(struct thread *thread, uint32_t kind, union thread_registers *out)
{
    switch (kind) {
    case ZX_THREAD_STATE_GENERAL_REGS:
        memcpy(&out->general, &thread->context.regs, sizeof out->general);
        return ZX_OK;
    case ZX_THREAD_STATE_FP_REGS:
        read_fp(thread, &out->fp);
        return ZX_OK;
    case ZX_THREAD_STATE_VECTOR_REGS:
        read_vector(thread, &out->vector);
        return ZX_OK;
    case ZX_THREAD_STATE_DEBUG_REGS:
        return read_debug(thread, &out->debug);
    default:
        out->single_step = (thread->context.regs.rflags & RFLAGS_TF) != 0;
        return ZX_OK;
    }
}

zx_status_t thread_state_write(struct thread *thread, uint32_t kind,
                               const union thread_registers *in)
{
    switch (kind) {
    case ZX_THREAD_STATE_GENERAL_REGS:
        return write_general(thread, &in->general);
    case ZX_THREAD_STATE_FP_REGS:
        write_fp(thread, &in->fp);
        return ZX_OK;
    case ZX_THREAD_STATE_VECTOR_REGS:
        write_vector(thread, &in->vector);
        return ZX_OK;
    case ZX_THREAD_STATE_DEBUG_REGS:
        return write_debug(thread, &in->debug);
    default:
        return write_single_step(thread, in->single_step);
    }
}
